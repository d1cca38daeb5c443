// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "user/out.h"
#include "user/utf8.h"

/* A record is shorter than this, with two stacks of 64 frames whose names are of the longest, and
 * each byte escaped; one that starts with less room left waits for a flush. */
#define LONGEST (3 << 20)
#define ROOM	(224 * 1024 + LONGEST)
#define MAX_RECORDS 4096
#define HURRY_MS 2000

struct out {
	int fd;
	bool ours;
	bool is_file;		/* which takes all there is, or fails */
	int interrupt;		/* -1: nothing interrupts */
	int64_t end_ms;		/* CLOCK_MONOTONIC, of the reader's time; 0: it has all of it */
	int error;
	uint64_t lost;
	size_t used;
	size_t ends[MAX_RECORDS];	/* where the records end in bytes */
	int records;
	char bytes[ROOM];
};

static bool is_file(int fd)
{
	struct stat stat;

	return !fstat(fd, &stat) && S_ISREG(stat.st_mode);
}

struct out *out_on(int fd)
{
	struct out *out = calloc(1, sizeof(*out));

	if (!out)
		return NULL;
	out->fd = fd;
	out->interrupt = -1;
	out->is_file = is_file(fd);
	return out;
}

struct out *out_open(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	struct out *out = fd < 0 ? NULL : out_on(fd);

	if (out)
		out->ours = true;
	return out;
}

void out_close(struct out *out)
{
	if (!out)
		return;
	if (out->ours)
		close(out->fd);
	free(out);
}

static void add(struct out *out, const char *bytes, size_t size)
{
	memcpy(out->bytes + out->used, bytes, size);
	out->used += size;
}

/* Only a summary takes so much: it leaves in parts.  Apart from what follows, which is called for each
 * value and has no use for as many registers. */
static __attribute__((noinline)) void add_in_parts(struct out *out, const char *bytes, size_t size)
{
	size_t part;

	for (; size; bytes += part, size -= part) {
		if (out->used == ROOM)
			out_flush(out);
		part = size < ROOM - out->used ? size : ROOM - out->used;
		add(out, bytes, part);
	}
}

void out_bytes(struct out *out, const char *bytes, size_t size)
{
	if (size <= ROOM - out->used)
		add(out, bytes, size);
	else
		add_in_parts(out, bytes, size);
}

void out_text(struct out *out, const char *text)
{
	out_bytes(out, text, strlen(text));
}

void out_char(struct out *out, char c)
{
	if (out->used == ROOM)
		out_flush(out);
	out->bytes[out->used++] = c;
}

/* printf() took half of the time that a record takes. */
void out_zeros(struct out *out, uint64_t number, int digits)
{
	char text[20], *first = text + sizeof(text);

	do {
		*--first = '0' + number % 10;
		number /= 10;
	} while (number || text + sizeof(text) - first < digits);
	out_bytes(out, first, text + sizeof(text) - first);
}

void out_number(struct out *out, uint64_t number)
{
	out_zeros(out, number, 1);
}

void out_hex(struct out *out, uint64_t number)
{
	char text[17];

	out_bytes(out, text, snprintf(text, sizeof(text), "%llx", (unsigned long long)number));
}

void out_spaces(struct out *out, int count)
{
	static const char spaces[] = "                ";
	const int most = sizeof(spaces) - 1;

	for (; count > 0; count -= most)
		out_bytes(out, spaces, count < most ? count : most);
}

void out_foreign(struct out *out, const char *text, int (*put)(struct out *out, const char *text))
{
	for (;;) {
		size_t plain = utf8_plain(text);

		out_bytes(out, text, plain);
		text += plain;
		if (!*text)
			return;
		text += put(out, text);
	}
}

void out_trim(struct out *out)
{
	size_t begin = out->records ? out->ends[out->records - 1] : 0;

	while (out->used > begin && out->bytes[out->used - 1] == ' ')
		out->used--;
}

void out_end(struct out *out)
{
	out_char(out, '\n');
	out->ends[out->records++] = out->used;
	if (out->records == MAX_RECORDS || ROOM - out->used < LONGEST)
		out_flush(out);
}

static void fail(struct out *out, size_t done, int error)
{
	if (!out->error)
		out->error = error;
	for (int i = 0; i < out->records; i++)
		out->lost += out->ends[i] > done;
}

/* Where there is nothing to write no write() would tell. */
static bool is_closed(int fd)
{
	struct pollfd reader = { .fd = fd };

	return poll(&reader, 1, 0) == 1 && reader.revents & (POLLERR | POLLHUP);
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

void out_interrupt_by(struct out *out, int fd)
{
	out->interrupt = fd;
}

void out_hurry(struct out *out)
{
	if (!out->end_ms)
		out->end_ms = now_ms() + HURRY_MS;
}

static int left_ms(const struct out *out)
{
	int64_t left = out->end_ms - now_ms();

	return !out->end_ms ? -1 : left > 0 ? left : 0;
}

/* Until the reader takes something.  false: its time is up. */
static bool is_taken(struct out *out)
{
	struct pollfd ends[] = {
		{ .fd = out->fd, .events = POLLOUT },
		{ .fd = out->interrupt, .events = POLLIN },
	};
	int ready = poll(ends, 2, left_ms(out));

	if (ends[0].revents || (ready < 0 && errno == EINTR))
		return true;
	if (ready != 1 || out->end_ms)
		return false;
	/* It stays ready to read: from here on the clock counts. */
	out_hurry(out);
	out->interrupt = -1;
	return is_taken(out);
}

/* A pipe that is ready for something takes a page without blocking. */
static ssize_t write_some(struct out *out, const char *bytes, size_t size)
{
	if (out->is_file || (out->interrupt < 0 && !out->end_ms))
		return write(out->fd, bytes, size);
	if (!is_taken(out)) {
		errno = ETIMEDOUT;
		return -1;
	}
	return write(out->fd, bytes, size < PIPE_BUF ? size : PIPE_BUF);
}

int out_flush(struct out *out)
{
	size_t done = 0;
	ssize_t wrote;

	if (!out->used && !out->error && is_closed(out->fd))
		out->error = EPIPE;
	while (!out->error && done < out->used) {
		wrote = write_some(out, out->bytes + done, out->used - done);
		if (wrote >= 0)
			done += wrote;
		else if (errno == EAGAIN)
			poll(&(struct pollfd){ .fd = out->fd, .events = POLLOUT }, 1, -1);
		else if (errno != EINTR)
			break;
	}
	if (done < out->used)
		fail(out, done, errno);
	out->used = 0;
	out->records = 0;
	return out->error ? -1 : 0;
}

int out_error(const struct out *out)
{
	return out->error;
}

uint64_t out_lost(const struct out *out)
{
	return out->lost;
}

int out_width(const struct out *out)
{
	struct winsize size;

	if (ioctl(out->fd, TIOCGWINSZ, &size) < 0)
		return 0;
	return size.ws_col ? size.ws_col : 80;
}
