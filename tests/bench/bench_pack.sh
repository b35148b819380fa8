#!/usr/bin/env bash
# How fast iris-pack and iris-check are beside dd and the hash program on the same
# files, and how fast the example for PyTorch reads the container.
#
#   bench_pack.sh MEASURE DIR   works in DIR/pack; the data set in it is kept
#
# Of 3 rounds, in each of which all are run one after the other; what is printed is of
# the medians.
set -euo pipefail
shopt -s inherit_errexit

measure=$(realpath "$1")
examples=$(realpath "$(dirname "$0")/../../workflows/examples")
mkdir -p "$2/pack"
cd "$2/pack"

# The main preset's 20 x 64 entries, made in a minute: of few latitudes and few cells.
if [ ! -e D/attributes.json ]; then
    mkdir -p snaps
    for i in {101..120}; do iris-mock -o snaps/snap_$i.hdf5 --cells=2000 --seed=$i; done
    iris-hyper --preset=SEDIGISM_13C16O -s coordinate_hyper.lat_steps=4 -s observer_hyper.lat_pieces=1 \
        -s observer_hyper.in_blur_kernel_lat=1 \
        -s suite_hyper.periodic=true -o hyper.json
    iris-list -o list.tsv snaps
    iris-gen -q -H hyper.json -t simple -d D -o entries.tsv list.tsv
    iris-merge -q -d D -o merged.tsv entries.tsv
    iris-units -q -H hyper.json -d D -o units.json merged.tsv
    iris-normalize -q -H units.json -d D -o normalized.tsv merged.tsv
    iris-shuffle -q --publish=D --drop-raw -H units.json -o shuffled.tsv normalized.tsv
fi
files=(D/entries/*/iris-*/*/*.npy)
cat "${files[@]}" >all
rm -f ./*.times

# time NAME COMMAND...: seconds of a run go to NAME.times
timed() {
    local took
    took=$("$measure" "${@:2}" 2>/dev/null)
    echo "${took%% *}" >>"$1.times"
}

for _ in 1 2 3; do
    rm -f copy OUT.h5
    sync
    timed dd dd if=all of=copy bs=1M conv=fsync
    rm -f copy
    sync
    timed pack iris-pack -q -o OUT.h5 D
    for _ in 1 2 3; do # these are short
        timed hash-files xxh128sum "${files[@]}"
        timed check-files iris-check -q D
        timed hash-file xxh128sum OUT.h5
        timed check-file iris-check -q OUT.h5
    done
done

median() {
    sort -g "$1.times" | awk '{t[NR] = $1} END {print t[int(NR / 2) + 1]}'
}

bytes=$(stat -c %s all)
# row NAME OURS YARDSTICK
row() {
    awk -v name="$1" -v ours="$(median "$2")" -v theirs="$(median "$3")" -v bytes="$bytes" 'BEGIN {
        printf "  %-30s %7.0f %7.0f %6.2f\n", name, bytes / ours / 2^20, bytes / theirs / 2^20, theirs / ours }'
}
printf 'iris-pack and iris-check: %d arrays, %d MiB\n' ${#files[@]} $((bytes >> 20))
printf '  %-30s %7s %7s %6s\n' '' MiB/s beside ratio
row 'iris-pack, dd' pack dd
row 'iris-check D, xxh128sum' check-files hash-files
row 'iris-check OUT.h5, xxh128sum' check-file hash-file
for workers in 0 1 2; do
    printf '  train.py reads, %d workers: %s\n' $workers \
        "$(/usr/bin/python3 "$examples/train.py" --read-only --workers=$workers --batch=8 OUT.h5)"
done
rm -f all OUT.h5
