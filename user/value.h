/* SPDX-License-Identifier: GPL-2.0-only */
/* One fact of a record on its way out: typed, so that each output can write it its own way. */
#ifndef CLOSETRACE_VALUE_H
#define CLOSETRACE_VALUE_H

#include <stdint.h>

enum value_type {
	VALUE_NULL,
	VALUE_NUMBER,
	VALUE_TRUTH,	/* number is 0 or 1 */
	VALUE_WORD,	/* one of our own names: nothing to escape */
	VALUE_FOREIGN,	/* somebody else's bytes: anything may be in it */
	VALUE_TIME,	/* number is nanoseconds since the epoch */
};

struct value {
	enum value_type type;
	uint64_t number;
	const char *text;
	char room[320];	/* text may live here */
};

static inline void value_number(struct value *value, uint64_t number)
{
	value->type = VALUE_NUMBER;
	value->number = number;
}

/* NULL is null. */
static inline void value_word(struct value *value, const char *word)
{
	value->type = word ? VALUE_WORD : VALUE_NULL;
	value->text = word;
}

#endif
