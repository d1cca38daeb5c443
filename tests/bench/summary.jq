# SPDX-License-Identifier: GPL-2.0-only
# From the turns of tests/bench/measure, slurped, to the medians of the rounds, and ratios. A ratio is made within a
# round, between neighbours in time; of the ratios the median counts, [lowest, highest] is their spread.

def middle: sort | if length == 0 then null else .[length / 2 | floor] end;
def spread: if length == 0 then null else [min, max] end;
def way: split("-")[0];

# The same number of another contestant in the same round; null where it did not run.
def ratios($turns; $of; number):
	[.[] | . as $turn
		| $turns[] | select(.name == $of and .round == $turn.round)
		| number as $divisor | $turn | number as $dividend
		| select($divisor != null and $divisor > 0 and $dividend != null)
		| $dividend / $divisor];
def measured: if length == 0 then null else { median: middle, spread: spread } end;
# Of the connections of a turn the median, which knows no wake-ups, or the mean, which knows what else the machine did.
def bpf($pattern): .patterns[$pattern].bpf_ns;
def mean: .patterns.mix.bpf_mean_ns;
# One run of the program at the return of __tcp_close(), closetrace's or bpftrace's.
def close_end: [.patterns.mix.programs // [] | .[] | select(.name == "tcp_close_end" or .name == "__tcp_close") | .ns] | first;
# What -k adds to it, to all that bpftrace's takes, which is for the stacks alone.
def added($turns):
	(.[0].name | way) as $way
	| [.[] | . as $turn
		| ($turns | map(select(.round == $turn.round))) as $round
		| ($round[] | select(.name == "\($way)-json") | close_end) as $without
		| ($round[] | select(.name == "bpftrace-stacks-\($way)") | close_end) as $theirs
		| ($turn | close_end) as $with
		| select($with and $without and $theirs)
		| ($with - $without) / $theirs];
def rate: .patterns.mix.load.connection_us | if . then 1000000 / . else null end;
def flood_rate: [.patterns.flood.loads[].per_second] | add;

def bpf_of($turns; $pattern):
	(.[0].name | way) as $way
	| { us: ([.[] | bpf($pattern) | values / 1000] | measured),
	    of_empty: (ratios($turns; "empty-\($way)"; bpf($pattern)) | measured),
	    of_tcplife: (ratios($turns; "tcplife"; bpf($pattern)) | measured),
	    of_tcpstates: (ratios($turns; "tcpstates"; bpf($pattern)) | measured) };

# Closes without a record that were not told to be lost either. Below 0: there were others.
def untold:
	if .[0].alone_ms < 0 and (.[0].name | endswith("-terminal") | not) then null
	else [.[] | select(.records > 0) | .closes - .records - .lost] | max end;

def mean_of($turns):
	(.[0].name | way) as $way
	| { us: ([.[] | mean | values / 1000] | measured),
	    of_empty: (ratios($turns; "empty-\($way)"; mean) | measured),
	    of_tcplife: (ratios($turns; "tcplife"; mean) | measured),
	    of_tcpstates: (ratios($turns; "tcpstates"; mean) | measured) };

def hooks:
	[.[] | .patterns | to_entries[] | .key as $pattern | .value.programs // [] | .[]
		| { pattern: $pattern } + .]
	| group_by([.pattern, .name])
	| map({ pattern: .[0].pattern, hook: .[0].name, runs: ([.[].runs] | middle), ns: ([.[].ns] | middle) })
	| map(select(.runs > 0.1));

def one($turns):
	{ name: .[0].name,
	  rounds: length,
	  bpf: (. as $mine | reduce ("unread", "linger", "fin", "mix") as $pattern
		({}; .[$pattern] = ($mine | bpf_of($turns; $pattern)))),
	  bpf_mean: mean_of($turns),
	  close_end_ns: ([.[] | close_end | values] | measured),
	  close_end_of_bpftrace: ((.[0].name | way) as $way
		| ratios($turns; "bpftrace-stacks-\($way)"; close_end) | measured),
	  close_end_added: (if .[0].name | endswith("-stack") then added($turns) | measured else null end),
	  connections_per_second: ([.[] | rate | values] | measured),
	  rate_of_nothing: (ratios($turns; "nothing"; rate) | measured),
	  close_p50_us: ([.[].patterns.mix.load.p50_us] | measured),
	  close_p99_us: ([.[].patterns.mix.load.p99_us] | measured),
	  cpu_us_per_record: ([.[] | select(.records > 0) | .cpu_ns / 1000 / .records] | measured),
	  peak_kb: ([.[].peak_kb | select(. > 0)] | measured),
	  maps_kb: ([.[].maps_kb | select(. > 0)] | measured),
	  start_ms: ([.[].start_ms | select(. > 0)] | measured),
	  alone_ms: ([.[].alone_ms | select(. >= 0)] | measured),
	  lost: ([.[].lost] | add),
	  untold: untold,
	  hooks: hooks };

def flood($turns):
	(.[0].name | way) as $way
	| { name: .[0].name,
	    rounds: length,
	    seconds: ([.[] | .patterns.flood.loads[0] | .connections / .per_second] | middle | round),
	    closes_per_second: ([.[] | 2 * flood_rate] | measured),
	    rate_of_empty: (ratios($turns; "empty-\($way)"; flood_rate) | measured),
	    peak_kb: ([.[].peak_kb | select(. > 0)] | max),
	    closes: ([.[].closes] | add),
	    records: ([.[].records] | add),
	    lost: ([.[].lost] | add),
	    untold: untold,
	    left: any(.[]; .left),
	    status: ([.[].status] | max) };

# A goal that cannot be asked here (a contestant is missing) is met: null.
def goal($name; $limit; $value):
	{ goal: $name, limit: $limit, value: $value, met: (if $value == null then null else $value <= $limit end) };

def contestant($name): .contestants[] | select(.name == $name);
def goals_of($way):
	. as $all
	| ([.contestants[] | select(.name | startswith("bpftrace")) | .start_ms.median] | min) as $slowest
	| ([.contestants[] | select(.name | startswith("bpftrace")) | .peak_kb.median] | min) as $largest
	| contestant("\($way)-json") as $mine
	| [ goal("\($way): BPF time to tcplife"; 0.15; $mine.bpf.mix.of_tcplife.median),
	    goal("\($way): BPF time to tcpstates"; 0.13; $mine.bpf.mix.of_tcpstates.median),
	    goal("\($way): BPF time to tcplife, means"; 0.15; $mine.bpf_mean.of_tcplife.median),
	    goal("\($way): BPF time to tcpstates, means"; 0.13; $mine.bpf_mean.of_tcpstates.median),
	    goal("\($way): BPF time to empty programs"; 4; $mine.bpf.mix.of_empty.median),
	    goal("\($way): filtered out, to empty programs"; 1.5;
		($all | contestant("\($way)-other") | .bpf.mix.of_empty.median)),
	    goal("\($way): what -k adds, to bpftrace's stacks"; 1;
		($all | contestant("\($way)-stack") | .close_end_added.median)),
	    goal("\($way): a lone record, ms"; 100; $mine.alone_ms.median),
	    goal("\($way): start-up to bpftrace's"; 0.2;
		(if $slowest then $mine.start_ms.median / $slowest else null end)),
	    goal("\($way): memory to bpftrace's"; 0.2;
		(if $largest then $mine.peak_kb.median / $largest else null end)),
	    goal("\($way): records lost"; 0; $mine.lost),
	    goal("\($way): closes not told"; 0; $mine.untold) ]
	  + [ $all.floods[] | select((.name | startswith("\($way)-")) and .untold != null)
		| goal("\(.name), flood: closes not told"; 0; .untold),
		  (select(.name | endswith("-c"))
			| goal("\(.name), flood: slower than empty by"; 0.1;
				(.rate_of_empty.median | if . then 1 - . else null end))),
		  (select(.name | endswith("-json"))
			| goal("\(.name), flood: records lost"; 0; .lost),
			  goal("\(.name), flood: slower than empty by"; 0.25;
				(.rate_of_empty.median | if . then 1 - . else null end))) ];

[.[] | select(.form)] as $readers
| [.[] | select(.patterns and (.patterns.flood | not))] as $turns
| [.[] | select(.patterns.flood)] as $floods
| def in_order($all): reduce .[] as $turn ([]; if index($turn.name) then . else . + [$turn.name] end)
	| map(. as $name | [$all[] | select(.name == $name)]);
{ contestants: [$turns | in_order($turns)[] | one($turns)],
  floods: [$floods | in_order($floods)[] | flood($floods)],
  readers: $readers,
  unfinished: [.[] | select(.unfinished)] }
| .goals = [ . as $all | ("fentry", "kprobe", "tracepoint") as $way
	| select(any($all.contestants[]; .name == "\($way)-json")) | $all | goals_of($way)[] ]
	+ [ .readers[] | select(.form == "json")
		| { goal: "reader: JSON records a second to \(.to)", limit: 500000,
		    value: .records_per_second, met: (.records_per_second >= 500000) } ]
	+ [ .readers[] | select(.form == "text")
		| goal("reader: allocations, text to \(.to)"; 0; .allocations) ]
