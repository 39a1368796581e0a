// SPDX-License-Identifier: GPL-2.0-only
/*
 * Namespaces, and the caller's permissions in them.
 *
 * Each IPC namespace has its own names. Permission is judged as ipcperms()
 * does it for System V objects.
 *
 * Each object has a reference to its struct gosync_ns, which has one to the IPC
 * namespace.
 */
#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/hashtable.h>
#include <linux/slab.h>
#include <linux/user_namespace.h>

#include "names.h"

/* The table of namespaces, read under RCU */
static DEFINE_HASHTABLE(namespaces, 8);
static DEFINE_SPINLOCK(namespaces_lock);

/**
 * gosync_ns_find() - find our part of an IPC namespace
 * @ipc: the IPC namespace
 *
 * Return: the namespace, with a reference; NULL if there are no objects in it.
 */
struct gosync_ns *gosync_ns_find(const struct ipc_namespace *ipc)
{
	struct gosync_ns *ns;

	guard(rcu)();
	hash_for_each_possible_rcu(namespaces, ns, node, (unsigned long)ipc)
		if (ns->ipc == ipc && refcount_inc_not_zero(&ns->refs))
			return ns;
	return NULL;
}

/**
 * gosync_ns_get() - find or make our part of an IPC namespace
 * @ipc: the IPC namespace
 * @made: out: set to true if it was made now
 *
 * Return: the namespace, with a reference; NULL without memory.
 */
struct gosync_ns *gosync_ns_get(struct ipc_namespace *ipc, bool *made)
{
	static atomic64_t numbers = ATOMIC64_INIT(0);
	struct gosync_ns *ns, *other;

	ns = gosync_ns_find(ipc);
	if (ns)
		return ns;
	ns = kzalloc(sizeof(*ns), GFP_KERNEL_ACCOUNT);
	if (!ns)
		return NULL;
	ns->ipc = get_ipc_ns(ipc);
	ns->number = atomic64_inc_return(&numbers);
	refcount_set(&ns->refs, 1);
	spin_lock_init(&ns->lock);
	xa_init_flags(&ns->named, XA_FLAGS_ACCOUNT);

	spin_lock(&namespaces_lock);
	other = gosync_ns_find(ipc);
	if (!other)
		hash_add_rcu(namespaces, &ns->node, (unsigned long)ipc);
	spin_unlock(&namespaces_lock);
	if (other) {
		put_ipc_ns(ns->ipc);
		kfree(ns);
		return other;
	}
	*made = true;
	return ns;
}

/**
 * gosync_ns_put() - drop a reference
 * @ns: the namespace, which goes with the last one
 */
void gosync_ns_put(struct gosync_ns *ns)
{
	if (!refcount_dec_and_test(&ns->refs))
		return;
	/*
	 * Nobody gets this one any more; the table may already have a new one.
	 */
	spin_lock(&namespaces_lock);
	hash_del_rcu(&ns->node);
	spin_unlock(&namespaces_lock);
	put_ipc_ns(ns->ipc);
	xa_destroy(&ns->named);
	kfree_rcu(ns, rcu);
}

/**
 * gosync_ns_any() - find any namespace
 *
 * Return: a namespace with a reference, or NULL if there is none.
 */
struct gosync_ns *gosync_ns_any(void)
{
	struct gosync_ns *ns;
	int bucket;

	guard(rcu)();
	hash_for_each_rcu(namespaces, bucket, ns, node)
		if (refcount_inc_not_zero(&ns->refs))
			return ns;
	return NULL;
}

/**
 * gosync_ns_dead() - find a namespace that has names, but no process any more
 * @others: out: set to true if there is any namespace besides the first
 *
 * Return: a namespace with a reference, or NULL if there is none.
 */
struct gosync_ns *gosync_ns_dead(bool *others)
{
	struct gosync_ns *ns, *dead = NULL;
	int bucket;

	guard(rcu)();
	hash_for_each_rcu(namespaces, bucket, ns, node) {
		*others |= ns->ipc != &init_ipc_ns;
		if (!dead && !xa_empty(&ns->named) &&
		    gosync_ipc_ns_is_last(ns->ipc) &&
		    refcount_inc_not_zero(&ns->refs))
			dead = ns;
	}
	return dead;
}

/**
 * gosync_may() - may the caller read or write, by user, group and mode
 * @ns: the namespace
 * @access: user, group and mode
 * @want: 4 to read, 2 to write
 *
 * Return: true if it may.
 */
bool gosync_may(const struct gosync_ns *ns, const struct gosync_access *access,
		u16 want)
{
	u32 mode = access->mode;

	if (uid_eq(current_euid(), access->uid))
		mode >>= 6;
	else if (in_group_p(access->gid))
		mode >>= 3;
	return !(want & ~mode) || ns_capable(ns->ipc->user_ns, CAP_IPC_OWNER);
}

/**
 * gosync_ns_is_callers() - is this the caller's namespace
 * @ns: the namespace
 *
 * Return: true if it is.
 */
bool gosync_ns_is_callers(const struct gosync_ns *ns)
{
	return ns->ipc == current->nsproxy->ipc_ns;
}

/**
 * gosync_may_administer() - may the caller administer an object
 * @obj: the object
 *
 * Return: true if the caller is its owner, or has CAP_SYS_ADMIN over its IPC
 * namespace.
 */
bool gosync_may_administer(const struct gosync_object *obj)
{
	return uid_eq(current_euid(), gosync_access_of(obj).uid) ||
	       ns_capable(obj->ns->ipc->user_ns, CAP_SYS_ADMIN);
}
