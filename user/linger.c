// SPDX-License-Identifier: GPL-2.0-only
#include <stdbool.h>
#include <stdio.h>

#include "user/linger.h"
#include "user/stack.h"

/* By outcome.  Where there was time to wait, how long it took stands before it. */
static const struct answer {
	const char *text;
	bool waited;
} answers[LINGER_COUNT] = {
	/* clang-format off */
	[LINGER_NULL]             = { "whether it took effect was not seen" },
	[LINGER_RESET]            = { "took effect, an RST was sent" },
	[LINGER_NO_RESET_NEEDED]  = { "took effect, but there was nothing left to reset" },
	[LINGER_OVERRIDDEN]       = { "did not take effect, unread data decided" },
	[LINGER_DRAINED]          = { "everything was acknowledged", true },
	[LINGER_TIMED_OUT]        = { "the time was up, the rest goes on its way", true },
	[LINGER_INTERRUPTED]      = { "then a signal came, the rest goes on its way", true },
	[LINGER_CLOSED_MEANWHILE] = { "then the connection was ended from outside", true },
	[LINGER_SKIPPED_EXITING]  = { "did not take effect, an exiting process does not wait" },
	[LINGER_NOT_APPLICABLE]   = { "did not take effect, there was no connection to close" },
	/* clang-format on */
};

struct span {
	char text[24];
};

static struct span span_of(__u64 ns)
{
	double s = ns / 1e9;
	struct span span;

	if (s < 1)
		snprintf(span.text, sizeof(span.text), "%.1f ms", s * 1e3);
	else if (s < 600)
		snprintf(span.text, sizeof(span.text), "%.1f s", s);
	else
		snprintf(span.text, sizeof(span.text), "%llu min", ns / 60000000000ULL);
	return span;
}

void linger_show(const struct close_event *event, char *text, size_t size)
{
	if (event->facts & WAS_LINGER)
		snprintf(text, size, "SO_LINGER {1, %llu}", event->linger_s);
	else
		snprintf(text, size, "SO_LINGER {0}");
}

/* ", set 1.2 ms before by nginx (4242) in reset (net.c:19)", where that was seen. */
static void say_setter(const struct record *record, char *text, size_t size)
{
	const struct close_event *e = record->event;
	const struct setter *setter = &e->setter;
	/* Another thread may have set it while the close waited for the socket. */
	__u64 before_ns = setter->time_ns < e->time_ns ? e->time_ns - setter->time_ns : 0;

	if (!setter->time_ns)
		return;
	snprintf(text, size, ", %s%s before by %s (%u)%s%s",
		 e->facts & LINGER_INHERITED ? "inherited from the listener, set " : "set ",
		 span_of(before_ns).text, setter->comm, setter->pid,
		 record->linger_site ? " in " : "", record->linger_site ? record->linger_site : "");
}

static void say_waited(const struct close_event *e, char *text, size_t size)
{
	snprintf(text, size, "waited %s of %llu s, ", span_of(e->blocked_ns).text, e->linger_s);
}

void linger_say(const struct record *record, char *text, size_t size)
{
	const struct close_event *e = record->event;
	const struct answer *answer = &answers[record->verdict.linger];
	char setter[96 + SITE_TEXT] = "", waited[64] = "", value[32];

	*text = '\0';
	if (!(e->facts & WAS_LINGER) || judge_is_linger_of_fastclose(e))
		return;
	linger_show(e, value, sizeof(value));
	say_setter(record, setter, sizeof(setter));
	if (answer->waited && !(e->facts & LACKS_BLOCKED))
		say_waited(e, waited, sizeof(waited));
	snprintf(text, size, "%s%s: %s%s", value, setter, waited, answer->text);
}
