// SPDX-License-Identifier: GPL-2.0-only
#include <err.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#include <cap-ng.h>

#include "user/privileges.h"

/* The kernel's first user namespace has a fixed number (PROC_USER_INIT_INO). */
#define HOST_USER_NAMESPACE 0xeffffffdU

bool privileges_include(int capability)
{
	bool split = capability == CAP_BPF || capability == CAP_PERFMON;

	capng_get_caps_process();
	return capng_have_capability(CAPNG_EFFECTIVE, capability) ||
	       (split && capng_have_capability(CAPNG_EFFECTIVE, CAP_SYS_ADMIN));
}

bool privileges_are_hosts(void)
{
	struct stat ns;

	return stat("/proc/self/ns/user", &ns) || ns.st_ino == HOST_USER_NAMESPACE;
}

/* Which it is, of the two, that lets us use BPF. */
static int for_bpf(void)
{
	capng_get_caps_process();
	return capng_have_capability(CAPNG_EFFECTIVE, CAP_BPF) ? CAP_BPF : CAP_SYS_ADMIN;
}

uint64_t privileges_of_trace(bool command, const struct filter *filter)
{
	/* To find who holds a socket: in /proc/PID/fd of others. */
	uint64_t needed = UINT64_C(1) << CAP_SYS_PTRACE | UINT64_C(1) << CAP_DAC_READ_SEARCH;

	/* It may be another user's by now. */
	if (command)
		needed |= UINT64_C(1) << CAP_KILL;
	/* /proc/PID/map_files. */
	if (filter->stacks)
		needed |= UINT64_C(1) << CAP_CHECKPOINT_RESTORE;
	/* Up to v5.18 tables are not for everybody to ask, however they were opened. */
	if (filter->counting)
		needed |= UINT64_C(1) << for_bpf();
	return needed;
}

void privileges_keep(uint64_t capabilities)
{
	capng_get_caps_process();
	for (int capability = 0; capability <= CAP_LAST_CAP; capability++)
		if (!(capabilities >> capability & 1))
			capng_update(CAPNG_DROP,
				     CAPNG_EFFECTIVE | CAPNG_PERMITTED | CAPNG_INHERITABLE,
				     capability);
	/* Without the second, whoever makes uid 0 run another program has them all again. */
	if (capng_apply(CAPNG_SELECT_CAPS) || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		warn("cannot give up privileges");
}
