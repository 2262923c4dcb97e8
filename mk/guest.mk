# SPDX-License-Identifier: BSD-3-Clause
# The guest image: engine, elements and guest/, compiled once more for a machine without
# an operating system. It is the same for all host variants.

GUEST_B   := build/guest
MUSL      ?= /usr/lib/x86_64-linux-musl
MUSL_INC  ?= /usr/include/x86_64-linux-musl
GUEST_CC  := $(CC) -std=c11 -I. -D_GNU_SOURCE -DCLICKOS_GUEST -nostdinc \
             -isystem $(MUSL_INC) -isystem $(shell $(CC) -print-file-name=include) \
             -fvisibility=hidden -fno-strict-aliasing -fno-pic -fno-pie -mcmodel=small \
             -fno-stack-protector -fno-asynchronous-unwind-tables \
             -fcf-protection=none -U_FORTIFY_SOURCE -O2 -g \
             -fdebug-prefix-map=$(CURDIR)=. -MMD -MP \
             -ffunction-sections -fdata-sections -fno-merge-constants
GUEST_OWN := $(filter-out %_test.c,$(wildcard guest/*.c))
GUEST_SRC := $(GUEST_OWN) $(filter-out base/errtext.c,$(BASE_SRC)) $(ENGINE_SRC) $(ELEMENT_SRC)
GUEST_OBJ := $(patsubst %.c,$(GUEST_B)/%.o,$(GUEST_SRC)) $(GUEST_B)/catalogue.o \
             $(GUEST_B)/crypto.o

PROGRAMS += $(B)/guest.elf

$(GUEST_B)/%.o: %.c mk/guest.mk
	@mkdir -p $(@D)
	@echo "GUEST $@"
	@$(GUEST_CC) $(WARN) $(ARCH) -c -o $@ $<
$(GUEST_B)/catalogue.o: $(B)/catalogue_engine.c mk/guest.mk
	@mkdir -p $(@D)
	@$(GUEST_CC) $(WARN) $(ARCH) -c -o $@ $<

# By name, never through an archive of ours; libc's archive gives what is still missing.
$(GUEST_B)/guest.elf: $(GUEST_OBJ) $(wildcard guest/*.ld) tools/check-guest-symbols
	@echo "LINK  $@"
	@$(CC) -nostdlib -static -no-pie -Wl,--build-id=none -Wl,-z,noexecstack \
	    -Wl,-z,max-page-size=4096 -Wl,--no-warn-rwx-segments -T guest/guest.ld -o $@ \
	    -Wl,-Map=$@.map $(GUEST_OBJ) $(MUSL)/libc.a \
	    $(shell $(CC) -print-libgcc-file-name)
	@tools/check-guest-symbols $@

$(B)/guest.elf: $(GUEST_B)/guest.elf
	@mkdir -p $(@D)
	@cp -f $< $@

-include $(shell find $(GUEST_B) -name '*.d' 2>/dev/null)

# An image that does harm, for tests/vm/vm_crash.c and bench/hostile_bench.c.
HOSTILE_OBJ := $(addprefix $(GUEST_B)/,guest/entry.o guest/service.o guest/console.o \
               guest/libc.o guest/memory.o guest/heap.o tests/vm/hostile.o \
               tests/vm/hostile_net.o)
$(GUEST_B)/hostile.elf: $(HOSTILE_OBJ) $(wildcard guest/*.ld)
	@echo "LINK  $@"
	@$(CC) -nostdlib -static -no-pie -Wl,--build-id=none -Wl,-z,noexecstack \
	    -Wl,-z,max-page-size=4096 -Wl,--no-warn-rwx-segments -T guest/guest.ld -o $@ \
	    $(HOSTILE_OBJ) $(MUSL)/libc.a
$(B)/hostile.elf: $(GUEST_B)/hostile.elf
	@mkdir -p $(@D)
	@cp -f $< $@
