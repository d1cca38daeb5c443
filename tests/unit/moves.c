// SPDX-License-Identifier: GPL-2.0-only
/* Which record moves which counter, spelled here once more. */
#include "tests/unit/counters.h"

#include "user/moves.h"

static void record_moves(__u8 kind, __u32 facts, struct verdict verdict, const char *surely,
			 const char *maybe)
{
	struct close_event event = { .kind = kind, .facts = facts };
	struct record record = { .event = &event, .verdict = verdict };

	is_set(moves_surely(&record), surely);
	is_set(moves_maybe(&record), maybe);
}

static void a_close_moves(__u8 branch, __u8 sent, __u8 after, const char *surely)
{
	struct verdict verdict = { .branch = branch, .sent = sent, .after = after };

	record_moves(EVENT_CLOSE, 0, verdict, surely, "");
}

static void closes(void **state)
{
	a_close_moves(BRANCH_LISTENER, SENT_NONE, 0, "");
	a_close_moves(BRANCH_NOT_CONNECTED, SENT_NONE, 0, "");
	a_close_moves(BRANCH_ALREADY_CLOSED, SENT_NONE, 0, "");
	a_close_moves(BRANCH_REPAIR, SENT_NONE, 0, "");
	a_close_moves(BRANCH_UNREAD_DATA, SENT_RST, 0, CLOSE RSTS);
	a_close_moves(BRANCH_ZERO_LINGER, SENT_RST, 0, DATA RSTS);
	/* SYN_SENT, CLOSING, LAST_ACK */
	a_close_moves(BRANCH_ZERO_LINGER, SENT_NONE, 0, DATA);
	a_close_moves(BRANCH_FIN, SENT_FIN, 0, "");
	a_close_moves(BRANCH_FIN_ALREADY_SENT, SENT_NONE, 0, "");
	a_close_moves(BRANCH_CONNECT_CANCELLED, SENT_NONE, 0, "");
}

static void what_comes_after_a_close(void **state)
{
	a_close_moves(BRANCH_FIN, SENT_FIN, AFTER_TIME_WAIT, "");
	a_close_moves(BRANCH_FIN, SENT_FIN, AFTER_FIN_WAIT2_TIMER, "");
	a_close_moves(BRANCH_FIN_ALREADY_SENT, SENT_NONE, AFTER_LINGER2_RESET, LINGER RSTS);
	a_close_moves(BRANCH_FIN, SENT_FIN, AFTER_ORPHAN_LIMIT_RESET, MEMORY RSTS);
	a_close_moves(BRANCH_FIN, SENT_FIN, AFTER_LATE_DATA_RESET, DATA RSTS);
	a_close_moves(BRANCH_FIN, SENT_FIN, AFTER_NETNS_DYING, "");
	a_close_moves(BRANCH_FIN, SENT_FIN, AFTER_CLOSED_MEANWHILE, "");
}

static void closes_that_are_unknown(void **state)
{
	record_moves(EVENT_CLOSE, 0, (struct verdict){ .branch = BRANCH_UNKNOWN }, "",
		     CLOSE DATA RSTS);
	record_moves(EVENT_CLOSE, 0, (struct verdict){ .branch = BRANCH_ZERO_LINGER }, DATA, RSTS);
	/* What moved it is no matter of the branch here. */
	record_moves(EVENT_CLOSE, 0, (struct verdict){ .after = AFTER_ORPHAN_LIMIT_RESET },
		     MEMORY RSTS, CLOSE DATA);
}

static void a_reset_moves(__u8 cause, const char *surely)
{
	record_moves(EVENT_RESET, 0, (struct verdict){ .cause = cause }, surely, "");
}

static void resets(void **state)
{
	a_reset_moves(CAUSE_DISCONNECT, RSTS);
	a_reset_moves(CAUSE_UNACCEPTED_CHILD, RSTS);
	a_reset_moves(CAUSE_ADMIN_ABORT, RSTS);
	a_reset_moves(CAUSE_KEEPALIVE_TIMEOUT, TIMEOUT RSTS);
	a_reset_moves(CAUSE_FIN_WAIT2_TIMEOUT, RSTS);
	a_reset_moves(CAUSE_ORPHAN_LIMIT, MEMORY RSTS);
	a_reset_moves(CAUSE_LINGER2, LINGER RSTS);
	a_reset_moves(CAUSE_MPTCP_FASTCLOSE, RSTS);
	a_reset_moves(CAUSE_MPTCP_SUBFLOW, RSTS);
	a_reset_moves(CAUSE_NO_SOCKET, RSTS);
	a_reset_moves(CAUSE_LISTENER_STRAY_ACK, RSTS);
	a_reset_moves(CAUSE_BAD_ACK_SYN_SENT, RSTS);
	a_reset_moves(CAUSE_BAD_ACK_SYN_RECV, RSTS);
	a_reset_moves(CAUSE_LATE_DATA, DATA RSTS);
	a_reset_moves(CAUSE_TIME_WAIT, RSTS);
	a_reset_moves(CAUSE_ACCEPT_OVERFLOW, EMBRYO RSTS);
	a_reset_moves(CAUSE_EMBRYONIC, EMBRYO RSTS);
	a_reset_moves(CAUSE_MPTCP_JOIN_REJECT, RSTS);
	/* TCP never knew. */
	a_reset_moves(CAUSE_FIREWALL_REJECT, "");
	a_reset_moves(CAUSE_NONE, "");
	record_moves(EVENT_RESET, 0, (struct verdict){ .cause = CAUSE_UNKNOWN }, RSTS,
		     CLOSE DATA LINGER MEMORY TIMEOUT EMBRYO);
}

static void resets_that_came(void **state)
{
	static const __u8 causes[] = { CAUSE_UNKNOWN, CAUSE_RESET_BY_PEER, CAUSE_REFUSED,
				       CAUSE_NONE };

	for (size_t i = 0; i < COUNT(causes); i++)
		record_moves(EVENT_RESET, RESET_RECEIVED | WAS_SHUT_READ,
			     (struct verdict){ .cause = causes[i] }, "", "");
}

static void ends(void **state)
{
	for (int end = END_UNKNOWN; end < END_COUNT; end++)
		record_moves(EVENT_END, 0, (struct verdict){ .end = end },
			     end == END_RETRANSMIT_TIMEOUT ? TIMEOUT : "",
			     end == END_UNKNOWN ? MEMORY TIMEOUT : "");
	/* Its RST had a record of its own. */
	for (int end = END_UNKNOWN; end < END_COUNT; end++)
		record_moves(EVENT_END, ENDED_ACTIVE, (struct verdict){ .end = end }, "", "");
}

static void what_is_no_event(void **state)
{
	record_moves(0, 0, (struct verdict){ .sent = SENT_RST }, "", "");
	record_moves(EVENT_COUNT, 0, (struct verdict){ .sent = SENT_RST }, "", "");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(closes),
		cmocka_unit_test(what_comes_after_a_close),
		cmocka_unit_test(closes_that_are_unknown),
		cmocka_unit_test(resets),
		cmocka_unit_test(resets_that_came),
		cmocka_unit_test(ends),
		cmocka_unit_test(what_is_no_event),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
