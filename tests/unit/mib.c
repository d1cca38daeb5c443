// SPDX-License-Identifier: GPL-2.0-only
/* Files like net/snmp and net/netstat, and this kernel's own. */
#include "tests/unit/counters.h"

static uint64_t parsed[COUNTERS_COUNT];

static void parses(const char *text, const char *wanted)
{
	FILE *file = fmemopen((char *)text, strlen(text) + 1, "r");

	memset(parsed, 0, sizeof(parsed));
	/* The NUL too: a line without a newline. */
	is_set(mib_parse(file, parsed), wanted);
	fclose(file);
}

static void pairs_of_lines(void **state)
{
	parses("Ip: Forwarding DefaultTTL\nIp: 1 64\n"
	       "Tcp: MaxConn OutRsts InSegs\nTcp: -1 18446744073709551615 7\n"
	       "Udp: OutRsts\nUdp: 5\n",
	       "OutRsts InSegs ");
	assert_int_equal(parsed[OUT_RSTS], UINT64_MAX);
	assert_int_equal(parsed[IN_SEGS], 7);
	parses("TcpExt: TCPAbortOnData x TCPAbortOnClose\nTcpExt: 3 0 4\n", CLOSE DATA);
	assert_int_equal(parsed[TCP_ABORT_ON_DATA], 3);
	assert_int_equal(parsed[TCP_ABORT_ON_CLOSE], 4);
}

static void counters_of_another_group(void **state)
{
	parses("UdpLite: OutRsts\nUdpLite: 5\nTcp: TCPAbortOnData\nTcp: 1\n", "");
	parses("TcpE: TCPAbortOnData\nTcpE: 1\nTcpExtra: TCPAbortOnData\nTcpExtra: 1\n", "");
}

static void lines_that_are_no_pair(void **state)
{
	parses("Tcp: OutRsts\nTcpExt: TCPAbortOnData\nTcpExt: 3\nTcp: 5\n", DATA);
	assert_int_equal(parsed[TCP_ABORT_ON_DATA], 3);
	parses("no colon\nno colon\nTcp: OutRsts\nTcp: 5\n", RSTS);
	parses("\n\n:\n:\n: \n: \n", "");
	parses("Tcp: OutRsts\n", "");
	parses(" ", "");
}

static void numbers_that_are_missing(void **state)
{
	parses("Tcp: InSegs OutRsts\nTcp: 5\n", "InSegs ");
	parses("Tcp: OutRsts\nTcp:\n", "");
	parses("Tcp: OutRsts\nTcp: 5x\n", "");
	parses("Tcp: OutRsts\nTcp: five\n", "");
	parses("Tcp: OutRsts\nTcp: 5 6 7\n", RSTS);
	assert_int_equal(parsed[OUT_RSTS], 5);
}

static void a_long_line(void **state)
{
	char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);

	fputs("Tcp:", to);
	for (int i = 0; i < 5000; i++)
		fputs(" SomeLongName", to);
	fputs(" OutRsts\nTcp:", to);
	for (int i = 0; i < 5000; i++)
		fputs(" 1", to);
	fputs(" 12\n", to);
	fclose(to);
	parses(text, RSTS);
	assert_int_equal(parsed[OUT_RSTS], 12);
	free(text);
}

static void this_kernel(void **state)
{
	static const char *const paths[] = { "/proc/self/net/snmp", "/proc/self/net/netstat" };
	uint32_t found = 0;
	FILE *file;

	for (size_t i = 0; i < COUNT(paths); i++) {
		file = fopen(paths[i], "r");
		if (!file)
			skip();
		found |= mib_parse(file, parsed);
		fclose(file);
	}
	is_set(found & ((1 << MP_RST_TX) - 1),
	       CLOSE DATA LINGER MEMORY TIMEOUT EMBRYO RSTS "TCPAbortFailed AttemptFails InSegs ");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(pairs_of_lines),
		cmocka_unit_test(counters_of_another_group),
		cmocka_unit_test(lines_that_are_no_pair),
		cmocka_unit_test(numbers_that_are_missing),
		cmocka_unit_test(a_long_line),
		cmocka_unit_test(this_kernel),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
