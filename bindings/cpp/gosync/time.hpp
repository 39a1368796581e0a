/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Deadlines, from std::chrono.
 */
#ifndef GOSYNC_TIME_HPP
#define GOSYNC_TIME_HPP

#include "c.hpp"

#include <chrono>
#include <cstdint>
#include <limits>
#include <ratio>
#include <type_traits>

namespace gosync
{
namespace detail
{

inline constexpr std::int64_t ns_max = std::numeric_limits<std::int64_t>::max();
inline constexpr std::int64_t ns_min = std::numeric_limits<std::int64_t>::min();

/*
 * Nanoseconds, rounded up, so that no wait ends early. What does not fit becomes the
 * largest or smallest number there is; what is no number becomes 0.
 */
template <class Rep, class Period>
constexpr std::int64_t nanoseconds(const std::chrono::duration<Rep, Period> &d) noexcept
{
	using per_ns = std::ratio_divide<Period, std::nano>;

	if constexpr (std::is_integral_v<Rep> && per_ns::den == 1) {
		std::int64_t ns = 0;

		if (__builtin_mul_overflow(d.count(), per_ns::num, &ns))
			return d.count() < 0 ? ns_min : ns_max;
		return ns;
	} else if constexpr (std::is_integral_v<Rep> && per_ns::num == 1 &&
			     sizeof(Rep) <= sizeof(std::int64_t) && std::is_signed_v<Rep>) {
		const std::int64_t n = d.count();

		return n / per_ns::den + (n % per_ns::den > 0 ? 1 : 0);
	} else {
		const long double ns = static_cast<long double>(d.count()) *
				       static_cast<long double>(per_ns::num) /
				       static_cast<long double>(per_ns::den);

		if (!(ns == ns))
			return 0;
		if (ns >= static_cast<long double>(ns_max))
			return ns_max;
		if (ns <= static_cast<long double>(ns_min))
			return ns_min;
		const std::int64_t down = static_cast<std::int64_t>(ns);

		return down + (static_cast<long double>(down) < ns ? 1 : 0);
	}
}

} /* namespace detail */

/**
 * Until when to wait: a time of std::chrono::steady_clock or system_clock, or for ever.
 *
 * Functions that wait until a deadline take one. A time_point of either clock converts to
 * it by itself. A time that is further away than 292 years, such as time_point::max(), is
 * for ever. Nothing overflows, and no wait ends early.
 */
class deadline
{
public:
	/** For ever */
	constexpr deadline() noexcept = default;

	/** A time of the monotonic clock */
	template <class Duration>
	constexpr deadline(
		const std::chrono::time_point<std::chrono::steady_clock, Duration> &t) noexcept
		: ns_(absolute(t.time_since_epoch()))
	{
	}

	/** A time of day. If the clock is set, the deadline comes earlier or later. */
	template <class Duration>
	constexpr deadline(
		const std::chrono::time_point<std::chrono::system_clock, Duration> &t) noexcept
		: ns_(absolute(t.time_since_epoch())), flags_(GOSYNC_CLOCK_REALTIME)
	{
	}

	/** So long from now on. What has passed already still gets what is free. */
	template <class Rep, class Period>
	static deadline after(const std::chrono::duration<Rep, Period> &d) noexcept
	{
		const std::int64_t ns = detail::nanoseconds(d);
		deadline result;

		if (ns == detail::ns_max)
			return result;
		result.ns_ = ns <= 0 ? 1 : gosync_deadline(static_cast<std::uint64_t>(ns));
		return result;
	}

	/**
	 * The same deadline, for a wait that ends when a handler of a Unix signal has run.
	 * The call then fails with std::errc::interrupted. Otherwise waits go on.
	 */
	constexpr deadline interruptible() const noexcept
	{
		deadline result = *this;

		result.flags_ |= GOSYNC_INTERRUPTIBLE;
		return result;
	}

	/** What the C functions call @deadline */
	constexpr std::uint64_t ns() const noexcept { return ns_; }

	/** What the C functions call @flags */
	constexpr unsigned int flags() const noexcept { return flags_; }

private:
	/* 0 would be for ever; 1 has passed on either clock. */
	template <class Duration>
	static constexpr std::uint64_t absolute(const Duration &d) noexcept
	{
		const std::int64_t ns = detail::nanoseconds(d);

		if (ns == detail::ns_max)
			return forever;
		return ns <= 0 ? 1 : static_cast<std::uint64_t>(ns);
	}

	std::uint64_t ns_ = forever;
	unsigned int flags_ = 0;
};

namespace detail
{

/*
 * Calls @wait with a deadline on a clock of the kernel's for @t of any other clock. As
 * that may go faster or slower, it looks at it again.
 */
template <class Clock, class Duration, class Wait>
bool until(const std::chrono::time_point<Clock, Duration> &t, Wait wait)
{
	if constexpr (std::is_same_v<Clock, std::chrono::steady_clock> ||
		      std::is_same_v<Clock, std::chrono::system_clock>) {
		return wait(deadline(t));
	} else {
		auto now = Clock::now();

		do {
			if (wait(deadline::after(t - now)))
				return true;
			now = Clock::now();
		} while (now < t);
		return false;
	}
}

} /* namespace detail */
} /* namespace gosync */

#endif /* GOSYNC_TIME_HPP */
