// SPDX-License-Identifier: GPL-2.0-only
/*
 * Map: many keys are stored by one call. All of them are stored or none, in the
 * order of the pairs, and whoever waits for a change is told once.
 */
#include "gosync_test_map.h"

enum { MANY = GOSYNC_MAP_STORE_MAX };

#define PAIR(key_, value_)						\
	((struct gosync_map_pair) {					\
		.key = (key_), .key_len = strlen(key_),			\
		.buf = (value_), .len = strlen(value_),			\
	})

/* Keys are numbers from @first on, and each has itself as value. */
struct numbers {
	uint32_t key[MANY];
	struct gosync_map_pair pairs[MANY];
};

static void set_numbers(struct numbers *numbers, uint32_t first)
{
	unsigned int i;

	for (i = 0; i < MANY; i++) {
		numbers->key[i] = first + i;
		numbers->pairs[i] = (struct gosync_map_pair) {
			.key = &numbers->key[i], .key_len = 4,
			.buf = &numbers->key[i], .len = 4,
		};
	}
}

/* How many of the keys from @first to @end do not have the value that they are */
static unsigned int wrong_numbers(gosync_map_t *map, uint32_t first, uint32_t end)
{
	unsigned int wrong = 0;
	uint32_t key, value;
	size_t len;

	for (key = first; key < end; key++) {
		len = sizeof(value);
		wrong += gosync_map_load(map, &key, 4, &value, &len) ||
			 len != 4 || value != key;
	}
	return wrong;
}

/* --- what it does -------------------------------------------------------- */

TEST_F(map, all_pairs_are_there_afterwards)
{
	char longer[256];
	struct gosync_map_pair pairs[] = {
		PAIR("a", "one"), PAIR("b", ""), PAIR("eight by", "two"),
		PAIR("more than sixteen bytes", "three"),
		{ "c", 1, longer, sizeof(longer) }, PAIR("d", "four"),
	};

	memset(longer, 'l', sizeof(longer));
	EXPECT_EQ(0, put(self->map, "a", "longer than one"));
	EXPECT_EQ(0, put(self->map, "eight by", "x"));
	EXPECT_EQ(0, put(self->map, "other", "stays"));
	EXPECT_EQ(0, gosync_map_store_many(self->map, pairs, ARRAY_SIZE(pairs)));
	EXPECT_ENTRY("a", "one");
	EXPECT_ENTRY("b", "");
	EXPECT_ENTRY("eight by", "two");
	EXPECT_ENTRY("more than sixteen bytes", "three");
	EXPECT_EQ(0, get(self, "c"));
	EXPECT_EQ(sizeof(longer), self->len);
	EXPECT_EQ(0, memcmp(longer, self->buf, sizeof(longer)));
	EXPECT_ENTRY("d", "four");
	EXPECT_ENTRY("other", "stays");
	EXPECT_EQ(7, gosync_map_len(self->map));
	EXPECT_EQ(7, count_entries(self->map));
	EXPECT_EQ(1, gosync_map_delete(self->map, "d", 1));
	EXPECT_ABSENT("d");
}

TEST_F(map, the_last_pair_of_a_key_wins)
{
	struct gosync_map_pair pairs[] = {
		PAIR("old", "1"), PAIR("new", "2"), PAIR("new", "3"),
		PAIR("newer", "4"), PAIR("old", "5"), PAIR("new", "6"),
		PAIR("newer", "7"), PAIR("new", "8"),
	}, same[MANY];
	uint32_t i, values[MANY];

	EXPECT_EQ(0, put(self->map, "old", "0"));
	EXPECT_EQ(0, gosync_map_store_many(self->map, pairs, ARRAY_SIZE(pairs)));
	EXPECT_ENTRY("old", "5");
	EXPECT_ENTRY("new", "8");
	EXPECT_ENTRY("newer", "7");
	EXPECT_EQ(3, gosync_map_len(self->map));
	EXPECT_EQ(3, count_entries(self->map));
	EXPECT_EQ(1, gosync_map_delete(self->map, "new", 3));
	EXPECT_ABSENT("new");

	for (i = 0; i < MANY; i++) {
		values[i] = i;
		same[i] = (struct gosync_map_pair) { "same", 4, &values[i], 4 };
	}
	EXPECT_EQ(0, gosync_map_store_many(self->map, same, MANY));
	EXPECT_EQ(0, get(self, "same"));
	EXPECT_EQ(0, memcmp(&values[MANY - 1], self->buf, 4));
	EXPECT_EQ(3, count_entries(self->map));
}

/* More new keys than the table has room for, also where others were deleted */
TEST_F(map, it_grows_while_many_are_stored)
{
	struct numbers numbers;
	uint32_t first, key;
	int round;

	for (round = 0; round < 4; round++) {
		for (first = 0; first < 4096; first += MANY) {
			set_numbers(&numbers, first);
			ASSERT_EQ(0, gosync_map_store_many(self->map,
							   numbers.pairs, MANY));
			ASSERT_EQ(0, wrong_numbers(self->map, 0, first + MANY));
			ASSERT_EQ(first + MANY, gosync_map_len(self->map));
		}
		EXPECT_EQ(4096, count_entries(self->map));
		for (key = 0; key < 4096; key++)
			if (round % 2)
				ASSERT_EQ(1, gosync_map_delete(self->map, &key, 4));
		ASSERT_EQ(0, gosync_map_clear(self->map));
		EXPECT_EQ(4096, wrong_numbers(self->map, 0, 4096));
	}
}

/*
 * Where keys are too far from their place, what is reserved is given back, and
 * another table is filled.
 */
static void collide(struct __test_metadata *_metadata, unsigned int how,
		    const char *mask)
{
	const struct gosync_map_limits limits = { 5 * MANY, 4, 4 };
	const struct gosync_map_page *page;
	struct numbers numbers;
	gosync_map_t *map;
	uint32_t first, key;
	int round;

	if (!set_hash_mask(mask))
		SKIP(return, "needs root");
	map = open_map(NULL, &limits, how);
	set_hash_mask("0xffffffff");
	ASSERT_NE(NULL, map);
	page = map_raw(gosync_fd(map));
	ASSERT_NE(NULL, page);
	for (round = 0; round < 5; round++) {
		for (first = 0; first < 5 * MANY; first += MANY) {
			set_numbers(&numbers, first);
			EXPECT_EQ(0, gosync_map_store_many(map, numbers.pairs,
							   MANY));
			EXPECT_EQ(0, wrong_numbers(map, 0, first + MANY));
		}
		EXPECT_EQ(5 * MANY, count_entries(map));
		/* No record is lost. */
		EXPECT_EQ(5 * MANY, page->used);
		for (key = 0; key < 5 * MANY; key++)
			EXPECT_EQ(1, gosync_map_delete(map, &key, 4));
		EXPECT_EQ(0, gosync_map_len(map));
	}
}

TEST_F(map, many_keys_may_collide)
{
	collide(_metadata, variant->how, "0");
}

TEST_F(map, some_of_many_keys_may_collide)
{
	collide(_metadata, variant->how, "0x20000000");
}

/* --- all or none --------------------------------------------------------- */

static uint64_t version_of(gosync_map_t *map)
{
	uint64_t version = 0;

	return gosync_map_wait(map, &version) ? 0 : version;
}

/* Everybody who waits for a change is woken, and the version is the next one. */
TEST_F(map, waiters_are_told_of_many_once)
{
	uint64_t version = version_of(self->map), after;
	struct numbers numbers;
	pid_t pid = spawn();

	if (!pid)
		_exit(gosync_map_wait(self->map, &version) ||
		      wrong_numbers(self->map, 0, MANY));
	ASSERT_TRUE(eventually(info_of(gosync_fd(self->map)).waiters == 1));
	set_numbers(&numbers, 0);
	EXPECT_EQ(0, gosync_map_store_many(self->map, numbers.pairs, MANY));
	EXPECT_EQ(0, reap(pid));
	after = version_of(self->map);
	EXPECT_EQ(version + 1, after);
	EXPECT_EQ(-EINVAL, gosync_map_store_many(self->map, numbers.pairs, 0));
	EXPECT_EQ(after, version_of(self->map));
}

/* Some keys that are there, others that are new, and the last one is wrong. */
TEST_F(map, what_is_wrong_with_one_of_many_changes_nothing)
{
	static char big[257];
	size_t page = getpagesize();
	char *memory = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *bad = memory + page - 2;
	/* Of 32 bits, as many as a key may have */
	const size_t longer = sizeof(size_t) > 4 ? (1ULL << 32) + 1 : 256;
	const struct {
		struct gosync_map_pair pair;
		int error;
	} rows[] = {
		{ { bad, 4, "x", 1 }, -EFAULT },
		{ { NULL, 4, "x", 1 }, -EFAULT },
		{ { "a", 1, bad, 4 }, -EFAULT },
		{ { "new", 3, bad, 250 }, -EFAULT },
		{ { "a", 1, NULL, 1 }, -EFAULT },
		{ { big, 0, "x", 1 }, -EINVAL },
		{ { big, 65, "x", 1 }, -EINVAL },
		{ { "a", longer, "x", 1 }, -EINVAL },
		{ { "a", (size_t)-1, "x", 1 }, -EINVAL },
		{ { "a", 1, big, 257 }, -EMSGSIZE },
		{ { "a", 1, big, (size_t)-1 }, -EMSGSIZE },
	};
	struct gosync_map_store_many_args args = {
		.size = sizeof(args), .count = 1,
		.item_size = sizeof(struct gosync_map_store_item),
	};
	struct gosync_map_pair pairs[MANY + 1];
	uint64_t version = version_of(self->map);
	struct numbers numbers;
	unsigned int i, count;

	ASSERT_EQ(0, munmap(memory + page, page));
	EXPECT_EQ(0, put(self->map, "a", "one"));
	EXPECT_EQ(0, put(self->map, "b", "two"));
	version = version_of(self->map);
	set_numbers(&numbers, 0);
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		count = i % 2 ? MANY : 5;
		memcpy(pairs, numbers.pairs, sizeof(numbers.pairs));
		pairs[0] = PAIR("b", "another");
		pairs[2] = PAIR("a", "");
		pairs[count - 1] = rows[i].pair;
		EXPECT_EQ(rows[i].error,
			  gosync_map_store_many(self->map, pairs, count))
			TH_LOG("row %u", i);
	}
	EXPECT_EQ(-EINVAL, gosync_map_store_many(self->map, pairs, 0));
	EXPECT_EQ(-EINVAL, gosync_map_store_many(self->map, pairs, MANY + 1));
	EXPECT_EQ(-EINVAL, gosync_map_store_many(self->map, pairs, UINT32_MAX));
	/* The last of the items themselves is not there. */
	args.items = to_u64(memory + page - sizeof(struct gosync_map_store_item));
	*(struct gosync_map_store_item *)(uintptr_t)args.items =
		(struct gosync_map_store_item) {
			.key = to_u64("a"), .key_len = 1,
			.buf = to_u64("x"), .len = 1,
		};
	args.count = 2;
	EXPECT_EQ(-EFAULT, call(gosync_fd(self->map), GOSYNC_IOC_MAP_STORE_MANY,
				&args));
	EXPECT_ENTRY("a", "one");
	EXPECT_ENTRY("b", "two");
	EXPECT_EQ(2, gosync_map_len(self->map));
	EXPECT_EQ(2, count_entries(self->map));
	EXPECT_EQ(MANY, wrong_numbers(self->map, 0, MANY));
	EXPECT_EQ(version, version_of(self->map));
	args.count = 1;
	EXPECT_EQ(0, call(gosync_fd(self->map), GOSYNC_IOC_MAP_STORE_MANY,
			  &args));
	EXPECT_ENTRY("a", "x");
}

TEST_F(map, readers_do_not_store_many)
{
	struct gosync_map_pair pair = PAIR("a", "two");

	EXPECT_EQ(0, put(self->map, "a", "one"));
	ASSERT_EQ(0, gosync_map_open(self->name, NULL, GOSYNC_RDONLY |
				     variant->how, 0, &self->map));
	EXPECT_EQ(-EBADF, gosync_map_store_many(self->map, &pair, 1));
	EXPECT_ENTRY("a", "one");
}

/* What is refused for want of room takes none for ever, either. */
TEST_F(map, a_full_one_refuses_all_of_many)
{
	const struct gosync_map_limits limits = { 100, 4, 4 };
	struct numbers numbers;
	uint32_t key = 50, i;
	int round;

	self->map = open_map(NULL, &limits, variant->how);
	set_numbers(&numbers, 0);
	EXPECT_EQ(0, gosync_map_store_many(self->map, numbers.pairs, MANY));
	for (round = 0; round < 200; round++) {
		/* 27 are there, and the other 37 are one too many. */
		set_numbers(&numbers, 37);
		ASSERT_EQ(-ENOSPC, gosync_map_store_many(self->map,
							 numbers.pairs, MANY));
		ASSERT_EQ(MANY, gosync_map_len(self->map));
		ASSERT_EQ(0, wrong_numbers(self->map, 0, MANY));
		ASSERT_EQ(MANY, wrong_numbers(self->map, MANY, 2 * MANY));
		/* A key counts once, however often it is there. */
		memcpy(&numbers.key[MANY - 1], &key, 4);
		for (i = 1; i < 20; i++)
			numbers.key[i] = 99;
		ASSERT_EQ(0, gosync_map_store_many(self->map, numbers.pairs,
						   MANY));
		ASSERT_EQ(100, gosync_map_len(self->map));
		ASSERT_EQ(0, wrong_numbers(self->map, 0, 100));
		/* What is there can be stored over. */
		set_numbers(&numbers, round % 37);
		ASSERT_EQ(0, gosync_map_store_many(self->map, numbers.pairs,
						   MANY));
		for (i = MANY; i < 100; i++)
			ASSERT_EQ(1, gosync_map_delete(self->map, &i, 4));
	}
	EXPECT_EQ(MANY, count_entries(self->map));
}

/* --- several processes --------------------------------------------------- */

/* So long that others often look in the middle of a call */
struct whole {
	uint32_t round[4096];
};

/* All keys get the same value, a greater one each time. */
static void store_rounds(gosync_map_t *map, uint32_t *round)
{
	static struct whole whole;
	struct numbers numbers;
	unsigned int i;

	set_numbers(&numbers, 0);
	for (i = 0; i < MANY; i++) {
		numbers.pairs[i].buf = &whole;
		numbers.pairs[i].len = sizeof(whole);
	}
	for (;;) {
		for (i = 0; i < ARRAY_SIZE(whole.round); i++)
			whole.round[i] = *round + 1;
		MUST(!gosync_map_store_many(map, numbers.pairs, MANY));
		add(round, 1);
	}
}

/* Return: the round in which @key was stored, 0: never; or -1: it is torn */
static int64_t round_of(gosync_map_t *map, uint32_t key)
{
	static struct whole whole;
	size_t len = sizeof(whole);
	unsigned int i;

	if (gosync_map_load(map, &key, 4, &whole, &len))
		return 0;
	for (i = 1; i < ARRAY_SIZE(whole.round); i++)
		if (whole.round[i] != whole.round[0])
			return -1;
	return len == sizeof(whole) ? whole.round[0] : -1;
}

TEST_F(map, who_sees_one_of_many_sees_those_before_it)
{
	struct {
		uint32_t round;
	} *shared = shared_memory(4096);
	const struct gosync_map_limits limits = { 0, 4, sizeof(struct whole) };
	gosync_map_t *map = open_map(NULL, &limits, variant->how);
	unsigned int torn = 0, early = 0, looks = 0;
	uint64_t end = end_of_budget();
	int64_t round, later;
	uint32_t other;
	pid_t pids[2];
	int key;

	ASSERT_NE(NULL, map);
	pids[0] = spawn();
	if (!pids[0])
		store_rounds(map, &shared->round);
	/* Meanwhile tables are promoted. */
	pids[1] = spawn();
	if (!pids[1])
		for (other = 1000;; other++) {
			uint32_t gone = other - 100;

			MUST(!gosync_map_store(map, &other, 4, "x", 1));
			gosync_map_delete(map, &gone, 4);
		}
	do {
		later = 0;
		for (key = MANY - 1; key >= 0; key--) {
			round = round_of(map, key);
			torn += round < 0;
			early += round < later;
			later = round;
		}
		looks++;
	} while (budget_left(end) || load(&shared->round) < 5);
	EXPECT_EQ(128 + SIGKILL, kill_and_reap(pids[0]));
	EXPECT_EQ(128 + SIGKILL, kill_and_reap(pids[1]));
	TH_LOG("%u looks, %u rounds", looks, shared->round);
	EXPECT_EQ(0, torn);
	EXPECT_EQ(0, early);
}

/* Whenever it dies: the values are long, so it is often in the middle. */
TEST_F(map, a_death_leaves_all_of_many_or_none)
{
	enum { LONG = 65536, SOME = 16 };
	const struct gosync_map_limits limits = { 4096, 4, LONG };
	gosync_map_t *map = open_map(NULL, &limits, variant->how);
	uint64_t end = end_of_budget(), seed = random_seed();
	static char value[LONG], found[LONG];
	unsigned int kills = 0, i, missing = 0, mixed = 0;
	struct numbers numbers;
	size_t len;
	pid_t pid;

	ASSERT_NE(NULL, map);
	set_numbers(&numbers, 0);
	for (i = 0; i < MANY; i++) {
		numbers.pairs[i].buf = value;
		numbers.pairs[i].len = LONG;
	}
	do {
		EXPECT_EQ(0, gosync_map_clear(map));
		pid = spawn();
		if (!pid) {
			for (;; value[0]++)
				MUST(!gosync_map_store_many(map, numbers.pairs,
							    SOME));
		}
		sleep_ns(random_u32(&seed) % (20 * NSEC_PER_MSEC));
		EXPECT_EQ(128 + SIGKILL, kill_and_reap(pid));
		kills++;
		for (i = 0; i < SOME; i++) {
			uint32_t key = i;

			len = LONG;
			if (gosync_map_load(map, &key, 4, found, &len)) {
				missing++;
				continue;
			}
			mixed += i && value[0] != found[0];
			value[0] = found[0];
		}
		/* All of them were missing, or none. */
		EXPECT_EQ(0, missing % SOME);
	} while (budget_left(end) || kills < 5);
	TH_LOG("%u kills", kills);
	EXPECT_EQ(0, mixed);
}

TEST_HARNESS_MAIN
