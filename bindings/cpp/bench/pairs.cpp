// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * pairs: what the C++ header costs beside C, in nanoseconds. In a guest where an instruction
 * takes one nanosecond (selftests/vm/run --icount) these are instructions, but for the timer
 * interrupts. Each figure is the least of some rounds.
 *
 * An operation is a pair where there are two: lock and unlock, acquire and release.
 */
#include <gosync.hpp>

#include "pairs.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <mutex>
#include <shared_mutex>

struct payload {
	std::int64_t words[8];
};

GOSYNC_TYPE_NAME(payload);

namespace
{

struct objects {
	gosync::mutex mutex;
	gosync::rwmutex rwmutex;
	gosync::semaphore semaphore;
	gosync::waitgroup waitgroup;
	gosync::once once;
	gosync::atomic<std::int64_t> words;
	gosync::value<payload> value;
	gosync::map<std::int64_t, std::int64_t> map;
};

constexpr unsigned int operations = 20000;
constexpr unsigned int rounds = 9;

/* One function for each, as in C, that knows nothing of how it is called */
#define LOOP(name, ...)                                                       \
	__attribute__((noinline)) void cpp_##name(objects *o, unsigned int n) \
	{                                                                     \
		while (n--) {                                                 \
			__VA_ARGS__;                                          \
		}                                                             \
	}

LOOP(mutex, o->mutex.lock(); o->mutex.unlock())
LOOP(guard, std::lock_guard guard(o->mutex))
LOOP(read, o->rwmutex.lock_shared(); o->rwmutex.unlock_shared())
LOOP(reader, std::shared_lock reader(o->rwmutex))
LOOP(write, o->rwmutex.lock(); o->rwmutex.unlock())
LOOP(semaphore, o->semaphore.acquire(); o->semaphore.release())
LOOP(waitgroup, o->waitgroup.add(1); o->waitgroup.done())
LOOP(once, o->once.call([] {}))
LOOP(add, o->words[0].fetch_add(1))
LOOP(value, if (!o->value.load()) c_fail(0))
LOOP(map, if (!o->map.load(1)) c_fail(0))

std::uint64_t now()
{
	timespec ts;

	::clock_gettime(CLOCK_MONOTONIC, &ts);
	return static_cast<std::uint64_t>(ts.tv_sec) * 1000000000 +
	       static_cast<std::uint64_t>(ts.tv_nsec);
}

template <class Objects>
double least(void (*f)(Objects *, unsigned int), Objects &o)
{
	std::uint64_t best = ~std::uint64_t();

	for (unsigned int i = 0; i < rounds; i++) {
		const std::uint64_t begin = now();

		f(&o, operations);
		best = std::min(best, now() - begin);
	}
	return static_cast<double>(best) / operations;
}

} /* namespace */

void c_fail(int ret)
{
	std::fprintf(stderr, "pairs: %s\n", gosync_strerror(0, ret));
	std::exit(1);
}

int main()
{
	using gosync::flags;
	objects o;

	o.mutex = gosync::mutex(nullptr, flags::create);
	o.rwmutex = gosync::rwmutex(nullptr, flags::create);
	o.semaphore = gosync::semaphore(nullptr, 1, flags::create);
	o.waitgroup = gosync::waitgroup(nullptr, flags::create);
	o.once = gosync::once(nullptr, flags::create);
	o.words = gosync::atomic<std::int64_t>(nullptr, 1, flags::create);
	o.value = gosync::value<payload>(nullptr, flags::create);
	o.map = gosync::map<std::int64_t, std::int64_t>(nullptr, flags::create);
	o.once.call([] {});
	o.value.store({});
	o.map.store(1, 1);
	/* The same handles, so that they are where they are for both */
	c_objects c = {o.mutex.native_handle(),     o.rwmutex.native_handle(),
		       o.semaphore.native_handle(), o.waitgroup.native_handle(),
		       o.once.native_handle(),      o.words.native_handle(),
		       o.value.native_handle(),     o.map.native_handle()};
	const struct {
		const char *what;
		void (*in_c)(c_objects *, unsigned int);
		void (*in_cpp)(objects *, unsigned int);
	} all[] = {
		{"mutex: lock(), unlock()", c_mutex, cpp_mutex},
		{"mutex: std::lock_guard", c_mutex, cpp_guard},
		{"rwmutex: lock_shared(), unlock_shared()", c_read, cpp_read},
		{"rwmutex: std::shared_lock", c_read, cpp_reader},
		{"rwmutex: lock(), unlock()", c_write, cpp_write},
		{"semaphore: acquire(), release()", c_semaphore, cpp_semaphore},
		{"waitgroup: add(1), done()", c_waitgroup, cpp_waitgroup},
		{"once: call()", c_once, cpp_once},
		{"atomic: fetch_add()", c_add, cpp_add},
		{"value: load() of 64 bytes", c_value, cpp_value},
		{"map: load(), 8 bytes each", c_map, cpp_map},
	};

	std::printf("%-42s %8s %8s %6s\n", "", "C", "C++", "ratio");
	for (const auto &one : all) {
		const double in_c = least(one.in_c, c), in_cpp = least(one.in_cpp, o);

		std::printf("%-42s %8.2f %8.2f %6.2f\n", one.what, in_c, in_cpp, in_cpp / in_c);
	}
	return 0;
}
