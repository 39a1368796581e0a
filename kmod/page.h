/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Mapped state: the pages that it is in.
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
 * @refs: one for the objects, one for each mapping of one that grows
 * @pool: it is a page that holds slots of several objects; NULL: it is an
 *	object's own
 * @node: in the pool's list while it has room
 * @free: bit per slot, for a shared page
 * @no_mmap: it is not to be mapped
 * @addr: where the kernel sees it
 * @max_pages: how many pages a mapping covers; more than @nr_pages if it grows
 * @more: pages that were added, where the kernel sees them, by their place; a
 *	mark on the first of each piece
 * @nr_pages: how many pages it has from the beginning
 * @pages: these pages
 *
 * Fixed once made, but for @node and @free, and for @more, to which only its
 * object adds.
 */
struct gosync_area {
	refcount_t refs;
	struct gosync_pool *pool;
	struct list_head node;
	u64 free;
	bool no_mmap;
	void *addr;
	unsigned long max_pages;
	struct xarray more;
	unsigned int nr_pages;
	struct page *pages[] __counted_by(nr_pages);
};

/**
 * struct gosync_spare - what a new place in a shared page may need
 * @pool: a pool that is not there yet; or NULL
 * @area: a page that is not shared yet; or NULL
 */
struct gosync_spare {
	struct gosync_pool *pool;
	struct gosync_area *area;
};

int gosync_spare_get(struct gosync_spare *spare);
void gosync_spare_put(struct gosync_spare *spare);
int gosync_area_get(struct gosync_object *obj);
void gosync_area_put(struct gosync_area *area, const void *state);
bool gosync_area_suits(const struct gosync_object *obj,
		       const struct gosync_access *access);
bool gosync_area_will_do(const struct gosync_object *obj,
			 const struct gosync_access *access);
int gosync_area_move(struct gosync_object *obj,
		     const struct gosync_access *access,
		     struct gosync_spare *spare);
void gosync_area_unref(struct gosync_area *area);
void *gosync_area_extend(struct gosync_area *area, unsigned long first,
			 unsigned long nr);
int gosync_mmap(struct file *file, struct vm_area_struct *vma);
int gosync_page_init(void);
void gosync_page_exit(void);

#endif /* GOSYNC_PAGE_H */
