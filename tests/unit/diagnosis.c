// SPDX-License-Identifier: GPL-2.0-only
/* What each record is taken for, in words: what is claimed, and what is not. */
#include "tests/unit/told.h"

/* ---- what is nothing to tell -------------------------------------------------------- */

static void nothing(void **state)
{
	tells("");
}

static void clean_closes(void **state)
{
	static const __u8 hurting[] = { BRANCH_UNREAD_DATA, BRANCH_ZERO_LINGER };

	for (size_t i = 0; i < COUNT(branches); i++) {
		struct close_event event = sample_of(i);

		if (!memchr(hurting, branches[i].branch, sizeof(hurting)))
			add(&event);
	}
	tells("");
}

static void clean_ends(void **state)
{
	/* The RSTs among them have records of their own. */
	for (int end = 0; end < END_COUNT; end++) {
		struct record record = end_record(&end_sample, end);

		if (end != END_RETRANSMIT_TIMEOUT)
			findings_add(findings, &record, NULL);
	}
	tells("");
}

static void zero_linger_without_a_reset(void **state)
{
	struct close_event event = zero_linger();

	event.facts &= ~RAN_RESET;
	event.state = TCP_SYN_SENT;
	add(&event);
	tells("");
}

static void linger_that_did_its_work(void **state)
{
	struct close_event event = waited(WAIT_ACKED);

	add(&event);
	tells("");
}

/* ---- the closes that hurt ------------------------------------------------------------ */

static void unread_data(void **state)
{
	struct close_event event = unread(1300);

	add(&event);
	tells(HEAD "- server (pid 4242) reset 1 connection because it closed it with unread data,\n"
		   "  1.3 kB. The peer may have lost the end of what it was sent. It was\n"
		   "  10.0.0.1:8080, peer 192.0.2.7:40312. Advice: shutdown(SHUT_WR), read to EOF\n"
		   "  with a time limit, then close. More: closetrace explain unread-data.\n");
}

static void unread_data_of_many(void **state)
{
	struct close_event event = unread(650000);

	add(&event);
	event.lport = 8081;
	add(&event);
	tells(HEAD "- server (pid 4242) reset 2 connections because it closed them with unread data,\n"
		   "  1.3 MB in all. The peers may have lost the end of what they were sent. The\n"
		   "  first was 10.0.0.1:8080, peer 192.0.2.7:40312. Advice: shutdown(SHUT_WR), read\n"
		   "  to EOF with a time limit, then close. More: closetrace explain unread-data.\n");
}

/* More may have come than was there when close() was called. */
static void unread_data_that_came_late(void **state)
{
	struct close_event event = unread(0);

	add(&event);
	tells_of("with unread data. The peer may");
}

static void only_nginx_is_told_of_its_settings(void **state)
{
	struct close_event event = unread(1);

	add(&event);
	tells_nothing_of("nginx");
	tells_nothing_of("Envoy");
	strcpy(event.comm, "nginx");
	add(&event);
	tells_of("then close. nginx: lingering_close always, a long lingering_time, no return 444. "
		 "More:");
	tells_nothing_of("Envoy");
}

static void only_haproxy_is_told_of_its_settings(void **state)
{
	struct close_event event = zero_linger();

	add(&event);
	tells_nothing_of("haproxy");
	strcpy(event.comm, "haproxy");
	add(&event);
	tells_of("let the peer close first. haproxy: no option nolinger. More:");
}

static void zero_linger_that_lost_nothing(void **state)
{
	struct close_event event = zero_linger();

	add(&event);
	tells(HEAD "- server (pid 4242) reset 1 connection because it closed it with SO_LINGER set\n"
		   "  to 0 seconds. It was 10.0.0.1:8080, peer 192.0.2.7:40312. Advice: Only for\n"
		   "  aborts that are meant. To avoid TIME_WAIT let the peer close first. More:\n"
		   "  closetrace explain zero-linger.\n");
}

static void zero_linger_that_lost_data(void **state)
{
	struct close_event event = zero_linger();

	event.unsent_bytes = 12288;
	add(&event);
	tells_of("0 seconds. Of what it had written, the kernel threw away 12 kB unsent. It was");
	event.unsent_bytes = 712;
	event.unacked_bytes = 1;
	add(&event);
	tells_of("the kernel threw away 13 kB unsent, and 1 byte sent that nobody had acknowledged. "
		 "The first was");
}

static void data_that_nobody_acknowledged(void **state)
{
	struct close_event event = unread(1);

	event.unacked_bytes = 2000;
	add(&event);
	tells_of("Of what it had written, the kernel threw away 2.0 kB sent that nobody had "
		 "acknowledged.");
}

/* Nothing is known of the queue: nothing is said. */
static void an_unknown_queue(void **state)
{
	struct close_event event = zero_linger();

	event.facts |= LACKS_SENDQ;
	event.unsent_bytes = 12288;
	add(&event);
	tells_nothing_of("threw away");
}

/* A FIN throws nothing away. */
static void a_queue_that_is_still_sent(void **state)
{
	struct close_event event = waited(WAIT_CLOSING | WAIT_EXPIRED);

	event.unsent_bytes = 12288;
	add(&event);
	tells_nothing_of("threw away");
}

static void linger_overridden(void **state)
{
	struct close_event event = unread(7);

	event.facts |= WAS_LINGER;
	event.linger_s = 5;
	add(&event);
	tells_of("- server (pid 4242) reset 1 connection because it closed it with unread data, "
		 "7 bytes. SO_LINGER was set, and had no say: unread data is tested first.");
	tells_of("closetrace explain overridden.");
	assert_int_equal(paragraphs(), 1);
}

static void linger_timed_out(void **state)
{
	struct close_event event = waited(WAIT_CLOSING | WAIT_EXPIRED);

	add(&event);
	tells_of("- server (pid 4242) stood still in close() until the linger time was up, 1 time, "
		 "1.5 s. There was no reset");
	add(&event);
	tells_of("2 times, 3.0 s in all.");
	tells_of("closetrace explain timed-out.");
}

static void how_long_is_not_known(void **state)
{
	struct close_event event = waited(WAIT_CLOSING | WAIT_EXPIRED | LACKS_BLOCKED);

	add(&event);
	tells_of("until the linger time was up, 1 time. There was no reset");
}

static void linger_interrupted(void **state)
{
	struct close_event event = waited(WAIT_CLOSING);

	add(&event);
	tells_of("- server (pid 4242) was called out of close() by a signal 1 time,");
	tells_of("closetrace explain interrupted.");
}

static void linger_closed_meanwhile(void **state)
{
	struct close_event event = waited(0);

	add(&event);
	tells_of("the connection ended before it was, 1 time.");
	tells_of("closetrace explain closed-meanwhile.");
}

/* There was nothing to wait for, or nobody knows. */
static void linger_skipped(void **state)
{
	struct close_event event = waited(0);

	event.context = CONTEXT_EXIT;
	add(&event);
	event.unsent_bytes = 5;
	event.facts |= LACKS_SENDQ;
	add(&event);
	tells("");
	event.facts &= ~LACKS_SENDQ;
	add(&event);
	event.unsent_bytes = 0;
	event.unacked_bytes = 5;
	add(&event);
	tells_of("- server (pid 4242) exited with a linger time set on 2 connections that still had "
		 "data to deliver.");
	tells_of("closetrace explain skipped-exiting.");
}

/* What came after tells more than how the wait ended. */
static void resets_after_a_fin(void **state)
{
	struct close_event event = waited(WAIT_CLOSING | WAIT_EXPIRED | RAN_LATE_RESET);

	event.new_state = TCP_CLOSE;
	add(&event);
	tells_of("- server (pid 4242) had closed 1 connection before the peer was done,");
	tells_of("closetrace explain late-data.");
	event = waited(WAIT_CLOSING | WAIT_EXPIRED | RAN_ORPHAN_RESET);
	add(&event);
	tells_of("- 1 connection that server (pid 4242) had closed was reset by the kernel: too many closed "
		 "sockets");
	event.facts |= ORPHAN_LINGER2;
	add(&event);
	tells_of("at close() because TCP_LINGER2 is below 0");
	assert_int_equal(paragraphs(), 3);
}

/* The kernel closes its subflow with a zero linger, not the application. */
static void a_fastclose(void **state)
{
	struct close_event event = zero_linger();

	event.facts |= WAS_SUBFLOW | WAS_FASTCLOSE;
	add(&event);
	tells_nothing_of("SO_LINGER set");
	tells_of("- 1 path of MPTCP connections was reset: the connection was aborted as a whole.");
	tells_of("closetrace explain mptcp-fastclose.");
	/* It may find data in the queue. */
	event = unread(1);
	event.facts |= WAS_SUBFLOW | WAS_FASTCLOSE;
	add(&event);
	tells_nothing_of("unread data");
	tells_of("- 2 paths of MPTCP connections were reset");
}

/* ---- resets, ends --------------------------------------------------------------------- */

/* The words that must be there, with an owner and without. */
static const struct {
	enum cause cause;
	enum owner owner;
	__u32 facts;
	const char *words;
} resets[] = {
	/* clang-format off */
	{ CAUSE_LATE_DATA, OWNER_CLOSER, 0,
	  "- server (pid 4242) had closed 1 connection before the peer was done, so the kernel reset it" },
	{ CAUSE_LATE_DATA, OWNER_SOCKET, 0,
	  "- 1 connection of server (pid 4242) was reset: data came, and it was closed or shut down" },
	{ CAUSE_LATE_DATA, OWNER_NOBODY, 0, "- 1 connection of an unknown process was reset: data came" },
	{ CAUSE_TIME_WAIT, OWNER_CLOSER, RESET_REPLY | RESET_TO_ACK,
	  "- server (pid 4242) had closed 1 connection before the peer was done, so the kernel reset it" },
	{ CAUSE_UNACCEPTED_CHILD, OWNER_CLOSER, 0,
	  "- server (pid 4242) gave up a listening socket with 1 connection in its queue that nobody had "
	  "accepted: it was reset, though the client took itself for connected." },
	{ CAUSE_UNACCEPTED_CHILD, OWNER_NOBODY, 0, "- An unknown process gave up a listening socket" },
	{ CAUSE_ACCEPT_OVERFLOW, OWNER_NOBODY, 0,
	  "- 1 client was reset at the end of the handshake: the accept queue was full" },
	{ CAUSE_ORPHAN_LIMIT, OWNER_CLOSER, 0,
	  "- 1 connection that server (pid 4242) had closed was reset by the kernel: too many" },
	{ CAUSE_ADMIN_ABORT, OWNER_SOCKET, 0,
	  "- 1 connection of server (pid 4242) was killed from outside, by ss -K" },
	{ CAUSE_KEEPALIVE_TIMEOUT, OWNER_SOCKET, 0,
	  "- 1 connection of server (pid 4242) was given up: nobody answered the keepalive probes." },
	{ CAUSE_FIN_WAIT2_TIMEOUT, OWNER_CLOSER, 0,
	  "- 1 connection that server (pid 4242) had closed was reset by a timer" },
	{ CAUSE_LINGER2, OWNER_CLOSER, 0, "- server (pid 4242) reset 1 connection at close() because "
	  "TCP_LINGER2 is below 0" },
	{ CAUSE_DISCONNECT, OWNER_SOCKET, 0, "- server (pid 4242) reset 1 connection by a connect()" },
	{ CAUSE_MPTCP_FASTCLOSE, OWNER_CLOSER, 0, "- 1 path of MPTCP connections was reset: the" },
	{ CAUSE_MPTCP_SUBFLOW, OWNER_NOBODY, 0, "- 1 path of MPTCP connections was reset; the" },
	{ CAUSE_MPTCP_JOIN_REJECT, OWNER_NOBODY, 0, "- 1 MPTCP handshake was refused" },
	{ CAUSE_NO_SOCKET, OWNER_CLOSER, RESET_REPLY | RESET_TO_ACK,
	  "- 1 segment came for connections that server (pid 4242) had closed and that were gone" },
	{ CAUSE_NO_SOCKET, OWNER_NOBODY, RESET_REPLY | RESET_TO_SYN,
	  "- 1 attempt to connect found nobody listening and got an RST." },
	{ CAUSE_NO_SOCKET, OWNER_NOBODY, RESET_REPLY | RESET_TO_SYN | RESET_TO_ACK,
	  "- 1 segment came for connections that this host does not know" },
	{ CAUSE_NO_SOCKET, OWNER_NOBODY, RESET_REPLY | RESET_TO_ACK,
	  "- 1 segment came for connections that this host does not know" },
	{ CAUSE_LISTENER_STRAY_ACK, OWNER_NOBODY, 0, "- 1 segment came to a listening port" },
	{ CAUSE_FIREWALL_REJECT, OWNER_NOBODY, 0, "- 1 segment got an RST from a firewall rule" },
	{ CAUSE_BAD_ACK_SYN_SENT, OWNER_NOBODY, 0, "- 1 answer to a connect() acknowledged what was" },
	{ CAUSE_BAD_ACK_SYN_RECV, OWNER_NOBODY, 0, "- 1 handshake ended with a wrong acknowledgement" },
	{ CAUSE_EMBRYONIC, OWNER_NOBODY, 0, "- 1 handshake was ended with an RST because another SYN" },
	{ CAUSE_RESET_BY_PEER, OWNER_SOCKET, RESET_RECEIVED,
	  "- 1 connection of server (pid 4242) was reset by the peer. Why cannot be told from this end." },
	{ CAUSE_RESET_BY_PEER, OWNER_NOBODY, RESET_RECEIVED,
	  "- 1 connection of an unknown process was reset by the peer. Why cannot be told" },
	{ CAUSE_RESET_BY_PEER, OWNER_CLOSER, RESET_RECEIVED,
	  "- 1 connection that server (pid 4242) had closed was reset by the peer. What was not" },
	{ CAUSE_REFUSED, OWNER_SOCKET, RESET_RECEIVED, "- server (pid 4242) was refused 1 connection." },
	/* clang-format on */
};

static void each_reset(void **state)
{
	char more[64];

	for (size_t i = 0; i < COUNT(resets); i++) {
		findings_free(findings);
		findings = findings_new();
		add_reset(resets[i].cause, resets[i].owner, resets[i].facts);
		tells_of(resets[i].words);
		snprintf(more, sizeof(more), "More: closetrace explain %s.\n",
			 resets[i].cause == CAUSE_TIME_WAIT ? "late-data" : cause_name(resets[i].cause));
		tells_of(more);
		assert_int_equal(paragraphs(), 1);
	}
}

static bool is_tested(enum cause cause)
{
	for (size_t i = 0; i < COUNT(resets); i++)
		if (resets[i].cause == cause)
			return true;
	return false;
}

static void no_reset_is_forgotten(void **state)
{
	for (int cause = CAUSE_UNKNOWN + 1; cause < CAUSE_COUNT; cause++)
		if (!is_tested(cause))
			fail_msg("%s is not tested", cause_name(cause));
}

/* The line at the end counts it. */
static void an_unknown_cause(void **state)
{
	add_reset(CAUSE_UNKNOWN, OWNER_NOBODY, 0);
	tells("");
}

/* It was a new connection, on the same ports. */
static void a_syn_is_no_late_data(void **state)
{
	add_reset(CAUSE_TIME_WAIT, OWNER_CLOSER, RESET_REPLY | RESET_TO_SYN);
	add_reset(CAUSE_TIME_WAIT, OWNER_NOBODY, RESET_REPLY | RESET_TO_ACK);
	tells("");
}

/* To the application it is one mistake, whenever the data comes. */
static void late_data_is_counted_together(void **state)
{
	struct close_event event = waited(RAN_LATE_RESET);

	add(&event);
	add_reset(CAUSE_LATE_DATA, OWNER_CLOSER, 0);
	add_reset(CAUSE_TIME_WAIT, OWNER_CLOSER, RESET_REPLY | RESET_TO_ACK);
	tells_of("- server (pid 4242) had closed 3 connections before the peer was done, so the kernel "
		 "reset them: what came next could reach nobody.");
	assert_int_equal(paragraphs(), 1);
}

static void retransmit_timeout(void **state)
{
	struct record record = end_record(&end_sample, END_RETRANSMIT_TIMEOUT);

	findings_add(findings, &record, NULL);
	tells_of("- 1 connection that client (pid 4242) had closed came to nothing: the peer never "
		 "acknowledged the rest");
	tells_of("closetrace explain retransmit-timeout.");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TELLING(nothing),
		TELLING(clean_closes),
		TELLING(clean_ends),
		TELLING(zero_linger_without_a_reset),
		TELLING(linger_that_did_its_work),
		TELLING(unread_data),
		TELLING(unread_data_of_many),
		TELLING(unread_data_that_came_late),
		TELLING(only_nginx_is_told_of_its_settings),
		TELLING(only_haproxy_is_told_of_its_settings),
		TELLING(zero_linger_that_lost_nothing),
		TELLING(zero_linger_that_lost_data),
		TELLING(data_that_nobody_acknowledged),
		TELLING(an_unknown_queue),
		TELLING(a_queue_that_is_still_sent),
		TELLING(linger_overridden),
		TELLING(linger_timed_out),
		TELLING(how_long_is_not_known),
		TELLING(linger_interrupted),
		TELLING(linger_closed_meanwhile),
		TELLING(linger_skipped),
		TELLING(resets_after_a_fin),
		TELLING(a_fastclose),
		TELLING(each_reset),
		TELLING(no_reset_is_forgotten),
		TELLING(an_unknown_cause),
		TELLING(a_syn_is_no_late_data),
		TELLING(late_data_is_counted_together),
		TELLING(retransmit_timeout),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
