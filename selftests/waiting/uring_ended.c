// SPDX-License-Identifier: GPL-2.0-only
/*
 * What has ended stands in nobody's way, whether or not its task ever runs
 * again: commands of io_uring whose deadline has passed, or that were granted
 * another thing, and waits of threads that are stopped or frozen. And what
 * nobody has a descriptor of is had by nobody, whatever commands keep it.
 */
#include "freezer.h"
#include "gosync_test_uring.h"
#include "kinds.h"

/* More than the kernel passes over in one go */
#define CROWD		40

static const struct ring_kind plain = { "plain" };
static const struct ring_kind defer = {
	"defer", IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN
};

/* Has everybody who waited but @n ended by now? */
static bool all_but(int fd, unsigned int n)
{
	struct gosync_stat stat;

	return eventually((stat = stat_fd(fd), info_of(fd).waiters == n &&
			   stat.contended ==
			   stat.acquired + stat.gave_up + n));
}

/* --- waits that have ended ------------------------------------------------ */

FIXTURE(ended)
{
	unsigned int *shared;	/* with children */
	struct thing thing;	/* its other party keeps it from the others */
	int second;		/* any: what is granted instead */
	struct thing behind;	/* who comes after those that end */
	pthread_t thread;
	pid_t pid;
	int got;		/* by that one */
};

#define NOBODY		ALL_KINDS

FIXTURE_VARIANT(ended)
{
	enum kind kind;		/* of what ends */
	enum kind then;		/* of who comes behind */
	unsigned int n;		/* so many end */
	bool any;
};

#define ENDED(name, ...)						\
	FIXTURE_VARIANT_ADD(ended, name) { __VA_ARGS__ }

ENDED(lock, MUTEX, MUTEX, 1);
ENDED(locks, MUTEX, MUTEX, CROWD);
ENDED(write_locks, WRITE, WRITE, CROWD);
ENDED(read_locks, READ, WRITE, CROWD);
ENDED(drain, DRAIN, READ, 1);
ENDED(drains, DRAIN, READ, CROWD);
ENDED(permits, PERMITS, PERMITS, 1);
ENDED(many_permits, PERMITS, PERMITS, CROWD);
ENDED(once, BEGIN, BEGIN, CROWD);
ENDED(once_wait, ONCE, NOBODY, CROWD);
ENDED(waitgroup, WAITGROUP, NOBODY, CROWD);
ENDED(word, WORD, NOBODY, CROWD);
ENDED(value, VALUE, NOBODY, CROWD);
ENDED(cond, COND, NOBODY, 1);
/* The first entry, a lock, is granted; others want what the second is. */
ENDED(any_lock, MUTEX, MUTEX, CROWD, .any = true);
ENDED(any_write_lock, WRITE, WRITE, CROWD, .any = true);
ENDED(any_drain, DRAIN, READ, 1, .any = true);
ENDED(any_read_lock, READ, WRITE, CROWD, .any = true);
ENDED(any_permits, PERMITS, PERMITS, CROWD, .any = true);

FIXTURE_SETUP(ended)
{
	NEED_URING();
	self->shared = shared_memory(4096);
	self->pid = -1;
	self->second = new_object(GOSYNC_SEMAPHORE);
	self->thing = new_thing(variant->kind, GOSYNC_IOCTL_ONLY);
	ASSERT_EQ(0, keep(&self->thing));
	self->behind = self->thing;
	self->behind.kind = variant->then;
	if (variant->kind == PERMITS) {
		/* Enough for who comes behind */
		ASSERT_EQ(0, release_fd(self->thing.fd, 1));
		self->behind.value = 1;
		self->thing.value = 10;
	}
}

FIXTURE_TEARDOWN(ended)
{
	if (self->pid > 0)
		kill_and_reap(self->pid);
}

/* A child that has no part in the others, which end without it, but its own */
static pid_t spawn_alone(FIXTURE_DATA(ended) *self, struct thing *own)
{
	const int other = gosync_fd(self->thing.other);
	pid_t pid = spawn();

	if (!pid) {
		*own = own_thing(&self->thing);
		close(self->thing.fd);
		close(other);
	}
	return pid;
}

/* Let it go, where it was not free but for those that have ended. */
static int give_way(FIXTURE_DATA(ended) *self)
{
	switch (self->thing.kind) {
	case MUTEX:
	case WRITE:
	case READ:
		return let_go(&self->thing);
	case BEGIN:
		/* Its runner is no more. */
		gosync_close(self->thing.other);
		return 0;
	default:
		return 0;
	}
}

#define NOT_YET		INT_MIN

static void *come_behind(void *arg)
{
	FIXTURE_DATA(ended) *self = arg;

	store(&self->got, wait_by_ioctl(&self->behind, NULL, 0, 0));
	return NULL;
}

static int start_behind(FIXTURE_DATA(ended) *self)
{
	self->got = NOT_YET;
	return pthread_create(&self->thread, NULL, come_behind, self);
}

/* What who came behind got; NOT_YET: nothing */
static int got_behind(FIXTURE_DATA(ended) *self)
{
	if (!eventually(load(&self->got) != NOT_YET))
		return NOT_YET;
	pthread_join(self->thread, NULL);
	return self->got;
}

/* A child's: the commands, of a holder of its own */
static void command(FIXTURE_DATA(ended) *self,
		    const FIXTURE_VARIANT(ended) *variant,
		    const struct ring_kind *kind, const struct thing *own,
		    uint64_t deadline)
{
	static struct gosync_wait_entry entries[CROWD][2];
	static struct gosync_wait_many_args many[CROWD];
	struct ring *ring = calloc(1, sizeof(*ring));
	uint64_t operand = own->value;
	unsigned int i;

	MUST(!make_ring(ring, kind));
	if (own->kind == COND) {
		operand = new_object(GOSYNC_MUTEX);
		lock_fd(operand);
	}
	for (i = 0; i < variant->n; i++) {
		if (!variant->any) {
			start_until(ring, i, own->fd, kinds[own->kind].op,
				    operand, deadline, 0);
			continue;
		}
		entries[i][0] = entry_for(own);
		entries[i][1] = entry_of_permits(reopen_object(self->second, 0),
						 1);
		many[i] = ENTRIES_OF(entries[i], 2);
		start(ring, i, open_device(), GOSYNC_IOC_WAIT, to_u64(&many[i]));
	}
}

/*
 * Start a child that has commands that wait, and have somebody come behind them;
 * then they end, and the child does nothing about it.
 */
static void end_commands(struct __test_metadata *_metadata,
			 FIXTURE_DATA(ended) *self,
			 const FIXTURE_VARIANT(ended) *variant,
			 const struct ring_kind *kind, bool stop)
{
	const bool behind = variant->then != NOBODY;
	const unsigned int n = variant->n;
	uint64_t deadline = now_ns(CLOCK_MONOTONIC) + NSEC_PER_SEC / 5;
	struct thing own;
	int status;

	self->pid = spawn_alone(self, &own);
	if (!self->pid) {
		command(self, variant, kind, &own, deadline);
		store(self->shared, 1);
		for (;;)
			pause();
	}
	ASSERT_TRUE(eventually(load(self->shared)));
	if (stop) {
		kill(self->pid, SIGSTOP);
		ASSERT_EQ(self->pid, waitpid(self->pid, &status, WUNTRACED));
	}
	/* They may have ended by now, which is all the same to who comes. */
	if (behind)
		ASSERT_EQ(0, start_behind(self));
	if (variant->any) {
		ASSERT_TRUE(has_waiters(self->second, n));
		EXPECT_EQ(0, release_fd(self->second, n));
	}
	EXPECT_TRUE(eventually(stat_fd(self->thing.fd).gave_up == n))
		TH_LOG("%llu of %u have left", stat_fd(self->thing.fd).gave_up,
		       n);
	EXPECT_EQ(0, give_way(self));
	if (behind)
		EXPECT_LE(0, got_behind(self));
	EXPECT_TRUE(all_but(self->thing.fd, 0));
	if (variant->any)
		EXPECT_EQ(n, stat_fd(self->second).acquired);
}

TEST_F(ended, commands_of_a_stopped_process_are_in_nobodys_way)
{
	end_commands(_metadata, self, variant, &plain, true);
}

TEST_F(ended, commands_of_a_ring_that_nobody_looks_at_are_in_nobodys_way)
{
	end_commands(_metadata, self, variant, &defer, false);
}

/* @still: stop it, or let it go on */
static void hold_still(struct __test_metadata *_metadata,
		       FIXTURE_DATA(ended) *self,
		       const FIXTURE_VARIANT(ended) *variant,
		       int (*still)(pid_t pid, bool on))
{
	struct thing own;

	self->pid = spawn_alone(self, &own);
	if (!self->pid) {
		struct gosync_wait_entry entries[] = {
			entry_for(&own), entry_of_permits(self->second, 1),
		};

		/* A sleeper that is stopped has left, and begins anew later. */
		if (variant->any)
			wait_many(entries, 2, 0, 0);
		else
			wait_by_ioctl(&own, NULL, 0, 0);
		for (;;)
			pause();
	}
	ASSERT_TRUE(has_waiters(self->thing.fd, 1));
	ASSERT_EQ(0, still(self->pid, true));
	/* A Mutex's, say; those whose wait goes on are in nobody's way. */
	ASSERT_TRUE(has_waiters(self->thing.fd, 0));
	ASSERT_EQ(0, start_behind(self));
	EXPECT_EQ(0, give_way(self));
	EXPECT_LE(0, got_behind(self));
	EXPECT_EQ(0, still(self->pid, false));
}

static int stop(pid_t pid, bool on)
{
	int status;

	if (!on)
		return kill(pid, SIGCONT);
	return kill(pid, SIGSTOP) ?:
	       waitpid(pid, &status, WUNTRACED) == pid ? 0 : -ECHILD;
}

TEST_F(ended, the_wait_of_a_stopped_thread_is_in_nobodys_way)
{
	if (variant->then == NOBODY)
		SKIP(return, "nobody can be in the way");
	hold_still(_metadata, self, variant, stop);
}

static int freeze(pid_t pid, bool on)
{
	int ret = on ? put_into_freezer(pid) : 0;

	return ret ?: freeze_all(on);
}

TEST_F(ended, the_wait_of_a_frozen_thread_is_in_nobodys_way)
{
	if (variant->then == NOBODY)
		SKIP(return, "nobody can be in the way");
	if (!make_freezer())
		SKIP(return, "no cgroups that freeze");
	hold_still(_metadata, self, variant, freeze);
	kill_and_reap(self->pid);
	remove_freezer();
}

/* --- things that nobody has ------------------------------------------------ */

/* On a plain ring, or on one that nobody looks at but by result() */
FIXTURE(orphan)
{
	struct ring *ring;
	int owner;		/* of the Mutex */
	int fd;			/* another holder: the commands' */
	int semaphore;		/* with nothing in it */
	struct gosync_wait_entry entries[2];
	struct gosync_wait_many_args many;
};

FIXTURE_VARIANT(orphan)
{
	const struct ring_kind *kind;
};

FIXTURE_VARIANT_ADD(orphan, plain) { .kind = &plain };
FIXTURE_VARIANT_ADD(orphan, defer) { .kind = &defer };

FIXTURE_SETUP(orphan)
{
	NEED_URING();
	self->ring = calloc(1, sizeof(*self->ring));
	ASSERT_EQ(0, make_ring(self->ring, variant->kind));
	self->owner = new_object(GOSYNC_MUTEX);
	self->fd = reopen_object(self->owner, 0);
	self->semaphore = new_object(GOSYNC_SEMAPHORE);
	ASSERT_EQ(0, lock_fd(self->owner));
}

FIXTURE_TEARDOWN(orphan)
{
	EXPECT_EQ(0, self->ring->wrong);
	close_ring(self->ring);
}

static void start_lock(FIXTURE_DATA(orphan) *self, unsigned int id)
{
	start(self->ring, id, self->fd, GOSYNC_IOC_MUTEX_LOCK, 0);
}

/* A permit, or the lock */
static void start_any(FIXTURE_DATA(orphan) *self, unsigned int id)
{
	self->entries[0] = entry_of_permits(self->semaphore, 1);
	self->entries[1] = entry_of_mutex(self->fd);
	self->many = ENTRIES_OF(self->entries, 2);
	start(self->ring, id, open_device(), GOSYNC_IOC_WAIT,
	      to_u64(&self->many));
}

/*
 * Nobody waits for it or has it, and nobody died, whether or not anybody looks at
 * the ring. Of the ring's commands the @n first have ended.
 */
static void is_nobodys(struct __test_metadata *_metadata,
		       FIXTURE_DATA(orphan) *self, unsigned int n)
{
	unsigned int i;

	EXPECT_TRUE(has_waiters(self->owner, 0));
	EXPECT_EQ(0, unlock_fd(self->owner));
	EXPECT_TRUE(eventually(!trylock_fd(self->owner)));
	EXPECT_TRUE(all_but(self->owner, 0));
	EXPECT_EQ(0, stat_fd(self->owner).deaths);
	for (i = 1; i <= n; i++)
		EXPECT_EQ(-ECANCELED, result(self->ring, i));
}

TEST_F(orphan, command_ends_when_the_last_descriptor_is_closed)
{
	int copy = dup(self->fd);

	start_lock(self, 1);
	ASSERT_TRUE(has_waiters(self->owner, 1));
	close(self->fd);
	EXPECT_TRUE(is_under_way(self->ring, 1));
	close(copy);
	is_nobodys(_metadata, self, 1);
}

TEST_F(orphan, commands_do_not_keep_it_for_each_other)
{
	unsigned int i;

	for (i = 1; i <= CROWD; i++)
		start_lock(self, i);
	start_any(self, CROWD + 1);
	ASSERT_TRUE(has_waiters(self->owner, CROWD + 1));
	close(self->fd);
	is_nobodys(_metadata, self, CROWD + 1);
	EXPECT_TRUE(all_but(self->semaphore, 0));
}

TEST_F(orphan, waits_for_any_do_not_keep_it_for_each_other)
{
	start_any(self, 1);
	start_any(self, 2);
	ASSERT_TRUE(has_waiters(self->owner, 2));
	close(self->fd);
	is_nobodys(_metadata, self, 2);
}

/* It has given up the lock, which its owner has again. */
static void start_cond_wait(struct __test_metadata *_metadata,
			    FIXTURE_DATA(orphan) *self, int cond)
{
	EXPECT_EQ(0, unlock_fd(self->owner));
	EXPECT_EQ(0, lock_fd(self->fd));
	ASSERT_TRUE(queue_on(self->ring, 1, cond,
			     GOSYNC_IOC_COND_WAIT, self->fd));
	EXPECT_EQ(0, lock_fd(self->owner));
}

/* A wait for a Cond keeps the lock that it will want. */
TEST_F(orphan, lock_is_not_kept_by_a_wait_for_a_cond)
{
	int cond = new_object(GOSYNC_COND);

	start_cond_wait(_metadata, self, cond);
	start_lock(self, 2);
	start_any(self, 3);
	ASSERT_TRUE(has_waiters(self->owner, 2));
	close(self->fd);
	is_nobodys(_metadata, self, 3);
	EXPECT_TRUE(all_but(cond, 0));
}

/* ... nor by one that has been signalled, and waits for it. */
TEST_F(orphan, lock_is_not_kept_by_a_cond_s_second_half)
{
	int cond = new_object(GOSYNC_COND);

	start_cond_wait(_metadata, self, cond);
	EXPECT_EQ(1, call(cond, GOSYNC_IOC_COND_SIGNAL, NULL));
	ASSERT_TRUE(eventually((look(self->ring),
				info_of(self->owner).waiters == 1)));
	start_lock(self, 2);
	ASSERT_TRUE(has_waiters(self->owner, 2));
	close(self->fd);
	is_nobodys(_metadata, self, 2);
}

/* The handle is open: how many commands there are, and which, is all the same. */
TEST_F(orphan, it_is_not_because_of_registered_files)
{
	struct io_uring_sqe *sqe;
	unsigned int fixed, i;

	for (fixed = 0; fixed <= 4; fixed++) {
		struct ring *ring = calloc(1, sizeof(*ring));
		int fd = reopen_object(self->owner, 0);

		ASSERT_EQ(0, make_ring(ring, variant->kind));
		ASSERT_EQ(0, io_uring_register_files(&ring->uring, &fd, 1));
		start(ring, 0, fd, GOSYNC_IOC_MUTEX_LOCK, 0);
		for (i = 1; i <= fixed; i++) {
			sqe = prepare(ring, i, 0, GOSYNC_IOC_MUTEX_LOCK, 0);
			sqe->flags |= IOSQE_FIXED_FILE;
			submit(ring);
		}
		ASSERT_TRUE(has_waiters(self->owner, fixed + 1));
		EXPECT_EQ(0, unlock_fd(self->owner));
		EXPECT_EQ(0, result(ring, 0));
		/* Nor when only the ring has it: it can unlock. */
		close(fd);
		for (i = 1; i <= fixed; i++) {
			EXPECT_TRUE(is_under_way(ring, i));
			sqe = prepare(ring, 100 + i, 0, GOSYNC_IOC_MUTEX_UNLOCK,
				      0);
			sqe->flags |= IOSQE_FIXED_FILE;
			submit(ring);
			EXPECT_EQ(0, result(ring, 100 + i));
			EXPECT_EQ(0, result(ring, i));
		}
		close_ring(ring);
		/* The last one had it to the end. */
		EXPECT_TRUE(eventually(trylock_fd(self->owner) == 1));
		EXPECT_EQ(0, call(self->owner, GOSYNC_IOC_MUTEX_RECOVER, NULL));
		free(ring);
	}
}

/* It is granted, and nobody has been told, when the descriptor is closed. */
TEST_F(orphan, what_nobody_was_told_of_is_given_back)
{
	if (variant->kind == &plain)
		SKIP(return, "it is told of at once");
	start_lock(self, 1);
	start_lock(self, 2);
	start_any(self, 3);
	ASSERT_TRUE(has_waiters(self->owner, 3));
	EXPECT_EQ(0, unlock_fd(self->owner));
	EXPECT_EQ(-EBUSY, trylock_fd(self->owner));
	close(self->fd);
	EXPECT_TRUE(eventually(!trylock_fd(self->owner)));
	is_nobodys(_metadata, self, 3);
}

/* Somebody else has a descriptor, in whatever way. */
TEST_F(orphan, it_is_not_while_a_descriptor_is_anywhere)
{
	int sockets[2], fd;
	pid_t pid;

	start_lock(self, 1);
	start_any(self, 2);
	ASSERT_TRUE(has_waiters(self->owner, 2));
	pid = RESTING_CHILD(0);
	close(self->fd);
	EXPECT_TRUE(is_under_way(self->ring, 1));
	EXPECT_EQ(0, unlock_fd(self->owner));
	EXPECT_EQ(0, result(self->ring, 1));
	EXPECT_TRUE(is_under_way(self->ring, 2));
	/* It has the lock, and ends with its last descriptor. */
	EXPECT_EQ(128 + SIGKILL, kill_and_reap(pid));
	EXPECT_EQ(-ECANCELED, result(self->ring, 2));
	EXPECT_TRUE(eventually(trylock_fd(self->owner) == 1));

	self->fd = reopen_object(self->owner, 0);
	start_lock(self, 3);
	ASSERT_TRUE(has_waiters(self->owner, 1));
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, sockets));
	ASSERT_EQ(0, send_fd(sockets[0], self->fd));
	close(self->fd);
	EXPECT_TRUE(is_under_way(self->ring, 3));
	fd = receive_fd(sockets[1]);
	EXPECT_TRUE(is_under_way(self->ring, 3));
	close(fd);
	EXPECT_EQ(-ECANCELED, result(self->ring, 3));
}

struct closer {
	unsigned int *arrived;
	unsigned int round;
	int fd;
};

static void *close_together(void *arg)
{
	struct closer *closer = arg;

	meet(closer->arrived, 2, closer->round);
	close(closer->fd);
	return NULL;
}

/* Neither of two who close the last descriptors leaves it to the other. */
TEST_F(orphan, is_found_by_one_of_two_that_close_at_once)
{
	uint64_t end = end_of_budget();
	unsigned int arrived = 0, round = 0;

	do {
		struct closer one = { &arrived, ++round };
		struct closer other = { &arrived, round };
		pthread_t thread;

		self->fd = one.fd = reopen_object(self->owner, 0);
		other.fd = dup(one.fd);
		start_lock(self, 1);
		ASSERT_TRUE(has_waiters(self->owner, 1));
		ASSERT_EQ(0, pthread_create(&thread, NULL, close_together,
					    &other));
		close_together(&one);
		pthread_join(thread, NULL);
		ASSERT_EQ(-ECANCELED, result(self->ring, 1));
		ASSERT_TRUE(has_waiters(self->owner, 0));
	} while (budget_left(end));
}

/* Whether it begins before the descriptor is closed or after, it does not stay. */
TEST_F(orphan, command_ends_that_begins_while_the_descriptor_is_closed)
{
	uint64_t end = end_of_budget();
	unsigned int arrived = 0, round = 0;

	do {
		struct closer closer = { &arrived, ++round };
		pthread_t thread;
		int ret;

		self->fd = closer.fd = reopen_object(self->owner, 0);
		ASSERT_EQ(0, pthread_create(&thread, NULL, close_together,
					    &closer));
		meet(&arrived, 2, round);
		start_lock(self, 1);
		pthread_join(thread, NULL);
		ret = result(self->ring, 1);
		ASSERT_TRUE(ret == -ECANCELED || ret == -EBADF);
		ASSERT_TRUE(has_waiters(self->owner, 0));
	} while (budget_left(end));
}

/* --- holders that are broken ----------------------------------------------- */

static int break_fd(int fd)
{
	struct gosync_break_args args = {
		.size = sizeof(args), .holder = info_of(fd).holder,
	};

	return call(fd, GOSYNC_IOC_BREAK, &args);
}

TEST(commands_of_a_broken_holder_end_and_get_nothing)
{
	enum { READS = CROWD, WAITS };
	int mutex = new_object(GOSYNC_MUTEX), other = reopen_object(mutex, 0);
	int rw = new_object(GOSYNC_RWMUTEX), rw_other = reopen_object(rw, 0);
	int cond = new_object(GOSYNC_COND), i;
	static struct ring ring;

	NEED_URING();
	ASSERT_EQ(0, make_ring(&ring, &plain));
	/* A Cond's wait, which unlocks */
	ASSERT_EQ(0, lock_fd(mutex));
	ASSERT_TRUE(queue_on(&ring, WAITS, cond, GOSYNC_IOC_COND_WAIT, mutex));
	ASSERT_EQ(0, lock_fd(mutex));
	ASSERT_EQ(0, call(rw, GOSYNC_IOC_RWMUTEX_LOCK, NULL));
	for (i = 0; i < CROWD; i++)
		start(&ring, i, mutex, GOSYNC_IOC_MUTEX_LOCK, 0);
	start(&ring, READS, rw, GOSYNC_IOC_RWMUTEX_RLOCK, 0);
	ASSERT_TRUE(has_waiters(mutex, CROWD));
	ASSERT_EQ(0, break_fd(mutex));
	ASSERT_EQ(0, break_fd(rw));
	/* Others get it, whether or not this task looks at its ring. */
	EXPECT_EQ(1, lock_fd(other));
	EXPECT_EQ(1, call(rw_other, GOSYNC_IOC_RWMUTEX_LOCK, NULL));
	EXPECT_EQ(-ESTALE, result(&ring, READS));
	for (i = 0; i < CROWD; i++)
		EXPECT_EQ(-ESTALE, result(&ring, i));
	EXPECT_TRUE(has_waiters(mutex, 0));
	/* So does what waits to be signalled, and to lock it then. */
	EXPECT_EQ(-ESTALE, result(&ring, WAITS));
	EXPECT_EQ(0, call(cond, GOSYNC_IOC_COND_SIGNAL, NULL));
	EXPECT_EQ(-ESTALE, run(&ring, mutex, GOSYNC_IOC_MUTEX_LOCK, 0));
	EXPECT_EQ(-ESTALE, run(&ring, mutex, GOSYNC_IOC_MUTEX_UNLOCK, 0));
	EXPECT_EQ(-ESTALE, run(&ring, rw, GOSYNC_IOC_RWMUTEX_RUNLOCK, 0));
	EXPECT_EQ(-ESTALE, run(&ring, cond, GOSYNC_IOC_COND_WAIT, mutex));
	EXPECT_TRUE(has_waiters(cond, 0));
	EXPECT_EQ(1, info_of(mutex).deaths);
	EXPECT_EQ(info_of(other).holder, info_of(mutex).owner);
	EXPECT_EQ(0, unlock_fd(other));
	close_ring(&ring);
}

TEST_HARNESS_MAIN
