/* SPDX-License-Identifier: GPL-2.0-only */
/* Records with stacks, from the ring to whoever has the time: to find the names of what is on a
 * stack takes longer than the ring can wait. */
#ifndef CLOSETRACE_BACKLOG_H
#define CLOSETRACE_BACKLOG_H

#include <stddef.h>
#include <stdint.h>

#include "bpf/event.h"
#include "user/tracer.h"

struct backlog {
	struct kept *first;
	struct kept **last;
	size_t count;
	size_t bytes;
	uint64_t cut;	/* records that had to leave their stacks */
	uint64_t told;
	uint64_t lost;	/* for want of memory */
};

void backlog_add(struct backlog *backlog, const struct close_event *event, size_t size);

/* Takes what the ring has, and hands out what was there; the ring is emptied again before anybody
 * has spent long on names.  Returns how much there was. */
int backlog_take(struct backlog *backlog, struct tracer *tracer, tracer_handler *handler, void *arg);

/* Says on stderr how many have been cut since it said so last. */
void backlog_tell(struct backlog *backlog);

/* The oldest, and out with it: to be freed.  NULL: there is none. */
struct kept {
	struct kept *next;
	size_t size;
	struct close_event event;	/* and the rest */
};
struct kept *backlog_next(struct backlog *backlog);

#endif
