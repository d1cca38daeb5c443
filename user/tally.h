/* SPDX-License-Identifier: GPL-2.0-only */
/* How often each of a few texts was met.  What comes when there is no room is counted, not named. */
#ifndef CLOSETRACE_TALLY_H
#define CLOSETRACE_TALLY_H

#include <stddef.h>
#include <stdint.h>

#define TALLY_ROOM 16
#define TALLY_TEXT 104

struct tally {
	struct tallied {
		char text[TALLY_TEXT];
		uint64_t count;
	} at[TALLY_ROOM];
	size_t used;
	uint64_t others;
};

void tally_add(struct tally *tally, const char *text, uint64_t count);
void tally_merge(struct tally *into, const struct tally *from);

uint64_t tally_sum(const struct tally *tally);

/* The most frequent first.  NULL: there are not so many. */
const struct tallied *tally_nth(const struct tally *tally, size_t nth);

#endif
