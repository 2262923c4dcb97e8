# SPDX-License-Identifier: BSD-3-Clause
PROGRAMS += $(B)/click
DRIVER_LIBS := -lpcap -lm

$(B)/click: $(B)/driver/main.o $(call objs,$(DRIVER_SRC)) $(DRIVER_ELEMENTS_OBJ)
	@echo "LINK  $@"
	@$(CC) $(LDSAN) -pthread -o $@ $^ $(DRIVER_LIBS)

TEST_OBJ_driver := $(call objs,$(DRIVER_SRC))
