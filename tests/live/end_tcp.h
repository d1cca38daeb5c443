/* SPDX-License-Identifier: GPL-2.0-only */
/* Connections over loopback for the tests of ends, and how the kernel has them when nobody has
 * a descriptor any more.  What cannot be done bails out. */
#ifndef CLOSETRACE_END_TCP_H
#define CLOSETRACE_END_TCP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

struct pair {
	int end, peer;		/* the one that is to be closed, and the other */
	uint16_t lport, rport;	/* as `end` has them */
};

struct sockaddr_storage loopback_at(int family, uint16_t port);
uint16_t port_of(int fd);

/* The listener has gone when it returns.  tiny: the peer has next to no room for data. */
void pair_open(struct pair *pair, int family, bool accepted, bool tiny);

/* From now on it hears nothing, or nothing that has one of these flags: TH_FIN, TH_RST. */
void deafen(int fd);
void deafen_to(int fd, int flags);
void hear_again(int fd);	/* also where it was not deaf */
void make_abortive(int fd);	/* its close sends an RST */

/* How the end with these ports stands: TCP_FIN_WAIT2 ..., TCP_TIME_WAIT for a minisocket of
 * either kind, 0 for none.  Of both families. */
int state_at(uint16_t lport, uint16_t rport);

/* false: not within a fair time. */
bool await_at(uint16_t lport, uint16_t rport, int state);
bool await_no_orphan(void);	/* in this network namespace: listeners and minisockets alone */

/* tcp_time_wait() shows the minisocket before tcp_done() destroys the socket, and a virtual
 * processor may stand still between the two.  The kernel counts what is left on the whole machine,
 * so that others may keep us from a number: this waits for it, a second at most. */
int count_orphans(void);
void await_orphans(int most);

/* In /proc/sys/net/ipv4 of this network namespace. */
void set_ipv4(const char *name, int value);

/* On a busy machine a segment would be sent again before it can be answered, and then be one that
 * nobody expects.  From now on only handshakes are, after a second: RetransSegs tells. */
void send_once(void);

long long now_ns(void);		/* CLOCK_MONOTONIC, as the tracer measures */
void nap_us(long us);

#endif
