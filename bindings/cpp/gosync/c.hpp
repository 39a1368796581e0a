/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The C library's header, for the C++ headers of this directory: without warnings that
 * C cannot avoid in C++, and with probes that leave functions small.
 */
#ifndef GOSYNC_C_HPP
#define GOSYNC_C_HPP

#include <cstddef>
#include <cstdint>

/*
 * g++ takes each line of an asm statement for an instruction, and a probe has thirty. Then
 * it no longer inlines a function that locks, such as the constructor of std::lock_guard.
 * With "inline" a probe counts for one. STAP_PROBE_ASM(), which is needed for that, can be
 * used in C++ too, if <sys/sdt.h> takes the compiler for one of C99.
 */
#if defined(__GNUC__) && __GNUC__ >= 9 && !defined(__clang__) && !defined(GOSYNC_NO_PROBES) && \
	!defined(GOSYNC_PROBE)
#if __has_include(<sys/sdt.h>)
#pragma push_macro("__STDC_VERSION__")
#undef __STDC_VERSION__
#define __STDC_VERSION__ 199901L
#include <sys/sdt.h>
#pragma pop_macro("__STDC_VERSION__")
#ifdef STAP_PROBE_ASM_OPERANDS
#define GOSYNC_PROBE(name, handle)                                          \
	__asm__ inline __volatile__(                                        \
		STAP_PROBE_ASM(libgosync, name, STAP_PROBE_ASM_TEMPLATE(1)) \
		:                                                           \
		: STAP_PROBE_ASM_OPERANDS(1, handle))
#define GOSYNC_NO_PROBES
#endif
#endif
#endif

#if defined(__GNUC__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wold-style-cast"
#endif
#include <gosync-user.h>

namespace gosync
{

/** The deadline that never comes */
inline constexpr std::uint64_t forever = GOSYNC_FOREVER;

} /* namespace gosync */
#if defined(__GNUC__)
#pragma GCC diagnostic pop
#endif

#endif /* GOSYNC_C_HPP */
