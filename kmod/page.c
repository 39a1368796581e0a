// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mapped state: the pages in which objects have the words that user space
 * operates on too.
 *
 * A small object has a slot of 64 bytes. Objects of one namespace with the
 * same owner, group and mode share pages, 64 to a page: who may map one of
 * them may open all of them, so that the page shows nothing that permission
 * does not. mmap() asks the caller's own credentials for it, because its
 * descriptor may have been passed to it by somebody with more rights.
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
#include <linux/hashtable.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "gosync.h"

#define SLOTS		64
#define ALL_SLOTS	(~0ULL)

static_assert(PAGE_SIZE >= SLOTS * GOSYNC_SLOT_SIZE);
static_assert(sizeof(struct gosync_mutex_slot) <= GOSYNC_SLOT_SIZE);
static_assert(sizeof(struct gosync_atomic_slot) == GOSYNC_SLOT_SIZE);
static_assert(sizeof(struct gosync_value_page) == GOSYNC_SLOT_SIZE);

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
	for (i = 0; i < nr_pages; i++) {
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

static struct hlist_head *bucket_of(const struct gosync_object *obj,
				    struct hlist_head *partial)
{
	u32 key = __kuid_val(obj->uid) ^ __kgid_val(obj->gid) * 31 ^
		  obj->mode * 961;

	return &partial[hash_32(key, GOSYNC_AREA_BITS)];
}

static struct gosync_area *find_shared(const struct gosync_object *obj,
				       struct hlist_head *bucket)
{
	bool no_mmap = obj->flags & GOSYNC_NO_MMAP;
	struct gosync_area *area;

	hlist_for_each_entry(area, bucket, node)
		if (uid_eq(area->uid, obj->uid) &&
		    gid_eq(area->gid, obj->gid) &&
		    area->mode == obj->mode && area->no_mmap == no_mmap)
			return area;
	return NULL;
}

/**
 * gosync_area_get() - give a new object its mapped state, full of zeros
 * @obj: the object
 * @partial: its namespace's shared pages that have room; the caller holds the
 *	namespace's lock
 *
 * Return: 0 or -ENOMEM.
 */
int gosync_area_get(struct gosync_object *obj, struct hlist_head *partial)
{
	struct hlist_head *bucket = bucket_of(obj, partial);
	const struct gosync_ops *ops = obj->ops;
	size_t size = ops->area_size ? ops->area_size(obj->type, obj->capacity) :
				       GOSYNC_SLOT_SIZE;
	bool shared = size <= GOSYNC_SLOT_SIZE && obj->name_len &&
		      !(obj->flags & GOSYNC_OWN_PAGE);
	struct gosync_area *area = NULL;
	unsigned int slot;

	if (shared)
		area = find_shared(obj, bucket);
	if (!area) {
		area = area_alloc(DIV_ROUND_UP(size, PAGE_SIZE));
		if (!area)
			return -ENOMEM;
		area->no_mmap = obj->flags & GOSYNC_NO_MMAP;
		area->shared = shared;
		area->mode = obj->mode;
		area->uid = obj->uid;
		area->gid = obj->gid;
		if (shared) {
			area->free = ALL_SLOTS;
			hlist_add_head(&area->node, bucket);
		}
	}
	obj->area = area;
	obj->state = area->addr;
	if (!shared)
		return 0;

	slot = __ffs64(area->free);
	area->free &= ~BIT_ULL(slot);
	if (!area->free)
		hlist_del_init(&area->node);
	obj->state += slot * GOSYNC_SLOT_SIZE;
	/* Whoever still maps the page may have written there meanwhile. */
	memset(obj->state, 0, GOSYNC_SLOT_SIZE);
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
 * @partial: as gosync_area_get()
 *
 * Return: whether nothing is left in the area, and the caller is to drop the
 * reference to it, best without the namespace's lock.
 */
bool gosync_area_put(struct gosync_object *obj, struct hlist_head *partial)
{
	struct gosync_area *area = obj->area;
	bool was_full = !area->free;

	if (area->shared) {
		area->free |= BIT_ULL((obj->state - area->addr) / GOSYNC_SLOT_SIZE);
		if (area->free != ALL_SLOTS) {
			if (was_full)
				hlist_add_head(&area->node,
					       bucket_of(obj, partial));
			return false;
		}
		if (!was_full)
			hlist_del(&area->node);
	}
	return true;
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
	if (area->no_mmap || (write && obj->ops->read_only))
		return -EACCES;
	if (area->shared && !gosync_may(obj->ns, area->uid, area->gid,
					area->mode, write ? 6 : 4))
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
