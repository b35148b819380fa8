#!/usr/bin/env bash
# What it costs to hand out tasks, and what ranks that wait use: of the pool alone, and
# of iris-gen as it is.
#
#   bench_pool.sh MEASURE POOL_TASKS DIR
set -euo pipefail
shopt -s inherit_errexit

measure=$(realpath "$1")
pool_tasks=$(realpath "$2")
mkdir -p "$3"
cd "$3"
work=pool
rm -rf $work
mkdir $work
trap 'rm -rf "$PWD/$work"' EXIT
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
many=(mpirun --oversubscribe -n 8)

# per POINTS COMMAND...: what comes of a data set made by that, milliseconds a point
per() {
    local took
    rm -rf $work/data
    took=$("$measure" "${@:2}" iris-gen -q -H $work/hyper.json -t simple -d $work/data \
        -o $work/data.tsv $work/list.tsv </dev/null)
    awk "BEGIN { print 1000 * ${took% *} / $1 }"
}

"${many[@]}" "$pool_tasks"
"${many[@]}" "$pool_tasks" -i

points=5000
for i in 1 2; do iris-mock -o $work/snap_00$i.hdf5 --cells=2000 --seed=$i; done
iris-list $work >$work/list.tsv
settings() {
    iris-hyper --preset=SEDIGISM_13C16O -s coordinate_hyper.r_steps=4 \
        -s coordinate_hyper.r_crop_max_index=4 -s coordinate_hyper.lon_steps=4 \
        -s coordinate_hyper.lat_steps=4 -s observer_hyper.lat_pieces=1 -s cube_hyper.v_steps=4 \
        -s writer_hyper.points_per_snapshot="$1" -o $work/hyper.json
}

settings $points
alone=$(per $((2 * points)) env)
ranks=$(per $((2 * points)) "${many[@]}")
printf '%d points of 4 x 4 x 4 samples by iris-gen, all of the run\n' $((2 * points))
printf '  alone   %8.4f ms a point\n  8 ranks %8.4f ms a point\n' "$alone" "$ranks"

wait=5
settings 1
took=$("$measure" -m iris-gen sh -c "{ sleep $wait; cat $work/list.tsv; } | ${many[*]} iris-gen -q \
    -H $work/hyper.json -t simple -d $work/idle -o $work/idle.tsv -")
read -r wall _ _ _ _ _ most <<<"$took"
printf '8 ranks of iris-gen that wait %s s for a manifest: at most %.4f of a core each\n' $wait \
    "$(awk "BEGIN { print $most / $wall }")"
