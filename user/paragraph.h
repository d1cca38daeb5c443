/* SPDX-License-Identifier: GPL-2.0-only */
/* Plain words for people, put together piece by piece and broken into lines at the end. */
#ifndef CLOSETRACE_PARAGRAPH_H
#define CLOSETRACE_PARAGRAPH_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define PARAGRAPH_SIZE 4096

struct paragraph {
	char text[PARAGRAPH_SIZE];
	size_t used;
};

/* No line is broken here, as between a number and its unit. */
#define HARD_SPACE "\x1f"

/* What does not fit is left out. */
__attribute__((format(printf, 2, 3))) void paragraph_add(struct paragraph *paragraph,
							  const char *format, ...);

/* Somebody else's bytes, escaped as in a record. */
void paragraph_add_foreign(struct paragraph *paragraph, const char *text);

/* "1.3 MB", "1 byte". */
void paragraph_add_bytes(struct paragraph *paragraph, uint64_t bytes);

/* In lines of so many columns: the first begins with the mark, the others with as many spaces. */
void paragraph_put(const char *text, FILE *to, int width, const char *mark);

#endif
