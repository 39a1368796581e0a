// SPDX-License-Identifier: GPL-2.0-only
/*
 * Many commands of io_uring at once: in what order they are granted, beside
 * threads that wait, together with what else io_uring does, and when they are
 * cancelled or their ring or process ends.
 */
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include "each_ring.h"

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
		ASSERT_EQ(info_of(self->fd).holder, info_of(self->fd).owner);
		ASSERT_EQ(THOUSAND - i - 1, info_of(self->fd).waiters);
		/* It is never let go: each finds it taken. */
		ASSERT_EQ(-EBUSY, gosync_mutex_trylock(self->mutex));
		ASSERT_EQ(0, unlock_fd(self->fd));
	}
	EXPECT_EQ(0, info_of(self->fd).word);
	EXPECT_TRUE(adds_up(self->fd));
	EXPECT_EQ(THOUSAND, stat_fd(self->fd).handed_over);
	EXPECT_EQ(0, gosync_mutex_trylock(self->mutex));
}

TEST_F(uring, a_thousand_mutexes_are_waited_for_by_one_thread)
{
	enum { N = 900 };	/* descriptors, of at least 1024 */
	struct ring *ring = self->ring;
	static int fds[N];
	unsigned int i;

	for (i = 0; i < N; i++) {
		fds[i] = new_object(GOSYNC_MUTEX);
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

TEST_F(uring, between_threads_each_has_its_turn)
{
	struct ring *ring = self->ring;
	pid_t pid;

	EXPECT_EQ(0, lock_fd(self->fd));
	ASSERT_TRUE(queue(self, 1));
	pid = spawn_waiter(self);
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
	EXPECT_EQ(0, info_of(self->fd).word);
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
	EXPECT_EQ(0, info_of(self->fd).word);
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
	EXPECT_NE(0, info_of(self->fd).owner);
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

/* Does this kernel tell pollers of such a ring of its own completions? */
static bool pollers_are_told(const struct ring_kind *kind)
{
	struct epoll_event event = { .events = EPOLLIN };
	int epoll = epoll_create1(EPOLL_CLOEXEC), efd = eventfd(0, EFD_CLOEXEC);
	struct io_uring_sqe *sqe;
	static struct ring ring;
	int told;

	MUST(!make_ring(&ring, kind));
	MUST(!epoll_ctl(epoll, EPOLL_CTL_ADD, ring.uring.ring_fd, &event));
	sqe = new_sqe(&ring);
	io_uring_prep_poll_add(sqe, efd, POLLIN);
	submit(&ring);
	MUST(!poll_once(epoll, 3));
	MUST(!eventfd_write(efd, 1));
	told = poll_once(epoll, WATCHDOG * 1000 / 4);
	close_ring(&ring);
	close(epoll);
	close(efd);
	return told == 1;
}

TEST_F(uring, an_eventfd_and_epoll_tell_of_a_grant)
{
	struct epoll_event event = { .events = EPOLLIN };
	struct ring *ring = self->ring;
	int efd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	int epoll = epoll_create1(EPOLL_CLOEXEC);
	eventfd_t n;

	if (!pollers_are_told(&variant->kind))
		SKIP(return, "this kernel does not tell pollers of such a ring");
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
		fds[i] = new_object(GOSYNC_MUTEX);
		ASSERT_EQ(0, lock_fd(fds[i]));
		ASSERT_TRUE(queue_on(ring, i, fds[i],
				     GOSYNC_IOC_MUTEX_LOCK, 0));
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
	EXPECT_EQ(4, info_of(self->fd).waiters);
	ring->wrong = 0;
	for (i = 0; i < 8; i += 2)
		ended += ring->result[i] != UNDER_WAY;
	EXPECT_EQ(0, ended);
	EXPECT_EQ(4, cancel_all(ring, self->fd));
	for (i = 0; i < 8; i += 2)
		EXPECT_EQ(-ECANCELED, result(ring, i));
	EXPECT_EQ(-ENOENT, cancel_all(ring, self->fd));
	EXPECT_EQ(0, gosync_mutex_unlock(self->mutex));
	EXPECT_EQ(0, info_of(self->fd).word);
	EXPECT_TRUE(adds_up(self->fd));
	EXPECT_EQ(8, stat_fd(self->fd).gave_up);
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
	EXPECT_EQ(1, info_of(self->fd).waiters);
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
		int fd = new_object(types[i]);
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
	EXPECT_EQ(0, info_of(self->fd).word);
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

/* All who waited on both have left, but for the child, which has its turn. */
static void leave_those_behind(struct __test_metadata *_metadata,
			       FIXTURE_DATA(uring) *self, int semaphore,
			       pid_t behind)
{
	EXPECT_TRUE(has_waiters(self->fd, 1));
	EXPECT_TRUE(has_waiters(semaphore, 0));
	EXPECT_EQ(0, gosync_mutex_unlock(self->mutex));
	EXPECT_TRUE(eventually(load(self->shared)));
	store(self->shared, 2);
	EXPECT_EQ(0, reap_soon(behind));
	EXPECT_EQ(0, info_of(self->fd).word);
	EXPECT_TRUE(adds_up(self->fd));
	EXPECT_TRUE(adds_up(semaphore));
}

TEST_F(uring, closes_with_thousands_under_way)
{
	int semaphore = new_object(GOSYNC_SEMAPHORE);
	int other = reopen_object(semaphore, 0);
	pid_t pid;

	EXPECT_EQ(0, gosync_mutex_lock(self->mutex));
	queue_many(self->ring, self->fd, semaphore, THOUSANDS);
	ASSERT_TRUE(has_waiters(self->fd, THOUSANDS / 2));
	ASSERT_TRUE(has_waiters(other, THOUSANDS / 2));
	/* Behind them all */
	pid = spawn_waiter(self);
	close_ring(self->ring);
	leave_those_behind(_metadata, self, other, pid);
	EXPECT_EQ(0, release_fd(other, 1));
	EXPECT_EQ(1, info_of(other).word);
	EXPECT_EQ(THOUSANDS / 2, stat_fd(self->fd).gave_up);
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
		ASSERT_TRUE(eventually(info_of(self->fd).waiters < 60));
		close_ring(self->ring);
		EXPECT_TRUE(has_waiters(self->fd, 0));
		store(self->shared, 1);
		EXPECT_EQ(0, reap_soon(pid));
		gosync_mutex_unlock(self->mutex);
		EXPECT_TRUE(eventually(!info_of(self->fd).word));
		EXPECT_TRUE(adds_up(self->fd));
		ASSERT_EQ(0, make_ring(self->ring, &variant->kind));
	}
}

TEST_F(uring, is_killed_with_thousands_under_way)
{
	int semaphore = new_object(GOSYNC_SEMAPHORE);
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
	EXPECT_EQ(128 + SIGKILL, kill_and_reap(pid));
	leave_those_behind(_metadata, self, semaphore, behind);
	EXPECT_EQ(0, info_of(self->fd).deaths);
	EXPECT_TRUE(eventually(info_of(self->fd).holders == 2));
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
	EXPECT_TRUE(eventually(info_of(self->fd).holders == 2));
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
		ASSERT_TRUE(res == 0 || res == -ECANCELED)
			TH_LOG("%d", res);
		if (res)
			continue;
		had++;
		EXPECT_EQ(info_of(self->fd).holder, info_of(self->fd).owner);
		EXPECT_EQ(0, unlock_fd(self->fd));
	}
	TH_LOG("%u of 16 had it", had);
	EXPECT_TRUE(has_waiters(self->fd, 0));
	EXPECT_TRUE(eventually(!info_of(self->fd).word));
	EXPECT_TRUE(adds_up(self->fd));
}

TEST_HARNESS_MAIN
