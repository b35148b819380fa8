#!/usr/bin/env bats
# iris-differences(7) has every correction, and what each of them changes.
bats_require_minimum_version 1.5.0
load common

# in_page: its table, as corrections.sh prints it
in_page() {
    sed -n '/^\.Bl -column/,/^\.El/ { /^\.It Sy/d; s/^\.It //p }' "$IRIS_SOURCE/man/iris-differences.7" |
        sed 's/ Ta /\t/g'
}

# keys: of suite_hyper
keys() {
    iris-hyper --preset=SEDIGISM_13C16O | sed -n '/"suite_hyper"/,/}/ s/^ *"\([a-z_A-Z]*\)": .*[^{]$/\1/p'
}

setup() {
    cd "$BATS_TEST_TMPDIR"
    page=$IRIS_SOURCE/man/iris-differences.7
}

@test "the table is made of every correction that there is" {
    "$IRIS_SOURCE/tests/bench/corrections.sh" here coordinate_hyper.r_steps=32 coordinate_hyper.r_crop_max_index=32 \
        coordinate_hyper.lon_steps=16 cube_hyper.v_steps=32 observer_hyper.blur_inputs=false \
        'observer_hyper.T_steps=[8]' 'observer_hyper.N_H_TOT_steps=[16]' >table
    iris-hyper --preset=SEDIGISM_13C16O_corrected --diff=SEDIGISM_13C16O |
        sed -n 's/^suite_hyper\.\([^\t]*\).*/\1/p' >corrections
    [ "$(wc -l <corrections)" -ge 9 ]
    diff corrections <(grep -v '^#' table | cut -f1 | grep -vx all)
    diff <(cut -f1,2 table | grep -v '^#') <(in_page | cut -f1,2)
    # they are numbers, and most are not 0
    [ "$(awk -F'\t' '!/^#/ && $4 + 0 > 0 { n++ } END { print n }' table)" -ge 7 ]
    # nothing large is left
    [ -z "$(ls here/*.npy here/data 2>/dev/null)" ]
}

@test "every key of suite_hyper is in the page, as a correction or as none" {
    keys >keys
    [ "$(wc -l <keys)" -ge 20 ]
    in_page | cut -f1 >corrections
    sed -n '/^\.Ss What corrects nothing/,/^\.Sh/p' "$page" >others
    while read -r key; do
        n=0
        ! grep -qx "$key" corrections || n=$((n + 1))
        ! grep -qE "^\.Li (.* )?$key( |\$)" others || n=$((n + 1))
        [ "$n" = 1 ] || { echo "$key is $n times in the page"; false; }
    done <keys
    for key in $(grep -vx all corrections); do
        grep -qx ".It Li $key" "$page" || { echo "$key is not explained"; false; }
    done
}

@test "the numbers of the page are those that are printed" {
    ! sanitized || skip "takes minutes with sanitizers"
    "$IRIS_SOURCE/tests/bench/corrections.sh" here | grep -v '^#' >table
    diff table <(in_page)
}
