// SPDX-License-Identifier: GPL-2.0-only
/*
 * What can be seen of waiting: the statistics that an object keeps, who waits
 * and who holds, and the tracepoints, which have to tell the same story.
 */
#include <sys/mount.h>
#include <sys/stat.h>
#include "gosync_test.h"

#define TRACING		"/sys/kernel/tracing"

/* A child that does @expression, and says whether it came to something else than 0 */
#define child(expression)						\
({									\
	pid_t __pid = spawn();						\
									\
	if (!__pid)							\
		_exit(!!(expression));					\
	__pid;								\
})

static struct gosync_info info(const void *object)
{
	struct gosync_info info;

	if (gosync_info(object, &info))
		memset(&info, 0xff, sizeof(info));
	return info;
}

static struct gosync_stat stat_of(const void *object)
{
	struct gosync_stat stat;

	if (gosync_stat(object, &stat))
		memset(&stat, 0xff, sizeof(stat));
	return stat;
}

/* Until so many wait */
static bool come(const void *object, unsigned int n)
{
	return eventually(info(object).waiters == n);
}

static uint64_t sum(const struct gosync_stat *stat)
{
	uint64_t n = 0;
	int i;

	for (i = 0; i < GOSYNC_HISTOGRAM; i++)
		n += stat->histogram[i];
	return n;
}

/* The range of the histogram that this is in */
static unsigned int range_of(uint64_t ns)
{
	unsigned int i = 0;

	for (ns >>= GOSYNC_HISTOGRAM_SHIFT; ns && i < GOSYNC_HISTOGRAM - 1;
	     ns >>= 1)
		i++;
	return i;
}

/* The party of this process; zeros if there is none */
static struct gosync_party waiter_of(const void *object, pid_t pid)
{
	struct gosync_party parties[16];
	int i, n = gosync_waiters(object, parties, ARRAY_SIZE(parties));

	for (i = 0; i < n; i++)
		if (parties[i].pid == (uint32_t)pid)
			return parties[i];
	return (struct gosync_party) {};
}

struct search {
	uint32_t holder;
	struct gosync_party found;
};

static int look(const struct gosync_party *party, void *arg)
{
	struct search *search = arg;

	if (party->holder != search->holder)
		return 0;
	search->found = *party;
	return 1;
}

static struct gosync_party holder_of(const void *object, uint32_t holder)
{
	struct search search = { .holder = holder };

	gosync_holders(object, look, &search);
	return search.found;
}

static struct gosync_party myself(const void *object)
{
	return holder_of(object, info(object).holder);
}

/* --- what is done --------------------------------------------------------- */

static int lock_once(gosync_mutex_t *mutex)
{
	int ret = gosync_mutex_lock(mutex);

	return ret < 0 ? ret : gosync_mutex_unlock(mutex);
}

static int lock_in_time(gosync_mutex_t *mutex, uint64_t ns)
{
	int ret = gosync_mutex_lock_until(mutex, gosync_deadline(ns), 0);

	return ret < 0 ? ret : gosync_mutex_unlock(mutex);
}

static int write_once(gosync_rwmutex_t *rwmutex)
{
	int ret = gosync_rwmutex_lock(rwmutex);

	return ret < 0 ? ret : gosync_rwmutex_unlock(rwmutex);
}

static int read_once(gosync_rwmutex_t *rwmutex)
{
	int ret = gosync_rwmutex_rlock(rwmutex);

	return ret < 0 ? ret : gosync_rwmutex_runlock(rwmutex);
}

static int acquire_once(gosync_semaphore_t *semaphore, unsigned int n)
{
	return gosync_semaphore_acquire(semaphore, n) ?:
	       gosync_semaphore_release(semaphore, n);
}

static int wait_for_signal(gosync_cond_t *cond, gosync_mutex_t *mutex)
{
	return gosync_mutex_lock(mutex) ?: gosync_cond_wait(cond, mutex) ?:
	       gosync_mutex_unlock(mutex);
}

static int die_with(int ret)
{
	if (!ret)
		raise(SIGKILL);
	return ret;
}

/*
 * A child waits for the caller's lock, is woken, finds it taken again, and has
 * waited too long. The caller rules the processor.
 */
static pid_t starve(gosync_mutex_t *mutex)
{
	pid_t pid;

	if (gosync_mutex_lock(mutex))
		return -1;
	pid = child(lock_once(mutex));
	come(mutex, 1);
	sleep_ns(2 * NSEC_PER_MSEC);
	if (gosync_mutex_unlock(mutex) || gosync_mutex_lock(mutex))
		return -1;
	if (!eventually(waiter_of(mutex, pid).flags & GOSYNC_PARTY_STARVING))
		return -1;
	return pid;
}

/* --- statistics ----------------------------------------------------------- */

FIXTURE(stat)
{
	gosync_mutex_t *mutex;
	gosync_rwmutex_t *rwmutex;
	gosync_semaphore_t *semaphore;
};

MAPPED_AND_IOCTL(stat);

FIXTURE_SETUP(stat)
{
	unsigned int flags = GOSYNC_CREATE | variant->how;

	ASSERT_EQ(0, gosync_mutex_open(NULL, flags, 0600, &self->mutex));
	ASSERT_EQ(0, gosync_rwmutex_open(NULL, flags, 0600, &self->rwmutex));
	ASSERT_EQ(0, gosync_semaphore_open(NULL, 0, flags, 0600,
					   &self->semaphore));
}

FIXTURE_TEARDOWN(stat)
{
}

#define EXPECT_STAT(object, _contended, _acquired, _handed_over, _gave_up) \
do {									\
	struct gosync_stat __stat = stat_of(object);			\
									\
	EXPECT_EQ(_contended, __stat.contended);			\
	EXPECT_EQ(_acquired, __stat.acquired);				\
	EXPECT_EQ(_handed_over, __stat.handed_over);			\
	EXPECT_EQ(_gave_up, __stat.gave_up);				\
	EXPECT_EQ(__stat.acquired, sum(&__stat));			\
	EXPECT_LE(__stat.wait_max_ns, __stat.wait_ns);			\
	EXPECT_LE(__stat.wait_ns, __stat.wait_max_ns * __stat.acquired); \
} while (0)

TEST_F(stat, what_nobody_waits_for_is_not_counted)
{
	int i;

	for (i = 0; i < 100; i++) {
		ASSERT_EQ(0, lock_once(self->mutex));
		ASSERT_EQ(0, write_once(self->rwmutex));
		ASSERT_EQ(0, read_once(self->rwmutex));
	}
	EXPECT_EQ(-EBUSY, gosync_semaphore_tryacquire(self->semaphore, 1));
	EXPECT_STAT(self->mutex, 0, 0, 0, 0);
	EXPECT_STAT(self->rwmutex, 0, 0, 0, 0);
	EXPECT_STAT(self->semaphore, 0, 0, 0, 0);
}

TEST_F(stat, a_mutex_whose_waiter_is_woken)
{
	pid_t pid;

	ASSERT_EQ(0, gosync_mutex_lock(self->mutex));
	pid = child(lock_once(self->mutex));
	ASSERT_TRUE(come(self->mutex, 1));
	EXPECT_STAT(self->mutex, 1, 0, 0, 0);
	ASSERT_EQ(0, gosync_mutex_unlock(self->mutex));
	EXPECT_EQ(0, reap_soon(pid));
	EXPECT_STAT(self->mutex, 1, 1, 0, 0);
	EXPECT_EQ(0, stat_of(self->mutex).starvations);
}

TEST_F(stat, a_mutex_that_is_handed_over)
{
	int i;

	if (rule_one_cpu())
		SKIP(return, "cannot have a processor");
	for (i = 1; i <= 3; i++) {
		pid_t pid = starve(self->mutex);

		ASSERT_LT(0, pid);
		ASSERT_EQ(0, gosync_mutex_unlock(self->mutex));
		EXPECT_EQ(0, reap_soon(pid));
		/* Woken and beaten, it waited on: that is one wait. */
		EXPECT_STAT(self->mutex, i, i, i, 0);
		EXPECT_EQ(i, stat_of(self->mutex).starvations);
	}
}

TEST_F(stat, how_long_a_wait_was)
{
	uint64_t least = 0, most = 0, before, waits, ends;
	struct gosync_stat stat;
	int i;

	for (i = 0; i < 3; i++) {
		pid_t pid;

		ASSERT_EQ(0, gosync_mutex_lock(self->mutex));
		before = now_ns(CLOCK_MONOTONIC);
		pid = child(lock_once(self->mutex));
		ASSERT_TRUE(come(self->mutex, 1));
		waits = now_ns(CLOCK_MONOTONIC);
		sleep_ns((3 - i) * 10 * NSEC_PER_MSEC);
		ends = now_ns(CLOCK_MONOTONIC);
		ASSERT_EQ(0, gosync_mutex_unlock(self->mutex));
		ASSERT_EQ(0, reap_soon(pid));
		least += ends - waits;
		most += now_ns(CLOCK_MONOTONIC) - before;
		stat = stat_of(self->mutex);
		EXPECT_LE(least, stat.wait_ns);
		EXPECT_GE(most, stat.wait_ns);
		EXPECT_LE(1, stat.histogram[range_of(stat.wait_max_ns)]);
		if (i)
			continue;
		EXPECT_EQ(stat.wait_ns, stat.wait_max_ns);
		EXPECT_EQ(1, stat.histogram[range_of(stat.wait_ns)]);
	}
	EXPECT_GT(stat.wait_ns, stat.wait_max_ns);
	EXPECT_EQ(stat.wait_max_ns, info(self->mutex).wait_max_ns);
	EXPECT_EQ(3, info(self->mutex).contended);
}

TEST_F(stat, who_gives_up)
{
	pid_t pid;

	ASSERT_EQ(0, gosync_mutex_lock(self->mutex));
	EXPECT_EQ(-ETIMEDOUT, gosync_mutex_lock_until(self->mutex, 1, 0));
	EXPECT_STAT(self->mutex, 1, 0, 0, 1);
	pid = child(lock_once(self->mutex));
	ASSERT_TRUE(come(self->mutex, 1));
	EXPECT_EQ(128 + SIGKILL, kill_and_reap(pid));
	EXPECT_STAT(self->mutex, 2, 0, 0, 2);
	pid = child(({
		handle(count_signal, 0);
		lock_fd(gosync_fd(self->mutex)) != -EINTR;
	}));
	ASSERT_TRUE(come(self->mutex, 1));
	kill(pid, SIGUSR1);
	EXPECT_EQ(0, reap_soon(pid));
	EXPECT_STAT(self->mutex, 3, 0, 0, 3);
	ASSERT_EQ(0, gosync_mutex_unlock(self->mutex));

	EXPECT_EQ(-ETIMEDOUT, gosync_semaphore_acquire_until(self->semaphore, 1,
							     1, 0));
	EXPECT_STAT(self->semaphore, 1, 0, 0, 1);
	ASSERT_EQ(0, gosync_rwmutex_rlock(self->rwmutex));
	EXPECT_EQ(-ETIMEDOUT, gosync_rwmutex_lock_until(self->rwmutex, 1, 0));
	EXPECT_STAT(self->rwmutex, 1, 0, 0, 1);
}

TEST_F(stat, readers_writers_and_the_drain)
{
	pid_t pids[3];
	int i;

	ASSERT_EQ(0, gosync_rwmutex_lock(self->rwmutex));
	for (i = 0; i < 3; i++)
		pids[i] = child(read_once(self->rwmutex));
	ASSERT_TRUE(come(self->rwmutex, 3));
	ASSERT_EQ(0, gosync_rwmutex_unlock(self->rwmutex));
	for (i = 0; i < 3; i++)
		EXPECT_EQ(0, reap_soon(pids[i]));
	EXPECT_STAT(self->rwmutex, 3, 3, 3, 0);

	ASSERT_EQ(0, gosync_rwmutex_lock(self->rwmutex));
	pids[0] = child(write_once(self->rwmutex));
	ASSERT_TRUE(come(self->rwmutex, 1));
	ASSERT_EQ(0, gosync_rwmutex_unlock(self->rwmutex));
	EXPECT_EQ(0, reap_soon(pids[0]));
	EXPECT_STAT(self->rwmutex, 4, 4, 3, 0);

	ASSERT_EQ(0, gosync_rwmutex_rlock(self->rwmutex));
	pids[0] = child(write_once(self->rwmutex));
	ASSERT_TRUE(come(self->rwmutex, 1));
	ASSERT_EQ(0, gosync_rwmutex_runlock(self->rwmutex));
	EXPECT_EQ(0, reap_soon(pids[0]));
	EXPECT_STAT(self->rwmutex, 5, 5, 4, 0);
}

TEST_F(stat, permits)
{
	pid_t pids[2];
	int i;

	for (i = 0; i < 2; i++)
		pids[i] = child(gosync_semaphore_acquire(self->semaphore, 2));
	ASSERT_TRUE(come(self->semaphore, 2));
	ASSERT_EQ(0, gosync_semaphore_release(self->semaphore, 4));
	for (i = 0; i < 2; i++)
		EXPECT_EQ(0, reap_soon(pids[i]));
	EXPECT_STAT(self->semaphore, 2, 2, 2, 0);
}

TEST_F(stat, a_waitgroup)
{
	gosync_waitgroup_t *wg;
	pid_t pids[2];
	int i;

	ASSERT_EQ(0, gosync_waitgroup_open(NULL, GOSYNC_CREATE | variant->how,
					   0600, &wg));
	ASSERT_EQ(0, gosync_waitgroup_add(wg, 1));
	for (i = 0; i < 2; i++)
		pids[i] = child(gosync_waitgroup_wait(wg));
	ASSERT_TRUE(come(wg, 2));
	ASSERT_EQ(0, gosync_waitgroup_done(wg));
	for (i = 0; i < 2; i++)
		EXPECT_EQ(0, reap_soon(pids[i]));
	EXPECT_STAT(wg, 2, 2, 2, 0);
}

TEST_F(stat, a_once)
{
	gosync_once_t *once;
	pid_t pids[2];
	int i;

	ASSERT_EQ(0, gosync_once_open(NULL, GOSYNC_CREATE | variant->how, 0600,
				      &once));
	ASSERT_EQ(GOSYNC_ONCE_RUN, gosync_once_begin(once));
	for (i = 0; i < 2; i++)
		pids[i] = child(gosync_once_begin(once));
	ASSERT_TRUE(come(once, 2));
	ASSERT_EQ(0, gosync_once_done(once));
	for (i = 0; i < 2; i++)
		EXPECT_EQ(0, reap_soon(pids[i]));
	EXPECT_STAT(once, 2, 2, 2, 0);
}

TEST_F(stat, a_cond)
{
	gosync_cond_t *cond;
	pid_t pids[3];
	int i;

	ASSERT_EQ(0, gosync_cond_open(NULL, GOSYNC_CREATE | variant->how, 0600,
				      &cond));
	for (i = 0; i < 3; i++)
		pids[i] = child(wait_for_signal(cond, self->mutex));
	ASSERT_TRUE(come(cond, 3));
	ASSERT_LE(0, gosync_cond_signal(cond));
	EXPECT_TRUE(eventually(stat_of(cond).acquired == 1));
	ASSERT_LE(0, gosync_cond_broadcast(cond));
	for (i = 0; i < 3; i++)
		EXPECT_EQ(0, reap_soon(pids[i]));
	EXPECT_STAT(cond, 3, 3, 3, 0);
	ASSERT_EQ(0, gosync_mutex_lock(self->mutex));
	EXPECT_EQ(-ETIMEDOUT, gosync_cond_wait_until(cond, self->mutex, 1, 0));
	EXPECT_STAT(cond, 4, 3, 3, 1);
}

TEST_F(stat, words)
{
	gosync_int32_t *word;
	int32_t now = 0;
	pid_t pid;

	ASSERT_EQ(0, gosync_int32_open(NULL, 1, GOSYNC_CREATE | variant->how,
				       0600, &word));
	pid = child(gosync_int32_wait(word, 0, 0, GOSYNC_FOREVER, 0, &now));
	ASSERT_TRUE(come(word, 1));
	sleep_ns(2 * NSEC_PER_MSEC);
	ASSERT_EQ(0, gosync_int32_store(word, 0, 1));
	ASSERT_LE(0, gosync_int32_wake(word, 0, 1));
	EXPECT_EQ(0, reap_soon(pid));
	EXPECT_STAT(word, 1, 1, 1, 0);
	EXPECT_LE(2 * NSEC_PER_MSEC, stat_of(word).wait_ns);
}

TEST_F(stat, owners_that_die)
{
	gosync_semaphore_t *semaphore;
	gosync_once_t *once;
	int i;

	ASSERT_EQ(0, gosync_once_open(NULL, GOSYNC_CREATE | variant->how, 0600,
				      &once));
	ASSERT_EQ(0, gosync_semaphore_open(NULL, 3, GOSYNC_CREATE |
					   GOSYNC_GIVE_BACK | variant->how,
					   0600, &semaphore));
	for (i = 1; i <= 2; i++) {
		reap(child(die_with(gosync_mutex_lock(self->mutex))));
		reap(child(die_with(gosync_rwmutex_lock(self->rwmutex))));
		reap(child(die_with(gosync_semaphore_acquire(semaphore, 2))));
		reap(child(die_with(gosync_once_begin(once) < 1)));
		EXPECT_EQ(1, gosync_mutex_lock(self->mutex));
		EXPECT_EQ(0, gosync_mutex_recover(self->mutex));
		EXPECT_EQ(0, gosync_mutex_unlock(self->mutex));
		EXPECT_EQ(1, gosync_rwmutex_lock(self->rwmutex));
		EXPECT_EQ(0, gosync_rwmutex_recover(self->rwmutex));
		EXPECT_EQ(0, gosync_rwmutex_unlock(self->rwmutex));
		EXPECT_EQ(i, stat_of(self->mutex).deaths);
		EXPECT_EQ(i, stat_of(self->rwmutex).deaths);
		EXPECT_EQ(i, stat_of(semaphore).deaths);
		EXPECT_EQ(i, stat_of(once).deaths);
	}
}

/* --- who waits ------------------------------------------------------------ */

static int lock_as(gosync_mutex_t *mutex, const char *name)
{
	prctl(PR_SET_NAME, name);
	return lock_once(mutex);
}

TEST_F(stat, waiters_in_their_order)
{
	static const char *const names[] = { "first", "second", "a third one" };
	struct gosync_party parties[4];
	uint64_t before;
	pid_t pids[3];
	int i;

	ASSERT_EQ(0, gosync_mutex_lock(self->mutex));
	EXPECT_EQ(0, gosync_waiters(self->mutex, parties, 4));
	before = now_ns(CLOCK_MONOTONIC);
	for (i = 0; i < 3; i++) {
		pids[i] = child(lock_as(self->mutex, names[i]));
		ASSERT_TRUE(come(self->mutex, i + 1));
	}
	ASSERT_EQ(3, gosync_waiters(self->mutex, parties, 4));
	for (i = 0; i < 3; i++) {
		EXPECT_EQ(pids[i], parties[i].pid);
		EXPECT_EQ(pids[i], parties[i].tid);
		EXPECT_STREQ(names[i], (char *)parties[i].comm);
		EXPECT_EQ(i + 1, parties[i].position);
		EXPECT_EQ(i + 1, parties[i].wait);
		EXPECT_EQ(GOSYNC_WANTS_IT, parties[i].wants);
		EXPECT_EQ(0, parties[i].count);
		EXPECT_EQ(0, parties[i].flags);
		EXPECT_GT(now_ns(CLOCK_MONOTONIC) - before, parties[i].ns);
		EXPECT_EQ(pids[i], holder_of(self->mutex,
					     parties[i].holder).pid);
	}
	EXPECT_GT(parties[0].ns, parties[1].ns);
	EXPECT_GT(parties[1].ns, parties[2].ns);
	sleep_ns(NSEC_PER_MSEC);
	EXPECT_LE(parties[0].ns + NSEC_PER_MSEC,
		  waiter_of(self->mutex, pids[0]).ns);
	/* As many as there is room for */
	EXPECT_EQ(2, gosync_waiters(self->mutex, parties, 2));
	EXPECT_EQ(pids[1], parties[1].pid);

	kill_and_reap(pids[0]);
	ASSERT_EQ(2, gosync_waiters(self->mutex, parties, 4));
	EXPECT_EQ(pids[1], parties[0].pid);
	EXPECT_EQ(1, parties[0].position);
	EXPECT_EQ(2, parties[0].wait);
	ASSERT_EQ(0, gosync_mutex_unlock(self->mutex));
	EXPECT_EQ(0, reap_soon(pids[1]));
	EXPECT_EQ(0, reap_soon(pids[2]));
	EXPECT_EQ(0, gosync_waiters(self->mutex, parties, 4));
}

struct thread {
	gosync_mutex_t *mutex;
	pid_t tid;
};

static void *lock_in_thread(void *arg)
{
	struct thread *thread = arg;

	prctl(PR_SET_NAME, "the thread");
	store(&thread->tid, syscall(SYS_gettid));
	lock_once(thread->mutex);
	return NULL;
}

TEST_F(stat, waiters_are_threads)
{
	struct thread thread = { self->mutex };
	struct gosync_party party;
	pthread_t id;

	ASSERT_EQ(0, gosync_mutex_lock(self->mutex));
	ASSERT_EQ(0, pthread_create(&id, NULL, lock_in_thread, &thread));
	ASSERT_TRUE(come(self->mutex, 1));
	party = waiter_of(self->mutex, getpid());
	EXPECT_EQ(thread.tid, party.tid);
	EXPECT_NE(getpid(), party.tid);
	EXPECT_STREQ("the thread", (char *)party.comm);
	EXPECT_EQ(info(self->mutex).holder, party.holder);
	ASSERT_EQ(0, gosync_mutex_unlock(self->mutex));
	pthread_join(id, NULL);
}

TEST_F(stat, waiters_with_a_deadline_or_starving)
{
	struct gosync_party party;
	pid_t pid;

	if (rule_one_cpu())
		SKIP(return, "cannot have a processor");
	ASSERT_EQ(0, gosync_mutex_lock(self->mutex));
	pid = child(lock_in_time(self->mutex, WATCHDOG * NSEC_PER_SEC));
	/* What it waits for is known once it sleeps. */
	EXPECT_TRUE(eventually(waiter_of(self->mutex, pid).flags ==
			       GOSYNC_PARTY_TIMED));
	ASSERT_EQ(0, gosync_mutex_unlock(self->mutex));
	EXPECT_EQ(0, reap_soon(pid));
	pid = starve(self->mutex);
	party = waiter_of(self->mutex, pid);
	EXPECT_EQ(GOSYNC_PARTY_STARVING, party.flags);
	EXPECT_LE(2 * NSEC_PER_MSEC, party.ns);
	EXPECT_EQ(2, party.wait);
	ASSERT_EQ(0, gosync_mutex_unlock(self->mutex));
	EXPECT_EQ(0, reap_soon(pid));
}

TEST_F(stat, waiters_of_an_rwmutex_want_different_things)
{
	struct gosync_party parties[5];
	pid_t drains, reads, writes;
	int i;

	ASSERT_EQ(0, gosync_rwmutex_rlock(self->rwmutex));
	drains = child(write_once(self->rwmutex));
	ASSERT_TRUE(come(self->rwmutex, 1));
	writes = child(write_once(self->rwmutex));
	ASSERT_TRUE(come(self->rwmutex, 2));
	reads = child(read_once(self->rwmutex));
	ASSERT_TRUE(come(self->rwmutex, 3));
	ASSERT_EQ(3, gosync_waiters(self->rwmutex, parties, 5));
	for (i = 0; i < 3; i++)
		EXPECT_EQ(1, parties[i].position);
	EXPECT_EQ(drains, parties[0].pid);
	EXPECT_EQ(GOSYNC_WANTS_TO_DRAIN, parties[0].wants);
	EXPECT_EQ(reads, parties[1].pid);
	EXPECT_EQ(GOSYNC_WANTS_TO_READ, parties[1].wants);
	EXPECT_EQ(writes, parties[2].pid);
	EXPECT_EQ(GOSYNC_WANTS_IT, parties[2].wants);
	ASSERT_EQ(0, gosync_rwmutex_runlock(self->rwmutex));
	EXPECT_EQ(0, reap_soon(drains));
	EXPECT_EQ(0, reap_soon(reads));
	EXPECT_EQ(0, reap_soon(writes));
}

TEST_F(stat, waiters_for_permits_and_words)
{
	gosync_int64_t *words;
	int64_t now;
	pid_t pid;

	pid = child(acquire_once(self->semaphore, 7));
	ASSERT_TRUE(come(self->semaphore, 1));
	EXPECT_EQ(7, waiter_of(self->semaphore, pid).count);
	EXPECT_EQ(GOSYNC_WANTS_IT, waiter_of(self->semaphore, pid).wants);
	kill_and_reap(pid);
	ASSERT_EQ(0, gosync_int64_open(NULL, 9, GOSYNC_CREATE | variant->how,
				       0600, &words));
	pid = child(gosync_int64_wait(words, 8, 0, GOSYNC_FOREVER, 0, &now));
	ASSERT_TRUE(come(words, 1));
	EXPECT_EQ(8, waiter_of(words, pid).count);
	EXPECT_EQ(GOSYNC_WANTS_IT, waiter_of(words, pid).wants);
	kill_and_reap(pid);
}

static void pause_here(int sig)
{
	pause();
}

/* Its place in the queue is there, the thread is elsewhere. */
TEST_F(stat, waiters_in_a_signal_handler)
{
	struct gosync_party party;
	gosync_cond_t *cond;
	pid_t pid;

	ASSERT_EQ(0, gosync_cond_open(NULL, GOSYNC_CREATE | variant->how, 0600,
				      &cond));
	pid = child(({
		handle(pause_here, SA_RESTART);
		wait_for_signal(cond, self->mutex);
	}));
	ASSERT_TRUE(come(cond, 1));
	EXPECT_EQ(pid, waiter_of(cond, pid).tid);
	kill(pid, SIGUSR1);
	EXPECT_TRUE(eventually(!waiter_of(cond, pid).tid));
	party = waiter_of(cond, pid);
	EXPECT_EQ(pid, party.pid);
	EXPECT_EQ(1, party.position);
	EXPECT_EQ(0, party.comm[0]);
	kill_and_reap(pid);
	EXPECT_EQ(0, waiter_of(cond, pid).pid);
}

static int ask_from_inside(gosync_mutex_t *mutex, pid_t inside)
{
	struct gosync_party parties[2];

	if (gosync_waiters(mutex, parties, 2) != 2)
		return 1;
	/* The first is outside. */
	if (parties[0].pid || parties[0].tid || parties[1].pid != inside ||
	    parties[1].tid != inside)
		return 2;
	if (strcmp((char *)parties[0].comm, (char *)parties[1].comm))
		return 3;
	if (myself(mutex).pid != (uint32_t)getpid() ||
	    holder_of(mutex, parties[0].holder).pid)
		return 4;
	return 0;
}

static int look_from_inside(gosync_mutex_t *mutex)
{
	pid_t inside;

	if (getpid() != 1)
		return 10;
	inside = fork();
	if (!inside)
		_exit(lock_once(mutex));
	if (!come(mutex, 2))
		return 11;
	return ask_from_inside(mutex, inside);
}

TEST_F(stat, processes_are_numbered_as_the_reader_sees_them)
{
	struct gosync_party parties[2];
	pid_t outside, between;

	ASSERT_EQ(0, gosync_mutex_lock(self->mutex));
	outside = child(lock_once(self->mutex));
	ASSERT_TRUE(come(self->mutex, 1));
	between = spawn();
	if (!between) {
		pid_t first;

		if (unshare(CLONE_NEWPID))
			_exit(KSFT_SKIP);
		first = fork();
		if (!first)
			_exit(look_from_inside(self->mutex));
		_exit(reap(first));
	}
	if (come(self->mutex, 2) &&
	    gosync_waiters(self->mutex, parties, 2) == 2) {
		EXPECT_EQ(outside, parties[0].pid);
		EXPECT_LT(between, parties[1].pid);
	}
	EXPECT_EQ(0, reap_soon(between));
	ASSERT_EQ(0, gosync_mutex_unlock(self->mutex));
	EXPECT_EQ(0, reap_soon(outside));
}

/* --- who holds ------------------------------------------------------------ */

TEST_F(stat, an_owner_that_did_not_wait)
{
	struct gosync_party me;
	uint64_t before;
	pid_t pid;

	EXPECT_EQ(0, myself(self->mutex).flags);
	EXPECT_EQ(getpid(), myself(self->mutex).pid);
	before = now_ns(CLOCK_MONOTONIC);
	ASSERT_EQ(0, gosync_mutex_lock(self->mutex));
	/* Nobody knows since when. */
	EXPECT_EQ(GOSYNC_PARTY_OWNS, myself(self->mutex).flags);
	EXPECT_EQ(0, myself(self->mutex).ns);
	pid = child(lock_once(self->mutex));
	ASSERT_TRUE(come(self->mutex, 1));
	sleep_ns(2 * NSEC_PER_MSEC);
	/* At least since that one came */
	me = myself(self->mutex);
	EXPECT_EQ(GOSYNC_PARTY_OWNS, me.flags);
	EXPECT_LE(2 * NSEC_PER_MSEC, me.ns);
	EXPECT_GE(now_ns(CLOCK_MONOTONIC) - before, me.ns);
	ASSERT_EQ(0, gosync_mutex_unlock(self->mutex));
	EXPECT_EQ(0, reap_soon(pid));
	EXPECT_EQ(0, myself(self->mutex).flags);
	EXPECT_EQ(0, myself(self->mutex).ns);
}

TEST_F(stat, an_owner_that_waited)
{
	uint64_t before, after;
	struct gosync_party me;
	pid_t pid;

	pid = child(({
		gosync_mutex_lock(self->mutex);
		come(self->mutex, 1);
		sleep_ns(5 * NSEC_PER_MSEC);
		gosync_mutex_unlock(self->mutex);
	}));
	ASSERT_TRUE(eventually(info(self->mutex).owner));
	ASSERT_EQ(0, gosync_mutex_lock(self->mutex));
	after = now_ns(CLOCK_MONOTONIC);
	ASSERT_EQ(0, reap_soon(pid));
	before = after - stat_of(self->mutex).wait_ns;
	sleep_ns(2 * NSEC_PER_MSEC);
	me = myself(self->mutex);
	EXPECT_EQ(GOSYNC_PARTY_OWNS | GOSYNC_PARTY_SINCE, me.flags);
	EXPECT_LE(2 * NSEC_PER_MSEC, me.ns);
	EXPECT_GT(now_ns(CLOCK_MONOTONIC) - before, me.ns);
	/* Taken anew without waiting, that is forgotten. */
	ASSERT_EQ(0, gosync_mutex_unlock(self->mutex));
	ASSERT_EQ(0, gosync_mutex_lock(self->mutex));
	EXPECT_EQ(GOSYNC_PARTY_OWNS, myself(self->mutex).flags);
}

TEST_F(stat, what_holders_hold)
{
	gosync_semaphore_t *semaphore;
	gosync_once_t *once;

	ASSERT_EQ(0, gosync_rwmutex_rlock(self->rwmutex));
	ASSERT_EQ(0, gosync_rwmutex_rlock(self->rwmutex));
	ASSERT_EQ(0, gosync_rwmutex_rlock(self->rwmutex));
	EXPECT_EQ(3, myself(self->rwmutex).count);
	EXPECT_EQ(0, myself(self->rwmutex).flags);
	ASSERT_EQ(0, gosync_rwmutex_runlock(self->rwmutex));
	EXPECT_EQ(2, myself(self->rwmutex).count);

	ASSERT_EQ(0, gosync_semaphore_open(NULL, 9, GOSYNC_CREATE |
					   GOSYNC_GIVE_BACK | variant->how,
					   0600, &semaphore));
	ASSERT_EQ(0, gosync_semaphore_acquire(semaphore, 5));
	ASSERT_EQ(0, gosync_semaphore_acquire(semaphore, 2));
	EXPECT_EQ(7, myself(semaphore).count);
	ASSERT_EQ(0, gosync_semaphore_release(semaphore, 3));
	EXPECT_EQ(4, myself(semaphore).count);
	/* Others' are nobody's. */
	ASSERT_EQ(0, gosync_semaphore_release(self->semaphore, 3));
	ASSERT_EQ(0, gosync_semaphore_acquire(self->semaphore, 2));
	EXPECT_EQ(0, myself(self->semaphore).count);

	ASSERT_EQ(0, gosync_once_open(NULL, GOSYNC_CREATE | variant->how, 0600,
				      &once));
	ASSERT_EQ(GOSYNC_ONCE_RUN, gosync_once_begin(once));
	EXPECT_TRUE(myself(once).flags & GOSYNC_PARTY_OWNS);
}

#define MANY	40

TEST_F(stat, holders_are_listed_a_few_at_a_time)
{
	struct gosync_party parties[7], *party;
	struct gosync_parties_args args = {
		.size = sizeof(args), .entries = to_u64(parties),
		.count = ARRAY_SIZE(parties), .entry_size = sizeof(*parties),
	};
	int fd = gosync_fd(self->mutex), ret, n = 0;
	char comm[16] = "";
	uint32_t last = 0;

	prctl(PR_GET_NAME, comm);
	for (n = 1; n < MANY; n++)
		ASSERT_LE(0, reopen_object(fd, n % 2 ? GOSYNC_RDONLY : 0));
	for (n = 0; (ret = call(fd, GOSYNC_IOC_HOLDERS, &args)) > 0; n += ret) {
		for (party = parties; party < parties + ret; party++) {
			EXPECT_LT(last, party->holder);
			last = party->holder;
			EXPECT_EQ(getpid(), party->pid);
			EXPECT_EQ(0, party->tid);
			EXPECT_STREQ(comm, (char *)party->comm);
		}
		EXPECT_EQ(last, args.cursor);
	}
	EXPECT_EQ(0, ret);
	EXPECT_EQ(MANY, n);
}

/* --- tracepoints ---------------------------------------------------------- */

struct event {
	const char *what;	/* without gosync_; the lock's: contention_... */
	const char *fields;	/* as printed */
	pid_t tid;
	bool is_lock;		/* the kernel's own */
};

FIXTURE(traced)
{
	char *dir;		/* of the tracing instance */
	char *name;		/* of the object */
	const char *type;	/* and what it is called */
	uint64_t id;
	uint64_t token;		/* before the first acquisition */
	gosync_mutex_t *mutex;
};

MAPPED_AND_IOCTL(traced);

static int set(FIXTURE_DATA(traced) *self, const char *file, const char *text)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", self->dir, file);
	return write_file(path, text);
}

/* All that this process and its children do is recorded from here on. */
FIXTURE_SETUP(traced)
{
	char pid[16];

	self->name = unique_name();
	if (asprintf(&self->dir, TRACING "/instances/gosync-%s", self->name) < 0)
		abort();
	if (access(TRACING "/instances", F_OK))
		mount("tracefs", TRACING, "tracefs", 0, NULL);
	if (mkdir(self->dir, 0700))
		SKIP(return, "no tracing");
	snprintf(pid, sizeof(pid), "%d", getpid());
	ASSERT_EQ(0, set(self, "buffer_size_kb", "1024"));
	ASSERT_EQ(0, set(self, "options/event-fork", "1"));
	ASSERT_EQ(0, set(self, "set_event_pid", pid));
	ASSERT_EQ(0, set(self, "events/gosync/enable", "1"));
}

FIXTURE_TEARDOWN(traced)
{
	rmdir(self->dir);
}

static char *read_all(FIXTURE_DATA(traced) *self, const char *file)
{
	size_t size = 0, room = 1 << 16;
	char *text = malloc(room), path[256];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "%s/%s", self->dir, file);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	while (text && (n = read(fd, text + size, room - size - 1)) > 0) {
		size += n;
		if (size == room - 1)
			text = realloc(text, room *= 2);
	}
	close(fd);
	if (!text)
		abort();
	text[size] = 0;
	return text;
}

/* "   comm-123   [001] d..2.  12.345: event: fields"; false: something else */
static bool parse(char *line, struct event *event)
{
	char *cpu = strstr(line, " ["), *at;

	if (!cpu || *line == '#')
		return false;
	for (at = cpu; at > line && at[-1] != '-'; at--)
		;
	event->tid = atoi(at);
	at = strstr(cpu, ": ");
	if (!at)
		return false;
	event->what = at + 2;
	at = strstr(event->what, ": ");
	if (!at)
		return false;
	*at = 0;
	event->fields = at + 2;
	event->is_lock = strncmp(event->what, "gosync_", 7);
	if (!event->is_lock)
		event->what += 7;
	return true;
}

/* What was recorded, ended by one that has no name */
static struct event *recorded(FIXTURE_DATA(traced) *self)
{
	char *text = read_all(self, "trace"), *line, *rest = text;
	struct event *events;
	size_t n = 1;

	for (line = text; *line; line++)
		n += *line == '\n';
	events = calloc(n + 1, sizeof(*events));
	for (n = 0; (line = strsep(&rest, "\n"));)
		n += parse(line, &events[n]);
	events[n].what = NULL;
	return events;
}

static const char *field(const struct event *event, const char *name)
{
	size_t len = strlen(name);
	const char *at = event->fields;

	for (; at; at = strchr(at, ' ')) {
		at += *at == ' ';
		if (!strncmp(at, name, len) && at[len] == '=')
			return at + len + 1;
	}
	return "";
}

static bool is_word(const char *at, const char *word, size_t len)
{
	return !strncmp(at, word, len) && (at[len] == ' ' || !at[len]);
}

static bool has_word(const char *text, const char *word, size_t len)
{
	const char *at = text;

	for (; at; at = strchr(at, ' ')) {
		at += *at == ' ';
		if (is_word(at, word, len))
			return true;
	}
	return false;
}

static bool has_words(const char *text, const char *words)
{
	while (*words) {
		size_t len = strcspn(words, " ");

		if (len && !has_word(text, words, len))
			return false;
		words += len + !!words[len];
	}
	return true;
}

/* Is this of the object, and of what was meant? */
static bool is_ours(FIXTURE_DATA(traced) *self, const struct event *event,
		    const char *what)
{
	char words[384];

	snprintf(words, sizeof(words), "name=%s id=%llu type=%s", self->name,
		 (unsigned long long)self->id, self->type);
	return !event->is_lock && !strcmp(event->what, what) &&
	       has_words(event->fields, words);
}

/* How often the object raised @what, with these fields */
static unsigned int seen(FIXTURE_DATA(traced) *self, const char *what,
			 const char *format, ...)
{
	struct event *events = recorded(self), *event;
	unsigned int n = 0;
	char words[256];
	va_list args;

	va_start(args, format);
	vsnprintf(words, sizeof(words), format, args);
	va_end(args);
	for (event = events; event->what; event++)
		n += is_ours(self, event, what) &&
		     has_words(event->fields, words);
	return n;
}

/* It was raised once, and with these fields. */
#define EXPECT_ONCE(what, ...)						\
do {									\
	EXPECT_EQ(1, seen(self, what, ""));				\
	EXPECT_EQ(1, seen(self, what, __VA_ARGS__)) {			\
		char *__text = read_all(self, "trace");			\
									\
		TH_LOG("wanted " what ": " __VA_ARGS__);		\
		TH_LOG("%.8000s", __text);				\
	}								\
} while (0)

/* The object that is meant from here on */
static void trace_object(FIXTURE_DATA(traced) *self, const void *object,
			 const char *type)
{
	self->id = info(object).id;
	self->token = info(object).token;
	self->type = type;
}

#define MAKE_MUTEX()							\
do {									\
	ASSERT_EQ(0, gosync_mutex_open(self->name, GOSYNC_CREATE |	\
				       variant->how, 0600, &self->mutex)); \
	trace_object(self, self->mutex, "mutex");			\
} while (0)

TEST_F(traced, objects_come_and_go)
{
	int fd, again;

	fd = open_object(GOSYNC_SEMAPHORE, self->name,
			 GOSYNC_CREATE | GOSYNC_PERSIST, 0600);
	ASSERT_LE(0, fd);
	self->id = info_of(fd).id;
	self->type = "semaphore";
	EXPECT_ONCE("create", "holder=0 token=0");
	EXPECT_ONCE("open", "holder=%u token=0", info_of(fd).holder);
	again = reopen_object(fd, 0);
	EXPECT_EQ(2, seen(self, "open", ""));
	EXPECT_EQ(1, seen(self, "open", "holder=%u", info_of(again).holder));
	close(again);
	close(fd);
	EXPECT_EQ(0, seen(self, "unlink", "") + seen(self, "destroy", ""));
	ASSERT_EQ(0, gosync_unlink(self->name));
	EXPECT_ONCE("unlink", "holder=0");
	EXPECT_TRUE(eventually(seen(self, "destroy", "") == 1));
	EXPECT_ONCE("destroy", "holder=0");
	EXPECT_ONCE("create", "");
}

/* The token of the Nth acquisition */
#define T(n)	((unsigned long long)self->token + (n))

TEST_F(traced, a_wait_from_beginning_to_end)
{
	unsigned int me, waiter;
	pid_t pid;

	MAKE_MUTEX();
	me = info(self->mutex).holder;
	ASSERT_EQ(0, gosync_mutex_lock(self->mutex));
	pid = child(lock_once(self->mutex));
	ASSERT_TRUE(come(self->mutex, 1));
	waiter = waiter_of(self->mutex, pid).holder;
	EXPECT_TRUE(eventually(seen(self, "contention_begin", "")));
	EXPECT_ONCE("contention_begin",
		    "holder=%u token=%llu wants=it owner=%u owner_pid=%d",
		    waiter, T(1), me, getpid());
	EXPECT_EQ(0, seen(self, "acquired", "") + seen(self, "wake", "") +
		     seen(self, "contention_end", ""));
	ASSERT_EQ(0, gosync_mutex_unlock(self->mutex));
	EXPECT_EQ(0, reap_soon(pid));
	EXPECT_ONCE("wake", "holder=%u how=woken tid=%d", waiter, pid);
	EXPECT_ONCE("acquired", "holder=%u token=%llu how=woken wait_ns=%llu",
		    waiter, T(2),
		    (unsigned long long)stat_of(self->mutex).wait_ns);
	EXPECT_ONCE("contention_end", "holder=%u token=%llu ret=0", waiter, T(2));
	EXPECT_ONCE("contention_begin", "");
	EXPECT_EQ(0, seen(self, "starvation_begin", ""));
}

TEST_F(traced, starvation_and_what_is_handed_over)
{
	unsigned int waiter;
	pid_t pid;

	if (rule_one_cpu())
		SKIP(return, "cannot have a processor");
	MAKE_MUTEX();
	pid = starve(self->mutex);
	ASSERT_LT(0, pid);
	waiter = waiter_of(self->mutex, pid).holder;
	EXPECT_ONCE("starvation_begin", "holder=0 token=%llu", T(2));
	EXPECT_EQ(0, seen(self, "starvation_end", ""));
	EXPECT_ONCE("wake", "holder=%u how=woken tid=%d", waiter, pid);
	ASSERT_EQ(0, gosync_mutex_unlock(self->mutex));
	EXPECT_EQ(0, reap_soon(pid));
	EXPECT_ONCE("starvation_begin", "");
	EXPECT_ONCE("starvation_end", "holder=0");
	EXPECT_EQ(2, seen(self, "wake", ""));
	EXPECT_EQ(1, seen(self, "wake", "holder=%u how=handed-over tid=%d",
			  waiter, pid));
	EXPECT_ONCE("acquired",
		    "holder=%u token=%llu how=handed-over wait_ns=%llu", waiter, T(3),
		    (unsigned long long)stat_of(self->mutex).wait_ns);
	/* One wait, though it was woken in between */
	EXPECT_ONCE("contention_begin", "");
	EXPECT_ONCE("contention_end", "ret=0");
}

TEST_F(traced, who_barges)
{
	pid_t pids[2];
	int fd, i;

	if (rule_one_cpu())
		SKIP(return, "cannot have a processor");
	MAKE_MUTEX();
	fd = gosync_fd(self->mutex);
	ASSERT_EQ(0, lock_fd(fd));
	for (i = 0; i < 2; i++)
		pids[i] = child(lock_once(self->mutex));
	ASSERT_TRUE(come(self->mutex, 2));
	ASSERT_EQ(0, unlock_fd(fd));
	ASSERT_EQ(0, lock_fd(fd));
	EXPECT_ONCE("acquired", "holder=%u token=%llu how=barged wait_ns=0",
		    info_of(fd).holder, T(2));
	ASSERT_EQ(0, unlock_fd(fd));
	for (i = 0; i < 2; i++)
		EXPECT_EQ(0, reap_soon(pids[i]));
	/* That was no wait. */
	EXPECT_EQ(2, stat_of(self->mutex).acquired);
	EXPECT_EQ(3, seen(self, "acquired", ""));
}

TEST_F(traced, who_gives_up)
{
	pid_t pid;

	MAKE_MUTEX();
	ASSERT_EQ(0, gosync_mutex_lock(self->mutex));
	EXPECT_EQ(-ETIMEDOUT, gosync_mutex_lock_until(self->mutex, 1, 0));
	EXPECT_ONCE("contention_end", "holder=%u ret=%d",
		    info(self->mutex).holder, -ETIMEDOUT);
	pid = child(lock_once(self->mutex));
	ASSERT_TRUE(come(self->mutex, 1));
	kill_and_reap(pid);
	EXPECT_EQ(1, seen(self, "contention_end", "ret=-512"));
	EXPECT_EQ(2, seen(self, "contention_end", ""));
	EXPECT_EQ(2, seen(self, "contention_begin", ""));
	EXPECT_EQ(0, seen(self, "acquired", ""));
}

TEST_F(traced, owners_that_die_and_recovery)
{
	unsigned int *holder = shared_memory(sizeof(*holder));

	MAKE_MUTEX();
	reap(child(({
		*holder = info(self->mutex).holder;
		die_with(gosync_mutex_lock(self->mutex));
	})));
	EXPECT_ONCE("owner_died", "holder=%u token=%llu", *holder, T(1));
	ASSERT_EQ(1, gosync_mutex_lock(self->mutex));
	EXPECT_EQ(0, seen(self, "recovered", ""));
	ASSERT_EQ(0, gosync_mutex_recover(self->mutex));
	EXPECT_ONCE("recovered", "holder=%u token=%llu", info(self->mutex).holder, T(2));
	ASSERT_EQ(0, gosync_mutex_unlock(self->mutex));
	EXPECT_ONCE("owner_died", "");
}

TEST_F(traced, an_rwmutex)
{
	unsigned int drains, reads, me;
	gosync_rwmutex_t *rwmutex;
	pid_t pids[2];

	ASSERT_EQ(0, gosync_rwmutex_open(self->name, GOSYNC_CREATE |
					 variant->how, 0600, &rwmutex));
	trace_object(self, rwmutex, "rwmutex");
	me = info(rwmutex).holder;
	ASSERT_EQ(0, gosync_rwmutex_rlock(rwmutex));
	pids[0] = child(write_once(rwmutex));
	ASSERT_TRUE(come(rwmutex, 1));
	drains = waiter_of(rwmutex, pids[0]).holder;
	pids[1] = child(read_once(rwmutex));
	ASSERT_TRUE(come(rwmutex, 2));
	reads = waiter_of(rwmutex, pids[1]).holder;
	EXPECT_TRUE(eventually(seen(self, "contention_begin", "") == 2));
	EXPECT_ONCE("rwmutex_drain", "holder=%u token=%llu", drains, T(1));
	EXPECT_EQ(1, seen(self, "contention_begin",
			  "holder=%u wants=drain owner=%u owner_pid=%d",
			  drains, drains, pids[0]));
	EXPECT_EQ(1, seen(self, "contention_begin",
			  "holder=%u wants=read owner=%u owner_pid=%d", reads,
			  drains, pids[0]));
	ASSERT_EQ(0, gosync_rwmutex_runlock(rwmutex));
	EXPECT_EQ(0, reap_soon(pids[0]));
	EXPECT_EQ(0, reap_soon(pids[1]));
	EXPECT_EQ(1, seen(self, "wake", "holder=%u how=handed-over tid=%d",
			  drains, pids[0]));
	EXPECT_EQ(1, seen(self, "wake", "holder=%u how=handed-over tid=%d",
			  reads, pids[1]));
	EXPECT_EQ(1, seen(self, "acquired", "holder=%u how=handed-over",
			  drains));
	EXPECT_EQ(1, seen(self, "acquired", "holder=%u how=handed-over",
			  reads));
	ASSERT_EQ(0, gosync_rwmutex_lock(rwmutex));
	pids[0] = child(write_once(rwmutex));
	EXPECT_TRUE(eventually(seen(self, "contention_begin",
				    "wants=it owner=%u owner_pid=%d", me,
				    getpid())));
	ASSERT_EQ(0, gosync_rwmutex_unlock(rwmutex));
	EXPECT_EQ(0, reap_soon(pids[0]));
	EXPECT_EQ(3, seen(self, "contention_end", "ret=0"));
}

TEST_F(traced, a_cond)
{
	gosync_cond_t *cond;
	unsigned int me;
	pid_t pids[3];
	int i;

	ASSERT_EQ(0, gosync_mutex_open(NULL, GOSYNC_CREATE | variant->how, 0600,
				       &self->mutex));
	ASSERT_EQ(0, gosync_cond_open(self->name, GOSYNC_CREATE | variant->how,
				      0600, &cond));
	trace_object(self, cond, "cond");
	me = info(cond).holder;
	for (i = 0; i < 3; i++) {
		pids[i] = child(wait_for_signal(cond, self->mutex));
		ASSERT_TRUE(come(cond, i + 1));
		EXPECT_TRUE(eventually(seen(self, "cond_wait", "holder=%u",
					    waiter_of(cond, pids[i]).holder)));
	}
	EXPECT_EQ(3, seen(self, "cond_wait", ""));
	ASSERT_LE(0, gosync_cond_signal(cond));
	EXPECT_ONCE("cond_signal", "holder=%u count=1", me);
	EXPECT_EQ(0, reap_soon(pids[0]));
	EXPECT_ONCE("wake", "how=handed-over tid=%d", pids[0]);
	ASSERT_LE(0, gosync_cond_broadcast(cond));
	EXPECT_EQ(1, seen(self, "cond_signal", "holder=%u count=2", me));
	EXPECT_EQ(0, reap_soon(pids[1]));
	EXPECT_EQ(0, reap_soon(pids[2]));
	EXPECT_EQ(3, seen(self, "acquired", "how=handed-over"));
	EXPECT_EQ(3, seen(self, "contention_end", "ret=0"));
}

static void take_long(int sig)
{
	sleep_ns(100 * NSEC_PER_MSEC);
}

/* Whatever becomes of it, a wait that begins has an end. */
TEST_F(traced, waits_for_a_cond_that_a_signal_interrupts)
{
	gosync_cond_t *cond;
	pid_t pid;

	ASSERT_EQ(0, gosync_mutex_open(NULL, GOSYNC_CREATE | variant->how, 0600,
				       &self->mutex));
	ASSERT_EQ(0, gosync_cond_open(self->name, GOSYNC_CREATE | variant->how,
				      0600, &cond));
	trace_object(self, cond, "cond");
	pid = child(wait_for_signal(cond, self->mutex));
	ASSERT_TRUE(come(cond, 1));
	kill_and_reap(pid);
	EXPECT_EQ(1, stat_of(cond).gave_up);
	EXPECT_ONCE("contention_begin", "");
	EXPECT_ONCE("contention_end", "ret=-512");

	pid = child(({
		handle(take_long, SA_RESTART);
		wait_for_signal(cond, self->mutex);
	}));
	ASSERT_TRUE(come(cond, 1));
	kill(pid, SIGUSR1);
	EXPECT_TRUE(eventually(!waiter_of(cond, pid).tid));
	/* Signalled in its handler most likely, or when it was back */
	ASSERT_LE(0, gosync_cond_signal(cond));
	EXPECT_EQ(0, reap_soon(pid));
	EXPECT_EQ(1, stat_of(cond).acquired);
	EXPECT_ONCE("acquired", "how=handed-over wait_ns=%llu",
		    (unsigned long long)stat_of(cond).wait_ns);
	EXPECT_EQ(1, seen(self, "contention_end", "ret=0"));

	/* It never comes back. */
	pid = child(({
		handle(pause_here, SA_RESTART);
		wait_for_signal(cond, self->mutex);
	}));
	ASSERT_TRUE(come(cond, 1));
	kill(pid, SIGUSR1);
	EXPECT_TRUE(eventually(!waiter_of(cond, pid).tid));
	kill_and_reap(pid);
	EXPECT_EQ(2, stat_of(cond).gave_up);
	EXPECT_EQ(2, seen(self, "contention_end", "ret=-512"));
	EXPECT_EQ(3, seen(self, "contention_end", ""));
}

TEST_F(traced, a_waitgroup)
{
	gosync_waitgroup_t *wg;
	pid_t pids[2];
	int i;

	ASSERT_EQ(0, gosync_waitgroup_open(self->name, GOSYNC_CREATE |
					   variant->how, 0600, &wg));
	trace_object(self, wg, "waitgroup");
	ASSERT_EQ(0, gosync_waitgroup_add(wg, 1));
	for (i = 0; i < 2; i++)
		pids[i] = child(gosync_waitgroup_wait(wg));
	ASSERT_TRUE(come(wg, 2));
	ASSERT_EQ(0, gosync_waitgroup_done(wg));
	for (i = 0; i < 2; i++)
		EXPECT_EQ(0, reap_soon(pids[i]));
	EXPECT_ONCE("waitgroup_zero", "holder=%u token=0 count=2",
		    info(wg).holder);
	EXPECT_EQ(2, seen(self, "acquired", "how=handed-over"));
}

TEST_F(traced, a_once)
{
	unsigned int *holder = shared_memory(sizeof(*holder));
	gosync_once_t *once;
	unsigned int me;
	pid_t pid;

	ASSERT_EQ(0, gosync_once_open(self->name, GOSYNC_CREATE | variant->how,
				      0600, &once));
	trace_object(self, once, "once");
	me = info(once).holder;
	pid = child(({
		*holder = info(once).holder;
		gosync_once_begin(once);
		pause();
	}));
	ASSERT_TRUE(eventually(info(once).owner));
	EXPECT_ONCE("once_begin", "holder=%u", *holder);
	kill_and_reap(pid);
	EXPECT_ONCE("once_abandoned", "holder=%u", *holder);
	ASSERT_EQ(GOSYNC_ONCE_RUN_AGAIN, gosync_once_begin(once));
	EXPECT_EQ(1, seen(self, "once_begin", "holder=%u", me));
	EXPECT_EQ(0, seen(self, "once_done", ""));
	pid = child(gosync_once_begin(once));
	EXPECT_TRUE(eventually(seen(self, "contention_begin",
				    "owner=%u owner_pid=%d", me, getpid())));
	ASSERT_EQ(0, gosync_once_done(once));
	EXPECT_EQ(0, reap_soon(pid));
	EXPECT_ONCE("once_done", "holder=%u", me);
	EXPECT_EQ(2, seen(self, "once_begin", ""));
	EXPECT_ONCE("once_abandoned", "");
}

TEST_F(traced, permits)
{
	gosync_semaphore_t *semaphore;
	unsigned int waiter;
	pid_t pid;

	ASSERT_EQ(0, gosync_semaphore_open(self->name, 1, GOSYNC_CREATE |
					   variant->how, 0600, &semaphore));
	trace_object(self, semaphore, "semaphore");
	ASSERT_EQ(0, gosync_semaphore_acquire(semaphore, 1));
	pid = child(acquire_once(semaphore, 1));
	ASSERT_TRUE(come(semaphore, 1));
	waiter = waiter_of(semaphore, pid).holder;
	EXPECT_TRUE(eventually(seen(self, "contention_begin", "")));
	EXPECT_ONCE("contention_begin",
		    "holder=%u token=0 wants=it owner=0 owner_pid=0", waiter);
	ASSERT_EQ(0, gosync_semaphore_release(semaphore, 1));
	EXPECT_EQ(0, reap_soon(pid));
	EXPECT_ONCE("wake", "holder=%u how=handed-over tid=%d", waiter, pid);
	EXPECT_ONCE("acquired", "holder=%u how=handed-over wait_ns=%llu",
		    waiter, (unsigned long long)stat_of(semaphore).wait_ns);
	EXPECT_ONCE("contention_end", "ret=0");
}

TEST_F(traced, words)
{
	gosync_int32_t *word;
	int32_t now;
	pid_t pid;

	ASSERT_EQ(0, gosync_int32_open(self->name, 1, GOSYNC_CREATE |
				       variant->how, 0600, &word));
	trace_object(self, word, "int32");
	pid = child(gosync_int32_wait(word, 0, 0, GOSYNC_FOREVER, 0, &now));
	ASSERT_TRUE(come(word, 1));
	EXPECT_TRUE(eventually(seen(self, "contention_begin", "")));
	ASSERT_EQ(0, gosync_int32_store(word, 0, 1));
	ASSERT_LE(0, gosync_int32_wake(word, 0, 1));
	EXPECT_EQ(0, reap_soon(pid));
	EXPECT_ONCE("wake", "tid=%d", pid);
	EXPECT_ONCE("acquired", "wait_ns=%llu",
		    (unsigned long long)stat_of(word).wait_ns);
	EXPECT_ONCE("contention_end", "ret=0");
}

TEST_F(traced, values_and_maps)
{
	const struct gosync_map_limits limits = {};
	char *name = self->name;
	gosync_value_t *value;
	gosync_map_t *map;
	uint32_t key;
	int v = 1;

	ASSERT_EQ(0, gosync_value_open(name, 0, GOSYNC_CREATE | variant->how,
				       0600, &value));
	trace_object(self, value, "value");
	ASSERT_EQ(0, gosync_value_store(value, 1, &v, sizeof(v)));
	EXPECT_ONCE("value_store", "holder=%u", info(value).holder);
	ASSERT_EQ(1, gosync_value_cas(value, 1, &v, sizeof(v), 1, &v,
				      sizeof(v)));
	EXPECT_EQ(2, seen(self, "value_store", ""));
	ASSERT_EQ(-EPROTOTYPE, gosync_value_store(value, 2, &v, sizeof(v)));
	EXPECT_EQ(2, seen(self, "value_store", ""));

	self->name = unique_name();
	ASSERT_EQ(0, gosync_map_open(self->name, &limits, GOSYNC_CREATE |
				     variant->how, 0600, &map));
	trace_object(self, map, "map");
	for (key = 0; key < 16; key++)
		ASSERT_EQ(0, gosync_map_store(map, &key, sizeof(key), &v,
					      sizeof(v)));
	EXPECT_EQ(0, seen(self, "map_grow", ""));
	for (; key < GOSYNC_MAP_SMALL; key++)
		ASSERT_EQ(0, gosync_map_store(map, &key, sizeof(key), &v,
					      sizeof(v)));
	EXPECT_LE(1, seen(self, "map_grow", ""));
	EXPECT_EQ(0, seen(self, "map_grow", "count=0"));
}

/*
 * What the kernel's own lock event says of the object's last wait, between
 * "flags=" and ")"; NULL: nothing. It comes just before ours, and so does the
 * one that ends it.
 */
static const char *lock_flags(FIXTURE_DATA(traced) *self, bool *ends)
{
	struct event *events = recorded(self), *event;
	struct event *before = NULL, *begin = NULL;
	const char *flags = NULL;

	*ends = false;
	for (event = events; event->what; event++) {
		if (is_ours(self, event, "contention_begin")) {
			begin = event;
			for (before = event - 1; before >= events &&
			     before->tid != event->tid; before--)
				;
			if (before < events || !before->is_lock ||
			    strcmp(before->what, "contention_begin"))
				before = NULL;
		}
		if (before && event->is_lock && event->tid == before->tid &&
		    !strcmp(event->what, "contention_end")) {
			*ends |= has_word(event->fields, before->fields,
					  strcspn(before->fields, " "));
		}
	}
	if (!begin || !before)
		return NULL;
	flags = strstr(before->fields, "flags=");
	return flags ? strndup(flags + 6, strcspn(flags + 6, ")")) : NULL;
}

/* The child waited for @object, and is let go by @release. */
#define EXPECT_FLAGS(flags, object, type, waits, release)		\
do {									\
	const char *__flags;						\
	bool __ends;							\
	pid_t __pid;							\
									\
	trace_object(self, object, type);				\
	__pid = child(waits);						\
	ASSERT_TRUE(come(object, 1));					\
	ASSERT_TRUE(eventually(seen(self, "contention_begin",		\
				    "holder=%u",			\
				    waiter_of(object, __pid).holder)));	\
	ASSERT_LE(0, release);						\
	EXPECT_EQ(0, reap_soon(__pid));					\
	__flags = lock_flags(self, &__ends);				\
	EXPECT_EQ(!!(flags), !!__flags);				\
	if (flags && __flags) {						\
		EXPECT_STREQ(flags, __flags);				\
		EXPECT_TRUE(__ends);					\
	}								\
} while (0)

TEST_F(traced, the_kernels_own_lock_events)
{
	unsigned int flags = GOSYNC_CREATE | variant->how;
	gosync_semaphore_t *semaphore;
	gosync_rwmutex_t *rwmutex;
	gosync_waitgroup_t *wg;
	const char *none = NULL;
	gosync_once_t *once;
	gosync_cond_t *cond;
	gosync_int32_t *word;
	int32_t now;

	/* It raises them for each of its own mutexes, so for who reads them, too. */
	if (!access("/sys/kernel/debug/kmemleak", F_OK))
		SKIP(return, "the debug kernel's lock events have no end");
	if (set(self, "events/lock/contention_begin/enable", "1") ||
	    set(self, "events/lock/contention_end/enable", "1"))
		SKIP(return, "no lock events");
	MAKE_MUTEX();
	ASSERT_EQ(0, gosync_mutex_lock(self->mutex));
	EXPECT_FLAGS("MUTEX", self->mutex, "mutex", lock_once(self->mutex),
		     gosync_mutex_unlock(self->mutex));
	self->name = unique_name();
	ASSERT_EQ(0, gosync_rwmutex_open(self->name, flags, 0600, &rwmutex));
	ASSERT_EQ(0, gosync_rwmutex_lock(rwmutex));
	EXPECT_FLAGS("READ", rwmutex, "rwmutex", read_once(rwmutex),
		     gosync_rwmutex_unlock(rwmutex));
	ASSERT_EQ(0, gosync_rwmutex_lock(rwmutex));
	EXPECT_FLAGS("WRITE", rwmutex, "rwmutex", write_once(rwmutex),
		     gosync_rwmutex_unlock(rwmutex));
	ASSERT_EQ(0, gosync_rwmutex_rlock(rwmutex));
	EXPECT_FLAGS("WRITE", rwmutex, "rwmutex", write_once(rwmutex),
		     gosync_rwmutex_runlock(rwmutex));
	self->name = unique_name();
	ASSERT_EQ(0, gosync_semaphore_open(self->name, 0, flags, 0600,
					   &semaphore));
	EXPECT_FLAGS("", semaphore, "semaphore", acquire_once(semaphore, 1),
		     gosync_semaphore_release(semaphore, 1));

	self->name = unique_name();
	ASSERT_EQ(0, gosync_cond_open(self->name, flags, 0600, &cond));
	EXPECT_FLAGS(none, cond, "cond", wait_for_signal(cond, self->mutex),
		     gosync_cond_signal(cond));
	self->name = unique_name();
	ASSERT_EQ(0, gosync_waitgroup_open(self->name, flags, 0600, &wg));
	ASSERT_EQ(0, gosync_waitgroup_add(wg, 1));
	EXPECT_FLAGS(none, wg, "waitgroup", gosync_waitgroup_wait(wg),
		     gosync_waitgroup_done(wg));
	self->name = unique_name();
	ASSERT_EQ(0, gosync_once_open(self->name, flags, 0600, &once));
	ASSERT_EQ(GOSYNC_ONCE_RUN, gosync_once_begin(once));
	EXPECT_FLAGS(none, once, "once", gosync_once_begin(once),
		     gosync_once_done(once));
	self->name = unique_name();
	ASSERT_EQ(0, gosync_int32_open(self->name, 1, flags, 0600, &word));
	EXPECT_FLAGS(none, word, "int32",
		     gosync_int32_wait(word, 0, 0, GOSYNC_FOREVER, 0, &now),
		     gosync_int32_store(word, 0, 1) ?:
		     gosync_int32_wake(word, 0, 1));
}

/* --- a recording and the statistics agree --------------------------------- */

#define PROCESSES	4
#define ROUNDS		60

struct objects {
	gosync_mutex_t *mutex;
	gosync_rwmutex_t *rwmutex;
	gosync_semaphore_t *semaphore;
};

/* A while that is long enough for others to come, or not */
static void dwell(uint64_t *state)
{
	uint32_t n = random_u32(state) % 8;

	if (n)
		sleep_ns(n * 50 * NSEC_PER_USEC);
}

static void contend(const struct objects *objects, uint64_t state)
{
	int i;

	for (i = 0; i < ROUNDS; i++) {
		uint64_t deadline = GOSYNC_FOREVER;
		int ret = -1;

		if (random_u32(&state) % 3 == 0)
			deadline = gosync_deadline(random_u32(&state) %
						   NSEC_PER_MSEC);
		switch (random_u32(&state) % 4) {
		case 0:
			ret = gosync_mutex_lock_until(objects->mutex, deadline,
						      0);
			dwell(&state);
			if (ret >= 0)
				gosync_mutex_unlock(objects->mutex);
			break;
		case 1:
			ret = gosync_rwmutex_lock_until(objects->rwmutex,
							deadline, 0);
			dwell(&state);
			if (ret >= 0)
				gosync_rwmutex_unlock(objects->rwmutex);
			break;
		case 2:
			ret = gosync_rwmutex_rlock_until(objects->rwmutex,
							 deadline, 0);
			dwell(&state);
			if (ret >= 0)
				gosync_rwmutex_runlock(objects->rwmutex);
			break;
		default:
			ret = gosync_semaphore_acquire_until(objects->semaphore,
							     1, deadline, 0);
			dwell(&state);
			if (ret >= 0)
				gosync_semaphore_release(objects->semaphore, 1);
			break;
		}
	}
}

/* The same as the object says of itself, counted from a recording */
static struct gosync_stat counted(const struct event *event, uint64_t id)
{
	struct gosync_stat stat = {};
	char words[32];

	snprintf(words, sizeof(words), "id=%llu", (unsigned long long)id);
	for (; event->what; event++) {
		uint64_t ns;

		if (event->is_lock || !has_words(event->fields, words))
			continue;
		if (!strcmp(event->what, "contention_begin"))
			stat.contended++;
		if (!strcmp(event->what, "contention_end"))
			stat.gave_up += atoi(field(event, "ret")) != 0;
		if (!strcmp(event->what, "starvation_begin"))
			stat.starvations++;
		if (!strcmp(event->what, "owner_died"))
			stat.deaths++;
		if (strcmp(event->what, "acquired") ||
		    is_word(field(event, "how"), "barged", 6))
			continue;
		ns = strtoull(field(event, "wait_ns"), NULL, 10);
		stat.acquired++;
		stat.handed_over += is_word(field(event, "how"), "handed-over",
					    11);
		stat.wait_ns += ns;
		if (ns > stat.wait_max_ns)
			stat.wait_max_ns = ns;
		stat.histogram[range_of(ns)]++;
	}
	return stat;
}

#define EXPECT_SAME(object)						\
do {									\
	struct gosync_stat __kept = stat_of(object);			\
	struct gosync_stat __counted = counted(events, info(object).id); \
	int __i;							\
									\
	EXPECT_EQ(__counted.contended, __kept.contended);		\
	EXPECT_EQ(__counted.acquired, __kept.acquired);			\
	EXPECT_EQ(__counted.handed_over, __kept.handed_over);		\
	EXPECT_EQ(__counted.gave_up, __kept.gave_up);			\
	EXPECT_EQ(__counted.wait_ns, __kept.wait_ns);			\
	EXPECT_EQ(__counted.wait_max_ns, __kept.wait_max_ns);		\
	EXPECT_EQ(__counted.starvations, __kept.starvations);		\
	for (__i = 0; __i < GOSYNC_HISTOGRAM; __i++)			\
		EXPECT_EQ(__counted.histogram[__i], __kept.histogram[__i]); \
	EXPECT_EQ(__kept.contended, __kept.acquired + __kept.gave_up);	\
	total.contended += __kept.contended;				\
	total.handed_over += __kept.handed_over;			\
	total.gave_up += __kept.gave_up;				\
	total.starvations += __kept.starvations;			\
} while (0)

/* Of all that was to be recorded, nothing was lost. */
static bool is_whole(FIXTURE_DATA(traced) *self)
{
	char file[32], *text;
	int cpu;

	for (cpu = 0; cpu < sysconf(_SC_NPROCESSORS_CONF); cpu++) {
		snprintf(file, sizeof(file), "per_cpu/cpu%d/stats", cpu);
		text = read_all(self, file);
		if (!strstr(text, "\noverrun: 0\n") ||
		    !strstr(text, "\ndropped events: 0\n"))
			return false;
	}
	return true;
}

TEST_F(traced, and_the_statistics_agree)
{
	unsigned int flags = GOSYNC_CREATE | variant->how;
	uint64_t state = random_seed(), end = end_of_budget();
	struct gosync_stat total = {};
	int i;

	TH_LOG("seed %llu", (unsigned long long)state);
	do {
		struct objects objects;
		pid_t pids[PROCESSES];
		struct event *events;

		ASSERT_EQ(0, gosync_mutex_open(NULL, flags, 0600,
					       &objects.mutex));
		ASSERT_EQ(0, gosync_rwmutex_open(NULL, flags, 0600,
						 &objects.rwmutex));
		ASSERT_EQ(0, gosync_semaphore_open(NULL, 2, flags |
						   GOSYNC_GIVE_BACK, 0600,
						   &objects.semaphore));
		ASSERT_EQ(0, set(self, "trace", ""));
		for (i = 0; i < PROCESSES; i++) {
			random_u32(&state);
			pids[i] = child((contend(&objects, state), 0));
		}
		/* Some of them don't come to their end. */
		sleep_ns(random_u32(&state) % (20 * NSEC_PER_MSEC));
		kill(pids[0], SIGKILL);
		sleep_ns(random_u32(&state) % (5 * NSEC_PER_MSEC));
		kill(pids[1], SIGKILL);
		for (i = 0; i < PROCESSES; i++)
			reap(pids[i]);
		events = recorded(self);
		ASSERT_TRUE(is_whole(self));
		EXPECT_SAME(objects.mutex);
		EXPECT_SAME(objects.rwmutex);
		EXPECT_SAME(objects.semaphore);
		gosync_close(objects.mutex);
		gosync_close(objects.rwmutex);
		gosync_close(objects.semaphore);
		/* On a slow machine, until somebody has given up */
	} while ((budget_left(end) || !total.gave_up) &&
		 _metadata->exit_code != KSFT_FAIL);
	TH_LOG("%llu waits, %llu handed over, %llu given up, %u starvations",
	       (unsigned long long)total.contended,
	       (unsigned long long)total.handed_over,
	       (unsigned long long)total.gave_up, total.starvations);
	EXPECT_LT(0, total.contended);
}

TEST_HARNESS_MAIN
