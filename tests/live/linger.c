// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who set SO_LINGER, on which socket, and to what: each scene sets it in its own way and then
 * closes; what it did stands beside the records.  By tracepoint nothing of it is seen, and
 * nothing may be claimed.
 */
#include <errno.h>
#include <math.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/live/end_tcp.h"
#include "tests/live/linger_uring.h"
#include "tests/live/live.h"
#include "user/await.h"

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif

#define COUNT(table) (sizeof(table) / sizeof(*(table)))
#define MAX_SET	     4
#define REUSED	     64	/* sockets, so that their memory is another's soon */

static const char *via;
static bool blind;	/* tracepoints */
static size_t settings;	/* of all scenes */

/* What a scene did, as it is to be told. */
struct deed {
	const char *skipped;	/* why */
	uint16_t lport, rport;	/* of the socket that was closed */
	struct {
		pid_t pid;
		bool on;
		int seconds;
	} set[MAX_SET];		/* on that socket */
	size_t count;
	pid_t setter;		/* of what it had when it was closed; 0: nobody's */
	bool inherited;
	int linger_s;		/* -1: off */
};

static const struct linger off, zero = { .l_onoff = 1 };

static struct linger seconds(int s)
{
	return (struct linger){ .l_onoff = 1, .l_linger = s };
}

/* ---- the steps ---------------------------------------------------------------------- */

static void note_set(struct deed *deed, struct linger linger, pid_t pid)
{
	deed->set[deed->count].pid = deed->setter = pid;
	deed->set[deed->count].on = linger.l_onoff;
	deed->set[deed->count++].seconds = linger.l_onoff ? linger.l_linger : -1;
	deed->linger_s = linger.l_onoff ? linger.l_linger : -1;
	settings++;
}

static void set(struct deed *deed, int fd, struct linger linger)
{
	if (setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)))
		bail_out("no SO_LINGER: %s", strerror(errno));
	note_set(deed, linger, getpid());
}

static struct pair connected(struct deed *deed)
{
	struct pair pair;

	pair_open(&pair, AF_INET, false, false);
	deed->lport = pair.lport;
	deed->rport = pair.rport;
	return pair;
}

static void close_pair(struct pair *pair)
{
	close(pair->end);
	close(pair->peer);
}

static void await_child(pid_t child)
{
	int status;

	if (child < 0 || waitpid(child, &status, 0) != child || status)
		bail_out("the other process failed");
}

static int listen_there(int protocol)
{
	const struct sockaddr_storage at = loopback_at(AF_INET, 0);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, protocol);

	if (fd < 0 || bind(fd, (const struct sockaddr *)&at, sizeof(struct sockaddr_in)) || listen(fd, 8))
		bail_out("no listener: %s", strerror(errno));
	return fd;
}

static int connect_there(int listener, int protocol)
{
	const struct sockaddr_storage at = loopback_at(AF_INET, port_of(listener));
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, protocol);

	if (fd < 0 || connect(fd, (const struct sockaddr *)&at, sizeof(struct sockaddr_in)))
		bail_out("no connection: %s", strerror(errno));
	return fd;
}

/* ---- the scenes ----------------------------------------------------------------------- */

static void set_to_zero(struct deed *deed)
{
	struct pair pair = connected(deed);

	set(deed, pair.end, zero);
	close_pair(&pair);
}

static void set_to_seconds(struct deed *deed)
{
	struct pair pair = connected(deed);

	set(deed, pair.end, seconds(7));
	close_pair(&pair);
}

static void set_before_connect(struct deed *deed)
{
	int listener = listen_there(0), fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	const struct sockaddr_storage at = loopback_at(AF_INET, port_of(listener));

	set(deed, fd, zero);
	if (connect(fd, (const struct sockaddr *)&at, sizeof(struct sockaddr_in)))
		bail_out("no connection: %s", strerror(errno));
	deed->lport = port_of(fd);
	deed->rport = port_of(listener);
	close(fd);
	close(listener);
}

static void set_on_ipv6(struct deed *deed)
{
	struct pair pair;

	pair_open(&pair, AF_INET6, false, false);
	deed->lport = pair.lport;
	deed->rport = pair.rport;
	set(deed, pair.end, seconds(2));
	close_pair(&pair);
}

static void switched_off(struct deed *deed)
{
	struct pair pair = connected(deed);

	set(deed, pair.end, seconds(3));
	set(deed, pair.end, off);
	close_pair(&pair);
}

static void set_twice(struct deed *deed)
{
	struct pair pair = connected(deed);

	set(deed, pair.end, seconds(3));
	set(deed, pair.end, zero);
	close_pair(&pair);
}

static void set_by_a_child(struct deed *deed)
{
	struct pair pair = connected(deed);
	pid_t child = fork();

	if (!child)
		_exit(setsockopt(pair.end, SOL_SOCKET, SO_LINGER, &zero, sizeof(zero)) != 0);
	await_child(child);
	note_set(deed, zero, child);
	close_pair(&pair);
}

static void pass(int over, int fd)
{
	char room[CMSG_SPACE(sizeof(fd))] = {}, byte = 0;
	struct iovec one = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr message = {
		.msg_iov = &one, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof(room),
	};
	struct cmsghdr *rights = CMSG_FIRSTHDR(&message);

	rights->cmsg_level = SOL_SOCKET;
	rights->cmsg_type = SCM_RIGHTS;
	rights->cmsg_len = CMSG_LEN(sizeof(fd));
	memcpy(CMSG_DATA(rights), &fd, sizeof(fd));
	if (sendmsg(over, &message, 0) != 1)
		bail_out("no SCM_RIGHTS: %s", strerror(errno));
}

static int receive(int over)
{
	char room[CMSG_SPACE(sizeof(int))] = {}, byte;
	struct iovec one = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr message = {
		.msg_iov = &one, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof(room),
	};
	int fd = -1;

	if (recvmsg(over, &message, 0) == 1 && CMSG_FIRSTHDR(&message))
		memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(fd));
	return fd;
}

/* The other has no descriptor of ours but this one. */
static void set_by_who_was_passed_it(struct deed *deed)
{
	struct linger two = seconds(2);
	struct pair pair;
	int over[2], fd;
	pid_t child;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, over))
		bail_out("no pair: %s", strerror(errno));
	child = fork();
	if (!child) {
		fd = receive(over[1]);
		_exit(setsockopt(fd, SOL_SOCKET, SO_LINGER, &two, sizeof(two)) != 0);
	}
	pair = connected(deed);
	pass(over[0], pair.end);
	await_child(child);
	note_set(deed, two, child);
	close(over[0]);
	close(over[1]);
	close_pair(&pair);
}

static void refused(struct deed *deed)
{
	struct pair pair = connected(deed);

	if (!setsockopt(pair.end, SOL_SOCKET, SO_LINGER, &zero, sizeof(zero) - 1))
		bail_out("half a struct linger is taken");
	close_pair(&pair);
}

static void refused_after_one(struct deed *deed)
{
	struct pair pair = connected(deed);

	set(deed, pair.end, seconds(4));
	if (!setsockopt(pair.end, SOL_SOCKET, SO_LINGER, &zero, 1))
		bail_out("a byte of a struct linger is taken");
	close_pair(&pair);
}

/* The child of a listener; what is set on it before and after the connection comes in. */
static void accept_from(struct deed *deed, const struct linger *before, const struct linger *after,
			const struct linger *own)
{
	struct deed listeners = {};
	int listener = listen_there(0), fd, child;

	if (before)
		set(&listeners, listener, *before);
	fd = connect_there(listener, 0);
	if (await_children(listener, 1))
		bail_out("nobody came");
	if (after)
		set(&listeners, listener, *after);
	child = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	deed->lport = port_of(listener);
	deed->rport = port_of(fd);
	if (own)
		set(deed, child, *own);
	close(child);
	close(fd);
	close(listener);
}

static void inherited(struct deed *deed)
{
	accept_from(deed, &zero, NULL, NULL);
	deed->setter = getpid();
	deed->inherited = true;
	deed->linger_s = 0;
}

static void inherited_and_set(struct deed *deed)
{
	const struct linger own = seconds(5);

	accept_from(deed, &zero, NULL, &own);
}

/* It has what the listener had when it came, not what that has now. */
static void listener_changed(struct deed *deed)
{
	const struct linger later = seconds(5);

	accept_from(deed, &zero, &later, NULL);
	deed->setter = getpid();
	deed->inherited = true;
	deed->linger_s = 0;
}

static void listener_set_too_late(struct deed *deed)
{
	accept_from(deed, NULL, &zero, NULL);
}

/* A reset of the socket bears its name, too. */
static void reset_before_close(struct deed *deed)
{
	struct pair pair = connected(deed);

	set(deed, pair.end, seconds(6));
	make_abortive(pair.peer);
	settings++;
	close(pair.peer);
	if (await_state(pair.end, TCP_CLOSE))
		bail_out("not reset");
	close(pair.end);
}

static void by_io_uring(struct deed *deed)
{
	const struct linger eight = seconds(8);
	struct pair pair = connected(deed);

	if (uring_set_linger(pair.end, &eight))
		deed->skipped = strerror(errno);
	else
		note_set(deed, eight, getpid());
	close_pair(&pair);
}

/* Other sockets have the option, too. */
static void not_of_tcp(struct deed *deed)
{
	struct pair pair = connected(deed);
	int fds[] = { socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0),
		      socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0),
		      socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_TCP) };

	for (size_t i = 0; i < COUNT(fds); i++) {
		if (setsockopt(fds[i], SOL_SOCKET, SO_LINGER, &zero, sizeof(zero)))
			bail_out("no SO_LINGER there: %s", strerror(errno));
		close(fds[i]);
	}
	close_pair(&pair);
}

#define BY_A_CHILD 6

static const struct scene {
	const char *name;
	void (*play)(struct deed *deed);
} scenes[] = {
	{ "zero", set_to_zero },
	{ "seconds", set_to_seconds },
	{ "before connect()", set_before_connect },
	{ "IPv6", set_on_ipv6 },
	{ "on and off", switched_off },
	{ "twice", set_twice },
	[BY_A_CHILD] = { "by a child that inherited the descriptor", set_by_a_child },
	{ "by a process that was passed the descriptor", set_by_who_was_passed_it },
	{ "refused", refused },
	{ "refused after one that was not", refused_after_one },
	{ "inherited from the listener", inherited },
	{ "inherited, then set", inherited_and_set },
	{ "inherited, then the listener's changed", listener_changed },
	{ "the listener's was set too late", listener_set_too_late },
	{ "reset before it is closed", reset_before_close },
	{ "io_uring", by_io_uring },
	{ "not of TCP", not_of_tcp },
};

/* The memory of sockets that had a setting, taken by others that have none. */
static void use_memory_again(void)
{
	for (int i = 0; i < 2 * REUSED; i++) {
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		struct deed forgotten = {};

		if (i % 2)
			set(&forgotten, fd, zero);
		close(fd);
	}
}

/* A worker of the kernel's closes the subflow, and that may be the first or the second of the two. */
static void await_closed(uint16_t lport, uint16_t rport)
{
	const long long until_ns = now_ns() + AWAIT_S * 1000000000LL;
	int state;

	while ((state = state_at(lport, rport)) && state != TCP_TIME_WAIT && now_ns() < until_ns)
		nap_us(1000);
}

/* The first subflow is named as the MPTCP socket is. */
static void play_mptcp(struct deed *deed, const struct linger *linger)
{
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_MPTCP), fd, child;

	deed->skipped = listener < 0 ? strerror(errno) : NULL;
	if (deed->skipped)
		return;
	close(listener);
	listener = listen_there(IPPROTO_MPTCP);
	fd = connect_there(listener, IPPROTO_MPTCP);
	child = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	deed->lport = port_of(fd);
	deed->rport = port_of(listener);
	if (linger)
		set(deed, fd, *linger);
	close(fd);
	close(child);
	close(listener);
	await_closed(deed->lport, deed->rport);
}

/* ---- what must have been told ------------------------------------------------------------ */

static const json_t *close_of(const struct run *run, const struct deed *deed)
{
	const json_t *record;
	size_t i;

	json_array_foreach(run->records, i, record)
		if (is_close(record) && number_of(record, "lport") == deed->lport &&
		    number_of(record, "rport") == deed->rport)
			return record;
	return NULL;
}

static bool is_setting(const json_t *record)
{
	return is_event(record, "linger");
}

/* The next of this socket, from *at on. */
static const json_t *next_setting(const struct run *run, long long id, size_t *at)
{
	const json_t *record;

	while ((record = json_array_get(run->all, (*at)++)))
		if (is_setting(record) && number_of(record, "id") == id)
			return record;
	return NULL;
}

static bool is_as_done(const json_t *record, const struct deed *deed, size_t i)
{
	return record && number_of(record, "pid") == deed->set[i].pid &&
	       number_of(record, "seconds") == deed->set[i].seconds &&
	       json_is_true(json_object_get(record, "on")) == deed->set[i].on &&
	       !strcmp(text_of(record, "comm"), "linger");
}

/* And no more of them; *last is the time of the last. */
static bool has_settings(const struct run *run, const struct deed *deed, long long id, const char **last)
{
	const json_t *record;
	size_t at = 0;

	*last = NULL;
	for (size_t i = 0; i < deed->count; i++) {
		record = next_setting(run, id, &at);
		if (!is_as_done(record, deed, i))
			return false;
		*last = text_of(record, "time");
	}
	return !next_setting(run, id, &at);
}

static bool is_null(const json_t *record, const char *key)
{
	return json_is_null(json_object_get(record, key));
}

static bool names_nobody(const json_t *close)
{
	return is_null(close, "linger_set_time") && is_null(close, "linger_set_pid") &&
	       is_null(close, "linger_set_tid") && is_null(close, "linger_set_comm") &&
	       is_null(close, "linger_inherited");
}

static double seconds_of(const char *time)
{
	double s = -1;

	sscanf(time, "%*d-%*d-%*dT%*d:%*d:%lf", &s);
	return s;
}

/* Each batch of records asks anew what time it is.  A minute may end between them. */
static bool is_about(const char *a, const char *b)
{
	double apart = fabs(seconds_of(a) - seconds_of(b));

	return apart < 0.1 || apart > 59.9;
}

/* Times have one form, so those of one record are in order as text is. */
static bool names_setter(const json_t *close, const struct deed *deed, const char *last)
{
	const char *time = text_of(close, "linger_set_time");

	if (!deed->setter)
		return names_nobody(close);
	return number_of(close, "linger_set_pid") == deed->setter &&
	       number_of(close, "linger_set_tid") == deed->setter &&
	       !strcmp(text_of(close, "linger_set_comm"), "linger") &&
	       json_is_true(json_object_get(close, "linger_inherited")) == deed->inherited &&
	       strcmp(time, text_of(close, "time")) < 0 && (!last || is_about(time, last));
}

static void check_scene(const struct run *run, const struct scene *scene, const struct deed *deed)
{
	const json_t *close = close_of(run, deed);
	long long id = close ? number_of(close, "id") : -1;
	const char *last;
	bool good;

	if (!ok(close && number_of(close, "linger_s") == deed->linger_s &&
		number_of(close, "pid") == getpid(), "%s: %s: closed as it was set", via, scene->name))
		return;
	if (deed->skipped) {
		skip(deed->skipped, "%s: %s", via, scene->name);
		return;
	}
	if (blind) {
		ok(names_nobody(close), "%s: %s: the close names nobody", via, scene->name);
		return;
	}
	good = has_settings(run, deed, id, &last);
	ok(good, "%s: %s: a record for each time it was set, with the id of the close", via, scene->name);
	if (!ok(names_setter(close, deed, last), "%s: %s: the close says who set it", via, scene->name))
		note("%s", json_dumps(close, JSON_COMPACT));
}

/* By its own port alone: it may have been dissolved before. */
static const json_t *subflow_of(const struct run *run, const struct deed *deed)
{
	const json_t *record;
	size_t i;

	json_array_foreach(run->records, i, record)
		if (is_close(record) && number_of(record, "lport") == deed->lport &&
		    json_is_true(json_object_get(record, "mptcp")))
			return record;
	return NULL;
}

static void check_mptcp(const struct run *run, const struct deed *deed, const char *name)
{
	const json_t *close = subflow_of(run, deed);
	const char *last;

	/* Of those only some: the kernel closes them. */
	if (blind || deed->skipped) {
		skip(blind ? "tracepoints do not show it" : deed->skipped, "%s: %s", via, name);
		return;
	}
	if (!ok(close, "%s: %s: a subflow closed", via, name))
		return;
	ok(has_settings(run, deed, number_of(close, "id"), &last),
	   "%s: %s: a record for each time it was set, with the id of the first subflow's close", via, name);
	ok(names_setter(close, deed, last), "%s: %s: the close says who set it", via, name);
}

static bool is_unconnected(const json_t *record)
{
	return is_close(record) && !number_of(record, "lport") &&
	       !json_is_true(json_object_get(record, "mptcp"));
}

static void check_memory(const struct run *run)
{
	size_t with = 0, without = 0, wrong = 0, i;
	const json_t *record;
	long long last = -1;

	json_array_foreach(run->records, i, record) {
		bool set = !is_null(record, "linger_s"), named = !is_null(record, "linger_set_pid");

		if (!is_unconnected(record))
			continue;
		with += set;
		without += !set;
		wrong += named != (set && !blind) || number_of(record, "id") <= last;
		last = number_of(record, "id");
	}
	if (!ok(with == REUSED && without == REUSED, "%s: memory used again: a record for each socket", via))
		note("%zu and %zu", with, without);
	ok(!wrong, "%s: memory used again: each has its own id, and only its own setting", via);
}

static size_t count_settings(const struct run *run, pid_t of)
{
	const json_t *record;
	size_t count = 0, i;

	json_array_foreach(run->all, i, record)
		count += is_setting(record) && (!of || number_of(record, "pid") == of);
	return count;
}

/* Of whoever is wanted; who set it the closes say all the same. */
static void check_filtered(const struct run *run, const struct deed *by_child)
{
	const json_t *close = close_of(run, by_child);
	size_t count = count_settings(run, 0);

	ok(blind ? !count : count && count == count_settings(run, getpid()),
	   "%s: -p leaves out what others set", via);
	ok(close && (blind ? names_nobody(close) : names_setter(close, by_child, NULL)),
	   "%s: ... and the close names them", via);
}

int main(int argc, char **argv)
{
	char pid[16];
	const char *const of_us[] = { "-p", pid, NULL };
	struct deed deeds[COUNT(scenes)] = {}, early = {};
	struct deed mptcp = {}, mptcp_again = {};
	struct run all, ours;
	struct pair pair;

	via = argc > 1 ? argv[1] : "fentry";
	blind = !strcmp(via, "tracepoint");
	snprintf(pid, sizeof(pid), "%d", getpid());
	network_enter();
	pair = connected(&early);
	set(&early, pair.end, zero);
	early.count = early.setter = settings = 0;
	run_begin(&ours, via, of_us);
	/* The last: the other tries itself out on a socket, which this one would tell of. */
	run_begin(&all, via, NULL);
	close_pair(&pair);
	for (size_t i = 0; i < COUNT(scenes); i++) {
		deeds[i].linger_s = -1;
		scenes[i].play(&deeds[i]);
	}
	use_memory_again();
	play_mptcp(&mptcp, &off);
	play_mptcp(&mptcp_again, NULL);
	run_stop(&all);
	run_stop(&ours);
	check_scene(&all, &(struct scene){ "set before the trace began" }, &early);
	for (size_t i = 0; i < COUNT(scenes); i++)
		check_scene(&all, &scenes[i], &deeds[i]);
	check_mptcp(&all, &mptcp, "MPTCP");
	check_mptcp(&all, &mptcp_again, "MPTCP, memory used again");
	check_memory(&all);
	if (!ok(count_settings(&all, 0) == (blind ? 0 : settings), "%s: no other record of a setting", via))
		note("%zu, not %zu", count_settings(&all, 0), settings);
	check_filtered(&ours, &deeds[BY_A_CHILD]);
	run_free(&all);
	run_free(&ours);
	return finish();
}
