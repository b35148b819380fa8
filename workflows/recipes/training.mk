# training.mk -- the training data: pairs of the 450 pc around the centre.
#
#   make -f workflows/recipes/training.mk SOURCE=simulation DATASET=training_1
#
# 20 snapshots drawn from all there are, 64 points of each: 1280 pairs, in units
# of their own. The whole is 80 data sets, 102400 pairs, from 80 jobs of which
# two run at a time, each with a draw and perturbations of its own:
#
#   for K in 1 ... 80:  SEED=K DATASET=training_K, from the second on UNITS_FROM=training_1
#
# A job has one node, 6 processes and 80 GB. Pairs are of type synthetic,
# observed with optically thick transfer as the preset says; the molecular file
# 13C16O.dat is looked for where make runs.

TYPE  ?= synthetic
HYPER ?= SEDIGISM_13C16O
NP    ?= 6

include $(dir $(lastword $(MAKEFILE_LIST)))../iris.mk
