// SPDX-License-Identifier: GPL-2.0-only
/*
 * The one wait queue: the waiters of every primitive wait here.
 *
 * A waiter is queued on its object. It leaves the queue in one of two ways: a
 * waker claims it, or it gives up. Its claim decides which, by a
 * compare-and-swap that only one of the two can win. All transitions of a
 * claim:
 *
 *   WAITING -> CLAIMED	 waiter_leave(): a waker takes the waiter off the queue,
 *			 under the object's lock, to grant it something or to
 *			 have it look again. gosync_group_won(): a group got
 *			 something by itself.
 *   CLAIMED -> TOLD	 the same party, after it has dropped the lock, tells the
 *			 waiter and wakes it: wake_task(), gosync_group_won(),
 *			 &gosync_group.tell.
 *   WAITING -> GONE	 the waiter gives up, on a signal, at its deadline or when
 *			 it is cancelled: waiter_leave(), gosync_group_leave().
 *   TOLD -> TAKEN	 the task of an io_uring command takes the grant:
 *			 command_take().
 *   TOLD -> RECALLED	 the holder that an io_uring command was granted to has
 *			 ended first: gosync_command_recall().
 *   any    -> WAITING	 a wait that is over begins anew: gosync_enqueue(), and
 *			 command_queue_again().
 *
 * It is legal to find a waiter already claimed and to go on to the next. It is
 * illegal to grant something to a waiter without its claim: then a waiter that
 * leaves would take the grant with it. A waiter that finds itself claimed while
 * it leaves waits to be told, takes the grant, and passes it on if it has no
 * use for it. Between CLAIMED and TOLD the claimer owns the waiter's memory.
 * Once the claim is TOLD the waiter may be gone, so the claimer takes a
 * reference to the task first.
 *
 * The number of waiters that a mapped word shows (WAITERS and its like) may be
 * too high: an unlocker then enters the kernel and finds nobody. It is illegal
 * to show none while there is one: the unlocker would not enter the kernel.
 * WOKEN may be missing: the unlocker then wakes a second waiter. It is illegal
 * to show it while no woken waiter is on its way: nobody would wake one.
 *
 * A group waits without sleeping, or for any of several things. Its waiters,
 * each queued on its object, share one claim, so that at most one of them is
 * granted. They are never told to look again: first the thing is taken for the
 * waiter, then the group is claimed, and if another waker was first the thing
 * goes to the next waiter. A waiter whose group was claimed elsewhere is dead.
 * A waker takes up to GOSYNC_WAKE_BATCH dead waiters off the queue and gives
 * up. The group withdraws each of its waiters afterwards, and a withdrawal
 * looks at the object again, so that the waiters behind it are not missed. That
 * is done at once: for a group without a task by a worker (command.c),
 * otherwise by the task of the group, which stays in the kernel until it has
 * done so.
 *
 * A type may have more than one queue, all under the object's lock. To release
 * many waiters at once it moves them to another list, which takes as long for
 * many as for one, and grants them in batches.
 *
 * The object's lock protects the queue. A waiter with a task of its own runs
 * kernel code until it has left the queue, also when it is killed. A waiter
 * without one belongs to a holder or to an io_uring command, whose end takes it
 * off. So nothing here depends on user space to go on.
 *
 * Three pairs of barriers, by letter:
 *
 *   W-A  what a waker has written for the waiter is there when the claim is TOLD:
 *	  release where it becomes TOLD, acquire in gosync_is_told() and in
 *	  gosync_command_recall().
 *   W-B  no wake-up is missed: gosync_sleep() sets the task's state, then looks at
 *	  the claim; a waker writes the claim, then calls wake_up_process().
 *   W-C  no change of a polled file is missed: the poller clears
 *	  poll_wqueues.triggered, then looks; pollwake() of the kernel sets it after
 *	  the change.
 */
#include <linux/hrtimer.h>
#include <linux/poll.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <trace/events/lock.h>

#include "cluster.h"
#include "compat.h"
#include "trace.h"
#include "wait.h"

#define WAITING	GOSYNC_WAITING
#define CLAIMED	GOSYNC_CLAIMED
#define TOLD	GOSYNC_TOLD
#define GONE	GOSYNC_GONE

/**
 * gosync_try_again() - prepare another try after a word kept changing
 *
 * Return: 0 or -ERESTARTSYS.
 */
int gosync_try_again(void)
{
	cond_resched();
	return signal_pending(current) ? -ERESTARTSYS : 0;
}

/**
 * gosync_timeout_init() - convert the deadline of an ioctl
 * @timeout: out: the deadline by the kernel's own clock
 * @flags: the ioctl's flags
 * @deadline: the ioctl's deadline
 *
 * Return: 0, or -EINVAL for an unknown flag.
 */
int gosync_timeout_init(struct gosync_timeout *timeout, u32 flags, u64 deadline)
{
	if (!gosync_is_clock(flags))
		return -EINVAL;
	*timeout = (struct gosync_timeout) {
		.when = KTIME_MAX,
		.clock = CLOCK_MONOTONIC,
	};
	if (flags & GOSYNC_CLOCK_REALTIME)
		timeout->clock = CLOCK_REALTIME;
	if (!deadline || deadline >= KTIME_MAX)
		return 0;
	timeout->when = deadline;
	if (timeout->clock == CLOCK_MONOTONIC)
		timeout->when = gosync_monotonic_to_host(deadline);
	return 0;
}

static int wake_task(wait_queue_entry_t *entry, unsigned int mode, int flags,
		     void *key)
{
	struct gosync_waiter *waiter = container_of(entry, struct gosync_waiter,
						    entry);
	struct task_struct *task = entry->private;

	/* Without a task: it handles a signal, and looks when it comes back. */
	if (task)
		get_task_struct(task);
	/* W-A, pairs with gosync_is_told(). */
	smp_store_release(&waiter->claim, TOLD);
	if (task) {
		wake_up_process(task);
		put_task_struct(task);
	}
	return 1;
}

/**
 * gosync_count_waits() - prepare to count the waits for an object
 * @obj: the object
 *
 * Without memory they are not counted. May sleep.
 */
void gosync_count_waits(struct gosync_object *obj)
{
	struct gosync_stats *stats;

	/* Most objects never have a waiter, so most need no memory for this. */
	if (likely(READ_ONCE(obj->stats)))
		return;
	stats = kzalloc(sizeof(*stats), GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (stats && cmpxchg(&obj->stats, NULL, stats))
		kfree(stats);
}

/**
 * gosync_waiter_init() - prepare to wait
 * @waiter: the waiter, of the running task
 * @holder: the holder that is to be granted something
 *
 * May sleep.
 */
void gosync_waiter_init(struct gosync_waiter *waiter,
			struct gosync_holder *holder)
{
	gosync_count_waits(holder->obj);
	gosync_waiter_setup(waiter, holder);
}

/**
 * gosync_waiter_setup() - prepare to try, and perhaps to wait
 * @waiter: the waiter, of the running task; the caller has to call
 *	gosync_count_waits() before it is queued
 * @holder: the holder that is to be granted something
 */
void gosync_waiter_setup(struct gosync_waiter *waiter,
			 struct gosync_holder *holder)
{
	*waiter = (struct gosync_waiter) { .holder = holder };
	init_waitqueue_func_entry(&waiter->entry, wake_task);
	waiter->entry.private = current;
	waiter->entry.flags = WQ_FLAG_EXCLUSIVE;
	INIT_LIST_HEAD(&waiter->entry.entry);
}

static int tell_group(wait_queue_entry_t *entry, unsigned int mode, int flags,
		      void *key)
{
	struct gosync_group *group = container_of(entry, struct gosync_waiter,
						  entry)->group;

	group->tell(group);
	return 1;
}

/**
 * gosync_waiter_join() - make a waiter part of a group
 * @waiter: the waiter: its holder is set, and fields without a use are 0
 * @group: the group, whose claim is GOSYNC_WAITING, or has been
 * @task: the task that will wait; NULL: no task does
 */
void gosync_waiter_join(struct gosync_waiter *waiter,
			struct gosync_group *group, struct task_struct *task)
{
	waiter->group = group;
	init_waitqueue_func_entry(&waiter->entry, tell_group);
	waiter->entry.private = task;
	INIT_LIST_HEAD(&waiter->entry.entry);
}

static int *claim_of(struct gosync_waiter *waiter)
{
	return waiter->group ? &waiter->group->claim : &waiter->claim;
}

/* Can it still be claimed? Its group may be claimed elsewhere or have left. */
static bool is_live(const struct gosync_waiter *waiter)
{
	return !waiter->group ||
	       READ_ONCE(waiter->group->claim) == WAITING;
}

/**
 * gosync_group_won() - claim a group for a waiter that got something by itself
 * @group: the group
 * @waiter: the waiter
 *
 * Return: false if another waiter of the group was granted something meanwhile.
 * Then the caller has to give back what @waiter got.
 */
bool gosync_group_won(struct gosync_group *group, struct gosync_waiter *waiter)
{
	int was = WAITING;

	if (!try_cmpxchg(&group->claim, &was, CLAIMED))
		return false;
	group->winner = waiter;
	/* W-A, pairs with gosync_command_recall(). */
	smp_store_release(&group->claim, TOLD);
	return true;
}

/**
 * gosync_group_leave() - end the wait of a group without a grant
 * @group: the group; afterwards the caller has to withdraw its waiters
 *
 * From any context.
 *
 * Return: false if one of them was claimed meanwhile. Then the group will be
 * told, or was told.
 */
bool gosync_group_leave(struct gosync_group *group)
{
	int was = WAITING;

	return try_cmpxchg(&group->claim, &was, GONE);
}

/*
 * Put a waiter back to its place in the queue, by the number of its wait. It
 * passes at most GOSYNC_PASSED_MAX others, from either end; if there are more
 * it is further back than it was.
 */
static void waiter_queue_again(struct list_head *queue,
			       struct gosync_waiter *waiter)
{
	struct gosync_waiter *other;
	unsigned int n = 0;

	list_for_each_entry(other, queue, entry.entry) {
		/*
		 * An entry without a holder is a waker's place, not a waiter.
		 */
		if (other->holder && other->wait >= waiter->wait) {
			list_add_tail(&waiter->entry.entry,
				      &other->entry.entry);
			return;
		}
		if (++n == GOSYNC_PASSED_MAX)
			break;
	}
	n = 0;
	list_for_each_entry_reverse(other, queue, entry.entry)
		if ((other->holder && other->wait < waiter->wait) ||
		    ++n == GOSYNC_PASSED_MAX)
			break;
	list_add(&waiter->entry.entry, &other->entry.entry);
}

/*
 * A wait that goes on after a signal's handler counts again: the signal has
 * counted it as given up. It does so when it is queued, or granted something at
 * once. If it fails before that, nobody counts its end.
 */
static void count_wait_again(struct gosync_waiter *waiter,
			     struct gosync_stats *stats)
{
	if (likely(!waiter->uncounted))
		return;
	waiter->uncounted = false;
	if (likely(stats))
		stats->contended++;
}

/**
 * gosync_enqueue() - put a waiter into a queue
 * @obj: the object
 * @queue: @obj->wq.head, or another queue of the type
 * @waiter: the waiter; it becomes the last unless it has waited before
 */
void gosync_enqueue(struct gosync_object *obj, struct list_head *queue,
		    struct gosync_waiter *waiter)
{
	struct gosync_stats *stats = READ_ONCE(obj->stats);

	lockdep_assert_held(&obj->wq.lock);
	gosync_recall(waiter);
	count_wait_again(waiter, stats);
	waiter->claim = WAITING;
	waiter->queued = true;
	WRITE_ONCE(obj->nr_waiters, obj->nr_waiters + !waiter->shown);
	gosync_cluster_want_for(obj, queue, waiter);
	if (waiter->since) {
		waiter_queue_again(queue, waiter);
	} else {
		waiter->since = ktime_get_ns();
		if (likely(stats))
			waiter->wait = ++stats->contended;
		list_add_tail(&waiter->entry.entry, queue);
	}
}

/**
 * gosync_is_first() - would a waiter be the first in a queue
 * @queue: as in gosync_enqueue()
 * @waiter: the waiter, after gosync_recall()
 *
 * Return: true if it would be. Without the object's lock that may have changed
 * by now.
 */
bool gosync_is_first(const struct list_head *queue,
		     const struct gosync_waiter *waiter)
{
	const struct gosync_waiter *first;

	if (list_empty(queue))
		return true;
	if (!waiter->since)
		return false;
	first = list_first_entry(queue, struct gosync_waiter, entry.entry);
	return first->wait > waiter->wait;
}

/**
 * gosync_unqueue() - take a waiter off its queue, without a claim
 * @obj: the object
 * @waiter: the waiter; the caller has its claim, or it is of a group
 */
void gosync_unqueue(struct gosync_object *obj, struct gosync_waiter *waiter)
{
	lockdep_assert_held(&obj->wq.lock);
	list_del_init(&waiter->entry.entry);
	waiter->queued = false;
	WRITE_ONCE(obj->nr_waiters, obj->nr_waiters - !waiter->shown);
}

/**
 * gosync_never_waited() - undo gosync_enqueue()
 * @obj: the object, whose lock was not dropped since
 * @waiter: the waiter, which need not wait after all
 */
void gosync_never_waited(struct gosync_object *obj,
			 struct gosync_waiter *waiter)
{
	struct gosync_stats *stats = READ_ONCE(obj->stats);

	gosync_unqueue(obj, waiter);
	waiter->since = 0;
	if (likely(stats))
		stats->contended--;
}

static bool waiter_leave(struct gosync_object *obj,
			 struct gosync_waiter *waiter, int how)
{
	int was = WAITING;

	lockdep_assert_held(&obj->wq.lock);
	if (!try_cmpxchg(claim_of(waiter), &was, how)) {
		/* It is dead. It counts as queued until it is withdrawn. */
		if (waiter->group)
			list_del_init(&waiter->entry.entry);
		return false;
	}
	gosync_unqueue(obj, waiter);
	if (waiter->group)
		waiter->group->winner = waiter;
	return true;
}

static void count_gave_up(struct gosync_object *obj)
{
	struct gosync_stats *stats = READ_ONCE(obj->stats);

	lockdep_assert_held(&obj->wq.lock);
	if (stats)
		stats->gave_up++;
}

/**
 * gosync_withdraw() - take a waiter of a group, without a grant, off its queue
 * @waiter: the waiter; its group was claimed or has left
 * @ret: the reason, for tracers
 *
 * May sleep.
 */
void gosync_withdraw(struct gosync_waiter *waiter, int ret)
{
	struct gosync_object *obj = waiter->holder->obj;
	bool was;

	waiter->gave_up = ret;
	scoped_guard(spinlock, &obj->wq.lock) {
		was = waiter->queued;
		if (was) {
			gosync_unqueue(obj, waiter);
			count_gave_up(obj);
		}
	}
	if (!was)
		return;
	obj->ops->left(obj, waiter);
	trace_gosync_contention_end(obj, waiter->holder->id, ret);
}

/**
 * gosync_claim() - take a waiter off its queue to tell it something
 * @obj: the object
 * @waiter: the waiter
 *
 * The caller has to call gosync_wake() for it, after dropping the object's
 * lock.
 *
 * Return: false if another party has claimed it, or it has given up.
 */
bool gosync_claim(struct gosync_object *obj, struct gosync_waiter *waiter)
{
	return waiter_leave(obj, waiter, CLAIMED);
}

/**
 * gosync_claim_first() - take the first waiter off its queue
 * @obj: the object
 * @queue: as in gosync_enqueue()
 *
 * Return: the waiter, for which the caller has to call gosync_wake(). NULL if
 * there is none, or if too many are dead: their withdrawals look again.
 */
struct gosync_waiter *gosync_claim_first(struct gosync_object *obj,
					 struct list_head *queue)
{
	struct gosync_waiter *waiter, *next;
	unsigned int dead = 0;

	list_for_each_entry_safe(waiter, next, queue, entry.entry) {
		if (gosync_claim(obj, waiter))
			return waiter;
		if (++dead == GOSYNC_WAKE_BATCH)
			break;
	}
	return NULL;
}

/**
 * gosync_first_live() - find the first waiter that can be claimed
 * @obj: the object
 * @queue: as in gosync_enqueue(); dead waiters before it are taken off
 *
 * Return: the waiter, or NULL as gosync_claim_first(). A waiter of a group may
 * be dead by the time it is claimed.
 */
struct gosync_waiter *gosync_first_live(struct gosync_object *obj,
					struct list_head *queue)
{
	struct gosync_waiter *waiter, *next;
	unsigned int dead = 0;

	lockdep_assert_held(&obj->wq.lock);
	list_for_each_entry_safe(waiter, next, queue, entry.entry) {
		if (is_live(waiter))
			return waiter;
		list_del_init(&waiter->entry.entry);
		if (++dead == GOSYNC_WAKE_BATCH)
			break;
	}
	return NULL;
}

static noinline void trace_wake(const struct gosync_waiter *waiter,
				enum gosync_wake wake)
{
	const struct task_struct *task = waiter->entry.private;

	trace_gosync_wake(waiter->holder->obj, waiter->holder->id,
			  wake == GOSYNC_GRANTED ? GOSYNC_HANDED_OVER :
						   GOSYNC_WOKEN,
			  task ? task->pid : 0);
}

/**
 * gosync_wake() - tell a claimed waiter, and wake it
 * @waiter: the waiter, or NULL: nothing happens
 * @wake: what it is told
 */
void gosync_wake(struct gosync_waiter *waiter, enum gosync_wake wake)
{
	if (!waiter)
		return;
	if (trace_gosync_wake_enabled())
		trace_wake(waiter, wake);
	waiter->wake = wake;
	waiter->entry.func(&waiter->entry, TASK_NORMAL, 0, NULL);
}

/**
 * gosync_let_sleep() - grant a claimed waiter, but let its task sleep on
 * @waiter: the waiter, with a task
 * @next: a waiter of a group with the same task, which is queued elsewhere: the
 *	task is woken when that group is told. The caller has a reference to its
 *	object
 *
 * Both may be gone afterwards.
 */
void gosync_let_sleep(struct gosync_waiter *waiter,
		      const struct gosync_waiter *next)
{
	struct gosync_object *obj = next->holder->obj;

	if (trace_gosync_wake_enabled())
		trace_wake(waiter, GOSYNC_GRANTED);
	waiter->wake = GOSYNC_GRANTED;
	/*
	 * Who claims the group does so with this lock, and wakes the task after
	 * that. If it is claimed already the task may have been woken, found
	 * that this waiter was not told, and gone to sleep.
	 */
	spin_lock(&obj->wq.lock);
	if (next->group->claim == WAITING) {
		/* W-A, pairs with gosync_is_told(). */
		smp_store_release(&waiter->claim, TOLD);
		waiter = NULL;
	}
	spin_unlock(&obj->wq.lock);
	if (waiter)
		wake_task(&waiter->entry, TASK_NORMAL, 0, NULL);
}

/**
 * gosync_tell_sleeper() - &gosync_group.tell of a &struct gosync_sleeper
 * @group: its group, whose task is woken
 */
void gosync_tell_sleeper(struct gosync_group *group)
{
	struct task_struct *task = container_of(group, struct gosync_sleeper,
						group)->task;

	get_task_struct(task);
	/* W-A, pairs with gosync_is_told(); W-B, with gosync_sleep(). */
	smp_store_release(&group->claim, GOSYNC_TOLD);
	wake_up_process(task);
	put_task_struct(task);
}

/**
 * gosync_grant_all() - grant all waiters of a list what they wait for
 * @obj: the object
 * @group: the list; no other waiter joins it any more
 * @grant: called with the object's lock for each; may be NULL
 * @tell: called for each without it, in place of gosync_wake(); may be NULL
 *
 * Called without the object's lock, which is taken for GOSYNC_WAKE_BATCH
 * waiters at a time. A waiter may still leave meanwhile. The caller may be
 * killed, but not stopped.
 *
 * Return: the number of grants.
 */
unsigned int gosync_grant_all(struct gosync_object *obj,
			      struct list_head *group,
			      void (*grant)(struct gosync_object *obj,
					    struct gosync_waiter *waiter),
			      void (*tell)(struct gosync_waiter *waiter))
{
	struct gosync_waiter *batch[GOSYNC_WAKE_BATCH] __uninitialized;
	unsigned int n, i, all = 0;
	bool more;

	do {
		n = 0;
		scoped_guard(spinlock, &obj->wq.lock) {
			while (n < ARRAY_SIZE(batch) &&
			       (batch[n] = gosync_claim_first(obj, group))) {
				if (grant)
					grant(obj, batch[n]);
				gosync_account_wait(obj, batch[n++],
						    GOSYNC_HANDED_OVER);
			}
			more = !list_empty(group);
		}
		for (i = 0; i < n; i++) {
			if (tell)
				tell(batch[i]);
			else
				gosync_wake(batch[i], GOSYNC_GRANTED);
		}
		all += n;
		cond_resched();
	} while (more);
	return all;
}

/**
 * gosync_sleep() - sleep until a claim is told or a polled file changes
 * @claim: the claim; NULL: none
 * @table: the table of polled files; NULL: none
 * @timeout: when to give up
 *
 * Return: 0, -ERESTARTSYS for a signal, or -ETIMEDOUT.
 */
int gosync_sleep(const int *claim, const struct poll_wqueues *table,
		 const struct gosync_timeout *timeout)
{
	const unsigned int state = timeout->killable ? TASK_KILLABLE :
						       TASK_INTERRUPTIBLE;
	ktime_t *when = NULL;
	ktime_t copy = timeout->when;
	int expired = 1;
	int ret;

	if (copy != KTIME_MAX)
		when = &copy;
	for (;;) {
		/*
		 * W-B, pairs with wake_up_process() in wake_task() and in
		 * gosync_tell_sleeper(). Not TASK_FREEZABLE: the freezer has to
		 * take us out of the queue, as any signal does. Otherwise other
		 * tasks might wait for a frozen one.
		 */
		set_current_state(state);
		ret = 0;
		if ((claim && gosync_is_told(claim)) ||
		    (table && READ_ONCE(table->triggered)))
			break;
		ret = -ERESTARTSYS;
		if (signal_pending_state(state, current))
			break;
		ret = -ETIMEDOUT;
		if (!expired)
			break;
		expired = schedule_hrtimeout_range_clock(when, current->timer_slack_ns,
							 HRTIMER_MODE_ABS,
							 timeout->clock);
	}
	__set_current_state(TASK_RUNNING);
	return ret;
}

/**
 * gosync_await_told() - wait until a claimed waiter is told
 * @claim: the claim of the waiter, or of its group
 *
 * This is short: the claimer is between dropping the object's lock and waking.
 * It wakes nobody if the waiter has no task, so this looks again each tick.
 */
void gosync_await_told(const int *claim)
{
	for (;;) {
		set_current_state(TASK_UNINTERRUPTIBLE);
		if (gosync_is_told(claim))
			break;
		schedule_timeout(1);
	}
	__set_current_state(TASK_RUNNING);
}

/*
 * Raise the kernel's own event for a lock. perf takes a begin and an end for a
 * pair if the same functions called them, the nearest left aside. So
 * gosync_wait() raises both for each sleep. By the flags perf knows the kind of
 * lock. Types that are no locks have no such event.
 *
 * Return: true if the type is a lock.
 */
static noinline bool lock_wait_begins(struct gosync_object *obj,
				      const struct gosync_waiter *waiter)
{
	if (!obj->ops->lock_flags)
		return false;
	trace_contention_begin(obj, obj->ops->lock_flags(waiter));
	return true;
}

static noinline void lock_wait_ends(struct gosync_object *obj, int ret)
{
	trace_contention_end(obj, ret);
}

static noinline void wait_begins(struct gosync_object *obj,
				 struct gosync_waiter *waiter)
{
	u32 owner;

	/*
	 * A waiter that was woken and lost against a newcomer goes on waiting.
	 */
	if (waiter->begun)
		return;
	waiter->begun = true;
	owner = gosync_object_owner(obj);
	trace_gosync_contention_begin(obj, waiter->holder->id,
				      gosync_wants(obj, waiter), owner,
				      gosync_holder_pid(obj, owner,
							&init_pid_ns));
}

/**
 * gosync_wait_begins() - tell tracers that a waiter begins to wait
 * @waiter: the waiter
 *
 * gosync_wait() does this for those that sleep there.
 */
void gosync_wait_begins(struct gosync_waiter *waiter)
{
	if (trace_gosync_contention_begin_enabled())
		wait_begins(waiter->holder->obj, waiter);
}

/*
 * Sleep for &gosync_waiter.put_off, or until the deadline; only a signal that
 * kills ends it. Return: as gosync_sleep()
 */
static int sleep_despite_signals(const struct gosync_waiter *waiter,
				 const struct gosync_timeout *timeout)
{
	bool realtime = timeout->clock == CLOCK_REALTIME;
	ktime_t left = ktime_sub(timeout->when, realtime ? ktime_get_real() :
							   ktime_get());
	struct gosync_timeout shortly = {
		.when = ktime_add_ns(ktime_get(), clamp_t(s64, left, 0,
							  waiter->put_off)),
		.clock = CLOCK_MONOTONIC,
		.killable = true,
	};

	return gosync_sleep(&waiter->claim, NULL, &shortly);
}

/* As gosync_sleep(), or -ECANCELED once the file says so. */
static int sleep_cancelable(const int *claim,
			    const struct gosync_timeout *timeout)
{
	struct gosync_cancel *cancel = timeout->cancel;
	int ret;

	do {
		/* W-C, pairs with pollwake() of the kernel: before we look. */
		smp_store_mb(cancel->table->triggered, 0);
		if (!gosync_is_told(claim) &&
		    vfs_poll(fd_file(cancel->fd), NULL) & GOSYNC_CANCEL_EVENTS)
			return -ECANCELED;
		ret = gosync_sleep(claim, cancel->table, timeout);
		if (ret || gosync_is_told(claim))
			return ret;
		/* The file may wake us as often as it likes. */
		ret = gosync_try_again();
	} while (!ret);
	return ret;
}

/* Return: as gosync_wait(); &gosync_waiter.gave_up is 0 if it stays. */
static int sleep_or_leave(struct gosync_object *obj,
			  struct gosync_waiter *waiter,
			  const struct gosync_timeout *timeout)
{
	int ret = -ETIMEDOUT;
	bool left;

	if (waiter->put_off)
		ret = sleep_despite_signals(waiter, timeout);
	if (ret == -ETIMEDOUT)
		ret = timeout->cancel ?
		      sleep_cancelable(&waiter->claim, timeout) :
		      gosync_sleep(&waiter->claim, NULL, timeout);

	if (!ret)
		return 0;
	scoped_guard(spinlock, &obj->wq.lock) {
		if (waiter->stays && ret == -ERESTARTSYS &&
		    waiter->claim == WAITING) {
			waiter->entry.private = NULL;
			return ret;
		}
		left = waiter_leave(obj, waiter, GONE);
	}
	waiter->gave_up = ret;
	if (left) {
		obj->ops->left(obj, waiter);
		return ret;
	}
	gosync_await_told(&waiter->claim);
	return 0;
}

/**
 * gosync_wait() - sleep until told, or give up
 * @obj: the object
 * @waiter: the waiter, which is queued
 * @timeout: when to give up
 *
 * Called without the object's lock.
 *
 * Return: 0: it was told something, see &gosync_waiter.wake; if the signal or
 * the deadline came at the same time, &gosync_waiter.gave_up is the error.
 * -ERESTARTSYS, -ETIMEDOUT, -ECANCELED (by &gosync_timeout.cancel): it was told
 * nothing and is no longer queued; but one with &gosync_waiter.stays remains
 * queued after -ERESTARTSYS.
 */
int gosync_wait(struct gosync_object *obj, struct gosync_waiter *waiter,
		const struct gosync_timeout *timeout)
{
	bool is_lock = false;
	int ret;

	WRITE_ONCE(waiter->timed, timeout->when != KTIME_MAX);
	if (trace_contention_begin_enabled())
		is_lock = lock_wait_begins(obj, waiter);
	if (trace_gosync_contention_begin_enabled())
		wait_begins(obj, waiter);
	ret = sleep_or_leave(obj, waiter, timeout);
	if (is_lock)
		lock_wait_ends(obj, ret);
	if (ret ? waiter->gave_up : waiter->wake == GOSYNC_GRANTED)
		gosync_wait_ends(obj, waiter, ret);
	return ret;
}

/**
 * gosync_replace() - replace a waiter in its queue
 * @old: the waiter that is queued
 * @new: a copy of it, which takes its place
 *
 * For waiters with &gosync_waiter.stays, called with the object's lock.
 *
 * Return: false if @old has been claimed; see gosync_await_told().
 */
bool gosync_replace(struct gosync_waiter *old, struct gosync_waiter *new)
{
	lockdep_assert_held(&old->holder->obj->wq.lock);
	if (old->claim != WAITING)
		return false;
	list_replace(&old->entry.entry, &new->entry.entry);
	return true;
}

/**
 * gosync_account_wait() - count a wait that has ended in a grant
 * @obj: the object
 * @waiter: the waiter; nothing happens if it has not waited
 * @how: GOSYNC_WOKEN or GOSYNC_HANDED_OVER
 */
void gosync_account_wait(struct gosync_object *obj,
			 struct gosync_waiter *waiter, enum gosync_how how)
{
	struct gosync_stats *stats = READ_ONCE(obj->stats);
	u64 now, ns;

	lockdep_assert_held(&obj->wq.lock);
	if (!waiter->since)
		return;
	count_wait_again(waiter, stats);
	now = ktime_get_ns();
	ns = now - waiter->since;
	waiter->waited = ns;
	if (unlikely(!stats))
		return;
	stats->acquired++;
	stats->handed_over += how == GOSYNC_HANDED_OVER;
	stats->wait_ns += ns;
	stats->wait_max_ns = max(stats->wait_max_ns, ns);
	stats->histogram[min(fls64(ns >> GOSYNC_HISTOGRAM_SHIFT),
			     GOSYNC_HISTOGRAM - 1)]++;
	stats->owned_since = now;
	stats->owned_token = gosync_object_token(obj);
}

static void trace_wait_ends(const struct gosync_object *obj,
			    const struct gosync_waiter *waiter, int ret)
{
	if (!ret)
		trace_gosync_acquired(obj, waiter->holder->id,
				      waiter->wake == GOSYNC_GRANTED ?
				      GOSYNC_HANDED_OVER : GOSYNC_WOKEN,
				      waiter->waited);
	trace_gosync_contention_end(obj, waiter->holder->id, ret);
}

/**
 * gosync_wait_ends_locked() - gosync_wait_ends() with the object's lock
 * @obj: the object
 * @waiter: the waiter, of another task or of none; it is not queued
 * @ret: 0 or the error
 */
void gosync_wait_ends_locked(struct gosync_object *obj,
			     struct gosync_waiter *waiter, int ret)
{
	lockdep_assert_held(&obj->wq.lock);
	if (ret)
		count_gave_up(obj);
	trace_wait_ends(obj, waiter, ret);
}

/**
 * gosync_wait_ends() - trace the end of a wait, and count it if it failed
 * @obj: the object
 * @waiter: the waiter; it is not queued
 * @ret: 0 or the error
 *
 * gosync_wait() does this, but not for a waiter that was told GOSYNC_RETRY.
 */
void gosync_wait_ends(struct gosync_object *obj, struct gosync_waiter *waiter,
		      int ret)
{
	if (ret) {
		scoped_guard(spinlock, &obj->wq.lock)
			count_gave_up(obj);
	}
	trace_wait_ends(obj, waiter, ret);
}
