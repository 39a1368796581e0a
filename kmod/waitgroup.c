// SPDX-License-Identifier: GPL-2.0-only
/*
 * WaitGroup: Go's sync.WaitGroup between processes.
 *
 * The counter and the number of waiters are one word. So user space that adds
 * knows by one compare-and-swap that it releases nobody. A change to 0 while
 * there are waiters is made in the kernel: it makes the whole word 0, moves the
 * queue aside, and wakes all waiters in it. That is the end of a generation. A
 * waiter that comes later belongs to the next one.
 *
 * A generation has a number, so that a wait that a signal interrupted knows
 * when it comes back whether its own generation is over. Until that is over the
 * word shows one waiter more, so that user space does not make the counter 0 by
 * itself.
 *
 * A death leaves the counter as it is, as the end of a goroutine does: only the
 * program knows what was still to be done. No sleeper depends on a step in
 * which a process could die: a compare-and-swap of user space releases nobody,
 * and a step in this file is finished by the kernel.
 */
#include <linux/sched/signal.h>

#include "trace.h"
#include "wait.h"

/**
 * struct gosync_waitgroup - a WaitGroup
 * @obj: the object; its lock protects the rest
 * @released: the waiters of a generation that is over, until they are woken
 * @generation: the number of the present generation, from 1 on
 * @nr_waiting: the number of waiters of the present generation
 * @awaited: interrupted waits may come back to the present generation
 */
struct gosync_waitgroup {
	struct gosync_object obj;
	struct list_head released;
	u64 generation;
	u32 nr_waiting;
	bool awaited;
};

static struct gosync_waitgroup *to_waitgroup(struct gosync_object *obj)
{
	return container_of(obj, struct gosync_waitgroup, obj);
}

static atomic64_t *word_of(struct gosync_waitgroup *wg)
{
	return wg->obj.state + offsetof(struct gosync_waitgroup_slot, word);
}

static u32 counter_of(u64 word)
{
	return word & GOSYNC_WAITGROUP_COUNTER;
}

/* The number of waiters that the word has to show for the present generation */
static u32 waiting(const struct gosync_waitgroup *wg)
{
	return wg->nr_waiting + wg->awaited;
}

/* Pollers are shown as one waiter, so that the change to 0 is made here. */
static u64 make_word(struct gosync_waitgroup *wg, u32 counter, u32 waiters)
{
	u64 shown = waiters + gosync_watched(&wg->obj);

	return counter | shown << GOSYNC_WAITGROUP_WAITER_SHIFT;
}

/*
 * Add to the counter. If *@zero is true afterwards, the caller has to wake the
 * released waiters.
 *
 * Return: 0, -ERANGE, -EBUSY, or -EAGAIN if the word kept changing.
 */
static int waitgroup_add(struct gosync_waitgroup *wg, s64 delta, u64 *counter,
			 bool *zero)
{
	atomic64_t *word = word_of(wg);
	s64 old = atomic64_read(word);
	int i;

	lockdep_assert_held(&wg->obj.wq.lock);
	for (i = 0; i < GOSYNC_RACES; i++) {
		s64 new = counter_of(old) + delta;

		if (new < 0 || new > GOSYNC_WAITGROUP_COUNTER)
			return -ERANGE;
		if (!counter_of(old) && delta && wg->nr_waiting)
			return -EBUSY;
		*zero = !new && waiting(wg);
		if (!atomic64_try_cmpxchg(word, &old,
					  make_word(wg, new,
						    new ? waiting(wg) : 0)))
			continue;
		*counter = new;
		if (*zero) {
			list_splice_tail_init(&wg->obj.wq.head, &wg->released);
			wg->nr_waiting = 0;
			wg->awaited = false;
			wg->generation++;
		}
		return 0;
	}
	return -EAGAIN;
}

static long gosync_waitgroup_add(struct gosync_holder *holder, void *arg)
{
	struct gosync_waitgroup *wg = to_waitgroup(holder->obj);
	struct gosync_waitgroup_add_args *args = arg;
	bool zero = false;
	int ret;

	if (args->flags)
		return -EINVAL;
	if (args->delta > S32_MAX || args->delta < -S32_MAX)
		return -ERANGE;
	do {
		scoped_guard(spinlock, &wg->obj.wq.lock)
			ret = waitgroup_add(wg, args->delta, &args->counter,
					    &zero);
		if (ret != -EAGAIN)
			break;
		ret = gosync_try_again();
	} while (!ret);
	if (zero) {
		unsigned int n;

		n = gosync_grant_all(&wg->obj, &wg->released, NULL, NULL);
		trace_gosync_waitgroup_zero(&wg->obj, holder->id, n);
	}
	if (!ret && !args->counter)
		gosync_changed(&wg->obj);
	return ret;
}

static int waitgroup_fill_add(void *arg, u64 operand, u32 index)
{
	struct gosync_waitgroup_add_args *args = arg;

	args->delta = operand;
	return index ? -EINVAL : 0;
}

/*
 * Queue the waiter if @queue is true, unless the counter is 0.
 *
 * Return: 0 if the counter is 0, -EINPROGRESS if queued, -EBUSY if neither,
 * -EAGAIN if the word kept changing.
 */
static int waitgroup_wait_for_zero(struct gosync_waitgroup *wg,
				   struct gosync_waiter *waiter, bool queue)
{
	atomic64_t *word = word_of(wg);
	s64 old = atomic64_read(word);
	int i;

	lockdep_assert_held(&wg->obj.wq.lock);
	if (waiter->number && waiter->number != wg->generation)
		return 0;
	for (i = 0; i < GOSYNC_RACES; i++) {
		if (!counter_of(old)) {
			/*
			 * G-A, pairs with gosync_waitgroup_add() in
			 * <gosync-user.h>.
			 */
			smp_acquire__after_ctrl_dep();
			return 0;
		}
		if (!queue)
			return -EBUSY;
		if (!atomic64_try_cmpxchg(word, &old,
					  make_word(wg, counter_of(old),
						    waiting(wg) + 1)))
			continue;
		wg->nr_waiting++;
		waiter->number = wg->generation;
		gosync_enqueue(&wg->obj, &wg->obj.wq.head, waiter);
		return -EINPROGRESS;
	}
	return -EAGAIN;
}

static int waitgroup_check(struct gosync_waiter *waiter, u32 index, u64 value)
{
	waiter->number = value;
	return index ? -EINVAL : 0;
}

static int waitgroup_attempt(struct gosync_waiter *waiter, bool queue)
{
	struct gosync_waitgroup *wg = to_waitgroup(waiter->holder->obj);
	int ret;

	do {
		scoped_guard(spinlock, &wg->obj.wq.lock)
			ret = waitgroup_wait_for_zero(wg, waiter, queue);
		if (ret != -EAGAIN)
			return ret;
		ret = gosync_try_again();
	} while (!ret);
	return ret;
}

static bool waitgroup_ready(const struct gosync_waiter *waiter)
{
	struct gosync_waitgroup *wg = to_waitgroup(waiter->holder->obj);

	/* G-A, for a poller, which need not ask again. */
	return !counter_of(atomic64_read_acquire(word_of(wg))) ||
	       (waiter->number && waiter->number != wg->generation);
}

static const struct gosync_wait_op waitgroup_wait_op = {
	.resumes = true,
	.check = waitgroup_check,
	.attempt = waitgroup_attempt,
	.ready = waitgroup_ready,
};

static long gosync_waitgroup_wait(struct gosync_holder *holder, void *arg)
{
	struct gosync_waitgroup *wg = to_waitgroup(holder->obj);
	struct gosync_waitgroup_wait_args *args = arg;
	struct gosync_waiter waiter = {};
	int ret;

	ret = gosync_wait_alone(&waitgroup_wait_op, holder, &waiter,
				args->flags, args->deadline, 0,
				args->generation);
	if (!waiter.since || !ret)
		return ret;
	/* Its generation may be over, although it was not woken. */
	args->generation = waiter.number;
	scoped_guard(spinlock, &wg->obj.wq.lock)
		return waiter.number == wg->generation ? ret : 0;
}

static void waitgroup_queues(struct gosync_object *obj,
			     struct list_head *queues[GOSYNC_QUEUES])
{
	queues[0] = &to_waitgroup(obj)->released;
}

static void waitgroup_show(struct gosync_object *obj)
{
	struct gosync_waitgroup *wg = to_waitgroup(obj);
	s64 old = atomic64_read(word_of(wg));
	int i;

	for (i = 0; i < GOSYNC_RACES; i++)
		if (atomic64_try_cmpxchg(word_of(wg), &old,
					 make_word(wg, counter_of(old),
						   waiting(wg))))
			break;
}

static void waitgroup_left(struct gosync_object *obj,
			   struct gosync_waiter *waiter)
{
	struct gosync_waitgroup *wg = to_waitgroup(obj);

	scoped_guard(spinlock, &obj->wq.lock) {
		if (waiter->number != wg->generation)
			return;
		wg->nr_waiting--;
		wg->awaited |= waiter->gave_up == -ERESTARTSYS &&
			       !fatal_signal_pending(current);
		waitgroup_show(obj);
	}
}

static int waitgroup_init(struct gosync_object *obj,
			  const struct gosync_open_args *args)
{
	struct gosync_waitgroup *wg = to_waitgroup(obj);

	INIT_LIST_HEAD(&wg->released);
	wg->generation = 1;
	atomic64_set(word_of(wg), obj->capacity);
	return 0;
}

static void waitgroup_info(struct gosync_object *obj,
			   const struct gosync_holder *holder,
			   struct gosync_info *info)
{
	info->word = atomic64_read(word_of(to_waitgroup(obj)));
}

static const struct gosync_ioctl ioctls[] = {
	GOSYNC_IOCTL_ARG(WAITGROUP_ADD, GOSYNC_WRITES | GOSYNC_RESULTS,
			 gosync_waitgroup_add, waitgroup_add,
			 .fill = waitgroup_fill_add),
	GOSYNC_IOCTL_ARG(WAITGROUP_WAIT, GOSYNC_OPTIONAL | GOSYNC_RESUMES,
			 gosync_waitgroup_wait, waitgroup_wait,
			 .wait = &waitgroup_wait_op),
};

const struct gosync_ops gosync_waitgroup_ops = {
	.name = "waitgroup",
	.size = sizeof(struct gosync_waitgroup),
	.ioctls = ioctls,
	.nr_ioctls = ARRAY_SIZE(ioctls),
	.max_capacity = GOSYNC_WAITGROUP_COUNTER,
	.init = waitgroup_init,
	.left = waitgroup_left,
	.show = waitgroup_show,
	.in = &waitgroup_wait_op,
	.queues = waitgroup_queues,
	.info = waitgroup_info,
};
