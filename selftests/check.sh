#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# check.sh [FUNCTION...]: the static checks, as TAP. Each function below is one; it
# prints what is wrong and fails if anything is. Needs the network only for what is
# not yet in the cache.
#
# The code is formatted as checkpatch wants it. clang-format, with the kernel's
# own settings, would undo the columns of defines and comments and does not
# know guard(), so layout() looks at white space instead.

set -uo pipefail

cd "$(dirname "$0")/.." || exit 1
export LC_ALL=C
vm=selftests/vm
work=$PWD/build/check
# All checks build the same programs once, so they build with the same warnings.
strict='-O2 -Wall -Wextra -Werror'
uapi=uapi/linux/gosync.h

mapfile -t files < <(find . \( -name .git -o -path ./build \) -prune -o \
	-type f -printf '%P\n' | sort)
mapfile -t scripts < <(grep -lE '^#!.*sh( |$)' "${files[@]}")
mapfile -t sources < <(printf '%s\n' "${files[@]}" | grep -E '\.(c|h|cc|cpp)$')
mapfile -t kernel_sources < <(printf '%s\n' "${sources[@]}" | grep '^kmod/')
# C++ has its own, cpp_format().
mapfile -t user_sources < <(printf '%s\n' "${sources[@]}" |
	grep -vE '^kmod/|^bindings/.*\.cpp$')

# --- the checks -----------------------------------------------------------

# gcc's W=1 and sparse, on links to the sources, since kbuild writes there.
sparse()
{
	rm -rf "$work/kmod"
	mkdir -p "$work/kmod"
	cp -rs "$PWD/Kbuild" "$PWD/kmod" "$PWD/uapi" "$work/kmod/"
	make -C "$stock/build" M="$work/kmod" W=1 C=2 modules \
		>"$work/sparse.log" 2>&1 || { cat "$work/sparse.log"; return 1; }
	! grep -E 'warning:|error:|WARNING:|ERROR:' "$work/sparse.log"
}

# Each file of the module calls only files in lower lines of the list at the top
# of kmod/gosync.h. The objects are those of sparse().
layers()
{
	local objects=$work/kmod/kmod list=$work/layers

	sed -n '/^ \* Layers/,/^ \* Locks/s/^ \*\t\([^\t].*\)/\1/p' kmod/gosync.h |
		awk '{ for (i = 1; $i ~ /\.c$/; i++) print $i, NR }' >"$list"
	diff <(cut -d' ' -f1 "$list" | sort) \
		<(cd "$objects" && printf '%s\n' *.o | sed 's/o$/c/' | sort) &&
		diff <(cut -d' ' -f1 "$list" | sort) \
			<(cd kmod && printf '%s\n' *.c | sort) || return 1
	(cd "$objects" && nm -A -P ./*.o) | awk '
		NR == FNR { layer[$1] = $2; next }
		{
			file = substr($1, 3)
			sub(/\.o:$/, ".c", file)
			if ($3 == "U")
				uses[file " " $2]
			else if ($3 ~ /[A-Z]/)
				home[$2] = file
		}
		END {
			for (use in uses) {
				split(use, part, " ")
				from = part[1]
				to = home[part[2]]
				if (!to || layer[to] > layer[from])
					continue
				print from " uses " part[2] " of " to \
					", which is not below it"
				bad = 1
			}
			exit bad
		}' "$list" -
}

# The version is asked only where a feature cannot be, in compat.h; comparing
# constants is about the order in `if (0 == x)`, and mistakes #if and asserts.
kernel_ignore=LINUX_VERSION_CODE,CONSTANT_COMPARISON

# BIT(), u64, strscpy() and __printf() are not to be had in user space, which
# has signal handlers (volatile), typedefs for handles, and C11's _Atomic. A
# filter of system calls may say ENOSYS.
user_ignore=BIT_MACRO,PREFER_KERNEL_TYPES,STRCPY
user_ignore+=,PREFER_DEFINED_ATTRIBUTE_MACRO,VOLATILE,NEW_TYPEDEFS
user_ignore+=,EMBEDDED_FUNCTION_NAME,CAMELCASE,ENOSYS
# The templates of the atomic operations and of opening, which are macros that
# make functions.
template_ignore=COMPLEX_MACRO,MACRO_ARG_REUSE,MACRO_ARG_PRECEDENCE
template_ignore+=,MACRO_ARG_UNUSED,SPACING
# Tracepoints are written in a language of their own.
trace_ignore=$template_ignore,TRAILING_SEMICOLON,PARENTHESIS_ALIGNMENT
trace_ignore+=,OPEN_ENDED_LINE
# Tests are made by the harness's macros; checkpatch takes what is between them
# for something else, and so a pointer for a product.
tests_ignore=COMPLEX_MACRO,MACRO_ARG_REUSE,SPACING,BRACES
tests_ignore+=,MULTISTATEMENT_MACRO_USE_DO_WHILE,MULTIPLE_ASSIGNMENTS
tests_ignore+=,MACRO_WITH_FLOW_CONTROL,MACRO_ARG_PRECEDENCE
tests_ignore+=,PARENTHESIS_ALIGNMENT,LINE_SPACING
# Python's C API wants lists of names that are not constant, and strings in macros;
# its docstrings begin in the first column.
python_ignore=$template_ignore,STATIC_CONST_CHAR_ARRAY,PARENTHESIS_ALIGNMENT

checkpatch()
{
	local status=0

	"$source/scripts/checkpatch.pl" --no-tree --strict --terse \
		--show-types --no-summary "$@" || status=1
	rm -f .checkpatch-camelcase.*
	return $status
}

checkpatch_kernel()
{
	local status=0 file ignore

	for file in "${kernel_sources[@]}"; do
		ignore=$kernel_ignore
		case $file in
		*/trace.h) ignore+=,$trace_ignore ;;
		esac
		checkpatch --ignore "$ignore" -f "$file" || status=1
	done
	return $status
}

checkpatch_user()
{
	local status=0 file ignore
	# What is ignored, and the files: a run for each of them would take twice as long.
	local -A of=()

	for file in "${user_sources[@]}"; do
		ignore=$user_ignore
		case $file in
		libuser/gosync-user.h | libuser/gosync-atomic.h | \
		libuser/gosync-tsan.h | libuser/internal.h)
			ignore+=,$template_ignore ;;
		# C90 has no plain inline.
		uapi/*) ignore+=,INLINE ;;
		selftests/* | bindings/cpp/bench/*) ignore+=,$tests_ignore ;;
		bindings/python/*) ignore+=,$python_ignore ;;
		esac
		of[$ignore]+=" $file"
	done
	for ignore in "${!of[@]}"; do
		# shellcheck disable=SC2086 # a list
		checkpatch --ignore "$ignore" -f ${of[$ignore]} || status=1
	done
	return $status
}

kernel_doc()
{
	"$source/scripts/kernel-doc" -none -Wall -Werror "${sources[@]}"
}

shell_check()
{
	shellcheck -x "${scripts[@]}"
}

# White space at the end, before a tab, or for a tab; the last line.
layout()
{
	local status=0 file text=() code=()

	for file in "${files[@]}"; do
		case $file in
		*.svg | *.png | LICENSES/*) continue ;;
		*.[ch] | *.sh | */Makefile) code+=("$file") ;;
		esac
		text+=("$file")
	done
	! grep -nHE $'[ \t\r]$| \t' "${text[@]}" || status=1
	! grep -nHE '^ {8}' "${code[@]}" || status=1
	! perl -0777 -ne 'print "$ARGV: should end with one end of line\n"
		unless /[^\n]\n\z/' "${text[@]}" | grep . || status=1
	return $status
}

# In $license
set_license_of()
{
	case $1 in
	kmod/* | Kbuild) license="GPL-2.0-only" ;;
	uapi/*) license="GPL-2.0 WITH Linux-syscall-note" ;;
	libuser/Makefile) license="(GPL-2.0-only|LGPL-2.1-or-later)" ;;
	libuser/* | bindings/* | debian/*.symbols) license="LGPL-2.1-or-later" ;;
	*) license="GPL-2.0-only" ;;
	esac
}

spdx()
{
	local status=0 file license first

	for file in "${files[@]}"; do
		case $file in
		*.md | *.svg | *.json | *.gitignore | LICENSE* | COPYING*)
			continue ;;
		# Their formats have no comments.
		debian/changelog | debian/copyright | debian/source/format)
			continue ;;
		esac
		set_license_of "$file"
		mapfile -n 3 first <"$file"
		if ! [[ ${first[*]} =~ \
			"SPDX-License-Identifier: "$license(" */")?$'\n' ]]; then
			echo "$file: no SPDX line with $license"
			status=1
		fi
	done
	return $status
}

# Comments are /* */; the SPDX line of a .c file is the kernel's exception.
comments()
{
	! grep -nHE '(^|[^:"])//' "${sources[@]}" |
		grep -v ':1:// SPDX-License-Identifier:'
}

# go_tool ARGUMENT...: Debian's, in the binding, and nothing from the network
go_tool()
{
	(cd bindings/go && env CGO_ENABLED=0 GOCACHE="$work/go" GOFLAGS=-mod=readonly \
		GOPROXY=off GOTOOLCHAIN=local go "$@")
}

# The format, and what go vet finds, for each architecture that the binding knows
go_code()
{
	local status=0 arch

	! gofmt -l bindings/go | grep . || status=1
	for arch in amd64 arm64 386 arm; do
		GOARCH=$arch go_tool vet ./... || status=1
	done
	return $status
}

# Each program that the page shows is one.
go_page()
{
	local status=0 file dir=$work/go_page
	local -a programs

	rm -rf "$dir"
	mkdir -p "$dir"
	awk -v dir="$dir" '
		/^```/ { file = "" }
		file { print >file }
		/^```go$/ { file = dir "/" ++n ".go" }' Documentation/go.md
	mapfile -t programs < <(grep -l '^package main$' "$dir"/*.go)
	[ ${#programs[@]} != 0 ] || { echo "no program"; return 1; }
	for file in "${programs[@]}"; do
		! gofmt -l "$file" | grep . || status=1
		go_tool vet "$file" || status=1
	done
	return $status
}

# What the Go binding has from the uapi header
go_constants()
{
	diff -U 3 --label "mkuapi.go $uapi" --label bindings/go/uapi.go \
		<(go_tool run mkuapi.go "$PWD/$uapi") bindings/go/uapi.go
}

# What user space makes the kernel allocate is charged to its memory cgroup.
charged()
{
	local not='GFP_(KERNEL|USER|HIGHUSER)|v?memdup_user\w*|strn?dup_user'

	! grep -nHE "\<($not)\>|\<v[mz]alloc(_user|_node)?\(" \
		"${kernel_sources[@]}"
}

# compiles COMPILER STANDARD LANGUAGE HEADER...: without a warning
compiles()
{
	local compiler=$1 std=$2 language=$3

	shift 3
	printf '#include <%s>\n' "$@" |
		$compiler -std="$std" -Wall -Wextra -Wpedantic -Wconversion \
		-Wshadow -Werror -fsyntax-only -Iuapi -Ilibuser \
		-x"$language" - && return
	echo "$compiler -std=$std: $*"
	return 1
}

# What people include stands alone, whatever came before it, with whatever
# warnings they have asked for.
headers()
{
	local status=0 compiler std

	for compiler in gcc clang; do
		for std in c99 gnu99 c11 gnu11 gnu2x; do
			compiles $compiler $std c gosync-user.h || status=1
			compiles $compiler $std c stdbool.h gosync-user.h ||
				status=1
		done
		# liburing's own needs GNU C, and 64 bits here.
		for std in gnu99 gnu2x; do
			compiles $compiler $std c gosync-uring.h || status=1
		done
		[ -z "$m32" ] ||
			compiles "$compiler -m32" gnu11 c gosync-user.h ||
			status=1
		compiles "$compiler -fsanitize=thread" gnu11 c gosync-user.h ||
			status=1
	done
	# Debian 11's has no __aligned_s64.
	mkdir -p "$work/old/linux"
	printf '%s\n' "#include_next <linux/types.h>" "#undef __aligned_s64" \
		>"$work/old/linux/types.h"
	compiles "gcc -isystem $work/old" gnu11 c gosync-user.h || status=1
	for compiler in g++ clang++; do
		for std in c++11 c++17 c++20; do
			compiles $compiler $std c++ gosync-user.h || status=1
			compiles $compiler $std c++ gosync-uring.h || status=1
			compiles "$compiler -fsanitize=thread" $std c++ \
				gosync-user.h || status=1
		done
	done
	# shellcheck disable=SC2086
	gcc -std=c90 -Wall -Wpadded -Werror -fsyntax-only -Iuapi -xc \
		$uapi || status=1
	return $status
}

# wrap TYPE GET PUT [ARGUMENT]: two functions of a program, each called three times
wrap()
{
	local i

	echo "static inline int get_$1(gosync_$1_t *h) { return gosync_$1_$2(h${4-}); }"
	echo "static inline int put_$1(gosync_$1_t *h) { return gosync_$1_$3(h${4-}); }"
	for i in 1 2 3; do
		echo "int use_$1_$i(gosync_$1_t *h)"
		echo "{ return get_$1(h) + work($i) + put_$1(h); }"
	done
}

# A program's own function around a fast path is inlined, with its probes: the
# object has no function but those that are called from elsewhere.
wrappers()
{
	local status=0 compiler file=$work/wrappers

	{
		echo '#include <gosync-user.h>'
		echo 'int work(int i);'
		wrap mutex lock unlock
		wrap rwmutex rlock runlock
		wrap semaphore acquire release ', 1'
	} >"$file.c"
	for compiler in gcc clang; do
		$compiler -O2 -Iuapi -Ilibuser -c -o "$file.o" "$file.c" ||
			return 1
		! nm "$file.o" | grep ' t ' || status=1
		[ "$(readelf -n "$file.o" | grep -c 'Provider: libgosync')" = 18 ] && continue
		echo "$compiler: not a probe in each of 18 places"
		status=1
	done
	return $status
}

# The C++ headers compile alone, and their tests, without a warning, by both
# compilers, for each standard, and without what a program may do without.
cpp()
{
	local status=0 compiler std without header
	local flags="-Wold-style-cast -Ibindings/cpp -Ibindings/cpp/tests"

	for compiler in g++ clang++; do
		for std in c++17 c++20 c++2b; do
			for without in "" "-fno-exceptions -fno-rtti"; do
				compiles "$compiler $flags $without" $std c++ \
					gosync.hpp || status=1
			done
			compiles "$compiler $flags" $std c++ \
				"$PWD/bindings/cpp/tests/requirements.cpp" ||
				status=1
		done
		for header in bindings/cpp/gosync/*.hpp; do
			compiles "$compiler $flags" c++17 c++ \
				"${header#bindings/cpp/}" || status=1
		done
		for without in -fno-exceptions -fno-rtti -fsanitize=thread; do
			compiles "$compiler $flags $without" c++17 c++ \
				gosync.hpp || status=1
		done
	done
	for header in bindings/cpp/{tests,examples,bench}/*.cpp; do
		without=
		[[ $header != */noexcept.cpp ]] || without=-fno-exceptions
		compiles "clang++ $flags -Ibindings/cpp/bench $without" c++17 c++ \
			"$PWD/$header" || status=1
	done
	return $status
}

cpp_format()
{
	clang-format --dry-run -Werror bindings/cpp/{.,*}/*.?pp
}

# pair NAME C-TYPE C-GET C-PUT C++-TYPE C++-GET C++-PUT: two operations around
# another, in C and in C++; the C handle is in a structure, as in a class of C++
pair()
{
	{
		echo "struct $1 { gosync_$2_t *h; };"
		echo "void $1(struct $1 *o) { check(gosync_$2_$3);"
		echo "work(); check(gosync_$2_$4); }"
	} >>"$work/pairs.c"
	echo "void $1(gosync::$5 &o) { o.$6; work(); o.$7; }" >>"$work/pairs.cpp"
}

# hot OBJECT FUNCTION: its instructions, without addresses and padding, up to the
# return; what an operation does if it fails comes after that
hot()
{
	objdump -d --no-show-raw-insn "$1" | awk -v begin="<$2>:" '
		$2 == begin { on = 1; next }
		!on { next }
		{
			sub(/^ *[0-9a-f]+:\t/, "")
			sub(/[0-9a-f]+ <.*/, "")
			gsub(/ +$/, "")
		}
		/^(cs )?nop[lw]|^data16|^xchg +%ax,%ax/ { next }
		{ print }
		/^ret/ { exit }'
}

# Where nobody waits, C++ runs the instructions of C: those of a Mutex are the very
# same ones; of the others there are no more. What std::lock_guard calls is inlined.
cpp_fast_paths()
{
	local status=0 c name object=$work/pairs

	{
		echo '#include <gosync-user.h>'
		echo '__attribute__((noreturn, cold)) void failed(int ret);'
		echo 'void work(void);'
		echo 'static inline __attribute__((always_inline)) void check(int ret)'
		echo '{ if (__builtin_expect(ret != 0, 0)) failed(ret); }'
	} >"$work/pairs.c"
	{
		echo '#include <gosync.hpp>'
		echo '#include <mutex>'
		echo 'extern "C" {'
		echo 'void work();'
	} >"$work/pairs.cpp"
	pair mutex mutex 'lock(o->h)' 'unlock(o->h)' mutex 'lock()' 'unlock()'
	pair rlock rwmutex 'rlock(o->h)' 'runlock(o->h)' \
		rwmutex 'lock_shared()' 'unlock_shared()'
	pair semaphore semaphore 'acquire(o->h, 1)' 'release(o->h, 1)' \
		semaphore 'acquire()' 'release()'
	pair waitgroup waitgroup 'add(o->h, 1)' 'done(o->h)' \
		waitgroup 'add(1)' 'done()'
	echo 'void guard(gosync::mutex &m) { std::lock_guard g(m); work(); }' \
		>>"$work/pairs.cpp"
	echo '}' >>"$work/pairs.cpp"
	for c in gcc clang; do
		$c -O2 -Iuapi -Ilibuser -c -o "$object.c.o" "$work/pairs.c" &&
			${c/gcc/g}++ -std=c++17 -O2 -Iuapi -Ilibuser \
			-Ibindings/cpp -c -o "$object.cpp.o" \
			"$work/pairs.cpp" || return 1
		for name in mutex rlock semaphore waitgroup; do
			hot "$object.c.o" $name >"$work/hot.c"
			hot "$object.cpp.o" $name >"$work/hot.cpp"
			[ "$(wc -l <"$work/hot.c")" -gt 15 ] &&
				[ "$(wc -l <"$work/hot.cpp")" -gt 15 ] &&
				[ "$(wc -l <"$work/hot.cpp")" -le \
				  "$(wc -l <"$work/hot.c")" ] &&
				{ [ $name != mutex ] ||
				  cmp -s "$work/hot.c" "$work/hot.cpp"; } && continue
			echo "$c: $name: C and C++"
			diff "$work/hot.c" "$work/hot.cpp"
			status=1
		done
		! hot "$object.cpp.o" guard | grep -c '^call' | grep -qvx 1 ||
			{ echo "$c: std::lock_guard calls what it should inline"
			  status=1; }
	done
	return $status
}

# A program and the library with another C library, which has its own headers.
# The kernel's are where gcc looks for them, in a directory for all; and gcc's own
# library unwinds with the help of glibc alone.
musl()
{
	# The kernel's headers are not where musl-gcc looks.
	compiles musl-gcc c11 c gosync-user.h || return 1
	make -C libuser O="$work/musl" CC=musl-gcc \
		CFLAGS="-O2 -fno-exceptions -Wall -Wextra -Werror" \
		"$work/musl/lib/libgosync-user.a" >/dev/null || return 1
	musl-gcc -std=c11 -static -Wall -Wextra -Werror -Iuapi -Ilibuser \
		-o "$work/musl/hello" examples/hello.c \
		"$work/musl/lib/libgosync-user.a" || return 1
	! readelf -d "$work/musl/hello" | grep -q NEEDED
}

between()
{
	sed -n "/<!-- $1:begin -->/,/<!-- $1:end -->/p" README.md |
		sed '1d;$d'
}

readme_example()
{
	diff <(between example | sed '/^```/d') examples/hello.c
}

# fragment DOCUMENT N: the Nth that follows the name of an example
fragment()
{
	awk -v n="$2" '
		/^<!-- [a-z]+\.c(pp)? -->$/ { named = ++i == n }
		/^```$/ { on = 0 }
		on
		/^```c(pp)?$/ { on = named; named = 0 }' "$1"
}

# What a page shows is a piece of an example, which is built and run.
page_examples()
{
	local status=0 page example text n

	for page in Documentation/*.md; do
		n=0
		while read -r example; do
			n=$((n + 1))
			text=$(fragment "$page" $n)
			[[ $example != *.cpp ]] || example=../bindings/cpp/examples/$example
			[[ -n $text &&
			   $(<"examples/$example") == *"$text"* ]] && continue
			echo "$page: this is not in examples/$example:"
			echo "$text"
			status=1
		done < <(sed -nE 's/^<!-- ([a-z]*\.c(pp)?) -->$/\1/p' "$page")
		case $page in
		*/README.md | */administration.md | */atomic.md | */benchmark.md | \
		*/cluster.md | */command.md | */compatibility.md | */containers.md | */design.md | \
		*/go.md | */packages.md | */python.md | */reliability.md | */rust.md | */tracing.md)
			continue ;;
		esac
		[ $n -gt 0 ] || { echo "$page: no example"; status=1; }
	done
	return $status
}

# The Python package compiles, and its page shows pieces of its examples.
python()
{
	local status=0 example text n=0
	local page=Documentation/python.md dir=bindings/python/examples

	PYTHONPYCACHEPREFIX=$work/python /usr/bin/python3 -W error -m compileall -qf \
		bindings/python || status=1
	while read -r example; do
		n=$((n + 1))
		text=$(awk -v n=$n '
			/^<!-- [a-z]+\.py -->$/ { i++ }
			/^```$/ { on = 0 }
			on
			/^```python$/ { on = i == n }' $page)
		[[ -n $text && $(<"$dir/$example") == *"$text"* ]] && continue
		echo "$page: this is not in $dir/$example:"
		echo "$text"
		status=1
	done < <(sed -n 's/^<!-- \([a-z]*\.py\) -->$/\1/p' $page)
	[ $n -gt 0 ] || { echo "$page: no example"; status=1; }
	return $status
}

# The errors in the table at the top of the header
listed_errors()
{
	sed -n '/DOC: Errors/,/\*\//s/^ \* \(E[A-Z0-9]*\) .*/\1/p' $uapi | sort -u
}

# The table has each error that any place names, and each ioctl's list, with
# which the tests compare what they see, is understood by errors.awk.
errors_are_listed()
{
	local status=0 place word

	listed_errors >"$work/errors"
	for place in $uapi libuser/gosync-*.h \
		     Documentation/*.md tools/gosync.1; do
		while read -r word; do
			grep -qx "$word" "$work/errors" && continue
			echo "$place: $word is not in the table of $uapi"
			status=1
		done < <(grep -ohE '(^|[^A-Z0-9_])E[A-Z0-9]{2,}($|[^A-Za-z0-9_*])' \
			"$place" | grep -oE 'E[A-Z0-9]+' | sort -u |
			grep -xf <(errno_names))
	done
	while read -r word; do
		grep -qx "$word" "$work/errors" && continue
		echo "$uapi: $word is listed, but not in the table"
		status=1
	done < <(awk -f selftests/lib/errors.awk $uapi $uapi |
		 sed 's/.*, \(.*\) },/\1/' | sort -u)
	return $status
}

errno_names()
{
	echo '#include <errno.h>' | gcc -E -dM - |
		sed -n 's/^#define \(E[A-Z0-9]*\) .*/\1/p'
}

# The headers, the map of symbols and the libraries have the same functions:
# other languages find by its name what C has inline. The static library's own
# names begin with __gosync_, as no program's do.
exported()
{
	local status=0 list lib=$work/user/lib/libgosync-user

	make -C libuser O="$work/user" CFLAGS="$strict" >/dev/null || return 1
	printf '#include <gosync-user.h>\n' >"$work/declared.c"
	gcc -fsyntax-only -Iuapi -Ilibuser -aux-info "$work/declared" \
		"$work/declared.c" || return 1
	grep 'libuser/gosync-[a-z]*\.h:' "$work/declared" |
		sed 's/ *(.*//; s/.*[ *]//' | sort -u \
		>"$work/headers"
	sed -n 's/^\t\(gosync_.*\);$/\1/p' libuser/libgosync-user.map |
		sort >"$work/map"
	nm -D --defined-only "$lib.so" | sed 's/.* //; s/@.*//' |
		grep -v '^GOSYNC_' | sort >"$work/shared"
	nm --defined-only --extern-only "$lib.a" |
		awk 'NF == 3 && $2 ~ /[TDBR]/ { print $3 }' |
		grep -v '^__gosync_' | sort >"$work/static"
	for list in map shared static; do
		diff -U 0 --label "the headers" --label "$list" \
			"$work/headers" "$work/$list" || status=1
	done
	[ "$(wc -l <"$work/headers")" -gt 100 ] || status=1
	return $status
}

# Functions that are for the headers alone
internal='_(abi|sized|slow)$|^gosync_words_|^gosync_(entry|prep|rwmutex_tell)$'

# Every function of the library, ioctl and parameter of the module has a page, and
# man(1) finds the functions by their names. All pages are installed and removed.
pages()
{
	local status=0 word page root=$work/root share=$work/root/share/man

	rm -rf "$root"
	make -C Documentation O="$work/user" >/dev/null &&
		make -C Documentation O="$work/user" PREFIX= DESTDIR="$root" \
			install >/dev/null || return 1
	printf '#include <gosync-uring.h>\n' >"$work/declared.c"
	gcc -fsyntax-only -Iuapi -Ilibuser -aux-info "$work/declared" \
		"$work/declared.c" || return 1
	grep 'libuser/gosync-[a-z]*\.h:' "$work/declared" |
		sed 's/ *(.*//; s/.*[ *]//' | grep -vE "$internal" |
		sort -u >"$work/public"
	[ "$(wc -l <"$work/public")" -gt 200 ] || return 1
	while read -r word; do
		man -M "$share" -w 3 "$word" >"$work/found" 2>&1 || {
			echo "$word has no page"
			status=1
		}
	done <"$work/public"
	while read -r word; do
		grep -qE "^(\.SS |\\\\fB)$word(\\\\fP)?( \([^()]*\))?$" \
			"$share/man4/gosync.4" && continue
		echo "$word is not described in gosync(4)"
		status=1
	done < <(sed -n 's/^#define \(GOSYNC_IOC_[A-Z_]*\)\t*_IO(.*/\1/p' $uapi)
	while read -r word; do
		grep -q "^\.BR $word " "$share/man4/gosync.4" && continue
		echo "the module's parameter $word is not in gosync(4)"
		status=1
	done < <(grep -ohP '^module_param\w*\(\K\w+' kmod/*.c)
	for page in tools/gosync.1 "$share"/man?/*; do
		! grep -q '^\.so ' "$page" || continue
		man --warnings=w -E UTF-8 -l "$page" 2>&1 >/dev/null |
			sed "s|^|${page##*/}: |" | grep . && status=1
		lexgrog "$page" >"$work/found" || {
			cat "$work/found"
			status=1
		}
	done
	make -C Documentation O="$work/user" PREFIX= DESTDIR="$root" \
		uninstall >/dev/null || status=1
	! find "$root" -type f | grep . || status=1
	return $status
}

# helped WORD...: the lines of a help text that begin with options
helped()
{
	"$work/user/bin/gosync" "$@" --help |
		sed -n 's/^  \( \{4\}\)\{0,1\}\(-.*\)/\2/p' |
		sed 's/ [^-].*//; s/ *$//' | grep -vE -e '--(help|usage|version)$'
}

# options_of SECTION: those that a section of gosync(1) describes
options_of()
{
	awk -v name="$1" '
		/^\.S[SH]/ { on = substr($0, 5) == name }
		on && item && /^\.BR? \\-/
		{ item = /^\.TP/ }' tools/gosync.1 |
		sed 's/\.BR\{0,1\} //; s/ ", " /, /g; s/ =/=/g; s/\\f[A-Z]//g
		     s/\\-/-/g'
}

# Each command has a section in gosync(1), with its verbs and with the options
# that its --help has, no more and no fewer.
command_page()
{
	local status=0 gosync=$work/user/bin/gosync name verb
	local -a verbs

	make -C libuser O="$work/user" CFLAGS="$strict" >/dev/null &&
		make -C tools O="$work/user" CFLAGS="$strict" command \
			>/dev/null || return 1
	"$gosync" --help | sed -n '/^Commands:/,/^$/s/^  \([a-z]*\) .*/\1/p' \
		>"$work/commands"
	[ "$(wc -l <"$work/commands")" -gt 20 ] || return 1
	sed -n 's/^\.SS \([a-z]*\)$/\1/p' tools/gosync.1 | sort |
		diff -U 0 --label "the commands" --label "gosync(1)" \
			"$work/commands" - || status=1
	while read -r name; do
		mapfile -t verbs < <("$gosync" "$name" --help |
			sed -n 's/^  \([a-z]*\) NAME.*/\1/p')
		{
			helped "$name"
			for verb in "${verbs[@]}"; do
				helped "$name" "$verb"
			done
		} | sort -u >"$work/helped"
		{
			options_of "$name"
			! "$gosync" "$name" --help | grep -q 'Output options:' ||
				options_of "Table options"
		} | sort -u >"$work/told"
		diff -U 0 --label "gosync $name --help" --label "gosync(1)" \
			"$work/helped" "$work/told" || status=1
		for verb in "${verbs[@]}"; do
			grep -q "^\.B gosync $name $verb " tools/gosync.1 && continue
			echo "gosync(1) has no gosync $name $verb"
			status=1
		done
	done <"$work/commands"
	return $status
}

# No document may speak of a constant, function or file that does not exist.
documents()
{
	local status=0 doc word

	for doc in *.md Documentation/*.md; do
		while read -r word; do
			exists "$word" && continue
			echo "$doc: there is no $word"
			status=1
		done < <(grep -ohE '(GOSYNC|gosync)_[A-Za-z0-9_]*[A-Za-z0-9]' \
			"$doc" | sort -u)
		while read -r word; do
			[ -e "$(dirname "$doc")/$word" ] && continue
			echo "$doc: there is no $word"
			status=1
		done < <(grep -oE '\]\([^)#]+' "$doc" | sed 's/^](//' |
			grep -vE '^(https?|mailto):')
	done
	return $status
}

# In the sources, or made by the header's macros
exists()
{
	grep -qwr -e "$1" uapi libuser bindings kmod selftests/vm tools && return
	[ -e "$work/expanded" ] || echo '#include <gosync-uring.h>' |
		gcc -E -P -Iuapi -Ilibuser -xc - >"$work/expanded"
	grep -qw -e "$1" "$work/expanded"
}

# What debian/ says once more: the version of the module, the soname, and the
# functions of the library.
packages()
{
	local status=0 version abi map=libuser/libgosync-user.map symbols

	version=$(sed -n 's/^MODULE_VERSION("\(.*\)");/\1/p' kmod/main.c)
	grep -q "^gosync ($version)" <(head -n 1 debian/changelog) || {
		echo "debian/changelog does not begin with version $version"
		status=1
	}
	abi=$(awk '/define GOSYNC_ABI_VERSION/ { print $3 }' $uapi)
	symbols=debian/libgosync-user$abi.symbols
	if ! grep -q "^Package: libgosync-user$abi$" debian/control ||
	   ! grep -q "^libgosync-user.so.$abi " "$symbols"; then
		echo "debian/ has no libgosync-user$abi"
		return 1
	fi
	diff -U 0 --label $map --label "$symbols" \
		<(sed -n 's/^\t\(gosync_.*\);$/\1/p' $map | sort) \
		<(sed -n 's/^ \(gosync_.*\)@.*/\1/p' "$symbols" | sort) ||
		status=1
	return $status
}

# The Rust crate: without a warning, formatted, its declarations those of the
# headers; its examples compile, and what must not compile does not.
rust()
{
	local built=$work/user/bindings/rust crate=bindings/rust probe
	# Debian's, all of one version
	local PATH=/usr/bin:$PATH

	export RUSTC=/usr/bin/rustc
	make -C libuser O="$work/user" CFLAGS="$strict" >/dev/null &&
		make -C $crate O="$work/user" CFLAGS="$strict" \
			RUSTFLAGS='-O -D warnings' >/dev/null || return 1
	(cd $crate && rustfmt --check --edition 2021 src/lib.rs tests/main.rs \
		./*.rs examples/*.rs) || return 1
	for probe in mutex_entry mutex_release; do
		readelf -n "$built/examples/hello" | grep -qw "Name: $probe" && continue
		echo "a program in Rust has no probe $probe"
		return 1
	done
	$crate/declarations.sh && $crate/fail.sh "$built/libgosync.rlib" || return 1
	rustdoc --edition 2021 -D warnings --crate-name gosync -o "$work/rust" \
		$crate/src/lib.rs &&
		rustdoc --edition 2021 --test --crate-name gosync \
			--extern gosync="$built/libgosync.rlib" -L "$built" \
			-L "$work/user/lib" $crate/src/lib.rs || return 1
	clippy-driver --edition 2021 -D warnings -W clippy::all --crate-type rlib \
		--crate-name gosync --emit metadata -o "$work/rust/clippy" \
		-L "$work/user/lib" $crate/src/lib.rs || return 1
	awk '
		/^<!-- [a-z]+\.rs -->$/ { file = "'$crate'/examples/" $2; shown = "" }
		/^```$/ && file {
			text = ""
			while ((getline line < file) > 0)
				text = text line "\n"
			if (!index(text, shown)) {
				print FILENAME ": this is not in " file ":\n" shown
				bad = 1
			}
			file = ""
			n++
		}
		file && !/^(```rust|<!--.*)$/ { shown = shown $0 "\n" }
		END { exit bad || n != 2 }' Documentation/rust.md || return 1
	grep -qx "version = \"$(sed -n 's/^MODULE_VERSION("\(.*\)");/\1/p' kmod/main.c)\"" \
		$crate/Cargo.toml || { echo "Cargo.toml has another version"; return 1; }
}

picture()
{
	diff <(python3 Documentation/how.py) Documentation/how.svg
}

# half_of_models N: each second of the models and litmus tests, from the Nth on
half_of_models()
{
	local i all=(selftests/models/*.pml selftests/litmus/*.litmus) names=()

	for ((i = $1; i < ${#all[@]}; i += 2)); do
		names+=("$(basename "${all[i]%.*}")")
	done
	selftests/models/run.sh "${names[@]}"
}

models()
{
	half_of_models 0
}

more_models()
{
	half_of_models 1
}

user_space()
{
	local dir

	for dir in libuser tools examples; do
		make -C $dir O="$work/user" CFLAGS="$strict" || return 1
	done
}

# What `make torture` adds up. Nothing is 0 because it could not be read.
sums()
{
	local sum=selftests/torture/sum.awk log=$work/torture line

	cat >"$log" <<-END
		not ok 1 this: was meant to fail
		# figures: 1000 calls
		# torture: begins
		# seed: 77
		# figures: 12 calls, 2 kills (3 edges)
		ok 1 fuzz: is fine
		# fuzz: 1 passed, 0 failed, 0 skipped of 1, 5 s
		# seed: 78
		# figures: 8 operations, 6 operations that overlapped, 3 kills
		not ok 2 history: is wrong
		# history: 0 passed, 1 failed, 0 skipped of 1, 5 s
		# murder: 0 passed, 0 failed, 1 skipped of 1, 0 s
		# torture: 1 rounds, 1 failed, 10 s
	END
	diff <(awk -f $sum "$log" | tr -s ' ') - <<-END || return 1
		# torture: all 1 rounds together
		# 12 calls
		# 5 kills
		# 8 operations
		# 6 operations that overlapped
		# 75 % of the operations overlapped
		# failed: history: is wrong, GOSYNC_TEST_SEED=78
	END
	for line in 's/12 calls/12, calls/' 's/2 kills/- kills/' 's/3 edges.//' \
		's/# figures: 12/12 figures: 12/' '/figures: 12/d' '/1 rounds/d'; do
		! sed "$line" "$log" | awk -f $sum >/dev/null || {
			echo "sum.awk adds up what it cannot read: $line"
			return 1
		}
	done
}

# Sources, scripts and documents have nothing to do with where they were made.
here()
{
	! grep -nHE '(^|[^.[:alnum:]])/(home|work)/' "${files[@]}" |
		grep -v '^selftests/check.sh:'
}

# --- the run --------------------------------------------------------------

names=() functions=() tree=() rest=() half=() other_half=()
chosen=" $* "

# check LANE FUNCTION WHAT: those of a lane run one after the other. What uses what
# another has built is in the lane "tree" with it.
check()
{
	declare -n lane=$1

	[ "$chosen" = "  " ] || [[ $chosen == *" $2 "* ]] || return
	lane+=(${#names[@]})
	functions+=("$2")
	names+=("$3")
}

run_lane()
{
	local i

	for i; do
		"${functions[i]}" >"$work/$i.log" 2>&1
		echo $? >"$work/$i.new"
		mv "$work/$i.new" "$work/$i.status"
	done
}

check tree sparse "no warning from gcc W=1 and sparse"
check tree layers "the module's files call only lower layers"
check tree checkpatch_kernel "checkpatch --strict, module"
check rest checkpatch_user "checkpatch --strict, user space"
check rest kernel_doc "kernel-doc -Werror"
check rest shell_check "shellcheck"
check rest layout "white space"
check rest spdx "SPDX lines"
check rest comments "no // comments"
check rest charged "every allocation is charged"
check rest go_code "Go code is formatted, and go vet finds nothing"
check rest go_page "the programs in the page about Go compile"
check rest go_constants "the Go binding has the constants and structures of the header"
check tree headers "public headers compile alone, by gcc and clang, without padding"
check rest wrappers "a program's functions around fast paths are inlined"
check tree cpp "the C++ headers and tests compile everywhere"
check rest cpp_format "clang-format, C++"
check rest cpp_fast_paths "C++ has the fast paths of C, instruction by instruction"
check rest musl "library and a program link with musl"
check rest readme_example "README's example is examples/hello.c"
check rest page_examples "the pages' examples are pieces of examples/"
check rest python "Python compiles, and its page shows its examples"
check rest errors_are_listed "errors are in the table, wherever they are spoken of"
check tree exported "headers, symbol map and libraries have the same functions"
check rest documents "documents name only what exists"
check rest packages "debian/ has the version, soname and functions of the sources"
check tree rust "the Rust crate has no warning and is as C declares it"
check rest picture "the picture is what its script draws"
check rest sums "the sums of make torture"
check rest here "no paths of the machine it was written on"
check tree user_space "no warning from the library, tools and examples"
check tree pages "each function and ioctl has a manual page, without warnings"
check tree command_page "gosync(1) has the commands and options of the program"
check half models "models of the protocols, litmus tests, and the bugs they must find"
check other_half more_models "the same of the other half"
if [ $# != 0 ] && [ $# != ${#names[@]} ]; then
	echo "check.sh: not all of these exist:$chosen" >&2
	exit 2
fi

mkdir -p "$work"
rm -rf "$work"/{expanded,user,*.status}
"$vm/deps.sh" check || exit 1
m32=
if "$vm/deps.sh" m32; then
	m32=yes
else
	echo "check.sh: headers are not compiled for 32-bit programs" >&2
fi
stock=$("$vm/kernel.sh" stock) || exit 1
source=$("$vm/kernel.sh" source) || exit 1

# shellcheck disable=SC2046 # numbers
trap 'kill $(jobs -p) 2>/dev/null' EXIT
run_lane "${tree[@]}" &
run_lane "${rest[@]}" &
run_lane "${half[@]}" &
run_lane "${other_half[@]}" &

echo "TAP version 13"
echo "1..${#names[@]}"
pass=0 fail=0
for i in "${!names[@]}"; do
	until [ -e "$work/$i.status" ] || [ -z "$(jobs -pr)" ]; do
		sleep 0.2
	done
	if [ "$(cat "$work/$i.status")" = 0 ]; then
		pass=$((pass + 1))
		echo "ok $((i + 1)) - ${names[i]}"
	else
		fail=$((fail + 1))
		echo "not ok $((i + 1)) - ${names[i]}"
		sed 's/^/# /' "$work/$i.log"
	fi
done
echo "# totals: pass:$pass fail:$fail skip:0"
[ $fail = 0 ]
