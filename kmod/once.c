// SPDX-License-Identifier: GPL-2.0-only
/*
 * Once: Go's sync.Once between processes.
 *
 * The kernel cannot run a caller's function, so it tells one caller to do so.
 * That caller begins, runs the function, and says that it is done; the others
 * wait. Both are ioctls, because both happen once. The word is only to be read:
 * once it is done a load is enough to see that.
 *
 * The truth is in &struct gosync_once; the word only shows it. Scribbling on
 * the word deceives the processes that read it, and nothing else.
 *
 * The runner is a holder. When it ends before it is done, or abandons the Once,
 * the first waiter becomes the runner, and is told. A waiter that is being
 * killed then passes it on. So the Once has a runner as long as a waiter wants
 * to run it. Observers only wait until it has been done.
 *
 * The runner's thread is remembered, too. If it waits by the same holder and
 * without a deadline, it would wait for itself for ever. By another holder it
 * may be another task of a runtime, which has moved the first task to another
 * thread.
 *
 * Several machines: the cluster's holder runs what another node may be running. When
 * it has been done the runner's node tells all others.
 */
#include <linux/pid.h>
#include <linux/sched/signal.h>

#include "cluster.h"
#include "trace.h"
#include "wait.h"

/**
 * struct gosync_once - a Once
 * @obj: the object; its lock protects the rest
 * @done: it has been done
 * @died: a runner died or abandoned it, and nobody has done it since
 * @runner: the holder that runs it, 0: none
 * @thread: the thread that began to run it; NULL if that is not known
 * @observers: the waiters that only wait until it is done
 */
struct gosync_once {
	struct gosync_object obj;
	struct list_head observers;
	bool done;
	bool died;
	u32 runner;
	struct pid *thread;
};

static struct gosync_once *to_once(struct gosync_object *obj)
{
	return container_of(obj, struct gosync_once, obj);
}

static void once_publish(struct gosync_once *once)
{
	struct gosync_once_slot *slot = once->obj.state;

	lockdep_assert_held(&once->obj.wq.lock);
	/*
	 * Release: a reader that sees DONE sees what the function did. Its load
	 * acquires.
	 */
	smp_store_release(&slot->word,
			  (once->done ? GOSYNC_ONCE_IS_DONE : 0) |
			  (once->runner ? GOSYNC_ONCE_RUNS : 0) |
			  (once->died ? GOSYNC_ONCE_DIED : 0) |
			  (u64)once->runner << GOSYNC_ONCE_OWNER_SHIFT);
}

/*
 * Make @holder the runner, in its thread @task; with NULL there is no runner.
 */
static void once_set_runner(struct gosync_once *once,
			    struct gosync_holder *holder,
			    struct task_struct *task)
{
	put_pid(once->thread);
	once->thread = task ? get_pid(task_pid(task)) : NULL;
	WRITE_ONCE(once->runner, holder ? holder->id : 0);
	once_publish(once);
	if (holder)
		trace_gosync_once_begin(&once->obj, holder->id);
}

/*
 * There is no runner any more: the first waiter becomes it.
 *
 * Return: the waiter, for which the caller has to call
 * gosync_wake(GOSYNC_GRANTED); or NULL.
 */
static struct gosync_waiter *once_pass_on(struct gosync_once *once)
{
	struct gosync_object *obj = &once->obj;
	struct gosync_waiter *next;

	next = gosync_claim_first(obj, &obj->wq.head);
	if (next) {
		gosync_account_wait(obj, next, GOSYNC_HANDED_OVER);
		once_set_runner(once, next->holder, next->entry.private);
	} else {
		once_set_runner(once, NULL, NULL);
	}
	return next;
}

/*
 * @holder will not finish what it runs. Return: -EPERM if it is not the runner
 */
static int once_give_up(struct gosync_object *obj, struct gosync_holder *holder,
			bool death)
{
	struct gosync_once *once = to_once(obj);
	struct gosync_waiter *next = NULL;

	scoped_guard(spinlock, &obj->wq.lock) {
		if (once->runner != holder->id)
			return -EPERM;
		WRITE_ONCE(once->died, true);
		WRITE_ONCE(obj->deaths, obj->deaths + death);
		trace_gosync_once_abandoned(obj, holder->id);
		next = once_pass_on(once);
	}
	gosync_wake(next, GOSYNC_GRANTED);
	return 0;
}

/* Would the waiter's thread wait for itself, for ever? */
static bool is_hopeless(const struct gosync_once *once,
			const struct gosync_waiter *waiter)
{
	struct task_struct *task = waiter->entry.private;

	/*
	 * A waiter of a group waits for other things, too, or does not sleep.
	 */
	return task && !waiter->group && !waiter->timed &&
	       once->runner == waiter->holder->id &&
	       once->thread == task_pid(task);
}

/*
 * Become the runner, or queue if @queue is true.
 *
 * Return: 0 if it has been done or this holder runs it now; -EINPROGRESS if
 * queued,
 * -EBUSY if neither; another error
 */
static int once_begin(struct gosync_once *once, struct gosync_waiter *waiter,
		      bool queue)
{
	struct task_struct *task = waiter->entry.private;
	int ret;

	lockdep_assert_held(&once->obj.wq.lock);
	if (once->done)
		return 0;
	ret = gosync_may_operate(waiter->holder);
	if (ret)
		return ret;
	if (!once->runner) {
		once_set_runner(once, waiter->holder, task);
		return 0;
	}
	if (is_hopeless(once, waiter))
		return -EDEADLK;
	if (!queue)
		return -EBUSY;
	gosync_enqueue(&once->obj, &once->obj.wq.head, waiter);
	return -EINPROGRESS;
}

static int once_attempt(struct gosync_waiter *waiter, bool queue)
{
	struct gosync_once *once = to_once(waiter->holder->obj);

	scoped_guard(spinlock, &once->obj.wq.lock)
		return once_begin(once, waiter, queue);
}

static bool once_is_done(const struct gosync_waiter *waiter)
{
	return READ_ONCE(to_once(waiter->holder->obj)->done);
}

static bool once_ready(const struct gosync_waiter *waiter)
{
	return once_is_done(waiter) || !to_once(waiter->holder->obj)->runner;
}

/* After a grant or an attempt */
static int once_result(struct gosync_waiter *waiter)
{
	struct gosync_once *once = to_once(waiter->holder->obj);

	if (READ_ONCE(once->done))
		return GOSYNC_ONCE_DONE;
	return READ_ONCE(once->died) ? GOSYNC_ONCE_RUN_AGAIN : GOSYNC_ONCE_RUN;
}

static void once_give_back(struct gosync_waiter *waiter)
{
	once_give_up(waiter->holder->obj, waiter->holder, true);
}

static const struct gosync_wait_op once_begin_op = {
	.attempt = once_attempt,
	.ready = once_ready,
	.result = once_result,
	.give_back = once_give_back,
};

static int once_attempt_to_see(struct gosync_waiter *waiter, bool queue)
{
	struct gosync_once *once = to_once(waiter->holder->obj);

	scoped_guard(spinlock, &once->obj.wq.lock) {
		if (once->done)
			return 0;
		if (!queue)
			return -EBUSY;
		if (is_hopeless(once, waiter))
			return -EDEADLK;
		gosync_enqueue(&once->obj, &once->observers, waiter);
	}
	return -EINPROGRESS;
}

static const struct gosync_wait_op once_wait_op = {
	.attempt = once_attempt_to_see,
	.ready = once_is_done,
};

static long gosync_once_begin(struct gosync_holder *holder, void *arg)
{
	const struct gosync_once_begin_args *args = arg;
	struct gosync_waiter waiter __uninitialized;
	struct gosync_cancel cancel;
	struct gosync_timeout timeout;
	long ret;

	if (args->__reserved)
		return -EINVAL;
	ret = gosync_timeout_init(&timeout, args->flags & ~GOSYNC_CANCELABLE,
				  args->deadline);
	if (ret)
		return ret;
	ret = gosync_cancelable_begin(&cancel, &timeout, args->flags,
				      args->cancel);
	if (ret)
		return ret;
	gosync_waiter_init(&waiter, holder);
	ret = gosync_wait_for(&once_begin_op, &waiter, &timeout);
	gosync_cancelable_end(&timeout);
	return ret;
}

static long gosync_once_wait(struct gosync_holder *holder, void *arg)
{
	return gosync_wait_plainly(&once_wait_op, holder, arg);
}

static void once_note_done(struct gosync_once *once)
{
	lockdep_assert_held(&once->obj.wq.lock);
	WRITE_ONCE(once->done, true);
	WRITE_ONCE(once->died, false);
	once_set_runner(once, NULL, NULL);
}

/* It has been done: from now on no waiter is queued. */
static void once_tell_all(struct gosync_once *once)
{
	gosync_grant_all(&once->obj, &once->obj.wq.head, NULL, NULL);
	gosync_grant_all(&once->obj, &once->observers, NULL, NULL);
	gosync_changed(&once->obj);
}

static long gosync_once_done(struct gosync_holder *holder, void *arg)
{
	struct gosync_once *once = to_once(holder->obj);

	scoped_guard(spinlock, &once->obj.wq.lock) {
		if (once->runner != holder->id)
			return gosync_may_operate(holder) ?: -EPERM;
		once_note_done(once);
		gosync_cluster_settled(&once->obj);
	}
	trace_gosync_once_done(&once->obj, holder->id);
	once_tell_all(once);
	return 0;
}

static long gosync_once_abandon(struct gosync_holder *holder, void *arg)
{
	return once_give_up(holder->obj, holder, false);
}

static void once_left(struct gosync_object *obj, struct gosync_waiter *waiter)
{
	struct gosync_once *once = to_once(obj);
	struct gosync_waiter *next = NULL;

	/* A dead waiter may have hidden the one that is to run it. */
	scoped_guard(spinlock, &obj->wq.lock)
		if (waiter->group && !once->done && !once->runner)
			next = once_pass_on(once);
	gosync_wake(next, GOSYNC_GRANTED);
}

/*
 * The cluster's holder does not run it any more. It runs on if this node may not
 * run what has not been done.
 */
static void once_cluster_give_back(struct gosync_waiter *waiter)
{
	struct gosync_holder *holder = waiter->holder;
	struct gosync_once *once = to_once(holder->obj);
	struct gosync_waiter *next = NULL;

	scoped_guard(spinlock, &once->obj.wq.lock) {
		if (!once->done && once->runner == holder->id &&
		    !holder->obj->cluster->shared)
			next = once_pass_on(once);
	}
	gosync_wake(next, GOSYNC_GRANTED);
	if (once_is_done(waiter))
		once_tell_all(once);
}

/* &gosync_wait_op.attempt of the cluster's holder, which may run it already */
static int once_cluster_attempt(struct gosync_waiter *waiter, bool queue)
{
	struct gosync_once *once = to_once(waiter->holder->obj);

	scoped_guard(spinlock, &once->obj.wq.lock) {
		if (once->runner == waiter->holder->id)
			return 0;
		return once_begin(once, waiter, queue);
	}
}

static const struct gosync_wait_op once_cluster_op = {
	.attempt = once_cluster_attempt,
	.give_back = once_cluster_give_back,
};

/*
 * All nodes want to know that it has been done; then it is known as long as one of
 * them lives.
 */
static enum gosync_cluster_mode once_cluster_wants(struct gosync_object *obj)
{
	return list_empty(&obj->wq.head) ? GOSYNC_SHARED : GOSYNC_HERE;
}

static void once_cluster_get(struct gosync_object *obj,
			     struct gosync_cluster_state *state)
{
	const struct gosync_once *once = to_once(obj);

	state->poisoned = once->died;
	state->final = once->done;
}

static void once_cluster_set(struct gosync_object *obj,
			     const struct gosync_cluster_state *state)
{
	struct gosync_once *once = to_once(obj);

	if (state->final) {
		once_note_done(once);
		return;
	}
	WRITE_ONCE(once->died, state->poisoned);
	WRITE_ONCE(obj->deaths, obj->deaths + state->died);
}

static const struct gosync_cluster_type once_in_cluster = {
	.op = &once_cluster_op,
	.wants = once_cluster_wants,
	.get = once_cluster_get,
	.set = once_cluster_set,
};

static void once_queues(struct gosync_object *obj,
			struct list_head *queues[GOSYNC_QUEUES])
{
	queues[0] = &to_once(obj)->observers;
}

static int once_init(struct gosync_object *obj,
		     const struct gosync_open_args *args)
{
	INIT_LIST_HEAD(&to_once(obj)->observers);
	return 0;
}

static void once_abandon(struct gosync_object *obj,
			 struct gosync_holder *holder)
{
	once_give_up(obj, holder, true);
}

static void once_fini(struct gosync_object *obj)
{
	put_pid(to_once(obj)->thread);
}

static u32 once_owner(const struct gosync_object *obj)
{
	return READ_ONCE(container_of_const(obj, struct gosync_once, obj)->runner);
}

static void once_info(struct gosync_object *obj,
		      const struct gosync_holder *holder,
		      struct gosync_info *info)
{
	struct gosync_once_slot *slot = obj->state;

	info->word = READ_ONCE(slot->word);
	info->owner = once_owner(obj);
}

static const struct gosync_ioctl ioctls[] = {
	GOSYNC_IOCTL_ARG(ONCE_BEGIN, GOSYNC_OPTIONAL | GOSYNC_ALONE,
			 gosync_once_begin, once_begin, .wait = &once_begin_op),
	GOSYNC_IOCTL(ONCE_DONE, GOSYNC_WRITES | GOSYNC_URING, gosync_once_done),
	GOSYNC_IOCTL_ARG(ONCE_WAIT, GOSYNC_OPTIONAL, gosync_once_wait, wait,
			 .wait = &once_wait_op),
	GOSYNC_IOCTL(ONCE_ABANDON, GOSYNC_WRITES, gosync_once_abandon),
};

const struct gosync_ops gosync_once_ops = {
	.name = "once",
	.size = sizeof(struct gosync_once),
	.ioctls = ioctls,
	.nr_ioctls = ARRAY_SIZE(ioctls),
	.init = once_init,
	.fini = once_fini,
	.abandon = once_abandon,
	.left = once_left,
	.in = &once_wait_op,
	.queues = once_queues,
	.owner = once_owner,
	.info = once_info,
	.cluster = &once_in_cluster,
};
