/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A Value: what its operations on one machine and on several have in common.
 */
#ifndef GOSYNC_VALUE_H
#define GOSYNC_VALUE_H

#include <linux/mutex.h>

#include "copy.h"
#include "wait.h"

/**
 * struct gosync_value - a Value
 * @obj: the object
 * @lock: protects the page and the following; in a cluster the object's lock does
 * @version: as in the page
 * @type: in a cluster: the type, which the page does not show while it is away
 */
struct gosync_value {
	struct gosync_object obj;
	struct mutex lock; /* stores */
	u64 version;
	u64 type;
};

/* The operations */
enum gosync_value_op {
	GOSYNC_VALUE_LOADS,
	GOSYNC_VALUE_STORES,
	GOSYNC_VALUE_SWAPS,
	GOSYNC_VALUE_COMPARES,
};

static inline int gosync_value_copy_in(const struct gosync_object *obj, u64 buf,
				       u64 len, struct gosync_payload *payload)
{
	if (len > obj->capacity)
		return -EMSGSIZE;
	return gosync_payload_get(payload, buf, len);
}

/*
 * Compare, in Go's order of checks, with what is there: @stored is its type, 0: there
 * is nothing yet. Return: 1: swap, 0: do not, or -EPROTOTYPE
 */
static inline int gosync_value_compare(const struct gosync_value_args *args,
				       u64 stored, const void *data, size_t len,
				       const struct gosync_payload *old)
{
	if (!stored)
		return !args->old_type;
	if (stored != args->type)
		return -EPROTOTYPE;
	return args->old_type && len == old->len &&
	       !memcmp(data, old->data, len);
}

static inline size_t gosync_value_stride_of(u64 capacity)
{
	return ALIGN(sizeof(struct gosync_value_slot) + capacity,
		     GOSYNC_SLOT_SIZE);
}

/* Find the slot of a version. */
static inline struct gosync_value_slot *
gosync_value_slot_of(struct gosync_value *value, u64 version)
{
	return value->obj.state + sizeof(struct gosync_value_page) +
	       version % GOSYNC_VALUE_SLOTS *
	       gosync_value_stride_of(value->obj.capacity);
}

/* Write a payload to the slot of the next version, which is the caller's to publish. */
static inline void gosync_value_fill(struct gosync_value *value,
				     const void *data, size_t len)
{
	struct gosync_value_slot *slot =
		gosync_value_slot_of(value, ++value->version);
	u64 before = slot->len;

	/*
	 * V2: readers of this slot must see the last version published if they
	 * see anything of what is written now. Pairs with the fence before
	 * their second look at the version.
	 */
	smp_wmb();
	WRITE_ONCE(slot->len, len);
	gosync_copy(slot + 1, data, len);
	/* Nothing of a longer payload before this one may be left. */
	if (before > len)
		memset((void *)(slot + 1) + len, 0, before - len);
}

/* --- value_cluster.c --- */

extern const struct gosync_cluster_type gosync_value_in_cluster;
void gosync_value_show(struct gosync_object *obj);
long gosync_value_visit(struct gosync_holder *holder,
			struct gosync_value_args *args, enum gosync_value_op op);

#endif /* GOSYNC_VALUE_H */
