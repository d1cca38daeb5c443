#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# tests/live/servers.sh WAY: nginx and haproxy as Debian has them, running before closetrace starts, each connection
# ended in a way that its configuration asks for. The kernel's counters of the namespace stand beside the records.
# shellcheck disable=SC2317 # much is called by its name alone
set -u
cd "$(dirname "$0")/../.." || exit
way=${1:?fentry, kprobe or tracepoint}
[ "${OWN_NETWORK:-}" ] || exec unshare -n env OWN_NETWORK=1 "$0" "$way"
PATH+=:/usr/sbin:/sbin
. tests/live/tap.sh

patience=60		# seconds, for anything
servers=$PWD/tests/live/servers
master='' comm='' workers='' records='' told='' tracer='' client=''

# of_server NAME COMMAND...: what the command says.
of_server() {
	local name=$1
	shift
	verdict "$way: $comm: $name" "$@"
}

# ---- servers -----------------------------------------------------------------------------

listens() { [ -n "$(ss -Hltn "sport = :$1")" ]; }
has_workers() { workers=$(pgrep -d, -P "$master") && [[ $workers =~ ^[0-9]+(,[0-9]+){$(($1 - 1))}$ ]]; }

# serve COMM WORKERS PORT COMMAND...: run it until it listens there and its workers are there.
serve() {
	comm=$1
	local count=$2 port=$3
	shift 3
	"$@" >"$tmp/$comm.log" 2>&1 &
	master=$!
	if ! until_true listens "$port" || ! until_true has_workers "$count"; then
		give_up "$comm does not start: $(tail -n 3 "$tmp/$comm.log" "$tmp/error.log" 2>/dev/null)"
	fi
}

# ---- closetrace ----------------------------------------------------------------------------

begin_trace() {
	local line=
	: >"$tmp/all"
	: >"$tmp/since"
	./closetrace -jk --via "$way" -p "$master" -f >"$tmp/records" 2>"$tmp/told" &
	tracer=$!
	exec {records}<"$tmp/records" {told}<"$tmp/told"
	while [[ $line != 'closetrace: tracing'* ]]; do
		read -r -t $patience -u "$told" line || give_up "closetrace does not trace: $line"
	done
	count_aborts before
}

# await_close lport|rport PORT: the first close of a socket with that port since the last scenario began.
await_close() {
	record=$(grep -m 1 "\"$1\":$2," "$tmp/since") && return
	while read -r -t $patience -u "$records" record; do
		is_close "$record" || continue
		echo "$record" | tee -a "$tmp/since" >>"$tmp/all"
		[[ $record != *"\"$1\":$2,"* ]] || return 0
	done
	record=null
}

# What follows a close is not looked at here.
is_close() { [[ $1 == '{"event":"close"'* ]]; }

scenario() {
	: >"$tmp/since"
}

is() {
	jq -e --arg way "$way" --arg comm "$comm" --argjson workers "[$workers]" "
		.event == \"close\" and .via == \$way and .comm == \$comm and .context == \"syscall\" and
		(.pid as \$pid | \$workers | index(\$pid)) != null and ($1)" <<<"$record" >/dev/null
}

# check NAME FILTER: what the last record that was waited for must be, besides a worker's.
check() {
	of_server "$1" is "$2" || echo "# workers $workers: $record"
}

# all_lead_to FUNCTION: where the program waits for what to do next, from wherever it closed, and on to its beginning.
all_lead_to() {
	jq -es --arg loop "$1" 'all(.stack.user | any(.sym == $loop) and
		(.[-1] | .sym == "_start" or (.module | contains("/libc"))))' "$tmp/all" >/dev/null
}

# end_trace LOOP
end_trace() {
	local line status=0
	kill -INT "$tracer"
	while read -r -t $patience -u "$records" line; do
		! is_close "$line" || echo "$line" >>"$tmp/all"
	done
	said=$(cat <&"$told")
	wait "$tracer" || status=$?
	exec {records}<&- {told}<&-
	of_server 'every close told, none lost, none unknown' \
		grep -q "^closetrace: traced $(wc -l <"$tmp/all") closes, [0-9]* resets; 0 lost, 0 unknown" <<<"$said" ||
		echo "# $said"
	of_server 'every stack leads out to the loop' all_lead_to "$1" ||
		jq -c '.stack.user | map(.sym)' "$tmp/all" | sed 's/^/# /'
	of_server 'it ends well' [ $status = 0 ] || echo "# exit status $status: $said"
}

# ---- the kernel's counters -------------------------------------------------------------------

counter() { nstat -asz "TcpExt$1" | awk -v name="TcpExt$1" '$1 == name { print $2 }'; }
count_aborts() { declare -g "$1_close=$(counter TCPAbortOnClose)" "$1_data=$(counter TCPAbortOnData)"; }
recorded() { jq -s --arg branch "$1" 'map(select(.branch == $branch)) | length' "$tmp/all"; }

# check_counters UNREAD ZERO [CLIENT]: so many closes of each kind, and of clients that leave data unread.
check_counters() {
	local close data
	count_aborts after
	# shellcheck disable=SC2154 # declared by count_aborts
	close=$((after_close - before_close - ${3:-0})) data=$((after_data - before_data))
	of_server "TCPAbortOnClose and $1 unread-data agree" [ "$1 $close" = "$(recorded unread-data) $1" ] ||
		echo "# counted $close, recorded $(recorded unread-data)"
	of_server "TCPAbortOnData and $2 zero-linger agree" [ "$2 $data" = "$(recorded zero-linger) $2" ] ||
		echo "# counted $data, recorded $(recorded zero-linger)"
}

# ---- clients -----------------------------------------------------------------------------------

# request PORT TEXT: say it, with escapes as printf has them, and keep the connection.
request() {
	exec {client}<>"/dev/tcp/127.0.0.1/$1" || give_up "$comm does not answer at $1"
	# shellcheck disable=SC2059
	printf "$2" >&"$client"
}

# Reads to the end, so that it is never this close that resets.
hang_up() {
	cat <&"$client" >/dev/null 2>&1
	exec {client}>&-
}

# ---- nginx -------------------------------------------------------------------------------------

nginx_starts() {
	mkdir -p "$tmp/html"
	echo hello >"$tmp/html/index.html"
	dd if=/dev/zero of="$tmp/html/large" bs=1M seek=32 count=0 2>/dev/null
	serve nginx 2 8003 nginx -p "$tmp" -c "$servers/nginx.conf"
}

nginx_closes() {
	scenario
	request 8001 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'
	await_close lport 8001
	check 'Connection: close is a FIN' \
		'.branch == "fin" and .sent == "fin" and .state == "ESTABLISHED" and .linger_s == null'
	hang_up

	scenario
	curl -s 'http://[::1]:8001/' >/dev/null
	await_close lport 8001
	check 'a client that is done first is answered by a FIN' '.branch == "fin" and .sent == "fin" and
		.state == "CLOSE_WAIT" and (.new_state | IN("LAST_ACK", "CLOSE")) and .laddr == "::1"'

	scenario
	request 8002 'GET /large HTTP/1.0\r\n\r\n'
	await_close lport 8002
	check 'reset_timedout_connection, a client that does not read' '.branch == "zero-linger" and
		.sent == "rst" and .linger == "reset" and .linger_s == 0 and .unsent_bytes > 0 and .unread_bytes == 0'
	hang_up

	scenario
	request 8002 'GET /lar'
	await_close lport 8002
	check 'reset_timedout_connection, a client that does not end its request' '.branch == "zero-linger" and
		.sent == "rst" and .linger == "reset" and .unsent_bytes == 0 and .unread_bytes == 0'
	hang_up

	scenario
	request 8003 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n'
	read -r -t $patience -u "$client" status
	head -c 1000 /dev/zero >&"$client"
	await_close lport 8003
	check 'an early 413' '.branch == "unread-data" and .sent == "rst" and .unread_bytes == 1000 and .linger == null'
	of_server 'the 413 was answered' test "${status%%Request*}" = 'HTTP/1.1 413 '
	hang_up
}

# ---- haproxy -------------------------------------------------------------------------------------

# The same bytes twice: nobody reads them any more.
is_stuck() {
	local was=${queued:-0}
	queued=$(ss -Htn "dport = :8001" | awk '{ print $2; exit }')
	[ "${queued:-0}" -gt 0 ] && [ "$queued" = "$was" ]
}

haproxy_closes() {
	scenario
	request 9001 'GET / HTTP/1.0\r\n\r\n'
	await_close lport 9001
	check 'the client side, without nolinger: its FIN went before' '.branch == "fin-already-sent" and
		.sent == "none" and (.state | IN("FIN_WAIT1", "FIN_WAIT2")) and .linger_s == null'
	hang_up

	scenario
	request 9002 'GET / HTTP/1.0\r\n\r\n'
	await_close lport 9002
	check 'the client side, with nolinger' '.branch == "zero-linger" and .sent == "rst" and
		(.state | IN("FIN_WAIT1", "FIN_WAIT2")) and .linger == "reset" and .linger_s == 0'
	hang_up

	scenario
	curl -s http://127.0.0.1:9003/ >/dev/null
	await_close lport 9003
	check 'a client that is done first, without nolinger' \
		'.branch == "fin" and .sent == "fin" and .state == "CLOSE_WAIT" and .linger_s == null'

	scenario
	curl -s http://127.0.0.1:9004/ >/dev/null
	await_close lport 9004
	check 'a client that is done first, with nolinger' '.branch == "zero-linger" and .sent == "rst" and
		.state == "CLOSE_WAIT" and .linger == "reset"'
}

# haproxy sets a zero linger on each connection that it opened itself, whatever nolinger says, and takes it back
# only when it has seen the server's FIN: so ports are not kept by TIME_WAIT.
haproxy_closes_behind() {
	scenario
	curl -s http://127.0.0.1:9005/ >/dev/null
	await_close lport 9005
	check 'the client side of a proxied request' '.branch == "fin" and .state == "CLOSE_WAIT" and .linger_s == null'
	await_close rport 8001
	check 'the server side, by its own habit' '.branch == "zero-linger" and .sent == "rst" and
		.state == "ESTABLISHED" and .linger == "reset" and .linger_s == 0'

	scenario
	request 9006 'GET /large HTTP/1.0\r\n\r\n'
	until_true is_stuck || echo '# nothing is stuck in haproxy'
	exec {client}>&-
	await_close rport 8001
	check 'a client that goes away leaves the answer unread' '.branch == "unread-data" and .sent == "rst" and
		.linger == "overridden" and .linger_s == 0 and .unread_bytes > 0'
	await_close lport 9006
	check 'and is gone already' '.branch == "already-closed" and .sent == "none" and .state == "CLOSE"'
}

# ---- the whole -------------------------------------------------------------------------------------

test_nginx() {
	begin_trace
	nginx_closes
	end_trace ngx_process_events_and_timers
	check_counters 1 2
}

test_haproxy() {
	serve haproxy 1 9006 haproxy -W -db -f "$servers/haproxy.cfg"
	begin_trace
	haproxy_closes
	[ -z "$with_nginx" ] || haproxy_closes_behind
	end_trace run_poll_loop
	if [ -n "$with_nginx" ]; then
		check_counters 1 3 1
	else
		skip "$way: haproxy between a client and a server" 'no nginx'
		check_counters 0 2
	fi
}

for command in jq ss nstat curl; do
	type -P $command >/dev/null || { skip "$way: real servers" "no $command" && finish; }
done
tmp=$(mktemp -d)
trap clean_up EXIT
trap 'exit 130' INT TERM HUP
ip link set lo up
mkfifo "$tmp/records" "$tmp/told"
with_nginx=$(type -P nginx)
if [ -n "$with_nginx" ]; then
	nginx_starts
	test_nginx
else
	skip "$way: nginx" 'no nginx'
fi
if type -P haproxy >/dev/null; then
	test_haproxy
else
	skip "$way: haproxy" 'no haproxy'
fi
finish
