/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which records tell of something that a person would want to know, how bad it is, and the
 * sentence for it.  What to change, words.h has.
 */
#ifndef CLOSETRACE_DIAGNOSIS_H
#define CLOSETRACE_DIAGNOSIS_H

#include <stdbool.h>

#include "user/judge.h"
#include "user/words.h"

/* What is worth counting beside: each port of ours, each peer, or nothing. */
enum place {
	PLACE_NONE,
	PLACE_PORT,
	PLACE_PEER,
};

struct diagnosis {
	enum event_kind event;
	enum word_kind kind;		/* of the record's verdict */
	unsigned int value;
	bool (*also)(const struct record *record);	/* NULL: always */
	unsigned int weight;	/* of one of them, beside the others */
	/* {one|many} is either; %n the number, %w who it was, %i it or they, %b the bytes that nobody
	 * read and %t the time that it took, after a comma, where there are any. */
	const char *says;
	enum place place;
};

/* The first that fits.  NULL: nothing to wonder about. */
const struct diagnosis *diagnose(const struct record *record);

#endif
