#!/usr/bin/env bats
bats_require_minimum_version 1.5.0
load common

# settings ARGUMENT...: a small grid that is alike in no two directions, blur
# and beam on, perturbations of every kind
settings() {
    tiny_lines -s coordinate_hyper.r_steps=16 -s coordinate_hyper.r_crop_min_index=2 \
        -s coordinate_hyper.r_crop_max_index=13 -s coordinate_hyper.lon_steps=12 \
        -s coordinate_hyper.lat_steps=6 -s observer_hyper.lat_pieces=2 -s cube_hyper.v_steps=20 \
        -s writer_hyper.points_per_snapshot=3 -s observer_hyper.out_blur_fwhm=1200.0 \
        -s dataset_hyper.CMZ_skew_range=[0.8,1.25] -s dataset_hyper.CMZ_density_range=[0.5,2.0] \
        -s coordinate_hyper.jitter_lon=true -s coordinate_hyper.jitter_lon_min=-0.1 \
        -s coordinate_hyper.jitter_lon_max=0.1 "$@"
}

# Six tensors of two snapshots in S, and their pairs as iris-gen makes them in G.
setup_file() {
    cd "$BATS_FILE_TMPDIR"
    settings >hyper.json
    snapshots 2
    iris-list -o list.tsv snaps
    iris-gen -H hyper.json -t standard -d S -o standard.tsv list.tsv
    iris-gen -H hyper.json -t synthetic -d G -o pairs.tsv list.tsv
}

setup() {
    cp -a "$BATS_FILE_TMPDIR" "$BATS_TEST_TMPDIR/work"
    cd "$BATS_TEST_TMPDIR/work"
    tensor=S/$(column tensor standard.tsv | head -1)
}

teardown() {
    cd "$BATS_TEST_TMPDIR"
    ! mountpoint -q work/full 2>/dev/null || umount work/full
}

# cube FILE ARGUMENT...: of the first tensor
cube() {
    local file=$1
    shift
    iris-observe -H hyper.json --cube="$file" "$@" "$tensor"
}

# pairs DATASET ARGUMENT...: of the tensors in S
pairs() {
    local data=$1
    shift
    iris-observe -H hyper.json -d "$data" --from=S "$@"
}

# python: Debian's, whose packages are astropy and numpy; every warning is an error
python() {
    {
        cat <<'HEAD'
import sys, warnings
warnings.simplefilter('error')
import numpy as np
HEAD
        cat
    } >script.py
    /usr/bin/python3 script.py "$@"
}

# what a data set has: names, times, inodes
state_of() {
    find "$1/entries" -type f -printf '%p %T@ %i %n\n' | sort
}

# nothing_half DATASET: every file under a final name is as in G
nothing_half() {
    local f
    for f in $(cd "$1" && find entries -type f ! -name '*.tmp' 2>/dev/null); do
        cmp "$1/$f" "G/$f" || return 1
    done
}

# bad STATUS TEXT COMMAND...: ends with the status and one sentence that has the text
bad() {
    local status=$1 text=$2
    shift 2
    run "-$status" --separate-stderr "$@"
    one_sentence iris-observe
    [[ $stderr == *"$text"* ]] || { echo "no '$text': $stderr"; return 1; }
    [ -z "$output" ]
}

@test "help and version" {
    run -0 --separate-stderr iris-observe --help
    [[ $output == "usage: iris-observe "* ]]
    run -0 --separate-stderr iris-observe --version
    [[ $output == "iris-observe (iris) "* ]]
}

@test "every long option is in the page" {
    options_in_page iris-observe
}

@test "wrong command lines" {
    bad 64 "-H HYPER" iris-observe --cube=a.npy $tensor
    bad 64 "--cube=FILE or -d DATASET" iris-observe -H hyper.json $tensor
    bad 64 "do not go together" pairs D --cube=a.npy $tensor
    bad 64 "type synthetic or simple" cube a.npy -t standard
    bad 64 "'complex'" cube a.npy -t complex
    bad 64 "--lines" cube a.npy -t simple --lines=lines.h5
    bad 64 "--precise" cube a.npy -t simple --precise
    bad 64 "--from" cube a.npy --from=S
    bad 64 "-o" cube a.npy -o out
    bad 64 "-t is for --cube" pairs D -t simple standard.tsv
    bad 64 "name the file of a tensor" iris-observe -H hyper.json --cube=a.npy
    bad 64 "name the file of a tensor" iris-observe -H hyper.json --cube=a.npy -
    bad 64 "'a.tiff'" cube a.tiff
    bad 64 "'more'" pairs D standard.tsv more
    bad 64 "'--new'" cube a.npy --new
    bad 64 "" pairs '' standard.tsv
    [ ! -e D ]
    [ ! -e a.npy ]
    no_leftovers
}

@test "missing and wrong files" {
    for way in "--cube=a.npy $tensor" "-d D --from=S standard.tsv"; do
        bad 74 "'missing.json'" iris-observe -H missing.json $way
        bad 65 "standard.tsv:1" iris-observe -H standard.tsv $way
        iris-hyper --preset=hyper.json -s cube_hyper.v_min=null >null.json
        bad 65 "null.json: cube_hyper.v_min" iris-observe -H null.json $way
        iris-hyper --preset=hyper.json -s 'observer_hyper.chem_path=["gone.dat"]' >gone.json
        bad 74 "gone.dat" iris-observe -H gone.json $way
        bad 74 "'gone.h5'" iris-observe -H hyper.json --lines=gone.h5 $way
        bad 65 "'hyper.json'" iris-observe -H hyper.json --lines=hyper.json $way
        iris-hyper --preset=hyper.json -s 'observer_hyper.T_steps=[6]' >other.json
        iris-chem -H other.json -o other.h5
        bad 65 "other.h5" iris-observe -H hyper.json --lines=other.h5 $way
    done
    bad 74 "'missing.npy'" iris-observe -H hyper.json --cube=a.npy missing.npy
    bad 65 "hyper.json" iris-observe -H hyper.json --cube=a.npy hyper.json
    head -c 3000 $tensor >short.npy
    bad 65 "short.npy" iris-observe -H hyper.json --cube=a.npy short.npy
    bad 65 "is not a physical tensor" iris-observe -H hyper.json --cube=a.npy \
        G/$(column column pairs.tsv | head -1)
    bad 74 "nowhere/a.npy" cube nowhere/a.npy
    bad 74 "'missing.tsv'" pairs D missing.tsv
    bad 65 "list.tsv" pairs D list.tsv
    bad 65 "hyper.json:1" pairs D hyper.json
    bad 74 "'T'" iris-observe -H hyper.json -d D --from=T standard.tsv
    bad 74 "'D'" iris-observe -H hyper.json -d D standard.tsv
    bad 65 "'snaps'" iris-observe -H hyper.json -d D --from=snaps standard.tsv
    bad 65 "'snaps'" pairs snaps standard.tsv
    [ ! -e D ]
    [ ! -e a.npy ]
    no_leftovers
}

# ---- cubes ----

@test "a tensor of another shape" {
    for key in r_steps lon_steps lat_steps; do
        iris-hyper --preset=hyper.json -s coordinate_hyper.$key=14 >other.json
        bad 65 "$tensor' has the shape (6, 16, 12, 6)" iris-observe -H other.json --cube=a.npy $tensor
        [[ $stderr == *r_steps*lon_steps*lat_steps*other.json*14* ]]
    done
    [ ! -e a.npy ]
}

@test "values that are not finite" {
    array $tensor '$v[16*12*6 * 2 + 7] = $inf' # a temperature
    cube a.npy
    array $tensor '$v[16*12*6 * 2 + 7] = -$inf'
    bad 65 "$tensor': channel 2 is -inf at r 0, lon 1, lat 1" cube b.fits
    array $tensor '$v[16*12*6 * 2 + 7] = $nan'
    bad 65 "channel 2 is nan" cube b.fits
    for channel in 0 1 3 4 5; do
        cp "$BATS_FILE_TMPDIR/$tensor" $tensor
        array $tensor '$v[16*12*6 * '$channel' + 12*6 * 15 + 6 * 11 + 5] = $inf'
        bad 65 "channel $channel is inf at r 15, lon 11, lat 5" cube b.npy
    done
    [ ! -e b.npy ]
    [ ! -e b.fits ]
    no_leftovers
}

@test "an empty window" {
    new_array empty.npy "(6, 16, 12, 6)" 0
    for file in e.npy e.fits; do
        bad 65 "'empty.npy': no gas in the window" iris-observe -H hyper.json --cube=$file empty.npy
        bad 65 "'empty.npy': no gas in the window" iris-observe -H hyper.json -t simple --cube=$file empty.npy
        [ ! -e $file ]
    done
    no_leftovers
    # one sample that has any is enough
    array empty.npy '$v[16*12*6 * 1 + 9] = 1e-9; $v[16*12*6 * 2 + 9] = 20'
    iris-observe -H hyper.json --cube=e.npy empty.npy
    iris-observe -H hyper.json -t simple --cube=e.fits empty.npy
}

# agrees CUBE GOLDEN TOLERANCE: the relative difference of all values together
agrees() {
    python "$@" <<'PYTHON'
a, b = (np.load(f).astype('f8') for f in sys.argv[1:3])
assert np.load(sys.argv[1]).dtype == np.dtype('<f4') and a.shape == b.shape[1:], a.shape
d = np.sqrt(((a - b[0]) ** 2).sum() / (b ** 2).sum())
assert d <= float(sys.argv[3]), d
PYTHON
}

# golden ARGUMENT...: settings of the reference data with these changes
golden() {
    iris-hyper --preset="$SHARED/golden/hyper_s1.json" \
        -s "observer_hyper.chem_path=[\"$SHARED/chem/13C16O.dat\"]" "$@" >golden.json
}

@test "cubes of the reference" {
    need_shared
    phys=$SHARED/golden/phys_s1_t0.npy
    name=$SHARED/golden/cube_s1_t0_thick_smooth_vs1
    # as it is: its molecular file is named relative to it
    iris-observe -H "$SHARED/golden/hyper_s1.json" --cube=a.npy $phys
    agrees a.npy ${name}_blur_f64.npy 1e-5
    iris-observe -H "$SHARED/golden/hyper_s1.json" --precise --cube=b.npy $phys
    agrees b.npy ${name}_blur_f64.npy 1e-7
    run -1 cmp -s a.npy b.npy
    golden -s observer_hyper.blur_inputs=false -s observer_hyper.out_blur_fwhm=1200.0
    iris-observe -H golden.json --cube=a.npy $phys
    agrees a.npy ${name}_beam1200_f64.npy 1e-5
    iris-observe -H golden.json --precise --cube=a.npy $phys
    agrees a.npy ${name}_beam1200_f64.npy 1e-7
    golden -s observer_hyper.out_blur_fwhm=60.0
    iris-observe -H golden.json --cube=a.npy $phys
    agrees a.npy ${name}_blur_beam60_f64.npy 1e-5
    iris-observe -H golden.json --precise --cube=a.npy $phys
    agrees a.npy ${name}_blur_beam60_f64.npy 1e-7
    golden -s observer_hyper.blur_inputs=false
    iris-observe -H golden.json --precise --cube=a.npy "$SHARED/golden/phys_inf.npy"
    agrees a.npy "$SHARED/golden/cube_inf_thick_smooth_vs1_f64.npy" 1e-7
}

@test "simple cubes of the reference" {
    need_shared
    golden
    iris-observe -H golden.json -t simple --cube=a.npy "$SHARED/golden/phys_s1_t0.npy"
    agrees a.npy "$SHARED/golden/simple_s1_t0_blur_f64.npy" 1e-7
    # the beam is for lines only
    golden -s observer_hyper.blur_inputs=false -s observer_hyper.out_blur_fwhm=1200.0
    iris-observe -H golden.json -t simple --cube=a.npy "$SHARED/golden/phys_s1_t0.npy"
    agrees a.npy "$SHARED/golden/simple_s1_t0_f64.npy" 1e-7
}

@test "tables from a file and computed ones make the same cube" {
    iris-chem -H hyper.json -o lines.h5
    for precise in "" --precise; do
        cube a.npy $precise
        cube b.npy $precise --lines=lines.h5
        cmp a.npy b.npy
    done
    # damage that only shows when the values are read
    flip lines.h5 -200
    run -65 --separate-stderr cube c.npy --lines=lines.h5
    [ ! -e c.npy ]
}

@test "a tensor in double precision" {
    python $tensor <<'PYTHON'
np.save('double.npy', np.load(sys.argv[1]).astype('f8'))
PYTHON
    cube a.npy
    iris-observe -H hyper.json --cube=b.npy double.npy
    cmp a.npy b.npy
}

# One bright cell: at longitude 5, latitude 3 and channel 7 of grids that differ
# in every direction.
planted() {
    settings -s coordinate_hyper.lon_steps=7 -s coordinate_hyper.lat_steps=5 -s cube_hyper.v_steps=11 \
        -s coordinate_hyper.lon_min=-1.5 -s coordinate_hyper.lon_max=1.2 \
        -s coordinate_hyper.lat_min=-0.25 -s coordinate_hyper.lat_max=0.5 \
        -s cube_hyper.v_min=-30.0 -s cube_hyper.v_max=70.0 -s observer_hyper.lon_pieces=1 "$@" >planted.json
    python <<'PYTHON'
t = np.zeros((6, 16, 7, 5), 'f4')
t[:, 4, 5, 3] = 0.4, 2.3e-9 * 1e9, 750, 0.5, 1e-4, 20
np.save('planted.npy', t)
PYTHON
}

@test "astropy finds a bright cell where it is" {
    planted -s observer_hyper.blur_inputs=false -s observer_hyper.out_blur_fwhm=null
    iris-observe -H planted.json --cube=a.fits planted.npy
    iris-observe -H planted.json --cube=a.npy planted.npy
    python $(iris-gen --digest -H planted.json -t synthetic) <<'PYTHON'
from astropy import units as u
from astropy.io import fits
from astropy.wcs import WCS
with fits.open('a.fits') as f:
    f.verify('exception')
    assert len(f) == 1
    h, data = f[0].header, f[0].data
    assert data.shape == (11, 5, 7) and np.isfinite(data).all()
    k, j, i = np.unravel_index(data.argmax(), data.shape)
    assert (data != 0).any(axis=0).sum() == 1
    lon, lat, v = WCS(h).pixel_to_world_values(i, j, k)
    assert abs((lon + 180) % 360 - 180 - 0.75) < 1e-9 and abs(lat - 0.3125) < 1e-9, (lon, lat)
    assert abs(v - 40e3) < 1e-6, v
    assert h['EXTNAME'].startswith('2-1 ') and len(h['EXTNAME']) > 4
    row = next(r for r in map(str.split, open('co.dat')) if r[1:3] == ['3', '2'])
    assert abs(h['RESTFRQ'] - 1e9 * float(row[4])) < 1 and 220e9 < h['RESTFRQ'] < 221e9
    assert u.Unit(h['BUNIT']) == u.K and h['BTYPE'] == 'Trj' and 'BMAJ' not in h
    assert f'type synthetic, settings {sys.argv[1]}, arithmetic single' in str(h['HISTORY'])
    assert np.array_equal(np.load('a.npy')[0], data.T)
PYTHON
    no_leftovers
}

@test "what a FITS cube says of beam, arithmetic and units" {
    planted -s 'suite_hyper.output_units="I"'
    iris-observe -H planted.json --precise --cube=a.fits planted.npy
    iris-hyper --preset=planted.json -s 'suite_hyper.output_units="I Jy per Sr"' >jy.json
    iris-observe -H jy.json --seed=7 --cube=b.fits planted.npy
    iris-observe -H planted.json -t simple --cube=c.fits planted.npy
    iris-hyper --preset=planted.json -s writer_hyper.mass_g_per_processing=3.0 >three.json
    iris-observe -H three.json -t simple --cube=d.fits planted.npy
    python $(iris-gen --digest -H jy.json -t synthetic --seed=7) <<'PYTHON'
from astropy import units as u
from astropy.io import fits
from astropy.wcs import WCS
a, b, c, d = (fits.getheader(f + '.fits') for f in 'abcd')
assert 'arithmetic precise' in str(a['HISTORY']) and 'BUNIT' not in a and a['BTYPE'] == 'I'
assert abs(a['BMAJ'] - 1200 / 3600) < 1e-12 and a['BMIN'] == a['BMAJ']
assert u.Unit(b['BUNIT']) == u.Jy / u.sr and sys.argv[1] in str(b['HISTORY'])
# mass by area and velocity: no line, no beam
per = u.g / (1e7 * u.cm) ** 2 / (1e7 * u.cm / u.s)
assert abs((1 * u.Unit(c['BUNIT'])).to(per).value - 1) < 1e-12
assert 'RESTFRQ' not in c and 'BMAJ' not in c and 'arithmetic' not in str(c['HISTORY'])
assert list(WCS(c).wcs.ctype) == ['GLON-CAR', 'GLAT-CAR', 'VRAD']
assert 'BUNIT' not in d # there is no power of ten
PYTHON
}

@test "several lines" {
    planted
    iris-hyper --preset=planted.json -s observer_hyper.n_lines=2 -s 'observer_hyper.chem_path=["co.dat","co.dat"]' \
        -s 'observer_hyper.transition=[[2,1],[1,0]]' -s 'observer_hyper.kappa_dust=[0.001,0.001]' \
        -s 'observer_hyper.N_H_TOT_steps=[8,8]' -s 'observer_hyper.interpolation_max_N_H_TOT=[1e12,1e12]' \
        -s 'observer_hyper.bolic_normalization=[1.0,1.0]' -s 'observer_hyper.abundance_H2_steps=[3,3]' \
        -s 'observer_hyper.T_steps=[5,5]' -s 'observer_hyper.interpolation_max_T=[3000.0,3000.0]' \
        -s cube_hyper.data_path=null -s cube_hyper.beam_efficiency=null >two.json
    iris-observe -H two.json --cube=two.fits planted.npy
    iris-observe -H planted.json --cube=one.npy planted.npy
    python <<'PYTHON'
from astropy.io import fits
with fits.open('two.fits') as f:
    assert [h.header['EXTNAME'].split()[0] for h in f] == ['2-1', '1-0']
    assert np.array_equal(f[0].data.T, np.load('one.npy')[0])
    assert abs(f[1].header['RESTFRQ'] - 110.201e9) < 1e6 and f[1].data.max() > 0
    assert not np.array_equal(f[0].data, f[1].data)
PYTHON
}

@test "a cube replaces what has its name, by rename" {
    echo old >a.npy
    ln a.npy old
    cube a.npy
    [ "$(cat old)" = old ]
    cube b.npy -v 2>said
    grep -q "wrote 'b.npy': 72 spectra" said
    cmp a.npy b.npy
    cube c.npy --dry-run 2>said
    grep -q "would observe '$tensor' into 'c.npy'" said
    [ ! -e c.npy ]
    no_leftovers
}

@test "a cube takes little memory" {
    settings -s coordinate_hyper.r_steps=48 -s coordinate_hyper.r_crop_max_index=48 \
        -s coordinate_hyper.lon_steps=512 -s coordinate_hyper.lat_steps=64 -s cube_hyper.v_steps=128 \
        -s observer_hyper.out_blur_fwhm=60.0 >big.json
    python <<'PYTHON'
t = np.lib.format.open_memmap('big.npy', 'w+', '<f4', (6, 48, 512, 64))
t[:] = np.array([0.4, 1e-3, 20, 0.45, 0, 20], 'f4')[:, None, None, None]
PYTHON
    cat >peak.py <<'PYTHON'
import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024)
PYTHON
    # the tensor is of 36 MiB, the cube of 16; .fits takes 16 for turning it
    more=0
    ! grep -q __asan_init "$(command -v iris-observe)" || more=400
    for way in "24 -t simple --cube=a.npy" "24 --cube=a.npy" "40 -t simple --cube=a.fits"; do
        set -- $way
        peak=$(/usr/bin/python3 peak.py iris-observe -H big.json "${@:2}" big.npy)
        echo "$way: $peak MiB"
        [ "$peak" -lt $(($1 + more)) ]
    done
}

# ---- pairs ----

@test "the same bytes as iris-gen from the snapshots" {
    pairs D -o observed.tsv standard.tsv
    cmp observed.tsv pairs.tsv
    same_data D G
    iris-merge -d D observed.tsv | cmp - <(iris-merge -d G pairs.tsv)
    no_leftovers
    # also of the manifest that iris-merge has verified, and from a pipe
    iris-merge -d S -o merged.tsv standard.tsv
    pairs E <merged.tsv | cmp - pairs.tsv
    same_data E G
}

@test "the same bytes with a maximum over latitude, and in double" {
    iris-hyper --preset=hyper.json -s 'cube_hyper.reduction="max"' -s observer_hyper.out_blur_fwhm=900.0 >max.json
    iris-chem -H max.json -o lines.h5
    for precise in "" --precise; do
        iris-gen -H max.json -t synthetic -d M $precise -o max.tsv list.tsv
        iris-observe -H max.json -d N --from=S $precise --lines=lines.h5 standard.tsv | cmp - max.tsv
        same_data M N
    done
    [ "$(ls N/entries | wc -l)" = 2 ]
}

@test "tensors and pairs in one data set" {
    iris-observe -H hyper.json -d S standard.tsv | cmp - pairs.tsv
    [ "$(ls S/entries | wc -l)" = 2 ]
    diff -r S/entries/$(ls G/entries) G/entries/$(ls G/entries)
    # iris-gen finds them made
    mv snaps away
    iris-gen -H hyper.json -t synthetic -d S list.tsv | cmp - pairs.tsv
}

@test "doing it again does nothing, what is missing is made" {
    pairs D -o observed.tsv standard.tsv
    state_of D >before
    sleep 0.02
    rm S/entries/*/raw/*/*.npy
    pairs D standard.tsv | cmp - pairs.tsv
    state_of D | cmp - before
    cp -a "$BATS_FILE_TMPDIR/S" T
    rm "D/$(column observed pairs.tsv | sed -n 2p)" D/$(column column pairs.tsv | sed -n 4p)
    touch "D/$(column column pairs.tsv | sed -n 4p).tmp"
    iris-observe -H hyper.json -d D --from=T standard.tsv | cmp - pairs.tsv
    same_data D G
    no_leftovers
    state_of D | comm -23 before - | wc -l >changed
    [ "$(cat changed)" = 4 ]
    # arrays of unknown origin are made again
    rm D/entries/*/raw/snap_001/source.tsv
    iris-observe -H hyper.json -d D --from=T standard.tsv | cmp - pairs.tsv
    same_data D G
}

@test "some rows, in any order" {
    { grep '^#' standard.tsv | grep -v '^##rows'; grep -v '^#' standard.tsv | sed -n '5p;1p'; } >some.tsv
    pairs D some.tsv >observed.tsv
    cmp <(rows pairs.tsv '$skip = $n != 1 && $n != 5') observed.tsv
    [ "$(find D -name '*.npy' | wc -l)" = 4 ]
    rows standard.tsv '$skip = 1' >none.tsv
    run -0 --separate-stderr pairs D none.tsv
    [ "$(tail -1 <<<"$output")" = "##rows 0" ]
}

@test "rounds and seeds come from the rows" {
    for way in --round=1 --seed=7; do
        iris-gen -H hyper.json -t standard -d S $way list.tsv >s$way.tsv
        iris-gen -H hyper.json -t synthetic -d G $way list.tsv >g$way.tsv
    done
    iris-merge -d S -o all.tsv standard.tsv s--round=1.tsv s--seed=7.tsv
    pairs D -o observed.tsv all.tsv
    same_data D G
    iris-merge -d D observed.tsv | cmp - <(iris-merge -d G pairs.tsv g--round=1.tsv g--seed=7.tsv)
    pairs D all.tsv | cmp - observed.tsv
}

@test "tensors that were made with other settings" {
    iris-hyper --preset=hyper.json -s coordinate_hyper.theta_zero=1.0 >other.json
    bad 65 "standard.tsv: entry '" iris-observe -H other.json -d D --from=S standard.tsv
    [[ $stderr == *"made with other settings"*"'other.json'"*"$(iris-gen --digest -H other.json -t standard)"* ]]
    # what does not matter to a tensor may differ
    iris-hyper --preset=hyper.json -s cube_hyper.v_steps=22 >other.json
    iris-observe -H other.json -d D --from=S standard.tsv >observed.tsv
    iris-gen -H other.json -t synthetic -d H list.tsv | cmp - observed.tsv
    same_data D H
}

@test "rows that are not those of iris-gen" {
    refused() {
        rows standard.tsv "$1" >changed.tsv
        bad 65 "changed.tsv: entry '" pairs D changed.tsv
        [[ $stderr == *"$2"* ]] || { echo "no '$2': $stderr"; return 1; }
        [ ! -e D ]
    }
    refused '$f{seed} = 7 if $n == 2' "other settings"
    refused '$f{round} = 1 if $n == 2' "other settings"
    refused '$f{round} = 4294967296' "bad round"
    refused '$f{theta} = 1 if $n == 2' "its theta is 1, the settings give 120.0"
    for name in scale skew skew_angle density jitter_lon; do
        refused "\$f{$name} = 0.123456" "its $name is 0.123456"
    done
    refused '$f{jitter_r} = 0.1' "its jitter_r is 0.1, the settings give none"
    refused '$f{tensor} =~ s/p001/p000/' "its tensor is "
    refused '$f{tensor} = "../x.npy"' "bad tensor"
    refused '($f{point} = 3, $f{id} =~ s/p002/p003/) if $f{point} == 2' "3 points"
    refused '$f{snapshot} = "x"' "bad id"
    bad 65 "pairs.tsv: entry '" iris-observe -H hyper.json -d D --from=G pairs.tsv
    [[ $stderr == *"of type synthetic: only standard entries"* ]]
    { sed '/^##rows/d' standard.tsv; grep -v '^#' standard.tsv | tail -1; } >twice.tsv
    bad 65 "is there twice" pairs D twice.tsv
    # in IRIS units
    iris-merge -d S -o merged.tsv standard.tsv
    iris-units -H hyper.json -d S -o units.json merged.tsv
    iris-normalize -H units.json -d S -o normalized.tsv merged.tsv
    bad 65 "is in IRIS units" pairs D normalized.tsv
    [ ! -e D ]
}

@test "tensors that cannot be observed" {
    files=($(column tensor standard.tsv))
    rm "S/${files[0]}"
    truncate -s 3000 "S/${files[1]}"
    array "S/${files[2]}" '$v[9] = $nan'
    new_array "S/${files[3]}" "(6, 16, 12, 6)" 0
    new_array "S/${files[4]}" "(6, 16, 12, 7)" 1
    run -1 --separate-stderr pairs D -o observed.tsv standard.tsv
    one_sentence iris-observe
    [[ $stderr == *"5 of 6 pairs failed; the first, snapshot 'snap_001' point 0: "*"No such file"* ]]
    [ "$(column state observed.tsv | tr '\n' ' ')" = "failed failed failed failed failed raw " ]
    column message observed.tsv >why
    grep -q "$(sed 's/.*\///' <<<"${files[1]}")" <(sed -n 2p why)
    grep -q "channel 0 is nan at r 0, lon 1, lat 3" <(sed -n 3p why)
    grep -q "no gas in the window" <(sed -n 4p why)
    grep -q "shape (6, 16, 12, 7)" <(sed -n 5p why)
    nothing_half D
    [ "$(find D -name '*.npy' | wc -l)" = 2 ]
    no_leftovers
    # mended, the same command makes the rest
    rm -r S
    cp -a "$BATS_FILE_TMPDIR/S" S
    pairs D standard.tsv | cmp - pairs.tsv
    same_data D G
}

@test "a tensor that changed after it was verified" {
    iris-merge -d S -o merged.tsv standard.tsv
    array $tensor '$v[9] += 0.01'
    run -1 --separate-stderr pairs D -o observed.tsv merged.tsv
    [[ $(column message observed.tsv | head -1) == *"is not the file that was recorded"* ]]
    [ "$(column state observed.tsv | grep -c raw)" = 5 ]
}

@test "rows that have failed stay failed" {
    mkdir broken
    cp snaps/* broken
    head -c 5000 snaps/snap_002.hdf5 >broken/snap_002.hdf5
    iris-list broken >broken.tsv
    run -1 iris-gen -H hyper.json -t standard -d B -o b.tsv broken.tsv
    run -1 --separate-stderr iris-observe -H hyper.json -d D --from=B -o observed.tsv b.tsv
    one_sentence iris-observe
    [ "$(column state observed.tsv | tr '\n' ' ')" = "raw raw raw failed failed failed " ]
    cmp <(column message b.tsv) <(column message observed.tsv)
    nothing_half D
    # unless the pair is there
    cp -a G E
    iris-observe -H hyper.json -d E --from=B b.tsv | cmp - pairs.tsv
}

@test "another snapshot under the same id" {
    mkdir others
    iris-mock -o others/snap_001.hdf5 --cells=2000 --seed=9
    cp snaps/snap_002.hdf5 others
    iris-list others >others.tsv
    iris-gen -H hyper.json -t standard -d O others.tsv >o.tsv
    cp -a G D
    state_of D >before
    run -1 --separate-stderr iris-observe -H hyper.json -d D --from=O -o observed.tsv o.tsv
    one_sentence iris-observe
    [ "$(column state observed.tsv | tr '\n' ' ')" = "failed failed failed raw raw raw " ]
    [[ $(column message observed.tsv | head -1) == *"another snapshot"* ]]
    state_of D | cmp - before
    # tensors of unknown origin
    rm S/entries/*/raw/snap_002/source.tsv
    run -1 --separate-stderr pairs E -o observed.tsv standard.tsv
    [[ $(column message observed.tsv | tail -1) == *"no record of the snapshot"* ]]
    [ "$(column state observed.tsv | tr '\n' ' ')" = "raw raw raw failed failed failed " ]
}

@test "nothing is written with --dry-run" {
    pairs D --dry-run -o out.tsv standard.tsv 2>said
    [ "$(cat said)" = "iris-observe: would make 6 of 6 pairs in 'D'" ]
    [ ! -e D ]
    [ ! -e out.tsv ]
    cp -a G D
    rm "D/$(column observed pairs.tsv | sed -n 2p)"
    state_of D >before
    pairs D --dry-run standard.tsv 2>said
    [ "$(cat said)" = "iris-observe: would make 1 of 6 pairs in 'D'" ]
    state_of D | cmp - before
}

@test "what cannot be written stops it" {
    run -74 --separate-stderr bash -c "iris-observe -H hyper.json -d D --from=S standard.tsv >/dev/full"
    one_sentence iris-observe
    same_data D G
    run -74 --separate-stderr bash -c "iris-observe --help >/dev/full"
    rm -r D/entries/*/raw/snap_001
    : >"D/entries/$(ls D/entries)/raw/snap_001"
    bad 74 "snap_001" pairs D -o out.tsv standard.tsv
    [ ! -e out.tsv ]
}

@test "a full disk" {
    mkdir full
    mount -t tmpfs -o size=4k tmpfs full 2>/dev/null || skip "no right to mount"
    bad 74 "No space left" cube full/a.npy
    bad 74 "No space left" cube full/a.fits
    [ -z "$(ls -A full)" ]
    for size in 12 20 28 36 44; do
        umount full
        mount -t tmpfs -o size=${size}k tmpfs full
        bad 74 "No space left" pairs full/D standard.tsv
        nothing_half full/D
    done
    mount -o remount,size=10m full
    pairs full/D standard.tsv | cmp - pairs.tsv
    same_data full/D G
}

@test "one run at a time" {
    mkdir -p D/.iris
    touch D/.iris/lock
    exec 8>>D/.iris/lock
    flock -n 8
    bad 75 "'D' is in use" pairs D standard.tsv
    exec 8>&-
    pairs D standard.tsv | cmp - pairs.tsv
}

# ---- stopped and killed ----

# long: settings whose cube and pairs take seconds; tensors of them in L
long() {
    settings -s coordinate_hyper.r_steps=64 -s coordinate_hyper.r_crop_max_index=64 \
        -s coordinate_hyper.lon_steps=64 -s coordinate_hyper.lat_steps=32 -s cube_hyper.v_steps=512 \
        -s observer_hyper.v_subsamples=4 -s observer_hyper.lon_pieces=1 >long.json
    sed '5,$d' list.tsv >one.tsv
    iris-gen -H long.json -t standard -d L one.tsv >long.tsv
    tensor=L/$(column tensor long.tsv | head -1)
}

@test "a cube that is stopped or killed leaves nothing half" {
    long
    for signal in TERM INT USR1; do
        signalled $signal open a.fits.tmp 1 iris-observe -H long.json --precise --cube=a.fits $tensor
        [ ! -e a.fits ]
        no_leftovers
    done
    killed_at open a.npy.tmp 1 iris-observe -H long.json --precise --cube=a.npy $tensor
    [ ! -e a.npy ]
    iris-observe -H long.json --cube=a.npy $tensor
    no_leftovers
}

@test "pairs that are stopped or killed leave nothing half" {
    long
    iris-observe -H long.json -d G --from=L long.tsv >whole.tsv
    for signal in TERM INT USR1; do
        rm -rf D
        signalled $signal rename .npy 3 iris-observe -H long.json -d D --from=L -o out.tsv long.tsv
        [ ! -e out.tsv ]
        [ "$(find D -name '*.npy' | wc -l)" -lt 6 ]
        nothing_half D
        no_leftovers
    done
    # USR1 has let the pair in hand be finished
    [ "$(find D -name '*.npy' | wc -l)" -ge 2 ]
    for n in 1 2 4 5; do
        rm -rf D
        killed_at rename .npy $n iris-observe -H long.json -d D --from=L -o out.tsv long.tsv
        [ ! -e out.tsv ]
        [ "$(find D -name '*.npy' | wc -l)" = $n ]
        nothing_half D
    done
    iris-observe -H long.json -d D --from=L long.tsv | cmp - whole.tsv
    nothing_half D
    no_leftovers
}

@test "a cube never takes the place of what it is made from" {
    cp "$tensor" t.npy
    for o in t.npy hyper.json; do
        cp "$o" "before.$o"
        run -64 --separate-stderr iris-observe -H hyper.json --cube="$o" t.npy
        one_sentence iris-observe
        cmp "$o" "before.$o"
    done
}
