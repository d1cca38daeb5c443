# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# Completion for bash, installed under the name of each program. There is no list of anything here: the options are
# those of --help, the words of a value those that the program names when it refuses a bad one.

# What the program says to these arguments; neither root nor a terminal is needed for any of it.
_closetrace_ask() {
	"${program/#\~\//$HOME/}" "$@" 2>&1 </dev/null
}

# A line for each: -4, --json, and -p= --pid= where a value follows.
_closetrace_options() {
	_closetrace_ask --help | awk '/^ +-/ {
		value = $1 ~ /=/ || $2 ~ /^--.*=/ ? "=" : ""
		for (i = 1; i <= 2 && $i ~ /^-/; i++) {
			sub(/[,=].*/, "", $i)
			print $i value
		}
	}'
}

# The words of the line that refuses a bad value: "... one of a, b, or c".
_closetrace_right() {
	_closetrace_ask "$@" | sed -nE 's/.*(one of|list of|of closes:|wanted is) /:/; s/,? or / /; s/,//g; s/^://p'
}

_closetrace_commands() {
	_closetrace_ask --help | sed -nE 's/^closetrace ([a-z]+) .*/\1/p'
}

_closetrace_names() {
	_closetrace_ask explain | sed -nE 's/^  ([a-z0-9-]+) .*/\1/p' | sort -u
}

_closetrace_modes() {
	_closetrace_ask -l | sed -E '1d; s/ .*//'
}

_closetrace_pids() {
	printf '%s\n' /proc/[0-9]* | sed 's,/proc/,,'
}

_closetrace_comms() {
	cat /proc/[0-9]*/comm 2>/dev/null | grep -xE '[[:alnum:]_.-]+' | sort -u
}

# WORDS: the value is one of them.
_closetrace_one() {
	mapfile -t COMPREPLY < <(compgen -W "$1" -- "$value")
}

# WORDS: the value is a list of them.
_closetrace_list() {
	local last=${value##*,}
	mapfile -t COMPREPLY < <(compgen -P "${value%"$last"}" -W "$1" -- "$last")
}

_closetrace_files() {
	mapfile -t COMPREPLY < <(compgen "$@" -- "$value")
	compopt -o filenames 2>/dev/null
}

# KEY=VALUE[,VALUE...]
_closetrace_rule() {
	local rule=$value
	if [[ $rule == *=* ]]; then
		value=${rule#*=} before+=${rule%%=*}=
		_closetrace_list "$(_closetrace_right -e "${rule%%=*}=")"
	else
		_closetrace_one "$(_closetrace_right -e = | sed -E 's/( |$)/=\1/g')"
		compopt -o nospace 2>/dev/null
	fi
}

# OPTION: its value.
_closetrace_value() {
	case $1 in
	-p | --pid) _closetrace_one "$(_closetrace_pids)" ;;
	--netns) if [[ $value == */* ]]; then _closetrace_files -f; else _closetrace_one "$(_closetrace_pids)"; fi ;;
	--comm) _closetrace_one "$(_closetrace_comms)" ;;
	--cgroup) _closetrace_files -d ;;
	-o | --output | --btf) _closetrace_files -f ;;
	-b | --branch) _closetrace_list "$(_closetrace_right -b '')" ;;
	--via) _closetrace_one "$(_closetrace_right --via '')" ;;
	-e | --expect) _closetrace_rule ;;
	-m | --mode) _closetrace_one "$(_closetrace_modes)" ;;
	esac
}

# Whether the word before this one is an option that awaits a value: in $option.
_closetrace_awaits() {
	option=$1
	[[ $1 != -[!-]* ]] || option=-${1: -1}
	[[ $1 == -* ]] && _closetrace_options | grep -qxF -e "$option="
}

_closetrace_offer_options() {
	_closetrace_one "$(_closetrace_options | sed 's/^\(-[^-]\)=$/\1/')"
	[[ ${COMPREPLY[*]} != --*= ]] || compopt -o nospace 2>/dev/null
}

# After "--": whatever that command completes, where bash-completion is there to say.
_closetrace_command() {
	local i=1
	while [ "$i" -lt "$COMP_CWORD" ] && [ "${COMP_WORDS[i]}" != -- ]; do
		i=$((i + 1))
	done
	if declare -F _comp_command_offset >/dev/null; then
		_comp_command_offset $((i + 1))
	elif declare -F _command_offset >/dev/null; then
		_command_offset $((i + 1))
	elif [ "${words[${#words[@]} - 2]}" = -- ]; then
		_closetrace_files -c
	else
		_closetrace_files -f
	fi
	return 0
}

_closetrace_operand() {
	if [[ ${program##*/} == rst-client ]]; then
		mapfile -t COMPREPLY < <(compgen -A hostname -- "$value")
	elif [ ${#words[@]} = 2 ]; then
		_closetrace_one "$(_closetrace_commands)"
	elif [ ${#words[@]} = 3 ] && [ "${words[1]}" = explain ]; then
		_closetrace_one "$(_closetrace_names)"
	fi
}

# The line is cut anew, at its spaces: bash cuts at "=" too, and wants only what follows the last one.
_closetrace() {
	local program=$1 line=${COMP_LINE:0:COMP_POINT} words value before='' option i
	COMPREPLY=()
	read -ra words <<<"$line"
	[[ $line != *[[:space:]] ]] || words+=('')
	value=${words[${#words[@]} - 1]}
	for ((i = 1; i < ${#words[@]} - 1; i++)); do
		[ "${words[i]}" = -- ] && _closetrace_command && return
	done
	if _closetrace_awaits "${words[${#words[@]} - 2]}"; then
		_closetrace_value "$option"
	elif [[ $value == --*=* ]]; then
		option=${value%%=*} before=${value%%=*}= value=${value#*=}
		_closetrace_value "$option"
	elif [[ $value == -* ]]; then
		_closetrace_offer_options
	else
		_closetrace_operand
	fi
	[[ $COMP_WORDBREAKS == *=* ]] || COMPREPLY=("${COMPREPLY[@]/#/$before}")
}

complete -F _closetrace closetrace rst-client
