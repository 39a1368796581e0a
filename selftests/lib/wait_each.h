/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Each kind of wait beside another one. These tests run in wait_any.c and in
 * wait_all.c, and promise the same for both. The file that includes this one
 * says in WAIT_FLAGS for which: 0 for any, or GOSYNC_WAIT_ALL.
 */
#ifndef WAIT_EACH_H
#define WAIT_EACH_H

#include "wait_many.h"

static const bool all = WAIT_FLAGS & GOSYNC_WAIT_ALL;

/* A @thing of each kind, and a @gate of permits: nobody can have them yet. */
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

NO_TEARDOWN(each);

/*
 * A wait for any queues for both. A wait for all decides by itself for which of
 * them it waits.
 */
static bool are_queued(FIXTURE_DATA(each) *self, unsigned int n)
{
	const unsigned int one = waiters_of(&self->thing);
	const unsigned int other = waiters_of(&self->gate);

	return all ? one + other : one == n && other == n;
}

/*
 * A child: waits for both with holders of its own. It comes to @expected, and
 * gives back what it got: that of any, or all if it is 0.
 */
static void wait_for_both(const struct thing *things, uint64_t deadline,
			  int expected)
{
	struct thing own[] = { own_thing(&things[0]), own_thing(&things[1]) };
	struct gosync_wait_entry entries[2];
	int i;

	fill(entries, own, 2);
	MUST(wait_many(entries, 2, WAIT_FLAGS, deadline) == expected);
	for (i = 0; i < 2; i++) {
		if (all ? !expected : i == expected)
			MUST(is_granted(&own[i], &entries[i]));
		else if (own[i].kind != WAITGROUP || !signals)
			MUST(is_untouched(&own[i], &entries[i]));
	}
	for (i = 0; i < 2; i++)
		if (all ? !expected : i == expected)
			MUST(!give_back(&own[i]));
	_exit(0);
}

static pid_t spawn_waiter_until(FIXTURE_DATA(each) *self, int expected,
				uint64_t deadline)
{
	const unsigned int before = waiters_of(&self->thing);
	pid_t pid = spawn();

	if (!pid)
		wait_for_both(self->things, deadline, expected);
	MUST(eventually(are_queued(self, before + 1)));
	return pid;
}

static pid_t spawn_waiter(FIXTURE_DATA(each) *self, int expected)
{
	return spawn_waiter_until(self, expected, GOSYNC_FOREVER);
}

struct wait_in_thread {
	struct gosync_wait_entry entries[2];
	int ret;
};

static void *wait_in_thread(void *arg)
{
	struct wait_in_thread *wait = arg;

	wait->ret = wait_many(wait->entries, 2, WAIT_FLAGS, 0);
	return NULL;
}

/* A thread that waits for both with these descriptors */
static bool start_waiting(FIXTURE_DATA(each) *self, pthread_t *thread,
			  struct wait_in_thread *wait, const struct thing *own)
{
	fill(wait->entries, own, 2);
	return !pthread_create(thread, NULL, wait_in_thread, wait) &&
		eventually(are_queued(self, 1));
}

/* A wait for all may have had a lock for a moment: then the token has grown. */
static bool is_at_rest(const struct thing *thing,
		       const struct gosync_info *before)
{
	struct gosync_info same = *before;

	if (all)
		same.token = info_of(thing->fd).token;
	return is_as_before(thing, &same) && is_accounted(thing->fd);
}

static void expect_rest(struct __test_metadata *_metadata,
			FIXTURE_DATA(each) *self)
{
	EXPECT_TRUE(is_at_rest(&self->thing, &self->before[0]));
	EXPECT_TRUE(is_at_rest(&self->gate, &self->before[1]));
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

/* How often these end without a grant: all also while the thing can be had. */
#define ROUNDS	(all ? 2 : 1)

static void let_thing_go(struct __test_metadata *_metadata,
			 FIXTURE_DATA(each) *self)
{
	EXPECT_EQ(0, let_go(&self->thing));
	self->before[0] = info_of(self->thing.fd);
}

TEST_F(each, times_out_and_leaves_nothing)
{
	static const clockid_t clocks[] = { CLOCK_MONOTONIC, CLOCK_REALTIME };
	struct gosync_wait_entry entries[2];
	int i, j, round;

	for (round = 0; round < ROUNDS; round++) {
		for (i = 0; i < 4; i++) {
			clockid_t clock = clocks[i % 2];
			unsigned int flags = clock == CLOCK_REALTIME ?
					     GOSYNC_CLOCK_REALTIME : 0;
			uint64_t deadline = i < 2 ? 1 : now_ns(clock) +
					    20 * NSEC_PER_MSEC;

			fill(entries, self->things, 2);
			EXPECT_EQ(-ETIMEDOUT,
				  wait_many(entries, 2, WAIT_FLAGS | flags,
					    deadline));
			EXPECT_LE(deadline, now_ns(clock));
			for (j = 0; j < 2; j++)
				EXPECT_TRUE(is_untouched(&self->things[j],
							 &entries[j]));
			expect_rest(_metadata, self);
		}
		/* The turns of a wait for all are waits, too. */
		for (i = 0; i < 2 && !all; i++)
			EXPECT_EQ(0, stat_fd(self->things[i].fd).acquired);
		if (!round)
			let_thing_go(_metadata, self);
	}
	EXPECT_TRUE(is_to_be_had(&self->thing));
}

/* A WaitGroup goes on showing the waiter until it is 0: it may come back. */
static void expect_interrupted(FIXTURE_DATA(each) *self)
{
	if (self->thing.kind == WAITGROUP && !all)
		self->before[0].word |= 1ULL << GOSYNC_WAITGROUP_WAITER_SHIFT;
}

TEST_F(each, is_left_alone_after_a_signal)
{
	int round;
	pid_t pid;

	handle(count_signal, 0);
	for (round = 0; round < ROUNDS; round++) {
		pid = spawn_waiter(self, -EINTR);
		kill(pid, SIGUSR1);
		EXPECT_EQ(0, reap_soon(pid));
		expect_interrupted(self);
		expect_rest(_metadata, self);
		if (!round)
			let_thing_go(_metadata, self);
	}
	EXPECT_TRUE(is_to_be_had(&self->thing));
}

TEST_F(each, is_waited_for_again_after_a_signal_with_sa_restart)
{
	pid_t pid;
	int i;

	handle(count_signal, SA_RESTART);
	if (all)
		EXPECT_EQ(0, let_go(&self->thing));
	pid = spawn_waiter(self, 0);
	for (i = 0; i < 3; i++) {
		kill(pid, SIGUSR1);
		sleep_ns(5 * NSEC_PER_MSEC);
		ASSERT_TRUE(eventually(are_queued(self, 1)));
		EXPECT_TRUE(is_waiting(pid));
	}
	EXPECT_EQ(0, let_go(all ? &self->gate : &self->thing));
	EXPECT_EQ(0, reap_soon(pid));
	EXPECT_TRUE(is_at_rest(&self->gate, &self->before[1]));
	EXPECT_TRUE(is_accounted(self->thing.fd));
}

/* A wait for one thing alone is not among others. */
TEST_F(each, waiters_are_listed_as_such)
{
	pid_t pid = spawn_waiter_until(self, -ETIMEDOUT,
				       gosync_deadline(WATCHDOG * NSEC_PER_SEC));
	unsigned int i, listed = 0;

	for (i = 0; i < 2; i++) {
		struct gosync_stat stat = stat_fd(self->things[i].fd);
		struct gosync_party party;
		struct gosync_parties_args args = PARTIES_OF(&party, 1);
		int n = call(self->things[i].fd, GOSYNC_IOC_WAITERS, &args);

		if (all && !n)
			continue;
		ASSERT_EQ(1, n);
		listed++;
		EXPECT_EQ(pid, party.pid);
		EXPECT_EQ(pid, party.tid);
		EXPECT_TRUE(party.flags & GOSYNC_PARTY_AMONG);
		if (all)
			continue;
		EXPECT_EQ(1, party.position);
		EXPECT_EQ(1, party.wait);
		EXPECT_EQ(GOSYNC_PARTY_AMONG | GOSYNC_PARTY_TIMED, party.flags &
			  ~(GOSYNC_PARTY_STARVING | GOSYNC_PARTY_SINCE));
		/* It is a wait, and not over. */
		EXPECT_EQ(1, stat.contended);
		EXPECT_EQ(0, stat.acquired + stat.gave_up);
		EXPECT_EQ(self->things[i].kind == READ ? GOSYNC_WANTS_TO_READ :
			  GOSYNC_WANTS_IT, party.wants);
		EXPECT_EQ(self->things[i].kind == PERMITS ? PERMITS_LET_GO : 0,
			  party.count);
	}
	EXPECT_LE(all ? 1 : 2, listed);
	kill_and_reap(pid);
}

TEST_F(each, descriptor_may_be_closed_meanwhile)
{
	struct wait_in_thread wait = {};
	struct thing own[2];
	pthread_t thread;
	int i;

	/* Any: first the gate is granted, then the thing. */
	for (i = 1; i >= (all ? 1 : 0); i--) {
		own[0] = own_thing(&self->thing);
		own[1] = own_thing(&self->gate);
		ASSERT_TRUE(start_waiting(self, &thread, &wait, own));
		close(own[0].fd);
		close(own[1].fd);
		EXPECT_EQ(3, info_of(self->thing.fd).holders);
		EXPECT_TRUE(eventually(are_queued(self, 1)));
		EXPECT_EQ(0, let_go(&self->things[i]));
		if (all)
			EXPECT_EQ(0, let_go(&self->thing));
		ASSERT_EQ(0, pthread_join(thread, NULL));
		EXPECT_EQ(all ? 0 : i, wait.ret);
		EXPECT_EQ(0, wait.entries[i].result);
		EXPECT_TRUE(eventually(info_of(self->thing.fd).holders == 2));
		EXPECT_TRUE(eventually(info_of(self->gate.fd).holders == 2));
	}
	/* It had it, and its holder has ended with the call. */
	EXPECT_EQ(self->thing.kind <= WRITE, info_of(self->thing.fd).deaths);
	EXPECT_EQ(0, info_of(self->thing.fd).owner);
	EXPECT_EQ(0, info_of(self->thing.fd).readers);
	EXPECT_TRUE(is_at_rest(&self->gate, &self->before[1]));
}

TEST_F(each, takes_write_permission_if_it_is_taken)
{
	const bool refused = kinds[variant->kind].writes;
	struct thing things[] = { self->gate, self->thing };
	struct gosync_wait_entry entries[2];

	let_thing_go(_metadata, self);
	if (all)
		EXPECT_EQ(0, let_go(&self->gate));
	things[1].fd = reopen_object(self->thing.fd, GOSYNC_RDONLY);
	fill(entries, things, 2);
	EXPECT_EQ(refused ? -EBADF : all ? 0 : 1,
		  wait_many(entries, 2, WAIT_FLAGS, 0));
	EXPECT_TRUE(refused ? is_untouched(&things[1], &entries[1]) :
			      is_granted(&things[1], &entries[1]));
	close(things[1].fd);
	EXPECT_TRUE(is_at_rest(&self->thing, &self->before[0]));
	EXPECT_EQ(all && refused ? PERMITS_LET_GO : 0,
		  permits_of(self->gate.fd));
	if (!all)
		EXPECT_TRUE(is_at_rest(&self->gate, &self->before[1]));
}

#endif /* WAIT_EACH_H */
