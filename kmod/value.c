// SPDX-License-Identifier: GPL-2.0-only
/*
 * Value: Go's atomic.Value between processes.
 *
 * Payloads are kept in a few slots that are used in turn. A version number
 * counts the stores, and so tells in which slot the present payload is.
 * Processes map all of it read-only. A reader copies the slot of the version
 * that it saw. Then it checks whether the version has come so far that the slot
 * may have been written again. Readers write nothing, so they don't disturb
 * each other.
 *
 * A writer copies the payload in from user space before it touches anything.
 * Then a mutex excludes other writers: user space cannot stop its owner. A
 * payload that is copied out under the mutex, straight from the slot, waits for
 * no page.
 *
 * The type is Go's second word. The first store sets it from 0 to all ones,
 * publishes the payload, and sets the type. Preemption is disabled meanwhile.
 * So a reader that sees all ones knows that the writer is running and will be
 * done in a few instructions, and it may spin. From then on the type never
 * changes.
 *
 * While another node of a cluster may store, the type is all ones, too: then who reads
 * asks the kernel (value_cluster.c).
 *
 * Barriers, by letters; the other halves are in libuser/value.c, and in
 * value_version().
 *
 *	V1	value_publish(): release of the version
 *		acquire of it: the payload is in its slot
 *	V2	gosync_value_fill(): smp_wmb(), from the version before to the slot
 *		fence, from the slot to the version again: a reader that saw
 *		any part of another payload sees a version that is too far on
 *	V3	value_publish(): release of the type
 *		acquire of it: there is a version
 */
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/string.h>

#include "trace.h"
#include "value.h"
#include "visit.h"

static struct gosync_value *to_value(struct gosync_object *obj)
{
	return container_of(obj, struct gosync_value, obj);
}

static u64 type_of(struct gosync_value *value)
{
	struct gosync_value_page *page = value->obj.state;

	lockdep_assert_held(&value->lock);
	return page->type;
}

static void value_publish(struct gosync_value *value, u64 type,
			  const struct gosync_payload *payload)
{
	struct gosync_value_page *page = value->obj.state;

	lockdep_assert_held(&value->lock);
	gosync_value_fill(value, payload->data, payload->len);
	if (page->type) {
		/* V1: pairs with the acquire in the reader's first look. */
		smp_store_release(&page->version, value->version);
		return;
	}
	preempt_disable();
	cmpxchg(&page->type, 0, GOSYNC_VALUE_STORING);
	/* V1, as above. */
	smp_store_release(&page->version, value->version);
	/*
	 * V3: with the type there is a version. Pairs with the reader's
	 * acquire.
	 */
	smp_store_release(&page->type, type);
	preempt_enable();
}

/*
 * Copy the present payload to user space, and set *@len to its length. Return:
 * 0;
 * -EMSGSIZE if it is longer than @room; -EAGAIN if gosync_fault_in() has to be
 * called first.
 */
static int value_copy_out(struct gosync_value *value, u64 buf, u64 room,
			  u64 *len)
{
	struct gosync_value_slot *slot = gosync_value_slot_of(value, value->version);

	lockdep_assert_held(&value->lock);
	*len = slot->len;
	if (*len > room)
		return -EMSGSIZE;
	return gosync_copy_out(buf, slot + 1, *len);
}

static int check_type(u64 type)
{
	return !type || type == GOSYNC_VALUE_STORING ? -EINVAL : 0;
}

static int value_load(struct gosync_value *value,
		      struct gosync_value_args *args, u64 room)
{
	int ret;

	scoped_cond_guard(mutex_intr, return -ERESTARTSYS, &value->lock) {
		args->version = value->version;
		args->type = type_of(value);
		if (!args->type)
			return -ENODATA;
		ret = value_copy_out(value, args->buf, room, &args->len);
	}
	return ret;
}

static long gosync_value_load(struct gosync_holder *holder, void *arg)
{
	struct gosync_value_args *args = arg;
	u64 room = args->len;
	int ret;

	if (args->flags || args->type || args->old_type || args->old_buf ||
	    args->old_len)
		return -EINVAL;
	if (unlikely(holder->obj->cluster))
		return gosync_value_visit(holder, args, GOSYNC_VALUE_LOADS);
	do {
		ret = value_load(to_value(holder->obj), args, room);
	} while (gosync_fault_in(&ret, args->buf, args->len));
	/* A poller is told of later versions than this one. */
	if (!ret)
		WRITE_ONCE(holder->watch_value, args->version);
	return ret;
}

static int value_store(struct gosync_value *value,
		       struct gosync_value_args *args,
		       const struct gosync_payload *payload)
{
	scoped_cond_guard(mutex_intr, return -ERESTARTSYS, &value->lock) {
		u64 stored = type_of(value);

		if (stored && stored != args->type)
			return -EPROTOTYPE;
		value_publish(value, args->type, payload);
		args->version = value->version;
	}
	return 0;
}

static void value_stored(struct gosync_holder *holder)
{
	trace_gosync_value_store(holder->obj, holder->id);
	gosync_version_changed(holder->obj);
}

static long gosync_value_store(struct gosync_holder *holder, void *arg)
{
	struct gosync_value *value = to_value(holder->obj);
	struct gosync_value_args *args = arg;
	struct gosync_payload new __uninitialized;
	int ret;

	if (args->flags || args->old_type || args->old_buf || args->old_len ||
	    check_type(args->type))
		return -EINVAL;
	if (unlikely(holder->obj->cluster))
		return gosync_value_visit(holder, args, GOSYNC_VALUE_STORES);
	ret = gosync_value_copy_in(holder->obj, args->buf, args->len, &new);
	if (ret)
		return ret;
	ret = value_store(value, args, &new);
	gosync_payload_put(&new);
	if (!ret)
		value_stored(holder);
	return ret;
}

/*
 * Copy the old payload to user space, then store the new one. In this order a
 * bad pointer changes nothing. The mutex is held for both, so no other store
 * comes in between.
 */
static int value_exchange(struct gosync_value *value,
			  struct gosync_value_args *args,
			  const struct gosync_payload *new, u64 room)
{
	u64 stored;

	scoped_cond_guard(mutex_intr, return -ERESTARTSYS, &value->lock) {
		int ret = 0;

		stored = type_of(value);
		if (stored && stored != args->type)
			return -EPROTOTYPE;
		args->old_len = 0;
		if (stored)
			ret = value_copy_out(value, args->old_buf, room,
					     &args->old_len);
		if (ret && (ret != -EMSGSIZE || args->old_buf))
			return ret;
		value_publish(value, args->type, new);
		args->version = value->version;
	}
	return !!stored;
}

static long gosync_value_swap(struct gosync_holder *holder, void *arg)
{
	struct gosync_value *value = to_value(holder->obj);
	struct gosync_payload new __uninitialized;
	struct gosync_value_args *args = arg;
	u64 room = args->old_len;
	int ret;

	if (args->flags || args->old_type || check_type(args->type) ||
	    (!args->old_buf && room))
		return -EINVAL;
	if (unlikely(holder->obj->cluster))
		return gosync_value_visit(holder, args, GOSYNC_VALUE_SWAPS);
	ret = gosync_value_copy_in(holder->obj, args->buf, args->len, &new);
	if (ret)
		return ret;
	do {
		ret = value_exchange(value, args, &new, room);
	} while (gosync_fault_in(&ret, args->old_buf, args->old_len));
	gosync_payload_put(&new);
	if (ret >= 0)
		value_stored(holder);
	return ret;
}

static long value_cas(struct gosync_value *value,
		      struct gosync_value_args *args,
		      const struct gosync_payload *old,
		      const struct gosync_payload *new)
{
	scoped_cond_guard(mutex_intr, return -ERESTARTSYS, &value->lock) {
		struct gosync_value_slot *slot =
			gosync_value_slot_of(value, value->version);
		int ret = gosync_value_compare(args, type_of(value), slot + 1,
					       slot->len, old);

		args->version = value->version;
		if (ret <= 0)
			return ret;
		value_publish(value, args->type, new);
		args->version = value->version;
	}
	return 1;
}

static long gosync_value_cas(struct gosync_holder *holder, void *arg)
{
	struct gosync_value *value = to_value(holder->obj);
	struct gosync_value_args *args = arg;
	struct gosync_payload old __uninitialized, new __uninitialized;
	long ret;

	if (args->flags || check_type(args->type) ||
	    args->old_type == GOSYNC_VALUE_STORING ||
	    (!args->old_type && (args->old_buf || args->old_len)))
		return -EINVAL;
	if (args->old_type && args->old_type != args->type)
		return -EPROTOTYPE;
	if (unlikely(holder->obj->cluster))
		return gosync_value_visit(holder, args, GOSYNC_VALUE_COMPARES);
	ret = gosync_value_copy_in(holder->obj, args->old_buf, args->old_len, &old);
	if (ret)
		return ret;
	ret = gosync_value_copy_in(holder->obj, args->buf, args->len, &new);
	if (!ret) {
		ret = value_cas(value, args, &old, &new);
		if (ret > 0)
			value_stored(holder);
		gosync_payload_put(&new);
	}
	gosync_payload_put(&old);
	return ret;
}

static size_t value_area_size(u32 type, u64 capacity)
{
	return sizeof(struct gosync_value_page) +
	       GOSYNC_VALUE_SLOTS * gosync_value_stride_of(capacity);
}

static int value_init(struct gosync_object *obj,
		      const struct gosync_open_args *args)
{
	struct gosync_value *value = to_value(obj);
	struct gosync_value_page *page = obj->state;

	mutex_init(&value->lock);
	page->stride = gosync_value_stride_of(obj->capacity);
	return 0;
}

static u64 value_version(struct gosync_object *obj)
{
	struct gosync_value_page *page = obj->state;
	u64 type;

	/* V3: pairs with the release that ends the first store. */
	type = smp_load_acquire(&page->type);
	/*
	 * 0 until the first store is complete: only then it can be loaded. But
	 * what is away has the last version that was known here.
	 */
	if ((!type || type == GOSYNC_VALUE_STORING) && likely(!obj->cluster))
		return 0;
	/* V1: pairs with the release in value_publish(). */
	return smp_load_acquire(&page->version);
}

static void value_info(struct gosync_object *obj,
		       const struct gosync_holder *holder,
		       struct gosync_info *info)
{
	struct gosync_value_page *page = obj->state;
	u64 type = READ_ONCE(page->type);

	info->word = READ_ONCE(page->version);
	info->token = type == GOSYNC_VALUE_STORING ? 0 : type;
	if (info->map_len)
		info->map_data = sizeof(*page);
}

static const struct gosync_ioctl ioctls[] = {
	GOSYNC_IOCTL_ARG(VALUE_LOAD, GOSYNC_RESULTS, gosync_value_load, value),
	GOSYNC_IOCTL_ARG(VALUE_STORE, GOSYNC_WRITES | GOSYNC_RESULTS,
			 gosync_value_store, value),
	GOSYNC_IOCTL_ARG(VALUE_SWAP, GOSYNC_WRITES | GOSYNC_RESULTS,
			 gosync_value_swap, value),
	GOSYNC_IOCTL_ARG(VALUE_CAS, GOSYNC_WRITES | GOSYNC_RESULTS,
			 gosync_value_cas, value),
	GOSYNC_IOCTL_ARG(VALUE_WAIT, GOSYNC_RESULTS, gosync_version_wait,
			 version_wait, .wait = &gosync_version_op),
};

const struct gosync_ops gosync_value_ops = {
	.name = "value",
	.size = sizeof(struct gosync_value),
	.ioctls = ioctls,
	.nr_ioctls = ARRAY_SIZE(ioctls),
	.read_only = true,
	.default_capacity = 4096,
	.max_capacity = 4 << 20,
	.area_size = value_area_size,
	.init = value_init,
	.left = gosync_version_left,
	.in = &gosync_version_op,
	.watched = gosync_version_watched,
	.version = value_version,
	.show = gosync_value_show,
	.queues = gosync_visits_queues,
	.info = value_info,
	.cluster = &gosync_value_in_cluster,
};
