# SPDX-License-Identifier: BSD-3-Clause
# The backplane: a library of objects that the daemon, tests and benchmarks link.

SWITCH_OBJ      := $(call objs,$(SWITCH_SRC))
TEST_OBJ_switch := $(SWITCH_OBJ)
TEST_OBJ_switch += $(B)/tests/fake_guest.o $(B)/tests/fake_lan.o

$(B)/bench/switch_bench: $(B)/bench/switch_bench.o $(B)/bench/bare_ring.o \
    $(B)/tests/fake_guest.o $(SWITCH_OBJ) $(call objs,$(BASE_SRC))
	@echo "LINK  $@"
	@$(CC) $(LDSAN) -pthread -o $@ $(sort $^) -lm

# With real VMs. It looks for the monitor and the image beside itself.
$(B)/fleet_bench: $(call objs,bench/fleet_bench.c bench/fleet.c bench/bare_ring.c \
    bench/bridge.c bench/svg.c $(wildcard vmm/client*.c) vmm/state.c $(BASE_SRC)) $(SWITCH_OBJ)
	@echo "LINK  $@"
	@$(CC) $(LDSAN) -pthread -o $@ $(sort $^) -lm

# Ratios to a bare ring in the same run, first with guests played by a thread, then with
# real VMs; tables on the terminal, JSON and the figure in out/.
.PHONY: bench-switch
bench: bench-switch
bench-switch: all $(B)/bench/switch_bench $(B)/fleet_bench
	@mkdir -p out
	$(B)/bench/switch_bench --json out/switch.json
	$(B)/fleet_bench --json out/fleet.json --svg out/fleet.svg

# Round trips through a VM beside a bridge; what a wake-up costs.
$(B)/latency_bench: $(call objs,bench/latency_bench.c bench/fleet.c bench/bridge.c \
    bench/svg.c $(wildcard vmm/client*.c) vmm/state.c $(BASE_SRC)) $(SWITCH_OBJ)
	@echo "LINK  $@"
	@$(CC) $(LDSAN) -pthread -o $@ $(sort $^) -lm

.PHONY: bench-latency
bench: bench-latency
bench-latency: all $(B)/latency_bench
	@mkdir -p out
	$(B)/latency_bench --json out/latency.json --svg out/latency.svg

# What others lose while a VM attacks the switch.
$(B)/hostile_bench: $(call objs,bench/hostile_bench.c bench/fleet.c \
    $(wildcard vmm/client*.c) vmm/state.c $(BASE_SRC)) $(SWITCH_OBJ) | $(B)/hostile.elf
	@echo "LINK  $@"
	@$(CC) $(LDSAN) -pthread -o $@ $(sort $^) -lm

.PHONY: bench-hostile
bench: bench-hostile
bench-hostile: all $(B)/hostile_bench
	@mkdir -p out
	$(B)/hostile_bench --json out/hostile.json

# A backplane to be driven by scripts.
$(B)/tests/switch_tap: $(B)/tests/switch_tap.o $(B)/tests/fake_guest.o $(SWITCH_OBJ) \
    $(call objs,$(BASE_SRC))
	@echo "LINK  $@"
	@$(CC) $(LDSAN) -pthread -o $@ $(sort $^) -lm

TEST_EXTRA += $(B)/tests/switch_tap

FUZZ_OBJ_netmem = $(SWITCH_OBJ) $(B)/tests/fake_guest.o
FUZZ_OBJ_spoof  = $(SWITCH_OBJ)

# What runs threads, for ThreadSanitizer.
TSAN_EXTRA += $(addprefix $(B)/switch/,backplane_test hostile_test isolation_test kinds_test sleep_test workers_test)
