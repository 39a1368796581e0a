// SPDX-License-Identifier: GPL-2.0-only
/*
 * Map: keys that were chosen to collide. Without the seed nobody can choose
 * them; who can read it gets a table that is filled anew by another one.
 * Nothing is measured in time: distances of keys from their places are counted
 * in the mapped tables, and instructions by single steps.
 */
#include "step.h"

/* No key is further from its place than this, whoever chose it */
#define REACH		128

#define WORDS		24

struct map {
	gosync_map_t *map;
	const struct gosync_map_page *page;
	size_t len;
};

static int open_map(struct map *map, unsigned int how, uint64_t entries)
{
	const struct gosync_map_limits limits = {
		.entries = entries, .key_size = 8 * WORDS, .value_size = 8,
	};
	int ret, raw;

	ret = gosync_map_open(NULL, &limits, GOSYNC_CREATE | how, 0600, &map->map);
	if (ret)
		return ret;
	raw = gosync_fd(map->map);
	map->len = info_of(raw).map_len;
	map->page = mmap(NULL, map->len, PROT_READ, MAP_SHARED, raw, 0);
	return map->page == MAP_FAILED ? -errno : 0;
}

static void close_map(struct map *map)
{
	munmap((void *)map->page, map->len);
	gosync_close(map->map);
}

static const struct gosync_map_rules *rules(const struct map *map)
{
	return gosync_map_rules_of(map->page, map->page->table);
}

static uint64_t version(const struct map *map)
{
	return map->page->table >> GOSYNC_MAP_VERSION_SHIFT;
}

static unsigned int class_of(const struct map *map)
{
	return (map->page->table & GOSYNC_MAP_TABLE_MASK) >> 1;
}

static uint32_t slots_in(const struct map *map)
{
	unsigned int class = class_of(map);

	return class ? map->page->page_size / 8 << (class - 1) : GOSYNC_MAP_SMALL;
}

static const __u64 *slots_of(const struct map *map)
{
	unsigned int class = class_of(map);
	size_t pages = (1UL << class) - 1;

	if (!class)
		return map->page->small[map->page->table & 1];
	if (map->page->table & 1)
		pages += 1UL << (class - 1);
	return (const void *)map->page + pages * map->page->page_size;
}

static uint32_t home(const struct map *map, uint32_t hash)
{
	return hash >> (32 - __builtin_ctz(slots_in(map)));
}

static uint32_t home_of(const struct map *map, const void *key, uint32_t len)
{
	return home(map, gosync_map_hash(map->page, map->page->table, key, len));
}

/* The furthest that any key is from its place */
static uint32_t furthest(const struct map *map)
{
	const __u64 *slots = slots_of(map);
	uint32_t i, far, most = 0;

	for (i = 0; i < slots_in(map); i++) {
		if (slots[i] <= GOSYNC_MAP_TOMBSTONE)
			continue;
		far = (i - home(map, slots[i] >> 32)) & (slots_in(map) - 1);
		if (far > most)
			most = far;
	}
	return most;
}

FIXTURE(map_hash)
{
	struct map map;
};

MAPPED_AND_IOCTL(map_hash);

FIXTURE_SETUP(map_hash)
{
	ASSERT_EQ(0, open_map(&self->map, variant->how, 65536));
}

static int put(struct map *map, uint64_t key)
{
	return gosync_map_store(map->map, &key, sizeof(key), &key, sizeof(key));
}

static bool has(struct map *map, uint64_t key)
{
	size_t len = sizeof(key);
	uint64_t value;

	return !gosync_map_load(map->map, &key, sizeof(key), &value, &len) &&
	       value == key;
}

/* --- without the seed ------------------------------------------------------- */

/*
 * The top bit of a word, and what a multiplication makes of it in the next: a
 * pair for each word, so 2^(WORDS - 1) keys of one length.
 */
static uint32_t flip_bits(uint64_t *key, uint32_t n)
{
	unsigned int i;

	for (i = 0; i < WORDS; i++)
		key[i] = 0x41;
	for (i = 0; i < WORDS - 1; i++)
		if (n >> i & 1) {
			key[i] ^= 1ULL << 63;
			key[i + 1] ^= 1ULL << 63 | 1ULL << 31;
		}
	return WORDS * 8;
}

static uint32_t flip_one_word(uint64_t *key, uint32_t n)
{
	memset(key, 0, 16);
	key[0] = (uint64_t)n << 44;
	return 16;
}

static uint32_t flip_both_words(uint64_t *key, uint32_t n)
{
	key[0] = (uint64_t)n << 32;
	key[1] = -(uint64_t)n;
	return 16;
}

static uint32_t count_up(uint64_t *key, uint32_t n)
{
	key[0] = n;
	return 3;
}

static uint32_t zeros(uint64_t *key, uint32_t n)
{
	memset(key, 0, WORDS * 8);
	key[0] = n / (WORDS * 8 - 8);
	return 8 + n % (WORDS * 8 - 8);
}

TEST_F(map_hash, keys_chosen_without_the_seed_go_everywhere)
{
	static uint32_t (*const families[])(uint64_t *key, uint32_t n) = {
		flip_bits, flip_one_word, flip_both_words, count_up, zeros,
	};
	enum { KEYS = 4000 };
	uint64_t key[WORDS], value;
	uint32_t i, n, len;
	size_t room;

	for (i = 0; i < ARRAY_SIZE(families); i++) {
		ASSERT_EQ(0, gosync_map_clear(self->map.map));
		for (n = 0; n < KEYS; n++) {
			value = n;
			len = families[i](key, n);
			ASSERT_EQ(0, gosync_map_store(self->map.map, key, len,
						      &value, sizeof(value)));
		}
		EXPECT_EQ(KEYS, gosync_map_len(self->map.map));
		EXPECT_GT(REACH, furthest(&self->map));
		/* As many as ever so many keys take, and none by a crowd */
		EXPECT_EQ(8192, slots_in(&self->map));
		for (n = 0; n < KEYS; n++) {
			room = sizeof(value);
			len = families[i](key, n);
			ASSERT_EQ(0, gosync_map_load(self->map.map, key, len,
						     &value, &room));
			ASSERT_EQ(n, value);
		}
	}
}

TEST_F(map_hash, each_table_of_each_map_has_a_seed_of_its_own)
{
	struct gosync_map_rules first = *rules(&self->map);
	uint64_t begun = version(&self->map), key;
	struct map other;
	unsigned int i;

	ASSERT_EQ(0, open_map(&other, variant->how, 0));
	for (i = 0; i < ARRAY_SIZE(first.seed); i++) {
		EXPECT_NE(0, first.seed[i]);
		EXPECT_NE(first.seed[i], rules(&other)->seed[i]);
	}
	ASSERT_EQ(0, gosync_map_clear(self->map.map));
	EXPECT_NE(first.seed[0], rules(&self->map)->seed[0]);
	first = *rules(&self->map);
	for (key = 0; version(&self->map) == begun + 1; key++)
		ASSERT_EQ(0, put(&self->map, key));
	for (i = 0; i < ARRAY_SIZE(first.seed); i++)
		EXPECT_NE(first.seed[i], rules(&self->map)->seed[i]);
	close_map(&other);
}

/* --- with the seed ---------------------------------------------------------- */

/* A key whose place in the present table is one of the first @homes */
static uint64_t choose(const struct map *map, uint64_t *next, uint32_t homes)
{
	while (home_of(map, next, sizeof(*next)) >= homes)
		++*next;
	return (*next)++;
}

/* Each key has itself as value. */
static int put_some(struct map *map, const uint64_t *keys, unsigned int n)
{
	struct gosync_map_pair pairs[GOSYNC_MAP_STORE_MAX];
	unsigned int i;

	if (n == 1)
		return put(map, *keys);
	for (i = 0; i < n; i++)
		pairs[i] = (struct gosync_map_pair) {
			&keys[i], sizeof(keys[i]), &keys[i], sizeof(keys[i]),
		};
	return gosync_map_store_many(map->map, pairs, n);
}

static void put_chosen(struct __test_metadata *_metadata,
		       FIXTURE_DATA(map_hash) *self, unsigned int at_once)
{
	enum { ORDINARY = 5000, CHOSEN = 10 * REACH, HOMES = 32 };
	static uint64_t chosen[CHOSEN];
	uint64_t next = 1ULL << 32, key, begun;
	unsigned int i, j;

	for (key = 0; key < ORDINARY; key++)
		ASSERT_EQ(0, put(&self->map, key));
	begun = version(&self->map);
	for (i = 0; i < CHOSEN; i += at_once) {
		for (j = i; j < i + at_once; j++)
			chosen[j] = choose(&self->map, &next, HOMES);
		ASSERT_EQ(0, put_some(&self->map, &chosen[i], at_once));
		ASSERT_GE(REACH, furthest(&self->map));
		ASSERT_GE(rules(&self->map)->reach, furthest(&self->map));
	}
	TH_LOG("%u tables for %u keys", (unsigned int)(version(&self->map) - begun),
	       CHOSEN);
	/* Not without another table, but not one for each key either */
	EXPECT_LT(0, version(&self->map) - begun);
	EXPECT_GE(CHOSEN / (REACH / 2) + 2, version(&self->map) - begun);
	for (key = 0; key < ORDINARY; key++)
		ASSERT_TRUE(has(&self->map, key));
	for (i = 0; i < CHOSEN; i++)
		ASSERT_TRUE(has(&self->map, chosen[i]));
	EXPECT_EQ(ORDINARY + CHOSEN, gosync_map_len(self->map.map));
}

TEST_F(map_hash, keys_chosen_by_who_reads_the_seed_are_as_near_as_others)
{
	put_chosen(_metadata, self, 1);
}

TEST_F(map_hash, so_are_many_that_are_stored_at_once)
{
	put_chosen(_metadata, self, GOSYNC_MAP_STORE_MAX);
}

/* How many instructions a load takes; -1 on failure */
static long steps_of_load(struct map *map, uint64_t key)
{
	long steps = 0;
	int status;
	pid_t pid = spawn();

	if (!pid) {
		begin_to_step();
		_exit(has(map, key));
	}
	if (!has_stopped(pid, &status))
		return -1;
	do
		steps++;
	while (step(pid, &status));
	return WIFEXITED(status) ? steps : -1;
}

/*
 * A row of keys that are all near their places, and so many that who looks for
 * a key that is absent would see a thousand slots before one is empty.
 */
TEST_F(map_hash, a_miss_does_not_look_through_a_row_of_any_length)
{
	enum { ROW = 1000 };
	static uint64_t row[ROW];
	uint64_t key, begun;
	long few, many;
	unsigned int i;

	/* In a table that has room for it */
	for (key = 0; slots_in(&self->map) < 8192; key++)
		ASSERT_EQ(0, put(&self->map, key));
	while (key)
		ASSERT_EQ(1, gosync_map_delete(self->map.map, &(uint64_t){ --key },
					       8));
	begun = version(&self->map);
	for (i = 0, key = 1ULL << 32; i < ROW; key++) {
		uint32_t place = home_of(&self->map, &key, sizeof(key));

		if (place < ROW && !row[place]) {
			row[place] = key;
			i++;
		}
	}
	for (i = 0; i < ROW; i++)
		ASSERT_EQ(0, put(&self->map, row[i]));
	ASSERT_EQ(begun, version(&self->map));
	EXPECT_EQ(0, furthest(&self->map));
	while (home_of(&self->map, &key, sizeof(key)))
		key++;
	EXPECT_FALSE(has(&self->map, key));
	if (variant->how)
		return;
	many = steps_of_load(&self->map, key);
	while (home_of(&self->map, &key, sizeof(key)) < ROW)
		key++;
	few = steps_of_load(&self->map, key);
	TH_LOG("%ld steps, and %ld where there is no row", many, few);
	EXPECT_LT(0, few);
	EXPECT_GT(few + 20 * REACH, many);
}

TEST_F(map_hash, a_crowd_that_comes_and_goes_leaves_nobody_behind)
{
	enum { ROUNDS = 20, CROWD = 100, HOMES = 4 };
	uint64_t next = 1ULL << 32, crowd[CROWD], key;
	unsigned int round, i;

	for (key = 0; key < 1000; key++)
		ASSERT_EQ(0, put(&self->map, key));
	for (round = 0; round < ROUNDS; round++) {
		for (i = 0; i < CROWD; i++) {
			crowd[i] = choose(&self->map, &next, HOMES);
			ASSERT_EQ(0, put(&self->map, crowd[i]));
		}
		for (i = 0; i < CROWD; i++)
			ASSERT_TRUE(has(&self->map, crowd[i]));
		/* From the front, so that tombstones stay, or from the back */
		for (i = 0; i < CROWD; i++) {
			key = crowd[round % 2 ? i : CROWD - 1 - i];
			ASSERT_EQ(1, gosync_map_delete(self->map.map, &key, 8));
		}
		for (i = 0; i < CROWD; i++)
			ASSERT_FALSE(has(&self->map, crowd[i]));
	}
	for (key = 0; key < 1000; key++)
		ASSERT_TRUE(has(&self->map, key));
	EXPECT_EQ(1000, gosync_map_len(self->map.map));
}

TEST_HARNESS_MAIN
