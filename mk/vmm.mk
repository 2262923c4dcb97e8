# SPDX-License-Identifier: BSD-3-Clause
# The monitor, and the library with which the daemon drives it.

# clickos-vmm is static: a process with few mappings forks faster, and it runs in an
# initramfs. Sanitizers need the dynamic libc.
VMM_PROGRAM_OBJ := $(call objs,vmm/main.c vmm/server.c vmm/vm.c vmm/kvm.c vmm/process.c \
                   vmm/paging.c vmm/image.c vmm/clock.c vmm/jail.c vmm/link.c \
                   vmm/mailbox.c vmm/state.c vmm/checkpoint.c base/diag.c base/errtext.c base/sbuf.c)
VMM_CLIENT_OBJ  := $(call objs,vmm/client.c vmm/client_server.c vmm/client_link.c \
                   vmm/client_pool.c vmm/client_state.c vmm/state.c)
# Position-independent: the heap of a program at a fixed address may begin anywhere in the
# GiB behind it, which is where the guest will be.
VMM_STATIC      := $(if $(LDSAN),,-static-pie)

PROGRAMS += $(B)/clickos-vmm

$(B)/clickos-vmm: $(VMM_PROGRAM_OBJ)
	@echo "LINK  $@"
	@$(CC) $(LDSAN) $(VMM_STATIC) -pthread -o $@ $^

# What a guest touches up to its first packet lies together (guest/order.ld): see
# tools/gen-guest-order, to be run again when much has changed. A folder of its own holds
# what stands beside its monitor.
TRACE_B := $(B)/trace
$(TRACE_B)/clickos-vmm: $(filter-out $(B)/vmm/jail.o,$(VMM_PROGRAM_OBJ)) $(B)/tools/guest_trace.o
	@mkdir -p $(@D)
	@echo "LINK  $@"
	@$(CC) $(VMM_STATIC) -o $@ $^
$(TRACE_B)/%: $(B)/%
	@mkdir -p $(@D)
	@cp -f $< $@
.PHONY: guest-order
guest-order: $(addprefix $(TRACE_B)/,clickos-vmm vm_bench guest.elf)
	tools/gen-guest-order $(TRACE_B)/vm_bench $(GUEST_B)/guest.elf.map guest/order.ld

# Tests that boot VMs; static as well, so that they run in an initramfs.
VM_TESTS := $(B)/tests/vm_boot $(B)/tests/vm_crash $(B)/tests/vm_state
$(VM_TESTS): $(B)/tests/vm_%: $(B)/tests/vm/vm_%.o $(B)/tests/vm/kit.o $(B)/tests/vm/vm_wire.o \
             $(VMM_CLIENT_OBJ) \
             $(call objs,base/diag.c base/errtext.c base/sbuf.c)
	@echo "LINK  $@"
	@$(CC) $(LDSAN) $(VMM_STATIC) -pthread -o $@ $^
TEST_EXTRA += $(VM_TESTS) $(B)/clickos-vmm $(B)/guest.elf $(B)/hostile.elf
# With the library that reads debug information, which is not for an initramfs.
$(B)/tests/vm_backtrace: $(B)/tests/vm/vm_backtrace.o $(B)/tests/vm/kit.o $(B)/vmm/symbolize.o \
                         $(VMM_CLIENT_OBJ) \
                         $(call objs,base/diag.c base/errtext.c base/sbuf.c)
	@echo "LINK  $@"
	@$(CC) $(LDSAN) -pthread -o $@ $^ -ldw -lelf
TEST_EXTRA += $(B)/tests/vm_backtrace
TEST_OBJ_vmm  := $(call objs,vmm/mailbox.c vmm/paging.c vmm/symbolize.c vmm/jail.c)
TEST_LIBS_vmm := -ldw -lelf
$(B)/vmm/symbolize_test: | $(B)/hostile.elf

# The child that becomes a guest leaves everything behind that a sanitizer's runtime needs.
$(B)/vmm/process.o: CFLAGS += -fno-sanitize=all

FUZZ_OBJ_mailbox := $(call objs,vmm/mailbox.c)
FUZZ_OBJ_monitor := $(VMM_CLIENT_OBJ)
FUZZ_OBJ_state   := $(call objs,vmm/state.c)
FUZZ_OBJ_backtrace  := $(call objs,vmm/symbolize.c)
FUZZ_LIBS_backtrace := -ldw -lelf
$(B)/fuzz/backtrace_fuzz $(B)/fuzz/backtrace_libfuzzer: | $(B)/hostile.elf
