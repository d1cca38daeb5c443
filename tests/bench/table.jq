# SPDX-License-Identifier: GPL-2.0-only
# What tests/bench/summary.jq made, as tables of 80 columns.

def right($width): tostring | (($width - length) as $left | if $left > 0 then " " * $left else "" end) + .;
def left($width): tostring | . + (($width - length) as $left | if $left > 0 then " " * $left else "" end);
def short:
	if . == null then "-"
	elif . >= 1000 or . == floor then round | tostring
	elif . >= 100 then (. * 10 | round / 10 | tostring)
	else (. * 100 | round / 100 | tostring) end;
def range: if . == null then "-" else "\(.spread[0] | short)..\(.spread[1] | short)" end;
def cell($width): (if type == "object" then .median else . end) | short | right($width);
def mb:
	if type == "object" then .median else . end
	| if . == null then null else . / 1024 | . * 10 | round / 10 end;

def bpf_table:
	"BPF time per connection (two closes), mixed closes: us, and to others' time",
	"                    mean  median   empty        spread tcplife tcpstates",
	(.contestants[] | select(.bpf.mix.us)
		| (.name | left(17)) + (.bpf_mean.us | cell(7)) + (.bpf.mix.us | cell(8))
		  + (.bpf.mix.of_empty | cell(8)) + (.bpf.mix.of_empty | range | right(14))
		  + (.bpf.mix.of_tcplife | cell(8)) + (.bpf.mix.of_tcpstates | cell(10)));

def pattern_table:
	"BPF time by the way of closing, us per connection, and to the empty programs'",
	"                   unread  empty  linger  empty     fin  empty     mix  empty",
	(.contestants[] | select(.bpf.mix.us)
		| . as $it | (.name | left(17))
		  + ([("unread", "linger", "fin", "mix") as $pattern | $it.bpf[$pattern]
			| (.us | cell(8)) + (.of_empty | cell(7))] | add));

def cost_table:
	"What it costs the others: one process that opens and closes; close() in us",
	"                  conn/s  of none        spread     p50     p99        spread",
	(.contestants[]
		| (.name | left(17)) + (.connections_per_second | cell(7)) + (.rate_of_nothing | cell(9))
		  + (.rate_of_nothing | range | right(14)) + (.close_p50_us | cell(8))
		  + (.close_p99_us | cell(8)) + (.close_p99_us | range | right(14)));

def process_table:
	"The tracer itself",
	"                  CPU us/record  start ms  alone ms  peak MB  maps MB  lost  untold",
	(.contestants[] | select(.start_ms)
		| (.name | left(17)) + (.cpu_us_per_record | cell(14)) + (.start_ms | cell(10))
		  + (.alone_ms | cell(10)) + (.peak_kb | mb | cell(9)) + (.maps_kb | mb | cell(9))
		  + (.lost | cell(6)) + (.untold | cell(8)));

def hook_table:
	"Each hook: runs per connection, ns a run, and of the empty program",
	"                  way         pattern     runs      ns   empty",
	(. as $all | ("fentry", "kprobe", "tracepoint") as $way
		| $all.contestants[] | select(.name == "\($way)-json") | .hooks[] | . as $hook
		| ([$all.contestants[] | select(.name == "empty-\($way)") | .hooks[]
			| select(.hook == $hook.hook and .pattern == $hook.pattern) | .ns][0]) as $empty
		| (.hook | left(18)) + ($way | left(12)) + (.pattern | left(8)) + (.runs | cell(8))
		  + (.ns | round | cell(8)) + ($empty | if . then round else . end | cell(8)));

def stack_table:
	select(any(.contestants[]; .close_end_of_bpftrace))
	| "The return of __tcp_close(), ns; to bpftrace's stacks there, and what -k adds",
	  "                              ns       all        spread     added        spread",
	  (.contestants[] | select(.close_end_ns and (.name | test("stack")))
		| (.name | left(24)) + (.close_end_ns | cell(8)) + (.close_end_of_bpftrace | cell(10))
		  + (.close_end_of_bpftrace | range | right(14)) + (.close_end_added | cell(10))
		  + (.close_end_added | range | right(14))), "";

def flood_table:
	select(.floods | length > 0)
	| "Flood: two processes that open and close",
	  "                      s   closes/s  of empty  peak MB    closes   records   lost untold",
	  (.floods[]
		| (.name | left(19)) + (.seconds | cell(4)) + (.closes_per_second | cell(11))
		  + (.rate_of_empty | cell(10)) + (.peak_kb | mb | cell(9)) + (.closes | cell(10))
		  + (if .records > 0 then (.records | cell(10)) + (.lost | cell(7)) + (.untold | cell(7)) else "" end)
		  + (if .left then "  left (\(.status))" else "" end));

def reader_table:
	select(.readers | length > 0)
	| "The output code alone, records a second of processor time",
	  "                          median    lowest   highest  allocations",
	  (.readers[]
		| ("\(.form) to \(.to)" | left(22)) + (.records_per_second | cell(10)) + (.lowest | cell(10))
		  + (.highest | cell(10)) + (.allocations | cell(13)));

def goal_table:
	"Goals",
	(.goals[]
		| (if .met == null then "?   " elif .met then "met " else "NOT " end)
		  + (.goal | left(50)) + (.value | cell(11)) + (.limit | cell(11)));

def unfinished_table:
	select(.unfinished | length > 0)
	| "", "Turns that are in none of the tables",
	  (.unfinished[] | "\(.name), round \(.round): \(.unfinished)");

bpf_table, "", pattern_table, "", cost_table, "", process_table, "", hook_table, "", stack_table, flood_table, "",
reader_table, "", goal_table, unfinished_table
