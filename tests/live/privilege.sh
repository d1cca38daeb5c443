#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# tests/live/privilege.sh WAY: what closetrace does with fewer privileges than root's, without BTF, or with a file that
# is none: it traces, or says in one line why not. And what it keeps of its privileges, and its command of them.
# shellcheck disable=SC2317 # much is called by its name alone
set -u
cd "$(dirname "$0")/../.." || exit
way=${1:?fentry, kprobe or tracepoint}
[ "${OWN_NETWORK:-}" ] || exec unshare -nm env OWN_NETWORK=1 "$0" "$way"
PATH+=:/usr/sbin:/sbin
. tests/live/tap.sh

ip link set lo up
tmp=$(mktemp -d)
pid='' paranoid=$(cat /proc/sys/kernel/perf_event_paranoid)
trap 'echo "$paranoid" >/proc/sys/kernel/perf_event_paranoid; rm -rf "$tmp"' EXIT
# Where everybody may read.
chmod 755 "$tmp"
cp closetrace rst-client "$tmp"
closetrace=$tmp/closetrace
client=("$tmp/rst-client" -m zero-linger)

nobody=(setpriv --reuid 65534 --regid 65534 --clear-groups)
two=("${nobody[@]}" '--inh-caps=-all,+bpf,+perfmon' '--ambient-caps=-all,+bpf,+perfmon')
# Kernels before 5.11 count the maps; where this may not be raised, they are hardly so old.
prlimit --pid $$ --memlock=67108864:67108864 2>/dev/null

# What it printed and how it ended: $tmp/out, $tmp/err, $status.
run() {
	timeout 60 "$@" >"$tmp/out" 2>"$tmp/err"
	status=$?
}

explain() {
	echo "exit status $status"
	cat "$tmp/err"
}

# refused NAME WORD COMMAND...: one line on stderr with this word in it, nothing on stdout, exit status 1.
refused() {
	local name=$1 word=$2
	shift 2
	run "$@"
	verdict "$way: $name" is_refusal "$word" || explain | note
}

is_refusal() {
	[ "$status" = 1 ] && [ ! -s "$tmp/out" ] && [ "$(wc -l <"$tmp/err")" = 1 ] && grep -qF -e "$1" "$tmp/err"
}

is_fine_or_refusal() {
	[ "$status" = 0 ] || is_refusal "$1"
}

# traces NAME COMMAND...: the command's reset is recorded, for what it was.
traces() {
	local name=$1
	shift
	: >"$tmp/records"
	chmod 666 "$tmp/records"
	run "$@" --via "$way" -j -o "$tmp/records" -- "${client[@]}"
	verdict "$way: $name" is_traced || explain | note
}

is_traced() {
	[ "$status" = 0 ] && grep '"branch":"zero-linger"' "$tmp/records" | grep '"sent":"rst"' | grep -q '"uid":'
}

# ---- who may trace -------------------------------------------------------------------------

who_may_trace() {
	echo 2 >/proc/sys/kernel/perf_event_paranoid
	refused 'nobody is told what is needed' 'CAP_BPF and CAP_PERFMON' "${nobody[@]}" "$closetrace" --via "$way"
	refused 'and so where no way is asked for' 'CAP_BPF and CAP_PERFMON' "${nobody[@]}" "$closetrace"
	refused 'one of the two is not enough' 'lacks CAP_PERFMON' "${nobody[@]}" \
		--inh-caps=-all,+bpf --ambient-caps=-all,+bpf "$closetrace" --via "$way"
	traces 'CAP_BPF and CAP_PERFMON are enough' "${two[@]}" "$closetrace"
	if [ "$way" = kprobe ]; then
		echo 3 >/proc/sys/kernel/perf_event_paranoid
		run "${two[@]}" "$closetrace" --via kprobe -d 0.1
		verdict "$way: perf_event_paranoid 3 makes no difference, or is told" \
			is_fine_or_refusal perf_event_paranoid || explain | note
		echo 2 >/proc/sys/kernel/perf_event_paranoid
	fi
	little_memory
}

# Only kernels before 5.11 count it.
little_memory() {
	run prlimit --memlock=65536:65536 "${two[@]}" "$closetrace" --via "$way" -d 0.1
	verdict "$way: too little locked memory makes no difference, or is told" \
		is_fine_or_refusal RLIMIT_MEMLOCK || explain | note
}

# ---- what is kept ------------------------------------------------------------------------------

# start COMMAND...: runs it until it traces.
start() {
	: >"$tmp/err"
	"$@" >"$tmp/out" 2>"$tmp/err" &
	pid=$!
	# setpriv becomes closetrace, so this is its pid.
	until grep -q '^closetrace: tracing' "$tmp/err" || ! kill -0 $pid 2>/dev/null; do sleep 0.1; done
}

stop() {
	kill -INT $pid
	wait $pid
}

# capabilities PID LINE...: what /proc says of these.
capabilities() {
	local of=$1 name
	shift
	for name; do
		awk -v name="$name:" '$1 == name { print $2 }' "/proc/$of/status"
	done | xargs
}

# Bits 2 and 19 are CAP_DAC_READ_SEARCH and CAP_SYS_PTRACE: to find out who holds a socket.
what_is_kept() {
	local of as kept
	for of in root two; do
		as=() kept=0000000000080004
		[ $of = root ] || as=("${two[@]}") kept=0000000000000000
		start "${as[@]}" "$closetrace" --via "$way"
		verdict "$way: $of: nothing is kept once it traces but what finds holders of sockets" \
			[ "$(capabilities $pid CapEff CapPrm CapInh CapAmb NoNewPrivs)" = \
			"$kept $kept 0000000000000000 0000000000000000 1" ] ||
			capabilities $pid CapEff CapPrm CapInh CapAmb NoNewPrivs | note
		stop
		verdict "$way: $of: it ends as it should" grep -q '^closetrace: traced' "$tmp/err"
	done
}

# Bit 39 is CAP_BPF: up to v5.18 nobody reads the tables without.
counting() {
	start "${two[@]}" "$closetrace" -c --via "$way"
	verdict "$way: to count, CAP_BPF is kept too" \
		[ "$(capabilities $pid CapEff CapPrm)" = '0000008000000000 0000008000000000' ] ||
		capabilities $pid CapEff CapPrm | note
	"${client[@]}" >/dev/null 2>&1
	stop
	verdict "$way: ... and it counts" grep -q '^zero-linger *rst' "$tmp/out" || note <"$tmp/err"
}

same_as_without() {
	local ask=(grep -E '^(Cap|NoNewPrivs|Uid)' /proc/self/status)
	"$@" "${ask[@]}" >"$tmp/without"
	run "$@" "$closetrace" --via "$way" -o /dev/null -- "${ask[@]}"
	[ -s "$tmp/out" ] && cmp -s "$tmp/without" "$tmp/out"
}

# Bit 5 is CAP_KILL.
the_command() {
	verdict "$way: a command has what it would have without" same_as_without env || diff "$tmp/without" "$tmp/out" | note
	verdict "$way: and so with the two" same_as_without "${two[@]}" || diff "$tmp/without" "$tmp/out" | note
	start "$closetrace" --via "$way" -- "${nobody[@]}" sleep 60
	verdict "$way: beside a command CAP_KILL is kept" \
		[ "$(capabilities $pid CapEff CapPrm)" = '0000000000080024 0000000000080024' ]
	until pgrep -P "$pid" -u 65534 -x sleep >/dev/null || ! kill -0 "$pid" 2>/dev/null; do sleep 0.1; done
	kill -TERM $pid
	wait $pid
	status=$?
	verdict "$way: for the command of another user is told to end" [ $status = 143 ] || explain | note
}

# ---- where the kernel's functions are is hidden -------------------------------------------------------

# The arguments of a function, by the kernel's BTF.
arguments() {
	bpftool btf dump file /sys/kernel/btf/vmlinux | awk -v name="'$1'" '
		/FUNC_PROTO/ { sub("vlen=", "", $5); count[$1] = $5 }
		$2 == "FUNC" && $3 == name { sub("type_id=", "", $4); type = "[" $4 "]" }
		END { print count[type] }'
}

# An RST is told from late data by who called, or from v5.11 on by the segment.
what_an_rst_is() {
	local name="$way: an RST ends a wait, and nobody can say who called"
	if [ "$way" != fentry ] || [ "$(arguments tcp_reset)" != 2 ]; then
		skip "$name" 'it is asked by fentry, from v5.11 on: there tcp_reset() has the segment'
		return
	fi
	start "${two[@]}" "$closetrace" --via "$way" -j
	"$tmp/rst-client" -m linger-reset >/dev/null 2>&1
	stop
	verdict "$name" grep -q '"cause":"reset-by-peer"' "$tmp/out" || note <"$tmp/err"
}

# ---- BTF -------------------------------------------------------------------------------------------

btf_files() {
	cp /sys/kernel/btf/vmlinux "$tmp/btf"
	head -c 100000 /dev/urandom >"$tmp/garbage"
	: >"$tmp/empty"
	# A byte of a name in it is another: of a kernel, but of another.
	sed 's/tcp_v4_connect/tcp_v4_c0nnect/' "$tmp/btf" >"$tmp/other"
	sed 's/_init/_1nit/g; s/_get/_g3t/g' "$tmp/btf" >"$tmp/stranger"
	traces "the kernel's own BTF from a file" "$closetrace" --btf "$tmp/btf"
	refused 'a file without BTF' "--btf $tmp/garbage" "$closetrace" --via "$way" --btf "$tmp/garbage"
	refused 'an empty file' "--btf $tmp/empty" "$closetrace" --via "$way" --btf "$tmp/empty"
	refused 'no file' "--btf $tmp/none" "$closetrace" --via "$way" --btf "$tmp/none"
	refused "another kernel's BTF" 'another kernel' "$closetrace" --via "$way" --btf "$tmp/other"
}

# In our own mount namespace nothing is at its place.
without_btf() {
	mkdir "$tmp/nothing"
	mount --bind "$tmp/nothing" /sys/kernel/btf
	refused 'a kernel without BTF' --btf "$closetrace" --via "$way"
	if [ "$way" = fentry ]; then
		refused 'fentry needs it in the kernel' 'no BTF' "$closetrace" --via "$way" --btf "$tmp/btf"
	else
		traces "a file stands in for the kernel's" "$closetrace" --btf "$tmp/btf"
	fi
	# As many types, but hardly a function is called as here.
	refused "another kernel's, and nothing to compare it with" 'another kernel' \
		"$closetrace" --via "$way" --btf "$tmp/stranger"
	umount /sys/kernel/btf
}

who_may_trace
what_is_kept
counting
the_command
what_an_rst_is
btf_files
without_btf
finish
