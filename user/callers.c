// SPDX-License-Identifier: GPL-2.0-only
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "user/callers.h"

#define COUNT(table) (sizeof(table) / sizeof(*(table)))

/* From here on outwards it is whoever was interrupted. */
#define OUTERMOST (1U << 30)

/* Static functions may have a suffix: .part.0, .isra.0, .constprop.0. */
static const struct function {
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
	{ "tcp_probe_timer", BY_WRITE_TIMER },
	{ "tcp_out_of_resources", BY_OUT_OF_RESOURCES },
	{ "mptcp_close", BY_MPTCP_CLOSE },
	{ "__mptcp_close", BY_MPTCP_CLOSE },
	{ "mptcp_do_fastclose", BY_FASTCLOSE },
	{ "mptcp_subflow_reset", BY_SUBFLOW },
	{ "mptcp_subflow_data_available", BY_SUBFLOW },
	{ "subflow_check_data_avail", BY_SUBFLOW },
	{ "mptcp_check_fastclose", BY_SUBFLOW },
	{ "mptcp_worker", BY_SUBFLOW },
	{ "subflow_v4_route_req", BY_SUBFLOW },
	{ "subflow_v6_route_req", BY_SUBFLOW },
	{ "subflow_syn_recv_sock", BY_SUBFLOW },
	{ "tcp_check_req", BY_CHECK_REQ },
	{ "tcp_validate_incoming", BY_VALIDATE },
	{ "tcp_reset", BY_RESET },
	{ "tcp_fin", BY_FIN },
	{ "tcp_rcv_state_process", BY_RECEIVE },
	{ "tcp_v4_rcv", OUTERMOST },
	{ "tcp_v6_rcv", OUTERMOST },
	{ "call_timer_fn", OUTERMOST },
	/* Where those are a module's, or inlined. */
	{ "net_rx_action", OUTERMOST },
	{ "run_timer_softirq", OUTERMOST },
};

/* A function that is in two pieces has two. */
static struct range {
	uint64_t begin;
	uint64_t end;
	__u32 caller;
} ranges[2 * COUNT(functions)];
static size_t ranges_count;
static FILE *unread;	/* /proc/kallsyms, before anybody asked for it */

/* It is asked of each symbol of the kernel while records wait: most go by their first letter. */
static bool is_named(const char *function, const char *name, size_t length)
{
	return *function == *name && !strncmp(function, name, length) && !function[length];
}

static __u32 caller_named(const char *name, size_t length)
{
	for (size_t i = 0; i < COUNT(functions); i++)
		if (is_named(functions[i].name, name, length))
			return functions[i].caller;
	return 0;
}

/* The kernel's own come in the order of their addresses, so the next one ends the last. */
static void end_ranges(uint64_t address)
{
	for (size_t i = ranges_count; i-- && !ranges[i].end;)
		if (address > ranges[i].begin)
			ranges[i].end = address;
}

static bool has_open_range(void)
{
	return ranges_count && !ranges[ranges_count - 1].end;
}

static void add_range(uint64_t address, __u32 caller)
{
	if (address && ranges_count < COUNT(ranges))
		ranges[ranges_count++] = (struct range){ .begin = address, .caller = caller };
}

/* What is out of the way is jumped to, and calls nobody that we ask for. */
static __u32 caller_of(const char *name)
{
	__u32 caller = caller_named(name, strcspn(name, ".\n"));

	return caller && !strstr(name, ".cold") ? caller : 0;
}

/* "ffffffff81000000 t name", and "[module]" behind what is not the kernel's own.  Few addresses
 * matter, and to read them all would take as long as the rest. */
void callers_read(FILE *symbols)
{
	char line[512], *type;
	uint64_t address;
	__u32 caller;

	ranges_count = 0;
	while (fgets(line, sizeof(line), symbols)) {
		type = strchr(line, ' ');
		if (!type || strlen(type) < 4 || strchr(type, '['))
			continue;
		caller = caller_of(type + 3);
		if (!caller && !has_open_range())
			continue;
		address = strtoull(line, NULL, 16);
		end_ranges(address);
		if (caller)
			add_range(address, caller);
	}
}

void callers_open(void)
{
	unread = fopen("/proc/kallsyms", "re");
}

void callers_close(void)
{
	if (unread)
		fclose(unread);
	unread = NULL;
}

/* A return address lies behind the call, so it may be the first one after the function. */
static __u32 caller_at(uint64_t address)
{
	for (size_t i = 0; i < ranges_count; i++)
		if (address > ranges[i].begin && address <= ranges[i].end)
			return ranges[i].caller;
	return 0;
}

__u32 callers_of(const __u64 *stack, size_t count)
{
	__u32 callers = 0;

	if (unread && !stack[0])
		return 0;
	if (unread)
		callers_read(unread);
	callers_close();
	if (!ranges_count)
		return CALLERS_UNKNOWN;
	for (size_t i = 0; i < count && stack[i]; i++) {
		__u32 caller = caller_at(stack[i]);

		if (caller == OUTERMOST)
			break;
		callers |= caller;
	}
	return callers;
}
