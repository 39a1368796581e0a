// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is gone from a Map or a Value cannot be read in its mapped pages, by who
 * opens it later: at once from a Map, after three more stores from a Value.
 */
#include "gosync_test.h"

static const char secret[] = "not for who comes later: 7f3a9c51";

FIXTURE(wiped)
{
	int fd;
	gosync_map_t *map;
	gosync_value_t *value;
	char keep[256];
};

MAPPED_AND_IOCTL(wiped);

FIXTURE_SETUP(wiped)
{
	memset(self->keep, 'k', sizeof(self->keep));
	memcpy(self->keep + 200, secret, sizeof(secret));
	self->map = NEW(gosync_map, variant->how, NULL);
	self->value = NEW(gosync_value, variant->how, 0);
}

/* Is it anywhere in what is mapped? Pages that aren't there yet are passed by. */
static bool is_seen(int fd)
{
	size_t page = getpagesize(), len = info_of(fd).map_len, done;
	char *at = mmap(NULL, len, PROT_READ, MAP_SHARED, fd, 0);
	int copy = memfd_create("copy", MFD_CLOEXEC);
	bool seen;
	char *all;

	if (at == MAP_FAILED || copy < 0 || ftruncate(copy, len))
		abort();
	for (done = 0; done < len; done += page)
		if (pwrite(copy, at + done, page, done) < 0 && errno != EFAULT)
			abort();
	munmap(at, len);
	all = mmap(NULL, len, PROT_READ, MAP_SHARED, copy, 0);
	if (all == MAP_FAILED)
		abort();
	seen = memmem(all, len, secret + sizeof(secret) - 17, 16);
	munmap(all, len);
	close(copy);
	return seen;
}

static void put_secrets(struct __test_metadata *_metadata,
			FIXTURE_DATA(wiped) *self)
{
	uint32_t i;

	for (i = 0; i < 100; i++)
		ASSERT_EQ(0, gosync_map_store(self->map, &i, 4, self->keep, 256));
	ASSERT_EQ(0, gosync_map_store(self->map, secret, sizeof(secret), "", 0));
	ASSERT_TRUE(is_seen(gosync_fd(self->map)));
}

TEST_F(wiped, what_is_deleted_from_a_map)
{
	char old[256];
	uint32_t i;
	size_t len;
	int ret = 0;

	put_secrets(_metadata, self);
	for (i = 0; i < 100; i++) {
		len = sizeof(old);
		switch (i % 3) {
		case 0:
			ret = gosync_map_delete(self->map, &i, 4);
			break;
		case 1:
			ret = !gosync_map_load_and_delete(self->map, &i, 4, old,
							  &len);
			break;
		case 2:
			ret = gosync_map_compare_and_delete(self->map, &i, 4,
							    self->keep, 256);
			break;
		}
		ASSERT_EQ(1, ret);
	}
	EXPECT_TRUE(is_seen(gosync_fd(self->map)));
	ASSERT_EQ(1, gosync_map_delete(self->map, secret, sizeof(secret)));
	EXPECT_FALSE(is_seen(gosync_fd(self->map)));
}

TEST_F(wiped, what_is_cleared_from_a_map)
{
	put_secrets(_metadata, self);
	ASSERT_EQ(0, gosync_map_clear(self->map));
	EXPECT_FALSE(is_seen(gosync_fd(self->map)));
	EXPECT_EQ(0, gosync_map_len(self->map));
}

TEST_F(wiped, what_is_stored_over_in_a_map)
{
	struct gosync_map_pair pair = { NULL, 4, "short", 5 };
	char old[256];
	uint32_t i;
	size_t len;
	int ret = 0;

	put_secrets(_metadata, self);
	ASSERT_EQ(1, gosync_map_delete(self->map, secret, sizeof(secret)));
	for (i = 0; i < 100; i++) {
		len = sizeof(old);
		switch (i % 4) {
		case 3:
			pair.key = &i;
			ret = !gosync_map_store_many(self->map, &pair, 1);
			break;
		case 0:
			ret = gosync_map_store(self->map, &i, 4, "short", i % 2);
			break;
		case 1:
			ret = gosync_map_swap(self->map, &i, 4, "", 0, old, &len);
			break;
		case 2:
			ret = gosync_map_cas(self->map, &i, 4, self->keep, 256,
					     self->keep, 200);
			break;
		}
		ASSERT_EQ(i % 4 ? 1 : 0, ret);
	}
	EXPECT_FALSE(is_seen(gosync_fd(self->map)));
}

/* While others use the records that Clear has dropped */
TEST_F(wiped, what_is_cleared_while_others_store)
{
	uint64_t end = end_of_budget();
	uint32_t key;
	pid_t pid;

	pid = spawn();
	if (!pid)
		for (key = 1000;; key = 1000 + (key + 1) % 200)
			if (gosync_map_store(self->map, &key, 4, "others", 6))
				_exit(1);
	do {
		for (key = 0; key < 100; key++)
			ASSERT_EQ(0, gosync_map_store(self->map, &key, 4,
						      self->keep, 256));
		ASSERT_EQ(0, gosync_map_clear(self->map));
		ASSERT_FALSE(is_seen(gosync_fd(self->map)));
	} while (budget_left(end));
	EXPECT_EQ(128 + SIGKILL, kill_and_reap(pid));
}

TEST_F(wiped, what_was_stored_in_a_value_three_stores_ago)
{
	char old[256];
	size_t len = sizeof(old);

	ASSERT_EQ(0, gosync_value_store(self->value, 1, self->keep, 256));
	ASSERT_TRUE(is_seen(gosync_fd(self->value)));
	ASSERT_EQ(0, gosync_value_store(self->value, 1, "a", 1));
	ASSERT_EQ(1, gosync_value_swap(self->value, 1, "b", 1, old, &len));
	ASSERT_EQ(1, gosync_value_cas(self->value, 1, "b", 1, 1, "", 0));
	ASSERT_EQ(0, gosync_value_store(self->value, 1, "", 0));
	EXPECT_FALSE(is_seen(gosync_fd(self->value)));
}

TEST_HARNESS_MAIN
