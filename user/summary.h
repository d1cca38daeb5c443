/* SPDX-License-Identifier: GPL-2.0-only */
/* What was counted, with -c: rows by what they are about, and how many of each size. */
#ifndef CLOSETRACE_SUMMARY_H
#define CLOSETRACE_SUMMARY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "user/judge.h"
#include "user/out.h"
#include "user/value.h"

enum section {
	SECTION_BRANCHES,
	SECTION_CAUSES,
	SECTION_ENDS,
	SECTION_PROCESSES,
	SECTION_PEERS,
	SECTION_SITES,		/* with -k: from which lines of code */
	SECTION_COUNT,
};

/* Without padding, and 0 in what its section is not about: rows with the same are one. */
struct row_key {
	struct verdict verdict;
	__u8 others;		/* what its table in the kernel had no room for */
	__u8 received;		/* the RST of a cause */
	__u8 peer[16];
	struct process_key process;
	__u32 pad;
	const char *site;	/* one copy of each text: symbols_keep() */
};

struct row {
	struct row_key key;
	struct sums sums;
};

struct rows {
	struct row *at;
	size_t count;
	size_t room;
	struct sums others;
};

struct summary {
	struct rows sections[SECTION_COUNT];
	uint64_t sizes[SIZE_COUNT][SIZE_SLOTS];
	uint64_t closes;
	uint64_t resets;
	uint64_t unknown;
	uint64_t begin_ns;	/* CLOCK_MONOTONIC */
	uint64_t end_ns;
	bool lacks_blocked;	/* this way of attaching does not tell */
};

void sums_add(struct sums *to, const struct sums *sums);

void summary_free(struct summary *summary);	/* what is in it */
void summary_clear(struct summary *summary, uint64_t begin_ns);

/* So many records with this verdict. */
void summary_add(struct summary *summary, const struct record *record, const struct sums *sums);

/* So many closes of this size. */
void summary_add_size(struct summary *summary, enum size size, unsigned int slot, uint64_t closes);

/* A row of another table of the kernel's than the verdicts. */
void summary_add_row(struct summary *summary, enum table table, const struct table_key *key,
		     const struct sums *sums);

/* One record that came by itself: beside its verdict, its process and its peer. */
void summary_add_record(struct summary *summary, const struct record *record);

/* One close, or a reset of its owner's own call, by the site that it came from; NULL: unknown. */
void summary_add_site(struct summary *summary, const struct record *record, const char *site);

/* In the order in which they are shown: most resets first, others last. */
void summary_sort(struct summary *summary);

/* ---- what is shown of it, by every output ---- */

struct column {
	const char *key;	/* in JSON; NULL: only in text */
	const char *head;	/* in text; NULL: only in JSON */
	void (*get)(const struct row *row, struct value *value);
	bool is_number;
};

#define COLUMNS 9
struct section_view {
	const char *key;
	struct column columns[COLUMNS + 1];	/* ended by one without get */
};

extern const struct section_view sections[SECTION_COUNT];

struct size_view {
	const char *key;
	const char *title;
};

extern const struct size_view sizes[SIZE_COUNT];

/* Of the values that share a slot. */
uint64_t slot_least(unsigned int slot);
uint64_t slot_most(unsigned int slot);

void summary_json(struct out *out, const struct summary *summary);
void summary_text(struct out *out, const struct summary *summary, bool all);	/* rows; else the first */

#endif
