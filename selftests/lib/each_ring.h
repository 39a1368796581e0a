/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A fixture whose tests run on each kind of ring: the ring, a Mutex, and another
 * holder of the Mutex for the commands.
 */
#ifndef EACH_RING_H
#define EACH_RING_H

#include "gosync_test_uring.h"

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
	NEED_URING();
	self->ring = calloc(1, sizeof(*self->ring));
	self->shared = shared_memory(4096);
	ASSERT_EQ(0, make_ring(self->ring, &variant->kind));
	self->mutex = NEW(gosync_mutex, variant->how);
	self->fd = reopen_object(gosync_fd(self->mutex), 0);
	ASSERT_LE(0, self->fd);
}

FIXTURE_TEARDOWN(uring)
{
	EXPECT_EQ(0, self->ring->wrong);
}

/* A command that waits; those before it do already. */
static inline bool queue(FIXTURE_DATA(uring) *self, unsigned int id)
{
	return queue_on(self->ring, id, self->fd, GOSYNC_IOC_MUTEX_LOCK, 0);
}

/*
 * The second half of a wait for a Cond begins when its task looks at the ring,
 * which on some it does only by itself.
 */
static inline bool comes_back(FIXTURE_DATA(uring) *self, unsigned int n)
{
	return eventually((look(self->ring), info_of(self->fd).waiters == n));
}

static inline bool is_asynchronous(const FIXTURE_VARIANT(uring) *variant)
{
	return variant->kind.sqe_flags & IOSQE_ASYNC;
}

/* A child that waits, and says so while it is inside */
static inline pid_t spawn_waiter(FIXTURE_DATA(uring) *self)
{
	unsigned int before = info_of(self->fd).waiters;
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
	MUST(has_waiters(self->fd, before + 1));
	return pid;
}

#endif /* EACH_RING_H */
