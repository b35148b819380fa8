#!/usr/bin/env bash
# What iris-gen --estimate says, and what the run then takes: time, and the most memory
# of a rank.
#
#   bench_estimate.sh MEASURE DIR   DIR has snap_001.hdf5 of 2,000,000 cells, 13CO.dat
#                                   and lines.h5
set -euo pipefail
shopt -s inherit_errexit

measure=$(realpath "$1")
cd "$2"
work=estimate
rm -rf $work
mkdir $work
trap 'rm -rf "$PWD/$work"' EXIT
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
for i in 1 2 3; do ln snap_001.hdf5 $work/snap_00$i.hdf5; done
iris-list $work >$work/list.tsv

# compare NAME RANKS TYPE POINTS: of the main preset; 0 ranks: without a launcher
compare() {
    local launcher=() lines=() words took time memory peak
    [ "$2" = 0 ] || launcher=(mpirun --oversubscribe -n "$2")
    [ "$3" != synthetic ] || lines=(--lines=lines.h5)
    iris-hyper --preset=SEDIGISM_13C16O -s "observer_hyper.chem_path=[\"$PWD/13CO.dat\"]" \
        -s suite_hyper.periodic=true -s writer_hyper.points_per_snapshot="$4" -o $work/hyper.json
    words=(-q -H "$work/hyper.json" -t "$3" "${lines[@]}" -d "$work/data" "$work/list.tsv")
    rm -rf $work/data
    "${launcher[@]}" iris-gen --estimate "${words[@]}" </dev/null >$work/said
    time=$(awk '$1 == "time" { print $2 }' $work/said)
    memory=$(awk '$1 == "rank_memory" { print $2 }' $work/said)
    took=$("$measure" "${launcher[@]}" iris-gen -o $work/data.tsv "${words[@]}" </dev/null)
    peak=$(sed 's/.*"peak_rank_bytes": \([0-9]*\).*/\1/' $work/data/.iris/status.json)
    awk -v name="$1" -v time="$time" -v took="${took%% *}" -v memory="$memory" -v peak="$peak" 'BEGIN {
        printf "  %-22s %8.1f %8.1f %6.2f %9.1f %8.1f %6.2f\n", name, time, took, time / took,
            memory / 2^20, peak / 2^20, memory / peak }'
}

printf 'iris-gen --estimate, and the run: 3 snapshots of 2,000,000 cells\n'
printf '  %-22s %8s %8s %6s %9s %8s %6s\n' '' 'said s' 'took s' ratio 'said MiB' 'had MiB' ratio
compare 'synthetic, alone' 0 synthetic 4
compare 'synthetic, 2 ranks' 2 synthetic 8
compare 'simple, 2 ranks' 2 simple 8
compare 'tensors, alone' 0 standard 1
