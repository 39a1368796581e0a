// SPDX-License-Identifier: GPL-2.0-only
/*
 * Maps of 10,000 keys of 16 bytes with values of 64 bytes.
 *
 * load-hit		one process loads the value of a key that is there
 * read-hit		one process adds up the words of such a value where it
 *			is: gosync_map_peek(), and under the table's lock
 * load-miss		one process loads a key that is not
 * load-hit-2procs	two processes load what is there
 * store-existing	one process replaces a key's value
 * store-many-64	one process replaces the values of 64 keys by one call
 * store-new		one process stores 10,000 new keys, and removes all of
 *			them (clear) before it does so again: one operation is
 *			one store, with its share of the clearing
 * bytes-each		memory per named, persistent, unopened, empty Map for
 *			so much, as for Mutexes
 *
 * Beside it rwlock-table: a hash table in shared memory with a pthread_rwlock_t
 * around it, written for these very sizes and inline. It copies a value as the
 * Map does, for the lock is gone when the caller looks at it. A hash is one
 * multiplication; entries are chained, by their numbers, from 16,384 heads.
 *
 * Keys are looked up in another order than they were stored in.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <string.h>

#include "bench.h"
#include "gosync-user.h"

#define ENTRIES	10000
#define HEADS	16384
#define STRIDE	7919	/* no divisor in common with ENTRIES */
#define SOME	2000

struct key {
	uint64_t half[2];
};

struct value {
	char bytes[64];
};

struct entry {
	struct key key;
	struct value value;
	uint32_t next;
};

/* Entries are named by their index and 1, so that 0 is none. */
struct table {
	pthread_rwlock_t lock __aligned(64);
	uint32_t used __aligned(64);
	uint32_t head[HEADS];
	struct entry entry[ENTRIES] __aligned(64);
};

/* This process's; the keys from ENTRIES on are never stored. */
static struct key keys[2 * ENTRIES];
static struct value payload = { "what a map may be asked to remember" };
static gosync_map_t *map;
static struct table *table;

static const struct gosync_map_limits limits = {
	.entries = ENTRIES,
	.key_size = sizeof(struct key),
	.value_size = sizeof(struct value),
};

/* --- The implementations -------------------------------------------------- */

static inline int load_gosync(const struct key *key, struct value *value)
{
	size_t len = sizeof(*value);

	return gosync_map_load(map, key, sizeof(*key), value, &len);
}

static inline uint64_t sum(const void *value)
{
	const uint64_t *words = value;
	uint64_t all = 0;
	unsigned int i;

	for (i = 0; i < sizeof(struct value) / sizeof(*words); i++)
		all += words[i];
	return all;
}

static inline int read_gosync(const struct key *key, uint64_t *all)
{
	struct gosync_peek peek;
	int ret;

	do {
		ret = gosync_map_peek(map, key, sizeof(*key), &peek);
		if (ret || peek.len != sizeof(struct value))
			return -ENODATA;
		*all = sum(peek.data);
	} while (!gosync_peek_valid(&peek));
	return 0;
}

static inline int store_gosync(const struct key *key, const struct value *value)
{
	return gosync_map_store(map, key, sizeof(*key), value, sizeof(*value));
}

static inline int clear_gosync(void)
{
	return gosync_map_clear(map);
}

static inline uint32_t *table_head(const struct key *key)
{
	unsigned __int128 product;

	product = (unsigned __int128)(key->half[0] ^ 0x9e3779b97f4a7c15) *
		  (key->half[1] ^ 0xd1b54a32d192ed03);
	return &table->head[(uint64_t)(product ^ product >> 64) % HEADS];
}

static inline struct entry *table_find(uint32_t i, const struct key *key)
{
	for (; i; i = table->entry[i - 1].next)
		if (!memcmp(&table->entry[i - 1].key, key, sizeof(*key)))
			return &table->entry[i - 1];
	return NULL;
}

/* With the lock, also where nothing is found */
static inline struct entry *table_look(const struct key *key)
{
	uint32_t *head = table_head(key);

	pthread_rwlock_rdlock(&table->lock);
	return table_find(*head, key);
}

static inline int load_table(const struct key *key, struct value *value)
{
	struct entry *entry = table_look(key);

	if (entry)
		*value = entry->value;
	pthread_rwlock_unlock(&table->lock);
	return entry ? 0 : -ENODATA;
}

static inline int read_table(const struct key *key, uint64_t *all)
{
	struct entry *entry = table_look(key);

	if (entry)
		*all = sum(&entry->value);
	pthread_rwlock_unlock(&table->lock);
	return entry ? 0 : -ENODATA;
}

static inline int store_table(const struct key *key, const struct value *value)
{
	uint32_t *head = table_head(key);
	struct entry *entry;

	pthread_rwlock_wrlock(&table->lock);
	entry = table_find(*head, key);
	if (!entry && table->used < ENTRIES) {
		entry = &table->entry[table->used++];
		entry->key = *key;
		entry->next = *head;
		*head = table->used;
	}
	if (entry)
		entry->value = *value;
	pthread_rwlock_unlock(&table->lock);
	return entry ? 0 : -ENOSPC;
}

static inline int clear_table(void)
{
	pthread_rwlock_wrlock(&table->lock);
	table->used = 0;
	memset(table->head, 0, sizeof(table->head));
	pthread_rwlock_unlock(&table->lock);
	return 0;
}

/* --- Where they meet ------------------------------------------------------ */

/* The same in all processes; random enough for any hash (splitmix64) */
static void make_keys(void)
{
	for (unsigned int i = 0; i < 4 * ENTRIES; i++) {
		uint64_t x = (i + 1) * 0x9e3779b97f4a7c15;

		x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
		x = (x ^ x >> 27) * 0x94d049bb133111eb;
		keys[i / 2].half[i % 2] = x ^ x >> 31;
	}
}

static int fill(int (*store)(const struct key *key, const struct value *value))
{
	int ret = 0;

	make_keys();
	for (unsigned int i = 0; i < ENTRIES && !ret; i++)
		ret = store(&keys[i * STRIDE % ENTRIES], &payload);
	return ret;
}

static int create_gosync(struct run *r)
{
	int ret = gosync_map_open(r->name, &limits, BENCH_PERSIST, 0600, &map);

	if (ret)
		return ret;
	ret = fill(store_gosync);
	gosync_close(map);
	return ret;
}

static int open_gosync(struct run *r)
{
	make_keys();
	return gosync_map_open(r->name, NULL, 0, 0, &map);
}

static int open_gosync_ioctl(struct run *r)
{
	make_keys();
	return gosync_map_open(r->name, NULL, GOSYNC_IOCTL_ONLY, 0, &map);
}

static void destroy_gosync(struct run *r)
{
	gosync_unlink(r->name);
}

static int create_table(struct run *r)
{
	pthread_rwlockattr_t attr;

	table = bench_share(r, sizeof(*table), true);
	if (!table)
		return errno;
	pthread_rwlockattr_init(&attr);
	pthread_rwlockattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
	return pthread_rwlock_init(&table->lock, &attr) ?: fill(store_table);
}

static int open_table(struct run *r)
{
	make_keys();
	table = bench_share(r, sizeof(*table), false);
	return table ? 0 : errno;
}

/* --- The cases ------------------------------------------------------------ */

static inline const struct key *next_key(unsigned int *n)
{
	const struct key *key = &keys[*n];

	*n = *n + 1 < ENTRIES ? *n + 1 : 0;
	return key;
}

/* Keep the compiler from leaving out what would not be looked at. */
static inline void look_at(void *value)
{
	__asm__ volatile("" : : "r"(value) : "memory");
}

#define CASES(x)							\
static void load_hit_##x(struct run *r)					\
{									\
	unsigned int n = r->me * (ENTRIES / 2);				\
	struct value value;						\
									\
	BENCH_LOOP(r, 50,						\
		   failed |= load_##x(next_key(&n), &value);		\
		   look_at(&value));					\
}									\
									\
static void read_hit_##x(struct run *r)					\
{									\
	unsigned int n = 0;						\
	uint64_t all;							\
									\
	BENCH_LOOP(r, 50,						\
		   failed |= read_##x(next_key(&n), &all);		\
		   look_at(&all));					\
}									\
									\
static void load_miss_##x(struct run *r)				\
{									\
	struct value value;						\
	unsigned int n = 0;						\
									\
	BENCH_LOOP(r, 50,						\
		   failed |= load_##x(next_key(&n) + ENTRIES, &value) !=	\
			     -ENODATA;					\
		   look_at(&value));					\
}									\
									\
static void store_existing_##x(struct run *r)				\
{									\
	unsigned int n = 0;						\
									\
	BENCH_LOOP(r, 50, failed |= store_##x(next_key(&n), &payload));	\
}									\
									\
static void store_new_##x(struct run *r)				\
{									\
	unsigned int n = 0;						\
									\
	BENCH_LOOP(r, ENTRIES,						\
		   failed |= n ? 0 : clear_##x();			\
		   failed |= store_##x(next_key(&n), &payload));	\
}

CASES(gosync)
CASES(table)

static void store_many(struct run *r)
{
	static struct gosync_map_pair pairs[ENTRIES];
	unsigned int n = 0;

	for (unsigned int i = 0; i < ENTRIES; i++)
		pairs[i] = (struct gosync_map_pair) {
			.key = &keys[i], .key_len = sizeof(keys[i]),
			.buf = &payload, .len = sizeof(payload),
		};
	BENCH_LOOP(r, 5,
		   failed |= gosync_map_store_many(map, &pairs[n], 64);
		   n = n + 2 * 64 <= ENTRIES ? n + 64 : 0);
}

/* --- bytes-each ----------------------------------------------------------- */

static int make_map(const char *name)
{
	gosync_map_t *m;
	int ret = gosync_map_open(name, &limits, BENCH_PERSIST, 0600, &m);

	if (!ret)
		gosync_close(m);
	return ret;
}

static double bytes_gosync(struct run *r)
{
	(void)r;
	return bench_bytes_each(SOME, make_map, gosync_unlink);
}

#define CASE(...)	BENCH_CASE("map", __VA_ARGS__)

#define READ(impl_, x, ...)						\
	{ CASE("read-hit", 1, 100, read_hit_##x, .counted = true,	\
		.impl = impl_, __VA_ARGS__) }

#define MANY(impl_, ...)						\
	{ CASE("store-many-64", 1, 100, store_many, .counted = true,	\
		.impl = impl_, __VA_ARGS__) }

#define MAP(impl_, x, ...)						\
	{ CASE("load-hit", 1, 100, load_hit_##x, .counted = true,	\
		.impl = impl_, __VA_ARGS__) },				\
	{ CASE("load-miss", 1, 100, load_miss_##x, .counted = true,	\
		.impl = impl_, __VA_ARGS__) },				\
	{ CASE("load-hit-2procs", 2, 100, load_hit_##x,			\
		.impl = impl_, __VA_ARGS__) },				\
	{ CASE("store-existing", 1, 100, store_existing_##x,		\
		.counted = true, .impl = impl_, __VA_ARGS__) },		\
	{ CASE("store-new", 1, 200, store_new_##x, .counted = true,	\
		.impl = impl_, __VA_ARGS__) }

const struct bench map_benches[] = {
	MAP("gosync", gosync, .create = create_gosync, .open = open_gosync,
	    .destroy = destroy_gosync),
	MAP("gosync-ioctl", gosync, .create = create_gosync,
	    .open = open_gosync_ioctl, .destroy = destroy_gosync),
	MAP("rwlock-table", table, BENCH_SHARED(create_table, open_table)),
	MANY("gosync", .create = create_gosync, .open = open_gosync,
	     .destroy = destroy_gosync),
	READ("gosync", gosync, .create = create_gosync, .open = open_gosync,
	     .destroy = destroy_gosync),
	READ("rwlock-table", table, BENCH_SHARED(create_table, open_table)),
	{ .op = "map", .kase = "bytes-each", .impl = "gosync",
	  .measure = bytes_gosync },
	{ }
};
