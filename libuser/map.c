// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Map: loads and the length from the mapped pages, which only the kernel writes,
 * as it does for walks (map_walk.c). Everything else is an ioctl. A reader
 * writes nothing that is shared, so its death harms nobody. <linux/gosync.h>
 * says how to read. kmod/map_table.c says why a reader is not misled, and
 * describes the barriers, by the same letters.
 */
#include <errno.h>
#include <string.h>

#include "map.h"

static void set_table(struct table *table, const void *slots, uint32_t count)
{
	table->slots = slots;
	table->mask = count - 1;
	table->shift = 32 - __builtin_ctz(count);
}

static void set_up(struct gosync_map *map,
		   const struct gosync_info *info)
{
	const struct gosync_mapping *mapping = gosync_base_of(map)->mapping;
	const char *at = mapping ? mapping->addr : NULL;
	const struct gosync_map_page *page;
	struct view *view = gosync_base_of(map)->extra;
	unsigned int i;
	size_t size;

	view->key_size = info->key_size;
	view->value_size = info->value_size;
	if (!at)
		return;
	page = (const void *)(at + info->map_offset);
	view->page = page;
	view->records = at + page->records;
	view->stride = page->stride;
	view->value = page->value;
	for (i = 0; i < 2; i++)
		set_table(&view->tables[i], page->small[i], GOSYNC_MAP_SMALL);
	for (at += page->page_size; i < TABLES && at < view->records; i++) {
		size = (size_t)page->page_size << (i / 2 - 1);
		set_table(&view->tables[i], at, size / sizeof(uint64_t));
		at += size;
	}
	/* Pair with view_of() and gosync_map_load(). */
	__atomic_store_n(&map->view, view, __ATOMIC_RELEASE);
	if (info->key_size >= 8)
		__atomic_store_n(&map->short_keys, info->key_size < 16 ?
				 info->key_size - 7 : 9, __ATOMIC_RELEASE);
}

DEFINE_KIND(map, struct gosync_map, 0, sizeof(struct view), set_up);

/* As the kernel extends its arguments: fields that a caller lacks are 0. */
static int copy_limits(struct gosync_map_limits *to,
		       const struct gosync_map_limits *from, size_t size)
{
	size_t i;

	memset(to, 0, sizeof(*to));
	if (!from)
		return 0;
	for (i = sizeof(*to); i < size; i++)
		if (((const char *)from)[i])
			return -E2BIG;
	memcpy(to, from, size < sizeof(*to) ? size : sizeof(*to));
	return 0;
}

EXPORT int gosync_map_open_abi(unsigned int abi, const char *name,
			       const struct gosync_map_limits *said,
			       size_t size, unsigned int flags,
			       unsigned int mode, gosync_map_t **map)
{
	struct gosync_create create = {
		.abi = abi,
		.name = name,
		.type = GOSYNC_MAP,
		.flags = flags,
		.mode = mode,
	};
	struct gosync_map_limits limits;
	int ret;

	ret = copy_limits(&limits, said, size);
	if (ret)
		return ret;
	create.capacity = limits.entries;
	create.key_size = limits.key_size;
	create.value_size = limits.value_size;
	return __gosync_open_handle(&map_kind, &create, (void **)map);
}

DEFINE_FROM_FD(map, GOSYNC_MAP)

/* --- Loading ------------------------------------------------------------- */

/*
 * How to look for a key. SHORT is for keys of 8 to 16 bytes, LONG for longer
 * ones. Both are for values of at most QUICK bytes, call no function and
 * have few branches. ANY is for all keys and values, with memcmp() and
 * memcpy(). SHORT_PEEK and PEEK are for the keys of SHORT and ANY, and copy no
 * value.
 */
enum { SHORT, LONG, ANY, SHORT_PEEK, PEEK };

#define QUICK		256

#define ALWAYS		__attribute__((always_inline))

static inline uint64_t word_at(const char *at)
{
	uint64_t word;

	memcpy(&word, at, sizeof(word));
	return word;
}

static inline ALWAYS
int has_key(const struct gosync_map_record *record, const char *key, size_t len,
	    int how)
{
	const char *its = (const char *)(record + 1);
	uint64_t differs = len ^ __atomic_load_n(&record->key_len,
						 __ATOMIC_RELAXED);
	size_t i;

	if (how == ANY || how == PEEK)
		return !differs && !memcmp(its, key, len);
	/* The last 8 bytes may be some of the first, too. */
	differs |= word_at(its) ^ word_at(key);
	differs |= word_at(its + len - 8) ^ word_at(key + len - 8);
	for (i = 8; how == LONG && i < len - 8; i += 8)
		differs |= word_at(its + i) ^ word_at(key + i);
	return !differs;
}

/* Copy; some bytes in the middle may be copied twice. */
static inline ALWAYS void copy(char *to, const char *from, size_t len)
{
	const char *from_end = from + len;
	char *to_end = to + len;

	for (; unlikely(len > 64); len -= 32) {
		memcpy(to, from, 32);
		to += 32;
		from += 32;
	}
	if (len > 32) {
		memcpy(to, from, 32);
		memcpy(to_end - 32, from_end - 32, 32);
	} else if (len >= 16) {
		memcpy(to, from, 16);
		memcpy(to_end - 16, from_end - 16, 16);
	} else if (len >= 8) {
		memcpy(to, from, 8);
		memcpy(to_end - 8, from_end - 8, 8);
	} else {
		while (to < to_end)
			*to++ = *from++;
	}
}

/*
 * Copy a record's value if it has the key, or let @peek say where it is. At
 * any time the record's lengths are those of some entry. So the copy stays
 * in bounds, although it is made before we know that it is whole.
 */
static inline ALWAYS
int read_record(const struct view *view,
		const struct gosync_map_record *record, const char *key,
		size_t key_len, char *buf, size_t *len, int how,
		struct gosync_peek *peek)
{
	/* R1: pairs with gosync_map_unlock() in kmod/map.h. */
	uint64_t seq = __atomic_load_n(&record->seq, __ATOMIC_ACQUIRE);
	const char *value;
	size_t room;
	int64_t n;

	if (unlikely(!has_key(record, key, key_len, how)))
		return is_whole(record, seq) ? OTHER : AGAIN;
	value = (const char *)record + view->value;
	n = __atomic_load_n(&record->value_len, __ATOMIC_RELAXED);
	if (how == SHORT_PEEK || how == PEEK) {
		*peek = (struct gosync_peek) {
			.data = value,
			.len = n,
			.count = &record->seq,
			.seen = seq,
		};
		/* gosync_peek_valid() tells whether it was whole, the key, too. */
		return seq & 1 ? AGAIN : 0;
	}
	room = *len;
	if (how != ANY) {
		/* Is one of these negative? */
		if (unlikely(((QUICK - n) | (int64_t)(room - n)) < 0))
			return AGAIN;
		copy(buf, value, n);
	} else if ((size_t)n <= room) {
		memcpy(buf, value, n);
	}
	if (unlikely(!is_whole(record, seq)))
		return AGAIN;
	*len = n;
	return how == ANY && (size_t)n > room ? -EMSGSIZE : 0;
}

/* Look for a key once. Return: as a load, or AGAIN. */
static inline ALWAYS
int look(const struct view *view, const char *key, size_t key_len,
	 char *buf, size_t *len, int how, struct gosync_peek *peek)
{
	const struct gosync_map_page *page = view->page;
	/* T1: pairs with map_promote() in kmod/map_table.c. */
	uint64_t word = __atomic_load_n(&page->table, __ATOMIC_ACQUIRE);
	const struct table *table = &view->tables[word & GOSYNC_MAP_TABLE_MASK];
	uint32_t left = __atomic_load_n(&gosync_map_rules_of(page, word)->reach,
					__ATOMIC_RELAXED);
	uint32_t hash = gosync_map_hash(page, word, key, key_len);
	uint32_t i = hash >> table->shift;
	int ret;

	do {
		/* S: pairs with set_slot() in kmod/map_table.c. */
		uint64_t slot = __atomic_load_n(&table->slots[i],
						__ATOMIC_ACQUIRE);

		if (slot >> 32 == hash) {
			ret = read_record(view, (const void *)
					  (view->records +
					   (uint32_t)slot * view->stride),
					  key, key_len, buf, len, how, peek);
			if (likely(ret != OTHER))
				return ret;
		} else if (slot == GOSYNC_MAP_EMPTY) {
			break;
		}
		i = (i + 1) & table->mask;
	} while (left--);
	/* T2: pairs with map_begin_table() in kmod/map_table.c. */
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	return likely(__atomic_load_n(&page->table, __ATOMIC_RELAXED) == word) ?
		-ENODATA : AGAIN;
}

/* The slow half of a load, for when a quick look is not enough */
static int __attribute__((noinline))
load_slow(struct gosync_map *map, const void *key, size_t key_len,
	  void *buf, size_t *len)
{
	struct gosync_map_args args = {
		.size = sizeof(args),
		.key = (uintptr_t)key,
		.key_len = key_len,
		.buf = (uintptr_t)buf,
		.len = *len,
	};
	const struct view *view = view_of(map);
	int tries, ret = AGAIN;

	if (key_len - 1 >= sizes_of(map)->key_size)
		return -EINVAL;
	if (view && key_len > 16)
		ret = look(view, key, key_len, buf, len, LONG, NULL);
	for (tries = 0; view && tries < TRIES; tries++) {
		if (ret != AGAIN)
			return ret;
		ret = look(view, key, key_len, buf, len, ANY, NULL);
	}
	if (ret != AGAIN)
		return ret;
	ret = __gosync_wait_ioctl(map, GOSYNC_IOC_MAP_LOAD, &args, 0);
	if (!ret || ret == -EMSGSIZE)
		*len = args.len;
	return ret;
}

EXPORT int gosync_map_load(gosync_map_t *map, const void *key, size_t key_len,
			   void *buf, size_t *len)
{
	/* Pairs with set_up(). */
	if (likely(key_len - 8 < __atomic_load_n(&map->short_keys,
						 __ATOMIC_ACQUIRE))) {
		int ret;

		/* With this the compiler makes no loops. */
		if (key_len - 8 > 8)
			__builtin_unreachable();
		ret = look(map->view, key, key_len, buf, len, SHORT,
			   NULL);

		if (likely(ret != AGAIN))
			return ret;
	}
	return load_slow(map, key, key_len, buf, len);
}

/* As load_slow(), but the kernel cannot do it. */
static int __attribute__((noinline))
peek_slow(struct gosync_map *map, const void *key, size_t key_len,
	  struct gosync_peek *peek)
{
	const struct view *view = view_of(map);
	int tries, ret;

	if (unlikely(!view)) {
		/* This notices a copy of the process, which gets the mapped state back. */
		ret = gosync_fd(map);
		if (ret < 0)
			return ret;
		view = view_of(map);
		if (!view)
			return -EOPNOTSUPP;
	}
	if (unlikely(key_len - 1 >= view->key_size))
		return -EINVAL;
	for (tries = 0; tries < TRIES; tries++) {
		ret = look(view, key, key_len, NULL, NULL, PEEK, peek);
		if (likely(ret != AGAIN))
			return ret;
	}
	return -EBUSY;
}

EXPORT int gosync_map_peek(gosync_map_t *map, const void *key, size_t key_len,
			   struct gosync_peek *peek)
{
	/* Pairs with set_up(). */
	if (likely(key_len - 8 < __atomic_load_n(&map->short_keys,
						 __ATOMIC_ACQUIRE))) {
		int ret;

		/* With this the compiler makes no loops. */
		if (key_len - 8 > 8)
			__builtin_unreachable();
		ret = look(map->view, key, key_len, NULL, NULL, SHORT_PEEK, peek);
		if (likely(ret != AGAIN))
			return ret;
	}
	return peek_slow(map, key, key_len, peek);
}

EXPORT long gosync_map_len(gosync_map_t *map)
{
	const struct view *view = view_of(map);
	struct gosync_info info;
	int ret;

	/* C: pairs with map_count() in kmod/map_table.c. */
	if (view)
		return __atomic_load_n(&view->page->count, __ATOMIC_ACQUIRE);
	ret = gosync_info(map, &info);
	return ret ? ret : (long)info.word;
}

/* --- Changing ------------------------------------------------------------ */

/* The argument has 32 bits for the length of a key: refuse more here. */
static int change(struct gosync_map *map, unsigned int op,
		  const void *key, size_t key_len, struct gosync_map_args *args)
{
	if (key_len > sizes_of(map)->key_size)
		return -EINVAL;
	args->size = sizeof(*args);
	args->key = (uintptr_t)key;
	args->key_len = key_len;
	return __gosync_wait_ioctl(map, op, args, 0);
}

/* ... and get the old value, if it is wanted */
static int exchange(struct gosync_map *map, unsigned int op,
		    const void *key, size_t key_len, struct gosync_map_args *args,
		    void *old, size_t *old_len)
{
	int ret;

	args->old_buf = (uintptr_t)old;
	args->old_len = old ? *old_len : 0;
	ret = change(map, op, key, key_len, args);
	if (old_len && (ret >= 0 || ret == -EMSGSIZE))
		*old_len = args->old_len;
	return ret;
}

EXPORT int gosync_map_store(gosync_map_t *map, const void *key, size_t key_len,
			    const void *buf, size_t len)
{
	struct gosync_map_args args = { .buf = (uintptr_t)buf, .len = len };

	return change(map, GOSYNC_IOC_MAP_STORE, key, key_len, &args);
}

EXPORT int gosync_map_store_many(gosync_map_t *map,
				 const struct gosync_map_pair *pairs,
				 unsigned int count)
{
	struct gosync_map_store_item items[GOSYNC_MAP_STORE_MAX];
	struct gosync_map_store_many_args args = {
		.size = sizeof(args),
		.items = (uintptr_t)items,
		.count = count,
		.item_size = sizeof(items[0]),
	};
	unsigned int i;

	if (count > GOSYNC_MAP_STORE_MAX)
		return -EINVAL;
	for (i = 0; i < count; i++) {
		items[i] = (struct gosync_map_store_item) {
			.key = (uintptr_t)pairs[i].key,
			.key_len = pairs[i].key_len,
			.buf = (uintptr_t)pairs[i].buf,
			.len = pairs[i].len,
		};
	}
	return __gosync_wait_ioctl(map, GOSYNC_IOC_MAP_STORE_MANY, &args, 0);
}

EXPORT int gosync_map_load_or_store(gosync_map_t *map, const void *key,
				    size_t key_len, const void *buf, size_t len,
				    void *old, size_t *old_len)
{
	struct gosync_map_args args = { .buf = (uintptr_t)buf, .len = len };

	return exchange(map, GOSYNC_IOC_MAP_LOAD_OR_STORE, key, key_len, &args,
			old, old_len);
}

EXPORT int gosync_map_load_and_delete(gosync_map_t *map, const void *key,
				      size_t key_len, void *old,
				      size_t *old_len)
{
	struct gosync_map_args args = { .buf = 0 };

	return exchange(map, GOSYNC_IOC_MAP_LOAD_AND_DELETE, key, key_len,
			&args, old, old_len);
}

EXPORT int gosync_map_delete(gosync_map_t *map, const void *key, size_t key_len)
{
	struct gosync_map_args args = { .buf = 0 };

	return change(map, GOSYNC_IOC_MAP_DELETE, key, key_len, &args);
}

EXPORT int gosync_map_swap(gosync_map_t *map, const void *key, size_t key_len,
			   const void *buf, size_t len, void *old,
			   size_t *old_len)
{
	struct gosync_map_args args = { .buf = (uintptr_t)buf, .len = len };

	return exchange(map, GOSYNC_IOC_MAP_SWAP, key, key_len, &args, old,
			old_len);
}

EXPORT int gosync_map_cas(gosync_map_t *map, const void *key, size_t key_len,
			  const void *old, size_t old_len, const void *buf,
			  size_t len)
{
	struct gosync_map_args args = {
		.buf = (uintptr_t)buf,
		.len = len,
		.old_buf = (uintptr_t)old,
		.old_len = old_len,
	};

	return change(map, GOSYNC_IOC_MAP_CAS, key, key_len, &args);
}

EXPORT int gosync_map_compare_and_delete(gosync_map_t *map, const void *key,
					 size_t key_len, const void *old,
					 size_t old_len)
{
	struct gosync_map_args args = {
		.old_buf = (uintptr_t)old,
		.old_len = old_len,
	};

	return change(map, GOSYNC_IOC_MAP_COMPARE_AND_DELETE, key, key_len,
		      &args);
}

EXPORT int gosync_map_clear(gosync_map_t *map)
{
	return __gosync_wait_ioctl(map, GOSYNC_IOC_MAP_CLEAR, NULL, 0);
}

EXPORT int gosync_map_wait_until(gosync_map_t *map, uint64_t *version,
				 uint64_t deadline, unsigned int flags)
{
	if (flags & ~WAIT_FLAGS)
		return -EINVAL;
	return __gosync_wait_version(map, GOSYNC_IOC_MAP_WAIT, version, deadline,
				     flags);
}

EXPORT int gosync_map_wait(gosync_map_t *map, uint64_t *version)
{
	return gosync_map_wait_until(map, version, GOSYNC_FOREVER, 0);
}
