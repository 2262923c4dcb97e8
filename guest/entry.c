// SPDX-License-Identifier: BSD-3-Clause
/*
 * The first instruction of a guest, and the one a copied guest goes on from.
 *
 * The monitor has set up a stack. A backtrace ends here, since there is no return address.
 * guest_save() is to a checkpoint what setjmp() is to a jump: it returns 0 when it is called,
 * and 1 once more in each VM that is made from the memory copied afterwards.
 */

#include "guest/guest.h"

#define TEXT_(x) #x
#define TEXT(x)  TEXT_(x)

__asm__(
    ".cfi_sections .debug_frame\n"
    ".globl guest_entry\n"
    ".type guest_entry, @function\n"
    "guest_entry:\n\t"
    ".cfi_startproc\n\t"
    ".cfi_undefined %rip\n\t"
    "cmpl $0, " TEXT(
        BOOT_RESUME_AT) "(%rdi)\n\t"
                        "jne guest_resume\n\t"
                        "and $-16, %rsp\n\t"
                        "call guest_main\n\t"
                        "ud2\n\t"
                        ".cfi_endproc\n"
                        "guest_resume:\n\t"
                        "mov $" TEXT(LAYOUT_WAIT) " + " TEXT(
                            BOOT_CONTEXT_AT) ", %edx\n\t"
                                             "mov 0(%rdx), %rbx\n\t"
                                             "mov 8(%rdx), %rbp\n\t"
                                             "mov 16(%rdx), %r12\n\t"
                                             "mov 24(%rdx), %r13\n\t"
                                             "mov 32(%rdx), %r14\n\t"
                                             "mov 40(%rdx), %r15\n\t"
                                             "mov 48(%rdx), %rsp\n\t"
                                             "mov $1, %eax\n\t"
                                             "jmp *56(%rdx)\n"
                                             ".globl guest_save\n"
                                             "guest_save:\n\t"
                                             "mov $" TEXT(LAYOUT_WAIT) " + " TEXT(
                                                 BOOT_CONTEXT_AT) ", %edx\n\t"
                                                                  "mov %rbx, "
                                                                  "0(%rdx)\n\t"
                                                                  "mov %rbp, "
                                                                  "8(%rdx)\n\t"
                                                                  "mov %r12, "
                                                                  "16(%rdx)\n\t"
                                                                  "mov %r13, "
                                                                  "24(%rdx)\n\t"
                                                                  "mov %r14, "
                                                                  "32(%rdx)\n\t"
                                                                  "mov %r15, "
                                                                  "40(%rdx)\n\t"
                                                                  "lea 8(%rsp), "
                                                                  "%rax\n\t"
                                                                  "mov %rax, "
                                                                  "48(%rdx)\n\t"
                                                                  "mov (%rsp), %rax\n\t"
                                                                  "mov %rax, "
                                                                  "56(%rdx)\n\t"
                                                                  "xor %eax, %eax\n\t"
                                                                  "ret\n");
