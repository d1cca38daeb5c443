// SPDX-License-Identifier: GPL-2.0-only
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "user/closers.h"

/* 64 thousand connections, as many as one end can have to another. */
#define SETS 16384
#define WAYS 4

struct closers {
	struct close_event sets[SETS][WAYS];	/* the newest first; kind 0: none */
};

struct closers *closers_new(void)
{
	/* What is never touched takes no memory. */
	return calloc(1, sizeof(struct closers));
}

void closers_free(struct closers *closers)
{
	free(closers);
}

static bool is_same(const struct close_event *a, const struct close_event *b)
{
	return a->kind && a->lport == b->lport && a->rport == b->rport && a->netns == b->netns &&
	       !memcmp(a->laddr, b->laddr, sizeof(a->laddr)) &&
	       !memcmp(a->raddr, b->raddr, sizeof(a->raddr));
}

/* FNV-1a, by words. */
static uint64_t mix(uint64_t hash, const void *from, size_t words)
{
	const unsigned char *at = from;
	uint32_t word;

	for (; words--; at += sizeof(word)) {
		memcpy(&word, at, sizeof(word));
		hash = (hash ^ word) * UINT64_C(0x100000001b3);
	}
	return hash;
}

static struct close_event *set_of(struct closers *closers, const struct close_event *event)
{
	uint32_t ends[2] = { (uint32_t)event->lport << 16 | event->rport, event->netns };
	uint64_t hash = mix(UINT64_C(0xcbf29ce484222325), ends, 2);

	hash = mix(hash, event->laddr, 4);
	hash = mix(hash, event->raddr, 4);
	return closers->sets[(hash ^ hash >> 32) % SETS];
}

void closers_add(struct closers *closers, const struct close_event *event)
{
	struct close_event *set = set_of(closers, event);
	int at = 0;

	while (at < WAYS - 1 && !is_same(&set[at], event))
		at++;
	memmove(&set[1], &set[0], at * sizeof(*set));
	set[0] = *event;
}

/* Modulo 2^32, as sequence numbers are. */
static bool acknowledges(const struct close_event *reply, const struct close_event *closer)
{
	return reply->facts & RESET_TO_ACK &&
	       reply->snd_una - closer->snd_una <= closer->snd_nxt - closer->snd_una;
}

struct close_event *closers_find(struct closers *closers, const struct close_event *reply)
{
	struct close_event *set = set_of(closers, reply);

	for (int i = 0; i < WAYS; i++)
		if (is_same(&set[i], reply))
			return acknowledges(reply, &set[i]) ? &set[i] : NULL;
	return NULL;
}
