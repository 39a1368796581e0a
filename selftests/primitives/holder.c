// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a holder can give up while it lives, and whose number it is told by.
 */
#include "gosync_test.h"

/* --- GOSYNC_IOC_ABANDON --------------------------------------------------- */

FIXTURE(abandon)
{
	char *name;
	int fd;				/* whose holder abandons */
	int other;
};

FIXTURE_VARIANT(abandon)
{
	uint32_t type;
	unsigned int take;		/* what both do */
	int before;			/* what that returns */
	int after;			/* and after the abandonment */
	uint32_t flags;
	unsigned int others;		/* holders that were there before */
};

FIXTURE_VARIANT_ADD(abandon, mutex) {
	.type = GOSYNC_MUTEX, .take = GOSYNC_IOC_MUTEX_LOCK, .after = 1,
};

FIXTURE_VARIANT_ADD(abandon, strict_mutex) {
	.type = GOSYNC_MUTEX, .take = GOSYNC_IOC_MUTEX_LOCK, .after = 1,
	.flags = GOSYNC_ERRORCHECK,
};

FIXTURE_VARIANT_ADD(abandon, rwmutex) {
	.type = GOSYNC_RWMUTEX, .take = GOSYNC_IOC_RWMUTEX_LOCK, .after = 1,
};

FIXTURE_VARIANT_ADD(abandon, rwmutex_read) {
	.type = GOSYNC_RWMUTEX, .take = GOSYNC_IOC_RWMUTEX_RLOCK,
};

/* Those that came later have no line. */
FIXTURE_VARIANT_ADD(abandon, rwmutex_read_without_a_line) {
	.type = GOSYNC_RWMUTEX, .take = GOSYNC_IOC_RWMUTEX_RLOCK,
	.others = 64,
};

FIXTURE_VARIANT_ADD(abandon, once) {
	.type = GOSYNC_ONCE, .take = GOSYNC_IOC_ONCE_BEGIN,
	.before = GOSYNC_ONCE_RUN, .after = GOSYNC_ONCE_RUN_AGAIN,
};

FIXTURE_VARIANT_ADD(abandon, semaphore) {
	.type = GOSYNC_SEMAPHORE, .take = GOSYNC_IOC_SEMAPHORE_ACQUIRE,
	.flags = GOSYNC_GIVE_BACK,
};

FIXTURE_SETUP(abandon)
{
	unsigned int i;

	self->name = unique_name();
	self->fd = open_bytes(variant->type, self->name, strlen(self->name),
			      GOSYNC_CREATE | variant->flags, 0600,
			      variant->type == GOSYNC_SEMAPHORE ? 3 : 0);
	ASSERT_LE(0, self->fd);
	for (i = 0; i < variant->others; i++)
		ASSERT_LE(0, reopen_object(self->fd, 0));
	if (variant->others)
		self->fd = reopen_object(self->fd, 0);
	self->other = reopen_object(self->fd, 0);
	ASSERT_LE(0, self->fd);
	ASSERT_LE(0, self->other);
}

NO_TEARDOWN(abandon);

static int take(const FIXTURE_VARIANT(abandon) *variant, int fd)
{
	struct gosync_semaphore_args permits = {
		.size = sizeof(permits), .count = 3,
	};

	return call(fd, variant->take,
		    variant->type == GOSYNC_SEMAPHORE ? &permits : NULL);
}

/* What only one can have: readers shall be in a writer's way, too. */
static int take_all(const FIXTURE_VARIANT(abandon) *variant, int fd)
{
	if (variant->type == GOSYNC_RWMUTEX)
		return call(fd, GOSYNC_IOC_RWMUTEX_LOCK, NULL);
	return take(variant, fd);
}

/* A child that waits with a descriptor of its own, and exits with what it got */
static pid_t spawn_waiter(FIXTURE_DATA(abandon) *self,
			  const FIXTURE_VARIANT(abandon) *variant)
{
	return WAITER_FD(self->fd, take_all(variant, self->other));
}

TEST_F(abandon, what_it_had_is_the_next_ones_although_others_have_a_copy)
{
	pid_t copy, waiter;

	ASSERT_EQ(variant->before, take(variant, self->fd));
	/* A child that has inherited the descriptors, and stays */
	copy = RESTING_CHILD(0);
	ASSERT_EQ(0, call(self->fd, GOSYNC_IOC_ABANDON, NULL));
	EXPECT_EQ(variant->after, take_all(variant, self->other));
	/* Who gives back a lock for reading says nothing of a death. */
	EXPECT_EQ(0, call(self->other, variant->type == GOSYNC_RWMUTEX ?
			  GOSYNC_IOC_RWMUTEX_UNLOCK : GOSYNC_IOC_ABANDON, NULL));

	/* It can be used again. */
	EXPECT_EQ(variant->after, take(variant, self->fd));
	waiter = spawn_waiter(self, variant);
	EXPECT_EQ(0, call(self->fd, GOSYNC_IOC_ABANDON, NULL));
	EXPECT_EQ(variant->after, reap_soon(waiter));
	kill_and_reap(copy);
}

TEST_F(abandon, each_is_a_death_that_is_counted)
{
	unsigned int deaths = info_of(self->fd).deaths;
	bool counted = variant->take != GOSYNC_IOC_RWMUTEX_RLOCK;

	ASSERT_EQ(variant->before, take(variant, self->fd));
	EXPECT_EQ(0, call(self->fd, GOSYNC_IOC_ABANDON, NULL));
	EXPECT_EQ(0, call(self->fd, GOSYNC_IOC_ABANDON, NULL));
	EXPECT_EQ(deaths + counted, info_of(self->fd).deaths);
	close(self->fd);
	EXPECT_EQ(deaths + counted, info_of(self->other).deaths);
}

TEST_F(abandon, what_others_have_is_theirs)
{
	struct gosync_info before, after;

	ASSERT_EQ(variant->before, take(variant, self->other));
	before = info_of(self->other);
	EXPECT_EQ(0, call(self->fd, GOSYNC_IOC_ABANDON, NULL));
	after = info_of(self->other);
	EXPECT_EQ(before.word, after.word);
	EXPECT_EQ(before.owner, after.owner);
	EXPECT_EQ(before.readers, after.readers);
	EXPECT_EQ(0, after.deaths);
}

TEST_F(abandon, it_takes_no_argument_and_needs_write)
{
	int read_only = reopen_object(self->fd, GOSYNC_RDONLY);
	int cond = new_object(GOSYNC_COND);
	int word = new_object(GOSYNC_INT32);
	uint64_t arg = sizeof(arg);
	uint64_t state;

	ASSERT_EQ(variant->before, take(variant, self->fd));
	state = info_of(self->fd).word;
	EXPECT_EQ(-EINVAL, call(self->fd, GOSYNC_IOC_ABANDON, &arg));
	EXPECT_EQ(-EBADF, call(read_only, GOSYNC_IOC_ABANDON, NULL));
	EXPECT_EQ(-ENOTTY, call(cond, GOSYNC_IOC_ABANDON, NULL));
	EXPECT_EQ(-ENOTTY, call(word, GOSYNC_IOC_ABANDON, NULL));
	EXPECT_EQ(-ENOTTY, call(open_device(), GOSYNC_IOC_ABANDON, NULL));
	EXPECT_EQ(state, info_of(self->fd).word);
	EXPECT_EQ(0, info_of(self->fd).deaths);
}

TEST(a_process_that_has_ended_is_not_named)
{
	int fd = new_object(GOSYNC_MUTEX);
	struct gosync_party parties[4] = {};
	struct gosync_parties_args args = PARTIES_OF(parties, 4);
	int sockets[2];
	pid_t pid;
	int own;

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, sockets));
	pid = spawn();
	if (!pid) {
		own = reopen_object(fd, 0);
		if (lock_fd(own) || send_fd(sockets[1], own))
			_exit(1);
		pause();
	}
	own = receive_fd(sockets[0]);
	ASSERT_LE(0, own);
	EXPECT_EQ(pid, info_of(fd).owner_pid);
	kill(pid, SIGKILL);
	/* Not reaped yet, so the number is still its own. It is dead all the same. */
	EXPECT_TRUE(eventually(!info_of(fd).owner_pid));
	EXPECT_EQ(128 + SIGKILL, reap(pid));
	EXPECT_EQ(0, info_of(fd).owner_pid);
	EXPECT_EQ(info_of(own).holder, info_of(fd).owner);
	ASSERT_EQ(2, call(fd, GOSYNC_IOC_HOLDERS, &args));
	EXPECT_EQ(getpid(), parties[0].pid);
	EXPECT_EQ(0, parties[1].pid);
	EXPECT_NE(0, parties[1].flags & GOSYNC_PARTY_OWNS);
	EXPECT_EQ(0, unlock_fd(own));
}

TEST_HARNESS_MAIN
