// SPDX-License-Identifier: GPL-2.0-only
/* What each filter admits, by what was done and never by what was recorded. */
#include <string.h>

#include "tests/live/filter_cases.h"

const char *filter_via;

static bool at_home(const struct close *c)
{
	return c->who != ABROAD;
}

static bool in_family(const struct close *c)
{
	return c->who != OTHER && c->who != ABROAD;
}

/* clang-format off */
static bool of_alpha(const struct close *c) { return c->who == ALPHA; }
static bool of_abroad(const struct close *c) { return c->who == ABROAD; }
static bool of_beta_or_other(const struct close *c) { return c->who == BETA || c->who == OTHER; }
static bool of_three(const struct close *c) { return of_alpha(c) || of_abroad(c) || c->who == GAMMA; }
static bool of_beta_and_below(const struct close *c) { return c->who == BETA || c->who == GAMMA; }
static bool of_beta_below_or_other(const struct close *c) { return of_beta_and_below(c) || c->who == OTHER; }
static bool by_name_alpha(const struct close *c) { return c->who == ALPHA || c->who == OTHER; }
static bool by_name_epsilon(const struct close *c) { return c->who == EPSILON; }
static bool by_gamma(const struct close *c) { return c->who == GAMMA; }
static bool nobody(const struct close *c) { return false; }

static bool is_ipv4(const struct close *c) { return at_home(c) && c->ipv4; }
static bool is_ipv6(const struct close *c) { return at_home(c) && !c->ipv4; }

static bool is_one_of(unsigned int port, const unsigned int (*ranges)[2])
{
	for (; (*ranges)[1]; ranges++)
		if (port >= (*ranges)[0] && port <= (*ranges)[1])
			return true;
	return false;
}

static const unsigned int just_80[][2] = { { 80, 80 }, {} };
static const unsigned int web[][2] = { { 80, 80 }, { 443, 443 }, { 8000, 8100 }, {} };
static const unsigned int high[][2] = { { 20000, 65535 }, {} };
static const unsigned int zero_to_443[][2] = { { 0, 443 }, {} };

static bool lport_80(const struct close *c) { return at_home(c) && is_one_of(c->lport, just_80); }
static bool lport_web(const struct close *c) { return at_home(c) && is_one_of(c->lport, web); }
static bool lport_high(const struct close *c) { return at_home(c) && is_one_of(c->lport, high); }
static bool rport_80(const struct close *c) { return at_home(c) && is_one_of(c->rport, just_80); }
static bool rport_web(const struct close *c) { return at_home(c) && is_one_of(c->rport, web); }
static bool rport_low(const struct close *c) { return at_home(c) && is_one_of(c->rport, zero_to_443); }

static bool begins(const struct close *c, const char *text)
{
	return at_home(c) && !strncmp(c->raddr, text, strlen(text));
}

static bool is_peer(const struct close *c, const char *addr)
{
	return at_home(c) && !strcmp(c->raddr, addr);
}

static bool addr_127_0_0_1(const struct close *c) { return is_peer(c, "127.0.0.1"); }
static bool addr_127_8(const struct close *c) { return begins(c, "127."); }
static bool addr_127_0_24(const struct close *c) { return begins(c, "127.0.0."); }
static bool addr_127_0_0_3_31(const struct close *c) { return is_peer(c, "127.0.0.2"); }
static bool addr_10(const struct close *c) { return begins(c, "10."); }
static bool addr_loopback6(const struct close *c) { return is_peer(c, "::1"); }
static bool addr_documentation(const struct close *c) { return begins(c, "2001:db8:"); }

static bool branch_zero_linger(const struct close *c) { return at_home(c) && c->branch == ZERO_LINGER; }
static bool branch_not_connected(const struct close *c) { return at_home(c) && c->branch == NOT_CONNECTED; }
static bool branch_fin_already_sent(const struct close *c) { return at_home(c) && c->branch == FIN_ALREADY_SENT; }

static bool branch_several(const struct close *c)
{
	return at_home(c) && (c->branch == UNREAD_DATA || c->branch == FIN || c->branch == LISTENER);
}

static bool branch_rest(const struct close *c)
{
	return at_home(c) && (c->branch == ALREADY_CLOSED || c->branch == REPAIR ||
			      c->branch == CONNECT_CANCELLED);
}

static bool with_reset(const struct close *c)
{
	if (!at_home(c))
		return false;
	return c->rst == RST || (c->rst && strcmp(filter_via, "tracepoint"));
}

static bool all_at_once(const struct close *c)
{
	return of_alpha(c) && c->ipv4 && rport_web(c) && addr_10(c) && with_reset(c);
}

static bool reset_not_linger(const struct close *c) { return with_reset(c) && c->branch == UNREAD_DATA; }
static bool reset_ipv6(const struct close *c) { return with_reset(c) && !c->ipv4; }
static bool reset_after_fin(const struct close *c) { return with_reset(c) && c->branch == FIN; }
static bool zero_linger_to_443(const struct close *c)
{
	return branch_zero_linger(c) && c->rport == 443;
}
static bool ipv4_from_80(const struct close *c) { return is_ipv4(c) && lport_80(c); }
static bool family_ipv6(const struct close *c) { return in_family(c) && is_ipv6(c); }
static bool name_and_reset(const struct close *c) { return by_name_alpha(c) && with_reset(c); }
static bool abroad_ipv4(const struct close *c) { return of_abroad(c) && c->ipv4; }
static bool cgroup_to_80(const struct close *c) { return of_beta_and_below(c) && c->rport == 80; }

/* @NAME becomes that one's process id, or the cgroup's path. */
#define HOME "--netns", "/proc/self/ns/net"

const struct filter_case filter_cases[] = {
	{ { HOME }, at_home },

	{ { "-p", "@alpha" }, of_alpha },
	{ { "-p", "@beta", "-p", "@other" }, of_beta_or_other },
	{ { "-p", "@alpha", "--pid", "@gamma", "--pid=@abroad" }, of_three },
	{ { "-f", "-p", "@alpha" }, in_family },
	{ { "-p", "@beta", "--follow" }, of_beta_and_below },
	{ { "-p", "@beta", "-p", "@other", "-f" }, of_beta_below_or_other },

	{ { HOME, "--comm", "alpha" }, by_name_alpha },
	{ { HOME, "--comm", "descendant-two" }, by_name_epsilon },
	{ { HOME, "--comm", "alph" }, nobody },

	{ { "--cgroup", "@cgroup" }, of_beta_and_below },
	{ { "--cgroup", "@below" }, by_gamma },
	{ { "--cgroup", "@cgroup", "-D", "80" }, cgroup_to_80 },

	{ { "--netns", "@abroad" }, of_abroad },
	{ { "--netns", "@abroad-path" }, of_abroad },
	{ { "--netns", "@alpha" }, at_home },
	{ { "--netns", "@alpha", "-p", "@abroad" }, nobody },

	{ { HOME, "-4" }, is_ipv4 },
	{ { HOME, "-6" }, is_ipv6 },
	{ { HOME, "-4", "-6" }, at_home },

	{ { HOME, "-L", "80" }, lport_80 },
	{ { HOME, "--lport", "80,443,8000-8100" }, lport_web },
	{ { HOME, "-L", "20000-65535" }, lport_high },
	{ { HOME, "-D", "80" }, rport_80 },
	{ { HOME, "--dport", "8000-8100,80,443" }, rport_web },
	{ { HOME, "-D", "0-442,443" }, rport_low },

	{ { HOME, "-a", "127.0.0.1/32" }, addr_127_0_0_1 },
	{ { HOME, "-a", "127.0.0.1" }, addr_127_0_0_1 },
	{ { HOME, "-a", "127.0.0.0/8" }, addr_127_8 },
	{ { HOME, "-a", "127.0.0.77/24" }, addr_127_0_24 },
	{ { HOME, "-a", "127.0.0.3/31" }, addr_127_0_0_3_31 },
	{ { HOME, "-a", "10.0.0.0/8" }, addr_10 },
	{ { HOME, "-a", "::ffff:10.0.0.0/104" }, addr_10 },
	{ { HOME, "-a", "0.0.0.0/0" }, is_ipv4 },
	{ { HOME, "-a", "::1" }, addr_loopback6 },
	{ { HOME, "--addr", "2001:db8::/32" }, addr_documentation },
	{ { HOME, "-a", "::/0" }, is_ipv6 },

	{ { HOME, "-b", "zero-linger" }, branch_zero_linger },
	{ { HOME, "-b", "not-connected" }, branch_not_connected },
	{ { HOME, "-b", "fin-already-sent" }, branch_fin_already_sent },
	{ { HOME, "--branch", "unread-data,fin,listener" }, branch_several },
	{ { HOME, "-b", "already-closed,repair,connect-cancelled" }, branch_rest },
	{ { HOME, "-b", "unknown" }, nobody },

	{ { HOME, "-r" }, with_reset },
	{ { HOME, "--resets", "-b", "unread-data" }, reset_not_linger },
	{ { HOME, "-r", "-b", "fin" }, reset_after_fin },
	{ { HOME, "-r", "-6" }, reset_ipv6 },

	{ { HOME, "-b", "zero-linger", "-D", "443" }, zero_linger_to_443 },
	{ { HOME, "-4", "-L", "80" }, ipv4_from_80 },
	{ { HOME, "-r", "--comm", "alpha" }, name_and_reset },
	{ { "-p", "@alpha", "-f", "-6" }, family_ipv6 },
	{ { "--netns", "@abroad", "-4", "--comm", "abroad" }, abroad_ipv4 },
	{ { HOME, "-p", "@alpha", "-4", "-D", "80,443,8000-8100", "-a", "10.0.0.0/8", "-r" }, all_at_once },
	{},
};
/* clang-format on */
