# test.mk -- the test data: pairs as in training, with scales of 0.4 to 0.6, of
# snapshots from index 800 on.
#
#   make -f workflows/recipes/test.mk SOURCE=simulation DATASET=test
#
# 8 snapshots, 8 points of each: 64 pairs, in the units of the training data.
# Training draws from all indices, these included: keep the snapshots for the
# test in a directory of their own, or give training
# SET='-s writer_hyper.max_snapshot_index=799'.
#
# The job has one node, 6 processes and 80 GB. Pairs are of type synthetic; the
# molecular file 13C16O.dat is looked for where make runs.

TYPE       ?= synthetic
HYPER      ?= SEDIGISM_13C16O_Test
UNITS_FROM ?= training_1
NP         ?= 6
override SET := -s writer_hyper.min_snapshot_index=800 $(SET)

include $(dir $(lastword $(MAKEFILE_LIST)))../iris.mk
