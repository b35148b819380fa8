#!/usr/bin/env bats
# What the ranks of a node share: a snapshot is read once, and is in memory once.
bats_require_minimum_version 1.5.0
load common

setup_file() {
    mkdir "$BATS_FILE_TMPDIR/base"
    cd "$BATS_FILE_TMPDIR/base"
    mkdir snaps large
    iris-mock -o large/snap_001.hdf5 --cells=1000000 --seed=5
    iris-mock -o snaps/snap_001.hdf5 --cells=20000 --seed=1
    tiny_hyper -s writer_hyper.points_per_snapshot=64 >hyper.json
    # points that take long enough to be looked at
    tiny_hyper -s coordinate_hyper.r_steps=128 -s coordinate_hyper.r_crop_max_index=128 \
        -s coordinate_hyper.lon_steps=128 -s coordinate_hyper.lat_steps=32 \
        -s writer_hyper.points_per_snapshot=8 >big.json
}

setup() {
    cp -rl "$BATS_FILE_TMPDIR/base" "$BATS_TEST_TMPDIR/work"
    cd "$BATS_TEST_TMPDIR/work"
    iris-list snaps >list.tsv
    iris-list large >large.tsv
    background=
}

teardown() {
    [ -z "$background" ] || end_session "$background"
}

need_strace() {
    command -v strace >/dev/null && strace -o /dev/null true || skip "no strace"
    export ASAN_OPTIONS=detect_leaks=0 # which cannot be done under strace
}

# read_of TRACE FILE: how often it was opened, and how many bytes were read of it
read_of() {
    cat "$1".* | awk -v file="$2>" '
        index($0, "openat(") == 1 && index($0, file) && !/= -1/ { opened++ }
        /^p?read/ && index($0, file) { bytes += $NF }
        END { print opened + 0, bytes + 0 }'
}

# ranks SID: the processes of iris-gen in that session
ranks() {
    ps -s "$1" -o pid=,comm= | awk '$2 == "iris-gen" { print $1 }'
}

# memory PID FIELD: KiB
memory() {
    awk -v field="$2:" '$1 == field { print $2 }' "/proc/$1/smaps_rollup"
}

# start COMMAND...: in a session of its own, $background
start() {
    setsid "$@" </dev/null >/dev/null 2>stderr 3>&- &
    background=$!
}

# held PID: inode and pages in use of every block that it has open
held() {
    local fd
    for fd in /proc/$1/fd/*; do
        [[ $(readlink "$fd") != /memfd:iris* ]] || stat -Lc '%i %b' "$fd" 2>/dev/null || true
    done
}

# stand SID: stop all ranks of the job, also those that have just begun; all have
# stopped, or it has ended
stand() {
    kill -STOP $(ranks "$1") 2>/dev/null || true
    [ -z "$(ps -s "$1" -o comm=,stat= | awk '$1 == "iris-gen" && $2 !~ /^[TZ]/')" ]
}

# A command behind "!" never ends a test.
no_arrays() {
    [ -z "$(find d -name '*.npy' 2>/dev/null)" ]
}

@test "64 points of a snapshot read it once, by any number of ranks" {
    need_strace
    iris-gen -H hyper.json -t standard -d ref -o ref.tsv list.tsv
    [ "$(grep -vc '^#' ref.tsv)" = 64 ]
    for launcher in "" "$(mpi 1)" "$(mpi 2)" "$(mpi 4)"; do
        rm -rf d trace.*
        strace -ff -qq -y -e trace=openat,read,pread64 -o trace $launcher \
            iris-gen -H hyper.json -t standard -d d -o e.tsv list.tsv </dev/null
        now=$(read_of trace "$PWD/snaps/snap_001.hdf5")
        echo "${launcher:-alone}: $now"
        [ -n "$launcher" ] || alone=$now
        [ "$now" = "$alone" ]
        cmp ref.tsv e.tsv
        same_data ref d
    done
    # it is opened to count the cells, and to read those of its values that count
    [ "${alone%% *}" = 2 ]
    [ "${alone##* }" -gt $((20000 * 40)) ]
    [ "${alone##* }" -lt "$(stat -c %s snaps/snap_001.hdf5)" ]
}

@test "every snapshot of many is read once, or once more for a rank that is late" {
    need_strace
    for i in 2 3 4 5 6; do
        iris-mock -o snaps/snap_00$i.hdf5 --cells=2000 --seed=$i
    done
    iris-list snaps >list.tsv
    tiny_hyper >hyper.json
    iris-gen -H hyper.json -t simple -d ref -o ref.tsv list.tsv
    for n in 2 4 7; do
        rm -rf d trace.*
        strace -ff -qq -e trace=memfd_create -o trace $(mpi $n) \
            iris-gen -H hyper.json -t simple -d d -o e.tsv list.tsv </dev/null
        loads=$(cat trace.* | grep -c '^memfd_create("iris"')
        echo "$n ranks: $loads loads"
        [ "$loads" -ge 6 ]
        [ "$loads" -le 8 ]
        cmp ref.tsv e.tsv
        same_data ref d
    done
}

@test "ranks do not add a snapshot to the memory in use" {
    cells=1000000
    start $(stops rename tensor.npy STOP_NTH=1) $(mpi 4) iris-gen -H big.json -t standard -d d -o e.tsv large.tsv
    wait_for are_stopped $background 4
    ranks=$(ranks $background)
    [ "$(wc -w <<<"$ranks")" = 4 ]
    sum=0
    for p in $ranks; do
        private=$(memory $p Private_Dirty)
        pss=$(memory $p Pss)
        echo "rank $p: private $private, share $pss KiB"
        # a copy would be 66 bytes a cell
        grep -q 'memfd:iris' /proc/$p/maps
        sanitized || [ "$private" -lt $((cells * 66 / 1024)) ]
        sum=$((sum + pss))
    done
    sanitized || [ $sum -lt $((4 * cells * 66 / 1024)) ]
    writers=$(for p in $ranks; do grep 'memfd:iris' /proc/$p/maps; done | grep -c ' rw-s ')
    [ "$writers" = 1 ]
}

@test "memory in use does not grow with the snapshots that were there" {
    for i in 2 3 4 5 6 7 8; do
        iris-mock -o snaps/snap_00$i.hdf5 --cells=2000 --seed=$i
    done
    tiny_hyper -s coordinate_hyper.r_steps=64 -s coordinate_hyper.r_crop_max_index=64 \
        -s coordinate_hyper.lon_steps=64 >hyper.json
    iris-list snaps >list.tsv
    # as many as are read ahead, and one more
    for ahead in 0 1 3; do
        rm -rf d
        # every rank goes on from each of its arrays when it was looked at
        start $(stops rename tensor.npy) $(mpi 3) iris-gen -H hyper.json -t standard -d d -o e.tsv \
            $([ $ahead = 1 ] || echo --read-ahead=$ahead) list.tsv
        most=0
        while kill -0 $background 2>/dev/null; do
            # one that goes on could take the next before the one it has left is seen
            wait_for stand $background
            # files that hold pages
            n=$(for p in $(ranks $background); do held $p; done | awk '$2 > 0' | sort -u | wc -l)
            [ "$n" -le "$most" ] || most=$n
            kill -CONT $(stopped $background) 2>/dev/null || true
        done
        wait $background
        background=
        echo "$ahead ahead: at most $most"
        [ "$most" -ge 1 ]
        [ "$most" -le $((ahead + 1)) ]
    done
}

@test "what a rank that hangs does not use is given back" {
    run -0 --separate-stderr $(mpi 2) nodehold </dev/null
    echo "$output"
    [[ $output == "first 0"$'\n'"second "[1-9]* ]]
}

# So many points that no rank can have made them all before the others ask.
enough_for_all() {
    tiny_hyper -s writer_hyper.points_per_snapshot=200 >hyper.json
}

@test "where memory cannot be shared each rank has its own" {
    need_strace
    enough_for_all
    iris-gen -H hyper.json -t simple -d ref -o ref.tsv list.tsv
    run -0 --separate-stderr strace -f -qq -e trace=memfd_create -e inject=memfd_create:error=ENOSYS \
        -o /dev/null $(mpi 3) iris-gen -v -H hyper.json -t simple -d d -o e.tsv list.tsv </dev/null
    [[ $stderr == *"iris-gen: loads of snapshots that a rank had to keep for itself: "[1-3]* ]]
    cmp ref.tsv e.tsv
    same_data ref d
    run -0 --separate-stderr $(mpi 3) iris-gen -v -H hyper.json -t simple -d d2 list.tsv </dev/null
    [[ $stderr != *"for itself"* ]]
}

@test "ranks that cannot reach each other's memory have their own" {
    ! sanitized || skip "sanitizers need /proc"
    unshare --mount mount -t tmpfs none /proc 2>/dev/null || skip "no right to mount"
    enough_for_all
    iris-gen -H hyper.json -t simple -d ref -o ref.tsv list.tsv
    run -0 --separate-stderr $(mpi 3) unshare --mount sh -c 'mount -t tmpfs none /proc && exec "$@"' sh \
        iris-gen -v -H hyper.json -t simple -d d -o e.tsv list.tsv </dev/null
    echo "said: $stderr"
    [[ $stderr == *"iris-gen: loads of snapshots that a rank had to keep for itself: "[12]* ]]
    cmp ref.tsv e.tsv
    same_data ref d
}

@test "what is wrong with a snapshot is one sentence for all its points" {
    iris-mock -o snaps/snap_000.hdf5 --cells=20000 --seed=9
    iris-list snaps/snap_000.hdf5 >bad.tsv
    head -c 300000 snaps/snap_000.hdf5 >cut.hdf5
    mv cut.hdf5 snaps/snap_000.hdf5
    run -1 --separate-stderr iris-gen -H hyper.json -t simple -d ref -o ref.tsv bad.tsv
    [ "$(column state ref.tsv | sort -u)" = failed ]
    for n in 2 4; do
        run -1 --separate-stderr $(mpi $n) iris-gen -H hyper.json -t simple -d d$n -o e.tsv bad.tsv </dev/null
        cmp ref.tsv e.tsv
    done
}

@test "a rank killed while it loads leaves nothing, and the same command continues" {
    iris-gen -H big.json -t simple -d ref -o ref.tsv large.tsv
    mkdir tmp shm
    command=($(mpi 3) --mca btl_vader_backing_directory "$PWD/shm" --mca osc_sm_backing_directory "$PWD/shm"
        iris-gen -H big.json -t simple -d d -o e.tsv large.tsv)
    for round in 1 2; do
        rm -rf d
        # the second time it is opened for its values, and there is memory for them
        OMPI_MCA_orte_tmpdir_base=$PWD/tmp TMPDIR=$PWD/tmp start $(stops open snap_001.hdf5 STOP_NTH=2) "${command[@]}"
        wait_for are_stopped $background 1
        victim=$(stopped $background)
        grep -q ' rw-s .*memfd:iris' /proc/$victim/maps
        no_arrays
        kill -9 "$victim"
        ends
        [ $status != 0 ]
        no_arrays
        [ ! -e e.tsv ]
        # whoever is on its way out may take a moment
        wait_for eval '[ -z "$(find shm tmp -type f)" ]'
    done
    wait_for "${command[@]}" </dev/null 2>/dev/null
    cmp ref.tsv e.tsv
    same_data ref d
}

@test "a signal while ranks wait for one that loads" {
    start $(stops open snap_001.hdf5 STOP_NTH=2) $(mpi 3) iris-gen -H big.json -t simple -d d -o e.tsv large.tsv
    wait_for are_stopped $background 1
    loader=$(stopped $background)
    no_arrays
    # to the ranks: a launcher would let the one that has stopped go on first
    kill -TERM $(ranks $background)
    wait_for is_pending $loader TERM
    kill -CONT $loader
    ends
    [ $status = 75 ]
    no_arrays
    [ ! -e e.tsv ]
}
