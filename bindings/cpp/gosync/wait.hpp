/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Waiting for several things at once. The entries are what the entry() functions of the
 * handles make, and entry_of_fd().
 */
#ifndef GOSYNC_WAIT_HPP
#define GOSYNC_WAIT_HPP

#include "handle.hpp"

#include <optional>

namespace gosync
{

/** An entry of wait_any(): until a descriptor is ready; @p events as for poll(2) */
inline gosync_wait_entry entry_of_fd(int fd, short events) noexcept
{
	return gosync_entry_fd(fd, events);
}

/**
 * Waits for one of up to 64 things, and gets it: the first that can be got. Nothing is done
 * with the others. What it got is as if asked for alone. The entry's @p result is 1 if it
 * is a lock that is poisoned: gosync::mutex says what that is. No function is called.
 *
 * Return: the index of the entry; nothing if the deadline has passed. See gosync_wait_any().
 */
inline std::optional<std::size_t> wait_any(gosync_wait_entry *entries, std::size_t count,
					   deadline d = {})
{
	const int ret =
		gosync_wait_any(entries, static_cast<unsigned int>(count), d.ns(), d.flags());

	if (!detail::check_unless(-ETIMEDOUT, GOSYNC_IOC_WAIT, ret))
		return std::nullopt;
	return static_cast<std::size_t>(ret);
}

inline std::optional<std::size_t> wait_any(gosync_wait_entry *entries, std::size_t count,
					   deadline d, std::error_code &ec) noexcept
{
	const int ret =
		gosync_wait_any(entries, static_cast<unsigned int>(count), d.ns(), d.flags());

	if (!detail::check_unless(-ETIMEDOUT, GOSYNC_IOC_WAIT, ret, ec))
		return std::nullopt;
	return static_cast<std::size_t>(ret);
}

template <std::size_t N>
std::optional<std::size_t> wait_any(gosync_wait_entry (&entries)[N], deadline d = {})
{
	return wait_any(entries, N, d);
}

/**
 * Waits for all of up to 64 things, and gets all of them at one moment, or none. So waits
 * for several locks do not deadlock with each other. Entries are as in wait_any(), without
 * entry_of_fd(). Return: whether it got them, false if the deadline has passed. Fails with
 * std::errc::resource_deadlock_would_occur if a lock is there twice.
 */
[[nodiscard]] inline bool wait_all(gosync_wait_entry *entries, std::size_t count,
				   deadline d = {})
{
	return detail::check_unless(
		-ETIMEDOUT, GOSYNC_IOC_WAIT,
		gosync_wait_all(entries, static_cast<unsigned int>(count), d.ns(), d.flags()));
}

[[nodiscard]] inline bool wait_all(gosync_wait_entry *entries, std::size_t count, deadline d,
				   std::error_code &ec) noexcept
{
	return detail::check_unless(
		-ETIMEDOUT, GOSYNC_IOC_WAIT,
		gosync_wait_all(entries, static_cast<unsigned int>(count), d.ns(), d.flags()),
		ec);
}

template <std::size_t N>
[[nodiscard]] bool wait_all(gosync_wait_entry (&entries)[N], deadline d = {})
{
	return wait_all(entries, N, d);
}

} /* namespace gosync */

#endif /* GOSYNC_WAIT_HPP */
