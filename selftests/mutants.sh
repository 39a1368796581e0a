#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# mutants.sh KERNEL COUNT [SEED]: change the code of kmod/ and libuser/ in one place at a
# time, and see which of COUNT such changes the tests notice. In place of COUNT may stand
# the names of some, FILE:LINE:KIND, as they are printed. For `make mutants'. Fails only
# if it cannot be told: the tests have to pass on what is not changed.
#
# mutants.py makes the changes. One that does not compile, or leaves the objects as they
# were, is not counted, and another takes its place. A mutant of a primitive is given to
# that primitive's programs first, then to those that are about all; any other mutant
# to all programs. The first that fails, hangs or has the kernel complain ends it.
#
# A guest tries one mutant after the other. Where the kernel has crashed or is stuck
# another guest goes on; and if another mutant had done harm there before, the one at
# which it happened is tried once more, first in its guest.
#
# The fast paths of the headers are not compiled into the programs here, which call the
# library's copies of them. Scripts are not run, nor 32-bit programs; if $TESTS names
# some programs, only those.

set -euo pipefail

top=$(readlink -f "$(dirname "$0")/..")
vm=$top/selftests/vm
work=$top/build/mutants
source=$work/source
all=$work/all
kernel=$1
count=$2
seed=${3:-$RANDOM}
export GOSYNC_BUILD=$work/build
export LC_ALL=C
user=$GOSYNC_BUILD/user
cd "$top"
shopt -s nullglob
# shellcheck source=selftests/calling.sh
. selftests/calling.sh

say()
{
	echo "gosync: $*" >&2
}

die()
{
	echo "mutants.sh: $*" >&2
	exit 1
}

# --- building -------------------------------------------------------------

build_module()
{
	"$vm/toolchain.sh" "$kdir" make -s -C "$kdir/build" M="$source" modules
}

build_library()
{
	make -s -C "$source/libuser" O="$source/user" CFLAGS="-O2 -g -w"
}

# Objects that were made anew are as they were, but for what debuggers want to know.
same_code()
{
	local object

	while read -r object; do
		objcopy -g "$source/$object" "$work/new.o"
		objcopy -g "$work/pristine/$object" "$work/old.o"
		cmp -s "$work/new.o" "$work/old.o" || return
	done < <(cd "$source" && find kmod user/obj -name '*.o' -newer "$1")
}

# build NAME DIR: the mutant, with its name and its difference, into DIR
build()
{
	local name=$1 dir=$2 file=${1%%:*}

	# kbuild does nothing that was done in the same place.
	rm -rf "$source" "$dir"
	cp -a "$work/pristine" "$source"
	rm "$source/$file"
	selftests/mutants.py make "$name" >"$source/$file"
	mkdir -p "$dir"
	echo "$name" >"$dir/name"
	diff -u --label "a/$file" --label "b/$file" "$file" "$source/$file" >"$dir/diff" ||
		true
	case $file in
	kmod/*)
		build_module >"$work/compile.log" 2>&1 || return 1
		strip -g -o "$dir/gosync.ko" "$source/gosync.ko"
		;;
	*)
		build_library >"$work/compile.log" 2>&1 || return 1
		strip -g -o "$dir/$library" "$source/user/lib/$library"
		chmod a-x "$dir/$library"
		;;
	esac
	! same_code "$file" || return 2
}

# In the background: so many mutants, those that are of use, of the names
build_all()
{
	local name n=0 status

	while read -r name && [ $n != "$count" ]; do
		status=0
		build "$name" "$work/next" || status=$?
		case $status in
		1) echo "$name" >>"$work/uncompiled"; continue ;;
		2) echo "$name" >>"$work/equivalent"; continue ;;
		esac
		n=$((n + 1))
		mv "$work/next" "$(printf '%s/%04d' "$all" $n)"
	done <"$work/names"
	: >"$work/built"
}

# --- what is run ----------------------------------------------------------

# What is tested by programs that are not called as it is
declare -A first=([account]="owner charged" [await]=appear [change]="access names"
	[copy]="abi hostile" [command]="uring*" [cancel]="uring*" [gate]="uring*"
	[orphan]="uring*" [ioctl]="abi" [types]=abi [open]="abi names" [main]=module
	[ns]="isolation admin" [object]="stat names" [page]="mapping hostile"
	[place]="interrupted jump" [handle]="library*" [fork]="forked leave"
	[internal]="library*" [strerror]=library [gosync]="library*")
primitives='atomic|cond|map|mutex|once|rwmutex|semaphore|value|waitgroup'

# programs FILE: those for a mutant of it, in their order, and how long each of them may
# take and may be quiet: ten times what it did, and then some
programs()
{
	local stem=${1##*/} own pattern

	stem=${stem%%[._-]*}
	pattern=${first[$stem]-$stem ${stem}_*}
	set -f
	# shellcheck disable=SC2086 # some words, which become a regular expression
	own=$(printf '%s\n' $pattern | sed 's/\*/.*/g' | paste -sd '|')
	set +f
	sort -k 2n "$work/seconds" | awk -v own="^($own)$" -v is="$stem" \
		-v primitives="^($primitives)(_|$)" '
		{ limit = 10 * $2 + 60 " " 10 * $3 + 30 }
		$1 ~ own { print $1, limit; next }
		is ~ primitives && $1 ~ primitives { next }
		{ later[n++] = $1 " " limit }
		END { for (i = 0; i < n; i++) print later[i] }'
}

# boot DIR...: a guest tries these mutants. Each of them that came to its end has a
# verdict then. $under_way is the one at which the guest was lost, $why is what is
# known of it, and $harmed is how many were noticed before.
boot()
{
	local from patience what which rest status begun=''

	rm -rf "$user/lib/mutants"
	mkdir "$user/lib/mutants"
	cp -al "$@" "$user/lib/mutants"
	patience=$(awk '$2 > most { most = $2 } END { print most + 300 }' \
		"${@/%//programs}")
	exec {from}< <(exec "$vm/run" -k "$kernel" -c 1 -t 1000000 -o "$work/vm" -- \
		/gosync/bin/mutants_guest.sh "${@##*/}" 2>"$work/run.log")
	guest=$!
	under_way='' why='' harmed=0
	while :; do
		status=0
		read -r -t "$patience" what which rest <&"$from" || status=$?
		[ "$status" = 0 ] || break
		case $what in
		begins) under_way=$all/$which begun=1 ;;
		ran) echo "$which $rest" >>"$under_way/ran" ;;
		ends)
			verdict "$under_way" "$rest"
			[ "$rest" = survived ] || harmed=$((harmed + 1))
			under_way=
			;;
		esac
	done
	[ "$status" -le 128 ] || kill "$guest"
	wait "$guest" || true
	exec {from}<&-
	[ -n "$begun" ] || { cat "$work/run.log" >&2; die "the guest does not begin"; }
	if [ "$status" -gt 128 ]; then
		why="hung, with the guest"
	else
		why="crashed: $(sed -n '/complains:$/{n;p;q}' "$work/run.log")"
	fi
}

# verdict DIR WHAT: what became of the mutant
verdict()
{
	echo "$2" >"$1/verdict"
	[ "$1" != "$all/unchanged" ] || return 0
	printf '%-40s %s\n' "$(<"$1/name")" "$2"
	sed -n '/^[-+][^-+]/p' "$1/diff" | expand | sed 's/^\(.\) */  \1 /'
}

# --- the run --------------------------------------------------------------

[ "$kernel" != arm64 ] || die "not with the kernel arm64"
case $count in
*:*) ;;
*[!0-9]* | '') die "not a number, and not FILE:LINE:KIND: '$count'" ;;
esac
build_calling
kdir=$("$vm/kernel.sh" "$kernel")
library=$(basename "$user"/lib/libgosync-user.so.*)

rm -rf "${work:?}"/{source,pristine,all,names,equivalent,uncompiled,built}
mkdir -p "$source" "$all/unchanged"
cp -rs "$top"/{Kbuild,Makefile.common,kmod,libuser,uapi} "$source/"
say "building module and library (a minute)"
build_module
build_library
cp -a "$source" "$work/pristine"
mkdir -p "$GOSYNC_BUILD/kmod-${kernel##*/}"
strip -g -o "$GOSYNC_BUILD/kmod-${kernel##*/}/gosync.ko" "$source/gosync.ko"
install selftests/mutants_guest.sh "$user/bin/"

case $count in
*:*)
	tr ' ' '\n' <<<"$count" >"$work/names"
	while read -r name; do
		selftests/mutants.py make "$name" >/dev/null
	done <"$work/names"
	;;
*)
	say "the seed is $seed"
	selftests/mutants.py list "$seed" >"$work/names"
	;;
esac
: >"$work/equivalent"
: >"$work/uncompiled"
build_all &
builder=$! guest=
trap 'kill $builder $guest 2>/dev/null || true' EXIT

# What nobody has changed has to pass, and tells how long each program takes.
for program in ${TESTS:-"$user"/tests/*}; do
	program=${program##*/}
	# That one has no tests: others run it.
	[ "$program" != contend ] || continue
	[ "$(head -c 4 "$user/tests/$program")" != $'\177ELF' ] || echo "$program 900 900"
done >"$all/unchanged/programs"
say "running the tests on what is not changed"
boot "$all/unchanged"
if [ -n "$under_way" ] || [ "$(<"$all/unchanged/verdict")" != survived ]; then
	verdict=$why
	[ -n "$under_way" ] || verdict=$(<"$all/unchanged/verdict")
	die "without a change: $verdict"
fi
cp "$all/unchanged/ran" "$work/seconds"

again=
while :; do
	built=
	[ ! -e "$work/built" ] || built=1
	dirs=()
	for dir in "$all"/[0-9]*; do
		[ -e "$dir/verdict" ] || dirs+=("$dir")
	done
	# A guest takes time to boot, so that some are to be tried in it.
	if [ -z "$built" ] && [ ${#dirs[@]} -lt 10 ]; then
		sleep 1
		continue
	fi
	[ ${#dirs[@]} != 0 ] || break
	dirs=("${dirs[@]:0:30}")
	[ -z "$again" ] || dirs=("$again")
	for dir in "${dirs[@]}"; do
		programs "$(cut -d: -f1 "$dir/name")" >"$dir/programs"
	done
	boot "${dirs[@]}"
	again=
	[ -n "$under_way" ] || continue
	if [ $harmed = 0 ]; then
		verdict "$under_way" "$why"
	else
		again=$under_way
	fi
done

survivors=()
verdicts=("$all"/[0-9]*/verdict)
total=${#verdicts[@]}
for file in "${verdicts[@]}"; do
	[ "$(<"$file")" != survived ] || survivors+=("${file%/*}")
done
for dir in "${survivors[@]}"; do
	printf '\nsurvived: %s\n' "$(<"$dir/name")"
	cat "$dir/diff"
done
killed=$((total - ${#survivors[@]}))
echo
echo "mutants: $killed killed of $total ($((100 * killed / (total ? total : 1))) %)," \
	"$(wc -l <"$work/equivalent") equivalent (barriers and orders:" \
	"$(grep -c ':order' "$work/equivalent"))," \
	"$(wc -l <"$work/uncompiled") did not compile"
