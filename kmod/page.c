// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mapped state: the pages in which objects have the words that user space
 * operates on too.
 *
 * A small object has a slot of 64 bytes. Objects of one namespace with the
 * same owner, group and mode share pages, 64 to a page: who may map one of
 * them may open all of them, so that the page shows nothing that permission
 * does not. mmap() asks the caller's own credentials and IPC namespace for it,
 * because its descriptor may have been passed to it by somebody with more
 * rights, or from where the names are others. Pages for the same owner, group
 * and mode are a pool; what has room is found there in constant time, however
 * many others there are.
 *
 * An anonymous object, one with GOSYNC_OWN_PAGE and one that needs more than a
 * slot have pages of their own, and the descriptor alone is the right to map
 * them.
 *
 * A mapping refers to a file of its own, not to the object's, so that it does
 * not keep a holder alive; and to the pages, so that the object may go first.
 *
 * A Map's memory grows. Its mapping covers all that it may ever have, gets each
 * page when it is first touched, and a bus error where there is none yet; it
 * refers to the area as a whole. What was added stays until the area goes.
 */
#include <linux/anon_inodes.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/rhashtable.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "gosync.h"

#define SLOTS		64
#define ALL_SLOTS	(~0ULL)

static_assert(PAGE_SIZE >= SLOTS * GOSYNC_SLOT_SIZE);
static_assert(sizeof(struct gosync_mutex_slot) <= GOSYNC_SLOT_SIZE);
static_assert(sizeof(struct gosync_atomic_slot) == GOSYNC_SLOT_SIZE);
static_assert(sizeof(struct gosync_value_page) == GOSYNC_SLOT_SIZE);

/**
 * struct gosync_pool_key - what objects that share pages have in common
 * @ns: namespace
 * @uid: owner
 * @gid: group
 * @mode: permission bits
 * @no_mmap: they are not to be mapped
 *
 * Without holes, as it is compared and hashed as bytes.
 */
struct gosync_pool_key {
	const struct gosync_ns *ns;
	kuid_t uid;
	kgid_t gid;
	u32 mode;
	u32 no_mmap;
};

static_assert(sizeof(struct gosync_pool_key) ==
	      sizeof(void *) + 4 * sizeof(u32));

/**
 * struct gosync_pool - pages that objects share
 * @node: in the table of pools
 * @key: who shares them
 * @refs: one for each page and each user of the moment
 * @partial: the pages that have room
 */
struct gosync_pool {
	struct rhash_head node;
	struct gosync_pool_key key;
	unsigned int refs;
	struct list_head partial;
};

static const struct rhashtable_params pools_params = {
	.head_offset = offsetof(struct gosync_pool, node),
	.key_offset = offsetof(struct gosync_pool, key),
	.key_len = sizeof(struct gosync_pool_key),
	.automatic_shrinking = true,
};

/*
 * The lock protects the table, the pools, and which slots of their pages are
 * free. Everybody needs it: what is done with it takes constant time.
 */
static struct rhashtable pools;
static DEFINE_SPINLOCK(pools_lock);

static void area_free(struct gosync_area *area)
{
	unsigned long index;
	unsigned int i;
	void *piece;

	if (area->nr_pages > 1)
		vunmap(area->addr);
	for (i = 0; i < area->nr_pages && area->pages[i]; i++)
		put_page(area->pages[i]);
	xa_for_each_marked(&area->more, index, piece, XA_MARK_0) {
		vfree(piece);
		cond_resched();
	}
	xa_destroy(&area->more);
	kvfree(area);
}

static struct gosync_area *area_alloc(unsigned int nr_pages)
{
	struct gosync_area *area;
	unsigned int i;

	area = kvzalloc(struct_size(area, pages, nr_pages), GFP_KERNEL_ACCOUNT);
	if (!area)
		return NULL;
	refcount_set(&area->refs, 1);
	xa_init_flags(&area->more, XA_FLAGS_ACCOUNT);
	area->nr_pages = nr_pages;
	area->max_pages = nr_pages;
	INIT_LIST_HEAD(&area->node);
	for (i = 0; i < nr_pages; i++) {
		/* These may be many, and slow to get: who is killed stops. */
		if (fatal_signal_pending(current))
			goto err;
		area->pages[i] = alloc_page(GFP_KERNEL_ACCOUNT | __GFP_ZERO);
		if (!area->pages[i])
			goto err;
	}
	if (nr_pages == 1)
		area->addr = page_address(area->pages[0]);
	else
		area->addr = vmap(area->pages, nr_pages, VM_MAP, PAGE_KERNEL);
	if (area->addr)
		return area;
err:
	area_free(area);
	return NULL;
}

static struct gosync_pool *pool_get(const struct gosync_object *obj)
{
	const struct gosync_pool_key key = {
		.ns = obj->ns,
		.uid = obj->uid,
		.gid = obj->gid,
		.mode = obj->mode,
		.no_mmap = !!(obj->flags & GOSYNC_NO_MMAP),
	};
	struct gosync_pool *pool, *new;

	scoped_guard(spinlock, &pools_lock) {
		pool = rhashtable_lookup_fast(&pools, &key, pools_params);
		if (pool) {
			pool->refs++;
			return pool;
		}
	}
	new = kzalloc(sizeof(*new), GFP_KERNEL_ACCOUNT);
	if (!new)
		return NULL;
	new->key = key;
	new->refs = 1;
	INIT_LIST_HEAD(&new->partial);
	scoped_guard(spinlock, &pools_lock) {
		pool = rhashtable_lookup_get_insert_fast(&pools, &new->node,
							 pools_params);
		if (!pool)
			return new;
		if (!IS_ERR(pool))
			pool->refs++;
	}
	kfree(new);
	return IS_ERR(pool) ? NULL : pool;
}

static void pool_put(struct gosync_pool *pool)
{
	scoped_guard(spinlock, &pools_lock) {
		if (--pool->refs)
			return;
		rhashtable_remove_fast(&pools, &pool->node, pools_params);
	}
	kfree(pool);
}

static bool take_slot(struct gosync_pool *pool, struct gosync_object *obj)
{
	struct gosync_area *area;
	unsigned int slot;

	lockdep_assert_held(&pools_lock);
	area = list_first_entry_or_null(&pool->partial, struct gosync_area,
					node);
	if (!area)
		return false;
	slot = __ffs64(area->free);
	area->free &= ~BIT_ULL(slot);
	if (!area->free)
		list_del_init(&area->node);
	obj->area = area;
	obj->state = area->addr + slot * GOSYNC_SLOT_SIZE;
	return true;
}

/* Adds a page to the pool if it still has no room, and takes a slot there */
static int take_new_slot(struct gosync_pool *pool, struct gosync_object *obj)
{
	struct gosync_area *area = area_alloc(1);

	if (!area)
		return -ENOMEM;
	area->no_mmap = pool->key.no_mmap;
	area->pool = pool;
	area->free = ALL_SLOTS;
	scoped_guard(spinlock, &pools_lock) {
		if (!take_slot(pool, obj)) {
			list_add(&area->node, &pool->partial);
			pool->refs++;
			take_slot(pool, obj);
			area = NULL;
		}
	}
	if (area)
		area_free(area);
	return 0;
}

static int get_slot(struct gosync_object *obj)
{
	struct gosync_pool *pool = pool_get(obj);
	bool taken;
	int ret;

	if (!pool)
		return -ENOMEM;
	scoped_guard(spinlock, &pools_lock)
		taken = take_slot(pool, obj);
	ret = taken ? 0 : take_new_slot(pool, obj);
	pool_put(pool);
	/* Whoever still maps the page may have written there meanwhile. */
	if (!ret)
		memset(obj->state, 0, GOSYNC_SLOT_SIZE);
	return ret;
}

/**
 * gosync_area_get() - give a new object its mapped state, full of zeros
 * @obj: the object, complete otherwise
 *
 * May take long: called without locks.
 *
 * Return: 0 or -ENOMEM.
 */
int gosync_area_get(struct gosync_object *obj)
{
	const struct gosync_ops *ops = obj->ops;
	size_t size = ops->area_size ? ops->area_size(obj->type, obj->capacity) :
				       GOSYNC_SLOT_SIZE;
	struct gosync_area *area;

	if (size <= GOSYNC_SLOT_SIZE && obj->name_len &&
	    !(obj->flags & GOSYNC_OWN_PAGE))
		return get_slot(obj);
	area = area_alloc(DIV_ROUND_UP(size, PAGE_SIZE));
	if (!area)
		return -ENOMEM;
	area->no_mmap = obj->flags & GOSYNC_NO_MMAP;
	obj->area = area;
	obj->state = area->addr;
	return 0;
}

/**
 * gosync_area_unref() - drop a reference
 * @area: the area, which goes with the last
 *
 * May sleep, and takes time when much was added.
 */
void gosync_area_unref(struct gosync_area *area)
{
	if (refcount_dec_and_test(&area->refs))
		area_free(area);
}

/**
 * gosync_area_extend() - the memory at a place behind the first pages
 * @area: the area; the caller excludes others who extend it
 * @first: the page it begins at
 * @nr: how many pages; always the same at a place
 *
 * Return: its address, full of zeros if it is there only now; NULL if there is
 * no memory, and then none of it is there.
 */
void *gosync_area_extend(struct gosync_area *area, unsigned long first,
			 unsigned long nr)
{
	void *piece = xa_load(&area->more, first);
	unsigned long i;

	if (piece)
		return piece;
	/* All or nothing: a page that was mapped could not be taken back. */
	for (i = 0; i < nr; i++)
		if (xa_reserve(&area->more, first + i, GFP_KERNEL_ACCOUNT))
			goto err;
	piece = __vmalloc(nr << PAGE_SHIFT,
			  GFP_KERNEL_ACCOUNT | __GFP_ZERO | __GFP_NOWARN);
	if (!piece)
		goto err;
	/* What is reserved needs no memory. */
	for (i = 0; i < nr; i++)
		xa_store(&area->more, first + i, piece + (i << PAGE_SHIFT), 0);
	xa_set_mark(&area->more, first, XA_MARK_0);
	return piece;
err:
	while (i--)
		xa_release(&area->more, first + i);
	return NULL;
}

/**
 * gosync_area_put() - take an object's mapped state back
 * @obj: the object
 *
 * May take long, as gosync_area_unref().
 */
void gosync_area_put(struct gosync_object *obj)
{
	struct gosync_area *area = obj->area;
	struct gosync_pool *pool = area->pool;

	if (pool) {
		scoped_guard(spinlock, &pools_lock) {
			area->free |= BIT_ULL((obj->state - area->addr) /
					      GOSYNC_SLOT_SIZE);
			if (area->free != ALL_SLOTS) {
				if (list_empty(&area->node))
					list_add(&area->node, &pool->partial);
				return;
			}
			list_del(&area->node);
		}
		pool_put(pool);
	}
	gosync_area_unref(area);
}

/* A mapping's file stands for no holder, only for an area that grows. */
static int mapping_release(struct inode *inode, struct file *file)
{
	if (file->private_data)
		gosync_area_unref(file->private_data);
	return 0;
}

static const struct file_operations mapping_fops = {
	.owner = THIS_MODULE,
	.release = mapping_release,
	.llseek = noop_llseek,
};

static vm_fault_t mapping_fault(struct vm_fault *vmf)
{
	struct gosync_area *area = vmf->vma->vm_file->private_data;
	void *addr;

	if (vmf->pgoff < area->nr_pages) {
		vmf->page = area->pages[vmf->pgoff];
	} else {
		addr = xa_load(&area->more, vmf->pgoff);
		if (!addr)
			return VM_FAULT_SIGBUS;
		vmf->page = vmalloc_to_page(addr);
	}
	get_page(vmf->page);
	return 0;
}

static const struct vm_operations_struct growing_vm_ops = {
	.fault = mapping_fault,
};

/*
 * Whoever may map a shared page could have opened all that is in it: by name,
 * so the caller has to be where these names are. Whether it can open the device
 * at all is not asked: that depends on its mounts and on what filters its
 * system calls, and may change.
 */
static bool may_map(const struct gosync_object *obj, bool write)
{
	const struct gosync_pool *pool = obj->area->pool;

	return !pool || (gosync_ns_is_callers(obj->ns) &&
			 gosync_may(obj->ns, pool->key.uid, pool->key.gid,
				    pool->key.mode, write ? 6 : 4));
}

int gosync_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct gosync_holder *holder = file->private_data;
	struct gosync_object *obj = holder->obj;
	struct gosync_area *area = obj->area;
	bool grows = area->max_pages > area->nr_pages;
	bool write = vma->vm_flags & VM_WRITE;
	unsigned long nr = area->nr_pages;
	struct file *mapping;

	if (!(vma->vm_flags & VM_MAYSHARE) || vma->vm_pgoff ||
	    vma_pages(vma) != area->max_pages)
		return -EINVAL;
	if (area->no_mmap || (write && obj->ops->read_only) ||
	    !may_map(obj, write))
		return -EACCES;

	mapping = anon_inode_getfile("[gosync-state]", &mapping_fops,
				     grows ? area : NULL, O_RDWR);
	if (IS_ERR(mapping))
		return PTR_ERR(mapping);
	if (grows)
		refcount_inc(&area->refs);
	vma_set_file(vma, mapping);
	fput(mapping);
	/* What was checked now is all that it will ever be. */
	if (!write)
		vm_flags_clear(vma, VM_MAYWRITE);
	vm_flags_set(vma, VM_DONTEXPAND);
	if (grows) {
		/* A core dump would look for every page that might be there. */
		vm_flags_set(vma, VM_DONTDUMP);
		vma->vm_ops = &growing_vm_ops;
		return 0;
	}
	return vm_insert_pages(vma, vma->vm_start, area->pages, &nr);
}

int __init gosync_page_init(void)
{
	return rhashtable_init(&pools, &pools_params);
}

void gosync_page_exit(void)
{
	rhashtable_destroy(&pools);
}
