// SPDX-License-Identifier: GPL-2.0-only
/*
 * Map: Go's sync.Map between processes. This file has the ioctls, which copy
 * from and to user space. map_table.c tells how entries are found, and why no
 * reader is misled.
 *
 * Keys and values are copied in before anything is locked. An existing key is
 * read and stored over with its record's lock alone. To add or remove a key
 * takes the map's mutex. A value is copied out straight from the record to user
 * space, under the record's lock. If a page of user space is not there, the
 * lock is dropped to touch the page, and everything is done again. An operation
 * that returns the value from before its change copies that out first: so a
 * result that cannot be delivered changes nothing.
 */
#include <linux/module.h>
#include <linux/sched/signal.h>

#include "map.h"
#include "wait.h"

static unsigned int map_hash_mask = ~0;
module_param(map_hash_mask, uint, 0644);
MODULE_PARM_DESC(map_hash_mask,
		 "Bits of the hash that Maps created from now on use; for tests, to make keys collide");

/* --- Between user space and the map -------------------------------------- */

static int map_copy_in(struct gosync_map *map, u64 buf, u64 len,
		       struct gosync_payload *value)
{
	if (len > map->value_size)
		return -EMSGSIZE;
	return gosync_payload_get(value, buf, len);
}

static int map_copy_key(struct gosync_map *map,
			const struct gosync_map_args *args,
			struct gosync_map_key *key)
{
	if (args->flags || args->__reserved || !args->key_len ||
	    args->key_len > map->key_size)
		return -EINVAL;
	key->len = args->key_len;
	key->table = U64_MAX;
	return gosync_copy_from_user(key->data, args->key, key->len);
}

/*
 * Copy a locked record's value to user space, and set *@len to its length.
 * Return: 0; -EMSGSIZE if it is longer than @room; -EAGAIN if gosync_fault_in()
 * has to be called first.
 */
static int map_copy_out(struct gosync_map *map,
			struct gosync_map_record *record, u64 buf, u64 room,
			u64 *len)
{
	*len = record->value_len;
	if (*len > room)
		return -EMSGSIZE;
	return gosync_copy_out(buf, gosync_map_value_of(map, record), *len);
}

/* The same with the old value before a change, which the caller may not want */
static int map_copy_old(struct gosync_map *map,
			struct gosync_map_record *record,
			struct gosync_map_args *args, u64 room)
{
	int ret;

	ret = map_copy_out(map, record, args->old_buf, room, &args->old_len);
	return ret == -EMSGSIZE && !args->old_buf ? 0 : ret;
}

/* --- The operations ------------------------------------------------------ */

static int map_load(struct gosync_map *map, struct gosync_map_key *key,
		    struct gosync_map_args *args, u64 room)
{
	struct gosync_map_record *record = gosync_map_find(map, key);
	int ret;

	if (IS_ERR_OR_NULL(record))
		return record ? PTR_ERR(record) : -ENODATA;
	ret = map_copy_out(map, record, args->buf, room, &args->len);
	gosync_map_unlock(record, false);
	return ret;
}

static long gosync_map_load(struct gosync_holder *holder, void *arg)
{
	struct gosync_map *map = gosync_to_map(holder->obj);
	struct gosync_map_args *args = arg;
	u64 room = args->len;
	struct gosync_map_key key __uninitialized;
	int ret;

	if (args->old_buf || args->old_len)
		return -EINVAL;
	ret = map_copy_key(map, args, &key);
	if (ret)
		return ret;
	do {
		ret = map_load(map, &key, args, room);
	} while (gosync_fault_in(&ret, args->buf, args->len));
	return ret;
}

/*
 * If @ret is no error, the map has changed. Changes are counted only after the
 * version has been asked for.
 */
static long map_changed(struct gosync_map *map, long ret)
{
	if (ret < 0)
		return ret;
	/*
	 * MV, pairs with map_version(): it sees the change, or we see that it
	 * asks.
	 */
	smp_mb();
	if (READ_ONCE(map->asked)) {
		atomic64_inc(&map->changes);
		gosync_version_changed(&map->obj);
	}
	return ret;
}

static u64 map_version(struct gosync_object *obj)
{
	struct gosync_map *map = gosync_to_map(obj);

	if (unlikely(!READ_ONCE(map->asked))) {
		WRITE_ONCE(map->asked, true);
		/* MV, pairs with map_changed(). */
		smp_mb();
	}
	return atomic64_read(&map->changes);
}

/*
 * An operation on an existing key; it unlocks the record, which the caller has
 * locked. It copies the old value to user space before it changes anything, so
 * that a bad pointer changes nothing. The record stays locked for both, so no
 * other change comes in between.
 */
typedef int there_t(struct gosync_map *map,
		    struct gosync_map_record *record,
		    const struct gosync_payload *value, struct gosync_map_args *args,
		    u64 room);

static int store_there(struct gosync_map *map,
		       struct gosync_map_record *record,
		       const struct gosync_payload *value,
		       struct gosync_map_args *args, u64 room)
{
	gosync_map_put(map, record, value->data, value->len);
	gosync_map_unlock(record, true);
	return 0;
}

static int swap_there(struct gosync_map *map,
		      struct gosync_map_record *record,
		      const struct gosync_payload *value,
		      struct gosync_map_args *args, u64 room)
{
	int ret = map_copy_old(map, record, args, room);

	if (!ret)
		gosync_map_put(map, record, value->data, value->len);
	gosync_map_unlock(record, !ret);
	return ret ?: 1;
}

static int load_there(struct gosync_map *map,
		      struct gosync_map_record *record,
		      const struct gosync_payload *value,
		      struct gosync_map_args *args, u64 room)
{
	int ret = map_copy_old(map, record, args, room);

	gosync_map_unlock(record, false);
	return ret ?: 1;
}

/*
 * Do @there with an existing key; otherwise look again with the mutex, and add
 * it. Inlined, so that it knows @there.
 */
static __always_inline
int map_there_or_add(struct gosync_map *map, struct gosync_map_key *key,
		     const struct gosync_payload *value,
		     struct gosync_map_args *args, u64 room, there_t *there)
{
	struct gosync_map_record *record = gosync_map_find(map, key);
	int ret;

	if (IS_ERR(record))
		return PTR_ERR(record);
	if (record)
		return there(map, record, value, args, room);
	scoped_cond_guard(mutex_intr, return -ERESTARTSYS, &map->lock) {
		record = gosync_map_find_held(map, key);
		if (record)
			return there(map, record, value, args, room);
		args->old_len = 0;
		ret = gosync_map_add(map, key, value->data, value->len);
	}
	return ret;
}

static __always_inline
int map_exchange(struct gosync_map *map, struct gosync_map_args *args,
		 there_t *there)
{
	u64 room = args->old_len;
	struct gosync_payload value __uninitialized;
	struct gosync_map_key key __uninitialized;
	int ret;

	if (!args->old_buf && room)
		return -EINVAL;
	ret = map_copy_key(map, args, &key);
	if (!ret)
		ret = map_copy_in(map, args->buf, args->len, &value);
	if (ret)
		return ret;
	do {
		ret = map_there_or_add(map, &key, &value, args, room, there);
	} while (gosync_fault_in(&ret, args->old_buf, args->old_len));
	gosync_payload_put(&value);
	return ret;
}

static long gosync_map_store(struct gosync_holder *holder, void *arg)
{
	struct gosync_map *map = gosync_to_map(holder->obj);
	struct gosync_map_args *args = arg;

	if (args->old_buf || args->old_len)
		return -EINVAL;
	return map_changed(map, map_exchange(map, args, store_there));
}

static long gosync_map_swap(struct gosync_holder *holder, void *arg)
{
	struct gosync_map *map = gosync_to_map(holder->obj);

	return map_changed(map, map_exchange(map, arg, swap_there));
}

static long gosync_map_load_or_store(struct gosync_holder *holder, void *arg)
{
	struct gosync_map *map = gosync_to_map(holder->obj);
	long ret = map_exchange(map, arg, load_there);

	return ret ?: map_changed(map, ret);
}

static long gosync_map_store_many(struct gosync_holder *holder, void *arg)
{
	struct gosync_map *map = gosync_to_map(holder->obj);

	return map_changed(map, gosync_map_store_all(map, arg));
}

static int map_load_and_delete(struct gosync_map *map,
			       struct gosync_map_key *key,
			       struct gosync_map_args *args, u64 room)
{
	struct gosync_map_record *record;
	int ret;

	scoped_cond_guard(mutex_intr, return -ERESTARTSYS, &map->lock) {
		record = gosync_map_find_held(map, key);
		if (!record)
			return -ENODATA;
		ret = map_copy_old(map, record, args, room);
		if (ret)
			gosync_map_unlock(record, false);
		else
			gosync_map_remove(map, record, key);
	}
	return ret;
}

static long gosync_map_load_and_delete(struct gosync_holder *holder, void *arg)
{
	struct gosync_map *map = gosync_to_map(holder->obj);
	struct gosync_map_args *args = arg;
	u64 room = args->old_len;
	struct gosync_map_key key __uninitialized;
	int ret;

	if (args->buf || args->len || (!args->old_buf && room))
		return -EINVAL;
	ret = map_copy_key(map, args, &key);
	if (ret)
		return ret;
	do {
		ret = map_load_and_delete(map, &key, args, room);
	} while (gosync_fault_in(&ret, args->old_buf, args->old_len));
	return map_changed(map, ret);
}

static long gosync_map_delete(struct gosync_holder *holder, void *arg)
{
	struct gosync_map *map = gosync_to_map(holder->obj);
	struct gosync_map_record *record;
	struct gosync_map_args *args = arg;
	struct gosync_map_key key __uninitialized;
	int ret;

	if (args->buf || args->len || args->old_buf || args->old_len)
		return -EINVAL;
	ret = map_copy_key(map, args, &key);
	if (ret)
		return ret;
	scoped_cond_guard(mutex_intr, return -ERESTARTSYS, &map->lock) {
		record = gosync_map_find_held(map, &key);
		if (record)
			gosync_map_remove(map, record, &key);
	}
	return record ? map_changed(map, 1) : 0;
}

static long gosync_map_cas(struct gosync_holder *holder, void *arg)
{
	struct gosync_map *map = gosync_to_map(holder->obj);
	struct gosync_map_record *record;
	struct gosync_map_args *args = arg;
	struct gosync_payload old __uninitialized;
	struct gosync_payload new __uninitialized;
	bool equal = false;
	struct gosync_map_key key __uninitialized;
	int ret;

	ret = map_copy_key(map, args, &key);
	if (!ret)
		ret = map_copy_in(map, args->old_buf, args->old_len, &old);
	if (ret)
		return ret;
	ret = map_copy_in(map, args->buf, args->len, &new);
	if (ret)
		goto out;
	record = gosync_map_find(map, &key);
	if (IS_ERR(record)) {
		ret = PTR_ERR(record);
	} else if (record) {
		equal = gosync_map_has(map, record, &old);
		if (equal)
			gosync_map_put(map, record, new.data, new.len);
		gosync_map_unlock(record, equal);
	}
	gosync_payload_put(&new);
out:
	gosync_payload_put(&old);
	return equal ? map_changed(map, 1) : ret;
}

static int map_compare_and_delete(struct gosync_map *map,
				  struct gosync_map_key *key,
				  const struct gosync_payload *old)
{
	struct gosync_map_record *record;

	scoped_cond_guard(mutex_intr, return -ERESTARTSYS, &map->lock) {
		record = gosync_map_find_held(map, key);
		if (record && gosync_map_has(map, record, old)) {
			gosync_map_remove(map, record, key);
			return 1;
		}
		if (record)
			gosync_map_unlock(record, false);
	}
	return 0;
}

static long gosync_map_compare_and_delete(struct gosync_holder *holder, void *arg)
{
	struct gosync_map *map = gosync_to_map(holder->obj);
	struct gosync_map_args *args = arg;
	struct gosync_payload old __uninitialized;
	struct gosync_map_key key __uninitialized;
	int ret;

	if (args->buf || args->len)
		return -EINVAL;
	ret = map_copy_key(map, args, &key);
	if (!ret)
		ret = map_copy_in(map, args->old_buf, args->old_len, &old);
	if (ret)
		return ret;
	ret = map_compare_and_delete(map, &key, &old);
	gosync_payload_put(&old);
	return ret ? map_changed(map, ret) : 0;
}

static long gosync_map_clear(struct gosync_holder *holder, void *arg)
{
	struct gosync_map *map = gosync_to_map(holder->obj);
	u64 born, used;
	long ret;

	scoped_cond_guard(mutex_intr, return -ERESTARTSYS, &map->lock)
		gosync_map_drop_all(map, &born, &used);
	ret = map_changed(map, 0);
	gosync_map_wipe(map, born, used);
	return ret;
}

/* --- Walking ------------------------------------------------------------- */

static int map_begin_walk(struct gosync_map *map,
			  struct gosync_map_range_args *args)
{
	struct gosync_map_page *page = gosync_map_page_of(map);

	scoped_cond_guard(mutex_intr, return -ERESTARTSYS, &map->lock) {
		args->cursor = 1;
		args->after = gosync_map_rules_of(page, page->table)->cleared;
		args->until = page->born;
	}
	return 0;
}

static size_t size_of_item(u32 key_len, u32 value_len)
{
	return sizeof(struct gosync_map_item) + ALIGN(key_len, 8) +
	       ALIGN(value_len, 8);
}

/* An item has the layout of a record from key_len on. */
static_assert(offsetof(struct gosync_map_item, value_len) ==
	      offsetof(struct gosync_map_record, value_len) -
	      offsetof(struct gosync_map_record, key_len));
static_assert(sizeof(struct gosync_map_item) ==
	      sizeof(struct gosync_map_record) -
	      offsetof(struct gosync_map_record, key_len));

/* Copy a record to user space, with the zeros that follow its key and value. */
static int map_copy_item(struct gosync_map *map,
			 struct gosync_map_record *record, u64 to)
{
	size_t len = sizeof(struct gosync_map_item) + ALIGN(record->key_len, 8);
	int ret = gosync_copy_out(to, &record->key_len, len);

	return ret ?: gosync_copy_out(to + len, gosync_map_value_of(map, record),
				      ALIGN(record->value_len, 8));
}

/*
 * Copy a record to user space if the walk visits it. *@size is its size there,
 * 0 if the walk does not visit it. Return: 0, -EAGAIN, or -EMSGSIZE as
 * map_copy_out().
 */
static int map_visit(struct gosync_map *map, struct gosync_map_record *record,
		     const struct gosync_map_range_args *args, u64 to, u64 room,
		     size_t *size)
{
	int ret = 0;

	*size = 0;
	gosync_map_lock(record);
	if (record->key_len && record->born > args->after &&
	    record->born <= args->until) {
		*size = size_of_item(record->key_len, record->value_len);
		ret = *size > room ? -EMSGSIZE : map_copy_item(map, record, to);
	}
	gosync_map_unlock(record, false);
	return ret;
}

static long map_walk(struct gosync_map *map, struct gosync_map_range_args *args)
{
	struct gosync_map_page *page = gosync_map_page_of(map);
	u64 number, done = 0;
	long found = 0;
	size_t size;
	int ret;

	/* Clear makes @used smaller. U: pairs with map_take_record(). */
	for (number = args->cursor - 1; number < smp_load_acquire(&page->used);
	     number++) {
		if (number % GOSYNC_MAP_BATCH == GOSYNC_MAP_BATCH - 1) {
			cond_resched();
			if (fatal_signal_pending(current))
				return -EINTR;
		}
		do {
			ret = map_visit(map, gosync_map_record_at(map, number),
					args, args->buf + done,
					args->len - done, &size);
		} while (gosync_fault_in(&ret, args->buf + done, size));
		if (ret == -EMSGSIZE && !found)
			args->len = size;
		if (ret)
			return ret == -EMSGSIZE && found ? found : ret;
		if (!size)
			continue;
		done += size;
		found++;
		args->cursor = number + 2;
	}
	return found;
}

static long gosync_map_range(struct gosync_holder *holder, void *arg)
{
	struct gosync_map *map = gosync_to_map(holder->obj);
	struct gosync_map_range_args *args = arg;
	long ret;

	if (args->flags)
		return -EINVAL;
	ret = args->cursor ? 0 : map_begin_walk(map, args);
	return ret ?: map_walk(map, args);
}

/* --- The object ---------------------------------------------------------- */

static size_t map_area_size(u32 type, u64 capacity)
{
	return sizeof(struct gosync_map_page);
}

static int map_init(struct gosync_object *obj,
		    const struct gosync_open_args *args)
{
	struct gosync_map *map = gosync_to_map(obj);
	struct gosync_map_page *page = gosync_map_page_of(map);

	mutex_init(&map->lock);
	map->key_size = args->key_size ?: 64;
	map->value_size = args->value_size ?: 256;
	page->hash_mask = map_hash_mask;
	atomic64_set(&map->changes, 1);
	gosync_map_lay_out(map);
	return 0;
}

static bool map_matches(const struct gosync_object *obj,
			const struct gosync_open_args *args)
{
	const struct gosync_map *map =
		container_of(obj, struct gosync_map, obj);

	return (!args->key_size || args->key_size == map->key_size) &&
	       (!args->value_size || args->value_size == map->value_size);
}

static void map_info(struct gosync_object *obj,
		     const struct gosync_holder *holder,
		     struct gosync_info *info)
{
	struct gosync_map *map = gosync_to_map(obj);

	/* C: pairs with map_count(). */
	info->word = smp_load_acquire(&gosync_map_page_of(map)->count);
	info->key_size = map->key_size;
	info->value_size = map->value_size;
	if (info->map_len)
		info->map_data = gosync_map_page_of(map)->records;
}

static const struct gosync_ioctl ioctls[] = {
	GOSYNC_IOCTL_ARG(MAP_LOAD, GOSYNC_RESULTS, gosync_map_load, map),
	GOSYNC_IOCTL_ARG(MAP_STORE, GOSYNC_WRITES, gosync_map_store, map),
	GOSYNC_IOCTL_ARG(MAP_LOAD_OR_STORE, GOSYNC_WRITES | GOSYNC_RESULTS,
			 gosync_map_load_or_store, map),
	GOSYNC_IOCTL_ARG(MAP_LOAD_AND_DELETE, GOSYNC_WRITES | GOSYNC_RESULTS,
			 gosync_map_load_and_delete, map),
	GOSYNC_IOCTL_ARG(MAP_DELETE, GOSYNC_WRITES, gosync_map_delete, map),
	GOSYNC_IOCTL_ARG(MAP_SWAP, GOSYNC_WRITES | GOSYNC_RESULTS,
			 gosync_map_swap, map),
	GOSYNC_IOCTL_ARG(MAP_CAS, GOSYNC_WRITES, gosync_map_cas, map),
	GOSYNC_IOCTL_ARG(MAP_COMPARE_AND_DELETE, GOSYNC_WRITES,
			 gosync_map_compare_and_delete, map),
	GOSYNC_IOCTL_ARG(MAP_RANGE, GOSYNC_RESULTS, gosync_map_range,
			 map_range),
	GOSYNC_IOCTL(MAP_CLEAR, GOSYNC_WRITES, gosync_map_clear),
	GOSYNC_IOCTL_ARG(MAP_WAIT, GOSYNC_RESULTS, gosync_version_wait,
			 version_wait, .wait = &gosync_version_op),
	GOSYNC_IOCTL_ARG(MAP_STORE_MANY, GOSYNC_WRITES, gosync_map_store_many,
			 map_store_many),
};

const struct gosync_ops gosync_map_ops = {
	.name = "map",
	.size = sizeof(struct gosync_map),
	.ioctls = ioctls,
	.nr_ioctls = ARRAY_SIZE(ioctls),
	.read_only = true,
	.grows = true,
	.default_capacity = 4096,
	.max_capacity = GOSYNC_MAP_ENTRIES,
	.max_key_size = GOSYNC_MAP_KEY_MAX,
	.max_value_size = GOSYNC_MAP_VALUE_MAX,
	.area_size = map_area_size,
	.matches = map_matches,
	.init = map_init,
	.left = gosync_version_left,
	.in = &gosync_version_op,
	.watched = gosync_version_watched,
	.version = map_version,
	.info = map_info,
};
