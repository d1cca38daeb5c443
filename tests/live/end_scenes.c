// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/live/counters.h"
#include "tests/live/end_scenes.h"
#include "tests/live/live.h"
#include "user/await.h"

#define FULL_ORPHAN_S	100	/* in TCP_LINGER2: beyond 60 FIN_WAIT2 stays a full socket */
#define TOO_MANY	(256 * 1024)	/* bytes for a peer with a tiny buffer */
#define SLACK_US	20000	/* a socket is gone from the table right before it is destroyed */

static bool fails(struct scene *scene, const char *what)
{
	snprintf(scene->why, sizeof(scene->why), "%s: %s", what, strerror(errno));
	return false;
}

void counted_read(struct counted *counted)
{
	counted->out_rsts = counter_of("Tcp", "OutRsts");
	counted->on_data = counter_of("TcpExt", "TCPAbortOnData");
	counted->timeouts = counter_of("TcpExt", "TCPAbortOnTimeout");
}

/* ---- steps: the close ------------------------------------------------------------------- */

static bool give_away(struct scene *scene, long unused)
{
	if (scene->pair.end >= 0)
		close(scene->pair.end);
	scene->pair.end = -1;
	return true;
}

/* Ours goes first: the closer's is the last. */
static void before_close(struct scene *scene)
{
	give_away(scene, 0);
	wire_mark(scene->wire);
	counted_read(&scene->counted);
	scene->before_ns = now_ns();
}

static bool begin_close(struct scene *scene, long unused)
{
	before_close(scene);
	return closer_begin(&scene->closer) || fails(scene, "close");
}

static bool await_close(struct scene *scene, long unused)
{
	if (!closer_await(&scene->closer))
		return fails(scene, "the closer is gone");
	scene->after_ns = now_ns();
	return true;
}

static bool close_it(struct scene *scene, long unused)
{
	return begin_close(scene, 0) && await_close(scene, 0);
}

static bool exit_with_it(struct scene *scene, long unused)
{
	before_close(scene);
	if (!closer_exit(&scene->closer))
		return fails(scene, "exit");
	scene->after_ns = now_ns();
	return true;
}

static bool kill_it(struct scene *scene, long unused)
{
	before_close(scene);
	closer_kill(&scene->closer);
	scene->after_ns = now_ns();
	return true;
}

static bool exit_after_it(struct scene *scene, long unused)
{
	return closer_exit(&scene->closer) || fails(scene, "exit");
}

/* ---- steps: what is closed -------------------------------------------------------------- */

static bool set(struct scene *scene, int level, int option, const void *value, socklen_t size)
{
	if (setsockopt(scene->pair.end, level, option, value, size))
		return fails(scene, "setsockopt");
	return true;
}

static bool linger2(struct scene *scene, long seconds)
{
	return set(scene, IPPROTO_TCP, TCP_LINGER2, &(int){ seconds }, sizeof(int));
}

static bool user_timeout(struct scene *scene, long ms)
{
	return set(scene, IPPROTO_TCP, TCP_USER_TIMEOUT, &(int){ ms }, sizeof(int));
}

static bool linger(struct scene *scene, long seconds)
{
	const struct linger value = { .l_onoff = 1, .l_linger = seconds };

	return set(scene, SOL_SOCKET, SO_LINGER, &value, sizeof(value));
}

static bool shut(struct scene *scene, long how)
{
	return !shutdown(scene->pair.end, how) || fails(scene, "shutdown");
}

static bool fill(struct scene *scene, long unused)
{
	static const char bytes[TOO_MANY];

	if (send(scene->pair.end, bytes, sizeof(bytes), MSG_DONTWAIT) < 0)
		return fails(scene, "send");
	return !await_stuck(scene->pair.end, 1) || fails(scene, "the peer took it all");
}

static bool stands(struct scene *scene, long state)
{
	return !await_state(scene->pair.end, state) || fails(scene, "in another state");
}

static bool has_unread(struct scene *scene, long bytes)
{
	return !await_unread(scene->pair.end, bytes) || fails(scene, "nothing came");
}

/* ---- steps: the peer -------------------------------------------------------------------- */

static bool peer_deaf(struct scene *scene, long unused)
{
	deafen(scene->pair.peer);
	return true;
}

/* What it has sent is acknowledged all the same, and it will not send it again. */
static bool peer_misses_fin(struct scene *scene, long unused)
{
	deafen_to(scene->pair.peer, TH_FIN);
	return true;
}

static bool peer_hears(struct scene *scene, long unused)
{
	scene->acted_ns = now_ns();
	hear_again(scene->pair.peer);
	return true;
}

static bool peer_shuts(struct scene *scene, long unused)
{
	scene->acted_ns = now_ns();
	return !shutdown(scene->pair.peer, SHUT_WR) || fails(scene, "the peer's shutdown");
}

static bool peer_sends(struct scene *scene, long bytes)
{
	static const char late[64];

	scene->acted_ns = now_ns();
	if (send(scene->pair.peer, late, bytes, MSG_NOSIGNAL) != bytes)
		return fails(scene, "the peer's send");
	return true;
}

static bool peer_reads_all(struct scene *scene, long unused)
{
	int fd = scene->pair.peer;
	char bytes[4096];
	ssize_t got;

	scene->acted_ns = now_ns();
	do
		got = await_poll(fd, POLLIN) ? -1 : recv(fd, bytes, sizeof(bytes), 0);
	while (got > 0);
	return !got || fails(scene, "the peer's recv");
}

static bool peer_has_fin(struct scene *scene, long unused)
{
	return !await_poll(scene->pair.peer, POLLRDHUP) || fails(scene, "no FIN");
}

static void close_peer(struct scene *scene)
{
	if (scene->pair.peer >= 0)
		close(scene->pair.peer);
	scene->pair.peer = -1;
}

static bool peer_closes(struct scene *scene, long unused)
{
	scene->acted_ns = now_ns();
	close_peer(scene);
	return true;
}

static bool peer_resets(struct scene *scene, long unused)
{
	make_abortive(scene->pair.peer);
	return peer_closes(scene, 0);
}

/* An RST has come; of a connection that is closed both ways there is nothing else to hear. */
static bool peer_is_reset(struct scene *scene, long unused)
{
	return !await_state(scene->pair.peer, TCP_CLOSE) || fails(scene, "no RST");
}

/* ---- steps: time, and what is left ------------------------------------------------------ */

static bool wait_ms(struct scene *scene, long ms)
{
	nap_us(ms * 1000);
	return true;
}

static bool ipv4_fin_timeout(struct scene *scene, long seconds)
{
	set_ipv4("tcp_fin_timeout", seconds);
	return true;
}

static bool ipv4_orphan_retries(struct scene *scene, long count)
{
	set_ipv4("tcp_orphan_retries", count);
	return true;
}

/* How the kernel has it after the close, TCP_TIME_WAIT for a minisocket, 0 for not at all. */
static bool left(struct scene *scene, long state)
{
	if (await_at(scene->pair.lport, scene->pair.rport, state))
		return true;
	snprintf(scene->why, sizeof(scene->why), "left in state %d, not %ld",
		 state_at(scene->pair.lport, scene->pair.rport), state);
	return false;
}

/* An end: it came by now, and not before what caused it. */
static bool ended(struct scene *scene, long state)
{
	long long least_ns = scene->acted_ns ? scene->acted_ns - scene->after_ns : 0;
	int i = scene->ends++;

	if (!left(scene, state))
		return false;
	if (least_ns < scene->scenario->least_ms * 1000000LL)
		least_ns = scene->scenario->least_ms * 1000000LL;
	scene->bounds[i].least_us = least_ns / 1000;
	scene->bounds[i].most_us = (now_ns() - scene->before_ns) / 1000 + SLACK_US;
	return true;
}

/* ---- the table -------------------------------------------------------------------------- */

#define STEPS(...)	((const struct step[]){ __VA_ARGS__, {} })
#define DO(...)		{ __VA_ARGS__ }

/* The FIN is acknowledged, and a full socket stays in FIN_WAIT2. */
#define IN_FIN_WAIT2	DO(linger2, FULL_ORPHAN_S), DO(close_it), DO(left, TCP_FIN_WAIT2)
/* The FIN is not acknowledged. */
#define IN_FIN_WAIT1	DO(peer_misses_fin), DO(close_it), DO(left, TCP_FIN_WAIT1)
#define IN_CLOSING	IN_FIN_WAIT1, DO(peer_shuts), DO(left, TCP_CLOSING)
#define PASSIVE		DO(peer_shuts), DO(stands, TCP_CLOSE_WAIT)
#define IN_LAST_ACK	PASSIVE, DO(peer_misses_fin), DO(close_it), DO(left, TCP_LAST_ACK)
#define FULL_WINDOW	DO(fill), DO(close_it), DO(left, TCP_FIN_WAIT1)

#define TO_TIME_WAIT	DO(ended, TCP_TIME_WAIT)
#define GONE		DO(ended, 0)
#define IN_TIME_WAIT	DO(close_it), TO_TIME_WAIT
#define LATE_DATA	DO(peer_sends, 5), DO(peer_is_reset), GONE

#define ONE_RST		.counted = { .out_rsts = 1 }
#define ABORTED		.counted = { .out_rsts = 1, .on_data = 1 }	/* by either side */
#define BY_ORPHAN	.reset = "late-data", .wire = "F. R", ABORTED
#define BY_MINISOCKET	.reset = "time-wait", .wire = "F. R", ONE_RST
#define GAVE_UP		.counted = { .timeouts = 1 }

/* clang-format off */
const struct scenario scenarios[] = {
	{ "time-wait: the peer closes 50 ms later",
	  STEPS(IN_FIN_WAIT2, DO(wait_ms, 50), DO(peer_closes), TO_TIME_WAIT),
	  { "time-wait" }, .wire = "F.", .both = true },
	{ "time-wait: the FIN is acknowledged when it is sent again",
	  STEPS(IN_FIN_WAIT1, DO(wait_ms, 20), DO(peer_hears), TO_TIME_WAIT),
	  { "time-wait" }, .wire = "F." },
	{ "time-wait: both close at once",
	  STEPS(IN_CLOSING, DO(wait_ms, 20), DO(peer_hears), TO_TIME_WAIT),
	  { "time-wait" }, .wire = "F." },
	{ "time-wait: half-closed, both at once, then closed",
	  STEPS(DO(peer_misses_fin), DO(shut, SHUT_WR), DO(peer_shuts), DO(stands, TCP_CLOSING),
		DO(close_it), DO(left, TCP_CLOSING), DO(wait_ms, 20), DO(peer_hears), TO_TIME_WAIT),
	  { "time-wait" }, .wire = "" },
	{ "time-wait: unsent data is delivered after the close",
	  STEPS(FULL_WINDOW, DO(wait_ms, 50), DO(peer_reads_all), TO_TIME_WAIT),
	  { "time-wait" }, .wire = "F.", .tiny = true },
	{ "time-wait: a full socket in FIN_WAIT2 until its last minute",
	  STEPS(DO(linger2, 61), DO(close_it), DO(left, TCP_FIN_WAIT2), TO_TIME_WAIT),
	  { "time-wait" }, .least_ms = 900, .wire = "F." },
	{ "time-wait within the call: FIN_WAIT2",
	  STEPS(IN_TIME_WAIT),
	  { "time-wait" }, .wire = "F.", .both = true },
	{ "time-wait within the call: half-closed before",
	  STEPS(DO(shut, SHUT_WR), DO(stands, TCP_FIN_WAIT2), IN_TIME_WAIT),
	  { "time-wait" }, .wire = "", .both = true },
	{ "time-wait within the call: while it lingers",
	  STEPS(DO(linger, 10), DO(peer_misses_fin), DO(begin_close), DO(left, TCP_FIN_WAIT1),
		DO(peer_shuts), DO(left, TCP_CLOSING), DO(peer_hears), DO(await_close),
		TO_TIME_WAIT),
	  { "time-wait" }, .wire = "F." },
	{ "time-wait: an RST to the minisocket is no second end",
	  STEPS(IN_TIME_WAIT, DO(wait_ms, 10), DO(peer_resets), DO(left, 0)),
	  { "time-wait" }, .wire = "F.", ABORTED },

	{ "closed: acknowledged when the FIN is sent again",
	  STEPS(IN_LAST_ACK, DO(wait_ms, 50), DO(peer_hears), GONE),
	  { "closed" }, .wire = "F.", .both = true },
	{ "closed: what was accepted",
	  STEPS(IN_LAST_ACK, DO(wait_ms, 20), DO(peer_hears), GONE),
	  { "closed" }, .wire = "F.", .accepted = true },
	{ "closed: half-closed before",
	  STEPS(PASSIVE, DO(peer_misses_fin), DO(shut, SHUT_WR), DO(stands, TCP_LAST_ACK),
		DO(close_it), DO(left, TCP_LAST_ACK), DO(wait_ms, 20), DO(peer_hears), GONE),
	  { "closed" }, .wire = "" },
	{ "closed: acknowledged at once",
	  STEPS(PASSIVE, DO(close_it), GONE),
	  { "closed" }, .wire = "F.", .may_be_in_call = true, .both = true },

	{ "reset-by-peer: in FIN_WAIT2",
	  STEPS(IN_FIN_WAIT2, DO(wait_ms, 20), DO(peer_resets), GONE),
	  { "reset-by-peer" }, .reset = "reset-by-peer", .wire = "F.", ABORTED, .both = true },
	{ "reset-by-peer: in FIN_WAIT1",
	  STEPS(IN_FIN_WAIT1, DO(wait_ms, 1), DO(peer_resets), GONE),
	  { "reset-by-peer" }, .reset = "reset-by-peer", .wire = "F.", ABORTED },
	{ "reset-by-peer: in LAST_ACK",
	  STEPS(IN_LAST_ACK, DO(wait_ms, 1), DO(peer_resets), GONE),
	  { "reset-by-peer" }, .reset = "reset-by-peer", .wire = "F.", ABORTED },
	{ "reset-by-peer: data and FIN still unsent",
	  STEPS(FULL_WINDOW, DO(wait_ms, 20), DO(peer_resets), GONE),
	  { "reset-by-peer" }, .reset = "reset-by-peer", .wire = "", ONE_RST, .tiny = true },

	{ "late-data-reset: 1 ms later",
	  STEPS(IN_FIN_WAIT2, DO(wait_ms, 1), LATE_DATA),
	  { "late-data-reset" }, BY_ORPHAN, .both = true },
	{ "late-data-reset: 100 ms later",
	  STEPS(IN_FIN_WAIT2, DO(wait_ms, 100), LATE_DATA),
	  { "late-data-reset" }, BY_ORPHAN, .both = true },
	{ "late-data-reset: from what was accepted",
	  STEPS(IN_FIN_WAIT2, DO(wait_ms, 5), LATE_DATA),
	  { "late-data-reset" }, BY_ORPHAN, .accepted = true },
	{ "late-data-reset: the FIN not yet acknowledged",
	  STEPS(IN_FIN_WAIT1, DO(wait_ms, 1), LATE_DATA),
	  { "late-data-reset" }, BY_ORPHAN },
	{ "late-data-reset: the closer has exited",
	  STEPS(IN_FIN_WAIT2, DO(exit_after_it), DO(wait_ms, 20), LATE_DATA),
	  { "late-data-reset" }, BY_ORPHAN, .both = true },
	/* The answer to the acknowledgement of the FIN, without any data. */
	{ "late-data-reset within the call: TCP_LINGER2 is -1",
	  STEPS(DO(linger2, -1), DO(close_it), DO(peer_is_reset), GONE),
	  { "late-data-reset" }, BY_ORPHAN, .may_be_in_call = true },

	{ "time-wait-reset: 1 ms later",
	  STEPS(IN_TIME_WAIT, DO(wait_ms, 1), LATE_DATA),
	  { "time-wait", "time-wait-reset" }, BY_MINISOCKET, .both = true },
	{ "time-wait-reset: 100 ms later",
	  STEPS(IN_TIME_WAIT, DO(wait_ms, 100), LATE_DATA),
	  { "time-wait", "time-wait-reset" }, BY_MINISOCKET, .both = true },
	{ "time-wait-reset: from what was accepted",
	  STEPS(IN_TIME_WAIT, DO(wait_ms, 5), LATE_DATA),
	  { "time-wait", "time-wait-reset" }, BY_MINISOCKET, .accepted = true },
	{ "time-wait-reset: the closer has exited",
	  STEPS(IN_TIME_WAIT, DO(exit_after_it), DO(wait_ms, 20), LATE_DATA),
	  { "time-wait", "time-wait-reset" }, BY_MINISOCKET },
	{ "time-wait-reset: unsent data was delivered before",
	  STEPS(FULL_WINDOW, DO(peer_reads_all), TO_TIME_WAIT, LATE_DATA),
	  { "time-wait", "time-wait-reset" }, BY_MINISOCKET, .tiny = true },
	/* tcp_fin_time() has the minisocket live for TCP_LINGER2. */
	{ "data when the minisocket has gone, after a second",
	  STEPS(DO(linger2, 1), IN_TIME_WAIT, DO(left, 0), DO(peer_sends, 5), DO(peer_is_reset)),
	  { "time-wait" }, .reset = "no-socket", .wire = "F. R", ONE_RST, .both = true },
	{ "data when the minisocket has gone, after a minute",
	  STEPS(IN_TIME_WAIT, DO(wait_ms, 61000), DO(left, 0), DO(peer_sends, 5),
		DO(peer_is_reset)),
	  { "time-wait" }, .reset = "no-socket", .wire = "F. R", ONE_RST, .slow = true },

	{ "retransmit-timeout: TCP_USER_TIMEOUT",
	  STEPS(DO(user_timeout, 500), IN_FIN_WAIT1, GONE),
	  { "retransmit-timeout" }, .least_ms = 400, .wire = "F.", GAVE_UP, .both = true },
	{ "retransmit-timeout: tcp_orphan_retries",
	  STEPS(DO(ipv4_orphan_retries, 1), IN_FIN_WAIT1, GONE),
	  { "retransmit-timeout" }, .least_ms = 190, .wire = "F.", GAVE_UP },
	{ "retransmit-timeout: in LAST_ACK, the closer has exited",
	  STEPS(DO(user_timeout, 500), IN_LAST_ACK, DO(exit_after_it), GONE),
	  { "retransmit-timeout" }, .least_ms = 400, .wire = "F.", GAVE_UP },
	{ "retransmit-timeout: both close at once",
	  STEPS(DO(user_timeout, 500), IN_CLOSING, GONE),
	  { "retransmit-timeout" }, .wire = "F.", GAVE_UP },
	{ "retransmit-timeout: nobody answers the probes of a full window",
	  STEPS(DO(ipv4_orphan_retries, 1), DO(fill), DO(peer_deaf), DO(close_it),
		DO(left, TCP_FIN_WAIT1), GONE),
	  { "retransmit-timeout" }, .wire = "", GAVE_UP, .tiny = true },

	/* A timer that was set when tcp_fin_timeout was a minute and a second finds it short. */
	{ "fin-wait2-timeout",
	  STEPS(DO(ipv4_fin_timeout, 61), DO(close_it), DO(left, TCP_FIN_WAIT2),
		DO(ipv4_fin_timeout, 30), DO(peer_is_reset), GONE),
	  { "fin-wait2-timeout" }, .least_ms = 900, .reset = "fin-wait2-timeout", .wire = "F. R.",
	  ONE_RST, .both = true },

	{ "exit() closes",
	  STEPS(DO(linger2, FULL_ORPHAN_S), DO(exit_with_it), DO(left, TCP_FIN_WAIT2),
		DO(wait_ms, 20), DO(peer_closes), TO_TIME_WAIT),
	  { "time-wait" }, .wire = "F." },
	{ "SIGKILL closes",
	  STEPS(DO(linger2, FULL_ORPHAN_S), DO(kill_it), DO(left, TCP_FIN_WAIT2), DO(wait_ms, 20),
		LATE_DATA),
	  { "late-data-reset" }, BY_ORPHAN },

	{ "no end: zero linger",
	  STEPS(DO(linger, 0), DO(close_it), DO(peer_is_reset), DO(left, 0)),
	  {}, .wire = "R.", ABORTED },
	{ "no end: unread data",
	  STEPS(DO(peer_sends, 5), DO(has_unread, 5), DO(close_it), DO(peer_is_reset), DO(left, 0)),
	  {}, .wire = "R.", ONE_RST },
	{ "no end: reset before",
	  STEPS(DO(give_away), DO(peer_resets), DO(left, 0), DO(close_it)),
	  {}, .reset = "reset-by-peer", .owner = "socket", .wire = "" },
	{ "no end: in TIME_WAIT before",
	  STEPS(DO(shut, SHUT_WR), DO(peer_has_fin), DO(peer_closes), DO(stands, TCP_CLOSE),
		DO(close_it), DO(left, TCP_TIME_WAIT)),
	  {}, .wire = "" },

	{},
};
/* clang-format on */
