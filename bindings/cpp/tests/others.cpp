// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Cond, Semaphore, WaitGroup and Once
 */
#include "test.hpp"

#include <atomic>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <stdexcept>

using namespace std::chrono_literals;
using gosync::deadline;
using gosync::errc;

/* --- Cond ------------------------------------------------------------------- */

TEST(a_cond_passes_turns_between_processes)
{
	const std::string name = fresh();
	gosync::mutex m(name, create);
	gosync::cond changed(name + "c", create);
	gosync::atomic<int> turn(name + "t", 1, create);
	const auto play = [&](int me) {
		gosync::mutex lock(name);
		gosync::cond cond(name + "c");

		for (int i = 0; i < 50; i++) {
			std::unique_lock l(lock);

			cond.wait(l, [&] { return turn[0] % 2 == me; });
			CHECK(l.owns_lock() && !m.try_lock());
			++turn[0];
			cond.notify_all();
		}
	};
	process one([&] { play(1); });

	play(0);
	CHECK(one.ok() && turn[0] == 100);
}

TEST(notify_one_wakes_one_and_notify_all_wakes_all)
{
	const std::string name = fresh();
	gosync::mutex m(name, create);
	gosync::cond cond(name + "c", create);
	gosync::semaphore woken(name + "w", 0, create);
	std::vector<process> waiters;

	for (int i = 0; i < 3; i++)
		waiters.emplace_back([&] {
			gosync::mutex lock(name);
			gosync::cond mine(name + "c");
			std::unique_lock l(lock);

			mine.wait(l);
			woken.release();
		});
	wait_for_waiters(cond, 3);
	cond.notify_one();
	woken.acquire();
	wait_for_waiters(cond, 2);
	CHECK(!woken.try_acquire());
	cond.notify_all();
	woken.acquire(2);
	for (process &p : waiters)
		CHECK(p.ok());
}

TEST(a_wait_for_a_cond_ends_by_its_deadline_with_the_lock)
{
	gosync::mutex m(nullptr, create);
	gosync::rwmutex rw(nullptr, create);
	gosync::cond cond(nullptr, create);
	std::error_code ec;
	std::unique_lock l(m);
	std::unique_lock writer(rw);
	const auto never = [] { return false; };

	CHECK(cond.wait_for(l, 1ms) == std::cv_status::timeout && l.owns_lock());
	CHECK(!m.try_lock());
	CHECK(cond.wait_for(l, 1ms, ec) == std::cv_status::timeout && !ec);
	CHECK(!cond.wait_for(l, 1ms, never) && !cond.wait_for(l, 1ms, never, ec) && !ec);
	CHECK(cond.wait_until(l, std::chrono::system_clock::now()) == std::cv_status::timeout);
	CHECK(cond.wait_for(writer, 1ms) == std::cv_status::timeout);
	writer.unlock();
	std::shared_lock reader(rw);

	CHECK(cond.wait_for(reader, 1ms) == std::cv_status::timeout && reader.owns_lock());
	CHECK(rw.info().readers == 1);
	CHECK(cond.wait_for(l, 1h, [] { return true; }));
}

TEST(a_cond_refuses_a_lock_that_is_not_held)
{
	gosync::mutex m(nullptr, create);
	gosync::cond cond(nullptr, create);
	std::unique_lock l(m, std::defer_lock);
	std::unique_lock<gosync::mutex> none;
	std::error_code ec;

	CHECK_THROWS(gosync::error, std::errc::operation_not_permitted, cond.wait(l));
	cond.wait(none, ec);
	CHECK(ec == std::errc::operation_not_permitted);
}

/* A process with @name's lock dies while the caller waits for a Cond, which it notifies. */
template <class Wait>
static void die_during(const std::string &name, const gosync::cond &cond, Wait wait)
{
	process dies([&] {
		gosync::mutex mine(name);
		gosync::cond its(name + "c");

		wait_for_waiters(cond, 1);
		mine.lock();
		its.notify_one();
		std::_Exit(0);
	});

	wait();
	CHECK(dies.ok());
}

TEST(a_wait_for_a_cond_is_told_of_a_death)
{
	const std::string name = fresh();
	gosync::mutex m(name, create);
	gosync::cond cond(name + "c", create);
	std::unique_lock l(m);

	die_during(name, cond,
		   [&] { CHECK_THROWS(gosync::owner_died, errc::owner_died, cond.wait(l)); });
	CHECK(!l.owns_lock() && l.mutex() == &m && m.info().owner == 0);
	CHECK_THROWS(gosync::owner_died, errc::owner_died, l.lock());
	CHECK(!l.owns_lock());
}

TEST(a_wait_for_a_cond_repairs)
{
	const std::string name = fresh();
	gosync::mutex m(name, create);
	gosync::cond cond(name + "c", create);
	std::error_code ec;
	std::unique_lock l(m);
	int repairs = 0;

	m.on_owner_died([&] { repairs++; });
	die_during(name, cond, [&] { cond.wait(l); });
	CHECK(l.owns_lock() && repairs == 1 && m.info().owner != 0);
	die_during(name, cond, [&] {
		CHECK(cond.wait_until(l, deadline()) == std::cv_status::no_timeout);
	});
	CHECK(l.owns_lock() && repairs == 2);
	die_during(name, cond, [&] { cond.wait(l, ec); });
	CHECK(l.owns_lock() && ec == errc::owner_died && repairs == 2);
	m.recover();
	m.on_owner_died([] { throw 42; });
	die_during(name, cond, [&] {
		try {
			cond.wait(l);
			CHECK(false);
		} catch (int) {
		}
	});
	CHECK(!l.owns_lock() && m.info().owner == 0);
}

TEST(a_broken_waiter_of_a_cond_does_not_hold_the_lock)
{
	gosync::mutex m(nullptr, create);
	gosync::mutex hung = m.reopen();
	gosync::cond cond(nullptr, create);
	std::unique_lock l(hung);

	m.break_holder(hung.info().holder);
	CHECK_THROWS(gosync::broken, errc::broken, cond.wait(l));
	CHECK(!l.owns_lock() && l.mutex() == &hung);
}

/* --- Semaphore -------------------------------------------------------------- */

TEST(a_semaphore_counts_permits_of_all_processes)
{
	const std::string name = fresh();
	gosync::semaphore s(name, 3, create);
	gosync::semaphore tried(name + "t", 0, create);
	std::error_code ec;

	s.acquire();
	s.acquire(ec);
	CHECK(!ec && s.count() == 1 && s.count(ec) == 1);
	process other([&] {
		gosync::semaphore mine(name);

		CHECK(!mine.try_acquire(2) && !mine.try_acquire(2, ec) && !ec);
		CHECK(mine.try_acquire() && !mine.try_acquire(ec) && !ec);
		CHECK(!mine.try_acquire_for(1ms) && !mine.try_acquire_for(1ms, ec) && !ec);
		CHECK(!mine.try_acquire_until(std::chrono::system_clock::now()));
		CHECK(!mine.try_acquire_for(1ms, 1) && !mine.try_acquire_for(1ms, 1, ec) &&
		      !ec);
		tried.release();
		mine.acquire(2, ec);
		CHECK(!ec);
	});

	tried.acquire();
	wait_for_waiters(s, 1);
	s.release();
	CHECK(s.info().waiters == 1);
	s.release(1, ec);
	CHECK(other.ok() && s.count() == 0);
	s.release(ec);
	CHECK(!ec && s.try_acquire_for(1h));
}

TEST(a_semaphore_refuses_what_is_out_of_range)
{
	gosync::semaphore s(nullptr, 2147483647, create);
	gosync::semaphore limited(nullptr, 2, create | gosync::flags::give_back);
	std::error_code ec;

	CHECK_THROWS(gosync::error, std::errc::result_out_of_range, s.release());
	CHECK(s.count() == 2147483647);
	CHECK_THROWS(gosync::error, std::errc::invalid_argument, s.acquire(1U << 31));
	limited.acquire(2);
	limited.set_limit(1);
	CHECK(limited.info().owed == 1);
	limited.release(2);
	CHECK(limited.count() == 1);
	limited.set_limit(5, ec);
	CHECK(!ec && limited.count() == 5);
	limited.release(ec);
	CHECK(ec == std::errc::operation_not_permitted);
}

/* --- WaitGroup -------------------------------------------------------------- */

TEST(a_waitgroup_waits_for_all_processes)
{
	const std::string name = fresh();
	gosync::waitgroup wg(name, create);
	gosync::atomic<int> sum(name + "s", 1, create);
	std::error_code ec;

	wg.wait();
	CHECK(wg.wait_for(0s) && wg.wait_until(deadline(), ec) && !ec);
	wg.add(3);
	CHECK(wg.count() == 3 && !wg.wait_for(1ms) && !wg.wait_for(1ms, ec) && !ec);
	std::vector<process> workers;

	for (int i = 1; i <= 3; i++)
		workers.emplace_back([&, i] {
			gosync::waitgroup mine(name);

			sum[0] += i;
			mine.done();
		});
	wg.wait();
	CHECK(sum[0] == 6 && wg.count(ec) == 0);
	CHECK_THROWS(gosync::error, std::errc::result_out_of_range, wg.done());
	wg.done(ec);
	CHECK(ec.message() == "sync: negative WaitGroup counter" && wg.count() == 0);
}

TEST(go_runs_in_a_thread_and_is_done)
{
	gosync::waitgroup wg(nullptr, create);
	auto big = std::make_unique<int>(1);
	std::atomic<int> sum{0};
	std::error_code ec;

	wg.go([&sum, mine = std::move(big)] { sum += *mine; });
	wg.go([&sum] { sum += 10; }, ec);
	CHECK(!ec);
	wg.wait();
	CHECK(sum == 11 && wg.count() == 0);
}

TEST(what_a_thread_of_go_throws_ends_the_program)
{
	gosync::waitgroup wg(nullptr, create);
	process wrong([&] {
		be_quiet();
		wg.go([] { throw std::runtime_error("nobody catches this"); });
		wg.wait();
		::pause();
	});

	CHECK(wrong.ends_by(SIGABRT));
}

/* --- Once ------------------------------------------------------------------- */

static int calls;

static void counts_calls()
{
	calls++;
}

TEST(a_once_is_done_once_by_all_processes)
{
	const std::string name = fresh();
	gosync::once once(name, create);
	gosync::atomic<int> count(name + "c", 1, create);
	std::error_code ec;
	std::vector<process> callers;

	CHECK(!once.is_done() && !once.wait_for(1ms) && !once.wait_for(1ms, ec) && !ec);
	for (int i = 0; i < 4; i++)
		callers.emplace_back([&] {
			gosync::once mine(name);

			mine.call([&] { ++count[0]; });
			CHECK(count[0] == 1);
		});
	once.wait();
	CHECK(once.is_done(ec) && !ec && once.wait_for(0s));
	for (process &p : callers)
		CHECK(p.ok() && count[0] == 1);
	gosync::once other(nullptr, create);

	other.call(counts_calls);
	other.call(counts_calls, ec);
	CHECK(calls == 1 && !ec);
}

TEST(an_exception_leaves_a_once_to_be_done)
{
	gosync::once once(nullptr, create);
	bool died = false;
	std::error_code ec;

	for (int i = 0; i < 2; i++) {
		try {
			once.call([&](bool d) {
				died = d;
				throw i;
			});
			CHECK(false);
		} catch (int thrown) {
			CHECK(thrown == i && died == (i == 1) && !once.is_done());
		}
	}
	try {
		once.call([] { throw 7; }, ec);
		CHECK(false);
	} catch (int) {
	}
	once.call([&](bool d) { died = d; }, ec);
	CHECK(died && once.is_done());
}

TEST(an_exception_leaves_a_once_done_anyway)
{
	gosync::once once(nullptr, create);
	std::error_code ec;

	try {
		once.call_anyway([] { throw 1; });
		CHECK(false);
	} catch (int) {
	}
	CHECK(once.is_done());
	once.call_anyway([] { CHECK(false); }, ec);
	CHECK(!ec);
}

TEST(a_once_refuses_to_wait_for_itself)
{
	gosync::once once(nullptr, create);
	std::error_code ec;

	once.call([&] {
		CHECK_THROWS(gosync::error, std::errc::resource_deadlock_would_occur,
			     once.call([] {}));
		CHECK_THROWS(gosync::error, std::errc::resource_deadlock_would_occur,
			     once.wait());
	});
	CHECK(once.is_done());
	once.done(ec);
	CHECK(ec == std::errc::operation_not_permitted);
	CHECK_THROWS(gosync::error, std::errc::operation_not_permitted, once.abandon());
}

TEST(a_once_in_two_halves)
{
	gosync::once once(nullptr, create);
	gosync::once other = once.reopen();
	std::error_code ec;

	CHECK(once.begin() == gosync::once::todo::run);
	CHECK_THROWS(gosync::error, std::errc::timed_out,
		     static_cast<void>(other.begin(deadline::after(1ms))));
	once.abandon();
	CHECK(other.begin(deadline(), ec) == gosync::once::todo::run_again && !ec);
	other.done();
	CHECK(once.begin() == gosync::once::todo::nothing);
}
