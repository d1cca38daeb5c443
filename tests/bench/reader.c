// SPDX-License-Identifier: GPL-2.0-only
/*
 * reader [RECORDS]: how fast the output code writes records, alone.  Prints for each form and
 * destination the records in a second, and how often memory was allocated meanwhile.
 */
#include <err.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "user/fields.h"
#include "user/sink.h"

#define IPV4(a, b, c, d) { [10] = 0xff, 0xff, a, b, c, d }
#define IPV6(last)	 { 0x20, 0x01, 0x0d, 0xb8, 0, 0x12, 0x34, [15] = last }
#define ROUNDS		 5

/* A mix as a busy host has it; none of them is short. */
static struct close_event events[] = {
	{ .facts = RAN_FIN | WAS_CONNECTED, .state = TCP_ESTABLISHED, .new_state = TCP_FIN_WAIT1,
	  .laddr = IPV4(10, 20, 30, 40), .raddr = IPV4(192, 168, 100, 200) },
	{ .facts = RAN_RESET | WAS_CONNECTED, .state = TCP_ESTABLISHED, .new_state = TCP_CLOSE,
	  .laddr = IPV4(10, 20, 30, 40), .raddr = IPV4(192, 168, 100, 201),
	  .unread_bytes = 1448 },
	{ .facts = RAN_DISCONNECT | RAN_RESET | WAS_CONNECTED | WAS_LINGER | WAS_ZERO_LINGER,
	  .state = TCP_CLOSE_WAIT, .new_state = TCP_CLOSE, .laddr = IPV6(1), .raddr = IPV6(99) },
	{ .facts = RAN_FIN | RAN_WAIT | WAIT_ACKED | WAS_CONNECTED | WAS_LINGER | WAS_NONBLOCK,
	  .state = TCP_ESTABLISHED, .new_state = TCP_FIN_WAIT2, .linger_s = 5,
	  .unsent_bytes = 65536, .laddr = IPV4(127, 0, 0, 1), .raddr = IPV4(127, 0, 0, 1) },
};
#define EVENTS (sizeof(events) / sizeof(*events))

/* ---- who allocates ------------------------------------------------------------- */

static uint64_t allocations;

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);

void *malloc(size_t size)
{
	allocations++;
	return __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
	allocations++;
	return __libc_calloc(count, size);
}

void *realloc(void *old, size_t size)
{
	allocations++;
	return __libc_realloc(old, size);
}

/* ---- one run --------------------------------------------------------------------- */

static double cpu_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return now.tv_sec + now.tv_nsec / 1e9;
}

static void complete_events(void)
{
	for (size_t i = 0; i < EVENTS; i++) {
		events[i].kind = EVENT_CLOSE;
		events[i].pid = events[i].tid = 123456 + i;
		events[i].uid = 1000;
		events[i].netns = 4026531840;
		events[i].cgroup = 12345;
		events[i].blocked_ns = 23456 + i * 1000000;
		events[i].lport = 40000 + i;
		events[i].rport = 443;
		strcpy(events[i].comm, "nginx: worker p");
	}
}

/* One batch: what the ring holds between two looks. */
static void batch(const struct sink *sink, struct out *out, uint64_t from, uint64_t count)
{
	fields_set_clock();
	for (uint64_t i = from; i < from + count; i++) {
		struct close_event *event = &events[i % EVENTS];
		struct record closed = { .event = event };

		event->time_ns = i * 1000;
		event->id = i << 10;
		closed.verdict = judge(event);
		sink->record(out, &closed);
	}
	out_flush(out);
}

static double rate(const struct sink *sink, struct out *out, uint64_t records)
{
	double begin = cpu_s();

	for (uint64_t i = 0; i < records; i += 1000)
		batch(sink, out, i, 1000);
	return records / (cpu_s() - begin);
}

static int by_size(const void *a, const void *b)
{
	double left = *(const double *)a, right = *(const double *)b;

	return (left > right) - (left < right);
}

/* Processor time, not the clock's: the machine may have other things to do. */
static void measure(const char *form, const struct sink *sink, const char *to, int fd,
		    uint64_t records)
{
	struct out *out = out_on(fd);
	double rates[ROUNDS];
	uint64_t before;

	if (!out || fd < 0)
		err(1, "cannot write to %s", to);
	sink->begin(NULL, 0, 0);
	rate(sink, out, 10000);
	before = allocations;
	for (int i = 0; i < ROUNDS; i++) {
		if (lseek(fd, 0, SEEK_SET))
			err(1, "cannot rewind %s", to);
		rates[i] = rate(sink, out, records);
	}
	if (out_error(out))
		errx(1, "cannot write to %s: %s", to, strerror(out_error(out)));
	qsort(rates, ROUNDS, sizeof(*rates), by_size);
	printf("{\"form\":\"%s\",\"to\":\"%s\",\"records_per_second\":%.0f,\"lowest\":%.0f,"
	       "\"highest\":%.0f,\"allocations\":%llu}\n", form, to, rates[ROUNDS / 2], rates[0],
	       rates[ROUNDS - 1], (unsigned long long)(allocations - before));
	fflush(stdout);
	out_close(out);
	close(fd);
}

int main(int argc, char **argv)
{
	uint64_t records = argc > 1 ? strtoull(argv[1], NULL, 10) : 300000;

	complete_events();
	measure("json", &json_sink, "/dev/null", open("/dev/null", O_WRONLY), records);
	measure("json", &json_sink, "memory", memfd_create("json", 0), records);
	measure("text", &text_sink, "/dev/null", open("/dev/null", O_WRONLY), records);
	measure("text", &text_sink, "memory", memfd_create("text", 0), records);
	return 0;
}
