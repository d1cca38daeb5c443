/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a script may ask for: one value an op, one row an op in steps.c for this
 * side and, for those of the peer, one in peer.c.
 */
#ifndef CLOSETRACE_STEPS_H
#define CLOSETRACE_STEPS_H

#include "user/paths.h"

enum op {
	THE_END,

	/* Ours.  All are about one socket, the one that the path closes. */
	OPEN,
	BIND,
	LISTEN,			/* arg: backlog */
	ACCEPT,			/* ... and close the listener: go on with the child */
	CONNECT,
	CONNECT_BEGIN,		/* without waiting for an answer */
	CONNECT_REFUSED,	/* wait for the refusal */
	DISSOLVE,		/* connect() to AF_UNSPEC */
	NONBLOCK,
	ZERO_LINGER,
	LINGER,			/* arg: seconds */
	LINGER2,		/* arg: seconds, or -1 */
	REPAIR,
	SEND,			/* arg: bytes */
	SEND_MORE,		/* arg: bytes, held back by MSG_MORE */
	FILL,			/* arg: bytes, more than the peer has room for */
	READ,			/* arg: bytes */
	PEEK,			/* arg: bytes */
	READ_URGENT,
	READ_EOF,
	SHUT_READ,
	SHUT_WRITE,
	AWAIT_ACK,		/* of all that was sent, the FIN too */
	AWAIT_STATE,		/* arg: TCP_ESTABLISHED ... */
	AWAIT_UNREAD,		/* arg: bytes */
	AWAIT_URGENT,
	AWAIT_CHILDREN,		/* arg: how many */

	/* The close: one in a script.  What follows it only tidies up. */
	CLOSE,
	CLOSE_ALARMED,		/* with SIGALRM going off until it is over */
	EXIT,
	KILL,

	/* The peer's. */
	PEER_LISTEN,
	PEER_LISTEN_TINY,	/* with next to no receive buffer */
	PEER_LISTEN_DEAF,	/* with a filter that drops the SYN */
	PEER_REFUSE,		/* have a port, and nobody listening */
	PEER_ACCEPT,
	PEER_CONNECT,		/* arg: how many, all to our listener */
	PEER_SEND,		/* arg: bytes */
	PEER_SEND_URGENT,
	PEER_SHUT_WRITE,
	PEER_DROP_END,		/* drop our FIN and our RST */
	PEER_RESET,
	PEER_RESET_IN_CLOSE,	/* as soon as our close is in FIN_WAIT1 */
	PEER_READ_ALL,		/* until our FIN */
	PEER_AWAIT_CLOSE,	/* until our RST */
	PEER_CLOSE,
	PEER_KEEP,		/* close later */
	PEER_FORGET,		/* reset whatever is left */
	OP_COUNT,
};

struct step {
	enum op op;
	long arg;
};

/* One walk of one path. */
struct walk {
	const struct path_options *options;
	struct path_result result;
	struct sockaddr_storage there;	/* where to connect to */
	int fd;				/* the socket that the path closes, or -1 */
	long arg;			/* of the step at hand */
	int line;			/* to the parent, in a child that will end; else -1 */
};

/* Does one step.  Returns 0, or -1 with one line in `why`. */
int step_do(struct walk *walk, const struct step *step, char *why, size_t why_size);

bool step_is_close(const struct step *step);
bool step_ends_process(const struct step *step);
bool step_is_help(const struct step *step);	/* nothing that a user's own peer need do */

#endif
