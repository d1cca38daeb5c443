// SPDX-License-Identifier: GPL-2.0-only
/*
 * Filters and what follows a close: two pairs of processes do the same, and a filter shows of
 * one what it must, and nothing of the other.
 */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/live/live.h"
#include "tests/live/reset_actor.h"

#define PORTS 100	/* for a pair in a run */

/* In each: the server closes a connection and the client sends more, so that a minisocket resets
 * it; and the client resets another that the server holds. */
struct pair {
	struct actor server, client;
	unsigned int port;	/* of the server's first connection */
};

static struct pair pairs[2];
static const char *via;

static void start(struct pair *pair, unsigned int port)
{
	struct place here = { AF_INET, port, port + PORTS / 2 };
	struct place there = { AF_INET, port + PORTS / 2, port };

	actor_start(&pair->server, "server", &here);
	actor_start(&pair->client, "client", &there);
	take(&pair->client, LISTENER, start_listening, 2);
	for (int i = 0; i < 2; i++) {
		take(&pair->server, END + i, connect_there, 0);
		take(&pair->client, END + i, accept_end, 0);
	}
	pair->port = port;
}

static void act(const struct pair *pair)
{
	/* Acknowledged later than in the close itself, the FIN leaves a minisocket for sure. */
	take(&pair->client, END, drop_flags, TH_FIN);
	take(&pair->server, END, close_it, 0);
	take(&pair->client, END, drop_nothing, 0);
	take(&pair->client, END, await_end, TCP_CLOSE_WAIT);
	take(&pair->client, END, acknowledge, 0);
	/* A process that sleeps in recv() would not do: it is the kernel that answers. */
	usleep(20000);
	take(&pair->client, END, send_data, 0);
	take(&pair->client, END + 1, set_zero_linger, 0);
	take(&pair->client, END + 1, close_it, 0);
	take(&pair->server, END + 1, await_end, TCP_CLOSE);
}

static void stop(struct pair *pair)
{
	actor_kill(&pair->server);
	actor_kill(&pair->client);
}

/* ---- what is told ------------------------------------------------------------------------ */

static bool is(const json_t *record, const char *event, const char *key, const char *word)
{
	return !strcmp(text_of(record, "event"), event) && !strcmp(text_of(record, key), word);
}

static int count(const json_t *records, pid_t pid, const char *event, const char *key, const char *word)
{
	const json_t *record;
	int found = 0;
	size_t i;

	json_array_foreach(records, i, record)
		found += is(record, event, key, word) && number_of(record, "pid") == pid;
	return found;
}

/* Of one pair: what is told besides its closes, a bit each; SET: that the client will reset. */
enum { RESET_LATE = 1, ENDS = 2, HELD = 4, PEERS = 8, RESET_ENDS = 16, SET = 32 };

static int seen(const json_t *records, const struct pair *pair)
{
	pid_t server = pair->server.pid, client = pair->client.pid;
	int seen = 0;

	if (count(records, server, "reset", "cause", "time-wait") == 1)
		seen |= RESET_LATE;
	if (count(records, server, "end", "how", "time-wait") == 1)
		seen |= ENDS;
	if (count(records, server, "end", "how", "time-wait-reset") == 1)
		seen |= RESET_ENDS;
	if (count(records, server, "reset", "cause", "reset-by-peer") == 1)
		seen |= HELD;
	if (count(records, client, "reset", "cause", "reset-by-peer") == 1)
		seen |= PEERS;
	if (count(records, client, "linger", "comm", "client") == 1)
		seen |= SET;
	return seen;
}

static int count_follows(const json_t *records)
{
	const json_t *record;
	int follows = 0;
	size_t i;

	json_array_foreach(records, i, record)
		follows += !is_close(record);
	return follows;
}

/* ---- the filters ---------------------------------------------------------------------------- */

static const struct row {
	const char *name;
	const char *option, *value;	/* NULL: the first server's pid, or port */
	int first, second;		/* what must be told of each pair, and no more */
} rows[] = {
	{ "none", NULL, NULL, RESET_LATE | ENDS | RESET_ENDS | HELD | PEERS | SET,
	  RESET_LATE | ENDS | RESET_ENDS | HELD | PEERS | SET },
	{ "-p", "-p", NULL, RESET_LATE | ENDS | RESET_ENDS | HELD, 0 },
	{ "-f -p", "-fp", NULL, RESET_LATE | ENDS | RESET_ENDS | HELD, 0 },
	{ "--comm", "--comm", "server", RESET_LATE | ENDS | RESET_ENDS | HELD,
	  RESET_LATE | ENDS | RESET_ENDS | HELD },
	{ "-L", "-L", NULL, RESET_LATE | ENDS | RESET_ENDS, 0 },
	{ "-b fin", "-b", "fin", RESET_LATE | ENDS | RESET_ENDS, RESET_LATE | ENDS | RESET_ENDS },
	{ "-b zero-linger", "-b", "zero-linger", 0, 0 },
	{ "-r", "-r", NULL, RESET_LATE | RESET_ENDS | HELD | PEERS,
	  RESET_LATE | RESET_ENDS | HELD | PEERS },
	{ "-6", "-6", NULL, 0, 0 },
	{}
};

static const char *value_of(const struct row *row, char *text, size_t size)
{
	if (row->value)
		return row->value;
	if (!row->option || !strcmp(row->option, "-r") || !strcmp(row->option, "-6"))
		return NULL;
	snprintf(text, size, "%u", strcmp(row->option, "-L") ? (unsigned int)pairs[0].server.pid :
								pairs[0].port);
	return text;
}

static int bits(int set)
{
	return __builtin_popcount(set);
}

/* What a minisocket sends is not seen there, nor by tracepoint who sets SO_LINGER. */
static int visible(int set)
{
	if (!strcmp(via, "tracepoint"))
		set &= ~SET;
	return is_blind(via) ? set & ~(RESET_LATE | RESET_ENDS) : set;
}

static void check(const struct row *row, const struct run *run)
{
	int first_set = visible(row->first), second_set = visible(row->second);
	int first = seen(run->all, &pairs[0]), second = seen(run->all, &pairs[1]);
	int follows = count_follows(run->all);

	if (!ok(first == first_set && second == second_set &&
		follows == bits(first_set) + bits(second_set), "%s: %s", via, row->name))
		note("of the first %#x, expected %#x, of the second %#x, expected %#x, %d in all", first,
		     first_set, second, second_set, follows);
}

static void try(const struct row *row, unsigned int port)
{
	char text[16];
	const char *value, *more[3] = {};
	struct run run;

	start(&pairs[0], port);
	start(&pairs[1], port + PORTS);
	value = value_of(row, text, sizeof(text));
	more[0] = row->option;
	more[1] = value;
	run_begin(&run, via, row->option ? more : NULL);
	act(&pairs[0]);
	act(&pairs[1]);
	run_stop(&run);
	check(row, &run);
	run_free(&run);
	stop(&pairs[0]);
	stop(&pairs[1]);
}

int main(int argc, char **argv)
{
	unsigned int port = 2000;

	via = argc > 1 ? argv[1] : "fentry";
	network_enter();
	for (const struct row *row = rows; row->name; row++, port += 2 * PORTS)
		try(row, port);
	return finish();
}
