// SPDX-License-Identifier: GPL-2.0-only
/* Connections that are opened, brought to where they should be, and closed. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/live/filter_stage.h"
#include "tests/live/live.h"
#include "user/await.h"

static enum who me;	/* whose ports are used */

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

void acts_enter_network(void)
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

void acts_play_all(enum who who)
{
	pthread_t thread;

	me = who;
	for (size_t i = 0; i < ACTS; i++)
		if (me == ALPHA || acts[i].all)
			play(&acts[i], lport_of(i), false);
	if (pthread_create(&thread, NULL, play_in_thread, NULL) || pthread_join(thread, NULL))
		cannot("no thread");
}

void acts_leave_one(enum who who)
{
	me = who;
	play(&acts[0], lport_of(600), true);
}
