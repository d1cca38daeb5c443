/* SPDX-License-Identifier: GPL-2.0-only */
/* setsockopt() by io_uring, which the kernel can from v6.7. */
#ifndef CLOSETRACE_LINGER_URING_H
#define CLOSETRACE_LINGER_URING_H

#include <sys/socket.h>

/* 0, or -1 with errno: what the kernel says, be it that it cannot. */
int uring_set_linger(int fd, const struct linger *linger);

#endif
