#!/usr/bin/env bats
bats_require_minimum_version 1.5.0

MAIN=SEDIGISM_13C16O

setup() {
    unset IRIS_PRESETS
    mkdir "$BATS_TEST_TMPDIR/work"
    cd "$BATS_TEST_TMPDIR/work"
}

# flat ARGUMENT...: the settings on one line, without blanks
flat() {
    flat=$(iris-hyper "$@" | tr -d ' \n')
}

# has KEY VALUE: what flat printed has this
has() {
    [[ $flat == *"\"$1\":$2"[',}']* ]] || { echo "$1 is not $2"; return 1; }
}

# has_all KEY VALUE KEY VALUE ...
has_all() {
    while [ $# -gt 0 ]; do
        has "$1" "$2" || return 1
        shift 2
    done
}

# number KEY: the value of a key that is a number
number() {
    grep -o "\"$1\":[-0-9.e+]*" <<<"$flat" | cut -d: -f2
}

# shapes COLUMNIZED OBSERVED: of the pairs of what flat printed
shapes() {
    local columns=$(($(number r_crop_max_index) - $(number r_crop_min_index)))

    [ "1,$columns,$(number lon_steps)" = "$1" ]
    [ "$(number n_lines),$(number lon_steps),$(number v_steps)" = "$2" ]
}

# what the presets share
check_common() {
    has_all unit_calculation_sample_size 4 min_snapshot_index null max_snapshot_index null \
        length_cm_per_processing 10000000.0 mass_g_per_processing 1.0 \
        velocity_cm_per_s_per_processing 10000000.0 temperature_K_per_processing 1.0
    has_all CMZ_skew_factor null CMZ_skew_range null CMZ_density_factor null CMZ_density_range null
    has_all lon_steps 512 lon_min -1.5 lon_max 1.5 lat_steps 128 lat_min -0.375 lat_max 0.375 \
        observer_radius 8277.0 spin_orientation -1 theta_zero 0.0 jitter_r false jitter_lon false
    has_all v_subsamples 1 noise_mean 0.0 noise_sigma 1.0 out_blur_fwhm 30.0 n_lines 1 \
        chem_path '["13C16O.dat"]' transition '[[2,1]]' kappa_dust '[0.001]' N_H_TOT_steps '[128]' \
        interpolation_max_N_H_TOT '[1000000000000.0]' bolic_normalization '[1.0]' \
        abundance_H2_steps '[64]' T_steps '[64]' interpolation_max_T '[3000.0]'
    has_all blur_inputs true in_blur_kernel_r 3 in_blur_kernel_lon 5 in_blur_kernel_lat 3 \
        in_blur_sigma 0.33 T_inf 50000.0 T_continuum 2.73 T_cmb 2.73
    has_all v_min -200.0 v_max 200.0 v_steps 512 reduction '"mean"' data_path null fits_map null \
        conversion_raw_to_T_K null clean_noise null
    has_all validation_data_fraction 0.2 epochs 32 batch_size 8 batches_per_update 16 \
        density_normalization 1e-19 seed 1216
}

@test "help" {
    run -0 --separate-stderr iris-hyper --help
    [[ $output == "usage: iris-hyper "* ]]
    [ -z "$stderr" ]
    run -0 --separate-stderr iris-hyper -h
}

@test "version" {
    run -0 --separate-stderr iris-hyper --version
    [[ $output == "iris-hyper (iris) "* ]]
}

@test "every long option in --help is in the man page" {
    man=$(sed 's/\\-/-/g' "$IRIS_SOURCE/man/iris-hyper.1")
    for option in $(iris-hyper --help | grep -o -- '--[a-z][a-z-]*' | sort -u); do
        grep -q -- "Fl ${option#-}" <<<"$man" || { echo "no $option"; return 1; }
    done
}

@test "every key is in the man page, with its default" {
    man=$(sed 's/\\-/-/g' "$IRIS_SOURCE/man/iris-hyper.5")
    for key in $(echo '{}' | iris-hyper --preset=- | sed -n 's/^        "\([^"]*\)": .*/\1/p'); do
        grep -q "^\.It Li $key " <<<"$man" || { echo "no $key"; return 1; }
    done
    echo '{}' | iris-hyper --preset=- | sed -n 's/^        "\([^"]*\)": \([^[]*[^[,]\),*$/\1 \2/p' >keys
    [ "$(wc -l <keys)" -gt 110 ]
    while read -r key value; do
        value=${value//\"/}
        grep -A2 "^\.It Li $key " <<<"$man" | grep -qF -- "$value" ||
            { echo "$key is not $value"; return 1; }
    done <keys
}

@test "the man pages have no faults" {
    for page in iris-hyper.1 iris-hyper.5; do
        run -0 groff -mandoc -ww -z -Tutf8 "$IRIS_SOURCE/man/$page"
        [ -z "$output" ]
    done
}

@test "wrong command lines" {
    run -64 --separate-stderr iris-hyper
    [[ $stderr == "iris-hyper: no settings to start from: need --preset"* ]]
    run -64 --separate-stderr iris-hyper --unknown
    run -64 --separate-stderr iris-hyper --preset
    run -64 --separate-stderr iris-hyper --preset=$MAIN more
    [[ $stderr == *"'more'"* ]]
    run -64 --separate-stderr iris-hyper --preset=NONE
    [[ $stderr == *"'NONE'"*"--list"* ]]
    run -64 --separate-stderr iris-hyper --preset=$MAIN --diff=NONE
    run -64 --separate-stderr iris-hyper --preset=$MAIN --seed=x
    for change in r_steps coordinate_hyper.r_steps r_steps=5 coordinate_hyper.r_steps= \
        coordinate_hyper.r_steps=five cube_hyper.reduction=max; do
        run -64 --separate-stderr iris-hyper --preset=$MAIN -s "$change"
        [[ $stderr == "iris-hyper: "* ]]
        [ -z "$output" ]
    done
}

@test "missing and unreadable files" {
    run -74 --separate-stderr iris-hyper --preset=missing.json
    [[ $stderr == "iris-hyper: cannot open 'missing.json': No such file or directory" ]]
    run -74 --separate-stderr iris-hyper --preset=./missing
    mkdir dir.json
    run -74 --separate-stderr iris-hyper --preset=dir.json
    [[ $stderr == *"'dir.json'"* ]]
}

@test "wrong content names file, and line or key" {
    printf '{\n"a": 1,\n"b" 2}\n' >bad.json
    run -65 --separate-stderr iris-hyper --preset=bad.json
    [[ $stderr == "iris-hyper: bad.json:3: "* ]]
    run -65 --separate-stderr iris-hyper --preset=- <bad.json
    [[ $stderr == "iris-hyper: standard input:3: "* ]]
    : >empty.json
    run -65 --separate-stderr iris-hyper --preset=empty.json
    [[ $stderr == "iris-hyper: empty.json:1: "* ]]
    echo '{"coordinate_hyper": {"r_steps": 512.5}}' >value.json
    run -65 --separate-stderr iris-hyper --preset=value.json
    [ "$stderr" = "iris-hyper: value.json: coordinate_hyper.r_steps must be a whole number from 2 to 1048576, not 512.5" ]
    echo '{"cube_hyper": {"v_min": 2, "v_max": 1}}' >rule.json
    run -65 --separate-stderr iris-hyper --preset=./rule.json
    [ "$stderr" = "iris-hyper: ./rule.json: cube_hyper.v_min must be below cube_hyper.v_max, not 2.0 and 1.0" ]
    echo '{"cube_hyper": {"v_min": -400000.0, "v_max": 1.0}}' >rule.json
    run -65 --separate-stderr iris-hyper --preset=./rule.json
    [[ $stderr == *"cube_hyper.v_min and cube_hyper.v_max must be between -299792 and 299792 km/s"* ]]
    head -c 4096 /dev/urandom >noise.json
    run -65 --separate-stderr iris-hyper --preset=noise.json
    [ -z "$output" ]
}

@test "the list of presets" {
    run -0 --separate-stderr iris-hyper --list
    [ "$(cut -f1 <<<"$output")" = "$(cd "$IRIS_SOURCE/workflows/presets" && ls | sed 's/\.json$//' | LC_ALL=C sort)" ]
    [ "$(awk -F'\t' 'NF != 2 || $2 == ""' <<<"$output")" = "" ]
    for name in $(cut -f1 <<<"$output"); do
        run -0 --separate-stderr iris-hyper --preset="$name"
        [ -z "$stderr" ]
    done
}

@test "presets are stored as they are printed" {
    for file in "$IRIS_SOURCE"/workflows/presets/*.json; do
        iris-hyper --preset="$(basename "$file" .json)" | cmp - "$file"
    done
}

@test "presets of one's own come first, broken ones are passed over" {
    mkdir own
    iris-hyper --preset=$MAIN --seed=5 >own/$MAIN.json
    iris-hyper --preset=$MAIN --seed=6 >own/mine.json
    echo '{' >own/broken.json
    export IRIS_PRESETS=$PWD/own
    flat --preset=$MAIN
    has seed 5
    flat --preset=mine
    has seed 6
    flat --preset=${MAIN}_Test
    has seed 1216
    run -0 --separate-stderr iris-hyper --list
    [ "$(grep -c "^$MAIN	" <<<"$output")" = 1 ]
    grep -q "^mine	" <<<"$output"
    [[ $stderr == "iris-hyper: warning: "*"broken.json"* ]]
}

@test "the main preset" {
    flat --preset=$MAIN
    check_common
    has_all total_snapshots 20 points_per_snapshot 64 CMZ_scale_factor null \
        CMZ_scale_range '[0.25,1.0]'
    has_all r_steps 512 r_pieces 1 r_min 8052.0 r_max 8502.0 r_crop_min_index 0 r_crop_max_index 512
    has_all lon_pieces 1 lat_pieces 32
    shapes 1,512,512 1,512,512
}

@test "the corrected preset" {
    run -0 iris-hyper --preset=${MAIN}_corrected --diff=$MAIN
    [ "$output" = 'observer_hyper.interpolation_max_T	[3000.0]	[10000.0]
observer_hyper.T_inf	50000.0	10000.0
suite_hyper.ray_order	"near_to_far"	"far_to_near"
suite_hyper.profile	"point"	"cell_average"
suite_hyper.lookup	"nearest_gradient"	"multilinear"
suite_hyper.clamp_offsets	false	true
suite_hyper.table	"reference"	"fine"
suite_hyper.rate_extrapolation	"linear"	"clamp"
suite_hyper.simple_out_of_band	"pile_up"	"drop"
suite_hyper.thin_simpson	"reference"	"complete"
suite_hyper.selective_formal	"reference"	"consistent"' ]
}

@test "every preset is in the man page, and is installed" {
    make -s -C "$IRIS_SOURCE" install --dry-run DESTDIR=there >commands
    for name in $(iris-hyper --list | cut -f1); do
        grep -qx "\.It Li $name" "$IRIS_SOURCE/man/iris-hyper.1" || { echo "no $name"; return 1; }
        grep -q "install .*presets/$name\.json.* there/.*/presets" commands
    done
}

@test "the foreground preset" {
    flat --preset=${MAIN}_Foreground
    check_common
    has_all total_snapshots 10 points_per_snapshot 32 CMZ_scale_factor 0.5 CMZ_scale_range null
    has_all r_steps 2048 r_pieces 1 r_min 6000.0 r_max 7500.0 r_crop_min_index 0 \
        r_crop_max_index 2048
    has_all lon_pieces 16 lat_pieces 8
    shapes 1,2048,512 1,512,512
}

@test "the test preset" {
    flat --preset=${MAIN}_Test
    check_common
    has_all total_snapshots 8 points_per_snapshot 8 CMZ_scale_factor null CMZ_scale_range '[0.4,0.6]'
    has_all r_steps 512 r_pieces 1 r_min 8052.0 r_max 8502.0 r_crop_min_index 0 r_crop_max_index 512
    has_all lon_pieces 1 lat_pieces 32
    shapes 1,512,512 1,512,512
}

@test "the full cone preset" {
    flat --preset=${MAIN}_FullCone_Test
    check_common
    has_all total_snapshots 4 points_per_snapshot 1 CMZ_scale_factor null CMZ_scale_range '[0.4,0.6]'
    has_all r_steps 16384 r_pieces 16 r_min 1302.0 r_max 15702.0 r_crop_min_index 7680 \
        r_crop_max_index 8192
    has_all lon_pieces 32 lat_pieces 32
    shapes 1,512,512 1,512,512
}

@test "changes" {
    flat --preset=$MAIN -s coordinate_hyper.r_min=8000 --set='cube_hyper.reduction="max"' \
        -s writer_hyper.min_snapshot_index=800 -s writer_hyper.min_snapshot_index=810
    has_all r_min 8000.0 reduction '"max"' min_snapshot_index 810
    flat --preset=$MAIN --seed=99 -s suite_hyper.seed=1
    has seed 99
    # two changes that are right only together
    flat --preset=$MAIN -s coordinate_hyper.r_steps=48 -s coordinate_hyper.r_crop_max_index=48
    has_all r_steps 48 r_crop_max_index 48
}

@test "changes that are wrong" {
    run -65 --separate-stderr iris-hyper --preset=$MAIN -s coordinate_hyper.r_step=5
    [[ $stderr == *"'coordinate_hyper.r_step'"*"'coordinate_hyper.r_steps'"* ]]
    run -65 --separate-stderr iris-hyper --preset=$MAIN -s coordinate_hyper.r_steps=0.5
    [[ $stderr == *"coordinate_hyper.r_steps must be "* ]]
    run -65 --separate-stderr iris-hyper --preset=$MAIN -s coordinate_hyper.r_steps=48
    [[ $stderr == *"coordinate_hyper.r_crop_max_index"*"coordinate_hyper.r_steps"* ]]
    [ -z "$output" ]
}

@test "differences" {
    run -0 iris-hyper --preset=${MAIN}_Test --diff=$MAIN
    [ "$output" = "writer_hyper.total_snapshots	20	8
writer_hyper.points_per_snapshot	64	8
dataset_hyper.CMZ_scale_range	[0.25, 1.0]	[0.4, 0.6]" ]
    run -0 iris-hyper --preset=$MAIN --diff=$MAIN
    [ -z "$output" ]
    run -0 iris-hyper --preset=$MAIN --diff --seed=3
    [[ $output == *"coordinate_hyper.r_min	null	8052.0"*"suite_hyper.seed	1216	3"* ]]
    iris-hyper --preset=$MAIN >a.json
    run -0 iris-hyper --preset=$MAIN -s suite_hyper.periodic=true --diff=a.json
    [ "$output" = "suite_hyper.periodic	false	true" ]
}

@test "what was printed is read again and is the same" {
    iris-hyper --preset=$MAIN >a.json
    iris-hyper --preset=a.json >b.json
    cmp a.json b.json
    iris-hyper --preset=- <a.json | cmp a.json -
    iris-hyper --preset=a.json | iris-hyper --preset=- -o c.json
    cmp a.json c.json
}

@test "unknown keys are kept" {
    echo '{"mine": [1, 2.50], "cube_hyper": {"v_steps": 64, "note": "a/b"}}' >a.json
    flat --preset=a.json
    has_all mine '[1,2.5]' note '"a/b"' v_steps 64
}

@test "molecular files are found from another place" {
    mkdir here there
    echo data >here/co.dat
    iris-hyper --preset=$MAIN -s 'observer_hyper.chem_path=["co.dat"]' >here/a.json
    flat --preset=here/a.json
    has chem_path "[\"$PWD/here/co.dat\"]"
    cd there
    flat --preset=../here/a.json
    has chem_path "[\"${PWD%/there}/here/co.dat\"]"
    cp ../here/a.json .
    flat --preset=a.json
    has chem_path '["co.dat"]'
    flat --preset=../here/a.json -s 'observer_hyper.chem_path=["x.dat"]'
    has chem_path '["x.dat"]'
    # a pipe lies nowhere: the name is of the current directory, as from standard input
    run -74 --separate-stderr iris-gen --digest -t synthetic -H <(cat a.json)
    [[ $stderr == *"cannot open 'co.dat'"* ]]
    cd ../here
    flat --preset=<(cat a.json)
    has chem_path "[\"$PWD/co.dat\"]"
}

@test "abundances" {
    flat --preset=$MAIN -s 'suite_hyper.abundance={"drop": 0.1, "n_drop": 30000000000, "ratio_to_CO": 1}'
    has abundance '{"ratio_to_CO":1.0,"n_drop":30000000000.0,"drop":0.1}'
    flat --preset=$MAIN -s 'suite_hyper.abundance=[{"per_H": 1e-6}]'
    has abundance '[{"per_H":1e-06}]'
    run -65 --separate-stderr iris-hyper --preset=$MAIN -s 'suite_hyper.abundance={"per_CO": 1}'
    [ "$stderr" = "iris-hyper: suite_hyper.abundance: unknown key 'per_CO', see iris-hyper(5)" ]
    run -65 --separate-stderr iris-hyper --preset=$MAIN -s 'suite_hyper.abundance=[null, null]'
    [[ $stderr == *"suite_hyper.abundance must have observer_hyper.n_lines values, 1, not 2" ]]
}

@test "the examples of the man page are settings" {
    sed -n '/^\.Sh EXAMPLES/,/^\.Sh SEE/p' "$IRIS_SOURCE/man/iris-hyper.5" | sed -n '/^{/,/^}/p' >all
    csplit -s -z -f example all '/^{/' '{*}'
    [ "$(echo example*)" = "example00 example01" ]
    for file in example*; do
        run -0 --separate-stderr iris-hyper --preset=- <"$file"
    done
    [[ $output == *'"ratio_to_CO": 0.02,'* ]]
}

@test "tables of abundances are found from another place" {
    mkdir here there
    echo data >here/x.txt
    iris-hyper --preset=$MAIN -s 'suite_hyper.abundance=[{"table": "x.txt"}]' >here/a.json
    grep -q '"table": "x.txt"' here/a.json
    cd there
    flat --preset=../here/a.json
    has abundance "[{\"table\":\"${PWD%/there}/here/x.txt\"}]"
    cp ../here/a.json .
    flat --preset=a.json
    has abundance '[{"table":"x.txt"}]'
}

@test "output by rename" {
    echo old >a.json
    ln a.json old
    run -0 --separate-stderr iris-hyper --preset=$MAIN -o a.json
    [ -z "$output" ]
    [ "$(cat old)" = old ]
    iris-hyper --preset=$MAIN | cmp - a.json
    run -65 --separate-stderr iris-hyper --preset=$MAIN -o old -s coordinate_hyper.r_steps=1
    [ "$(cat old)" = old ]
    [ "$(ls)" = "a.json
old" ]
    run -74 --separate-stderr iris-hyper --preset=$MAIN -o missing/a.json
}

@test "--dry-run checks and writes nothing" {
    run -0 --separate-stderr iris-hyper --preset=$MAIN -o a.json --dry-run
    [[ $stderr == "iris-hyper: would write 'a.json': "* ]]
    [ ! -e a.json ]
    run -65 --separate-stderr iris-hyper --preset=$MAIN --dry-run -s coordinate_hyper.r_steps=1
}

@test "a full disk is noticed" {
    run -74 --separate-stderr bash -c "iris-hyper --preset=$MAIN >/dev/full"
    [[ $stderr == "iris-hyper: cannot write standard output"* ]]
    run -74 --separate-stderr bash -c "iris-hyper --list >/dev/full"
    run -74 --separate-stderr bash -c "iris-hyper --help >/dev/full"
}
