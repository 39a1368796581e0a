// SPDX-License-Identifier: GPL-2.0-only
/*
 * Objects that several machines share (GOSYNC_CLUSTER).
 *
 * A node that does not have such an object is an object that somebody elsewhere
 * has. So each node has one more holder, the cluster's, and that holder has what
 * the node has not. Whoever waits here waits for that holder as for any other.
 * When another node wants the object, the cluster's holder waits for it here, in
 * the queue, as a waiter without a task. So there is one rule of fairness, and
 * the primitives know almost nothing of clusters.
 *
 * What "to want", "to have" and "to give" mean between machines is the business
 * of another module, which registers here (kmod/cluster/). Without it this is
 * EOPNOTSUPP.
 *
 * What nodes may have at the same time is shared: then the cluster's holder has what
 * keeps the processes here from having more (&gosync_cluster_type.share).
 *
 * While the object is away its word says STARVING. Then user space neither locks
 * nor unlocks by itself, but enters the kernel. The kernel lets nobody unlock what
 * another node has.
 *
 * The cluster's holder keeps no reference to the object. When the last real holder
 * ends, the object is freed, not at once, but by gosync_cluster_end(): the other
 * module may be at work on it until then.
 */
#include <linux/ipc_namespace.h>
#include <linux/nsproxy.h>
#include <linux/slab.h>

#include "cluster.h"
#include "names.h"
#include "visit.h"

/* Of the module that was registered; under @ops_lock, or by who has a reference */
static const struct gosync_cluster_ops *cluster_ops;
static DEFINE_MUTEX(ops_lock);

static const struct gosync_cluster_ops *get_ops(void)
{
	guard(mutex)(&ops_lock);
	if (!cluster_ops || !try_module_get(cluster_ops->owner))
		return NULL;
	return cluster_ops;
}

/**
 * gosync_cluster_check() - can the object that is to be made be a cluster's
 * @args: the arguments of the open
 * @ops: the operations of its type
 *
 * Return: 0 or -EINVAL, -EOPNOTSUPP.
 */
int gosync_cluster_check(const struct gosync_open_args *args,
			 const struct gosync_ops *ops)
{
	if (!(args->flags & GOSYNC_CLUSTER))
		return 0;
	/* Whether there is one at another node cannot be told. */
	if (!ops->cluster || !args->name_len || args->flags & GOSYNC_EXCL ||
	    current->nsproxy->ipc_ns != &init_ipc_ns)
		return -EOPNOTSUPP;
	return args->capacity > ops->cluster->capacity ? -EINVAL : 0;
}

static void tell_cluster(struct gosync_group *group)
{
	struct gosync_cluster *cluster =
		container_of(group, struct gosync_cluster, group);

	/* W-A, pairs with gosync_is_told(). */
	smp_store_release(&group->claim, GOSYNC_TOLD);
	/* Who tells has a holder of the object, so it is still there. */
	cluster->ops->look(cluster->node);
}

static enum gosync_cluster_mode what_is_wanted(struct gosync_object *obj)
{
	const struct gosync_cluster_type *type = obj->ops->cluster;

	if (type->wants)
		return type->wants(obj);
	return gosync_shown(obj) ? GOSYNC_HERE : GOSYNC_AWAY;
}

/**
 * gosync_cluster_begin() - make a new object one of the cluster
 * @obj: the object, which nobody can find yet; it is away
 *
 * Return: 0 or an error: -EOPNOTSUPP, -ENOTCONN, -EINTR, -ENOMEM.
 */
int gosync_cluster_begin(struct gosync_object *obj)
{
	const struct gosync_cluster_ops *ops = get_ops();
	const unsigned int nr_visits = !!obj->ops->cluster->save;
	struct gosync_cluster *cluster;
	void *node;
	int ret;

	if (!ops)
		return -EOPNOTSUPP;
	ret = ops->ready();
	if (ret)
		goto err_ops;
	ret = -ENOMEM;
	cluster = kzalloc(struct_size(cluster, visits, nr_visits),
			  GFP_KERNEL_ACCOUNT);
	if (!cluster)
		goto err_ops;
	if (nr_visits) {
		INIT_LIST_HEAD(&cluster->visits->waiting[false]);
		INIT_LIST_HEAD(&cluster->visits->waiting[true]);
		INIT_LIST_HEAD(&cluster->visits->begun);
	}
	cluster->ops = ops;
	cluster->holder.obj = obj;
	cluster->holder.id = GOSYNC_CLUSTER_HOLDER;
	cluster->group.tell = tell_cluster;
	cluster->waiter.holder = &cluster->holder;
	gosync_waiter_join(&cluster->waiter, &cluster->group, NULL);
	cluster->away = true;
	/* Nobody here may unlock what another node has. */
	obj->flags |= obj->ops->flags & GOSYNC_ERRORCHECK;
	gosync_count_waits(obj);
	ret = xa_err(xa_store(&obj->holders,
			      gosync_holder_index(GOSYNC_CLUSTER_HOLDER),
			      &cluster->holder, GFP_KERNEL_ACCOUNT));
	if (ret)
		goto err_free;
	obj->next_holder = GOSYNC_CLUSTER_HOLDER;
	ret = obj->ops->cluster->op->attempt(&cluster->waiter, false);
	if (ret)
		goto err_holder;
	node = ops->begin(cluster);
	ret = PTR_ERR_OR_ZERO(node);
	if (ret)
		goto err_holder;
	cluster->node = node;
	obj->cluster = cluster;
	scoped_guard(spinlock, &obj->wq.lock) {
		if (obj->ops->show)
			obj->ops->show(obj);
		gosync_cluster_want(obj, what_is_wanted(obj));
	}
	return 0;
err_holder:
	xa_erase(&obj->holders, gosync_holder_index(GOSYNC_CLUSTER_HOLDER));
err_free:
	kfree(cluster);
err_ops:
	module_put(ops->owner);
	return ret;
}

/* --- What the other module calls ------------------------------------------ */

/**
 * gosync_cluster_register() - register a cluster
 * @ops: it
 *
 * Return: 0, or -EBUSY if there is one.
 */
int gosync_cluster_register(const struct gosync_cluster_ops *ops)
{
	guard(mutex)(&ops_lock);
	if (cluster_ops)
		return -EBUSY;
	cluster_ops = ops;
	return 0;
}
EXPORT_SYMBOL_NS_GPL(gosync_cluster_register, GOSYNC);

/**
 * gosync_cluster_unregister() - undo gosync_cluster_register()
 */
void gosync_cluster_unregister(void)
{
	guard(mutex)(&ops_lock);
	cluster_ops = NULL;
}
EXPORT_SYMBOL_NS_GPL(gosync_cluster_unregister, GOSYNC);

/**
 * gosync_cluster_take() - take the object from this node, or wait for it
 * @cluster: of the object, which is at this node
 *
 * May sleep, but not until it is free: then &gosync_cluster_ops.look is called
 * when it has the object.
 *
 * Return: true if it has it already.
 */
bool gosync_cluster_take(struct gosync_cluster *cluster)
{
	struct gosync_waiter *waiter = &cluster->waiter;
	struct gosync_object *obj = cluster->holder.obj;
	int ret;

	scoped_guard(spinlock, &obj->wq.lock) {
		*waiter = (struct gosync_waiter) { .holder = &cluster->holder };
		cluster->group.claim = GOSYNC_WAITING;
		gosync_waiter_join(waiter, &cluster->group, NULL);
	}
	do {
		ret = obj->ops->cluster->op->attempt(waiter, true);
		cond_resched();
	} while (ret && ret != -EINPROGRESS);
	/* No thread waits, so nobody else tells it. */
	if (!ret)
		WRITE_ONCE(cluster->group.claim, GOSYNC_TOLD);
	return !ret;
}
EXPORT_SYMBOL_NS_GPL(gosync_cluster_take, GOSYNC);

/**
 * gosync_cluster_has() - does it have what gosync_cluster_take() waited for
 * @cluster: of the object
 *
 * Return: true if it has.
 */
bool gosync_cluster_has(const struct gosync_cluster *cluster)
{
	return gosync_is_told(&cluster->group.claim);
}
EXPORT_SYMBOL_NS_GPL(gosync_cluster_has, GOSYNC);

/**
 * gosync_cluster_get() - read what the next node has to know
 * @cluster: of the object, which it has taken
 * @state: out: it
 *
 * From now on the object is away.
 *
 * Return: what those want who wait for it here. Who comes later is told by
 * &gosync_cluster_ops.wanted.
 */
enum gosync_cluster_mode gosync_cluster_get(struct gosync_cluster *cluster,
					    struct gosync_cluster_state *state)
{
	struct gosync_object *obj = cluster->holder.obj;
	enum gosync_cluster_mode wanted;

	scoped_guard(spinlock, &obj->wq.lock) {
		WRITE_ONCE(cluster->away, true);
		cluster->shared = false;
		if (obj->ops->show)
			obj->ops->show(obj);
		obj->ops->cluster->get(obj, state);
		wanted = what_is_wanted(obj);
	}
	return wanted;
}
EXPORT_SYMBOL_NS_GPL(gosync_cluster_get, GOSYNC);

/**
 * gosync_cluster_save() - read what this node knows of &gosync_cluster_state.data
 * @cluster: of the object, which is away
 * @data: out: it
 */
void gosync_cluster_save(struct gosync_cluster *cluster, void *data)
{
	struct gosync_object *obj = cluster->holder.obj;

	scoped_guard(spinlock, &obj->wq.lock)
		obj->ops->cluster->save(obj, data);
}
EXPORT_SYMBOL_NS_GPL(gosync_cluster_save, GOSYNC);

/**
 * gosync_cluster_give() - give the object to this node
 * @cluster: of the object, which was away
 * @state: what the nodes have agreed upon
 * @shared: only so much of it as other nodes may have, too
 */
void gosync_cluster_give(struct gosync_cluster *cluster,
			 const struct gosync_cluster_state *state, bool shared)
{
	struct gosync_object *obj = cluster->holder.obj;
	const struct gosync_cluster_type *type = obj->ops->cluster;

	scoped_guard(spinlock, &obj->wq.lock) {
		WRITE_ONCE(cluster->away, false);
		type->set(obj, state);
		cluster->shared = shared;
		if (shared && type->share)
			type->share(obj);
		if (state->final)
			gosync_cluster_settled(obj);
		/* It waits for nothing any more. */
		cluster->waiter.index = GOSYNC_WANTS_IT;
	}
	type->op->give_back(&cluster->waiter);
	/* If the word was scribbled on, the waiters are to look for themselves. */
	obj->ops->left(obj, &cluster->waiter);
}
EXPORT_SYMBOL_NS_GPL(gosync_cluster_give, GOSYNC);

/**
 * gosync_cluster_end() - free an object that nobody uses
 * @cluster: of the object, after &gosync_cluster_ops.end
 */
void gosync_cluster_end(struct gosync_cluster *cluster)
{
	struct gosync_object *obj = cluster->holder.obj;
	struct module *owner = cluster->ops->owner;

	xa_erase(&obj->holders, gosync_holder_index(GOSYNC_CLUSTER_HOLDER));
	/* Who was killed is still among them. */
	if (obj->ops->cluster->save)
		gosync_visits_end(cluster);
	obj->cluster = NULL;
	kfree(cluster);
	gosync_object_destroy(obj);
	module_put(owner);
}
EXPORT_SYMBOL_NS_GPL(gosync_cluster_end, GOSYNC);
