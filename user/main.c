// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>

#include "user/demo.h"
#include "user/doctor.h"
#include "user/explain.h"
#include "user/options.h"
#include "user/trace.h"

static int trace_main(int argc, char **argv)
{
	static struct options options;

	options_parse(&options, argc, argv);
	return trace(&options);
}

static const struct {
	const char *name;
	int (*main)(int argc, char **argv);
} commands[] = {
	{ "demo", demo_main },
	{ "doctor", doctor_main },
	{ "explain", explain_main },
};

int main(int argc, char **argv)
{
	for (size_t i = 0; argc > 1 && i < sizeof(commands) / sizeof(*commands); i++)
		if (!strcmp(argv[1], commands[i].name))
			return commands[i].main(argc - 1, argv + 1);
	return trace_main(argc, argv);
}
