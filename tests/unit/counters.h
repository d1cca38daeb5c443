/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernel's counters by name, spelled here once more. */
#ifndef CLOSETRACE_TESTS_COUNTERS_H
#define CLOSETRACE_TESTS_COUNTERS_H

#include "tests/unit/sample.h"
#include "user/mib.h"

/* clang-format off */
#define CLOSE	"TCPAbortOnClose "
#define DATA	"TCPAbortOnData "
#define LINGER	"TCPAbortOnLinger "
#define MEMORY	"TCPAbortOnMemory "
#define TIMEOUT	"TCPAbortOnTimeout "
#define EMBRYO	"EmbryonicRsts "
#define RSTS	"OutRsts "
/* clang-format on */

static const char *const counter_names[COUNTERS_COUNT] = {
	"TCPAbortOnClose",   "TCPAbortOnData", "TCPAbortOnLinger", "TCPAbortOnMemory",
	"TCPAbortOnTimeout", "EmbryonicRsts",  "OutRsts",	   "TCPAbortFailed",
	"AttemptFails",	     "InSegs",	       "MPRstTx",	   "MPFastcloseTx",
};

/* 1 << enum counter each; wanted: each name with a blank behind it. */
static inline void is_set(uint32_t set, const char *wanted)
{
	char text[256] = "";

	for (int i = 0; i < COUNTERS_COUNT; i++) {
		if (!(set >> i & 1))
			continue;
		strcat(text, counter_names[i]);
		strcat(text, " ");
	}
	assert_string_equal(text, wanted);
}

#endif
