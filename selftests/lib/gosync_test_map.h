/* SPDX-License-Identifier: GPL-2.0-only */
/* A fixture with a Map, and what its tests share */
#ifndef GOSYNC_TEST_MAP_H
#define GOSYNC_TEST_MAP_H

#include "map_op.h"

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

/* When it began and when it ended, by the clock, as all see it */
static inline void run_op(gosync_map_t *map, struct op *op)
{
	op->began = now_ns(CLOCK_MONOTONIC);
	run_on_map(map, op);
	op->ended = now_ns(CLOCK_MONOTONIC);
}

#endif /* GOSYNC_TEST_MAP_H */
