// SPDX-License-Identifier: GPL-2.0-only
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "user/cause.h"
#include "user/connections.h"
#include "user/echoes.h"

#define WAITING 64

/* How long a segment may be under way at most (MSL, RFC 9293): after that it is another
 * connection on the same ports. */
#define UNDER_WAY_NS (120 * UINT64_C(1000000000))

/* What is known of an RST that was sent, in place of its facts. */
#define IS_REPLY 1U	/* to a segment of a connection that nobody here knew */
#define IS_HEARD 2U	/* its receiver's record was here */

struct waiting {
	struct record record;
	struct close_event event;
};

struct echoes {
	echoes_put *put;
	void *arg;
	struct connections *sent;
	struct waiting waiting[WAITING];	/* RSTs received, the oldest first */
	size_t count;
};

struct echoes *echoes_new(echoes_put *put, void *arg)
{
	struct echoes *echoes = calloc(1, sizeof(*echoes));

	if (!echoes)
		return NULL;
	echoes->put = put;
	echoes->arg = arg;
	echoes->sent = connections_new();
	if (echoes->sent)
		return echoes;
	echoes_free(echoes);
	return NULL;
}

void echoes_free(struct echoes *echoes)
{
	if (!echoes)
		return;
	connections_free(echoes->sent);
	free(echoes);
}

/* ---- what a record is of ------------------------------------------------------------- */

static bool is_received(const struct record *record)
{
	return record->event->kind == EVENT_RESET && record->verdict.cause == CAUSE_RESET_BY_PEER;
}

static bool is_sent(const struct record *record)
{
	if (record->event->kind == EVENT_CLOSE)
		return judge_is_reset(record->event);
	return record->event->kind == EVENT_RESET && !cause_is_received(record->verdict.cause);
}

static bool is_reply(const struct record *record)
{
	return record->event->kind == EVENT_RESET && (record->verdict.cause == CAUSE_NO_SOCKET ||
						      record->verdict.cause == CAUSE_LISTENER_STRAY_ACK);
}

/* A SYN is of a new connection. */
static bool is_new(const struct record *record)
{
	return record->event->facts & RESET_TO_SYN;
}

/* As the other end has it. */
static struct close_event turned(const struct close_event *event)
{
	struct close_event other = *event;

	memcpy(other.laddr, event->raddr, sizeof(other.laddr));
	memcpy(other.raddr, event->laddr, sizeof(other.raddr));
	other.lport = event->rport;
	other.rport = event->lport;
	return other;
}

static bool is_same(const struct close_event *a, const struct close_event *b)
{
	return a->lport == b->lport && a->rport == b->rport && a->netns == b->netns &&
	       !memcmp(a->laddr, b->laddr, sizeof(a->laddr)) &&
	       !memcmp(a->raddr, b->raddr, sizeof(a->raddr));
}

/* ---- RSTs received -------------------------------------------------------------------- */

static void drop(struct echoes *echoes, size_t index)
{
	echoes->count--;
	memmove(&echoes->waiting[index], &echoes->waiting[index + 1],
		(echoes->count - index) * sizeof(*echoes->waiting));
}

static void put_oldest(struct echoes *echoes)
{
	echoes->waiting[0].record.event = &echoes->waiting[0].event;
	echoes->put(echoes->arg, &echoes->waiting[0].record, NULL);
	drop(echoes, 0);
}

static void wait_for_sender(struct echoes *echoes, const struct record *record)
{
	if (echoes->count == WAITING)
		put_oldest(echoes);
	echoes->waiting[echoes->count++] = (struct waiting){
		.record = *record, .event = *record->event,
	};
}

static struct close_event *find_sent(struct echoes *echoes, const struct close_event *sender)
{
	struct close_event *sent = connections_find(echoes->sent, sender);

	return sent && sender->time_ns < sent->time_ns + UNDER_WAY_NS ? sent : NULL;
}

static void take_received(struct echoes *echoes, const struct record *record)
{
	struct close_event sender = turned(record->event);
	struct close_event *sent = find_sent(echoes, &sender);

	if (sent && !(sent->facts & IS_HEARD))
		sent->facts |= IS_HEARD;
	else
		wait_for_sender(echoes, record);
}

/* Returns whether its receiver's record waited for it. */
static bool is_awaited(struct echoes *echoes, const struct record *record)
{
	struct close_event receiver = turned(record->event);

	for (size_t i = echoes->count; i-- > 0;) {
		if (!is_same(&echoes->waiting[i].event, &receiver))
			continue;
		drop(echoes, i);
		return true;
	}
	return false;
}

/* ---- RSTs sent -------------------------------------------------------------------------- */

/* To what was under way when another RST was sent. */
static bool is_late(struct echoes *echoes, const struct record *record)
{
	const struct close_event *sent = find_sent(echoes, record->event);

	return sent && !(sent->facts & IS_REPLY) && is_reply(record) && !is_new(record);
}

static void remember(struct echoes *echoes, const struct record *record)
{
	struct close_event sent = *record->event;

	sent.facts = is_reply(record) ? IS_REPLY : 0;
	if (is_awaited(echoes, record))
		sent.facts |= IS_HEARD;
	connections_add(echoes->sent, &sent);
}

void echoes_add(struct echoes *echoes, const struct record *record, const char *site)
{
	if (is_received(record)) {
		take_received(echoes, record);
		return;
	}
	if (is_sent(record)) {
		if (is_late(echoes, record))
			return;
		remember(echoes, record);
	}
	echoes->put(echoes->arg, record, site);
}

void echoes_end(struct echoes *echoes)
{
	while (echoes->count)
		put_oldest(echoes);
}
