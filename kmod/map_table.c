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
 *
 * What is gone is wiped: a deleted record while it is locked, what a shorter
 * value leaves behind likewise, and what Clear has dropped right after it, each
 * unless it is in use again. To a reader that is late that is another use.
 *
 * Keys that were chosen to collide. Each table has a seed of its own, random,
 * that whoever has the Map open can read. Whoever can't cannot tell which keys
 * collide. Against those who can, the table says how far from its place any key
 * is, so nobody looks further; and a key that would have to go further than
 * REACH, which doesn't happen by chance, has the table filled anew, by another
 * seed. To bring that about takes about as many trials of the hash as filling
 * takes. (If that doesn't help, because of map_hash_mask, twice as far is far
 * enough for the next time.)
 *
 * Barriers, by letters; all are pairs of who writes, which is the kernel alone,
 * and who reads: in libuser/map.c, and here without the map's mutex.
 *
 *	R1	gosync_map_unlock(): release of a record's seq
 *		read_record(), copy_record(): acquire of it
 *		What was written under this count is seen with it.
 *	R2	gosync_map_lock(): full, from the odd seq to what is written
 *		is_whole(): fence, from what was read to seq again
 *		Who saw anything new sees another count.
 *	S	set_slot(): release of a slot
 *		look(), map_probe(): acquire of it
 *		The record is there and has the key.
 *	T1	map_promote(): release of the table's word
 *		look(), gosync_map_find(), begin_walk(): acquire of it
 *		Slots, rules, and where the table is are there.
 *	T2	map_begin_table(): smp_wmb(), from the word of the one before to
 *		slots and rules
 *		look(), gosync_map_find(), begin_walk(): fence, from what was read
 *		to the word again
 *		Who saw anything of the next but one sees another word.
 *	U	map_take_record(): release of @used
 *		range_mapped(), map_walk(): acquire of it
 *		The segment is there, and zero.
 *	B	gosync_map_add(): release of @born
 *		begin_walk(): acquire of it
 *		Who visits an entry can load it: its slot is there.
 *	C	map_count(): release of @count
 *		gosync_map_len(), map_info(): acquire of it
 *		Who sees an entry counted can load it.
 */
#include <linux/mm.h>
#include <linux/random.h>
#include <linux/sched/signal.h>

#include "map.h"
#include "page.h"
#include "trace.h"
#include "wait.h"

/* Keys are not further than this from their place, unless they have to be */
#define REACH		128U

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

static struct gosync_map_rules *rules_of(struct gosync_map *map, u64 table)
{
	return &gosync_map_page_of(map)->rules[gosync_map_version(table) & 1];
}

/* NULL if there is no such table yet */
static u64 *table_at(struct gosync_map *map, u64 table)
{
	return READ_ONCE(map->tables[table & GOSYNC_MAP_TABLE_MASK]);
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
 * gosync_map_record_at() - a record
 * @map: the Map
 * @number: its number, of one that was in use once
 *
 * Return: the record.
 */
struct gosync_map_record *gosync_map_record_at(struct gosync_map *map,
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

/* It is kept with the key. A table that was the present one never is again. */
static u32 hash_in(struct gosync_map *map, struct gosync_map_key *key,
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
 * Look for a key in a table. Its record is returned locked, so with preemption
 * disabled, and its slot in *@slot; or NULL. Without the map's mutex absence has
 * to be confirmed, see gosync_map_find().
 */
static struct gosync_map_record *map_probe(struct gosync_map *map,
					   struct gosync_map_key *key,
					   u64 table, u64 **slot)
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
	return NULL;
}

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
	u64 table, *slot;
	int ret;

	do {
		/* T1: pairs with map_promote(). */
		table = smp_load_acquire(&page->table);
		record = map_probe(map, key, table, &slot);
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
 * @slot: out: its slot
 *
 * Return: its record, locked; NULL if it is absent.
 */
struct gosync_map_record *gosync_map_find_held(struct gosync_map *map,
					       struct gosync_map_key *key,
					       u64 **slot)
{
	lockdep_assert_held(&map->lock);
	return map_probe(map, key, gosync_map_page_of(map)->table, slot);
}

/* --- Changing the set of keys -------------------------------------------- */

static void set_slot(u64 *slot, u64 entry)
{
	/* S: what a slot says is so. Pairs with the reader's acquire of it. */
	smp_store_release(slot, entry);
}

/* Begin to fill a table that is not the present one, but may have been. */
static int map_begin_table(struct gosync_map *map, u64 table)
{
	struct gosync_map_rules *rules = rules_of(map, table);
	u32 left = slots_in(class_of(table));
	u64 *slots = table_at(map, table);
	unsigned int i;

	lockdep_assert_held(&map->lock);
	if (!slots)
		slots = gosync_area_extend(map->obj.area,
					   place_of_table(table),
					   pages_of_table(class_of(table)));
	if (!slots)
		return -ENOMEM;
	WRITE_ONCE(map->tables[table & GOSYNC_MAP_TABLE_MASK], slots);
	/*
	 * T2: readers who still look here must see, if they see anything of what
	 * is written now, that another has become the present one. Pairs with
	 * the fence before their second look at its word.
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
	/* T1: the table is filled. Pairs with the reader's acquire of the word. */
	smp_store_release(&gosync_map_page_of(map)->table, table);
}

/* The word of a table of a class, to follow @table */
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

/* How far from its place a key could go; up to @limit, more: further than that */
static u32 vacancy(struct gosync_map *map, u64 table, u32 hash, u32 limit)
{
	u32 i = 0;

	while (i <= limit && *slot_at(map, table, hash, i) > GOSYNC_MAP_TOMBSTONE)
		i++;
	return i;
}

/* A place in a new table for an entry. Return: how far it is from its own */
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
 * Fill a table with all entries, and room for one more, and promote it. May be
 * killed: nothing has happened before the promotion.
 */
static int map_rebuild(struct gosync_map *map)
{
	struct gosync_map_page *page = gosync_map_page_of(map);
	u64 table = next_table(page->table, class_for(page->count + 1));
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

/* A record for a new entry; *@number is its number. NULL: no memory */
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
	/* U: the segment is there. Pairs with the acquire of who walks. */
	smp_store_release(&page->used, page->used + 1);
	return gosync_map_record_at(map, *number);
}

static void map_count(struct gosync_map_page *page, u64 entries)
{
	/* C: what is counted can be found. Pairs with the reader's acquire. */
	smp_store_release(&page->count, entries);
}

/* Nothing is left of an entry that is gone; its record is locked. */
static void map_wipe_record(struct gosync_map *map,
			    struct gosync_map_record *record)
{
	memset(record + 1, 0, record->key_len);
	memset(gosync_map_value_of(map, record), 0, record->value_len);
	WRITE_ONCE(record->key_len, 0);
	WRITE_ONCE(record->value_len, 0);
}

/* *@slot: one for a new key. It may be further than others from its place. */
static int map_take_slot(struct gosync_map *map, struct gosync_map_key *key,
			 u64 **slot)
{
	struct gosync_map_page *page = gosync_map_page_of(map);
	u64 table = page->table;
	u32 hash = hash_in(map, key, table);
	u32 distance = vacancy(map, table, hash, map->limit);
	int ret;

	if (distance > map->limit ||
	    (*slot_at(map, table, hash, distance) == GOSYNC_MAP_EMPTY &&
	     map->filled == most_used(class_of(table)))) {
		ret = map_rebuild(map);
		if (ret)
			return ret;
		table = page->table;
		hash = hash_in(map, key, table);
		distance = vacancy(map, table, hash, U32_MAX - 1);
	}
	if (distance > rules_of(map, table)->reach)
		WRITE_ONCE(rules_of(map, table)->reach, distance);
	*slot = slot_at(map, table, hash, distance);
	return 0;
}

/**
 * gosync_map_add() - add a key that is absent
 * @map: the Map; the caller holds its mutex
 * @key: the key
 * @value: its value
 *
 * Return: 0; -ENOSPC if the map is full, -ENOMEM, -EINTR if the caller is being
 * killed.
 */
int gosync_map_add(struct gosync_map *map, struct gosync_map_key *key,
		   const struct gosync_payload *value)
{
	struct gosync_map_page *page = gosync_map_page_of(map);
	struct gosync_map_record *record;
	u32 number;
	u64 *slot;
	int ret;

	if (page->count >= map->obj.capacity)
		return -ENOSPC;
	ret = map_take_slot(map, key, &slot);
	if (ret)
		return ret;
	record = map_take_record(map, &number);
	if (!record)
		return -ENOMEM;

	gosync_map_lock(record);
	/* Clear has dropped it, and not come so far yet. */
	if (record->key_len)
		map_wipe_record(map, record);
	WRITE_ONCE(record->key_len, key->len);
	memcpy(record + 1, key->data, key->len);
	gosync_map_put(map, record, value);
	WRITE_ONCE(record->born, page->born + 1);
	gosync_map_unlock(record, true);

	map->filled += *slot == GOSYNC_MAP_EMPTY;
	set_slot(slot, (u64)key->hash << 32 | number);
	map_count(page, page->count + 1);
	/*
	 * B: from now on walks visit it, which must not be before it can be
	 * loaded. Pairs with the acquire where they begin.
	 */
	smp_store_release(&page->born, page->born + 1);
	return 0;
}

/*
 * A slot leads nowhere any more. If it is the last of a row it and the
 * tombstones before it, as far as keys reach, become empty: nobody needs to look
 * past them.
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
 * @slot: its slot
 */
void gosync_map_remove(struct gosync_map *map,
		       struct gosync_map_record *record, u64 *slot)
{
	struct gosync_map_page *page = gosync_map_page_of(map);

	lockdep_assert_held(&map->lock);
	map_wipe_record(map, record);
	WRITE_ONCE(record->born, map->free);
	gosync_map_unlock(record, true);
	map->free = (u32)*slot + 1;
	vacate(map, slot);
	map_count(page, page->count - 1);
}

/**
 * gosync_map_drop_all() - remove all keys at one moment
 * @map: the Map; the caller holds its mutex
 * @born: out: of the last entry that is gone
 * @used: out: so many records were used
 *
 * The records stay as they are until they are used again, from the first on, or
 * wiped: whoever finds one of them by the old table came before this.
 */
void gosync_map_drop_all(struct gosync_map *map, u64 *born, u64 *used)
{
	struct gosync_map_page *page = gosync_map_page_of(map);
	u64 table = next_table(page->table, 0);

	*born = page->born;
	*used = page->used;
	/* A small one is there. */
	map_begin_table(map, table);
	map_promote(map, table, page->born, 0, 0);
	/* Not before: until then the records are those of entries. */
	smp_store_release(&page->used, 0);
	map_count(page, 0);
	map->free = 0;
}

/**
 * gosync_map_wipe() - wipe what was dropped, unless it is in use again
 * @map: the Map; the caller does not hold its mutex
 * @born: from gosync_map_drop_all()
 * @used: likewise
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
	map->tables[0] = page->small[0];
	map->tables[1] = page->small[1];
	map->segment_shift = segment_shift(page->stride);

	/* Behind the last table that could be */
	tables = (2UL << class_for(map->obj.capacity)) - 1;
	page->records = tables << PAGE_SHIFT;
	segments = DIV_ROUND_UP(map->obj.capacity, BIT(map->segment_shift));
	map->obj.area->max_pages = tables + segments * pages_of_segment(map);
}
