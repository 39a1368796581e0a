// SPDX-License-Identifier: GPL-2.0-only
/*
 * The ioctls as such: every structure, flag, pointer and descriptor that is
 * not as it should be is refused, and what is refused changes nothing. Each
 * ioctl with an argument is a variant, a row of one table.
 */
#include <stddef.h>
#include "gosync_test.h"

#define PAYLOAD_TYPE	7
#define WORD		5

enum {
	DEVICE, INT32, POINTER, VALUE, MUTEX,
	RWMUTEX, WAITGROUP, ONCE, COND, SEMAPHORE, MAP,
	KINDS
};

#define ON(kind)	(1U << (kind))
#define ON_ATOMICS	(ON(INT32) | ON(POINTER))
#define ON_OBJECTS	(ON_ATOMICS | ON(VALUE) | ON(MUTEX) | ON(RWMUTEX) | \
			 ON(WAITGROUP) | ON(ONCE) | ON(COND) | \
			 ON(SEMAPHORE) | ON(MAP))

/* Where it is not clear what to poll for */
#define ON_WATCHED	(ON_ATOMICS | ON(VALUE) | ON(COND) | ON(SEMAPHORE) | \
			 ON(MAP))

static const uint32_t type_of[KINDS] = {
	[INT32] = GOSYNC_INT32,
	[POINTER] = GOSYNC_POINTER,
	[VALUE] = GOSYNC_VALUE,
	[MAP] = GOSYNC_MAP,
	[MUTEX] = GOSYNC_MUTEX,
	[RWMUTEX] = GOSYNC_RWMUTEX,
	[WAITGROUP] = GOSYNC_WAITGROUP,
	[ONCE] = GOSYNC_ONCE,
	[COND] = GOSYNC_COND,
	[SEMAPHORE] = GOSYNC_SEMAPHORE,
};

/* A field in which only the bits of @allowed may be set */
struct field {
	size_t offset;
	size_t size;
	uint64_t allowed;
};

#define FIELD(type, member, mask)					\
	{ offsetof(struct type##_args, member),				\
	  sizeof(((struct type##_args *)0)->member), mask }

FIXTURE(ioctl)
{
	int fds[KINDS];
	int read_only[KINDS];
	char *name;			/* of a persistent mutex */
	char *page;			/* for an argument; behind it is nothing */
	struct gosync_info entries[4];
	struct gosync_party parties[4];
	struct gosync_wait_entry waits[2];
	char payload[16];
	char old[16];
};

FIXTURE_VARIANT(ioctl)
{
	unsigned int cmd;
	unsigned int on;		/* kinds that have it */
	unsigned int also;		/* kinds that it needs besides */
	int target;			/* the one tested */
	bool writes;			/* not by a read-only descriptor */
	bool optional;			/* the argument may be 0 */
	bool results;			/* the argument is written to */
	size_t size;
	void (*fill)(FIXTURE_DATA(ioctl) *self, void *arg);
	struct field reserved[7];
	size_t pointers[3];
	int result;			/* when all is right, if no success */
};

/* --- arguments that work ------------------------------------------------- */

static void fill_open(FIXTURE_DATA(ioctl) *self, void *arg)
{
	struct gosync_open_args *args = arg;

	args->type = GOSYNC_MUTEX;
	args->flags = GOSYNC_CREATE;
	args->mode = 0600;
	args->name = to_u64(self->name);
	args->name_len = strlen(self->name);
}

static void fill_unlink(FIXTURE_DATA(ioctl) *self, void *arg)
{
	struct gosync_unlink_args *args = arg;

	args->name = to_u64(self->name);
	args->name_len = strlen(self->name);
}

static void fill_change(FIXTURE_DATA(ioctl) *self, void *arg)
{
	struct gosync_change_args *args = arg;

	args->flags = GOSYNC_CHANGE_MODE;
	args->mode = 0640;
	args->name = to_u64(self->name);
	args->name_len = strlen(self->name);
}

static void fill_list(FIXTURE_DATA(ioctl) *self, void *arg)
{
	struct gosync_list_args *args = arg;

	args->entries = to_u64(self->entries);
	args->count = ARRAY_SIZE(self->entries);
	args->entry_size = sizeof(self->entries[0]);
}

/* One of its own each time, which reads */
static void fill_break(FIXTURE_DATA(ioctl) *self, void *arg)
{
	struct gosync_break_args *args = arg;
	int fd = reopen_object(self->fds[RWMUTEX], 0);

	call(fd, GOSYNC_IOC_RWMUTEX_RLOCK, NULL);
	args->holder = info_of(fd).holder;
}

static void fill_parties(FIXTURE_DATA(ioctl) *self, void *arg)
{
	struct gosync_parties_args *args = arg;

	args->entries = to_u64(self->parties);
	args->count = ARRAY_SIZE(self->parties);
	args->entry_size = sizeof(self->parties[0]);
}

/* There is somebody to be listed. */
static void fill_waiters(FIXTURE_DATA(ioctl) *self, void *arg)
{
	struct gosync_atomic_wait_args wait = {
		.size = sizeof(wait), .expected = WORD,
	};
	int fd = self->fds[INT32];

	fill_parties(self, arg);
	if (info_of(fd).waiters)
		return;
	if (!spawn())
		_exit(call(fd, GOSYNC_IOC_ATOMIC_WAIT, &wait));
	eventually(info_of(fd).waiters);
}

/* For one of two, or for both, that can be had */
static void fill_wait(FIXTURE_DATA(ioctl) *self, void *arg)
{
	struct gosync_wait_many_args *args = arg;

	self->waits[0] = (struct gosync_wait_entry) {
		.fd = self->fds[MUTEX], .op = GOSYNC_IOC_MUTEX_LOCK,
	};
	self->waits[1] = (struct gosync_wait_entry) {
		.fd = self->fds[INT32], .op = GOSYNC_IOC_ATOMIC_WAIT,
		.value = WORD + 1,
	};
	args->entries = to_u64(self->waits);
	args->count = ARRAY_SIZE(self->waits);
	args->entry_size = sizeof(self->waits[0]);
}

static void fill_wait_all(FIXTURE_DATA(ioctl) *self, void *arg)
{
	fill_wait(self, arg);
	((struct gosync_wait_many_args *)arg)->flags = GOSYNC_WAIT_ALL;
}

static void fill_nothing(FIXTURE_DATA(ioctl) *self, void *arg)
{
}

static void fill_atomic(FIXTURE_DATA(ioctl) *self, void *arg)
{
	((struct gosync_atomic_args *)arg)->value = 9;
}

static void fill_atomic_cas(FIXTURE_DATA(ioctl) *self, void *arg)
{
	fill_atomic(self, arg);
	((struct gosync_atomic_args *)arg)->expected = WORD;
}

static void fill_atomic_wait(FIXTURE_DATA(ioctl) *self, void *arg)
{
	((struct gosync_atomic_wait_args *)arg)->expected = WORD + 1;
}

static void fill_watch(FIXTURE_DATA(ioctl) *self, void *arg)
{
	((struct gosync_watch_args *)arg)->value = 1;
}

static void fill_value_load(FIXTURE_DATA(ioctl) *self, void *arg)
{
	struct gosync_value_args *args = arg;

	args->buf = to_u64(self->old);
	args->len = sizeof(self->old);
}

static void fill_value_store(FIXTURE_DATA(ioctl) *self, void *arg)
{
	struct gosync_value_args *args = arg;

	args->type = PAYLOAD_TYPE;
	args->buf = to_u64(self->payload);
	args->len = sizeof(self->payload);
}

static void fill_value_swap(FIXTURE_DATA(ioctl) *self, void *arg)
{
	struct gosync_value_args *args = arg;

	fill_value_store(self, arg);
	args->old_buf = to_u64(self->old);
	args->old_len = sizeof(self->old);
}

static void fill_value_cas(FIXTURE_DATA(ioctl) *self, void *arg)
{
	struct gosync_value_args *args = arg;

	fill_value_swap(self, arg);
	args->old_type = PAYLOAD_TYPE;
	memcpy(self->old, self->payload, sizeof(self->old));
}

static void fill_rwmutex_drain(FIXTURE_DATA(ioctl) *self, void *arg)
{
	call(self->fds[RWMUTEX], GOSYNC_IOC_RWMUTEX_TRYLOCK, NULL);
}

/* Nobody signals, so it is the deadline that ends it. */
static void fill_cond_wait(FIXTURE_DATA(ioctl) *self, void *arg)
{
	struct gosync_cond_wait_args *args = arg;

	lock_fd(self->fds[MUTEX]);
	args->deadline = 1;
	args->lock = self->fds[MUTEX];
}

static void fill_waitgroup_add(FIXTURE_DATA(ioctl) *self, void *arg)
{
	((struct gosync_waitgroup_add_args *)arg)->delta = 1;
}

static void fill_once_wait(FIXTURE_DATA(ioctl) *self, void *arg)
{
	if (call(self->fds[ONCE], GOSYNC_IOC_ONCE_BEGIN, NULL))
		call(self->fds[ONCE], GOSYNC_IOC_ONCE_DONE, NULL);
}

static void fill_semaphore(FIXTURE_DATA(ioctl) *self, void *arg)
{
	((struct gosync_semaphore_args *)arg)->count = 1;
}

static void fill_map_key(FIXTURE_DATA(ioctl) *self, void *arg)
{
	struct gosync_map_args *args = arg;

	args->key = to_u64(self->payload);
	args->key_len = sizeof(self->payload);
}

static void fill_map_load(FIXTURE_DATA(ioctl) *self, void *arg)
{
	struct gosync_map_args *args = arg;

	fill_map_key(self, arg);
	args->buf = to_u64(self->old);
	args->len = sizeof(self->old);
}

static void fill_map_store(FIXTURE_DATA(ioctl) *self, void *arg)
{
	struct gosync_map_args *args = arg;

	fill_map_key(self, arg);
	args->buf = to_u64(self->name);
	args->len = sizeof(self->payload);
}

/* The old value is put there, or is what is expected */
static void fill_map_old(FIXTURE_DATA(ioctl) *self, void *arg)
{
	struct gosync_map_args *args = arg;

	fill_map_key(self, arg);
	args->old_buf = to_u64(self->old);
	args->old_len = sizeof(self->old);
	memcpy(self->old, self->payload, sizeof(self->old));
}

static void fill_map_swap(FIXTURE_DATA(ioctl) *self, void *arg)
{
	fill_map_store(self, arg);
	fill_map_old(self, arg);
}

static void fill_map_range(FIXTURE_DATA(ioctl) *self, void *arg)
{
	struct gosync_map_range_args *args = arg;

	args->buf = to_u64(self->entries);
	args->len = sizeof(self->entries);
}

/* --- the table ----------------------------------------------------------- */

FIXTURE_VARIANT_ADD(ioctl, open) {
	.cmd = GOSYNC_IOC_OPEN, .on = ON(DEVICE), .target = DEVICE,
	.size = sizeof(struct gosync_open_args), .fill = fill_open,
	.reserved = {
		FIELD(gosync_open, flags, 0x7f),
		FIELD(gosync_open, mode, 0777),
		FIELD(gosync_open, key_size, 0),
		FIELD(gosync_open, deadline, 0),
	},
	.pointers = { offsetof(struct gosync_open_args, name) },
};

FIXTURE_VARIANT_ADD(ioctl, unlink) {
	.cmd = GOSYNC_IOC_UNLINK, .on = ON(DEVICE), .target = DEVICE,
	.size = sizeof(struct gosync_unlink_args), .fill = fill_unlink,
	.reserved = {
		FIELD(gosync_unlink, flags, GOSYNC_IF_UNUSED),
		FIELD(gosync_unlink, __reserved, 0),
	},
	.pointers = { offsetof(struct gosync_unlink_args, name) },
};

FIXTURE_VARIANT_ADD(ioctl, change) {
	.cmd = GOSYNC_IOC_CHANGE, .on = ON(DEVICE), .target = DEVICE,
	.size = sizeof(struct gosync_change_args), .fill = fill_change,
	.reserved = {
		FIELD(gosync_change, flags, 7),
		FIELD(gosync_change, mode, 0777),
		FIELD(gosync_change, uid, 0),
		FIELD(gosync_change, gid, 0),
	},
	.pointers = { offsetof(struct gosync_change_args, name) },
};

FIXTURE_VARIANT_ADD(ioctl, list) {
	.cmd = GOSYNC_IOC_LIST, .on = ON(DEVICE), .target = DEVICE,
	.results = true,
	.size = sizeof(struct gosync_list_args), .fill = fill_list,
	.reserved = { FIELD(gosync_list, flags, 0) },
	.pointers = { offsetof(struct gosync_list_args, entries) },
};

/* Any more entries than there are would be read from what follows. */
#define WAIT_MANY(which, fill_it)					\
FIXTURE_VARIANT_ADD(ioctl, wait_##which) {				\
	.cmd = GOSYNC_IOC_WAIT, .on = ON(DEVICE), .target = DEVICE,	\
	.also = ON(INT32),						\
	.size = sizeof(struct gosync_wait_many_args), .fill = (fill_it),	\
	.reserved = {							\
		FIELD(gosync_wait_many, flags,				\
		      GOSYNC_CLOCK_REALTIME | GOSYNC_WAIT_ALL),		\
		FIELD(gosync_wait_many, count, GOSYNC_WAIT_MAX - 1),	\
		FIELD(gosync_wait_many, entry_size, 0),			\
	},								\
	.pointers = { offsetof(struct gosync_wait_many_args, entries) },	\
}

WAIT_MANY(any, fill_wait);
WAIT_MANY(all, fill_wait_all);

FIXTURE_VARIANT_ADD(ioctl, waiters) {
	.cmd = GOSYNC_IOC_WAITERS, .on = ON_OBJECTS, .target = INT32,
	.results = true,
	.size = sizeof(struct gosync_parties_args), .fill = fill_waiters,
	.reserved = {
		FIELD(gosync_parties, flags, 0),
		FIELD(gosync_parties, cursor, 0),
		FIELD(gosync_parties, count, INT32_MAX),
		FIELD(gosync_parties, entry_size, 0xfff),
	},
	.pointers = { offsetof(struct gosync_parties_args, entries) },
};

FIXTURE_VARIANT_ADD(ioctl, holders) {
	.cmd = GOSYNC_IOC_HOLDERS, .on = ON_OBJECTS, .target = MUTEX,
	.results = true,
	.size = sizeof(struct gosync_parties_args), .fill = fill_parties,
	.reserved = {
		FIELD(gosync_parties, flags, 0),
		FIELD(gosync_parties, count, INT32_MAX),
		FIELD(gosync_parties, entry_size, 0xfff),
	},
	.pointers = { offsetof(struct gosync_parties_args, entries) },
};

FIXTURE_VARIANT_ADD(ioctl, break) {
	.cmd = GOSYNC_IOC_BREAK, .target = RWMUTEX,
	.on = ON(MUTEX) | ON(RWMUTEX) | ON(ONCE) | ON(SEMAPHORE),
	.size = sizeof(struct gosync_break_args), .fill = fill_break,
	.reserved = {
		FIELD(gosync_break, flags, 0),
		FIELD(gosync_break, __reserved, 0),
	},
};

FIXTURE_VARIANT_ADD(ioctl, reopen) {
	.cmd = GOSYNC_IOC_REOPEN, .on = ON_OBJECTS, .target = MUTEX,
	.optional = true,
	.size = sizeof(struct gosync_reopen_args), .fill = fill_nothing,
	.reserved = { FIELD(gosync_reopen, flags, GOSYNC_RDONLY) },
};

#define WATCH(kind, KIND, fill_it, ...)					\
FIXTURE_VARIANT_ADD(ioctl, watch_##kind) {				\
	.cmd = GOSYNC_IOC_WATCH, .on = ON_WATCHED, .target = KIND,	\
	.writes = KIND == COND,						\
	.size = sizeof(struct gosync_watch_args), .fill = (fill_it),		\
	.reserved = {							\
		FIELD(gosync_watch, flags, GOSYNC_WATCH_STOP),		\
		FIELD(gosync_watch, __reserved, 0),			\
		__VA_ARGS__						\
	},								\
}

WATCH(word, INT32, fill_watch);
#define NO_INDEX	FIELD(gosync_watch, index, 0)
#define UP_TO(value_)	FIELD(gosync_watch, value, value_)
WATCH(value, VALUE, fill_watch, NO_INDEX);
WATCH(map, MAP, fill_watch, NO_INDEX);
WATCH(semaphore, SEMAPHORE, fill_watch, NO_INDEX, UP_TO(INT32_MAX));
WATCH(cond, COND, fill_nothing, NO_INDEX, UP_TO(0));

FIXTURE_VARIANT_ADD(ioctl, atomic_load) {
	.cmd = GOSYNC_IOC_ATOMIC_LOAD, .on = ON_ATOMICS, .target = INT32,
	.optional = true, .results = true,
	.size = sizeof(struct gosync_atomic_args), .fill = fill_nothing,
	.reserved = {
		FIELD(gosync_atomic, flags, 0),
		FIELD(gosync_atomic, __reserved, 0),
		FIELD(gosync_atomic, expected, 0),
	},
};

#define ATOMIC_WRITE(op, OP, kinds)					\
FIXTURE_VARIANT_ADD(ioctl, atomic_##op) {				\
	.cmd = GOSYNC_IOC_ATOMIC_##OP, .on = (kinds), .target = INT32,	\
	.writes = true, .results = true,				\
	.size = sizeof(struct gosync_atomic_args), .fill = fill_atomic,	\
	.reserved = {							\
		FIELD(gosync_atomic, flags, GOSYNC_ATOMIC_WAKE),	\
		FIELD(gosync_atomic, __reserved, 0),			\
		FIELD(gosync_atomic, expected, 0),			\
	},								\
}

ATOMIC_WRITE(store, STORE, ON_ATOMICS);
ATOMIC_WRITE(swap, SWAP, ON_ATOMICS);
ATOMIC_WRITE(add, ADD, ON(INT32));
ATOMIC_WRITE(and, AND, ON(INT32));
ATOMIC_WRITE(or, OR, ON(INT32));

FIXTURE_VARIANT_ADD(ioctl, atomic_cas) {
	.cmd = GOSYNC_IOC_ATOMIC_CAS, .on = ON_ATOMICS, .target = INT32,
	.writes = true, .results = true,
	.size = sizeof(struct gosync_atomic_args), .fill = fill_atomic_cas,
	.reserved = {
		FIELD(gosync_atomic, flags, GOSYNC_ATOMIC_WAKE),
		FIELD(gosync_atomic, __reserved, 0),
	},
};

FIXTURE_VARIANT_ADD(ioctl, atomic_wait) {
	.cmd = GOSYNC_IOC_ATOMIC_WAIT, .on = ON_ATOMICS, .target = INT32,
	.results = true,
	.size = sizeof(struct gosync_atomic_wait_args), .fill = fill_atomic_wait,
	.reserved = {
		FIELD(gosync_atomic_wait, flags, GOSYNC_CLOCK_REALTIME),
		FIELD(gosync_atomic_wait, __reserved, 0),
	},
};

FIXTURE_VARIANT_ADD(ioctl, atomic_wake) {
	.cmd = GOSYNC_IOC_ATOMIC_WAKE, .on = ON_ATOMICS, .target = INT32,
	.writes = true,
	.size = sizeof(struct gosync_atomic_wake_args), .fill = fill_nothing,
	.reserved = { FIELD(gosync_atomic_wake, flags, 0) },
};

FIXTURE_VARIANT_ADD(ioctl, value_load) {
	.cmd = GOSYNC_IOC_VALUE_LOAD, .on = ON(VALUE), .target = VALUE,
	.results = true,
	.size = sizeof(struct gosync_value_args), .fill = fill_value_load,
	.reserved = {
		FIELD(gosync_value, flags, 0),
		FIELD(gosync_value, old_type, 0),
		FIELD(gosync_value, old_buf, 0),
		FIELD(gosync_value, old_len, 0),
	},
	.pointers = { offsetof(struct gosync_value_args, buf) },
};

FIXTURE_VARIANT_ADD(ioctl, value_store) {
	.cmd = GOSYNC_IOC_VALUE_STORE, .on = ON(VALUE), .target = VALUE,
	.writes = true, .results = true,
	.size = sizeof(struct gosync_value_args), .fill = fill_value_store,
	.reserved = {
		FIELD(gosync_value, flags, 0),
		FIELD(gosync_value, old_type, 0),
		FIELD(gosync_value, old_buf, 0),
		FIELD(gosync_value, old_len, 0),
	},
	.pointers = { offsetof(struct gosync_value_args, buf) },
};

FIXTURE_VARIANT_ADD(ioctl, value_swap) {
	.cmd = GOSYNC_IOC_VALUE_SWAP, .on = ON(VALUE), .target = VALUE,
	.writes = true, .results = true,
	.size = sizeof(struct gosync_value_args), .fill = fill_value_swap,
	.reserved = {
		FIELD(gosync_value, flags, 0),
		FIELD(gosync_value, old_type, 0),
	},
	.pointers = {
		offsetof(struct gosync_value_args, buf),
		offsetof(struct gosync_value_args, old_buf),
	},
};

FIXTURE_VARIANT_ADD(ioctl, value_cas) {
	.cmd = GOSYNC_IOC_VALUE_CAS, .on = ON(VALUE), .target = VALUE,
	.writes = true, .results = true,
	.size = sizeof(struct gosync_value_args), .fill = fill_value_cas,
	.reserved = { FIELD(gosync_value, flags, 0) },
	.pointers = {
		offsetof(struct gosync_value_args, buf),
		offsetof(struct gosync_value_args, old_buf),
	},
};

/* There is a version, and it is not 0. */
#define VERSION_WAIT(kind, KIND)					\
FIXTURE_VARIANT_ADD(ioctl, kind##_wait) {				\
	.cmd = GOSYNC_IOC_##KIND##_WAIT, .on = ON(KIND), .target = KIND, \
	.results = true,						\
	.size = sizeof(struct gosync_version_wait_args), .fill = fill_nothing, \
	.reserved = {							\
		FIELD(gosync_version_wait, flags, GOSYNC_CLOCK_REALTIME), \
	},								\
}

VERSION_WAIT(value, VALUE);
VERSION_WAIT(map, MAP);

FIXTURE_VARIANT_ADD(ioctl, map_load) {
	.cmd = GOSYNC_IOC_MAP_LOAD, .on = ON(MAP), .target = MAP,
	.results = true,
	.size = sizeof(struct gosync_map_args), .fill = fill_map_load,
	.reserved = {
		FIELD(gosync_map, flags, 0),
		FIELD(gosync_map, __reserved, 0),
		FIELD(gosync_map, old_buf, 0),
		FIELD(gosync_map, old_len, 0),
	},
	.pointers = {
		offsetof(struct gosync_map_args, key),
		offsetof(struct gosync_map_args, buf),
	},
};

FIXTURE_VARIANT_ADD(ioctl, map_store) {
	.cmd = GOSYNC_IOC_MAP_STORE, .on = ON(MAP), .target = MAP,
	.writes = true,
	.size = sizeof(struct gosync_map_args), .fill = fill_map_store,
	.reserved = {
		FIELD(gosync_map, flags, 0),
		FIELD(gosync_map, __reserved, 0),
		FIELD(gosync_map, old_buf, 0),
		FIELD(gosync_map, old_len, 0),
	},
	.pointers = {
		offsetof(struct gosync_map_args, key),
		offsetof(struct gosync_map_args, buf),
	},
};

#define MAP_EXCHANGE(op, OP, has_results)				\
FIXTURE_VARIANT_ADD(ioctl, map_##op) {					\
	.cmd = GOSYNC_IOC_MAP_##OP, .on = ON(MAP), .target = MAP,	\
	.writes = true, .results = (has_results),			\
	.size = sizeof(struct gosync_map_args), .fill = fill_map_swap,	\
	.reserved = {							\
		FIELD(gosync_map, flags, 0),				\
		FIELD(gosync_map, __reserved, 0),			\
	},								\
	.pointers = {							\
		offsetof(struct gosync_map_args, key),			\
		offsetof(struct gosync_map_args, buf),			\
		offsetof(struct gosync_map_args, old_buf),			\
	},								\
}

MAP_EXCHANGE(load_or_store, LOAD_OR_STORE, true);
MAP_EXCHANGE(swap, SWAP, true);
MAP_EXCHANGE(cas, CAS, false);

#define MAP_DELETE(op, OP, has_results)					\
FIXTURE_VARIANT_ADD(ioctl, map_##op) {					\
	.cmd = GOSYNC_IOC_MAP_##OP, .on = ON(MAP), .target = MAP,	\
	.writes = true, .results = (has_results),			\
	.size = sizeof(struct gosync_map_args), .fill = fill_map_old,	\
	.reserved = {							\
		FIELD(gosync_map, flags, 0),				\
		FIELD(gosync_map, __reserved, 0),			\
		FIELD(gosync_map, buf, 0),				\
		FIELD(gosync_map, len, 0),				\
	},								\
	.pointers = {							\
		offsetof(struct gosync_map_args, key),			\
		offsetof(struct gosync_map_args, old_buf),			\
	},								\
}

MAP_DELETE(load_and_delete, LOAD_AND_DELETE, true);
MAP_DELETE(compare_and_delete, COMPARE_AND_DELETE, false);

FIXTURE_VARIANT_ADD(ioctl, map_delete) {
	.cmd = GOSYNC_IOC_MAP_DELETE, .on = ON(MAP), .target = MAP,
	.writes = true,
	.size = sizeof(struct gosync_map_args), .fill = fill_map_key,
	.reserved = {
		FIELD(gosync_map, flags, 0),
		FIELD(gosync_map, __reserved, 0),
		FIELD(gosync_map, buf, 0),
		FIELD(gosync_map, len, 0),
		FIELD(gosync_map, old_buf, 0),
		FIELD(gosync_map, old_len, 0),
	},
	.pointers = { offsetof(struct gosync_map_args, key) },
};

FIXTURE_VARIANT_ADD(ioctl, map_range) {
	.cmd = GOSYNC_IOC_MAP_RANGE, .on = ON(MAP), .target = MAP,
	.results = true,
	.size = sizeof(struct gosync_map_range_args), .fill = fill_map_range,
	.reserved = { FIELD(gosync_map_range, flags, 0) },
	.pointers = { offsetof(struct gosync_map_range_args, buf) },
};

FIXTURE_VARIANT_ADD(ioctl, mutex_lock) {
	.cmd = GOSYNC_IOC_MUTEX_LOCK, .on = ON(MUTEX), .target = MUTEX,
	.writes = true, .optional = true,
	.size = sizeof(struct gosync_wait_args), .fill = fill_nothing,
	.reserved = { FIELD(gosync_wait, flags, GOSYNC_CLOCK_REALTIME) },
};

#define RWMUTEX_WAIT(op, OP, fill_it)					\
FIXTURE_VARIANT_ADD(ioctl, rwmutex_##op) {				\
	.cmd = GOSYNC_IOC_RWMUTEX_##OP, .on = ON(RWMUTEX),		\
	.target = RWMUTEX, .writes = true, .optional = true,		\
	.size = sizeof(struct gosync_wait_args), .fill = (fill_it),		\
	.reserved = {							\
		FIELD(gosync_wait, flags, GOSYNC_CLOCK_REALTIME),	\
	},								\
}

RWMUTEX_WAIT(lock, LOCK, fill_nothing);
RWMUTEX_WAIT(rlock, RLOCK, fill_nothing);
RWMUTEX_WAIT(drain, DRAIN, fill_rwmutex_drain);

FIXTURE_VARIANT_ADD(ioctl, cond_wait) {
	.cmd = GOSYNC_IOC_COND_WAIT, .on = ON(COND), .target = COND,
	.writes = true, .result = -ETIMEDOUT,
	.size = sizeof(struct gosync_cond_wait_args), .fill = fill_cond_wait,
	.reserved = {
		FIELD(gosync_cond_wait, flags,
		      GOSYNC_CLOCK_REALTIME | GOSYNC_READ_SIDE),
		/* Nobody has one. */
		FIELD(gosync_cond_wait, ticket, 0),
		FIELD(gosync_cond_wait, __reserved, 0),
	},
};

FIXTURE_VARIANT_ADD(ioctl, waitgroup_add) {
	.cmd = GOSYNC_IOC_WAITGROUP_ADD, .on = ON(WAITGROUP),
	.target = WAITGROUP, .writes = true, .results = true,
	.size = sizeof(struct gosync_waitgroup_add_args), .fill = fill_waitgroup_add,
	.reserved = { FIELD(gosync_waitgroup_add, flags, 0) },
};

FIXTURE_VARIANT_ADD(ioctl, waitgroup_wait) {
	.cmd = GOSYNC_IOC_WAITGROUP_WAIT, .on = ON(WAITGROUP),
	.target = WAITGROUP, .optional = true,
	.size = sizeof(struct gosync_waitgroup_wait_args), .fill = fill_nothing,
	.reserved = {
		FIELD(gosync_waitgroup_wait, flags, GOSYNC_CLOCK_REALTIME),
	},
};

FIXTURE_VARIANT_ADD(ioctl, once_begin) {
	.cmd = GOSYNC_IOC_ONCE_BEGIN, .on = ON(ONCE), .target = ONCE,
	.writes = true, .optional = true,
	.size = sizeof(struct gosync_wait_args), .fill = fill_nothing,
	.reserved = { FIELD(gosync_wait, flags, GOSYNC_CLOCK_REALTIME) },
};

FIXTURE_VARIANT_ADD(ioctl, once_wait) {
	.cmd = GOSYNC_IOC_ONCE_WAIT, .on = ON(ONCE), .target = ONCE,
	.optional = true,
	.size = sizeof(struct gosync_wait_args), .fill = fill_once_wait,
	.reserved = { FIELD(gosync_wait, flags, GOSYNC_CLOCK_REALTIME) },
};

FIXTURE_VARIANT_ADD(ioctl, semaphore_acquire) {
	.cmd = GOSYNC_IOC_SEMAPHORE_ACQUIRE, .on = ON(SEMAPHORE),
	.target = SEMAPHORE, .writes = true,
	.size = sizeof(struct gosync_semaphore_args), .fill = fill_semaphore,
	.reserved = {
		FIELD(gosync_semaphore, flags, GOSYNC_CLOCK_REALTIME),
		FIELD(gosync_semaphore, count, INT32_MAX),
		FIELD(gosync_semaphore, __reserved, 0),
	},
};

#define SEMAPHORE_INSTANT(op, OP)					\
FIXTURE_VARIANT_ADD(ioctl, semaphore_##op) {				\
	.cmd = GOSYNC_IOC_SEMAPHORE_##OP, .on = ON(SEMAPHORE),		\
	.target = SEMAPHORE, .writes = true,				\
	.size = sizeof(struct gosync_semaphore_args), .fill = fill_semaphore, \
	.reserved = {							\
		FIELD(gosync_semaphore, flags, 0),			\
		FIELD(gosync_semaphore, deadline, 0),			\
		FIELD(gosync_semaphore, count, INT32_MAX),		\
	},								\
}

SEMAPHORE_INSTANT(tryacquire, TRYACQUIRE);
SEMAPHORE_INSTANT(release, RELEASE);
SEMAPHORE_INSTANT(limit, LIMIT);

/* --- preparation, and what must not change ------------------------------- */

static void zero_waitgroup(int fd)
{
	struct gosync_waitgroup_add_args args = {
		.size = sizeof(args), .delta = -(int64_t)info_of(fd).word,
	};

	call(fd, GOSYNC_IOC_WAITGROUP_ADD, &args);
}

static void set_permits(int fd, uint32_t permits)
{
	struct gosync_semaphore_args args = {
		.size = sizeof(args), .count = info_of(fd).word,
	};

	call(fd, GOSYNC_IOC_SEMAPHORE_TRYACQUIRE, &args);
	args.count = permits;
	call(fd, GOSYNC_IOC_SEMAPHORE_RELEASE, &args);
}

static void open_kind(FIXTURE_DATA(ioctl) *self, int kind)
{
	self->fds[kind] = open_object(type_of[kind], NULL, GOSYNC_CREATE, 0600);
	self->read_only[kind] = reopen_object(self->fds[kind], GOSYNC_RDONLY);
}

/* What is done or begun remains so: another takes its place. */
static void renew_once(FIXTURE_DATA(ioctl) *self)
{
	if (self->fds[ONCE] < 0)
		return;
	close(self->fds[ONCE]);
	close(self->read_only[ONCE]);
	open_kind(self, ONCE);
}

static void put_payload(int fd, const char *payload, size_t len)
{
	struct gosync_value_args args = {
		.size = sizeof(args), .type = PAYLOAD_TYPE,
		.buf = to_u64(payload), .len = len,
	};

	call(fd, GOSYNC_IOC_VALUE_STORE, &args);
}

static void put_entry(int fd, const char *payload, size_t len)
{
	struct gosync_map_args args = {
		.size = sizeof(args), .key = to_u64(payload), .key_len = len,
		.buf = to_u64(payload), .len = len,
	};

	call(fd, GOSYNC_IOC_MAP_CLEAR, NULL);
	call(fd, GOSYNC_IOC_MAP_STORE, &args);
}

/* The state in which an ioctl with fill()'s argument does what it is for */
static void prepare(FIXTURE_DATA(ioctl) *self)
{
	struct gosync_atomic_args word = { .size = sizeof(word), .value = WORD };

	close(open_object(GOSYNC_MUTEX, self->name,
			  GOSYNC_CREATE | GOSYNC_PERSIST, 0600));
	gosync_chmod(self->name, 0600);
	call(self->fds[INT32], GOSYNC_IOC_ATOMIC_STORE, &word);
	call(self->fds[POINTER], GOSYNC_IOC_ATOMIC_STORE, &word);
	put_payload(self->fds[VALUE], self->payload, sizeof(self->payload));
	put_entry(self->fds[MAP], self->payload, sizeof(self->payload));
	unlock_fd(self->fds[MUTEX]);
	call(self->fds[RWMUTEX], GOSYNC_IOC_RWMUTEX_UNLOCK, NULL);
	while (!call(self->fds[RWMUTEX], GOSYNC_IOC_RWMUTEX_RUNLOCK, NULL))
		;
	zero_waitgroup(self->fds[WAITGROUP]);
	set_permits(self->fds[SEMAPHORE], 5);
	renew_once(self);
}

struct state {
	uint64_t named;
	uint64_t mode;
	char payload[16];
	uint64_t payload_len;
	char entry[16];
	struct gosync_info infos[KINDS];
};

static struct state state_of(FIXTURE_DATA(ioctl) *self)
{
	struct state state = {};
	struct gosync_value_args args = {
		.size = sizeof(args), .buf = to_u64(state.payload),
		.len = sizeof(state.payload),
	};
	struct gosync_map_args entry = {
		.size = sizeof(entry), .key = to_u64(self->payload),
		.key_len = sizeof(self->payload), .buf = to_u64(state.entry),
		.len = sizeof(state.entry),
	};
	int kind, fd;

	fd = open_object(0, self->name, 0, 0);
	state.named = fd >= 0;
	state.mode = info_of(fd).mode;
	close(fd);
	call(self->fds[VALUE], GOSYNC_IOC_VALUE_LOAD, &args);
	state.payload_len = args.len;
	call(self->fds[MAP], GOSYNC_IOC_MAP_LOAD, &entry);
	for (kind = DEVICE + 1; kind < KINDS; kind++)
		state.infos[kind] = info_of(self->fds[kind]);
	return state;
}

static void *fill(FIXTURE_DATA(ioctl) *self, const FIXTURE_VARIANT(ioctl) *variant,
		  size_t size)
{
	char *arg = self->page + getpagesize() - size;

	memset(self->page, 0, getpagesize());
	prepare(self);
	variant->fill(self, arg);
	*(uint32_t *)arg = size;
	return arg;
}

static int run_on(int fd, const FIXTURE_VARIANT(ioctl) *variant, const void *arg)
{
	int ret = call(fd, variant->cmd, arg);

	if (ret >= 0 && (variant->cmd == GOSYNC_IOC_OPEN ||
			 variant->cmd == GOSYNC_IOC_REOPEN)) {
		close(ret);
		ret = 0;
	}
	return ret;
}

static int run(FIXTURE_DATA(ioctl) *self, const FIXTURE_VARIANT(ioctl) *variant,
	       const void *arg)
{
	return run_on(self->fds[variant->target], variant, arg);
}

static bool is_right(const FIXTURE_VARIANT(ioctl) *variant, int ret)
{
	return variant->result ? ret == variant->result : ret >= 0;
}

/* @where tells what was wrong, should it not be refused. */
#define EXPECT_REFUSED(error, arg, where)				\
do {									\
	struct state before = state_of(self), after;			\
	long long __where = (where);					\
									\
	EXPECT_EQ(error, run(self, variant, arg)) {			\
		TH_LOG("at %#llx", __where);				\
	}								\
	after = state_of(self);						\
	EXPECT_EQ(0, memcmp(&before, &after, sizeof(before))) {		\
		TH_LOG("at %#llx", __where);				\
	}								\
} while (0)

FIXTURE_SETUP(ioctl)
{
	int kind;

	self->name = unique_name();
	strcpy(self->payload, "what is stored");
	self->fds[DEVICE] = open_device();
	ASSERT_LE(0, self->fds[DEVICE]);
	self->read_only[DEVICE] = self->fds[DEVICE];
	/* What this is an ioctl of, and the lock that Conds need */
	for (kind = DEVICE + 1; kind < KINDS; kind++) {
		self->fds[kind] = -1;
		self->read_only[kind] = -1;
		if (kind != MUTEX &&
		    !((variant->on | variant->also) & ON(kind)))
			continue;
		open_kind(self, kind);
		ASSERT_LE(0, self->fds[kind]);
		ASSERT_LE(0, self->read_only[kind]);
	}
	self->page = mmap(NULL, 2 * getpagesize(), PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->page);
	ASSERT_EQ(0, mprotect(self->page + getpagesize(), getpagesize(),
			      PROT_NONE));
	prepare(self);
}

FIXTURE_TEARDOWN(ioctl)
{
	gosync_unlink(self->name);
}

TEST_F(ioctl, works)
{
	void *arg = fill(self, variant, variant->size);

	EXPECT_TRUE(is_right(variant, run(self, variant, arg)));
}

TEST_F(ioctl, refuses_every_reserved_bit)
{
	const struct field *field;
	unsigned int bit;

	for (field = variant->reserved; field->size; field++) {
		char *arg = fill(self, variant, variant->size);
		struct state before = state_of(self), after;

		for (bit = 0; bit < 8 * field->size; bit++) {
			char *byte = arg + field->offset + bit / 8;

			if (field->allowed >> bit & 1)
				continue;
			*byte ^= 1 << bit % 8;
			EXPECT_EQ(-EINVAL, run(self, variant, arg)) {
				TH_LOG("bit %u at %zu", bit, field->offset);
			}
			*byte ^= 1 << bit % 8;
		}
		after = state_of(self);
		EXPECT_EQ(0, memcmp(&before, &after, sizeof(before)));
	}
}

TEST_F(ioctl, takes_a_short_structure_for_one_with_zeros)
{
	size_t size;

	for (size = 8; size < variant->size; size += 4) {
		char rest[64];
		char *arg;
		int full;

		arg = fill(self, variant, variant->size);
		memset(arg + size, 0, variant->size - size);
		full = run(self, variant, arg);

		arg = fill(self, variant, variant->size);
		*(uint32_t *)arg = size;
		memset(arg + size, 0xa5, variant->size - size);
		memset(rest, 0xa5, sizeof(rest));
		EXPECT_EQ(full, run(self, variant, arg)) {
			TH_LOG("size %zu", size);
		}
		EXPECT_EQ(0, memcmp(arg + size, rest, variant->size - size));
	}
}

TEST_F(ioctl, takes_a_longer_structure_when_the_rest_is_zero)
{
	static const size_t more[] = { 4, 8, 100 };
	size_t size = variant->size;
	unsigned int i;
	void *arg;

	for (i = 0; i < ARRAY_SIZE(more); i++) {
		arg = fill(self, variant, size + more[i]);
		EXPECT_TRUE(is_right(variant, run(self, variant, arg)));
	}
	arg = fill(self, variant, getpagesize());
	EXPECT_TRUE(is_right(variant, run(self, variant, arg)));
}

TEST_F(ioctl, refuses_bits_it_does_not_know)
{
	size_t more;

	for (more = 4; more <= 64; more += 20) {
		char *arg = fill(self, variant, variant->size + more);

		arg[variant->size + more - 1] = 1;
		EXPECT_REFUSED(-E2BIG, arg, more);
		arg[variant->size + more - 1] = 0;
		arg[variant->size] = 0x80;
		EXPECT_REFUSED(-E2BIG, arg, more);
	}
}

TEST_F(ioctl, refuses_a_size_that_cannot_be)
{
	static const uint32_t sizes[] = { 0, 1, 3, 7 };
	uint32_t *arg;
	unsigned int i;
	int ret;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		arg = fill(self, variant, variant->size);
		*arg = sizes[i];
		EXPECT_REFUSED(-EINVAL, arg, sizes[i]);
	}
	for (i = 0; i < 2; i++) {
		arg = fill(self, variant, variant->size);
		*arg = i ? UINT32_MAX : getpagesize() + 1;
		ret = run(self, variant, arg);
		EXPECT_TRUE(ret == -EINVAL || ret == -E2BIG);
	}
}

TEST_F(ioctl, refuses_bad_pointers)
{
	char *hole = self->page + getpagesize();
	void *const bad[] = {
		hole, hole - 2, hole - 4, hole - variant->size + 4,
		(void *)8, (void *)-4096l, (void *)-variant->size,
	};
	unsigned int i, j;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		/* The part that is there is as it should be. */
		fill(self, variant, variant->size);
		memset(self->page, 0, getpagesize());
		*(uint32_t *)(hole - 4) = variant->size;
		if (i == 3)
			*(uint32_t *)bad[i] = variant->size;
		EXPECT_REFUSED(-EFAULT, bad[i], to_u64(bad[i]));

		for (j = 0; j < 3 && variant->pointers[j]; j++) {
			char *arg = fill(self, variant, variant->size);
			uint64_t pointer = to_u64(bad[i]);

			if (i == 3)
				continue;
			memcpy(arg + variant->pointers[j], &pointer, 8);
			EXPECT_REFUSED(-EFAULT, arg, pointer);
		}
	}
	/* Beyond what a 32-bit caller can mean, and no pointer on 64 bits */
	for (j = 0; j < 3 && variant->pointers[j]; j++) {
		char *arg = fill(self, variant, variant->size);
		uint64_t pointer = 1ULL << 63 | to_u64(self->payload);

		memcpy(arg + variant->pointers[j], &pointer, 8);
		EXPECT_REFUSED(-EFAULT, arg, pointer);
	}
	fill(self, variant, variant->size);
	if (variant->optional) {
		EXPECT_LE(0, run(self, variant, NULL));
		return;
	}
	EXPECT_REFUSED(-EFAULT, NULL, 0);
}

TEST_F(ioctl, has_not_happened_when_the_result_cannot_be_written)
{
	void *arg = fill(self, variant, variant->size);
	int ret;

	ASSERT_EQ(0, mprotect(self->page, getpagesize(), PROT_READ));
	if (!variant->results) {
		ret = run(self, variant, arg);
		EXPECT_TRUE(ret >= 0 || ret == variant->result);
		return;
	}
	EXPECT_REFUSED(-EFAULT, arg, 0);
}

TEST_F(ioctl, is_unknown_to_other_types_and_files)
{
	void *arg = fill(self, variant, variant->size);
	struct state before, after;
	int null = open("/dev/null", O_RDWR);
	int pipes[2];
	int kind;

	for (kind = DEVICE + 1; kind < KINDS; kind++)
		if (self->fds[kind] < 0)
			open_kind(self, kind);
	before = state_of(self);
	for (kind = 0; kind < KINDS; kind++)
		if (!(variant->on & ON(kind)))
			EXPECT_EQ(-ENOTTY, run_on(self->fds[kind], variant, arg));
	ASSERT_EQ(0, pipe(pipes));
	EXPECT_EQ(-ENOTTY, run_on(null, variant, arg));
	EXPECT_EQ(-ENOTTY, run_on(pipes[0], variant, arg));
	close(null);
	EXPECT_EQ(-EBADF, run_on(null, variant, arg));
	after = state_of(self);
	EXPECT_EQ(0, memcmp(&before, &after, sizeof(before)));
}

TEST_F(ioctl, writes_only_through_a_writable_descriptor)
{
	void *arg = fill(self, variant, variant->size);
	struct state before = state_of(self), after;
	int ret = run_on(self->read_only[variant->target], variant, arg);

	if (!variant->writes) {
		EXPECT_LE(0, ret);
		return;
	}
	EXPECT_EQ(-EBADF, ret);
	after = state_of(self);
	EXPECT_EQ(0, memcmp(&before, &after, sizeof(before)));
}

/* --- the others ---------------------------------------------------------- */

FIXTURE(bare)
{
	int dev;
	int mutex;
	int rwmutex;
	int cond;
	int read_only;
	int word;
};

FIXTURE_SETUP(bare)
{
	self->dev = open_device();
	self->mutex = open_object(GOSYNC_MUTEX, NULL, GOSYNC_CREATE, 0600);
	self->rwmutex = open_object(GOSYNC_RWMUTEX, NULL, GOSYNC_CREATE, 0600);
	self->cond = open_object(GOSYNC_COND, NULL, GOSYNC_CREATE, 0600);
	self->word = open_object(GOSYNC_INT32, NULL, GOSYNC_CREATE, 0600);
	ASSERT_LE(0, self->dev);
	ASSERT_LE(0, self->mutex);
	ASSERT_LE(0, self->rwmutex);
	ASSERT_LE(0, self->cond);
	ASSERT_LE(0, self->word);
	self->read_only = reopen_object(self->mutex, GOSYNC_RDONLY);
	ASSERT_LE(0, self->read_only);
}

FIXTURE_TEARDOWN(bare)
{
}

TEST_F(bare, version_is_told_by_device_and_objects)
{
	EXPECT_EQ(GOSYNC_ABI_VERSION, call(self->dev, GOSYNC_IOC_VERSION, NULL));
	EXPECT_EQ(GOSYNC_ABI_VERSION, call(self->word, GOSYNC_IOC_VERSION, NULL));
	EXPECT_EQ(GOSYNC_ABI_VERSION,
		  call(self->read_only, GOSYNC_IOC_VERSION, NULL));
}

TEST_F(bare, ioctls_without_argument_take_none)
{
	uint64_t arg = sizeof(arg);

	EXPECT_EQ(-EINVAL, call(self->dev, GOSYNC_IOC_VERSION, &arg));
	EXPECT_EQ(-EINVAL, call(self->mutex, GOSYNC_IOC_MUTEX_TRYLOCK, &arg));
	EXPECT_EQ(0, info_of(self->mutex).owner);
	EXPECT_EQ(0, lock_fd(self->mutex));
	EXPECT_EQ(-EINVAL, call(self->mutex, GOSYNC_IOC_MUTEX_RECOVER, &arg));
	EXPECT_EQ(-EINVAL, call(self->mutex, GOSYNC_IOC_MUTEX_UNLOCK, &arg));
	EXPECT_EQ(info_of(self->mutex).holder, info_of(self->mutex).owner);
}

TEST_F(bare, map_clear_takes_no_argument_and_needs_write)
{
	int map = open_object(GOSYNC_MAP, NULL, GOSYNC_CREATE, 0600);
	int reader = reopen_object(map, GOSYNC_RDONLY);
	uint64_t arg = sizeof(arg);

	put_entry(map, "key", 3);
	EXPECT_EQ(-EINVAL, call(map, GOSYNC_IOC_MAP_CLEAR, &arg));
	EXPECT_EQ(-EBADF, call(reader, GOSYNC_IOC_MAP_CLEAR, NULL));
	EXPECT_EQ(-ENOTTY, call(self->mutex, GOSYNC_IOC_MAP_CLEAR, NULL));
	EXPECT_EQ(-ENOTTY, call(self->dev, GOSYNC_IOC_MAP_CLEAR, NULL));
	EXPECT_EQ(1, info_of(map).word);
	EXPECT_EQ(0, call(map, GOSYNC_IOC_MAP_CLEAR, NULL));
	EXPECT_EQ(0, info_of(map).word);
}

TEST_F(bare, map_range_returns_as_many_as_fit)
{
	int map = open_object(GOSYNC_MAP, NULL, GOSYNC_CREATE, 0600);
	struct gosync_map_args entry = { .size = sizeof(entry), .key_len = 4 };
	struct gosync_map_range_args args = { .size = sizeof(args) };
	struct gosync_map_item items[8];
	uint32_t key;

	entry.key = to_u64(&key);
	entry.buf = to_u64("sixteen bytes...");
	for (key = 0; key < 3; key++) {
		entry.len = 4 * key;
		EXPECT_EQ(0, call(map, GOSYNC_IOC_MAP_STORE, &entry));
	}
	args.buf = to_u64(items);
	args.len = 15;
	EXPECT_EQ(-EMSGSIZE, call(map, GOSYNC_IOC_MAP_RANGE, &args));
	EXPECT_EQ(16, args.len);
	/* The first is 16 bytes, the others are 24. */
	args.len = 63;
	EXPECT_EQ(2, call(map, GOSYNC_IOC_MAP_RANGE, &args));
	EXPECT_EQ(4, items[0].key_len);
	EXPECT_EQ(0, items[0].value_len);
	EXPECT_EQ(4, items[2].value_len);
	EXPECT_EQ(0, memcmp(&items[4], "sixt\0\0\0\0", 8));
	EXPECT_EQ(1, call(map, GOSYNC_IOC_MAP_RANGE, &args));
	EXPECT_EQ(0, memcmp(&items[1], "\2\0\0\0\0\0\0\0", 8));
	EXPECT_EQ(0, call(map, GOSYNC_IOC_MAP_RANGE, &args));
	EXPECT_EQ(0, call(map, GOSYNC_IOC_MAP_RANGE, &args));
	args.cursor = UINT64_MAX;
	EXPECT_EQ(0, call(map, GOSYNC_IOC_MAP_RANGE, &args));
	args.cursor = 0;
	args.len = 64;
	EXPECT_EQ(3, call(map, GOSYNC_IOC_MAP_RANGE, &args));
}

TEST_F(bare, rwmutex_ioctls_without_argument_take_none)
{
	uint64_t arg = sizeof(arg);
	int fd = self->rwmutex;

	EXPECT_EQ(-EINVAL, call(fd, GOSYNC_IOC_RWMUTEX_TRYLOCK, &arg));
	EXPECT_EQ(-EINVAL, call(fd, GOSYNC_IOC_RWMUTEX_TRYRLOCK, &arg));
	EXPECT_EQ(-EINVAL, call(fd, GOSYNC_IOC_RWMUTEX_DRAINED, &arg));
	EXPECT_EQ(0, info_of(fd).owner);
	EXPECT_EQ(0, info_of(fd).readers);
	EXPECT_EQ(0, call(fd, GOSYNC_IOC_RWMUTEX_RLOCK, NULL));
	EXPECT_EQ(-EINVAL, call(fd, GOSYNC_IOC_RWMUTEX_RUNLOCK, &arg));
	EXPECT_EQ(1, info_of(fd).readers);
	EXPECT_EQ(0, call(fd, GOSYNC_IOC_RWMUTEX_RUNLOCK, NULL));
	EXPECT_EQ(0, call(fd, GOSYNC_IOC_RWMUTEX_LOCK, NULL));
	EXPECT_EQ(-EINVAL, call(fd, GOSYNC_IOC_RWMUTEX_RECOVER, &arg));
	EXPECT_EQ(-EINVAL, call(fd, GOSYNC_IOC_RWMUTEX_UNLOCK, &arg));
	EXPECT_EQ(info_of(fd).holder, info_of(fd).owner);
	EXPECT_EQ(-EINVAL, call(self->cond, GOSYNC_IOC_COND_SIGNAL, &arg));
	EXPECT_EQ(-EINVAL, call(self->cond, GOSYNC_IOC_COND_BROADCAST, &arg));
}

TEST_F(bare, ioctls_are_unknown_to_other_types_and_need_write)
{
	const struct {
		int fd;
		unsigned int cmds[7];
	} rows[] = {
		{ self->mutex, {
			GOSYNC_IOC_MUTEX_TRYLOCK, GOSYNC_IOC_MUTEX_UNLOCK,
			GOSYNC_IOC_MUTEX_RECOVER,
		} },
		{ self->rwmutex, {
			GOSYNC_IOC_RWMUTEX_TRYLOCK, GOSYNC_IOC_RWMUTEX_UNLOCK,
			GOSYNC_IOC_RWMUTEX_RECOVER, GOSYNC_IOC_RWMUTEX_TRYRLOCK,
			GOSYNC_IOC_RWMUTEX_RUNLOCK, GOSYNC_IOC_RWMUTEX_DRAINED,
		} },
		{ self->cond, {
			GOSYNC_IOC_COND_SIGNAL, GOSYNC_IOC_COND_BROADCAST,
		} },
	};
	unsigned int i, j;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		int read_only = reopen_object(rows[i].fd, GOSYNC_RDONLY);
		int other = rows[(i + 1) % ARRAY_SIZE(rows)].fd;
		const unsigned int *cmd;

		for (cmd = rows[i].cmds; *cmd; cmd++) {
			EXPECT_EQ(-ENOTTY, call(self->dev, *cmd, NULL));
			EXPECT_EQ(-ENOTTY, call(self->word, *cmd, NULL));
			EXPECT_EQ(-ENOTTY, call(other, *cmd, NULL));
			EXPECT_EQ(-EBADF, call(read_only, *cmd, NULL));
		}
		for (j = 0; j < ARRAY_SIZE(rows); j++)
			EXPECT_EQ(0, info_of(rows[j].fd).word);
	}
}

TEST_F(bare, once_done_and_abandon_take_no_argument_and_need_write)
{
	static const unsigned int cmds[] = {
		GOSYNC_IOC_ONCE_ABANDON, GOSYNC_IOC_ONCE_DONE,
	};
	int once = open_object(GOSYNC_ONCE, NULL, GOSYNC_CREATE, 0600);
	int read_only = reopen_object(once, GOSYNC_RDONLY);
	uint64_t arg = sizeof(arg);
	unsigned int i;

	ASSERT_LE(0, read_only);
	for (i = 0; i < ARRAY_SIZE(cmds); i++) {
		EXPECT_LT(0, call(once, GOSYNC_IOC_ONCE_BEGIN, NULL));
		EXPECT_EQ(-EINVAL, call(once, cmds[i], &arg));
		EXPECT_EQ(-EBADF, call(read_only, cmds[i], NULL));
		EXPECT_EQ(-ENOTTY, call(self->mutex, cmds[i], NULL));
		EXPECT_EQ(-ENOTTY, call(self->dev, cmds[i], NULL));
		EXPECT_EQ(info_of(once).holder, info_of(once).owner);
		EXPECT_EQ(0, call(once, cmds[i], NULL));
	}
}

/* What INFO reads besides the size, if it is there */
static void say_no_version(void *arg, unsigned int cmd)
{
	struct gosync_info *info = arg;

	if (cmd == GOSYNC_IOC_INFO &&
	    info->size >= offsetof(struct gosync_info, abi) + sizeof(info->abi))
		info->abi = 0;
}

/*
 * Of INFO and STAT, whose structures are only written: what a caller has no
 * room for it does not get, and what this kernel does not know is 0.
 */
static void gives_as_much_as_fits(struct __test_metadata *_metadata, int fd,
				  unsigned int cmd, size_t whole, size_t least)
{
	unsigned char full[1024] = {}, arg[1024];
	size_t size, i;

	*(uint32_t *)full = whole;
	ASSERT_EQ(0, call(fd, cmd, full));
	ASSERT_EQ(whole, *(uint32_t *)full);
	for (size = least; size < whole; size += 4) {
		memset(arg, 0xa5, sizeof(arg));
		*(uint32_t *)arg = size;
		say_no_version(arg, cmd);
		ASSERT_EQ(0, call(fd, cmd, arg));
		ASSERT_EQ(0, memcmp(arg + 4, full + 4, size - 4));
		ASSERT_EQ(0xa5, arg[size]);
	}
	memset(arg, 0xa5, sizeof(arg));
	*(uint32_t *)arg = whole + 64;
	say_no_version(arg, cmd);
	ASSERT_EQ(0, call(fd, cmd, arg));
	EXPECT_EQ(0, memcmp(arg + 4, full + 4, whole - 4));
	for (i = whole; i < whole + 64; i++)
		ASSERT_EQ(0, arg[i]);
	ASSERT_EQ(0xa5, arg[i]);
}

static void refuses_bad_room(struct __test_metadata *_metadata,
			     FIXTURE_DATA(bare) *self, unsigned int cmd,
			     size_t whole, size_t least)
{
	unsigned char arg[1024] = {};
	uint32_t *size = (uint32_t *)arg;
	int page_size = getpagesize();
	char *page = mmap(NULL, 2 * page_size, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *hole = page + page_size;

	ASSERT_NE(MAP_FAILED, page);
	ASSERT_EQ(0, mprotect(hole, page_size, PROT_NONE));
	for (*size = 0; *size < least; ++*size)
		EXPECT_EQ(-EINVAL, call(self->mutex, cmd, arg));
	*size = page_size + 1;
	EXPECT_EQ(-EINVAL, call(self->mutex, cmd, arg));
	EXPECT_EQ(-EFAULT, call(self->mutex, cmd, NULL));
	EXPECT_EQ(-EFAULT, call(self->mutex, cmd, hole));
	*(uint32_t *)(hole - 12) = whole;
	EXPECT_EQ(-EFAULT, call(self->mutex, cmd, hole - 12));
	*size = whole;
	EXPECT_EQ(-ENOTTY, call(self->dev, cmd, arg));
	EXPECT_EQ(0, call(self->read_only, cmd, arg));
}

#define INFO_LEAST	16
#define STAT_LEAST	16

TEST_F(bare, info_gives_as_much_as_fits)
{
	gives_as_much_as_fits(_metadata, self->mutex, GOSYNC_IOC_INFO,
			      sizeof(struct gosync_info), INFO_LEAST);
}

TEST_F(bare, info_refuses_bad_arguments)
{
	refuses_bad_room(_metadata, self, GOSYNC_IOC_INFO,
			 sizeof(struct gosync_info), INFO_LEAST);
}

TEST_F(bare, stat_gives_as_much_as_fits)
{
	struct gosync_wait_args wait = { .size = sizeof(wait), .deadline = 1 };

	ASSERT_EQ(0, lock_fd(self->mutex));
	ASSERT_EQ(-ETIMEDOUT, call(self->mutex, GOSYNC_IOC_MUTEX_LOCK, &wait));
	gives_as_much_as_fits(_metadata, self->mutex, GOSYNC_IOC_STAT,
			      sizeof(struct gosync_stat), STAT_LEAST);
}

TEST_F(bare, stat_refuses_bad_arguments)
{
	refuses_bad_room(_metadata, self, GOSYNC_IOC_STAT,
			 sizeof(struct gosync_stat), STAT_LEAST);
}

TEST_F(bare, stat_and_parties_are_told_of_all_types)
{
	struct gosync_party party;
	struct gosync_parties_args parties = {
		.size = sizeof(parties), .entries = to_u64(&party), .count = 1,
		.entry_size = sizeof(party),
	};
	struct gosync_stat stat = { .size = sizeof(stat) };
	int kind, fd;

	for (kind = DEVICE + 1; kind < KINDS; kind++) {
		fd = open_object(type_of[kind], NULL, GOSYNC_CREATE, 0600);
		EXPECT_EQ(0, call(fd, GOSYNC_IOC_STAT, &stat));
		EXPECT_EQ(0, stat.contended);
		EXPECT_EQ(0, call(fd, GOSYNC_IOC_WAITERS, &parties));
		parties.cursor = 0;
		EXPECT_EQ(1, call(fd, GOSYNC_IOC_HOLDERS, &parties));
		EXPECT_EQ(info_of(fd).holder, party.holder);
		EXPECT_EQ(0, call(fd, GOSYNC_IOC_HOLDERS, &parties));
		/* Behind the last there is nobody. */
		parties.cursor = ~0ULL;
		EXPECT_EQ(0, call(fd, GOSYNC_IOC_HOLDERS, &parties));
		parties.cursor = 0;
		close(fd);
	}
}

TEST_F(bare, other_numbers_are_no_ioctls)
{
	static const unsigned int known[] = {
		0x80, 0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8a,
		0x8c, 0x8d, 0x8f, 0x90, 0x91, 0x92, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0xa0, 0xa1,
		0xa2, 0xa3, 0xa4, 0xa8, 0xa9, 0xaa, 0xab, 0xb0, 0xb1, 0xb2, 0xb3, 0xb4,
		0xb5, 0xb6, 0xb7, 0xb8, 0xc0, 0xc1, 0xc4, 0xc5, 0xc6, 0xc7, 0xc8, 0xc9,
		0xca, 0xd0, 0xd1, 0xd2, 0xd3, 0xd8, 0xd9, 0xda, 0xdb, 0xdc, 0xdd, 0xde,
		0xdf, 0xe0, 0xe1, 0xe2,
	};
	unsigned int nr, i = 0;

	for (nr = 0; nr < 256; nr++) {
		bool is_known = i < ARRAY_SIZE(known) && known[i] == nr;
		unsigned int cmd = _IO(GOSYNC_IOC_TYPE, nr);

		i += is_known;
		if (!is_known) {
			EXPECT_EQ(-ENOTTY, call(self->dev, cmd, NULL));
			EXPECT_EQ(-ENOTTY, call(self->mutex, cmd, NULL));
		}
		/* With a size and a direction it is another number. */
		cmd = _IOWR(GOSYNC_IOC_TYPE, nr, uint64_t);
		EXPECT_EQ(-ENOTTY, call(self->dev, cmd, NULL));
		EXPECT_EQ(-ENOTTY, call(self->mutex, cmd, NULL));
		cmd = _IO('h', nr);
		EXPECT_EQ(-ENOTTY, call(self->dev, cmd, NULL));
		EXPECT_EQ(-ENOTTY, call(self->mutex, cmd, NULL));
	}
	EXPECT_EQ(ARRAY_SIZE(known), i);
}

TEST_F(bare, structures_are_the_same_for_all_callers)
{
	EXPECT_EQ(56, sizeof(struct gosync_open_args));
	EXPECT_EQ(24, sizeof(struct gosync_unlink_args));
	EXPECT_EQ(32, sizeof(struct gosync_change_args));
	EXPECT_EQ(32, sizeof(struct gosync_list_args));
	EXPECT_EQ(8, sizeof(struct gosync_reopen_args));
	EXPECT_EQ(16, sizeof(struct gosync_break_args));
	EXPECT_EQ(40, sizeof(struct gosync_atomic_args));
	EXPECT_EQ(40, sizeof(struct gosync_atomic_wait_args));
	EXPECT_EQ(16, sizeof(struct gosync_atomic_wake_args));
	EXPECT_EQ(64, sizeof(struct gosync_value_args));
	EXPECT_EQ(24, sizeof(struct gosync_version_wait_args));
	EXPECT_EQ(24, sizeof(struct gosync_watch_args));
	EXPECT_EQ(16, sizeof(struct gosync_wait_args));
	EXPECT_EQ(16, sizeof(struct gosync_mutex_slot));
	EXPECT_EQ(64, sizeof(struct gosync_atomic_slot));
	EXPECT_EQ(64, sizeof(struct gosync_value_page));
	EXPECT_EQ(64, sizeof(struct gosync_rwmutex_slot));
	EXPECT_EQ(4, sizeof(struct gosync_rwmutex_reader));
	EXPECT_EQ(24, sizeof(struct gosync_waitgroup_add_args));
	EXPECT_EQ(24, sizeof(struct gosync_waitgroup_wait_args));
	EXPECT_EQ(8, sizeof(struct gosync_waitgroup_slot));
	EXPECT_EQ(8, sizeof(struct gosync_once_slot));
	EXPECT_EQ(32, sizeof(struct gosync_cond_wait_args));
	EXPECT_EQ(8, sizeof(struct gosync_cond_slot));
	EXPECT_EQ(24, sizeof(struct gosync_semaphore_args));
	EXPECT_EQ(8, sizeof(struct gosync_semaphore_slot));
	EXPECT_EQ(56, sizeof(struct gosync_map_args));
	EXPECT_EQ(48, sizeof(struct gosync_map_range_args));
	EXPECT_EQ(8, sizeof(struct gosync_map_item));
	EXPECT_EQ(24, sizeof(struct gosync_map_record));
	EXPECT_EQ(64, sizeof(struct gosync_map_rules));
	EXPECT_EQ(1280, sizeof(struct gosync_map_page));
	EXPECT_EQ(400, sizeof(struct gosync_info));
	EXPECT_EQ(320, sizeof(struct gosync_stat));
	EXPECT_EQ(32, sizeof(struct gosync_parties_args));
	EXPECT_EQ(64, sizeof(struct gosync_party));
	EXPECT_EQ(24, sizeof(struct gosync_wait_entry));
	EXPECT_EQ(32, sizeof(struct gosync_wait_many_args));
}

TEST_HARNESS_MAIN
