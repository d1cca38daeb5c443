// SPDX-License-Identifier: GPL-2.0-only
#include <err.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "user/backlog.h"

/* Beyond this records come without their stacks: what a reset needs to be told of is kept. */
#define ENOUGH (64 << 20)

/* A record that wakes nobody is found after this. */
#define LOOK_MS 20

/* ---- one after the other ---------------------------------------------------------- */

static void put(struct backlog *backlog, struct kept *kept)
{
	if (backlog->first)
		*backlog->last = kept;
	else
		backlog->first = kept;
	backlog->last = &kept->next;
	backlog->count++;
	backlog->bytes += kept->size;
}

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
	put(backlog, kept);
}

struct kept *backlog_next(struct backlog *backlog)
{
	struct kept *kept;

	pthread_mutex_lock(&backlog->mutex);
	kept = backlog->first;
	if (kept) {
		backlog->first = kept->next;
		backlog->count--;
		backlog->bytes -= kept->size;
	}
	pthread_mutex_unlock(&backlog->mutex);
	return kept;
}

bool backlog_is_empty(struct backlog *backlog)
{
	bool empty;

	pthread_mutex_lock(&backlog->mutex);
	empty = !backlog->first;
	pthread_mutex_unlock(&backlog->mutex);
	return empty;
}

/* ---- from the ring ------------------------------------------------------------------- */

static void keep(void *backlog, const struct close_event *event, size_t size)
{
	backlog_add(backlog, event, size);
}

/* Returns how many were read; all says how many there are now. */
static int read_ring(struct backlog *backlog, size_t *all)
{
	int count;

	pthread_mutex_lock(&backlog->mutex);
	count = tracer_read(backlog->tracer, keep, backlog);
	*all = backlog->count;
	pthread_mutex_unlock(&backlog->mutex);
	return count;
}

static void *run(void *arg)
{
	struct backlog *backlog = arg;
	struct pollfd ring = { .fd = tracer_fd(backlog->tracer), .events = POLLIN };
	size_t all;

	while (!__atomic_load_n(&backlog->stop, __ATOMIC_ACQUIRE)) {
		poll(&ring, 1, LOOK_MS);
		if (read_ring(backlog, &all) > 0)
			eventfd_write(backlog->news, 1);
	}
	return NULL;
}

void backlog_start(struct backlog *backlog, struct tracer *tracer)
{
	backlog->tracer = tracer;
	backlog->news = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	backlog->running = backlog->news >= 0 && !pthread_create(&backlog->thread, NULL, run, backlog);
	if (!backlog->running)
		warnx("no thread to empty the ring with: records may be lost");
}

void backlog_stop(struct backlog *backlog)
{
	__atomic_store_n(&backlog->stop, true, __ATOMIC_RELEASE);
	if (backlog->running)
		pthread_join(backlog->thread, NULL);
	backlog->running = false;
	if (backlog->news >= 0)
		close(backlog->news);
	backlog->news = -1;
}

int backlog_take(struct backlog *backlog, tracer_handler *handler, void *arg)
{
	eventfd_t news;
	size_t count;

	eventfd_read(backlog->news, &news);
	read_ring(backlog, &count);
	for (size_t i = 0; i < count; i++) {
		struct kept *kept = backlog_next(backlog);

		handler(arg, &kept->event, kept->size);
		free(kept);
	}
	return count;
}

void backlog_tell(struct backlog *backlog)
{
	uint64_t cut;

	pthread_mutex_lock(&backlog->mutex);
	cut = backlog->cut;
	pthread_mutex_unlock(&backlog->mutex);
	if (cut == backlog->told)
		return;
	warnx("%llu records came faster than their stacks could be named, and are without",
	      (unsigned long long)(cut - backlog->told));
	backlog->told = cut;
}
