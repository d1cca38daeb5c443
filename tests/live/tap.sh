# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# What live tests in bash share: TAP on stdout. To be sourced.
number=0 failed=0

# verdict NAME COMMAND...: ok if the command says so.
verdict() {
	local name=$1 word=ok
	shift
	"$@" || word='not ok' failed=1
	number=$((number + 1))
	echo "$word $number - $name"
	[ "$word" = ok ]
}

skip() {
	number=$((number + 1))
	echo "ok $number - $1 # SKIP $2"
}

note() {
	sed 's/^/# /'
}

finish() {
	echo "1..$number"
	exit $failed
}
