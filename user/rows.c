// SPDX-License-Identifier: GPL-2.0-only
#include <stdlib.h>

#include <dwarf.h>

#include "user/rows.h"

/* By their numbers in DWARF.  Only the programs for x86-64 walk by rows. */
#if defined(__x86_64__)
#define FP 6
#define SP 7
#define PC 16
#else
#define FP 29
#define SP 31
#define PC 30
#endif

#define WORD 8

static struct unwind_entry *entries;

/* ---- what the tables say ---------------------------------------------------------------- */

/* A register that the caller finds as the function found it; where it is undefined the library
 * hands out the memory that it was given. */
enum saved { SAVED, UNTOUCHED, UNDEFINED, ELSEWHERE };

/* offset: from the CFA on, to where it is SAVED. */
static enum saved find_register(Dwarf_Frame *frame, int number, int64_t *offset)
{
	Dwarf_Op memory[3], *ops;
	size_t count;

	*offset = 0;
	if (dwarf_frame_register(frame, number, memory, &ops, &count))
		return ELSEWHERE;
	if (!count)
		return ops ? UNDEFINED : UNTOUCHED;
	if (count != 2 || ops[0].atom != DW_OP_call_frame_cfa || ops[1].atom != DW_OP_plus_uconst)
		return ELSEWHERE;
	*offset = ops[1].number;
	return SAVED;
}

static bool find_cfa(Dwarf_Frame *frame, union unwind_row *row)
{
	Dwarf_Op *ops;
	size_t count;

	if (dwarf_frame_cfa(frame, &ops, &count) || count != 1 || ops->atom != DW_OP_bregx ||
	    (ops->number != SP && ops->number != FP))
		return false;
	row->from = ops->number == SP ? UNWIND_FROM_SP : UNWIND_FROM_FP;
	row->cfa = ops->number2;
	return row->cfa == (int64_t)ops->number2;
}

static bool find_fp(Dwarf_Frame *frame, union unwind_row *row)
{
	int64_t offset;
	enum saved saved = find_register(frame, FP, &offset);

	row->fp = offset;
	return saved == UNTOUCHED || (saved == SAVED && offset && row->fp == offset);
}

/* A signal's frame, behind which lies no return address, has none: its CFA is what the stack pointer
 * was, which is saved in there, so it is no distance from a register. */
static union unwind_row row_of(Dwarf_Frame *frame)
{
	union unwind_row row = { .word = 0 };
	int64_t offset;
	enum saved saved = find_register(frame, PC, &offset);

	if (saved == UNDEFINED)
		row.from = UNWIND_END;
	else if (saved != SAVED || offset != -WORD || !find_cfa(frame, &row) || !find_fp(frame, &row))
		row.word = 0;
	return row;
}

typedef Dwarf_CFI *table_of(Dwfl_Module *module, Dwarf_Addr *bias);

/* false: this table has nothing about it. */
static bool find_in(table_of *table_of, Dwfl_Module *module, Dwarf_Addr address, union unwind_row *row)
{
	Dwarf_Addr bias = 0;
	Dwarf_CFI *table = table_of(module, &bias);
	Dwarf_Frame *frame;

	if (!table || dwarf_cfi_addrframe(table, address - bias, &frame))
		return false;
	*row = row_of(frame);
	free(frame);
	return true;
}

/* Behind the end of one the library says that it is there still. */
static Dwfl_Module *module_at(Dwfl *dwfl, Dwarf_Addr address)
{
	Dwfl_Module *module = dwfl_addrmodule(dwfl, address);
	Dwarf_Addr begin = 0, end = 0;

	if (module)
		dwfl_module_info(module, NULL, &begin, &end, NULL, NULL, NULL, NULL);
	return address >= begin && address < end ? module : NULL;
}

union unwind_row rows_find(Dwfl *dwfl, uint64_t address, bool is_exact)
{
	Dwarf_Addr within = is_exact ? address : address - 1;
	Dwfl_Module *module = module_at(dwfl, within);
	union unwind_row row = { .word = 0 };

	if (module && !find_in(dwfl_module_eh_cfi, module, within, &row) &&
	    !find_in(dwfl_module_dwarf_cfi, module, within, &row))
		row.from = UNWIND_END;
	return row;
}

/* ---- what the kernel knows of it --------------------------------------------------------- */

static void put(uint64_t address, uint64_t name, union unwind_row row)
{
	struct unwind_entry *entry = &entries[unwind_place(address, name)];

	__atomic_store_n(&entry->address, 0, __ATOMIC_SEQ_CST);
	__atomic_store_n(&entry->name, name, __ATOMIC_SEQ_CST);
	__atomic_store_n(&entry->row, row.word, __ATOMIC_SEQ_CST);
	__atomic_store_n(&entry->address, address, __ATOMIC_SEQ_CST);
}

static bool hand_over(Dwfl *dwfl, uint64_t address, uint64_t name, bool is_exact)
{
	union unwind_row row = rows_find(dwfl, address, is_exact);

	if (row.from != UNWIND_UNKNOWN)
		put(address, name, row);
	return row.from != UNWIND_UNKNOWN;
}

void rows_hand_over(Dwfl *dwfl, const struct stack_owner *owner, const uint64_t *addresses, size_t count)
{
	size_t at = 0;

	if (!entries)
		return;
	while (owner->rowless && at < count && addresses[at] != owner->rowless)
		at++;
	while (at < count && hand_over(dwfl, addresses[at], owner->name, !at))
		at++;
}

void rows_take_back(uint64_t name)
{
	for (size_t i = 0; entries && i < UNWIND_ENTRIES; i++)
		if (entries[i].name == name)
			__atomic_store_n(&entries[i].address, 0, __ATOMIC_SEQ_CST);
}

void rows_begin(struct unwind_entry *shared)
{
	entries = shared;
}
