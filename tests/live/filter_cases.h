/* SPDX-License-Identifier: GPL-2.0-only */
/* The filters, each with the closes that it admits. */
#ifndef CLOSETRACE_FILTER_CASES_H
#define CLOSETRACE_FILTER_CASES_H

#include "tests/live/filter_stage.h"

#define MAX_ARGS 24

struct filter_case {
	const char *args[MAX_ARGS];	/* with @NAME for that one's process id, or the cgroup's path */
	bool (*admits)(const struct close *c);
};

extern const struct filter_case filter_cases[];	/* ended by one without admits */

/* By tracepoint an RST that follows the branch is not seen in time. */
extern const char *filter_via;

#endif
