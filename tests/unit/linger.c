// SPDX-License-Identifier: GPL-2.0-only
/* A setting of SO_LINGER in words. */
#include "tests/unit/sample.h"

#include "user/linger.h"

static void what_is_set_is_shown_as_a_program_has_it(void **state)
{
	struct close_event event = { .facts = WAS_LINGER, .linger_s = 3 };
	char text[64];

	linger_show(&event, text, sizeof(text));
	assert_string_equal(text, "SO_LINGER {1, 3}");
	event.facts = 0;
	linger_show(&event, text, sizeof(text));
	assert_string_equal(text, "SO_LINGER {0}");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_set_is_shown_as_a_program_has_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
