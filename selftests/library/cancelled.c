// SPDX-License-Identifier: GPL-2.0-only
/*
 * Cancelled threads: each function that the library exports comes back, though
 * the thread that calls it is to be cancelled. Which there are is read from the
 * library itself, so that a new one without a row in functions.h is a failure.
 */
#include "exported.h"
#include "functions.h"

FIXTURE(cancelled)
{
	int unused;
};

MAPPED_AND_IOCTL(cancelled);

FIXTURE_SETUP(cancelled)
{
	open_all(variant->how);
}

static void *call_it(void *arg)
{
	const struct row *row = arg;

	pthread_cancel(pthread_self());
	row->call();
	/* Not that of a thread that was cancelled */
	return arg;
}

TEST_F(cancelled, threads_come_back_from_each_function)
{
	pthread_t thread;
	unsigned int i;
	int before;
	void *ret;

	/* It is opened at the first need, and stays. */
	ASSERT_LE(0, gosync_device());
	before = descriptors();
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		failed = 0;
		ASSERT_EQ(0, pthread_create(&thread, NULL, call_it,
					    (void *)&rows[i]));
		ASSERT_EQ(0, pthread_join(thread, &ret));
		EXPECT_EQ(&rows[i], ret)
			TH_LOG("%s", rows[i].name);
		EXPECT_EQ(0, failed)
			TH_LOG("%s", rows[i].name);
	}
	TH_LOG("%u functions", i);
	EXPECT_EQ(before, descriptors());
}

static void *close_owner(void *arg)
{
	pthread_cancel(pthread_self());
	gosync_close(arg);
	return arg;
}

TEST_F(cancelled, a_thread_that_closes_has_closed)
{
	gosync_mutex_t *owner;
	pthread_t thread;

	ASSERT_EQ(0, gosync_mutex_open(name, variant->how, 0, &owner));
	ASSERT_EQ(0, gosync_mutex_lock(owner));
	ASSERT_EQ(0, pthread_create(&thread, NULL, close_owner, owner));
	ASSERT_EQ(0, pthread_join(thread, NULL));
	EXPECT_EQ(1, info_of(gosync_fd(mutex)).holders);
	EXPECT_EQ(1, gosync_mutex_trylock(mutex));
}

static void *lock_and_end(void *arg)
{
	pthread_setcanceltype(PTHREAD_CANCEL_DEFERRED, NULL);
	store((int *)arg, 1);
	if (gosync_mutex_lock(mutex))
		return NULL;
	gosync_mutex_unlock(mutex);
	pthread_testcancel();
	return NULL;
}

/* It is cancelled where it says, not while it waits. */
TEST_F(cancelled, a_thread_that_waits_goes_on_waiting)
{
	pthread_t thread;
	int begun = 0;
	void *ret;

	ASSERT_EQ(0, gosync_mutex_lock(mutex));
	ASSERT_EQ(0, pthread_create(&thread, NULL, lock_and_end, &begun));
	EXPECT_TRUE(eventually(info_of(gosync_fd(mutex)).waiters == 1));
	EXPECT_EQ(0, pthread_cancel(thread));
	EXPECT_EQ(0, gosync_mutex_unlock(mutex));
	EXPECT_EQ(0, pthread_join(thread, &ret));
	EXPECT_EQ(PTHREAD_CANCELED, ret);
	EXPECT_EQ(0, gosync_mutex_trylock(mutex));
}

TEST(each_function_has_a_row)
{
	const char *names[EXPORTED_MOST];
	unsigned int i, n = exported(names);

	for (i = 0; i < n; i++)
		EXPECT_TRUE(has_row(names[i]))
			TH_LOG("%s has none", names[i]);
	EXPECT_EQ(ARRAY_SIZE(rows), n);
}

TEST_HARNESS_MAIN
