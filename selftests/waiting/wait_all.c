// SPDX-License-Identifier: GPL-2.0-only
/*
 * Waiting for all of several things: they are granted together or not at all,
 * nobody deadlocks in whatever order they are named, and nobody starves.
 *
 * A wait for all may try for what it waits for, and for a moment have some of
 * it. So what must not be held is asked for until it can be had, and numbers
 * that only grow (tokens) may have grown.
 */
#include <poll.h>
#include "wait_many.h"

/* Nobody waits longer for what others keep letting go. */
#define STARVED_NS	(60 * NSEC_PER_SEC)

static int wait_all(struct gosync_wait_entry *entries, unsigned int count)
{
	return wait_many(entries, count, GOSYNC_WAIT_ALL, 0);
}

static int wait_all_until(struct gosync_wait_entry *entries, unsigned int count,
			  uint64_t deadline)
{
	return wait_many(entries, count, GOSYNC_WAIT_ALL, deadline);
}

static void fill(struct gosync_wait_entry *entries, const struct thing *things,
		 unsigned int count)
{
	unsigned int i;

	for (i = 0; i < count; i++)
		entries[i] = entry_for(&things[i]);
}

/* All but the token */
static bool is_at_rest(const struct thing *thing,
		       const struct gosync_info *before)
{
	struct gosync_info same = *before;

	same.token = info_of(thing->fd).token;
	return is_as_before(thing, &same);
}

/* Can it be had by somebody else, who gives it back? */
static bool is_to_be_had(const struct thing *thing)
{
	struct thing own = own_thing(thing);
	struct gosync_wait_entry e = entry_for(&own);
	bool good;

	good = !wait_many(&e, 1, 0, 1) && is_granted(&own, &e) &&
		!give_back(&own);
	close(own.fd);
	return good;
}

static bool is_waiting(pid_t pid)
{
	return !waitpid(pid, NULL, WNOHANG);
}

/* --- each kind, together with something else ------------------------------ */

FIXTURE(each)
{
	union {
		struct {
			struct thing thing;
			struct thing gate;
		};
		struct thing things[2];
	};
	struct gosync_info before[2];
};

EACH_KIND(each);

FIXTURE_SETUP(each)
{
	self->thing = new_thing(variant->kind, variant->how);
	self->gate = new_thing(PERMITS, variant->how);
	ASSERT_EQ(0, keep(&self->thing));
	self->before[0] = info_of(self->thing.fd);
	self->before[1] = info_of(self->gate.fd);
}

FIXTURE_TEARDOWN(each)
{
}

/*
 * A child that waits for both, with holders of its own, and has them or that
 * error.
 */
static pid_t spawn_waiter_until(FIXTURE_DATA(each) *self, int expected,
				uint64_t deadline)
{
	pid_t pid = spawn();

	if (!pid) {
		struct thing own[] = {
			own_thing(&self->thing), own_thing(&self->gate),
		};
		struct gosync_wait_entry entries[2];
		int i;

		fill(entries, own, 2);
		MUST(wait_all_until(entries, 2, deadline) == expected);
		for (i = 0; i < 2; i++) {
			if (!expected)
				MUST(is_granted(&own[i], &entries[i]));
			else if (own[i].kind != WAITGROUP || !signals)
				MUST(is_untouched(&own[i], &entries[i]));
		}
		for (i = 0; i < 2 && !expected; i++)
			MUST(!give_back(&own[i]));
		_exit(0);
	}
	/* For which of them it waits is its own affair. */
	return eventually(waiters_of(&self->thing) + waiters_of(&self->gate)) ?
		pid : -1;
}

static pid_t spawn_waiter(FIXTURE_DATA(each) *self, int expected)
{
	return spawn_waiter_until(self, expected, GOSYNC_FOREVER);
}

static void expect_rest(struct __test_metadata *_metadata,
			FIXTURE_DATA(each) *self)
{
	int i;

	for (i = 0; i < 2; i++) {
		EXPECT_TRUE(is_at_rest(&self->things[i], &self->before[i]));
		EXPECT_TRUE(is_accounted(self->things[i].fd));
	}
}

TEST_F(each, is_granted_at_once)
{
	struct gosync_wait_entry entries[2];
	int i;

	EXPECT_EQ(0, let_go(&self->thing));
	EXPECT_EQ(0, let_go(&self->gate));
	fill(entries, self->things, 2);
	/* It needs no time if it need not wait. */
	ASSERT_EQ(0, wait_all_until(entries, 2, 1));
	for (i = 0; i < 2; i++) {
		EXPECT_TRUE(is_granted(&self->things[i], &entries[i]));
		EXPECT_EQ(0, give_back(&self->things[i]));
		EXPECT_EQ(0, info_of(self->things[i].fd).contended);
	}
}

TEST_F(each, alone_is_as_any)
{
	struct gosync_wait_entry e = entry_for(&self->thing);

	EXPECT_EQ(-ETIMEDOUT, wait_all_until(&e, 1, 1));
	EXPECT_TRUE(is_at_rest(&self->thing, &self->before[0]));
	EXPECT_EQ(0, let_go(&self->thing));
	EXPECT_EQ(0, wait_all(&e, 1));
	EXPECT_TRUE(is_granted(&self->thing, &e));
}

TEST_F(each, is_granted_together_with_another)
{
	pid_t pid;
	int i;

	/* First this one, then the other, and the other way round */
	for (i = 0; i < 2; i++) {
		pid = spawn_waiter(self, 0);
		ASSERT_LT(0, pid);
		EXPECT_EQ(0, let_go(&self->things[i]));
		sleep_ns(5 * NSEC_PER_MSEC);
		EXPECT_TRUE(is_waiting(pid));
		EXPECT_EQ(0, let_go(&self->things[!i]));
		EXPECT_EQ(0, reap_soon(pid));
		EXPECT_TRUE(is_at_rest(&self->gate, &self->before[1]));
		EXPECT_TRUE(is_accounted(self->thing.fd));
		EXPECT_TRUE(is_accounted(self->gate.fd));
		/* Anew: what is done or changed remains so. */
		close(self->thing.fd);
		gosync_close(self->thing.other);
		self->thing = new_thing(variant->kind, variant->how);
		EXPECT_EQ(0, keep(&self->thing));
	}
}

TEST_F(each, is_had_by_others_meanwhile)
{
	pid_t pid;
	int i;

	EXPECT_EQ(0, let_go(&self->thing));
	pid = spawn_waiter(self, 0);
	ASSERT_LT(0, pid);
	for (i = 0; i < 5; i++) {
		/* First at once, then when it has waited for long */
		ASSERT_TRUE(eventually(is_to_be_had(&self->thing)));
		if (self->thing.kind == PERMITS)
			EXPECT_EQ(0, let_go(&self->thing));
		sleep_ns(i * NSEC_PER_MSEC);
		EXPECT_TRUE(is_waiting(pid));
	}
	EXPECT_EQ(0, let_go(&self->gate));
	EXPECT_EQ(0, reap_soon(pid));
	EXPECT_TRUE(is_accounted(self->thing.fd));
	EXPECT_TRUE(is_at_rest(&self->gate, &self->before[1]));
}

TEST_F(each, times_out_and_leaves_nothing)
{
	static const clockid_t clocks[] = { CLOCK_MONOTONIC, CLOCK_REALTIME };
	struct gosync_wait_entry entries[2];
	int i, j;

	for (i = 0; i < 8; i++) {
		clockid_t clock = clocks[i % 2];
		uint64_t deadline = i % 4 < 2 ? 1 :
				    now_ns(clock) + 20 * NSEC_PER_MSEC;

		if (i == 4) {
			/* Half of it could be had. */
			EXPECT_EQ(0, let_go(&self->thing));
			self->before[0] = info_of(self->thing.fd);
		}
		fill(entries, self->things, 2);
		EXPECT_EQ(-ETIMEDOUT,
			  wait_many(entries, 2, GOSYNC_WAIT_ALL |
				    (clock == CLOCK_REALTIME ?
				     GOSYNC_CLOCK_REALTIME : 0), deadline));
		EXPECT_LE(deadline, now_ns(clock));
		for (j = 0; j < 2; j++)
			EXPECT_TRUE(is_untouched(&self->things[j], &entries[j]));
		expect_rest(_metadata, self);
	}
	EXPECT_TRUE(is_to_be_had(&self->thing));
}

TEST_F(each, is_left_alone_after_a_signal)
{
	pid_t pid;
	int i;

	handle(count_signal, 0);
	for (i = 0; i < 2; i++) {
		pid = spawn_waiter(self, -EINTR);
		ASSERT_LT(0, pid);
		kill(pid, SIGUSR1);
		EXPECT_EQ(0, reap_soon(pid));
		expect_rest(_metadata, self);
		if (i)
			break;
		EXPECT_EQ(0, let_go(&self->thing));
		self->before[0] = info_of(self->thing.fd);
	}
	EXPECT_TRUE(is_to_be_had(&self->thing));
}

TEST_F(each, is_waited_for_again_after_a_signal_with_sa_restart)
{
	pid_t pid;
	int i;

	handle(count_signal, SA_RESTART);
	EXPECT_EQ(0, let_go(&self->thing));
	pid = spawn_waiter(self, 0);
	ASSERT_LT(0, pid);
	for (i = 0; i < 3; i++) {
		kill(pid, SIGUSR1);
		sleep_ns(5 * NSEC_PER_MSEC);
		ASSERT_TRUE(eventually(waiters_of(&self->thing) +
				       waiters_of(&self->gate)));
		EXPECT_TRUE(is_waiting(pid));
	}
	EXPECT_EQ(0, let_go(&self->gate));
	EXPECT_EQ(0, reap_soon(pid));
	EXPECT_TRUE(is_at_rest(&self->gate, &self->before[1]));
	EXPECT_TRUE(is_accounted(self->thing.fd));
}

TEST_F(each, is_left_alone_by_who_is_killed)
{
	pid_t pids[3];
	int i, half;

	for (half = 0; half < 2; half++) {
		for (i = 0; i < 3; i++) {
			pids[i] = spawn_waiter(self, 0);
			ASSERT_LT(0, pids[i]);
		}
		for (i = 0; i < 3; i++)
			kill_and_reap(pids[i]);
		expect_rest(_metadata, self);
		EXPECT_EQ(0, info_of(self->thing.fd).deaths);
		if (half)
			break;
		EXPECT_EQ(0, let_go(&self->thing));
		self->before[0] = info_of(self->thing.fd);
	}
	EXPECT_TRUE(is_to_be_had(&self->thing));
}

TEST_F(each, waiter_is_listed_as_such)
{
	pid_t pid = spawn_waiter(self, 0);
	unsigned int i, listed = 0;

	ASSERT_LT(0, pid);
	for (i = 0; i < 2; i++) {
		struct gosync_party party;
		struct gosync_parties_args args = {
			.size = sizeof(args), .entries = to_u64(&party),
			.count = 1, .entry_size = sizeof(party),
		};
		int n = call(self->things[i].fd, GOSYNC_IOC_WAITERS, &args);

		ASSERT_LE(0, n);
		if (!n)
			continue;
		listed++;
		EXPECT_EQ(pid, party.pid);
		EXPECT_EQ(pid, party.tid);
		EXPECT_TRUE(party.flags & GOSYNC_PARTY_AMONG);
	}
	EXPECT_LT(0, listed);
	kill_and_reap(pid);
}

struct wait_in_thread {
	struct gosync_wait_entry entries[2];
	int ret;
};

static void *wait_in_thread(void *arg)
{
	struct wait_in_thread *wait = arg;

	wait->ret = wait_all(wait->entries, 2);
	return NULL;
}

TEST_F(each, descriptor_may_be_closed_meanwhile)
{
	struct thing own[] = {
		own_thing(&self->thing), own_thing(&self->gate),
	};
	struct wait_in_thread wait;
	pthread_t thread;

	fill(wait.entries, own, 2);
	ASSERT_EQ(0, pthread_create(&thread, NULL, wait_in_thread, &wait));
	ASSERT_TRUE(eventually(waiters_of(&self->thing) +
			       waiters_of(&self->gate)));
	close(own[0].fd);
	close(own[1].fd);
	EXPECT_EQ(3, info_of(self->thing.fd).holders);
	EXPECT_EQ(0, let_go(&self->thing));
	EXPECT_EQ(0, let_go(&self->gate));
	ASSERT_EQ(0, pthread_join(thread, NULL));
	EXPECT_EQ(0, wait.ret);
	EXPECT_TRUE(eventually(info_of(self->thing.fd).holders == 2));
	/* It had it, and its holder has ended with the call. */
	EXPECT_EQ(self->thing.kind <= WRITE, info_of(self->thing.fd).deaths);
	EXPECT_EQ(0, info_of(self->thing.fd).owner);
	EXPECT_EQ(0, info_of(self->thing.fd).readers);
}

TEST_F(each, takes_write_permission_if_it_is_taken)
{
	struct thing things[] = { self->gate, self->thing };
	struct gosync_wait_entry entries[2];

	EXPECT_EQ(0, let_go(&self->thing));
	EXPECT_EQ(0, let_go(&self->gate));
	things[1].fd = reopen_object(self->thing.fd, GOSYNC_RDONLY);
	fill(entries, things, 2);
	if (kinds[variant->kind].writes) {
		EXPECT_EQ(-EBADF, wait_all(entries, 2));
		EXPECT_EQ(PERMITS_LET_GO, permits_of(self->gate.fd));
	} else {
		EXPECT_EQ(0, wait_all(entries, 2));
		EXPECT_TRUE(is_granted(&things[1], &entries[1]));
		EXPECT_EQ(0, permits_of(self->gate.fd));
	}
}

/* --- what is asked for --------------------------------------------------- */

FIXTURE(all)
{
	int mutex;
	int rwmutex;
	int semaphore;
	unsigned int *shared;		/* with children */
};

MAPPED_AND_IOCTL(all);

FIXTURE_SETUP(all)
{
	self->mutex = create(GOSYNC_MUTEX);
	self->rwmutex = create(GOSYNC_RWMUTEX);
	self->semaphore = create(GOSYNC_SEMAPHORE);
	ASSERT_LE(0, self->mutex);
	ASSERT_LE(0, self->rwmutex);
	ASSERT_LE(0, self->semaphore);
	self->shared = shared_memory(1 << 20);
}

FIXTURE_TEARDOWN(all)
{
}

/* All kinds, let go one by one in any order: granted with the last. */
TEST_F(all, nothing_is_granted_before_the_last)
{
	uint64_t end = end_of_budget(), seed = random_seed();
	unsigned int rounds = 0;

	do {
		struct gosync_wait_entry entries[KINDS];
		struct thing things[KINDS];
		unsigned int i, order[KINDS];
		pid_t pid;

		for (i = 0; i < KINDS; i++) {
			unsigned int other = random_u32(&seed) % (i + 1);

			things[i] = new_thing(i, variant->how);
			ASSERT_EQ(0, keep(&things[i]));
			order[i] = order[other];
			order[other] = i;
		}
		pid = spawn();
		if (!pid) {
			for (i = 0; i < KINDS; i++)
				things[i] = own_thing(&things[i]);
			fill(entries, things, KINDS);
			MUST(!wait_all(entries, KINDS));
			for (i = 0; i < KINDS; i++)
				MUST(is_granted(&things[i], &entries[i]));
			for (i = 0; i < KINDS; i++)
				MUST(!give_back(&things[i]));
			_exit(0);
		}
		for (i = 0; i < KINDS; i++) {
			if (i % 3 == 0)
				sleep_ns(random_u32(&seed) % (3 * NSEC_PER_MSEC));
			ASSERT_TRUE(is_waiting(pid));
			ASSERT_EQ(0, let_go(&things[order[i]]));
		}
		ASSERT_EQ(0, reap_soon(pid));
		for (i = 0; i < KINDS; i++) {
			ASSERT_TRUE(is_accounted(things[i].fd));
			ASSERT_EQ(0, info_of(things[i].fd).deaths);
			gosync_close(things[i].other);
			close(things[i].fd);
		}
		rounds++;
	} while (budget_left(end));
	TH_LOG("%u rounds", rounds);
}

/* A condition that was true once, but is not when the lock can be had */
TEST_F(all, conditions_are_true_when_the_locks_are_held)
{
	struct thing word = new_thing(WORD, variant->how);
	struct thing mutex = thing_of(self->mutex, MUTEX, variant->how);
	struct gosync_wait_entry entries[] = {
		entry_for(&word), entry_for(&mutex),
	};
	pid_t pid;

	EXPECT_EQ(0, keep(&mutex));
	pid = spawn();
	if (!pid) {
		entries[1].fd = reopen_object(self->mutex, 0);
		MUST(!wait_all(entries, 2));
		MUST(entries[0].value == 7);
		MUST(!unlock_fd(entries[1].fd));
		_exit(0);
	}
	ASSERT_TRUE(eventually(waiters_of(&word) + waiters_of(&mutex)));
	EXPECT_EQ(0, let_go(&word));
	sleep_ns(2 * NSEC_PER_MSEC);
	EXPECT_EQ(0, gosync_uint64_store(word.other, 0, 0));
	EXPECT_EQ(0, let_go(&mutex));
	sleep_ns(5 * NSEC_PER_MSEC);
	EXPECT_TRUE(is_waiting(pid));
	EXPECT_TRUE(eventually(is_to_be_had(&mutex)));
	EXPECT_EQ(0, gosync_uint64_store(word.other, 0, 7));
	EXPECT_LE(0, gosync_uint64_wake(word.other, 0, 1));
	EXPECT_EQ(0, reap_soon(pid));
	EXPECT_EQ(0, info_of(self->mutex).word);
}

TEST_F(all, refuses_a_lock_that_is_asked_for_twice)
{
	const int mutex = reopen_object(self->mutex, 0);
	const int rwmutex = reopen_object(self->rwmutex, 0);
	struct gosync_wait_entry rows[][2] = {
		{ entry_of_mutex(self->mutex), entry_of_mutex(self->mutex) },
		{ entry_of_mutex(self->mutex), entry_of_mutex(mutex) },
		{ entry(self->rwmutex, GOSYNC_IOC_RWMUTEX_LOCK, 0),
		  entry(self->rwmutex, GOSYNC_IOC_RWMUTEX_LOCK, 0) },
		{ entry(self->rwmutex, GOSYNC_IOC_RWMUTEX_LOCK, 0),
		  entry(self->rwmutex, GOSYNC_IOC_RWMUTEX_RLOCK, 0) },
		{ entry(self->rwmutex, GOSYNC_IOC_RWMUTEX_RLOCK, 0),
		  entry(self->rwmutex, GOSYNC_IOC_RWMUTEX_LOCK, 0) },
		{ entry(rwmutex, GOSYNC_IOC_RWMUTEX_RLOCK, 0),
		  entry(self->rwmutex, GOSYNC_IOC_RWMUTEX_LOCK, 0) },
		{ entry(rwmutex, GOSYNC_IOC_RWMUTEX_RLOCK, 0),
		  entry(self->rwmutex, GOSYNC_IOC_RWMUTEX_RLOCK, 0) },
	};
	unsigned int i, held;

	for (held = 0; held < 2; held++) {
		for (i = 0; i < ARRAY_SIZE(rows); i++) {
			/* With another between them */
			struct gosync_wait_entry entries[] = {
				rows[i][0],
				entry_of_permits(self->semaphore, 0),
				rows[i][1],
			};

			EXPECT_EQ(-EDEADLK, wait_all(entries, 3)) {
				TH_LOG("row %u", i);
			}
			/* Any of them is another matter. */
			EXPECT_EQ(held, wait_many(entries, 3, 0, 0));
			if (!held)
				EXPECT_EQ(0, give_back(&(struct thing) {
					.kind = rows[i][0].op ==
						GOSYNC_IOC_MUTEX_LOCK ? MUTEX :
						rows[i][0].op ==
						GOSYNC_IOC_RWMUTEX_LOCK ? WRITE :
						READ,
					.fd = rows[i][0].fd,
				}));
			EXPECT_EQ(held, !!info_of(self->mutex).owner);
			EXPECT_EQ(held, !!info_of(self->rwmutex).owner);
			EXPECT_EQ(0, info_of(self->rwmutex).readers);
			EXPECT_TRUE(is_accounted(self->mutex));
			EXPECT_TRUE(is_accounted(self->rwmutex));
		}
		/* Not even when it would have to wait anyway */
		if (!held) {
			EXPECT_EQ(0, lock_fd(mutex));
			EXPECT_EQ(0, call(rwmutex, GOSYNC_IOC_RWMUTEX_LOCK, NULL));
		}
	}
}

/* Asked for by two holders, and given back for each when it ends */
TEST_F(all, gives_each_holder_its_permits)
{
	int one = open_bytes(GOSYNC_SEMAPHORE, NULL, 0,
			     GOSYNC_CREATE | GOSYNC_GIVE_BACK, 0600, 6);
	int two = reopen_object(one, 0);
	struct gosync_wait_entry entries[] = {
		entry_of_permits(one, 2),
		entry_of_permits(two, 3),
	};
	struct gosync_semaphore_args args = { .size = sizeof(args) };

	ASSERT_LE(0, two);
	EXPECT_EQ(0, wait_all(entries, 2));
	EXPECT_EQ(1, permits_of(one));
	close(two);
	EXPECT_EQ(4, permits_of(one));
	/* The rest is the other's. */
	args.count = 2;
	EXPECT_EQ(0, call(one, GOSYNC_IOC_SEMAPHORE_RELEASE, &args));
	EXPECT_EQ(6, permits_of(one));
}

TEST_F(all, adds_permits_up)
{
	struct gosync_wait_entry entries[] = {
		entry_of_permits(self->semaphore, 2),
		entry_of_mutex(self->mutex),
		entry_of_permits(self->semaphore, 3),
	};
	gosync_semaphore_t *other;
	pid_t pid;

	ASSERT_EQ(0, gosync_semaphore_from_fd(reopen_object(self->semaphore, 0),
					      variant->how, &other));
	EXPECT_EQ(0, gosync_semaphore_release(other, 4));
	EXPECT_EQ(-ETIMEDOUT, wait_all_until(entries, 3, 1));
	EXPECT_EQ(-ETIMEDOUT, wait_all_until(entries, 3,
					     gosync_deadline(5 * NSEC_PER_MSEC)));
	EXPECT_EQ(4, info_of(self->semaphore).word);
	EXPECT_EQ(0, info_of(self->mutex).word);
	EXPECT_EQ(0, gosync_semaphore_release(other, 2));
	EXPECT_EQ(0, wait_all(entries, 3));
	EXPECT_EQ(1, info_of(self->semaphore).word);
	EXPECT_EQ(0, unlock_fd(self->mutex));

	pid = spawn();
	if (!pid)
		_exit(!!wait_all(entries, 3));
	ASSERT_TRUE(eventually(info_of(self->semaphore).waiters));
	EXPECT_EQ(0, gosync_semaphore_release(other, 3));
	sleep_ns(3 * NSEC_PER_MSEC);
	EXPECT_TRUE(is_waiting(pid));
	EXPECT_EQ(0, gosync_semaphore_release(other, 1));
	EXPECT_EQ(0, reap_soon(pid));
	EXPECT_EQ(0, info_of(self->semaphore).word);
	EXPECT_TRUE(is_accounted(self->semaphore));
}

/* The same condition more than once is one condition. */
TEST_F(all, takes_conditions_twice)
{
	enum kind kind;

	for (kind = WAITGROUP; kind < KINDS; kind++) {
		struct thing thing = new_thing(kind, variant->how);
		struct gosync_wait_entry entries[] = {
			entry_for(&thing), entry_for(&thing),
		};
		pid_t pid;

		EXPECT_EQ(0, keep(&thing));
		EXPECT_EQ(-ETIMEDOUT, wait_all_until(entries, 2, 1));
		pid = spawn();
		if (!pid)
			_exit(!!wait_all(entries, 2));
		ASSERT_TRUE(eventually(waiters_of(&thing)));
		EXPECT_EQ(0, let_go(&thing));
		EXPECT_EQ(0, reap_soon(pid));
		EXPECT_EQ(0, wait_all(entries, 2));
		EXPECT_TRUE(is_granted(&thing, &entries[0]));
		EXPECT_TRUE(is_granted(&thing, &entries[1]));
		EXPECT_TRUE(is_accounted(thing.fd));
	}
}

TEST_F(all, takes_64)
{
	struct gosync_wait_entry entries[GOSYNC_WAIT_MAX];
	struct thing things[GOSYNC_WAIT_MAX];
	unsigned int i;
	pid_t pid;

	for (i = 0; i < GOSYNC_WAIT_MAX; i++) {
		things[i] = new_thing(i % KINDS, variant->how);
		ASSERT_EQ(0, keep(&things[i]));
	}
	pid = spawn();
	if (!pid) {
		for (i = 0; i < GOSYNC_WAIT_MAX; i++)
			things[i] = own_thing(&things[i]);
		fill(entries, things, GOSYNC_WAIT_MAX);
		MUST(!wait_all(entries, GOSYNC_WAIT_MAX));
		for (i = 0; i < GOSYNC_WAIT_MAX; i++)
			MUST(is_granted(&things[i], &entries[i]));
		for (i = 0; i < GOSYNC_WAIT_MAX; i++)
			MUST(!give_back(&things[i]));
		_exit(0);
	}
	for (i = 0; i < GOSYNC_WAIT_MAX; i++) {
		ASSERT_TRUE(is_waiting(pid));
		ASSERT_EQ(0, let_go(&things[GOSYNC_WAIT_MAX - 1 - i]));
	}
	EXPECT_EQ(0, reap_soon(pid));
	for (i = 0; i < GOSYNC_WAIT_MAX; i++) {
		EXPECT_TRUE(is_accounted(things[i].fd));
		EXPECT_EQ(0, info_of(things[i].fd).deaths);
	}
}

/* What can be polled cannot be taken. */
TEST_F(all, refuses_to_poll)
{
	const uint64_t token = info_of(self->mutex).token;
	struct gosync_wait_entry entries[] = {
		entry_of_mutex(self->mutex), { .fd = -1, .index = POLLIN },
	};
	int fds[2];

	ASSERT_EQ(0, pipe(fds));
	ASSERT_EQ(1, write(fds[1], "", 1));
	entries[1].fd = fds[0];
	EXPECT_EQ(-EINVAL, wait_all(entries, 2));
	EXPECT_EQ(0, info_of(self->mutex).word);
	EXPECT_EQ(token, info_of(self->mutex).token);
}

/* --- deaths -------------------------------------------------------------- */

static pid_t spawn_owner(int fd, unsigned int op)
{
	pid_t pid = spawn();

	if (!pid) {
		MUST(call(reopen_object(fd, 0), op, NULL) >= 0);
		rest();
	}
	return eventually(rests(pid)) ? pid : -1;
}

TEST_F(all, each_result_tells_whether_an_owner_has_died)
{
	struct gosync_wait_entry entries[] = {
		entry_of_mutex(self->mutex),
		entry_of_mutex(create(GOSYNC_MUTEX)),
		entry(self->rwmutex, GOSYNC_IOC_RWMUTEX_LOCK, 0),
		entry(create(GOSYNC_RWMUTEX), GOSYNC_IOC_RWMUTEX_RLOCK, 0),
		entry(create(GOSYNC_RWMUTEX), GOSYNC_IOC_RWMUTEX_RLOCK, 0),
	};
	/* Who is kept by somebody that dies */
	static const unsigned int dies[] = { 1, 0, 1, 1, 0 };
	static const unsigned int releases[] = {
		GOSYNC_IOC_MUTEX_UNLOCK, GOSYNC_IOC_MUTEX_UNLOCK,
		GOSYNC_IOC_RWMUTEX_UNLOCK, GOSYNC_IOC_RWMUTEX_RUNLOCK,
		GOSYNC_IOC_RWMUTEX_RUNLOCK,
	};
	enum { N = ARRAY_SIZE(entries) };
	pid_t owners[N], waiter;
	unsigned int i;

	for (i = 0; i < N; i++)
		owners[i] = !dies[i] ? 0 :
			    spawn_owner(entries[i].fd, i < 2 ?
					GOSYNC_IOC_MUTEX_LOCK :
					GOSYNC_IOC_RWMUTEX_LOCK);
	waiter = spawn();
	if (!waiter) {
		for (i = 0; i < N; i++)
			entries[i].fd = reopen_object(entries[i].fd, 0);
		MUST(!wait_all(entries, N));
		for (i = 0; i < N; i++)
			MUST(entries[i].result == dies[i]);
		for (i = 0; i < N; i++)
			MUST(!call(entries[i].fd, releases[i], NULL));
		_exit(0);
	}
	sleep_ns(2 * NSEC_PER_MSEC);
	for (i = 0; i < N; i++) {
		if (!dies[i])
			continue;
		EXPECT_TRUE(is_waiting(waiter));
		kill_and_reap(owners[i]);
	}
	EXPECT_EQ(0, reap_soon(waiter));
	/* And when there is nothing to wait for */
	EXPECT_EQ(0, wait_all(entries, N));
	for (i = 0; i < N; i++) {
		EXPECT_EQ(dies[i], entries[i].result);
		EXPECT_EQ(dies[i], info_of(entries[i].fd).deaths);
	}
}

/*
 * Some wait for a lock, which they could have, and for what they never get;
 * they are killed, whatever they do at the moment. Nobody was ever granted the
 * lock, so nothing is to be told.
 */
TEST_F(all, who_was_never_granted_poisons_nothing)
{
	enum { N = 4 };
	struct thing mutex = thing_of(self->mutex, MUTEX, variant->how);
	uint64_t end = end_of_budget(), seed = random_seed();
	unsigned int kills = 0, locks = 0, i;
	pid_t pids[N] = {};

	do {
		uint32_t r = random_u32(&seed);

		i = r % N;
		if (pids[i]) {
			kill_and_reap(pids[i]);
			kills++;
		}
		pids[i] = spawn();
		if (!pids[i]) {
			struct gosync_wait_entry entries[] = {
				entry_of_mutex(reopen_object(self->mutex, 0)),
				entry_of_permits(self->semaphore, 1),
				entry(reopen_object(self->rwmutex, 0),
				      GOSYNC_IOC_RWMUTEX_LOCK, 0),
			};

			for (;;)
				MUST(wait_all_until(entries, 3,
						    r & 64 ? gosync_deadline(1000) :
						    0) == -ETIMEDOUT);
		}
		if (r & 128)
			sleep_ns(r / 256 % (2 * NSEC_PER_MSEC));
		/* Others use the lock meanwhile. */
		EXPECT_EQ(0, keep(&mutex));
		EXPECT_EQ(0, let_go(&mutex));
		locks++;
	} while (budget_left(end) || kills < N);
	for (i = 0; i < N; i++)
		if (pids[i])
			kill_and_reap(pids[i]);
	TH_LOG("%u kills, %u locks", kills, locks);
	EXPECT_EQ(0, info_of(self->mutex).word);
	EXPECT_EQ(0, info_of(self->mutex).deaths);
	EXPECT_EQ(0, info_of(self->rwmutex).word);
	EXPECT_EQ(0, info_of(self->rwmutex).deaths);
	EXPECT_EQ(0, info_of(self->semaphore).word);
	EXPECT_TRUE(is_accounted(self->mutex));
	EXPECT_TRUE(is_accounted(self->rwmutex));
	EXPECT_TRUE(is_accounted(self->semaphore));
}

/* --- many at once -------------------------------------------------------- */

enum { LOCKS = 4, WORKERS = 6 };

struct storm {
	unsigned int stop, wrong, vain, granted;
	struct guarded guarded[LOCKS];
	unsigned int entered[WORKERS];
};

/* The third is an RWMutex. */
#define IS_RW(lock)	((lock) == 2)

static bool come_in(struct storm *storm, unsigned int lock, unsigned int me,
		    bool reads, bool died)
{
	if (reads)
		return died || !load(&storm->guarded[lock].inside);
	return enter(&storm->guarded[lock], me + 1, died);
}

static bool go_out(struct storm *storm, void *handle, unsigned int lock,
		   unsigned int me, bool reads, bool died)
{
	bool good;

	if (reads) {
		good = died || !load(&storm->guarded[lock].inside);
		return !gosync_rwmutex_runlock(handle) && good;
	}
	good = leave(&storm->guarded[lock], me + 1);
	if (IS_RW(lock)) {
		good &= !died || !gosync_rwmutex_recover(handle);
		return !gosync_rwmutex_unlock(handle) && good;
	}
	good &= !died || !gosync_mutex_recover(handle);
	return !gosync_mutex_unlock(handle) && good;
}

static void open_locks(const int *fds, unsigned int how, void **handles)
{
	unsigned int i;

	for (i = 0; i < LOCKS; i++) {
		int fd = reopen_object(fds[i], 0);

		MUST(!(IS_RW(i) ?
		       gosync_rwmutex_from_fd(fd, how, (void *)&handles[i]) :
		       gosync_mutex_from_fd(fd, how, (void *)&handles[i])));
	}
}

static void make_locks(FIXTURE_DATA(all) *self, int *fds)
{
	unsigned int i;

	for (i = 0; i < LOCKS; i++)
		fds[i] = !i ? self->mutex : IS_RW(i) ? self->rwmutex :
			 create(GOSYNC_MUTEX);
}

/* Some of the locks, in any order, all at once; or by one locking in order */
static void work(struct storm *storm, const int *fds, unsigned int how,
		 unsigned int me)
{
	uint64_t seed = random_seed() + me;
	void *handles[LOCKS];
	unsigned int i;

	open_locks(fds, how, handles);
	do {
		struct gosync_wait_entry entries[LOCKS];
		unsigned int order[LOCKS], count = 0;
		bool reads = false, died[LOCKS];
		uint32_t r = random_u32(&seed);
		int ret = 0;

		if (me % 3 == 2) {
			/* Two, the lower one first */
			for (i = 0; i < LOCKS; i++)
				if (i == r % LOCKS || i == r / 8 % LOCKS)
					order[count++] = i;
			for (i = 0; i < count; i++) {
				ret = IS_RW(order[i]) ?
				      gosync_rwmutex_lock(handles[order[i]]) :
				      gosync_mutex_lock(handles[order[i]]);
				if (ret < 0)
					add(&storm->wrong, 1);
				died[i] = ret == 1;
			}
		} else {
			count = 2 + r % (LOCKS - 1);
			reads = r & 64;
			for (i = 0; i < LOCKS; i++) {
				unsigned int other = random_u32(&seed) % (i + 1);

				order[i] = order[other];
				order[other] = i;
			}
			for (i = 0; i < count; i++)
				entries[i] = entry(gosync_fd(handles[order[i]]),
						   !IS_RW(order[i]) ?
						   GOSYNC_IOC_MUTEX_LOCK :
						   reads ?
						   GOSYNC_IOC_RWMUTEX_RLOCK :
						   GOSYNC_IOC_RWMUTEX_LOCK, 0);
			ret = wait_all_until(entries, count, r & 128 ? 0 :
					     gosync_deadline(r / 256 % (4 *
							     NSEC_PER_MSEC)));
			if (ret == -ETIMEDOUT) {
				add(&storm->vain, 1);
				continue;
			}
			if (ret) {
				add(&storm->wrong, 1);
				continue;
			}
			add(&storm->granted, 1);
			for (i = 0; i < count; i++)
				died[i] = entries[i].result == 1;
		}
		r = random_u32(&seed);
		for (i = 0; i < count; i++)
			if (!come_in(storm, order[i], me,
				     reads && IS_RW(order[i]), died[i]))
				add(&storm->wrong, 1);
		if (r % 32 == 5)
			sleep_ns(r % (3 * NSEC_PER_MSEC));
		else if (r % 8 == 2)
			spin_ns(r % (20 * NSEC_PER_USEC));
		for (i = 0; i < count; i++)
			if (!go_out(storm, handles[order[i]], order[i], me,
				    reads && IS_RW(order[i]), died[i]))
				add(&storm->wrong, 1);
		add(&storm->entered[me], 1);
	} while (!load(&storm->stop));
	_exit(0);
}

static pid_t spawn_worker(struct storm *storm, const int *fds, unsigned int how,
			  unsigned int me)
{
	pid_t pid = spawn();

	if (!pid)
		work(storm, fds, how, me);
	return pid;
}

/* Everybody goes on, then ends; and nothing is held. */
static void finish(struct __test_metadata *_metadata, struct storm *storm,
		   const int *fds, const pid_t *pids, bool killed)
{
	unsigned int i;

	for (i = 0; i < WORKERS; i++) {
		unsigned int before = load(&storm->entered[i]);

		EXPECT_TRUE(eventually(load(&storm->entered[i]) != before)) {
			TH_LOG("%u is stuck", i);
		}
	}
	store(&storm->stop, 1);
	for (i = 0; i < WORKERS; i++)
		EXPECT_EQ(0, reap_soon(pids[i]));
	EXPECT_EQ(0, storm->wrong);
	for (i = 0; i < LOCKS; i++) {
		EXPECT_EQ(0, info_of(fds[i]).word &
			  ~(killed ? GOSYNC_MUTEX_POISONED : 0));
		EXPECT_EQ(0, info_of(fds[i]).readers);
		EXPECT_TRUE(is_accounted(fds[i]));
		EXPECT_LE(0, call(fds[i], IS_RW(i) ? GOSYNC_IOC_RWMUTEX_TRYLOCK :
				  GOSYNC_IOC_MUTEX_TRYLOCK, NULL));
	}
	TH_LOG("%u times granted, %u in vain; entered %u, %u, %u, %u",
	       storm->granted, storm->vain, storm->guarded[0].entered,
	       storm->guarded[1].entered, storm->guarded[2].entered,
	       storm->guarded[3].entered);
}

TEST_F(all, nobody_deadlocks_in_whatever_order)
{
	struct storm *storm = (void *)self->shared;
	uint64_t end = end_of_budget();
	pid_t pids[WORKERS];
	int fds[LOCKS], i;

	make_locks(self, fds);
	for (i = 0; i < WORKERS; i++)
		pids[i] = spawn_worker(storm, fds, i ? variant->how :
				       variant->how ^ GOSYNC_IOCTL_ONLY, i);
	while (budget_left(end))
		sleep_ns(5 * NSEC_PER_MSEC);
	finish(_metadata, storm, fds, pids, false);
	for (i = 0; i < LOCKS; i++)
		EXPECT_EQ(0, info_of(fds[i]).deaths);
}

TEST_F(all, death_at_any_moment_leaves_nobody_hanging)
{
	uint64_t end = end_of_budget(), seed = random_seed();
	struct storm *storm = (void *)self->shared;
	unsigned int kills = 0, i;
	pid_t pids[WORKERS];
	int fds[LOCKS];

	make_locks(self, fds);
	for (i = 0; i < WORKERS; i++)
		pids[i] = spawn_worker(storm, fds, variant->how, i);
	do {
		sleep_ns(random_u32(&seed) % (2 * NSEC_PER_MSEC));
		i = random_u32(&seed) % WORKERS;
		ASSERT_EQ(128 + SIGKILL, kill_and_reap(pids[i]));
		kills++;
		pids[i] = spawn_worker(storm, fds, variant->how, i);
	} while (budget_left(end));
	finish(_metadata, storm, fds, pids, true);
	for (i = 0; i < LOCKS; i++)
		EXPECT_LE(storm->guarded[i].reports, info_of(fds[i]).deaths);
	TH_LOG("%u kills", kills);
}

/* Holds the lock for that long, without a pause */
static pid_t spawn_hog(int fd, unsigned int how, uint64_t ns,
		       unsigned int *turns)
{
	unsigned int before = load(turns);
	gosync_mutex_t *mutex;
	pid_t pid = spawn();

	if (!pid) {
		MUST(!gosync_mutex_from_fd(reopen_object(fd, 0), how, &mutex));
		for (;;) {
			/* Another one may have been killed with it. */
			MUST(gosync_mutex_lock(mutex) >= 0);
			add(turns, 1);
			spin_ns(ns);
			MUST(!gosync_mutex_unlock(mutex));
		}
	}
	return eventually(load(turns) != before) ? pid : -1;
}

/*
 * Many locks that are free, and one that others lock and unlock all the time:
 * often it is seen to be free, and gone when the others were taken.
 */
TEST_F(all, what_was_taken_in_vain_is_given_back)
{
	struct gosync_wait_entry entries[GOSYNC_WAIT_MAX];
	uint64_t end = end_of_budget(), seed = random_seed();
	unsigned int had = 0, vain = 0, i;
	pid_t hog;

	for (i = 0; i < GOSYNC_WAIT_MAX; i++)
		entries[i] = entry_of_mutex(create(GOSYNC_MUTEX));
	hog = spawn_hog(entries[i - 1].fd, variant->how, 5 * NSEC_PER_USEC,
			self->shared);
	ASSERT_LT(0, hog);
	do {
		uint64_t ns = random_u32(&seed) % (500 * NSEC_PER_USEC);
		int ret = wait_all_until(entries, GOSYNC_WAIT_MAX,
					 gosync_deadline(ns));

		ASSERT_TRUE(!ret || ret == -ETIMEDOUT);
		for (i = 0; i < GOSYNC_WAIT_MAX - 1; i++) {
			ASSERT_EQ(!ret, !!info_of(entries[i].fd).owner);
			if (!ret)
				ASSERT_EQ(0, unlock_fd(entries[i].fd));
		}
		if (!ret)
			ASSERT_EQ(0, unlock_fd(entries[i].fd));
		had += !ret;
		vain += !!ret;
	} while (budget_left(end) || !had);
	TH_LOG("%u times had, %u in vain, the other %u", had, vain,
	       load(self->shared));
	kill_and_reap(hog);
}

/* --- philosophers -------------------------------------------------------- */

#define PHILOSOPHERS	50

struct table {
	unsigned int stop, wrong;
	unsigned int meals[PHILOSOPHERS];
	struct guarded forks[PHILOSOPHERS];
};

static void dine(struct table *table, const int *fds, unsigned int n,
		 unsigned int me, unsigned int how)
{
	unsigned int forks[] = { me, (me + 1) % n }, i;
	struct gosync_wait_entry entries[2];
	gosync_mutex_t *mutexes[2];

	for (i = 0; i < 2; i++) {
		MUST(!gosync_mutex_from_fd(reopen_object(fds[forks[i]], 0), how,
					   &mutexes[i]));
		entries[i] = entry_of_mutex(gosync_fd(mutexes[i]));
	}
	while (!load(&table->stop)) {
		MUST(!wait_all(entries, 2));
		for (i = 0; i < 2; i++)
			if (!enter(&table->forks[forks[i]], me + 1, false))
				add(&table->wrong, 1);
		for (i = 0; i < 2; i++)
			if (!leave(&table->forks[forks[i]], me + 1))
				add(&table->wrong, 1);
		for (i = 0; i < 2; i++)
			MUST(!gosync_mutex_unlock(mutexes[i]));
		add(&table->meals[me], 1);
	}
	_exit(0);
}

static unsigned int all_meals(struct table *table, unsigned int n,
			      unsigned int *least, unsigned int *most)
{
	unsigned int sum = 0, i;

	*least = UINT32_MAX;
	*most = 0;
	for (i = 0; i < n; i++) {
		unsigned int meals = load(&table->meals[i]);

		sum += meals;
		if (meals < *least)
			*least = meals;
		if (meals > *most)
			*most = meals;
	}
	return sum;
}

/* Has everybody eaten more than @before at last? It may take its time. */
static bool all_eat(struct table *table, unsigned int n,
		    const unsigned int *before, uint64_t limit)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		while (load(&table->meals[i]) == before[i]) {
			if (!budget_left(limit)) {
				fprintf(stderr, "# %u of %u starves\n", i, n);
				return false;
			}
			sleep_ns(5 * NSEC_PER_MSEC);
		}
	return true;
}

static void have_dinner(struct __test_metadata *_metadata,
			FIXTURE_DATA(all) *self,
			const FIXTURE_VARIANT(all) *variant, unsigned int n)
{
	uint64_t begin = now_ns(CLOCK_MONOTONIC), end = end_of_budget();
	/* With time for it, a million meals */
	unsigned int wanted = end - begin < 10 * NSEC_PER_SEC ? 0 : 1000000;
	uint64_t limit = begin + 400 * NSEC_PER_SEC;
	struct table *table = (void *)self->shared;
	unsigned int before[PHILOSOPHERS], meals, least, most, i;
	int fds[PHILOSOPHERS];
	pid_t pids[PHILOSOPHERS];

	memset(table, 0, sizeof(*table));
	for (i = 0; i < n; i++)
		fds[i] = create(GOSYNC_MUTEX);
	for (i = 0; i < n; i++) {
		pids[i] = spawn();
		if (!pids[i])
			dine(table, fds, n, i, i % 4 ? variant->how :
			     variant->how ^ GOSYNC_IOCTL_ONLY);
	}
	/* Everybody eats. */
	memset(before, 0, sizeof(before));
	EXPECT_TRUE(all_eat(table, n, before, limit));
	while (budget_left(end) ||
	       (all_meals(table, n, &least, &most) < wanted &&
		budget_left(limit)))
		sleep_ns(5 * NSEC_PER_MSEC);
	/* Still */
	for (i = 0; i < n; i++)
		before[i] = load(&table->meals[i]);
	EXPECT_TRUE(all_eat(table, n, before, limit));
	store(&table->stop, 1);
	for (i = 0; i < n; i++)
		EXPECT_EQ(0, reap_soon(pids[i]));
	meals = all_meals(table, n, &least, &most);
	TH_LOG("%u philosophers, %u meals in %llu ms, each %u to %u (1 to %u.%u)",
	       n, meals, (unsigned long long)
	       ((now_ns(CLOCK_MONOTONIC) - begin) / NSEC_PER_MSEC), least, most,
	       most / (least ?: 1), most * 10 / (least ?: 1) % 10);
	EXPECT_EQ(0, table->wrong);
	EXPECT_LE(wanted, meals);
	for (i = 0; i < n; i++) {
		EXPECT_EQ(0, info_of(fds[i]).word);
		EXPECT_EQ(0, info_of(fds[i]).deaths);
		EXPECT_TRUE(is_accounted(fds[i]));
		close(fds[i]);
	}
}

TEST_F_TIMEOUT(all, five_philosophers_dine, 600)
{
	have_dinner(_metadata, self, variant, 5);
}

TEST_F_TIMEOUT(all, two_and_three_philosophers_dine, 1200)
{
	have_dinner(_metadata, self, variant, 2);
	have_dinner(_metadata, self, variant, 3);
}

TEST_F_TIMEOUT(all, fifty_philosophers_dine, 600)
{
	have_dinner(_metadata, self, variant, PHILOSOPHERS);
}

/* --- nobody starves ------------------------------------------------------ */

/* Wants all of this again and again; each time it must not take for ever. */
static void is_not_starved(struct __test_metadata *_metadata,
			   struct gosync_wait_entry *entries,
			   unsigned int count, const unsigned int *others)
{
	uint64_t end = end_of_budget(), longest = 0;
	unsigned int had = 0, i;

	do {
		uint64_t begin = now_ns(CLOCK_MONOTONIC), ns;

		ASSERT_EQ(0, wait_all_until(entries, count, begin + STARVED_NS));
		ns = now_ns(CLOCK_MONOTONIC) - begin;
		if (ns > longest)
			longest = ns;
		for (i = 0; i < count; i++) {
			bool is_lock = entries[i].op == GOSYNC_IOC_MUTEX_LOCK;

			EXPECT_EQ(0, is_lock ? unlock_fd(entries[i].fd) :
				  release_fd(entries[i].fd, entries[i].value));
		}
		had++;
		sleep_ns(NSEC_PER_MSEC / 10);
	} while (budget_left(end) || had < 3);
	TH_LOG("%u times, the others %u; longest wait %llu us", had,
	       load(others), (unsigned long long)(longest / NSEC_PER_USEC));
}

TEST_F(all, is_not_starved_by_those_who_lock_one)
{
	struct gosync_wait_entry entries[] = {
		entry_of_mutex(self->mutex), entry_of_mutex(create(GOSYNC_MUTEX)),
	};
	pid_t hogs[4];
	int i;

	for (i = 0; i < 4; i++) {
		hogs[i] = spawn_hog(entries[i % 2].fd, variant->how,
				    50 * NSEC_PER_USEC, self->shared);
		ASSERT_LT(0, hogs[i]);
	}
	is_not_starved(_metadata, entries, 2, self->shared);
	for (i = 0; i < 4; i++)
		kill_and_reap(hogs[i]);
}

/*
 * Two locks that are never free at the same moment: who has one lets it go when
 * the other one has been locked anew. If that does not come, because somebody
 * waits for us, not for ever.
 */
static void spawn_alternating(const struct gosync_wait_entry *entries,
			      unsigned int how, unsigned int *turns, pid_t *pids)
{
	int i;

	for (i = 0; i < 2; i++) {
		gosync_mutex_t *mutex;

		pids[i] = spawn();
		if (pids[i])
			continue;
		MUST(!gosync_mutex_from_fd(reopen_object(entries[i].fd, 0), how,
					   &mutex));
		for (;;) {
			unsigned int seen = load(&turns[!i]);
			uint64_t limit = gosync_deadline(100 * NSEC_PER_MSEC);

			MUST(gosync_mutex_lock(mutex) >= 0);
			add(&turns[i], 1);
			while (load(&turns[!i]) == seen &&
			       gosync_deadline(0) < limit)
				sched_yield();
			MUST(!gosync_mutex_unlock(mutex));
		}
	}
	if (!eventually(load(&turns[0]) > 1 && load(&turns[1]) > 1))
		abort();
}

TEST_F(all, is_not_starved_by_locks_that_are_never_free_together)
{
	struct gosync_wait_entry entries[] = {
		entry_of_mutex(self->mutex), entry_of_mutex(create(GOSYNC_MUTEX)),
	};
	pid_t pids[2];
	int i;

	spawn_alternating(entries, variant->how, self->shared, pids);
	is_not_starved(_metadata, entries, 2, self->shared);
	for (i = 0; i < 2; i++)
		kill_and_reap(pids[i]);
}

static int move_clock(int64_t ns)
{
	uint64_t now = now_ns(CLOCK_REALTIME) + ns;
	struct timespec ts = { now / NSEC_PER_SEC, now % NSEC_PER_SEC };

	return clock_settime(CLOCK_REALTIME, &ts) ? -errno : 0;
}

/*
 * In its turn it keeps one of two for a moment, of whose length its deadline's
 * clock does not decide.
 */
TEST_F(all, keeps_nothing_because_the_clock_is_set_back)
{
	const int64_t far = 2 * WATCHDOG * NSEC_PER_SEC;
	struct gosync_wait_entry entries[] = {
		entry_of_mutex(self->mutex), entry_of_mutex(create(GOSYNC_MUTEX)),
	};
	int fds[2] = {
		reopen_object(entries[0].fd, 0), reopen_object(entries[1].fd, 0),
	};
	struct gosync_wait_args args = { .size = sizeof(args) };
	int has = 1, ret;
	pid_t pid;
	bool met;

	if (move_clock(0))
		SKIP(return, "the clock cannot be set");
	ASSERT_EQ(0, lock_fd(fds[has]));
	pid = spawn();
	if (!pid) {
		wait_many(entries, 2, GOSYNC_WAIT_ALL | GOSYNC_CLOCK_REALTIME,
			  now_ns(CLOCK_REALTIME) + 2 * far);
		_exit(0);
	}
	ASSERT_TRUE(eventually(info_of(fds[0]).waiters));
	/* We always have one of the two, until it keeps the other. */
	met = eventually((ret = lock_fd(fds[!has]) ?: unlock_fd(fds[has]),
			  has = !has,
			  sleep_ns(NSEC_PER_MSEC),
			  ret || info_of(fds[!has]).owner));
	ASSERT_TRUE(met);
	ASSERT_EQ(0, ret);
	EXPECT_EQ(0, move_clock(-far));
	args.deadline = now_ns(CLOCK_MONOTONIC) + WATCHDOG / 2 * NSEC_PER_SEC;
	EXPECT_EQ(0, call(fds[!has], GOSYNC_IOC_MUTEX_LOCK, &args));
	EXPECT_EQ(0, move_clock(far));
	kill_and_reap(pid);
}

/*
 * Many wait for what is never let go, beside other things: they keep nobody
 * from getting what he waits for elsewhere.
 */
TEST_F(all, is_not_starved_by_those_who_wait_in_vain)
{
	enum { N = 100 };
	struct gosync_wait_entry entries[] = {
		entry_of_mutex(self->mutex), entry_of_mutex(create(GOSYNC_MUTEX)),
	};
	int kept = create(GOSYNC_MUTEX), i;
	pid_t pids[N], others[2];

	EXPECT_EQ(0, lock_fd(kept));
	for (i = 0; i < N; i++) {
		struct gosync_wait_entry in_vain[] = {
			entry_of_mutex(create(GOSYNC_MUTEX)),
			entry_of_mutex(kept),
		};

		pids[i] = spawn();
		if (!pids[i]) {
			wait_all(in_vain, 2);
			_exit(1);
		}
		close(in_vain[0].fd);
	}
	ASSERT_TRUE(eventually(info_of(kept).waiters >= N));
	/* So long that what they do now is what they do for ever */
	sleep_ns(NSEC_PER_SEC);
	spawn_alternating(entries, variant->how, self->shared, others);
	is_not_starved(_metadata, entries, 2, self->shared);
	for (i = 0; i < 2; i++)
		kill_and_reap(others[i]);
	for (i = 0; i < N; i++)
		kill_and_reap(pids[i]);
	EXPECT_EQ(0, info_of(kept).waiters);
}

/* Those to the left and to the right want the same, beside something else. */
TEST_F(all, is_not_starved_by_its_neighbours)
{
	enum { N = 4 };
	int fds[N + 1], i;
	struct gosync_wait_entry entries[2];
	pid_t pids[N];

	for (i = 0; i <= N; i++)
		fds[i] = create(GOSYNC_MUTEX);
	/* Ours are 2 and 3; others have 0 and 2, 1 and 2, 3 and 0, 3 and 4 */
	for (i = 0; i < N; i++) {
		static const unsigned int pairs[N][2] = {
			{ 0, 2 }, { 2, 1 }, { 3, 0 }, { 4, 3 },
		};
		int j;

		pids[i] = spawn();
		if (pids[i])
			continue;
		for (j = 0; j < 2; j++)
			entries[j] = entry_of_mutex(reopen_object(fds[pairs[i][j]],
								  0));
		for (;;) {
			MUST(!wait_all(entries, 2));
			add(self->shared, 1);
			spin_ns(50 * NSEC_PER_USEC);
			for (j = 0; j < 2; j++)
				MUST(!unlock_fd(entries[j].fd));
		}
	}
	ASSERT_TRUE(eventually(load(self->shared)));
	for (i = 0; i < 2; i++)
		entries[i] = entry_of_mutex(fds[2 + i]);
	is_not_starved(_metadata, entries, 2, self->shared);
	for (i = 0; i < N; i++)
		kill_and_reap(pids[i]);
}

/* It wants all permits, and there always are some that others have. */
TEST_F(all, is_not_starved_by_those_who_take_one_permit)
{
	enum { N = 4 };
	struct gosync_wait_entry entries[] = {
		entry_of_permits(self->semaphore, N),
		entry_of_mutex(self->mutex),
	};
	pid_t pids[N], hog;
	int i;

	EXPECT_EQ(0, release_fd(self->semaphore, N));
	for (i = 0; i < N; i++) {
		gosync_semaphore_t *semaphore;

		pids[i] = spawn();
		if (pids[i])
			continue;
		MUST(!gosync_semaphore_from_fd(reopen_object(self->semaphore, 0),
					       variant->how, &semaphore));
		for (;;) {
			MUST(!gosync_semaphore_acquire(semaphore, 1));
			add(self->shared, 1);
			spin_ns(20 * NSEC_PER_USEC);
			MUST(!gosync_semaphore_release(semaphore, 1));
		}
	}
	hog = spawn_hog(self->mutex, variant->how, 50 * NSEC_PER_USEC,
			self->shared + 16);
	ASSERT_LT(0, hog);
	ASSERT_TRUE(eventually(load(self->shared)));
	is_not_starved(_metadata, entries, 2, self->shared);
	for (i = 0; i < N; i++)
		kill_and_reap(pids[i]);
	kill_and_reap(hog);
}

TEST_HARNESS_MAIN
