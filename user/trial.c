// SPDX-License-Identifier: GPL-2.0-only
#include <sys/socket.h>
#include <unistd.h>

#include "user/trial.h"

/* Configurations of Linux know ticks of 1/24 to 1/1200 second. */
static bool is_hz(__u64 hz)
{
	return hz >= 24 && hz <= 1200;
}

bool trial_was_seen(const volatile struct counters *counters)
{
	return is_hz(counters->hz);
}

/* With a linger time of one second in jiffies. */
int trial_open(struct trial *trial)
{
	struct linger second = { .l_onoff = 1, .l_linger = 1 };
	socklen_t size = sizeof(trial->cookie);

	trial->socket = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (trial->socket < 0 ||
	    setsockopt(trial->socket, SOL_SOCKET, SO_LINGER, &second, sizeof(second)) ||
	    getsockopt(trial->socket, SOL_SOCKET, SO_COOKIE, &trial->cookie, &size))
		return -1;
	return 0;
}

void trial_close(struct trial *trial)
{
	if (trial->socket >= 0)
		close(trial->socket);
	trial->socket = -1;
}
