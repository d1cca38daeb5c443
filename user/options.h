/* SPDX-License-Identifier: GPL-2.0-only */
/* The command line, checked and turned into what the rest works with. */
#ifndef CLOSETRACE_OPTIONS_H
#define CLOSETRACE_OPTIONS_H

#include <stdbool.h>

#include "user/expect.h"
#include "user/tracer.h"

#define MAX_PIDS 1024
#define EXIT_CANNOT 1	/* could not trace */
#define EXIT_BROKEN 3	/* a rule of -e did not hold */
#define EXIT_USAGE 64	/* argp's own */

struct options {
	struct tracer_options tracer;
	pid_t pids[MAX_PIDS + 1];	/* and the command */
	bool json;
	bool quiet;
	const char *output;	/* NULL: stdout */
	double duration_s;	/* 0: until told to stop */
	double interval_s;	/* between two tables; 0: one at the end */
	struct expect *expect;	/* NULL: nothing is asked of the closes */
	char **command;		/* NULL: none */
};

/* Does not return where the command line is wrong (exit 64) or asks for help. */
void options_parse(struct options *options, int argc, char **argv);

#endif
