// SPDX-License-Identifier: GPL-2.0-only
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pcap/pcap.h>

#include "tests/live/live.h"
#include "tests/live/wire.h"

#define ETHERNET 14	/* bytes of it, on loopback too */
#define MAX_PACKETS 256

struct packet {
	unsigned int from, to, flags;
	unsigned int seq;	/* at its end: data in front of a FIN may be cut anew */
};

struct wire {
	pcap_t *pcap;
	struct packet packets[MAX_PACKETS];	/* those with FIN or RST */
	int count;
	int mark;
};

static unsigned int seq_at_end(const struct tcphdr *tcp, const unsigned char *bytes, size_t size)
{
	return ntohl(tcp->seq) + size - ((const unsigned char *)tcp - bytes) - tcp->doff * 4;
}

/* NULL: none of ours. */
static const struct tcphdr *tcp_of(const unsigned char *bytes, size_t size)
{
	const struct ip *ip = (const void *)(bytes + ETHERNET);
	size_t header = ip->ip_v == 6 ? sizeof(struct ip6_hdr) : ip->ip_hl * 4;

	if (size < ETHERNET + header + sizeof(struct tcphdr))
		return NULL;
	return (const void *)(bytes + ETHERNET + header);
}

static void keep(u_char *arg, const struct pcap_pkthdr *header, const u_char *bytes)
{
	struct wire *wire = (struct wire *)arg;
	const struct tcphdr *tcp = tcp_of(bytes, header->caplen);

	if (!tcp || !(tcp->fin || tcp->rst) || wire->count == MAX_PACKETS)
		return;
	wire->packets[wire->count++] = (struct packet){
		.from = ntohs(tcp->source), .to = ntohs(tcp->dest),
		.seq = seq_at_end(tcp, bytes, header->len),
		.flags = tcp->th_flags & (TH_FIN | TH_RST | TH_ACK),
	};
}

static void drain(struct wire *wire)
{
	while (pcap_dispatch(wire->pcap, -1, keep, (u_char *)wire) > 0)
		;
}

static bool open_pcap(struct wire *wire, char *why)
{
	struct bpf_program filter;

	wire->pcap = pcap_create("lo", why);
	if (!wire->pcap)
		return false;
	pcap_set_snaplen(wire->pcap, 128);
	/* A packet is there to read as soon as it was sent. */
	pcap_set_immediate_mode(wire->pcap, 1);
	if (pcap_activate(wire->pcap) < 0 || pcap_setnonblock(wire->pcap, 1, why))
		return false;
	if (pcap_compile(wire->pcap, &filter, "tcp", 1, PCAP_NETMASK_UNKNOWN))
		return false;
	pcap_setfilter(wire->pcap, &filter);
	pcap_freecode(&filter);
	return true;
}

struct wire *wire_open(void)
{
	struct wire *wire = calloc(1, sizeof(*wire));
	char why[PCAP_ERRBUF_SIZE] = "";

	if (wire && open_pcap(wire, why))
		return wire;
	note("capture: %s", wire && wire->pcap ? pcap_geterr(wire->pcap) : why);
	wire_close(wire);
	return NULL;
}

void wire_close(struct wire *wire)
{
	if (wire && wire->pcap)
		pcap_close(wire->pcap);
	free(wire);
}

void wire_forget(struct wire *wire)
{
	drain(wire);
	wire->count = wire->mark = 0;
}

void wire_mark(struct wire *wire)
{
	drain(wire);
	wire->mark = wire->count;
}

static bool is_seen(const struct wire *wire, int index)
{
	for (int i = 0; i < index; i++)
		if (!memcmp(&wire->packets[i], &wire->packets[index], sizeof(struct packet)))
			return true;
	return false;
}

void wire_flags(struct wire *wire, unsigned int port, char *text, size_t size)
{
	size_t used = 0;

	drain(wire);
	*text = '\0';
	for (int i = wire->mark; i < wire->count && used < size; i++) {
		const struct packet *packet = &wire->packets[i];

		if (packet->from != port || is_seen(wire, i))
			continue;
		used += snprintf(text + used, size - used, "%s%s%s%s", used ? " " : "",
				 packet->flags & TH_FIN ? "F" : "", packet->flags & TH_RST ? "R" : "",
				 packet->flags & TH_ACK ? "." : "");
	}
}
