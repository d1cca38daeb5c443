// SPDX-License-Identifier: GPL-2.0-only
/*
 * MPTCP: its subflows are TCP sockets that the kernel closes, often in a thread of its own, and
 * what aborts all of them is a fastclose, which is neither unread data nor a zero linger of TCP's.
 * Three witnesses for each way to close one: the records, the packets on the wire, the counters.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/live/counters.h"
#include "tests/live/live.h"
#include "tests/live/wire.h"
#include "user/await.h"

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif

#define FIRST_PORT     2000
#define FIRST_LISTENER 3000
#define COUNT(table)   (sizeof(table) / sizeof(*(table)))

static const char *via;
static struct wire *wire;
static char records_path[] = "/tmp/mptcp-XXXXXX";

/* ---- counters -------------------------------------------------------------------------- */

enum counter { OUT_RSTS, ON_CLOSE, ON_DATA, FASTCLOSES, MP_RSTS, COUNTERS };

static const char *const counter_names[COUNTERS][2] = {
	[OUT_RSTS] = { "Tcp", "OutRsts" },          [ON_CLOSE] = { "TcpExt", "TCPAbortOnClose" },
	[ON_DATA] = { "TcpExt", "TCPAbortOnData" }, [FASTCLOSES] = { "MPTcpExt", "MPFastcloseTx" },
	[MP_RSTS] = { "MPTcpExt", "MPRstTx" },
};

static unsigned int counts_before[COUNTERS];

static void read_counters(unsigned int *counts)
{
	for (int i = 0; i < COUNTERS; i++)
		counts[i] = counter_of(counter_names[i][0], counter_names[i][1]);
}

/* ---- the closers: each in a process of its own, which has the socket alone ----------------- */

static void by_close(int fd)
{
	close(fd);
}

static void by_kill(int fd)
{
	raise(SIGKILL);
}

static void by_zero_linger(int fd)
{
	const struct linger now = { .l_onoff = 1 };

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	close(fd);
}

static void by_dissolving(int fd)
{
	const struct sockaddr none = { .sa_family = AF_UNSPEC };

	connect(fd, &none, sizeof(none));
	close(fd);
}

/* ---- the scenes, and what each must give ------------------------------------------------- */

enum then {
	PEER_CLOSES,
	PEER_SENDS, /* to one that was closed, then closes */
	PEER_STAYS, /* so that it is found who holds what was reset */
	PEER_WAITS, /* for a minute, and the kernel does not wait for longer */
};

static const struct scene {
	const char *name;
	void (*close)(int fd);
	int protocol, peer_protocol;
	bool accepted; /* the one that is closed; else it has connected */
	bool unread;
	enum then then;
	const char *wire, *peer_wire;
	unsigned int counts[COUNTERS];
	const char *branches; /* with a bar between; of the subflow that is closed */
	const char *linger;
	bool is_tcp;       /* it fell back before it was accepted */
	const char *owner; /* of the fastclose; NULL: none was sent, or nobody's */
} scenes[] = {
	/* clang-format off */
	/* Each end says so within the connection; then the kernel closes both subflows. */
	{ "both close", by_close, IPPROTO_MPTCP, IPPROTO_MPTCP, .wire = "F.", .peer_wire = "F.",
	  .branches = "fin|fin-already-sent|not-connected" },
	{ "the accepted one closes first", by_close, IPPROTO_MPTCP, IPPROTO_MPTCP, .accepted = true,
	  .wire = "F.", .peer_wire = "F.", .branches = "fin|fin-already-sent|not-connected" },
	{ "late data", by_close, IPPROTO_MPTCP, IPPROTO_MPTCP, .then = PEER_SENDS, .wire = "F.",
	  .peer_wire = "F.", .branches = "fin|fin-already-sent|not-connected" },

	{ "unread data", by_close, IPPROTO_MPTCP, IPPROTO_MPTCP, .unread = true,
	  .then = PEER_STAYS, .wire = "R.", .peer_wire = "",
	  .counts = { [OUT_RSTS] = 1, [FASTCLOSES] = 1, [MP_RSTS] = 1 },
	  .branches = "already-closed", .owner = "closer" },
	{ "unread data of an accepted one", by_close, IPPROTO_MPTCP, IPPROTO_MPTCP, .accepted = true,
	  .unread = true, .then = PEER_STAYS, .wire = "R.", .peer_wire = "",
	  .counts = { [OUT_RSTS] = 1, [FASTCLOSES] = 1, [MP_RSTS] = 1 },
	  .branches = "already-closed", .owner = "closer" },
	{ "unread data, SIGKILL", by_kill, IPPROTO_MPTCP, IPPROTO_MPTCP, .unread = true,
	  .then = PEER_STAYS, .wire = "R.", .peer_wire = "",
	  .counts = { [OUT_RSTS] = 1, [FASTCLOSES] = 1, [MP_RSTS] = 1 },
	  .branches = "already-closed", .owner = "closer" },
	{ "zero linger", by_zero_linger, IPPROTO_MPTCP, IPPROTO_MPTCP, .then = PEER_STAYS,
	  .wire = "R.", .peer_wire = "", .counts = { [OUT_RSTS] = 1, [FASTCLOSES] = 1, [MP_RSTS] = 1 },
	  .branches = "already-closed", .owner = "closer" },
	{ "connect(AF_UNSPEC) before", by_dissolving, IPPROTO_MPTCP, IPPROTO_MPTCP, .then = PEER_STAYS,
	  .wire = "R.", .peer_wire = "", .counts = { [OUT_RSTS] = 1, [FASTCLOSES] = 1, [MP_RSTS] = 1 },
	  .branches = "not-connected", .owner = "socket" },
	/* It has a subflow all the same, and what was unread is not on it any more. */
	{ "fallen back", by_close, IPPROTO_MPTCP, IPPROTO_TCP, .wire = "F.", .peer_wire = "F.",
	  .branches = "fin|fin-already-sent|not-connected" },
	{ "fallen back, unread data", by_close, IPPROTO_MPTCP, IPPROTO_TCP, .unread = true, .wire = "F.",
	  .peer_wire = "F.", .branches = "fin" },
	{ "fallen back, zero linger", by_zero_linger, IPPROTO_MPTCP, IPPROTO_TCP, .then = PEER_STAYS,
	  .wire = "R.", .peer_wire = "", .counts = { [OUT_RSTS] = 1, [ON_DATA] = 1 },
	  .branches = "zero-linger", .linger = "reset" },
	{ "fallen back before accept()", by_close, IPPROTO_MPTCP, IPPROTO_TCP, .accepted = true,
	  .wire = "F.", .peer_wire = "F.", .branches = "fin", .is_tcp = true },
	{ "fallen back before accept(), unread data", by_close, IPPROTO_MPTCP, IPPROTO_TCP,
	  .accepted = true, .unread = true, .then = PEER_STAYS, .wire = "R.", .peer_wire = "",
	  .counts = { [OUT_RSTS] = 1, [ON_CLOSE] = 1 }, .branches = "unread-data", .is_tcp = true },

	/* mptcp_worker() gives up, for whoever had closed it. */
	{ "the peer does not close", by_close, IPPROTO_MPTCP, IPPROTO_MPTCP, .then = PEER_WAITS,
	  .wire = "R.", .peer_wire = "",
	  .counts = { [OUT_RSTS] = 1, [FASTCLOSES] = 1, [MP_RSTS] = 1 },
	  .branches = "not-connected" },
	/* clang-format on */
};

#define CHILDREN 2

/* Its children, too: tcp_disconnect() sends each an RST after the fastclose. */
static const struct listening {
	const char *name;
	int children, protocol;
	unsigned int counts[COUNTERS];
} listenings[] = {
	/* clang-format off */
	{ "a listener" },
	{ "a listener with 2 waiting", CHILDREN, IPPROTO_MPTCP,
	  { [OUT_RSTS] = 4, [FASTCLOSES] = 2, [MP_RSTS] = 2 } },
	{ "a listener with 2 waiting, fallen back", CHILDREN, IPPROTO_TCP, { [OUT_RSTS] = 2 } },
	/* clang-format on */
};

static struct played {
	const char *fault;            /* it was not */
	size_t closes;                /* that there must be a record of, the listener's too */
	pid_t pid;                    /* who closed it */
	unsigned int port, peer_port; /* of it, and of the other end */
	char wire[64], peer_wire[64];
	unsigned int counts[COUNTERS];
} plays[COUNT(scenes)], listener_plays[COUNT(listenings)];

/* ---- sockets ------------------------------------------------------------------------------- */

static struct sockaddr_in loopback(unsigned int port)
{
	return (struct sockaddr_in){ .sin_family = AF_INET,
				     .sin_port = htons(port),
				     .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
}

/* Each port is used once. */
static int socket_at(unsigned int port, int protocol)
{
	struct sockaddr_in at = loopback(port);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, protocol);

	if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof(at)))
		bail_out("no socket: %s", strerror(errno));
	return fd;
}

static int listen_on(unsigned int port, int protocol)
{
	int fd = socket_at(port, protocol);

	if (listen(fd, 8))
		bail_out("no listener: %s", strerror(errno));
	return fd;
}

static int connect_to(unsigned int port, unsigned int own_port, int protocol)
{
	struct sockaddr_in at = loopback(port);
	int fd = socket_at(own_port, protocol);

	if (connect(fd, (struct sockaddr *)&at, sizeof(at)))
		bail_out("no connection: %s", strerror(errno));
	return fd;
}

/* Only then both know that the other one speaks MPTCP. */
static void say(int from, int to)
{
	char byte;

	if (send(from, "x", 1, 0) != 1 || await_unread(to, 1) || recv(to, &byte, 1, 0) != 1)
		bail_out("no data: %s", strerror(errno));
}

/* ---- playing --------------------------------------------------------------------------------- */

static pid_t start_closer(int fd, void (*do_close)(int fd), int *go)
{
	int ends[2];
	pid_t pid;
	char word;

	if (pipe2(ends, O_CLOEXEC))
		bail_out("no pipe: %s", strerror(errno));
	fflush(stdout);
	pid = fork();
	if (pid) {
		close(fd);
		close(ends[0]);
		*go = ends[1];
		return pid;
	}
	prctl(PR_SET_NAME, "closer");
	dup2(fd, STDIN_FILENO);
	dup2(ends[0], STDOUT_FILENO);
	close_range(STDERR_FILENO, ~0U, 0);
	/* Not before the parent has closed its own: ours is the last. */
	if (!read(STDOUT_FILENO, &word, 1))
		do_close(STDIN_FILENO);
	_exit(0);
}

static pid_t let_close(int fd, void (*do_close)(int fd))
{
	int go;
	pid_t pid = start_closer(fd, do_close, &go);

	close(go);
	waitpid(pid, NULL, 0);
	return pid;
}

static bool has_counted(int index, long counts)
{
	const unsigned int *wanted = (const unsigned int *)counts;
	unsigned int now[COUNTERS];

	read_counters(now);
	for (int i = 0; i < COUNTERS; i++)
		if (now[i] - counts_before[i] < wanted[i])
			return false;
	return true;
}

static bool has_sent(int port, long flags)
{
	char sent[64];

	wire_flags(wire, port, sent, sizeof(sent));
	return strlen(sent) >= strlen((const char *)flags);
}

static void count(struct played *played)
{
	read_counters(played->counts);
	for (int i = 0; i < COUNTERS; i++)
		played->counts[i] -= counts_before[i];
}

static int accept_from(int listener)
{
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

	if (fd < 0)
		bail_out("nothing to accept: %s", strerror(errno));
	return fd;
}

/* Returns the listener. */
static int connect_pair(const struct scene *scene, const struct played *played, int *end, int *peer)
{
	int listener;

	if (scene->accepted) {
		listener = listen_on(played->port, scene->protocol);
		*peer = connect_to(played->port, played->peer_port, scene->peer_protocol);
		*end = accept_from(listener);
	} else {
		listener = listen_on(played->peer_port, scene->peer_protocol);
		*end = connect_to(played->peer_port, played->port, scene->protocol);
		*peer = accept_from(listener);
	}
	say(*peer, *end);
	say(*end, *peer);
	if (scene->unread && (send(*peer, "x", 1, 0) != 1 || await_unread(*end, 1)))
		bail_out("no data to leave unread: %s", strerror(errno));
	return listener;
}

/* Some releases have no fastclose for it, nor anything else before the kernel closes the subflow.
 * What there is, is sent before close() returns. */
static bool is_unheeded(const struct scene *scene)
{
	unsigned int now[COUNTERS];

	read_counters(now);
	return scene->close == by_zero_linger && now[OUT_RSTS] == counts_before[OUT_RSTS];
}

static void leave_peer(const struct scene *scene, struct played *played, int peer)
{
	if (scene->then == PEER_SENDS && send(peer, "x", 1, MSG_NOSIGNAL) != 1)
		note("%s: %s", scene->name, strerror(errno));
	for (int i = 0; scene->then == PEER_WAITS && i < 7; i++)
		await(has_counted, 0, (long)scene->counts);
	played->closes = 2;
	if (scene->then == PEER_STAYS || scene->then == PEER_WAITS)
		return;
	close(peer);
	played->closes++;
}

static void play(const struct scene *scene, struct played *played)
{
	int end, peer, listener;

	if (scene->then == PEER_WAITS && !getenv("SLOW")) {
		played->fault = "it takes a minute; SLOW=1 waits";
		return;
	}
	played->port = FIRST_PORT + 2 * (played - plays);
	played->peer_port = played->port + 1;
	listener = connect_pair(scene, played, &end, &peer);
	wire_forget(wire);
	read_counters(counts_before);
	played->pid = let_close(end, scene->close);
	close(listener);
	if (is_unheeded(scene)) {
		played->fault = "this kernel's MPTCP does not heed it";
		played->closes = 1;
		return;
	}
	leave_peer(scene, played, peer);
	await(has_counted, 0, (long)scene->counts);
	await(has_sent, played->port, (long)scene->wire);
	await(has_sent, played->peer_port, (long)scene->peer_wire);
	wire_flags(wire, played->port, played->wire, sizeof(played->wire));
	wire_flags(wire, played->peer_port, played->peer_wire, sizeof(played->peer_wire));
	count(played);
}

static void play_listening(const struct listening *listening, struct played *played)
{
	unsigned int port = FIRST_LISTENER + (CHILDREN + 1) * (played - listener_plays);
	int listener = listen_on(port, IPPROTO_MPTCP), clients[CHILDREN], go;

	played->port = port;
	for (int i = 0; i < listening->children; i++)
		clients[i] = connect_to(port, port + 1 + i, listening->protocol);
	await_children(listener, listening->children);
	wire_forget(wire);
	read_counters(counts_before);
	played->pid = start_closer(listener, by_close, &go);
	close(go);
	waitpid(played->pid, NULL, 0);
	await(has_counted, 0, (long)listening->counts);
	count(played);
	for (int i = 0; i < listening->children; i++)
		close(clients[i]);
}

/* ---- the records ----------------------------------------------------------------------- */

static bool is_sent(const json_t *record)
{
	return is_reset(record) && !strcmp(text_of(record, "direction"), "sent");
}

static bool same_truth(const json_t *record, const char *key, bool want)
{
	const json_t *value = json_object_get(record, key);

	if (json_is_boolean(value) && json_boolean_value(value) == want)
		return true;
	note("%s is not %s", key, want ? "true" : "false");
	return false;
}

static bool is_one_of(const char *word, const char *words)
{
	char *copy = strdup(words), *rest = copy, *each;
	bool found = false;

	while ((each = strsep(&rest, "|")))
		found |= !strcmp(each, word);
	free(copy);
	return found;
}

static bool is_between(const json_t *record, unsigned int port, unsigned int peer_port)
{
	return number_of(record, "lport") == port && number_of(record, "rport") == peer_port;
}

static const json_t *close_between(const json_t *records, unsigned int port, unsigned int peer_port)
{
	const json_t *record;
	size_t i;

	json_array_foreach(records, i,
			   record) if (is_close(record) &&
				       is_between(record, port, peer_port)) return record;
	return NULL;
}

/* A subflow that was dissolved has no peer any more. */
static const json_t *close_of(const json_t *records, const struct played *played)
{
	const json_t *record = close_between(records, played->port, played->peer_port);

	return record ? record : close_between(records, played->port, 0);
}

/* The connection's own, where the port is a listener's as well. */
static int count_closes(const json_t *records, unsigned int port)
{
	const json_t *record;
	int count = 0;
	size_t i;

	json_array_foreach(records, i, record) count +=
		is_close(record) && number_of(record, "lport") == port;
	return count;
}

static bool right_close(const struct scene *scene, const struct played *played,
			const json_t *record)
{
	const char *branch = text_of(record, "branch");
	bool good = same_truth(record, "mptcp", !scene->is_tcp);

	if (!is_one_of(branch, scene->branches)) {
		note("branch is %s, expected %s", branch, scene->branches);
		good = false;
	}
	good &= same_text(record, "linger", scene->linger);
	if (!strcmp(text_of(record, "context"), "kernel"))
		return good;
	return good & same_number(record, "pid", played->pid);
}

/* An accepted one has its listener's port, and may be taken for that where it is not seen. */
static bool is_unseen(const struct scene *scene, const json_t *record)
{
	return !strcmp(via, "tracepoint") &&
	       (!record || (scene->accepted && !number_of(record, "rport")));
}

static void check_close(const struct scene *scene, const struct played *played,
			const json_t *records)
{
	const json_t *record = close_of(records, played);

	if (is_unseen(scene, record))
		skip("tracepoints do not show it", "%s: %s: closed", via, scene->name);
	else
		ok(record && right_close(scene, played, record), "%s: %s: closed", via,
		   scene->name);
}

static bool right_reset(const json_t *record, const json_t *records, const struct scene *scene,
			const struct played *played)
{
	const json_t *close = close_of(records, played);
	bool good = same_text(record, "cause", "mptcp-fastclose");

	good &= same_text(record, "owner", scene->owner);
	good &= same_text(record, "comm", scene->owner ? "closer" : NULL);
	good &= same_number(record, "pid", scene->owner ? played->pid : -1);
	good &= same_text(record, "state", "ESTABLISHED");
	if (strcmp(text_of(record, "reason"), "null"))
		good &= same_text(record, "reason", "TCP_ABORT_ON_CLOSE");
	/* Where tcp_disconnect() ran between there is nothing left to know it by. */
	if (close && number_of(close, "rport"))
		good &= same_number(record, "id", number_of(close, "id"));
	return good;
}

static void check_resets(const struct scene *scene, const struct played *played,
			 const json_t *records)
{
	int wanted = scene->counts[FASTCLOSES], count = 0;
	const json_t *record;
	bool good = true;
	size_t i;

	json_array_foreach(records, i, record)
	{
		if (!is_sent(record) || !is_between(record, played->port, played->peer_port))
			continue;
		good &= right_reset(record, records, scene, played);
		count++;
	}
	if (count != wanted)
		note("%d records, expected %d", count, wanted);
	ok(good && count == wanted, "%s: %s: %s", via, scene->name,
	   wanted ? "a fastclose, and whose it is" : "no reset but its close's");
}

/* Told of by its own process, which had not closed it yet. */
static void check_received(const struct scene *scene, const struct played *played,
			   const json_t *records)
{
	int wanted = !strcmp(scene->wire, "R."), count = 0;
	const json_t *record;
	bool good = true;
	size_t i;

	json_array_foreach(records, i, record)
	{
		if (!is_reset(record) || !is_between(record, played->peer_port, played->port))
			continue;
		good &= same_text(record, "cause", "reset-by-peer");
		good &= same_text(record, "owner", "socket") & same_number(record, "pid", getpid());
		count++;
	}
	ok(good && count == wanted, "%s: %s: %s", via, scene->name,
	   wanted ? "its peer was reset" : "its peer was not reset");
}

static bool right_counters(const unsigned int *counts, const unsigned int *wanted)
{
	bool good = true;

	for (int i = 0; i < COUNTERS; i++) {
		if (counts[i] == wanted[i])
			continue;
		note("%s is %u, expected %u", counter_names[i][1], counts[i], wanted[i]);
		good = false;
	}
	return good;
}

static bool right_wire(const struct scene *scene, const struct played *played)
{
	if (!strcmp(played->wire, scene->wire) && !strcmp(played->peer_wire, scene->peer_wire))
		return true;
	note("on the wire: \"%s\" expected \"%s\", and \"%s\" expected \"%s\" the other way",
	     played->wire, scene->wire, played->peer_wire, scene->peer_wire);
	return false;
}

static void check(const struct scene *scene, const struct played *played, const json_t *records)
{
	if (played->fault) {
		skip(played->fault, "%s: %s", via, scene->name);
		return;
	}
	check_close(scene, played, records);
	check_resets(scene, played, records);
	check_received(scene, played, records);
	ok(right_wire(scene, played), "%s: %s: the wire", via, scene->name);
	ok(right_counters(played->counts, scene->counts), "%s: %s: the counters", via, scene->name);
}

/* Each child may have two: a fastclose, then inet_child_forget(). */
static bool right_children(const struct listening *listening, const struct played *played,
			   const json_t *records)
{
	unsigned int fastcloses = 0, forgotten = 0;
	const json_t *record;
	bool good = true;
	size_t i;

	json_array_foreach(records, i, record)
	{
		if (!is_sent(record) || number_of(record, "lport") != played->port)
			continue;
		fastcloses += !strcmp(text_of(record, "cause"), "mptcp-fastclose");
		forgotten += !strcmp(text_of(record, "cause"), "unaccepted-child");
		good &= same_text(record, "owner", "closer");
		good &= same_number(record, "pid", played->pid);
	}
	if (fastcloses == listening->counts[FASTCLOSES] &&
	    forgotten == (unsigned int)listening->children)
		return good;
	note("%u of fastclose, %u of children", fastcloses, forgotten);
	return false;
}

/* MPTCP stops it first, so TCP finds it in CLOSE. */
static void check_listening(const struct listening *listening, const struct played *played,
			    const json_t *records)
{
	const json_t *record = close_between(records, played->port, 0);
	bool good = record && same_truth(record, "mptcp", true);

	good = good && same_text(record, "branch", "not-connected") &&
	       same_number(record, "pid", played->pid);
	ok(good && count_closes(records, played->port) == 1, "%s: %s: one record", via,
	   listening->name);
	ok(right_children(listening, played, records), "%s: %s: its children's resets", via,
	   listening->name);
	ok(right_counters(played->counts, listening->counts), "%s: %s: the counters", via,
	   listening->name);
}

/* ---- all of it --------------------------------------------------------------------------- */

/* Where the kernel lacks it, or has it switched off. */
static void require_mptcp(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_MPTCP);

	if (fd >= 0) {
		close(fd);
		return;
	}
	skip(strerror(errno), "%s: MPTCP", via);
	exit(finish());
}

/* The kernel's thread takes its time: two subflows and a listener for each. */
static bool is_complete(int unused, long arg)
{
	struct run *run = (struct run *)arg;
	size_t wanted = COUNT(listenings);

	for (size_t i = 0; i < COUNT(scenes); i++)
		wanted += plays[i].closes;
	for (size_t i = 0; i < COUNT(listenings); i++)
		wanted += listenings[i].children;
	run->is_json = false; /* the last line may be half there */
	run_read_file(run, records_path);
	run->is_json = true;
	return json_array_size(run->records) >= wanted;
}

int main(int argc, char **argv)
{
	const char *to_file[] = { "-o", records_path, NULL };
	struct run run;

	via = argc > 1 ? argv[1] : "fentry";
	network_enter();
	require_mptcp();
	wire = wire_open();
	if (!wire || mkstemp(records_path) < 0)
		bail_out("no capture, or no file");
	run_begin(&run, via, to_file);
	for (size_t i = 0; i < COUNT(scenes); i++)
		play(&scenes[i], &plays[i]);
	for (size_t i = 0; i < COUNT(listenings); i++)
		play_listening(&listenings[i], &listener_plays[i]);
	if (strcmp(via, "tracepoint"))
		await(is_complete, 0, (long)&run);
	run_stop(&run);
	run_read_file(&run, records_path);
	unlink(records_path);
	wire_close(wire);
	for (size_t i = 0; i < COUNT(scenes); i++)
		check(&scenes[i], &plays[i], run.all);
	for (size_t i = 0; i < COUNT(listenings); i++)
		check_listening(&listenings[i], &listener_plays[i], run.all);
	if (!ok(!run_totals(&run).lost && !run_totals(&run).unknown, "%s: none lost, none unknown",
		via))
		note("%s", run.told);
	run_free(&run);
	return finish();
}
