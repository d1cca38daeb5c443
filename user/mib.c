// SPDX-License-Identifier: GPL-2.0-only
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "user/mib.h"

struct row {
	const char *group;
	const char *name;
};

static const struct row rows[COUNTERS_COUNT] = {
	/* clang-format off */
	[TCP_ABORT_ON_CLOSE]   = { "TcpExt",   "TCPAbortOnClose" },
	[TCP_ABORT_ON_DATA]    = { "TcpExt",   "TCPAbortOnData" },
	[TCP_ABORT_ON_LINGER]  = { "TcpExt",   "TCPAbortOnLinger" },
	[TCP_ABORT_ON_MEMORY]  = { "TcpExt",   "TCPAbortOnMemory" },
	[TCP_ABORT_ON_TIMEOUT] = { "TcpExt",   "TCPAbortOnTimeout" },
	[EMBRYONIC_RSTS]       = { "TcpExt",   "EmbryonicRsts" },
	[OUT_RSTS]             = { "Tcp",      "OutRsts" },
	[TCP_ABORT_FAILED]     = { "TcpExt",   "TCPAbortFailed" },
	[ATTEMPT_FAILS]        = { "Tcp",      "AttemptFails" },
	[IN_SEGS]              = { "Tcp",      "InSegs" },
	[MP_RST_TX]            = { "MPTcpExt", "MPRstTx" },
	[MP_FASTCLOSE_TX]      = { "MPTcpExt", "MPFastcloseTx" },
	/* clang-format on */
};

const char *mib_name(enum counter counter)
{
	return rows[counter].name;
}

static int counter_by_name(const char *group, const char *name)
{
	for (int i = 0; i < COUNTERS_COUNT; i++)
		if (!strcmp(rows[i].name, name) && !strcmp(rows[i].group, group))
			return i;
	return -1;
}

/* "TcpExt: name name ..." and "TcpExt: number number ...": what no number stands below is not
 * found. */
static uint32_t parse_pair(char *names, char *numbers, uint64_t values[COUNTERS_COUNT])
{
	const char *group = strsep(&names, ":");
	uint32_t found = 0;
	char *name, *number, *end;

	strsep(&numbers, ":");
	while ((name = strsep(&names, " \n")) && (number = strsep(&numbers, " \n"))) {
		int i = counter_by_name(group, name);
		uint64_t value = strtoull(number, &end, 10);

		if (i < 0 || end == number || *end)
			continue;
		values[i] = value;
		found |= 1U << i;
	}
	return found;
}

static bool is_pair(const char *names, const char *numbers)
{
	size_t group = strcspn(names, ":");

	return names[group] && !strncmp(names, numbers, group + 1);
}

/* A pair that was parsed is in pieces, and makes no pair with what follows. */
uint32_t mib_parse(FILE *file, uint64_t values[COUNTERS_COUNT])
{
	struct {
		char *text;
		size_t size;
	} lines[2] = { { NULL } };
	uint32_t found = 0;
	int last = 0, now = 1;

	while (getline(&lines[now].text, &lines[now].size, file) >= 0) {
		if (lines[last].text && is_pair(lines[last].text, lines[now].text))
			found |= parse_pair(lines[last].text, lines[now].text, values);
		last = now;
		now = !now;
	}
	free(lines[0].text);
	free(lines[1].text);
	return found;
}
