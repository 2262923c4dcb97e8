# SPDX-License-Identifier: BSD-3-Clause
# The backplane: a library of objects that the daemon, tests and benchmarks link.

SWITCH_OBJ      := $(call objs,$(SWITCH_SRC))
TEST_OBJ_switch := $(SWITCH_OBJ)
TEST_OBJ_switch += $(B)/tests/fake_guest.o

$(B)/bench/switch_bench: $(B)/bench/switch_bench.o $(B)/tests/fake_guest.o $(SWITCH_OBJ) \
    $(call objs,$(BASE_SRC))
	@echo "LINK  $@"
	@$(CC) $(LDSAN) -pthread -o $@ $(sort $^) -lm

# Ratios to a bare ring in the same run; build/switch-bench.json has it all.
.PHONY: bench-switch
bench-switch: $(B)/bench/switch_bench
	$< --json build/switch-bench.json

# A backplane to be driven by scripts.
$(B)/tests/switch_tap: $(B)/tests/switch_tap.o $(B)/tests/fake_guest.o $(SWITCH_OBJ) \
    $(call objs,$(BASE_SRC))
	@echo "LINK  $@"
	@$(CC) $(LDSAN) -pthread -o $@ $(sort $^) -lm

TEST_EXTRA += $(B)/tests/switch_tap

FUZZ_OBJ_netmem = $(SWITCH_OBJ) $(B)/tests/fake_guest.o

# What runs threads, for ThreadSanitizer.
TSAN_EXTRA += $(addprefix $(B)/switch/,backplane_test hostile_test kinds_test sleep_test)
