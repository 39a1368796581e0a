/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Shared by map_table.c, which describes it all, and map_many.c: where the slots
 * of a table are, and how a key is looked for in them.
 */
#ifndef GOSYNC_MAP_TABLE_H
#define GOSYNC_MAP_TABLE_H

#include <linux/sched.h>

#include "map.h"

static inline unsigned int class_of(u64 table)
{
	return (table & GOSYNC_MAP_TABLE_MASK) >> 1;
}

/* log2 of the number of slots */
static inline unsigned int slots_shift(unsigned int class)
{
	return class ? ilog2(PAGE_SIZE / sizeof(u64)) + class - 1 :
		       ilog2(GOSYNC_MAP_SMALL);
}

static inline u32 slots_in(unsigned int class)
{
	return 1U << slots_shift(class);
}

/* Where a table's slots for a hash begin */
static inline u32 home(unsigned int class, u32 hash)
{
	return hash >> (32 - slots_shift(class));
}

static inline struct gosync_map_rules *rules_of(struct gosync_map *map,
						u64 table)
{
	return &gosync_map_page_of(map)->rules[gosync_map_version(table) & 1];
}

/* The slots of a table; NULL if there is no such table yet */
static inline u64 *table_at(struct gosync_map *map, u64 table)
{
	unsigned int nr = table & GOSYNC_MAP_TABLE_MASK;

	/* These are where the page is, which moves. */
	if (nr < 2)
		return gosync_map_page_of(map)->small[nr];
	return READ_ONCE(map->tables[nr - 2]);
}

/*
 * The key's hash in this table. It is kept with the key, because the same word
 * never names another table later.
 */
static inline u32 hash_in(struct gosync_map *map, struct gosync_map_key *key,
			  u64 table)
{
	if (key->table != table) {
		key->table = table;
		key->hash = gosync_map_hash(gosync_map_page_of(map), table,
					    key->data, key->len);
	}
	return key->hash;
}

/*
 * Look for a key in a table. Return: its record, and its slot in @key; or NULL.
 * With the map's mutex (@held) no record gets another key. Without it the record
 * is locked, which means that preemption is disabled, and the caller has to
 * confirm the absence, see gosync_map_find().
 */
static __always_inline
struct gosync_map_record *gosync_map_probe(struct gosync_map *map,
					   struct gosync_map_key *key,
					   u64 table, bool held)
{
	u32 reach = READ_ONCE(rules_of(map, table)->reach);
	u32 mask = slots_in(class_of(table)) - 1;
	u64 *slots = table_at(map, table);
	struct gosync_map_record *record;
	u32 hash = hash_in(map, key, table);
	u32 first = home(class_of(table), hash);
	u64 entry, *at;
	u32 i;

	for (i = 0; i <= reach; i++) {
		at = &slots[(first + i) & mask];
		/* S: pairs with set_slot(). */
		entry = smp_load_acquire(at);
		if (entry == GOSYNC_MAP_EMPTY)
			break;
		if (entry >> 32 == hash) {
			record = gosync_map_record_at(map, entry);
			if (!held)
				gosync_map_lock(record);
			if (record->key_len == key->len &&
			    gosync_same(record + 1, key->data, key->len)) {
				key->slot = at;
				key->number = entry;
				return record;
			}
			if (!held)
				gosync_map_unlock(record, false);
		}
		if (i % GOSYNC_MAP_BATCH == GOSYNC_MAP_BATCH - 1)
			cond_resched();
	}
	return NULL;
}

#endif /* GOSYNC_MAP_TABLE_H */
