/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Mapped state: the pages with the objects' words.
 */
#ifndef GOSYNC_PAGE_H
#define GOSYNC_PAGE_H

#include <linux/list.h>
#include <linux/refcount.h>
#include <linux/xarray.h>

#include "gosync.h"

struct gosync_pool;
struct page;
struct vm_area_struct;

/**
 * struct gosync_area - pages of mapped state
 * @refs: one reference for the objects, and one for each mapping of an area
 *	that grows
 * @nr_pages: the number of pages that it has from the beginning
 * @max_pages: the number of pages that a mapping covers; more than @nr_pages if
 *	it grows
 * @slot_size: bytes of each slot of a shared page
 * @no_mmap: it cannot be mapped
 * @pool: the pool, if it is a page with slots of several objects, or if @home
 *	is; NULL: it belongs to one object
 * @home: the shared page that is the first page of an area that grows; NULL: it
 *	has pages of its own
 * @node: its entry in the pool's list while a slot is free
 * @free: a bit for each free slot of a shared page
 * @id: its number, &gosync_info.map_id
 * @addr: its address in the kernel; with @home that of the object's slot
 * @more: the kernel's addresses of pages that were added, by their place; the
 *	first page of each piece has a mark
 * @pages: those that it has from the beginning
 *
 * Only @node, @free and @more ever change, and only the object adds to @more.
 * But one that grows gets another @home when its object moves there.
 */
struct gosync_area {
	refcount_t refs;
	unsigned int nr_pages;
	unsigned int max_pages;
	u16 slot_size;
	bool no_mmap;
	struct gosync_pool *pool;
	struct gosync_area *home;
	struct list_head node;
	u64 free;
	u64 id;
	void *addr;
	struct xarray more;
	struct page *pages[] __counted_by(nr_pages);
};

/**
 * struct gosync_spare - memory that a new slot of a shared page may need
 * @pool: a new pool, in case there is none yet; or NULL
 * @area: a new page, in case no slot is free; or NULL
 */
struct gosync_spare {
	struct gosync_pool *pool;
	struct gosync_area *area;
};

int gosync_spare_get(struct gosync_spare *spare);
void gosync_spare_put(struct gosync_spare *spare);
int gosync_area_get(struct gosync_object *obj);
void gosync_area_put(struct gosync_area *area, void *state);
bool gosync_area_suits(const struct gosync_object *obj,
		       const struct gosync_access *access);
bool gosync_area_will_do(const struct gosync_object *obj,
			 const struct gosync_access *access);
int gosync_area_move(struct gosync_object *obj,
		     const struct gosync_access *access,
		     struct gosync_spare *spare, struct gosync_area **left);
void gosync_area_unref(struct gosync_area *area);
void *gosync_area_extend(struct gosync_area *area, unsigned long first,
			 unsigned long nr);
int gosync_mmap(struct file *file, struct vm_area_struct *vma);
int gosync_page_init(void);
void gosync_page_exit(void);

#endif /* GOSYNC_PAGE_H */
