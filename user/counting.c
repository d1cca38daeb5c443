// SPDX-License-Identifier: GPL-2.0-only
#include <err.h>
#include <string.h>
#include <time.h>

#include "user/cause.h"
#include "user/counting.h"
#include "user/stack.h"
#include "user/symbols.h"

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * UINT64_C(1000000000) + now.tv_nsec;
}

void counting_begin(struct counting *counting, const struct options *options,
		    struct tracer *tracer, struct reconcile *reconcile)
{
	uint64_t begin_ns = now_ns();

	if (!counting->on)
		return;
	counting->options = options;
	counting->tracer = tracer;
	counting->reconcile = reconcile;
	counting->summary.lacks_blocked = tracer_via(tracer) == VIA_TRACEPOINT;
	summary_clear(&counting->summary, begin_ns);
	if (options->interval_s)
		counting->next_s = begin_ns / 1e9 + options->interval_s;
	counting_take(counting, WHEN_OPENED);
}

void counting_end(struct counting *counting)
{
	summary_free(&counting->summary);
}

/* ---- verdicts ------------------------------------------------------------------- */

static struct close_event event_of(const struct record_key *key, enum via via)
{
	return (struct close_event){
		.kind = key->kind,
		.via = via,
		.facts = key->facts,
		.netns = key->netns,
		.state = key->state,
		.new_state = key->new_state,
		.context = key->context,
		.reason = key->reason,
	};
}

/* Where who called matters, it did not come to be counted. */
static struct verdict verdict_of(const struct close_event *event)
{
	switch (event->kind) {
	case EVENT_RESET:
		return (struct verdict){ .cause = cause_of(event, 0) };
	case EVENT_END:
		return (struct verdict){ .end = end_of(event, 0) };
	default:
		return judge(event);
	}
}

/* With -r it takes the verdict to know which ends are. */
static bool is_wanted(const struct counting *counting, const struct record *record)
{
	return record->event->kind != EVENT_END || !tracer_wants_resets(counting->tracer) ||
	       end_is_reset(record->verdict.end);
}

static void add_sizes(struct counting *counting, const struct record_key *key, uint64_t closes)
{
	if (!(key->facts & LACKS_BLOCKED))
		summary_add_size(&counting->summary, SIZE_BLOCKED, key->sizes[SIZE_BLOCKED],
				 closes);
	if (key->sizes[SIZE_UNREAD])
		summary_add_size(&counting->summary, SIZE_UNREAD, key->sizes[SIZE_UNREAD], closes);
}

/* It is in no row of the kernel's processes. */
static void add_to_nobody(struct counting *counting, const struct sums *sums)
{
	struct sums resets = { .sent = sums->sent, .received = sums->received };
	struct table_key nobody = { 0 };

	summary_add_row(&counting->summary, TABLE_PROCESSES, &nobody, &resets);
}

static void add_to_sums(struct counting *counting, const struct record *record, uint64_t count)
{
	bool is_close = record->event->kind == EVENT_CLOSE,
	     is_reset = record->event->kind == EVENT_RESET;

	counting->closes += is_close ? count : 0;
	counting->resets += is_reset ? count : 0;
	if ((is_close && record->verdict.branch == BRANCH_UNKNOWN) ||
	    (is_reset && record->verdict.cause == CAUSE_UNKNOWN))
		counting->unknown += count;
}

static void add_verdict(struct counting *counting, const struct record_key *key,
			const struct sums *sums, enum when when)
{
	struct close_event event = event_of(key, tracer_via(counting->tracer));
	struct record record = { .event = &event, .verdict = verdict_of(&event) };

	if (!is_wanted(counting, &record))
		return;
	add_to_sums(counting, &record, sums->count);
	summary_add(&counting->summary, &record, sums);
	if (event.kind == EVENT_CLOSE)
		add_sizes(counting, key, sums->count);
	else if (event.kind == EVENT_RESET && !judge_has_owner(&event))
		add_to_nobody(counting, sums);
	if (counting->reconcile)
		reconcile_add(counting->reconcile, &record, sums->count, when);
}

/* ---- the tables ------------------------------------------------------------------ */

struct taking {
	struct counting *counting;
	enum when when;
};

static void take(void *arg, enum table table, const struct table_key *key, const struct sums *sums)
{
	struct taking *taking = arg;

	if (table == TABLE_VERDICTS)
		add_verdict(taking->counting, &key->record, sums, taking->when);
	else
		summary_add_row(&taking->counting->summary, table, key, sums);
}

void counting_take(struct counting *counting, enum when when)
{
	struct taking taking = { counting, when };
	int error = counting->on ? tracer_take(counting->tracer, take, &taking) : 0;

	if (!error)
		return;
	warnx("cannot read what was counted: %s", strerror(-error));
	counting->failed = true;
}

static const char *site_of(const struct record *record)
{
	char site[SITE_TEXT];

	if (!record->stack || !stack_site(record->stack, site, sizeof(site)))
		return NULL;
	return symbols_keep(site);
}

void counting_closed(struct counting *counting, const struct record *record)
{
	if (counting->options->tracer.filter.stacks)
		summary_add_site(&counting->summary, record, site_of(record));
}

void counting_record(struct counting *counting, const struct record *record)
{
	const char *site = record->event->kind == EVENT_RESET ? site_of(record) : NULL;

	summary_add_record(&counting->summary, record);
	if (site)
		summary_add_site(&counting->summary, record, site);
}

static void tell_full(const struct rows *rows, const char *what)
{
	const struct row *last = rows->count ? &rows->at[rows->count - 1] : NULL;

	if (last && last->key.others)
		warnx("the table of %s was full: others had %llu closes, and sent %llu RSTs and "
		      "got %llu",
		      what, (unsigned long long)last->sums.count,
		      (unsigned long long)last->sums.sent, (unsigned long long)last->sums.received);
}

static void show(struct counting *counting, struct out *out)
{
	struct summary *summary = &counting->summary;

	summary->end_ns = now_ns();
	summary_sort(summary);
	tell_full(&summary->sections[SECTION_PROCESSES], "processes");
	tell_full(&summary->sections[SECTION_PEERS], "peers");
	if (counting->options->json)
		summary_json(out, summary);
	else
		summary_text(out, summary, counting->options->tracer.verbose);
	if (out_flush(out))
		counting->unwritten += summary->closes;
	summary_clear(summary, summary->end_ns);
}

/* Where the end is near the table waits for it: the last one would be of next to nothing. */
static double due_s(const struct counting *counting, double end_s)
{
	if (!counting->next_s)
		return 0;
	if (end_s && counting->next_s + counting->options->interval_s / 10 >= end_s)
		return 0;
	return counting->next_s;
}

void counting_show_in_time(struct counting *counting, struct out *out, double end_s)
{
	double now_s = now_ns() / 1e9, due = due_s(counting, end_s);

	if (!due || now_s < due)
		return;
	counting_take(counting, WHEN_BETWEEN);
	show(counting, out);
	while (counting->next_s <= now_s)
		counting->next_s += counting->options->interval_s;
}

void counting_finish(struct counting *counting, struct out *out)
{
	if (!counting->on)
		return;
	counting_take(counting, WHEN_LOOKED);
	show(counting, out);
}

double counting_next_s(const struct counting *counting, double end_s)
{
	double due = due_s(counting, end_s);

	return due ? due : end_s;
}
