/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Map: how it lies in memory, for loads and walks.
 */
#ifndef GOSYNC_LIB_MAP_H
#define GOSYNC_LIB_MAP_H

#include "internal.h"

/* Tries before the library asks the kernel, which always succeeds */
#define TRIES		16

#define TABLES		(GOSYNC_MAP_TABLE_MASK + 1)

/*
 * Results of a look, besides what a load returns: the record has another key; a
 * writer came in between
 */
enum { OTHER = 1, AGAIN };

/**
 * struct table - a table
 * @slots: its slots
 * @mask: the number of its slots - 1
 * @shift: shifts a hash to the right, to the slot to begin with
 */
struct table {
	const __u64 *slots;
	uint32_t mask;
	uint32_t shift;
};

/**
 * struct view - a Map as it lies in memory
 * @page: the mapped state
 * @records: the records
 * @stride: distance in bytes from one record to the next
 * @value: where in a record the value is
 * @key_size: longest key; set also without mapped state
 * @value_size: longest value; set also without mapped state
 * @tables: the tables, by the low bits of &gosync_map_page.table; NULL for
 *	tables that this Map is too small for
 */
struct view {
	const struct gosync_map_page *page;
	const char *records;
	size_t stride;
	uint32_t value;
	uint32_t key_size;
	uint32_t value_size;
	struct table tables[TABLES];
};

/**
 * struct gosync_map - a Map's handle
 * @view: how it lies in memory; NULL: there is no mapped state
 * @short_keys: how many of the lengths from 8 to 16 a key can have; also 0 if
 *	there is no mapped state
 */
struct gosync_map {
	const struct view *view;
	uint32_t short_keys;
};

static inline const struct view *view_of(const struct gosync_map *map)
{
	return __atomic_load_n(&map->view, __ATOMIC_ACQUIRE);
}

/* Without mapped state, only the sizes in it are set. */
static inline const struct view *sizes_of(const struct gosync_map *map)
{
	return gosync_base_of(map)->extra;
}

/* Whether the record was not being written when it had @seq, nor was since */
static inline int is_whole(const struct gosync_map_record *record, uint64_t seq)
{
	/* R2: pairs with gosync_map_lock() in kmod/map.h. */
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	return !((__atomic_load_n(&record->seq, __ATOMIC_RELAXED) ^ seq) |
		 (seq & 1));
}

#endif /* GOSYNC_LIB_MAP_H */
