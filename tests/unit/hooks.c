// SPDX-License-Identifier: GPL-2.0-only
/* A kernel that lacks a function: types made up here stand for its BTF. */
#include "tests/unit/sample.h"

#include <bpf/btf.h>

#include "user/hooks.h"

static void add_function(struct btf *btf, const char *name)
{
	int prototype = btf__add_func_proto(btf, 0);

	assert_true(prototype > 0);
	assert_true(btf__add_func(btf, name, BTF_FUNC_STATIC, prototype) > 0);
}

/* It has the closes and a tracepoint, and nothing else. */
static struct btf *poor_kernel(void)
{
	struct btf *btf = btf__new_empty();

	assert_non_null(btf);
	add_function(btf, "__tcp_close");
	add_function(btf, "tcp_close");
	assert_true(btf__add_typedef(btf, "btf_trace_tcp_send_reset", 0) > 0);
	return btf;
}

static void a_trampoline_needs_the_types_of_its_function(void **state)
{
	struct btf *btf = poor_kernel();

	assert_true(hook_exists("fentry/__tcp_close", btf));
	assert_true(hook_exists("fexit/__tcp_close", btf));
	/* This machine's kernel has it, but that is not what was asked. */
	assert_false(hook_exists("fentry/tcp_time_wait", btf));
	assert_false(hook_exists("fexit/sk_stream_wait_close", btf));
	assert_false(hook_exists("fentry/tcp_send_fin", btf));
	btf__free(btf);
}

static void a_tracepoint_is_known_by_its_type(void **state)
{
	struct btf *btf = poor_kernel();

	assert_true(hook_exists("raw_tp/tcp_send_reset", btf));
	/* A function of this name is no tracepoint. */
	assert_false(hook_exists("raw_tp/tcp_close", btf));
	assert_true(hook_exists("tp/tcp/tcp_send_reset", btf));
	assert_false(hook_exists("tp/tcp/tcp_close", btf));
	btf__free(btf);
}

static void a_breakpoint_needs_a_symbol_at_most(void **state)
{
	struct btf *btf = poor_kernel();

	assert_true(hook_exists("kprobe/tcp_close", btf));
	/* Where symbols are not for us to read, the trial tells. */
	if (!access("/proc/kallsyms", R_OK))
		assert_false(hook_exists("kprobe/no_such_function_at_all", btf));
	btf__free(btf);
}

static void a_hook_is_found_by_the_section_of_its_program(void **state)
{
	static const char *const sections[] = { "fentry/__tcp_close", "fexit/__tcp_close",
						"kprobe/__tcp_close", "kretprobe/__tcp_close" };

	for (size_t i = 0; i < COUNT(sections); i++)
		assert_string_equal(hook_find(sections[i])->function, "__tcp_close");
	/* What follows forks is no hook on a close. */
	assert_null(hook_find("raw_tp/sched_process_fork"));
	assert_null(hook_find("learn"));
	assert_null(hook_find(""));
}

/* Without one of these a verdict would be a guess. */
static void what_a_verdict_rests_on_is_required(void **state)
{
	static const char *const required[] = { "fentry/__tcp_close", "fentry/tcp_disconnect",
						"fentry/tcp_send_active_reset", "fentry/tcp_send_fin" };
	static const char *const optional[] = { "fentry/tcp_close", "fentry/inet_csk_listen_stop",
						"fexit/sk_stream_wait_close", "fentry/tcp_time_wait",
						"raw_tp/tcp_send_reset", "tp/tcp/tcp_send_reset",
						"kprobe/tcp_v4_destroy_sock" };

	for (size_t i = 0; i < COUNT(required); i++)
		assert_true(hook_find(required[i])->required);
	for (size_t i = 0; i < COUNT(optional); i++) {
		assert_false(hook_find(optional[i])->required);
		assert_true(strlen(hook_find(optional[i])->shows) > 10);
	}
	assert_int_equal(hook_find("fentry/tcp_close")->lacks, LACKS_BLOCKED);
	assert_int_equal(hook_find("fentry/tcp_time_wait")->lacks, LACKS_AFTER);
	assert_int_equal(hook_find("raw_tp/tcp_send_reset")->lacks, LACKS_AFTER);
	/* The raw tracepoint gives the same. */
	assert_int_equal(hook_find("tp/tcp/tcp_send_reset")->lacks, 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_trampoline_needs_the_types_of_its_function),
		cmocka_unit_test(a_tracepoint_is_known_by_its_type),
		cmocka_unit_test(a_breakpoint_needs_a_symbol_at_most),
		cmocka_unit_test(a_hook_is_found_by_the_section_of_its_program),
		cmocka_unit_test(what_a_verdict_rests_on_is_required),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
