// SPDX-License-Identifier: GPL-2.0-only
/*
 * Names: finding the object of a name, and the life of objects.
 *
 * An object lives as long as it has a holder or, with GOSYNC_PERSIST, until it
 * is unlinked.
 *
 * References. An object has one for each holder and one while it is persistent.
 * The last one is dropped under its namespace's lock, and the name goes with
 * it, so an object that is found under the lock is alive. A failed open, an
 * unlink and a listing take no reference: they look at the object under RCU or
 * under the lock.
 *
 * Strangers share the namespace's lock. So an object is made completely before
 * it is linked and counted under the lock (open.c), and its memory is freed
 * after it was unlinked there. Under the lock only constant time is spent, and
 * nothing sleeps.
 *
 * Persistent objects would keep a dead container's namespace for ever, because
 * each of them has a reference to it. So while there are any namespaces besides
 * the first, they are looked at once a second. A namespace to which nobody else
 * refers loses its names.
 */
#include <linux/capability.h>
#include <linux/rhashtable.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/workqueue.h>

#include "cluster.h"
#include "copy.h"
#include "names.h"
#include "page.h"
#include "trace.h"
#include "wait.h"

static void reap_namespaces(struct work_struct *work);
static DECLARE_DELAYED_WORK(reaper, reap_namespaces);
#define REAP_EVERY	HZ

/* --- The table of names -------------------------------------------------- */

static u32 hash_object(const void *data, u32 len, u32 seed)
{
	const struct gosync_object *obj = data;

	return gosync_hash_name(obj->ns, gosync_object_name(obj), obj->name_len,
				seed);
}

static int name_differs(struct rhashtable_compare_arg *arg, const void *data)
{
	const struct gosync_object *obj = data;
	const struct gosync_name_key *key = arg->key;

	return obj->ns != key->ns || obj->name_len != key->len ||
	       memcmp(gosync_object_name(obj), key->name, key->len);
}

static const struct rhashtable_params names_params = {
	.head_offset = offsetof(struct gosync_object, node),
	.hashfn = gosync_hash_name_key,
	.obj_hashfn = hash_object,
	.obj_cmpfn = name_differs,
	.automatic_shrinking = true,
};

static struct rhashtable names;

/* --- The life of an object ----------------------------------------------- */

/**
 * gosync_name_look_up() - find the object of a name
 * @key: the name
 *
 * Called under RCU. Only with the namespace's lock it is certain that the
 * object has not ended.
 *
 * Return: the object or NULL.
 */
struct gosync_object *gosync_name_look_up(const struct gosync_name_key *key)
{
	return rhashtable_lookup(&names, key, names_params);
}

/**
 * gosync_object_destroy() - free an object that cannot be found any more
 * @obj: the object, complete or not
 */
void gosync_object_destroy(struct gosync_object *obj)
{
	struct gosync_ns *ns = obj->ns;

	if (obj->cluster) {
		/* It calls us again, when the other nodes know. */
		obj->cluster->ops->end(obj->cluster->node);
		return;
	}
	if (obj->ops->fini)
		obj->ops->fini(obj);
	if (obj->area)
		gosync_area_put(obj->area, obj->state);
	gosync_account_put(obj->account);
	gosync_account_put(obj->payer);
	gosync_object_free(obj);
	gosync_ns_put(ns);
}

static void remove_name(struct gosync_object *obj)
{
	lockdep_assert_held(&obj->ns->lock);
	rhashtable_remove_fast(&names, &obj->node, names_params);
	xa_erase(&obj->ns->named, obj->id);
	WRITE_ONCE(obj->linked, false);
}

/* The last reference is gone. */
static void end_object(struct gosync_object *obj)
{
	lockdep_assert_held(&obj->ns->lock);
	if (obj->linked)
		remove_name(obj);
	if (obj->counted) {
		gosync_uncount_object(obj);
		trace_gosync_destroy(obj, 0);
	}
}

/**
 * gosync_object_put() - drop a reference
 * @obj: the object, which goes with the last
 */
void gosync_object_put(struct gosync_object *obj)
{
	struct gosync_ns *ns = obj->ns;

	if (refcount_dec_not_one(&obj->refs))
		return;
	scoped_guard(spinlock, &ns->lock) {
		if (!refcount_dec_and_test(&obj->refs))
			return;
		end_object(obj);
	}
	gosync_object_destroy(obj);
}

/**
 * gosync_object_freeze() - prevent new references to an object without holders
 * @obj: the object
 *
 * If the name's own reference is the only one it is dropped. gosync_name_find()
 * takes no reference to an object that has none.
 *
 * Return: true if it was dropped.
 */
bool gosync_object_freeze(struct gosync_object *obj)
{
	lockdep_assert_held(&obj->ns->lock);
	if (!obj->persistent || !refcount_dec_if_one(&obj->refs))
		return false;
	/*
	 * Pairs with the release in refcount_dec_not_one(), by the last holder.
	 */
	smp_acquire__after_ctrl_dep();
	return true;
}

/**
 * gosync_object_thaw() - undo gosync_object_freeze()
 * @obj: the object
 */
void gosync_object_thaw(struct gosync_object *obj)
{
	lockdep_assert_held(&obj->ns->lock);
	/* Pairs with the acquire in gosync_name_find(). */
	smp_wmb();
	refcount_set(&obj->refs, 1);
}

/* --- Names --------------------------------------------------------------- */

/* The entry in @ns->named was reserved, so only the table may need memory. */
static int link_object(struct gosync_object *obj)
{
	struct gosync_ns *ns = obj->ns;
	int ret;

	lockdep_assert_held(&ns->lock);
	ret = gosync_count_object(obj);
	if (ret)
		return ret;
	if (obj->name_len) {
		if (rhashtable_insert_fast(&names, &obj->node, names_params)) {
			gosync_uncount_object(obj);
			return -ENOMEM;
		}
		xa_store(&ns->named, obj->id, obj, 0);
		WRITE_ONCE(obj->linked, true);
		gosync_awaited_tell(obj);
	}
	if (obj->persistent)
		refcount_inc(&obj->refs);
	trace_gosync_create(obj, 0);
	return 0;
}

/* Return: true if the name had a reference, which the caller has to drop */
static bool unlink_object(struct gosync_object *obj)
{
	bool persistent = obj->persistent;

	lockdep_assert_held(&obj->ns->lock);
	remove_name(obj);
	WRITE_ONCE(obj->persistent, false);
	trace_gosync_unlink(obj, 0);
	return persistent;
}

/* The next named object from number @id on */
static struct gosync_object *next_object(struct gosync_ns *ns, unsigned long id)
{
	lockdep_assert_held(&ns->lock);
	return xa_find(&ns->named, &id, ULONG_MAX, XA_PRESENT);
}

static void unlink_all(struct gosync_ns *ns)
{
	struct gosync_object *obj;
	bool put = false;

	do {
		scoped_guard(spinlock, &ns->lock) {
			obj = next_object(ns, 0);
			if (obj)
				put = unlink_object(obj);
		}
		if (obj && put)
			gosync_object_put(obj);
		cond_resched();
	} while (obj);
}

static void reap_namespaces(struct work_struct *work)
{
	struct gosync_ns *dead;
	bool others = false;

	while ((dead = gosync_ns_dead(&others))) {
		unlink_all(dead);
		gosync_ns_put(dead);
	}
	if (others)
		schedule_delayed_work(&reaper, REAP_EVERY);
}

/**
 * gosync_names_here() - the caller's namespace
 *
 * Return: the namespace, with a reference, or NULL without memory.
 */
struct gosync_ns *gosync_names_here(void)
{
	struct ipc_namespace *ipc = current->nsproxy->ipc_ns;
	struct gosync_ns *ns;
	bool made = false;

	ns = gosync_ns_get(ipc, &made);
	if (made && ipc != &init_ipc_ns)
		schedule_delayed_work(&reaper, REAP_EVERY);
	return ns;
}

/**
 * gosync_copy_name() - copy a name in
 * @to: where to; GOSYNC_NAME_MAX bytes
 * @name: where user space has it
 * @len: its length
 *
 * Return: 0, -EFAULT, -EINVAL or -ENAMETOOLONG.
 */
int gosync_copy_name(char *to, u64 name, u32 len)
{
	if (len > GOSYNC_NAME_MAX)
		return -ENAMETOOLONG;
	if (copy_from_user(to, u64_to_user_ptr(name), len))
		return -EFAULT;
	return memchr(to, 0, len) ? -EINVAL : 0;
}

static bool has_capacity(const struct gosync_object *obj, u64 wanted)
{
	u64 has = READ_ONCE(obj->capacity);

	/* In a cluster all have the same. */
	return !wanted || (obj->flags & GOSYNC_CLUSTER ? wanted <= has :
							  wanted == has);
}

/* May the caller open the object that it found? Return: 0 or an error */
static int check_found(const struct gosync_object *obj,
		       const struct gosync_open_args *args)
{
	const struct gosync_access access = gosync_access_of(obj);
	u16 want = args->flags & GOSYNC_RDONLY ? 4 : 6;

	if (args->flags & GOSYNC_EXCL)
		return -EEXIST;
	if (!gosync_may(obj->ns, &access, want))
		return -EACCES;
	if ((args->type && args->type != obj->type) ||
	    (args->flags & GOSYNC_CLUSTER & ~obj->flags) ||
	    !has_capacity(obj, args->capacity) ||
	    (obj->ops->matches && !obj->ops->matches(obj, args)))
		return -EPROTOTYPE;
	return 0;
}

/**
 * gosync_name_find() - get the object of a name
 * @key: the name; there is none if its length is 0
 * @args: the arguments of the open
 *
 * Return: the object with a reference, if the caller may open it; an error if
 * it may not; NULL if there is no object, which is certain only with the
 * namespace's lock.
 */
struct gosync_object *gosync_name_find(const struct gosync_name_key *key,
				       const struct gosync_open_args *args)
{
	struct gosync_object *obj;
	int ret;

	if (!key->len)
		return NULL;
	guard(rcu)();
	obj = gosync_name_look_up(key);
	if (!obj || !refcount_read(&obj->refs))
		return NULL;
	ret = check_found(obj, args);
	if (ret)
		return ERR_PTR(ret);
	if (!refcount_inc_not_zero(&obj->refs))
		return NULL;
	/*
	 * Pairs with the barrier in gosync_object_thaw(): we see where its
	 * state was moved to.
	 */
	smp_acquire__after_ctrl_dep();
	return obj;
}

/**
 * gosync_name_link() - link a new object, unless the name is taken
 * @obj: the object
 * @key: its name
 * @args: the arguments of the open
 *
 * Return: NULL if it was linked, or as gosync_name_find().
 */
struct gosync_object *gosync_name_link(struct gosync_object *obj,
				       const struct gosync_name_key *key,
				       const struct gosync_open_args *args)
{
	struct gosync_object *found;
	int ret = 0;

	if (key->len)
		ret = xa_reserve(&obj->ns->named, obj->id, GFP_KERNEL_ACCOUNT);
	if (ret)
		return ERR_PTR(ret);
	scoped_guard(spinlock, &obj->ns->lock) {
		found = gosync_name_find(key, args);
		if (!found)
			ret = link_object(obj);
	}
	if (found || ret)
		xa_release(&obj->ns->named, obj->id);
	return ret ? ERR_PTR(ret) : found;
}

/*
 * Return: the entry to wait on, @new or an older one; NULL if the name exists
 */
static struct gosync_awaited *join_awaited(const struct gosync_name_key *key,
					   struct gosync_awaited *new)
{
	lockdep_assert_held(&key->ns->lock);
	guard(rcu)();
	/* A process that creates the name from now on finds the entry. */
	return gosync_name_look_up(key) ? NULL : gosync_awaited_join(key, new);
}

/**
 * gosync_name_await() - wait until a name exists
 * @key: the name
 * @timeout: when to give up
 *
 * Return: 0 if the name has appeared, -ENOMEM, or as gosync_sleep().
 */
int gosync_name_await(const struct gosync_name_key *key,
		      const struct gosync_timeout *timeout)
{
	struct gosync_awaited *new, *awaited;

	new = gosync_awaited_alloc(key);
	if (!new)
		return -ENOMEM;
	scoped_guard(spinlock, &key->ns->lock)
		awaited = join_awaited(key, new);
	if (awaited != new)
		gosync_awaited_free(new);
	if (IS_ERR_OR_NULL(awaited))
		return PTR_ERR_OR_ZERO(awaited);
	return gosync_awaited_sleep(awaited, timeout);
}

/* --- Unlinking ----------------------------------------------------------- */

/*
 * End an object without holders. Return: 0; -EBUSY; -ENOENT if it ends already
 */
static int end_unused(struct gosync_object *obj)
{
	if (gosync_object_freeze(obj))
		return 0;
	return refcount_read(&obj->refs) ? -EBUSY : -ENOENT;
}

/* With @unused: unlink it only if nobody has it open. */
static int unlink_name(const struct gosync_name_key *key, bool unused)
{
	struct gosync_object *obj;
	int ret = 0;
	bool put;

	scoped_guard(spinlock, &key->ns->lock) {
		guard(rcu)();
		obj = gosync_name_look_up(key);
		if (!obj)
			return -ENOENT;
		if (!gosync_may_administer(obj))
			return -EPERM;
		if (unused)
			ret = end_unused(obj);
		if (ret)
			return ret;
		put = unlink_object(obj);
		if (unused)
			end_object(obj);
	}
	if (unused)
		gosync_object_destroy(obj);
	else if (put)
		gosync_object_put(obj);
	return 0;
}

long gosync_names_unlink(struct gosync_holder *unused, void *arg)
{
	const struct gosync_unlink_args *args = arg;
	char name[GOSYNC_NAME_MAX];
	struct gosync_ns *ns;
	int ret;

	if (args->flags & ~GOSYNC_IF_UNUSED || args->__reserved ||
	    !args->name_len)
		return -EINVAL;
	ret = gosync_copy_name(name, args->name, args->name_len);
	if (ret)
		return ret;
	ns = gosync_ns_find(current->nsproxy->ipc_ns);
	if (!ns)
		return -ENOENT;
	ret = unlink_name(&(struct gosync_name_key) {
		.ns = ns, .name = name, .len = args->name_len,
	}, args->flags & GOSYNC_IF_UNUSED);
	gosync_ns_put(ns);
	return ret;
}

/* --- Listing ------------------------------------------------------------- */

/*
 * Describe the next named object from number @from on; @info stays zero if the
 * caller may not see it. Return: the object's number, 0 at the end
 */
static u64 describe_next(struct gosync_ns *ns, u64 from,
			 struct gosync_info *info)
{
	struct gosync_object *obj;
	u64 id = 0;

	memset(info, 0, sizeof(*info));
	scoped_guard(spinlock, &ns->lock) {
		obj = next_object(ns, from);
		if (obj) {
			id = obj->id;
			if (gosync_may(ns, &obj->access, 4))
				gosync_object_info(obj, NULL, info);
		}
	}
	return id;
}

static long list_names(struct gosync_ns *ns, struct gosync_list_args *args,
		       struct gosync_info *info)
{
	long done = 0;
	void __user *to;
	u64 id;

	while (done < args->count) {
		/*
		 * The cursor in the argument says where to go on:
		 * GOSYNC_RESUMES.
		 */
		if (signal_pending(current))
			return done ?: -ERESTARTSYS;
		id = describe_next(ns, args->cursor, info);
		if (!id)
			break;
		if (info->id) {
			to = u64_to_user_ptr(args->entries +
					     (u64)done * args->entry_size);
			if (gosync_put(to, args->entry_size, info, sizeof(*info)))
				return done ?: -EFAULT;
			done++;
		}
		args->cursor = id + 1;
		cond_resched();
	}
	return done;
}

long gosync_names_list(struct gosync_holder *unused, void *arg)
{
	struct gosync_list_args *args = arg;
	struct gosync_info *info;
	struct gosync_ns *ns;
	long ret;

	if (args->flags || args->entry_size < GOSYNC_INFO_LEAST ||
	    args->entry_size > PAGE_SIZE || !args->count ||
	    args->count > INT_MAX)
		return -EINVAL;
	ns = gosync_ns_find(current->nsproxy->ipc_ns);
	if (!ns)
		return 0;
	ret = -ENOMEM;
	info = kmalloc(sizeof(*info), GFP_KERNEL_ACCOUNT);
	if (info)
		ret = list_names(ns, args, info);
	kfree(info);
	gosync_ns_put(ns);
	return ret;
}

int __init gosync_names_init(void)
{
	int ret = rhashtable_init(&names, &names_params);

	if (ret)
		return ret;
	ret = gosync_await_init();
	if (ret)
		rhashtable_destroy(&names);
	return ret;
}

/*
 * The module goes: nothing is open any more, but there may be persistent
 * objects.
 */
void gosync_names_exit(void)
{
	struct gosync_ns *ns;

	gosync_await_exit();
	cancel_delayed_work_sync(&reaper);
	while ((ns = gosync_ns_any())) {
		unlink_all(ns);
		gosync_ns_put(ns);
	}
	rhashtable_destroy(&names);
	gosync_accounts_exit();
}
