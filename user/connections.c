// SPDX-License-Identifier: GPL-2.0-only
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "user/connections.h"

/* 64 thousand connections, as many as one end can have to another. */
#define SETS 16384
#define WAYS 4

struct connections {
	struct close_event sets[SETS][WAYS];	/* the newest first; kind 0: none */
};

struct connections *connections_new(void)
{
	/* What is never touched takes no memory. */
	return calloc(1, sizeof(struct connections));
}

void connections_free(struct connections *connections)
{
	free(connections);
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

static struct close_event *set_of(struct connections *connections, const struct close_event *event)
{
	uint32_t ends[2] = { (uint32_t)event->lport << 16 | event->rport, event->netns };
	uint64_t hash = mix(UINT64_C(0xcbf29ce484222325), ends, 2);

	hash = mix(hash, event->laddr, 4);
	hash = mix(hash, event->raddr, 4);
	return connections->sets[(hash ^ hash >> 32) % SETS];
}

void connections_add(struct connections *connections, const struct close_event *event)
{
	struct close_event *set = set_of(connections, event);
	int at = 0;

	while (at < WAYS - 1 && !is_same(&set[at], event))
		at++;
	memmove(&set[1], &set[0], at * sizeof(*set));
	set[0] = *event;
}

struct close_event *connections_find(struct connections *connections, const struct close_event *event)
{
	struct close_event *set = set_of(connections, event);

	for (int i = 0; i < WAYS; i++)
		if (is_same(&set[i], event))
			return &set[i];
	return NULL;
}
