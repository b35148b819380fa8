#!/usr/bin/env bats
bats_require_minimum_version 1.5.0
load common

# Published: simple in D. Not published: standard in S, synthetic in Y.
setup_file() {
    cd "$BATS_FILE_TMPDIR"
    tiny_hyper -s coordinate_hyper.theta_zero=15 -s writer_hyper.unit_calculation_sample_size=3 >hyper.json
    snapshots 1
    pipeline simple D
    iris-gen -q -H hyper.json -t standard -d S -o standard.tsv list.tsv
    tiny_lines >lines.json
    iris-hyper --preset=./lines.json -s coordinate_hyper.r_steps=16 -s coordinate_hyper.r_crop_max_index=16 \
        -s coordinate_hyper.lon_steps=12 -s coordinate_hyper.lat_steps=6 \
        -s observer_hyper.lat_pieces=2 -s cube_hyper.v_steps=20 \
        -s writer_hyper.points_per_snapshot=1 >synthetic.json
    iris-gen -q -H synthetic.json -t synthetic -d Y -o synthetic.tsv list.tsv
}

setup() {
    cp -a "$BATS_FILE_TMPDIR" "$BATS_TEST_TMPDIR/work"
    cd "$BATS_TEST_TMPDIR/work"
}

raw() {
    find "$1" -path '*/raw/*' -name "p00$2.$3.npy"
}

# astropy ARGUMENT...: python of standard input
astropy() {
    /usr/bin/python3 -W error - "$@"
}

@test "help, version, options in the page" {
    run -0 --separate-stderr iris-fits --help
    [[ $output == "usage: iris-fits "* ]]
    run -0 --separate-stderr iris-fits --version
    [[ $output == "iris-fits (iris) "* ]]
    options_in_page iris-fits
}

@test "wrong command lines" {
    array=$(raw D 0 observed)
    for words in "" "D S" "--entry" "--line=0 D" "--kind=map D" "-t map D" "--new D" \
        "--entry=0 $array"; do
        run -64 --separate-stderr iris-fits -o x.fits $words
        one_sentence iris-fits
        [ ! -e x.fits ]
    done
    run -64 --separate-stderr iris-fits -o D/x.fits D
    one_sentence iris-fits
    run -64 --separate-stderr iris-fits -o "$array" "$array"
    one_sentence iris-fits
    # nor another file of the data set that it is of
    cp -a D before
    run -64 --separate-stderr iris-fits -o "$(raw D 1 observed)" "$array"
    one_sentence iris-fits
    diff -r before D
    new_array none.npy "(0, 5, 5)"
    run -65 --separate-stderr iris-fits -o x.fits none.npy
    one_sentence iris-fits
    for words in "--entry=99 D" "--line=2 D" "--kind=tensor D" "--kind=column S" "--entry=other D"; do
        run -65 --separate-stderr iris-fits -o x.fits $words
        one_sentence iris-fits
        [ ! -e x.fits ]
    done
    run -74 --separate-stderr iris-fits -o x.fits absent
    one_sentence iris-fits
}

@test "values are those of the arrays in physical units" {
    for entry in 0 1 2; do iris-fits -o $entry.fits --entry=$entry D; done
    iris-fits -o raw.fits --kind=observed "$(raw D 1 observed)"
    astropy "$(raw D 1 columnized)" "$(raw D 1 observed)" <<'EOF'
import json, sys
import numpy as np
from astropy.io import fits
column, observed = (np.load(p).astype('f8')[0] for p in sys.argv[1:3])
s = json.load(open('hyper.json'))['writer_hyper']
length, mass, v = (s[k] for k in ('length_cm_per_processing', 'mass_g_per_processing', 'velocity_cm_per_s_per_processing'))
density = mass / length**3
index = json.load(open('D/attributes.json'))
found = 0
for k in range(3):
    with fits.open(f'{k}.fits') as f:
        f.verify('exception')
        assert [h.name for h in f] == ['COLUMN', 'LINE 1']
        assert [h.data.dtype.str for h in f] == ['>f4', '>f4']
        assert f[0].header['BUNIT'] == 'g cm-3' and f[1].header['BUNIT'] == 'g cm-3 s'
        if 'p001' not in str(f[0].header['HISTORY']):
            continue
        found += 1
        # of IRIS units: the factor and its inverse in single precision
        assert np.allclose(f[0].data, column * density, rtol=3e-7, atol=0)
        assert np.allclose(f[1].data, observed.T * density * length / v, rtol=3e-7, atol=0)
assert found == 1
with fits.open('raw.fits') as f:
    # of processing units: rounded once
    assert len(f) == 1 and f[0].name == 'LINE 1'
    assert np.allclose(f[0].data, observed.T * (density * length / v), rtol=6e-8, atol=0)
EOF
}

@test "a container gives the bytes of the data set" {
    iris-pack -o D.h5 D
    for words in "" "--entry=2" "--kind=column --entry=$(column id D/iris-manifest.tsv | sed -n 2p)"; do
        iris-fits $words -o a.fits D
        iris-fits $words D.h5 | cmp - a.fits
    done
    run -64 --separate-stderr iris-fits -o D.h5 D.h5
    one_sentence iris-fits
    # an HDF5 file of another kind
    run -65 --separate-stderr iris-fits -o x.fits snaps/snap_001.hdf5
    one_sentence iris-fits
    [ ! -e x.fits ]
}

@test "axes: corners, and a bright pixel where it was planted" {
    array=$(raw D 0 observed) map=$(raw D 0 columnized)
    array "$array" '@v = (0) x @v; $v[7 * 20 + 13] = 5'
    array "$map" '@v = (1) x @v; $v[11 * 12 + 2] = 9'
    iris-fits -o lv.fits "$array"
    iris-fits -o map.fits "$map"
    astropy <<'EOF'
import json
import numpy as np
from astropy.io import fits
from astropy.wcs import WCS
h = json.load(open('hyper.json'))
c, q = h['coordinate_hyper'], h['cube_hyper']
lon = np.linspace(c['lon_min'], c['lon_max'], 12)
r = np.linspace(c['r_min'], c['r_max'], 16)
v = np.linspace(q['v_min'], q['v_max'], 20) * 1e3
for name, y, unit, ctype, at in (('lv', v, 'm/s', 'VRAD', (7, 13)), ('map', r, 'pc', 'DIST', (2, 11))):
    with fits.open(name + '.fits') as f:
        head, data = f[0].header, f[0].data
    w = WCS(head)
    assert list(w.wcs.ctype) == ['OFFSET', ctype]
    assert head['CNAME1'] == 'Galactic longitude'
    assert [head['CUNIT1'], head['CUNIT2']] == ['deg', unit]
    assert data.shape == (len(y), 12)
    for i in (0, 11):
        for j in (0, len(y) - 1):
            assert np.allclose(w.wcs_pix2world([[i, j]], 0)[0], [lon[i], y[j]], rtol=1e-12, atol=1e-9)
    j, i = np.unravel_index(data.argmax(), data.shape)
    assert (i, j) == at
    assert np.allclose(w.wcs_pix2world([[i, j]], 0)[0], [lon[at[0]], y[at[1]]], rtol=1e-12, atol=1e-9)
assert 'towards the observer' in str(fits.getheader('lv.fits')['COMMENT'])
EOF
}

@test "cropped distances begin where the crop does" {
    tiny_hyper -s coordinate_hyper.r_crop_min_index=4 -s coordinate_hyper.r_crop_max_index=12 >crop.json
    iris-gen -q -H crop.json -t simple -d C -o c.tsv list.tsv
    iris-fits -o crop.fits --kind=column C
    astropy <<'EOF'
import json
import numpy as np
from astropy.io import fits
c = json.load(open('crop.json'))['coordinate_hyper']
r = np.linspace(c['r_min'], c['r_max'], 16)
h = fits.getheader('crop.fits')
assert h['NAXIS2'] == 8 and abs(h['CRVAL2'] - r[4]) < 1e-9 and abs(h['CDELT2'] - (r[1] - r[0])) < 1e-9
EOF
}

@test "tensors, synthetic observations; what is not finite stays so" {
    tensor=$(raw S 0 tensor)
    array "$tensor" '$v[2 * 16 * 12 * 6 + 3] = $inf; $v[2 * 16 * 12 * 6 + 9] = $nan'
    iris-fits -o t.fits --entry=0 S
    iris-fits -o y.fits Y
    astropy "$tensor" "$(raw Y 0 observed)" <<'EOF'
import json, sys
import numpy as np
from astropy.io import fits
tensor, observed = (np.load(p).astype('f8') for p in sys.argv[1:])
s = json.load(open('hyper.json'))['writer_hyper']
with fits.open('t.fits') as f:
    assert [h.name for h in f] == ['DENSITY', 'TEMPERATURE']
    assert np.allclose(f[0].data, tensor[1, :, :, 3] * s['mass_g_per_processing'] / s['length_cm_per_processing']**3, rtol=6e-8, atol=0)
    assert np.array_equal(f[1].data, (tensor[2, :, :, 3] * s['temperature_K_per_processing']).astype('f4'), equal_nan=True)
    assert np.isinf(f[1].data[0, 0]) and np.isnan(f[1].data[0, 1])
    assert f[1].header['BUNIT'] == 'K' and f[1].header['CTYPE2'] == 'DIST'
with fits.open('y.fits') as f:
    assert [h.name for h in f] == ['COLUMN', 'LINE 1']
    assert f[1].header['BUNIT'] == 'K'
    assert np.allclose(f[1].data, observed[0].T, rtol=6e-8, atol=0)
EOF
}

@test "several lines, an image each; intensities" {
    iris-hyper --preset=./synthetic.json -s observer_hyper.n_lines=2 \
        -s 'observer_hyper.chem_path=["co.dat","co.dat"]' -s 'observer_hyper.transition=[[2,1],[1,0]]' \
        -s 'observer_hyper.kappa_dust=[0.001,0.001]' -s 'observer_hyper.N_H_TOT_steps=[8,8]' \
        -s 'observer_hyper.interpolation_max_N_H_TOT=[1e12,1e12]' \
        -s 'observer_hyper.bolic_normalization=[1.0,1.0]' -s 'observer_hyper.abundance_H2_steps=[3,3]' \
        -s 'observer_hyper.T_steps=[5,5]' -s 'observer_hyper.interpolation_max_T=[3000.0,3000.0]' \
        -s 'suite_hyper.output_units="I Jy per Sr"' \
        -s cube_hyper.data_path=null -s cube_hyper.beam_efficiency=null >two.json
    new_array two.npy "(2, 12, 20)" 1 2 3 4 5 6 7
    iris-fits -o two.fits -H two.json -t synthetic two.npy
    iris-fits -o second.fits --line=2 -H two.json -t synthetic two.npy
    astropy <<'EOF'
import numpy as np
from astropy import units as u
from astropy.io import fits
two = np.load('two.npy')
with fits.open('two.fits') as f, fits.open('second.fits') as g:
    assert [h.name for h in f] == ['LINE 1', 'LINE 2'] and [h.name for h in g] == ['LINE 2']
    jansky = (1 * u.Unit(f[0].header['BUNIT'])).to(u.Jy / u.sr).value
    for k in (0, 1):
        assert np.allclose(f[k].data.astype('f8') * jansky, two[k].T, rtol=2e-7)
    assert np.array_equal(f[1].data, g[0].data)
EOF
}

@test "where it comes from, and no clock" {
    iris-fits -o a.fits --entry=1 D
    astropy <<'EOF'
from astropy.io import fits
for h in fits.open('a.fits'):
    says = list(h.header['HISTORY'])
    (row,) = [l.rstrip('\n').split('\t') for l in open('shuffled.tsv') if l[0] != '#'][1:2]
    names = [l[1:].rstrip('\n').split('\t') for l in open('shuffled.tsv') if l[0] == '#' and l[1] != '#'][0]
    row = dict(zip(names, row))
    assert 'id ' + row['id'] in says
    assert 'snapshot ' + row['snapshot'] in says
    assert f"theta {float(row['theta'])} deg" in says
    assert f"seed {row['seed']}, round {row['round']}" in says
    assert 'DATE' not in h.header
EOF
    sleep 1
    iris-fits --entry=1 D >b.fits
    cmp a.fits b.fits
    iris-fits --entry="$(awk -F'\t' '!/^#/ { print $1 }' shuffled.tsv | sed -n 2p)" -o c.fits D
    cmp a.fits c.fits
    [ $(($(stat -c %s a.fits) % 2880)) = 0 ]
    no_leftovers
}

@test "an array without anything around it is refused, with settings it is not" {
    cp "$(raw D 0 observed)" alone.npy
    run -65 --separate-stderr iris-fits -o x.fits --kind=observed alone.npy
    one_sentence iris-fits
    [[ $stderr == *"its axes are not known"* ]]
    run -65 --separate-stderr iris-fits -o x.fits --kind=observed -H hyper.json alone.npy
    one_sentence iris-fits
    [[ $stderr == *"type"* ]]
    iris-fits -o x.fits --kind=observed -H hyper.json -t simple alone.npy
    iris-fits -o y.fits "$(raw D 0 observed)"
    cmp <(tail -c +2881 x.fits) <(tail -c +2881 y.fits)
}

@test "--dry-run; a file that is full" {
    run -0 --separate-stderr iris-fits --dry-run -o x.fits D
    [[ $stderr == *"would write 2 images"*x.fits ]]
    [ ! -e x.fits ]
    run -74 --separate-stderr bash -c 'iris-fits D >/dev/full'
    one_sentence iris-fits
}
