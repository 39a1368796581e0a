#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# run.sh [--large] [NAME...]: check each model, and that it finds each of the
# bugs that its head lists. With --large the models have more processes, deaths
# and rounds; that takes many minutes and up to 8 GB of memory. TAP.
#
# Then the litmus tests: what they ask for must never happen, and must happen when
# the code is changed in any of the ways that the head lists by sed's commands
# ("Needs:"). Those in C are for the kernel's memory model, the others for arm64's.
#
# With FAIR defined a model goes round for ever, and spin checks what its LTL
# formula promises if every process goes on. The bugs named UNFAIR_ break that.

set -u
models=$(dirname "$(readlink -f "$0")")
litmus=$models/../litmus
vm=$models/../vm
code=("$models"/../../kmod/{,cluster/}*.[ch] "$models"/../../libuser/*.[ch])
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
n=0 failed=0 skipped=0 large='' herd=''
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

# The functions that the comments name are in kmod/ or libuser/.
names_exist()
{
	local name status=0 names

	names=$(grep -Pzo '(?s)[(/]\*.*?\*[)/]' "$1" | tr '\0' '\n' |
		grep -oE '\b[a-z_0-9]+\(\)' | sort -u)
	[ "$(wc -w <<<"$names")" -ge 2 ] || {
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

# happens HOW_OFTEN TEST: herd7 says that what the test asks for happens so
happens()
{
	local how=()

	[[ $(head -n 1 "$2") != "C "* ]] || how=(-conf linux-kernel.cfg)
	(cd "$source/tools/memory-model" &&
		"$vm/toolchain.sh" "$herd" herd7 "${how[@]}" "$2") >"$tmp/log" 2>&1
	grep -q "^Observation [^ ]* $1 " "$tmp/log" &&
		! grep -qE 'Warning|rror' "$tmp/log"
}

litmus_test()
{
	local name=$2 change weaker=$tmp/weaker.litmus

	names_exist "$1" >"$tmp/log" 2>&1
	result $? "$name: the functions that it names exist"
	happens Never "$1"
	result $? "$name: never"
	while IFS= read -r change; do
		# The head names the change, too.
		sed "/Needs:/d; $change" "$1" >"$weaker"
		happens Sometimes "$weaker"
		result $? "$name: sometimes with $change"
	done < <(sed -n 's/^ \* Needs: //p' "$1")
}

# Whether $name is one of these, or there are none
selected()
{
	[[ $# == 0 || " $* " == *" $name "* ]]
}

echo "TAP version 13"
for model in "$models"/*.pml; do
	name=$(basename "$model" .pml)
	selected "$@" || continue
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
for test in "$litmus"/*.litmus; do
	name=$(basename "$test" .litmus)
	[ -z "$large" ] || continue
	selected "$@" || continue
	if [ -z "$herd" ]; then
		if ! herd=$("$vm/kernel.sh" herd7); then
			n=$((n + 1)) skipped=1
			echo "ok $n - litmus tests # SKIP there is no herd7"
			break
		fi
		source=$("$vm/kernel.sh" source) || exit
	fi
	litmus_test "$test" "$name"
done
echo "1..$n"
echo "# totals: pass:$((n - failed - skipped)) fail:$failed skip:$skipped"
[ "$failed" = 0 ]
