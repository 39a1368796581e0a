/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Atomic words: what those of one machine and of several have in common.
 */
#ifndef GOSYNC_ATOMIC_H
#define GOSYNC_ATOMIC_H

#include "cluster.h"

static inline bool gosync_is_narrow(u32 type)
{
	return type == GOSYNC_INT32 || type == GOSYNC_UINT32 ||
	       type == GOSYNC_BOOL;
}

static inline size_t gosync_width(u32 type)
{
	return gosync_is_narrow(type) ? sizeof(u32) : sizeof(u64);
}

/* Find a word of an object. */
static inline void *gosync_word_of(const struct gosync_object *obj, u32 index)
{
	size_t width = gosync_width(obj->type);
	void *words = obj->state;

	if (obj->capacity * width > sizeof_field(struct gosync_atomic_slot, words))
		words += GOSYNC_SLOT_SIZE;
	return words + index * width;
}

/* --- int64_cluster.c --- */

long gosync_int64_visit(struct gosync_holder *holder,
			struct gosync_atomic_args *args, unsigned int cmd);
void gosync_int64_cluster_get(struct gosync_object *obj,
			      struct gosync_cluster_state *state);
void gosync_int64_cluster_save(struct gosync_object *obj, void *data);
void gosync_int64_cluster_set(struct gosync_object *obj,
			      const struct gosync_cluster_state *state);

#endif /* GOSYNC_ATOMIC_H */
