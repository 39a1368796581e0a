#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# coverage.sh KERNEL...: which lines of kmod/ and libuser/ are reached by the tests,
# run by test.sh with each of these. For `make coverage'; $TESTS and $SOAK are as for
# `make test'. Fails if a test does; the report is made all the same.
#
# The module counts on kasan alone, whose kernel can tell (gcov): that of loading and
# unloading it, too. The library counts in memory that all processes share, so what a
# process did is not lost when it is killed. The fast paths of the headers are not
# compiled into the programs here, which call the library's copies of them. What
# <gosync-tsan.h> and <gosync-uring.h> have for programs alone is not counted, nor is
# the static library.

set -euo pipefail

top=$(readlink -f "$(dirname "$0")/..")
report=$top/build/coverage
export GOSYNC_BUILD=$report/build
user=$GOSYNC_BUILD/user
cd "$top"
export LC_ALL=C
# shellcheck source=selftests/calling.sh
. selftests/calling.sh

# The file to count in is in the guest, whose init takes it home.
count='-fprofile-instr-generate=/gosync/lib/%m%c.profraw -fcoverage-mapping'
count+=' -mllvm -runtime-counter-relocation'
# `make tests' has said what is to be warned of.
CC=clang CFLAGS="-O2 -g -w $count" make lib
build_calling

# An empty file to count in, whose name says for which library it is. All users may.
rm -f "$user"/lib/*.profraw
LLVM_PROFILE_FILE=$user/lib/%m%c.profraw "$user/bin/gosync" --version >/dev/null
for file in "$user"/lib/*.profraw; do
	: >"$file"
	chmod 666 "$file"
done

rm -rf "$GOSYNC_BUILD"/test-*
status=0
GCOV_PROFILE=y selftests/test.sh "$@" || status=$?

echo "gosync: making the report (half a minute)" >&2
shopt -s nullglob
infos=()
raw=()
for out in "$GOSYNC_BUILD"/test-*/out; do
	raw+=("$out"/*.profraw)
	# The kernel's links lead to what the compiler has left beside the objects.
	counted=$out/gcov$GOSYNC_BUILD/kmod-kasan
	[ -d "$counted" ] || continue
	infos+=(-a "$out/module.info")
	# Some versions of it have functions twice.
	lcov -q -c -d "$counted" -o "$out/module.info" \
		2> >(grep -v '^Subroutine .* redefined' >&2)
done
llvm-profdata merge -failure-mode=all -o "$GOSYNC_BUILD/profdata" "${raw[@]}"
llvm-cov export -format=lcov -instr-profile "$GOSYNC_BUILD/profdata" \
	"$user/lib/libgosync-user.so" >"$GOSYNC_BUILD/library.info"
lcov -q "${infos[@]}" -a "$GOSYNC_BUILD/library.info" -o "$GOSYNC_BUILD/all.info"
sed -i "s|^SF:$GOSYNC_BUILD/kmod-kasan/|SF:$top/|" "$GOSYNC_BUILD/all.info"
lcov -q -e "$GOSYNC_BUILD/all.info" "$top/kmod/*" "$top/libuser/*" \
	-o "$report/coverage.info"
genhtml -q -p "$top" -t "gosync: lines that its tests reach" -o "$report" \
	"$report/coverage.info"
awk -F '[:,]' -v top="$top/" '
	function room(name) {
		if (!all[name])
			return name " was not counted"
		return sprintf("%s %.1f %% of %d lines", name,
			       100 * hit[name] / all[name], all[name])
	}
	function end_of_gap() {
		if (from)
			missed = missed " " from (to == from ? "" : "-" to)
		from = 0
	}
	$1 == "SF" {
		file = substr($2, length(top) + 1)
		lines = reached = 0
		missed = ""
	}
	$1 == "DA" {
		lines++
		if ($3 > 0) {
			reached++
			end_of_gap()
			next
		}
		if (!from)
			from = $2
		to = $2
	}
	$1 == "end_of_record" {
		end_of_gap()
		name = file
		sub(/\/.*/, "/", name)
		all[name] += lines
		hit[name] += reached
		if (reached < 0.95 * lines)
			printf "%s: %.1f %% of %d lines, without%s\n", file,
			       100 * reached / lines, lines, missed
	}
	END { print "coverage: " room("kmod/") ", " room("libuser/") }
' "$report/coverage.info"
exit $status
