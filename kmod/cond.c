// SPDX-License-Identifier: GPL-2.0-only
/*
 * Cond: Go's sync.Cond between processes.
 *
 * A wait is one ioctl: it takes a place in the queue, unlocks L, sleeps until
 * signalled, and locks L again. The place is taken first, so a signal after the
 * unlock finds it. Places are signalled in the order in which they were taken.
 * Nothing but a signal ends a wait, so there are no spurious wake-ups.
 *
 * L is given by a descriptor: a Mutex, or either side of an RWMutex. It is
 * unlocked by its own ioctl, and locked again by the party that signals: this
 * takes L for the waiter, or queues the waiter for L, and the waiter sleeps on
 * until it has L. So those whom a broadcast reaches are woken one after the
 * other, each with L locked, not all at once to find L locked. Where that cannot
 * be done the waiter is woken, and locks L by its ioctl.
 *
 * The handler of a Unix signal interrupts all that, with L unlocked. Afterwards
 * the system call is made again, or never. So a waiter is a ticket that leaves
 * the task's stack then, and stays in the queue. If it is signalled there it
 * keeps the signal until its task comes back with the ticket's number, to lock
 * L. If its holder ends instead, or its task is killed before it could return,
 * the signal goes to the next ticket that was in the queue when the signal was
 * sent. (It must not wake a later one. And a broadcast has reached all of
 * them.)
 *
 * A handler need not return: it may jump out of the wait (siglongjmp(3)), or
 * its thread may be cancelled there. So a ticket belongs to its thread. When
 * the thread begins a new wait, by whatever holder, its older ticket goes. When
 * the thread has ended, its ticket is passed over. Nobody tells us of that end,
 * and the ticket may have been signalled before. So a worker looks for such
 * tickets every second, as long as any are absent.
 *
 * A ticket that is signalled has two claims then: its own becomes TOLD when it is
 * in L's queue, or has L; that of &ticket.sleeper when it has L. The task sleeps
 * until both are. A signal or the end of its process takes it out of L's queue.
 *
 * Lock order: L's object and the Cond's are never locked at the same time.
 */
#include <linux/file.h>
#include <linux/pid.h>
#include <linux/rbtree.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include "trace.h"
#include "wait.h"

#define LOOK_EVERY	HZ

/* At most this many absent tickets are looked at before the lock is dropped. */
#define LOOK_BATCH	32

/**
 * struct absentees - the absent tickets: their threads handle a signal
 * @by_number: the tickets by their number
 * @by_thread: the same tickets by their thread
 * @look: the worker that looks for threads that have ended
 * @cond: the Cond
 */
struct absentees {
	struct rb_root by_number;
	struct rb_root by_thread;
	struct delayed_work look;
	struct gosync_cond *cond;
};

/**
 * struct gosync_cond - a Cond
 * @obj: the object; its lock protects the rest
 * @signalled: the waiters that a broadcast has reached, until they are woken
 * @absent: the absent tickets; NULL before the first
 * @last: the number of the last ticket
 */
struct gosync_cond {
	struct gosync_object obj;
	struct list_head signalled;
	struct absentees *absent;
	u64 last;
};

/**
 * struct ticket - a thread's wait
 * @waiter: its place in the queue
 * @by_number: its node in &absentees.by_number while it is absent
 * @by_thread: its node in &absentees.by_thread while it is absent
 * @thread: its thread; with a reference while it is absent
 * @lock: the holder that locks L again
 * @op: the operation by which it does
 * @sleeper: the group of @relock
 * @relock: the waiter for L
 * @unlocked: L was unlocked, so that it may be locked again
 * @moved: @relock is in L's queue, or has L
 * @deaths: the number of owners of L that had died when it was unlocked
 * @is_over: it waits no longer; the next step is to lock L
 * @was_ended: the end of the wait was counted and traced
 * @result: once @is_over: 0 if it was signalled, or why it gave up
 */
struct ticket {
	struct gosync_waiter waiter;
	struct rb_node by_number;
	struct rb_node by_thread;
	struct pid *thread;
	struct gosync_holder *lock;
	const struct gosync_wait_op *op;
	struct gosync_sleeper sleeper;
	struct gosync_waiter relock;
	bool unlocked;
	bool moved;
	u32 deaths;
	bool is_over;
	bool was_ended;
	int result;
};

/**
 * struct gosync_ticket - the place in the queue of a holder that is polled
 * @group: the waiter's group, which is told when it is signalled
 * @waiter: its place in the queue
 * @seen: poll(2) has reported the signal
 */
struct gosync_ticket {
	struct gosync_group group;
	struct gosync_waiter waiter;
	bool seen;
};

static struct gosync_cond *to_cond(struct gosync_object *obj)
{
	return container_of(obj, struct gosync_cond, obj);
}

static void cond_publish(struct gosync_cond *cond)
{
	struct gosync_cond_slot *slot = cond->obj.state;

	lockdep_assert_held(&cond->obj.wq.lock);
	WRITE_ONCE(slot->waiters, cond->obj.nr_waiters);
}

/* --- The lock ------------------------------------------------------------- */

/**
 * gosync_cond_lock_ops() - how a Cond uses its L
 * @lock: any holder
 * @flags: GOSYNC_READ_SIDE
 *
 * Return: the operations, NULL if it is no lock or has no such side.
 */
const struct gosync_lock_ops *
gosync_cond_lock_ops(const struct gosync_holder *lock, u32 flags)
{
	const struct gosync_ops *ops = lock->obj->ops;

	return flags & GOSYNC_READ_SIDE ? ops->rlock : ops->lock;
}

int gosync_cond_check_lock(const struct gosync_holder *lock, u32 flags)
{
	if (!lock || !gosync_cond_lock_ops(lock, flags))
		return -ENOTTY;
	return lock->read_only ? -EBADF : 0;
}

static long cond_unlock(struct gosync_holder *lock, u32 flags)
{
	return gosync_cond_lock_ops(lock, flags)->unlock(lock, NULL);
}

static long cond_relock(struct gosync_holder *lock, u32 flags)
{
	struct gosync_wait_args forever = {};

	return gosync_cond_lock_ops(lock, flags)->lock(lock, &forever);
}

/**
 * gosync_cond_result() - choose the result of a wait that has locked L again
 * @lock: the holder that has locked L
 * @deaths: the number of L's owners that had died when the wait unlocked it
 * @result: the result of the wait: 0, -ETIMEDOUT or -ECANCELED
 * @locked: what locking returned: 0, or 1 if L is poisoned
 *
 * If an owner died during the wait, the caller is told that L is poisoned. If L
 * was poisoned before, a wait that was not signalled is told @result.
 * Otherwise a program that waits again until its deadline would never see it.
 *
 * Return: 0, 1 or @result.
 */
long gosync_cond_result(const struct gosync_holder *lock, u32 deaths,
			long result, long locked)
{
	if (result && locked && READ_ONCE(lock->obj->deaths) == deaths)
		return result;
	return locked ?: result;
}

/* --- Moving a waiter to L's queue ----------------------------------------- */

/*
 * Tell a waiter that is claimed, with its own ticket and task: lock L for it, or
 * queue it for L, without waking it. A single one is woken if L is free: as long
 * as it does not run yet others may have L.
 *
 * Return: false if it is to be woken to lock L itself.
 */
static bool ticket_move(struct gosync_waiter *waiter, bool single)
{
	struct ticket *ticket = container_of(waiter, struct ticket, waiter);
	struct gosync_object *obj = ticket->lock->obj;
	struct gosync_waiter *relock = &ticket->relock;
	bool moved;
	int ret;

	/* T-A, pairs with ticket_begin(). */
	if (!smp_load_acquire(&ticket->unlocked))
		return false;
	*relock = (struct gosync_waiter) { .holder = ticket->lock };
	if (single && ticket->op->ready(relock))
		return false;
	ticket->sleeper = (struct gosync_sleeper) {
		.group.tell = gosync_tell_sleeper,
		.task = waiter->entry.private,
	};
	gosync_waiter_join(relock, &ticket->sleeper.group,
			   ticket->sleeper.task);
	refcount_inc(&obj->refs);
	ret = ticket->op->attempt(relock, true);
	moved = !ret || ret == -EINPROGRESS;
	ticket->moved = moved;
	/* Once it is told, the ticket may be gone. */
	if (!ret) {
		gosync_group_won(&ticket->sleeper.group, relock);
		gosync_wake(waiter, GOSYNC_GRANTED);
	} else if (moved) {
		gosync_let_sleep(waiter, relock);
	}
	gosync_object_put(obj);
	return moved;
}

static void cond_tell(struct gosync_waiter *waiter, bool single)
{
	/* Those of io_uring and of pollers, and the absent, are on their own. */
	if (waiter->group || !waiter->entry.private ||
	    !ticket_move(waiter, single))
		gosync_wake(waiter, GOSYNC_GRANTED);
}

static void cond_tell_one_of_many(struct gosync_waiter *waiter)
{
	cond_tell(waiter, false);
}

/*
 * The wait for L of a ticket that was moved is over, or is to end with @ret.
 *
 * Return: 0 if L is locked, or @ret.
 */
static int ticket_end_move(struct ticket *ticket, int ret)
{
	struct gosync_group *group = &ticket->sleeper.group;
	struct gosync_waiter *relock = &ticket->relock;

	ticket->moved = false;
	/* Late, but of the task that has waited. */
	if (relock->since)
		gosync_wait_begins(relock);
	if (ret && gosync_group_leave(group)) {
		gosync_withdraw(relock, ret);
		/* It comes back without a group. */
		relock->group = NULL;
		gosync_remember(relock, ret);
		return ret;
	}
	gosync_await_told(&group->claim);
	/* Without @since it was locked at once. */
	if (relock->since)
		gosync_wait_ends(ticket->lock->obj, relock, 0);
	return 0;
}

/* As cond_relock(), for a ticket that was moved */
static long ticket_await_lock(struct ticket *ticket)
{
	static const struct gosync_timeout forever = {
		.when = KTIME_MAX,
		.clock = CLOCK_MONOTONIC,
	};
	int ret = gosync_sleep(&ticket->sleeper.group.claim, NULL, &forever);

	ret = ticket_end_move(ticket, ret);
	if (!ret && gosync_is_broken(ticket->lock)) {
		ticket->op->give_back(&ticket->relock);
		ret = -ESTALE;
	}
	return ret ?: ticket->op->result(&ticket->relock);
}

/* --- Signals -------------------------------------------------------------- */

static void ticket_free(struct ticket *ticket)
{
	put_pid(ticket->thread);
	kfree(ticket);
}

/* Has the thread of an absent ticket ended, or is it exiting? */
static bool ticket_is_gone(const struct ticket *ticket)
{
	const struct task_struct *task;

	guard(rcu)();
	task = pid_task(ticket->thread, PIDTYPE_PID);
	return !task || READ_ONCE(task->flags) & PF_EXITING;
}

static void ticket_remove_absent(struct gosync_cond *cond,
				 struct ticket *ticket)
{
	lockdep_assert_held(&cond->obj.wq.lock);
	rb_erase(&ticket->by_number, &cond->absent->by_number);
	rb_erase(&ticket->by_thread, &cond->absent->by_thread);
}

/*
 * Take out an absent ticket with which no task is to come back. The caller
 * frees it and, if *@last is not 0, signals the next ticket up to that number.
 * The ticket's holder is used under the object's lock only, which the holder's
 * end takes, too.
 *
 * Return: false if it is being signalled at this moment.
 */
static bool ticket_cancel(struct gosync_cond *cond, struct ticket *ticket,
			  u64 *last)
{
	struct gosync_waiter *waiter = &ticket->waiter;
	struct gosync_object *obj = &cond->obj;
	bool signalled = !ticket->result;

	lockdep_assert_held(&obj->wq.lock);
	if (!ticket->is_over && gosync_claim(obj, waiter)) {
		cond_publish(cond);
		signalled = false;
	} else if (!ticket->is_over && !gosync_is_told(&waiter->claim)) {
		return false;
	}
	*last = signalled ? waiter->seen : 0;
	if (!ticket->was_ended)
		gosync_wait_ends_locked(obj, waiter,
					signalled ? 0 : -ERESTARTSYS);
	ticket_remove_absent(cond, ticket);
	return true;
}

/*
 * Signal the first in the queue, if its number is not above @last.
 *
 * Return: the number of waiters that were signalled, 0 or 1.
 */
static unsigned int cond_signal_one(struct gosync_cond *cond, u64 last)
{
	struct gosync_object *obj = &cond->obj;
	struct gosync_waiter *first;
	struct ticket *gone;
	bool claimed;
	u64 none;

	/* Tickets whose threads have ended are taken off one by one. */
	do {
		gone = NULL;
		scoped_guard(spinlock, &obj->wq.lock) {
			first = list_first_entry_or_null(&obj->wq.head,
							 struct gosync_waiter,
							 entry.entry);
			last = min(last, cond->last);
			if (!first || first->number > last)
				return 0;
			/* Only an absent ticket has neither group nor task. */
			if (!first->group && !first->entry.private)
				gone = container_of(first, struct ticket,
						    waiter);
			if (gone && !ticket_is_gone(gone))
				gone = NULL;
			claimed = !gone && gosync_claim(obj, first);
			if (gone)
				ticket_cancel(cond, gone, &none);
			if (claimed) {
				first->seen = last;
				gosync_account_wait(obj, first,
						    GOSYNC_HANDED_OVER);
			}
			cond_publish(cond);
		}
		if (gone)
			ticket_free(gone);
	} while (!claimed);
	cond_tell(first, true);
	return 1;
}

static long gosync_cond_signal(struct gosync_holder *holder, void *arg)
{
	unsigned int n = cond_signal_one(to_cond(holder->obj), U64_MAX);

	trace_gosync_cond_signal(holder->obj, holder->id, n);
	return n;
}

static void cond_count_granted(struct gosync_object *obj,
			       struct gosync_waiter *waiter)
{
	cond_publish(to_cond(obj));
}

static long gosync_cond_broadcast(struct gosync_holder *holder, void *arg)
{
	struct gosync_cond *cond = to_cond(holder->obj);
	unsigned int n;

	/* A waiter that comes later does not join this list. */
	scoped_guard(spinlock, &cond->obj.wq.lock)
		list_splice_tail_init(&cond->obj.wq.head, &cond->signalled);
	n = gosync_grant_all(&cond->obj, &cond->signalled, cond_count_granted,
			     cond_tell_one_of_many);
	trace_gosync_cond_signal(holder->obj, holder->id, n);
	return n;
}

/* --- Tickets -------------------------------------------------------------- */

/* Count and trace the end of the wait, unless gosync_wait() has. */
static void ticket_end(struct gosync_cond *cond, struct ticket *ticket, int ret)
{
	if (!ticket->was_ended)
		gosync_wait_ends(&cond->obj, &ticket->waiter, ret);
	ticket->was_ended = true;
}

/* No task will return with this ticket: pass its signal on. */
static void ticket_drop(struct gosync_cond *cond, const struct ticket *ticket)
{
	if (ticket->is_over && !ticket->result && ticket->waiter.seen)
		cond_signal_one(cond, ticket->waiter.seen);
}

/* Take our ticket off the queue, because we do not wait, and drop it. */
static void ticket_withdraw(struct gosync_cond *cond, struct ticket *ticket)
{
	struct gosync_object *obj = &cond->obj;

	if (!ticket->is_over) {
		scoped_guard(spinlock, &obj->wq.lock) {
			ticket->is_over = !gosync_claim(obj, &ticket->waiter);
			cond_publish(cond);
		}
		if (ticket->is_over)
			gosync_await_told(&ticket->waiter.claim);
		ticket_end(cond, ticket, ticket->is_over ? 0 : -ERESTARTSYS);
	}
	ticket_drop(cond, ticket);
}

/* --- The absent ----------------------------------------------------------- */

static bool ticket_before(struct rb_node *a, const struct rb_node *b)
{
	return rb_entry(a, struct ticket, by_number)->waiter.number <
	       rb_entry(b, struct ticket, by_number)->waiter.number;
}

static bool ticket_thread_before(struct rb_node *a, const struct rb_node *b)
{
	return rb_entry(a, struct ticket, by_thread)->thread <
	       rb_entry(b, struct ticket, by_thread)->thread;
}

static int compare_thread(const void *thread, const struct rb_node *node)
{
	const struct pid *its = rb_entry(node, struct ticket, by_thread)->thread;

	return thread < (void *)its ? -1 : thread > (void *)its;
}

/* Find the absent ticket with the smallest number from @number on, or NULL. */
static struct ticket *find_absent(struct gosync_cond *cond, u64 number)
{
	struct ticket *found = NULL;
	struct rb_node *node;

	lockdep_assert_held(&cond->obj.wq.lock);
	node = cond->absent ? cond->absent->by_number.rb_node : NULL;
	while (node) {
		struct ticket *ticket = rb_entry(node, struct ticket, by_number);

		if (ticket->waiter.number < number) {
			node = node->rb_right;
		} else {
			found = ticket;
			node = node->rb_left;
		}
	}
	return found;
}

/*
 * Cancel @ticket, an absent one, unless it is NULL; then drop the object's
 * lock, with which this is called.
 *
 * Return: false if it is still there, so that the caller has to find it again.
 */
static bool ticket_cancel_and_unlock(struct gosync_cond *cond,
				     struct ticket *ticket)
	__releases(&cond->obj.wq.lock)
{
	u64 last = 0;
	bool gone = ticket && ticket_cancel(cond, ticket, &last);

	spin_unlock(&cond->obj.wq.lock);
	if (gone)
		ticket_free(ticket);
	else if (ticket)
		schedule_timeout_uninterruptible(1);
	if (last)
		cond_signal_one(cond, last);
	return gone || !ticket;
}

static void cond_look_for_gone(struct work_struct *work)
{
	struct absentees *absent = container_of(to_delayed_work(work),
						struct absentees, look);
	struct gosync_cond *cond = absent->cond;
	struct ticket *ticket, *gone;
	bool any = false;
	u64 number = 0;

	do {
		unsigned int n = LOOK_BATCH;

		gone = NULL;
		spin_lock(&cond->obj.wq.lock);
		while (n-- && !gone && (ticket = find_absent(cond, number))) {
			number = ticket->waiter.number + 1;
			if (ticket_is_gone(ticket))
				gone = ticket;
			any = true;
		}
		/* If it is being signalled, the next look finds it. */
		ticket_cancel_and_unlock(cond, gone);
		cond_resched();
	} while (ticket);
	if (any)
		schedule_delayed_work(&absent->look, LOOK_EVERY);
}

/* The calling thread begins a new wait: cancel the ticket of an older one. */
static void cond_cancel_older(struct gosync_cond *cond)
{
	struct absentees *absent = READ_ONCE(cond->absent);
	struct ticket *older;
	struct rb_node *node;

	if (likely(!absent))
		return;
	do {
		spin_lock(&cond->obj.wq.lock);
		node = rb_find(task_pid(current), &absent->by_thread,
			       compare_thread);
		older = node ? rb_entry(node, struct ticket, by_thread) : NULL;
		ticket_cancel_and_unlock(cond, older);
	} while (node);
}

static struct absentees *absentees_of(struct gosync_cond *cond)
{
	struct absentees *absent = READ_ONCE(cond->absent);

	if (likely(absent))
		return absent;
	absent = kzalloc(sizeof(*absent), GFP_KERNEL_ACCOUNT | __GFP_NOFAIL);
	absent->cond = cond;
	INIT_DELAYED_WORK(&absent->look, cond_look_for_gone);
	if (cmpxchg(&cond->absent, NULL, absent))
		kfree(absent);
	return cond->absent;
}

/* The wait of @from ended before @to could replace it: copy how it ended. */
static void copy_end(struct gosync_waiter *to, struct gosync_waiter *from)
{
	gosync_await_told(&from->claim);
	to->seen = from->seen;
	to->wake = from->wake;
}

/*
 * A signal's handler is to run: keep the ticket until its task comes back. L is
 * unlocked, so this must not fail.
 */
static long ticket_put_aside(struct gosync_cond *cond, struct ticket *ticket,
			     u64 *number)
{
	struct absentees *absent = absentees_of(cond);
	struct gosync_object *obj = &cond->obj;
	struct ticket *kept;

	kept = kmalloc(sizeof(*kept), GFP_KERNEL_ACCOUNT | __GFP_NOFAIL);
	get_pid(ticket->thread);
	scoped_guard(spinlock, &obj->wq.lock) {
		*kept = *ticket;
		if (!ticket->is_over)
			kept->is_over = !gosync_replace(&ticket->waiter,
							&kept->waiter);
	}
	if (kept->is_over && !ticket->is_over)
		copy_end(&kept->waiter, &ticket->waiter);
	*number = kept->waiter.number;
	scoped_guard(spinlock, &obj->wq.lock) {
		rb_add(&kept->by_number, &absent->by_number, ticket_before);
		rb_add(&kept->by_thread, &absent->by_thread,
		       ticket_thread_before);
	}
	schedule_delayed_work(&absent->look, LOOK_EVERY);
	return -ERESTARTSYS;
}

/*
 * The task has come back with the number of its ticket: take it from the
 * absent.
 */
static int ticket_take_up(struct gosync_cond *cond,
			  struct gosync_holder *holder,
			  struct gosync_holder *lock, u32 flags, u64 number,
			  struct ticket *ticket)
{
	struct gosync_object *obj = &cond->obj;
	struct ticket *kept;

	scoped_guard(spinlock, &obj->wq.lock) {
		kept = find_absent(cond, number);
		if (!kept || kept->waiter.number != number ||
		    kept->waiter.holder != holder)
			return -EINVAL;
		ticket_remove_absent(cond, kept);
		*ticket = *kept;
		ticket->lock = lock;
		ticket->op = gosync_cond_lock_ops(lock, flags)->op;
		ticket->thread = task_pid(current);
		ticket->waiter.entry.private = current;
		if (!kept->is_over)
			ticket->is_over = !gosync_replace(&kept->waiter,
							  &ticket->waiter);
	}
	if (ticket->is_over && !kept->is_over)
		copy_end(&ticket->waiter, &kept->waiter);
	ticket_free(kept);
	return 0;
}

/* --- Waiting -------------------------------------------------------------- */

static void cond_queue(struct gosync_cond *cond, struct gosync_waiter *waiter)
{
	waiter->number = ++cond->last;
	gosync_enqueue(&cond->obj, &cond->obj.wq.head, waiter);
	cond_publish(cond);
}

/* Take a place in the queue, and unlock L. */
static int ticket_begin(struct gosync_cond *cond, struct gosync_holder *holder,
			struct gosync_holder *lock, u32 flags,
			struct ticket *ticket)
{
	struct gosync_object *obj = &cond->obj;
	long ret;

	ticket->result = 0;
	ticket->is_over = false;
	ticket->was_ended = false;
	ticket->unlocked = false;
	ticket->moved = false;
	ticket->lock = lock;
	ticket->op = gosync_cond_lock_ops(lock, flags)->op;
	gosync_count_waits(lock->obj);
	ticket->thread = task_pid(current);
	ticket->deaths = READ_ONCE(lock->obj->deaths);
	gosync_waiter_init(&ticket->waiter, holder);
	ticket->waiter.stays = true;
	scoped_guard(spinlock, &obj->wq.lock)
		cond_queue(cond, &ticket->waiter);
	trace_gosync_cond_wait(obj, holder->id);
	/*
	 * The unlock is ordered after that: the next owner of L sees the
	 * waiter.
	 */
	ret = cond_unlock(lock, flags);
	if (ret) {
		/* For tracers the wait has not begun. */
		ticket->was_ended = true;
		ticket_withdraw(cond, ticket);
		return ret;
	}
	/* T-A, pairs with ticket_move(): L is not locked for us before. */
	smp_store_release(&ticket->unlocked, true);
	cond_cancel_older(cond);
	return 0;
}

static long ticket_wait(struct gosync_cond *cond, struct ticket *ticket,
			struct gosync_holder *lock, u32 flags,
			const struct gosync_timeout *timeout, u64 *number)
{
	long ret;

	if (!ticket->is_over) {
		ret = gosync_wait(&cond->obj, &ticket->waiter, timeout);
		if (ret == -ERESTARTSYS && fatal_signal_pending(current)) {
			ticket_withdraw(cond, ticket);
			return -EINTR;
		}
		if (ret == -ERESTARTSYS)
			return ticket_put_aside(cond, ticket, number);
		ticket->is_over = true;
		ticket->was_ended = true;
		ticket->result = ret;
	}
	/* It may have been signalled while a signal handler ran. */
	ticket_end(cond, ticket, ticket->result);
	if (ticket->moved)
		ret = ticket_await_lock(ticket);
	else
		ret = cond_relock(lock, flags);
	/* A task that is being killed never enters the critical section. */
	if (unlikely(fatal_signal_pending(current))) {
		if (ret >= 0)
			cond_unlock(lock, flags);
		ticket_drop(cond, ticket);
		return -EINTR;
	}
	if (ret == -ERESTARTSYS)
		return ticket_put_aside(cond, ticket, number);
	if (ret < 0) {
		ticket_drop(cond, ticket);
		return ret;
	}
	return gosync_cond_result(lock, ticket->deaths, ticket->result, ret);
}

static long gosync_cond_wait(struct gosync_holder *holder, void *arg)
{
	struct gosync_cond *cond = to_cond(holder->obj);
	const u32 ours = GOSYNC_READ_SIDE | GOSYNC_CANCELABLE;
	struct gosync_cond_wait_args *args = arg;
	struct gosync_cancel cancel;
	struct gosync_timeout timeout;
	struct gosync_holder *lock;
	struct ticket ticket;
	struct fd f;
	long ret;

	ret = gosync_timeout_init(&timeout, args->flags & ~ours,
				  args->deadline);
	if (ret)
		return ret;
	f = fdget(args->lock);
	if (!fd_file(f))
		return -EBADF;
	lock = gosync_holder_of(fd_file(f));
	ret = gosync_cond_check_lock(lock, args->flags);
	if (!ret)
		ret = gosync_cancelable_begin(&cancel, &timeout, args->flags,
					      args->cancel);
	if (!ret && args->ticket)
		ret = ticket_take_up(cond, holder, lock, args->flags,
				     args->ticket, &ticket);
	else if (!ret)
		ret = ticket_begin(cond, holder, lock, args->flags, &ticket);
	if (!ret)
		ret = ticket_wait(cond, &ticket, lock, args->flags, &timeout,
				  &args->ticket);
	gosync_cancelable_end(&timeout);
	fdput(f);
	return ret;
}

/* --- Waiting without a task ----------------------------------------------- */

/* A command of io_uring ends with the signal here; command.c then locks L. */
const struct gosync_wait_op gosync_cond_wait_op = {
};

/**
 * gosync_cond_begin() - take a place in the queue, and unlock L
 * @waiter: the waiter, of a group
 * @lock: the holder that has locked L
 * @flags: GOSYNC_READ_SIDE
 *
 * Return: 0, or an error if L was not locked; then the caller has to withdraw
 * @waiter.
 */
int gosync_cond_begin(struct gosync_waiter *waiter, struct gosync_holder *lock,
		      u32 flags)
{
	struct gosync_object *obj = waiter->holder->obj;

	gosync_wait_begins(waiter);
	scoped_guard(spinlock, &obj->wq.lock)
		cond_queue(to_cond(obj), waiter);
	trace_gosync_cond_wait(obj, waiter->holder->id);
	return cond_unlock(lock, flags);
}

/**
 * gosync_cond_pass_on() - pass on a signal that a waiter has no use for
 * @obj: the Cond
 * @last: &gosync_waiter.seen of that waiter
 */
void gosync_cond_pass_on(struct gosync_object *obj, u64 last)
{
	cond_signal_one(to_cond(obj), last);
}

/* --- Watching ------------------------------------------------------------- */

static void cond_tell_watcher(struct gosync_group *group)
{
	struct gosync_ticket *ticket = container_of(group, struct gosync_ticket,
						    group);
	struct gosync_object *obj = ticket->waiter.holder->obj;

	/* W-A. From here on the ticket may be gone. */
	smp_store_release(&group->claim, GOSYNC_TOLD);
	gosync_changed(obj);
}

/* End the ticket of a holder that was polled; pass its signal on if need be. */
static void cond_end_watch(struct gosync_cond *cond,
			   struct gosync_ticket *ticket, bool consumed)
{
	struct gosync_waiter *waiter = &ticket->waiter;

	if (gosync_group_leave(&ticket->group)) {
		gosync_withdraw(waiter, -ECANCELED);
	} else {
		gosync_await_told(&ticket->group.claim);
		gosync_wait_ends(&cond->obj, waiter, 0);
		if (!consumed && !ticket->seen && waiter->seen)
			cond_signal_one(cond, waiter->seen);
	}
	kfree(ticket);
}

/*
 * Take a place in the queue, for poll(2), and give up the one that the holder
 * had. With @stop only give that up.
 *
 * Return: 0 or -ENOMEM.
 */
static int cond_watch(struct gosync_holder *holder, bool stop)
{
	struct gosync_cond *cond = to_cond(holder->obj);
	struct gosync_ticket *ticket = NULL, *old;

	if (!stop) {
		ticket = kzalloc(sizeof(*ticket), GFP_KERNEL_ACCOUNT);
		if (!ticket)
			return -ENOMEM;
		ticket->group.tell = cond_tell_watcher;
		gosync_waiter_init(&ticket->waiter, holder);
		gosync_waiter_join(&ticket->waiter, &ticket->group, NULL);
		gosync_wait_begins(&ticket->waiter);
	}
	scoped_guard(spinlock, &cond->obj.wq.lock) {
		old = holder->ticket;
		holder->ticket = ticket;
		if (ticket)
			cond_queue(cond, &ticket->waiter);
	}
	if (old)
		cond_end_watch(cond, old, !stop);
	return 0;
}

/* Has the holder's ticket been signalled? Called with the object's lock. */
static bool cond_is_signalled(const struct gosync_waiter *waiter)
{
	struct gosync_ticket *ticket = waiter->holder->ticket;

	/* Once poll(2) has reported the signal it is not passed on any more. */
	if (!ticket || !gosync_is_told(&ticket->group.claim))
		return false;
	ticket->seen = true;
	return true;
}

static const struct gosync_wait_op watch_op = {
	.ready = cond_is_signalled,
};

/* --- The rest of the object ----------------------------------------------- */

static void cond_queues(struct gosync_object *obj,
			struct list_head *queues[GOSYNC_QUEUES])
{
	queues[0] = &to_cond(obj)->signalled;
}

static void cond_left(struct gosync_object *obj, struct gosync_waiter *waiter)
{
	scoped_guard(spinlock, &obj->wq.lock)
		cond_publish(to_cond(obj));
}

/*
 * No call of the holder runs any more: it has a watch and absent tickets at
 * most.
 */
static void cond_holder_end(struct gosync_object *obj,
			    struct gosync_holder *holder)
{
	struct gosync_cond *cond = to_cond(obj);
	struct ticket *ticket;
	u64 number = 0;
	bool ours;

	cond_watch(holder, true);

	do {
		spin_lock(&obj->wq.lock);
		ticket = find_absent(cond, number);
		ours = ticket && ticket->waiter.holder == holder;
		if (ticket && !ours)
			number = ticket->waiter.number + 1;
		ticket_cancel_and_unlock(cond, ours ? ticket : NULL);
		cond_resched();
	} while (ticket);
}

static void cond_fini(struct gosync_object *obj)
{
	struct absentees *absent = to_cond(obj)->absent;

	if (!absent)
		return;
	cancel_delayed_work_sync(&absent->look);
	kfree(absent);
}

static int cond_init(struct gosync_object *obj,
		     const struct gosync_open_args *args)
{
	struct gosync_cond *cond = to_cond(obj);

	INIT_LIST_HEAD(&cond->signalled);
	return 0;
}

static void cond_info(struct gosync_object *obj,
		      const struct gosync_holder *holder,
		      struct gosync_info *info)
{
	struct gosync_cond_slot *slot = obj->state;

	info->word = READ_ONCE(slot->waiters);
}

static const struct gosync_ioctl ioctls[] = {
	GOSYNC_IOCTL_ARG(COND_WAIT, GOSYNC_WRITES | GOSYNC_RESUMES,
			 gosync_cond_wait, cond_wait),
	GOSYNC_IOCTL(COND_SIGNAL, GOSYNC_WRITES | GOSYNC_URING,
		     gosync_cond_signal),
	GOSYNC_IOCTL(COND_BROADCAST, GOSYNC_WRITES | GOSYNC_URING,
		     gosync_cond_broadcast),
};

const struct gosync_ops gosync_cond_ops = {
	.name = "cond",
	.size = sizeof(struct gosync_cond),
	.ioctls = ioctls,
	.nr_ioctls = ARRAY_SIZE(ioctls),
	.init = cond_init,
	.fini = cond_fini,
	.holder_end = cond_holder_end,
	.left = cond_left,
	.in = &watch_op,
	.watch = cond_watch,
	.queues = cond_queues,
	.info = cond_info,
};
