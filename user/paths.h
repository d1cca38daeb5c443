/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Every way to end a TCP connection, each with what the kernel must do:
 * which branch closes it, what leaves on the wire, what the counters say.
 * rst-client takes one path, `closetrace demo` walks all and compares, the
 * live tests walk all with a capture and the counters beside.
 */
#ifndef CLOSETRACE_PATHS_H
#define CLOSETRACE_PATHS_H

#include <stdbool.h>
#include <stddef.h>
#include <netinet/in.h>
#include <sys/types.h>

#include "bpf/judge.h"

/* How often the kernel counted, from just before the close to the end of the
 * path, our peer's last steps included (/proc/net/netstat, /proc/net/snmp). */
struct path_counters {
	unsigned int abort_on_close;	/* TCPAbortOnClose */
	unsigned int abort_on_data;	/* TCPAbortOnData */
	unsigned int abort_on_linger;	/* TCPAbortOnLinger */
	unsigned int out_rsts;		/* OutRsts: tries, of both ends on loopback */
};

/* What must come out; from the kernel's source, not from any tool's output. */
struct path_expect {
	enum branch branch;
	enum sent sent;
	enum outcome linger;
	unsigned int after;		/* a bit a value: 1 << AFTER_x; any of them is right */
	unsigned char state;		/* on entry, TCP_ESTABLISHED ... */
	bool exiting;			/* closed by the end of the process, not by close() */
	bool nonblock;			/* O_NONBLOCK was set */
	bool linger_on;
	unsigned int linger_s;
	unsigned int unread_bytes;
	unsigned int min_unsent_bytes;	/* at least, on entry */
	unsigned int min_blocked_ms;	/* in close(), at least */
	const char *wire;		/* what the closing side puts on the wire from the close on,
					   in tcpdump's flags without P: "F." "R." "R", a space
					   between.  Left out: what has neither F nor R, and what is
					   sent again: the same flags, and the same sequence number
					   at its end, for data in front of a FIN may be cut anew */
	struct path_counters counters;
};

struct step;

struct path {
	const char *name;		/* the mode's name: rst-client -m NAME */
	const char *what;		/* one line for -l and demo */
	const struct step *steps;	/* the script; ended by an empty one */
	struct path_expect expect;
};

extern const struct path paths[];	/* ended by a NULL name; the first is the article's */

const struct path *path_find(const char *name);

/* Whether it can be walked to a user's own HOST and PORT: it connects, and
 * needs no help from the other side. */
bool path_takes_host(const struct path *path);

/* TCP_REPAIR. */
bool path_needs_net_admin(const struct path *path);

/* Which connection the path closed, for finding its record. */
struct path_result {
	struct sockaddr_storage local;	/* on entry to the close */
	struct sockaddr_storage remote;	/* AF_UNSPEC where there is none */
	pid_t pid;			/* who closed: a child of ours where the process had to end */
};

enum path_verbosity {
	PATH_QUIET,
	PATH_STEPS,			/* tell each step on stderr */
	PATH_STATES,			/* ... and how the socket stands after it */
};

struct peer;

struct path_options {
	struct peer *peer;		/* our loopback peer; NULL: go to the user's own, to */
	bool mapped;			/* an IPv6 socket to an IPv4 peer */
	const struct sockaddr *to;
	socklen_t to_len;
	enum path_verbosity verbosity;
	void (*before_steps)(void *);	/* called in the process that will close */
	void (*before_close)(void *);	/* called in the caller's, right before the close */
	void *arg;
};

/* Starts our loopback peer in a child process, or returns NULL with errno.  It
 * obeys the path's steps over a socketpair.  One peer serves any number of
 * paths, one after the other. */
struct peer *peer_start(int family);
void peer_stop(struct peer *peer);	/* forgives NULL */

/* Walks the path in this process, or in a child where the process has to end
 * (exit, SIGKILL).  When it returns, all that the path causes has happened.
 * Returns 0, or -1 with one line of what could not be done in `why`. */
int path_walk(const struct path *path, const struct path_options *options,
	      struct path_result *result, char *why, size_t why_size);

#endif
