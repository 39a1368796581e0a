/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Each kind of wait: how the other party keeps the object from the waiter and
 * lets it go, and how the object looks before and after.
 */
#ifndef KINDS_H
#define KINDS_H

#include "gosync_test.h"

/* In results that are not to be written */
#define UNTOUCHED	(-12345)

/* How many permits are released, and asked for, at once */
#define PERMITS_LET_GO	2

static inline int wait_many(struct gosync_wait_entry *entries,
			    unsigned int count, unsigned int flags,
			    uint64_t deadline)
{
	struct gosync_wait_many_args args = {
		.size = sizeof(args), .flags = flags, .deadline = deadline,
		.entries = to_u64(entries), .count = count,
		.entry_size = sizeof(*entries),
	};
	static int dev = -1;

	if (dev < 0)
		dev = open_device();
	return call(dev, GOSYNC_IOC_WAIT, &args);
}

static inline struct gosync_wait_entry entry(int fd, unsigned int op,
					     uint64_t value)
{
	return (struct gosync_wait_entry) {
		.fd = fd, .op = op, .result = UNTOUCHED, .value = value,
	};
}

static inline struct gosync_wait_entry entry_of_mutex(int fd)
{
	return entry(fd, GOSYNC_IOC_MUTEX_LOCK, 0);
}

static inline struct gosync_wait_entry entry_of_permits(int fd, unsigned int n)
{
	return entry(fd, GOSYNC_IOC_SEMAPHORE_ACQUIRE, n);
}

static inline uint64_t permits_of(int fd)
{
	return info_of(fd).word & GOSYNC_SEMAPHORE_PERMITS;
}

/* --- things -------------------------------------------------------------- */

enum kind {
	MUTEX, WRITE, READ, PERMITS, WAITGROUP, ONCE, WORD, VALUE, MAP, KINDS,
	/*
	 * These are waits of a thread alone, and not entries: a writer waits
	 * for readers to go; for a Once, to run it or to see it done; for a
	 * Cond; for any or for all of a Mutex and something else.
	 */
	DRAIN = KINDS, BEGIN, COND, ANY, ALL, ALL_KINDS
};

static const struct {
	uint32_t type;
	unsigned int op;
	bool writes;		/* not by a read-only descriptor */
} kinds[ALL_KINDS] = {
	[MUTEX] = { GOSYNC_MUTEX, GOSYNC_IOC_MUTEX_LOCK, true },
	[WRITE] = { GOSYNC_RWMUTEX, GOSYNC_IOC_RWMUTEX_LOCK, true },
	[READ] = { GOSYNC_RWMUTEX, GOSYNC_IOC_RWMUTEX_RLOCK, true },
	[PERMITS] = { GOSYNC_SEMAPHORE, GOSYNC_IOC_SEMAPHORE_ACQUIRE, true },
	[WAITGROUP] = { GOSYNC_WAITGROUP, GOSYNC_IOC_WAITGROUP_WAIT },
	[ONCE] = { GOSYNC_ONCE, GOSYNC_IOC_ONCE_WAIT },
	[WORD] = { GOSYNC_UINT64, GOSYNC_IOC_ATOMIC_WAIT },
	[VALUE] = { GOSYNC_VALUE, GOSYNC_IOC_VALUE_WAIT },
	[MAP] = { GOSYNC_MAP, GOSYNC_IOC_MAP_WAIT },
	[DRAIN] = { GOSYNC_RWMUTEX, GOSYNC_IOC_RWMUTEX_LOCK, true },
	[BEGIN] = { GOSYNC_ONCE, GOSYNC_IOC_ONCE_BEGIN, true },
	[COND] = { GOSYNC_COND, GOSYNC_IOC_COND_WAIT, true },
	[ANY] = { GOSYNC_MUTEX, GOSYNC_IOC_MUTEX_LOCK, true },
	[ALL] = { GOSYNC_MUTEX, GOSYNC_IOC_MUTEX_LOCK, true },
};

/* Each test of such a fixture is run for each kind, the other party in both ways */
#define KIND_VARIANTS(fixture, kind_name, KIND)				\
	FIXTURE_VARIANT_ADD(fixture, kind_name) { .kind = KIND };	\
	FIXTURE_VARIANT_ADD(fixture, kind_name##_ioctl) {		\
		.kind = KIND, .how = GOSYNC_IOCTL_ONLY,			\
	}

#define EACH_KIND(fixture)						\
	FIXTURE_VARIANT(fixture) { enum kind kind; unsigned int how; };	\
	KIND_VARIANTS(fixture, mutex, MUTEX);				\
	KIND_VARIANTS(fixture, write, WRITE);				\
	KIND_VARIANTS(fixture, read, READ);				\
	KIND_VARIANTS(fixture, permits, PERMITS);			\
	KIND_VARIANTS(fixture, waitgroup, WAITGROUP);			\
	KIND_VARIANTS(fixture, once, ONCE);				\
	KIND_VARIANTS(fixture, word, WORD);				\
	KIND_VARIANTS(fixture, value, VALUE);				\
	KIND_VARIANTS(fixture, map, MAP)

struct thing {
	enum kind kind;
	int fd;			/* of who waits */
	void *other;		/* handle of the other party: another holder */
	uint64_t value;		/* in entries for it */
};

/* A handle of a descriptor, as a thing of this kind has it */
static inline int make_handle(enum kind kind, int fd, unsigned int how,
			      void *handle)
{
	switch (kind) {
	case MUTEX:
	case ANY:
	case ALL:
		return gosync_mutex_from_fd(fd, how, handle);
	case WRITE:
	case READ:
	case DRAIN:
		return gosync_rwmutex_from_fd(fd, how, handle);
	case PERMITS:
		return gosync_semaphore_from_fd(fd, how, handle);
	case WAITGROUP:
		return gosync_waitgroup_from_fd(fd, how, handle);
	case BEGIN:
	case ONCE:
		return gosync_once_from_fd(fd, how, handle);
	case COND:
		return gosync_cond_from_fd(fd, how, handle);
	case WORD:
		return gosync_uint64_from_fd(fd, how, handle);
	case VALUE:
		return gosync_value_from_fd(fd, how, handle);
	default:
		return gosync_map_from_fd(fd, how, handle);
	}
}

static inline int other_handle(struct thing *thing, unsigned int how)
{
	int fd = reopen_object(thing->fd, 0);

	return fd < 0 ? fd : make_handle(thing->kind, fd, how, &thing->other);
}

static inline uint64_t version_of_map(int fd)
{
	struct gosync_version_wait_args args = { .size = sizeof(args) };

	return call(fd, GOSYNC_IOC_MAP_WAIT, &args) ? 0 : args.version;
}

/* Of a descriptor, which becomes the thing's */
static inline struct thing thing_of(int fd, enum kind kind, unsigned int how)
{
	struct thing thing = { .kind = kind, .fd = fd };

	if (thing.fd < 0 || other_handle(&thing, how))
		abort();
	if (kind == PERMITS)
		thing.value = PERMITS_LET_GO;
	if (kind == MAP)
		thing.value = version_of_map(thing.fd);
	return thing;
}

static inline struct thing new_thing(enum kind kind, unsigned int how)
{
	return thing_of(new_object(kinds[kind].type), kind, how);
}

/* The same, of a holder of one's own */
static inline struct thing own_thing(const struct thing *thing)
{
	struct thing own = *thing;

	own.fd = reopen_object(thing->fd, 0);
	return own;
}

static inline struct gosync_wait_entry entry_for(const struct thing *thing)
{
	return entry(thing->fd, kinds[thing->kind].op, thing->value);
}

/* The other party sees to it that it can't be had. */
static inline int keep(const struct thing *thing)
{
	switch (thing->kind) {
	case MUTEX:
	case ANY:
	case ALL:
		return gosync_mutex_lock(thing->other);
	case WRITE:
	case READ:
		return gosync_rwmutex_lock(thing->other);
	case WAITGROUP:
		return gosync_waitgroup_add(thing->other, 1);
	case DRAIN:
		return gosync_rwmutex_rlock(thing->other);
	case BEGIN:
		return gosync_once_begin(thing->other) != GOSYNC_ONCE_RUN;
	default:
		return 0;
	}
}

/* And that it can */
static inline int let_go(const struct thing *thing)
{
	switch (thing->kind) {
	case MUTEX:
	case ANY:
	case ALL:
		return gosync_mutex_unlock(thing->other);
	case WRITE:
	case READ:
		return gosync_rwmutex_unlock(thing->other);
	case PERMITS:
		return gosync_semaphore_release(thing->other, PERMITS_LET_GO);
	case WAITGROUP:
		return gosync_waitgroup_done(thing->other);
	case ONCE:
		return gosync_once_begin(thing->other) != GOSYNC_ONCE_RUN ||
		       gosync_once_done(thing->other);
	case DRAIN:
		return gosync_rwmutex_runlock(thing->other);
	case BEGIN:
		return gosync_once_done(thing->other);
	case COND:
		return gosync_cond_signal(thing->other);
	case WORD:
		return gosync_uint64_add(thing->other, 0, 1, NULL) ||
		       gosync_uint64_wake(thing->other, 0, 1) < 0;
	case VALUE:
		return gosync_value_store(thing->other, 7, "new", 3);
	default:
		return gosync_map_store(thing->other, "key", 3, "new", 3);
	}
}

/* Was this entry granted what it asked for, and does this holder have it? */
static inline bool is_granted(const struct thing *thing,
			      const struct gosync_wait_entry *e)
{
	struct gosync_info info = info_of(thing->fd);

	if (e->result)
		return false;
	switch (thing->kind) {
	case MUTEX:
	case WRITE:
		return info.owner == info.holder && !e->value;
	case READ:
		return info.readers && !info.owner && !e->value;
	case PERMITS:
		return !permits_of(thing->fd) && e->value == PERMITS_LET_GO;
	case WORD:
	case VALUE:
		return e->value == thing->value + 1;
	case MAP:
		return e->value && e->value != thing->value;
	default:
		return true;
	}
}

/* An entry that was not granted, nor written to */
static inline bool is_untouched(const struct thing *thing,
				const struct gosync_wait_entry *e)
{
	return e->result == UNTOUCHED && e->value == thing->value;
}

/* Who was granted it has no use for it any more. Permits are used up. */
static inline int give_back(const struct thing *thing)
{
	switch (thing->kind) {
	case MUTEX:
	case ANY:
	case ALL:
		return unlock_fd(thing->fd);
	case WRITE:
	case DRAIN:
		return call(thing->fd, GOSYNC_IOC_RWMUTEX_UNLOCK, NULL);
	case READ:
		return call(thing->fd, GOSYNC_IOC_RWMUTEX_RUNLOCK, NULL);
	default:
		return 0;
	}
}

/* --- to wait --------------------------------------------------------------- */

/* What such a wait needs besides the thing: the lock, or something else to get */
static inline void *new_beside(enum kind kind, unsigned int how)
{
	const unsigned int flags = GOSYNC_CREATE | how;
	void *beside = NULL;
	int ret = 0;

	if (kind == ANY)
		ret = gosync_semaphore_open(NULL, 0, flags, 0600,
					    (void *)&beside);
	else if (kind == ALL)
		ret = gosync_rwmutex_open(NULL, flags, 0600, (void *)&beside);
	else if (kind == COND)
		ret = gosync_mutex_open(NULL, flags, 0600, (void *)&beside);
	if (ret)
		abort();
	return beside;
}

/* @mine is a handle of @thing's descriptor. */
static inline int wait_by_library(const struct thing *thing, void *mine,
				  void *beside, uint64_t deadline,
				  unsigned int flags)
{
	const bool plain = deadline == GOSYNC_FOREVER && !flags;
	uint64_t version = thing->value;
	struct gosync_wait_entry entries[2];

	switch (thing->kind) {
	case MUTEX:
		return plain ? gosync_mutex_lock(mine) :
			       gosync_mutex_lock_until(mine, deadline, flags);
	case WRITE:
	case DRAIN:
		return plain ? gosync_rwmutex_lock(mine) :
			       gosync_rwmutex_lock_until(mine, deadline, flags);
	case READ:
		return plain ? gosync_rwmutex_rlock(mine) :
			       gosync_rwmutex_rlock_until(mine, deadline, flags);
	case PERMITS:
		return plain ? gosync_semaphore_acquire(mine, thing->value) :
			       gosync_semaphore_acquire_until(mine, thing->value,
							      deadline, flags);
	case WAITGROUP:
		return plain ? gosync_waitgroup_wait(mine) :
			       gosync_waitgroup_wait_until(mine, deadline,
							   flags);
	case ONCE:
		return plain ? gosync_once_wait(mine) :
			       gosync_once_wait_until(mine, deadline, flags);
	case BEGIN:
		return plain ? gosync_once_begin(mine) :
			       gosync_once_begin_until(mine, deadline, flags);
	case COND:
		return plain ? gosync_cond_wait(mine, beside) :
			       gosync_cond_wait_until(mine, beside, deadline,
						      flags);
	case WORD:
		return gosync_uint64_wait(mine, 0, 0, deadline, flags, NULL);
	case VALUE:
		return plain ? gosync_value_wait(mine, &version) :
			       gosync_value_wait_until(mine, &version, deadline,
						       flags);
	case MAP:
		return plain ? gosync_map_wait(mine, &version) :
			       gosync_map_wait_until(mine, &version, deadline,
						     flags);
	case ANY:
		entries[0] = gosync_entry_mutex(mine);
		entries[1] = gosync_entry_semaphore(beside, 1);
		return gosync_wait_any(entries, 2, deadline, flags);
	default:
		entries[0] = gosync_entry_mutex(mine);
		entries[1] = gosync_entry_rwmutex(beside);
		return gosync_wait_all(entries, 2, deadline, flags);
	}
}

static inline int wait_by_ioctl(const struct thing *thing, void *beside,
				uint64_t deadline, unsigned int flags)
{
	const unsigned int op = kinds[thing->kind].op;
	const int fd = thing->fd;
	struct gosync_wait_args args = {
		.size = sizeof(args), .flags = flags, .deadline = deadline,
	};
	struct gosync_semaphore_args permits = {
		.size = sizeof(permits), .flags = flags, .deadline = deadline,
		.count = thing->value,
	};
	struct gosync_waitgroup_wait_args group = {
		.size = sizeof(group), .flags = flags, .deadline = deadline,
	};
	struct gosync_cond_wait_args cond = {
		.size = sizeof(cond), .flags = flags, .deadline = deadline,
	};
	struct gosync_atomic_wait_args word = {
		.size = sizeof(word), .flags = flags, .deadline = deadline,
	};
	struct gosync_version_wait_args version = {
		.size = sizeof(version), .flags = flags, .deadline = deadline,
		.version = thing->value,
	};
	struct gosync_wait_entry entries[2];

	switch (thing->kind) {
	case PERMITS:
		return call(fd, op, &permits);
	case WAITGROUP:
		return call(fd, op, deadline || flags ? &group : NULL);
	case COND:
		cond.lock = gosync_fd(beside);
		return call(fd, op, &cond);
	case WORD:
		return call(fd, op, &word);
	case VALUE:
	case MAP:
		return call(fd, op, &version);
	case ANY:
		entries[0] = entry_of_mutex(fd);
		entries[1] = entry_of_permits(gosync_fd(beside), 1);
		return wait_many(entries, 2, flags, deadline);
	case ALL:
		entries[0] = entry_of_mutex(fd);
		entries[1] = entry(gosync_fd(beside),
				   GOSYNC_IOC_RWMUTEX_LOCK, 0);
		return wait_many(entries, 2, flags | GOSYNC_WAIT_ALL, deadline);
	default:
		return call(fd, op, deadline || flags ? &args : NULL);
	}
}

static inline unsigned int waiters_of(const struct thing *thing)
{
	return info_of(thing->fd).waiters;
}

/* The same state: all but what counts waits, and tokens that a writer used up */
static inline bool is_as_before(const struct thing *thing,
				const struct gosync_info *before)
{
	struct gosync_info now = info_of(thing->fd);
	const uint8_t *old = (void *)before, *new = (void *)&now;
	size_t i;

	now.contended = before->contended;
	now.wait_max_ns = before->wait_max_ns;
	if (thing->kind == DRAIN)
		now.token = before->token;
	for (i = 0; i < sizeof(now) && old[i] == new[i]; i++)
		;
	if (i < sizeof(now))
		fprintf(stderr, "# at %zu of struct gosync_info: %u, was %u\n",
			i, new[i], old[i]);
	return i == sizeof(now);
}

#endif /* KINDS_H */
