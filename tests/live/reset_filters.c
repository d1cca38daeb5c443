// SPDX-License-Identifier: GPL-2.0-only
/*
 * Filters and what follows a close: two teams of a server and a client do the same, and a filter
 * shows of one what it must, and nothing of the other.
 */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>

#include "tests/live/end_tcp.h"
#include "tests/live/live.h"
#include "tests/live/reset_actor.h"

#define PORTS 100	/* for a team in a run */

/* In each: the server closes a connection and the client sends more, so that a minisocket resets
 * it; and the client resets another that the server holds. */
struct team {
	struct actor server, client;
	unsigned int port;	/* of the server's first connection */
};

static struct team teams[2];
static const char *via;

static void start(struct team *team, unsigned int port)
{
	struct place here = { AF_INET, port, port + PORTS / 2 };
	struct place there = { AF_INET, port + PORTS / 2, port };

	actor_start(&team->server, "server", &here);
	actor_start(&team->client, "client", &there);
	take(&team->client, LISTENER, start_listening, 2);
	for (int i = 0; i < 2; i++) {
		take(&team->server, END + i, connect_there, 0);
		take(&team->client, END + i, accept_end, 0);
	}
	team->port = port;
}

static void act(const struct team *team)
{
	int orphans = count_orphans();

	/* Acknowledged later than in the close itself, the FIN leaves a minisocket for sure. */
	take(&team->client, END, drop_flags, TH_FIN);
	take(&team->server, END, close_it, 0);
	take(&team->client, END, drop_nothing, 0);
	take(&team->client, END, await_end, TCP_CLOSE_WAIT);
	take(&team->client, END, acknowledge, 0);
	if (!await_at(team->port, team->port + PORTS / 2, TCP_TIME_WAIT))
		bail_out("the server's end left no minisocket");
	await_orphans(orphans);
	take(&team->client, END, send_data, 0);
	take(&team->client, END + 1, set_zero_linger, 0);
	take(&team->client, END + 1, close_it, 0);
	take(&team->server, END + 1, await_end, TCP_CLOSE);
}

static void stop(struct team *team)
{
	actor_kill(&team->server);
	actor_kill(&team->client);
}

/* ---- what is told ------------------------------------------------------------------------ */

static bool is(const json_t *record, const char *event, const char *key, const char *word)
{
	return is_event(record, event) && !strcmp(text_of(record, key), word);
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

/* Of one team: what is told besides its closes, a bit each; SET: that the client will reset. */
enum { RESET_LATE = 1, ENDS = 2, HELD = 4, PEERS = 8, RESET_ENDS = 16, SET = 32 };

static int seen(const json_t *records, const struct team *team)
{
	pid_t server = team->server.pid, client = team->client.pid;
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

/* ---- the filters ---------------------------------------------------------------------------- */

static const struct row {
	const char *name;
	const char *option, *value;	/* NULL: the first server's pid, or port */
	int first, second;		/* what must be told of each team, and no more */
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
	snprintf(text, size, "%u", strcmp(row->option, "-L") ? (unsigned int)teams[0].server.pid :
								teams[0].port);
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
	int first = seen(run->all, &teams[0]), second = seen(run->all, &teams[1]);
	int follows = json_array_size(run->all) - count_events(run->all, "close");

	if (!ok(first == first_set && second == second_set &&
		follows == bits(first_set) + bits(second_set), "%s: %s", via, row->name))
		note("of the first %#x, expected %#x, of the second %#x, expected %#x, %d in all; %s", first,
		     first_set, second, second_set, follows, run->told);
}

static void try(const struct row *row, unsigned int port)
{
	char text[16];
	const char *value, *more[3] = {};
	struct run run;

	start(&teams[0], port);
	start(&teams[1], port + PORTS);
	value = value_of(row, text, sizeof(text));
	more[0] = row->option;
	more[1] = value;
	run_begin(&run, via, row->option ? more : NULL);
	act(&teams[0]);
	act(&teams[1]);
	run_stop(&run);
	check(row, &run);
	run_free(&run);
	stop(&teams[0]);
	stop(&teams[1]);
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
