// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Map: walks from the mapped pages; the kernel goes on with one where writers
 * come in between each time. map.c says where the rules and the letters stand.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "map.h"

/* Room for entries in a walk by the kernel, besides the longest one */
#define WALK_ROOM	65536

static size_t aligned(size_t size)
{
	return (size + 7) & ~(size_t)7;
}

/**
 * struct gosync_map_cursor - a walk
 * @map: the handle
 * @view: how the Map lies in memory; NULL: the kernel goes on with the walk
 * @range: where the walk is, for the kernel and for us
 * @room: entries that the kernel has returned, or a copy of one
 * @next: the next of these
 * @left: how many of these are left
 */
struct gosync_map_cursor {
	struct gosync_map *map;
	const struct view *view;
	struct gosync_map_range_args range;
	char *room;
	const struct gosync_map_item *next;
	int left;
};

/*
 * Read where a walk begins and ends, both at one moment. Return: 0; AGAIN if a
 * writer came in between each time.
 */
static int begin_walk(const struct gosync_map_page *page,
		      struct gosync_map_range_args *range)
{
	const struct gosync_map_rules *rules;
	uint64_t word;
	int tries;

	for (tries = 0; tries < TRIES; tries++) {
		/* T1 */
		word = __atomic_load_n(&page->table, __ATOMIC_ACQUIRE);
		rules = gosync_map_rules_of(page, word);
		range->after = __atomic_load_n(&rules->cleared, __ATOMIC_RELAXED);
		/* B: pairs with gosync_map_add() in kmod/map_table.c. */
		range->until = __atomic_load_n(&page->born, __ATOMIC_ACQUIRE);
		/* T2 */
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
		if (__atomic_load_n(&page->table, __ATOMIC_RELAXED) == word) {
			range->cursor = 1;
			return 0;
		}
	}
	return AGAIN;
}

EXPORT int gosync_map_begin(gosync_map_t *map, gosync_map_cursor_t **cursor)
{
	const struct view *view = view_of(map), *sizes = sizes_of(map);
	gosync_map_cursor_t *made;
	size_t room = sizeof(struct gosync_map_item) +
		      aligned(sizes->key_size) + aligned(sizes->value_size);

	made = calloc(1, sizeof(*made));
	if (!made)
		return -ENOMEM;
	made->map = map;
	if (view && !begin_walk(view->page, &made->range))
		made->view = view;
	if (!made->view)
		room += WALK_ROOM;
	made->range.size = sizeof(made->range);
	made->range.len = room;
	made->room = malloc(room);
	made->range.buf = (uintptr_t)made->room;
	if (!made->room) {
		free(made);
		return -ENOMEM;
	}
	*cursor = made;
	return 0;
}

EXPORT void gosync_map_end(gosync_map_cursor_t *cursor)
{
	if (!cursor)
		return;
	free(cursor->room);
	free(cursor);
}

/* Return: 0: key and value are in @copy; OTHER: not to be visited; AGAIN */
static int copy_record(const struct view *view,
		       const struct gosync_map_range_args *range, char *copy,
		       struct gosync_map_entry *entry)
{
	const struct gosync_map_record *record =
		(const void *)(view->records + (range->cursor - 1) * view->stride);
	char *value = copy + aligned(view->key_size);
	uint64_t seq, born;
	int tries;

	for (tries = 0; tries < TRIES; tries++) {
		/* R1 */
		seq = __atomic_load_n(&record->seq, __ATOMIC_ACQUIRE);
		entry->key_len = __atomic_load_n(&record->key_len,
						 __ATOMIC_RELAXED);
		entry->len = __atomic_load_n(&record->value_len,
					     __ATOMIC_RELAXED);
		born = __atomic_load_n(&record->born, __ATOMIC_RELAXED);
		memcpy(copy, record + 1, entry->key_len);
		memcpy(value, (const char *)record + view->value, entry->len);
		if (is_whole(record, seq)) {
			entry->key = copy;
			entry->value = value;
			return entry->key_len && born > range->after &&
			       born <= range->until ? 0 : OTHER;
		}
	}
	return AGAIN;
}

/* Return: 1 with the next entry, 0 at the end, or AGAIN as a negative number */
static int next_mapped(gosync_map_cursor_t *cursor,
		       struct gosync_map_entry *entry)
{
	const struct view *view = cursor->view;
	int ret;

	/*
	 * Records that are not in use any more were cleared. U: pairs with
	 * map_take_record() in kmod/map_table.c.
	 */
	while (cursor->range.cursor <= __atomic_load_n(&view->page->used,
						       __ATOMIC_ACQUIRE)) {
		ret = copy_record(view, &cursor->range, cursor->room, entry);
		if (ret == AGAIN)
			return -AGAIN;
		cursor->range.cursor++;
		if (!ret)
			return 1;
	}
	return 0;
}

/* The kernel goes on with the walk from where it is. */
static int next_by_ioctl(gosync_map_cursor_t *cursor,
			 struct gosync_map_entry *entry)
{
	const struct gosync_map_item *item;

	if (!cursor->left) {
		int got = __gosync_wait_ioctl(cursor->map, GOSYNC_IOC_MAP_RANGE,
					      &cursor->range, 0);

		if (got <= 0)
			return got;
		cursor->left = got;
		cursor->next = (const void *)cursor->room;
	}
	item = cursor->next;
	entry->key = item + 1;
	entry->key_len = item->key_len;
	entry->value = (const char *)entry->key + aligned(item->key_len);
	entry->len = item->value_len;
	cursor->next = (const void *)((const char *)entry->value +
				      aligned(item->value_len));
	cursor->left--;
	return 1;
}

EXPORT int gosync_map_next(gosync_map_cursor_t *cursor,
			   struct gosync_map_entry *entry)
{
	int ret = cursor->view ? next_mapped(cursor, entry) : -AGAIN;

	if (ret != -AGAIN)
		return ret;
	cursor->view = NULL;
	return next_by_ioctl(cursor, entry);
}

static void end_walk(gosync_map_cursor_t **cursor)
{
	gosync_map_end(*cursor);
}

EXPORT int gosync_map_range(gosync_map_t *map,
			    int (*fn)(const void *key, size_t key_len,
				      const void *value, size_t len, void *arg),
			    void *arg)
{
	gosync_map_cursor_t *cursor CLEANUP(end_walk) = NULL;
	struct gosync_map_entry entry;
	int ret = gosync_map_begin(map, &cursor);

	while (!ret) {
		ret = gosync_map_next(cursor, &entry);
		if (ret <= 0)
			break;
		ret = fn(entry.key, entry.key_len, entry.value, entry.len, arg);
	}
	return ret;
}
