# overview.mk -- one look at a simulation: one tensor of one snapshot in 2048
# steps, unscaled, seen from 270 degrees.
#
#   make -f workflows/recipes/overview.mk FILES=simulation/snap_812.hdf5 DATASET=overview
#
# FILES names the snapshot, whatever its index. The tensor is in the units of the
# training data. The job has one node, 3 processes and 80 GB.

TYPE       ?= standard
HYPER      ?= SEDIGISM_13C16O
UNITS_FROM ?= training_1
NP         ?= 3
# 2048 steps are one piece of distance and 8 of longitude
override SET := \
    -s writer_hyper.points_per_snapshot=1 \
    -s dataset_hyper.CMZ_scale_range=null \
    -s coordinate_hyper.theta_zero=270 \
    -s coordinate_hyper.r_steps=2048 \
    -s coordinate_hyper.r_crop_max_index=2048 \
    -s observer_hyper.lon_pieces=8 $(SET)

include $(dir $(lastword $(MAKEFILE_LIST)))../iris.mk
