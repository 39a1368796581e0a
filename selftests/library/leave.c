// SPDX-License-Identifier: GPL-2.0-only
/*
 * Callbacks that are left, other than by returning: by pthread_exit(3) or by a
 * cancellation, while the process lives on. Nothing leaks, and what was begun is
 * either done or to be begun again. (Exceptions: cxx.cc.)
 */
#include <malloc.h>
#include "gosync_test.h"

/* How a callback is left */
enum { EXITS, CANCELLED, RETURNS };

struct call {
	int how;
	int died;
	unsigned int runs;
};

static void leave(struct call *call)
{
	call->runs++;
	switch (call->how) {
	case EXITS:
		pthread_exit(NULL);
	case CANCELLED:
		pthread_cancel(pthread_self());
		pthread_testcancel();
	}
}

static void run(void *arg, int died)
{
	struct call *call = arg;

	call->died = died;
	leave(call);
}

static void work(void *arg)
{
	leave(arg);
}

static int see_party(const struct gosync_party *party, void *arg)
{
	leave(arg);
	return 0;
}

static int see_info(const struct gosync_info *info, void *arg)
{
	leave(arg);
	return 0;
}

static int see_entry(const void *key, size_t key_len, const void *value,
		     size_t len, void *arg)
{
	leave(arg);
	return 0;
}

FIXTURE(leave)
{
	gosync_once_t *once;
	gosync_map_t *map;
	gosync_waitgroup_t *wg;
	char *name;
	unsigned int *go;		/* with children */
	struct call call;
	int (*f)(FIXTURE_DATA(leave) *self);
};

FIXTURE_VARIANT(leave)
{
	int how;
	unsigned int flags;
};

FIXTURE_VARIANT_ADD(leave, exit_mapped) { EXITS, 0 };
FIXTURE_VARIANT_ADD(leave, exit_ioctl) { EXITS, GOSYNC_IOCTL_ONLY };
FIXTURE_VARIANT_ADD(leave, cancel_mapped) { CANCELLED, 0 };
FIXTURE_VARIANT_ADD(leave, cancel_ioctl) { CANCELLED, GOSYNC_IOCTL_ONLY };

FIXTURE_SETUP(leave)
{
	unsigned int flags = GOSYNC_CREATE | variant->flags;

	self->name = unique_name();
	ASSERT_EQ(0, gosync_once_open(self->name, flags, 0600, &self->once));
	ASSERT_EQ(0, gosync_map_open(NULL, NULL, flags, 0600, &self->map));
	ASSERT_EQ(0, gosync_waitgroup_open(NULL, flags, 0600, &self->wg));
	ASSERT_EQ(0, gosync_map_store(self->map, "key", 3, "value", 5));
	self->go = shared_memory(4096);
	self->call.how = variant->how;
}

FIXTURE_TEARDOWN(leave)
{
	gosync_close(self->once);
	gosync_close(self->map);
	gosync_close(self->wg);
}

static void *thread(void *arg)
{
	FIXTURE_DATA(leave) *self = arg;

	self->f(self);
	return self;
}

/* Did the thread leave, rather than return? */
static bool leaves(FIXTURE_DATA(leave) *self, int (*f)(FIXTURE_DATA(leave) *self))
{
	pthread_t id;
	void *end;

	self->f = f;
	return !pthread_create(&id, NULL, thread, self) &&
	       !pthread_join(id, &end) && end != self;
}

static int once_do(FIXTURE_DATA(leave) *self)
{
	return gosync_once_do(self->once, run, &self->call);
}

static int once_do_anyway(FIXTURE_DATA(leave) *self)
{
	return gosync_once_do_anyway(self->once, run, &self->call);
}

TEST_F(leave, once_do_is_to_be_done_again)
{
	uint32_t deaths = info_of(gosync_fd(self->once)).deaths;

	ASSERT_TRUE(leaves(self, once_do));
	EXPECT_EQ(0, self->call.died);
	EXPECT_EQ(0, gosync_once_is_done(self->once));
	EXPECT_EQ(0, info_of(gosync_fd(self->once)).owner);
	ASSERT_TRUE(leaves(self, once_do));
	EXPECT_NE(0, self->call.died);
	self->call.how = RETURNS;
	EXPECT_EQ(0, once_do(self));
	EXPECT_NE(0, self->call.died);
	EXPECT_EQ(1, gosync_once_is_done(self->once));
	EXPECT_EQ(0, once_do(self));
	EXPECT_EQ(3, self->call.runs);
	/* Nobody has died. */
	EXPECT_EQ(deaths, info_of(gosync_fd(self->once)).deaths);
}

TEST_F(leave, once_do_anyway_is_done)
{
	ASSERT_TRUE(leaves(self, once_do_anyway));
	EXPECT_EQ(1, gosync_once_is_done(self->once));
	EXPECT_EQ(0, once_do_anyway(self));
	EXPECT_EQ(0, once_do(self));
	EXPECT_EQ(1, self->call.runs);
}

TEST_F(leave, once_do_anyway_does_it_as_once_do)
{
	self->call.how = RETURNS;
	EXPECT_EQ(0, once_do_anyway(self));
	EXPECT_EQ(0, once_do_anyway(self));
	EXPECT_EQ(1, self->call.runs);
	EXPECT_EQ(1, gosync_once_is_done(self->once));
}

static void run_at_last(void *arg, int died)
{
	FIXTURE_DATA(leave) *self = arg;

	while (!load(self->go))
		sleep_ns(NSEC_PER_MSEC);
	run(&self->call, died);
}

static int once_do_at_last(FIXTURE_DATA(leave) *self)
{
	return gosync_once_do(self->once, run_at_last, self);
}

/* Another process waits for the thread that leaves. */
TEST_F(leave, who_waits_is_told_to_do_it)
{
	pthread_t id;
	pid_t child;
	void *end;

	self->f = once_do_at_last;
	ASSERT_EQ(0, pthread_create(&id, NULL, thread, self));
	ASSERT_TRUE(eventually(info_of(gosync_fd(self->once)).owner));
	child = WAITER(self->once, gosync_once_begin(self->once));
	store(self->go, 1);
	ASSERT_EQ(0, pthread_join(id, &end));
	EXPECT_NE(self, end);
	EXPECT_EQ(GOSYNC_ONCE_RUN_AGAIN, reap_soon(child));
}

TEST_F(leave, abandoning_takes_beginning_back)
{
	gosync_once_t *other;

	ASSERT_EQ(0, gosync_once_open(self->name, variant->flags, 0600, &other));
	EXPECT_EQ(-EPERM, gosync_once_abandon(self->once));
	EXPECT_EQ(GOSYNC_ONCE_RUN, gosync_once_begin(self->once));
	EXPECT_EQ(-EPERM, gosync_once_abandon(other));
	EXPECT_EQ(0, gosync_once_abandon(self->once));
	EXPECT_EQ(-EPERM, gosync_once_abandon(self->once));
	EXPECT_EQ(-EPERM, gosync_once_done(self->once));
	EXPECT_EQ(GOSYNC_ONCE_RUN_AGAIN, gosync_once_begin(other));
	EXPECT_EQ(-EPERM, gosync_once_abandon(self->once));
	EXPECT_EQ(0, gosync_once_done(other));
	EXPECT_EQ(-EPERM, gosync_once_abandon(other));
	EXPECT_EQ(1, gosync_once_is_done(self->once));
	gosync_close(other);
}

/* A thread that began by itself and ends leaves it to the others. */
static int once_begin(FIXTURE_DATA(leave) *self)
{
	if (gosync_once_begin(self->once) == GOSYNC_ONCE_RUN)
		leave(&self->call);
	return 0;
}

TEST_F(leave, what_a_thread_began_the_rest_may_finish_or_abandon)
{
	ASSERT_TRUE(leaves(self, once_begin));
	EXPECT_EQ(info_of(gosync_fd(self->once)).holder,
		  info_of(gosync_fd(self->once)).owner);
	EXPECT_EQ(0, gosync_once_abandon(self->once));
	EXPECT_EQ(GOSYNC_ONCE_RUN_AGAIN, gosync_once_begin(self->once));
	EXPECT_EQ(0, gosync_once_done(self->once));
}

TEST_F(leave, a_waitgroups_thread_is_done)
{
	int i;

	for (i = 0; i < 20; i++) {
		ASSERT_EQ(0, gosync_waitgroup_go(self->wg, work, &self->call));
		EXPECT_EQ(0, gosync_waitgroup_wait(self->wg));
	}
	EXPECT_EQ(20, self->call.runs);
}

static int holders(FIXTURE_DATA(leave) *self)
{
	return gosync_holders(self->once, see_party, &self->call);
}

static int list(FIXTURE_DATA(leave) *self)
{
	return gosync_list(see_info, &self->call);
}

static int map_range(FIXTURE_DATA(leave) *self)
{
	return gosync_map_range(self->map, see_entry, &self->call);
}

static size_t allocated(void)
{
	struct mallinfo2 info = mallinfo2();

	return info.uordblks + info.hblkhd;
}

TEST_F(leave, walks_keep_no_descriptor_and_no_memory)
{
	static int (*const walks[])(FIXTURE_DATA(leave) *self) = {
		holders, list, map_range,
	};
	unsigned int i, j;
	size_t memory;
	int fds;

	/* Threads take from the same heap as we. */
	mallopt(M_ARENA_MAX, 1);
	for (i = 0; i < ARRAY_SIZE(walks); i++) {
		/* What is allocated once, for the first thread that leaves */
		ASSERT_TRUE(leaves(self, walks[i]));
		fds = descriptors();
		memory = allocated();
		for (j = 0; j < 100; j++)
			ASSERT_TRUE(leaves(self, walks[i]));
		EXPECT_EQ(fds, descriptors());
		EXPECT_GT(100 * sizeof("key") + 1024, allocated() - memory)
			TH_LOG("walk %u: %zu bytes", i, allocated() - memory);
	}
}

TEST_HARNESS_MAIN
