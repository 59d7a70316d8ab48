# Partyline. `make help` lists the targets.

ifeq ($(origin CC),default)
CC      := gcc
endif
OPT     ?= -O2 -g
B       ?= build
SAN     ?=
WERROR  ?=
COLD_OPT ?=
TEST_OPT ?=
LDFLAGS ?=
PREFIX  ?= /usr/local
VERSION := 0.1.0
REVISION := $(shell git describe --always --dirty --abbrev=12 2>/dev/null || echo unknown)

# -ffp-contract=off: no fused multiply-add, so that a double is the same on every CPU.
WARN   := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes \
          -Wmissing-prototypes -Wvla
FLAGS  := -std=c17 -D_DEFAULT_SOURCE $(OPT) -ffp-contract=off $(WARN) $(WERROR) $(SAN) -I. -I$(B)
LIBS   := -lsodium -lyaml -ljansson -lxxhash -lz -lsqlite3 -lre -luv -lpcap -lmicrohttpd -lcurl

SOURCES := $(wildcard engine/base/*.c engine/*.c engine/crypto/*.c engine/channel/*.c \
             transports/*.c engine/protocols/*.c engine/protocols/*/*.c engine/observers/*.c \
             engine/worlds/*/*.c engine/worlds/uv/gateways/*.c engine/run/*.c engine/cmd/*.c analysis/*.c)
OBJECTS := $(SOURCES:%.c=$(B)/%.o)
LIBRARY := $(B)/libpartyline.a
UNITS   := $(patsubst tests/unit/%.c,$(B)/tests/%,$(wildcard tests/unit/test_*.c))
SUITES  := $(patsubst tests/conformance/%.c,$(B)/tests/%,$(wildcard tests/conformance/*.c))
BENCHES := $(patsubst tests/bench/%.c,$(B)/tests/%,$(wildcard tests/bench/bench_*.c))
FUZZERS := $(patsubst tests/fuzz/%.c,$(B)/fuzz/%,$(wildcard tests/fuzz/fuzz_*.c))
INTEROPS := $(patsubst tests/interop/%.c,$(B)/tests/%,$(wildcard tests/interop/*.c))
TESTS   := $(INTEROPS) $(UNITS) $(SUITES) $(BENCHES) $(FUZZERS)

.DELETE_ON_ERROR:
.PHONY: all program help deps deps-check demo check golden bench bench-gate determinism fuzz lab-check crowd regress format format-check \
        install clean units suites interops benches fuzzers ns3 ns3-suites fidelity

all: program ## build ./partyline

program: $(B)/partyline
ifeq ($(B),build)
	@ln -sf $(B)/partyline partyline
endif

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(firstword $(MAKEFILE_LIST)) | \
	  sed -E 's/^([a-z-]+):.*## (.*)/\1\t\2/' | awk -F'\t' '{printf "  make %-14s %s\n", $$1, $$2}'

deps: ## install what building needs (Debian; root or sudo)
	@tools/deps.sh build
deps-check: ## install what the tests need as well
	@tools/deps.sh check

demo: deps ## build, run the flagship scenario, print the table
	@$(MAKE) --no-print-directory -j$$(nproc) program
	@tools/demo.sh

check: deps-check ## build with gcc and clang, run every test
	@B=$(B) tests/run

golden: deps-check ## record tests/golden/ anew; look at the difference before you commit it
	@B=$(B) REGOLD=1 tests/cli/run trace invalid

bench: deps ## speed and memory, as ratios
	@$(MAKE) --no-print-directory -j$$(nproc) program benches
	@B=$(B) tests/bench/run
bench-gate: deps ## instructions of three fixed runs, against those recorded
	@tools/deps.sh bench
	@$(MAKE) --no-print-directory -j$$(nproc) program
	@B=$(B) tests/bench/gate

determinism: deps-check ## the same bytes from more compilers, flags, locales and workers than check tries
	@B=$(B) tests/run determinism_all

lab-check: deps-check ## a lab of namespaces, and every transport in it through Ansible (root)
	@$(MAKE) --no-print-directory -j$$(nproc) B=$(B)/gcc program
	@ln -sfn $(CURDIR)/scenarios $(B)/gcc/scenarios
	@B=$(B) tests/checks/lab_check
crowd: deps-check ## 10,000 connections at one relay on loopback
	@$(MAKE) --no-print-directory -j$$(nproc) $(B)/tests/crowded
	@$(B)/tests/crowded "" 10000

fuzz: deps-check ## every fuzz target, FUZZ_SECONDS (default 600) each
	@B=$(B) tests/fuzz/run $${FUZZ_SECONDS:-600}

regress: deps ## run every scenario that has a baseline, and compare
	@$(MAKE) --no-print-directory -j$$(nproc) program
	@PARTYLINE=$(B)/partyline tools/regress.sh

fidelity: deps-check ## the simulator beside ns-3: TCP cell by cell, speeds; and what observers see, in the lab too (root)
	@tools/deps.sh ns3
	@$(MAKE) --no-print-directory -j$$(nproc) program ns3
	@B=$(B) tests/fidelity/run
	@B=$(B) tests/fidelity/privacy

format: ## clang-format on every source
	@tests/checks/format --fix
format-check:
	@tests/checks/format

ns3: $(B)/partyline-ns3 ## build partyline-ns3, which has the world ns3 (needs ns-3)

install: program ## put the program and its scenarios under PREFIX
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/share/partyline \
	           $(DESTDIR)$(PREFIX)/share/man/man1 \
	           $(DESTDIR)$(PREFIX)/share/bash-completion/completions \
	           $(DESTDIR)$(PREFIX)/share/zsh/site-functions \
	           $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d
	install -m 755 $(B)/partyline $(DESTDIR)$(PREFIX)/bin/partyline
	[ ! -e $(B)/partyline-ns3 ] || install -D -m 755 $(B)/partyline-ns3 \
	           $(DESTDIR)$(PREFIX)/libexec/partyline/partyline-ns3
	cp -R scenarios ansible $(DESTDIR)$(PREFIX)/share/partyline/
	$(B)/partyline help --man > $(DESTDIR)$(PREFIX)/share/man/man1/partyline.1
	$(B)/partyline help --completions bash > $(DESTDIR)$(PREFIX)/share/bash-completion/completions/partyline
	$(B)/partyline help --completions zsh > $(DESTDIR)$(PREFIX)/share/zsh/site-functions/_partyline
	$(B)/partyline help --completions fish > $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/partyline.fish

clean: ## remove what was built
	rm -rf build partyline

# ---- how things are built ------------------------------------------------------------------

units: $(UNITS)
suites: $(SUITES)
interops: $(INTEROPS)
benches: $(BENCHES)
fuzzers: $(FUZZERS)

# A line a file; the whole command with V=1, nothing with -s.
Q    := $(if $(V),,@)
SAY   = @$(if $(or $(V),$(findstring s,$(firstword -$(MAKEFLAGS)))),:,echo)

$(B)/partyline: $(LIBRARY)
	$(SAY) "  LINK $@"
	$(Q)$(CC) $(FLAGS) $(LDFLAGS) -o $@ $(B)/engine/main.o $(LIBRARY) $(LIBS)

# main.o stays out of the library: tests have their own main.
$(LIBRARY): $(OBJECTS)
	$(SAY) "  AR   $@"
	@rm -f $@
	$(Q)ar qcs $@ $(filter-out $(B)/engine/main.o,$^)

# ns-3 is GPL-2.0-only: an executable of its own, started by partyline --world ns3. The same with
# the conformance suites. -u: what only net.o makes possible is in the library.
NS3_NEED  = pkg-config --exists ns3-internet || { \
            echo "ns-3 is missing: apt-get install libns3-dev libgsl-dev"; exit 11; }
NS3_NET   := $(B)/engine/worlds/ns3/net.o $(B)/engine/worlds/ns3/net_socket.o
NS3_PARTS = $(NS3_NET) -Wl,-u,ns3_run,-u,ns3_check $(LIBRARY) $(LIBS) \
            -lns3-internet -lns3-point-to-point -lns3-network -lns3-core -lstdc++
NS3_SUITES := $(SUITES:%=%-ns3)
NS3_UNITS  := $(patsubst tests/ns3/%.c,$(B)/tests/%,$(wildcard tests/ns3/*.c))

$(NS3_NET): $(B)/%.o: %.cc engine/worlds/ns3/net.h engine/worlds/ns3/net.hh $(B)/flags
	@$(NS3_NEED)
	@mkdir -p $(@D)
	$(SAY) "  CXX  $<"
	$(Q)$(CXX) -std=c++17 $(OPT) -ffp-contract=off -Wall -Wextra $(SAN) $(if $(SAN),-fno-sanitize=undefined) -I. \
	  -c -o $@ $<
$(B)/partyline-ns3: $(NS3_NET) $(LIBRARY)
	$(SAY) "  LINK $@"
	$(Q)$(CC) $(FLAGS) $(LDFLAGS) -o $@ $(B)/engine/main.o $(NS3_PARTS)
$(NS3_SUITES): $(B)/tests/%-ns3: tests/conformance/%.c $(NS3_NET) $(LIBRARY)
	@mkdir -p $(@D)
	$(SAY) "  LINK $@"
	$(Q)$(CC) $(FLAGS) $(LDFLAGS) -o $@ $< $(NS3_PARTS)
$(NS3_UNITS): $(B)/tests/%: tests/ns3/%.c $(NS3_NET) $(LIBRARY)
	@mkdir -p $(@D)
	$(SAY) "  LINK $@"
	$(Q)$(CC) $(FLAGS) $(LDFLAGS) -o $@ $< $(NS3_PARTS) -lcmocka
ns3-suites: $(NS3_SUITES) $(NS3_UNITS)

$(B)/%.o: %.c $(B)/flags | $(B)/version.h
	@mkdir -p $(@D)
	$(SAY) "  CC   $<"
	$(Q)$(CC) $(FLAGS) $(COLD) -MMD -MP -c -o $@ $<

$(UNITS): $(B)/tests/%: tests/unit/%.c
$(INTEROPS): $(B)/tests/%: tests/interop/%.c
$(SUITES): $(B)/tests/%: tests/conformance/%.c
$(BENCHES): $(B)/tests/%: tests/bench/%.c
$(FUZZERS): $(B)/fuzz/%: tests/fuzz/%.c
# Of the tests' builds: what runs once and for a moment is not worth optimising.
$(B)/engine/run/%.o $(B)/engine/cmd/%.o $(B)/analysis/%.o: COLD := $(COLD_OPT)
$(UNITS): EXTRA := -lcmocka
$(UNITS): LEVEL := $(TEST_OPT)
$(BENCHES): EXTRA := -lm
$(FUZZERS): EXTRA := -fsanitize=fuzzer
$(TESTS): $(LIBRARY)
	@mkdir -p $(@D)
	$(SAY) "  LINK $@"
	$(Q)$(CC) $(FLAGS) $(LEVEL) $(LDFLAGS) -MMD -MP -MF $@.d -MT $@ -o $@ $(firstword $(filter %.c,$^)) $(LIBRARY) $(LIBS) $(EXTRA)

# What is baked in, written only when it changes: everything depends on the flags, and
# whoever includes version.h on the version.
$(B)/flags: FORCE
	@mkdir -p $(@D)
	@printf '%s\n' '$(CC) $(FLAGS) $(COLD_OPT)' > $@.new
	@if cmp -s $@.new $@; then rm $@.new; else mv $@.new $@; fi
$(B)/version.h: FORCE
	@mkdir -p $(@D)
	@printf '#define PARTYLINE_VERSION "%s"\n#define PARTYLINE_REVISION "%s"\n' \
	  '$(VERSION)' '$(REVISION)' > $@.new
	@if cmp -s $@.new $@; then rm $@.new; else mv $@.new $@; fi
FORCE:

-include $(OBJECTS:.o=.d) $(TESTS:=.d)
