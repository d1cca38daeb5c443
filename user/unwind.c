// SPDX-License-Identifier: GPL-2.0-only
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "user/unwind.h"

/* Where the kernel keeps them in struct pt_regs, by their numbers in DWARF.  A function may change
 * the others without saying how to find them again. */
struct reg {
	unsigned int dwarf;
	unsigned int kernel;
};

#if defined(__x86_64__)
#define PC 16	/* rip */
#define SP 19	/* rsp */
static const struct reg regs[] = {
	{ 0, 10 }, { 1, 12 }, { 2, 11 }, { 3, 5 }, { 4, 13 }, { 5, 14 }, { 6, 4 }, { 7, SP },
	{ 8, 9 }, { 9, 8 }, { 10, 7 }, { 11, 6 }, { 12, 3 }, { 13, 2 }, { 14, 1 }, { 15, 0 },
	{ 16, PC },
};
#elif defined(__aarch64__)
#define PC 32
#define SP 31
static const struct reg regs[] = {
	{ 19, 19 }, { 20, 20 }, { 21, 21 }, { 22, 22 }, { 23, 23 }, { 24, 24 }, { 25, 25 },
	{ 26, 26 }, { 27, 27 }, { 28, 28 }, { 29, 29 }, { 30, 30 }, { 31, SP },
};
#else
#error closetrace runs on x86-64 and arm64
#endif

static struct walk {
	const struct user_stack *user;
	uint64_t *addresses;
	size_t count;
	size_t room;
} walk;
static Elf *own;	/* tells the library for which processor */
static int own_fd = -1;

uint64_t unwind_pc(const struct user_stack *user)
{
	return user->regs[PC];
}

/* The one of the record is the only one; the library asks for this, and does not call it. */
static pid_t next_thread(Dwfl *dwfl, void *arg, void **thread_arg)
{
	return 0;
}

static bool get_thread(Dwfl *dwfl, pid_t tid, void *arg, void **thread_arg)
{
	*thread_arg = arg;
	return true;
}

static bool read_memory(Dwfl *dwfl, Dwarf_Addr address, Dwarf_Word *word, void *arg)
{
	const struct user_stack *user = walk.user;
	uint64_t at = address - user->regs[SP];

	if (at > user->size || user->size - at < sizeof(*word))
		return false;
	memcpy(word, user->bytes + at, sizeof(*word));
	return true;
}

static bool set_registers(Dwfl_Thread *thread, void *arg)
{
	const __u64 *values = walk.user->regs;

	for (size_t i = 0; i < sizeof(regs) / sizeof(*regs); i++) {
		Dwarf_Word value = values[regs[i].kernel];

		if (!dwfl_thread_state_registers(thread, regs[i].dwarf, 1, &value))
			return false;
	}
#if defined(__aarch64__)
	dwfl_thread_state_register_pc(thread, values[PC]);
#endif
	return true;
}

static bool describes(Dwarf_CFI *cfi, Dwarf_Addr address)
{
	Dwarf_Frame *frame = NULL;
	bool good = cfi && !dwarf_cfi_addrframe(cfi, address, &frame);

	free(frame);
	return good;
}

/* Where no file says what a frame looks like, the library tries its luck with frame pointers. */
static bool is_described(Dwfl *dwfl, Dwarf_Addr address)
{
	Dwfl_Module *module = dwfl_addrmodule(dwfl, address);
	Dwarf_Addr bias = 0;
	Dwarf_CFI *cfi;

	if (!module)
		return false;
	cfi = dwfl_module_eh_cfi(module, &bias);
	if (describes(cfi, address - bias))
		return true;
	cfi = dwfl_module_dwarf_cfi(module, &bias);
	return describes(cfi, address - bias);
}

static int add_frame(Dwfl_Frame *frame, void *arg)
{
	Dwfl *dwfl = dwfl_thread_dwfl(dwfl_frame_thread(frame));
	bool exact;
	Dwarf_Addr pc;

	/* A stack has an end; what goes in circles has none. */
	if (walk.count == walk.room || !dwfl_frame_pc(frame, &pc, &exact) || !pc)
		return DWARF_CB_ABORT;
	walk.addresses[walk.count++] = pc;
	return is_described(dwfl, pc - !exact) ? DWARF_CB_OK : DWARF_CB_ABORT;
}

static const Dwfl_Thread_Callbacks callbacks = {
	.next_thread = next_thread,
	.get_thread = get_thread,
	.memory_read = read_memory,
	.set_initial_registers = set_registers,
};

size_t unwind(const struct user_stack *user, struct maps *maps, uint64_t *addresses, size_t room)
{
	Dwfl *dwfl = maps ? maps_dwfl(maps) : NULL;

	walk = (struct walk){ .user = user, .addresses = addresses, .room = room };
	/* Attached once: what it reads from is ours to change. */
	if (dwfl && own && (dwfl_pid(dwfl) > 0 || dwfl_attach_state(dwfl, own, user->owner.space.pid, &callbacks, &walk)))
		dwfl_getthread_frames(dwfl, user->owner.space.pid, add_frame, NULL);
	if (!walk.count && room)
		addresses[walk.count++] = unwind_pc(user);
	return walk.count;
}

void unwind_begin(void)
{
	elf_version(EV_CURRENT);
	own_fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	own = own_fd < 0 ? NULL : elf_begin(own_fd, ELF_C_READ_MMAP, NULL);
}

void unwind_end(void)
{
	elf_end(own);
	own = NULL;
	if (own_fd >= 0)
		close(own_fd);
	own_fd = -1;
}
