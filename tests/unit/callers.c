// SPDX-License-Identifier: GPL-2.0-only
/* Whose code an address on a stack is in, by a list of symbols like the kernel's. */
#include "tests/unit/sample.h"

#include "user/callers.h"

#define TEXT UINT64_C(0xffffffff81000000)

static void read_symbols(const char *text)
{
	FILE *symbols = fmemopen((char *)text, strlen(text), "r");

	assert_non_null(symbols);
	callers_read(symbols);
	fclose(symbols);
}

/* On a stack by itself: it returns to this offset. */
static __u32 at(uint64_t offset)
{
	const __u64 stack[] = { TEXT + offset };

	return callers_of(stack, 1);
}

static __u32 on(const uint64_t *offsets, size_t count)
{
	__u64 stack[16] = {};

	for (size_t i = 0; i < count; i++)
		stack[i] = TEXT + offsets[i];
	return callers_of(stack, COUNT(stack));
}

#define ON(...) on((const uint64_t[]){ __VA_ARGS__ }, COUNT(((const uint64_t[]){ __VA_ARGS__ })))

/* ---- ranges ------------------------------------------------------------------------- */

static void an_address_is_of_the_function_before_it(void **state)
{
	read_symbols("ffffffff81000000 T _text\n"
		     "ffffffff81001000 T tcp_abort\n"
		     "ffffffff81001100 t tcp_diag_destroy\n"
		     "ffffffff81002000 t tcp_fin\n"
		     "ffffffff81002080 T tcp_data_queue\n");
	assert_int_equal(at(0x0800), 0);
	assert_int_equal(at(0x1001), BY_ABORT);
	assert_int_equal(at(0x10ff), BY_ABORT);
	assert_int_equal(at(0x1101), 0);
	assert_int_equal(at(0x2001), BY_FIN);
	assert_int_equal(at(0x207f), BY_FIN);
	assert_int_equal(at(0x2081), 0);
	assert_int_equal(at(0x9000), 0);
	assert_int_equal(callers_of(&(__u64){ 0x1001 }, 1), 0);
}

/* It lies behind the call: the first address of a function is where the one before it would
 * return to, if its last instruction is a call that does not return. */
static void an_address_is_one_of_a_return(void **state)
{
	read_symbols("ffffffff81001000 T tcp_abort\n"
		     "ffffffff81001100 T tcp_reset\n"
		     "ffffffff81001200 T tcp_rearm_rto\n");
	assert_int_equal(at(0x1000), 0);
	assert_int_equal(at(0x1100), BY_ABORT);
	assert_int_equal(at(0x1200), BY_RESET);
	assert_int_equal(at(0x1201), 0);
}

/* An alias, or what stands before a function to be patched. */
static void names_at_one_address_do_not_end_it(void **state)
{
	read_symbols("ffffffff81000ff0 T __pfx_tcp_abort\n"
		     "ffffffff81001000 T tcp_abort\n"
		     "ffffffff81001000 T tcp_abort_alias\n"
		     "ffffffff81001100 T __pfx_tcp_reset\n"
		     "ffffffff81001110 T tcp_reset\n"
		     "ffffffff81001200 T tcp_rearm_rto\n");
	assert_int_equal(at(0x0ff8), 0);
	assert_int_equal(at(0x1080), BY_ABORT);
	assert_int_equal(at(0x1108), 0);
	assert_int_equal(at(0x1180), BY_RESET);
}

static void the_last_one_has_no_end(void **state)
{
	read_symbols("ffffffff81001000 T tcp_abort\n"
		     "ffffffff81001100 T tcp_reset\n");
	assert_int_equal(at(0x1080), BY_ABORT);
	assert_int_equal(at(0x1180), 0);
	read_symbols("ffffffff81001000 T tcp_abort\n"
		     "ffffffffc0000000 t nf_nat_init\t[nf_nat]\n");
	assert_int_equal(at(0x1080), 0);
}

static void to_read_again_is_to_forget(void **state)
{
	read_symbols("ffffffff81001000 T tcp_abort\nffffffff81001100 T next\n");
	read_symbols("ffffffff81001000 T tcp_reset\nffffffff81001100 T next\n");
	assert_int_equal(at(0x1080), BY_RESET);
}

/* ---- names -------------------------------------------------------------------------- */

/* clang-format off */
static const struct {
	const char *name;
	__u32 caller;
} functions[] = {
	{ "__tcp_close", BY_CLOSE },
	{ "tcp_disconnect", BY_DISCONNECT },
	{ "inet_child_forget", BY_CHILD_FORGET },
	{ "inet_shutdown", BY_SHUTDOWN },
	{ "__inet_stream_connect", BY_CONNECT },
	{ "tcp_abort", BY_ABORT },
	{ "tcp_keepalive_timer", BY_KEEPALIVE },
	{ "tcp_write_timer", BY_WRITE_TIMER },
	{ "tcp_write_timer_handler", BY_WRITE_TIMER },
	{ "tcp_retransmit_timer", BY_WRITE_TIMER },
	{ "tcp_out_of_resources", BY_OUT_OF_RESOURCES },
	{ "mptcp_do_fastclose", BY_FASTCLOSE },
	{ "mptcp_subflow_reset", BY_SUBFLOW },
	{ "subflow_check_data_avail", BY_SUBFLOW },
	{ "subflow_syn_recv_sock", BY_SUBFLOW },
	{ "tcp_check_req", BY_CHECK_REQ },
	{ "tcp_validate_incoming", BY_VALIDATE },
	{ "tcp_reset", BY_RESET },
	{ "tcp_fin", BY_FIN },
	{ "tcp_rcv_state_process", BY_RECEIVE },
	{ "inet_child_forget.part.0", BY_CHILD_FORGET },
	{ "tcp_validate_incoming.isra.0", BY_VALIDATE },
	{ "tcp_out_of_resources.constprop.0", BY_OUT_OF_RESOURCES },
	{ "tcp_fin.part.0.isra.0", BY_FIN },
	{ "tcp_keepalive_timer.llvm.1234567890", BY_KEEPALIVE },
};

static const char *const strangers[] = {
	"tcp_close",
	"tcp_reset_keepalive_timer",
	"__tcp_close_",
	"_tcp_close",
	"tcp_abor",
	"tcp_aborted",
	"TCP_ABORT",
	"__pfx_tcp_abort",
	"tcp_abort_part.0",
	".tcp_abort",
	/* What is out of the way returns to nobody that we ask for. */
	"tcp_fin.cold",
	"tcp_keepalive_timer.cold",
	"tcp_fin.part.0.cold",
	"tcp_fin.cold.12",
};
/* clang-format on */

static void read_one(const char *name)
{
	char text[256];

	snprintf(text, sizeof(text),
		 "ffffffff81000000 T _text\nffffffff81000800 T tcp_abort\n"
		 "ffffffff81000900 T between\nffffffff81001000 t %s\nffffffff81001100 T next\n",
		 name);
	read_symbols(text);
}

static void each_function_is_known(void **state)
{
	for (size_t i = 0; i < COUNT(functions); i++) {
		read_one(functions[i].name);
		if (at(0x1080) != functions[i].caller)
			fail_msg("%s is %x", functions[i].name, at(0x1080));
	}
}

static void others_are_not(void **state)
{
	for (size_t i = 0; i < COUNT(strangers); i++) {
		read_one(strangers[i]);
		if (at(0x1080))
			fail_msg("%s is %x", strangers[i], at(0x1080));
		assert_int_equal(at(0x0880), BY_ABORT);
	}
}

static void a_function_may_be_in_pieces(void **state)
{
	read_symbols("ffffffff81000500 t tcp_fin.cold\n"
		     "ffffffff81000600 T something\n"
		     "ffffffff81001000 t tcp_fin.part.0\n"
		     "ffffffff81001100 t between\n"
		     "ffffffff81001200 t tcp_fin\n"
		     "ffffffff81001300 t after\n");
	assert_int_equal(at(0x0580), 0);
	assert_int_equal(at(0x1080), BY_FIN);
	assert_int_equal(at(0x1180), 0);
	assert_int_equal(at(0x1280), BY_FIN);
}

/* None of ours is in one, but for those of IPv6, where net_rx_action() ends the stack. */
static void what_modules_have_is_not_ours(void **state)
{
	read_symbols("ffffffff81001000 T tcp_abort\n"
		     "ffffffff81001100 T next\n"
		     "ffffffffc0001000 T nf_send_reset\t[nf_reject_ipv4]\n"
		     "ffffffffc0002000 t tcp_fin\t[stranger]\n"
		     "ffffffffc0003000 t bpf_prog_0123_tcp_reset\t[bpf]\n");
	assert_int_equal(callers_of(&(__u64){ UINT64_C(0xffffffffc0001080) }, 1), 0);
	assert_int_equal(callers_of(&(__u64){ UINT64_C(0xffffffffc0002080) }, 1), 0);
	assert_int_equal(at(0x1080), BY_ABORT);
}

/* ---- stacks --------------------------------------------------------------------------- */

static const char kernel[] = "ffffffff81000100 t call_timer_fn\n"
			     "ffffffff81000200 t run_timer_softirq\n"
			     "ffffffff81000300 t net_rx_action\n"
			     "ffffffff81000400 T release_sock\n"
			     "ffffffff81001000 T __tcp_close\n"
			     "ffffffff81001100 T tcp_disconnect\n"
			     "ffffffff81001200 T inet_shutdown\n"
			     "ffffffff81001300 t tcp_keepalive_timer\n"
			     "ffffffff81001400 t tcp_validate_incoming\n"
			     "ffffffff81001500 T tcp_rcv_state_process\n"
			     "ffffffff81001600 T tcp_reset\n"
			     "ffffffff81001700 T tcp_v4_do_rcv\n"
			     "ffffffff81001800 T tcp_v4_rcv\n"
			     "ffffffff81001900 T tcp_v6_rcv\n"
			     "ffffffff81001a00 T tcp_send_active_reset\n"
			     "ffffffff81001b00 T the_end\n";

static void all_on_the_stack_count(void **state)
{
	read_symbols(kernel);
	assert_int_equal(ON(0x1a80, 0x1180, 0x1080), BY_DISCONNECT | BY_CLOSE);
	assert_int_equal(ON(0x1680, 0x1480, 0x1580, 0x1780, 0x0480, 0x1080),
			 BY_RESET | BY_VALIDATE | BY_RECEIVE | BY_CLOSE);
	assert_int_equal(ON(0x1a80), 0);
}

/* Whoever was interrupted by it has called nothing. */
static void a_softirq_hides_whom_it_interrupts(void **state)
{
	read_symbols(kernel);
	assert_int_equal(ON(0x1680, 0x1480, 0x1580, 0x1780, 0x1880, 0x0380, 0x1080),
			 BY_RESET | BY_VALIDATE | BY_RECEIVE);
	assert_int_equal(ON(0x1780, 0x1980, 0x0380, 0x1180, 0x1080), 0);
	assert_int_equal(ON(0x1a80, 0x1380, 0x0180, 0x0280, 0x1280), BY_KEEPALIVE);
}

/* ... also where the function next to it was inlined, or is a module's. */
static void so_does_what_handles_the_softirq(void **state)
{
	read_symbols(kernel);
	assert_int_equal(ON(0x1a80, 0x1380, 0x0280, 0x1280), BY_KEEPALIVE);
	assert_int_equal(ON(0x1780, 0x0380, 0x1080), 0);
}

static void a_stack_ends_at_zero(void **state)
{
	const __u64 stack[] = { TEXT + 0x1180, 0, TEXT + 0x1080 };

	read_symbols(kernel);
	assert_int_equal(callers_of(stack, COUNT(stack)), BY_DISCONNECT);
	assert_int_equal(callers_of(stack, 1), BY_DISCONNECT);
	assert_int_equal(callers_of(stack, 0), 0);
	assert_int_equal(callers_of(stack + 1, 2), 0);
}

/* ---- what may be hidden ------------------------------------------------------------------ */

/* kernel.kptr_restrict: their names are told, not where they are. */
static void hidden_addresses_are_unknown(void **state)
{
	read_symbols("0000000000000000 T _text\n"
		     "0000000000000000 T __tcp_close\n"
		     "0000000000000000 T tcp_abort\n"
		     "0000000000000000 t tcp_v4_rcv\n"
		     "0000000000000000 T nf_send_reset\t[nf_reject_ipv4]\n");
	assert_int_equal(at(0x1080), CALLERS_UNKNOWN);
	assert_int_equal(callers_of(&(__u64){ 0 }, 1), CALLERS_UNKNOWN);
}

static void no_list_is_unknown_too(void **state)
{
	read_symbols("\n");
	assert_int_equal(at(0x1080), CALLERS_UNKNOWN);
}

static void what_is_no_symbol_is_passed_over(void **state)
{
	read_symbols("\n"
		     "x\n"
		     "ffffffff81001000\n"
		     "ffffffff81001000 \n"
		     "ffffffff81001000 T tcp_abort\n"
		     "no address at all\n"
		     "ffffffff81001100 T next");
	assert_int_equal(at(0x1080), BY_ABORT);
	assert_int_equal(at(0x1180), 0);
}

/* Those of Rust take up to 512 bytes. */
static void a_name_may_be_long(void **state)
{
	char text[4096], name[2001];

	memset(name, 'a', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	snprintf(text, sizeof(text),
		 "ffffffff81001000 T tcp_abort\nffffffff81001100 t %s\nffffffff81001200 T "
		 "tcp_reset\n"
		 "ffffffff81001300 T next\n",
		 name);
	read_symbols(text);
	assert_int_equal(at(0x1080), BY_ABORT);
	assert_int_equal(at(0x1180), 0);
	assert_int_equal(at(0x1280), BY_RESET);
}

/* There are no three of any of ours, but nothing says so. */
static void there_may_be_any_number(void **state)
{
	size_t size = 1 << 16, length = 0;
	char *text = calloc(1, size);

	for (unsigned int i = 0; i < 1000; i++)
		length += snprintf(text + length, size - length,
				   "ffffffff81%06x t tcp_fin.part.%u\n", 0x1000 + 16 * i, i);
	read_symbols(text);
	assert_int_equal(at(0x1008), BY_FIN);
	free(text);
}

static __u64 address_of(const char *name)
{
	FILE *symbols = fopen("/proc/kallsyms", "re");
	char line[512], other[256];
	__u64 address = 0, found = 0;

	while (symbols && !found && fgets(line, sizeof(line), symbols))
		if (sscanf(line, "%llx %*c %255s", &address, other) == 2 && !strcmp(other, name))
			found = address;
	if (symbols)
		fclose(symbols);
	return found;
}

static void the_running_kernel_is_read_when_asked_about(void **state)
{
	__u64 stack[] = { address_of("__tcp_close") + 5, address_of("inet_shutdown") + 5 };
	__u64 none = 0;

	if (stack[0] == 5 || stack[1] == 5)
		skip();
	callers_open();
	assert_int_equal(callers_of(&none, 1), 0);
	assert_int_equal(callers_of(stack, 2), BY_CLOSE | BY_SHUTDOWN);
	callers_close();
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_address_is_of_the_function_before_it),
		cmocka_unit_test(an_address_is_one_of_a_return),
		cmocka_unit_test(names_at_one_address_do_not_end_it),
		cmocka_unit_test(the_last_one_has_no_end),
		cmocka_unit_test(to_read_again_is_to_forget),
		cmocka_unit_test(each_function_is_known),
		cmocka_unit_test(others_are_not),
		cmocka_unit_test(a_function_may_be_in_pieces),
		cmocka_unit_test(what_modules_have_is_not_ours),
		cmocka_unit_test(all_on_the_stack_count),
		cmocka_unit_test(a_softirq_hides_whom_it_interrupts),
		cmocka_unit_test(so_does_what_handles_the_softirq),
		cmocka_unit_test(a_stack_ends_at_zero),
		cmocka_unit_test(hidden_addresses_are_unknown),
		cmocka_unit_test(no_list_is_unknown_too),
		cmocka_unit_test(what_is_no_symbol_is_passed_over),
		cmocka_unit_test(a_name_may_be_long),
		cmocka_unit_test(there_may_be_any_number),
		cmocka_unit_test(the_running_kernel_is_read_when_asked_about),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
