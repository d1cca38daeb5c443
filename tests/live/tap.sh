# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154 # some of it is for the program to set
# What live tests in bash share: TAP on stdout, and how to wait and to leave. To be sourced.
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

# From here on of what the program has set: $way; $tmp, a directory of its own; $patience, in seconds.

give_up() {
	echo "Bail out! $way: $*"
	exit 2
}

clean_up() {
	local jobs
	mapfile -t jobs < <(jobs -p)
	[ ${#jobs[@]} = 0 ] || kill "${jobs[@]}" 2>/dev/null
	wait 2>/dev/null
	rm -rf "$tmp"
}

# until_true COMMAND...: it becomes true; for what no event tells.
until_true() {
	local tries=$((patience * 10))
	until "$@"; do
		tries=$((tries - 1))
		[ $tries -gt 0 ] || return
		sleep 0.1
	done
}
