// SPDX-License-Identifier: GPL-2.0-only
/*
 * The client that forces an RST, and every other way to end a connection.
 * Without -m it is the article's: SO_LINGER {1, 0}, connect, close.
 */
#include <argp.h>
#include <err.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "user/judge.h"
#include "user/paths.h"

#ifndef VERSION
#define VERSION "?"
#endif

const char *argp_program_version = "rst-client " VERSION;

struct options {
	const struct path *path;
	const char *host;
	const char *port;
	int family;		/* AF_UNSPEC: as HOST has it; our own peer has IPv4 */
	enum path_verbosity verbosity;
	bool list;
	bool wait;
};

static const struct argp_option option_table[] = {
	{ "mode", 'm', "MODE", 0, "take this path; without it, the article's", 0 },
	{ "list", 'l', NULL, 0, "list the modes, with the branch and the packet each must give", 0 },
	{ "ipv6", '6', NULL, 0, "use IPv6", 0 },
	{ "wait", 'w', NULL, 0, "wait for Enter before the first step, so that one can attach", 0 },
	{ "verbose", 'v', NULL, 0, "tell how the socket stands after each step", 0 },
	{ "quiet", 'q', NULL, 0, "tell nothing but what cannot be done", 0 },
	{}
};

static void take_mode(struct options *options, const char *name, struct argp_state *state)
{
	options->path = path_find(name);
	if (!options->path)
		argp_failure(state, EX_USAGE, 0, "-m %s: no such mode; -l lists them", name);
}

static void take_operand(struct options *options, const char *operand, struct argp_state *state)
{
	if (options->port)
		argp_failure(state, EX_USAGE, 0, "%s: nothing may follow HOST PORT", operand);
	*(options->host ? &options->port : &options->host) = operand;
}

static void check(const struct options *options, struct argp_state *state)
{
	if (options->host && !options->port)
		argp_failure(state, EX_USAGE, 0, "%s: a PORT must follow", options->host);
	if (options->host && !path_takes_host(options->path))
		argp_failure(state, EX_USAGE, 0, "-m %s needs our own peer: leave HOST PORT out",
			     options->path->name);
}

static error_t take(int key, char *arg, struct argp_state *state)
{
	struct options *options = state->input;

	switch (key) {
	case 'm':
		take_mode(options, arg, state);
		return 0;
	case 'l':
		options->list = true;
		return 0;
	case '6':
		options->family = AF_INET6;
		return 0;
	case 'w':
		options->wait = true;
		return 0;
	case 'v':
		options->verbosity = PATH_STATES;
		return 0;
	case 'q':
		options->verbosity = PATH_QUIET;
		return 0;
	case ARGP_KEY_ARG:
		take_operand(options, arg, state);
		return 0;
	case ARGP_KEY_END:
		check(options, state);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {
	.options = option_table,
	.parser = take,
	.args_doc = "[HOST PORT]",
	.doc = "Connect, and close in one of many ways; without -m, so that an RST is sent.\v"
	       "Without HOST and PORT it brings its own peer on loopback.",
};

static int list(void)
{
	printf("%-26s %-17s %-4s %s\n", "MODE", "BRANCH", "SENT", "WHAT");
	for (const struct path *path = paths; path->name; path++)
		printf("%-26s %-17s %-4s %s\n", path->name, branch_name(path->expect.branch),
		       sent_name(path->expect.sent), path->what);
	return fflush(stdout) ? 1 : 0;
}

/* In the process that will close, which is the one to attach to. */
static void before_steps(void *arg)
{
	const struct options *options = arg;

	if (options->wait || options->verbosity >= PATH_STEPS)
		warnx("pid %d, mode %s: %s", getpid(), options->path->name, options->path->what);
	if (!options->wait)
		return;
	warnx("Enter to go on");
	while (getchar() != '\n' && !feof(stdin))
		;
}

static struct path_options walk_options(struct options *options)
{
	return (struct path_options){
		.verbosity = options->verbosity,
		.before_steps = before_steps,
		.arg = options,
	};
}

static int walk_to_own_peer(struct options *options)
{
	struct path_options walk = walk_options(options);
	struct path_result result;
	char why[256];
	int error;

	walk.peer = peer_start(options->family ? options->family : AF_INET);
	if (!walk.peer)
		err(1, "cannot start a peer");
	error = path_walk(options->path, &walk, &result, why, sizeof(why));
	peer_stop(walk.peer);
	if (error)
		warnx("%s", why);
	return error ? 1 : 0;
}

/* The next address is tried only where this one did not even connect. */
static int walk_to(struct options *options, const struct addrinfo *at, char *why, size_t why_size)
{
	struct path_options walk = walk_options(options);
	struct path_result result = {};
	int error = -1;

	for (; error && at && !result.remote.ss_family; at = at->ai_next) {
		walk.to = at->ai_addr;
		walk.to_len = at->ai_addrlen;
		error = path_walk(options->path, &walk, &result, why, why_size);
		walk.before_steps = NULL;
	}
	return error;
}

static int walk_to_host(struct options *options)
{
	const struct addrinfo hints = { .ai_family = options->family, .ai_socktype = SOCK_STREAM };
	struct addrinfo *found;
	char why[256] = "no address";
	int error = getaddrinfo(options->host, options->port, &hints, &found);

	if (error)
		errx(1, "%s port %s: %s", options->host, options->port, gai_strerror(error));
	error = walk_to(options, found, why, sizeof(why));
	freeaddrinfo(found);
	if (error)
		warnx("%s port %s: %s", options->host, options->port, why);
	return error ? 1 : 0;
}

int main(int argc, char **argv)
{
	struct options options = { .path = paths, .verbosity = PATH_STEPS };

	argp_parse(&argp, argc, argv, 0, NULL, &options);
	if (options.list)
		return list();
	return options.host ? walk_to_host(&options) : walk_to_own_peer(&options);
}
