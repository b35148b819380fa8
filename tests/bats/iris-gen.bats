#!/usr/bin/env bats
bats_require_minimum_version 1.5.0
load common

# Every test has three small snapshots, settings and a list of its own.
setup_file() {
    mkdir "$BATS_FILE_TMPDIR/base"
    cd "$BATS_FILE_TMPDIR/base"
    snapshots 3
    tiny_hyper >hyper.json
    # a grid that takes longer, to be interrupted
    tiny_hyper -s coordinate_hyper.r_steps=128 -s coordinate_hyper.r_crop_max_index=128 \
        -s coordinate_hyper.lon_steps=128 -s coordinate_hyper.lat_steps=16 \
        -s writer_hyper.points_per_snapshot=4 >big.json
}

setup() {
    cp -r "$BATS_FILE_TMPDIR/base" "$BATS_TEST_TMPDIR/work"
    cd "$BATS_TEST_TMPDIR/work"
    iris-list snaps >list.tsv
    background=
}

teardown() {
    [ -z "$background" ] || kill_session "$background"
    cd "$BATS_TEST_TMPDIR"
    ! mountpoint -q work/full 2>/dev/null || umount work/full
    chmod -R u+rwX "$BATS_TEST_TMPDIR"
}

# gen TYPE DATASET ARGUMENT...: with the small grid
gen() {
    local type=$1 data=$2
    shift 2
    iris-gen -H hyper.json -t "$type" -d "$data" "$@"
}

# folder DATASET: of the raw entries of its only digest
folder() {
    echo "$1"/entries/*/raw
}

# stamps DATASET: what changes when a file is written again
stamps() {
    find "$1/entries" -type f -printf '%P %i %T@ %s\n' | sort
}

# failed MANIFEST: snapshot and message of the failed rows
failed() {
    awk -F'\t' '/^#id/ { for (i = 1; i <= NF; i++) c[$i] = i }
        !/^#/ && $c["state"] == "failed" { print $c["snapshot"] "\t" $c["message"] }' "$1"
}

# start COMMAND...: in a session of its own; its process is $background
start() {
    setsid "$@" </dev/null >/dev/null 2>stderr 3>&- &
    background=$!
}

# End all that start started, at once.
kill_session() {
    local all
    # a stopped tree cannot grow
    all=$(ps -s "$1" -o pid=) || return 0
    kill -9 $all 2>/dev/null || true
    wait "$1" 2>/dev/null || true
    background=
}

# arrays DATASET: there are some, and files by the way
arrays() {
    [ -n "$(find "$1" -name '*.npy' 2>/dev/null)" ]
}

# nothing_half DATASET REFERENCE: every file under a final name is whole
nothing_half() {
    local f
    for f in $(cd "$1" && find entries -type f ! -name '*.tmp'); do
        cmp "$1/$f" "$2/$f" || return 1
    done
}

# ---- command line ----

@test "help" {
    run -0 --separate-stderr iris-gen --help
    [[ $output == "usage: [mpirun -n N] iris-gen "* ]]
    [ -z "$stderr" ]
    run -0 --separate-stderr iris-gen -h
    run -0 --separate-stderr $(mpi 2) iris-gen --help </dev/null
    [ "$(grep -c ^usage: <<<"$output")" = 1 ]
}

@test "version" {
    run -0 --separate-stderr iris-gen --version
    [[ $output == "iris-gen (iris) "* ]]
}

@test "every long option in --help is in the man page" {
    options_in_page iris-gen
}

@test "wrong command lines" {
    usage_error() {
        run -64 --separate-stderr iris-gen "$@"
        one_sentence iris-gen
        [ -z "$output" ]
    }
    usage_error -t simple -d d list.tsv
    [[ $stderr == *"-H HYPER is needed"* ]]
    usage_error -H hyper.json -d d list.tsv
    [[ $stderr == *"-t TYPE is needed"* ]]
    usage_error -H hyper.json -t simple list.tsv
    [[ $stderr == *"-d DATASET is needed"* ]]
    usage_error -H hyper.json -t complex -d d list.tsv
    [[ $stderr == *"'complex'"* ]]
    usage_error -H hyper.json -t simple -d d --device=toaster list.tsv
    [[ $stderr == *"'toaster'"*"auto, cpu, cuda or cuda:N"* ]]
    usage_error -H hyper.json -t simple -d d --round=x list.tsv
    usage_error -H hyper.json -t simple -d d --round=-1 list.tsv
    usage_error -H hyper.json -t simple -d d --round=4294967296 list.tsv
    usage_error -H hyper.json -t simple -d d --seed=x list.tsv
    usage_error -H hyper.json -t simple -d d --unknown list.tsv
    usage_error -H hyper.json -t simple -d d list.tsv more.tsv
    [[ $stderr == *"'more.tsv'"* ]]
    usage_error -H hyper.json -t simple -d '' list.tsv
    usage_error -H hyper.json -t simple list.tsv -d
    [ ! -e d ]
    for device in auto cpu; do
        run -0 iris-gen -H hyper.json -t simple -d "$device" --device=$device list.tsv
    done
}

@test "a terminal is no manifest" {
    run script -qec "iris-gen -H hyper.json -t simple -d d; echo status \$?" /dev/null </dev/null
    [[ $output == *"no input: name a file, or pipe one in"*"status 64"* ]]
}

@test "under mpirun a manifest must be named" {
    run -64 --separate-stderr $(mpi 2) iris-gen -H hyper.json -t simple -d d </dev/null
    [ "$(grep -c '^iris-gen: ' <<<"$stderr")" = 1 ]
    [[ $stderr == *"'-' for standard input"* ]]
    [ ! -e d ]
    # '-' is one
    run -0 --separate-stderr $(mpi 2) iris-gen -H hyper.json -t simple -d d - <list.tsv
    [ "$(tail -n1 <<<"$output")" = "##rows 9" ]
}

# ---- bad input ----

@test "bad settings" {
    bad() {
        run "-$1" --separate-stderr iris-gen -H "$2" -t simple -d d list.tsv
        one_sentence iris-gen
        [[ $stderr == *"$2"* ]]
        [[ $stderr == *"$3"* ]] || { echo "no $3: $stderr"; return 1; }
        [ -z "$output" ]
        [ ! -e d ]
    }
    bad 74 missing.json "No such file"
    mkdir dir.json
    bad 74 dir.json
    : >empty.json
    bad 65 empty.json
    head -c 300 hyper.json >short.json
    bad 65 short.json
    cp snaps/snap_001.hdf5 foreign.json
    bad 65 foreign.json
    echo '[1, 2]' >array.json
    bad 65 array.json
    sed 's/"r_steps": 16/"r_steps": -16/' hyper.json >steps.json
    bad 65 steps.json coordinate_hyper.r_steps
    sed 's/"r_min": 8052.0/"r_min": 8502.0/' hyper.json >order.json
    bad 65 order.json coordinate_hyper.r_m
    sed 's/"r_crop_max_index": 16/"r_crop_max_index": 17/' hyper.json >crop.json
    bad 65 crop.json coordinate_hyper.r_crop_max_index
    sed 's/"lon_steps": 12/"lon_steps": "12"/' hyper.json >type.json
    bad 65 type.json coordinate_hyper.lon_steps
    # all ranks end with it, and one speaks
    run -65 --separate-stderr $(mpi 2) iris-gen -H steps.json -t simple -d d list.tsv </dev/null
    [ "$(grep -c '^iris-gen: ' <<<"$stderr")" = 1 ]
    [ ! -e d ]
}

@test "bad manifests" {
    bad() {
        run "-$1" --separate-stderr gen simple d "$2"
        one_sentence iris-gen
        [[ $stderr == *"$2"* ]]
        [[ $stderr == *"$3"* ]] || { echo "no '$3': $stderr"; return 1; }
        [ -z "$output" ]
        run "-$1" --separate-stderr gen simple d --plan "$2"
        one_sentence iris-gen
        [ -z "$output" ]
    }
    bad 74 missing.tsv "No such file"
    mkdir dir.tsv
    bad 74 dir.tsv
    : >empty.tsv
    bad 65 empty.tsv "empty"
    grep -v '^#' list.tsv >headless.tsv
    bad 65 headless.tsv "headless.tsv:1"
    head -n 2 list.tsv >names.tsv
    bad 65 names.tsv
    sed '1s/snapshots/cheese/' list.tsv >cheese.tsv
    bad 65 cheese.tsv "'cheese'"
    gen simple e list.tsv >entries.tsv
    bad 65 entries.tsv "entries where one of snapshots is needed"
    head -c -3 list.tsv >cut.tsv
    bad 65 cut.tsv "cut.tsv:7: the last line is cut short"
    sed '6d' list.tsv >count.tsv
    bad 65 count.tsv "count.tsv:6: 2 rows where the last line promises 3"
    sed '5s/\t[^\t]*$//' list.tsv >fields.tsv
    bad 65 fields.tsv "fields.tsv:5: 6 fields where the header has 7"
    sed '5s/$/\tmore/' list.tsv >more.tsv
    bad 65 more.tsv "more.tsv:5"
    sed '5s/snaps\//\\x/' list.tsv >escape.tsv
    bad 65 escape.tsv "escape.tsv:5: bad escape in field 'path'"
    cp snaps/snap_001.hdf5 binary.tsv
    bad 65 binary.tsv "binary.tsv:1"
    (cat list.tsv && echo "snap_004") >after.tsv
    bad 65 after.tsv "after.tsv:8: a row after the end"
    # nothing of a foreign manifest is taken for work
    [ -z "$(find d -name '*.npy')" ] || [ -d "$(folder d)/snap_001" ]
}

@test "rows that make no sense" {
    bad() {
        run -65 --separate-stderr gen simple d "$1"
        one_sentence iris-gen
        [[ $stderr == *"$2"* ]] || { echo "no '$2': $stderr"; return 1; }
        [ -z "$output" ]
        run -65 --separate-stderr gen simple d --plan "$1"
    }
    sed '/##rows/d' list.tsv >double.tsv
    grep ^snap_002 list.tsv >>double.tsv
    bad double.tsv "snapshot 'snap_002' twice"
    for id in .. ../x . a/b '' 'a b' .x; do
        sed "5s|^snap_002|$id|" list.tsv >id.tsv
        bad id.tsv "bad snapshot id '"
    done
    [ ! -e x ]
    [ ! -e d/entries/x ]
    sed '5s/snaps[^\t]*/./' list.tsv >path.tsv
    bad path.tsv "'snap_002' has no path"
    sed '5s/hdf5\t1\t/hdf5\tone\t/' list.tsv >files.tsv
    bad files.tsv "'files'"
}

@test "a list without rows makes nothing, and that is all right" {
    { head -n 3 list.tsv && echo '##rows 0'; } >none.tsv
    run -0 --separate-stderr gen simple d none.tsv
    [ -z "$stderr" ]
    [ "$(grep -vc '^#' <<<"$output")" = 0 ]
    [ "$(tail -n1 <<<"$output")" = "##rows 0" ]
    # neither does a list that grep has shortened need its last line
    grep -v '##rows\|snap_00[23]' list.tsv >one.tsv
    run -0 --separate-stderr gen simple d one.tsv
    [ "$(tail -n1 <<<"$output")" = "##rows 3" ]
}

@test "a target that is not ours" {
    mkdir -p thesis
    echo precious >thesis/chapter1.tex
    run -65 --separate-stderr gen simple thesis list.tsv
    one_sentence iris-gen
    [[ $stderr == *"'thesis' is neither empty nor a data set"*"name a new directory"* ]]
    [ "$(ls -A thesis)" = chapter1.tex ]
    run -65 --separate-stderr gen simple thesis --plan list.tsv
    echo file >target
    run -65 --separate-stderr gen simple target list.tsv
    one_sentence iris-gen
    [[ $stderr == *"'target' is not a directory"* ]]
    [ "$(cat target)" = file ]
    run -74 --separate-stderr gen simple target/below list.tsv
    one_sentence iris-gen
    run -74 --separate-stderr gen simple /dev/null/d list.tsv
    # an empty one is fine, also one that is not there with its parents
    mkdir empty
    run -0 --separate-stderr gen simple empty list.tsv
    run -0 --separate-stderr gen simple new/deep/er list.tsv
    same_data empty new/deep/er
    # and one made under another name before
    run -0 --separate-stderr gen simple ./empty/ list.tsv
}

@test "an unwritable directory" {
    [ "$(id -u)" != 0 ] || skip "root reads everything"
    mkdir closed
    chmod 555 closed
    run -74 --separate-stderr gen simple closed/d list.tsv
    one_sentence iris-gen
    [[ $stderr == *"Permission denied"* ]]
    run -74 --separate-stderr gen simple closed list.tsv
    gen simple d list.tsv >/dev/null
    rm -r "$(folder d)/snap_002"
    chmod 555 "$(folder d)"
    run -74 --separate-stderr gen simple d list.tsv
}

@test "a full disk" {
    gen standard ref list.tsv >ref.tsv
    mkdir full
    mount -t tmpfs -o size=8k tmpfs full 2>/dev/null || skip "no right to mount"
    # it ends in bookkeeping, in the record of a snapshot, in an array
    for size in 4 8 12 16 20 24 28 32 36 40 44 48 64 100 104 108 112 160 200 250; do
        umount full
        mount -t tmpfs -o size=${size}k tmpfs full
        run --separate-stderr gen standard full/d list.tsv
        [ "$status" = 74 ] || { echo "$size KiB: $status: $stderr"; return 1; }
        [ -z "$output" ]
        one_sentence iris-gen
        [[ $stderr == *"No space left on device"* ]]
        nothing_half full/d ref
    done
    umount full
    # made larger, the same command goes on
    for size in 20 44 100 200; do
        mount -t tmpfs -o size=${size}k tmpfs full
        run -74 --separate-stderr gen standard full/d list.tsv
        mount -o remount,size=10m full
        gen standard full/d list.tsv | cmp - ref.tsv
        same_data full/d ref
        umount full
    done
    mount -t tmpfs -o size=100k tmpfs full
    run -74 --separate-stderr $(mpi 2) iris-gen -H hyper.json -t standard -d full/d list.tsv </dev/null
    [ "$(grep -c '^iris-gen: ' <<<"$stderr")" = 1 ]
    nothing_half full/d ref
}

@test "a manifest that cannot be written" {
    gen simple ref list.tsv >ref.tsv
    run -74 --separate-stderr bash -c 'iris-gen -H hyper.json -t simple -d d list.tsv >/dev/full'
    one_sentence iris-gen
    [[ $stderr == *"No space left on device" ]]
    # the work is not lost
    same_data d ref
    run -74 --separate-stderr gen simple d -o nowhere/e.tsv list.tsv
    [[ $stderr == *"nowhere/e.tsv"* ]]
    run -74 --separate-stderr bash -c 'iris-gen --plan -H hyper.json -t simple -d d list.tsv >/dev/full'
    run -74 --separate-stderr gen simple d -o /dev/full list.tsv
    run -0 --separate-stderr gen simple d -o e.tsv list.tsv
    [ -z "$output" ]
    [ -z "$stderr" ]
    cmp e.tsv ref.tsv
}

# ---- what is made ----

@test "rows, paths, records and what is beside them" {
    gen simple d list.tsv >e.tsv
    [ "$(head -n1 e.tsv)" = "##iris-manifest 1 entries" ]
    [ "$(tail -n1 e.tsv)" = "##rows 9" ]
    digest=$(ls d/entries)
    [[ $digest =~ ^[0-9a-f]{8}$ ]]
    grep -v '^#' e.tsv | awk -F'\t' -v g="$digest" '
        { s = sprintf("snap_%03d", int((NR - 1) / 3) + 1); p = (NR - 1) % 3
          if ($1 != g "." s ".p00" p || $2 != s || $3 != p || $4 != sprintf("%.1f", 120 * p) ||
              $5 != "raw" || $6 != "simple" || $13 != 1216 || $14 != 0 || $15 != g || $18 != ".")
              exit 1
          if (!($7 >= 0.25 && $7 <= 1) || seen[$7]++) exit 1 }'
    for path in $(grep -v '^#' e.tsv | cut -f16,17); do
        [ -f "d/$path" ]
    done
    [ "$(find d -name '*.npy' | wc -l)" = 18 ]
    # header and values: (1, 16, 12) and (1, 12, 20) in single precision
    [ "$(stat -c %s "$(folder d)/snap_001/p000.columnized.npy")" = $((128 + 16 * 12 * 4)) ]
    [ "$(stat -c %s "$(folder d)/snap_001/p000.observed.npy")" = $((128 + 12 * 20 * 4)) ]
    awk -F'\t' 'NR == 2 { exit !($1 == 146800 && $2 ~ /^[0-9a-f]+$/ && length($2) == 32) }' \
        "$(folder d)/snap_001/source.tsv"
    [ -s "d/entries/$digest/settings.json" ]
    # no path outside the data set, no host, no user
    ! grep -rqF --exclude='*.npy' -e "$PWD" -e snaps/ e.tsv d/entries || false
    # a short name may be a word of something else
    host=$(hostname)
    [ ${#host} -lt 6 ] || ! grep -rqwF --exclude='*.npy' -e "$host" e.tsv d/entries || false
    # the only place with a clock
    [ "$(ls -A d)" = "$(printf '.iris\nentries')" ]
    grep -q '"state": "finished"' d/.iris/status.json
    grep -q '"points": 9, "done": 9, "there_before": 0, "failed": 0' d/.iris/status.json
    [ "$(grep -vc '^#' d/.iris/journal/rank0.tsv)" = 9 ]
    [ -z "$(find d -name '*.tmp')" ]
}

@test "the same bytes without mpirun and with 1, 2 and 4 ranks" {
    for type in simple standard; do
        gen $type one list.tsv >one.tsv
        for n in 1 2 4; do
            run -0 --separate-stderr $(mpi $n) iris-gen -H hyper.json -t $type -d mpi_$n \
                -o mpi_$n.tsv list.tsv </dev/null
            [ -z "$output" ]
            cmp one.tsv mpi_$n.tsv
            same_data one mpi_$n
        done
    done
    [ "$(ls one/entries | wc -l)" = 2 ]
    [ "$(ls mpi_4/.iris/journal)" = "$(printf 'rank%d.tsv\n' 0 1 2 3)" ]
    # every point was made once
    [ "$(journal mpi_4 | grep -c ^make)" = 18 ]
}

@test "the same bytes with every level of instructions" {
    local level levels=0 type
    tiny_hyper -s coordinate_hyper.r_steps=70 -s coordinate_hyper.r_crop_max_index=70 \
        -s coordinate_hyper.lon_steps=45 -s coordinate_hyper.lat_steps=21 >hyper.json
    run -64 --separate-stderr env IRIS_SIMD=sse9 iris-gen -H hyper.json -t simple -d no list.tsv
    one_sentence iris-gen
    [[ $stderr == *IRIS_SIMD*sse9*base* ]]
    [ ! -e no ]
    for type in standard simple; do
        IRIS_SIMD='' gen $type best.$type -o best.tsv list.tsv
        for level in base avx2 avx512; do
            [[ ${stderr##*has} == *$level* ]] || continue
            IRIS_SIMD=$level gen $type $level.$type -o $level.tsv list.tsv
            cmp best.tsv $level.tsv
            same_data best.$type $level.$type
            levels=$((levels + 1))
        done
    done
    [ "$levels" -ge 2 ]
}

@test "more ranks than points" {
    sed '/snap_00[12]/d; /##rows/d' list.tsv >short.tsv
    gen simple one short.tsv >one.tsv
    run -0 --separate-stderr $(mpi 5) iris-gen -H hyper.json -t simple -d many short.tsv </dev/null
    cmp one.tsv - <<<"$output"
    same_data one many
}

@test "the order of the list and the directory it is read in do not matter" {
    gen standard one list.tsv >one.tsv
    { head -n 3 list.tsv && grep ^snap list.tsv | tac; } >back.tsv
    gen standard back back.tsv >back_entries.tsv
    cmp one.tsv back_entries.tsv
    same_data one back
    mkdir -p else/where
    iris-list "$PWD/snaps" >absolute.tsv
    (cd else/where && iris-gen -H ../../hyper.json -t standard -d here ../../absolute.tsv) >here.tsv
    cmp one.tsv here.tsv
    same_data one else/where/here
}

@test "a pipe equals a file" {
    gen standard one list.tsv >one.tsv
    gen standard pipe <list.tsv | cmp - one.tsv
    iris-list snaps | gen standard pipe2 - | cmp - one.tsv
    iris-list snaps | $(mpi 2) iris-gen -H hyper.json -t standard -d pipe3 - | cmp - one.tsv
    same_data one pipe
    same_data one pipe2
    same_data one pipe3
}

@test "rows that arrive slowly are made as they come" {
    gen simple one list.tsv >one.tsv
    first_is_made() {
        [ -e "$(folder slow)/snap_001/p002.observed.npy" ]
    }
    for launcher in "" "$(mpi 2)"; do
        mkfifo in
        rm -rf slow
        # also in pieces of lines
        { head -c 180 list.tsv && sleep 0.2 && tail -c +181 list.tsv | head -n -3 &&
            wait_for first_is_made && tail -n 3 list.tsv; } >in 3>&- &
        run -0 --separate-stderr timeout 60 $launcher iris-gen -H hyper.json -t simple -d slow - <in
        cmp one.tsv - <<<"$output"
        same_data one slow
        rm in
    done
}

@test "manifests that were fetched: the local copy counts, unknown columns do not" {
    gen simple one list.tsv >one.tsv
    mv snaps cache
    awk -F'\t' -v OFS='\t' '/^##iris/ { sub("snapshots", "fetched") } /^##c/ { $0 = $0 " local:path x:str" }
        /^#snap/ { $0 = $0 "\tlocal\tx" } !/^#/ { f = $3; sub("snaps", "cache", f); $0 = $0 "\t" f "\ty" }
        { print }' list.tsv >fetched.tsv
    run -0 --separate-stderr gen simple d fetched.tsv
    cmp one.tsv - <<<"$output"
    same_data one d
}

@test "the seed changes bytes and digest and is recorded" {
    gen simple one list.tsv >one.tsv
    gen simple one --seed=7 list.tsv >seed.tsv
    [ "$(ls one/entries | wc -l)" = 2 ]
    [ "$(grep -v '^#' seed.tsv | cut -f13 | sort -u)" = 7 ]
    a=one/$(grep -v '^#' one.tsv | head -n1 | cut -f17)
    b=one/$(grep -v '^#' seed.tsv | head -n1 | cut -f17)
    [ "$a" != "$b" ]
    ! cmp -s "$a" "$b" || false
    # by settings it is the same
    iris-hyper --preset=./hyper.json --seed=7 >seven.json
    iris-gen -H seven.json -t simple -d two list.tsv | cmp - seed.tsv
    iris-gen -H seven.json --seed=1216 -t simple -d two list.tsv | cmp - one.tsv
    same_data one two
}

@test "the round changes bytes and digest and is recorded" {
    gen simple d list.tsv >zero.tsv
    gen simple d --round=0 list.tsv | cmp - zero.tsv
    gen simple d --round=1 list.tsv >one.tsv
    gen simple d --round=2 list.tsv >two.tsv
    [ "$(ls d/entries | wc -l)" = 3 ]
    [ "$(grep -v '^#' one.tsv | cut -f14 | sort -u)" = 1 ]
    [ "$(cat zero.tsv one.tsv two.tsv | grep -v '^#' | cut -f7 | sort -u | wc -l)" = 27 ]
    [ "$(find d -name p000.observed.npy -exec md5sum {} + | cut -d' ' -f1 | sort -u | wc -l)" = 9 ]
    # a list of several rounds can be merged
    run -0 --separate-stderr iris-merge -d d zero.tsv one.tsv two.tsv
    [ "$(tail -n1 <<<"$output")" = "##rows 27" ]
}

@test "settings share a directory without mixing" {
    gen simple d list.tsv >a.tsv
    stamps d >before
    tiny_hyper -s cube_hyper.v_steps=22 >other.json
    iris-gen -H other.json -t simple -d d list.tsv >b.tsv
    gen standard d list.tsv >c.tsv
    [ "$(ls d/entries | wc -l)" = 3 ]
    stamps d | comm -23 before - | diff /dev/null -
    # what does not change bytes does not change the digest
    tiny_hyper -s writer_hyper.total_snapshots=2 -s training_hyper.epochs=1 >same.json
    iris-gen -H same.json -t simple -d d list.tsv | cmp - a.tsv
    [ "$(ls d/entries | wc -l)" = 3 ]
}

@test "odd names and links, end to end by id" {
    mkdir odd
    one=snaps/snap_001.hdf5
    names=('a b.hdf5' "it's.hdf5" 'say "hi".hdf5' '$(touch pwned).hdf5' $'new\nline.hdf5'
        'größe.hdf5' '-dash.hdf5' $'tab\t.hdf5' 'back\slash.hdf5' 'a;b&c|d.h5')
    for name in "${names[@]}"; do
        cp $one "odd/$name"
    done
    ln -s ../$one 'odd/li nk_3.hdf5'
    iris-list odd >odd.tsv
    run -0 --separate-stderr gen simple d odd.tsv
    [ -z "$stderr" ]
    [ "$(tail -n1 <<<"$output")" = "##rows 33" ]
    [ -z "$(failed - <<<"$output")" ]
    [ ! -e pwned ]
    [ "$(grep -v '^#' <<<"$output" | cut -f2 | sort -u)" = "$(grep -v '^#' odd.tsv | cut -f1 | sort)" ]
    for id in $(grep -v '^#' odd.tsv | cut -f1); do
        [ "$(ls "$(folder d)/$id" | wc -l)" = 7 ]
    done
    iris-list -- -x.hdf5 2>/dev/null || cp $one -- -x.hdf5
    iris-list -- -x.hdf5 | gen simple e >/dev/null
    # and on, in other programs
    iris-merge -d d -o merged.tsv - <<<"$output"
    [ "$(tail -n1 merged.tsv)" = "##rows 33" ]
}

@test "a set of files gives what the single file gives" {
    mkdir one
    iris-mock -o one/snap_005.hdf5 --cells=2000 --seed=5
    mkdir many
    iris-mock -o many/snapdir_005 --cells=2000 --seed=5 --files=3
    iris-list one >one.tsv
    iris-list many >many.tsv
    [ "$(grep -v '^#' many.tsv | cut -f1,2,4)" = "$(printf 'snap_005\t5\t3')" ]
    for type in simple standard; do
        gen $type one_data one.tsv >one_$type.tsv
        run -0 --separate-stderr gen $type many_data many.tsv
        [ -z "$stderr" ]
        cmp one_$type.tsv - <<<"$output"
    done
    # the sizes of the files differ, nothing else does
    diff -r --exclude=.iris --exclude=source.tsv one_data many_data
    [ "$(cut -f2 one_data/entries/*/raw/snap_005/source.tsv)" = \
        "$(cut -f2 many_data/entries/*/raw/snap_005/source.tsv)" ]
    # and either stands for the other
    gen standard one_data many.tsv | cmp - one_standard.tsv
    # a file of the set is missing
    rm many/snapdir_005/snap_005.1.hdf5
    iris-list -q many >gap.tsv
    run -1 --separate-stderr gen simple gap gap.tsv
    [[ $(failed - <<<"$output") == *"snap_005.1.hdf5"* ]]
    rm many/snapdir_005/snap_005.2.hdf5
    iris-list -q many >tail.tsv
    run -1 --separate-stderr gen simple gap tail.tsv
    [[ $(failed - <<<"$output") == *"set of 3 files"* ]]
    [ -z "$(find gap -name '*.npy')" ]
}

# ---- what is there already ----

@test "a rerun makes nothing and opens nothing" {
    for type in simple standard; do
        gen $type d list.tsv >first_$type.tsv
    done
    stamps d >before
    journal=$(cat d/.iris/journal/* | grep -v '^#')
    mv snaps away
    for type in simple standard; do
        run -0 --separate-stderr gen $type d list.tsv
        [ -z "$stderr" ]
        cmp first_$type.tsv - <<<"$output"
        run -0 --separate-stderr $(mpi 2) iris-gen -H hyper.json -t $type -d d list.tsv </dev/null
        cmp first_$type.tsv - <<<"$output"
    done
    stamps d | cmp before -
    [ "$(cat d/.iris/journal/* | grep -v '^#')" = "$journal" ]
    grep -q '"there_before": 9' d/.iris/status.json
}

@test "only missing points are made" {
    gen simple ref list.tsv >ref.tsv
    cp -r ref d
    # one array of a pair, a pair, a whole snapshot
    f=$(folder d)
    rm "$f/snap_001/p001.columnized.npy" "$f/snap_002/p000.observed.npy" "$f"/snap_002/p002.*
    rm -r "$f/snap_003"
    rm -r d/.iris/journal
    stamps d | sed 's/ .*//' >kept
    stamps d >before
    run -0 --separate-stderr gen simple d list.tsv
    [ -z "$stderr" ]
    cmp ref.tsv - <<<"$output"
    same_data ref d
    # 1 + 1 + 1 + 3 points were made; only their partners were written again
    [ "$(grep -vc '^#' d/.iris/journal/rank0.tsv)" = 6 ]
    comm -23 before <(stamps d) | grep -v 'snap_001/p001.observed\|snap_002/p000.columnized' |
        diff /dev/null -
}

@test "arrays without a record of their snapshot are made again" {
    gen simple ref list.tsv >ref.tsv
    cp -r ref d
    rm "$(folder d)/snap_002/source.tsv"
    run -0 --separate-stderr gen simple d list.tsv
    cmp ref.tsv - <<<"$output"
    same_data ref d
    # a record that is none stops it
    echo nonsense >"$(folder d)/snap_002/source.tsv"
    run -65 --separate-stderr gen simple d list.tsv
    one_sentence iris-gen
    [[ $stderr == *"snap_002/source.tsv"* ]]
}

@test "leftovers of a killed run are swept" {
    gen simple ref list.tsv >ref.tsv
    cp -r ref d
    f=$(folder d)
    rm "$f/snap_001/p001.columnized.npy"
    touch "$f/snap_001/p001.columnized.npy.tmp" "$f/snap_003/p002.observed.npy.tmp" "$f/snap_003/source.tsv.tmp"
    gen simple d list.tsv | cmp - ref.tsv
    same_data ref d
}

@test "the digest alone" {
    gen simple d list.tsv >/dev/null
    run -0 --separate-stderr iris-gen --digest -H hyper.json -t simple
    [ "$output" = "$(ls d/entries)" ]
    [ -z "$stderr" ]
    [ "$($(mpi 2) iris-gen --digest -H hyper.json -t simple </dev/null)" = "$output" ]
    [ "$(iris-gen --digest -H hyper.json -t standard)" != "$output" ]
    [ "$(iris-gen --digest -H hyper.json -t simple --round=1)" != "$output" ]
    [ "$(iris-gen --digest -H hyper.json -t simple --seed=1)" != "$output" ]
}

@test "a plan says what is missing and makes nothing" {
    todo() {
        gen simple d --plan "$@" | grep -v '^#' | cut -f1,8 | tr '\t\n' '= '
    }
    [ "$(todo list.tsv)" = "snap_001=3 snap_002=3 snap_003=3 " ]
    [ ! -e d ]
    # the list is carried through
    gen simple d --plan list.tsv >plan.tsv
    grep -v '^#' plan.tsv | cut -f1-7 | diff - <(grep -v '^#' list.tsv)
    [ "$(sed -n 2p plan.tsv)" = "$(sed -n 2p list.tsv) todo:u32" ]
    [ "$(tail -n1 plan.tsv)" = "##rows 3" ]
    mkdir d
    [ "$(todo list.tsv)" = "snap_001=3 snap_002=3 snap_003=3 " ]
    [ -z "$(ls -A d)" ]
    gen simple d list.tsv >/dev/null
    [ "$(todo list.tsv)" = "snap_001=0 snap_002=0 snap_003=0 " ]
    f=$(folder d)
    rm "$f/snap_002/p001.observed.npy"
    rm -r "$f/snap_003"
    stamps d >before
    ls -lR --time-style=full-iso d >before_all
    mv snaps away
    [ "$(todo list.tsv)" = "snap_001=0 snap_002=1 snap_003=3 " ]
    # a plan of a plan, from a pipe, under mpirun, into a file
    [ "$(todo - <plan.tsv)" = "snap_001=0 snap_002=1 snap_003=3 " ]
    run -0 --separate-stderr gen simple d --plan -o out.tsv plan.tsv
    [ -z "$output" ]
    [ -z "$stderr" ]
    $(mpi 2) iris-gen --plan -H hyper.json -t simple -d d plan.tsv </dev/null | cmp - out.tsv
    # other settings, another type: nothing is there
    [ "$(gen standard d --plan list.tsv | grep -v '^#' | cut -f8 | sort -u)" = 3 ]
    [ "$(todo --seed=3 list.tsv)" = "snap_001=3 snap_002=3 snap_003=3 " ]
    [ "$(todo --round=1 list.tsv)" = "snap_001=3 snap_002=3 snap_003=3 " ]
    stamps d | cmp before -
    ls -lR --time-style=full-iso d | cmp before_all -
    # a plan is a list
    mv away snaps
    run -0 --separate-stderr gen simple d out.tsv
    [ "$(todo list.tsv)" = "snap_001=0 snap_002=0 snap_003=0 " ]
}

@test "a dry run says what would be made" {
    run -0 --separate-stderr gen simple d --dry-run -o e.tsv list.tsv
    [ -z "$output" ]
    [ "$stderr" = "iris-gen: would make 9 of 9 points of 3 snapshots in 'd'" ]
    [ ! -e d ]
    [ ! -e e.tsv ]
    iris-gen --dry-run --info -o e.tsv | grep -q '^#rank'
    [ ! -e e.tsv ]
    gen simple d list.tsv >/dev/null
    rm "$(folder d)"/snap_002/p001.*
    run -0 --separate-stderr gen simple d --dry-run list.tsv
    [ "$stderr" = "iris-gen: would make 1 of 9 points of 3 snapshots in 'd'" ]
    run -0 --separate-stderr $(mpi 2) iris-gen -H hyper.json -t simple -d d --dry-run list.tsv </dev/null
    [ "$(grep -c 'would make' <<<"$stderr")" = 1 ]
    [ ! -e "$(folder d)/snap_002/p001.observed.npy" ]
}

# ---- bad snapshots ----

# one_bad TYPE PATTERN COMMAND...: the command damages $bad, one of four
# snapshots. Its points fail with a message that names it, but not where it is, and
# matches; the rest is as if it were not there; repaired, only its points are made.
# Also with $ranks ranks, unless that is empty.
one_bad() {
    local type=$1 pattern=$2 bad=snaps/snap_004.hdf5
    shift 2
    iris-mock -o $bad --cells=2000 --seed=4
    iris-list snaps >four.tsv
    sed '/snap_004/d; s/##rows 4/##rows 3/' four.tsv >three.tsv
    # the bad one is neither first nor last
    { head -n 4 four.tsv && grep ^snap_004 four.tsv && grep ^snap_002 four.tsv && grep ^snap_003 four.tsv; } >mixed.tsv
    cp $bad good.hdf5
    gen "$type" three three.tsv >three_entries.tsv
    gen "$type" four four.tsv >four_entries.tsv
    bad=$bad "$@"

    run -1 --separate-stderr gen "$type" d mixed.tsv
    one_sentence iris-gen
    [[ $stderr == *"3 of 12 points failed"*"'snap_004' point 0 of '$bad': "* ]]
    failed - <<<"$output" >messages
    [ "$(cut -f1 messages)" = "$(printf 'snap_004\n%.0s' 1 2 3)" ]
    [ "$(cut -f2 messages | sort -u | wc -l)" = 1 ]
    grep -qF "'${bad##*/}'" messages || { cat messages; return 1; }
    ! grep -qF "${bad%/*}/" messages || { cat messages; return 1; }
    grep -q -- "$pattern" messages || { cat messages; return 1; }
    # the others: the same rows, the same bytes
    grep -v '##rows\|	snap_004	' <<<"$output" | diff - <(grep -v '##rows' three_entries.tsv)
    [ "$(tail -n1 <<<"$output")" = "##rows 12" ]
    same_data three d
    grep -q '"failed": 3' d/.iris/status.json

    # again, and with ranks: the same
    cp -r d again
    gen "$type" again mixed.tsv 2>/dev/null >again.tsv || [ $? = 1 ]
    cmp again.tsv - <<<"$output"
    if [ -n "$ranks" ]; then
        echo "$output" >single.tsv
        run -1 --separate-stderr $(mpi "$ranks") iris-gen -H hyper.json -t "$type" -d ranks mixed.tsv </dev/null
        cmp single.tsv - <<<"$output"
        same_data three ranks
    fi

    # repaired
    stamps d >before
    rm -f $bad
    cp good.hdf5 $bad
    run -0 --separate-stderr gen "$type" d mixed.tsv
    cmp four_entries.tsv - <<<"$output"
    same_data four d
    comm -23 before <(stamps d) | diff /dev/null -
}

@test "a bad snapshot: cut short" {
    ranks=2
    one_bad simple "HDF5" bash -c 'truncate -s 60000 "$bad"'
}

@test "a bad snapshot: cut short by one byte" {
    ranks=
    one_bad simple "HDF5" bash -c 'truncate -s -1 "$bad"'
}

@test "a bad snapshot: not a number in Density" {
    ranks=
    one_bad standard "'PartType0/Density' is not a number at cell 1234" \
        bash -c 'h5edit "$bad" nan PartType0/Density 1234'
}

@test "a bad snapshot: wrong shape" {
    ranks=
    one_bad simple "'PartType0/Density' has the shape (1999, 1)" \
        bash -c 'h5edit "$bad" truncate-rows PartType0/Density 1999'
}

@test "a bad snapshot: no velocities" {
    ranks=
    one_bad simple "has no dataset 'PartType0/Velocities'" \
        bash -c 'h5edit "$bad" delete PartType0/Velocities'
}

@test "a bad snapshot: not HDF5" {
    ranks=
    one_bad simple "HDF5" bash -c 'seq 1000 >"$bad"'
}

@test "a bad snapshot: empty file" {
    ranks=
    one_bad standard "HDF5" bash -c ': >"$bad"'
}

@test "a bad snapshot: missing" {
    ranks=
    one_bad standard "No such file" bash -c 'rm "$bad"'
}

@test "a bad snapshot: no gas" {
    ranks=
    one_bad simple "no gas cells" bash -c 'h5edit "$bad" delete PartType0'
}

@test "a bad snapshot: an HDF5 file of something else" {
    ranks=
    one_bad simple "not a snapshot" bash -c 'h5edit "$bad" delete Header'
}

@test "a bad snapshot: a damaged piece of a compressed dataset" {
    iris-mock -o snaps/snap_004.hdf5 --cells=20000 --seed=4 --compress
    iris-list snaps >four.tsv
    # flip bytes in the middle, where the arrays are
    size=$(stat -c %s snaps/snap_004.hdf5)
    for at in 3 4 5 6 7; do
        head -c 64 /dev/urandom | dd of=snaps/snap_004.hdf5 bs=1 seek=$((size * at / 10)) conv=notrunc status=none
    done
    run --separate-stderr gen standard d four.tsv
    # it fails by the checksum of the compression or by a value, or it was luck
    [ "$status" = 1 ] || [ "$status" = 0 ]
    [ "$(failed - <<<"$output" | cut -f1 | sort -u)" = "${status/1/snap_004}" ] || [ "$status" = 0 ]
    gen standard three list.tsv >three.tsv
    grep -v '##rows\|	snap_004	' <<<"$output" | diff - <(grep -v '##rows' three.tsv)
}

@test "every snapshot bad" {
    for f in snaps/*; do
        : >"$f"
    done
    run -1 --separate-stderr gen simple d list.tsv
    [[ $stderr == *"9 of 9 points failed"* ]]
    [ "$(failed - <<<"$output" | wc -l)" = 9 ]
    # the manifest is there under -o too: it names the bad ones
    run -1 --separate-stderr gen simple d -o e.tsv list.tsv
    [ "$(failed e.tsv | wc -l)" = 9 ]
    [ -z "$(find d -name '*.npy')" ]
}

@test "what each type needs, and the setting that does without" {
    iris-list snaps/snap_001.hdf5 >one.tsv
    cp snaps/snap_001.hdf5 whole.hdf5
    without() {
        cp whole.hdf5 snaps/snap_001.hdf5
        local name
        for name in "$@"; do
            h5edit snaps/snap_001.hdf5 delete PartType0/$name
        done
    }
    gen simple ref one.tsv >ref.tsv
    # simple needs neither temperature
    without InternalEnergy DustTemperature Masses
    run -0 --separate-stderr gen simple d one.tsv
    cmp ref.tsv - <<<"$output"
    diff -r --exclude=.iris --exclude=source.tsv ref d
    # standard needs all, and says what helps
    needs() {
        rm -rf d
        run -1 --separate-stderr iris-gen -H "${3:-hyper.json}" -t standard -d d one.tsv
        failed - <<<"$output" | grep "has no dataset 'PartType0/$1'$2\$" >/dev/null ||
            { failed - <<<"$output"; return 1; }
    }
    for name in Coordinates Velocities Density InternalEnergy; do
        without $name
        needs $name ""
    done
    without DustTemperature
    needs DustTemperature ".*suite_hyper.dust_temperature.*"
    tiny_hyper -s suite_hyper.dust_temperature=20 >dust.json
    run -0 --separate-stderr iris-gen -H dust.json -t standard -d d one.tsv
    without ChemicalAbundances
    needs ChemicalAbundances ".*dataset_hyper.use_AREPO_abundances to false.*"
    tiny_hyper -s dataset_hyper.use_AREPO_abundances=false >plain.json
    run -0 --separate-stderr iris-gen -H plain.json -t standard -d d one.tsv
    without ChemicalAbundances DustTemperature
    tiny_hyper -s suite_hyper.dust_temperature=20 -s dataset_hyper.use_AREPO_abundances=false >both.json
    run -0 --separate-stderr iris-gen -H both.json -t standard -d d one.tsv
    # columns that are not there
    cp whole.hdf5 snaps/snap_001.hdf5
    tiny_hyper -s dataset_hyper.AREPO_CO_abundance_id=5 >wide.json
    run -1 --separate-stderr iris-gen -H wide.json -t standard -d d one.tsv
    [[ $(failed - <<<"$output") == *"'PartType0/ChemicalAbundances' has 3 species"*"AREPO_CO_abundance_id cannot be 5"* ]]
    h5edit snaps/snap_001.hdf5 widen PartType0/ChemicalAbundances 9
    run -0 --separate-stderr iris-gen -H wide.json -t standard -d d one.tsv
}

@test "another snapshot under the same id is refused" {
    gen simple d list.tsv >first.tsv
    stamps d >before
    iris-mock -o snaps/snap_002.hdf5 --cells=2500 --seed=99
    iris-list snaps >new.tsv
    # all its points are there, but the size differs: the content is compared
    refused() {
        run -1 --separate-stderr "$@"
        [[ $stderr == *"3 of 9 points failed"*"--label"* ]]
        [ "$(failed - <<<"$output" | cut -f1 | sort | uniq -c | tr -s ' ')" = " 3 snap_002" ]
        [[ $(failed - <<<"$output") == *"another snapshot was used under the id 'snap_002'"*"iris-list --label"* ]]
    }
    refused gen simple d new.tsv
    stamps d | cmp before -
    refused $(mpi 2) iris-gen -H hyper.json -t simple -d d new.tsv </dev/null
    stamps d | cmp before -
    # a point is missing: it is not made from the other one, with any size
    iris-mock -o snaps/snap_002.hdf5 --cells=2000 --seed=99
    iris-list snaps >new.tsv
    rm "$(folder d)/snap_002/p001.observed.npy"
    stamps d >before
    refused gen simple d new.tsv
    stamps d | cmp before -
    # the way out
    iris-list --label=new_ snaps/snap_002.hdf5 >label.tsv
    run -0 --separate-stderr gen simple d label.tsv
    # the first one back: goes on
    iris-mock -o snaps/snap_002.hdf5 --cells=2000 --seed=2
    gen simple d list.tsv | cmp - first.tsv
}

@test "one changed value makes another snapshot" {
    gen standard d list.tsv >/dev/null
    rm "$(folder d)/snap_003/p000.tensor.npy"
    h5edit snaps/snap_003.hdf5 set PartType0/InternalEnergy 77 5
    run -1 --separate-stderr gen standard d list.tsv
    [[ $(failed - <<<"$output") == *"another snapshot"* ]]
}

@test "the same content stored in another way is the same snapshot" {
    gen standard d list.tsv >first.tsv
    rm "$(folder d)/snap_001/p000.tensor.npy"
    cp -r d ref
    gen standard ref list.tsv >/dev/null
    stamps d >before
    for i in 1 2 3; do
        iris-mock -o snaps/snap_00$i.hdf5 --cells=2000 --seed=$i --compress
    done
    iris-list snaps >packed.tsv
    ! cmp -s list.tsv packed.tsv || false
    run -0 --separate-stderr gen standard d packed.tsv
    [ -z "$stderr" ]
    cmp first.tsv - <<<"$output"
    same_data d ref
    comm -23 before <(stamps d) | diff /dev/null -
}

@test "the same content in double precision is the same snapshot" {
    command -v h5import h5dump >/dev/null || skip "no h5import"
    sed '/snap_00[23]/d; /##rows/d' list.tsv >one.tsv
    gen standard ref one.tsv >first.tsv
    cp -r ref d
    rm "$(folder d)/snap_001/p000.tensor.npy"
    for name in Density InternalEnergy DustTemperature; do
        h5dump -d PartType0/$name -b LE -o raw snaps/snap_001.hdf5 >/dev/null
        h5edit snaps/snap_001.hdf5 delete PartType0/$name
        printf '%s\n' "PATH PartType0/$name" "INPUT-CLASS FP" "INPUT-SIZE 32" "RANK 1" \
            "DIMENSION-SIZES 2000" "OUTPUT-CLASS FP" "OUTPUT-SIZE 64" >config
        h5import raw -c config -o snaps/snap_001.hdf5
    done
    h5dump -H -d PartType0/Density snaps/snap_001.hdf5 | grep -q F64
    run -0 --separate-stderr gen standard d one.tsv
    cmp first.tsv - <<<"$output"
    same_data ref d
}

@test "comoving runs are refused, or converted" {
    comoving() {
        h5edit "$1" iattr Parameters ComovingIntegrationOn 1
        h5edit "$1" attr Header Time "$2"
        h5edit "$1" attr Header HubbleParam "$3"
    }
    iris-list snaps/snap_001.hdf5 >one.tsv
    h5edit snaps/snap_001.hdf5 attr Header UnitLength_in_cm 3.08568e20
    h5edit snaps/snap_001.hdf5 attr Header UnitMass_in_g 1.989e33
    h5edit snaps/snap_001.hdf5 attr Header UnitVelocity_in_cm_per_s 100000
    gen simple ref one.tsv >/dev/null
    cp snaps/snap_001.hdf5 whole.hdf5
    comoving snaps/snap_001.hdf5 1 1
    run -1 --separate-stderr gen simple d one.tsv
    [[ $(failed - <<<"$output") == *"'snap_001.hdf5' is of a comoving run"*"suite_hyper.comoving to \"convert\""* ]]
    tiny_hyper -s 'suite_hyper.comoving="convert"' >convert.json
    # a = h = 1: the same bytes
    iris-gen -H convert.json -t simple -d one one.tsv >/dev/null
    for f in p000.columnized p001.observed; do
        cmp "$(folder one)/snap_001/$f.npy" "$(folder ref)/snap_001/$f.npy"
    done
    # a = 1/4, h = 1/2: lengths a/h, velocities sqrt a, densities h^2 / a^3.
    # All are powers of two, so other units give the same bytes; the datasets
    # must not say otherwise.
    cp whole.hdf5 snaps/snap_001.hdf5
    for name in Coordinates Velocities Density; do
        h5edit snaps/snap_001.hdf5 delattr PartType0/$name a_scaling
        h5edit snaps/snap_001.hdf5 delattr PartType0/$name h_scaling
    done
    cp snaps/snap_001.hdf5 silent.hdf5
    comoving snaps/snap_001.hdf5 0.25 0.5
    iris-gen -H convert.json -t simple -d comoving one.tsv >/dev/null
    cp silent.hdf5 snaps/snap_001.hdf5
    h5edit snaps/snap_001.hdf5 attr Header UnitLength_in_cm 1.54284e20
    h5edit snaps/snap_001.hdf5 attr Header UnitVelocity_in_cm_per_s 50000
    # 1/2^3 lengths, so density is times 8 already; h^2 / a^3 is 16
    h5edit snaps/snap_001.hdf5 attr Header UnitMass_in_g 3.978e33
    iris-gen -H hyper.json -t simple -d units one.tsv >/dev/null
    for k in 0 1 2; do
        cmp "$(folder comoving)/snap_001/p00$k.columnized.npy" "$(folder units)/snap_001/p00$k.columnized.npy"
        cmp "$(folder comoving)/snap_001/p00$k.observed.npy" "$(folder units)/snap_001/p00$k.observed.npy"
        ! cmp -s "$(folder ref)/snap_001/p00$k.observed.npy" "$(folder units)/snap_001/p00$k.observed.npy" || false
    done
    # a dataset that says how it scales is believed
    cp whole.hdf5 snaps/snap_001.hdf5
    comoving snaps/snap_001.hdf5 0.25 0.5
    iris-gen -H convert.json -t simple -d said one.tsv >/dev/null
    cmp "$(folder said)/snap_001/p000.observed.npy" "$(folder ref)/snap_001/p000.observed.npy"
    # not comoving: h must not be applied
    cp silent.hdf5 snaps/snap_001.hdf5
    h5edit snaps/snap_001.hdf5 attr Header HubbleParam 0.6774
    gen simple hubble one.tsv >/dev/null
    same_data ref hubble
}

@test "a view that reaches the face of a periodic box" {
    # code units: 1/10 kpc in a box of 240
    tiny_hyper -s 'suite_hyper.centre=[1,120,120]' >face.json
    tiny_hyper -s 'suite_hyper.centre=[1,120,120]' -s suite_hyper.periodic=true >wrap.json
    for type in simple standard; do
        run -1 --separate-stderr iris-gen -H face.json -t $type -d face list.tsv
        [ "$(failed - <<<"$output" | grep -c 'face of a periodic box; set suite_hyper.periodic to true')" = 9 ]
        one_sentence iris-gen
        run -0 --separate-stderr iris-gen -H wrap.json -t $type -d wrap list.tsv
        [ "$(tail -n1 <<<"$output")" = "##rows 9" ]
    done
    [ -z "$(find face -name '*.npy*')" ]
    # walls have nothing behind them, nor has a box that does not say what it is
    h5edit snaps/snap_001.hdf5 iattr Config REFLECTIVE_X 1
    h5edit snaps/snap_002.hdf5 iattr Config REFLECTIVE_Y 1
    h5edit snaps/snap_003.hdf5 delete Config
    run -1 --separate-stderr iris-gen -H face.json -t simple -d walls list.tsv
    [ "$(failed - <<<"$output" | cut -f1 | sort -u)" = snap_002 ]
    # far from the faces it is all one
    tiny_hyper -s suite_hyper.periodic=true >far.json
    gen simple open list.tsv >/dev/null
    iris-gen -H far.json -t simple -d closed list.tsv >/dev/null
    cmp "$(folder open)/snap_002/p000.observed.npy" "$(folder closed)/snap_002/p000.observed.npy"
}

@test "the box wraps: shifted around a face nothing changes" {
    # whole boxes, so the positions stay exact
    iris-list snaps/snap_001.hdf5 >one.tsv
    tiny_hyper -s 'suite_hyper.centre=[120,120,120]' -s suite_hyper.periodic=true >middle.json
    iris-gen -H middle.json -t simple -d middle one.tsv >/dev/null
    tiny_hyper -s 'suite_hyper.centre=[360,120,-120]' -s suite_hyper.periodic=true >shifted.json
    iris-gen -H shifted.json -t simple -d shifted one.tsv >/dev/null
    for k in 0 1 2; do
        cmp "$(folder middle)/snap_001/p00$k.observed.npy" "$(folder shifted)/snap_001/p00$k.observed.npy"
    done
}

# ---- interruptions ----

@test "killed at any moment, the same command continues" {
    command=(iris-gen -H big.json -t standard -d d -o e.tsv list.tsv)
    iris-gen -H big.json -t standard -d ref -o ref.tsv list.tsv
    partly=0
    for i in 1 2 3 4 5; do
        if [ $i = 2 ]; then
            # once when there are some points
            rm -rf d e.tsv
            start $(stops rename tensor.npy STOP_NTH=5) "${command[@]}"
            wait_for are_stopped $background 1
        else
            start "${command[@]}"
            sleep "0.$((RANDOM % 3))$((RANDOM % 10))"
        fi
        kill_session $background
        [ ! -e d ] || nothing_half d ref
        n=$(find d -name '*.tensor.npy' | wc -l)
        [ "$n" -eq 0 ] || [ "$n" -eq 12 ] || partly=1
        [ "$n" -eq 12 ] || [ ! -e e.tsv ]
    done
    "${command[@]}"
    cmp ref.tsv e.tsv
    same_data ref d
    [ -z "$(find d -name '*.tmp')" ]
    [ $partly = 1 ]
}

@test "killed under mpirun, the same command continues" {
    iris-gen -H big.json -t simple -d ref -o ref.tsv list.tsv
    command=($(mpi 2) iris-gen -H big.json -t simple -d d -o e.tsv list.tsv)
    for i in 1 2; do
        start "${command[@]}"
        sleep "0.$((RANDOM % 5 + 3))$((RANDOM % 10))"
        kill_session $background
        [ ! -e d ] || nothing_half d ref
    done
    run -0 --separate-stderr "${command[@]}" </dev/null
    cmp ref.tsv e.tsv
    same_data ref d
}

@test "one rank killed ends the run, and the same command continues" {
    iris-gen -H big.json -t simple -d ref -o ref.tsv list.tsv
    command=($(mpi 2) iris-gen -H big.json -t simple -d d -o e.tsv list.tsv)
    for victim in 1 0; do
        rm -rf d e.tsv
        # both have made a point when it goes
        start $(stops rename observed.npy STOP_NTH=1) "${command[@]}"
        wait_for are_stopped $background 2
        # rank N says so in its environment
        pid=
        for p in $(ps -s $background -o pid=); do
            if grep -qz "^OMPI_COMM_WORLD_RANK=$victim\$" "/proc/$p/environ" 2>/dev/null; then
                pid=$p
            fi
        done
        [ -n "$pid" ]
        kill -9 "$pid"
        ends
        [ $status != 0 ]
        [ ! -e e.tsv ]
        nothing_half d ref
        # at once: a rank that is on its way out may still hold a file
        for i in $(seq 50); do
            status=0
            "${command[@]}" </dev/null 2>/dev/null || status=$?
            [ $status = 75 ] || break
            sleep 0.1
        done
        [ $status = 0 ]
        cmp ref.tsv e.tsv
        same_data ref d
    done
}

@test "signals without mpirun end the run with 75" {
    iris-gen -H big.json -t standard -d ref -o ref.tsv list.tsv
    for name in USR1 TERM INT; do
        rm -rf d e.tsv
        start $(stops rename tensor.npy STOP_NTH=2) iris-gen -H big.json -t standard -d d -o e.tsv list.tsv
        wait_for are_stopped $background 1
        kill -s $name $background
        kill -CONT $background
        status=0
        wait $background || status=$?
        background=
        [ $status = 75 ]
        [ ! -e e.tsv ]
        stderr=$(cat stderr)
        one_sentence iris-gen
        [[ $stderr == *"stopped by a signal with "*" of 12 points done; run again to continue" ]]
        grep -q '"state": "stopped"' d/.iris/status.json
        nothing_half d ref
        [ -z "$(find d -name '*.tmp')" ]
        [ "$(find d -name '*.tensor.npy' | wc -l)" -lt 12 ]
        iris-gen -H big.json -t standard -d d -o e.tsv list.tsv
        cmp ref.tsv e.tsv
        same_data ref d
    done
}

@test "a signal while it waits for rows" {
    mkfifo in
    exec 9<>in
    for name in USR1 TERM; do
        setsid iris-gen -H hyper.json -t simple -d d -o e.tsv - <in >/dev/null 2>stderr 3>&- 9>&- &
        background=$!
        wait_for [ -e d/.iris/status.json ]
        sleep 0.3
        kill -s $name $background
        status=0
        wait $background || status=$?
        background=
        [ $status = 75 ]
        rm -r d
    done
    exec 9>&-
}

@test "a signal to mpirun ends the run, and the same command continues" {
    iris-gen -H big.json -t standard -d ref -o ref.tsv list.tsv
    command=($(mpi 2) iris-gen -H big.json -t standard -d d -o e.tsv list.tsv)
    for _ in 1 2 3; do
        rm -rf d
        start $(stops rename tensor.npy STOP_NTH=2 STOP_RANK=0) "${command[@]}"
        wait_for are_stopped $background 1
        master=$(stopped $background)
        kill -USR1 $background
        wait_for is_pending $master USR1
        kill -CONT $master
        ends
        [ $status = hung ] || break
    done
    [ $status = 75 ]
    [ ! -e e.tsv ]
    nothing_half d ref
    [ -z "$(find d -name '*.tmp')" ]
    "${command[@]}" </dev/null
    cmp ref.tsv e.tsv
    same_data ref d
}

# ---- several at once ----

@test "two runs on one data set: the second is turned away" {
    mkfifo in
    exec 9<>in
    setsid iris-gen -H hyper.json -t simple -d d - <in >first.tsv 2>stderr 3>&- 9>&- &
    background=$!
    wait_for [ -e d/.iris/status.json ]
    run -75 --separate-stderr gen standard d list.tsv
    one_sentence iris-gen
    [[ $stderr == *"data set 'd' is in use by another run (host $(hostname), process $background)" ]]
    [ -z "$output" ]
    run -75 --separate-stderr $(mpi 2) iris-gen -H hyper.json -t simple -d d list.tsv </dev/null
    [ "$(grep -c '^iris-gen: ' <<<"$stderr")" = 1 ]
    # looking is allowed
    run -0 --separate-stderr gen simple d --plan list.tsv
    run -0 --separate-stderr gen simple d --dry-run list.tsv
    # the first one is not disturbed
    cat list.tsv >&9
    exec 9>&-
    wait $background
    background=
    gen simple ref list.tsv | cmp - first.tsv
    same_data ref d
    # nor is anything left of the lock
    run -0 --separate-stderr gen simple d list.tsv
}

@test "plans do not disturb a run" {
    iris-gen -H big.json -t standard -d ref -o ref.tsv list.tsv
    # it goes on from each of its arrays when there was a plan
    start $(stops rename tensor.npy) iris-gen -H big.json -t standard -d d -o e.tsv list.tsv
    n=0
    while kill -0 $background 2>/dev/null; do
        iris-gen --plan -H big.json -t standard -d d -o plan.tsv list.tsv
        iris-gen --dry-run -q -H big.json -t standard -d d list.tsv 2>/dev/null
        n=$((n + 1))
        kill -CONT $background 2>/dev/null || true
    done
    wait $background || { cat stderr; return 1; }
    background=
    [ $n -ge 12 ]
    cmp ref.tsv e.tsv
    same_data ref d
}

@test "a file that another process is writing stops the run, and is not lost" {
    gen standard ref list.tsv >ref.tsv
    cp -r ref d
    f=$(folder d)/snap_002/p001.tensor.npy
    rm "$f"
    exec 9>"$f.tmp"
    flock 9
    run -75 --separate-stderr gen standard d list.tsv
    one_sentence iris-gen
    [[ $stderr == *"another program is writing"*"p001.tensor.npy"* ]]
    [ -z "$output" ]
    [ -e "$f.tmp" ]
    exec 9>&-
    gen standard d list.tsv | cmp - ref.tsv
    same_data ref d
}

@test "a settings record that differs is refused" {
    gen simple d list.tsv >e.tsv
    settings=d/entries/$(ls d/entries)/settings.json
    cp "$settings" good.json
    sed -i 's/8277/8278/' "$settings"
    ! cmp -s "$settings" good.json || false
    run -65 --separate-stderr gen simple d list.tsv
    one_sentence iris-gen
    [[ $stderr == *"'$settings'"*"other settings under the same digest"* ]]
    [ -z "$output" ]
    cp good.json "$settings"
    gen simple d list.tsv | cmp - e.tsv
}

# ---- talk ----

@test "quiet on success, progress when asked, -v says more" {
    run -0 --separate-stderr gen simple d list.tsv
    [ -z "$stderr" ]
    run -0 --separate-stderr iris-gen -H big.json -t simple -d e --progress=0.001 list.tsv
    [[ $stderr == *"/12"* ]]
    [ "$(grep -vc '^iris-gen: ' <<<"$stderr")" = 0 ]
    run -0 --separate-stderr iris-gen -H big.json -t simple -d f --progress=0.001 -q list.tsv
    [ -z "$stderr" ]
    run -0 --separate-stderr iris-gen -H hyper.json -t standard -d f --progress=0 list.tsv
    [ -z "$stderr" ]
    # a warning about a header that is wrong comes once for a snapshot
    h5edit snaps/snap_001.hdf5 truncate-rows PartType0/Velocities 1990
    for name in Coordinates Density ChemicalAbundances; do
        h5edit snaps/snap_001.hdf5 truncate-rows PartType0/$name 1990
    done
    run -0 --separate-stderr gen simple g list.tsv
    [ "$(grep -c 'warning: .*the header says 2000 gas cells, the datasets have 1990' <<<"$stderr")" = 1 ]
    run -0 --separate-stderr $(mpi 3) iris-gen -H hyper.json -t simple -d h list.tsv </dev/null
    [ "$(grep -c 'warning: .*the header says 2000 gas cells, the datasets have 1990' <<<"$stderr")" = 1 ]
    same_data g h
}
