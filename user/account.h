/* SPDX-License-Identifier: GPL-2.0-only */
/* What the kernel has counted beside what was recorded, of all network namespaces, and how much
 * of the difference is explained by what. */
#ifndef CLOSETRACE_ACCOUNT_H
#define CLOSETRACE_ACCOUNT_H

#include <stddef.h>
#include <stdint.h>

#include "user/spaces.h"

#define EXPLANATIONS 10
#define NAMED	     4	/* network namespaces that are named one by one */

/* One counter of all namespaces. */
struct line {
	uint64_t kernel;
	uint64_t recorded;
	uint64_t explained[EXPLANATIONS];
	size_t odd;	/* namespaces with a difference that is not */
	struct {
		uint32_t netns;
		int64_t difference;
	} odds[NAMED];
	int64_t odd_rest;
};

struct account {
	struct line lines[RECONCILED_COUNT];
	size_t spaces;
	size_t gone;
	uint64_t failed;	/* TCPAbortFailed */
};

/* As of the last look; lost: how many records were. */
void account_make(struct account *account, const struct spaces *spaces, uint64_t lost);

/* In the order in which they are asked: in words, and 1 where the kernel has counted more than
 * was recorded, -1 where it has counted less. */
const char *account_words(size_t explanation);
int account_sign(size_t explanation);

#endif
