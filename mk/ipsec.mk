# SPDX-License-Identifier: BSD-3-Clause
# The ciphers of IPsec: engine/ipsec_crypto.c linked in advance with the functions that it
# uses of BearSSL's archive, so that everybody else links one object as any other. Makefile leaves that file out of ENGINE_SRC.

BEARSSL := $(shell $(CC) -print-file-name=libbearssl.a)

$(B)/crypto.o: $(B)/engine/ipsec_crypto.o
	@$(CC) -nostdlib -r -o $@ $< $(BEARSSL)

$(GUEST_B)/crypto.o: $(GUEST_B)/engine/ipsec_crypto.o
	@$(CC) -nostdlib -r -o $@ $< $(BEARSSL)
$(GUEST_B)/engine/ipsec_crypto.o: GUEST_CC += -isystem /usr/include/bearssl
