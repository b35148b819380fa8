#!/usr/bin/env bats
bats_require_minimum_version 1.5.0
load common

# Six raw entries of three snapshots, simple (D) and standard (S).
setup_file() {
    cd "$BATS_FILE_TMPDIR"
    tiny_hyper -s writer_hyper.points_per_snapshot=2 >hyper.json
    snapshots 3
    iris-list -H hyper.json -o list.tsv snaps
    iris-gen -H hyper.json -t simple -d D -o entries.tsv list.tsv
    iris-gen -H hyper.json -t standard -d S -o standard.tsv list.tsv
}

setup() {
    cp -a "$BATS_FILE_TMPDIR" "$BATS_TEST_TMPDIR/work"
    cd "$BATS_TEST_TMPDIR/work"
}

# good N MANIFEST: so many rows have not failed
good() {
    [ "$(column state "$2" | grep -cv failed)" -eq "$1" ]
}

# path N KIND: the array of the N-th row of entries.tsv
path() {
    echo "D/$(column "$2" entries.tsv | sed -n "$1p")"
}

@test "help and version" {
    run -0 --separate-stderr iris-merge --help
    [[ $output == "usage: iris-merge "* ]]
    run -0 --separate-stderr iris-merge --version
    [[ $output == "iris-merge (iris) "* ]]
}

@test "every long option is in the page" {
    options_in_page iris-merge
}

@test "wrong command lines" {
    for words in "entries.tsv" "-d" "-d D --unknown" "-d D --d" "--progress=x -d D entries.tsv" \
        "-d D --require=0 entries.tsv" "-d D --require=many entries.tsv" "-d D --group-by"; do
        run -64 --separate-stderr iris-merge $words
        one_sentence iris-merge
        [ -z "$output" ]
    done
}

@test "missing and foreign files" {
    run -74 --separate-stderr iris-merge -d D missing.tsv
    [ "$stderr" = "iris-merge: cannot open 'missing.tsv': No such file or directory" ]
    run -74 --separate-stderr iris-merge -d missing entries.tsv
    one_sentence iris-merge
    run -65 --separate-stderr iris-merge -d hyper.json entries.tsv
    run -65 --separate-stderr iris-merge -d snaps entries.tsv
    one_sentence iris-merge
    run -74 --separate-stderr iris-merge -d D D
    [ -z "$output" ]
}

@test "wrong manifests" {
    grep -v '^#' entries.tsv >no_header.tsv
    run -65 --separate-stderr iris-merge -d D no_header.tsv
    [[ $stderr == "iris-merge: no_header.tsv:1: "* ]]
    run -65 --separate-stderr iris-merge -d D list.tsv
    [[ $stderr == *"list.tsv"* ]]
    sed 's/^##rows 6/##rows 7/' entries.tsv >count.tsv
    run -65 --separate-stderr iris-merge -d D count.tsv
    [[ $stderr == "iris-merge: count.tsv:"* ]]
    : >empty.tsv
    run -65 --separate-stderr iris-merge -d D empty.tsv
    rows entries.tsv '$skip = 1' >none.tsv
    run -65 --separate-stderr iris-merge -d D none.tsv
    one_sentence iris-merge
    rows entries.tsv '$f{column} = "../D/$f{column}" if $n == 2' >outside.tsv
    run -65 --separate-stderr iris-merge -d D outside.tsv
    [[ $stderr == *"'$(column id entries.tsv | sed -n 2p)'"* ]]
    rows entries.tsv '$f{column} = "/etc/passwd" if $n == 2' >outside.tsv
    run -65 iris-merge -d D outside.tsv
    rows entries.tsv '$f{id} = "." if $n == 2' >no_id.tsv
    run -65 --separate-stderr iris-merge -d D no_id.tsv
    [ "$stderr" = "iris-merge: row 2 has no id" ]
    rows entries.tsv '$f{state} = "new" if $n == 3' >state.tsv
    run -65 iris-merge -d D state.tsv
    run -65 --separate-stderr iris-merge -d D entries.tsv standard.tsv
    one_sentence iris-merge
    [[ $stderr == *"type"* ]]
}

@test "what is verified keeps its fields and has hashes" {
    iris-merge -d D -o merged.tsv entries.tsv
    for name in id snapshot point theta state type scale seed round digest column observed; do
        cmp <(column $name entries.tsv) <(column $name merged.tsv)
    done
    [ "$(column column_xxh128 merged.tsv | grep -cE '^[0-9a-f]{32}$')" = 6 ]
    [ "$(column observed_xxh128 merged.tsv | sort -u | grep -cE '^[0-9a-f]{32}$')" = 6 ]
    [ "$(tail -1 merged.tsv)" = "##rows 6" ]
    iris-merge -d S -o s.tsv standard.tsv
    [ "$(column tensor_xxh128 s.tsv | sort -u | grep -cE '^[0-9a-f]{32}$')" = 6 ]
}

@test "the hashes are those of xxh128sum" {
    command -v xxh128sum >/dev/null || skip "no xxh128sum"
    iris-merge -d D -o merged.tsv entries.tsv
    for kind in column observed; do
        (cd D && xxh128sum $(column $kind ../merged.tsv)) | awk '{ print $1 }' |
            cmp - <(column ${kind}_xxh128 merged.tsv)
    done
}

@test "the union of parts is the whole" {
    iris-merge -d D -o whole.tsv entries.tsv
    rm -r D
    for part in 1 2; do
        iris-list -H hyper.json --part=$part/2 snaps |
            iris-gen -H hyper.json -t simple -d D -o part$part.tsv -
    done
    [ "$(column id part1.tsv | wc -l)" -lt 6 ]
    iris-merge -d D part1.tsv part2.tsv | cmp - whole.tsv
    iris-merge -d D part2.tsv part1.tsv | cmp - whole.tsv
    iris-merge -d D part2.tsv part1.tsv part1.tsv | cmp - whole.tsv
    same_data D "$BATS_FILE_TMPDIR/D"
}

@test "rows come in any order, with more columns, without ##rows" {
    iris-merge -d D -o whole.tsv entries.tsv
    { grep '^#[^#]*\|^##[ic]' entries.tsv | grep -v '^##rows'; grep -v '^#' entries.tsv | tac; } >reversed.tsv
    iris-merge -d D reversed.tsv | cmp - whole.tsv
    awk -F'\t' 'BEGIN { OFS = FS } /^##columns/ { print $0 " note:str"; next } /^##/ { print; next }
        { print $0, /^#/ ? "note" : "n" NR }' entries.tsv >noted.tsv
    iris-merge -d D -o noted2.tsv noted.tsv
    cmp <(column note noted.tsv) <(column note noted2.tsv)
    # a column that only some have
    rows noted.tsv '$skip = 1 if $n > 3' >some.tsv
    iris-merge -d D -o both.tsv entries.tsv some.tsv
    [ "$(column note both.tsv | grep -c '^\.$')" = 3 ]
    [ "$(column note both.tsv | grep -c '^n')" = 3 ]
}

@test "merging again changes nothing" {
    iris-merge -d D -o merged.tsv entries.tsv
    iris-merge -d D merged.tsv | cmp - merged.tsv
    iris-merge -d D merged.tsv entries.tsv | cmp <(iris-merge -d D entries.tsv merged.tsv) -
    iris-merge -d D -o both.tsv entries.tsv merged.tsv
    cmp <(column column_xxh128 both.tsv) <(column column_xxh128 merged.tsv)
}

@test "a failed row yields to a good one" {
    iris-merge -d D -o whole.tsv entries.tsv
    rows entries.tsv 'if ($n == 2) { @f{qw(state message column observed)} = ("failed", "no luck", ".", ".") }' >failed.tsv
    iris-merge -d D failed.tsv entries.tsv | cmp - whole.tsv
    iris-merge -d D entries.tsv failed.tsv | cmp - whole.tsv
    run -1 --separate-stderr iris-merge -d D -o out.tsv failed.tsv failed.tsv
    one_sentence iris-merge
    [[ $stderr == *"no luck"* ]]
    good 5 out.tsv
    [ "$(column message out.tsv | sed -n 2p)" = "no luck" ]
    # and comes back good later
    iris-merge -d D out.tsv entries.tsv >again.tsv
    cmp <(column state again.tsv) <(column state whole.tsv)
    cmp <(column message again.tsv) <(column message whole.tsv)
}

@test "two good rows that differ" {
    id=$(column id entries.tsv | sed -n 4p)
    rows entries.tsv '$f{theta} = "1.5" if $n == 4' >other.tsv
    run -65 --separate-stderr iris-merge -d D -o out.tsv entries.tsv other.tsv
    one_sentence iris-merge
    [[ $stderr == *"'$id'"* ]]
    [ ! -e out.tsv ]
    # in a field that the order goes by
    rows entries.tsv '$f{point} = 7 if $n == 3' >other.tsv
    run -65 --separate-stderr iris-merge -d D entries.tsv other.tsv
    rows entries.tsv '$f{snapshot} = "snap_003" if $n == 1' >other.tsv
    run -65 --separate-stderr iris-merge -d D entries.tsv other.tsv
}

# bad_array WORDS...: the second entry's column map fails with these words
bad_array() {
    run -1 --separate-stderr iris-merge -d D -o out.tsv entries.tsv
    one_sentence iris-merge
    good 5 out.tsv
    local message
    message=$(column message out.tsv | sed -n 2p)
    for word in "$@" p001.columnized.npy; do
        [[ $message == *"$word"* ]] || { echo "no '$word' in: $message"; return 1; }
        [[ $stderr == *"$word"* ]]
    done
    [ "$(column column out.tsv | sed -n 2p)" = . ]
    [ "$(column observed out.tsv | sed -n 2p)" = . ]
    [ "$(column column_xxh128 out.tsv | sed -n 2p)" = . ]
    [ "$(column message out.tsv | grep -c '^\.$')" = 5 ]
    # the failed row is kept when it is merged again, and it is repaired by the good one
    run -1 iris-merge -d D -o again.tsv out.tsv
    cmp out.tsv again.tsv
}

@test "an array that is missing" {
    rm "$(path 2 column)"
    bad_array "No such file"
}

@test "an array that is cut short" {
    truncate -s -4 "$(path 2 column)"
    bad_array "bytes where its header promises"
}

@test "an array that is too long" {
    echo >>"$(path 2 column)"
    bad_array "bytes where its header promises"
}

@test "an array that is empty or noise" {
    : >"$(path 2 column)"
    bad_array "array file"
    head -c 900 /dev/urandom >"$(path 2 column)"
    bad_array "array file"
    rm "$(path 2 column)"
    mkdir "$(path 2 column)"
    bad_array
}

@test "an array of another shape" {
    new_array "$(path 2 column)" "(1, 12, 16)" 1 2 3
    bad_array "(1, 12, 16)" "(1, 16, 12)"
    new_array "$(path 2 column)" "(16, 12)" 1 2 3
    bad_array "(16, 12)"
}

@test "the first of all entries does not set the shape" {
    for i in 1 2 3; do
        new_array "$(path $i column)" "(1, 12, 16)" 1 2 3
    done
    run -1 --separate-stderr iris-merge -d D -o out.tsv entries.tsv
    [ "$(column state out.tsv | tr '\n' ' ')" = "failed failed failed raw raw raw " ]
}

@test "an array with values that are not finite" {
    for value in '$nan' '$inf' '-$inf'; do
        cp "$(path 2 column)" keep
        array "$(path 2 column)" "\$v[17] = $value; \$v[20] = $value"
        bad_array "2 values that are not finite" "17"
        mv keep "$(path 2 column)"
    done
    array "$(path 2 observed)" '$v[0] = $inf'
    run -1 --separate-stderr iris-merge -d D -o out.tsv entries.tsv
    good 5 out.tsv
}

@test "an array that is not the one recorded" {
    iris-merge -d D -o merged.tsv entries.tsv
    array "$(path 3 observed)" '$v[5] = 2 * $v[5] + 1'
    run -1 --separate-stderr iris-merge -d D -o out.tsv merged.tsv
    good 5 out.tsv
    [[ $(column message out.tsv | sed -n 3p) == *"p000.observed.npy"*"hash"* ]]
    [ "$(column state out.tsv | sed -n 3p)" = failed ]
    # the changed array, with no hash to hold it to, beside its recorded row
    run -1 iris-merge -d D entries.tsv merged.tsv
}

@test "settings that do not belong to their digest" {
    echo >>"$(echo D/entries/*/settings.json)"
    run -1 --separate-stderr iris-merge -d D -o out.tsv entries.tsv
    good 0 out.tsv
    [[ $stderr == *"settings.json"* ]]
}

@test "infinite temperatures of a tensor, and of nothing else" {
    tensor=S/$(column tensor standard.tsv | sed -n 1p)
    cp "$tensor" keep
    for channel in 0 1 2 3 4 5; do
        cp keep "$tensor"
        array "$tensor" "\$v[@v / 6 * $channel + 3] = \$inf"
        [ $channel = 2 ] && wanted=0 || wanted=1
        run -$wanted --separate-stderr iris-merge -d S -o out.tsv standard.tsv
        good $((6 - wanted)) out.tsv
    done
    for value in '$nan' '-$inf'; do
        cp keep "$tensor"
        array "$tensor" "\$v[@v / 3 + 3] = $value"
        run -1 --separate-stderr iris-merge -d S -o out.tsv standard.tsv
    done
    # first and last of the temperatures, and their neighbours
    cp keep "$tensor"
    array "$tensor" '$v[@v / 3] = $v[@v / 2 - 1] = $inf'
    iris-merge -d S -o out.tsv standard.tsv
    array "$tensor" '$v[@v / 3 - 1] = $v[@v / 2] = $inf'
    run -1 --separate-stderr iris-merge -d S -o out.tsv standard.tsv
    [[ $stderr == *"2 values"* ]]
}

@test "--drop-failed" {
    rm "$(path 2 column)"
    run -0 --separate-stderr iris-merge -d D --drop-failed -o out.tsv entries.tsv
    good 5 out.tsv
    [ "$(column id out.tsv | wc -l)" = 5 ]
    [ "$(tail -1 out.tsv)" = "##rows 5" ]
    cmp <(column id out.tsv) <(column id entries.tsv | sed 2d)
    iris-merge -d D out.tsv | cmp - out.tsv
}

@test "manifests from standard input" {
    iris-merge -d D -o merged.tsv entries.tsv
    iris-merge -d D - <entries.tsv | cmp - merged.tsv
    iris-merge -d D <entries.tsv | cmp - merged.tsv
    cat entries.tsv | iris-merge -d D | cmp - merged.tsv
    rows entries.tsv '$skip = $n > 3' >one.tsv
    rows entries.tsv '$skip = $n <= 3' >two.tsv
    cat one.tsv two.tsv | iris-merge -d D - | cmp - merged.tsv
    iris-merge -d D two.tsv - <one.tsv | cmp - merged.tsv
    run -65 --separate-stderr iris-merge -d D - <<<"x"
    [[ $stderr == "iris-merge: standard input:1: "* ]]
}

@test "output by rename" {
    echo old >out.tsv
    ln out.tsv old
    iris-merge -d D -o out.tsv entries.tsv
    [ "$(cat old)" = old ]
    iris-merge -d D entries.tsv | cmp - out.tsv
    run -74 iris-merge -d D -o missing/out.tsv entries.tsv
    no_leftovers
}

@test "--dry-run" {
    run -0 --separate-stderr iris-merge -d D --dry-run -o out.tsv entries.tsv
    [ -z "$output" ]
    [[ $stderr == *"6 entries"* ]]
    [ ! -e out.tsv ]
}

@test "a full disk is noticed" {
    run -74 --separate-stderr bash -c "iris-merge -d D entries.tsv >/dev/full"
    one_sentence iris-merge
    run -74 --separate-stderr bash -c "iris-merge --help >/dev/full"
}

@test "a signal stops it, and it is run again" {
    mkfifo pipe
    iris-merge -d D -o out.tsv pipe 2>said &
    pid=$!
    exec 9>pipe
    head -3 entries.tsv >&9
    sleep 0.2
    kill -TERM $pid
    tail -n +4 entries.tsv >&9
    exec 9>&-
    status=0
    wait $pid || status=$?
    [ $status = 75 ]
    [ ! -e out.tsv ]
    stderr=$(cat said)
    one_sentence iris-merge
    iris-merge -d D -o out.tsv entries.tsv
    good 6 out.tsv
}

# ---- several settings in one data set ----

# with_set KEY VALUE MANIFEST: the manifest with a column set:KEY of this value
with_set() {
    KEY=$1 VALUE=$2 awk -F'\t' 'BEGIN { OFS = FS; key = "set:" ENVIRON["KEY"] }
        /^##columns/ { print $0 " " key ":f64"; next }
        /^##/ { print; next }
        { print $0, /^#/ ? key : ENVIRON["VALUE"] }' "$3"
}

# The entries of D by their density factor: none.tsv (without one), d10.tsv, d9.tsv;
# those of 10 with a seventh entry that failed.
densities() {
    local d
    for d in 9 10; do
        iris-hyper --preset=hyper.json -s dataset_hyper.CMZ_density_factor=$d -o hyper$d.json
        iris-gen -H hyper$d.json -t simple -d D list.tsv |
            with_set dataset_hyper.CMZ_density_factor $d.0 - >d$d.tsv
    done
    cp entries.tsv none.tsv
    rows d10.tsv 'if ($n == 2) { @f{qw(state message column observed)} = ("failed", "no luck", ".", ".") }' >d10_failed.tsv
    [ "$(cat none.tsv d9.tsv d10.tsv | grep -v '^#' | cut -f1 | sort -u | wc -l)" = 18 ]
}

@test "--group-by orders and counts, and gives a manifest" {
    densities
    set=set:dataset_hyper.CMZ_density_factor
    run -1 --separate-stderr iris-merge -d D --group-by=$set -o grouped.tsv d10_failed.tsv none.tsv d9.tsv
    one_sentence iris-merge
    diff - <(grep '^##group' grouped.tsv) <<END
##group $set=9.0 entries=6 failed=0
##group $set=10.0 entries=6 failed=1
##group $set=. entries=6 failed=0
END
    [ "$(column $set grouped.tsv | uniq -c | awk '{ print $1 $2 }' | paste -sd' ')" = "69.0 610.0 6." ]
    # a group is in the order of snapshots and points
    for value in 9.0 10.0 .; do
        paste <(column $set grouped.tsv) <(column snapshot grouped.tsv) <(column point grouped.tsv) |
            awk -v v="$value" '$1 == v { print $2, $3 }' >order
        sort -V order | cmp - order
        [ "$(sort -u order | wc -l)" = 6 ]
    done
    # the lines of groups follow the header, each before its rows
    [ "$(grep -nE '^##group|^##rows' grouped.tsv | cut -d: -f1 | paste -sd' ')" = "4 11 18 25" ]
    # without the lines and in the order of all manifests it is the same
    run -1 iris-merge -d D -o merged.tsv d10_failed.tsv none.tsv d9.tsv
    run -1 iris-merge -d D -o again.tsv grouped.tsv
    cmp merged.tsv again.tsv
    # failed ones that are dropped are not counted
    iris-merge -d D --drop-failed --group-by=$set d10_failed.tsv none.tsv d9.tsv | grep '^##group' >counts
    [ "$(sed -n 2p counts)" = "##group $set=10.0 entries=5 failed=0" ]
}

@test "--group-by other columns" {
    iris-merge -d D --group-by=snapshot entries.tsv | grep '^##group' >counts
    diff - counts <<END
##group snapshot=snap_001 entries=2 failed=0
##group snapshot=snap_002 entries=2 failed=0
##group snapshot=snap_003 entries=2 failed=0
END
    iris-merge -d D --group-by=point -o grouped.tsv entries.tsv
    [ "$(column point grouped.tsv | paste -sd' ')" = "0 0 0 1 1 1" ]
    [ "$(column snapshot grouped.tsv | uniq -c | wc -l)" = 6 ]
    # what is found while verifying counts
    rm "$(path 4 column)"
    run -1 --separate-stderr iris-merge -d D --group-by=state -o grouped.tsv entries.tsv
    [ "$(grep '^##group' grouped.tsv | paste -sd,)" = "##group state=failed entries=1 failed=1,##group state=raw entries=5 failed=0" ]
    run -65 --separate-stderr iris-merge -d D --group-by=set:cube_hyper.v_steps -o out.tsv entries.tsv
    one_sentence iris-merge
    [[ $stderr == *"'set:cube_hyper.v_steps'"* ]]
    [ ! -e out.tsv ]
}

@test "--require counts good entries, and nothing appears without them" {
    for n in 1 6; do
        run -0 iris-merge -d D --require=$n -o out.tsv entries.tsv
        good 6 out.tsv
    done
    rm out.tsv
    # required N WORD...: they are not there
    required() {
        run -65 --separate-stderr iris-merge -d D --require="$1" -o out.tsv "${@:3}"
        one_sentence iris-merge
        [[ $stderr == *"only $2 of $1 entries"* ]]
        [ -z "$output" ]
        [ ! -e out.tsv ]
    }
    required 7 6 entries.tsv
    # of a row that is there twice one counts
    required 7 6 entries.tsv entries.tsv
    rows entries.tsv '$skip = 1' >none.tsv
    required 1 0 none.tsv
    rows entries.tsv 'if ($n == 2) { @f{qw(state message column observed)} = ("failed", "no luck", ".", ".") }' >failed.tsv
    required 6 5 failed.tsv
    required 6 5 --drop-failed failed.tsv
    run -1 iris-merge -d D --require=5 -o out.tsv failed.tsv
    good 5 out.tsv
    run -0 iris-merge -d D --require=6 -o out.tsv failed.tsv entries.tsv
    good 6 out.tsv
    rm out.tsv
    # an array that is missing is found by reading
    rm "$(path 4 column)"
    required 6 5 entries.tsv
    required 6 5 --dry-run entries.tsv
    required 6 5 --group-by=snapshot entries.tsv
    run -0 iris-merge -d D --require=5 --drop-failed -o out.tsv entries.tsv
    [ "$(tail -1 out.tsv)" = "##rows 5" ]
    # what was there stays
    cp out.tsv before
    run -65 iris-merge -d D --require=6 -o out.tsv entries.tsv
    cmp before out.tsv
    no_leftovers
}

@test "the parts of an array of jobs, as they come" {
    densities
    rows d9.tsv '$skip = $f{snapshot} ne "snap_001"' >p1.tsv
    rows d9.tsv '$skip = $f{snapshot} eq "snap_001"' >p2.tsv
    rows d10.tsv '$skip = 1' >p3.tsv # this job had nothing to do
    with_set observer_hyper.T_cmb 2.73 p3.tsv >p4.tsv # of another sweep
    with_set coordinate_hyper.theta_zero 0.0 entries.tsv >p5.tsv
    [ "$(tail -1 p3.tsv)" = "##rows 0" ]
    iris-merge -d D -o merged.tsv p1.tsv p2.tsv p3.tsv d10.tsv p4.tsv p5.tsv
    [ "$(tail -1 merged.tsv)" = "##rows 18" ]
    set=set:dataset_hyper.CMZ_density_factor
    [ "$(column $set merged.tsv | sort | uniq -c | awk '{ print $1 $2 }' | paste -sd' ')" = "6. 610.0 69.0" ]
    [ "$(column set:coordinate_hyper.theta_zero merged.tsv | sort | uniq -c | awk '{ print $1 $2 }' | paste -sd' ')" = "12. 60.0" ]
    [ "$(column set:observer_hyper.T_cmb merged.tsv | sort -u)" = . ]
    grep -q "^##columns .* $set:f64\( \|$\)" merged.tsv
    # the order of the parts decides on that of the columns only
    fields() {
        for name in id state column $set set:coordinate_hyper.theta_zero column_xxh128 observed_xxh128; do
            column $name "$1"
        done
    }
    for order in "p5 p4 p3 d10 p2 p1" "d10 p5 p1 p3 p2 p4" "p3 p5 p4 p2 p1 d10"; do
        iris-merge -d D -o other.tsv $(printf '%s.tsv ' $order)
        cmp <(fields merged.tsv) <(fields other.tsv)
    done
    # made twice; and once with a failure that is none the second time
    iris-merge -d D -o other.tsv p1.tsv p2.tsv p3.tsv d10.tsv p4.tsv p5.tsv p1.tsv d10.tsv
    cmp merged.tsv other.tsv
    iris-merge -d D -o other.tsv p1.tsv p2.tsv p3.tsv d10_failed.tsv d10.tsv p4.tsv p5.tsv
    cmp merged.tsv other.tsv
    iris-merge -d D --require=18 -o other.tsv p1.tsv p2.tsv p3.tsv d10.tsv d10_failed.tsv p4.tsv p5.tsv
    cmp merged.tsv other.tsv
    # one row of settings does not pass for another
    with_set dataset_hyper.CMZ_density_factor 3.0 entries.tsv >a.tsv
    with_set dataset_hyper.CMZ_density_factor 4.0 entries.tsv >b.tsv
    run -65 --separate-stderr iris-merge -d D a.tsv b.tsv
    [[ $stderr == *"'$set': '3.0' and '4.0'"* ]]
}

@test "columns of settings reach the published manifest" {
    densities
    set=set:dataset_hyper.CMZ_density_factor
    iris-merge -d D --group-by=$set -o merged.tsv d10.tsv none.tsv d9.tsv
    iris-units -H hyper.json -d D --sample=all -o units.json merged.tsv
    iris-normalize -H units.json -d D -o normalized.tsv merged.tsv
    iris-shuffle --seed=7 --publish=D -H units.json -o shuffled.tsv normalized.tsv
    iris-check D
    cmp shuffled.tsv D/iris-manifest.tsv
    grep -q "^##columns .* $set:f64\( \|$\)" D/iris-manifest.tsv
    # each entry with its own: that of the digest's settings
    [ "$(column id D/iris-manifest.tsv | sort -u | wc -l)" = 18 ]
    paste <(column digest D/iris-manifest.tsv) <(column $set D/iris-manifest.tsv) | sort -u >pairs
    [ "$(wc -l <pairs)" = 3 ]
    while read -r digest value; do
        [ $value != . ] || value=null
        grep -q "\"dataset_hyper.CMZ_density_factor\": ${value}[,}]" "D/entries/$digest/settings.json"
    done <pairs
    # grouped or not, the data set is the same
    cp -a D GROUPED
    iris-merge -d D -o merged.tsv d10.tsv none.tsv d9.tsv
    iris-units -H hyper.json -d D --sample=all merged.tsv | cmp units.json -
    iris-normalize -H units.json -d D merged.tsv | cmp normalized.tsv -
    iris-shuffle --seed=7 --publish=D -H units.json -o shuffled.tsv normalized.tsv
    same_data D GROUPED
    # merged with the published one nothing changes
    iris-merge -d D --require=18 -o again.tsv D/iris-manifest.tsv
    cmp again.tsv normalized.tsv
}

# ---- rows in IRIS units ----

# Entries 1 and 2 in units.json, the others in units2.json: mixed.tsv;
# all in units.json, in a data set of their own: direct.tsv, in DIRECT
two_units() {
    iris-merge -d D -o merged.tsv entries.tsv
    iris-units -H hyper.json -d D --sample=all -o units.json merged.tsv
    iris-units -H hyper.json -d D --sample=1 -o units2.json merged.tsv
    rows merged.tsv '$skip = $n > 2' >a.tsv
    rows merged.tsv '$skip = $n <= 2' >b.tsv
    cp -a D DIRECT
    iris-normalize -H units.json -d DIRECT -o direct.tsv merged.tsv
    iris-normalize -H units.json -d D -o a_iris.tsv a.tsv
    iris-normalize -H units2.json -d D -o b_iris.tsv b.tsv
    [ "$(ls -d D/entries/*/iris-* | wc -l)" = 2 ]
}

@test "rows in two units are refused" {
    two_units
    run -65 --separate-stderr iris-merge -d D -o out.tsv a_iris.tsv b_iris.tsv
    one_sentence iris-merge
    [[ $stderr == *"--rescale"* ]]
    [ ! -e out.tsv ]
    iris-merge -d D a_iris.tsv b.tsv >part.tsv # raw rows have no units yet
    [ "$(column state part.tsv | tr '\n' ' ')" = "iris iris raw raw raw raw " ]
    iris-merge -d D -o c.tsv a_iris.tsv
    cmp c.tsv a_iris.tsv
}

@test "--rescale from the raw arrays" {
    two_units
    iris-merge -d D --rescale -o out.tsv b_iris.tsv a_iris.tsv
    cmp out.tsv direct.tsv
    for path in $(column column out.tsv) $(column observed out.tsv); do
        cmp "D/$path" "DIRECT/$path"
    done
    iris-merge -d D --rescale out.tsv | cmp - out.tsv
    iris-normalize -H units.json -d D out.tsv | cmp - out.tsv
    no_leftovers
}

@test "--rescale without the raw arrays" {
    two_units
    rm -r D/entries/*/raw/*/*.npy
    iris-merge -d D --rescale -o out.tsv a_iris.tsv b_iris.tsv
    for name in id state units column observed; do
        cmp <(column $name out.tsv) <(column $name direct.tsv)
    done
    for path in $(column column out.tsv) $(column observed out.tsv); do
        perl -e '
            my @v = map { open my $f, "<:raw", $_ or die; local $/; [unpack "f<*", substr <$f>, 128] } @ARGV;
            die unless @{$v[0]} > 100 and @{$v[0]} == @{$v[1]};
            for (0 .. $#{$v[0]}) {
                my ($a, $b) = ($v[0][$_], $v[1][$_]);
                die "$ARGV[0] $_: $a is not $b" if abs($a - $b) > 1e-6 * abs($b);
            }' "D/$path" "DIRECT/$path"
    done
    iris-merge -d D out.tsv | cmp - out.tsv
    # a record that is gone or is another's leaves nothing to go by
    units=$(column units a_iris.tsv | head -1)
    two=$(column units b_iris.tsv | head -1)
    cp D/entries/*/iris-"$two"/units.json D/entries/*/iris-"$units"/units.json
    run -65 --separate-stderr iris-merge -d D --rescale a_iris.tsv b_iris.tsv
    one_sentence iris-merge
    rm D/entries/*/iris-"$units"/units.json
    run -74 --separate-stderr iris-merge -d D --rescale a_iris.tsv b_iris.tsv
    one_sentence iris-merge
}

@test "--rescale of tensors, channel by channel" {
    iris-merge -d S -o merged.tsv standard.tsv
    iris-units -H hyper.json -d S -o units.json merged.tsv
    iris-hyper --preset=units.json -s dataset_hyper._velocity_iris_per_processing=2 \
        -s dataset_hyper._density_iris_per_processing=3e5 \
        -s dataset_hyper._temperature_iris_per_processing=0.1 >units2.json
    rows merged.tsv '$skip = $n > 3' >a.tsv
    rows merged.tsv '$skip = $n <= 3' >b.tsv
    cp -a S DIRECT
    iris-normalize -H units2.json -d DIRECT -o direct.tsv merged.tsv
    iris-normalize -H units2.json -d S -o a_iris.tsv a.tsv
    iris-normalize -H units.json -d S -o b_iris.tsv b.tsv
    run -65 iris-merge -d S a_iris.tsv b_iris.tsv
    # the raw arrays are the other units' arrays here
    rm S/entries/*/raw/*/*.npy
    iris-merge -d S --rescale -o out.tsv a_iris.tsv b_iris.tsv
    cmp out.tsv direct.tsv
}
