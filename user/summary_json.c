// SPDX-License-Identifier: GPL-2.0-only
/* One object a table, on one line. */
#include "user/fields.h"
#include "user/json.h"
#include "user/summary.h"

static void put_number(struct out *out, const char *key, uint64_t number)
{
	json_key(out, ',', key);
	out_number(out, number);
}

static void put_row(struct out *out, const struct column *columns, const struct row *row)
{
	char before = '{';

	for (const struct column *column = columns; column->get; column++) {
		struct value value = { .type = VALUE_NULL };

		if (!column->key)
			continue;
		column->get(row, &value);
		json_key(out, before, column->key);
		json_value(out, &value);
		before = ',';
	}
	out_char(out, '}');
}

static void put_section(struct out *out, const struct section_view *view, const struct rows *rows)
{
	json_key(out, ',', view->key);
	out_char(out, '[');
	for (size_t i = 0; i < rows->count; i++) {
		if (i)
			out_char(out, ',');
		put_row(out, view->columns, &rows->at[i]);
	}
	out_char(out, ']');
}

static void put_slot(struct out *out, unsigned int slot, uint64_t count)
{
	json_key(out, '{', "least");
	out_number(out, slot_least(slot));
	put_number(out, "most", slot_most(slot));
	put_number(out, "closes", count);
	out_char(out, '}');
}

static void put_sizes(struct out *out, const struct size_view *view, const uint64_t *counts)
{
	bool any = false;

	json_key(out, ',', view->key);
	out_char(out, '[');
	for (unsigned int slot = 0; slot < SIZE_SLOTS; slot++) {
		if (!counts[slot])
			continue;
		if (any)
			out_char(out, ',');
		put_slot(out, slot, counts[slot]);
		any = true;
	}
	out_char(out, ']');
}

static void put_head(struct out *out, const struct summary *summary)
{
	struct value time;

	json_key(out, '{', "event");
	out_text(out, "\"summary\"");
	json_key(out, ',', "time");
	fields_put_time(&time, summary->end_ns);
	json_value(out, &time);
	put_number(out, "duration_us", (summary->end_ns - summary->begin_ns) / 1000);
	put_number(out, "closes", summary->closes);
	put_number(out, "resets", summary->resets);
	put_number(out, "unknown", summary->unknown);
}

void summary_json(struct out *out, const struct summary *summary)
{
	put_head(out, summary);
	for (int i = 0; i < SECTION_COUNT; i++)
		put_section(out, &sections[i], &summary->sections[i]);
	for (int i = 0; i < SIZE_COUNT; i++)
		if (i == SIZE_BLOCKED && summary->lacks_blocked) {
			json_key(out, ',', sizes[i].key);
			out_text(out, "null");
		} else {
			put_sizes(out, &sizes[i], summary->sizes[i]);
		}
	out_char(out, '}');
	out_end(out);
}
