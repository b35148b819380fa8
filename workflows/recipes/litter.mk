# litter.mk -- foreground to strew over the training data: pairs of the 1500 pc
# in front of the centre, from 6000 to 7500 pc, in 2048 steps.
#
#   make -f workflows/recipes/litter.mk SOURCE=simulation DATASET=litter_1
#
# 10 snapshots drawn from all there are, 32 points of each: 320 pairs, in the
# units of the training data. The whole is 8 data sets, 2560 pairs, from 8 jobs
# of which two run at a time: SEED=K DATASET=litter_K for K from 1 to 8.
#
# A job has one node, 6 processes and 270 GB. Pairs are of type synthetic; the
# molecular file 13C16O.dat is looked for where make runs.

TYPE       ?= synthetic
HYPER      ?= SEDIGISM_13C16O_Foreground
UNITS_FROM ?= training_1
NP         ?= 6

include $(dir $(lastword $(MAKEFILE_LIST)))../iris.mk
