#!/usr/bin/env bash
# What each correction of suite_hyper changes: a table, the same on every machine.
#
#   corrections.sh DIR [SETTING]...   works in DIR, which it empties of what it made
#
# The case is the main preset with an eighth of its longitudes and latitudes, one
# observer, nothing drawn, of a mock snapshot; further settings are words for
# iris-hyper -s. A correction is a key that the corrected preset has otherwise; each is
# switched on alone, where it has an effect. Changes are of the observed map, in
# percent: of its highest value, and the root mean square of the difference as a part
# of the root mean square of the map.
set -euo pipefail
shopt -s inherit_errexit

preset=SEDIGISM_13C16O
cells=200000
tests=$(cd "$(dirname "$0")/.." && pwd)
mkdir -p "$1"
cd "$1"
shift
case=(-s coordinate_hyper.lon_steps=64 -s coordinate_hyper.lat_steps=16 -s observer_hyper.lat_pieces=4
    -s writer_hyper.points_per_snapshot=1 -s 'observer_hyper.chem_path=["13CO.dat"]'
    -s dataset_hyper.CMZ_scale_range=null)
for word; do
    case+=(-s "$word")
done

# where a key has an effect: a name, and the type and settings that it stands for
mode() {
    case $1 in
    simple_out_of_band) echo 'simple simple cube_hyper.v_min=-100 cube_hyper.v_max=100' ;;
    clamp_offsets) echo 'short synthetic observer_hyper.interpolation_max_T=[300]' ;;
    thin_simpson) echo 'thin synthetic suite_hyper.transfer="optically thin"' ;;
    selective_formal) echo 'selective synthetic suite_hyper.transfer="selectively thin" suite_hyper.integration="formal"' ;;
    *) echo thick synthetic ;;
    esac
}

# observe NAME PRESET TYPE SETTING...: ./NAME.npy, unless it is there
observe() {
    local name=$1 from=$2 type=$3 word words=()
    shift 3
    for word; do
        words+=(-s "$word")
    done
    [ ! -e "$name.npy" ] || return 0
    rm -rf data
    iris-hyper --preset="$from" "${case[@]}" "${words[@]}" -o hyper.json
    iris-gen -q --device=cpu -H hyper.json -t "$type" -d data -o entries.tsv list.tsv </dev/null
    mv data/entries/*/raw/snap_001/p000.observed.npy "$name.npy"
}

# change A B: of the peak, and root mean square
change() {
    "$tests/study/change.pl" "$1" "$2" | cut -f1,2
}

# words TEXT: its words, in which quotes keep blanks
words() {
    grep -oE '([^ "]|"[^"]*")+' <<<"$1"
}

iris-mock -q -o snap_001.hdf5 --cells=$cells --seed=1
iris-mock --molecule=13CO -o 13CO.dat
iris-list -o list.tsv snap_001.hdf5
rm -f ./*.npy
printf '#correction\tmode\tpeak\trms\n'
iris-hyper --preset=${preset}_corrected --diff=$preset | grep ^suite_hyper >corrections.tsv
while IFS=$'\t' read -r key _ value; do
    name=${key#*.}
    mapfile -t with < <(words "$(mode "$name")")
    observe "${with[0]}" $preset "${with[@]:1}"
    observe "$name" $preset "${with[@]:1}" "$key=$value"
    printf '%s\t%s\t%s\n' "$name" "${with[0]}" "$(change "${with[0]}.npy" "$name.npy")"
done <corrections.tsv
observe all ${preset}_corrected synthetic
printf 'all\tthick\t%s\n' "$(change thick.npy all.npy)"
rm -rf data ./*.npy hyper.json entries.tsv
