// SPDX-License-Identifier: GPL-2.0-only
#include <argp.h>
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "user/judge.h"
#include "user/options.h"
#include "user/procs.h"

#define CGROUP2_SUPER_MAGIC 0x63677270

enum {
	KEY_COMM = 256,
	KEY_CGROUP,
	KEY_NETNS,
	KEY_VIA,
	KEY_BTF,
};

const char *argp_program_version = "closetrace " VERSION;

static const char doc[] =
	"Says of each TCP connection that is closed on this host why it was closed the way it was: "
	"with unread data (RST), by a zero SO_LINGER (RST), or by a FIN.\v"
	"closetrace demo            walk every way to close a connection\n"
	"closetrace doctor          what this kernel allows, and what is missing\n"
	"closetrace explain [NAME]  what a word of the output means, and what to do\n"
	"\n"
	"Exit status: 0 traced, 1 could not trace, 3 a rule of -e did not hold, 64 bad\n"
	"usage; with a COMMAND, its own unless one of these applies.\n"
	"The manual page closetrace(8) has the rest.";

static const char args_doc[] = "[-- COMMAND [ARG...]]";

/* clang-format off */
static const struct argp_option rows[] = {
	{ NULL, 0, NULL, 0, "Whose closes:", 1 },
	{ "pid",      'p',        "PID",     0, "of this process, all its threads; may be repeated" },
	{ "follow",   'f',        NULL,      0, "of the children of these processes too" },
	{ "comm",     KEY_COMM,   "NAME",    0, "of processes of this name" },
	{ "cgroup",   KEY_CGROUP, "PATH",    0, "of processes in this cgroup (v2) and below it" },
	{ "netns",    KEY_NETNS,  "PID|PATH",0, "of sockets in this network namespace" },
	{ NULL, 0, NULL, 0, "Which closes:", 2 },
	{ NULL,       '4',        NULL,      0, "of IPv4" },
	{ NULL,       '6',        NULL,      0, "of IPv6" },
	{ "lport",    'L',        "LIST",    0, "with these local ports: 80,443,8000-8100" },
	{ "dport",    'D',        "LIST",    0, "with these ports of the peer" },
	{ "addr",     'a',        "CIDR",    0, "with a peer in this network: 10.0.0.0/8, ::1" },
	{ "branch",   'b',        "LIST",    0, "that took these branches: unread-data,zero-linger" },
	{ "resets",   'r',        NULL,      0, "that involve an RST" },
	{ NULL, 0, NULL, 0, "What comes out:", 3 },
	{ "json",     'j',        NULL,      0, "one JSON object a line" },
	{ "output",   'o',        "FILE",    0, "write the records to FILE" },
	{ "summary",  'c',        NULL,      0, "count in the kernel: no records, a table at the end" },
	{ "interval", 'i',        "SECONDS", 0, "with -c: a table of each such time" },
	{ "duration", 'd',        "SECONDS", 0, "stop after this time" },
	{ "stack",    'k',        NULL,      0, "whose code it was: the user's stack and the kernel's" },
	{ "expect",   'e',        "RULE",    0, "must hold for every close, else exit 3: sent=rst; may be repeated" },
	{ "quiet",    'q',        NULL,      0, "only records, losses and errors" },
	{ "verbose",  'v',        NULL,      0, "every fact in text; twice: what libbpf says" },
	{ NULL, 0, NULL, 0, "How:", 4 },
	{ "via",      KEY_VIA,    "WAY",     0, "attach by fentry, kprobe or tracepoint; without it the best that works" },
	{ "btf",      KEY_BTF,    "FILE",    0, "the kernel's BTF, where it does not bring its own" },
	{ NULL, 0, NULL, 0, "", -1 },
	{ "help",     'h',        NULL,      0, "this help" },
	{ "version",  'V',        NULL,      0, "the version" },
	{ NULL },
};
/* clang-format on */

/* One line that names the option, the value and what would be right. */
__attribute__((noreturn)) static void bad(const char *option, const char *value, const char *wanted)
{
	fprintf(stderr, "closetrace: %s %s: %s\n", option, value, wanted);
	exit(EXIT_USAGE);
}

/* ---- values ---------------------------------------------------------------- */

static bool to_number(const char *text, unsigned long max, unsigned long *number)
{
	char *end;

	if (!isdigit((unsigned char)*text))
		return false;
	errno = 0;
	*number = strtoul(text, &end, 10);
	return !errno && !*end && *number <= max;
}

static void add_pid(struct options *options, const char *text)
{
	unsigned long pid;

	if (!to_number(text, 0x7fffffff, &pid) || !pid)
		bad("-p", text, "not a process id");
	/* EPERM means that it is there. */
	if (kill(pid, 0) && errno == ESRCH)
		bad("-p", text, "no such process");
	if (options->tracer.pids_count == MAX_PIDS)
		bad("-p", text, "more than 1024 processes; a cgroup may do");
	options->pids[options->tracer.pids_count++] = pid;
}

static bool add_ports(char *range, __u64 *ports)
{
	char *dash = strchr(range, '-');
	unsigned long first, last;

	if (dash)
		*dash = '\0';
	if (!to_number(range, 65535, &first) || !to_number(dash ? dash + 1 : range, 65535, &last))
		return false;
	for (unsigned long port = first; port <= last; port++)
		ports[port / 64] |= UINT64_C(1) << port % 64;
	return first <= last;
}

/* Calls for each word between commas; false where there is none or a call says so. */
static bool each_word(const char *list, bool (*call)(char *word, void *arg), void *arg)
{
	char *copy = strdup(list), *rest = copy, *word;
	bool good = *list;

	while (good && (word = strsep(&rest, ",")))
		good = call(word, arg);
	free(copy);
	return good;
}

static bool port_word(char *word, void *ports)
{
	return add_ports(word, ports);
}

static void set_ports(const char *option, const char *list, __u8 *by, __u64 *ports)
{
	if (!each_word(list, port_word, ports))
		bad(option, list, "not a list of ports such as 80,443,8000-8100");
	*by = 1;
}

static bool branch_word(char *word, void *branches)
{
	int branch = branch_by_name(word);

	if (branch >= 0)
		*(__u32 *)branches |= 1U << branch;
	return branch >= 0;
}

static void set_branches(struct filter *filter, const char *list)
{
	char wanted[256] = "wanted is a list of";

	if (each_word(list, branch_word, &filter->branches))
		return;
	for (int branch = 0; branch < BRANCH_COUNT; branch++) {
		strcat(wanted, branch ? ", " : " ");
		strcat(wanted, branch_name(branch));
	}
	bad("-b", list, wanted);
}

static void set_mask(__u8 *mask, unsigned long bits)
{
	for (unsigned long bit = 0; bit < bits; bit++)
		mask[bit / 8] |= 0x80 >> bit % 8;
}

/* Both families in 16 bytes, as the records have them. */
static bool to_address(const char *text, __u8 *addr, unsigned long *bits)
{
	static const __u8 mapped[12] = { [10] = 0xff, [11] = 0xff };

	*bits = 128;
	if (inet_pton(AF_INET6, text, addr) == 1)
		return true;
	*bits = 32;
	memcpy(addr, mapped, sizeof(mapped));
	return inet_pton(AF_INET, text, addr + 12) == 1;
}

static void set_address(struct filter *filter, const char *cidr)
{
	static const char wanted[] = "not an address or network such as 10.0.0.0/8 or 2001:db8::/32";
	char *text = strdupa(cidr), *slash = strchr(text, '/');
	unsigned long bits, prefix;

	if (filter->by_addr)
		bad("-a", cidr, "given twice; one network is all it takes");
	if (slash)
		*slash++ = '\0';
	if (!to_address(text, filter->addr, &bits))
		bad("-a", cidr, wanted);
	prefix = bits;
	if (slash && !to_number(slash, bits, &prefix))
		bad("-a", cidr, wanted);
	set_mask(filter->mask, 128 - bits + prefix);
	for (int i = 0; i < 16; i++)
		filter->addr[i] &= filter->mask[i];
	filter->by_addr = 1;
}

/* The IPv4-mapped addresses lie within ::/0; who asks for that means IPv6. */
static void keep_apart(struct filter *filter)
{
	static const __u8 mapped[12] = { [10] = 0xff, [11] = 0xff };

	if (!filter->by_addr || filter->mask[11] == 0xff)
		return;
	for (int i = 0; i < 12; i++)
		if ((mapped[i] & filter->mask[i]) != filter->addr[i])
			return;
	if (filter->family == AF_INET)
		bad("-a", "of IPv6", "no peer is in there with -4");
	filter->family = AF_INET6;
}

static void set_comm(struct filter *filter, const char *name)
{
	if (!*name || strlen(name) >= COMM_LEN)
		bad("--comm", name, "not a process name: the kernel keeps 1 to 15 bytes of it");
	strcpy(filter->comm, name);
	filter->by_comm = 1;
}

static void set_cgroup(struct options *options, const char *path)
{
	struct statfs fs;

	options->tracer.cgroup = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (options->tracer.cgroup < 0)
		bad("--cgroup", path, strerror(errno));
	if (fstatfs(options->tracer.cgroup, &fs) || fs.f_type != CGROUP2_SUPER_MAGIC)
		bad("--cgroup", path, "not a cgroup v2 directory, as below /sys/fs/cgroup");
}

static void set_netns(struct filter *filter, const char *where)
{
	unsigned long pid;
	char path[64];
	struct stat ns;
	int fd;

	if (to_number(where, 0x7fffffff, &pid))
		snprintf(path, sizeof(path), "/proc/%lu/ns/net", pid);
	fd = open(to_number(where, 0x7fffffff, &pid) ? path : where, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &ns))
		bad("--netns", where, strerror(errno));
	if (ioctl(fd, NS_GET_NSTYPE) != CLONE_NEWNET)
		bad("--netns", where, "not a network namespace such as /proc/1/ns/net or /run/netns/NAME");
	close(fd);
	filter->netns = ns.st_ino;
}

static void set_via(struct options *options, const char *way)
{
	for (int via = 0; via < VIA_COUNT; via++)
		if (!strcmp(way, via_name(via))) {
			options->tracer.via = via;
			return;
		}
	bad("--via", way, "wanted is fentry, kprobe or tracepoint");
}

static void set_seconds(const char *option, const char *seconds, double *s)
{
	char *end;

	*s = strtod(seconds, &end);
	/* A day is 86400; a year is as good as forever and far from overflow. */
	if (end == seconds || *end || !(*s > 0) || *s > 366 * 86400.)
		bad(option, seconds, "not a number of seconds, above 0 and up to a year");
}

static void add_rule(struct options *options, const char *rule)
{
	char right[1024];

	if (!expect_add(&options->expect, rule, right, sizeof(right)))
		bad("-e", rule, right);
}

/* Of no family, or of both, everything is wanted. */
static void add_family(struct filter *filter, int family)
{
	static bool seen[2];

	seen[family == AF_INET6] = true;
	filter->family = seen[0] && seen[1] ? 0 : family;
}

/* ---- the whole --------------------------------------------------------------- */

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *options = state->input;
	struct filter *filter = &options->tracer.filter;

	switch (key) {
	case 'p': add_pid(options, arg); break;
	case 'f': options->tracer.follow = true; break;
	case '4': add_family(filter, AF_INET); break;
	case '6': add_family(filter, AF_INET6); break;
	case 'L': set_ports("-L", arg, &filter->by_lport, filter->lports); break;
	case 'D': set_ports("-D", arg, &filter->by_rport, filter->rports); break;
	case 'a': set_address(filter, arg); break;
	case 'b': set_branches(filter, arg); break;
	case 'r': filter->resets = 1; break;
	case 'j': options->json = true; break;
	case 'o': options->output = arg; break;
	case 'c': filter->counting = 1; break;
	case 'i': set_seconds("-i", arg, &options->interval_s); break;
	case 'd': set_seconds("-d", arg, &options->duration_s); break;
	case 'k': filter->stacks = 1; break;
	case 'e': add_rule(options, arg); break;
	case 'q': options->quiet = true; break;
	case 'v': options->tracer.verbose++; break;
	case 'h': argp_state_help(state, stdout, ARGP_HELP_STD_HELP); break;
	case 'V': puts(argp_program_version); exit(0);
	case KEY_COMM: set_comm(filter, arg); break;
	case KEY_CGROUP: set_cgroup(options, arg); break;
	case KEY_NETNS: set_netns(filter, arg); break;
	case KEY_VIA: set_via(options, arg); break;
	case KEY_BTF: options->tracer.btf = arg; break;
	case ARGP_KEY_ARG:
		if (!state->quoted)
			bad("unexpected", arg, "a command to run goes after --");
		options->command = &state->argv[state->next - 1];
		state->next = state->argc;
		break;
	case ARGP_KEY_NO_ARGS:
		if (state->quoted)
			bad("--", "alone", "a command to run goes after it");
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static void check(const struct options *options)
{
	bool by_pid = options->tracer.pids_count || options->command;

	if (options->tracer.follow && !by_pid)
		bad("-f", "alone", "whose children? give -p PID too");
	if (options->interval_s && !options->tracer.filter.counting)
		bad("-i", "alone", "the time between two tables: give -c too");
	if (options->expect && options->tracer.filter.counting)
		bad("-c", "with -e", "a rule is checked on each record, and -c makes none");
	if (by_pid && !procs_are_hosts())
		bad(options->command ? "--" : "-p", options->command ? options->command[0] : "",
		    "not in a container's PID namespace: the kernel counts by the host's (--pid=host)");
}

void options_parse(struct options *options, int argc, char **argv)
{
	static const struct argp argp = { rows, parse, args_doc, doc };

	memset(options, 0, sizeof(*options));
	options->tracer.via = -1;
	options->tracer.cgroup = -1;
	/* Before it is called by another name: messages begin with the program's. */
	argv[0] = "closetrace";
	if (argp_parse(&argp, argc, argv, ARGP_NO_HELP | ARGP_IN_ORDER, NULL, options))
		exit(EXIT_USAGE);
	options->tracer.pids = options->pids;
	keep_apart(&options->tracer.filter);
	check(options);
}
