// SPDX-License-Identifier: GPL-2.0-only
/* A line that says how much there was, a table for each thing that it is counted by, and how the
 * closes are spread over each size. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "user/fields.h"
#include "user/summary.h"
#include "user/table.h"
#include "user/utf8.h"

#define FIRST_ROWS 20 /* of processes, peers and sites there may be thousands */
#define BAR        40
#define CELL       512

static void escape(const char *text, char *to)
{
	while (*text) {
		int length = utf8_shown(text);

		if (length)
			to = mempcpy(to, text, length);
		else
			to += sprintf(to, "\\x%02x", (unsigned char)*text);
		text += length ? length : 1;
	}
	*to = '\0';
}

/* A site has at most 103 bytes, each of which may take four. */
static void write_cell(const struct value *value, char cell[CELL])
{
	switch (value->type) {
	case VALUE_NUMBER:
		snprintf(cell, CELL, "%" PRIu64, value->number);
		break;
	case VALUE_WORD:
		snprintf(cell, CELL, "%s", value->text);
		break;
	case VALUE_FOREIGN:
		escape(value->text, cell);
		break;
	default:
		strcpy(cell, "-");
	}
}

static void put_row(struct table_text *table, const struct column *columns, const struct row *row)
{
	char cell[CELL];

	table_row(table, row->sums.sent);
	for (const struct column *column = columns; column->get; column++) {
		struct value value = { .type = VALUE_NULL };

		if (!column->head)
			continue;
		column->get(row, &value);
		write_cell(&value, cell);
		table_cell(table, cell);
	}
}

static size_t rows_shown(const struct rows *rows, bool all)
{
	return all || rows->count <= FIRST_ROWS ? rows->count : FIRST_ROWS;
}

static void put_section(struct out *out, const struct section_view *view, const struct rows *rows,
			bool all)
{
	struct table_text *table = table_new();
	size_t shown = rows_shown(rows, all);

	out_char(out, '\n');
	for (const struct column *column = view->columns; column->get; column++)
		if (column->head)
			table_column(table, column->head, column->is_number);
	for (size_t i = 0; i < shown; i++)
		put_row(table, view->columns, &rows->at[i]);
	table_print(table, out, out_width(out));
	table_free(table);
	if (shown < rows->count) {
		out_text(out, "and ");
		out_number(out, rows->count - shown);
		out_text(out, " more\n");
	}
}

/* ---- how they are spread ------------------------------------------------------------ */

static uint64_t highest(const uint64_t *counts)
{
	uint64_t most = 0;

	for (unsigned int slot = 0; slot < SIZE_SLOTS; slot++)
		if (counts[slot] > most)
			most = counts[slot];
	return most;
}

/* What is there at all is seen. */
static int bar_length(uint64_t count, uint64_t most)
{
	int length = (double)count / most * BAR;

	return count && !length ? 1 : length;
}

static void put_slot(struct table_text *table, unsigned int slot, uint64_t count, uint64_t most)
{
	static const char full[BAR + 1] = "########################################";
	char cell[CELL];

	table_row(table, false);
	if (slot_least(slot) == slot_most(slot))
		snprintf(cell, sizeof(cell), "%" PRIu64, slot_least(slot));
	else
		snprintf(cell, sizeof(cell), "%" PRIu64 " to %" PRIu64, slot_least(slot),
			 slot_most(slot));
	table_cell(table, cell);
	snprintf(cell, sizeof(cell), "%" PRIu64, count);
	table_cell(table, cell);
	snprintf(cell, sizeof(cell), "%.*s", bar_length(count, most), full);
	table_cell(table, cell);
}

static void put_sizes(struct out *out, const char *title, const uint64_t *counts)
{
	struct table_text *table = table_new();
	uint64_t most = highest(counts);
	unsigned int first = 0, last = SIZE_SLOTS;

	out_char(out, '\n');
	while (!counts[first])
		first++;
	while (!counts[last - 1])
		last--;
	table_column(table, title, true);
	table_column(table, "CLOSES", true);
	table_column(table, "HISTOGRAM", false);
	for (unsigned int slot = first; slot < last; slot++)
		put_slot(table, slot, counts[slot], most);
	table_print(table, out, out_width(out));
	table_free(table);
}

/* ---- the whole ------------------------------------------------------------------------ */

/* "12:00:01 in 1.0 s: 3 closes, 1 resets, 0 unknown" */
static void put_head(struct out *out, const struct summary *summary)
{
	struct value now;
	char clock[16], line[160];
	time_t second;
	struct tm tm;

	fields_put_time(&now, summary->end_ns);
	second = now.number / 1000000000;
	strftime(clock, sizeof(clock), "%H:%M:%S", localtime_r(&second, &tm));
	snprintf(line, sizeof(line),
		 "%s in %.1f s: %" PRIu64 " closes, %" PRIu64 " resets, %" PRIu64 " unknown\n",
		 clock, (summary->end_ns - summary->begin_ns) / 1e9, summary->closes,
		 summary->resets, summary->unknown);
	out_text(out, line);
}

void summary_text(struct out *out, const struct summary *summary, bool all)
{
	put_head(out, summary);
	for (int i = 0; i < SECTION_COUNT; i++)
		if (summary->sections[i].count)
			put_section(out, &sections[i], &summary->sections[i], all);
	for (int i = 0; i < SIZE_COUNT; i++)
		if (highest(summary->sizes[i]))
			put_sizes(out, sizes[i].title, summary->sizes[i]);
	out_end(out);
}
