// SPDX-License-Identifier: GPL-2.0-only
/*
 * Waiting for all of several things: they are granted together or not at all.
 *
 * A wait for all may try for what it waits for, and for a moment have some of
 * it. So what must not be held is asked for until it can be had, and numbers
 * that only grow (tokens) may have grown.
 */
#include <poll.h>
#define WAIT_FLAGS GOSYNC_WAIT_ALL
#include "wait_each.h"

/* --- each kind, together with something else ------------------------------ */

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

TEST_F(each, is_left_alone_by_who_is_killed)
{
	pid_t pids[3];
	int i, round;

	for (round = 0; round < ROUNDS; round++) {
		for (i = 0; i < 3; i++)
			pids[i] = spawn_waiter(self, 0);
		EXPECT_EQ(128 + SIGKILL, kill_all(pids, 3));
		expect_rest(_metadata, self);
		EXPECT_EQ(0, info_of(self->thing.fd).deaths);
		if (!round)
			let_thing_go(_metadata, self);
	}
	EXPECT_TRUE(is_to_be_had(&self->thing));
}

/* --- what is asked for --------------------------------------------------- */

SOME_OBJECTS(all);

/* @n things of all kinds, let go one by one in any order: granted with the last */
static void let_go_one_by_one(struct __test_metadata *_metadata,
			      unsigned int how, unsigned int n, uint64_t *seed)
{
	struct gosync_wait_entry entries[GOSYNC_WAIT_MAX];
	struct thing things[GOSYNC_WAIT_MAX];
	unsigned int i, order[GOSYNC_WAIT_MAX];
	pid_t pid;

	for (i = 0; i < n; i++) {
		unsigned int other = random_u32(seed) % (i + 1);

		things[i] = new_thing(i % KINDS, how);
		ASSERT_EQ(0, keep(&things[i]));
		order[i] = order[other];
		order[other] = i;
	}
	pid = spawn();
	if (!pid) {
		for (i = 0; i < n; i++)
			things[i] = own_thing(&things[i]);
		fill(entries, things, n);
		MUST(!wait_all(entries, n));
		for (i = 0; i < n; i++)
			MUST(is_granted(&things[i], &entries[i]));
		for (i = 0; i < n; i++)
			MUST(!give_back(&things[i]));
		_exit(0);
	}
	for (i = 0; i < n; i++) {
		if (i % 3 == 0)
			sleep_ns(random_u32(seed) % (3 * NSEC_PER_MSEC));
		ASSERT_TRUE(is_waiting(pid));
		ASSERT_EQ(0, let_go(&things[order[i]]));
	}
	ASSERT_EQ(0, reap_soon(pid));
	for (i = 0; i < n; i++) {
		ASSERT_TRUE(is_accounted(things[i].fd));
		ASSERT_EQ(0, info_of(things[i].fd).deaths);
		gosync_close(things[i].other);
		close(things[i].fd);
	}
}

TEST_F(all, nothing_is_granted_before_the_last)
{
	uint64_t end = end_of_budget(), seed = random_seed();
	unsigned int rounds = 0;

	do {
		let_go_one_by_one(_metadata, variant->how, KINDS, &seed);
		rounds++;
	} while (budget_left(end));
	TH_LOG("%u rounds", rounds);
}

TEST_F(all, takes_64)
{
	uint64_t seed = random_seed();

	let_go_one_by_one(_metadata, variant->how, GOSYNC_WAIT_MAX, &seed);
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
		/* Also for reading: a writer may come in between. */
		{ entry(self->rwmutex, GOSYNC_IOC_RWMUTEX_RLOCK, 0),
		  entry(self->rwmutex, GOSYNC_IOC_RWMUTEX_RLOCK, 0) },
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

			EXPECT_EQ(-EDEADLK, wait_all(entries, 3))
				TH_LOG("row %u", i);
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

	other = ANOTHER(gosync_semaphore, self->semaphore, variant->how);
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

	pid = CHILD(!!wait_all(entries, 3));
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
		pid = CHILD(!!wait_all(entries, 2));
		ASSERT_TRUE(eventually(waiters_of(&thing)));
		EXPECT_EQ(0, let_go(&thing));
		EXPECT_EQ(0, reap_soon(pid));
		EXPECT_EQ(0, wait_all(entries, 2));
		EXPECT_TRUE(is_granted(&thing, &entries[0]));
		EXPECT_TRUE(is_granted(&thing, &entries[1]));
		EXPECT_TRUE(is_accounted(thing.fd));
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

TEST_F(all, each_result_tells_whether_an_owner_has_died)
{
	struct gosync_wait_entry entries[] = {
		entry_of_mutex(self->mutex),
		entry_of_mutex(new_object(GOSYNC_MUTEX)),
		entry(self->rwmutex, GOSYNC_IOC_RWMUTEX_LOCK, 0),
		entry(new_object(GOSYNC_RWMUTEX), GOSYNC_IOC_RWMUTEX_RLOCK, 0),
		entry(new_object(GOSYNC_RWMUTEX), GOSYNC_IOC_RWMUTEX_RLOCK, 0),
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
		if (!spawn_again(&pids[i], &kills)) {
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

TEST_HARNESS_MAIN
