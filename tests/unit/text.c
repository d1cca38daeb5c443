// SPDX-License-Identifier: GPL-2.0-only
/* The table says everything, and does nothing to the terminal. */
#include "tests/unit/sample.h"

#include <time.h>

#include "user/fields.h"

/* ---- what it says ------------------------------------------------------------------------ */

static void says(const char *text, const char *wanted)
{
	if (!strstr(text, wanted))
		fail_msg("%s is not in %s", wanted, text);
}

static void says_what_a_person_would_ask(void **state)
{
	struct close_event event = sample;
	char *text;

	event.facts |= WAS_NONBLOCK;
	event.context = CONTEXT_KERNEL;
	text = shown(&text_sink, 0, 0, &event);
	says(text, " ESTABLISHED->FIN_WAIT2");
	says(text, " linger=5s:drained");
	says(text, " nonblock=yes");
	says(text, " unread=11");
	says(text, " unsent=22");
	says(text, " unacked=33");
	says(text, " blocked=12ms");
	says(text, " by=kernel");
	says(text, " after=fin-wait2-timer");
	free(text);
}

static void is_silent_about_what_is_not_there(void **state)
{
	static const char *const words[] = {
		"linger=",  "nonblock=", "unread=", "unsent=", "unacked=",
		"blocked=", "by=",       "after=",  "null",    "->",
	};
	struct close_event event = sample_of(BRANCH_UNREAD_DATA);
	char *text;

	event.unread_bytes = event.unsent_bytes = event.unacked_bytes = event.blocked_ns = 0;
	event.new_state = event.state;
	text = shown(&text_sink, 0, 0, &event);
	for (size_t i = 0; i < COUNT(words); i++)
		if (strstr(text, words[i]))
			fail_msg("%s is in %s", words[i], text);
	free(text);
}

/* Somebody's, in a state that says something. */
static void a_reset_says_whose_it_is(void **state)
{
	struct record record = reset_record(&reset_sample, CAUSE_RESET_BY_PEER, OWNER_SOCKET);
	char *text = shown_record(&text_sink, 0, 0, &record);

	says(text, " 4343    server          reset-by-peer ");
	says(text, " got ");
	says(text, " 10.0.0.2:40001 ");
	says(text, " 192.0.2.201:8443 ");
	says(text, " ESTABLISHED\n");
	free(text);
}

static void a_reset_of_nobody_says_so(void **state)
{
	struct close_event event = of_nobody(reset_sample);
	struct record record = reset_record(&event, CAUSE_NO_SOCKET, OWNER_NOBODY);
	char *text;

	event.id = event.state = 0;
	text = shown_record(&text_sink, 0, 0, &record);
	says(text, " -       -               no-socket ");
	says(text, " rst ");
	assert_null(strstr(text, "null"));
	free(text);
}

/* It goes on where the close is. */
static void what_follows_a_close_is_marked(void **state)
{
	struct record end = end_record(&end_sample, END_CLOSED);
	struct record reset = reset_record(&reset_sample, CAUSE_LATE_DATA, OWNER_CLOSER);
	char *text = shown_record(&text_sink, 0, 0, &end);

	says(text, " 4242    client          \\_ closed ");
	says(text, " after 1.500s\n");
	free(text);
	text = shown_record(&text_sink, 0, 0, &reset);
	says(text, " 4343    server          \\_ late-data ");
	free(text);
}

static void tells_how_long_after(void **state)
{
	static const struct {
		__u64 ns;
		const char *text;
	} times[] = {
		{ 1000, " after 0.001ms\n" },
		{ 45678000, " after 45.678ms\n" },
		{ 1000000000, " after 1.000s\n" },
		{ 61234000000, " after 61.234s\n" },
	};
	struct close_event event = end_sample;
	struct record record = end_record(&event, END_TIME_WAIT);

	for (size_t i = 0; i < COUNT(times); i++) {
		char *text;

		event.blocked_ns = times[i].ns;
		text = shown_record(&text_sink, 0, 0, &record);
		says(text, times[i].text);
		free(text);
	}
}

static void verbose_says_every_fact_of_a_reset(void **state)
{
	static const char *const facts[] = {
		"direction=received", "cause=reset-by-peer",
		"owner=socket",       "id=77002",
		"tid=4344",           "uid=1001",
		"cgroup=8802",        "netns=4026531841",
		"family=ipv4",        "laddr=10.0.0.2",
		"lport=40001",        "raddr=192.0.2.201",
		"rport=8443",         "state=ESTABLISHED",
		"via=kprobe",
	};
	struct record record = reset_record(&reset_sample, CAUSE_RESET_BY_PEER, OWNER_SOCKET);
	char *text = shown_record(&text_sink, 0, 1, &record);

	for (size_t i = 0; i < COUNT(facts); i++)
		says(text, facts[i]);
	free(text);
}

static void verbose_says_every_fact_of_an_end(void **state)
{
	static const char *const facts[] = {
		"id=77001",         "netns=4026531840",  "family=ipv4", "laddr=10.0.0.1",
		"lport=40000",      "raddr=192.0.2.200", "rport=443",   "how=time-wait",
		"after_us=1500000", "via=fentry",
	};
	struct record record = end_record(&end_sample, END_TIME_WAIT);
	char *text = shown_record(&text_sink, 0, 1, &record);

	for (size_t i = 0; i < COUNT(facts); i++)
		says(text, facts[i]);
	free(text);
}

static void tells_how_long_it_blocked(void **state)
{
	static const struct {
		__u64 ns;
		const char *text;
	} times[] = {
		{ 1000000, " blocked=1ms" },         { 12345678, " blocked=12ms" },
		{ 999400000, " blocked=999ms" },     { 1000000000, " blocked=1.000s" },
		{ 61234000000, " blocked=61.234s" },
	};
	struct close_event event = sample;

	for (size_t i = 0; i < COUNT(times); i++) {
		char *text;

		event.blocked_ns = times[i].ns;
		text = shown(&text_sink, 0, 0, &event);
		says(text, times[i].text);
		free(text);
	}
}

static void verbose_says_every_fact(void **state)
{
	static const char *const facts[] = {
		"id=77001",
		"tid=4243",
		"uid=1000",
		"context=syscall",
		"cgroup=8801",
		"netns=4026531840",
		"family=ipv4",
		"laddr=10.0.0.1",
		"lport=40000",
		"raddr=192.0.2.200",
		"rport=443",
		"state=ESTABLISHED",
		"new_state=FIN_WAIT2",
		"linger_s=5",
		"linger=drained",
		"nonblock=no",
		"unread=11",
		"unsent=22",
		"unacked=33",
		"blocked_us=12345",
		"after=fin-wait2-timer",
		"via=fentry",
	};
	static const char *const columns[] = { "4242", "client", "fin" };
	char *text = shown(&text_sink, 0, 1, &sample);

	for (size_t i = 0; i < COUNT(facts); i++)
		says(text, facts[i]);
	for (size_t i = 0; i < COUNT(columns); i++)
		says(text, columns[i]);
	free(text);
}

/* A 0 that was seen is a fact. */
static void verbose_says_zero(void **state)
{
	struct close_event event = sample_of(BRANCH_ZERO_LINGER);
	char *text;

	event.unread_bytes = event.unsent_bytes = event.linger_s = event.blocked_ns = 0;
	text = shown(&text_sink, 0, 1, &event);
	says(text, " unread=0");
	says(text, " unsent=0");
	says(text, " linger_s=0");
	says(text, " blocked_us=0");
	free(text);
}

/* A kernel of tomorrow may have more states. */
static void a_state_without_a_name_is_no_word(void **state)
{
	struct close_event event = sample;
	char *text;

	event.new_state = 13;
	text = shown(&text_sink, 0, 0, &event);
	assert_null(strstr(text, "(null)"));
	free(text);
}

static void time_is_the_wall_clocks(void **state)
{
	const uint64_t minute_ns = 60 * UINT64_C(1000000000);
	struct close_event event = sample;
	struct timespec real, monotonic;
	int64_t of_day, wanted;
	unsigned int hour, minute, second, ms;
	char *text, point;

	setenv("TZ", "XYZ-05:30", 1);
	tzset();
	fields_set_clock();
	clock_gettime(CLOCK_REALTIME, &real);
	clock_gettime(CLOCK_MONOTONIC, &monotonic);
	event.time_ns =
		monotonic.tv_sec * UINT64_C(1000000000) + monotonic.tv_nsec - 10 * minute_ns;
	text = shown(&text_sink, 0, 0, &event);
	assert_int_equal(sscanf(text, "%2u:%2u:%2u%c%3u ", &hour, &minute, &second, &point, &ms),
			 5);
	assert_int_equal(point, '.');
	of_day = ((hour * 60 + minute) * 60 + second) * 1000 + ms;
	wanted = (real.tv_sec - 600 + 19800) % 86400 * 1000 + real.tv_nsec / 1000000;
	/* A minute off is no accident; midnight may be. */
	assert_in_range((of_day - wanted + 86400000 + 2000) % 86400000, 0, 4000);
	free(text);
}

/* ---- what it must not do -------------------------------------------------------------------- */

/* No control but the newline, no change of direction; read here without utf8.c. */
static void is_harmless(const char *text)
{
	static const char *const bidi[] = {
		"\xd8\x9c",     "\xe2\x80\x8e", "\xe2\x80\x8f", "\xe2\x80\xaa",
		"\xe2\x80\xab", "\xe2\x80\xac", "\xe2\x80\xad", "\xe2\x80\xae",
		"\xe2\x81\xa6", "\xe2\x81\xa7", "\xe2\x81\xa8", "\xe2\x81\xa9",
	};

	for (const unsigned char *at = (const unsigned char *)text; *at; at++) {
		if ((*at < ' ' && *at != '\n') || *at == 0x7f)
			fail_msg("byte %02x in %s", *at, text);
		if (at[0] == 0xc2 && at[1] >= 0x80 && at[1] <= 0x9f)
			fail_msg("U+%04X", at[1]);
	}
	for (size_t i = 0; i < COUNT(bidi); i++)
		assert_null(strstr(text, bidi[i]));
}

/* It is shown as this, and the row goes on after it. */
static void is_shown_as(const char *comm, const char *wanted)
{
	struct close_event event = sample;
	char *text, after_pid[80];

	set_comm(&event, comm);
	text = shown(&text_sink, 0, 0, &event);
	is_harmless(text);
	assert_int_equal(lines_of(text), 1);
	snprintf(after_pid, sizeof(after_pid), " 4242    %s ", wanted);
	says(text, after_pid);
	says(text, " fin ");
	free(text);
}

static void any_name_is_harmless(void **state)
{
	is_shown_as("caf\xc3\xa9", "caf\xc3\xa9");
	is_shown_as("\x1b[31mred", "\\x1b[31mred");
	is_shown_as("\x1b]0;x\a", "\\x1b]0;x\\x07");
	is_shown_as("a\nb\rc\td", "a\\x0ab\\x0dc\\x09d");
	is_shown_as("\x7f", "\\x7f");
	is_shown_as("\xc2\x9b"
		    "31m",
		    "\\xc2\\x9b31m");
	is_shown_as("\xe2\x80\xae"
		    "exe",
		    "\\xe2\\x80\\xaeexe");
	is_shown_as("\xe2\x81\xa6", "\\xe2\\x81\\xa6");
	is_shown_as("\xff\xfe", "\\xff\\xfe");
	is_shown_as("\xed\xa0\x80", "\\xed\\xa0\\x80");
	is_shown_as("\xc0\xaf", "\\xc0\\xaf");
	/* What could be taken for an escape is one. */
	is_shown_as("\\x1b", "\\x5cx1b");
}

static void any_byte_is_harmless(void **state)
{
	for (int byte = 1; byte < 256; byte++) {
		struct close_event event = sample;
		const char comm[] = { '<', byte, byte, '>', '\0' };
		char *text;

		set_comm(&event, comm);
		text = shown(&text_sink, 0, 1, &event);
		is_harmless(text);
		assert_int_equal(lines_of(text), 1);
		free(text);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(says_what_a_person_would_ask),
		cmocka_unit_test(is_silent_about_what_is_not_there),
		cmocka_unit_test(a_reset_says_whose_it_is),
		cmocka_unit_test(a_reset_of_nobody_says_so),
		cmocka_unit_test(what_follows_a_close_is_marked),
		cmocka_unit_test(tells_how_long_after),
		cmocka_unit_test(verbose_says_every_fact_of_a_reset),
		cmocka_unit_test(verbose_says_every_fact_of_an_end),
		cmocka_unit_test(tells_how_long_it_blocked),
		cmocka_unit_test(verbose_says_every_fact),
		cmocka_unit_test(verbose_says_zero),
		cmocka_unit_test(a_state_without_a_name_is_no_word),
		cmocka_unit_test(time_is_the_wall_clocks),
		cmocka_unit_test(any_name_is_harmless),
		cmocka_unit_test(any_byte_is_harmless),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
