/* SPDX-License-Identifier: GPL-2.0-only */
/* The rows of the files' unwind tables by which the kernel's side walks the next stack itself: each
 * is handed over when a stack that needs it has been walked here. */
#ifndef CLOSETRACE_ROWS_H
#define CLOSETRACE_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <elfutils/libdwfl.h>

#include "bpf/event.h"

/* What the tables say of that address; where is_exact it is one that code runs at, else one that a
 * call returns to.  UNWIND_UNKNOWN: nothing that a row could say. */
union unwind_row rows_find(Dwfl *dwfl, uint64_t address, bool is_exact);

/* On this stack, from the innermost that has no row outwards, as far as there are any. */
void rows_hand_over(Dwfl *dwfl, const struct stack_owner *owner, const uint64_t *addresses, size_t count);

/* Other files may lie where those of that space were. */
void rows_take_back(uint64_t name);

/* UNWIND_ENTRIES of them, which the kernel shares; NULL: none. */
void rows_begin(struct unwind_entry *entries);

#endif
