/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Operations on what all nodes of a cluster have to know as a whole.
 */
#ifndef GOSYNC_VISIT_H
#define GOSYNC_VISIT_H

#include <linux/completion.h>
#include <linux/refcount.h>

#include "cluster.h"

/**
 * struct gosync_visit - an operation on an object of several machines
 * @refs: one reference of who waits for it, and one while it is linked
 * @done: it is over
 * @waiter: for statistics, tracers and lists; its entry links it into the object's
 *	visits (the object's lock)
 * @changes: it may change the object, so this node has to have all of it
 * @begun: it will take place, whatever becomes of who waits (the object's lock)
 * @ret: its result
 * @run: do it. Called without locks, by the one task that does them all. Return: true
 *	if it has changed @state, which includes &gosync_cluster_state.token
 * @free: free it
 */
struct gosync_visit {
	refcount_t refs;
	struct completion done;
	struct gosync_waiter waiter;
	bool changes;
	bool begun;
	long ret;
	bool (*run)(struct gosync_visit *visit,
		    struct gosync_cluster_state *state);
	void (*free)(struct gosync_visit *visit);
};

void gosync_visit_init(struct gosync_visit *visit);
long gosync_visit(struct gosync_holder *holder, struct gosync_visit *visit);
void gosync_visit_put(struct gosync_visit *visit);
int gosync_visits_take(struct gosync_waiter *waiter, bool queue);
enum gosync_cluster_mode gosync_visits_want(struct gosync_object *obj);
void gosync_visits_queues(struct gosync_object *obj,
			  struct list_head *queues[GOSYNC_QUEUES]);
void gosync_visits_end(struct gosync_cluster *cluster);

#endif /* GOSYNC_VISIT_H */
