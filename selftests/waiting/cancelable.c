// SPDX-License-Identifier: GPL-2.0-only
/*
 * A descriptor ends a wait: with ECANCELED, as a deadline does. What was granted
 * before is not lost.
 */
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>

#include "gosync_test_cond.h"

/* Not readable yet; children have it, too. */
static int new_cancel(void)
{
	int fd = eventfd(0, EFD_CLOEXEC);

	MUST(fd > 0);
	return fd;
}

static void cancel(int fd)
{
	MUST(!eventfd_write(fd, 1));
}

static int cond_wait(FIXTURE_DATA(cond) *self, enum kind kind, uint64_t deadline,
		     unsigned int flags, int fd)
{
	return gosync_cond_wait_cancel(self->cond, lock_of(self, kind), deadline,
				       flags | (kind == READER ?
						GOSYNC_READ_SIDE : 0), fd);
}

/* A child whose exit status is that of its wait, or 99 without the lock */
static pid_t spawn_cancelable(FIXTURE_DATA(cond) *self, enum kind kind, int fd)
{
	unsigned int before = waiters(self->cond);
	pid_t pid = spawn();

	if (!pid) {
		MUST(!lock(self, kind));
		_exit(unlock_after(self, kind, cond_wait(self, kind, GOSYNC_FOREVER,
							 0, fd)));
	}
	MUST(eventually(waiters(self->cond) == before + 1 && is_asleep(pid)));
	return pid;
}

TEST_F(cond, a_descriptor_ends_a_wait)
{
	enum kind kind;
	pid_t pid;
	int fd;

	for (kind = 0; kind < KINDS; kind++) {
		fd = new_cancel();
		pid = spawn_cancelable(self, kind, fd);
		EXPECT_TRUE(is_waiting(pid));
		cancel(fd);
		EXPECT_EQ(ECANCELED, reap_soon(pid));
		EXPECT_EQ(0, waiters(self->cond));
		/* One that is readable already */
		EXPECT_EQ(0, lock(self, kind));
		EXPECT_EQ(-ECANCELED, cond_wait(self, kind, GOSYNC_FOREVER, 0,
						fd));
		EXPECT_TRUE(is_mine(self, kind));
		EXPECT_EQ(0, unlock(self, kind));
		EXPECT_EQ(0, signal_fd(self));
		close(fd);
	}
}

/* The end of a process; and a pipe of which nobody writes the other end */
TEST_F(cond, an_end_of_something_else_ends_a_wait)
{
	pid_t other = RESTING_CHILD(0), pid;
	int fd = syscall(SYS_pidfd_open, other, 0), fds[2];

	ASSERT_LE(0, fd);
	pid = spawn_cancelable(self, MUTEX, fd);
	kill_and_reap(other);
	EXPECT_EQ(ECANCELED, reap_soon(pid));
	ASSERT_EQ(0, pipe2(fds, O_CLOEXEC));
	pid = spawn();
	if (!pid) {
		close(fds[1]);
		MUST(!lock(self, MUTEX));
		_exit(unlock_after(self, MUTEX, cond_wait(self, MUTEX,
							  GOSYNC_FOREVER, 0,
							  fds[0])));
	}
	ASSERT_TRUE(eventually(waiters(self->cond) == 1));
	close(fds[1]);
	EXPECT_EQ(ECANCELED, reap_soon(pid));
}

TEST_F(cond, the_deadline_and_a_signal_still_end_it)
{
	int fd = new_cancel();
	pid_t pid;

	ASSERT_EQ(0, lock(self, MUTEX));
	EXPECT_EQ(-ETIMEDOUT, cond_wait(self, MUTEX, 1, 0, fd));
	EXPECT_EQ(-ETIMEDOUT, cond_wait(self, MUTEX,
					gosync_deadline(NSEC_PER_MSEC), 0, fd));
	EXPECT_TRUE(is_mine(self, MUTEX));
	EXPECT_EQ(0, unlock(self, MUTEX));
	pid = spawn_cancelable(self, MUTEX, fd);
	EXPECT_EQ(1, signal_fd(self));
	EXPECT_EQ(0, reap_soon(pid));
}

/* It was signalled first, and could not go on because of the lock. */
TEST_F(cond, a_signal_before_the_descriptor_is_not_lost)
{
	int fd = new_cancel(), status;
	pid_t pid;

	pid = spawn_cancelable(self, MUTEX, fd);
	ASSERT_EQ(0, lock(self, MUTEX));
	EXPECT_EQ(1, signal_fd(self));
	cancel(fd);
	EXPECT_EQ(0, unlock(self, MUTEX));
	status = reap_soon(pid);
	EXPECT_EQ(0, status);
}

/* The waiter was woken for it, looks, and sleeps on. */
TEST_F(cond, a_descriptor_that_was_read_again_ends_nothing)
{
	int fd = new_cancel();
	eventfd_t value;
	pid_t pid;

	if (rule_one_cpu())
		SKIP(return, "cannot have a processor");
	pid = spawn_cancelable(self, MUTEX, fd);
	cancel(fd);
	ASSERT_EQ(0, eventfd_read(fd, &value));
	/* It runs while we sleep. */
	sleep_ns(NSEC_PER_MSEC);
	EXPECT_TRUE(eventually(is_asleep(pid)));
	EXPECT_TRUE(is_waiting(pid));
	EXPECT_EQ(1, signal_fd(self));
	EXPECT_EQ(0, reap_soon(pid));
}

TEST_F(cond, who_is_cancelled_swallows_no_signal)
{
	int fd = new_cancel();
	pid_t first, second;

	first = spawn_cancelable(self, MUTEX, fd);
	second = spawn_waiter(self, MUTEX, 0);
	cancel(fd);
	EXPECT_EQ(ECANCELED, reap_soon(first));
	EXPECT_EQ(1, waiters(self->cond));
	EXPECT_EQ(1, signal_fd(self));
	EXPECT_EQ(0, reap_soon(second));
}

/* Either it is cancelled or signalled, and each signal wakes somebody. */
TEST_F(cond, racing_with_signals_loses_none)
{
	uint64_t end = end_of_budget();
	unsigned int cancelled = 0, signalled = 0;

	while (budget_left(end)) {
		int fd = new_cancel(), status, sent;
		pid_t pid = spawn_cancelable(self, MUTEX, fd), signaller;

		signaller = CHILD(signal_fd(self));
		cancel(fd);
		status = reap_soon(pid);
		sent = reap_soon(signaller);
		ASSERT_EQ(status, sent ? 0 : ECANCELED);
		cancelled += !sent;
		signalled += sent;
		close(fd);
	}
	TH_LOG("%u cancelled, %u signalled", cancelled, signalled);
	EXPECT_LT(0, cancelled + signalled);
	EXPECT_EQ(0, waiters(self->cond));
}

static struct shared *handlers;

static void count_handler(int sig)
{
	add(&handlers->stage, 1);
}

/* During the handler, or after it */
TEST_F(cond, a_descriptor_ends_a_wait_that_a_handler_interrupts)
{
	int fd = new_cancel(), i;
	pid_t pid = spawn();

	handlers = self->shared;
	if (!pid) {
		handle(count_handler, SA_RESTART);
		MUST(!lock(self, MUTEX));
		_exit(unlock_after(self, MUTEX, cond_wait(self, MUTEX,
							  GOSYNC_FOREVER, 0,
							  fd)));
	}
	ASSERT_TRUE(eventually(waiters(self->cond) == 1));
	for (i = 0; i < 10; i++) {
		kill(pid, SIGUSR1);
		ASSERT_TRUE(eventually(load(&self->shared->stage) == i + 1));
		EXPECT_TRUE(eventually(waiters(self->cond) == 1));
	}
	EXPECT_TRUE(is_waiting(pid));
	cancel(fd);
	EXPECT_EQ(ECANCELED, reap_soon(pid));
}

/* As with the deadline: it is told of the death, and of the rest next time. */
TEST_F(cond, who_is_cancelled_is_told_of_a_death)
{
	int fd = new_cancel();
	pid_t pid = spawn_cancelable(self, MUTEX, fd);

	kill_and_reap(spawn_owner(self, MUTEX));
	cancel(fd);
	EXPECT_EQ(255, reap_soon(pid));
	EXPECT_EQ(0, recover_lock(self, MUTEX));
}

TEST_F(cond, a_wrong_descriptor_is_refused)
{
	struct gosync_cond_wait_args args = {
		.size = sizeof(args),
		.deadline = 1,
		.lock = gosync_fd(self->mutex),
		.cancel = new_cancel(),
	};
	int fd = gosync_fd(self->cond);

	ASSERT_EQ(0, lock(self, MUTEX));
	EXPECT_EQ(-EINVAL, call(fd, GOSYNC_IOC_COND_WAIT, &args));
	EXPECT_EQ(-EBADF, cond_wait(self, MUTEX, 1, 0, -1));
	EXPECT_EQ(-EBADF, cond_wait(self, MUTEX, 1, 0, 1000000));
	EXPECT_TRUE(is_mine(self, MUTEX));
	EXPECT_EQ(0, waiters(self->cond));
	EXPECT_EQ(-EINVAL, cond_wait(self, MUTEX, 1, GOSYNC_WAIT_ALL,
				     args.cancel));
	/* A descriptor that is always readable ends it, too. */
	close(args.cancel);
	args.cancel = open("/dev/null", O_RDONLY | O_CLOEXEC);
	EXPECT_EQ(-ECANCELED, cond_wait(self, MUTEX, GOSYNC_FOREVER, 0,
					args.cancel));
	EXPECT_EQ(0, unlock(self, MUTEX));
}

/* --- Once ---------------------------------------------------------------- */

FIXTURE(once)
{
	gosync_once_t *once;
};

MAPPED_AND_IOCTL(once);

FIXTURE_SETUP(once)
{
	self->once = NEW(gosync_once, variant->how);
}

static pid_t spawn_beginner(FIXTURE_DATA(once) *self, int fd)
{
	pid_t pid = CHILD(abs(gosync_once_begin_cancel(self->once,
						       GOSYNC_FOREVER, 0, fd)));

	MUST(eventually(waiters(self->once) == 1 && is_asleep(pid)));
	return pid;
}

TEST_F(once, a_descriptor_ends_the_wait_to_begin)
{
	int fd = new_cancel();
	pid_t pid;

	ASSERT_EQ(GOSYNC_ONCE_RUN,
		  gosync_once_begin_cancel(self->once, GOSYNC_FOREVER, 0, fd));
	pid = spawn_beginner(self, fd);
	cancel(fd);
	EXPECT_EQ(ECANCELED, reap_soon(pid));
	EXPECT_EQ(0, waiters(self->once));
	/* To be granted wins over a descriptor that is readable. */
	EXPECT_EQ(0, gosync_once_abandon(self->once));
	EXPECT_EQ(GOSYNC_ONCE_RUN_AGAIN,
		  gosync_once_begin_cancel(self->once, GOSYNC_FOREVER, 0, fd));
	EXPECT_EQ(0, gosync_once_done(self->once));
	EXPECT_EQ(GOSYNC_ONCE_DONE,
		  gosync_once_begin_cancel(self->once, GOSYNC_FOREVER, 0, fd));
}

TEST_F(once, is_granted_although_a_descriptor_might_end_it)
{
	pid_t pid;

	ASSERT_EQ(GOSYNC_ONCE_RUN, gosync_once_begin(self->once));
	pid = spawn_beginner(self, new_cancel());
	EXPECT_EQ(0, gosync_once_abandon(self->once));
	EXPECT_EQ(GOSYNC_ONCE_RUN_AGAIN, reap_soon(pid));
}

TEST_F(once, a_wrong_descriptor_is_refused)
{
	struct gosync_once_begin_args args = { .size = sizeof(args), .cancel = 1 };
	int fd = gosync_fd(self->once);

	EXPECT_EQ(-EINVAL, call(fd, GOSYNC_IOC_ONCE_BEGIN, &args));
	EXPECT_EQ(-EBADF, gosync_once_begin_cancel(self->once, 1, 0, -1));
	EXPECT_EQ(0, info(self->once).owner);
	/* The structure as it was before */
	args.size = sizeof(struct gosync_wait_args);
	EXPECT_EQ(GOSYNC_ONCE_RUN, call(fd, GOSYNC_IOC_ONCE_BEGIN, &args));
}

/* --- The others ----------------------------------------------------------- */

TEST(other_waits_are_cancelled_as_one_of_two)
{
	gosync_semaphore_t *semaphore = NEW(gosync_semaphore, 0, 1);
	gosync_waitgroup_t *wg = NEW(gosync_waitgroup, 0);
	gosync_rwmutex_t *rw = NEW(gosync_rwmutex, 0);
	gosync_mutex_t *mutex = NEW(gosync_mutex, 0);
	struct gosync_wait_entry entries[] = {
		gosync_entry_mutex(mutex),
		gosync_entry_rwmutex(rw),
		gosync_entry_rwmutex_read(rw),
		gosync_entry_semaphore(semaphore, 2),
		gosync_entry_waitgroup(wg),
	};
	int fd = new_cancel();
	unsigned int i;
	pid_t pid;

	ASSERT_EQ(0, gosync_waitgroup_add(wg, 1));
	ASSERT_EQ(0, gosync_mutex_lock(mutex));
	ASSERT_EQ(0, gosync_rwmutex_lock(rw));
	for (i = 0; i < ARRAY_SIZE(entries); i++) {
		struct gosync_wait_entry *entry = &entries[i];

		fd = new_cancel();
		pid = CHILD(abs(gosync_wait_cancel(entry, GOSYNC_FOREVER, 0, fd)));
		ASSERT_TRUE(eventually(info_of(entry->fd).waiters == 1));
		cancel(fd);
		EXPECT_EQ(ECANCELED, reap_soon(pid));
		EXPECT_EQ(0, info_of(entry->fd).waiters);
		EXPECT_EQ(-ETIMEDOUT, gosync_wait_cancel(entry, 1, 0,
							 new_cancel()));
		close(fd);
	}
	/* A grant wins, and is what the operation would return. */
	EXPECT_EQ(0, gosync_mutex_unlock(mutex));
	cancel(fd = new_cancel());
	EXPECT_EQ(0, gosync_wait_cancel(&entries[0], GOSYNC_FOREVER, 0, fd));
	EXPECT_EQ(-EBUSY, gosync_mutex_trylock(mutex));
	EXPECT_EQ(-ECANCELED, gosync_wait_cancel(&entries[0], GOSYNC_FOREVER, 0,
						 fd));
	EXPECT_EQ(-EBADF, gosync_wait_cancel(&entries[0], GOSYNC_FOREVER, 0, -1));
}

TEST_HARNESS_MAIN
