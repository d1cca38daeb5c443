/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a trace comes to, in words: a paragraph for each thing that went wrong and each process
 * that it happened to, the one that did most damage first.  In memory that does not grow.
 */
#ifndef CLOSETRACE_FINDINGS_H
#define CLOSETRACE_FINDINGS_H

#include <stdint.h>
#include <stdio.h>

#include "user/judge.h"

struct findings;

struct findings *findings_new(void);	/* NULL with errno */
void findings_free(struct findings *findings);

/* The site is the line of code that called, in words; NULL: not known. */
void findings_add(struct findings *findings, const struct record *record, const char *site);

/* Once, at the end.  Nothing where nothing was found.  Where records were lost, it is said what that means. */
void findings_tell(struct findings *findings, FILE *to, int width, uint64_t lost);

#endif
