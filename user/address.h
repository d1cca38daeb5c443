/* SPDX-License-Identifier: GPL-2.0-only */
/* An address of a record, as text. */
#ifndef CLOSETRACE_ADDRESS_H
#define CLOSETRACE_ADDRESS_H

#include <stdbool.h>

#include <linux/types.h>

#define ADDRESS_TEXT 48	/* the longest, with brackets, a port and NUL */

bool address_is_ipv4(const __u8 *addr);

/* Both return the end of what they put, a NUL. */
char *address_put(char *text, const __u8 *addr);	/* 192.0.2.1, 2001:db8::1 */
char *address_put_end(char *text, const __u8 *addr, unsigned int port);	/* [2001:db8::1]:443 */

#endif
