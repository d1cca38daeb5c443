// SPDX-License-Identifier: GPL-2.0-only
/* What is known to differ, and by how much at most. */
#include "tests/unit/proc.h"

static void time_outs_of_open_sockets(void **state)
{
	begin(0);
	happens_in(netns_of(0), EVENT_END, (struct verdict){ .end = END_RETRANSMIT_TIMEOUT });
	count(0, TCP_ABORT_ON_TIMEOUT, 5);
	tells(HEAD_1 COLUMNS
	      "  TCPAbortOnTimeout          5          1          +4\n"
	      "    +4 sockets not closed while traced: no record tells of these\n");
}

/* But what was recorded must have been counted. */
static void time_outs_that_were_not_counted(void **state)
{
	begin(0);
	happens_in(netns_of(0), EVENT_END, (struct verdict){ .end = END_RETRANSMIT_TIMEOUT });
	tells(HEAD_1 COLUMNS "  TCPAbortOnTimeout          0          1          -1\n"
			     "    -1 unexplained\n");
}

static void no_memory_for_an_rst(void **state)
{
	begin(0);
	count(0, OUT_RSTS, 3);
	count(0, TCP_ABORT_FAILED, 2);
	tells(HEAD_1 COLUMNS
	      "  OutRsts                    3          0          +3\n"
	      "    +2 RSTs that could not be sent: no memory (TCPAbortFailed)\n"
	      "    +1 unexplained\n"
	      "  2 RSTs never left: no memory, or refused below TCP (TCPAbortFailed)\n");
}

static void the_peer_resets_what_is_half_open(void **state)
{
	begin(0);
	count(0, EMBRYONIC_RSTS, 3);
	count(0, ATTEMPT_FAILS, 2);
	tells(HEAD_1 COLUMNS
	      "  EmbryonicRsts              3          0          +3\n"
	      "    +2 connections that the peer reset half-open (AttemptFails)\n"
	      "    +1 unexplained\n");
}

static void unknown_and_lost_records(void **state)
{
	begin(0);
	happens_in(netns_of(0), EVENT_CLOSE, (struct verdict){ .branch = BRANCH_UNKNOWN });
	aborts_on_close(0, 4);
	look();
	tells_of(NULL, 2,
		 HEAD_1 COLUMNS "  TCPAbortOnClose            4          0          +4\n"
				"    +1 may be records of which it is unknown\n"
				"    +2 may be records that were lost\n"
				"    +1 unexplained\n"
				"  OutRsts                    4          0          +4\n"
				"    +1 may be records of which it is unknown\n"
				"    +2 may be records that were lost\n"
				"    +1 unexplained\n");
}

/* They are lost once, and not in each namespace. */
static void lost_records_of_two_namespaces(void **state)
{
	char wanted[512];

	add_process("20", 1);
	begin(0);
	count(0, OUT_RSTS, 1);
	count(1, OUT_RSTS, 1);
	look();
	snprintf(wanted, sizeof(wanted),
		 HEAD_2 COLUMNS "  OutRsts                    2          0          +2\n"
				"    +1 may be records that were lost\n"
				"    +1 unexplained, in network namespace %u\n",
		 netns_of(0) > netns_of(1) ? netns_of(0) : netns_of(1));
	tells_of(NULL, 1, wanted);
}

static void resets_of_mptcp(void **state)
{
	begin(0);
	happens_in(netns_of(0), EVENT_RESET, (struct verdict){ .cause = CAUSE_MPTCP_FASTCLOSE });
	count(0, OUT_RSTS, 3);
	count(0, MP_FASTCLOSE_TX, 2);
	count(0, MP_RST_TX, 1);
	tells(HEAD_1 COLUMNS "  OutRsts                    3          1          +2\n"
			     "    +1 RSTs of MPTCP (MPRstTx, MPFastcloseTx)\n"
			     "    +1 unexplained\n");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		WITH_PROC(time_outs_of_open_sockets),
		WITH_PROC(time_outs_that_were_not_counted),
		WITH_PROC(no_memory_for_an_rst),
		WITH_PROC(the_peer_resets_what_is_half_open),
		WITH_PROC(unknown_and_lost_records),
		WITH_PROC(lost_records_of_two_namespaces),
		WITH_PROC(resets_of_mptcp),
	};

	return cmocka_run_group_tests(tests, make_root, remove_root);
}
