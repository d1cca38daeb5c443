// SPDX-License-Identifier: GPL-2.0-only
/* One row a fact: the right value, the right type, and null where it could not be known. */
#include "tests/unit/sample.h"

#include <arpa/inet.h>
#include <bpf/btf.h>
#include <time.h>

#include "user/fields.h"
#include "user/reason.h"

static const struct field *field_of(const char *key, const struct record *record)
{
	const struct field *field = fields;

	while (field->get &&
	       (!field->key || strcmp(field->key, key) || !field_is_of(field, record)))
		field++;
	if (!field->get)
		fail_msg("no field %s", key);
	return field;
}

static struct value got_of(const char *key, const struct record *record)
{
	struct value value = { .type = VALUE_NULL };

	field_of(key, record)->get(record, &value);
	return value;
}

/* A value's text may live in the value: it is compared before that is gone. */
static void is_word_of(const char *key, const struct record *record, const char *word)
{
	struct value value = { .type = VALUE_NULL };

	field_of(key, record)->get(record, &value);
	assert_int_equal(value.type, VALUE_WORD);
	assert_string_equal(value.text, word);
}

static void is_number_of(const char *key, const struct record *record, uint64_t number)
{
	struct value value = got_of(key, record);

	assert_int_equal(value.type, VALUE_NUMBER);
	assert_int_equal(value.number, number);
}

static void is_null_of(const char *key, const struct record *record)
{
	if (got_of(key, record).type != VALUE_NULL)
		fail_msg("%s is not null", key);
}

static struct value got(const char *key, const struct close_event *event)
{
	struct record closed = { .event = event, .verdict = judge(event) };

	return got_of(key, &closed);
}

static void is_word(const char *key, const struct close_event *event, const char *word)
{
	struct record closed = { .event = event, .verdict = judge(event) };

	is_word_of(key, &closed, word);
}

static void is_number(const char *key, const struct close_event *event, uint64_t number)
{
	struct record closed = { .event = event, .verdict = judge(event) };

	is_number_of(key, &closed, number);
}

static void is_null(const char *key, const struct close_event *event)
{
	struct record closed = { .event = event, .verdict = judge(event) };

	is_null_of(key, &closed);
}

static void numbers_are_what_the_kernel_saw(void **state)
{
	is_number("id", &sample, 77001);
	is_number("pid", &sample, 4242);
	is_number("tid", &sample, 4243);
	is_number("uid", &sample, 1000);
	is_number("cgroup", &sample, 8801);
	is_number("netns", &sample, 4026531840);
	is_number("lport", &sample, 40000);
	is_number("rport", &sample, 443);
	is_number("linger_s", &sample, 5);
	is_number("unread_bytes", &sample, 11);
	is_number("unsent_bytes", &sample, 22);
	is_number("unacked_bytes", &sample, 33);
	is_number("blocked_us", &sample, 12345);
}

static void words_are_the_verdict(void **state)
{
	is_word("event", &sample, "close");
	is_word("context", &sample, "syscall");
	is_word("family", &sample, "ipv4");
	is_word("laddr", &sample, "10.0.0.1");
	is_word("raddr", &sample, "192.0.2.200");
	is_word("branch", &sample, "fin");
	is_word("sent", &sample, "fin");
	is_word("state", &sample, "ESTABLISHED");
	is_word("new_state", &sample, "FIN_WAIT2");
	is_word("linger", &sample, "drained");
	is_word("after", &sample, "fin-wait2-timer");
	is_word("via", &sample, "fentry");
	assert_int_equal(got("comm", &sample).type, VALUE_FOREIGN);
	assert_string_equal(got("comm", &sample).text, "client");
	assert_int_equal(got("nonblock", &sample).type, VALUE_TRUTH);
	assert_int_equal(got("nonblock", &sample).number, 0);
}

/* ---- null -------------------------------------------------------------------------- */

static void what_was_not_seen_is_null(void **state)
{
	struct close_event event = sample;

	event.facts = WAS_CONNECTED | LACKS_BLOCKED | LACKS_NONBLOCK | LACKS_SENDQ | LACKS_AFTER |
		      LACKS_SUBFLOW;
	is_null("mptcp", &event);
	is_null("blocked_us", &event);
	is_null("nonblock", &event);
	is_null("unsent_bytes", &event);
	is_null("unacked_bytes", &event);
	is_null("linger_s", &event);
	is_null("linger", &event);
	is_null("after", &event);
	is_null("reason", &event);
	is_null("sent", &event);
	is_word("branch", &event, "unknown");
}

/* ... and a 0 that was seen is 0. */
static void zero_is_not_null(void **state)
{
	struct close_event event = sample_of(BRANCH_ZERO_LINGER);

	event.linger_s = event.unread_bytes = event.unsent_bytes = event.unacked_bytes =
		event.blocked_ns = 0;
	event.uid = 0;
	is_number("linger_s", &event, 0);
	is_number("unread_bytes", &event, 0);
	is_number("unsent_bytes", &event, 0);
	is_number("unacked_bytes", &event, 0);
	is_number("blocked_us", &event, 0);
	is_number("uid", &event, 0);
}

static void mptcp_is_true_or_false(void **state)
{
	struct close_event event = sample;

	assert_int_equal(got("mptcp", &event).type, VALUE_TRUTH);
	assert_int_equal(got("mptcp", &event).number, 0);
	event.facts |= WAS_SUBFLOW;
	assert_int_equal(got("mptcp", &event).type, VALUE_TRUTH);
	assert_int_equal(got("mptcp", &event).number, 1);
}

/* The kernel has set it on the subflow. */
static void a_fastclose_says_nothing_of_the_linger_setting(void **state)
{
	struct close_event event = sample_of(BRANCH_ZERO_LINGER);

	event.facts |= WAS_SUBFLOW | WAS_FASTCLOSE;
	is_word("branch", &event, "zero-linger");
	is_null("linger_s", &event);
	is_null("linger", &event);
}

static void nonblock_is_true_or_false(void **state)
{
	struct close_event event = sample;

	event.facts |= WAS_NONBLOCK;
	assert_int_equal(got("nonblock", &event).type, VALUE_TRUTH);
	assert_int_equal(got("nonblock", &event).number, 1);
}

static void a_state_without_a_name_is_null(void **state)
{
	struct close_event event = sample;

	event.state = event.new_state = 13;
	is_null("state", &event);
	is_null("new_state", &event);
}

/* ---- addresses ---------------------------------------------------------------------- */

static void every_ipv4_byte_is_written(void **state)
{
	struct close_event event = sample;
	char text[INET_ADDRSTRLEN];

	for (int byte = 0; byte < 256; byte++) {
		event.raddr[12] = event.raddr[15] = byte;
		event.raddr[13] = event.raddr[14] = 255 - byte;
		is_word("raddr", &event, inet_ntop(AF_INET, event.raddr + 12, text, sizeof(text)));
		is_word("family", &event, "ipv4");
	}
}

static void ipv6_is_written(void **state)
{
	/* Each as RFC 5952 has it. */
	static const char *const texts[] = {
		"::",
		"::1",
		"2001:db8::1",
		"fe80::1:0:0:1",
		"ff02::1",
		"1:2:3:4:5:6:7:8",
		"fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
		/* These only look like IPv4-mapped ones. */
		"::fffe:a00:1",
		"64:ff9b::a00:1",
		"1::ffff:a00:1",
	};
	struct close_event event = sample;

	for (size_t i = 0; i < COUNT(texts); i++) {
		assert_int_equal(inet_pton(AF_INET6, texts[i], event.laddr), 1);
		memcpy(event.raddr, event.laddr, sizeof(event.raddr));
		is_word("family", &event, "ipv6");
		is_word("laddr", &event, texts[i]);
		is_word("raddr", &event, texts[i]);
	}
}

/* An IPv6 socket that talks to IPv4 and was not bound to an address. */
static void one_mapped_end_makes_it_ipv4(void **state)
{
	struct close_event event = sample;

	memset(event.laddr, 0, sizeof(event.laddr));
	is_word("family", &event, "ipv4");
	/* ... or was bound to one and never connected. */
	event = sample;
	memset(event.raddr, 0, sizeof(event.raddr));
	is_word("family", &event, "ipv4");
}

/* ---- reasons -------------------------------------------------------------------------- */

static void reasons_are_the_running_kernels(void **state)
{
	struct btf *btf = btf__new_empty();
	struct close_event event = sample_of(BRANCH_UNREAD_DATA);

	assert_int_equal(btf__add_enum(btf, "sk_rst_reason", 4) > 0, 1);
	btf__add_enum_value(btf, "SK_RST_REASON_NOT_SPECIFIED", 0);
	btf__add_enum_value(btf, "SK_RST_REASON_TCP_ABORT_ON_CLOSE", 17);
	btf__add_enum_value(btf, "SK_RST_REASON_MAX", 255);
	btf__add_enum_value(btf, "SK_RST_REASON_TOO_LARGE", 256);
	btf__add_enum_value(btf, "STRANGER", 18);
	reason_load(btf);
	is_null("reason", &event);
	event.reason = 17;
	is_word("reason", &event, "TCP_ABORT_ON_CLOSE");
	event.reason = 18;
	is_null("reason", &event);
	assert_null(reason_name(256));
	assert_null(reason_name(-1));
	btf__free(btf);

	/* A kernel before v6.10. */
	btf = btf__new_empty();
	reason_load(btf);
	event.reason = 17;
	is_null("reason", &event);
	btf__free(btf);
}

/* ---- resets ---------------------------------------------------------------------------- */

static void a_reset_is_its_owners(void **state)
{
	struct record record = reset_record(&reset_sample, CAUSE_RESET_BY_PEER, OWNER_SOCKET);

	is_word_of("event", &record, "reset");
	is_word_of("direction", &record, "received");
	is_word_of("cause", &record, "reset-by-peer");
	is_word_of("owner", &record, "socket");
	is_number_of("id", &record, 77002);
	is_number_of("pid", &record, 4343);
	is_number_of("tid", &record, 4344);
	is_number_of("uid", &record, 1001);
	is_number_of("cgroup", &record, 8802);
	is_number_of("netns", &record, 4026531841);
	assert_int_equal(got_of("comm", &record).type, VALUE_FOREIGN);
	assert_string_equal(got_of("comm", &record).text, "server");
	is_word_of("family", &record, "ipv4");
	is_word_of("laddr", &record, "10.0.0.2");
	is_number_of("lport", &record, 40001);
	is_word_of("raddr", &record, "192.0.2.201");
	is_number_of("rport", &record, 8443);
	is_word_of("state", &record, "ESTABLISHED");
	is_word_of("via", &record, "kprobe");
	record.owner = OWNER_CLOSER;
	is_word_of("owner", &record, "closer");
}

static void a_reset_of_nobody_names_nobody(void **state)
{
	static const char *const nulls[] = { "owner",  "pid", "tid",   "comm",  "uid",
					     "cgroup", "id",  "state", "reason" };
	struct close_event event = of_nobody(reset_sample);
	struct record record = reset_record(&event, CAUSE_NO_SOCKET, OWNER_NOBODY);

	event.id = event.state = 0;
	for (size_t i = 0; i < COUNT(nulls); i++)
		is_null_of(nulls[i], &record);
	is_number_of("lport", &record, 40001);
}

/* Root is somebody; the thread of who was found in /proc is not known, nor may his uid be. */
static void what_is_not_known_of_an_owner_is_null(void **state)
{
	struct close_event event = reset_sample;
	struct record record = reset_record(&event, CAUSE_RESET_BY_PEER, OWNER_SOCKET);

	event.uid = 0;
	is_number_of("uid", &record, 0);
	event.uid = UID_UNKNOWN;
	event.tid = 0;
	event.cgroup = 0;
	is_null_of("uid", &record);
	is_null_of("tid", &record);
	is_null_of("cgroup", &record);
	is_number_of("pid", &record, 4343);
}

static void every_cause_has_a_name_and_a_direction(void **state)
{
	for (unsigned int cause = 0; cause < CAUSE_COUNT; cause++) {
		struct record record = reset_record(&reset_sample, cause, OWNER_SOCKET);
		bool came = cause == CAUSE_RESET_BY_PEER || cause == CAUSE_REFUSED;

		is_word_of("cause", &record, cause_name(cause));
		is_word_of("direction", &record, came ? "received" : "sent");
	}
}

/* ---- ends -------------------------------------------------------------------------------- */

static void an_end_is_the_closers(void **state)
{
	struct record record = end_record(&end_sample, END_TIME_WAIT);

	is_word_of("event", &record, "end");
	is_number_of("id", &record, 77001);
	is_number_of("pid", &record, 4242);
	assert_string_equal(got_of("comm", &record).text, "client");
	is_word_of("laddr", &record, "10.0.0.1");
	is_number_of("lport", &record, 40000);
	is_word_of("raddr", &record, "192.0.2.200");
	is_number_of("rport", &record, 443);
	is_word_of("how", &record, "time-wait");
	is_number_of("after_us", &record, 1500000);
}

static void every_end_has_a_name(void **state)
{
	for (unsigned int end = 0; end < END_COUNT; end++) {
		struct record record = end_record(&end_sample, end);

		is_word_of("how", &record, end_name(end));
	}
}

/* ---- time ----------------------------------------------------------------------------- */

static uint64_t now_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return now.tv_sec * UINT64_C(1000000000) + now.tv_nsec;
}

/* Not when it is shown: this one is an hour old. */
static void time_is_when_it_happened(void **state)
{
	const uint64_t hour_ns = 3600 * UINT64_C(1000000000);
	struct close_event event = sample;
	uint64_t wanted_ns = now_ns(CLOCK_REALTIME) - hour_ns;
	struct value time;

	event.time_ns = now_ns(CLOCK_MONOTONIC) - hour_ns;
	fields_set_clock();
	time = got("time", &event);
	assert_int_equal(time.type, VALUE_TIME);
	assert_in_range(time.number, wanted_ns - 1000000000, wanted_ns + 1000000000);
	event.time_ns += 1234567891;
	assert_int_equal(got("time", &event).number, time.number + 1234567891);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_are_what_the_kernel_saw),
		cmocka_unit_test(words_are_the_verdict),
		cmocka_unit_test(what_was_not_seen_is_null),
		cmocka_unit_test(zero_is_not_null),
		cmocka_unit_test(mptcp_is_true_or_false),
		cmocka_unit_test(a_fastclose_says_nothing_of_the_linger_setting),
		cmocka_unit_test(nonblock_is_true_or_false),
		cmocka_unit_test(a_state_without_a_name_is_null),
		cmocka_unit_test(every_ipv4_byte_is_written),
		cmocka_unit_test(ipv6_is_written),
		cmocka_unit_test(one_mapped_end_makes_it_ipv4),
		cmocka_unit_test(reasons_are_the_running_kernels),
		cmocka_unit_test(a_reset_is_its_owners),
		cmocka_unit_test(a_reset_of_nobody_names_nobody),
		cmocka_unit_test(what_is_not_known_of_an_owner_is_null),
		cmocka_unit_test(every_cause_has_a_name_and_a_direction),
		cmocka_unit_test(an_end_is_the_closers),
		cmocka_unit_test(every_end_has_a_name),
		cmocka_unit_test(time_is_when_it_happened),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
