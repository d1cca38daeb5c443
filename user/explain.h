/* SPDX-License-Identifier: GPL-2.0-only */
/* closetrace explain: what a word of the output means and what to do about it. */
#ifndef CLOSETRACE_EXPLAIN_H
#define CLOSETRACE_EXPLAIN_H

#include "user/paragraph.h"

/* What kind of word it is. */
enum word {
	WORD_BRANCH,
	WORD_LINGER,
	WORD_AFTER,
	WORD_CAUSE,
	WORD_END,
};

/* Returns the exit status. */
int explain_main(int argc, char **argv);

const char *explain_name(enum word kind, unsigned int value);

/* What to do where this is met; of the settings of programs only those of comm. */
void explain_change(struct paragraph *to, enum word kind, unsigned int value, const char *comm);

#endif
