// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/live/live.h"
#include "tests/live/reset_forge.h"
#include "tests/live/reset_rows.h"
#include "user/await.h"

#define FIREWALL_PORT 9
#define ANY_SEQ 1000

static char firewall_fault[256];	/* why there is none */

/* ---- what all begin with ----------------------------------------------------------------- */

static void connect_both(struct stage *stage)
{
	take(&stage->receiver, LISTENER, start_listening, 1);
	take(&stage->sender, END, connect_there, 0);
	take(&stage->receiver, END, accept_end, 0);
}

static void connect_waiting(struct stage *stage, int count)
{
	take(&stage->sender, LISTENER, start_listening, 8);
	for (int i = 0; i < count; i++)
		take(&stage->receiver, END + i, connect_there, 0);
	take(&stage->sender, LISTENER, await_waiting, count);
}

/* The port's state by /proc, where there is no descriptor to ask: 0 for none. */
static bool port_is(int port, long state)
{
	unsigned int l, s;
	char line[512];
	bool found = !state;
	FILE *file;

	for (int i = 0; i < 2; i++) {
		file = fopen(i ? "/proc/self/net/tcp6" : "/proc/self/net/tcp", "re");
		while (file && fgets(line, sizeof(line), file))
			if (sscanf(line, "%*d: %*[0-9A-F]:%x %*[0-9A-F]:%*x %x", &l, &s) == 2 &&
			    l == (unsigned int)port)
				found = s == state;
		if (file)
			fclose(file);
	}
	return found;
}

static void await_port(unsigned int port, long state)
{
	if (await(port_is, port, state))
		bail_out("port %u does not come to state %ld", port, state);
}

/* It knows that its FIN has come, and that no FIN will. */
static void await_fin_wait2(const struct actor *other, unsigned int port)
{
	take(other, END, await_end, TCP_CLOSE_WAIT);
	take(other, END, acknowledge, 0);
	await_port(port, TCP_FIN_WAIT2);
}

static const char *write_sysctl(const char *name, const char *value)
{
	FILE *file;
	char path[128];
	bool written;

	snprintf(path, sizeof(path), "/proc/sys/net/ipv4/%s", name);
	file = fopen(path, "we");
	if (!file)
		return strerror(errno);
	written = fputs(value, file) >= 0;
	return fclose(file) || !written ? strerror(errno) : NULL;
}

/* ---- the scenarios: NULL, or why this kernel cannot have it ------------------------------ */

static const char *disconnect(struct stage *stage)
{
	connect_both(stage);
	take(&stage->sender, END, dissolve, 0);
	return NULL;
}

static const char *listener_closed(struct stage *stage)
{
	connect_waiting(stage, 3);
	take(&stage->sender, LISTENER, close_it, 0);
	return NULL;
}

static const char *listener_shut(struct stage *stage)
{
	connect_waiting(stage, 3);
	take(&stage->sender, LISTENER, shut, SHUT_RD);
	return NULL;
}

static const char *aborted(struct stage *stage)
{
	int error;

	connect_both(stage);
	error = destroy(stage->place.family, stage->place.here, stage->place.there);
	return error ? strerror(error) : NULL;
}

static const char *keepalive(struct stage *stage)
{
	connect_both(stage);
	take(&stage->receiver, END, drop_flags, 0xff);
	take(&stage->sender, END, set_keepalive, 1);
	return NULL;
}

static const char *data_in_fin_wait1(struct stage *stage)
{
	connect_both(stage);
	take(&stage->receiver, END, drop_flags, TH_FIN);
	take(&stage->sender, END, close_it, 0);
	take(&stage->receiver, END, send_data, 0);
	return NULL;
}

static const char *data_with_ack_of_fin(struct stage *stage)
{
	connect_both(stage);
	take(&stage->sender, END, drop_empty, 0);
	take(&stage->sender, END, close_it, 0);
	take(&stage->receiver, END, await_end, TCP_CLOSE_WAIT);
	take(&stage->receiver, END, send_data, 0);
	return NULL;
}

/* For longer than a minute it stays a socket; for less it would be a mere minisocket. */
static const char *data_in_fin_wait2(struct stage *stage)
{
	connect_both(stage);
	take(&stage->sender, END, set_linger2, 90);
	take(&stage->sender, END, close_it, 0);
	await_fin_wait2(&stage->receiver, stage->place.here);
	take(&stage->receiver, END, send_data, 0);
	return NULL;
}

static const char *data_after_kill(struct stage *stage)
{
	connect_both(stage);
	take(&stage->sender, END, set_linger2, 90);
	actor_kill(&stage->sender);
	await_fin_wait2(&stage->receiver, stage->place.here);
	take(&stage->receiver, END, send_data, 0);
	return NULL;
}

static const char *data_after_shutdown(struct stage *stage)
{
	connect_both(stage);
	take(&stage->sender, END, shut, SHUT_RDWR);
	await_fin_wait2(&stage->receiver, stage->place.here);
	take(&stage->receiver, END, send_data, 0);
	return NULL;
}

/* Acknowledged while the close still holds the lock, the FIN leaves a full socket: only what is
 * sent again comes late enough for sure. */
static const char *data_after_close(struct stage *stage, unsigned int after_us)
{
	connect_both(stage);
	take(&stage->receiver, END, drop_flags, TH_FIN);
	take(&stage->sender, END, close_it, 0);
	take(&stage->receiver, END, drop_nothing, 0);
	await_fin_wait2(&stage->receiver, stage->place.here);
	usleep(after_us);
	take(&stage->receiver, END, send_data, 0);
	return NULL;
}

static const char *data_soon(struct stage *stage)
{
	return data_after_close(stage, 1000);
}

static const char *data_later(struct stage *stage)
{
	return data_after_close(stage, 100000);
}

static const char *closed_port(struct stage *stage)
{
	take(&stage->receiver, END, connect_refused, 0);
	return NULL;
}

/* What was under way when the RST went out comes to nobody. */
static void data_to_nobody(struct stage *stage)
{
	take(&stage->receiver, END, drop_flags, TH_RST);
	take(&stage->sender, END, close_it, 0);
	take(&stage->receiver, END, drop_nothing, 0);
	take(&stage->receiver, END, send_data, 0);
}

static const char *data_after_zero_linger(struct stage *stage)
{
	connect_both(stage);
	take(&stage->sender, END, set_zero_linger, 0);
	data_to_nobody(stage);
	return NULL;
}

static const char *data_after_unread(struct stage *stage)
{
	connect_both(stage);
	take(&stage->receiver, END, send_data, 0);
	take(&stage->sender, END, await_data, 0);
	data_to_nobody(stage);
	return NULL;
}

static const char *server_restarted(struct stage *stage)
{
	connect_waiting(stage, 1);
	take(&stage->sender, END, accept_end, 0);
	take(&stage->sender, END, set_repair, 0);
	take(&stage->sender, END, close_it, 0);
	take(&stage->sender, LISTENER, close_it, 0);
	take(&stage->sender, LISTENER, start_listening, 1);
	take(&stage->receiver, END, send_data, 0);
	return NULL;
}

/* With TCP_DEFER_ACCEPT a connection stays a request until its first data.  There is room for
 * three connections and for two requests: the fourth connection, requested in time, is too
 * many. */
static const char *accept_overflow(struct stage *stage)
{
	const char *fault = write_sysctl("tcp_abort_on_overflow", "1");

	if (fault)
		return fault;
	take(&stage->sender, LISTENER, start_listening, 2);
	take(&stage->sender, LISTENER, defer_accept, 9);
	for (int i = 0; i < 4; i++) {
		take(&stage->receiver, END + i, connect_there, 0);
		if (i < 2)
			take(&stage->receiver, END + i, send_data, 0);
		take(&stage->sender, LISTENER, await_waiting, i < 2 ? i + 1 : 2);
	}
	take(&stage->receiver, END + 2, send_data, 0);
	take(&stage->sender, LISTENER, await_waiting, 3);
	take(&stage->receiver, END + 3, send_data, 0);
	return NULL;
}

/* The RST has no sequence number that the receiver would take, but for one in 65536. */
static const char *embryonic(struct stage *stage)
{
	struct segment syn = { .family = stage->place.family, .from = stage->place.there,
			       .to = stage->place.here, .flags = TH_SYN };

	take(&stage->sender, LISTENER, start_listening, 1);
	take(&stage->sender, LISTENER, defer_accept, 9);
	take(&stage->receiver, END, connect_there, 0);
	take(&stage->receiver, END, drop_flags, TH_RST);
	syn.seq = take(&stage->receiver, END, next_seq, 0);
	forge(&syn);
	return NULL;
}

/* Nobody answers, so we do. */
static struct segment begin_unanswered(struct stage *stage, unsigned char flags)
{
	take(&stage->receiver, LISTENER, start_listening, 1);
	take(&stage->receiver, LISTENER, drop_flags, 0xff);
	take(&stage->sender, END, connect_begin, 0);
	return (struct segment){ .family = stage->place.family, .from = stage->place.there,
				 .to = stage->place.here, .seq = ANY_SEQ, .flags = flags };
}

static const char *wrong_ack(struct stage *stage)
{
	struct segment ack = begin_unanswered(stage, TH_ACK);

	forge(&ack);
	return NULL;
}

static const char *wrong_ack_with_syn(struct stage *stage)
{
	struct segment ack = begin_unanswered(stage, TH_SYN | TH_ACK);

	forge(&ack);
	return NULL;
}

/* Both have begun to connect. */
static const char *wrong_last_ack(struct stage *stage)
{
	struct segment segment = begin_unanswered(stage, TH_SYN);

	forge(&segment);
	take(&stage->sender, END, await_end, TCP_SYN_RECV);
	segment.flags = TH_ACK;
	segment.seq++;
	forge(&segment);
	return NULL;
}

static const char *zero_linger(struct stage *stage)
{
	connect_both(stage);
	take(&stage->sender, END, set_zero_linger, 0);
	take(&stage->sender, END, close_it, 0);
	return NULL;
}

static const char *unread(struct stage *stage)
{
	connect_both(stage);
	take(&stage->receiver, END, send_data, 0);
	take(&stage->sender, END, await_data, 0);
	take(&stage->sender, END, close_it, 0);
	return NULL;
}

static const char *to_orphan(struct stage *stage)
{
	connect_both(stage);
	take(&stage->receiver, END, set_linger2, 90);
	take(&stage->receiver, END, close_it, 0);
	await_fin_wait2(&stage->sender, stage->place.there);
	take(&stage->sender, END, set_zero_linger, 0);
	take(&stage->sender, END, close_it, 0);
	return NULL;
}

/* tcp_max_orphans is the whole machine's, and in the first network namespace only.  Returns
 * what it was, or -1 with errno. */
static long limit_orphans(long limit)
{
	int ours = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	int first = open("/proc/1/ns/net", O_RDONLY | O_CLOEXEC);
	long before = -1;
	FILE *file;

	if (setns(first, CLONE_NEWNET))
		return -1;
	file = fopen("/proc/sys/net/ipv4/tcp_max_orphans", "r+e");
	if (file && fscanf(file, "%ld", &before) == 1) {
		rewind(file);
		fprintf(file, "%ld", limit);
	}
	if (file && fclose(file))
		before = -1;
	if (setns(ours, CLONE_NEWNET))
		bail_out("no way back: %s", strerror(errno));
	close(first);
	close(ours);
	return before;
}

/* It is looked at when a timer sends the FIN again.  The RST would be challenged. */
static const char *too_many_orphans(struct stage *stage)
{
	long before;

	if (!getenv("GUEST"))
		return "tcp_max_orphans is the whole machine's: GUEST is not set";
	connect_both(stage);
	take(&stage->receiver, END, drop_flags, TH_FIN | TH_RST);
	take(&stage->sender, END, close_it, 0);
	before = limit_orphans(0);
	if (before < 0)
		return "tcp_max_orphans cannot be set";
	await_port(stage->place.here, 0);
	limit_orphans(before);
	return NULL;
}

void firewall_begin(void)
{
	char command[256];
	FILE *nft;

	snprintf(command, sizeof(command),
		 "nft 'table inet resets { chain input { type filter hook input priority 0; "
		 "tcp dport %d reject with tcp reset; }; }' 2>&1", FIREWALL_PORT);
	nft = popen(command, "re");
	if (!nft)
		bail_out("no shell: %s", strerror(errno));
	if (!fgets(firewall_fault, sizeof(firewall_fault), nft))
		strcpy(firewall_fault, "nft fails");
	firewall_fault[strcspn(firewall_fault, "\n")] = '\0';
	if (!pclose(nft))
		*firewall_fault = '\0';
}

static const char *rejected(struct stage *stage)
{
	if (*firewall_fault)
		return firewall_fault;
	take(&stage->sender, LISTENER, start_listening, 1);
	take(&stage->receiver, END, connect_refused, 0);
	return NULL;
}

/* ---- what each must give ------------------------------------------------------------------ */

#define BY_PEER(n, state) { n, "reset-by-peer", "socket", state }

const struct row rows[] = {
	{ "connect(AF_UNSPEC)", disconnect, { 1, "disconnect", "socket", "CLOSE" },
	  BY_PEER(1, "ESTABLISHED"), "R.", { [OUT_RSTS] = 1, [ESTAB_RESETS] = 2 } },
	{ "close() of a listener", listener_closed,
	  { 3, "unaccepted-child", "closer", "CLOSE" },
	  BY_PEER(3, "ESTABLISHED"), "R. R. R.", { [OUT_RSTS] = 3, [ESTAB_RESETS] = 6 } },
	{ "shutdown() of a listener", listener_shut,
	  { 3, "unaccepted-child", "socket", "CLOSE" },
	  BY_PEER(3, "ESTABLISHED"), "R. R. R.", { [OUT_RSTS] = 3, [ESTAB_RESETS] = 6 } },
	{ "ss -K", aborted, { 1, "admin-abort", "socket", "ESTABLISHED" },
	  BY_PEER(1, "ESTABLISHED"), "R.", { [OUT_RSTS] = 1, [ESTAB_RESETS] = 2 } },
	{ "keepalive", keepalive, { 1, "keepalive-timeout", "socket", "ESTABLISHED" }, {}, "R.",
	  { [OUT_RSTS] = 1, [ESTAB_RESETS] = 1, [ON_TIMEOUT] = 1 } },
	{ "data in FIN_WAIT1", data_in_fin_wait1, { 1, "late-data", "closer", "CLOSE" },
	  BY_PEER(1, "ESTABLISHED"), "F. R",
	  { [OUT_RSTS] = 1, [ON_DATA] = 1, [ESTAB_RESETS] = 1 } },
	{ "data with the ACK of the FIN", data_with_ack_of_fin,
	  { 1, "late-data", "closer", "CLOSE" }, BY_PEER(1, "CLOSE_WAIT"), "F. R",
	  { [OUT_RSTS] = 1, [ON_DATA] = 1, [ESTAB_RESETS] = 1 } },
	{ "data in FIN_WAIT2", data_in_fin_wait2, { 1, "late-data", "closer", "CLOSE" },
	  BY_PEER(1, "CLOSE_WAIT"), "F. R",
	  { [OUT_RSTS] = 1, [ON_DATA] = 1, [ESTAB_RESETS] = 1 } },
	{ "data after SIGKILL", data_after_kill, { 1, "late-data", "closer", "CLOSE" },
	  BY_PEER(1, "CLOSE_WAIT"), "F. R",
	  { [OUT_RSTS] = 1, [ON_DATA] = 1, [ESTAB_RESETS] = 1 } },
	{ "data after shutdown(SHUT_RDWR)", data_after_shutdown,
	  { 1, "late-data", "socket", "CLOSE" }, BY_PEER(1, "CLOSE_WAIT"), "F. R",
	  { [OUT_RSTS] = 1, [ON_DATA] = 1, [ESTAB_RESETS] = 1 } },
	{ "data 1 ms after close()", data_soon, { 1, "time-wait", "closer", "TIME_WAIT" },
	  BY_PEER(1, "CLOSE_WAIT"), "F. R", { [OUT_RSTS] = 1, [ESTAB_RESETS] = 1 } },
	{ "data 100 ms after close()", data_later, { 1, "time-wait", "closer", "TIME_WAIT" },
	  BY_PEER(1, "CLOSE_WAIT"), "F. R", { [OUT_RSTS] = 1, [ESTAB_RESETS] = 1 } },
	{ "closed port", closed_port, { 1, "no-socket" }, { 1, "refused", "socket", "SYN_SENT" },
	  "R.", { [OUT_RSTS] = 1, [ATTEMPT_FAILS] = 1 } },
	{ "data after zero linger", data_after_zero_linger, { 1, "no-socket", "closer" },
	  BY_PEER(1, "ESTABLISHED"), "R. R",
	  { [OUT_RSTS] = 2, [ON_DATA] = 1, [ESTAB_RESETS] = 2 } },
	{ "data after unread data", data_after_unread, { 1, "no-socket", "closer" },
	  BY_PEER(1, "ESTABLISHED"), "R. R",
	  { [OUT_RSTS] = 2, [ON_CLOSE] = 1, [ESTAB_RESETS] = 2 } },
	{ "server restarted", server_restarted, { 1, "listener-stray-ack", "socket", "LISTEN" },
	  BY_PEER(1, "ESTABLISHED"), "R", { [OUT_RSTS] = 1, [ESTAB_RESETS] = 2 } },
	{ "accept overflow", accept_overflow, { 1, "accept-overflow", "socket", "LISTEN" },
	  BY_PEER(1, "ESTABLISHED"), "R",
	  { [OUT_RSTS] = 1, [ESTAB_RESETS] = 1, [EMBRYONIC_RSTS] = 1, [LISTEN_OVERFLOWS] = 1 } },
	{ "SYN to a request", embryonic, { 1, "embryonic", "socket", "LISTEN" }, {}, "R.",
	  { [OUT_RSTS] = 1, [EMBRYONIC_RSTS] = 1, [ATTEMPT_FAILS] = 1 } },
	{ "wrong ACK to a SYN", wrong_ack, { 1, "bad-ack-syn-sent", "socket", "SYN_SENT" }, {}, "R",
	  { [OUT_RSTS] = 1 } },
	{ "wrong SYN-ACK", wrong_ack_with_syn, { 1, "bad-ack-syn-sent", "socket", "SYN_SENT" }, {},
	  "R", { [OUT_RSTS] = 1 } },
	{ "wrong last ACK", wrong_last_ack, { 1, "bad-ack-syn-recv", "socket", "SYN_RECV" }, {},
	  "R", { [OUT_RSTS] = 1 } },
	{ "zero linger", zero_linger, {}, BY_PEER(1, "ESTABLISHED"), "R.",
	  { [OUT_RSTS] = 1, [ON_DATA] = 1, [ESTAB_RESETS] = 2 } },
	{ "unread data", unread, {}, BY_PEER(1, "ESTABLISHED"), "R.",
	  { [OUT_RSTS] = 1, [ON_CLOSE] = 1, [ESTAB_RESETS] = 2 } },
	{ "RST to an orphan", to_orphan, {}, { 1, "reset-by-peer", "closer", "FIN_WAIT2" }, "R.",
	  { [OUT_RSTS] = 1, [ON_DATA] = 1, [ESTAB_RESETS] = 1 } },
	{ "too many orphans", too_many_orphans, { 1, "orphan-limit", "closer", "FIN_WAIT1" },
	  {}, "F. R.", { [OUT_RSTS] = 1, [ON_MEMORY] = 1 } },
	{ "nft reject", rejected, { 1, "firewall-reject" }, { 1, "refused", "socket", "SYN_SENT" },
	  "R.", { [ATTEMPT_FAILS] = 1 }, .port = FIREWALL_PORT },
	{},
};

