# SPDX-License-Identifier: BSD-3-Clause
# clickosd (the daemon) and clickos (the command line): see ctl/README.md

# Files of the command line are called cli*.c; the shared ones stand here; the rest is the
# daemon's. Programs link objects by name, since verbs and routes register themselves.
CTL_SHARED := $(addprefix ctl/,details.c graph.c graph_svg.c json_get.c lint.c logring.c names.c portset.c portspec.c)
CTL_CLI    := $(filter ctl/cli%,$(CTL_SRC))
CTL_LIBS   := -lmicrohttpd -ljansson -ldw -lelf -lz -lm

# The files of other folders are named in mk/ files that are read later: hence "=".
CTL_VMM_OBJ    = $(VMM_CLIENT_OBJ) $(call objs,vmm/symbolize.c)
CTL_CLI_OBJ    = $(call objs,$(CTL_CLI) $(CTL_SHARED)) $(B)/element_docs.o $(ENGINE_OBJ)
CTL_DAEMON_OBJ = $(call objs,$(filter-out $(CTL_CLI),$(CTL_SRC))) $(CTL_VMM_OBJ) \
                 $(SWITCH_OBJ) $(ENGINE_OBJ)

PROGRAMS += $(B)/clickos $(B)/clickosd

.SECONDEXPANSION:
$(B)/clickos: $(B)/ctl/clickos_main.o $$(CTL_CLI_OBJ)
	@echo "LINK  $@"
	@$(CC) $(LDSAN) -pthread -o $@ $(sort $^) -ljansson -lm

$(B)/clickosd: $(B)/ctl/clickosd_main.o $$(CTL_DAEMON_OBJ)
	@echo "LINK  $@"
	@$(CC) $(LDSAN) -pthread -o $@ $(sort $^) $(CTL_LIBS)

TEST_OBJ_ctl   = $(call objs,$(CTL_SRC)) $(B)/element_docs.o $(CTL_VMM_OBJ) $(SWITCH_OBJ)
TEST_LIBS_ctl := $(CTL_LIBS)

FUZZ_OBJ_api  = $(TEST_OBJ_ctl)
FUZZ_LIBS_api := $(CTL_LIBS)
FUZZ_OBJ_snapshot  = $(call objs,vmm/state.c base/diag.c base/errtext.c base/sbuf.c)
FUZZ_LIBS_snapshot := -ljansson -lz
