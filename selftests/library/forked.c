// SPDX-License-Identifier: GPL-2.0-only
/*
 * Copies of a process: by fork(2), _Fork(3) and clone(2), with and without
 * another descriptor to be had, while other threads open and close. A copy acts
 * in its own name or not at all, and does not keep what its parent holds.
 */
#include <sys/resource.h>
#include "gosync_test.h"

/* How a copy is made */
enum how { FORK, BARE_FORK, CLONE };

static pid_t copy(enum how how)
{
	switch (how) {
	case FORK:
		return fork();
	case BARE_FORK:
		return _Fork();
	default:
		return syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL);
	}
}

/* What a copy exits with, which works it out itself */
#define IN_COPY(how, status)						\
({									\
	pid_t __copy = copy(how);					\
									\
	if (!__copy)							\
		_exit(status);						\
	reap(__copy);							\
})

/* A handle of each type */
struct handles {
	gosync_mutex_t *mutex;
	gosync_rwmutex_t *rw;
	gosync_waitgroup_t *wg;
	gosync_once_t *once, *done;
	gosync_cond_t *cond;
	gosync_semaphore_t *semaphore;
	gosync_value_t *value;
	gosync_map_t *map;
	gosync_int64_t *words;
};

static void nothing(void *arg, int died)
{
}

static bool open_all(struct handles *h, unsigned int how)
{
	*h = (struct handles) {
		.mutex = NEW(gosync_mutex, how), .rw = NEW(gosync_rwmutex, how),
		.wg = NEW(gosync_waitgroup, how), .once = NEW(gosync_once, how),
		.done = NEW(gosync_once, how), .cond = NEW(gosync_cond, how),
		.semaphore = NEW(gosync_semaphore, how, 5),
		.value = NEW(gosync_value, how, 64),
		.map = NEW(gosync_map, how, NULL),
		.words = NEW(gosync_int64, how, 2),
	};
	return !gosync_waitgroup_add(h->wg, 2) &&
	       !gosync_once_do(h->done, nothing, NULL) &&
	       !gosync_value_store(h->value, 1, "parent", 7) &&
	       !gosync_map_store(h->map, "longer key", 10, "parent", 7) &&
	       !gosync_int64_store(h->words, 0, 7);
}

static const void *handle_of(const struct handles *h, int i)
{
	const void *const all[] = {
		h->mutex, h->rw, h->wg, h->once, h->done, h->cond,
		h->semaphore, h->value, h->map, h->words,
	};

	return all[i];
}

enum { HANDLES = sizeof(struct handles) / sizeof(void *) };

/* The result of an operation that needs mapped state */
static int as_mapped(const void *handle, int ret)
{
	return ret == -EOPNOTSUPP && !gosync_is_mapped(handle) ? 0 : ret;
}

/*
 * How many of all operations did not end with @err; each is counted, and so
 * are those that did. What they do in this order can be done one after another.
 */
static int each(struct handles *h, int err, int *count)
{
	struct gosync_wait_entry entry;
	struct gosync_info info;
	struct gosync_stat stat;
	struct gosync_party party;
	struct gosync_peek peek;
	struct gosync_map_entry pair;
	gosync_map_cursor_t *cursor = NULL;
	gosync_mutex_t *another = NULL;
	uint64_t u64 = 0, end = 1;
	size_t len = 64, key_len = 10;
	char buf[64], *key = "longer key";
	int64_t now;
	int bad = 0;

#define IS(call)							\
do {									\
	int __ret = (call);						\
									\
	++*count;							\
	if (err ? __ret != err : __ret < 0) {				\
		fprintf(stderr, "# %s: %d\n", #call, __ret);		\
		bad++;							\
	}								\
} while (0)
#define ENTRY(e, give_back)						\
do {									\
	entry = e;							\
	IS(gosync_wait_any(&entry, 1, end, 0));				\
	give_back;							\
	entry = e;							\
	IS(gosync_wait_all(&entry, 1, end, 0));				\
	give_back;							\
} while (0)

	IS(gosync_mutex_lock(h->mutex));
	IS(gosync_mutex_recover(h->mutex));
	IS(gosync_mutex_unlock(h->mutex));
	IS(gosync_mutex_trylock(h->mutex));
	IS(gosync_mutex_token(h->mutex, &u64));
	IS(gosync_cond_wait_until(h->cond, h->mutex, end, 0) == -ETIMEDOUT ?
	   0 : gosync_cond_wait_until(h->cond, h->mutex, end, 0));
	IS(gosync_mutex_unlock(h->mutex));
	IS(gosync_mutex_lock_until(h->mutex, end, 0));
	IS(gosync_mutex_unlock(h->mutex));

	IS(gosync_rwmutex_lock(h->rw));
	IS(gosync_rwmutex_recover(h->rw));
	IS(gosync_rwmutex_unlock(h->rw));
	IS(gosync_rwmutex_trylock(h->rw));
	IS(gosync_rwmutex_token(h->rw, &u64));
	IS(gosync_rwmutex_unlock(h->rw));
	IS(gosync_rwmutex_lock_until(h->rw, end, 0));
	IS(gosync_rwmutex_unlock(h->rw));
	IS(gosync_rwmutex_rlock(h->rw));
	IS(gosync_rwmutex_runlock(h->rw));
	IS(gosync_rwmutex_tryrlock(h->rw));
	IS(gosync_rwmutex_runlock(h->rw));
	IS(gosync_rwmutex_rlock_until(h->rw, end, 0));
	IS(gosync_rwmutex_runlock(h->rw));

	IS(gosync_waitgroup_add(h->wg, 1));
	IS(gosync_waitgroup_done(h->wg));
	IS(gosync_waitgroup_count(h->wg));
	IS(gosync_waitgroup_wait_until(h->wg, end, 0) == -ETIMEDOUT ? 0 :
	   gosync_waitgroup_wait_until(h->wg, end, 0));

	IS(gosync_once_do(h->done, nothing, NULL));
	IS(gosync_once_is_done(h->done));
	IS(gosync_once_wait(h->done));
	IS(gosync_once_wait_until(h->done, end, 0));
	IS(gosync_once_begin(h->done));
	IS(gosync_once_begin_until(h->done, end, 0));
	IS(gosync_once_begin_cancel(h->done, end, 0, 0));
	IS(gosync_once_begin(h->once));
	IS(gosync_once_done(h->once));
	IS(gosync_once_do(h->once, nothing, NULL));

	IS(gosync_cond_signal(h->cond));
	IS(gosync_cond_broadcast(h->cond));

	IS(gosync_semaphore_acquire(h->semaphore, 1));
	IS(gosync_semaphore_tryacquire(h->semaphore, 1));
	IS(gosync_semaphore_acquire_until(h->semaphore, 1, end, 0));
	IS(gosync_semaphore_release(h->semaphore, 3));
	IS(gosync_semaphore_count(h->semaphore));

	IS(gosync_value_load(h->value, buf, &len, NULL));
	IS(as_mapped(h->value, gosync_value_peek(h->value, &peek)));
	IS(gosync_value_capacity(h->value, &len));
	len = 64;
	IS(gosync_value_version(h->value, &u64));
	u64 = 0;
	IS(gosync_value_wait_until(h->value, &u64, end, 0));
	IS(gosync_value_store(h->value, 1, "child", 6));
	len = 64;
	IS(gosync_value_swap(h->value, 1, "child", 6, buf, &len));
	IS(gosync_value_cas(h->value, 1, "child", 6, 1, "parent", 7));

	len = 64;
	IS(gosync_map_load(h->map, key, key_len, buf, &len));
	IS(as_mapped(h->map, gosync_map_peek(h->map, key, key_len, &peek)));
	IS(gosync_map_store(h->map, key, key_len, "child", 6));
	IS(gosync_map_store_many(h->map, &(struct gosync_map_pair) {
				 key, key_len, "child", 6 }, 1));
	len = 64;
	IS(gosync_map_load_or_store(h->map, key, key_len, "x", 1, buf, &len));
	len = 64;
	IS(gosync_map_swap(h->map, key, key_len, "child", 6, buf, &len));
	IS(gosync_map_cas(h->map, key, key_len, "child", 6, "x", 1));
	IS(gosync_map_compare_and_delete(h->map, key, key_len, "y", 1));
	len = 64;
	IS(gosync_map_load_and_delete(h->map, key, key_len, buf, &len));
	IS(gosync_map_delete(h->map, key, key_len));
	IS(gosync_map_range(h->map, NULL, NULL));
	IS(gosync_map_len(h->map));
	if (!gosync_map_begin(h->map, &cursor))
		IS(gosync_map_next(cursor, &pair));
	gosync_map_end(cursor);
	u64 = 0;
	IS(gosync_map_wait_until(h->map, &u64, end, 0));
	IS(gosync_map_clear(h->map));

	IS(gosync_int64_load(h->words, 0, &now));
	IS(gosync_int64_store(h->words, 0, 1));
	IS(gosync_int64_swap(h->words, 0, 2, &now));
	IS(gosync_int64_cas(h->words, 0, 2, 3));
	IS(gosync_int64_add(h->words, 0, 1, &now));
	IS(gosync_int64_and(h->words, 0, 1, &now));
	IS(gosync_int64_or(h->words, 0, 1, &now));
	IS(gosync_int64_wait(h->words, 0, -1, end, 0, &now));
	IS(gosync_int64_wake(h->words, 0, 1));

	ENTRY(gosync_entry_mutex(h->mutex), gosync_mutex_unlock(h->mutex));
	ENTRY(gosync_entry_rwmutex(h->rw), gosync_rwmutex_unlock(h->rw));
	ENTRY(gosync_entry_rwmutex_read(h->rw), gosync_rwmutex_runlock(h->rw));
	ENTRY(gosync_entry_semaphore(h->semaphore, 1), );
	ENTRY(gosync_entry_once(h->done), );
	ENTRY(gosync_entry_value(h->value, 0), );
	ENTRY(gosync_entry_map(h->map, 0), );
	ENTRY(gosync_entry_int64(h->words, 0, -1), );

	IS(gosync_watch(h->words, 0, 1));
	IS(gosync_unwatch(h->words));
	IS(gosync_fd(h->mutex));
	IS(gosync_info(h->mutex, &info));
	IS(gosync_reopen(h->mutex, 0, &another));
	gosync_close(another);
	u64 = 0;
	IS(gosync_holders_next(h->mutex, &u64, &party, 1));
	IS(gosync_stat(h->mutex, &stat));
	IS(gosync_waiters(h->mutex, &party, 1));
	return bad;
}

/* --- Without a descriptor of its own ------------------------------------- */

FIXTURE(copies)
{
	struct handles h;
	unsigned int *shared;
};

FIXTURE_VARIANT(copies)
{
	unsigned int flags;
	enum how how;
};

FIXTURE_VARIANT_ADD(copies, fork_mapped) { 0, FORK };
FIXTURE_VARIANT_ADD(copies, fork_ioctl) { GOSYNC_IOCTL_ONLY, FORK };
FIXTURE_VARIANT_ADD(copies, bare_fork_mapped) { 0, BARE_FORK };
FIXTURE_VARIANT_ADD(copies, bare_fork_ioctl) { GOSYNC_IOCTL_ONLY, BARE_FORK };
FIXTURE_VARIANT_ADD(copies, clone_mapped) { 0, CLONE };
FIXTURE_VARIANT_ADD(copies, clone_ioctl) { GOSYNC_IOCTL_ONLY, CLONE };

FIXTURE_SETUP(copies)
{
	self->shared = shared_memory(4096);
	ASSERT_TRUE(open_all(&self->h, variant->flags));
}

NO_TEARDOWN(copies);

/* From now on there are only the first @n descriptors to be had. */
static int limit_descriptors(unsigned int n)
{
	struct rlimit limit = { n, n };

	return setrlimit(RLIMIT_NOFILE, &limit);
}

TEST_F(copies, that_get_no_descriptor_touch_nothing)
{
	struct gosync_info before[HANDLES], after;
	int i, bad, count = 0;

	/* So that it has the device's descriptor, with which nothing is held */
	ASSERT_LE(0, gosync_device());
	for (i = 0; i < HANDLES; i++)
		before[i] = info(handle_of(&self->h, i));
	ASSERT_EQ(0, limit_descriptors(0));
	EXPECT_EQ(0, IN_COPY(variant->how, ({
		bad = each(&self->h, -EBADF, &count);
		for (i = 0; i < HANDLES; i++) {
			bad += gosync_is_mapped(handle_of(&self->h, i));
			gosync_close((void *)handle_of(&self->h, i));
		}
		bad || count < 90;
	})));
	for (i = 0; i < HANDLES; i++) {
		after = info(handle_of(&self->h, i));
		EXPECT_EQ(0, memcmp(&before[i], &after, sizeof(after)));
	}
}

/*
 * When all numbers are taken, the first handle that does not get one gives up
 * that which it had, and the others have one to change.
 */
TEST_F(copies, at_the_limit_lose_one_handle)
{
	int i, fd, lost = 0;
	gosync_mutex_t *mutexes[3];

	for (i = 0; i < 3; i++)
		mutexes[i] = NEW(gosync_mutex, variant->flags);
	/* The number that opening has given back */
	ASSERT_LE(0, gosync_device());
	fd = dup(0);
	close(fd);
	ASSERT_EQ(0, limit_descriptors(fd));
	EXPECT_EQ(0, IN_COPY(variant->how, ({
		for (i = 0; i < HANDLES; i++)
			lost += gosync_fd(handle_of(&self->h, i)) == -EBADF;
		for (i = 0; i < 3; i++)
			MUST(!gosync_mutex_lock(mutexes[i]));
		lost != 1;
	})));
	for (i = 0; i < 3; i++)
		EXPECT_EQ(1, gosync_mutex_lock(mutexes[i]));
}

TEST_F(copies, have_holders_of_their_own)
{
	struct gosync_info before[HANDLES], mine;
	int i, bad, count = 0;

	for (i = 0; i < HANDLES; i++)
		before[i] = info(handle_of(&self->h, i));
	EXPECT_EQ(0, IN_COPY(variant->how, ({
		/* Some at the first touch, and not all in the same way */
		bad = each(&self->h, 0, &count);
		for (i = 0; i < HANDLES; i++) {
			mine = info(handle_of(&self->h, i));
			bad += mine.id != before[i].id;
			bad += mine.holder == before[i].holder;
			bad += gosync_is_mapped(handle_of(&self->h, i)) ==
			       !!variant->flags;
		}
		bad || count < 90;
	})));
}

/* Each of the inline fast paths as the first that a copy does */
static int first_touch(struct handles *h, unsigned int which)
{
	int64_t now;

	switch (which) {
	case 0:
		return gosync_mutex_lock(h->mutex);
	case 1:
		return gosync_rwmutex_lock(h->rw);
	case 2:
		return gosync_rwmutex_rlock(h->rw);
	case 3:
		return gosync_mutex_trylock(h->mutex);
	case 4:
		return gosync_rwmutex_tryrlock(h->rw);
	case 5:
		return gosync_rwmutex_trylock(h->rw);
	case 6:
		return gosync_once_begin(h->once) != GOSYNC_ONCE_RUN;
	case 7:
		return gosync_semaphore_acquire(h->semaphore, 5);
	case 8:
		return gosync_waitgroup_add(h->wg, -2);
	case 9:
		return gosync_int64_add(h->words, 0, 1, &now);
	default:
		return -1;
	}
}

TEST_F(copies, take_a_free_lock_in_their_own_name_and_die_with_it)
{
	unsigned int which;

	for (which = 0; which < 10; which++) {
		EXPECT_EQ(0, IN_COPY(variant->how,
				     !!first_touch(&self->h, which)));
		/* Had it been in our name, it would be locked. */
		EXPECT_LE(0, gosync_mutex_lock_until(self->h.mutex, 1, 0));
		EXPECT_EQ(0, gosync_mutex_recover(self->h.mutex));
		EXPECT_EQ(0, gosync_mutex_unlock(self->h.mutex));
		EXPECT_LE(0, gosync_rwmutex_lock_until(self->h.rw, 1, 0));
		EXPECT_EQ(0, gosync_rwmutex_recover(self->h.rw));
		EXPECT_EQ(0, gosync_rwmutex_unlock(self->h.rw));
	}
	EXPECT_EQ(2, info(self->h.mutex).deaths);
	EXPECT_EQ(0, info(self->h.rw).readers);
	EXPECT_EQ(GOSYNC_ONCE_RUN_AGAIN, gosync_once_begin(self->h.once));
	EXPECT_EQ(0, gosync_waitgroup_count(self->h.wg));
	EXPECT_EQ(0, gosync_semaphore_count(self->h.semaphore));
}

TEST_F(copies, do_not_own_what_their_parent_does)
{
	ASSERT_EQ(0, gosync_mutex_lock(self->h.mutex));
	ASSERT_EQ(0, gosync_rwmutex_rlock(self->h.rw));
	EXPECT_EQ(0, IN_COPY(variant->how,
			     gosync_mutex_trylock(self->h.mutex) != -EBUSY ||
			     gosync_mutex_recover(self->h.mutex) != -EPERM ||
			     gosync_rwmutex_trylock(self->h.rw) != -EBUSY ||
			     gosync_rwmutex_runlock(self->h.rw) != -EPERM));
	EXPECT_EQ(0, info(self->h.mutex).deaths);
	EXPECT_EQ(0, gosync_mutex_unlock(self->h.mutex));
	EXPECT_EQ(0, gosync_rwmutex_runlock(self->h.rw));
}

/* A copy of a copy, of which the first has touched nothing */
TEST_F(copies, of_copies_have_holders_of_their_own)
{
	gosync_mutex_t *mutex = self->h.mutex;
	enum how second;

	for (second = FORK; second <= CLONE; second++) {
		EXPECT_EQ(0, IN_COPY(variant->how,
				     IN_COPY(second,
					     gosync_mutex_lock(mutex) < 0) ||
				     gosync_mutex_lock(mutex) != 1 ||
				     gosync_mutex_recover(mutex) ||
				     gosync_mutex_unlock(mutex)));
		EXPECT_EQ(0, gosync_mutex_lock(mutex));
		EXPECT_EQ(0, gosync_mutex_unlock(mutex));
	}
	EXPECT_EQ(3, info(self->h.mutex).deaths);
	EXPECT_EQ(1, info(self->h.mutex).holders);
}

enum { THREADS = 4 };

static void *touch(void *arg)
{
	struct handles *h = arg;

	if (gosync_rwmutex_rlock(h->rw) || gosync_rwmutex_runlock(h->rw) ||
	    gosync_mutex_lock(h->mutex))
		return arg;
	return gosync_mutex_unlock(h->mutex) ? arg : NULL;
}

TEST_F(copies, may_be_noticed_by_several_threads)
{
	pthread_t threads[THREADS];
	int i, round, bad = 0;
	void *ret;

	for (round = 0; round < 20; round++) {
		EXPECT_EQ(0, IN_COPY(variant->how, ({
			for (i = 0; i < THREADS; i++)
				bad += pthread_create(&threads[i], NULL, touch,
						      &self->h);
			for (i = 0; i < THREADS; i++)
				bad += pthread_join(threads[i], &ret) || ret;
			bad += info(self->h.mutex).holders != 2;
			!!bad;
		})));
	}
	EXPECT_EQ(0, info(self->h.mutex).deaths);
	EXPECT_EQ(0, info(self->h.mutex).word);
}

TEST_F(copies, can_open_and_close)
{
	gosync_mutex_t *mutex;

	EXPECT_EQ(0, IN_COPY(variant->how, ({
		/* The first that it does; and it is not opened anew later. */
		MUST(!gosync_mutex_open(NULL, GOSYNC_CREATE, 0600, &mutex));
		MUST(!gosync_mutex_lock(mutex));
		MUST(!gosync_mutex_lock(self->h.mutex));
		MUST(info(mutex).owner == info(mutex).holder);
		gosync_close(self->h.mutex);
		gosync_close(mutex);
		0;
	})));
	EXPECT_EQ(1, gosync_mutex_lock(self->h.mutex));
	/* That of the copy is closed, not its parent's. */
	EXPECT_EQ(0, IN_COPY(variant->how, (gosync_close(self->h.mutex), 0)));
	EXPECT_EQ(0, gosync_mutex_unlock(self->h.mutex));
}

static int in_same_memory(void *arg)
{
	struct handles *h = arg;

	return gosync_mutex_unlock(h->mutex) || gosync_mutex_lock(h->mutex);
}

TEST_F(copies, that_share_the_memory_are_none)
{
	static char stack[65536] __attribute__((aligned(16)));
	const int fd = gosync_fd(self->h.mutex);
	const struct gosync_info before = info_of(fd);
	pid_t pid;

	ASSERT_EQ(0, gosync_mutex_lock(self->h.mutex));
	pid = clone(in_same_memory, stack + sizeof(stack),
		    CLONE_VM | CLONE_VFORK | SIGCHLD, &self->h);
	EXPECT_EQ(0, reap(pid));
	EXPECT_EQ(before.holder, info_of(fd).owner);
	EXPECT_EQ(before.holder, info_of(fd).holder);
	EXPECT_EQ(1, info_of(fd).holders);
	EXPECT_EQ(0, gosync_mutex_unlock(self->h.mutex));
	EXPECT_EQ(!variant->flags, gosync_is_mapped(self->h.mutex));
}

/* --- Beside other threads ------------------------------------------------- */

struct beside {
	char *name;
	bool reopens;
	unsigned int stop, opened, wrong, forked, worker;
};

static void *open_and_close(void *arg)
{
	struct beside *beside = arg;
	gosync_mutex_t *mutex, *again;

	while (!load(&beside->stop)) {
		if (gosync_mutex_open(beside->name, GOSYNC_CREATE, 0600,
				      &mutex)) {
			add(&beside->wrong, 1);
			continue;
		}
		if (beside->reopens) {
			again = ANOTHER(gosync_mutex, gosync_fd(mutex), 0);
			gosync_close(again);
		}
		gosync_close(mutex);
		add(&beside->opened, 1);
	}
	return NULL;
}

/*
 * Holders that were begun by the library: of whom that shares them is the
 * parent? Descriptors that the library has not been given yet are the
 * program's.
 */
static int has_holder_of_parent(const char *name)
{
	struct gosync_party parties[64];
	struct gosync_parties_args args =
		PARTIES_OF(parties, ARRAY_SIZE(parties));
	int fd, i, got, found = 0;

	for (fd = 3; fd < 64; fd++) {
		struct gosync_info info = info_of(fd);

		if (!info.id || strcmp((char *)info.name, name))
			continue;
		args.cursor = 0;
		got = call(fd, GOSYNC_IOC_HOLDERS, &args);
		for (i = 0; i < got; i++)
			found += parties[i].holder == info.holder &&
				 parties[i].pid == getppid();
	}
	return found;
}

static bool start(pthread_t *threads, struct beside *beside)
{
	int i;

	for (i = 0; i < THREADS; i++)
		if (pthread_create(&threads[i], NULL, open_and_close, beside))
			return false;
	return true;
}

static void stop(pthread_t *threads, struct beside *beside)
{
	int i;

	store(&beside->stop, 1);
	for (i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
}

TEST(a_child_has_no_holder_of_its_parent)
{
	struct beside beside = { .name = unique_name() };
	pthread_t threads[THREADS];
	uint64_t end = end_of_budget();
	int forks = 0, bad = 0;

	ASSERT_TRUE(start(threads, &beside));
	do {
		bad += IN_COPY(FORK, !!has_holder_of_parent(beside.name)) != 0;
		forks++;
	} while (budget_left(end) || forks < 10);
	stop(threads, &beside);
	TH_LOG("%d forks, %u opens", forks, beside.opened);
	EXPECT_EQ(0, bad);
	EXPECT_EQ(0, beside.wrong);
	EXPECT_LT(0, beside.opened);
}

/* fork(2) gets its turn, and so does everybody else. */
TEST(threads_open_close_and_fork)
{
	struct beside beside = { .name = unique_name(), .reopens = true };
	pthread_t threads[THREADS];
	uint64_t end = end_of_budget();
	int forks = 0;

	ASSERT_TRUE(start(threads, &beside));
	do {
		pid_t pid = fork();

		if (!pid) {
			gosync_mutex_t *mutex;
			int ret = gosync_mutex_open(beside.name, GOSYNC_CREATE,
						    0600, &mutex);

			ret |= gosync_mutex_lock(mutex) < 0;
			gosync_close(mutex);
			_exit(!!ret);
		}
		EXPECT_EQ(0, reap(pid));
		forks++;
	} while (budget_left(end) || forks < 20);
	stop(threads, &beside);
	EXPECT_EQ(0, beside.wrong);
	EXPECT_LT(0, beside.opened);
}

/* A worker that was forked meanwhile, and uses nothing of it, lives on. */
static void *fork_workers(void *arg)
{
	struct beside *beside = arg;

	for (;;) {
		bool last = load(&beside->stop);
		pid_t pid = fork();

		if (!pid)
			for (;;)
				pause();
		add(&beside->forked, 1);
		if (last || load(&beside->stop)) {
			store(&beside->worker, pid);
			return NULL;
		}
		kill_and_reap(pid);
	}
}

static void open_lock_and_die(struct beside *beside)
{
	gosync_mutex_t *mutex;
	pthread_t thread;

	if (pthread_create(&thread, NULL, fork_workers, beside))
		_exit(1);
	while (load(&beside->forked) < 2) {
		if (gosync_mutex_open(beside->name, GOSYNC_CREATE, 0600,
				      &mutex))
			_exit(1);
		gosync_close(mutex);
	}
	if (gosync_mutex_open(beside->name, GOSYNC_CREATE, 0600, &mutex))
		_exit(1);
	store(&beside->stop, 1);
	pthread_join(thread, NULL);
	if (gosync_mutex_lock(mutex) < 0)
		_exit(1);
	kill(getpid(), SIGKILL);
}

TEST(nobody_is_left_hanging_by_a_worker_that_lives_on)
{
	struct beside *beside = shared_memory(sizeof(*beside));
	uint64_t end = end_of_budget();
	gosync_mutex_t *mutex;
	int rounds = 0;
	pid_t pid;

	beside->name = unique_name();
	mutex = NEW_NAMED(gosync_mutex, beside->name, 0);
	do {
		beside->stop = beside->forked = beside->worker = 0;
		pid = spawn();
		if (!pid) {
			open_lock_and_die(beside);
			_exit(1);
		}
		ASSERT_EQ(128 + SIGKILL, reap(pid));
		/* By a child of fork(2) it is closed before fork returns. */
		EXPECT_EQ(1, gosync_mutex_lock_until(mutex,
						     gosync_deadline(WATCHDOG / 2 *
								     NSEC_PER_SEC),
						     0));
		EXPECT_EQ(0, gosync_mutex_recover(mutex));
		EXPECT_EQ(0, gosync_mutex_unlock(mutex));
		ASSERT_LT(0, beside->worker);
		kill(beside->worker, SIGKILL);
		rounds++;
	} while (budget_left(end) || rounds < 20);
	TH_LOG("%d deaths", rounds);
}

/* A thread that waits is in nobody's way. */
static void *wait_for_lock(void *mutex)
{
	return gosync_mutex_lock(mutex) < 0 ? mutex : NULL;
}

TEST_F(copies, may_be_made_while_a_thread_waits)
{
	pthread_t thread;
	void *ret;

	ASSERT_EQ(0, gosync_mutex_lock(self->h.mutex));
	ASSERT_EQ(0, pthread_create(&thread, NULL, wait_for_lock,
				    self->h.mutex));
	EXPECT_TRUE(eventually(info(self->h.mutex).waiters == 1));
	EXPECT_EQ(0, IN_COPY(variant->how,
			     gosync_mutex_trylock(self->h.mutex) != -EBUSY));
	EXPECT_EQ(1, info(self->h.mutex).waiters);
	EXPECT_EQ(0, gosync_mutex_unlock(self->h.mutex));
	EXPECT_EQ(0, pthread_join(thread, &ret));
	EXPECT_EQ(NULL, ret);
	EXPECT_EQ(0, gosync_mutex_unlock(self->h.mutex));
}

/* --- Descriptors ---------------------------------------------------------- */

FIXTURE(numbers)
{
	gosync_mutex_t *mutex;
	int fd;
};

FIXTURE_SETUP(numbers)
{
	self->mutex = NEW(gosync_mutex, 0);
	self->fd = gosync_fd(self->mutex);
}

NO_TEARDOWN(numbers);

/* Is whatever has the number in place of the handle's left alone? */
static bool is_left_alone(gosync_mutex_t *mutex, int fd)
{
	struct gosync_info before = info_of(fd);
	int ret = 0;
	pid_t pid;

	pid = fork();
	if (!pid) {
		if (fcntl(fd, F_GETFD))
			_exit(1);
		if (gosync_fd(mutex) != -EBADF ||
		    gosync_mutex_lock(mutex) != -EBADF)
			_exit(2);
		if (before.id && info_of(fd).holder != before.holder)
			_exit(3);
		gosync_close(mutex);
		_exit(fcntl(fd, F_GETFD) ? 4 : 0);
	}
	ret = reap(pid);
	gosync_close(mutex);
	return !ret && !fcntl(fd, F_GETFD) &&
	       info_of(fd).holder == before.holder;
}

TEST_F(numbers, of_something_else_are_left_alone)
{
	int i, others[3];

	/* A file, another object, and another holder of the object */
	others[0] = open("/proc/self/status", O_RDONLY);
	others[1] = new_object(GOSYNC_MUTEX);
	for (i = 0; i < ARRAY_SIZE(others); i++) {
		gosync_mutex_t *mutex = NEW(gosync_mutex, 0);
		int fd = gosync_fd(mutex);

		others[2] = reopen_object(fd, 0);
		ASSERT_EQ(fd, dup2(others[i], fd));
		EXPECT_TRUE(is_left_alone(mutex, fd))
			TH_LOG("the descriptor of %d", i);
	}
}

TEST_F(numbers, of_nothing_may_be_of_something_later)
{
	int fd;

	ASSERT_EQ(0, close_range(3, ~0U, 0));
	fd = open("/dev/null", O_RDONLY);
	ASSERT_EQ(self->fd, dup2(fd, self->fd));
	EXPECT_TRUE(is_left_alone(self->mutex, self->fd));
}

/* The library's descriptor of the device may be closed with the others. */
TEST_F(numbers, of_the_device_are_found_to_be_others)
{
	struct gosync_wait_entry entry;
	int fd, device = gosync_device();
	gosync_mutex_t *mutex;

	ASSERT_LE(0, device);
	ASSERT_EQ(0, close(device));
	mutex = NEW(gosync_mutex, 0);
	entry = gosync_entry_mutex(mutex);
	EXPECT_EQ(0, gosync_wait_any(&entry, 1, GOSYNC_FOREVER, 0));
	EXPECT_EQ(0, gosync_mutex_unlock(mutex));
	fd = open("/dev/null", O_RDONLY);
	ASSERT_EQ(gosync_device(), dup2(fd, gosync_device()));
	EXPECT_EQ(0, gosync_wait_any(&entry, 1, GOSYNC_FOREVER, 0));
	EXPECT_EQ(0, gosync_mutex_unlock(mutex));
	close(gosync_device());
	EXPECT_EQ(0, gosync_wait_any(&entry, 1, GOSYNC_FOREVER, 0));
	EXPECT_EQ(-EBUSY, gosync_mutex_trylock(mutex));
}

TEST_F(numbers, are_closed_by_exec_in_a_child_as_in_its_parent)
{
	int flags;

	for (flags = 0; flags <= FD_CLOEXEC; flags++) {
		ASSERT_EQ(0, fcntl(self->fd, F_SETFD, flags));
		EXPECT_EQ(0, IN_COPY(FORK, gosync_fd(self->mutex) != self->fd ||
					   fcntl(self->fd, F_GETFD) != flags));
	}
}

TEST_F(numbers, go_on_in_a_child_of_another_user)
{
	NEED_ROOT();
	EXPECT_EQ(0, IN_COPY(FORK,
			     become(1001, 1001, 0) ||
			     IN_COPY(FORK, gosync_mutex_lock(self->mutex) ||
					   !gosync_is_mapped(self->mutex) ||
					   gosync_mutex_unlock(self->mutex))));
}

TEST(handles_by_the_thousand_go_on_in_a_child)
{
	enum { MANY = 2500 };
	static gosync_mutex_t *mutexes[MANY];
	struct rlimit limit = { MANY + 100, MANY + 100 };
	int i, bad = 0;
	pid_t pid;

	if (setrlimit(RLIMIT_NOFILE, &limit))
		SKIP(return, "may not have so many descriptors");
	for (i = 0; i < MANY; i++)
		mutexes[i] = NEW(gosync_mutex, 0);
	for (i = 0; i < MANY; i += 2)
		gosync_close(mutexes[i]);
	for (i = 0; i < MANY; i += 4)
		mutexes[i] = NEW(gosync_mutex, 0);
	pid = fork();
	if (!pid) {
		for (i = 0; i < MANY; i++) {
			if (i % 4 == 2)
				continue;
			bad += info(mutexes[i]).holders != 2 ||
			       gosync_mutex_lock(mutexes[i]) ||
			       info(mutexes[i]).owner !=
			       info(mutexes[i]).holder ||
			       gosync_mutex_unlock(mutexes[i]);
		}
		_exit(!!bad);
	}
	EXPECT_EQ(0, reap(pid));
}

TEST_HARNESS_MAIN
