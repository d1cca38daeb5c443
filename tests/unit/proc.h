/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A /proc of our own, in which a network namespace is a pair of files that its processes link to,
 * and what is told of records beside the counters in it.
 */
#ifndef CLOSETRACE_TESTS_PROC_H
#define CLOSETRACE_TESTS_PROC_H

#include "tests/unit/counters.h"

#include <ftw.h>
#include <sys/stat.h>
#include <time.h>

#include "user/reconcile.h"

#define HEAD_1	"counters of 1 network namespace over # s:\n"
#define HEAD_2	"counters of 2 network namespaces over # s:\n"
#define COLUMNS	"  counter               kernel   recorded  difference\n"

#define SPACES 8

static char root[] = "/tmp/closetrace-proc.XXXXXX";
static uint64_t counters[SPACES][COUNTERS_COUNT];
static struct reconcile *reconcile;

__attribute__((format(printf, 1, 2)))
static inline const char *path_of(const char *format, ...)
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

static inline void put_counters(const char *path, const char *group, const int *which)
{
	FILE *file = fopen(path, "w");
	int space = strtol(strrchr(path, '.') + 1, NULL, 10);

	fprintf(file, "Other: OutRsts\nOther: 99\n%s:", group);
	for (int i = 0; which[i] >= 0; i++)
		fprintf(file, " %s", counter_names[which[i]]);
	fprintf(file, "\n%s:", group);
	for (int i = 0; which[i] >= 0; i++)
		fprintf(file, " %llu", (unsigned long long)counters[space][which[i]]);
	fputc('\n', file);
	assert_int_equal(fclose(file), 0);
}

/* The files as they are to be read now. */
static inline void put_spaces(void)
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

static inline void add_process(const char *process, int space)
{
	assert_int_equal(mkdir(path_of("%s", process), 0700), 0);
	assert_int_equal(mkdir(path_of("%s/net", process), 0700), 0);
	assert_int_equal(mkdir(path_of("%s/ns", process), 0700), 0);
	assert_int_equal(link(path_of("snmp.%d", space), path_of("%s/net/snmp", process)), 0);
	assert_int_equal(link(path_of("netstat.%d", space), path_of("%s/net/netstat", process)), 0);
	assert_int_equal(link(path_of("ns.%d", space), path_of("%s/ns/net", process)), 0);
}

static inline int remove_file(const char *path, const struct stat *stat, int flag, struct FTW *walk)
{
	return remove(path);
}

static inline void remove_process(const char *process)
{
	assert_int_equal(nftw(path_of("%s", process), remove_file, 8, FTW_DEPTH | FTW_PHYS), 0);
}

static inline uint32_t netns_of(int space)
{
	struct stat ns;

	assert_int_equal(stat(path_of("ns.%d", space), &ns), 0);
	return ns.st_ino;
}

static inline uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ULL + now.tv_nsec;
}

/* So much later that it is nowhere near what was before. */
static inline void pass(void)
{
	struct timespec pause = { .tv_nsec = 3000000 };

	nanosleep(&pause, NULL);
}

static inline void begin(uint32_t netns)
{
	put_spaces();
	reconcile = reconcile_open(root, netns);
	assert_non_null(reconcile);
	pass();
}

/* One that happens now, with what it does to the kernel's counters apart. */
static inline void happens_in(uint32_t netns, __u8 kind, struct verdict verdict)
{
	struct close_event event = { .kind = kind, .netns = netns, .time_ns = now_ns() };

	reconcile_count(reconcile, &(struct record){ .event = &event, .verdict = verdict });
}

static inline void unread_data_in(int space)
{
	happens_in(netns_of(space), EVENT_CLOSE,
		   (struct verdict){ .branch = BRANCH_UNREAD_DATA, .sent = SENT_RST });
}

static inline void count(int space, enum counter counter, uint64_t times)
{
	counters[space][counter] += times;
}

static inline void aborts_on_close(int space, uint64_t times)
{
	count(space, TCP_ABORT_ON_CLOSE, times);
	count(space, OUT_RSTS, times);
}

static inline void look(void)
{
	pass();
	put_spaces();
	reconcile_look(reconcile);
}

static inline void is_narrow(const char *text)
{
	for (; *text; text += strcspn(text, "\n") + 1)
		assert_true(strcspn(text, "\n") <= 80);
}

/* # in it stands for the seconds, as they are nobody's to know. */
static inline void tells_of(const char *incomplete, uint64_t lost, const char *wanted)
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

static inline void tells(const char *wanted)
{
	look();
	tells_of(NULL, 0, wanted);
}

static inline int set_up(void **state)
{
	memset(counters, 0, sizeof(counters));
	for (int i = 0; i < SPACES; i++)
		for (int j = 0; j < COUNTERS_COUNT; j++)
			counters[i][j] = 1000 * i + j;
	put_spaces();
	add_process("1", 0);
	return 0;
}

static inline int tear_down(void **state)
{
	reconcile_close(reconcile);
	reconcile = NULL;
	nftw(root, remove_file, 8, FTW_DEPTH | FTW_PHYS);
	return mkdir(root, 0700);
}

#define WITH_PROC(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

/* Of the group of tests. */
static inline int make_root(void **state)
{
	return !mkdtemp(root);
}

static inline int remove_root(void **state)
{
	return rmdir(root);
}

#endif
