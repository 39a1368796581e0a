// SPDX-License-Identifier: GPL-2.0-only
/*
 * What can be seen of waiting: the statistics that an object keeps, its waiters
 * and its holders.
 */
#include "gosync_test_trace.h"
#include "kinds.h"

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
	self->mutex = NEW(gosync_mutex, variant->how);
	self->rwmutex = NEW(gosync_rwmutex, variant->how);
	self->semaphore = NEW(gosync_semaphore, variant->how, 0);
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
		pid = WAITER(self->mutex, lock_once(self->mutex));
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
	pid = WAITER(self->mutex, lock_once(self->mutex));
	EXPECT_EQ(128 + SIGKILL, kill_and_reap(pid));
	EXPECT_STAT(self->mutex, 2, 0, 0, 2);
	pid = WAITER(self->mutex, ({
		handle(count_signal, 0);
		lock_fd(gosync_fd(self->mutex)) != -EINTR;
	}));
	kill(pid, SIGUSR1);
	EXPECT_EQ(0, reap_soon(pid));
	EXPECT_STAT(self->mutex, 3, 0, 0, 3);
}

/* A lock is handed over only to a waiter that has lost to another. */
TEST_F(stat, each_kind_of_wait)
{
	static const struct {
		enum kind kind;
		unsigned int waiters, handed_over;
	} rows[] = {
		{ MUTEX, 1, 0 }, { WRITE, 1, 0 }, { READ, 3, 3 }, { DRAIN, 1, 1 },
		{ PERMITS, 2, 2 }, { WAITGROUP, 2, 2 }, { BEGIN, 2, 2 },
		{ ONCE, 2, 2 }, { WORD, 1, 1 }, { VALUE, 2, 2 }, { MAP, 2, 2 },
	};
	unsigned int i, j;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		const unsigned int n = rows[i].waiters;
		struct thing thing = new_thing(rows[i].kind, variant->how);
		pid_t pids[3];
		void *mine;

		ASSERT_EQ(0, make_handle(thing.kind, thing.fd, variant->how,
					 &mine));
		if (thing.kind == PERMITS)
			thing.value = PERMITS_LET_GO / n;
		ASSERT_EQ(0, keep(&thing));
		EXPECT_EQ(-ETIMEDOUT, wait_by_library(&thing, mine, NULL, 1, 0));
		EXPECT_STAT(mine, 1, 0, 0, 1);
		for (j = 0; j < n; j++)
			pids[j] = WAITER(mine,
					 wait_by_library(&thing, mine, NULL,
							 GOSYNC_FOREVER, 0));
		EXPECT_STAT(mine, 1 + n, 0, 0, 1);
		sleep_ns(2 * NSEC_PER_MSEC);
		ASSERT_EQ(0, let_go(&thing));
		EXPECT_EQ(0, reap_all(pids, n));
		EXPECT_STAT(mine, 1 + n, n, rows[i].handed_over, 1);
		EXPECT_LE(2 * NSEC_PER_MSEC * n, stat_of(mine).wait_ns);
		EXPECT_EQ(0, stat_of(mine).starvations);
		EXPECT_EQ(KSFT_PASS, _metadata->exit_code)
			TH_LOG("row %u", i);
	}
}

TEST_F(stat, a_cond)
{
	gosync_cond_t *cond = NEW(gosync_cond, variant->how);
	pid_t pids[3];
	int i;

	for (i = 0; i < 3; i++)
		pids[i] = WAITER(cond, wait_for_signal(cond, self->mutex));
	ASSERT_LE(0, gosync_cond_signal(cond));
	EXPECT_TRUE(eventually(stat_of(cond).acquired == 1));
	ASSERT_LE(0, gosync_cond_broadcast(cond));
	EXPECT_EQ(0, reap_all(pids, 3));
	EXPECT_STAT(cond, 3, 3, 3, 0);
	ASSERT_EQ(0, gosync_mutex_lock(self->mutex));
	EXPECT_EQ(-ETIMEDOUT, gosync_cond_wait_until(cond, self->mutex, 1, 0));
	EXPECT_STAT(cond, 4, 3, 3, 1);
}

TEST_F(stat, owners_that_die)
{
	gosync_semaphore_t *semaphore;
	gosync_once_t *once = NEW(gosync_once, variant->how);
	int i;

	semaphore = NEW(gosync_semaphore, GOSYNC_GIVE_BACK | variant->how, 3);
	for (i = 1; i <= 2; i++) {
		reap(CHILD(die_with(gosync_mutex_lock(self->mutex))));
		reap(CHILD(die_with(gosync_rwmutex_lock(self->rwmutex))));
		reap(CHILD(die_with(gosync_semaphore_acquire(semaphore, 2))));
		reap(CHILD(die_with(gosync_once_begin(once) < 1)));
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
	for (i = 0; i < 3; i++)
		pids[i] = WAITER(self->mutex, lock_as(self->mutex, names[i]));
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
	pid = CHILD(lock_in_time(self->mutex, WATCHDOG * NSEC_PER_SEC));
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
	drains = WAITER(self->rwmutex, write_once(self->rwmutex));
	writes = WAITER(self->rwmutex, write_once(self->rwmutex));
	reads = CHILD(read_once(self->rwmutex));
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

	pid = WAITER(self->semaphore, acquire_once(self->semaphore, 7));
	EXPECT_EQ(7, waiter_of(self->semaphore, pid).count);
	EXPECT_EQ(GOSYNC_WANTS_IT, waiter_of(self->semaphore, pid).wants);
	kill_and_reap(pid);
	words = NEW(gosync_int64, variant->how, 9);
	pid = WAITER(words,
		     gosync_int64_wait(words, 8, 0, GOSYNC_FOREVER, 0, &now));
	EXPECT_EQ(8, waiter_of(words, pid).count);
	EXPECT_EQ(GOSYNC_WANTS_IT, waiter_of(words, pid).wants);
	kill_and_reap(pid);
}

/* Its place in the queue is there, the thread is elsewhere. */
TEST_F(stat, waiters_in_a_signal_handler)
{
	struct gosync_party party;
	gosync_cond_t *cond = NEW(gosync_cond, variant->how);
	pid_t pid;

	pid = WAITER(cond, ({
		handle(pause_here, SA_RESTART);
		wait_for_signal(cond, self->mutex);
	}));
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
	outside = WAITER(self->mutex, lock_once(self->mutex));
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
	pid = WAITER(self->mutex, lock_once(self->mutex));
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

	pid = CHILD(({
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

	semaphore = NEW(gosync_semaphore, GOSYNC_GIVE_BACK | variant->how, 9);
	ASSERT_EQ(0, gosync_semaphore_acquire(semaphore, 5));
	ASSERT_EQ(0, gosync_semaphore_acquire(semaphore, 2));
	EXPECT_EQ(7, myself(semaphore).count);
	ASSERT_EQ(0, gosync_semaphore_release(semaphore, 3));
	EXPECT_EQ(4, myself(semaphore).count);
	/* Others' are nobody's. */
	ASSERT_EQ(0, gosync_semaphore_release(self->semaphore, 3));
	ASSERT_EQ(0, gosync_semaphore_acquire(self->semaphore, 2));
	EXPECT_EQ(0, myself(self->semaphore).count);

	once = NEW(gosync_once, variant->how);
	ASSERT_EQ(GOSYNC_ONCE_RUN, gosync_once_begin(once));
	EXPECT_TRUE(myself(once).flags & GOSYNC_PARTY_OWNS);
}

#define MANY	40

TEST_F(stat, holders_are_listed_a_few_at_a_time)
{
	struct gosync_party parties[7], *party;
	struct gosync_parties_args args =
		PARTIES_OF(parties, ARRAY_SIZE(parties));
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

TEST_HARNESS_MAIN
