/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the tests of Conds share: the fixture, and children that wait.
 */
#ifndef GOSYNC_TEST_COND_H
#define GOSYNC_TEST_COND_H

#include "gosync_test.h"

#define PARTIES	256

/* What L is */
enum kind { MUTEX, WRITER, READER, KINDS };

/* With children */
struct shared {
	unsigned int turns;
	unsigned int turn[PARTIES];	/* when each was woken, from 1 on */
	unsigned int leave;		/* they may unlock */
	unsigned int step;
	unsigned int stage;		/* of a handler */
};

FIXTURE(cond)
{
	char *name;
	char *mutex_name;
	char *rw_name;
	gosync_cond_t *cond;
	gosync_mutex_t *mutex;
	gosync_rwmutex_t *rw;
	struct shared *shared;
};

MAPPED_AND_IOCTL(cond);

FIXTURE_SETUP(cond)
{
	self->name = unique_name();
	self->mutex_name = unique_name();
	self->rw_name = unique_name();
	self->cond = NEW_NAMED(gosync_cond, self->name, variant->how);
	self->mutex = NEW_NAMED(gosync_mutex, self->mutex_name, variant->how);
	self->rw = NEW_NAMED(gosync_rwmutex, self->rw_name, variant->how);
	ASSERT_EQ(!variant->how, gosync_is_mapped(self->cond));
	self->shared = shared_memory(sizeof(*self->shared));
	store(&self->shared->leave, 1);
}

static inline const void *lock_of(FIXTURE_DATA(cond) *self, enum kind kind)
{
	return kind == MUTEX ? (void *)self->mutex : (void *)self->rw;
}

static inline int lock(FIXTURE_DATA(cond) *self, enum kind kind)
{
	if (kind == MUTEX)
		return gosync_mutex_lock(self->mutex);
	return kind == READER ? gosync_rwmutex_rlock(self->rw) :
				gosync_rwmutex_lock(self->rw);
}

static inline int unlock(FIXTURE_DATA(cond) *self, enum kind kind)
{
	if (kind == MUTEX)
		return gosync_mutex_unlock(self->mutex);
	return kind == READER ? gosync_rwmutex_runlock(self->rw) :
				gosync_rwmutex_unlock(self->rw);
}

static inline int recover(FIXTURE_DATA(cond) *self, enum kind kind)
{
	return kind == MUTEX ? gosync_mutex_recover(self->mutex) :
			       gosync_rwmutex_recover(self->rw);
}

/* How this lock is taken so that it excludes everybody else */
static inline enum kind exclusive(enum kind kind)
{
	return kind == READER ? WRITER : kind;
}

/* The next owner is told of a death, and puts things right. 0 if that was so */
static inline int recover_lock(FIXTURE_DATA(cond) *self, enum kind kind)
{
	if (lock(self, exclusive(kind)) != 1)
		return 1;
	return recover(self, kind) || unlock(self, exclusive(kind)) ? 2 : 0;
}

/* A child that locks, and rests until it is killed */
static inline pid_t spawn_owner(FIXTURE_DATA(cond) *self, enum kind kind)
{
	return RESTING_CHILD(lock(self, exclusive(kind)) < 0);
}

/* Does the caller's holder, and not anybody, have it locked? */
static inline bool is_mine(FIXTURE_DATA(cond) *self, enum kind kind)
{
	struct gosync_info info = info_of(gosync_fd(lock_of(self, kind)));
	uint32_t *reads;
	char *page;
	bool mine;

	if (kind != READER)
		return info.owner == info.holder;
	if (!info.map_data)
		return info.readers;
	page = mmap(NULL, info.map_len, PROT_READ | PROT_WRITE, MAP_SHARED,
		    gosync_fd(self->rw), 0);
	reads = (void *)(page + info.map_data);
	mine = load(reads) == 1;
	munmap(page, info.map_len);
	return mine;
}

static inline int wait_until(FIXTURE_DATA(cond) *self, enum kind kind,
		      uint64_t deadline, unsigned int flags)
{
	if (kind != READER && deadline == GOSYNC_FOREVER && !flags)
		return gosync_cond_wait(self->cond, lock_of(self, kind));
	return gosync_cond_wait_until(self->cond, lock_of(self, kind), deadline,
				      flags | (kind == READER ?
					       GOSYNC_READ_SIDE : 0));
}

static inline int wait_for_ever(FIXTURE_DATA(cond) *self, enum kind kind)
{
	return wait_until(self, kind, GOSYNC_FOREVER, 0);
}

/* The exit status of a waiter: what its wait returned; 99 if it has no lock */
static inline int unlock_after(FIXTURE_DATA(cond) *self, enum kind kind, int ret)
{
	return is_mine(self, kind) && !unlock(self, kind) ? -ret : 99;
}

/* Lock, wait and unlock. Return: as unlock_after() */
static inline int wait_and_unlock(FIXTURE_DATA(cond) *self, enum kind kind,
				  uint64_t deadline, unsigned int flags)
{
	int ret = lock(self, kind);

	if (ret >= 0)
		ret = wait_until(self, kind, deadline, flags);
	return unlock_after(self, kind, ret);
}

static inline int signal_fd(FIXTURE_DATA(cond) *self)
{
	return call(gosync_fd(self->cond), GOSYNC_IOC_COND_SIGNAL, NULL);
}

static inline int broadcast_fd(FIXTURE_DATA(cond) *self)
{
	return call(gosync_fd(self->cond), GOSYNC_IOC_COND_BROADCAST, NULL);
}

/*
 * A child that waits, notes its turn, and leaves with what it got, or 99 if it
 * does not hold the lock then.
 */
static inline pid_t spawn_party(FIXTURE_DATA(cond) *self, enum kind kind,
			 unsigned int me)
{
	pid_t pid;
	int ret;

	store(&self->shared->turn[me], 0);
	pid = spawn();
	if (pid)
		return pid;
	if (lock(self, kind) < 0)
		_exit(98);
	ret = wait_for_ever(self, kind);
	store(&self->shared->turn[me], add(&self->shared->turns, 1));
	(void)eventually(load(&self->shared->leave));
	_exit(ret < 0 ? 99 : unlock_after(self, kind, -ret));
}

static inline pid_t spawn_waiter(FIXTURE_DATA(cond) *self, enum kind kind,
			  unsigned int me)
{
	unsigned int before = waiters(self->cond);
	pid_t pid = spawn_party(self, kind, me);

	MUST(eventually(waiters(self->cond) == before + 1));
	return pid;
}

static inline unsigned int turn_of(FIXTURE_DATA(cond) *self, unsigned int me)
{
	return load(&self->shared->turn[me]);
}

#endif /* GOSYNC_TEST_COND_H */
