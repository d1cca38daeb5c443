# SPDX-License-Identifier: GPL-2.0-only
# tests/vmlinux.awk HEADER PROGRAM... kernel=NAME DUMP [kernel=NAME DUMP]...
#
# Each line of HEADER's records stands in each DUMP, in the same record, and each flavour (struct x___y) of a HEADER
# or PROGRAM stands whole in one DUMP. A line's place is its record and the named members that it lies in; what is
# anonymous between does not count. With partial=1 first, a flavour may be that of a kernel that is not asked. Prints
# TAP.

FNR == 1 {
	files++
	depth = count = relocated = 0
	split("", bodies)
	if (kernel != "")
		kernels[++nr_kernels] = kernel
}

# That the kernel itself must not change a member (v6.18: struct path f_path) is nothing to a reader.
{
	gsub(/\/\*.*\*\/|__attribute__\(\(.*\)\)|^[ \t]+/, "")
	sub(/[ \t]+;?$/, "")
	if ($0 !~ /\*/)
		sub(/^const /, "")
}

/^#pragma clang attribute push/ { relocated = 1 }
/^#|^$/ { next }

!depth && /^typedef .*;$/ { keep("typedef", $0) }
!depth && !/^(typedef )?(struct|union|enum)( [a-zA-Z0-9_]+)? \{$/ { next }

/\{$/ {
	if (!depth)
		opening = $0
	first[++depth] = count + 1
	next
}

/^\}/ {
	name = $0
	gsub(/^\} *|;$/, "", name)
	if (--depth) {
		for (i = first[depth + 1]; name != "" && i <= count; i++)
			members[i] = name "." members[i]
		next
	}
	record = opening
	sub(/ \{$/, "", record)
	if (record ~ /^typedef/)
		record = "typedef " name
	for (i = 1; i <= count; i++)
		keep(record, members[i])
	count = 0
	next
}

# -fms-extensions: the members of a record that was shown before are this one's too.
kernel != "" && /^(struct|union) [a-zA-Z0-9_]+;$/ {
	n = split(bodies[substr($0, 1, length($0) - 1)], embedded, "\n")
	for (i = 2; i <= n; i++)
		members[++count] = embedded[i]
	next
}

{ members[++count] = $0 }

# In a program there are other records than the kernel's, and before the pragma only UAPI.
function keep(record, line,   essence) {
	if (kernel != "") {
		bodies[record] = bodies[record] "\n" line
		if ((record, line) in wanted)
			found[kernel, record, line] = 1
		if (record in whole)
			found[kernel, record] = 1
		return
	}
	essence = record
	if (sub(/___.*/, "", essence)) {
		sub(/___[a-z0-9_]+/, "", line)
		if (!(record in whole))
			flavours[++nr_flavours] = record
		want(record, essence, line)
		whole[record]
	} else if (files == 1 && (relocated || record == "typedef")) {
		plain++
		want("", record, line)
	}
}

function want(owner, record, line) {
	wanted[record, line]
	whole[record]
	owners[++lines] = owner
	records[lines] = record
	texts[lines] = line
}

# How many lines of this owner the kernel lacks, told on the way.
function lacks(kernel, owner, say,   i, n) {
	for (i = 1; i <= lines; i++) {
		if (owners[i] != owner || (kernel, records[i], texts[i]) in found)
			continue
		n++
		if (say)
			print "# " kernel ": " ((kernel, records[i]) in found ? "" : "no ") records[i] ": " texts[i]
	}
	return n + 0
}

function result(good, name) {
	print (good ? "" : "not ") "ok " ++tests " - " name
}

END {
	for (k = 1; k <= nr_kernels; k++) {
		good = plain && !lacks(kernels[k], "", 0)
		result(good, kernels[k] " has the " plain " lines of vmlinux.h")
		if (!good)
			lacks(kernels[k], "", 1)
	}
	for (f = 1; f <= nr_flavours; f++) {
		flavour = flavours[f]
		good = 0
		for (k = 1; k <= nr_kernels; k++)
			good = good || !lacks(kernels[k], flavour, 0)
		excuse = flavour ~ /___rt$/ ? "none of them is PREEMPT_RT" : partial ? "not all kernels are here" : ""
		result(good || excuse, "a kernel has " flavour (good || !excuse ? "" : " # SKIP " excuse))
		for (k = 1; k <= nr_kernels && !good && !excuse; k++)
			lacks(kernels[k], flavour, 1)
	}
	print "1.." tests
	exit tests == 0
}
