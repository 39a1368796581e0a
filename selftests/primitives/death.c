// SPDX-License-Identifier: GPL-2.0-only
/*
 * The end of holders: by whatever way one ends, what it held is released, who
 * gets it next is told, and nobody is left waiting.
 */
#include "death_storm.h"
#include "ends.h"
#include "object.h"

OPENER(open_mutex, gosync_mutex)
OBJECT_FIXTURE(death, gosync_mutex, mutex, open_mutex)

/* A descriptor of a holder of its own */
static int open_fd(FIXTURE_DATA(death) *self)
{
	return open_object(GOSYNC_MUTEX, self->name, 0, 0);
}

/* A child that has locked, and sleeps */
static pid_t spawn_owner(FIXTURE_DATA(death) *self)
{
	return RESTING_CHILD(gosync_mutex_lock(self->mutex) < 0);
}

/* A child that waits, and exits with what it got */
static pid_t spawn_waiter(FIXTURE_DATA(death) *self)
{
	return WAITER(self->mutex, ({
		int ret = gosync_mutex_lock(self->mutex);

		gosync_mutex_unlock(self->mutex);
		ret;
	}));
}

TEST_F(death, of_the_owner_is_told_until_somebody_recovers)
{
	gosync_mutex_t *other = open_mutex(self->name, variant->how);
	pid_t pid = spawn_owner(self);

	EXPECT_EQ(-EBUSY, gosync_mutex_trylock(self->mutex));
	kill_and_reap(pid);
	EXPECT_EQ(0, info(self->mutex).owner);
	EXPECT_EQ(1, info(self->mutex).deaths);
	EXPECT_EQ(1, gosync_mutex_lock(self->mutex));
	EXPECT_EQ(-EPERM, gosync_mutex_recover(other));
	EXPECT_EQ(0, gosync_mutex_unlock(self->mutex));
	EXPECT_EQ(1, gosync_mutex_trylock(other));
	EXPECT_EQ(0, gosync_mutex_unlock(other));
	EXPECT_EQ(1, gosync_mutex_lock_until(self->mutex, 1, 0));
	EXPECT_EQ(GOSYNC_MUTEX_LOCKED | GOSYNC_MUTEX_POISONED,
		  (uint32_t)info(self->mutex).word);
	EXPECT_EQ(0, gosync_mutex_recover(self->mutex));
	EXPECT_EQ(GOSYNC_MUTEX_LOCKED, (uint32_t)info(self->mutex).word);
	EXPECT_EQ(0, gosync_mutex_unlock(self->mutex));
	EXPECT_EQ(0, gosync_mutex_lock(other));
	EXPECT_EQ(0, gosync_mutex_unlock(other));
	EXPECT_EQ(1, info(self->mutex).deaths);
}

TEST_F(death, of_the_owner_is_told_to_those_who_wait)
{
	pid_t owner = spawn_owner(self), waiters[3];
	int i;

	for (i = 0; i < 3; i++)
		waiters[i] = spawn_waiter(self);
	kill_and_reap(owner);
	for (i = 0; i < 3; i++)
		EXPECT_EQ(1, reap_soon(waiters[i]));
	EXPECT_EQ(1, info(self->mutex).deaths);
}

TEST_F(death, each_is_counted)
{
	int i;

	for (i = 0; i < 5; i++) {
		pid_t pid = spawn_owner(self);

		EXPECT_EQ(i, info(self->mutex).deaths);
		kill_and_reap(pid);
	}
	EXPECT_EQ(5, info(self->mutex).deaths);
	EXPECT_EQ(1, gosync_mutex_lock(self->mutex));
}

TEST_F(death, without_the_lock_poisons_nothing)
{
	pid_t pid = CHILD(gosync_mutex_lock(self->mutex) ||
			  gosync_mutex_unlock(self->mutex));

	EXPECT_EQ(0, reap_soon(pid));
	EXPECT_EQ(0, gosync_mutex_lock(self->mutex));
	pid = spawn_waiter(self);
	kill_and_reap(pid);
	EXPECT_EQ(0, info(self->mutex).waiters);
	EXPECT_EQ(0, info(self->mutex).deaths);
	EXPECT_EQ(GOSYNC_MUTEX_LOCKED, (uint32_t)info(self->mutex).word);
	EXPECT_EQ(0, gosync_mutex_unlock(self->mutex));
	EXPECT_EQ(0, gosync_mutex_lock(self->mutex));
}

TEST_F(death, with_errorcheck_releases_too)
{
	pid_t pid;

	gosync_close(self->mutex);
	self->mutex = NEW_NAMED(gosync_mutex, self->name,
				GOSYNC_ERRORCHECK | variant->how);
	pid = spawn_owner(self);
	EXPECT_EQ(-EPERM, gosync_mutex_unlock(self->mutex));
	kill_and_reap(pid);
	EXPECT_EQ(1, gosync_mutex_lock(self->mutex));
	EXPECT_EQ(0, gosync_mutex_unlock(self->mutex));
}

TEST_F(death, has_many_ways)
{
	unsigned int i;
	pid_t pid;

	for (i = 0; i < ARRAY_SIZE(ends); i++) {
		pid = spawn();
		if (!pid) {
			gosync_mutex_t *mutex = open_mutex(self->name,
							   variant->how);

			if (gosync_mutex_lock(mutex) < 0)
				_exit(1);
			store(self->shared, i + 1);
			ends[i](mutex);
			_exit(2);
		}
		ASSERT_TRUE(eventually(load(self->shared) == i + 1));
		EXPECT_EQ(1, gosync_mutex_lock(self->mutex));
		EXPECT_EQ(0, gosync_mutex_recover(self->mutex));
		EXPECT_EQ(0, gosync_mutex_unlock(self->mutex));
		EXPECT_EQ(i + 1, info(self->mutex).deaths);
		kill_and_reap(pid);
	}
}

/* --- a holder is an open file description -------------------------------- */

TEST_F(death, comes_with_the_last_duplicate)
{
	int fd = open_fd(self);
	int copy = dup(fd);

	EXPECT_EQ(info_of(fd).holder, info_of(copy).holder);
	EXPECT_EQ(0, lock_fd(fd));
	close(fd);
	EXPECT_EQ(-EBUSY, gosync_mutex_trylock(self->mutex));
	EXPECT_EQ(0, unlock_fd(copy));
	EXPECT_EQ(0, lock_fd(copy));
	close(copy);
	EXPECT_EQ(1, gosync_mutex_trylock(self->mutex));
}

TEST_F(death, of_one_process_is_not_that_of_a_holder_shared_by_fork)
{
	int fd = open_fd(self);
	pid_t pid = CHILD(lock_fd(fd));

	EXPECT_EQ(0, reap_soon(pid));
	EXPECT_EQ(-EBUSY, gosync_mutex_trylock(self->mutex));
	EXPECT_EQ(info_of(fd).holder, info(self->mutex).owner);
	/* The child outlives its parent's descriptor. */
	pid = RESTING_CHILD(0);
	close(fd);
	EXPECT_EQ(-EBUSY, gosync_mutex_trylock(self->mutex));
	kill_and_reap(pid);
	EXPECT_EQ(1, gosync_mutex_trylock(self->mutex));
}

TEST_F(death, does_not_come_with_exec_when_the_descriptor_is_kept)
{
	int fd = open_fd(self);
	pid_t pid;

	EXPECT_EQ(0, fcntl(fd, F_SETFD, 0));
	EXPECT_EQ(0, lock_fd(fd));
	pid = spawn();
	if (!pid) {
		store(self->shared, 1);
		execlp("sleep", "sleep", "1000", NULL);
		_exit(1);
	}
	ASSERT_TRUE(eventually(load(self->shared)));
	close(fd);
	sleep_ns(20 * NSEC_PER_MSEC);
	EXPECT_EQ(-EBUSY, gosync_mutex_trylock(self->mutex));
	kill_and_reap(pid);
	EXPECT_EQ(1, gosync_mutex_trylock(self->mutex));
}

TEST_F(death, does_not_come_while_the_descriptor_is_on_its_way)
{
	int fd = open_fd(self);
	int pair[2];

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	EXPECT_EQ(0, lock_fd(fd));
	ASSERT_EQ(0, send_fd(pair[0], fd));
	close(fd);
	close(pair[0]);
	EXPECT_EQ(-EBUSY, gosync_mutex_trylock(self->mutex));
	fd = receive_fd(pair[1]);
	ASSERT_LE(0, fd);
	EXPECT_EQ(info_of(fd).holder, info(self->mutex).owner);
	EXPECT_EQ(0, unlock_fd(fd));
	EXPECT_EQ(0, lock_fd(fd));
	close(fd);
	EXPECT_EQ(1, gosync_mutex_trylock(self->mutex));
}

TEST_F(death, goes_by_the_receiver_of_a_passed_descriptor)
{
	int fd = open_fd(self);
	int pair[2];
	pid_t pid;

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	pid = spawn();
	if (!pid) {
		gosync_mutex_t *mutex;

		close(fd);
		close(pair[0]);
		if (gosync_mutex_from_fd(receive_fd(pair[1]), variant->how,
					 &mutex) ||
		    gosync_mutex_lock(mutex))
			_exit(1);
		store(self->shared, 1);
		pause();
	}
	ASSERT_EQ(0, send_fd(pair[0], fd));
	close(fd);
	ASSERT_TRUE(eventually(load(self->shared)));
	EXPECT_EQ(-EBUSY, gosync_mutex_trylock(self->mutex));
	kill_and_reap(pid);
	EXPECT_EQ(1, gosync_mutex_trylock(self->mutex));
}

TEST_F(death, ends_the_waits_of_all_threads)
{
	pthread_t threads[3];
	pid_t pid;
	int i;

	EXPECT_EQ(0, gosync_mutex_lock(self->mutex));
	pid = spawn();
	if (!pid) {
		struct call_in_thread lock = {
			.fd = open_fd(self), .cmd = GOSYNC_IOC_MUTEX_LOCK,
		};

		for (i = 0; i < 3; i++)
			pthread_create(&threads[i], NULL, call_in_thread, &lock);
		pause();
	}
	ASSERT_TRUE(eventually(info(self->mutex).waiters == 3));
	kill_and_reap(pid);
	EXPECT_TRUE(eventually(!info(self->mutex).waiters));
	EXPECT_EQ(GOSYNC_MUTEX_LOCKED, (uint32_t)info(self->mutex).word);
	EXPECT_EQ(0, gosync_mutex_unlock(self->mutex));
	EXPECT_EQ(0, gosync_mutex_lock(self->mutex));
}

/* --- the death of who was about to get it -------------------------------- */

/*
 * The caller owns the lock and somebody waits: have the mutex starving. That
 * takes locking again before the waiter that was woken does; false, and the
 * waiter has or had the lock, when it was quicker.
 */
static bool starve(FIXTURE_DATA(death) *self)
{
	sleep_ns(2 * NSEC_PER_MSEC);
	gosync_mutex_unlock(self->mutex);
	if (gosync_mutex_trylock(self->mutex) < 0)
		return false;
	/* It is on its way while it is woken; then it is queued, or has gone. */
	if (eventually(!(info(self->mutex).word & GOSYNC_MUTEX_WOKEN)) &&
	    info(self->mutex).word & GOSYNC_MUTEX_STARVING)
		return true;
	gosync_mutex_unlock(self->mutex);
	return false;
}

/*
 * With a processor to itself, the caller can unlock and kill whom it woke
 * before that one runs: it dies with the wake-up, or the lock, in its hands.
 * Was that so, and did the next get the lock, with nothing to be told?
 */
static bool dies_before_it_runs(FIXTURE_DATA(death) *self, bool handed)
{
	unsigned int deaths = info(self->mutex).deaths;
	pid_t first, second;
	bool good;

	if (gosync_mutex_lock(self->mutex) == 1)
		gosync_mutex_recover(self->mutex);
	first = spawn_waiter(self);
	second = spawn_waiter(self);
	good = !handed || starve(self);
	if (good)
		gosync_mutex_unlock(self->mutex);
	if (handed)
		good &= info(self->mutex).owner_pid == first;
	kill(first, SIGKILL);
	good &= reap_soon(first) == 128 + SIGKILL;
	good &= reap_soon(second) == 0;
	return good && info(self->mutex).word == 0 &&
	       info(self->mutex).deaths == deaths;
}

/* It never was inside, so there is nothing to tell. */
TEST_F(death, of_a_waiter_that_was_woken_or_handed_the_lock_passes_it_on)
{
	int handed;

	if (rule_one_cpu())
		SKIP(return, "cannot have a processor");
	for (handed = 0; handed < 2; handed++) {
		int tries = 0;

		while (!dies_before_it_runs(self, handed))
			ASSERT_GT(20, ++tries);
	}
}

/* A waiter that has lost to an owner is handed the lock by its death, too. */
TEST_F(death, of_an_owner_hands_over_when_it_starves)
{
	pid_t owner, waiter;

	owner = spawn();
	if (!owner) {
		int tries;

		for (tries = 0; tries < 200; tries++) {
			MUST(!gosync_mutex_lock(self->mutex));
			MUST(eventually(info(self->mutex).waiters));
			if (starve(self))
				rest();
		}
		_exit(1);
	}
	waiter = spawn();
	if (!waiter) {
		int ret;

		while (!(ret = gosync_mutex_lock(self->mutex)))
			gosync_mutex_unlock(self->mutex);
		_exit(ret);
	}
	ASSERT_TRUE(eventually(rests(owner)));
	EXPECT_EQ(1, info(self->mutex).waiters);
	kill_and_reap(owner);
	EXPECT_EQ(1, reap_soon(waiter));
	EXPECT_EQ(2, info(self->mutex).deaths);
}

TEST_F(death, at_any_moment_leaves_nobody_hanging)
{
	run_death_storm(_metadata, false, self->mutex,
			open_mutex(self->name, variant->how ^ GOSYNC_IOCTL_ONLY));
}

TEST_HARNESS_MAIN
