// SPDX-License-Identifier: GPL-2.0-only
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "user/call.h"
#include "user/kallsyms.h"
#include "user/maps.h"
#include "user/rows.h"
#include "user/stack.h"
#include "user/unwind.h"

#define PLACES	    128	/* of their addresses, in the source */
#define ID_VALID    1	/* BPF_STACK_BUILD_ID_VALID */

#define SITE_PLACES 3
#define BEFORE	    " < "

#define COUNT(table) (sizeof(table) / sizeof(*(table)))

static bool has_prefix(const char *text, const char *prefix)
{
	return !strncmp(text, prefix, strlen(prefix));
}

/* ---- the user's ------------------------------------------------------------------ */

static void add_frame(struct stack *stack, const struct frame *frame)
{
	if (stack->user_count < PLACES)
		stack->frames[stack->user_count++] = *frame;
}

/* One for each function whose code it is: the compiler may have put some into others. */
static void add_address(struct stack *stack, struct maps *maps, uint64_t address, bool returns)
{
	struct area *area = maps ? maps_find(maps, address - returns) : NULL;
	struct frame frame = { .addr = address };
	const struct symbol *symbol = NULL;

	if (area)
		frame.module = area->path;
	if (area && area->binary)
		symbol = binary_symbol(area->binary, address - area->begin, returns);
	if (!symbol) {
		add_frame(stack, &frame);
		return;
	}
	do {
		frame.sym = symbol->name;
		frame.off = symbol->offset;
		frame.file = symbol->file;
		frame.line = symbol->line;
		add_frame(stack, &frame);
	} while (symbol++->inlined);
}

/* The kernel has read in which file the innermost address is: if that is not what the maps say,
 * they are not of that time. */
static bool is_believable(struct maps *maps, const struct user_stack *user)
{
	struct area *area = maps_find(maps, unwind_pc(user));

	return user->id_status != ID_VALID ||
	       (area && area->binary && binary_has_id(area->binary, user->build_id));
}

static void add_addresses(struct stack *stack, struct maps *maps, const uint64_t *addresses, size_t count)
{
	for (size_t i = 0; i < count; i++)
		add_address(stack, maps, addresses[i], i > 0);
}

static void add_copied(struct stack *stack, const struct user_stack *user)
{
	struct maps *maps = maps_of(&user->owner, user);
	uint64_t addresses[USER_FRAMES];
	size_t count;

	if (maps && !is_believable(maps, user) && !(maps_refresh(maps) && is_believable(maps, user)))
		maps = NULL;
	stack->pid = user->owner.space.pid;
	count = unwind(user, maps, addresses, USER_FRAMES);
	/* It has come to where there was nothing when they were read. */
	if (maps && count && !maps_find(maps, addresses[count - 1] - 1) && maps_refresh(maps))
		count = unwind(user, maps, addresses, USER_FRAMES);
	if (maps)
		rows_hand_over(maps_dwfl(maps), &user->owner, addresses, count);
	add_addresses(stack, maps, addresses, count);
}

static size_t count_frames(const __u64 *frames)
{
	size_t count = 0;

	while (count < USER_FRAMES && frames[count])
		count++;
	return count;
}

/* By rows of files that may have been others, nothing but the innermost is certain. */
static void add_walked(struct stack *stack, const struct walked_event *walked)
{
	struct maps *maps = maps_of(&walked->owner, NULL);
	size_t count = count_frames(walked->frames);
	uint64_t addresses[USER_FRAMES];

	if (count && (!maps || maps_were_others(maps, walked->kernel.event.time_ns)))
		count = 1;
	memcpy(addresses, walked->frames, sizeof(addresses));
	stack->pid = walked->owner.space.pid;
	if (maps && walked->owner.rowless)
		rows_hand_over(maps_dwfl(maps), &walked->owner, addresses, count);
	add_addresses(stack, maps, addresses, count);
}

/* ---- the kernel's ------------------------------------------------------------------- */

/* How the programs themselves came to run. */
static bool is_tracing(const struct kernel_symbol *symbol)
{
	static const char *const begins[] = {
		"bpf_", "__bpf_", "____bpf_", "__traceiter_", "trace_call_bpf", "kprobe_", "kretprobe_",
		"__kretprobe_", "arch_rethook_", "rethook_", "ftrace_", "opt_pre_handler", "optimized_callback",
		"aggr_pre_handler", "trampoline_handler", "perf_trace_", "__kprobe_", "do_int3", "exc_int3",
		"asm_exc_int3", "int3", "fprobe_", "__fprobe_", "call_int3",
	};

	if (!strcmp(symbol->module, "bpf") || strstr(symbol->module, "ftrace_trampoline"))
		return true;
	for (size_t i = 0; i < COUNT(begins); i++)
		if (has_prefix(symbol->name, begins[i]))
			return true;
	return false;
}

/* A kretprobe puts itself where the way back was. */
static bool is_probe(__u64 address)
{
	const struct kernel_symbol *symbol = kallsyms_find(address, false);

	return symbol && symbol->begin == address && is_tracing(symbol);
}

static void add_kernel(struct stack *stack, const __u64 *addresses)
{
	for (size_t i = 0; i < KERNEL_FRAMES && addresses[i]; i++) {
		const struct kernel_symbol *symbol = kallsyms_find(addresses[i], i > 0);
		struct frame *frame = &stack->kernel[stack->kernel_count];

		if (is_probe(addresses[i]) || (!stack->kernel_count && symbol && is_tracing(symbol)))
			continue;
		*frame = (struct frame){ .addr = addresses[i] };
		if (symbol) {
			frame->sym = symbol->name;
			frame->off = addresses[i] - symbol->begin;
			frame->module = symbol->module;
		}
		stack->kernel_count++;
	}
}

/* ---- both ---------------------------------------------------------------------------- */

struct stack stack_of(const struct close_event *event, size_t size)
{
	const struct user_stack_event *copied = (const void *)event;
	const struct walked_event *walked = (const void *)event;
	struct stack stack = {};

	if (size < sizeof(struct stack_event))
		return stack;
	stack.frames = calloc(PLACES + KERNEL_FRAMES, sizeof(*stack.frames));
	if (!stack.frames)
		return stack;
	/* After exec() the program that called is no more, and what is there now did not call. */
	if (!call_is_exec(event->call) && size >= sizeof(*copied))
		add_copied(&stack, &copied->user);
	else if (!call_is_exec(event->call) && size >= sizeof(*walked))
		add_walked(&stack, walked);
	stack.kernel = stack.frames + stack.user_count;
	add_kernel(&stack, walked->kernel.kernel);
	return stack;
}

void stack_clear(struct stack *stack)
{
	free(stack->frames);
	*stack = (struct stack){};
}

/* What Go puts between a system call and who asked for it is in every program, as packages. */
static bool is_of_go(const char *function)
{
	static const char *const packages[] = {
		"runtime.", "runtime/", "internal/runtime/", "syscall.", "internal/poll.", "net.",
	};

	for (size_t i = 0; i < COUNT(packages); i++)
		if (has_prefix(function, packages[i]))
			return true;
	return false;
}

/* A C library, by the name of its file; in a program that has it inside, by the names of what
 * makes the system call. */
bool frame_tells(const struct frame *frame)
{
	static const char *const files[] = {
		"/libc.so", "/libc-2", "/libpthread", "/ld-linux", "/ld-musl", "/libc.musl",
	};
	static const char *const calls[] = {
		"close", "__close", "__libc_close", "__GI___close", "__close_nocancel", "syscall",
		"__syscall_cancel", "__syscall_cancel_arch", "__syscall_cancel_arch_end",
		"__internal_syscall_cancel", "setsockopt", "__setsockopt",
	};

	for (size_t i = 0; frame->module && i < COUNT(files); i++)
		if (strstr(frame->module, files[i]))
			return false;
	for (size_t i = 0; frame->sym && i < COUNT(calls); i++)
		if (!strcmp(frame->sym, calls[i]))
			return false;
	return !frame->sym || !is_of_go(frame->sym);
}

/* "drop (drop.c:19)"; where there is no debug information, the function alone. */
static int put_place(char *text, size_t size, const struct frame *frame)
{
	const char *slash = frame->file ? strrchr(frame->file, '/') : NULL;

	if (!frame->file)
		return snprintf(text, size, "%s", frame->sym);
	return snprintf(text, size, "%s (%s:%d)", frame->sym, slash ? slash + 1 : frame->file,
			frame->line);
}

/* One that has no more room is left out whole, unless it is the first. */
bool stack_site(const struct stack *stack, char *text, size_t size)
{
	size_t used = 0, places = 0;

	for (size_t i = 0; i < stack->user_count && places < SITE_PLACES; i++) {
		const struct frame *frame = &stack->frames[i];
		char place[SITE_TEXT];
		size_t length;

		if (!frame->sym || !frame_tells(frame))
			continue;
		length = put_place(place, sizeof(place), frame);
		if (places && used + strlen(BEFORE) + length >= size)
			break;
		used += snprintf(text + used, size - used, "%s%s", places++ ? BEFORE : "", place);
	}
	return places;
}

void stack_begin(bool user, struct unwind_entry *rows)
{
	kallsyms_open();
	rows_begin(rows);
	if (!user)
		return;
	/* It is long, and records would wait. */
	kallsyms_find(0, false);
	unwind_begin();
	maps_begin();
}

void stack_renew(void)
{
	maps_renew();
}

void stack_end(void)
{
	maps_end();
	unwind_end();
	kallsyms_close();
}
