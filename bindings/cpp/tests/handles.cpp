// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Handles and names: moving, descriptors, processes that are copied or replaced, many
 * objects, what is left behind.
 */
#include "programs.hpp"
#include "test.hpp"

#include <mutex>
#include <optional>
#include <spawn.h>
#include <stdexcept>
#include <sys/socket.h>
#include <unordered_set>

using namespace std::chrono_literals;
using gosync::errc;
using gosync::flags;

/* Not std::move(), as compilers warn of a handle that is moved to itself */
template <class T>
static T &&moved(T &t)
{
	return static_cast<T &&>(t);
}

TEST(handles_move_and_swap)
{
	gosync::mutex a(nullptr, create), b(nullptr, create), empty;
	gosync_mutex_t *const one = a.native_handle(), *const two = b.native_handle();

	CHECK(a && b && !empty && a != b && a == a && empty == gosync::mutex());
	a.lock();
	swap(a, b);
	CHECK(a.native_handle() == two && b.native_handle() == one);
	std::swap(a, b);
	CHECK(a.native_handle() == one);
	a = moved(a);
	CHECK(a.native_handle() == one && !a.try_lock());
	a.swap(a);
	CHECK(a.native_handle() == one);
	empty = std::move(a);
	CHECK(!a && empty.native_handle() == one && a == gosync::mutex());
	gosync::mutex c(std::move(empty));

	CHECK(!empty && !c.try_lock());
	c.unlock();
	empty = std::move(a);
	CHECK(!empty);
	b.close();
	CHECK(!b);
	b.close();
	/* Assigning closes what was there. */
	const int before = descriptors();

	c = gosync::mutex(nullptr, create);
	CHECK(descriptors() == before && c);
	gosync_mutex_t *const detached = c.detach();

	CHECK(!c && detached);
	c = gosync::mutex::adopt(detached);
	c.lock();
	c.unlock();
	std::vector<gosync::mutex> many;

	for (int i = 0; i < 10; i++)
		many.emplace_back(nullptr, create);
	for (gosync::mutex &m : many)
		m.lock();
}

#if defined(_GLIBCXX_ASSERTIONS)
TEST(an_empty_handle_ends_the_program_if_asked_to)
{
	process wrong([] {
		be_quiet();
		gosync::mutex().lock();
	});

	CHECK(wrong.ends_by(SIGABRT));
}
#endif

TEST(dup_is_the_same_holder_and_reopen_another)
{
	gosync::mutex m(nullptr, create | flags::errorcheck);
	gosync::mutex same = m.dup();
	gosync::mutex other = m.reopen();
	gosync::semaphore s(nullptr, 1, create);
	std::error_code ec;

	CHECK(gosync::same_object(m, same) && gosync::same_object(m, other));
	CHECK(!gosync::same_object(m, s) && m != same);
	CHECK(m.info().holder == same.info().holder && m.info().holder != other.info().holder);
	CHECK(same.is_mapped() && other.is_mapped());
	m.lock();
	other.unlock(ec);
	CHECK(ec == std::errc::operation_not_permitted);
	same.unlock();
	m.lock();
	/* The holder ends with the last of its handles. */
	m.close();
	CHECK(!other.try_lock());
	same.close();
	CHECK(other.lock_poisoned());
	gosync::mutex slow = gosync::mutex(fresh(), create | flags::ioctl_only);

	CHECK(!slow.is_mapped() && !slow.dup(ec).is_mapped() && !ec);
	CHECK(!slow.reopen(ec).is_mapped() && !ec);
}

TEST(a_descriptor_makes_a_handle_in_another_process)
{
	gosync::mutex m(nullptr, create);
	int fds[2];

	CHECK(!::socketpair(AF_UNIX, SOCK_STREAM, 0, fds));
	process other([&] {
		char byte, room[CMSG_SPACE(sizeof(int))];
		iovec data = {&byte, 1};
		msghdr message = {};
		int fd;

		message.msg_iov = &data;
		message.msg_iovlen = 1;
		message.msg_control = room;
		message.msg_controllen = sizeof(room);
		CHECK(::recvmsg(fds[1], &message, 0) == 1);
		std::memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(fd));
		gosync::mutex mine = gosync::mutex::from_fd(fd);

		CHECK(!mine.try_lock());
		mine.unlock();
	});
	char byte = 0, room[CMSG_SPACE(sizeof(int))] = {};
	iovec data = {&byte, 1};
	msghdr message = {};
	const int fd = m.fd();

	message.msg_iov = &data;
	message.msg_iovlen = 1;
	message.msg_control = room;
	message.msg_controllen = sizeof(room);
	cmsghdr *const control = CMSG_FIRSTHDR(&message);

	control->cmsg_level = SOL_SOCKET;
	control->cmsg_type = SCM_RIGHTS;
	control->cmsg_len = CMSG_LEN(sizeof(int));
	std::memcpy(CMSG_DATA(control), &fd, sizeof(fd));
	m.lock();
	CHECK(::sendmsg(fds[0], &message, 0) == 1);
	CHECK(other.ok());
	CHECK(m.try_lock());
	m.unlock();
}

TEST(what_is_no_such_object_is_refused)
{
	gosync::semaphore s(nullptr, 1, create);
	const int fd = ::dup(s.fd());
	std::error_code ec;

	CHECK_THROWS(gosync::error, errc::other_type, gosync::mutex::from_fd(fd));
	CHECK(!gosync::mutex::from_fd(fd, flags::none, ec) && ec == errc::other_type);
	CHECK(!gosync::mutex::from_fd(0, flags::none, ec) && ec);
	CHECK(!gosync::mutex::from_fd(-1, flags::none, ec) &&
	      ec == std::errc::bad_file_descriptor);
	/* It is still ours. */
	CHECK(gosync::semaphore::from_fd(fd).try_acquire());
}

TEST(names_are_checked)
{
	const std::string name = fresh();
	std::error_code ec;

	CHECK_THROWS(gosync::error, std::errc::no_such_file_or_directory, gosync::mutex{name});
	CHECK(!gosync::mutex::open(name, flags::none, 0, ec));
	CHECK(ec == std::errc::no_such_file_or_directory &&
	      ec.category() == gosync::category());
	CHECK(!gosync::mutex::open(std::string(256, 'x'), create, 0600, ec));
	CHECK(ec == std::errc::filename_too_long);
	CHECK(!gosync::mutex::open(std::string("a\0b", 3), create, 0600, ec));
	CHECK(ec == std::errc::invalid_argument);
	gosync::mutex m(name, create | flags::exclusive);

	CHECK_THROWS(gosync::error, std::errc::file_exists,
		     gosync::mutex(name, create | flags::exclusive));
	CHECK_THROWS(gosync::error, errc::other_type, gosync::rwmutex{name});
	gosync::mutex observer(name, flags::read_only);

	CHECK_THROWS(gosync::error, std::errc::bad_file_descriptor, observer.lock());
	CHECK(observer.info().type == GOSYNC_MUTEX && observer.info().name_len == name.size());
	gosync::unlink(nullptr, ec);
	CHECK(ec == std::errc::invalid_argument);
}

TEST(names_are_unlinked_changed_and_listed)
{
	const std::string name = fresh();
	std::error_code ec;
	gosync::mutex m(name, create | flags::persist);
	int found = 0;
	const auto look = [&](const struct gosync_info &info) {
		found += name == reinterpret_cast<const char *>(info.name) &&
			 info.type == gosync::mutex::type;
	};

	gosync::list(look);
	gosync::list(look, ec);
	CHECK(found == 2 && !ec);
	CHECK(!gosync::unlink_unused(name) && !gosync::unlink_unused(name, ec) && !ec);
	gosync::chmod(name, 0666);
	CHECK(m.info().mode == 0666);
	gosync::chmod(name, 01777, ec);
	CHECK(ec == std::errc::invalid_argument);
	m.close();
	gosync::chown(name, 1001, 1001);
	m = gosync::mutex(name);
	CHECK(m.info().uid == 1001 && m.info().gid == 1001);
	gosync::unlink(name);
	CHECK_THROWS(gosync::error, std::errc::no_such_file_or_directory, gosync::unlink(name));
	m.lock();
	m.unlock();
	gosync::mutex other(name, create);

	CHECK(!gosync::same_object(m, other));
	other.close();
	CHECK(!gosync::unlink_unused(name, ec) && ec == std::errc::no_such_file_or_directory);
}

TEST(a_user_is_refused_what_is_not_his)
{
	const std::string name = fresh();
	gosync::mutex m(name, create, 0600);

	process([&] {
		std::error_code ec;

		CHECK(!::setgid(1001) && !::setuid(1001));
		CHECK_THROWS(gosync::error, std::errc::permission_denied, gosync::mutex{name});
		CHECK_THROWS(gosync::error, std::errc::operation_not_permitted,
			     gosync::unlink(name));
		m.break_holder(m.info().holder, ec);
		CHECK(ec == std::errc::operation_not_permitted);
	});
	m.lock();
	m.unlock();
}

TEST(await_opens_a_name_that_comes)
{
	const std::string name = fresh();
	std::error_code ec;
	process waiter([&] {
		gosync::semaphore s = gosync::semaphore::await(name);

		s.release();
	});

	CHECK_THROWS(gosync::error, std::errc::timed_out,
		     gosync::mutex::await(name, gosync::deadline::after(1ms)));
	CHECK(!gosync::mutex::await(nullptr, {}, flags::none, ec) &&
	      ec == std::errc::invalid_argument);
	gosync::semaphore s(name, 0, create);

	s.acquire();
	CHECK(waiter.ok());
	CHECK(!gosync::mutex::await(name, {}, flags::none, ec) && ec == errc::other_type);
}

TEST(a_child_of_fork_is_a_holder_of_its_own)
{
	gosync::mutex m(nullptr, create | flags::errorcheck);
	const std::uint32_t holder = m.info().holder;

	m.lock();
	process child([&] {
		std::error_code ec;

		CHECK(m.info().holder != holder && !m.try_lock());
		m.unlock(ec);
		CHECK(ec == std::errc::operation_not_permitted);
		m.lock();
	});

	wait_for_waiters(m, 1);
	m.unlock();
	CHECK(child.ok());
	CHECK(m.lock_poisoned());
	m.unlock();
}

TEST(a_child_that_got_no_descriptor_is_told)
{
	gosync::mutex m(nullptr, create);

	process([&] {
		std::error_code ec;

		::close(m.fd());
		process([&] {
			m.lock(ec);
			CHECK(ec == std::errc::bad_file_descriptor);
			CHECK_THROWS(gosync::error, std::errc::bad_file_descriptor, m.lock());
			CHECK_THROWS(gosync::error, std::errc::bad_file_descriptor, m.fd());
		});
	});
	m.lock();
	m.unlock();
}

TEST(programs_that_are_executed_meet_by_name)
{
	const std::string name = fresh();
	gosync::atomic<int> word(name, 1, create);
	std::vector<process> forked;
	extern char **environ;

	for (int i = 0; i < 3; i++)
		forked.emplace_back([&] { execute("add", name); });
	for (process &p : forked)
		CHECK(p.ok());
	std::string copy = name;
	char program[] = "binding_cpp", option[] = "--program", add[] = "add";
	char *const argv[] = {program, option, add, copy.data(), nullptr};
	pid_t pid;
	int status = 0;

	CHECK(!::posix_spawn(&pid, "/proc/self/exe", nullptr, nullptr, argv, environ));
	CHECK(::waitpid(pid, &status, 0) == pid && status == 0);
	CHECK(word[0] == 4);
}

TEST(a_thousand_objects_are_a_thousand)
{
	const std::string name = fresh();
	std::vector<gosync::mutex> all;
	std::unordered_set<std::uint64_t> ids;

	for (int i = 0; i < 1000; i++) {
		all.emplace_back(name + std::to_string(i), create);
		all.back().lock();
		ids.insert(all.back().info().id);
	}
	CHECK(ids.size() == 1000);
	process([&] {
		for (int i = 0; i < 1000; i += 111)
			CHECK(!gosync::mutex(name + std::to_string(i)).try_lock());
	});
	for (gosync::mutex &m : all)
		m.unlock();
}

TEST(a_thousand_opens_and_closes_leak_no_descriptor)
{
	const std::string name = fresh();
	gosync::map<int, int> m(name, create);
	std::error_code ec;

	m.store(1, 1);
	/* Where a handle cannot be made of a descriptor, as it is of another type */
	gosync::mutex wrong =
		gosync::mutex::adopt(reinterpret_cast<gosync_mutex_t *>(m.native_handle()));
	const int before = descriptors();

	for (int i = 0; i < 1000; i++) {
		gosync::map<int, int> mine(name);

		CHECK(mine.load(1) == 1);
	}
	CHECK(descriptors() == before);
	for (int i = 0; i < 30; i++) {
		gosync::mutex::open(name, flags::none, 0, ec);
		CHECK(ec == errc::other_type);
		gosync::mutex::await(name, {}, flags::none, ec);
		CHECK(ec == errc::other_type);
		m.dup().reopen();
		CHECK(!wrong.dup(ec) && ec == errc::other_type);
		CHECK(!wrong.reopen(ec) && ec == errc::other_type);
		const auto thrower = [](const auto &...) { throw 42; };
		int caught = 0;

		try {
			m.range(thrower);
		} catch (int) {
			caught++;
		}
		try {
			m.holders(thrower);
		} catch (int) {
			caught++;
		}
		try {
			gosync::list(thrower);
		} catch (int) {
			caught++;
		}
		CHECK(caught == 3);
	}
	static_cast<void>(wrong.detach());
	CHECK(descriptors() == before);
}

TEST(holders_and_waiters_are_told)
{
	gosync::mutex m(nullptr, create);
	gosync::mutex other = m.reopen();
	std::error_code ec;
	unsigned int holders = 0, owners = 0, looked = 0;

	m.lock();
	m.holders([&](const struct gosync_party &p) {
		holders++;
		owners += p.flags & GOSYNC_PARTY_OWNS && p.holder == m.info().holder;
	});
	CHECK(holders == 2 && owners == 1);
	m.holders([&](const struct gosync_party &) { return ++looked < 1; }, ec);
	CHECK(looked == 1 && !ec);
	CHECK(m.waiters().empty() && m.waiters(ec).empty() && !ec);
	std::thread waiter([&] { std::lock_guard guard(other); });

	wait_for_waiters(m, 1);
	CHECK(m.waiters().size() == 1 && m.waiters(ec)[0].holder == other.info().holder);
	m.unlock();
	waiter.join();
	CHECK(m.stat().contended == 1 && m.stat(ec).acquired == 1 && m.info(ec).waiters == 0);
}
