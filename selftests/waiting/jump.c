// SPDX-License-Identifier: GPL-2.0-only
/*
 * A waiter of a Cond that a handler jumps out of the wait swallows no signal,
 * whether it ends, waits again, or is refused.
 */
#include <setjmp.h>

#include "gosync_test.h"

struct shared {
	unsigned int came_back;		/* and was signalled */
	unsigned int stayed;		/* and was signalled */
	unsigned int stage;		/* of a handler */
	unsigned int step;
};

static struct shared *shared;

FIXTURE(jump)
{
	gosync_mutex_t *mutex;
	gosync_cond_t *cond;
};

MAPPED_AND_IOCTL(jump);

FIXTURE_SETUP(jump)
{
	shared = shared_memory(sizeof(*shared));
	self->mutex = NEW(gosync_mutex, variant->how);
	self->cond = NEW(gosync_cond, variant->how);
}

static __thread sigjmp_buf outside;

static void jump_out(int signal)
{
	siglongjmp(outside, 1);
}

static void stay_and_jump_out(int signal)
{
	stay_in_handler(signal);
	siglongjmp(outside, 1);
}

/* Waits, jumps out of that, and perhaps waits again by @cond; or ends */
struct leaver {
	FIXTURE_DATA(jump) *self;
	gosync_cond_t *again;
	bool jumped;
};

static void *leave(void *arg)
{
	struct leaver *leaver = arg;
	FIXTURE_DATA(jump) *self;

	self = leaver->self;
	if (!sigsetjmp(outside, 1)) {
		gosync_mutex_lock(self->mutex);
		gosync_cond_wait(self->cond, self->mutex);
		return NULL;
	}
	store(&leaver->jumped, true);
	if (!leaver->again)
		return NULL;
	gosync_mutex_lock(self->mutex);
	if (!gosync_cond_wait(leaver->again, self->mutex))
		add(&shared->came_back, 1);
	gosync_mutex_unlock(self->mutex);
	return NULL;
}

static void *stay(void *arg)
{
	FIXTURE_DATA(jump) *self = arg;

	gosync_mutex_lock(self->mutex);
	if (!gosync_cond_wait(self->cond, self->mutex))
		add(&shared->stayed, 1);
	gosync_mutex_unlock(self->mutex);
	return NULL;
}

static int signal_cond(FIXTURE_DATA(jump) *self)
{
	return call(gosync_fd(self->cond), GOSYNC_IOC_COND_SIGNAL, NULL);
}

/* One that is to leave waits before one that stays. */
static bool begin(struct leaver *leaver, pthread_t threads[2],
		  void (*handler)(int signal))
{
	FIXTURE_DATA(jump) *self = leaver->self;

	memset(shared, 0, sizeof(*shared));
	handler_stage = &shared->stage;
	leaver->jumped = false;
	handle(handler, 0);
	return !pthread_create(&threads[0], NULL, leave, leaver) &&
	       eventually(waiters(self->cond) == 1) &&
	       !pthread_create(&threads[1], NULL, stay, self) &&
	       eventually(waiters(self->cond) == 2) &&
	       !pthread_kill(threads[0], SIGUSR1);
}

TEST_F(jump, who_jumps_out_and_ends_swallows_no_signal)
{
	struct leaver leaver = { self };
	pthread_t threads[2];
	int gone;

	for (gone = 0; gone < 2; gone++) {
		ASSERT_TRUE(begin(&leaver, threads, jump_out));
		ASSERT_EQ(0, pthread_join(threads[0], NULL));
		/* It is not shown any more in the end, though nobody signals. */
		if (gone)
			EXPECT_TRUE(eventually(waiters(self->cond) == 1));
		EXPECT_EQ(1, signal_cond(self));
		ASSERT_TRUE(eventually(load(&shared->stayed)));
		ASSERT_EQ(0, pthread_join(threads[1], NULL));
		EXPECT_EQ(0, waiters(self->cond));
		EXPECT_EQ(0, info(self->cond).word);
	}
}

TEST_F(jump, who_is_signalled_and_jumps_out_and_ends_passes_it_on)
{
	struct leaver leaver = { self };
	pthread_t threads[2];

	ASSERT_TRUE(begin(&leaver, threads, stay_and_jump_out));
	ASSERT_TRUE(eventually(load(&shared->stage) == 1));
	EXPECT_EQ(1, signal_cond(self));
	EXPECT_EQ(1, waiters(self->cond));
	store(&shared->stage, 2);
	ASSERT_EQ(0, pthread_join(threads[0], NULL));
	/* Nothing else happens to the Cond. */
	ASSERT_TRUE(eventually(load(&shared->stayed)));
	ASSERT_EQ(0, pthread_join(threads[1], NULL));
	EXPECT_EQ(0, waiters(self->cond));
}

TEST_F(jump, who_jumps_out_and_waits_again_has_one_ticket)
{
	struct leaver leaver = { self };
	pthread_t threads[2];
	gosync_cond_t *other;
	int i;

	other = ANOTHER(gosync_cond, gosync_fd(self->cond), variant->how);
	/* By the same holder and by another */
	for (i = 0; i < 2; i++) {
		leaver.again = i ? other : self->cond;
		ASSERT_TRUE(begin(&leaver, threads, jump_out));
		ASSERT_TRUE(eventually(load(&leaver.jumped)));
		/* Its lock is free when it has waited, and not before. */
		ASSERT_TRUE(eventually(waiters(self->cond) == 2 &&
				       !gosync_mutex_trylock(self->mutex) &&
				       !gosync_mutex_unlock(self->mutex)));
		ASSERT_TRUE(eventually(waiters(self->cond) == 2));
		EXPECT_EQ(1, signal_cond(self));
		/* It is behind the one that stayed. */
		ASSERT_TRUE(eventually(load(&shared->stayed)));
		EXPECT_EQ(0, load(&shared->came_back));
		EXPECT_EQ(1, signal_cond(self));
		ASSERT_TRUE(eventually(load(&shared->came_back)));
		ASSERT_EQ(0, pthread_join(threads[0], NULL));
		ASSERT_EQ(0, pthread_join(threads[1], NULL));
		EXPECT_EQ(0, waiters(self->cond));
	}
	gosync_close(other);
}

TEST_F(jump, who_is_signalled_and_jumps_out_and_waits_again_passes_it_on)
{
	struct leaver leaver = { self, self->cond };
	pthread_t threads[2];

	ASSERT_TRUE(begin(&leaver, threads, stay_and_jump_out));
	ASSERT_TRUE(eventually(load(&shared->stage) == 1));
	EXPECT_EQ(1, signal_cond(self));
	store(&shared->stage, 2);
	ASSERT_TRUE(eventually(load(&shared->stayed)));
	ASSERT_EQ(0, pthread_join(threads[1], NULL));
	ASSERT_TRUE(eventually(waiters(self->cond) == 1));
	EXPECT_EQ(0, load(&shared->came_back));
	EXPECT_EQ(1, signal_cond(self));
	ASSERT_EQ(0, pthread_join(threads[0], NULL));
	EXPECT_EQ(1, load(&shared->came_back));
}

/* What fails has not begun to wait anew. */
TEST_F(jump, a_wait_that_is_refused_leaves_the_ticket)
{
	struct gosync_cond_wait_args args = {
		.size = sizeof(args),
		.lock = gosync_fd(self->mutex),
	}, other;
	int fd = gosync_fd(self->cond);
	pid_t pid = spawn();

	if (!pid) {
		handle(count_signal, 0);
		gosync_mutex_lock(self->mutex);
		store(&shared->step, 1);
		EXPECT_EQ(-EINTR, call(fd, GOSYNC_IOC_COND_WAIT, &args));
		other = args;
		other.ticket = 0;
		EXPECT_EQ(-EPERM, call(fd, GOSYNC_IOC_COND_WAIT, &other));
		EXPECT_EQ(1, waiters(self->cond));
		args.deadline = 1;
		EXPECT_EQ(-ETIMEDOUT, call(fd, GOSYNC_IOC_COND_WAIT, &args));
		/* A new one that is not refused leaves nothing. */
		args.deadline = 0;
		args.ticket = 0;
		store(&shared->step, 2);
		EXPECT_EQ(-EINTR, call(fd, GOSYNC_IOC_COND_WAIT, &args));
		other = args;
		other.ticket = 0;
		other.deadline = 1;
		gosync_mutex_lock(self->mutex);
		EXPECT_EQ(-ETIMEDOUT, call(fd, GOSYNC_IOC_COND_WAIT, &other));
		EXPECT_EQ(0, waiters(self->cond));
		EXPECT_EQ(-EINVAL, call(fd, GOSYNC_IOC_COND_WAIT, &args));
		/* What was expected is told by that. */
		_exit(_metadata->exit_code);
	}
	ASSERT_TRUE(eventually(load(&shared->step) == 1 &&
			       waiters(self->cond) == 1));
	kill(pid, SIGUSR1);
	ASSERT_TRUE(eventually(load(&shared->step) == 2 &&
			       waiters(self->cond) == 1));
	kill(pid, SIGUSR1);
	EXPECT_EQ(0, reap_soon(pid));
}

TEST_HARNESS_MAIN
