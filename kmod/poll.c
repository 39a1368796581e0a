// SPDX-License-Identifier: GPL-2.0-only
/*
 * poll(2), select(2) and epoll(7) on objects.
 *
 * Pollers are in a queue of their own (obj->watch), because nothing is granted
 * to a poller: it is told that something may be had, and may find it gone. A
 * wait for all of several things is there, too.
 *
 * No edge is lost. P-A:
 *
 *	poller					releaser in user space
 *	    enters the queue obj->watch		    makes the thing available
 *	    shows a waiter in the mapped word	    (an atomic operation on the
 *	    full barrier			    word, which sees in the same step
 *	    looks at the thing			    whether a waiter is shown)
 *
 * If the releaser's operation came first, the poller's look sees its result. If
 * not, the releaser saw a waiter and enters the kernel, which tells the queue
 * afterwards (gosync_changed()). While there are pollers, each slow path of the
 * object shows a waiter anew. When there is none any more, the next slow path
 * takes it away.
 */
#include <linux/fs.h>
#include <linux/poll.h>
#include <linux/slab.h>

#include "cluster.h"

/**
 * gosync_watchers_of() - get an object's queue of pollers
 * @obj: the object
 *
 * May sleep.
 *
 * Return: the pollers, or NULL without memory.
 */
struct gosync_watchers *gosync_watchers_of(struct gosync_object *obj)
{
	struct gosync_watchers *watch = READ_ONCE(obj->watch);

	/* Few objects are ever polled. */
	if (likely(watch))
		return watch;
	watch = kzalloc(sizeof(*watch), GFP_KERNEL_ACCOUNT);
	if (!watch)
		return NULL;
	init_waitqueue_head(&watch->wq);
	INIT_LIST_HEAD(&watch->all);
	INIT_LIST_HEAD(&watch->turns);
	if (cmpxchg(&obj->watch, NULL, watch))
		kfree(watch);
	return obj->watch;
}

/**
 * gosync_changed() - tell pollers that an operation may succeed now
 * @obj: the object
 *
 * Called without the object's lock.
 */
void gosync_changed(struct gosync_object *obj)
{
	__poll_t in = EPOLLIN | EPOLLRDNORM;
	__poll_t out = EPOLLOUT | EPOLLWRNORM;

	if (!gosync_watched(obj))
		return;
	/*
	 * EPOLLEXCLUSIVE: an event of one kind wakes one poller. An event of
	 * both wakes all, for one of them may watch for something else.
	 */
	if (!obj->ops->exclusive) {
		wake_up_poll(&obj->watch->wq, in | out);
		return;
	}
	if (obj->ops->out)
		wake_up_poll(&obj->watch->wq, out);
	wake_up_poll(&obj->watch->wq, in);
}

/**
 * gosync_is_ready() - would an attempt succeed?
 * @op: the operation
 * @waiter: the waiter; its holder and operand are set
 *
 * From now on, if there is a poller, it is told of changes.
 *
 * Return: true if it would.
 */
bool gosync_is_ready(const struct gosync_wait_op *op,
		     const struct gosync_waiter *waiter)
{
	struct gosync_object *obj = waiter->holder->obj;
	bool ready;

	spin_lock(&obj->wq.lock);
	if (obj->ops->show)
		obj->ops->show(obj);
	/*
	 * P-A, pairs with the fast paths of user space, and gosync_watched().
	 */
	smp_mb();
	ready = op->ready(waiter);
	spin_unlock(&obj->wq.lock);
	return ready;
}

/* Find what the holder watches for. Return: false if it is nothing */
static bool get_wanted(struct gosync_holder *holder,
		       struct gosync_waiter *wanted)
{
	struct gosync_object *obj = holder->obj;
	bool ret = true;

	*wanted = (struct gosync_waiter) { .holder = holder };
	if (obj->ops->watched) {
		scoped_guard(spinlock, &obj->wq.lock)
			ret = obj->ops->watched(holder, wanted);
	}
	return ret;
}

__poll_t gosync_poll(struct file *file, struct poll_table_struct *table)
{
	struct gosync_holder *holder = file->private_data;
	struct gosync_object *obj = holder->obj;
	struct gosync_waiter wanted;
	struct gosync_watchers *watch;
	__poll_t mask = 0;

	watch = gosync_watchers_of(obj);
	if (!watch)
		return EPOLLERR;
	poll_wait(file, &watch->wq, table);
	if (unlikely(obj->cluster))
		gosync_cluster_want_polled(obj, poll_requested_events(table));
	if (!get_wanted(holder, &wanted))
		return 0;
	if (gosync_is_ready(obj->ops->in, &wanted))
		mask |= EPOLLIN | EPOLLRDNORM;
	if (obj->ops->out && gosync_is_ready(obj->ops->out, &wanted))
		mask |= EPOLLOUT | EPOLLWRNORM;
	return mask;
}

/* Check the operand, by the same rules as for waiting. */
static int check_watch(struct gosync_holder *holder,
		       const struct gosync_watch_args *args)
{
	const struct gosync_wait_op *op = holder->obj->ops->in;
	struct gosync_waiter waiter = { .holder = holder };

	if (args->flags & ~GOSYNC_WATCH_STOP || args->__reserved)
		return -EINVAL;
	if (args->flags || holder->obj->ops->watch)
		return args->index || args->value ? -EINVAL : 0;
	return op->check(&waiter, args->index, args->value);
}

long gosync_watch(struct gosync_holder *holder, void *arg)
{
	struct gosync_object *obj = holder->obj;
	const struct gosync_watch_args *args = arg;
	bool stop = args->flags & GOSYNC_WATCH_STOP;
	int ret = check_watch(holder, args);

	if (ret)
		return ret;
	if (obj->ops->watch) {
		if (holder->read_only)
			return -EBADF;
		ret = obj->ops->watch(holder, stop);
		if (ret)
			return ret;
	} else {
		scoped_guard(spinlock, &obj->wq.lock) {
			holder->watches = !stop;
			holder->watch_index = args->index;
			holder->watch_value = args->value;
		}
	}
	/* What it watches for may be true already: tell its pollers. */
	gosync_changed(obj);
	return 0;
}
