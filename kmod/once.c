// SPDX-License-Identifier: GPL-2.0-only
/*
 * Once: Go's sync.Once between processes.
 *
 * The kernel cannot run a caller's function, so it tells one caller to: that
 * one begins, runs it, and says that it is done; the others wait. Both are
 * ioctls, because both happen once. The word is there to be looked at: from
 * then on, seeing that it is done takes a load.
 *
 * What is true is in &struct gosync_once; the word only shows it. Scribbling on
 * it deceives those who look, and no one else.
 *
 * The runner is a holder. When it ends before it is done, the first who waits
 * becomes the runner, and is told. One that is told so and is being killed
 * passes it on. So somebody runs it as long as somebody waits. The runner's
 * thread is remembered as well: should it begin again it would wait for itself.
 */
#include <linux/pid.h>
#include <linux/sched/signal.h>

#include "trace.h"

/**
 * struct gosync_once - a Once
 * @obj: the object; its lock protects the rest
 * @done: it has been done
 * @died: a runner died, and nobody has run it since
 * @runner: the holder that runs it, 0: none
 * @thread: and the thread that began
 */
struct gosync_once {
	struct gosync_object obj;
	bool done;
	bool died;
	u32 runner;
	struct pid *thread;
};

static struct gosync_once *to_once(struct gosync_object *obj)
{
	return container_of(obj, struct gosync_once, obj);
}

static void publish(struct gosync_once *once)
{
	struct gosync_once_slot *slot = once->obj.state;

	lockdep_assert_held(&once->obj.wq.lock);
	/* Who sees that it is done sees what was done: their load acquires. */
	smp_store_release(&slot->word,
			  (once->done ? GOSYNC_ONCE_IS_DONE : 0) |
			  (once->runner ? GOSYNC_ONCE_RUNS : 0) |
			  (once->died ? GOSYNC_ONCE_DIED : 0) |
			  (u64)once->runner << GOSYNC_ONCE_OWNER_SHIFT);
}

/* @task runs it now, on behalf of @holder; or nobody does. */
static void set_runner(struct gosync_once *once, struct gosync_holder *holder,
		       struct task_struct *task)
{
	put_pid(once->thread);
	once->thread = task ? get_pid(task_pid(task)) : NULL;
	WRITE_ONCE(once->runner, holder ? holder->id : 0);
	publish(once);
	if (holder)
		trace_gosync_once_begin(&once->obj, holder->id);
}

/* The runner will not do it: the next is to. */
static void abandon(struct gosync_once *once, struct gosync_holder *holder)
{
	struct gosync_object *obj = &once->obj;
	struct gosync_waiter *next = NULL;

	scoped_guard(spinlock, &obj->wq.lock) {
		if (once->runner != holder->id)
			return;
		once->died = true;
		obj->deaths++;
		trace_gosync_once_abandoned(obj, holder->id);
		next = gosync_claim_first(obj, &obj->wq.head);
		if (next) {
			gosync_account_wait(obj, next,
					    GOSYNC_HANDED_OVER);
			set_runner(once, next->holder, next->entry.private);
		} else {
			set_runner(once, NULL, NULL);
		}
	}
	gosync_wake(next, GOSYNC_GRANTED);
}

/* Return: GOSYNC_ONCE_..., -EINPROGRESS if queued, or an error */
static int begin(struct gosync_once *once, struct gosync_waiter *waiter)
{
	lockdep_assert_held(&once->obj.wq.lock);
	if (once->done)
		return GOSYNC_ONCE_DONE;
	if (waiter->holder->read_only)
		return -EBADF;
	if (!once->runner) {
		set_runner(once, waiter->holder, current);
		return once->died ? GOSYNC_ONCE_RUN_AGAIN : GOSYNC_ONCE_RUN;
	}
	if (once->thread == task_pid(current))
		return -EDEADLK;
	gosync_enqueue(&once->obj, &once->obj.wq.head, waiter, false);
	return -EINPROGRESS;
}

long gosync_once_begin(struct gosync_holder *holder, void *arg)
{
	struct gosync_once *once = to_once(holder->obj);
	struct gosync_wait *args = arg;
	struct gosync_timeout timeout;
	struct gosync_waiter waiter;
	int ret;

	ret = gosync_timeout_init(&timeout, args->flags, args->deadline);
	if (ret)
		return ret;
	gosync_waiter_init(&waiter, holder);
	scoped_guard(spinlock, &once->obj.wq.lock)
		ret = begin(once, &waiter);
	if (ret != -EINPROGRESS)
		return ret;
	ret = gosync_wait(&once->obj, &waiter, &timeout);
	if (ret)
		return ret;
	if (READ_ONCE(once->done))
		return GOSYNC_ONCE_DONE;
	if (unlikely(fatal_signal_pending(current))) {
		abandon(once, holder);
		return -EINTR;
	}
	return GOSYNC_ONCE_RUN_AGAIN;
}

long gosync_once_done(struct gosync_holder *holder, void *arg)
{
	struct gosync_once *once = to_once(holder->obj);

	scoped_guard(spinlock, &once->obj.wq.lock) {
		if (once->runner != holder->id)
			return -EPERM;
		WRITE_ONCE(once->done, true);
		once->died = false;
		set_runner(once, NULL, NULL);
	}
	trace_gosync_once_done(&once->obj, holder->id);
	/* Nobody begins to wait any more. */
	gosync_grant_all(&once->obj, &once->obj.wq.head, NULL);
	return 0;
}

static void left(struct gosync_object *obj, struct gosync_waiter *waiter)
{
}

static void holder_end(struct gosync_object *obj, struct gosync_holder *holder)
{
	abandon(to_once(obj), holder);
}

static void fini(struct gosync_object *obj)
{
	put_pid(to_once(obj)->thread);
}

static u32 owner(const struct gosync_object *obj)
{
	return READ_ONCE(container_of_const(obj, struct gosync_once, obj)->runner);
}

static void info(struct gosync_object *obj, const struct gosync_holder *holder,
		 struct gosync_info *info)
{
	struct gosync_once_slot *slot = obj->state;

	info->word = READ_ONCE(slot->word);
	info->owner = owner(obj);
}

const struct gosync_ops gosync_once_ops = {
	.name = "once",
	.size = sizeof(struct gosync_once),
	.fini = fini,
	.holder_end = holder_end,
	.left = left,
	.owner = owner,
	.info = info,
};
