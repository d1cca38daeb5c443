// SPDX-License-Identifier: GPL-2.0-only
/*
 * As many closes as processes can make, of sockets that are reused at once: each close has
 * its record, the right one, in its thread's order, and none is lost or unknown. Then closes
 * that all wait at the same time, for a return probe has few places.
 *
 * FLOOD in the environment: how many connections are opened, 20000 without it.
 */
#include <errno.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/live/counters.h"
#include "tests/live/live.h"
#include "user/judge.h"

#define MAX_LANES	4
#define WAITING		50	/* closes that wait at the same time */
#define PATIENCE_S	240

/* A close, as it was made or as it was recorded. */
struct act {
	uint16_t lport, rport;
	uint8_t branch;
};

/* A thread that closes, and what it closed; in memory that the test shares with it. */
struct lane {
	pid_t tid;
	int number;
	int connections;
	long count;		/* of acts */
	struct act *acts;	/* those that must be told */
	uint32_t branches;	/* 1 << enum branch: these alone must be */
};

struct connection {
	int end, peer;		/* the one that connected, the one that was accepted */
	uint16_t end_port, peer_port;
};

/* What one flood is made of. */
struct flood {
	const char *name;
	int processes, threads;		/* of each process */
	int connections;		/* in total */
	const char *only;		/* for -b; NULL: everything */
};

/* What the reader found, for one lane or for no lane. */
struct found {
	long count;
	long wrong;
	struct act first_wrong;
	long first_wrong_at;
};

struct reader {
	int fd;
	const struct lane *lanes;
	int lanes_count;
	struct found found[MAX_LANES + 1];
	uint64_t *ids;
	long ids_count, ids_room;
	long lines;
};

static double now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec + now.tv_nsec / 1e9;
}

static void *shared_memory(size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (memory == MAP_FAILED)
		bail_out("no memory: %s", strerror(errno));
	return memory;
}

/* ---- closing: in the processes that are traced ------------------------------------- */

__attribute__((noreturn)) static void die(const char *what)
{
	fprintf(stderr, "flood: %s: %s\n", what, strerror(errno));
	_exit(1);
}

static struct sockaddr_in address_of(int fd)
{
	struct sockaddr_in at;
	socklen_t size = sizeof(at);

	if (getsockname(fd, (struct sockaddr *)&at, &size))
		die("getsockname");
	return at;
}

/* Each lane has an address of its own, and with it all the ports. */
static int listen_for(int number)
{
	struct sockaddr_in at = { .sin_family = AF_INET };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK + number);
	if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof(at)) || listen(fd, 16))
		die("listen");
	return fd;
}

static void open_connection(int listener, const struct sockaddr_in *at, struct connection *connection)
{
	connection->end = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (connection->end < 0 || connect(connection->end, (struct sockaddr *)at, sizeof(*at)))
		die("connect");
	connection->peer = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	if (connection->peer < 0)
		die("accept");
	connection->end_port = ntohs(address_of(connection->end).sin_port);
	connection->peer_port = ntohs(at->sin_port);
}

static void await(int fd, short events)
{
	struct pollfd poll_fd = { .fd = fd, .events = events };

	if (poll(&poll_fd, 1, PATIENCE_S * 1000) != 1)
		die("poll");
}

static void abortive(int fd)
{
	struct linger zero = { .l_onoff = 1 };

	if (setsockopt(fd, SOL_SOCKET, SO_LINGER, &zero, sizeof(zero)))
		die("SO_LINGER");
}

static void note_act(struct lane *lane, enum branch branch, uint16_t lport, uint16_t rport)
{
	if (lane->branches >> branch & 1)
		lane->acts[lane->count++] = (struct act){ lport, rport, branch };
}

static void close_end(struct lane *lane, const struct connection *connection, enum branch branch)
{
	note_act(lane, branch, connection->end_port, connection->peer_port);
	close(connection->end);
}

static void close_peer(struct lane *lane, const struct connection *connection, enum branch branch)
{
	note_act(lane, branch, connection->peer_port, connection->end_port);
	close(connection->peer);
}

static void with_unread_data(struct lane *lane, const struct connection *connection)
{
	if (send(connection->peer, "unread", 6, 0) != 6)
		die("send");
	await(connection->end, POLLIN);
	close_end(lane, connection, BRANCH_UNREAD_DATA);
	await(connection->peer, POLLRDHUP);
	close_peer(lane, connection, BRANCH_ALREADY_CLOSED);
}

static void with_zero_linger(struct lane *lane, const struct connection *connection)
{
	abortive(connection->end);
	close_end(lane, connection, BRANCH_ZERO_LINGER);
	await(connection->peer, POLLRDHUP);
	close_peer(lane, connection, BRANCH_ALREADY_CLOSED);
}

/* The peer's RST spares us the TIME_WAIT. */
static void with_fin(struct lane *lane, const struct connection *connection)
{
	close_end(lane, connection, BRANCH_FIN);
	await(connection->peer, POLLRDHUP);
	abortive(connection->peer);
	close_peer(lane, connection, BRANCH_ZERO_LINGER);
}

/* The TIME_WAIT is the listener's side, which does not keep the port from being used. */
static void after_the_peer(struct lane *lane, const struct connection *connection)
{
	close_peer(lane, connection, BRANCH_FIN);
	await(connection->end, POLLRDHUP);
	close_end(lane, connection, BRANCH_FIN);
}

static void *run_lane(void *arg)
{
	static void (*const ways[])(struct lane *, const struct connection *) = {
		with_unread_data, with_zero_linger, with_fin, after_the_peer,
	};
	struct lane *lane = arg;
	struct connection connection;
	int listener = listen_for(lane->number);
	struct sockaddr_in at = address_of(listener);

	lane->tid = syscall(SYS_gettid);
	for (int i = 0; i < lane->connections; i++) {
		open_connection(listener, &at, &connection);
		ways[i % 4](lane, &connection);
	}
	note_act(lane, BRANCH_LISTENER, ntohs(at.sin_port), 0);
	close(listener);
	return NULL;
}

static void run_lanes(struct lane *lanes, int count)
{
	pthread_t threads[MAX_LANES];

	for (int i = 0; i < count; i++)
		if (pthread_create(&threads[i], NULL, run_lane, &lanes[i]))
			die("no thread");
	for (int i = 0; i < count; i++)
		pthread_join(threads[i], NULL);
}

/* ---- a process that waits for its start ------------------------------------------------ */

struct held {
	pid_t pid;
	int go;
};

/* Returns true in the child, when it is its turn. */
static bool hold(struct held *held)
{
	int ends[2];
	char word;

	fflush(stdout);
	if (pipe(ends))
		bail_out("no pipe: %s", strerror(errno));
	held->pid = fork();
	if (held->pid < 0)
		bail_out("no process: %s", strerror(errno));
	if (held->pid) {
		close(ends[0]);
		held->go = ends[1];
		return false;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	close(ends[1]);
	if (read(ends[0], &word, 1) != 1)
		_exit(1);
	return true;
}

static void let_go(const struct held *held)
{
	if (write(held->go, "g", 1) != 1)
		bail_out("a process is gone: %s", strerror(errno));
	close(held->go);
}

static bool ended_well(const struct held *held)
{
	int status;

	waitpid(held->pid, &status, 0);
	return WIFEXITED(status) && !WEXITSTATUS(status);
}

/* ---- reading the records while they come ----------------------------------------------- */

static const char *value_in(const char *line, const char *key)
{
	const char *at = strstr(line, key);

	return at ? at + strlen(key) : "";
}

static long number_in(const char *line, const char *key)
{
	return atol(value_in(line, key));
}

static uint8_t branch_in(const char *line)
{
	const char *value = value_in(line, "\"branch\":\"");

	for (int branch = 0; branch < BRANCH_COUNT; branch++) {
		size_t length = strlen(branch_name(branch));

		if (!strncmp(value, branch_name(branch), length) && value[length] == '"')
			return branch;
	}
	return BRANCH_UNKNOWN;
}

static int lane_in(const struct reader *reader, pid_t tid)
{
	int i = 0;

	while (i < reader->lanes_count && reader->lanes[i].tid != tid)
		i++;
	return i;
}

static void keep_id(struct reader *reader, uint64_t id)
{
	if (reader->ids_count < reader->ids_room)
		reader->ids[reader->ids_count++] = id;
}

/* An act is there before it is made, so its record finds it. */
static void compare(struct reader *reader, const char *line)
{
	struct act act = {
		.lport = number_in(line, "\"lport\":"), .rport = number_in(line, "\"rport\":"),
		.branch = branch_in(line),
	};
	int number = lane_in(reader, number_in(line, "\"tid\":"));
	const struct lane *lane = &reader->lanes[number];
	struct found *found = &reader->found[number];
	long at = found->count++;

	keep_id(reader, number_in(line, "\"id\":"));
	if (number < reader->lanes_count && at < lane->count && lane->acts[at].lport == act.lport &&
	    lane->acts[at].rport == act.rport && lane->acts[at].branch == act.branch)
		return;
	if (!found->wrong++) {
		found->first_wrong = act;
		found->first_wrong_at = at;
	}
}

static void *read_all(void *arg)
{
	static char bytes[1 << 20];
	struct reader *reader = arg;
	size_t used = 0;
	ssize_t got;

	while ((got = read(reader->fd, bytes + used, sizeof(bytes) - 1 - used)) > 0) {
		char *line = bytes, *end;

		used += got;
		bytes[used] = '\0';
		for (; (end = strchr(line, '\n')); line = end + 1) {
			*end = '\0';
			reader->lines++;
			if (strstr(line, "\"event\":\"close\""))
				compare(reader, line);
		}
		used -= line - bytes;
		memmove(bytes, line, used);
	}
	return NULL;
}

/* ---- one flood ---------------------------------------------------------------------------- */

static struct lane *make_lanes(const struct flood *flood, int count)
{
	struct lane *lanes = shared_memory(count * sizeof(*lanes));

	for (int i = 0; i < count; i++) {
		lanes[i].number = i;
		lanes[i].connections = flood->connections / count;
		lanes[i].acts = shared_memory((2 * lanes[i].connections + 1) * sizeof(struct act));
		lanes[i].branches = flood->only ? 1U << branch_by_name(flood->only) : ~0U;
	}
	return lanes;
}

static void free_lanes(struct lane *lanes, int count)
{
	for (int i = 0; i < count; i++)
		munmap(lanes[i].acts, (2 * lanes[i].connections + 1) * sizeof(struct act));
	munmap(lanes, count * sizeof(*lanes));
}

static void start(struct run *run, const char *via, const struct held *held, int count, const char *only)
{
	const char *more[2 * MAX_LANES + 3] = {};
	char pids[MAX_LANES][16];
	int argc = 0;

	for (int i = 0; i < count; i++) {
		snprintf(pids[i], sizeof(pids[i]), "%d", held[i].pid);
		more[argc++] = "-p";
		more[argc++] = pids[i];
	}
	if (only) {
		more[argc++] = "-b";
		more[argc++] = only;
	}
	run_begin(run, via, more);
}

static void note_wrong(const struct lane *lane, const struct found *found)
{
	struct act got = found->first_wrong, want = {};

	if (found->first_wrong_at < lane->count)
		want = lane->acts[found->first_wrong_at];
	note("the first is record %ld: %s, port %u with %u, not %s, port %u with %u",
	     found->first_wrong_at, branch_name(got.branch), got.lport, got.rport,
	     branch_name(want.branch), want.lport, want.rport);
}

/* Both in the ring's order, which is time's within a thread. */
static bool same_acts(const struct lane *lane, const struct found *found)
{
	if (found->count == lane->count && !found->wrong)
		return true;
	note("thread %d: %ld closes, %ld records, %ld of them wrong", lane->number, lane->count,
	     found->count, found->wrong);
	if (found->wrong)
		note_wrong(lane, found);
	return false;
}

static int by_number(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static long repeated(uint64_t *ids, long count)
{
	long repeats = 0;

	qsort(ids, count, sizeof(*ids), by_number);
	for (long i = 1; i < count; i++)
		repeats += ids[i] == ids[i - 1];
	return repeats;
}

static void check_lanes(const struct flood *flood, const struct lane *lanes, struct reader *reader,
			const char *via)
{
	bool good = true;
	long closes = 0;

	for (int i = 0; i < reader->lanes_count; i++) {
		good &= same_acts(&lanes[i], &reader->found[i]);
		closes += lanes[i].count;
	}
	ok(good, "%s: %s: all %ld closes told, in order, each with its ports and branch", via,
	   flood->name, closes);
	if (!ok(!reader->found[reader->lanes_count].count, "%s: %s: nobody else's", via, flood->name))
		note("%ld of other threads", reader->found[reader->lanes_count].count);
	ok(!repeated(reader->ids, reader->ids_count), "%s: %s: no two have the same id", via, flood->name);
}

static void check_totals(const struct flood *flood, const struct lane *lanes, int count,
			 const struct run *run, const char *via)
{
	struct totals totals = run_totals(run);
	long closes = 0;

	for (int i = 0; i < count; i++)
		closes += lanes[i].count;
	if (!ok(totals.closes == closes && !totals.lost && !totals.unknown && !run->status,
		"%s: %s: counted right, none lost, none unknown", via, flood->name))
		note("%ld closes; exit %d: %s", closes, run->status, run->told);
}

/* One unread-data and two zero-linger in four connections. */
static void check_counters(const struct flood *flood, int lanes, const struct path_counters *counted,
			   const char *via)
{
	int each = flood->connections / lanes, rest = each % 4;
	unsigned int on_close = lanes * (each / 4 + (rest > 0));
	unsigned int on_data = lanes * (each / 4 * 2 + (rest > 1) + (rest > 2));

	if (!ok(counted->abort_on_close == on_close && counted->abort_on_data == on_data,
		"%s: %s: the kernel counted %u TCPAbortOnClose, %u TCPAbortOnData", via, flood->name,
		on_close, on_data))
		note("it counted %u and %u", counted->abort_on_close, counted->abort_on_data);
}

static void run_flood(const struct flood *flood, const char *via)
{
	int count = flood->processes * flood->threads;
	struct lane *lanes = make_lanes(flood, count);
	struct reader reader = { .lanes = lanes, .lanes_count = count,
				 .ids_room = 2L * flood->connections + count };
	struct path_counters before, after;
	struct held held[MAX_LANES];
	bool good = true;
	pthread_t thread;
	struct run run;
	double began_s;

	for (int i = 0; i < flood->processes; i++)
		if (hold(&held[i])) {
			run_lanes(lanes + i * flood->threads, flood->threads);
			_exit(0);
		}
	start(&run, via, held, flood->processes, flood->only);
	reader.fd = run.out;
	reader.ids = calloc(reader.ids_room, sizeof(*reader.ids));
	if (!reader.ids || pthread_create(&thread, NULL, read_all, &reader))
		bail_out("no reader: %s", strerror(errno));

	counters_read(&before);
	began_s = now_s();
	for (int i = 0; i < flood->processes; i++)
		let_go(&held[i]);
	for (int i = 0; i < flood->processes; i++)
		good &= ended_well(&held[i]);
	note("%s: %s: %d connections in %.2f s", via, flood->name, flood->connections, now_s() - began_s);
	counters_read(&after);
	counters_subtract(&after, &before);

	kill(run.pid, SIGINT);
	pthread_join(thread, NULL);
	run_end(&run);
	if (!good)
		bail_out("a process that should have closed connections did not");
	check_lanes(flood, lanes, &reader, via);
	check_totals(flood, lanes, count, &run, via);
	check_counters(flood, count, &after, via);
	run_free(&run);
	free(reader.ids);
	free_lanes(lanes, count);
}

/* ---- closes that wait at the same time ------------------------------------------------------- */

static pthread_barrier_t together;

static void *close_together(void *fd)
{
	pthread_barrier_wait(&together);
	close(*(int *)fd);
	return NULL;
}

static void close_all(int *fds)
{
	pthread_t threads[WAITING];

	pthread_barrier_init(&together, NULL, WAITING);
	for (int i = 0; i < WAITING; i++)
		if (pthread_create(&threads[i], NULL, close_together, &fds[i]))
			die("no thread");
	for (int i = 0; i < WAITING; i++)
		pthread_join(threads[i], NULL);
}

/* Of what comes from now on the peer hears nothing, so the FIN is not acknowledged. */
static void make_deaf(int fd)
{
	struct sock_filter nothing = BPF_STMT(BPF_RET | BPF_K, 0);
	struct sock_fprog program = { .len = 1, .filter = &nothing };

	if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)))
		bail_out("no filter: %s", strerror(errno));
}

static void open_waiting(int *ends, int *peers)
{
	struct linger second = { .l_onoff = 1, .l_linger = 1 };
	int listener = listen_for(0);
	struct sockaddr_in at = address_of(listener);
	struct connection connection;

	for (int i = 0; i < WAITING; i++) {
		open_connection(listener, &at, &connection);
		make_deaf(connection.peer);
		setsockopt(connection.end, SOL_SOCKET, SO_LINGER, &second, sizeof(second));
		ends[i] = connection.end;
		peers[i] = connection.peer;
	}
	close(listener);
}

static void close_fds(const int *fds)
{
	for (int i = 0; i < WAITING; i++)
		close(fds[i]);
}

static bool has_waited(const json_t *record, const char *via)
{
	const char *linger = text_of(record, "linger");

	if (!is_close(record) || strcmp(text_of(record, "branch"), "fin"))
		return false;
	if (!strcmp(via, "tracepoint"))
		return true;
	/* The return of sk_stream_wait_close() may have been missed, and that of the close not. */
	if (strcmp(linger, "timed-out") && (strcmp(via, "kprobe") || strcmp(linger, "null")))
		return false;
	return number_of(record, "blocked_us") >= 990000;
}

static void run_waiting(const char *via)
{
	int ends[WAITING], peers[WAITING];
	struct totals totals;
	struct held held;
	const json_t *record;
	struct run run;
	long right = 0;
	size_t i;

	open_waiting(ends, peers);
	if (hold(&held)) {
		close_fds(peers);
		close_all(ends);
		_exit(0);
	}
	/* Only its own are the last. */
	close_fds(ends);
	start(&run, via, &held, 1, NULL);
	let_go(&held);
	ended_well(&held);
	run_stop(&run);
	close_fds(peers);

	json_array_foreach(run.records, i, record)
		right += has_waited(record, via);
	totals = run_totals(&run);
	if (!ok(totals.closes + totals.lost == WAITING && !totals.unknown && right == totals.closes,
		"%s: %d lingering closes at once: each is told or counted as lost", via, WAITING))
		note("%ld right records; %s", right, run.told);
	note("%s: %d lingering closes at once: %ld told, %ld lost", via, WAITING, totals.closes, totals.lost);
	run_free(&run);
}

/* ---- the whole ---------------------------------------------------------------------------------- */

static int asked_for(void)
{
	const char *text = getenv("FLOOD");
	int count = text ? atoi(text) : 20000;

	if (count < 40)
		bail_out("FLOOD is \"%s\", not a number of connections from 40 on", text);
	return count;
}

/* On a preemptible kernel a task may be put off within a program; no other runs it there until
 * then (bpf_prog_info.recursion_misses). Kprobes' programs are not put off, and are what
 * closetrace takes there by itself. */
static const char left_out[] = "this kernel is preemptible: it leaves programs out, but kprobes'";

static bool leaves_out(const char *via)
{
	FILE *file = fopen("/sys/kernel/debug/sched/preempt", "re");
	char modes[64] = "";

	if (file && !fgets(modes, sizeof(modes), file))
		*modes = '\0';
	if (file)
		fclose(file);
	return strcmp(via, "kprobe") && (strstr(modes, "(full)") || strstr(modes, "(lazy)"));
}

int main(int argc, char **argv)
{
	const char *via = argc > 1 ? argv[1] : "fentry";
	int all = asked_for();
	const struct flood floods[] = {
		{ "one thread", 1, 1, all / 2, NULL },
		{ "-b unread-data", 1, 1, all / 4, "unread-data" },
		{ "four threads of two processes", 2, 2, all / 4, NULL },
	};

	alarm(PATIENCE_S + all / 100);
	network_enter();
	for (size_t i = 0; i < sizeof(floods) / sizeof(*floods); i++)
		if (floods[i].threads == 1 || !leaves_out(via))
			run_flood(&floods[i], via);
		else
			skip(left_out, "%s: %s", via, floods[i].name);
	if (!leaves_out(via))
		run_waiting(via);
	else
		skip(left_out, "%s: %d lingering closes at once", via, WAITING);
	return finish();
}
