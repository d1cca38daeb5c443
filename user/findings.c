// SPDX-License-Identifier: GPL-2.0-only
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "user/address.h"
#include "user/diagnosis.h"
#include "user/echoes.h"
#include "user/findings.h"
#include "user/paragraph.h"
#include "user/tally.h"

#define ROOM  128	/* findings */
#define ALONE 2		/* processes of one name that are told apart */
#define PIDS  16	/* that are counted */
#define TOLD  10	/* paragraphs */
#define NAMED 3		/* ports, peers, sites in one */

/* What was found of one process, or of all of its name where they are many. */
struct finding {
	const struct diagnosis *diagnosis;
	char comm[COMM_LEN];	/* empty: nobody knows whose it was */
	__u32 pids[PIDS];	/* no two alike */
	size_t pids_count;
	uint64_t count;
	struct close_event first;
	uint64_t unread_bytes;
	uint64_t unsent_bytes;	/* of its own, thrown away by an RST: all three */
	uint64_t unacked_bytes;
	uint64_t lossy;		/* how many of them threw anything of it away */
	uint64_t blocked_ns;
	struct tally places;
	struct tally sites;
};

struct findings {
	struct echoes *echoes;
	struct finding at[ROOM];
	size_t used;
	uint64_t others;	/* records for which there was no room */
};

/* ---- counting -------------------------------------------------------------------- */

static bool is_known(const struct record *record)
{
	return record->event->kind != EVENT_RESET || record->owner != OWNER_NOBODY;
}

static const char *comm_of(const struct record *record)
{
	return is_known(record) ? record->event->comm : "";
}

static bool has_pid(const struct finding *finding, __u32 pid)
{
	for (size_t i = 0; i < finding->pids_count; i++)
		if (finding->pids[i] == pid)
			return true;
	return false;
}

/* One more than there is room for says that there are more. */
static void add_pid(struct finding *finding, __u32 pid)
{
	if (finding->pids_count < PIDS && !has_pid(finding, pid))
		finding->pids[finding->pids_count++] = pid;
}

static bool is_of(const struct finding *finding, const struct diagnosis *diagnosis, const char *comm)
{
	return finding->diagnosis == diagnosis && !strncmp(finding->comm, comm, COMM_LEN);
}

static void merge(struct finding *into, const struct finding *from)
{
	add_pid(into, *from->pids);
	into->count += from->count;
	into->unread_bytes += from->unread_bytes;
	into->unsent_bytes += from->unsent_bytes;
	into->unacked_bytes += from->unacked_bytes;
	into->lossy += from->lossy;
	into->blocked_ns += from->blocked_ns;
	tally_merge(&into->places, &from->places);
	tally_merge(&into->sites, &from->sites);
}

/* All that came after the first of them go into it. */
static struct finding *merge_all(struct findings *findings, struct finding *first)
{
	for (size_t i = first - findings->at + 1; i < findings->used;) {
		struct finding *finding = &findings->at[i];

		if (!is_of(finding, first->diagnosis, first->comm)) {
			i++;
			continue;
		}
		merge(first, finding);
		memmove(finding, finding + 1, (--findings->used - i) * sizeof(*finding));
	}
	return first;
}

static struct finding *make(struct findings *findings, const struct diagnosis *diagnosis,
			    const struct record *record)
{
	struct finding *finding = &findings->at[findings->used];

	if (findings->used == ROOM)
		return NULL;
	findings->used++;
	memset(finding, 0, sizeof(*finding));
	finding->diagnosis = diagnosis;
	finding->first = *record->event;
	memcpy(finding->comm, comm_of(record), strnlen(comm_of(record), COMM_LEN - 1));
	return finding;
}

static struct finding *find(struct findings *findings, const struct diagnosis *diagnosis,
			    const struct record *record)
{
	struct finding *first = NULL;
	int alone = 0;

	for (size_t i = 0; i < findings->used; i++) {
		struct finding *finding = &findings->at[i];

		if (!is_of(finding, diagnosis, comm_of(record)))
			continue;
		if (finding->pids_count > 1 || has_pid(finding, record->event->pid))
			return finding;
		if (!alone++)
			first = finding;
	}
	return alone < ALONE ? make(findings, diagnosis, record) : merge_all(findings, first);
}

/* An RST that the close sent at once; what comes later finds the queue in another state. */
static void count_lost_bytes(struct finding *finding, const struct record *record)
{
	const struct close_event *event = record->event;

	if (record->verdict.sent != SENT_RST || event->facts & LACKS_SENDQ)
		return;
	finding->unsent_bytes += event->unsent_bytes;
	finding->unacked_bytes += event->unacked_bytes;
	finding->lossy += event->unsent_bytes || event->unacked_bytes;
}

static void count_close(struct finding *finding, const struct record *record)
{
	if (record->event->kind != EVENT_CLOSE)
		return;
	finding->unread_bytes += record->event->unread_bytes;
	if (!(record->event->facts & LACKS_BLOCKED))
		finding->blocked_ns += record->event->blocked_ns;
	count_lost_bytes(finding, record);
}

static void count_place(struct finding *finding, const struct close_event *event)
{
	char text[TALLY_TEXT];

	if (finding->diagnosis->place == PLACE_NONE)
		return;
	if (finding->diagnosis->place == PLACE_PORT)
		snprintf(text, sizeof(text), "port" HARD_SPACE "%u", event->lport);
	else
		address_put_end(text, event->raddr, event->rport);
	tally_add(&finding->places, text, 1);
}

static void count(void *arg, const struct record *record, const char *site)
{
	const struct diagnosis *diagnosis = diagnose(record);
	struct findings *findings = arg;
	struct finding *finding;

	if (!diagnosis)
		return;
	finding = find(findings, diagnosis, record);
	if (!finding) {
		findings->others++;
		return;
	}
	finding->count++;
	add_pid(finding, is_known(record) ? record->event->pid : 0);
	count_close(finding, record);
	count_place(finding, record->event);
	if (site)
		tally_add(&finding->sites, site, 1);
}

struct findings *findings_new(void)
{
	struct findings *findings = calloc(1, sizeof(*findings));

	if (!findings)
		return NULL;
	findings->echoes = echoes_new(count, findings);
	if (findings->echoes)
		return findings;
	findings_free(findings);
	return NULL;
}

void findings_free(struct findings *findings)
{
	if (!findings)
		return;
	echoes_free(findings->echoes);
	free(findings);
}

void findings_add(struct findings *findings, const struct record *record, const char *site)
{
	echoes_add(findings->echoes, record, site);
}

/* ---- the worst first ---------------------------------------------------------------- */

/* What a program had written and the kernel threw away is the worst that a close can do. */
#define LOSS 10

static uint64_t damage_of(const struct finding *finding)
{
	return finding->count * finding->diagnosis->weight + finding->lossy * LOSS;
}

/* The rows of diagnosis.c are in an order, too. */
static int compare(const void *a, const void *b)
{
	const struct finding *one = *(const struct finding *const *)a;
	const struct finding *other = *(const struct finding *const *)b;
	uint64_t damage = damage_of(one), others = damage_of(other);

	if (damage != others)
		return damage > others ? -1 : 1;
	if (one->diagnosis != other->diagnosis)
		return one->diagnosis < other->diagnosis ? -1 : 1;
	return one < other ? -1 : 1;
}

/* ---- telling it ----------------------------------------------------------------------- */

static void add_who(struct paragraph *to, const struct finding *finding)
{
	bool begins = !to->used;

	if (!*finding->comm) {
		paragraph_add(to, "%s unknown process", begins ? "An" : "an");
		return;
	}
	paragraph_add_foreign(to, finding->comm);
	if (finding->pids_count == 1)
		paragraph_add(to, " (pid" HARD_SPACE "%u)", *finding->pids);
	else if (finding->pids_count < PIDS)
		paragraph_add(to, " (%zu" HARD_SPACE "processes)", finding->pids_count);
	else
		paragraph_add(to, " (%d" HARD_SPACE "or more processes)", PIDS);
}

static const char *it_or_they(const struct finding *finding)
{
	return finding->pids_count > 1 ? "they" : "it";
}

static void add_it(struct paragraph *to, const struct finding *finding)
{
	paragraph_add(to, "%s", it_or_they(finding));
}

static const char *in_all(const struct finding *finding)
{
	return finding->count > 1 ? " in all" : "";
}

static void add_unread(struct paragraph *to, const struct finding *finding)
{
	if (!finding->unread_bytes)
		return;
	paragraph_add(to, ", ");
	paragraph_add_bytes(to, finding->unread_bytes);
	paragraph_add(to, "%s", in_all(finding));
}

static void add_time(struct paragraph *to, const struct finding *finding)
{
	if (finding->blocked_ns)
		paragraph_add(to, ", %.1f" HARD_SPACE "s%s", finding->blocked_ns / 1e9,
			      in_all(finding));
}

static void add_number(struct paragraph *to, const struct finding *finding)
{
	paragraph_add(to, "%" PRIu64, finding->count);
}

static const struct {
	char letter;
	void (*add)(struct paragraph *to, const struct finding *finding);
} pieces[] = {
	{ 'w', add_who },
	{ 'i', add_it },
	{ 'n', add_number },
	{ 'b', add_unread },
	{ 't', add_time },
};

static void add_piece(struct paragraph *to, const struct finding *finding, char letter)
{
	for (size_t i = 0; i < sizeof(pieces) / sizeof(*pieces); i++)
		if (pieces[i].letter == letter)
			pieces[i].add(to, finding);
}

/* At a brace: returns what follows it. */
static const char *add_choice(struct paragraph *to, const char *brace, bool many)
{
	const char *bar = strchr(brace, '|'), *end = strchr(bar, '}');
	const char *from = many ? bar + 1 : brace + 1;

	paragraph_add(to, "%.*s", (int)((many ? end : bar) - from), from);
	return end + 1;
}

static void add_sentence(struct paragraph *to, const struct finding *finding)
{
	for (const char *at = finding->diagnosis->says; *at;) {
		int plain = strcspn(at, "%{");

		paragraph_add(to, "%.*s", plain, at);
		at += plain;
		if (*at == '{') {
			at = add_choice(to, at, finding->count > 1);
		} else if (*at == '%') {
			add_piece(to, finding, at[1]);
			at += 2;
		}
	}
}

static void add_lost_bytes(struct paragraph *to, const struct finding *finding)
{
	if (finding->lossy)
		paragraph_add(to, " Of what %s had written, the kernel threw away ",
			      it_or_they(finding));
	if (finding->unsent_bytes) {
		paragraph_add_bytes(to, finding->unsent_bytes);
		paragraph_add(to, " unsent");
	}
	if (finding->unacked_bytes) {
		if (finding->unsent_bytes)
			paragraph_add(to, ", and ");
		paragraph_add_bytes(to, finding->unacked_bytes);
		paragraph_add(to, " sent that nobody had acknowledged");
	}
	if (finding->lossy)
		paragraph_add(to, ".");
}

static void add_example(struct paragraph *to, const struct finding *finding)
{
	const struct close_event *first = &finding->first;
	char local[ADDRESS_TEXT], remote[ADDRESS_TEXT];

	address_put_end(local, first->laddr, first->lport);
	address_put_end(remote, first->raddr, first->rport);
	paragraph_add(to, " %s %s, peer %s.", finding->count > 1 ? "The first was" : "It was", local,
		      remote);
}

/* "208 of them from here, 4 from there." */
static void add_sites(struct paragraph *to, const struct finding *finding)
{
	const struct tallied *site = tally_nth(&finding->sites, 0);

	if (!site)
		return;
	if (site->count == finding->count) {
		paragraph_add(to, " %s from ", finding->count > 1 ? "All of them" : "It came");
		paragraph_add_foreign(to, site->text);
		paragraph_add(to, ".");
		return;
	}
	for (size_t i = 0; i < NAMED && (site = tally_nth(&finding->sites, i)); i++) {
		paragraph_add(to, i ? ", %" PRIu64 " from " : " %" PRIu64 " of them from ",
			      site->count);
		paragraph_add_foreign(to, site->text);
	}
	paragraph_add(to, ".");
}

/* "Port 80: 7, port 81: 2, others: 1." One alone is in the example. */
static void add_places(struct paragraph *to, const struct finding *finding)
{
	const struct tallied *place;
	uint64_t left = finding->count;

	if (finding->places.used < 2)
		return;
	for (size_t i = 0; i < NAMED && (place = tally_nth(&finding->places, i)); i++) {
		paragraph_add(to, "%s%s:" HARD_SPACE "%" PRIu64, i ? ", " : " Most: ", place->text,
			      place->count);
		left -= place->count;
	}
	if (left)
		paragraph_add(to, ", others:" HARD_SPACE "%" PRIu64, left);
	paragraph_add(to, ".");
}

static void tell(const struct finding *finding, FILE *to, int width)
{
	const struct diagnosis *diagnosis = finding->diagnosis;
	const struct word *word = words_find(diagnosis->kind, diagnosis->value);
	struct paragraph paragraph = {};

	add_sentence(&paragraph, finding);
	add_lost_bytes(&paragraph, finding);
	add_example(&paragraph, finding);
	add_places(&paragraph, finding);
	add_sites(&paragraph, finding);
	paragraph_add(&paragraph, " Advice: ");
	word_change(&paragraph, word, finding->comm);
	paragraph_add(&paragraph, " More: closetrace explain %s.", word_name(word));
	paragraph_put(paragraph.text, to, width, "- ");
}

static void tell_head(FILE *to, int width, uint64_t lost)
{
	struct paragraph head = {};

	paragraph_add(&head, "closetrace: found, the worst first");
	if (lost)
		paragraph_add(&head, "; %" PRIu64 " record%s lost, so each number may be too low", lost,
			      lost == 1 ? " was" : "s were");
	paragraph_add(&head, ":");
	paragraph_put(head.text, to, width, "");
}

static void tell_rest(const struct findings *findings, uint64_t records, FILE *to, int width)
{
	size_t left = findings->used > TOLD ? findings->used - TOLD : 0;
	struct paragraph rest = {};

	if (!left)
		return;
	paragraph_add(&rest,
		      "And %" PRIu64 " record%s more, in %zu finding%s%s that there is no room for: "
		      "trace fewer, as by -p or -L, to be told of %s.",
		      records, records == 1 ? "" : "s", left, left == 1 ? "" : "s",
		      findings->others ? " and others" : "", records == 1 ? "it" : "them");
	paragraph_put(rest.text, to, width, "- ");
}

void findings_tell(struct findings *findings, FILE *to, int width, uint64_t lost)
{
	const struct finding *order[ROOM];
	uint64_t rest;

	echoes_end(findings->echoes);
	rest = findings->others;
	if (!findings->used)
		return;
	for (size_t i = 0; i < findings->used; i++)
		order[i] = &findings->at[i];
	qsort(order, findings->used, sizeof(*order), compare);
	tell_head(to, width, lost);
	for (size_t i = 0; i < findings->used; i++)
		if (i < TOLD)
			tell(order[i], to, width);
		else
			rest += order[i]->count;
	tell_rest(findings, rest, to, width);
}
