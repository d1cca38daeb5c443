// SPDX-License-Identifier: GPL-2.0-only
/* closetrace explain, by what it prints: a name without an entry cannot go unnoticed. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "user/explain.h"
#include "user/judge.h"

#define COUNT(table) (sizeof(table) / sizeof(*(table)))

#define MAX_LINES   12
#define MAX_COLUMNS 80

static struct {
	int status;
	char out[16384];
	char err[1024];
} ran;

static int redirect(FILE *stream, int to)
{
	int saved;

	fflush(stream);
	saved = fcntl(fileno(stream), F_DUPFD_CLOEXEC, 10);
	assert_true(saved >= 0 && dup2(to, fileno(stream)) >= 0);
	return saved;
}

static void restore(FILE *stream, int saved)
{
	fflush(stream);
	dup2(saved, fileno(stream));
	close(saved);
}

static void take(int fd, char *text, size_t size)
{
	ssize_t length = pread(fd, text, size - 1, 0);

	assert_in_range(length, 0, size - 2);
	text[length] = '\0';
	close(fd);
}

static void run(int argc, const char *name)
{
	char *argv[] = { "explain", (char *)name, "more", NULL };
	int out = memfd_create("out", MFD_CLOEXEC), err = memfd_create("err", MFD_CLOEXEC);
	int saved_out = redirect(stdout, out), saved_err = redirect(stderr, err);

	ran.status = explain_main(argc, argv);
	restore(stderr, saved_err);
	restore(stdout, saved_out);
	take(out, ran.out, sizeof(ran.out));
	take(err, ran.err, sizeof(ran.err));
}

/* Entries are parted by empty lines. */
static void check_size(const char *text)
{
	int lines = 0;

	while (*text) {
		size_t columns = strcspn(text, "\n");

		lines = columns ? lines + 1 : 0;
		if (lines > MAX_LINES || columns > MAX_COLUMNS)
			fail_msg("line %d, %zu columns: %.*s", lines, columns, (int)columns, text);
		text += columns + 1;
	}
}

static void check_entry(const char *kind, const char *name)
{
	char head[80];
	const char *at;

	run(2, name);
	assert_int_equal(ran.status, 0);
	assert_string_equal(ran.err, "");
	snprintf(head, sizeof(head), "%s %s: ", kind, name);
	at = strstr(ran.out, head);
	if (!at || (at != ran.out && at[-1] != '\n'))
		fail_msg("no \"%s\" in: %s", head, ran.out);
	check_size(ran.out);
}

/* Spelled here once more, as users have them. */
/* clang-format off */
static const char *const causes[] = {
	"disconnect", "unaccepted-child", "admin-abort", "keepalive-timeout", "fin-wait2-timeout",
	"orphan-limit", "linger2", "mptcp-fastclose", "mptcp-subflow", "no-socket", "listener-stray-ack",
	"bad-ack-syn-sent", "bad-ack-syn-recv", "late-data", "time-wait", "accept-overflow",
	"embryonic", "mptcp-join-reject", "firewall-reject", "unknown", "reset-by-peer", "refused",
};
static const char *const ends[] = {
	"time-wait", "closed", "reset-by-peer", "late-data-reset", "time-wait-reset",
	"retransmit-timeout", "orphan-limit-reset", "fin-wait2-timeout", "unknown",
};
/* clang-format on */

static void every_branch_has_an_entry(void **state)
{
	for (int i = 0; i < BRANCH_COUNT; i++)
		check_entry("branch", branch_name(i));
}

static void every_linger_outcome_has_an_entry(void **state)
{
	for (int i = LINGER_NULL + 1; i < LINGER_COUNT; i++)
		check_entry("linger outcome", linger_name(i));
}

static void every_after_has_an_entry(void **state)
{
	for (int i = AFTER_NULL + 1; i < AFTER_COUNT; i++)
		check_entry("after", after_name(i));
}

static void every_cause_has_an_entry(void **state)
{
	assert_int_equal(COUNT(causes), CAUSE_COUNT);
	for (size_t i = 0; i < COUNT(causes); i++)
		check_entry("cause", causes[i]);
}

static void every_end_has_an_entry(void **state)
{
	assert_int_equal(COUNT(ends), END_COUNT);
	for (size_t i = 0; i < COUNT(ends); i++)
		check_entry("end", ends[i]);
}

/* What is told of a name, and in which order. */
static void check_kinds(const char *name, const char *const *kinds, size_t count)
{
	const char *at = ran.out;
	char head[80];

	run(2, name);
	for (size_t i = 0; i < count; i++) {
		snprintf(head, sizeof(head), "%s%s %s: ", i ? "\n\n" : "", kinds[i], name);
		at = strstr(at, head);
		if (!at || (!i && at != ran.out))
			fail_msg("no \"%s\" in its place in: %s", head, ran.out);
		at += strlen(head);
	}
	assert_null(strstr(at, "\n\n"));
}

#define CHECK_KINDS(name, ...)                                  \
	check_kinds(name, (const char *const[]){ __VA_ARGS__ }, \
		    COUNT(((const char *const[]){ __VA_ARGS__ })))

static void a_name_of_several_kinds_gives_all(void **state)
{
	CHECK_KINDS("fin", "branch");
	CHECK_KINDS("closed-meanwhile", "linger outcome", "after");
	CHECK_KINDS("reset-by-peer", "cause", "end");
	CHECK_KINDS("fin-wait2-timeout", "cause", "end");
	CHECK_KINDS("late-data-reset", "after", "end");
	CHECK_KINDS("orphan-limit-reset", "after", "end");
	CHECK_KINDS("time-wait", "after", "cause", "end");
	CHECK_KINDS("unknown", "branch", "cause", "end");
}

/* Under the head of its kind, up to the next empty line. */
static void check_listed(const char *kind, const char *name)
{
	char head[80], line[80];
	const char *from, *end, *at;

	snprintf(head, sizeof(head), "\n\n%s: ", kind);
	snprintf(line, sizeof(line), "\n  %s ", name);
	run(1, NULL);
	from = strstr(ran.out, head);
	assert_non_null(from);
	end = strstr(from + 2, "\n\n");
	at = strstr(from, line);
	if (!at || (end && at > end))
		fail_msg("no %s under \"%s\"", name, kind);
}

static void the_list_has_each_under_its_kind(void **state)
{
	for (int i = 0; i < BRANCH_COUNT; i++)
		check_listed("branch", branch_name(i));
	for (int i = LINGER_NULL + 1; i < LINGER_COUNT; i++)
		check_listed("linger", linger_name(i));
	for (int i = AFTER_NULL + 1; i < AFTER_COUNT; i++)
		check_listed("after", after_name(i));
	for (size_t i = 0; i < COUNT(causes); i++)
		check_listed("cause", causes[i]);
	for (size_t i = 0; i < COUNT(ends); i++)
		check_listed("end", ends[i]);
}

static void the_list_fits(void **state)
{
	const char *line;

	run(1, NULL);
	assert_int_equal(ran.status, 0);
	assert_string_equal(ran.err, "");
	for (line = ran.out; *line; line += strcspn(line, "\n") + 1)
		assert_in_range(strcspn(line, "\n"), 0, MAX_COLUMNS);
}

static void check_refused(const char *typed, const char *words)
{
	run(2, typed);
	assert_int_equal(ran.status, 64);
	assert_string_equal(ran.out, "");
	assert_non_null(strstr(ran.err, words));
	assert_ptr_equal(strchr(ran.err, '\n'), ran.err + strlen(ran.err) - 1);
}

static void an_unknown_name_is_refused(void **state)
{
	check_refused("xyzzy", "explain xyzzy: no such name; closetrace explain lists them");
	check_refused("", "no such name");
	check_refused("e", "close to it: ");
	check_refused("fin-already-sent-and-much-longer-than-any-name-there-is", "no such name");
}

static void names_close_to_it_are_named(void **state)
{
	check_refused("unred-data", "close to it: unread-data\n");
	check_refused("Unread", "close to it: unread-data\n");
	check_refused("TCPAbortOnLinger", "close to it: linger2-reset, linger2\n");
	check_refused("TCP_ABORT_ON_CLOSE", "close to it: unread-data, mptcp-fastclose\n");
}

/* The kernel's words for it. */
static void a_reason_leads_to_its_causes(void **state)
{
	check_refused("NO_SOCKET", "close to it: no-socket\n");
	check_refused("TCP_STATE", "close to it: zero-linger, disconnect, unaccepted-child, "
				   "admin-abort, fin-wait2-timeout\n");
	/* Of two kinds with this name, the second has the word. */
	check_refused("TCP_TIMEWAIT_SOCKET", "close to it: time-wait\n");
	check_refused("ListenOverflows", "close to it: accept-overflow\n");
}

/* What people take these counters for, and what they are. */
static void counters_are_set_right(void **state)
{
	run(2, "firewall-reject");
	assert_non_null(strstr(ran.out, "counters  None, not even TcpOutRsts."));
	run(2, "reset-by-peer");
	assert_non_null(strstr(ran.out, "counters  TcpEstabResets"));
	assert_non_null(strstr(ran.out, "no counter of"));
	run(2, "no-reset-needed");
	assert_non_null(strstr(ran.out, "is no proof of"));
	run(2, "linger2-reset");
	assert_non_null(strstr(ran.out, "TcpExtTCPAbortOnLinger"));
	run(2, "zero-linger");
	assert_null(strstr(ran.out, "TcpExtTCPAbortOnLinger"));
}

static void programs_have_settings(void **state)
{
	run(2, "unread-data");
	assert_non_null(strstr(ran.out, "lingering_close always, a long"));
	assert_non_null(strstr(ran.out, "delayed_close_timeout above 0; Tomcat"));
	assert_non_null(strstr(ran.out, "Tomcat: maxSwallowSize.\n"));
	run(2, "zero-linger");
	assert_non_null(strstr(ran.out, "haproxy: no option nolinger; nginx:"));
	run(2, "fin");
	assert_null(strstr(ran.out, "nginx"));
}

static void one_name_at_a_time(void **state)
{
	run(3, "fin");
	assert_int_equal(ran.status, 64);
	assert_string_equal(ran.out, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_branch_has_an_entry),
		cmocka_unit_test(every_linger_outcome_has_an_entry),
		cmocka_unit_test(every_after_has_an_entry),
		cmocka_unit_test(every_cause_has_an_entry),
		cmocka_unit_test(every_end_has_an_entry),
		cmocka_unit_test(a_name_of_several_kinds_gives_all),
		cmocka_unit_test(the_list_has_each_under_its_kind),
		cmocka_unit_test(the_list_fits),
		cmocka_unit_test(an_unknown_name_is_refused),
		cmocka_unit_test(names_close_to_it_are_named),
		cmocka_unit_test(a_reason_leads_to_its_causes),
		cmocka_unit_test(counters_are_set_right),
		cmocka_unit_test(programs_have_settings),
		cmocka_unit_test(one_name_at_a_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
