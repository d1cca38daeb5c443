#compdef closetrace rst-client
# SPDX-License-Identifier: GPL-2.0-only
# Completion for zsh, installed as _closetrace. There is no list of anything here: the options are those of --help,
# the words of a value those that the program names when it refuses a bad one, or lists.

# What the program says to these arguments; neither root nor a terminal is needed for any of it.
_closetrace_ask() {
	_call_program words $program ${(q)@} '2>&1' '</dev/null'
}

# The words of the line that refuses a bad value: "... one of a, b, or c".
_closetrace_right() {
	_closetrace_ask "$@" | sed -nE 's/.*(one of|list of|of closes:|wanted is) /:/; s/,? or / /; s/,//g; s/^://p'
}

# HEADING: the names below it, of all where it is empty, as word:meaning.
_closetrace_names() {
	_closetrace_ask explain | awk -v heading="$1" '
		/^[a-z]+: / { below = index($0, heading) == 1 }
		/^  / && below && !seen[$1]++ { word = $1; sub(/^ +[^ ]+ +/, ""); gsub(/:/, "\\:"); print word ":" $0 }'
}

_closetrace_modes() {
	_closetrace_ask -l | awk 'NR > 1 { word = $1; sub(/^[^ ]+ +[^ ]+ +[^ ]+ +/, ""); gsub(/:/, "\\:"); print word ":" $0 }'
}

# KEY=VALUE[,VALUE...]
_closetrace_rule() {
	local key=${PREFIX%%=*}
	if compset -P '*='; then
		_sequence compadd - ${=$(_closetrace_right -e $key=)}
	else
		compadd -S = -q - ${=$(_closetrace_right -e =)}
	fi
}

_closetrace_value() {
	case $1 in
	--pid) _pids ;;
	--netns) _alternative 'processes:process:_pids' 'files:file:_files' ;;
	--comm) compadd - ${(u)${(f)"$(cat /proc/<->/comm 2>/dev/null)"}} ;;
	--cgroup) _files -/ ;;
	--output | --btf) _files ;;
	--branch) _sequence _closetrace_describe branch branch: ;;
	--via) compadd - ${=$(_closetrace_right --via '')} ;;
	--expect) _closetrace_rule ;;
	--mode) _closetrace_describe_modes ;;
	*) _message "$2" ;;
	esac
}

# WHAT HEADING [OPTION...]: the options are those of _sequence.
_closetrace_describe() {
	local what=$1 heading=$2
	local -a names=(${(f)"$(_closetrace_names $heading)"})
	shift 2
	_describe $what names "$@"
}

_closetrace_describe_modes() {
	local -a modes=(${(f)"$(_closetrace_modes)"})
	_describe mode modes
}

# A specification of _arguments for each option of --help, where a line is "  -p, --pid=PID   what it is".
_closetrace_options() {
	local line match mbegin mend short long what value
	_closetrace_ask --help | while IFS= read -r line; do
		[[ $line =~ '^ +(-[^- ,])?(, )?(--[a-z0-9-]+)?(=([^ ]+))?  +(.*)$' ]] || continue
		short=$match[1] long=$match[3] what=${match[6]%%;*} value=
		what="[${what//(#m)[\]\[:\\]/\\$MATCH}]"
		[[ -z $match[5] ]] || value=":${match[5]}:{_closetrace_value $long ${(q)match[5]}}"
		[[ -z $short ]] || print -r -- "*$short${value:++}$what$value"
		[[ -z $long ]] || print -r -- "*$long${value:+=}$what$value"
	done
}

_closetrace_first() {
	local -a commands=(${(f)"$(_closetrace_ask --help | sed -nE 's/^closetrace ([a-z]+)[^ ]* (\[NAME\])? *(.*)/\1:\3/p')"})
	_describe command commands
}

_closetrace() {
	setopt localoptions extendedglob
	local program=$words[1] service=${service:t}
	local -i command=${words[(ie)--]}
	local -a options
	if (( command < CURRENT )); then
		shift $command words
		(( CURRENT -= command ))
		_normal
		return
	fi
	options=(${(f)"$(_closetrace_options)"})
	if [[ $service == rst-client ]]; then
		_arguments -s : $options '1:host:_hosts' '2:port:_ports'
	elif [[ $words[2] == explain ]]; then
		(( CURRENT == 3 )) && _closetrace_describe name ''
	else
		_arguments -s : $options '1::command:_closetrace_first'
	fi
}

_closetrace "$@"
