/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Every end that a closed connection can come to: what to do for it, and what must come out,
 * from the kernel's source.
 */
#ifndef CLOSETRACE_END_SCENES_H
#define CLOSETRACE_END_SCENES_H

#include <stdbool.h>

#include "tests/live/end_closer.h"
#include "tests/live/end_tcp.h"
#include "tests/live/wire.h"

struct scene;

struct step {
	bool (*act)(struct scene *scene, long arg);
	long arg;
};

/* How often the kernel counted from the close on, for both sides. */
struct counted {
	unsigned int out_rsts, on_data, timeouts;
};

struct scenario {
	const char *name;
	const struct step *steps;	/* ended by an empty one */
	const char *how[2];		/* of its ends; none: a close that leaves nothing */
	long least_ms;			/* to the first end, however long the steps waited */
	const char *reset;		/* the cause of the one that comes with the last end */
	const char *owner;		/* of that, where it is not the closer */
	const char *wire;		/* from the closer, from the close on; see wire.h */
	struct counted counted;
	bool may_be_in_call;		/* then the close record tells of it, and no other */
	bool accepted;			/* closed is what was accepted, not what connected */
	bool tiny;			/* the peer has no room for data */
	bool both;			/* over IPv6 too */
	bool slow;			/* takes a minute */
};

extern const struct scenario scenarios[];	/* ended by a NULL name */

/* One scenario, played. */
struct scene {
	const struct scenario *scenario;
	int family;
	struct wire *wire;
	struct pair pair;
	struct closer closer;
	long long before_ns, after_ns;	/* the close; CLOCK_MONOTONIC */
	long long acted_ns;		/* right before the last thing that the peer did after it */
	struct {
		long long least_us, most_us;	/* since the close returned */
	} bounds[2];			/* of its ends */
	int ends;
	struct counted counted;
	char wire_flags[64];
	char why[128];			/* it could not be played */
};

void counted_read(struct counted *counted);

#endif
