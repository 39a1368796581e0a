/* SPDX-License-Identifier: GPL-2.0-only */
/* The rows of abi.c: each ioctl, an argument that works, and what it refuses */
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

static void fill_map_store_many(FIXTURE_DATA(ioctl) *self, void *arg)
{
	struct gosync_map_store_many_args *args = arg;
	unsigned int i;

	/* A key that is there, and another one */
	for (i = 0; i < ARRAY_SIZE(self->stores); i++)
		self->stores[i] = (struct gosync_map_store_item) {
			.key = to_u64(i ? self->name : self->payload),
			.key_len = sizeof(self->payload),
			.buf = to_u64(self->name),
			.len = sizeof(self->payload),
		};
	args->items = to_u64(self->stores);
	args->count = ARRAY_SIZE(self->stores);
	args->item_size = sizeof(self->stores[0]);
}

static void fill_map_range(FIXTURE_DATA(ioctl) *self, void *arg)
{
	struct gosync_map_range_args *args = arg;

	args->buf = to_u64(self->entries);
	args->len = sizeof(self->entries);
}

/* --- the table ----------------------------------------------------------- */

#define ROW(name, CMD, kinds, TARGET, structure, fill_it, ...)		\
	FIXTURE_VARIANT_ADD(ioctl, name) {				\
		.cmd = GOSYNC_IOC_##CMD, .on = (kinds), .target = TARGET, \
		.size = sizeof(struct gosync_##structure##_args),	\
		.fill = fill_##fill_it, __VA_ARGS__			\
	}

#define RESERVED(...)	.reserved = { __VA_ARGS__ }
#define POINTERS(...)	.pointers = { __VA_ARGS__ }
#define AT(type, member) offsetof(struct gosync_##type##_args, member)
#define CLOCK(type)	FIELD(gosync_##type, flags, GOSYNC_CLOCK_REALTIME)
#define WRITES		.writes = true
#define RESULTS		.results = true
#define OPTIONAL	.optional = true

ROW(open, OPEN, ON(DEVICE), DEVICE, open, open,
	RESERVED(FIELD(gosync_open, flags, 0x47f), FIELD(gosync_open, mode, 0777),
	     FIELD(gosync_open, key_size, 0), FIELD(gosync_open, deadline, 0)),
	POINTERS(AT(open, name)));
ROW(unlink, UNLINK, ON(DEVICE), DEVICE, unlink, unlink,
	RESERVED(FIELD(gosync_unlink, flags, GOSYNC_IF_UNUSED),
	     FIELD(gosync_unlink, __reserved, 0)),
	POINTERS(AT(unlink, name)));
ROW(change, CHANGE, ON(DEVICE), DEVICE, change, change,
	RESERVED(FIELD(gosync_change, flags, 7), FIELD(gosync_change, mode, 0777),
	     FIELD(gosync_change, uid, 0), FIELD(gosync_change, gid, 0)),
	POINTERS(AT(change, name)));
ROW(list, LIST, ON(DEVICE), DEVICE, list, list, RESULTS,
	RESERVED(FIELD(gosync_list, flags, 0)), POINTERS(AT(list, entries)));

/* Any more entries than there are would be read from what follows. */
#define WAIT_MANY							\
	.also = ON(INT32),						\
	RESERVED(FIELD(gosync_wait_many, flags,				\
		       GOSYNC_CLOCK_REALTIME | GOSYNC_WAIT_ALL),	\
		 FIELD(gosync_wait_many, count, GOSYNC_WAIT_MAX - 1),	\
		 FIELD(gosync_wait_many, entry_size, 0)),		\
	POINTERS(AT(wait_many, entries))

ROW(wait_any, WAIT, ON(DEVICE), DEVICE, wait_many, wait, WAIT_MANY);
ROW(wait_all, WAIT, ON(DEVICE), DEVICE, wait_many, wait_all, WAIT_MANY);

#define PARTIES								\
	FIELD(gosync_parties, flags, 0),				\
	FIELD(gosync_parties, count, INT32_MAX),			\
	FIELD(gosync_parties, entry_size, 0xfff)

ROW(waiters, WAITERS, ON_OBJECTS, INT32, parties, waiters, RESULTS,
	RESERVED(PARTIES, FIELD(gosync_parties, cursor, 0)),
	POINTERS(AT(parties, entries)));
ROW(holders, HOLDERS, ON_OBJECTS, MUTEX, parties, parties, RESULTS,
	RESERVED(PARTIES), POINTERS(AT(parties, entries)));
ROW(break, BREAK, ON(MUTEX) | ON(RWMUTEX) | ON(ONCE) | ON(SEMAPHORE), RWMUTEX,
	break, break,
	RESERVED(FIELD(gosync_break, flags, 0), FIELD(gosync_break, __reserved, 0)));
ROW(reopen, REOPEN, ON_OBJECTS, MUTEX, reopen, nothing, OPTIONAL,
	RESERVED(FIELD(gosync_reopen, flags, GOSYNC_RDONLY)));

#define WATCH								\
	FIELD(gosync_watch, flags, GOSYNC_WATCH_STOP),			\
	FIELD(gosync_watch, __reserved, 0)
#define NO_INDEX	FIELD(gosync_watch, index, 0)
#define UP_TO(value_)	FIELD(gosync_watch, value, value_)

ROW(watch_word, WATCH, ON_WATCHED, INT32, watch, watch, RESERVED(WATCH));
ROW(watch_value, WATCH, ON_WATCHED, VALUE, watch, watch,
	RESERVED(WATCH, NO_INDEX));
ROW(watch_map, WATCH, ON_WATCHED, MAP, watch, watch, RESERVED(WATCH, NO_INDEX));
ROW(watch_semaphore, WATCH, ON_WATCHED, SEMAPHORE, watch, watch,
	RESERVED(WATCH, NO_INDEX, UP_TO(INT32_MAX)));
ROW(watch_cond, WATCH, ON_WATCHED, COND, watch, nothing, WRITES,
	RESERVED(WATCH, NO_INDEX, UP_TO(0)));

#define ATOMIC(allowed)							\
	FIELD(gosync_atomic, flags, allowed),				\
	FIELD(gosync_atomic, __reserved, 0)
#define ATOMIC_WRITE							\
	WRITES, RESULTS, RESERVED(ATOMIC(GOSYNC_ATOMIC_WAKE),		\
				  FIELD(gosync_atomic, expected, 0))

ROW(atomic_load, ATOMIC_LOAD, ON_ATOMICS, INT32, atomic, nothing, OPTIONAL,
	RESULTS, RESERVED(ATOMIC(0), FIELD(gosync_atomic, expected, 0)));
ROW(atomic_store, ATOMIC_STORE, ON_ATOMICS, INT32, atomic, atomic, ATOMIC_WRITE);
ROW(atomic_swap, ATOMIC_SWAP, ON_ATOMICS, INT32, atomic, atomic, ATOMIC_WRITE);
ROW(atomic_add, ATOMIC_ADD, ON(INT32), INT32, atomic, atomic, ATOMIC_WRITE);
ROW(atomic_and, ATOMIC_AND, ON(INT32), INT32, atomic, atomic, ATOMIC_WRITE);
ROW(atomic_or, ATOMIC_OR, ON(INT32), INT32, atomic, atomic, ATOMIC_WRITE);
ROW(atomic_cas, ATOMIC_CAS, ON_ATOMICS, INT32, atomic, atomic_cas, WRITES,
	RESULTS, RESERVED(ATOMIC(GOSYNC_ATOMIC_WAKE)));
ROW(atomic_wait, ATOMIC_WAIT, ON_ATOMICS, INT32, atomic_wait, atomic_wait,
	RESULTS, RESERVED(CLOCK(atomic_wait),
		      FIELD(gosync_atomic_wait, __reserved, 0)));
ROW(atomic_wake, ATOMIC_WAKE, ON_ATOMICS, INT32, atomic_wake, nothing, WRITES,
	RESERVED(FIELD(gosync_atomic_wake, flags, 0)));

#define VALUE_FLAGS	FIELD(gosync_value, flags, 0)
#define NO_OLD_TYPE	FIELD(gosync_value, old_type, 0)
#define NO_OLD(type)							\
	FIELD(gosync_##type, old_buf, 0), FIELD(gosync_##type, old_len, 0)

ROW(value_load, VALUE_LOAD, ON(VALUE), VALUE, value, value_load, RESULTS,
	RESERVED(VALUE_FLAGS, NO_OLD_TYPE, NO_OLD(value)), POINTERS(AT(value, buf)));
ROW(value_store, VALUE_STORE, ON(VALUE), VALUE, value, value_store, WRITES,
	RESULTS, RESERVED(VALUE_FLAGS, NO_OLD_TYPE, NO_OLD(value)),
	POINTERS(AT(value, buf)));
ROW(value_swap, VALUE_SWAP, ON(VALUE), VALUE, value, value_swap, WRITES,
	RESULTS, RESERVED(VALUE_FLAGS, NO_OLD_TYPE),
	POINTERS(AT(value, buf), AT(value, old_buf)));
ROW(value_cas, VALUE_CAS, ON(VALUE), VALUE, value, value_cas, WRITES, RESULTS,
	RESERVED(VALUE_FLAGS), POINTERS(AT(value, buf), AT(value, old_buf)));

/* There is a version, and it is not 0. */
ROW(value_wait, VALUE_WAIT, ON(VALUE), VALUE, version_wait, nothing, RESULTS,
	RESERVED(CLOCK(version_wait)));
ROW(map_wait, MAP_WAIT, ON(MAP), MAP, version_wait, nothing, RESULTS,
	RESERVED(CLOCK(version_wait)));

#define MAP_FLAGS							\
	FIELD(gosync_map, flags, 0), FIELD(gosync_map, __reserved, 0)
#define NO_BUF		FIELD(gosync_map, buf, 0), FIELD(gosync_map, len, 0)
#define KEY_AND_BUF	AT(map, key), AT(map, buf)
#define MAP_EXCHANGE							\
	WRITES, RESERVED(MAP_FLAGS), POINTERS(KEY_AND_BUF, AT(map, old_buf))
#define MAP_DELETE							\
	WRITES, RESERVED(MAP_FLAGS, NO_BUF),				\
	POINTERS(AT(map, key), AT(map, old_buf))

ROW(map_load, MAP_LOAD, ON(MAP), MAP, map, map_load, RESULTS,
	RESERVED(MAP_FLAGS, NO_OLD(map)), POINTERS(KEY_AND_BUF));
ROW(map_store, MAP_STORE, ON(MAP), MAP, map, map_store, WRITES,
	RESERVED(MAP_FLAGS, NO_OLD(map)), POINTERS(KEY_AND_BUF));
ROW(map_load_or_store, MAP_LOAD_OR_STORE, ON(MAP), MAP, map, map_swap, RESULTS,
	MAP_EXCHANGE);
ROW(map_swap, MAP_SWAP, ON(MAP), MAP, map, map_swap, RESULTS, MAP_EXCHANGE);
ROW(map_cas, MAP_CAS, ON(MAP), MAP, map, map_swap, MAP_EXCHANGE);
ROW(map_load_and_delete, MAP_LOAD_AND_DELETE, ON(MAP), MAP, map, map_old,
	RESULTS, MAP_DELETE);
ROW(map_compare_and_delete, MAP_COMPARE_AND_DELETE, ON(MAP), MAP, map, map_old,
	MAP_DELETE);
ROW(map_delete, MAP_DELETE, ON(MAP), MAP, map, map_key, WRITES,
	RESERVED(MAP_FLAGS, NO_BUF, NO_OLD(map)), POINTERS(AT(map, key)));
ROW(map_store_many, MAP_STORE_MANY, ON(MAP), MAP, map_store_many, map_store_many,
	WRITES, RESERVED(FIELD(gosync_map_store_many, flags, 0),
		     FIELD(gosync_map_store_many, count, GOSYNC_MAP_STORE_MAX - 1),
		     FIELD(gosync_map_store_many, item_size, 0)),
	POINTERS(AT(map_store_many, items)));
ROW(map_range, MAP_RANGE, ON(MAP), MAP, map_range, map_range, RESULTS,
	RESERVED(FIELD(gosync_map_range, flags, 0)), POINTERS(AT(map_range, buf)));

#define WAIT	OPTIONAL, RESERVED(CLOCK(wait))

ROW(mutex_lock, MUTEX_LOCK, ON(MUTEX), MUTEX, wait, nothing, WRITES, WAIT);
ROW(rwmutex_lock, RWMUTEX_LOCK, ON(RWMUTEX), RWMUTEX, wait, nothing, WRITES,
	WAIT);
ROW(rwmutex_rlock, RWMUTEX_RLOCK, ON(RWMUTEX), RWMUTEX, wait, nothing, WRITES,
	WAIT);
ROW(rwmutex_drain, RWMUTEX_DRAIN, ON(RWMUTEX), RWMUTEX, wait, rwmutex_drain,
	WRITES, WAIT);
/* Nobody has a ticket. */
ROW(cond_wait, COND_WAIT, ON(COND), COND, cond_wait, cond_wait, WRITES,
	.result = -ETIMEDOUT,
	RESERVED(FIELD(gosync_cond_wait, flags, GOSYNC_CLOCK_REALTIME |
		   GOSYNC_READ_SIDE | GOSYNC_CANCELABLE),
	     FIELD(gosync_cond_wait, ticket, 0),
	     FIELD(gosync_cond_wait, cancel, 0)));
ROW(waitgroup_add, WAITGROUP_ADD, ON(WAITGROUP), WAITGROUP, waitgroup_add,
	waitgroup_add, WRITES, RESULTS,
	RESERVED(FIELD(gosync_waitgroup_add, flags, 0)));
ROW(waitgroup_wait, WAITGROUP_WAIT, ON(WAITGROUP), WAITGROUP, waitgroup_wait,
	nothing, OPTIONAL, RESERVED(CLOCK(waitgroup_wait)));
ROW(once_begin, ONCE_BEGIN, ON(ONCE), ONCE, once_begin, nothing, WRITES,
	OPTIONAL, RESERVED(FIELD(gosync_once_begin, flags,
			    GOSYNC_CLOCK_REALTIME | GOSYNC_CANCELABLE),
		      FIELD(gosync_once_begin, cancel, 0),
		      FIELD(gosync_once_begin, __reserved, 0)));
ROW(once_wait, ONCE_WAIT, ON(ONCE), ONCE, wait, once_wait, WAIT);

#define PERMITS		FIELD(gosync_semaphore, count, INT32_MAX)
#define PERMITS_AT_ONCE							\
	WRITES, RESERVED(PERMITS, FIELD(gosync_semaphore, flags, 0),	\
			 FIELD(gosync_semaphore, deadline, 0))

ROW(semaphore_acquire, SEMAPHORE_ACQUIRE, ON(SEMAPHORE), SEMAPHORE, semaphore,
	semaphore, WRITES, RESERVED(PERMITS, CLOCK(semaphore),
				FIELD(gosync_semaphore, __reserved, 0)));
ROW(semaphore_tryacquire, SEMAPHORE_TRYACQUIRE, ON(SEMAPHORE), SEMAPHORE,
	semaphore, semaphore, PERMITS_AT_ONCE);
ROW(semaphore_release, SEMAPHORE_RELEASE, ON(SEMAPHORE), SEMAPHORE, semaphore,
	semaphore, PERMITS_AT_ONCE);
ROW(semaphore_limit, SEMAPHORE_LIMIT, ON(SEMAPHORE), SEMAPHORE, semaphore,
	semaphore, PERMITS_AT_ONCE);
