// SPDX-License-Identifier: GPL-2.0-only
#include "user/account.h"

/* How much of a counter's difference it can be, at most. */
struct explanation {
	int sign;	/* 1: the kernel has counted more than was recorded */
	uint64_t (*most)(const struct space *space, enum counter counter);
	const char *words;
};

/* tcp_send_active_reset() has counted it by then. */
static uint64_t no_memory(const struct space *space, enum counter counter)
{
	return counter == OUT_RSTS ? space_moved(space, TCP_ABORT_FAILED) : 0;
}

/* tcp_check_req() counts the same where it got an RST, and no socket is there to be reset. */
static uint64_t half_open(const struct space *space, enum counter counter)
{
	return counter == EMBRYONIC_RSTS ? space_moved(space, ATTEMPT_FAILS) : 0;
}

/* Only the end of a closed socket makes a record. */
static uint64_t not_closed(const struct space *space, enum counter counter)
{
	return counter == TCP_ABORT_ON_TIMEOUT ? UINT64_MAX : 0;
}

static uint64_t unknown(const struct space *space, enum counter counter)
{
	return space->unknown[counter];
}

/* One RST may move both of them. */
static uint64_t mptcp(const struct space *space, enum counter counter)
{
	uint64_t resets = space_moved(space, MP_RST_TX);
	uint64_t closes = space_moved(space, MP_FASTCLOSE_TX);
	uint64_t most = resets > closes ? resets : closes;

	return counter == OUT_RSTS && most > space->mptcp ? most - space->mptcp : 0;
}

static uint64_t near(const struct space *space, enum counter counter)
{
	return space->near_base[counter] + space->near_look[counter];
}

static uint64_t was_idle(const struct space *space, enum counter counter)
{
	return space->was_idle ? UINT64_MAX : 0;
}

static uint64_t was_left(const struct space *space, enum counter counter)
{
	return space->was_left ? UINT64_MAX : 0;
}

/* The lost are nobody's in particular. */
static const struct explanation explanations[EXPLANATIONS] = {
	/* clang-format off */
	{  1, was_idle,      "may be from before, in a namespace that had no process then" },
	{  1, no_memory,     "RSTs that could not be sent: no memory (TCPAbortFailed)" },
	{  1, unknown,       "may be records of which it is unknown" },
	{  1, NULL,          "may be records that were lost" },
	{  1, half_open,     "connections that the peer reset half-open (AttemptFails)" },
	{  1, not_closed,    "sockets not closed while traced: no record tells of these" },
	{  1, mptcp,         "RSTs of MPTCP (MPRstTx, MPFastcloseTx)" },
	{  1, near,          "happened while the counters were read" },
	{ -1, near,          "happened while the counters were read" },
	{ -1, was_left,      "in network namespaces in which no process was left" },
	/* clang-format on */
};

static void add_space_to(struct line *line, const struct space *space, enum counter counter,
			 uint64_t *lost)
{
	uint64_t kernel = space_moved(space, counter), recorded = space->recorded[counter];
	int sign = kernel < recorded ? -1 : 1;
	uint64_t left = sign > 0 ? kernel - recorded : recorded - kernel, most;

	line->kernel += kernel;
	line->recorded += recorded;
	for (size_t i = 0; i < EXPLANATIONS && left; i++) {
		if (explanations[i].sign != sign)
			continue;
		most = explanations[i].most ? explanations[i].most(space, counter) : *lost;
		if (most > left)
			most = left;
		if (!explanations[i].most)
			*lost -= most;
		line->explained[i] += most;
		left -= most;
	}
	if (!left)
		return;
	if (line->odd < NAMED) {
		line->odds[line->odd].netns = space->netns;
		line->odds[line->odd].difference = sign * (int64_t)left;
	} else {
		line->odd_rest += sign * (int64_t)left;
	}
	line->odd++;
}

static void add_to_account(struct account *account, const struct space *space, uint64_t *lost)
{
	for (int i = 0; i < RECONCILED_COUNT; i++)
		add_space_to(&account->lines[i], space, i, &lost[i]);
	if (!space->was_idle)
		account->failed += space_moved(space, TCP_ABORT_FAILED);
}

void account_make(struct account *account, const struct spaces *spaces, uint64_t lost)
{
	uint64_t losts[RECONCILED_COUNT];
	struct space young;

	*account = (struct account){ 0 };
	/* One record may move several counters. */
	for (int i = 0; i < RECONCILED_COUNT; i++)
		losts[i] = lost;
	for (size_t i = 0; i < spaces->known.count; i++) {
		const struct space *space = &spaces->known.at[i];

		if (spaces_can_read(spaces, space)) {
			add_to_account(account, space, losts);
			account->spaces++;
		} else if (space->inode) {
			account->gone++;
		}
	}
	account->spaces += spaces_sum_young(spaces, &young);
	add_to_account(account, &young, losts);
}

const char *account_words(size_t explanation)
{
	return explanations[explanation].words;
}

int account_sign(size_t explanation)
{
	return explanations[explanation].sign;
}
