# job.bash -- what the batch scripts beside it share, sourced by them; see
# iris-workflow(7).
#
# A job has a directory in memory on each of its nodes, and each of its starts one
# below it: the cache and Open MPI's files. It goes with the job, and what a killed
# job has left with the next one.

set -euo pipefail

slurm=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
memories=/dev/shm/iris-$(id -u)-job-$SLURM_CLUSTER_NAME
export memories
export IRIS_JOB_MEMORY=$memories-$SLURM_JOB_ID/${SLURM_RESTART_COUNT:-0}
stopped=$IRIS_JOB_MEMORY/stopped
# the id of one task of an array may be that of the array
job=${SLURM_ARRAY_JOB_ID:+${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID}
job=${job:-$SLURM_JOB_ID}

# on_nodes FUNCTION: once on each node of the job
on_nodes() {
    export -f "${1?}"
    if [ "${SLURM_JOB_NUM_NODES:-1}" = 1 ]; then
        "$1"
    else
        srun --mpi=none --overlap --ntasks="$SLURM_JOB_NUM_NODES" --ntasks-per-node=1 bash -c "$1" </dev/null
    fi
}

# A directory is older than the list of jobs, so the job of one that is not in
# the list has ended. What another start of this job has left is from before it was
# requeued. Nodes that are emulated on one machine do this at the same time, in the
# same place.
enter() {
    local dir dirs jobs own=${IRIS_JOB_MEMORY%/*}
    dirs=$(find "${memories%/*}" -maxdepth 1 -name "${memories##*/}-*" -user "$(id -u)" 2>/dev/null) || true
    jobs=$(squeue -h -u "$(id -u)" -t running,completing,configuring,suspended,stopped -o %A) || dirs=
    for dir in $dirs; do
        grep -qx "${dir##*-}" <<<"$jobs" || rm -rf "$dir" || true
    done
    mkdir -m 700 "$own" 2>/dev/null || true
    # others may make names there, too, and links to what is not to be removed
    if [ -L "$own" ] || [ ! -d "$own" ] || [ ! -O "$own" ]; then
        echo "'$own' is no directory of this user" >&2
        exit 74
    fi
    chmod 700 "$own"
    for dir in "$own"/*; do
        [ "$dir" = "$IRIS_JOB_MEMORY" ] || rm -rf "$dir" || true
    done
    mkdir -p "$IRIS_JOB_MEMORY"
}

leave() {
    rm -rf "${IRIS_JOB_MEMORY%/*}"
}

# The limit is near: points in hand are finished, all else is broken off. The
# pool of ranks has its launcher in the group of make, which hands the signal on.
calmly() {
    local pool='(mpirun|mpiexec|orterun|srun)(\..*)?|iris-gen'
    echo "job $job is asked to stop" >&2
    : >"$stopped"
    pkill -USR1 -g "$make" -x "$pool" || true
    while pgrep -g "$make" -x "$pool" >/dev/null; do sleep 0.5; done
    kill -TERM -- "-$make" 2>/dev/null || true
}

# Cancelled, or the limit is reached: whoever did that does not want it again.
at_once() {
    ended=yes
    kill -TERM -- "-$make" 2>/dev/null || true
}

# again: back into the queue, but not for ever
again() {
    if [ "${SLURM_RESTART_COUNT:-0}" -ge "${RESTARTS:-100}" ]; then
        echo "job $job has stopped early, and was restarted often enough" >&2
    elif scontrol requeue "$job"; then
        sleep 60 # until Slurm ends it
    fi
    exit 75
}

# workflow MAKEFILE WORD...: make, to its end or until it has to stop
workflow() {
    local words=(-j2) launcher=${MPIRUN:-mpirun} word status=0
    ended=
    for word in "${@:2}"; do
        case $word in (MPIRUN=*) launcher=${word#*=} ;; esac
    done
    # those that are given come later, and count
    [ -z "${SLURM_NTASKS-}" ] || words+=("NP=$SLURM_NTASKS")
    # others would not see a copy on this node
    [ "${SLURM_JOB_NUM_NODES:-1}" != 1 ] || words+=("CACHE=$IRIS_JOB_MEMORY/cache")
    words+=(DEADLINE=auto "${@:2}" "MPIRUN=$slurm/launch.bash $launcher" "STOPPED=$stopped")

    trap 'on_nodes leave' EXIT
    on_nodes enter
    unset MAKEFLAGS MFLAGS MAKELEVEL
    set -m # a group of its own
    make -f "$slurm/../$1" "${words[@]}" </dev/null &
    make=$!
    set +m
    trap calmly USR1
    trap at_once TERM INT
    while status=0; wait "$make" || status=$?; kill -0 "$make" 2>/dev/null; do :; done
    trap '' USR1
    if [ "$status" != 0 ] && [ -z "$ended" ] && [ -e "$stopped" ]; then
        trap - EXIT
        on_nodes leave
        again
    fi
    exit "$status"
}
