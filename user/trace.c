// SPDX-License-Identifier: GPL-2.0-only
#include <err.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "user/backlog.h"
#include "user/command.h"
#include "user/counting.h"
#include "user/expect.h"
#include "user/fields.h"
#include "user/findings.h"
#include "user/kernel.h"
#include "user/options.h"
#include "user/privileges.h"
#include "user/reconcile.h"
#include "user/resets.h"
#include "user/signals.h"
#include "user/sink.h"
#include "user/sites.h"
#include "user/stack.h"
#include "user/trace.h"

/* How long a lone record may lie in the ring: the programs wake nobody. */
#define LOOK_MS 50
/* ... where a record has come that waits for the next. */
#define SOON_MS 20
/* After a batch of this many the ring may fill before the next look. */
#define BUSY_RECORDS 2000

#define RECONCILE_S 10

/* Of lines on stderr where it is no terminal. */
#define WIDTH 80

struct trace {
	const struct options *options;
	struct tracer *tracer;
	const struct sink *sink;
	struct out *out;
	struct command command;
	int signals;
	bool told_to_stop;
	double end_s;		/* CLOCK_MONOTONIC; 0: none */
	struct backlog backlog;
	struct counting counting;	/* with -c, instead of records */
	struct resets *follow;
	struct reconcile *reconcile;	/* NULL: nobody wants to know, or it cannot be told */
	double reconciled_s;
	struct findings *findings;	/* NULL: nobody wants to know */
	const char *broken;	/* the first rule that did not hold, as it was given */
	uint64_t closes;
	uint64_t resets;
	uint64_t unknown;
	struct tracer_lost told;
	uint64_t unseen;	/* what nobody dropped, and no record came of */
};

static double now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec + now.tv_nsec / 1e9;
}

/* ---- records ---------------------------------------------------------------- */

/* A softirq has no user's stack, so a reset has a site only where it is of its owner's own call. */
static void add_finding(struct trace *trace, const struct record *record)
{
	char site[SITE_TEXT];
	bool known = record->stack && stack_site(record->stack, site, sizeof(site));

	findings_add(trace->findings, record, known ? site : NULL);
}

static void put(struct trace *trace, const struct record *record)
{
	if (trace->reconcile)
		reconcile_count(trace->reconcile, record);
	if (trace->counting.on) {
		counting_record(&trace->counting, record);
		return;
	}
	if (trace->findings)
		add_finding(trace, record);
	trace->sink->record(trace->out, record);
}

static void check(struct trace *trace, const struct record *record)
{
	if (trace->broken)
		return;
	trace->broken = expect_broken(trace->options->expect, record);
	if (trace->broken)
		expect_tell(trace->broken, record);
}

static void closed(struct trace *trace, struct close_event event, struct stack *stack)
{
	struct record record = { .event = &event, .verdict = judge(&event), .stack = stack };

	resets_closed(trace->follow, &event);
	/* It was counted; this one is for the books, or for where it comes from. */
	if (trace->counting.on) {
		counting_closed(&trace->counting, &record);
		return;
	}
	record.linger_site = sites_of(&event);
	trace->closes++;
	trace->unknown += record.verdict.branch == BRANCH_UNKNOWN;
	put(trace, &record);
	check(trace, &record);
}

static void lingers(struct trace *trace, struct close_event event, struct stack *stack)
{
	struct record record = { .event = &event, .stack = stack };
	char site[SITE_TEXT];

	if (stack && stack_site(stack, site, sizeof(site)))
		sites_add(&event, site);
	resets_name(trace->follow, &event);
	put(trace, &record);
}

static void followed(void *arg, const struct record *record)
{
	struct trace *trace = arg;

	trace->resets += record->event->kind == EVENT_RESET;
	trace->unknown += record->event->kind == EVENT_RESET && record->verdict.cause == CAUSE_UNKNOWN;
	put(trace, record);
}

static void take(void *arg, const struct close_event *event, size_t size)
{
	struct trace *trace = arg;
	struct stack stack = stack_of(event, size);
	struct stack *shown = stack.frames || trace->options->tracer.filter.stacks ? &stack : NULL;

	if (event->kind == EVENT_CLOSE)
		closed(trace, *event, shown);
	else if (event->kind == EVENT_LINGER)
		lingers(trace, *event, shown);
	else
		resets_take(trace->follow, event, size, shown);
	stack_clear(&stack);
}

static void tell_lost(struct trace *trace, uint64_t count, const char *where)
{
	if (!count)
		return;
	warnx("lost %llu records: the %s was full", (unsigned long long)count, where);
	if (trace->sink->lost)
		trace->sink->lost(trace->out, count, where);
}

static void tell_losses(struct trace *trace)
{
	struct tracer_lost lost = tracer_lost(trace->tracer);

	tell_lost(trace, lost.ring - trace->told.ring, "ring");
	tell_lost(trace, lost.table - trace->told.table, "table");
	trace->told = lost;
}

/* Returns how many records there were. */
static int look(struct trace *trace)
{
	int count;

	fields_set_clock();
	stack_renew();
	count = trace->options->tracer.filter.stacks ?
			backlog_take(&trace->backlog, take, trace) :
			tracer_read(trace->tracer, take, trace);
	resets_tell(trace->follow, false);
	tell_losses(trace);
	backlog_tell(&trace->backlog);
	out_flush(trace->out);
	return count;
}

/* ---- beside the kernel's counters ------------------------------------------------ */

static const char *why_incomplete(const struct trace *trace)
{
	if (tracer_filters(trace->tracer))
		return "filters are on";
	return tracer_sees_all(trace->tracer) ? NULL : "tracepoints do not tell of every RST";
}

static uint64_t lost_records(const struct trace *trace)
{
	struct tracer_lost lost = tracer_lost(trace->tracer);

	return lost.ring + lost.table + trace->unseen + trace->backlog.lost;
}

/* The counters first, then what was recorded by then. */
static void look_and_reconcile(struct trace *trace)
{
	counting_take(&trace->counting, WHEN_BETWEEN);
	if (trace->reconcile)
		reconcile_look(trace->reconcile);
	look(trace);
	counting_take(&trace->counting, WHEN_LOOKED);
}

static void tell_reconciled(const struct trace *trace)
{
	if (trace->reconcile)
		reconcile_tell(trace->reconcile, stderr, why_incomplete(trace), lost_records(trace));
}

/* With -v every now and then. */
static void reconcile_now_and_then(struct trace *trace)
{
	if (!trace->options->tracer.verbose || now_s() < trace->reconciled_s + RECONCILE_S)
		return;
	look_and_reconcile(trace);
	tell_reconciled(trace);
	trace->reconciled_s = now_s();
}

/* ---- until it is over --------------------------------------------------------- */

/* With a command it is the command that decides when it is over.  Ctrl-C at the terminal
 * reaches it without us; what somebody sends to us alone is passed on. */
static bool is_told_to_stop(struct trace *trace)
{
	struct signalfd_siginfo info;
	bool stop = false;

	while (read(trace->signals, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo == SIGCHLD)
			continue;
		if (!trace->options->command)
			trace->told_to_stop = stop = true;
		else if (info.ssi_code <= 0)	/* SI_USER and its like; the terminal's is SI_KERNEL */
			kill(trace->command.pid, info.ssi_signo);
	}
	return stop;
}

static bool is_over(struct trace *trace)
{
	if (is_told_to_stop(trace) || out_error(trace->out))
		return true;
	if (trace->options->command && command_has_ended(&trace->command))
		return true;
	return trace->end_s && now_s() >= trace->end_s;
}

static int pause_ms(struct trace *trace, int count)
{
	double next_s = counting_next_s(&trace->counting, trace->end_s), left_ms;
	int look_ms = resets_are_waiting(trace->follow) ? SOON_MS : LOOK_MS;

	if (count >= BUSY_RECORDS || !backlog_is_empty(&trace->backlog))
		return 0;
	if (!next_s)
		return look_ms;
	left_ms = (next_s - now_s()) * 1000 + 1;
	return left_ms < 0 ? 0 : left_ms < look_ms ? left_ms : look_ms;
}

static void run(struct trace *trace)
{
	struct pollfd ready[] = {
		{ .fd = trace->signals, .events = POLLIN },
		{ .fd = trace->backlog.news, .events = POLLIN },
	};

	while (!is_over(trace)) {
		poll(ready, 2, pause_ms(trace, look(trace)));
		counting_show_in_time(&trace->counting, trace->out, trace->end_s);
		reconcile_now_and_then(trace);
	}
}

/* ---- before and after ----------------------------------------------------------- */

static int hold_command(struct trace *trace, struct options *options)
{
	if (!options->command)
		return 0;
	if (command_hold(&trace->command, options->command))
		return -1;
	options->pids[options->tracer.pids_count++] = trace->command.pid;
	options->tracer.follow = true;
	return 0;
}

/* Not a byte of stdout but records: the heads are for whoever looks at both. */
static void put_heads(struct trace *trace)
{
	struct out *heads = trace->options->quiet || trace->counting.on ? NULL : out_on(STDERR_FILENO);

	trace->sink->begin(heads, out_width(trace->out), trace->options->tracer.verbose);
	if (heads)
		out_flush(heads);
	out_close(heads);
}

static void begin(struct trace *trace)
{
	tracer_tell(trace->tracer);
	put_heads(trace);
	tracer_start(trace->tracer);
	if (!trace->options->quiet) {
		trace->reconcile = reconcile_open("/proc", trace->options->tracer.filter.netns);
		/* Of counts there is nothing to be said. */
		trace->findings = trace->counting.on ? NULL : findings_new();
	}
	trace->reconciled_s = now_s();
	counting_begin(&trace->counting, trace->options, trace->tracer, trace->reconcile);
	stack_begin(trace->options->tracer.filter.stacks, tracer_rows(trace->tracer));
	privileges_keep(privileges_of_trace(trace->options->command, &trace->options->tracer.filter));
	if (trace->options->tracer.filter.stacks)
		backlog_start(&trace->backlog, trace->tracer);
	if (!trace->options->quiet)
		fprintf(stderr, "closetrace: tracing by %s\n", via_name(tracer_via(trace->tracer)));
	if (trace->options->duration_s)
		trace->end_s = now_s() + trace->options->duration_s;
	if (trace->options->command)
		command_go(&trace->command);
}

/* The trace is over and the command is not. */
static void await_command(struct trace *trace)
{
	struct pollfd signals = { .fd = trace->signals, .events = POLLIN };

	for (;;) {
		is_told_to_stop(trace);
		if (command_has_ended(&trace->command))
			return;
		poll(&signals, 1, -1);
	}
}

/* Not records that were dropped, but none came of them either. */
static void tell_unseen(struct trace *trace, uint64_t count, const char *what)
{
	if (!count)
		return;
	trace->unseen += count;
	warnx("lost %llu records: these %s", (unsigned long long)count, what);
	if (trace->sink->lost)
		trace->sink->lost(trace->out, count, "table");
	out_flush(trace->out);
}

/* How many of these are ours nobody can say: they count as lost, to be on the safe side. */
static void tell_skipped(struct trace *trace, uint64_t unended)
{
	struct tracer_skipped skipped = tracer_skipped(trace->tracer);
	uint64_t noticed = tracer_lost(trace->tracer).table + unended;

	if (!skipped.runs)
		return;
	/* Of some it was noticed: the next socket at that address has told of them, or nothing has
	 * and they are gone. */
	if (skipped.records > noticed)
		trace->unseen += skipped.records - noticed;
	warnx("the kernel left %llu runs of the programs out: up to %llu records are lost, others may "
	      "be unknown%s", (unsigned long long)skipped.runs, (unsigned long long)skipped.records,
	      kernel_is_preemptible() && tracer_via(trace->tracer) != VIA_KPROBE ?
		      "; it is preemptible, and --via kprobe has least of this" : "");
}

static void tell_findings(const struct trace *trace)
{
	struct out *terminal = out_on(STDERR_FILENO);
	int width = terminal ? out_width(terminal) : 0;

	out_close(terminal);
	if (trace->findings)
		findings_tell(trace->findings, stderr, width ? width : WIDTH, lost_records(trace));
}

static void tell_totals(const struct trace *trace)
{
	const struct counting *counting = &trace->counting;
	uint64_t unwritten = counting->on ? counting->unwritten : out_lost(trace->out);

	fprintf(stderr, "closetrace: traced %llu closes, %llu resets; %llu lost, %llu unknown\n",
		(unsigned long long)(trace->closes + counting->closes - unwritten),
		(unsigned long long)(trace->resets + counting->resets),
		(unsigned long long)(lost_records(trace) + unwritten),
		(unsigned long long)(trace->unknown + counting->unknown));
}

/* That rules held says little where closes were lost, and nothing where there were none: this is
 * told even by who has to be quiet. */
static void tell_checked(const struct trace *trace, bool quiet)
{
	uint64_t lost = lost_records(trace);
	char count[32] = "no close was";

	if (!trace->options->expect || (quiet && trace->closes && !lost))
		return;
	if (trace->closes)
		snprintf(count, sizeof(count), "%llu closes", (unsigned long long)trace->closes);
	fprintf(stderr, "closetrace: %s checked", count);
	if (trace->broken)
		fprintf(stderr, ": -e %s does not hold", trace->broken);
	else if (trace->closes)
		fprintf(stderr, ": every -e holds");
	if (lost)
		fprintf(stderr, "; %llu records were lost, and were not", (unsigned long long)lost);
	fputc('\n', stderr);
}

/* Who has told us to stop waits; but for a command there is all the time that it takes. */
static void let_go(struct trace *trace)
{
	if (trace->told_to_stop)
		out_hurry(trace->out);
	if (!trace->options->command)
		out_interrupt_by(trace->out, trace->signals);
}

/* What is in the ring yet, and what waited for more. */
static void read_rest(struct trace *trace)
{
	uint64_t unended;

	look_and_reconcile(trace);
	tracer_stop(trace->tracer);
	backlog_stop(&trace->backlog);
	look(trace);
	resets_tell(trace->follow, true);
	counting_finish(&trace->counting, trace->out);
	out_flush(trace->out);
	unended = tracer_unended(trace->tracer);
	tell_unseen(trace, tracer_unfinished(trace->tracer), "closes were not seen to return");
	tell_unseen(trace, unended, "closed sockets were not seen to end");
	tell_skipped(trace, unended);
}

static void tell_unwritten(int error)
{
	if (error == ETIMEDOUT)
		warnx("whoever reads the records takes no more: the rest is lost");
	else if (error && error != EPIPE)
		warnx("cannot write the records: %s", strerror(error));
}

static int status_of(const struct trace *trace, int error)
{
	if (trace->broken)
		return EXIT_BROKEN;
	if (trace->counting.failed || (error && error != EPIPE && error != ETIMEDOUT))
		return EXIT_CANNOT;
	return trace->options->command ? trace->command.status : 0;
}

static int finish(struct trace *trace)
{
	/* Who closed the pipe has seen enough; but Ctrl-C ends the pipe's reader too. */
	bool quiet = trace->options->quiet || out_error(trace->out) == EPIPE;
	int error;

	let_go(trace);
	read_rest(trace);
	error = out_error(trace->out);
	tell_unwritten(error);
	if (!quiet) {
		tell_findings(trace);
		tell_reconciled(trace);
		tell_totals(trace);
	}
	tell_checked(trace, quiet);
	if (trace->options->command)
		await_command(trace);
	return status_of(trace, error);
}

int trace(struct options *options)
{
	struct trace trace = {
		.options = options,
		.signals = -1,
		.backlog = BACKLOG_INIT,
		.sink = options->json ? &json_sink : &text_sink,
		.counting.on = options->tracer.filter.counting,
	};
	int status = EXIT_CANNOT;
	char why[256];

	trace.out = options->output ? out_open(options->output) : out_on(STDOUT_FILENO);
	if (!trace.out) {
		warn("cannot write to %s", options->output ? options->output : "stdout");
		return EXIT_CANNOT;
	}
	/* Before anything is done to signals: the command gets them as we got them. */
	if (hold_command(&trace, options)) {
		warn("cannot run %s", options->command[0]);
		goto cleanup;
	}
	trace.signals = signals_open();
	trace.tracer = tracer_open(&options->tracer, why, sizeof(why));
	if (!trace.tracer) {
		warnx("cannot trace: %s", why);
		goto cleanup;
	}
	if (!options->command)
		out_interrupt_by(trace.out, trace.signals);
	trace.follow = resets_new(trace.tracer, followed, &trace);
	if (!trace.follow) {
		warn("cannot trace");
		goto cleanup;
	}
	begin(&trace);
	run(&trace);
	status = finish(&trace);
cleanup:
	resets_free(trace.follow);
	stack_end();
	reconcile_close(trace.reconcile);
	findings_free(trace.findings);
	counting_end(&trace.counting);
	tracer_close(trace.tracer);
	out_close(trace.out);
	close(trace.signals);
	return status;
}
