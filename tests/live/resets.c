// SPDX-License-Identifier: GPL-2.0-only
/*
 * An RST that no close call sends, in every way, over IPv4 and IPv6.  Three witnesses for each:
 * the records of both ends, the packets on the wire, the kernel's counters.
 */
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>


#include "tests/live/counters.h"
#include "tests/live/live.h"
#include "tests/live/reset_rows.h"
#include "tests/live/wire.h"
#include "user/await.h"

#define MAX_PLAYS 128

/* A row, played. */
static struct played {
	const struct row *row;
	struct stage stage;
	const char *fault;			/* or it was not */
	char sender[128], receiver[128];	/* what each sent */
	unsigned int counts[COUNTERS];
} plays[MAX_PLAYS];

static int played_count;
static const char *via;
static struct wire *wire;

static const char *const counter_names[COUNTERS][2] = {
	[OUT_RSTS] = { "Tcp", "OutRsts" },
	[ESTAB_RESETS] = { "Tcp", "EstabResets" },
	[ATTEMPT_FAILS] = { "Tcp", "AttemptFails" },
	[ON_CLOSE] = { "TcpExt", "TCPAbortOnClose" },
	[ON_DATA] = { "TcpExt", "TCPAbortOnData" },
	[ON_LINGER] = { "TcpExt", "TCPAbortOnLinger" },
	[ON_MEMORY] = { "TcpExt", "TCPAbortOnMemory" },
	[ON_TIMEOUT] = { "TcpExt", "TCPAbortOnTimeout" },
	[EMBRYONIC_RSTS] = { "TcpExt", "EmbryonicRsts" },
	[LISTEN_OVERFLOWS] = { "TcpExt", "ListenOverflows" },
};

/* ---- playing ---------------------------------------------------------------------------- */

static void read_counters(unsigned int *counts)
{
	for (int i = 0; i < COUNTERS; i++)
		counts[i] = counter_of(counter_names[i][0], counter_names[i][1]);
}

static unsigned int counts_before[COUNTERS];

/* What is yet to be sent, or to be met, is counted then. */
static bool has_counted(int index, long unused)
{
	struct played *played = &plays[index];
	bool all = true;

	read_counters(played->counts);
	for (int i = 0; i < COUNTERS; i++) {
		played->counts[i] -= counts_before[i];
		all &= played->counts[i] >= played->row->counts[i];
	}
	return all;
}

/* tcp_send_active_reset() counts before it sends. */
static bool has_gone(int index, long here)
{
	struct played *played = &plays[index];

	wire_flags(wire, here, played->sender, sizeof(played->sender));
	return strlen(played->sender) >= strlen(played->row->wire);
}

static void play(int index, const struct row *row, int family)
{
	struct played *played = &plays[index];
	struct stage *stage = &played->stage;
	unsigned int there = 4000 + SLOTS * index, here = row->port;

	if (!here)
		here = 2000 + SLOTS * index;
	played->row = row;
	stage->place = (struct place){ family, here, there };
	actor_start(&stage->sender, "sender", &stage->place);
	actor_start(&stage->receiver, "receiver", &(struct place){ family, there, here });
	wire_forget(wire);
	read_counters(counts_before);
	played->fault = row->play(stage);
	if (played->fault)
		return;
	await(has_counted, index, 0);
	await(has_gone, index, here);
	wire_flags(wire, there, played->receiver, sizeof(played->receiver));
}

static void play_all(int family)
{
	for (const struct row *row = rows; row->name; row++)
		play(played_count++, row, family);
}

/* ---- the records ------------------------------------------------------------------------ */

/* A row has a few ports, for several connections. */
static bool is_in(const json_t *record, const char *key, unsigned int port)
{
	long long number = number_of(record, key);

	return number >= port && number < port + SLOTS;
}

static bool is_of(const json_t *record, const struct played *played, bool received)
{
	const struct place *place = &played->stage.place;
	const char *family = place->family == AF_INET6 ? "ipv6" : "ipv4";

	return !strcmp(text_of(record, "family"), family) &&
	       !strcmp(text_of(record, "direction"), received ? "received" : "sent") &&
	       is_in(record, received ? "rport" : "lport", place->here) &&
	       is_in(record, received ? "lport" : "rport", place->there);
}

/* The close that left the socket: of the same end, or of its listener. */
static bool is_close_of(const json_t *close, const json_t *record)
{
	static const char *const keys[] = { "pid", "lport" };

	if (!is_close(close) || strcmp(text_of(close, "family"), text_of(record, "family")))
		return false;
	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
		if (number_of(close, keys[i]) != number_of(record, keys[i]))
			return false;
	return number_of(close, "rport") == number_of(record, "rport") ||
	       (!strcmp(text_of(record, "cause"), "unaccepted-child") &&
		!strcmp(text_of(close, "branch"), "listener"));
}

static bool right_id(const json_t *record, const json_t *records)
{
	const json_t *close;
	size_t i;

	json_array_foreach(records, i, close)
		if (is_close_of(close, record))
			return same_number(record, "id", number_of(close, "id"));
	note("no close of it");
	return false;
}

static bool right_owner(const json_t *record, const json_t *records, const char *owner,
			const struct actor *actor, const char *comm)
{
	bool good = same_text(record, "owner", owner);

	good &= same_text(record, "comm", owner ? comm : NULL);
	good &= same_number(record, "pid", owner ? actor->pid : -1);
	/* A process may hold it; a thread does not. */
	if (!owner || number_of(record, "tid") >= 0)
		good &= same_number(record, "tid", owner ? actor->pid : -1);
	good &= same_number(record, "uid", owner ? 0 : -1);
	if (owner && !strcmp(owner, "closer"))
		good &= right_id(record, records);
	return good;
}

/* One of these, where the kernel has reasons (v6.12; v6.10 has none for what it sends by
 * itself). */
static const struct {
	const char *cause, *reasons;
} reasons[] = {
	{ "disconnect", "TCP_STATE" },
	{ "unaccepted-child", "TCP_STATE" },
	{ "admin-abort", "TCP_STATE" },
	{ "keepalive-timeout", "TCP_KEEPALIVE_TIMEOUT" },
	{ "orphan-limit", "TCP_ABORT_ON_MEMORY" },
	{ "late-data", "TCP_ABORT_ON_DATA" },
	{ "time-wait", "TCP_TIMEWAIT_SOCKET" },
	{ "no-socket", "NO_SOCKET" },
	{ "listener-stray-ack", "TCP_FLAGS" },
	{ "accept-overflow", "INVALID_SYN" },
	{ "embryonic", "INVALID_SYN" },
	{ "bad-ack-syn-sent", "TCP_INVALID_ACK_SEQUENCE" },
	{ "bad-ack-syn-recv", "TCP_OLD_ACK TCP_TOO_OLD_ACK TCP_ACK_UNSENT_DATA" },
};

static bool right_reason(const json_t *record, const char *cause)
{
	const char *got = text_of(record, "reason"), *want = "";

	for (size_t i = 0; i < sizeof(reasons) / sizeof(*reasons); i++)
		if (!strcmp(cause, reasons[i].cause))
			want = reasons[i].reasons;
	if (!strcmp(got, "null") || strstr(want, got))
		return true;
	note("reason is %s, expected %s", got, *want ? want : "null");
	return false;
}

static bool right_record(const json_t *record, const json_t *records, const struct played *played,
			 bool received)
{
	const struct told *told = received ? &played->row->received : &played->row->sent;
	const struct stage *stage = &played->stage;
	const char *address = stage->place.family == AF_INET6 ? "::1" : "127.0.0.1";
	bool good = same_text(record, "cause", told->cause);

	good &= right_owner(record, records, told->owner,
			    received ? &stage->receiver : &stage->sender,
			    received ? "receiver" : "sender");
	good &= same_text(record, "laddr", address);
	good &= same_text(record, "raddr", address);
	good &= same_text(record, "state", told->state);
	good &= same_text(record, "via", via);
	return good & right_reason(record, told->cause ? told->cause : "");
}

/* Each of its connections has a bit. */
static unsigned int bit_of(const json_t *record, const struct played *played, bool received)
{
	return 1 << (number_of(record, received ? "lport" : "rport") - played->stage.place.there);
}

static int attributed;

/* As many as there should be, each right, and of a connection of its own. */
static bool right_records(const json_t *records, const struct played *played, bool received)
{
	int wanted = received ? played->row->received.count : played->row->sent.count;
	unsigned int bit, seen = 0;
	const json_t *record;
	bool good = true;
	int count = 0;
	size_t i;

	json_array_foreach(records, i, record) {
		if (!is_reset(record) || !is_of(record, played, received))
			continue;
		good &= right_record(record, records, played, received);
		bit = bit_of(record, played, received);
		good &= !(seen & bit);
		seen |= bit;
		count++;
	}
	attributed += count;
	if (count != wanted)
		note("%d records, expected %d", count, wanted);
	return good && count == wanted;
}

/* ---- the other witnesses ------------------------------------------------------------------ */

static bool right_wire(const struct played *played)
{
	if (!strcmp(played->sender, played->row->wire) && !strchr(played->receiver, 'R'))
		return true;
	note("on the wire: \"%s\" expected \"%s\", and \"%s\" the other way", played->sender,
	     played->row->wire, played->receiver);
	return false;
}

static bool right_counters(const struct played *played)
{
	bool good = true;

	for (int i = 0; i < COUNTERS; i++) {
		if (played->counts[i] == played->row->counts[i])
			continue;
		note("%s is %u, expected %u", counter_names[i][1], played->counts[i],
		     played->row->counts[i]);
		good = false;
	}
	return good;
}

/* ---- checking ------------------------------------------------------------------------------ */

/* Why there is no record of an RST that was sent; NULL: there is. */
static const char *unseen(const struct told *sent)
{
	if (strcmp(via, "tracepoint") || !sent->count)
		return NULL;
	if (!strcmp(sent->cause, "firewall-reject"))
		return "the firewall's RST has no tracepoint";
	/* v6.10: tcp_send_reset is told of those, too, with a reason. */
	if ((!strcmp(sent->cause, "no-socket") || !strcmp(sent->cause, "time-wait")) &&
	    is_blind(via))
		return "no tracepoint before v6.10 where there is no full socket";
	return NULL;
}

static void check(const struct played *played, const json_t *records)
{
	const char *family = played->stage.place.family == AF_INET6 ? "ipv6" : "ipv4";
	const char *name = played->row->name, *fault = unseen(&played->row->sent);

	if (played->fault) {
		skip(played->fault, "%s %s %s", via, family, name);
		return;
	}
	if (fault)
		skip(fault, "%s %s %s: sent", via, family, name);
	else
		ok(right_records(records, played, false), "%s %s %s: sent", via, family, name);
	ok(right_records(records, played, true), "%s %s %s: received", via, family, name);
	ok(right_wire(played), "%s %s %s: wire", via, family, name);
	ok(right_counters(played), "%s %s %s: counters", via, family, name);
}

static bool ends_with(const char *text, const char *end)
{
	size_t size = strlen(text), end_size = strlen(end);

	return size >= end_size && !strcmp(text + size - end_size, end);
}

/* How many RSTs TCP sent, by what was recorded. */
static unsigned int sent_by(const json_t *records)
{
	const json_t *record;
	unsigned int sent = 0;
	size_t i;

	json_array_foreach(records, i, record)
		if (is_close(record))
			sent += !strcmp(text_of(record, "sent"), "rst") +
				ends_with(text_of(record, "after"), "-reset");
		else if (is_reset(record))
			sent += !strcmp(text_of(record, "direction"), "sent") &&
				strcmp(text_of(record, "cause"), "firewall-reject");
	return sent;
}

static void check_sum(const json_t *records, unsigned int out_rsts)
{
	static const char name[] = "the records and OutRsts say the same";
	static const struct told any = { 1, "no-socket" };

	if (unseen(&any))
		skip(unseen(&any), "%s: %s", via, name);
	else if (!ok(sent_by(records) == out_rsts, "%s: %s", via, name))
		note("%u were sent by the records, OutRsts %u", sent_by(records), out_rsts);
}

static void check_totals(const struct run *run)
{
	struct totals totals = run_totals(run);
	int resets = count_events(run->all, "reset");

	if (!ok(resets == attributed, "%s: no RST that nobody sent", via))
		note("%d of %d belong to one of these", attributed, resets);
	if (!ok(totals.resets == resets && !totals.lost && !totals.unknown && !run->status,
		"%s: none lost, none unknown", via))
		note("%d resets: %s", resets, run->told);
}

int main(int argc, char **argv)
{
	unsigned int out_rsts;
	struct run run;

	via = argc > 1 ? argv[1] : "fentry";
	network_enter();
	wire = wire_open();
	if (!wire)
		bail_out("no capture on loopback");
	firewall_begin();
	run_begin(&run, via, NULL);
	play_all(AF_INET);
	play_all(AF_INET6);
	out_rsts = counter_of("Tcp", "OutRsts");
	run_stop(&run);
	for (int i = 0; i < played_count; i++) {
		actor_kill(&plays[i].stage.sender);
		actor_kill(&plays[i].stage.receiver);
		check(&plays[i], run.all);
	}
	check_sum(run.all, out_rsts);
	check_totals(&run);
	run_free(&run);
	wire_close(wire);
	return finish();
}
