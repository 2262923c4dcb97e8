# SPDX-License-Identifier: BSD-3-Clause
PROGRAMS += $(B)/click
DRIVER_LIBS := -lm

$(B)/click: $(B)/driver/main.o $(call objs,$(DRIVER_SRC)) $(DRIVER_ELEMENTS_OBJ)
	@echo "LINK  $@"
	@$(CC) $(LDSAN) -pthread -o $@ $^ $(DRIVER_LIBS)

# The elements that read traces.
FUZZ_ENGINE_trace = $(DRIVER_ELEMENTS_OBJ)

TEST_OBJ_driver := $(call objs,$(DRIVER_SRC))

# Tools that transform configurations: driver/tools/click_X.c is click-X.
TOOL_NAMES := flatten align check undead combine uncombine xform fastclassifier \
              devirtualize
TOOL_OBJ   := $(call objs,driver/tools/tool.c driver/tools/archive.c \
              driver/tools/net.c driver/tools/net_tunnel.c driver/tools/net_write.c driver/click_path.c \
              $(BASE_SRC) \
              $(call srcs,engine/lang))
PROGRAMS   += $(TOOL_NAMES:%=$(B)/click-%) $(B)/click-buildtool

$(B)/click-xform: $(B)/driver/tools/xform_match.o
# They ask the element classes where packets go.
$(B)/click-align: $(B)/driver/tools/alignment.o
$(B)/click-undead $(B)/click-align $(B)/click-check: $(filter-out $(TOOL_OBJ),$(DRIVER_ELEMENTS_OBJ))
$(TOOL_NAMES:%=$(B)/click-%): $(B)/click-%: $(B)/driver/tools/click_%.o $(TOOL_OBJ)
	@echo "LINK  $@"
	@$(CC) $(LDSAN) -pthread -o $@ $^ $(DRIVER_LIBS)
$(B)/click-buildtool: driver/tools/click-buildtool engine/provides.list
	@sed "s/@PROVIDES@/$$(tr -d '",' <engine/provides.list | paste -sd' ')/" $< >$@
	@chmod 755 $@

# Start-up, from process start to exit.
.PHONY: bench-start
bench: bench-start
bench-start: $(B)/click
	bench/start.sh $(B)
