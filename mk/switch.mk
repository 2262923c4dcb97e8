# SPDX-License-Identifier: BSD-3-Clause
# The backplane: a library of objects that the daemon, tests and benchmarks link.

SWITCH_OBJ      := $(call objs,$(SWITCH_SRC))
TEST_OBJ_switch := $(SWITCH_OBJ)
TEST_OBJ_switch += $(B)/tests/fake_guest.o
