# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Completion for gosync(1). The command itself lists the words: commands and
# options by --help, columns by --list-columns, names by ls.

# The lines of a help text that begin with options, without their descriptions
_gosync_options()
{
	gosync "$@" --help 2>/dev/null |
		sed -n 's/^  \( \{4\}\)\{0,1\}\(-.*\)/\2/p' | sed 's/  .*//'
}

# The argument of an option: LIST, FILE ..., or nothing
_gosync_argument()
{
	local option=$1 line

	shift
	# Several letters after one dash: the last may have an argument.
	[[ $option != -[!-]?* ]] || option=-${option: -1}
	while read -r line; do
		case ", $line," in
		*", $option,"* | *", $option="*)
			line=${line##*=}
			[[ $line == -* ]] || echo "${line%% *}"
			return ;;
		esac
	done < <(_gosync_options "$@")
}

# The names, as a shell reads them
_gosync_names()
{
	local name

	while read -r name; do
		printf -v name %b "$name"
		printf '%q\n' "$name"
	done < <(gosync ls --raw --noheadings -o NAME 2>/dev/null)
}

_gosync()
{
	local line=${COMP_LINE:0:COMP_POINT} cur before kind='' usage word
	local -a words command=() all=()
	local i plain=0 list=''

	# bash would take words apart at : and =, which names may have.
	read -ra words <<<"$line"
	cur=''
	if [[ $line != *[[:space:]] ]]; then
		cur=${words[-1]}
		unset 'words[-1]'
	fi
	words=("${words[@]:1}")

	# The command, its verb if it has one, and how many arguments there are
	if [ ${#words[@]} -gt 0 ]; then
		command=("${words[0]}")
		usage=$(gosync "${words[0]}" --help 2>/dev/null)
		if [[ $usage == *" VERB "* ]] && [ ${#words[@]} -gt 1 ]; then
			command+=("${words[1]}")
			usage=$(gosync "${command[@]}" --help 2>/dev/null)
		fi
	fi
	before=${words[*]: -1}
	for ((i = ${#command[@]}; i < ${#words[@]}; i++)); do
		word=${words[i]}
		case $word in
		--) [[ ${usage%%$'\n'*} != *COMMAND* ]] || plain=1000 ;;
		-?*)
			[[ $word == --*=* ]] ||
			   [ -z "$(_gosync_argument "$word" "${command[@]}")" ] ||
				i=$((i + 1)) ;;
		*) plain=$((plain + 1)) ;;
		esac
	done

	if [ ${#command[@]} = 0 ]; then
		mapfile -t all < <(gosync --help 2>/dev/null |
			sed -n '/^Commands:/,/^$/s/^  \([a-z]*\) .*/\1/p')
	elif [[ $usage == *" VERB "* ]]; then
		mapfile -t all < <(sed -n 's/^  \([a-z]*\) NAME.*/\1/p' \
			<<<"$usage")
	elif [[ $plain -lt 1000 && $cur == --*=* ]]; then
		kind=$(_gosync_argument "${cur%%=*}" "${command[@]}")
		list=${cur%%=*}=
	elif [[ $plain -lt 1000 && $before == -?* && $before != --*=* ]]; then
		kind=$(_gosync_argument "$before" "${command[@]}")
	fi

	if [ -n "$kind" ]; then
		:
	elif [[ ${#all[@]} = 0 && $plain -lt 1000 && $cur == -* ]]; then
		mapfile -t all < <(_gosync_options "${command[@]}" |
			grep -oE -- '--[a-z][a-z0-9-]*')
	elif [ ${#all[@]} = 0 ]; then
		usage=${usage%%$'\n'*}
		if [[ $plain = 0 && $usage =~ ' '(MODE|OWNER)[^[:space:]]*' NAME' ]]; then
			kind=${BASH_REMATCH[1]}
		elif [[ $usage == *NAME* ]] &&
		   { [ $plain = 0 ] || [[ $usage == *NAME...* ]]; } &&
		   [ $plain -lt 1000 ]; then
			mapfile -t all < <(_gosync_names)
		elif [[ $usage == *COMMAND* ]]; then
			kind=COMMAND
		elif [[ $usage == *FILE* ]]; then
			kind=FILE
		fi
	fi

	case $kind in
	LIST)
		[ -z "$list" ] || cur=${cur#*=}
		word=${cur%"${cur##*[,+]}"}
		mapfile -t all < <(gosync "${command[@]}" --list-columns \
			2>/dev/null | awk '{ print $1 }')
		all=("${all[@]/#/"$list$word"}")
		cur=$list$cur
		compopt -o nospace 2>/dev/null ;;
	FILE)
		mapfile -t all < <(compgen -f -- "${cur#"$list"}")
		all=("${all[@]/#/"$list"}")
		compopt -o filenames 2>/dev/null ;;
	COMMAND)
		mapfile -t all < <(compgen -c -- "$cur") ;;
	OWNER)
		if [[ $cur == *:* ]]; then
			mapfile -t all < <(compgen -g -- "${cur#*:}")
			all=("${all[@]/#/"${cur%%:*}:"}")
		else
			mapfile -t all < <(compgen -u -- "$cur")
		fi ;;
	esac

	COMPREPLY=()
	for word in "${all[@]}"; do
		[[ -z $word || $word != "$cur"* ]] || COMPREPLY+=("$word")
	done
	# The completion replaces only the part after the last : or =.
	word=${cur%"${cur##*[:=]}"}
	COMPREPLY=("${COMPREPLY[@]#"$word"}")
}

complete -F _gosync gosync
