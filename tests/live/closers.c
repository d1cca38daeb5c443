// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who closes, and how the descriptor went: one right record from the right process, or none
 * where the kernel did not close.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/live/live.h"

/* A connection over loopback; what a scenario closes is `end`. */
struct pair {
	int listener, end, peer;
	unsigned int port;	/* of end */
};

static unsigned int port_of(int fd)
{
	struct sockaddr_in at;
	socklen_t size = sizeof(at);

	if (getsockname(fd, (struct sockaddr *)&at, &size))
		return 0;
	return ntohs(at.sin_port);
}

static int listen_on_loopback(int backlog)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof(at)) || listen(fd, backlog))
		bail_out("no listener: %s", strerror(errno));
	return fd;
}

static int connect_to(int listener)
{
	struct sockaddr_in at;
	socklen_t size = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (getsockname(listener, (struct sockaddr *)&at, &size) ||
	    connect(fd, (struct sockaddr *)&at, size))
		bail_out("no connection: %s", strerror(errno));
	return fd;
}

/* ---- the scenarios: each in a process of its own, which has `end` and nothing else ---- */

static void by_close(struct pair *pair)
{
	close(pair->end);
}

static void by_exit(struct pair *pair)
{
	_exit(0);
}

static void by_kill(struct pair *pair)
{
	raise(SIGKILL);
}

static void by_dup2(struct pair *pair)
{
	dup2(STDERR_FILENO, pair->end);
}

static void by_exec(struct pair *pair)
{
	/* The descriptor has SOCK_CLOEXEC. */
	execlp("true", "true", NULL);
}

static void *close_it(void *fd)
{
	close(*(int *)fd);
	return NULL;
}

static void by_thread(struct pair *pair)
{
	pthread_t thread;

	prctl(PR_SET_NAME, "main-thread");
	if (pthread_create(&thread, NULL, close_it, &pair->end))
		bail_out("no thread");
	pthread_join(thread, NULL);
}

/* The first close of a shared descriptor closes nothing; the child's is the last. */
static void by_child_last(struct pair *pair)
{
	int go[2];
	char word;
	pid_t child;

	if (pipe(go))
		_exit(1);
	child = fork();
	if (!child) {
		close(go[1]);
		_exit(read(go[0], &word, 1) < 0);	/* until the parent has closed */
	}
	close(pair->end);
	close(go[1]);
	close(go[0]);
	waitpid(child, NULL, 0);
}

static void by_shutdown_only(struct pair *pair)
{
	shutdown(pair->end, SHUT_RDWR);
	/* The parent has a copy of it, and closes it when the trace is over. */
}

static void by_dissolving(struct pair *pair)
{
	struct sockaddr none = { .sa_family = AF_UNSPEC };

	connect(pair->end, &none, sizeof(none));
	close(pair->end);
}

/* In flight in a socket that nobody can reach: the kernel's garbage collector closes it. */
static void by_collector(struct pair *pair)
{
	char room[CMSG_SPACE(2 * sizeof(int))] = {};
	struct iovec byte = { .iov_base = "x", .iov_len = 1 };
	struct msghdr message = { .msg_iov = &byte, .msg_iovlen = 1, .msg_control = room,
				  .msg_controllen = sizeof(room) };
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&message);
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends))
		_exit(1);
	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(2 * sizeof(int));
	memcpy(CMSG_DATA(cmsg), (int[]){ pair->end, ends[1] }, 2 * sizeof(int));
	if (sendmsg(ends[0], &message, 0) < 0)
		_exit(1);
	close(pair->end);
	close(ends[1]);
	close(ends[0]);
	/* Another pair that is closed wakes the collector, where it was not woken yet. */
	if (!socketpair(AF_UNIX, SOCK_STREAM, 0, ends)) {
		close(ends[0]);
		close(ends[1]);
	}
}

/* recv() holds the file: close() returns at once, and the socket is closed when recv() does. */
static void *receive(void *fd)
{
	char byte;

	prctl(PR_SET_NAME, "receiver");
	return (void *)(recv(*(int *)fd, &byte, 1, 0) - 1);
}

/* It takes its name right before it calls recv(), so once it sleeps, it sleeps there. */
static void await_receiver(pid_t tid)
{
	char path[64], stat[128] = "";
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", tid);
	do {
		file = fopen(path, "re");
		if (!file || !fgets(stat, sizeof(stat), file))
			bail_out("no thread to wait for");
		fclose(file);
	} while (!strstr(stat, "(receiver) S"));
}

static pid_t only_other_thread(void)
{
	char command[64];
	FILE *tasks;
	int tid = 0, each;

	snprintf(command, sizeof(command), "ls /proc/%d/task", getpid());
	tasks = popen(command, "re");
	while (tasks && fscanf(tasks, "%d", &each) == 1)
		if (each != getpid())
			tid = each;
	if (tasks)
		pclose(tasks);
	return tid;
}

static void by_receiver(struct pair *pair)
{
	int fd = dup(pair->end);
	pthread_t thread;

	close(pair->end);
	if (pthread_create(&thread, NULL, receive, &fd))
		bail_out("no thread");
	await_receiver(only_other_thread());
	close(fd);
	shutdown(pair->peer, SHUT_WR);
	close(pair->peer);
	pthread_join(thread, NULL);
}

/* ---- what each must give ------------------------------------------------------------- */

enum keeps {
	KEEPS_NOTHING,
	KEEPS_PEER,	/* the scenario closes the peer itself */
};

static const struct scenario {
	const char *name;
	void (*run)(struct pair *pair);
	const char *branch;	/* NULL: no record */
	const char *context;
	const char *comm;	/* NULL: the test's own */
	bool by_child;		/* another process than the scenario's own */
	bool by_thread;		/* another thread than the main one */
	enum keeps keeps;
} scenarios[] = {
	{ "close()", by_close, "fin", "syscall" },
	{ "exit()", by_exit, "fin", "exit" },
	{ "SIGKILL", by_kill, "fin", "exit" },
	{ "dup2() over it", by_dup2, "fin", "syscall" },
	{ "exec() with close-on-exec", by_exec, "fin", "syscall", "true" },
	{ "another thread", by_thread, "fin", "syscall", "main-thread", .by_thread = true },
	{ "the last of two processes", by_child_last, "fin", "exit", .by_child = true },
	{ "shutdown(SHUT_RDWR) alone", by_shutdown_only, NULL },
	{ "connect(AF_UNSPEC) before", by_dissolving, "not-connected", "syscall" },
	{ "recv() in another thread", by_receiver, "fin", "syscall", "receiver", .by_thread = true,
	  .keeps = KEEPS_PEER },
	{ "the collector of SCM_RIGHTS", by_collector, "fin", "kernel|syscall", "*", .by_child = true },
};

#define SCENARIOS (sizeof(scenarios) / sizeof(*scenarios))

static struct outcome_of {
	pid_t pid;
	struct pair pair;
} outcomes[SCENARIOS];

static void run_scenario(const struct scenario *scenario, struct outcome_of *outcome)
{
	struct pair *pair = &outcome->pair;
	int go[2];
	char word;

	if (pipe2(go, O_CLOEXEC))
		bail_out("no pipe: %s", strerror(errno));
	pair->listener = listen_on_loopback(1);
	pair->end = connect_to(pair->listener);
	pair->peer = accept4(pair->listener, NULL, NULL, SOCK_CLOEXEC);
	pair->port = port_of(pair->end);
	outcome->pid = fork();
	if (!outcome->pid) {
		close(pair->listener);
		close(go[1]);
		if (scenario->keeps != KEEPS_PEER)
			close(pair->peer);
		/* Not before ours is closed: theirs is the last. */
		if (read(go[0], &word, 1) < 0)
			_exit(1);
		scenario->run(pair);
		_exit(0);
	}
	/* Ours must not be the last: but where nothing shall be closed, it is, later. */
	if (scenario->branch)
		close(pair->end);
	if (scenario->keeps == KEEPS_PEER)
		close(pair->peer);
	close(go[0]);
	close(go[1]);
	waitpid(outcome->pid, NULL, 0);
}

/* The kernel thread takes its time; wait for what follows the close. */
static void await_fin(const struct pair *pair)
{
	struct timeval patience = { .tv_sec = 20 };
	char byte;

	setsockopt(pair->peer, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if (recv(pair->peer, &byte, 1, 0) < 0)
		note("no FIN: %s", strerror(errno));
}

static int count_records(const json_t *records, const struct pair *pair, const json_t **found)
{
	const json_t *record;
	size_t i;
	int count = 0;

	json_array_foreach(records, i, record)
		if (number_of(record, "lport") == pair->port &&
		    strcmp(text_of(record, "branch"), "listener")) {
			*found = record;
			count++;
		}
	return count;
}

static bool is_right(const json_t *record, const struct scenario *scenario, pid_t pid)
{
	const char *comm = scenario->comm ? scenario->comm : "closers";
	bool right = true;

	right &= !strcmp(text_of(record, "branch"), scenario->branch);
	right &= strstr(scenario->context, text_of(record, "context")) != NULL;
	right &= *comm == '*' || !strcmp(text_of(record, "comm"), comm);
	right &= scenario->by_child != (number_of(record, "pid") == pid) || *comm == '*';
	if (!scenario->by_child)
		right &= scenario->by_thread != (number_of(record, "tid") == pid);
	return right;
}

static void check(const struct scenario *scenario, const struct outcome_of *outcome,
		  const json_t *records, const char *via)
{
	const json_t *record = NULL;
	int count = count_records(records, &outcome->pair, &record);
	int wanted = scenario->branch ? 1 : 0;
	bool good = count == wanted && (!wanted || is_right(record, scenario, outcome->pid));
	char *text;

	ok(good, "%s: %s: %s", via, scenario->name, wanted ? "one right record" : "no record");
	if (good)
		return;
	text = record ? json_dumps(record, 0) : NULL;
	note("%d records, of pid %d: %s", count, outcome->pid, text ? text : "none");
	free(text);
}

/* Each connection that waits is reset, in the name of the one close of its listener. */
static void listener_with_children(unsigned int *port)
{
	int listener = listen_on_loopback(8), clients[3];

	*port = port_of(listener);
	for (int i = 0; i < 3; i++)
		clients[i] = connect_to(listener);
	close(listener);
	for (int i = 0; i < 3; i++)
		close(clients[i]);
}

static void check_listener(unsigned int port, const json_t *records, const char *via)
{
	const json_t *record;
	int listeners = 0, children = 0, dead = 0;
	size_t i;

	json_array_foreach(records, i, record) {
		bool here = number_of(record, "lport") == port;

		listeners += here && !strcmp(text_of(record, "branch"), "listener");
		children += here && strcmp(text_of(record, "branch"), "listener");
		dead += number_of(record, "rport") == port &&
			!strcmp(text_of(record, "branch"), "already-closed");
	}
	ok(listeners == 1 && !children, "%s: a listener with 3 waiting: one record, no child's", via);
	ok(dead == 3, "%s: its 3 clients had been reset before they closed", via);
}

int main(int argc, char **argv)
{
	const char *via = argc > 1 ? argv[1] : "fentry";
	unsigned int port;
	struct run run;

	network_enter();
	run_begin(&run, via, NULL);
	for (size_t i = 0; i < SCENARIOS; i++) {
		run_scenario(&scenarios[i], &outcomes[i]);
		if (scenarios[i].branch && scenarios[i].keeps != KEEPS_PEER &&
		    strcmp(scenarios[i].branch, "not-connected"))
			await_fin(&outcomes[i].pair);
	}
	listener_with_children(&port);
	run_stop(&run);
	for (size_t i = 0; i < SCENARIOS; i++)
		check(&scenarios[i], &outcomes[i], run.records, via);
	check_listener(port, run.records, via);
	if (!ok(!run_totals(&run).lost && !run_totals(&run).unknown, "%s: none lost, none unknown", via))
		note("%s", run.told);
	run_free(&run);
	return finish();
}
