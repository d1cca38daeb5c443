// SPDX-License-Identifier: GPL-2.0-only
/* The words that users and their scripts rely on: spelled here once more, and never to change. */
#include "tests/unit/sample.h"

struct word {
	int value;
	const char *name; /* NULL: null outside */
};

/* clang-format off */
static const struct word branch_words[] = {
	{ BRANCH_UNKNOWN, "unknown" }, { BRANCH_LISTENER, "listener" },
	{ BRANCH_NOT_CONNECTED, "not-connected" }, { BRANCH_ALREADY_CLOSED, "already-closed" },
	{ BRANCH_REPAIR, "repair" }, { BRANCH_UNREAD_DATA, "unread-data" },
	{ BRANCH_ZERO_LINGER, "zero-linger" }, { BRANCH_FIN, "fin" },
	{ BRANCH_FIN_ALREADY_SENT, "fin-already-sent" },
	{ BRANCH_CONNECT_CANCELLED, "connect-cancelled" },
};
static const struct word sent_words[] = {
	{ SENT_UNKNOWN, NULL }, { SENT_NONE, "none" }, { SENT_FIN, "fin" }, { SENT_RST, "rst" },
};
static const struct word linger_words[] = {
	{ LINGER_NULL, NULL }, { LINGER_RESET, "reset" },
	{ LINGER_NO_RESET_NEEDED, "no-reset-needed" }, { LINGER_OVERRIDDEN, "overridden" },
	{ LINGER_DRAINED, "drained" }, { LINGER_TIMED_OUT, "timed-out" },
	{ LINGER_INTERRUPTED, "interrupted" }, { LINGER_CLOSED_MEANWHILE, "closed-meanwhile" },
	{ LINGER_SKIPPED_EXITING, "skipped-exiting" }, { LINGER_NOT_APPLICABLE, "not-applicable" },
};
static const struct word after_words[] = {
	{ AFTER_NULL, NULL }, { AFTER_TIME_WAIT, "time-wait" },
	{ AFTER_FIN_WAIT2_TIMER, "fin-wait2-timer" }, { AFTER_LINGER2_RESET, "linger2-reset" },
	{ AFTER_ORPHAN_LIMIT_RESET, "orphan-limit-reset" },
	{ AFTER_LATE_DATA_RESET, "late-data-reset" }, { AFTER_NETNS_DYING, "netns-dying" },
	{ AFTER_CLOSED_MEANWHILE, "closed-meanwhile" },
};
static const struct word cause_words[] = {
	{ CAUSE_UNKNOWN, "unknown" }, { CAUSE_DISCONNECT, "disconnect" },
	{ CAUSE_UNACCEPTED_CHILD, "unaccepted-child" }, { CAUSE_ADMIN_ABORT, "admin-abort" },
	{ CAUSE_KEEPALIVE_TIMEOUT, "keepalive-timeout" },
	{ CAUSE_FIN_WAIT2_TIMEOUT, "fin-wait2-timeout" }, { CAUSE_ORPHAN_LIMIT, "orphan-limit" },
	{ CAUSE_LINGER2, "linger2" },
	{ CAUSE_MPTCP_FASTCLOSE, "mptcp-fastclose" }, { CAUSE_MPTCP_SUBFLOW, "mptcp-subflow" },
	{ CAUSE_NO_SOCKET, "no-socket" }, { CAUSE_LISTENER_STRAY_ACK, "listener-stray-ack" },
	{ CAUSE_BAD_ACK_SYN_SENT, "bad-ack-syn-sent" },
	{ CAUSE_BAD_ACK_SYN_RECV, "bad-ack-syn-recv" }, { CAUSE_LATE_DATA, "late-data" },
	{ CAUSE_TIME_WAIT, "time-wait" }, { CAUSE_ACCEPT_OVERFLOW, "accept-overflow" },
	{ CAUSE_EMBRYONIC, "embryonic" }, { CAUSE_MPTCP_JOIN_REJECT, "mptcp-join-reject" },
	{ CAUSE_FIREWALL_REJECT, "firewall-reject" }, { CAUSE_RESET_BY_PEER, "reset-by-peer" },
	{ CAUSE_REFUSED, "refused" },
};
static const struct word end_words[] = {
	{ END_UNKNOWN, "unknown" }, { END_TIME_WAIT, "time-wait" }, { END_CLOSED, "closed" },
	{ END_RESET_BY_PEER, "reset-by-peer" }, { END_LATE_DATA_RESET, "late-data-reset" },
	{ END_TIME_WAIT_RESET, "time-wait-reset" },
	{ END_RETRANSMIT_TIMEOUT, "retransmit-timeout" },
	{ END_ORPHAN_LIMIT_RESET, "orphan-limit-reset" },
	{ END_FIN_WAIT2_TIMEOUT, "fin-wait2-timeout" },
};
static const struct word owner_words[] = {
	{ OWNER_NOBODY, NULL }, { OWNER_CLOSER, "closer" }, { OWNER_SOCKET, "socket" },
};
static const struct word event_words[] = {
	{ 0, NULL }, { EVENT_CLOSE, "close" }, { EVENT_RESET, "reset" }, { EVENT_END, "end" },
	{ EVENT_LINGER, "linger" },
};
static const struct word context_words[] = {
	{ CONTEXT_SYSCALL, "syscall" }, { CONTEXT_EXIT, "exit" }, { CONTEXT_KERNEL, "kernel" },
};
static const struct word via_words[] = {
	{ VIA_FENTRY, "fentry" }, { VIA_KPROBE, "kprobe" }, { VIA_TRACEPOINT, "tracepoint" },
};
static const struct word state_words[] = {
	{ 0, NULL },
	{ 1, "ESTABLISHED" }, { 2, "SYN_SENT" }, { 3, "SYN_RECV" }, { 4, "FIN_WAIT1" },
	{ 5, "FIN_WAIT2" }, { 6, "TIME_WAIT" }, { 7, "CLOSE" }, { 8, "CLOSE_WAIT" },
	{ 9, "LAST_ACK" }, { 10, "LISTEN" }, { 11, "CLOSING" },
};
/* clang-format on */

static void is_named(const char *name, const char *wanted)
{
	if (wanted)
		assert_string_equal(name ? name : "NULL", wanted);
	else
		assert_null(name);
}

/* No value is left without a word in the list, and none beyond the list has one. */
#define ARE_NAMED(kind, count)                                                              \
	do {                                                                                \
		assert_int_equal(COUNT(kind##_words), count);                               \
		for (size_t i = 0; i < COUNT(kind##_words); i++)                            \
			is_named(kind##_name(kind##_words[i].value), kind##_words[i].name); \
		for (unsigned int value = count; value < 300; value++)                      \
			assert_null(kind##_name(value));                                    \
		assert_null(kind##_name(-1));                                               \
	} while (0)

static void every_value_has_the_word_of_the_contract(void **state)
{
	ARE_NAMED(branch, BRANCH_COUNT);
	ARE_NAMED(sent, SENT_COUNT);
	ARE_NAMED(linger, LINGER_COUNT);
	ARE_NAMED(after, AFTER_COUNT);
	ARE_NAMED(cause, CAUSE_COUNT);
	ARE_NAMED(end, END_COUNT);
	ARE_NAMED(owner, OWNER_SOCKET + 1);
	ARE_NAMED(event, EVENT_COUNT);
	ARE_NAMED(context, CONTEXT_KERNEL + 1);
	ARE_NAMED(via, VIA_COUNT);
	ARE_NAMED(state, TCP_CLOSING + 1);
}

static void a_branch_is_found_by_its_name(void **state)
{
	static const char *const strangers[] = { "",   "FIN",  "fin ", " fin",
						 "fi", "finn", "rst",  "fin,repair" };

	for (size_t i = 0; i < COUNT(branch_words); i++)
		assert_int_equal(branch_by_name(branch_words[i].name), branch_words[i].value);
	for (size_t i = 0; i < COUNT(strangers); i++)
		assert_int_equal(branch_by_name(strangers[i]), -1);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_value_has_the_word_of_the_contract),
		cmocka_unit_test(a_branch_is_found_by_its_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
