// SPDX-License-Identifier: GPL-2.0-only
/*
 * Whose reset it is: many processes close connections over the same few ports, and the peers
 * send late data to each. What answers is a minisocket, an orphan, or no socket at all; a
 * record may not know who had closed it, but must never name another. Last come segments of
 * connections whose ports have been another's since.
 */
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/live/counters.h"
#include "tests/live/end_deeds.h"
#include "tests/live/end_records.h"
#include "tests/live/end_tcp.h"
#include "tests/live/live.h"
#include "tests/live/reset_forge.h"

#define CLOSERS		50
#define EACH		3	/* deeds of a closer, where they close at the same time */
#define SEQUENTIAL	0	/* the first deed of each part */
#define PARALLEL	CLOSERS
#define AGAIN		(PARALLEL + CLOSERS * EACH)
#define DEEDS		(AGAIN + 2)
#define START_PLACES	8	/* of the ports, where to try first */
#define SLACK_NS	300000	/* between the test's clock and the tracer's */
#define APART_US	50000	/* what must be told apart by its time or its sequence numbers */
#define PATIENCE_S	240

static const char *const causes[KINDS] = {
	[BY_MINISOCKET] = "time-wait",
	[BY_ORPHAN] = "late-data",
	[BY_NOBODY] = "no-socket",
};

static struct deed *deeds;
static long left_out;		/* records that the kernel kept from us, at most */
static int told[DEEDS];		/* records that name its closer */
static const char *via;

/* ---- closing ---------------------------------------------------------------------------- */

static void plan(int first, int count, bool hasty)
{
	for (int i = 0; i < count; i++)
		deeds[first + i] = (struct deed){
			.kind = i % KINDS, .place = i / 2 % START_PLACES,
			.delay_us = 1000 + i * 7 % 20 * 1000,
			.is_acknowledged = i % KINDS == BY_MINISOCKET || i % 2,
			.is_hasty = hasty && i % KINDS == BY_NOBODY && i % 4 == 0,
		};
}

/* Returns how many RSTs that took. */
static unsigned int one_after_the_other(void)
{
	unsigned int before = counter_of("Tcp", "OutRsts");

	plan(SEQUENTIAL, CLOSERS, false);
	for (int i = 0; i < CLOSERS; i++) {
		closer_wait(closer_do(SEQUENTIAL + i, 1));
		deeds_await(SEQUENTIAL + i, 1);
	}
	return counter_of("Tcp", "OutRsts") - before;
}

static void at_the_same_time(void)
{
	pid_t pids[CLOSERS];

	plan(PARALLEL, CLOSERS * EACH, true);
	for (int i = 0; i < CLOSERS; i++)
		pids[i] = closer_do(PARALLEL + i * EACH, EACH);
	for (int i = 0; i < CLOSERS; i++)
		closer_wait(pids[i]);
	deeds_await(PARALLEL, CLOSERS * EACH);
}

/* ---- whom the records name -------------------------------------------------------------- */

/* KINDS: not an answer to late data. */
static enum kind kind_of(const json_t *record)
{
	enum kind kind = 0;

	while (kind < KINDS && strcmp(text_of(record, "cause"), causes[kind]))
		kind++;
	return is_event(record, "reset") ? kind : KINDS;
}

static bool is_between(const json_t *record, long long from_ns, long long to_ns)
{
	long long time_ns = time_ns_of(record);

	return time_ns >= from_ns - SLACK_NS && time_ns <= to_ns + SLACK_NS;
}

/* Where the ports were taken again, another may have answered than was meant to. */
static bool is_answer_to(const json_t *record, const struct deed *deed)
{
	return number_of(record, "lport") == lport_of(deed) &&
	       number_of(record, "rport") == rport_of(deed) &&
	       is_between(record, deed->sent_ns, deed->done_ns);
}

static bool names(const json_t *record, const struct deed *deed)
{
	return number_of(record, "pid") == deed->pid && same_text(record, "owner", "closer") &&
	       same_text(record, "comm", deed->comm);
}

/* Who had that connection, or nobody. */
static bool names_right(const json_t *record, int first, int count)
{
	bool found = false;

	for (int i = first; i < first + count; i++) {
		if (!is_answer_to(record, &deeds[i]))
			continue;
		found = true;
		if (!names(record, &deeds[i]))
			continue;
		told[i] += kind_of(record) == deeds[i].kind;
		return true;
	}
	return found && !strcmp(text_of(record, "owner"), "null") &&
	       number_of(record, "pid") < 0;
}

static bool is_within(const json_t *record, int first, int count)
{
	long long from_ns = deeds[first].sent_ns, to_ns = deeds[first].done_ns;

	for (int i = first; i < first + count; i++) {
		from_ns = deeds[i].sent_ns < from_ns ? deeds[i].sent_ns : from_ns;
		to_ns = deeds[i].done_ns > to_ns ? deeds[i].done_ns : to_ns;
	}
	return is_between(record, from_ns, to_ns);
}

static int count_wrong(const json_t *records, int first, int count)
{
	const json_t *record;
	int wrong = 0;
	size_t i;

	json_array_foreach(records, i, record) {
		if (kind_of(record) == KINDS || !is_within(record, first, count) ||
		    names_right(record, first, count))
			continue;
		if (!wrong++)
			note_record("the first wrong one", record);
	}
	return wrong;
}

/* Each has one record that names its closer; the late data of a hasty one may have met another. */
static void check_kind(int first, int count, enum kind kind, int percent, const char *label)
{
	int all = 0, named = 0;

	for (int i = first; i < first + count; i++) {
		if (deeds[i].kind != kind || deeds[i].is_hasty)
			continue;
		all++;
		named += told[i] == 1;
	}
	if (!ok((named + left_out) * 100 >= all * percent, "%s: %s: %d of a hundred closers are named", label,
		causes[kind], percent))
		note("%d of %d", named, all);
}

static void check_deeds(const json_t *records, int first, int count, int percent, const char *name)
{
	int wrong = count_wrong(records, first, count);
	char label[96];

	snprintf(label, sizeof(label), "%s: %s", via, name);
	if (!ok(!wrong, "%s: nobody is named for another's reset", label))
		note("%d wrong", wrong);
	for (enum kind kind = 0; kind < KINDS; kind++)
		if (kind != BY_ORPHAN && is_blind(via))
			skip(blind_because, "%s: %s: closers are named", label, causes[kind]);
		else
			check_kind(first, count, kind, percent, label);
}

/* ---- segments of the one before --------------------------------------------------------- */

/* A segment that a deed's peer might have sent. */
struct stale {
	const struct deed *deed;
	long long from_ns, to_ns;
	unsigned int out_rsts;
};

static void send_stale(struct stale *stale, const struct deed *deed)
{
	const struct segment segment = {
		.family = AF_INET, .from = rport_of(deed), .to = lport_of(deed),
		.seq = deed->seq + 4, .ack = deed->ack, .flags = TH_ACK,
	};
	unsigned int before = counter_of("Tcp", "OutRsts");

	stale->deed = deed;
	stale->from_ns = real_ns();
	forge(&segment);
	for (int tries = 0; tries < 1000 && counter_of("Tcp", "OutRsts") == before; tries++)
		nap_us(1000);
	stale->to_ns = real_ns();
	stale->out_rsts = counter_of("Tcp", "OutRsts") - before;
}

/* Two of the same ports, one after the other; each numbers its bytes from elsewhere. */
static void again_and_before(struct stale *stales)
{
	for (int i = 0; i < 2; i++) {
		deeds[AGAIN + i] = (struct deed){ .is_acknowledged = true, .delay_us = 1000 };
		closer_wait(closer_do(AGAIN + i, 1));
		deeds_await(AGAIN + i, 1);
		nap_us(APART_US);
	}
	for (int i = 0; i < 2; i++) {
		send_stale(&stales[i], &deeds[AGAIN + i]);
		nap_us(APART_US);
	}
}

static const json_t *find_stale(const json_t *records, const struct stale *stale)
{
	const json_t *record, *found = NULL;
	size_t i;

	json_array_foreach(records, i, record)
		if (kind_of(record) == BY_NOBODY &&
		    is_between(record, stale->from_ns, stale->to_ns))
			found = record;
	return found;
}

static void check_stale(const json_t *records, const struct stale *stale, const char *whose)
{
	const json_t *record = find_stale(records, stale);
	long long pid = record ? number_of(record, "pid") : 0;
	char label[96];

	snprintf(label, sizeof(label), "%s: a segment of the %s connection of these ports", via,
		 whose);
	ok(stale->out_rsts == 1, "%s: one RST", label);
	if (is_blind(via)) {
		skip(blind_because, "%s: its closer is named, or nobody", label);
		return;
	}
	if (ok(pid == -1 || pid == stale->deed->pid, "%s: its closer is named, or nobody", label))
		return;
	note("it was %d", stale->deed->pid);
	note_record("the record", record);
}

/* ---- the whole -------------------------------------------------------------------------- */

/* One for each late data, and the close's own of each zero linger. */
static void check_out_rsts(unsigned int got)
{
	unsigned int want = CLOSERS;

	for (int i = 0; i < CLOSERS; i++)
		want += deeds[SEQUENTIAL + i].kind == BY_NOBODY;
	if (!ok(got == want, "%s: one after the other: the kernel sent %u RSTs", via, want))
		note("it sent %u", got);
}

int main(int argc, char **argv)
{
	struct stale stales[2];
	unsigned int out_rsts;
	struct run run;
	pid_t peers;

	via = argc > 1 ? argv[1] : "fentry";
	alarm(PATIENCE_S);
	network_enter();
	send_once();
	deeds = deeds_begin(DEEDS);
	peers = peers_start();
	run_begin(&run, via, NULL);
	out_rsts = one_after_the_other();
	at_the_same_time();
	again_and_before(stales);
	kill(peers, SIGKILL);
	waitpid(peers, NULL, 0);
	ok(await_no_orphan(), "%s: no socket is left", via);
	run_stop(&run);

	check_out_rsts(out_rsts);
	left_out = run_totals(&run).left_out;
	check_deeds(run.all, SEQUENTIAL, CLOSERS, 100, "one after the other");
	check_deeds(run.all, PARALLEL, CLOSERS * EACH, 90, "at the same time");
	check_stale(run.all, &stales[0], "first");
	check_stale(run.all, &stales[1], "second");
	check_records(&run, via);
	run_free(&run);
	return finish();
}
