// SPDX-License-Identifier: GPL-2.0-only
/*
 * Map: Go's sync.Map between processes. Here is what happens between user space
 * and a map; how entries are found, and why nobody is misled, is told in
 * map_table.c.
 *
 * Keys and values are copied in before anything is locked. A key that is there
 * is read and stored over with its record's lock alone; who adds and removes
 * keys holds the map's mutex. Where a change returns what was there, that is
 * copied out first, with no lock, and the change made only if the record has
 * not been written since: a result that cannot be delivered changes nothing.
 */
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/random.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "map.h"

static unsigned int map_hash_mask = ~0;
module_param(map_hash_mask, uint, 0644);
MODULE_PARM_DESC(map_hash_mask,
		 "Bits of the hash that Maps created from now on use; for tests, to make keys collide");

/* --- Between user space and the map -------------------------------------- */

static void release(struct gosync_payload *value)
{
	if (value->data != value->small)
		kvfree(value->data);
}

static int make_room(struct gosync_payload *value, size_t room)
{
	value->len = room;
	value->data = value->small;
	if (room > sizeof(value->small))
		value->data = kvmalloc(room, GFP_KERNEL_ACCOUNT);
	return value->data ? 0 : -ENOMEM;
}

static int copy_in(struct gosync_map_obj *map, u64 buf, u64 len,
		   struct gosync_payload *value)
{
	int ret;

	if (len > map->value_size)
		return -EMSGSIZE;
	ret = make_room(value, len);
	if (ret)
		return ret;
	ret = gosync_copy_from_user(value->data, buf, len);
	if (ret)
		release(value);
	return ret;
}

static int copy_key(struct gosync_map_obj *map, const struct gosync_map *args,
		    struct gosync_map_key *key)
{
	if (args->flags || args->__reserved || !args->key_len ||
	    args->key_len > map->key_size)
		return -EINVAL;
	key->len = args->key_len;
	if (gosync_copy_from_user(key->data, args->key, key->len))
		return -EFAULT;
	key->hash = gosync_map_hash(gosync_map_page_of(map), key->data, key->len);
	return 0;
}

/* A value as it was: still so while the record has this count */
struct seen {
	struct gosync_map_record *record;
	u64 seq;
};

/*
 * Copy a key's value out to user space. Return: 0; -ENODATA if it is absent;
 * -EMSGSIZE if it is longer than *@len, which is set; other errors.
 */
static int copy_out(struct gosync_map_obj *map,
		    const struct gosync_map_key *key, u64 buf, u64 *len,
		    struct seen *seen)
{
	size_t room = min_t(u64, *len, map->value_size);
	struct gosync_map_record *record;
	struct gosync_payload value __uninitialized;
	int ret;

	ret = make_room(&value, room);
	if (ret)
		return ret;
	record = gosync_map_find(map, key);
	if (IS_ERR_OR_NULL(record)) {
		release(&value);
		return record ? PTR_ERR(record) : -ENODATA;
	}
	*len = record->value_len;
	if (*len <= room)
		gosync_copy(value.data, gosync_map_value_of(map, record), *len);
	seen->record = record;
	seen->seq = gosync_map_seq(record);
	gosync_map_unlock(record, false);

	if (*len > room)
		ret = -EMSGSIZE;
	else if (copy_to_user(u64_to_user_ptr(buf), value.data, *len))
		ret = -EFAULT;
	release(&value);
	return ret;
}

/*
 * Copy what was there out, where it may be unwanted. Return: 0 if it was there
 * and *@seen is to be held to; other errors.
 */
static int copy_old(struct gosync_map_obj *map,
		    const struct gosync_map_key *key, struct gosync_map *args,
		    u64 room, struct seen *seen)
{
	int ret;

	args->old_len = room;
	ret = copy_out(map, key, args->old_buf, &args->old_len, seen);
	if (ret == -EMSGSIZE && !args->old_buf)
		return 0;
	if (ret == -ENODATA)
		args->old_len = 0;
	return ret;
}

/* Lock a record that was seen; false if it has changed since. */
static bool lock_seen(const struct seen *seen)
{
	gosync_map_lock(seen->record);
	if (gosync_map_seq(seen->record) == seen->seq)
		return true;
	gosync_map_unlock(seen->record, false);
	return false;
}

/* Something else came in between: is that a reason to try again? */
static bool again(int *ret)
{
	if (*ret != -EAGAIN)
		return false;
	*ret = gosync_try_again();
	return !*ret;
}

/* --- The operations ------------------------------------------------------ */

long gosync_map_load(struct gosync_holder *holder, void *arg)
{
	struct gosync_map_obj *map = gosync_to_map(holder->obj);
	struct gosync_map *args = arg;
	struct seen unused;
	struct gosync_map_key key __uninitialized;
	int ret;

	if (args->old_buf || args->old_len)
		return -EINVAL;
	ret = copy_key(map, args, &key);
	if (ret)
		return ret;
	return copy_out(map, &key, args->buf, &args->len, &unused);
}

/* Add a key. Return: 0; -EAGAIN if it is there already; other errors */
static int add_new(struct gosync_map_obj *map, const struct gosync_map_key *key,
		   const struct gosync_payload *value)
{
	struct gosync_map_record *record;
	u64 *slot;

	scoped_cond_guard(mutex_intr, return -ERESTARTSYS, &map->lock) {
		record = gosync_map_find_held(map, key, &slot);
		if (!record)
			return gosync_map_add(map, key, value, slot);
		gosync_map_unlock(record, false);
	}
	return -EAGAIN;
}

/*
 * If @ret is no error the map has changed. What nobody has asked for is not
 * counted.
 */
static long changed(struct gosync_map_obj *map, long ret)
{
	if (ret < 0)
		return ret;
	/* Pairs with the one in version(): they see the change, or we see them. */
	smp_mb();
	if (READ_ONCE(map->asked)) {
		atomic64_inc(&map->changes);
		gosync_version_changed(&map->obj);
	}
	return ret;
}

static u64 version(struct gosync_object *obj)
{
	struct gosync_map_obj *map = gosync_to_map(obj);

	if (unlikely(!READ_ONCE(map->asked))) {
		WRITE_ONCE(map->asked, true);
		/* Pairs with the one in changed(). */
		smp_mb();
	}
	return atomic64_read(&map->changes);
}

static int store(struct gosync_map_obj *map, const struct gosync_map_key *key,
		 const struct gosync_payload *value)
{
	struct gosync_map_record *record = gosync_map_find(map, key);

	if (IS_ERR(record))
		return PTR_ERR(record);
	if (!record)
		return add_new(map, key, value);
	gosync_map_put(map, record, value);
	gosync_map_unlock(record, true);
	return 0;
}

long gosync_map_store(struct gosync_holder *holder, void *arg)
{
	struct gosync_map_obj *map = gosync_to_map(holder->obj);
	struct gosync_map *args = arg;
	struct gosync_payload value __uninitialized;
	struct gosync_map_key key __uninitialized;
	int ret;

	if (args->old_buf || args->old_len)
		return -EINVAL;
	ret = copy_key(map, args, &key);
	if (!ret)
		ret = copy_in(map, args->buf, args->len, &value);
	if (ret)
		return ret;
	do {
		ret = store(map, &key, &value);
	} while (again(&ret));
	release(&value);
	return changed(map, ret);
}

/*
 * The old value goes to user space before anything is changed, without a lock,
 * so that a bad pointer changes nothing; if it was changed meanwhile, again.
 */
static int swap_value(struct gosync_map_obj *map,
		      const struct gosync_map_key *key,
		      const struct gosync_payload *value, struct gosync_map *args,
		      u64 room)
{
	struct seen seen;
	int ret;

	ret = copy_old(map, key, args, room, &seen);
	if (ret == -ENODATA)
		return add_new(map, key, value);
	if (ret)
		return ret;
	if (!lock_seen(&seen))
		return -EAGAIN;
	gosync_map_put(map, seen.record, value);
	gosync_map_unlock(seen.record, true);
	return 1;
}

static int load_or_store(struct gosync_map_obj *map,
			 const struct gosync_map_key *key,
			 const struct gosync_payload *value, struct gosync_map *args,
			 u64 room)
{
	struct seen seen;
	int ret = copy_old(map, key, args, room, &seen);

	if (ret == -ENODATA)
		return add_new(map, key, value);
	return ret ?: 1;
}

static long exchange(struct gosync_map_obj *map, struct gosync_map *args,
		     int (*op)(struct gosync_map_obj *map,
			       const struct gosync_map_key *key,
			       const struct gosync_payload *value,
			       struct gosync_map *args, u64 room))
{
	u64 room = args->old_len;
	struct gosync_payload value __uninitialized;
	struct gosync_map_key key __uninitialized;
	int ret;

	if (!args->old_buf && room)
		return -EINVAL;
	ret = copy_key(map, args, &key);
	if (!ret)
		ret = copy_in(map, args->buf, args->len, &value);
	if (ret)
		return ret;
	do {
		ret = op(map, &key, &value, args, room);
	} while (again(&ret));
	release(&value);
	return ret;
}

long gosync_map_swap(struct gosync_holder *holder, void *arg)
{
	struct gosync_map_obj *map = gosync_to_map(holder->obj);

	return changed(map, exchange(map, arg, swap_value));
}

long gosync_map_load_or_store(struct gosync_holder *holder, void *arg)
{
	struct gosync_map_obj *map = gosync_to_map(holder->obj);
	long ret = exchange(map, arg, load_or_store);

	return ret ?: changed(map, ret);
}

/* Remove a key if it is as it was seen */
static int delete_seen(struct gosync_map_obj *map,
		       const struct gosync_map_key *key,
		       const struct seen *seen)
{
	struct gosync_map_record *record;
	u64 *slot;

	scoped_cond_guard(mutex_intr, return -ERESTARTSYS, &map->lock) {
		record = gosync_map_find_held(map, key, &slot);
		if (record == seen->record && gosync_map_seq(record) == seen->seq) {
			gosync_map_remove(map, record, slot);
			return 0;
		}
		if (record)
			gosync_map_unlock(record, false);
	}
	return -EAGAIN;
}

long gosync_map_load_and_delete(struct gosync_holder *holder, void *arg)
{
	struct gosync_map_obj *map = gosync_to_map(holder->obj);
	struct gosync_map *args = arg;
	u64 room = args->old_len;
	struct seen seen;
	struct gosync_map_key key __uninitialized;
	int ret;

	if (args->buf || args->len || (!args->old_buf && room))
		return -EINVAL;
	ret = copy_key(map, args, &key);
	if (ret)
		return ret;
	do {
		ret = copy_old(map, &key, args, room, &seen);
		if (!ret)
			ret = delete_seen(map, &key, &seen);
	} while (again(&ret));
	return changed(map, ret);
}

long gosync_map_delete(struct gosync_holder *holder, void *arg)
{
	struct gosync_map_obj *map = gosync_to_map(holder->obj);
	struct gosync_map_record *record;
	struct gosync_map *args = arg;
	struct gosync_map_key key __uninitialized;
	u64 *slot;
	int ret;

	if (args->buf || args->len || args->old_buf || args->old_len)
		return -EINVAL;
	ret = copy_key(map, args, &key);
	if (ret)
		return ret;
	scoped_cond_guard(mutex_intr, return -ERESTARTSYS, &map->lock) {
		record = gosync_map_find_held(map, &key, &slot);
		if (record)
			gosync_map_remove(map, record, slot);
	}
	return record ? changed(map, 1) : 0;
}

long gosync_map_cas(struct gosync_holder *holder, void *arg)
{
	struct gosync_map_obj *map = gosync_to_map(holder->obj);
	struct gosync_map_record *record;
	struct gosync_map *args = arg;
	struct gosync_payload old __uninitialized;
	struct gosync_payload new __uninitialized;
	bool equal = false;
	struct gosync_map_key key __uninitialized;
	int ret;

	ret = copy_key(map, args, &key);
	if (!ret)
		ret = copy_in(map, args->old_buf, args->old_len, &old);
	if (ret)
		return ret;
	ret = copy_in(map, args->buf, args->len, &new);
	if (ret)
		goto out;
	record = gosync_map_find(map, &key);
	if (IS_ERR(record)) {
		ret = PTR_ERR(record);
	} else if (record) {
		equal = gosync_map_has(map, record, &old);
		if (equal)
			gosync_map_put(map, record, &new);
		gosync_map_unlock(record, equal);
	}
	release(&new);
out:
	release(&old);
	return equal ? changed(map, 1) : ret;
}

static int compare_and_delete(struct gosync_map_obj *map,
			      const struct gosync_map_key *key,
			      const struct gosync_payload *old)
{
	struct gosync_map_record *record;
	u64 *slot;

	scoped_cond_guard(mutex_intr, return -ERESTARTSYS, &map->lock) {
		record = gosync_map_find_held(map, key, &slot);
		if (record && gosync_map_has(map, record, old)) {
			gosync_map_remove(map, record, slot);
			return 1;
		}
		if (record)
			gosync_map_unlock(record, false);
	}
	return 0;
}

long gosync_map_compare_and_delete(struct gosync_holder *holder, void *arg)
{
	struct gosync_map_obj *map = gosync_to_map(holder->obj);
	struct gosync_map *args = arg;
	struct gosync_payload old __uninitialized;
	struct gosync_map_key key __uninitialized;
	int ret;

	if (args->buf || args->len)
		return -EINVAL;
	ret = copy_key(map, args, &key);
	if (!ret)
		ret = copy_in(map, args->old_buf, args->old_len, &old);
	if (ret)
		return ret;
	ret = compare_and_delete(map, &key, &old);
	release(&old);
	return ret ? changed(map, ret) : 0;
}

long gosync_map_clear(struct gosync_holder *holder, void *arg)
{
	struct gosync_map_obj *map = gosync_to_map(holder->obj);

	scoped_cond_guard(mutex_intr, return -ERESTARTSYS, &map->lock)
		gosync_map_drop_all(map);
	return changed(map, 0);
}

/* --- Walking ------------------------------------------------------------- */

static int begin_walk(struct gosync_map_obj *map, struct gosync_map_range *args)
{
	struct gosync_map_page *page = gosync_map_page_of(map);

	scoped_cond_guard(mutex_intr, return -ERESTARTSYS, &map->lock) {
		args->cursor = 1;
		args->after = page->cleared[gosync_map_version(page->table) & 1];
		args->until = page->born;
	}
	return 0;
}

static size_t size_of_item(u32 key_len, u32 value_len)
{
	return sizeof(struct gosync_map_item) + ALIGN(key_len, 8) +
	       ALIGN(value_len, 8);
}

/* Copy a record to @item. Return: its size there, 0 if the walk passes by */
static size_t copy_record(struct gosync_map_obj *map,
			  struct gosync_map_record *record,
			  const struct gosync_map_range *args,
			  struct gosync_map_item *item)
{
	size_t size = 0;
	void *to = item + 1;

	gosync_map_lock(record);
	if (record->key_len && record->born > args->after &&
	    record->born <= args->until) {
		size = size_of_item(record->key_len, record->value_len);
		memset(item, 0, size);
		item->key_len = record->key_len;
		item->value_len = record->value_len;
		memcpy(to, record + 1, record->key_len);
		memcpy(to + ALIGN(record->key_len, 8), gosync_map_value_of(map, record),
		       record->value_len);
	}
	gosync_map_unlock(record, false);
	return size;
}

static long walk(struct gosync_map_obj *map, struct gosync_map_range *args,
		 struct gosync_map_item *item)
{
	struct gosync_map_page *page = gosync_map_page_of(map);
	u64 number, done = 0;
	long found = 0;
	size_t size;

	/* What is not in use any more was cleared. Pairs with gosync_map_add(). */
	for (number = args->cursor - 1; number < smp_load_acquire(&page->used);
	     number++) {
		if (number % GOSYNC_MAP_BATCH == GOSYNC_MAP_BATCH - 1) {
			cond_resched();
			if (fatal_signal_pending(current))
				return -EINTR;
		}
		size = copy_record(map, gosync_map_record_at(map, number), args, item);
		if (!size)
			continue;
		if (size > args->len - done) {
			if (found)
				break;
			args->len = size;
			return -EMSGSIZE;
		}
		if (copy_to_user(u64_to_user_ptr(args->buf) + done, item, size))
			return -EFAULT;
		done += size;
		found++;
		args->cursor = number + 2;
	}
	return found;
}

long gosync_map_range(struct gosync_holder *holder, void *arg)
{
	struct gosync_map_obj *map = gosync_to_map(holder->obj);
	struct gosync_map_range *args = arg;
	struct gosync_map_item *item;
	long ret;

	if (args->flags)
		return -EINVAL;
	item = kvmalloc(size_of_item(map->key_size, map->value_size),
			GFP_KERNEL);
	if (!item)
		return -ENOMEM;
	ret = args->cursor ? 0 : begin_walk(map, args);
	if (!ret)
		ret = walk(map, args, item);
	kvfree(item);
	return ret;
}

/* --- The object ---------------------------------------------------------- */

static size_t area_size(u32 type, u64 capacity)
{
	return sizeof(struct gosync_map_page);
}

static int init(struct gosync_object *obj, const struct gosync_open *args)
{
	struct gosync_map_obj *map = gosync_to_map(obj);
	struct gosync_map_page *page = gosync_map_page_of(map);

	mutex_init(&map->lock);
	map->key_size = args->key_size ?: 64;
	map->value_size = args->value_size ?: 256;
	page->seed = get_random_u64();
	page->hash_mask = map_hash_mask;
	atomic64_set(&map->changes, 1);
	gosync_map_lay_out(map);
	return 0;
}

static bool matches(const struct gosync_object *obj,
		    const struct gosync_open *args)
{
	const struct gosync_map_obj *map =
		container_of(obj, struct gosync_map_obj, obj);

	return (!args->key_size || args->key_size == map->key_size) &&
	       (!args->value_size || args->value_size == map->value_size);
}

static void info(struct gosync_object *obj, const struct gosync_holder *holder,
		 struct gosync_info *info)
{
	struct gosync_map_obj *map = gosync_to_map(obj);

	info->word = READ_ONCE(gosync_map_page_of(map)->count);
	info->key_size = map->key_size;
	info->value_size = map->value_size;
	if (info->map_len)
		info->map_data = gosync_map_page_of(map)->records;
}

const struct gosync_ops gosync_map_ops = {
	.name = "map",
	.size = sizeof(struct gosync_map_obj),
	.read_only = true,
	.default_capacity = 4096,
	.max_capacity = 4 << 20,
	.area_size = area_size,
	.matches = matches,
	.init = init,
	.left = gosync_version_left,
	.in = &gosync_version_op,
	.version = version,
	.info = info,
};
