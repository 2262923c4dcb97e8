# SPDX-License-Identifier: BSD-3-Clause
# The elements' manuals: as C for programs that print them, as pages with `make docs`.

# All elements, those of the driver too. A program that prints manuals links
# $(B)/element_docs.o and nothing else of the elements.
$(B)/element_docs.c: tools/gen-element-docs $(ELEMENT_SRC) $(DRVELEM_SRC)
	@mkdir -p $(@D)
	@echo "GEN   $@"
	@tools/gen-element-docs $(ELEMENT_SRC) $(DRVELEM_SRC) > $@
$(B)/element_docs.o: $(B)/element_docs.c
	@$(CC) $(BASE) $(WARN) $(ARCH) $(CFLAGS) -c -o $@ $<

$(B)/tools/element_dump: $(B)/tools/element_dump.o $(B)/element_docs.o $(DRIVER_ELEMENTS_OBJ)
	@echo "LINK  $@"
	@$(CC) $(LDSAN) -pthread -o $@ $^ $(DRIVER_LIBS) -lm

PROGRAMS += $(B)/tools/element_dump

.PHONY: docs
docs: $(B)/tools/element_dump
	@mkdir -p docs/elements
	@rm -f docs/elements/*.md
	@$(B)/tools/element_dump --markdown docs/elements
	@echo "docs/elements: $$(ls docs/elements | wc -l) pages"
