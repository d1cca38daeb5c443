// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a field can have is asked of the field, by a record that has the most of everything
 * and by one of which nothing is known; only for text it stands here.  A value that no record
 * can have is refused: with != its rule would hold whatever happens.
 */
#include <arpa/inet.h>
#include <ctype.h>
#include <err.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "user/call.h"
#include "user/expect.h"
#include "user/fields.h"
#include "user/sink.h"

#define COUNT(table) (sizeof(table) / sizeof(*(table)))

/* No kind of word has as many. */
#define MAX_WORDS 64

struct wanted {
	enum value_type type;	/* VALUE_WORD for all text */
	uint64_t number;
	const char *text;
};

struct expect {
	struct expect *next;
	const char *text;
	const struct field *field;
	bool differs;		/* != */
	char *values_text;	/* cut into its words */
	size_t count;
	struct wanted values[];
};

/* ---- what a field can have ------------------------------------------------------ */

static const char *event_word(unsigned int i)
{
	return i ? NULL : event_name(EVENT_CLOSE);
}

static const char *family_word(unsigned int i)
{
	static const char *const families[] = { "ipv4", "ipv6" };

	return i < COUNT(families) ? families[i] : NULL;
}

static bool is_comm(const char *text)
{
	return *text && strlen(text) < COMM_LEN;
}

static bool is_reason(const char *text)
{
	return isupper((unsigned char)*text) && strncmp(text, "SK_RST_", 7) &&
	       !text[strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789")];
}

/* As JSON spells it, which has IPv4-mapped IPv6 as IPv4. */
static bool is_address(const char *text)
{
	char again[INET6_ADDRSTRLEN];
	__u8 addr[16];
	int family = strchr(text, ':') ? AF_INET6 : AF_INET;

	return inet_pton(family, text, addr) == 1 &&
	       !strcmp(text, inet_ntop(family, addr, again, sizeof(again))) &&
	       strncmp(text, "::ffff:", 7);
}

static bool is_site(const char *text)
{
	return *text;
}

#define AN_ADDRESS "an address as JSON has it, such as 10.0.0.1 or 2001:db8::1"

/* The fields of text: either there is a list of what they can have, or a test. */
static const struct text {
	const char *key;
	const char *(*word)(unsigned int i);
	bool (*fits)(const char *text);
	const char *like;
} texts[] = {
	/* clang-format off */
	{ "event",     event_word },
	{ "context",   context_name },
	{ "family",    family_word },
	{ "branch",    branch_name },
	{ "sent",      sent_name },
	{ "state",     state_name },
	{ "new_state", state_name },
	{ "linger",    linger_name },
	{ "after",     after_name },
	{ "via",       via_name },
	{ "call",      call_by_index },
	{ "comm",      NULL, is_comm, "1 to 15 bytes" },
	{ "linger_set_comm", NULL, is_comm, "1 to 15 bytes" },
	{ "linger_set_at", NULL, is_site, "functions as -k has them, such as reset (net.c:19)" },
	{ "laddr",     NULL, is_address, AN_ADDRESS },
	{ "raddr",     NULL, is_address, AN_ADDRESS },
	{ "reason",    NULL, is_reason, "the kernel's name without SK_RST_REASON_, such as TCP_STATE" },
	/* clang-format on */
};

static const struct text *text_of(const struct field *field)
{
	for (const struct text *text = texts; text < texts + COUNT(texts); text++)
		if (!strcmp(text->key, field->key))
			return text;
	return NULL;
}

static struct value value_of(const struct field *field, const struct close_event *event)
{
	const struct record record = { .event = event };
	struct value value = { .type = VALUE_NULL };

	field->get(&record, &value);
	return value;
}

/* Its type, and the largest of its numbers. */
static struct value most_of(const struct field *field)
{
	struct close_event event;

	memset(&event, 0xff, sizeof(event));
	event.kind = EVENT_CLOSE;
	event.facts = WAS_LINGER;
	event.comm[0] = '\0';
	return value_of(field, &event);
}

static bool may_be_null(const struct field *field)
{
	/* All that may be lacking is. */
	static const struct close_event unknown = { .kind = EVENT_CLOSE, .facts = ~WAS_LINGER };

	return value_of(field, &unknown).type == VALUE_NULL;
}

/* ---- values --------------------------------------------------------------------- */

static bool to_number(const char *text, uint64_t most, uint64_t *number)
{
	char *end;

	if (!isdigit((unsigned char)*text))
		return false;
	errno = 0;
	*number = strtoull(text, &end, 10);
	return !errno && !*end && *number <= most;
}

static bool to_truth(const char *text, uint64_t *number)
{
	*number = !strcmp(text, "true");
	return *number || !strcmp(text, "false");
}

/* As JSON has it, to the nanosecond. */
static bool to_time(const char *text, uint64_t *number)
{
	struct tm tm = {};
	const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S.", &tm);

	if (!rest || strspn(rest, "0123456789") != 9 || strcmp(rest + 9, "Z"))
		return false;
	*number = timegm(&tm) * UINT64_C(1000000000) + strtoul(rest, NULL, 10);
	return true;
}

static bool fits(const struct text *text, const char *value)
{
	if (text->fits)
		return text->fits(value);
	for (unsigned int i = 0; i < MAX_WORDS; i++)
		if (text->word(i) && !strcmp(text->word(i), value))
			return true;
	return false;
}

/* false: the field can have no such value. */
static bool want(const struct field *field, const char *value, struct wanted *wanted)
{
	const struct text *text = text_of(field);
	struct value most = most_of(field);

	if (!strcmp(value, "null") && may_be_null(field))
		return true;
	*wanted = (struct wanted){ .type = text ? VALUE_WORD : most.type, .text = value };
	switch (wanted->type) {
	case VALUE_WORD:
		return text && fits(text, value);
	case VALUE_NUMBER:
		return to_number(value, most.number, &wanted->number);
	case VALUE_TRUTH:
		return to_truth(value, &wanted->number);
	case VALUE_TIME:
		return to_time(value, &wanted->number);
	default:
		return false;
	}
}

static bool is_value(const struct value *value, const struct wanted *wanted)
{
	switch (value->type) {
	case VALUE_NULL:
		return wanted->type == VALUE_NULL;
	case VALUE_WORD:
	case VALUE_FOREIGN:
		return wanted->type == VALUE_WORD && !strcmp(value->text, wanted->text);
	default:
		return wanted->type == value->type && wanted->number == value->number;
	}
}

/* ---- what would be right ---------------------------------------------------------- */

struct line {
	char *text;
	size_t size, used;
};

__attribute__((format(printf, 2, 3))) static void add(struct line *line, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	line->used += vsnprintf(line->text + line->used, line->size - line->used, format, args);
	va_end(args);
	if (line->used >= line->size)
		line->used = line->size - 1;
}

static void add_words(struct line *line, const char *(*word)(unsigned int i))
{
	const char *before = "one of ";

	for (unsigned int i = 0; i < MAX_WORDS; i++) {
		if (!word(i))
			continue;
		add(line, "%s%s", before, word(i));
		before = ", ";
	}
}

static void add_type(struct line *line, const struct value *most)
{
	switch (most->type) {
	case VALUE_NUMBER:
		add(line, "a number");
		if (most->number <= UINT32_MAX)
			add(line, " up to %llu", (unsigned long long)most->number);
		break;
	case VALUE_TRUTH:
		add(line, "one of true, false");
		break;
	case VALUE_TIME:
		add(line, "a time as JSON has it: 2026-01-31T12:00:00.000000000Z");
		break;
	default:
		add(line, "nothing that could be compared");
	}
}

static void tell_values(const struct field *field, struct line *line)
{
	const struct text *text = text_of(field);
	struct value most = most_of(field);

	add(line, "%s is ", field->key);
	if (!text)
		add_type(line, &most);
	else if (text->word)
		add_words(line, text->word);
	else
		add(line, "%s", text->like);
	if (may_be_null(field))
		add(line, ", or null");
}

static bool is_of_close(const struct field *field)
{
	return field->key && field->kinds & 1 << EVENT_CLOSE;
}

static void tell_keys(struct line *line)
{
	const char *before = "wanted is KEY=VALUE or KEY!=VALUE, with a key of closes: ";

	for (const struct field *field = fields; field->get; field++) {
		if (!is_of_close(field))
			continue;
		add(line, "%s%s", before, field->key);
		before = ", ";
	}
}

/* ---- rules ---------------------------------------------------------------------- */

static const struct field *find_field(const char *key, size_t length)
{
	for (const struct field *field = fields; field->get; field++)
		if (is_of_close(field) && strlen(field->key) == length &&
		    !strncmp(field->key, key, length))
			return field;
	return NULL;
}

static size_t count_words(const char *list)
{
	size_t count = 1;

	while ((list = strchr(list, ','))) {
		list++;
		count++;
	}
	return count;
}

static struct expect *new_rule(const struct field *field, const char *list)
{
	size_t count = count_words(list);
	struct expect *rule = calloc(1, sizeof(*rule) + count * sizeof(*rule->values));

	if (!rule)
		return NULL;
	rule->field = field;
	rule->count = count;
	rule->values_text = strdup(list);
	if (rule->values_text)
		return rule;
	free(rule);
	return NULL;
}

static bool take_values(struct expect *rule)
{
	char *rest = rule->values_text;

	for (size_t i = 0; i < rule->count; i++)
		if (!want(rule->field, strsep(&rest, ","), &rule->values[i]))
			return false;
	return true;
}

static void append(struct expect **rules, struct expect *rule)
{
	while (*rules)
		rules = &(*rules)->next;
	*rules = rule;
}

bool expect_add(struct expect **rules, const char *text, char *right, size_t right_size)
{
	size_t length = strcspn(text, "!=");
	const struct field *field = find_field(text, length);
	struct line line = { .text = right, .size = right_size };
	bool differs = text[length] == '!';
	struct expect *rule;

	if (!field || text[length + differs] != '=') {
		tell_keys(&line);
		return false;
	}
	rule = new_rule(field, text + length + differs + 1);
	if (!rule) {
		add(&line, "%s", strerror(errno));
		return false;
	}
	if (!take_values(rule)) {
		tell_values(field, &line);
		expect_free(rule);
		return false;
	}
	rule->text = text;
	rule->differs = differs;
	append(rules, rule);
	return true;
}

void expect_free(struct expect *rules)
{
	while (rules) {
		struct expect *next = rules->next;

		free(rules->values_text);
		free(rules);
		rules = next;
	}
}

static bool holds(const struct expect *rule, const struct record *closed)
{
	struct value value = { .type = VALUE_NULL };

	rule->field->get(closed, &value);
	for (size_t i = 0; i < rule->count; i++)
		if (is_value(&value, &rule->values[i]))
			return !rule->differs;
	return rule->differs;
}

const char *expect_broken(const struct expect *rules, const struct record *closed)
{
	for (; rules; rules = rules->next)
		if (!holds(rules, closed))
			return rules->text;
	return NULL;
}

/* JSON, whatever the records are: it has every key that a rule can be about. */
void expect_tell(const char *rule, const struct record *closed)
{
	struct out *out = out_on(STDERR_FILENO);

	warnx("-e %s does not hold for this close:", rule);
	if (!out)
		return;
	json_sink.record(out, closed);
	out_flush(out);
	out_close(out);
}
