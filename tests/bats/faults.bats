#!/usr/bin/env bats
# Every program on a small job, of which one call fails: no room, no descriptor, no
# memory, a disk that is broken. It ends with the status and the sentence for that, or
# did its job all the same; what has a final name is whole; and the same command again
# ends in the bytes of an undisturbed run. See tests/shims/fail.c.
bats_require_minimum_version 1.5.0
load common
load trees

# FEW, FEW_OF_MEMORY: how many calls of a kind fail in each job, evenly spread over
# all; EVERY=1: all of them, in all ways. FAULTS=FILE: what each did goes there.
setup_file() {
    cd "$BATS_FILE_TMPDIR"
    export FAIL_SO FEW FEW_OF_MEMORY
    FAIL_SO=$(command -v fail.so)
    if sanitized; then
        export ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}verify_asan_link_order=0
        : "${FEW:=6}" "${FEW_OF_MEMORY:=8}"
        echo "# sanitizers: $FEW calls of a kind only" >&3
    fi
    : "${FEW:=12}" "${FEW_OF_MEMORY:=10}"
    if [ "${EVERY:-}" = 1 ]; then
        FEW=1000000 FEW_OF_MEMORY=1000000
    fi
    iris-hyper --preset=SEDIGISM_13C16O \
        -s coordinate_hyper.r_steps=8 -s coordinate_hyper.r_crop_max_index=8 \
        -s coordinate_hyper.lon_steps=6 -s coordinate_hyper.lat_steps=4 \
        -s observer_hyper.lat_pieces=2 -s cube_hyper.v_steps=8 \
        -s writer_hyper.points_per_snapshot=2 >hyper.json
    mkdir snaps
    iris-mock -o snaps/snap_001.hdf5 --cells=300 --seed=1
    iris-list -H hyper.json -o list.tsv snaps
    : >injected
}

setup() {
    mkdir "$BATS_TEST_TMPDIR/work"
    cd "$BATS_TEST_TMPDIR/work"
    mkdir base
    cp -a "$BATS_FILE_TMPDIR"/{hyper.json,snaps,list.tsv} base
}

KINDS="rename fsync write ftruncate link unlink mkdir open read malloc mmap"

# How calls of a kind fail.
errors_of() {
    case $1 in
    open) echo EMFILE EACCES ;;
    write) echo ENOSPC EIO ;;
    ftruncate | mkdir) echo ENOSPC ;;
    unlink) echo EACCES ;;
    malloc | mmap) echo ENOMEM ;;
    *) echo EIO ;;
    esac
}

# with_fault CALL NTH ERRNO COMMAND...: run it in ./w; CALL none: count only
with_fault() {
    local call=$1 nth=$2 errno=$3
    shift 3
    rm -f count
    (
        cd w
        export FAIL_COUNT=$PWD/../count
        [ "$call" = none ] || export FAIL_CALL=$call FAIL_NTH=$nth FAIL_ERRNO=$errno
        # a disk stays full
        [ "$errno" != ENOSPC ] || export FAIL_STICKY=1
        LD_PRELOAD=${PRELOAD-$FAIL_SO} exec "$@"
    ) </dev/null >out 2>err 3>&-
}

# How a run with a fault may end: with the job done, or with a status that says why
# not, in one sentence. Want of memory makes no entry a bad one.
ends_well() {
    local status=$1 program=$2 call=$3
    stderr=$(<err)
    # a launcher that ends a job has words of its own, and may stumble over them
    [ -z "${PROGRAM:-}" ] || stderr=$(sed '/^-\{70,\}$/,/^-\{70,\}$/d; /ORTE_ERROR_LOG/d' err)
    case $status in
    1) [ "$call" != malloc ] || [[ $program =~ ^iris-(gen|fetch|observe)$ ]] || return 1 ;;&
    65) [[ $program = iris-check ]] || return 1 ;;& # what it cannot read is a broken promise
    0) same good w && cmp out good.out && [ -z "$(find w -name '*.tmp')" ] ;;
    1 | 65 | 74 | 75) one_sentence "$program" && { ! is_changed || is_kept "$status" "$program"; } ;;
    *)
        echo "not a status for this"
        return 1
        ;;
    esac
}

# Whether anything is there that was not there before.
is_changed() {
    ! diff -r base w >/dev/null
}

# same A B: no difference; a test may say what does not matter
same() {
    same_tree "$1" "$2"
}

# before_again: what comes before the same command again; a test may say it
before_again() {
    :
}

# What has a final name is whole; a list of results may name one that failed, as that
# of iris-fetch does with every status.
is_kept() {
    if [ "$1" = 1 ] || [ "$2" = iris-fetch ]; then
        rm -f w/out.tsv
    fi
    whole w base good
}

# spread N FEW: FEW numbers from 1 to N, or all
spread() {
    awk -v n="$1" -v few="$2" 'BEGIN {
        if (n <= few) few = n
        for (i = 0; i < few; i++) print 1 + (few > 1 ? int(i * (n - 1) / (few - 1)) : 0)
    }'
}

# fault NAME CALL NTH ERRNO COMMAND...: one of them, and what comes after it
fault() {
    local name=$1 call=$2 nth=$3 errno=$4 status=0
    shift 4
    rm -rf w
    cp -a base w
    with_fault "$call" "$nth" "$errno" "$@" || status=$?
    [ -z "${FAULTS:-}" ] || echo "$name	$call $nth $errno	$status	$(<err)	$(grep failed count)" >>"$FAULTS"
    if ! ends_well "$status" "${PROGRAM:-$1}" "$call"; then
        echo "$name: status $status when $call $nth failed with $errno:"
        cat count err
        return 1
    fi
    [[ $(<count) != *failed* ]] || echo "$call" >>hits
    # where all is done, or nothing has changed, the same again is the same
    [ "$status" != 0 ] && is_changed || return 0
    status=0
    (cd w && before_again && "$@") </dev/null >out 2>err 3>&- || status=$?
    if [ "$status" != 0 ] || ! same good w || ! cmp out good.out ||
        [ -n "$(find w -name '*.tmp')" ]; then
        echo "$name: $call $nth failed with $errno; the same again: status $status"
        cat count out err
        return 1
    fi
}

# faults NAME COMMAND...: of a command that begins in ./base; FIRST, LAST: of so many calls at the
# beginning or the end
faults() {
    local name=$1 call nth errno ways few n least bad=0
    shift
    rm -rf w good
    cp -a base w
    with_fault none 0 none "$@" || { echo "undisturbed: status $?"; cat out err; return 1; }
    cp count calls
    mv w good
    mv out good.out
    : >hits
    for call in ${CALLS:-$KINDS}; do
        n=$(awk -v call="$call" -v first="${FIRST:-}" '$1 == call { print first && first < $2 ? first : $2 }' calls)
        least=$((${LAST:-$n} < n ? n - LAST : 0))
        few=$FEW
        [ "$call" != malloc ] || few=$FEW_OF_MEMORY
        read -ra ways <<<"$(errors_of "$call")"
        for nth in $(spread $((n - least)) "$few"); do
            nth=$((nth + least))
            for errno in "${ways[@]}"; do
                [ "${EVERY:-}" = 1 ] || errno=${ways[nth % ${#ways[@]}]}
                fault "$name" "$call" "$nth" "$errno" "$@" || bad=$((bad + 1))
                [ "${EVERY:-}" = 1 ] || break
            done
        done
    done
    sed "s/^/${PROGRAM:-$1} /" hits >>"$BATS_FILE_TMPDIR/injected"
    echo "# $name: $(wc -l <hits) faults" >&3
    [ -s hits ] || { echo "$name: no call has failed"; return 1; }
    [ "$bad" = 0 ]
}

# Settings of lines on the grid of hyper.json; see tiny_lines.
small_lines() {
    tiny_lines -s coordinate_hyper.r_steps=8 -s coordinate_hyper.r_crop_max_index=8 \
        -s coordinate_hyper.lon_steps=6 -s coordinate_hyper.lat_steps=4 \
        -s observer_hyper.lon_pieces=1 -s observer_hyper.lat_pieces=2 -s cube_hyper.v_steps=8 \
        -s writer_hyper.points_per_snapshot=2
}

# made TYPE: all steps to a published set in ./base/D, and what is passed between them
made() {
    cd base
    iris-gen -H hyper.json -t "$1" -d D -o entries.tsv list.tsv
    iris-merge -d D -o merged.tsv entries.tsv
    iris-units -H hyper.json -d D --sample=all -o units.json merged.tsv
    iris-normalize -H units.json -d D -o normalized.tsv merged.tsv
    cd ..
}

published() {
    made simple
    (cd base && iris-shuffle --publish=D -H units.json -o shuffled.tsv normalized.tsv)
}

@test "iris-hyper" {
    faults iris-hyper iris-hyper --preset=hyper.json -s writer_hyper.points_per_snapshot=3 -o new.json
    faults "iris-hyper to a pipe" iris-hyper --preset=hyper.json
}

@test "iris-mock" {
    faults iris-mock iris-mock -o new.hdf5 --cells=300 --seed=2
    faults "iris-mock --files" iris-mock -o snapdir_003 --cells=300 --seed=2 --files=2
    faults "iris-mock --molecule" iris-mock --molecule=13CO -o new.dat
}

@test "iris-list" {
    faults iris-list iris-list -H hyper.json -o new.tsv snaps
    faults "iris-list to a pipe" iris-list snaps
}

@test "iris-fetch" {
    faults iris-fetch iris-fetch --cache=cache --copy -o out.tsv list.tsv
    (cd base && iris-fetch --cache=cache --copy -o fetched.tsv list.tsv)
    faults "iris-fetch --drop" iris-fetch --cache=cache --drop=snap_001
}

@test "iris-chem" {
    (cd base && tiny_lines >lines.json)
    faults iris-chem iris-chem -H lines.json -o new.h5
}

@test "iris-gen simple" {
    faults "iris-gen simple" iris-gen -H hyper.json -t simple -d D -o out.tsv list.tsv
}

@test "iris-gen synthetic" {
    (cd base && small_lines >lines.json && iris-chem -H lines.json -o lines.h5)
    faults "iris-gen synthetic" iris-gen -H lines.json -t synthetic --lines=lines.h5 -d D -o out.tsv list.tsv
}

@test "iris-gen of snapshots with quirks" {
    # what is missing in others is there and matters: it may not be taken for missing
    cd base
    rm -r snaps
    mkdir snaps
    iris-mock -o snaps/snapdir_001 --cells=300 --files=2
    for f in snaps/snapdir_001/*; do
        for group in Header Parameters; do
            h5edit "$f" attr $group HubbleParam 0.9
        done
        h5edit "$f" attr PartType0/Coordinates h_scaling -1
        h5edit "$f" attr PartType0/Density h_scaling 2
    done
    iris-list -o list.tsv snaps
    cd ..
    CALLS=read FEW=$((FEW * 6)) faults "iris-gen of snapshots with quirks" \
        iris-gen -H hyper.json -t simple -d D -o out.tsv list.tsv
}

@test "iris-gen --release" {
    # a copy goes when its last point has failed, too, and is fetched again; one that
    # cannot be removed stays, with a warning
    before_again() {
        iris-fetch --cache=cache --copy -o fetched.tsv list.tsv
    }
    same() {
        diff -r --exclude=cache $(with_clock | sed 's/^/--exclude=/') "$1" "$2"
    }
    (cd base && before_again)
    faults "iris-gen --release" iris-gen -H hyper.json -t simple -d D --release -o out.tsv fetched.tsv
}

@test "iris-gen of two ranks" {
    # a run takes seconds: of memory, only EVERY=1 lets more than a few calls fail
    local rank few=2 few_of_memory=3
    [ "${EVERY:-}" != 1 ] || few=$FEW few_of_memory=200
    for rank in 0 1; do
        # the launcher's own calls do not fail
        PRELOAD='' PROGRAM=iris-gen FAIL_RANK=$rank FEW=$few FEW_OF_MEMORY=$few_of_memory faults "iris-gen, rank $rank of two" \
            timeout 60 $(mpi 2) -x LD_PRELOAD="$FAIL_SO" \
            iris-gen -H hyper.json -t simple -d D -o out.tsv list.tsv
    done
    # while they come to the same settings, nobody waits for one that has no memory
    PRELOAD='' PROGRAM=iris-gen FAIL_RANK=1 CALLS=malloc FIRST=24 FEW_OF_MEMORY=8 faults "iris-gen, rank 1 of two, in the beginning" \
        timeout 60 $(mpi 2) -x LD_PRELOAD="$FAIL_SO" \
        iris-gen -H hyper.json -t simple -d D -o out.tsv list.tsv
}

@test "iris-observe" {
    (cd base && small_lines >lines.json && iris-gen -H lines.json -t standard -d D -o tensors.tsv list.tsv)
    path=D/$(column tensor base/tensors.tsv | head -1)
    faults "iris-observe pairs" iris-observe -H lines.json -d D -o out.tsv tensors.tsv
    faults "iris-observe new.npy" iris-observe -H lines.json --cube=new.npy "$path"
    faults "iris-observe new.fits" iris-observe -H lines.json --cube=new.fits "$path"
}

@test "iris-merge" {
    (cd base && iris-gen -H hyper.json -t simple -d D -o entries.tsv list.tsv)
    faults iris-merge iris-merge -d D -o out.tsv entries.tsv
}

@test "iris-units" {
    made simple
    faults iris-units iris-units -H hyper.json -d D --sample=all -o new.json merged.tsv
}

@test "iris-normalize" {
    made simple
    rm -r base/normalized.tsv base/D/entries/*/iris-*
    faults "iris-normalize simple" iris-normalize -H units.json -d D -o out.tsv merged.tsv
}

@test "iris-normalize with hard links" {
    made standard
    rm -r base/normalized.tsv base/D/entries/*/iris-*
    faults "iris-normalize standard" iris-normalize -H units.json -d D -o out.tsv merged.tsv
    # nor is an entry bad for which there was no memory between two arrays
    sanitized || CALLS=malloc LAST=50 FEW_OF_MEMORY=25 faults "iris-normalize standard, at the end" \
        iris-normalize -H units.json -d D -o out.tsv merged.tsv
}

@test "iris-shuffle" {
    made simple
    faults "iris-shuffle --publish" iris-shuffle --publish=D -H units.json --drop-raw -o shuffled.tsv normalized.tsv
}

@test "iris-check" {
    published
    faults iris-check iris-check -v D
    (cd base && iris-pack -o D.h5 D)
    faults "iris-check of a container" iris-check D.h5
}

@test "iris-pack" {
    published
    faults iris-pack iris-pack -o new.h5 D
}

@test "iris-show" {
    published
    faults iris-show iris-show -o new.png D
}

@test "iris-fits" {
    published
    faults iris-fits iris-fits -o new.fits D
}

@test "in all" {
    # one of every kind, where all tests of this file have run
    local call
    if [ "$BATS_TEST_NUMBER" = "$(grep -c ^@test "$BATS_TEST_FILENAME")" ]; then
        for call in $KINDS; do
            grep -q " $call$" "$BATS_FILE_TMPDIR/injected" || { echo "no $call has failed"; false; }
        done
    fi
    awk '{ n++; kinds[$2]; programs[$1] }
        END { printf "# faults: %d calls of %d kinds in %d programs\n", n, length(kinds), length(programs) }' \
        "$BATS_FILE_TMPDIR/injected" >&3
}
