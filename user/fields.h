/* SPDX-License-Identifier: GPL-2.0-only */
/* One row for each thing that is shown of a record; every output walks the rows. */
#ifndef CLOSETRACE_FIELDS_H
#define CLOSETRACE_FIELDS_H

#include <stdbool.h>

#include "user/judge.h"
#include "user/value.h"

struct field {
	unsigned int kinds;	/* of records that have it: 1 << enum event_kind */
	const char *key;	/* in JSON, and in -e; NULL: only in text */
	void (*get)(const struct record *closed, struct value *value);
	const char *head;	/* heads its column in text; NULL: it has none */
	int width;		/* of that column */
	const char *layout;	/* a letter for each enum layout, where not always a column:
				   c a column, d a detail, - not there */
	const char *detail;	/* in text it follows the columns, after this, if there is
				   something to tell: neither null nor 0; "\n": a sentence,
				   on a line of its own, broken between words */
	bool verbose;		/* ... and with -v alone: what a key says, in words */
};

/* How much room a line of text has. */
enum layout {
	LAYOUT_NARROW,	/* a terminal of 80 columns */
	LAYOUT_MEDIUM,	/* 110 and more */
	LAYOUT_WIDE,	/* 150 and more, and what is no terminal */
};

#define FIELDS 80	/* there is room for so many */
extern const struct field fields[];	/* ended by a row without get */

static inline bool field_is_of(const struct field *field, const struct record *record)
{
	return field->kinds >> record->event->kind & 1;
}

/* CLOCK_MONOTONIC of the records to the time of day; asked anew for each batch, as the
 * clock may be set while we run. */
void fields_set_clock(void);

/* What others show as the records do. */
void fields_put_time(struct value *value, uint64_t time_ns);
void fields_put_address(struct value *value, const __u8 *addr);

#endif
