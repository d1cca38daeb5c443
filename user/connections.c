// SPDX-License-Identifier: GPL-2.0-only
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "user/connections.h"

/* 64 thousand connections, as many as one end can have to another. */
#define SETS 16384
#define WAYS 4

/* Mostly there is nothing to be found, and the heads say so: they stay near the processor, while each
 * record is another walk to memory. */
struct head {
	uint16_t tags[WAYS];	/* of the records, 0: none */
	uint16_t oldest;
};

struct connections {
	struct head heads[SETS];
	struct close_event sets[SETS][WAYS];
};

struct set {
	struct head *head;
	struct close_event *at;
	uint16_t tag;		/* of what was asked for */
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
	return a->lport == b->lport && a->rport == b->rport && a->netns == b->netns &&
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

static struct set set_of(struct connections *connections, const struct close_event *event)
{
	uint32_t ends[2] = { (uint32_t)event->lport << 16 | event->rport, event->netns };
	uint64_t hash = mix(UINT64_C(0xcbf29ce484222325), ends, 2);
	size_t index;

	hash = mix(hash, event->laddr, 4);
	hash = mix(hash, event->raddr, 4);
	index = (hash ^ hash >> 32) % SETS;
	return (struct set){ &connections->heads[index], connections->sets[index], hash >> 48 | 1 };
}

/* Its place in the set, or WAYS. */
static int place_in(const struct set *set, const struct close_event *event)
{
	int place = 0;

	while (place < WAYS &&
	       !(set->head->tags[place] == set->tag && is_same(&set->at[place], event)))
		place++;
	return place;
}

/* What is there again is not the next to go. */
void connections_add(struct connections *connections, const struct close_event *event)
{
	struct set set = set_of(connections, event);
	int place = place_in(&set, event);

	if (place == WAYS)
		place = set.head->oldest;
	if (place == set.head->oldest)
		set.head->oldest = (place + 1) % WAYS;
	set.head->tags[place] = set.tag;
	set.at[place] = *event;
}

struct close_event *connections_find(struct connections *connections, const struct close_event *event)
{
	struct set set = set_of(connections, event);
	int place = place_in(&set, event);

	return place < WAYS ? &set.at[place] : NULL;
}
