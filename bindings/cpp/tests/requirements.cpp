// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The standard's named requirements, as far as a compiler can say: that what they demand is
 * there, with the right types, and that the standard's own users of them compile.
 */
#include "test.hpp"

#include <condition_variable>
#include <mutex>
#include <shared_mutex>

using namespace std::chrono_literals;

#define HAS(requirement, ...)                      \
	template <class L, class = void>           \
	inline constexpr bool requirement = false; \
	template <class L>                         \
	inline constexpr bool requirement<L, std::void_t<__VA_ARGS__>>

template <class T, class U>
using same = std::enable_if_t<std::is_same_v<T, U>>;
template <class L>
L &a() noexcept;
using steady = std::chrono::steady_clock::time_point;
using day = std::chrono::system_clock::time_point;
using rounded = std::chrono::time_point<std::chrono::system_clock, std::chrono::hours>;

HAS(basic_lockable, same<void, decltype(a<L>().lock())>,
    same<void, decltype(a<L>().unlock())>) = true;
HAS(lockable, same<bool, decltype(a<L>().try_lock())>) = basic_lockable<L>;
HAS(timed_lockable, same<bool, decltype(a<L>().try_lock_for(1h))>,
    same<bool, decltype(a<L>().try_lock_for(std::chrono::duration<float>()))>,
    same<bool, decltype(a<L>().try_lock_until(steady()))>,
    same<bool, decltype(a<L>().try_lock_until(day()))>,
    same<bool, decltype(a<L>().try_lock_until(rounded()))>) = lockable<L>;
HAS(shared_lockable, same<void, decltype(a<L>().lock_shared())>,
    same<bool, decltype(a<L>().try_lock_shared())>,
    same<void, decltype(a<L>().unlock_shared())>) = true;
HAS(shared_timed_lockable, same<bool, decltype(a<L>().try_lock_shared_for(1h))>,
    same<bool, decltype(a<L>().try_lock_shared_until(steady()))>,
    same<bool, decltype(a<L>().try_lock_shared_until(day()))>) = shared_lockable<L>;

static_assert(timed_lockable<gosync::mutex>);
static_assert(!shared_lockable<gosync::mutex>);
static_assert(timed_lockable<gosync::rwmutex>);
static_assert(shared_timed_lockable<gosync::rwmutex>);

/* The checks themselves, on what is known */
static_assert(timed_lockable<std::timed_mutex> && lockable<std::mutex>);
static_assert(!timed_lockable<std::mutex> && !lockable<int>);
static_assert(shared_timed_lockable<std::shared_timed_mutex>);

template <class H>
inline constexpr bool is_handle =
	std::is_nothrow_default_constructible_v<H> &&std::is_nothrow_move_constructible_v<H>
		&&std::is_nothrow_move_assignable_v<H> && !std::is_copy_constructible_v<H> &&
	!std::is_copy_assignable_v<H> && std::is_nothrow_swappable_v<H> &&
	std::is_nothrow_destructible_v<H> && !std::is_convertible_v<const char *, H> &&
	!std::is_convertible_v<H, bool> &&
	std::is_constructible_v<bool, H> &&noexcept(a<const H>() == a<const H>()) &&noexcept(
		a<const H>() != a<const H>());

struct config {
	int version;
	char host[60];
};

GOSYNC_TYPE_NAME(struct config);

/* No constructor without arguments */
struct point {
	point(int x_, int y_) : x(x_), y(y_) {}
	int x, y;
};

GOSYNC_TYPE_NAME(point);

static_assert(is_handle<gosync::mutex> && is_handle<gosync::rwmutex>);
static_assert(is_handle<gosync::semaphore> && is_handle<gosync::waitgroup>);
static_assert(is_handle<gosync::once> && is_handle<gosync::cond>);
static_assert(is_handle<gosync::value<config>> && is_handle<gosync::value<point>>);
static_assert(is_handle<gosync::map<std::string, point>>);
static_assert(is_handle<gosync::atomic<int>> && is_handle<gosync::atomic<gosync::pointer>>);
static_assert(!std::is_same_v<gosync::atomic<long>::native_handle_type,
			      gosync::atomic<unsigned long>::native_handle_type>);

/* A handle is as small as the C library's, but for what on_owner_died() needs. */
static_assert(sizeof(gosync::semaphore) == sizeof(void *));
static_assert(sizeof(gosync::mutex) == 2 * sizeof(void *));

/* Each function with std::error_code never throws. */
static std::error_code ec;

#define NEVER_THROWS(type, ...) static_assert(noexcept(a<type>().__VA_ARGS__))

NEVER_THROWS(gosync::mutex, lock(ec));
NEVER_THROWS(gosync::mutex, try_lock(ec));
NEVER_THROWS(gosync::mutex, try_lock_for(a<const std::chrono::seconds>(), ec));
NEVER_THROWS(gosync::mutex, try_lock_until(a<const steady>(), ec));
NEVER_THROWS(gosync::mutex, unlock(ec));
NEVER_THROWS(gosync::mutex, dup(ec));
NEVER_THROWS(gosync::rwmutex, lock_shared(ec));
NEVER_THROWS(gosync::rwmutex, try_lock_shared_for(a<const std::chrono::seconds>(), ec));
NEVER_THROWS(gosync::rwmutex, unlock_shared(ec));
NEVER_THROWS(gosync::semaphore, acquire(ec));
NEVER_THROWS(gosync::semaphore, try_acquire_for(a<const std::chrono::seconds>(), ec));
NEVER_THROWS(gosync::waitgroup, wait(ec));
NEVER_THROWS(gosync::once, call(a<void() noexcept>(), ec));
NEVER_THROWS(gosync::value<config>, load(ec));
NEVER_THROWS(gosync::atomic<int>, operator[](0).fetch_add(1, ec));
static_assert(noexcept(a<gosync::map<std::string, int>>().load("key", ec)));
using numbers = gosync::map<int, int>;
using strings = gosync::map<int, std::string>;
static_assert(noexcept(a<numbers>().range(a<void(int, int) noexcept>(), ec)));
static_assert(!noexcept(a<numbers>().range(a<void(int, int)>(), ec)));
static_assert(!noexcept(a<strings>().range(a<void(int, std::string) noexcept>(), ec)));
static_assert(!noexcept(a<gosync::mutex>().lock()));
static_assert(!noexcept(a<gosync::once>().call(a<void()>(), ec)));

/* What gives a time of its own is converted, and nothing else is. */
static_assert(std::is_convertible_v<steady, gosync::deadline>);
static_assert(std::is_convertible_v<rounded, gosync::deadline>);
static_assert(!std::is_convertible_v<std::chrono::seconds, gosync::deadline>);
static_assert(!std::is_convertible_v<long, gosync::deadline>);

#if __cplusplus >= 202002L
/* What std::condition_variable_any and the others really ask of a lock */
template <class L>
concept cxx20_lockable = requires(L &l)
{
	l.lock();
	l.unlock();
	{
		l.try_lock()
		} -> std::same_as<bool>;
};
template <class L>
concept cxx20_shared_timed_lockable = requires(L &l, steady t)
{
	l.lock_shared();
	l.unlock_shared();
	{
		l.try_lock_shared()
		} -> std::same_as<bool>;
	{
		l.try_lock_shared_for(1ms)
		} -> std::same_as<bool>;
	{
		l.try_lock_shared_until(t)
		} -> std::same_as<bool>;
};

static_assert(cxx20_lockable<gosync::mutex> && cxx20_lockable<gosync::rwmutex>);
static_assert(cxx20_shared_timed_lockable<gosync::rwmutex>);
static_assert(!cxx20_shared_timed_lockable<gosync::mutex>);
static_assert(std::movable<gosync::mutex> && !std::copyable<gosync::mutex>);
static_assert(std::equality_comparable<gosync::mutex>);
#endif

TEST(the_standards_locks_take_a_mutex)
{
	gosync::mutex m(nullptr, create), n(nullptr, create);

	{
		std::lock_guard one(m);

		CHECK(!m.try_lock());
	}
	{
		std::scoped_lock both(m, n);

		CHECK(!m.try_lock() && !n.try_lock());
	}
	{
		std::unique_lock a_(m, std::defer_lock), b_(n, std::defer_lock);

		std::lock(a_, b_);
		CHECK(a_.owns_lock() && b_.owns_lock());
		b_.unlock();
	}
	{
		std::unique_lock l(m, std::try_to_lock);

		CHECK(l.owns_lock());
		CHECK(!std::unique_lock(m, 1ms));
		l.unlock();
		CHECK(l.try_lock_for(1h) && (l.unlock(), true));
		CHECK(l.try_lock_until(steady::clock::now()));
	}
	CHECK(m.try_lock());
	m.unlock();
	std::lock_guard adopted((m.lock(), m), std::adopt_lock);
}

TEST(the_standards_locks_take_an_rwmutex)
{
	gosync::rwmutex m(nullptr, create);

	{
		std::shared_lock one(m), two(m);

		CHECK(one.owns_lock() && two.owns_lock() && m.info().readers == 2);
		CHECK(!m.try_lock() && !std::unique_lock(m, 1ms));
	}
	{
		std::unique_lock writer(m);

		CHECK(!m.try_lock_shared() && !std::shared_lock(m, 1ms));
		CHECK(!std::shared_lock(m, steady::clock::now()));
	}
	std::scoped_lock writer(m);
}

TEST(condition_variable_any_takes_a_mutex_and_an_rwmutex)
{
	gosync::mutex m(nullptr, create);
	gosync::rwmutex rw(nullptr, create);
	std::condition_variable_any cv;
	int turns = 0;
	std::thread other([&] {
		for (int i = 0; i < 10; i++) {
			std::unique_lock l(m);

			cv.wait(l, [&] { return turns % 2 == 1; });
			turns++;
			cv.notify_all();
		}
	});

	for (int i = 0; i < 10; i++) {
		std::unique_lock l(m);

		cv.wait(l, [&] { return turns % 2 == 0; });
		turns++;
		cv.notify_all();
	}
	other.join();
	CHECK(turns == 20);
	std::shared_lock reader(rw);

	CHECK(cv.wait_for(reader, 1ms) == std::cv_status::timeout && reader.owns_lock());
}

#if __cplusplus >= 202002L
TEST(a_stop_token_ends_a_wait)
{
	gosync::mutex m(nullptr, create);
	std::condition_variable_any cv;
	bool stopped = false;
	std::jthread waiter([&](std::stop_token stop) {
		std::unique_lock l(m);

		stopped = !cv.wait(l, stop, [] { return false; });
	});

	waiter.request_stop();
	waiter.join();
	CHECK(stopped);
}
#endif
