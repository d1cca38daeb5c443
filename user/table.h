/* SPDX-License-Identifier: GPL-2.0-only */
/* A table for people: as wide as what is in it, and no wider than the terminal. */
#ifndef CLOSETRACE_TABLE_H
#define CLOSETRACE_TABLE_H

#include <stdbool.h>

#include "user/out.h"

struct table_text;

struct table_text *table_new(void);	/* NULL: no memory, which the others forgive */
void table_free(struct table_text *table);
void table_column(struct table_text *table, const char *head, bool is_number);

/* A row: its cells from the left.  Marked rows stand out where there are colours. */
void table_row(struct table_text *table, bool marked);
void table_cell(struct table_text *table, const char *text);

/* With the terminal's width, and its colours; 0: it is none. */
void table_print(struct table_text *table, struct out *out, int width);

#endif
