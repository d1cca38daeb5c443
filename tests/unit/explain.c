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
	run(1, NULL);
	snprintf(head, sizeof(head), "\n  %s ", name);
	assert_non_null(strstr(ran.out, head));
}

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

static void a_name_of_two_kinds_gives_both(void **state)
{
	run(2, "closed-meanwhile");
	assert_non_null(strstr(ran.out, "linger outcome closed-meanwhile: "));
	assert_non_null(strstr(ran.out, "\n\nafter closed-meanwhile: "));
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
	check_refused("TCPAbortOnLinger", "close to it: linger2-reset\n");
	check_refused("TCP_ABORT_ON_CLOSE", "close to it: unread-data\n");
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
		cmocka_unit_test(a_name_of_two_kinds_gives_both),
		cmocka_unit_test(the_list_fits),
		cmocka_unit_test(an_unknown_name_is_refused),
		cmocka_unit_test(names_close_to_it_are_named),
		cmocka_unit_test(one_name_at_a_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
