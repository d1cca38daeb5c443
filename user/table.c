// SPDX-License-Identifier: GPL-2.0-only
#include <locale.h>
#include <stdlib.h>

#include <libsmartcols/libsmartcols.h>

#include "user/table.h"

struct table_text {
	struct libscols_table *table;
	struct libscols_line *row;
	size_t cells; /* of that row */
};

struct table_text *table_new(void)
{
	struct table_text *table = calloc(1, sizeof(*table));

	/* How wide the letters of a name are. */
	setlocale(LC_CTYPE, "");
	if (table)
		table->table = scols_new_table();
	if (table && table->table)
		return table;
	free(table);
	return NULL;
}

void table_free(struct table_text *table)
{
	if (!table)
		return;
	scols_unref_table(table->table);
	free(table);
}

void table_column(struct table_text *table, const char *head, bool is_number)
{
	if (table)
		scols_table_new_column(table->table, head, 0,
				       is_number ? SCOLS_FL_RIGHT : SCOLS_FL_TRUNC);
}

void table_row(struct table_text *table, bool marked)
{
	if (!table)
		return;
	table->row = scols_table_new_line(table->table, NULL);
	table->cells = 0;
	if (table->row && marked)
		scols_line_set_color(table->row, "red");
}

void table_cell(struct table_text *table, const char *text)
{
	if (table && table->row)
		scols_line_set_data(table->row, table->cells++, text);
}

/* It would look for a terminal at our stdout, which -o may have left. */
static void set_terminal(struct libscols_table *table, int width)
{
	scols_table_set_termforce(table, width ? SCOLS_TERMFORCE_ALWAYS : SCOLS_TERMFORCE_NEVER);
	if (width)
		scols_table_set_termwidth(table, width);
	scols_table_enable_colors(table, width != 0);
	scols_table_enable_minout(table, 1);
	/* The cells are harmless, and what is escaped in them is not to be escaped again. */
	scols_table_enable_noencoding(table, 1);
}

void table_print(struct table_text *table, struct out *out, int width)
{
	char *text = NULL;

	if (!table)
		return;
	set_terminal(table->table, width);
	if (!scols_print_table_to_string(table->table, &text) && text) {
		out_text(out, text);
		out_char(out, '\n');
	}
	free(text);
}
