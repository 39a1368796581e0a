// SPDX-License-Identifier: GPL-2.0-only
/*
 * Map: values by key that are found without a system call, hit or miss, as they
 * would be in a simple table.
 */
#include "gosync_test_map.h"

/* --- what it does -------------------------------------------------------- */

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

/* How many of the operations that change a key do not fail with @error */
static int others_than(gosync_map_t *map, const void *key, size_t n, int error)
{
	char old[4];
	size_t len = sizeof(old);

	return (gosync_map_store(map, key, n, "x", 1) != error) +
	       (gosync_map_load_or_store(map, key, n, "x", 1, old,
					 &len) != error) +
	       (gosync_map_load_and_delete(map, key, n, old, &len) != error) +
	       (gosync_map_delete(map, key, n) != error) +
	       (gosync_map_swap(map, key, n, "x", 1, old, &len) != error) +
	       (gosync_map_cas(map, key, n, "one", 3, "x", 1) != error) +
	       (gosync_map_compare_and_delete(map, key, n, "one", 3) != error) +
	       (len != sizeof(old));
}

#define EXPECT_SEEN(key, wanted)					\
do {									\
	struct gosync_peek __peek;					\
									\
	EXPECT_EQ(0, gosync_map_peek(self->map, key, strlen(key), &__peek)); \
	EXPECT_EQ(strlen(wanted), __peek.len);				\
	EXPECT_EQ(0, memcmp(wanted, __peek.data, strlen(wanted)));	\
	EXPECT_EQ(0, (uintptr_t)__peek.data % 8);			\
	EXPECT_EQ(0, __peek.type);					\
	EXPECT_EQ(1, gosync_peek_valid(&__peek));			\
} while (0)

TEST_F(map, values_are_seen_where_they_are)
{
	static const char *const keys[] = {
		"a", "seven b", "eight by", "sixteen bytes ok", "more than sixteen bytes",
	};
	struct gosync_peek peek, other;
	unsigned int i;

	if (variant->how) {
		EXPECT_EQ(-EOPNOTSUPP, gosync_map_peek(self->map, "a", 1, &peek));
		return;
	}
	for (i = 0; i < ARRAY_SIZE(keys); i++) {
		EXPECT_EQ(-ENODATA, gosync_map_peek(self->map, keys[i],
						    strlen(keys[i]), &peek));
		ASSERT_EQ(0, put(self->map, keys[i], keys[i]));
		EXPECT_SEEN(keys[i], keys[i]);
	}
	/* Valid until it is stored again or deleted, whatever becomes of others */
	ASSERT_EQ(0, gosync_map_peek(self->map, keys[0], 1, &peek));
	ASSERT_EQ(0, gosync_map_peek(self->map, keys[1], 7, &other));
	ASSERT_EQ(0, put(self->map, keys[1], "x"));
	EXPECT_EQ(1, gosync_peek_valid(&peek));
	EXPECT_EQ(0, gosync_peek_valid(&other));
	EXPECT_SEEN(keys[1], "x");
	EXPECT_EQ(1, gosync_map_delete(self->map, keys[0], 1));
	EXPECT_EQ(0, gosync_peek_valid(&peek));
	ASSERT_EQ(0, put(self->map, keys[0], ""));
	EXPECT_EQ(0, gosync_peek_valid(&peek));
	EXPECT_SEEN(keys[0], "");
	ASSERT_EQ(0, gosync_map_peek(self->map, keys[0], 1, &peek));
	ASSERT_EQ(0, gosync_map_clear(self->map));
	EXPECT_EQ(0, gosync_peek_valid(&peek));
	EXPECT_EQ(-ENODATA, gosync_map_peek(self->map, keys[0], 1, &peek));
}

/* A copy of the process gets what it needs for that at the first look. */
TEST_F(map, values_are_seen_where_they_are_in_a_child)
{
	struct gosync_peek peek;
	pid_t pid;

	ASSERT_EQ(0, put(self->map, "a", "one"));
	pid = fork();
	if (!pid) {
		int ret = gosync_map_peek(self->map, "a", 1, &peek);

		if (variant->how)
			_exit(ret != -EOPNOTSUPP);
		_exit(ret || peek.len != 3 || memcmp(peek.data, "one", 3) ||
		      !gosync_peek_valid(&peek));
	}
	EXPECT_EQ(0, reap(pid));
}

TEST_F(map, refuses_keys_that_are_too_short_or_too_long)
{
	static const size_t bad[] = {
		0, 65, 256, 1 << 16, (size_t)((1ULL << 32) + 1), (size_t)-1,
	};
	char key[65] = {}, old[4];
	struct gosync_peek peek;
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
		if (!variant->how)
			EXPECT_EQ(-EINVAL, gosync_map_peek(self->map, key, n,
							   &peek));
		EXPECT_EQ(4, len);
		EXPECT_EQ(0, others_than(self->map, key, n, -EINVAL));
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

	EXPECT_EQ(0, put(writer, "a", "one"));
	ASSERT_EQ(0, gosync_map_open(self->name, NULL, GOSYNC_RDONLY |
				     variant->how, 0, &self->map));
	EXPECT_EQ(!variant->how, gosync_is_mapped(self->map));
	EXPECT_EQ(0, others_than(self->map, "a", 1, -EBADF));
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
	EXPECT_EQ(0, reap_all(pids, 2));
	TH_LOG("%u walks", *walks);
	EXPECT_EQ(0, visits->wrong);
	EXPECT_EQ(0, twice);
	EXPECT_EQ(0, missed);
}

/* --- memory -------------------------------------------------------------- */

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
	const struct gosync_map_record *record;
	const struct gosync_map_page *page;
	char *at = map_raw(fd);
	uint32_t key;

	ASSERT_NE(NULL, at);
	page = (const void *)(at + info_of(fd).map_offset);
	for (key = 0; key < 1000; key++)
		ASSERT_EQ(0, gosync_map_store(self->map, &key, 4, &key, 4));
	gosync_close(self->map);
	/* Nobody has looked there yet. */
	for (key = 0; key < 1000; key++) {
		record = (const void *)(at + page->records +
					key * page->stride);
		ASSERT_EQ(4, record->key_len);
		ASSERT_EQ(0, memcmp(record + 1, &key, 4));
	}
}

/* --- compared with a simple one ------------------------------------------ */

/* Keys that a process alone has, and what it knows of them */
enum { MODEL_KEYS = 300 };

struct model {
	gosync_map_t *map;
	uint32_t first;
	uint64_t values[MODEL_KEYS];	/* 0: none */
};

static bool differs(struct model *model, uint64_t *seed)
{
	uint32_t i = random_u32(seed) % MODEL_KEYS;
	struct op op = {
		.what = random_u32(seed) % CLEAR, .key = model->first + i,
		.value = 1 + random_u32(seed) % 4,
		.expected = 1 + random_u32(seed) % 4,
	};

	run_op(model->map, &op);
	return !apply_to_key(&model->values[i], &op);
}

static bool differs_anywhere(struct model *model)
{
	uint32_t i;

	for (i = 0; i < MODEL_KEYS; i++) {
		struct op op = { .what = LOAD, .key = model->first + i };

		run_op(model->map, &op);
		if (!apply_to_key(&model->values[i], &op))
			return true;
	}
	return false;
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
	EXPECT_EQ(0, reap_all(pids, 3));
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
	/* Debug kernels have neither the time nor the memory. */
	uint64_t total = is_debug_kernel() ? 100000 : 1000000;
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

TEST_HARNESS_MAIN
