// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>

#include "tests/live/live.h"
#include "tests/live/reset_forge.h"
#include "user/peer.h"

/* The address in it, and its size. */
static const void *address_of(const struct sockaddr_storage *at, size_t *size)
{
	*size = at->ss_family == AF_INET6 ? 16 : 4;
	if (at->ss_family == AF_INET6)
		return &((const struct sockaddr_in6 *)at)->sin6_addr;
	return &((const struct sockaddr_in *)at)->sin_addr;
}

/* ---- a segment ------------------------------------------------------------------------- */

static unsigned int sum_up(const void *data, size_t size)
{
	const uint16_t *words = data;
	unsigned int sum = 0;

	for (size_t i = 0; i < size / 2; i++)
		sum += words[i];
	return sum;
}

/* Both addresses, the protocol and the size are part of it. */
static uint16_t checksum(const struct tcphdr *tcp, const struct sockaddr_storage *at)
{
	size_t size;
	const void *address = address_of(at, &size);
	unsigned int sum = 2 * sum_up(address, size) + htons(IPPROTO_TCP) + htons(sizeof(*tcp)) +
			   sum_up(tcp, sizeof(*tcp));

	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return ~sum;
}

void forge(const struct segment *segment)
{
	struct sockaddr_storage at = loopback(segment->family);
	int fd = socket(segment->family, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_TCP);
	struct tcphdr tcp = {
		.source = htons(segment->from), .dest = htons(segment->to),
		.seq = htonl(segment->seq), .ack_seq = htonl(segment->ack),
		.doff = sizeof(tcp) / 4, .window = htons(1024),
	};

	tcp.th_flags = segment->flags;
	tcp.check = checksum(&tcp, &at);
	if (fd < 0 || sendto(fd, &tcp, sizeof(tcp), 0, (struct sockaddr *)&at, sizeof(at)) < 0)
		bail_out("no forged segment: %s", strerror(errno));
	close(fd);
}

/* ---- an end ----------------------------------------------------------------------------- */

struct question {
	struct nlmsghdr head;
	struct inet_diag_req_v2 body;
};

/* An error repeats the question. */
struct answer {
	struct nlmsghdr head;
	struct nlmsgerr body;
	struct inet_diag_req_v2 question;
};

static int ask(const struct question *question)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG), error;
	struct answer answer = {};

	if (fd < 0)
		return errno;
	if (send(fd, question, sizeof(*question), 0) < 0 ||
	    recv(fd, &answer, sizeof(answer), 0) < 0)
		error = errno;
	else
		error = answer.head.nlmsg_type == NLMSG_ERROR ? -answer.body.error : EPROTO;
	close(fd);
	return error;
}

int destroy(int family, unsigned int lport, unsigned int rport)
{
	struct sockaddr_storage at = loopback(family);
	size_t size;
	const void *address = address_of(&at, &size);
	struct question question = {
		.head = { .nlmsg_len = sizeof(question), .nlmsg_type = SOCK_DESTROY,
			  .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK },
		.body = { .sdiag_family = family, .sdiag_protocol = IPPROTO_TCP,
			  .idiag_states = ~0U,
			  .id = { .idiag_sport = htons(lport), .idiag_dport = htons(rport),
				  .idiag_cookie = { INET_DIAG_NOCOOKIE, INET_DIAG_NOCOOKIE } } },
	};

	memcpy(question.body.id.idiag_src, address, size);
	memcpy(question.body.id.idiag_dst, address, size);
	return ask(&question);
}
