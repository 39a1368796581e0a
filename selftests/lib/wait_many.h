/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What wait_any.c and wait_all.c share: locks that see to it that they
 * exclude, and fixtures.
 */
#ifndef WAIT_MANY_H
#define WAIT_MANY_H

#include "kinds.h"

/* --- locks that are seen to exclude -------------------------------------- */

/*
 * What a lock protects: @one and @two are equal, and nobody is inside, unless
 * somebody is; also if who is dies.
 */
struct guarded {
	unsigned int inside;
	unsigned int one, two;
	unsigned int entered;
	unsigned int reports;		/* deaths that were told of */
};

/* With the lock; @died if its owner had, and this puts it right. */
static inline bool enter(struct guarded *guarded, unsigned int me, bool died)
{
	bool good;

	if (died) {
		add(&guarded->reports, 1);
		store(&guarded->inside, 0);
		store(&guarded->two, load(&guarded->one));
	}
	good = !load(&guarded->inside) &&
	       load(&guarded->one) == load(&guarded->two);
	store(&guarded->inside, me);
	store(&guarded->one, load(&guarded->one) + 1);
	return good;
}

static inline bool leave(struct guarded *guarded, unsigned int me)
{
	bool good = load(&guarded->inside) == me;

	store(&guarded->two, load(&guarded->two) + 1);
	good &= load(&guarded->one) == load(&guarded->two);
	add(&guarded->entered, 1);
	store(&guarded->inside, 0);
	return good;
}

static inline void spin_ns(uint64_t ns)
{
	uint64_t end = now_ns(CLOCK_MONOTONIC) + ns;

	while (now_ns(CLOCK_MONOTONIC) < end)
		;
}

/* --- fixtures ------------------------------------------------------------ */

/* Some objects, and memory that is @shared with children */
#define SOME_OBJECTS(fixture)						\
FIXTURE(fixture)							\
{									\
	int mutex;							\
	int rwmutex;							\
	int semaphore;							\
	unsigned int *shared;						\
};									\
									\
MAPPED_AND_IOCTL(fixture);						\
									\
FIXTURE_SETUP(fixture)							\
{									\
	self->mutex = new_object(GOSYNC_MUTEX);				\
	self->rwmutex = new_object(GOSYNC_RWMUTEX);				\
	self->semaphore = new_object(GOSYNC_SEMAPHORE);			\
	ASSERT_LE(0, self->mutex);					\
	ASSERT_LE(0, self->rwmutex);					\
	ASSERT_LE(0, self->semaphore);					\
	self->shared = shared_memory(1 << 20);				\
}

static inline int wait_any(struct gosync_wait_entry *entries,
			   unsigned int count)
{
	return wait_many(entries, count, 0, 0);
}

static inline int wait_all(struct gosync_wait_entry *entries,
			   unsigned int count)
{
	return wait_many(entries, count, GOSYNC_WAIT_ALL, 0);
}

static inline int wait_all_until(struct gosync_wait_entry *entries,
				 unsigned int count, uint64_t deadline)
{
	return wait_many(entries, count, GOSYNC_WAIT_ALL, deadline);
}

/* Entries for these, one after another */
static inline void fill(struct gosync_wait_entry *entries,
			const struct thing *things, unsigned int count)
{
	unsigned int i;

	for (i = 0; i < count; i++)
		entries[i] = entry_for(&things[i]);
}

/* One that is killed again and again; @pid is 0 before the first time. */
static inline pid_t spawn_again(pid_t *pid, unsigned int *kills)
{
	if (*pid) {
		kill_and_reap(*pid);
		++*kills;
	}
	*pid = spawn();
	return *pid;
}

static inline pid_t spawn_owner(int fd, unsigned int op)
{
	return RESTING_CHILD(call(reopen_object(fd, 0), op, NULL) < 0);
}

#endif /* WAIT_MANY_H */
