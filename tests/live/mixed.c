// SPDX-License-Identifier: GPL-2.0-only
/*
 * All ways to close and to reset at the same time, by several processes over both families, as
 * often as wanted: what was recorded is what was done, one by one, and adds up to the kernel's
 * counters to the last RST; and closetrace says so itself.
 *
 * MIXED in the environment: how many closes and resets, 2000 without it.
 */
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/live/counters.h"
#include "tests/live/end_tcp.h"
#include "tests/live/live.h"
#include "tests/live/mixed_parts.h"

#define LANES	    4	/* processes */
#define SITES	    (LANES + 1)	/* the last one's is the test's own, for what is slow */
#define FIRST_PORT  2000
#define PORTS	    1000
#define MAX_PARTS   40
#define MAX_KINDS   32
#define PATIENCE_S  240
#define STRAY	    10	/* records that softirqs may keep from kprobes, or a thousandth of all */
#define AHEAD	    4000	/* records that may be under way: the ring has room for more */

#define OPTIONS(...) (const char *const[]){ __VA_ARGS__, NULL }

/* Kinds of records, and how many of each. */
struct counts {
	int kinds;
	struct {
		char label[48];
		long count;
	} of[MAX_KINDS];
};

/* A part of the load, what should come of it and what came. */
struct played {
	const struct part *part;
	bool is_slow;
	const char *fault;	/* it is left out */
	struct counts want, got;
};

enum counter { OUT_RSTS, ON_CLOSE, ON_DATA, ON_LINGER, ON_MEMORY, ON_TIMEOUT, EMBRYONIC, COUNTERS };

static const char *const counter_names[COUNTERS][2] = {
	[OUT_RSTS] = { "Tcp", "OutRsts" },
	[ON_CLOSE] = { "TcpExt", "TCPAbortOnClose" },
	[ON_DATA] = { "TcpExt", "TCPAbortOnData" },
	[ON_LINGER] = { "TcpExt", "TCPAbortOnLinger" },
	[ON_MEMORY] = { "TcpExt", "TCPAbortOnMemory" },
	[ON_TIMEOUT] = { "TcpExt", "TCPAbortOnTimeout" },
	[EMBRYONIC] = { "TcpExt", "EmbryonicRsts" },
};

/* What the records say. */
struct sum {
	long counters[COUNTERS];
	long closes, resets, lost;
	long strays;		/* of no part */
	long unknown;		/* branches, causes */
	long unknown_ends;
	long others;		/* not of the process that did it */
	long borrowed;		/* closed by closetrace, which looked at it in /proc just then */
	long nameless;		/* received by nobody known */
};

static const char *via;
static struct played plays[MAX_PARTS];
static int played_count;
static pid_t pids[SITES];
static struct sum sum;
static pid_t tracer;
static const char *inexact;	/* why not every record can be there, and the right one */

static char path[] = "/tmp/closetrace-mixed.XXXXXX";
static int written;		/* the same, for reading while it grows */

/* Of records.  What a reader can do that gets next to no time is another test's matter. */
static struct {
	long made, written;
} *pace;			/* in memory that all share */

/* ---- kinds --------------------------------------------------------------------------------- */

static void add(struct counts *counts, const char *label, long count)
{
	int i = 0;

	while (i < counts->kinds && strcmp(counts->of[i].label, label))
		i++;
	if (i == MAX_KINDS)
		bail_out("too many kinds of records: %s", label);
	if (i == counts->kinds) {
		snprintf(counts->of[i].label, sizeof(counts->of[i].label), "%s", label);
		counts->kinds++;
	}
	counts->of[i].count += count;
}

static long count_of(const struct counts *counts, const char *label)
{
	for (int i = 0; i < counts->kinds; i++)
		if (!strcmp(counts->of[i].label, label))
			return counts->of[i].count;
	return 0;
}

static long total_of(const struct counts *counts)
{
	long total = 0;

	for (int i = 0; i < counts->kinds; i++)
		total += counts->of[i].count;
	return total;
}

/* What the kernel has sent again may have met nobody any more, once each. */
static bool same_counts(const struct counts *want, const struct counts *got, long resent)
{
	const char *stray = "no-socket/null";
	long strays = count_of(got, stray) - count_of(want, stray);
	bool same = strays >= 0 && strays <= resent &&
		    total_of(want) + strays == total_of(got);

	for (int i = 0; i < want->kinds; i++)
		if (strcmp(want->of[i].label, stray))
			same &= want->of[i].count == count_of(got, want->of[i].label);
	return same;
}

static void note_counts(const char *head, const struct counts *counts)
{
	char text[1024] = "";
	size_t used = 0;

	for (int i = 0; i < counts->kinds && used < sizeof(text); i++)
		used += snprintf(text + used, sizeof(text) - used, " %s %ld", counts->of[i].label,
				 counts->of[i].count);
	note("%s:%s", head, text);
}

/* ---- the load ----------------------------------------------------------------------------- */

static bool gives(const struct part *part, const char *what)
{
	return strstr(part->gives, what);
}

/* Why no record tells of an RST of it. */
static const char *unseen(const struct part *part)
{
	if (strcmp(via, "tracepoint"))
		return NULL;
	if (gives(part, "firewall-reject/"))
		return "the firewall's RST has no tracepoint";
	if ((gives(part, "no-socket/") || gives(part, " time-wait/")) && is_blind(via))
		return "no tracepoint before v6.10 where there is no full socket";
	return NULL;
}

static unsigned int port_at(int part, int lane)
{
	return FIRST_PORT + part * SITES + lane;
}

static struct site site_of(int part, int lane)
{
	return (struct site){ .family = lane % 2 ? AF_INET6 : AF_INET, .port = port_at(part, lane),
			      .client_port = port_at(part, lane) + PORTS };
}

static void choose_parts(void)
{
	for (const struct part *part = parts; part->name; part++)
		plays[played_count++].part = part;
	for (const struct part *part = slow_parts; part->name; part++)
		plays[played_count++] = (struct played){ .part = part, .is_slow = true };
	for (int i = 0; i < played_count; i++) {
		plays[i].fault = unseen(plays[i].part);
		if (!plays[i].fault)
			plays[i].fault = part_fault(plays[i].part, port_at(i, 0),
						    port_at(i, LANES - 1));
	}
}

static long events_of(const struct part *part)
{
	long words = 0;

	for (const char *at = part->gives; *at; at++)
		words += *at != ' ' && (at[1] == ' ' || !at[1]);
	return words * part->times;
}

/* How often each lane plays all. */
static long turns_for(long events)
{
	long each = 0;

	for (int i = 0; i < played_count; i++)
		if (!plays[i].fault && !plays[i].is_slow)
			each += LANES * events_of(plays[i].part);
	return (events + each - 1) / each;
}

/* By tracepoint the record of the close has left by then. */
static void expect_record(struct counts *want, const char *label, long count)
{
	if (strcmp(via, "tracepoint") || strcmp(label, "fin-already-sent/linger2-reset")) {
		add(want, label, count);
		return;
	}
	add(want, "fin-already-sent", count);
	add(want, "linger2/closer", count);
}

static void expect(struct played *played, long times)
{
	const struct part *part = played->part;
	char words[256], *rest = words, *word;

	if (played->fault)
		return;
	snprintf(words, sizeof(words), "%s", part->gives);
	while ((word = strsep(&rest, " ")))
		if (*word)
			expect_record(&played->want, word, times * part->times);
}

static void keep_pace(long made)
{
	__atomic_fetch_add(&pace->made, made, __ATOMIC_RELAXED);
	while (pace->made - __atomic_load_n(&pace->written, __ATOMIC_RELAXED) > AHEAD)
		nap_us(1000);
}

static void play_turn(int lane, struct site *sites)
{
	for (int i = 0; i < played_count; i++) {
		/* No two begin with the same. */
		int at = (i + lane * played_count / LANES) % played_count;

		if (plays[at].fault || plays[at].is_slow)
			continue;
		for (int times = 0; times < plays[at].part->times; times++)
			plays[at].part->play(&sites[at]);
		keep_pace(events_of(plays[at].part));
	}
}

static void play_lane(int lane, long turns)
{
	struct site sites[MAX_PARTS];

	for (int i = 0; i < played_count; i++) {
		sites[i] = site_of(i, lane);
		if (!plays[i].fault && !plays[i].is_slow)
			site_open(&sites[i], plays[i].part->listening);
	}
	while (turns-- > 0)
		play_turn(lane, sites);
}

static void start_lane(int lane, long turns)
{
	fflush(stdout);
	pids[lane] = fork();
	if (pids[lane] < 0)
		bail_out("no process: %s", strerror(errno));
	if (pids[lane])
		return;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	play_lane(lane, turns);
	/* Whoever looks for the holder of a listener finds it. */
	raise(SIGSTOP);
	_exit(0);
}

static void count_written(void)
{
	static char bytes[1 << 16];
	long lines = 0;
	ssize_t got;

	while ((got = read(written, bytes, sizeof(bytes))) > 0)
		for (ssize_t i = 0; i < got; i++)
			lines += bytes[i] == '\n';
	__atomic_fetch_add(&pace->written, lines, __ATOMIC_RELAXED);
}

static void await_lane(int lane)
{
	int status;

	while (!waitpid(pids[lane], &status, WUNTRACED | WNOHANG)) {
		count_written();
		nap_us(1000);
	}
	if (!WIFSTOPPED(status))
		bail_out("a process that should have closed and reset did not");
}

static void end_lane(int lane)
{
	kill(pids[lane], SIGKILL);
	waitpid(pids[lane], NULL, 0);
}

/* By ourselves. */
static void play_slow(void)
{
	struct site sites[MAX_PARTS];
	int count = 0;

	for (int i = 0; i < played_count; i++) {
		if (!plays[i].is_slow)
			continue;
		sites[count] = site_of(i, LANES);
		site_open(&sites[count++], plays[i].part->listening);
	}
	slow_play(sites);
}

/* What timers do comes last: a softirq that interrupts one of the programs finds it taken, and
 * the kernel runs no other in its place. */
static void play_all(long turns)
{
	for (int lane = 0; lane < LANES; lane++)
		start_lane(lane, turns);
	for (int lane = 0; lane < LANES; lane++)
		await_lane(lane);
	play_slow();
	if (!await_no_orphan())
		bail_out("something is still under way");
}

/* ---- the records --------------------------------------------------------------------------- */

static bool is(const json_t *record, const char *key, const char *text)
{
	return !strcmp(text_of(record, key), text);
}

static bool ends_with(const char *text, const char *end)
{
	size_t size = strlen(text), end_size = strlen(end);

	return size >= end_size && !strcmp(text + size - end_size, end);
}

static void label_of(const json_t *record, char *label, size_t size)
{
	const char *after = text_of(record, "after");

	if (is(record, "direction", "received"))
		snprintf(label, size, "%s", text_of(record, "cause"));
	else if (!is_close(record))
		snprintf(label, size, "%s/%s", text_of(record, "cause"), text_of(record, "owner"));
	else if (ends_with(after, "-reset"))
		snprintf(label, size, "%s/%s", text_of(record, "branch"), after);
	else
		snprintf(label, size, "%s%s", text_of(record, "branch"),
			 is(record, "sent", "rst") ? "/rst" : "");
}

static void add_close(const json_t *record)
{
	const char *after = text_of(record, "after");

	sum.closes++;
	sum.counters[OUT_RSTS] += is(record, "sent", "rst") + ends_with(after, "-reset");
	sum.counters[ON_CLOSE] += is(record, "branch", "unread-data");
	sum.counters[ON_DATA] += is(record, "branch", "zero-linger") +
				 !strcmp(after, "late-data-reset");
	sum.counters[ON_LINGER] += !strcmp(after, "linger2-reset");
	sum.counters[ON_MEMORY] += !strcmp(after, "orphan-limit-reset");
	sum.unknown += is(record, "branch", "unknown");
}

static void add_reset(const json_t *record)
{
	sum.resets++;
	sum.nameless += is(record, "direction", "received") && is(record, "owner", "null");
	sum.unknown += is(record, "cause", "unknown");
	if (is(record, "direction", "received") || is(record, "cause", "firewall-reject"))
		return;
	sum.counters[OUT_RSTS]++;
	sum.counters[ON_DATA] += is(record, "cause", "late-data");
	sum.counters[ON_LINGER] += is(record, "cause", "linger2");
	sum.counters[ON_MEMORY] += is(record, "cause", "orphan-limit");
	sum.counters[ON_TIMEOUT] += is(record, "cause", "keepalive-timeout");
	sum.counters[EMBRYONIC] += is(record, "cause", "accept-overflow") ||
				   is(record, "cause", "embryonic");
}

/* By the port that is its site's: which part of which lane; -1 for none. */
static int place_of(const json_t *record)
{
	static const char *const keys[] = { "lport", "rport" };

	for (int i = 0; i < 2; i++) {
		long long port = number_of(record, keys[i]) - FIRST_PORT;

		if (port >= 0 && port < 2 * PORTS && port % PORTS < played_count * SITES)
			return port % PORTS;
	}
	return -1;
}

/* Nobody's has none. */
static void check_pid(const json_t *record, pid_t pid)
{
	if (!is_close(record) && is(record, "owner", "null"))
		return;
	if (number_of(record, "pid") == tracer)
		sum.borrowed++;
	else if (number_of(record, "pid") != pid && !sum.others++)
		note("not of process %d: %s", pid, json_dumps(record, 0));
}

static void add_to_part(const json_t *record)
{
	int place = place_of(record);
	char label[48];

	if (place < 0) {
		if (!sum.strays++)
			note("of no part: %s", json_dumps(record, 0));
		return;
	}
	label_of(record, label, sizeof(label));
	add(&plays[place / SITES].got, label, 1);
	check_pid(record, pids[place % SITES]);
}

static void take(const json_t *record)
{
	if (is(record, "event", "lost"))
		sum.lost += number_of(record, "count");
	else if (is(record, "event", "end"))
		sum.unknown_ends += is(record, "how", "unknown");
	else if (is_close(record))
		add_close(record);
	else if (is(record, "event", "reset"))
		add_reset(record);
	if (is_close(record) || is(record, "event", "reset"))
		add_to_part(record);
}

/* One after the other, for they are many. */
static void read_records(void)
{
	FILE *file = fopen(path, "re");
	char *text = NULL;
	size_t size = 0;

	while (file && getline(&text, &size, file) > 0) {
		json_t *record = json_loads(text, 0, NULL);

		if (!record)
			bail_out("not JSON: %s", text);
		take(record);
		json_decref(record);
	}
	if (!file)
		bail_out("no %s: %s", path, strerror(errno));
	fclose(file);
	free(text);
}

/* ---- checking ------------------------------------------------------------------------------ */

/* Returns whether it is as it should be, for which there may be an excuse. */
static bool check_exact(bool exact, const char *name)
{
	if (exact || !inexact)
		return ok(exact, "%s: %s", via, name);
	skip(inexact, "%s: %s", via, name);
	return false;
}

static void check_part(const struct played *played, long resent)
{
	const char *name = played->part->name;

	if (played->fault) {
		skip(played->fault, "%s: %s", via, name);
		return;
	}
	if (check_exact(same_counts(&played->want, &played->got, resent), name))
		return;
	note_counts("expected", &played->want);
	note_counts("recorded", &played->got);
	note("%ld segments were sent again", resent);
}

/* Branches and causes, whosever they are. */
static void check_kinds(void)
{
	struct counts kinds = { 0 };
	char label[48];

	for (int i = 0; i < played_count; i++)
		for (int j = 0; j < plays[i].got.kinds; j++) {
			strcpy(label, plays[i].got.of[j].label);
			label[strcspn(label, "/")] = '\0';
			add(&kinds, label, plays[i].got.of[j].count);
		}
	if (!ok(kinds.kinds >= 20, "%s: 20 causes or more", via))
		note("%d", kinds.kinds);
	note_counts("together", &kinds);
}

/* By tracepoint what __tcp_close() does itself at last is an end like others, and none of those
 * that have a name. */
static bool right_ends(void)
{
	return sum.unknown_ends <= (strcmp(via, "tracepoint") ? 0 : sum.counters[ON_LINGER]);
}

static void check_records(const struct run *run, const struct totals *totals)
{
	bool none = !sum.lost && !totals->lost && !sum.unknown && !totals->unknown && !sum.strays &&
		    right_ends();

	ok(!sum.others, "%s: none is told of another process", via);
	check_exact(!sum.borrowed, "each is told of the process that did it");
	if (!ok(totals->closes == sum.closes && totals->resets == sum.resets && !run->status,
		"%s: counted right", via))
		note("%ld closes, %ld resets; exit %d: %s", sum.closes, sum.resets, run->status,
		     run->told);
	if (!check_exact(none, "none lost, none unknown, nothing that nobody did"))
		note("%ld lost, %ld unknown, %ld ends, %ld of nobody", sum.lost, sum.unknown,
		     sum.unknown_ends, sum.strays);
}

static void check_loss(const struct run *run, const struct totals *totals)
{
	long missing = 0, lost = totals->lost + totals->left_out;

	for (int i = 0; i < played_count; i++)
		missing += total_of(&plays[i].want) - total_of(&plays[i].got);
	/* A close that closetrace has put off may find the data that was to come after it. */
	if (!ok(missing <= lost + sum.borrowed, "%s: what is missing was told as lost", via))
		note("%ld are missing, %ld lost", missing, lost);
	ok(!strstr(run->told, " unexplained"), "%s: nothing is unexplained", via);
	/* By the others a preemptible kernel does leave more out. */
	if (!strcmp(via, "kprobe"))
		ok(totals->left_out <= STRAY || totals->left_out <= (sum.closes + sum.resets) / 1000,
		   "%s: next to nothing was left out", via);
}

static void check_counters(const long *counted)
{
	for (int i = 0; i < COUNTERS; i++)
		if (!check_exact(sum.counters[i] == counted[i], counter_names[i][1]))
			note("%ld by the records, %ld by the kernel", sum.counters[i], counted[i]);
}

static bool tells_agreement(const struct run *run, const long *counted)
{
	const char *line = strstr(run->told, "\ncounters agree: ");
	long rsts[2], aborts[2], embryonic[2], all = 0;

	for (int i = ON_CLOSE; i <= ON_TIMEOUT; i++)
		all += counted[i];
	if (!line || sscanf(line, " counters agree: %ld of %ld RSTs, %ld of %ld aborts, %ld of %ld "
				  "embryonic", &rsts[0], &rsts[1], &aborts[0], &aborts[1],
			    &embryonic[0], &embryonic[1]) != 6)
		return false;
	return rsts[0] == counted[OUT_RSTS] && rsts[1] == counted[OUT_RSTS] && aborts[0] == all &&
	       aborts[1] == all && embryonic[0] == counted[EMBRYONIC] &&
	       embryonic[1] == counted[EMBRYONIC];
}

/* It cannot know that they agree; but they do. */
static bool tells_table(const struct run *run, const long *counted)
{
	bool good = strstr(run->told, "\ncounters: the records cannot be complete: ");
	char begin[64];
	long kernel, recorded;

	for (int i = 0; i < COUNTERS; i++) {
		const char *line;

		snprintf(begin, sizeof(begin), "\n  %s ", counter_names[i][1]);
		line = strstr(run->told, begin);
		if (!line)
			good &= !counted[i];
		else
			good &= sscanf(line + strlen(begin), "%ld %ld", &kernel, &recorded) == 2 &&
				kernel == counted[i] && recorded == counted[i];
	}
	return good;
}

static void check_told(const struct run *run, const long *counted)
{
	bool good = !is_blind(via) ? tells_agreement(run, counted) :
								 tells_table(run, counted);

	if (!check_exact(good, "it says that the counters agree"))
		note("%s", run->told);
}

static void check(const struct run *run, const long *counted, long resent)
{
	struct totals totals = run_totals(run);

	/* Who reads a link in /proc/PID/fd holds the file for as long: where its process closes it
	 * meanwhile, it is the reader that closes the socket. */
	if (sum.borrowed)
		inexact = "closetrace was the last to hold one of the sockets";
	if (run_told(run, "closetrace: the kernel left "))
		inexact = "the kernel left programs out";
	for (int i = 0; i < played_count; i++)
		check_part(&plays[i], resent);
	check_kinds();
	check_records(run, &totals);
	check_loss(run, &totals);
	check_counters(counted);
	check_told(run, counted);
	note("%ld closes, %ld of them by closetrace; %ld resets, %ld received by nobody known; "
	     "%ld RSTs; %s", sum.closes, sum.borrowed, sum.resets, sum.nameless,
	     counted[OUT_RSTS], run->told);
}

/* ---- the whole ----------------------------------------------------------------------------- */

static long asked_for(void)
{
	const char *text = getenv("MIXED");
	long count = text ? atol(text) : 2000;

	if (count < 1)
		bail_out("MIXED is \"%s\", not a number of closes and resets", text);
	return count;
}

static double now_s(void)
{
	return now_ns() / 1e9;
}

/* The network namespace is new: they began at 0. */
static void read_counters(long *counted)
{
	for (int i = 0; i < COUNTERS; i++)
		counted[i] = counter_of(counter_names[i][0], counter_names[i][1]);
}

int main(int argc, char **argv)
{
	long events = asked_for(), turns, counted[COUNTERS], resent;
	struct run run;
	double began_s;

	via = argc > 1 ? argv[1] : "fentry";
	alarm(PATIENCE_S + events / 50);
	network_enter();
	set_ipv4("tcp_abort_on_overflow", 1);
	/* One too many would be no minisocket. */
	set_ipv4("tcp_max_tw_buckets", 1 << 20);
	send_once();
	choose_parts();
	turns = turns_for(events);
	for (int i = 0; i < played_count; i++)
		expect(&plays[i], plays[i].is_slow ? 1 : LANES * turns);
	written = mkstemp(path);
	pace = mmap(NULL, sizeof(*pace), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (written < 0 || pace == MAP_FAILED)
		bail_out("no file: %s", strerror(errno));

	run_begin(&run, via, OPTIONS("-o", path));
	pids[LANES] = getpid();
	tracer = run.pid;
	began_s = now_s();
	play_all(turns);
	note("%ld times all in %d processes took %.1f s", turns, LANES, now_s() - began_s);
	read_counters(counted);
	resent = counter_of("Tcp", "RetransSegs");
	run_stop(&run);
	for (int lane = 0; lane < LANES; lane++)
		end_lane(lane);
	read_records();
	unlink(path);
	check(&run, counted, resent);
	run_free(&run);
	return finish();
}
