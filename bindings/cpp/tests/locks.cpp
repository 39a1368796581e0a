// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Mutex and RWMutex between processes and threads: exclusion, waits and how they end,
 * misuse. What happens after deaths is in deaths.cpp.
 */
#include "test.hpp"

#include <csetjmp>
#include <cstring>
#include <mutex>
#include <pthread.h>
#include <shared_mutex>

using namespace std::chrono_literals;
using gosync::deadline;

TEST(a_mutex_excludes_processes_and_threads)
{
	const std::string name = fresh(), words = fresh();
	gosync::mutex m(name, create);
	gosync::atomic<long> word(words, 1, create);
	const auto work = [&] {
		gosync::mutex mine(name);
		std::vector<std::thread> threads;

		for (int t = 0; t < 4; t++)
			threads.emplace_back([&] {
				for (int i = 0; i < 250; i++) {
					std::lock_guard guard(mine);
					const long n = word[0];

					word[0] = n + 1;
				}
			});
		for (std::thread &t : threads)
			t.join();
	};
	process one(work), two(work);

	work();
	CHECK(one.ok() && two.ok());
	CHECK(word[0] == 3000);
}

TEST(a_mutex_is_free_after_every_way_of_unlocking)
{
	gosync::mutex m(nullptr, create);

	CHECK(m.try_lock());
	m.unlock();
	CHECK(m.try_lock_for(-1h) && !m.try_lock());
	m.unlock();
	CHECK(m.try_lock_until(deadline()));
	m.unlock();
	CHECK(!m.lock_poisoned());
	m.unlock();
	std::error_code ec = std::make_error_code(std::errc::io_error);

	m.lock(ec);
	CHECK(!ec);
	CHECK(!m.try_lock(ec) && !ec);
	m.unlock(ec);
	CHECK(!ec && m.try_lock(ec) && !ec);
	m.unlock();
}

TEST(a_waiter_gets_the_lock_from_another_process)
{
	const std::string name = fresh();
	gosync::mutex m(name, create);

	m.lock();
	process waiter([&] {
		gosync::mutex mine(name);

		CHECK(!mine.try_lock());
		std::lock_guard guard(mine);
	});

	wait_for_waiters(m, 1);
	CHECK(m.waiters().size() == 1 &&
	      m.waiters()[0].pid == static_cast<unsigned int>(waiter.pid()));
	m.unlock();
	CHECK(waiter.ok());
}

/* Half as fast as the others */
struct slow {
	using duration = std::chrono::milliseconds;
	using rep = duration::rep;
	using period = duration::period;
	using time_point = std::chrono::time_point<slow>;
	static constexpr bool is_steady = false;

	static time_point now()
	{
		const auto t = std::chrono::steady_clock::now().time_since_epoch();

		return time_point(std::chrono::duration_cast<duration>(t / 2));
	}
};

TEST(a_deadline_of_any_clock_ends_a_wait)
{
	gosync::mutex m(nullptr, create);
	std::error_code ec = std::make_error_code(std::errc::io_error);
	const auto begin = std::chrono::steady_clock::now();
	const auto today = std::chrono::system_clock::now();
	const auto slowly = slow::now();

	m.lock();
	CHECK(!m.try_lock_for(10ms));
	CHECK(std::chrono::steady_clock::now() - begin >= 10ms);
	CHECK(!m.try_lock_until(begin + 20ms));
	CHECK(std::chrono::steady_clock::now() - begin >= 20ms);
	CHECK(!m.try_lock_until(today + 30ms));
	CHECK(std::chrono::system_clock::now() - today >= 30ms);
	CHECK(!m.try_lock_until(slowly + 40ms));
	CHECK(slow::now() - slowly >= 40ms);
	CHECK(!m.try_lock_for(1ns, ec) && !ec);
	CHECK(!m.try_lock_until(std::chrono::steady_clock::time_point::min()));
	CHECK(!m.try_lock_until(std::chrono::system_clock::time_point::min()));
	CHECK(!m.try_lock_for(std::chrono::hours::min()));
}

TEST(a_time_that_never_comes_overflows_nothing)
{
	const std::string name = fresh();
	gosync::mutex m(name, create);
	const auto waits = [&](auto wait) {
		m.lock();
		process waiter([&] {
			gosync::mutex mine(name);

			CHECK(wait(mine));
			mine.unlock();
		});

		wait_for_waiters(m, 1);
		m.unlock();
		CHECK(waiter.ok());
	};

	waits([](auto &l) { return l.try_lock_for(std::chrono::hours::max()); });
	waits([](auto &l) { return l.try_lock_for(std::chrono::nanoseconds::max()); });
	waits([](auto &l) {
		return l.try_lock_until(std::chrono::steady_clock::time_point::max());
	});
	waits([](auto &l) {
		return l.try_lock_until(std::chrono::system_clock::time_point::max());
	});
	waits([](auto &l) { return l.try_lock_for(std::chrono::duration<double>::max()); });
}

static volatile sig_atomic_t handled;

static void handle_signal(int)
{
	handled = handled + 1;
}

/* A handler that is called here, with or without SA_RESTART */
static void catch_signal(int flags)
{
	struct sigaction action = {};

	action.sa_handler = handle_signal;
	action.sa_flags = flags;
	CHECK(!::sigaction(SIGUSR1, &action, nullptr));
}

/* Sends @pid the signal while it waits, until it says through @seen that it was handled. */
static void signal_until(pid_t pid, const gosync::mutex &m, const gosync::atomic<int> &seen)
{
	wait_for_waiters(m, 1);
	::kill(pid, SIGUSR1);
	eventually([&] { return seen[0] != 0; });
}

TEST(a_handler_runs_and_the_wait_goes_on)
{
	const std::string name = fresh(), words = fresh();
	gosync::mutex m(name, create);
	gosync::atomic<int> seen(words, 1, create);

	m.lock();
	process waiter([&] {
		static gosync::atomic<int> mine;
		gosync::mutex lock(name);
		struct sigaction action = {};

		mine = gosync::atomic<int>(words);
		/* A store to a mapped word, no system call and no lock of the library's */
		action.sa_handler = [](int) { mine[0].store(1); };
		CHECK(!::sigaction(SIGUSR1, &action, nullptr));
		lock.lock();
		lock.unlock();
	});

	signal_until(waiter.pid(), m, seen);
	m.unlock();
	CHECK(waiter.ok());
}

TEST(a_handler_ends_a_wait_that_is_interruptible)
{
	const std::string name = fresh();
	gosync::mutex m(name, create);

	m.lock();
	process waiter([&] {
		gosync::mutex mine(name);
		std::error_code ec;

		catch_signal(0);
		CHECK(!mine.try_lock_until(deadline().interruptible(), ec));
		CHECK(handled == 1 && ec == std::errc::interrupted);
		CHECK_THROWS(
			gosync::error, std::errc::interrupted,
			static_cast<void>(mine.try_lock_until(deadline().interruptible())));
	});

	wait_for_waiters(m, 1);
	::kill(waiter.pid(), SIGUSR1);
	/* The second wait */
	eventually([&] { return m.stat().contended == 2 && m.info().waiters == 1; });
	::kill(waiter.pid(), SIGUSR1);
	CHECK(waiter.ok());
	m.unlock();
	CHECK(m.try_lock());
	m.unlock();
}

TEST(a_descriptor_cancels_a_wait)
{
	gosync::mutex m(nullptr, create);
	gosync::mutex other = m.reopen();
	int pipe[2];

	CHECK(!::pipe(pipe));
	m.lock();
	std::thread waiter([&] {
		gosync_wait_entry entries[] = {
			other.entry(),
			gosync::entry_of_fd(pipe[0], 1 /* POLLIN */),
		};

		CHECK(gosync::wait_any(entries) == 1);
	});

	wait_for_waiters(m, 1);
	CHECK(::write(pipe[1], "x", 1) == 1);
	waiter.join();
	m.unlock();
	CHECK(other.try_lock());
	other.unlock();
}

TEST(a_thread_that_is_cancelled_in_a_wait_gets_the_lock_first)
{
	gosync::mutex m(nullptr, create);
	bool got = false;

	m.lock();
	std::thread waiter([&] {
		m.lock();
		got = true;
		m.unlock();
	});

	wait_for_waiters(m, 1);
	CHECK(!::pthread_cancel(waiter.native_handle()));
	m.unlock();
	waiter.join();
	CHECK(got && m.try_lock());
	m.unlock();
}

TEST(a_wrong_unlock_changes_nothing)
{
	gosync::mutex m(nullptr, create);
	gosync::rwmutex rw(nullptr, create | gosync::flags::errorcheck);
	gosync::rwmutex other = rw.reopen();
	std::error_code ec;

	CHECK_THROWS(gosync::error, std::errc::operation_not_permitted, m.unlock());
	m.unlock(ec);
	CHECK(ec == std::errc::operation_not_permitted);
	CHECK(ec.message() == "sync: unlock of unlocked mutex");
	CHECK_THROWS(gosync::error, std::errc::operation_not_permitted, m.recover());
	CHECK(m.try_lock());
	m.unlock();

	rw.unlock(ec);
	CHECK(ec.message() == "sync: Unlock of unlocked RWMutex");
	rw.unlock_shared(ec);
	CHECK(ec.message() == "sync: RUnlock of unlocked RWMutex");
	rw.lock();
	CHECK_THROWS(gosync::error, std::errc::operation_not_permitted, other.unlock());
	CHECK(!other.try_lock());
	rw.unlock();
	rw.lock_shared();
	CHECK_THROWS(gosync::error, std::errc::operation_not_permitted, other.unlock_shared());
	CHECK(!other.try_lock());
	rw.unlock_shared();
}

TEST(a_wrong_unlock_in_a_guard_ends_the_program)
{
	gosync::mutex m(nullptr, create);
	process wrong([&] {
		be_quiet();
		std::lock_guard guard(m);

		m.unlock();
	});

	CHECK(wrong.ends_by(SIGABRT));
}

TEST(an_rwmutex_has_many_readers_or_one_writer)
{
	const std::string name = fresh(), words = fresh();
	gosync::rwmutex rw(name, create);
	gosync::atomic<int> pair(words, 2, create);
	const auto read = [&] {
		gosync::rwmutex mine(name);

		for (int i = 0; i < 300; i++) {
			std::shared_lock reader(mine);

			CHECK(pair[0] == pair[1]);
		}
	};
	const auto write = [&] {
		gosync::rwmutex mine(name);

		for (int i = 0; i < 100; i++) {
			std::lock_guard writer(mine);

			++pair[0];
			++pair[1];
		}
	};
	process r1(read), r2(read), w1(write), w2(write);

	CHECK(r1.ok() && r2.ok() && w1.ok() && w2.ok());
	CHECK(pair[0] == 200 && pair[1] == 200);
}

TEST(a_reader_of_another_process_keeps_writers_out)
{
	const std::string name = fresh();
	gosync::rwmutex rw(name, create);
	gosync::semaphore tried(name + "t", 0, create);
	std::error_code ec;

	rw.lock_shared();
	process other([&] {
		gosync::rwmutex mine(name);

		CHECK(mine.try_lock_shared());
		mine.unlock_shared();
		CHECK(mine.try_lock_shared_for(1h));
		mine.unlock_shared();
		CHECK(!mine.try_lock() && !mine.try_lock(ec) && !ec);
		CHECK(!mine.try_lock_for(1ms) && !mine.try_lock_for(1ms, ec) && !ec);
		tried.release();
		mine.lock();
		mine.unlock();
	});

	tried.acquire();
	wait_for_waiters(rw, 1);
	CHECK(!rw.try_lock_shared() && !rw.try_lock_shared(ec) && !ec);
	CHECK(!rw.try_lock_shared_for(1ms) && !rw.try_lock_shared_for(1ms, ec) && !ec);
	rw.unlock_shared();
	CHECK(other.ok());
	rw.lock_shared(ec);
	CHECK(!ec && !rw.lock_shared_poisoned());
	rw.unlock_shared(ec);
	CHECK(!ec);
	rw.unlock_shared();
}

TEST(tokens_grow)
{
	const std::string name = fresh();
	gosync::mutex m(name, create);
	gosync::rwmutex rw(nullptr, create);
	std::error_code ec;
	std::uint64_t first, second;

	m.lock();
	first = m.token();
	m.unlock();
	process([&] {
		gosync::mutex mine(name);

		mine.lock();
		CHECK(mine.token() > first);
		mine.unlock();
	});
	m.lock();
	CHECK(m.token(ec) > first + 1 && !ec);
	m.unlock();
	rw.lock();
	first = rw.token();
	rw.unlock();
	rw.lock();
	second = rw.token(ec);
	rw.unlock();
	CHECK(second > first);
}

TEST(several_locks_are_got_together)
{
	gosync::mutex a(nullptr, create), b(nullptr, create);
	gosync::rwmutex rw(nullptr, create);
	gosync_wait_entry both[] = {a.entry(), rw.entry_shared()};
	gosync_wait_entry twice[] = {a.entry(), a.entry()};
	std::error_code ec;

	CHECK(gosync::wait_all(both));
	CHECK(!a.try_lock() && !rw.try_lock() && rw.try_lock_shared());
	rw.unlock_shared();
	gosync_wait_entry one[] = {a.entry(), b.entry()};

	CHECK(!gosync::wait_all(one, deadline::after(1ms)) && b.try_lock());
	b.unlock();
	CHECK(gosync::wait_any(one) == 1);
	CHECK(!gosync::wait_any(one, 2, deadline::after(1ms), ec) && !ec);
	b.unlock();
	a.unlock();
	rw.unlock_shared();
	CHECK(!gosync::wait_all(twice, 2, {}, ec) &&
	      ec == std::errc::resource_deadlock_would_occur);
	CHECK_THROWS(gosync::error, std::errc::invalid_argument, gosync::wait_any(twice, 0));
}
