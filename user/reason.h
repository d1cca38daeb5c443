/* SPDX-License-Identifier: GPL-2.0-only */
/* The running kernel's own names for why it resets (enum sk_rst_reason, v6.10; the numbers
 * moved in v6.12, so they are read from its BTF). */
#ifndef CLOSETRACE_REASON_H
#define CLOSETRACE_REASON_H

struct btf;

void reason_load(const struct btf *btf);	/* a kernel without them has no reasons */

/* Without its prefix; NULL where the kernel said none. */
const char *reason_name(unsigned int reason);

#endif
