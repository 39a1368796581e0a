// SPDX-License-Identifier: GPL-2.0-only
/*
 * Map: many keys are stored by one call.
 *
 * All that may fail is done first. Keys and values are copied in before the
 * map's mutex is taken. With the mutex each key is looked for, and a slot and a
 * record are reserved for each new one. Then the stores cannot fail. Each of them
 * disables preemption for as long as a store alone does.
 */
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "map_table.h"

enum state {
	THERE,		/* the key is there already */
	NEW,		/* it is not, and no earlier item has it */
	AGAIN,		/* it is not, but an earlier item has it */
};

/**
 * struct item - a key and a value, both in memory
 * @len: length of the value, which follows the key at the next multiple of 8
 * @state: what is to be done
 * @key: the key, with no more memory than it takes
 */
struct item {
	u32 len;
	enum state state;
	struct gosync_map_key key;
};

/**
 * struct items - the items of a call, one behind the other
 * @begin: the first one
 * @end: the end of the last one
 */
struct items {
	struct item *begin;
	struct item *end;
};

static size_t offset_of_value(u64 key_len)
{
	return ALIGN(offsetof(struct item, key.data) + key_len, 8);
}

static void *value_of(const struct item *item)
{
	return (void *)item + offset_of_value(item->key.len);
}

static struct item *next(const struct item *item)
{
	return value_of(item) + ALIGN(item->len, 8);
}

/* --- Copying in ---------------------------------------------------------- */

/* Return: how much memory the items take, or an error */
static long memory_for(struct gosync_map *map,
		       const struct gosync_map_store_item *said, u32 count)
{
	long sum = 0;
	u32 i;

	for (i = 0; i < count; i++) {
		if (!said[i].key_len || said[i].key_len > map->key_size)
			return -EINVAL;
		if (said[i].len > map->value_size)
			return -EMSGSIZE;
		sum += offset_of_value(said[i].key_len) + ALIGN(said[i].len, 8);
	}
	return sum;
}

static int copy_item(struct item *item, const struct gosync_map_store_item *said)
{
	item->len = said->len;
	item->key.len = said->key_len;
	item->key.table = U64_MAX;
	return gosync_copy_from_user(item->key.data, said->key, said->key_len) ?:
	       gosync_copy_from_user(value_of(item), said->buf, said->len);
}

static int copy_items(struct gosync_map *map, struct items *items,
		      const struct gosync_map_store_item *said, u32 count)
{
	long size = memory_for(map, said, count);
	int ret;
	u32 i;

	if (size < 0)
		return size;
	items->begin = kvmalloc(size, GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (!items->begin)
		return -ENOMEM;
	items->end = items->begin;
	for (i = 0; i < count; i++) {
		ret = copy_item(items->end, &said[i]);
		if (ret) {
			kvfree(items->begin);
			return ret;
		}
		items->end = next(items->end);
	}
	return 0;
}

/* Return: 0: the caller has to free @items->begin; or an error */
static int get_items(struct gosync_map *map,
		     const struct gosync_map_store_many_args *args,
		     struct items *items)
{
	size_t size = args->count * sizeof(struct gosync_map_store_item);
	struct gosync_map_store_item *said;
	int ret;

	if (args->flags || !args->count || args->count > GOSYNC_MAP_STORE_MAX ||
	    args->item_size != sizeof(*said))
		return -EINVAL;
	said = kmalloc(size, GFP_KERNEL_ACCOUNT);
	if (!said)
		return -ENOMEM;
	ret = gosync_copy_from_user(said, args->items, size);
	if (!ret)
		ret = copy_items(map, items, said, args->count);
	kfree(said);
	return ret;
}

/* --- What may fail with the mutex ---------------------------------------- */

/* Has an item before @item the same key, which is new? */
static bool is_again(const struct items *items, const struct item *item)
{
	const struct gosync_map_key *key = &item->key;
	const struct item *other;

	for (other = items->begin; other < item; other = next(other))
		if (other->state == NEW && other->key.hash == key->hash &&
		    other->key.len == key->len &&
		    gosync_same(other->key.data, key->data, key->len))
			return true;
	return false;
}

/* Look for the keys. Return: how many are new */
static u32 find_all(struct gosync_map *map, struct items *items)
{
	u64 table = gosync_map_page_of(map)->table;
	struct item *item;
	u32 more = 0;

	for (item = items->begin; item < items->end; item = next(item)) {
		if (gosync_map_probe(map, &item->key, table, true))
			item->state = THERE;
		else if (more && is_again(items, item))
			item->state = AGAIN;
		else
			item->state = NEW;
		more += item->state == NEW;
	}
	return more;
}

static int reserve_all(struct gosync_map *map, struct items *items, bool anywhere)
{
	struct item *item, *done;
	int ret;

	for (item = items->begin; item < items->end; item = next(item)) {
		if (item->state != NEW)
			continue;
		ret = gosync_map_reserve(map, &item->key, anywhere);
		if (ret)
			goto undo;
	}
	return 0;
undo:
	for (done = items->begin; done < item; done = next(done))
		if (done->state == NEW)
			gosync_map_unreserve(map, &done->key);
	return ret;
}

/* Take what @more new keys need. */
static int take_all(struct gosync_map *map, struct items *items, u32 more)
{
	int ret;

	ret = gosync_map_make_room(map, more, false) ?:
	      reserve_all(map, items, false);
	if (ret != -EAGAIN)
		return ret;
	return gosync_map_make_room(map, more, true) ?:
	       reserve_all(map, items, true);
}

/* --- The stores ---------------------------------------------------------- */

/* Store over the value of a key that is there now. */
static void store_over(struct gosync_map *map, struct item *item)
{
	struct gosync_map_record *record;

	if (item->state == AGAIN) {
		record = gosync_map_find_held(map, &item->key);
	} else {
		record = gosync_map_record_at(map, item->key.number);
		gosync_map_lock(record);
	}
	gosync_map_put(map, record, value_of(item), item->len);
	gosync_map_unlock(record, true);
}

static void store_all(struct gosync_map *map, struct items *items)
{
	struct item *item;

	for (item = items->begin; item < items->end; item = next(item)) {
		if (item->state == NEW)
			gosync_map_enter(map, &item->key, value_of(item),
					 item->len);
		else
			store_over(map, item);
		if (item->len > GOSYNC_SHORT)
			cond_resched();
	}
}

static int take_and_store_all(struct gosync_map *map, struct items *items)
{
	u32 more;
	int ret;

	scoped_cond_guard(mutex_intr, return -ERESTARTSYS, &map->lock) {
		more = find_all(map, items);
		ret = more ? take_all(map, items, more) : 0;
		if (ret)
			return ret;
		store_all(map, items);
	}
	return 0;
}

/**
 * gosync_map_store_all() - store all items of a call, or none
 * @map: the Map
 * @args: the argument of GOSYNC_IOC_MAP_STORE_MANY
 *
 * Return: 0 or an error.
 */
int gosync_map_store_all(struct gosync_map *map,
			 const struct gosync_map_store_many_args *args)
{
	struct items items;
	int ret;

	ret = get_items(map, args, &items);
	if (ret)
		return ret;
	ret = take_and_store_all(map, &items);
	kvfree(items.begin);
	return ret;
}
