/* SPDX-License-Identifier: GPL-2.0-only */
/* Waiting for what a socket has become, never for time to pass.  Each returns 0, or -1 with
 * errno: ETIMEDOUT after AWAIT_S seconds. */
#ifndef CLOSETRACE_AWAIT_H
#define CLOSETRACE_AWAIT_H

#include <stdbool.h>

#define AWAIT_S 10

/* Asks again and again whether it is so. */
int await(bool (*reached)(int fd, long arg), int fd, long arg);

int await_poll(int fd, short events);
int await_state(int fd, int state);	/* TCP_ESTABLISHED ... */
int await_unread(int fd, long bytes);
int await_stuck(int fd, long bytes);	/* so many unsent, and all that was sent acknowledged */
int await_acked(int fd);		/* all that was sent, and none under way; or closed */
int await_children(int fd, long count);	/* connections that a listener has not accepted */

/* A number of the socket's, by ioctl(); 0 where it has none. */
int queued(int fd, unsigned long request);

int tcp_state(int fd);

#endif
