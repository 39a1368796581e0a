/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Shared by map.c, map_many.c and map_table.c: the Map, its entries while they
 * are outside of it, and the lock of a record.
 */
#ifndef GOSYNC_MAP_H
#define GOSYNC_MAP_H

#include <linux/mutex.h>
#include <linux/preempt.h>
#include <linux/string.h>

#include "copy.h"
#include "gosync.h"

/* The most entries that a Map may be made for, and the tables for so many */
#define GOSYNC_MAP_ENTRIES	(4 << 20)
#define GOSYNC_MAP_TABLES	34

/*
 * The number of segments that are found without a look at the area: few enough
 * for the structure and a name of up to 128 bytes to fit in 1024 bytes
 */
#define GOSYNC_MAP_NEAR		48

/*
 * At most this many slots or records are looked at before other tasks may run.
 */
#define GOSYNC_MAP_BATCH	1024

/**
 * struct gosync_map - a Map
 * @obj: the object
 * @lock: excludes changes of the set of keys; protects the fields from @free to
 *	@limit, the page, and the tables
 * @free: number + 1 of the first free record, 0: none; each free record has
 *	that of the next in its @born
 * @filled: the number of slots of the present table that are not empty
 * @limit: no key of the present table may be further from its place
 * @key_size: longest key
 * @value_size: longest value
 * @segment_shift: log2 of the number of records in a segment
 * @changes: the version: the number of changes since it was first asked for
 * @asked: the version has been asked for
 * @tables: the address of each table from class 1 on, once there has been one
 * @near: the addresses of the first segments
 */
struct gosync_map {
	struct gosync_object obj;
	struct mutex lock; /* changes of the set of keys */
	u32 free;
	u32 filled;
	u32 limit;
	u32 key_size;
	u32 value_size;
	unsigned int segment_shift;
	atomic64_t changes;
	bool asked;
	u64 *tables[GOSYNC_MAP_TABLES - 2];
	void *near[GOSYNC_MAP_NEAR];
};

/**
 * struct gosync_map_key - a key in the kernel's memory
 * @len: its length
 * @hash: its hash in @table
 * @table: the word of a table; all ones: @hash is not known yet
 * @slot: the slot in which it was found last, or that it is to get
 * @number: the number of its record, found or taken with @slot
 * @data: the key; there need not be more memory than that takes
 */
struct gosync_map_key {
	u32 len;
	u32 hash;
	u64 table;
	u64 *slot;
	u32 number;
	u8 data[GOSYNC_MAP_KEY_MAX];
};

static inline struct gosync_map *gosync_to_map(struct gosync_object *obj)
{
	return container_of(obj, struct gosync_map, obj);
}

static inline struct gosync_map_page *
gosync_map_page_of(struct gosync_map *map)
{
	return map->obj.state;
}

/* Lock a record, for no longer than a copy takes, and without sleeping. */
static inline void gosync_map_lock(struct gosync_map_record *record)
{
	u64 seq;

	preempt_disable();
	for (;;) {
		seq = READ_ONCE(record->seq);
		if (!(seq & 1) && try_cmpxchg(&record->seq, &seq, seq + 1))
			return;
		cpu_relax();
	}
}

/* Unless @changed, readers see the sequence count as it was before the lock. */
static inline void gosync_map_unlock(struct gosync_map_record *record,
				     bool changed)
{
	/*
	 * R1: what was written is there. Pairs with the reader's acquire of
	 * seq.
	 */
	smp_store_release(&record->seq, record->seq + (changed ? 1 : -1));
	preempt_enable();
}

static inline void *gosync_map_value_of(struct gosync_map *map,
					struct gosync_map_record *record)
{
	return (void *)record + gosync_map_page_of(map)->value;
}

static inline void gosync_map_put(struct gosync_map *map,
				  struct gosync_map_record *record,
				  const void *value, u32 len)
{
	void *to = gosync_map_value_of(map, record);
	u32 before = record->value_len;

	WRITE_ONCE(record->value_len, len);
	gosync_copy(to, value, len);
	/* Nothing of a longer value before this one may be left. */
	if (before > len)
		memset(to + len, 0, before - len);
}

static inline bool gosync_map_has(struct gosync_map *map,
				  struct gosync_map_record *record,
				  const struct gosync_payload *value)
{
	return record->value_len == value->len &&
	       !memcmp(gosync_map_value_of(map, record), value->data, value->len);
}

static inline u64 gosync_map_version(u64 table)
{
	return table >> GOSYNC_MAP_VERSION_SHIFT;
}

void *gosync_map_far_segment(struct gosync_map *map, u32 number);
struct gosync_map_record *gosync_map_find(struct gosync_map *map,
					  struct gosync_map_key *key);
struct gosync_map_record *gosync_map_find_held(struct gosync_map *map,
					       struct gosync_map_key *key);
int gosync_map_add(struct gosync_map *map, struct gosync_map_key *key,
		   const void *value, u32 len);
int gosync_map_make_room(struct gosync_map *map, u32 more, bool anew);
int gosync_map_reserve(struct gosync_map *map, struct gosync_map_key *key,
		       bool anywhere);
void gosync_map_unreserve(struct gosync_map *map,
			  const struct gosync_map_key *key);
void gosync_map_enter(struct gosync_map *map, const struct gosync_map_key *key,
		      const void *value, u32 len);
int gosync_map_store_all(struct gosync_map *map,
			 const struct gosync_map_store_many_args *args);
void gosync_map_remove(struct gosync_map *map,
		       struct gosync_map_record *record,
		       const struct gosync_map_key *key);
void gosync_map_drop_all(struct gosync_map *map, u64 *born, u64 *used);
void gosync_map_wipe(struct gosync_map *map, u64 born, u64 used);
void gosync_map_lay_out(struct gosync_map *map);

/* Find a record by its number, which has been in use before. */
static inline struct gosync_map_record *
gosync_map_record_at(struct gosync_map *map, u32 number)
{
	u32 nr = number >> map->segment_shift;
	void *segment;

	if (likely(nr < GOSYNC_MAP_NEAR))
		segment = READ_ONCE(map->near[nr]);
	else
		segment = gosync_map_far_segment(map, number);
	return segment + (size_t)gosync_map_page_of(map)->stride *
			 (number & (BIT(map->segment_shift) - 1));
}

#endif /* GOSYNC_MAP_H */
