/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The other side of the paths: a process of its own on loopback that obeys one
 * command at a time.  Command and reply go over a pair of UNIX sockets, so no
 * TCP but the path's own is disturbed, and a reply means that it is done.
 */
#ifndef CLOSETRACE_PEER_H
#define CLOSETRACE_PEER_H

#include <netinet/in.h>

#include "user/steps.h"

struct command {
	enum op op;
	long arg;
	struct sockaddr_storage at;	/* PEER_CONNECT: where to */
};

struct reply {
	int error;			/* an errno */
	struct sockaddr_storage at;	/* where it listens */
};

/* The family's own address, and port 0. */
struct sockaddr_storage loopback(int family);

int peer_family(const struct peer *peer);

/* Returns 0, or -1 with errno: what the peer met, or EPIPE where it is gone. */
int peer_obey(struct peer *peer, const struct command *command, struct reply *reply);

#endif
