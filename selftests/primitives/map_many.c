// SPDX-License-Identifier: GPL-2.0-only
/*
 * Map: several processes load while others store, delete, grow, clear and die.
 * What each sees has an order that a simple table could have, too.
 */
#include "gosync_test_map.h"
#include "step.h"

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
		given = HANDLE(gosync_map, fd, variant->how);
		EXPECT_EQ(!variant->how, gosync_is_mapped(given));
		self->map = given;
		EXPECT_ENTRY("a", "one");
		EXPECT_EQ(0, put(given, "b", "two"));
		_exit(0);
	}
	ASSERT_EQ(0, send_fd(pair[0], gosync_fd(self->map)));
	EXPECT_EQ(0, reap(pid));
	EXPECT_ENTRY("b", "two");
	EXPECT_EQ(-EPROTOTYPE, gosync_map_from_fd(new_object(GOSYNC_MUTEX), 0,
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

/* A key of up to 12 bytes: how it is looked for depends on its length. */
#define KEY(n)	((uint32_t[3]) { n })

/* Look at a value where it is, which is of use if it was not overwritten. */
static void peek_at(gosync_map_t *map, uint32_t key, size_t key_len,
		    size_t max, unsigned int *peeks, unsigned int *missed,
		    unsigned int *torn)
{
	struct gosync_peek peek;
	bool whole;
	int ret;

	ret = gosync_map_peek(map, KEY(key), key_len, &peek);
	if (ret == -EBUSY)
		return;
	if (ret) {
		add(missed, 1);
		return;
	}
	whole = is_whole(peek.data, peek.len, key, max);
	if (!gosync_peek_valid(&peek))
		return;
	add(peeks, 1);
	if (!whole)
		add(torn, 1);
}

/*
 * Tables are promoted all the time, growing and shrinking and of the same
 * size, while others load what stays.
 */
static void promote(struct __test_metadata *_metadata, gosync_map_t *map,
		    uint32_t keys, size_t key_len, bool one_by_one)
{
	enum { READERS = 3, MAX = 200 };
	struct {
		unsigned int loads, peeks, missed, torn, ghosts, rounds;
	} *shared = shared_memory(4096);
	uint64_t end = end_of_budget(), seed = random_seed();
	char buf[MAX];
	uint32_t key, fresh, i;
	pid_t pids[READERS];
	size_t len;

	ASSERT_NE(NULL, map);
	for (key = 0; key < keys; key++) {
		len = compose(buf, key, &seed, MAX);
		ASSERT_EQ(0, gosync_map_store(map, KEY(key), key_len, buf, len));
	}
	for (i = 0; i < READERS; i++) {
		pids[i] = spawn();
		if (pids[i])
			continue;
		for (seed += i; budget_left(end) || !load(&shared->rounds);) {
			key = random_u32(&seed) % keys;
			len = sizeof(buf);
			if (gosync_map_load(map, KEY(key), key_len, buf, &len))
				add(&shared->missed, 1);
			else if (!is_whole(buf, len, key, MAX))
				add(&shared->torn, 1);
			if (gosync_is_mapped(map))
				peek_at(map, key, key_len, MAX, &shared->peeks,
					&shared->missed, &shared->torn);
			/* And what was never there */
			key += 1 << 20;
			if (gosync_map_load(map, KEY(key), key_len, buf, &len) !=
			    -ENODATA)
				add(&shared->ghosts, 1);
			add(&shared->loads, 1);
		}
		_exit(0);
	}
	for (fresh = 1 << 30; one_by_one && budget_left(end); fresh++) {
		gosync_map_store(map, KEY(fresh), key_len, &fresh, 4);
		gosync_map_delete(map, KEY(fresh), key_len);
	}
	do {
		uint32_t count = 100 << random_u32(&seed) % 5;

		for (key = 1000; key < 1000 + count; key++)
			EXPECT_EQ(0, gosync_map_store(map, KEY(key), key_len, &key, 4));
		for (key = 1000; key < 1000 + count; key++)
			EXPECT_EQ(1, gosync_map_delete(map, KEY(key), key_len));
		/* Stored over, in place */
		for (key = 0; key < keys; key++) {
			len = compose(buf, key, &seed, MAX);
			EXPECT_EQ(0, gosync_map_store(map, KEY(key), key_len, buf, len));
		}
		add(&shared->rounds, 1);
	} while (budget_left(end));
	EXPECT_EQ(0, reap_all(pids, READERS));
	TH_LOG("%u loads, %u peeks in %u rounds", shared->loads, shared->peeks,
	       shared->rounds);
	EXPECT_EQ(gosync_is_mapped(map), !!shared->peeks);
	EXPECT_EQ(0, shared->missed);
	EXPECT_EQ(0, shared->torn);
	EXPECT_EQ(0, shared->ghosts);
	EXPECT_EQ(keys, gosync_map_len(map));
	EXPECT_EQ(keys, count_entries(map));
}

TEST_F(map, no_key_is_missed_while_tables_are_promoted)
{
	promote(_metadata, self->map, 150, 4, false);
}

TEST_F(map, no_longer_key_is_missed_either)
{
	promote(_metadata, self->map, 150, 12, false);
}

/*
 * Twins: entries come and go one by one, until tombstones fill the table and
 * the other one of its size takes over, and soon is filled again.
 */
TEST_F(map, no_key_is_missed_while_tables_take_turns)
{
	promote(_metadata, self->map, 190, 4, true);
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
			  unsigned int steps, uint32_t key, uint32_t keys,
			  bool *replaced)
{
	int status;
	pid_t pid = spawn();

	if (!pid) {
		uint32_t value;
		size_t len = 4;

		begin_to_step();
		_exit(gosync_map_load(map, &key, 4, &value, &len) ? 1 :
		      value != key);
	}
	if (!has_stopped(pid, &status))
		return -1;
	while (steps--)
		if (!step(pid, &status))
			return -1;
	*replaced = replace_table(map, page, key, keys);
	end_of_steps(pid);
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
	     step += 1 + random_u32(&seed) % (32 * (1 + seconds))) {
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
		EXPECT_GE(0, status)
			TH_LOG("missed when stopped after step %u", step);
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
	EXPECT_EQ(0, reap_all(pids, 5));
	TH_LOG("%u loads, %u changes", shared->loads, shared->changes);
	for (i = 0; i < 8; i++)
		EXPECT_EQ(0, shared->wrong[i])
			TH_LOG("at %d", i);
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

/*
 * Who looks at both ends of a value is done with it long before a store of it is: so it
 * finds it as it is being written, from the first look to the last.
 */
TEST_F(map, no_value_is_peeked_at_in_the_middle_of_a_store)
{
	enum { MAX = 65536 };
	const struct gosync_map_limits limits = { 2, 12, MAX };
	gosync_map_t *map = open_map(NULL, &limits, variant->how);
	unsigned int peeks = 0, torn = 0;
	uint64_t end = end_of_budget();
	struct gosync_peek peek;
	static char buf[MAX];
	size_t key_len = 4;
	pid_t pid;

	ASSERT_NE(NULL, map);
	if (!gosync_is_mapped(map))
		SKIP(return, "nothing can be peeked at");
	ASSERT_EQ(0, gosync_map_store(map, KEY(7), 4, buf, MAX));
	ASSERT_EQ(0, gosync_map_store(map, KEY(7), 12, buf, MAX));
	pid = spawn();
	if (!pid) {
		for (;;) {
			memset(buf, buf[0] + 1, MAX);
			MUST(!gosync_map_store(map, KEY(7), 4, buf, MAX));
			MUST(!gosync_map_store(map, KEY(7), 12, buf, MAX));
		}
	}
	for (; budget_left(end) || !peeks; key_len ^= 8) {
		volatile const char *data;
		bool equal;

		if (gosync_map_peek(map, KEY(7), key_len, &peek) == -EBUSY)
			continue;
		data = peek.data;
		equal = data[0] == data[MAX - 1];
		if (!gosync_peek_valid(&peek))
			continue;
		peeks++;
		torn += !equal;
	}
	kill_and_reap(pid);
	TH_LOG("%u peeks", peeks);
	EXPECT_EQ(0, torn);
}

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
		EXPECT_EQ(0, shared->wrong[i])
			TH_LOG("at %d", i);
}

/* --- linearizability ----------------------------------------------------- */

/* Values are never stored twice. */
enum { PARTIES = 4, STEPS = 5, HISTORY = PARTIES * STEPS, KEYS = 2 };

static bool apply_to_state(struct state *state, const struct op *op)
{
	if (op->what != CLEAR)
		return apply_to_key(&state->values[op->key], op);
	memset(state, 0, sizeof(*state));
	return op->ret == 0;
}

/* Of a Map that is empty at first */
static bool is_right(const struct op *ops, unsigned int n)
{
	return is_linearizable(ops, n, (struct state) {}, apply_to_state);
}

/* Without a Clear, keys have nothing to do with each other. */
static bool is_right_by_key(const struct op *ops, unsigned int n)
{
	struct op some[HISTORY];
	unsigned int key, i, count;

	for (key = 0; key < KEYS; key++) {
		for (i = count = 0; i < n; i++)
			if (ops[i].key == key)
				some[count++] = ops[i];
		if (!is_right(some, count))
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
		EXPECT_TRUE(is_right(right[i], 4))
			TH_LOG("history %u", i);
	for (i = 0; i < ARRAY_SIZE(wrong); i++)
		EXPECT_FALSE(is_right(wrong[i], 4))
			TH_LOG("history %u", i);
	EXPECT_TRUE(is_right_by_key(right[2], 4));
	for (i = 0; i < 4; i++)
		EXPECT_FALSE(is_right_by_key(wrong[i], 4));
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
		if (!(clears ? is_right : is_right_by_key)(all->ops, HISTORY) &&
		    !wrong++)
			show(_metadata, all->ops);
		gosync_map_clear(map);
	} while (budget_left(end));
	store(&all->stop, 1);
	add(&all->arrived, 1);
	EXPECT_EQ(0, reap_all(pids, PARTIES));
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
