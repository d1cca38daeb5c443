// SPDX-License-Identifier: GPL-2.0-only
#include "user/diagnosis.h"

/* Zero linger, where nothing was left to reset, hurts nobody. */
static bool is_reset(const struct record *r)
{
	return r->verdict.sent == SENT_RST;
}

/* Up to v6.17 the kernel closes the subflow for it, with a zero linger of its own. */
static bool is_fastclose(const struct record *r)
{
	return r->event->kind == EVENT_CLOSE && is_reset(r) && r->event->facts & WAS_FASTCLOSE;
}

/* What the linger time was set for. */
static bool was_undelivered(const struct record *r)
{
	return !(r->event->facts & LACKS_SENDQ) && (r->event->unsent_bytes || r->event->unacked_bytes);
}

static bool is_closers(const struct record *r)
{
	return r->owner == OWNER_CLOSER;
}

/* A SYN is no late data. */
static bool is_closers_data(const struct record *r)
{
	return is_closers(r) && !(r->event->facts & RESET_TO_SYN);
}

/* An answer to our SYN, sent by a socket that is gone, has an ACK. */
static bool is_attempt(const struct record *r)
{
	return (r->event->facts & (RESET_TO_SYN | RESET_TO_ACK)) == RESET_TO_SYN;
}

/* A record is of one diagnosis, the first: what says more comes before what says less.  Where an
 * end and a reset tell of one RST, only the reset is here.  A row that says nothing is another
 * case of the one above. */
static const struct diagnosis diagnoses[] = {
	/* clang-format off */
	{
		EVENT_RESET, WORD_CAUSE, CAUSE_LATE_DATA, is_closers, 5,
		"%w had closed %n connection{|s} before the peer was done, so the kernel reset {it|them}: "
		"what came next could reach nobody.",
	},
	{ EVENT_RESET, WORD_CAUSE, CAUSE_TIME_WAIT, is_closers_data },
	{ EVENT_CLOSE, WORD_AFTER, AFTER_LATE_DATA_RESET },
	{
		EVENT_RESET, WORD_CAUSE, CAUSE_ORPHAN_LIMIT, NULL, 8,
		"%n connection{|s} that %w had closed {was|were} reset by the kernel: too many closed "
		"sockets still had data to deliver, or TCP's memory was full. What was not delivered is "
		"lost.",
	},
	{ EVENT_CLOSE, WORD_AFTER, AFTER_ORPHAN_LIMIT_RESET },
	{
		EVENT_RESET, WORD_CAUSE, CAUSE_LINGER2, NULL, 3,
		"%w reset %n connection{|s} at close() because TCP_LINGER2 is below 0 and the peer had "
		"not closed its side.",
	},
	{ EVENT_CLOSE, WORD_AFTER, AFTER_LINGER2_RESET },
	{
		EVENT_RESET, WORD_CAUSE, CAUSE_MPTCP_FASTCLOSE, NULL, 4,
		"%n path{|s} of MPTCP connections {was|were} reset: the connection was aborted as a whole.",
	},
	{ EVENT_CLOSE, WORD_CAUSE, CAUSE_MPTCP_FASTCLOSE },
	{
		EVENT_CLOSE, WORD_LINGER, LINGER_OVERRIDDEN, NULL, 5,
		"%w reset %n connection{|s} because %i closed {it|them} with unread data%b. SO_LINGER was "
		"set, and had no say: unread data is tested first. The peer{|s} may have lost the end of "
		"what {it was|they were} sent.",
	},
	{
		EVENT_CLOSE, WORD_LINGER, LINGER_TIMED_OUT, NULL, 3,
		"%w stood still in close() until the linger time was up, %n time{|s}%t. There was no "
		"reset, and the kernel went on to deliver the rest.",
	},
	{
		EVENT_CLOSE, WORD_LINGER, LINGER_INTERRUPTED, NULL, 3,
		"%w was called out of close() by a signal %n time{|s}, before the linger time was up. "
		"There was no reset, and the kernel went on to deliver the rest.",
	},
	{
		EVENT_CLOSE, WORD_LINGER, LINGER_CLOSED_MEANWHILE, NULL, 6,
		"%w waited in close() for the rest to be delivered, and the connection ended before it "
		"was, %n time{|s}. The end of the data did not arrive, and close() returned 0.",
	},
	{
		EVENT_CLOSE, WORD_LINGER, LINGER_SKIPPED_EXITING, was_undelivered, 2,
		"%w exited with a linger time set on %n connection{|s} that still had data to deliver. "
		"An exiting process does not wait: the kernel went on to deliver it, and nobody knows "
		"whether it arrived.",
	},
	{
		EVENT_CLOSE, WORD_BRANCH, BRANCH_UNREAD_DATA, NULL, 5,
		"%w reset %n connection{|s} because %i closed {it|them} with unread data%b. The peer{|s} "
		"may have lost the end of what {it was|they were} sent.",
	},
	{
		EVENT_CLOSE, WORD_BRANCH, BRANCH_ZERO_LINGER, is_reset, 3,
		"%w reset %n connection{|s} because %i closed {it|them} with SO_LINGER set to 0 seconds.",
	},
	{
		EVENT_RESET, WORD_CAUSE, CAUSE_LATE_DATA, NULL, 4,
		"%n connection{|s} of %w {was|were} reset: data came, and {it was|they were} closed or "
		"shut down for reading already.",
	},
	{
		EVENT_RESET, WORD_CAUSE, CAUSE_UNACCEPTED_CHILD, NULL, 6,
		"%w gave up a listening socket with %n connection{|s} in its queue that nobody had "
		"accepted: {it was|they were} reset, though the client{|s} took {itself|themselves} for "
		"connected.", PLACE_PORT,
	},
	{
		EVENT_RESET, WORD_CAUSE, CAUSE_ACCEPT_OVERFLOW, NULL, 6,
		"%n client{|s} {was|were} reset at the end of the handshake: the accept queue was full, "
		"and net.ipv4.tcp_abort_on_overflow is on.", PLACE_PORT,
	},
	{
		EVENT_RESET, WORD_CAUSE, CAUSE_ADMIN_ABORT, NULL, 5,
		"%n connection{|s} of %w {was|were} killed from outside, by ss -K, a BPF program or SMC.",
	},
	{
		EVENT_RESET, WORD_CAUSE, CAUSE_KEEPALIVE_TIMEOUT, NULL, 4,
		"%n connection{|s} of %w {was|were} given up: nobody answered the keepalive probes.",
		PLACE_PEER,
	},
	{
		EVENT_END, WORD_END, END_RETRANSMIT_TIMEOUT, NULL, 7,
		"%n connection{|s} that %w had closed came to nothing: the peer never acknowledged the "
		"rest, and the kernel gave up without an RST. Whether it arrived is not known.", PLACE_PEER,
	},
	{
		EVENT_RESET, WORD_CAUSE, CAUSE_FIN_WAIT2_TIMEOUT, NULL, 2,
		"%n connection{|s} that %w had closed {was|were} reset by a timer: the peer never closed "
		"its side.", PLACE_PEER,
	},
	{
		EVENT_RESET, WORD_CAUSE, CAUSE_DISCONNECT, NULL, 3,
		"%w reset %n connection{|s} by a connect() to AF_UNSPEC.",
	},
	{
		EVENT_RESET, WORD_CAUSE, CAUSE_MPTCP_SUBFLOW, NULL, 2,
		"%n path{|s} of MPTCP connections {was|were} reset; the connection may have gone on by "
		"others.",
	},
	{
		EVENT_RESET, WORD_CAUSE, CAUSE_MPTCP_JOIN_REJECT, NULL, 1,
		"%n MPTCP handshake{|s} {was|were} refused with an RST.", PLACE_PORT,
	},
	{
		EVENT_RESET, WORD_CAUSE, CAUSE_NO_SOCKET, is_closers_data, 1,
		"%n segment{|s} came for connections that %w had closed and that were gone: each was "
		"answered with an RST.",
	},
	{
		EVENT_RESET, WORD_CAUSE, CAUSE_NO_SOCKET, is_attempt, 1,
		"%n attempt{|s} to connect found nobody listening and got an RST.", PLACE_PORT,
	},
	{
		EVENT_RESET, WORD_CAUSE, CAUSE_NO_SOCKET, NULL, 1,
		"%n segment{|s} came for connections that this host does not know and got an RST.",
		PLACE_PORT,
	},
	{
		EVENT_RESET, WORD_CAUSE, CAUSE_LISTENER_STRAY_ACK, NULL, 2,
		"%n segment{|s} came to a listening port for connections that it does not know and got "
		"an RST.", PLACE_PORT,
	},
	{
		EVENT_RESET, WORD_CAUSE, CAUSE_FIREWALL_REJECT, NULL, 1,
		"%n segment{|s} got an RST from a firewall rule on this host; no socket was asked.",
		PLACE_PORT,
	},
	{
		EVENT_RESET, WORD_CAUSE, CAUSE_BAD_ACK_SYN_SENT, NULL, 1,
		"%n answer{|s} to a connect() acknowledged what was never sent and got an RST.", PLACE_PEER,
	},
	{
		EVENT_RESET, WORD_CAUSE, CAUSE_BAD_ACK_SYN_RECV, NULL, 1,
		"%n handshake{|s} ended with a wrong acknowledgement and got an RST.", PLACE_PORT,
	},
	{
		EVENT_RESET, WORD_CAUSE, CAUSE_EMBRYONIC, NULL, 1,
		"%n handshake{|s} {was|were} ended with an RST because another SYN came.", PLACE_PORT,
	},
	{
		EVENT_RESET, WORD_CAUSE, CAUSE_RESET_BY_PEER, is_closers, 4,
		"%n connection{|s} that %w had closed {was|were} reset by the peer{|s}. What was not "
		"delivered by then is lost, and no call was left to tell of it. Why cannot be told from "
		"this end.", PLACE_PEER,
	},
	{
		EVENT_RESET, WORD_CAUSE, CAUSE_RESET_BY_PEER, NULL, 3,
		"%n connection{|s} of %w {was|were} reset by the peer{|s}. Why cannot be told from this "
		"end.", PLACE_PEER,
	},
	{
		EVENT_RESET, WORD_CAUSE, CAUSE_REFUSED, NULL, 1,
		"%w was refused %n connection{|s}.", PLACE_PEER,
	},
	/* clang-format on */
};

static unsigned int value_of(const struct record *record, enum word_kind kind)
{
	const struct verdict *verdict = &record->verdict;

	switch (kind) {
	case WORD_BRANCH:
		return verdict->branch;
	case WORD_LINGER:
		return verdict->linger;
	case WORD_AFTER:
		return verdict->after;
	case WORD_CAUSE:
		return is_fastclose(record) ? CAUSE_MPTCP_FASTCLOSE : verdict->cause;
	default:
		return verdict->end;
	}
}

static bool fits(const struct diagnosis *diagnosis, const struct record *record)
{
	return diagnosis->event == record->event->kind &&
	       diagnosis->value == value_of(record, diagnosis->kind) &&
	       (!diagnosis->also || diagnosis->also(record));
}

/* Most closes send a FIN at most, and wait for nothing. */
static bool is_ordinary(const struct record *record)
{
	return record->event->kind == EVENT_CLOSE && !judge_is_reset(record->event) &&
	       !(record->event->facts & WAS_LINGER);
}

const struct diagnosis *diagnose(const struct record *record)
{
	const struct diagnosis *diagnosis = NULL;

	if (is_ordinary(record))
		return NULL;
	for (size_t i = 0; i < sizeof(diagnoses) / sizeof(*diagnoses); i++) {
		if (diagnoses[i].says)
			diagnosis = &diagnoses[i];
		if (fits(&diagnoses[i], record))
			return diagnosis;
	}
	return NULL;
}
