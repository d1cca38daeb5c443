/* SPDX-License-Identifier: GPL-2.0-only */
/* The main job: from the options to the last line. */
#ifndef CLOSETRACE_TRACE_H
#define CLOSETRACE_TRACE_H

struct options;

/* Returns the exit status. */
int trace(struct options *options);

#endif
