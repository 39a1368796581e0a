// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * An owner dies with a lock, or is broken: what each way of locking does.
 */
#include "test.hpp"

#include <mutex>
#include <optional>
#include <shared_mutex>

using namespace std::chrono_literals;
using gosync::errc;

/* A process locks @name as an L, and is killed. */
template <class L>
static void die_with(const std::string &name)
{
	that_stays([&] {
		static std::optional<L> mine;

		mine.emplace(name);
		mine->lock();
	}).kill();
}

template <class L>
static void lock_throws_and_leaves_it_poisoned()
{
	const std::string name = fresh();
	L m(name, create);

	die_with<L>(name);
	for (int i = 0; i < 2; i++) {
		CHECK_THROWS(gosync::owner_died, errc::owner_died, m.lock());
		CHECK_THROWS(gosync::owner_died, errc::owner_died, std::lock_guard guard(m));
		CHECK_THROWS(gosync::owner_died, std::errc::owner_dead,
			     static_cast<void>(m.try_lock()));
		CHECK_THROWS(gosync::owner_died, errc::owner_died,
			     static_cast<void>(m.try_lock_for(1h)));
	}
	/* It was released each time. */
	process([&] {
		L mine(name);
		std::error_code ec;

		CHECK(mine.try_lock(ec) && ec == errc::owner_died);
		mine.unlock();
	});
	CHECK(m.lock_poisoned());
	m.recover();
	m.unlock();
	CHECK(!m.lock_poisoned());
	m.unlock();
	m.lock();
	m.unlock();
	CHECK(m.info().deaths == 1);
}

TEST(a_mutex_whose_owner_was_killed_throws_before_anybody_is_inside)
{
	lock_throws_and_leaves_it_poisoned<gosync::mutex>();
}

TEST(an_rwmutex_whose_writer_was_killed_throws_before_anybody_is_inside)
{
	lock_throws_and_leaves_it_poisoned<gosync::rwmutex>();
}

TEST(a_waiter_is_told_of_the_death)
{
	const std::string name = fresh();
	gosync::mutex m(name, create);
	process owner = that_stays([&] {
		static std::optional<gosync::mutex> mine;

		mine.emplace(name);
		mine->lock();
	});
	process waiter([&] {
		gosync::mutex mine(name);

		CHECK_THROWS(gosync::owner_died, errc::owner_died, mine.lock());
	});

	wait_for_waiters(m, 1);
	owner.kill();
	CHECK(waiter.ok());
}

TEST(with_an_error_code_the_lock_is_held)
{
	const std::string name = fresh();
	gosync::mutex m(name, create);
	gosync::rwmutex rw(name + "rw", create);
	std::error_code ec;
	const auto held = [&](bool is) {
		CHECK(is && ec == errc::owner_died && ec == std::errc::owner_dead);
		CHECK(ec.message() == "an owner died with the lock");
		std::error_code busy;

		CHECK(!m.try_lock(busy) && !busy);
		m.unlock();
	};

	die_with<gosync::mutex>(name);
	m.lock(ec);
	held(true);
	held(m.try_lock(ec));
	held(m.try_lock_for(1h, ec));
	held(m.try_lock_until(gosync::deadline(), ec));

	die_with<gosync::rwmutex>(name + "rw");
	rw.lock_shared(ec);
	CHECK(ec == errc::owner_died && rw.info().readers == 1);
	rw.unlock_shared();
	CHECK(rw.try_lock_shared(ec) && ec == errc::owner_died);
	rw.unlock_shared();
	CHECK(rw.try_lock_shared_for(1h, ec) && ec == errc::owner_died);
	rw.unlock_shared();
	CHECK(rw.lock_shared_poisoned());
	rw.unlock_shared();
	CHECK_THROWS(gosync::owner_died, errc::owner_died, rw.lock_shared());
	CHECK_THROWS(gosync::owner_died, errc::owner_died,
		     static_cast<void>(rw.try_lock_shared()));
	CHECK_THROWS(gosync::owner_died, errc::owner_died,
		     static_cast<void>(rw.try_lock_shared_for(1h)));
	CHECK(rw.info().readers == 0);
	CHECK(rw.lock_poisoned());
	rw.recover(ec);
	CHECK(!ec);
	rw.unlock();
	std::shared_lock reader(rw);
}

TEST(a_function_repairs_before_lock_returns)
{
	const std::string name = fresh();
	gosync::mutex m(name, create);
	int repairs = 0;

	m.on_owner_died([&] {
		CHECK(!m.try_lock());
		repairs++;
	});
	die_with<gosync::mutex>(name);
	{
		std::lock_guard guard(m);

		CHECK(repairs == 1);
	}
	CHECK(!m.lock_poisoned());
	m.unlock();
	die_with<gosync::mutex>(name);
	CHECK(m.try_lock() && repairs == 2);
	m.unlock();
	die_with<gosync::mutex>(name);
	CHECK(m.try_lock_for(1h) && repairs == 3);
	m.unlock();
	/* It moves with the handle. */
	gosync::mutex other = std::move(m);

	m = std::move(other);
	die_with<gosync::mutex>(name);
	m.lock();
	CHECK(repairs == 4);
	m.unlock();
	m.on_owner_died(nullptr);
	die_with<gosync::mutex>(name);
	CHECK_THROWS(gosync::owner_died, errc::owner_died, m.lock());
}

TEST(a_repair_that_throws_leaves_it_poisoned_and_free)
{
	const std::string name = fresh();
	gosync::mutex m(name, create);
	bool thrown = false;

	die_with<gosync::mutex>(name);
	m.on_owner_died([] { throw 42; });
	try {
		std::lock_guard guard(m);
	} catch (int) {
		thrown = true;
	}
	CHECK(thrown && m.info().owner == 0);
	m.on_owner_died([] {});
	m.lock();
	m.unlock();
}

TEST(a_reader_has_it_repaired_as_a_writer)
{
	const std::string name = fresh();
	gosync::rwmutex rw(name, create);
	int repairs = 0;

	rw.on_owner_died([&] {
		CHECK(!rw.try_lock_shared());
		repairs++;
	});
	die_with<gosync::rwmutex>(name);
	{
		std::shared_lock reader(rw);

		CHECK(repairs == 1 && rw.info().readers == 1 && rw.info().owner == 0);
	}
	die_with<gosync::rwmutex>(name);
	CHECK(rw.try_lock_shared() && repairs == 2);
	rw.unlock_shared();
	die_with<gosync::rwmutex>(name);
	CHECK(rw.try_lock_shared_for(1h) && repairs == 3);

	/* Beside another reader it cannot be repaired. */
	gosync::rwmutex other(name);

	rw.unlock_shared();
	die_with<gosync::rwmutex>(name);
	CHECK(other.lock_shared_poisoned());
	CHECK(!rw.try_lock_shared() && !rw.try_lock_shared_for(1ms) && repairs == 3);
	other.unlock_shared();
	rw.lock_shared();
	CHECK(repairs == 4);
	rw.unlock_shared();
	std::lock_guard writer(rw);
}

TEST(a_reader_that_is_killed_leaves_no_trace)
{
	const std::string name = fresh();
	gosync::rwmutex rw(name, create);

	that_stays([&] {
		static std::optional<gosync::rwmutex> mine;

		mine.emplace(name);
		mine->lock_shared();
	}).kill();
	rw.lock();
	rw.unlock();
}

TEST(a_handle_that_is_closed_with_the_lock_is_a_death)
{
	gosync::mutex m(nullptr, create);
	{
		gosync::mutex other = m.reopen();

		other.lock();
	}
	CHECK(m.lock_poisoned());
	m.unlock();
}

TEST(exec_with_the_lock_is_a_death)
{
	const std::string name = fresh(), words = fresh();
	gosync::mutex m(name, create);
	gosync::atomic<int> word(words, 1, create);

	process([&] {
		gosync::mutex mine(name);

		mine.lock();
		::execl("/proc/self/exe", "binding_cpp", "--program", "add", words.c_str(),
			static_cast<char *>(nullptr));
		std::_Exit(3);
	});
	CHECK(word[0] == 1);
	CHECK(m.lock_poisoned());
	m.unlock();
}

TEST(a_broken_owner_is_told_and_a_new_handle_goes_on)
{
	gosync::mutex m(nullptr, create | gosync::flags::errorcheck);
	gosync::mutex hung = m.reopen();
	std::error_code ec;

	hung.lock();
	m.break_holder(hung.info().holder);
	CHECK_THROWS(gosync::broken, errc::broken, hung.unlock());
	CHECK_THROWS(gosync::broken, errc::broken, hung.lock());
	CHECK_THROWS(gosync::broken, errc::broken, hung.token());
	hung.unlock(ec);
	CHECK(ec == errc::broken &&
	      ec.message() == "what this holder had was taken from it (broken)");
	CHECK(m.lock_poisoned());
	m.recover();
	m.unlock();
	hung = hung.reopen();
	hung.lock();
	hung.unlock();
	m.break_holder(1U << 31, ec);
	CHECK(ec == std::errc::no_such_process);
}

TEST(a_broken_owner_in_a_guard_ends_the_program)
{
	const std::string name = fresh();
	gosync::mutex m(name, create);
	process hung([&] {
		be_quiet();
		gosync::mutex mine(name);
		std::lock_guard guard(mine);

		m.break_holder(mine.info().holder);
	});

	CHECK(hung.ends_by(SIGABRT));
}

TEST(permits_of_the_dead_return_only_if_they_should)
{
	const std::string name = fresh();
	gosync::semaphore lost(name, 2, create);
	gosync::semaphore kept(name + "k", 2, create | gosync::flags::give_back);

	that_stays([&] {
		gosync::semaphore(name).acquire();
		static std::optional<gosync::semaphore> mine;

		mine.emplace(name + "k");
		mine->acquire(2);
	}).kill();
	CHECK(lost.count() == 1);
	kept.acquire(2);
	kept.release(2);
	CHECK_THROWS(gosync::error, std::errc::operation_not_permitted, kept.release());
}

TEST(a_once_whose_runner_was_killed_is_done_by_another)
{
	const std::string name = fresh();
	gosync::once once(name, create);
	bool died = false;

	that_stays([&] {
		static std::optional<gosync::once> mine;

		mine.emplace(name);
		CHECK(mine->begin() == gosync::once::todo::run);
	}).kill();
	once.call([&](bool d) { died = d; });
	CHECK(died && once.is_done());
}
