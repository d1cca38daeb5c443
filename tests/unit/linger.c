// SPDX-License-Identifier: GPL-2.0-only
/* Did the linger setting take effect?  For each outcome the words that say so. */
#include "tests/unit/sample.h"

#include "user/linger.h"

#define SECOND 1000000000ULL

static void says(const struct close_event *event, const char *wanted)
{
	const struct record record = { .event = event, .verdict = judge(event) };
	char text[192];

	linger_say(&record, text, sizeof(text));
	assert_string_equal(text, wanted);
}

/* Set by nginx 1.2 ms before. */
static struct close_event set_before(__u32 facts, __u8 state)
{
	return (struct close_event){
		.kind = EVENT_CLOSE,
		.time_ns = 5 * SECOND,
		.setter = { .time_ns = 5 * SECOND - 1200000, .pid = 4242, .comm = "nginx" },
		.facts = facts | WAS_LINGER | WAS_CONNECTED,
		.state = state,
		.new_state = TCP_CLOSE,
	};
}

static const struct {
	__u32 facts;
	__u8 state, new_state, context;
	__u64 linger_s, blocked_ns;
	const char *said;
} outcomes[] = {
	/* clang-format off */
	{ RAN_DISCONNECT | RAN_RESET | WAS_ZERO_LINGER, TCP_ESTABLISHED, TCP_CLOSE,
	  .said = "SO_LINGER {1, 0}, set 1.2 ms before by nginx (4242): took effect, an RST was sent" },
	{ RAN_DISCONNECT | WAS_ZERO_LINGER, TCP_LAST_ACK, TCP_CLOSE,
	  .said = "SO_LINGER {1, 0}, set 1.2 ms before by nginx (4242): took effect, but there was "
		  "nothing left to reset" },
	{ RAN_RESET | WAS_ZERO_LINGER, TCP_ESTABLISHED, TCP_CLOSE,
	  .said = "SO_LINGER {1, 0}, set 1.2 ms before by nginx (4242): did not take effect, unread "
		  "data decided" },
	{ RAN_FIN | RAN_WAIT | WAIT_ACKED, TCP_ESTABLISHED, TCP_FIN_WAIT2,
	  .linger_s = 5, .blocked_ns = 3 * SECOND + SECOND / 5,
	  .said = "SO_LINGER {1, 5}, set 1.2 ms before by nginx (4242): waited 3.2 s of 5 s, "
		  "everything was acknowledged" },
	{ RAN_FIN | RAN_WAIT | WAIT_CLOSING | WAIT_EXPIRED, TCP_ESTABLISHED, TCP_FIN_WAIT1,
	  .linger_s = 1, .blocked_ns = SECOND + 2000000,
	  .said = "SO_LINGER {1, 1}, set 1.2 ms before by nginx (4242): waited 1.0 s of 1 s, the time "
		  "was up, the rest goes on its way" },
	{ RAN_FIN | RAN_WAIT | WAIT_CLOSING, TCP_ESTABLISHED, TCP_FIN_WAIT1,
	  .linger_s = 5, .blocked_ns = SECOND / 2,
	  .said = "SO_LINGER {1, 5}, set 1.2 ms before by nginx (4242): waited 500.0 ms of 5 s, then a "
		  "signal came, the rest goes on its way" },
	{ RAN_FIN | RAN_WAIT, TCP_ESTABLISHED, TCP_CLOSE,
	  .linger_s = 5, .blocked_ns = SECOND,
	  .said = "SO_LINGER {1, 5}, set 1.2 ms before by nginx (4242): waited 1.0 s of 5 s, then the "
		  "connection was ended from outside" },
	{ RAN_FIN, TCP_ESTABLISHED, TCP_FIN_WAIT1, CONTEXT_EXIT, .linger_s = 5,
	  .said = "SO_LINGER {1, 5}, set 1.2 ms before by nginx (4242): did not take effect, an exiting "
		  "process does not wait" },
	{ RAN_LISTEN_STOP | WAS_ZERO_LINGER, TCP_LISTEN, TCP_CLOSE,
	  .said = "SO_LINGER {1, 0}, set 1.2 ms before by nginx (4242): did not take effect, there was "
		  "no connection to close" },
	{ RAN_FIN | LACKS_BLOCKED | LACKS_AFTER, TCP_ESTABLISHED, TCP_FIN_WAIT1, .linger_s = 5,
	  .said = "SO_LINGER {1, 5}, set 1.2 ms before by nginx (4242): whether it took effect was not "
		  "seen" },
	/* clang-format on */
};

static void every_outcome_has_its_answer(void **state)
{
	unsigned int seen = 0;

	for (size_t i = 0; i < COUNT(outcomes); i++) {
		struct close_event event = set_before(outcomes[i].facts, outcomes[i].state);

		event.new_state = outcomes[i].new_state;
		event.context = outcomes[i].context;
		event.linger_s = outcomes[i].linger_s;
		event.blocked_ns = outcomes[i].blocked_ns;
		says(&event, outcomes[i].said);
		seen |= 1U << judge(&event).linger;
	}
	assert_int_equal(seen, (1U << LINGER_COUNT) - 1);
}

static struct close_event reset_by_linger(void)
{
	return set_before(RAN_DISCONNECT | RAN_RESET | WAS_ZERO_LINGER, TCP_ESTABLISHED);
}

static void where_it_is_off_nothing_is_said(void **state)
{
	struct close_event event = set_before(RAN_FIN, TCP_ESTABLISHED);

	event.facts &= ~WAS_LINGER;
	says(&event, "");
}

/* The kernel's own setting is nobody's. */
static void of_a_fastclose_nothing_is_said(void **state)
{
	struct close_event event = reset_by_linger();

	event.facts |= WAS_SUBFLOW | WAS_FASTCLOSE;
	says(&event, "");
}

static void who_was_not_seen_is_not_named(void **state)
{
	struct close_event event = reset_by_linger();

	event.setter = (struct setter){};
	says(&event, "SO_LINGER {1, 0}: took effect, an RST was sent");
}

static void what_was_inherited_is_called_so(void **state)
{
	struct close_event event = reset_by_linger();

	event.facts |= LINGER_INHERITED;
	says(&event, "SO_LINGER {1, 0}, inherited from the listener, set 1.2 ms before by nginx (4242): "
		     "took effect, an RST was sent");
}

static void where_it_was_set_is_said(void **state)
{
	struct close_event event = reset_by_linger();
	const struct record record = {
		.event = &event, .verdict = judge(&event), .linger_site = "drop (drop.c:19) < main (main.c:3)",
	};
	char text[320];

	linger_say(&record, text, sizeof(text));
	assert_string_equal(text, "SO_LINGER {1, 0}, set 1.2 ms before by nginx (4242) in "
				  "drop (drop.c:19) < main (main.c:3): took effect, an RST was sent");
}

static void time_is_in_units_that_fit(void **state)
{
	static const struct {
		__u64 ns;
		const char *said;
	} times[] = {
		{ 0, "set 0.0 ms before" },
		{ 999 * 1000000ULL, "set 999.0 ms before" },
		{ SECOND, "set 1.0 s before" },
		{ 599 * SECOND, "set 599.0 s before" },
		{ 600 * SECOND, "set 10 min before" },
		{ 86400 * SECOND, "set 1440 min before" },
	};

	for (size_t i = 0; i < COUNT(times); i++) {
		struct close_event event = reset_by_linger();
		const struct record record = { .event = &event, .verdict = judge(&event) };
		char text[192];

		event.time_ns = times[i].ns + 1;
		event.setter.time_ns = 1;
		linger_say(&record, text, sizeof(text));
		assert_non_null(strstr(text, times[i].said));
	}
}

/* By another thread, while the close waited for the socket. */
static void what_was_set_meanwhile_was_not_before(void **state)
{
	struct close_event event = reset_by_linger();

	event.setter.time_ns = event.time_ns + SECOND;
	says(&event, "SO_LINGER {1, 0}, set 0.0 ms before by nginx (4242): took effect, an RST was sent");
}

static void what_is_set_is_shown_as_a_program_has_it(void **state)
{
	struct close_event event = { .facts = WAS_LINGER, .linger_s = 3 };
	char text[64];

	linger_show(&event, text, sizeof(text));
	assert_string_equal(text, "SO_LINGER {1, 3}");
	event.facts = 0;
	linger_show(&event, text, sizeof(text));
	assert_string_equal(text, "SO_LINGER {0}");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_outcome_has_its_answer),
		cmocka_unit_test(where_it_is_off_nothing_is_said),
		cmocka_unit_test(of_a_fastclose_nothing_is_said),
		cmocka_unit_test(who_was_not_seen_is_not_named),
		cmocka_unit_test(what_was_inherited_is_called_so),
		cmocka_unit_test(where_it_was_set_is_said),
		cmocka_unit_test(time_is_in_units_that_fit),
		cmocka_unit_test(what_was_set_meanwhile_was_not_before),
		cmocka_unit_test(what_is_set_is_shown_as_a_program_has_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
