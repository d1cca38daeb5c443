/* SPDX-License-Identifier: GPL-2.0-only */
/* A form of output: text for people, JSON for programs.  Both walk fields[]. */
#ifndef CLOSETRACE_SINK_H
#define CLOSETRACE_SINK_H

#include "user/judge.h"
#include "user/out.h"

struct sink {
	/* What there is to say before the first record goes where records do not: to heads, or
	 * nowhere where that is NULL. */
	void (*begin)(struct out *heads, int width, int verbose);
	void (*record)(struct out *out, const struct record *closed);
	void (*lost)(struct out *out, uint64_t count, const char *where);	/* NULL: not a record */
};

extern const struct sink text_sink;
extern const struct sink json_sink;

#endif
