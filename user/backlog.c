// SPDX-License-Identifier: GPL-2.0-only
#include <err.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "user/backlog.h"

/* Beyond this records come without their stacks: what a reset needs to be told of is kept. */
#define ENOUGH (64 << 20)

#define NAMED_AT_ONCE 16

void backlog_add(struct backlog *backlog, const struct close_event *event, size_t size)
{
	bool cut = backlog->bytes + size > ENOUGH && size > sizeof(struct reset_event);
	struct kept *kept;

	if (cut)
		size = sizeof(struct reset_event);
	kept = malloc(offsetof(struct kept, event) + size);
	if (!kept) {
		backlog->lost++;
		return;
	}
	backlog->cut += cut;
	kept->next = NULL;
	kept->size = size;
	memcpy(&kept->event, event, size);
	if (backlog->first)
		*backlog->last = kept;
	else
		backlog->first = kept;
	backlog->last = &kept->next;
	backlog->count++;
	backlog->bytes += size;
}

static void keep(void *backlog, const struct close_event *event, size_t size)
{
	backlog_add(backlog, event, size);
}

void backlog_tell(struct backlog *backlog)
{
	if (backlog->cut == backlog->told)
		return;
	warnx("%llu records came faster than their stacks could be named, and are without",
	      (unsigned long long)(backlog->cut - backlog->told));
	backlog->told = backlog->cut;
}

struct kept *backlog_next(struct backlog *backlog)
{
	struct kept *kept = backlog->first;

	if (!kept)
		return NULL;
	backlog->first = kept->next;
	backlog->count--;
	backlog->bytes -= kept->size;
	return kept;
}

int backlog_take(struct backlog *backlog, struct tracer *tracer, tracer_handler *handler, void *arg)
{
	int read = tracer_read(tracer, keep, backlog);
	size_t count = backlog->count;

	for (size_t i = 1; i <= count; i++) {
		struct kept *kept = backlog_next(backlog);

		handler(arg, &kept->event, kept->size);
		free(kept);
		if (i % NAMED_AT_ONCE == 0)
			tracer_read(tracer, keep, backlog);
	}
	return read;
}
