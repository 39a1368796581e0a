#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Expected: a static probe of <sys/sdt.h> costs one nop, so an inline function stays
# inline when it gets one or two.
#
# What happens (gcc 12.2, systemtap-sdt-dev 4.8): each use becomes a call. To decide
# what to inline, gcc takes every line of an asm statement for an instruction, and a
# probe has some thirty lines for its note. Two of them are beyond what an inline
# function may have at -O2. clang 14 inlines the same function.
#
# Why one meets it: locks have probes where they are taken and released, so that
# tracers see them. The nop is cheap, but the fast path becomes a call with all that
# it costs around it. Nothing warns of this: look at the disassembly, not at the
# number of nops. __attribute__((always_inline)) on the caller's function helps. So
# does `asm inline' around STAP_PROBE_ASM(), in C: in C++ that macro is an error.

set -u
# shellcheck source=findings/packages.bash
. "$(dirname "$0")/packages.bash"
get systemtap-sdt-dev=4.8-2

cd "$tmp" || exit
cat >lock.c <<'END'
#if WITH
#include <sys/sdt.h>
#endif
#if WITH == 0
#define PROBE(name, word)
#elif WITH == 1
#define PROBE(name, word)	DTRACE_PROBE1(locks, name, word)
#else
#define PROBE(name, word)						\
	__asm__ __inline__ __volatile__(				\
		STAP_PROBE_ASM(locks, name, STAP_PROBE_ASM_TEMPLATE(1))	\
		: : STAP_PROBE_ASM_OPERANDS(1, word))
#endif

static inline int lock(int *word)
{
	int old = 0, got;

	PROBE(entry, word);
	got = __atomic_compare_exchange_n(word, &old, 1, 0, __ATOMIC_ACQUIRE,
					  __ATOMIC_RELAXED);
	if (got)
		PROBE(acquired, word);
	return got;
}

int first(int *word)
{
	return lock(word);
}

int second(int *word)
{
	return lock(word + 1);
}
END

# How many functions there are: lock() is one if it was not inlined everywhere.
functions()
{
	"$@" -O2 -isystem root/usr/include/x86_64-linux-gnu -isystem root/usr/include \
		-c -o lock.o lock.c
	objdump -d lock.o | grep -c '>:$'
}

include=$(find root -name sdt.h | head -n 1)
[ -n "$include" ] || exit 2
gcc -dumpfullversion
expect "functions without probes" "$(functions gcc -DWITH=0)" 2
expect "functions with two probes" "$(functions gcc -DWITH=1)" 3
expect "nops in the one that was not inlined" \
	"$(objdump -d --disassemble=lock lock.o | grep -cw nop)" 2
expect "functions with two probes, by asm inline" "$(functions gcc -DWITH=2)" 2
exit $changed
