/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Objects that several machines share: what the module that connects them to a
 * cluster (kmod/cluster/) sees of them.
 */
#ifndef GOSYNC_CLUSTER_H
#define GOSYNC_CLUSTER_H

#include <linux/module.h>
#include <linux/poll.h>

#include "wait.h"

struct gosync_cluster;

/* What a type may have all nodes know besides */
#define GOSYNC_CLUSTER_DATA	3056

/**
 * enum gosync_cluster_mode - what a node has of an object, or wants
 * @GOSYNC_AWAY: nothing
 * @GOSYNC_SHARED: what other nodes may have, too
 * @GOSYNC_HERE: all of it, and no other node has anything
 */
enum gosync_cluster_mode {
	GOSYNC_AWAY,
	GOSYNC_SHARED,
	GOSYNC_HERE,
};

/**
 * struct gosync_cluster_state - what all nodes have to agree upon
 * @token: the last fencing token
 * @poisoned: an owner has died
 * @died: it has died just now, with its node
 * @final: this never changes again: a Once is done
 * @data: GOSYNC_CLUSTER_DATA bytes of the type's own; NULL: it has none
 */
struct gosync_cluster_state {
	u64 token;
	void *data;
	bool poisoned;
	bool died;
	bool final;
};

/**
 * struct gosync_cluster_ops - a cluster
 * @owner: the module
 * @ready: become a member of the cluster. May sleep, until the caller is killed.
 *	Return: 0 or an error; -ENOTCONN: there is no cluster
 * @begin: a new object, which is at no node yet. May sleep. Return: what the
 *	functions below are called with, or an error
 * @wanted: somebody waits for so much of the object, or has tried to get it, or
 *	polls it. Called with the object's lock or without, by who has a holder of it
 * @settled: the node has all of the object, and its state is final: other nodes are
 *	to know it, and to keep it if this one dies. Called as @wanted
 * @look: gosync_cluster_take() has what it waited for, or gosync_cluster_draft() has
 *	something to do. Called without locks, by who has a holder of the object
 * @end: nobody uses the object any more. Has to call gosync_cluster_end(), later
 */
struct gosync_cluster_ops {
	struct module *owner;
	int (*ready)(void);
	void *(*begin)(struct gosync_cluster *cluster);
	void (*wanted)(void *node, enum gosync_cluster_mode mode);
	void (*settled)(void *node);
	void (*look)(void *node);
	void (*end)(void *node);
};

/**
 * struct gosync_cluster_type - how nodes share the objects of a type
 * @op: the operation by which the cluster's holder takes an object from its node,
 *	also what the node has shared. &gosync_wait_op.give_back ends that
 * @share: the cluster's holder, which has all of it, is going to give back no more
 *	than what can be shared. NULL: it never is
 * @wants: what this node wants. NULL: all of it if somebody waits here
 * @get: read what all nodes have to know, but for &gosync_cluster_state.data
 * @save: read that. NULL: the type has none
 * @set: take over what they know
 * @capacity: &gosync_object.capacity of each of them, whatever is asked for
 * @unmapped: their state is not mapped
 *
 * All but @op are called with the object's lock.
 */
struct gosync_cluster_type {
	const struct gosync_wait_op *op;
	void (*share)(struct gosync_object *obj);
	enum gosync_cluster_mode (*wants)(struct gosync_object *obj);
	void (*get)(struct gosync_object *obj,
		    struct gosync_cluster_state *state);
	void (*save)(struct gosync_object *obj, void *data);
	void (*set)(struct gosync_object *obj,
		    const struct gosync_cluster_state *state);
	u32 capacity;
	bool unmapped;
};

/**
 * struct gosync_visits - the operations that wait for an object, see visit.c
 * @waiting: those that only read, and those that may change it (the object's lock)
 * @begun: those that were begun; who has begun them takes them out (the object's lock)
 * @count: how many there are (the object's lock)
 * @version: for types that have no number of changes of their own: the one of the
 *	state that is here (the object's lock)
 */
struct gosync_visits {
	struct list_head waiting[2];
	struct list_head begun;
	u32 count;
	u64 version;
};

/**
 * struct gosync_cluster - what an object of several machines has besides
 * @holder: has the object while this node has not: for the processes here, the
 *	other nodes are this holder. It has no file and no process
 * @group: the claim of @waiter
 * @waiter: waits for the object when another node wants it
 * @ops: the cluster
 * @node: as returned by &gosync_cluster_ops.begin
 * @shared: this node has what others may have, too (the object's lock)
 * @away: @holder has the object, or is about to: user space neither locks nor
 *	unlocks by itself (the object's lock)
 * @visits: one if the type has &gosync_cluster_type.save, otherwise none
 */
struct gosync_cluster {
	struct gosync_holder holder;
	struct gosync_group group;
	struct gosync_waiter waiter;
	const struct gosync_cluster_ops *ops;
	void *node;
	bool shared;
	bool away;
	struct gosync_visits visits[];
};

/**
 * gosync_visitors() - how many processes have an operation waiting for an object
 * @obj: the object, locked
 *
 * Return: so many, besides those in its queue.
 */
static inline u32 gosync_visitors(const struct gosync_object *obj)
{
	return obj->cluster && obj->ops->cluster->save ?
	       obj->cluster->visits->count : 0;
}

/* Is the object at another node, for all that is known here? */
static inline bool gosync_is_away(const struct gosync_object *obj)
{
	return unlikely(obj->cluster) && READ_ONCE(obj->cluster->away);
}

/* Somebody wants so much of the object. With the object's lock or without */
static inline void gosync_cluster_want(const struct gosync_object *obj,
				       enum gosync_cluster_mode mode)
{
	if (unlikely(obj->cluster))
		obj->cluster->ops->wanted(obj->cluster->node, mode);
}

/* The state of the object is final, from now on. With the object's lock */
static inline void gosync_cluster_settled(const struct gosync_object *obj)
{
	if (unlikely(obj->cluster))
		obj->cluster->ops->settled(obj->cluster->node);
}

/*
 * As gosync_cluster_want(), for a waiter in a queue, unless it is the cluster's own.
 * The queues besides @wq.head are for what can be shared, or of who owns the word, at
 * a node that has all of the object already.
 */
static inline void gosync_cluster_want_for(const struct gosync_object *obj,
					   const struct list_head *queue,
					   const struct gosync_waiter *waiter)
{
	bool all;

	if (likely(!obj->cluster) || waiter == &obj->cluster->waiter)
		return;
	/* Who waits for a change may wait where it can be seen. */
	all = queue == &obj->wq.head && !obj->ops->cluster->save;
	gosync_cluster_want(obj, all ? GOSYNC_HERE : GOSYNC_SHARED);
}

/* The same for a poller. Without the object's lock */
static inline void gosync_cluster_want_polled(const struct gosync_object *obj,
					      __poll_t events)
{
	bool all = !obj->ops->cluster->wants ||
		   (obj->ops->out && events & EPOLLOUT);

	gosync_cluster_want(obj, all ? GOSYNC_HERE : GOSYNC_SHARED);
}

int gosync_cluster_check(const struct gosync_open_args *args,
			 const struct gosync_ops *ops);
int gosync_cluster_begin(struct gosync_object *obj);

int gosync_cluster_register(const struct gosync_cluster_ops *ops);
void gosync_cluster_unregister(void);
bool gosync_cluster_take(struct gosync_cluster *cluster);
bool gosync_cluster_has(const struct gosync_cluster *cluster);
enum gosync_cluster_mode gosync_cluster_get(struct gosync_cluster *cluster,
					    struct gosync_cluster_state *state);
void gosync_cluster_give(struct gosync_cluster *cluster,
			 const struct gosync_cluster_state *state, bool shared);
void gosync_cluster_save(struct gosync_cluster *cluster, void *data);
bool gosync_cluster_draft(struct gosync_cluster *cluster,
			  struct gosync_cluster_state *state, bool all);
void gosync_cluster_commit(struct gosync_cluster *cluster,
			   const struct gosync_cluster_state *state);
void gosync_cluster_end(struct gosync_cluster *cluster);

#endif /* GOSYNC_CLUSTER_H */
