// SPDX-License-Identifier: GPL-2.0-only
/*
 * A table for people: columns first, then the details that are worth telling as
 * word=value.  Into a file or a pipe it is one line a record, without a head; on
 * a terminal the details go on below, indented, rather than break at the edge.
 */
#include <string.h>
#include <time.h>

#include "user/fields.h"
#include "user/sink.h"
#include "user/utf8.h"

#define WIDE	120
#define INDENT	13	/* below the second column */

static struct {
	int width;	/* of the terminal; 0: as long as it gets */
	int verbose;
	int used;	/* of the line that is being written */
} line;

static void space(struct out *out, int width)
{
	out_spaces(out, width);
	line.used += width;
}

/* Returns how many columns it took. */
static int foreign(struct out *out, const char *text)
{
	static const char hex[] = "0123456789abcdef";
	uint32_t character;
	int width = 0;

	while (*text) {
		int length = utf8_next(text, &character);

		if (length && utf8_is_harmless(character) && character != '\\') {
			out_bytes(out, text, length);
			width++;
		} else {
			length = 1;
			out_text(out, "\\x");
			out_char(out, hex[(unsigned char)*text >> 4]);
			out_char(out, hex[*text & 15]);
			width += 4;
		}
		text += length;
	}
	return width;
}

/* Local time of day, as the clock on the wall of whoever reads it. */
static int put_time(struct out *out, uint64_t ns)
{
	static time_t last = -1;
	static char text[16];
	time_t second = ns / 1000000000;
	struct tm tm;

	if (second != last)
		strftime(text, sizeof(text), "%H:%M:%S.", localtime_r(&second, &tm));
	last = second;
	out_text(out, text);
	out_zeros(out, ns / 1000000 % 1000, 3);
	return 12;
}

static int digits(uint64_t number)
{
	int count = 1;

	while (number /= 10)
		count++;
	return count;
}

static int put_word(struct out *out, const char *word)
{
	out_text(out, word);
	return strlen(word);
}

static int put_value(struct out *out, const struct value *value)
{
	switch (value->type) {
	case VALUE_NUMBER:
		out_number(out, value->number);
		return digits(value->number);
	case VALUE_TRUTH:
		return put_word(out, value->number ? "yes" : "no");
	case VALUE_WORD:
		return put_word(out, value->text);
	case VALUE_FOREIGN:
		return foreign(out, value->text);
	case VALUE_TIME:
		return put_time(out, value->number);
	default:
		return put_word(out, "-");
	}
}

static int is_column(const struct field *field)
{
	return field->head && (!field->wide || !line.width || line.width >= WIDE);
}

static int is_detail(const struct field *field)
{
	if (is_column(field) || field->get == fields->get)
		return 0;
	/* Every fact by its own name, instead of those that say two at once. */
	if (line.verbose && !field->head)
		return field->key != NULL;
	return field->head || field->detail;
}

static void new_line(struct out *out)
{
	out_char(out, '\n');
	line.used = 0;
	space(out, INDENT);
}

/* What it would take, at the most: details are short. */
static int width_of(const struct field *field, const struct value *value)
{
	int name = strlen(field->detail ? field->detail : field->head ? "" : field->key);

	return name + 1 + (value->type == VALUE_NUMBER ? digits(value->number) :
			   value->type == VALUE_WORD ? (int)strlen(value->text) : 4);
}

static void put_name(struct out *out, const struct field *field)
{
	if (field->head)
		return;
	if (field->detail) {
		line.used += put_word(out, field->detail);
		return;
	}
	line.used += put_word(out, field->key);
	line.used += put_word(out, "=");
}

static void put_detail(struct out *out, const struct field *field, const struct value *value)
{
	if (line.width && line.used + 1 + width_of(field, value) > line.width)
		new_line(out);
	else
		space(out, 1);
	put_name(out, field);
	line.used += put_value(out, value);
}

static int is_worth_telling(const struct field *field, const struct value *value)
{
	if (value->type == VALUE_NULL)
		return 0;
	if (field->head || (line.verbose && field->key))
		return 1;
	return value->type == VALUE_WORD || value->number;
}

static void put_column(struct out *out, const struct field *field, const struct value *value)
{
	int taken;

	if (line.used)
		space(out, 1);
	taken = put_value(out, value);
	line.used += taken;
	space(out, field->width - taken);
}

static void text_closed(struct out *out, const struct closed *closed)
{
	struct value value;

	line.used = 0;
	for (const struct field *field = fields; field->get; field++) {
		value.type = VALUE_NULL;
		if (!is_column(field))
			continue;
		field->get(closed, &value);
		put_column(out, field, &value);
	}
	for (const struct field *field = fields; field->get; field++) {
		value.type = VALUE_NULL;
		if (!is_detail(field))
			continue;
		field->get(closed, &value);
		if (is_worth_telling(field, &value))
			put_detail(out, field, &value);
	}
	out_end(out);
}

static void put_heads(struct out *out, int columns)
{
	for (const struct field *field = fields; field->get; field++) {
		if (!field->head || is_column(field) != columns)
			continue;
		if (line.used)
			space(out, 1);
		line.used += put_word(out, field->head);
		if (columns)
			space(out, field->width - (int)strlen(field->head));
	}
}

static void text_begin(struct out *heads, int width, int verbose)
{
	line.width = width;
	line.verbose = verbose;
	line.used = 0;
	if (!width)
		return;
	put_heads(heads, 1);
	if (width < WIDE) {
		new_line(heads);
		line.used = 0;
		put_heads(heads, 0);
	}
	out_text(heads, " DETAILS");
	out_end(heads);
}

const struct sink text_sink = {
	.begin = text_begin,
	.closed = text_closed,
};
