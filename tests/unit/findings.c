// SPDX-License-Identifier: GPL-2.0-only
/* Records in, paragraphs out: what is counted together, what comes first, what has room. */
#include "tests/unit/told.h"

/* ---- where ----------------------------------------------------------------------------- */

static void ipv6(void **state)
{
	struct close_event event = zero_linger();

	memset(event.laddr, 0, sizeof(event.laddr));
	event.laddr[15] = 1;
	memcpy(event.raddr, event.laddr, sizeof(event.raddr));
	add(&event);
	tells_of("It was [::1]:8080, peer [::1]:40312.");
}

static void ports_are_counted(void **state)
{
	add_reset(CAUSE_ACCEPT_OVERFLOW, OWNER_NOBODY, 0);
	tells_nothing_of("Most:");
	for (__u16 port = 1; port <= 5; port++) {
		struct close_event event = of_nobody(server);
		struct record record = reset_record(&event, CAUSE_ACCEPT_OVERFLOW, OWNER_NOBODY);

		event.kind = EVENT_RESET;
		event.lport = port;
		for (__u16 i = 0; i < port; i++)
			findings_add(findings, &record, NULL);
	}
	tells_of("- 16 clients were reset at the end");
	tells_of("Most: port 5: 5, port 4: 4, port 3: 3, others: 4.");
}

static void peers_are_counted(void **state)
{
	struct close_event event = server;
	struct record record = reset_record(&event, CAUSE_RESET_BY_PEER, OWNER_SOCKET);

	event.kind = EVENT_RESET;
	findings_add(findings, &record, NULL);
	event.rport = 443;
	findings_add(findings, &record, NULL);
	findings_add(findings, &record, NULL);
	tells_of("- 3 connections of server (pid 4242) were reset by the peers. Why");
	tells_of("Most: 192.0.2.7:443: 2, 192.0.2.7:40312: 1.");
}

/* ---- who ---------------------------------------------------------------------------------- */

static void add_of(__u32 pid, int count)
{
	struct close_event event = unread(10);

	event.pid = pid;
	for (int i = 0; i < count; i++)
		add(&event);
}

static void two_processes_of_a_name_are_told_apart(void **state)
{
	add_of(7, 1);
	add_of(8, 3);
	assert_int_equal(paragraphs(), 2);
	tells_of(":\n- server (pid 8) reset 3");
	tells_of("\n- server (pid 7) reset 1");
}

static void many_are_not(void **state)
{
	struct close_event other = zero_linger();

	add_of(7, 1);
	add_of(8, 1);
	add(&other);
	add_of(9, 2);
	add_of(7, 1);
	assert_int_equal(paragraphs(), 2);
	tells_of("- server (3 processes) reset 5 connections because they closed them with unread data, "
		 "50 bytes in all.");
	tells_of("- server (pid 4242) reset 1 connection because it closed it with SO_LINGER");
	for (__u32 pid = 10; pid < 100; pid++)
		add_of(pid, 1);
	tells_of("- server (16 or more processes) reset 95 connections");
	assert_int_equal(paragraphs(), 2);
}

static void a_hostile_name(void **state)
{
	struct close_event event = unread(1);

	memcpy(event.comm, "\x1b[2J\nclosetrace", 15);
	add(&event);
	tells_of("- \\x1b[2J\\x0aclosetrace (pid 4242) reset 1 connection");
}

/* ---- from where ------------------------------------------------------------------------------ */

static void one_site(void **state)
{
	struct close_event event = unread(1);

	add_at(&event, "finish (server.c:31)");
	tells_of("It came from finish (server.c:31). Advice:");
	add_at(&event, "finish (server.c:31)");
	tells_of("All of them from finish (server.c:31). Advice:");
}

static void many_sites(void **state)
{
	static const char *const sites[] = { "a", "b", "c", "d" };
	struct close_event event = unread(1);

	add(&event);
	for (int i = 0; i < 4; i++)
		for (int times = 0; times <= i; times++)
			add_at(&event, sites[i]);
	tells_of("- server (pid 4242) reset 11 connections");
	tells_of("4 of them from d, 3 from c, 2 from b. Advice:");
}

static void a_hostile_site(void **state)
{
	struct close_event event = unread(1);

	add_at(&event, "\x1b]0;x\a");
	tells_of("It came from \\x1b]0;x\\x07.");
}

static void sites_of_many_processes(void **state)
{
	struct close_event event = unread(1);

	for (event.pid = 1; event.pid < 6; event.pid++)
		add_at(&event, event.pid % 2 ? "odd" : "even");
	tells_of("3 of them from odd, 2 from even.");
}

/* ---- the worst first --------------------------------------------------------------------------- */

static bool is_before(const char *text, const char *one, const char *other)
{
	const char *first = strstr(text, one);

	return first && strstr(first, other);
}

static void comes_before(const char *one, const char *other)
{
	char *text = in_one_line();

	if (!is_before(text, one, other))
		fail_msg("\"%s\" is not before \"%s\" in: %s", one, other, text);
	free(text);
}

static void lost_data_is_worse_than_none(void **state)
{
	struct close_event harmless = zero_linger(), harmful = zero_linger();

	strcpy(harmless.comm, "harmless");
	add(&harmless);
	add(&harmless);
	harmful.unsent_bytes = 1;
	strcpy(harmful.comm, "harmful");
	add(&harmful);
	comes_before("harmful", "harmless");
}

static void many_are_worse_than_one(void **state)
{
	struct close_event few = unread(1), many = unread(1);

	strcpy(few.comm, "few");
	strcpy(many.comm, "many");
	add(&few);
	add(&many);
	add(&many);
	comes_before("many (", "few (");
}

static void one_that_hurts_is_worse_than_one_that_does_not(void **state)
{
	struct close_event event = unread(1);

	for (int i = 0; i < 2; i++)
		add_reset(CAUSE_REFUSED, OWNER_SOCKET, RESET_RECEIVED);
	add_reset(CAUSE_RESET_BY_PEER, OWNER_SOCKET, RESET_RECEIVED);
	add(&event);
	comes_before("unread data", "was reset by the peer");
	comes_before("was reset by the peer", "was refused 2");
}

static void those_alike_stay_in_order(void **state)
{
	struct close_event one = unread(1), other = unread(1);

	strcpy(one.comm, "one");
	strcpy(other.comm, "other");
	add(&other);
	add(&one);
	comes_before("other (", "one (");
}

/* ---- too much ------------------------------------------------------------------------------------ */

static void add_names(int count)
{
	struct close_event event = unread(1);

	for (int i = 0; i < count; i++) {
		snprintf(event.comm, sizeof(event.comm), "name %d", i);
		add(&event);
	}
}

static void ten_are_told(void **state)
{
	add_names(10);
	assert_int_equal(paragraphs(), 10);
	tells_nothing_of("no room");
}

static void one_more_is_counted(void **state)
{
	add_names(11);
	assert_int_equal(paragraphs(), 11);
	tells_of("\n- And 1 record more, in 1 finding that there is no room for: trace fewer, as by -p or "
		 "-L, to be told of it.\n");
}

static void a_full_table(void **state)
{
	struct close_event event = unread(1);

	add_names(130);
	tells_of("\n- And 120 records more, in 118 findings and others that there is no room for: trace "
		 "fewer, as by -p or -L, to be told of them.\n");
	/* What is there goes on to be counted. */
	strcpy(event.comm, "name 5");
	add(&event);
	tells_of(":\n- name 5 (pid 4242) reset 2 connections");
}

static void lost_records(void **state)
{
	struct close_event event = unread(1);
	char *text;

	text = told(80, 5);
	assert_string_equal(text, "");
	free(text);
	add(&event);
	text = told(200, 5);
	assert_ptr_equal(strstr(text, "closetrace: found, the worst first; 5 records were lost, so each "
				      "number may be too low:\n- server"), text);
	free(text);
	text = told(200, 1);
	assert_non_null(strstr(text, "; 1 record was lost, so each number may be too low:\n"));
	free(text);
}

static void lines_fit(void **state)
{
	static const int widths[] = { 40, 80, 132 };

	add_names(11);
	add_reset(CAUSE_UNACCEPTED_CHILD, OWNER_CLOSER, 0);
	for (size_t i = 0; i < COUNT(widths); i++) {
		char *text = told(widths[i], 5);

		for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
			assert_in_range(strlen(line), 1, widths[i]);
		free(text);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TELLING(ipv6),
		TELLING(ports_are_counted),
		TELLING(peers_are_counted),
		TELLING(two_processes_of_a_name_are_told_apart),
		TELLING(many_are_not),
		TELLING(a_hostile_name),
		TELLING(one_site),
		TELLING(many_sites),
		TELLING(a_hostile_site),
		TELLING(sites_of_many_processes),
		TELLING(lost_data_is_worse_than_none),
		TELLING(many_are_worse_than_one),
		TELLING(one_that_hurts_is_worse_than_one_that_does_not),
		TELLING(those_alike_stay_in_order),
		TELLING(ten_are_told),
		TELLING(one_more_is_counted),
		TELLING(a_full_table),
		TELLING(lost_records),
		TELLING(lines_fit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
