// SPDX-License-Identifier: GPL-2.0-only
#include <stdlib.h>
#include <string.h>

#include "user/cause.h"
#include "user/summary.h"

void summary_free(struct summary *summary)
{
	for (int i = 0; i < SECTION_COUNT; i++)
		free(summary->sections[i].at);
}

void summary_clear(struct summary *summary, uint64_t begin_ns)
{
	bool lacks_blocked = summary->lacks_blocked;

	summary_free(summary);
	*summary = (struct summary){ .begin_ns = begin_ns, .lacks_blocked = lacks_blocked };
}

void sums_add(struct sums *to, const struct sums *sums)
{
	to->count += sums->count;
	to->sent += sums->sent;
	to->received += sums->received;
	to->unread += sums->unread;
	to->unsent += sums->unsent;
}

static bool has_room(struct rows *rows)
{
	size_t room = rows->room ? rows->room * 2 : 64;
	struct row *grown;

	if (rows->count < rows->room)
		return true;
	grown = realloc(rows->at, room * sizeof(*grown));
	if (!grown)
		return false;
	rows->at = grown;
	rows->room = room;
	return true;
}

/* Rows with the same key are made one by and by. */
static void add_row(struct rows *rows, const struct row_key *key, const struct sums *sums)
{
	if (has_room(rows))
		rows->at[rows->count++] = (struct row){ .key = *key, .sums = *sums };
	else
		sums_add(&rows->others, sums);
}

/* ---- what is added ------------------------------------------------------------ */

static void add_close(struct summary *summary, const struct record *record, const struct sums *sums)
{
	struct row_key key = {
		.verdict = {
			.branch = record->verdict.branch,
			.sent = record->verdict.sent,
			.linger = record->verdict.linger,
		},
	};

	summary->closes += sums->count;
	if (record->verdict.branch == BRANCH_UNKNOWN)
		summary->unknown += sums->count;
	add_row(&summary->sections[SECTION_BRANCHES], &key, sums);
}

static void add_reset(struct summary *summary, const struct record *record, const struct sums *sums)
{
	struct row_key key = {
		.verdict.cause = record->verdict.cause,
		.received = cause_is_received(record->verdict.cause),
	};

	summary->resets += sums->count;
	if (record->verdict.cause == CAUSE_UNKNOWN)
		summary->unknown += sums->count;
	add_row(&summary->sections[SECTION_CAUSES], &key, sums);
}

static void add_end(struct summary *summary, const struct record *record, const struct sums *sums)
{
	struct row_key key = { .verdict.end = record->verdict.end };

	add_row(&summary->sections[SECTION_ENDS], &key, sums);
}

void summary_add(struct summary *summary, const struct record *record, const struct sums *sums)
{
	switch (record->event->kind) {
	case EVENT_CLOSE:
		add_close(summary, record, sums);
		break;
	case EVENT_RESET:
		add_reset(summary, record, sums);
		break;
	case EVENT_END:
		add_end(summary, record, sums);
		break;
	}
}

void summary_add_size(struct summary *summary, enum size size, unsigned int slot, uint64_t closes)
{
	summary->sizes[size][slot] += closes;
}

static void add_to_others(struct summary *summary, enum table full, const struct sums *sums)
{
	enum section section = full == TABLE_PROCESSES ? SECTION_PROCESSES : SECTION_PEERS;

	sums_add(&summary->sections[section].others, sums);
}

void summary_add_row(struct summary *summary, enum table table, const struct table_key *key,
		     const struct sums *sums)
{
	struct row_key process = { .process = key->process }, peer = { 0 };

	switch (table) {
	case TABLE_PROCESSES:
		add_row(&summary->sections[SECTION_PROCESSES], &process, sums);
		break;
	case TABLE_PEERS:
		memcpy(peer.peer, key->peer, sizeof(peer.peer));
		add_row(&summary->sections[SECTION_PEERS], &peer, sums);
		break;
	default:
		add_to_others(summary, key->full, sums);
	}
}

void summary_add_record(struct summary *summary, const struct record *record)
{
	bool received = cause_is_received(record->verdict.cause);
	struct sums sums = { .count = 1, .sent = !received, .received = received };
	const struct close_event *event = record->event;
	struct table_key key = { 0 };

	if (event->kind == EVENT_END)
		sums = (struct sums){ .count = 1 };
	summary_add(summary, record, &sums);
	if (event->kind == EVENT_END)
		return;
	sums.count = 0;
	if (record->owner != OWNER_NOBODY) {
		key.process.pid = event->pid;
		memcpy(key.process.comm, event->comm, sizeof(event->comm));
	}
	summary_add_row(summary, TABLE_PROCESSES, &key, &sums);
	memset(&key, 0, sizeof(key));
	memcpy(key.peer, event->raddr, sizeof(event->raddr));
	summary_add_row(summary, TABLE_PEERS, &key, &sums);
}

void summary_add_site(struct summary *summary, const struct record *record, const char *site)
{
	const struct close_event *event = record->event;
	bool received = cause_is_received(record->verdict.cause);
	struct sums sums = { .sent = !received, .received = received };
	struct row_key key = { .site = site };

	if (event->kind == EVENT_CLOSE)
		sums = (struct sums){ .count = 1, .sent = judge_is_reset(event),
				      .unread = event->unread_bytes, .unsent = judge_discarded(event) };
	add_row(&summary->sections[SECTION_SITES], &key, &sums);
}

/* ---- in order ------------------------------------------------------------------- */

static int by_key(const void *left, const void *right)
{
	const struct row *a = left, *b = right;

	return memcmp(&a->key, &b->key, sizeof(a->key));
}

static int more(uint64_t a, uint64_t b)
{
	return a > b ? -1 : a < b;
}

static int by_resets(const void *left, const void *right)
{
	const struct row *a = left, *b = right;
	int order = (int)a->key.others - b->key.others;

	if (!order)
		order = more(a->sums.sent + a->sums.received, b->sums.sent + b->sums.received);
	if (!order)
		order = more(a->sums.count, b->sums.count);
	return order ? order : by_key(a, b);
}

static void merge(struct rows *rows)
{
	size_t last = 0;

	for (size_t i = 1; i < rows->count; i++)
		if (!by_key(&rows->at[last], &rows->at[i]))
			sums_add(&rows->at[last].sums, &rows->at[i].sums);
		else
			rows->at[++last] = rows->at[i];
	rows->count = last + 1;
}

static bool is_zero(const struct sums *sums)
{
	static const struct sums none;

	return !memcmp(sums, &none, sizeof(none));
}

static void add_others(struct rows *rows)
{
	struct row_key key = { .others = 1 };
	struct sums others = rows->others;

	if (is_zero(&others))
		return;
	rows->others = (struct sums){ 0 };
	add_row(rows, &key, &others);
}

void summary_sort(struct summary *summary)
{
	for (int i = 0; i < SECTION_COUNT; i++) {
		struct rows *rows = &summary->sections[i];

		add_others(rows);
		if (!rows->count)
			continue;
		qsort(rows->at, rows->count, sizeof(*rows->at), by_key);
		merge(rows);
		qsort(rows->at, rows->count, sizeof(*rows->at), by_resets);
	}
}
