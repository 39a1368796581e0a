#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# test.sh KERNEL...: run the tests in a virtual machine with each of these, and
# look at the files that they have written. The last line is the sum. For
# `make test', which has built them; $TESTS and $SOAK are as there.

set -uo pipefail

vm=$(dirname "$0")/vm
build=${GOSYNC_BUILD:-$(readlink -f "$(dirname "$0")/..")/build}
limit=2700
# It takes twice the time, and has no programs of this machine.
[ "$*" != arm64 ] || { build+=/arm64; limit=5400; }
how=()
if [ -n "${GCOV_PROFILE:-}" ]; then
	# To count takes time, and when a guest is ended its counts are lost.
	how=(env GOSYNC_TEST_LIMIT=7200)
	limit=20000
fi
if [ -n "${SOAK:-}" ]; then
	# Randomised tests go on for so many seconds each (up to 60).
	how=(env GOSYNC_TEST_SECONDS="$SOAK" GOSYNC_TEST_LIMIT=7200)
	limit=20000
fi

# The module is loaded anew in the first two, so that the last to be unloaded is the
# one that all others have used.
read -ra tests <<<"${TESTS:-}"
if [ ${#tests[@]} = 0 ]; then
	tests=(compat module)
	for program in "$build"/user/{tests,bindings/tests}/*; do
		[ -x "$program" ] || continue
		case $program in
		*.sh | */compat | */module | */contend) ;;
		*) tests+=("${program##*/}") ;;
		esac
	done
fi

# Some have the kernel patch its code all the time to trace it, and an emulated
# processor may still run into what another has patched back. So they get a
# machine with one, and with the tracers. The debug kernel is too slow for those, for
# the command at work and the examples. What takes longest there, and as a 32-bit
# program, has its time in `make test-all' alone ($ALL); so has, as such, what tries
# the kernel more than the library.
#
# Machines with one processor are run side by side, and get what takes long and
# is not so much about processors getting in each other's way: 32-bit programs,
# the command at work, and most of what the debug kernel is for, in two parts of
# about the same length. The bindings have one of their own, as only it has what
# their languages need.
plain=() alone=() traced=() bound=() debug=() debug1=() debug2=()
for test in "${tests[@]}"; do
	case $test in
	binding_*) bound+=("$test"); continue ;;
	trace | trace_command | tracers) traced+=("$test") ;;
	abi | access | admin | cancelled | contract | examples | failing | failnth | \
	isolation | library* | live | map | mapping | names | poll* | run | shell | \
	semaphore | stepped | tending | tool | uring_ended | uring_many | \
	uring_operations)
		alone+=("$test") ;;
	*) plain+=("$test") ;;
	esac
	case ${ALL:-}${TESTS:-}:$test in
	:contract | :isolation) continue ;;
	esac
	case $test in
	examples | failing | live | run | shell | stepped | tending | tool | \
	trace_command | tracers | tsan) ;;
	abi | access | admin | appear | atomic | cond* | failnth | forked | isolation | \
	library* | map | map_many | mapping | names | owner | strangers | wait_all | \
	wait_any | waitgroup)
		debug1+=("$test") ;;
	contract | cxx | interrupted | mutex | once | poll* | rwmutex* | semaphore* | \
	stat | trace | uring* | value | wait_change)
		debug2+=("$test") ;;
	*) debug+=("$test") ;;
	esac
done
both=()
[ -n "${TESTS:-}" ] || both=(--64)
tracers=()
if [ ${#traced[@]} != 0 ] && [ "$*" != arm64 ]; then
	"$vm/deps.sh" trace ||
		echo "test.sh: what needs these is skipped" >&2
	for program in perf trace-cmd bpftrace; do
		! command -v "$program" >/dev/null || tracers+=(-p "$program")
	done
fi

languages=(-m 2G -d "$build/user/bindings:/gosync/bindings")
if [ ${#bound[@]} != 0 ] && [ -x /usr/bin/python3 ]; then
	# Debian's, with its modules, without what a guest has no use for
	stdlib=$(/usr/bin/python3 -c 'import os; print(os.path.dirname(os.__file__))')
	rm -rf "$build/python"
	mkdir -p "$build/python"
	tar -C "$stdlib" -c --exclude='./config-*' --exclude='*-31?d-*' \
		--exclude=./{distutils,ensurepip,idlelib,lib2to3,pydoc_data} \
		--exclude=./{test,tkinter,turtledemo} . | tar -C "$build/python" -x
	languages+=(-p /usr/bin/python3 -d "$build/python:$stdlib")
fi

# run NAME [OPTION...] -- [OPTION] PROGRAM...: with $kernel
run()
{
	local out=$build/$1 options=()

	shift
	while [ "$1" != -- ]; do
		options+=("$1")
		shift
	done
	shift
	"$vm/run" -k "$kernel" "${options[@]}" -t $limit -o "$out" -- \
		"${how[@]}" /gosync/tests/run_tests.sh "$@"
}

# As run, and beside others; what it says is seen when all have ended.
dirs=() later=()
run_aside()
{
	rm -rf "${build:?}/$1"
	run "$@" >"$build/$1.log" 2>&1 &
	dirs+=("$build/$1")
	later+=("$build/$1.log")
}

built=()
for kernel; do
	if make module other KERNEL="$kernel"; then
		built+=("$kernel")
	else
		dirs+=("$build/test-${kernel##*/}")
	fi
done
for kernel in "${built[@]}"; do
	main=("${plain[@]}") bits=("${both[@]}")
	case $kernel in
	kasan) main=("${debug[@]}") ;;
	# What these look for takes two processors.
	kcsan | rt-lockdep)
		main=("${debug[@]}" "${debug1[@]}" "${debug2[@]}") bits=(--64)
		limit=5400
		;;
	esac
	[ ${#main[@]} != 0 ] || continue
	name=test-${kernel##*/}
	dirs+=("$build/$name")
	rm -rf "${build:?}/$name"
	run "$name" -- "${bits[@]}" "${main[@]}"
done
for kernel in "${built[@]}"; do
	name=test-${kernel##*/}
	case $kernel in
	kcsan | rt-lockdep) continue ;;
	esac
	if [ "$kernel" = kasan ]; then
		[ ${#debug1[@]} = 0 ] ||
			run_aside "$name-1" -c 1 -- "${debug1[@]}"
		[ ${#debug2[@]} = 0 ] ||
			run_aside "$name-2" -c 1 -- --64 "${debug2[@]}"
		continue
	fi
	[ ${#alone[@]} = 0 ] ||
		run_aside "$name-alone" -c 1 -- "${both[@]}" "${alone[@]}"
	[ ${#bound[@]} = 0 ] || [ "$kernel" = arm64 ] ||
		run_aside "$name-bindings" "${languages[@]}" -- --64 "${bound[@]}"
	[ ${#traced[@]} = 0 ] || run_aside "$name-tracing" -c 1 \
		"${tracers[@]}" -- "${both[@]}" "${traced[@]}"
	[ ${#both[@]} != 0 ] || continue
	if [ -d "$build/user32/tests" ]; then
		programs=()
		for test in "${plain[@]}" "${traced[@]}" "${alone[@]}"; do
			case ${ALL:-}:$test in
			:contract | :failing | :hostile* | :isolation | :map_many | \
			:murder | :*_races | :stat | :stepped | :strangers) ;;
			*) programs+=("$test") ;;
			esac
		done
		run_aside "$name-32" -c 1 -- --32 "${programs[@]}"
		continue
	fi
	mkdir -p "$build/$name-32"
	echo 0 >"$build/$name-32/status"
	printf '%s\n' "ok 1 32-bit programs # SKIP no compiler for them" 1..1 \
		"# totals: pass:0 fail:0 skip:1" |
		tee "$build/$name-32/output.log"
	dirs+=("$build/$name-32")
done
wait
[ ${#later[@]} = 0 ] || cat "${later[@]}"

for kernel in "${built[@]}"; do
	name=test-${kernel##*/}
	recording=$build/$name-tracing/out/trace
	[ -e "$recording/recording" ] || continue
	dirs+=("$build/$name-files")
	mkdir -p "$build/$name-files"
	"${0%/*}/kernel/trace_files.sh" "$recording" |
		tee "$build/$name-files/output.log"
	echo "${PIPESTATUS[0]}" >"$build/$name-files/status"
done

# What several machines share
case ${TESTS:-}${SOAK:-}${GCOV_PROFILE:-}:" ${built[*]} " in
:*" stock "*)
	dirs+=("$build/test-cluster")
	mkdir -p "$build/test-cluster"
	"${0%/*}/cluster/test.sh" "$build/cluster" | tee "$build/test-cluster/output.log"
	echo "${PIPESTATUS[0]}" >"$build/test-cluster/status" ;;
esac
"$vm/summary.sh" "${dirs[@]}"
