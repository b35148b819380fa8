# iris.mk -- from snapshots to a published data set, restarting from the last
# finished step. See iris-workflow(7).
#
#   make -f workflows/iris.mk -j4 SOURCE=DIR HYPER=hyper.json DATASET=out
#   make -f workflows/iris.mk -j4 SOURCE=HOST:DIR HYPER=hyper.json DATASET=out
#
# Every finished step is one file in STATE, made by rename; a step that was
# killed has none. Nothing here has a clock or a lock of its own.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
MAKEFLAGS += --no-builtin-rules
.DELETE_ON_ERROR:
.SUFFIXES:

SOURCE       ?=
FILES        ?=
HYPER        ?=
DATASET      ?=
TYPE         ?= synthetic
NP           ?= 1
SET          ?=
SEED         ?=
ROUND        ?= 0
PART         ?=
GRID         ?=
RUN          ?= $(if $(PART),part-$(subst /,-of-,$(PART)))
WINDOW       ?= 2
CACHE        ?=
SSH_CONFIG   ?=
FETCH        ?=
UNITS_FROM   ?=
SAMPLE       ?=
ALLOW_FAILED ?=
REQUIRE      ?=
STATE        ?= $(DATASET)/.iris$(RUN:%=/runs/%)
STOPPED      ?= $(STATE)/stopped
PACK         ?= $(DATASET).h5
MPIRUN       ?= mpirun
GEN          ?=
READ_AHEAD   ?=
DEADLINE     ?=
DEVICE       ?=

.PHONY: all list chem fetch gen merge units normalize shuffle publish check pack relist retry status why \
        clean-cache clean-raw help FORCE
all: publish

# what make was called with, and this file, which a recipe may have included
this := $(firstword $(MAKEFILE_LIST))
here := $(lastword $(MAKEFILE_LIST))
help: ## print this list
	@sed -n 's/^\([a-z-]*\):.*## /\1: /p' $(here) | awk -F': ' '{printf "  %-12s %s\n", $$1, $$2}'

goals := $(or $(MAKECMDGOALS),all)
ifneq ($(filter-out help,$(goals)),)

# Who only looks, by a goal or by make's -n or -q, changes nothing.
flags   := $(filter-out --%,$(firstword -$(MAKEFLAGS)))
looking := $(findstring n,$(flags))$(findstring q,$(flags))$(if $(filter-out status why clean-cache,$(goals)),,yes)

# ---- the variables, looked at before anything is made ----

# Names come from outside: make must find nothing in them to run, and no line of a
# recipe may end in them. What a makefile says is its own affair, and so are words
# for the shell: FILES, SET, GEN, FETCH and MPIRUN.
names_given := SOURCE HYPER DATASET TYPE NP SEED ROUND PART GRID RUN WINDOW CACHE SSH_CONFIG UNITS_FROM SAMPLE \
    ALLOW_FAILED REQUIRE STATE STOPPED PACK READ_AHEAD DEADLINE DEVICE
define newline


endef
is_given = $(filter command environment,$(firstword $(origin $(1))))
$(foreach v,$(names_given),$(if $(call is_given,$(v)),\
    $(if $(findstring $$,$(subst $$$$,,$(value $(v)))),$(error $(v) has a '$$' in it, which is written '$$$$')) \
    $(if $(findstring $(newline),$(value $(v))),$(error $(v) has more than one line))))

quote = '$(subst ','\'',$(1))'
$(foreach v,HYPER DATASET,$(if $($(v)),,$(error $(v) is not set; see iris-workflow(7))))
$(if $(SOURCE)$(FILES),,$(error SOURCE is not set; see iris-workflow(7)))
$(if $(and $(SOURCE),$(FILES)),$(error SOURCE and FILES are both set, where one is wanted))

# These names are targets, or stand in recipes as they are.
complaint := $(shell { \
    number() { case $$2 in (''|0*|*[!0-9]*) echo "$$1 must be 1 or more, not '$$2'" ;; esac; }; \
    name() { case $$2 in (-*) echo "$$1='$$2' begins with a dash" ;; esac; case $$(printf %s "$$2" | LC_ALL=C tr -d '[:alnum:]._/+,@\200-\377-') in (?*) \
        echo "$$1='$$2' has a blank or another character in it that make takes amiss" ;; esac; }; \
    device() { [[ $$1 =~ ^(auto|cpu|cuda(:[0-9]+)?|)$$ ]] || \
        echo "DEVICE must be auto, cpu, cuda or cuda:N, not '$$1'"; }; \
    word() { case $$(printf %s "$$2" | LC_ALL=C tr -d '[:alnum:]._-') in (?*) \
        echo "$$1='$$2' has a character in it that is no letter, digit, dot, line or dash" ;; esac; }; \
    number WINDOW $(call quote,$(WINDOW)); number NP $(call quote,$(NP)); \
    number REQUIRE $(call quote,$(or $(REQUIRE),1)); \
    [ $(call quote,$(READ_AHEAD)) = 0 ] || number READ_AHEAD $(call quote,$(or $(READ_AHEAD),1)); \
    [ $(call quote,$(DEADLINE)) = auto ] || number DEADLINE $(call quote,$(or $(DEADLINE),1)); \
    device $(call quote,$(DEVICE)); \
    [ $(call quote,$(SAMPLE)) = all ] || number SAMPLE $(call quote,$(or $(SAMPLE),1)); \
    word RUN $(call quote,$(RUN)); name DATASET $(call quote,$(DATASET)); name STATE $(call quote,$(STATE)); \
    name STOPPED $(call quote,$(STOPPED)); name PACK $(call quote,$(PACK)); name CACHE $(call quote,$(CACHE)); } | sed 1q)
$(if $(complaint),$(error $(complaint)))

# STATE in a directory of somebody else's would make it look like one of ours.
# What is in it comes first: another run may be making it.
$(if $(shell in=$$(ls -A $(DATASET) 2>/dev/null) || true; \
    [ -e $(DATASET)/.iris -o -e $(DATASET)/entries -o -e $(DATASET)/attributes.json ] || echo "$$in"),\
    $(error '$(DATASET)' is neither empty nor a data set of this suite; name a new directory))

# HOST:DIR is on another machine, as for scp: a colon before any slash, or behind
# the bracket of an address that has colons itself. Its snapshots need a cache.
split = s=$(call quote,$(SOURCE)); h=; if [[ $$s =~ ^([^][/:]*@)?\[([^][/]+)\]:(.*)$$ ]]; then \
    h=$${BASH_REMATCH[1]}$${BASH_REMATCH[2]} s=$${BASH_REMATCH[3]}; \
    elif [[ $$s =~ ^([^/:]+):(.*)$$ ]]; then h=$${BASH_REMATCH[1]} s=$${BASH_REMATCH[2]}; fi
host  := $(shell $(split); printf %s "$$h")
dir   := $(if $(host),$(shell $(split); printf %s "$${s:-.}"),$(SOURCE))
ssh   := $(if $(host),$(if $(SSH_CONFIG),--ssh-config=$(call quote,$(SSH_CONFIG))))
cache := $(or $(CACHE),$(if $(host),/dev/shm/iris-$(shell id -u)-$(shell realpath -m -- $(DATASET) | cksum | cut -d' ' -f1)))

# ---- list: which snapshots, and a row of its own for each ----

hyper := $(STATE)/settings/hyper.json
$(STATE)/list.tsv: $(STATE)/settings/list $(if $(MAKE_RESTARTS),,$(if $(filter relist,$(goals)),FORCE)) | $(hyper)
	$(call list_snapshots,$(hyper),-o $@)
list_snapshots = iris-list -H $(1) $(if $(PART),--part=$(call quote,$(PART))) \
    $(foreach g,$(GRID),--grid=$(call quote,$(g))) $(2) \
    $(if $(host),--remote=$(call quote,$(host)) $(ssh)) -- $(or $(FILES),$(call quote,$(dir)))

SNAPSHOTS :=
names     = cut -d' ' -f3 $(STATE)/targets.mk 2>/dev/null
manifests = $$($(names) | sed 's|.*|$(STATE)/gen/&.tsv|')
ifneq ($(looking),)
-include $(STATE)/targets.mk
else
include $(STATE)/targets.mk

# The rows of a snapshot, of which a grid has several, are written only when they
# are others, because its points depend on them.
$(STATE)/targets.mk: $(STATE)/list.tsv
	@rm -rf $(STATE)/rows.new
	@mkdir -p $(STATE)/rows $(STATE)/rows.new $(STATE)/gen
	@awk -F'\t' -v state=$(STATE) '\
	    /^##iris|^##columns/ { head = head $$0 "\n" } \
	    /^##/ { next } \
	    /^#/ { head = head $$0 "\n"; for (i = 1; i <= NF; i++) if ($$i ~ /^#?snapshot$$/) c = i; next } \
	    { if (!count[$$c]++) id[++n] = $$c; rows[$$c] = rows[$$c] $$0 "\n" } \
	    END { for (i = 1; i <= n; i++) { \
	        text = head rows[id[i]] "##rows " count[id[i]] "\n"; file = id[i] ".tsv"; old = ""; \
	        while ((getline line < (state "/rows/" file)) > 0) old = old line "\n"; \
	        close(state "/rows/" file); \
	        if (text != old) { printf "%s", text > (state "/rows.new/" file); close(state "/rows.new/" file) } \
	        print "SNAPSHOTS += " id[i] } }' $< >$@.tmp
	@find $(STATE)/rows.new -name '*.tsv' -exec mv -t $(STATE)/rows {} +
	@rmdir $(STATE)/rows.new
	@mv $@.tmp $@
endif

# ---- settings: files that are written only when they would hold something else ----

# twice: the names of files in a preset or in SET start from the current directory
text_hyper.json = h=$$(iris-hyper --preset=$(call quote,$(HYPER)) $(SET) $(if $(SEED),--seed=$(call quote,$(SEED)))) && \
    iris-hyper --preset=- <<<"$$h"
text_list       = printf '%s\n' $(call quote,$(SOURCE)) $(call quote,$(FILES)) $(call quote,$(PART)) $(if $(GRID),$(call quote,$(GRID))) && \
    { $(text_hyper.json); } | grep -E '"(total_snapshots|min_snapshot_index|max_snapshot_index|seed)"'
text_gen        = iris-gen --digest -H <($(text_hyper.json)) -t $(call quote,$(TYPE)) --round=$(call quote,$(ROUND)) $(GEN)
text_merge      = echo $(if $(allow_failed),allow-failed) $(REQUIRE:%=require=%) && { $(names) || true; }
text_units      = printf '%s\n' $(call quote,$(UNITS_FROM)) $(call quote,$(SAMPLE))$(if $(UNITS_FROM), && \
    f=$(call quote,$(UNITS_FROM)) && if [ -d "$$f" ]; then f=$$f/hyper.json; fi && cat "$$f")
allow_failed := $(filter-out 0 no,$(ALLOW_FAILED))
settings     := hyper.json list gen merge units

differs = $(shell text=$$($(text_$(1))) || { echo wrong; exit; }; cmp -s - $(STATE)/settings/$(1) <<<"$$text" || echo $(1))
changed :=
$(foreach s,$(settings),$(eval changed += $(call differs,$(s)))\
    $(if $(filter wrong,$(changed)),$(error these settings cannot be used)))
$(if $(filter list,$(changed)),$(if $(shell $(call list_snapshots,<($(text_hyper.json)),-q) >/dev/null || echo wrong),\
    $(error these snapshots cannot be listed)))

$(changed:%=$(STATE)/settings/%): FORCE
$(settings:%=$(STATE)/settings/%): $(STATE)/settings/%:
	@mkdir -p $(@D)
	@text=$$($(text_$*)) && cat <<<"$$text" >$@.tmp && mv $@.tmp $@

# ---- which points are to do ----

# of manifests of entries: snapshot and id of those that have failed
failed = cat $(manifests) $(STATE)/failed.tsv 2>/dev/null | awk -F'\t' '\
    /^\#[^\#]/ { sub(/^\#/, ""); for (i = 1; i <= NF; i++) column[$$i] = i; next } \
    /^[^\#]/ && $$column["state"] == "failed" { print $$column["snapshot"], $$column["id"] }' | sort -u
# an array that merge found wanting is there all the same, so would not be made
forget = $(failed) | while read -r s id; do rm -f $(DATASET)/entries/$${id%%.*}/raw/$$s/$${id\#\#*.}.*.npy; done
bad  := $(if $(filter retry,$(goals)),$(filter $(SNAPSHOTS),$(shell $(failed) | cut -d' ' -f1)))
$(if $(looking),,$(if $(bad),$(shell $(forget); $(if $(cache),rm -f $(bad:%=$(cache)/%.tsv)))))
made := $(if $(filter gen,$(changed)),,$(shell \
    find $(STATE)/gen -name '*.tsv' -newer $(STATE)/settings/gen 2>/dev/null | sed 's|.*/||; s|\.tsv$$||'))
todo := $(filter-out $(filter-out $(bad),$(made)),$(SNAPSHOTS))

# Copies of snapshots of which no points are wanted now: left by a run that was
# killed, or had a wider window.
ours  := $(if $(cache),$(wildcard $(cache)/.iris-cache))
stale := $(if $(ours),$(filter-out $(wordlist 1,$(WINDOW),$(todo)),\
    $(filter $(SNAPSHOTS),$(patsubst %.tsv,%,$(notdir $(wildcard $(cache)/*))))))
drop = rm -f $(cache)/$(1).tsv && iris-fetch --cache=$(cache) --drop=$(1)
$(if $(looking),,$(foreach s,$(sort $(stale)),$(shell $(call drop,$(s)))))

# ---- chem: what the lines of a synthetic data set are looked up in ----

# The settings of gen cover those of the tables, so this is remade at least as
# often as it must be; iris-chem leaves a file alone that is right.
lines := $(if $(filter synthetic,$(TYPE)),$(STATE)/lines.h5)
$(STATE)/lines.h5: $(STATE)/settings/gen | $(hyper)
	iris-chem -H $(hyper) -o $@
	@touch $@

# ---- fetch and gen: snapshot by snapshot ----

gens   := $(SNAPSHOTS:%=$(STATE)/gen/%.tsv)
copies := $(if $(cache),$(SNAPSHOTS:%=$(cache)/%.tsv))
launch := $(if $(filter-out 1,$(NP)),$(MPIRUN) -n $(NP) )

# Told beside what the points are: which run this is, and how it goes about them.
run_words := $(strip $(lines:%=--lines=%) $(RUN:%=--run=%) $(DEADLINE:%=--deadline=%) \
    $(READ_AHEAD:%=--read-ahead=%) $(DEVICE:%=--device=%) $(if $(filter retry,$(goals)),--retry-failed))
gen_words = -H $(hyper) -t $(TYPE) -d $(DATASET) --round=$(ROUND)
input     = $(if $(cache),$(cache)/$*.tsv,$<)
gen_step  = iris-gen $(gen_words)$(if $(run_words), $(run_words))$(if $(GEN), $(GEN)) -o $@ $(input) </dev/null || $(ended)
all_there = iris-gen --plan $(gen_words) $(GEN) $(input) 2>/dev/null | awk -F'\t' '\
    /^\#[^\#]/ { for (i = 1; i <= NF; i++) if ($$i == "todo") c = i } /^[^\#]/ && $$c != 0 { n++ } END { exit n > 0 || !c }'

# Made by one of these steps when its status is 75, or by somebody else who wants
# no more points to be begun. There is none yet.
$(if $(looking),,$(shell rm -f $(STOPPED)))
ended = { s=$$?; [ -e $@ ] || { [ $$s != 75 ] || : >$(STOPPED); exit $$s; }; }

# A step that could not do its snapshot says so in its manifest, and has ended;
# merge decides. The copy goes when the manifest of the points is there.
# Of one whose points are all there nothing is copied.
$(copies): $(cache)/%.tsv: $(STATE)/rows/%.tsv $(STATE)/settings/gen | $(hyper)
	@rm -f $@
	iris-gen --plan $(gen_words) $(GEN) $< | \
	    iris-fetch --cache=$(cache) --copy $(ssh) $(FETCH) -o $@ || $(ended)
ifneq ($(copies),)
.SECONDARY: $(copies)
endif

$(bad:%=$(STATE)/gen/%.tsv): FORCE
$(gens): $(STATE)/gen/%.tsv: $(STATE)/rows/%.tsv $(STATE)/settings/gen $(if $(cache),$(cache)/%.tsv) | $(hyper) $(lines)
	@rm -f $@; [ ! -e $(STOPPED) ] || exit 75
	$(if $(launch),@if $(all_there); then $(gen_step); fi)
	$(if $(launch),[ -e $@ ] || )$(launch)$(gen_step)
	$(if $(cache),@$(call drop,$*))

# One pool at a time: gen waits for the gen before it. WINDOW copies at a time:
# fetch waits for the gen that many before it. What is done stands in front, so
# that gaps do not narrow the window.
chain := $(filter-out $(todo),$(SNAPSHOTS)) $(todo)
after  = $(wordlist $(words - $(wordlist 1,$(1),$(chain))),$(words $(chain)),$(chain))
pairs  = $(join $(addsuffix /,$(after)),$(wordlist 1,$(words $(after)),$(chain)))
# wait DIRECTORY PAIR; an id may have a '=', which eval must not see
eq := =
wait   = $(eval $(subst =,$$(eq),$(1)/$(subst /,.tsv: | $(STATE)/gen/,$(2)).tsv))
$(foreach p,$(call pairs,1),$(call wait,$(STATE)/gen,$(p)))
$(if $(cache),$(foreach p,$(call pairs,$(WINDOW)),$(call wait,$(cache),$(p))))

# ---- the data set as a whole ----

# A manifest with rows that have failed never has the name of a finished step.
$(STATE)/merged.tsv: $(gens) $(STATE)/settings/merge | $(STATE)/list.tsv
	$(if $(SNAPSHOTS),@rm -f $(STATE)/failed.tsv,@echo "there are no snapshots in $(STATE)/list.tsv" >&2; exit 1)
	iris-merge -d $(DATASET) $(if $(allow_failed),--drop-failed) $(REQUIRE:%=--require=%) -o $(STATE)/failed.tsv $(manifests) || { s=$$?; \
	    [ $$s != 1 ] || echo "the goal 'retry' makes these again, ALLOW_FAILED=1 goes on without them" >&2; exit $$s; }
	@mv $(STATE)/failed.tsv $@
	$(if $(filter $(cache),$(CACHE)),,@rm -f $(cache)/.iris-cache $(cache)/.iris-readers; rmdir $(cache) 2>/dev/null || true)

$(STATE)/units.json: $(STATE)/merged.tsv $(STATE)/settings/units $(hyper)
	iris-units -H $(hyper) -d $(DATASET) $(if $(UNITS_FROM),--from=$(call quote,$(UNITS_FROM))) \
	    $(if $(SAMPLE),--sample=$(SAMPLE)) -o $@ $<

$(STATE)/normalized.tsv: $(STATE)/merged.tsv $(STATE)/units.json
	iris-normalize -H $(STATE)/units.json -d $(DATASET) -o $@.new $<
	@mv $@.new $@

$(STATE)/shuffled.tsv: $(STATE)/normalized.tsv
	iris-shuffle -H $(STATE)/units.json -o $@ $<

$(STATE)/published: $(STATE)/shuffled.tsv $(STATE)/units.json
	iris-shuffle --publish=$(DATASET) --replace -H $(STATE)/units.json -o $@ $<

# ---- the steps by name ----

list: $(STATE)/list.tsv ## which snapshots there are, drawn
chem: $(lines) ## the tables of the lines of a synthetic data set
relist: $(STATE)/list.tsv ## look for them again: new ones, changed ones
fetch: $(if $(cache),$(patsubst %,$(cache)/%.tsv,$(wordlist 1,$(WINDOW),$(todo)))) ## copies of the next WINDOW snapshots
gen: $(gens) ## the points of all snapshots
merge: $(STATE)/merged.tsv ## one manifest, every array verified
units: $(STATE)/units.json ## the IRIS units
normalize: $(STATE)/normalized.tsv ## the arrays in IRIS units
shuffle: $(STATE)/shuffled.tsv ## the published order
publish: $(STATE)/published ## the data set, finished
check: $(STATE)/published ## prove the finished data set whole
	iris-check $(DATASET)
pack: $(PACK) ## the data set in one file, PACK=$(DATASET).h5
$(PACK): $(STATE)/published
	iris-pack -o $@ $(DATASET)
retry: publish ## make the points that failed again, then what follows

# ---- looking and cleaning ----

# what stands behind "if" is asked, not done
plan = $(MAKE) -f $(this) --no-print-directory -n $(STATE)/published | sed -e '/^if /d' -e 's/^\[ -e [^]]*\] || //'

# of the files that runs at work write, lines for the user
reports = for f in $(DATASET)/.iris/status.json $(DATASET)/.iris/runs/*/status.json; do \
    [ ! -e "$$f" ] || { f=$${f%/status.json} && tr ',{}' '\n' <"$$f/status.json" | \
    sed -n 's/^ *"\([a-z_]*\)" *: *"\{0,1\}\([^"]*[^" ]\)"\{0,1\} *$$/\1 \2/p' | awk -v run="$${f\#\#*/}" '\
    { v = $$0; sub(/^[^ ]* /, "", v); is[$$1] = v } \
    function more(key, before, after) { if (is[key] != "" && is[key] != "null") text = text ", " before is[key] after } \
    END { if (is["state"] == "" || is["state"] == "finished") exit; \
        text = is["state"]; \
        if (is["points"] != "") text = text ", " (is["done"] + 0) " of " is["points"] " points done"; \
        if (is["failed"] > 0) more("failed", "", " failed"); \
        more("rate_per_s", "", " a second"); \
        if (is["eta_s"] ~ /^[0-9]/) { t = int(is["eta_s"]); \
            text = text sprintf(", %d:%02d:%02d left", t / 3600, t % 3600 / 60, t % 60) } \
        more("ranks", "", " ranks"); \
        if (is["peak_rank_bytes"] > 0) text = text sprintf(", at most %d MiB each", is["peak_rank_bytes"] / 1048576); \
        more("updated", "at ", ""); \
        printf "%-10s %s\n", run == ".iris" ? "run" : "run " run, text }'; }; done
status: ## what is done, and what is next
	@plan=$$($(plan)); $(reports); \
	state() { if grep -q "^$$2 " <<<"$$plan"; then echo "$$1 to do"; else echo "$$1 done"; fi; }; \
	echo "data set   $(DATASET)"; \
	state "list      " iris-list; \
	$(if $(lines),state "chem      " iris-chem;) \
	echo "gen        $$(($(words $(gens)) - $$(grep -c 'iris-gen -H' <<<"$$plan" || true))) of $(words $(gens)) snapshots done"; \
	n=$$($(failed) | wc -l || true); \
	[ "$$n" = 0 ] || echo "           $$n points have failed; 'retry' makes them again"; \
	for s in merge units normalize; do state "$$(printf %-10s $$s)" iris-$$s; done; \
	state "shuffle   " "iris-shuffle -H"; \
	state "publish   " "iris-shuffle --publish=$(DATASET)"; \
	awk '/^iris-|iris-gen -H/ && !n++ { sub(/ *\\$$/, ""); print "next       " $$0 } END { if (!n) print "next       nothing, all is up to date" }' <<<"$$plan"

why: ## what would be made, and why
	@why=$$($(MAKE) -f $(this) --no-print-directory -n $(STATE)/published --trace | sed -n -e "s/^[^ ]*: update target '\(.*\)' due to: /\1 /p" \
	        -e "s/^[^ ]*: target '\(.*\)' does not exist$$/\1/p" | while read -r target after; do \
	    if [ ! -e "$$target" ]; then echo "$$target: missing"; \
	    elif [ "$$after" = FORCE ]; then echo "$$target: changed"; \
	    else echo "$$target: after $$after"; fi; done); \
	echo "$${why:-nothing would be made}"

clean-cache: ## remove all copies of snapshots
	$(if $(ours),@for d in $(cache)/*/; do s=$$(basename "$$d"); [ ! -d "$$d" ] || { $(call drop,"$$s"); }; done)

clean-raw: $(STATE)/published ## remove the raw arrays of the finished data set
	iris-shuffle --publish=$(DATASET) --replace --drop-raw -H $(STATE)/units.json -o $(STATE)/published $(STATE)/shuffled.tsv

endif
