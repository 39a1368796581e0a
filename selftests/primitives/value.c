// SPDX-License-Identifier: GPL-2.0-only
/*
 * Value: one payload of one type for ever, replaced as a whole, never seen in
 * part.
 */
#include "gosync_test.h"

#define TYPE	0x1234
#define OTHER	0x5678

FIXTURE(value)
{
	char *name;
	gosync_value_t *value;
	char buf[8192];
	size_t len;
	uint64_t type;
};

static gosync_value_t *open_value(const char *name, size_t capacity,
				  unsigned int flags)
{
	gosync_value_t *value;

	return gosync_value_open(name, capacity, flags | GOSYNC_CREATE, 0600,
				 &value) ? NULL : value;
}

MAPPED_AND_IOCTL(value);

FIXTURE_SETUP(value)
{
	self->name = unique_name();
	self->value = open_value(self->name, 0, variant->how);
	ASSERT_NE(NULL, self->value);
	ASSERT_EQ(!variant->how, gosync_is_mapped(self->value));
}

/* A load into self; its result */
static int load_value(FIXTURE_DATA(value) *self)
{
	self->len = sizeof(self->buf);
	return gosync_value_load(self->value, self->buf, &self->len, &self->type);
}

#define EXPECT_VALUE(wanted, wanted_len, wanted_version)		\
do {									\
	uint64_t __version;						\
									\
	EXPECT_EQ(0, load_value(self));					\
	EXPECT_EQ(TYPE, self->type);					\
	EXPECT_EQ(wanted_len, self->len);				\
	EXPECT_EQ(0, memcmp(self->buf, wanted, wanted_len));		\
	EXPECT_EQ(0, gosync_value_version(self->value, &__version));	\
	EXPECT_EQ(wanted_version, __version);				\
} while (0)

TEST_F(value, is_empty_before_the_first_store)
{
	uint64_t version = 1;

	EXPECT_EQ(-ENODATA, load_value(self));
	EXPECT_EQ(0, gosync_value_version(self->value, &version));
	EXPECT_EQ(0, version);
	EXPECT_EQ(0, info_of(gosync_fd(self->value)).token);
}

TEST_F(value, is_what_was_stored_last)
{
	EXPECT_EQ(0, gosync_value_store(self->value, TYPE, "one", 4));
	EXPECT_VALUE("one", 4, 1);
	EXPECT_EQ(0, gosync_value_store(self->value, TYPE, "three", 6));
	EXPECT_VALUE("three", 6, 2);
	EXPECT_EQ(0, gosync_value_store(self->value, TYPE, NULL, 0));
	EXPECT_VALUE("", 0, 3);
	EXPECT_EQ(0, gosync_value_store(self->value, TYPE, "x", 1));
	EXPECT_VALUE("x", 1, 4);
	EXPECT_EQ(TYPE, info_of(gosync_fd(self->value)).token);
	EXPECT_EQ(4, info_of(gosync_fd(self->value)).word);
}

TEST_F(value, refuses_nil_and_another_type)
{
	char old[16];
	size_t len = sizeof(old);

	EXPECT_EQ(-EINVAL, gosync_value_store(self->value, 0, "one", 4));
	EXPECT_EQ(-EINVAL, gosync_value_store(self->value, UINT64_MAX, "one", 4));
	EXPECT_EQ(-EINVAL, gosync_value_swap(self->value, 0, "one", 4, old, &len));
	EXPECT_EQ(-ENODATA, load_value(self));

	EXPECT_EQ(0, gosync_value_store(self->value, TYPE, "one", 4));
	EXPECT_EQ(-EPROTOTYPE, gosync_value_store(self->value, OTHER, "two", 4));
	EXPECT_EQ(-EPROTOTYPE, gosync_value_swap(self->value, OTHER, "two", 4,
						 old, &len));
	EXPECT_EQ(-EINVAL, gosync_value_store(self->value, 0, "two", 4));
	EXPECT_EQ(-EINVAL, gosync_value_store(self->value, UINT64_MAX, "two", 4));
	EXPECT_VALUE("one", 4, 1);
}

TEST_F(value, is_as_long_as_it_is)
{
	char *big = malloc(8192);
	int i;

	for (i = 0; i < 8192; i++)
		big[i] = i * 7;
	EXPECT_EQ(0, gosync_value_store(self->value, TYPE, big, 4096));
	EXPECT_VALUE(big, 4096, 1);
	EXPECT_EQ(-EMSGSIZE, gosync_value_store(self->value, TYPE, big, 4097));
	EXPECT_EQ(-EMSGSIZE, gosync_value_store(self->value, TYPE, big,
						(size_t)-1));
	EXPECT_VALUE(big, 4096, 1);

	/* Who has too little room is told how much it takes. */
	memset(self->buf, 0x5a, sizeof(self->buf));
	self->len = 4095;
	EXPECT_EQ(-EMSGSIZE, gosync_value_load(self->value, self->buf, &self->len,
					       &self->type));
	EXPECT_EQ(4096, self->len);
	EXPECT_EQ(0x5a, self->buf[4095]);
	self->len = 0;
	EXPECT_EQ(-EMSGSIZE, gosync_value_load(self->value, NULL, &self->len,
					       NULL));
	EXPECT_EQ(4096, self->len);
}

TEST_F(value, swap_returns_what_was_there)
{
	char old[8] = "unset";
	size_t len = sizeof(old);

	EXPECT_EQ(0, gosync_value_swap(self->value, TYPE, "one", 4, old, &len));
	EXPECT_VALUE("one", 4, 1);
	len = sizeof(old);
	EXPECT_EQ(1, gosync_value_swap(self->value, TYPE, "three", 6, old, &len));
	EXPECT_EQ(4, len);
	EXPECT_STREQ("one", old);
	EXPECT_VALUE("three", 6, 2);
	len = 5;
	EXPECT_EQ(-EMSGSIZE, gosync_value_swap(self->value, TYPE, "x", 2, old,
					       &len));
	EXPECT_EQ(6, len);
	EXPECT_VALUE("three", 6, 2);
}

/*
 * Go's order of checks: a nil new value; types of old and new that differ; an
 * empty Value; another type stored; other contents.
 */
TEST_F(value, compare_and_swap_checks_in_gos_order)
{
	static const struct {
		uint64_t old_type;
		const char *old;
		uint64_t type;
		const char *new;
		int result;
	} rows[] = {
		/* empty */
		{ TYPE, "a", 0, "b", -EINVAL },
		{ TYPE, "a", UINT64_MAX, "b", -EINVAL },
		{ OTHER, "a", TYPE, "b", -EPROTOTYPE },
		{ TYPE, "a", TYPE, "b", 0 },
		{ 0, "", TYPE, "a", 1 },
		/* "a" is stored */
		{ 0, "", 0, "b", -EINVAL },
		{ OTHER, "a", 0, "b", -EINVAL },
		{ OTHER, "a", TYPE, "b", -EPROTOTYPE },
		{ OTHER, "a", OTHER, "b", -EPROTOTYPE },
		{ 0, "", OTHER, "b", -EPROTOTYPE },
		{ 0, "", TYPE, "b", 0 },
		{ TYPE, "b", TYPE, "c", 0 },
		{ TYPE, "aa", TYPE, "c", 0 },
		{ TYPE, "", TYPE, "c", 0 },
		{ TYPE, "a", TYPE, "bcd", 1 },
		{ TYPE, "bcx", TYPE, "c", 0 },
		{ TYPE, "bcd", TYPE, "", 1 },
		{ TYPE, "", TYPE, "end", 1 },
	};
	const char *now = NULL;
	unsigned int i, version = 0;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		size_t old_len = strlen(rows[i].old);

		EXPECT_EQ(rows[i].result,
			  gosync_value_cas(self->value, rows[i].old_type,
					   old_len ? rows[i].old : NULL, old_len,
					   rows[i].type, rows[i].new,
					   strlen(rows[i].new)))
			TH_LOG("row %u", i);
		if (rows[i].result == 1) {
			now = rows[i].new;
			version++;
		}
		if (!now) {
			EXPECT_EQ(-ENODATA, load_value(self));
			continue;
		}
		EXPECT_VALUE(now, strlen(now), version);
	}
	EXPECT_EQ(4, version);
}

TEST_F(value, compare_and_swap_has_one_winner)
{
	enum { N = 4, ROUNDS = 300 };
	struct {
		unsigned int arrived;
		unsigned int won[ROUNDS];
	} *shared = shared_memory(sizeof(*shared));
	uint32_t zero = 0;
	pid_t pids[N];
	unsigned int i, j;

	ASSERT_EQ(0, gosync_value_store(self->value, TYPE, &zero, 4));
	for (i = 0; i < N; i++) {
		pids[i] = spawn();
		if (pids[i])
			continue;
		for (j = 0; j < ROUNDS; j++) {
			uint32_t new = j + 1;

			meet(&shared->arrived, N, j + 1);
			if (gosync_value_cas(self->value, TYPE, &j, 4, TYPE,
					     &new, 4) == 1)
				add(&shared->won[j], 1);
		}
		_exit(0);
	}
	EXPECT_EQ(0, reap_all(pids, N));
	for (j = 0; j < ROUNDS; j++)
		ASSERT_EQ(1, shared->won[j]);
	EXPECT_EQ(0, load_value(self));
	EXPECT_EQ(ROUNDS, *(uint32_t *)self->buf);
}

TEST_F(value, readers_only_read)
{
	gosync_value_t *writer = self->value;

	EXPECT_EQ(0, gosync_value_store(writer, TYPE, "one", 4));
	ASSERT_EQ(0, gosync_value_open(self->name, 0, GOSYNC_RDONLY |
				       variant->how, 0, &self->value));
	EXPECT_EQ(!variant->how, gosync_is_mapped(self->value));
	EXPECT_EQ(-EBADF, gosync_value_store(self->value, TYPE, "two", 4));
	EXPECT_EQ(-EBADF, gosync_value_cas(self->value, TYPE, "one", 4, TYPE,
					   "two", 4));
	EXPECT_VALUE("one", 4, 1);
	EXPECT_EQ(0, gosync_value_store(writer, TYPE, "two", 4));
	EXPECT_VALUE("two", 4, 2);
}

/*
 * Many make the first store, each of a type of its own: one wins, the others
 * are told of the type, nobody sees anything in between.
 */
TEST_F(value, first_store_has_one_winner)
{
	enum { N = 6, ROUNDS = 60 };
	struct {
		unsigned int arrived;
		unsigned int stored[ROUNDS];
		unsigned int wrong;
	} *shared = shared_memory(sizeof(*shared));
	char *names[ROUNDS];
	pid_t pids[N];
	unsigned int i, j;

	for (j = 0; j < ROUNDS; j++) {
		names[j] = unique_name();
		ASSERT_NE(NULL, open_value(names[j], 64, 0));
	}
	for (i = 0; i < N; i++) {
		uint64_t payload[8], type;
		size_t len;
		int k, ret;

		pids[i] = spawn();
		if (pids[i])
			continue;
		for (j = 0; j < ROUNDS; j++) {
			gosync_value_t *value = open_value(names[j], 0,
							   variant->how);

			for (k = 0; k < 8; k++)
				payload[k] = i + 1;
			meet(&shared->arrived, N, j + 1);
			ret = gosync_value_store(value, i + 1, payload,
						 sizeof(payload));
			if (!ret)
				add(&shared->stored[j], 1);
			else if (ret != -EPROTOTYPE)
				add(&shared->wrong, 1);
			len = sizeof(payload);
			ret = gosync_value_load(value, payload, &len, &type);
			if (ret || len != sizeof(payload))
				add(&shared->wrong, 1);
			for (k = 0; k < 8; k++)
				if (payload[k] != type)
					add(&shared->wrong, 1);
			gosync_close(value);
		}
		_exit(0);
	}
	EXPECT_EQ(0, reap_all(pids, N));
	for (j = 0; j < ROUNDS; j++)
		EXPECT_EQ(1, shared->stored[j]);
	EXPECT_EQ(0, shared->wrong);
}

/* --- no torn load, ever -------------------------------------------------- */

/* Every word of a payload follows from its first. */
static void compose(uint32_t *words, size_t count, uint32_t seed)
{
	size_t i;

	words[0] = seed;
	words[1] = count;
	for (i = 2; i < count; i++)
		words[i] = seed + i;
}

static bool is_whole(const uint32_t *words, size_t len)
{
	size_t i;

	if (len % 4 || words[1] != len / 4)
		return false;
	for (i = 2; i < len / 4; i++)
		if (words[i] != words[0] + i)
			return false;
	return true;
}

/* Look at the payload where it is, which is of use if it was not overwritten. */
static void peek_at(gosync_value_t *value, unsigned int *peeks,
		    unsigned int *torn)
{
	struct gosync_peek peek;
	bool whole;

	if (gosync_value_peek(value, &peek))
		_exit(4);
	whole = is_whole(peek.data, peek.len);
	if (!gosync_peek_valid(&peek))
		return;
	add(peeks, 1);
	if (!whole)
		add(torn, 1);
}

static void storm(struct __test_metadata *_metadata, size_t capacity,
		  unsigned int how)
{
	enum { WRITERS = 2, READERS = 2 };
	uint64_t end = end_of_budget(), seed = random_seed();
	struct {
		unsigned int loads;
		unsigned int peeks;
		unsigned int stores;
		unsigned int torn;
		unsigned int backwards;
	} *shared = shared_memory(sizeof(*shared));
	gosync_value_t *value = open_value(unique_name(), capacity, how);
	uint32_t *words = malloc(capacity);
	pid_t pids[WRITERS + READERS];
	unsigned int i;

	ASSERT_NE(NULL, value);
	compose(words, capacity / 4, 1);
	ASSERT_EQ(0, gosync_value_store(value, TYPE, words, capacity));
	for (i = 0; i < WRITERS + READERS; i++) {
		uint64_t version, last = 0;

		pids[i] = spawn();
		if (pids[i])
			continue;
		seed += i;
		do {
			size_t count = 2 + random_u32(&seed) % (capacity / 4 - 1);

			if (i >= WRITERS)
				break;
			/* Short ones are the quickest to come around. */
			if (random_u32(&seed) % 2)
				count = 2 + count % 16;
			compose(words, count, random_u32(&seed));
			if (gosync_value_store(value, TYPE, words, 4 * count))
				_exit(1);
			add(&shared->stores, 1);
		} while (budget_left(end));
		do {
			size_t len = capacity;

			if (gosync_value_version(value, &version))
				_exit(2);
			if (version < last)
				add(&shared->backwards, 1);
			last = version;
			if (gosync_value_load(value, words, &len, NULL))
				_exit(3);
			if (!is_whole(words, len))
				add(&shared->torn, 1);
			if (!how)
				peek_at(value, &shared->peeks, &shared->torn);
			add(&shared->loads, 1);
		} while (i >= WRITERS && budget_left(end));
		_exit(0);
	}
	EXPECT_EQ(0, reap_all(pids, WRITERS + READERS));
	TH_LOG("%u loads, %u peeks, %u stores", shared->loads, shared->peeks,
	       shared->stores);
	EXPECT_EQ(0, shared->torn);
	EXPECT_EQ(0, shared->backwards);
	EXPECT_LT(0, shared->loads);
	EXPECT_EQ(!how, !!shared->peeks);
	EXPECT_EQ(info_of(gosync_fd(value)).word, shared->stores + 1);
}

TEST_F(value, is_seen_where_it_is)
{
	struct gosync_peek peek, next;
	unsigned int i;

	if (variant->how) {
		EXPECT_EQ(-EOPNOTSUPP, gosync_value_peek(self->value, &peek));
		return;
	}
	EXPECT_EQ(-ENODATA, gosync_value_peek(self->value, &peek));
	ASSERT_EQ(0, gosync_value_store(self->value, TYPE, "one", 4));
	ASSERT_EQ(0, gosync_value_peek(self->value, &peek));
	EXPECT_EQ(4, peek.len);
	EXPECT_EQ(TYPE, peek.type);
	EXPECT_STREQ("one", peek.data);
	EXPECT_EQ(0, (uintptr_t)peek.data % 8);
	EXPECT_EQ(1, gosync_peek_valid(&peek));

	/* It is overwritten at some time, and then it is not valid. */
	for (i = 0; i < GOSYNC_VALUE_SLOTS; i++) {
		if (gosync_peek_valid(&peek))
			EXPECT_STREQ("one", peek.data);
		ASSERT_EQ(0, gosync_value_store(self->value, TYPE, "three", 6));
		ASSERT_EQ(0, gosync_value_peek(self->value, &next));
		EXPECT_STREQ("three", next.data);
		EXPECT_EQ(6, next.len);
		EXPECT_EQ(1, gosync_peek_valid(&next));
	}
	EXPECT_EQ(0, gosync_peek_valid(&peek));

	ASSERT_EQ(0, gosync_value_store(self->value, TYPE, NULL, 0));
	ASSERT_EQ(0, gosync_value_peek(self->value, &peek));
	EXPECT_EQ(0, peek.len);
}

/* A copy of the process gets what it needs for that at the first look. */
TEST_F(value, is_seen_where_it_is_in_a_child)
{
	struct gosync_peek peek;
	pid_t pid;

	ASSERT_EQ(0, gosync_value_store(self->value, TYPE, "one", 4));
	pid = fork();
	if (!pid) {
		int ret = gosync_value_peek(self->value, &peek);

		if (variant->how)
			_exit(ret != -EOPNOTSUPP);
		_exit(ret || strcmp(peek.data, "one") ||
		      !gosync_peek_valid(&peek));
	}
	EXPECT_EQ(0, reap(pid));
}

TEST_F(value, no_load_is_torn_of_some_words)
{
	storm(_metadata, 256, variant->how);
}

TEST_F(value, no_load_is_torn_of_pages)
{
	storm(_metadata, 16384, variant->how);
}

TEST_F(value, no_load_is_torn_of_a_mebibyte)
{
	storm(_metadata, 1 << 20, variant->how);
}

TEST_F(value, largest_is_4_mebibytes)
{
	size_t size = 4 << 20, len = size;
	uint32_t *words = malloc(size);
	gosync_value_t *value = open_value(NULL, size, variant->how);

	ASSERT_NE(NULL, value);
	compose(words, size / 4, 99);
	EXPECT_EQ(0, gosync_value_store(value, TYPE, words, size));
	memset(words, 0, size);
	EXPECT_EQ(0, gosync_value_load(value, words, &len, NULL));
	EXPECT_EQ(size, len);
	EXPECT_TRUE(is_whole(words, len));
}

TEST_F(value, bad_memory_stores_nothing)
{
	size_t page = getpagesize();
	char *memory = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ASSERT_EQ(0, munmap(memory + page, page));
	EXPECT_EQ(-EFAULT, gosync_value_store(self->value, TYPE,
					      memory + page - 8, 16));
	EXPECT_EQ(-ENODATA, load_value(self));
	EXPECT_EQ(0, gosync_value_store(self->value, TYPE, "one", 4));
	EXPECT_EQ(-EFAULT, gosync_value_store(self->value, TYPE,
					      memory + page - 8, 16));
	EXPECT_EQ(-EFAULT, gosync_value_cas(self->value, TYPE, memory + page, 4,
					    TYPE, "two", 4));
	EXPECT_VALUE("one", 4, 1);
}

TEST_HARNESS_MAIN
