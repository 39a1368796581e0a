// SPDX-License-Identifier: GPL-2.0-only
/*
 * A Value of several machines.
 *
 * Many nodes may have it at the same time, to read: each has the payload in its own
 * slots, where loads find it without a system call. Who stores needs all of it, so all
 * others lose theirs first. Their mapped type becomes GOSYNC_VALUE_STORING then, which
 * sends readers into the kernel, and the kernel gets the payload anew. So no load
 * returns what was overwritten before it began, on any node.
 *
 * All but such loads are visits (visit.c): they work on the draft, which is what
 * travels between the nodes, and the slots are filled from it.
 */
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "trace.h"
#include "value.h"
#include "visit.h"

/**
 * struct value_data - what travels
 * @type: the type; 0: nothing was stored yet
 * @len: length of the payload
 * @payload: the payload
 */
struct value_data {
	__le64 type;
	__le64 len;
	u8 payload[GOSYNC_CLUSTER_VALUE];
};

static_assert(sizeof(struct value_data) == GOSYNC_CLUSTER_DATA);

/**
 * struct value_visit - an operation
 * @visit: how it waits
 * @op: which it is
 * @args: its argument and results
 * @new: what is to be stored
 * @old: what it is compared with
 * @room: so much is at @out
 * @out: what was there before
 */
struct value_visit {
	struct gosync_visit visit;
	enum gosync_value_op op;
	struct gosync_value_args args;
	struct gosync_payload new;
	struct gosync_payload old;
	u64 room;
	u8 out[];
};

static struct gosync_value *to_value(struct gosync_object *obj)
{
	return container_of(obj, struct gosync_value, obj);
}

/* --- Doing it -------------------------------------------------------------- */

static long copy_old(struct value_visit *visit, u64 *len, const void *data,
		     u64 data_len)
{
	*len = data_len;
	if (data_len > visit->room)
		return -EMSGSIZE;
	memcpy(visit->out, data, data_len);
	return 0;
}

static long load(struct value_visit *visit, u64 type, u64 version,
		 const void *data, u64 len)
{
	struct gosync_value_args *args = &visit->args;

	args->version = version;
	args->type = type;
	return type ? copy_old(visit, &args->len, data, len) : -ENODATA;
}

/* What does a swap or a store return? From 0 on it is to take place. */
static long exchange(struct value_visit *visit, u64 stored,
		     const struct value_data *data)
{
	struct gosync_value_args *args = &visit->args;
	long ret;

	if (stored && stored != args->type)
		return -EPROTOTYPE;
	if (visit->op == GOSYNC_VALUE_STORES)
		return 0;
	args->old_len = 0;
	if (!stored)
		return 0;
	ret = copy_old(visit, &args->old_len, data->payload,
		       le64_to_cpu(data->len));
	return ret && args->old_buf ? ret : 1;
}

static void store(struct value_data *data, u64 type,
		  const struct gosync_payload *payload)
{
	data->type = cpu_to_le64(type);
	data->len = cpu_to_le64(payload->len);
	memcpy(data->payload, payload->data, payload->len);
	/* Nothing of a longer payload before this one may be left. */
	memset(data->payload + payload->len, 0,
	       sizeof(data->payload) - payload->len);
}

static bool value_run(struct gosync_visit *base,
		      struct gosync_cluster_state *state)
{
	struct value_visit *visit = container_of(base, struct value_visit,
						 visit);
	struct gosync_value_args *args = &visit->args;
	struct value_data *data = state->data;
	u64 stored = le64_to_cpu(data->type);
	bool changes = false;

	args->version = state->token;
	switch (visit->op) {
	case GOSYNC_VALUE_LOADS:
		base->ret = load(visit, stored, state->token, data->payload,
				 le64_to_cpu(data->len));
		return false;
	case GOSYNC_VALUE_STORES:
	case GOSYNC_VALUE_SWAPS:
		base->ret = exchange(visit, stored, data);
		changes = base->ret >= 0;
		break;
	case GOSYNC_VALUE_COMPARES:
		base->ret = gosync_value_compare(args, stored, data->payload,
						 le64_to_cpu(data->len),
						 &visit->old);
		changes = base->ret > 0;
		break;
	}
	if (changes) {
		store(data, args->type, &visit->new);
		args->version = ++state->token;
	}
	return changes;
}

/* --- Waiting for it -------------------------------------------------------- */

static void value_visit_free(struct gosync_visit *base)
{
	struct value_visit *visit = container_of(base, struct value_visit,
						 visit);

	gosync_payload_put(&visit->new);
	gosync_payload_put(&visit->old);
	kfree(visit);
}

static struct value_visit *begin_visit(const struct gosync_object *obj,
				       const struct gosync_value_args *args,
				       enum gosync_value_op op)
{
	struct value_visit *visit;
	u64 room = 0;
	int ret = 0;

	if (op == GOSYNC_VALUE_LOADS)
		room = min_t(u64, args->len, obj->capacity);
	else if (op == GOSYNC_VALUE_SWAPS)
		room = min_t(u64, args->old_len, obj->capacity);
	visit = kzalloc(struct_size(visit, out, room), GFP_KERNEL_ACCOUNT);
	if (!visit)
		return ERR_PTR(-ENOMEM);
	gosync_visit_init(&visit->visit);
	visit->visit.run = value_run;
	visit->visit.free = value_visit_free;
	visit->visit.changes = op != GOSYNC_VALUE_LOADS;
	visit->op = op;
	visit->args = *args;
	visit->room = room;
	visit->new.data = visit->new.small;
	visit->old.data = visit->old.small;
	if (op != GOSYNC_VALUE_LOADS)
		ret = gosync_value_copy_in(obj, args->buf, args->len,
					   &visit->new);
	if (!ret && op == GOSYNC_VALUE_COMPARES)
		ret = gosync_value_copy_in(obj, args->old_buf, args->old_len,
					   &visit->old);
	if (!ret)
		return visit;
	gosync_visit_put(&visit->visit);
	return ERR_PTR(ret);
}

/* Return: false if the payload is away */
static bool load_here(struct gosync_value *value, struct value_visit *visit)
{
	const struct gosync_value_slot *slot;
	bool here;

	spin_lock(&value->obj.wq.lock);
	here = !gosync_is_away(&value->obj);
	if (here) {
		slot = gosync_value_slot_of(value, value->version);
		visit->visit.ret = load(visit, value->type, value->version,
					slot + 1, slot->len);
	}
	spin_unlock(&value->obj.wq.lock);
	return here;
}

static int copy_results(const struct value_visit *visit,
			struct gosync_value_args *args)
{
	bool loads = visit->op == GOSYNC_VALUE_LOADS;
	u64 len;

	*args = visit->args;
	len = loads ? args->len : args->old_len;
	if (visit->visit.ret < 0 || len > visit->room || !visit->room)
		return 0;
	return copy_to_user(u64_to_user_ptr(loads ? args->buf : args->old_buf),
			    visit->out, len) ? -EFAULT : 0;
}

/**
 * gosync_value_visit() - an operation on a Value of several machines
 * @holder: who does it
 * @args: its argument, which was checked
 * @op: the operation
 *
 * Return: what the ioctl returns.
 */
long gosync_value_visit(struct gosync_holder *holder,
			struct gosync_value_args *args, enum gosync_value_op op)
{
	struct gosync_value *value = to_value(holder->obj);
	struct value_visit *visit;
	int bad = 0;
	long ret;

	visit = begin_visit(holder->obj, args, op);
	if (IS_ERR(visit))
		return PTR_ERR(visit);
	/* A bad pointer has to show before anything changes. */
	if (op == GOSYNC_VALUE_SWAPS && visit->room &&
	    !gosync_touch(&bad, args->old_buf, visit->room))
		ret = bad;
	else if (op == GOSYNC_VALUE_LOADS && load_here(value, visit))
		ret = visit->visit.ret;
	else
		ret = gosync_visit(holder, &visit->visit);
	/* If it was interrupted its memory may be in use. */
	if (ret != -ERESTARTSYS && ret != -EINTR)
		bad = copy_results(visit, args);
	gosync_visit_put(&visit->visit);
	if (bad)
		return bad;
	if (ret >= 0 && op == GOSYNC_VALUE_LOADS)
		WRITE_ONCE(holder->watch_value, args->version);
	else if (ret > 0 || (!ret && op != GOSYNC_VALUE_COMPARES))
		trace_gosync_value_store(holder->obj, holder->id);
	return ret;
}

/* --- What the nodes agree upon --------------------------------------------- */

/*
 * While it is away, readers are to ask. This is written before the node lets go, and
 * another node stores after that: who has heard of that store sees it.
 */
void gosync_value_show(struct gosync_object *obj)
{
	struct gosync_value_page *page = obj->state;

	lockdep_assert_held(&obj->wq.lock);
	if (unlikely(obj->cluster) && gosync_is_away(obj))
		WRITE_ONCE(page->type, GOSYNC_VALUE_STORING);
}

static void value_give_back(struct gosync_waiter *waiter)
{
	gosync_version_changed(waiter->holder->obj);
}

static const struct gosync_wait_op value_cluster_op = {
	.attempt = gosync_visits_take,
	.give_back = value_give_back,
};

static void value_cluster_get(struct gosync_object *obj,
			      struct gosync_cluster_state *state)
{
	state->token = to_value(obj)->version;
	state->poisoned = false;
	state->final = false;
}

static void value_cluster_save(struct gosync_object *obj, void *to)
{
	struct gosync_value *value = to_value(obj);
	const struct gosync_value_slot *slot =
		gosync_value_slot_of(value, value->version);
	struct value_data *data = to;

	data->type = cpu_to_le64(value->type);
	data->len = cpu_to_le64(slot->len);
	memset(data->payload, 0, sizeof(data->payload));
	memcpy(data->payload, slot + 1, slot->len);
}

/*
 * Versions go up one by one here: a reader of an old slot notices by the next versions
 * that it was overwritten. Once all slots are the same the version may jump.
 */
static void value_go_to(struct gosync_value *value, u64 version,
			const struct value_data *data)
{
	struct gosync_value_page *page = value->obj.state;
	u64 len = min_t(u64, le64_to_cpu(data->len), value->obj.capacity);
	int i;

	for (i = 0; i < GOSYNC_VALUE_SLOTS && value->version < version; i++) {
		gosync_value_fill(value, data->payload, len);
		/* V1: pairs with the acquire in the reader's first look. */
		smp_store_release(&page->version, value->version);
	}
	value->version = version;
	/* V1, as above. */
	smp_store_release(&page->version, version);
}

static void value_cluster_set(struct gosync_object *obj,
			      const struct gosync_cluster_state *state)
{
	struct gosync_value *value = to_value(obj);
	struct gosync_value_page *page = obj->state;
	const struct value_data *data = state->data;
	u64 type = le64_to_cpu(data->type);

	WRITE_ONCE(obj->deaths, obj->deaths + state->died);
	if (state->token > value->version) {
		/* Until there is a type no version is to be seen. */
		if (!page->type)
			WRITE_ONCE(page->type, GOSYNC_VALUE_STORING);
		value_go_to(value, state->token, data);
		value->type = type;
	}
	/* V3: with the type there is a version. Pairs with the reader's acquire. */
	smp_store_release(&page->type, value->type);
}

const struct gosync_cluster_type gosync_value_in_cluster = {
	.op = &value_cluster_op,
	.wants = gosync_visits_want,
	.get = value_cluster_get,
	.save = value_cluster_save,
	.set = value_cluster_set,
	.capacity = GOSYNC_CLUSTER_VALUE,
};
