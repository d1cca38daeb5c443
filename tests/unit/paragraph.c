// SPDX-License-Identifier: GPL-2.0-only
/* Words into lines, bytes with their unit, and somebody else's bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "user/paragraph.h"

static void lines(const char *text, int width, const char *mark, const char *want)
{
	char *got = NULL;
	size_t size;
	FILE *to = open_memstream(&got, &size);

	paragraph_put(text, to, width, mark);
	fclose(to);
	assert_string_equal(got, want);
	free(got);
}

static void words_are_put_into_lines(void **state)
{
	lines("", 10, "", "\n");
	lines("one", 10, "", "one\n");
	lines("one two three four", 9, "", "one two\nthree\nfour\n");
	/* To the last column, and not beyond. */
	lines("one two three", 7, "", "one two\nthree\n");
	lines("one two three", 6, "", "one\ntwo\nthree\n");
}

static void lines_hang_below_the_mark(void **state)
{
	lines("one two three", 9, "- ", "- one two\n  three\n");
	lines("one two three", 5, "-> ", "-> one\n   two\n   three\n");
}

static void a_word_without_room_stands_alone(void **state)
{
	lines("a wooooooord b", 6, "- ", "- a\n  wooooooord\n  b\n");
	lines("wooooooord b", 6, "- ", "- wooooooord\n  b\n");
}

static void a_hard_space_breaks_no_line(void **state)
{
	lines("it was 1.3" HARD_SPACE "MB of it", 12, "", "it was\n1.3 MB of it\n");
	lines("it was 1.3" HARD_SPACE "MB of it", 10, "", "it was\n1.3 MB of\nit\n");
}

static void characters_are_columns(void **state)
{
	lines("\xc3\xa4\xc3\xb6\xc3\xbc \xe2\x82\xac x", 5, "", "\xc3\xa4\xc3\xb6\xc3\xbc \xe2\x82\xac\nx\n");
}

static void bytes(uint64_t count, const char *want)
{
	struct paragraph paragraph = {};

	paragraph_add_bytes(&paragraph, count);
	lines(paragraph.text, 80, "", want);
}

static void bytes_have_a_unit(void **state)
{
	bytes(0, "0 bytes\n");
	bytes(1, "1 byte\n");
	bytes(999, "999 bytes\n");
	bytes(1000, "1.0 kB\n");
	bytes(1310, "1.3 kB\n");
	bytes(9949, "9.9 kB\n");
	bytes(9950, "10 kB\n");
	bytes(112960, "113 kB\n");
	bytes(999499, "999 kB\n");
	bytes(999500, "1.0 MB\n");
	bytes(1310000, "1.3 MB\n");
	bytes(UINT64_MAX, "18 EB\n");
}

static void foreign(const char *text, const char *want)
{
	struct paragraph paragraph = {};

	paragraph_add_foreign(&paragraph, text);
	assert_string_equal(paragraph.text, want);
}

static void foreign_bytes_are_escaped(void **state)
{
	foreign("nginx", "nginx");
	foreign("a b", "a b");
	foreign("\x1b[2J\n", "\\x1b[2J\\x0a");
	foreign("a\\b", "a\\x5c" "b");
	foreign("\xff\xc3\xa4", "\\xff\xc3\xa4");
	foreign("100%s", "100%s");
	/* Not even what a line is never broken at. */
	foreign(HARD_SPACE, "\\x1f");
	/* A change of direction. */
	foreign("\xe2\x80\xae", "\\xe2\\x80\\xae");
}

static void what_does_not_fit_is_left_out(void **state)
{
	struct paragraph paragraph = {};

	for (int i = 0; i < PARAGRAPH_SIZE; i++)
		paragraph_add(&paragraph, "12345");
	assert_int_equal(strlen(paragraph.text), PARAGRAPH_SIZE - 1);
	assert_int_equal(paragraph.used, PARAGRAPH_SIZE - 1);
	paragraph_add_foreign(&paragraph, "x");
	paragraph_add_bytes(&paragraph, 5);
	assert_int_equal(strlen(paragraph.text), PARAGRAPH_SIZE - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_are_put_into_lines),
		cmocka_unit_test(lines_hang_below_the_mark),
		cmocka_unit_test(a_word_without_room_stands_alone),
		cmocka_unit_test(a_hard_space_breaks_no_line),
		cmocka_unit_test(characters_are_columns),
		cmocka_unit_test(bytes_have_a_unit),
		cmocka_unit_test(foreign_bytes_are_escaped),
		cmocka_unit_test(what_does_not_fit_is_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
