// SPDX-License-Identifier: GPL-2.0-only
/* -e: which rules there are, and which closes break them. */
#include "tests/unit/sample.h"

#include <arpa/inet.h>
#include <time.h>

#include "user/expect.h"
#include "user/fields.h"

#define RIGHT 1024

/* ---- rules that are none ------------------------------------------------------------- */

/* What would be right has to be said: a part of it. */
static const struct {
	const char *rule, *right;
} bad[] = {
	/* clang-format off */
	{ "",                      "KEY=VALUE" },
	{ "=",                     "KEY=VALUE" },
	{ "branch",                "KEY=VALUE" },
	{ "branch!",               "KEY=VALUE" },
	{ "branch!fin",            "KEY=VALUE" },
	{ "branch:fin",            "KEY=VALUE" },
	{ " branch=fin",           "branch" },
	{ "branch =fin",           "branch" },
	{ "=fin",                  "branch" },
	{ "!=fin",                 "branch" },
	{ "Branch=fin",            "branch" },
	{ "bran=fin",              "branch" },
	{ "branches=fin",          "branch" },
	{ "linger_=5",             "linger_s" },
	/* Of text alone, of resets, of ends. */
	{ "local=10.0.0.1:80",     "laddr" },
	{ "states=CLOSE",          "state" },
	{ "cause=disconnect",      "branch" },
	{ "direction=sent",        "sent" },
	{ "owner=closer",          "branch" },
	{ "how=closed",            "after" },
	{ "after_us=1",            "after" },

	{ "branch=",               "zero-linger" },
	{ "branch!=",              "zero-linger" },
	{ "branch=zero_linger",    "zero-linger" },
	{ "branch=Fin",            "fin" },
	{ "branch==fin",           "fin" },
	{ "branch=!fin",           "fin" },
	{ "branch=fin ",           "fin" },
	{ "branch=fin,",           "fin" },
	{ "branch=,fin",           "fin" },
	{ "branch=fin,,listener",  "fin" },
	{ "branch=fin,rst",        "fin" },
	{ "branch=7",              "fin" },
	{ "branch=reset",          "unread-data" },
	{ "sent=RST",              "rst" },
	{ "sent=reset",            "rst" },
	{ "sent=1",                "none" },
	{ "linger=0",              "no-reset-needed" },
	{ "linger=time-wait",      "timed-out" },
	{ "after=closed",          "closed-meanwhile" },
	{ "after=reset",           "late-data-reset" },
	{ "state=established",     "ESTABLISHED" },
	{ "state=TCP_CLOSE",       "CLOSE" },
	{ "state=1",               "ESTABLISHED" },
	{ "new_state=CLOSED",      "CLOSE" },
	{ "context=kthread",       "kernel" },
	{ "family=4",              "ipv4" },
	{ "family=IPv4",           "ipv4" },
	{ "via=tp",                "tracepoint" },
	{ "event=reset",           "close" },

	{ "lport=",                "number" },
	{ "lport=http",            "number" },
	{ "lport=-1",              "number" },
	{ "lport=+1",              "number" },
	{ "lport= 1",              "number" },
	{ "lport=1 ",              "number" },
	{ "lport=0x50",            "number" },
	{ "lport=1.0",             "number" },
	{ "lport=80-90",           "number" },
	{ "lport=true",            "number" },
	{ "lport=65536",           "65535" },
	{ "lport=80,65536",        "65535" },
	{ "uid=root",              "number" },
	{ "unread_bytes=4294967296", "4294967295" },
	{ "linger_s=on",           "number" },
	{ "cgroup=18446744073709551616", "number" },
	{ "blocked_us=1ms",        "number" },

	{ "nonblock=",             "true" },
	{ "nonblock=1",            "true" },
	{ "nonblock=yes",          "true" },
	{ "nonblock=True",         "true" },

	{ "laddr=",                "10.0.0.1" },
	{ "laddr=1",               "10.0.0.1" },
	{ "laddr=localhost",       "10.0.0.1" },
	{ "raddr=10.0.0.0/8",      "10.0.0.1" },
	{ "raddr=10.0.0.01",       "10.0.0.1" },
	{ "raddr=::ffff:10.0.0.1", "10.0.0.1" },
	{ "raddr=2001:DB8::1",     "2001:db8::1" },
	{ "raddr=0:0::1",          "2001:db8::1" },
	{ "raddr=[::1]",           "2001:db8::1" },

	{ "comm=",                 "15 bytes" },
	{ "comm=sixteen-bytes-xx", "15 bytes" },
	{ "reason=",               "TCP_" },
	{ "reason=17",             "TCP_" },
	{ "reason=tcp_state",      "TCP_" },
	{ "reason=SK_RST_REASON_TCP_STATE", "TCP_" },
	{ "time=",                 "2026" },
	{ "time=0",                "2026" },
	{ "time=12:00:00",         "2026" },
	{ "time=2026-01-31T12:00:00Z", "2026" },
	{ "time=2026-01-31T12:00:00.5Z", "2026" },
	{ "time=2026-01-31T12:00:00.000000000+01:00", "2026" },

	/* What every close has is never null. */
	{ "branch=null",           "unknown" },
	{ "branch!=null",          "unknown" },
	{ "context=null",          "syscall" },
	{ "family=null",           "ipv4" },
	{ "via=null",              "fentry" },
	{ "event=null",            "close" },
	{ "pid=null",              "number" },
	{ "uid=null",              "number" },
	{ "netns=null",            "number" },
	{ "lport=null",            "number" },
	{ "laddr=null",            "10.0.0.1" },
	{ "unread_bytes=null",     "number" },
	{ "time=null",             "2026" },
	{ "linger=NULL",           "null" },
	/* clang-format on */
};

static void what_is_no_rule_is_told_what_would_be(void **state)
{
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct expect *rules = NULL;
		char right[RIGHT] = "";

		if (expect_add(&rules, bad[i].rule, right, sizeof(right)) || rules)
			fail_msg("%s is taken", bad[i].rule);
		if (!strstr(right, bad[i].right))
			fail_msg("%s: no %s in: %s", bad[i].rule, bad[i].right, right);
		if (strchr(right, '\n') || strlen(right) > RIGHT - 100)
			fail_msg("%s: no line: %s", bad[i].rule, right);
	}
}

/* Whatever the room, it ends. */
static void what_would_be_right_is_cut(void **state)
{
	struct expect *rules = NULL;
	char right[16] = "";

	assert_false(expect_add(&rules, "nonsense=1", right, sizeof(right)));
	assert_int_equal(strlen(right), sizeof(right) - 1);
}

static void a_bad_rule_leaves_the_others(void **state)
{
	struct close_event event = sample_of(BRANCH_ZERO_LINGER);
	struct record closed = { .event = &event, .verdict = judge(&event) };
	struct expect *rules = NULL;
	char right[RIGHT];

	assert_true(expect_add(&rules, "sent=fin", right, sizeof(right)));
	assert_false(expect_add(&rules, "sent=bye", right, sizeof(right)));
	assert_string_equal(expect_broken(rules, &closed), "sent=fin");
	expect_free(rules);
}

/* ---- closes ---------------------------------------------------------------------------- */

static bool holds(const char *rule, const struct close_event *event)
{
	struct record closed = { .event = event, .verdict = judge(event) };
	struct expect *rules = NULL;
	const char *broken;
	char right[RIGHT];

	if (!expect_add(&rules, rule, right, sizeof(right)))
		fail_msg("%s is refused: %s", rule, right);
	broken = expect_broken(rules, &closed);
	if (broken && strcmp(broken, rule))
		fail_msg("%s is told as %s", rule, broken);
	expect_free(rules);
	return !broken;
}

/* Of the sample, and of those of the branches: 0 is the sample. */
static const struct {
	__u8 branch;
	bool holds;
	const char *rule;
} rules[] = {
	/* clang-format off */
	{ 0, true,  "branch=fin" },
	{ 0, false, "branch=fin-already-sent" },
	{ 0, false, "branch=zero-linger" },
	{ 0, true,  "branch=zero-linger,fin" },
	{ 0, true,  "branch=fin,zero-linger" },
	{ 0, false, "branch=zero-linger,unread-data" },
	{ 0, false, "branch!=fin" },
	{ 0, true,  "branch!=zero-linger" },
	{ 0, true,  "branch!=zero-linger,unread-data" },
	{ 0, false, "branch!=zero-linger,fin" },
	{ 0, true,  "event=close" },
	{ 0, true,  "context=syscall" },
	{ 0, false, "context=exit,kernel" },
	{ 0, true,  "family=ipv4" },
	{ 0, false, "family=ipv6" },
	{ 0, true,  "sent=fin" },
	{ 0, false, "sent=rst" },
	{ 0, true,  "state=ESTABLISHED" },
	{ 0, false, "new_state=ESTABLISHED" },
	{ 0, true,  "new_state=FIN_WAIT1,FIN_WAIT2" },
	{ 0, true,  "linger=drained" },
	{ 0, false, "linger=null" },
	{ 0, true,  "linger!=null" },
	{ 0, true,  "after=fin-wait2-timer" },
	{ 0, true,  "via=fentry" },
	{ 0, false, "via!=fentry" },

	{ 0, true,  "id=77001" },
	{ 0, true,  "pid=4242" },
	{ 0, false, "pid=4243" },
	{ 0, true,  "tid=4243" },
	{ 0, true,  "uid=1000" },
	{ 0, true,  "cgroup=8801" },
	{ 0, true,  "netns=4026531840" },
	{ 0, true,  "lport=40000" },
	{ 0, true,  "lport=1,40000,65535" },
	{ 0, false, "lport=0" },
	{ 0, false, "lport=4000" },
	{ 0, true,  "rport!=80,8080" },
	{ 0, true,  "rport=00443" },
	{ 0, true,  "linger_s=5" },
	{ 0, false, "linger_s=0" },
	{ 0, false, "linger_s=null" },
	{ 0, true,  "unread_bytes=11" },
	{ 0, false, "unread_bytes=0" },
	{ 0, true,  "unsent_bytes=22" },
	{ 0, true,  "unacked_bytes!=0" },
	{ 0, true,  "blocked_us=12345" },
	{ 0, true,  "nonblock=false" },
	{ 0, false, "nonblock=true" },
	{ 0, false, "nonblock=null" },
	{ 0, true,  "nonblock=true,false" },

	{ 0, true,  "laddr=10.0.0.1" },
	{ 0, false, "laddr=10.0.0.10" },
	{ 0, false, "laddr=0.0.0.0" },
	{ 0, true,  "raddr=10.0.0.1,192.0.2.200" },
	{ 0, false, "raddr=::" },
	{ 0, true,  "comm=client" },
	{ 0, false, "comm=clien" },
	{ 0, false, "comm=clients" },
	{ 0, false, "comm=Client" },
	{ 0, true,  "comm=server,client" },
	{ 0, false, "comm=null" },
	{ 0, true,  "reason=null" },
	{ 0, false, "reason=TCP_STATE" },
	{ 0, true,  "reason!=TCP_STATE" },

	{ BRANCH_ZERO_LINGER, true,  "branch=zero-linger" },
	{ BRANCH_ZERO_LINGER, true,  "sent=rst" },
	{ BRANCH_ZERO_LINGER, true,  "linger=reset" },
	{ BRANCH_ZERO_LINGER, false, "sent!=rst" },
	{ BRANCH_ZERO_LINGER, true,  "after=null" },
	{ BRANCH_ZERO_LINGER, false, "after!=null" },
	{ BRANCH_UNREAD_DATA, true,  "linger=null" },
	{ BRANCH_UNREAD_DATA, true,  "linger_s=null" },
	{ BRANCH_UNREAD_DATA, false, "linger_s=0" },
	{ BRANCH_UNREAD_DATA, true,  "linger!=reset" },
	{ BRANCH_UNREAD_DATA, true,  "linger=reset,null" },
	{ BRANCH_UNREAD_DATA, false, "linger!=reset,null" },
	/* null is no number, and not 0. */
	{ BRANCH_ALREADY_CLOSED, true,  "unsent_bytes=null" },
	{ BRANCH_ALREADY_CLOSED, false, "unsent_bytes=0" },
	{ BRANCH_ALREADY_CLOSED, true,  "unsent_bytes!=0" },
	{ BRANCH_LISTENER, true,  "sent=none" },
	{ BRANCH_LISTENER, false, "sent=null" },
	/* clang-format on */
};

static void a_rule_holds_for_what_json_would_print(void **state)
{
	for (size_t i = 0; i < COUNT(rules); i++) {
		struct close_event event = rules[i].branch ? sample_of(rules[i].branch) : sample;

		if (holds(rules[i].rule, &event) != rules[i].holds)
			fail_msg("%s %s", rules[i].rule, rules[i].holds ? "is broken" : "holds");
	}
}

static void unknown_is_a_branch_and_sends_null(void **state)
{
	struct close_event event = sample_of(BRANCH_UNKNOWN);

	assert_true(holds("branch=unknown", &event));
	assert_true(holds("sent=null", &event));
	assert_false(holds("sent=none", &event));
}

static void a_truth_is_true_or_false_or_null(void **state)
{
	struct close_event event = sample;

	event.facts |= WAS_NONBLOCK;
	assert_true(holds("nonblock=true", &event));
	assert_false(holds("nonblock=false", &event));
	event.facts |= LACKS_NONBLOCK;
	assert_true(holds("nonblock=null", &event));
	assert_false(holds("nonblock=true,false", &event));
}

static void addresses_of_ipv6_are_as_json_has_them(void **state)
{
	struct close_event event = sample;

	assert_int_equal(inet_pton(AF_INET6, "2001:db8::1", event.laddr), 1);
	assert_int_equal(
		inet_pton(AF_INET6, "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", event.raddr), 1);
	assert_true(holds("family=ipv6", &event));
	assert_true(holds("laddr=2001:db8::1", &event));
	assert_false(holds("laddr=2001:db8::10", &event));
	assert_true(holds("raddr=fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", &event));
}

/* Somebody else's bytes: none of them has a meaning here, but the comma. */
static void a_name_may_look_like_anything(void **state)
{
	struct close_event event = sample;

	strcpy(event.comm, "null");
	assert_true(holds("comm=null", &event));
	strcpy(event.comm, "a=b!=\"c\\\x1b\xff");
	assert_true(holds("comm=a=b!=\"c\\\x1b\xff", &event));
	strcpy(event.comm, "fifteen-bytes-x");
	assert_true(holds("comm=fifteen-bytes-x", &event));
}

static void a_time_is_to_the_nanosecond(void **state)
{
	struct timespec mono, real;
	struct close_event event = sample;
	struct value time = { .type = VALUE_NULL };
	struct record closed = { .event = &event };
	char rule[64], seconds[32];
	struct tm tm;
	time_t second;

	clock_gettime(CLOCK_MONOTONIC, &mono);
	clock_gettime(CLOCK_REALTIME, &real);
	event.time_ns = mono.tv_sec * UINT64_C(1000000000) + mono.tv_nsec;
	fields_set_clock();
	for (const struct field *field = fields; field->get; field++)
		if (field->key && !strcmp(field->key, "time"))
			field->get(&closed, &time);
	second = time.number / 1000000000;
	strftime(seconds, sizeof(seconds), "%Y-%m-%dT%H:%M:%S", gmtime_r(&second, &tm));
	snprintf(rule, sizeof(rule), "time=%s.%09luZ", seconds, time.number % 1000000000);
	assert_true(holds(rule, &event));
	event.time_ns++;
	assert_false(holds(rule, &event));
}

static void the_first_that_is_broken_is_told(void **state)
{
	static const char *const given[] = { "branch=fin", "sent=rst", "linger=reset", "pid=4242" };
	struct record closed = { .event = &sample, .verdict = judge(&sample) };
	struct expect *rules = NULL;
	char right[RIGHT];

	assert_null(expect_broken(rules, &closed));
	for (size_t i = 0; i < COUNT(given); i++)
		assert_true(expect_add(&rules, given[i], right, sizeof(right)));
	assert_ptr_equal(expect_broken(rules, &closed), given[1]);
	expect_free(rules);
	expect_free(NULL);
}

/* ---- all of them -------------------------------------------------------------------------- */

static void every_word_is_a_value(void **state)
{
	struct expect *rules = NULL;
	char rule[64], right[RIGHT];

#define EVERY(key, kind, count)                                          \
	for (unsigned int i = 0; i < (count); i++) {                     \
		if (!kind##_name(i))                                     \
			continue;                                        \
		snprintf(rule, sizeof(rule), key "=%s", kind##_name(i)); \
		if (!expect_add(&rules, rule, right, sizeof(right)))     \
			fail_msg("%s: %s", rule, right);                 \
		expect_free(rules);                                      \
		rules = NULL;                                            \
	}
	EVERY("branch", branch, BRANCH_COUNT)
	EVERY("sent", sent, SENT_COUNT)
	EVERY("linger", linger, LINGER_COUNT)
	EVERY("after", after, AFTER_COUNT)
	EVERY("via", via, VIA_COUNT)
	EVERY("context", context, CONTEXT_KERNEL + 1)
	EVERY("state", state, 16)
	EVERY("new_state", state, 16)
#undef EVERY
}

/* Whoever adds a field of text has to say what it can have. */
static void every_key_of_a_close_can_be_compared(void **state)
{
	for (const struct field *field = fields; field->get; field++) {
		struct expect *rules = NULL;
		char rule[64], right[RIGHT] = "";

		if (!field->key || !(field->kinds & 1 << EVENT_CLOSE))
			continue;
		snprintf(rule, sizeof(rule), "%s=", field->key);
		assert_false(expect_add(&rules, rule, right, sizeof(right)));
		if (strncmp(right, field->key, strlen(field->key)) || strstr(right, "nothing"))
			fail_msg("%s: %s", rule, right);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_no_rule_is_told_what_would_be),
		cmocka_unit_test(what_would_be_right_is_cut),
		cmocka_unit_test(a_bad_rule_leaves_the_others),
		cmocka_unit_test(a_rule_holds_for_what_json_would_print),
		cmocka_unit_test(unknown_is_a_branch_and_sends_null),
		cmocka_unit_test(a_truth_is_true_or_false_or_null),
		cmocka_unit_test(addresses_of_ipv6_are_as_json_has_them),
		cmocka_unit_test(a_name_may_look_like_anything),
		cmocka_unit_test(a_time_is_to_the_nanosecond),
		cmocka_unit_test(the_first_that_is_broken_is_told),
		cmocka_unit_test(every_word_is_a_value),
		cmocka_unit_test(every_key_of_a_close_can_be_compared),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
