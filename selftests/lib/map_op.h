/* SPDX-License-Identifier: GPL-2.0-only */
/* One operation on a Map, and what a simple map answers */
#ifndef MAP_OP_H
#define MAP_OP_H

#include "history.h"

enum {
	LOAD, STORE, LOAD_OR_STORE, LOAD_AND_DELETE, DELETE, SWAP, CAS,
	COMPARE_AND_DELETE, CLEAR, OPS
};

/*
 * Could a simple map have answered so? And what is the key's value @now then, 0:
 * none? Keys and values have 4 bytes each.
 */
static inline bool apply_to_key(uint64_t *now, const struct op *op)
{
	const uint64_t old = *now;
	const bool equal = old && old == op->expected;
	uint64_t seen = 0;
	int ret = !!old;

	switch (op->what) {
	case LOAD:
	case LOAD_AND_DELETE:
		*now = op->what == LOAD ? old : 0;
		ret = old ? 0 : -ENODATA;
		seen = old;
		break;
	case STORE:
		*now = op->value;
		ret = 0;
		break;
	case LOAD_OR_STORE:
		*now = old ?: op->value;
		seen = old;
		break;
	case DELETE:
		*now = 0;
		break;
	case SWAP:
		*now = op->value;
		seen = old;
		break;
	case CAS:
	case COMPARE_AND_DELETE:
		if (equal)
			*now = op->what == CAS ? op->value : 0;
		ret = equal;
		break;
	default:
		return false;
	}
	return !op->ended || (op->ret == ret && op->old == seen);
}

static inline void run_on_map(gosync_map_t *map, struct op *op)
{
	size_t len = sizeof(op->old);

	op->old = 0;
	switch (op->what) {
	case LOAD:
		op->ret = gosync_map_load(map, &op->key, 4, &op->old, &len);
		break;
	case STORE:
		/* In either way */
		op->ret = op->value % 2 ?
			gosync_map_store(map, &op->key, 4, &op->value, 4) :
			gosync_map_store_many(map, &(struct gosync_map_pair) {
					      &op->key, 4, &op->value, 4 }, 1);
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
	/* A value that was gone before it was got may have come there. */
	if (op->ret < 0 || !len)
		op->old = 0;
}

#endif /* MAP_OP_H */
