#!/usr/bin/env bash
# How large the errors of maps are: a table, the same on every machine.
#
#   study.sh DIR [SETTING]...   works in DIR, which it empties of what it made
#
# The case is the main preset, and the corrected one, with an eighth of the longitudes and
# all latitudes, one observer, nothing drawn, not smoothed and without a beam, of a mock
# snapshot; further settings are words for iris-hyper -s. CELLS=N is another snapshot, and
# FEW=1 takes of every series of values the first and the last.
#
# A row compares one map with another, in percent: its highest value, the root mean square
# of the difference as a part of that of the map, and the sum of all. Against
#   exact   is what tests/study/exact.c makes of the same rays, without samples and tables
#   finest  is the same settings with the last value of the series, which is not printed
set -euo pipefail
shopt -s inherit_errexit

tests=$(cd "$(dirname "$0")/.." && pwd)
mkdir -p "$1"
cd "$1"
shift
case=(-s coordinate_hyper.lon_steps=64 -s writer_hyper.points_per_snapshot=1
    -s observer_hyper.lat_pieces=1 -s 'observer_hyper.chem_path=["../13CO.dat"]'
    -s dataset_hyper.CMZ_scale_range=null -s observer_hyper.blur_inputs=false
    -s observer_hyper.out_blur_fwhm=null)
for word; do
    case+=(-s "$word")
done

# words SETTING VALUE: for iris-hyper
words() {
    case $1 in
    none) ;;
    r_steps) echo "-s coordinate_hyper.r_steps=$2 -s coordinate_hyper.r_crop_max_index=$2" ;;
    lat_steps) echo "-s coordinate_hyper.lat_steps=$2" ;;
    v_subsamples) echo "-s observer_hyper.v_subsamples=$2" ;;
    profile) echo "-s suite_hyper.profile=\"$2\"" ;;
    *) echo "-s observer_hyper.$1=[$2]" ;;
    esac
}

# settings PRESET [SETTING VALUE]...: hyper.json
settings() {
    local preset=SEDIGISM_13C16O all=("${case[@]}") two
    [ "$1" = main ] || preset+=_$1
    shift
    while [ $# -gt 0 ]; do
        read -ra two < <(words "$1" "$2")
        all+=("${two[@]}")
        shift 2
    done
    iris-hyper --preset=$preset "${all[@]}" -o hyper.json
}

# observe NAME PRESET [SETTING VALUE]...: NAME.column.npy and NAME.line.npy
observe() {
    local name=$1
    shift
    rm -rf data
    settings "$@"
    iris-gen -q --device=cpu -H hyper.json -t synthetic -d data -o entries.tsv list.tsv </dev/null
    mv data/entries/*/raw/snap_001/p000.columnized.npy "$name.column.npy"
    mv data/entries/*/raw/snap_001/p000.observed.npy "$name.line.npy"
}

# solve COLUMN LINE PRESET [SETTING VALUE]...: the same, exactly; -: not that one
solve() {
    settings "${@:3}"
    exact hyper.json ../snap_001.hdf5 "$1" "$2"
}

# row MAP AGAINST PRESET SETTING VALUE TRUE OTHER [sums]
row() {
    printf '%s\t%s\t%s\t%s\t%s\t%s\n' "$1" "$2" "$3" "$4" "$5" "$("$tests/study/change.pl" "${@:6}")"
}

# series VALUE...: all of them, or few
series() {
    if [ -n "${FEW:-}" ]; then
        echo "$1 ${!#}"
    else
        echo "$@"
    fi
}

# Column maps and how much gas there is by longitude, by samples along a ray.
columns() {
    local r
    for r in $(series 128 256 512 1024 2048 4096); do
        solve true.column.npy - main r_steps "$r"
        observe other main r_steps "$r"
        row column exact main r_steps "$r" true.column.npy other.column.npy
        row mass exact main r_steps "$r" true.column.npy other.column.npy sums
    done
}

# Lines: as the presets are, and on the way to what is true.
lines() {
    local preset value
    for preset in main corrected; do
        solve - true.line.npy $preset
        observe other $preset
        row line exact $preset as-it-is - true.line.npy other.line.npy
        for value in $(series 2 4 8 16 32); do
            observe other $preset profile cell_average v_subsamples "$value"
            row line exact $preset v_subsamples "$value" true.line.npy other.line.npy
        done
    done
    for value in $(series 1024 2048 4096 8192); do
        observe other corrected v_subsamples 16 T_steps 256 r_steps "$value"
        row line exact corrected r_steps "$value" true.line.npy other.line.npy
    done
}

# finest PRESET SETTING VALUE...: against the last of them
finest() {
    local preset=$1 setting=$2 value last=${!#} values
    shift 2
    read -ra values < <(series "$@")
    observe true "$preset" "$setting" "$last"
    for value in "${values[@]}"; do
        [ "$value" != "$last" ] || continue
        observe other "$preset" "$setting" "$value"
        row line finest "$preset" "$setting" "$value" true.line.npy other.line.npy
    done
}

# in_place NAME COMMAND...: in a directory of its own, rows into NAME.tsv
in_place() {
    local name=$1
    shift
    rm -rf "$name"
    mkdir "$name"
    (
        cd "$name"
        iris-list -o list.tsv ../snap_001.hdf5
        "$@" >"../$name.tsv"
    )
    rm -r "$name"
}

against_exact() {
    columns
    lines
}

against_finest() {
    local preset
    for preset in main corrected; do
        finest $preset r_steps 128 256 512 1024 2048 4096 16384
        finest $preset lat_steps 16 32 64 128 256 1024
        finest $preset T_steps 32 64 128 256 512
        finest $preset N_H_TOT_steps 32 64 128 256 512
        finest $preset abundance_H2_steps 16 32 64 128
    done
    finest main v_subsamples 1 2 4 8 16 32
}

iris-mock -q -o snap_001.hdf5 --cells="${CELLS:-200000}" --seed=1
iris-mock --molecule=13CO -o 13CO.dat
trap wait EXIT
in_place finest against_finest &
in_place exact against_exact
wait $!
printf '#map\tagainst\tpreset\tsetting\tvalue\tpeak\trms\tsum\n'
cat exact.tsv finest.tsv
rm exact.tsv finest.tsv
