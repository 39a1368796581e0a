#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# declarations.sh: compare src/sys.rs with the headers of the C library. Each
# function is written as a declaration of C's, and each constant, size and offset as
# an assertion with the number that rustc has for it. A C compiler has to accept
# them all after the header. `declarations.sh FILE` compares another file.

set -euo pipefail

cd "$(dirname "$0")"
sys=$(readlink -f "${1:-src/sys.rs}")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# C's for types of Rust's
types='
	s/\*mut \*mut ([a-z_]+)/\1 **/g
	s/\*mut ([a-z0-9_]+)/\1 */g
	s/\*const ([a-z0-9_]+)/const \1 */g
	s/\bc_(char|int|long|void)\b/\1/g
	s/\bc_uint\b/unsigned int/g
	s/\bgosync_(mutex|rwmutex|waitgroup|once|semaphore)\b/gosync_\1_t/g
	s/\bgosync_(info|stat|party|words|wait_entry|map_limits|map_pair)\b/struct &/g
	s/\busize\b/size_t/g
	s/\b([ui])(32|64)\b/\1int\2_t/g
	s/\biint/int/g; s/\buint/uint/g
'

# "pub fn F(a: T, b: U) -> R;" becomes "R F(T, U);"
sed -nE 's/^ *pub fn (gosync_[a-z0-9_]+)\((.*)\)( -> ([^;]*))?;$/\1|\2|\4/p' "$sys" |
	while IFS='|' read -r name args ret; do
		ret=$(sed -E "$types" <<<"${ret:-c_void}")
		args=$(sed -E 's/(^|, )[a-z_]+: /\1/g' <<<"$args" | sed -E "$types" | sed \
			's/\blist_fn\b/int (*)(const struct gosync_info *, void *)/
			 s/\bholders_fn\b/int (*)(const struct gosync_party *, void *)/
			 s/\brange_fn\b/int (*)(const void *, size_t, const void *, size_t, void *)/')
		echo "extern $ret $name($args);"
	done >"$work/functions"

# A program that says what rustc has for constants, sizes and offsets. It calls no
# function, and so needs no library.
sed '/^#\[link(/d' "$sys" >"$work/sys.rs"
{
	echo '#[allow(dead_code)] mod sys;'
	echo 'fn main() {'
	sed -nE 's/^pub const (GOSYNC_[A-Z0-9_]+):.*/\1/p' "$sys" | while read -r name; do
		echo "println!(\"_Static_assert($name == {}U, \\\"$name\\\");\", sys::$name as u64);"
	done
	awk '
		/^pub struct gosync_.*\{$/ { name = $3; next }
		/^}/ && name && fields {
			print "println!(\"_Static_assert(sizeof(struct " name ") == {}, \\\"" \
				name "\\\");\", std::mem::size_of::<sys::" name ">());"
		}
		/^}/ { name = ""; fields = 0 }
		name && $1 == "pub" {
			field = $2
			sub(/:$/, "", field)
			c = field
			sub(/_$/, "", c)
			fields++
			print "{ let s = std::mem::MaybeUninit::<sys::" name ">::uninit();" \
				" let at = unsafe { std::ptr::addr_of!((*s.as_ptr())." field ") } as usize" \
				" - s.as_ptr() as usize; println!(\"_Static_assert(offsetof(struct " name \
				", " c ") == {}, \\\"" name "." c "\\\");\", at); }"
		}' "$sys"
	echo '}'
} >"$work/numbers.rs"
"${RUSTC:-/usr/bin/rustc}" --edition 2021 -A warnings -o "$work/numbers" \
	"$work/numbers.rs"
"$work/numbers" >"$work/assertions"

# Nothing may be left out because a line was not understood.
functions=$(grep -c '^ *pub fn gosync_' "$sys")
if [ "$(wc -l <"$work/functions")" != "$functions" ] || [ "$functions" -lt 60 ] ||
   [ "$(wc -l <"$work/assertions")" -lt 150 ]; then
	echo "not all of $sys was understood"
	exit 1
fi
# C takes a function that the header does not have for a new one.
sed -E 's/.* \**(gosync_[a-z0-9_]+)\(.*/\1/' "$work/functions" | while read -r name; do
	grep -qw "$name" ../../libuser/libgosync-user.map || {
		echo "the library has no $name"
		exit 1
	}
done
{
	printf '#include <%s>\n' gosync-user.h stddef.h
	cat "$work/functions" "$work/assertions"
} >"$work/declarations.c"
gcc -std=gnu11 -Wall -Wextra -Werror -fsyntax-only -I../../uapi -I../../libuser \
	"$work/declarations.c"
