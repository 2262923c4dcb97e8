// SPDX-License-Identifier: BSD-3-Clause
/* The first instruction of a guest. The monitor has set up a stack; the frame pointer is
 * cleared so that a backtrace ends here. */

__asm__(".globl guest_entry\n"
        "guest_entry:\n\t"
        "xor %ebp, %ebp\n\t"
        "and $-16, %rsp\n\t"
        "call guest_main\n\t"
        "ud2\n");
