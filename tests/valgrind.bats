#!/usr/bin/env bats
# Every program under memcheck of valgrind, on a small job and on one that it refuses: it
# reads nothing that nobody wrote, and gives back what it has taken.
bats_require_minimum_version 1.5.0
load bats/common

setup_file() {
    command -v valgrind || return 0
    cd "$BATS_FILE_TMPDIR"
    tiny_lines -s coordinate_hyper.r_steps=8 -s coordinate_hyper.r_crop_max_index=8 \
        -s coordinate_hyper.lon_steps=6 -s coordinate_hyper.lat_steps=4 \
        -s observer_hyper.lon_pieces=1 -s observer_hyper.lat_pieces=2 -s cube_hyper.v_steps=8 \
        -s writer_hyper.points_per_snapshot=2 >hyper.json
    mkdir snaps
    iris-mock -o snaps/snap_001.hdf5 --cells=300 --seed=1
    iris-list -H hyper.json -o list.tsv snaps
    iris-chem -H hyper.json -o lines.h5
    iris-gen -H hyper.json -t standard -d T -o tensors.tsv list.tsv
    iris-gen -H hyper.json -t simple -d D -o entries.tsv list.tsv
    iris-merge -d D -o merged.tsv entries.tsv
    iris-units -H hyper.json -d D --sample=all -o units.json merged.tsv
    iris-normalize -H units.json -d D -o normalized.tsv merged.tsv
    iris-shuffle --seed=7 --publish=D -H units.json -o shuffled.tsv normalized.tsv
    iris-pack -o D.h5 D
}

setup() {
    command -v valgrind || skip "no valgrind"
    cd "$BATS_FILE_TMPDIR"
    echo text >text
}

CHECKED="valgrind -q --num-callers=32 --error-exitcode=99 --leak-check=full --errors-for-leak-kinds=definite,possible
    --show-leak-kinds=definite,possible --suppressions=$IRIS_SOURCE/tests/valgrind.supp"

# clean COMMAND...: it does its job, and memcheck has nothing to say
clean() {
    run -0 --separate-stderr $CHECKED "$@" </dev/null
    [ -z "$stderr" ] || { echo "$stderr"; return 1; }
}

# refused STATUS COMMAND...: it ends with that, and says no more than why
refused() {
    local status=$1
    shift
    run "-$status" --separate-stderr $CHECKED "$@" </dev/null
    one_sentence "$1"
}

@test "iris-hyper" {
    clean iris-hyper --preset=hyper.json -s writer_hyper.points_per_snapshot=3
    refused 65 iris-hyper --preset=text
}

@test "iris-mock" {
    clean iris-mock -o new.hdf5 --cells=300 --seed=2
    clean iris-mock --molecule=13CO -o new.dat
    cmp new.dat co.dat
    refused 74 iris-mock -o missing/new.hdf5 --cells=300
}

@test "iris-list" {
    clean iris-list -H hyper.json snaps
    [ "$output" = "$(<list.tsv)" ]
    refused 74 iris-list missing
}

@test "iris-fetch" {
    clean iris-fetch --cache=cache --copy -o fetched.tsv list.tsv
    clean iris-fetch --cache=cache --drop=snap_001
    refused 65 iris-fetch --cache=cache --copy text
}

@test "iris-chem" {
    clean iris-chem -H hyper.json -o new.h5
    cmp new.h5 lines.h5
    refused 65 iris-chem -H text -o new.h5
}

@test "iris-gen" {
    clean iris-gen -H hyper.json -t simple -d new list.tsv
    [ "$output" = "$(<entries.tsv)" ]
    clean iris-gen -H hyper.json -t synthetic --lines=lines.h5 -d pairs list.tsv
    refused 65 iris-gen -H hyper.json -t simple -d new text
}

@test "iris-gen of two ranks" {
    run -0 --separate-stderr timeout 120 mpirun --oversubscribe -n 2 $CHECKED \
        iris-gen -H hyper.json -t simple -d two list.tsv </dev/null
    [ -z "$stderr" ] || { echo "$stderr"; return 1; }
    [ "$output" = "$(<entries.tsv)" ]
}

@test "iris-observe" {
    local path
    path=T/$(column tensor tensors.tsv | head -1)
    clean iris-observe -H hyper.json --lines=lines.h5 -d T -o pairs.tsv tensors.tsv
    clean iris-observe -H hyper.json --lines=lines.h5 --cube=new.fits "$path"
    refused 65 iris-observe -H hyper.json --lines=lines.h5 --cube=new.npy text
}

@test "iris-merge" {
    clean iris-merge -d D entries.tsv
    [ "$output" = "$(<merged.tsv)" ]
    refused 65 iris-merge -d D text
}

@test "iris-units" {
    clean iris-units -H hyper.json -d D --sample=all merged.tsv
    [ "$output" = "$(<units.json)" ]
    refused 65 iris-units -H hyper.json -d D text
}

@test "iris-normalize" {
    clean iris-normalize -H units.json -d D merged.tsv
    [ "$output" = "$(<normalized.tsv)" ]
    refused 65 iris-normalize -H units.json -d D text
}

@test "iris-shuffle" {
    clean iris-shuffle --seed=7 --publish=D -H units.json normalized.tsv
    [ "$output" = "$(<shuffled.tsv)" ]
    refused 65 iris-shuffle --publish=D -H units.json text
}

@test "iris-check" {
    clean iris-check D
    clean iris-check D.h5
    refused 65 iris-check text
}

@test "iris-pack" {
    clean iris-pack -o new.h5 D
    cmp new.h5 D.h5
    refused 74 iris-pack -o new.h5 missing
}

@test "iris-show" {
    clean iris-show -o new.png D
    refused 65 iris-show -o new.png text
}

@test "iris-fits" {
    clean iris-fits -o new.fits D
    refused 65 iris-fits -o new.fits text
}
