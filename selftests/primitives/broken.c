// SPDX-License-Identifier: GPL-2.0-only
/*
 * Holders that are broken: what they have is taken from them while they live.
 * They are told by what they do next and change nothing any more; the others go
 * on as if one had died.
 */
#include "kinds.h"
#include "object.h"
#include "step.h"
#include "wait_many.h"

FIXTURE(broken)
{
	char *name;
	gosync_mutex_t *mutex;		/* whose holder is broken */
	gosync_mutex_t *other;
	char *rw_name;
	gosync_rwmutex_t *rw;		/* likewise */
	gosync_rwmutex_t *rw_other;
	unsigned int *shared;		/* with children */
};

MAPPED_AND_IOCTL(broken);

OPENER(mutex_of, gosync_mutex)
OPENER(rwmutex_of, gosync_rwmutex)

FIXTURE_SETUP(broken)
{
	self->name = unique_name();
	self->mutex = mutex_of(self->name, GOSYNC_CREATE | variant->how);
	self->other = mutex_of(self->name, variant->how);
	self->rw_name = unique_name();
	self->rw = rwmutex_of(self->rw_name, GOSYNC_CREATE | variant->how);
	self->rw_other = rwmutex_of(self->rw_name, variant->how);
	ASSERT_NE(NULL, self->other);
	ASSERT_NE(NULL, self->rw_other);
	self->shared = shared_memory(4096);
}

/* The number of a handle's holder */
static uint32_t holder_of(const void *object)
{
	return info(object).holder;
}

static int is_broken(const void *object)
{
	return !!(info(object).flags & GOSYNC_BROKEN);
}

/* A thread that waits as the holder of @handle, and of @beside if it needs it */
struct waiting {
	enum kind kind;
	void *handle, *beside;
	pthread_t thread;
	int ret;
};

static void *wait_in_thread(void *arg)
{
	struct waiting *waiting = arg;
	const struct thing thing = { .kind = waiting->kind };

	if (thing.kind == COND)
		MUST(!gosync_mutex_lock(waiting->beside));
	waiting->ret = wait_by_library(&thing, waiting->handle, waiting->beside,
				       GOSYNC_FOREVER, 0);
	return NULL;
}

/* It waits when this returns. */
static void start(struct waiting *waiting)
{
	const unsigned int before = waiters(waiting->handle);

	MUST(!pthread_create(&waiting->thread, NULL, wait_in_thread, waiting));
	MUST(eventually(waiters(waiting->handle) > before));
}

static int result_of(struct waiting *waiting)
{
	MUST(!pthread_join(waiting->thread, NULL));
	return waiting->ret;
}

/* --- Mutex ---------------------------------------------------------------- */

TEST_F(broken, owner_loses_the_lock_and_is_told_by_whatever_it_does)
{
	uint64_t before, token, none;

	ASSERT_EQ(0, gosync_mutex_lock(self->mutex));
	ASSERT_EQ(0, gosync_mutex_token(self->mutex, &before));
	EXPECT_FALSE(is_broken(self->mutex));
	ASSERT_EQ(0, gosync_break(self->other, holder_of(self->mutex)));
	EXPECT_TRUE(is_broken(self->mutex));
	EXPECT_FALSE(is_broken(self->other));
	EXPECT_EQ(0, info(self->other).owner);
	EXPECT_EQ(-ESTALE, gosync_mutex_token(self->mutex, &none));
	EXPECT_EQ(-ESTALE, gosync_mutex_unlock(self->mutex));
	EXPECT_EQ(1, gosync_mutex_lock(self->other));
	ASSERT_EQ(0, gosync_mutex_token(self->other, &token));
	EXPECT_LT(before, token);
	/* It is another's now, and stays so. */
	EXPECT_EQ(-ESTALE, gosync_mutex_unlock(self->mutex));
	EXPECT_EQ(-ESTALE, gosync_mutex_trylock(self->mutex));
	EXPECT_EQ(-ESTALE, gosync_mutex_lock(self->mutex));
	EXPECT_EQ(-ESTALE, gosync_mutex_lock_until(self->mutex, 1, 0));
	EXPECT_EQ(-ESTALE, gosync_mutex_recover(self->mutex));
	EXPECT_EQ(-ESTALE, gosync_mutex_token(self->mutex, &none));
	EXPECT_EQ(-ESTALE, call(gosync_fd(self->mutex), GOSYNC_IOC_ABANDON,
				NULL));
	EXPECT_EQ(holder_of(self->other), info(self->mutex).owner);
	EXPECT_EQ(token, info(self->mutex).token);
	EXPECT_EQ(1, info(self->mutex).deaths);
	EXPECT_EQ(0, gosync_mutex_recover(self->other));
	EXPECT_EQ(0, gosync_mutex_unlock(self->other));
}

TEST_F(broken, owner_cannot_lock_where_nobody_looks)
{
	int i;

	ASSERT_EQ(0, gosync_mutex_lock(self->mutex));
	ASSERT_EQ(0, gosync_break(self->other, holder_of(self->mutex)));
	EXPECT_EQ(1, gosync_mutex_lock(self->other));
	EXPECT_EQ(0, gosync_mutex_recover(self->other));
	EXPECT_EQ(0, gosync_mutex_unlock(self->other));
	for (i = 0; i < 3; i++) {
		EXPECT_EQ(-ESTALE, gosync_mutex_lock(self->mutex));
		EXPECT_EQ(-ESTALE, gosync_mutex_trylock(self->mutex));
		EXPECT_EQ(0, gosync_mutex_lock(self->other));
		EXPECT_EQ(-ESTALE, gosync_mutex_unlock(self->mutex));
		EXPECT_EQ(0, gosync_mutex_unlock(self->other));
	}
	/* When it has gone, all is as it was, and by itself. */
	gosync_close(self->mutex);
	EXPECT_EQ(0, info(self->other).word);
	EXPECT_EQ(1, info(self->other).deaths);
	EXPECT_EQ(0, gosync_mutex_lock(self->other));
	EXPECT_EQ(0, gosync_mutex_unlock(self->other));
}

TEST_F(broken, does_not_get_in_the_way_of_others)
{
	gosync_mutex_t *third = mutex_of(self->name, variant->how);
	uint64_t token, last = 0;
	pid_t pid;
	int i;

	ASSERT_EQ(0, gosync_mutex_lock(self->mutex));
	ASSERT_EQ(0, gosync_break(self->other, holder_of(self->mutex)));
	ASSERT_EQ(1, gosync_mutex_lock(self->other));
	ASSERT_EQ(0, gosync_mutex_recover(self->other));
	ASSERT_EQ(0, gosync_mutex_unlock(self->other));
	for (i = 0; i < 5; i++) {
		EXPECT_EQ(0, gosync_mutex_trylock(self->other));
		EXPECT_EQ(-EBUSY, gosync_mutex_trylock(third));
		EXPECT_EQ(-ETIMEDOUT, gosync_mutex_lock_until(third, 1, 0));
		EXPECT_EQ(0, gosync_mutex_token(self->other, &token));
		EXPECT_LT(last, token);
		last = token;
		EXPECT_EQ(0, gosync_mutex_unlock(self->other));
		EXPECT_EQ(0, gosync_mutex_lock_until(third, 1, 0));
		/* Each time it is had by somebody counts, and nothing else. */
		EXPECT_EQ(0, gosync_mutex_token(third, &token));
		EXPECT_EQ(last + 1, token);
		last = token;
		pid = WAITER(third,
			     gosync_mutex_lock(self->other) ||
			     gosync_mutex_unlock(self->other));
		EXPECT_EQ(0, gosync_mutex_unlock(third));
		EXPECT_EQ(0, reap_soon(pid));
	}
	EXPECT_EQ(1, info(third).deaths);
}

TEST_F(broken, goes_on_with_another_descriptor)
{
	gosync_mutex_t *again;

	ASSERT_EQ(0, gosync_mutex_lock(self->mutex));
	ASSERT_EQ(0, gosync_break(self->mutex, holder_of(self->mutex)));
	again = ANOTHER(gosync_mutex, gosync_fd(self->mutex), variant->how);
	EXPECT_EQ(1, gosync_mutex_lock(again));
	EXPECT_EQ(0, gosync_mutex_unlock(again));
	gosync_close(self->mutex);
	EXPECT_EQ(1, gosync_mutex_lock(again));
	EXPECT_EQ(0, gosync_mutex_recover(again));
	EXPECT_EQ(0, gosync_mutex_unlock(again));
	EXPECT_EQ(0, info(again).word);
}

TEST_F(broken, parent_does_not_break_its_child)
{
	pid_t pid;

	ASSERT_EQ(0, gosync_mutex_lock(self->mutex));
	ASSERT_EQ(0, gosync_break(self->mutex, holder_of(self->mutex)));
	pid = spawn();
	if (!pid) {
		if (is_broken(self->mutex) ||
		    gosync_mutex_lock(self->mutex) != 1)
			_exit(1);
		_exit(gosync_mutex_recover(self->mutex) ||
		      gosync_mutex_unlock(self->mutex) ? 2 : 0);
	}
	EXPECT_EQ(0, reap_soon(pid));
	EXPECT_EQ(-ESTALE, gosync_mutex_lock(self->mutex));
	EXPECT_EQ(0, gosync_mutex_lock(self->other));
}

TEST_F(broken, owner_leaves_the_lock_to_those_who_wait_in_their_order)
{
	enum { WAITERS = 3 };
	pid_t pids[WAITERS];
	int i;

	ASSERT_EQ(0, gosync_mutex_lock(self->mutex));
	for (i = 0; i < WAITERS; i++) {
		pids[i] = spawn();
		if (!pids[i]) {
			if (gosync_mutex_lock(self->other) != 1)
				_exit(100);
			/* Keep it for long enough, so that it is handed on. */
			sleep_ns(3 * NSEC_PER_MSEC);
			i = add(self->shared, 1);
			_exit(gosync_mutex_unlock(self->other) ? 101 : i);
		}
		ASSERT_TRUE(has_waiters(gosync_fd(self->mutex), i + 1));
		sleep_ns(3 * NSEC_PER_MSEC);
	}
	ASSERT_EQ(0, gosync_break(self->other, holder_of(self->mutex)));
	for (i = 0; i < WAITERS; i++)
		EXPECT_EQ(i + 1, reap_soon(pids[i]));
	EXPECT_EQ(-ESTALE, gosync_mutex_unlock(self->mutex));
	EXPECT_EQ(1, info(self->other).deaths);
}

TEST_F(broken, who_waits_in_its_name_does_not_get_it)
{
	struct waiting waiting[] = {
		{ MUTEX, self->mutex }, { MUTEX, self->mutex },
	};
	int i;

	ASSERT_EQ(0, gosync_mutex_lock(self->mutex));
	for (i = 0; i < 2; i++)
		start(&waiting[i]);
	/* One of them is to be handed it. */
	sleep_ns(3 * NSEC_PER_MSEC);
	ASSERT_EQ(0, gosync_break(self->other, holder_of(self->mutex)));
	for (i = 0; i < 2; i++)
		EXPECT_EQ(-ESTALE, result_of(&waiting[i]));
	EXPECT_EQ(1, gosync_mutex_lock(self->other));
	EXPECT_EQ(1, info(self->other).deaths);
	EXPECT_EQ(0, info(self->other).waiters);
}

/*
 * Who waits in its name is woken to try, and has no use for the lock when it runs.
 * Behind it is a waiter of a group. If @barge, somebody else has the lock by then.
 */
static void leave_it_to_the_next(struct __test_metadata *_metadata,
				 FIXTURE_DATA(broken) *self, unsigned int how,
				 bool barge)
{
	struct waiting waiting = { MUTEX, self->mutex };
	pid_t next;

	if (rule_one_cpu())
		SKIP(return, "cannot have a processor");
	ASSERT_EQ(0, gosync_mutex_lock(self->mutex));
	start(&waiting);
	next = spawn();
	if (!next) {
		gosync_mutex_t *own = mutex_of(self->name, how);
		struct gosync_wait_entry entries[] = {
			entry_of_mutex(new_object(GOSYNC_MUTEX)),
			entry_of_mutex(gosync_fd(own)),
		};

		MUST(!lock_fd(entries[0].fd));
		MUST(wait_any(entries, 2) == 1);
		MUST(entries[1].result == !barge);
		MUST(!gosync_mutex_unlock(own));
		_exit(0);
	}
	ASSERT_TRUE(eventually(waiters(self->other) == 2));
	ASSERT_EQ(0, gosync_break(self->other, holder_of(self->mutex)));
	if (barge)
		ASSERT_EQ(1, gosync_mutex_trylock(self->other));
	EXPECT_EQ(-ESTALE, result_of(&waiting));
	if (barge) {
		EXPECT_EQ(holder_of(self->other), info(self->other).owner);
		EXPECT_EQ(1, waiters(self->other));
		EXPECT_EQ(0, gosync_mutex_recover(self->other));
		EXPECT_EQ(0, gosync_mutex_unlock(self->other));
	}
	EXPECT_EQ(0, reap_soon(next));
	EXPECT_EQ(!barge, gosync_mutex_trylock(self->other));
}

TEST_F(broken, who_waited_in_its_name_passes_it_on)
{
	leave_it_to_the_next(_metadata, self, variant->how, false);
}

TEST_F(broken, who_waited_in_its_name_passes_on_nobodys_lock)
{
	leave_it_to_the_next(_metadata, self, variant->how, true);
}

TEST_F(broken, end_of_it_disturbs_nobody)
{
	pid_t pid = RESTING_CHILD(gosync_mutex_lock(self->mutex));
	uint64_t word;

	ASSERT_EQ(0, gosync_break(self->other, info(self->other).owner));
	EXPECT_EQ(1, gosync_mutex_lock(self->other));
	EXPECT_EQ(0, gosync_mutex_recover(self->other));
	word = info(self->other).word;
	kill_and_reap(pid);
	EXPECT_EQ(word & ~GOSYNC_MUTEX_STARVING, info(self->other).word);
	EXPECT_EQ(1, info(self->other).deaths);
	EXPECT_EQ(0, gosync_mutex_unlock(self->other));
	EXPECT_EQ(0, gosync_mutex_lock(self->mutex));
}

TEST_F(broken, is_only_who_holds_something_and_by_who_may)
{
	int observer = reopen_object(gosync_fd(self->mutex), GOSYNC_RDONLY);
	struct gosync_break_args args = {
		.size = sizeof(args), .holder = holder_of(self->mutex),
	};
	pid_t pid;

	EXPECT_EQ(-ESRCH, gosync_break(self->other, args.holder));
	EXPECT_EQ(-ESRCH, gosync_break(self->other, 12345));
	EXPECT_EQ(-EINVAL, gosync_break(self->other, 0));
	EXPECT_EQ(0, info_of(observer).word);
	EXPECT_EQ(0, gosync_mutex_lock(self->mutex));
	EXPECT_EQ(-ESRCH, gosync_break(self->mutex, holder_of(self->other)));
	EXPECT_FALSE(is_broken(self->other));
	pid = spawn();
	if (!pid) {
		if (become(1000, 1000, 0))
			_exit(1);
		_exit(-call(observer, GOSYNC_IOC_BREAK, &args));
	}
	EXPECT_EQ(EPERM, reap(pid));
	EXPECT_EQ(args.holder, info_of(observer).owner);
	EXPECT_FALSE(is_broken(self->mutex));
	EXPECT_EQ(0, call(observer, GOSYNC_IOC_BREAK, &args));
	EXPECT_EQ(-ESRCH, call(observer, GOSYNC_IOC_BREAK, &args));
	EXPECT_TRUE(is_broken(self->mutex));
}

static int has_been_listed(const struct gosync_party *holder, void *arg)
{
	const uint32_t *number = arg;

	return holder->holder == *number ?
	       !!(holder->flags & GOSYNC_PARTY_BROKEN) : 0;
}

TEST_F(broken, holder_is_listed_as_such)
{
	uint32_t holder = holder_of(self->mutex);

	EXPECT_EQ(0, gosync_mutex_lock(self->mutex));
	EXPECT_EQ(0, gosync_holders(self->other, has_been_listed, &holder));
	EXPECT_EQ(0, gosync_break(self->other, holder));
	EXPECT_EQ(1, gosync_holders(self->other, has_been_listed, &holder));
}

/* --- Whatever it was about to do -------------------------------------------- */

/* What each step of its own would have seen, and would put there */
TEST_F(broken, compare_and_swap_that_comes_late_fails)
{
	struct gosync_mutex_slot *slot;
	uint64_t mine, seen, token, next;
	int i;

	if (!gosync_is_mapped(self->mutex))
		SKIP(return, "nothing is done by it");
	slot = (struct gosync_mutex_slot *)GOSYNC__STATE(self->mutex);
	mine = self->mutex->locked;

	/* It has just locked, and read the token, and that is all. */
	seen = 0;
	ASSERT_TRUE(__atomic_compare_exchange_n(&slot->word, &seen, mine, 0,
						__ATOMIC_SEQ_CST,
						__ATOMIC_SEQ_CST));
	token = load(&slot->token);
	ASSERT_EQ(0, gosync_break(self->other, holder_of(self->mutex)));
	for (i = 0; i < 4; i++) {
		/* 0 and what is free, poisoned, about to be taken; and its own */
		const uint64_t views[] = {
			0, GOSYNC_MUTEX_POISONED, GOSYNC_MUTEX_WOKEN, mine,
			mine | GOSYNC_MUTEX_POISONED,
			mine | GOSYNC_MUTEX_WOKEN, GOSYNC_MUTEX_WAITER,
		};
		unsigned int k;

		EXPECT_LE(0, gosync_mutex_lock(self->other));
		EXPECT_EQ(0, gosync_mutex_token(self->other, &next));
		EXPECT_LT(token, next);
		token = next;
		/* Its token, at last */
		store(&slot->token, token - i - 1);
		EXPECT_EQ(0, gosync_mutex_token(self->other, &next));
		EXPECT_EQ(token, next);
		for (k = 0; k < ARRAY_SIZE(views); k++) {
			seen = views[k];
			EXPECT_FALSE(__atomic_compare_exchange_n(&slot->word,
					&seen, seen == mine ? 0 : mine, 0,
					__ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST));
		}
		if (i == 1)
			EXPECT_EQ(0, gosync_mutex_recover(self->other));
		EXPECT_EQ(0, gosync_mutex_unlock(self->other));
		for (k = 0; k < ARRAY_SIZE(views); k++) {
			seen = views[k];
			EXPECT_FALSE(__atomic_compare_exchange_n(&slot->word,
					&seen, mine, 0, __ATOMIC_SEQ_CST,
					__ATOMIC_SEQ_CST));
		}
	}
	store(&slot->token, token - 2);
	gosync_close(self->mutex);
	/* From here on tokens are counted by those who lock. */
	EXPECT_EQ(0, gosync_mutex_lock(self->other));
	EXPECT_EQ(0, gosync_mutex_token(self->other, &next));
	EXPECT_LT(token, next);
}

/*
 * Locks when it is told to, and notes its token. Then it is stopped before it asks
 * for that once more.
 */
static pid_t spawn_stepped_owner(FIXTURE_DATA(broken) *self, uint64_t *shared)
{
	pid_t pid = spawn();

	if (pid)
		return pid;
	MUST(eventually(load(&shared[0]) == 1));
	MUST(gosync_mutex_lock(self->other) == 1);
	MUST(!gosync_mutex_recover(self->other));
	MUST(!gosync_mutex_token(self->other, &shared[1]));
	begin_to_step();
	MUST(!gosync_mutex_token(self->other, &shared[2]));
	store(&shared[0], 2);
	for (;;)
		pause();
}

/*
 * M-A, without luck: at whatever instruction of the owner the broken holder goes,
 * the old token that it has left is not taken for the owner's. It takes long where
 * instructions are counted.
 */
TEST_F_TIMEOUT(broken, token_that_comes_late_is_nobodys, 600)
{
	uint64_t *shared = (uint64_t *)self->shared;
	struct gosync_mutex_slot *slot;
	unsigned int steps, n;
	bool over = false;
	int status;

	if (!gosync_is_mapped(self->other))
		SKIP(return, "nothing is counted by it");
	slot = (struct gosync_mutex_slot *)GOSYNC__STATE(self->other);
	for (steps = 0; !over; steps++) {
		gosync_mutex_t *late;
		pid_t owner;

		store(&shared[0], 0);
		/* It must not have a copy of the holder that is to go. */
		owner = spawn_stepped_owner(self, shared);
		late = mutex_of(self->name, variant->how);
		ASSERT_NE(NULL, late);
		EXPECT_LE(0, gosync_mutex_lock(late));
		ASSERT_EQ(0, gosync_break(self->other, holder_of(late)));
		store(&shared[0], 1);
		ASSERT_TRUE(has_stopped(owner, &status));
		store(&slot->token, shared[1] - 1);
		for (n = 0; n < steps; n++)
			ASSERT_TRUE(step(owner, &status));
		over = load(&shared[0]) == 2;
		gosync_close(late);
		end_of_steps(owner);
		ASSERT_TRUE(eventually(load(&shared[0]) == 2));
		EXPECT_EQ(shared[1], shared[2]) {
			TH_LOG("after %u instructions", steps);
		}
		kill_and_reap(owner);
	}
	TH_LOG("%u instructions", steps);
}

TEST_F(broken, reader_that_counts_late_counts_for_nothing)
{
	uint32_t *line;
	int i;

	if (!gosync_is_mapped(self->rw))
		SKIP(return, "nothing is counted by it");
	line = self->rw->reads;
	ASSERT_EQ(0, gosync_rwmutex_rlock(self->rw));
	ASSERT_EQ(0, gosync_break(self->rw_other, holder_of(self->rw)));
	for (i = 0; i < 3; i++) {
		add(line, 1);
		EXPECT_EQ(0, info(self->rw_other).readers);
		EXPECT_EQ(0, gosync_rwmutex_trylock(self->rw_other));
		EXPECT_EQ(-ESTALE, gosync_rwmutex_runlock(self->rw));
		EXPECT_EQ(-ESTALE, gosync_rwmutex_rlock(self->rw));
		EXPECT_EQ(0, gosync_rwmutex_unlock(self->rw_other));
		EXPECT_EQ(-ESTALE, gosync_rwmutex_rlock(self->rw));
	}
}

/* --- RWMutex -------------------------------------------------------------- */

TEST_F(broken, writer_and_reader_lose_their_locks)
{
	gosync_rwmutex_t *third = rwmutex_of(self->rw_name, variant->how);
	uint64_t token;

	ASSERT_EQ(0, gosync_rwmutex_lock(self->rw));
	ASSERT_EQ(0, gosync_break(third, holder_of(self->rw)));
	EXPECT_EQ(1, gosync_rwmutex_rlock(self->rw_other));
	EXPECT_EQ(-ESTALE, gosync_rwmutex_unlock(self->rw));
	EXPECT_EQ(-ESTALE, gosync_rwmutex_rlock(self->rw));
	EXPECT_EQ(-ESTALE, gosync_rwmutex_tryrlock(self->rw));
	EXPECT_EQ(-ESTALE, gosync_rwmutex_rlock_until(self->rw, 1, 0));
	EXPECT_EQ(-ESTALE, gosync_rwmutex_lock(self->rw));
	EXPECT_EQ(-ESTALE, gosync_rwmutex_trylock(self->rw));
	EXPECT_EQ(-ESTALE, gosync_rwmutex_lock_until(self->rw, 1, 0));
	EXPECT_EQ(-ESTALE, gosync_rwmutex_recover(self->rw));
	EXPECT_EQ(-ESTALE, gosync_rwmutex_token(self->rw, &token));
	EXPECT_EQ(1, gosync_rwmutex_tryrlock(self->rw_other));
	EXPECT_EQ(2, info(third).readers);
	EXPECT_EQ(-EBUSY, gosync_rwmutex_trylock(third));
	/* Both read locks are gone; neither of the unlocks does harm. */
	ASSERT_EQ(0, gosync_break(third, holder_of(self->rw_other)));
	EXPECT_EQ(0, info(third).readers);
	EXPECT_EQ(1, gosync_rwmutex_trylock(third));
	EXPECT_EQ(-ESTALE, gosync_rwmutex_runlock(self->rw_other));
	EXPECT_EQ(-ESTALE, gosync_rwmutex_runlock(self->rw_other));
	EXPECT_EQ(-ESTALE, gosync_rwmutex_rlock(self->rw_other));
	EXPECT_EQ(-ESTALE, gosync_rwmutex_unlock(self->rw_other));
	EXPECT_EQ(holder_of(third), info(third).owner);
	EXPECT_EQ(0, gosync_rwmutex_recover(third));
	EXPECT_EQ(0, gosync_rwmutex_unlock(third));
	gosync_close(self->rw);
	/* There is another still. */
	EXPECT_EQ(-ESTALE, gosync_rwmutex_rlock(self->rw_other));
	gosync_close(self->rw_other);
	EXPECT_EQ(0, gosync_rwmutex_lock(third));
	EXPECT_EQ(0, gosync_rwmutex_unlock(third));
	EXPECT_EQ(0, info(third).word);
}

TEST_F(broken, reader_does_not_get_in_the_way_of_readers_and_writers)
{
	gosync_rwmutex_t *third = rwmutex_of(self->rw_name, variant->how);
	int i;

	ASSERT_EQ(0, gosync_rwmutex_rlock(self->rw));
	ASSERT_EQ(0, gosync_break(self->rw_other, holder_of(self->rw)));
	/* No writer has died. */
	for (i = 0; i < 3; i++) {
		EXPECT_EQ(0, gosync_rwmutex_trylock(third));
		EXPECT_EQ(-EBUSY, gosync_rwmutex_tryrlock(self->rw_other));
		EXPECT_EQ(-ETIMEDOUT,
			  gosync_rwmutex_rlock_until(self->rw_other, 1, 0));
		EXPECT_EQ(0, gosync_rwmutex_unlock(third));
		EXPECT_EQ(0, gosync_rwmutex_rlock(self->rw_other));
		EXPECT_EQ(0, gosync_rwmutex_tryrlock(third));
		EXPECT_EQ(2, info(third).readers);
		EXPECT_EQ(0, gosync_rwmutex_runlock(self->rw_other));
		EXPECT_EQ(-EBUSY, gosync_rwmutex_trylock(self->rw_other));
		EXPECT_EQ(0, gosync_rwmutex_runlock(third));
		EXPECT_EQ(-EPERM, gosync_rwmutex_runlock(third));
		EXPECT_EQ(0, gosync_rwmutex_rlock_until(third, 1, 0));
		EXPECT_EQ(0, gosync_rwmutex_runlock(third));
		EXPECT_EQ(0, gosync_rwmutex_lock_until(third, 1, 0));
		EXPECT_EQ(0, gosync_rwmutex_unlock(third));
	}
	EXPECT_EQ(0, info(third).deaths);
}

TEST_F(broken, reader_does_not_stop_who_drains)
{
	pid_t pid;
	int i;

	/* With a line of its own, and without */
	for (i = 0; i < 2; i++) {
		gosync_rwmutex_t *reader = self->rw;

		while (i && (!reader || info(self->rw).holders < 70))
			reader = rwmutex_of(self->rw_name, variant->how);
		ASSERT_EQ(0, gosync_rwmutex_rlock(reader));
		ASSERT_EQ(0, gosync_rwmutex_rlock(reader));
		pid = WAITER(reader,
			     gosync_rwmutex_lock(self->rw_other) ||
			     gosync_rwmutex_unlock(self->rw_other));
		ASSERT_EQ(0, gosync_break(self->rw_other, holder_of(reader)));
		EXPECT_EQ(0, reap_soon(pid));
		EXPECT_EQ(-ESTALE, gosync_rwmutex_runlock(reader));
		EXPECT_EQ(0, info(self->rw_other).readers);
	}
}

TEST_F(broken, who_waits_in_its_name_neither_reads_nor_writes)
{
	struct waiting waiting[] = {
		{ WRITE, self->rw }, { READ, self->rw }, { READ, self->rw },
	};
	gosync_rwmutex_t *third = rwmutex_of(self->rw_name, variant->how);
	int i;

	ASSERT_EQ(0, gosync_rwmutex_lock(self->rw));
	for (i = 0; i < 3; i++)
		start(&waiting[i]);
	ASSERT_EQ(0, gosync_break(third, holder_of(self->rw)));
	for (i = 0; i < 3; i++)
		EXPECT_EQ(-ESTALE, result_of(&waiting[i]));
	EXPECT_EQ(1, gosync_rwmutex_lock(third));
	EXPECT_EQ(0, info(third).readers);
	EXPECT_EQ(0, info(third).waiters);
}

TEST_F(broken, writer_that_still_drains_gives_way_to_the_next)
{
	gosync_rwmutex_t *third = rwmutex_of(self->rw_name, variant->how);
	struct waiting waiting = { DRAIN, self->rw };
	pid_t pid;

	ASSERT_EQ(0, gosync_rwmutex_rlock(third));
	start(&waiting);
	ASSERT_EQ(0, gosync_break(third, holder_of(self->rw)));
	pid = WAITER(third, gosync_rwmutex_lock(self->rw_other) < 0);
	EXPECT_EQ(0, gosync_rwmutex_runlock(third));
	EXPECT_EQ(0, reap_soon(pid));
	EXPECT_EQ(-ESTALE, result_of(&waiting));
}

/* --- The others ------------------------------------------------------------ */

TEST_F(broken, runner_of_a_once_is_followed_by_another)
{
	gosync_once_t *once, *other;
	pid_t pid;

	once = NEW(gosync_once, variant->how);
	other = ANOTHER(gosync_once, gosync_fd(once), variant->how);
	ASSERT_EQ(GOSYNC_ONCE_RUN, gosync_once_begin(once));
	pid = WAITER(other,
		     gosync_once_begin(other) == GOSYNC_ONCE_RUN_AGAIN &&
		     !gosync_once_done(other) ? 0 : 1);
	ASSERT_EQ(0, gosync_break(other, holder_of(once)));
	EXPECT_EQ(-ESTALE, gosync_once_done(once));
	EXPECT_EQ(-ESTALE, gosync_once_abandon(once));
	EXPECT_EQ(0, reap_soon(pid));
	/* What has been done is there for everybody to see. */
	EXPECT_EQ(GOSYNC_ONCE_DONE, gosync_once_begin(once));
	EXPECT_EQ(0, gosync_once_wait(once));
}

TEST_F(broken, permits_go_to_others)
{
	gosync_semaphore_t *s, *other;
	pid_t pid;

	s = NEW(gosync_semaphore, GOSYNC_GIVE_BACK | variant->how, 3);
	other = ANOTHER(gosync_semaphore, gosync_fd(s), variant->how);
	ASSERT_EQ(0, gosync_semaphore_acquire(s, 2));
	pid = WAITER(other,
		     gosync_semaphore_acquire(other, 3) ? 1 :
			info(other).word & GOSYNC_SEMAPHORE_PERMITS);
	ASSERT_EQ(0, gosync_break(other, holder_of(s)));
	EXPECT_EQ(0, reap_soon(pid));
	EXPECT_EQ(3, gosync_semaphore_count(other));
	EXPECT_EQ(-ESTALE, gosync_semaphore_release(s, 2));
	EXPECT_EQ(-ESTALE, gosync_semaphore_acquire(s, 1));
	EXPECT_EQ(-ESTALE, gosync_semaphore_tryacquire(s, 1));
	EXPECT_EQ(3, gosync_semaphore_count(other));
	gosync_close(s);
	EXPECT_EQ(3, gosync_semaphore_count(other));
	/* Without GIVE_BACK permits are nobody's. */
	s = NEW(gosync_semaphore, variant->how, 3);
	ASSERT_EQ(0, gosync_semaphore_acquire(s, 2));
	EXPECT_EQ(-ESRCH, gosync_break(s, holder_of(s)));
	EXPECT_EQ(0, gosync_semaphore_release(s, 2));
}

TEST_F(broken, who_waits_for_a_cond_comes_back_without_the_lock)
{
	gosync_cond_t *cond = NEW(gosync_cond, variant->how);
	struct waiting waiting = { COND, cond, self->mutex };

	start(&waiting);
	ASSERT_EQ(0, gosync_mutex_lock(self->mutex));
	ASSERT_EQ(0, gosync_break(self->other, holder_of(self->mutex)));
	ASSERT_EQ(1, gosync_mutex_lock(self->other));
	ASSERT_EQ(0, gosync_mutex_recover(self->other));
	EXPECT_EQ(0, gosync_cond_signal(cond));
	EXPECT_EQ(-ESTALE, result_of(&waiting));
	/* Nor can it begin to wait, which would unlock. */
	EXPECT_EQ(-ESTALE, gosync_cond_wait(cond, self->mutex));
	EXPECT_EQ(0, info(cond).waiters);
	EXPECT_EQ(holder_of(self->other), info(self->other).owner);
	EXPECT_EQ(0, gosync_mutex_unlock(self->other));
}

TEST_F(broken, who_waits_for_several_gets_none_by_it)
{
	static const enum kind kinds_of_wait[] = { ANY, ALL };
	int i;

	for (i = 0; i < 2; i++) {
		void *beside = new_beside(kinds_of_wait[i], variant->how);
		struct thing thing = new_thing(kinds_of_wait[i], variant->how);
		struct waiting waiting = { thing.kind, NULL, beside };
		gosync_mutex_t *taken, *blocks = thing.other;

		taken = HANDLE(gosync_mutex, thing.fd, variant->how);
		waiting.handle = taken;
		ASSERT_EQ(0, gosync_mutex_lock(taken));
		if (thing.kind == ALL)
			ASSERT_EQ(0, gosync_rwmutex_lock(beside));
		start(&waiting);
		sleep_ns(3 * NSEC_PER_MSEC);
		ASSERT_EQ(0, gosync_break(blocks, holder_of(taken)));
		if (thing.kind == ALL)
			EXPECT_EQ(0, gosync_rwmutex_unlock(beside));
		EXPECT_EQ(-ESTALE, result_of(&waiting));
		EXPECT_EQ(-ESTALE, wait_by_library(&thing, taken, beside, 1, 0));
		EXPECT_EQ(1, gosync_mutex_trylock(blocks));
		EXPECT_EQ(1, info(blocks).deaths);
		EXPECT_EQ(0, info(blocks).waiters);
		EXPECT_EQ(0, info(beside).word);
		EXPECT_EQ(0, info(beside).waiters);
	}
}

/* --- At any moment ---------------------------------------------------------- */

/*
 * What the lock protects: it takes nothing from who has an older token than it
 * has seen.
 */
struct protected {
	unsigned int guard;
	unsigned int stop;
	uint64_t newest;
	unsigned int survived;
	unsigned int broken;
};

static uint64_t seen_by(struct protected *it, uint64_t token)
{
	unsigned int none;
	uint64_t newest;

	do {
		none = 0;
		if (__atomic_compare_exchange_n(&it->guard, &none, 1, 0,
						__ATOMIC_SEQ_CST,
						__ATOMIC_SEQ_CST))
			break;
		sched_yield();
	} while (1);
	if (it->newest < token)
		it->newest = token;
	newest = it->newest;
	store(&it->guard, 0);
	return newest;
}

static void worker(struct protected *it, const char *name, unsigned int how,
		   unsigned int number)
{
	uint64_t seed = random_seed() + number, token, newest;

	while (!load(&it->stop)) {
		gosync_mutex_t *mutex = mutex_of(name, how);
		int ret, had;

		if (!mutex)
			_exit(1);
		do {
			bool rightly;

			ret = random_u32(&seed) % 4 ?
			      gosync_mutex_lock(mutex) :
			      gosync_mutex_trylock(mutex);
			if (ret == -EBUSY) {
				ret = 0;
				continue;
			}
			if (ret < 0)
				break;
			if (ret == 1) {
				ret = gosync_mutex_recover(mutex);
				if (ret)
					break;
			}
			had = gosync_mutex_token(mutex, &token);
			if (had && had != -ESTALE)
				_exit(2);
			newest = had ? 0 : seen_by(it, token);
			rightly = !had && newest == token;
			if (random_u32(&seed) % 8 == 0)
				sched_yield();
			rightly = rightly && seen_by(it, 0) == token;
			ret = gosync_mutex_unlock(mutex);
			/* Who could unlock has had it all the time. */
			if (!ret && !rightly)
				_exit(3);
			if (!ret)
				add(&it->survived, 1);
		} while (!ret && !load(&it->stop));
		if (ret && ret != -ESTALE)
			_exit(4);
		if (ret)
			add(&it->broken, 1);
		gosync_close(mutex);
	}
	_exit(0);
}

TEST_F(broken, at_any_moment_leaves_one_owner_with_the_newest_token)
{
	enum { WORKERS = 4 };
	struct protected *it = (void *)self->shared;
	uint64_t end = end_of_budget(), seed = random_seed();
	unsigned int i, breaks = 0;
	pid_t pids[WORKERS];

	for (i = 0; i < WORKERS; i++) {
		pids[i] = spawn();
		if (!pids[i])
			worker(it, self->name, variant->how, i);
	}
	do {
		uint32_t owner = info(self->other).owner;

		if (owner && !gosync_break(self->other, owner))
			breaks++;
		if (random_u32(&seed) % 2)
			sched_yield();
		else
			sleep_ns(random_u32(&seed) % 100 * NSEC_PER_USEC);
	} while (budget_left(end) || breaks < 10 || load(&it->survived) < 10);
	store(&it->stop, 1);
	EXPECT_EQ(0, reap_all(pids, WORKERS));
	TH_LOG("%u broken, %u knew of it, %u had it to the end", breaks,
	       it->broken, it->survived);
	EXPECT_LE(it->broken, breaks);
	EXPECT_LE(0, gosync_mutex_lock(self->other));
	EXPECT_EQ(0, gosync_mutex_recover(self->other));
	EXPECT_EQ(0, gosync_mutex_unlock(self->other));
	EXPECT_EQ(0, info(self->other).word);
}

/* From when to when somebody had it who could unlock it */
struct section {
	unsigned int from;
	unsigned int to;
	bool writes;
};

enum { SECTIONS = 10000 };

struct sections {
	struct protected all;
	unsigned int clock;
	unsigned int count[4];
	struct section section[4][SECTIONS];
};

static void rw_worker(struct sections *it, const char *name, unsigned int how,
		      unsigned int number)
{
	uint64_t seed = random_seed() + number;
	unsigned int n = 0;

	while (!load(&it->all.stop)) {
		gosync_rwmutex_t *rw = rwmutex_of(name, how);
		int ret;

		if (!rw)
			_exit(1);
		do {
			struct section *section = &it->section[number][n];

			section->writes = random_u32(&seed) % 3 == 0;
			ret = section->writes ? gosync_rwmutex_lock(rw) :
						gosync_rwmutex_rlock(rw);
			if (ret < 0)
				break;
			if (ret && section->writes)
				gosync_rwmutex_recover(rw);
			section->from = add(&it->clock, 1);
			if (random_u32(&seed) % 8 == 0)
				sched_yield();
			section->to = add(&it->clock, 1);
			ret = section->writes ? gosync_rwmutex_unlock(rw) :
						gosync_rwmutex_runlock(rw);
			if (!ret && n < SECTIONS - 1)
				n++;
			store(&it->count[number], n);
		} while (!ret && !load(&it->all.stop));
		if (ret && ret != -ESTALE)
			_exit(4);
		if (ret)
			add(&it->all.broken, 1);
		gosync_close(rw);
	}
	_exit(0);
}

static int began_before(const void *a, const void *b)
{
	const struct section *one = a, *other = b;

	return one->from < other->from ? -1 : one->from > other->from;
}

/* How many overlap although one of them writes */
static unsigned int count_overlaps(struct section *sections, unsigned int n)
{
	unsigned int i, last = 0, last_write = 0, overlaps = 0;

	qsort(sections, n, sizeof(*sections), began_before);
	for (i = 0; i < n; i++) {
		const struct section *section = &sections[i];

		overlaps += section->from < (section->writes ? last :
							       last_write);
		if (section->to > last)
			last = section->to;
		if (section->writes && section->to > last_write)
			last_write = section->to;
	}
	return overlaps;
}

static int break_one(const struct gosync_party *holder, void *rw)
{
	return (holder->flags & GOSYNC_PARTY_OWNS || holder->count) &&
	       !gosync_break(rw, holder->holder);
}

TEST_F(broken, at_any_moment_leaves_readers_or_a_writer)
{
	enum { WORKERS = 4 };
	struct sections *it = shared_memory(sizeof(*it));
	uint64_t end = end_of_budget(), seed = random_seed();
	unsigned int i, breaks = 0, n = 0;
	static struct section all[WORKERS * SECTIONS];
	pid_t pids[WORKERS];

	for (i = 0; i < WORKERS; i++) {
		pids[i] = spawn();
		if (!pids[i])
			rw_worker(it, self->rw_name, variant->how, i);
	}
	do {
		breaks += gosync_holders(self->rw_other, break_one,
					 self->rw_other) == 1;
		if (random_u32(&seed) % 2)
			sched_yield();
		else
			sleep_ns(random_u32(&seed) % 100 * NSEC_PER_USEC);
	} while (budget_left(end) || breaks < 10 || load(&it->count[0]) < 10);
	store(&it->all.stop, 1);
	for (i = 0; i < WORKERS; i++) {
		EXPECT_EQ(0, reap_soon(pids[i]));
		memcpy(&all[n], it->section[i],
		       it->count[i] * sizeof(*all));
		n += it->count[i];
	}
	TH_LOG("%u broken, %u knew of it, %u had it to the end", breaks,
	       it->all.broken, n);
	EXPECT_LE(it->all.broken, breaks);
	EXPECT_EQ(0, count_overlaps(all, n));
	EXPECT_LE(0, gosync_rwmutex_lock(self->rw_other));
	EXPECT_EQ(0, gosync_rwmutex_recover(self->rw_other));
	EXPECT_EQ(0, gosync_rwmutex_unlock(self->rw_other));
	EXPECT_EQ(0, info(self->rw_other).word);
	EXPECT_EQ(0, info(self->rw_other).readers);
}

TEST_HARNESS_MAIN
