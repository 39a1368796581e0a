// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The header with -fno-exceptions and -fno-rtti: functions with std::error_code work, and
 * the others end the program where they would throw.
 */
#include "test.hpp"

#include <cstring>
#include <fcntl.h>
#include <mutex>
#include <optional>
#include <shared_mutex>

#if GOSYNC__EXCEPTIONS
#error "this is about -fno-exceptions"
#endif

using namespace std::chrono_literals;
using gosync::errc;

/* @f ends its process by abort(3), after it has written @said to stderr. */
template <class F>
static bool aborts(const char *said, F f)
{
	char buffer[512] = {};
	int pipe[2];

	CHECK(!::pipe2(pipe, O_CLOEXEC));
	process wrong([&] {
		::dup2(pipe[1], 2);
		f();
	});
	::close(pipe[1]);
	CHECK(::read(pipe[0], buffer, sizeof(buffer) - 1) >= 0);
	::close(pipe[0]);
	std::printf("# %s", buffer);
	return wrong.ends_by(SIGABRT) && std::strstr(buffer, said);
}

TEST(error_codes_tell_without_exceptions)
{
	std::error_code ec;
	const std::string name = fresh();

	CHECK(!gosync::mutex::open(name, gosync::flags::none, 0, ec));
	CHECK(ec == std::errc::no_such_file_or_directory);
	gosync::mutex m = gosync::mutex::open(name, create, 0600, ec);

	CHECK(m && !ec);
	m.unlock(ec);
	CHECK(ec.message() == "sync: unlock of unlocked mutex");
	m.lock(ec);
	CHECK(!ec && !m.try_lock(ec) && !ec && !m.try_lock_for(1ms, ec) && !ec);
	m.unlock(ec);
	CHECK(!ec);
}

TEST(functions_that_would_throw_abort_and_say_why)
{
	gosync::mutex m(nullptr, create);
	gosync::semaphore s(nullptr, 2147483647, create);

	CHECK(aborts("gosync: sync: unlock of unlocked mutex\n", [&] { m.unlock(); }));
	CHECK(aborts("gosync: No such file or directory\n",
		     [&] { gosync::mutex none(fresh("none")); }));
	CHECK(aborts("gosync: ", [&] { s.release(); }));
	m.lock();
	m.unlock();
}

TEST(the_standards_locks_work_without_exceptions)
{
	gosync::mutex m(nullptr, create), n(nullptr, create);
	gosync::rwmutex rw(nullptr, create);

	{
		std::lock_guard guard(m);

		CHECK(!m.try_lock());
	}
	std::scoped_lock both(m, n);
	std::shared_lock reader(rw);

	CHECK(rw.info().readers == 1);
}

TEST(a_death_is_told_without_exceptions)
{
	const std::string name = fresh();
	gosync::mutex m(name, create);
	std::error_code ec;
	int repairs = 0;
	const auto die = [&] {
		that_stays([&] {
			static std::optional<gosync::mutex> mine;

			mine.emplace(name);
			mine->lock();
		}).kill();
	};

	die();
	CHECK(aborts("gosync: an owner died with the lock\n", [&] { m.lock(); }));
	CHECK(m.lock_poisoned());
	m.unlock();
	m.lock(ec);
	CHECK(ec == errc::owner_died);
	m.recover(ec);
	CHECK(!ec);
	m.unlock();
	m.on_owner_died([&] { repairs++; });
	die();
	{
		std::lock_guard guard(m);
	}
	CHECK(repairs == 1);
}

TEST(callbacks_and_containers_work_without_exceptions)
{
	gosync::map<std::string, std::vector<int>> m(nullptr, create);
	gosync::value<long> v(nullptr, create);
	gosync::atomic<int> words(nullptr, 2, create);
	gosync::once once(nullptr, create);
	gosync::waitgroup wg(nullptr, create);
	gosync::cond cond(nullptr, create);
	gosync::mutex lock(nullptr, create);
	std::error_code ec;
	int visited = 0, calls = 0;

	m.store("one", {1, 2, 3}, ec);
	CHECK(!ec && m.load("one", ec) == std::vector<int>({1, 2, 3}));
	m.range([&](const std::string &k, const std::vector<int> &) { visited += k == "one"; },
		ec);
	CHECK(visited == 1 && !ec);
	v.store(7, ec);
	CHECK(v.load(ec) == 7 && !ec);
	words[1].fetch_add(3, ec);
	CHECK(words[1].load(ec) == 3 && !ec);
	words[2].load(ec);
	CHECK(ec == std::errc::invalid_argument);
	once.call([&] { calls++; }, ec);
	once.call([&] { calls++; });
	CHECK(calls == 1 && !ec);
	wg.go([&] { words[0].store(1); }, ec);
	wg.wait(ec);
	CHECK(words[0] == 1 && !ec);
	std::unique_lock l(lock);

	CHECK(cond.wait_for(l, 1ms, ec) == std::cv_status::timeout && !ec && l.owns_lock());
	cond.wait(
		l, [] { return true; }, ec);
	CHECK(!ec);
}
