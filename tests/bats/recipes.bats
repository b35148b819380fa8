#!/usr/bin/env bats
# The recipes in workflows/recipes: the settings that each comes to, key by key.
bats_require_minimum_version 1.5.0
load common

MAIN=SEDIGISM_13C16O # what a key has there is tested in iris-hyper.bats

setup() {
    unset IRIS_PRESETS TYPE HYPER SET UNITS_FROM NP SEED SOURCE FILES DATASET MAKEFLAGS MAKELEVEL
    mkdir "$BATS_TEST_TMPDIR/work"
    cd "$BATS_TEST_TMPDIR/work"
    mkdir sim
    # names are all that a list looks at
    : >sim/snap_0799.hdf5
    : >sim/snap_0800.hdf5
    : >sim/snap_0801.hdf5
    # data sets to take units from
    mkdir training_1 other
    iris-hyper --preset=$MAIN | tee training_1/hyper.json >other/hyper.json
    iris-mock --molecule=13CO -o 13C16O.dat
}

# recipe NAME VARIABLE=VALUE...: the settings of a recipe and its list
recipe() {
    make -s -f "$IRIS_SOURCE/workflows/recipes/$1.mk" DATASET=out "${@:2}" list out/.iris/settings/units
}

# changes: the keys of the settings that differ from the main preset
changes() {
    iris-hyper --preset=out/.iris/settings/hyper.json -s 'observer_hyper.chem_path=["13C16O.dat"]' --diff=$MAIN |
        cut -f1,3 | tr '\t' ' '
}

# points NAME WORDS VARIABLE=VALUE...: the command that makes points has these words
points() {
    local plan
    plan=$(make -n -f "$IRIS_SOURCE/workflows/recipes/$1.mk" DATASET=out "${@:3}" gen) &&
        [[ $plan == *"$2"* ]] || { echo "no '$2' in: $plan"; return 1; }
}

listed() {
    column snapshot out/.iris/list.tsv | paste -sd' '
}

# units NAME: where the units come from, "" for the data set's own
units() {
    [ "$(head -n 1 out/.iris/settings/units)" = "$1" ]
}

@test "training" {
    recipe training SOURCE=sim
    [ -z "$(changes)" ] # 20 snapshots of 64 points
    [ "$(listed)" = "snap_0799 snap_0800 snap_0801" ]
    units ""
    points training 'mpirun -n 6 iris-gen ' SOURCE=sim
    points training ' -t synthetic ' SOURCE=sim
}

@test "the molecular file is looked for where make runs" {
    recipe training SOURCE=sim
    grep -qF "\"$PWD/13C16O.dat\"" out/.iris/settings/hyper.json
    rm -r 13C16O.dat out
    run -2 --separate-stderr recipe training SOURCE=sim
    [[ $stderr == *"observer_hyper.chem_path: cannot open '"*"13C16O.dat'"* ]]
    [ ! -e out/.iris/list.tsv ]
}

@test "one of the eighty jobs of training" {
    recipe training SOURCE=sim SEED=7 UNITS_FROM=training_1
    [ "$(changes)" = "suite_hyper.seed 7" ]
    units training_1
}

@test "litter" {
    recipe litter SOURCE=sim
    diff - <(changes) <<END
writer_hyper.total_snapshots 10
writer_hyper.points_per_snapshot 32
dataset_hyper.CMZ_scale_factor 0.5
dataset_hyper.CMZ_scale_range null
coordinate_hyper.r_steps 2048
coordinate_hyper.r_min 6000.0
coordinate_hyper.r_max 7500.0
coordinate_hyper.r_crop_max_index 2048
observer_hyper.lon_pieces 16
observer_hyper.lat_pieces 8
END
    [ "$(listed)" = "snap_0799 snap_0800 snap_0801" ]
    units training_1
    points litter 'mpirun -n 6 iris-gen ' SOURCE=sim
}

@test "test" {
    recipe test SOURCE=sim
    diff - <(changes) <<END
writer_hyper.total_snapshots 8
writer_hyper.min_snapshot_index 800
writer_hyper.points_per_snapshot 8
dataset_hyper.CMZ_scale_range [0.4, 0.6]
END
    [ "$(listed)" = "snap_0800 snap_0801" ]
    units training_1
    points test 'mpirun -n 6 iris-gen ' SOURCE=sim
}

@test "full cone" {
    recipe full-cone SOURCE=sim
    diff - <(changes) <<END
writer_hyper.total_snapshots 4
writer_hyper.min_snapshot_index 800
writer_hyper.points_per_snapshot 1
dataset_hyper.CMZ_scale_range [0.4, 0.6]
coordinate_hyper.r_steps 16384
coordinate_hyper.r_pieces 16
coordinate_hyper.r_min 1302.0
coordinate_hyper.r_max 15702.0
coordinate_hyper.r_crop_min_index 7680
coordinate_hyper.r_crop_max_index 8192
observer_hyper.lon_pieces 32
END
    [ "$(listed)" = "snap_0800 snap_0801" ]
    units training_1
    points full-cone 'mpirun -n 3 iris-gen ' SOURCE=sim
}

@test "overview" {
    recipe overview FILES=sim/snap_0799.hdf5
    diff - <(changes) <<END
writer_hyper.points_per_snapshot 1
dataset_hyper.CMZ_scale_range null
coordinate_hyper.theta_zero 270.0
coordinate_hyper.r_steps 2048
coordinate_hyper.r_crop_max_index 2048
observer_hyper.lon_pieces 8
END
    [ "$(listed)" = snap_0799 ]
    units training_1
    points overview 'mpirun -n 3 iris-gen ' FILES=sim/snap_0799.hdf5
    points overview ' -t standard ' FILES=sim/snap_0799.hdf5
}

@test "wrong physics" {
    recipe wrong-physics SOURCE=sim
    [ "$(changes)" = "writer_hyper.points_per_snapshot 4" ]
    [ "$(listed)" = "snap_0799 snap_0800 snap_0801" ]
    units training_1
    points wrong-physics 'mpirun -n 6 iris-gen ' SOURCE=sim
    points wrong-physics ' -t standard ' SOURCE=sim
}

@test "what is said on the command line comes last" {
    recipe test SOURCE=sim TYPE=standard UNITS_FROM=other SEED=9 \
        SET='-s writer_hyper.min_snapshot_index=801 -s writer_hyper.points_per_snapshot=1'
    [[ $(changes) == *"min_snapshot_index 801"* ]]
    [[ $(changes) == *"points_per_snapshot 1"* ]]
    [ "$(listed)" = snap_0801 ]
    units other
    points test 'mpirun -n 2 iris-gen ' SOURCE=sim TYPE=standard UNITS_FROM=other NP=2
}

@test "units that are not there are missed at once" {
    rm -r training_1
    run -2 --separate-stderr recipe litter SOURCE=sim
    [[ $stderr == *training_1* ]]
    [ ! -e out/.iris/list.tsv ]
}

@test "every recipe is here" {
    [ "$(cd "$IRIS_SOURCE/workflows/recipes" && ls | paste -sd' ')" = \
        "full-cone.mk litter.mk overview.mk test.mk training.mk wrong-physics.mk" ]
}
