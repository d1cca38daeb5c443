// SPDX-License-Identifier: GPL-2.0-only
#include <stdio.h>
#include <string.h>

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
	{ "tcp_send_reset",        false, LACKS_AFTER,   "the kernel's reason, late data" },
};
/* clang-format on */

static const struct hook *find(const char *function)
{
	for (size_t i = 0; i < sizeof(hooks) / sizeof(*hooks); i++)
		if (!strcmp(hooks[i].function, function))
			return &hooks[i];
	return NULL;
}

const struct hook *hook_find(const char *section)
{
	const char *slash = strchr(section, '/');

	return slash ? find(slash + 1) : NULL;
}

static bool is_symbol(const char *function)
{
	FILE *symbols = fopen("/proc/kallsyms", "re");
	char line[512], name[256];
	bool found = false;

	if (!symbols)
		return false;
	while (!found && fgets(line, sizeof(line), symbols))
		found = sscanf(line, "%*s %*s %255s", name) == 1 && !strcmp(name, function);
	fclose(symbols);
	return found;
}

bool hook_exists(const struct hook *hook, const struct btf *btf)
{
	char tracepoint[64];

	snprintf(tracepoint, sizeof(tracepoint), "btf_trace_%s", hook->function);
	return btf__find_by_name_kind(btf, hook->function, BTF_KIND_FUNC) >= 0 ||
	       btf__find_by_name_kind(btf, tracepoint, BTF_KIND_TYPEDEF) >= 0 ||
	       is_symbol(hook->function);
}

__u32 hook_lacks(const char *function)
{
	const struct hook *hook = find(function);

	return hook ? hook->lacks : 0;
}
