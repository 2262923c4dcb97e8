# SPDX-License-Identifier: BSD-3-Clause
# ClickOS: GNU make, no configure step. `make help` lists the targets.

MAKEFLAGS += --no-builtin-rules
.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.SECONDARY:

CC       ?= gcc
ifeq ($(origin CC),default)
CC       := gcc
endif
VARIANT  ?= release
B        := build/$(VARIANT)

WARN     := -Wall -Wextra -Wshadow -Wmissing-prototypes -Wstrict-prototypes -Wcast-qual \
            -Wsign-compare -Wimplicit-fallthrough -Wvla -Wno-unused-parameter \
            -Wno-format-truncation
CFLAGS   ?= -O2 -g
BASE     := -std=c11 -D_GNU_SOURCE -I. -fvisibility=hidden -fno-strict-aliasing -pthread -MMD -MP
ifneq ($(CI)$(WERROR),)
WARN     += -Werror
endif
ifeq ($(VARIANT),asan)
CFLAGS   := -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined \
            -fno-sanitize-recover=undefined
LDSAN    := -fsanitize=address,undefined
endif
ifeq ($(VARIANT),tsan)
CFLAGS   := -O1 -g -fsanitize=thread
LDSAN    := -fsanitize=thread
endif
ARCH     ?= -march=x86-64-v2 -mtune=generic

# --- what there is -------------------------------------------------------------------
# A folder's sources are its .c files but for tests (*_test.c) and programs (main.c).
srcs      = $(filter-out %_test.c %main.c,$(wildcard $(addsuffix /*.c,$(1))))
objs      = $(patsubst %.c,$(B)/%.o,$(1))

BASE_SRC     := $(call srcs,base)
ENGINE_SRC   := $(filter-out engine/ipsec_crypto.c,$(call srcs,engine engine/lang engine/classify))
# Elements that run anywhere; those in elements/driver need an operating system.
ELEMENT_SRC  := $(filter-out elements/driver/%,$(wildcard elements/*/*.c))
DRVELEM_SRC  := $(wildcard elements/driver/*.c)
# What they share; not part of the engine that VMs run.
OS_SRC       := $(call srcs,engine/os)
VMM_SRC      := $(call srcs,vmm)
SWITCH_SRC   := $(call srcs,switch)
CTL_SRC      := $(call srcs,ctl)
DRIVER_SRC   := $(call srcs,driver)
TEST_SRC     := $(wildcard base/*_test.c engine/*_test.c engine/lang/*_test.c \
                engine/classify/*_test.c engine/os/*_test.c vmm/*_test.c guest/*_test.c \
                switch/*_test.c ctl/*_test.c driver/*_test.c)

# The engine with the elements that run anywhere. A program with more elements links
# ENGINE_CORE and a catalogue of its own.
ENGINE_CORE := $(call objs,$(BASE_SRC) $(ENGINE_SRC) $(ELEMENT_SRC)) $(B)/crypto.o
ENGINE_OBJ  := $(ENGINE_CORE) $(B)/catalogue_engine.o
DRIVER_ELEMENTS_OBJ := $(ENGINE_CORE) $(call objs,$(OS_SRC) $(DRVELEM_SRC)) \
                       $(B)/catalogue_driver.o
TESTS      := $(patsubst %.c,$(B)/%,$(TEST_SRC))

include $(wildcard mk/*.mk)

.PHONY: all
all: $(PROGRAMS)

$(B)/%.o: %.c
	@mkdir -p $(@D)
	@echo "CC    $@"
	@$(CC) $(BASE) $(WARN) $(ARCH) $(CFLAGS) $(CFLAGS_$(firstword $(subst /, ,$<))) -c -o $@ $<

# Element classes by name: engine/catalogue.h. The list of files is kept, so that one that
# comes or goes is noticed.
CATALOGUE_engine := $(ELEMENT_SRC)
CATALOGUE_driver := $(ELEMENT_SRC) $(DRVELEM_SRC)
$(B)/catalogue_%.list: FORCE
	@mkdir -p $(@D)
	@echo $(CATALOGUE_$*) | cmp -s - $@ || echo $(CATALOGUE_$*) > $@
.PHONY: FORCE
FORCE:
$(B)/catalogue_engine.c $(B)/catalogue_driver.c: $(B)/catalogue_%.c: \
    $(B)/catalogue_%.list tools/gen-catalogue $(ELEMENT_SRC) $(DRVELEM_SRC)
	@echo "GEN   $@"
	@tools/gen-catalogue $(CATALOGUE_$*) > $@
$(B)/catalogue_%.o: $(B)/catalogue_%.c
	@$(CC) $(BASE) $(WARN) $(ARCH) $(CFLAGS) -c -o $@ $<

# One program a *_test.c. It links the engine; a folder adds what else its tests need in
# mk/<folder>.mk as TEST_OBJ_<folder> and TEST_LIBS_<folder>.
$(B)/%_test: $(B)/%_test.o $(B)/tests/test_main.o $(ENGINE_OBJ)
	@echo "LINK  $@"
	@$(CC) $(LDSAN) -pthread -o $@ $(sort $^ $(TEST_OBJ_$(firstword $(subst /, ,$*)))) \
	    $(TEST_LIBS_$(firstword $(subst /, ,$*))) -lcmocka -lm
$(foreach t,$(TESTS),$(eval $(t): $(TEST_OBJ_$(firstword $(subst /, ,$(patsubst $(B)/%,%,$(t)))))))

.PHONY: unit-tests
unit-tests: $(TESTS)

.PHONY: clean
clean:
	rm -rf build

# The fast tests: no root, no network, no KVM.
.PHONY: test
test: unit-tests $(TEST_EXTRA)
	@tests/run fast:$(B) $(if $(LDSAN),,vm:$(B))

# Everything the system tests run.
.PHONY: system-programs
system-programs: all $(SYSTEM_EXTRA)

# All tests there are, with what they need. The sanitizer builds run the fast ones again.
.PHONY: check
check: deps
	@tools/lint
	@$(MAKE) --no-print-directory WERROR=1 VARIANT=release all unit-tests $(TEST_EXTRA) system-programs
	@$(MAKE) --no-print-directory WERROR=1 VARIANT=asan asan-programs
	@$(MAKE) --no-print-directory WERROR=1 VARIANT=tsan tsan-programs
	@tests/run fast:build/release vm:build/release fast:build/asan tsan:build/tsan \
	    system:build/release

# VMs made, changed, parked, copied and killed at random, for half an hour.
SOAK_SECONDS ?= 1800
.PHONY: soak
soak: all
	@tests/soak.py $(B) $(SOAK_SECONDS)

.PHONY: asan-programs tsan-programs
asan-programs: all unit-tests $(TEST_EXTRA)
tsan-programs: $(TSAN_EXTRA)

# Packages from Debian, once: tools/packages.txt.
.PHONY: deps
deps:
	@tools/install-deps tools/packages.txt

.PHONY: lint
lint:
	@tools/lint

.PHONY: demo
demo: deps
	@$(MAKE) --no-print-directory all
	@tools/demo $(B)

.PHONY: install
PREFIX ?= /usr/local
install: all
	tools/install-files $(B) "$(DESTDIR)" $(PREFIX)

.PHONY: help
help:
	@echo "make            build everything into build/release"
	@echo "make demo       install packages, build, and show a firewall VM at work (root)"
	@echo "make test       the fast tests: no root, no network, no KVM"
	@echo "make check      install packages and run every test (root)"
	@echo "make soak       half an hour of VMs at random, under traffic (root)"
	@echo "make bench      measure; make bench-boot, bench-switch, ... for one part"
	@echo "make lint       formatting, headers, includes, elements"
	@echo "make docs       the elements' manuals as pages into docs/elements"
	@echo "make fuzz-lang  a fuzzer of fuzz/*_fuzz.c; FUZZ_SECONDS=600 for longer"
	@echo "make install    into PREFIX (default /usr/local)"
	@echo "VARIANT=asan|tsan make ... builds with sanitizers into build/asan, build/tsan"

-include $(shell find build/$(VARIANT) -name '*.d' 2>/dev/null)
