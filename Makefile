# SPDX-License-Identifier: MIT
# The one Makefile. `make help` lists the targets; V=1 shows the commands; VARIANT=sanitize builds
# for ASan and UBSan beside the release build, VARIANT=fuzz for libFuzzer as well. All that is made
# stands under build/$(VARIANT), and nothing here names a source file: what stands in its folder is
# built.

MAKEFLAGS += --no-builtin-rules --no-print-directory
.SUFFIXES:
.SECONDEXPANSION:
.SECONDARY:
.DELETE_ON_ERROR:
.DEFAULT_GOAL := all
Q := $(if $(V),,@)
say = $(if $(V),,@printf '  %-5s %s\n' $(1) $(2))

VARIANT ?= release
OUT := build/$(VARIANT)
OBJ := $(OUT)/obj
BIN := $(if $(filter release,$(VARIANT)),build,$(OUT))/reconcile
# Programs that it runs, beside it or in ../libexec/reconcile.
HELPERS := $(BIN)-fsx

PREFIX ?= /usr/local
sysconfdir ?= /etc
# systemd looks below /usr/lib and /usr/local/lib (systemd.unit(5)).
unitdir ?= $(PREFIX)/lib/systemd/system

# ---- Sources ----

include core/rooms.mk

SOURCES := $(sort $(wildcard core/*/*.c core/*/*/*.c))
OBJECTS := $(SOURCES:core/%.c=$(OBJ)/%.o)
ROOMS_HERE := $(filter $(foreach f,$(SOURCES),$(word 2,$(subst /, ,$(f)))),$(ROOMS))
UNIT_SOURCES := $(sort $(wildcard tests/unit/*/*_test.c tests/unit/*/*/*_test.c))
UNIT_TESTS := $(UNIT_SOURCES:%.c=$(OUT)/%)
SUPPORT := $(sort $(wildcard tests/unit/support/*.c tests/fake/*.c))
PROGRAMS := $(patsubst %.c,$(OUT)/%,$(sort $(wildcard tests/programs/*.c)))
FUZZERS := $(patsubst %.c,$(OUT)/%,$(sort $(wildcard tests/fuzz/*.c)))
BENCH := $(patsubst %.c,$(OUT)/%,$(sort $(wildcard tests/bench/*.c)))
BEHAVIOUR := $(sort $(wildcard tests/behaviour/*.bats))
VM_TESTS := $(sort $(wildcard tests/vm/*.bats))

# What is built into the program, by the table it stands in (core/base/embedded.h).
FILES_policies := $(sort $(wildcard policies/*.lua policies/lib/*.lua))
BELOW_policies := policies
FILES_schema := $(sort $(wildcard state/schema/*.sql))
BELOW_schema := state/schema

# ---- Compiler and libraries ----

# libkmod and libmount give their headers only: they are loaded when they are first needed
# (core/host/modules.c, core/host/mounts_library.c).
PKG_CONFIG ?= pkg-config
LUA := $(shell for p in lua5.4 lua-5.4 lua54 lua; do \
	$(PKG_CONFIG) --exists "$$p >= 5.4" 2>/dev/null && echo $$p && break; done)
PACKAGES := $(or $(LUA),lua5.4) yaml-0.1 sqlite3 jansson libmd
PACKAGE_CFLAGS := $(shell $(PKG_CONFIG) --cflags $(PACKAGES) mount libkmod 2>/dev/null || echo missing)
PACKAGE_LIBS := $(shell $(PKG_CONFIG) --libs $(PACKAGES) 2>/dev/null)

# No path of this machine in it: wherever it is built, it is the same program.
CFLAGS_release := -O2 -g -ffile-prefix-map=$(CURDIR)=. \
	-fstack-protector-strong -fstack-clash-protection -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3
LDFLAGS_release := -Wl,-z,relro,-z,now
CFLAGS_sanitize := -O1 -g -fno-omit-frame-pointer \
	-fsanitize=address,undefined -fno-sanitize-recover=all
LDFLAGS_sanitize := -fsanitize=address,undefined
CFLAGS_fuzz := $(CFLAGS_sanitize) -fsanitize=fuzzer-no-link
LDFLAGS_fuzz := $(LDFLAGS_sanitize)
ifeq ($(origin CFLAGS_$(VARIANT)),undefined)
$(error VARIANT=$(VARIANT): it is release, sanitize or fuzz)
endif

WARNINGS := -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
	-Wold-style-definition -Wmissing-declarations -Wredundant-decls -Wformat=2 -Wundef \
	-Wpointer-arith -Wcast-align -Wwrite-strings -Wvla -Wimplicit-fallthrough -Wdate-time
# libFuzzer comes with clang; the warnings are gcc's to give, in the other variants.
ifeq ($(VARIANT),fuzz)
CC := clang
WARNINGS := -w
endif
DEFINES := -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -Icore
COMPILE = $(CC) -std=gnu17 -fPIE $(CFLAGS_$(VARIANT)) $(WARNINGS) $(DEFINES) \
	$(patsubst -I%,-isystem %,$(PACKAGE_CFLAGS)) $(CPPFLAGS) $(CFLAGS)
LINK = $(CC) $(CFLAGS_$(VARIANT)) $(CFLAGS) -pie $(LDFLAGS_$(VARIANT)) -Wl,--as-needed $(LDFLAGS)
LIBRARIES := $(PACKAGE_LIBS) -ldl
HELPER_LIBRARIES := $(shell $(PKG_CONFIG) --libs jansson libmd libcurl 2>/dev/null)

# The tag v1.2.3 and what came after it; before the first tag 0.1.0 and the commit.
TAGGED := $(shell git describe --tags --match 'v[0-9]*' --dirty 2>/dev/null)
COMMIT := $(if $(TAGGED),,$(shell git describe --always --dirty --exclude '*' 2>/dev/null))
VERSION := $(or $(TAGGED:v%=%),0.1.0$(addprefix +g,$(COMMIT)))

# What single files need beside that, by file stem.
CFLAGS_cmd_version = -DRECONCILE_VERSION='"$(VERSION)"'
CFLAGS_hangfs = $(shell $(PKG_CONFIG) --cflags fuse3)
CFLAGS_powercut = $(CFLAGS_hangfs)
LIBRARIES_floor = $(PACKAGE_LIBS) $(shell $(PKG_CONFIG) --libs mount libkmod)
LIBRARIES_hangfs = $(shell $(PKG_CONFIG) --libs fuse3)
LIBRARIES_powercut = $(LIBRARIES_hangfs)
# To preload: no sanitizer in it, whatever it is preloaded into.
CFLAGS_scarce = -fPIC -fno-sanitize=all
LIBRARIES_scarce = -shared -fno-sanitize=all
CFLAGS_later = -fPIC -fno-sanitize=all
LIBRARIES_later = -shared -fno-sanitize=all

# ---- What people call ----

# As many jobs as there are cores, unless make was told how many.
JOBS = $(if $(filter -j%,$(MAKEFLAGS)),,-j$(shell nproc))
ENVIRONMENT = RECONCILE='$(abspath $(BIN))' TEST_PROGRAMS='$(abspath $(OUT)/tests/programs)' \
	TOP='$(CURDIR)' BUILD='$(abspath $(OUT))'
# Those of a list of tests in whose path one of the words of ONLY stands; all when there is no ONLY.
is_meant = $(strip $(foreach word,$(ONLY:.c=),$(findstring $(word),$(1))))
fuzzed = $(foreach t,$(1),$(if $(ONLY),$(if $(call is_meant,$(notdir $(t))),$(t)),$(t)))
TESTS := $(foreach t,tests/checks/run $(UNIT_TESTS) $(BEHAVIOUR),$(if $(ONLY),$(if \
	$(call is_meant,$(t)),$(t)),$(t)))

.PHONY: all deps test test-vm test-build soak fuzz fuzz-build demo bench bench-build install uninstall \
	deb lint format docs sanitize clean help FORCE

all: $(BIN) $(HELPERS) ## build the program (build/reconcile)
	@:

deps: ## install what building and testing needs (Debian, Ubuntu), or say what is missing
	@.ci/deps build test

# Half as many test files at a time again as there are cores: most of them wait for something.
test: ## build, then the checks, unit and behaviour tests (ONLY="mount plan": what is named so)
	@.ci/deps build test
	@$(MAKE) $(JOBS) test-build
	@$(ENVIRONMENT) TEST_JOBS=$(or $(TEST_JOBS),$(shell expr $$(nproc) \* 3 / 2)) tests/run $(TESTS)

test-build: $(BIN) $(HELPERS) $(PROGRAMS) $(filter $(UNIT_TESTS),$(TESTS))
	@:

test-vm: ## boot real kernels in a VM and try each situation, as root (ONLY="follow pin")
	@.ci/deps build test vm
	@$(MAKE) $(JOBS) all
	@$(ENVIRONMENT) tests/vm/run $(foreach t,$(VM_TESTS),$(if $(ONLY),$(if $(call is_meant,$(t)),$(t)),$(t)))

soak: ## break a node under `reconcile run` in every way, for a minute or as long as SOAK=4h says
	@.ci/deps build test
	@$(MAKE) $(JOBS) all $(OUT)/tests/programs/hangfs
	@$(ENVIRONMENT) tests/soak/run $(if $(SEED),--seed $(SEED))

sanitize: ## the same tests under ASan and UBSan
	@TIMEOUT_UNIT=300 TIMEOUT_BATS=900 $(MAKE) VARIANT=sanitize test

fuzz: ## feed what reads outside text with broken input, each target for FUZZ=60s (ONLY="grub")
	@.ci/deps build fuzz
	@$(MAKE) $(JOBS) VARIANT=fuzz fuzz-build
	@BUILD=build/fuzz tests/fuzz/run $(or $(FUZZ),60s) $(notdir $(call fuzzed,$(FUZZERS)))

fuzz-build: $(call fuzzed,$(FUZZERS)) $(addprefix $(OUT)/seeds/,$(notdir $(call fuzzed,$(FUZZERS))))
	@:

demo: ## a node described, converged, broken and mended, in a private namespace
	@.ci/deps build
	@$(MAKE) $(JOBS) all
	@$(ENVIRONMENT) examples/first-node/demo.sh

bench: ## measure against the floor program and CFEngine, and how cost grows (as root)
	@.ci/deps build bench
	@$(MAKE) $(JOBS) all bench-build
	@$(ENVIRONMENT) tests/bench/run

bench-build: $(BENCH)
	@:

lint: ## the checks with their warnings, clang-format, shellcheck, cppcheck, clang-tidy
	@.ci/deps build lint
	@$(MAKE) $(JOBS) -k lint-all

docs: $(OUT)/tests/programs/state_reference ## write docs/state.md anew from the field tables
	@$< >$(OUT)/gen/state.md
	@cmp -s $(OUT)/gen/state.md docs/state.md || cp $(OUT)/gen/state.md docs/state.md

format: ## put the C sources into the house layout
	clang-format -i $(C_FILES)

clean: ## remove everything that was built
	rm -rf --one-file-system build

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile

# ---- Objects ----

$(OBJ)/%.o: core/%.c $(OUT)/.flags
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(COMPILE) $(CFLAGS_$(notdir $*)) -MMD -MP -c -o $@ $<

$(OUT)/gen/%.o: $(OUT)/gen/%.c $(OUT)/.flags
	$(Q)$(COMPILE) -MMD -MP -c -o $@ $<

$(OUT)/tests/%.o: tests/%.c $(OUT)/.flags
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(COMPILE) -Itests $(CFLAGS_$(notdir $*)) -MMD -MP -c -o $@ $<

$(OBJ)/cli/cmd_version.o: $(OUT)/.version

$(OUT)/gen/embedded_%.c: $$(FILES_$$*) core/base/embed.awk $(OUT)/.%
	$(Q)LC_ALL=C awk -v table=embedded_$* -v below=$(BELOW_$*) -f core/base/embed.awk \
		$(FILES_$*) >$@

# Stamps: written anew only when their text changes, and then what hangs on them is made again.
STAMPS := $(addprefix $(OUT)/,.flags .version .sources .support .policies .schema)
$(OUT)/.flags: private TEXT = $(COMPILE) $(LINK) $(LIBRARIES)
$(OUT)/.version: private TEXT = $(VERSION)
$(OUT)/.sources: private TEXT = $(OBJECTS)
$(OUT)/.support: private TEXT = $(SUPPORT)
$(OUT)/.policies: private TEXT = $(FILES_policies)
$(OUT)/.schema: private TEXT = $(FILES_schema)
$(STAMPS): FORCE
	@$(if $(filter missing,$(PACKAGE_CFLAGS)),.ci/deps --check build)
	@mkdir -p $(OUT)/gen
	@text='$(subst ','\'',$(TEXT))'; \
		printf '%s\n' "$$text" | cmp -s - $@ || printf '%s\n' "$$text" >$@

# ---- Archives and programs ----

# One archive a room. A unit test is linked with the rooms that its own room can reach and no
# others, so that the linker holds the arrows too.
reach = $(filter $(1) $(foreach r,$(ARROWS_$(1)),$(r) $(ARROWS_$(r))),$(ROOMS_HERE))
archives = $(patsubst %,$(OUT)/lib/%.a,$(if $(filter $(1),$(ROOMS)),$(reach),$(ROOMS_HERE)) embedded)
room_objects = $(filter-out %/main.o,$(filter $(OBJ)/$(1)/%,$(OBJECTS)))

$(foreach r,$(ROOMS_HERE),$(eval $(OUT)/lib/$(r).a: $(call room_objects,$(r))))
$(OUT)/lib/embedded.a: $(OUT)/gen/embedded_policies.o $(OUT)/gen/embedded_schema.o
$(OUT)/lib/support.a: $(SUPPORT:%.c=$(OUT)/%.o) $(OUT)/.support
$(OUT)/lib/%.a: $(OUT)/.sources
	@mkdir -p $(@D)
	@rm -f $@
	$(Q)$(AR) qcs $@ $(filter %.o,$^)

$(BIN): $(OBJ)/cli/main.o $(call archives,cli)
	$(call say,LINK,$@)
	$(Q)$(LINK) -o $@ $^ $(LIBRARIES)

$(HELPERS): $(OBJ)/helper/main.o $(OUT)/lib/helper.a $(OUT)/lib/base.a
	$(call say,LINK,$@)
	$(Q)$(LINK) -o $@ $^ $(HELPER_LIBRARIES)

$(UNIT_TESTS): $(OUT)/tests/unit/%: $(OUT)/tests/unit/%.o $(OUT)/lib/support.a \
		$$(call archives,$$(firstword $$(subst /, ,$$*)))
	$(call say,LINK,$@)
	$(Q)$(LINK) -o $@ $^ $(LIBRARIES) $(shell $(PKG_CONFIG) --libs cmocka)

$(OUT)/tests/programs/state_reference: $(call archives,model)
$(PROGRAMS): $(OUT)/tests/programs/%: $(OUT)/tests/programs/%.o
	$(call say,LINK,$@)
	$(Q)$(LINK) -o $@ $^ $(LIBRARIES_$*)

$(BENCH): $(OUT)/tests/bench/%: $(OUT)/tests/bench/%.o
	$(call say,LINK,$@)
	$(Q)$(LINK) -o $@ $^ $(LIBRARIES_$*)

$(FUZZERS): $(OUT)/tests/fuzz/%: $(OUT)/tests/fuzz/%.o $(call archives,engine)
	$(call say,LINK,$@)
	$(Q)$(LINK) -fsanitize=fuzzer -o $@ $^ $(LIBRARIES)

# What each target starts from.
unit_of = $(patsubst %,tests/unit/%_test.c,$(1))
SEEDS_apt_output := $(call unit_of,provider/simulate host/packages_apt)
SEEDS_apt_sources := $(call unit_of,provider/apt_sources provider/apt_sources_line \
	provider/apt_sources_stanza)
SEEDS_bls := $(call unit_of,provider/boot_bls)
SEEDS_desired := tests/golden/desired
SEEDS_dkms_log := $(call unit_of,provider/dkms_log)
SEEDS_dpkg_status := $(call unit_of,host/packages_status host/packages_index)
SEEDS_facts := $(sort $(wildcard examples/*/*.json examples/*/*/*.json)) $(call unit_of,engine/facts)
SEEDS_fstab := $(call unit_of,host/fstab)
SEEDS_fsx_answer := $(call unit_of,provider/data_repository_json)
SEEDS_grub := $(wildcard tests/golden/grub/*.cfg) $(call unit_of,provider/grub)
SEEDS_module_file := $(call unit_of,host/modules_file)
SEEDS_mountinfo := $(call unit_of,host/mount_table)
SEEDS_policy_message := $(call unit_of,policy/reader)
SEEDS_symvers := $(call unit_of,host/modules_symvers host/modules_proof)
SEEDS_transaction := $(call unit_of,engine/transaction_list)

$(OUT)/seeds/%: tests/fuzz/seeds tests/fuzz/literals.awk $$(SEEDS_$$*)
	$(Q)tests/fuzz/seeds $@ $(SEEDS_$*)

# build/tests/... is the same thing in the variant at hand.
build/tests/%: $(OUT)/tests/%
	@mkdir -p $(@D) && ln -f $< $@

-include $(shell find $(OUT) -name '*.d' 2>/dev/null)

# ---- Lint ----

C_FILES := $(sort $(wildcard $(foreach d,core/* core/*/* tests/unit/* tests/unit/*/* tests/fake \
	tests/programs tests/bench tests/fuzz tests/vm/*,$(d)/*.c $(d)/*.h)))
SHELL_FILES = $(shell grep -rlE '^.!.*[/ ](ba|da)?sh$$' .ci tests examples state 2>/dev/null | \
		sort) $(wildcard tests/behaviour/support/*.bash tests/vm/*.bash tests/vm/support/*.bash \
		state/completion/*.bash)
TIDY := $(SOURCES:core/%.c=$(OUT)/lint/%.tidy)

.PHONY: lint-all lint-checks lint-format lint-shell lint-cppcheck
lint-all: lint-checks lint-format lint-shell lint-cppcheck $(TIDY)

lint-checks:
	@tests/checks/run -v

lint-format:
	@clang-format --dry-run -Werror $(C_FILES)

lint-shell:
	@shellcheck -S warning $(sort $(SHELL_FILES))
	@shellcheck -S warning -s bats -e SC2030 -e SC2031 -e SC2034 -e SC2154 -e SC2164 $(BEHAVIOUR) \
		$(VM_TESTS)

lint-cppcheck: $(OUT)/.flags
	@mkdir -p $(OUT)/lint/cppcheck
	@cppcheck -q --enable=warning,performance,portability --inline-suppr --error-exitcode=1 \
		--suppress=varFuncNullUB --std=c11 --cppcheck-build-dir=$(OUT)/lint/cppcheck $(DEFINES) core

$(OUT)/lint/%.tidy: core/%.c $(OBJ)/%.o .clang-tidy
	$(call say,TIDY,$<)
	@mkdir -p $(@D)
	$(Q)clang-tidy --quiet $< -- -std=gnu17 $(DEFINES) $(PACKAGE_CFLAGS) $(CFLAGS_$(notdir $*)) \
		>$@.out 2>&1 || { cat $@.out; exit 1; }
	@touch $@

# ---- Install ----

# SOURCE:FOLDER, a word for each file beside the program.
DATA := $(foreach f,$(wildcard policies/*.lua),$(f):share/reconcile/policies) \
	$(foreach f,$(wildcard policies/lib/*.lua),$(f):share/reconcile/policies/lib) \
	$(foreach f,$(wildcard README.md LICENSE docs/*.md),$(f):share/doc/reconcile) \
	$(foreach f,$(wildcard docs/man/*.[1-8]),$(f):share/man/man$(patsubst .%,%,$(suffix $(f))))
UNITS := $(wildcard state/systemd/*.in)
COMPLETION = $(SHARE)/bash-completion/completions/reconcile
SHARE = $(DESTDIR)$(PREFIX)/share
from = $(firstword $(subst :, ,$(1)))
into = $(DESTDIR)$(PREFIX)/$(lastword $(subst :, ,$(1)))
define newline


endef
fill_in = sed 's|@bindir@|$(PREFIX)/bin|g; s|@docdir@|$(PREFIX)/share/doc/reconcile|g'
install_unit = $(fill_in) $(1) >$(2) && chmod 0644 $(2)

install: $(BIN) $(HELPERS) ## install under PREFIX (/usr/local), with DESTDIR before it
	install -D -m 0755 $(BIN) $(DESTDIR)$(PREFIX)/bin/reconcile
	install -D -m 0755 -t $(DESTDIR)$(PREFIX)/libexec/reconcile $(HELPERS)
	$(foreach d,$(DATA),install -D -m 0644 -t $(call into,$(d)) $(call from,$(d))$(newline)	)
	install -D -m 0644 state/completion/reconcile.bash $(COMPLETION)
	install -d -m 0755 $(DESTDIR)$(sysconfdir)/reconcile $(DESTDIR)$(unitdir)
	$(foreach u,$(UNITS),$(call install_unit,$(u),$(DESTDIR)$(unitdir)/$(notdir $(u:.in=)))$(newline)	)

uninstall: ## remove what install put there, and the folders of ours that are empty then
	rm -f $(DESTDIR)$(PREFIX)/bin/reconcile
	rm -rf $(DESTDIR)$(PREFIX)/libexec/reconcile
	rm -f $(foreach u,$(UNITS),$(DESTDIR)$(unitdir)/$(notdir $(u:.in=)))
	rm -f $(foreach d,$(DATA),$(call into,$(d))/$(notdir $(call from,$(d)))) $(COMPLETION)
	rmdir $(SHARE)/reconcile/policies/lib $(SHARE)/reconcile/policies $(SHARE)/reconcile \
		$(SHARE)/doc/reconcile $(DESTDIR)$(sysconfdir)/reconcile 2>/dev/null || :

# ---- Debian package ----

# A version of Debian without a revision. Before the first tag it sorts before all that will be.
COMMITTED = TZ=UTC0 git log -1 --date=format-local:%Y%m%d%H%M%S
DEB_TAGGED = $(shell echo '$(TAGGED:v%=%)' | sed 's/-rc/~rc/; s/-/+/; s/-/./g')
DEB_COMMIT = 0~git$(shell $(COMMITTED) --format=%cd).$(subst -,+,$(COMMIT))
DEB_VERSION = $(if $(TAGGED),$(DEB_TAGGED),$(if $(COMMIT),$(DEB_COMMIT),$(VERSION)))
# The time of all files in it: the commit's.
SOURCE_DATE_EPOCH ?= $(or $(shell git log -1 --format=%ct 2>/dev/null),$(shell stat -c %Y Makefile))
DEB_FOLDER ?= build
DEB_INSTALL = $(MAKE) -s -o $(BIN) $(HELPERS:%=-o %) install DESTDIR=$(1)/tree \
	PREFIX=/usr sysconfdir=/etc unitdir=/usr/lib/systemd/system >/dev/null

deb: $(BIN) $(HELPERS) ## a Debian package of that, build/reconcile_VERSION_ARCH.deb
	@.ci/deps deb
	@mkdir -p $(OUT) '$(DEB_FOLDER)'
	@work=$$(mktemp -d $(abspath $(OUT))/deb.XXXXXX) && trap 'rm -rf "$$work"' EXIT && \
		$(call DEB_INSTALL,"$$work") && \
		state/debian/build "$$work" '$(DEB_VERSION)' $(SOURCE_DATE_EPOCH) '$(DEB_FOLDER)'
