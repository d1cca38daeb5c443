// SPDX-License-Identifier: GPL-2.0-only
/*
 * closetrace -c: the tables add up to what two processes did, each with a peer of its own, to the
 * last close; intervals add up to the whole, and a table that is full says so.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/live/live.h"
#include "user/await.h"

#define OPTIONS(...)              \
	(const char *const[])     \
	{                         \
		__VA_ARGS__, NULL \
	}
#define UNREAD 100
#define FULL   4096 /* rows of the table of peers */
#define BEYOND 100

static const char *via;

/* How often each way, of a connection whose other end is the process's own too. */
struct load {
	int zero, unread, fin, drained;
};

struct loader {
	const char *comm;
	struct load load;
	in_addr_t address; /* of both ends */
	pid_t pid;
	int line; /* a byte starts a load, another says that it is over */
};

static struct loader loaders[] = {
	{ "loader", { 5, 3, 4, 2 }, INADDR_LOOPBACK },
	{ "\033[31m\"\\\xff", { 2, 6, 1, 1 }, INADDR_LOOPBACK + 1 },
};
static const struct loader *const first = &loaders[0], *const second = &loaders[1];

/* ---- what a process does -------------------------------------------------------- */

static void must(bool good, const char *what)
{
	if (!good)
		bail_out("%s: %s", what, strerror(errno));
}

static struct sockaddr_in at(in_addr_t address)
{
	return (struct sockaddr_in){ .sin_family = AF_INET, .sin_addr.s_addr = htonl(address) };
}

static int bound(struct sockaddr_in *address)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	socklen_t size = sizeof(*address);

	must(fd >= 0 && !bind(fd, (struct sockaddr *)address, size) &&
		     !getsockname(fd, (struct sockaddr *)address, &size),
	     "bind");
	return fd;
}

struct pair {
	int closer; /* closes first */
	int other;
};

static struct pair connected(int listener, const struct sockaddr_in *there)
{
	struct sockaddr_in here = at(ntohl(there->sin_addr.s_addr));
	struct pair pair = { .closer = bound(&here) };

	must(!connect(pair.closer, (const struct sockaddr *)there, sizeof(*there)), "connect");
	pair.other = accept(listener, NULL, NULL);
	must(pair.other >= 0, "accept");
	return pair;
}

/* A FIN or an RST comes to it. */
static void close_other(int fd)
{
	char byte;

	await_input(fd, "the end of a connection");
	must(read(fd, &byte, 1) <= 0, "read");
	close(fd);
}

static void linger(int fd, int seconds)
{
	struct linger linger = { .l_onoff = 1, .l_linger = seconds };

	must(!setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)), "SO_LINGER");
}

static void with_zero_linger(struct pair pair)
{
	linger(pair.closer, 0);
	close(pair.closer);
	close_other(pair.other);
}

static void with_unread_data(struct pair pair)
{
	static const char bytes[UNREAD];

	must(write(pair.other, bytes, sizeof(bytes)) == sizeof(bytes), "write");
	await_input(pair.closer, "data");
	close(pair.closer);
	close_other(pair.other);
}

static void with_fin(struct pair pair)
{
	close(pair.closer);
	close_other(pair.other);
}

static void with_time_to_linger(struct pair pair)
{
	linger(pair.closer, 30);
	close(pair.closer);
	close_other(pair.other);
}

static void make(int count, void (*act)(struct pair pair), int listener,
		 const struct sockaddr_in *there)
{
	while (count-- > 0)
		act(connected(listener, there));
}

static void make_load(const struct loader *loader)
{
	struct sockaddr_in there = at(loader->address);
	int listener = bound(&there);

	must(!listen(listener, 8), "listen");
	make(loader->load.zero, with_zero_linger, listener, &there);
	make(loader->load.unread, with_unread_data, listener, &there);
	make(loader->load.fin, with_fin, listener, &there);
	make(loader->load.drained, with_time_to_linger, listener, &there);
	close(listener);
}

static void start(struct loader *loader)
{
	int line[2];
	char byte;

	must(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, line), "socketpair");
	loader->line = line[0];
	loader->pid = fork();
	if (loader->pid)
		return;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_NAME, loader->comm);
	close(line[0]);
	while (read(line[1], &byte, 1) == 1) {
		make_load(loader);
		must(write(line[1], &byte, 1) == 1, "write");
	}
	_exit(0);
}

static void load(void)
{
	char byte = 0;

	for (size_t i = 0; i < 2; i++) {
		must(write(loaders[i].line, &byte, 1) == 1, "write");
		await_input(loaders[i].line, "a load");
		must(read(loaders[i].line, &byte, 1) == 1, "a loader");
	}
}

/* ---- what has to come of it --------------------------------------------------------- */

static long connections(const struct loader *loader)
{
	return loader->load.zero + loader->load.unread + loader->load.fin + loader->load.drained;
}

static long resets(const struct loader *loader)
{
	return loader->load.zero + loader->load.unread;
}

/* Both ends, and the listener. */
static long closes(const struct loader *loader)
{
	return 2 * connections(loader) + 1;
}

static bool knows_waits(void)
{
	return strcmp(via, "tracepoint");
}

/* ---- the tables ----------------------------------------------------------------------- */

/* Of all objects, over the rows whose key has this text: the sum of that number. */
static long long sum(const struct run *run, const char *section, const char *key, const char *text,
		     const char *number)
{
	long long total = 0;
	json_t *object, *row;
	size_t i, j;

	json_array_foreach(run->all, i, object)
		json_array_foreach(json_object_get(object, section), j,
				   row) if (!key || !strcmp(text_of(row, key), text)) total +=
		number_of(row, number);
	return total;
}

/* The same over the objects themselves. */
static long long sum_of(const struct run *run, const char *number)
{
	long long total = 0;
	json_t *object;
	size_t i;

	json_array_foreach(run->all, i, object) total += number_of(object, number);
	return total;
}

static bool all_are_tables(const struct run *run)
{
	size_t count = json_array_size(run->all);

	return count && count_events(run->all, "summary") == (int)count;
}

/* What the kernel left out by itself is told, and no test can keep it from that. */
static bool is_so(const struct run *run, bool good, const char *what)
{
	if (!good && run_totals(run).left_out)
		skip("the kernel left programs out", "%s: %s", via, what);
	else if (!ok(good, "%s: %s", via, what))
		note("%s%s", run->told, run->said);
	return good;
}

static void has(const struct run *run, const char *what, long long got, long long wanted)
{
	char text[128];

	snprintf(text, sizeof(text), "%s: %lld", what, wanted);
	if (!is_so(run, got == wanted, text))
		note("it is %lld", got);
}

/* Where a guest stands still for a while TCP sends again, and late: what answers that, outside of a
 * close, is no surprise. */
static long long strays(const struct run *run)
{
	return sum(run, "causes", "direction", "sent", "count");
}

static void has_resets(const struct run *run, const char *what, long long got, long long wanted)
{
	bool close = got > wanted && got <= wanted + strays(run);

	if (close)
		note("%lld strays", strays(run));
	has(run, what, close ? wanted : got, wanted);
}

static void has_branch(const struct run *run, const char *branch, long long wanted)
{
	char what[64];

	snprintf(what, sizeof(what), "closes by %s", branch);
	has(run, what, sum(run, "branches", "branch", branch, "closes"), wanted);
}

static void has_totals(const struct run *run, long closes, long resets)
{
	struct totals totals = run_totals(run);

	is_so(run,
	      totals.closes == closes && totals.resets >= resets &&
		      totals.resets <= resets + 2 * strays(run) && !totals.lost && !totals.unknown,
	      "... and the last line says the same");
}

static void has_branches(const struct run *run, int times)
{
	long zero = first->load.zero + second->load.zero,
	     unread = first->load.unread + second->load.unread;
	long fin = first->load.fin + second->load.fin,
	     drained = first->load.drained + second->load.drained;

	has_branch(run, "zero-linger", times * zero);
	has_branch(run, "unread-data", times * unread);
	has_branch(run, "already-closed", times * (zero + unread));
	has_branch(run, "fin", times * 2 * (fin + drained));
	has_branch(run, "listener", times * 2);
	has(run, "lingered to the end", sum(run, "branches", "linger", "drained", "closes"),
	    knows_waits() ? times * drained : 0);
	has(run, "linger resets", sum(run, "branches", "linger", "reset", "closes"), times * zero);
	has(run, "bytes unread", sum(run, "branches", NULL, NULL, "unread_bytes"),
	    times * unread * UNREAD);
	has(run, "... as a size", sum(run, "unread_bytes", NULL, NULL, "closes"), times * unread);
	has_resets(run, "RSTs received", sum(run, "causes", "cause", "reset-by-peer", "count"),
		   times * (zero + unread));
}

static void has_loader(const struct run *run, const struct loader *loader, int times)
{
	char address[INET_ADDRSTRLEN], comm[64];
	struct in_addr in = { htonl(loader->address) };

	inet_ntop(AF_INET, &in, address, sizeof(address));
	/* What is no UTF-8 is replaced. */
	snprintf(comm, sizeof(comm), "%s",
		 loader == first ? loader->comm : "\033[31m\"\\\xef\xbf\xbd");
	has(run, "closes of a process", sum(run, "processes", "comm", comm, "closes"),
	    times * closes(loader));
	has_resets(run, "RSTs of a process", sum(run, "processes", "comm", comm, "resets_sent"),
		   times * resets(loader));
	has(run, "bytes that it never read", sum(run, "processes", "comm", comm, "unread_bytes"),
	    times * loader->load.unread * UNREAD);
	has(run, "closes with a peer", sum(run, "peers", "raddr", address, "closes"),
	    times * 2 * connections(loader));
	has_resets(run, "RSTs to a peer", sum(run, "peers", "raddr", address, "resets_sent"),
		   times * resets(loader));
	has_resets(run, "RSTs from a peer", sum(run, "peers", "raddr", address, "resets_received"),
		   times * resets(loader));
}

static long all_closes(void)
{
	return closes(first) + closes(second);
}

static long all_resets(void)
{
	return resets(first) + resets(second);
}

static void has_loads(const struct run *run, int times)
{
	long long blocked = sum(run, "blocked_us", NULL, NULL, "closes");

	ok(all_are_tables(run), "%s: tables and nothing else", via);
	has_branches(run, times);
	has_loader(run, first, times);
	has_loader(run, second, times);
	has(run, "closes that blocked for a time", blocked,
	    knows_waits() ? times * all_closes() : 0);
	has(run, "the sum of closes", sum_of(run, "closes"), times * all_closes());
	has_totals(run, times * all_closes(), times * all_resets());
}

/* ---- the tests ------------------------------------------------------------------------ */

/* One load before the first table, one after that. */
static void intervals(void)
{
	struct run run;

	run_begin(&run, via, OPTIONS("-c", "-i", "0.3"));
	load();
	await_input(run.out, "a table");
	load();
	run_stop(&run);
	if (!ok(json_array_size(run.all) > 1, "%s: a table each interval", via))
		note("%s", run.said);
	has_loads(&run, 2);
	is_so(&run, !knows_waits() || run_told(&run, "counters agree: "),
	      "the kernel's counters agree");
	run_free(&run);
}

static void one_process(void)
{
	char pid[16];
	struct run run;

	snprintf(pid, sizeof(pid), "%d", first->pid);
	run_begin(&run, via, OPTIONS("-c", "-p", pid));
	load();
	run_stop(&run);
	ok(all_are_tables(&run), "%s: of one process: tables and nothing else", via);
	has(&run, "closes of all processes", sum(&run, "processes", NULL, NULL, "closes"),
	    closes(first));
	has_resets(&run, "RSTs that it sent and got",
		   sum(&run, "processes", "comm", first->comm, "resets_sent") +
			   sum(&run, "processes", "comm", first->comm, "resets_received"),
		   2 * resets(first));
	has_totals(&run, closes(first), resets(first));
	run_free(&run);
}

static long long others(const struct run *run)
{
	const json_t *peers = json_object_get(json_array_get(run->all, 0), "peers");
	const json_t *last = json_array_get(peers, json_array_size(peers) - 1);

	return json_is_true(json_object_get(last, "others")) ? number_of(last, "resets_received")
							     : 0;
}

/* Nobody listens there, so it is refused at once, and the socket forgets whom it had asked. */
static void meet(in_addr_t address, in_port_t port)
{
	struct sockaddr_in there = at(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	there.sin_port = port;
	must(connect(fd, (struct sockaddr *)&there, sizeof(there)) && errno == ECONNREFUSED,
	     "connect");
	close(fd);
}

static void too_many_peers(void)
{
	struct sockaddr_in nobody = at(INADDR_LOOPBACK);
	int held = bound(&nobody);
	struct run run;

	run_begin(&run, via, OPTIONS("-c", "-4", "-r"));
	for (int i = 0; i < FULL + BEYOND; i++)
		meet(INADDR_LOOPBACK + 256 + i, nobody.sin_port);
	run_stop(&run);
	close(held);
	ok(json_array_size(run.all) == 1, "%s: without -i, one table", via);
	has(&run, "RSTs of so many peers", sum(&run, "peers", NULL, NULL, "resets_received"),
	    FULL + BEYOND);
	/* 127.0.0.1 has a row, too, where the RSTs are seen that no socket sends. */
	has(&run, "... those of others", others(&run), BEYOND + (is_blind(via) ? 0 : 1));
	ok(run_told(&run, "closetrace: the table of peers was full"), "%s: ... which is told", via);
	has(&run, "closes that involve no RST", sum_of(&run, "closes"), 0);
	has(&run, "refusals", sum(&run, "causes", "cause", "refused", "count"), FULL + BEYOND);
	run_free(&run);
}

/* The peer has closed and hears no more; nobody closes what its RST has met. */
static void half_closed(void)
{
	struct sockaddr_in here = at(INADDR_LOOPBACK);
	int listener = bound(&here);
	struct pair pair;
	struct run run;

	must(!listen(listener, 1), "listen");
	pair = connected(listener, &here);
	run_begin(&run, via, OPTIONS("-c"));
	close(pair.closer);
	await_input(pair.other, "a FIN");
	must(write(pair.other, "late", 4) == 4, "write");
	must(!await_state(pair.other, TCP_CLOSE), "an RST");
	run_stop(&run);
	close(pair.other);
	close(listener);
	has(&run, "RSTs of who holds what is half closed",
	    sum(&run, "processes", "comm", "summary", "resets_received"), 1);
	has(&run, "RSTs received", sum(&run, "causes", "cause", "reset-by-peer", "count"), 1);
	run_free(&run);
}

/* ---- with -k ------------------------------------------------------------------------ */

static volatile int dropped;

/* What comes after close() keeps them on the stack, and apart. */
static __attribute__((noinline)) void drop_hard(int fd)
{
	close(fd);
	dropped++;
}

static __attribute__((noinline)) void drop_gently(int fd)
{
	close(fd);
	dropped--;
}

static long long of_site(const struct run *run, const char *function, const char *column)
{
	const json_t *sites = json_object_get(json_array_get(run->all, 0), "sites"), *row;
	size_t i;

	json_array_foreach(sites, i, row)
		if (!strncmp(text_of(row, "site"), function, strlen(function)))
			return number_of(row, column);
	return 0;
}

static void by_site(void)
{
	struct sockaddr_in here = at(INADDR_LOOPBACK);
	int listener = bound(&here);
	struct run run;

	must(!listen(listener, 1), "listen");
	/* With -p most of these would leave as records without -k, too. */
	run_begin(&run, via, OPTIONS("-c", "-k"));
	for (int i = 0; i < 7; i++) {
		struct pair pair = connected(listener, &here);

		linger(pair.closer, 0);
		drop_hard(pair.closer);
		await_input(pair.other, "the end of a connection");
		drop_gently(pair.other);
	}
	close(listener);
	run_stop(&run);
	has(&run, "closes, counted in the kernel", sum_of(&run, "closes"), 15);
	has(&run, "closes of the site that resets", of_site(&run, "drop_hard (summary.c:", "closes"), 7);
	has(&run, "... its RSTs", of_site(&run, "drop_hard (summary.c:", "resets_sent"), 7);
	has(&run, "closes of the other", of_site(&run, "drop_gently (summary.c:", "closes"), 7);
	has(&run, "... its RSTs", of_site(&run, "drop_gently (summary.c:", "resets_sent"), 0);
	run_free(&run);
}

int main(int argc, char **argv)
{
	via = argc > 1 ? argv[1] : "fentry";
	network_enter();
	start(&loaders[0]);
	start(&loaders[1]);
	intervals();
	one_process();
	too_many_peers();
	half_closed();
	by_site();
	return finish();
}
