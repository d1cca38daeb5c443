#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# tests/live/doctor.sh WAY: what doctor says is what closetrace then does, and it is readable.
# shellcheck disable=SC2317 # much is called by its name alone
set -u
cd "$(dirname "$0")/../.." || exit
way=${1:?fentry, kprobe or tracepoint}
PATH+=:/usr/sbin:/sbin
. tests/live/tap.sh

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
chmod 755 "$tmp"
cp closetrace "$tmp"
nobody=(setpriv --reuid 65534 --regid 65534 --clear-groups)

# What it printed and how it ended: $tmp/out, $status.
run() {
	timeout 60 "$@" >"$tmp/out" 2>"$tmp/err"
	status=$?
}

says() {
	grep -qE -e "$1" "$tmp/out"
}

# row WHAT WORD: a row of the table begins so.
row() {
	says "^$1 +$2 "
}

is_readable() {
	[ ! -s "$tmp/err" ] && [ "$(wc -l <"$tmp/out")" -gt 10 ] && ! says '.{81}' && ! says ' $'
}

traces_by() {
	[ "$status" = 0 ] && row "$1" taken && says "^closetrace will trace by $1\\.\$"
}

# The way that closetrace itself names, without being asked for one.
says_the_same() {
	local taken
	taken=$(./closetrace -d 0.1 2>&1 | sed -n 's/^closetrace: tracing by //p')
	traces_by "$taken"
}

healthy() {
	row privileges good && row BTF good && says ' misses  '
}

refuses() {
	[ "$status" = 1 ] && row privileges bad && row fentry refused && row kprobe refused && row tracepoint refused &&
		says '^closetrace cannot trace here\.$' && says '^ +do +run it as root'
}

knows_no_btf() {
	[ "$status" = 1 ] && row BTF bad && says '^ +do +.*CONFIG_DEBUG_INFO_BTF'
}

run ./closetrace doctor
verdict "$way: root can trace, by the way that is taken" says_the_same || note <"$tmp/out"
verdict "$way: in 80 columns" is_readable || note <"$tmp/out"
verdict "$way: what is good and what is missed" healthy || note <"$tmp/out"
run ./closetrace doctor --via "$way"
verdict "$way: the way that is asked for is taken" traces_by "$way" || note <"$tmp/out"
run "${nobody[@]}" "$tmp/closetrace" doctor
verdict "$way: nobody cannot trace" refuses || note <"$tmp/out"
verdict "$way: in 80 columns, too" is_readable || note <"$tmp/out"
mkdir "$tmp/nothing"
# shellcheck disable=SC2016 # the inner shell expands it
run unshare -m sh -c 'mount --bind "$1" /sys/kernel/btf && exec ./closetrace doctor' - "$tmp/nothing"
verdict "$way: a kernel without BTF" knows_no_btf || note <"$tmp/out"
finish
