// SPDX-License-Identifier: GPL-2.0-only
/*
 * Map: values by key that are found without a system call, hit or miss, while
 * others store, delete, grow and clear.
 */
#include <sys/ptrace.h>
#include <sys/wait.h>
#include "gosync_test.h"

#define HASH_MASK	"/sys/module/gosync/parameters/map_hash_mask"

FIXTURE(map)
{
	char *name;
	gosync_map_t *map;
	char buf[512];
	size_t len;
};

static gosync_map_t *open_map(const char *name,
			      const struct gosync_map_limits *limits,
			      unsigned int flags)
{
	gosync_map_t *map;

	return gosync_map_open(name, limits, flags | GOSYNC_CREATE, 0600, &map) ?
		NULL : map;
}

MAPPED_AND_IOCTL(map);

FIXTURE_SETUP(map)
{
	self->name = unique_name();
	self->map = open_map(self->name, NULL, variant->how);
	ASSERT_NE(NULL, self->map);
	ASSERT_EQ(!variant->how, gosync_is_mapped(self->map));
}

FIXTURE_TEARDOWN(map)
{
}

/* Keys and values that are strings, without their ends */
static int put(gosync_map_t *map, const char *key, const char *value)
{
	return gosync_map_store(map, key, strlen(key), value, strlen(value));
}

static int get(FIXTURE_DATA(map) *self, const char *key)
{
	int ret;

	self->len = sizeof(self->buf) - 1;
	ret = gosync_map_load(self->map, key, strlen(key), self->buf,
			      &self->len);
	self->buf[ret ? 0 : self->len] = 0;
	return ret;
}

#define EXPECT_ENTRY(key, value)					\
do {									\
	EXPECT_EQ(0, get(self, key));					\
	EXPECT_STREQ(value, self->buf);					\
} while (0)

#define EXPECT_ABSENT(key)	EXPECT_EQ(-ENODATA, get(self, key))

/* Make the keys of Maps that are created from now on collide. */
static bool set_hash_mask(const char *mask)
{
	return !write_file(HASH_MASK, mask);
}

/* --- what it does -------------------------------------------------------- */

static int count_entry(const void *key, size_t key_len, const void *value,
		       size_t len, void *arg)
{
	++*(int *)arg;
	return 0;
}

static int count_entries(gosync_map_t *map)
{
	int count = 0;

	return gosync_map_range(map, count_entry, &count) ?: count;
}

TEST_F(map, is_ready_to_use_when_it_is_new)
{
	EXPECT_ABSENT("a");
	EXPECT_EQ(0, gosync_map_len(self->map));
	EXPECT_EQ(0, count_entries(self->map));
	EXPECT_EQ(0, gosync_map_delete(self->map, "a", 1));
	EXPECT_EQ(0, gosync_map_clear(self->map));
	EXPECT_EQ(0, info_of(gosync_fd(self->map)).word);
	EXPECT_EQ(4096, info_of(gosync_fd(self->map)).capacity);
	EXPECT_EQ(64, info_of(gosync_fd(self->map)).key_size);
	EXPECT_EQ(256, info_of(gosync_fd(self->map)).value_size);
}

TEST_F(map, load_gets_what_was_stored_last)
{
	EXPECT_EQ(0, put(self->map, "a", "one"));
	EXPECT_ENTRY("a", "one");
	EXPECT_ABSENT("b");
	EXPECT_ABSENT("aa");
	EXPECT_EQ(0, put(self->map, "b", "two"));
	EXPECT_EQ(0, put(self->map, "a", "three"));
	EXPECT_ENTRY("a", "three");
	EXPECT_ENTRY("b", "two");
	EXPECT_EQ(0, put(self->map, "a", ""));
	EXPECT_ENTRY("a", "");
	EXPECT_EQ(2, gosync_map_len(self->map));
	EXPECT_EQ(2, info_of(gosync_fd(self->map)).word);
}

TEST_F(map, keys_are_any_bytes_up_to_the_limit)
{
	unsigned char key[65] = {};
	unsigned int i, len;
	uint32_t value;

	for (len = 1; len <= 64; len++)
		ASSERT_EQ(0, gosync_map_store(self->map, key, len, &len, 4));
	for (i = 1; i < 256; i++) {
		key[0] = i;
		ASSERT_EQ(0, gosync_map_store(self->map, key, 1, &i, 4));
	}
	EXPECT_EQ(64 + 255, gosync_map_len(self->map));
	for (i = 1; i < 256; i++) {
		key[0] = i;
		self->len = sizeof(value);
		ASSERT_EQ(0, gosync_map_load(self->map, key, 1, &value,
					     &self->len));
		ASSERT_EQ(i, value);
	}
	key[0] = 0;
	for (len = 1; len <= 64; len++) {
		self->len = sizeof(value);
		ASSERT_EQ(0, gosync_map_load(self->map, key, len, &value,
					     &self->len));
		ASSERT_EQ(len, value);
	}
}

TEST_F(map, refuses_keys_that_are_too_short_or_too_long)
{
	static const size_t bad[] = {
		0, 65, 256, 1 << 16, (size_t)((1ULL << 32) + 1), (size_t)-1,
	};
	char key[65] = {}, old[4];
	unsigned int i;
	size_t len;

	/* Of 32 bits, as many as the key that is there has */
	ASSERT_EQ(0, gosync_map_store(self->map, key, 1, "one", 3));
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		size_t n = bad[i];

		if (n == 1)
			continue;
		len = sizeof(old);
		EXPECT_EQ(-EINVAL, gosync_map_load(self->map, key, n, old, &len));
		EXPECT_EQ(-EINVAL, gosync_map_store(self->map, key, n, "x", 1));
		EXPECT_EQ(-EINVAL, gosync_map_load_or_store(self->map, key, n,
							    "x", 1, old, &len));
		EXPECT_EQ(-EINVAL, gosync_map_load_and_delete(self->map, key, n,
							      old, &len));
		EXPECT_EQ(-EINVAL, gosync_map_delete(self->map, key, n));
		EXPECT_EQ(-EINVAL, gosync_map_swap(self->map, key, n, "x", 1,
						   old, &len));
		EXPECT_EQ(-EINVAL, gosync_map_cas(self->map, key, n, "one", 3,
						  "x", 1));
		EXPECT_EQ(-EINVAL, gosync_map_compare_and_delete(self->map, key,
								 n, "one", 3));
		EXPECT_EQ(4, len);
	}
	EXPECT_EQ(1, gosync_map_len(self->map));
	EXPECT_EQ(1, gosync_map_cas(self->map, key, 1, "one", 3, "two", 3));
}

TEST_F(map, values_are_as_long_as_they_are)
{
	char big[257], old[300];
	size_t len;
	int i;

	for (i = 0; i < 257; i++)
		big[i] = i * 7;
	EXPECT_EQ(0, gosync_map_store(self->map, "a", 1, big, 256));
	EXPECT_EQ(-EMSGSIZE, gosync_map_store(self->map, "a", 1, big, 257));
	EXPECT_EQ(-EMSGSIZE, gosync_map_store(self->map, "b", 1, big, (size_t)-1));
	len = 300;
	EXPECT_EQ(-EMSGSIZE, gosync_map_swap(self->map, "a", 1, big, 257, old,
					     &len));
	EXPECT_EQ(-EMSGSIZE, gosync_map_load_or_store(self->map, "b", 1, big, 257,
						      old, &len));
	EXPECT_EQ(-EMSGSIZE, gosync_map_cas(self->map, "a", 1, big, 256, big,
					    257));
	EXPECT_EQ(1, gosync_map_len(self->map));

	/* Who has too little room is told how much it takes. */
	memset(old, 0x5a, sizeof(old));
	len = 255;
	EXPECT_EQ(-EMSGSIZE, gosync_map_load(self->map, "a", 1, old, &len));
	EXPECT_EQ(256, len);
	len = 255;
	EXPECT_EQ(-EMSGSIZE, gosync_map_swap(self->map, "a", 1, "x", 1, old,
					     &len));
	EXPECT_EQ(256, len);
	len = 255;
	EXPECT_EQ(-EMSGSIZE, gosync_map_load_or_store(self->map, "a", 1, "x", 1,
						      old, &len));
	EXPECT_EQ(256, len);
	len = 0;
	EXPECT_EQ(-EMSGSIZE, gosync_map_load_and_delete(self->map, "a", 1, old,
							&len));
	EXPECT_EQ(256, len);
	EXPECT_EQ(0x5a, old[255]);
	len = 256;
	EXPECT_EQ(0, gosync_map_load(self->map, "a", 1, old, &len));
	EXPECT_EQ(256, len);
	EXPECT_EQ(0, memcmp(big, old, 256));
	EXPECT_EQ(0x5a, old[256]);
}

TEST_F(map, load_or_store_stores_only_what_is_absent)
{
	char old[8] = "unset";
	size_t len = sizeof(old);

	EXPECT_EQ(0, gosync_map_load_or_store(self->map, "a", 1, "one", 3, old,
					      &len));
	EXPECT_EQ(0, len);
	EXPECT_STREQ("unset", old);
	len = sizeof(old);
	EXPECT_EQ(1, gosync_map_load_or_store(self->map, "a", 1, "two", 3, old,
					      &len));
	EXPECT_EQ(3, len);
	EXPECT_EQ(0, memcmp("oneet", old, 5));
	EXPECT_ENTRY("a", "one");
	EXPECT_EQ(1, gosync_map_load_or_store(self->map, "a", 1, "two", 3, NULL,
					      NULL));
	EXPECT_EQ(0, gosync_map_load_or_store(self->map, "b", 1, "two", 3, NULL,
					      NULL));
	EXPECT_ENTRY("b", "two");
}

TEST_F(map, load_and_delete_gets_what_it_removes)
{
	char old[8];
	size_t len = sizeof(old);

	EXPECT_EQ(-ENODATA, gosync_map_load_and_delete(self->map, "a", 1, old,
						       &len));
	EXPECT_EQ(0, put(self->map, "a", "one"));
	EXPECT_EQ(0, put(self->map, "b", "two"));
	len = sizeof(old);
	EXPECT_EQ(0, gosync_map_load_and_delete(self->map, "a", 1, old, &len));
	EXPECT_EQ(3, len);
	EXPECT_EQ(0, memcmp("one", old, 3));
	EXPECT_ABSENT("a");
	EXPECT_EQ(0, gosync_map_load_and_delete(self->map, "b", 1, NULL, NULL));
	EXPECT_ABSENT("b");
	EXPECT_EQ(0, gosync_map_len(self->map));
}

TEST_F(map, delete_tells_whether_it_was_there)
{
	EXPECT_EQ(0, put(self->map, "a", "one"));
	EXPECT_EQ(0, put(self->map, "b", "two"));
	EXPECT_EQ(1, gosync_map_delete(self->map, "a", 1));
	EXPECT_EQ(0, gosync_map_delete(self->map, "a", 1));
	EXPECT_ABSENT("a");
	EXPECT_ENTRY("b", "two");
	EXPECT_EQ(0, put(self->map, "a", "three"));
	EXPECT_ENTRY("a", "three");
	EXPECT_EQ(2, gosync_map_len(self->map));
}

TEST_F(map, swap_returns_what_was_there)
{
	char old[8];
	size_t len = sizeof(old);

	EXPECT_EQ(0, gosync_map_swap(self->map, "a", 1, "one", 3, old, &len));
	EXPECT_EQ(0, len);
	len = sizeof(old);
	EXPECT_EQ(1, gosync_map_swap(self->map, "a", 1, "three", 5, old, &len));
	EXPECT_EQ(3, len);
	EXPECT_EQ(0, memcmp("one", old, 3));
	EXPECT_ENTRY("a", "three");
	EXPECT_EQ(1, gosync_map_swap(self->map, "a", 1, "", 0, NULL, NULL));
	EXPECT_ENTRY("a", "");
}

TEST_F(map, compare_operations_are_false_for_an_absent_key)
{
	EXPECT_EQ(0, gosync_map_cas(self->map, "a", 1, "", 0, "one", 3));
	EXPECT_EQ(0, gosync_map_compare_and_delete(self->map, "a", 1, "", 0));
	EXPECT_ABSENT("a");
	EXPECT_EQ(0, put(self->map, "a", "one"));
	EXPECT_EQ(1, gosync_map_delete(self->map, "a", 1));
	EXPECT_EQ(0, gosync_map_cas(self->map, "a", 1, "one", 3, "two", 3));
	EXPECT_EQ(0, gosync_map_compare_and_delete(self->map, "a", 1, "one", 3));
	EXPECT_EQ(0, gosync_map_len(self->map));
}

TEST_F(map, compare_operations_compare_every_byte)
{
	static const char *const others[] = { "", "on", "ones", "onf", "One" };
	unsigned int i;

	EXPECT_EQ(0, put(self->map, "a", "one"));
	for (i = 0; i < ARRAY_SIZE(others); i++) {
		size_t len = strlen(others[i]);

		EXPECT_EQ(0, gosync_map_cas(self->map, "a", 1, others[i], len,
					    "x", 1));
		EXPECT_EQ(0, gosync_map_compare_and_delete(self->map, "a", 1,
							   others[i], len));
		EXPECT_ENTRY("a", "one");
	}
	EXPECT_EQ(1, gosync_map_cas(self->map, "a", 1, "one", 3, "three", 5));
	EXPECT_ENTRY("a", "three");
	EXPECT_EQ(1, gosync_map_cas(self->map, "a", 1, "three", 5, "", 0));
	EXPECT_EQ(1, gosync_map_compare_and_delete(self->map, "a", 1, "", 0));
	EXPECT_ABSENT("a");
}

TEST_F(map, clear_removes_all)
{
	char key[8];
	int round, i;

	for (round = 0; round < 5; round++) {
		for (i = 0; i < 300 << round; i += 1 + round) {
			snprintf(key, sizeof(key), "%d", i);
			ASSERT_EQ(0, put(self->map, key, key));
		}
		EXPECT_LT(0, gosync_map_len(self->map));
		EXPECT_EQ(0, gosync_map_clear(self->map));
		EXPECT_EQ(0, gosync_map_len(self->map));
		EXPECT_EQ(0, count_entries(self->map));
		for (i = 0; i < 300 << round; i++) {
			snprintf(key, sizeof(key), "%d", i);
			ASSERT_EQ(-ENODATA, get(self, key));
		}
		EXPECT_EQ(0, put(self->map, "0", "zero"));
		EXPECT_EQ(1, count_entries(self->map));
		EXPECT_ENTRY("0", "zero");
	}
}

TEST_F(map, readers_only_read)
{
	gosync_map_t *writer = self->map;
	char old[8];
	size_t len = sizeof(old);

	EXPECT_EQ(0, put(writer, "a", "one"));
	ASSERT_EQ(0, gosync_map_open(self->name, NULL, GOSYNC_RDONLY |
				     variant->how, 0, &self->map));
	EXPECT_EQ(!variant->how, gosync_is_mapped(self->map));
	EXPECT_EQ(-EBADF, put(self->map, "a", "two"));
	EXPECT_EQ(-EBADF, gosync_map_load_or_store(self->map, "a", 1, "x", 1,
						   old, &len));
	EXPECT_EQ(-EBADF, gosync_map_load_and_delete(self->map, "a", 1, old,
						     &len));
	EXPECT_EQ(-EBADF, gosync_map_delete(self->map, "a", 1));
	EXPECT_EQ(-EBADF, gosync_map_swap(self->map, "a", 1, "x", 1, old, &len));
	EXPECT_EQ(-EBADF, gosync_map_cas(self->map, "a", 1, "one", 3, "x", 1));
	EXPECT_EQ(-EBADF, gosync_map_compare_and_delete(self->map, "a", 1,
							"one", 3));
	EXPECT_EQ(-EBADF, gosync_map_clear(self->map));
	EXPECT_ENTRY("a", "one");
	EXPECT_EQ(0, put(writer, "a", "two"));
	EXPECT_EQ(0, put(writer, "b", "three"));
	EXPECT_ENTRY("a", "two");
	EXPECT_ENTRY("b", "three");
	EXPECT_EQ(2, gosync_map_len(self->map));
	EXPECT_EQ(2, count_entries(self->map));
}

/* --- limits -------------------------------------------------------------- */

TEST_F(map, limits_are_those_it_was_created_with)
{
	const struct gosync_map_limits limits = { 10, 20, 30 };
	const struct gosync_map_limits same[] = {
		{ 0, 0, 0 }, { 10, 0, 0 }, { 0, 20, 0 }, { 0, 0, 30 },
		{ 10, 20, 30 },
	};
	const struct gosync_map_limits others[] = {
		{ 11, 0, 0 }, { 0, 21, 0 }, { 0, 0, 29 }, { 10, 20, 31 },
	};
	char *name = unique_name();
	gosync_map_t *map = open_map(name, &limits, variant->how), *again;
	struct gosync_info info = info_of(gosync_fd(map));
	unsigned int i;

	EXPECT_EQ(10, info.capacity);
	EXPECT_EQ(20, info.key_size);
	EXPECT_EQ(30, info.value_size);
	for (i = 0; i < ARRAY_SIZE(same); i++) {
		EXPECT_EQ(0, gosync_map_open(name, &same[i], variant->how, 0,
					     &again));
		gosync_close(again);
	}
	for (i = 0; i < ARRAY_SIZE(others); i++)
		EXPECT_EQ(-EPROTOTYPE, gosync_map_open(name, &others[i],
						       variant->how, 0, &again));
	EXPECT_EQ(-EPROTOTYPE, open_object(GOSYNC_VALUE, name, 0, 0));
	EXPECT_EQ(0, gosync_map_store(map, "12345678901234567890", 20,
				      "123456789012345678901234567890", 30));
	EXPECT_EQ(-EINVAL, gosync_map_store(map, "123456789012345678901", 21,
					    "", 0));
	EXPECT_EQ(-EMSGSIZE, gosync_map_store(map, "1", 1,
					      "1234567890123456789012345678901",
					      31));
}

TEST_F(map, limits_have_bounds)
{
	const struct gosync_map_limits good[] = {
		{ 1, 1, 1 }, { 4 << 20, 1, 1 }, { 4 << 20, 255, 65536 },
	};
	const struct gosync_map_limits bad[] = {
		{ (4 << 20) + 1, 0, 0 }, { -1, 0, 0 }, { 0, 256, 0 },
		{ 0, -1, 0 }, { 0, 0, 65537 }, { 0, 0, -1 },
	};
	gosync_map_t *map;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(good); i++) {
		map = open_map(NULL, &good[i], variant->how);
		ASSERT_NE(NULL, map);
		EXPECT_EQ(0, gosync_map_store(map, "k", 1, "v", 1));
		self->len = 1;
		EXPECT_EQ(0, gosync_map_load(map, "k", 1, self->buf, &self->len));
		EXPECT_EQ(1, count_entries(map));
		gosync_close(map);
	}
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		EXPECT_EQ(-EINVAL, gosync_map_open(NULL, &bad[i], GOSYNC_CREATE |
						   variant->how, 0600, &map));
}

TEST_F(map, a_full_one_refuses_new_keys_and_loses_nothing)
{
	const struct gosync_map_limits limits = { 100, 8, 8 };
	uint64_t key, value, old;
	size_t len;
	int round;

	self->map = open_map(NULL, &limits, variant->how);
	for (key = 0; key < 100; key++)
		ASSERT_EQ(0, gosync_map_store(self->map, &key, 8, &key, 8));
	for (round = 0; round < 300; round++) {
		uint64_t gone = (round * 7) % 100, new = 1000 + round;

		len = 8;
		ASSERT_EQ(-ENOSPC, gosync_map_store(self->map, &new, 8, &new, 8));
		ASSERT_EQ(-ENOSPC, gosync_map_swap(self->map, &new, 8, &new, 8,
						   &old, &len));
		ASSERT_EQ(-ENOSPC, gosync_map_load_or_store(self->map, &new, 8,
							    &new, 8, &old, &len));
		ASSERT_EQ(100, gosync_map_len(self->map));
		/* What is there can be stored over, */
		value = gone + round;
		ASSERT_EQ(0, gosync_map_store(self->map, &gone, 8, &value, 8));
		/* and what was deleted makes room. */
		ASSERT_EQ(1, gosync_map_delete(self->map, &gone, 8));
		ASSERT_EQ(0, gosync_map_store(self->map, &new, 8, &new, 8));
		ASSERT_EQ(1, gosync_map_delete(self->map, &new, 8));
		ASSERT_EQ(0, gosync_map_store(self->map, &gone, 8, &gone, 8));
	}
	for (key = 0; key < 100; key++) {
		len = 8;
		ASSERT_EQ(0, gosync_map_load(self->map, &key, 8, &value, &len));
		ASSERT_EQ(key, value);
	}
	EXPECT_EQ(100, count_entries(self->map));
}

TEST_F(map, bad_memory_changes_nothing)
{
	size_t page = getpagesize(), len;
	char *memory = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *bad = memory + page - 2;

	ASSERT_EQ(0, munmap(memory + page, page));
	EXPECT_EQ(0, put(self->map, "a", "one"));
	EXPECT_EQ(-EFAULT, gosync_map_store(self->map, bad, 4, "x", 1));
	EXPECT_EQ(-EFAULT, gosync_map_store(self->map, "a", 1, bad, 4));
	EXPECT_EQ(-EFAULT, gosync_map_store(self->map, "b", 1, bad, 4));
	len = 4;
	EXPECT_EQ(-EFAULT, gosync_map_swap(self->map, "a", 1, "x", 1, bad, &len));
	EXPECT_EQ(-EFAULT, gosync_map_swap(self->map, "a", 1, bad, 4, NULL,
					   NULL));
	EXPECT_EQ(-EFAULT, gosync_map_load_or_store(self->map, "a", 1, "x", 1,
						    bad, &len));
	EXPECT_EQ(-EFAULT, gosync_map_load_and_delete(self->map, "a", 1, bad,
						      &len));
	EXPECT_EQ(-EFAULT, gosync_map_delete(self->map, bad, 4));
	EXPECT_EQ(-EFAULT, gosync_map_cas(self->map, "a", 1, bad, 4, "x", 1));
	EXPECT_EQ(-EFAULT, gosync_map_cas(self->map, "a", 1, "one", 3, bad, 4));
	EXPECT_EQ(-EFAULT, gosync_map_compare_and_delete(self->map, "a", 1, bad,
							 4));
	EXPECT_ENTRY("a", "one");
	EXPECT_EQ(1, gosync_map_len(self->map));
}

/* --- walking ------------------------------------------------------------- */

enum { STABLE = 200 };

struct visits {
	gosync_map_t *map;
	int stop_after;
	int visited;
	int wrong;
	unsigned int seen[1 << 16];	/* by key */
};

static int visit(const void *key, size_t key_len, const void *value, size_t len,
		 void *arg)
{
	struct visits *visits = arg;
	uint32_t number;

	visits->visited++;
	memcpy(&number, key, 4);
	if (key_len != 4 || number >= ARRAY_SIZE(visits->seen) || len < 4 ||
	    memcmp(key, value, 4)) {
		visits->wrong++;
		return -EIO;
	}
	visits->seen[number]++;
	return visits->visited == visits->stop_after ? 77 : 0;
}

TEST_F(map, range_visits_each_key_once)
{
	struct visits *visits = calloc(1, sizeof(*visits));
	uint32_t key;

	for (key = 0; key < 3000; key++)
		ASSERT_EQ(0, gosync_map_store(self->map, &key, 4, &key, 4));
	for (key = 0; key < 3000; key += 3)
		ASSERT_EQ(1, gosync_map_delete(self->map, &key, 4));
	EXPECT_EQ(0, gosync_map_range(self->map, visit, visits));
	EXPECT_EQ(2000, visits->visited);
	for (key = 0; key < 3000; key++)
		ASSERT_EQ(key % 3 != 0, visits->seen[key]);

	visits->visited = 0;
	visits->stop_after = 10;
	EXPECT_EQ(77, gosync_map_range(self->map, visit, visits));
	EXPECT_EQ(10, visits->visited);
}

static int use_map(const void *key, size_t key_len, const void *value,
		   size_t len, void *arg)
{
	struct visits *visits = arg;
	uint32_t number, next;
	int ret = visit(key, key_len, value, len, arg);

	if (ret)
		return ret;
	memcpy(&number, key, 4);
	/* Others come, this one goes, comes back, and is not visited again. */
	next = number + 10000;
	if (next < 40000 &&
	    gosync_map_store(visits->map, &next, 4, &next, 4))
		return -EIO;
	if (gosync_map_delete(visits->map, &number, 4) != 1 ||
	    gosync_map_store(visits->map, &number, 4, &number, 4))
		return -EIO;
	/* A walk within the walk */
	if (visits->visited % 50 == 0 && count_entries(visits->map) < 100)
		return -EIO;
	return 0;
}

TEST_F(map, range_lets_its_callback_use_the_map)
{
	struct visits *visits = calloc(1, sizeof(*visits));
	uint32_t key;

	visits->map = self->map;
	for (key = 0; key < 100; key++)
		ASSERT_EQ(0, gosync_map_store(self->map, &key, 4, &key, 4));
	EXPECT_EQ(0, gosync_map_range(self->map, use_map, visits));
	for (key = 0; key < 100; key++)
		EXPECT_EQ(1, visits->seen[key]);
	for (; key < ARRAY_SIZE(visits->seen); key++)
		ASSERT_GE(1, visits->seen[key]);
	EXPECT_EQ(200, gosync_map_len(self->map));
}

static int clear_map(const void *key, size_t key_len, const void *value,
		     size_t len, void *arg)
{
	struct visits *visits = arg;

	if (!visits->visited && gosync_map_clear(visits->map))
		return -EIO;
	return visit(key, key_len, value, len, arg);
}

TEST_F(map, range_ends_with_a_clear_by_its_callback)
{
	struct visits *visits = calloc(1, sizeof(*visits));
	uint32_t key;

	visits->map = self->map;
	for (key = 0; key < 3000; key++)
		ASSERT_EQ(0, gosync_map_store(self->map, &key, 4, &key, 4));
	EXPECT_EQ(0, gosync_map_range(self->map, clear_map, visits));
	EXPECT_LE(1, visits->visited);
	for (key = 0; key < 3000; key++)
		ASSERT_GE(1, visits->seen[key]);
	EXPECT_EQ(0, count_entries(self->map));
}

/*
 * Others store over what stays, and add, delete and, by making the table grow
 * and shrink, have it rebuilt.
 */
TEST_F(map, range_under_writers_visits_what_stays_exactly_once)
{
	struct visits *visits = calloc(1, sizeof(*visits));
	uint64_t end = end_of_budget(), seed = random_seed();
	unsigned int *walks = shared_memory(4096);
	uint32_t key, value[16] = {};
	int i, twice = 0, missed = 0;
	pid_t pids[2];

	for (key = 0; key < STABLE; key++) {
		uint32_t filler = key + 1000;

		ASSERT_EQ(0, gosync_map_store(self->map, &filler, 4, &filler, 4));
		ASSERT_EQ(0, gosync_map_store(self->map, &key, 4, &key, 4));
	}
	for (i = 0; i < 2; i++) {
		pids[i] = spawn();
		if (pids[i])
			continue;
		for (seed += i; budget_left(end) || !load(walks);) {
			uint32_t r = random_u32(&seed);

			value[0] = r % STABLE;
			gosync_map_store(self->map, value, 4, value,
					 4 + r / STABLE % 60);
			value[0] = 1000 + (r >> 8) % (r & 1 ? 100 : 3000);
			if (r & 2)
				gosync_map_delete(self->map, value, 4);
			else
				gosync_map_store(self->map, value, 4, value, 4);
		}
		_exit(0);
	}
	do {
		memset(visits->seen, 0, sizeof(visits->seen));
		EXPECT_EQ(0, gosync_map_range(self->map, visit, visits));
		for (key = 0; key < ARRAY_SIZE(visits->seen); key++) {
			twice += visits->seen[key] > 1;
			missed += key < STABLE && !visits->seen[key];
		}
		add(walks, 1);
	} while (budget_left(end));
	for (i = 0; i < 2; i++)
		EXPECT_EQ(0, reap(pids[i]));
	TH_LOG("%u walks", *walks);
	EXPECT_EQ(0, visits->wrong);
	EXPECT_EQ(0, twice);
	EXPECT_EQ(0, missed);
}

/* --- memory -------------------------------------------------------------- */

static void *map_raw(int fd)
{
	void *at = mmap(NULL, info_of(fd).map_len, PROT_READ, MAP_SHARED, fd, 0);

	return at == MAP_FAILED ? NULL : at;
}

/* What a read there comes to: 0, or the signal */
static int touch(const volatile char *at)
{
	pid_t pid = spawn();
	int status;

	if (!pid)
		_exit(*at & 0);
	status = reap(pid);
	return status > 128 ? status - 128 : status;
}

TEST_F(map, pages_are_there_when_they_are_needed)
{
	int fd = gosync_fd(self->map);
	size_t len = info_of(fd).map_len, records = info_of(fd).map_data;
	char *at = map_raw(fd);

	ASSERT_NE(NULL, at);
	ASSERT_LT(records, len);
	EXPECT_EQ(0, touch(at));
	EXPECT_EQ(SIGBUS, touch(at + records));
	EXPECT_EQ(SIGBUS, touch(at + len - 1));
	EXPECT_EQ(0, put(self->map, "a", "one"));
	EXPECT_EQ(0, touch(at + records));
	EXPECT_EQ(SIGBUS, touch(at + len - 1));
	EXPECT_EQ(-1, mprotect(at, len, PROT_READ | PROT_WRITE));
	EXPECT_EQ(EACCES, errno);
	EXPECT_EQ(MAP_FAILED, mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED,
				   fd, 0));
	EXPECT_EQ(EACCES, errno);
	EXPECT_EQ(MAP_FAILED, mmap(NULL, len - getpagesize(), PROT_READ,
				   MAP_SHARED, fd, 0));
	EXPECT_EQ(EINVAL, errno);
}

TEST_F(map, mapping_survives_the_object)
{
	int fd = gosync_fd(self->map);
	const struct gosync_map_page *page = map_raw(fd);
	const struct gosync_map_record *record;
	uint32_t key;

	ASSERT_NE(NULL, page);
	for (key = 0; key < 1000; key++)
		ASSERT_EQ(0, gosync_map_store(self->map, &key, 4, &key, 4));
	gosync_close(self->map);
	/* Nobody has looked there yet. */
	for (key = 0; key < 1000; key++) {
		record = (const void *)((const char *)page + page->records +
					key * page->stride);
		ASSERT_EQ(4, record->key_len);
		ASSERT_EQ(0, memcmp(record + 1, &key, 4));
	}
}

/* --- several processes --------------------------------------------------- */

TEST_F(map, what_one_process_stores_another_finds)
{
	pid_t pid = spawn();
	gosync_map_t *other;

	if (!pid) {
		ASSERT_EQ(0, gosync_map_open(self->name, NULL, variant->how, 0,
					     &other));
		EXPECT_EQ(0, put(other, "theirs", "one"));
		/* The inherited handle, a holder of its own now */
		EXPECT_EQ(0, put(self->map, "inherited", "two"));
		EXPECT_EQ(1, gosync_map_delete(self->map, "inherited", 9));
		EXPECT_EQ(0, put(self->map, "inherited", "three"));
		_exit(0);
	}
	EXPECT_EQ(0, reap(pid));
	EXPECT_ENTRY("theirs", "one");
	EXPECT_ENTRY("inherited", "three");
	EXPECT_EQ(2, gosync_map_len(self->map));
}

TEST_F(map, is_passed_on_with_a_descriptor)
{
	int pair[2];
	pid_t pid;

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	EXPECT_EQ(0, put(self->map, "a", "one"));
	pid = spawn();
	if (!pid) {
		gosync_map_t *given;
		int fd;

		gosync_close(self->map);
		fd = receive_fd(pair[1]);
		ASSERT_EQ(0, gosync_map_from_fd(fd, variant->how, &given));
		EXPECT_EQ(!variant->how, gosync_is_mapped(given));
		self->map = given;
		EXPECT_ENTRY("a", "one");
		EXPECT_EQ(0, put(given, "b", "two"));
		_exit(0);
	}
	ASSERT_EQ(0, send_fd(pair[0], gosync_fd(self->map)));
	EXPECT_EQ(0, reap(pid));
	EXPECT_ENTRY("b", "two");
	EXPECT_EQ(-EPROTOTYPE, gosync_map_from_fd(open_object(GOSYNC_MUTEX, NULL, GOSYNC_CREATE,
							      0600), 0,
						  &self->map));
}

/* Where one process writes a flag after the map, nobody sees the flag alone. */
TEST_F(map, writes_happen_before_reads_that_observe_them)
{
	uint64_t end = end_of_budget();
	struct {
		uint32_t turn;
		unsigned int missed;
	} *shared = shared_memory(4096);
	uint32_t turn, value;
	pid_t pid = spawn();
	size_t len;

	if (!pid) {
		for (turn = 1; budget_left(end) || turn < 10; turn++) {
			uint32_t gone = turn - 5;

			gosync_map_store(self->map, &turn, 4, &turn, 4);
			gosync_map_store(self->map, "last", 4, &turn, 4);
			__atomic_store_n(&shared->turn, turn, __ATOMIC_RELEASE);
			if (turn > 5)
				gosync_map_delete(self->map, &gone, 4);
		}
		_exit(0);
	}
	do {
		turn = __atomic_load_n(&shared->turn, __ATOMIC_ACQUIRE);
		if (!turn)
			continue;
		len = 4;
		if (gosync_map_load(self->map, "last", 4, &value, &len) ||
		    value < turn)
			shared->missed++;
		len = 4;
		if (gosync_map_load(self->map, &turn, 4, &value, &len) &&
		    load(&shared->turn) < turn + 4)
			shared->missed++;
	} while (budget_left(end));
	EXPECT_EQ(0, reap(pid));
	EXPECT_LT(0, shared->turn);
	EXPECT_EQ(0, shared->missed);
}

/* A value for a key: any length, and every byte follows from the first ones. */
struct whole {
	uint32_t key;
	uint32_t seed;
	unsigned char rest[];
};

static size_t compose(void *buf, uint32_t key, uint64_t *seed, size_t max)
{
	size_t len = sizeof(struct whole), i;
	struct whole *whole = buf;

	whole->key = key;
	whole->seed = random_u32(seed);
	len += whole->seed % (max - len + 1);
	for (i = 0; i < len - sizeof(*whole); i++)
		whole->rest[i] = whole->seed + i * 31;
	return len;
}

static bool is_whole(const void *buf, size_t len, uint32_t key, size_t max)
{
	const struct whole *whole = buf;
	size_t i;

	if (len < sizeof(*whole) || whole->key != key ||
	    len != sizeof(*whole) + whole->seed % (max - sizeof(*whole) + 1))
		return false;
	for (i = 0; i < len - sizeof(*whole); i++)
		if (whole->rest[i] != (unsigned char)(whole->seed + i * 31))
			return false;
	return true;
}

/*
 * Tables are promoted all the time, growing and shrinking and of the same
 * size, while others load what stays.
 */
static void promote(struct __test_metadata *_metadata, gosync_map_t *map,
		    uint32_t keys, bool one_by_one)
{
	enum { READERS = 3, MAX = 200 };
	struct {
		unsigned int loads, missed, torn, ghosts, rounds;
	} *shared = shared_memory(4096);
	uint64_t end = end_of_budget(), seed = random_seed();
	char buf[MAX];
	uint32_t key, fresh, i;
	pid_t pids[READERS];
	size_t len;

	ASSERT_NE(NULL, map);
	for (key = 0; key < keys; key++) {
		len = compose(buf, key, &seed, MAX);
		ASSERT_EQ(0, gosync_map_store(map, &key, 4, buf, len));
	}
	for (i = 0; i < READERS; i++) {
		pids[i] = spawn();
		if (pids[i])
			continue;
		for (seed += i; budget_left(end) || !load(&shared->rounds);) {
			key = random_u32(&seed) % keys;
			len = sizeof(buf);
			if (gosync_map_load(map, &key, 4, buf, &len))
				add(&shared->missed, 1);
			else if (!is_whole(buf, len, key, MAX))
				add(&shared->torn, 1);
			/* And what was never there */
			key += 1 << 20;
			if (gosync_map_load(map, &key, 4, buf, &len) !=
			    -ENODATA)
				add(&shared->ghosts, 1);
			add(&shared->loads, 1);
		}
		_exit(0);
	}
	for (fresh = 1 << 30; one_by_one && budget_left(end); fresh++) {
		gosync_map_store(map, &fresh, 4, &fresh, 4);
		gosync_map_delete(map, &fresh, 4);
	}
	do {
		uint32_t count = 100 << random_u32(&seed) % 5;

		for (key = 1000; key < 1000 + count; key++)
			EXPECT_EQ(0, gosync_map_store(map, &key, 4, &key, 4));
		for (key = 1000; key < 1000 + count; key++)
			EXPECT_EQ(1, gosync_map_delete(map, &key, 4));
		/* Stored over, in place */
		for (key = 0; key < keys; key++) {
			len = compose(buf, key, &seed, MAX);
			EXPECT_EQ(0, gosync_map_store(map, &key, 4, buf, len));
		}
		add(&shared->rounds, 1);
	} while (budget_left(end));
	for (i = 0; i < READERS; i++)
		EXPECT_EQ(0, reap(pids[i]));
	TH_LOG("%u loads in %u rounds", shared->loads, shared->rounds);
	EXPECT_EQ(0, shared->missed);
	EXPECT_EQ(0, shared->torn);
	EXPECT_EQ(0, shared->ghosts);
	EXPECT_EQ(keys, gosync_map_len(map));
	EXPECT_EQ(keys, count_entries(map));
}

TEST_F(map, no_key_is_missed_while_tables_are_promoted)
{
	promote(_metadata, self->map, 150, false);
}

/*
 * Twins: entries come and go one by one, until tombstones fill the table and
 * the other one of its size takes over, and soon is filled again.
 */
TEST_F(map, no_key_is_missed_while_tables_take_turns)
{
	promote(_metadata, self->map, 190, true);
}

/*
 * A reader that stops before any of its instructions, while its table is
 * replaced twice, so that its memory is that of another one then, and the key
 * is in another place of it. The key is there all the time.
 */
static bool is_displaced(const struct gosync_map_page *page, uint32_t key)
{
	uint32_t hash = gosync_map_hash(page, page->table, &key, 4);
	uint64_t slot = page->small[page->table & 1][hash >> 26];

	return slot > GOSYNC_MAP_TOMBSTONE && slot >> 32 != hash;
}

static bool replace_table(gosync_map_t *map, const struct gosync_map_page *page,
			  uint32_t stays, uint32_t keys)
{
	uint64_t version = page->table >> GOSYNC_MAP_VERSION_SHIFT;
	uint32_t key;

	for (key = 0; key < keys; key++)
		if (key != stays)
			gosync_map_delete(map, &key, 4);
	for (; key < 100000; key++) {
		uint32_t old = key - 12;

		gosync_map_store(map, &key, 4, &key, 4);
		gosync_map_delete(map, &old, 4);
		gosync_map_store(map, &stays, 4, &stays, 4);
		if (page->table >> GOSYNC_MAP_VERSION_SHIFT >= version + 2)
			return !(page->table & GOSYNC_MAP_TABLE_MASK & ~1ULL);
	}
	return false;
}

/* Its exit status, or -1 if it did not come so far */
static int stop_reader_at(gosync_map_t *map, const struct gosync_map_page *page,
			  unsigned int step, uint32_t key, uint32_t keys,
			  bool *replaced)
{
	int status;
	pid_t pid = spawn();

	if (!pid) {
		uint32_t value;
		size_t len = 4;

		ptrace(PTRACE_TRACEME);
		raise(SIGSTOP);
		_exit(gosync_map_load(map, &key, 4, &value, &len) ? 1 :
		      value != key);
	}
	if (waitpid(pid, &status, 0) < 0 || !WIFSTOPPED(status))
		return -1;
	while (step--) {
		ptrace(PTRACE_SINGLESTEP, pid, NULL, NULL);
		if (waitpid(pid, &status, 0) < 0 || !WIFSTOPPED(status))
			return -1;
	}
	*replaced = replace_table(map, page, key, keys);
	ptrace(PTRACE_CONT, pid, NULL, NULL);
	return reap(pid);
}

TEST_F(map, a_reader_that_stops_anywhere_is_not_misled)
{
	enum { KEYS = 24 };
	const struct gosync_map_page *page;
	unsigned int step, stops = 0, replacements = 0;
	uint64_t seed = random_seed(), begun = now_ns(CLOCK_MONOTONIC), seconds;
	uint32_t key, displaced;
	int status = 0;

	/*
	 * Each look takes many instructions: some of them will do, fewer on a
	 * kernel where a step takes long.
	 */
	for (step = 0; !status && step < 5000;
	     step += 1 + random_u32(&seed) % (32 * (1 + seconds / 2))) {
		gosync_map_t *map = open_map(NULL, NULL, variant->how);
		bool replaced = false;

		ASSERT_NE(NULL, map);
		page = map_raw(gosync_fd(map));
		ASSERT_NE(NULL, page);
		displaced = 0;
		for (key = 0; key < KEYS; key++) {
			ASSERT_EQ(0, gosync_map_store(map, &key, 4, &key, 4));
			if (is_displaced(page, key))
				displaced = key;
		}
		status = stop_reader_at(map, page, step, displaced, KEYS,
					&replaced);
		/* Or it has ended already. */
		EXPECT_GE(0, status) {
			TH_LOG("missed when stopped after step %u", step);
		}
		seconds = (now_ns(CLOCK_MONOTONIC) - begun) / NSEC_PER_SEC;
		stops++;
		replacements += replaced;
		munmap((void *)page, info_of(gosync_fd(map)).map_len);
		gosync_close(map);
	}
	TH_LOG("%u steps, %u stops, %u replacements", step, stops, replacements);
	EXPECT_EQ(-1, status);
	EXPECT_LT(stops / 2, replacements);
}

struct storm {
	unsigned int wrong[8];		/* by what was */
	unsigned int loads;
	unsigned int changes;
	uint32_t max;
};

static int check_visit(const void *key, size_t key_len, const void *value,
		       size_t len, void *arg)
{
	struct storm *storm = arg;
	uint32_t number;

	memcpy(&number, key, 4);
	if (key_len != 4 || !is_whole(value, len, number, storm->max))
		add(&storm->wrong[0], 1);
	return 0;
}

/* One of everything, at random */
static void do_anything(gosync_map_t *map, struct storm *storm, uint64_t *seed,
			unsigned int keys, bool change, char *buf, char *old)
{
	uint32_t key = random_u32(seed) % keys;
	unsigned int what = random_u32(seed) % 64;
	size_t len, old_len = storm->max;
	int ret;

	if (!change) {
		len = storm->max;
		ret = gosync_map_load(map, &key, 4, buf, &len);
		if (ret ? ret != -ENODATA : !is_whole(buf, len, key, storm->max))
			add(&storm->wrong[1], 1);
		if (what == 0 && gosync_map_range(map, check_visit, storm))
			add(&storm->wrong[2], 1);
		add(&storm->loads, 1);
		return;
	}
	len = compose(buf, key, seed, storm->max);
	switch (what) {
	case 0:
		ret = gosync_map_clear(map);
		break;
	case 1 ... 10:
		ret = gosync_map_delete(map, &key, 4);
		break;
	case 11 ... 20:
		ret = gosync_map_load_and_delete(map, &key, 4, old, &old_len);
		if (!ret && !is_whole(old, old_len, key, storm->max))
			add(&storm->wrong[3], 1);
		break;
	case 21 ... 30:
		ret = gosync_map_swap(map, &key, 4, buf, len, old, &old_len);
		if (ret == 1 && !is_whole(old, old_len, key, storm->max))
			add(&storm->wrong[4], 1);
		break;
	case 31 ... 40:
		ret = gosync_map_load_or_store(map, &key, 4, buf, len, old,
					       &old_len);
		if (ret == 1 && !is_whole(old, old_len, key, storm->max))
			add(&storm->wrong[5], 1);
		break;
	case 41 ... 50:
		ret = gosync_map_load(map, &key, 4, old, &old_len);
		if (ret)
			break;
		ret = what & 1 ?
			gosync_map_cas(map, &key, 4, old, old_len, buf, len) :
			gosync_map_compare_and_delete(map, &key, 4, old, old_len);
		break;
	default:
		ret = gosync_map_store(map, &key, 4, buf, len);
		break;
	}
	if (ret < 0 && ret != -ENODATA)
		add(&storm->wrong[6], 1);
	add(&storm->changes, 1);
}

static void storm(struct __test_metadata *_metadata, unsigned int keys,
		  uint32_t max, unsigned int how)
{
	const struct gosync_map_limits limits = { keys, 4, max };
	struct storm *shared = shared_memory(sizeof(*shared));
	gosync_map_t *map = open_map(NULL, &limits, how);
	uint64_t end = end_of_budget(), seed;
	pid_t pids[5];
	int i;

	ASSERT_NE(NULL, map);
	shared->max = max;
	for (i = 0; i < 5; i++) {
		char *buf, *old;

		pids[i] = spawn();
		if (pids[i])
			continue;
		buf = malloc(max);
		old = malloc(max);
		seed = random_seed() + i;
		do {
			do_anything(map, shared, &seed, keys, i < 3, buf, old);
		} while (budget_left(end));
		_exit(0);
	}
	for (i = 0; i < 5; i++)
		EXPECT_EQ(0, reap(pids[i]));
	TH_LOG("%u loads, %u changes", shared->loads, shared->changes);
	for (i = 0; i < 8; i++)
		EXPECT_EQ(0, shared->wrong[i]) {
			TH_LOG("at %d", i);
		}
	EXPECT_EQ(gosync_map_len(map), count_entries(map));
	EXPECT_EQ(0, gosync_map_range(map, check_visit, shared));
	EXPECT_EQ(0, shared->wrong[0]);
}

TEST_F(map, no_value_is_torn_of_few_keys)
{
	storm(_metadata, 3, 64, variant->how);
}

TEST_F(map, no_value_is_torn_of_many_keys)
{
	storm(_metadata, 2000, 300, variant->how);
}

TEST_F(map, no_value_is_torn_of_64_kibibytes)
{
	storm(_metadata, 5, 65536, variant->how);
}

/* --- compared with a simple one ------------------------------------------ */

/* Keys that a process alone has, and what it knows of them */
enum { MODEL_KEYS = 300 };

struct model {
	gosync_map_t *map;
	uint32_t first;
	bool there[MODEL_KEYS];
	uint32_t values[MODEL_KEYS];
};

static int differs(struct model *model, uint64_t *seed)
{
	uint32_t i = random_u32(seed) % MODEL_KEYS, key = model->first + i;
	uint32_t new = random_u32(seed) % 4, other = random_u32(seed) % 4;
	uint32_t *value = &model->values[i], old = 99;
	bool was = model->there[i];
	size_t len = sizeof(old);
	int ret;

	switch (random_u32(seed) % 9) {
	case 0:
		ret = gosync_map_load(model->map, &key, 4, &old, &len);
		return ret != (was ? 0 : -ENODATA) || (was && old != *value);
	case 1:
		ret = gosync_map_store(model->map, &key, 4, &new, 4);
		model->there[i] = true;
		*value = new;
		return ret;
	case 2:
		ret = gosync_map_load_or_store(model->map, &key, 4, &new, 4,
					       &old, &len);
		model->there[i] = true;
		if (was)
			return ret != 1 || len != 4 || old != *value;
		*value = new;
		return ret || len;
	case 3:
		ret = gosync_map_load_and_delete(model->map, &key, 4, &old, &len);
		model->there[i] = false;
		return ret != (was ? 0 : -ENODATA) || (was && old != *value);
	case 4:
	case 5:
		model->there[i] = false;
		return gosync_map_delete(model->map, &key, 4) != was;
	case 6:
		ret = gosync_map_swap(model->map, &key, 4, &new, 4, &old, &len);
		if (ret != was || len != 4 * was || (was && old != *value))
			return 1;
		model->there[i] = true;
		*value = new;
		return 0;
	case 7:
		was = was && other == *value;
		if (was)
			*value = new;
		return gosync_map_cas(model->map, &key, 4, &other, 4, &new,
				      4) != was;
	default:
		was = was && other == *value;
		if (was)
			model->there[i] = false;
		return gosync_map_compare_and_delete(model->map, &key, 4, &other,
						     4) != was;
	}
}

static int differs_anywhere(struct model *model)
{
	uint32_t i, key, old;
	size_t len;
	int ret;

	for (i = 0; i < MODEL_KEYS; i++) {
		key = model->first + i;
		len = 4;
		ret = gosync_map_load(model->map, &key, 4, &old, &len);
		if (ret != (model->there[i] ? 0 : -ENODATA) ||
		    (!ret && old != model->values[i]))
			return 1;
	}
	return 0;
}

static void compare(struct __test_metadata *_metadata, unsigned int how)
{
	gosync_map_t *map = open_map(NULL, NULL, how);
	uint64_t end = end_of_budget();
	pid_t pids[3];
	long i;

	ASSERT_NE(NULL, map);
	for (i = 0; i < 3; i++) {
		struct model model = { .map = map, .first = i * MODEL_KEYS };
		uint64_t seed = random_seed() + i;
		int n = 0;

		pids[i] = spawn();
		if (pids[i])
			continue;
		do {
			if (differs(&model, &seed))
				_exit(1);
			if (++n % 1000 == 0 && differs_anywhere(&model))
				_exit(2);
		} while (budget_left(end));
		_exit(differs_anywhere(&model) ? 3 : 0);
	}
	for (i = 0; i < 3; i++)
		EXPECT_EQ(0, reap(pids[i]));
	i = gosync_map_len(map);
	EXPECT_EQ(i, count_entries(map));
}

TEST_F(map, behaves_like_a_simple_one)
{
	compare(_metadata, variant->how);
}

TEST_F(map, behaves_the_same_when_all_keys_collide)
{
	if (!set_hash_mask("0"))
		SKIP(return, "needs root");
	compare(_metadata, variant->how);
	set_hash_mask("0xffffffff");
}

TEST_F(map, behaves_the_same_when_many_keys_collide)
{
	if (!set_hash_mask("0x1f"))
		SKIP(return, "needs root");
	compare(_metadata, variant->how);
	set_hash_mask("0xffffffff");
}

TEST_F(map, holds_a_million_entries)
{
	/* The debug kernel has neither the time nor the memory. */
	uint64_t total = access("/sys/kernel/debug/kmemleak", F_OK) ? 1000000 :
								      100000;
	const struct gosync_map_limits limits = { total, 16, 8 };
	uint64_t key[2] = {}, value;
	int wrong = 0, count = 0;
	gosync_map_t *map;
	size_t len;

	map = open_map(NULL, &limits, variant->how);
	ASSERT_NE(NULL, map);
	for (key[1] = 0; key[1] < total; key[1]++)
		ASSERT_EQ(0, gosync_map_store(map, key, 16, &key[1], 8));
	EXPECT_EQ(-ENOSPC, gosync_map_store(map, key, 16, &key[1], 8));
	EXPECT_EQ(total, gosync_map_len(map));
	for (key[1] = 0; key[1] < total; key[1] += variant->how ? 10 : 1) {
		len = 8;
		wrong += gosync_map_load(map, key, 16, &value, &len) ||
			 value != key[1];
	}
	EXPECT_EQ(0, wrong);
	EXPECT_EQ(0, gosync_map_range(map, count_entry, &count));
	EXPECT_EQ(total, count);
	EXPECT_EQ(0, gosync_map_clear(map));
	EXPECT_EQ(0, gosync_map_len(map));
	EXPECT_EQ(0, count_entries(map));
}

/* --- death --------------------------------------------------------------- */

TEST_F(map, killed_writers_leave_whole_entries)
{
	enum { KEYS = 50, MAX = 256 };
	uint64_t end = end_of_budget(), seed = random_seed();
	struct storm *shared = shared_memory(sizeof(*shared));
	char buf[MAX], old[MAX];
	int i, kills = 0;
	uint32_t key;
	size_t len;
	pid_t pid;

	shared->max = MAX;
	do {
		pid = spawn();
		if (!pid) {
			seed = random_seed();
			for (;;)
				do_anything(self->map, shared, &seed, KEYS, true,
					    buf, old);
		}
		sleep_ns(random_u32(&seed) % (3 * NSEC_PER_MSEC));
		EXPECT_EQ(128 + SIGKILL, kill_and_reap(pid));
		kills++;
		for (i = 0; i < 20; i++)
			do_anything(self->map, shared, &seed, KEYS, i % 2, buf,
				    old);
	} while (budget_left(end));
	TH_LOG("%d killed, %u changes", kills, shared->changes);
	EXPECT_EQ(0, gosync_map_range(self->map, check_visit, shared));
	EXPECT_EQ(gosync_map_len(self->map), count_entries(self->map));
	for (key = 0; key < KEYS; key++) {
		len = compose(buf, key, &seed, MAX);
		EXPECT_EQ(0, gosync_map_store(self->map, &key, 4, buf, len));
	}
	EXPECT_EQ(KEYS, gosync_map_len(self->map));
	for (i = 0; i < 8; i++)
		EXPECT_EQ(0, shared->wrong[i]) {
			TH_LOG("at %d", i);
		}
}

/* --- linearizability ----------------------------------------------------- */

/*
 * What several processes did, and when each began and ended, is right if there
 * is one order of it, which keeps the order of what did not overlap, that a
 * simple map could have had (Wing and Gong: try all, and remember what has
 * been tried). Values are never stored twice, 0 is absent.
 */
enum {
	LOAD, STORE, LOAD_OR_STORE, LOAD_AND_DELETE, DELETE, SWAP, CAS,
	COMPARE_AND_DELETE, CLEAR, OPS
};

enum { PARTIES = 4, STEPS = 5, HISTORY = PARTIES * STEPS, KEYS = 2 };

struct op {
	uint64_t began, ended;
	uint32_t what, key, value, expected;
	uint32_t old;		/* what it saw, 0: nothing */
	int ret;
};

struct state {
	uint32_t values[KEYS];
};

/* Could the simple map have answered so? And what is it then? */
static bool apply(struct state *state, const struct op *op)
{
	uint32_t *now = &state->values[op->key], old = *now;

	switch (op->what) {
	case LOAD:
		return op->ret == (old ? 0 : -ENODATA) && op->old == old;
	case STORE:
		*now = op->value;
		return op->ret == 0;
	case LOAD_OR_STORE:
		*now = old ?: op->value;
		return op->ret == !!old && op->old == old;
	case LOAD_AND_DELETE:
		*now = 0;
		return op->ret == (old ? 0 : -ENODATA) && op->old == old;
	case DELETE:
		*now = 0;
		return op->ret == !!old;
	case SWAP:
		*now = op->value;
		return op->ret == !!old && op->old == old;
	case CAS:
		if (old && old == op->expected)
			*now = op->value;
		return op->ret == (old && old == op->expected);
	case COMPARE_AND_DELETE:
		if (old && old == op->expected)
			*now = 0;
		return op->ret == (old && old == op->expected);
	default:
		memset(state, 0, sizeof(*state));
		return op->ret == 0;
	}
}

/* What has been done, and the state, from where there is no way to the end */
struct tried {
	struct {
		uint32_t done;
		struct state state;
	} dead_ends[1 << 14];
	unsigned int count;
};

static bool is_dead_end(const struct tried *tried, uint32_t done,
			const struct state *state)
{
	unsigned int i;

	for (i = 0; i < tried->count; i++)
		if (tried->dead_ends[i].done == done &&
		    !memcmp(&tried->dead_ends[i].state, state, sizeof(*state)))
			return true;
	return false;
}

static bool has_order(const struct op *ops, unsigned int n, uint32_t done,
		      const struct state *state, struct tried *tried)
{
	uint64_t first_end = UINT64_MAX;
	unsigned int i;

	if (done == (1U << n) - 1)
		return true;
	if (is_dead_end(tried, done, state))
		return false;
	for (i = 0; i < n; i++)
		if (!(done >> i & 1) && ops[i].ended < first_end)
			first_end = ops[i].ended;
	for (i = 0; i < n; i++) {
		struct state next = *state;

		/* Not after one that had ended before it began */
		if (done >> i & 1 || ops[i].began > first_end)
			continue;
		if (apply(&next, &ops[i]) &&
		    has_order(ops, n, done | 1U << i, &next, tried))
			return true;
	}
	if (tried->count < ARRAY_SIZE(tried->dead_ends)) {
		tried->dead_ends[tried->count].done = done;
		tried->dead_ends[tried->count++].state = *state;
	}
	return false;
}

static bool is_linearizable(const struct op *ops, unsigned int n)
{
	static struct tried tried;
	struct state nothing = {};

	tried.count = 0;
	return has_order(ops, n, 0, &nothing, &tried);
}

/* Without a Clear, keys have nothing to do with each other. */
static bool is_linearizable_by_key(const struct op *ops, unsigned int n)
{
	struct op some[HISTORY];
	unsigned int key, i, count;

	for (key = 0; key < KEYS; key++) {
		for (i = count = 0; i < n; i++)
			if (ops[i].key == key)
				some[count++] = ops[i];
		if (!is_linearizable(some, count))
			return false;
	}
	return true;
}

TEST(checker_knows_right_from_wrong)
{
	/* began, ended, what, key, value, expected, old, ret */
	static const struct op right[][4] = {
		{ { 1, 2, STORE, 0, 7 }, { 3, 4, LOAD, 0, 0, 0, 7, 0 },
		  { 5, 6, CLEAR }, { 7, 8, LOAD, 0, 0, 0, 0, -ENODATA } },
		/* Overlapping, in either order */
		{ { 1, 9, STORE, 0, 7 }, { 2, 3, LOAD, 0, 0, 0, 0, -ENODATA },
		  { 4, 5, LOAD, 0, 0, 0, 7, 0 }, { 6, 7, DELETE, 0, .ret = 1 } },
		{ { 1, 9, STORE, 0, 7 }, { 1, 9, SWAP, 0, 8, 0, 7, 1 },
		  { 1, 9, CAS, 0, 9, 8, .ret = 1 }, { 1, 9, STORE, 1, 6 } },
		/* A Clear between two keys' stores */
		{ { 1, 2, STORE, 0, 7 }, { 3, 9, CLEAR },
		  { 4, 5, STORE, 1, 8 }, { 10, 11, LOAD, 1, 0, 0, 8, 0 } },
	};
	static const struct op wrong[][4] = {
		/* Lost */
		{ { 1, 2, STORE, 0, 7 }, { 3, 4, LOAD, 0, 0, 0, 0, -ENODATA },
		  { 5, 6, LOAD, 1, 0, 0, 0, -ENODATA }, { 7, 8, STORE, 1, 9 } },
		/* Back to what was before */
		{ { 1, 2, STORE, 0, 7 }, { 3, 9, STORE, 0, 8 },
		  { 4, 5, LOAD, 0, 0, 0, 8, 0 }, { 6, 7, LOAD, 0, 0, 0, 7, 0 } },
		/* Deleted twice */
		{ { 1, 2, STORE, 0, 7 }, { 3, 9, DELETE, 0, .ret = 1 },
		  { 3, 9, DELETE, 0, .ret = 1 }, { 10, 11, STORE, 1, 9 } },
		/* Two winners */
		{ { 1, 2, STORE, 0, 7 }, { 3, 9, CAS, 0, 8, 7, .ret = 1 },
		  { 3, 9, CAS, 0, 9, 7, .ret = 1 },
		  { 10, 11, LOAD, 0, 0, 0, 8, 0 } },
		/* Half a Clear: key 0 is gone before key 1 was loaded */
		{ { 1, 2, STORE, 0, 7 }, { 1, 2, STORE, 1, 8 },
		  { 3, 9, CLEAR }, { 10, 11, LOAD, 1, 0, 0, 8, 0 } },
		{ { 1, 2, STORE, 0, 7 }, { 3, 9, CLEAR },
		  { 4, 5, LOAD, 0, 0, 0, 0, -ENODATA },
		  { 6, 7, LOAD, 0, 0, 0, 7, 0 } },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(right); i++)
		EXPECT_TRUE(is_linearizable(right[i], 4)) {
			TH_LOG("history %u", i);
		}
	for (i = 0; i < ARRAY_SIZE(wrong); i++)
		EXPECT_FALSE(is_linearizable(wrong[i], 4)) {
			TH_LOG("history %u", i);
		}
	EXPECT_TRUE(is_linearizable_by_key(right[2], 4));
	for (i = 0; i < 4; i++)
		EXPECT_FALSE(is_linearizable_by_key(wrong[i], 4));
}

static void run_op(gosync_map_t *map, struct op *op)
{
	size_t len = sizeof(op->old);

	op->old = 0;
	op->began = now_ns(CLOCK_MONOTONIC);
	switch (op->what) {
	case LOAD:
		op->ret = gosync_map_load(map, &op->key, 4, &op->old, &len);
		break;
	case STORE:
		op->ret = gosync_map_store(map, &op->key, 4, &op->value, 4);
		break;
	case LOAD_OR_STORE:
		op->ret = gosync_map_load_or_store(map, &op->key, 4, &op->value,
						   4, &op->old, &len);
		break;
	case LOAD_AND_DELETE:
		op->ret = gosync_map_load_and_delete(map, &op->key, 4, &op->old,
						     &len);
		break;
	case DELETE:
		op->ret = gosync_map_delete(map, &op->key, 4);
		break;
	case SWAP:
		op->ret = gosync_map_swap(map, &op->key, 4, &op->value, 4,
					  &op->old, &len);
		break;
	case CAS:
		op->ret = gosync_map_cas(map, &op->key, 4, &op->expected, 4,
					 &op->value, 4);
		break;
	case COMPARE_AND_DELETE:
		op->ret = gosync_map_compare_and_delete(map, &op->key, 4,
							&op->expected, 4);
		break;
	default:
		op->ret = gosync_map_clear(map);
		break;
	}
	op->ended = now_ns(CLOCK_MONOTONIC);
	/* A value that was gone before it was got may have come there. */
	if (op->ret < 0 || !len)
		op->old = 0;
}

struct histories {
	unsigned int arrived;
	unsigned int stop;
	struct op ops[HISTORY];
};

/* A party's part in each round, as the parent says when */
static void take_part(gosync_map_t *map, struct histories *all, int me,
		      bool clears)
{
	uint64_t seed = random_seed() + me;
	uint32_t last[KEYS] = {}, value = me + 1;
	unsigned int round, i;

	for (round = 1;; round += 2) {
		meet(&all->arrived, PARTIES + 1, round);
		if (load(&all->stop))
			_exit(0);
		for (i = 0; i < STEPS; i++) {
			struct op *op = &all->ops[me * STEPS + i];

			memset(op, 0, sizeof(*op));
			op->key = random_u32(&seed) % KEYS;
			op->what = random_u32(&seed) %
				   (clears && !me ? OPS : CLEAR);
			op->value = value;
			op->expected = last[op->key];
			value += PARTIES;
			run_op(map, op);
			last[op->key] = op->old ?: op->value;
		}
		meet(&all->arrived, PARTIES + 1, round + 1);
	}
}

static void show(struct __test_metadata *_metadata, const struct op *ops)
{
	static const char *const names[OPS] = {
		"load", "store", "load or store", "load and delete", "delete",
		"swap", "cas", "compare and delete", "clear",
	};
	unsigned int i;

	for (i = 0; i < HISTORY; i++)
		TH_LOG("%u: %llu to %llu: %s key %u value %u expected %u: %d, %u",
		       i / STEPS, (unsigned long long)(ops[i].began - ops->began),
		       (unsigned long long)(ops[i].ended - ops->began),
		       names[ops[i].what], ops[i].key, ops[i].value,
		       ops[i].expected, ops[i].ret, ops[i].old);
}

static void histories(struct __test_metadata *_metadata, unsigned int how,
		      bool clears)
{
	struct histories *all = shared_memory(sizeof(*all));
	gosync_map_t *map = open_map(NULL, NULL, how);
	unsigned int round = 1, i, wrong = 0, others;
	uint64_t end = end_of_budget(), seed = 1;
	pid_t pids[PARTIES];

	ASSERT_NE(NULL, map);
	for (i = 0; i < PARTIES; i++) {
		pids[i] = spawn();
		if (!pids[i])
			take_part(map, all, i, clears);
	}
	do {
		meet(&all->arrived, PARTIES + 1, round++);
		/* Meanwhile tables are promoted, by keys that nobody loads. */
		for (i = 0; i < 20; i++) {
			others = 100 + random_u32(&seed) % 60;
			if (i & 1)
				gosync_map_store(map, &others, 4, &others, 4);
			else
				gosync_map_delete(map, &others, 4);
		}
		meet(&all->arrived, PARTIES + 1, round++);
		if (!(clears ? is_linearizable(all->ops, HISTORY) :
			       is_linearizable_by_key(all->ops, HISTORY)) &&
		    !wrong++)
			show(_metadata, all->ops);
		gosync_map_clear(map);
	} while (budget_left(end));
	store(&all->stop, 1);
	add(&all->arrived, 1);
	for (i = 0; i < PARTIES; i++)
		EXPECT_EQ(0, reap(pids[i]));
	TH_LOG("%u histories", round / 2);
	EXPECT_EQ(0, wrong);
}

TEST_F(map, histories_of_keys_are_linearizable)
{
	histories(_metadata, variant->how, false);
}

TEST_F(map, histories_with_clear_are_linearizable)
{
	histories(_metadata, variant->how, true);
}

TEST_F(map, histories_of_colliding_keys_are_linearizable)
{
	if (!set_hash_mask("0"))
		SKIP(return, "needs root");
	histories(_metadata, variant->how, false);
	set_hash_mask("0xffffffff");
}

TEST_HARNESS_MAIN
