#!/bin/bash
# From mock snapshots to a published data set by the workflow, in the directory
# given (default: demo). Run again it continues where it was.
set -euo pipefail

workflows=$(cd "$(dirname "$0")" && pwd)
dir=${1:-demo}
mkdir -p "$dir/snapshots"
cd "$dir"

# mpirun wants to be told that root and few cores are all right
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
export OMPI_MCA_rmaps_base_oversubscribe=1
# the make below is one of its own, whoever called this script
unset MAKEFLAGS MAKELEVEL

for i in 1 2 3; do
    [ -e "snapshots/snap_00$i.hdf5" ] ||
        iris-mock -o "snapshots/snap_00$i.hdf5" --cells=200000 --seed="$i"
done

[ -e 13CO.dat ] || iris-mock --molecule=13CO -o 13CO.dat

# A coarser grid and fewer points than the preset has, so that this takes
# seconds; the rest is what one types for real data.
iris-hyper --preset=SEDIGISM_13C16O -o hyper.json \
    -s coordinate_hyper.r_steps=192 -s coordinate_hyper.r_crop_max_index=192 \
    -s coordinate_hyper.lon_steps=192 -s coordinate_hyper.lat_steps=48 \
    -s cube_hyper.v_steps=192 -s 'observer_hyper.chem_path=["13CO.dat"]' \
    -s writer_hyper.points_per_snapshot=8
make -f "$workflows/iris.mk" SOURCE=snapshots HYPER=hyper.json DATASET=galaxy NP=2
iris-check galaxy
iris-show -o galaxy.png galaxy

echo
echo "The data set is $PWD/galaxy: $(grep -c '^[^#]' galaxy/iris-manifest.tsv) entries from" \
    "$(grep -c '^[^#]' galaxy/.iris/list.tsv) snapshots, $(du -sh galaxy | cut -f1) with the raw arrays."
echo "Each entry is a pair of arrays in IRIS units: a column map (1, 192, 192) seen from above"
echo "and the 13CO 2-1 line by longitude and velocity (1, 192, 192) that an observer at the Sun's place sees."
echo "The first is drawn in $PWD/galaxy.png."
echo "attributes.json lists them, hyper.json holds their settings, iris-manifest.tsv says how each was made:"
echo
awk -F'\t' '/^[^#]/ {printf "  %-26s theta %5.1f deg, scale %.3f\n", $1, $4, $7}' galaxy/iris-manifest.tsv | sed -n 1,4p
echo "  ..."
