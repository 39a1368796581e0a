/* SPDX-License-Identifier: GPL-2.0-only */
/* A fixture with a Map, and what its tests share */
#ifndef GOSYNC_TEST_MAP_H
#define GOSYNC_TEST_MAP_H

#include "history.h"

#define HASH_MASK	"/sys/module/gosync/parameters/map_hash_mask"

FIXTURE(map)
{
	char *name;
	gosync_map_t *map;
	char buf[512];
	size_t len;
};

static inline gosync_map_t *open_map(const char *name,
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

/* Keys and values that are strings, without their ends */
static inline int put(gosync_map_t *map, const char *key, const char *value)
{
	return gosync_map_store(map, key, strlen(key), value, strlen(value));
}

static inline int get(FIXTURE_DATA(map) *self, const char *key)
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
static inline bool set_hash_mask(const char *mask)
{
	return !write_file(HASH_MASK, mask);
}

static inline int count_entry(const void *key, size_t key_len, const void *value,
		       size_t len, void *arg)
{
	++*(int *)arg;
	return 0;
}

static inline int count_entries(gosync_map_t *map)
{
	int count = 0;

	return gosync_map_range(map, count_entry, &count) ?: count;
}

static inline void *map_raw(int fd)
{
	void *at = mmap(NULL, info_of(fd).map_len, PROT_READ, MAP_SHARED, fd, 0);

	return at == MAP_FAILED ? NULL : at;
}

/* --- one operation, and what a simple map answers ------------------------ */

enum {
	LOAD, STORE, LOAD_OR_STORE, LOAD_AND_DELETE, DELETE, SWAP, CAS,
	COMPARE_AND_DELETE, CLEAR, OPS
};

/*
 * Could a simple map have answered so? And what is the key's value @now then, 0:
 * none? Keys and values have 4 bytes each.
 */
static inline bool apply(uint64_t *now, const struct op *op)
{
	const uint64_t old = *now;

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
		return false;
	}
}

static inline void run_op(gosync_map_t *map, struct op *op)
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

#endif /* GOSYNC_TEST_MAP_H */
