#!/usr/bin/env bats
# Snapshots that the public AREPO code wrote, through every program.
bats_require_minimum_version 1.5.0
load common

N=64         # steps of distance and longitude
LAT=32
OBSERVER=40  # kpc from the centre of the view

setup() {
    need_shared
    [ -d "$SHARED/real" ] || skip "no shared reference data"
    mkdir "$BATS_TEST_TMPDIR/work"
    cd "$BATS_TEST_TMPDIR/work"
}

# real_hyper CENTRE CHANGE...: a galaxy of tens of kpc seen from 40 kpc away, in
# files without chemistry. CENTRE is in code units, which are kpc.
real_hyper() {
    local centre=$1
    shift
    iris-hyper --preset=SEDIGISM_13C16O \
        -s "suite_hyper.centre=$centre" -s dataset_hyper.use_AREPO_abundances=false \
        -s dataset_hyper.CMZ_scale_range=null -s writer_hyper.points_per_snapshot=2 \
        -s writer_hyper.unit_calculation_sample_size=2 \
        -s coordinate_hyper.observer_radius=${OBSERVER}000 \
        -s coordinate_hyper.r_min=$((OBSERVER - 20))000 -s coordinate_hyper.r_max=$((OBSERVER + 20))000 \
        -s coordinate_hyper.r_steps=$N -s coordinate_hyper.r_crop_max_index=$N \
        -s coordinate_hyper.lon_min=-25 -s coordinate_hyper.lon_max=25 -s coordinate_hyper.lon_steps=$N \
        -s coordinate_hyper.lat_min=-12 -s coordinate_hyper.lat_max=12 -s coordinate_hyper.lat_steps=$LAT \
        -s observer_hyper.lat_pieces=2 \
        -s cube_hyper.v_min=-500 -s cube_hyper.v_max=500 -s cube_hyper.v_steps=100 "$@"
}

# channel K TENSOR: its values, one a line
channel() {
    local samples=$((N * N * LAT)) size
    size=$(stat -c %s "$2")
    od -An -tf4 -v -w4 -j$((size - 24 * samples + 4 * $1 * samples)) -N$((4 * samples)) "$2"
}

# in_view HYPER LIST: cells of distinct density in the first tensor
in_view() {
    iris-hyper --preset="./$1" -s suite_hyper.dust_temperature=20 >standard.json
    iris-gen -H standard.json -t standard -d view -q "$2" >/dev/null
    channel 1 "$(find view -name p000.tensor.npy)" | sort -u | wc -l
}

# whole DATASET ROWS: published, and iris-check finds nothing
whole() {
    run -0 --separate-stderr iris-check "$1"
    [ -z "$stderr" ]
    [ -s "$1/attributes.json" ]
    [ -s "$1/hyper.json" ]
    [ "$(tail -n1 "$1/iris-manifest.tsv")" = "##rows $2" ]
    [ "$(find "$1"/entries/*/iris-* -name '*.npy' | wc -l)" = $((2 * $2)) ]
}

MERGER='[442,373,324]'
INTERACTION='[325,318,322]'

@test "the merger, a set of two files, through the pipeline" {
    ln -s "$SHARED/real/merger_multi" snaps
    real_hyper "$MERGER" >hyper.json
    pipeline simple out $(mpi 2) 2>stderr
    [ ! -s stderr ] || { cat stderr; return 1; }
    [ "$(grep -v '^#' list.tsv | cut -f1-4)" = \
        "snap_003	3	snaps/snapdir_003/snap_003.0.hdf5	2" ]
    whole out 2
    n=$(in_view hyper.json list.tsv)
    [ "$n" -ge 500 ] || { echo "$n cells in view"; return 1; }
}

@test "the interaction, a single file, through the pipeline" {
    mkdir snaps
    ln -s "$SHARED/real/galaxy_interaction.hdf5" snaps
    real_hyper "$INTERACTION" >hyper.json
    pipeline simple out 2>stderr
    [ ! -s stderr ] || { cat stderr; return 1; }
    [ "$(grep -v '^#' list.tsv | cut -f1-4)" = \
        "galaxy_interaction	.	snaps/galaxy_interaction.hdf5	1" ]
    whole out 2
    n=$(in_view hyper.json list.tsv)
    [ "$n" -ge 500 ] || { echo "$n cells in view"; return 1; }
}

@test "both in one data set, about their densest cells" {
    real_hyper '"densest"' >hyper.json
    iris-list "$SHARED/real" "$SHARED/real/merger_multi" >list.tsv
    [ "$(grep -v '^#' list.tsv | cut -f1 | paste -sd' ')" = "galaxy_interaction snap_003" ]
    $(mpi 2) iris-gen -H hyper.json -t simple -d out -o entries.tsv list.tsv </dev/null
    iris-merge -d out -o merged.tsv entries.tsv
    iris-units -H hyper.json -d out --sample=all -o units.json merged.tsv
    iris-normalize -H units.json -d out -o normalized.tsv merged.tsv
    iris-shuffle --seed=7 --publish=out -H units.json -o shuffled.tsv normalized.tsv
    whole out 4
}

@test "physical tensors of real files: a stated dust temperature, H2 everywhere" {
    real_hyper "$INTERACTION" -s suite_hyper.dust_temperature=20 >hyper.json
    iris-list "$SHARED/real/galaxy_interaction.hdf5" >list.tsv
    iris-gen -H hyper.json -t standard -d out list.tsv >entries.tsv
    tensor=$(find out -name p000.tensor.npy)
    [ "$(channel 5 "$tensor" | sort -u | tr -d ' ')" = 20 ]
    [ "$(channel 3 "$tensor" | sort -u | tr -d ' ')" = 0.5 ]
    # densities and temperatures of gas, velocities of galaxies in units of 100 km/s
    channel 1 "$tensor" | awk '!($1 > 0) { exit 1 }'
    channel 2 "$tensor" | awk '!($1 > 0) { exit 1 }'
    channel 0 "$tensor" | awk '!($1 > -6 && $1 < 6) { exit 1 }'
    # missing: it says what to set
    real_hyper "$INTERACTION" >no_dust.json
    run -1 --separate-stderr iris-gen -H no_dust.json -t standard -d out2 list.tsv
    [[ $stderr == *"'PartType0/DustTemperature'; set suite_hyper.dust_temperature"* ]]
    real_hyper "$INTERACTION" -s dataset_hyper.use_AREPO_abundances=true >chemistry.json
    run -1 --separate-stderr iris-gen -H chemistry.json -t simple -d out3 list.tsv
    [[ $stderr == *"'PartType0/ChemicalAbundances'; set dataset_hyper.use_AREPO_abundances to false"* ]]
}

@test "the set gives the same tensors as its files made one" {
    set=$SHARED/real/merger_multi/snapdir_003
    mkdir one
    h5edit merge-set one/snap_003.hdf5 "$set/snap_003.0.hdf5" "$set/snap_003.1.hdf5"
    h5edit one/snap_003.hdf5 sum PartType0/Density | grep -q '^1 8320 '
    real_hyper "$MERGER" -s suite_hyper.dust_temperature=20 >hyper.json
    iris-list "$set" >set.tsv
    iris-list one >one.tsv
    for type in simple standard; do
        iris-gen -H hyper.json -t $type -d set_data set.tsv >set_$type.tsv
        run -0 --separate-stderr iris-gen -H hyper.json -t $type -d one_data one.tsv
        [ -z "$stderr" ]
        cmp set_$type.tsv - <<<"$output"
    done
    [ "$(find set_data -name '*.npy' | wc -l)" = 6 ]
    diff -r --exclude=.iris --exclude=source.tsv set_data one_data
    # one file of the set alone is not the snapshot
    run -1 --separate-stderr bash -c \
        'iris-list -q "$1" | iris-gen -H hyper.json -t simple -d part' - "$set/snap_003.0.hdf5"
    [[ $stderr == *"one of a set of 2 files"* ]]
}

@test "h is not applied to a run that is not comoving" {
    mkdir a b
    cp "$SHARED/real/galaxy_interaction.hdf5" a/snap_1.hdf5
    cp a/snap_1.hdf5 b
    h5edit b/snap_1.hdf5 attr Header HubbleParam 1
    real_hyper "$INTERACTION" >hyper.json
    iris-list a | iris-gen -H hyper.json -t simple -d out_a >/dev/null
    iris-list b | iris-gen -H hyper.json -t simple -d out_b >/dev/null
    same_data out_a out_b
}
