/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the tests of RWMutexes share: the fixture, and children that lock.
 */
#ifndef GOSYNC_TEST_RWMUTEX_H
#define GOSYNC_TEST_RWMUTEX_H

#include "gosync_test.h"

#define OWNED_BY(id)	(GOSYNC_MUTEX_LOCKED | \
			 (uint64_t)(id) << GOSYNC_MUTEX_OWNER_SHIFT)
#define KERNELS_BITS	(GOSYNC_MUTEX_WOKEN | GOSYNC_MUTEX_STARVING | \
			 GOSYNC_MUTEX_WAITERS)
#define LINES		60
#define PARTIES		256

enum side { WRITE, READ };

/* With children */
struct shared {
	unsigned int turns;
	unsigned int turn[PARTIES];	/* when each came in, from 1 on */
	unsigned int leave[PARTIES];	/* it may go */
	unsigned int step;
};

FIXTURE(rwmutex)
{
	char *name;
	gosync_rwmutex_t *rw;
	struct gosync_rwmutex_slot *slot;	/* in both variants */
	char *page;				/* with the slot */
	struct shared *shared;
};

MAPPED_AND_IOCTL(rwmutex);

static inline gosync_rwmutex_t *open_rw(const char *name, unsigned int flags)
{
	gosync_rwmutex_t *rw;

	return gosync_rwmutex_open(name, flags, flags & GOSYNC_CREATE ?
				   0600 : 0, &rw) ? NULL : rw;
}

FIXTURE_SETUP(rwmutex)
{
	self->name = unique_name();
	self->rw = open_rw(self->name, GOSYNC_CREATE | variant->how);
	ASSERT_NE(NULL, self->rw);
	ASSERT_EQ(!variant->how, gosync_is_mapped(self->rw));
	self->slot = map_state(gosync_fd(self->rw));
	self->page = (char *)self->slot - info(self->rw).map_offset;
	self->shared = shared_memory(sizeof(*self->shared));
}

/* Nobody waits, and neither word nor slot says so */
static inline bool is_quiet(FIXTURE_DATA(rwmutex) *self)
{
	return !waiters(self->rw) && !(info(self->rw).word & KERNELS_BITS) &&
	       !load(&self->slot->draining);
}

static inline int take(gosync_rwmutex_t *rw, enum side side)
{
	return side == READ ? gosync_rwmutex_rlock(rw) : gosync_rwmutex_lock(rw);
}

static inline int try(gosync_rwmutex_t *rw, enum side side)
{
	return side == READ ? gosync_rwmutex_tryrlock(rw) :
			      gosync_rwmutex_trylock(rw);
}

static inline int take_until(gosync_rwmutex_t *rw, enum side side, uint64_t deadline,
		      unsigned int flags)
{
	return side == READ ? gosync_rwmutex_rlock_until(rw, deadline, flags) :
			      gosync_rwmutex_lock_until(rw, deadline, flags);
}

static inline int drop(gosync_rwmutex_t *rw, enum side side)
{
	return side == READ ? gosync_rwmutex_runlock(rw) :
			      gosync_rwmutex_unlock(rw);
}

/* The same of a descriptor, waiting so long at most; 0: for ever */
static inline int take_fd(int fd, enum side side, uint64_t ns)
{
	struct gosync_wait_args args = {
		.size = sizeof(args),
		.deadline = ns ? gosync_deadline(ns) : 0,
	};

	return call(fd, side == READ ? GOSYNC_IOC_RWMUTEX_RLOCK :
				       GOSYNC_IOC_RWMUTEX_LOCK, &args);
}

static inline int drop_fd(int fd, enum side side)
{
	return call(fd, side == READ ? GOSYNC_IOC_RWMUTEX_RUNLOCK :
				       GOSYNC_IOC_RWMUTEX_UNLOCK, NULL);
}

/*
 * A child that locks, says when it is inside, unlocks when it may leave, and
 * exits with what it got.
 */
static inline pid_t spawn_party(FIXTURE_DATA(rwmutex) *self, enum side side,
			 unsigned int me)
{
	pid_t pid;
	int ret;

	store(&self->shared->turn[me], 0);
	store(&self->shared->leave[me], 0);
	pid = spawn();
	if (pid)
		return pid;
	ret = take(self->rw, side);
	if (ret < 0)
		_exit(99);
	store(&self->shared->turn[me], add(&self->shared->turns, 1));
	(void)eventually(load(&self->shared->leave[me]));
	_exit(drop(self->rw, side) ? 98 : ret);
}

static inline bool is_in(FIXTURE_DATA(rwmutex) *self, unsigned int me)
{
	return load(&self->shared->turn[me]);
}

/* One that gets in, and one that has to wait; -1 when it does not */
static inline pid_t spawn_inside(FIXTURE_DATA(rwmutex) *self, enum side side,
			  unsigned int me)
{
	pid_t pid = spawn_party(self, side, me);

	MUST(eventually(is_in(self, me)));
	return pid;
}

static inline pid_t spawn_waiting(FIXTURE_DATA(rwmutex) *self, enum side side,
			   unsigned int me)
{
	unsigned int before = waiters(self->rw);
	pid_t pid = spawn_party(self, side, me);

	MUST(eventually(waiters(self->rw) == before + 1) && !is_in(self, me));
	return pid;
}

static inline int let_go(FIXTURE_DATA(rwmutex) *self, unsigned int me, pid_t pid)
{
	store(&self->shared->leave[me], 1);
	return reap(pid);
}

/* @n more holders; how many of them have a line */
static inline unsigned int open_many(FIXTURE_DATA(rwmutex) *self,
				     unsigned int how,
				     gosync_rwmutex_t **handles, unsigned int n)
{
	unsigned int i, lined = 0;

	for (i = 0; i < n; i++) {
		int fd = reopen_object(gosync_fd(self->rw), 0);

		if (gosync_rwmutex_from_fd(fd, how, &handles[i]))
			abort();
		lined += !!info_of(fd).map_data;
	}
	return lined;
}

#endif /* GOSYNC_TEST_RWMUTEX_H */
