# SPDX-License-Identifier: BSD-3-Clause
# Benchmarks: ratios measured in one run, printed as a table and written as JSON to out/.

BENCH_VM_OBJ := $(call objs,bench/vm_bench.c bench/floor.c $(BASE_SRC) $(SWITCH_SRC)) \
                $(call objs,$(wildcard vmm/client*.c) vmm/state.c)
$(B)/vm_bench: $(BENCH_VM_OBJ)
	@echo "LINK  $@"
	@$(CC) $(LDSAN) -pthread -o $@ $^ -lm

.PHONY: bench bench-vm
bench: bench-vm
bench-vm: all $(B)/vm_bench
	@mkdir -p out
	$(B)/vm_bench --json out/vm.json

BENCH_ENGINE_OBJ := $(call objs,bench/engine_bench.c $(wildcard bench/engine/*.c) \
                    $(wildcard bench/limits/*.c) $(wildcard vmm/client*.c) vmm/state.c)
$(B)/engine_bench: $(BENCH_ENGINE_OBJ) $(DRIVER_ELEMENTS_OBJ)
	@echo "LINK  $@"
	@$(CC) $(LDSAN) -pthread -o $@ $^ -ldl -lm
TEST_EXTRA += $(B)/engine_bench

# VM=1: the same configurations in a VM and in the driver.
.PHONY: bench-engine bench-guard bench-baseline
bench: bench-engine
bench-engine: $(B)/engine_bench $(if $(VM),all)
	@mkdir -p out
	$(B)/engine_bench $(if $(VM),--vm --json out/engine-vm.json,--json out/engine.json)

# Whole drivers, ours and any other that takes Click's language:
# make bench-peers PEERS="click=/usr/local/bin/click" BURST=1
BURST ?= 32
.PHONY: bench-peers
bench-peers: $(B)/engine_bench $(B)/click
	@mkdir -p out
	bench/peers.py $(B) $(PEERS) --burst $(BURST) --json out/peers.json

# Measures each row's share of its hand-written limit and fails when one is below 0.85 of what
# bench/baseline.json says. Not part of `make check`: machines are noisy.
bench-guard: $(B)/engine_bench
	$(B)/engine_bench --guard bench/baseline.json

# The shares of the last `make bench-engine` become what the guard compares with.
bench-baseline:
	@test -s out/engine.json || { echo "run make bench-engine first" >&2; exit 1; }
	@{ echo '{'; sed -n 's/.*"row": \("[^"]*"\).*"ratio": \([0-9.]*\).*/  \1: \2,/p' \
	    out/engine.json | sed '$$s/,$$//'; echo '}'; } > bench/baseline.json
	@echo "bench/baseline.json has the ratios of $$(grep -c : bench/baseline.json) rows of out/engine.json"

BENCH_BOOT_OBJ := $(call objs,bench/boot_bench.c bench/boot_vm.c bench/floor.c bench/svg.c \
                  tests/fake_guest.c ctl/limits.c ctl/memory.c engine/checksum.c \
                  $(BASE_SRC) $(SWITCH_SRC) $(wildcard vmm/client*.c) vmm/state.c)
$(B)/boot_bench: $(BENCH_BOOT_OBJ)
	@echo "LINK  $@"
	@$(CC) $(LDSAN) -pthread -o $@ $^ -ljansson -lm
TEST_EXTRA += $(B)/boot_bench

# `make bench-boot VMS=10000` takes some three minutes and 10 GiB.
VMS ?= 1000
.PHONY: bench-boot
bench: bench-boot
bench-boot: all $(B)/boot_bench
	@mkdir -p out
	$(B)/boot_bench --vms $(VMS) --click $(B)/click --json out/boot.json --svg out/boot.svg

# Parked VMs in one daemon, all of them with a state if STATE=100000. Root.
N ?= 100000
STATE ?= 10000
.PHONY: bench-park
bench-park: all
	@mkdir -p out
	bench/park.py $(B) $(N) $(STATE) --json out/park.json
