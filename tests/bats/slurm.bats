#!/usr/bin/env bats
# The batch scripts in workflows/slurm, run by a Slurm of the test's own.
bats_require_minimum_version 1.5.0
load common
load slurm

# Ten small snapshots, settings that take all of them, and the data set made from
# them in one go without Slurm: ./snaps, ./hyper.json, ./ref.
setup_file() {
    need_slurm
    mkdir "$BATS_FILE_TMPDIR/base"
    cd "$BATS_FILE_TMPDIR/base"
    snapshots 10
    tiny_hyper -s writer_hyper.total_snapshots=10 -s writer_hyper.points_per_snapshot=4 \
        -s writer_hyper.unit_calculation_sample_size=9 >hyper.json
    env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL make -s -f "$IRIS_SOURCE/workflows/iris.mk" \
        SOURCE=snaps HYPER=hyper.json TYPE=simple DATASET=ref >/dev/null
    slurm_up "$BATS_FILE_TMPDIR/slurm" 2 8
    # not all of a user's settings are those of the tests
    unset "${!SBATCH_@}" "${!SLURM_A@}" "${!SLURM_J@}" "${!SLURM_N@}"
    export PATH
}

teardown_file() {
    slurm_down "$BATS_FILE_TMPDIR/slurm"
}

setup() {
    unset SOURCE FILES HYPER DATASET TYPE NP SET SEED ROUND PART RUN GRID WINDOW CACHE UNITS_FROM SAMPLE \
        ALLOW_FAILED REQUIRE STATE STOPPED MPIRUN GEN READ_AHEAD DEADLINE DEVICE RESTARTS IRIS_SLURM
    cp -rl "$BATS_FILE_TMPDIR/base" "$BATS_TEST_TMPDIR/work"
    cd "$BATS_TEST_TMPDIR/work"
    SLURM=$IRIS_SOURCE/workflows/slurm
    words=(SOURCE=snaps HYPER=hyper.json TYPE=simple DATASET=out NP=2
        MPIRUN="mpirun --oversubscribe -x ASAN_OPTIONS=detect_leaks=0:verify_asan_link_order=0")
    by_srun="MPIRUN=env ASAN_OPTIONS=detect_leaks=0:verify_asan_link_order=0 srun --mpi=pmix" # the last MPIRUN counts
    no_waiting &
    waiting=$!
}

# what a test that failed has left must not disturb the next one
teardown() {
    [ -n "${waiting-}" ] || return 0
    kill "$waiting"
    [ -n "$BATS_TEST_COMPLETED" ] || tail -n 15 ./*.out || true
    scancel --signal=KILL --full --user="$(id -un)" 2>/dev/null || true
    scancel --user="$(id -un)"
    within 30 eval '[ -z "$(squeue -h)" ]'
}

# soon_over ID: a limit of time that leaves the job three quarters of a minute more, or up to one
# and three quarters
soon_over() {
    local h m s
    IFS=: read -r h m s < <(job "$1" RunTime)
    scontrol update JobId="$1" TimeLimit=$((60 * 10#$h + 10#$m + (10#$s < 15 ? 1 : 2)))
}

# submit OPTION... FILE WORD...: the id of the job
submit() {
    sbatch --parsable "$@"
}

# number ID: that of one task of an array has another form, and is in its environment
number() {
    squeue -h -j "$1" -t running -o %A
}

# What is back in the queue, to begin in two minutes, may do so after some seconds as
# long as a test lasts; at once a node would refuse what was just taken from it.
no_waiting() {
    local id at
    while sleep 0.3; do
        squeue -h -t pending -o '%i %S %r' | awk '$3 == "BeginTime" { print $1, $2 }' | while read -r id at; do
            [ "$(date -d "$at" +%s)" -gt $(($(date +%s) + 118)) ] || scontrol update JobId="$id" StartTime=now
        done
    done </dev/null >/dev/null 2>&1 3>&-
}

# in_memory: the ids of the jobs that have a directory there
in_memory() {
    ls -d /dev/shm/iris-"$(id -u)"-job-"$(sed -n 's/^ClusterName=//p' "$SLURM_CONF")"-* 2>/dev/null | sed 's/.*-//'
}

# tree ID: the processes of a job that is at work
tree() {
    grep -lzx "SLURM_JOB_ID=$(number "$1")" /proc/[0-9]*/environ 2>/dev/null | cut -d/ -f3
}

# An iris-gen that is held up in the middle of its first snapshot, after the first
# array of a point, in the tasks and jobs whose runs are named: once each.
hold() {
    local run
    mkdir shim hold
    for run; do mkdir "hold/$run"; done
    cat >shim/iris-gen <<END
#!/bin/bash
PATH=\${PATH#*:}
run=\$(sed -n 's/.* --run=\([^ ]*\).*/\1/p' <<<"\$*")
[[ \$* != *" -o "* ]] || ! rmdir "$PWD/hold/\${run:-alone}" 2>/dev/null ||
    exec $(stops rename .npy STOP_NTH=1) iris-gen "\$@"
exec iris-gen "\$@"
END
    chmod +x shim/iris-gen
    PATH=$PWD/shim:$PATH
}

# held ID: the process of that job that is held up
held() {
    local p
    for p in $(tree "$1"); do
        [ "$(ps -o stat= -p "$p" | cut -c1)" != T ] || echo "$p"
    done
}
is_held() {
    [ -n "$(held "$1")" ]
}

@test "an array whose tasks are killed, requeued, stopped and out of time ends in the same bytes" {
    local array merge t t2 t3 t4 t5 tree killed again
    hold part-2-of-5 part-3-of-5 part-4-of-5 part-5-of-5
    "$SLURM/submit-training.sh" --time=0 --ntasks=2 PARTS=5 AT_ONCE=5 "${words[@]}" >ids
    array=$(awk '$1 == "array" { print $2 }' ids)
    merge=$(awk '$1 == "merge" { print $2 }' ids)
    t2=${array}_2 t3=${array}_3 t4=${array}_4 t5=${array}_5
    for t in $t2 $t3 $t4 $t5; do within 60 is_held "$t"; done

    # stopped calmly before its limit
    soon_over "$t4"
    within 60 is_pending "$(held "$t4")" USR1
    scontrol update JobId="$t4" TimeLimit=UNLIMITED
    kill -CONT "$(held "$t4")"
    within 60 is "$t4" COMPLETED
    grep -q "job $t4 is asked to stop" "iris-training-${array}_4.out"
    [ "$(job "$t4" Restarts)" = 1 ]

    # killed with all it has started: the next job on that node cleans up
    killed=$(number "$t2")
    tree=$(tree "$t2") # at once: the script must not see that make is gone
    kill -STOP $tree 2>/dev/null
    kill -KILL $tree 2>/dev/null
    within 60 is "$t2" FAILED NODE_FAIL
    in_memory | grep -qx "$killed"

    # requeued by hand
    scontrol requeue "$t3"
    within 60 is "$t3" COMPLETED
    [ "$(job "$t3" Restarts)" = 1 ]
    ! in_memory | grep -qx "$killed" || false

    # submitted again, while another is still at it
    again=$(submit --time=0 --ntasks=2 --array=2 "$SLURM/training-array.sbatch" PARTS=5 "${words[@]}")
    within 60 is "${again}_2" COMPLETED
    [ "$(ls out/.iris/runs/part-2-of-5/gen | wc -l)" = 2 ]

    # out of time, for it cannot end calmly: not requeued, its points are left to the
    # last job
    soon_over "$t5"
    within 180 is "$t5" TIMEOUT
    [ "$(job "$t5" Restarts)" = 0 ]
    [ "$(ls out/.iris/runs/part-5-of-5/gen | wc -l)" -lt 2 ]
    within 60 is "$merge" COMPLETED
    same_data ref out
    iris-check -q out
    [ -z "$(in_memory)" ]
    no_leftovers
}

@test "the six single jobs" {
    local set='-s writer_hyper.min_snapshot_index=0 -s writer_hyper.points_per_snapshot=2
        -s writer_hyper.unit_calculation_sample_size=2 -s observer_hyper.lon_pieces=1 -s training_hyper.epochs=77'
    local r
    set=${set//$'\n'/}
    words+=(SOURCE= FILES='snaps/snap_001.hdf5 snaps/snap_002.hdf5' UNITS_FROM=ref SET="$set")
    # as they are
    for r in training test wrong-physics; do
        sbatch --test-only "$SLURM/job.sbatch" "$r" "${words[@]}"
    done
    for r in full-cone litter overview merge; do sbatch --test-only "$SLURM/$r.sbatch" "${words[@]}"; done
    sbatch --test-only --array=1-3 "$SLURM/training-array.sbatch" PARTS=3 "${words[@]}"
    # with a grid that takes milliseconds, at the same time
    set -- $(for r in training test wrong-physics; do
        submit --ntasks=2 "$SLURM/job.sbatch" "$r" "${words[@]}" DATASET="$r"
    done
    for r in full-cone litter overview; do
        submit --ntasks=2 "$SLURM/$r.sbatch" "${words[@]}" DATASET="$r"
    done)
    for r; do within 90 is "$r" COMPLETED; done
    for r in training test wrong-physics full-cone litter overview; do
        iris-check -q "$r"
        # every word has come through, blanks and all
        grep -q '"epochs": 77' "$r/.iris/settings/hyper.json"
        [ "$(column point "$r/iris-manifest.tsv" | sort -u | wc -l)" = 2 ]
    done
    grep -q 'launch.bash mpirun .* -n 2 iris-gen .* --deadline=auto .*/dev/shm/.*/cache/' iris-litter-*.out
    [ -z "$(in_memory)" ]
}

@test "they are installed" {
    local f
    make -s -C "$IRIS_SOURCE" install --dry-run DESTDIR=there >commands
    for f in "$SLURM"/*; do
        grep -q "^install .*slurm/${f##*/}.* there/.*/share/iris/slurm" commands
    done
}

@test "scripts that were copied elsewhere find the rest" {
    local id
    mkdir "my jobs"
    cp "$SLURM/job.sbatch" "my jobs"
    cp "$SLURM"/*.bash "my jobs"
    id=$(submit --ntasks=2 "my jobs/job.sbatch" training "${words[@]}" DATASET=none HYPER=x/y.sbatch)
    within 30 is "$id" FAILED
    grep -q 'my jobs/../recipes/training.mk' iris-job-"$id".out
    cp "$SLURM/job.sbatch" mine.sbatch
    id=$(IRIS_SLURM=$SLURM submit --ntasks=2 mine.sbatch training "${words[@]}")
    within 60 is "$id" COMPLETED
    same_data ref out
}

@test "two nodes, by either launcher" {
    local a b id
    a=$(submit --nodes=2 --ntasks=2 --ntasks-per-node=1 "$SLURM/job.sbatch" training "${words[@]}")
    b=$(submit --nodes=2 --ntasks=2 --ntasks-per-node=1 "$SLURM/job.sbatch" training "${words[@]}" DATASET=other \
        "$by_srun")
    for id in $a $b; do
        within 90 is "$id" COMPLETED
        [ "$(job "$id" NumNodes)" = 2 ]
    done
    same_data ref out
    same_data ref other
    [ -z "$(in_memory)" ]
}

@test "a rank that dies under srun takes the others with it" {
    local id
    hold alone
    id=$(SLURM_WAIT=2 submit --nodes=2 --ntasks=2 --ntasks-per-node=1 "$SLURM/job.sbatch" training "${words[@]}" \
        "$by_srun")
    within 60 is_held "$id"
    kill -KILL "$(held "$id")"
    within 60 is "$id" FAILED
    [ "$(job "$id" Restarts)" = 0 ]
    [ -z "$(in_memory)" ]
}

@test "what srun is told can be told otherwise" {
    local told='echo $SLURM_WAIT $SLURM_PMIX_FENCE'
    [ "$("$SLURM/launch.bash" bash -c "$told" told -n 2 iris-gen)" = "60 tree" ]
    [ "$(SLURM_WAIT=0 SLURM_PMIX_FENCE=ring "$SLURM/launch.bash" bash -c "$told" told -n 2 iris-gen)" = "0 ring" ]
}

# An iris-gen that stops early so many times.
early() {
    local i
    mkdir shim hold
    for i in $(seq "$1"); do mkdir "hold/$i"; done
    cat >shim/iris-gen <<END
#!/bin/bash
PATH=\${PATH#*:}
[[ \$* == *" -o "* ]] || exec iris-gen "\$@"
for i in "$PWD"/hold/*; do ! rmdir "\$i" 2>/dev/null || exit 75; done
exec iris-gen "\$@"
END
    chmod +x shim/iris-gen
    PATH=$PWD/shim:$PATH
}

# Both emulated nodes have their directory in the same place.
enter_and_leave() (
    squeue() { echo 1; }
    SLURM_CLUSTER_NAME=iris-start-$$ SLURM_JOB_ID=1 SLURM_RESTART_COUNT=2
    . "$SLURM/job.bash"
    trap 'rm -rf "$memories"-*' EXIT
    for i in $(seq 40); do
        mkdir -p "$memories-1/1/cache" "$memories-0/0"
        both enter
        [ "$(ls -d "$memories"-*/*)" = "$memories-1/2" ]
        both leave
        [ -z "$(ls -d "$memories"-* 2>/dev/null)" ]
    done
)
both() {
    "$1" &
    "$1"
    wait $!
}

@test "nodes of one job that start and end at the same time" {
    enter_and_leave
}

@test "stopped early it goes back into the queue, until it is done" {
    local id
    early 2
    id=$(submit --ntasks=2 "$SLURM/job.sbatch" training "${words[@]}" NP=1)
    within 60 is "$id" COMPLETED
    [ "$(job "$id" Restarts)" = 2 ]
    same_data ref out
    [ -z "$(in_memory)" ]
}

@test "but not more often than it may" {
    local id
    early 9
    id=$(RESTARTS=1 submit --ntasks=2 "$SLURM/job.sbatch" training "${words[@]}" NP=1)
    within 60 is "$id" FAILED
    echo "$(job "$id" ExitCode) $(job "$id" Restarts)"
    [ "$(job "$id" ExitCode)" = 75:0 ]
    [ "$(job "$id" Restarts)" = 1 ]
    grep -q 'restarted often enough' "iris-job-$id.out"
    [ -z "$(in_memory)" ]
}

@test "what is wrong ends the job, and it does not come back" {
    local a b c id
    a=$(submit --ntasks=2 "$SLURM/job.sbatch" training "${words[@]}" HYPER=none.json)
    b=$(submit --ntasks=2 "$SLURM/job.sbatch" nothing "${words[@]}")
    c=$(submit --array=2 "$SLURM/training-array.sbatch" "${words[@]}")
    for id in $a $b ${c}_2; do
        within 30 is "$id" FAILED
        [ "$(job "$id" Restarts)" = 0 ]
    done
    grep -q none.json "iris-job-$a.out"
    grep -q 'PARTS=N is missing' "iris-training-${c}_2.out"
    run -64 --separate-stderr "$SLURM/submit-training.sh" "${words[@]}"
    [[ $stderr == "submit-training.sh: PARTS is not set; see iris-workflow(7)" ]]
    [ -z "$(in_memory)" ]
    [ ! -e out ]
}

@test "a job that is cancelled is left alone, and leaves nothing" {
    local id
    hold alone
    id=$(submit --ntasks=2 "$SLURM/job.sbatch" training "${words[@]}")
    within 30 is_held "$id"
    [ "$(in_memory)" = "$id" ]
    scancel "$id"
    within 30 eval '[ -z "$(squeue -h)" ]'
    is "$id" CANCELLED
    [ "$(job "$id" Restarts)" = 0 ]
    [ -z "$(in_memory)" ]
}
