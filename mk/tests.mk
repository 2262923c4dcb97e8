# SPDX-License-Identifier: BSD-3-Clause
# Runner of the elements' .test files: tests/element_run. All elements that run anywhere
# are in it; those of elements/driver have tests of their own.

ELEMENT_RUN_OBJ := $(addprefix $(B)/tests/,element_run.o element_case.o element_step.o \
                     packet_text.o packet_build.o backend_engine.o \
                     backend_vm.o vm/kit.o) \
                   $(call objs,vmm/client.c vmm/client_server.c vmm/client_link.c \
                   vmm/client_pool.c vmm/client_state.c vmm/state.c)
$(B)/tests/element_run: $(ELEMENT_RUN_OBJ) $(ENGINE_OBJ)
	@echo "LINK  $@"
	@$(CC) $(LDSAN) -pthread -o $@ $^ -lm

PROGRAMS += $(B)/tests/element_run
TEST_EXTRA += $(B)/tests/element_run

TESTS += $(B)/tests/packet_text_test
TEST_OBJ_tests := $(addprefix $(B)/tests/,packet_text.o packet_build.o)
$(B)/tests/packet_text_test: $(TEST_OBJ_tests)
# handler_test runs whole routers
TEST_OBJ_engine += $(B)/tests/backend_engine.o
# engine/os is not part of the engine that tests link
$(B)/engine/os/trace_window_test: $(B)/engine/os/trace_window.o
# ... and this one runs elements of the driver
$(B)/engine/os/trace_file_test: $(B)/engine/os/trace_file_test.o $(B)/tests/test_main.o \
    $(DRIVER_ELEMENTS_OBJ)
	@echo "LINK  $@"
	@$(CC) $(LDSAN) -pthread -o $@ $(sort $^) -lcmocka -lm
