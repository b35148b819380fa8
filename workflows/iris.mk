# iris.mk -- from snapshots to a published data set, restarting from the last
# finished step. See iris-workflow(7).
#
#   make -f workflows/iris.mk -j4 SOURCE=DIR HYPER=hyper.json DATASET=out
#
# Every finished step is one file in STATE, made by rename; a step that was
# killed has none. Nothing here has a clock or a lock of its own.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.SUFFIXES:

SOURCE       ?=
HYPER        ?=
DATASET      ?=
TYPE         ?= simple
NP           ?= 1
SEED         ?=
ROUND        ?= 0
WINDOW       ?= 2
CACHE        ?=
UNITS_FROM   ?=
SAMPLE       ?=
FILES        ?=
PART         ?=
ALLOW_FAILED ?=
STATE        ?= $(DATASET)/.iris
MPIRUN       ?= mpirun
GEN          ?=

STEPS := list fetch chem gen merge units normalize shuffle publish check
.PHONY: all $(filter-out chem,$(STEPS)) retry status why clean-cache clean-raw help
all: publish

help: ## print this list
	@sed -n 's/^\([a-z-]*\):.*## /\1: /p' $(firstword $(MAKEFILE_LIST)) | \
	    awk -F': ' '{printf "  %-12s %s\n", $$1, $$2}'

# What a goal needs: everything but `help` needs the variables.
goals := $(or $(MAKECMDGOALS),all)
ifneq ($(filter-out help,$(goals)),)

$(foreach v,SOURCE HYPER DATASET,$(if $($(v)),,$(if $(and $(filter SOURCE,$(v)),$(FILES)),,$(error $(v) is not set; see iris-workflow(7)))))
$(foreach v,DATASET STATE CACHE,$(if $(word 2,$($(v))),$(error $(v) has a blank in it: '$($(v))')))
$(if $(shell [ "$(WINDOW)" -ge 1 ] 2>/dev/null && echo yes),,$(error WINDOW must be 1 or more, not '$(WINDOW)'))
$(if $(shell [ "$(NP)" -ge 1 ] 2>/dev/null && echo yes),,$(error NP must be 1 or more, not '$(NP)'))

quote = '$(subst ','\'',$(1))'
seed := $(if $(SEED),--seed=$(SEED))
hyper := $(STATE)/hyper.json

# ---- settings: files that change only when what they hold changes ----

# put FILE COMMAND: the command's output, into FILE if it is other than before
put = $(shell mkdir -p $(dir $(1)) && { $(2); } >$(1).tmp && \
    { cmp -s $(1).tmp $(1) && rm $(1).tmp || mv $(1).tmp $(1); } && echo ok)
must = $(if $(call put,$(1),$(2)),,$(error $(3)))

# a first look, so that nothing is made for settings that are wrong
$(call must,$(hyper),iris-hyper --preset=$(call quote,$(HYPER)) $(seed),HYPER=$(HYPER) cannot be used)
$(call must,$(STATE)/settings/list,printf '%s\n' $(call quote,$(SOURCE)) $(call quote,$(FILES)) \
    $(call quote,$(PART)); grep -E '"(total_snapshots|min_snapshot_index|max_snapshot_index|seed)"' $(hyper),\
    cannot write $(STATE)/settings/list)
$(call must,$(STATE)/settings/gen,iris-gen --digest -H $(hyper) -t $(TYPE) --round=$(ROUND),\
    TYPE=$(TYPE) or ROUND=$(ROUND) cannot be used)
$(call must,$(STATE)/settings/units,printf '%s\n' $(call quote,$(UNITS_FROM)) $(call quote,$(SAMPLE)); \
    cat $(hyper) $(if $(UNITS_FROM),$(call quote,$(UNITS_FROM)$(if $(wildcard $(UNITS_FROM)/.),/hyper.json))),UNITS_FROM=$(UNITS_FROM) cannot be read)

# ---- list: which snapshots, and a row of its own for each ----

$(STATE)/list.tsv: $(STATE)/settings/list
	iris-list -H $(hyper) $(if $(PART),--part=$(PART)) -o $@ -- \
	    $(if $(FILES),$(FILES),$(call quote,$(SOURCE)))

$(STATE)/targets.mk: $(STATE)/list.tsv
	@mkdir -p $(STATE)/rows $(STATE)/gen
	@awk -F'\t' -v dir=$(STATE)/rows '\
	    /^##iris|^##columns/ { head = head $$0 "\n"; next } \
	    /^#[^#]/ { head = head $$0; for (i = 1; i <= NF; i++) if ($$i ~ /^#?snapshot$$/) c = i; next } \
	    /^##/ { next } \
	    { f = dir "/" $$c ".tsv.tmp"; print head "\n" $$0 "\n##rows 1" > f; close(f); \
	      names = names " " $$c } \
	    END { print "SNAPSHOTS :=" names }' $< >$@.tmp
	@for f in $(STATE)/rows/*.tsv.tmp; do \
	    cmp -s "$$f" "$${f%.tmp}" && rm "$$f" || mv "$$f" "$${f%.tmp}"; \
	done
	@mv $@.tmp $@

SNAPSHOTS :=
-include $(STATE)/targets.mk

gens := $(SNAPSHOTS:%=$(STATE)/gen/%.tsv)
$(call must,$(STATE)/settings/merge,printf '%s\n' $(call quote,$(ALLOW_FAILED)) $(SNAPSHOTS),\
    cannot write $(STATE)/settings/merge)

# ---- retry: forget the points that failed, then go on ----

ifneq ($(filter retry,$(goals)),)
$(shell for g in $(gens); do \
    [ -e $$g ] && awk -F'\t' '/^#[^#]/ { for (i = 1; i <= NF; i++) if ($$i == "state") c = i } \
        /^[^#]/ && $$c == "failed" { bad = 1 } END { exit !bad }' $$g && rm -f $$g; done)
endif
retry: publish ## make the points that failed again, then what follows

# ---- fetch and gen: snapshot by snapshot ----

# Copies of snapshots whose points are done serve nothing: those of a run that
# was killed between the two.
ifneq ($(CACHE),)
$(shell for s in $(SNAPSHOTS); do \
    if [ -e $(STATE)/gen/$$s.tsv ] && [ -e $(CACHE)/$$s -o -e $(CACHE)/$$s.tsv ]; then \
        rm -f $(CACHE)/$$s.tsv; iris-fetch --cache=$(CACHE) --drop=$$s >&2; fi; done)
endif

launch := $(if $(filter-out 1,$(NP)),$(MPIRUN) -n $(NP) )
make_points = $(launch)iris-gen -H $(hyper) -t $(TYPE) -d $(DATASET) --round=$(ROUND) $(GEN) -o $@

# snapshot NAME PREVIOUS BEFORE-THE-WINDOW: one pool at a time, so gen waits for
# the gen before it; WINDOW copies at a time, so fetch waits for an older gen.
define snapshot
ifneq ($(CACHE),)
$(CACHE)/$(1).tsv: $(STATE)/rows/$(1).tsv $(if $(3),| $(STATE)/gen/$(3).tsv)
	iris-fetch --cache=$(CACHE) --copy -o $$@ $$< || [ -e $$@ ]
.SECONDARY: $(CACHE)/$(1).tsv
endif
$(STATE)/gen/$(1).tsv: $(STATE)/rows/$(1).tsv $(STATE)/settings/gen $(if $(CACHE),$(CACHE)/$(1).tsv) \
    $(if $(2),| $(STATE)/gen/$(2).tsv)
	@rm -f $$@
	$$(make_points) $(if $(CACHE),$(CACHE)/$(1).tsv,$$<) </dev/null || { s=$$$$?; [ -e $$@ ] || exit $$$$s; }
$(if $(CACHE),	@rm -f $(CACHE)/$(1).tsv; iris-fetch --cache=$(CACHE) --drop=$(1))
endef
# at N: the N-th snapshot, nothing for N < 1
at = $(if $(filter-out 0 -%,$(1)),$(word $(1),$(SNAPSHOTS)))
count := 0
$(foreach s,$(SNAPSHOTS),\
    $(eval count := $(shell echo $$(($(count) + 1))))\
    $(eval $(call snapshot,$(s),$(call at,$(shell echo $$(($(count) - 1)))),$(call at,$(shell echo $$(($(count) - $(WINDOW))))))))

# ---- the data set as a whole ----

$(STATE)/merged.tsv: $(gens) $(STATE)/settings/merge
	iris-merge -d $(DATASET) $(if $(ALLOW_FAILED),--drop-failed) -o $@ $(gens)

$(STATE)/units.json: $(STATE)/merged.tsv $(STATE)/settings/units
	iris-units -H $(hyper) -d $(DATASET) $(if $(UNITS_FROM),--from=$(call quote,$(UNITS_FROM))) \
	    $(if $(SAMPLE),--sample=$(SAMPLE)) -o $@ $<

$(STATE)/normalized.tsv: $(STATE)/merged.tsv $(STATE)/units.json
	iris-normalize -H $(STATE)/units.json -d $(DATASET) -o $@ $<

$(STATE)/shuffled.tsv: $(STATE)/normalized.tsv
	iris-shuffle -H $(STATE)/units.json -o $@ $<

$(STATE)/published: $(STATE)/shuffled.tsv $(STATE)/units.json
	iris-shuffle --publish=$(DATASET) --replace -H $(STATE)/units.json -o $@ $<

# ---- the steps by name ----

list: $(STATE)/list.tsv ## which snapshots there are, drawn
fetch: $(if $(CACHE),$(SNAPSHOTS:%=$(CACHE)/%.tsv)) ## copies of all of them, no more than WINDOW at a time
gen: $(gens) ## the points of all snapshots
merge: $(STATE)/merged.tsv ## one manifest, every array verified
units: $(STATE)/units.json ## the IRIS units
normalize: $(STATE)/normalized.tsv ## the arrays in IRIS units
shuffle: $(STATE)/shuffled.tsv ## the published order
publish: $(STATE)/published ## the data set, finished
check: $(STATE)/published ## prove the finished data set whole
	iris-check $(DATASET)

# ---- looking and cleaning ----

done = $(if $(wildcard $(1)),done,to do)
status: ## what is done, and what is next
	@echo "data set    $(DATASET)"
	@echo "list        $(call done,$(STATE)/list.tsv): $(words $(SNAPSHOTS)) snapshots"
	@echo "gen         $(words $(wildcard $(gens))) of $(words $(gens)) snapshots done"
	@failed=$$(cat $(wildcard $(gens)) /dev/null | awk -F'\t' '/^#[^#]/ { for (i = 1; i <= NF; i++) if ($$i == "state") c = i } \
	    /^[^#]/ && $$c == "failed" { n++ } END { print n + 0 }'); \
	    [ "$$failed" = 0 ] || echo "            $$failed points have failed; 'retry' makes them again"
	@echo "merge       $(call done,$(STATE)/merged.tsv)"
	@echo "units       $(call done,$(STATE)/units.json)"
	@echo "normalize   $(call done,$(STATE)/normalized.tsv)"
	@echo "shuffle     $(call done,$(STATE)/shuffled.tsv)"
	@echo "publish     $(call done,$(STATE)/published)"
	@next=$$($(MAKE) -f $(firstword $(MAKEFILE_LIST)) --no-print-directory -n publish | sed -n '/iris-/{s/^ *//;p;q}'); \
	    echo "next        $${next:-nothing, all is up to date}"

why: ## what would be remade, and why
	@$(MAKE) -f $(firstword $(MAKEFILE_LIST)) --no-print-directory -n --debug=b $(STATE)/published | \
	    grep -E '^ *(Prerequisite .* is newer|File .* does not exist|Must remake target .*\.(tsv|json)|Must remake target .*published)' || \
	    echo "nothing would be remade"

clean-cache: ## remove all copies of snapshots
	$(if $(CACHE),@for s in $(SNAPSHOTS); do rm -f $(CACHE)/$$s.tsv; iris-fetch --cache=$(CACHE) --drop=$$s; done)

clean-raw: $(STATE)/published ## remove the raw arrays of the finished data set
	iris-shuffle --publish=$(DATASET) --replace --drop-raw -H $(STATE)/units.json -o $(STATE)/published $(STATE)/shuffled.tsv

endif
