// SPDX-License-Identifier: GPL-2.0-only
/* What the kernel's functions are called, by a list like its own. */
#include "tests/unit/sample.h"

#include "user/kallsyms.h"

#define TEXT UINT64_C(0xffffffff81000000)

static void read_symbols(const char *text)
{
	FILE *symbols = fmemopen((char *)text, strlen(text), "r");

	assert_non_null(symbols);
	kallsyms_read(symbols);
	fclose(symbols);
}

static const char *name_at(uint64_t address, bool returns)
{
	const struct kernel_symbol *symbol = kallsyms_find(address, returns);

	return symbol ? symbol->name : "none";
}

static void an_address_is_of_the_function_before_it(void **state)
{
	read_symbols("ffffffff81001000 T tcp_close\n"
		     "ffffffff81000800 t inet_release\n"
		     "ffffffff81000900 D inet_stream_ops\n"
		     "ffffffffc0000000 t nf_send_reset\t[nf_reject_ipv4]\n");
	assert_string_equal(name_at(TEXT + 0x1010, true), "tcp_close");
	assert_string_equal(name_at(TEXT + 0x0910, true), "inet_release");
	assert_string_equal(name_at(TEXT + 0x07ff, true), "none");
	assert_string_equal(name_at(0, false), "none");
	assert_string_equal(kallsyms_find(TEXT + 0x1010, true)->module, "kernel");
	assert_string_equal(name_at(UINT64_C(0xffffffffc0000004), true), "nf_send_reset");
	assert_string_equal(kallsyms_find(UINT64_C(0xffffffffc0000004), true)->module, "nf_reject_ipv4");
}

/* What a call that does not return would return to is the next function's first byte. */
static void a_call_returns_behind_itself(void **state)
{
	read_symbols("ffffffff81001000 T first\n"
		     "ffffffff81001100 T second\n");
	assert_string_equal(name_at(TEXT + 0x1100, true), "first");
	assert_string_equal(name_at(TEXT + 0x1100, false), "second");
}

static void far_beyond_the_last_there_is_nothing(void **state)
{
	read_symbols("ffffffff81001000 T last\n");
	assert_string_equal(name_at(TEXT + 0x1001, true), "last");
	assert_string_equal(name_at(TEXT + 0x80000000, true), "none");
}

/* kptr_restrict hides addresses: all are 0 then. */
static void hidden_addresses_are_no_symbols(void **state)
{
	read_symbols("0000000000000000 T tcp_close\n"
		     "0000000000000000 T inet_release\n");
	assert_string_equal(name_at(TEXT, true), "none");
	assert_string_equal(name_at(8, true), "none");
	read_symbols("\n\nffffffff81001000\nffffffff81001000 T\nnonsense\n");
	assert_string_equal(name_at(TEXT + 0x1001, true), "none");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_address_is_of_the_function_before_it),
		cmocka_unit_test(a_call_returns_behind_itself),
		cmocka_unit_test(far_beyond_the_last_there_is_nothing),
		cmocka_unit_test(hidden_addresses_are_no_symbols),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
