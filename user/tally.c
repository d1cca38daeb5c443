// SPDX-License-Identifier: GPL-2.0-only
#include <stdio.h>
#include <string.h>

#include "user/tally.h"

/* What is too long is told apart by its beginning. */
static struct tallied *find(struct tally *tally, const char *text)
{
	for (size_t i = 0; i < tally->used; i++)
		if (!strncmp(tally->at[i].text, text, TALLY_TEXT - 1))
			return &tally->at[i];
	if (tally->used == TALLY_ROOM)
		return NULL;
	snprintf(tally->at[tally->used].text, TALLY_TEXT, "%s", text);
	return &tally->at[tally->used++];
}

void tally_add(struct tally *tally, const char *text, uint64_t count)
{
	struct tallied *tallied = find(tally, text);

	*(tallied ? &tallied->count : &tally->others) += count;
}

void tally_merge(struct tally *into, const struct tally *from)
{
	for (size_t i = 0; i < from->used; i++)
		tally_add(into, from->at[i].text, from->at[i].count);
	into->others += from->others;
}

uint64_t tally_sum(const struct tally *tally)
{
	uint64_t sum = tally->others;

	for (size_t i = 0; i < tally->used; i++)
		sum += tally->at[i].count;
	return sum;
}

/* How many come before it; of two that are as frequent the one that was met first does. */
static size_t rank_of(const struct tally *tally, size_t index)
{
	uint64_t count = tally->at[index].count;
	size_t rank = 0;

	for (size_t i = 0; i < tally->used; i++)
		rank += tally->at[i].count > count || (tally->at[i].count == count && i < index);
	return rank;
}

const struct tallied *tally_nth(const struct tally *tally, size_t nth)
{
	for (size_t i = 0; i < tally->used; i++)
		if (rank_of(tally, i) == nth)
			return &tally->at[i];
	return NULL;
}
