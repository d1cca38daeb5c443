// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "user/account.h"
#include "user/moves.h"
#include "user/reconcile.h"

struct reconcile {
	struct spaces spaces;
	uint64_t forgotten;	/* records for whose namespace there was no memory */
};

struct reconcile *reconcile_open(const char *proc, uint32_t netns)
{
	struct reconcile *reconcile = calloc(1, sizeof(*reconcile));

	if (!reconcile)
		return NULL;
	if (spaces_open(&reconcile->spaces, proc, netns))
		goto fail;
	return reconcile;
fail:
	reconcile_close(reconcile);
	return NULL;
}

void reconcile_close(struct reconcile *reconcile)
{
	int error = errno;

	if (!reconcile)
		return;
	spaces_close(&reconcile->spaces);
	free(reconcile);
	errno = error;
}

void reconcile_look(struct reconcile *reconcile)
{
	spaces_look(&reconcile->spaces);
}

/* The namespace of so many records, with what is unknown of them; NULL: they move nothing there. */
static struct space *space_of(struct reconcile *reconcile, const struct record *record, uint64_t count)
{
	uint32_t unknown = moves_maybe(record), netns = record->event->netns;
	struct space *space;

	if (!(moves_surely(record) | unknown))
		return NULL;
	if (reconcile->spaces.netns && netns != reconcile->spaces.netns)
		return NULL;
	space = spaces_find(&reconcile->spaces, netns);
	if (!space) {
		reconcile->forgotten += count;
		return NULL;
	}
	space->records += count;
	for (int i = 0; i < RECONCILED_COUNT; i++)
		space->unknown[i] += unknown >> i & 1 ? count : 0;
	space->mptcp += moves_for_mptcp(record) ? count : 0;
	return space;
}

void reconcile_count(struct reconcile *reconcile, const struct record *record)
{
	const struct close_event *event = record->event;
	uint32_t after = moves_after(record);
	struct space *space = space_of(reconcile, record, 1);

	if (!space)
		return;
	space_count(space, moves_at_once(record), event->time_ns);
	/* The time of a close is its beginning. */
	if (after)
		space_count(space, after, event->time_ns + event->blocked_ns);
}

/* What was counted since a reading is set against the next, with what it may be off by. */
static void add_moves(struct space *space, enum counter counter, uint64_t count, enum when when)
{
	switch (when) {
	case WHEN_OPENED:
		space->near_base[counter] += count;
		break;
	case WHEN_BETWEEN:
		space->recorded[counter] += count;
		break;
	case WHEN_LOOKED:
		space->near_look[counter] += count;
		space->later[counter] += count;
		break;
	}
}

/* A close may move a counter by what it did and by what came after. */
void reconcile_add(struct reconcile *reconcile, const struct record *record, uint64_t count, enum when when)
{
	uint32_t at_once = moves_at_once(record), after = moves_after(record);
	struct space *space = space_of(reconcile, record, count);

	for (int i = 0; space && i < RECONCILED_COUNT; i++)
		add_moves(space, i, ((at_once >> i & 1) + (after >> i & 1)) * count, when);
}

/* ---- telling it ---------------------------------------------------------------- */

static bool agrees(const struct account *account)
{
	for (int i = 0; i < RECONCILED_COUNT; i++) {
		if (account->lines[i].odd)
			return false;
		for (size_t j = 0; j < EXPLANATIONS; j++)
			if (account->lines[i].explained[j])
				return false;
	}
	return true;
}

static bool is_shown(const struct line *line)
{
	return line->kernel || line->recorded;
}

static bool any_is_shown(const struct account *account)
{
	for (int i = 0; i < RECONCILED_COUNT; i++)
		if (is_shown(&account->lines[i]))
			return true;
	return false;
}

static const char *plural(uint64_t count)
{
	return count == 1 ? "" : "s";
}

static void tell_agreement(const struct account *account, FILE *to)
{
	const struct line *lines = account->lines;
	uint64_t aborts = 0;

	for (int i = TCP_ABORT_ON_CLOSE; i <= TCP_ABORT_ON_TIMEOUT; i++)
		aborts += lines[i].kernel;
	fprintf(to, "counters agree: %" PRIu64 " of %" PRIu64 " RST%s, %" PRIu64 " of %" PRIu64
		" abort%s",
		lines[OUT_RSTS].recorded, lines[OUT_RSTS].kernel, plural(lines[OUT_RSTS].kernel),
		aborts, aborts, plural(aborts));
	if (lines[EMBRYONIC_RSTS].kernel)
		fprintf(to, ", %" PRIu64 " of %" PRIu64 " embryonic",
			lines[EMBRYONIC_RSTS].recorded, lines[EMBRYONIC_RSTS].kernel);
	fputc('\n', to);
}

static void tell_odd(const struct line *line, size_t spaces, FILE *to)
{
	for (size_t i = 0; i < line->odd && i < NAMED; i++) {
		fprintf(to, "    %+" PRId64 " unexplained", line->odds[i].difference);
		if (!line->odds[i].netns)
			fputs(", in network namespaces that are new", to);
		else if (spaces > 1)
			fprintf(to, ", in network namespace %" PRIu32, line->odds[i].netns);
		fputc('\n', to);
	}
	if (line->odd > NAMED)
		fprintf(to, "    %+" PRId64 " unexplained, in %zu more network namespace%s\n",
			line->odd_rest, line->odd - NAMED, plural(line->odd - NAMED));
}

static void tell_difference(const struct line *line, size_t spaces, FILE *to)
{
	if (line->kernel == line->recorded)
		fprintf(to, " %11s\n", "none");
	else
		fprintf(to, " %+11" PRId64 "\n", (int64_t)(line->kernel - line->recorded));
	for (size_t i = 0; i < EXPLANATIONS; i++)
		if (line->explained[i])
			fprintf(to, "    %+" PRId64 " %s\n",
				account_sign(i) * (int64_t)line->explained[i], account_words(i));
	tell_odd(line, spaces, to);
}

static void tell_table(const struct spaces *spaces, const struct account *account, bool differences,
		       FILE *to)
{
	const struct line *line;

	fprintf(to, "counters of %zu network namespace%s over %.1f s:\n", account->spaces,
		plural(account->spaces), (spaces->end_ns - spaces->begin_ns) / 1e9);
	fprintf(to, "  %-17s %10s %10s%s\n", "counter", "kernel", "recorded",
		differences ? "  difference" : "");
	for (int i = 0; i < RECONCILED_COUNT; i++) {
		line = &account->lines[i];
		if (!is_shown(line))
			continue;
		fprintf(to, "  %-17s %10" PRIu64 " %10" PRIu64, mib_name(i), line->kernel,
			line->recorded);
		if (differences)
			tell_difference(line, account->spaces, to);
		else
			fputc('\n', to);
	}
}

/* Whether these have counted anything that was not recorded nobody can say. */
static void tell_gone(const struct spaces *spaces, const struct account *account, FILE *to)
{
	const struct space *space;
	size_t told = 0;

	for (size_t i = 0; i < spaces->known.count && told < NAMED; i++) {
		space = &spaces->known.at[i];
		if (!space->inode || spaces_can_read(spaces, space))
			continue;
		fprintf(to, "  netns %" PRIu32 " is gone, its counters with it: %" PRIu64
			" record%s left out\n",
			space->netns, space->records, plural(space->records));
		told++;
	}
	if (account->gone > told)
		fprintf(to, "  %zu more network namespace%s gone, their counters with them\n",
			account->gone - told, account->gone - told == 1 ? " is" : "s are");
}

void reconcile_tell(const struct reconcile *reconcile, FILE *to, const char *incomplete,
		    uint64_t lost)
{
	struct account account;

	account_make(&account, &reconcile->spaces, lost + reconcile->forgotten);
	if (incomplete)
		fprintf(to, "counters: the records cannot be complete: %s\n", incomplete);
	if (!account.spaces)
		fputs("counters: none could be read\n", to);
	else if (!incomplete && agrees(&account))
		tell_agreement(&account, to);
	else if (any_is_shown(&account))
		tell_table(&reconcile->spaces, &account, !incomplete, to);
	if (account.failed)
		fprintf(to, "  %" PRIu64 " RST%s never left: no memory, or refused below TCP "
			    "(TCPAbortFailed)\n",
			account.failed, plural(account.failed));
	tell_gone(&reconcile->spaces, &account, to);
}
