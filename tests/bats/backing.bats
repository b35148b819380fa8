#!/usr/bin/env bats
# Where Open MPI has the files of its shared memory, and that none are left there.
# Other jobs may run meanwhile: only what these tests have made is looked at.
bats_require_minimum_version 1.5.0
load common

setup_file() {
    mkdir "$BATS_FILE_TMPDIR/base"
    cd "$BATS_FILE_TMPDIR/base"
    iris-mock -o snap_001.hdf5 --cells=2000 --seed=1
    tiny_hyper >hyper.json
    iris-list snap_001.hdf5 >list.tsv
}

setup() {
    cp -rl "$BATS_FILE_TMPDIR/base" "$BATS_TEST_TMPDIR/work"
    cd "$BATS_TEST_TMPDIR/work"
    jobs_left=()
    # made beside its place, so that nobody sweeps it before it is complete
    made=/dev/shm/test$$
    planted=/dev/shm/iris-$(id -u)-mpi-test$$
}

teardown() {
    local sid
    for sid in "${jobs_left[@]}"; do end_session "$sid"; done
    rm -rf "$planted"* "$made"*
}

# start COMMAND...: in a session of its own, $job
start() {
    setsid "$@" </dev/null >/dev/null 2>&1 3>&- &
    job=$!
    jobs_left+=($job)
}

gen=(iris-gen -q -H hyper.json -t simple)

# hold_job DATASET [COMMAND...]: a job of two ranks that stays in the middle, $job
hold_job() {
    start $(stops open snap_001.hdf5 STOP_NTH=1) "${@:2}" $(mpi 2) \
        "${gen[@]}" -d "$1" -o "$1.tsv" list.tsv
    wait_for are_stopped $job 1
}

# go_on SID: whoever has stopped; the job ends well
go_on() {
    kill -CONT $(stopped $1)
    wait $1
}

# directories SID: those in /dev/shm that processes of the job have open, even if
# they have been swept
directories() {
    local pid
    for pid in $(ps -o pid= -s "$1"); do
        readlink /proc/$pid/fd/* || true
    done | grep "^/dev/shm/iris-$(id -u)-mpi-" | sed 's/ (deleted)$//; s,/\.held$,,' | sort -u
}

# segments DIRECTORY: the files of shared memory of two ranks are there
segments() {
    [ "$(ls "$1" | grep -c '^vader_segment\.')" = 2 ]
}

a_job() {
    $(mpi 2) "${gen[@]}" -d other -o other.tsv list.tsv </dev/null
}

@test "a job has its files in a directory of its own, and leaves none" {
    hold_job d
    dir=$(directories $job)
    [ "$(wc -l <<<"$dir")" = 1 ]
    [ "$(stat -c '%a %u' "$dir")" = "700 $(id -u)" ]
    segments "$dir"
    # none elsewhere in that place
    for pid in $(ps -o pid= -s $job); do cat /proc/$pid/maps; done >maps
    grep -q '/dev/shm/iris-.*/vader_segment' maps
    run -1 grep -E '/dev/shm/(vader|osc)' maps
    go_on $job
    [ ! -e "$dir" ]
}

@test "what a killed job has left is removed by the next one" {
    hold_job d
    dir=$(directories $job)
    segments "$dir"
    end_session $job
    wait $job || true
    a_job
    [ ! -e "$dir" ]
}

@test "two jobs at once leave each other's files alone" {
    hold_job one
    first=$job
    hold_job two
    second=$job
    a=$(directories $first)
    b=$(directories $second)
    [ "$a" != "$b" ]
    segments "$a"
    segments "$b"
    go_on $second
    segments "$a"
    [ ! -e "$b" ]
    a_job
    segments "$a"
    go_on $first
    [ ! -e "$a" ]
}

@test "a directory of the user's own is used, and left" {
    mkdir mine
    hold_job d env OMPI_MCA_btl_vader_backing_directory=$PWD/mine
    segments mine
    dir=$(directories $job)
    [ -z "$(find "$dir" -name 'vader*')" ]
    go_on $job
    [ -d mine ]
    [ ! -e "$dir" ]
}

@test "a directory that is swept before it is locked is made again" {
    # both ranks stop when they have made it, whenever they are to lock one (.held), and
    # when they have (.hdf5)
    start $(stops open .h STOP_RANK=any) $(mpi 2) "${gen[@]}" -d d -o d.tsv list.tsv
    wait_for are_stopped $job 2
    # sweeps it, if no other job has done so already; others may do it again
    a_job
    dir=$(directories $job)
    [ "$(wc -l <<<"$dir")" = 1 ]
    wait_for test ! -e "$dir"
    again=no
    while kill -0 $job 2>/dev/null; do
        [ ! -d "$dir" ] || again=yes
        kill -CONT $(stopped $job) 2>/dev/null || true
    done
    [ $again = yes ]
    wait $job
    [ -e d.tsv ]
    [ ! -e "$dir" ]
}

@test "only plain files go, and only from directories of that kind" {
    echo mine >precious
    mkdir -m 700 elsewhere "$made.1" "$made.2" "$made.1/folder"
    touch elsewhere/file "$made.1/folder/file" "$made.1/vader_segment.x" "$made.2/vader_segment.x"
    ln -s "$PWD/precious" "$made.1/link"
    # others may look into it, so it is none that was made for this
    mkdir -m 755 "$made.3"
    touch "$made.3/file" "$made.5"
    ln -s "$PWD/elsewhere" "$made.4"
    for i in 1 2 3 4 5; do mv "$made.$i" "$planted.$i"; done
    a_job
    [ ! -e "$planted.1/vader_segment.x" ]
    [ -e "$planted.1/folder/file" ]
    [ -L "$planted.1/link" ]
    [ "$(cat precious)" = mine ]
    [ ! -e "$planted.2" ]
    [ "$(ls -A "$planted.3")" = file ]
    [ "$(ls -A elsewhere)" = file ]
    [ -e "$planted.5" ]
}

@test "a directory that somebody holds is not removed" {
    mkdir -m 700 "$made"
    touch "$made/vader_segment.x" "$made/.held"
    exec 4<"$made/.held"
    flock --shared 4
    mv "$made" "$planted"
    a_job 4<&-
    [ -e "$planted/vader_segment.x" ]
    exec 4<&-
    a_job
    [ ! -e "$planted" ]
}

@test "jobs that begin and end together" {
    for i in 1 2 3 4 5 6; do
        start $(mpi 2) "${gen[@]}" -d d$i -o d$i.tsv list.tsv
    done
    for job in "${jobs_left[@]}"; do wait $job; done
    for i in 1 2 3 4 5 6; do [ -e d$i.tsv ]; done
}

@test "without a launcher there is no directory" {
    start $(stops open snap_001.hdf5 STOP_NTH=1) "${gen[@]}" -d d -o d.tsv list.tsv
    wait_for are_stopped $job 1
    [ -z "$(directories $job)" ]
    go_on $job
}
