/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Records of resets and ends, from what the kernel handed over to what is told.  Some have to
 * wait a moment for another record, which settles whose they are or what they were.
 */
#ifndef CLOSETRACE_RESETS_H
#define CLOSETRACE_RESETS_H

#include <stdbool.h>
#include <stddef.h>

#include "user/judge.h"
#include "user/tracer.h"

struct resets;

/* NULL with errno. */
struct resets *resets_new(const struct tracer *tracer,
			  void (*put)(void *arg, const struct record *record), void *arg);
void resets_free(struct resets *resets);	/* forgives NULL */

/* Size: of what is there of a struct reset_event.  The stack, NULL where none was asked for, is
 * taken over where the record has to wait: it is empty then. */
void resets_take(struct resets *resets, const struct close_event *event, size_t size,
		 struct stack *stack);

/* A close is about to be told: what waits for its socket was its process's.  It is named too. */
void resets_closed(struct resets *resets, struct close_event *close);

/* Where the socket of this close, or of this setting of it, had a reset before, it is that one's id. */
void resets_name(const struct resets *resets, struct close_event *event);

/* Tells those that have waited long enough, or all. */
void resets_tell(struct resets *resets, bool all);

/* Some wait for a record that the next look may bring. */
bool resets_are_waiting(const struct resets *resets);

#endif
