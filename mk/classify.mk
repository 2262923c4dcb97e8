# SPDX-License-Identifier: BSD-3-Clause
# make bench-classify: what a packet costs in a filter of 1 to 100,000 rules.

$(B)/bench/classify_bench: $(B)/bench/classify_bench.o $(ENGINE_OBJ)
	@echo "LINK  $@"
	@$(CC) $(LDSAN) -pthread -o $@ $^ -lm

.PHONY: bench-classify
bench-classify: $(B)/bench/classify_bench
	@$(B)/bench/classify_bench
