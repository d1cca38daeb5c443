// SPDX-License-Identifier: GPL-2.0-only
/* One RST and its records: which of them tells something new. */
#include "tests/unit/sample.h"
#include "user/echoes.h"

#define SECOND UINT64_C(1000000000)

static struct echoes *echoes;
static char told[4096];	/* a word for each record that was put */

static void put(void *arg, const struct record *record, const char *site)
{
	const char *word = record->event->kind == EVENT_CLOSE ? branch_name(record->verdict.branch) :
								cause_name(record->verdict.cause);

	assert_ptr_equal(arg, &echoes);
	snprintf(told + strlen(told), sizeof(told) - strlen(told), "%s%s ", word, site ? site : "");
}

static int begin(void **state)
{
	echoes = echoes_new(put, &echoes);
	*told = '\0';
	return echoes ? 0 : -1;
}

static int end(void **state)
{
	echoes_free(echoes);
	return 0;
}

static void tells(const char *want)
{
	assert_string_equal(told, want);
}

/* The server is at port 8080, its client at the other. */
static struct close_event at_server(__u16 client)
{
	return (struct close_event){
		.kind = EVENT_CLOSE,
		.time_ns = SECOND,
		.netns = 7,
		.laddr = IPV4(127, 0, 0, 1),
		.raddr = IPV4(127, 0, 0, 2),
		.lport = 8080,
		.rport = client,
		.state = TCP_ESTABLISHED,
	};
}

static struct close_event at_client(__u16 client)
{
	struct close_event event = at_server(client);

	memcpy(event.laddr, at_server(client).raddr, sizeof(event.laddr));
	memcpy(event.raddr, at_server(client).laddr, sizeof(event.raddr));
	event.lport = client;
	event.rport = 8080;
	return event;
}

static void closes(struct close_event event, __u32 facts)
{
	struct record record = { .event = &event };

	event.facts = facts | WAS_CONNECTED;
	record.verdict = judge(&event);
	echoes_add(echoes, &record, "!");
}

static void resets(struct close_event event, enum cause cause)
{
	struct record record = { .event = &event, .verdict.cause = cause };

	event.kind = EVENT_RESET;
	echoes_add(echoes, &record, NULL);
}

/* ---- both ends ---------------------------------------------------------------------- */

static void received_after_the_close(void **state)
{
	closes(at_server(1), RAN_RESET);
	resets(at_client(1), CAUSE_RESET_BY_PEER);
	echoes_end(echoes);
	tells("unread-data! ");
}

/* On loopback the packet is handled before the close returns. */
static void received_before_the_close(void **state)
{
	resets(at_client(1), CAUSE_RESET_BY_PEER);
	tells("");
	closes(at_server(1), RAN_RESET);
	echoes_end(echoes);
	tells("unread-data! ");
}

static void received_before_a_reset(void **state)
{
	resets(at_client(1), CAUSE_RESET_BY_PEER);
	resets(at_server(1), CAUSE_LATE_DATA);
	echoes_end(echoes);
	tells("late-data ");
}

static void an_end_without_the_other(void **state)
{
	resets(at_client(1), CAUSE_RESET_BY_PEER);
	closes(at_server(2), RAN_RESET);
	echoes_end(echoes);
	tells("unread-data! reset-by-peer ");
	echoes_end(echoes);
	tells("unread-data! reset-by-peer ");
}

static void the_same_ports_elsewhere(void **state)
{
	struct close_event elsewhere = at_server(1);

	elsewhere.netns = 8;
	resets(at_client(1), CAUSE_RESET_BY_PEER);
	closes(elsewhere, RAN_RESET);
	echoes_end(echoes);
	tells("unread-data! reset-by-peer ");
}

/* A FIN is no RST, and its own end's record is not the other's. */
static void what_sent_none(void **state)
{
	resets(at_client(1), CAUSE_RESET_BY_PEER);
	closes(at_server(1), RAN_FIN);
	closes(at_client(1), RAN_RESET);
	echoes_end(echoes);
	tells("fin! unread-data! reset-by-peer ");
}

static void each_has_one_echo(void **state)
{
	closes(at_server(1), RAN_RESET);
	resets(at_client(1), CAUSE_RESET_BY_PEER);
	resets(at_client(1), CAUSE_RESET_BY_PEER);
	echoes_end(echoes);
	tells("unread-data! reset-by-peer ");
	resets(at_client(2), CAUSE_RESET_BY_PEER);
	closes(at_server(2), RAN_RESET);
	resets(at_client(2), CAUSE_RESET_BY_PEER);
	echoes_end(echoes);
	tells("unread-data! reset-by-peer unread-data! reset-by-peer ");
}

static void a_later_connection_on_the_same_ports(void **state)
{
	struct close_event later = at_client(1);

	later.time_ns += 121 * SECOND;
	closes(at_server(1), RAN_RESET);
	resets(later, CAUSE_RESET_BY_PEER);
	echoes_end(echoes);
	tells("unread-data! reset-by-peer ");
}

static void more_than_can_wait(void **state)
{
	for (int i = 1; i <= 65; i++)
		resets(at_client(i), CAUSE_RESET_BY_PEER);
	tells("reset-by-peer ");
	/* The first was put, all others wait. */
	for (int i = 1; i <= 65; i++)
		resets(at_server(i), CAUSE_LATE_DATA);
	*told = '\0';
	echoes_end(echoes);
	tells("");
}

/* ---- what was under way ---------------------------------------------------------------- */

static void replies_after_a_reset(void **state)
{
	closes(at_server(1), RAN_RESET);
	resets(at_server(1), CAUSE_LISTENER_STRAY_ACK);
	resets(at_server(1), CAUSE_NO_SOCKET);
	tells("unread-data! ");
}

static void replies_after_a_fin(void **state)
{
	closes(at_server(1), RAN_FIN);
	resets(at_server(1), CAUSE_LISTENER_STRAY_ACK);
	resets(at_server(2), CAUSE_NO_SOCKET);
	tells("fin! listener-stray-ack no-socket ");
}

/* Each is told: they are counted, not their connections. */
static void replies_to_nobody(void **state)
{
	resets(at_server(1), CAUSE_LISTENER_STRAY_ACK);
	resets(at_server(1), CAUSE_LISTENER_STRAY_ACK);
	resets(at_server(1), CAUSE_NO_SOCKET);
	tells("listener-stray-ack listener-stray-ack no-socket ");
	/* But who gets them has nothing to add. */
	resets(at_client(1), CAUSE_RESET_BY_PEER);
	echoes_end(echoes);
	tells("listener-stray-ack listener-stray-ack no-socket ");
}

static void a_new_connection_that_nobody_awaits(void **state)
{
	struct close_event attempt = at_server(1);

	closes(at_server(1), RAN_RESET);
	attempt.facts = RESET_REPLY | RESET_TO_SYN;
	resets(attempt, CAUSE_NO_SOCKET);
	tells("unread-data! no-socket ");
}

static void another_cause_on_the_same_ports(void **state)
{
	closes(at_server(1), RAN_RESET);
	resets(at_server(1), CAUSE_ACCEPT_OVERFLOW);
	tells("unread-data! accept-overflow ");
}

static void refusals_are_told(void **state)
{
	struct close_event attempt = at_server(1);

	attempt.facts = RESET_REPLY | RESET_TO_SYN;
	resets(attempt, CAUSE_NO_SOCKET);
	resets(at_client(1), CAUSE_REFUSED);
	tells("no-socket refused ");
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, begin, end)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(received_after_the_close),
		TEST(received_before_the_close),
		TEST(received_before_a_reset),
		TEST(an_end_without_the_other),
		TEST(the_same_ports_elsewhere),
		TEST(what_sent_none),
		TEST(each_has_one_echo),
		TEST(a_later_connection_on_the_same_ports),
		TEST(more_than_can_wait),
		TEST(replies_after_a_reset),
		TEST(replies_after_a_fin),
		TEST(replies_to_nobody),
		TEST(a_new_connection_that_nobody_awaits),
		TEST(another_cause_on_the_same_ports),
		TEST(refusals_are_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
