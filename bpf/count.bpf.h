/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * With -c records are counted where they would leave, by all that a verdict is made from: the
 * opinion is the reader's here too.
 *
 * Some leave all the same.  A reset or an end whose cause is in who called: there are few of
 * these.  And where a process or a branch is asked for, ends, resets and the closes that go with
 * them, for whose late data it was only the reader's books can tell.
 */
#ifndef CLOSETRACE_COUNT_BPF_H
#define CLOSETRACE_COUNT_BPF_H

#include "bpf/ring.bpf.h"

/* The reader sets how many entries each has. */
struct counts {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, 1);
	__type(key, struct table_key);
	__type(value, struct sums);
} verdicts SEC(".maps"), verdicts_too SEC(".maps"), processes SEC(".maps"), processes_too SEC(".maps"),
	peers SEC(".maps"), peers_too SEC(".maps"), others SEC(".maps"), others_too SEC(".maps");

/* Two generations of each: one is counted into, the other is the reader's. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 2 * TABLE_COUNT);
	__type(key, __u32);
	__array(values, struct counts);
} tables SEC(".maps") = {
	.values = {
		[TABLE_VERDICTS] = &verdicts, [TABLE_PROCESSES] = &processes,
		[TABLE_PEERS] = &peers, [TABLE_OTHERS] = &others,
		[TABLE_COUNT + TABLE_VERDICTS] = &verdicts_too,
		[TABLE_COUNT + TABLE_PROCESSES] = &processes_too,
		[TABLE_COUNT + TABLE_PEERS] = &peers_too,
		[TABLE_COUNT + TABLE_OTHERS] = &others_too,
	},
};

/* ---- in a table -------------------------------------------------------------- */

/* Another CPU may be quicker to make it. */
static __always_inline struct sums *row_at(void *table, const struct table_key *key)
{
	static const struct sums none;
	struct sums *sums = bpf_map_lookup_elem(table, key);

	if (sums)
		return sums;
	bpf_map_update_elem(table, key, &none, BPF_NOEXIST);
	return bpf_map_lookup_elem(table, key);
}

/* A softirq may come in between, with another program that counts on this CPU.  To add nothing is
 * not free, and clang makes of it what no kernel before v5.12 knows. */
static __always_inline void sums_add(struct sums *to, const struct sums *sums)
{
	if (sums->count)
		__sync_fetch_and_add(&to->count, sums->count);
	if (sums->sent)
		__sync_fetch_and_add(&to->sent, sums->sent);
	if (sums->received)
		__sync_fetch_and_add(&to->received, sums->received);
	if (sums->unread)
		__sync_fetch_and_add(&to->unread, sums->unread);
	if (sums->unsent)
		__sync_fetch_and_add(&to->unsent, sums->unsent);
}

/* false: it has no room. */
static __always_inline bool count_in(__u32 index, const struct table_key *key, const struct sums *sums)
{
	void *table = bpf_map_lookup_elem(&tables, &index);
	struct sums *to = table ? row_at(table, key) : NULL;

	if (to)
		sums_add(to, sums);
	return to;
}

static __always_inline void count_others(__u32 generation, enum table full, const struct sums *sums)
{
	struct table_key key = { .full = full };

	if (!count_in(generation + TABLE_OTHERS, &key, sums))
		__sync_fetch_and_add(&counters.lost_table, 1);
}

static __always_inline void count_or_others(__u32 generation, enum table table, const struct table_key *key,
					    const struct sums *sums)
{
	if (!count_in(generation + table, key, sums))
		count_others(generation, table, sums);
}

/* ---- by what ------------------------------------------------------------------- */

/* How many bits it takes. */
static __always_inline __u8 slot_of(__u64 value)
{
	__u8 slot = 0;

#pragma unroll
	for (int shift = 32; shift; shift /= 2)
		if (value >> shift) {
			value >>= shift;
			slot += shift;
		}
	return slot + value;
}

static __always_inline bool count_verdict(__u32 generation, const struct close_event *e,
					  const struct sums *sums)
{
	struct table_key key = {
		.record = {
			.facts = e->facts,
			.netns = e->netns,
			.kind = e->kind,
			.state = e->state,
			.new_state = e->new_state,
			.context = e->context,
			.reason = e->reason,
		},
	};

	if (e->kind == EVENT_CLOSE) {
		if (!(e->facts & LACKS_BLOCKED))
			key.record.sizes[SIZE_BLOCKED] = slot_of(e->blocked_ns / 1000);
		key.record.sizes[SIZE_UNREAD] = slot_of(e->unread_bytes);
	}
	if (count_in(generation + TABLE_VERDICTS, &key, sums))
		return true;
	__sync_fetch_and_add(&counters.lost_table, 1);
	return false;
}

static __always_inline void count_process(__u32 generation, const struct close_event *e,
					  const struct sums *sums)
{
	struct table_key key = { .process.pid = e->pid };

	__builtin_memcpy(key.process.comm, e->comm, sizeof(e->comm));
	count_or_others(generation, TABLE_PROCESSES, &key, sums);
}

static __always_inline void count_peer(__u32 generation, const struct close_event *e,
				       const struct sums *sums)
{
	struct table_key key = {};

	__builtin_memcpy(key.peer, e->raddr, sizeof(e->raddr));
	count_or_others(generation, TABLE_PEERS, &key, sums);
}

/* ---- what ---------------------------------------------------------------------- */

/* Read once, so that a record is in one generation as a whole. */
static __always_inline __u32 this_generation(void)
{
	return counters.generation & 1 ? TABLE_COUNT : 0;
}

static __always_inline void count_close(const struct close_event *e)
{
	__u32 generation = this_generation();
	struct sums sums = {
		.count = 1,
		.sent = judge_is_reset(e),
		.unread = e->unread_bytes,
		.unsent = judge_discarded(e),
	};

	if (!count_verdict(generation, e, &sums))
		return;
	count_process(generation, e, &sums);
	count_peer(generation, e, &sums);
}

static __always_inline void count_reset(const struct close_event *e)
{
	bool received = e->facts & RESET_RECEIVED;
	__u32 generation = this_generation();
	struct sums sums = { .count = 1, .sent = !received, .received = received };

	if (!count_verdict(generation, e, &sums))
		return;
	/* It is no close. */
	sums.count = 0;
	if (judge_has_owner(e))
		count_process(generation, e, &sums);
	count_peer(generation, e, &sums);
}

static __always_inline void count_end(const struct close_event *e)
{
	struct sums sums = { .count = 1 };

	count_verdict(this_generation(), e, &sums);
}

/* ---- counted, or told ------------------------------------------------------------ */

/* No socket, or one that has no process: what had been there is in the reader's books. */
static __always_inline bool is_of_nobody(const struct close_event *e)
{
	return e->facts & RESET_NO_SOCKET || e->state == TCP_TIME_WAIT;
}

static __always_inline bool reader_keeps_books(void)
{
	return traces_few() || filter.branches;
}

/* tcp_reset() runs for an RST, and by tcp_rcv_state_process() for data that nobody will read: never
 * in these states. */
static __always_inline bool may_be_late_data(const struct close_event *e)
{
	__u32 reads = IN(SYN_SENT) | IN(SYN_RECV) | IN(ESTABLISHED);

	return e->facts & WAS_SHUT_READ && !(1U << e->state & reads);
}

/* A socket that a process holds and that is half closed gets few: the reader looks up whose it is. */
static __always_inline bool is_for_holder(const struct close_event *e)
{
	return may_be_late_data(e) && !(e->facts & WAS_ORPHAN);
}

/* Of an end or a reset that needs no callers.  What else answers for an orphan may settle its
 * end, by tracepoint. */
static __always_inline bool is_counted(const struct close_event *e)
{
	if (!filter.counting || reader_keeps_books())
		return false;
	if (e->facts & RESET_RECEIVED)
		return !is_for_holder(e);
	return e->kind == EVENT_END || is_of_nobody(e);
}

/* A close that sent an RST may get late data; one that finds its socket dead, or never alive,
 * says who held it when that was reset. */
static __always_inline bool is_for_books(const struct close_event *e)
{
	__u32 states = IN(CLOSE) | IN(SYN_SENT) | IN(SYN_RECV);

	return judge_is_reset(e) || 1U << e->state & states;
}

static __always_inline bool leaves(const struct close_event *e)
{
	return !filter.counting || filter.stacks || (reader_keeps_books() && is_for_books(e));
}

#endif
