#!/bin/bash
# submit-training.sh [OPTION OF SBATCH]... PARTS=N [VARIABLE=VALUE]...
#
# The training data by an array of N tasks, of which AT_ONCE=M (2) run at a time,
# and a job behind it that makes the data set of their points. The variables are
# those of iris-workflow(7). GPUS=N asks for as many GPUs on each node. Run again with
# the same words after it has ended, it does what is missing.
set -euo pipefail

slurm=$(cd "$(dirname "$0")" && pwd)
options=() words=() parts='' at_once=2
for word; do
    case $word in
    -*) options+=("$word") ;;
    PARTS=*) parts=${word#*=} words+=("$word") ;;
    AT_ONCE=*) at_once=${word#*=} ;;
    GPUS=*) options+=("--gres=gpu:${word#*=}") ;;
    *) words+=("$word") ;;
    esac
done
[ -n "$parts" ] || { echo "submit-training.sh: PARTS is not set; see iris-workflow(7)" >&2; exit 64; }

array=$(sbatch --parsable "${options[@]}" --array="1-$parts%$at_once" "$slurm/training-array.sbatch" "${words[@]}")
echo "array $array"
merge=$(sbatch --parsable "${options[@]}" --dependency="afterany:${array%%;*}" "$slurm/merge.sbatch" "${words[@]}")
echo "merge $merge"
