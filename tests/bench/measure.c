// SPDX-License-Identifier: GPL-2.0-only
/*
 * measure [-r ROUNDS] [-n CONNECTIONS] [-f SECONDS] [-t SECONDS] [NAME...]: runs the contestants
 * in turn, ROUNDS times, each under the same load, and prints a line of JSON for each turn.
 *
 * A turn: the tracer starts and a lone record is timed; then for each pattern there is a load
 * of CONNECTIONS for the rate and the latency, and one with the kernel's accounting of BPF
 * time, which itself takes time.  With -f, instead, two loads at once for that long.
 *
 * A turn has 600 seconds, or what -t says, and those of -f: whatever of it holds out longer is
 * killed, the line says so, and the next one has its turn.
 *
 * BPF time is read after every fourth connection, and the median counts: when the machine has
 * other things to do in the middle of a program (and an emulated one often does), the program
 * seems to take milliseconds.  The first decile is beside it: what disturbs only adds.
 */
#include <err.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "tests/bench/contestant.h"
#include "tests/bench/loopback.h"

#define LOAD ".output/tests/bench/load"

#define TRACES "closetrace: tracing"
#define CLOSETRACE(...) { "./closetrace", __VA_ARGS__ }, TRACES
#define STATES "tracepoint:sock:inet_sock_set_state /args->protocol == 6/ { "			\
	       "printf(\"%-16s %-6d %s:%d %s:%d %d->%d\\n\", comm, pid, ntop(args->saddr), "	\
	       "args->sport, ntop(args->daddr), args->dport, args->oldstate, args->newstate) }"
#define RESETS "kprobe:tcp_send_active_reset { "						\
	       "printf(\"%-16s %-6d %s\\n\", comm, pid, kstack(5)) }"
/* Where -k takes them. */
#define STACKS(hook) hook ":__tcp_close { printf(\"%-16s %-6d %s %s\\n\", comm, pid, kstack, ustack) }"
#define CLOSES "kprobe:tcp_close { @[pid, comm] = count() }"

/* clang-format off */
static const struct contestant contestants[] = {
	{ "nothing" },
	{ "empty-fentry",      CLOSETRACE("--via", "fentry"), .empty = true },
	{ "empty-kprobe",      CLOSETRACE("--via", "kprobe"), .empty = true },
	{ "empty-tracepoint",  CLOSETRACE("--via", "tracepoint"), .empty = true },
	{ "fentry",            CLOSETRACE("--via", "fentry") },
	{ "fentry-json",       CLOSETRACE("--via", "fentry", "-j") },
	{ "fentry-c",          CLOSETRACE("--via", "fentry", "-c") },
	{ "fentry-other",      CLOSETRACE("--via", "fentry", "-j", "-p", "1") },
	{ "fentry-stack",      CLOSETRACE("--via", "fentry", "-j", "-k") },
	{ "kprobe",            CLOSETRACE("--via", "kprobe") },
	{ "kprobe-json",       CLOSETRACE("--via", "kprobe", "-j") },
	{ "kprobe-c",          CLOSETRACE("--via", "kprobe", "-c") },
	{ "kprobe-other",      CLOSETRACE("--via", "kprobe", "-j", "-p", "1") },
	{ "kprobe-stack",      CLOSETRACE("--via", "kprobe", "-j", "-k") },
	{ "tracepoint",        CLOSETRACE("--via", "tracepoint") },
	{ "tracepoint-json",   CLOSETRACE("--via", "tracepoint", "-j") },
	{ "tracepoint-c",      CLOSETRACE("--via", "tracepoint", "-c") },
	{ "tracepoint-other",  CLOSETRACE("--via", "tracepoint", "-j", "-p", "1") },
	{ "tracepoint-stack",  CLOSETRACE("--via", "tracepoint", "-j", "-k") },
	{ "tcplife",           { "tcplife" } },
	{ "tcpstates",         { "tcpstates" } },
	{ "tcptracer",         { "tcptracer" } },
	{ "bpftrace-states",   { "bpftrace", "-e", STATES } },
	{ "bpftrace-resets",   { "bpftrace", "-e", RESETS } },
	{ "bpftrace-stacks-fentry", { "bpftrace", "-e", STACKS("kretfunc") } },
	{ "bpftrace-stacks-kprobe", { "bpftrace", "-e", STACKS("kretprobe") } },
	{ "bpftrace-count",    { "bpftrace", "-e", CLOSES } },
	{ "fentry-terminal",   CLOSETRACE("--via", "fentry"), .where = TO_TERMINAL },
	{ "fentry-pipe",       CLOSETRACE("--via", "fentry", "-j"), .where = TO_PIPE },
	{ "tracepoint-terminal", CLOSETRACE("--via", "tracepoint"), .where = TO_TERMINAL },
	{ "tracepoint-pipe",   CLOSETRACE("--via", "tracepoint", "-j"), .where = TO_PIPE },
	{ NULL },
};
/* clang-format on */

#define MAX_SAMPLES 1024

static struct {
	int rounds;
	int connections;
	int seconds;	/* of the flood; 0: none */
	int patience_s;	/* for a turn, besides */
} plan = { .rounds = 5, .connections = 400, .patience_s = 600 };

/* ---- loads of other processes ----------------------------------------------------- */

static FILE *start_load(const char *pattern)
{
	char command[256];
	FILE *load;

	if (plan.seconds)
		snprintf(command, sizeof(command), "exec %s %s 1000000000 %d", LOAD, pattern,
			 plan.seconds);
	else
		snprintf(command, sizeof(command), "exec %s %s %d", LOAD, pattern,
			 plan.connections);
	load = popen(command, "re");
	if (!load)
		err(1, "cannot run %s", LOAD);
	return load;
}

/* Both ends of each connection and the listener. */
static uint64_t closes_of(uint64_t connections)
{
	return 2 * connections + 1;
}

/* What it says goes into our own line.  Returns how many closes there were. */
static uint64_t finish_load(FILE *load)
{
	char line[512], *connections;

	if (!fgets(line, sizeof(line), load) || pclose(load))
		errx(1, "%s failed", LOAD);
	connections = strstr(line, "\"connections\":");
	printf("%.*s", (int)strcspn(line, "\n"), line);
	if (!connections)
		errx(1, "%s says %s", LOAD, line);
	return closes_of(strtoull(connections + strlen("\"connections\":"), NULL, 10));
}

/* ---- BPF time ---------------------------------------------------------------------- */

struct samples {
	double values[MAX_SAMPLES];
	size_t count;
};

static struct {
	struct samples total;				/* ns a connection */
	struct samples ns[MAX_PROGRAMS];		/* ns a run */
	uint64_t runs[MAX_PROGRAMS];
} seen;

static void add_sample(struct samples *samples, double value)
{
	if (samples->count < MAX_SAMPLES)
		samples->values[samples->count++] = value;
}

static int by_size(const void *a, const void *b)
{
	double left = *(const double *)a, right = *(const double *)b;

	return (left > right) - (left < right);
}

static double quantile(struct samples *samples, double part)
{
	qsort(samples->values, samples->count, sizeof(*samples->values), by_size);
	return samples->count ? samples->values[(size_t)(samples->count * part)] : 0;
}

static double mean(const struct samples *samples)
{
	double sum = 0;

	for (size_t i = 0; i < samples->count; i++)
		sum += samples->values[i];
	return samples->count ? sum / samples->count : 0;
}

static void add_samples(const struct programs *before, const struct programs *after)
{
	uint64_t ns, runs, total = 0;

	for (size_t i = 0; i < after->count; i++) {
		ns = after->list[i].run_ns - before->list[i].run_ns;
		runs = after->list[i].runs - before->list[i].runs;
		if (runs)
			add_sample(&seen.ns[i], (double)ns / runs);
		seen.runs[i] += runs;
		total += ns;
	}
	add_sample(&seen.total, (double)total / CYCLE);
}

static void put_programs(const struct programs *programs, uint64_t connections)
{
	printf("\"bpf_ns\":%.1f,\"bpf_low_ns\":%.1f,\"bpf_mean_ns\":%.1f,\"programs\":[",
	       quantile(&seen.total, 0.5), quantile(&seen.total, 0.1), mean(&seen.total));
	for (size_t i = 0; i < programs->count; i++)
		printf("%s{\"name\":\"%s\",\"runs\":%.3f,\"ns\":%.1f,\"low_ns\":%.1f}",
		       i ? "," : "", programs->list[i].name, (double)seen.runs[i] / connections,
		       quantile(&seen.ns[i], 0.5), quantile(&seen.ns[i], 0.1));
	printf("]");
}

static uint64_t count_bpf_time(struct programs *programs, const struct pattern *pattern)
{
	static struct loopback loopback;
	struct programs before;
	int stats = bpf_enable_stats(BPF_STATS_RUN_TIME);

	if (stats < 0)
		err(1, "no accounting of BPF time");
	memset(&seen, 0, sizeof(seen));
	loopback_open(&loopback);
	while (loopback.index < (uint64_t)plan.connections) {
		programs_read(programs);
		before = *programs;
		for (int i = 0; i < CYCLE; i++)
			loopback_connection(&loopback, pattern);
		programs_read(programs);
		add_samples(&before, programs);
	}
	loopback_close(&loopback);
	close(stats);
	put_programs(programs, loopback.index);
	return closes_of(loopback.index);
}

/* ---- a turn ------------------------------------------------------------------------- */

static uint64_t run_pattern(struct running *running, const struct pattern *pattern)
{
	uint64_t closes;

	printf("\"%s\":{\"load\":", pattern->name);
	closes = finish_load(start_load(pattern->name));
	if (running->pid) {
		printf(",");
		closes += count_bpf_time(&running->programs, pattern);
	}
	printf("}");
	return closes;
}

static uint64_t run_patterns(struct running *running)
{
	uint64_t closes = running->closes;

	for (const struct pattern *pattern = patterns; pattern->name; pattern++) {
		printf("%s", pattern == patterns ? "" : ",");
		closes += run_pattern(running, pattern);
	}
	return closes;
}

static uint64_t run_flood(const struct running *running)
{
	FILE *first = start_load("mix"), *second = start_load("mix");
	uint64_t closes;

	printf("\"flood\":{\"loads\":[");
	closes = running->closes + finish_load(first);
	printf(",");
	closes += finish_load(second);
	printf("]}");
	return closes;
}

static void put_remains(const struct running *running, struct remains remains,
			uint64_t closes, uint64_t cpu_ns)
{
	printf("},\"closes\":%llu,\"records\":%lld,\"lost\":%llu,\"cpu_ns\":%llu,"
	       "\"peak_kb\":%llu,\"maps_kb\":%llu,\"start_ms\":%.1f,\"alone_ms\":%.1f,"
	       "\"left\":%s,\"status\":%d}\n",
	       (unsigned long long)closes, (long long)remains.records,
	       (unsigned long long)remains.lost, (unsigned long long)cpu_ns,
	       (unsigned long long)remains.peak_kb, (unsigned long long)remains.maps_kb,
	       running->start_ms, running->alone_ms, remains.left ? "true" : "false",
	       remains.status);
	fflush(stdout);
}

static void turn(const struct contestant *contestant, int round)
{
	static struct running running;
	uint64_t closes, before_ns, after_ns;
	struct remains remains;

	if (!contestant_start(&running, contestant)) {
		warnx("%s does not run here: %s", contestant->name, running.told);
		return;
	}
	before_ns = contestant_cpu_ns(&running);
	printf("{\"name\":\"%s\",\"round\":%d,\"patterns\":{", contestant->name, round);
	fflush(stdout);
	closes = plan.seconds ? run_flood(&running) : run_patterns(&running);
	/* Its last records are read before its time is. */
	poll(NULL, 0, 200);
	after_ns = contestant_cpu_ns(&running);
	remains = contestant_stop(&running);
	put_remains(&running, remains, closes, after_ns > before_ns ? after_ns - before_ns : 0);
}

/* ---- in its time --------------------------------------------------------------------- */

/* false: its time is up. */
static bool ends_in_time(pid_t child, int *status)
{
	time_t end = time(NULL) + plan.patience_s + plan.seconds;

	while (waitpid(child, status, WNOHANG) != child) {
		if (time(NULL) > end)
			return false;
		poll(NULL, 0, 10);
	}
	return true;
}

static void put_unfinished(const struct contestant *contestant, int round, const char *why)
{
	warnx("%s, round %d: %s", contestant->name, round, why);
	printf("{\"name\":\"%s\",\"round\":%d,\"unfinished\":\"%s\"}\n", contestant->name,
	       round, why);
}

static void put_line(int line)
{
	char bytes[65536];
	ssize_t got;

	for (off_t at = 0; (got = pread(line, bytes, sizeof(bytes), at)) > 0; at += got)
		fwrite(bytes, 1, got, stdout);
}

/* In a group of processes of its own, which goes as a whole, the tracer with it; its line is kept
 * back until all of it is there. */
static void turn_in_time(const struct contestant *contestant, int round)
{
	int line = memfd_create("line", MFD_CLOEXEC), status = 0;
	pid_t child = fork();

	if (line < 0 || child < 0)
		err(1, "no turn");
	if (!child) {
		setpgid(0, 0);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(line, STDOUT_FILENO);
		turn(contestant, round);
		exit(0);
	}
	if (!ends_in_time(child, &status))
		put_unfinished(contestant, round, "it did not come to its end in time");
	else if (status)
		put_unfinished(contestant, round, "it failed");
	else
		put_line(line);
	kill(-child, SIGKILL);
	fflush(stdout);
	close(line);
}

static bool is_chosen(const struct contestant *contestant, char **chosen)
{
	if (!*chosen)
		return contestant->where == TO_FILE;
	while (*chosen)
		if (!strcmp(*chosen++, contestant->name))
			return true;
	return false;
}

static void parse(int argc, char **argv)
{
	int option;

	while ((option = getopt(argc, argv, "r:n:f:t:")) != -1) {
		int value = optarg ? atoi(optarg) : 0;

		switch (option) {
		case 'r': plan.rounds = value; break;
		case 'n': plan.connections = value; break;
		case 'f': plan.seconds = value; break;
		case 't': plan.patience_s = value; break;
		default: exit(64);
		}
	}
}

static void require(const char *name)
{
	for (const struct contestant *c = contestants; c->name; c++)
		if (!strcmp(name, c->name))
			return;
	fprintf(stderr, "measure: there is no contestant %s\n", name);
	exit(64);
}

static size_t choose(char **names, const struct contestant **chosen)
{
	size_t count = 0;

	for (const struct contestant *c = contestants; c->name; c++)
		if (is_chosen(c, names) && contestant_exists(c))
			chosen[count++] = c;
	return count;
}

/* Whoever comes after a flood finds its minisockets: each round begins with another one. */
int main(int argc, char **argv)
{
	const struct contestant *chosen[sizeof(contestants) / sizeof(*contestants)];
	size_t count;

	parse(argc, argv);
	for (char **name = argv + optind; *name; name++)
		require(*name);
	count = choose(argv + optind, chosen);
	for (int round = 0; round < plan.rounds; round++)
		for (size_t i = 0; i < count; i++)
			turn_in_time(chosen[(i + round) % count], round);
	return 0;
}
