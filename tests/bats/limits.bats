#!/usr/bin/env bats
# The limits of a run of iris-gen: of time, of snapshots in memory, of memory.
bats_require_minimum_version 1.5.0
load common

setup_file() {
    mkdir "$BATS_FILE_TMPDIR/base"
    cd "$BATS_FILE_TMPDIR/base"
    snapshots 5
    tiny_hyper -o hyper.json
    iris-list -o list.tsv snaps
    iris-gen -H hyper.json -t standard -d ref -o ref.tsv list.tsv
    # a point that takes many minutes, in many pieces
    tiny_hyper -s coordinate_hyper.r_steps=2000 -s coordinate_hyper.r_crop_max_index=2000 \
        -s coordinate_hyper.lat_steps=80 -s coordinate_hyper.lon_steps=40000 \
        -s observer_hyper.lon_pieces=1 -o endless.json
}

setup() {
    cp -a "$BATS_FILE_TMPDIR/base" "$BATS_TEST_TMPDIR/work"
    cd "$BATS_TEST_TMPDIR/work"
    background=
}

teardown() {
    [ -z "$background" ] || end_session "$background"
}

# gen N ARGUMENT...: tensors of the small grid in ./d by N ranks; 0: no launcher
gen() {
    local n=$1
    shift
    $([ "$n" = 0 ] || mpi "$n") iris-gen -H hyper.json -t standard -d d -o e.tsv "$@" </dev/null
}

# start COMMAND...: in a session of its own, $background
start() {
    setsid "$@" </dev/null >/dev/null 2>stderr 3>&- &
    background=$!
}

# arrays: how many there are
arrays() {
    find d -name '*.npy' 2>/dev/null | wc -l
}

# whole: every array there is that of the reference, and nothing else is left
whole() {
    local f
    for f in $(find d/entries -type f); do
        cmp "$f" "ref${f#d}" || return 1
    done
    no_leftovers
}

# all_there: the data set is the reference
all_there() {
    cmp ref.tsv e.tsv
    same_data ref d
}

# usage_error PATTERN ARGUMENT...
usage_error() {
    local pattern=$1
    shift
    run -64 --separate-stderr gen 0 "$@" list.tsv
    one_sentence iris-gen
    [[ $stderr == *$pattern* ]] || { echo "no '$pattern' in: $stderr"; return 1; }
    [ -z "$output" ]
    [ ! -e d ]
}

# ---- --deadline ----

late="iris-gen: stopped by the deadline with"

@test "deadlines that are none" {
    for value in x -1 '' 5s nan 1:00 AUTO; do
        usage_error "bad deadline '$value': need seconds, or auto" --deadline="$value"
    done
}

@test "a deadline that has passed" {
    for n in 0 2; do
        rm -rf d
        run -75 --separate-stderr gen $n --deadline=0 list.tsv
        one_sentence iris-gen
        [[ $stderr == *"$late 0 of 15 points done; run again to continue"* ]]
        [ -z "$output" ]
        [ "$(arrays)" = 0 ]
        [ ! -e e.tsv ]
        grep -q '"state": "stopped"' d/.iris/status.json
        gen $n list.tsv
        all_there
        # where all is done, nothing is late
        rm e.tsv
        run -0 --separate-stderr gen $n --deadline=0 list.tsv
        [ -z "$stderr" ]
        all_there
        rm e.tsv
    done
    gen 2 --deadline=1e9 list.tsv
    all_there
}

@test "a deadline in the middle of points that have no end" {
    for n in 0 2; do
        rm -rf d
        run -75 --separate-stderr timeout 60 $([ $n = 0 ] || mpi $n) iris-gen -H endless.json -t simple -d d \
            -o e.tsv --deadline=8 list.tsv </dev/null
        [[ $stderr == *"$late 0 of 15 points done; run again to continue"* ]]
        [ "$(arrays)" = 0 ]
        [ ! -e e.tsv ]
        no_leftovers
        # all ranks were at one, and broke it off
        [ "$(cat d/.iris/journal/*.tsv | awk -F'\t' '!/^#/ && $7 == 75 && $9 ~ /^make/' | wc -l)" = $((n + !n)) ]
    done
}

@test "a deadline between points: those that are done stay" {
    for n in 0 2; do
        rm -rf d
        # who hands out is held at its first array until it is late
        local began=$SECONDS
        start $(stops rename tensor.npy STOP_NTH=1 $([ $n = 0 ] || echo STOP_RANK=0)) \
            $([ $n = 0 ] || mpi $n) iris-gen -H hyper.json -t standard -d d -o e.tsv --deadline=10 list.tsv
        wait_for are_stopped $background 1
        wait_for eval '((SECONDS - began > 11))'
        kill -CONT $(stopped $background)
        ends
        [ $status = 75 ]
        grep -q "^$late [1-9][0-9]* of 15 points done" stderr
        [ ! -e e.tsv ]
        [ "$(arrays)" -ge 1 ]
        [ "$(arrays)" -lt 15 ]
        whole
        gen $n list.tsv
        all_there
        rm e.tsv
    done
}

# slurm ANSWER: a squeue that says so
slurm() {
    mkdir -p bin
    printf '#!/bin/sh\necho "$@" >>squeue.asked\necho "%s"\n' "$1" >bin/squeue
    chmod +x bin/squeue
}

@test "--deadline=auto asks Slurm" {
    unset SLURM_JOB_ID SLURM_ARRAY_JOB_ID SLURM_ARRAY_TASK_ID
    PATH=$PWD/bin:$PATH
    for n in 0 2; do
        rm -rf d
        run -64 --separate-stderr gen $n --deadline=auto list.tsv
        one_sentence iris-gen
        [[ $stderr == *"not in a job of Slurm: SLURM_JOB_ID is not set"* ]]
        [ "$(arrays)" = 0 ]
        export SLURM_JOB_ID=4711
        # a batch script has something to do after the points, too
        for left in 0:00 0:29; do
            slurm $left
            run -75 --separate-stderr gen $n --deadline=auto list.tsv
            [[ $stderr == *"$late 0 of 15 points done"* ]]
            [ "$(arrays)" = 0 ]
        done
        for left in 1-00:00:00 UNLIMITED; do
            slurm $left
            rm -rf d
            run -0 --separate-stderr gen $n --deadline=auto list.tsv
            [ -z "$stderr" ]
            all_there
            rm e.tsv
        done
        # asked once, by one rank
        [ "$(wc -l <squeue.asked)" = 4 ]
        [ "$(sort -u squeue.asked)" = "-h -j 4711 -o %L" ]
        rm squeue.asked
        slurm tomorrow
        run -74 --separate-stderr gen $n --deadline=auto list.tsv
        one_sentence iris-gen
        [[ $stderr == *"squeue says 'tomorrow', which is no time"* ]]
        unset SLURM_JOB_ID
        rm squeue.asked
    done
}

# ---- --read-ahead ----

@test "numbers to read ahead that are none" {
    for value in x -1 65 '' 1.5; do
        usage_error "bad number '$value' to read ahead: need 0 to 64" --read-ahead="$value"
    done
}

@test "reading ahead changes no byte" {
    # more points than ranks, so that some rank is free to load
    iris-hyper --preset=hyper.json -s writer_hyper.points_per_snapshot=12 -o hyper12.json
    mv hyper12.json hyper.json
    rm -r ref
    gen 0 list.tsv
    mv d ref
    mv e.tsv ref.tsv
    for n in 1 2 4; do
        for ahead in 0 1 3; do
            rm -rf d
            gen $n --read-ahead=$ahead list.tsv
            all_there
            loads=$(journal d | grep -c ^load || true)
            echo "$n ranks, $ahead ahead: $loads"
            if [ $n = 1 ] || [ $ahead = 0 ]; then
                [ "$loads" = 0 ]
            else
                [ "$loads" -ge 1 ]
                [ "$loads" -le 5 ]
            fi
            [ "$(journal d | grep -c ^make)" = 60 ]
        done
    done
}

@test "a snapshot that cannot be read, ahead or not, fails its own points" {
    truncate -s 60000 snaps/snap_002.hdf5
    iris-hyper --preset=hyper.json -s writer_hyper.points_per_snapshot=12 -o hyper12.json
    mv hyper12.json hyper.json
    run -1 --separate-stderr gen 0 list.tsv
    mv d one
    mv e.tsv one.tsv
    [ "$(column state one.tsv | sort | uniq -c | awk '{ print $1 $2 }' | paste -sd' ')" = "12failed 48raw" ]
    for ahead in 0 1 3; do
        rm -rf d
        run -1 --separate-stderr gen 3 --read-ahead=$ahead list.tsv
        # two points of it may have been begun at once
        cut -f1-17 e.tsv | diff - <(cut -f1-17 one.tsv)
        same_data one d
        [ "$ahead" = 0 ] || journal d | grep -qx 'load snap_002 - 65'
    done
}

# ---- --memory ----

@test "sizes of memory that are none" {
    for value in x '' 0 -1 5X 1.5.5G; do
        usage_error "bad size '$value' of memory: need bytes, or a number with K, M, G or T" --memory="$value"
    done
}

@test "too little memory for what is read ahead, and for one" {
    iris-mock -o snaps/snap_010.hdf5 --cells=300000 --seed=4
    iris-mock -o snaps/snap_011.hdf5 --cells=300000 --seed=5
    iris-list -o list.tsv snaps/snap_01*
    # of two ranks is 16 MiB each, a snapshot takes 19 MiB, and 9 while it is indexed
    for n in 0 2; do
        own=$((16 * (n + !n)))
        rm -rf d
        run -74 --separate-stderr gen $n --memory=$((own + 38))M list.tsv
        one_sentence iris-gen
        [[ $stderr == *"node '$(hostname)' has 38.0 MiB of memory for snapshots, but 2 of the size of 'snap_011' need "*"; --read-ahead=0 has one at a time"* ]]
        [ -z "$output" ]
        [ "$(arrays)" = 0 ]
        [ ! -e e.tsv ]
        [ -z "$(find d -name source.tsv)" ]
        run -0 --separate-stderr gen $n --memory=$((own + 38))M --read-ahead=0 list.tsv
        mv e.tsv small.tsv
        rm -rf d
        run -0 --separate-stderr gen $n --memory=1G list.tsv
        cmp small.tsv e.tsv
        rm -rf d e.tsv
        for ahead in 0 1; do
            run -74 --separate-stderr gen $n --memory=$((own + 20))M --read-ahead=$ahead list.tsv
            one_sentence iris-gen
            [[ $stderr == *"has 20.0 MiB of memory for snapshots, but 1 of the size of 'snap_010' need "* ]]
            [[ $stderr != *read-ahead* ]]
            [ "$(arrays)" = 0 ]
            [ ! -e e.tsv ]
        done
        # one that is there is not loaded
        gen $n --read-ahead=0 list.tsv
        run -0 --separate-stderr gen $n --memory=1M list.tsv
        rm e.tsv
    done
    # bytes, with and without a unit
    rm -rf d
    gen 0 --memory=1073741824 list.tsv
    cmp small.tsv e.tsv
}

# ---- sizes ----

@test "settings that no machine bears are refused before anything is asked for" {
    large=(-s coordinate_hyper.r_steps=1048576 -s coordinate_hyper.r_crop_max_index=1048576
        -s coordinate_hyper.lon_steps=1048576 -s cube_hyper.v_steps=1048576)
    tiny_hyper "${large[@]}" -s coordinate_hyper.lat_steps=1048576 -o large.json
    # sizes that 64 bits do not hold
    for mode in --plan --estimate --dry-run '-o e.tsv'; do
        run -65 --separate-stderr iris-gen -H large.json -t standard -d d $mode list.tsv
        one_sentence iris-gen
        [[ $stderr == *"large.json: coordinate_hyper.r_steps times coordinate_hyper.lon_steps times coordinate_hyper.lat_steps must not be above 1099511627776 for a standard data set, not 1152921504606846976" ]]
    done
    # 24 TiB
    for mode in --estimate '-o e.tsv'; do
        for n in 0 2; do
            run -74 --separate-stderr by $n iris-gen -H large.json -t simple -d d $mode list.tsv </dev/null
            one_sentence iris-gen
            [[ $stderr == *"large.json: a point of coordinate_hyper.lon_steps, 1048576, times "*" takes 24576.0 GiB of memory, of which there are "* ]]
        done
    done
    [ -z "$output" ]
    [ ! -e e.tsv ]
    [ ! -e d/entries ]
    iris-hyper --preset=large.json -s 'observer_hyper.v_subsamples=1' -o lines.json
    run -74 --separate-stderr iris-observe -H lines.json -d ref ref.tsv
    [[ $stderr == *"lines.json: a point of coordinate_hyper.lon_steps, 1048576, times "* ]]
    # it may be the changes of a list that ask for so much
    tiny_hyper -s cube_hyper.v_steps=1048576 -o wide.json
    iris-list -o grid.tsv --grid=coordinate_hyper.lon_steps=1048576:1048576:1 snaps/snap_001.hdf5
    run -74 --separate-stderr iris-gen -H wide.json -t simple -d d grid.tsv
    one_sentence iris-gen
    [[ $stderr == *"a point of coordinate_hyper.lon_steps, 1048576, times "* ]]
    [ "$(arrays)" = 0 ]
    # what there is to write is counted as far as it can be
    tiny_hyper "${large[@]}" -s coordinate_hyper.lat_steps=2 -s coordinate_hyper.r_steps=524288 \
        -s coordinate_hyper.r_crop_max_index=524288 -s writer_hyper.points_per_snapshot=1000000 -o large.json
    run -0 --separate-stderr iris-gen -H large.json -t standard -d d --plan list.tsv
    [[ $output == *"##plan snapshots=5 points=5000000 there=0 files=5000000 bytes=18446744073709551615"* ]]
}

@test "tables that no memory holds" {
    export ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}allocator_may_return_null=1
    tiny_lines -s 'observer_hyper.N_H_TOT_steps=[1048576]' -s 'observer_hyper.abundance_H2_steps=[1048576]' \
        -s 'observer_hyper.T_steps=[1048576]' -o large.json
    run -65 --separate-stderr iris-chem -H large.json -o lines.h5
    one_sentence iris-chem
    [[ $stderr == *"large.json: observer_hyper.chem_path[0]: "*"a line table of 1048576 x 1048576 x 1048576 nodes is too large" ]]
    tiny_lines -s 'observer_hyper.N_H_TOT_steps=[60000]' -s 'observer_hyper.abundance_H2_steps=[60000]' \
        -s 'observer_hyper.T_steps=[60000]' -o large.json
    run -74 --separate-stderr iris-chem -H large.json -o lines.h5
    stderr=$(grep -v 'WARNING: AddressSanitizer' <<<"$stderr")
    one_sentence iris-chem
    [[ $stderr == *"no memory for the 13824000000000000 bytes of a line table" ]]
    [ ! -e lines.h5 ]
}

# declares SHAPE: ./big.npy says so, and has little behind
declares() {
    perl -e '
        my $text = "{\x27descr\x27: \x27<f4\x27, \x27fortran_order\x27: False, \x27shape\x27: $ARGV[0], }";
        $text .= " " x ((64 - (10 + length($text) + 1) % 64) % 64) . "\n";
        print "\x93NUMPY\x01\x00", pack("v", length $text), $text, pack("f<*", 1 .. 100)' "$1" >big.npy
}

@test "arrays that declare sizes out of all reason" {
    most='18446744073709551615'
    for shape in "(6, $most, $most, 2)" "($most, 6)" '(6, 4294967296, 4294967296, 4294967296)' \
        '(6, 1048576, 1048576, 1048576)' '(1, 1048576, 1048576)' "(6, ${most}0, 1, 1)" '(6, 0, 0, 0)'; do
        declares "$shape"
        for program in 'iris-observe -H hyper.json -t simple --cube=out' 'iris-show -o out' 'iris-fits -o out'; do
            run -65 --separate-stderr $program big.npy
            one_sentence ${program%% *}
            [[ $stderr == *big.npy* ]]
        done
    done
    [ ! -e out ]
    declares "(2, $most)"
    run -65 --separate-stderr iris-show -o out big.npy
    [[ $stderr == "iris-show: 'big.npy': an array of shape (2, $most) is too large" ]]
}
