// SPDX-License-Identifier: GPL-2.0-only
/*
 * A table for people: columns first, then the details that are worth telling as
 * word=value.  Into a file or a pipe it is one line a record, without a head; on
 * a terminal the details go on below, indented, rather than break at the edge.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "user/fields.h"
#include "user/sink.h"
#include "user/stack.h"
#include "user/utf8.h"

#define MEDIUM	110
#define WIDE	150
#define INDENT	13	/* below the second column */
#define TELLING	3	/* frames of a stack, at most */

static struct {
	int width;	/* of the terminal; 0: as long as it gets */
	enum layout layout;
	int verbose;
	int used;	/* of the line that is being written */
} line;

static void space(struct out *out, int width)
{
	out_spaces(out, width);
	line.used += width;
}

/* Returns how many bytes that were. */
static int put_character(struct out *out, const char *text)
{
	static const char hex[] = "0123456789abcdef";
	int length = utf8_shown(text);

	if (length) {
		out_bytes(out, text, length);
		return length;
	}
	out_text(out, "\\x");
	out_char(out, hex[(unsigned char)*text >> 4]);
	out_char(out, hex[*text & 15]);
	return 1;
}

static void foreign(struct out *out, const char *text)
{
	out_foreign(out, text, put_character);
}

static int foreign_width(const char *text)
{
	int width = 0;

	for (;;) {
		size_t plain = utf8_plain(text);
		int length;

		width += plain;
		text += plain;
		if (!*text)
			return width;
		length = utf8_shown(text);
		width += length ? 1 : 4;
		text += length ? length : 1;
	}
}

/* Local time of day, as the clock on the wall of whoever reads it. */
static void put_time(struct out *out, uint64_t ns)
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
}

static int digits(uint64_t number)
{
	int count = 1;

	while (number /= 10)
		count++;
	return count;
}

static int width_of(const struct value *value)
{
	switch (value->type) {
	case VALUE_NUMBER:
		return digits(value->number);
	case VALUE_TRUTH:
		return value->number ? 3 : 2;
	case VALUE_WORD:
		return strlen(value->text);
	case VALUE_FOREIGN:
		return foreign_width(value->text);
	case VALUE_TIME:
		return 12;
	default:
		return 1;
	}
}

static void put_value(struct out *out, const struct value *value)
{
	line.used += width_of(value);
	switch (value->type) {
	case VALUE_NUMBER:
		out_number(out, value->number);
		break;
	case VALUE_TRUTH:
		out_text(out, value->number ? "yes" : "no");
		break;
	case VALUE_WORD:
		out_text(out, value->text);
		break;
	case VALUE_FOREIGN:
		foreign(out, value->text);
		break;
	case VALUE_TIME:
		put_time(out, value->number);
		break;
	default:
		out_char(out, '-');
	}
}

static void put_word(struct out *out, const char *word)
{
	out_text(out, word);
	line.used += strlen(word);
}

static enum layout layout_of(int width)
{
	if (!width || width >= WIDE)
		return LAYOUT_WIDE;
	return width >= MEDIUM ? LAYOUT_MEDIUM : LAYOUT_NARROW;
}

static int is_column(const struct field *field)
{
	return field->head && (!field->layout || field->layout[line.layout] == 'c');
}

static int is_sentence(const struct field *field)
{
	return field->detail && *field->detail == '\n';
}

static int is_detail(const struct field *field)
{
	if (is_column(field) || field->get == fields->get)
		return 0;
	if (field->layout)
		return field->layout[line.layout] == 'd';
	/* Every fact by its own name, instead of those that say two at once. */
	if (line.verbose)
		return field->key || field->verbose || is_sentence(field);
	return field->detail && !field->verbose;
}

/* Where each row goes: the same for every record. */
static enum place {
	PLACE_NOWHERE,
	PLACE_COLUMN,
	PLACE_DETAIL,
} places[FIELDS];

static void place_rows(void)
{
	for (const struct field *field = fields; field->get; field++)
		places[field - fields] = is_column(field) ? PLACE_COLUMN :
					 is_detail(field) ? PLACE_DETAIL : PLACE_NOWHERE;
}

static void new_line(struct out *out)
{
	out_char(out, '\n');
	line.used = 0;
	space(out, INDENT);
}

/* Before what takes so many columns: a space, or a new line where they are not left. */
static void make_room(struct out *out, int width)
{
	if (line.width && line.used > INDENT && line.used + 1 + width > line.width)
		new_line(out);
	else if (line.used && line.used != INDENT)
		space(out, 1);
}

/* Below the rest; where there is no terminal a record stays one line. */
static void put_sentence(struct out *out, const struct value *value)
{
	char words[sizeof(value->room)], *rest = words, *word;

	snprintf(words, sizeof(words), "%s", value->text);
	if (line.width && line.used > INDENT)
		new_line(out);
	while ((word = strsep(&rest, " "))) {
		int width = foreign_width(word);

		make_room(out, width);
		foreign(out, word);
		line.used += width;
	}
}

static void put_detail(struct out *out, const struct field *field, const struct value *value)
{
	const char *name = field->head ? "" : field->detail ? field->detail : field->key;
	const char *equals = field->head || field->detail ? "" : "=";

	make_room(out, strlen(name) + strlen(equals) + width_of(value));
	put_word(out, name);
	put_word(out, equals);
	put_value(out, value);
}

static int is_worth_telling(const struct field *field, const struct value *value)
{
	if (value->type == VALUE_NULL)
		return 0;
	if (field->head || (line.verbose && field->key))
		return 1;
	return value->type == VALUE_WORD || value->type == VALUE_FOREIGN || value->number;
}

static void put_column(struct out *out, const struct field *field, const struct value *value)
{
	int taken = width_of(value), width = taken > field->width ? taken : field->width;

	make_room(out, width);
	put_value(out, value);
	space(out, width - taken);
}

/* "at main+0x1b (client.c:12)", "at close+0x14 [/usr/lib/libc.so.6]", "at 0x7f1234" */
static void put_frame(struct out *out, const struct frame *frame)
{
	new_line(out);
	out_text(out, "at ");
	if (frame->sym) {
		foreign(out, frame->sym);
		out_text(out, "+0x");
		out_hex(out, frame->off);
	} else {
		out_text(out, "0x");
		out_hex(out, frame->addr);
	}
	if (frame->file) {
		out_text(out, " (");
		foreign(out, frame->file);
		out_char(out, ':');
		out_number(out, frame->line);
		out_char(out, ')');
	} else if (frame->module) {
		out_text(out, " [");
		foreign(out, frame->module);
		out_char(out, ']');
	}
}

/* Those that tell whose code it is are few; where there is no user's code, who called in the
 * kernel may. */
static void put_stack(struct out *out, const struct stack *stack)
{
	size_t told = 0;

	for (size_t i = 0; i < stack->user_count && (line.verbose || told < TELLING); i++) {
		if (!line.verbose && !frame_tells(&stack->frames[i]))
			continue;
		put_frame(out, &stack->frames[i]);
		told++;
	}
	for (size_t i = 0; i < stack->kernel_count && (line.verbose || told < TELLING); i++) {
		if (!line.verbose && stack->user_count)
			continue;
		put_frame(out, &stack->kernel[i]);
		told++;
	}
}

static void put_columns(struct out *out, const struct record *record)
{
	struct value value;

	for (size_t i = 0; fields[i].get; i++) {
		if (places[i] != PLACE_COLUMN)
			continue;
		value.type = VALUE_NULL;
		if (field_is_of(&fields[i], record))
			fields[i].get(record, &value);
		put_column(out, &fields[i], &value);
	}
}

static void put_details(struct out *out, const struct record *record)
{
	struct value value;

	for (size_t i = 0; fields[i].get; i++) {
		if (places[i] != PLACE_DETAIL || !field_is_of(&fields[i], record))
			continue;
		value.type = VALUE_NULL;
		fields[i].get(record, &value);
		if (!is_worth_telling(&fields[i], &value))
			continue;
		if (is_sentence(&fields[i]))
			put_sentence(out, &value);
		else
			put_detail(out, &fields[i], &value);
	}
}

static void text_record(struct out *out, const struct record *record)
{
	line.used = 0;
	put_columns(out, record);
	/* As the head has it. */
	if (line.layout == LAYOUT_NARROW)
		new_line(out);
	put_details(out, record);
	out_trim(out);
	if (record->stack)
		put_stack(out, record->stack);
	out_end(out);
}

static void put_heads(struct out *out, int columns)
{
	for (const struct field *field = fields; field->get; field++) {
		if (!field->head || places[field - fields] != (columns ? PLACE_COLUMN : PLACE_DETAIL))
			continue;
		if (line.used)
			space(out, 1);
		put_word(out, field->head);
		if (columns)
			space(out, field->width - (int)strlen(field->head));
	}
}

static void text_begin(struct out *heads, int width, int verbose)
{
	line.width = width;
	line.layout = layout_of(width);
	line.verbose = verbose;
	line.used = 0;
	place_rows();
	if (!width || !heads)
		return;
	put_heads(heads, 1);
	if (line.layout == LAYOUT_NARROW) {
		new_line(heads);
		line.used = 0;
		put_heads(heads, 0);
	}
	out_text(heads, " DETAILS");
	out_end(heads);
}

const struct sink text_sink = {
	.begin = text_begin,
	.record = text_record,
};
