#!/usr/bin/env bats
bats_require_minimum_version 1.5.0
load common

# Published: simple in D. Not published: simple in R, standard in S.
setup_file() {
    cd "$BATS_FILE_TMPDIR"
    tiny_hyper >hyper.json
    snapshots 2
    pipeline simple D
    iris-gen -H hyper.json -t simple -d R -o raw.tsv list.tsv
    iris-gen -H hyper.json -t standard -d S -o standard.tsv list.tsv
}

setup() {
    cp -a "$BATS_FILE_TMPDIR" "$BATS_TEST_TMPDIR/work"
    cd "$BATS_TEST_TMPDIR/work"
}

# The brightest colour of each map, and the one of what is not a number.
VIRIDIS=253,231,37 INFERNO=252,255,164 GREY=176,176,176
# The ends and the middle of the one for velocities.
BLUE=1,74,117 RED=110,55,42 WHITE=243,243,243

picture() {
    python3 "$IRIS_SOURCE/tests/helpers/picture.py" "$@"
}

# near "X Y" "X Y" TOLERANCE
near() {
    awk -v a="$1" -v b="$2" -v t="$3" 'BEGIN {
        n = split(a, p); m = split(b, q)
        for (i = 1; i <= m; i++) { d = p[i] - q[i]; if (d > t || -d > t) n = -1 }
        exit n != m }' || { echo "$1 is not $2"; return 1; }
}

# values FILE SHAPE CODE: an array whose element (i, j, k, l) python's CODE gives
values() {
    python3 -c '
import itertools, math, struct, sys
path, shape, code = sys.argv[1], eval(sys.argv[2]), compile(sys.argv[3], "code", "eval")
nan, inf = math.nan, math.inf
head = "{\x27descr\x27: \x27<f4\x27, \x27fortran_order\x27: False, \x27shape\x27: %r, }" % (shape,)
head += " " * (-(10 + len(head) + 1) % 64) + "\n"
index = itertools.product(*map(range, shape))
data = [eval(code, dict(zip("ijkl", x), nan=nan, inf=inf)) for x in index]
open(path, "wb").write(b"\x93NUMPY\x01\0" + struct.pack("<H", len(head)) + head.encode() +
    struct.pack("<%df" % len(data), *data))' "$@"
}

# planted X Y Z VX VY VZ: ./planted.hdf5 with one dense cell there, in pc and km/s
planted() {
    /usr/bin/python3 "$IRIS_SOURCE/tests/helpers/plant.py" planted.hdf5 "$@"
}

# seen SPIN THETA X Y Z VX VY VZ: what is there to an observer at 8277 pc, by plane
# geometry: distance, longitude, latitude, velocity towards him
seen() {
    awk -v spin="$1" -v theta="$2" -v x="$3" -v y="$4" -v z="$5" -v u="$6" -v v="$7" -v w="$8" 'BEGIN {
        pi = atan2(0, -1); c = cos(theta * pi / 180); s = sin(theta * pi / 180)
        ahead = 8277 - (x * c + y * s); right = -x * s + y * c
        r = sqrt(ahead ^ 2 + right ^ 2 + z ^ 2)
        print r, spin * atan2(-right, ahead) * 180 / pi, spin * atan2(z, sqrt(r * r - z * z)) * 180 / pi,
            ((u * c + v * s) * ahead - (-u * s + v * c) * right - w * z) / r }'
}

# at VALUE LO HI N: as a fraction of an axis of N pixels
at() {
    awk -v a="$1" -v lo="$2" -v hi="$3" -v n="$4" 'BEGIN { print ((a - lo) / (hi - lo) * (n - 1) + 0.5) / n }'
}

@test "help and version" {
    run -0 --separate-stderr iris-show --help
    [[ $output == "usage: iris-show "* ]]
    run -0 --separate-stderr iris-show --version
    [[ $output == "iris-show (iris) "* ]]
}

@test "every long option is in the page" {
    options_in_page iris-show
}

@test "wrong command lines" {
    array=$(find D -name '*observed.npy' | head -1)
    for words in "" "D R" "--entry" "--sheet=0 D" "--sheet=257 D" "--line=0 D" "--kind=map D" \
        "--scale=sqrt D" "--scale=map:log D" "--range=1 D" "--range=2,1 D" "--range=1,nan D" \
        "--range=1,2 D" "--range=1,2 --sheet=2 D" "--range=tensor:1,2 S" "--range=column:-1,2 D" \
        "--field=rho,mass S" "--field= S" "--field=rho, S" "--field=rho D" "--slice=lat:0 D" \
        "--slice=v:0 S" "--slice=lat S" "--slice=r: S" "--slice=lat:nan S" "--sheet=2 --field=rho S" \
        "--range=1,2 --field=rho,T S" "--field=rho snaps/snap_001.hdf5" "--slice=r:1 snaps/snap_001.hdf5" \
        "--moment=3 D" "--moment= D" "--moment=0,,1 D" "--moment=0 D" "--moment=0 S" "--moment=01 D" \
        "--moment=0 snaps/snap_001.hdf5" "--size=0 D" "--size=-1 D" "--size=nan D" "--size=9 D" "--side D" "--side $array" \
        "--sheet=2 snaps/snap_001.hdf5" "--entry=0 snaps/snap_001.hdf5" \
        "--range=snapshot:-1,2 snaps/snap_001.hdf5" \
        "--width=100 D" "--width=9999 D" "--width=300 --sheet=2 D" "-t map D" "--new D" \
        "--entry=0 $array" "--sheet=2 $array"; do
        run -64 --separate-stderr iris-show -o x.png $words
        one_sentence iris-show
        [ ! -e x.png ]
    done
    # a terminal gets no picture
    run -64 script -qec "iris-show D" /dev/null
    [[ $output == *"-o"* ]]
}

@test "missing and wrong files" {
    array=$(find D -name '*observed.npy' | head -1)
    run -74 --separate-stderr iris-show -o x.png missing
    one_sentence iris-show
    [[ $stderr == *"'missing'"* ]]
    run -74 --separate-stderr iris-show -o x.png missing.npy
    run -74 --separate-stderr iris-show -o x.png -H missing.json "$array"
    [[ $stderr == *"'missing.json'"* ]]
    run -74 --separate-stderr iris-show -o no/x.png "$array"
    one_sentence iris-show
    run -65 --separate-stderr iris-show -o x.png hyper.json
    [[ $stderr == *"'hyper.json'"* ]]
    run -65 --separate-stderr iris-show -o x.png -H raw.tsv "$array"
    [[ $stderr == *"raw.tsv"* ]]
    mkdir empty
    for data in empty snaps; do
        run -65 --separate-stderr iris-show -o x.png $data
        one_sentence iris-show
        [[ $stderr == *"'$data'"* ]]
    done
    for entry in 6 -1 01234567.snap_001.p000; do
        run -65 --separate-stderr iris-show -o x.png --entry=$entry D
        [[ $stderr == *"'$entry'"* ]]
    done
    run -65 --separate-stderr iris-show -o x.png --line=2 D
    [[ $stderr == *"has 1 lines"* ]]
    echo '{"cardinality": 1, "index": ["../x.npy"]}' >D/attributes.json
    run -65 --separate-stderr iris-show -o x.png D
    [[ $stderr == *"D/attributes.json"* ]]
    rm "$array" D/attributes.json
    [ ! -e x.png ]
    no_leftovers
}

@test "wrong shapes" {
    for shape in "(4,)" "(3, 4)" "(6, 2, 2, 2, 2)" "(2, 2, 2, 2, 2)"; do
        values a.npy "$shape" 1
        run -65 --separate-stderr iris-show -o x.png a.npy
        one_sentence iris-show
        [[ $stderr == *"'a.npy'"*"$shape"* ]]
    done
    for shape in "(1, 0, 5)" "(1, 5, 0)" "(0, 5, 5)" "(6, 0, 2, 2)" "(6, 2, 2, 0)"; do
        values a.npy "$shape" 1
        run -65 --separate-stderr iris-show -o x.png a.npy
        [[ $stderr == *"'a.npy'"* ]]
    done
    values a.npy "(2, 3, 4)" 1
    run -65 --separate-stderr iris-show -o x.png --kind=column a.npy
    run -65 --separate-stderr iris-show -o x.png --kind=tensor a.npy
    values a.npy "(1, 16, 13)" 1
    run -65 --separate-stderr iris-show -o x.png -H hyper.json a.npy
    [[ $stderr == *"(1, 16, 13)"*"(1, 16, 12)"* ]]
    array=$(find D -name '*columnized.npy' -path '*iris-*' | sort | head -1)
    new_array "$array" "(1, 12, 16)" 1 2 3
    run -65 --separate-stderr iris-show -o x.png "$array"
    truncate -s -4 "$array"
    run -65 --separate-stderr iris-show -o x.png "$array"
    [[ $stderr == *"columnized.npy"* ]]
    [ ! -e x.png ]
}

@test "an entry of a published data set" {
    run -0 --separate-stderr iris-show -o a.png D
    [ -z "$output$stderr" ]
    [ "$(picture a.png size)" = "1120 599 2" ]
    [ "$(stat -c %s a.png)" -lt 200000 ]
    # the same bytes again, on standard output, from elsewhere
    iris-show D | cmp - a.png
    iris-show -o - D/ | cmp - a.png
    (cd snaps && iris-show "$OLDPWD/D") | cmp - a.png
    cp -a D E
    rm -rf E/.iris E/entries/*/raw
    iris-show E | cmp - a.png
    # every entry is another one, by number and by id
    for i in 0 1 2 3 4 5; do
        iris-show -o $i.png --entry=$i D
        id=$(column id D/iris-manifest.tsv | sed -n "$((i + 1))p")
        iris-show --entry="$id" D | cmp - $i.png
    done
    cmp 0.png a.png
    [ "$(sha256sum ?.png | cut -d' ' -f1 | sort -u | wc -l)" = 6 ]
    no_leftovers
}

@test "raw arrays, arrays in IRIS units, published or not: one picture" {
    id=$(column id D/iris-manifest.tsv | sed -n 1p)
    iris-show --entry="$id" -v -o d.png D 2>d
    iris-show --entry="$id" -v -o r.png R 2>r
    [ "$(grep -c '^iris-show: ' d)" = 2 ]
    grep -q 'density.*\[g cm⁻³\]' d && grep -q 'mass.*\[M☉ pc⁻² (km/s)⁻¹\]' d
    # single precision: their sixth digit may be another
    paste <(sed 's/.*: from //' d) <(sed 's/.*: from //' r) |
        awk '{ a += ($1 - $4) ^ 2 > 1e-9 * $1 ^ 2 || ($3 - $6) ^ 2 > 1e-9 * $3 ^ 2 } END { exit a != 0 || NR != 2 }'
    # units.json and settings.json suffice; so does hyper.json
    path=$(column column D/iris-manifest.tsv | sed -n 1p)
    iris-show -v -o x.png "D/$path" 2>x
    cmp x <(head -1 d)
    mv D/attributes.json . # now its hyper.json may be of anything
    echo "{}" >D/hyper.json
    iris-show -v -o x.png "D/$path" 2>y
    cmp x y
    mv attributes.json D
    cp -a "$BATS_FILE_TMPDIR/D/hyper.json" D
    rm D/entries/*/settings.json D/entries/*/iris-*/units.json
    iris-show -v -o x.png "D/$path" 2>y
    cmp x y
}

@test "a data set that is not published: its complete points" {
    first=$(column id raw.tsv | sed -n 1p) second=$(column id raw.tsv | sed -n 2p)
    iris-show -o a.png R
    iris-show --entry="$first" R | cmp - a.png
    iris-show -o b.png --entry=1 R
    rm "R/$(column observed raw.tsv | sed -n 1p)" # half of the first
    iris-show R | cmp - b.png
    iris-show --entry="$second" R | cmp - b.png
    run -65 --separate-stderr iris-show -o x.png --entry="$first" R
    one_sentence iris-show
}

@test "a column map: place, direction, units" {
    iris-hyper --preset=hyper.json -s coordinate_hyper.r_steps=20 -s coordinate_hyper.r_crop_min_index=2 \
        -s coordinate_hyper.r_crop_max_index=18 -o crop.json
    # bright at r index 3 of 16, longitude index 2 of 12, that is on the left
    values a.npy "(1, 16, 12)" "3e3 if (j, k) == (3, 2) else 1 + (j * k) % 7"
    for settings in "" "-H crop.json"; do
        iris-show -v -o a.png $settings a.npy 2>note
        [ "$(picture a.png size)" = "560 599 1" ]
        near "$(picture a.png spot 0 $VIRIDIS)" "$(awk 'BEGIN { print 1 - 2.5 / 12, 3.5 / 16 }')" 0.004
    done
    # processing units are 1e-21 g cm^-3
    grep -q 'g cm⁻³.*: from 1e-21 to 3e-18$' note
    iris-hyper --preset=crop.json -s writer_hyper.mass_g_per_processing=4.0 -o four.json
    iris-show -v -o b.png -H four.json a.npy 2>&1 | grep -q ': from 4e-21 to 1.2e-17$'
    # an array in IRIS units, by the factor of the settings
    iris-hyper --preset=crop.json -s dataset_hyper._density_iris_per_processing=5.0 -o iris.json
    iris-show -v -o b.png -H iris.json a.npy 2>&1 | grep -q ': from 2e-22 to 6e-19$'
    mkdir -p raw/x && cp a.npy raw/x
    iris-show -v -o b.png -H iris.json raw/x/a.npy 2>&1 | grep -q ': from 1e-21 to 3e-18$'
    # where nothing is known
    iris-show -v -o b.png a.npy 2>&1 | grep -q 'unit of the file\]: from 1 to 3000$'
}

@test "a longitude-velocity diagram: place, direction, units" {
    # bright at longitude index 1 of 12, channel 17 of 20, in the second line
    values a.npy "(2, 12, 20)" "100 if (i, j, k) == (1, 1, 17) else 0.1 * ((j + k) % 3)"
    iris-show -o a.png a.npy
    [ "$(picture a.png size)" = "1120 599 2" ]
    spot=$(awk 'BEGIN { print 1 - 1.5 / 12, 17.5 / 20 }')
    near "$(picture a.png spot 1 $INFERNO)" "$spot" 0.004
    [ "$(picture a.png size)" = "1120 599 2" ]
    iris-show --line=2 -o b.png a.npy
    [ "$(picture b.png size)" = "560 599 1" ]
    near "$(picture b.png spot 0 $INFERNO)" "$spot" 0.004
    # one line looks like a column map, but for its name or its settings
    values one.npy "(1, 12, 20)" "100 if (j, k) == (1, 17) else 0.1 * ((j + k) % 3)"
    iris-show -o c.png -H hyper.json -t simple one.npy
    near "$(picture c.png spot 0 $INFERNO)" "$spot" 0.004
    cp one.npy observed.npy
    iris-show -v -o c.png -H hyper.json -t simple --scale=linear --range=0,4e-13 observed.npy 2>note
    grep -q 'mass per area.*☉.*: from 0 to 4e-13$' note
    values k.npy "(1, 12, 20)" "3"
    # 1 is 1e-18 kg m^-2 (m/s)^-1, here 4.788e-13 Msun pc^-2 (km/s)^-1; a constant has half of it around
    iris-show -v -o c.png -H hyper.json -t simple --scale=linear k.npy 2>&1 |
        grep -q ': from 7.1826[0-9]*e-13 to 2.1548[0-9]*e-12$'
    iris-show -v -o c.png -H hyper.json -t synthetic --scale=linear k.npy 2>&1 |
        grep -q 'brightness temperature \[K\]: from 1.5 to 4.5$'
    iris-hyper --preset=hyper.json -s writer_hyper.temperature_K_per_processing=2.0 \
        -s dataset_hyper._density_iris_per_processing=1.0 \
        -s dataset_hyper._temperature_iris_per_processing=8.0 -o iris.json
    iris-show -v -o c.png -H iris.json --scale=linear k.npy 2>&1 |
        grep -q 'brightness temperature \[K\]: from 0.375 to 1.125$'
}

@test "many lines" {
    values a.npy "(5, 12, 20)" "100 if k == 2 + 4 * i else k"
    iris-show -o a.png a.npy
    read -r width height panels <<<"$(picture a.png size)"
    [ "$width $panels" = "1680 5" ]
    for i in 0 1 2 3; do
        near "$(picture a.png spot $i $INFERNO)" "$(awk -v i=$i 'BEGIN { print 0.5, (2.5 + 4 * i) / 20 }')" 0.004
    done
}

@test "a tensor: density and temperature in the middle of the latitudes" {
    # latitude index 3 of 6; the others are brighter elsewhere
    values a.npy "(6, 16, 12, 6)" "1e6 if l != 3 else 500 if (i, j, k) in ((1, 3, 2), (2, 10, 11)) else inf if i == 2 and k == 0 else 1 + (j + k) % 5"
    iris-show -v -o a.png -H hyper.json a.npy 2>note
    [ "$(picture a.png size)" = "1120 599 2" ]
    near "$(picture a.png spot 0 $VIRIDIS)" "$(awk 'BEGIN { print 1 - 2.5 / 12, 3.5 / 16 }')" 0.004
    grep -q 'gas density at latitude 0.075° \[g cm⁻³\]: from 1e-21 to 5e-19$' note
    grep -q 'gas temperature at latitude 0.075° \[K\]: from 1 to 500$' note
    # +infinity is beyond the brightest: the column on the right border of 12
    near "$(picture a.png count 1 $INFERNO)" "$(awk 'BEGIN { print 1 / 12 + 1 / 192 }')" 0.004
    iris-show -o b.png S
    [ "$(picture b.png size)" = "1120 599 2" ]
}

@test "a tensor: fields and slices" {
    # dense at r index 3 of 16, longitude index 2 of 12, latitude index 4 of 6
    values a.npy "(6, 16, 12, 6)" "500 + 10 * i if (j, k, l) == (3, 2, 4) else 1 + (j + k + l) % 5"
    x=$(at 2 0 11 12) y=$(at 4 0 5 6) z=$(at 3 0 15 16) left=$(awk 'BEGIN { print 1 - 2.5 / 12 }')
    for settings in "" "-H hyper.json"; do
        lat=4 lon=2 r=3
        [ -z "$settings" ] || { lat=0.2 lon=-0.9 r=8142; } # in the pixel, not in its middle
        for field in rho T x_H2 x_CO T_dust; do
            [[ $field == T* ]] && colour=$INFERNO || colour=$VIRIDIS
            iris-show $settings --field=$field --slice=lat:$lat -o a.png a.npy
            [ "$(picture a.png size)" = "560 599 1" ]
            near "$(picture a.png spot 0 $colour)" "$left $z" 0.004
            iris-show $settings --field=$field --slice=lon:$lon -o b.png a.npy
            near "$(picture b.png spot 0 $colour)" "$z $y" 0.004
            iris-show $settings --field=$field --slice=r:$r -o c.png a.npy
            near "$(picture c.png spot 0 $colour)" "$left $y" 0.004
        done
        iris-show $settings --field=v_r --slice=lat:$lat -o a.png a.npy
        near "$(picture a.png spot 0 $BLUE)" "$left $z" 0.004
    done
    # in the order they are asked for, each once
    iris-show -v -H hyper.json --field=T,v_r --field=rho,T -o a.png a.npy 2>note
    [ "$(sed 's/^iris-show: \(.*\) at .*/\1/' note | paste -sd,)" = \
        "gas temperature,velocity towards the observer,gas density" ]
    [ "$(picture a.png size)" = "1680 599 3" ]
    iris-show -H hyper.json --field=v_r,rho,T,x_H2,x_CO,T_dust -o a.png a.npy
    [ "$(picture a.png size)" = "1680 1165 6" ]
    # units, and the range of one of them
    iris-show -v -H hyper.json --field=v_r,rho,x_CO --range=rho:1e-21,2e-21 --slice=r:8142 -o a.png a.npy 2>note
    grep -q 'velocity towards the observer at distance 8142 pc \[km/s\]: from -50000 to 50000$' note
    grep -q 'gas density .*\[g cm⁻³\]: from 1e-21 to 2e-21$' note
    grep -q 'CO abundance at distance 8142 pc: from 1 to 540$' note
    iris-show -v -H hyper.json --field=v_r --range=0,2 -o a.png a.npy 2>&1 | grep -q 'from 0 to 2$'
    for slice in lat:0.5 lon:-2 r:9000; do
        run -65 --separate-stderr iris-show -H hyper.json --slice=$slice -o x.png a.npy
        one_sentence iris-show
        [[ $stderr == *"so there is no slice at ${slice#*:}" ]]
    done
    iris-show --sheet=2 --field=v_r,T_dust -o d.png S
    [[ $(picture d.png size) == "1120 "*" 4" ]]
}

@test "a cube: place, direction, units" {
    # at longitude index 2 of 12, latitude index 4 of 6 as much in channel 12 as in 14, in the
    # second line; a fortieth of that at index 9, 1, and much less at 5, 5
    values a.npy "(2, 12, 6, 20)" "0 if i == 0 or l not in (12, 14) else {(2, 4): 40, (9, 1): 1, (5, 5): 0.3}.get((j, k), 0)"
    spot="$(awk 'BEGIN { print 1 - 2.5 / 12 }') $(at 4 0 5 6)"
    other="$(awk 'BEGIN { print 1 - 9.5 / 12 }') $(at 1 0 5 6)"
    for settings in "" "-H hyper.json"; do
        iris-show -v $settings --line=2 --moment=0,1,2 -o a.png a.npy 2>note
        [ "$(picture a.png size)" = "1680 599 3" ]
        near "$(picture a.png spot 0 $INFERNO)" "$spot" 0.004
        # the mask: two pixels of 72 are left
        near "$(picture a.png count 1 $GREY)" "$(awk 'BEGIN { print 70 / 72 }')" 0.002
        near "$(picture a.png count 2 $GREY)" "$(awk 'BEGIN { print 70 / 72 }')" 0.002
        if [ -z "$settings" ]; then
            grep -q 'line 2: integrated intensity \[unit of the file\]: from 0 to 80$' note
            grep -q 'line 2: mean channel \[channels\]: from 6.5 to 19.5$' note
            grep -q 'line 2: dispersion \[channels\]: from 0.5 to 1.5$' note
        else # 19 channels are 400 km/s
            grep -q 'line 2: integrated intensity \[K km/s\]: from 0 to 1684.21$' note
            grep -q 'line 2: mean velocity towards the observer \[km/s\]: from -110.526 to 110.526$' note
            grep -q 'line 2: velocity dispersion \[km/s\]: from 10.5263 to 31.5789$' note
        fi
    done
    iris-show -H hyper.json --line=2 --moment=1 --range=-50,50 -o b.png a.npy
    near "$(picture b.png count 0 $BLUE)" "$(awk 'BEGIN { print 2 / 72 }')" 0.002
    # two moments of each line; nothing is in the first one, and that is said
    run -0 --separate-stderr iris-show -o c.png a.npy
    [ "$(grep -c 'has no value to show' <<<"$stderr")" = 1 ]
    [ "$(picture c.png size)" = "1120 1165 4" ]
    near "$(picture c.png spot 2 $INFERNO)" "$spot" 0.004
    # six lines look like a tensor
    values six.npy "(6, 12, 6, 20)" "1 if (i, j, k) == (5, 2, 4) else 0"
    iris-show -H hyper.json --kind=cube --moment=0 --line=6 -o d.png six.npy
    near "$(picture d.png spot 0 $INFERNO)" "$spot" 0.004
    iris-show --range=moment0:0,1 --scale=moment0:linear --kind=cube --moment=0 --line=6 -v -o d.png six.npy 2>&1 |
        grep -q 'from 0 to 1$'
}

@test "a cube of FITS: axes and units of the header" {
    mkcube a.fits
    mkcube a.npy
    iris-show -v --moment=0 -o a.png a.fits 2>note
    [ "$(picture a.png size)" = "1120 599 2" ]
    [ "$(sed -n 's/.*: from .* to //p' note | paste -sd' ')" = "41690 84040" ]
    grep -q 'integrated intensity \[K km/s\]' note
    # the last pixel is the brightest: on the left at the top
    near "$(picture a.png spot 1 $INFERNO)" "$(awk 'BEGIN { print 0.5 / 7, 4.5 / 5 }')" 0.004
    iris-show --moment=0 -o b.png a.npy
    near "$(picture b.png spot 1 $INFERNO)" "$(awk 'BEGIN { print 0.5 / 7, 4.5 / 5 }')" 0.004
    refuses() {
        run -"$1" --separate-stderr iris-show -o x.png "${@:3}"
        one_sentence iris-show
        [[ $stderr == *"$2"* ]] || { echo "no '$2' in: $stderr"; return 1; }
        [ ! -e x.png ]
    }
    refuses 64 "-H" -H hyper.json a.fits
    refuses 64 "--sheet" --sheet=2 a.fits
    refuses 64 "moment0" --range=0,1 a.fits
    refuses 65 "has 2 lines" --line=3 a.fits
    refuses 65 "settings give (lines, 12, 6, 20)" -H hyper.json a.npy
    values flat.npy "(3, 4, 5)" 1
    refuses 65 "flat.npy" --kind=cube flat.npy
    head -c 4000 a.fits >b.fits
    refuses 65 "b.fits" b.fits
    refuses 64 "is a cube" --kind=column a.fits
}

# header KEY VALUE [KEY VALUE]...: b.fits is a.fits with these in the header of its first
# image, whatever its data are
header() {
    perl -e '
        my %change = @ARGV;
        local $/;
        open my $in, "<:raw", "a.fits" or die;
        my $file = <$in>;
        for my $key (keys %change) {
            my $card = sprintf "%-80s", sprintf "%-8s= %20s", $key, $change{$key};
            my $old = sprintf "%-8s=", $key;
            my $at = index $file, $old;
            die $key if $at < 0 || $at % 80;
            substr($file, $at, 80) = $card;
        }
        open my $out, ">:raw", "b.fits" or die;
        print $out $file;' "$@"
}

@test "a cube of FITS: what its header may say" {
    mkcube a.fits
    refuses() {
        run -65 --separate-stderr timeout 60 iris-show -o x.png b.fits
        one_sentence iris-show
        [[ $stderr == *"$1"* ]] || { echo "no '$1' in: $stderr"; return 1; }
        [ ! -e x.png ]
    }
    # sizes that cannot be, or are not
    header NAXIS1 2305843009213693953
    refuses "too large"
    header NAXIS1 2305843009213693952 NAXIS2 8
    refuses "too large"
    header NAXIS3 400000000
    refuses "cut short"
    header NAXIS1 -7
    refuses "b.fits"
    # units: of velocity, or none that is known
    iris-show -v --moment=1 --line=1 -o a.png a.fits 2>a
    header CUNIT3 "'km/s'" CRVAL3 -0.2 CDELT3 0.1
    refuses "not the same axes"
    for unit in "'m s-1'" "'m/s'"; do
        header CUNIT3 "$unit"
        iris-show -v --moment=1 --line=1 -o b.png b.fits 2>b
        cmp a b
    done
    header CUNIT3 "'Hz'"
    refuses "axis 3 is 'VRAD' in 'Hz', not a velocity in m/s or km/s"
    header CTYPE3 "'FREQ'"
    refuses "axis 3 is 'FREQ'"
    header CUNIT1 "'arcsec'"
    refuses "axis 1 is 'GLON-CAR' in 'arcsec', not an angle in deg"
}

@test "--kind chooses the array of an entry" {
    iris-show --kind=column --entry=1 -o a.png D
    [ "$(picture a.png size | cut -d' ' -f1)" = 560 ]
    iris-show -o b.png -t simple "D/$(column column D/iris-manifest.tsv | sed -n 2p)"
    near "$(picture a.png spot 0 $VIRIDIS)" "$(picture b.png spot 0 $VIRIDIS)" 0.001
    run -65 --separate-stderr iris-show --kind=tensor -o x.png D
    one_sentence iris-show
    run -64 --separate-stderr iris-show --kind=column --sheet=2 -o x.png D
    one_sentence iris-show
    [ ! -e x.png ]
}

@test "velocities: blue comes nearer, red recedes, 0 is white" {
    values a.npy "(6, 16, 12, 6)" "{1: 80, 9: -80}.get(j, 0) if k == 2 else 5e-4"
    iris-show -v --field=v_r -o a.png a.npy 2>&1 | grep -q ': from -80 to 80$'
    left=$(awk 'BEGIN { print 1 - 2.5 / 12 }')
    near "$(picture a.png spot 0 $BLUE)" "$left $(at 1 0 15 16)" 0.004
    near "$(picture a.png spot 0 $RED)" "$left $(at 9 0 15 16)" 0.004
    near "$(picture a.png count 0 $WHITE)" "$(awk 'BEGIN { print 1 - 2 / 192 }')" 0.004
}

@test "one thing in a snapshot is where it is in every picture" {
    planted 60 -100 20 90 40 0
    iris-list planted.hdf5 -o list.tsv
    for observer in "1 0" "-1 0" "1 90" "-1 200"; do
        read -r spin theta <<<"$observer"
        iris-hyper --preset=SEDIGISM_13C16O -s coordinate_hyper.spin_orientation=$spin \
            -s coordinate_hyper.theta_zero=$theta.0 -s writer_hyper.points_per_snapshot=1 \
            -s coordinate_hyper.r_steps=46 -s coordinate_hyper.r_crop_max_index=46 \
            -s coordinate_hyper.lon_steps=61 -s coordinate_hyper.lat_steps=13 -s observer_hyper.lat_pieces=1 \
            -s cube_hyper.v_steps=41 -s dataset_hyper.CMZ_scale_range=null -s dataset_hyper.CMZ_skew_range=null \
            -s dataset_hyper.CMZ_density_range=null -s observer_hyper.blur_inputs=false -s dataset_hyper.CMZ_scale_factor=1.0 -o p.json
        rm -rf P Q
        iris-gen -q -H p.json -t standard -d P -o p.tsv list.tsv
        iris-gen -q -H p.json -t simple -d Q -o q.tsv list.tsv
        read -r r lon lat v <<<"$(seen $spin $theta 60 -100 20 90 40 0)"
        x=$(at "$lon" 1.5 -1.5 61) y=$(at "$r" 8052 8502 46) z=$(at "$lat" -0.375 0.375 13)
        iris-show -o a.png Q
        near "$(picture a.png spot 0 $VIRIDIS)" "$x $y" 0.025
        near "$(picture a.png spot 1 $INFERNO)" "$x $(at "$v" -200 200 41)" 0.025
        [[ $v == -* ]] && colour=$RED || colour=$BLUE
        for slice in "lat:$lat $x $y" "lon:$lon $y $z" "r:$r $x $z"; do
            read -r plane a b <<<"$slice"
            iris-show --field=rho,v_r,T --slice="$plane" -o b.png P
            near "$(picture b.png spot 0 $VIRIDIS)" "$a $b" 0.05
            near "$(picture b.png spot 1 $colour)" "$a $b" 0.05
            near "$(picture b.png spot 2 $INFERNO)" "$a $b" 0.05
        done
        iris-observe -q -H p.json -t simple --cube=c.npy P/entries/*/raw/*/p000.tensor.npy
        iris-observe -q -H p.json -t simple --cube=c.fits P/entries/*/raw/*/p000.tensor.npy
        for cube in "-H p.json -t simple c.npy" c.fits; do
            iris-show --range=moment1:-30,30 -o c.png $cube
            near "$(picture c.png spot 0 $INFERNO)" "$x $z" 0.05
            near "$(picture c.png spot 1 $colour)" "$x $z" 0.05
        done
    done
}

@test "more pixels than the picture: means of equal parts" {
    values a.npy "(1, 8, 1000)" "4 if k < 500 and k % 2 else 2 if k >= 500 else 0"
    iris-show -o a.png --scale=linear --range=0,2 a.npy # every pixel is 2, or next to it
    near "$(picture a.png count 0 68,1,84)" 0 0.001
    values a.npy "(1, 2, 2000)" "9 if k >= 1500 else nan if k % 2 else 1"
    iris-show -o a.png --scale=linear --range=0,9 a.npy
    near "$(picture a.png spot 0 $VIRIDIS)" "0.125 0.5" 0.004
    near "$(picture a.png count 0 $GREY)" 0 0.001 # some values are enough
}

@test "memory does not grow with the array" {
    # 1.6 GB, nothing of it on disk
    perl -e 'my $h = "{\x27descr\x27: \x27<f4\x27, \x27fortran_order\x27: False, \x27shape\x27: (6, 8, 2048, 4096), }";
        $h .= " " x (-(11 + length $h) % 64) . "\n";
        print "\x93NUMPY\x01\0", pack("v", length $h), $h' >t.npy
    truncate -s $((128 + 6 * 8 * 2048 * 4096 * 4)) t.npy 2>/dev/null || skip "no sparse files"
    iris-show -q -o t.png t.npy &
    pid=$!
    peak=0
    while kill -0 $pid 2>/dev/null; do
        now=$(awk '/VmHWM/ { print $2 }' /proc/$pid/status 2>/dev/null || true)
        [ "${now:-0}" -le $peak ] || peak=$now
        sleep 0.05
    done
    wait $pid
    [ "$peak" -gt 0 ] && [ "$peak" -lt 150000 ] || { echo "$peak kB"; return 1; }
}

@test "nothing to show is said" {
    values a.npy "(1, 16, 12)" nan
    run -0 --separate-stderr iris-show -o a.png -H hyper.json a.npy
    [[ $stderr == "iris-show: warning: 'a.npy' has no value to show"* ]]
    near "$(picture a.png count 0 $GREY)" 1 0.02 # but for the words
    run -0 --separate-stderr iris-show -q -o a.png a.npy
    [ -z "$stderr" ]
    values a.npy "(1, 16, 12)" 0
    run -0 --separate-stderr iris-show -o a.png a.npy # a logarithm of nothing
    [[ $stderr == *"above 0"* ]]
    run -0 --separate-stderr iris-show -o a.png --scale=linear a.npy
    [ -z "$stderr" ]
    values a.npy "(1, 4, 4)" "nan if j < 2 else k + 1"
    iris-show -o a.png a.npy
    near "$(picture a.png count 0 $GREY)" 0.5 0.01
    near "$(picture a.png spot 0 $GREY)" "0.5 0.25" 0.01
}

@test "scales, ranges, widths" {
    for scale in linear log asinh; do
        iris-show --scale=$scale -o $scale.png D
    done
    [ "$(sha256sum linear.png log.png asinh.png | cut -d' ' -f1 | sort -u | wc -l)" = 3 ]
    iris-show -o a.png D
    iris-show --scale=column:log --scale=observed:asinh D | cmp - a.png
    iris-show -v --range=column:1e-24,1e-22 --range=observed:0,5 -o b.png D 2>note
    grep -q 'from 1e-24 to 1e-22$' note
    grep -q 'from 0 to 5$' note
    iris-show --width=2400 -o wide.png D
    read -r width height panels <<<"$(picture wide.png size)"
    [ "$width $panels" = "2400 2" ]
    iris-show --width=600 -o narrow.png D
    [ "$(picture narrow.png size)" = "600 339 2" ]
}

@test "ticks of a range that is next to nothing" {
    timeout 60 iris-show --range=column:1,1.0000000000000002 -o a.png D
    timeout 60 iris-show --scale=column:asinh --range=column:1e-30,1.0000000000000002e-30 -o b.png D
    run -64 --separate-stderr iris-show --range=column:5e-324,1e-323 -o b.png D
    one_sentence iris-show
}

@test "a picture never takes the place of what it shows" {
    refuses() {
        run -64 --separate-stderr iris-show "$@"
        one_sentence iris-show
    }
    cp -a D before
    f=$(cd D && find . -name '*.columnized.npy' | head -1)
    refuses -t simple -o "D/$f" "D/$f"
    refuses -o D/hyper.json D
    refuses -o D/new.png D
    refuses -H D/hyper.json -o D/hyper.json "D/$f"
    diff -r before D
}

@test "a container: the bytes of the data set" {
    iris-pack -o D.h5 D
    for words in "" "--entry=4" "--sheet=6" "--sheet=2 --entry=3" "--scale=linear --width=1300"; do
        iris-show $words -o a.png D
        iris-show $words D.h5 | cmp - a.png
    done
    id=$(column id D/iris-manifest.tsv | sed -n 3p)
    iris-show -v --entry="$id" -o a.png D 2>a
    iris-show -v --entry="$id" -o b.png D.h5 2>b
    cmp a.png b.png
    cmp a b
    # other settings than its own
    iris-hyper --preset=hyper.json -s coordinate_hyper.r_min=8000.0 -o other.json
    iris-show -H other.json -o a.png D.h5
    iris-show -H other.json --entry=0 D | cmp - a.png
    run -1 cmp -s a.png b.png
    # tensors are read row by row
    pipeline standard T
    iris-pack -o T.h5 T
    iris-show -o a.png T
    iris-show T.h5 | cmp - a.png
    iris-show --sheet=2 -o a.png T
    iris-show --sheet=2 T.h5 | cmp - a.png
}

@test "wrong containers" {
    iris-pack -o D.h5 D
    refuses() {
        run -"$1" --separate-stderr iris-show "${@:3}"
        one_sentence iris-show
        [[ $stderr == *"$2"* ]] || { echo "no '$2' in: $stderr"; return 1; }
    }
    refuses 64 "--side" -o x.png --side D.h5
    refuses 64 "D.h5" -o D.h5 D.h5
    refuses 65 "entry '6'" -o x.png --entry=6 D.h5
    cp D.h5 a.h5
    h5edit a.h5 iattr / complete 0
    refuses 65 "'a.h5' is not complete" -o x.png a.h5
    cp D.h5 a.h5
    h5edit a.h5 delete observed
    refuses 65 "'a.h5' has no dataset 'observed'" -o x.png a.h5
    h5edit a.h5 delete manifest
    refuses 65 "'a.h5' has no dataset 'manifest'" -o x.png a.h5
    head -c 20000 D.h5 >a.h5
    refuses 65 "a.h5" -o x.png a.h5
    [ ! -e x.png ]
}

@test "a snapshot: place, direction, units" {
    # 1e4 solar masses on a square of 20 pc, and what is in front and behind
    planted 100 -60 40 0 0 0
    iris-show -v --size=200 --side -o a.png planted.hdf5 2>note
    [ "$(picture a.png size)" = "1120 599 2" ]
    near "$(picture a.png spot 0 $VIRIDIS)" "$(awk 'BEGIN { print 0.5 + 100 / 400, 0.5 - 60 / 400 }')" 0.004
    near "$(picture a.png spot 1 $VIRIDIS)" "$(awk 'BEGIN { print 0.5 + 100 / 400, 0.5 + 40 / 400 }')" 0.004
    near "$(picture a.png count 0 $VIRIDIS)" "$(awk 'BEGIN { print (20 / 400) ^ 2 }')" 3e-4
    iris-show -v --size=200 --scale=snapshot:linear --range=snapshot:0,24 -o b.png planted.hdf5 2>note
    [[ $(cat note) == *"12299 cells"*"gas column density, from above [M☉ pc⁻²]: from 0 to 24" ]]
    # 10 layers of 10 solar masses are 0.25 by pc^2, the dense cell is 25 more
    near "$(picture b.png count 0 $VIRIDIS)" "$(awk 'BEGIN { print (20 / 400) ^ 2 }')" 3e-4
    iris-show --size=200 --scale=linear --range=0,26 -o b.png planted.hdf5
    near "$(picture b.png count 0 $VIRIDIS)" 0 1e-4
    # about another centre, given in code units
    iris-hyper --preset=hyper.json -s 'suite_hyper.centre=[12100.0, 11940.0, 12040.0]' -o centre.json
    iris-show --size=200 -H centre.json -o c.png planted.hdf5
    near "$(picture c.png spot 0 $VIRIDIS)" "0.5 0.5" 0.004
    iris-hyper --preset=hyper.json -s 'suite_hyper.centre="densest"' -o densest.json
    iris-show --size=200 -H densest.json planted.hdf5 | cmp - c.png
}

@test "a snapshot: how much of it, and where the Sun is" {
    planted 100 -60 40 0 0 0
    iris-show -v -H hyper.json -o a.png planted.hdf5 # 1.1 times 225 pc
    near "$(picture a.png spot 0 $VIRIDIS)" "$(awk 'BEGIN { print 0.5 + 50 / 247.5, 0.5 - 30 / 247.5 }')" 0.004
    iris-show -o b.png --range=0.1,20 planted.hdf5 # 99 % of the mass are in the lattice of 300 pc, and round is 400
    near "$(picture b.png spot 0 $VIRIDIS)" "$(awk 'BEGIN { print 0.5 + 50 / 400, 0.5 - 30 / 400 }')" 0.006
    # from above the Sun is counter-clockwise from +x: at 60 degrees up on the right
    iris-hyper --preset=hyper.json -s coordinate_hyper.theta_zero=60.0 -o turned.json
    iris-show --size=9000 -H turned.json -o c.png planted.hdf5
    iris-show --size=9000 -o d.png planted.hdf5
    spot=$(picture c.png spot 0 255,255,255)
    near "$spot" "$(awk 'BEGIN { print 0.5 + 8277 / 36000, 0.5 + 8277 * sqrt(3) / 36000 }')" 0.004
    [ -z "$(picture d.png spot 0 255,255,255)" ]
    iris-show --size=4000 -H turned.json -o e.png planted.hdf5 # out of view
    [ -z "$(picture e.png spot 0 255,255,255)" ]
}

@test "a snapshot of several files, and wrong ones" {
    iris-mock -o snaps/snapdir_009 --cells=2000 --seed=1 --files=3
    iris-show -v --side -o a.png snaps/snapdir_009/*.0.hdf5 2>note
    grep -q ': 2000 cells' note
    iris-show --side -o b.png snaps/snapdir_009/*.1.hdf5
    [ "$(picture a.png size)" = "1120 599 2" ]
    run -0 --separate-stderr iris-show --dry-run -o x.png snaps/snap_001.hdf5
    [[ $stderr == *"would draw 'snap_001.hdf5', 560 x 599 pixels"* ]]
    refuses() {
        run -65 --separate-stderr iris-show -o x.png "$1"
        one_sentence iris-show
        [[ $stderr == *"$2"* ]] || { echo "no '$2' in: $stderr"; return 1; }
        [ ! -e x.png ]
    }
    rm snaps/snapdir_009/*.2.hdf5
    run -74 --separate-stderr iris-show -o x.png snaps/snapdir_009/*.0.hdf5
    one_sentence iris-show
    cp snaps/snap_001.hdf5 a.hdf5
    h5edit a.hdf5 set PartType0/Masses 7 -1
    refuses a.hdf5 "cell 7 has the mass -1"
    h5edit a.hdf5 delete PartType0/Masses
    refuses a.hdf5 "no dataset 'PartType0/Masses'"
    h5edit a.hdf5 delete Header
    refuses a.hdf5 "Header"
    head -c 3000 snaps/snap_001.hdf5 >b.hdf5
    refuses b.hdf5 "b.hdf5"
}

@test "a sheet of entries" {
    iris-show --sheet=6 -o a.png D
    read -r width height panels <<<"$(picture a.png size)"
    [ "$width $panels" = "1120 12" ]
    iris-show --sheet=100 D | cmp - a.png # as many as there are
    iris-show --sheet=2 --entry=3 -o b.png D
    [[ $(picture b.png size) == "1120 "*" 4" ]]
    iris-show --sheet=4 -o c.png S
    [[ $(picture c.png size) == "1120 "*" 8" ]]
    run -65 --separate-stderr iris-show -o x.png --sheet=3 --entry=6 D
}

@test "a dry run, a full disk" {
    run -0 --separate-stderr iris-show --dry-run -o x.png D
    one_sentence iris-show
    [[ $stderr == *"would draw '$(column id D/iris-manifest.tsv | head -1)', 1120 x 599 pixels, to x.png" ]]
    [ ! -e x.png ]
    run -74 --separate-stderr bash -c 'iris-show D >/dev/full'
    one_sentence iris-show
    echo old >x.png
    run -65 --separate-stderr iris-show --entry=none -o x.png D
    [ "$(cat x.png)" = old ]
}

@test "data sets of the reference" {
    need_shared
    for data in simple_mean synth_mean standard; do
        run -0 --separate-stderr iris-show -v -o a.png "$SHARED/golden/dataset_$data"
        [ "$(picture a.png size)" = "1120 599 2" ]
        [ "$data" != synth_mean ] || [[ $stderr == *"brightness temperature [K]"* ]]
        [ "$data" != simple_mean ] || [[ $stderr == *"mass per area and velocity [M☉"* ]]
    done
    # the reference keeps the raw arrays beside: the same but for single precision
    golden=$SHARED/golden
    first=$(sed -n 's/.*"\(node_[^"]*columnized[^"]*\)".*/\1/p' "$golden/dataset_simple_mean/attributes.json" | head -1)
    iris-show -v -o a.png "$golden/dataset_simple_mean/$first" 2>a
    iris-hyper --preset="$golden/dataset_simple_mean/hyper.json" -s dataset_hyper._density_iris_per_processing=null -o raw.json
    iris-show -v -o b.png -H raw.json "$golden/dataset_simple_mean_raw/$first" 2>b
    near "$(sed 's/.*from \(.*\) to \(.*\)/\1 \2/' a | awk '{ print $1 * 1e27, $2 * 1e21 }')" \
        "$(sed 's/.*from \(.*\) to \(.*\)/\1 \2/' b | awk '{ print $1 * 1e27, $2 * 1e21 }')" 1e-4
}
