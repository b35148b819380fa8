#!/usr/bin/env bats
# What a process is allowed and where it is: open files, stack, memory, names, locale,
# umask, rights, links, others at work. The programs do the same then, or say in one
# sentence what is wrong.
bats_require_minimum_version 1.5.0
load common

setup_file() {
    cd "$BATS_FILE_TMPDIR"
    umask 022
    snapshots 3
    tiny_hyper -s writer_hyper.points_per_snapshot=2 -o hyper.json
    tiny_lines -s coordinate_hyper.r_steps=16 -s coordinate_hyper.r_crop_max_index=16 \
        -s coordinate_hyper.lon_steps=12 -s coordinate_hyper.lat_steps=6 -s observer_hyper.lat_pieces=2 \
        -s observer_hyper.lon_pieces=1 -s observer_hyper.v_subsamples=1 -s cube_hyper.v_steps=20 \
        -s writer_hyper.points_per_snapshot=1 -s writer_hyper.unit_calculation_sample_size=1 -o lines.json
    everything ref
}

setup() {
    cd "$BATS_FILE_TMPDIR"
    home=$PWD
    rm -rf d
}

# everything DIR [COMMAND...]: every program once, by that command, with results in
# DIR; fails where one does
everything() {
    local d=$1 tensor
    shift
    mkdir -p "$d"
    "$@" iris-hyper --preset=hyper.json -o "$d/hyper.json"
    "$@" iris-mock -o "$d/snap_004.hdf5" --cells=1000 --seed=4
    "$@" iris-mock -o "$d/snapdir_005" --files=2 --cells=1000 --seed=5
    "$@" iris-list -o "$d/list.tsv" snaps
    "$@" iris-fetch --cache="$d/cache" --copy -o "$d/fetched.tsv" "$d/list.tsv"
    "$@" iris-chem -q -H lines.json -o "$d/lines.h5"
    "$@" iris-gen -q -H lines.json -t synthetic --lines="$d/lines.h5" -d "$d/synthetic" -o "$d/synthetic.tsv" "$d/list.tsv"
    "$@" iris-gen -q -H lines.json -t standard -d "$d/tensors" -o "$d/tensors.tsv" "$d/list.tsv"
    "$@" iris-observe -q -H lines.json --lines="$d/lines.h5" -d "$d/tensors" -o "$d/pairs.tsv" "$d/tensors.tsv"
    tensor=$(find "$d/tensors" -name 'p000.tensor.npy' | sort | head -1)
    "$@" iris-observe -q -H lines.json -t simple --cube="$d/cube.fits" "$tensor"
    "$@" iris-gen -q -H hyper.json -t simple -d "$d/data" -o "$d/entries.tsv" "$d/list.tsv"
    "$@" iris-merge -d "$d/data" -o "$d/merged.tsv" "$d/entries.tsv"
    "$@" iris-units -H hyper.json -d "$d/data" -o "$d/units.json" "$d/merged.tsv"
    "$@" iris-normalize -q -H "$d/units.json" -d "$d/data" -o "$d/normalized.tsv" "$d/merged.tsv"
    "$@" iris-shuffle --seed=7 --publish="$d/data" -H "$d/units.json" -o "$d/shuffled.tsv" "$d/normalized.tsv"
    "$@" iris-check -q "$d/data"
    "$@" iris-pack -q -o "$d/data.h5" "$d/data"
    "$@" iris-check -q "$d/data.h5"
    "$@" iris-show -q -o "$d/data.png" "$d/data"
    "$@" iris-fits -q -o "$d/data.fits" "$d/data"
}

# same_as_ref DIR: the same bytes as in ref, but for what names the place
same_as_ref() {
    diff -r --exclude=.iris --exclude=cache --exclude=fetched.tsv ref "$1"
    diff -r ref/cache "$1/cache"
}

# ends STATUS PROGRAM ARGUMENT...: so, with one sentence
ends() {
    run "-$1" --separate-stderr "${@:2}"
    one_sentence "$2"
}

# ---- what a process has ----

# a locale whose numbers have a comma, in ./d
comma() {
    localedef -i de_DE -f UTF-8 "$PWD/d/de_DE.UTF-8" 2>/dev/null || return
    # whoever looks for a locale there loses some bytes in the C library
    export ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0
    export LOCPATH=$PWD/d
    export LC_ALL=de_DE.UTF-8
    [ "$(bash -c 'printf %.1f 1,5')" = 1,5 ]
}

# deep N: ./d and below it $deep, a directory whose name has N characters, on the way to
# which no name is too long
deep() {
    local part
    part=$(printf 'd%.0s' $(seq 100))
    deep=d
    while [ ${#deep} -lt $(($1 - 102)) ]; do deep=$deep/$part; done
    deep=$deep/$(printf 'e%.0s' $(seq $(($1 - ${#deep} - 1))))
    mkdir -p "$deep"
}

@test "sixteen open files, a small stack and a long path are enough" {
    local deep
    deep 3900
    # what sanitizers add to a stack is not ours
    (
        ulimit -n 16
        ulimit -s $(sanitized && echo 1024 || echo 256)
        everything "$deep"
    )
    same_as_ref "$deep"
    # a snapshot whose values are in a file beside it
    cp snaps/snap_001.hdf5 "$deep/there.hdf5"
    (cd "$deep" && /usr/bin/python3 -c '
import h5py, shutil
shutil.copy("there.hdf5", "here_001.hdf5")
with h5py.File("here_001.hdf5", "r+") as f:
    name = "PartType0/Density"
    shape, kind = f[name].shape, f[name].dtype
    del f[name]
    layout = h5py.VirtualLayout(shape, kind)
    layout[:] = h5py.VirtualSource("there.hdf5", name, shape, kind)
    f.create_virtual_dataset(name, layout)')
    iris-list -o "$deep/here.tsv" "$deep/here_001.hdf5"
    iris-gen -q -H hyper.json -t simple -d "$deep/here" -o "$deep/here-entries.tsv" "$deep/here.tsv"
}

# little LIMIT PROGRAM...: with a limit of ulimit the program does what it should, or
# says in a sentence what it lacks, be it what was to be made before
little() {
    local limit=$1 status=0
    shift
    bash -c "ulimit $limit && exec \"\$@\"" - "$@" </dev/null >/dev/null 2>d/said || status=$?
    stderr=$(cat d/said)
    case $status in
        0 | 127) ;; # of the loader
        1 | 64 | 65 | 74)
            one_sentence "$1"
            lacked=$((lacked + 1))
            ;;
        *) echo "$limit: $*: $status: $stderr"; return 1 ;;
    esac
}

@test "open files that run out are a sentence" {
    local n lacked=0
    mkdir d
    for n in 4 5 6 7 8; do
        little "-n $n" iris-list snaps
        little "-n $n" iris-gen -q -H hyper.json -t simple -d d/data ref/list.tsv
        little "-n $n" iris-normalize -q -H ref/units.json -d d/data ref/merged.tsv
        little "-n $n" iris-pack -q -o d/data.h5 ref/data
        little "-n $n" iris-fetch --cache=d/cache --copy ref/list.tsv
    done
    [ $lacked -gt 0 ]
}

@test "memory that runs out is a sentence" {
    local size lacked=0
    ! sanitized || skip "sanitizers need address space"
    for size in 38000 45000 52000; do
        everything d little "-v $size"
        rm -rf d
    done
    [ $lacked -gt 0 ]
}

# ---- where it is ----

@test "a path that is too long" {
    local deep
    deep 4080
    ends 74 iris-hyper --preset=hyper.json -o "$deep/hyper-settings.json"
    [[ $stderr == *" ... "*"File name too long" ]]
    ends 74 iris-gen -q -H hyper.json -t simple -d "$deep/dataset" ref/list.tsv
    [[ $stderr == *"File name too long" ]]
    ends 74 iris-check "$deep/no-such-data-set"
    [ -z "$(find d -type f)" ]
}

@test "names that are as long as a name may be" {
    local name
    name=$(printf 'n%.0s' $(seq 192))
    mkdir d
    cp snaps/snap_001.hdf5 "d/${name}_001.hdf5"
    iris-list -o d/list.tsv d
    iris-gen -q -H hyper.json -t simple -d d/data -o d/entries.tsv d/list.tsv
    iris-merge -d d/data -o d/merged.tsv d/entries.tsv
    iris-fetch --cache=d/cache --copy -o d/fetched.tsv d/list.tsv
    # of an id of which no file could be made
    name=$(printf 'n%.0s' $(seq 245))
    cp snaps/snap_001.hdf5 "d/${name}_001.hdf5"
    ends 65 iris-list d
    [[ $stderr == *"makes an id of more than 200 bytes" ]]
    # the temporary name of a result is longer than its own
    name=$(printf 'n%.0s' $(seq 253))
    ends 74 iris-hyper --preset=hyper.json -o "d/$name"
    [[ $stderr == *"File name too long" ]]
}

@test "the umask counts, and no more is for everybody; a comma in numbers changes nothing" {
    (umask 077; everything d)
    same_as_ref d
    [ -z "$(find d -perm /077)" ]
    [ -z "$(find ref -perm /022)" ]
    rm -rf d
    mkdir -m 777 d
    comma || skip "no locale with a comma"
    (umask 000; everything d/here)
    same_as_ref d/here
    [ -z "$(find d/here -type f ! -perm 666)" ]
    [ -z "$(find d/here -type d ! -perm 777)" ]
}

@test "nor does it in the workflow" {
    local make=(env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL make -s -f "$IRIS_SOURCE/workflows/iris.mk" SOURCE=snaps
        HYPER=hyper.json TYPE=simple SEED=7)
    mkdir d
    "${make[@]}" DATASET=d/made
    comma || skip "no locale with a comma"
    "${make[@]}" DATASET=d/again
    same_data d/made d/again
    "${make[@]}" DATASET=d/again status | sed 's,d/again,d/made,' | LC_ALL=C diff - <(LC_ALL=C "${make[@]}" DATASET=d/made status)
}

# ---- rights ----

# restricted COMMAND...: without root's right to everything
restricted() {
    if [ "$(id -u)" = 0 ]; then
        setpriv --inh-caps=-all --bounding-set=-all "$@"
    else
        "$@"
    fi
}

@test "what may only be read is read, and stays as it is" {
    restricted true || skip "root reads everything"
    cp -a ref d
    mkdir d/out
    chmod -R a-w d/data d/tensors d/data.h5 d/*.tsv
    restricted iris-check -q d/data
    restricted iris-check -q d/data.h5
    restricted iris-pack -q -o d/out/data.h5 d/data
    cmp ref/data.h5 d/out/data.h5
    restricted iris-show -q -o d/out/data.png d/data
    restricted iris-fits -q -o d/out/data.fits d/data
    restricted iris-units -H hyper.json -d d/data -o d/out/units.json d/merged.tsv
    cmp ref/units.json d/out/units.json
    restricted iris-merge -d d/data -o d/out/merged.tsv d/entries.tsv
    restricted iris-gen --plan -H hyper.json -t simple -d d/data -o d/out/plan.tsv d/list.tsv
    # those who write say that they cannot
    chmod a-w d/out
    for words in 'iris-gen -q -H hyper.json -t simple -d d/data d/list.tsv' \
        'iris-normalize -q -H ref/units.json -d d/data d/merged.tsv' \
        'iris-shuffle --publish=d/data -H ref/units.json d/normalized.tsv' \
        'iris-observe -q -H lines.json --lines=ref/lines.h5 -d d/tensors d/tensors.tsv' \
        'iris-fetch --cache=d/out/cache --copy d/list.tsv' 'iris-pack -q -o d/out/data.h5 d/data' \
        'iris-hyper --preset=hyper.json -o d/out/hyper.json' 'iris-mock -o d/out/snap_1.hdf5 --cells=100' \
        'iris-mock -o d/out/snapdir_1 --files=2 --cells=100' 'iris-chem -q -H lines.json -o d/out/other.h5'; do
        run -74 --separate-stderr restricted $words
        one_sentence ${words%% *}
        [[ $stderr == *"Permission denied" ]] || { echo "$words: $stderr"; false; }
    done
    chmod -R u+w d
    diff -r ref/data d/data
    diff -r ref/tensors d/tensors
}

@test "a disk that may only be read" {
    mkdir d d/disk
    cp -a ref/data ref/merged.tsv d/disk
    mount --bind d/disk d/disk 2>/dev/null || skip "no right to mount"
    mount -o remount,bind,ro d/disk
    iris-check -q d/disk/data
    iris-pack -q -o d/data.h5 d/disk/data
    cmp ref/data.h5 d/data.h5
    run -74 --separate-stderr iris-gen -q -H hyper.json -t simple -d d/disk/data ref/list.tsv
    one_sentence iris-gen
    [[ $stderr == *"Read-only file system" ]]
    run -74 --separate-stderr iris-normalize -q -H ref/units.json -d d/disk/data d/disk/merged.tsv
    one_sentence iris-normalize
    umount d/disk
}

teardown() {
    [ -z "${holders:-}" ] || kill $holders 2>/dev/null || true
    umount "$BATS_FILE_TMPDIR/d/disk" 2>/dev/null || true
}

# ---- links in a data set ----

@test "directories of a data set may be links, files are replaced" {
    mkdir -p d/data d/far/entries d/far/state
    ln -s ../far/entries d/data/entries
    ln -s ../far/state d/data/.iris
    echo precious >d/precious
    for name in iris-manifest.tsv hyper.json attributes.json; do ln -s ../precious d/data/$name; done
    # a link that stands for what is published is none of ours
    iris-gen -q -H hyper.json -t simple -d d/data -o d/entries.tsv ref/list.tsv
    rm d/data/*.*
    iris-merge -d d/data -o d/merged.tsv d/entries.tsv
    iris-units -H hyper.json -d d/data -o d/units.json d/merged.tsv
    iris-normalize -q -H d/units.json -d d/data -o d/normalized.tsv d/merged.tsv
    ln -s ../precious d/data/hyper.json
    iris-shuffle --seed=7 --publish=d/data -H d/units.json -o d/shuffled.tsv d/normalized.tsv
    [ ! -L d/data/hyper.json ]
    [ "$(cat d/precious)" = precious ]
    iris-check -q d/data
    diff -r --exclude=.iris ref/data d/data
    [ -n "$(ls d/far/entries)" ]
    [ -L d/data/entries ]
    [ -L d/data/.iris ]
    # nothing is written through the link of a lock, a journal, or a temporary file
    rm d/data/.iris/lock
    ln -s ../../precious d/data/.iris/lock
    ends 74 iris-gen -q -H hyper.json -t simple -d d/data ref/list.tsv
    ends 74 iris-normalize -q -H d/units.json -d d/data d/merged.tsv
    rm d/data/.iris/lock d/data/.iris/journal/*
    ln -s ../../../precious d/data/.iris/journal/rank0.tsv
    rm -r d/data/entries/*/raw/snap_002
    iris-gen -q -H hyper.json -t simple -d d/data -o d/entries.tsv ref/list.tsv
    [ "$(cat d/precious)" = precious ]
    iris-check -q d/data
}

# ---- others at work ----

@test "who finds a data set in use leaves it alone" {
    cp -a ref d
    flock --no-fork d/data/.iris/lock sleep 1000 3>&- &
    holders=$!
    wait_for eval '! flock -n d/data/.iris/lock true'
    flock --no-fork d/tensors/.iris/lock sleep 1000 3>&- &
    holders+=" $!"
    wait_for eval '! flock -n d/tensors/.iris/lock true'
    local words
    for words in 'iris-gen -q -H hyper.json -t simple -d d/data d/list.tsv' \
        'iris-normalize -q -H d/units.json -d d/data d/merged.tsv' \
        'iris-shuffle --publish=d/data -H d/units.json d/normalized.tsv' \
        'iris-shuffle --publish=d/data --drop-raw -H d/units.json d/normalized.tsv' \
        'iris-observe -q -H lines.json --lines=ref/lines.h5 -d d/tensors d/tensors.tsv'; do
        run -75 --separate-stderr $words
        one_sentence ${words%% *}
        [[ $stderr == *"is in use by another run"* ]] || { echo "$words: $stderr"; false; }
        [ -z "$output" ]
    done
    # who only reads does not mind
    iris-check -q d/data
    iris-merge -d d/data -o d/again.tsv d/entries.tsv
    iris-units -H hyper.json -d d/data -o d/again.json d/merged.tsv
    kill $holders
    wait $holders || true
    diff -r --exclude=.iris ref/data d/data
}
