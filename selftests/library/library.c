// SPDX-License-Identifier: GPL-2.0-only
/*
 * The library: handles in processes that fork and have threads, what it does
 * without system calls, and what it says about errors.
 */
#include <sys/mount.h>
#include <sys/stat.h>
#include "gosync_test.h"

FIXTURE(library)
{
	char *name;
	gosync_mutex_t *mutex;
	unsigned int *shared;
};

MAPPED_AND_IOCTL(library);

FIXTURE_SETUP(library)
{
	self->name = unique_name();
	self->mutex = NEW_NAMED(gosync_mutex, self->name, variant->how);
	self->shared = shared_memory(4096);
}

/* --- fork ---------------------------------------------------------------- */

TEST_F(library, a_child_is_a_holder_of_its_own)
{
	struct gosync_info before = info(self->mutex);
	pid_t pid;

	EXPECT_EQ(0, gosync_mutex_lock(self->mutex));
	pid = spawn();
	if (!pid) {
		struct gosync_info mine = info(self->mutex);

		EXPECT_EQ(before.id, mine.id);
		EXPECT_NE(before.holder, mine.holder);
		EXPECT_EQ(before.holder, mine.owner);
		EXPECT_EQ(2, mine.holders);
		EXPECT_EQ(!variant->how, gosync_is_mapped(self->mutex));
		EXPECT_EQ(-EBUSY, gosync_mutex_trylock(self->mutex));
		EXPECT_EQ(-EPERM, gosync_mutex_recover(self->mutex));
		_exit(0);
	}
	EXPECT_EQ(0, reap(pid));
	/* Its end was not the end of our lock. */
	EXPECT_EQ(before.holder, info(self->mutex).owner);
	EXPECT_EQ(0, info(self->mutex).deaths);
	EXPECT_EQ(1, info(self->mutex).holders);
	EXPECT_EQ(0, gosync_mutex_unlock(self->mutex));
}

TEST_F(library, a_childs_death_is_its_own)
{
	pid_t pid = spawn();

	if (!pid) {
		/* A grandchild's as well */
		pid = CHILD(gosync_mutex_lock(self->mutex));
		EXPECT_EQ(0, reap(pid));
		EXPECT_EQ(1, gosync_mutex_lock(self->mutex));
		EXPECT_EQ(0, gosync_mutex_recover(self->mutex));
		_exit(0);
	}
	EXPECT_EQ(0, reap(pid));
	EXPECT_EQ(1, gosync_mutex_lock(self->mutex));
	EXPECT_EQ(2, info(self->mutex).deaths);
}

TEST_F(library, the_parents_death_is_its_own)
{
	pid_t pid = spawn();

	if (!pid) {
		if (gosync_mutex_lock(self->mutex))
			_exit(1);
		pid = fork();
		if (pid) {
			/* The child is ready: die with the lock. */
			while (!load(self->shared))
				sched_yield();
			_exit(0);
		}
		store(self->shared, 1);
		EXPECT_EQ(1, gosync_mutex_lock(self->mutex));
		EXPECT_EQ(0, gosync_mutex_recover(self->mutex));
		EXPECT_EQ(0, gosync_mutex_unlock(self->mutex));
		store(self->shared, 2);
		_exit(0);
	}
	EXPECT_EQ(0, reap(pid));
	EXPECT_TRUE(eventually(load(self->shared) == 2));
	EXPECT_EQ(0, gosync_mutex_lock(self->mutex));
}

TEST_F(library, all_handles_go_on_in_a_child)
{
	gosync_value_t *value = NEW(gosync_value, variant->how, 64);
	gosync_int32_t *words = NEW(gosync_int32, variant->how, 2);
	pid_t pid;

	EXPECT_EQ(0, gosync_value_store(value, 1, "parent", 7));
	pid = spawn();
	if (!pid) {
		char buf[64];
		size_t len = sizeof(buf);

		EXPECT_EQ(0, gosync_value_load(value, buf, &len, NULL));
		EXPECT_STREQ("parent", buf);
		EXPECT_EQ(0, gosync_value_store(value, 1, "child", 6));
		EXPECT_EQ(0, gosync_int32_add(words, 1, 5, NULL));
		gosync_close(words);
		gosync_close(value);
		gosync_close(self->mutex);
		_exit(0);
	}
	EXPECT_EQ(0, reap(pid));
	EXPECT_EQ(0, gosync_int32_cas(words, 1, 4, 0));
	EXPECT_EQ(1, gosync_int32_cas(words, 1, 5, 0));
	EXPECT_EQ(2, info_of(gosync_fd(value)).word);
	EXPECT_EQ(0, gosync_mutex_lock(self->mutex));
}

TEST_F(library, closing_is_a_holders_end)
{
	gosync_mutex_t *other;

	ASSERT_EQ(0, gosync_mutex_open(self->name, variant->how, 0, &other));
	EXPECT_EQ(0, gosync_mutex_lock(other));
	gosync_close(other);
	EXPECT_EQ(1, gosync_mutex_lock(self->mutex));
	gosync_close(NULL);
}

/* --- threads ------------------------------------------------------------- */

enum { THREADS = 4 };

struct in_thread {
	gosync_mutex_t *mutex;
	uint64_t end;
	unsigned int wrong;
	uint64_t one, two;
};

static void *lock_and_count(void *arg)
{
	struct in_thread *shared = arg;

	do {
		if (gosync_mutex_lock(shared->mutex))
			add(&shared->wrong, 1);
		if (shared->one++ != shared->two)
			add(&shared->wrong, 1);
		if (shared->one % 64 == 0)
			sched_yield();
		shared->two++;
		if (gosync_mutex_unlock(shared->mutex))
			add(&shared->wrong, 1);
	} while (budget_left(shared->end));
	return NULL;
}

TEST_F(library, threads_share_a_handle)
{
	struct in_thread shared = {
		.mutex = self->mutex, .end = end_of_budget(),
	};
	pthread_t threads[THREADS];
	int i;

	for (i = 0; i < THREADS; i++)
		ASSERT_EQ(0, pthread_create(&threads[i], NULL, lock_and_count,
					    &shared));
	for (i = 0; i < THREADS; i++)
		EXPECT_EQ(0, pthread_join(threads[i], NULL));
	EXPECT_EQ(0, shared.wrong);
	EXPECT_LT(0, shared.one);
	EXPECT_EQ(shared.one, shared.two);
	EXPECT_EQ(0, info(self->mutex).word);
	EXPECT_EQ(1, info(self->mutex).holders);
}

static void *lock_once(void *mutex)
{
	gosync_mutex_lock(mutex);
	return NULL;
}

TEST_F(library, a_thread_is_no_holder)
{
	pthread_t thread;

	ASSERT_EQ(0, pthread_create(&thread, NULL, lock_once, self->mutex));
	EXPECT_EQ(0, pthread_join(thread, NULL));
	EXPECT_EQ(-EBUSY, gosync_mutex_trylock(self->mutex));
	EXPECT_EQ(0, gosync_mutex_unlock(self->mutex));
	EXPECT_EQ(0, info(self->mutex).deaths);
}

static void *open_and_close(void *arg)
{
	struct in_thread *shared = arg;

	while (budget_left(shared->end)) {
		gosync_mutex_t *mutex;

		if (gosync_mutex_open(NULL, GOSYNC_CREATE, 0600, &mutex))
			add(&shared->wrong, 1);
		else
			gosync_close(mutex);
	}
	return NULL;
}

TEST_F(library, fork_while_threads_open_lock_and_close)
{
	struct in_thread shared = {
		.mutex = self->mutex, .end = end_of_budget(),
	};
	pthread_t threads[THREADS];
	int i;

	for (i = 0; i < THREADS; i++)
		ASSERT_EQ(0, pthread_create(&threads[i], NULL, i % 2 ?
					    lock_and_count : open_and_close,
					    &shared));
	while (budget_left(shared.end)) {
		pid_t pid = spawn();

		if (!pid) {
			gosync_mutex_t *mutex;
			int ret = gosync_mutex_lock(self->mutex);

			ret |= gosync_mutex_unlock(self->mutex);
			ret |= gosync_mutex_open(self->name, 0, 0, &mutex);
			gosync_close(mutex);
			_exit(!!ret);
		}
		EXPECT_EQ(0, reap(pid));
	}
	for (i = 0; i < THREADS; i++)
		EXPECT_EQ(0, pthread_join(threads[i], NULL));
	EXPECT_EQ(0, shared.wrong);
	EXPECT_EQ(0, info(self->mutex).word);
	EXPECT_EQ(0, info(self->mutex).deaths);
}

/* --- descriptors --------------------------------------------------------- */

TEST_F(library, makes_a_handle_of_a_descriptor)
{
	int fd = open_object(0, self->name, 0, 0);
	gosync_value_t *value;
	gosync_int32_t *words;
	gosync_mutex_t *mutex;

	EXPECT_EQ(-EPROTOTYPE, gosync_value_from_fd(fd, 0, &value));
	EXPECT_EQ(-EPROTOTYPE, gosync_int32_from_fd(fd, 0, &words));
	EXPECT_EQ(-EINVAL, gosync_mutex_from_fd(fd, GOSYNC_CREATE, &mutex));
	EXPECT_EQ(-EBADF, gosync_mutex_from_fd(-1, 0, &mutex));
	/* It is still ours after all this. */
	EXPECT_EQ(2, info_of(fd).holders);
	mutex = HANDLE(gosync_mutex, fd, variant->how);
	EXPECT_EQ(fd, gosync_fd(mutex));
	EXPECT_EQ(!variant->how, gosync_is_mapped(mutex));
	EXPECT_EQ(0, gosync_mutex_lock(mutex));
	EXPECT_EQ(info_of(fd).holder, info(self->mutex).owner);
	EXPECT_EQ(0, gosync_mutex_unlock(mutex));
	gosync_close(mutex);
	EXPECT_EQ(-1, fcntl(fd, F_GETFD));
	EXPECT_EQ(1, info(self->mutex).holders);
}

TEST_F(library, does_without_a_mapping_where_there_is_none)
{
	gosync_mutex_t *mutex;

	mutex = NEW_NAMED(gosync_mutex, unique_name(),
			  GOSYNC_NO_MMAP | variant->how);
	EXPECT_EQ(0, gosync_is_mapped(mutex));
	EXPECT_EQ(0, gosync_mutex_lock(mutex));
	EXPECT_EQ(-EBUSY, gosync_mutex_trylock(mutex));
	EXPECT_EQ(0, gosync_mutex_unlock(mutex));
}

TEST_F(library, a_failed_open_leaves_no_descriptor)
{
	gosync_mutex_t *mutex;
	char name[300];
	int i, fd = open("/dev/null", O_RDONLY);

	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = 0;
	close(fd);
	for (i = 0; i < 20; i++) {
		EXPECT_EQ(-EEXIST, gosync_mutex_open(self->name, GOSYNC_CREATE |
						     GOSYNC_EXCL, 0600, &mutex));
		EXPECT_EQ(-ENOENT, gosync_mutex_open("no such name", 0, 0,
						     &mutex));
		EXPECT_EQ(-ENAMETOOLONG, gosync_mutex_open(name, GOSYNC_CREATE,
							   0600, &mutex));
		EXPECT_EQ(-ENAMETOOLONG, gosync_unlink(name));
	}
	EXPECT_EQ(fd, open("/dev/null", O_RDONLY));
}

struct objects {
	gosync_mutex_t *mutex;
	gosync_value_t *value;
	gosync_int32_t *words;
};

static int all_uncontended(void *arg)
{
	const struct objects *objects = arg;
	gosync_mutex_t *mutex = objects->mutex;
	gosync_value_t *value = objects->value;
	gosync_int32_t *words = objects->words;
	int i, ret = 0;

	for (i = 0; i < 100; i++) {
		uint64_t token, version;
		size_t len = 64;
		char buf[64];
		int32_t now;

		ret |= gosync_mutex_lock(mutex);
		ret |= gosync_mutex_token(mutex, &token);
		ret |= gosync_mutex_trylock(mutex) != -EBUSY;
		ret |= gosync_mutex_unlock(mutex);
		ret |= gosync_mutex_trylock(mutex);
		ret |= gosync_mutex_unlock(mutex);
		ret |= gosync_mutex_lock_until(mutex, 1, 0);
		ret |= gosync_mutex_unlock(mutex);
		ret |= gosync_value_load(value, buf, &len, NULL);
		ret |= gosync_value_version(value, &version);
		ret |= gosync_int32_store(words, 0, i);
		ret |= gosync_int32_swap(words, 0, i, NULL);
		ret |= gosync_int32_add(words, 0, 1, &now);
		ret |= gosync_int32_and(words, 0, -1, NULL);
		ret |= gosync_int32_or(words, 0, 0, NULL);
		ret |= gosync_int32_cas(words, 0, i + 1, 0) != 1;
		ret |= gosync_int32_load(words, 0, &now);
		ret |= gosync_int32_wake(words, 0, 1);
		ret |= gosync_int32_wait(words, 0, 1, 0, 0, &now);
	}
	return ret;
}

TEST_F(library, uncontended_operations_make_no_system_call)
{
	struct objects objects = {
		self->mutex, NEW(gosync_value, variant->how, 64),
		NEW(gosync_int32, variant->how, 1),
	};

	ASSERT_EQ(0, gosync_value_store(objects.value, 1, "payload", 8));
	EXPECT_SYSTEM_CALLS(variant->how, all_uncontended, &objects);
}

/* --- words about it ------------------------------------------------------ */

FIXTURE(words)
{
	int unused;
};

FIXTURE_SETUP(words)
{
}

NO_TEARDOWN(words);

TEST_F(words, errors_are_told_as_go_does)
{
	static const struct {
		unsigned int op;
		int error;
		const char *sentence;
	} rows[] = {
		{ GOSYNC_IOC_MUTEX_UNLOCK, -EPERM,
		  "sync: unlock of unlocked mutex" },
		{ GOSYNC_IOC_RWMUTEX_UNLOCK, -EPERM,
		  "sync: Unlock of unlocked RWMutex" },
		{ GOSYNC_IOC_RWMUTEX_RUNLOCK, -EPERM,
		  "sync: RUnlock of unlocked RWMutex" },
		{ GOSYNC_IOC_WAITGROUP_ADD, -ERANGE,
		  "sync: negative WaitGroup counter" },
		{ GOSYNC_IOC_WAITGROUP_ADD, -EBUSY,
		  "sync: WaitGroup misuse: Add called concurrently with Wait" },
		{ GOSYNC_IOC_VALUE_STORE, -EINVAL,
		  "sync/atomic: store of nil value into Value" },
		{ GOSYNC_IOC_VALUE_STORE, -EPROTOTYPE,
		  "sync/atomic: store of inconsistently typed value into Value" },
		{ GOSYNC_IOC_VALUE_SWAP, -EINVAL,
		  "sync/atomic: swap of nil value into Value" },
		{ GOSYNC_IOC_VALUE_SWAP, -EPROTOTYPE,
		  "sync/atomic: swap of inconsistently typed value into Value" },
		{ GOSYNC_IOC_VALUE_CAS, -EINVAL,
		  "sync/atomic: compare and swap of nil value into Value" },
		/* Where Go has no sentence the system has. */
		{ GOSYNC_IOC_MUTEX_LOCK, -ETIMEDOUT },
		{ GOSYNC_IOC_ONCE_BEGIN, -EDEADLK },
		{ GOSYNC_IOC_SEMAPHORE_RELEASE, -ERANGE },
		{ GOSYNC_IOC_RWMUTEX_TRYLOCK, -EBUSY },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(rows); i++)
		EXPECT_STREQ(rows[i].sentence ?: strerror(-rows[i].error),
			     gosync_strerror(rows[i].op, rows[i].error));
	/* Stored and new differ, or old and new: one error, either sentence */
	EXPECT_EQ(0, strncmp("sync/atomic: compare and swap of inconsistently typed value",
			     gosync_strerror(GOSYNC_IOC_VALUE_CAS, -EPROTOTYPE),
			     59));
	EXPECT_NE(NULL, gosync_strerror(0, -ENOENT));
	EXPECT_NE(NULL, gosync_strerror(0, 0));
	EXPECT_NE(NULL, gosync_strerror(GOSYNC_IOC_MUTEX_LOCK, 1));
	EXPECT_NE(NULL, gosync_strerror(UINT32_MAX, INT32_MIN));
}

TEST_F(words, types_have_names_and_numbers)
{
	static const char *const names[] = {
		"int32", "uint32", "int64", "uint64", "uintptr", "pointer",
		"bool", "value", "mutex", "rwmutex", "waitgroup", "once",
		"cond", "semaphore", "map",
	};
	unsigned int i;

	EXPECT_EQ(NULL, gosync_type_name(0));
	for (i = 0; i < ARRAY_SIZE(names); i++)
		EXPECT_STREQ(names[i], gosync_type_name(i + 1));
	EXPECT_EQ(GOSYNC_TYPE_MAX, ARRAY_SIZE(names) + 1);
	EXPECT_EQ(NULL, gosync_type_name(GOSYNC_TYPE_MAX));

	EXPECT_EQ(gosync_type_id("struct config", 8),
		  gosync_type_id("struct config", 8));
	EXPECT_NE(gosync_type_id("struct config", 8),
		  gosync_type_id("struct config", 16));
	EXPECT_NE(gosync_type_id("struct config", 8),
		  gosync_type_id("struct other", 8));
	EXPECT_NE(0, gosync_type_id("", 0));
	EXPECT_NE(UINT64_MAX, gosync_type_id("", 0));
	EXPECT_EQ(gosync_type_id("uint64_t", 8), GOSYNC_TYPE_ID(uint64_t));
}

TEST_F(words, deadlines_are_from_now)
{
	uint64_t before = now_ns(CLOCK_MONOTONIC);
	uint64_t deadline = gosync_deadline(NSEC_PER_SEC);

	EXPECT_LE(before + NSEC_PER_SEC, deadline);
	EXPECT_LE(deadline, now_ns(CLOCK_MONOTONIC) + NSEC_PER_SEC);
	/* Too far to be counted is for ever, not soon. */
	EXPECT_LE(before, gosync_deadline(UINT64_MAX - 1));
}

/* --- without the device --------------------------------------------------- */

#define EMPTY	"/tmp/empty"

/* Another file is in its place. */
static int put_file_there(void)
{
	close(open("/tmp/file", O_CREAT | O_WRONLY, 0600));
	return mount("/tmp/file", GOSYNC_DEVICE, NULL, MS_BIND, NULL);
}

/* What a container without --device and a unit with PrivateDevices= see */
static int hide_devices(void)
{
	return mount("none", "/dev", "tmpfs", 0, NULL);
}

/* And what one sees that may not use devices */
static int forbid_devices(void)
{
	struct stat st;

	return stat(GOSYNC_DEVICE, &st) ||
	       mount("none", "/tmp", "tmpfs", MS_NODEV, NULL) ||
	       mknod("/tmp/gosync", S_IFCHR | 0666, st.st_rdev) ||
	       mount("/tmp/gosync", GOSYNC_DEVICE, NULL, MS_BIND, NULL);
}

/* Where nothing shows that the module is loaded */
static int leave_system(void)
{
	return mkdir(EMPTY, 0755) || chroot(EMPTY);
}

FIXTURE(device)
{
	bool unused;
};

FIXTURE_VARIANT(device)
{
	int (*lose)(void);
	int error;
	const char *says;
};

FIXTURE_VARIANT_ADD(device, replaced) {
	put_file_there, -ENXIO, "another file has the name " GOSYNC_DEVICE,
};

FIXTURE_VARIANT_ADD(device, hidden) {
	hide_devices, -ENXIO, "is loaded, but " GOSYNC_DEVICE " is not visible",
};

FIXTURE_VARIANT_ADD(device, forbidden) {
	forbid_devices, -EACCES, "no permission for " GOSYNC_DEVICE,
};

FIXTURE_VARIANT_ADD(device, absent) {
	leave_system, -ENXIO, "the gosync module is not loaded; as root: modprobe",
};

FIXTURE_SETUP(device)
{
	NEED_ROOT();
	ASSERT_EQ(0, unshare(CLONE_NEWNS));
	ASSERT_EQ(0, mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
}

FIXTURE_TEARDOWN(device)
{
	rmdir(EMPTY);
}

TEST_F(device, why_there_is_none_is_told)
{
	gosync_mutex_t *mutex;
	const char *text;

	EXPECT_EQ(0, variant->lose());
	EXPECT_EQ(variant->error, gosync_device());
	EXPECT_EQ(variant->error, gosync_mutex_open("name", GOSYNC_CREATE, 0600,
						    &mutex));
	EXPECT_EQ(variant->error, gosync_unlink("name"));
	text = gosync_strerror(GOSYNC_IOC_OPEN, variant->error);
	EXPECT_NE(NULL, strstr(text, variant->says)) {
		TH_LOG("%s", text);
	}
}

TEST_HARNESS_MAIN
