// SPDX-License-Identifier: GPL-2.0-only
/*
 * What bindings for other languages are made of: walks without a callback, handles
 * made of handles, and opening with few system calls.
 */
#include <sys/ptrace.h>

#include "gosync_test.h"

enum { KEYS = 100 };

FIXTURE(map)
{
	gosync_map_t *map;
};

MAPPED_AND_IOCTL(map);

FIXTURE_SETUP(map)
{
	int i;

	self->map = NEW(gosync_map, variant->how, NULL);
	for (i = 0; i < KEYS; i++)
		ASSERT_EQ(0, gosync_map_store(self->map, &i, sizeof(i), "value",
					      i % 6));
}

TEST_F(map, a_cursor_shows_each_key_once)
{
	gosync_map_cursor_t *cursor;
	struct gosync_map_entry entry;
	int seen[KEYS] = {}, i, n, ret;

	ASSERT_EQ(0, gosync_map_begin(self->map, &cursor));
	for (n = 0; (ret = gosync_map_next(cursor, &entry)) == 1; n++) {
		ASSERT_EQ(sizeof(i), entry.key_len);
		memcpy(&i, entry.key, sizeof(i));
		ASSERT_TRUE(i >= 0 && i < KEYS);
		EXPECT_EQ(0, seen[i]++);
		ASSERT_EQ(i % 6, entry.len);
		EXPECT_EQ(0, memcmp(entry.value, "value", entry.len));
	}
	EXPECT_EQ(0, ret);
	EXPECT_EQ(KEYS, n);
	/* It stays at the end. */
	EXPECT_EQ(0, gosync_map_next(cursor, &entry));
	gosync_map_end(cursor);
	gosync_map_end(NULL);
}

/* Cursors do not disturb each other, nor what is done between two steps. */
TEST_F(map, goes_on_while_the_map_changes)
{
	gosync_map_cursor_t *cursor, *other;
	struct gosync_map_entry entry;
	int i, n = 0;

	ASSERT_EQ(0, gosync_map_begin(self->map, &cursor));
	ASSERT_EQ(0, gosync_map_begin(self->map, &other));
	while (gosync_map_next(cursor, &entry) == 1) {
		memcpy(&i, entry.key, sizeof(i));
		EXPECT_EQ(1, gosync_map_delete(self->map, &i, sizeof(i)));
		i += KEYS;
		EXPECT_EQ(0, gosync_map_store(self->map, &i, sizeof(i), "x", 1));
		n++;
	}
	/* What was created during the walk is none of its business. */
	EXPECT_EQ(KEYS, n);
	EXPECT_EQ(KEYS, gosync_map_len(self->map));
	EXPECT_EQ(0, gosync_map_clear(self->map));
	EXPECT_TRUE(gosync_map_next(other, &entry) >= 0);
	gosync_map_end(other);
	gosync_map_end(cursor);
}

TEST_F(map, ends_early_without_a_leak)
{
	struct gosync_map_entry entry;
	gosync_map_cursor_t *cursor;
	int fds = descriptors();

	ASSERT_EQ(0, gosync_map_begin(self->map, &cursor));
	EXPECT_EQ(1, gosync_map_next(cursor, &entry));
	gosync_map_end(cursor);
	EXPECT_EQ(fds, descriptors());
}

FIXTURE(handles)
{
	char *name;
	gosync_mutex_t *mutex;
};

MAPPED_AND_IOCTL(handles);

FIXTURE_SETUP(handles)
{
	self->name = unique_name();
	self->mutex = NEW_NAMED(gosync_mutex, self->name, variant->how);
}

TEST_F(handles, a_reopened_handle_is_another_holder)
{
	gosync_mutex_t *other = NULL, *reader = NULL;

	ASSERT_EQ(0, gosync_reopen(self->mutex, variant->how, &other));
	EXPECT_NE(info(self->mutex).holder, info(other).holder);
	EXPECT_EQ(info(self->mutex).id, info(other).id);
	EXPECT_EQ(!variant->how, gosync_is_mapped(other));
	EXPECT_EQ(0, gosync_mutex_lock(self->mutex));
	EXPECT_EQ(-EBUSY, gosync_mutex_trylock(other));
	/* A death of the one is told to the other. */
	gosync_close(self->mutex);
	EXPECT_EQ(1, gosync_mutex_lock(other));
	EXPECT_EQ(0, gosync_reopen(other, GOSYNC_RDONLY, &reader));
	EXPECT_EQ(-EBADF, gosync_mutex_trylock(reader));
	EXPECT_EQ(-EINVAL, gosync_reopen(other, GOSYNC_CREATE, &reader));
	/* No more rights than the old one */
	gosync_close(other);
	EXPECT_EQ(0, gosync_reopen(reader, 0, &other));
	EXPECT_EQ(-EBADF, gosync_mutex_trylock(other));
}

TEST_F(handles, goes_on_by_a_reopened_handle_once_broken)
{
	gosync_mutex_t *other = NULL;

	ASSERT_EQ(0, gosync_mutex_lock(self->mutex));
	ASSERT_EQ(0, gosync_break(self->mutex, info(self->mutex).holder));
	EXPECT_EQ(-ESTALE, gosync_mutex_unlock(self->mutex));
	ASSERT_EQ(0, gosync_reopen(self->mutex, variant->how, &other));
	EXPECT_EQ(1, gosync_mutex_lock(other));
	EXPECT_EQ(0, gosync_mutex_unlock(other));
}

TEST_F(handles, a_cursor_shows_each_holder_once)
{
	enum { N = 10 };
	gosync_mutex_t *others[N] = {};
	struct gosync_party parties[3];
	uint32_t seen[N + 1];
	uint64_t cursor = 0;
	int i, j, got, n = 0;

	for (i = 0; i < N; i++)
		ASSERT_EQ(0, gosync_reopen(self->mutex, variant->how, &others[i]));
	while ((got = gosync_holders_next(self->mutex, &cursor, parties, 3)) > 0) {
		for (i = 0; i < got; i++) {
			ASSERT_TRUE(n <= N);
			for (j = 0; j < n; j++)
				EXPECT_NE(seen[j], parties[i].holder);
			seen[n++] = parties[i].holder;
		}
	}
	EXPECT_EQ(0, got);
	EXPECT_EQ(N + 1, n);
	EXPECT_EQ(-EINVAL, gosync_holders_next(self->mutex, &cursor, parties, 0));
}

TEST_F(handles, a_cursor_shows_each_name_once)
{
	struct gosync_info infos[2];
	int i, got, found = 0;
	uint64_t cursor = 0;

	for (i = 0; i < 5; i++)
		NEW_NAMED(gosync_mutex, unique_name(), variant->how);
	while ((got = gosync_list_next(&cursor, infos, 2)) > 0)
		for (i = 0; i < got; i++)
			found += !strcmp((char *)infos[i].name, self->name);
	EXPECT_EQ(0, got);
	EXPECT_EQ(1, found);
}

TEST_F(handles, a_value_tells_its_capacity)
{
	size_t capacity = 0;

	EXPECT_EQ(0, gosync_value_capacity(NEW(gosync_value, variant->how, 1000),
					   &capacity));
	EXPECT_EQ(1000, capacity);
	EXPECT_EQ(0, gosync_value_capacity(NEW(gosync_value, variant->how, 0),
					   &capacity));
	EXPECT_EQ(4096, capacity);
}

/* In a child: how many system calls it makes to open an object; or 99 */
static int calls_to_open(const char *name, unsigned int how)
{
	gosync_mutex_t *mutex;
	int calls = -1, status;
	pid_t pid = spawn();

	if (!pid) {
		MUST(gosync_device() >= 0);
		MUST(!ptrace(PTRACE_TRACEME, 0, NULL, NULL));
		kill(getpid(), SIGSTOP);
		status = gosync_mutex_open(name, how, 0, &mutex);
		_exit(status ? 1 : 0);
	}
	MUST(waitpid(pid, &status, 0) == pid && WIFSTOPPED(status));
	while (!ptrace(PTRACE_SYSCALL, pid, NULL, NULL) &&
	       waitpid(pid, &status, 0) == pid && WIFSTOPPED(status))
		calls += WSTOPSIG(status) == SIGTRAP;
	/* Each has a beginning and an end, but exit(2). */
	return status ? 99 : calls / 2;
}

/* The page is mapped already, for another object on it. */
TEST_F(handles, two_system_calls_open_an_object)
{
	EXPECT_EQ(2, calls_to_open(self->name, variant->how));
}

TEST_HARNESS_MAIN
