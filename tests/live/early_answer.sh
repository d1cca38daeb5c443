#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# tests/live/early_answer.sh WAY: what is told of an nginx that answers uploads with 413 before it has read them, in one
# run: the function and the line that closed, as addr2line has them; the bytes that were thrown away, as the client and
# nginx itself count them; and what to change, which is then tried. nginx is that of tests/vm/nginx, with debug
# information, or the system's own.
# shellcheck disable=SC2317 # much is called by its name alone
set -u
cd "$(dirname "$0")/../.." || exit
way=${1:?fentry, kprobe or tracepoint}
[ "${OWN_NETWORK:-}" ] || exec unshare -n env OWN_NETWORK=1 "$0" "$way"
PATH+=:/usr/sbin:/sbin
. tests/live/tap.sh

patience=60		# seconds, for anything
bodies=(1000 2500)
built=.output/vm/nginx
nginx=$built/nginx master='' worker='' base='' client=''
tracers=() records='' text_told='' records_told=''

# ---- nginx and its clients -------------------------------------------------------------

serves() { [ -n "$(ss -Hltn 'sport = :8004')" ] && worker=$(pgrep -P "$master"); }

start_nginx() {
	mkdir -p "$tmp/html" "$tmp/logs"
	"$nginx" -p "$tmp" -c "$PWD/tests/live/servers/early.conf" >"$tmp/said" 2>&1 &
	master=$!
	until_true serves || give_up "nginx does not start: $(tail -n 3 "$tmp/said" "$tmp/error.log" 2>/dev/null)"
	base=$(awk -v file="$(realpath "$nginx")" '$6 == file { sub("-.*", "", $1); print $1; exit }' \
		"/proc/$worker/maps")
}

# upload PORT BYTES: the head of a request, the whole answer, and only then so much of the body.
upload() {
	local head=$'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n' line status=
	exec {client}<>"/dev/tcp/127.0.0.1/$1" || give_up "nginx does not answer at $1"
	printf %s "$head" >&"$client"
	while read -r -t $patience -u "$client" line && [[ $line != '</html>'* ]]; do
		status=${status:-$line}
	done
	head -c "$2" /dev/zero >&"$client"
	[ "$1" != 8003 ] || cat <&"$client" >/dev/null 2>&1
	exec {client}>&-
	[[ $status == 'HTTP/1.1 413 '* ]] || echo "# the answer is $status"
	wrote=$((${#head} + $2))
}

# ---- closetrace ------------------------------------------------------------------------

says() { grep -q "$@" 2>/dev/null; }

# begin_trace OUTPUT OPTION...
begin_trace() {
	local output=$1
	shift
	./closetrace -k --via "$way" -p "$worker" "$@" >"$tmp/$output" 2>"$tmp/$output.told" &
	tracers+=($!)
}

# await_trace DESCRIPTOR: of its stderr.
await_trace() {
	local line=
	while [[ $line != 'closetrace: tracing'* ]]; do
		read -r -t $patience -u "$1" line || give_up "closetrace does not trace: $line"
	done
}

# As for anybody, and once more for who asks what the addresses are.
begin_traces() {
	mkfifo "$tmp"/{pipe,text.told,pipe.told}
	begin_trace text
	begin_trace pipe -j
	exec {text_told}<"$tmp/text.told" {records}<"$tmp/pipe" {records_told}<"$tmp/pipe.told"
	await_trace "$text_told"
	await_trace "$records_told"
}

# await_closes PORT: one for each upload.
await_closes() {
	local left=${#bodies[@]} record
	while [ "$left" -gt 0 ] && read -r -t $patience -u "$records" record; do
		echo "$record" >>"$tmp/records"
		[[ $record != '{"event":"close"'*"\"lport\":$1,"* ]] || left=$((left - 1))
	done
}

end_traces() {
	kill -INT "${tracers[@]}"
	cat <&"$records" >>"$tmp/records"
	# One line, however it was broken.
	told=$(sed 's/^- //' <&"$text_told" | tr -s ' \n' ' ')
	cat <&"$records_told" >/dev/null
	wait "${tracers[@]}"
}

aborts() { nstat -asz TcpExtTCPAbortOnClose | awk '/^Tcp/ { print $2 }'; }

# ---- what it was -----------------------------------------------------------------------

# closes PORT FILTER: how many of its closes are like that.
closes() {
	jq -s --argjson worker "$worker" "map(select(.event == \"close\" and .lport == $1 and .pid == \$worker and
		.comm == \"nginx\" and ($2))) | length" "$tmp/records"
}

# What nginx had not read of what was written, for each upload.
unread() {
	local i=0 read
	while read -r read; do
		echo $((written[i++] - read))
	done <"$tmp/length.log" | head -n ${#bodies[@]}
}

recorded_unread() { jq 'select(.event == "close" and .lport == 8003) | .unread_bytes' "$tmp/records"; }

# Of the first record, what is nginx's: "0x55d0 ngx_close_connection src/core/ngx_connection.c:1234". What the compiler
# appended to a name is not in debug information, and _start is not in C.
recorded_frames() {
	jq -rs 'map(select(.event == "close" and .lport == 8003))[0].stack.user[] |
		select(.module | . != null and endswith("nginx")) | select(.sym != "_start") |
		"\(.addr) \(.sym // "" | sub("[.](isra|part|constprop|cold)[.0-9a-z]*$"; "")) \(.file):\(.line)"' \
		"$tmp/records"
}

# The same of the addresses alone: where calls return to, which lies behind them.
addr2line_frames() {
	local address
	for address; do
		printf '%x\n' $((address - 0x$base - 1))
	done | addr2line -f -i -e "$nginx" | sed 's/ (discriminator [0-9]*)//' |
		paste -d' ' - - | sed -E 's| /.*/nginx-[0-9.]+/| |'
}

# The lines of a close in the text: "at ngx_close_connection+0xee (src/core/ngx_connection.c:1234)".
text_places() {
	sed -nE '/ unread-data /,$ s/^ +at [^ ]+ \((.*)\)$/\1/p' "$tmp/text" | head -n 3
}

check_lines() {
	local frames addresses expected first
	frames=$(recorded_frames)
	mapfile -t addresses < <(cut -d' ' -f1 <<<"$frames" | uniq)
	expected=$(addr2line_frames "${addresses[@]}")
	# "ngx_close_connection (ngx_connection.c:1234)"
	first=$(sed -E '1!d; s| .*/([^/]*)| (\1)|' <<<"$expected")
	verdict "$way: functions and lines are those of addr2line" test "$expected" = "$(cut -d' ' -f2- <<<"$frames")" ||
		diff <(echo "$expected") <(echo "$frames") | note
	verdict "$way: the innermost closes, the outermost begins" \
		test "$(sed -n '1s/ .*//p; $s/ .*//p' <<<"$expected" | xargs)" = 'ngx_close_connection main' ||
		note <<<"$expected"
	verdict "$way: the text has the innermost three" \
		test "$(text_places)" = "$(head -n 3 <<<"$expected" | cut -d' ' -f2)" || note <"$tmp/text"
	verdict "$way: the finding has function and line" says -F " All of them from $first <" <<<"$told" ||
		note <<<"$told"
}

check_bytes() {
	local total
	total=$(unread | awk '{ total += $1 } END { printf "%.1f kB", total / 1000 }')
	verdict "$way: every upload is reset, and by nobody else" \
		test "$(closes 8003 '.branch == "unread-data" and .sent == "rst"') $((aborts_after - aborts_before))" = \
		"${#bodies[@]} ${#bodies[@]}" || note <"$tmp/records"
	verdict "$way: what was thrown away is what was written and not read" \
		test "$(recorded_unread | xargs)" = "$(unread | xargs)" || note <"$tmp/records"
	verdict "$way: the finding has who, how often and how much" says -F \
		"nginx (pid $worker) reset ${#bodies[@]} connections because it closed them with unread data, $total in all." \
		<<<"$told" || note <<<"$told"
}

check_change() {
	verdict "$way: the finding says what to change" \
		says -F ' nginx: lingering_close always, a long lingering_time, no return 444.' <<<"$told" ||
		note <<<"$told"
	verdict "$way: changed, nothing is reset or thrown away" \
		test "$(closes 8004 '.sent != "rst" and .unread_bytes == 0') $(grep -c '"event":"reset"' "$tmp/records")" = \
		"${#bodies[@]} 0" || note <"$tmp/records"
}

# ---- the whole -------------------------------------------------------------------------

for command in jq ss nstat; do
	type -P $command >/dev/null || { skip "$way: an early answer" "no $command" && finish; }
done
lacking=
if [ ! -e $built/version ]; then
	lacking=$(cat $built/lacking 2>/dev/null || echo 'no nginx with debug information: tests/vm/nginx makes one')
	nginx=$(type -P nginx) || { skip "$way: an early answer" "no nginx; $lacking" && finish; }
fi
type -P addr2line >/dev/null || lacking='no addr2line'
tmp=$(mktemp -d)
trap clean_up EXIT
trap 'exit 130' INT TERM HUP
ip link set lo up
start_nginx
begin_traces
aborts_before=$(aborts)
written=()
for body in "${bodies[@]}"; do
	upload 8003 "$body"
	written+=("$wrote")
done
await_closes 8003
aborts_after=$(aborts)
for body in "${bodies[@]}"; do
	upload 8004 "$body"
done
await_closes 8004
end_traces
check_bytes
check_change
if [ "$lacking" ]; then
	skip "$way: function and line" "$lacking"
else
	check_lines
fi
finish
