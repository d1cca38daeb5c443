/* SPDX-License-Identifier: GPL-2.0-only */
/* What the tests of findings share: records of one server, and the paragraphs that they make. */
#ifndef CLOSETRACE_TESTS_TOLD_H
#define CLOSETRACE_TESTS_TOLD_H

#include "tests/unit/sample.h"
#include "user/findings.h"

#define HEAD "closetrace: found, the worst first:\n"

static struct findings *findings;

static inline int begin(void **state)
{
	findings = findings_new();
	return findings ? 0 : -1;
}

static inline int end(void **state)
{
	findings_free(findings);
	return 0;
}

/* ---- records ------------------------------------------------------------------- */

static const struct close_event server = {
	.kind = EVENT_CLOSE,
	.pid = 4242,
	.laddr = IPV4(10, 0, 0, 1),
	.raddr = IPV4(192, 0, 2, 7),
	.lport = 8080,
	.rport = 40312,
	.state = TCP_ESTABLISHED,
	.new_state = TCP_CLOSE,
	.comm = "server",
};

static inline void add_at(const struct close_event *event, const char *site)
{
	struct record record = { .event = event, .verdict = judge(event) };

	findings_add(findings, &record, site);
}

static inline void add(const struct close_event *event)
{
	add_at(event, NULL);
}

static inline struct close_event unread(__u32 bytes)
{
	struct close_event event = server;

	event.facts = RAN_RESET | WAS_CONNECTED;
	event.unread_bytes = bytes;
	return event;
}

static inline struct close_event zero_linger(void)
{
	struct close_event event = server;

	event.facts = RAN_DISCONNECT | RAN_RESET | WAS_LINGER | WAS_ZERO_LINGER | WAS_CONNECTED;
	return event;
}

static inline struct close_event waited(__u32 facts)
{
	struct close_event event = server;

	event.facts = RAN_FIN | RAN_WAIT | WAS_LINGER | WAS_CONNECTED | facts;
	event.new_state = TCP_FIN_WAIT1;
	event.blocked_ns = 1500000000;
	return event;
}

static inline void add_reset(enum cause cause, enum owner owner, __u32 facts)
{
	struct close_event event = owner == OWNER_NOBODY ? of_nobody(server) : server;
	struct record record = { .event = &event, .verdict.cause = cause, .owner = owner };

	event.kind = EVENT_RESET;
	event.facts = facts;
	findings_add(findings, &record, NULL);
}

/* ---- paragraphs ------------------------------------------------------------------ */

/* To be freed. */
static inline char *told(int width, uint64_t lost)
{
	static char *text;
	size_t size;
	FILE *to = open_memstream(&text, &size);

	findings_tell(findings, to, width, lost);
	fclose(to);
	return text;
}

static inline void tells(const char *want)
{
	char *text = told(80, 0);

	assert_string_equal(text, want);
	free(text);
}

/* In one line, so that it does not matter where lines break. */
static inline char *in_one_line(void)
{
	return told(1 << 20, 0);
}

static inline void tells_of(const char *words)
{
	char *text = in_one_line();

	if (!strstr(text, words))
		fail_msg("no \"%s\" in: %s", words, text);
	free(text);
}

static inline void tells_nothing_of(const char *words)
{
	char *text = in_one_line();

	if (strstr(text, words))
		fail_msg("\"%s\" is in: %s", words, text);
	free(text);
}

static inline int paragraphs(void)
{
	char *text = in_one_line();
	int count = 0;

	for (const char *at = text; (at = strstr(at, "\n- ")); at++)
		count++;
	free(text);
	return count;
}

#define TELLING(function) cmocka_unit_test_setup_teardown(function, begin, end)

#endif
