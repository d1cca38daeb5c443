/* SPDX-License-Identifier: GPL-2.0-only */
/* Where code is in its source, as the debug information of its file tells. */
#ifndef CLOSETRACE_SOURCE_H
#define CLOSETRACE_SOURCE_H

#include <stddef.h>

#include "user/symbols.h"

/* Whose code the instruction at this address of the module is.  Innermost first: the functions that
 * the compiler has put into others there, and last, without its name, the one that they are in.
 * Returns how many, at least one. */
size_t source_of(Dwfl_Module *module, Dwarf_Addr address, struct symbol *symbols, size_t room);

#endif
