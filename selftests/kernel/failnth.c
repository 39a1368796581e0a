// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fault injection: each operation with its first, second, third ... allocation
 * or copy failing, until it needs none of them any more. It fails with an
 * error that says so and leaves nothing behind. Needs a kernel with
 * CONFIG_FAULT_INJECTION.
 */
#include <poll.h>
#include <sys/epoll.h>
#include "gosync_test.h"

FIXTURE(failnth)
{
	int control;		/* /proc/thread-self/fail-nth */
	int dev;
	int mutex;
	int value;
	char *name;
	char payload[8192];
	struct gosync_info *entries;
};

FIXTURE_SETUP(failnth)
{
	static const char *const settings[][2] = {
		{ "failslab/ignore-gfp-wait", "N" },
		{ "failslab/verbose", "0" },
		{ "fail_page_alloc/ignore-gfp-wait", "N" },
		{ "fail_page_alloc/ignore-gfp-highmem", "N" },
		{ "fail_page_alloc/min-order", "0" },
		{ "fail_page_alloc/verbose", "0" },
		{ "fail_usercopy/verbose", "0" },
	};
	char path[128];
	unsigned int i;

	self->control = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
	if (self->control < 0)
		SKIP(return, "no fault injection");
	for (i = 0; i < ARRAY_SIZE(settings); i++) {
		snprintf(path, sizeof(path), "/sys/kernel/debug/%s",
			 settings[i][0]);
		write_file(path, settings[i][1]);
	}
	self->name = unique_name();
	self->dev = open_device();
	self->mutex = open_object(GOSYNC_MUTEX, self->name, GOSYNC_CREATE, 0600);
	self->value = open_bytes(GOSYNC_VALUE, NULL, 0, GOSYNC_CREATE, 0600,
				 sizeof(self->payload));
	self->entries = calloc(8, sizeof(*self->entries));
	ASSERT_LE(0, self->mutex);
	ASSERT_LE(0, self->value);
}

NO_TEARDOWN(failnth);

/*
 * The allocations and copies of the call that @call is one of are counted from
 * here on. What it needs is in memory already, so that they are its own.
 */
static bool inject(FIXTURE_DATA(failnth) *self, int nth)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%d", nth);

	return pwrite(self->control, text, len, 0) == len;
}

/* Was there a fault? Ends the counting. */
static bool injected(FIXTURE_DATA(failnth) *self)
{
	char text[16] = "";
	bool was;

	was = pread(self->control, text, sizeof(text) - 1, 0) > 0 &&
		atoi(text) == 0;
	inject(self, 0);
	return was;
}

/*
 * Do @operation, which returns 0 or more or -errno, with each fault; @undone
 * is whether nothing is left of one that failed. Ends with one that succeeds
 * undisturbed, whose result is @result.
 *
 * What writes a result has written to the same place before it began, so only
 * a fault as made up as ours can hit it when it is done: then EFAULT comes for
 * something that has happened, which @undone has to allow.
 */
#define SWEEP(result, operation, undone)				\
do {									\
	int __nth, __ret, __faults = 0;					\
	bool __was;							\
									\
	for (__nth = 1; __nth < 1000; __nth++) {			\
		ASSERT_TRUE(inject(self, __nth));			\
		__ret = (operation);					\
		__was = injected(self);					\
		if (!__was)						\
			break;						\
		__faults++;						\
		if (__ret >= 0) {					\
			/* It could do without. */			\
			(void)(undone);					\
			continue;					\
		}							\
		EXPECT_TRUE(__ret == -ENOMEM || __ret == -EFAULT) {	\
			TH_LOG("%d at %d", __ret, __nth);		\
		}							\
		EXPECT_TRUE(undone) {					\
			TH_LOG("at %d", __nth);				\
		}							\
	}								\
	EXPECT_EQ(result, __ret);					\
	EXPECT_LT(0, __faults);						\
	TH_LOG("%d faults", __faults);					\
} while (0)

static int open_args(FIXTURE_DATA(failnth) *self, struct gosync_open_args *args)
{
	int fd;

	args->size = sizeof(*args);
	fd = call(self->dev, GOSYNC_IOC_OPEN, args);
	if (fd < 0)
		return fd;
	close(fd);
	if (args->flags & GOSYNC_PERSIST)
		gosync_unlink((const char *)(uintptr_t)args->name);
	return 0;
}

static bool is_gone(const char *name)
{
	return open_object(0, name, 0, 0) == -ENOENT;
}

static void creates(struct __test_metadata *_metadata,
		    FIXTURE_DATA(failnth) *self, uint32_t type, uint32_t flags,
		    uint64_t capacity)
{
	char *name = unique_name();
	struct gosync_open_args args = {
		.type = type, .flags = flags | GOSYNC_CREATE, .mode = 0612,
		.name = to_u64(name), .name_len = strlen(name),
		.capacity = capacity,
	};

	SWEEP(0, open_args(self, &args), is_gone(name));
}

TEST_F(failnth, creating_an_object)
{
	static const struct {
		uint32_t type;
		uint32_t flags;
		uint64_t capacity;
	} rows[] = {
		{ GOSYNC_MUTEX }, { GOSYNC_MUTEX, GOSYNC_OWN_PAGE },
		{ GOSYNC_MUTEX, GOSYNC_PERSIST },
		{ GOSYNC_INT32, 0, 1 }, { GOSYNC_UINT64, 0, 4096 },
		{ GOSYNC_VALUE }, { GOSYNC_VALUE, 0, 65536 },
		{ GOSYNC_RWMUTEX }, { GOSYNC_WAITGROUP },
		{ GOSYNC_ONCE, GOSYNC_PERSIST }, { GOSYNC_COND },
		{ GOSYNC_SEMAPHORE, GOSYNC_GIVE_BACK, 7 }, { GOSYNC_MAP },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		TH_LOG("type %u", rows[i].type);
		creates(_metadata, self, rows[i].type, rows[i].flags,
			rows[i].capacity);
	}
}

TEST_F(failnth, creating_in_a_new_namespace)
{
	if (unshare(CLONE_NEWIPC))
		SKIP(return, "no namespace");
	creates(_metadata, self, GOSYNC_MUTEX, 0, 0);
}

TEST_F(failnth, opening)
{
	struct gosync_open_args args = {
		.name = to_u64(self->name), .name_len = strlen(self->name),
	};

	SWEEP(0, open_args(self, &args), info_of(self->mutex).holders == 1);
	EXPECT_EQ(1, info_of(self->mutex).holders);
}

static int reopen_and_close(int fd)
{
	int ret = reopen_object(fd, 0);

	if (ret >= 0)
		close(ret);
	return ret < 0 ? ret : 0;
}

TEST_F(failnth, reopening)
{
	SWEEP(0, reopen_and_close(self->mutex),
	      info_of(self->mutex).holders == 1);
	EXPECT_EQ(1, info_of(self->mutex).holders);
}

/* Was it changed as @ret says? Then it is changed back. */
static bool changed(const char *name, int ret)
{
	int fd = open_object(0, name, 0, 0);
	struct gosync_info info = info_of(fd);

	close(fd);
	return info.uid == (ret ? 0 : 1001) && info.mode == (ret ? 0600 : 0640) &&
	       !gosync_chown(name, 0, -1) && !gosync_chmod(name, 0600);
}

static int change_both(const char *name)
{
	struct gosync_change_args args = {
		.size = sizeof(args),
		.flags = GOSYNC_CHANGE_MODE | GOSYNC_CHANGE_OWNER,
		.name = to_u64(name), .name_len = strlen(name),
		.mode = 0640, .uid = 1001,
	};
	int dev = open_device(), ret = dev < 0 ? -ENOMEM : 0;

	ret = ret ?: call(dev, GOSYNC_IOC_CHANGE, &args);
	close(dev);
	return ret;
}

/* To another user and mode, in a page of a pool that is not there yet */
TEST_F(failnth, changing_who_may_open)
{
	char *name = unique_name();
	int ret;

	close(open_object(GOSYNC_MUTEX, name, GOSYNC_CREATE | GOSYNC_PERSIST,
			  0600));
	SWEEP(0, ret = change_both(name), changed(name, ret));
	EXPECT_TRUE(changed(name, 0));
	EXPECT_EQ(0, gosync_unlink(name));
}

static int map_and_unmap(int fd, size_t len, int prot)
{
	void *map = mmap(NULL, len, prot, MAP_SHARED, fd, 0);

	if (map == MAP_FAILED)
		return -errno;
	munmap(map, len);
	return 0;
}

TEST_F(failnth, mapping)
{
	size_t len = info_of(self->value).map_len;
	int fd;

	SWEEP(0, map_and_unmap(self->mutex, getpagesize(),
			       PROT_READ | PROT_WRITE), true);
	SWEEP(0, map_and_unmap(self->value, len, PROT_READ), true);
	fd = new_object(GOSYNC_MAP);
	len = info_of(fd).map_len;
	SWEEP(0, map_and_unmap(fd, len, PROT_READ), true);
}

static int store_value(FIXTURE_DATA(failnth) *self)
{
	struct gosync_value_args args = {
		.size = sizeof(args), .type = 1, .buf = to_u64(self->payload),
		.len = sizeof(self->payload),
	};

	return call(self->value, GOSYNC_IOC_VALUE_STORE, &args);
}

static int load_value(FIXTURE_DATA(failnth) *self)
{
	struct gosync_value_args args = {
		.size = sizeof(args), .buf = to_u64(self->payload),
		.len = sizeof(self->payload),
	};

	return call(self->value, GOSYNC_IOC_VALUE_LOAD, &args);
}

static int swap_value(FIXTURE_DATA(failnth) *self, unsigned int op)
{
	static char old[8192];
	struct gosync_value_args args = {
		.size = sizeof(args), .type = 1, .buf = to_u64(self->payload),
		.len = sizeof(self->payload), .old_buf = to_u64(old),
		.old_len = sizeof(old),
		.old_type = op == GOSYNC_IOC_VALUE_CAS,
	};

	return call(self->value, op, &args);
}

/* Since the last time, once at the most with EFAULT, otherwise not at all */
static bool changed_by(uint64_t *last, uint64_t now, int error)
{
	bool good = now == *last || (error == -EFAULT && now == *last + 1);

	*last = now;
	return good;
}

#define VALUE_UNDONE	changed_by(&version, info_of(self->value).word, __ret)

TEST_F(failnth, values)
{
	uint64_t version = 0;

	SWEEP(0, store_value(self), VALUE_UNDONE);
	version = info_of(self->value).word;
	SWEEP(0, load_value(self), info_of(self->value).word == version);
	SWEEP(1, swap_value(self, GOSYNC_IOC_VALUE_SWAP), VALUE_UNDONE);
	EXPECT_EQ(version + 1, info_of(self->value).word);
	version++;
	SWEEP(1, swap_value(self, GOSYNC_IOC_VALUE_CAS), VALUE_UNDONE);
	EXPECT_EQ(version + 1, info_of(self->value).word);
}

/* Values that are too long for the kernel's stack; @key is new if it is one. */
static int map_op(FIXTURE_DATA(failnth) *self, int fd, unsigned int op,
		  uint32_t key)
{
	static char old[1024];
	struct gosync_map_args args = {
		.size = sizeof(args), .key = to_u64(&key), .key_len = 4,
		.buf = to_u64(self->payload), .len = 1000,
	};

	if (op != GOSYNC_IOC_MAP_STORE && op != GOSYNC_IOC_MAP_LOAD) {
		args.old_buf = to_u64(old);
		args.old_len = op == GOSYNC_IOC_MAP_CAS ? 1000 : sizeof(old);
		memcpy(old, self->payload, 1000);
	}
	return call(fd, op, &args);
}

static int walk_map(FIXTURE_DATA(failnth) *self, int fd)
{
	struct gosync_map_range_args args = {
		.size = sizeof(args), .buf = to_u64(self->payload),
		.len = 2000,
	};

	return call(fd, GOSYNC_IOC_MAP_RANGE, &args);
}

/* A key that is there, and others that are if @key is not new */
static int store_many_in_map(FIXTURE_DATA(failnth) *self, int fd, uint32_t key)
{
	uint32_t keys[] = { 0, key, key + 1, key + 2 };
	struct gosync_map_store_item items[ARRAY_SIZE(keys)];
	struct gosync_map_store_many_args args = {
		.size = sizeof(args), .items = to_u64(items),
		.count = ARRAY_SIZE(items), .item_size = sizeof(items[0]),
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(items); i++)
		items[i] = (struct gosync_map_store_item) {
			.key = to_u64(&keys[i]), .key_len = 4,
			.buf = to_u64(self->payload), .len = 1000,
		};
	return call(fd, GOSYNC_IOC_MAP_STORE_MANY, &args);
}

#define MAP_UNDONE	changed_by(&count, info_of(fd).word, 0)

TEST_F(failnth, maps)
{
	const struct gosync_map_limits limits = { 0, 0, 1024 };
	static uint32_t key;
	uint64_t count = 0;
	gosync_map_t *map = NEW(gosync_map, 0, &limits);
	int fd;

	fd = gosync_fd(map);
	/* The first needs a segment, one of them another table. */
	for (; count < 35; count = info_of(fd).word)
		SWEEP(0, map_op(self, fd, GOSYNC_IOC_MAP_STORE, key++),
		      MAP_UNDONE);
	EXPECT_EQ(count, gosync_map_len(map));
	key--;
	SWEEP(0, map_op(self, fd, GOSYNC_IOC_MAP_STORE, key), MAP_UNDONE);
	SWEEP(0, map_op(self, fd, GOSYNC_IOC_MAP_LOAD, key), MAP_UNDONE);
	SWEEP(1, map_op(self, fd, GOSYNC_IOC_MAP_SWAP, key), MAP_UNDONE);
	SWEEP(1, map_op(self, fd, GOSYNC_IOC_MAP_LOAD_OR_STORE, key),
	      MAP_UNDONE);
	SWEEP(1, map_op(self, fd, GOSYNC_IOC_MAP_CAS, key), MAP_UNDONE);
	SWEEP(1, walk_map(self, fd), MAP_UNDONE);
	EXPECT_EQ(count, gosync_map_len(map));
	SWEEP(0, store_many_in_map(self, fd, key - 2), MAP_UNDONE);
	/* Another table, and more segments than one */
	for (; count < 500; count = info_of(fd).word)
		SWEEP(0, store_many_in_map(self, fd, key += 3), MAP_UNDONE);
	EXPECT_EQ(count, gosync_map_len(map));
}

static int add_word(int fd)
{
	struct gosync_atomic_args args = { .size = sizeof(args), .value = 1 };

	return call(fd, GOSYNC_IOC_ATOMIC_ADD, &args);
}

TEST_F(failnth, words)
{
	int fd = new_object(GOSYNC_INT32);
	uint64_t last = 0;

	SWEEP(0, add_word(fd), changed_by(&last, info_of(fd).word, __ret));
	EXPECT_EQ(last + 1, info_of(fd).word);
}

static int list_some(FIXTURE_DATA(failnth) *self, uint64_t *cursor)
{
	struct gosync_list_args args = {
		.size = sizeof(args), .entries = to_u64(self->entries),
		.count = 1, .entry_size = sizeof(*self->entries),
	};
	int ret = call(self->dev, GOSYNC_IOC_LIST, &args);

	*cursor = args.cursor;
	return ret;
}

TEST_F(failnth, listing)
{
	uint64_t cursor;

	SWEEP(1, list_some(self, &cursor), cursor == 0);
}

static int get_info(FIXTURE_DATA(failnth) *self)
{
	self->entries->size = sizeof(*self->entries);
	return call(self->mutex, GOSYNC_IOC_INFO, self->entries);
}

TEST_F(failnth, info)
{
	SWEEP(0, get_info(self), true);
}

static int get_stat(FIXTURE_DATA(failnth) *self)
{
	self->entries->size = sizeof(struct gosync_stat);
	return call(self->mutex, GOSYNC_IOC_STAT, self->entries);
}

static int get_parties(FIXTURE_DATA(failnth) *self, unsigned int op,
		       uint64_t *cursor)
{
	struct gosync_parties_args args = {
		.size = sizeof(args), .entries = to_u64(self->payload),
		.count = 100, .entry_size = sizeof(struct gosync_party),
	};
	int ret = call(self->mutex, op, &args);

	*cursor = args.cursor;
	return ret;
}

TEST_F(failnth, who_waits_and_who_holds)
{
	uint64_t cursor;
	pid_t pid;

	ASSERT_EQ(0, lock_fd(self->mutex));
	pid = CHILD(lock_fd(self->mutex));
	ASSERT_TRUE(eventually(info_of(self->mutex).waiters));
	SWEEP(0, get_stat(self), true);
	SWEEP(1, get_parties(self, GOSYNC_IOC_WAITERS, &cursor), cursor == 0);
	SWEEP(1, get_parties(self, GOSYNC_IOC_HOLDERS, &cursor), cursor == 0);
	kill_and_reap(pid);
}

static int lock_and_unlock(FIXTURE_DATA(failnth) *self)
{
	struct gosync_wait_args args = { .size = sizeof(args) };
	int ret = call(self->mutex, GOSYNC_IOC_MUTEX_LOCK, &args);

	return ret ?: unlock_fd(self->mutex);
}

TEST_F(failnth, locking)
{
	SWEEP(0, lock_and_unlock(self), info_of(self->mutex).word == 0);
}

/* --- waits that end at their deadline ------------------------------------ */

/* Ready to wait, but the deadline has passed */
static int wait_in_vain(int fd, unsigned int op, const void *args)
{
	int ret = call(fd, op, args);

	return ret == -ETIMEDOUT ? 0 : ret;
}

/* Nobody waits, and the word shows nobody. */
static bool nobody_waits(int fd, uint64_t word)
{
	struct gosync_info info = info_of(fd);

	return !info.waiters && info.word == word;
}

/* @args is the structure of the ioctl's arguments, and what else is in it. */
#define WAITS(fd, op, args, ...)					\
do {									\
	uint64_t __word = info_of(fd).word;				\
									\
	SWEEP(0, wait_in_vain(fd, op, &(args) {				\
		.size = sizeof(args), .deadline = 1, ##__VA_ARGS__	\
	}), nobody_waits(fd, __word));					\
} while (0)

TEST_F(failnth, waiting_for_a_name)
{
	char *name = unique_name();
	struct gosync_open_args args = {
		.size = sizeof(args), .type = GOSYNC_MUTEX,
		.flags = GOSYNC_AWAIT, .deadline = 1, .name = to_u64(name),
		.name_len = strlen(name),
	};

	SWEEP(0, wait_in_vain(self->dev, GOSYNC_IOC_OPEN, &args),
	      is_gone(name));
}

/* Without memory for its statistics, the first wait goes on as it should. */
TEST_F(failnth, the_first_wait)
{
	struct gosync_wait_args args = { .size = sizeof(args), .deadline = 1 };
	unsigned int nth, uncounted = 0;
	bool was;

	for (nth = 1; nth < 1000; nth++) {
		struct gosync_stat stat = { .size = sizeof(stat) };
		int fd = new_object(GOSYNC_MUTEX), ret;

		ASSERT_EQ(0, lock_fd(fd));
		ASSERT_TRUE(inject(self, nth));
		ret = call(fd, GOSYNC_IOC_MUTEX_LOCK, &args);
		was = injected(self);
		if (ret != -EFAULT) {
			EXPECT_EQ(-ETIMEDOUT, ret);
			ASSERT_EQ(0, call(fd, GOSYNC_IOC_STAT, &stat));
			EXPECT_EQ(stat.gave_up, stat.contended);
			uncounted += !stat.gave_up;
			/* There is memory for the second. */
			EXPECT_EQ(-ETIMEDOUT,
				  call(fd, GOSYNC_IOC_MUTEX_LOCK, &args));
			ret = stat.gave_up;
			EXPECT_EQ(ret + 1, info_of(fd).contended);
			ASSERT_EQ(0, call(fd, GOSYNC_IOC_STAT, &stat));
			EXPECT_EQ(ret + 1, stat.gave_up);
		}
		close(fd);
		if (!was)
			break;
	}
	EXPECT_EQ(1, uncounted);
}

static int wait_for_a_while(int fd)
{
	struct gosync_wait_args args = {
		.size = sizeof(args),
		.deadline = now_ns(CLOCK_MONOTONIC) + 20 * NSEC_PER_MSEC,
	};

	return wait_in_vain(fd, GOSYNC_IOC_MUTEX_LOCK, &args);
}

/* Whoever is stopped waits on afterwards, also if there was no memory for a note. */
TEST_F(failnth, a_wait_that_is_stopped)
{
	uint64_t word;
	pid_t stopper;

	ASSERT_EQ(0, lock_fd(self->mutex));
	word = info_of(self->mutex).word;
	stopper = spawn();
	while (!stopper) {
		kill(getppid(), SIGSTOP);
		kill(getppid(), SIGCONT);
		sleep_ns(5 * NSEC_PER_MSEC);
	}
	SWEEP(0, wait_for_a_while(self->mutex), nobody_waits(self->mutex, word));
	kill_and_reap(stopper);
	EXPECT_TRUE(is_accounted(self->mutex));
}

TEST_F(failnth, waiting_for_a_waitgroup)
{
	struct gosync_waitgroup_add_args args = { .size = sizeof(args), .delta = 1 };
	int fd = new_object(GOSYNC_WAITGROUP);

	ASSERT_EQ(0, call(fd, GOSYNC_IOC_WAITGROUP_ADD, &args));
	WAITS(fd, GOSYNC_IOC_WAITGROUP_WAIT, struct gosync_waitgroup_wait_args);
}

TEST_F(failnth, counting_in_a_waitgroup)
{
	struct gosync_waitgroup_add_args args = { .size = sizeof(args), .delta = 1 };
	int fd = new_object(GOSYNC_WAITGROUP);
	uint64_t last = 0;

	SWEEP(0, call(fd, GOSYNC_IOC_WAITGROUP_ADD, &args),
	      changed_by(&last, info_of(fd).word, __ret));
	EXPECT_EQ(last + 1, info_of(fd).word);
}

TEST_F(failnth, waiting_for_a_once)
{
	int fd = new_object(GOSYNC_ONCE);
	pid_t pid;

	/* Not by this thread, which must not wait for itself */
	pid = spawn();
	if (!pid) {
		if (call(fd, GOSYNC_IOC_ONCE_BEGIN, NULL) != GOSYNC_ONCE_RUN)
			_exit(1);
		pause();
	}
	ASSERT_TRUE(eventually(info_of(fd).owner));
	WAITS(fd, GOSYNC_IOC_ONCE_BEGIN, struct gosync_once_begin_args);
	WAITS(fd, GOSYNC_IOC_ONCE_BEGIN, struct gosync_once_begin_args,
	      .flags = GOSYNC_CANCELABLE, .cancel = fd);
	kill_and_reap(pid);
}

TEST_F(failnth, waiting_until_a_once_is_done)
{
	int fd = new_object(GOSYNC_ONCE);

	WAITS(fd, GOSYNC_IOC_ONCE_WAIT, struct gosync_wait_args);
}

TEST_F(failnth, waiting_for_another_version)
{
	struct gosync_version_wait_args args = { .size = sizeof(args) };
	int map = new_object(GOSYNC_MAP);

	WAITS(self->value, GOSYNC_IOC_VALUE_WAIT,
	      struct gosync_version_wait_args);
	ASSERT_EQ(0, call(map, GOSYNC_IOC_MAP_WAIT, &args));
	WAITS(map, GOSYNC_IOC_MAP_WAIT, struct gosync_version_wait_args,
	      .version = args.version);
}

TEST_F(failnth, waiting_for_permits)
{
	int fd = new_object(GOSYNC_SEMAPHORE);

	WAITS(fd, GOSYNC_IOC_SEMAPHORE_ACQUIRE, struct gosync_semaphore_args,
	      .count = 1);
}

TEST_F(failnth, waiting_for_an_rwmutex)
{
	int fd = new_object(GOSYNC_RWMUTEX);

	ASSERT_EQ(0, call(fd, GOSYNC_IOC_RWMUTEX_LOCK, NULL));
	WAITS(fd, GOSYNC_IOC_RWMUTEX_LOCK, struct gosync_wait_args);
	WAITS(fd, GOSYNC_IOC_RWMUTEX_RLOCK, struct gosync_wait_args);
}

/* Whatever fails, the lock is held as before. */
TEST_F(failnth, waiting_for_a_cond)
{
	struct gosync_cond_wait_args args = {
		.size = sizeof(args), .deadline = 1, .lock = self->mutex,
	};
	int fd = new_object(GOSYNC_COND);
	uint64_t word;

	ASSERT_EQ(0, lock_fd(self->mutex));
	word = info_of(self->mutex).word;
	SWEEP(0, wait_in_vain(fd, GOSYNC_IOC_COND_WAIT, &args),
	      nobody_waits(fd, 0) && info_of(self->mutex).word == word);
	args.flags = GOSYNC_CANCELABLE;
	args.cancel = fd;
	SWEEP(0, wait_in_vain(fd, GOSYNC_IOC_COND_WAIT, &args),
	      nobody_waits(fd, 0) && info_of(self->mutex).word == word);
}

/* --- polling ------------------------------------------------------------- */

static int watch_fd(int fd, uint32_t flags, uint64_t value)
{
	struct gosync_watch_args args = {
		.size = sizeof(args), .flags = flags, .value = value,
	};

	return call(fd, GOSYNC_IOC_WATCH, &args);
}

static int poll_fd(int fd)
{
	struct pollfd pollfd = { .fd = fd, .events = POLLIN };
	int ret = poll(&pollfd, 1, 0);

	return ret < 0 ? -errno : pollfd.revents;
}

static int poll_in_set(int set, int fd)
{
	struct epoll_event event = { .events = EPOLLIN };
	int ret;

	if (epoll_ctl(set, EPOLL_CTL_ADD, fd, &event))
		return -errno;
	ret = epoll_wait(set, &event, 1, 0);
	ret = ret < 0 ? -errno : ret;
	if (epoll_ctl(set, EPOLL_CTL_DEL, fd, &event) && ret >= 0)
		return -errno;
	return ret;
}

/* Once it is unlocked again no word shows who failed to poll. */
static bool is_unlocked(FIXTURE_DATA(failnth) *self, int fd)
{
	return !unlock_fd(fd) && nobody_waits(fd, 0) && !lock_fd(fd);
}

TEST_F(failnth, polling)
{
	int set = epoll_create1(EPOLL_CLOEXEC);

	ASSERT_EQ(0, lock_fd(self->mutex));
	SWEEP(0, poll_fd(self->mutex), is_unlocked(self, self->mutex));
	SWEEP(0, poll_in_set(set, self->mutex),
	      is_unlocked(self, self->mutex));
}

/* What was watched for remains so if it fails. */
TEST_F(failnth, watching)
{
	int word = new_object(GOSYNC_INT32);

	SWEEP(0, watch_fd(word, 0, 0), !poll_fd(word));
	SWEEP(0, watch_fd(word, 0, 1), !poll_fd(word));
	EXPECT_EQ(POLLIN, poll_fd(word));
}

TEST_F(failnth, watching_a_cond)
{
	int fd = new_object(GOSYNC_COND);

	SWEEP(0, watch_fd(fd, 0, 0), !watch_fd(fd, GOSYNC_WATCH_STOP, 0) &&
	      nobody_waits(fd, 0));
	EXPECT_EQ(1, call(fd, GOSYNC_IOC_COND_SIGNAL, NULL));
	EXPECT_EQ(POLLIN, poll_fd(fd));
	/* One that fails does not take the place of the signal. */
	SWEEP(0, watch_fd(fd, 0, 0), poll_fd(fd) == POLLIN);
	EXPECT_EQ(0, poll_fd(fd));
}

/* --- several at once ----------------------------------------------------- */

/* A mutex, an RWMutex to read, permits and a word: nobody has any of it. */
struct several {
	int dev;
	struct gosync_wait_entry entries[4];
};

static struct several make_several(FIXTURE_DATA(failnth) *self)
{
	return (struct several) {
		.dev = self->dev,
		.entries = {
			{ self->mutex, GOSYNC_IOC_MUTEX_LOCK },
			{ new_object(GOSYNC_RWMUTEX), GOSYNC_IOC_RWMUTEX_RLOCK },
			{ new_object(GOSYNC_SEMAPHORE), GOSYNC_IOC_SEMAPHORE_ACQUIRE,
			  .value = 1 },
			{ new_object(GOSYNC_INT32), GOSYNC_IOC_ATOMIC_WAIT },
		},
	};
}

static bool several_are_at_rest(const struct several *several)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(several->entries); i++)
		if (!nobody_waits(several->entries[i].fd, 0) ||
		    info_of(several->entries[i].fd).readers)
			return false;
	return true;
}

/* The first @count of them, until @deadline */
static int wait_for_several(struct several *several, unsigned int count,
			    unsigned int flags, uint64_t deadline)
{
	struct gosync_wait_many_args args = {
		.size = sizeof(args), .flags = flags, .deadline = deadline,
		.entries = to_u64(several->entries), .count = count,
		.entry_size = sizeof(several->entries[0]),
	};

	return wait_in_vain(several->dev, GOSYNC_IOC_WAIT, &args);
}

/* Nothing but those at the end can be had, so it waits. */
TEST_F(failnth, waiting_for_any_of_several)
{
	struct several several = make_several(self);
	uint64_t word;

	/* A read lock is not in the word. */
	ASSERT_EQ(0, call(several.entries[1].fd, GOSYNC_IOC_RWMUTEX_RLOCK, NULL));
	several.entries[1].op = GOSYNC_IOC_RWMUTEX_LOCK;
	ASSERT_EQ(0, lock_fd(self->mutex));
	word = info_of(self->mutex).word;
	SWEEP(0, wait_for_several(&several, 4, 0, 1),
	      nobody_waits(self->mutex, word) &&
	      nobody_waits(several.entries[1].fd, 0) &&
	      nobody_waits(several.entries[2].fd, 0) &&
	      nobody_waits(several.entries[3].fd, 0));
	EXPECT_EQ(1, info_of(several.entries[1].fd).readers);
}

TEST_F(failnth, waiting_for_all_of_several)
{
	struct several several = make_several(self);

	SWEEP(0, wait_for_several(&several, 4, GOSYNC_WAIT_ALL, 1),
	      several_are_at_rest(&several));
	EXPECT_TRUE(several_are_at_rest(&several));
}

/*
 * What was granted when the result could not be written, which only a made up
 * fault brings about, may be held; but all of it, or nothing. It is given back.
 */
static bool all_or_nothing(const struct several *several, int error)
{
	bool locked = info_of(several->entries[0].fd).owner;
	bool read = info_of(several->entries[1].fd).readers;

	if (locked)
		unlock_fd(several->entries[0].fd);
	if (read)
		call(several->entries[1].fd, GOSYNC_IOC_RWMUTEX_RUNLOCK, NULL);
	return locked == read && several_are_at_rest(several) &&
		(!locked || error >= 0 || error == -EFAULT);
}

TEST_F(failnth, getting_all_of_several)
{
	struct several several = make_several(self);

	SWEEP(0, wait_for_several(&several, 2, GOSYNC_WAIT_ALL, 0),
	      all_or_nothing(&several, __ret));
	EXPECT_EQ(1, info_of(several.entries[1].fd).readers);
}

TEST_HARNESS_MAIN
