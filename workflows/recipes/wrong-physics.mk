# wrong-physics.mk -- tensors of another simulation, with the grid and the scales
# of the training data, to see what a network makes of physics it does not know.
#
#   make -f workflows/recipes/wrong-physics.mk SOURCE=other_simulation DATASET=wrong_physics
#
# 20 snapshots drawn from all there are, 4 points of each: 80 tensors, in the
# units of the training data. The job has one node, 6 processes and 80 GB.

TYPE       ?= standard
HYPER      ?= SEDIGISM_13C16O
UNITS_FROM ?= training_1
NP         ?= 6
override SET := -s writer_hyper.points_per_snapshot=4 $(SET)

include $(dir $(lastword $(MAKEFILE_LIST)))../iris.mk
