/* SPDX-License-Identifier: GPL-2.0-only */
/* Records with stacks, from the ring to whoever has the time: to find the names of what is on a
 * stack takes longer than the ring can wait, so a thread of its own empties that. */
#ifndef CLOSETRACE_BACKLOG_H
#define CLOSETRACE_BACKLOG_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/event.h"
#include "user/tracer.h"

struct backlog {
	pthread_mutex_t mutex;	/* for all that follows, and for the ring */
	struct kept *first;
	struct kept **last;
	size_t count;
	size_t bytes;
	uint64_t cut;	/* records that had to leave their stacks */
	uint64_t told;	/* of them */
	uint64_t lost;	/* records, for want of memory */
	struct tracer *tracer;
	pthread_t thread;
	bool running;
	bool stop;
	int news;	/* eventfd: the thread has found something */
};

#define BACKLOG_INIT { .mutex = PTHREAD_MUTEX_INITIALIZER, .news = -1 }

/* After privileges are given up: a thread has its own.  Without one, which is told, all is well as
 * long as the ring is large enough. */
void backlog_start(struct backlog *backlog, struct tracer *tracer);
void backlog_stop(struct backlog *backlog);

void backlog_add(struct backlog *backlog, const struct close_event *event, size_t size);

/* The oldest, and out with it: to be freed.  NULL: there is none. */
struct kept {
	struct kept *next;
	size_t size;
	struct close_event event;	/* and the rest */
};
struct kept *backlog_next(struct backlog *backlog);
bool backlog_is_empty(struct backlog *backlog);

/* Hands out what there is by now, in the ring too.  Returns how much that was. */
int backlog_take(struct backlog *backlog, tracer_handler *handler, void *arg);

/* Says on stderr how many have been cut since it said so last. */
void backlog_tell(struct backlog *backlog);

#endif
