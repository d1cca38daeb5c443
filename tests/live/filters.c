// SPDX-License-Identifier: GPL-2.0-only
/*
 * The same closes under each filter, several filters at a time.  The cast is a family of processes, one that has nothing
 * to do with it, and one in another network namespace; each notes what it closes where all
 * can see it.  The records must be those that the filter admits, one for one.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/live/live.h"
#include "user/await.h"

#define MAX_CLOSES 1024
#define MAX_ARGS 24
#define TOGETHER 9		/* tracers at the same time */
#define ROOM (1 << 20)		/* for all that one of them prints */

enum who {
	ALPHA,
	BETA,		/* alpha's child, there before the start */
	GAMMA,		/* beta's child, there before the start */
	DELTA,		/* alpha's child, born later; ends, with a socket open */
	EPSILON,	/* delta's child, outlives delta */
	OTHER,		/* has alpha's name, and nothing to do with it */
	ABROAD,		/* in another network namespace */
	WHO_COUNT,
};

static const char *const names[WHO_COUNT] = {
	[ALPHA] = "alpha", [BETA] = "beta", [GAMMA] = "gamma", [DELTA] = "descendant-one",
	[EPSILON] = "descendant-two", [OTHER] = "alpha", [ABROAD] = "abroad",
};

enum branch {
	NO_CLOSE,
	LISTENER,
	NOT_CONNECTED,
	ALREADY_CLOSED,
	REPAIR,
	UNREAD_DATA,
	ZERO_LINGER,
	FIN,
	FIN_ALREADY_SENT,
	CONNECT_CANCELLED,
};

static const char *const branches[] = {
	[LISTENER] = "listener", [NOT_CONNECTED] = "not-connected",
	[ALREADY_CLOSED] = "already-closed", [REPAIR] = "repair", [UNREAD_DATA] = "unread-data",
	[ZERO_LINGER] = "zero-linger", [FIN] = "fin", [FIN_ALREADY_SENT] = "fin-already-sent",
	[CONNECT_CANCELLED] = "connect-cancelled",
};

enum rst {
	NO_RST,
	RST,		/* of the branch */
	RST_AFTER,	/* within the call, after the branch: the tracepoints do not see it */
	RST_PERHAPS,	/* so, where the acknowledgement came at once */
};

/* One close that happened. */
struct close {
	enum who who;
	pid_t pid;
	bool ipv4;
	char raddr[INET6_ADDRSTRLEN];
	unsigned int lport, rport;
	enum branch branch;
	enum rst rst;
	bool found;
};

/* What all processes see. */
static struct stage {
	int count;
	struct close closes[MAX_CLOSES];
	pid_t pids[WHO_COUNT];
	char why[128];		/* somebody could not play */
} *stage;

static struct line {
	int to[2], from[2];
} lines[WHO_COUNT];

static struct run runs[TOGETHER];
static enum who me;
static const char *via;
static char cgroup[256], cgroup_below[300];

__attribute__((format(printf, 1, 2), noreturn)) static void cannot(const char *what, ...)
{
	va_list args;

	va_start(args, what);
	vsnprintf(stage->why, sizeof(stage->why), what, args);
	va_end(args);
	_exit(1);
}

/* ---- addresses ------------------------------------------------------------------- */

enum kind {
	IPV4,
	IPV6,
	MAPPED,		/* an IPv6 socket, IPv4 addresses */
};

static socklen_t make_address(struct sockaddr_storage *at, bool ipv6, const char *text,
			      unsigned int port)
{
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)at;
	struct sockaddr_in *in = (struct sockaddr_in *)at;

	memset(at, 0, sizeof(*at));
	at->ss_family = ipv6 ? AF_INET6 : AF_INET;
	in->sin_port = htons(port);	/* both have it there */
	if (inet_pton(at->ss_family, text, ipv6 ? (void *)&in6->sin6_addr : &in->sin_addr) != 1)
		cannot("%s is no address", text);
	return ipv6 ? sizeof(*in6) : sizeof(*in);
}

static int bound(bool ipv6, const char *addr, unsigned int port)
{
	int fd = socket(ipv6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), yes = 1;
	struct sockaddr_storage at;
	socklen_t size = make_address(&at, ipv6, addr, port);

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
	if (bind(fd, (struct sockaddr *)&at, size))
		cannot("%s port %u: %s", addr, port, strerror(errno));
	return fd;
}

/* Networks whose peers -a can tell apart; loopback is 127.0.0.0/8 and ::1 by itself. */
static void add_addresses(void)
{
	struct {
		struct in6_addr addr;
		__u32 prefix;
		int index;
	} in6 = { .prefix = 128, .index = if_nametoindex("lo") };
	struct ifreq in = { .ifr_name = "lo:1" };
	int ipv4 = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int ipv6 = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	in.ifr_addr.sa_family = AF_INET;
	inet_pton(AF_INET, "10.1.2.3", &((struct sockaddr_in *)&in.ifr_addr)->sin_addr);
	inet_pton(AF_INET6, "2001:db8::7", &in6.addr);
	if (ioctl(ipv4, SIOCSIFADDR, &in) || ioctl(ipv6, SIOCSIFADDR, &in6))
		bail_out("no addresses: %s", strerror(errno));
	close(ipv4);
	close(ipv6);
}

static void enter_network(void)
{
	network_enter();
	add_addresses();
}

/* ---- what is done to a connection before it is closed ------------------------------ */

struct trio {
	int listener, client, server;
};

static void as_it_is(struct trio *trio)
{
}

static void zero_linger(struct trio *trio)
{
	struct linger zero = { .l_onoff = 1 };

	if (setsockopt(trio->client, SOL_SOCKET, SO_LINGER, &zero, sizeof(zero)))
		cannot("SO_LINGER: %s", strerror(errno));
}

static void leave_unread(struct trio *trio)
{
	if (send(trio->server, "unread", 6, 0) != 6 || await_unread(trio->client, 6))
		cannot("unread data: %s", strerror(errno));
}

static void half_close(struct trio *trio)
{
	if (shutdown(trio->client, SHUT_WR) || await_state(trio->client, TCP_FIN_WAIT2))
		cannot("shutdown: %s", strerror(errno));
}

static void no_fin_wait2(struct trio *trio)
{
	int never = -1;

	if (setsockopt(trio->client, IPPROTO_TCP, TCP_LINGER2, &never, sizeof(never)))
		cannot("TCP_LINGER2: %s", strerror(errno));
}

static void half_close_no_fin_wait2(struct trio *trio)
{
	no_fin_wait2(trio);
	half_close(trio);
}

/* The close waits for FIN_WAIT2, and resets there. */
static void linger_no_fin_wait2(struct trio *trio)
{
	struct linger long_time = { .l_onoff = 1, .l_linger = 30 };

	no_fin_wait2(trio);
	if (setsockopt(trio->client, SOL_SOCKET, SO_LINGER, &long_time, sizeof(long_time)))
		cannot("SO_LINGER: %s", strerror(errno));
}

static void repair(struct trio *trio)
{
	int on = 1;

	if (setsockopt(trio->client, IPPROTO_TCP, TCP_REPAIR, &on, sizeof(on)))
		cannot("TCP_REPAIR: %s", strerror(errno));
}

static void dissolve(struct trio *trio)
{
	struct sockaddr nothing = { .sa_family = AF_UNSPEC };

	if (connect(trio->client, &nothing, sizeof(nothing)))
		cannot("AF_UNSPEC: %s", strerror(errno));
}

/* ---- the acts: a client, a server, a listener; all three are closed ------------------ */

enum how {
	CONNECTED,
	CONNECTING,	/* the SYN is dropped: there is no server */
	ALONE,		/* the client is bound, and there is nobody else */
};

/* clang-format off */
static const struct act {
	enum kind kind;
	const char *from, *to;
	unsigned int port;
	enum how how;
	void (*before)(struct trio *trio);
	enum branch client;
	enum rst rst;		/* of the client */
	enum branch server;
	bool all;		/* everybody does it; the others only alpha does */
} acts[] = {
	{ IPV4, "127.0.0.1", "127.0.0.1", 80, CONNECTED, as_it_is, FIN, NO_RST, FIN, true },
	{ IPV4, "127.0.0.1", "127.9.8.7", 443, CONNECTED, zero_linger, ZERO_LINGER, RST, ALREADY_CLOSED, true },
	{ IPV4, "127.0.0.2", "10.1.2.3", 8000, CONNECTED, leave_unread, UNREAD_DATA, RST, ALREADY_CLOSED },
	{ IPV6, "::1", "::1", 80, CONNECTED, as_it_is, FIN, NO_RST, FIN, true },
	{ IPV6, "::1", "2001:db8::7", 8050, CONNECTED, zero_linger, ZERO_LINGER, RST, ALREADY_CLOSED },
	{ IPV6, "2001:db8::7", "::1", 8100, CONNECTED, leave_unread, UNREAD_DATA, RST, ALREADY_CLOSED },
	{ MAPPED, "127.0.0.1", "127.0.0.1", 8101, CONNECTED, as_it_is, FIN, NO_RST, FIN, true },
	{ MAPPED, "127.0.0.1", "10.1.2.3", 443, CONNECTED, zero_linger, ZERO_LINGER, RST, ALREADY_CLOSED },
	{ MAPPED, "127.0.0.1", "127.9.8.7", 7999, CONNECTED, leave_unread, UNREAD_DATA, RST, ALREADY_CLOSED },
	{ IPV4, "127.0.0.1", "127.0.0.1", 8099, CONNECTED, half_close, FIN_ALREADY_SENT, NO_RST, FIN },
	{ IPV4, "127.0.0.1", "127.0.0.1", 8001, CONNECTED, half_close_no_fin_wait2, FIN_ALREADY_SENT,
	  RST_AFTER, ALREADY_CLOSED },
	{ IPV6, "::1", "::1", 444, CONNECTED, linger_no_fin_wait2, FIN, RST_AFTER, ALREADY_CLOSED },
	{ IPV4, "127.0.0.1", "127.0.0.1", 442, CONNECTED, no_fin_wait2, FIN, RST_PERHAPS, ALREADY_CLOSED },
	{ IPV4, "127.0.0.1", "127.0.0.1", 443, CONNECTED, repair, REPAIR, NO_RST, FIN },
	{ IPV4, "127.0.0.1", "127.0.0.1", 80, CONNECTED, dissolve, NOT_CONNECTED, NO_RST, ALREADY_CLOSED },
	{ IPV4, "127.0.0.1", "127.0.0.1", 8080, CONNECTING, as_it_is, CONNECT_CANCELLED, NO_RST, NO_CLOSE },
	{ IPV6, "::1", "::1", 8080, CONNECTING, zero_linger, ZERO_LINGER, NO_RST, NO_CLOSE },
	{ IPV4, "127.0.0.1", "0.0.0.0", 0, ALONE, as_it_is, NOT_CONNECTED, NO_RST, NO_CLOSE, true },
	{ IPV6, "::1", "::", 0, ALONE, zero_linger, NOT_CONNECTED, NO_RST, NO_CLOSE },
};

/* clang-format on */

#define ACTS (sizeof(acts) / sizeof(*acts))

static void note_close(bool ipv4, const char *raddr, unsigned int lport, unsigned int rport,
		       enum branch branch, enum rst rst)
{
	int index = __atomic_fetch_add(&stage->count, 1, __ATOMIC_RELAXED);
	struct close *closed = &stage->closes[index];

	if (index >= MAX_CLOSES)
		cannot("more closes than there is room for");
	*closed = (struct close){ .who = me, .pid = getpid(), .ipv4 = ipv4, .lport = lport,
				  .rport = rport, .branch = branch, .rst = rst };
	strcpy(closed->raddr, raddr);
}

static void mapped(char *text, size_t size, const char *addr)
{
	snprintf(text, size, "::ffff:%s", addr);
}

static void start_connecting(struct trio *trio, const struct act *act, const struct sockaddr *to,
			     socklen_t size)
{
	struct sock_filter drop = BPF_STMT(BPF_RET | BPF_K, 0);
	struct sock_fprog program = { 1, &drop };

	if (act->how == CONNECTING) {
		if (setsockopt(trio->listener, SOL_SOCKET, SO_ATTACH_FILTER, &program,
			       sizeof(program)))
			cannot("SO_ATTACH_FILTER: %s", strerror(errno));
		fcntl(trio->client, F_SETFL, O_NONBLOCK);
	}
	if (connect(trio->client, to, size) && !(act->how == CONNECTING && errno == EINPROGRESS))
		cannot("no connection to %s: %s", act->to, strerror(errno));
}

static void set_up(struct trio *trio, const struct act *act, unsigned int lport)
{
	char from[64], to[64];
	struct sockaddr_storage at;
	socklen_t size;

	*trio = (struct trio){ -1, -1, -1 };
	snprintf(from, sizeof(from), "%s", act->from);
	snprintf(to, sizeof(to), "%s", act->to);
	if (act->kind == MAPPED) {
		mapped(from, sizeof(from), act->from);
		mapped(to, sizeof(to), act->to);
	}
	trio->client = bound(act->kind != IPV4, from, lport);
	if (act->how == ALONE)
		return;
	trio->listener = bound(act->kind == IPV6, act->to, act->port);
	if (listen(trio->listener, 1))
		cannot("no listener: %s", strerror(errno));
	size = make_address(&at, act->kind != IPV4, to, act->port);
	start_connecting(trio, act, (struct sockaddr *)&at, size);
	if (act->how == CONNECTED)
		trio->server = accept4(trio->listener, NULL, NULL, SOCK_CLOEXEC);
}

/* All that the client's close causes on the way has arrived, so the server's branch is sure. */
static void await_server(const struct trio *trio, const struct act *act)
{
	if (act->server == ALREADY_CLOSED && await_state(trio->server, TCP_CLOSE))
		cannot("%s port %u was not reset: %s", act->to, act->port, strerror(errno));
	if (act->server == FIN && act->client != REPAIR &&
	    await_state(trio->server, TCP_CLOSE_WAIT))
		cannot("%s port %u had no FIN: %s", act->to, act->port, strerror(errno));
}

/* leave: the two ends are closed when the process ends, in the order of their numbers. */
static void play(const struct act *act, unsigned int lport, bool leave)
{
	bool dissolved = act->before == dissolve, ipv4 = act->kind != IPV6;
	struct trio trio;

	set_up(&trio, act, lport);
	act->before(&trio);
	note_close(ipv4, dissolved ? "0.0.0.0" : act->to, lport, dissolved ? 0 : act->port,
		   act->client, act->rst);
	if (!leave) {
		close(trio.client);
		await_server(&trio, act);
	}
	if (act->how == CONNECTED)
		note_close(ipv4, act->from, act->port, lport, act->server, NO_RST);
	if (act->how == CONNECTED && !leave)
		close(trio.server);
	if (act->how == ALONE)
		return;
	note_close(ipv4, ipv4 ? "0.0.0.0" : "::", act->port, 0, LISTENER, NO_RST);
	close(trio.listener);
}

static unsigned int lport_of(size_t act)
{
	return 20000 + me * 1000 + act;
}

static void *play_in_thread(void *arg)
{
	play(&acts[1], lport_of(500), false);
	return NULL;
}

static void play_all(void)
{
	pthread_t thread;

	for (size_t i = 0; i < ACTS; i++)
		if (me == ALPHA || acts[i].all)
			play(&acts[i], lport_of(i), false);
	if (pthread_create(&thread, NULL, play_in_thread, NULL) || pthread_join(thread, NULL))
		cannot("no thread");
}

/* ---- the cast ---------------------------------------------------------------------- */

/* Tells the test that it is done, and waits for the next word. */
static bool done(void)
{
	char word;

	return write(lines[me].from[1], "d", 1) == 1 && read(lines[me].to[0], &word, 1) == 1 &&
	       word == 'p';
}

static void enter(enum who who)
{
	me = who;
	stage->pids[who] = getpid();
	prctl(PR_SET_NAME, names[who]);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
}

static void play_epsilon(void)
{
	enter(EPSILON);
	/* Its parent is about to go: its death must not take this one along. */
	prctl(PR_SET_PDEATHSIG, 0);
	if (done())
		play_all();
	done();
	_exit(0);
}

static void play_delta(void)
{
	enter(DELTA);
	play_all();
	if (!fork())
		play_epsilon();
	play(&acts[0], lport_of(600), true);
	_exit(0);
}

/* Alpha's closes, then its child's. */
static void play_alpha(void)
{
	pid_t delta;

	play_all();
	delta = fork();
	if (!delta)
		play_delta();
	waitpid(delta, NULL, 0);
}

static void play_family(enum who who);

static void live(enum who who)
{
	enter(who);
	if (who == ABROAD)
		enter_network();
	if (who == ALPHA)
		play_family(BETA);
	if (who == BETA)
		play_family(GAMMA);
	while (done())
		who == ALPHA ? play_alpha() : play_all();
	_exit(0);
}

static void hear(enum who who, const char *what)
{
	char word;

	await_input(lines[who].from[0], what);
	if (read(lines[who].from[0], &word, 1) != 1)
		cannot("%s is gone", names[who]);
}

/* Born, and ready. */
static void play_family(enum who child)
{
	pid_t pid = fork();

	if (pid < 0)
		cannot("no process: %s", strerror(errno));
	if (!pid)
		live(child);
	hear(child, names[child]);
}

static void tell(enum who who, char word)
{
	if (write(lines[who].to[1], &word, 1) != 1)
		bail_out("%s does not listen", names[who]);
}

static void direct(enum who who)
{
	tell(who, 'p');
	hear(who, names[who]);
}

static void gather(void)
{
	memset(stage, 0, sizeof(*stage));
	for (int who = 0; who < WHO_COUNT; who++)
		if (pipe2(lines[who].to, O_CLOEXEC) || pipe2(lines[who].from, O_CLOEXEC))
			bail_out("no pipe: %s", strerror(errno));
	play_family(ALPHA);
	play_family(OTHER);
	play_family(ABROAD);
}

static void perform(void)
{
	direct(ALPHA);
	hear(EPSILON, "epsilon");
	direct(EPSILON);
	direct(BETA);
	direct(GAMMA);
	direct(OTHER);
	direct(ABROAD);
}

static void dismiss(void)
{
	for (int who = 0; who < WHO_COUNT; who++)
		tell(who, 'q');
	/* Whose parents are gone are ours. */
	while (wait(NULL) > 0 || errno == EINTR)
		;
	for (int who = 0; who < WHO_COUNT; who++) {
		close(lines[who].to[0]);
		close(lines[who].to[1]);
		close(lines[who].from[0]);
		close(lines[who].from[1]);
	}
}

/* ---- the filters ---------------------------------------------------------------------- */

static bool at_home(const struct close *c)
{
	return c->who != ABROAD;
}

static bool in_family(const struct close *c)
{
	return c->who != OTHER && c->who != ABROAD;
}

/* clang-format off */
static bool of_alpha(const struct close *c) { return c->who == ALPHA; }
static bool of_abroad(const struct close *c) { return c->who == ABROAD; }
static bool of_beta_or_other(const struct close *c) { return c->who == BETA || c->who == OTHER; }
static bool of_three(const struct close *c) { return of_alpha(c) || of_abroad(c) || c->who == GAMMA; }
static bool of_beta_and_below(const struct close *c) { return c->who == BETA || c->who == GAMMA; }
static bool of_beta_below_or_other(const struct close *c) { return of_beta_and_below(c) || c->who == OTHER; }
static bool by_name_alpha(const struct close *c) { return c->who == ALPHA || c->who == OTHER; }
static bool by_name_epsilon(const struct close *c) { return c->who == EPSILON; }
static bool by_gamma(const struct close *c) { return c->who == GAMMA; }
static bool nobody(const struct close *c) { return false; }

static bool is_ipv4(const struct close *c) { return at_home(c) && c->ipv4; }
static bool is_ipv6(const struct close *c) { return at_home(c) && !c->ipv4; }

static bool is_one_of(unsigned int port, const unsigned int (*ranges)[2])
{
	for (; (*ranges)[1]; ranges++)
		if (port >= (*ranges)[0] && port <= (*ranges)[1])
			return true;
	return false;
}

static const unsigned int just_80[][2] = { { 80, 80 }, {} };
static const unsigned int web[][2] = { { 80, 80 }, { 443, 443 }, { 8000, 8100 }, {} };
static const unsigned int high[][2] = { { 20000, 65535 }, {} };
static const unsigned int zero_to_443[][2] = { { 0, 443 }, {} };

static bool lport_80(const struct close *c) { return at_home(c) && is_one_of(c->lport, just_80); }
static bool lport_web(const struct close *c) { return at_home(c) && is_one_of(c->lport, web); }
static bool lport_high(const struct close *c) { return at_home(c) && is_one_of(c->lport, high); }
static bool rport_80(const struct close *c) { return at_home(c) && is_one_of(c->rport, just_80); }
static bool rport_web(const struct close *c) { return at_home(c) && is_one_of(c->rport, web); }
static bool rport_low(const struct close *c) { return at_home(c) && is_one_of(c->rport, zero_to_443); }

static bool begins(const struct close *c, const char *text)
{
	return at_home(c) && !strncmp(c->raddr, text, strlen(text));
}

static bool is_peer(const struct close *c, const char *addr)
{
	return at_home(c) && !strcmp(c->raddr, addr);
}

static bool addr_127_0_0_1(const struct close *c) { return is_peer(c, "127.0.0.1"); }
static bool addr_127_8(const struct close *c) { return begins(c, "127."); }
static bool addr_127_0_24(const struct close *c) { return begins(c, "127.0.0."); }
static bool addr_127_0_0_3_31(const struct close *c) { return is_peer(c, "127.0.0.2"); }
static bool addr_10(const struct close *c) { return begins(c, "10."); }
static bool addr_loopback6(const struct close *c) { return is_peer(c, "::1"); }
static bool addr_documentation(const struct close *c) { return begins(c, "2001:db8:"); }

static bool branch_zero_linger(const struct close *c) { return at_home(c) && c->branch == ZERO_LINGER; }
static bool branch_not_connected(const struct close *c) { return at_home(c) && c->branch == NOT_CONNECTED; }
static bool branch_fin_already_sent(const struct close *c) { return at_home(c) && c->branch == FIN_ALREADY_SENT; }

static bool branch_several(const struct close *c)
{
	return at_home(c) && (c->branch == UNREAD_DATA || c->branch == FIN || c->branch == LISTENER);
}

static bool branch_rest(const struct close *c)
{
	return at_home(c) && (c->branch == ALREADY_CLOSED || c->branch == REPAIR ||
			      c->branch == CONNECT_CANCELLED);
}

static bool with_reset(const struct close *c)
{
	if (!at_home(c))
		return false;
	return c->rst == RST || (c->rst && strcmp(via, "tracepoint"));
}

static bool all_at_once(const struct close *c)
{
	return of_alpha(c) && c->ipv4 && rport_web(c) && addr_10(c) && with_reset(c);
}

static bool reset_not_linger(const struct close *c) { return with_reset(c) && c->branch == UNREAD_DATA; }
static bool reset_ipv6(const struct close *c) { return with_reset(c) && !c->ipv4; }
static bool reset_after_fin(const struct close *c) { return with_reset(c) && c->branch == FIN; }
static bool zero_linger_to_443(const struct close *c)
{
	return branch_zero_linger(c) && c->rport == 443;
}
static bool ipv4_from_80(const struct close *c) { return is_ipv4(c) && lport_80(c); }
static bool family_ipv6(const struct close *c) { return in_family(c) && is_ipv6(c); }
static bool name_and_reset(const struct close *c) { return by_name_alpha(c) && with_reset(c); }
static bool abroad_ipv4(const struct close *c) { return of_abroad(c) && c->ipv4; }
static bool cgroup_to_80(const struct close *c) { return of_beta_and_below(c) && c->rport == 80; }

/* @NAME becomes that one's process id, or the cgroup's path. */
#define HOME "--netns", "/proc/self/ns/net"

static const struct filter_case {
	const char *args[MAX_ARGS];
	bool (*admits)(const struct close *c);
} cases[] = {
	{ { HOME }, at_home },

	{ { "-p", "@alpha" }, of_alpha },
	{ { "-p", "@beta", "-p", "@other" }, of_beta_or_other },
	{ { "-p", "@alpha", "--pid", "@gamma", "--pid=@abroad" }, of_three },
	{ { "-f", "-p", "@alpha" }, in_family },
	{ { "-p", "@beta", "--follow" }, of_beta_and_below },
	{ { "-p", "@beta", "-p", "@other", "-f" }, of_beta_below_or_other },

	{ { HOME, "--comm", "alpha" }, by_name_alpha },
	{ { HOME, "--comm", "descendant-two" }, by_name_epsilon },
	{ { HOME, "--comm", "alph" }, nobody },

	{ { "--cgroup", "@cgroup" }, of_beta_and_below },
	{ { "--cgroup", "@below" }, by_gamma },
	{ { "--cgroup", "@cgroup", "-D", "80" }, cgroup_to_80 },

	{ { "--netns", "@abroad" }, of_abroad },
	{ { "--netns", "@abroad-path" }, of_abroad },
	{ { "--netns", "@alpha" }, at_home },
	{ { "--netns", "@alpha", "-p", "@abroad" }, nobody },

	{ { HOME, "-4" }, is_ipv4 },
	{ { HOME, "-6" }, is_ipv6 },
	{ { HOME, "-4", "-6" }, at_home },

	{ { HOME, "-L", "80" }, lport_80 },
	{ { HOME, "--lport", "80,443,8000-8100" }, lport_web },
	{ { HOME, "-L", "20000-65535" }, lport_high },
	{ { HOME, "-D", "80" }, rport_80 },
	{ { HOME, "--dport", "8000-8100,80,443" }, rport_web },
	{ { HOME, "-D", "0-442,443" }, rport_low },

	{ { HOME, "-a", "127.0.0.1/32" }, addr_127_0_0_1 },
	{ { HOME, "-a", "127.0.0.1" }, addr_127_0_0_1 },
	{ { HOME, "-a", "127.0.0.0/8" }, addr_127_8 },
	{ { HOME, "-a", "127.0.0.77/24" }, addr_127_0_24 },
	{ { HOME, "-a", "127.0.0.3/31" }, addr_127_0_0_3_31 },
	{ { HOME, "-a", "10.0.0.0/8" }, addr_10 },
	{ { HOME, "-a", "::ffff:10.0.0.0/104" }, addr_10 },
	{ { HOME, "-a", "0.0.0.0/0" }, is_ipv4 },
	{ { HOME, "-a", "::1" }, addr_loopback6 },
	{ { HOME, "--addr", "2001:db8::/32" }, addr_documentation },
	{ { HOME, "-a", "::/0" }, is_ipv6 },

	{ { HOME, "-b", "zero-linger" }, branch_zero_linger },
	{ { HOME, "-b", "not-connected" }, branch_not_connected },
	{ { HOME, "-b", "fin-already-sent" }, branch_fin_already_sent },
	{ { HOME, "--branch", "unread-data,fin,listener" }, branch_several },
	{ { HOME, "-b", "already-closed,repair,connect-cancelled" }, branch_rest },
	{ { HOME, "-b", "unknown" }, nobody },

	{ { HOME, "-r" }, with_reset },
	{ { HOME, "--resets", "-b", "unread-data" }, reset_not_linger },
	{ { HOME, "-r", "-b", "fin" }, reset_after_fin },
	{ { HOME, "-r", "-6" }, reset_ipv6 },

	{ { HOME, "-b", "zero-linger", "-D", "443" }, zero_linger_to_443 },
	{ { HOME, "-4", "-L", "80" }, ipv4_from_80 },
	{ { HOME, "-r", "--comm", "alpha" }, name_and_reset },
	{ { "-p", "@alpha", "-f", "-6" }, family_ipv6 },
	{ { "--netns", "@abroad", "-4", "--comm", "abroad" }, abroad_ipv4 },
	{ { HOME, "-p", "@alpha", "-4", "-D", "80,443,8000-8100", "-a", "10.0.0.0/8", "-r" }, all_at_once },
};
/* clang-format on */

static const char *meaning(const char *arg, char *room, size_t size)
{
	char *at;

	if (!strcmp(arg, "@cgroup"))
		return cgroup;
	if (!strcmp(arg, "@below"))
		return cgroup_below;
	at = strchr(arg, '@');
	if (!at)
		return arg;
	for (int who = 0; who < WHO_COUNT; who++) {
		const char *name = who == OTHER ? "other" : names[who];

		if (!strcmp(at + 1, name)) {
			snprintf(room, size, "%.*s%d", (int)(at - arg), arg, stage->pids[who]);
			return room;
		}
	}
	snprintf(room, size, "/proc/%d/ns/net", stage->pids[ABROAD]);
	return room;
}

static void begin(struct run *run, const struct filter_case *one)
{
	const char *argv[MAX_ARGS + 5] = { "./closetrace", "-j", "--via", via };
	static char room[MAX_ARGS][64];

	for (int i = 0; one->args[i]; i++)
		argv[i + 4] = meaning(one->args[i], room[i], sizeof(room[i]));
	run_start(run, argv);
	run->is_json = true;
	/* It is read when its turn comes. */
	if (fcntl(run->out, F_SETPIPE_SZ, ROOM) < 0)
		bail_out("no room in a pipe: %s", strerror(errno));
}

/* ---- comparing --------------------------------------------------------------------------- */

static bool is_same(const json_t *record, const struct close *c)
{
	return number_of(record, "pid") == c->pid && number_of(record, "lport") == c->lport &&
	       number_of(record, "rport") == c->rport &&
	       !strcmp(text_of(record, "family"), c->ipv4 ? "ipv4" : "ipv6") &&
	       !strcmp(text_of(record, "raddr"), c->raddr) &&
	       !strcmp(text_of(record, "comm"), names[c->who]) &&
	       !strcmp(text_of(record, "branch"), branches[c->branch]);
}

static struct close *find(const json_t *record)
{
	for (int i = 0; i < stage->count; i++)
		if (!stage->closes[i].found && is_same(record, &stage->closes[i]))
			return &stage->closes[i];
	return NULL;
}

static bool is_by_reset(const struct filter_case *one)
{
	for (int i = 0; one->args[i]; i++)
		if (!strcmp(one->args[i], "-r") || !strcmp(one->args[i], "--resets"))
			return true;
	return false;
}

static bool is_admitted(const struct filter_case *one, const struct close *c, const json_t *record)
{
	const char *after = text_of(record, "after");

	if (!one->admits(c))
		return false;
	return c->rst != RST_PERHAPS || !is_by_reset(one) || !strcmp(after, "late-data-reset");
}

/* On its start each closes a socket to learn from; those that began before see it. */
static bool is_of_tracer(const json_t *record)
{
	for (int i = 0; i < TOGETHER; i++)
		if (number_of(record, "pid") == runs[i].pid)
			return true;
	return false;
}

static int surplus(const struct filter_case *one, const json_t *records)
{
	const json_t *record;
	int count = 0;
	size_t i;

	json_array_foreach(records, i, record) {
		struct close *c = find(record);
		char *text;

		if (c && is_admitted(one, c, record)) {
			c->found = true;
			continue;
		}
		if (is_of_tracer(record))
			continue;
		text = json_dumps(record, 0);
		note("%s: %s", c ? "not wanted" : "never happened", text);
		free(text);
		count++;
	}
	return count;
}

static int absent(const struct filter_case *one)
{
	int count = 0;

	for (int i = 0; i < stage->count; i++) {
		const struct close *c = &stage->closes[i];

		if (!one->admits(c) || c->found || (c->rst == RST_PERHAPS && is_by_reset(one)))
			continue;
		note("no record: %s %s, local port %u, peer %s port %u", names[c->who],
		     branches[c->branch], c->lport, c->raddr, c->rport);
		count++;
	}
	return count;
}

static int admitted(const struct filter_case *one)
{
	int count = 0;

	for (int i = 0; i < stage->count; i++)
		count += one->admits(&stage->closes[i]);
	return count;
}

static const char *title(const struct filter_case *one)
{
	static char text[256];

	*text = '\0';
	for (int i = 0; one->args[i]; i++) {
		if (*text)
			strcat(text, " ");
		strcat(text, one->args[i]);
	}
	return text;
}

/* ---- cgroups --------------------------------------------------------------------------------- */

static bool write_file(const char *dir, const char *name, pid_t pid)
{
	char path[512];
	FILE *file;
	bool good;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	file = fopen(path, "we");
	if (!file)
		return false;
	fprintf(file, "%d", pid);
	good = !ferror(file);
	return !fclose(file) && good;
}

static const char *make_cgroups(void)
{
	static char why[128] = "no cgroup v2 is mounted";
	char mount[200];
	FILE *mounts = fopen("/proc/mounts", "re");
	bool found = false;

	while (mounts && !found && fscanf(mounts, "%*s %199s", mount) == 1) {
		char type[64];

		found = fscanf(mounts, "%63s %*[^\n]", type) == 1 && !strcmp(type, "cgroup2");
	}
	if (mounts)
		fclose(mounts);
	if (!found)
		return why;
	snprintf(cgroup, sizeof(cgroup), "%s/closetrace-test.%d", mount, getpid());
	snprintf(cgroup_below, sizeof(cgroup_below), "%s/below", cgroup);
	if (!mkdir(cgroup, 0755) && !mkdir(cgroup_below, 0755))
		return NULL;
	snprintf(why, sizeof(why), "no cgroup in %.80s: %s", mount, strerror(errno));
	return why;
}

static bool fill_cgroups(void)
{
	return write_file(cgroup, "cgroup.procs", stage->pids[BETA]) &&
	       write_file(cgroup_below, "cgroup.procs", stage->pids[GAMMA]);
}

static void remove_cgroups(void)
{
	rmdir(cgroup_below);
	rmdir(cgroup);
}

/* ---- the whole --------------------------------------------------------------------------- */

static void check(const struct filter_case *one, struct run *run)
{
	struct totals totals;
	int too_many, too_few;

	for (int i = 0; i < stage->count; i++)
		stage->closes[i].found = false;
	too_many = surplus(one, run->records);
	too_few = absent(one);
	totals = run_totals(run);
	ok(!too_many && !too_few, "%s: %s: %d of %d closes", via, title(one), admitted(one),
	   stage->count);
	if (totals.lost || totals.unknown || run->status ||
	    totals.closes != (long)json_array_size(run->records))
		ok(false, "%s: %s: %s", via, title(one), run->told);
}

static void begin_all(const struct filter_case *const *chosen, int count)
{
	for (int i = 0; i < count; i++)
		begin(&runs[i], chosen[i]);
	for (int i = 0; i < count; i++)
		if (!run_await(&runs[i], "closetrace: tracing"))
			bail_out("closetrace does not trace: %s", runs[i].told);
}

static void end_all(int count)
{
	for (int i = 0; i < count; i++)
		kill(runs[i].pid, SIGINT);
	for (int i = 0; i < count; i++)
		run_end(&runs[i]);
}

/* One performance, seen by several: each tracer takes a second to attach and to detach. */
static void try(const struct filter_case *const *chosen, int count)
{
	/* A new one each time: the ports are free again. */
	enter_network();
	gather();
	if (*cgroup && !fill_cgroups())
		bail_out("cannot fill %s: %s", cgroup, strerror(errno));
	begin_all(chosen, count);
	perform();
	end_all(count);
	if (*stage->why)
		bail_out("%s", stage->why);
	for (int i = 0; i < count; i++) {
		check(chosen[i], &runs[i]);
		run_free(&runs[i]);
	}
	dismiss();
}

static void try_all(const char *no_cgroup)
{
	const struct filter_case *chosen[TOGETHER];
	int count = 0;

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		if (no_cgroup && !strcmp(cases[i].args[0], "--cgroup")) {
			skip(no_cgroup, "%s: %s", via, title(&cases[i]));
			continue;
		}
		chosen[count++] = &cases[i];
		if (count < TOGETHER)
			continue;
		try(chosen, count);
		count = 0;
	}
	if (count)
		try(chosen, count);
}

int main(int argc, char **argv)
{
	const char *no_cgroup = make_cgroups();

	via = argc > 1 ? argv[1] : "fentry";
	if (no_cgroup)
		*cgroup = '\0';
	else
		atexit(remove_cgroups);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	stage = mmap(NULL, sizeof(*stage), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		     -1, 0);
	try_all(no_cgroup);
	return finish();
}
