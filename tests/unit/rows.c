// SPDX-License-Identifier: GPL-2.0-only
/* Rows: our own stack, walked by them, is as the compiler's own library walks it. */
#include "tests/unit/sample.h"
#include "tests/unit/walk.h"

#include <alloca.h>
#include <signal.h>
#include <ucontext.h>
#include <unistd.h>

#include "user/rows.h"

#define ROOM 64

static const Dwfl_Callbacks callbacks = {
	.find_elf = dwfl_linux_proc_find_elf,
	.find_debuginfo = dwfl_standard_find_debuginfo,
};

static Dwfl *ourselves;

static int begin(void **state)
{
	ourselves = dwfl_begin(&callbacks);
	dwfl_report_begin(ourselves);
	dwfl_linux_proc_report(ourselves, getpid());
	return dwfl_report_end(ourselves, NULL, NULL);
}

static int end(void **state)
{
	dwfl_end(ourselves);
	return 0;
}

/* ---- one stack, walked twice ---------------------------------------------------------------- */

static uint64_t by_rows[ROOM], expected[ROOM];
static size_t by_rows_count, expected_count;
static union unwind_row last;	/* by which it ended */

#if defined(__x86_64__)
__attribute__((no_sanitize("address"))) static uint64_t word_at(uint64_t address)
{
	return *(volatile uint64_t *)address;
}

static void walk(uint64_t address, uint64_t sp, uint64_t fp)
{
	for (by_rows_count = 0; by_rows_count < ROOM;) {
		last = rows_find(ourselves, address, !by_rows_count);
		by_rows[by_rows_count++] = address;
		if (last.from != UNWIND_FROM_SP && last.from != UNWIND_FROM_FP)
			return;
		sp = (last.from == UNWIND_FROM_SP ? sp : fp) + last.cfa;
		address = word_at(sp - 8);
		if (last.fp)
			fp = word_at(sp + last.fp);
	}
}

/* The address that it was called at is the one thing in which the two differ. */
__attribute__((noinline)) static void walk_twice(void)
{
	ucontext_t here;

	getcontext(&here);
	walk(here.uc_mcontext.gregs[REG_RIP], here.uc_mcontext.gregs[REG_RSP], here.uc_mcontext.gregs[REG_RBP]);
	expected_count = walk_here(expected, ROOM);
}
#else
static void walk_twice(void)
{
	print_message("the programs for this processor walk nothing by rows\n");
	skip();
}
#endif

/* Its frame has a size that only the frame pointer knows, and its caller's is saved in there. */
__attribute__((noinline)) static void walk_from_anywhere(size_t size, int callers)
{
	volatile char *room = alloca(size);

	if (callers)
		walk_from_anywhere(size, callers - 1);
	else
		walk_twice();
	room[0] = by_rows_count;
}

static void a_stack_is_as_the_compilers_library_has_it(void **state)
{
	for (size_t size = 16; size < 2048; size *= 3) {
		walk_from_anywhere(size, 2);
		assert_int_equal(last.from, UNWIND_END);
		assert_int_equal(by_rows_count, expected_count);
		assert_memory_equal(by_rows + 1, expected + 1, (expected_count - 1) * sizeof(*expected));
	}
}

static volatile int handled;

static void handle(int signal)
{
	walk_twice();
	handled++;
}

/* Where it was interrupted is in the frame somewhere, and the address is no return address. */
static void of_a_signal_there_is_no_row(void **state)
{
	signal(SIGUSR1, handle);
	raise(SIGUSR1);
	assert_int_equal(last.from, UNWIND_UNKNOWN);
	assert_int_equal(by_rows_count, 3);
	assert_memory_equal(by_rows + 1, expected + 1, 2 * sizeof(*expected));
	assert_true(expected_count > by_rows_count);
}

static void where_there_is_no_file_there_is_no_row(void **state)
{
	uint64_t nowhere = (uintptr_t)&nowhere;

	assert_int_equal(rows_find(ourselves, nowhere, true).from, UNWIND_UNKNOWN);
	assert_int_equal(rows_find(ourselves, 0, true).from, UNWIND_UNKNOWN);
}

/* ---- handed over ------------------------------------------------------------------------------ */

static struct unwind_entry entries[UNWIND_ENTRIES];

static bool has(uint64_t address, uint64_t name)
{
	const struct unwind_entry *entry = &entries[unwind_place(address, name)];

	return entry->address == address && entry->name == name;
}

static void they_lie_where_the_kernel_looks(void **state)
{
	const struct stack_owner owner = { .name = 7 }, farther = { .name = 9 };

	rows_begin(entries);
	walk_twice();
	rows_hand_over(ourselves, &owner, by_rows, by_rows_count);
	for (size_t i = 0; i < by_rows_count; i++) {
		assert_true(has(by_rows[i], 7));
		assert_int_equal(entries[unwind_place(by_rows[i], 7)].row,
				 rows_find(ourselves, by_rows[i], !i).word);
	}
	rows_hand_over(ourselves, &farther, by_rows, 2);
	rows_take_back(7);
	assert_false(has(by_rows[0], 7));
	assert_true(has(by_rows[0], 9));
	rows_begin(NULL);
}

static void what_is_known_is_not_handed_over_again(void **state)
{
	struct stack_owner owner = { .name = 11 };

	rows_begin(entries);
	walk_twice();
	owner.rowless = by_rows[2];
	rows_hand_over(ourselves, &owner, by_rows, by_rows_count);
	assert_false(has(by_rows[0], 11) || has(by_rows[1], 11));
	assert_true(has(by_rows[2], 11) && has(by_rows[3], 11));
	rows_begin(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_stack_is_as_the_compilers_library_has_it),
		cmocka_unit_test(of_a_signal_there_is_no_row),
		cmocka_unit_test(where_there_is_no_file_there_is_no_row),
		cmocka_unit_test(they_lie_where_the_kernel_looks),
		cmocka_unit_test(what_is_known_is_not_handed_over_again),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
