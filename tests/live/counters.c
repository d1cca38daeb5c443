// SPDX-License-Identifier: GPL-2.0-only
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/live/counters.h"
#include "tests/live/live.h"

/* Two lines a group: "TcpExt: name name ..." and "TcpExt: number number ...". */
static unsigned int value_of(const char *path, const char *group, const char *name)
{
	static char names[8192], numbers[8192];
	char *name_rest = names, *number_rest = numbers, *word, *number;
	FILE *file = fopen(path, "r");
	bool found = false;

	if (!file)
		bail_out("cannot read %s", path);
	while (!found && fgets(names, sizeof(names), file) && fgets(numbers, sizeof(numbers), file))
		found = !strncmp(names, group, strlen(group)) && names[strlen(group)] == ':';
	fclose(file);
	while (found && (word = strsep(&name_rest, " \n")) && (number = strsep(&number_rest, " \n")))
		if (!strcmp(word, name))
			return strtoul(number, NULL, 10);
	bail_out("no counter %s in %s", name, path);
}

unsigned int counter_of(const char *group, const char *name)
{
	bool extended = strcmp(group, "Tcp");

	return value_of(extended ? "/proc/self/net/netstat" : "/proc/self/net/snmp", group, name);
}

void counters_read(struct path_counters *counters)
{
	static const char netstat[] = "/proc/self/net/netstat";

	counters->abort_on_close = value_of(netstat, "TcpExt", "TCPAbortOnClose");
	counters->abort_on_data = value_of(netstat, "TcpExt", "TCPAbortOnData");
	counters->abort_on_linger = value_of(netstat, "TcpExt", "TCPAbortOnLinger");
	counters->out_rsts = value_of("/proc/self/net/snmp", "Tcp", "OutRsts");
}

void counters_subtract(struct path_counters *from, const struct path_counters *what)
{
	from->abort_on_close -= what->abort_on_close;
	from->abort_on_data -= what->abort_on_data;
	from->abort_on_linger -= what->abort_on_linger;
	from->out_rsts -= what->out_rsts;
}
