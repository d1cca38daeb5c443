// SPDX-License-Identifier: GPL-2.0-only
/* One object a line.  Written by hand: a library that builds the object first takes
 * longer than the kernel takes to close the connection. */
#include <stdio.h>
#include <time.h>

#include "user/fields.h"
#include "user/json.h"
#include "user/sink.h"
#include "user/stack.h"
#include "user/utf8.h"

#define LABEL 32 /* no key comes near it */

static void quote(struct out *out, char c)
{
	out_char(out, '\\');
	out_char(out, c);
}

/* JSON asks it of C0 alone, whoever looks at it on a terminal of the rest too. */
static void escape(struct out *out, uint32_t character)
{
	static const char hex[] = "0123456789abcdef";

	out_text(out, "\\u");
	for (int shift = 12; shift >= 0; shift -= 4)
		out_char(out, hex[character >> shift & 15]);
}

/* Returns how many bytes that were. */
static int put_character(struct out *out, const char *text)
{
	uint32_t character;
	int length = utf8_next(text, &character);

	if (!length)
		out_text(out, "\\ufffd");
	else if (character == '"' || character == '\\')
		quote(out, character);
	else if (character < 0x10000 && !utf8_is_harmless(character))
		escape(out, character);
	else
		out_bytes(out, text, length);
	return length ? length : 1;
}

static void foreign(struct out *out, const char *text)
{
	out_foreign(out, text, put_character);
}

static void quoted(struct out *out, const char *text, void (*write)(struct out *, const char *))
{
	out_char(out, '"');
	write(out, text);
	out_char(out, '"');
}

#define SECONDS 16

/* RFC 3339.  The calendar is asked once a second; a close has the time of its setting beside its
 * own, so a few seconds are kept. */
static const char *second_text(time_t second)
{
	static struct {
		time_t second;
		char text[32];	/* empty: not made yet */
	} known[SECONDS];
	typeof(*known) *at = &known[second % SECONDS];
	struct tm tm;

	if (at->second == second && *at->text)
		return at->text;
	at->second = second;
	strftime(at->text, sizeof(at->text), "\"%Y-%m-%dT%H:%M:%S.", gmtime_r(&second, &tm));
	return at->text;
}

static void put_time(struct out *out, uint64_t ns)
{
	out_text(out, second_text(ns / 1000000000));
	out_zeros(out, ns % 1000000000, 9);
	out_text(out, "Z\"");
}

void json_value(struct out *out, const struct value *value)
{
	switch (value->type) {
	case VALUE_NULL:
		out_text(out, "null");
		break;
	case VALUE_NUMBER:
		out_number(out, value->number);
		break;
	case VALUE_TRUTH:
		out_text(out, value->number ? "true" : "false");
		break;
	case VALUE_WORD:
		quoted(out, value->text, out_text);
		break;
	case VALUE_FOREIGN:
		quoted(out, value->text, foreign);
		break;
	case VALUE_TIME:
		put_time(out, value->number);
		break;
	}
}

void json_key(struct out *out, char before, const char *key)
{
	out_char(out, before);
	quoted(out, key, out_text);
	out_char(out, ':');
}

static void put_text(struct out *out, const char *key, const char *text)
{
	out_text(out, key);
	if (text)
		quoted(out, text, foreign);
	else
		out_text(out, "null");
}

static void put_number(struct out *out, const char *key, bool known, uint64_t number)
{
	out_text(out, key);
	if (known)
		out_number(out, number);
	else
		out_text(out, "null");
}

/* An address is text: a number in JSON need not keep 64 bits. */
static void put_frame(struct out *out, const struct frame *frame)
{
	out_text(out, "{\"addr\":\"0x");
	out_hex(out, frame->addr);
	put_text(out, "\",\"sym\":", frame->sym);
	put_number(out, ",\"off\":", frame->sym, frame->off);
	put_text(out, ",\"module\":", frame->module);
	put_text(out, ",\"file\":", frame->file);
	put_number(out, ",\"line\":", frame->file, frame->line);
	out_char(out, '}');
}

static void put_frames(struct out *out, const char *key, const struct frame *frames, size_t count)
{
	out_text(out, key);
	if (!count) {
		out_text(out, "null");
		return;
	}
	for (size_t i = 0; i < count; i++) {
		out_char(out, i ? ',' : '[');
		put_frame(out, &frames[i]);
	}
	out_char(out, ']');
}

static void put_stack(struct out *out, const struct stack *stack)
{
	out_text(out, ",\"stack\":{");
	put_frames(out, "\"user\":", stack->frames, stack->user_count);
	put_frames(out, ",\"kernel\":", stack->kernel, stack->kernel_count);
	out_char(out, '}');
}

/* Each key with what is around it, beside its row: they are most of what there is to write, and
 * each is one copy this way. */
static struct {
	char text[LABEL];
	size_t size;
} labels[FIELDS];

/* The first row is of every kind. */
static void make_labels(void)
{
	for (size_t i = 0; fields[i].get; i++)
		if (fields[i].key)
			labels[i].size = snprintf(labels[i].text, LABEL, "%c\"%s\":", i ? ',' : '{',
						  fields[i].key);
}

static void json_begin(struct out *heads, int width, int verbose)
{
}

static void json_record(struct out *out, const struct record *record)
{
	struct value value;

	if (!labels[0].size)
		make_labels();
	for (size_t i = 0; fields[i].get; i++) {
		if (!fields[i].key || !field_is_of(&fields[i], record))
			continue;
		value.type = VALUE_NULL;
		fields[i].get(record, &value);
		out_bytes(out, labels[i].text, labels[i].size);
		json_value(out, &value);
	}
	if (record->stack)
		put_stack(out, record->stack);
	out_char(out, '}');
	out_end(out);
}

static void json_lost(struct out *out, uint64_t count, const char *where)
{
	out_text(out, "{\"event\":\"lost\",\"count\":");
	out_number(out, count);
	out_text(out, ",\"where\":");
	quoted(out, where, out_text);
	out_text(out, "}\n");
}

const struct sink json_sink = {
	.begin = json_begin,
	.record = json_record,
	.lost = json_lost,
};
