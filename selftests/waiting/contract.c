// SPDX-License-Identifier: GPL-2.0-only
/*
 * What every wait promises, of whatever kind it is: how deadlines, signals and
 * the end of a waiter end it, what it leaves behind then, and what it refuses.
 */
#include "kinds.h"

/* A flag that no wait has */
#define WRONG_FLAG	(1U << 5)

/* By the library; or by ioctl, as another library would */
enum way { LIBRARY, IOCTL, WAYS };

FIXTURE(wait)
{
	struct thing thing;
	void *mine;			/* the waiter's handle, on thing.fd */
	void *beside;			/* what else the wait needs, see get() */
	struct gosync_info before;
	unsigned int how;
};

EACH_KIND(wait);
KIND_VARIANTS(wait, drain, DRAIN);
KIND_VARIANTS(wait, begin, BEGIN);
KIND_VARIANTS(wait, cond, COND);
KIND_VARIANTS(wait, any, ANY);
KIND_VARIANTS(wait, all, ALL);

/* Waiters use another descriptor, and another handle for it. */
static void use_descriptor(FIXTURE_DATA(wait) *self, int fd)
{
	self->thing.fd = fd;
	if (make_handle(self->thing.kind, fd, self->how, &self->mine))
		abort();
}

/* Another object that the other party keeps: some can be had only once. */
static void renew(FIXTURE_DATA(wait) *self)
{
	const enum kind kind = self->thing.kind;

	self->thing = new_thing(kind, self->how);
	use_descriptor(self, self->thing.fd);
	self->beside = new_beside(kind, self->how);
	if (keep(&self->thing))
		abort();
	self->before = info_of(self->thing.fd);
}

FIXTURE_SETUP(wait)
{
	self->thing.kind = variant->kind;
	self->how = variant->how;
	renew(self);
}

NO_TEARDOWN(wait);

/* --- to wait -------------------------------------------------------------- */

static int wait_by(FIXTURE_DATA(wait) *self, enum way way, uint64_t deadline,
		   unsigned int flags)
{
	return way == LIBRARY ?
	       wait_by_library(&self->thing, self->mine, self->beside, deadline,
			       flags) :
	       wait_by_ioctl(&self->thing, self->beside, deadline, flags);
}

/*
 * The wait of a Cond begins and ends with its lock, whatever it returns, but not
 * when a signal has interrupted the ioctl. What else was granted is kept.
 */
static int get(FIXTURE_DATA(wait) *self, enum way way, uint64_t deadline,
	       unsigned int flags)
{
	int ret;

	if (self->thing.kind != COND)
		return wait_by(self, way, deadline, flags);
	ret = gosync_mutex_lock(self->beside);
	if (ret)
		return ret;
	ret = wait_by(self, way, deadline, flags);
	if (way == IOCTL && ret == -EINTR)
		return ret;
	return gosync_mutex_unlock(self->beside) ? -ENOLCK : ret;
}

/* The holder that the library has made of the handle in a child gives it back. */
static int give_back_by(FIXTURE_DATA(wait) *self, enum way way)
{
	struct thing thing = self->thing;

	if (way == LIBRARY)
		thing.fd = gosync_fd(self->mine);
	if (give_back(&thing))
		return 1;
	return thing.kind == ALL && gosync_rwmutex_unlock(self->beside);
}

/* A child that waits and gives back; its exit status is the error. */
static pid_t spawn_waiter(FIXTURE_DATA(wait) *self, enum way way,
			  uint64_t deadline, unsigned int flags)
{
	return WAITER_FD(self->thing.fd, ({
		int ret = get(self, way, deadline, flags);

		!ret && give_back_by(self, way) ? 100 : -ret;
	}));
}

/* As let_go(), for as many waiters, who pass on what only one can have */
static int let_all_go(const struct thing *thing, unsigned int count)
{
	switch (thing->kind) {
	case PERMITS:
		return gosync_semaphore_release(thing->other,
						count * PERMITS_LET_GO);
	case WORD:
		return gosync_uint64_add(thing->other, 0, 1, NULL) ||
		       gosync_uint64_wake(thing->other, 0, count) != count;
	case COND:
		return gosync_cond_broadcast(thing->other);
	default:
		return let_go(thing);
	}
}

/* --- what a wait leaves behind -------------------------------------------- */

/* How many waiters the mapped word tells of, where it counts them */
static bool word_counts(const struct thing *thing, unsigned int waiters)
{
	uint64_t word = info_of(thing->fd).word;

	switch (thing->kind) {
	case PERMITS:
		return word >> GOSYNC_SEMAPHORE_WAITER_SHIFT == waiters;
	case WAITGROUP:
		return word >> GOSYNC_WAITGROUP_WAITER_SHIFT == waiters;
	case COND:
		return word == waiters;
	default:
		return true;
	}
}

/* A writer that has left stops no reader. */
static bool readers_may_enter(const struct thing *thing)
{
	return thing->kind != DRAIN || (!gosync_rwmutex_tryrlock(thing->other) &&
					!gosync_rwmutex_runlock(thing->other));
}

/* Nobody waits, nothing was granted, and the state is the same as before. */
static bool left_no_trace(FIXTURE_DATA(wait) *self)
{
	return readers_may_enter(&self->thing) &&
	       is_as_before(&self->thing, &self->before) &&
	       is_accounted(self->thing.fd) &&
	       !stat_fd(self->thing.fd).acquired;
}

/* The other party has let it go, and the next gets it at once. */
static bool can_be_had(FIXTURE_DATA(wait) *self, enum way way)
{
	if (let_go(&self->thing))
		return false;
	/* Nobody has a Cond. */
	if (self->thing.kind == COND)
		return true;
	return !get(self, way, 1, 0) && !give_back_by(self, way);
}

/* --- deadlines ------------------------------------------------------------ */

static void times_out(struct __test_metadata *_metadata,
		      FIXTURE_DATA(wait) *self, enum way way, clockid_t clock,
		      uint64_t ns)
{
	unsigned int flags = clock == CLOCK_REALTIME ? GOSYNC_CLOCK_REALTIME : 0;
	uint64_t deadline = now_ns(clock) + ns;

	EXPECT_EQ(-ETIMEDOUT, get(self, way, deadline, flags));
	EXPECT_LE(deadline, now_ns(clock));
	EXPECT_EQ(-ETIMEDOUT, get(self, way, 1, flags));
	EXPECT_EQ(0, waiters_of(&self->thing));
}

TEST_F(wait, a_wait_ends_at_its_deadline_and_leaves_no_trace)
{
	enum way way;

	for (way = 0; way < WAYS; way++) {
		times_out(_metadata, self, way, CLOCK_MONOTONIC,
			  20 * NSEC_PER_MSEC);
		times_out(_metadata, self, way, CLOCK_REALTIME,
			  20 * NSEC_PER_MSEC);
		times_out(_metadata, self, way, CLOCK_MONOTONIC, 0);
		EXPECT_TRUE(left_no_trace(self));
		EXPECT_TRUE(can_be_had(self, way));
		renew(self);
	}
}

TEST_F(wait, a_deadline_that_has_passed_gets_what_is_there)
{
	unsigned int i;

	for (i = 0; i < 2 * WAYS && variant->kind != COND; i++) {
		enum way way = i / 2;

		EXPECT_EQ(0, let_go(&self->thing));
		EXPECT_EQ(0, get(self, way, 1, i % 2 ? GOSYNC_CLOCK_REALTIME :
						       0));
		EXPECT_EQ(0, give_back_by(self, way));
		EXPECT_EQ(0, stat_fd(self->thing.fd).contended);
		renew(self);
	}
}

TEST_F(wait, a_far_deadline_is_no_deadline)
{
	static const uint64_t far[] = {
		GOSYNC_FOREVER, GOSYNC_FOREVER - 1, 1ULL << 63,
		(1ULL << 63) - 1, (1ULL << 63) - 2, 1ULL << 62, 0,
	};
	pid_t pids[2 * ARRAY_SIZE(far)];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(pids); i++)
		pids[i] = spawn_waiter(self, IOCTL, far[i / 2],
				       i % 2 ? GOSYNC_CLOCK_REALTIME : 0);
	sleep_ns(20 * NSEC_PER_MSEC);
	EXPECT_EQ(ARRAY_SIZE(pids), waiters_of(&self->thing));
	EXPECT_EQ(0, let_all_go(&self->thing, ARRAY_SIZE(pids)));
	EXPECT_EQ(0, reap_all(pids, ARRAY_SIZE(pids)));
	EXPECT_TRUE(is_accounted(self->thing.fd));
}

TEST_F(wait, a_deadline_is_of_the_clock_of_the_time_namespace)
{
	static const char *const offsets[] = {
		"monotonic 100000 0\n", "monotonic -1 0\n",
	};
	unsigned int i;
	enum way way;
	pid_t pid;

	if (now_ns(CLOCK_MONOTONIC) < 2 * NSEC_PER_SEC)
		sleep_ns(2 * NSEC_PER_SEC);
	for (i = 0; i < ARRAY_SIZE(offsets); i++) {
		if (unshare(CLONE_NEWTIME))
			SKIP(return, "no time namespace");
		ASSERT_EQ(0, write_file("/proc/self/timens_offsets", offsets[i]));
		pid = spawn();
		if (!pid) {
			for (way = 0; way < WAYS; way++) {
				times_out(_metadata, self, way, CLOCK_MONOTONIC,
					  20 * NSEC_PER_MSEC);
				times_out(_metadata, self, way, CLOCK_REALTIME,
					  20 * NSEC_PER_MSEC);
			}
			_exit(_metadata->exit_code);
		}
		EXPECT_EQ(0, reap_soon(pid));
	}
}

/* --- signals -------------------------------------------------------------- */

/* Each time it runs its handler and goes on to wait. */
static void interrupt(FIXTURE_DATA(wait) *self, pid_t pid)
{
	unsigned int n;

	for (n = 0; n < 3; n++) {
		kill(pid, SIGUSR1);
		sleep_ns(3 * NSEC_PER_MSEC);
		MUST(eventually(waiters_of(&self->thing) == 1));
	}
}

TEST_F(wait, a_signal_does_not_end_the_wait_by_default)
{
	unsigned int i;
	pid_t pid;

	for (i = 0; i < 2; i++) {
		handle(count_signal, i ? SA_RESTART : 0);
		pid = spawn_waiter(self, LIBRARY, GOSYNC_FOREVER, 0);
		interrupt(self, pid);
		EXPECT_EQ(0, let_go(&self->thing));
		EXPECT_EQ(0, reap_soon(pid));
		/* Who waits for all queues in its turns, which are waits, too. */
		EXPECT_LE(1, stat_fd(self->thing.fd).acquired);
		if (variant->kind != ALL)
			EXPECT_EQ(1, stat_fd(self->thing.fd).acquired);
		EXPECT_TRUE(is_accounted(self->thing.fd));
		renew(self);
	}
}

/* A WaitGroup goes on showing the waiter until it is 0: it may come back. */
static void expect_interrupted(FIXTURE_DATA(wait) *self)
{
	if (self->thing.kind == WAITGROUP)
		self->before.word |= 1ULL << GOSYNC_WAITGROUP_WAITER_SHIFT;
}

TEST_F(wait, a_signal_ends_the_wait_if_asked_for)
{
	pid_t pid;

	handle(count_signal, 0);
	pid = spawn_waiter(self, LIBRARY, GOSYNC_FOREVER, GOSYNC_INTERRUPTIBLE);
	kill(pid, SIGUSR1);
	EXPECT_EQ(EINTR, reap_soon(pid));
	expect_interrupted(self);
	EXPECT_TRUE(left_no_trace(self));
	EXPECT_TRUE(can_be_had(self, LIBRARY));
}

TEST_F(wait, the_ioctl_ends_without_sa_restart)
{
	pid_t pid;

	handle(count_signal, 0);
	pid = spawn_waiter(self, IOCTL, GOSYNC_FOREVER, 0);
	kill(pid, SIGUSR1);
	EXPECT_EQ(EINTR, reap_soon(pid));
	expect_interrupted(self);
	if (variant->kind != COND)
		EXPECT_TRUE(left_no_trace(self));
}

TEST_F(wait, the_ioctl_is_restarted_with_sa_restart)
{
	pid_t pid;

	handle(count_signal, SA_RESTART);
	pid = spawn_waiter(self, IOCTL, GOSYNC_FOREVER, 0);
	interrupt(self, pid);
	EXPECT_EQ(0, let_go(&self->thing));
	EXPECT_EQ(0, reap_soon(pid));
	EXPECT_TRUE(is_accounted(self->thing.fd));
}

static bool has_ended(pid_t pid)
{
	siginfo_t info = {};

	return !waitid(P_PID, pid, &info, WEXITED | WNOHANG | WNOWAIT) &&
	       info.si_pid == pid;
}

/* A child that is in a handler before its deadline; false if it was too slow */
static bool interrupt_before(FIXTURE_DATA(wait) *self, enum way way,
			     uint64_t ns, pid_t *pid)
{
	store(handler_stage, 0);
	*pid = CHILD(-get(self, way, gosync_deadline(ns), 0));
	if (!eventually(waiters_of(&self->thing) || has_ended(*pid)))
		return false;
	kill(*pid, SIGUSR1);
	return eventually(load(handler_stage) || has_ended(*pid)) &&
	       load(handler_stage);
}

/* The kernel restarts the ioctl, and the library begins it again by itself. */
TEST_F(wait, the_deadline_stays_over_a_restart)
{
	uint64_t ns = 200 * NSEC_PER_MSEC;
	enum way way;
	pid_t pid;

	handler_stage = shared_memory(sizeof(*handler_stage));
	for (way = 0; way < WAYS; way++) {
		handle(stay_in_handler, way == LIBRARY ? 0 : SA_RESTART);
		while (!interrupt_before(self, way, ns, &pid)) {
			kill_and_reap(pid);
			ns *= 2;
			ASSERT_GT(WATCHDOG / 4 * NSEC_PER_SEC, ns);
		}
		store(handler_stage, 2);
		EXPECT_EQ(ETIMEDOUT, reap_soon(pid));
		expect_interrupted(self);
		EXPECT_TRUE(left_no_trace(self));
		renew(self);
	}
}

/* --- the end of a waiter, and of its descriptor --------------------------- */

TEST_F(wait, killed_waiters_leave_no_trace_and_nobody_hanging)
{
	enum { N = 5 };
	pid_t pids[N];
	int i;

	for (i = 0; i < 2; i++)
		pids[i] = spawn_waiter(self, i, GOSYNC_FOREVER, 0);
	/* The last first: the second of two writers would go on to the readers. */
	for (i = 1; i >= 0; i--)
		EXPECT_EQ(128 + SIGKILL, kill_and_reap(pids[i]));
	EXPECT_TRUE(left_no_trace(self));
	for (i = 0; i < N; i++)
		pids[i] = spawn_waiter(self, i % WAYS, GOSYNC_FOREVER, 0);
	EXPECT_TRUE(word_counts(&self->thing, N));
	for (i = 0; i < N; i += 2)
		EXPECT_EQ(128 + SIGKILL, kill_and_reap(pids[i]));
	/* A writer that is let in by that goes on to wait for the readers. */
	EXPECT_TRUE(eventually(waiters_of(&self->thing) == N / 2));
	EXPECT_TRUE(word_counts(&self->thing, N / 2));
	EXPECT_EQ(0, let_all_go(&self->thing, N / 2));
	for (i = 1; i < N; i += 2)
		EXPECT_EQ(0, reap_soon(pids[i]));
	EXPECT_TRUE(is_accounted(self->thing.fd));
	EXPECT_EQ(0, info_of(self->thing.fd).deaths);
}

struct in_thread {
	FIXTURE_DATA(wait) self;
	int ret;
};

static void *wait_in_thread(void *arg)
{
	struct in_thread *in_thread = arg;

	in_thread->ret = get(&in_thread->self, IOCTL, 0, 0);
	return NULL;
}

/* What it gets then has no holder any more, so that owners have died. */
TEST_F(wait, closing_the_descriptor_does_not_end_the_wait)
{
	const bool owns = variant->kind <= WRITE || variant->kind == DRAIN ||
			  variant->kind >= ANY;
	struct in_thread in_thread = { .ret = -1 };
	unsigned int holders = info_of(self->thing.fd).holders;
	pthread_t thread;

	in_thread.self = *self;
	use_descriptor(&in_thread.self, reopen_object(self->thing.fd, 0));
	ASSERT_EQ(0, pthread_create(&thread, NULL, wait_in_thread, &in_thread));
	ASSERT_TRUE(eventually(waiters_of(&self->thing) == 1));
	close(in_thread.self.thing.fd);
	EXPECT_EQ(holders + 1, info_of(self->thing.fd).holders);
	EXPECT_EQ(1, waiters_of(&self->thing));
	EXPECT_EQ(0, let_go(&self->thing));
	ASSERT_EQ(0, pthread_join(thread, NULL));
	EXPECT_EQ(0, in_thread.ret);
	EXPECT_TRUE(eventually(info_of(self->thing.fd).holders == holders));
	EXPECT_EQ(owns, info_of(self->thing.fd).deaths);
	EXPECT_EQ(0, info_of(self->thing.fd).owner);
	EXPECT_EQ(0, info_of(self->thing.fd).readers);
	EXPECT_TRUE(is_accounted(self->thing.fd));
}

/* --- what is refused ------------------------------------------------------ */

TEST_F(wait, a_read_only_descriptor_waits_for_what_it_does_not_take)
{
	const bool writes = kinds[variant->kind].writes;
	enum way way;

	for (way = 0; way < WAYS; way++) {
		use_descriptor(self, reopen_object(self->thing.fd,
						   GOSYNC_RDONLY));
		EXPECT_EQ(writes ? -EBADF : -ETIMEDOUT, get(self, way, 1, 0));
		if (writes)
			EXPECT_EQ(-EBADF, get(self, way, GOSYNC_FOREVER, 0));
		EXPECT_EQ(0, let_go(&self->thing));
		/* A Once that is done takes nothing any more. */
		EXPECT_EQ(writes && variant->kind != BEGIN ? -EBADF : 0,
			  get(self, way, 1, 0));
		renew(self);
	}
}

/* One of another type in the place of the object */
TEST_F(wait, another_type_is_refused)
{
	void *handle;
	uint32_t type;

	for (type = GOSYNC_INT32; type < GOSYNC_TYPE_MAX; type++) {
		char *name = unique_name();
		int fd = open_object(type, name, GOSYNC_CREATE, 0600);

		if (type == kinds[variant->kind].type)
			continue;
		ASSERT_LE(0, fd);
		EXPECT_EQ(-EPROTOTYPE, make_handle(variant->kind, fd,
						   variant->how, &handle));
		EXPECT_EQ(-EPROTOTYPE,
			  open_object(kinds[variant->kind].type, name, 0, 0));
		/* All types of words have one ioctl. */
		if (variant->kind == WORD && type <= GOSYNC_BOOL)
			continue;
		self->thing.fd = fd;
		EXPECT_EQ(-ENOTTY, get(self, IOCTL, 1, 0))
			TH_LOG("type %u", type);
	}
}

TEST_F(wait, a_wrong_flag_is_refused)
{
	enum way way;

	for (way = 0; way < WAYS; way++) {
		EXPECT_EQ(-EINVAL, get(self, way, 1, WRONG_FLAG));
		EXPECT_EQ(-EINVAL, get(self, way, GOSYNC_FOREVER, WRONG_FLAG));
		EXPECT_TRUE(left_no_trace(self));
		EXPECT_EQ(0, stat_fd(self->thing.fd).contended);
		/* Also when it would not have to wait */
		EXPECT_EQ(0, let_go(&self->thing));
		EXPECT_EQ(-EINVAL, get(self, way, 1, WRONG_FLAG));
		renew(self);
	}
}

static int get_for_ever(void *self)
{
	return get(self, LIBRARY, GOSYNC_FOREVER, 0);
}

static int get_until_now(void *self)
{
	return get(self, LIBRARY, 1, 0);
}

/*
 * A Cond always sleeps, and the kernel looks at entries. It counts the version of a
 * Map only since somebody has asked for it, so it has to be asked.
 */
TEST_F(wait, no_system_call_is_made_when_nobody_has_to_wait)
{
	const bool asks = variant->how || variant->kind == MAP;

	if (variant->kind >= COND)
		return;
	EXPECT_EQ(0, let_go(&self->thing));
	EXPECT_SYSTEM_CALLS(asks, get_for_ever, self);
	renew(self);
	EXPECT_EQ(0, let_go(&self->thing));
	EXPECT_SYSTEM_CALLS(asks, get_until_now, self);
}

TEST_HARNESS_MAIN
