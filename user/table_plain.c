// SPDX-License-Identifier: GPL-2.0-only
/* For `make static`: distributions have libsmartcols only to be linked with as it runs.  Columns as
 * wide as what is in them, one byte a letter, no colours. */
#include <stdlib.h>
#include <string.h>

#include "user/table.h"

#define COLUMNS 16

struct table_text {
	char **cells; /* the heads first, row by row */
	size_t count;
	size_t room;
	size_t columns;
	size_t widths[COLUMNS];
	bool are_numbers[COLUMNS];
};

struct table_text *table_new(void)
{
	return calloc(1, sizeof(struct table_text));
}

void table_free(struct table_text *table)
{
	if (!table)
		return;
	for (size_t i = 0; i < table->count; i++)
		free(table->cells[i]);
	free(table->cells);
	free(table);
}

static void add_cell(struct table_text *table, size_t column, const char *text)
{
	size_t room = table->room ? table->room * 2 : 256;
	char **grown = table->cells;

	if (table->count == table->room) {
		grown = realloc(grown, room * sizeof(*grown));
		if (!grown)
			return;
		table->cells = grown;
		table->room = room;
	}
	grown[table->count++] = strdup(text);
	if (strlen(text) > table->widths[column])
		table->widths[column] = strlen(text);
}

void table_column(struct table_text *table, const char *head, bool is_number)
{
	if (!table || table->columns == COLUMNS)
		return;
	table->are_numbers[table->columns] = is_number;
	add_cell(table, table->columns++, head);
}

void table_row(struct table_text *table, bool marked)
{
}

void table_cell(struct table_text *table, const char *text)
{
	if (table)
		add_cell(table, table->count % table->columns, text);
}

static void put_cell(const struct table_text *table, size_t index, struct out *out)
{
	const char *text = table->cells[index] ? table->cells[index] : "";
	size_t column = index % table->columns, left = table->widths[column] - strlen(text);
	bool is_last = column + 1 == table->columns;

	if (column)
		out_char(out, ' ');
	if (table->are_numbers[column])
		out_spaces(out, left);
	out_text(out, text);
	if (is_last)
		out_char(out, '\n');
	else if (!table->are_numbers[column])
		out_spaces(out, left);
}

void table_print(struct table_text *table, struct out *out, int width)
{
	for (size_t i = 0; table && i < table->count; i++)
		put_cell(table, i, out);
}
