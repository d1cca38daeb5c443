/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The user's stack, walked here by the rows of the files' unwind tables that the reader has met:
 * what lies on the stack is looked at and not copied.  Where there is no row yet, and where one
 * could not say it, the stack is copied and the reader walks it.
 */
#ifndef CLOSETRACE_UNWIND_BPF_H
#define CLOSETRACE_UNWIND_BPF_H

#include "bpf/filter.bpf.h"

/* Written by the reader, which shares its memory. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, UNWIND_ENTRIES);
	__type(key, __u32);
	__type(value, struct unwind_entry);
} rows SEC(".maps");

/* Its name is read again afterwards: the reader may have put another one there. */
static __always_inline union unwind_row row_of(__u64 address, __u64 name)
{
	__u32 place = unwind_place(address, name);
	const volatile struct unwind_entry *entry = bpf_map_lookup_elem(&rows, &place);
	union unwind_row row = {};

	if (!entry || entry->address != address || entry->name != name)
		return row;
	row.word = entry->row;
	if (entry->address != address || entry->name != name)
		row.word = 0;
	return row;
}

/* One frame, as its function would find it when it returned to its caller. */
struct user_frame {
	__u64 address;
	__u64 sp;
	__u64 fp;
	__u64 fp_at;	/* where it is saved; 0: fp has it */
};

static __always_inline bool read_user(__u64 *word, __u64 address)
{
	return !bpf_probe_read_user(word, sizeof(*word), (const void *)address);
}

/* Most functions save it, few find their frame by it: it is read where one does. */
static __always_inline bool find_fp(struct user_frame *frame)
{
	__u64 at = frame->fp_at;

	frame->fp_at = 0;
	return !at || read_user(&frame->fp, at);
}

/* false: it cannot be read, or leads nowhere. */
static __always_inline bool go_to_caller(struct user_frame *frame, union unwind_row row)
{
	__u64 cfa;

	if (row.from == UNWIND_FROM_FP && !find_fp(frame))
		return false;
	cfa = (row.from == UNWIND_FROM_SP ? frame->sp : frame->fp) + row.cfa;
	if (cfa <= frame->sp)
		return false;
	if (row.fp)
		frame->fp_at = cfa + row.fp;
	frame->sp = cfa;
	return read_user(&frame->address, cfa - sizeof(cfa));
}

/* Whether these are all that there are, or more than a copy would show. */
static __always_inline bool walk_from(struct user_frame *frame, __u64 *frames, __u64 *rowless, __u64 name)
{
	__u64 reach = frame->sp + USER_CHUNKS * USER_CHUNK;
	union unwind_row row;

	for (int i = 0; i < USER_FRAMES && frame->address; i++) {
		frames[i] = frame->address;
		row = row_of(frame->address, name);
		if (row.from == UNWIND_END)
			return true;
		if (row.from == UNWIND_UNKNOWN)
			*rowless = frame->address;
		if (row.from == UNWIND_UNKNOWN || !go_to_caller(frame, row))
			return frame->sp > reach;
	}
	return true;
}

static __always_inline bool walk_user(const struct pt_regs *regs, __u64 *frames, __u64 *rowless, __u64 name)
{
	struct user_frame frame = {};

	if (!user_frame_of(regs, &frame.address, &frame.sp, &frame.fp))
		return false;
	return walk_from(&frame, frames, rowless, name);
}

#endif
