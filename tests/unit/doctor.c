// SPDX-License-Identifier: GPL-2.0-only
/* The table of doctor, and the one line that says why nothing can be traced. */
#include "tests/unit/sample.h"

#include <sys/wait.h>

#include "user/doctor.h"
#include "user/kernel.h"
#include "user/privileges.h"

static const char *row(const char *what, const char *word, const char *text)
{
	static char *rows;
	size_t size;
	FILE *out;

	free(rows);
	out = open_memstream(&rows, &size);
	doctor_row(out, what, word, text);
	fclose(out);
	return rows;
}

static void a_row_has_three_columns(void **state)
{
	assert_string_equal(row("BTF", "good", "there"), "BTF            good     there\n");
	assert_string_equal(row("", "so", "a b"), "               so       a b\n");
}

/* 80 columns: 24 are taken. */
static void a_long_text_is_broken_between_words(void **state)
{
	static const char fits[] = "12345678901234567890123456789012345678901234567890 12345";
	static const char word[] = "123456789012345678901234567890123456789012345678901234567890";
	char wanted[256];

	snprintf(wanted, sizeof(wanted), "a              b        %s\n", fits);
	assert_int_equal(strlen(wanted), 81);
	assert_string_equal(row("a", "b", fits), wanted);
	snprintf(wanted, sizeof(wanted), "a              b        %.50s\n%24s%s\n", fits, "", "123456");
	assert_string_equal(row("a", "b", "12345678901234567890123456789012345678901234567890 123456"),
			    wanted);
	/* A path longer than a line is left whole. */
	snprintf(wanted, sizeof(wanted), "a              b        x\n%24s%s\n%24sy\n", "", word, "");
	assert_string_equal(row("a", "b", "x 123456789012345678901234567890123456789012345678901234567890 y"),
			    wanted);
}

static void each_check_says_what_follows_and_what_to_do(void **state)
{
	char text[256];
	size_t count = 0;

	for (const struct check *check = kernel_checks; check->what; check++, count++) {
		assert_in_range(strlen(check->what), 1, 14);
		assert_in_range(strlen(check->means), 5, 120);
		assert_in_range(strlen(check->remedy), 5, 120);
		memset(text, 0, sizeof(text));
		assert_in_range(check->ask(NULL, text, sizeof(text)), FINDING_GOOD, FINDING_BAD);
		assert_in_range(strlen(text), 1, 120);
	}
	assert_true(count >= 8);
}

/* The privileges are gone for good, so a child does it. */
static int in_child(int (*call)(void))
{
	int status;
	pid_t pid = fork();

	if (!pid)
		_exit(call());
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 255;
}

static int blame_without_privileges(void)
{
	char line[256] = "";

	privileges_keep(0);
	if (privileges_include(CAP_BPF) || privileges_include(CAP_PERFMON))
		return 1;
	if (!kernel_blame(VIA_TRACEPOINT, NULL, line, sizeof(line)))
		return 2;
	if (strncmp(line, "privileges: ", 12) || !strstr(line, "CAP_BPF and CAP_PERFMON; run it as root"))
		return 3;
	return strchr(line, '\n') ? 4 : 0;
}

static void without_privileges_these_are_to_blame(void **state)
{
	assert_int_equal(in_child(blame_without_privileges), 0);
}

static void a_kernel_without_btf_is_told(void **state)
{
	const struct check *check = kernel_checks;
	char text[256];

	while (check->what && strcmp(check->what, "BTF"))
		check++;
	assert_non_null(check->what);
	assert_int_equal(check->ask("/nonexistent/btf", text, sizeof(text)), FINDING_BAD);
	assert_non_null(strstr(text, "/nonexistent/btf"));
	assert_non_null(strstr(check->remedy, "--btf FILE"));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_row_has_three_columns),
		cmocka_unit_test(a_long_text_is_broken_between_words),
		cmocka_unit_test(each_check_says_what_follows_and_what_to_do),
		cmocka_unit_test(without_privileges_these_are_to_blame),
		cmocka_unit_test(a_kernel_without_btf_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
