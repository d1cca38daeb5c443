/* SPDX-License-Identifier: GPL-2.0-only */
/* The running stack, as the compiler's own library walks it. */
#ifndef CLOSETRACE_TESTS_WALK_H
#define CLOSETRACE_TESTS_WALK_H

#include <stddef.h>
#include <stdint.h>
#include <unwind.h>

struct walk_room {
	uint64_t *addresses;
	size_t count;
	size_t room;
};

static _Unwind_Reason_Code walk_visit(struct _Unwind_Context *frame, void *arg)
{
	struct walk_room *walk = arg;
	uint64_t address = _Unwind_GetIP(frame);

	if (!address || walk->count == walk->room)
		return _URC_END_OF_STACK;
	walk->addresses[walk->count++] = address;
	return _URC_NO_REASON;
}

/* Innermost first, which is whoever asks: that is why this is inlined.  Returns how many. */
__attribute__((always_inline)) static inline size_t walk_here(uint64_t *addresses, size_t room)
{
	struct walk_room walk = { .addresses = addresses, .room = room };

	_Unwind_Backtrace(walk_visit, &walk);
	return walk.count;
}

#endif
