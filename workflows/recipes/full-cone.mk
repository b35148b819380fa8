# full-cone.mk -- the test through the whole disc: pairs from 1302 to 15702 pc in
# 16384 steps, of which the column map keeps the 512 of the training data.
#
#   make -f workflows/recipes/full-cone.mk SOURCE=simulation DATASET=full_cone
#
# 4 snapshots from index 800 on, one point of each: 4 pairs with scales of 0.4 to
# 0.6, in the units of the training data.
#
# The job has one node, 3 processes and 256 GB, of which a tensor would take
# 25.8: here rays are streamed. Pairs are of type synthetic; the molecular file
# 13C16O.dat is looked for where make runs.

TYPE       ?= synthetic
HYPER      ?= SEDIGISM_13C16O_FullCone_Test
UNITS_FROM ?= training_1
NP         ?= 3
override SET := -s writer_hyper.min_snapshot_index=800 $(SET)

include $(dir $(lastword $(MAKEFILE_LIST)))../iris.mk
