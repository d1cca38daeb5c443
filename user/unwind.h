/* SPDX-License-Identifier: GPL-2.0-only */
/* How a task came to its system call: from the registers and the bytes of its stack outwards, by
 * what the files say of their functions' frames, as far as the bytes reach. */
#ifndef CLOSETRACE_UNWIND_H
#define CLOSETRACE_UNWIND_H

#include <stddef.h>
#include <stdint.h>

#include "bpf/event.h"
#include "user/maps.h"

uint64_t unwind_pc(const struct user_stack *user);

/* Addresses, innermost first: there it is, and there each call returns to.  Returns how many. */
size_t unwind(const struct user_stack *user, struct maps *maps, uint64_t *addresses, size_t room);

/* Before privileges are given up; and after all. */
void unwind_begin(void);
void unwind_end(void);

#endif
