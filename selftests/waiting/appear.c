// SPDX-License-Identifier: GPL-2.0-only
/*
 * Waiting for a name: who opens it before it is there gets it once it is, and
 * who waits is in nobody's way.
 */
#include <sys/time.h>

#include "gosync_test.h"

#define NOBODY	65534
#define MANY	200

FIXTURE(appear)
{
	char *name;
	unsigned int *shared;
};

FIXTURE_SETUP(appear)
{
	self->name = unique_name();
	self->shared = shared_memory(4096);
}

FIXTURE_TEARDOWN(appear)
{
	gosync_unlink(self->name);
}

static int await_until(const char *name, uint32_t type, uint32_t flags,
		       uint64_t deadline)
{
	struct gosync_open_args args = {
		.size = sizeof(args),
		.type = type,
		.flags = GOSYNC_AWAIT | flags,
		.name = to_u64(name),
		.name_len = strlen(name),
		.abi = GOSYNC_ABI_VERSION,
		.deadline = deadline,
	};
	int dev = open_device();
	int ret = call(dev, GOSYNC_IOC_OPEN, &args);

	close(dev);
	return ret;
}

static int await(const char *name, uint32_t type)
{
	return await_until(name, type, 0, 0);
}

static int make(const char *name, uint32_t type)
{
	return open_object(type, name, GOSYNC_CREATE, 0600);
}

/* Does @pid sleep in the kernel? Nothing else tells that it waits for a name. */
static bool sleeps(pid_t pid)
{
	char path[64], text[256], *state;

	snprintf(path, sizeof(path), "/proc/%d/wchan", pid);
	if (read_file(path, text, sizeof(text)) ||
	    (strncmp(text, "gosync_", 7) && strcmp(text, "open_awaited") &&
	     strcmp(text, "await_name")))
		return false;
	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	if (read_file(path, text, sizeof(text)))
		return false;
	state = strrchr(text, ')');
	return state && state[2] == 'S';
}

static int error_of(int fd)
{
	return fd < 0 ? -fd : 0;
}

/* A child that waits; it exits with 0, or with the error */
static pid_t spawn_waiting(const char *name, uint32_t type)
{
	pid_t pid = CHILD(error_of(await(name, type)));

	MUST(eventually(sleeps(pid)));
	return pid;
}

TEST_F(appear, a_name_that_is_there_is_opened)
{
	int made = make(self->name, GOSYNC_MUTEX);
	int fd = await(self->name, GOSYNC_MUTEX);

	ASSERT_LE(0, fd);
	EXPECT_EQ(info_of(made).id, info_of(fd).id);
	EXPECT_EQ(FD_CLOEXEC, fcntl(fd, F_GETFD));
	/* Though the deadline has passed */
	EXPECT_LE(0, await_until(self->name, 0, 0, 1));
	fd = await_until(self->name, 0, GOSYNC_RDONLY, 1);
	EXPECT_EQ(GOSYNC_RDONLY, info_of(fd).flags & GOSYNC_RDONLY);
}

TEST_F(appear, a_name_that_is_not_there_is_waited_for)
{
	pid_t pid = spawn_waiting(self->name, GOSYNC_SEMAPHORE);

	EXPECT_EQ(-ENOENT, open_object(0, self->name, 0, 0));
	EXPECT_LE(0, make(self->name, GOSYNC_SEMAPHORE));
	EXPECT_EQ(0, reap_soon(pid));
}

TEST_F(appear, the_first_name_of_a_namespace_is_waited_for)
{
	pid_t pid;

	ASSERT_EQ(0, unshare(CLONE_NEWIPC));
	pid = spawn_waiting(self->name, 0);
	EXPECT_LE(0, make(self->name, GOSYNC_ONCE));
	EXPECT_EQ(0, reap_soon(pid));
}

TEST_F(appear, another_namespaces_name_is_not_it)
{
	pid_t pid = spawn_waiting(self->name, 0), other;

	other = CHILD(unshare(CLONE_NEWIPC) ||
		      make(self->name, GOSYNC_MUTEX) < 0 ||
		      await(self->name, 0) < 0);
	EXPECT_EQ(0, reap(other));
	sleep_ns(50 * NSEC_PER_MSEC);
	EXPECT_TRUE(sleeps(pid));
	EXPECT_LE(0, make(self->name, GOSYNC_MUTEX));
	EXPECT_EQ(0, reap_soon(pid));
}

TEST_F(appear, a_name_that_only_begins_like_it_is_not_it)
{
	char longer[80];
	pid_t pid = spawn_waiting(self->name, 0);

	snprintf(longer, sizeof(longer), "%s+", self->name);
	EXPECT_LE(0, make(longer, GOSYNC_MUTEX));
	sleep_ns(50 * NSEC_PER_MSEC);
	EXPECT_TRUE(sleeps(pid));
	EXPECT_EQ(128 + SIGKILL, kill_and_reap(pid));
}

TEST_F(appear, the_wait_ends_at_its_deadline)
{
	uint64_t at = now_ns(CLOCK_MONOTONIC) + 20 * NSEC_PER_MSEC;

	EXPECT_EQ(-ETIMEDOUT, await_until(self->name, 0, 0, 1));
	EXPECT_EQ(-ETIMEDOUT, await_until(self->name, 0, 0, at));
	EXPECT_LE(at, now_ns(CLOCK_MONOTONIC));
	at = now_ns(CLOCK_REALTIME) + 20 * NSEC_PER_MSEC;
	EXPECT_EQ(-ETIMEDOUT, await_until(self->name, 0, GOSYNC_AWAIT_REALTIME,
					  at));
	EXPECT_LE(at, now_ns(CLOCK_REALTIME));
	EXPECT_EQ(-ENOENT, open_object(0, self->name, 0, 0));
}

TEST_F(appear, another_type_is_not_waited_for)
{
	pid_t pid = spawn_waiting(self->name, GOSYNC_MUTEX);

	EXPECT_LE(0, make(self->name, GOSYNC_ONCE));
	EXPECT_EQ(EPROTOTYPE, reap_soon(pid));
	EXPECT_EQ(-EPROTOTYPE, await(self->name, GOSYNC_MUTEX));
}

TEST_F(appear, what_one_may_not_have_is_not_waited_for)
{
	pid_t pid = CHILD(error_of(become(NOBODY, NOBODY, 0) ?:
				   await(self->name, 0)));

	ASSERT_TRUE(eventually(sleeps(pid)));
	EXPECT_LE(0, make(self->name, GOSYNC_MUTEX));
	EXPECT_EQ(EACCES, reap_soon(pid));
}

TEST_F(appear, wrong_arguments_are_refused)
{
	struct gosync_open_args args = {
		.size = sizeof(args), .type = GOSYNC_MUTEX,
		.name = to_u64(self->name), .name_len = strlen(self->name),
		.deadline = 1,
	};
	int dev = open_device();

	EXPECT_EQ(-EINVAL, call(dev, GOSYNC_IOC_OPEN, &args));
	args.deadline = 0;
	args.flags = GOSYNC_AWAIT_REALTIME;
	EXPECT_EQ(-EINVAL, call(dev, GOSYNC_IOC_OPEN, &args));
	args.flags = GOSYNC_AWAIT | GOSYNC_CREATE;
	EXPECT_EQ(-EINVAL, call(dev, GOSYNC_IOC_OPEN, &args));
	args.flags = GOSYNC_AWAIT | GOSYNC_EXCL;
	EXPECT_EQ(-EINVAL, call(dev, GOSYNC_IOC_OPEN, &args));
	args.flags = GOSYNC_AWAIT | GOSYNC_PERSIST;
	EXPECT_EQ(-EINVAL, call(dev, GOSYNC_IOC_OPEN, &args));
	args.flags = GOSYNC_AWAIT;
	args.mode = 0600;
	EXPECT_EQ(-EINVAL, call(dev, GOSYNC_IOC_OPEN, &args));
	args.mode = 0;
	args.name_len = 0;
	EXPECT_EQ(-EINVAL, call(dev, GOSYNC_IOC_OPEN, &args));
	args.name_len = 256;
	EXPECT_EQ(-ENAMETOOLONG, call(dev, GOSYNC_IOC_OPEN, &args));
	EXPECT_EQ(-EINVAL, gosync_await_name(self->name, 0, 1, GOSYNC_EXCL));
	EXPECT_EQ(-ENOENT, open_object(0, self->name, 0, 0));
}

static unsigned int *handled;

static void note_signal(int signal)
{
	add(handled, 1);
}

/* The child has the handler, too. */
static pid_t spawn_handling(FIXTURE_DATA(appear) *self, int flags)
{
	handled = self->shared;
	handle(note_signal, flags);
	return spawn_waiting(self->name, 0);
}

TEST_F(appear, a_signal_ends_the_wait)
{
	pid_t pid = spawn_handling(self, 0);

	kill(pid, SIGUSR1);
	EXPECT_EQ(EINTR, reap_soon(pid));
	EXPECT_EQ(1, load(handled));
}

TEST_F(appear, the_wait_goes_on_after_a_handler_with_sa_restart)
{
	pid_t pid = spawn_handling(self, SA_RESTART);
	unsigned int i;

	for (i = 1; i <= 3; i++) {
		kill(pid, SIGUSR1);
		EXPECT_TRUE(eventually(load(handled) == i && sleeps(pid)));
	}
	EXPECT_LE(0, make(self->name, GOSYNC_MUTEX));
	EXPECT_EQ(0, reap_soon(pid));
}

TEST_F(appear, the_killed_and_the_stopped_are_in_nobodys_way)
{
	pid_t killed = spawn_waiting(self->name, 0);
	pid_t stopped = spawn_waiting(self->name, 0);
	pid_t pid = spawn_waiting(self->name, 0);

	EXPECT_EQ(128 + SIGKILL, kill_and_reap(killed));
	kill(stopped, SIGSTOP);
	EXPECT_LE(0, make(self->name, GOSYNC_MUTEX));
	EXPECT_EQ(0, reap_soon(pid));
	kill(stopped, SIGCONT);
	EXPECT_EQ(0, reap_soon(stopped));
}

TEST_F(appear, a_name_that_comes_again_after_it_went_is_found)
{
	pid_t pid = spawn_waiting(self->name, GOSYNC_SEMAPHORE);
	int fd;

	fd = make(self->name, GOSYNC_SEMAPHORE);
	gosync_unlink(self->name);
	close(fd);
	/* It may have been fast enough. */
	EXPECT_LE(0, make(self->name, GOSYNC_SEMAPHORE));
	EXPECT_EQ(0, reap_soon(pid));
}

TEST_F(appear, all_who_wait_come_through)
{
	pid_t pids[MANY];
	unsigned int i;

	for (i = 0; i < MANY; i++)
		pids[i] = CHILD(await(self->name, GOSYNC_MUTEX) < 0);
	EXPECT_TRUE(eventually(sleeps(pids[MANY - 1])));
	EXPECT_LE(0, make(self->name, GOSYNC_MUTEX));
	EXPECT_EQ(0, reap_all(pids, MANY));
}

/* Whoever makes a name does not pay for those who wait for others. */
TEST_F(appear, who_waits_for_others_names_is_in_nobodys_way)
{
	pid_t pids[MANY];
	char name[80];
	unsigned int i;

	for (i = 0; i < MANY; i++) {
		snprintf(name, sizeof(name), "%s-%u", self->name, i);
		pids[i] = CHILD(await(name, GOSYNC_MUTEX) < 0);
	}
	EXPECT_TRUE(eventually(sleeps(pids[MANY - 1])));
	for (i = 0; i < MANY; i += 2) {
		snprintf(name, sizeof(name), "%s-%u", self->name, i);
		EXPECT_LE(0, make(name, GOSYNC_MUTEX));
		EXPECT_EQ(0, reap_soon(pids[i]));
	}
	for (i = 1; i < MANY; i += 2)
		EXPECT_EQ(128 + SIGKILL, kill_and_reap(pids[i]));
}

TEST_F(appear, the_library_makes_a_handle_of_it)
{
	gosync_semaphore_t *semaphore;
	pid_t pid = spawn();
	int fd;

	if (!pid) {
		fd = gosync_await_name(self->name, GOSYNC_SEMAPHORE,
				       GOSYNC_FOREVER, 0);
		if (fd < 0 || gosync_semaphore_from_fd(fd, 0, &semaphore))
			_exit(1);
		_exit(gosync_semaphore_acquire(semaphore, 2));
	}
	EXPECT_TRUE(eventually(sleeps(pid)));
	semaphore = NEW_NAMED(gosync_semaphore, self->name, 0, 2);
	EXPECT_EQ(0, reap_soon(pid));
	EXPECT_EQ(-ETIMEDOUT, gosync_await_name("no such", 0, 1, 0));
	EXPECT_EQ(-EPROTOTYPE, gosync_await_name(self->name, GOSYNC_ONCE, 1, 0));
}

struct opener {
	const char *name;
	unsigned int *opened;
};

static void *await_in_thread(void *arg)
{
	struct opener *opener = arg;

	if (gosync_await_name(opener->name, 0, GOSYNC_FOREVER, 0) >= 0)
		add(opener->opened, 1);
	return NULL;
}

TEST_F(appear, other_threads_open_and_fork_meanwhile)
{
	struct opener opener = { self->name, self->shared };
	gosync_mutex_t *mutex;
	pthread_t thread;
	pid_t pid;

	ASSERT_EQ(0, pthread_create(&thread, NULL, await_in_thread, &opener));
	sleep_ns(20 * NSEC_PER_MSEC);
	mutex = NEW(gosync_mutex, 0);
	gosync_close(mutex);
	pid = CHILD(gosync_mutex_open(self->name, GOSYNC_CREATE, 0600, &mutex));
	EXPECT_EQ(0, reap(pid));
	EXPECT_LE(0, make(self->name, GOSYNC_MUTEX));
	pthread_join(thread, NULL);
	EXPECT_EQ(1, load(self->shared));
}

/*
 * Names come and go under those who wait for them. Each round ends with a name
 * that stays, and then each has to come.
 */
TEST_F(appear, no_name_that_stays_is_missed)
{
	enum { WAITERS = 4 };
	uint64_t end = end_of_budget();
	uint64_t seed = random_seed();
	pid_t pids[WAITERS];
	unsigned int i, n;
	int fd;

	do {
		for (i = 0; i < WAITERS; i++)
			pids[i] = CHILD(await(self->name, GOSYNC_MUTEX) < 0);
		for (n = random_u32(&seed) % 20; n; n--) {
			fd = make(self->name, GOSYNC_MUTEX);
			ASSERT_LE(0, fd);
			if (n & 1)
				gosync_unlink(self->name);
			close(fd);
		}
		fd = make(self->name, GOSYNC_MUTEX);
		ASSERT_LE(0, fd);
		ASSERT_EQ(0, reap_all(pids, WAITERS));
		gosync_unlink(self->name);
		close(fd);
	} while (budget_left(end));
}

TEST_HARNESS_MAIN
