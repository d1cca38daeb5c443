// SPDX-License-Identifier: GPL-2.0-only
/* Records wait their turn, and without their stacks if there are too many. */
#include "tests/unit/sample.h"

#include "user/backlog.h"

static void add(struct backlog *backlog, __u64 id, size_t size)
{
	static struct user_stack_event record;

	record.kernel.event = sample;
	record.kernel.event.id = id;
	backlog_add(backlog, &record.kernel.event, size);
}

static void first_come_first_served(void **state)
{
	struct backlog backlog = BACKLOG_INIT;
	struct kept *kept;

	assert_null(backlog_next(&backlog));
	for (__u64 id = 1; id <= 3; id++)
		add(&backlog, id, sizeof(struct close_event));
	for (__u64 id = 1; id <= 3; id++) {
		assert_int_equal(backlog.count, 4 - id);
		kept = backlog_next(&backlog);
		assert_int_equal(kept->event.id, id);
		assert_int_equal(kept->size, sizeof(struct close_event));
		free(kept);
	}
	assert_null(backlog_next(&backlog));
	add(&backlog, 4, sizeof(struct close_event));
	kept = backlog_next(&backlog);
	assert_int_equal(kept->event.id, 4);
	assert_int_equal(backlog.bytes, 0);
	free(kept);
}

/* Not one is lost, and those that came in time are whole. */
static void too_many_leave_their_stacks(void **state)
{
	enum { MANY = 20000 };
	struct backlog backlog = BACKLOG_INIT;
	struct kept *kept;
	size_t whole = 0, count = 0;

	for (int i = 0; i < MANY; i++)
		add(&backlog, i, sizeof(struct user_stack_event));
	assert_true(backlog.cut > 0);
	assert_true(backlog.bytes < 80 << 20);
	while ((kept = backlog_next(&backlog))) {
		assert_int_equal(kept->event.id, count++);
		if (kept->size == sizeof(struct user_stack_event))
			whole++;
		else
			assert_int_equal(kept->size, sizeof(struct reset_event));
		free(kept);
	}
	assert_int_equal(count, MANY);
	assert_int_equal(whole, MANY - backlog.cut);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(first_come_first_served),
		cmocka_unit_test(too_many_leave_their_stacks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
