// SPDX-License-Identifier: GPL-2.0-only
/*
 * Operations on what all nodes of a cluster have to know as a whole, such as a Value.
 *
 * Who comes with an operation is a visitor: he leaves it in a list, and sleeps. The
 * module that connects the nodes begins all that are there as soon as this node has
 * the object, on a draft that nobody sees. When something has changed it has the other
 * nodes' copy written first. Then the draft is made the state of this node, and the
 * visitors are told (gosync_cluster_draft(), gosync_cluster_commit()). So whatever
 * anybody has seen outlives this node, and many operations are written as one.
 *
 * What only reads is begun with what nodes share.
 *
 * A visitor that is interrupted takes his operation back if it was not begun. Once it
 * was begun he waits for its end, which may take as long as the network does; only a
 * signal that kills frees him from that. So the operation has memory of its own.
 */
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "trace.h"
#include "visit.h"

/**
 * gosync_visit_init() - prepare an operation
 * @visit: the operation; &gosync_visit.run, @free and @changes are the caller's
 */
void gosync_visit_init(struct gosync_visit *visit)
{
	refcount_set(&visit->refs, 1);
	init_completion(&visit->done);
}

/**
 * gosync_visit_put() - drop a reference to an operation
 * @visit: the operation
 */
void gosync_visit_put(struct gosync_visit *visit)
{
	if (refcount_dec_and_test(&visit->refs))
		visit->free(visit);
}

static void visit_begin_to_wait(struct gosync_object *obj,
				struct gosync_visit *visit)
{
	struct gosync_cluster *cluster = obj->cluster;
	struct gosync_stats *stats;

	gosync_count_waits(obj);
	gosync_wait_begins(&visit->waiter);
	refcount_inc(&visit->refs);
	scoped_guard(spinlock, &obj->wq.lock) {
		stats = READ_ONCE(obj->stats);
		if (stats)
			stats->contended++;
		visit->waiter.since = ktime_get_ns();
		visit->waiter.entry.private = current;
		list_add_tail(&visit->waiter.entry.entry,
			      &cluster->visits->waiting[visit->changes]);
		WRITE_ONCE(cluster->visits->count, cluster->visits->count + 1);
		gosync_cluster_want(obj, visit->changes ? GOSYNC_HERE :
							  GOSYNC_SHARED);
	}
	cluster->ops->look(cluster->node);
}

static void visit_unlink(struct gosync_object *obj, struct gosync_visit *visit)
{
	lockdep_assert_held(&obj->wq.lock);
	list_del(&visit->waiter.entry.entry);
	WRITE_ONCE(obj->cluster->visits->count,
		   obj->cluster->visits->count - 1);
}

/* It was interrupted. Return: false if it was begun */
static bool visit_take_back(struct gosync_object *obj,
			    struct gosync_visit *visit)
{
	scoped_guard(spinlock, &obj->wq.lock) {
		if (visit->begun)
			return false;
		visit_unlink(obj, visit);
	}
	gosync_visit_put(visit);
	return true;
}

/* Whoever lists the visitors is not to look at one who is being killed. */
static void visit_forget_visitor(struct gosync_object *obj,
				 struct gosync_visit *visit)
{
	scoped_guard(spinlock, &obj->wq.lock) {
		visit->waiter.entry.private = NULL;
		visit->waiter.holder = NULL;
	}
}

/**
 * gosync_visit() - have an operation done
 * @holder: who wants it
 * @visit: the operation
 *
 * Return: &gosync_visit.ret; -ERESTARTSYS: it does not take place; -EINTR: the caller
 * is being killed, and it may take place.
 */
long gosync_visit(struct gosync_holder *holder, struct gosync_visit *visit)
{
	struct gosync_object *obj = holder->obj;
	int ret;

	visit->waiter.holder = holder;
	visit_begin_to_wait(obj, visit);
	ret = wait_for_completion_interruptible(&visit->done);
	if (ret && !visit_take_back(obj, visit))
		ret = wait_for_completion_killable(&visit->done) ? -EINTR : 0;
	gosync_wait_ends(obj, &visit->waiter, ret);
	if (ret)
		visit_forget_visitor(obj, visit);
	return ret ?: visit->ret;
}

/**
 * gosync_visits_take() - &gosync_wait_op.attempt of the cluster's holder
 * @waiter: the holder's waiter
 * @queue: not used
 *
 * Return: 0: an object with visits has no owner here whom it would have to wait for.
 */
int gosync_visits_take(struct gosync_waiter *waiter, bool queue)
{
	return 0;
}

/**
 * gosync_visits_want() - &gosync_cluster_type.wants of an object with visits
 * @obj: the object
 *
 * Return: what those want who wait or watch here.
 */
enum gosync_cluster_mode gosync_visits_want(struct gosync_object *obj)
{
	const struct gosync_visits *visits = obj->cluster->visits;

	if (!list_empty(&visits->waiting[true]))
		return GOSYNC_HERE;
	return !list_empty(&visits->waiting[false]) || gosync_shown(obj) ?
	       GOSYNC_SHARED : GOSYNC_AWAY;
}

/* Begin the first of those who wait. Return: NULL if there is none */
static struct gosync_visit *begin_first(struct gosync_object *obj,
					struct list_head *waiting)
{
	struct gosync_visits *visits = obj->cluster->visits;
	struct gosync_visit *visit;

	spin_lock(&obj->wq.lock);
	visit = list_first_entry_or_null(waiting, struct gosync_visit,
					 waiter.entry.entry);
	if (visit) {
		visit->begun = true;
		list_move_tail(&visit->waiter.entry.entry, &visits->begun);
	}
	spin_unlock(&obj->wq.lock);
	return visit;
}

/* Return: true if they have changed @state */
static bool run_all(struct gosync_cluster *cluster, bool changing,
		    struct gosync_cluster_state *state)
{
	struct gosync_object *obj = cluster->holder.obj;
	struct list_head *waiting = &cluster->visits->waiting[changing];
	struct gosync_visit *visit;
	bool changed = false;
	u32 left;

	/* Who comes later asks for another look, so these are enough. */
	for (left = READ_ONCE(cluster->visits->count); left; left--) {
		visit = begin_first(obj, waiting);
		if (!visit)
			break;
		changed |= visit->run(visit, state);
		cond_resched();
	}
	return changed;
}

/**
 * gosync_visits_end() - tell those whose operation was begun that it is over
 * @cluster: of the object
 *
 * Called without locks, by the one who begins them.
 */
void gosync_visits_end(struct gosync_cluster *cluster)
{
	struct gosync_object *obj = cluster->holder.obj;
	struct gosync_visit *visit, *next;

	list_for_each_entry_safe(visit, next, &cluster->visits->begun,
				 waiter.entry.entry) {
		scoped_guard(spinlock, &obj->wq.lock) {
			visit_unlink(obj, visit);
			/* Who was killed meanwhile is counted already. */
			if (visit->waiter.holder)
				gosync_account_wait(obj, &visit->waiter,
						    GOSYNC_HANDED_OVER);
		}
		complete_all(&visit->done);
		gosync_visit_put(visit);
		cond_resched();
	}
}

/**
 * gosync_visits_queues() - &gosync_ops.queues of an object with visits
 * @obj: the object, locked
 * @queues: out: those who visit it
 */
void gosync_visits_queues(struct gosync_object *obj,
			  struct list_head *queues[GOSYNC_QUEUES])
{
	struct gosync_visits *visits;

	if (!obj->cluster)
		return;
	visits = obj->cluster->visits;
	queues[0] = &visits->begun;
	queues[1] = &visits->waiting[false];
	queues[2] = &visits->waiting[true];
}

/**
 * gosync_cluster_draft() - do what waits for the object, on a draft
 * @cluster: of the object, which is at this node
 * @state: the draft
 * @all: this node has all of it
 *
 * Return: true if it has changed: then it has to be written, and the caller has to
 * call gosync_cluster_commit(). Nobody else may know of it until then.
 */
bool gosync_cluster_draft(struct gosync_cluster *cluster,
			  struct gosync_cluster_state *state, bool all)
{
	bool changed = false;

	run_all(cluster, false, state);
	if (all)
		changed = run_all(cluster, true, state);
	if (!changed)
		gosync_visits_end(cluster);
	return changed;
}
EXPORT_SYMBOL_NS_GPL(gosync_cluster_draft, GOSYNC);

/**
 * gosync_cluster_commit() - make the draft the object's state
 * @cluster: as in gosync_cluster_draft()
 * @state: the draft, which was written
 */
void gosync_cluster_commit(struct gosync_cluster *cluster,
			   const struct gosync_cluster_state *state)
{
	struct gosync_object *obj = cluster->holder.obj;
	const struct gosync_cluster_type *type = obj->ops->cluster;

	scoped_guard(spinlock, &obj->wq.lock)
		type->set(obj, state);
	gosync_visits_end(cluster);
	type->op->give_back(&cluster->waiter);
}
EXPORT_SYMBOL_NS_GPL(gosync_cluster_commit, GOSYNC);
