/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the words of a record mean, one row a word.  A row costs at most 12 lines of 80 columns on
 * the terminal, which is 11 of 68 for its members.
 */
#ifndef CLOSETRACE_WORDS_H
#define CLOSETRACE_WORDS_H

#include <stddef.h>

#include "user/paragraph.h"

enum word_kind {
	WORD_BRANCH,
	WORD_LINGER,
	WORD_AFTER,
	WORD_CAUSE,
	WORD_END,
};

/* Counters are named as nstat does.  The kernel's reason is known from 6.12 on, that of an answer to
 * a segment from 6.10. */
struct word {
	enum word_kind kind;
	unsigned int value;
	const char *brief;	/* fits the list: at most 58 columns; NULL: ends the table */
	const char *means;
	const char *wire;	/* as tcpdump prints it */
	const char *counters;
	const char *causes;
	const char *change;	/* for everybody; what is one program's own: word_change() */
};

/* Tables; words_next() goes through both. */
extern const struct word words_of_closes[];
extern const struct word words_of_resets[];

/* The first after NULL; NULL after the last. */
const struct word *words_next(const struct word *word);

const struct word *words_find(enum word_kind kind, unsigned int value);	/* one that there is */

const char *word_name(const struct word *word);
const char *word_kind_name(enum word_kind kind);
const char *word_kind_head(enum word_kind kind);

/* What to do where it is met, with the settings of programs; not NULL: only of this comm's. */
void word_change(struct paragraph *to, const struct word *word, const char *comm);

#endif
