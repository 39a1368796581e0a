#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# run.sh [--large] [MODEL...]: check each model, and that it finds each of the
# bugs that its head lists. With --large the models have more processes, deaths
# and rounds; that takes many minutes and up to 8 GB of memory. TAP.
#
# With FAIR defined a model goes round for ever, and spin checks what its LTL
# formula promises if every process goes on. The bugs named UNFAIR_ break that.

set -u
models=$(dirname "$(readlink -f "$0")")
code=("$models"/../../kmod/*.[ch] "$models"/../../libuser/*.[ch])
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
n=0 failed=0 large=
if [ "${1-}" = --large ]; then
	large=yes
	shift
fi

# verify MODEL [DEFINE...]: prints what pan says
verify()
{
	local model=$1 how=-DSAFETY run=-m1000000 optimize=-O2

	shift
	cd "$tmp" || exit
	rm -f pan pan.* ./*.trail
	spin -a "${@/#/-D}" "$models/$model.pml" >spin.log 2>&1 || {
		cat spin.log
		return
	}
	case " $*" in
	*FAIR*)
		how="-DNFAIR=4"
		run+=" -a -f" ;;
	esac
	# A bug is found soon, so it does not pay to optimize.
	case " $*" in
	*BUG_* | *UNFAIR_*)
		run+=" -c1"
		optimize=-O0 ;;
	esac
	# shellcheck disable=SC2086
	gcc $optimize $how -DCOLLAPSE -DMEMLIM=8192 -w -o pan pan.c || return
	# shellcheck disable=SC2086
	./pan $run
}

result()
{
	n=$((n + 1))
	if [ "$1" = 0 ]; then
		echo "ok $n - $2"
	else
		echo "not ok $n - $2"
		tail -n 40 "$tmp/log" | sed 's/^/# /'
		failed=$((failed + 1))
	fi
}

# The functions that a model's comments name are in kmod/ or libuser/.
names_exist()
{
	local name status=0 names

	names=$(grep -Pzo '(?s)/\*.*?\*/' "$1" | tr '\0' '\n' |
		grep -oE '\b[a-z_0-9]+\(\)' | sort -u)
	[ "$(wc -w <<<"$names")" -ge 3 ] || {
		echo "it names no functions"
		status=1
	}
	for name in $names; do
		grep -qE "^(#define |[a-z].*[ *])?${name%()}\(" "${code[@]}" &&
			continue
		echo "there is no $name"
		status=1
	done
	return $status
}

# holds MODEL WHAT [DEFINE...]
holds()
{
	local model=$1 what=$2

	shift 2
	verify "$model" "$@" ${large:+LARGE} >"$tmp/log" 2>&1
	grep -q 'errors: 0$' "$tmp/log" &&
		! grep -qE 'not completed|max search depth' "$tmp/log"
	result $? "$model: $(awk '/states, stored/ { print $1 }' "$tmp/log") states, $what"
}

echo "TAP version 13"
for model in "$models"/*.pml; do
	name=$(basename "$model" .pml)
	[[ $# == 0 || " $* " == *" $name "* ]] || continue
	names_exist "$model" >"$tmp/log" 2>&1
	result $? "$name: the functions that it names exist"
	holds "$name" "no error"
	if grep -q '^ltl ' "$model"; then
		holds "$name" "nobody waits for ever" FAIR
	fi
	[ -z "$large" ] || continue
	while read -r bug; do
		fair=
		[[ $bug != UNFAIR_* ]] || fair=FAIR
		verify "$name" "$bug" $fair >"$tmp/log" 2>&1
		grep -q 'errors: 1$' "$tmp/log"
		result $? "$name: finds $bug"
	done < <(sed -n 's/^ \*	\(\(BUG\|UNFAIR\)_[A-Z_]*\).*/\1/p' "$model")
done
echo "1..$n"
echo "# totals: pass:$((n - failed)) fail:$failed skip:0"
[ "$failed" = 0 ]
