// SPDX-License-Identifier: GPL-2.0-only
/* The table lines up, and fits whatever it is shown on. */
#include "tests/unit/sample.h"

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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
