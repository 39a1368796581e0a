// SPDX-License-Identifier: GPL-2.0-only
/*
 * The library: waiting for any of several things and for all, for a Value, a
 * Map and a Once, and by poll(2). What the kernel grants, the library's other
 * functions go on with.
 */
#include <poll.h>
#include "gosync_test.h"

FIXTURE(waiting)
{
	gosync_mutex_t *mutex;
	gosync_rwmutex_t *rwmutex;
	gosync_semaphore_t *semaphore;
	gosync_waitgroup_t *wg;
	gosync_once_t *once;
	gosync_cond_t *cond;
	gosync_value_t *value;
	gosync_map_t *map;
	gosync_int32_t *words;
	unsigned int *shared;		/* with children */
};

MAPPED_AND_IOCTL(waiting);

FIXTURE_SETUP(waiting)
{
	self->mutex = NEW(gosync_mutex, variant->how);
	self->rwmutex = NEW(gosync_rwmutex, variant->how);
	self->semaphore = NEW(gosync_semaphore, variant->how, 0);
	self->wg = NEW(gosync_waitgroup, variant->how);
	self->once = NEW(gosync_once, variant->how);
	self->cond = NEW(gosync_cond, variant->how);
	self->value = NEW(gosync_value, variant->how, 64);
	self->map = NEW(gosync_map, variant->how, NULL);
	self->words = NEW(gosync_int32, variant->how, 2);
	self->shared = shared_memory(4096);
}

static uint64_t soon(void)
{
	return gosync_deadline(10 * NSEC_PER_MSEC);
}

static int wait_one(struct gosync_wait_entry *entry)
{
	return gosync_wait_any(entry, 1, soon(), 0);
}

static int store_text(gosync_value_t *value, const char *text)
{
	return gosync_value_store(value, 1, text, strlen(text));
}

/* --- what is granted is the handle's ------------------------------------- */

TEST_F(waiting, a_granted_mutex_is_unlocked_like_any_other)
{
	struct gosync_wait_entry entry = gosync_entry_mutex(self->mutex);
	uint64_t before, token;

	EXPECT_EQ(0, gosync_mutex_lock(self->mutex));
	EXPECT_EQ(0, gosync_mutex_token(self->mutex, &before));
	EXPECT_EQ(-ETIMEDOUT, wait_one(&entry));
	EXPECT_EQ(0, gosync_mutex_unlock(self->mutex));
	EXPECT_EQ(0, wait_one(&entry));
	EXPECT_EQ(0, entry.result);
	EXPECT_EQ(info(self->mutex).holder, info(self->mutex).owner);
	EXPECT_EQ(0, gosync_mutex_token(self->mutex, &token));
	EXPECT_LT(before, token);
	EXPECT_EQ(-EBUSY, gosync_mutex_trylock(self->mutex));
	EXPECT_EQ(0, gosync_mutex_unlock(self->mutex));
	EXPECT_EQ(-EPERM, gosync_mutex_unlock(self->mutex));
	EXPECT_EQ(0, info(self->mutex).word);
}

TEST_F(waiting, a_granted_rwmutex_is_unlocked_like_any_other)
{
	struct gosync_wait_entry write = gosync_entry_rwmutex(self->rwmutex);
	struct gosync_wait_entry read =
		gosync_entry_rwmutex_read(self->rwmutex);

	EXPECT_EQ(0, wait_one(&write));
	EXPECT_EQ(info(self->rwmutex).holder, info(self->rwmutex).owner);
	EXPECT_EQ(-ETIMEDOUT, wait_one(&read));
	EXPECT_EQ(0, gosync_rwmutex_unlock(self->rwmutex));
	EXPECT_EQ(0, wait_one(&read));
	EXPECT_EQ(0, gosync_rwmutex_rlock(self->rwmutex));
	EXPECT_EQ(2, info(self->rwmutex).readers);
	EXPECT_EQ(-ETIMEDOUT, wait_one(&write));
	EXPECT_EQ(0, gosync_rwmutex_runlock(self->rwmutex));
	EXPECT_EQ(0, gosync_rwmutex_runlock(self->rwmutex));
	EXPECT_EQ(-EPERM, gosync_rwmutex_runlock(self->rwmutex));
	EXPECT_EQ(0, info(self->rwmutex).word);
}

TEST_F(waiting, granted_permits_are_taken)
{
	struct gosync_wait_entry entry =
		gosync_entry_semaphore(self->semaphore, 3);

	EXPECT_EQ(0, gosync_semaphore_release(self->semaphore, 2));
	EXPECT_EQ(-ETIMEDOUT, wait_one(&entry));
	EXPECT_EQ(2, gosync_semaphore_count(self->semaphore));
	EXPECT_EQ(0, gosync_semaphore_release(self->semaphore, 2));
	EXPECT_EQ(0, wait_one(&entry));
	EXPECT_EQ(1, gosync_semaphore_count(self->semaphore));
	EXPECT_EQ(0, gosync_semaphore_acquire(self->semaphore, 1));
}

TEST_F(waiting, a_dead_owner_is_told_of)
{
	struct gosync_wait_entry entries[] = {
		gosync_entry_semaphore(self->semaphore, 1),
		gosync_entry_mutex(self->mutex),
		gosync_entry_rwmutex(self->rwmutex),
	};
	pid_t pid = CHILD(gosync_mutex_lock(self->mutex) |
			  gosync_rwmutex_lock(self->rwmutex));

	EXPECT_EQ(0, reap(pid));
	EXPECT_EQ(1, gosync_wait_any(entries, 3, GOSYNC_FOREVER, 0));
	EXPECT_EQ(1, entries[1].result);
	EXPECT_EQ(0, entries[2].result);
	EXPECT_EQ(0, gosync_mutex_recover(self->mutex));
	EXPECT_EQ(0, gosync_mutex_unlock(self->mutex));
	/* Nothing was done with the other, so it still has to be told of. */
	EXPECT_EQ(0, info(self->rwmutex).owner);
	EXPECT_EQ(0, gosync_wait_all(entries + 1, 2, GOSYNC_FOREVER, 0));
	EXPECT_EQ(0, entries[1].result);
	EXPECT_EQ(1, entries[2].result);
	EXPECT_EQ(0, gosync_rwmutex_recover(self->rwmutex));
	EXPECT_EQ(0, gosync_rwmutex_unlock(self->rwmutex));
	EXPECT_EQ(0, gosync_mutex_unlock(self->mutex));
}

/* --- any ----------------------------------------------------------------- */

TEST_F(waiting, the_first_that_is_ready_is_granted_and_no_other)
{
	struct gosync_wait_entry entries[] = {
		gosync_entry_mutex(self->mutex),
		gosync_entry_semaphore(self->semaphore, 1),
		gosync_entry_rwmutex(self->rwmutex),
		gosync_entry_waitgroup(self->wg),
	};

	EXPECT_EQ(0, gosync_mutex_lock(self->mutex));
	EXPECT_EQ(2, gosync_wait_any(entries, 4, GOSYNC_FOREVER, 0));
	EXPECT_EQ(3, gosync_wait_any(entries, 4, GOSYNC_FOREVER, 0));
	EXPECT_EQ(0, gosync_semaphore_release(self->semaphore, 1));
	EXPECT_EQ(1, gosync_wait_any(entries, 4, GOSYNC_FOREVER, 0));
	EXPECT_EQ(0, gosync_waitgroup_add(self->wg, 1));
	EXPECT_EQ(-ETIMEDOUT, gosync_wait_any(entries, 4, soon(), 0));
	EXPECT_EQ(0, gosync_mutex_unlock(self->mutex));
	EXPECT_EQ(0, gosync_wait_any(entries, 4, GOSYNC_FOREVER, 0));
	EXPECT_EQ(0, gosync_mutex_unlock(self->mutex));
	EXPECT_EQ(0, gosync_rwmutex_unlock(self->rwmutex));
	EXPECT_EQ(0, gosync_semaphore_count(self->semaphore));
}

/* What ends a wait for any, in the order of the entries */
enum {
	MUTEX, SEMAPHORE, WAITGROUP, VALUE, MAP, WORD, PIPE, ONCE, KINDS,
};

TEST_F(waiting, whatever_comes_first_ends_the_wait)
{
	uint64_t value, map;
	struct gosync_party party;
	int kind, pipes[2];
	char byte;
	pid_t pid;

	EXPECT_EQ(0, gosync_mutex_lock(self->mutex));
	EXPECT_EQ(0, gosync_waitgroup_add(self->wg, 1));
	ASSERT_EQ(0, pipe(pipes));
	for (kind = 0; kind < KINDS; kind++) {
		EXPECT_EQ(0, gosync_int32_store(self->words, 1, -5));
		EXPECT_EQ(0, gosync_value_version(self->value, &value));
		map = 0;
		EXPECT_EQ(0, gosync_map_wait(self->map, &map));
		pid = spawn();
		if (!pid) {
			struct gosync_wait_entry entries[] = {
				gosync_entry_mutex(self->mutex),
				gosync_entry_semaphore(self->semaphore, 2),
				gosync_entry_waitgroup(self->wg),
				gosync_entry_value(self->value, value),
				gosync_entry_map(self->map, map),
				gosync_entry_int32(self->words, 1, -5),
				gosync_entry_fd(pipes[0], POLLIN),
				gosync_entry_once(self->once),
			};

			EXPECT_EQ(kind, gosync_wait_any(entries, KINDS,
							GOSYNC_FOREVER, 0));
			EXPECT_EQ(kind == VALUE, entries[VALUE].value != value);
			EXPECT_EQ(kind == MAP, entries[MAP].value != map);
			EXPECT_EQ(kind == WORD ? 7 : (uint64_t)-5,
				  entries[WORD].value);
			EXPECT_EQ(kind == PIPE ? POLLIN : 0,
				  entries[PIPE].result);
			EXPECT_EQ(kind == MUTEX ? 0 : -EPERM,
				  gosync_mutex_recover(self->mutex));
			if (kind == MUTEX)
				EXPECT_EQ(0, gosync_mutex_unlock(self->mutex));
			_exit(0);
		}
		EXPECT_TRUE(eventually(info(self->once).waiters == 1));
		EXPECT_EQ(1, gosync_waiters(self->once, &party, 1));
		EXPECT_EQ(GOSYNC_PARTY_AMONG, party.flags);
		EXPECT_EQ(pid, party.pid);
		switch (kind) {
		case MUTEX:
			EXPECT_EQ(0, gosync_mutex_unlock(self->mutex));
			break;
		case SEMAPHORE:
			EXPECT_EQ(0, gosync_semaphore_release(self->semaphore,
							      1));
			EXPECT_EQ(1, info(self->semaphore).waiters);
			EXPECT_EQ(0, gosync_semaphore_release(self->semaphore,
							      1));
			break;
		case WAITGROUP:
			EXPECT_EQ(0, gosync_waitgroup_done(self->wg));
			break;
		case VALUE:
			EXPECT_EQ(0, store_text(self->value, "new"));
			break;
		case MAP:
			EXPECT_EQ(0, gosync_map_store(self->map, "key", 3, "1",
						      1));
			break;
		case WORD:
			EXPECT_EQ(0, gosync_int32_store(self->words, 1, 7));
			EXPECT_EQ(1, gosync_int32_wake(self->words, 1, 1));
			break;
		case PIPE:
			EXPECT_EQ(1, write(pipes[1], "", 1));
			break;
		case ONCE:
			EXPECT_EQ(GOSYNC_ONCE_RUN,
				  gosync_once_begin(self->once));
			EXPECT_EQ(1, info(self->once).waiters);
			EXPECT_EQ(0, gosync_once_done(self->once));
			break;
		}
		EXPECT_EQ(0, reap_soon(pid));
		if (kind == MUTEX)
			EXPECT_EQ(0, gosync_mutex_lock(self->mutex));
		if (kind == WAITGROUP)
			EXPECT_EQ(0, gosync_waitgroup_add(self->wg, 1));
		if (kind == PIPE)
			EXPECT_EQ(1, read(pipes[0], &byte, 1));
	}
	EXPECT_EQ(0, gosync_semaphore_count(self->semaphore));
	EXPECT_EQ(0, info(self->mutex).deaths);
}

TEST_F(waiting, what_has_changed_is_told_at_once)
{
	struct gosync_wait_entry entry;
	int pipes[2];

	EXPECT_EQ(0, store_text(self->value, "one"));
	entry = gosync_entry_value(self->value, 0);
	EXPECT_EQ(0, wait_one(&entry));
	EXPECT_EQ(1, entry.value);
	EXPECT_EQ(-ETIMEDOUT, wait_one(&entry));
	entry = gosync_entry_map(self->map, 0);
	EXPECT_EQ(0, wait_one(&entry));
	EXPECT_NE(0, entry.value);
	EXPECT_EQ(-ETIMEDOUT, wait_one(&entry));
	EXPECT_EQ(0, gosync_int32_store(self->words, 0, -5));
	entry = gosync_entry_int32(self->words, 0, 0);
	EXPECT_EQ(0, wait_one(&entry));
	EXPECT_EQ((uint64_t)-5, entry.value);
	EXPECT_EQ(-ETIMEDOUT, wait_one(&entry));
	ASSERT_EQ(0, pipe(pipes));
	entry = gosync_entry_fd(pipes[0], POLLIN);
	EXPECT_EQ(-ETIMEDOUT, wait_one(&entry));
	entry = gosync_entry_fd(pipes[1], POLLIN | POLLOUT);
	EXPECT_EQ(0, wait_one(&entry));
	EXPECT_EQ(POLLOUT, entry.result);
}

/* --- all ----------------------------------------------------------------- */

TEST_F(waiting, all_are_granted_or_none_is)
{
	struct gosync_wait_entry entries[] = {
		gosync_entry_mutex(self->mutex),
		gosync_entry_rwmutex_read(self->rwmutex),
		gosync_entry_semaphore(self->semaphore, 1),
		gosync_entry_waitgroup(self->wg),
	};

	EXPECT_EQ(-ETIMEDOUT, gosync_wait_all(entries, 4, soon(), 0));
	EXPECT_EQ(0, gosync_mutex_trylock(self->mutex));
	EXPECT_EQ(0, gosync_mutex_unlock(self->mutex));
	EXPECT_EQ(0, gosync_rwmutex_trylock(self->rwmutex));
	EXPECT_EQ(0, gosync_rwmutex_unlock(self->rwmutex));
	EXPECT_EQ(0, gosync_semaphore_release(self->semaphore, 1));
	EXPECT_EQ(0, gosync_wait_all(entries, 4, GOSYNC_FOREVER, 0));
	EXPECT_EQ(-EBUSY, gosync_mutex_trylock(self->mutex));
	EXPECT_EQ(1, info(self->rwmutex).readers);
	EXPECT_EQ(0, gosync_semaphore_count(self->semaphore));
	EXPECT_EQ(0, gosync_mutex_unlock(self->mutex));
	EXPECT_EQ(0, gosync_rwmutex_runlock(self->rwmutex));
}

/* --- a Value, a Map, a Once ---------------------------------------------- */

TEST_F(waiting, a_store_ends_the_wait_for_a_value)
{
	uint64_t version = 0;
	pid_t pid;
	int i;

	EXPECT_EQ(-ETIMEDOUT, gosync_value_wait_until(self->value, &version,
						      soon(), 0));
	EXPECT_EQ(0, version);
	for (i = 1; i <= 3; i++) {
		pid = spawn();
		if (!pid) {
			char text[64];
			size_t len = sizeof(text);

			EXPECT_EQ(0, gosync_value_wait(self->value, &version));
			EXPECT_EQ(i, version);
			EXPECT_EQ(0, gosync_value_load(self->value, text, &len,
						       NULL));
			EXPECT_EQ('0' + i, text[0]);
			_exit(0);
		}
		EXPECT_TRUE(eventually(info(self->value).waiters == 1));
		EXPECT_EQ(0, store_text(self->value, (char []){ '0' + i, 0 }));
		EXPECT_EQ(0, reap_soon(pid));
		EXPECT_EQ(0, gosync_value_wait(self->value, &version));
		EXPECT_EQ(i, version);
		EXPECT_EQ(-ETIMEDOUT,
			  gosync_value_wait_until(self->value, &version, soon(),
						  0));
	}
}

TEST_F(waiting, any_change_ends_the_wait_for_a_map)
{
	uint64_t version = 0;
	int i, ret = -1;

	EXPECT_EQ(0, gosync_map_wait(self->map, &version));
	EXPECT_NE(0, version);
	for (i = 0; i < 5; i++) {
		uint64_t now = version;
		pid_t pid;

		EXPECT_EQ(-ETIMEDOUT, gosync_map_wait_until(self->map, &now,
							    soon(), 0));
		EXPECT_EQ(version, now);
		pid = WAITER(self->map, gosync_map_wait(self->map, &now) ||
					now == version);
		/* That changes nothing. */
		EXPECT_EQ(0, gosync_map_delete(self->map, "none", 4));
		EXPECT_EQ(1, info(self->map).waiters);
		switch (i) {
		case 0:
			ret = gosync_map_store(self->map, "key", 3, "1", 1);
			break;
		case 1:
			ret = gosync_map_store(self->map, "key", 3, "2", 1);
			break;
		case 2:
			ret = gosync_map_delete(self->map, "key", 3) - 1;
			break;
		case 3:
			ret = gosync_map_load_or_store(self->map, "key", 3,
						       "3", 1, NULL, NULL);
			break;
		case 4:
			ret = gosync_map_clear(self->map);
			break;
		}
		EXPECT_EQ(0, ret);
		EXPECT_EQ(0, reap_soon(pid));
		now = version;
		EXPECT_EQ(0, gosync_map_wait(self->map, &now));
		EXPECT_NE(version, now);
		version = now;
	}
}

TEST_F(waiting, who_waits_for_a_once_never_runs_it)
{
	pid_t pid;

	EXPECT_EQ(-ETIMEDOUT, gosync_once_wait_until(self->once, soon(), 0));
	/* A runner that dies has done nothing. */
	pid = CHILD(gosync_once_begin(self->once));
	EXPECT_EQ(GOSYNC_ONCE_RUN, reap(pid));
	EXPECT_EQ(-ETIMEDOUT, gosync_once_wait_until(self->once, soon(), 0));
	pid = WAITER(self->once, gosync_once_wait(self->once));
	EXPECT_EQ(GOSYNC_ONCE_RUN_AGAIN, gosync_once_begin(self->once));
	EXPECT_EQ(0, gosync_once_done(self->once));
	EXPECT_EQ(0, reap_soon(pid));
	EXPECT_EQ(0, gosync_once_wait(self->once));
}

TEST_F(waiting, a_child_gets_it_for_itself)
{
	struct gosync_wait_entry entry = gosync_entry_mutex(self->mutex);
	const int device = gosync_device();
	pid_t pid;

	EXPECT_LE(0, device);
	EXPECT_EQ(device, gosync_device());
	EXPECT_EQ(0, gosync_mutex_lock(self->mutex));
	pid = spawn();
	if (!pid) {
		/* Made before or after: it is the child's handle. */
		EXPECT_EQ(entry.fd, gosync_entry_mutex(self->mutex).fd);
		EXPECT_EQ(device, gosync_device());
		EXPECT_EQ(-ETIMEDOUT, wait_one(&entry));
		store(self->shared, 1);
		EXPECT_EQ(0, gosync_wait_any(&entry, 1, GOSYNC_FOREVER, 0));
		EXPECT_EQ(info(self->mutex).holder, info(self->mutex).owner);
		_exit(0);
	}
	EXPECT_TRUE(eventually(load(self->shared) &&
			       info(self->mutex).waiters == 1));
	EXPECT_EQ(0, gosync_mutex_unlock(self->mutex));
	EXPECT_EQ(0, reap_soon(pid));
	/* And it is the child that died with it. */
	EXPECT_EQ(1, info(self->mutex).deaths);
	EXPECT_EQ(0, wait_one(&entry));
	EXPECT_EQ(1, entry.result);
}

/* --- what is refused ----------------------------------------------------- */

TEST_F(waiting, bad_arguments_are_refused)
{
	struct gosync_wait_entry entries[GOSYNC_WAIT_MAX + 1];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(entries); i++)
		entries[i] = gosync_entry_waitgroup(self->wg);
	EXPECT_EQ(-EINVAL, gosync_wait_any(entries, 0, soon(), 0));
	EXPECT_EQ(-EINVAL, gosync_wait_any(entries, ARRAY_SIZE(entries),
					   soon(), 0));
	EXPECT_EQ(0, gosync_wait_any(entries, GOSYNC_WAIT_MAX, soon(), 0));
	EXPECT_EQ(0, gosync_wait_all(entries, GOSYNC_WAIT_MAX, soon(), 0));
	/* One of the two is said by the function's name. */
	EXPECT_EQ(-EINVAL, gosync_wait_any(entries, 1, soon(),
					   GOSYNC_WAIT_ALL));
	entries[0] = gosync_entry_int32(self->words, 2, 0);
	EXPECT_EQ(-EINVAL, gosync_wait_any(entries, 2, soon(), 0));
	entries[0] = gosync_entry_int32(self->words, (size_t)-1, 0);
	EXPECT_EQ(-EINVAL, gosync_wait_any(entries, 2, soon(), 0));
	entries[0] = gosync_entry_fd(-1, POLLIN);
	EXPECT_EQ(-EBADF, gosync_wait_any(entries, 2, soon(), 0));
	entries[0] = gosync_entry(gosync_fd(self->map), GOSYNC_IOC_MUTEX_LOCK,
				  0, 0);
	EXPECT_EQ(-ENOTTY, gosync_wait_any(entries, 2, soon(), 0));
}

/* --- poll ---------------------------------------------------------------- */

static int readable(const void *object)
{
	struct pollfd pollfd = { .fd = gosync_fd(object), .events = POLLIN };

	return poll(&pollfd, 1, 0);
}

TEST_F(waiting, watch_says_what_is_waited_for)
{
	uint64_t version = 0;

	EXPECT_EQ(0, gosync_watch(self->semaphore, 0, 3));
	EXPECT_EQ(0, gosync_semaphore_release(self->semaphore, 2));
	EXPECT_EQ(0, readable(self->semaphore));
	EXPECT_EQ(0, gosync_semaphore_release(self->semaphore, 1));
	EXPECT_EQ(1, readable(self->semaphore));
	EXPECT_EQ(0, gosync_semaphore_acquire(self->semaphore, 2));
	EXPECT_EQ(0, readable(self->semaphore));
	EXPECT_EQ(0, gosync_unwatch(self->semaphore));
	EXPECT_EQ(1, readable(self->semaphore));

	EXPECT_EQ(0, readable(self->words));
	EXPECT_EQ(0, gosync_watch(self->words, 1, 0));
	EXPECT_EQ(0, readable(self->words));
	EXPECT_EQ(0, gosync_int32_store(self->words, 1, -1));
	EXPECT_EQ(1, readable(self->words));
	EXPECT_EQ(0, gosync_watch(self->words, 1, (uint64_t)-1));
	EXPECT_EQ(0, readable(self->words));
	EXPECT_EQ(0, gosync_watch(self->words, 0, 1));
	EXPECT_EQ(1, readable(self->words));
	EXPECT_EQ(0, gosync_unwatch(self->words));
	EXPECT_EQ(0, readable(self->words));
	EXPECT_EQ(-EINVAL, gosync_watch(self->words, 2, 0));
	EXPECT_EQ(-EINVAL, gosync_watch(self->words, (size_t)-1, 0));

	EXPECT_EQ(0, gosync_watch(self->value, 0, 0));
	EXPECT_EQ(0, readable(self->value));
	EXPECT_EQ(0, store_text(self->value, "new"));
	EXPECT_EQ(1, readable(self->value));
	EXPECT_EQ(0, gosync_map_wait(self->map, &version));
	EXPECT_EQ(0, gosync_watch(self->map, 0, version));
	EXPECT_EQ(0, readable(self->map));
	EXPECT_EQ(0, gosync_map_store(self->map, "key", 3, "1", 1));
	EXPECT_EQ(1, readable(self->map));
	/* By the holder that watches, and the library knows of the waiter. */
	EXPECT_EQ(0, gosync_watch(self->cond, 0, 0));
	EXPECT_EQ(0, readable(self->cond));
	EXPECT_EQ(0, gosync_cond_signal(self->cond));
	EXPECT_EQ(1, readable(self->cond));
}

TEST_HARNESS_MAIN
