// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <linux/sock_diag.h>

#include "tests/live/end_tcp.h"
#include "tests/live/live.h"
#include "tests/live/mixed_parts.h"
#include "tests/live/reset_forge.h"
#include "user/await.h"

#define CHILDREN 3	/* that a listener has room for */
#define ANY_SEQ  1000

/* The one that begins, and the other. */
struct both {
	int end, peer;
};

static void must(bool done, const char *what)
{
	if (!done)
		bail_out("%s: %s", what, strerror(errno));
}

/* ---- how a connection comes about -------------------------------------------------------- */

static int bound_to(const struct site *site, uint16_t port, int flags)
{
	const struct sockaddr_storage at = loopback_at(site->family, port);
	int fd = socket(site->family, SOCK_STREAM | SOCK_CLOEXEC | flags, 0), on = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	must(!bind(fd, (const struct sockaddr *)&at, sizeof(at)), "bind");
	return fd;
}

/* The backlog is one less than there is room for. */
static int listening_at(const struct site *site)
{
	int fd = bound_to(site, site->port, 0);

	must(!listen(fd, CHILDREN - 1), "listen");
	return fd;
}

static int connecting_to(const struct site *site, int fd)
{
	const struct sockaddr_storage at = loopback_at(site->family, site->port);

	return connect(fd, (const struct sockaddr *)&at, sizeof(at));
}

static int connected_to(const struct site *site)
{
	int fd = socket(site->family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	must(!connecting_to(site, fd), "connect");
	return fd;
}

/* Nobody will answer. */
static int in_syn_sent(const struct site *site)
{
	int fd = socket(site->family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	must(connecting_to(site, fd) && errno == EINPROGRESS, "connect");
	return fd;
}

/* The end is the one that was accepted. */
static struct both served_at(const struct site *site)
{
	struct both both = { .peer = connected_to(site) };

	both.end = accept4(site->listener, NULL, NULL, SOCK_CLOEXEC);
	must(both.end >= 0, "accept");
	return both;
}

/* By turns the one and the other. */
static struct both met_at(struct site *site)
{
	struct both both = served_at(site);

	site->swap = !site->swap;
	return site->swap ? both : (struct both){ .end = both.peer, .peer = both.end };
}

void site_open(struct site *site, enum listening listening)
{
	const int minute = 60;

	site->listener = listening == NOBODY ? -1 : listening_at(site);
	if (listening == DEAF)
		deafen(site->listener);
	else if (listening == DEFERRING)
		setsockopt(site->listener, IPPROTO_TCP, TCP_DEFER_ACCEPT, &minute, sizeof(minute));
}

/* ---- steps ------------------------------------------------------------------------------- */

static void send_to_other(int fd)
{
	must(send(fd, "data", 4, MSG_NOSIGNAL) == 4, "send");
}

static void come_to(int fd, int state)
{
	must(!await_state(fd, state), "state");
}

/* It is reset, and closes what is left. */
static void close_reset(int fd)
{
	come_to(fd, TCP_CLOSE);
	close(fd);
}

static void close_with_rst(int fd)
{
	make_abortive(fd);
	close(fd);
}

/* Its FIN is acknowledged, and the peer goes on. */
static void to_fin_wait2(const struct both *both, int how)
{
	const int on = 1;

	must(!shutdown(both->end, how), "shutdown");
	come_to(both->peer, TCP_CLOSE_WAIT);
	setsockopt(both->peer, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof(on));
	come_to(both->end, TCP_FIN_WAIT2);
}

static struct both half_closed_at(struct site *site)
{
	struct both both = met_at(site);

	to_fin_wait2(&both, SHUT_WR);
	return both;
}

/* More than a minute in FIN_WAIT2, and it stays a socket. */
static void set_linger2(int fd, int seconds)
{
	must(!setsockopt(fd, IPPROTO_TCP, TCP_LINGER2, &seconds, sizeof(seconds)), "TCP_LINGER2");
}

/* What came and was not let in. */
static unsigned int dropped_at(int fd)
{
	uint32_t numbers[SK_MEMINFO_VARS] = {};
	socklen_t size = sizeof(numbers);

	must(!getsockopt(fd, SOL_SOCKET, SO_MEMINFO, numbers, &size), "SO_MEMINFO");
	return numbers[SK_MEMINFO_DROPS];
}

static bool has_dropped(int fd, long count)
{
	return dropped_at(fd) >= count;
}

static void await_dropped(int fd, unsigned int count)
{
	must(!await(has_dropped, fd, count), "nothing came");
}

/* ---- closes ------------------------------------------------------------------------------ */

static void unread_data(struct site *site)
{
	struct both both = met_at(site);

	send_to_other(both.peer);
	must(!await_poll(both.end, POLLIN), "data");
	close(both.end);
	close_reset(both.peer);
}

static void zero_linger(struct site *site)
{
	struct both both = met_at(site);

	close_with_rst(both.end);
	close_reset(both.peer);
}

static void zero_linger_in_fin_wait2(struct site *site)
{
	struct both both = half_closed_at(site);

	close_with_rst(both.end);
	close_reset(both.peer);
}

static void zero_linger_in_close_wait(struct site *site)
{
	struct both both = half_closed_at(site);

	close_with_rst(both.peer);
	close_reset(both.end);
}

static void zero_linger_in_syn_sent(struct site *site)
{
	close_with_rst(in_syn_sent(site));
}

static void connect_cancelled(struct site *site)
{
	close(in_syn_sent(site));
}

static void never_connected(struct site *site)
{
	close(bound_to(site, site->port, 0));
}

static void linger2_below_0(struct site *site)
{
	struct both both = half_closed_at(site);

	set_linger2(both.end, -1);
	close(both.end);
	close_reset(both.peer);
}

static void two_fins(struct site *site)
{
	struct both both = met_at(site);

	close(both.end);
	come_to(both.peer, TCP_CLOSE_WAIT);
	close(both.peer);
}

/* The RST meets a minisocket, and ends it. */
static void fin_already_sent(struct site *site)
{
	struct both both = half_closed_at(site);

	close(both.end);
	close_with_rst(both.peer);
}

static void rst_to_an_orphan(struct site *site)
{
	struct both both = half_closed_at(site);

	set_linger2(both.end, 90);
	close(both.end);
	close_with_rst(both.peer);
}

static void connect_all(const struct site *site, int listener, int clients[], int count)
{
	for (int i = 0; i < count; i++)
		clients[i] = connected_to(site);
	must(!await_children(listener, count), "no children");
}

static void close_all_reset(const int fds[], int count)
{
	for (int i = 0; i < count; i++)
		close_reset(fds[i]);
}

static void listener_closed(struct site *site)
{
	int listener = listening_at(site), clients[CHILDREN];

	connect_all(site, listener, clients, CHILDREN);
	close(listener);
	close_all_reset(clients, CHILDREN);
}

static void listener_shut(struct site *site)
{
	int listener = listening_at(site), clients[CHILDREN];

	connect_all(site, listener, clients, CHILDREN);
	shutdown(listener, SHUT_RD);
	close(listener);
	close_all_reset(clients, CHILDREN);
}

/* ---- resets ------------------------------------------------------------------------------ */

/* One that connected would forget its ports. */
static void dissolved(struct site *site)
{
	const struct sockaddr nobody = { .sa_family = AF_UNSPEC };
	struct both both = served_at(site);

	must(!connect(both.end, &nobody, sizeof(nobody)), "connect to AF_UNSPEC");
	close(both.end);
	close_reset(both.peer);
}

static void refused(struct site *site)
{
	int fd = bound_to(site, site->client_port, 0);

	must(connecting_to(site, fd) && errno == ECONNREFUSED, "not refused");
	close(fd);
}

/* Where the end is the one that connected: nobody listens at its port. */
static void data_after_an_rst(struct site *site)
{
	struct both served = served_at(site), both = { .end = served.peer, .peer = served.end };

	deafen_to(both.peer, TH_RST);
	close_with_rst(both.end);
	await_dropped(both.peer, 1);
	hear_again(both.peer);
	send_to_other(both.peer);
	close_reset(both.peer);
}

/* The listener is still there. */
static void data_after_repair(struct site *site)
{
	struct both both = served_at(site);
	const int on = 1;

	must(!setsockopt(both.end, IPPROTO_TCP, TCP_REPAIR, &on, sizeof(on)), "TCP_REPAIR");
	close(both.end);
	send_to_other(both.peer);
	close_reset(both.peer);
}

static void data_in_fin_wait1(struct site *site)
{
	struct both both = met_at(site);

	deafen_to(both.peer, TH_FIN);
	close(both.end);
	send_to_other(both.peer);
	close_reset(both.peer);
}

static void data_in_fin_wait2(struct site *site)
{
	struct both both = half_closed_at(site);

	set_linger2(both.end, 90);
	close(both.end);
	send_to_other(both.peer);
	close_reset(both.peer);
}

static void data_in_time_wait(struct site *site)
{
	struct both both = half_closed_at(site);

	close(both.end);
	send_to_other(both.peer);
	close_reset(both.peer);
}

static void data_after_shutdown(struct site *site)
{
	struct both both = met_at(site);

	to_fin_wait2(&both, SHUT_RDWR);
	send_to_other(both.peer);
	close_reset(both.peer);
	close_reset(both.end);
}

static int sending_to(const struct site *site, int children)
{
	int client = connected_to(site);

	send_to_other(client);
	must(!await_children(site->listener, children), "no children");
	return client;
}

/* It has not read what was sent. */
static void accept_and_close(const struct site *site)
{
	int child = accept4(site->listener, NULL, NULL, SOCK_CLOEXEC);

	must(child >= 0, "accept");
	close(child);
}

/* Two connections, and two requests: there is room for one of these. */
static void accept_overflow(struct site *site)
{
	int clients[CHILDREN + 1] = { sending_to(site, 1), sending_to(site, 2) };

	clients[2] = connected_to(site);
	clients[3] = connected_to(site);
	send_to_other(clients[2]);
	must(!await_children(site->listener, 3), "no children");
	send_to_other(clients[3]);
	close_reset(clients[3]);
	for (int i = 0; i < CHILDREN; i++)
		accept_and_close(site);
	close_all_reset(clients, CHILDREN);
}

/* Of the next byte that it would send. */
static uint32_t seq_of(int fd)
{
	const int on = 1, off = -1 /* TCP_REPAIR_OFF_NO_WP */, queue = 2 /* TCP_SEND_QUEUE */;
	uint32_t seq;
	socklen_t size = sizeof(seq);

	must(!setsockopt(fd, IPPROTO_TCP, TCP_REPAIR, &on, sizeof(on)) &&
	     !setsockopt(fd, IPPROTO_TCP, TCP_REPAIR_QUEUE, &queue, sizeof(queue)) &&
	     !getsockopt(fd, IPPROTO_TCP, TCP_QUEUE_SEQ, &seq, &size) &&
	     !setsockopt(fd, IPPROTO_TCP, TCP_REPAIR, &off, sizeof(off)), "TCP_REPAIR");
	return seq;
}

static struct segment segment_to(const struct site *site, int fd, uint8_t flags)
{
	return (struct segment){ .family = site->family, .from = site->port, .to = port_of(fd),
				 .seq = ANY_SEQ, .flags = flags };
}

static void syn_to_a_request(struct site *site)
{
	int client = connected_to(site);
	struct segment syn = { .family = site->family, .from = port_of(client), .to = site->port,
			       .flags = TH_SYN };

	deafen_to(client, TH_RST);
	syn.seq = seq_of(client);
	forge(&syn);
	await_dropped(client, 1);
	close_with_rst(client);
}

/* The listener gets the SYN, and the RST. */
static void wrong_ack_to_a_syn(struct site *site)
{
	unsigned int before = dropped_at(site->listener);
	int client = in_syn_sent(site);
	struct segment ack = segment_to(site, client, TH_ACK);

	forge(&ack);
	await_dropped(site->listener, before + 2);
	close(client);
}

/* Both have begun to connect.  The listener gets the SYN, the SYN-ACK, and the RST. */
static void wrong_last_ack(struct site *site)
{
	unsigned int before = dropped_at(site->listener);
	int client = in_syn_sent(site);
	struct segment segment = segment_to(site, client, TH_SYN);

	forge(&segment);
	come_to(client, TCP_SYN_RECV);
	segment.flags = TH_ACK;
	segment.seq++;
	forge(&segment);
	await_dropped(site->listener, before + 3);
	close_with_rst(client);
}

static void destroyed(struct site *site)
{
	struct both both = met_at(site);

	errno = destroy(site->family, port_of(both.end), port_of(both.peer));
	must(!errno, "destroy");
	close_reset(both.end);
	close_reset(both.peer);
}

/* ---- what takes its time ----------------------------------------------------------------- */

enum { KEEPALIVE, FIN_TIMEOUT };

static void keep_alive(const struct both *both)
{
	const int one = 1;

	deafen(both->peer);
	setsockopt(both->end, IPPROTO_TCP, TCP_KEEPIDLE, &one, sizeof(one));
	setsockopt(both->end, IPPROTO_TCP, TCP_KEEPINTVL, &one, sizeof(one));
	setsockopt(both->end, IPPROTO_TCP, TCP_KEEPCNT, &one, sizeof(one));
	must(!setsockopt(both->end, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one)), "SO_KEEPALIVE");
}

static struct both kept_alive_at(struct site *site)
{
	struct both both = met_at(site);

	keep_alive(&both);
	return both;
}

/* For what is over a minute a timer is set; when it runs, no second is left for a minisocket. */
static void close_for_a_minute(struct site *site, int peers[])
{
	set_ipv4("tcp_fin_timeout", 61);
	for (int i = 0; i < FEW; i++) {
		struct both both = half_closed_at(site);

		close(both.end);
		peers[i] = both.peer;
	}
	set_ipv4("tcp_fin_timeout", 60);
}

void slow_play(struct site sites[])
{
	struct both kept[FEW];
	int peers[FEW];

	close_for_a_minute(&sites[FIN_TIMEOUT], peers);
	for (int i = 0; i < FEW; i++)
		kept[i] = kept_alive_at(&sites[KEEPALIVE]);
	close_all_reset(peers, FEW);
	for (int i = 0; i < FEW; i++) {
		close_reset(kept[i].end);
		close_with_rst(kept[i].peer);
	}
}

/* ---- what this machine has --------------------------------------------------------------- */

static const char *firewall_begin(unsigned int first_port, unsigned int last_port)
{
	static char fault[256];
	char command[256];
	FILE *nft;

	snprintf(command, sizeof(command),
		 "nft 'table inet mixed { chain input { type filter hook input priority 0; "
		 "tcp dport %u-%u reject with tcp reset; }; }' 2>&1", first_port, last_port);
	nft = popen(command, "re");
	must(nft, "popen");
	if (!fgets(fault, sizeof(fault), nft))
		strcpy(fault, "nft fails");
	fault[strcspn(fault, "\n")] = '\0';
	return pclose(nft) ? fault : NULL;
}

static const char *destroy_fault(unsigned int port)
{
	const struct site site = { .family = AF_INET, .port = port };
	int listener = listening_at(&site), error = destroy(AF_INET, port, 0);

	close(listener);
	return error ? strerror(error) : NULL;
}

const char *part_fault(const struct part *part, unsigned int first_port, unsigned int last_port)
{
	if (!strncmp(part->gives, "firewall-reject", strlen("firewall-reject")))
		return firewall_begin(first_port, last_port);
	return part->play == destroyed ? destroy_fault(first_port) : NULL;
}

/* ---- all --------------------------------------------------------------------------------- */

#define RESET_PEER "reset-by-peer already-closed "
#define RESET_3	   RESET_PEER RESET_PEER RESET_PEER
#define FORGET_3(owner) \
	"unaccepted-child/" owner " unaccepted-child/" owner " unaccepted-child/" owner " "

const struct part parts[] = {
	/* clang-format off */
	{ "unread data", unread_data, "unread-data/rst " RESET_PEER, LISTENING, 4 },
	{ "zero linger", zero_linger, "zero-linger/rst " RESET_PEER, LISTENING, 4 },
	{ "zero linger in FIN_WAIT2", zero_linger_in_fin_wait2, "zero-linger/rst " RESET_PEER,
	  LISTENING, 2 },
	{ "zero linger in CLOSE_WAIT", zero_linger_in_close_wait, "zero-linger/rst " RESET_PEER,
	  LISTENING, 2 },
	{ "zero linger in SYN_SENT", zero_linger_in_syn_sent, "zero-linger", DEAF, 4 },
	{ "connect cancelled", connect_cancelled, "connect-cancelled", DEAF, 4 },
	{ "never connected", never_connected, "not-connected", NOBODY, 4 },
	{ "linger2 below 0", linger2_below_0, "fin-already-sent/linger2-reset " RESET_PEER,
	  LISTENING, 2 },
	{ "two FINs", two_fins, "fin fin", LISTENING, 4 },
	{ "FIN already sent", fin_already_sent, "fin-already-sent zero-linger/rst", LISTENING, 2 },
	{ "RST to an orphan", rst_to_an_orphan,
	  "fin-already-sent zero-linger/rst reset-by-peer", LISTENING, 2 },
	{ "listener closed", listener_closed, "listener " FORGET_3("closer") RESET_3, NOBODY, 1 },
	{ "listener shut", listener_shut, "not-connected " FORGET_3("socket") RESET_3, NOBODY, 1 },
	{ "connect(AF_UNSPEC)", dissolved, "disconnect/socket not-connected " RESET_PEER,
	  LISTENING, 4 },
	{ "closed port", refused, "no-socket/null refused not-connected", NOBODY, 4 },
	{ "firewall", refused, "firewall-reject/null refused not-connected", NOBODY, 2 },
	{ "data after an RST", data_after_an_rst, "zero-linger/rst no-socket/closer " RESET_PEER,
	  LISTENING, 4 },
	{ "data after TCP_REPAIR", data_after_repair,
	  "repair listener-stray-ack/socket " RESET_PEER, LISTENING, 4 },
	{ "data in FIN_WAIT1", data_in_fin_wait1, "fin late-data/closer " RESET_PEER,
	  LISTENING, 4 },
	{ "data in FIN_WAIT2", data_in_fin_wait2, "fin-already-sent late-data/closer " RESET_PEER,
	  LISTENING, 2 },
	{ "data in TIME_WAIT", data_in_time_wait, "fin-already-sent time-wait/closer " RESET_PEER,
	  LISTENING, 4 },
	{ "data after SHUT_RDWR", data_after_shutdown,
	  "late-data/socket already-closed " RESET_PEER, LISTENING, 2 },
	{ "accept overflow", accept_overflow,
	  "accept-overflow/socket unread-data/rst unread-data/rst unread-data/rst "
	  RESET_3 RESET_PEER, DEFERRING, 1 },
	{ "SYN to a request", syn_to_a_request, "embryonic/socket zero-linger/rst", DEFERRING, 1 },
	{ "wrong ACK to a SYN", wrong_ack_to_a_syn, "bad-ack-syn-sent/socket connect-cancelled",
	  DEAF, 1 },
	{ "wrong last ACK", wrong_last_ack, "bad-ack-syn-recv/socket zero-linger/rst", DEAF, 1 },
	{ "ss -K", destroyed, "admin-abort/socket already-closed " RESET_PEER, LISTENING, 1 },
	{},
};

const struct part slow_parts[] = {
	[KEEPALIVE] = { "keepalive", NULL,
			"keepalive-timeout/socket already-closed zero-linger/rst", LISTENING, FEW },
	[FIN_TIMEOUT] = { "FIN_WAIT2 for too long", NULL,
			  "fin-already-sent fin-wait2-timeout/closer " RESET_PEER, LISTENING, FEW },
	{},
	/* clang-format on */
};
