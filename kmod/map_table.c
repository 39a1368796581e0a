// SPDX-License-Identifier: GPL-2.0-only
/*
 * Map: where its entries are, and how they are found.
 *
 * Entries are records of one size, numbered; a table (open addressing, linear
 * probing) leads from a key's hash to its record. All of it is mapped
 * read-only into whoever opens it, grows with use, and never becomes anything
 * else while it is mapped: table memory is for tables, a record stays a record.
 * So the kernel may trust what it finds there, and a reader that is late finds
 * old or new entries, but never nonsense.
 *
 * A record has a sequence count that is odd while the record is written. To
 * the kernel that is its lock, held for a comparison or a copy with preemption
 * disabled; payloads are copied from and to user space before and after. With
 * it alone a key that is there is read and stored over. Who changes the set of
 * keys holds the map's mutex, in which nothing waits for user space either; so
 * no death of a process comes in the middle of anything.
 *
 * The present table is named by one word in the page, together with a version.
 * When a table is half full of entries and tombstones the kernel fills another
 * one, larger, smaller or its twin (Go's dirty map), and promotes it by writing
 * that word. Clear promotes an empty one.
 *
 * Why no reader is misled, in user space or here:
 *
 *   A hit. The record had the key, by its sequence count, at a moment while
 *   the reader looked, and records in use without the key being in the map are
 *   those that Clear has dropped (below).
 *
 *   A miss counts only if the table is the present one after it was looked
 *   through; so it was all the time. A key's slot may go from one place to
 *   another in it, but the key has then been absent in between, and the reader
 *   that passed the second place before and the first one after was looking at
 *   that moment. A record that was deleted says so before its slot does, and
 *   one that is new is complete before its slot says so.
 *
 *   After Clear's moment, which is when the word is written, its records are
 *   what they were until they are used again. Only who read the word before
 *   that moment finds them, and is taken to have come before it; that goes for
 *   stores, too. Among themselves these keep the records' order, and nobody who
 *   begins after Clear's moment sees anything they do. A walk over the records
 *   knows them by @cleared.
 *
 * Barriers, each with its other half in libuser/map.c:
 *
 *	gosync_map_unlock() release	acquire of a record's seq
 *	gosync_map_lock() full		fence before seq is read again
 *	set_slot() release		acquire of a slot
 *	promote() release		acquire of the table's word
 *	begin_table() smp_wmb()		fence before the word is read again
 *	gosync_map_add() release of @born		acquire of it by a walk
 */
#include <linux/mm.h>
#include <linux/sched/signal.h>

#include "map.h"
#include "trace.h"

/* Records come in segments of at least this size */
#define SEGMENT_SIZE	SZ_64K

static_assert(sizeof(struct gosync_map_page) <= PAGE_SIZE);
static_assert(sizeof(struct gosync_map_record) == 24);

/* --- Where things are ---------------------------------------------------- */

static unsigned int class_of(u64 table)
{
	return (table & GOSYNC_MAP_TABLE_MASK) >> 1;
}

static u32 slots_in(unsigned int class)
{
	return class ? PAGE_SIZE / sizeof(u64) << (class - 1) :
		       GOSYNC_MAP_SMALL;
}

/* A table is given up when half of it is used, a new one is not so soon. */
static u32 most_used(unsigned int class)
{
	return slots_in(class) / 2;
}

static unsigned int class_for(u32 entries)
{
	unsigned int class = 0;

	while (most_used(class) / 4 * 3 < entries)
		class++;
	return class;
}

/* Where a table's slots for a hash begin */
static u32 home(unsigned int class, u32 hash)
{
	return hash >> (32 - ilog2(slots_in(class)));
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

/* NULL if there is no such table yet */
static u64 *table_at(struct gosync_map_obj *map, u64 table)
{
	return READ_ONCE(map->tables[table & GOSYNC_MAP_TABLE_MASK]);
}

static unsigned long pages_of_segment(struct gosync_map_obj *map)
{
	size_t stride = gosync_map_page_of(map)->stride;

	return (stride << map->segment_shift) >> PAGE_SHIFT;
}

static unsigned long place_of_segment(struct gosync_map_obj *map, u32 number)
{
	return (gosync_map_page_of(map)->records >> PAGE_SHIFT) +
	       (number >> map->segment_shift) * pages_of_segment(map);
}

/**
 * gosync_map_record_at() - a record
 * @map: the Map
 * @number: its number, of one that was in use once
 *
 * Return: the record.
 */
struct gosync_map_record *gosync_map_record_at(struct gosync_map_obj *map,
					       u32 number)
{
	u32 nr = number >> map->segment_shift;
	void *segment;

	if (nr < GOSYNC_MAP_NEAR)
		segment = READ_ONCE(map->near[nr]);
	else
		segment = xa_load(&map->obj.area->more,
				  place_of_segment(map, number));
	return segment + (size_t)gosync_map_page_of(map)->stride *
			 (number & (BIT(map->segment_shift) - 1));
}

/* --- Finding ------------------------------------------------------------- */

/*
 * Look for a key in a table. Its record is returned locked, so with preemption
 * disabled, and its slot in *@slot; or NULL, and in *@slot where it would go.
 * Without the map's mutex absence has to be confirmed, see gosync_map_find().
 */
static struct gosync_map_record *probe(struct gosync_map_obj *map,
				       const struct gosync_map_key *key, u64 table,
				       u64 **slot)
{
	u32 mask = slots_in(class_of(table)) - 1;
	u32 first = home(class_of(table), key->hash);
	u64 *slots = table_at(map, table);
	struct gosync_map_record *record;
	u64 *at, *vacant = NULL;
	u64 entry;
	u32 i;

	for (i = 0; i <= mask; i++) {
		at = &slots[(first + i) & mask];
		/* Pairs with set_slot(). */
		entry = smp_load_acquire(at);
		if (entry <= GOSYNC_MAP_TOMBSTONE && !vacant)
			vacant = at;
		if (entry == GOSYNC_MAP_EMPTY)
			break;
		if (entry >> 32 == key->hash) {
			record = gosync_map_record_at(map, entry);
			gosync_map_lock(record);
			if (record->key_len == key->len &&
			    !memcmp(record + 1, key->data, key->len)) {
				*slot = at;
				return record;
			}
			gosync_map_unlock(record, false);
		}
		if (i % GOSYNC_MAP_BATCH == GOSYNC_MAP_BATCH - 1)
			cond_resched();
	}
	*slot = vacant;
	return NULL;
}

/**
 * gosync_map_find() - look for a key without the map's mutex
 * @map: the Map
 * @key: the key
 *
 * Return: its record, locked; NULL if it is absent; -ERESTARTSYS.
 */
struct gosync_map_record *gosync_map_find(struct gosync_map_obj *map,
					  const struct gosync_map_key *key)
{
	struct gosync_map_page *page = gosync_map_page_of(map);
	struct gosync_map_record *record;
	u64 table, *slot;
	int ret;

	do {
		/* Pairs with promote(). */
		table = smp_load_acquire(&page->table);
		record = probe(map, key, table, &slot);
		if (record)
			return record;
		/* Pairs with begin_table(). */
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
 * @slot: out: its slot; if it is absent the one for gosync_map_add()
 *
 * Return: its record, locked; NULL if it is absent.
 */
struct gosync_map_record *
gosync_map_find_held(struct gosync_map_obj *map,
		     const struct gosync_map_key *key, u64 **slot)
{
	lockdep_assert_held(&map->lock);
	return probe(map, key, gosync_map_page_of(map)->table, slot);
}

/* --- Changing the set of keys -------------------------------------------- */

static void set_slot(u64 *slot, u64 entry)
{
	/* What a slot says is so. Pairs with the acquire in the reader's look. */
	smp_store_release(slot, entry);
}

/* Begin to fill a table that is not the present one, but may have been. */
static int begin_table(struct gosync_map_obj *map, u64 table)
{
	u32 left = slots_in(class_of(table));
	u64 *slots = table_at(map, table);

	lockdep_assert_held(&map->lock);
	if (!slots)
		slots = gosync_area_extend(map->obj.area,
					   place_of_table(table),
					   pages_of_table(class_of(table)));
	if (!slots)
		return -ENOMEM;
	WRITE_ONCE(map->tables[table & GOSYNC_MAP_TABLE_MASK], slots);
	/*
	 * Readers who still look here must see, if they see anything of what is
	 * written now, that another has become the present one. Pairs with the
	 * fence before their second look at its word.
	 */
	smp_wmb();
	while (left) {
		u32 n = min_t(u32, left, GOSYNC_MAP_BATCH);

		memset64(slots, GOSYNC_MAP_EMPTY, n);
		slots += n;
		left -= n;
		cond_resched();
	}
	return 0;
}

static void promote(struct gosync_map_obj *map, u64 table, u64 cleared,
		    u32 filled)
{
	struct gosync_map_page *page = gosync_map_page_of(map);

	lockdep_assert_held(&map->lock);
	map->filled = filled;
	page->cleared[gosync_map_version(table) & 1] = cleared;
	/* The table is filled. Pairs with the acquire in the reader's look. */
	smp_store_release(&page->table, table);
}

/* The word of a table that could follow @table, without its version */
static u64 other_table(u64 table, unsigned int class)
{
	return class << 1 | (class == class_of(table) ? ~table & 1 : 0);
}

static u64 *vacancy(struct gosync_map_obj *map, u64 table, u32 hash)
{
	u32 i = home(class_of(table), hash);
	u32 mask = slots_in(class_of(table)) - 1;
	u64 *slots = table_at(map, table);

	while (slots[i & mask] > GOSYNC_MAP_TOMBSTONE)
		i++;
	return &slots[i & mask];
}

/*
 * Fill a table with what the present one has, and room for one more, and
 * promote it. May be killed: nothing has happened before the promotion.
 */
static int rebuild(struct gosync_map_obj *map)
{
	struct gosync_map_page *page = gosync_map_page_of(map);
	u64 old = page->table;
	u64 new = other_table(old, class_for(page->count + 1));
	u64 *from = table_at(map, old);
	u32 i;
	int ret;

	ret = begin_table(map, new);
	if (ret)
		return ret;
	for (i = 0; i < slots_in(class_of(old)); i++) {
		u64 entry = from[i];

		if (entry > GOSYNC_MAP_TOMBSTONE)
			WRITE_ONCE(*vacancy(map, new, entry >> 32), entry);
		if (i % GOSYNC_MAP_BATCH == GOSYNC_MAP_BATCH - 1) {
			cond_resched();
			if (fatal_signal_pending(current))
				return -EINTR;
		}
	}
	new |= (gosync_map_version(old) + 1) << GOSYNC_MAP_VERSION_SHIFT;
	promote(map, new, page->cleared[gosync_map_version(old) & 1], page->count);
	trace_gosync_map_grow(&map->obj, 0, slots_in(class_of(new)));
	return 0;
}

/* A record for a new entry; *@number is its number. NULL: no memory */
static struct gosync_map_record *take_record(struct gosync_map_obj *map,
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
	WRITE_ONCE(page->used, page->used + 1);
	return gosync_map_record_at(map, *number);
}

/**
 * gosync_map_add() - add a key that is absent
 * @map: the Map; the caller holds its mutex
 * @key: the key
 * @value: its value
 * @slot: from gosync_map_find_held()
 *
 * Return: 0; -ENOSPC if the map is full, -ENOMEM, -EINTR if the caller is being
 * killed.
 */
int gosync_map_add(struct gosync_map_obj *map, const struct gosync_map_key *key,
		   const struct gosync_payload *value, u64 *slot)
{
	struct gosync_map_page *page = gosync_map_page_of(map);
	struct gosync_map_record *record;
	u32 number;
	int ret;

	if (page->count >= map->obj.capacity)
		return -ENOSPC;
	if (*slot == GOSYNC_MAP_EMPTY &&
	    map->filled == most_used(class_of(page->table))) {
		ret = rebuild(map);
		if (ret)
			return ret;
		slot = vacancy(map, page->table, key->hash);
	}
	record = take_record(map, &number);
	if (!record)
		return -ENOMEM;

	gosync_map_lock(record);
	WRITE_ONCE(record->key_len, key->len);
	memcpy(record + 1, key->data, key->len);
	gosync_map_put(map, record, value);
	WRITE_ONCE(record->born, page->born + 1);
	gosync_map_unlock(record, true);

	map->filled += *slot == GOSYNC_MAP_EMPTY;
	set_slot(slot, (u64)key->hash << 32 | number);
	WRITE_ONCE(page->count, page->count + 1);
	/*
	 * From now on walks visit it, which must not be before it can be
	 * loaded. Pairs with the acquire where they begin.
	 */
	smp_store_release(&page->born, page->born + 1);
	return 0;
}

/*
 * A slot leads nowhere any more. If it is the last of a row it and the
 * tombstones before it become empty: nobody needs to look past them.
 */
static void vacate(struct gosync_map_obj *map, u64 *slot)
{
	u64 table = gosync_map_page_of(map)->table;
	u32 mask = slots_in(class_of(table)) - 1;
	u64 *slots = table_at(map, table);
	u32 i = slot - slots;

	set_slot(slot, GOSYNC_MAP_TOMBSTONE);
	if (slots[(i + 1) & mask] != GOSYNC_MAP_EMPTY)
		return;
	while (slots[i & mask] == GOSYNC_MAP_TOMBSTONE) {
		set_slot(&slots[i-- & mask], GOSYNC_MAP_EMPTY);
		map->filled--;
	}
}

/**
 * gosync_map_remove() - remove a key
 * @map: the Map; the caller holds its mutex
 * @record: its record, which is locked and will be unlocked
 * @slot: its slot
 */
void gosync_map_remove(struct gosync_map_obj *map,
		       struct gosync_map_record *record, u64 *slot)
{
	struct gosync_map_page *page = gosync_map_page_of(map);

	lockdep_assert_held(&map->lock);
	WRITE_ONCE(record->key_len, 0);
	WRITE_ONCE(record->born, map->free);
	gosync_map_unlock(record, true);
	map->free = (u32)*slot + 1;
	vacate(map, slot);
	WRITE_ONCE(page->count, page->count - 1);
}

/**
 * gosync_map_drop_all() - remove all keys at one moment
 * @map: the Map; the caller holds its mutex
 *
 * The records stay as they are, and are used again from the first on: whoever
 * finds one of them by the old table came before this.
 */
void gosync_map_drop_all(struct gosync_map_obj *map)
{
	struct gosync_map_page *page = gosync_map_page_of(map);
	u64 table = other_table(page->table, 0);

	table |= (gosync_map_version(page->table) + 1) << GOSYNC_MAP_VERSION_SHIFT;
	/* A small one is there. */
	begin_table(map, table);
	promote(map, table, page->born, 0);
	/* Not before: until then the records are those of entries. */
	smp_store_release(&page->used, 0);
	WRITE_ONCE(page->count, 0);
	map->free = 0;
}

/* Whole pages, of whatever number of records that takes */
static unsigned int segment_shift(size_t stride)
{
	unsigned int shift = 0;

	while (stride << shift < SEGMENT_SIZE || (stride << shift) % PAGE_SIZE)
		shift++;
	return shift;
}

/* Large records are aligned so that few of them are whole pages. */
static size_t stride_of(size_t size)
{
	return ALIGN(size, size > SZ_32K ? SZ_4K : size > SZ_4K ? 512 : 64);
}

/**
 * gosync_map_lay_out() - say where everything will be in a new Map
 * @map: the Map, which knows its limits
 */
void gosync_map_lay_out(struct gosync_map_obj *map)
{
	struct gosync_map_page *page = gosync_map_page_of(map);
	unsigned long tables, segments;

	page->value = sizeof(struct gosync_map_record) +
		      ALIGN(map->key_size, 8);
	page->stride = stride_of(page->value + map->value_size);
	page->page_size = PAGE_SIZE;
	map->tables[0] = page->small[0];
	map->tables[1] = page->small[1];
	map->segment_shift = segment_shift(page->stride);

	/* Behind the last table that could be */
	tables = (2UL << class_for(map->obj.capacity)) - 1;
	page->records = tables << PAGE_SHIFT;
	segments = DIV_ROUND_UP(map->obj.capacity, BIT(map->segment_shift));
	map->obj.area->max_pages = tables + segments * pages_of_segment(map);
}
