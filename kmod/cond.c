// SPDX-License-Identifier: GPL-2.0-only
/*
 * Cond: Go's sync.Cond between processes.
 *
 * A wait is one ioctl: it takes a place in the queue, unlocks L, sleeps until
 * signalled, and locks L again. The place is taken first, so whoever signals
 * after the unlock finds it; places are signalled in the order in which they
 * were taken; and nothing but a signal ends a wait, so there are no spurious
 * wake-ups.
 *
 * L is given by a descriptor: a Mutex, or either side of an RWMutex. What is
 * done with it is what its own ioctls do.
 *
 * A signal handler interrupts all that, with L unlocked, and the system call is
 * made again afterwards, or never. So a waiter is a ticket that leaves the
 * task's stack then and stays in the queue. It may be signalled there, and keeps
 * that until its task comes back with its number, to lock L. If its holder
 * ends instead, or its task is killed before it could return, what it was
 * signalled goes to the next that waited already when the signal was sent. (Who
 * came later must not be woken by it, and a broadcast has reached them all.)
 *
 * Lock order: L's object and the Cond's are never locked at the same time.
 */
#include <linux/file.h>
#include <linux/rbtree.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "trace.h"

/**
 * struct gosync_cond - a Cond
 * @obj: the object; its lock protects the rest
 * @signalled: those to whom a broadcast went, until they are woken
 * @absent: tickets whose tasks handle a signal, by their number
 * @last: the number of the last ticket
 */
struct gosync_cond {
	struct gosync_object obj;
	struct list_head signalled;
	struct rb_root absent;
	u64 last;
};

/**
 * struct ticket - a waiter
 * @waiter: its place in the queue
 * @node: among the absent
 * @is_over: it waits no longer, L is to be locked
 * @was_ended: the end of the wait was counted and traced
 * @result: then: 0: signalled, -ETIMEDOUT
 */
struct ticket {
	struct gosync_waiter waiter;
	struct rb_node node;
	bool is_over;
	bool was_ended;
	int result;
};

/**
 * struct gosync_ticket - the place in the queue of a holder that watches
 * @group: is told when it is signalled
 * @waiter: the place
 * @seen: poll(2) has said so
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

static void publish(struct gosync_cond *cond)
{
	struct gosync_cond_slot *slot = cond->obj.state;

	lockdep_assert_held(&cond->obj.wq.lock);
	WRITE_ONCE(slot->waiters, cond->obj.nr_waiters);
}

/* --- The lock ------------------------------------------------------------- */

int gosync_cond_check_lock(const struct gosync_holder *lock, u32 flags)
{
	if (!lock)
		return -ENOTTY;
	if (lock->obj->type != GOSYNC_RWMUTEX &&
	    (lock->obj->type != GOSYNC_MUTEX || flags & GOSYNC_READ_SIDE))
		return -ENOTTY;
	return lock->read_only ? -EBADF : 0;
}

static long unlock(struct gosync_holder *lock, u32 flags)
{
	if (lock->obj->type == GOSYNC_MUTEX)
		return gosync_mutex_unlock(lock, NULL);
	if (flags & GOSYNC_READ_SIDE)
		return gosync_rwmutex_runlock(lock, NULL);
	return gosync_rwmutex_unlock(lock, NULL);
}

static long relock(struct gosync_holder *lock, u32 flags)
{
	struct gosync_wait forever = {};

	if (lock->obj->type == GOSYNC_MUTEX)
		return gosync_mutex_lock(lock, &forever);
	if (flags & GOSYNC_READ_SIDE)
		return gosync_rwmutex_rlock(lock, &forever);
	return gosync_rwmutex_lock(lock, &forever);
}

const struct gosync_wait_op *gosync_cond_lock_op(const struct gosync_holder *lock,
						 u32 flags)
{
	if (lock->obj->type == GOSYNC_MUTEX)
		return &gosync_mutex_lock_op;
	if (flags & GOSYNC_READ_SIDE)
		return &gosync_rwmutex_rlock_op;
	return &gosync_rwmutex_lock_op;
}

/* --- Signals -------------------------------------------------------------- */

/*
 * Signal the first, if it came no later than @last.
 *
 * Return: how many were woken, 0 or 1.
 */
static unsigned int signal_one(struct gosync_cond *cond, u64 last)
{
	struct gosync_object *obj = &cond->obj;
	struct gosync_waiter *first;
	bool claimed;

	/* Those that are dead are taken off one by one. */
	do {
		scoped_guard(spinlock, &obj->wq.lock) {
			first = list_first_entry_or_null(&obj->wq.head,
							 struct gosync_waiter,
							 entry.entry);
			last = min(last, cond->last);
			if (!first || first->number > last)
				return 0;
			claimed = gosync_claim(obj, first);
			if (claimed) {
				first->seen = last;
				gosync_account_wait(obj, first,
						    GOSYNC_HANDED_OVER);
			}
			publish(cond);
		}
	} while (!claimed);
	gosync_wake(first, GOSYNC_GRANTED);
	return 1;
}

long gosync_cond_signal(struct gosync_holder *holder, void *arg)
{
	unsigned int n = signal_one(to_cond(holder->obj), U64_MAX);

	trace_gosync_cond_signal(holder->obj, holder->id, n);
	return n;
}

static void count_granted(struct gosync_object *obj,
			  struct gosync_waiter *waiter)
{
	publish(to_cond(obj));
}

long gosync_cond_broadcast(struct gosync_holder *holder, void *arg)
{
	struct gosync_cond *cond = to_cond(holder->obj);
	unsigned int n;

	/* Who comes after this is not on the list. */
	scoped_guard(spinlock, &cond->obj.wq.lock)
		list_splice_tail_init(&cond->obj.wq.head, &cond->signalled);
	n = gosync_grant_all(&cond->obj, &cond->signalled, count_granted);
	trace_gosync_cond_signal(holder->obj, holder->id, n);
	return n;
}

/* --- Waiting -------------------------------------------------------------- */

/* The wait is over: say so, unless gosync_wait() did. */
static void end(struct gosync_cond *cond, struct ticket *ticket, int ret)
{
	if (!ticket->was_ended)
		gosync_wait_ends(&cond->obj, &ticket->waiter, ret);
	ticket->was_ended = true;
}

/* A ticket with which nobody will return: its signal is the next one's. */
static void drop(struct gosync_cond *cond, const struct ticket *ticket)
{
	if (ticket->is_over && !ticket->result && ticket->waiter.seen)
		signal_one(cond, ticket->waiter.seen);
}

/* Take a ticket that nobody waits with off the queue, and drop it. */
static void withdraw(struct gosync_cond *cond, struct ticket *ticket)
{
	struct gosync_object *obj = &cond->obj;

	if (!ticket->is_over) {
		scoped_guard(spinlock, &obj->wq.lock) {
			ticket->is_over = !gosync_claim(obj, &ticket->waiter);
			publish(cond);
		}
		if (ticket->is_over)
			gosync_await_told(&ticket->waiter.claim);
		end(cond, ticket, ticket->is_over ? 0 : -ERESTARTSYS);
	}
	drop(cond, ticket);
}

static bool before(struct rb_node *a, const struct rb_node *b)
{
	return rb_entry(a, struct ticket, node)->waiter.number <
	       rb_entry(b, struct ticket, node)->waiter.number;
}

/*
 * A signal handler is to run: keep the ticket for when its task comes back. L
 * is unlocked, so this is no time for an error.
 */
static long put_aside(struct gosync_cond *cond, struct ticket *ticket,
		      u64 *number)
{
	struct gosync_object *obj = &cond->obj;
	struct ticket *kept;

	kept = kmalloc(sizeof(*kept), GFP_KERNEL_ACCOUNT | __GFP_NOFAIL);
	scoped_guard(spinlock, &obj->wq.lock) {
		*kept = *ticket;
		if (!ticket->is_over)
			kept->is_over = !gosync_replace(&ticket->waiter,
							&kept->waiter);
	}
	if (kept->is_over && !ticket->is_over) {
		gosync_await_told(&ticket->waiter.claim);
		kept->waiter.seen = ticket->waiter.seen;
		kept->waiter.wake = ticket->waiter.wake;
	}
	*number = kept->waiter.number;
	scoped_guard(spinlock, &obj->wq.lock)
		rb_add(&kept->node, &cond->absent, before);
	return -ERESTARTSYS;
}

/* The absent ticket with the smallest number from @number on, or NULL */
static struct ticket *find_absent(struct gosync_cond *cond, u64 number)
{
	struct rb_node *node = cond->absent.rb_node;
	struct ticket *found = NULL;

	lockdep_assert_held(&cond->obj.wq.lock);
	while (node) {
		struct ticket *ticket = rb_entry(node, struct ticket, node);

		if (ticket->waiter.number < number) {
			node = node->rb_right;
		} else {
			found = ticket;
			node = node->rb_left;
		}
	}
	return found;
}

/* Come back with a ticket. */
static int take_up(struct gosync_cond *cond, struct gosync_holder *holder,
		   u64 number, struct ticket *ticket)
{
	struct gosync_object *obj = &cond->obj;
	struct ticket *kept;

	scoped_guard(spinlock, &obj->wq.lock) {
		kept = find_absent(cond, number);
		if (!kept || kept->waiter.number != number ||
		    kept->waiter.holder != holder)
			return -EINVAL;
		rb_erase(&kept->node, &cond->absent);
		*ticket = *kept;
		ticket->waiter.entry.private = current;
		if (!kept->is_over)
			ticket->is_over = !gosync_replace(&kept->waiter,
							  &ticket->waiter);
	}
	if (ticket->is_over && !kept->is_over) {
		gosync_await_told(&kept->waiter.claim);
		ticket->waiter.seen = kept->waiter.seen;
		ticket->waiter.wake = kept->waiter.wake;
	}
	kfree(kept);
	return 0;
}

static void queue(struct gosync_cond *cond, struct gosync_waiter *waiter)
{
	waiter->number = ++cond->last;
	gosync_enqueue(&cond->obj, &cond->obj.wq.head, waiter, false);
	publish(cond);
}

/* Take a place in the queue, and unlock. */
static int begin(struct gosync_cond *cond, struct gosync_holder *holder,
		 struct gosync_holder *lock, u32 flags, struct ticket *ticket)
{
	struct gosync_object *obj = &cond->obj;
	long ret;

	ticket->result = 0;
	ticket->is_over = false;
	ticket->was_ended = false;
	gosync_waiter_init(&ticket->waiter, holder);
	ticket->waiter.stays = true;
	scoped_guard(spinlock, &obj->wq.lock)
		queue(cond, &ticket->waiter);
	trace_gosync_cond_wait(obj, holder->id);
	/* Unlocking is ordered after that: who locks then sees that we wait. */
	ret = unlock(lock, flags);
	if (ret) {
		/* It has not begun, for those who trace. */
		ticket->was_ended = true;
		withdraw(cond, ticket);
	}
	return ret;
}

static long wait(struct gosync_cond *cond, struct ticket *ticket,
		 struct gosync_holder *lock, u32 flags,
		 const struct gosync_timeout *timeout, u64 *number)
{
	long ret;

	if (!ticket->is_over) {
		ret = gosync_wait(&cond->obj, &ticket->waiter, timeout);
		if (ret == -ERESTARTSYS && fatal_signal_pending(current)) {
			withdraw(cond, ticket);
			return -EINTR;
		}
		if (ret == -ERESTARTSYS)
			return put_aside(cond, ticket, number);
		ticket->is_over = true;
		ticket->was_ended = true;
		ticket->result = ret;
	}
	/* It may have been signalled while a signal handler ran. */
	end(cond, ticket, ticket->result);
	ret = relock(lock, flags);
	/* Who is being killed never enters the critical section. */
	if (unlikely(fatal_signal_pending(current))) {
		if (ret >= 0)
			unlock(lock, flags);
		drop(cond, ticket);
		return -EINTR;
	}
	if (ret == -ERESTARTSYS)
		return put_aside(cond, ticket, number);
	if (ret < 0) {
		drop(cond, ticket);
		return ret;
	}
	return ticket->result ?: ret;
}

long gosync_cond_wait(struct gosync_holder *holder, void *arg)
{
	struct gosync_cond *cond = to_cond(holder->obj);
	struct gosync_cond_wait *args = arg;
	struct gosync_timeout timeout;
	struct gosync_holder *lock;
	struct ticket ticket;
	struct fd f;
	long ret;

	if (args->__reserved)
		return -EINVAL;
	ret = gosync_timeout_init(&timeout, args->flags & ~GOSYNC_READ_SIDE,
				  args->deadline);
	if (ret)
		return ret;
	f = fdget(args->lock);
	if (!fd_file(f))
		return -EBADF;
	lock = gosync_holder_of(fd_file(f));
	ret = gosync_cond_check_lock(lock, args->flags);
	if (!ret && args->ticket)
		ret = take_up(cond, holder, args->ticket, &ticket);
	else if (!ret)
		ret = begin(cond, holder, lock, args->flags, &ticket);
	if (!ret)
		ret = wait(cond, &ticket, lock, args->flags, &timeout,
			   &args->ticket);
	fdput(f);
	return ret;
}

/* --- Waiting without a task ----------------------------------------------- */

/* Here it ends with the signal; who waits locks by himself. */
const struct gosync_wait_op gosync_cond_wait_op = {
};

/**
 * gosync_cond_begin() - take a place in the queue, and unlock
 * @waiter: who, of a group
 * @lock: what to unlock
 * @flags: GOSYNC_READ_SIDE
 *
 * Return: 0, or an error if it wasn't locked; then the place is still to be
 * withdrawn.
 */
int gosync_cond_begin(struct gosync_waiter *waiter, struct gosync_holder *lock,
		      u32 flags)
{
	struct gosync_object *obj = waiter->holder->obj;

	gosync_wait_begins(waiter);
	scoped_guard(spinlock, &obj->wq.lock)
		queue(to_cond(obj), waiter);
	trace_gosync_cond_wait(obj, waiter->holder->id);
	return unlock(lock, flags);
}

/**
 * gosync_cond_pass_on() - a signal has come to one who can't have it
 * @obj: the Cond
 * @last: as &gosync_waiter.seen of that one
 */
void gosync_cond_pass_on(struct gosync_object *obj, u64 last)
{
	signal_one(to_cond(obj), last);
}

/* --- Watching ------------------------------------------------------------- */

static void tell_watcher(struct gosync_group *group)
{
	struct gosync_ticket *ticket = container_of(group, struct gosync_ticket,
						    group);
	struct gosync_object *obj = ticket->waiter.holder->obj;

	/* From here on the ticket may be gone. */
	smp_store_release(&group->claim, GOSYNC_TOLD);
	gosync_changed(obj);
}

/* What has become of the ticket does not matter to the holder any more. */
static void end_ticket(struct gosync_cond *cond, struct gosync_ticket *ticket,
		       bool consumed)
{
	struct gosync_waiter *waiter = &ticket->waiter;

	if (gosync_group_leave(&ticket->group)) {
		gosync_withdraw(waiter, -ECANCELED);
	} else {
		gosync_await_told(&ticket->group.claim);
		gosync_wait_ends(&cond->obj, waiter, 0);
		if (!consumed && !ticket->seen && waiter->seen)
			signal_one(cond, waiter->seen);
	}
	kfree(ticket);
}

/**
 * gosync_cond_watch() - take a place in the queue, for poll(2)
 * @holder: for whom; the place that it had is given up
 * @stop: only that
 *
 * Return: 0 or -ENOMEM.
 */
int gosync_cond_watch(struct gosync_holder *holder, bool stop)
{
	struct gosync_cond *cond = to_cond(holder->obj);
	struct gosync_ticket *ticket = NULL, *old;

	if (!stop) {
		ticket = kzalloc(sizeof(*ticket), GFP_KERNEL_ACCOUNT);
		if (!ticket)
			return -ENOMEM;
		ticket->group.tell = tell_watcher;
		gosync_waiter_init(&ticket->waiter, holder);
		gosync_waiter_join(&ticket->waiter, &ticket->group, NULL);
		gosync_wait_begins(&ticket->waiter);
	}
	scoped_guard(spinlock, &cond->obj.wq.lock) {
		old = holder->ticket;
		holder->ticket = ticket;
		if (ticket)
			queue(cond, &ticket->waiter);
	}
	if (old)
		end_ticket(cond, old, !stop);
	return 0;
}

/* Has the holder's ticket been signalled? With the object's lock */
static bool is_signalled(const struct gosync_waiter *waiter)
{
	struct gosync_ticket *ticket = waiter->holder->ticket;

	/* Who says so to poll(2) cannot take it back. */
	if (!ticket || !gosync_is_told(&ticket->group.claim))
		return false;
	ticket->seen = true;
	return true;
}

static const struct gosync_wait_op watch_op = {
	.ready = is_signalled,
};

/* --- The rest of the object ----------------------------------------------- */

static void queues(struct gosync_object *obj,
		   struct list_head *queues[GOSYNC_QUEUES])
{
	queues[0] = &to_cond(obj)->signalled;
}

static void left(struct gosync_object *obj, struct gosync_waiter *waiter)
{
	scoped_guard(spinlock, &obj->wq.lock)
		publish(to_cond(obj));
}

/* No call of the holder is under way: only absent tickets are left of it. */
static void holder_end(struct gosync_object *obj, struct gosync_holder *holder)
{
	struct gosync_cond *cond = to_cond(obj);
	struct ticket *ticket;
	u64 number = 0;
	bool ours;

	gosync_cond_watch(holder, true);

	for (;;) {
		scoped_guard(spinlock, &obj->wq.lock) {
			ticket = find_absent(cond, number);
			if (!ticket)
				return;
			number = ticket->waiter.number + 1;
			ours = ticket->waiter.holder == holder;
			if (ours)
				rb_erase(&ticket->node, &cond->absent);
		}
		if (ours) {
			withdraw(cond, ticket);
			kfree(ticket);
		}
		cond_resched();
	}
}

static int init(struct gosync_object *obj, const struct gosync_open *args)
{
	struct gosync_cond *cond = to_cond(obj);

	INIT_LIST_HEAD(&cond->signalled);
	cond->absent = RB_ROOT;
	return 0;
}

static void info(struct gosync_object *obj, const struct gosync_holder *holder,
		 struct gosync_info *info)
{
	struct gosync_cond_slot *slot = obj->state;

	info->word = READ_ONCE(slot->waiters);
}

const struct gosync_ops gosync_cond_ops = {
	.name = "cond",
	.size = sizeof(struct gosync_cond),
	.init = init,
	.holder_end = holder_end,
	.left = left,
	.in = &watch_op,
	.queues = queues,
	.info = info,
};
