// SPDX-License-Identifier: GPL-2.0-only
/*
 * Records beside counters: which record moves which counter, spelled here once more, and the result
 * for a /proc of our own, in which a namespace is a pair of files that its processes link to.
 */
#include "tests/unit/sample.h"

#include <errno.h>
#include <ftw.h>
#include <sys/stat.h>
#include <time.h>

#include "user/reconcile.h"

/* clang-format off */
#define CLOSE	"TCPAbortOnClose "
#define DATA	"TCPAbortOnData "
#define LINGER	"TCPAbortOnLinger "
#define MEMORY	"TCPAbortOnMemory "
#define TIMEOUT	"TCPAbortOnTimeout "
#define EMBRYO	"EmbryonicRsts "
#define RSTS	"OutRsts "
/* clang-format on */

static const char *const names[COUNTERS_COUNT] = {
	"TCPAbortOnClose",   "TCPAbortOnData", "TCPAbortOnLinger", "TCPAbortOnMemory",
	"TCPAbortOnTimeout", "EmbryonicRsts",  "OutRsts",	   "TCPAbortFailed",
	"AttemptFails",	     "InSegs",	       "MPRstTx",	   "MPFastcloseTx",
};

/* ---- which record moves which counter --------------------------------------- */

static void is_set(uint32_t set, const char *wanted)
{
	char text[256] = "";

	for (int i = 0; i < COUNTERS_COUNT; i++) {
		if (!(set >> i & 1))
			continue;
		strcat(text, names[i]);
		strcat(text, " ");
	}
	assert_string_equal(text, wanted);
}

static void record_moves(__u8 kind, __u32 facts, struct verdict verdict, const char *surely,
			 const char *maybe)
{
	struct close_event event = { .kind = kind, .facts = facts };
	struct record record = { .event = &event, .verdict = verdict };

	is_set(reconcile_moved(&record), surely);
	is_set(reconcile_may_have_moved(&record), maybe);
}

static void a_close_moves(__u8 branch, __u8 sent, __u8 after, const char *surely)
{
	struct verdict verdict = { .branch = branch, .sent = sent, .after = after };

	record_moves(EVENT_CLOSE, 0, verdict, surely, "");
}

static void closes(void **state)
{
	a_close_moves(BRANCH_LISTENER, SENT_NONE, 0, "");
	a_close_moves(BRANCH_NOT_CONNECTED, SENT_NONE, 0, "");
	a_close_moves(BRANCH_ALREADY_CLOSED, SENT_NONE, 0, "");
	a_close_moves(BRANCH_REPAIR, SENT_NONE, 0, "");
	a_close_moves(BRANCH_UNREAD_DATA, SENT_RST, 0, CLOSE RSTS);
	a_close_moves(BRANCH_ZERO_LINGER, SENT_RST, 0, DATA RSTS);
	/* SYN_SENT, CLOSING, LAST_ACK */
	a_close_moves(BRANCH_ZERO_LINGER, SENT_NONE, 0, DATA);
	a_close_moves(BRANCH_FIN, SENT_FIN, 0, "");
	a_close_moves(BRANCH_FIN_ALREADY_SENT, SENT_NONE, 0, "");
	a_close_moves(BRANCH_CONNECT_CANCELLED, SENT_NONE, 0, "");
}

static void what_comes_after_a_close(void **state)
{
	a_close_moves(BRANCH_FIN, SENT_FIN, AFTER_TIME_WAIT, "");
	a_close_moves(BRANCH_FIN, SENT_FIN, AFTER_FIN_WAIT2_TIMER, "");
	a_close_moves(BRANCH_FIN_ALREADY_SENT, SENT_NONE, AFTER_LINGER2_RESET, LINGER RSTS);
	a_close_moves(BRANCH_FIN, SENT_FIN, AFTER_ORPHAN_LIMIT_RESET, MEMORY RSTS);
	a_close_moves(BRANCH_FIN, SENT_FIN, AFTER_LATE_DATA_RESET, DATA RSTS);
	a_close_moves(BRANCH_FIN, SENT_FIN, AFTER_NETNS_DYING, "");
	a_close_moves(BRANCH_FIN, SENT_FIN, AFTER_CLOSED_MEANWHILE, "");
}

static void closes_that_are_unknown(void **state)
{
	record_moves(EVENT_CLOSE, 0, (struct verdict){ .branch = BRANCH_UNKNOWN }, "",
		     CLOSE DATA RSTS);
	record_moves(EVENT_CLOSE, 0, (struct verdict){ .branch = BRANCH_ZERO_LINGER }, DATA, RSTS);
	/* What moved it is no matter of the branch here. */
	record_moves(EVENT_CLOSE, 0, (struct verdict){ .after = AFTER_ORPHAN_LIMIT_RESET },
		     MEMORY RSTS, CLOSE DATA);
}

static void a_reset_moves(__u8 cause, const char *surely)
{
	record_moves(EVENT_RESET, 0, (struct verdict){ .cause = cause }, surely, "");
}

static void resets(void **state)
{
	a_reset_moves(CAUSE_DISCONNECT, RSTS);
	a_reset_moves(CAUSE_UNACCEPTED_CHILD, RSTS);
	a_reset_moves(CAUSE_ADMIN_ABORT, RSTS);
	a_reset_moves(CAUSE_KEEPALIVE_TIMEOUT, TIMEOUT RSTS);
	a_reset_moves(CAUSE_FIN_WAIT2_TIMEOUT, RSTS);
	a_reset_moves(CAUSE_ORPHAN_LIMIT, MEMORY RSTS);
	a_reset_moves(CAUSE_LINGER2, LINGER RSTS);
	a_reset_moves(CAUSE_MPTCP_FASTCLOSE, RSTS);
	a_reset_moves(CAUSE_MPTCP_SUBFLOW, RSTS);
	a_reset_moves(CAUSE_NO_SOCKET, RSTS);
	a_reset_moves(CAUSE_LISTENER_STRAY_ACK, RSTS);
	a_reset_moves(CAUSE_BAD_ACK_SYN_SENT, RSTS);
	a_reset_moves(CAUSE_BAD_ACK_SYN_RECV, RSTS);
	a_reset_moves(CAUSE_LATE_DATA, DATA RSTS);
	a_reset_moves(CAUSE_TIME_WAIT, RSTS);
	a_reset_moves(CAUSE_ACCEPT_OVERFLOW, EMBRYO RSTS);
	a_reset_moves(CAUSE_EMBRYONIC, EMBRYO RSTS);
	a_reset_moves(CAUSE_MPTCP_JOIN_REJECT, RSTS);
	/* TCP never knew. */
	a_reset_moves(CAUSE_FIREWALL_REJECT, "");
	a_reset_moves(CAUSE_NONE, "");
	record_moves(EVENT_RESET, 0, (struct verdict){ .cause = CAUSE_UNKNOWN }, RSTS,
		     CLOSE DATA LINGER MEMORY TIMEOUT EMBRYO);
}

static void resets_that_came(void **state)
{
	static const __u8 causes[] = { CAUSE_UNKNOWN, CAUSE_RESET_BY_PEER, CAUSE_REFUSED,
				       CAUSE_NONE };

	for (size_t i = 0; i < COUNT(causes); i++)
		record_moves(EVENT_RESET, RESET_RECEIVED | WAS_SHUT_READ,
			     (struct verdict){ .cause = causes[i] }, "", "");
}

static void ends(void **state)
{
	for (int end = END_UNKNOWN; end < END_COUNT; end++)
		record_moves(EVENT_END, 0, (struct verdict){ .end = end },
			     end == END_RETRANSMIT_TIMEOUT ? TIMEOUT : "",
			     end == END_UNKNOWN ? MEMORY TIMEOUT : "");
	/* Its RST had a record of its own. */
	for (int end = END_UNKNOWN; end < END_COUNT; end++)
		record_moves(EVENT_END, ENDED_ACTIVE, (struct verdict){ .end = end }, "", "");
}

static void what_is_no_event(void **state)
{
	record_moves(0, 0, (struct verdict){ .sent = SENT_RST }, "", "");
	record_moves(EVENT_COUNT, 0, (struct verdict){ .sent = SENT_RST }, "", "");
}

/* ---- the parser ---------------------------------------------------------------- */

static uint64_t parsed[COUNTERS_COUNT];

static void parses(const char *text, const char *wanted)
{
	FILE *file = fmemopen((char *)text, strlen(text) + 1, "r");

	memset(parsed, 0, sizeof(parsed));
	/* The NUL too: a line without a newline. */
	is_set(reconcile_parse(file, parsed), wanted);
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
		found |= reconcile_parse(file, parsed);
		fclose(file);
	}
	is_set(found & ((1 << MP_RST_TX) - 1),
	       CLOSE DATA LINGER MEMORY TIMEOUT EMBRYO RSTS "TCPAbortFailed AttemptFails InSegs ");
}

/* ---- a /proc of our own --------------------------------------------------------- */

#define SPACES 8

static char root[] = "/tmp/closetrace-proc.XXXXXX";
static uint64_t counters[SPACES][COUNTERS_COUNT];
static struct reconcile *reconcile;

static const char *path_of(const char *format, ...) __attribute__((format(printf, 1, 2)));

static const char *path_of(const char *format, ...)
{
	static char paths[2][128];
	static int turn;
	char *path = paths[turn ^= 1];
	int size = snprintf(path, sizeof(paths[0]), "%s/", root);
	va_list args;

	va_start(args, format);
	vsnprintf(path + size, sizeof(paths[0]) - size, format, args);
	va_end(args);
	return path;
}

static void put_counters(const char *path, const char *group, const int *which)
{
	FILE *file = fopen(path, "w");
	int space = strtol(strrchr(path, '.') + 1, NULL, 10);

	fprintf(file, "Other: OutRsts\nOther: 99\n%s:", group);
	for (int i = 0; which[i] >= 0; i++)
		fprintf(file, " %s", names[which[i]]);
	fprintf(file, "\n%s:", group);
	for (int i = 0; which[i] >= 0; i++)
		fprintf(file, " %llu", (unsigned long long)counters[space][which[i]]);
	fputc('\n', file);
	assert_int_equal(fclose(file), 0);
}

/* The files as they are to be read now. */
static void put_spaces(void)
{
	static const int snmp[] = { IN_SEGS, ATTEMPT_FAILS, OUT_RSTS, -1 };
	static const int netstat[] = {
		TCP_ABORT_ON_CLOSE, TCP_ABORT_ON_DATA, TCP_ABORT_ON_LINGER, TCP_ABORT_ON_MEMORY,
		TCP_ABORT_ON_TIMEOUT, EMBRYONIC_RSTS, TCP_ABORT_FAILED, -1,
	};
	FILE *file;

	for (int i = 0; i < SPACES; i++) {
		put_counters(path_of("snmp.%d", i), "Tcp", snmp);
		put_counters(path_of("netstat.%d", i), "TcpExt", netstat);
		file = fopen(path_of("netstat.%d", i), "a");
		fprintf(file, "MPTcpExt: MPRstTx MPFastcloseTx\nMPTcpExt: %llu %llu\n",
			(unsigned long long)counters[i][MP_RST_TX],
			(unsigned long long)counters[i][MP_FASTCLOSE_TX]);
		fclose(file);
		file = fopen(path_of("ns.%d", i), "a");
		fclose(file);
	}
}

static void add_process(const char *process, int space)
{
	assert_int_equal(mkdir(path_of("%s", process), 0700), 0);
	assert_int_equal(mkdir(path_of("%s/net", process), 0700), 0);
	assert_int_equal(mkdir(path_of("%s/ns", process), 0700), 0);
	assert_int_equal(link(path_of("snmp.%d", space), path_of("%s/net/snmp", process)), 0);
	assert_int_equal(link(path_of("netstat.%d", space), path_of("%s/net/netstat", process)), 0);
	assert_int_equal(link(path_of("ns.%d", space), path_of("%s/ns/net", process)), 0);
}

static int remove_file(const char *path, const struct stat *stat, int flag, struct FTW *walk)
{
	return remove(path);
}

static void remove_process(const char *process)
{
	assert_int_equal(nftw(path_of("%s", process), remove_file, 8, FTW_DEPTH | FTW_PHYS), 0);
}

static uint32_t netns_of(int space)
{
	struct stat ns;

	assert_int_equal(stat(path_of("ns.%d", space), &ns), 0);
	return ns.st_ino;
}

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ULL + now.tv_nsec;
}

/* So much later that it is nowhere near what was before. */
static void pass(void)
{
	struct timespec pause = { .tv_nsec = 3000000 };

	nanosleep(&pause, NULL);
}

static void begin(uint32_t netns)
{
	put_spaces();
	reconcile = reconcile_open(root, netns);
	assert_non_null(reconcile);
	pass();
}

/* One that happens now, with what it does to the kernel's counters apart. */
static void happens_in(uint32_t netns, __u8 kind, struct verdict verdict)
{
	struct close_event event = { .kind = kind, .netns = netns, .time_ns = now_ns() };

	reconcile_count(reconcile, &(struct record){ .event = &event, .verdict = verdict });
}

static void unread_data_in(int space)
{
	happens_in(netns_of(space), EVENT_CLOSE,
		   (struct verdict){ .branch = BRANCH_UNREAD_DATA, .sent = SENT_RST });
}

static void count(int space, enum counter counter, uint64_t times)
{
	counters[space][counter] += times;
}

static void aborts_on_close(int space, uint64_t times)
{
	count(space, TCP_ABORT_ON_CLOSE, times);
	count(space, OUT_RSTS, times);
}

static void look(void)
{
	pass();
	put_spaces();
	reconcile_look(reconcile);
}

static void is_narrow(const char *text)
{
	for (; *text; text += strcspn(text, "\n") + 1)
		assert_true(strcspn(text, "\n") <= 80);
}

/* # in it stands for the seconds, as they are nobody's to know. */
static void tells_of(const char *incomplete, uint64_t lost, const char *wanted)
{
	char *text = NULL, *seconds, *end;
	size_t size;
	FILE *to = open_memstream(&text, &size);

	reconcile_tell(reconcile, to, incomplete, lost);
	fclose(to);
	is_narrow(text);
	seconds = strstr(text, " over ");
	if (seconds) {
		seconds += strlen(" over ");
		end = strchr(seconds, ' ');
		*seconds = '#';
		memmove(seconds + 1, end, strlen(end) + 1);
	}
	assert_string_equal(text, wanted);
	free(text);
}

static void tells(const char *wanted)
{
	look();
	tells_of(NULL, 0, wanted);
}

static int set_up(void **state)
{
	memset(counters, 0, sizeof(counters));
	for (int i = 0; i < SPACES; i++)
		for (int j = 0; j < COUNTERS_COUNT; j++)
			counters[i][j] = 1000 * i + j;
	put_spaces();
	add_process("1", 0);
	return 0;
}

static int tear_down(void **state)
{
	reconcile_close(reconcile);
	reconcile = NULL;
	nftw(root, remove_file, 8, FTW_DEPTH | FTW_PHYS);
	return mkdir(root, 0700);
}

/* ---- what it comes to ------------------------------------------------------------- */

#define HEAD_1	"counters of 1 network namespace over # s:\n"
#define HEAD_2	"counters of 2 network namespaces over # s:\n"
#define COLUMNS	"  counter               kernel   recorded  difference\n"

static void nothing_happened(void **state)
{
	begin(0);
	tells("counters agree: 0 of 0 RSTs, 0 of 0 aborts\n");
}

static void all_was_recorded(void **state)
{
	begin(0);
	for (int i = 0; i < 3; i++)
		unread_data_in(0);
	aborts_on_close(0, 3);
	happens_in(netns_of(0), EVENT_RESET, (struct verdict){ .cause = CAUSE_EMBRYONIC });
	count(0, EMBRYONIC_RSTS, 1);
	count(0, OUT_RSTS, 1);
	tells("counters agree: 4 of 4 RSTs, 3 of 3 aborts, 1 of 1 embryonic\n");
}

static void one_of_each(void **state)
{
	begin(0);
	unread_data_in(0);
	aborts_on_close(0, 1);
	tells("counters agree: 1 of 1 RST, 1 of 1 abort\n");
}

static void each_namespace_is_read_once(void **state)
{
	add_process("20", 0);
	add_process("30", 1);
	add_process("31", 1);
	begin(0);
	unread_data_in(0);
	unread_data_in(1);
	aborts_on_close(0, 1);
	aborts_on_close(1, 1);
	tells("counters agree: 2 of 2 RSTs, 2 of 2 aborts\n");
}

static void what_was_not_recorded(void **state)
{
	begin(0);
	unread_data_in(0);
	aborts_on_close(0, 3);
	tells(HEAD_1 COLUMNS "  TCPAbortOnClose            3          1          +2\n"
			     "    +2 unexplained\n"
			     "  OutRsts                    3          1          +2\n"
			     "    +2 unexplained\n");
}

static void what_was_not_counted(void **state)
{
	begin(0);
	unread_data_in(0);
	count(0, OUT_RSTS, 1);
	tells(HEAD_1 COLUMNS "  TCPAbortOnClose            0          1          -1\n"
			     "    -1 unexplained\n"
			     "  OutRsts                    1          1        none\n");
}

/* The sums agree, and that is no proof. */
static void differences_do_not_make_up_for_each_other(void **state)
{
	char wanted[512];

	add_process("20", 1);
	begin(0);
	unread_data_in(0);
	aborts_on_close(1, 1);
	snprintf(wanted, sizeof(wanted),
		 HEAD_2 COLUMNS "  TCPAbortOnClose            1          1        none\n"
				"    %s1 unexplained, in network namespace %u\n"
				"    %s1 unexplained, in network namespace %u\n"
				"  OutRsts                    1          1        none\n"
				"    %s1 unexplained, in network namespace %u\n"
				"    %s1 unexplained, in network namespace %u\n",
		 netns_of(0) < netns_of(1) ? "-" : "+",
		 netns_of(0) < netns_of(1) ? netns_of(0) : netns_of(1),
		 netns_of(0) < netns_of(1) ? "+" : "-",
		 netns_of(0) < netns_of(1) ? netns_of(1) : netns_of(0),
		 netns_of(0) < netns_of(1) ? "-" : "+",
		 netns_of(0) < netns_of(1) ? netns_of(0) : netns_of(1),
		 netns_of(0) < netns_of(1) ? "+" : "-",
		 netns_of(0) < netns_of(1) ? netns_of(1) : netns_of(0));
	tells(wanted);
}

static void many_namespaces_with_differences(void **state)
{
	char process[8], *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);

	for (int i = 1; i < 7; i++) {
		snprintf(process, sizeof(process), "%d", 10 + i);
		add_process(process, i);
	}
	begin(0);
	for (int i = 0; i < 7; i++)
		count(i, OUT_RSTS, 1);
	look();
	reconcile_tell(reconcile, to, NULL, 0);
	fclose(to);
	is_narrow(text);
	assert_non_null(strstr(text, "    +1 unexplained, in network namespace "));
	assert_non_null(strstr(text, "    +3 unexplained, in 3 more network namespaces\n"));
	free(text);
}

/* ---- by the time ------------------------------------------------------------------- */

static void records_from_before_the_beginning(void **state)
{
	struct close_event event = { .kind = EVENT_CLOSE, .netns = 0, .time_ns = now_ns() };
	struct verdict verdict = { .branch = BRANCH_UNREAD_DATA, .sent = SENT_RST };

	event.netns = netns_of(0);
	pass();
	begin(0);
	reconcile_count(reconcile, &(struct record){ .event = &event, .verdict = verdict });
	tells("counters agree: 0 of 0 RSTs, 0 of 0 aborts\n");
}

/* They are read from the ring after the counters, and belong to the next look. */
static void records_from_after_the_look(void **state)
{
	begin(0);
	unread_data_in(0);
	aborts_on_close(0, 1);
	look();
	pass();
	unread_data_in(0);
	unread_data_in(0);
	tells_of(NULL, 0, "counters agree: 1 of 1 RST, 1 of 1 abort\n");
	aborts_on_close(0, 2);
	tells("counters agree: 3 of 3 RSTs, 3 of 3 aborts\n");
}

static void records_that_come_late(void **state)
{
	struct close_event event = { .kind = EVENT_CLOSE, .netns = netns_of(0) };
	struct verdict verdict = { .branch = BRANCH_UNREAD_DATA, .sent = SENT_RST };

	begin(0);
	event.time_ns = now_ns();
	aborts_on_close(0, 1);
	look();
	reconcile_count(reconcile, &(struct record){ .event = &event, .verdict = verdict });
	tells_of(NULL, 0, "counters agree: 1 of 1 RST, 1 of 1 abort\n");
}

/* Its time is when it began, the reset came as it ended. */
static void a_close_that_was_there_before(void **state)
{
	struct close_event event = { .kind = EVENT_CLOSE, .netns = netns_of(0) };
	struct verdict verdict = { .branch = BRANCH_FIN,
				   .sent = SENT_FIN,
				   .after = AFTER_ORPHAN_LIMIT_RESET };

	event.time_ns = now_ns();
	pass();
	begin(0);
	event.blocked_ns = now_ns() - event.time_ns;
	reconcile_count(reconcile, &(struct record){ .event = &event, .verdict = verdict });
	count(0, TCP_ABORT_ON_MEMORY, 1);
	count(0, OUT_RSTS, 1);
	tells("counters agree: 1 of 1 RST, 1 of 1 abort\n");
}

/* The kernel counts it just before the look, its hook ran just after. */
static void a_record_at_the_very_moment(void **state)
{
	struct close_event event = { .kind = EVENT_RESET, .netns = netns_of(0) };
	struct verdict verdict = { .cause = CAUSE_NO_SOCKET };
	uint64_t before_ns;

	begin(0);
	count(0, OUT_RSTS, 1);
	put_spaces();
	do {
		before_ns = now_ns();
		reconcile_look(reconcile);
		event.time_ns = now_ns();
	} while (event.time_ns - before_ns > 900000);
	reconcile_count(reconcile, &(struct record){ .event = &event, .verdict = verdict });
	tells_of(NULL, 0,
		 HEAD_1 COLUMNS "  OutRsts                    1          0          +1\n"
				"    +1 happened while the counters were read\n");
	tells("counters agree: 1 of 1 RST, 0 of 0 aborts\n");
}

/* ---- what is known to differ --------------------------------------------------------- */

static void time_outs_of_open_sockets(void **state)
{
	begin(0);
	happens_in(netns_of(0), EVENT_END, (struct verdict){ .end = END_RETRANSMIT_TIMEOUT });
	count(0, TCP_ABORT_ON_TIMEOUT, 5);
	tells(HEAD_1 COLUMNS
	      "  TCPAbortOnTimeout          5          1          +4\n"
	      "    +4 sockets not closed while traced: no record tells of these\n");
}

/* But what was recorded must have been counted. */
static void time_outs_that_were_not_counted(void **state)
{
	begin(0);
	happens_in(netns_of(0), EVENT_END, (struct verdict){ .end = END_RETRANSMIT_TIMEOUT });
	tells(HEAD_1 COLUMNS "  TCPAbortOnTimeout          0          1          -1\n"
			     "    -1 unexplained\n");
}

static void no_memory_for_an_rst(void **state)
{
	begin(0);
	count(0, OUT_RSTS, 3);
	count(0, TCP_ABORT_FAILED, 2);
	tells(HEAD_1 COLUMNS
	      "  OutRsts                    3          0          +3\n"
	      "    +2 RSTs that could not be sent: no memory (TCPAbortFailed)\n"
	      "    +1 unexplained\n"
	      "  2 RSTs never left: no memory, or refused below TCP (TCPAbortFailed)\n");
}

static void the_peer_resets_what_is_half_open(void **state)
{
	begin(0);
	count(0, EMBRYONIC_RSTS, 3);
	count(0, ATTEMPT_FAILS, 2);
	tells(HEAD_1 COLUMNS
	      "  EmbryonicRsts              3          0          +3\n"
	      "    +2 connections that the peer reset half-open (AttemptFails)\n"
	      "    +1 unexplained\n");
}

static void unknown_and_lost_records(void **state)
{
	begin(0);
	happens_in(netns_of(0), EVENT_CLOSE, (struct verdict){ .branch = BRANCH_UNKNOWN });
	aborts_on_close(0, 4);
	look();
	tells_of(NULL, 2,
		 HEAD_1 COLUMNS "  TCPAbortOnClose            4          0          +4\n"
				"    +1 may be records of which it is unknown\n"
				"    +2 may be records that were lost\n"
				"    +1 unexplained\n"
				"  OutRsts                    4          0          +4\n"
				"    +1 may be records of which it is unknown\n"
				"    +2 may be records that were lost\n"
				"    +1 unexplained\n");
}

/* They are lost once, and not in each namespace. */
static void lost_records_of_two_namespaces(void **state)
{
	char wanted[512];

	add_process("20", 1);
	begin(0);
	count(0, OUT_RSTS, 1);
	count(1, OUT_RSTS, 1);
	look();
	snprintf(wanted, sizeof(wanted),
		 HEAD_2 COLUMNS "  OutRsts                    2          0          +2\n"
				"    +1 may be records that were lost\n"
				"    +1 unexplained, in network namespace %u\n",
		 netns_of(0) > netns_of(1) ? netns_of(0) : netns_of(1));
	tells_of(NULL, 1, wanted);
}

static void resets_of_mptcp(void **state)
{
	begin(0);
	happens_in(netns_of(0), EVENT_RESET, (struct verdict){ .cause = CAUSE_MPTCP_FASTCLOSE });
	count(0, OUT_RSTS, 3);
	count(0, MP_FASTCLOSE_TX, 2);
	count(0, MP_RST_TX, 1);
	tells(HEAD_1 COLUMNS "  OutRsts                    3          1          +2\n"
			     "    +1 RSTs of MPTCP (MPRstTx, MPFastcloseTx)\n"
			     "    +1 unexplained\n");
}

/* ---- namespaces come and go ------------------------------------------------------------ */

static void a_namespace_that_is_new(void **state)
{
	begin(0);
	add_process("40", 2);
	memset(counters[2], 0, sizeof(counters[2]));
	unread_data_in(2);
	aborts_on_close(2, 1);
	tells("counters agree: 1 of 1 RST, 1 of 1 abort\n");
	aborts_on_close(2, 1);
	tells(HEAD_2 COLUMNS "  TCPAbortOnClose            2          1          +1\n"
			     "    +1 unexplained, in network namespaces that are new\n"
			     "  OutRsts                    2          1          +1\n"
			     "    +1 unexplained, in network namespaces that are new\n");
}

static void a_namespace_that_is_gone(void **state)
{
	char wanted[256];

	add_process("20", 1);
	begin(0);
	unread_data_in(0);
	aborts_on_close(0, 1);
	unread_data_in(1);
	remove_process("20");
	snprintf(wanted, sizeof(wanted),
		 "counters agree: 1 of 1 RST, 1 of 1 abort\n"
		 "  netns %u is gone, its counters with it: 1 record left out\n",
		 netns_of(1));
	tells(wanted);
}

static void a_namespace_whose_process_is_another(void **state)
{
	add_process("20", 1);
	begin(0);
	unread_data_in(1);
	aborts_on_close(1, 1);
	remove_process("20");
	add_process("21", 1);
	tells("counters agree: 1 of 1 RST, 1 of 1 abort\n");
}

static void a_namespace_that_took_the_number_of_another(void **state)
{
	char wanted[256];

	add_process("20", 1);
	begin(0);
	memset(counters[1], 0, sizeof(counters[1]));
	count(1, OUT_RSTS, 5000);
	snprintf(wanted, sizeof(wanted),
		 "counters agree: 0 of 0 RSTs, 0 of 0 aborts\n"
		 "  netns %u is gone, its counters with it: 0 records left out\n",
		 netns_of(1));
	tells(wanted);
}

static void a_namespace_that_came_and_went(void **state)
{
	begin(0);
	unread_data_in(3);
	tells(HEAD_1 COLUMNS "  TCPAbortOnClose            0          1          -1\n"
			     "    -1 in network namespaces in which no process was left\n"
			     "  OutRsts                    0          1          -1\n"
			     "    -1 in network namespaces in which no process was left\n");
}

/* `ip netns add` was long ago, and whatever it counted then is none of ours. */
static void a_namespace_without_a_process_at_first(void **state)
{
	FILE *file;

	add_process("self", 0);
	file = fopen(path_of("self/mountinfo"), "w");
	fprintf(file,
		"22 1 0:20 / /proc rw - proc proc rw\n"
		"80 22 0:4 net:[%u] /run/netns/here rw - nsfs nsfs rw\n"
		"81 22 0:4 net:[%u] /run/netns/idle rw - nsfs nsfs rw\n",
		netns_of(0), netns_of(2));
	fclose(file);
	begin(0);
	add_process("40", 2);
	unread_data_in(2);
	aborts_on_close(2, 1);
	for (int i = TCP_ABORT_ON_DATA; i <= EMBRYONIC_RSTS; i++)
		counters[2][i] = 0;
	tells(HEAD_2 COLUMNS
	      "  TCPAbortOnClose         2001          1       +2000\n"
	      "    +2000 may be from before, in a namespace that had no process then\n"
	      "  OutRsts                 2007          1       +2006\n"
	      "    +2006 may be from before, in a namespace that had no process then\n");
}

static void only_one_namespace(void **state)
{
	add_process("20", 1);
	begin(netns_of(1));
	unread_data_in(0);
	aborts_on_close(0, 7);
	unread_data_in(1);
	aborts_on_close(1, 1);
	add_process("40", 2);
	tells("counters agree: 1 of 1 RST, 1 of 1 abort\n");
}

static void a_namespace_that_cannot_be_found(void **state)
{
	begin(netns_of(1));
	unread_data_in(1);
	tells("counters: none could be read\n");
}

static void counters_that_cannot_be_read(void **state)
{
	char wanted[128];

	begin(0);
	assert_int_equal(truncate(path_of("netstat.0"), 0), 0);
	reconcile_look(reconcile);
	snprintf(wanted, sizeof(wanted),
		 "counters: none could be read\n"
		 "  netns %u is gone, its counters with it: 0 records left out\n",
		 netns_of(0));
	tells_of(NULL, 0, wanted);
}

static void no_proc(void **state)
{
	assert_null(reconcile_open("/nonexistent", 0));
	assert_int_equal(errno, ENOENT);
	reconcile_close(NULL);
}

/* ---- not complete ------------------------------------------------------------------------ */

static void with_filters(void **state)
{
	begin(0);
	look();
	tells_of("filters are on", 0, "counters: the records cannot be complete: filters are on\n");
	unread_data_in(0);
	aborts_on_close(0, 3);
	look();
	tells_of("filters are on", 5,
		 "counters: the records cannot be complete: filters are on\n" HEAD_1
		 "  counter               kernel   recorded\n"
		 "  TCPAbortOnClose            3          1\n"
		 "  OutRsts                    3          1\n");
}

/* All columns at their widest. */
static void large_numbers(void **state)
{
	char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);

	begin(0);
	count(0, TCP_ABORT_ON_TIMEOUT, 9999999999);
	count(0, TCP_ABORT_ON_DATA, 9999999999);
	count(0, OUT_RSTS, 9999999999);
	count(0, TCP_ABORT_FAILED, 99999999);
	count(0, EMBRYONIC_RSTS, 9999999999);
	count(0, ATTEMPT_FAILS, 9999999);
	look();
	reconcile_tell(reconcile, to, NULL, 99999999);
	fclose(to);
	is_narrow(text);
	free(text);
}

#define WITH_PROC(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(closes),
		cmocka_unit_test(what_comes_after_a_close),
		cmocka_unit_test(closes_that_are_unknown),
		cmocka_unit_test(resets),
		cmocka_unit_test(resets_that_came),
		cmocka_unit_test(ends),
		cmocka_unit_test(what_is_no_event),
		cmocka_unit_test(pairs_of_lines),
		cmocka_unit_test(counters_of_another_group),
		cmocka_unit_test(lines_that_are_no_pair),
		cmocka_unit_test(numbers_that_are_missing),
		cmocka_unit_test(a_long_line),
		cmocka_unit_test(this_kernel),
		WITH_PROC(nothing_happened),
		WITH_PROC(all_was_recorded),
		WITH_PROC(one_of_each),
		WITH_PROC(each_namespace_is_read_once),
		WITH_PROC(what_was_not_recorded),
		WITH_PROC(what_was_not_counted),
		WITH_PROC(differences_do_not_make_up_for_each_other),
		WITH_PROC(many_namespaces_with_differences),
		WITH_PROC(records_from_before_the_beginning),
		WITH_PROC(records_from_after_the_look),
		WITH_PROC(records_that_come_late),
		WITH_PROC(a_close_that_was_there_before),
		WITH_PROC(a_record_at_the_very_moment),
		WITH_PROC(time_outs_of_open_sockets),
		WITH_PROC(time_outs_that_were_not_counted),
		WITH_PROC(no_memory_for_an_rst),
		WITH_PROC(the_peer_resets_what_is_half_open),
		WITH_PROC(unknown_and_lost_records),
		WITH_PROC(lost_records_of_two_namespaces),
		WITH_PROC(resets_of_mptcp),
		WITH_PROC(a_namespace_that_is_new),
		WITH_PROC(a_namespace_that_is_gone),
		WITH_PROC(a_namespace_whose_process_is_another),
		WITH_PROC(a_namespace_that_took_the_number_of_another),
		WITH_PROC(a_namespace_that_came_and_went),
		WITH_PROC(a_namespace_without_a_process_at_first),
		WITH_PROC(only_one_namespace),
		WITH_PROC(a_namespace_that_cannot_be_found),
		WITH_PROC(counters_that_cannot_be_read),
		cmocka_unit_test(no_proc),
		WITH_PROC(with_filters),
		WITH_PROC(large_numbers),
	};
	int failed;

	assert_non_null(mkdtemp(root));
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	rmdir(root);
	return failed;
}
