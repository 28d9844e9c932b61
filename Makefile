# gilscope: the developer's door. `make help` lists what it opens.
# Everything that is made stands under build/; `make V=1` shows the commands.

# --- what it is built with -----------------------------------------------------------------------
#
# CXX, CPPFLAGS, CXXFLAGS, LDFLAGS and LDLIBS are the user's, from the environment or the command line,
# and come in addition to what the program needs; they may choose another optimization, and not another
# C++. BPF_CFLAGS is the same for the kernel side, for which flags of the host's compiler mean nothing.

# Everything that is made stands below this directory, which may be anywhere but in the way of others.
BUILD ?= build
override BUILD := $(patsubst %/,%,$(or $(strip $(BUILD)),build))
quoted = '$(subst ','\'',$(1))'
BUILD_REFUSED := $(shell scripts/check-build-directory $(call quoted,$(BUILD)))
$(if $(BUILD_REFUSED),$(error $(BUILD_REFUSED)))

CLANG ?= $(or $(shell command -v clang 2>/dev/null),$(lastword $(sort $(wildcard /usr/bin/clang-[1-9][0-9]))),clang)
CLANGXX ?= $(subst clang,clang++,$(CLANG))
BPFTOOL ?= $(or $(shell command -v bpftool 2>/dev/null),$(lastword $(wildcard /usr/lib/linux-tools/*/bpftool \
                                                         /usr/local/sbin/bpftool /usr/sbin/bpftool)),bpftool)
PREFIX ?= /usr/local
# Debian's own tools pass an INSTALL that does not strip.
STRIP ?= $(if $(filter %-g++,$(CXX)),$(CXX:%g++=%strip),strip)
INSTALL ?= install

# auto: one static program where the libraries here can be linked so, else a dynamic one; yes or no
# insists (docs/development.md, "Static or dynamic").
STATIC ?= auto
# 1: a warning is an error. The project's own machines set it; a newer compiler may know new warnings.
WERROR ?=
# no: without precompiled headers, as for a compiler's cache.
PCH ?= yes
# SANITIZE=address,undefined or thread; give such a build a BUILD directory of its own. The fuzzers
# are part of the first.
SANITIZE ?=
FUZZ_SECONDS ?= 60

VERSION := $(shell cat VERSION)
# The machine that it is built for, which a cross compiler tells.
ARCH := $(firstword $(subst -, ,$(shell $(CXX) -dumpmachine)))
BPF_ARCH := $(patsubst x86_64,x86,$(patsubst aarch64,arm64,$(ARCH)))
MULTIARCH := $(or $(shell $(CXX) -print-multiarch 2>/dev/null),$(ARCH)-linux-gnu)
is_clang = $(findstring clang,$(shell $(1) --version 2>/dev/null | head -n 1))

OWN_CPPFLAGS := -I. -I$(BUILD)/generated -DGILSCOPE_VERSION='"$(VERSION)"'
WARNINGS := -Wall -Wextra $(if $(filter 1,$(WERROR)),-Werror)
# The same objects whatever the directory that they are made in.
SAME_ANYWHERE := $(call quoted,-ffile-prefix-map=$(CURDIR)=.) -ffile-prefix-map=$(BUILD)/=
OWN_CXXFLAGS := -std=c++20 -pthread -MMD -MP $(SAME_ANYWHERE)
OWN_LDFLAGS := -pthread
LIBS := -lbpf -lelf -lz -lmd -llzma
USERS_FLAGS := $(strip $(CPPFLAGS) $(CXXFLAGS) $(LDFLAGS))
ifeq ($(SANITIZE),)
COMPILER := $(CXX)
OPTIMIZE := -O2 -g1
else
# The user's flags are for the program, and may contradict a sanitizer; it refuses static, too. Races
# need the speed; for the others what is light to compile is enough.
override CPPFLAGS :=
override CXXFLAGS :=
override LDFLAGS :=
OWN_LDFLAGS += -fsanitize=$(SANITIZE)
OWN_CXXFLAGS += -fsanitize=$(SANITIZE) -fno-sanitize-recover=all -fno-omit-frame-pointer
override STATIC := no
ifeq ($(SANITIZE),thread)
COMPILER := $(CXX)
OPTIMIZE := -O1 -g1
# Of code that it has instrumented g++ warns without a reason (GCC's manual, -fsanitize).
WARNINGS := $(filter-out -Werror,$(WARNINGS))
else
# The fuzzer is clang's, and clang compiles for these sanitizers in three quarters of g++'s time.
COMPILER := $(if $(call is_clang,$(CXX)),$(CXX),$(CLANGXX))
OPTIMIZE := -O0 -g1
OWN_CXXFLAGS += -fsanitize=fuzzer-no-link
endif
endif
COMPILER_IS_CLANG := $(call is_clang,$(COMPILER))
ifneq ($(COMPILER_IS_CLANG),)
# From 18 on, clang minds that libbpf's options are set by name.
WARNINGS += -Wno-missing-field-initializers
endif

# The tests' own code is compiled by clang where there is one, unless the user asked for a compiler or
# for flags.
TEST_COMPILER := $(COMPILER)
ifeq ($(origin CXX)$(USERS_FLAGS)$(SANITIZE),default)
TEST_COMPILER := $(or $(shell command -v $(CLANGXX) 2>/dev/null),$(COMPILER))
endif
# g++ and clang name them differently.
pch_suffix = $(if $(call is_clang,$(1)),pch,gch)
PROGRAM_PCH := $(BUILD)/precompiled/program.h.$(call pch_suffix,$(COMPILER))
MEASURED_PCH := $(BUILD)/precompiled/measured.h.$(call pch_suffix,$(COMPILER))
TESTS_PCH := $(BUILD)/precompiled/tests.h.$(call pch_suffix,$(TEST_COMPILER))

# The same settings for each file, but for what single ones say below.
PREPROCESS = $(OWN_CPPFLAGS) $(CPPFLAGS)
COMPILE = $(COMPILER) $(PREPROCESS) $(OPTIMIZE) $(WARNINGS) $(CXXFLAGS) $(OWN_CXXFLAGS)
# -flto, -fsanitize and --target are flags for both.
LINK = $(COMPILER) $(OPTIMIZE) $(CXXFLAGS) $(OWN_LDFLAGS) $(LDFLAGS)

SOURCES := $(sort $(shell find userspace tools -name '*.cpp'))
UNIT_SOURCES := $(sort $(wildcard tests/unit/*.cpp))
KERNEL_SOURCES := $(sort $(wildcard tests/kernel/*.cpp))
# Stands in for libelf where its archive cannot be linked.
ELF_READER := $(BUILD)/userspace/elf/reader.o
OBJECTS := $(filter-out $(ELF_READER),$(SOURCES:%.cpp=$(BUILD)/%.o))
MAIN_OBJECT := $(BUILD)/main.o
UNIT_OBJECTS := $(UNIT_SOURCES:%.cpp=$(BUILD)/%.o)
# A build with sanitizers may take the tests' own code from another one, which is there already: what
# is under test is what they are for. Not those with threads or simulations, which do less where they
# know of a sanitizer.
TESTS_BUILD ?= $(BUILD)
# The subcommands that measure are tested as a program; the rest is what the unit tests are about.
UNDER_UNIT_TEST := $(filter-out $(BUILD)/userspace/cli/%,$(OBJECTS))
# What executes while a run is measured.
MEASURED_OBJECTS := $(filter $(addprefix $(BUILD)/userspace/,eval/% gil/% threading/% tracer/% base/% workload/%),$(OBJECTS))
# Only what has threads can have a race.
THREADED := eval gil gvl hand_over mixed_load policies pypy ranking semaphore sharded thread workload
THREADED_OBJECTS := $(filter $(THREADED:%=$(BUILD)/tests/unit/%_test.o),$(UNIT_OBJECTS)) \
                    $(BUILD)/tests/unit/watchdog.o \
                    $(filter $(addprefix $(BUILD)/userspace/,descriptor/% gil/% eval/% threading/% workload/% \
                                                             base/%),$(OBJECTS))
SIMULATION_OBJECTS := $(patsubst %.cpp,$(BUILD)/%.o,$(shell grep -l compare_samples.h $(UNIT_SOURCES)))
OWN_TESTS := $(filter $(THREADED_OBJECTS) $(SIMULATION_OBJECTS),$(UNIT_OBJECTS))
KERNEL_OBJECTS := $(KERNEL_SOURCES:%.cpp=$(BUILD)/%.o)
INTERPRETER_OBJECTS := $(patsubst %.cpp,$(BUILD)/%.o,$(sort $(wildcard tests/interpreters/*.cpp)))
BENCH_OBJECTS := $(patsubst %.cpp,$(BUILD)/%.o,$(sort $(wildcard tests/bench/*.cpp)))
# The readers, and what prints what they read; not the subcommands.
FUZZED := $(filter-out $(BUILD)/tools/cli/% $(BUILD)/tools/html/% \
                       $(BUILD)/tools/export/%, \
            $(filter $(addprefix $(BUILD)/,tools/% userspace/descriptor/% userspace/report/% userspace/base/%),$(OBJECTS)))
FUZZ_TARGETS := $(patsubst tests/fuzz/%.cpp,$(BUILD)/fuzz_%,$(sort $(wildcard tests/fuzz/*.cpp)))

# Text files that the program carries: each becomes a raw string literal to #include.
EMBEDDED := docs/report.schema.json \
            docs/metrics.md docs/report.md docs/live.md tools/html/page.css tools/html/page.js tools/html/timeline_data.js \
            $(sort $(wildcard userspace/cli/completion/engine.* userspace/experiment/scripts/workload.*))
EMBEDDED_LITERALS := $(addprefix $(BUILD)/generated/,$(addsuffix .inc,$(EMBEDDED)))
# The built-in experiments, in one table: {"demo", "its text"}, and so on.
BUILTINS := $(BUILD)/generated/userspace/experiment/builtin.inc
EMBEDDED_LITERALS += $(BUILTINS)
SKELETON := $(BUILD)/generated/gilscope.skel.h

ifeq ($(V),1)
Q :=
say = @:
else
Q := @
say = @printf '  %-8s %s\n'
endif

.DELETE_ON_ERROR:
.SECONDARY:
# Every target that `make help` lists, and the fuzzers below one of them.
.PHONY: $(shell sed -nE 's/^([a-z0-9-]+):.*\#\# .*/\1/p' $(firstword $(MAKEFILE_LIST))) fuzz

build: $(BUILD)/gilscope  ## build build/gilscope, one static program where that can be had

run:  ## build, and run the demo into a new directory below reports (as root)
	scripts/run-demo

test: test-unit test-sanitizers test-fuzz test-kernel  ## every test

test-unit: $(BUILD)/unit_tests  ## tests that need no root
	$(BUILD)/unit_tests --gtest_brief=1

test-threaded: $(BUILD)/threaded_tests  ## those of them that have threads
	$(BUILD)/threaded_tests --gtest_brief=1

test-kernel: $(BUILD)/kernel_tests $(BUILD)/gilscope  ## tests that trace the running kernel (as root)
	GILSCOPE=$(BUILD)/gilscope $(BUILD)/kernel_tests --gtest_brief=1

test-interpreters: $(BUILD)/interpreter_tests $(BUILD)/gilscope  ## real interpreters of several Debian suites beside witnesses; build/interpreters.txt (as root)
	scripts/test-interpreters $(call quoted,$(BUILD))

test-database: $(BUILD)/gilscope  ## a real MariaDB's most contended lock, and nothing left behind (as root)
	tests/database/test-database $(call quoted,$(BUILD))

test-kernels: $(BUILD)/kernel_tests $(BUILD)/gilscope  ## the tests of exact counts inside eight other kernels, in QEMU
	scripts/test-kernels

test-arm64:  ## the same tests on an emulated arm64, cross-built
	scripts/test-arm64

test-guests: $(BUILD)/gilscope  ## guests that die, and a guest of 64 CPUs (as root)
	tests/guests/test-guests
	tests/guests/test-scale

ROUNDS ?= 1000
test-ends: $(BUILD)/kernel_tests $(BUILD)/gilscope  ## ROUNDS=1000 experiments that end at random, SEED=N for the same again (as root)
	GILSCOPE_MUST_TRACE=1 GILSCOPE=$(BUILD)/gilscope GILSCOPE_ENDS_ROUNDS=$(ROUNDS) $(if $(SEED),GILSCOPE_ENDS_SEED=$(SEED)) \
	    $(BUILD)/kernel_tests --gtest_filter='RandomEnds.*'

# Two at once; each has the whole time. What they find stands in build/asan/findings.
test-fuzz:  ## FUZZ_SECONDS=60 of feeding the readers of reports and segments what nobody should
	$(MAKE) BUILD=$(BUILD)/asan SANITIZE=address,undefined fuzz

fuzz: $(FUZZ_TARGETS)
	@mkdir -p $(BUILD)/findings
	@printf '%s\n' $(FUZZ_TARGETS) | xargs -P 2 -I{} scripts/run-fuzzer {} $(FUZZ_SECONDS)

bench: $(BUILD)/bench_tracers $(BUILD)/bench_functions  ## what tracing costs a run, beside its peers; what a lock and the board cost (as root)
	$(BUILD)/bench_functions
	$(BUILD)/bench_tracers --rounds 12 --json $(BUILD)/bench.json
	$(MAKE) bench-interpreters

bench-interpreters: $(BUILD)/bench_interpreters  ## what tracing costs a real interpreter, beside what is used in its place (as root)
	$< --json $(BUILD)/bench-interpreters.json

bench-top: $(BUILD)/gilscope  ## what `gilscope top` takes from the process that it looks at, and for itself (as root)
	tests/bench/top

FORMS ?= $(BUILD)/bpf/gilscope.bpf.o $(BUILD)/bpf/gilscope.bpf.o
bench-variants: $(BUILD)/bench_variants $(BUILD)/bpf/gilscope.bpf.o  ## FORMS='A.bpf.o B.bpf.o': what each form of the BPF programs costs (as root)
	$< --rounds 20 $(FORMS)

SOAK_SECONDS ?= 120
soak: $(BUILD)/kernel_tests  ## ten minutes at full rate, against all that a machine can do (as root)
	GILSCOPE_MUST_TRACE=1 GILSCOPE_SOAK_SECONDS=$(SOAK_SECONDS) $(BUILD)/kernel_tests --gtest_filter='Soak.*'

bench-perf: $(BUILD)/bench_perf_cost  ## what counting by perf costs a run (as root)
	$<

bench-views: $(BUILD)/bench_views $(BUILD)/gilscope  ## time and memory of show, export and html
	$(BUILD)/bench_views $(BUILD)/gilscope

bench-compare: $(BUILD)/bench_compare $(BUILD)/gilscope  ## time and memory of comparing up to 1000 reports
	$(BUILD)/bench_compare $(BUILD)/gilscope

calibration: $(BUILD)/unit_tests  ## how often compare finds what is not there, and misses what is: the long table, ten minutes
	GILSCOPE_CALIBRATION=1 $(BUILD)/unit_tests --gtest_filter='*Calibration*'

bench-against-itself: $(BUILD)/gilscope  ## the demo ten times, compared in pairs: no difference may be found (as root)
	tests/bench/against-itself $(BUILD)/gilscope

test-sanitizers: $(UNIT_OBJECTS)  ## the unit tests under the sanitizers, those with threads under thread's
	$(MAKE) BUILD=$(BUILD)/asan SANITIZE=address,undefined TESTS_BUILD=$(BUILD) test-unit
	setarch $(ARCH) -R $(MAKE) BUILD=$(BUILD)/tsan SANITIZE=thread test-threaded

coverage:  ## which lines of each room the tests execute (as root, with the kernel tests)
	scripts/coverage $(call quoted,$(BUILD))

includes: $(SKELETON) $(EMBEDDED_LITERALS)  ## each source file includes what it uses: compiled without precompiled headers
	@printf '%s\n' main.cpp $(SOURCES) | xargs -P "$$(nproc)" -n 1 $(filter-out -MMD -MP,$(COMPILE)) -fsyntax-only

lint:  ## format and include rules (scripts/lint --tidy adds clang-tidy)
	scripts/lint

hooks:  ## have git check the messages of your commits
	@hook=$$(git rev-parse --git-path hooks)/commit-msg; mkdir -p "$${hook%/*}"; \
	[ "$$hook" -ef scripts/hooks/commit-msg ] || ln -s $(call quoted,$(CURDIR)/scripts/hooks/commit-msg) "$$hook"

graph:  ## what includes what, by room; with Graphviz also as build/graph.svg
	scripts/graph
	@if command -v dot >/dev/null; then mkdir -p $(BUILD) && scripts/graph --dot | dot -Tsvg -o $(BUILD)/graph.svg && echo "drawn as $(BUILD)/graph.svg"; fi

format:  ## rewrite the C++ files in the house style
	git ls-files '*.cpp' '*.h' '*.c' | xargs clang-format -i

install: build  ## install under $(PREFIX)
	$(INSTALL) $(if $(findstring --strip-program,$(INSTALL)),,--strip-program=$(STRIP)) -D -m 755 -s $(BUILD)/gilscope "$(DESTDIR)$(PREFIX)/bin/gilscope"
	$(filter-out --strip-program%,$(INSTALL)) -D -m 644 docs/gilscope.1 "$(DESTDIR)$(PREFIX)/share/man/man1/gilscope.1"
	$(filter-out --strip-program%,$(INSTALL)) -D -m 644 scripts/completion \
	    "$(DESTDIR)$(PREFIX)/share/bash-completion/completions/gilscope"
	$(INSTALL) -D -m 644 scripts/completion.zsh \
	    "$(DESTDIR)$(PREFIX)/share/zsh/site-functions/_gilscope"
	$(INSTALL) -D -m 644 scripts/completion.fish \
	    "$(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/gilscope.fish"

completions: build  ## write the shells' completions in scripts/ from the program's names
	$(BUILD)/gilscope completion bash > scripts/completion
	$(BUILD)/gilscope completion zsh > scripts/completion.zsh
	$(BUILD)/gilscope completion fish > scripts/completion.fish

generated: completions $(BUILD)/print_lists  ## write what is made from the registry of numbers, the descriptors and the command line
	scripts/generate-numbers
	scripts/generate-lists

clean:  ## remove what was built, and nothing that was measured
	@scripts/clean-build-directory $(call quoted,$(BUILD))

help:  ## this list
	@awk -F':.*## ' '/^[a-z-]+:.*## / {printf "  make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# --- the kernel side -----------------------------------------------------------------------------

# clang -target bpf does not look into the host's multiarch directory, where <asm/types.h> is.
COMPILE_BPF = $(CLANG) -target bpf -D__TARGET_ARCH_$(BPF_ARCH) -O2 -g -mcpu=v3 $(BPF_WARNINGS) $(BPF_CFLAGS) \
              -I. -idirafter /usr/include/$(MULTIARCH) $(SAME_ANYWHERE)
BPF_WARNINGS := -Wall -Wextra $(filter -Werror,$(WARNINGS))

$(BUILD)/bpf/gilscope.bpf.o: bpf/gilscope.bpf.c $(wildcard bpf/*.h bpf/*.def) $(BUILD)/made-with
	$(say) BPF $<
	@mkdir -p $(@D)
	$(Q)$(COMPILE_BPF) -c $< -o $(@:.o=.raw.o)
	$(Q)$(BPFTOOL) gen object $@ $(@:.o=.raw.o)

$(SKELETON): $(BUILD)/bpf/gilscope.bpf.o
	$(say) SKELETON $@
	@mkdir -p $(@D)
	$(Q)$(BPFTOOL) gen skeleton $< name gilscope_bpf > $@

$(BUILD)/tests/interpreters/witness.bpf.o: tests/interpreters/witness.bpf.c tests/interpreters/witness.bpf.h $(BUILD)/made-with
	$(say) BPF $<
	@mkdir -p $(@D)
	$(Q)$(COMPILE_BPF) -c $< -o $(@:.o=.raw.o)
	$(Q)$(BPFTOOL) gen object $@ $(@:.o=.raw.o)

WITNESS_SKELETON := $(BUILD)/generated/witness.skel.h
$(WITNESS_SKELETON): $(BUILD)/tests/interpreters/witness.bpf.o
	$(say) SKELETON $@
	@mkdir -p $(@D)
	$(Q)$(BPFTOOL) gen skeleton $< name witness_bpf > $@

# --- the user side -------------------------------------------------------------------------------

# What is made with other settings is made anew: objects of two compilers do not go together.
SETTINGS := $(strip $(filter-out -Werror,$(COMPILE) | $(COMPILE_BPF)) | $(BPFTOOL))
ifneq ($(file <$(BUILD)/made-with),$(SETTINGS))
$(BUILD)/made-with: FORCE
endif
$(BUILD)/made-with:
	@mkdir -p $(@D) && printf '%s\n' $(call quoted,$(SETTINGS)) >$@
LINK_SETTINGS := $(strip $(LINK) | $(LDLIBS) | $(STATIC))
ifneq ($(file <$(BUILD)/linked-with),$(LINK_SETTINGS))
$(BUILD)/linked-with: FORCE
endif
$(BUILD)/linked-with:
	@mkdir -p $(@D) && printf '%s\n' $(call quoted,$(LINK_SETTINGS)) >$@
.PHONY: FORCE

$(BUILD)/generated/%.inc: %
	$(say) EMBED $<
	@mkdir -p $(@D)
	$(Q){ printf 'R"embedded('; cat $<; printf ')embedded"\n'; } > $@

# Its directory, for an experiment that is there no more.
$(BUILTINS): userspace/experiment/plan/builtin/. $(sort $(wildcard userspace/experiment/plan/builtin/*.toml))
	$(say) EMBED $<
	@mkdir -p $(@D)
	$(Q)for file in $(filter %.toml,$^); do \
	    printf '{"%s", R"embedded(' "$$(basename "$$file" .toml)" && cat "$$file" && printf ')embedded"},\n' || exit; \
	done > $@

$(BUILD)/%.o: %.cpp VERSION $(BUILD)/made-with | $(SKELETON) $(EMBEDDED_LITERALS)
	$(say) CXX $<
	@mkdir -p $(@D)
	$(Q)$(COMPILE) $(PRECOMPILED) -c $< -o $@

# The headers of the system and the libraries, compiled once for all files: a third of what each would take.
# None of ours is among them, so that a change to one recompiles those that include it. `make includes`
# and PCH=no compile without.
$(PROGRAM_PCH) $(MEASURED_PCH) $(TESTS_PCH): $(BUILD)/made-with
	$(say) PCH $@
	@mkdir -p $(@D)
	$(Q)printf '#include "%s"\n' $(HEADERS) >$(basename $@)
	$(Q)$(filter-out -MMD,$(COMPILE)) -MD -MF $@.d -MT $@ $(if $(filter %.pch,$@),-fpch-instantiate-templates) \
	    -x c++-header $(basename $@) -o $@
$(PROGRAM_PCH) $(MEASURED_PCH): HEADERS := userspace/base/precompiled.h
$(TESTS_PCH): HEADERS := tests/precompiled.h

# What includes the skeleton (userspace/tracer/programs.h).
SKELETON_USERS := $(addprefix $(BUILD)/userspace/tracer/,programs.o subject_tracer.o tracer.o)
# Files with flags of their own do without.
OWN_FLAGS := $(addprefix $(BUILD)/userspace/,eval/interpreter.o base/fmt_library.o) $(SKELETON_USERS)
USE_MEASURED_PCH := $(filter-out $(OWN_FLAGS),$(MEASURED_OBJECTS))
USE_PROGRAM_PCH := $(filter-out $(MEASURED_OBJECTS),$(OBJECTS)) $(MAIN_OBJECT)
# What no run waits for compiles a fifth sooner by -O1.
ifeq ($(SANITIZE),)
$(USE_PROGRAM_PCH) $(PROGRAM_PCH): private OPTIMIZE := -O1 -g1
endif
# The tests' own code need not be fast, and so compiles sooner, soonest by clang. Who asked for a
# compiler or for flags gets them here, too.
ifeq ($(SANITIZE),)
TEST_OBJECTS := $(UNIT_OBJECTS) $(KERNEL_OBJECTS) $(INTERPRETER_OBJECTS)
$(TEST_OBJECTS) $(TESTS_PCH): private OPTIMIZE := $(if $(USERS_FLAGS),-O1,-O0) -g0
$(TEST_OBJECTS) $(TESTS_PCH): private COMPILER := $(TEST_COMPILER)
# g++ and clang lay JSON out differently (nlohmann asks for [[no_unique_address]] in a way that clang
# denies): the tests' JSON has a namespace of its own, and is exchanged with the program as text.
$(TEST_OBJECTS) $(TESTS_PCH): private PREPROCESS += -DNLOHMANN_JSON_NAMESPACE_NO_VERSION=1
ifeq ($(PCH),yes)
$(TEST_OBJECTS): private PRECOMPILED := -include $(basename $(TESTS_PCH))
$(TEST_OBJECTS): | $(TESTS_PCH)
endif
else
USE_PROGRAM_PCH += $(UNIT_OBJECTS)
endif
ifeq ($(PCH),yes)
$(USE_PROGRAM_PCH): private PRECOMPILED := -include $(basename $(PROGRAM_PCH))
$(USE_PROGRAM_PCH): | $(PROGRAM_PCH)
$(USE_MEASURED_PCH): private PRECOMPILED := -include $(basename $(MEASURED_PCH))
$(USE_MEASURED_PCH): | $(MEASURED_PCH)
endif
# Permuting blocks is most of what the unit tests compute: unoptimized, it takes longer than all else
# together. A precompiled header has the level at which it was made.
ifneq ($(SANITIZE),)
PERMUTING := $(addprefix $(BUILD)/tools/analysis/,choices.o deal.o estimate.o joint_test.o signs.o)
$(PERMUTING): private OPTIMIZE := -O2 -g1
$(PERMUTING): private PRECOMPILED :=
endif

# fmt is compiled once, and must then hold every function that another file calls. clang has no flag
# that keeps those that were inlined: what it makes is slow, which a sanitizer does not mind, or else
# each file has its own.
ifeq ($(COMPILER_IS_CLANG),)
# Kept whole, it holds a fence of the C++ library, which is not fmt's and which g++ warns that it cannot watch.
$(BUILD)/userspace/base/fmt_library.o: OWN_CXXFLAGS += -fkeep-inline-functions $(if $(filter thread,$(SANITIZE)),-Wno-tsan)
else ifneq ($(SANITIZE),)
$(BUILD)/userspace/base/fmt_library.o: OWN_CXXFLAGS += -fno-inline -Xclang -mno-constructor-aliases
else
OWN_CPPFLAGS += -DFMT_HEADER_ONLY
endif

ifneq ($(COMPILER_IS_CLANG),)
# bpftool writes the skeleton in C, whose word for bool clang does not take in C++.
$(SKELETON_USERS): OWN_CPPFLAGS += -D_Bool=bool
endif

# Each opcode must keep a jump of its own, which is what computed goto is for: these two passes merge
# them again (GCC's manual says so of -fgcse).
ifeq ($(SANITIZE)$(COMPILER_IS_CLANG),)
$(BUILD)/userspace/eval/interpreter.o: OWN_CXXFLAGS += -fno-gcse -fno-crossjumping
endif

# The flags and libraries by which a program is static, found out by linking one.
$(BUILD)/static: scripts/find-static $(ELF_READER) $(BUILD)/linked-with
	$(Q)scripts/find-static $(STATIC) $(ELF_READER) $(LINK) >$@

$(BUILD)/gilscope: $(MAIN_OBJECT) $(OBJECTS) $(BUILD)/static
	$(say) LINK $@
	$(Q)$(LINK) -Wl,--strip-debug $(filter %.o,$^) $$(cat $(BUILD)/static) $(LDLIBS) -o $@

$(BUILD)/unit_tests: $(OWN_TESTS) $(UNDER_UNIT_TEST) \
    $(patsubst $(BUILD)/%,$(TESTS_BUILD)/%,$(filter-out $(OWN_TESTS),$(UNIT_OBJECTS)))
	$(say) LINK $@
	$(Q)$(LINK) $^ -lgmock -lgtest -lgtest_main $(LIBS) $(LDLIBS) -o $@

$(BUILD)/threaded_tests: $(THREADED_OBJECTS)
	$(say) LINK $@
	$(Q)$(LINK) $^ -lgmock -lgtest -lgtest_main $(LIBS) $(LDLIBS) -o $@

# What scripts/generate-lists puts into documents.
$(BUILD)/print_lists: $(BUILD)/tests/lists/print_lists.o \
    $(filter $(addprefix $(BUILD)/userspace/,descriptor/% base/%),$(OBJECTS))
	$(say) LINK $@
	$(Q)$(LINK) $^ $(LIBS) $(LDLIBS) -o $@

$(BUILD)/bench_perf_cost: $(BUILD)/tests/bench/perf_cost.o $(BUILD)/tests/kernel/main.o $(OBJECTS)
	$(say) LINK $@
	$(Q)$(LINK) $^ -lgmock -lgtest $(LIBS) $(LDLIBS) -o $@

$(BUILD)/bench_tracers $(BUILD)/bench_interpreters: $(BUILD)/bench_%: $(BUILD)/tests/bench/%.o $(BUILD)/tests/bench/peers.o \
    $(BUILD)/tests/interpreters/subjects.o $(BUILD)/tests/interpreters/symbols.o $(BUILD)/tests/kernel/witness.o $(BUILD)/tests/kernel/program.o $(OBJECTS)
	$(say) LINK $@
	$(Q)$(LINK) $^ -lgmock -lgtest $(LIBS) $(LDLIBS) -o $@

$(BUILD)/bench_variants: $(BUILD)/tests/bench/variants.o $(OBJECTS)
	$(say) LINK $@
	$(Q)$(LINK) $^ $(LIBS) $(LDLIBS) -o $@

$(BUILD)/bench_functions: $(BUILD)/tests/bench/functions.o $(OBJECTS)
	$(say) LINK $@
	$(Q)$(LINK) $^ -lbenchmark $(LIBS) $(LDLIBS) -o $@

$(BUILD)/bench_%: $(BUILD)/tests/bench/%.o $(filter $(BUILD)/userspace/report/% $(BUILD)/userspace/base/%,$(OBJECTS))
	$(say) LINK $@
	$(Q)$(LINK) $^ $(LIBS) $(LDLIBS) -o $@

# Built with SANITIZE=address,undefined: each feeds one of the readers that trust nobody.
$(BUILD)/fuzz_%: $(BUILD)/tests/fuzz/%.o $(FUZZED)
	$(say) LINK $@
	$(Q)$(LINK) -fsanitize=fuzzer $^ $(LIBS) $(LDLIBS) -o $@

# Static, too, for a guest of another machine, where ldd cannot say which libraries it needs.
STATIC_TESTS ?=
$(BUILD)/kernel_tests: $(patsubst $(BUILD)/%,$(TESTS_BUILD)/%,$(KERNEL_OBJECTS)) $(OBJECTS) $(if $(STATIC_TESTS),$(BUILD)/static)
	$(say) LINK $@
	$(Q)$(LINK) $(filter %.o,$^) -lgmock -lgtest $(if $(STATIC_TESTS),$$(cat $(BUILD)/static),$(LIBS)) $(LDLIBS) -o $@

# Threads that contend for a lock, for the tests of --lock. As plain as a user's program: no flags of ours.
$(BUILD)/contend: $(wildcard tests/interpreters/programs/contend*.cpp) $(BUILD)/made-with
	$(say) CXX $@
	$(Q)$(CXX) -std=c++20 -O2 -g -Wall -Wextra $(filter -Werror,$(WARNINGS)) $(filter %.cpp,$^) -pthread -o $@

$(BUILD)/interpreter_tests: $(INTERPRETER_OBJECTS) $(BUILD)/tests/kernel/main.o $(BUILD)/tests/kernel/program.o \
    $(BUILD)/tests/kernel/witness.o $(OBJECTS) | $(BUILD)/contend
	$(say) LINK $@
	$(Q)$(LINK) $^ -lgmock -lgtest $(LIBS) $(LDLIBS) -o $@

# What the compiler learned about headers; the embedded files and the skeleton by hand, since they
# are included before they exist.
$(SKELETON_USERS): $(SKELETON)
$(BUILD)/tests/interpreters/witness.o: $(WITNESS_SKELETON)
-include $(PROGRAM_PCH:=.d) $(MEASURED_PCH:=.d) $(TESTS_PCH:=.d)
-include $(OBJECTS:.o=.d) $(MAIN_OBJECT:.o=.d) $(UNIT_OBJECTS:.o=.d) $(KERNEL_OBJECTS:.o=.d) \
         $(INTERPRETER_OBJECTS:.o=.d) \
         $(BUILD)/tests/lists/print_lists.d $(BENCH_OBJECTS:.o=.d) $(FUZZ_TARGETS:$(BUILD)/fuzz_%=$(BUILD)/tests/fuzz/%.d)
