// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Error codes and times, which need no device
 */
#include "test.hpp"

#include <cmath>
#include <limits>

using namespace std::chrono_literals;
using gosync::deadline;
using gosync::errc;
using gosync::detail::nanoseconds;

TEST(error_codes_speak_and_compare)
{
	const std::error_code unlock = gosync::detail::code(GOSYNC_IOC_MUTEX_UNLOCK, -EPERM);
	const std::error_code open = gosync::detail::code(GOSYNC_IOC_OPEN, -EEXIST);
	const std::error_code died = gosync::detail::code(GOSYNC_IOC_MUTEX_LOCK, -EOWNERDEAD);

	CHECK(std::string(gosync::category().name()) == "gosync");
	CHECK(unlock.category() == gosync::category());
	CHECK(unlock.message() == "sync: unlock of unlocked mutex");
	CHECK(unlock == std::errc::operation_not_permitted && unlock != std::errc::timed_out);
	CHECK(unlock.default_error_condition() == std::errc::operation_not_permitted);
	CHECK(open == std::errc::file_exists && open.message() == "File exists");
	CHECK(died == errc::owner_died && died == std::errc::owner_dead);
	CHECK(died != errc::broken && unlock != open);
	CHECK(gosync::detail::code(GOSYNC_IOC_WAITGROUP_ADD, -EBUSY).message() ==
	      "sync: WaitGroup misuse: Add called concurrently with Wait");
	CHECK(gosync::detail::code(0, -EINVAL).message() == "Invalid argument");
	CHECK(std::make_error_code(std::errc::no_such_device_or_address) == errc::no_device);
	CHECK(gosync::error(unlock).what() == unlock.message());
	static_assert(std::is_base_of_v<std::system_error, gosync::owner_died>);
	static_assert(std::is_base_of_v<gosync::error, gosync::broken>);
	static_assert(std::is_error_condition_enum_v<errc> && !std::is_error_code_enum_v<errc>);
}

TEST(times_saturate_and_are_rounded_up)
{
	using gosync::detail::ns_max;
	using gosync::detail::ns_min;
	using picoseconds = std::chrono::duration<std::int64_t, std::pico>;
	using thirds = std::chrono::duration<long, std::ratio<1, 3>>;
	using bytes = std::chrono::duration<signed char, std::ratio<1>>;
	using doubles = std::chrono::duration<double>;
	const double none = std::numeric_limits<double>::quiet_NaN();
	const double ever = std::numeric_limits<double>::infinity();

	static_assert(nanoseconds(1h) == 3600000000000);
	static_assert(nanoseconds(std::chrono::hours::max()) == ns_max);
	static_assert(nanoseconds(std::chrono::hours::min()) == ns_min);
	static_assert(nanoseconds(std::chrono::nanoseconds::min()) == ns_min);
	static_assert(nanoseconds(picoseconds(1)) == 1 && nanoseconds(picoseconds(-1)) == 0);
	static_assert(nanoseconds(picoseconds(1000)) == 1 &&
		      nanoseconds(picoseconds(1001)) == 2);
	static_assert(nanoseconds(picoseconds::max()) == ns_max / 1000 + 1);
	static_assert(nanoseconds(bytes(-128)) == -128000000000);
	CHECK(nanoseconds(thirds(1)) == 333333334 && nanoseconds(thirds(3)) == 1000000000);
	CHECK(nanoseconds(thirds(std::numeric_limits<long>::max())) == ns_max);
	CHECK(nanoseconds(thirds(std::numeric_limits<long>::min())) == ns_min);
	CHECK(nanoseconds(doubles(0.5)) == 500000000 && nanoseconds(doubles(1e-10)) == 1);
	CHECK(nanoseconds(doubles(ever)) == ns_max && nanoseconds(doubles(-ever)) == ns_min);
	CHECK(nanoseconds(doubles(1e300)) == ns_max && nanoseconds(doubles(none)) == 0);
}

TEST(deadlines_are_of_the_right_clock)
{
	using steady = std::chrono::steady_clock::time_point;
	using day = std::chrono::system_clock::time_point;
	constexpr deadline never, at(steady(5s)), today(day(1h));

	static_assert(never.ns() == gosync::forever && never.flags() == 0);
	static_assert(at.ns() == 5000000000 && at.flags() == 0);
	static_assert(today.ns() == 3600000000000 && today.flags() == GOSYNC_CLOCK_REALTIME);
	static_assert(today.interruptible().flags() ==
		      (GOSYNC_CLOCK_REALTIME | GOSYNC_INTERRUPTIBLE));
	static_assert(deadline(steady::max()).ns() == gosync::forever);
	static_assert(deadline(day::max()).ns() == gosync::forever);
	/* 0 would be for ever. */
	static_assert(deadline(steady()).ns() == 1 && deadline(day::min()).ns() == 1);
	CHECK(deadline::after(-1s).ns() == 1 && deadline::after(0s).ns() == 1);
	CHECK(deadline::after(std::chrono::hours::max()).ns() == gosync::forever);
	const std::uint64_t before = gosync_deadline(0);
	const std::uint64_t then = deadline::after(10s).ns();

	CHECK(then >= before + 10000000000 && then <= gosync_deadline(10000000000));
	CHECK(deadline::after(std::chrono::nanoseconds::max() - 1ns).ns() >= 1ULL << 63);
}

TEST(without_a_device_the_sentence_says_so)
{
	std::error_code ec;

	process([&] {
		if (!::access(GOSYNC_DEVICE, F_OK))
			return;
		CHECK(!gosync::mutex::open("name", create, 0600, ec) && ec == errc::no_device);
		CHECK(ec.message().find("gosync module") != std::string::npos);
	});
}
