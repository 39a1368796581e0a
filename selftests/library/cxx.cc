// SPDX-License-Identifier: GPL-2.0-only
/*
 * The library's headers in C++, their inline functions and macros used.
 */
#include <cstdio>
#include <cstring>
#include <gosync-uring.h>
#include <unistd.h>

struct config {
	int answer;
};

static int failed;

static void check(bool good, const char *what)
{
	static int number;

	failed += !good;
	std::printf("%sok %d %s\n", good ? "" : "not ", ++number, what);
}

static bool mutex_works()
{
	gosync_mutex_t *mutex = nullptr;
	bool good = !gosync_mutex_open(nullptr, GOSYNC_CREATE, 0600, &mutex) &&
		!gosync_mutex_lock(mutex) && !gosync_mutex_unlock(mutex);

	gosync_close(mutex);
	return good;
}

static bool value_works()
{
	config in = { 42 }, out = {};
	gosync_value_t *value = nullptr;
	size_t len = sizeof(out);
	uint64_t type = 0;
	bool good = !gosync_value_open(nullptr, sizeof(in), GOSYNC_CREATE, 0600,
				       &value) &&
		!gosync_value_store(value, GOSYNC_TYPE_ID(config), &in,
				    sizeof(in)) &&
		!gosync_value_load(value, &out, &len, &type) &&
		out.answer == 42 && type == GOSYNC_TYPE_ID(config);

	gosync_close(value);
	return good;
}

static bool words_work()
{
	gosync_uint32_t *words = nullptr;
	uint32_t now = 0;
	bool good = !gosync_uint32_open(nullptr, 4, GOSYNC_CREATE, 0600,
					&words) &&
		!gosync_uint32_store(words, 3, 40) &&
		!gosync_uint32_add(words, 3, 2, &now) && now == 42 &&
		gosync_uint32_cas(words, 3, 42, 1) == 1;

	gosync_close(words);
	return good;
}

static bool waiting_works()
{
	gosync_semaphore_t *jobs = nullptr;
	gosync_int32_t *words = nullptr;
	bool good = !gosync_semaphore_open(nullptr, 1, GOSYNC_CREATE, 0600,
					   &jobs) &&
		!gosync_int32_open(nullptr, 1, GOSYNC_CREATE, 0600, &words);
	gosync_wait_entry entries[] = {
		gosync_entry_int32(words, 0, 0),
		gosync_entry_semaphore(jobs, 1),
	};

	good = good && gosync_wait_any(entries, 2, GOSYNC_FOREVER, 0) == 1 &&
		!gosync_semaphore_count(jobs);
	gosync_close(words);
	gosync_close(jobs);
	return good;
}

static bool commands_are_filled_in()
{
	gosync_mutex_t *mutex = nullptr;
	io_uring_sqe sqe;
	gosync_uring command;
	bool good = !gosync_mutex_open(nullptr, GOSYNC_CREATE, 0600, &mutex);

	gosync_prep_mutex_lock(&sqe, mutex, 42, GOSYNC_CLOCK_REALTIME);
	std::memcpy(&command, sqe.cmd, sizeof(command));
	good = good && sqe.opcode == IORING_OP_URING_CMD &&
		sqe.fd == gosync_fd(mutex) && !sqe.user_data &&
		sqe.cmd_op == GOSYNC_IOC_MUTEX_LOCK && command.deadline == 42 &&
		command.flags == GOSYNC_CLOCK_REALTIME && !command.index;
	gosync_close(mutex);
	return good;
}

/* What a callback throws gets to who called. */
struct thrown {
	int died;
};

static void throws_once(void *, int died)
{
	throw thrown{ died };
}

template <typename Call>
static int what_it_throws(Call call)
{
	try {
		call();
	} catch (const thrown &what) {
		return what.died;
	}
	return -1;
}

static void does_nothing(void *died_, int died)
{
	*static_cast<int *>(died_) = died;
}

static bool an_exception_leaves_a_once_to_be_done()
{
	gosync_once_t *once = nullptr;
	int died = -1;
	bool good = !gosync_once_open(nullptr, GOSYNC_CREATE, 0600, &once);
	auto call = [once] { gosync_once_do(once, throws_once, nullptr); };

	good = good && what_it_throws(call) == 0 && what_it_throws(call) == 1 &&
		!gosync_once_is_done(once) &&
		!gosync_once_do(once, does_nothing, &died) && died == 1 &&
		gosync_once_is_done(once) == 1;
	gosync_close(once);
	return good;
}

static bool an_exception_leaves_a_once_done_anyway()
{
	gosync_once_t *once = nullptr;
	int died = -1;
	bool good = !gosync_once_open(nullptr, GOSYNC_CREATE, 0600, &once);
	auto call = [once] {
		gosync_once_do_anyway(once, throws_once, nullptr);
	};

	good = good && what_it_throws(call) == 0 &&
		gosync_once_is_done(once) == 1 &&
		!gosync_once_do(once, does_nothing, &died) && died == -1;
	gosync_close(once);
	return good;
}

static int throws_party(const struct gosync_party *, void *)
{
	throw thrown{ 1 };
}

static int throws_info(const struct gosync_info *, void *)
{
	throw thrown{ 2 };
}

static int throws_entry(const void *, size_t, const void *, size_t, void *)
{
	throw thrown{ 3 };
}

static bool exceptions_leave_no_descriptor()
{
	gosync_map_t *map = nullptr, *slow = nullptr;
	bool good = !gosync_map_open("cxx", nullptr, GOSYNC_CREATE, 0600,
				     &map) &&
		!gosync_map_open("cxx", nullptr, GOSYNC_IOCTL_ONLY, 0, &slow) &&
		!gosync_map_store(map, "key", 3, "value", 5);
	int before = dup(0);

	close(before);
	for (int i = 0; good && i < 100; i++)
		good = what_it_throws([map] {
			gosync_holders(map, throws_party, nullptr);
		}) == 1 && what_it_throws([] {
			gosync_list(throws_info, nullptr);
		}) == 2 && what_it_throws([map] {
			gosync_map_range(map, throws_entry, nullptr);
		}) == 3 && what_it_throws([slow] {
			gosync_map_range(slow, throws_entry, nullptr);
		}) == 3;
	/* The lowest that is free is what it was. */
	good = good && dup(0) == before;
	close(before);
	gosync_close(map);
	gosync_close(slow);
	return good;
}

int main()
{
	std::printf("TAP version 13\n1..8\n");
	check(mutex_works(), "mutex_works_from_cxx");
	check(value_works(), "value_works_from_cxx");
	check(words_work(), "atomic_words_work_from_cxx");
	check(waiting_works(), "waiting_for_any_works_from_cxx");
	check(commands_are_filled_in(), "commands_are_filled_in_from_cxx");
	check(an_exception_leaves_a_once_to_be_done(),
	      "an_exception_leaves_a_once_to_be_done");
	check(an_exception_leaves_a_once_done_anyway(),
	      "an_exception_leaves_a_once_done_anyway");
	check(exceptions_leave_no_descriptor(),
	      "exceptions_leave_no_descriptor");
	return !!failed;
}
