// SPDX-License-Identifier: GPL-2.0-only
/*
 * Waiting for a name that does not exist yet.
 *
 * All waiters for the same name share an entry of a second table beside the
 * table of names. A process that creates the name finds that entry, takes it
 * out of the table, and leaves the waking to a worker. So a create takes no
 * longer, however many waiters there are.
 */
#include <linux/rhashtable.h>
#include <linux/slab.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include "names.h"
#include "wait.h"

/**
 * struct gosync_awaited - a name with waiters
 * @node: its entry in the table of awaited names, until the name appears
 * @ns: the namespace, with a reference
 * @users: the number of waiters, and one more for the worker (the namespace's
 *	lock)
 * @told: GOSYNC_TOLD once the name has appeared
 * @wq: the waiters
 * @work: the worker that wakes them
 * @rcu: frees it after a grace period
 * @len: the name's length
 * @name: the name
 */
struct gosync_awaited {
	struct rhash_head node;
	struct gosync_ns *ns;
	unsigned int users;
	int told;
	wait_queue_head_t wq;
	struct work_struct work;
	struct rcu_head rcu;
	u8 len;
	char name[] __counted_by(len);
};

static u32 hash_awaited(const void *data, u32 len, u32 seed)
{
	const struct gosync_awaited *awaited = data;

	return gosync_hash_name(awaited->ns, awaited->name, awaited->len, seed);
}

static int differs_awaited(struct rhashtable_compare_arg *arg, const void *data)
{
	const struct gosync_awaited *awaited = data;
	const struct gosync_name_key *key = arg->key;

	return awaited->ns != key->ns || awaited->len != key->len ||
	       memcmp(awaited->name, key->name, key->len);
}

static const struct rhashtable_params awaited_params = {
	.head_offset = offsetof(struct gosync_awaited, node),
	.hashfn = gosync_hash_name_key,
	.obj_hashfn = hash_awaited,
	.obj_cmpfn = differs_awaited,
	.automatic_shrinking = true,
};

static struct rhashtable awaited_names;
static struct workqueue_struct *wakers;

static void awaited_put(struct gosync_awaited *awaited)
{
	struct gosync_ns *ns = awaited->ns;

	scoped_guard(spinlock, &ns->lock) {
		if (--awaited->users)
			return;
		if (awaited->told != GOSYNC_TOLD)
			rhashtable_remove_fast(&awaited_names, &awaited->node,
					       awaited_params);
	}
	kfree_rcu(awaited, rcu);
	gosync_ns_put(ns);
}

static void wake_all(struct work_struct *work)
{
	struct gosync_awaited *awaited =
		container_of(work, struct gosync_awaited, work);

	/* Its barrier pairs with that of a waiter, which queues, then looks. */
	while (wq_has_sleeper(&awaited->wq)) {
		wake_up_nr(&awaited->wq, GOSYNC_WAKE_BATCH);
		cond_resched();
	}
	awaited_put(awaited);
}

/*
 * As autoremove_wake_function(), but it also removes a task that is awake
 * already.
 */
static int wake_and_remove(wait_queue_entry_t *entry, unsigned int mode,
			   int flags, void *key)
{
	default_wake_function(entry, mode, flags, key);
	/* Pairs with finish_wait(), after which the entry is gone. */
	list_del_init_careful(&entry->entry);
	return 1;
}

/**
 * gosync_awaited_alloc() - make an entry for a name
 * @key: the name
 *
 * Return: the entry, which is in no table yet; or NULL.
 */
struct gosync_awaited *gosync_awaited_alloc(const struct gosync_name_key *key)
{
	struct gosync_awaited *awaited;

	awaited = kzalloc(struct_size(awaited, name, key->len),
			  GFP_KERNEL_ACCOUNT);
	if (!awaited)
		return NULL;
	refcount_inc(&key->ns->refs);
	awaited->ns = key->ns;
	init_waitqueue_head(&awaited->wq);
	INIT_WORK(&awaited->work, wake_all);
	awaited->len = key->len;
	memcpy(awaited->name, key->name, key->len);
	return awaited;
}

/**
 * gosync_awaited_free() - an entry was not needed
 * @awaited: the entry, which was never in the table
 */
void gosync_awaited_free(struct gosync_awaited *awaited)
{
	struct gosync_ns *ns = awaited->ns;

	kfree(awaited);
	gosync_ns_put(ns);
}

/**
 * gosync_awaited_join() - get the entry to wait on for a name
 * @key: the name, which does not exist
 * @new: a new entry, in case the name has none yet
 *
 * Return: an entry with a reference, @new or an older one; -ENOMEM.
 */
struct gosync_awaited *gosync_awaited_join(const struct gosync_name_key *key,
					   struct gosync_awaited *new)
{
	struct gosync_awaited *awaited;

	lockdep_assert_held(&key->ns->lock);
	guard(rcu)();
	awaited = rhashtable_lookup(&awaited_names, key, awaited_params);
	if (!awaited) {
		awaited = new;
		if (rhashtable_insert_fast(&awaited_names, &new->node,
					   awaited_params))
			return ERR_PTR(-ENOMEM);
	}
	awaited->users++;
	return awaited;
}

/**
 * gosync_awaited_sleep() - sleep until a name appears
 * @awaited: its entry, whose reference is dropped
 * @timeout: when to give up
 *
 * Return: as gosync_sleep().
 */
int gosync_awaited_sleep(struct gosync_awaited *awaited,
			 const struct gosync_timeout *timeout)
{
	wait_queue_entry_t entry;
	int ret;

	init_waitqueue_func_entry(&entry, wake_and_remove);
	entry.private = current;
	add_wait_queue_exclusive(&awaited->wq, &entry);
	ret = gosync_sleep(&awaited->told, NULL, timeout);
	finish_wait(&awaited->wq, &entry);
	awaited_put(awaited);
	return ret;
}

/**
 * gosync_awaited_tell() - wake the waiters for a name that was linked
 * @obj: the name's object
 */
void gosync_awaited_tell(const struct gosync_object *obj)
{
	const struct gosync_name_key key = {
		.ns = obj->ns,
		.name = gosync_object_name(obj),
		.len = obj->name_len,
	};
	struct gosync_awaited *awaited;

	lockdep_assert_held(&obj->ns->lock);
	guard(rcu)();
	awaited = rhashtable_lookup(&awaited_names, &key, awaited_params);
	if (!awaited)
		return;
	rhashtable_remove_fast(&awaited_names, &awaited->node, awaited_params);
	awaited->users++;
	/* Pairs with gosync_is_told() */
	smp_store_release(&awaited->told, GOSYNC_TOLD);
	queue_work(wakers, &awaited->work);
}

int __init gosync_await_init(void)
{
	int ret = rhashtable_init(&awaited_names, &awaited_params);

	if (ret)
		return ret;
	wakers = alloc_workqueue("gosync", WQ_UNBOUND, 0);
	if (wakers)
		return 0;
	rhashtable_destroy(&awaited_names);
	return -ENOMEM;
}

void gosync_await_exit(void)
{
	/* The last waiter may have left before the worker came. */
	destroy_workqueue(wakers);
	rhashtable_destroy(&awaited_names);
}
