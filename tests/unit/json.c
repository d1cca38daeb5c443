// SPDX-License-Identifier: GPL-2.0-only
/* One object a line, read back by a parser that is not ours. */
#include "tests/unit/sample.h"

#include <jansson.h>
#include <time.h>

#include "user/fields.h"

static json_t *parsed_record(const struct record *record)
{
	char *text = shown_record(&json_sink, 0, 0, record);
	json_error_t error;
	json_t *object = json_loads(text, JSON_REJECT_DUPLICATES, &error);

	if (!object)
		fail_msg("%s: %s", error.text, text);
	assert_non_null(strchr(text, '\n'));
	assert_string_equal(strchr(text, '\n'), "\n");
	free(text);
	return object;
}

static json_t *parsed(const struct close_event *event)
{
	const struct record closed = { .event = event, .verdict = judge(event) };

	return parsed_record(&closed);
}

/* ---- the contract ------------------------------------------------------------------ */

/* clang-format off */
struct key {
	const char *key;
	json_type type;
	bool may_be_null;
};

static const struct key keys[] = {
	{ "event",         JSON_STRING },
	{ "time",          JSON_STRING },
	{ "id",            JSON_INTEGER },
	{ "pid",           JSON_INTEGER },
	{ "tid",           JSON_INTEGER },
	{ "comm",          JSON_STRING },
	{ "uid",           JSON_INTEGER },
	{ "context",       JSON_STRING },
	{ "cgroup",        JSON_INTEGER },
	{ "netns",         JSON_INTEGER },
	{ "family",        JSON_STRING },
	{ "laddr",         JSON_STRING },
	{ "lport",         JSON_INTEGER },
	{ "raddr",         JSON_STRING },
	{ "rport",         JSON_INTEGER },
	{ "branch",        JSON_STRING },
	{ "sent",          JSON_STRING,  true },
	{ "state",         JSON_STRING },
	{ "new_state",     JSON_STRING },
	{ "linger_s",      JSON_INTEGER, true },
	{ "linger",        JSON_STRING,  true },
	{ "linger_set_time",  JSON_STRING,  true },
	{ "linger_set_pid",   JSON_INTEGER, true },
	{ "linger_set_tid",   JSON_INTEGER, true },
	{ "linger_set_comm",  JSON_STRING,  true },
	{ "linger_set_at",    JSON_STRING,  true },
	{ "linger_inherited", JSON_TRUE,    true },
	{ "nonblock",      JSON_TRUE,    true },
	{ "unread_bytes",  JSON_INTEGER },
	{ "unsent_bytes",  JSON_INTEGER, true },
	{ "unacked_bytes", JSON_INTEGER, true },
	{ "blocked_us",    JSON_INTEGER, true },
	{ "mptcp",         JSON_TRUE,    true },
	{ "reason",        JSON_STRING,  true },
	{ "after",         JSON_STRING,  true },
	{ "via",           JSON_STRING },
	{ "call",          JSON_STRING,  true },
};

/* Of an owner that was found in /proc the thread is not known, nor what we may not look at. */
static const struct key reset_keys[] = {
	{ "event",         JSON_STRING },
	{ "time",          JSON_STRING },
	{ "direction",     JSON_STRING },
	{ "cause",         JSON_STRING },
	{ "owner",         JSON_STRING,  true },
	{ "id",            JSON_INTEGER, true },
	{ "pid",           JSON_INTEGER, true },
	{ "tid",           JSON_INTEGER, true },
	{ "comm",          JSON_STRING,  true },
	{ "uid",           JSON_INTEGER, true },
	{ "cgroup",        JSON_INTEGER, true },
	{ "netns",         JSON_INTEGER },
	{ "family",        JSON_STRING },
	{ "laddr",         JSON_STRING },
	{ "lport",         JSON_INTEGER },
	{ "raddr",         JSON_STRING },
	{ "rport",         JSON_INTEGER },
	{ "state",         JSON_STRING,  true },
	{ "reason",        JSON_STRING,  true },
	{ "via",           JSON_STRING },
};

static const struct key end_keys[] = {
	{ "event",         JSON_STRING },
	{ "time",          JSON_STRING },
	{ "id",            JSON_INTEGER },
	{ "pid",           JSON_INTEGER },
	{ "comm",          JSON_STRING },
	{ "netns",         JSON_INTEGER },
	{ "family",        JSON_STRING },
	{ "laddr",         JSON_STRING },
	{ "lport",         JSON_INTEGER },
	{ "raddr",         JSON_STRING },
	{ "rport",         JSON_INTEGER },
	{ "how",           JSON_STRING },
	{ "after_us",      JSON_INTEGER },
	{ "via",           JSON_STRING },
};
static const struct key linger_keys[] = {
	{ "event",         JSON_STRING },
	{ "time",          JSON_STRING },
	{ "id",            JSON_INTEGER },
	{ "pid",           JSON_INTEGER },
	{ "tid",           JSON_INTEGER },
	{ "comm",          JSON_STRING },
	{ "uid",           JSON_INTEGER },
	{ "cgroup",        JSON_INTEGER },
	{ "netns",         JSON_INTEGER },
	{ "family",        JSON_STRING },
	{ "laddr",         JSON_STRING },
	{ "lport",         JSON_INTEGER },
	{ "raddr",         JSON_STRING },
	{ "rport",         JSON_INTEGER },
	{ "state",         JSON_STRING },
	{ "on",            JSON_TRUE },
	{ "seconds",       JSON_INTEGER, true },
	{ "mptcp",         JSON_TRUE,    true },
	{ "via",           JSON_STRING },
};
/* clang-format on */

static bool is_right(const json_t *value, json_type type, bool may_be_null)
{
	if (json_is_null(value))
		return may_be_null;
	return type == JSON_TRUE ? json_is_boolean(value) : value && json_typeof(value) == type;
}

/* And no other. */
static void has_keys(const struct record *record, const struct key *wanted, size_t count)
{
	json_t *object = parsed_record(record);

	for (size_t i = 0; i < count; i++)
		if (!is_right(json_object_get(object, wanted[i].key), wanted[i].type,
			      wanted[i].may_be_null))
			fail_msg("%s is missing or wrong", wanted[i].key);
	assert_int_equal(json_object_size(object), count);
	json_decref(object);
}

static void has_all_keys(const struct close_event *event)
{
	const struct record closed = { .event = event, .verdict = judge(event) };

	has_keys(&closed, keys, COUNT(keys));
}

static void every_close_has_every_key(void **state)
{
	struct close_event event;

	has_all_keys(&sample);
	for (size_t i = 0; i < COUNT(branches); i++) {
		event = sample_of(i);
		has_all_keys(&event);
		event.facts |= ~0U << 24;
		has_all_keys(&event);
	}
}

/* As -e tells the first that broke a rule, where all others are text. */
static void one_alone_needs_no_beginning(void **state)
{
	const struct record record = { .event = &sample, .verdict = judge(&sample) };
	int fd = memfd_create("out", MFD_CLOEXEC);
	struct out *out = out_on(fd);
	char *text, *usual;

	json_sink.record(out, &record);
	out_flush(out);
	out_close(out);
	text = contents(fd);
	usual = shown(&json_sink, 0, 0, &sample);
	assert_string_equal(text, usual);
	assert_non_null(strstr(text, "{\"event\":\"close\",\"time\":"));
	free(text);
	free(usual);
	close(fd);
}

static void has_null(const json_t *object, const char *key)
{
	if (!json_is_null(json_object_get(object, key)))
		fail_msg("%s is not null", key);
}

static void every_reset_has_every_key(void **state)
{
	struct close_event event;

	for (unsigned int cause = 0; cause < CAUSE_COUNT; cause++) {
		struct record record = reset_record(&event, cause, OWNER_NOBODY);

		event = of_nobody(reset_sample);
		event.id = event.state = 0;
		has_keys(&record, reset_keys, COUNT(reset_keys));
		event = reset_sample;
		record.owner = OWNER_SOCKET;
		has_keys(&record, reset_keys, COUNT(reset_keys));
		record.owner = OWNER_CLOSER;
		has_keys(&record, reset_keys, COUNT(reset_keys));
	}
}

static void every_end_has_every_key(void **state)
{
	for (unsigned int end = 0; end < END_COUNT; end++) {
		struct record record = end_record(&end_sample, end);

		has_keys(&record, end_keys, COUNT(end_keys));
	}
}

static void every_setting_has_every_key(void **state)
{
	struct close_event event = linger_sample;
	const struct record record = { .event = &event };
	json_t *object;

	has_keys(&record, linger_keys, COUNT(linger_keys));
	event.facts = LACKS_SUBFLOW;
	has_keys(&record, linger_keys, COUNT(linger_keys));
	object = parsed(&event);
	assert_true(json_is_false(json_object_get(object, "on")));
	has_null(object, "seconds");
	has_null(object, "mptcp");
	json_decref(object);
}

static void values_are_those_of_the_setting(void **state)
{
	json_t *object = parsed(&linger_sample);
	const char *event, *comm;
	int on, pid, tid, rport;
	json_int_t id, seconds;

	assert_int_equal(json_unpack(object, "{s:s,s:s,s:b,s:i,s:i,s:i,s:I,s:I}", "event", &event,
				     "comm", &comm, "on", &on, "pid", &pid, "tid", &tid, "rport",
				     &rport, "id", &id, "seconds", &seconds),
			 0);
	assert_string_equal(event, "linger");
	assert_string_equal(comm, "setter");
	assert_true(on);
	assert_int_equal(pid, 4040);
	assert_int_equal(tid, 4041);
	assert_int_equal(rport, 443);
	assert_int_equal(id, 77001);
	assert_int_equal(seconds, 5);
	json_decref(object);
}

/* Whoever closes. */
static void a_close_says_who_set_it(void **state)
{
	struct close_event event = sample;
	const char *comm;
	json_t *object;
	int pid, tid, inherited;

	event.setter = sample_setter;
	object = parsed(&event);
	assert_int_equal(json_unpack(object, "{s:i,s:i,s:s,s:b}", "linger_set_pid", &pid,
				     "linger_set_tid", &tid, "linger_set_comm", &comm,
				     "linger_inherited", &inherited),
			 0);
	assert_int_equal(pid, 4040);
	assert_int_equal(tid, 4041);
	assert_string_equal(comm, "setter");
	assert_false(inherited);
	json_decref(object);
	event.facts |= LINGER_INHERITED;
	object = parsed(&event);
	assert_true(json_is_true(json_object_get(object, "linger_inherited")));
	json_decref(object);
}

/* The kernel has set it itself then, over whatever it was. */
static void nobody_set_what_a_fastclose_has(void **state)
{
	struct close_event event = sample;
	json_t *object;

	event.setter = sample_setter;
	event.facts |= WAS_SUBFLOW | WAS_FASTCLOSE;
	object = parsed(&event);
	has_null(object, "linger_set_time");
	has_null(object, "linger_set_pid");
	has_null(object, "linger_inherited");
	json_decref(object);
}

static void null_is_null(void **state)
{
	static const char *const nulls[] = {
		"sent",          "linger_s",   "linger", "nonblock", "unsent_bytes",
		"unacked_bytes", "blocked_us", "reason", "after",    "linger_set_time",
		"linger_set_pid", "linger_set_tid", "linger_set_comm", "linger_inherited",
	};
	struct close_event event = sample_of(BRANCH_UNKNOWN);
	json_t *object;

	event.facts |= LACKS_BLOCKED | LACKS_NONBLOCK | LACKS_SENDQ | LACKS_AFTER;
	object = parsed(&event);
	for (size_t i = 0; i < COUNT(nulls); i++)
		has_null(object, nulls[i]);
	json_decref(object);
}

static void values_are_those_of_the_record(void **state)
{
	json_t *object = parsed(&sample);
	const char *family, *laddr, *raddr, *branch, *linger;
	int nonblock;
	json_int_t lport, netns, linger_s, blocked_us;

	assert_int_equal(json_unpack(object, "{s:s,s:s,s:s,s:s,s:s,s:b,s:I,s:I,s:I,s:I}", "family",
				     &family, "laddr", &laddr, "raddr", &raddr, "branch", &branch,
				     "linger", &linger, "nonblock", &nonblock, "lport", &lport,
				     "netns", &netns, "linger_s", &linger_s, "blocked_us",
				     &blocked_us),
			 0);
	assert_string_equal(family, "ipv4");
	assert_string_equal(laddr, "10.0.0.1");
	assert_string_equal(raddr, "192.0.2.200");
	assert_string_equal(branch, "fin");
	assert_string_equal(linger, "drained");
	assert_int_equal(nonblock, 0);
	assert_int_equal(lport, 40000);
	assert_int_equal(netns, 4026531840);
	assert_int_equal(linger_s, 5);
	assert_int_equal(blocked_us, 12345);
	json_decref(object);
}

static void nobody_is_null(void **state)
{
	static const char *const nulls[] = { "owner",  "pid", "tid",   "comm",  "uid",
					     "cgroup", "id",  "state", "reason" };
	struct close_event event = of_nobody(reset_sample);
	struct record record = reset_record(&event, CAUSE_NO_SOCKET, OWNER_NOBODY);
	json_t *object;

	event.id = event.state = 0;
	object = parsed_record(&record);
	for (size_t i = 0; i < COUNT(nulls); i++)
		has_null(object, nulls[i]);
	json_decref(object);
}

static void values_are_those_of_the_reset(void **state)
{
	struct record record = reset_record(&reset_sample, CAUSE_RESET_BY_PEER, OWNER_SOCKET);
	const char *event, *direction, *cause, *owner, *comm, *laddr, *tcp_state;
	json_t *object = parsed_record(&record);
	int pid, tid, uid, lport, rport;

	assert_int_equal(
		json_unpack(object, "{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:i, s:i, s:i, s:i, s:i}",
			    "event", &event, "direction", &direction, "cause", &cause, "owner",
			    &owner, "comm", &comm, "laddr", &laddr, "state", &tcp_state, "pid",
			    &pid, "tid", &tid, "uid", &uid, "lport", &lport, "rport", &rport),
		0);
	assert_string_equal(event, "reset");
	assert_string_equal(direction, "received");
	assert_string_equal(cause, "reset-by-peer");
	assert_string_equal(owner, "socket");
	assert_string_equal(comm, "server");
	assert_string_equal(laddr, "10.0.0.2");
	assert_string_equal(tcp_state, "ESTABLISHED");
	assert_int_equal(pid, 4343);
	assert_int_equal(tid, 4344);
	assert_int_equal(uid, 1001);
	assert_int_equal(lport, 40001);
	assert_int_equal(rport, 8443);
	json_decref(object);
}

static void values_are_those_of_the_end(void **state)
{
	struct record record = end_record(&end_sample, END_RETRANSMIT_TIMEOUT);
	json_t *object = parsed_record(&record);
	const char *event, *how, *comm;
	json_int_t id, pid, after_us;

	assert_int_equal(json_unpack(object, "{s:s, s:s, s:s, s:I, s:I, s:I}", "event", &event,
				     "how", &how, "comm", &comm, "id", &id, "pid", &pid, "after_us",
				     &after_us),
			 0);
	assert_string_equal(event, "end");
	assert_string_equal(how, "retransmit-timeout");
	assert_string_equal(comm, "client");
	assert_int_equal(id, 77001);
	assert_int_equal(pid, 4242);
	assert_int_equal(after_us, 1500000);
	json_decref(object);
}

/* Of numbers only the digits are sure: parsers stop at 2^63, or at 2^53. */
static void numbers_reach_their_limits(void **state)
{
	static const char *const wanted[] = {
		"\"id\":18446744073709551615,",
		"\"cgroup\":18446744073709551615,",
		"\"linger_s\":18446744073709551615,",
		"\"blocked_us\":18446744073709551,",
		"\"pid\":4294967295,",
		"\"uid\":4294967295,",
		"\"netns\":4294967295,",
		"\"unread_bytes\":4294967295,",
		"\"unsent_bytes\":4294967295,",
		"\"unacked_bytes\":4294967295,",
		"\"lport\":65535,",
		"\"rport\":65535,",
	};
	struct close_event event = sample;
	char *text;

	event.id = event.cgroup = event.linger_s = event.blocked_ns = UINT64_MAX;
	event.pid = event.uid = event.netns = UINT32_MAX;
	event.unread_bytes = event.unsent_bytes = event.unacked_bytes = UINT32_MAX;
	event.lport = event.rport = UINT16_MAX;
	text = shown(&json_sink, 0, 0, &event);
	for (size_t i = 0; i < COUNT(wanted); i++)
		if (!strstr(text, wanted[i]))
			fail_msg("%s is not in %s", wanted[i], text);
	free(text);
}

/* ---- time ---------------------------------------------------------------------------- */

/* 2026-11-22T17:07:39.012345678Z, and nothing else.  Nanoseconds since the epoch. */
static uint64_t moment(const char *text)
{
	unsigned int year, month, day, hour, minute, second, ns;
	struct tm tm = {};
	char z;

	assert_int_equal(strlen(text), 30);
	assert_int_equal(sscanf(text, "%4u-%2u-%2uT%2u:%2u:%2u.%9u%c", &year, &month, &day, &hour,
				&minute, &second, &ns, &z),
			 8);
	assert_int_equal(z, 'Z');
	tm.tm_year = year - 1900;
	tm.tm_mon = month - 1;
	tm.tm_mday = day;
	tm.tm_hour = hour;
	tm.tm_min = minute;
	tm.tm_sec = second;
	return timegm(&tm) * UINT64_C(1000000000) + ns;
}

static uint64_t moment_of(const json_t *object, const char *key)
{
	return moment(json_string_value(json_object_get(object, key)));
}

static uint64_t shown_moment(uint64_t time_ns)
{
	struct close_event event = sample;
	json_t *object;
	uint64_t ns;

	event.time_ns = time_ns;
	object = parsed(&event);
	ns = moment_of(object, "time");
	json_decref(object);
	return ns;
}

/* Over ends of seconds, days and years, and back. */
static void time_is_utc_to_the_nanosecond(void **state)
{
	static const uint64_t steps_ns[] = {
		0,
		1,
		999,
		999999999,
		1000000000,
		1000000001,
		86400000000000,
		31622400000000000,
		59000000007,
		2,
	};
	uint64_t zero_ns, rest_ns;
	struct timespec real, monotonic;

	setenv("TZ", "Asia/Kolkata", 1);
	tzset();
	fields_set_clock();
	clock_gettime(CLOCK_REALTIME, &real);
	clock_gettime(CLOCK_MONOTONIC, &monotonic);
	zero_ns = shown_moment(0);
	assert_in_range(zero_ns / 1000000000, real.tv_sec - monotonic.tv_sec - 2,
			real.tv_sec - monotonic.tv_sec + 2);
	for (size_t i = 0; i < COUNT(steps_ns); i++)
		assert_int_equal(shown_moment(steps_ns[i]), zero_ns + steps_ns[i]);
	/* The last nanosecond of a second, and the first ones of the next. */
	rest_ns = 1000000000 - zero_ns % 1000000000;
	assert_int_equal(shown_moment(rest_ns - 1), zero_ns + rest_ns - 1);
	assert_int_equal(shown_moment(rest_ns), zero_ns + rest_ns);
	assert_int_equal(shown_moment(rest_ns + 7), zero_ns + rest_ns + 7);
}

/* Of two times in one record, seconds to hours apart, each is its own; and again, in records that
 * come by turns. */
static void times_that_are_far_apart_do_not_mix(void **state)
{
	static const uint64_t back_s[] = { 0, 1, 15, 16, 17, 32, 59, 60, 3600, 86399, 86400 };
	uint64_t zero_ns = shown_moment(0), time_ns = 200000 * UINT64_C(1000000000) + 5;
	struct close_event event = sample;
	json_t *object;

	event.time_ns = time_ns;
	event.setter = sample_setter;
	for (size_t i = 0; i < 2 * COUNT(back_s); i++) {
		event.setter.time_ns = time_ns - back_s[i % COUNT(back_s)] * UINT64_C(1000000000);
		object = parsed(&event);
		assert_int_equal(moment_of(object, "time"), zero_ns + event.time_ns);
		assert_int_equal(moment_of(object, "linger_set_time"), zero_ns + event.setter.time_ns);
		json_decref(object);
	}
}

/* ---- names of processes ---------------------------------------------------------------- */

#define BROKEN "\xef\xbf\xbd" /* U+FFFD */

/* clang-format off */
static const struct {
	const char *comm;
	const char *value;	/* NULL: as it is */
} names[] = {
	{ "" },
	{ "client" },
	{ "a b" },
	{ "\"quoted\"" },
	{ "back\\slash" },
	{ "\\u0041" },
	{ "'}],:{[" },
	{ "a\"b\\c" },
	{ "\"" },
	{ "plain\xc3\xa9plain\n" },
	{ "\1\2\3\4\5\6\a\b\t\n\v\f\r\16\17" },
	{ "\x1b[31mred\x1b[0m" },
	{ "\x1b]0;title\a" },
	{ "\x7f" },
	{ "\xc3\xa9\xd0\x96" },				/* é, Ж */
	{ "\xe4\xb8\xad\xe6\x96\x87" },			/* 中文 */
	{ "\xf0\x9f\x98\x80" },				/* beyond the 16 bits of \u */
	{ "\xc2\x9b" "31m" },				/* CSI in C1 */
	{ "\xe2\x80\xae" "txt.exe" },			/* right to left */
	{ "\xe2\x80\xa8\xe2\x80\xa9" },			/* U+2028, U+2029 */
	{ "\xef\xbf\xbd" },
	{ "\xff",              BROKEN },
	{ "a\x80z",            "a" BROKEN "z" },
	{ "\xc3",              BROKEN },
	{ "\xc3(",             BROKEN "(" },
	{ "\xc0\xaf",          BROKEN BROKEN },		/* overlong / */
	{ "\xe0\x80\xaf",      BROKEN BROKEN BROKEN },
	{ "\xed\xa0\x80",      BROKEN BROKEN BROKEN },	/* a surrogate */
	{ "\xf4\x90\x80\x80",  BROKEN BROKEN BROKEN BROKEN },
	{ "012345678901\xe2\x82\xac" },			/* 15 bytes */
	{ "0123456789012\xe2\x82", "0123456789012" BROKEN BROKEN },	/* the kernel cuts at 15 */
};
/* clang-format on */

static void comes_back(const char *comm, const char *value)
{
	struct close_event event = sample;
	json_t *object;

	memset(event.comm, 0, sizeof(event.comm));
	memcpy(event.comm, comm, strlen(comm));
	object = parsed(&event);
	assert_string_equal(json_string_value(json_object_get(object, "comm")), value);
	json_decref(object);
}

static void any_name_comes_back(void **state)
{
	for (size_t i = 0; i < COUNT(names); i++)
		comes_back(names[i].comm, names[i].value ? names[i].value : names[i].comm);
}

static void any_byte_comes_back(void **state)
{
	for (int byte = 1; byte < 256; byte++) {
		const char comm[] = { '<', byte, '>', '\0' };

		comes_back(comm, byte < 0x80 ? comm : "<" BROKEN ">");
	}
}

/* ---- the other record -------------------------------------------------------------------- */

static void losses_are_records(void **state)
{
	int fd = memfd_create("out", MFD_CLOEXEC);
	struct out *out = out_on(fd);
	json_t *object;
	char *text;

	json_sink.lost(out, UINT64_C(9007199254740991), "ring");
	out_flush(out);
	out_close(out);
	text = contents(fd);
	object = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(object);
	assert_string_equal(json_string_value(json_object_get(object, "event")), "lost");
	assert_string_equal(json_string_value(json_object_get(object, "where")), "ring");
	assert_int_equal(json_integer_value(json_object_get(object, "count")), 9007199254740991);
	assert_int_equal(json_object_size(object), 3);
	assert_string_equal(strchr(text, '\n'), "\n");
	json_decref(object);
	free(text);
	close(fd);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_alone_needs_no_beginning),
		cmocka_unit_test(every_close_has_every_key),
		cmocka_unit_test(every_reset_has_every_key),
		cmocka_unit_test(every_setting_has_every_key),
		cmocka_unit_test(values_are_those_of_the_setting),
		cmocka_unit_test(a_close_says_who_set_it),
		cmocka_unit_test(nobody_set_what_a_fastclose_has),
		cmocka_unit_test(every_end_has_every_key),
		cmocka_unit_test(null_is_null),
		cmocka_unit_test(nobody_is_null),
		cmocka_unit_test(values_are_those_of_the_record),
		cmocka_unit_test(values_are_those_of_the_reset),
		cmocka_unit_test(values_are_those_of_the_end),
		cmocka_unit_test(numbers_reach_their_limits),
		cmocka_unit_test(time_is_utc_to_the_nanosecond),
		cmocka_unit_test(times_that_are_far_apart_do_not_mix),
		cmocka_unit_test(any_name_comes_back),
		cmocka_unit_test(any_byte_comes_back),
		cmocka_unit_test(losses_are_records),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
