/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The C library's header, for the C++ headers of this directory: without warnings that
 * C cannot avoid in C++.
 */
#ifndef GOSYNC_C_HPP
#define GOSYNC_C_HPP

#include <cstddef>
#include <cstdint>

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
