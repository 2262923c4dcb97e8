# SPDX-License-Identifier: BSD-3-Clause
# Fuzzers. Each fuzz/X_fuzz.c has LLVMFuzzerTestOneInput(); it is built twice:
#   $(B)/fuzz/X_fuzz  with a plain main that replays the seeds in fuzz/corpus/X (make test)
#   make fuzz-X       with clang's libFuzzer, ASan and UBSan, for FUZZ_SECONDS seconds
# Both link the engine (or FUZZ_ENGINE_X in its place) and, where X needs more, FUZZ_OBJ_X
# and FUZZ_LIBS_X, which any mk/*.mk may set. What a run finds lands in build/fuzz/found/X; keep it as a seed.

FUZZ_SECONDS ?= 30
FUZZERS      := $(patsubst fuzz/%_fuzz.c,%,$(wildcard fuzz/*_fuzz.c))
FUZZ_CFLAGS  := -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined,fuzzer-no-link \
                -fno-sanitize-recover=undefined

CFLAGS_fuzz  := -Wno-missing-prototypes

TEST_EXTRA += $(FUZZERS:%=$(B)/fuzz/%_fuzz)

# FUZZ_OBJ_X may be set in a file that is read after this one.
.SECONDEXPANSION:

$(FUZZERS:%=$(B)/fuzz/%_fuzz): $(B)/fuzz/%_fuzz: $(B)/fuzz/%_fuzz.o $(B)/fuzz/replay_main.o \
    $$(or $$(FUZZ_ENGINE_$$*),$(ENGINE_OBJ)) $$(FUZZ_OBJ_$$*)
	@echo "LINK  $@"
	@$(CC) $(LDSAN) -pthread -o $@ $(sort $^) $(FUZZ_LIBS_$*) -lm

$(FUZZERS:%=$(B)/fuzz/%_libfuzzer): $(B)/fuzz/%_libfuzzer: $(B)/fuzz/%_fuzz.o \
    $$(or $$(FUZZ_ENGINE_$$*),$(ENGINE_OBJ)) $$(FUZZ_OBJ_$$*)
	@echo "LINK  $@"
	@$(CC) -fsanitize=fuzzer,address,undefined -pthread -o $@ $(sort $^) $(FUZZ_LIBS_$*) -lm

.PHONY: $(FUZZERS:%=fuzz-%)
$(FUZZERS:%=fuzz-%): fuzz-%:
	@$(MAKE) --no-print-directory VARIANT=fuzz CC=clang CFLAGS="$(FUZZ_CFLAGS)" \
	    build/fuzz/fuzz/$*_libfuzzer
	@mkdir -p build/fuzz/corpus/$* build/fuzz/found/$*
	build/fuzz/fuzz/$*_libfuzzer -max_total_time=$(FUZZ_SECONDS) -timeout=10 \
	    -rss_limit_mb=2048 -print_final_stats=1 -verbosity=1 \
	    -artifact_prefix=build/fuzz/found/$*/ build/fuzz/corpus/$* fuzz/corpus/$*
