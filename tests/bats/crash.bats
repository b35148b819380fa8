#!/usr/bin/env bats
# Every program that writes, and the workflow, ended at every call that changes
# the tree on disk, before it and after it: nothing half made has a final name,
# and the same command again ends in the bytes of an undisturbed run. See
# tests/shims/crash.c.
bats_require_minimum_version 1.5.0
load common
load trees

setup_file() {
    cd "$BATS_FILE_TMPDIR"
    # a workflow of its own, not part of the `make check` that runs this
    unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES
    export CRASH_SO EVERY=1
    CRASH_SO=$(command -v crash.so) || CRASH_SO=$(tr : '\n' <<<"$PATH" | sed 's|$|/crash.so|' | xargs ls 2>/dev/null | head -1)
    [ -e "$CRASH_SO" ]
    if grep -q __asan_init "$(command -v iris-gen)"; then
        export ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}verify_asan_link_order=0
        EVERY=5
        echo "# sanitizers: every ${EVERY}th crash point only" >&3
    fi
    iris-hyper --preset=SEDIGISM_13C16O \
        -s coordinate_hyper.r_steps=8 -s coordinate_hyper.r_crop_max_index=8 \
        -s coordinate_hyper.lon_steps=6 -s coordinate_hyper.lat_steps=4 \
        -s observer_hyper.lat_pieces=2 -s cube_hyper.v_steps=8 \
        -s writer_hyper.points_per_snapshot=2 >hyper.json
    mkdir snaps
    iris-mock -o snaps/snap_001.hdf5 --cells=300 --seed=1
    iris-list -H hyper.json -o list.tsv snaps
    : >calls
}

setup() {
    mkdir "$BATS_TEST_TMPDIR/work"
    cd "$BATS_TEST_TMPDIR/work"
    mkdir base
    cp -a "$BATS_FILE_TMPDIR"/{hyper.json,snaps,list.tsv} base
}

# at N WHEN COMMAND...: run it in ./w and end it at call N; no N: count only
at() {
    local n=$1 when=$2
    shift 2
    rm -f count
    (
        cd w
        export LD_PRELOAD=$CRASH_SO CRASH_COUNT=$PWD/../count
        [ -z "$n" ] || export CRASH_AT="$n"
        [ "$when" != after ] || export CRASH_AFTER=1
        if [ "$when" = all ]; then
            CRASH_ALL=1 setsid --wait "$@"
            exit $? # and what bash says of the killed one goes to err
        fi
        exec "$@"
    ) </dev/null >out 2>err 3>&-
}

# What else is to hold in ./w after a crash, one list of commands; a test may
# say it.
state_holds() {
    :
}

# crash_points NAME COMMAND...: every point of the command, which begins in ./base.
# A directory ./mid may show files that are there for a while only.
crash_points() {
    local name=$1 calls kinds n when status points=0
    shift
    cp -a base w
    at '' count "$@" || { echo "undisturbed: status $?"; cat out err; return 1; }
    kinds=$(cat count)
    calls=${#kinds}
    [ "$calls" -gt 0 ]
    mv w good
    [ -z "$(find good -name '*.tmp')" ]
    for n in $(seq 1 "$EVERY" "$calls"); do
        for when in ${WHEN:-before after}; do
            # after fsync the tree is as before it
            [ "$when${kinds:n-1:1}" != afters ] || continue
            rm -rf w
            cp -a base w
            status=0
            at "$n" "$when" "$@" || status=$?
            points=$((points + 1))
            if ! {
                is_crash "$status" "$when" && [ "$(stat -c %s count)" -ge "$n" ] &&
                    whole w base good $(ls -d mid 2>/dev/null || true) && state_holds
            }; then
                echo "$name: ended with $status $when call $n of $calls:"
                cat out err
                return 1
            fi
            status=0
            (cd w && "$@") </dev/null >out 2>err 3>&- || status=$?
            if [ "$status" != 0 ] || ! same_tree good w; then
                echo "$name: after an end $when call $n of $calls, the same again: status $status"
                cat out err
                return 1
            fi
        done
    done
    echo "$points" >>"$BATS_FILE_TMPDIR/calls"
    echo "# $name: $points crash points" >&3
}

is_crash() {
    [ "$1" = 99 ]
}

# Settings of lines on the grid of hyper.json; see tiny_lines.
small_lines() {
    tiny_lines -s coordinate_hyper.r_steps=8 -s coordinate_hyper.r_crop_max_index=8 \
        -s coordinate_hyper.lon_steps=6 -s coordinate_hyper.lat_steps=4 \
        -s observer_hyper.lon_pieces=1 -s observer_hyper.lat_pieces=2 -s cube_hyper.v_steps=8 \
        -s writer_hyper.points_per_snapshot=2
}

# ---- the shim itself ----

CALLS=rename,renameat,renameat2,link,linkat,symlink,symlinkat,unlink,unlinkat,rmdir,mkdir,mkdirat
CALLS+=,truncate,ftruncate,fallocate,fsync,fdatasync,sync_file_range

# traced COMMAND...: the shim has counted as many calls as the kernel has seen
traced() {
    at '' count strace -f -o "$PWD/trace" -e trace=$CALLS,open,openat,creat "$@" || { cat out err; return 1; }
    grep -vE '^[0-9]+ +(open|openat|creat)\(|^[0-9]+ +<... (open|openat|creat) ' trace |
        grep -vE 'mkdir(at)?\(.*EEXIST' |
        grep -cE '^[0-9]+ +[a-z_0-9]+\(' >seen || true
    [ "$(cat seen)" -eq "$(stat -c %s count)" ] || { echo "$1: $(cat seen) calls, counted $(stat -c %s count)"; return 1; }
    # and no file is made, emptied or written under its final name; those that are
    # locked are opened for that
    grep -E '(open|openat|creat)\(.*(O_WRONLY|O_RDWR)' trace |
        grep -vE '\.tmp"|(\.tmp|/rows\.new)/[^"]*"|"/dev/|/count"|\.iris/(lock|journal/rank0\.tsv|flight/rank0)"|"\.iris-(cache|readers|private)"' >opened || true
    [ ! -s opened ] || { cat opened; return 1; }
}

@test "the shim sees every call, and no final name is opened for writing" {
    command -v strace >/dev/null && strace -o /dev/null true || skip "no strace"
    # LeakSanitizer and strace exclude each other
    export ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0
    cp -a base w
    traced iris-hyper --preset=hyper.json -o h.json
    traced iris-mock -o m.hdf5 --cells=300
    traced iris-mock -o snapdir_001 --cells=300 --files=2
    (cd w && tiny_lines >lines.json)
    traced iris-chem -H lines.json -o lines.h5
    traced iris-list -o l.tsv snaps
    for type in simple standard; do
        traced iris-gen -H hyper.json -t $type -d $type -o $type.tsv list.tsv
        traced iris-merge -d $type -o merged.tsv $type.tsv
        traced iris-units -H hyper.json -d $type --sample=all -o units.json merged.tsv
        traced iris-normalize -H units.json -d $type -o normalized.tsv merged.tsv
        traced iris-shuffle --publish=$type -H units.json --drop-raw -o shuffled.tsv normalized.tsv
        traced iris-check -o report $type
        traced iris-pack -o $type.h5 $type
        traced iris-fits -o $type.fits $type
    done
    (cd w && small_lines >small.json && iris-gen -H small.json -t standard -d T -o t.tsv list.tsv)
    traced iris-observe -H small.json -d P --from=T -o p.tsv t.tsv
    for file in a.npy a.fits; do
        traced iris-observe -H small.json --cube=$file "T/$(column tensor w/t.tsv | head -1)"
    done
    traced iris-fetch --cache=cache --copy -o f.tsv list.tsv
    traced iris-fetch --cache=cache --drop=snap_001
    traced make -f "$IRIS_SOURCE/workflows/iris.mk" -j1 SOURCE=snaps HYPER=hyper.json DATASET=out \
        CACHE=cache2 TYPE=simple SAMPLE=all
    [ -e w/out/attributes.json ]
}

# ---- program by program ----

@test "iris-hyper" {
    crash_points iris-hyper iris-hyper --preset=hyper.json -s writer_hyper.points_per_snapshot=3 -o new.json
    echo older >base/new.json
    rm -rf w good
    crash_points "iris-hyper over a file" iris-hyper --preset=hyper.json -o new.json
}

@test "iris-mock" {
    crash_points iris-mock iris-mock -o new.hdf5 --cells=300 --seed=2
    rm -rf w good
    cp base/snaps/snap_001.hdf5 base/new.hdf5
    crash_points "iris-mock over a file" iris-mock -o new.hdf5 --cells=300 --seed=2
}

@test "iris-mock --files" {
    # a set has its final name when all of its files are there
    state_holds() {
        [ ! -e w/snapdir_003 ] || [ "$(ls w/snapdir_003)" = "$(printf 'snap_003.%s.hdf5\n' 0 1)" ]
    }
    crash_points "iris-mock --files" iris-mock -o snapdir_003 --cells=300 --seed=2 --files=2
}

@test "iris-list" {
    crash_points iris-list iris-list -H hyper.json -o new.tsv snaps
}

@test "iris-chem" {
    (cd base && tiny_lines >lines.json)
    crash_points iris-chem iris-chem -H lines.json -o new.h5
    (cd base && tiny_lines -s observer_hyper.k=1.4e-23 >other.json && iris-chem -H other.json -o new.h5)
    rm -rf w good
    crash_points "iris-chem over a file" iris-chem -H lines.json -o new.h5
}

@test "iris-gen simple" {
    # what has a final name is what iris-merge takes
    state_holds() {
        [ ! -e w/entries.tsv ] || iris-merge -d w/D w/entries.tsv >/dev/null
    }
    crash_points "iris-gen simple" iris-gen -H hyper.json -t simple -d D -o entries.tsv list.tsv
}

@test "iris-gen standard" {
    state_holds() {
        [ ! -e w/entries.tsv ] || iris-merge -d w/D w/entries.tsv >/dev/null
    }
    crash_points "iris-gen standard" iris-gen -H hyper.json -t standard -d D -o entries.tsv list.tsv
}

@test "iris-gen --release" {
    iris-mock -o base/snaps/snapdir_002 --cells=300 --files=2
    (cd base && iris-list snaps | iris-fetch --cache=cache --copy -o fetched.tsv)
    # a copy goes when all that is to be made of it is there
    state_holds() {
        local s
        for s in snap_001/snap_001.hdf5 snap_002/snap_002.0.hdf5 snap_002/snap_002.1.hdf5; do
            [ -e "w/cache/$s" ] || [ "$(find w/D -path "*/${s%/*}/*.npy" | wc -l)" = 4 ] || return 1
        done
    }
    crash_points "iris-gen --release" \
        iris-gen -H hyper.json -t simple -d D --release -o entries.tsv fetched.tsv
    [ "$(ls good/cache)" = "" ]
}

@test "iris-observe" {
    (cd base && small_lines >lines.json && iris-gen -H lines.json -t standard -d D -o tensors.tsv list.tsv)
    path=D/$(column tensor base/tensors.tsv | head -1)
    state_holds() {
        [ ! -e w/entries.tsv ] || iris-merge -d w/D w/entries.tsv >/dev/null
    }
    crash_points "iris-observe pairs" iris-observe -H lines.json -d D -o entries.tsv tensors.tsv
    state_holds() {
        :
    }
    for file in new.npy new.fits; do
        rm -rf w good
        crash_points "iris-observe $file" iris-observe -H lines.json --cube=$file "$path"
    done
}

# made TYPE: all steps to ./base/normalized.tsv, of TYPE in ./base/D
made() {
    cd base
    iris-gen -H hyper.json -t "$1" -d D -o entries.tsv list.tsv
    iris-merge -d D -o merged.tsv entries.tsv
    iris-units -H hyper.json -d D --sample=all -o units.json merged.tsv
    iris-normalize -H units.json -d D -o normalized.tsv merged.tsv
    cd ..
}

@test "iris-merge" {
    (cd base && iris-gen -H hyper.json -t simple -d D -o entries.tsv list.tsv)
    crash_points iris-merge iris-merge -d D -o merged.tsv entries.tsv
}

@test "iris-units" {
    made simple
    rm base/units.json
    crash_points iris-units iris-units -H hyper.json -d D --sample=all -o units.json merged.tsv
}

@test "iris-normalize simple, with factors" {
    made simple
    rm -r base/normalized.tsv base/D/entries/*/iris-*
    crash_points "iris-normalize simple" iris-normalize -H units.json -d D -o normalized.tsv merged.tsv
    [ "$(find good/D/entries/*/iris-* -name '*.npy' -links 1 | wc -l)" = 4 ]
}

@test "iris-normalize standard, with hard links" {
    made standard
    rm -r base/normalized.tsv base/D/entries/*/iris-*
    crash_points "iris-normalize standard" iris-normalize -H units.json -d D -o normalized.tsv merged.tsv
    [ "$(find good/D/entries/*/iris-* -name '*.npy' -links 2 | wc -l)" = 2 ]
}

# Three files published are all of one publication, or there is no
# attributes.json, or it is the old one of a set that grows.
one_publication() {
    local tree
    [ -e w/D/attributes.json ] || return 0
    for tree in base good; do
        ! { cmp -s {w,$tree}/D/attributes.json && cmp -s {w,$tree}/D/hyper.json &&
            cmp -s {w,$tree}/D/iris-manifest.tsv; } || {
            iris-check w/D
            return
        }
    done
    echo "a mixture of publications"
    return 1
}

@test "iris-shuffle --publish" {
    made simple
    state_holds() {
        one_publication
    }
    crash_points "iris-shuffle --publish" iris-shuffle --publish=D -H units.json -o shuffled.tsv normalized.tsv
}

@test "iris-shuffle --publish of more entries" {
    # while a set grows, the old list opens: all its arrays are there, and
    # the settings have its units
    made simple
    cd base
    rows normalized.tsv '$skip = $n > 1' >less.tsv
    iris-shuffle --publish=D -H units.json -o shuffled.tsv less.tsv
    cd ..
    state_holds() {
        { cmp -s {w,good}/D/attributes.json || cmp {w,base}/D/attributes.json; } &&
            (cd w/D && ls $(grep -o '"entries/[^"]*"' attributes.json | tr -d '"') >/dev/null) &&
            iris-hyper --preset=w/D/hyper.json --diff=base/D/hyper.json >difference &&
            [ ! -s difference ]
    }
    crash_points "iris-shuffle --publish, growing" \
        iris-shuffle --publish=D -H units.json -o shuffled.tsv normalized.tsv
}

@test "iris-shuffle --drop-raw" {
    made simple
    state_holds() {
        # raw arrays go only when everything else is done
        one_publication || return
        [ "$(find w/D/entries/*/raw -name '*.npy' | wc -l)" = 4 ] || iris-check w/D
    }
    crash_points "iris-shuffle --drop-raw" \
        iris-shuffle --publish=D -H units.json --drop-raw -o shuffled.tsv normalized.tsv
    [ -z "$(find good/D/entries/*/raw -name '*.npy')" ]
}

@test "iris-shuffle --replace" {
    made simple
    cd base
    iris-shuffle --publish=D -H units.json -o shuffled.tsv normalized.tsv
    iris-units -H hyper.json -d D --sample=1 -o units2.json merged.tsv
    iris-normalize -H units2.json -d D -o normalized2.tsv merged.tsv
    cd ..
    state_holds() {
        one_publication
    }
    crash_points "iris-shuffle --replace" \
        iris-shuffle --replace --publish=D -H units2.json -o shuffled.tsv normalized2.tsv
    run -1 cmp -s base/D/hyper.json good/D/hyper.json
}

@test "iris-fetch --copy" {
    iris-mock -o base/snaps/snapdir_002 --cells=300 --files=2
    iris-list -o base/list.tsv base/snaps
    sed -i 's|base/snaps|snaps|g' base/list.tsv
    crash_points "iris-fetch --copy" iris-fetch --cache=cache --copy -o fetched.tsv list.tsv
    [ "$(find good/cache -name '*.hdf5' | wc -l)" = 3 ]
    diff -r good/cache/snap_002 base/snaps/snapdir_002
}

@test "iris-fetch --drop" {
    iris-mock -o base/snaps/snapdir_002 --cells=300 --files=2
    (cd base && iris-list snaps | iris-fetch --cache=cache --copy -o fetched.tsv)
    crash_points "iris-fetch --drop" iris-fetch --cache=cache --drop=snap_002
    [ "$(ls good/cache)" = snap_001 ]
}

@test "iris-pack" {
    made simple
    (cd base && iris-shuffle --publish=D -H units.json -o shuffled.tsv normalized.tsv)
    # whatever there is under any name, only a whole one opens as complete
    state_holds() {
        local f
        for f in w/*.h5*; do
            [ ! -e "$f" ] || ! iris-check -q "$f" >/dev/null 2>&1 ||
                /usr/bin/python3 "$IRIS_SOURCE/tests/helpers/container.py" equal w/D "$f"
        done
    }
    # after one write is before the next
    export CRASH_WRITES=1
    WHEN=before crash_points "iris-pack, every write" iris-pack -o new.h5 D
    unset CRASH_WRITES
    echo older >base/new.h5
    rm -rf w good
    crash_points "iris-pack over a file" iris-pack -o new.h5 D
}

@test "iris-fits" {
    made simple
    (cd base && iris-shuffle --publish=D -H units.json -o shuffled.tsv normalized.tsv)
    crash_points iris-fits iris-fits -o new.fits D
    echo older >base/new.fits
    rm -rf w good
    crash_points "iris-fits over a file" iris-fits -o new.fits D
}

@test "iris-check" {
    made simple
    (cd base && iris-shuffle --publish=D -H units.json -o shuffled.tsv normalized.tsv)
    crash_points iris-check iris-check -o report D
}

# ---- the workflow ----

workflow() {
    make -f "$IRIS_SOURCE/workflows/iris.mk" -j1 SOURCE=snaps HYPER=hyper.json DATASET=out CACHE=cache \
        TYPE=simple SAMPLE=all "$@"
}

workflow_points() {
    local WHEN=$1
    shift
    rm base/list.tsv
    # what is there for a while: the copy between fetch and gen, the settings
    # before the list, and manifests, whole, that are about to get their names
    cp -a base w
    (cd w && workflow fetch) >out 2>err
    mv w mid
    echo >mid/out/.iris/settings/merge
    cp -a base w
    (cd w && workflow) >out 2>err
    cp w/out/.iris/merged.tsv mid/out/.iris/failed.tsv
    cp w/out/.iris/normalized.tsv mid/out/.iris/normalized.tsv.new
    rm -r w
    [ -e mid/cache/snap_001/snap_001.hdf5 ]
    [ -e mid/cache/snap_001.tsv ]
    state_holds() {
        [ ! -e w/out/attributes.json ] || iris-check w/out
    }
    crash_points "$@" make -f "$IRIS_SOURCE/workflows/iris.mk" -j1 SOURCE=snaps HYPER=hyper.json \
        DATASET=out CACHE=cache TYPE=simple SAMPLE=all
    [ -z "$(find good/cache -name '*.hdf5')" ]
}

@test "the workflow, any of its processes ended" {
    # make sees that and may go on or stop
    is_crash() {
        :
    }
    workflow_points "before after" "workflow, one process"
}

@test "the workflow, all of its processes ended at once" {
    is_crash() {
        [ "$1" = 137 ]
    }
    workflow_points all "workflow, all processes"
}

@test "in all" {
    echo "# in all: $(awk '{ n += $1 } END { print n }' "$BATS_FILE_TMPDIR/calls") crash points" >&3
}
