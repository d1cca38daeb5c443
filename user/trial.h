/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A socket of our own, for the program learn to see closed: whether the programs see anything,
 * with the types that they were given, and how long the kernel's ticks are.
 */
#ifndef CLOSETRACE_TRIAL_H
#define CLOSETRACE_TRIAL_H

#include <linux/types.h>
#include <stdbool.h>

#include "bpf/event.h"

struct trial {
	int socket;	/* -1: none is open */
	__u64 cookie;
};

int trial_open(struct trial *trial);	/* 0, or -1 with errno */
void trial_close(struct trial *trial);	/* forgives that it is closed */

/* Whether its close was seen, by the programs' counters. */
bool trial_was_seen(const volatile struct counters *counters);

#endif
