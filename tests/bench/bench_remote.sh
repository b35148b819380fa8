#!/usr/bin/env bash
# How well fetching and making points overlap: a server on loopback behind a line so
# slow that to fetch a snapshot takes as long as to make its points.
#
#   bench_remote.sh MEASURE DIR [SNAPSHOTS]
set -euo pipefail
shopt -s inherit_errexit

measure=$(realpath "$1")
mkdir -p "$2"
cd "$2"
snapshots=${3:-16}
rm -rf remote
mkdir remote
export BATS_TEST_TMPDIR=$PWD/remote
bats_require_minimum_version() { :; }
# shellcheck source=tests/bats/common.bash
. "$IRIS_SOURCE/tests/bats/common.bash"
# shellcheck source=tests/bats/remote.bash
. "$IRIS_SOURCE/tests/bats/remote.bash"
trap 'far_stop; rm -rf "$BATS_TEST_TMPDIR"' EXIT
far_start 3>&1
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
cd remote

for i in $(seq "$snapshots"); do
    iris-mock -o "far/home/$(printf 'snap_%03d.hdf5' "$i")" --cells=200000 --seed="$i"
done
iris-mock --molecule=13CO -o 13CO.dat
iris-hyper --preset=SEDIGISM_13C16O -s 'observer_hyper.chem_path=["13CO.dat"]' \
    -s coordinate_hyper.lon_steps=256 -s coordinate_hyper.lat_steps=64 \
    -s writer_hyper.points_per_snapshot=8 -o hyper.json
iris-chem -q -H hyper.json -o lines.h5
iris-list -o here.tsv far/home

# seconds COMMAND...: of wall
seconds() {
    local took
    took=$("$measure" "$@")
    echo "${took%% *}"
}

points=(iris-gen -q -H hyper.json -t synthetic --lines=lines.h5)
make=$(seconds "${points[@]}" -d made -o made.tsv here.tsv)
bytes=$(cat far/home/*.hdf5 | wc -c)
rate=$(awk "BEGIN { printf \"%d\", $bytes / $make }")
far_wire slow -r "$rate"
iris-list --remote=slow --ssh-config=far/config -o there.tsv .
fetch=$(seconds iris-fetch -q --cache=all --ssh-config=far/config there.tsv)
rm -r all

printf '%d snapshots of %d bytes, %d bytes a second\n' "$snapshots" $((bytes / snapshots)) "$rate"
printf '  points alone     %6.2f s\n  fetching alone   %6.2f s\n' "$make" "$fetch"
for window in 2 3; do
    both=$(seconds bash -c "${points[*]} --plan -d all$window there.tsv |
        iris-fetch -q --window=$window --ssh-config=far/config - |
        ${points[*]} -d all$window --release - >all$window.tsv")
    cmp made.tsv all$window.tsv
    printf '  both, window %d   %6.2f s, %.3f of the longer one\n' $window "$both" \
        "$(awk "BEGIN { print $both / ($make > $fetch ? $make : $fetch) }")"
done
printf 'lines of %d snapshots would bring it to at least %.3f\n' "$snapshots" \
    "$(awk "BEGIN { print 1 + 1 / $snapshots }")"
