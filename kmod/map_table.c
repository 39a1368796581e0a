// SPDX-License-Identifier: GPL-2.0-only
/*
 * Map: where its entries are, and how they are found.
 *
 * Entries are numbered records of one size. A table (open addressing, linear
 * probing) leads from a key's hash to its record. Processes map all of it
 * read-only. It grows with use, and never becomes anything else while it is
 * mapped: table memory is for tables, and a record stays a record. So the
 * kernel may trust its contents. A late reader finds old or new entries, but
 * never nonsense.
 *
 * A record has a sequence count that is odd while the record is written. In the
 * kernel that is the record's lock, held for a comparison or a copy with
 * preemption disabled. Payloads are copied from and to user space before and
 * after. This lock is enough to read an existing key or to store over it. A
 * change of the set of keys holds the map's mutex, under which nothing waits
 * for user space either. So no process can die in the middle of a change.
 *
 * One word in the page names the present table, together with a version. When
 * half of a table is entries and tombstones, the kernel fills another one: a
 * larger one, a smaller one or its twin (Go's dirty map). It promotes that
 * table by writing the word. Clear promotes an empty table.
 *
 * Why no reader is misled, in user space or in the kernel:
 *
 *   A hit. By its sequence count the record had the key at a moment while the
 *   reader looked. Only records that Clear has dropped have a key that is not
 *   in the map (see below).
 *
 *   A miss counts only if the table is still the present one after the look; so
 *   it was the present one all the time. A key may go from one slot of the
 *   table to another. But then it was absent in between. A reader that missed
 *   it has passed the second slot before the change and the first slot after
 *   it, so it looked at that moment. A deleted record says so before its slot
 *   does. A new record stays locked until its slot leads to it. A late reader may
 *   come to it from the slot of a deleted key. If it found the key there earlier,
 *   it could look once more and miss it. It sees the slot with the record's
 *   new count, since that is released later (R1).
 *
 *   Who stores many keys at once reserves slots and records for new ones before
 *   the first store. A reserved slot leads nowhere, as a tombstone does, and no
 *   slot leads to a reserved record. So each store is what it is alone.
 *
 *   Clear happens at the moment when the word is written. Afterwards its
 *   records keep their contents until they are used again. Only a reader that
 *   read the word before that moment finds them, and counts as earlier than
 *   Clear; the same holds for stores. The order of these operations is that of
 *   the records. No operation that begins after Clear sees anything of them. A
 *   walk over the records tells such records by @cleared.
 *
 * Old contents are wiped, unless the record is in use again: a deleted record
 * while it is locked, the rest of a longer value when a shorter one is stored,
 * and the records that Clear has dropped right after it. To a late reader the
 * wipe looks like another use of the record.
 *
 * Keys that were chosen to collide. Each table has a random seed of its own,
 * which only processes with the Map open can read. Others cannot tell which
 * keys collide. Against those processes the table says how far from its place
 * any key is, so no look goes further. A key that would have to go further than
 * REACH does not occur by chance: then the table is filled anew, with another
 * seed. To find such a key takes about as many trials of the hash as the
 * filling takes steps. (If another seed doesn't help, because of map_hash_mask,
 * the limit is doubled.)
 *
 * Barriers, by letters. The kernel alone writes. Readers are in libuser/map.c,
 * and here without the map's mutex.
 *
 *	R1	gosync_map_unlock(): release of a record's seq
 *		read_record(), copy_record(): acquire of it
 *		What was written under this count is seen with it.
 *	R2	gosync_map_lock(): full, from the odd seq to what is written
 *		is_whole(): fence, from what was read to seq again
 *		A reader that saw anything new sees another count.
 *	S	set_slot(): release of a slot
 *		look(), gosync_map_probe(): acquire of it
 *		The record is there. It has the key, or is locked until it has.
 *	T1	map_promote(): release of the table's word
 *		look(), gosync_map_find(), begin_walk(): acquire of it
 *		Slots, rules, and where the table is are there.
 *	T2	map_begin_table(): smp_wmb(), from the word of the one before to
 *		slots and rules
 *		look(), gosync_map_find(), begin_walk(): fence, from what was read
 *		to the word again
 *		A reader that saw anything of the next table but one sees
 *		another word.
 *	U	map_take_record(): release of @used
 *		range_mapped(), map_walk(): acquire of it
 *		The segment is there, and zero.
 *	B	gosync_map_add(): release of @born
 *		begin_walk(): acquire of it
 *		A walk that visits an entry can load it: its slot is there.
 *	C	map_count(): release of @count
 *		gosync_map_len(), map_info(): acquire of it
 *		A reader that sees an entry counted can load it.
 */
#include <linux/mm.h>
#include <linux/random.h>
#include <linux/sched/signal.h>

#include "map_table.h"
#include "page.h"
#include "trace.h"
#include "wait.h"

/* No key is further from its place than this, unless it has to be. */
#define REACH		128U

/* A reserved slot. To readers it is a tombstone, for no key has the hash 0. */
#define RESERVED	(GOSYNC_MAP_TOMBSTONE + 1)

/* Records come in segments of at least this size */
#define SEGMENT_SIZE	SZ_64K

static_assert(sizeof(struct gosync_map_page) <= PAGE_SIZE);
static_assert(sizeof(struct gosync_map_record) == 24);

/* --- Where things are ---------------------------------------------------- */

/*
 * A table is replaced when this many slots are used; a new one has fewer used.
 */
static u32 most_used(unsigned int class)
{
	return slots_in(class) / 2;
}

/* As class_for(GOSYNC_MAP_ENTRIES) has it */
static_assert((PAGE_SIZE / sizeof(u64) << (GOSYNC_MAP_TABLES / 2 - 2)) / 8 * 3 >=
	      GOSYNC_MAP_ENTRIES);

static unsigned int class_for(u32 entries)
{
	unsigned int class = 0;

	while (most_used(class) / 4 * 3 < entries)
		class++;
	return class;
}

static unsigned long pages_of_table(unsigned int class)
{
	return 1UL << (class - 1);
}

/* The page at which a table of class 1 and more begins */
static unsigned long place_of_table(u64 table)
{
	unsigned int class = class_of(table);

	return (1UL << class) - 1 + (table & 1) * pages_of_table(class);
}

static unsigned long pages_of_segment(struct gosync_map *map)
{
	size_t stride = gosync_map_page_of(map)->stride;

	return (stride << map->segment_shift) >> PAGE_SHIFT;
}

static unsigned long place_of_segment(struct gosync_map *map, u32 number)
{
	return (gosync_map_page_of(map)->records >> PAGE_SHIFT) +
	       (number >> map->segment_shift) * pages_of_segment(map);
}

/**
 * gosync_map_far_segment() - find a segment that is not in @near
 * @map: the Map
 * @number: the number of one of its records
 *
 * Return: the segment.
 */
void *gosync_map_far_segment(struct gosync_map *map, u32 number)
{
	return xa_load(&map->obj.area->more, place_of_segment(map, number));
}

/* --- Finding ------------------------------------------------------------- */

/**
 * gosync_map_find() - look for a key without the map's mutex
 * @map: the Map
 * @key: the key
 *
 * Return: its record, locked; NULL if it is absent; -ERESTARTSYS.
 */
struct gosync_map_record *gosync_map_find(struct gosync_map *map,
					  struct gosync_map_key *key)
{
	struct gosync_map_page *page = gosync_map_page_of(map);
	struct gosync_map_record *record;
	u64 table;
	int ret;

	do {
		/* T1: pairs with map_promote(). */
		table = smp_load_acquire(&page->table);
		record = gosync_map_probe(map, key, table, false);
		if (record)
			return record;
		/* T2: pairs with map_begin_table(). */
		smp_rmb();
		if (READ_ONCE(page->table) == table)
			return NULL;
		ret = gosync_try_again();
	} while (!ret);
	return ERR_PTR(ret);
}

/**
 * gosync_map_find_held() - look for a key
 * @map: the Map; the caller holds its mutex
 * @key: the key
 *
 * Return: its record, locked; NULL if it is absent.
 */
struct gosync_map_record *gosync_map_find_held(struct gosync_map *map,
					       struct gosync_map_key *key)
{
	struct gosync_map_record *record;

	lockdep_assert_held(&map->lock);
	record = gosync_map_probe(map, key, gosync_map_page_of(map)->table, true);
	if (record)
		gosync_map_lock(record);
	return record;
}

/* --- Changing the set of keys -------------------------------------------- */

static void set_slot(u64 *slot, u64 entry)
{
	/* S: the slot's record is there. Pairs with the reader's acquire. */
	smp_store_release(slot, entry);
}

/*
 * Begin to fill a table. It is not the present one, but may have been before.
 */
static int map_begin_table(struct gosync_map *map, u64 table)
{
	struct gosync_map_rules *rules = rules_of(map, table);
	u32 left = slots_in(class_of(table));
	u64 *slots = table_at(map, table);
	unsigned int i;

	lockdep_assert_held(&map->lock);
	if (!slots) {
		slots = gosync_area_extend(map->obj.area,
					   place_of_table(table),
					   pages_of_table(class_of(table)));
		if (!slots)
			return -ENOMEM;
		WRITE_ONCE(map->tables[(table & GOSYNC_MAP_TABLE_MASK) - 2],
			   slots);
	}
	/*
	 * T2: a late reader may still look here. If it sees anything that is
	 * written now, it must see that another table has become the present
	 * one. Pairs with the fence before its second look at the word.
	 */
	smp_wmb();
	for (i = 0; i < ARRAY_SIZE(rules->seed); i++)
		WRITE_ONCE(rules->seed[i], get_random_u64());
	while (left) {
		u32 n = min_t(u32, left, GOSYNC_MAP_BATCH);

		memset64(slots, GOSYNC_MAP_EMPTY, n);
		slots += n;
		left -= n;
		cond_resched();
	}
	return 0;
}

static void map_promote(struct gosync_map *map, u64 table, u64 cleared,
			u32 filled, u32 reach)
{
	struct gosync_map_rules *rules = rules_of(map, table);

	lockdep_assert_held(&map->lock);
	map->filled = filled;
	map->limit = max(REACH, 2 * reach);
	WRITE_ONCE(rules->reach, reach);
	WRITE_ONCE(rules->cleared, cleared);
	/*
	 * T1: the table is filled. Pairs with the reader's acquire of the word.
	 */
	smp_store_release(&gosync_map_page_of(map)->table, table);
}

/* The word of the table of class @class that is to follow @table */
static u64 next_table(u64 table, unsigned int class)
{
	u64 version = gosync_map_version(table) + 1;

	return version << GOSYNC_MAP_VERSION_SHIFT | class << 1 |
	       (class == class_of(table) ? ~table & 1 : 0);
}

static u64 *slot_at(struct gosync_map *map, u64 table, u32 hash, u32 distance)
{
	u32 mask = slots_in(class_of(table)) - 1;

	return &table_at(map, table)[(home(class_of(table), hash) + distance) & mask];
}

/*
 * The distance of the nearest free slot from a key's place; above @limit: too
 * far
 */
static u32 vacancy(struct gosync_map *map, u64 table, u32 hash, u32 limit)
{
	u32 i = 0;

	while (i <= limit && *slot_at(map, table, hash, i) > GOSYNC_MAP_TOMBSTONE)
		i++;
	return i;
}

/* Put an entry into a new table. Return: the distance from the key's place */
static u32 map_place(struct gosync_map *map, u64 table, u32 number)
{
	struct gosync_map_record *record = gosync_map_record_at(map, number);
	u32 hash, distance;

	if (!record->key_len)
		return 0;
	hash = gosync_map_hash(gosync_map_page_of(map), table, record + 1,
			       record->key_len);
	distance = vacancy(map, table, hash, U32_MAX - 1);
	WRITE_ONCE(*slot_at(map, table, hash, distance), (u64)hash << 32 | number);
	return distance;
}

/*
 * Fill a table with all entries, with room for @more, and promote it. The task
 * may be killed meanwhile: nothing has happened before the promotion.
 */
static int map_rebuild(struct gosync_map *map, u32 more)
{
	struct gosync_map_page *page = gosync_map_page_of(map);
	u64 table = next_table(page->table, class_for(page->count + more));
	u32 number, reach = 0;
	int ret;

	ret = map_begin_table(map, table);
	if (ret)
		return ret;
	for (number = 0; number < page->used; number++) {
		reach = max(reach, map_place(map, table, number));
		if (number % GOSYNC_MAP_BATCH == GOSYNC_MAP_BATCH - 1) {
			cond_resched();
			if (fatal_signal_pending(current))
				return -EINTR;
		}
	}
	map_promote(map, table, rules_of(map, page->table)->cleared,
		    page->count, reach);
	trace_gosync_map_grow(&map->obj, 0, slots_in(class_of(table)));
	return 0;
}

/* Get a record for a new entry, and its number. Return: NULL without memory */
static struct gosync_map_record *map_take_record(struct gosync_map *map,
						 u32 *number)
{
	struct gosync_map_page *page = gosync_map_page_of(map);
	struct gosync_map_record *record;
	void *segment;

	lockdep_assert_held(&map->lock);
	if (map->free) {
		*number = map->free - 1;
		record = gosync_map_record_at(map, *number);
		map->free = record->born;
		return record;
	}
	*number = page->used;
	segment = gosync_area_extend(map->obj.area,
				     place_of_segment(map, *number),
				     pages_of_segment(map));
	if (!segment)
		return NULL;
	if (*number >> map->segment_shift < GOSYNC_MAP_NEAR)
		WRITE_ONCE(map->near[*number >> map->segment_shift], segment);
	/* U: the segment is there. Pairs with the acquire of a walk. */
	smp_store_release(&page->used, page->used + 1);
	return gosync_map_record_at(map, *number);
}

static void map_count(struct gosync_map_page *page, u64 entries)
{
	/* C: a counted entry can be found. Pairs with the reader's acquire. */
	smp_store_release(&page->count, entries);
}

/* Wipe the contents of a locked record. */
static void map_wipe_record(struct gosync_map *map,
			    struct gosync_map_record *record)
{
	memset(record + 1, 0, record->key_len);
	memset(gosync_map_value_of(map, record), 0, record->value_len);
	WRITE_ONCE(record->key_len, 0);
	WRITE_ONCE(record->value_len, 0);
}

/* Decide on a key's slot. It may be further from its place than any other. */
static void map_choose_slot(struct gosync_map *map, struct gosync_map_key *key,
			    u64 table, u32 distance)
{
	if (distance > rules_of(map, table)->reach)
		WRITE_ONCE(rules_of(map, table)->reach, distance);
	key->slot = slot_at(map, table, key->hash, distance);
}

/* Find a slot for a new key. */
static int map_take_slot(struct gosync_map *map, struct gosync_map_key *key)
{
	struct gosync_map_page *page = gosync_map_page_of(map);
	u64 table = page->table;
	u32 hash = hash_in(map, key, table);
	u32 distance = vacancy(map, table, hash, map->limit);
	int ret;

	if (distance > map->limit ||
	    (*slot_at(map, table, hash, distance) == GOSYNC_MAP_EMPTY &&
	     map->filled == most_used(class_of(table)))) {
		ret = map_rebuild(map, 1);
		if (ret)
			return ret;
		table = page->table;
		hash = hash_in(map, key, table);
		distance = vacancy(map, table, hash, U32_MAX - 1);
	}
	map_choose_slot(map, key, table, distance);
	return 0;
}

/**
 * gosync_map_enter() - make an entry of a key that has a slot and a record
 * @map: the Map; the caller holds its mutex
 * @key: the key, which is absent
 * @value: its value
 * @len: the length of that
 */
void gosync_map_enter(struct gosync_map *map, const struct gosync_map_key *key,
		      const void *value, u32 len)
{
	struct gosync_map_record *record = gosync_map_record_at(map, key->number);
	struct gosync_map_page *page = gosync_map_page_of(map);

	gosync_map_lock(record);
	/* Clear has dropped the record, but has not wiped it yet. */
	if (record->key_len)
		map_wipe_record(map, record);
	WRITE_ONCE(record->key_len, key->len);
	memcpy(record + 1, key->data, key->len);
	gosync_map_put(map, record, value, len);
	WRITE_ONCE(record->born, page->born + 1);
	map->filled += *key->slot == GOSYNC_MAP_EMPTY;
	set_slot(key->slot, (u64)key->hash << 32 | key->number);
	gosync_map_unlock(record, true);

	map_count(page, page->count + 1);
	/*
	 * B: from now on walks visit the entry, which must not be before it can
	 * be loaded. Pairs with the acquire where they begin.
	 */
	smp_store_release(&page->born, page->born + 1);
}

/**
 * gosync_map_add() - add a key that is absent
 * @map: the Map; the caller holds its mutex
 * @key: the key
 * @value: its value
 * @len: the length of that
 *
 * Return: 0; -ENOSPC if the map is full, -ENOMEM, -EINTR if the caller is being
 * killed.
 */
int gosync_map_add(struct gosync_map *map, struct gosync_map_key *key,
		   const void *value, u32 len)
{
	int ret;

	if (gosync_map_page_of(map)->count >= map->obj.capacity)
		return -ENOSPC;
	ret = map_take_slot(map, key);
	if (ret)
		return ret;
	if (!map_take_record(map, &key->number))
		return -ENOMEM;
	gosync_map_enter(map, key, value, len);
	return 0;
}

/*
 * Free a slot. If it is the last of a row of slots, it and the tombstones
 * before it become empty, as far as keys reach: no look needs to go past them.
 */
static void vacate(struct gosync_map *map, u64 *slot)
{
	u64 table = gosync_map_page_of(map)->table;
	u32 mask = slots_in(class_of(table)) - 1;
	u64 *slots = table_at(map, table);
	u32 left = map->limit;
	u32 i = slot - slots;

	set_slot(slot, GOSYNC_MAP_TOMBSTONE);
	if (slots[(i + 1) & mask] != GOSYNC_MAP_EMPTY)
		return;
	while (left-- && slots[i & mask] == GOSYNC_MAP_TOMBSTONE) {
		set_slot(&slots[i-- & mask], GOSYNC_MAP_EMPTY);
		map->filled--;
	}
}

/**
 * gosync_map_remove() - remove a key
 * @map: the Map; the caller holds its mutex
 * @record: its record, which is locked and will be unlocked
 * @key: the key, as gosync_map_find_held() has found it
 */
void gosync_map_remove(struct gosync_map *map,
		       struct gosync_map_record *record,
		       const struct gosync_map_key *key)
{
	struct gosync_map_page *page = gosync_map_page_of(map);

	lockdep_assert_held(&map->lock);
	map_wipe_record(map, record);
	WRITE_ONCE(record->born, map->free);
	gosync_map_unlock(record, true);
	map->free = key->number + 1;
	vacate(map, key->slot);
	map_count(page, page->count - 1);
}

/**
 * gosync_map_make_room() - let the table have enough slots for new keys
 * @map: the Map; the caller holds its mutex
 * @more: how many new keys
 * @anew: fill a table in any case, with another seed
 *
 * Return: 0; -ENOSPC if the map has not room for so many, -ENOMEM, -EINTR if the
 * caller is being killed.
 */
int gosync_map_make_room(struct gosync_map *map, u32 more, bool anew)
{
	struct gosync_map_page *page = gosync_map_page_of(map);

	if (page->count + more > map->obj.capacity)
		return -ENOSPC;
	if (!anew && map->filled + more <= most_used(class_of(page->table)))
		return 0;
	return map_rebuild(map, more);
}

/**
 * gosync_map_reserve() - keep a slot and a record for a new key
 * @map: the Map; the caller holds its mutex until gosync_map_enter() or
 *	gosync_map_unreserve(). gosync_map_make_room() has made room
 * @key: the key
 * @anywhere: however far from its place, since the table is a new one
 *
 * Return: 0; -ENOMEM; -EAGAIN: the slot would be too far from the key's place,
 * so the table has to be filled anew.
 */
int gosync_map_reserve(struct gosync_map *map, struct gosync_map_key *key,
		       bool anywhere)
{
	u32 limit = anywhere ? U32_MAX - 1 : map->limit;
	u64 table = gosync_map_page_of(map)->table;
	u32 distance = vacancy(map, table, hash_in(map, key, table), limit);

	if (distance > limit)
		return -EAGAIN;
	if (!map_take_record(map, &key->number))
		return -ENOMEM;
	map_choose_slot(map, key, table, distance);
	map->filled += *key->slot == GOSYNC_MAP_EMPTY;
	set_slot(key->slot, RESERVED);
	return 0;
}

/**
 * gosync_map_unreserve() - undo gosync_map_reserve()
 * @map: the Map; the caller holds its mutex
 * @key: the key
 */
void gosync_map_unreserve(struct gosync_map *map,
			  const struct gosync_map_key *key)
{
	struct gosync_map_record *record = gosync_map_record_at(map, key->number);
	bool dropped;

	gosync_map_lock(record);
	/* As in gosync_map_enter(): gosync_map_wipe() will not know it again. */
	dropped = record->key_len;
	if (dropped)
		map_wipe_record(map, record);
	WRITE_ONCE(record->born, map->free);
	gosync_map_unlock(record, dropped);
	map->free = key->number + 1;
	vacate(map, key->slot);
}

/**
 * gosync_map_drop_all() - remove all keys at one moment
 * @map: the Map; the caller holds its mutex
 * @born: out: the number of the last entry that was dropped
 * @used: out: the number of records that were used
 *
 * The records stay as they are until they are used again, from the first on, or
 * wiped. A reader that finds one of them by the old table counts as earlier.
 */
void gosync_map_drop_all(struct gosync_map *map, u64 *born, u64 *used)
{
	struct gosync_map_page *page = gosync_map_page_of(map);
	u64 table = next_table(page->table, 0);

	*born = page->born;
	*used = page->used;
	/* This cannot fail: the smallest tables are part of the page. */
	map_begin_table(map, table);
	map_promote(map, table, page->born, 0, 0);
	/* After the promotion: until then these records are entries. */
	smp_store_release(&page->used, 0);
	map_count(page, 0);
	map->free = 0;
}

/**
 * gosync_map_wipe() - wipe dropped records, unless they are in use again
 * @map: the Map; the caller does not hold its mutex
 * @born: from gosync_map_drop_all()
 * @used: from gosync_map_drop_all()
 */
void gosync_map_wipe(struct gosync_map *map, u64 born, u64 used)
{
	struct gosync_map_record *record;
	bool dropped;
	u64 number;

	for (number = 0; number < used; number++) {
		record = gosync_map_record_at(map, number);
		gosync_map_lock(record);
		dropped = record->key_len && record->born <= born;
		if (dropped)
			map_wipe_record(map, record);
		gosync_map_unlock(record, dropped);
		cond_resched();
	}
}

/* A segment is whole pages, with whatever number of records that takes. */
static unsigned int segment_shift(size_t stride)
{
	unsigned int shift = 0;

	while (stride << shift < SEGMENT_SIZE || (stride << shift) % PAGE_SIZE)
		shift++;
	return shift;
}

/* Large records are aligned more, so that a few of them fill whole pages. */
static size_t stride_of(size_t size)
{
	return ALIGN(size, size > SZ_32K ? SZ_4K : size > SZ_4K ? 512 : 64);
}

/**
 * gosync_map_lay_out() - decide where everything will be in a new Map
 * @map: the Map; its capacity and sizes are set
 */
void gosync_map_lay_out(struct gosync_map *map)
{
	struct gosync_map_page *page = gosync_map_page_of(map);
	unsigned long tables, segments;

	page->value = sizeof(struct gosync_map_record) +
		      ALIGN(map->key_size, 8);
	page->stride = stride_of(page->value + map->value_size);
	page->page_size = PAGE_SIZE;
	get_random_bytes(page->rules[0].seed, sizeof(page->rules[0].seed));
	map->limit = REACH;
	map->segment_shift = segment_shift(page->stride);

	/* The records are behind the largest table that there can be. */
	tables = (2UL << class_for(map->obj.capacity)) - 1;
	page->records = tables << PAGE_SHIFT;
	segments = DIV_ROUND_UP(map->obj.capacity, BIT(map->segment_shift));
	map->obj.area->max_pages = tables + segments * pages_of_segment(map);
}
