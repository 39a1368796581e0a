/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the tests share: tests that run in a process of their own each, and say so in
 * kselftest's TAP; checks; other processes.
 *
 * Nothing waits for a length of time: who waits looks until it is so, and run_tests.sh ends
 * a test that hangs.
 */
#ifndef GOSYNC_TEST_HPP
#define GOSYNC_TEST_HPP

#include <gosync.hpp>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <dirent.h>
#include <functional>
#include <string>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <utility>
#include <vector>

struct test {
	const char *name;
	void (*run)();
};

inline std::vector<test> &tests()
{
	static std::vector<test> all;

	return all;
}

struct registered {
	registered(const char *name, void (*run)()) { tests().push_back({name, run}); }
};

#define TEST(name_)                                          \
	static void name_();                                 \
	static const registered name_##_test(#name_, name_); \
	static void name_()

/* A check that fails ends the process. */
#define CHECK(what)                                                                      \
	do {                                                                             \
		if (!(what)) {                                                           \
			std::printf("# %s:%d: not so: %s\n", __FILE__, __LINE__, #what); \
			std::fflush(stdout);                                             \
			std::_Exit(1);                                                   \
		}                                                                        \
	} while (0)

#if GOSYNC__EXCEPTIONS
/* Whether @f throws an E whose code is @expected */
template <class E, class Condition, class F>
bool throws(Condition expected, F f)
{
	try {
		f();
	} catch (const E &e) {
		if (e.code() == expected)
			return true;
		std::printf("# %s\n", e.what());
	}
	return false;
}

#define CHECK_THROWS(E, expected, ...) CHECK(throws<E>(expected, [&] { __VA_ARGS__; }))
#endif

inline const auto create = gosync::flags::create;

/* The name of an object that the present test alone has */
inline std::string fresh(const char *what = "object")
{
	static int number;

	return "cpp." + std::to_string(::getpid()) + "." + what + std::to_string(++number);
}

/* Looks until it is so. */
template <class F>
void eventually(F f)
{
	while (!f())
		::usleep(1000);
}

/* Another process, which calls @f and ends well if that returns */
class process
{
public:
	template <class F>
	explicit process(F f) : pid_(::fork())
	{
		CHECK(pid_ >= 0);
		if (!pid_) {
			f();
			std::fflush(stdout);
			std::_Exit(0);
		}
	}

	process(process &&other) noexcept : pid_(std::exchange(other.pid_, 0)) {}
	process(const process &) = delete;
	process &operator=(const process &) = delete;

	~process() { CHECK(pid_ == 0 || ok()); }

	pid_t pid() const { return pid_; }

	/* Return: the status of waitpid(2) */
	int wait()
	{
		int status = 0;

		CHECK(::waitpid(pid_, &status, 0) == pid_);
		pid_ = 0;
		return status;
	}

	bool ok() { return wait() == 0; }

	/* SIGKILL, whatever it is doing */
	void kill()
	{
		::kill(pid_, SIGKILL);
		CHECK(WTERMSIG(wait()) == SIGKILL);
	}

	/* Whether a signal ends it */
	bool ends_by(int signal)
	{
		const int status = wait();

		return WIFSIGNALED(status) && WTERMSIG(status) == signal;
	}

private:
	pid_t pid_;
};

/* For a process that is to be ended by abort(3): it says nothing. */
inline void be_quiet()
{
	CHECK(std::freopen("/dev/null", "w", stderr));
}

/* A process that calls @f, and then stays until it is killed; @f has been called. */
template <class F>
process that_stays(F f)
{
	gosync::semaphore ready(nullptr, 0, create);
	process p([&] {
		f();
		ready.release();
		for (;;)
			::pause();
	});

	ready.acquire();
	return p;
}

/* How many descriptors this process has */
inline int descriptors()
{
	int count = 0;
	DIR *dir = ::opendir("/proc/self/fd");

	CHECK(dir);
	while (::readdir(dir))
		count++;
	::closedir(dir);
	return count;
}

template <class Handle>
void wait_for_waiters(const Handle &h, unsigned int n)
{
	eventually([&] { return h.info().waiters == n; });
}

#endif /* GOSYNC_TEST_HPP */
