// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mapped state: the pages in which objects have the words that user space
 * operates on too.
 *
 * A small object has a slot: 64 bytes, or a multiple of that. Objects of one
 * namespace with the same owner, group, mode and size of slot share pages. A
 * process that may map one of them may open all of them, so the page shows
 * nothing that permission does not. mmap() checks the caller's own credentials
 * and IPC namespace, because its descriptor may have been passed by a process
 * with more rights or in another namespace. The pages for the same owner, group,
 * mode and size are a pool. A page with a free slot is found there in constant
 * time, however many pages there are. What is mapped read-only has pools apart,
 * because the kernel trusts what is there.
 *
 * An anonymous object, one with GOSYNC_OWN_PAGE and one that needs more than the
 * largest slot have pages of their own. The descriptor alone is the right to map
 * them. A Value has its own, too, because its payload is not for a process that
 * was passed the descriptor of another Value.
 *
 * When an object gets another owner, group or mode, some users may no longer be
 * allowed to see it. But a process that has mapped its page goes on seeing all
 * of it. So the object moves, to a page of the users that may open it now. It
 * can move only while nobody has it open. If all users that may map the page
 * may still open the object, it may also stay: then the users that may open it
 * only since the change do so without mapping it.
 *
 * A mapping refers to a file of its own, not to the object's, so that it does
 * not keep a holder alive. It also refers to the pages, so that the object may
 * go first.
 *
 * A Map's memory grows. Its mapping covers all memory that it may ever have. A
 * page is mapped when it is first touched; the touch is a bus error if there is
 * no page yet. The mapping refers to the area as a whole. Added pages stay
 * until the area goes. The first page may be a shared one, with the Map's slot,
 * which is given back when the area goes. So it is no other Map's while one of
 * its mappings is left. Nor does it move until then: a mapping would show the
 * new page.
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

#include "names.h"
#include "page.h"

/* Three of the largest fill a page of 4096 bytes. */
#define SLOT_MAX	(21 * GOSYNC_SLOT_SIZE)

static_assert(SLOT_MAX >= sizeof(struct gosync_map_page));
static_assert(SLOT_MAX >= GOSYNC_RWMUTEX_SIZE);
static_assert(sizeof(struct gosync_mutex_slot) <= GOSYNC_SLOT_SIZE);
static_assert(sizeof(struct gosync_atomic_slot) == GOSYNC_SLOT_SIZE);
static_assert(sizeof(struct gosync_value_page) == GOSYNC_SLOT_SIZE);

/**
 * struct gosync_pool_key - the common properties of objects on a shared page
 * @ns: the number of the namespace: a Map's mapping may keep the page when that
 *	is gone, and another may be at its address
 * @access: owner, group, mode
 * @slot_size: bytes for each of them
 * @read_only: they are mapped read-only
 * @no_mmap: they cannot be mapped
 *
 * Without holes, as it is compared and hashed as bytes.
 */
struct gosync_pool_key {
	u64 ns;
	struct gosync_access access;
	u16 slot_size;
	u8 read_only;
	u8 no_mmap;
};

static_assert(sizeof(struct gosync_pool_key) ==
	      sizeof(u64) + 4 * sizeof(u32));

/**
 * struct gosync_pool - pages that objects share
 * @node: its entry in the table of pools
 * @key: the common properties of the objects
 * @pages: the number of pages; the pool goes with the last
 * @partial: the pages with a free slot
 */
struct gosync_pool {
	struct rhash_head node;
	struct gosync_pool_key key;
	unsigned int pages;
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
 * free. All users share it, so each operation under it takes constant time.
 */
static struct rhashtable pools;
static DEFINE_SPINLOCK(pools_lock);

static atomic64_t last_id;

static void area_put_slot(struct gosync_area *area, void *slot);

static void area_free(struct gosync_area *area)
{
	unsigned long index;
	unsigned int i;
	void *piece;

	if (area->home)
		area_put_slot(area->home, area->addr);
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

/* An area without its pages */
static struct gosync_area *area_begin(unsigned int nr_pages)
{
	struct gosync_area *area;

	area = kvzalloc(struct_size(area, pages, nr_pages), GFP_KERNEL_ACCOUNT);
	if (!area)
		return NULL;
	refcount_set(&area->refs, 1);
	area->id = atomic64_inc_return(&last_id);
	xa_init_flags(&area->more, XA_FLAGS_ACCOUNT);
	area->nr_pages = nr_pages;
	area->max_pages = nr_pages;
	INIT_LIST_HEAD(&area->node);
	return area;
}

static struct gosync_area *area_alloc(unsigned int nr_pages)
{
	struct gosync_area *area = area_begin(nr_pages);
	unsigned int i;

	if (!area)
		return NULL;
	for (i = 0; i < nr_pages; i++) {
		/* These may be many, and slow to get: a killed task stops. */
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

/**
 * gosync_spare_get() - allocate what a slot of a shared page may need
 * @spare: out: the memory
 *
 * May take long: called without locks. The caller has to call
 * gosync_spare_put(), also after an error.
 *
 * Return: 0 or -ENOMEM.
 */
int gosync_spare_get(struct gosync_spare *spare)
{
	spare->pool = kzalloc(sizeof(*spare->pool), GFP_KERNEL_ACCOUNT);
	spare->area = area_alloc(1);
	return spare->pool && spare->area ? 0 : -ENOMEM;
}

/**
 * gosync_spare_put() - free what was not used
 * @spare: from gosync_spare_get()
 */
void gosync_spare_put(struct gosync_spare *spare)
{
	kfree(spare->pool);
	if (spare->area)
		area_free(spare->area);
}

/* A bit for each slot of a shared page; no page has more slots than bits. */
static u64 all_slots(const struct gosync_area *area)
{
	return GENMASK_ULL(min(PAGE_SIZE / area->slot_size, 64UL) - 1, 0);
}

static struct gosync_area *pool_add_page(struct gosync_pool *pool,
					 struct gosync_spare *spare)
{
	struct gosync_area *area = spare->area;

	lockdep_assert_held(&pools_lock);
	spare->area = NULL;
	area->no_mmap = pool->key.no_mmap;
	area->pool = pool;
	area->slot_size = pool->key.slot_size;
	area->free = all_slots(area);
	list_add(&area->node, &pool->partial);
	pool->pages++;
	return area;
}

/* Return: 0; -EAGAIN if memory is needed and @spare has none; -ENOMEM */
static int area_take_slot(struct gosync_object *obj, u16 size,
			  const struct gosync_access *access,
			  struct gosync_spare *spare)
{
	const struct gosync_pool_key key = {
		.ns = obj->ns->number,
		.access = *access,
		.slot_size = size,
		.read_only = obj->ops->read_only,
		.no_mmap = !!(obj->flags & GOSYNC_NO_MMAP),
	};
	struct gosync_area *area = NULL;
	struct gosync_pool *pool;
	unsigned int slot;

	lockdep_assert_held(&pools_lock);
	pool = rhashtable_lookup_fast(&pools, &key, pools_params);
	if (pool)
		area = list_first_entry_or_null(&pool->partial,
						struct gosync_area, node);
	if (!area && !spare->area)
		return -EAGAIN;
	if (!pool) {
		pool = spare->pool;
		pool->key = key;
		INIT_LIST_HEAD(&pool->partial);
		if (rhashtable_insert_fast(&pools, &pool->node, pools_params))
			return -ENOMEM;
		spare->pool = NULL;
	}
	if (!area)
		area = pool_add_page(pool, spare);
	slot = __ffs64(area->free);
	area->free &= ~BIT_ULL(slot);
	if (!area->free)
		list_del_init(&area->node);
	obj->area = area;
	obj->state = area->addr + slot * size;
	return 0;
}

static int area_get_slot(struct gosync_object *obj, u16 size)
{
	struct gosync_spare spare = {};
	int ret;

	scoped_guard(spinlock, &pools_lock)
		ret = area_take_slot(obj, size, &obj->access, &spare);
	if (ret == -EAGAIN) {
		ret = gosync_spare_get(&spare);
		if (!ret) {
			scoped_guard(spinlock, &pools_lock)
				ret = area_take_slot(obj, size, &obj->access,
						     &spare);
		}
		gosync_spare_put(&spare);
	}
	/*
	 * A process that still maps the page may have written there meanwhile.
	 */
	if (!ret)
		memset(obj->state, 0, size);
	return ret;
}

/* Make the shared page with the object's slot the first page of @area. */
static void area_settle(struct gosync_area *area, struct gosync_object *obj)
{
	struct gosync_area *home = obj->area;

	area->home = home;
	area->pool = home->pool;
	area->slot_size = home->slot_size;
	area->no_mmap = home->no_mmap;
	area->addr = obj->state;
	area->pages[0] = home->pages[0];
	get_page(area->pages[0]);
	obj->area = area;
}

static bool may_share(const struct gosync_object *obj, size_t size)
{
	return size <= SLOT_MAX && obj->name_len &&
	       !(obj->flags & GOSYNC_OWN_PAGE) && obj->type != GOSYNC_VALUE;
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

	if (may_share(obj, size)) {
		int ret = area_get_slot(obj, ALIGN(size, GOSYNC_SLOT_SIZE));

		if (ret || !ops->grows)
			return ret;
		area = area_begin(1);
		if (!area)
			return -ENOMEM;
		area_settle(area, obj);
		return 0;
	}
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
 * gosync_area_extend() - get the memory at a place behind the first pages
 * @area: the area; the caller excludes others that extend it
 * @first: the page where it begins
 * @nr: the number of pages; always the same for one @first
 *
 * Return: its address; if it was not there before it is zeroed. NULL without
 * memory: then none of it is there.
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
	/* The entries were reserved, so this cannot fail. */
	for (i = 0; i < nr; i++)
		xa_store(&area->more, first + i, piece + (i << PAGE_SHIFT), 0);
	xa_set_mark(&area->more, first, XA_MARK_0);
	return piece;
err:
	while (i--)
		xa_release(&area->more, first + i);
	return NULL;
}

static void area_put_slot(struct gosync_area *area, void *slot)
{
	struct gosync_pool *pool = area->pool;

	/* Who maps the page later finds nothing of what was there. */
	memset(slot, 0, area->slot_size);
	scoped_guard(spinlock, &pools_lock) {
		area->free |= BIT_ULL((slot - area->addr) / area->slot_size);
		if (area->free != all_slots(area)) {
			if (list_empty(&area->node))
				list_add(&area->node, &pool->partial);
			return;
		}
		list_del(&area->node);
		if (--pool->pages)
			pool = NULL;
		else
			rhashtable_remove_fast(&pools, &pool->node,
					       pools_params);
	}
	kfree(pool);
	area_free(area);
}

/**
 * gosync_area_put() - take back an object's mapped state
 * @area: the object's area
 * @state: the state, at the kernel's address
 *
 * May take long, as gosync_area_unref().
 */
void gosync_area_put(struct gosync_area *area, void *state)
{
	if (area->pool && !area->home)
		area_put_slot(area, state);
	else
		gosync_area_unref(area);
}

/**
 * gosync_area_suits() - would an object's state be put where it is
 * @obj: the object
 * @access: the owner, group and mode that it is to have
 *
 * Return: true if it would, or if only processes that have it open can map it.
 */
bool gosync_area_suits(const struct gosync_object *obj,
		       const struct gosync_access *access)
{
	const struct gosync_pool *pool = obj->area->pool;

	return !pool || pool->key.no_mmap ||
	       !memcmp(&pool->key.access, access, sizeof(*access));
}

/**
 * gosync_area_will_do() - may an object's state stay where it is
 * @obj: the object, on a shared page
 * @access: the owner, group and mode that it is to have
 *
 * Return: true if all users that may map the page may open the object.
 */
bool gosync_area_will_do(const struct gosync_object *obj,
			 const struct gosync_access *access)
{
	const struct gosync_access *key = &obj->area->pool->key.access;

	return uid_eq(key->uid, access->uid) && gid_eq(key->gid, access->gid) &&
	       !(key->mode & ~access->mode);
}

/**
 * gosync_area_move() - move an object's state to another shared page
 * @obj: the object, on a shared page; nobody has it open
 * @access: the owner, group and mode of the objects there
 * @spare: from gosync_spare_get(); used if need be
 * @left: out: the page of the old place, which the caller has to give back by
 *	gosync_area_put()
 *
 * Return: 0; -EBUSY if mappings would show the new page, too; -ENOMEM.
 */
int gosync_area_move(struct gosync_object *obj,
		     const struct gosync_access *access,
		     struct gosync_spare *spare, struct gosync_area **left)
{
	struct gosync_area *area = obj->area;
	const void *from = obj->state;
	int ret;

	/* Without a descriptor nobody can map it. */
	if (area->home && refcount_read(&area->refs) > 1)
		return -EBUSY;
	scoped_guard(spinlock, &pools_lock)
		ret = area_take_slot(obj, area->slot_size, access, spare);
	if (ret)
		return ret;
	memcpy(obj->state, from, area->slot_size);
	*left = area;
	if (area->home) {
		*left = area->home;
		put_page(area->pages[0]);
		area_settle(area, obj);
	}
	return 0;
}

/* A mapping's file refers to no holder, only to an area if that grows. */
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
 * A caller that may map a shared page could have opened all objects there. It
 * would do that by name, so it has to be in the namespace of these names.
 * Whether it can open the device at all is not checked: that depends on its
 * mounts and on filters of its system calls, and may change.
 */
static bool may_map(const struct gosync_object *obj, bool write)
{
	const struct gosync_pool *pool = obj->area->pool;

	return !pool || (gosync_ns_is_callers(obj->ns) &&
			 gosync_may(obj->ns, &pool->key.access, write ? 6 : 4));
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
	/*
	 * Nobody checks again later: the mapping gets no more rights than now.
	 */
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
