/* SPDX-License-Identifier: GPL-2.0-only */
/* A tracer that runs, as seen from outside. */
#ifndef CLOSETRACE_BENCH_CONTESTANT_H
#define CLOSETRACE_BENCH_CONTESTANT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "tests/bench/programs.h"

#define MAX_ARGS 16

/* Where its records go. */
enum where {
	TO_FILE,
	TO_TERMINAL,		/* a slow one: 400 kB a second at most */
	TO_PIPE,		/* whose reader leaves after two seconds, and another comes */
};

struct contestant {
	const char *name;
	const char *argv[MAX_ARGS];	/* argv[0] NULL: nothing is attached */
	const char *says;	/* on stderr when it is ready; NULL: it does not tell */
	bool empty;		/* with all its programs made empty */
	enum where where;
};

struct running {
	const struct contestant *contestant;
	pid_t pid;		/* 0: none */
	pid_t helper;		/* reads what it writes; 0: none */
	int err;
	char told[1 << 20];	/* its stderr so far */
	size_t told_size;
	struct programs programs;
	double start_ms;	/* until it saw closes */
	uint64_t closes;	/* that it should have told so far */
	double alone_ms;	/* until a lone record was in the file; -1: not asked */
	bool ended;
	int status;
};

/* What a run left behind. */
struct remains {
	int64_t records;	/* -1: nobody counted */
	uint64_t lost;
	uint64_t peak_kb;	/* resident, of the process */
	uint64_t maps_kb;
	bool left;		/* before it was told to */
	int status;		/* as waitpid() tells it */
};

/* false: this machine does not have the program, or it does not run here. */
bool contestant_exists(const struct contestant *contestant);
bool contestant_start(struct running *running, const struct contestant *contestant);
uint64_t contestant_cpu_ns(const struct running *running);
struct remains contestant_stop(struct running *running);

#endif
