// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <linux/bpf.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>

#include "bpf/event.h"
#include "user/hooks.h"

/* clang-format off */
static const struct hook hooks[] = {
	{ "__tcp_close",           true,  0,             "every close" },
	{ "tcp_disconnect",        true,  0,             "zero linger and repair" },
	{ "tcp_send_active_reset", true,  0,             "every RST of a close" },
	{ "tcp_send_fin",          true,  0,             "every FIN of a close" },
	{ "tcp_close",             false, LACKS_BLOCKED, "how long a close waited for the socket" },
	{ "inet_csk_listen_stop",  false, 0,             "listeners: their closes are unknown" },
	{ "sk_stream_wait_close",  false, 0,             "how a linger wait ended" },
	{ "tcp_time_wait",         false, LACKS_AFTER,   "what else happened before the call returned" },
	{ "tcp_send_reset",        false, LACKS_AFTER,   "the kernel's reason, late data, RSTs outside a close" },
	{ "tcp_reset",             false, 0,             "RSTs that were received" },
	{ "tcp_receive_reset",     false, 0,             "RSTs that were received" },
	{ "tcp/tcp_send_reset",    false, 0,             "RSTs of which the raw tracepoint is not told" },
	{ "tcp_v4_destroy_sock",   false, 0,             "ends of which the raw tracepoint is not told" },
	{ "tcp_v4_send_reset",     false, 0,             "IPv4: RSTs that no socket sent" },
	{ "tcp_v6_send_reset",     false, 0,             "IPv6: RSTs that no socket sent" },
	{ "nf_send_reset",         false, 0,             "IPv4: RSTs of firewall rules" },
	{ "nf_send_reset6",        false, 0,             "IPv6: RSTs of firewall rules" },
	{ "sock_setsockopt",       false, 0,             "who set SO_LINGER" },
	{ "bpf_sk_storage_clone",  false, 0,             "SO_LINGER inherited from a listener: by whom it was set" },
	{ "mptcp_init_sock",       false, 0,             "MPTCP: that a socket is another one" },
};
/* clang-format on */

/* "raw_tp/tcp_send_reset" hangs on tcp_send_reset, "tp/tcp/tcp_send_reset" on its event. */
static const char *function_of(const char *section)
{
	const char *slash = strchr(section, '/');

	return slash ? slash + 1 : "";
}

const struct hook *hook_find(const char *section)
{
	for (size_t i = 0; i < sizeof(hooks) / sizeof(*hooks); i++)
		if (!strcmp(hooks[i].function, function_of(section)))
			return &hooks[i];
	return NULL;
}

/* kptr_restrict hides addresses; names are for everybody to read. */
static bool may_be_symbol(const char *prefix, const char *function)
{
	FILE *symbols = fopen("/proc/kallsyms", "re");
	char line[512], name[256], wanted[256];
	bool found = !symbols;

	snprintf(wanted, sizeof(wanted), "%s%s", prefix, function);
	while (!found && fgets(line, sizeof(line), symbols))
		found = sscanf(line, "%*s %*s %255s", name) == 1 && !strcmp(name, wanted);
	if (symbols)
		fclose(symbols);
	return found;
}

static bool is_function(const struct btf *btf, const char *name)
{
	return btf__find_by_name_kind(btf, name, BTF_KIND_FUNC) >= 0;
}

void hook_type(const char *section, char *name, size_t size)
{
	bool is_tracepoint = !strncmp(section, "raw_tp/", strlen("raw_tp/")) ||
			     !strncmp(section, "tp/", strlen("tp/"));
	const char *last = strrchr(section, '/');

	snprintf(name, size, "%s%s", is_tracepoint ? "btf_trace_" : "", last ? last + 1 : "");
}

static bool is_tracepoint(const struct btf *btf, const char *section)
{
	char type[64];

	hook_type(section, type, sizeof(type));
	return btf__find_by_name_kind(btf, type, BTF_KIND_TYPEDEF) >= 0;
}

bool hook_exists(const char *section, const struct btf *btf)
{
	const char *function = function_of(section);

	if (!strncmp(section, "raw_tp/", strlen("raw_tp/")))
		return is_tracepoint(btf, section) || may_be_symbol("__traceiter_", function);
	if (!strncmp(section, "tp/", strlen("tp/")))
		return is_tracepoint(btf, section);
	if (is_function(btf, function))
		return true;
	/* A breakpoint needs no more than the symbol, a trampoline the types of the arguments. */
	return *section == 'k' && may_be_symbol("", function);
}

int hook_try(__u32 function)
{
	static const struct bpf_insn nothing[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = BPF_TRACE_FENTRY,
		    .attach_btf_id = function);
	int fd = bpf_prog_load(BPF_PROG_TYPE_TRACING, "trial", "GPL", nothing, 2, &opts);

	if (fd < 0)
		return errno;
	close(fd);
	return 0;
}
