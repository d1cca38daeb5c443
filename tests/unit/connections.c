// SPDX-License-Identifier: GPL-2.0-only
/* What was added is found until there is no room, and then the oldest goes. */
#include "tests/unit/sample.h"

#include "user/connections.h"

#define MATES 5	/* one more than there is room for in one place */

static struct close_event numbered(uint32_t number)
{
	struct close_event event = sample;

	event.lport = number;
	event.raddr[14] = number >> 24;
	event.raddr[15] = number >> 16;
	event.id = number;
	return event;
}

static void add(struct connections *connections, uint32_t number)
{
	struct close_event event = numbered(number);

	connections_add(connections, &event);
}

static bool has(struct connections *connections, uint32_t number)
{
	struct close_event event = numbered(number);
	const struct close_event *found = connections_find(connections, &event);

	if (found)
		assert_memory_equal(found, &event, sizeof(event));
	return found;
}

static void is_found_by_both_ends_and_the_namespace(void **state)
{
	struct connections *connections = connections_new();
	struct close_event event = sample, other;

	assert_null(connections_find(connections, &sample));
	connections_add(connections, &sample);
	event.id++;
	event.time_ns++;
	event.kind = EVENT_END;
	assert_int_equal(connections_find(connections, &event)->id, sample.id);
	other = event, other.lport++;
	assert_null(connections_find(connections, &other));
	other = event, other.rport++;
	assert_null(connections_find(connections, &other));
	other = event, other.netns++;
	assert_null(connections_find(connections, &other));
	for (int i = 0; i < 16; i++) {
		other = event, other.laddr[i]++;
		assert_null(connections_find(connections, &other));
		other = event, other.raddr[i]++;
		assert_null(connections_find(connections, &other));
	}
	connections_free(connections);
}

static void the_same_takes_its_own_place(void **state)
{
	struct connections *connections = connections_new();
	struct close_event event = sample;

	for (uint64_t id = 1; id <= 100; id++) {
		event.id = id;
		connections_add(connections, &event);
		assert_int_equal(connections_find(connections, &event)->id, id);
	}
	connections_free(connections);
}

static void what_is_found_may_be_changed(void **state)
{
	struct connections *connections = connections_new();

	connections_add(connections, &sample);
	connections_find(connections, &sample)->facts = 42;
	assert_int_equal(connections_find(connections, &sample)->facts, 42);
	connections_free(connections);
}

/* A few thousand have room by far. */
static void many_are_found(void **state)
{
	struct connections *connections = connections_new();

	for (uint32_t number = 1; number <= 4000; number++)
		add(connections, number << 8);
	for (uint32_t number = 1; number <= 4000; number++)
		assert_true(has(connections, number << 8));
	connections_free(connections);
}

/* The first from here on that drives 1 out: it has the same place. */
static uint32_t mate_of_one(uint32_t from)
{
	struct connections *connections = connections_new();

	add(connections, 1);
	for (; has(connections, 1); from++)
		add(connections, from);
	connections_free(connections);
	return from - 1;
}

static void the_oldest_goes_but_not_what_came_again(void **state)
{
	uint32_t mates[MATES] = { 1 };
	struct connections *connections;

	for (size_t i = 1; i < MATES; i++)
		mates[i] = mate_of_one(mates[i - 1] + 1);
	connections = connections_new();
	for (size_t i = 0; i < MATES - 1; i++)
		add(connections, mates[i]);
	for (size_t i = 0; i < MATES - 1; i++)
		assert_true(has(connections, mates[i]));
	add(connections, mates[0]);
	add(connections, mates[MATES - 1]);
	assert_true(has(connections, mates[0]));
	assert_false(has(connections, mates[1]));
	for (size_t i = 2; i < MATES; i++)
		assert_true(has(connections, mates[i]));
	connections_free(connections);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(is_found_by_both_ends_and_the_namespace),
		cmocka_unit_test(the_same_takes_its_own_place),
		cmocka_unit_test(what_is_found_may_be_changed),
		cmocka_unit_test(many_are_found),
		cmocka_unit_test(the_oldest_goes_but_not_what_came_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
