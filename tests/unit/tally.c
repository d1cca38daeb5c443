// SPDX-License-Identifier: GPL-2.0-only
/* Counting texts: how many, in which order, and what there is no room for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "user/tally.h"

static void is(const struct tally *tally, size_t nth, const char *text, uint64_t count)
{
	const struct tallied *tallied = tally_nth(tally, nth);

	assert_non_null(tallied);
	assert_string_equal(tallied->text, text);
	assert_int_equal(tallied->count, count);
}

static void an_empty_one(void **state)
{
	const struct tally tally = {};

	assert_null(tally_nth(&tally, 0));
	assert_int_equal(tally_sum(&tally), 0);
}

static void the_most_frequent_comes_first(void **state)
{
	struct tally tally = {};

	tally_add(&tally, "a", 1);
	tally_add(&tally, "b", 1);
	tally_add(&tally, "c", 1);
	tally_add(&tally, "c", 1);
	is(&tally, 0, "c", 2);
	is(&tally, 1, "a", 1);
	is(&tally, 2, "b", 1);
	assert_null(tally_nth(&tally, 3));
}

static void fill(struct tally *tally, int count)
{
	char text[16];

	for (int i = 0; i < count; i++) {
		snprintf(text, sizeof(text), "text %d", i);
		tally_add(tally, text, 1);
	}
}

static void what_has_no_room_is_counted(void **state)
{
	struct tally tally = {};

	fill(&tally, TALLY_ROOM + 5);
	tally_add(&tally, "text 3", 1);
	assert_int_equal(tally.others, 5);
	assert_int_equal(tally_sum(&tally), TALLY_ROOM + 6);
	is(&tally, 0, "text 3", 2);
	assert_null(tally_nth(&tally, TALLY_ROOM));
}

static void two_make_one(void **state)
{
	struct tally one = {}, other = {};

	tally_add(&one, "a", 2);
	tally_add(&other, "b", 4);
	tally_add(&other, "a", 3);
	other.others = 7;
	tally_merge(&one, &other);
	is(&one, 0, "a", 5);
	is(&one, 1, "b", 4);
	assert_int_equal(one.others, 7);
	assert_int_equal(tally_sum(&one), 16);
}

/* It may be the name of a function in somebody's program. */
static void a_long_text(void **state)
{
	struct tally tally = {};
	char text[3 * TALLY_TEXT], kept[TALLY_TEXT];

	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	tally_add(&tally, text, 1);
	tally_add(&tally, text, 1);
	memcpy(kept, text, sizeof(kept) - 1);
	kept[sizeof(kept) - 1] = '\0';
	is(&tally, 0, kept, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_one),
		cmocka_unit_test(the_most_frequent_comes_first),
		cmocka_unit_test(what_has_no_room_is_counted),
		cmocka_unit_test(two_make_one),
		cmocka_unit_test(a_long_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
