/* SPDX-License-Identifier: GPL-2.0-only */
/* Whose code it was: the stacks of a record, with the names of what is on them. */
#ifndef CLOSETRACE_STACK_H
#define CLOSETRACE_STACK_H

#include <stdbool.h>
#include <stddef.h>

#include "bpf/event.h"

/* What is not known is NULL, and 0 without what it belongs to.  The texts last to the end. */
struct frame {
	__u64 addr;
	const char *sym;
	__u64 off;		/* from sym on */
	const char *module;
	const char *file;
	int line;
};

struct stack {
	struct frame *frames;	/* all of them, innermost first: the user's from here on */
	size_t user_count;	/* 0: there is none */
	struct frame *kernel;	/* and these */
	size_t kernel_count;
	__u32 pid;		/* whose the user's is */
};

/* Of a record of this size; empty where it has none.  To be cleared. */
struct stack stack_of(const struct close_event *event, size_t size);
void stack_clear(struct stack *stack);

/* Not of the C library, nor what only leads to the system call. */
bool frame_tells(const struct frame *frame);

/* Where that is in words, the innermost first: "drop (drop.c:19) < serve (server.c:203)".  false:
 * nothing on the stack has a name. */
#define SITE_TEXT 104
bool stack_site(const struct stack *stack, char *text, size_t size);

/* Before privileges are given up; before each batch of records; and after all.  Without the user's
 * stacks there may be one of the kernel's all the same, where nobody can explain a close.  rows: see
 * rows_begin(). */
void stack_begin(bool user, struct unwind_entry *rows);
void stack_renew(void);
void stack_end(void);

#endif
