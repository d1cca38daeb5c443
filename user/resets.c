// SPDX-License-Identifier: GPL-2.0-only
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "user/callers.h"
#include "user/cause.h"
#include "user/connections.h"
#include "user/holder.h"
#include "user/resets.h"
#include "user/stack.h"

/* Who closes a socket that was reset does so at once, mostly. */
#define PATIENCE_MS 200

#define WAITING 256

struct waiting {
	struct reset_event event;
	struct record record;
	struct stack stack;
	int64_t since_ms;	/* CLOCK_MONOTONIC */
	bool is_older;		/* than the batch that was just read */
	bool searched;		/* in /proc, in vain */
};

/* Each close looks for those of its socket, and in a flood many wait: what it takes is together. */
struct place {
	__u64 id;
	unsigned int kind;
	unsigned int waiting;	/* which one */
};

struct resets {
	const struct tracer *tracer;
	void (*put)(void *arg, const struct record *record);
	void *arg;
	struct connections *closed;	/* late data may still come for these */
	struct connections *open;	/* had a reset while they were: the close has the same id */
	struct waiting waiting[WAITING];	/* in no order */
	struct place queue[WAITING];	/* the oldest first; from count on, which ones are free */
	size_t count;
};

static struct waiting *at(struct resets *resets, size_t index)
{
	return &resets->waiting[resets->queue[index].waiting];
}

static void drop(struct resets *resets, size_t index)
{
	struct place freed = resets->queue[index];

	stack_clear(&at(resets, index)->stack);
	resets->count--;
	memmove(&resets->queue[index], &resets->queue[index + 1],
		(resets->count - index) * sizeof(freed));
	resets->queue[resets->count] = freed;
}

struct resets *resets_new(const struct tracer *tracer,
			  void (*put)(void *arg, const struct record *record), void *arg)
{
	struct resets *resets = calloc(1, sizeof(*resets));

	if (!resets)
		return NULL;
	resets->tracer = tracer;
	resets->put = put;
	resets->arg = arg;
	for (unsigned int i = 0; i < WAITING; i++)
		resets->queue[i].waiting = i;
	resets->closed = connections_new();
	resets->open = connections_new();
	if (resets->closed && resets->open)
		return resets;
	resets_free(resets);
	return NULL;
}

void resets_free(struct resets *resets)
{
	if (!resets)
		return;
	while (resets->count)
		drop(resets, 0);
	connections_free(resets->closed);
	connections_free(resets->open);
	free(resets);
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

/* ---- whose it is ------------------------------------------------------------------- */

/* What the record has is of whoever was running. */
static void forget_task(struct close_event *event)
{
	event->pid = event->tid = event->uid = 0;
	event->cgroup = 0;
	memset(event->comm, 0, sizeof(event->comm));
}

static enum owner find_holder(struct reset_event *reset, pid_t (*ask)(uint64_t inode))
{
	pid_t pid = ask(reset->inode);

	return pid && holder_fill(&reset->event, pid) ? OWNER_SOCKET : OWNER_NOBODY;
}

/* The same task, id and all. */
static void fill_by_closer(struct close_event *event, const struct close_event *closer)
{
	event->id = closer->id;
	event->pid = closer->pid;
	event->tid = closer->tid;
	event->uid = closer->uid;
	event->cgroup = closer->cgroup;
	memcpy(event->comm, closer->comm, sizeof(event->comm));
}

/* Modulo 2^32, as sequence numbers are. */
static bool acknowledges(const struct close_event *reply, const struct close_event *closer)
{
	return reply->facts & RESET_TO_ACK &&
	       reply->snd_una - closer->snd_una <= closer->snd_nxt - closer->snd_una;
}

static struct close_event *closer_of(struct resets *resets, const struct close_event *reply)
{
	struct close_event *closer = connections_find(resets->closed, reply);

	return closer && acknowledges(reply, closer) ? closer : NULL;
}

static bool is_of_nobody(enum cause cause)
{
	return cause == CAUSE_NO_SOCKET || cause == CAUSE_TIME_WAIT;
}

static enum owner find_owner(struct resets *resets, struct reset_event *reset, enum cause cause,
			     __u32 callers)
{
	enum owner owner = owner_of(&reset->event, cause, callers);
	const struct close_event *closer;

	if (owner != OWNER_NOBODY)
		return owner;
	forget_task(&reset->event);
	if (!is_of_nobody(cause))
		return find_holder(reset, holder_known);
	closer = closer_of(resets, &reset->event);
	if (!closer)
		return OWNER_NOBODY;
	fill_by_closer(&reset->event, closer);
	if (!closer_is_process(closer))
		forget_task(&reset->event);
	return closer_is_process(closer) ? OWNER_CLOSER : OWNER_NOBODY;
}

static bool is_wanted(const struct record *record, const struct tracer *tracer)
{
	/* Known as the closer in the kernel, where it was found wanted, or by what it had closed. */
	if (record->owner == OWNER_CLOSER &&
	    (record->event->facts & OWNER_IS_CLOSER || is_of_nobody(record->verdict.cause)))
		return true;
	if (record->owner == OWNER_NOBODY)
		return !tracer_traces_few(tracer) && !tracer_wants_branches(tracer);
	return tracer_wants(tracer, record->event->pid, record->event->comm);
}

/* What the kernel's side could not know is filtered here. */
static void tell(struct resets *resets, const struct record *record)
{
	/* Who runs may not be whose it is. */
	if (record->stack && record->stack->pid != record->event->pid)
		record->stack->user_count = 0;
	if (record->event->kind == EVENT_END ?
		    !tracer_wants_resets(resets->tracer) || end_is_reset(record->verdict.end) :
		    is_wanted(record, resets->tracer))
		resets->put(resets->arg, record);
}

/* ---- waiting --------------------------------------------------------------------------- */

static void tell_waiting(struct resets *resets, size_t index)
{
	struct waiting *waiting = at(resets, index);

	waiting->record.event = &waiting->event.event;
	if (waiting->record.stack)
		waiting->record.stack = &waiting->stack;
	tell(resets, &waiting->record);
	drop(resets, index);
}

/* Whoever held it mostly closes it at once, and that record says who it was for nothing: it is in
 * the same batch or in the next one, unless the kernel's side leaves it out. */
static bool a_close_may_tell(const struct resets *resets, const struct waiting *waiting)
{
	return !waiting->is_older && !tracer_wants_resets(resets->tracer) &&
	       !tracer_wants_branches(resets->tracer);
}

/* It may have been too early for another walk through /proc. */
static bool is_settled(struct waiting *waiting, bool search)
{
	if (waiting->event.event.kind == EVENT_RESET)
		waiting->record.owner =
			find_holder(&waiting->event, search ? holder_of : holder_known);
	return waiting->record.owner == OWNER_SOCKET;
}

static void wait_for_more(struct resets *resets, const struct record *record,
			  const struct reset_event *event)
{
	struct waiting *waiting;

	if (resets->count == WAITING) {
		is_settled(at(resets, 0), true);
		tell_waiting(resets, 0);
	}
	resets->queue[resets->count].id = event->event.id;
	resets->queue[resets->count].kind = event->event.kind;
	waiting = at(resets, resets->count++);
	*waiting = (struct waiting){ .event = *event, .record = *record, .since_ms = now_ms() };
	if (!record->stack)
		return;
	waiting->stack = *record->stack;
	*record->stack = (struct stack){};
}

/* While /proc was walked its process may have closed it: that is in the ring by now, and read
 * before we are asked again. */
static bool is_due(struct waiting *waiting)
{
	bool searched = waiting->searched;

	if (now_ms() < waiting->since_ms + PATIENCE_MS)
		return false;
	waiting->searched = holder_looked_since(waiting->since_ms);
	return waiting->event.event.kind == EVENT_END || searched;
}

void resets_tell(struct resets *resets, bool all)
{
	if (all)
		holder_hurry();
	for (size_t index = 0; index < resets->count;) {
		struct waiting *waiting = at(resets, index);
		bool search = all || !a_close_may_tell(resets, waiting);

		waiting->is_older = true;
		if (is_settled(waiting, search) || all || is_due(waiting))
			tell_waiting(resets, index);
		else
			index++;
	}
}

bool resets_are_waiting(const struct resets *resets)
{
	return resets->count;
}

/* The first of its kind that waits for a record of this socket, or the count. */
static size_t find_waiting(const struct resets *resets, __u64 id, unsigned int kind)
{
	size_t index = 0;

	while (index < resets->count &&
	       (resets->queue[index].id != id || resets->queue[index].kind != kind))
		index++;
	return index;
}

/* Late data may be under way to a connection that an RST has ended. */
static void remember(struct resets *resets, const struct close_event *event)
{
	if (event->kind == EVENT_END || judge_is_reset(event))
		connections_add(resets->closed, event);
}

/* An RST ends a connection, and its numbers stand from then on. */
static bool is_same_socket(const struct close_event *a, const struct close_event *b)
{
	return a && a->snd_nxt == b->snd_nxt && a->snd_una == b->snd_una;
}

/* The first record of a socket names it. */
static void name_socket(struct resets *resets, struct close_event *reset)
{
	const struct close_event *known = connections_find(resets->open, reset);

	if (is_same_socket(known, reset))
		reset->id = known->id;
	else
		connections_add(resets->open, reset);
}

/* tcp_disconnect() forgets the peer, after a connect() that was refused, but not the numbers. */
static void name_dissolved(const struct resets *resets, struct close_event *close)
{
	for (size_t i = 0; i < resets->count; i++) {
		const struct close_event *reset =
			&resets->waiting[resets->queue[i].waiting].event.event;

		if (reset->kind == EVENT_RESET && reset->netns == close->netns &&
		    reset->lport == close->lport && is_same_socket(reset, close))
			close->id = reset->id;
	}
}

void resets_name(const struct resets *resets, struct close_event *event)
{
	const struct close_event *known = connections_find(resets->open, event);

	if (event->lport && !event->rport)
		name_dissolved(resets, event);
	else if (is_same_socket(known, event))
		event->id = known->id;
}

/* It held the socket, and was gone before we looked. */
void resets_closed(struct resets *resets, struct close_event *close)
{
	size_t index;

	resets_name(resets, close);
	remember(resets, close);
	while (closer_is_process(close) &&
	       (index = find_waiting(resets, close->id, EVENT_RESET)) < resets->count) {
		struct waiting *waiting = at(resets, index);

		waiting->event.event.pid = close->pid;
		waiting->event.event.uid = close->uid;
		waiting->event.event.cgroup = close->cgroup;
		memcpy(waiting->event.event.comm, close->comm, sizeof(close->comm));
		waiting->record.owner = OWNER_SOCKET;
		tell_waiting(resets, index);
	}
}

/* Late data ends a connection first, and is answered then.  Anything else says that it has gone
 * on. */
static void settle_end(struct resets *resets, const struct record *next)
{
	size_t index = find_waiting(resets, next->event->id, EVENT_END);

	if (index == resets->count)
		return;
	if (next->event->kind == EVENT_RESET && next->verdict.cause == CAUSE_LATE_DATA)
		at(resets, index)->record.verdict.end = END_LATE_DATA_RESET;
	tell_waiting(resets, index);
}

/* ---- the records ------------------------------------------------------------------------- */

/* A minisocket's late data ends what was a TIME_WAIT.  Told once. */
static void end_time_wait(struct resets *resets, const struct close_event *reset)
{
	struct close_event *closer = closer_of(resets, reset);
	struct record record = { .event = closer, .owner = OWNER_CLOSER };

	if (!closer || closer->facts & ENDED_TW_RESET)
		return;
	closer->blocked_ns += reset->time_ns - closer->time_ns;
	closer->time_ns = reset->time_ns;
	closer->facts |= ENDED_TW_RESET;
	record.verdict.end = end_of(closer, 0);
	tell(resets, &record);
}

static void take_reset(struct resets *resets, struct record *record, struct reset_event *reset)
{
	__u32 callers = callers_of(reset->callers, CALLERS);

	record->verdict.cause = cause_of(&reset->event, callers);
	if (record->verdict.cause == CAUSE_NONE)
		return;
	if (reset->event.id && !(reset->event.facts & OWNER_IS_CLOSER))
		name_socket(resets, &reset->event);
	record->owner = find_owner(resets, reset, record->verdict.cause, callers);
	settle_end(resets, record);
	if (record->owner == OWNER_NOBODY && reset->inode)
		wait_for_more(resets, record, reset);
	else
		tell(resets, record);
	if (record->verdict.cause == CAUSE_TIME_WAIT)
		end_time_wait(resets, &reset->event);
}

static void take_end(struct resets *resets, struct record *record, const struct reset_event *end)
{
	__u32 callers = callers_of(end->callers, CALLERS);

	record->owner = OWNER_CLOSER;
	record->verdict.end = end_of(&end->event, callers);
	settle_end(resets, record);
	remember(resets, &end->event);
	if (end_is_open(&end->event, callers))
		wait_for_more(resets, record, end);
	else
		tell(resets, record);
}

/* An end that is plain comes without who called. */
void resets_take(struct resets *resets, const struct close_event *event, size_t size,
		 struct stack *stack)
{
	struct reset_event copy = {};
	struct record record = { .event = &copy.event, .stack = stack };

	memcpy(&copy, event, size < sizeof(copy) ? size : sizeof(copy));
	if (event->kind == EVENT_END)
		record.stack = NULL;
	if (event->kind == EVENT_END)
		take_end(resets, &record, &copy);
	else
		take_reset(resets, &record, &copy);
}
