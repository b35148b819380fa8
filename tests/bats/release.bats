#!/usr/bin/env bats
# Copies of snapshots in a cache of iris-fetch, and snapshots of other machines:
# what iris-gen reads, holds and removes, and how a run ends when iris-fetch has gone.
bats_require_minimum_version 1.5.0
load common

setup_file() {
    mkdir "$BATS_FILE_TMPDIR/base"
    cd "$BATS_FILE_TMPDIR/base"
    snapshots 3
    tiny_hyper -o hyper.json
    iris-list -o list.tsv snaps
    iris-fetch --cache=C --copy -o fetched.tsv list.tsv
    iris-gen -H hyper.json -t simple -d ref -o ref.tsv list.tsv
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

# gen DATASET ARGUMENT...: simple pairs of the small grid
gen() {
    local data=$1
    shift
    iris-gen -H hyper.json -t simple -d "$data" "$@"
}

# copies: the snapshots that the cache has, in one line
copies() {
    (cd C && echo *)
}

# failed MANIFEST: snapshot and message of the failed rows
failed() {
    paste <(column snapshot "$1") <(column state "$1") <(column message "$1") |
        awk -F'\t' -v OFS='\t' '$2 == "failed" { print $1, $3 }'
}

# arrays DATASET: how many there are
arrays() {
    find "$1" -name '*.npy' 2>/dev/null | wc -l
}

# start COMMAND...: in a session of its own, $background, with the input of this one
start() {
    setsid "$@" <&0 >/dev/null 2>stderr 3>&- 9>&- &
    background=$!
}

# ---- copies that are released ----

@test "copies are removed when their points are done, and only with --release" {
    for n in 0 1 2; do
        rm -rf C d
        iris-fetch --cache=C --copy -o fetched.tsv list.tsv
        by $n iris-gen -H hyper.json -t simple -d d -o e.tsv fetched.tsv </dev/null
        [ "$(copies)" = "snap_001 snap_002 snap_003" ]
        cmp ref.tsv e.tsv
        same_data ref d
        rm -rf d
        run -0 --separate-stderr by $n iris-gen -H hyper.json -t simple -d d --release -o e.tsv fetched.tsv </dev/null
        [ -z "$output" ]
        [ -z "$stderr" ]
        [ "$(copies)" = "*" ]
        cmp ref.tsv e.tsv
        same_data ref d
    done
    # the cache stays, and so does what the copies are of
    [ -e C/.iris-cache ]
    for k in 1 2 3; do
        [ -e snaps/snap_00$k.hdf5 ]
    done
}

@test "copies are removed one by one, as their points are done" {
    mkfifo in
    exec 9<>in
    start iris-gen -H hyper.json -t simple -d d --release -o e.tsv - <in
    head -n 4 fetched.tsv >&9
    wait_for [ ! -e C/snap_001 ]
    [ "$(copies)" = "snap_002 snap_003" ]
    [ "$(arrays d/entries/*/raw/snap_001)" = 6 ]
    sed -n 5p fetched.tsv >&9
    wait_for [ ! -e C/snap_002 ]
    [ "$(copies)" = snap_003 ]
    tail -n 2 fetched.tsv >&9
    exec 9>&-
    ends
    [ $status = 0 ]
    [ "$(copies)" = "*" ]
    cmp ref.tsv e.tsv
}

@test "a copy stays while another rank is at one of its points" {
    start $(stops rename observed.npy STOP_NTH=1 STOP_RANK=1) \
        $(mpi 2) iris-gen -H hyper.json -t simple -d d --release -o e.tsv fetched.tsv </dev/null
    wait_for are_stopped $background 1
    wait_for eval '[ "$(copies)" = snap_001 ]'
    [ "$(arrays d)" = 18 ]
    kill -CONT $(stopped $background)
    ends
    [ $status = 0 ]
    [ "$(copies)" = "*" ]
    cmp ref.tsv e.tsv
    same_data ref d
}

@test "a set of files is removed whole" {
    iris-mock -o snaps/snapdir_004 --cells=3000 --files=3 --seed=4
    iris-list -o list.tsv snaps
    gen one -o one.tsv list.tsv
    iris-fetch --cache=C --copy -o fetched.tsv list.tsv
    [ "$(ls C/snap_004 | wc -l)" = 3 ]
    for n in 0 2; do
        rm -rf d
        iris-fetch --cache=C --copy -o fetched.tsv list.tsv
        by $n iris-gen -H hyper.json -t simple -d d --release -o e.tsv fetched.tsv </dev/null
        [ "$(copies)" = "*" ]
        cmp one.tsv e.tsv
        same_data one d
    done
    [ "$(ls snaps/snapdir_004 | wc -l)" = 3 ]
}

@test "a pair that is made in parts" {
    tiny_hyper -s coordinate_hyper.lon_steps=64 -s writer_hyper.points_per_snapshot=1 -o hyper.json
    gen one -o one.tsv list.tsv
    $(mpi 3) iris-gen -H hyper.json -t simple -d d --release -o e.tsv fetched.tsv </dev/null
    grep -hq longitudes d/.iris/journal/*.tsv
    cmp one.tsv e.tsv
    same_data one d
    [ "$(copies)" = "*" ]
    # whose parts fail
    tiny_hyper -s coordinate_hyper.lon_steps=64 -s writer_hyper.points_per_snapshot=1 \
        -s 'suite_hyper.centre=[1,120,120]' -o hyper.json
    iris-fetch --cache=C --copy -o fetched.tsv list.tsv
    run -1 --separate-stderr $(mpi 4) iris-gen -H hyper.json -t simple -d f --release -o e.tsv fetched.tsv </dev/null
    [ "$(failed e.tsv | wc -l)" = 3 ]
    [ "$(copies)" = "*" ]
}

@test "a snapshot whose points fail is released as well" {
    for n in 0 2; do
        rm -rf d
        iris-fetch --cache=C --copy -o fetched.tsv list.tsv
        truncate -s 60000 C/snap_002/snap_002.hdf5
        run -1 --separate-stderr by $n iris-gen -H hyper.json -t simple -d d --release -o e.tsv fetched.tsv </dev/null
        [ "$(failed e.tsv | cut -f1 | uniq -c | tr -s ' ')" = " 3 snap_002" ]
        [ "$(copies)" = "*" ]
        # the next copy is a good one
        iris-fetch --cache=C --copy -o fetched.tsv list.tsv
        by $n iris-gen -H hyper.json -t simple -d d --release -o e.tsv fetched.tsv </dev/null
        [ "$(copies)" = "*" ]
        cmp ref.tsv e.tsv
        same_data ref d
    done
}

@test "copies of what is there already are released, compared where that is due" {
    for n in 0 2; do
        rm -rf d
        cp -a ref d
        iris-fetch --cache=C --copy -o fetched.tsv list.tsv
        # of another size than recorded
        rows fetched.tsv '$f{bytes} += 1 if $n == 2' >changed.tsv
        rm -rf d/.iris/journal
        by $n iris-gen -H hyper.json -t simple -d d --release -o e.tsv changed.tsv </dev/null
        cmp ref.tsv e.tsv
        same_data ref d
        [ "$(copies)" = "*" ]
        # only that one was read
        [ "$(journal d | cut -d' ' -f1,2)" = "verify snap_002" ]
        # and is another one
        iris-fetch --cache=C --copy -o fetched.tsv list.tsv
        cp C/snap_003/snap_003.hdf5 C/snap_002/snap_002.hdf5
        run -1 --separate-stderr by $n iris-gen -H hyper.json -t simple -d d --release -o e.tsv changed.tsv </dev/null
        [[ $(failed e.tsv) == *"another snapshot was used under the id 'snap_002'"* ]]
        [ "$(copies)" = "*" ]
    done
}

@test "a run that is stopped keeps what is not finished" {
    for name in USR1 TERM; do
        rm -rf d C
        iris-fetch --cache=C --copy -o fetched.tsv list.tsv
        # the second snapshot has one point of three
        start $(stops rename observed.npy STOP_NTH=4) \
            iris-gen -H hyper.json -t simple -d d --release -o e.tsv fetched.tsv </dev/null
        wait_for are_stopped $background 1
        kill -s $name $background
        kill -CONT $background
        ends
        [ $status = 75 ]
        [ "$(copies)" = "snap_002 snap_003" ]
        gen d --release -o e.tsv fetched.tsv
        [ "$(copies)" = "*" ]
        cmp ref.tsv e.tsv
        same_data ref d
    done
}

@test "killed, the same command continues and removes the rest" {
    # with its file removed, and its directory not yet
    start $(stops rename observed.npy STOP_NTH=5) \
        iris-gen -H hyper.json -t simple -d d --release -o e.tsv fetched.tsv </dev/null
    wait_for are_stopped $background 1
    end_session $background
    background=
    [ "$(copies)" = "snap_002 snap_003" ]
    mkdir C/snap_001
    gen d --release -o e.tsv fetched.tsv
    [ "$(copies)" = "*" ]
    cmp ref.tsv e.tsv
    same_data ref d
}

@test "looking removes nothing" {
    cp -a ref d
    for option in --plan --dry-run; do
        run -0 gen d --release $option fetched.tsv
        [ "$(copies)" = "snap_001 snap_002 snap_003" ]
    done
    [ ! -e C/.iris-readers ]
}

@test "what is no copy is never removed" {
    # kept ROWS: of that manifest every file of this directory is there afterwards
    kept() {
        local n
        find snaps C other -type f ! -name .iris-readers | sort >before
        for n in 0 2; do
            rm -rf d
            run -0 --separate-stderr by $n iris-gen -H hyper.json -t simple -d d --release -o e.tsv "$1" </dev/null
            find snaps C other -type f ! -name .iris-readers | sort | diff before - || return 1
            cmp ref.tsv e.tsv
        done
    }
    mkdir other
    # paths that were passed through
    iris-fetch --cache=C -o f.tsv list.tsv
    kept f.tsv
    # a list of the cache itself, under several names of it
    iris-list C/snap_* | iris-fetch --cache=C2 -o f.tsv
    kept f.tsv
    rows f.tsv '$f{local} = "./$f{local}"' >g.tsv
    kept g.tsv
    rows f.tsv "\$f{local} = '$PWD/' . \$f{local}" >g.tsv
    kept g.tsv
    ln -s C link
    rows f.tsv '$f{local} =~ s/^C/link/' >g.tsv
    kept g.tsv
    # originals that lie beside what is read, or that are a link to it
    for k in 1 2 3; do
        cp C/snap_00$k/snap_00$k.hdf5 C/snap_00$k/original.hdf5
        ln -s ../C/snap_00$k/snap_00$k.hdf5 other/snap_00$k.hdf5
    done
    rows fetched.tsv '$f{path} = "./C/$f{snapshot}/original.hdf5"' >g.tsv
    kept g.tsv
    rows fetched.tsv '$f{path} = "other/$f{snapshot}.hdf5"' >g.tsv
    kept g.tsv
    rm C/*/original.hdf5
    # nobody says what it would be a copy of
    rows fetched.tsv '$f{path} = "."' >g.tsv
    kept g.tsv
    # a directory that iris-fetch has not made
    cp -a C other/D
    rm other/D/.iris-cache
    rows fetched.tsv '$f{local} = "other/D/$f{snapshot}/$f{snapshot}.hdf5"' >g.tsv
    kept g.tsv
    # the copy of another snapshot, and what only looks like one
    mkdir -p C/snap_009/snap_001 C/snap_009/snap_002 C/snap_009/snap_003
    for k in 1 2 3; do
        cp snaps/snap_00$k.hdf5 C/snap_009
        cp snaps/snap_00$k.hdf5 C/snap_009/snap_00$k
        cp snaps/snap_00$k.hdf5 C
    done
    rows fetched.tsv '$f{local} = "C/snap_009/$f{snapshot}.hdf5"' >g.tsv
    kept g.tsv
    rows fetched.tsv '$f{local} = "C/snap_009/$f{snapshot}/$f{snapshot}.hdf5"' >g.tsv
    kept g.tsv
    rows fetched.tsv '$f{local} = "C/$f{snapshot}.hdf5"' >g.tsv
    kept g.tsv
}

@test "a copy that cannot be removed is a warning" {
    # a link in the place of the copy, and a directory in one
    rm -r C/snap_001
    mkdir other
    cp snaps/snap_001.hdf5 other
    ln -s ../other C/snap_001
    mkdir C/snap_002/deep
    for n in 0 2; do
        rm -rf d
        run -0 --separate-stderr by $n iris-gen -H hyper.json -t simple -d d --release -o e.tsv fetched.tsv </dev/null
        [ "$(grep -c "^iris-gen: warning: snapshot 'snap_00[12]' stays in its cache: " <<<"$stderr")" = 2 ]
        [ "$(wc -l <<<"$stderr")" = 2 ]
        cmp ref.tsv e.tsv
        same_data ref d
        [ "$(copies)" = "snap_001 snap_002" ]
        [ -e other/snap_001.hdf5 ]
        iris-fetch --cache=C --copy list.tsv >/dev/null 2>&1 || true
    done
    rm -rf d
    run -0 --separate-stderr gen d --release -q -o e.tsv fetched.tsv
    [ -z "$stderr" ]
}

@test "the example of the page" {
    local command
    command=$(sed -n '/^iris-list simulation/,/^\.Ed/p' "$IRIS_SOURCE/man/iris-gen.1" | grep -v '^\.')
    [[ $command == *--release* ]]
    mv snaps simulation
    bash -c "set -o pipefail; $command"
    cmp ref.tsv entries.tsv
    same_data ref galaxy
    [ -z "$(ls copies)" ]
}

# ---- who uses a cache ----

# has_readers CACHE
has_readers() {
    [ -e "$1/.iris-readers" ] || return 1
    ! flock -n -x "$1/.iris-readers" true
}

@test "a cache is held from its first row to the end of the run" {
    mkfifo in
    for n in 0 2; do
        for release in "" --release; do
            rm -rf d C
            iris-fetch --cache=C --copy -o fetched.tsv list.tsv
            exec 9<>in
            if [ $n = 0 ]; then
                start iris-gen -H hyper.json -t simple -d d $release -o e.tsv - <in
            else
                start $(mpi $n) iris-gen -H hyper.json -t simple -d d $release -o e.tsv - <in
            fi
            head -n 3 fetched.tsv >&9
            wait_for [ -e d/.iris/status.json ]
            ! has_readers C || false
            sed -n 4p fetched.tsv >&9
            wait_for has_readers C
            # also when its points are done
            wait_for eval '[ "$(arrays d)" = 6 ]'
            has_readers C
            tail -n 3 fetched.tsv >&9
            exec 9>&-
            ends
            [ $status = 0 ]
            cmp ref.tsv e.tsv
            ! has_readers C || false
        done
    done
}

@test "more than one cache" {
    iris-fetch --cache=D --copy -o second.tsv list.tsv
    mkfifo in
    exec 9<>in
    start iris-gen -H hyper.json -t simple -d d --release -o e.tsv - <in
    head -n 4 fetched.tsv >&9
    sed -n 5p second.tsv >&9
    wait_for has_readers D
    wait_for [ ! -e D/snap_002 ]
    has_readers C
    tail -n 2 fetched.tsv >&9
    exec 9>&-
    ends
    [ $status = 0 ]
    cmp ref.tsv e.tsv
    run ! has_readers C
    run ! has_readers D
    [ "$(copies)" = snap_002 ]
    [ "$(cd D && echo *)" = "snap_001 snap_003" ]
}

@test "a cache that cannot be held is a warning" {
    mkdir C/.iris-readers
    run -0 --separate-stderr gen d -o e.tsv fetched.tsv
    [ "$(wc -l <<<"$stderr")" = 1 ]
    [[ $stderr == "iris-gen: warning: cannot open 'C/.iris-readers': "* ]]
    cmp ref.tsv e.tsv
}

@test "a private cache goes with the last one who uses it" {
    private() {
        rm -rf d C fetched.tsv
        mkdir -m 700 C
        touch C/.iris-cache C/.iris-readers
        iris-fetch --cache=C --copy -o fetched.tsv list.tsv
        touch C/.iris-private
    }
    for n in 0 2; do
        private
        by $n iris-gen -H hyper.json -t simple -d d -o e.tsv fetched.tsv </dev/null
        cmp ref.tsv e.tsv
        [ ! -e C ]
        # who writes is still there
        private
        exec 8<C/.iris-cache
        flock -s 8
        by $n iris-gen -H hyper.json -t simple -d d -o e.tsv fetched.tsv </dev/null 8<&-
        exec 8<&-
        [ "$(copies)" = "snap_001 snap_002 snap_003" ]
        # a run that is stopped
        private
        sed '/##rows/d' fetched.tsv | {
            run -75 --separate-stderr by $n iris-gen -H hyper.json -t simple -d d -o e.tsv -
        }
        [ ! -e C ]
    done
    # one of a user without .iris-private is none
    iris-fetch --cache=C --copy -o fetched.tsv list.tsv
    gen d --release -o e.tsv fetched.tsv
    [ -e C/.iris-cache ]
}

# ---- snapshots of another machine ----

# remote MANIFEST CODE: rows of another machine; paths there are traps here
remote() {
    rows "$1" '$f{remote} = "me@far.example.org"; $f{path} = "/there/$f{snapshot}.hdf5";'"$2"
}

@test "a snapshot of another machine is read from its copy" {
    # what has its path on this machine is another file
    rows fetched.tsv '$f{remote} = "far"' >far.tsv
    for n in 0 2; do
        rm -rf d
        iris-fetch --cache=C --copy list.tsv >/dev/null
        for k in 1 2 3; do
            echo trap >"snaps/snap_00$k.hdf5"
        done
        by $n iris-gen -H hyper.json -t simple -d d --release -o e.tsv far.tsv </dev/null
        cmp ref.tsv e.tsv
        same_data ref d
        [ "$(copies)" = "*" ]
        [ "$(cat snaps/*)" = "$(printf 'trap\ntrap\ntrap')" ]
        cp "$BATS_FILE_TMPDIR"/base/snaps/* snaps
    done
    # a copy under the path that the original has there
    iris-fetch --cache=C --copy -o fetched.tsv list.tsv
    rows fetched.tsv '$f{remote} = "far"; $f{path} = $f{local}' >far.tsv
    rm -rf d
    gen d --release -o e.tsv far.tsv
    cmp ref.tsv e.tsv
    [ "$(copies)" = "*" ]
}

@test "one that was not fetched fails, the others are made, and nothing is opened" {
    rm -r ref/entries/*/raw/snap_003 ref/entries/*/raw/snap_002/p001.*
    for n in 0 2; do
        rm -rf d
        cp -a ref d
        iris-fetch --cache=C --copy -o fetched.tsv list.tsv
        # the path is that of the snapshot, and would do
        rows fetched.tsv '($f{remote}, $f{local}) = ("me@far.example.org", ".") if $n > 1' >far.tsv
        rm -r d/entries/*/raw/snap_001
        run -1 --separate-stderr by $n iris-gen -v -H hyper.json -t simple -d d --release -o e.tsv far.tsv </dev/null
        failed e.tsv >messages
        for k in 2 3 3 3; do
            printf 'snap_00%d\t%s\n' $k "snapshot 'snap_00$k' is on another machine and was not fetched"
        done | diff messages -
        [ "$(column state e.tsv | sort | uniq -c | tr -s ' \n' ' ')" = " 4 failed 5 raw " ]
        [[ $stderr == *"4 of 9 points failed; the first, snapshot 'snap_002' point 1: snapshot 'snap_002' is on another machine and was not fetched"* ]]
        [ "$(grep -c "^iris-gen: snapshot 'snap_00[23]' point [012]: snapshot 'snap_00[23]' is on" <<<"$stderr")" = 4 ]
        # no host, no user, no path but those of arrays
        ! grep -qE 'far\.example|me@|snaps/|C/' e.tsv || false
        # what is there stays, and what is on this machine is made
        grep -v '	failed	\|##rows' e.tsv | diff - <(grep -v '##rows\|snap_002	1	\|snap_003' ref.tsv)
        [ "$(arrays d)" = 10 ]
        grep -q '"done": 9, "there_before": 2, "failed": 4,' d/.iris/status.json
        # that one only was read
        [ "$(journal d | tail -n 3 | cut -d' ' -f2 | sort -u)" = snap_001 ]
    done
    # fetched, it goes on
    remote fetched.tsv '' >far.tsv
    iris-fetch --cache=C --copy list.tsv >/dev/null
    gen d -o e.tsv far.tsv
    cmp ref.tsv e.tsv
}

@test "one whose points are there is not needed" {
    remote list.tsv '' >far.tsv
    for n in 0 2; do
        run -0 --separate-stderr by $n iris-gen -H hyper.json -t simple -d ref -o e.tsv far.tsv </dev/null
        cmp ref.tsv e.tsv
        [ -z "$stderr" ]
    done
    [ "$(gen ref --plan far.tsv | column todo /dev/stdin | tr '\n' ' ')" = "0 0 0 " ]
    # an empty field says nothing
    rows list.tsv '$f{remote} = ""' >here.tsv
    run -0 gen d -o e.tsv here.tsv
    cmp ref.tsv e.tsv
}

@test "one of another size must be fetched to be compared" {
    todo() {
        gen ref --plan "$1" | column todo /dev/stdin | tr '\n' ' '
    }
    rows list.tsv '$f{bytes} += $n == 2' >here.tsv
    [ "$(todo here.tsv)" = "0 0 0 " ]
    remote here.tsv '' >far.tsv
    [ "$(todo far.tsv)" = "0 3 0 " ]
    gen ref --plan far.tsv >plan.tsv
    [ "$(todo plan.tsv)" = "0 3 0 " ]
    cp -a ref whole
    for n in 0 2; do
        run -1 --separate-stderr by $n iris-gen -H hyper.json -t simple -d ref -o e.tsv plan.tsv </dev/null
        [ "$(failed e.tsv | sort | uniq -c | tr -s ' ')" = " 3 snap_002	snapshot 'snap_002' has changed and was not fetched" ]
        grep -q '"done": 9, "there_before": 6, "failed": 3,' ref/.iris/status.json
        same_data whole ref
        # its copy is the same snapshot after all, or it is another one
        rows fetched.tsv '$f{remote} = "far"; $f{bytes} += $n == 2' >far.tsv
        by $n iris-gen -H hyper.json -t simple -d ref -o e.tsv far.tsv </dev/null
        cmp ref.tsv e.tsv
        rows fetched.tsv '$f{remote} = "far"; $f{bytes} += $n == 2; $f{local} =~ s/2/3/g' >far.tsv
        run -1 --separate-stderr by $n iris-gen -H hyper.json -t simple -d ref -o e.tsv far.tsv </dev/null
        [ "$(failed e.tsv | grep -c "another snapshot was used under the id 'snap_002'")" = 3 ]
        same_data whole ref
    done
}

@test "messages in the manifest name no directory" {
    # of sets, of copies, of what the values are taken from
    mkdir -p "$PWD/home/x/snaps"
    iris-mock -o home/x/snaps/snapdir_004 --cells=3000 --files=3 --seed=4
    iris-mock -o home/x/snaps/snap_005.hdf5 --cells=3000 --seed=5
    iris-mock -o home/x/snaps/snap_006.hdf5 --cells=3000 --seed=6
    iris-list -o many.tsv "$PWD/home/x/snaps"
    iris-fetch --cache="$PWD/home/x/C" --copy -o many.tsv many.tsv
    truncate -s 30000 home/x/C/snap_004/snap_004.2.hdf5
    rm home/x/C/snap_005/*
    h5edit home/x/C/snap_006/snap_006.hdf5 nan PartType0/Density 1234
    for n in 0 2; do
        rm -rf d
        run -1 --separate-stderr by $n iris-gen -H hyper.json -t simple -d "$PWD/home/x/d" -o e.tsv many.tsv </dev/null
        [ "$(failed e.tsv | wc -l)" = 9 ]
        [[ $(failed e.tsv) == *"'snap_004.2.hdf5'"*"'snap_005.hdf5'"*"'snap_006.hdf5'"* ]]
        ! grep -q 'home\|/x/\|C/' e.tsv || false
        # who reads the message on the terminal is told where
        [[ $stderr == *"9 of 9 points failed; the first, snapshot 'snap_004' point 0 of '$PWD/home/x/C/snap_004/snap_004.0.hdf5': "* ]]
    done
}

# ---- when iris-fetch has gone ----

gone="ended before its line '##rows': iris-fetch has gone; run again to continue"

@test "rows of iris-fetch that end too early stop the run" {
    sed '/##rows/d' fetched.tsv >cut.tsv
    for n in 0 2; do
        # after the last row, after the first, in the middle of one, before any
        for bytes in "$(stat -c %s cut.tsv)" "$(head -n 4 cut.tsv | wc -c)" \
            $(($(head -n 4 cut.tsv | wc -c) + 9)) "$(head -n 3 cut.tsv | wc -c)" "$(head -n 1 cut.tsv | wc -c)"; do
            rm -rf d e.tsv
            head -c "$bytes" cut.tsv | {
                run -75 --separate-stderr by $n iris-gen -H hyper.json -t simple -d d -o e.tsv -
                [ "$(grep -c '^iris-gen: ' <<<"$stderr")" = 1 ]
                [[ $stderr == *"iris-gen: standard input $gone"* ]]
            }
            [ ! -e e.tsv ]
            grep -q '"state": "stopped"' d/.iris/status.json
        done
        by $n iris-gen -H hyper.json -t simple -d d -o e.tsv - <fetched.tsv
        cmp ref.tsv e.tsv
        same_data ref d
    done
    # a pipe with a name
    mkfifo in
    cat cut.tsv >in 3>&- &
    run -75 --separate-stderr gen d -o e.tsv in
    [[ $stderr == *"in $gone" ]]
}

@test "only rows of iris-fetch, and only in a pipe" {
    sed '/##rows/d' fetched.tsv >cut.tsv
    sed '/##rows/d' list.tsv >short.tsv
    for n in 0 2; do
        rm -rf d e d2
        by $n iris-gen -H hyper.json -t simple -d d -o e.tsv cut.tsv </dev/null
        cmp ref.tsv e.tsv
        cat short.tsv | by $n iris-gen -H hyper.json -t simple -d e -o e.tsv -
        cmp ref.tsv e.tsv
        cat fetched.tsv | by $n iris-gen -H hyper.json -t simple -d d2 -o e.tsv -
        cmp ref.tsv e.tsv
    done
    rm -rf d
    gen d -o e.tsv - <cut.tsv
    cmp ref.tsv e.tsv
}

@test "what was made before iris-fetch had gone stays" {
    mkfifo in
    for n in 0 2; do
        rm -rf d e.tsv
        exec 9<>in
        if [ $n = 0 ]; then
            start iris-gen -H hyper.json -t simple -d d --release -o e.tsv - <in
        else
            start $(mpi $n) iris-gen -H hyper.json -t simple -d d --release -o e.tsv - <in
        fi
        head -n 4 fetched.tsv >&9
        wait_for [ ! -e C/snap_001 ]
        exec 9>&-
        ends
        [ $status = 75 ]
        grep -q "$gone" stderr
        [ ! -e e.tsv ]
        [ "$(arrays d)" = 6 ]
        [ "$(copies)" = "snap_002 snap_003" ]
        iris-fetch --cache=C --copy list.tsv >/dev/null
        gen d -o e.tsv fetched.tsv
        cmp ref.tsv e.tsv
        same_data ref d
    done
}

@test "asked for a calm end, the end of the rows stops nothing" {
    tiny_hyper -s writer_hyper.points_per_snapshot=1 -o hyper.json
    mkfifo in
    exec 9<>in
    start $(stops open snap_001.hdf5 STOP_NTH=2) iris-gen -H hyper.json -t simple -d d -o e.tsv - <in
    head -n 4 fetched.tsv >&9
    wait_for are_stopped $background 1
    [ "$(arrays d)" = 0 ]
    kill -USR1 $background
    exec 9>&-
    kill -CONT $background
    ends
    [ $status = 75 ]
    stderr=$(cat stderr)
    one_sentence iris-gen
    [[ $stderr == *"stopped by a signal with 1 of 1 points done; run again to continue" ]]
    [ "$(arrays d)" = 2 ]
    [ ! -e e.tsv ]
}

# ---- the end of points in hand ----

# rank K: the process of that rank of $background
rank() {
    local p
    for p in $(ps -s "$background" -o pid=); do
        ! grep -qsz "^OMPI_COMM_WORLD_RANK=$1\$" "/proc/$p/environ" || echo "$p"
    done
}

# used K: what that rank has computed so far, in hundredths of a second
used() {
    cut -d' ' -f14 "/proc/$(rank "$1")/stat"
}

# long_run POINTS: two ranks in the middle of points that take many minutes; rows come by 9
long_run() {
    local k before
    iris-hyper --preset=endless.json -s writer_hyper.points_per_snapshot="$1" -o long.json
    rm -rf d in
    mkfifo in
    exec 9<>in
    start $(mpi 2) iris-gen -H long.json -t simple -d d -o e.tsv - <in
    head -n 4 fetched.tsv >&9
    # the snapshot is loaded; who has nothing to do sleeps
    wait_for eval '[ -e d/entries/*/raw/snap_001/source.tsv ]'
    for k in 0 1; do
        before=$(used $k)
        wait_for eval '[ $(used $k) -ge $((before + 50)) ]'
    done
}

# broken_off STATUS: the run ends so, and each rank says that its point was stopped
broken_off() {
    local k
    exec 9>&-
    ends # minutes before the points would be done
    [ $status = "$1" ] || { echo "status $status"; cat stderr; return 1; }
    for k in 0 1; do
        [ "$(awk -F'\t' '!/^#/ { print $7, $9 }' d/.iris/journal/rank$k.tsv | grep -c '^75 make .*snap_001')" = 1 ] ||
            { cat d/.iris/journal/rank$k.tsv; return 1; }
    done
    [ ! -e e.tsv ]
    [ "$(arrays d)" = 0 ]
    no_leftovers
}

@test "when iris-fetch has gone all ranks break off, at points and at parts of one" {
    for points in 3 1; do
        long_run $points
        exec 9>&-
        broken_off 75
        grep -q "$gone" stderr
        [ "$(grep -c longitudes d/.iris/journal/*.tsv | grep -c ':1')" = $((points == 1 ? 2 : 0)) ]
    done
}

@test "when a row makes no sense all ranks break off" {
    for points in 3 1; do
        long_run $points
        echo nonsense >&9
        broken_off 65
        grep -q "standard input:5: 1 fields where the header has" stderr
    done
}

@test "a signal to one rank only breaks off all" {
    for k in 0 1; do
        long_run 3
        kill -TERM "$(rank $k)"
        broken_off 75
    done
}

@test "killed, no rank goes on by itself" {
    # the launcher, the master, a worker
    for who in launcher 0 1; do
        long_run 3
        if [ $who = launcher ]; then
            kill -KILL $background
        else
            kill -KILL "$(rank $who)"
        fi
        exec 9>&-
        wait_for eval '[ -z "$(ps -s $background -o comm=,stat= | grep "^iris-gen [^Z]")" ]'
        ends
        [ ! -e e.tsv ]
    done
}
