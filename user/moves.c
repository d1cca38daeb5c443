// SPDX-License-Identifier: GPL-2.0-only
#include "user/moves.h"

#define BIT(value) (1U << (value))

/* 1 << each verdict that does, by what it is about. */
struct movers {
	uint32_t branches;
	uint32_t sents;
	uint32_t afters;
	uint32_t causes;
	uint32_t ends;
};

struct row {
	struct movers surely;
	struct movers maybe;	/* what is unknown of a record could be this */
};

#define CAUSES_SENT	(BIT(CAUSE_RESET_BY_PEER) - 1)
#define CAUSES_MPTCP \
	(BIT(CAUSE_MPTCP_FASTCLOSE) | BIT(CAUSE_MPTCP_SUBFLOW) | BIT(CAUSE_MPTCP_JOIN_REJECT))
#define UNKNOWN_BRANCH	.branches = BIT(BRANCH_UNKNOWN)
#define UNKNOWN_CAUSE	.causes = BIT(CAUSE_UNKNOWN)
#define UNKNOWN_END	.ends = BIT(END_UNKNOWN)

static const struct row rows[RECONCILED_COUNT] = {
	/* clang-format off */
	[TCP_ABORT_ON_CLOSE] = {
		{ .branches = BIT(BRANCH_UNREAD_DATA) },
		{ UNKNOWN_BRANCH, UNKNOWN_CAUSE },
	},
	[TCP_ABORT_ON_DATA] = {
		/* __tcp_close() counts zero linger whatever tcp_disconnect() did. */
		{ .branches = BIT(BRANCH_ZERO_LINGER), .afters = BIT(AFTER_LATE_DATA_RESET),
		  .causes = BIT(CAUSE_LATE_DATA) },
		{ UNKNOWN_BRANCH, UNKNOWN_CAUSE },
	},
	[TCP_ABORT_ON_LINGER] = {
		/* TCP_LINGER2 below 0 in FIN_WAIT1 is answered as late data, and counted so. */
		{ .afters = BIT(AFTER_LINGER2_RESET), .causes = BIT(CAUSE_LINGER2) },
		{ UNKNOWN_CAUSE },
	},
	[TCP_ABORT_ON_MEMORY] = {
		{ .afters = BIT(AFTER_ORPHAN_LIMIT_RESET), .causes = BIT(CAUSE_ORPHAN_LIMIT) },
		/* tcp_out_of_resources() may drop an orphan without an RST. */
		{ UNKNOWN_CAUSE, UNKNOWN_END },
	},
	[TCP_ABORT_ON_TIMEOUT] = {
		{ .causes = BIT(CAUSE_KEEPALIVE_TIMEOUT), .ends = BIT(END_RETRANSMIT_TIMEOUT) },
		{ UNKNOWN_CAUSE, UNKNOWN_END },
	},
	[EMBRYONIC_RSTS] = {
		{ .causes = BIT(CAUSE_ACCEPT_OVERFLOW) | BIT(CAUSE_EMBRYONIC) },
		{ UNKNOWN_CAUSE },
	},
	[OUT_RSTS] = {
		/* nf_send_reset() counts nothing. */
		{ .sents = BIT(SENT_RST),
		  .afters = BIT(AFTER_LINGER2_RESET) | BIT(AFTER_ORPHAN_LIMIT_RESET) |
			    BIT(AFTER_LATE_DATA_RESET),
		  .causes = CAUSES_SENT & ~BIT(CAUSE_FIREWALL_REJECT) },
		{ .sents = BIT(SENT_UNKNOWN) },
	},
	/* clang-format on */
};

/* An unknown cause of an RST that came is none of ours. */
static bool is_sent(const struct record *record)
{
	return record->verdict.cause < CAUSE_COUNT && !(record->event->facts & RESET_RECEIVED);
}

/* Before the call returned, or anywhere but in a close. */
static bool moves(const struct movers *movers, const struct record *record)
{
	const struct verdict *verdict = &record->verdict;

	switch (record->event->kind) {
	case EVENT_CLOSE:
		return BIT(verdict->branch) & movers->branches ||
		       BIT(verdict->sent) & movers->sents;
	case EVENT_RESET:
		return is_sent(record) && BIT(verdict->cause) & movers->causes;
	case EVENT_END:
		/* Where it ended by an RST of ours, that has a record of its own. */
		return !(record->event->facts & ENDED_ACTIVE) && BIT(verdict->end) & movers->ends;
	default:
		return false;
	}
}

uint32_t moves_at_once(const struct record *record)
{
	uint32_t moved = 0;

	for (int i = 0; i < RECONCILED_COUNT; i++)
		moved |= moves(&rows[i].surely, record) ? BIT(i) : 0;
	return moved;
}

uint32_t moves_after(const struct record *record)
{
	uint32_t moved = 0;

	if (record->event->kind != EVENT_CLOSE)
		return 0;
	for (int i = 0; i < RECONCILED_COUNT; i++)
		moved |= BIT(record->verdict.after) & rows[i].surely.afters ? BIT(i) : 0;
	return moved;
}

uint32_t moves_surely(const struct record *record)
{
	return moves_at_once(record) | moves_after(record);
}

uint32_t moves_maybe(const struct record *record)
{
	uint32_t moved = 0;

	for (int i = 0; i < RECONCILED_COUNT; i++)
		moved |= moves(&rows[i].maybe, record) ? BIT(i) : 0;
	return moved ? moved & ~moves_surely(record) : 0;
}

bool moves_for_mptcp(const struct record *record)
{
	return record->event->kind == EVENT_RESET && is_sent(record) &&
	       BIT(record->verdict.cause) & CAUSES_MPTCP;
}
