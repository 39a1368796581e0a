// SPDX-License-Identifier: GPL-2.0-only
/*
 * Many commands of io_uring at once: in what order they are granted, beside
 * threads that wait, and that of those that are cancelled, or whose ring or
 * process ends, at whatever moment, none is lost and none granted twice.
 */
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mount.h>
#include "gosync_test_uring.h"

#define TRACING	"/sys/kernel/tracing"

FIXTURE(uring)
{
	struct ring *ring;
	gosync_mutex_t *mutex;
	int fd;				/* another holder of it */
	unsigned int *shared;		/* with children */
};

FIXTURE_VARIANT(uring)
{
	struct ring_kind kind;
	unsigned int how;
};

#define RING(name, ...)							\
	FIXTURE_VARIANT_ADD(uring, name) { .kind = { #name, __VA_ARGS__ } }

RING(plain);
RING(sqpoll, IORING_SETUP_SQPOLL);
RING(defer, IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN);
RING(coop, IORING_SETUP_COOP_TASKRUN);
RING(async, 0, IOSQE_ASYNC);
RING(fixed, 0, IOSQE_FIXED_FILE);
FIXTURE_VARIANT_ADD(uring, ioctl) {
	.kind = { "ioctl" }, .how = GOSYNC_IOCTL_ONLY
};

FIXTURE_SETUP(uring)
{
	const char *reason = no_uring();

	if (reason)
		SKIP(return, "%s", reason);
	self->ring = calloc(1, sizeof(*self->ring));
	self->shared = shared_memory(4096);
	ASSERT_EQ(0, make_ring(self->ring, &variant->kind));
	ASSERT_EQ(0, gosync_mutex_open(NULL, GOSYNC_CREATE | variant->how, 0600,
				       &self->mutex));
	self->fd = reopen_object(gosync_fd(self->mutex), 0);
	ASSERT_LE(0, self->fd);
}

FIXTURE_TEARDOWN(uring)
{
	EXPECT_EQ(0, self->ring->wrong);
}

static struct gosync_info info(FIXTURE_DATA(uring) *self)
{
	return info_of(self->fd);
}

/* A command that waits; those before it do already. */
static bool queue(FIXTURE_DATA(uring) *self, unsigned int id)
{
	unsigned int before = info(self).waiters;

	start(self->ring, id, self->fd, GOSYNC_IOC_MUTEX_LOCK, 0);
	return has_waiters(self->fd, before + 1);
}

/*
 * The second half of a wait for a Cond begins when its task looks at the ring,
 * which on some it does only by itself.
 */
static bool comes_back(FIXTURE_DATA(uring) *self, unsigned int n)
{
	return eventually((look(self->ring), info(self).waiters == n));
}

static bool is_asynchronous(const FIXTURE_VARIANT(uring) *variant)
{
	return variant->kind.sqe_flags & IOSQE_ASYNC;
}

/* --- operations that wait for nothing -------------------------------------- */

TEST_F(uring, a_lock_is_its_descriptors_holder_s)
{
	uint64_t token = info(self).token;
	struct ring *ring = self->ring;

	EXPECT_EQ(0, run(ring, self->fd, GOSYNC_IOC_MUTEX_LOCK, 0));
	EXPECT_EQ(info(self).holder, info(self).owner);
	EXPECT_EQ(token + 1, info(self).token);
	EXPECT_EQ(-EBUSY, gosync_mutex_trylock(self->mutex));
	EXPECT_EQ(0, run(ring, self->fd, GOSYNC_IOC_MUTEX_UNLOCK, 0));
	EXPECT_EQ(0, info(self).word);
	EXPECT_EQ(-EPERM, run(ring, self->fd, GOSYNC_IOC_MUTEX_UNLOCK, 0));
	EXPECT_EQ(0, gosync_mutex_lock(self->mutex));
	EXPECT_EQ(token + 2, info(self).token);
	EXPECT_EQ(-ETIMEDOUT, run_until(ring, self->fd, GOSYNC_IOC_MUTEX_LOCK, 0,
					1, 0));
	/* As by ioctl, who unlocks need not be who locked. */
	EXPECT_EQ(0, run(ring, self->fd, GOSYNC_IOC_MUTEX_UNLOCK, 0));
	EXPECT_EQ(0, run(ring, self->fd, GOSYNC_IOC_MUTEX_LOCK, 0));
	EXPECT_EQ(token + 3, info(self).token);
	EXPECT_EQ(0, gosync_mutex_unlock(self->mutex));
	EXPECT_EQ(0, info(self).word);
}

TEST_F(uring, readers_and_writers)
{
	struct ring *ring = self->ring;
	gosync_rwmutex_t *rwmutex;
	int fd, i;

	ASSERT_EQ(0, gosync_rwmutex_open(NULL, GOSYNC_CREATE | variant->how,
					 0600, &rwmutex));
	fd = reopen_object(gosync_fd(rwmutex), 0);
	EXPECT_EQ(0, run(ring, fd, GOSYNC_IOC_RWMUTEX_RLOCK, 0));
	EXPECT_EQ(0, run(ring, fd, GOSYNC_IOC_RWMUTEX_RLOCK, 0));
	EXPECT_EQ(0, gosync_rwmutex_rlock(rwmutex));
	EXPECT_EQ(3, info_of(fd).readers);
	/* A writer stops new readers, and waits for the old ones. */
	start(ring, 1, fd, GOSYNC_IOC_RWMUTEX_LOCK, 0);
	ASSERT_TRUE(has_waiters(fd, 1));
	for (i = 2; i < 5; i++) {
		EXPECT_EQ(-EBUSY, gosync_rwmutex_tryrlock(rwmutex));
		start(ring, i, fd, GOSYNC_IOC_RWMUTEX_RLOCK, 0);
		ASSERT_TRUE(has_waiters(fd, i));
	}
	EXPECT_EQ(0, run(ring, fd, GOSYNC_IOC_RWMUTEX_RUNLOCK, 0));
	EXPECT_EQ(0, gosync_rwmutex_runlock(rwmutex));
	EXPECT_TRUE(is_under_way(ring, 1));
	EXPECT_EQ(0, run(ring, fd, GOSYNC_IOC_RWMUTEX_RUNLOCK, 0));
	EXPECT_EQ(0, result(ring, 1));
	EXPECT_EQ(info_of(fd).holder, info_of(fd).owner);
	/* Those who waited behind it go before the next. */
	start(ring, 5, fd, GOSYNC_IOC_RWMUTEX_LOCK, 0);
	ASSERT_TRUE(has_waiters(fd, 4));
	EXPECT_TRUE(is_under_way(ring, 2));
	EXPECT_EQ(0, run(ring, fd, GOSYNC_IOC_RWMUTEX_UNLOCK, 0));
	for (i = 2; i < 5; i++)
		EXPECT_EQ(0, result(ring, i));
	EXPECT_TRUE(is_under_way(ring, 5));
	for (i = 2; i < 5; i++)
		EXPECT_EQ(0, run(ring, fd, GOSYNC_IOC_RWMUTEX_RUNLOCK, 0));
	EXPECT_EQ(0, result(ring, 5));
	EXPECT_EQ(-EPERM, run(ring, fd, GOSYNC_IOC_RWMUTEX_RUNLOCK, 0));
	EXPECT_EQ(0, run(ring, fd, GOSYNC_IOC_RWMUTEX_UNLOCK, 0));
	EXPECT_EQ(-EPERM, run(ring, fd, GOSYNC_IOC_RWMUTEX_UNLOCK, 0));
	EXPECT_TRUE(adds_up(fd));
}

TEST_F(uring, permits_are_had_in_order_of_arrival)
{
	struct ring *ring = self->ring;
	gosync_semaphore_t *semaphore;
	int fd;

	ASSERT_EQ(0, gosync_semaphore_open(NULL, 1, GOSYNC_CREATE | variant->how,
					   0600, &semaphore));
	fd = reopen_object(gosync_fd(semaphore), 0);
	EXPECT_EQ(0, run(ring, fd, GOSYNC_IOC_SEMAPHORE_RELEASE, 2));
	EXPECT_EQ(3, gosync_semaphore_count(semaphore));
	EXPECT_EQ(0, run(ring, fd, GOSYNC_IOC_SEMAPHORE_ACQUIRE, 3));
	EXPECT_EQ(-ERANGE, gosync_semaphore_release(semaphore, INT_MAX) ?:
		  run(ring, fd, GOSYNC_IOC_SEMAPHORE_RELEASE, 1));
	EXPECT_EQ(0, run(ring, fd, GOSYNC_IOC_SEMAPHORE_ACQUIRE, INT_MAX));
	EXPECT_EQ(0, run(ring, fd, GOSYNC_IOC_SEMAPHORE_ACQUIRE, 0));
	EXPECT_EQ(0, run(ring, fd, GOSYNC_IOC_SEMAPHORE_RELEASE, 0));
	EXPECT_EQ(-EINVAL, run(ring, fd, GOSYNC_IOC_SEMAPHORE_RELEASE,
			       1ULL << 31));

	start(ring, 1, fd, GOSYNC_IOC_SEMAPHORE_ACQUIRE, 3);
	ASSERT_TRUE(has_waiters(fd, 1));
	start(ring, 2, fd, GOSYNC_IOC_SEMAPHORE_ACQUIRE, 1);
	ASSERT_TRUE(has_waiters(fd, 2));
	EXPECT_EQ(0, gosync_semaphore_release(semaphore, 2));
	EXPECT_TRUE(is_under_way(ring, 2));
	EXPECT_EQ(-EBUSY, gosync_semaphore_tryacquire(semaphore, 1));
	EXPECT_EQ(0, run(ring, fd, GOSYNC_IOC_SEMAPHORE_RELEASE, 1));
	EXPECT_EQ(0, result(ring, 1));
	EXPECT_TRUE(is_under_way(ring, 2));
	EXPECT_EQ(0, run(ring, fd, GOSYNC_IOC_SEMAPHORE_RELEASE, 3));
	EXPECT_EQ(0, result(ring, 2));
	EXPECT_EQ(2, gosync_semaphore_count(semaphore));
	/* Who leaves makes room for those behind. */
	start(ring, 1, fd, GOSYNC_IOC_SEMAPHORE_ACQUIRE, 9);
	ASSERT_TRUE(has_waiters(fd, 1));
	start(ring, 2, fd, GOSYNC_IOC_SEMAPHORE_ACQUIRE, 2);
	ASSERT_TRUE(has_waiters(fd, 2));
	EXPECT_EQ(1, cancel(ring, fd, 1));
	EXPECT_EQ(0, result(ring, 2));
	EXPECT_EQ(0, gosync_semaphore_count(semaphore));
	EXPECT_TRUE(adds_up(fd));
}

TEST_F(uring, permits_of_who_is_gone_are_given_back)
{
	int fd = open_bytes(GOSYNC_SEMAPHORE, NULL, 0,
			    GOSYNC_CREATE | GOSYNC_GIVE_BACK, 0600, 6);
	int other = reopen_object(fd, 0);

	EXPECT_EQ(0, permits_fd(other, GOSYNC_IOC_SEMAPHORE_ACQUIRE, 1));
	EXPECT_EQ(0, run(self->ring, fd, GOSYNC_IOC_SEMAPHORE_ACQUIRE, 3));
	EXPECT_EQ(-EPERM, run(self->ring, fd, GOSYNC_IOC_SEMAPHORE_RELEASE, 4));
	start(self->ring, 1, fd, GOSYNC_IOC_SEMAPHORE_ACQUIRE, 3);
	ASSERT_TRUE(has_waiters(other, 1));
	EXPECT_EQ(0, permits_fd(other, GOSYNC_IOC_SEMAPHORE_RELEASE, 1));
	EXPECT_EQ(0, result(self->ring, 1));
	EXPECT_EQ(-EBUSY, permits_fd(other, GOSYNC_IOC_SEMAPHORE_TRYACQUIRE, 1));
	forget_fd(self->ring, fd);
	close(fd);
	EXPECT_TRUE(eventually(info_of(other).word == 6));
}

TEST_F(uring, a_counter_of_work)
{
	struct ring *ring = self->ring;
	gosync_waitgroup_t *wg;
	int fd, i;

	ASSERT_EQ(0, gosync_waitgroup_open(NULL, GOSYNC_CREATE | variant->how,
					   0600, &wg));
	fd = reopen_object(gosync_fd(wg), 0);
	EXPECT_EQ(0, run(ring, fd, GOSYNC_IOC_WAITGROUP_ADD, 2));
	EXPECT_EQ(2, gosync_waitgroup_count(wg));
	for (i = 0; i < 3; i++) {
		start(ring, i, fd, GOSYNC_IOC_WAITGROUP_WAIT, 0);
		ASSERT_TRUE(has_waiters(fd, i + 1));
	}
	EXPECT_EQ(-ERANGE, run(ring, fd, GOSYNC_IOC_WAITGROUP_ADD, -3));
	EXPECT_EQ(-ERANGE, run(ring, fd, GOSYNC_IOC_WAITGROUP_ADD, 1ULL << 31));
	EXPECT_EQ(0, run(ring, fd, GOSYNC_IOC_WAITGROUP_ADD, -1));
	EXPECT_TRUE(is_under_way(ring, 0));
	EXPECT_EQ(0, gosync_waitgroup_done(wg));
	for (i = 0; i < 3; i++)
		EXPECT_EQ(0, result(ring, i));
	EXPECT_TRUE(adds_up(fd));
	/* It may be used again at once. */
	EXPECT_EQ(0, gosync_waitgroup_add(wg, 1));
	start(ring, 0, fd, GOSYNC_IOC_WAITGROUP_WAIT, 0);
	ASSERT_TRUE(has_waiters(fd, 1));
	EXPECT_EQ(0, run(ring, fd, GOSYNC_IOC_WAITGROUP_ADD, -1));
	EXPECT_EQ(0, result(ring, 0));
}

static void *begin_and_close(void *arg)
{
	int *fd = arg;
	int ret = call(*fd, GOSYNC_IOC_ONCE_BEGIN, NULL);

	close(*fd);
	*fd = ret;
	return NULL;
}

TEST_F(uring, what_is_done_once)
{
	struct ring *ring = self->ring;
	int fd = open_object(GOSYNC_ONCE, NULL, GOSYNC_CREATE, 0600);
	int other = reopen_object(fd, 0), i;

	EXPECT_EQ(GOSYNC_ONCE_RUN, run(ring, fd, GOSYNC_IOC_ONCE_BEGIN, 0));
	EXPECT_EQ(info_of(fd).holder, info_of(fd).owner);
	for (i = 0; i < 4; i++) {
		start(ring, i, other, i % 2 ? GOSYNC_IOC_ONCE_BEGIN :
		      GOSYNC_IOC_ONCE_WAIT, 0);
		ASSERT_TRUE(has_waiters(fd, i + 1));
	}
	EXPECT_EQ(-EPERM, run(ring, other, GOSYNC_IOC_ONCE_DONE, 0));
	EXPECT_TRUE(is_under_way(ring, 0));
	EXPECT_EQ(0, run(ring, fd, GOSYNC_IOC_ONCE_DONE, 0));
	for (i = 0; i < 4; i++)
		EXPECT_EQ(GOSYNC_ONCE_DONE, result(ring, i));
	EXPECT_EQ(GOSYNC_ONCE_DONE, run(ring, fd, GOSYNC_IOC_ONCE_BEGIN, 0));
	EXPECT_EQ(GOSYNC_ONCE_DONE, run(ring, fd, GOSYNC_IOC_ONCE_WAIT, 0));
	EXPECT_EQ(-EPERM, run(ring, fd, GOSYNC_IOC_ONCE_DONE, 0));
	EXPECT_TRUE(adds_up(fd));
}

TEST_F(uring, what_was_begun_and_not_done_is_begun_again)
{
	struct ring *ring = self->ring;
	int fd = open_object(GOSYNC_ONCE, NULL, GOSYNC_CREATE, 0600);
	int dies = reopen_object(fd, 0);
	pthread_t thread;

	ASSERT_EQ(0, pthread_create(&thread, NULL, begin_and_close, &dies));
	pthread_join(thread, NULL);
	EXPECT_EQ(GOSYNC_ONCE_RUN, dies);
	EXPECT_EQ(GOSYNC_ONCE_RUN_AGAIN, run(ring, fd, GOSYNC_IOC_ONCE_BEGIN, 0));
	EXPECT_EQ(0, run(ring, fd, GOSYNC_IOC_ONCE_DONE, 0));

	/* And so it is for who waits. */
	fd = open_object(GOSYNC_ONCE, NULL, GOSYNC_CREATE, 0600);
	dies = reopen_object(fd, 0);
	EXPECT_EQ(GOSYNC_ONCE_RUN, call(dies, GOSYNC_IOC_ONCE_BEGIN, NULL));
	start(ring, 1, fd, GOSYNC_IOC_ONCE_WAIT, 0);
	ASSERT_TRUE(has_waiters(fd, 1));
	start(ring, 2, fd, GOSYNC_IOC_ONCE_BEGIN, 0);
	ASSERT_TRUE(has_waiters(fd, 2));
	start(ring, 3, fd, GOSYNC_IOC_ONCE_BEGIN, 0);
	ASSERT_TRUE(has_waiters(fd, 3));
	close(dies);
	EXPECT_EQ(GOSYNC_ONCE_RUN_AGAIN, result(ring, 2));
	EXPECT_TRUE(is_under_way(ring, 1));
	EXPECT_TRUE(is_under_way(ring, 3));
	EXPECT_EQ(0, run(ring, fd, GOSYNC_IOC_ONCE_DONE, 0));
	EXPECT_EQ(GOSYNC_ONCE_DONE, result(ring, 1));
	EXPECT_EQ(GOSYNC_ONCE_DONE, result(ring, 3));
}

TEST_F(uring, signals_and_a_broadcast)
{
	struct ring *ring = self->ring;
	int cond = open_object(GOSYNC_COND, NULL, GOSYNC_CREATE, 0600), i;

	EXPECT_EQ(0, run(ring, cond, GOSYNC_IOC_COND_SIGNAL, 0));
	EXPECT_EQ(0, run(ring, cond, GOSYNC_IOC_COND_BROADCAST, 0));
	for (i = 0; i < 5; i++) {
		EXPECT_EQ(0, run(ring, self->fd, GOSYNC_IOC_MUTEX_LOCK, 0));
		start(ring, i, cond, GOSYNC_IOC_COND_WAIT, self->fd);
		ASSERT_TRUE(has_waiters(cond, i + 1));
		/* It unlocks after that. */
		ASSERT_TRUE(eventually(!info(self).word));
	}
	/* In their order, and each with the lock */
	for (i = 0; i < 2; i++) {
		EXPECT_EQ(1, run(ring, cond, GOSYNC_IOC_COND_SIGNAL, 0));
		EXPECT_EQ(0, result(ring, i));
		EXPECT_EQ(info(self).holder, info(self).owner);
		EXPECT_TRUE(is_under_way(ring, i + 1));
		EXPECT_EQ(0, unlock_fd(self->fd));
	}
	/* Who is signalled while the lock is taken waits for it. */
	EXPECT_EQ(0, gosync_mutex_lock(self->mutex));
	EXPECT_EQ(3, run(ring, cond, GOSYNC_IOC_COND_BROADCAST, 0));
	EXPECT_TRUE(has_waiters(cond, 0));
	EXPECT_TRUE(comes_back(self, 3));
	EXPECT_TRUE(is_under_way(ring, 2));
	EXPECT_EQ(0, gosync_mutex_unlock(self->mutex));
	for (i = 2; i < 5; i++) {
		EXPECT_EQ(0, result(ring, i));
		EXPECT_EQ(info(self).holder, info(self).owner);
		if (i < 4)
			EXPECT_TRUE(is_under_way(ring, i + 1));
		EXPECT_EQ(0, unlock_fd(self->fd));
	}
	EXPECT_TRUE(adds_up(cond));
	EXPECT_TRUE(adds_up(self->fd));
}

/* Its deadline ends the wait, not the locking. */
TEST_F(uring, a_conds_deadline_passes_while_the_lock_is_taken)
{
	int cond = open_object(GOSYNC_COND, NULL, GOSYNC_CREATE, 0600);

	EXPECT_EQ(0, lock_fd(self->fd));
	start_until(self->ring, 1, cond, GOSYNC_IOC_COND_WAIT, self->fd,
		    gosync_deadline(50 * NSEC_PER_MSEC), 0);
	ASSERT_EQ(0, gosync_mutex_lock(self->mutex));
	EXPECT_TRUE(comes_back(self, 1));
	EXPECT_EQ(0, info_of(cond).waiters);
	EXPECT_TRUE(is_under_way(self->ring, 1));
	EXPECT_EQ(0, gosync_mutex_unlock(self->mutex));
	EXPECT_EQ(-ETIMEDOUT, result(self->ring, 1));
	EXPECT_EQ(info(self).holder, info(self).owner);
	EXPECT_EQ(0, unlock_fd(self->fd));
}

/* What matters more: the lock that it has is poisoned since it waited. */
TEST_F(uring, a_conds_deadline_does_not_hide_that_an_owner_died)
{
	int cond = open_object(GOSYNC_COND, NULL, GOSYNC_CREATE, 0600);
	int owner = reopen_object(self->fd, 0);

	ASSERT_LE(0, owner);
	EXPECT_EQ(0, lock_fd(self->fd));
	start_until(self->ring, 1, cond, GOSYNC_IOC_COND_WAIT, self->fd,
		    gosync_deadline(NSEC_PER_SEC / 2), 0);
	/* Who submits may not be this thread. */
	ASSERT_TRUE(eventually(!trylock_fd(owner)));
	EXPECT_TRUE(comes_back(self, 1));
	EXPECT_TRUE(is_under_way(self->ring, 1));
	close(owner);
	EXPECT_EQ(1, result(self->ring, 1));
	EXPECT_EQ(info(self).holder, info(self).owner);
	/* It is known now: the next one's deadline is told. */
	start_until(self->ring, 2, cond, GOSYNC_IOC_COND_WAIT, self->fd,
		    gosync_deadline(NSEC_PER_MSEC), 0);
	EXPECT_EQ(-ETIMEDOUT, result(self->ring, 2));
	EXPECT_EQ(0, call(self->fd, GOSYNC_IOC_MUTEX_RECOVER, NULL));
	EXPECT_EQ(0, unlock_fd(self->fd));
}

/* Signalled and cancelled before it had the lock: as if it had never been */
TEST_F(uring, who_is_cancelled_swallows_no_signal)
{
	int cond = open_object(GOSYNC_COND, NULL, GOSYNC_CREATE, 0600), i;
	struct ring *ring = self->ring;

	for (i = 0; i < 3; i++) {
		EXPECT_EQ(0, lock_fd(self->fd));
		start(ring, i, cond, GOSYNC_IOC_COND_WAIT, self->fd);
		ASSERT_TRUE(has_waiters(cond, i + 1));
	}
	EXPECT_EQ(1, cancel(ring, cond, 0));
	EXPECT_EQ(-ECANCELED, result(ring, 0));
	EXPECT_EQ(0, gosync_mutex_lock(self->mutex));
	EXPECT_EQ(1, run(ring, cond, GOSYNC_IOC_COND_SIGNAL, 0));
	EXPECT_TRUE(comes_back(self, 1));
	EXPECT_EQ(1, cancel(ring, cond, 1));
	EXPECT_EQ(-ECANCELED, result(ring, 1));
	EXPECT_TRUE(has_waiters(cond, 0));
	EXPECT_TRUE(comes_back(self, 1));
	EXPECT_EQ(0, gosync_mutex_unlock(self->mutex));
	EXPECT_EQ(0, result(ring, 2));
	EXPECT_EQ(info(self).holder, info(self).owner);
	EXPECT_TRUE(adds_up(cond));
	EXPECT_TRUE(adds_up(self->fd));
}

TEST_F(uring, words_that_change)
{
	struct ring *ring = self->ring;
	struct gosync_atomic_args args = { .size = sizeof(args), .index = 2 };
	struct io_uring_sqe *sqe;
	int fd, i;

	fd = open_bytes(GOSYNC_INT32, NULL, 0, GOSYNC_CREATE, 0600, 3);
	ASSERT_LE(0, fd);
	for (i = 1; i < 4; i++) {
		sqe = prepare(ring, i, fd, GOSYNC_IOC_ATOMIC_WAIT, 0);
		command_of(sqe)->index = 2;
		submit(ring);
		ASSERT_TRUE(has_waiters(fd, i));
	}
	/* Who is woken looks whether it has changed. */
	sqe = prepare(ring, 9, fd, GOSYNC_IOC_ATOMIC_WAKE, 3);
	command_of(sqe)->index = 2;
	submit(ring);
	EXPECT_LE(0, result(ring, 9));
	EXPECT_TRUE(is_under_way(ring, 1));
	EXPECT_EQ(3, info_of(fd).waiters);
	args.value = -7;
	EXPECT_EQ(0, call(fd, GOSYNC_IOC_ATOMIC_STORE, &args));
	/* Another word's are not they. */
	EXPECT_EQ(0, run(ring, fd, GOSYNC_IOC_ATOMIC_WAKE, 3));
	EXPECT_TRUE(is_under_way(ring, 1));
	sqe = prepare(ring, 9, fd, GOSYNC_IOC_ATOMIC_WAKE, 1);
	command_of(sqe)->index = 2;
	submit(ring);
	EXPECT_EQ(1, result(ring, 9));
	EXPECT_EQ(0, result(ring, 1));
	EXPECT_TRUE(is_under_way(ring, 2));
	sqe = prepare(ring, 9, fd, GOSYNC_IOC_ATOMIC_WAKE, 9);
	command_of(sqe)->index = 2;
	submit(ring);
	EXPECT_EQ(2, result(ring, 9));
	EXPECT_EQ(0, result(ring, 2));
	EXPECT_EQ(0, result(ring, 3));
	/* Signed words are extended. */
	sqe = prepare(ring, 1, fd, GOSYNC_IOC_ATOMIC_WAIT, -7);
	command_of(sqe)->index = 2;
	submit(ring);
	ASSERT_TRUE(has_waiters(fd, 1));
	EXPECT_EQ(1, cancel(ring, fd, 1));
	EXPECT_EQ(-ECANCELED, result(ring, 1));
	EXPECT_TRUE(adds_up(fd));
}

TEST_F(uring, of_many_things_one_is_granted)
{
	struct gosync_wait_entry entries[GOSYNC_WAIT_MAX] = {};
	struct gosync_wait_many_args many = {
		.size = sizeof(many), .entries = to_u64(entries),
		.count = GOSYNC_WAIT_MAX, .entry_size = sizeof(entries[0]),
	};
	int dev = open_device(), i, round;

	for (i = 0; i < GOSYNC_WAIT_MAX; i++) {
		int fd = open_object(GOSYNC_SEMAPHORE, NULL, GOSYNC_CREATE, 0600);

		ASSERT_LE(0, fd);
		entries[i] = (struct gosync_wait_entry) {
			.fd = fd, .op = GOSYNC_IOC_SEMAPHORE_ACQUIRE,
			.result = -1, .value = 1 + i % 2,
		};
	}
	for (round = 0; round < GOSYNC_WAIT_MAX; round += 7) {
		start(self->ring, 1, dev, GOSYNC_IOC_WAIT, to_u64(&many));
		ASSERT_TRUE(has_waiters(entries[GOSYNC_WAIT_MAX - 1].fd, 1));
		EXPECT_TRUE(is_under_way(self->ring, 1));
		EXPECT_EQ(0, permits_fd(entries[round].fd,
					GOSYNC_IOC_SEMAPHORE_RELEASE, 3));
		EXPECT_EQ(round, result(self->ring, 1));
		for (i = 0; i < GOSYNC_WAIT_MAX; i++) {
			EXPECT_EQ(0, info_of(entries[i].fd).waiters);
			EXPECT_EQ(i == round ? 3 - entries[i].value : 0,
				  info_of(entries[i].fd).word);
			EXPECT_EQ(i == round ? 0 : -1, entries[i].result);
			EXPECT_TRUE(adds_up(entries[i].fd));
		}
		entries[round].result = -1;
		EXPECT_EQ(0, permits_fd(entries[round].fd,
					GOSYNC_IOC_SEMAPHORE_ACQUIRE,
					3 - entries[round].value));
	}
	/* Of those that can be had, the first */
	for (i = 20; i < 40; i++)
		EXPECT_EQ(0, permits_fd(entries[i].fd,
					GOSYNC_IOC_SEMAPHORE_RELEASE, 1));
	EXPECT_EQ(20, run(self->ring, dev, GOSYNC_IOC_WAIT, to_u64(&many)));
	EXPECT_EQ(22, run(self->ring, dev, GOSYNC_IOC_WAIT, to_u64(&many)));
	EXPECT_EQ(1, info_of(entries[21].fd).word);
}

/* What is stored there when it is granted may be gone by then. */
TEST_F(uring, of_many_things_the_results_have_nowhere_to_go)
{
	struct gosync_wait_many_args many = {
		.size = sizeof(many), .count = 1,
		.entry_size = sizeof(struct gosync_wait_entry),
	};
	struct gosync_wait_entry *entry = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
					       MAP_PRIVATE | MAP_ANONYMOUS, -1,
					       0);
	int dev = open_device(), ret;

	ASSERT_NE(MAP_FAILED, entry);
	many.entries = to_u64(entry);
	*entry = (struct gosync_wait_entry) {
		.fd = self->fd, .op = GOSYNC_IOC_MUTEX_LOCK,
	};
	EXPECT_EQ(0, gosync_mutex_lock(self->mutex));
	start(self->ring, 1, dev, GOSYNC_IOC_WAIT, to_u64(&many));
	ASSERT_TRUE(has_waiters(self->fd, 1));
	munmap(entry, 4096);
	EXPECT_EQ(0, gosync_mutex_unlock(self->mutex));
	ret = result(self->ring, 1);
	EXPECT_TRUE(ret == 0 || ret == -EFAULT);
	/* Either it has it, or nobody has. */
	EXPECT_EQ(ret ? 0 : -EBUSY, gosync_mutex_trylock(self->mutex));
}

TEST_F(uring, of_a_poisoned_lock_it_is_told)
{
	struct ring *ring = self->ring;
	int dies = reopen_object(self->fd, 0), rw, i;
	static const unsigned int ops[] = {
		GOSYNC_IOC_RWMUTEX_LOCK, GOSYNC_IOC_RWMUTEX_UNLOCK,
		GOSYNC_IOC_RWMUTEX_RLOCK, GOSYNC_IOC_RWMUTEX_RUNLOCK,
	};

	EXPECT_EQ(0, lock_fd(dies));
	ASSERT_TRUE(queue(self, 1));
	close(dies);
	EXPECT_EQ(1, result(ring, 1));
	EXPECT_EQ(1, info(self).deaths);
	EXPECT_EQ(0, unlock_fd(self->fd));
	EXPECT_EQ(1, run(ring, self->fd, GOSYNC_IOC_MUTEX_LOCK, 0));
	EXPECT_EQ(0, call(self->fd, GOSYNC_IOC_MUTEX_RECOVER, NULL));
	EXPECT_EQ(0, unlock_fd(self->fd));
	EXPECT_EQ(0, run(ring, self->fd, GOSYNC_IOC_MUTEX_LOCK, 0));

	rw = open_object(GOSYNC_RWMUTEX, NULL, GOSYNC_CREATE, 0600);
	for (i = 0; i < 4; i += 2) {
		dies = reopen_object(rw, 0);
		EXPECT_LE(0, call(dies, GOSYNC_IOC_RWMUTEX_LOCK, NULL));
		start(ring, 1, rw, ops[i], 0);
		ASSERT_TRUE(has_waiters(rw, 1));
		close(dies);
		EXPECT_EQ(1, result(ring, 1));
		EXPECT_EQ(0, run(ring, rw, ops[i + 1], 0));
		EXPECT_EQ(1, run(ring, rw, ops[i], 0));
		EXPECT_EQ(0, run(ring, rw, ops[i + 1], 0));
	}
}

/* The death of its holder is that of the lock's owner, as any other's. */
TEST_F(uring, who_has_it_and_is_closed_has_died)
{
	EXPECT_EQ(0, run(self->ring, self->fd, GOSYNC_IOC_MUTEX_LOCK, 0));
	forget_fd(self->ring, self->fd);
	close(self->fd);
	EXPECT_TRUE(eventually(gosync_mutex_trylock(self->mutex) == 1));
}

/* It is a descriptor that only the ring has. */
TEST_F(uring, what_a_registered_file_has_it_can_release)
{
	struct ring *ring = self->ring;
	int fd = self->fd;

	if (!(variant->kind.sqe_flags & IOSQE_FIXED_FILE))
		SKIP(return, "no registered files");
	EXPECT_EQ(0, gosync_mutex_lock(self->mutex));
	ASSERT_TRUE(queue(self, 1));
	close(fd);
	EXPECT_EQ(0, gosync_mutex_unlock(self->mutex));
	EXPECT_EQ(0, result(ring, 1));
	EXPECT_EQ(-EBUSY, gosync_mutex_trylock(self->mutex));
	EXPECT_EQ(0, run(ring, fd, GOSYNC_IOC_MUTEX_UNLOCK, 0));
	EXPECT_EQ(0, gosync_mutex_trylock(self->mutex));
	EXPECT_EQ(0, gosync_mutex_unlock(self->mutex));
	EXPECT_EQ(0, run(ring, fd, GOSYNC_IOC_MUTEX_LOCK, 0));
	forget_fd(ring, fd);
	EXPECT_TRUE(eventually(gosync_mutex_trylock(self->mutex) == 1));
}

/* --- order ----------------------------------------------------------------- */

#define THOUSAND	1000

TEST_F(uring, a_thousand_locks_of_one_mutex_come_in_order)
{
	struct ring *ring = self->ring;
	unsigned int i;

	EXPECT_EQ(0, gosync_mutex_lock(self->mutex));
	for (i = 0; i < THOUSAND; i++) {
		prepare(ring, i, self->fd, GOSYNC_IOC_MUTEX_LOCK, 0);
		if (!is_asynchronous(variant))
			continue;
		submit(ring);
		ASSERT_TRUE(has_waiters(self->fd, i + 1));
	}
	submit(ring);
	ASSERT_TRUE(has_waiters(self->fd, THOUSAND));
	EXPECT_EQ(0, gosync_mutex_unlock(self->mutex));
	for (i = 0; i < THOUSAND; i++) {
		ASSERT_EQ(0, result(ring, i));
		ASSERT_EQ(i + 1, ring->completed);
		ASSERT_EQ(info(self).holder, info(self).owner);
		ASSERT_EQ(THOUSAND - i - 1, info(self).waiters);
		/* It is never let go: each finds it taken. */
		ASSERT_EQ(-EBUSY, gosync_mutex_trylock(self->mutex));
		ASSERT_EQ(0, unlock_fd(self->fd));
	}
	EXPECT_EQ(0, info(self).word);
	EXPECT_TRUE(adds_up(self->fd));
	EXPECT_EQ(THOUSAND, stat_of(self->fd).handed_over);
	EXPECT_EQ(0, gosync_mutex_trylock(self->mutex));
}

TEST_F(uring, a_thousand_mutexes_are_waited_for_by_one_thread)
{
	enum { N = 900 };	/* descriptors, of at least 1024 */
	struct ring *ring = self->ring;
	static int fds[N];
	unsigned int i;

	for (i = 0; i < N; i++) {
		fds[i] = open_object(GOSYNC_MUTEX, NULL, GOSYNC_CREATE, 0600);
		ASSERT_LE(0, fds[i]);
		ASSERT_EQ(0, lock_fd(fds[i]));
		prepare(ring, i, fds[i], GOSYNC_IOC_MUTEX_LOCK, 0);
	}
	submit(ring);
	for (i = 0; i < N; i++)
		ASSERT_TRUE(has_waiters(fds[i], 1));
	look(ring);
	EXPECT_EQ(0, ring->completed);
	for (i = 0; i < N; i++)
		ASSERT_EQ(0, unlock_fd(fds[i * 7 % N]));
	for (i = 0; i < N; i++)
		ASSERT_EQ(0, result(ring, i));
	for (i = 0; i < N; i++)
		ASSERT_EQ(0, unlock_fd(fds[i]));
}

/* A child that waits, and says so while it is inside */
static pid_t spawn_waiter(FIXTURE_DATA(uring) *self)
{
	unsigned int before = info(self).waiters;
	pid_t pid = spawn();

	if (!pid) {
		int ret;

		/* Its copy would keep the ring. */
		close_ring(self->ring);
		ret = gosync_mutex_lock(self->mutex);
		store(self->shared, 1);
		while (load(self->shared) == 1)
			sleep_ns(NSEC_PER_MSEC / 10);
		gosync_mutex_unlock(self->mutex);
		_exit(ret);
	}
	return has_waiters(self->fd, before + 1) ? pid : -1;
}

TEST_F(uring, between_threads_each_has_its_turn)
{
	struct ring *ring = self->ring;
	pid_t pid;

	EXPECT_EQ(0, lock_fd(self->fd));
	ASSERT_TRUE(queue(self, 1));
	pid = spawn_waiter(self);
	ASSERT_LT(0, pid);
	ASSERT_TRUE(queue(self, 2));
	ASSERT_TRUE(queue(self, 3));
	EXPECT_EQ(0, unlock_fd(self->fd));
	EXPECT_EQ(0, result(ring, 1));
	EXPECT_EQ(0, load(self->shared));
	EXPECT_EQ(0, unlock_fd(self->fd));
	ASSERT_TRUE(eventually(load(self->shared) == 1));
	EXPECT_TRUE(is_under_way(ring, 2));
	store(self->shared, 2);
	EXPECT_EQ(0, result(ring, 2));
	EXPECT_EQ(0, reap_soon(pid));
	EXPECT_TRUE(is_under_way(ring, 3));
	EXPECT_EQ(0, unlock_fd(self->fd));
	EXPECT_EQ(0, result(ring, 3));
	EXPECT_EQ(0, unlock_fd(self->fd));
	EXPECT_EQ(0, info(self).word);
	EXPECT_TRUE(adds_up(self->fd));
}

/* --- what io_uring can do with them ---------------------------------------- */

static void prepare_write(struct ring *ring, unsigned int id, int fd,
			  unsigned int flags)
{
	struct io_uring_sqe *sqe = new_sqe(ring);

	io_uring_prep_write(sqe, fd, "x", 1, -1);
	sqe->flags = flags;
	sqe->user_data = id;
	ring->result[id] = UNDER_WAY;
}

TEST_F(uring, links_lock_write_and_unlock)
{
	struct ring *ring = self->ring;
	int pipe[2], i;
	char c;

	ASSERT_EQ(0, pipe2(pipe, O_NONBLOCK | O_CLOEXEC));
	EXPECT_EQ(0, gosync_mutex_lock(self->mutex));
	for (i = 0; i < 12; i += 3) {
		prepare(ring, i, self->fd, GOSYNC_IOC_MUTEX_LOCK, 0)->flags |=
			IOSQE_IO_LINK;
		prepare_write(ring, i + 1, pipe[1], IOSQE_IO_LINK);
		prepare(ring, i + 2, self->fd, GOSYNC_IOC_MUTEX_UNLOCK, 0);
		submit(ring);
		ASSERT_TRUE(has_waiters(self->fd, i / 3 + 1));
	}
	EXPECT_TRUE(is_under_way(ring, 1));
	EXPECT_EQ(-1, read(pipe[0], &c, 1));
	EXPECT_EQ(0, gosync_mutex_unlock(self->mutex));
	for (i = 0; i < 12; i += 3) {
		EXPECT_EQ(0, result(ring, i));
		EXPECT_EQ(1, result(ring, i + 1));
		EXPECT_EQ(0, result(ring, i + 2));
		EXPECT_EQ(1, read(pipe[0], &c, 1));
	}
	EXPECT_EQ(0, info(self).word);
}

TEST_F(uring, a_link_breaks_where_the_lock_is_not_got)
{
	struct ring *ring = self->ring;
	struct io_uring_sqe *sqe;
	int pipe[2], round;
	char c;

	ASSERT_EQ(0, pipe2(pipe, O_NONBLOCK | O_CLOEXEC));
	EXPECT_EQ(0, gosync_mutex_lock(self->mutex));
	for (round = 0; round < 2; round++) {
		sqe = prepare(ring, 1, self->fd, GOSYNC_IOC_MUTEX_LOCK, 0);
		sqe->flags |= IOSQE_IO_LINK;
		if (!round)
			command_of(sqe)->deadline =
				gosync_deadline(10 * NSEC_PER_MSEC);
		prepare_write(ring, 2, pipe[1], IOSQE_IO_LINK);
		prepare(ring, 3, self->fd, GOSYNC_IOC_MUTEX_UNLOCK, 0);
		submit(ring);
		if (round) {
			ASSERT_TRUE(has_waiters(self->fd, 1));
			EXPECT_EQ(1, cancel(ring, self->fd, 1));
		}
		EXPECT_EQ(round ? -ECANCELED : -ETIMEDOUT, result(ring, 1));
		EXPECT_EQ(-ECANCELED, result(ring, 2));
		EXPECT_EQ(-ECANCELED, result(ring, 3));
		EXPECT_EQ(-1, read(pipe[0], &c, 1));
	}
	EXPECT_NE(0, info(self).owner);
	EXPECT_EQ(0, gosync_mutex_unlock(self->mutex));
	EXPECT_EQ(0, gosync_mutex_trylock(self->mutex));
}

/* What completes interrupts it, as a signal would that has no handler. */
static int poll_once(int epoll, int ms)
{
	struct epoll_event event;
	int ret;

	do
		ret = epoll_wait(epoll, &event, 1, ms);
	while (ret < 0 && errno == EINTR);
	return ret;
}

TEST_F(uring, an_eventfd_and_epoll_tell_of_a_grant)
{
	struct epoll_event event = { .events = EPOLLIN };
	struct ring *ring = self->ring;
	int efd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	int epoll = epoll_create1(EPOLL_CLOEXEC);
	eventfd_t n;

	ASSERT_EQ(0, io_uring_register_eventfd(&ring->uring, efd));
	ASSERT_EQ(0, epoll_ctl(epoll, EPOLL_CTL_ADD, ring->uring.ring_fd,
			       &event));
	EXPECT_EQ(0, gosync_mutex_lock(self->mutex));
	ASSERT_TRUE(queue(self, 1));
	while (!eventfd_read(efd, &n))
		;
	EXPECT_EQ(0, poll_once(epoll, 3));
	EXPECT_EQ(0, gosync_mutex_unlock(self->mutex));
	EXPECT_EQ(1, poll_once(epoll, WATCHDOG * 1000 / 2));
	EXPECT_TRUE(eventually(!eventfd_read(efd, &n)));
	EXPECT_EQ(0, result(ring, 1));
}

/* Its thread sleeps, and is woken by a grant. */
TEST_F(uring, of_a_ring_at_rest_a_command_is_granted)
{
	struct ring *ring = self->ring;

	EXPECT_EQ(0, gosync_mutex_lock(self->mutex));
	ASSERT_TRUE(queue(self, 1));
	if (variant->kind.setup & IORING_SETUP_SQPOLL)
		ASSERT_TRUE(eventually(load(ring->uring.sq.kflags) &
				       IORING_SQ_NEED_WAKEUP));
	EXPECT_EQ(0, gosync_mutex_unlock(self->mutex));
	/* Nothing is asked of the kernel but to sleep. */
	EXPECT_EQ(0, result(ring, 1));
}

/* There is room for 4 completions. */
TEST_F(uring, more_grants_than_the_ring_has_room_for)
{
	enum { N = 300 };
	struct ring *ring = self->ring;
	static int fds[N];
	unsigned int i;

	close_ring(ring);
	ASSERT_EQ(0, make_ring_of(ring, variant->kind.setup,
				  variant->kind.sqe_flags, 4));
	for (i = 0; i < N; i++) {
		fds[i] = open_object(GOSYNC_MUTEX, NULL, GOSYNC_CREATE, 0600);
		ASSERT_EQ(0, lock_fd(fds[i]));
		start(ring, i, fds[i], GOSYNC_IOC_MUTEX_LOCK, 0);
		ASSERT_TRUE(has_waiters(fds[i], 1));
	}
	for (i = 0; i < N; i++)
		ASSERT_EQ(0, unlock_fd(fds[i]));
	for (i = 0; i < N; i++) {
		ASSERT_EQ(0, result(ring, i));
		ASSERT_EQ(-EBUSY, trylock_fd(fds[i]));
		ASSERT_EQ(0, unlock_fd(fds[i]));
	}
	look(ring);
	EXPECT_EQ(N, ring->completed);
}

/* --- cancelling ------------------------------------------------------------ */

TEST_F(uring, those_of_one_number_are_cancelled_together)
{
	struct ring *ring = self->ring;
	unsigned int i, ended = 0;

	EXPECT_EQ(0, gosync_mutex_lock(self->mutex));
	for (i = 0; i < 8; i++) {
		/* The odd ones have all the same. */
		prepare(ring, i, self->fd, GOSYNC_IOC_MUTEX_LOCK,
			0)->user_data = i % 2 ? COMMANDS + 7 : i;
		submit(ring);
		ASSERT_TRUE(has_waiters(self->fd, i + 1));
	}
	EXPECT_EQ(4, cancel(ring, self->fd, COMMANDS + 7));
	EXPECT_TRUE(eventually((look(ring), ring->completed == 5)));
	EXPECT_EQ(4, ring->wrong);
	EXPECT_EQ(4, info(self).waiters);
	ring->wrong = 0;
	for (i = 0; i < 8; i += 2)
		ended += ring->result[i] != UNDER_WAY;
	EXPECT_EQ(0, ended);
	EXPECT_EQ(4, cancel_all(ring, self->fd));
	for (i = 0; i < 8; i += 2)
		EXPECT_EQ(-ECANCELED, result(ring, i));
	EXPECT_EQ(-ENOENT, cancel_all(ring, self->fd));
	EXPECT_EQ(0, gosync_mutex_unlock(self->mutex));
	EXPECT_EQ(0, info(self).word);
	EXPECT_TRUE(adds_up(self->fd));
	EXPECT_EQ(8, stat_of(self->fd).gave_up);
}

TEST_F(uring, others_are_not_reached_by_a_cancellation)
{
	struct ring *ring = self->ring, *other = calloc(1, sizeof(*other));
	int fd = reopen_object(self->fd, 0), copy = dup(self->fd);

	ASSERT_EQ(0, make_ring(other, &variant->kind));
	EXPECT_EQ(0, gosync_mutex_lock(self->mutex));
	ASSERT_TRUE(queue(self, 1));
	/* From another ring, though on the same description */
	EXPECT_EQ(-ENOENT, cancel(other, self->fd, 1));
	EXPECT_EQ(-ENOENT, cancel_all(other, self->fd));
	/* On another description of the same object, and on none of an object */
	EXPECT_EQ(-ENOENT, cancel(ring, fd, 1));
	EXPECT_EQ(-ENOENT, cancel_all(ring, fd));
	EXPECT_EQ(-ENOENT, cancel_all(ring, open_device()));
	/* io_uring's own means do not reach it either. */
	io_uring_prep_cancel64(new_sqe(ring), 1, 0);
	ring->result[0] = UNDER_WAY;
	submit(ring);
	EXPECT_GT(0, result(ring, 0));
	EXPECT_TRUE(is_under_way(ring, 1));
	EXPECT_EQ(1, info(self).waiters);
	/* But another number for the same description does. */
	EXPECT_EQ(1, cancel(ring, copy, 1));
	EXPECT_EQ(-ECANCELED, result(ring, 1));
	EXPECT_EQ(0, other->wrong);
}

TEST_F(uring, what_cannot_be_cancelled_is_refused)
{
	struct ring *ring = self->ring;
	struct io_uring_sqe *sqe;

	EXPECT_EQ(0, gosync_mutex_lock(self->mutex));
	ASSERT_TRUE(queue(self, 1));
	EXPECT_EQ(-EINVAL, run_until(ring, self->fd, GOSYNC_IOC_CANCEL, 1, 0,
				     GOSYNC_CANCEL_ALL));
	EXPECT_EQ(-EINVAL, run_until(ring, self->fd, GOSYNC_IOC_CANCEL, 1, 0,
				     GOSYNC_CLOCK_REALTIME));
	EXPECT_EQ(-EINVAL, run_until(ring, self->fd, GOSYNC_IOC_CANCEL, 1, 1,
				     0));
	sqe = prepare(ring, 2, self->fd, GOSYNC_IOC_CANCEL, 1);
	command_of(sqe)->index = 1;
	submit(ring);
	EXPECT_EQ(-EINVAL, result(ring, 2));
	/* And it is no ioctl. */
	EXPECT_EQ(-ENOTTY, call(self->fd, GOSYNC_IOC_CANCEL, NULL));
	EXPECT_TRUE(is_under_way(ring, 1));
	EXPECT_EQ(1, cancel_all(ring, self->fd));
	EXPECT_EQ(-ECANCELED, result(ring, 1));
}

TEST_F(uring, what_waits_for_nothing_takes_no_more_than_it_says)
{
	struct ring *ring = self->ring;
	static const unsigned int ops[] = {
		GOSYNC_IOC_MUTEX_UNLOCK, GOSYNC_IOC_RWMUTEX_UNLOCK,
		GOSYNC_IOC_RWMUTEX_RUNLOCK, GOSYNC_IOC_ONCE_DONE,
		GOSYNC_IOC_COND_SIGNAL, GOSYNC_IOC_COND_BROADCAST,
		GOSYNC_IOC_SEMAPHORE_RELEASE, GOSYNC_IOC_WAITGROUP_ADD,
		GOSYNC_IOC_ATOMIC_WAKE,
	};
	static const unsigned int types[] = {
		GOSYNC_MUTEX, GOSYNC_RWMUTEX, GOSYNC_RWMUTEX, GOSYNC_ONCE,
		GOSYNC_COND, GOSYNC_COND, GOSYNC_SEMAPHORE, GOSYNC_WAITGROUP,
		GOSYNC_UINT32,
	};
	struct io_uring_sqe *sqe;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(ops); i++) {
		int fd = open_object(types[i], NULL, GOSYNC_CREATE, 0600);
		int reader = reopen_object(fd, GOSYNC_RDONLY);

		EXPECT_EQ(-EINVAL, run_until(ring, fd, ops[i], 0, 1, 0));
		EXPECT_EQ(-EINVAL, run_until(ring, fd, ops[i], 0, 0,
					     GOSYNC_CLOCK_REALTIME));
		EXPECT_EQ(-EINVAL, run_until(ring, fd, ops[i], 0, 0, 1U << 31));
		sqe = prepare(ring, 1, fd, ops[i], 0);
		command_of(sqe)->index = 1;
		submit(ring);
		EXPECT_EQ(-EINVAL, result(ring, 1));
		sqe = prepare(ring, 1, fd, ops[i], 0);
		sqe->len = 1;
		submit(ring);
		EXPECT_EQ(-EINVAL, result(ring, 1));
		if (types[i] != GOSYNC_WAITGROUP)
			EXPECT_EQ(-EINVAL, run(ring, fd, ops[i],
					       i < 6 ? 1 : 1ULL << 32));
		EXPECT_EQ(-ENOTTY, run(ring, self->fd,
				       i ? ops[i] : GOSYNC_IOC_ONCE_DONE, 0));
		EXPECT_EQ(-EBADF, run(ring, reader, ops[i], 0));
		EXPECT_EQ(0, info_of(fd).word);
	}
	/* Those that are no commands */
	EXPECT_EQ(-ENOTTY, run(ring, self->fd, GOSYNC_IOC_MUTEX_TRYLOCK, 0));
	EXPECT_EQ(-ENOTTY, run(ring, self->fd, GOSYNC_IOC_MUTEX_RECOVER, 0));
	EXPECT_EQ(-ENOTTY, run(ring, self->fd, GOSYNC_IOC_WATCH, 0));
	EXPECT_EQ(-ENOTTY, run(ring, open_device(), GOSYNC_IOC_VERSION, 0));
	EXPECT_EQ(0, info(self).word);
}

/* --- the end of rings ------------------------------------------------------ */

#define THOUSANDS	3000

/* Wait @n times on each of both, from one thread. */
static void queue_many(struct ring *ring, int mutex, int semaphore,
		       unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i += 2) {
		prepare(ring, i, mutex, GOSYNC_IOC_MUTEX_LOCK, 0);
		prepare(ring, i + 1, semaphore, GOSYNC_IOC_SEMAPHORE_ACQUIRE, 2);
	}
	submit(ring);
}

TEST_F(uring, closes_with_thousands_under_way)
{
	int semaphore = open_object(GOSYNC_SEMAPHORE, NULL, GOSYNC_CREATE, 0600);
	int other = reopen_object(semaphore, 0);
	pid_t pid;

	EXPECT_EQ(0, gosync_mutex_lock(self->mutex));
	queue_many(self->ring, self->fd, semaphore, THOUSANDS);
	ASSERT_TRUE(has_waiters(self->fd, THOUSANDS / 2));
	ASSERT_TRUE(has_waiters(other, THOUSANDS / 2));
	/* Behind them all */
	pid = spawn_waiter(self);
	ASSERT_LT(0, pid);
	close_ring(self->ring);
	EXPECT_TRUE(has_waiters(self->fd, 1));
	EXPECT_TRUE(has_waiters(other, 0));
	EXPECT_EQ(0, gosync_mutex_unlock(self->mutex));
	EXPECT_TRUE(eventually(load(self->shared)));
	store(self->shared, 2);
	EXPECT_EQ(0, reap_soon(pid));
	EXPECT_EQ(0, info(self).word);
	EXPECT_EQ(0, permits_fd(other, GOSYNC_IOC_SEMAPHORE_RELEASE, 1));
	EXPECT_EQ(1, info_of(other).word);
	EXPECT_TRUE(adds_up(self->fd));
	EXPECT_TRUE(adds_up(other));
	EXPECT_EQ(THOUSANDS / 2, stat_of(self->fd).gave_up);
}

/* While they are granted, too: what the ring gets in its last moments */
TEST_F(uring, closes_while_it_is_granted_one_by_one)
{
	unsigned int round, i;
	pid_t pid;

	for (round = 0; round < 4; round++) {
		EXPECT_EQ(0, gosync_mutex_lock(self->mutex));
		for (i = 0; i < 64; i++)
			prepare(self->ring, i, self->fd, GOSYNC_IOC_MUTEX_LOCK,
				0);
		submit(self->ring);
		ASSERT_TRUE(has_waiters(self->fd, 64));
		store(self->shared, 0);
		pid = spawn();
		if (!pid) {
			/* Unlocks whatever it is, as long as it is locked. */
			while (!load(self->shared))
				gosync_mutex_unlock(self->mutex);
			_exit(0);
		}
		ASSERT_TRUE(eventually(info(self).waiters < 60));
		close_ring(self->ring);
		EXPECT_TRUE(has_waiters(self->fd, 0));
		store(self->shared, 1);
		EXPECT_EQ(0, reap_soon(pid));
		gosync_mutex_unlock(self->mutex);
		EXPECT_TRUE(eventually(!info(self).word));
		EXPECT_TRUE(adds_up(self->fd));
		ASSERT_EQ(0, make_ring(self->ring, &variant->kind));
	}
}

TEST_F(uring, is_killed_with_thousands_under_way)
{
	int semaphore = open_object(GOSYNC_SEMAPHORE, NULL, GOSYNC_CREATE, 0600);
	pid_t pid, behind;

	EXPECT_EQ(0, gosync_mutex_lock(self->mutex));
	pid = spawn();
	if (!pid) {
		/* Half of them with holders that end with it */
		if (make_ring(self->ring, &variant->kind))
			_exit(1);
		queue_many(self->ring, reopen_object(self->fd, 0), semaphore,
			   THOUSANDS);
		for (;;)
			result(self->ring, 0);
	}
	ASSERT_TRUE(has_waiters(self->fd, THOUSANDS / 2));
	ASSERT_TRUE(has_waiters(semaphore, THOUSANDS / 2));
	behind = spawn_waiter(self);
	ASSERT_LT(0, behind);
	EXPECT_EQ(128 + SIGKILL, kill_and_reap(pid));
	EXPECT_TRUE(has_waiters(self->fd, 1));
	EXPECT_TRUE(has_waiters(semaphore, 0));
	EXPECT_EQ(0, gosync_mutex_unlock(self->mutex));
	EXPECT_TRUE(eventually(load(self->shared)));
	store(self->shared, 2);
	EXPECT_EQ(0, reap_soon(behind));
	EXPECT_EQ(0, info(self).word);
	EXPECT_EQ(0, info(self).deaths);
	EXPECT_TRUE(eventually(info(self).holders == 2));
	EXPECT_TRUE(adds_up(self->fd));
	EXPECT_TRUE(adds_up(semaphore));
}

/*
 * It was granted, and is killed before, or after, it could learn of that: the
 * next has it, and is told of a death if the lock was its own by then.
 */
TEST_F(uring, is_killed_between_the_grant_and_its_notice)
{
	unsigned int round;
	pid_t pid;
	int ret;

	for (round = 0; round < 8; round++) {
		EXPECT_EQ(0, gosync_mutex_lock(self->mutex));
		pid = spawn();
		if (!pid) {
			if (make_ring(self->ring, &variant->kind))
				_exit(1);
			start(self->ring, 1, reopen_object(self->fd, 0),
			      GOSYNC_IOC_MUTEX_LOCK, 0);
			for (;;)
				pause();
		}
		ASSERT_TRUE(has_waiters(self->fd, 1));
		EXPECT_EQ(0, gosync_mutex_unlock(self->mutex));
		if (round % 2)
			sleep_ns(NSEC_PER_MSEC);
		kill(pid, SIGKILL);
		ret = gosync_mutex_lock(self->mutex);
		EXPECT_TRUE(ret == 0 || ret == 1);
		if (ret)
			EXPECT_EQ(0, gosync_mutex_recover(self->mutex));
		EXPECT_EQ(0, gosync_mutex_unlock(self->mutex));
		EXPECT_EQ(128 + SIGKILL, reap(pid));
	}
	EXPECT_TRUE(eventually(info(self).holders == 2));
	EXPECT_TRUE(adds_up(self->fd));
}

struct thread {
	struct ring *ring;
	int fd;
};

static void *start_and_end(void *arg)
{
	struct thread *thread = arg;
	unsigned int i;

	for (i = 0; i < 16; i++)
		start(thread->ring, i, thread->fd, GOSYNC_IOC_MUTEX_LOCK, 0);
	/* It has asked, and nobody will hear of it here. */
	return has_waiters(thread->fd, 16) ? thread : NULL;
}

/* Each is completed: either it has the lock or it has not. */
TEST_F(uring, the_thread_that_asked_ends_and_others_go_on)
{
	struct thread thread = { self->ring, self->fd };
	unsigned int i, had = 0;
	pthread_t id;
	void *ret;
	int res;

	if (variant->kind.setup & IORING_SETUP_SINGLE_ISSUER)
		SKIP(return, "nobody else may use the ring");
	EXPECT_EQ(0, gosync_mutex_lock(self->mutex));
	ASSERT_EQ(0, pthread_create(&id, NULL, start_and_end, &thread));
	ASSERT_EQ(0, pthread_join(id, &ret));
	ASSERT_NE(NULL, ret);
	EXPECT_EQ(0, gosync_mutex_unlock(self->mutex));
	for (i = 0; i < 16; i++) {
		ASSERT_TRUE(eventually((look(self->ring),
					self->ring->result[i] != UNDER_WAY)));
		res = self->ring->result[i];
		ASSERT_TRUE(res == 0 || res == -ECANCELED) {
			TH_LOG("%d", res);
		}
		if (res)
			continue;
		had++;
		EXPECT_EQ(info(self).holder, info(self).owner);
		EXPECT_EQ(0, unlock_fd(self->fd));
	}
	TH_LOG("%u of 16 had it", had);
	EXPECT_TRUE(has_waiters(self->fd, 0));
	EXPECT_TRUE(eventually(!info(self).word));
	EXPECT_TRUE(adds_up(self->fd));
}

/* --- races ----------------------------------------------------------------- */

/* Two parties; the one that comes too early waits longer next time. */
struct race {
	unsigned int round;		/* that is to begin */
	unsigned int over;		/* and that the other has run */
	unsigned int stop;
	int delay;			/* of the other, in steps; or ours */
};

static void delay(int steps)
{
	while (steps-- > 0)
		__asm__ volatile("" ::: "memory");
}

/* The other: when a round begins, unlock. */
static pid_t spawn_unlocker(struct race *race, int fd)
{
	pid_t pid = spawn();
	unsigned int round;

	if (pid)
		return pid;
	for (round = 1;; round++) {
		while (load(&race->round) != round)
			if (load(&race->stop))
				_exit(0);
		delay(load(&race->delay));
		if (unlock_fd(fd))
			_exit(1);
		store(&race->over, round);
	}
}

static void begin_round(struct race *race)
{
	store(&race->round, race->round + 1);
	delay(-race->delay);
}

/* Have the next round end the other way. */
static void steer(struct race *race, bool other_won, uint64_t *seed)
{
	int step = 1 + abs(race->delay) / 8 + random_u32(seed) % 16;
	bool other_waits = race->delay > 0;

	if (abs(race->delay) < 1 << 22 || other_waits != other_won)
		store(&race->delay, race->delay + (other_won ? step : -step));
}

/* Has either the command the lock, and says so, or can we have it? */
static bool is_either(FIXTURE_DATA(uring) *self, int res)
{
	if (res == 0)
		return trylock_fd(gosync_fd(self->mutex)) == -EBUSY &&
		       info(self).owner == info(self).holder &&
		       !unlock_fd(self->fd);
	return trylock_fd(gosync_fd(self->mutex)) == 0 &&
	       !unlock_fd(gosync_fd(self->mutex));
}

TEST_F(uring, a_cancellation_races_with_a_grant)
{
	uint64_t end = end_of_budget(), seed = random_seed();
	struct race *race = shared_memory(sizeof(*race));
	unsigned int granted = 0, cancelled = 0;
	struct ring *ring = self->ring;
	pid_t pid = spawn_unlocker(race, gosync_fd(self->mutex));
	int res, did;

	do {
		ASSERT_EQ(0, lock_fd(gosync_fd(self->mutex)));
		ASSERT_TRUE(queue(self, 1));
		begin_round(race);
		did = cancel(ring, self->fd, 1);
		res = result(ring, 1);
		while (load(&race->over) != race->round)
			;
		ASSERT_TRUE((res == 0 && did == -ENOENT) ||
			    (res == -ECANCELED && did == 1)) {
			TH_LOG("lock: %d, cancel: %d", res, did);
		}
		ASSERT_TRUE(is_either(self, res));
		granted += !res;
		cancelled += !!res;
		steer(race, !res, &seed);
	} while (budget_left(end));
	store(&race->stop, 1);
	EXPECT_EQ(0, reap_soon(pid));
	TH_LOG("%u granted, %u cancelled", granted, cancelled);
	EXPECT_TRUE(adds_up(self->fd));
	EXPECT_EQ(granted, stat_of(self->fd).acquired);
	EXPECT_EQ(cancelled, stat_of(self->fd).gave_up);
	EXPECT_EQ(0, ring->wrong);
}

TEST_F(uring, a_deadline_races_with_a_grant)
{
	uint64_t end = end_of_budget(), seed = random_seed();
	struct race *race = shared_memory(sizeof(*race));
	unsigned int granted = 0, late = 0;
	struct ring *ring = self->ring;
	pid_t pid = spawn_unlocker(race, gosync_fd(self->mutex));
	int res;

	do {
		ASSERT_EQ(0, lock_fd(gosync_fd(self->mutex)));
		start_until(ring, 1, self->fd, GOSYNC_IOC_MUTEX_LOCK, 0,
			    gosync_deadline(NSEC_PER_MSEC / 4), 0);
		begin_round(race);
		res = result(ring, 1);
		while (load(&race->over) != race->round)
			;
		ASSERT_TRUE(res == 0 || res == -ETIMEDOUT) {
			TH_LOG("%d", res);
		}
		ASSERT_TRUE(is_either(self, res));
		granted += !res;
		late += !!res;
		steer(race, !res, &seed);
	} while (budget_left(end));
	store(&race->stop, 1);
	EXPECT_EQ(0, reap_soon(pid));
	TH_LOG("%u granted, %u late", granted, late);
	EXPECT_TRUE(adds_up(self->fd));
	EXPECT_EQ(0, ring->wrong);
}

/* One is granted; what the others got at the same moment they have still. */
TEST_F(uring, two_things_get_free_at_once)
{
	uint64_t end = end_of_budget(), seed = random_seed();
	struct race *race = shared_memory(sizeof(*race));
	int second = open_object(GOSYNC_MUTEX, NULL, GOSYNC_CREATE, 0600);
	int owner = reopen_object(second, 0), dev = open_device();
	int first = gosync_fd(self->mutex), owners[2] = { first, owner }, index;
	struct gosync_wait_entry entries[2] = {
		{ .fd = self->fd, .op = GOSYNC_IOC_MUTEX_LOCK },
		{ .fd = second, .op = GOSYNC_IOC_MUTEX_LOCK },
	};
	struct gosync_wait_many_args many = {
		.size = sizeof(many), .entries = to_u64(entries), .count = 2,
		.entry_size = sizeof(entries[0]),
	};
	unsigned int times[2] = {};
	pid_t pid = spawn_unlocker(race, owner);

	do {
		ASSERT_EQ(0, lock_fd(first));
		ASSERT_EQ(0, lock_fd(owner));
		start(self->ring, 1, dev, GOSYNC_IOC_WAIT, to_u64(&many));
		ASSERT_TRUE(has_waiters(second, 1));
		begin_round(race);
		ASSERT_EQ(0, unlock_fd(first));
		while (load(&race->over) != race->round)
			;
		index = result(self->ring, 1);
		ASSERT_TRUE(index == 0 || index == 1) {
			TH_LOG("%d", index);
		}
		times[index]++;
		ASSERT_EQ(-EBUSY, trylock_fd(owners[index]));
		ASSERT_EQ(0, trylock_fd(owners[!index]));
		ASSERT_EQ(0, unlock_fd(owners[!index]));
		ASSERT_EQ(0, unlock_fd(entries[index].fd));
		steer(race, index == 1, &seed);
	} while (budget_left(end));
	store(&race->stop, 1);
	EXPECT_EQ(0, reap_soon(pid));
	TH_LOG("%u and %u", times[0], times[1]);
	EXPECT_TRUE(adds_up(self->fd));
	EXPECT_TRUE(adds_up(second));
}

/* --- at many random moments ------------------------------------------------ */

enum { WORKERS = 5, LOCKS = 3, PERMITS = 3 };

struct storm {
	unsigned int stop;
	unsigned int wrong;
	unsigned int inside[LOCKS];	/* who is, 0: nobody; under the lock */
	unsigned int had;
	unsigned int not_had;
	unsigned int cancelled;
};

/* What the storm goes on about; a worker has holders of its own. */
struct objects {
	int mutex[LOCKS];
	int rwmutex;
	int semaphore;
	int wg;
};

/* The lock is held, by @fd; @res: is it poisoned? */
static void be_inside(struct storm *storm, unsigned int lock, unsigned int me,
		      int fd, int res, uint64_t *seed)
{
	if (res == 1) {
		store(&storm->inside[lock], 0);
		add(&storm->wrong, !!call(fd, GOSYNC_IOC_MUTEX_RECOVER, NULL));
	}
	if (__atomic_exchange_n(&storm->inside[lock], me, __ATOMIC_SEQ_CST))
		add(&storm->wrong, 1);
	if (random_u32(seed) % 16 == 0)
		sleep_ns(random_u32(seed) % (2 * NSEC_PER_MSEC));
	if (__atomic_exchange_n(&storm->inside[lock], 0, __ATOMIC_SEQ_CST) != me)
		add(&storm->wrong, 1);
	add(&storm->wrong, !!unlock_fd(fd));
	add(&storm->had, 1);
}

/* What a worker asks for besides the locks, and how it gives that back */
static const struct {
	unsigned int op;
	unsigned int back;
} others[] = {
	{ GOSYNC_IOC_RWMUTEX_RLOCK, GOSYNC_IOC_RWMUTEX_RUNLOCK },
	{ GOSYNC_IOC_RWMUTEX_LOCK, GOSYNC_IOC_RWMUTEX_UNLOCK },
	{ GOSYNC_IOC_SEMAPHORE_ACQUIRE },
	{ GOSYNC_IOC_WAITGROUP_WAIT },
};

enum { BATCH = 6, KINDS = LOCKS + ARRAY_SIZE(others) };

struct worker {
	struct storm *storm;
	struct ring *ring;
	struct objects own;
	unsigned int me;
	uint64_t seed;
	unsigned int what[BATCH];
	int fd[BATCH];
};

/* Ask for anything, but for the RWMutex once: it would wait for itself. */
static void ask(struct worker *worker, unsigned int i)
{
	uint32_t r = random_u32(&worker->seed);
	unsigned int what = (r >> 8) % KINDS, other = what - LOCKS;
	struct objects *own = &worker->own;
	struct io_uring_sqe *sqe;

	if (i && what >= LOCKS && other < 2)
		what = (r >> 16) % LOCKS;
	worker->what[i] = what;
	worker->fd[i] = what < LOCKS ? own->mutex[what] :
			other < 2 ? own->rwmutex :
			other < 3 ? own->semaphore : own->wg;
	sqe = prepare(worker->ring, i, worker->fd[i],
		      what < LOCKS ? GOSYNC_IOC_MUTEX_LOCK : others[other].op,
		      what >= LOCKS && other == 2);
	if (!(r & 3))
		command_of(sqe)->deadline =
			gosync_deadline(r % (2 * NSEC_PER_MSEC));
}

/* It is over: give back what it got. */
static void answered(struct worker *worker, unsigned int i, int res)
{
	unsigned int what = worker->what[i];
	struct storm *storm = worker->storm;
	int ret = 0;

	switch (res) {
	case 0:
	case 1:
		if (what < LOCKS) {
			be_inside(storm, what, worker->me, worker->fd[i], res,
				  &worker->seed);
			break;
		}
		add(&storm->had, 1);
		what -= LOCKS;
		if (others[what].back)
			ret = call(worker->fd[i], others[what].back, NULL);
		else if (others[what].op == GOSYNC_IOC_SEMAPHORE_ACQUIRE)
			ret = permits_fd(worker->fd[i],
					 GOSYNC_IOC_SEMAPHORE_RELEASE, 1);
		add(&storm->wrong, !!ret);
		break;
	case -ETIMEDOUT:
		add(&storm->not_had, 1);
		break;
	case -ECANCELED:
		add(&storm->cancelled, 1);
		break;
	default:
		add(&storm->wrong, 1);
	}
}

/* Answer each as it comes: who has one lock does not wait for another. */
static void answer_all(struct worker *worker, unsigned int n)
{
	unsigned int i, left = n;
	int *result;

	while (left) {
		look(worker->ring);
		for (i = 0; i < n; i++) {
			result = &worker->ring->result[i];
			if (*result == UNDER_WAY || *result == NOTHING)
				continue;
			answered(worker, i, *result);
			*result = NOTHING;
			left--;
		}
		if (left)
			sched_yield();
	}
}

static void work(const struct objects *objects, struct storm *storm,
		 unsigned int me)
{
	struct worker worker = {
		.storm = storm, .me = me, .seed = random_seed() + me,
		.ring = calloc(1, sizeof(*worker.ring)),
	};
	uint64_t *seed = &worker.seed;
	unsigned int i, n;
	int res;

	if (make_ring(worker.ring, &ring_kinds[random_u32(seed) % RING_KINDS]))
		_exit(1);
	for (i = 0; i < LOCKS; i++)
		worker.own.mutex[i] = reopen_object(objects->mutex[i], 0);
	worker.own.rwmutex = reopen_object(objects->rwmutex, 0);
	worker.own.semaphore = reopen_object(objects->semaphore, 0);
	worker.own.wg = reopen_object(objects->wg, 0);
	do {
		n = 1 + random_u32(seed) % BATCH;
		for (i = 0; i < n; i++)
			ask(&worker, i);
		submit(worker.ring);
		i = random_u32(seed) % (2 * BATCH);
		if (i < n) {
			res = cancel(worker.ring, worker.fd[i], i);
			add(&storm->wrong, res != 1 && res != -ENOENT);
		}
		answer_all(&worker, n);
		/* Threads that wait are among them. */
		i = random_u32(seed) % (2 * LOCKS);
		if (i < LOCKS) {
			res = lock_fd(worker.own.mutex[i]);
			add(&storm->wrong, res != 0 && res != 1);
			be_inside(storm, i, me, worker.own.mutex[i], res, seed);
		}
		add(&storm->wrong, worker.ring->wrong);
		worker.ring->wrong = 0;
	} while (!load(&storm->stop));
	_exit(0);
}

static pid_t spawn_worker(const struct objects *objects, struct storm *storm,
			  unsigned int me)
{
	pid_t pid = spawn();

	if (!pid)
		work(objects, storm, me);
	return pid;
}

TEST(kills_at_any_moment_leave_nothing_behind)
{
	uint64_t end = end_of_budget(), seed = random_seed();
	struct storm *storm = shared_memory(sizeof(*storm));
	int fds[LOCKS + 3], *fd = fds;
	unsigned int i, kills = 0;
	struct objects objects;
	pid_t pids[WORKERS];

	if (no_uring())
		SKIP(return, "%s", no_uring());
	for (i = 0; i < LOCKS; i++)
		*fd++ = objects.mutex[i] = open_object(GOSYNC_MUTEX, NULL,
						       GOSYNC_CREATE, 0600);
	*fd++ = objects.rwmutex = open_object(GOSYNC_RWMUTEX, NULL,
					      GOSYNC_CREATE, 0600);
	*fd++ = objects.semaphore = open_bytes(GOSYNC_SEMAPHORE, NULL, 0,
					       GOSYNC_CREATE | GOSYNC_GIVE_BACK,
					       0600, PERMITS);
	*fd++ = objects.wg = open_object(GOSYNC_WAITGROUP, NULL, GOSYNC_CREATE,
					 0600);
	for (i = 0; i < WORKERS; i++)
		pids[i] = spawn_worker(&objects, storm, i + 1);
	do {
		struct gosync_waitgroup_add_args one = {
			.size = sizeof(one), .delta = 1,
		};

		EXPECT_EQ(0, call(objects.wg, GOSYNC_IOC_WAITGROUP_ADD, &one));
		sleep_ns(random_u32(&seed) % (4 * NSEC_PER_MSEC));
		one.delta = -1;
		EXPECT_EQ(0, call(objects.wg, GOSYNC_IOC_WAITGROUP_ADD, &one));
		i = random_u32(&seed) % WORKERS;
		ASSERT_EQ(128 + SIGKILL, kill_and_reap(pids[i]));
		kills++;
		pids[i] = spawn_worker(&objects, storm, i + 1);
		/* On a slow machine, until somebody has got something */
	} while (budget_left(end) || !load(&storm->had));
	store(&storm->stop, 1);
	for (i = 0; i < WORKERS; i++)
		EXPECT_EQ(0, reap_soon(pids[i]));
	TH_LOG("%u had, %u not in time, %u cancelled, %u kills", storm->had,
	       storm->not_had, storm->cancelled, kills);
	EXPECT_EQ(0, storm->wrong);
	for (i = 0; i < ARRAY_SIZE(fds); i++) {
		EXPECT_TRUE(has_waiters(fds[i], 0));
		EXPECT_TRUE(eventually(info_of(fds[i]).holders == 1));
		EXPECT_TRUE(adds_up(fds[i]));
	}
	for (i = 0; i < LOCKS; i++)
		EXPECT_TRUE(eventually(trylock_fd(objects.mutex[i]) >= 0));
	EXPECT_EQ(0, info_of(objects.rwmutex).readers);
	EXPECT_LE(0, call(objects.rwmutex, GOSYNC_IOC_RWMUTEX_TRYLOCK, NULL));
	EXPECT_EQ(PERMITS, info_of(objects.semaphore).word);
}

/* --- the rest of the system ------------------------------------------------ */

/* What setup cannot be had is told by setup, and there are the ioctls. */
TEST(where_there_is_no_io_uring_there_are_the_ioctls)
{
	static const char file[] = "/proc/sys/kernel/io_uring_disabled";
	struct ring *ring = calloc(1, sizeof(*ring));
	int fd = open_object(GOSYNC_MUTEX, NULL, GOSYNC_CREATE, 0600);
	char before[16];

	if (read_file(file, before, sizeof(before)) || write_file(file, "2\n"))
		SKIP(return, "no io_uring_disabled");
	EXPECT_EQ(-EPERM, make_ring(ring, ring_kinds));
	EXPECT_EQ(0, lock_fd(fd));
	EXPECT_EQ(-EBUSY, trylock_fd(fd));
	EXPECT_EQ(0, unlock_fd(fd));
	EXPECT_EQ(0, write_file(file, before));
}

TEST(deadlines_are_those_of_the_time_namespace)
{
	struct ring *ring = calloc(1, sizeof(*ring));
	int fd = open_object(GOSYNC_MUTEX, NULL, GOSYNC_CREATE, 0600);
	const struct ring_kind *kind;
	pid_t pid;

	if (no_uring())
		SKIP(return, "%s", no_uring());
	EXPECT_EQ(0, lock_fd(fd));
	if (unshare(CLONE_NEWTIME))
		SKIP(return, "no time namespace");
	ASSERT_EQ(0, write_file("/proc/self/timens_offsets",
				"monotonic 100000 0\n"));
	for (kind = ring_kinds; kind < ring_kinds + RING_KINDS; kind++) {
		pid = spawn();
		if (!pid) {
			uint64_t soon = gosync_deadline(30 * NSEC_PER_MSEC);

			if (make_ring(ring, kind))
				_exit(1);
			if (run_until(ring, fd, GOSYNC_IOC_MUTEX_LOCK, 0, soon,
				      0) != -ETIMEDOUT)
				_exit(2);
			if (now_ns(CLOCK_MONOTONIC) < soon)
				_exit(3);
			/* Outside it has not come yet. */
			start_until(ring, 1, fd, GOSYNC_IOC_MUTEX_LOCK, 0,
				    gosync_deadline(3600 * NSEC_PER_SEC), 0);
			_exit(is_under_way(ring, 1) ? 0 : 4);
		}
		EXPECT_EQ(0, reap_soon(pid)) {
			TH_LOG("%s", kind->name);
		}
	}
}

enum { CACHES = 512, MANY = 3000 };

struct cache {
	char name[64];
	long active;
};

static int read_caches(struct cache *caches)
{
	FILE *file = fopen("/proc/slabinfo", "r");
	char line[512];
	int n = 0;

	while (file && n < CACHES && fgets(line, sizeof(line), file))
		if (sscanf(line, "%63s %ld", caches[n].name,
			   &caches[n].active) == 2)
			n++;
	if (file)
		fclose(file);
	return n;
}

/* Has any cache grown by an object for each two commands? */
static bool has_grown(const struct cache *before, int n)
{
	static struct cache now[CACHES];
	int m = read_caches(now), i, j;

	for (i = 0; i < m; i++)
		for (j = 0; j < n; j++)
			if (!strcmp(now[i].name, before[j].name) &&
			    now[i].active - before[j].active > MANY / 2)
				return true;
	return false;
}

TEST(commands_leave_no_memory_behind)
{
	static struct cache before[CACHES];
	struct ring *ring = calloc(1, sizeof(*ring));
	int mutex = open_object(GOSYNC_MUTEX, NULL, GOSYNC_CREATE, 0600);
	int semaphore = open_object(GOSYNC_SEMAPHORE, NULL, GOSYNC_CREATE, 0600);
	int dev = open_device(), fd = reopen_object(mutex, 0), n, round;
	struct gosync_wait_entry entries[] = {
		{ .fd = fd, .op = GOSYNC_IOC_MUTEX_LOCK },
		{ .fd = semaphore, .op = GOSYNC_IOC_SEMAPHORE_ACQUIRE,
		  .value = 1 },
	};
	struct gosync_wait_many_args many = {
		.size = sizeof(many), .entries = to_u64(entries), .count = 2,
		.entry_size = sizeof(entries[0]),
	};
	unsigned int i;

	if (no_uring())
		SKIP(return, "%s", no_uring());
	/* What is freed is not free at once, there. */
	if (!access("/sys/kernel/debug/kmemleak", F_OK))
		SKIP(return, "left to kmemleak");
	for (round = 0; round < 4; round++) {
		/* The first lets the caches fill that are kept. */
		n = round == 1 ? read_caches(before) : n;
		if (round == 1 && !n)
			SKIP(return, "no /proc/slabinfo");
		ASSERT_EQ(0, make_ring(ring, &ring_kinds[round % RING_KINDS]));
		EXPECT_EQ(0, lock_fd(mutex));
		for (i = 0; i < MANY; i++)
			switch (i % 4) {
			case 0:
				prepare(ring, i, fd, GOSYNC_IOC_MUTEX_LOCK, 0);
				break;
			case 1:
				prepare(ring, i, dev, GOSYNC_IOC_WAIT,
					to_u64(&many));
				break;
			case 2:
				prepare(ring, i, semaphore,
					GOSYNC_IOC_SEMAPHORE_ACQUIRE, 2);
				break;
			case 3:
				/* Refused */
				prepare(ring, i, dev, GOSYNC_IOC_COND_WAIT, fd);
				break;
			}
		submit(ring);
		ASSERT_TRUE(has_waiters(mutex, MANY / 2));
		ASSERT_TRUE(has_waiters(semaphore, MANY / 2));
		EXPECT_EQ(MANY / 4, cancel_all(ring, fd));
		EXPECT_EQ(0, unlock_fd(mutex));
		EXPECT_EQ(0, result(ring, 1));
		close_ring(ring);
		ASSERT_TRUE(has_waiters(mutex, 0));
		ASSERT_TRUE(has_waiters(semaphore, 0));
		EXPECT_EQ(0, unlock_fd(mutex));
		EXPECT_TRUE(eventually(!info_of(mutex).word));
	}
	EXPECT_TRUE(eventually(!has_grown(before, n)));
}

/* How often the instance's trace says @what of the object */
static unsigned int traced(const char *dir, const char *what, const char *name)
{
	char path[256], line[1024];
	unsigned int n = 0;
	FILE *file;

	snprintf(path, sizeof(path), "%s/trace", dir);
	file = fopen(path, "r");
	while (file && fgets(line, sizeof(line), file))
		n += strstr(line, what) && strstr(line, name);
	if (file)
		fclose(file);
	return n;
}

TEST(each_wait_is_traced_from_its_beginning_to_its_end)
{
	struct ring *ring = calloc(1, sizeof(*ring));
	char *name = unique_name(), *dir, path[256];
	unsigned int begun, i;
	int fd, other;

	if (no_uring())
		SKIP(return, "%s", no_uring());
	if (asprintf(&dir, TRACING "/instances/gosync-%s", name) < 0)
		abort();
	if (access(TRACING "/instances", F_OK))
		mount("tracefs", TRACING, "tracefs", 0, NULL);
	if (mkdir(dir, 0700))
		SKIP(return, "no tracing");
	snprintf(path, sizeof(path), "%s/buffer_size_kb", dir);
	EXPECT_EQ(0, write_file(path, "1024"));
	snprintf(path, sizeof(path), "%s/events/gosync/enable", dir);
	EXPECT_EQ(0, write_file(path, "1"));
	fd = open_object(GOSYNC_MUTEX, name, GOSYNC_CREATE, 0600);
	other = reopen_object(fd, 0);
	for (i = 0; i < RING_KINDS; i++) {
		ASSERT_EQ(0, make_ring(ring, &ring_kinds[i]));
		EXPECT_EQ(0, lock_fd(other));
		/* Granted, cancelled, too late, closed */
		start(ring, 1, fd, GOSYNC_IOC_MUTEX_LOCK, 0);
		ASSERT_TRUE(has_waiters(fd, 1));
		start(ring, 2, fd, GOSYNC_IOC_MUTEX_LOCK, 0);
		ASSERT_TRUE(has_waiters(fd, 2));
		EXPECT_EQ(1, cancel(ring, fd, 2));
		EXPECT_EQ(-ETIMEDOUT, run_until(ring, fd, GOSYNC_IOC_MUTEX_LOCK,
						0, gosync_deadline(1000), 0));
		EXPECT_EQ(0, unlock_fd(other));
		EXPECT_EQ(0, result(ring, 1));
		start(ring, 3, fd, GOSYNC_IOC_MUTEX_LOCK, 0);
		ASSERT_TRUE(has_waiters(fd, 1));
		close_ring(ring);
		ASSERT_TRUE(has_waiters(fd, 0));
		EXPECT_EQ(0, unlock_fd(fd));
		ASSERT_TRUE(eventually(!info_of(fd).word));
	}
	begun = traced(dir, "gosync_contention_begin:", name);
	EXPECT_EQ(4 * RING_KINDS, begun);
	EXPECT_EQ(begun, traced(dir, "gosync_contention_end:", name));
	EXPECT_EQ(RING_KINDS, stat_of(fd).acquired);
	EXPECT_TRUE(adds_up(fd));
	rmdir(dir);
}

TEST_HARNESS_MAIN
