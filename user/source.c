// SPDX-License-Identifier: GPL-2.0-only
#include <stdlib.h>
#include <string.h>

#include <dwarf.h>

#include "user/source.h"

/* One compiler's run, and where in it we look. */
struct unit {
	Dwarf_Die *die;
	Dwarf_Addr address;
};

/* clang and Go write no table of which unit is where, and then it is each unit that says it. */
static struct unit unit_of(Dwfl_Module *module, Dwarf_Addr address)
{
	Dwarf_Addr bias = 0;
	Dwarf_Die *die = dwfl_module_addrdie(module, address, &bias);

	if (die)
		return (struct unit){ die, address - bias };
	while ((die = dwfl_module_nextcu(module, die, &bias)))
		if (dwarf_haspc(die, address - bias) > 0)
			break;
	return (struct unit){ die, address - bias };
}

static void set_line(const struct unit *unit, struct symbol *symbol)
{
	Dwarf_Line *line = unit->die ? dwarf_getsrc_die(unit->die, unit->address) : NULL;
	const char *file = line ? dwarf_linesrc(line, NULL, NULL) : NULL;

	symbol->file = symbols_keep(file);
	if (symbol->file)
		dwarf_lineno(line, &symbol->line);
}

static Dwarf_Word number_of(Dwarf_Die *die, unsigned int name)
{
	Dwarf_Attribute attribute;
	Dwarf_Word number = 0;

	dwarf_formudata(dwarf_attr(die, name, &attribute), &number);
	return number;
}

/* Where it would have been called. */
static void set_call(const struct unit *unit, Dwarf_Die *inlined, struct symbol *symbol)
{
	Dwarf_Word file = number_of(inlined, DW_AT_call_file);
	Dwarf_Files *files;
	size_t count;

	if (dwarf_getsrcfiles(unit->die, &files, &count) || file >= count)
		return;
	symbol->file = symbols_keep(dwarf_filesrc(files, file, NULL, NULL));
	symbol->line = number_of(inlined, DW_AT_call_line);
}

/* As symbols have them. */
static const char *name_of(Dwarf_Die *die)
{
	Dwarf_Attribute attribute;
	const char *name;

	name = dwarf_formstring(dwarf_attr_integrate(die, DW_AT_linkage_name, &attribute));
	return symbols_keep(name ? name : dwarf_diename(die));
}

/* From the beginning of that piece of its code. */
static Dwarf_Addr offset_of(const struct unit *unit, Dwarf_Die *die)
{
	Dwarf_Addr base, begin, end;
	ptrdiff_t at = 0;

	while ((at = dwarf_ranges(die, at, &base, &begin, &end)) > 0)
		if (unit->address >= begin && unit->address < end)
			return unit->address - begin;
	return 0;
}

/* By what contains what: around the first one the library has the scopes where it was written. */
static int scopes_of(const struct unit *unit, Dwarf_Die **scopes)
{
	Dwarf_Die innermost;

	if (!unit->die || dwarf_getscopes(unit->die, unit->address, scopes) <= 0)
		return 0;
	innermost = **scopes;
	free(*scopes);
	return dwarf_getscopes_die(&innermost, scopes);
}

size_t source_of(Dwfl_Module *module, Dwarf_Addr address, struct symbol *symbols, size_t room)
{
	struct unit unit = unit_of(module, address);
	struct symbol *symbol = symbols;
	Dwarf_Die *scopes;
	int count = scopes_of(&unit, &scopes);

	memset(symbols, 0, room * sizeof(*symbols));
	set_line(&unit, symbol);
	for (int i = 0; i < count && dwarf_tag(&scopes[i]) != DW_TAG_subprogram; i++) {
		if (dwarf_tag(&scopes[i]) != DW_TAG_inlined_subroutine)
			continue;
		symbol->name = name_of(&scopes[i]);
		symbol->offset = offset_of(&unit, &scopes[i]);
		if (symbol + 1 < symbols + room)
			symbol++;
		set_call(&unit, &scopes[i], symbol);
	}
	if (count > 0)
		free(scopes);
	return symbol - symbols + 1;
}
