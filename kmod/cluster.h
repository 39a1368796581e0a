/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Objects that several machines share: what the module that connects them to a
 * cluster (kmod/cluster/) sees of them.
 */
#ifndef GOSYNC_CLUSTER_H
#define GOSYNC_CLUSTER_H

#include <linux/module.h>

#include "wait.h"

struct gosync_cluster;

/**
 * struct gosync_cluster_state - what all nodes have to agree upon
 * @token: the last fencing token
 * @poisoned: an owner has died
 * @died: it has died just now, with its node
 */
struct gosync_cluster_state {
	u64 token;
	bool poisoned;
	bool died;
};

/**
 * struct gosync_cluster_ops - a cluster
 * @owner: the module
 * @ready: become a member of the cluster. May sleep, until the caller is killed.
 *	Return: 0 or an error; -ENOTCONN: there is no cluster
 * @begin: a new object, which is at no node yet. May sleep. Return: what the
 *	functions below are called with, or an error
 * @wanted: somebody waits for the object, or has tried to get it, or polls it.
 *	Called with the object's lock or without, by who has a holder of it
 * @taken: gosync_cluster_take() has what it waited for. Called without locks, by
 *	who has a holder of the object
 * @end: nobody uses the object any more. Has to call gosync_cluster_end(), later
 */
struct gosync_cluster_ops {
	struct module *owner;
	int (*ready)(void);
	void *(*begin)(struct gosync_cluster *cluster);
	void (*wanted)(void *node);
	void (*taken)(void *node);
	void (*end)(void *node);
};

/**
 * struct gosync_cluster - what an object of several machines has besides
 * @holder: has the object while this node has not: for the processes here, the
 *	other nodes are this holder. It has no file and no process
 * @group: the claim of @waiter
 * @waiter: waits for the object when another node wants it
 * @ops: the cluster
 * @node: as returned by &gosync_cluster_ops.begin
 * @away: @holder has the object, or is about to: user space neither locks nor
 *	unlocks by itself (the object's lock)
 */
struct gosync_cluster {
	struct gosync_holder holder;
	struct gosync_group group;
	struct gosync_waiter waiter;
	const struct gosync_cluster_ops *ops;
	void *node;
	bool away;
};

/* Is the object at another node, for all that is known here? */
static inline bool gosync_is_away(const struct gosync_object *obj)
{
	return unlikely(obj->cluster) && READ_ONCE(obj->cluster->away);
}

/* Somebody wants the object. With the object's lock or without */
static inline void gosync_cluster_want(const struct gosync_object *obj)
{
	if (unlikely(obj->cluster))
		obj->cluster->ops->wanted(obj->cluster->node);
}

int gosync_cluster_check(const struct gosync_open_args *args,
			 const struct gosync_ops *ops);
int gosync_cluster_begin(struct gosync_object *obj);

int gosync_cluster_register(const struct gosync_cluster_ops *ops);
void gosync_cluster_unregister(void);
bool gosync_cluster_take(struct gosync_cluster *cluster);
bool gosync_cluster_has(const struct gosync_cluster *cluster);
u32 gosync_cluster_get(struct gosync_cluster *cluster,
		       struct gosync_cluster_state *state);
void gosync_cluster_give(struct gosync_cluster *cluster,
			 const struct gosync_cluster_state *state);
void gosync_cluster_end(struct gosync_cluster *cluster);

#endif /* GOSYNC_CLUSTER_H */
