# iris -- from moving-mesh simulations to machine-learning data sets.
# `make help` lists the targets. Site settings go into config.mk.

VERSION := 0.1.0
-include config.mk

CC       ?= cc
CFLAGS   ?= -O3 -g
PREFIX   ?= /usr/local
DESTDIR  ?=
# empty: the programs have no GPU path
ifeq ($(origin NVCC),undefined)
NVCC := $(or $(shell command -v nvcc 2>/dev/null),$(wildcard /usr/local/cuda/bin/nvcc))
endif

WARNINGS := -Wall -Wextra -Wconversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wformat=2
STD      := -std=c11 -D_DEFAULT_SOURCE -D_POSIX_C_SOURCE=200809L -ffp-contract=off
PKG      := pkg-config

# Asked for once, at first use: `make deps demo` installs what answers.
once = $(eval $(1) := $(2))$($(1))
HDF5_CFLAGS = $(call once,HDF5_CFLAGS,$(shell $(PKG) --cflags hdf5-serial))
HDF5_LIBS   = $(call once,HDF5_LIBS,$(shell $(PKG) --libs hdf5-serial))
JSON_LIBS   = $(call once,JSON_LIBS,$(shell $(PKG) --libs jansson))
HASH_LIBS   = $(call once,HASH_LIBS,$(shell $(PKG) --libs libxxhash))
FITS_CFLAGS = $(call once,FITS_CFLAGS,$(shell $(PKG) --cflags cfitsio))
FITS_LIBS   = $(call once,FITS_LIBS,$(shell $(PKG) --libs cfitsio))
PNG_CFLAGS  = $(call once,PNG_CFLAGS,$(shell $(PKG) --cflags libpng))
PNG_LIBS    = $(call once,PNG_LIBS,$(shell $(PKG) --libs libpng))
SLEEF_CFLAGS = $(call once,SLEEF_CFLAGS,$(shell $(PKG) --cflags sleef))
SLEEF_LIBS  = $(call once,SLEEF_LIBS,$(shell $(PKG) --libs sleef))
CRYPTO_LIBS = $(call once,CRYPTO_LIBS,$(shell $(PKG) --libs libcrypto))
MPI_CFLAGS  = $(call once,MPI_CFLAGS,$(patsubst -I%,-isystem %,$(shell $(PKG) --cflags ompi-c)))
MPI_LIBS    = $(call once,MPI_LIBS,$(shell $(PKG) --libs ompi-c))

BUILD := build
ifdef SAN
BUILD   := build/san
SAN_FLAGS := -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
CFLAGS  := -O1 -g
endif
# what libFuzzer follows, see `make fuzz`
ifdef FUZZING
BUILD   := build/fuzz
SAN_FLAGS := -fsanitize=fuzzer-no-link,address,undefined,float-cast-overflow -fno-sanitize-recover=all \
             -fno-omit-frame-pointer
CFLAGS  := -O1 -g
endif
# gcc counts which lines run, see `make coverage`
ifdef COVERAGE
BUILD   := build/coverage
SAN_FLAGS := --coverage -fprofile-update=atomic
CFLAGS  := -O1 -g
endif
ifdef WERROR
WARNINGS += -Werror
endif

# What makes a mistake in memory end the program rather than serve somebody, as far as
# the compiler takes it; HARDEN= leaves it out. Sanitizers see more, and take its place.
ifdef SAN_FLAGS
HARDEN :=
endif
HARDEN      ?= $(call once,HARDEN,$(FORTIFY) $(foreach f,-fstack-protector-strong -fstack-clash-protection \
               -fcf-protection -fPIE,$(call takes,$(f))))
SEALED      := -pie -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack
HARDEN_LINK  = $(if $(strip $(HARDEN)),$(SEALED))
# the C library's own checks, which need a compiler that optimizes
FORTIFY      = $(if $(filter-out -O0,$(filter -O%,$(CFLAGS))),$(if $(findstring FORTIFY,$(CFLAGS)),,$(FORTIFIED)))
FORTIFIED    = $(firstword $(foreach n,3 2,$(call takes,-D_FORTIFY_SOURCE=$(n))))
takes        = $(shell $(CC) -O1 -Werror $(1) -include stdio.h -x c -c -o /dev/null /dev/null 2>/dev/null && echo '$(1)')
BIN := $(BUILD)/bin

# The programs; a new one is one word here, tools/<name>.c and man/<name>.1.
TOOLS := iris-hyper iris-mock iris-list iris-chem iris-gen iris-observe iris-merge iris-units \
         iris-normalize iris-shuffle iris-check iris-pack iris-fetch iris-show iris-fits
PAGES := $(TOOLS:%=man/%.1) man/iris-manifest.5 man/iris-hyper.5 man/iris-dataset.5 man/iris-lines.5 man/iris-container.5 \
         man/iris.7 man/iris-tutorial.7 man/iris-messages.7 \
         man/iris-differences.7 man/iris-accuracy.7 man/iris-workflow.7

# Layers and what each may include. Nothing else is on its include path, so a
# wrong dependency does not compile.
LAYERS := base physics store remote pool
INC_base    = -Ilib/base $(SLEEF_CFLAGS)
INC_physics = -Ilib/base -Ilib/physics
INC_store   = -Ilib/base -Ilib/physics -Ilib/store $(HDF5_CFLAGS) $(FITS_CFLAGS) $(PNG_CFLAGS)
INC_remote  = -Ilib/base -Ilib/remote
INC_pool    = -Ilib/base -Ilib/pool $(MPI_CFLAGS)
INC_cuda    = -Ilib/base -Ilib/physics -Icuda
INC_tools   = -Ilib/base -Ilib/physics -Ilib/store -Ilib/remote -Ilib/pool -Icuda -Itools -DIRIS_VERSION='"$(VERSION)"'

LIB = $(BUILD)/lib/lib$(1).a
CORE := $(call LIB,store) $(call LIB,physics) $(call LIB,base)
TESTED := $(call LIB,remote) $(CORE)
# FITS, PNG, SLEEF and OpenSSL bring much with them: only for the programs that need them.
CORE_LIBS = $(HDF5_LIBS) $(JSON_LIBS) $(HASH_LIBS) \
            -Wl,--push-state,--as-needed $(FITS_LIBS) $(PNG_LIBS) $(SLEEF_LIBS) $(CRYPTO_LIBS) -Wl,--pop-state -pthread -lm
# What a program links beside the core.
EXTRA_iris-gen := $(patsubst tools/%.c,$(BUILD)/tools/%.o,$(wildcard tools/gen_*.c)) \
                  $(BUILD)/tools/cli_gpu.o $(call LIB,remote) $(call LIB,pool) $(call LIB,cuda)
LIBS_iris-gen  = $(MPI_LIBS)
EXTRA_iris-show := $(patsubst tools/%.c,$(BUILD)/tools/%.o,$(wildcard tools/show_*.c)) $(BUILD)/tools/cli_entry.o
EXTRA_iris-fits := $(BUILD)/tools/cli_entry.o
EXTRA_iris-pack := $(BUILD)/tools/cli_entry.o
EXTRA_iris-mock := $(BUILD)/tools/mock_write.o
EXTRA_iris-observe := $(patsubst tools/%.c,$(BUILD)/tools/%.o,$(wildcard tools/obs_*.c)) \
                      $(BUILD)/tools/cli_gpu.o $(call LIB,pool) $(call LIB,cuda)
EXTRA_iris-fetch := $(patsubst tools/%.c,$(BUILD)/tools/%.o,$(wildcard tools/fetch_*.c)) $(BUILD)/tools/cli_ssh.o $(call LIB,remote)
EXTRA_iris-list := $(BUILD)/tools/list_probe.o $(BUILD)/tools/cli_ssh.o $(call LIB,remote)

EMULATED_PROGRAMS := iris-gen iris-observe
TRIAL      := trial trial_cells trial_modes trial_samples trial_scene
SOURCES    := $(foreach l,$(LAYERS),$(wildcard lib/$(l)/*.c))
READERS    := manifest settings grid molecule abundance array attributes snapshot lines container fits sftp options
UNIT_TESTS := $(READERS:%=$(BUILD)/tests/fuzz_%) \
              $(patsubst tests/unit/%.c,$(BUILD)/tests/%,$(wildcard tests/unit/test_*.c)) \
              $(BUILD)/tests/test_emulate $(BUILD)/tests/test_gpu $(BUILD)/tests/test_gpu_faults
HELPERS    := $(patsubst tests/helpers/%.c,$(BUILD)/tests/%,$(wildcard tests/helpers/*.c)) \
              $(patsubst tests/shims/%.c,$(BUILD)/tests/%.so,$(wildcard tests/shims/*.c)) \
              $(BUILD)/tests/exact $(BUILD)/tests/iris-gen-other $(EMULATED_PROGRAMS:%=$(BUILD)/tests/emulated/%)
PRESETS    := $(wildcard workflows/presets/*.json)

COMPILE = $(CC) $(STD) $(HARDEN) $(CFLAGS) $(SAN_FLAGS) $(WARNINGS) -MMD -MP

.DELETE_ON_ERROR:
.SUFFIXES:
.PHONY: all deps bench bench-deps cuda-check cuda-bench no-nvcc demo picture check unit bats unit-programs helpers lint layers headers pages scripts \
        corrections study coverage covered valgrind tidy fuzz $(READERS:%=fuzz-%) format check-format install uninstall clean help

all: $(TOOLS:%=$(BIN)/%) $(BUILD)/iris.bash ## build every program into build/bin

# What bash completes is what the programs say of themselves.
COMPLETIONS = $(DESTDIR)$(PREFIX)/share/bash-completion/completions
$(BUILD)/iris.bash: workflows/completions.sh $(TOOLS:%=$(BIN)/%)
	workflows/completions.sh $(TOOLS:%=$(BIN)/%) >$@

# Hot loops are compiled once for every level of instructions, see
# lib/physics/simd.h; another is one word here. None may give other bytes than another,
# so nothing is contracted and no level has fused operations.
KERNELS := kernel_nearest kernel_tree kernel_balance kernel_smooth kernel_formal kernel_thin
SIMD    := base $(if $(filter x86_64-%,$(shell $(CC) -dumpmachine)),avx2 avx512)
SIMD_avx2   := -mavx2
SIMD_avx512 := -mavx512f -mavx512dq -mavx512vl -mavx512bw -mprefer-vector-width=512
EXTRA_physics := $(foreach k,$(KERNELS),$(SIMD:%=$(BUILD)/lib/physics/$(k).%.o))

define simd_rules
$(BUILD)/lib/physics/kernel_%.$(1).o: lib/physics/kernel_%.c Makefile
	@mkdir -p $$(@D)
	$$(COMPILE) $$(INC_physics) -fno-math-errno -fno-trapping-math -Wno-psabi $$(SIMD_$(1)) -DIRIS_LEVEL_NAME=$(1) -c -o $$@ $$<
endef
$(foreach l,$(SIMD),$(eval $(call simd_rules,$(l))))

define layer_rules
$(BUILD)/lib/$(1)/%.o: lib/$(1)/%.c Makefile
	@mkdir -p $$(@D)
	$$(COMPILE) $$(INC_$(1)) -c -o $$@ $$<
$(call LIB,$(1)): $(patsubst %.c,$(BUILD)/%.o,$(filter-out $(KERNELS:%=lib/physics/%.c),$(wildcard lib/$(1)/*.c))) $(EXTRA_$(1))
	@mkdir -p $$(@D)
	rm -f $$@
	$$(AR) rcs $$@ $$^
endef
$(foreach l,$(LAYERS),$(eval $(call layer_rules,$(l))))
$(BUILD)/tools/%.o: tools/%.c Makefile
	@mkdir -p $(@D)
	$(COMPILE) $(INC_tools) -c -o $@ $<

# The GPU path: one archive, of CUDA where there is nvcc, else of functions that say
# there is none; never of CUDA with sanitizers. Nothing is fused, so that formulas give
# the bits of lib/physics; FLAGS_<file> stands instead of that for one file.
FLAGS_march_smooth := -fmad=true
FLAGS_march_formal := -fmad=true
FLAGS_ceiling      := -fmad=true
CUDA_SOURCES := $(filter-out cuda/ceiling.cu,$(wildcard cuda/*.cu))
CUDA_BUILT   := $(if $(SAN)$(FUZZING),,$(and $(NVCC),$(CUDA_SOURCES)))
CUDA_CXX     ?= g++
CUDA_ARCHS   := -gencode arch=compute_80,code=sm_80 -gencode arch=compute_90,code=[sm_90,compute_90]
CUDA_COMPILE  = $(NVCC) -ccbin $(CUDA_CXX) -std=c++20 -O3 -g -lineinfo $(CUDA_ARCHS) \
                $(if $(WERROR),-Werror all-warnings) -Xcompiler -Wall,-Wextra,-Wno-deprecated-enum-enum-conversion,-fno-exceptions,-fno-rtti,-ffp-contract=off,-fPIE \
                -MMD -MP $(INC_cuda)
# nvcc may be a script, a link or Debian's: it knows where its libraries are.
CUDA_LIBDIRS  = $(call once,CUDA_LIBDIRS,$(shell $(NVCC) --dryrun -x cu /dev/null 2>&1 | sed -n 's/^.. LIBRARIES=//p'))
CUDA_RUNTIME  = $(CUDA_LIBDIRS) -lcudart_static -ldl -lrt -lpthread \
                -Wl,--push-state,--as-needed -lstdc++ -Wl,--pop-state
CUDA_LIBS     = $(if $(CUDA_BUILT),$(CUDA_RUNTIME))
$(BUILD)/cuda/%.o: cuda/%.cu Makefile
	@mkdir -p $(@D)
	$(CUDA_COMPILE) $(or $(FLAGS_$*),-fmad=false) -c -o $@ $<
$(BUILD)/cuda/%.o: cuda/%.c Makefile
	@mkdir -p $(@D)
	$(COMPILE) $(INC_cuda) -c -o $@ $<
$(call LIB,cuda): $(if $(CUDA_BUILT),$(CUDA_SOURCES:%.cu=$(BUILD)/%.o),$(BUILD)/cuda/gpu_none.o)
	@mkdir -p $(@D)
	rm -f $@
	$(AR) rcs $@ $^

.SECONDEXPANSION:
$(BIN)/%: $(BUILD)/tools/%.o $(BUILD)/tools/cli.o $$(EXTRA_$$*) $(CORE)
	@mkdir -p $(@D)
	$(CC) $(HARDEN_LINK) $(CFLAGS) $(SAN_FLAGS) $(LDFLAGS) -o $@ $^ $(if $(filter $(call LIB,cuda),$^),$(CUDA_LIBS)) $(LIBS_$*) $(CORE_LIBS)

$(BUILD)/tests/%: tests/unit/%.c Makefile $(TESTED)
	@mkdir -p $(@D)
	$(COMPILE) $(INC_store) -Ilib/remote -Itests/unit -o $@ $< $(TESTED) $(CORE_LIBS)
# a part of a program
$(BUILD)/tests/test_nodes: tests/unit/test_nodes.c Makefile $(BUILD)/tools/gen_nodes.o $(TESTED)
	@mkdir -p $(@D)
	$(COMPILE) $(INC_tools) -Itests/unit -o $@ $< $(BUILD)/tools/gen_nodes.o $(TESTED) $(CORE_LIBS)
$(BUILD)/tests/%: tests/helpers/%.c Makefile $(CORE)
	@mkdir -p $(@D)
	$(COMPILE) $(INC_store) -o $@ $< $(CORE) $(CORE_LIBS)

$(BUILD)/tests/test_lease: tests/unit/test_lease.c Makefile $(call LIB,pool) $(TESTED)
	@mkdir -p $(@D)
	$(COMPILE) $(INC_pool) -Itests/unit -o $@ $< $(call LIB,pool) $(TESTED) $(CORE_LIBS)

# as part of an MPI job
$(BUILD)/tests/nodehold: tests/helpers/nodehold.c Makefile $(call LIB,pool) $(call LIB,base)
	@mkdir -p $(@D)
	$(COMPILE) $(INC_pool) -o $@ $< $(call LIB,pool) $(call LIB,base) $(MPI_LIBS) $(HASH_LIBS) -lm

# another version of iris-gen, for jobs whose ranks are not the same program
OTHER := cli gen_ranks
$(OTHER:%=$(BUILD)/tests/%.other.o): $(BUILD)/tests/%.other.o: tools/%.c Makefile
	@mkdir -p $(@D)
	$(COMPILE) $(INC_tools) -UIRIS_VERSION -DIRIS_VERSION='"other"' -c -o $@ $<
$(BUILD)/tests/iris-gen-other: $(OTHER:%=$(BUILD)/tests/%.other.o) $(BUILD)/tools/iris-gen.o \
    $(filter-out $(BUILD)/tools/gen_ranks.o,$(EXTRA_iris-gen)) $(CORE)
	$(CC) $(CFLAGS) $(SAN_FLAGS) $(LDFLAGS) -o $@ $^ $(if $(filter $(call LIB,cuda),$^),$(CUDA_LIBS)) $(LIBS_iris-gen) $(CORE_LIBS)

# The sources of the GPU path as C++ for this processor, see tests/emulate/emulate.h;
# the programs with it instead of CUDA; what the emulator finds, and what they compute.
EMULATED     := $(BUILD)/tests/libcuda_emulated.a
EMULATE_CXX  := $(if $(findstring clang,$(CC)),$(subst clang,clang++,$(CC)),g++)
# sizes are constants of enums, as in C
EMULATE_WARN := -Wall -Wextra -Wno-unknown-pragmas \
                -Wno-deprecated-$(if $(findstring clang,$(CC)),anon-)enum-enum-conversion
EMULATE       = $(EMULATE_CXX) -x c++ -std=c++20 -DIRIS_EMULATE $(if $(SAN),-O1,-O2) -g -ffp-contract=off $(SAN_FLAGS) \
                $(EMULATE_WARN) $(if $(WERROR),-Werror) -MMD -MP $(INC_cuda) -Itests/emulate
$(BUILD)/tests/emulate/%.o: tests/emulate/%.cc Makefile
	@mkdir -p $(@D)
	$(EMULATE) -Itests/unit -c -o $@ $<
$(BUILD)/tests/emulate/%.o: cuda/%.cu Makefile
	@mkdir -p $(@D)
	$(EMULATE) -c -o $@ $<
EMULATOR := $(patsubst %,$(BUILD)/tests/emulate/%.o,emulate stream launch fiber)
$(EMULATED): $(EMULATOR) $(or $(CUDA_SOURCES:cuda/%.cu=$(BUILD)/tests/emulate/%.o),$(BUILD)/cuda/gpu_none.o)
	rm -f $@
	$(AR) rcs $@ $^
$(EMULATED_PROGRAMS:%=$(BUILD)/tests/emulated/%): $(BUILD)/tests/emulated/%: $(BUILD)/tools/%.o $(BUILD)/tools/cli.o \
    $$(filter-out $(call LIB,cuda),$$(EXTRA_$$*)) $(EMULATED) $(CORE)
	@mkdir -p $(@D)
	$(EMULATE_CXX) $(SAN_FLAGS) $(LDFLAGS) -o $@ $^ $(LIBS_$*) $(CORE_LIBS)
$(BUILD)/tests/test_emulate: $(BUILD)/tests/emulate/test_emulate.o $(EMULATOR)
	$(EMULATE_CXX) $(SAN_FLAGS) $(LDFLAGS) -o $@ $^ -pthread
$(BUILD)/tests/emulate/%.o: cuda/%.c Makefile
	@mkdir -p $(@D)
	$(COMPILE) $(INC_cuda) -DTRIAL_SMALL -Itests/unit -c -o $@ $<
$(BUILD)/tests/emulate/test_gpu.o: $(BUILD)/tests/emulate/check.o
	ln -f $< $@
$(BUILD)/tests/test_gpu $(BUILD)/tests/test_gpu_faults: $(BUILD)/tests/%: $(BUILD)/tests/emulate/%.o \
    $(TRIAL:%=$(BUILD)/tests/emulate/%.o) $(EMULATED) $(call LIB,physics) $(call LIB,base)
	$(EMULATE_CXX) $(SAN_FLAGS) $(LDFLAGS) -o $@ $^ $(SLEEF_LIBS) $(HASH_LIBS) -pthread -lm

# Readers and bytes that nobody has written: each is a program that tries those of
# tests/corpus and some near them, and one that looks for others with libFuzzer.
FUZZ_COMMON := $(patsubst %,$(BUILD)/tests/fuzz/%.o,fuzz fuzz_h5 made)
FUZZ_LIBS_options = $(MPI_LIBS)
# every program, with another name of its main()
FUZZ_TOOLS  := $(TOOLS:%=$(BUILD)/tests/fuzz/main_%.o) \
               $(patsubst tools/%.c,$(BUILD)/tools/%.o,$(filter-out $(TOOLS:%=tools/%.c),$(wildcard tools/*.c))) \
               $(call LIB,remote) $(call LIB,pool) $(call LIB,cuda)
FUZZ_PARTS_options := $(FUZZ_TOOLS)
FUZZ_FLAGS_options := -Wl,--wrap=getopt_long,--wrap=iris_finish
$(BUILD)/tests/fuzz/main_%.o: $(BUILD)/tools/%.o
	@mkdir -p $(@D)
	objcopy --redefine-sym main=main_$(subst -,_,$*) $< $@
$(BUILD)/tests/fuzz/%.o: tests/fuzz/%.c Makefile
	@mkdir -p $(@D)
	$(COMPILE) $(INC_store) -Ilib/remote -c -o $@ $<
FUZZ_LINK = $(CC) $(CFLAGS) $(SAN_FLAGS) $(LDFLAGS) $(FUZZ_FLAGS_$*) -o $@ $(filter-out Makefile,$^) \
            $(if $(FUZZ_PARTS_$*),$(CUDA_LIBS)) $(FUZZ_LIBS_$*) $(CORE_LIBS)
$(READERS:%=$(BUILD)/tests/fuzz_%): $(BUILD)/tests/fuzz_%: $(BUILD)/tests/fuzz/fuzz_%.o $(BUILD)/tests/fuzz/replay.o \
    $(FUZZ_COMMON) $$(FUZZ_PARTS_$$*) $(TESTED)
	$(FUZZ_LINK)
$(READERS:%=$(BUILD)/tests/seek_%): $(BUILD)/tests/seek_%: $(BUILD)/tests/fuzz/fuzz_%.o \
    $(FUZZ_COMMON) $$(FUZZ_PARTS_$$*) $(TESTED)
	$(FUZZ_LINK) -fsanitize=fuzzer

# Never sanitized: they are preloaded into programs that are or are not. Who calls one of them
# is to be seen behind it.
$(BUILD)/tests/%.so: tests/shims/%.c tests/shims/real.h Makefile
	@mkdir -p $(@D)
	$(CC) -std=c11 -O1 -g -fno-omit-frame-pointer $(WARNINGS) -shared -fPIC -o $@ $< -ldl

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)

PACKAGES := build-essential pkg-config libopenmpi-dev openmpi-bin libhdf5-dev libjansson-dev \
            libxxhash-dev libsleef-dev libpng-dev perl bats cppcheck groff clang clang-tidy valgrind procps shellcheck hdf5-tools \
            xxhash strace python3 libcfitsio-dev python3-astropy python3-h5py python3-numpy python3-torch \
            openssh-client openssh-server libssl-dev iproute2 locales slurm-wlm munge
deps: ## install the Debian packages that build, demo and tests need
	@missing=; for p in $(PACKAGES); do \
	    dpkg-query -W -f '$${Status}' $$p 2>/dev/null | grep -q 'ok installed' || missing="$$missing $$p"; \
	done; \
	if [ -n "$$missing" ]; then \
	    if [ "$$(id -u)" = 0 ]; then sudo=; else sudo=sudo; fi; \
	    $$sudo apt-get update -qq && \
	    $$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing; \
	fi

demo: all ## make a small data set from mock snapshots with two ranks
	@PATH="$(CURDIR)/$(BIN):$$PATH" workflows/demo.sh demo

picture: demo ## make the picture in README again
	cp demo/galaxy.png workflows/galaxy.png

corrections: all ## measure what each correction of the reference's formulas changes
	@PATH="$(CURDIR)/$(BIN):$$PATH" tests/bench/corrections.sh $(BUILD)/corrections

# How right are the numbers? Tables, against what is computed in another way.
EXACT := $(BUILD)/tests/exact
$(BUILD)/study/%.o: tests/study/%.c Makefile
	@mkdir -p $(@D)
	$(COMPILE) $(INC_store) -Itests/study -c -o $@ $<
$(EXACT): $(BUILD)/study/exact.o $(BUILD)/study/walk.o $(CORE)
	@mkdir -p $(@D)
	$(CC) $(SAN_FLAGS) $(LDFLAGS) -o $@ $^ $(CORE_LIBS)
study: all $(EXACT) ## measure how large the errors of maps are, by steps, tables and samples
	@PATH="$(CURDIR)/$(BIN):$(CURDIR)/$(BUILD)/tests:$$PATH" tests/study/study.sh $(BUILD)/study/work

# What is fast enough? Tables, one program a topic; BENCH=full for the long cases.
BENCHES := $(patsubst tests/bench/%.c,$(BUILD)/bench/%,$(wildcard tests/bench/bench_*.c))
MEASURE := $(BUILD)/bench/measure
BENCH_PACKAGES := g++ libnanoflann-dev libopenblas-dev
CXX ?= c++
bench-deps: ## install the Debian packages that the measurements need beside those
	@$(MAKE) --no-print-directory deps PACKAGES="$(PACKAGES) $(BENCH_PACKAGES)"
bench: $(BENCHES) $(MEASURE) $(BUILD)/bench/pool_tasks $(BUILD)/tests/wire $(BUILD)/bench/rays/ready ## measure how fast it is
	@$(BUILD)/bench/bench_sampling
	@$(BUILD)/bench/bench_tables
	@cd $(BUILD)/bench/rays && ../bench_observer hyper.json lines.h5 tensor.npy
	@PATH="$(CURDIR)/$(BIN):$$PATH" tests/bench/bench_point.sh $(MEASURE) $(BUILD)/bench/rays
	@PATH="$(CURDIR)/$(BIN):$$PATH" tests/bench/bench_estimate.sh $(MEASURE) $(BUILD)/bench/rays
	@PATH="$(CURDIR)/$(BIN):$$PATH" tests/bench/bench_pack.sh $(MEASURE) $(BUILD)/bench
	@PATH="$(CURDIR)/$(BIN):$$PATH" tests/bench/bench_pool.sh $(MEASURE) $(BUILD)/bench/pool_tasks $(BUILD)/bench
	@PATH="$(CURDIR)/$(BIN):$(CURDIR)/$(BUILD)/tests:$$PATH" IRIS_SOURCE="$(CURDIR)" \
	    tests/bench/bench_remote.sh $(MEASURE) $(BUILD)/bench

# Rays of the main preset, of a mock galaxy, and the tables of their line.
$(BUILD)/bench/rays/ready: all
	@[ -e $@ ] || { export PATH="$(CURDIR)/$(BIN):$$PATH" && mkdir -p $(@D) && cd $(@D) && rm -rf data && \
	    iris-mock -o snap_001.hdf5 --cells=2000000 --seed=1 && iris-mock --molecule=13CO -o 13CO.dat && \
	    iris-hyper --preset=SEDIGISM_13C16O -s coordinate_hyper.lon_steps=16 -s writer_hyper.points_per_snapshot=1 \
	        -s 'observer_hyper.chem_path=["13CO.dat"]' -o hyper.json && \
	    iris-chem -q -H hyper.json -o lines.h5 && iris-list snap_001.hdf5 -o list.tsv && \
	    iris-gen -q -H hyper.json -t standard -d data -o data.tsv list.tsv && \
	    ln -f data/entries/*/raw/snap_001/p000.tensor.npy tensor.npy && touch ready; }
$(BUILD)/bench/%.o: tests/bench/%.cpp Makefile
	@mkdir -p $(@D)
	$(CXX) -O3 -g $(SAN_FLAGS) -MMD -MP -c -o $@ $<
$(BUILD)/bench/%.o: tests/bench/%.c Makefile
	@mkdir -p $(@D)
	$(COMPILE) $(INC_store) -Itests/bench -Itests/unit $(BENCH_$*) -c -o $@ $<
# a yardstick is only one when it is as fast as it can be on this machine
BENCH_dense := -Ofast -march=native -mprefer-vector-width=512
BENCH_peak := -march=native -Wno-psabi
LIBS_bench_tables := -lopenblas
BENCH_scalar := -march=native -fno-tree-vectorize
$(BUILD)/bench/bench_observer: $(BUILD)/bench/dense.o $(BUILD)/bench/scalar.o $(BUILD)/bench/peak.o
# minima may be taken in any order, distances are as they stand
BENCH_brute := -march=native -mprefer-vector-width=512 -ffinite-math-only -fno-signed-zeros -fno-trapping-math
$(BUILD)/bench/bench_sampling: $(BUILD)/bench/flann.o $(BUILD)/bench/brute.o
$(BUILD)/bench/bench_tables: $(BUILD)/bench/peak.o
$(BENCHES): %: %.o $(CORE)
	$(CXX) $(SAN_FLAGS) $(LDFLAGS) -o $@ $(filter %.o,$^) $(filter %.a,$^) $(LIBS_$(@F)) $(CORE_LIBS)

$(MEASURE): $(MEASURE).o
	$(CC) $(SAN_FLAGS) $(LDFLAGS) -o $@ $^
$(BUILD)/bench/pool_tasks.o: tests/bench/pool_tasks.c Makefile
	@mkdir -p $(@D)
	$(COMPILE) $(INC_pool) -c -o $@ $<
$(BUILD)/bench/pool_tasks: $(BUILD)/bench/pool_tasks.o $(call LIB,pool) $(call LIB,base)
	$(CC) $(SAN_FLAGS) $(LDFLAGS) -o $@ $^ $(MPI_LIBS) $(HASH_LIBS) -lm

# Is the GPU right, and how fast? These need nvcc, a C compiler and a GPU, no library:
# what else the sources take from one comes from libm, see lib/base/elementary.h.
BARE := $(BUILD)/bare
BARE_BASE    := err num buf rng elementary
BARE_OBJECTS := $(BARE_BASE:%=$(BARE)/lib/base/%.o) \
                $(patsubst %.c,$(BARE)/%.o,$(filter-out $(KERNELS:%=lib/physics/%.c),$(wildcard lib/physics/*.c))) \
                $(EXTRA_physics:$(BUILD)/%=$(BARE)/%)
BARE_COMPILE  = $(COMPILE) -DIRIS_BARE $(INC_cuda)
define bare_rules
$(BARE)/lib/physics/kernel_%.$(1).o: lib/physics/kernel_%.c Makefile
	@mkdir -p $$(@D)
	$$(BARE_COMPILE) -fno-math-errno -fno-trapping-math -Wno-psabi $$(SIMD_$(1)) -DIRIS_LEVEL_NAME=$(1) -c -o $$@ $$<
endef
$(foreach l,$(SIMD),$(eval $(call bare_rules,$(l))))
$(BARE)/lib/%.o: lib/%.c Makefile
	@mkdir -p $(@D)
	$(BARE_COMPILE) -c -o $@ $<
$(BARE)/cuda/%.o: cuda/%.c Makefile
	@mkdir -p $(@D)
	$(BARE_COMPILE) -Itests/unit -c -o $@ $<
CEILING_bench = $(BUILD)/cuda/ceiling.o
$(BARE)/cuda-check $(BARE)/cuda-bench: $(BARE)/cuda-%: $(BARE)/cuda/%.o $(TRIAL:%=$(BARE)/cuda/%.o) $$(CEILING_$$*) \
    $(BARE_OBJECTS) $(call LIB,cuda)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(CUDA_LIBS) -pthread -lm
cuda-check: $(if $(NVCC),$(BARE)/cuda-check,no-nvcc) ## compare what a GPU makes with what this processor makes
	$(BARE)/cuda-check $(ARGS)
cuda-bench: $(if $(NVCC),$(BARE)/cuda-bench,no-nvcc) ## measure how fast a GPU is
	$(BARE)/cuda-bench $(ARGS)
no-nvcc:
	@echo "cuda-check and cuda-bench need nvcc: make NVCC=/path/to/nvcc" >&2; exit 1

# Tests: everything prints TAP and is run by prove, JOBS at a time (many mostly wait), those that take
# longest first; what each prints is kept in $(TAP).
TAP = $(BUILD)/tap
TEST_ENV = PATH="$(CURDIR)/$(BIN):$(CURDIR)/$(BUILD)/tests:$$PATH" IRIS_SOURCE="$(CURDIR)" TAP="$(CURDIR)/$(TAP)" IRIS_HARDEN="$(HARDEN)" \
           CUDA_VISIBLE_DEVICES= OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_rmaps_base_oversubscribe=1 \
           ASAN_OPTIONS=$(ASAN_OPTIONS) LSAN_OPTIONS=$(LSAN_OPTIONS)
ASAN_OPTIONS ?= detect_leaks=1
LSAN_OPTIONS ?= suppressions=$(CURDIR)/tests/leaks:print_suppressions=0
JOBS ?= 3
PROVE ?= prove --timer
RUN_TESTS = rm -rf $(TAP) && mkdir -p $(TAP) && $(TEST_ENV) $(PROVE) -j $(JOBS) -e tests/keep
WITHOUT ?=
LONGEST := $(patsubst %,tests/bats/%.bats,crash remote-hostile workflow slurm release faults iris-show remote-cut aside remote-list kills)
BATS := $(LONGEST) $(filter-out $(LONGEST),$(wildcard tests/bats/*.bats))
TESTS ?= $(filter-out $(WITHOUT:%=tests/bats/%.bats),$(BATS)) $(UNIT_TESTS)

check: all $(UNIT_TESTS) $(HELPERS) ## run every test
	$(RUN_TESTS) $(TESTS)
unit-programs: $(UNIT_TESTS)
helpers: $(HELPERS)
unit: all $(UNIT_TESTS) ## run the tests of the library only
	$(RUN_TESTS) $(UNIT_TESTS)
bats: all $(HELPERS) ## run the tests of the programs only
	$(RUN_TESTS) $(BATS)

# Counting takes time: left out are the longest, which run few lines of the library that
# others do not. Programs that are killed have counted nothing.
UNCOUNTED := packet sampler transfer_single emulate gpu gpu_faults
COUNTED   := iris-show iris-gen remote-fetch iris-pack iris-check iris-list iris-merge iris-probe iris-fits
COVERING   = $(COUNTED:%=tests/bats/%.bats) $(filter-out $(UNCOUNTED:%=$(BUILD)/tests/test_%),$(UNIT_TESTS))
coverage: ## that the tests run 95 % of the lines of lib/
	@$(MAKE) --no-print-directory COVERAGE=1 covered
covered: all $(filter-out $(BUILD)/tests/emulated/%,$(HELPERS)) $$(filter $(BUILD)/%,$$(COVERING))
	@find $(BUILD) -name '*.gcda' -delete
	@$(RUN_TESTS) $(COVERING)
	@tests/coverage.py $(BUILD) 95

valgrind: all ## run every program under memcheck
	$(RUN_TESTS) tests/valgrind.bats

# Each reader in turn, whatever is found with another: it is in build/fuzz/found, as are in
# build/fuzz/corpus the inputs that reach something new, and the next run begins with them.
FUZZ ?= $(READERS)
FUZZ_SECONDS ?= 600
fuzz: ## look for bytes that a reader does not bear, FUZZ_SECONDS=600 for each of FUZZ="fits sftp"
	@$(MAKE) --no-print-directory -k FUZZING=1 CC=clang $(FUZZ:%=fuzz-%)
$(READERS:%=fuzz-%): fuzz-%: $(BUILD)/tests/fuzz_% $(BUILD)/tests/seek_%
	@mkdir -p $(BUILD)/corpus/$* $(BUILD)/made/$* $(BUILD)/found
	@$(BUILD)/tests/fuzz_$* -o $(BUILD)/made/$*
	ASAN_OPTIONS=$(ASAN_OPTIONS):allocator_may_return_null=1:quarantine_size_mb=64 LSAN_OPTIONS=$(LSAN_OPTIONS) $(BUILD)/tests/seek_$* \
	    -close_fd_mask=1 -max_total_time=$(FUZZ_SECONDS) -print_final_stats=1 -malloc_limit_mb=512 -rss_limit_mb=2048 -timeout=10 \
	    -artifact_prefix=$(CURDIR)/$(BUILD)/found/$*- \
	    $(CURDIR)/$(BUILD)/corpus/$* $(abspath $(wildcard tests/corpus/$*)) $(CURDIR)/$(BUILD)/made/$*

lint: layers headers pages scripts ## what needs no run, these and cppcheck
	cppcheck -q --error-exitcode=1 --inline-suppr --suppress=missingIncludeSystem --std=c11 \
	    --enable=warning,performance,portability -Ilib/base -Ilib/physics -Ilib/store -Ilib/remote -Ilib/pool -Icuda -Itools lib tools $(wildcard cuda/*.c)

# clang-tidy looks at one file at a time, for minutes in all: what has not changed since
# is left out. Its analyzer does not follow vectors.
TIDIED := $(filter-out tests/emulate/%,$(wildcard lib/*/*.c tools/*.c cuda/*.c tests/*/*.c))
TIDY_FLAGS = $(STD) -D_GNU_SOURCE= -DIRIS_LEVEL_NAME=base -Wno-psabi -Wno-unused-value $(INC_tools) $(INC_store) $(MPI_CFLAGS) -Itests/unit -Itests/bench
tidy: $(TIDIED:%=$(BUILD)/tidy/%) ## what clang-tidy finds
$(BUILD)/tidy/%: % .clang-tidy tests/.clang-tidy tests/tidy.h $(wildcard lib/*/*.h tools/*.h cuda/*.h tests/*/*.h)
	@mkdir -p $(@D)
	@clang-tidy --quiet $(if $(filter lib/physics/kernel_%,$<),--checks=-clang-analyzer-*) $< -- $(TIDY_FLAGS) \
	    $(if $(filter lib/base/err.c lib/store/h5.c,$<),,-include tests/tidy.h) 2>$@.err >$@.out || { cat $@.out $@.err; exit 1; }
	@touch $@

# What the objects of a layer may not refer to. Nothing in the library speaks or
# ends the program; MPI, HDF5, JSON, FITS, SLEEF and CUDA have one place each.
# What lib/base/elementary.h gives instead is taken from nowhere from libm, the
# programs included, since that has other bits on other processors.
NOT_ANY := (__)?v?[fds]?printf(_chk)?|f?puts|f?putc|putchar|perror|std(in|out|err)|_?exit|_Exit|quick_exit|abort|__assert_fail|getopt.*|v?errx?|v?warnx?
USES_MPI    := P?MPI_.*|ompi_.*
USES_HDF5   := H5.*
USES_JSON   := json_.*
# what <fitsio.h> makes of fits_*; fflush is not one of them
USES_FITS   := ff([a-km-z]|l[a-tv-z]).*|fits_.*
USES_PNG    := png_.*
USES_CUDA   := cu(da)?[A-Z].*
USES_SLEEF  := Sleef_.*
USES_LIBM   := (__)?(exp(2|10|m1)?|log(2|10|1p)?|pow(10)?|a?(sin|cos|tan)h?|sincos|atan2|erfc?|cbrt|hypot|[lt]?gamma|[jy][01n])[fl]?(_r|_finite)?|_ZGV.*
USES_FILES  := (__)?(f|fd|fre)?open(at)?(64)?(_2)?|creat|(__)?p?(read|write)v?(64)?(_chk)?|(__)?f(read|write)(_chk)?
NOT_base    := $(USES_LIBM)|$(USES_MPI)|$(USES_HDF5)|$(USES_JSON)|$(USES_FITS)|$(USES_PNG)|$(USES_CUDA)
NOT_physics := $(NOT_base)|$(USES_SLEEF)|XXH.*|$(USES_FILES)
NOT_store   := $(USES_LIBM)|$(USES_SLEEF)|$(USES_MPI)|$(USES_CUDA)
NOT_remote  := $(NOT_base)|$(USES_SLEEF)
NOT_pool    := $(USES_LIBM)|$(USES_SLEEF)|$(USES_HDF5)|$(USES_JSON)|$(USES_FITS)|$(USES_PNG)|$(USES_CUDA)
NOT_cuda    := $(USES_LIBM)|$(USES_MPI)|$(USES_HDF5)|$(USES_JSON)|$(USES_FITS)|$(USES_PNG)|$(USES_SLEEF)|XXH.*|$(USES_FILES)
TOOL_OBJECTS := $(patsubst %.c,$(BUILD)/%.o,$(wildcard tools/*.c))
ARCHIVES    := $(foreach l,$(LAYERS) cuda,$(call LIB,$(l)))
layers: $(ARCHIVES) all ## no layer of the library uses what does not belong there
	@nm -Au $(ARCHIVES) $(TOOL_OBJECTS) >$(BUILD)/undefined
	@wrong=$$(sed -nE -e 's,^$(BUILD)/(tools/.*): +[Uvw] ($(USES_LIBM)|$(USES_SLEEF)|$(USES_CUDA))$$,\1 uses \2,p' \
	    $(foreach l,$(LAYERS) cuda,-e 's,.*/lib($(l))\.a:(.*): +[Uvw] ($(NOT_ANY)|$(NOT_$(l)))$$,\1/\2 uses \3,p') \
	    $(BUILD)/undefined); [ -z "$$wrong" ] || { echo "$$wrong"; exit 1; }

CUDA_C_HEADERS := cuda/gpu.h cuda/ceiling.h cuda/trial.h
headers: ## every header compiles alone
	@$(foreach l,$(LAYERS:%=lib/%) tools,for h in $(wildcard $(l)/*.h); do \
	    echo "#include \"$$h\"" | $(CC) $(STD) $(WARNINGS) -Werror $(INC_$(notdir $(l))) -fsyntax-only -x c - || exit 1; done;)
	@for h in $(CUDA_C_HEADERS); do \
	    echo "#include \"$$h\"" | $(CC) $(STD) $(WARNINGS) -Werror $(INC_cuda) -fsyntax-only -x c - || exit 1; done
	@for h in $(filter-out $(CUDA_C_HEADERS),$(wildcard cuda/*.h cuda/*.cuh tests/emulate/*.h)); do \
	    echo "#include \"$$h\"" | \
	        $(EMULATE_CXX) -std=c++20 -DIRIS_EMULATE -I. $(INC_cuda) -Itests/emulate $(EMULATE_WARN) -Wno-unused-function -Werror -fsyntax-only -x c++ - || exit 1; done

pages: all ## the manual pages are clean, and name the options that the programs have
	@for p in $(PAGES); do \
	    out=$$(groff -mandoc -ww -z -Tutf8 $$p 2>&1); [ -z "$$out" ] || { echo "$$p: $$out"; exit 1; }; \
	done
	@lost="$(filter-out $(PAGES),$(wildcard man/*))"; [ -z "$$lost" ] || { echo "not in PAGES: $$lost"; exit 1; }
	@PATH="$(CURDIR)/$(BIN):$$PATH" tests/options.sh $(TOOLS)

# Shellcheck cannot know the variables that bats sets (SC2154), nor who reads those of
# tests (SC2034). In tests words are split on purpose (SC2046, SC2206, SC2207), a cd
# that fails ends one (SC2164), and the names of files are known (SC2010, SC2044).
SCRIPTS := $(wildcard workflows/*.sh workflows/slurm/* tests/*.sh tests/bench/*.sh tests/study/*.sh) tests/keep .ci/run $(wildcard tests/bats/*.bash)
BATS_STYLE := SC2154,SC2034,SC2046,SC2206,SC2207,SC2164,SC2010,SC2044
scripts: ## bash reads the scripts; shellcheck, where it is installed, those of tests too
	@! grep -nE '^ +(\[.*\]|! .*) && (\[|! )' tests/bats/*.bats tests/valgrind.bats | grep -vE '\|\||; (then|do)$$|\\$$' || \
	    { echo "a test does not end at what fails before '&&': one to a line"; exit 1; }
	@for s in $(SCRIPTS); do bash -n $$s || exit 1; done
	@! command -v shellcheck >/dev/null || { shellcheck --severity=warning --exclude=SC2154 $(SCRIPTS) && \
	    shellcheck --shell=bats --severity=warning --exclude=$(BATS_STYLE) $(wildcard tests/bats/*.bats) tests/valgrind.bats; }

LAID_OUT := $(wildcard lib/*/*.[ch] tools/*.[ch] tests/*/*.[ch] tests/*/*.cc cuda/*.[ch] cuda/*.cu cuda/*.cuh)
format: ## lay the sources out with clang-format
	clang-format -i $(LAID_OUT)
check-format: ## fail where clang-format would change something
	clang-format --dry-run -Werror $(LAID_OUT)

install: all ## install programs, pages, completions, presets and workflows below PREFIX
	install -d $(DESTDIR)$(PREFIX)/bin $(patsubst %,$(DESTDIR)$(PREFIX)/share/iris/%,presets recipes slurm examples)
	install -m 755 $(TOOLS:%=$(BIN)/%) $(DESTDIR)$(PREFIX)/bin
	install -m 644 $(PRESETS) $(DESTDIR)$(PREFIX)/share/iris/presets
	install -m 644 workflows/iris.mk $(DESTDIR)$(PREFIX)/share/iris
	install -m 644 $(wildcard workflows/recipes/*.mk) $(DESTDIR)$(PREFIX)/share/iris/recipes
	install -m 644 $(wildcard workflows/slurm/*.sbatch) workflows/slurm/job.bash $(DESTDIR)$(PREFIX)/share/iris/slurm
	install -m 755 $(wildcard workflows/examples/*.py) $(DESTDIR)$(PREFIX)/share/iris/examples
	install -m 755 workflows/slurm/launch.bash workflows/slurm/submit-training.sh $(DESTDIR)$(PREFIX)/share/iris/slurm
	for s in 1 5 7; do \
	    install -d $(DESTDIR)$(PREFIX)/share/man/man$$s; \
	    install -m 644 man/*.$$s $(DESTDIR)$(PREFIX)/share/man/man$$s; \
	done
	install -d $(COMPLETIONS)
	for t in $(TOOLS); do install -m 644 $(BUILD)/iris.bash $(COMPLETIONS)/$$t; done
uninstall: ## remove what install put there
	rm -f $(TOOLS:%=$(DESTDIR)$(PREFIX)/bin/%) $(TOOLS:%=$(COMPLETIONS)/%)
	rm -f $(foreach p,$(notdir $(PAGES)),$(DESTDIR)$(PREFIX)/share/man/man$(subst .,,$(suffix $(p)))/$(p))
	rm -rf $(DESTDIR)$(PREFIX)/share/iris

clean: ## remove everything that was built
	rm -rf build demo

help: ## print this list
	@sed -n 's/^\([a-z-]*\):.*## /\1: /p' $(MAKEFILE_LIST) | awk -F': ' '{printf "  %-14s %s\n", $$1, $$2}'
