/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the live tests share: a network of their own, ./closetrace running in
 * it, its records, and TAP on stdout.
 */
#ifndef CLOSETRACE_LIVE_H
#define CLOSETRACE_LIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include <jansson.h>

/* ---- TAP ---- */
__attribute__((format(printf, 2, 3))) bool ok(bool good, const char *name, ...);
__attribute__((format(printf, 1, 2))) void note(const char *text, ...);
__attribute__((format(printf, 2, 3))) void skip(const char *why, const char *name, ...);
int finish(void);	/* prints the plan; the exit status */
__attribute__((noreturn, format(printf, 1, 2))) void bail_out(const char *why, ...);

/* ---- a network namespace that nobody else is in, with loopback up ---- */
void network_enter(void);

/* ---- ./closetrace ---- */
struct run {
	pid_t pid;
	int out;		/* its stdout */
	int err;
	bool is_json;		/* whatever it prints */
	char told[65536];	/* its stderr so far */
	size_t told_size;
	int status;		/* after run_end(): as a shell tells it */
	char *said;		/* after run_end(): its stdout */
	size_t said_size;
	json_t *records;	/* after run_end(): an array, of -j's lines but resets, ends and settings */
	json_t *all;		/* the same with them */
};

/* Starts it with these arguments, ended by NULL, after those that every test has: -j and
 * the namespace.  Returns when it says that it is tracing; bails out where it does not. */
void run_begin(struct run *run, const char *via, const char *const *more);

/* The same without -j, the namespace, and the wait; what is not JSON is no reason to wonder. */
void run_start(struct run *run, const char *const *argv);

/* Waits for a line on stderr that begins so.  false: it ended without. */
bool run_await(struct run *run, const char *line);

void run_stop(struct run *run);		/* SIGINT, then run_end() */
void run_end(struct run *run);		/* reads all that it has to say, and waits for it */
void run_free(struct run *run);

/* Whether a line on stderr begins so, as far as it has been read. */
bool run_told(const struct run *run, const char *line);

/* A descriptor has something to read within a minute, or bails out. */
void await_input(int fd, const char *what);

/* The records of a file that -o made, in place of those from stdout. */
void run_read_file(struct run *run, const char *path);

/* The cheapest close that there is: of a socket that never was connected. */
void close_unconnected(void);

/* The numbers of the line "closetrace: traced"; -1 each where there is none. */
struct totals {
	long closes, resets, lost, unknown;
	long left_out;	/* records, at most, that the kernel kept from us; not among the lost here */
};
struct totals run_totals(const struct run *run);

/* By tracepoint before v6.10 the RSTs that no full socket sends make no record. */
bool is_blind(const char *via);

/* ---- a record ---- */
const char *text_of(const json_t *record, const char *key);	/* "null" for null */
long long number_of(const json_t *record, const char *key);	/* -1 for null */
bool is_event(const json_t *record, const char *event);
bool is_close(const json_t *record);
bool is_reset(const json_t *record);

/* Or note what is there instead.  NULL stands for null. */
bool same_text(const json_t *record, const char *key, const char *want);
bool same_number(const json_t *record, const char *key, long long want);

int count_events(const json_t *records, const char *event);

#endif
