// SPDX-License-Identifier: GPL-2.0-only
/* What was counted, by hand, and what is shown of it: tables for people, and objects. */
#include "tests/unit/sample.h"

#include <jansson.h>
#include <locale.h>
#include <pty.h>
#include <time.h>

#include "user/fields.h"
#include "user/summary.h"

static struct summary summary;
static char *shown_text;

static int set_up(void **state)
{
	summary_clear(&summary, 0);
	summary.end_ns = 1500000000;
	return 0;
}

static int tear_down(void **state)
{
	summary_free(&summary);
	summary = (struct summary){ 0 };
	free(shown_text);
	shown_text = NULL;
	return 0;
}

/* ---- made-up counts ----------------------------------------------------------------- */

static void closes(size_t branch, enum outcome linger, struct sums sums)
{
	struct close_event event = sample_of(branch);
	struct record record = { .event = &event, .verdict = judge(&event) };

	record.verdict.linger = linger;
	summary_add(&summary, &record, &sums);
}

static void process(__u32 pid, const char *comm, struct sums sums)
{
	struct table_key key = { .process.pid = pid };

	strncpy(key.process.comm, comm, sizeof(key.process.comm));
	summary_add_row(&summary, TABLE_PROCESSES, &key, &sums);
}

static void peer(__u8 last, struct sums sums)
{
	struct table_key key = { .peer = IPV4(192, 0, 2, last) };

	summary_add_row(&summary, TABLE_PEERS, &key, &sums);
}

static void sized(enum size size, unsigned int slot, uint64_t count)
{
	summary_add_size(&summary, size, slot, count);
}

static void others(enum table table, struct sums sums)
{
	struct table_key key = { .full = table };

	summary_add_row(&summary, TABLE_OTHERS, &key, &sums);
}

static void some_of_each(void)
{
	closes(BRANCH_FIN, LINGER_NULL, (struct sums){ .count = 70 });
	closes(BRANCH_UNREAD_DATA, LINGER_NULL,
	       (struct sums){ .count = 2, .sent = 2, .unread = 900 });
	closes(BRANCH_ZERO_LINGER, LINGER_RESET,
	       (struct sums){ .count = 3, .sent = 3, .unsent = 44 });
	process(10, "quiet", (struct sums){ .count = 70 });
	process(11, "loud", (struct sums){ .count = 5, .sent = 5, .unread = 900, .unsent = 44 });
	peer(1, (struct sums){ .count = 70 });
	peer(2, (struct sums){ .count = 5, .sent = 5, .unread = 900, .unsent = 44 });
	sized(SIZE_BLOCKED, 4, 75);
	sized(SIZE_UNREAD, 9, 2);
}

/* ---- in JSON ------------------------------------------------------------------------- */

static json_t *object(void)
{
	int fd = memfd_create("out", MFD_CLOEXEC);
	struct out *out = out_on(fd);
	json_error_t error;
	json_t *object;

	summary_sort(&summary);
	summary_json(out, &summary);
	assert_int_equal(out_flush(out), 0);
	assert_int_equal(out_lost(out), 0);
	out_close(out);
	shown_text = contents(fd);
	close(fd);
	object = json_loads(shown_text, JSON_REJECT_DUPLICATES, &error);
	if (!object)
		fail_msg("%s: %.200s", error.text, shown_text);
	assert_string_equal(strchr(shown_text, '\n'), "\n");
	return object;
}

static json_t *row(const json_t *object, const char *section, size_t index)
{
	json_t *row = json_array_get(json_object_get(object, section), index);

	if (!row)
		fail_msg("no row %zu of %s", index, section);
	return row;
}

static void has_text(const json_t *row, const char *key, const char *wanted)
{
	assert_non_null(json_object_get(row, key));
	if (wanted)
		assert_string_equal(json_string_value(json_object_get(row, key)), wanted);
	else
		assert_true(json_is_null(json_object_get(row, key)));
}

static void has_number(const json_t *row, const char *key, uint64_t wanted)
{
	assert_true(json_is_integer(json_object_get(row, key)));
	assert_int_equal(json_integer_value(json_object_get(row, key)), wanted);
}

static void json_of_nothing(void **state)
{
	static const char *const empty[] = { "branches", "causes",     "ends",        "processes",
					     "peers",    "sites",      "blocked_us",
					     "unread_bytes" };
	json_t *all = object();

	has_text(all, "event", "summary");
	has_number(all, "duration_us", 1500000);
	has_number(all, "closes", 0);
	has_number(all, "resets", 0);
	has_number(all, "unknown", 0);
	for (size_t i = 0; i < COUNT(empty); i++) {
		assert_true(json_is_array(json_object_get(all, empty[i])));
		assert_int_equal(json_array_size(json_object_get(all, empty[i])), 0);
	}
	json_decref(all);
}

static void what_did_reset_comes_first(void **state)
{
	json_t *all;

	some_of_each();
	all = object();
	has_number(all, "closes", 75);
	has_text(row(all, "branches", 0), "branch", "zero-linger");
	has_text(row(all, "branches", 0), "sent", "rst");
	has_text(row(all, "branches", 0), "linger", "reset");
	has_number(row(all, "branches", 0), "closes", 3);
	has_number(row(all, "branches", 0), "resets_sent", 3);
	has_number(row(all, "branches", 0), "unsent_bytes", 44);
	has_text(row(all, "branches", 1), "branch", "unread-data");
	has_text(row(all, "branches", 1), "linger", NULL);
	has_number(row(all, "branches", 1), "unread_bytes", 900);
	has_text(row(all, "branches", 2), "branch", "fin");
	has_number(row(all, "processes", 0), "pid", 11);
	has_text(row(all, "processes", 0), "comm", "loud");
	has_number(row(all, "processes", 1), "closes", 70);
	has_text(row(all, "peers", 0), "raddr", "192.0.2.2");
	has_text(row(all, "peers", 1), "raddr", "192.0.2.1");
	json_decref(all);
}

static void closes_of_a_site_are_one_row(void **state)
{
	static const char here[] = "drop (drop.c:19)";
	struct close_event event = sample_of(BRANCH_ZERO_LINGER);
	const struct record close = { .event = &event, .verdict = judge(&event) };
	json_t *all;

	summary_add_site(&summary, &close, NULL);
	summary_add_site(&summary, &close, here);
	summary_add_site(&summary, &close, here);
	all = object();
	assert_int_equal(json_array_size(json_object_get(all, "sites")), 2);
	has_text(row(all, "sites", 0), "site", here);
	has_number(row(all, "sites", 0), "closes", 2);
	has_number(row(all, "sites", 0), "resets_sent", 2);
	has_text(row(all, "sites", 1), "site", NULL);
	has_number(all, "closes", 0);
	json_decref(all);
}

/* The same closes, as two tables of the kernel have them, or by facts that no verdict asks for. */
static void what_is_the_same_is_one_row(void **state)
{
	json_t *all;

	some_of_each();
	some_of_each();
	all = object();
	assert_int_equal(json_array_size(json_object_get(all, "branches")), 3);
	assert_int_equal(json_array_size(json_object_get(all, "processes")), 2);
	assert_int_equal(json_array_size(json_object_get(all, "peers")), 2);
	has_number(all, "closes", 150);
	has_number(row(all, "processes", 0), "unread_bytes", 1800);
	has_number(row(all, "branches", 2), "closes", 140);
	json_decref(all);
}

static void outcomes_are_rows_of_their_own(void **state)
{
	json_t *all;

	closes(BRANCH_FIN, LINGER_DRAINED, (struct sums){ .count = 1 });
	closes(BRANCH_FIN, LINGER_TIMED_OUT, (struct sums){ .count = 2 });
	closes(BRANCH_FIN, LINGER_NULL, (struct sums){ .count = 3 });
	all = object();
	has_text(row(all, "branches", 0), "linger", NULL);
	has_text(row(all, "branches", 1), "linger", "timed-out");
	has_text(row(all, "branches", 2), "linger", "drained");
	json_decref(all);
}

static void records_that_came_by_themselves(void **state)
{
	struct close_event end = end_sample, reset = reset_sample;
	struct record got = reset_record(&reset, CAUSE_RESET_BY_PEER, OWNER_SOCKET);
	struct record sent = reset_record(&reset, CAUSE_KEEPALIVE_TIMEOUT, OWNER_NOBODY);
	struct record unknown = reset_record(&reset, CAUSE_UNKNOWN, OWNER_NOBODY);
	struct record over = end_record(&end, END_TIME_WAIT);
	json_t *all;

	summary_add_record(&summary, &got);
	summary_add_record(&summary, &sent);
	summary_add_record(&summary, &sent);
	summary_add_record(&summary, &unknown);
	summary_add_record(&summary, &over);
	all = object();
	has_number(all, "closes", 0);
	has_number(all, "resets", 4);
	has_number(all, "unknown", 1);
	has_text(row(all, "causes", 0), "cause", "keepalive-timeout");
	has_text(row(all, "causes", 0), "direction", "sent");
	has_number(row(all, "causes", 0), "count", 2);
	has_text(row(all, "ends", 0), "how", "time-wait");
	has_number(row(all, "ends", 0), "count", 1);
	/* Nobody's first, who has sent three; of the other the peer has sent it. */
	has_text(row(all, "processes", 0), "comm", NULL);
	has_number(row(all, "processes", 0), "resets_sent", 3);
	has_text(row(all, "processes", 1), "comm", "server");
	has_number(row(all, "processes", 1), "resets_received", 1);
	has_number(row(all, "processes", 1), "closes", 0);
	has_text(row(all, "peers", 0), "raddr", "192.0.2.201");
	has_number(row(all, "peers", 0), "resets_sent", 3);
	has_number(row(all, "peers", 0), "resets_received", 1);
	json_decref(all);
}

static void a_full_table_has_others_at_its_end(void **state)
{
	json_t *all, *last;

	some_of_each();
	others(TABLE_PEERS, (struct sums){ .count = 1000, .sent = 999 });
	all = object();
	last = row(all, "peers", 2);
	has_text(last, "raddr", NULL);
	assert_true(json_is_true(json_object_get(last, "others")));
	assert_true(json_is_false(json_object_get(row(all, "peers", 0), "others")));
	has_number(last, "closes", 1000);
	assert_int_equal(json_array_size(json_object_get(all, "processes")), 2);
	json_decref(all);
}

static void sizes_have_bounds(void **state)
{
	json_t *all;

	sized(SIZE_BLOCKED, 0, 1);
	sized(SIZE_BLOCKED, 2, 2);
	sized(SIZE_BLOCKED, 54, 3);
	all = object();
	has_number(row(all, "blocked_us", 0), "least", 0);
	has_number(row(all, "blocked_us", 0), "most", 0);
	has_number(row(all, "blocked_us", 1), "least", 2);
	has_number(row(all, "blocked_us", 1), "most", 3);
	has_number(row(all, "blocked_us", 1), "closes", 2);
	assert_int_equal(json_array_size(json_object_get(all, "blocked_us")), 3);
	has_number(row(all, "blocked_us", 2), "least", 9007199254740992);
	has_number(row(all, "blocked_us", 2), "most", 18014398509481983);
	json_decref(all);
	/* All that there are. */
	assert_true(slot_least(SIZE_SLOTS - 1) == UINT64_C(1) << 63);
	assert_true(slot_most(SIZE_SLOTS - 1) == UINT64_MAX);
	for (unsigned int slot = 1; slot < SIZE_SLOTS; slot++)
		assert_true(slot_least(slot) == slot_most(slot - 1) + 1);
}

static void what_was_not_seen_is_null(void **state)
{
	json_t *all;

	summary.lacks_blocked = true;
	all = object();
	has_text(all, "blocked_us", NULL);
	json_decref(all);
}

/* More than what the way out has room for. */
static void thousands_of_rows(void **state)
{
	json_t *all;

	for (__u32 pid = 1; pid <= 5000; pid++)
		process(pid, "\x01\x02\x03\x04\x05\x06\x07\x01\x02\x03\x04\x05\x06\x07\x01",
			(struct sums){ .count = UINT32_MAX, .unread = UINT32_MAX });
	all = object();
	assert_int_equal(json_array_size(json_object_get(all, "processes")), 5000);
	json_decref(all);
}

/* ---- as text -------------------------------------------------------------------------- */

static const char *text(bool all)
{
	int fd = memfd_create("out", MFD_CLOEXEC);
	struct out *out = out_on(fd);

	summary_sort(&summary);
	summary_text(out, &summary, all);
	out_flush(out);
	out_close(out);
	shown_text = contents(fd);
	close(fd);
	return shown_text;
}

/* Without the clock, which is whatever the zone says. */
static void is_below_the_clock(const char *text, const char *wanted)
{
	assert_int_equal(strcspn(text, " "), strlen("12:34:56"));
	assert_string_equal(text + strlen("12:34:56"), wanted);
}

static void text_of_nothing(void **state)
{
	is_below_the_clock(text(false), " in 1.5 s: 0 closes, 0 resets, 0 unknown\n\n");
}

static void text_of_each(void **state)
{
	some_of_each();
	is_below_the_clock(text(false),
			   " in 1.5 s: 75 closes, 0 resets, 0 unknown\n"
			   "\n"
			   "BRANCH      SENT LINGER CLOSES RST UNREAD UNSENT\n"
			   "zero-linger rst  reset       3   3      0     44\n"
			   "unread-data rst  -           2   2    900      0\n"
			   "fin         fin  -          70   0      0      0\n"
			   "\n"
			   "PID COMM  CLOSES RST GOT UNREAD UNSENT\n"
			   " 11 loud       5   5   0    900     44\n"
			   " 10 quiet     70   0   0      0      0\n"
			   "\n"
			   "PEER      CLOSES RST GOT UNREAD UNSENT\n"
			   "192.0.2.2      5   5   0    900     44\n"
			   "192.0.2.1     70   0   0      0      0\n"
			   "\n"
			   "BLOCKED (us) CLOSES HISTOGRAM\n"
			   "     8 to 15     75 ########################################\n"
			   "\n"
			   "UNREAD (bytes) CLOSES HISTOGRAM\n"
			   "    256 to 511      2 ########################################\n"
			   "\n");
}

static void names_are_escaped(void **state)
{
	process(1, "\033[2J\xff\\", (struct sums){ .count = 1 });
	process(2, "gr\xc3\xbc\xc3\x9f", (struct sums){ .count = 1 });
	assert_non_null(strstr(text(false), "\n  1 \\x1b[2J\\xff\\x5c "));
	assert_non_null(strstr(shown_text, "\n  2 gr\xc3\xbc\xc3\x9f "));
	assert_null(strchr(shown_text, '\033'));
}

static void nobody_has_no_name(void **state)
{
	process(0, "", (struct sums){ .sent = 9 });
	others(TABLE_PROCESSES, (struct sums){ .count = 7 });
	assert_non_null(strstr(text(false), "  - -           0   9   0"));
	assert_non_null(strstr(shown_text, "  - others      7   0   0"));
}

static void the_rest_is_counted(void **state)
{
	for (int i = 1; i <= 25; i++)
		peer(i, (struct sums){ .count = i });
	assert_non_null(strstr(text(false), "\nand 5 more\n"));
	assert_non_null(strstr(shown_text, "192.0.2.6 "));
	assert_null(strstr(shown_text, "192.0.2.5 "));
	free(shown_text);
	assert_null(strstr(text(true), " more\n"));
	assert_non_null(strstr(shown_text, "192.0.2.1 "));
}

static int length_of_bar(const char *line)
{
	const char *bar = strchr(line, '#'), *end = strchr(line, '\n');

	return bar && bar < end ? (int)strspn(bar, "#") : 0;
}

static void bars_are_to_scale(void **state)
{
	sized(SIZE_BLOCKED, 1, 1);
	sized(SIZE_BLOCKED, 3, 1);
	sized(SIZE_BLOCKED, 4, UINT64_MAX / 2);
	sized(SIZE_BLOCKED, 6, UINT64_MAX);
	text(false);
	assert_int_equal(length_of_bar(strstr(shown_text, "           1 ")), 1);
	assert_int_equal(length_of_bar(strstr(shown_text, "2 to 3 ")), 0);
	assert_int_equal(length_of_bar(strstr(shown_text, "4 to 7 ")), 1);
	assert_int_equal(length_of_bar(strstr(shown_text, "8 to 15 ")), 20);
	assert_int_equal(length_of_bar(strstr(shown_text, "16 to 31 ")), 0);
	assert_int_equal(length_of_bar(strstr(shown_text, "32 to 63 ")), 40);
	assert_null(strstr(shown_text, "           0 "));
	assert_null(strstr(shown_text, "64 to 127 "));
}

/* ---- at a terminal ----------------------------------------------------------------------- */

/* What a terminal of that width gets. */
static void at_terminal(int width, char *got, size_t size)
{
	struct winsize window = { .ws_row = 24, .ws_col = width };
	int master, slave;
	struct out *out;
	ssize_t length;

	assert_int_equal(openpty(&master, &slave, NULL, NULL, &window), 0);
	out = out_on(slave);
	summary_sort(&summary);
	summary_text(out, &summary, false);
	out_flush(out);
	out_close(out);
	length = read(master, got, size - 1);
	assert_true(length > 0);
	got[length] = '\0';
	close(slave);
	close(master);
}

static void widest(void)
{
	static const struct sums most = { UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX,
					  UINT32_MAX };
	struct table_key key = { .peer = LONGEST_IPV6 };

	closes(BRANCH_FIN_ALREADY_SENT, LINGER_CLOSED_MEANWHILE, most);
	process(4194304, "fifteen-letters", most);
	summary_add_row(&summary, TABLE_PEERS, &key, &most);
	sized(SIZE_UNREAD, 32, UINT32_MAX);
}

static void a_line_fits_80_columns(void **state)
{
	char got[4096];

	widest();
	at_terminal(80, got, sizeof(got));
	for (const char *line = got; *line; line += strcspn(line, "\n") + 1) {
		int colours = !strncmp(line, "\033[", 2) ? strlen("\033[31m\033[0m") : 0;

		assert_true((int)strcspn(line, "\r\n") - colours <= 80);
	}
}

static void resets_are_red_at_a_terminal_alone(void **state)
{
	char got[4096];

	some_of_each();
	at_terminal(120, got, sizeof(got));
	assert_non_null(strstr(got, "\033[31mzero-linger"));
	assert_null(strstr(got, "\033[31mfin"));
	assert_null(strchr(text(false), '\033'));
}

#define WITH_COUNTS(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_COUNTS(json_of_nothing),
		WITH_COUNTS(what_did_reset_comes_first),
		WITH_COUNTS(what_is_the_same_is_one_row),
		WITH_COUNTS(closes_of_a_site_are_one_row),
		WITH_COUNTS(outcomes_are_rows_of_their_own),
		WITH_COUNTS(records_that_came_by_themselves),
		WITH_COUNTS(a_full_table_has_others_at_its_end),
		WITH_COUNTS(sizes_have_bounds),
		WITH_COUNTS(what_was_not_seen_is_null),
		WITH_COUNTS(thousands_of_rows),
		WITH_COUNTS(text_of_nothing),
		WITH_COUNTS(text_of_each),
		WITH_COUNTS(names_are_escaped),
		WITH_COUNTS(nobody_has_no_name),
		WITH_COUNTS(the_rest_is_counted),
		WITH_COUNTS(bars_are_to_scale),
		WITH_COUNTS(a_line_fits_80_columns),
		WITH_COUNTS(resets_are_red_at_a_terminal_alone),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	setlocale(LC_CTYPE, "C.UTF-8");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
