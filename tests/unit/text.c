// SPDX-License-Identifier: GPL-2.0-only
/* The table: it lines up, it fits, it says everything, and it does nothing to the terminal. */
#include "tests/unit/sample.h"

#include <time.h>

#include "user/fields.h"

static const struct close_event ipv6 = {
	.kind = EVENT_CLOSE,
	.id = UINT64_MAX,
	.cgroup = UINT64_MAX,
	.netns = UINT32_MAX,
	.blocked_ns = UINT64_MAX,
	.linger_s = UINT64_MAX,
	.pid = 4194304,
	.tid = 4194304,
	.uid = UINT32_MAX,
	.unread_bytes = UINT32_MAX,
	.unsent_bytes = UINT32_MAX,
	.unacked_bytes = UINT32_MAX,
	.laddr = LONGEST_IPV6,
	.raddr = LONGEST_IPV6,
	.lport = 65535,
	.rport = 65535,
	.via = VIA_TRACEPOINT,
	.context = CONTEXT_KERNEL,
	.comm = "kworker/u256:15",
	.setter = { .time_ns = 1, .pid = 4194304, .tid = 4194304, .comm = "kworker/u256:15" },
};

static void set_comm(struct close_event *event, const char *comm)
{
	memset(event->comm, 0, sizeof(event->comm));
	memcpy(event->comm, comm, strlen(comm));
}

/* One branch's facts on the longest of everything else. */
static struct close_event long_of(size_t branch)
{
	struct close_event event = ipv6;

	event.facts = branches[branch].facts | WAS_LINGER | WAS_NONBLOCK | LINGER_INHERITED;
	event.facts &= ~LACKS_SENDQ;
	event.state = branches[branch].state;
	event.new_state = branches[branch].new_state;
	return event;
}

/* ---- width ----------------------------------------------------------------------- */

/* Of text in which every character takes one column. */
static int columns_of(const char *line)
{
	int columns = 0;

	for (; *line && *line != '\n'; line++)
		columns += (*line & 0xc0) != 0x80;
	return columns;
}

static void fits(int columns, int verbose, const struct record *record)
{
	char *text = shown_record(&text_sink, columns, verbose, record);

	for (char *line = text; *line; line = strchr(line, '\n') + 1) {
		assert_non_null(strchr(line, '\n'));
		if (columns_of(line) > columns)
			fail_msg("%d columns on a terminal of %d:\n%s", columns_of(line), columns,
				 text);
	}
	free(text);
}

static void record_fits(const struct record *record)
{
	static const int columns[] = { 80, 81, 100, 109, 110, 120, 149, 150, 200, 400 };

	for (size_t i = 0; i < COUNT(columns); i++)
		for (int verbose = 0; verbose < 2; verbose++)
			fits(columns[i], verbose, record);
}

static void all_fit(const struct close_event *event)
{
	const struct record closed = { .event = event, .verdict = judge(event) };

	record_fits(&closed);
}

/* Whosever it is, whatever it was. */
static void resets_and_ends_fit(const struct close_event *like)
{
	struct close_event event = *like;

	for (unsigned int cause = 0; cause < CAUSE_COUNT; cause++)
		for (enum owner owner = OWNER_NOBODY; owner <= OWNER_SOCKET; owner++) {
			struct record record = reset_record(&event, cause, owner);

			event.kind = EVENT_RESET;
			record_fits(&record);
		}
	for (unsigned int end = 0; end < END_COUNT; end++) {
		struct record record = end_record(&event, end);

		event.kind = EVENT_END;
		record_fits(&record);
	}
}

static void no_line_of_ipv4_is_longer_than_the_terminal(void **state)
{
	for (size_t i = 0; i < COUNT(branches); i++) {
		struct close_event event = sample_of(i);

		all_fit(&event);
		event.facts |= WAS_LINGER | WAS_NONBLOCK;
		memcpy(event.laddr, (__u8[16])IPV4(255, 255, 255, 255), 16);
		memcpy(event.raddr, event.laddr, 16);
		event.lport = event.rport = 65535;
		all_fit(&event);
	}
}

static void no_line_of_ipv6_is_longer_than_the_terminal(void **state)
{
	for (size_t i = 0; i < COUNT(branches); i++) {
		struct close_event event = long_of(i);

		all_fit(&event);
	}
}

/* Fifteen bytes to escape take sixty columns. */
static void no_name_is_longer_than_the_terminal(void **state)
{
	struct close_event event = sample, long_event = long_of(BRANCH_FIN);

	set_comm(&event, "\1\2\3\4\5\6\7\1\2\3\4\5\6\7\1");
	set_comm(&long_event, event.comm);
	all_fit(&event);
	all_fit(&long_event);
}

static void no_reset_and_no_end_is_longer_than_the_terminal(void **state)
{
	struct close_event event = reset_sample;

	resets_and_ends_fit(&event);
	event = ipv6;
	event.state = TCP_ESTABLISHED;
	resets_and_ends_fit(&event);
	set_comm(&event, "\1\2\3\4\5\6\7\1\2\3\4\5\6\7\1");
	resets_and_ends_fit(&event);
}

static void no_setting_is_longer_than_the_terminal(void **state)
{
	struct close_event event = ipv6;
	const struct record record = { .event = &event };

	event.kind = EVENT_LINGER;
	event.facts = WAS_LINGER;
	event.state = TCP_CLOSE_WAIT;
	record_fits(&record);
	set_comm(&event, "\1\2\3\4\5\6\7\1\2\3\4\5\6\7\1");
	record_fits(&record);
}

/* ---- columns --------------------------------------------------------------------------- */

static int offset_of(const char *head, const char *word)
{
	const char *at = strstr(head, word);

	if (!at)
		fail_msg("no %s in %s", word, head);
	return at - head;
}

/* What stands at this offset begins there and is this. */
static void stands_at(const char *line, int offset, const char *value)
{
	if (strncmp(line + offset, value, strlen(value)) || (offset && line[offset - 1] != ' ') ||
	    !strchr(" \n", line[offset + strlen(value)]))
		fail_msg("%s is not at %d of %s", value, offset, line);
}

static void has_columns(const char *text)
{
	const char *row = strchr(text, '\n') + 1;

	stands_at(row, offset_of(text, "PID"), "4242");
	stands_at(row, offset_of(text, "COMM"), "client");
	stands_at(row, offset_of(text, "BRANCH"), "fin");
	stands_at(row, offset_of(text, "SENT"), "fin");
	stands_at(row, offset_of(text, "REMOTE"), "192.0.2.200:443");
}

static void medium_heads_and_rows_line_up(void **state)
{
	static const int widths[] = { 110, 120, 149 };

	for (size_t i = 0; i < COUNT(widths); i++) {
		char *text = shown(&text_sink, widths[i], 0, &sample);

		has_columns(text);
		stands_at(strchr(text, '\n') + 1, offset_of(text, "LPORT"), "40000");
		free(text);
	}
}

static void wide_lines_up(int width, int verbose, const char *first_detail)
{
	char *text = shown(&text_sink, width, verbose, &sample), *row = strchr(text, '\n') + 1;

	has_columns(text);
	stands_at(row, offset_of(text, "LOCAL"), "10.0.0.1:40000");
	stands_at(row, offset_of(text, "DETAILS"), first_detail);
	free(text);
}

static void wide_heads_and_rows_line_up(void **state)
{
	wide_lines_up(150, 0, "ESTABLISHED->FIN_WAIT2");
	wide_lines_up(400, 0, "ESTABLISHED->FIN_WAIT2");
	wide_lines_up(400, 1, "id=77001");
}

static void narrow_lines_up(int width)
{
	struct close_event event = sample;
	char *text, *second, *row;

	memcpy(event.laddr, (__u8[16])IPV4(1, 1, 1, 1), 16);
	memcpy(event.raddr, event.laddr, 16);
	event.lport = event.rport = 1;
	text = shown(&text_sink, width, 0, &event);
	second = strchr(text, '\n') + 1;
	row = strchr(second, '\n') + 1;
	stands_at(row, offset_of(text, "BRANCH"), "fin");
	stands_at(row, offset_of(text, "SENT"), "fin");
	stands_at(strchr(row, '\n') + 1, offset_of(second, "LOCAL"), "1.1.1.1:1");
	free(text);
}

static void narrow_heads_and_rows_line_up(void **state)
{
	narrow_lines_up(80);
	narrow_lines_up(109);
}

/* However long the name is, what follows it stands under its head. */
static void is_below(int width, const struct record *record, const char *name, const char *packet)
{
	char *text = shown_record(&text_sink, width, 0, record), *row = strchr(text, '\n') + 1;

	stands_at(row, offset_of(text, "BRANCH"), name);
	stands_at(row, offset_of(text, "SENT"), packet);
	stands_at(row, offset_of(text, "REMOTE"), "192.0.2.201:8443");
	if (width < 150)
		stands_at(row, offset_of(text, "LPORT"), "40001");
	else
		stands_at(row, offset_of(text, "LOCAL"), "10.0.0.2:40001");
	free(text);
}

static void is_below_at_all_widths(const struct record *record, const char *name,
				   const char *packet)
{
	is_below(120, record, name, packet);
	is_below(160, record, name, packet);
}

/* A listener's answer to a stray ACK has nothing to do with what the listener's owner closed. */
static bool may_be_closers(enum cause cause)
{
	return cause != CAUSE_LISTENER_STRAY_ACK;
}

static void resets_line_up(void **state)
{
	for (unsigned int cause = 0; cause < CAUSE_COUNT; cause++) {
		struct record record = reset_record(&reset_sample, cause, OWNER_SOCKET);
		const char *packet =
			cause == CAUSE_RESET_BY_PEER || cause == CAUSE_REFUSED ? "got" : "rst";
		char name[64];

		is_below_at_all_widths(&record, cause_name(cause), packet);
		snprintf(name, sizeof(name), "\\_ %s", cause_name(cause));
		record.owner = OWNER_CLOSER;
		if (may_be_closers(cause))
			is_below_at_all_widths(&record, name, packet);
	}
}

static void ends_line_up(void **state)
{
	struct close_event event = reset_sample;

	event.kind = EVENT_END;
	for (unsigned int end = 0; end < END_COUNT; end++) {
		struct record record = end_record(&event, end);
		char name[64];

		snprintf(name, sizeof(name), "\\_ %s", end_name(end));
		is_below_at_all_widths(&record, name, "-");
	}
}

/* On 80 columns the addresses are below. */
static void narrow_resets_line_up(void **state)
{
	struct close_event event = reset_sample;
	struct record record = reset_record(&event, CAUSE_MPTCP_JOIN_REJECT, OWNER_SOCKET);
	char *text, *second, *row;

	memcpy(event.laddr, (__u8[16])IPV4(1, 1, 1, 1), 16);
	event.lport = 1;
	text = shown_record(&text_sink, 80, 0, &record);
	second = strchr(text, '\n') + 1;
	row = strchr(second, '\n') + 1;
	stands_at(row, offset_of(text, "PID"), "4343");
	stands_at(row, offset_of(text, "BRANCH"), "mptcp-join-reject");
	stands_at(row, offset_of(text, "SENT"), "rst");
	stands_at(strchr(row, '\n') + 1, offset_of(second, "LOCAL"), "1.1.1.1:1");
	free(text);
}

static int lines_of(const char *text)
{
	int lines = 0;

	for (; *text; text++)
		lines += *text == '\n';
	return lines;
}

static void record_is_one_line(int verbose, const struct record *record)
{
	char *text = shown_record(&text_sink, 0, verbose, record);

	assert_int_equal(lines_of(text), 1);
	assert_int_equal(text[strlen(text) - 1], '\n');
	free(text);
}

static void is_one_line(int verbose, const struct close_event *event)
{
	const struct record closed = { .event = event, .verdict = judge(event) };

	record_is_one_line(verbose, &closed);
}

static void resets_and_ends_are_one_line_off_the_terminal(void **state)
{
	struct close_event event = reset_sample, end = end_sample;
	struct record reset = reset_record(&event, CAUSE_RESET_BY_PEER, OWNER_SOCKET);
	struct record ended = end_record(&end, END_RESET_BY_PEER);

	set_comm(&event, "\n\r\n");
	set_comm(&end, "\n\r\n");
	for (int verbose = 0; verbose < 2; verbose++) {
		record_is_one_line(verbose, &reset);
		record_is_one_line(verbose, &ended);
	}
}

static void a_record_is_one_line_off_the_terminal(void **state)
{
	for (size_t i = 0; i < COUNT(branches); i++) {
		struct close_event event = sample_of(i), long_event = long_of(i);

		is_one_line(0, &event);
		is_one_line(1, &event);
		is_one_line(0, &long_event);
		is_one_line(1, &long_event);
		set_comm(&event, "\n\r\n");
		is_one_line(1, &event);
	}
}

/* Off the terminal it stays where grep finds it. */
static void the_sentence_is_below_the_close(void **state)
{
	struct close_event event = sample;
	char *text;

	event.setter = sample_setter;
	event.time_ns = 250000001;
	text = shown(&text_sink, 120, 0, &event);
	assert_non_null(strstr(text, "\n             SO_LINGER {1, 5}, set 250.0 ms before by setter (4040): "
				     "waited 12.3 ms of 5 s, everything was acknowledged\n"));
	free(text);
	text = shown(&text_sink, 110, 0, &event);
	assert_non_null(strstr(text, ": waited 12.3 ms of 5 s, everything was\n             acknowledged\n"));
	free(text);
	text = shown(&text_sink, 80, 0, &event);
	assert_non_null(strstr(text, "\n             SO_LINGER {1, 5}, set 250.0 ms before by setter (4040): waited 12.3\n"
				     "             ms of 5 s, everything was acknowledged\n"));
	free(text);
	for (int verbose = 0; verbose < 2; verbose++) {
		text = shown(&text_sink, 0, verbose, &event);
		assert_int_equal(lines_of(text), 1);
		assert_non_null(strstr(text, " SO_LINGER {1, 5}, set 250.0 ms before by setter (4040): "
					     "waited 12.3 ms of 5 s, everything was acknowledged\n"));
		free(text);
	}
}

static void no_sentence_without_linger(void **state)
{
	struct close_event event = sample_of(BRANCH_FIN);
	char *text;

	event.setter = sample_setter;
	text = shown(&text_sink, 0, 0, &event);
	assert_null(strstr(text, "SO_LINGER"));
	free(text);
}

static void a_setting_says_what_was_set(void **state)
{
	struct close_event event = linger_sample;
	char *text = shown(&text_sink, 0, 0, &event);

	assert_non_null(strstr(text, " 4040    setter          linger                -    10.0.0.1:40000 "));
	assert_non_null(strstr(text, " SO_LINGER {1, 5}\n"));
	free(text);
	event.facts = 0;
	text = shown(&text_sink, 0, 0, &event);
	assert_non_null(strstr(text, " SO_LINGER {0}\n"));
	free(text);
}

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
		cmocka_unit_test(wide_heads_and_rows_line_up),
		cmocka_unit_test(medium_heads_and_rows_line_up),
		cmocka_unit_test(narrow_heads_and_rows_line_up),
		cmocka_unit_test(resets_line_up),
		cmocka_unit_test(ends_line_up),
		cmocka_unit_test(narrow_resets_line_up),
		cmocka_unit_test(no_setting_is_longer_than_the_terminal),
		cmocka_unit_test(the_sentence_is_below_the_close),
		cmocka_unit_test(no_sentence_without_linger),
		cmocka_unit_test(a_setting_says_what_was_set),
		cmocka_unit_test(a_record_is_one_line_off_the_terminal),
		cmocka_unit_test(resets_and_ends_are_one_line_off_the_terminal),
		cmocka_unit_test(no_line_of_ipv4_is_longer_than_the_terminal),
		cmocka_unit_test(no_line_of_ipv6_is_longer_than_the_terminal),
		cmocka_unit_test(no_name_is_longer_than_the_terminal),
		cmocka_unit_test(no_reset_and_no_end_is_longer_than_the_terminal),
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
