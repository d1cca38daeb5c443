/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which files lie where in a process's memory.  What was read while it lived is kept for records
 * that are read later; of one that was never seen alive, only what a record itself tells and files
 * of others tell.
 */
#ifndef CLOSETRACE_MAPS_H
#define CLOSETRACE_MAPS_H

#include <stdbool.h>
#include <stdint.h>

#include "bpf/event.h"
#include "user/areas.h"

struct maps;

/* The address space that a stack is of, as it is in this batch of records; NULL: nothing is known of
 * it.  told: what only the copy of a stack tells; NULL for one that was walked. */
struct maps *maps_of(const struct stack_owner *owner, const struct user_stack *told);

/* Whether rows that were good at that time may have been another file's. */
bool maps_were_others(const struct maps *maps, uint64_t time_ns);

/* What lies there, opened if it can be; NULL: nothing. */
struct area *maps_find(struct maps *maps, uint64_t address);

Dwfl *maps_dwfl(struct maps *maps);

/* Reads them anew if they have not been read for this batch of records, as whoever loads a library
 * calls it at once.  false: they had been. */
bool maps_refresh(struct maps *maps);

/* Another batch of records: processes change. */
void maps_renew(void);

/* Before privileges are given up; and after all. */
void maps_begin(void);
void maps_end(void);

#endif
