#!/bin/bash
# launch.bash LAUNCHER... -n N PROGRAM ARGUMENT... -- the launcher in a job. On
# each node the ranks have Open MPI's files in memory below the directory of the
# job there, so that nothing of them is left when that goes. It is told by the
# ranks, since nodes that are emulated on one machine must not share them.
set -euo pipefail

if [ "$1" != --rank ]; then
    launcher=()
    while [ "$1" != -n ]; do
        launcher+=("$1")
        shift
    done
    # Of srun: a rank that died would be waited for without end, and its two ways
    # of fencing, mixed, now and then let a rank send to one that is not ready.
    export SLURM_WAIT=${SLURM_WAIT:-60} SLURM_PMIX_FENCE=${SLURM_PMIX_FENCE:-tree}
    exec "${launcher[@]}" -n "$2" "$0" --rank "${@:3}"
fi
shift
dir=$IRIS_JOB_MEMORY/mpi-${SLURMD_NODENAME-}
mkdir -p "$dir"
export OMPI_MCA_btl_vader_backing_directory=$dir
export OMPI_MCA_osc_sm_backing_directory=$dir
export OMPI_MCA_shmem_mmap_backing_file_base_dir=$dir
exec "$@"
