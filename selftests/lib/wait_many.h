/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What wait_any.c and wait_all.c share: the call; each kind of thing that can
 * be waited for, with how it is kept from whoever waits, let go, and looked at;
 * and locks that see to it that they exclude.
 */
#ifndef WAIT_MANY_H
#define WAIT_MANY_H

#include "gosync_test.h"

/* In results that are not to be written */
#define UNTOUCHED	(-12345)

/* So many permits are let go, and asked for */
#define PERMITS_LET_GO	2

/* In a child: this is so, or it says why not and fails. */
#define MUST(condition)							\
do {									\
	if (!(condition)) {						\
		fprintf(stderr, "# %s:%d: not so: %s\n", __FILE__,	\
			__LINE__, #condition);				\
		_exit(1);						\
	}								\
} while (0)

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

static inline int create(uint32_t type)
{
	return open_object(type, NULL, GOSYNC_CREATE, 0600);
}

static inline int release_fd(int fd, unsigned int n)
{
	struct gosync_semaphore_args args = { .size = sizeof(args), .count = n };

	return call(fd, GOSYNC_IOC_SEMAPHORE_RELEASE, &args);
}

static inline uint64_t permits_of(int fd)
{
	return info_of(fd).word & GOSYNC_SEMAPHORE_PERMITS;
}

static inline struct gosync_stat stat_of(int fd)
{
	struct gosync_stat stat = { .size = sizeof(stat) };

	if (call(fd, GOSYNC_IOC_STAT, &stat))
		memset(&stat, 0xff, sizeof(stat));
	return stat;
}

/* Each wait has ended, by a grant or without. */
static inline bool is_accounted(int fd)
{
	struct gosync_stat stat = stat_of(fd);

	return !info_of(fd).waiters && info_of(fd).contended == stat.contended &&
	       stat.contended == stat.acquired + stat.gave_up;
}

/* --- things -------------------------------------------------------------- */

enum kind {
	MUTEX, WRITE, READ, PERMITS, WAITGROUP, ONCE, WORD, VALUE, MAP, KINDS
};

static const struct {
	uint32_t type;
	unsigned int op;
	bool writes;		/* not by a read-only descriptor */
} kinds[KINDS] = {
	[MUTEX] = { GOSYNC_MUTEX, GOSYNC_IOC_MUTEX_LOCK, true },
	[WRITE] = { GOSYNC_RWMUTEX, GOSYNC_IOC_RWMUTEX_LOCK, true },
	[READ] = { GOSYNC_RWMUTEX, GOSYNC_IOC_RWMUTEX_RLOCK, true },
	[PERMITS] = { GOSYNC_SEMAPHORE, GOSYNC_IOC_SEMAPHORE_ACQUIRE, true },
	[WAITGROUP] = { GOSYNC_WAITGROUP, GOSYNC_IOC_WAITGROUP_WAIT },
	[ONCE] = { GOSYNC_ONCE, GOSYNC_IOC_ONCE_WAIT },
	[WORD] = { GOSYNC_UINT64, GOSYNC_IOC_ATOMIC_WAIT },
	[VALUE] = { GOSYNC_VALUE, GOSYNC_IOC_VALUE_WAIT },
	[MAP] = { GOSYNC_MAP, GOSYNC_IOC_MAP_WAIT },
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

static inline int other_handle(struct thing *thing, unsigned int how)
{
	int fd = reopen_object(thing->fd, 0);

	if (fd < 0)
		return fd;
	switch (thing->kind) {
	case MUTEX:
		return gosync_mutex_from_fd(fd, how, (void *)&thing->other);
	case WRITE:
	case READ:
		return gosync_rwmutex_from_fd(fd, how, (void *)&thing->other);
	case PERMITS:
		return gosync_semaphore_from_fd(fd, how, (void *)&thing->other);
	case WAITGROUP:
		return gosync_waitgroup_from_fd(fd, how, (void *)&thing->other);
	case ONCE:
		return gosync_once_from_fd(fd, how, (void *)&thing->other);
	case WORD:
		return gosync_uint64_from_fd(fd, how, (void *)&thing->other);
	case VALUE:
		return gosync_value_from_fd(fd, how, (void *)&thing->other);
	default:
		return gosync_map_from_fd(fd, how, (void *)&thing->other);
	}
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
	return thing_of(create(kinds[kind].type), kind, how);
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
		return gosync_mutex_lock(thing->other);
	case WRITE:
	case READ:
		return gosync_rwmutex_lock(thing->other);
	case WAITGROUP:
		return gosync_waitgroup_add(thing->other, 1);
	default:
		return 0;
	}
}

/* And that it can */
static inline int let_go(const struct thing *thing)
{
	switch (thing->kind) {
	case MUTEX:
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
		return unlock_fd(thing->fd);
	case WRITE:
		return call(thing->fd, GOSYNC_IOC_RWMUTEX_UNLOCK, NULL);
	case READ:
		return call(thing->fd, GOSYNC_IOC_RWMUTEX_RUNLOCK, NULL);
	default:
		return 0;
	}
}

static inline unsigned int waiters_of(const struct thing *thing)
{
	return info_of(thing->fd).waiters;
}

/* The same state: all but what counts waits */
static inline bool is_as_before(const struct thing *thing,
				const struct gosync_info *before)
{
	struct gosync_info now = info_of(thing->fd);
	const uint8_t *old = (void *)before, *new = (void *)&now;
	size_t i;

	now.contended = before->contended;
	now.wait_max_ns = before->wait_max_ns;
	for (i = 0; i < sizeof(now) && old[i] == new[i]; i++)
		;
	if (i < sizeof(now))
		fprintf(stderr, "# at %zu of struct gosync_info: %u, was %u\n",
			i, new[i], old[i]);
	return i == sizeof(now);
}

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

/*
 * For each kind: @thing, and a @gate that can be waited for besides. Nobody can
 * have them yet.
 */
#define THING_AND_GATE(fixture)						\
FIXTURE(fixture)							\
{									\
	union {								\
		struct {						\
			struct thing thing;				\
			struct thing gate;				\
		};							\
		struct thing things[2];					\
	};								\
	struct gosync_info before[2];					\
};									\
									\
EACH_KIND(fixture);							\
									\
FIXTURE_SETUP(fixture)							\
{									\
	self->thing = new_thing(variant->kind, variant->how);		\
	self->gate = new_thing(PERMITS, variant->how);			\
	ASSERT_EQ(0, keep(&self->thing));				\
	self->before[0] = info_of(self->thing.fd);			\
	self->before[1] = info_of(self->gate.fd);			\
}									\
									\
FIXTURE_TEARDOWN(fixture)						\
{									\
}

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
	self->mutex = create(GOSYNC_MUTEX);				\
	self->rwmutex = create(GOSYNC_RWMUTEX);				\
	self->semaphore = create(GOSYNC_SEMAPHORE);			\
	ASSERT_LE(0, self->mutex);					\
	ASSERT_LE(0, self->rwmutex);					\
	ASSERT_LE(0, self->semaphore);					\
	self->shared = shared_memory(1 << 20);				\
}									\
									\
FIXTURE_TEARDOWN(fixture)						\
{									\
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

struct wait_in_thread {
	struct gosync_wait_entry entries[2];
	unsigned int flags;
	int ret;
};

static inline void *wait_in_thread(void *arg)
{
	struct wait_in_thread *wait = arg;

	wait->ret = wait_many(wait->entries, 2, wait->flags, 0);
	return NULL;
}

static inline bool is_waiting(pid_t pid)
{
	return !waitpid(pid, NULL, WNOHANG);
}

static inline pid_t spawn_owner(int fd, unsigned int op)
{
	pid_t pid = spawn();

	if (!pid) {
		MUST(call(reopen_object(fd, 0), op, NULL) >= 0);
		rest();
	}
	return eventually(rests(pid)) ? pid : -1;
}

#endif /* WAIT_MANY_H */
