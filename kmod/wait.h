/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Waiting: waiters, the operations that wait, and the queues.
 */
#ifndef GOSYNC_WAIT_H
#define GOSYNC_WAIT_H

#include <linux/file.h>
#include <linux/ktime.h>
#include <linux/list.h>
#include <linux/minmax.h>
#include <linux/wait.h>

#include "gosync.h"

struct gosync_places;
struct gosync_turn;
struct poll_wqueues;
struct task_struct;

/*
 * At most this many waiters are looked at before the object's lock is dropped.
 */
#define GOSYNC_WAKE_BATCH	32

/* A waiter that goes back to its place passes at most this many others. */
#define GOSYNC_PASSED_MAX	512

/* --- wait.c --- */

/**
 * enum gosync_wake - what a claimed waiter is told
 * @GOSYNC_RETRY: to try again
 * @GOSYNC_GRANTED: that it was granted what it waited for
 */
enum gosync_wake {
	GOSYNC_RETRY,
	GOSYNC_GRANTED,
};

/**
 * enum gosync_how - how an object was acquired
 * @GOSYNC_BARGED: by a newcomer, although others wait
 * @GOSYNC_WOKEN: by a waiter that was woken and tried again
 * @GOSYNC_HANDED_OVER: by a waiter to which the releaser granted it
 */
enum gosync_how {
	GOSYNC_BARGED,
	GOSYNC_WOKEN,
	GOSYNC_HANDED_OVER,
};

/**
 * struct gosync_group - several waiters with one claim, or one without a task
 * @claim: as in &struct gosync_waiter, for all of them together
 * @winner: the waiter that was granted something
 * @tell: called without locks after the grant; has to set @claim to
 *	GOSYNC_TOLD, after which the group may be gone
 */
struct gosync_group {
	int claim;
	struct gosync_waiter *winner;
	void (*tell)(struct gosync_group *group);
};

/**
 * struct gosync_sleeper - a group with a task that sleeps
 * @group: the group; its &gosync_group.tell is gosync_tell_sleeper()
 * @task: the task
 */
struct gosync_sleeper {
	struct gosync_group group;
	struct task_struct *task;
};

/**
 * struct gosync_wait_op - an operation that may wait
 * @takes: a success acquires something: the operation needs write permission,
 *	and can be undone
 * @resumes: after a signal's handler the wait goes on with
 *	&gosync_waiter.number as its operand; user space is told that number
 *	before the handler runs
 * @tells_seen: user space is told &gosync_waiter.seen after a success
 * @most: the largest sum of &gosync_waiter.number that several entries of a
 *	wait for all may want of one object; 0: only one entry may want it
 * @check: check an operand and put it into @waiter; NULL: there is no operand
 * @attempt: try it; if it is not possible now, queue @waiter if @queue is true.
 *	May sleep. Return: 0, -EINPROGRESS if queued, -EBUSY if not possible, or
 *	another error
 * @ready: would an attempt succeed? The answer is certain only with the
 *	object's lock; without it this is a hint
 * @result: what the ioctl returns after a success or a grant; NULL: 0
 * @give_back: undo a success or a grant; NULL if nothing is acquired
 *
 * All are called with a @waiter whose holder is set.
 */
struct gosync_wait_op {
	bool takes;
	bool resumes;
	bool tells_seen;
	u64 most;
	int (*check)(struct gosync_waiter *waiter, u32 index, u64 value);
	int (*attempt)(struct gosync_waiter *waiter, bool queue);
	bool (*ready)(const struct gosync_waiter *waiter);
	int (*result)(struct gosync_waiter *waiter);
	void (*give_back)(struct gosync_waiter *waiter);
};

/**
 * struct gosync_waiter - an entry in an object's queue
 * @entry: links it into the queue; its private field is the task, NULL: none
 * @holder: the holder that is granted what it waits for
 * @group: shares its claim with this waiter, which is then granted things only,
 *	never told to try again; NULL: it has its own claim
 * @since: when the wait began, in ns of CLOCK_MONOTONIC; 0: it has not waited
 *	yet
 * @waited: how long the wait was, once it was granted, in ns
 * @wait: the wait's number; a queue is in the order of these numbers
 * @put_off: for so long, in ns, only a signal that kills ends the wait. It
 *	gathers something piece by piece, and loses all of it when it leaves
 * @claim: one of the claim's values, see wait.c
 * @wake: what it is told
 * @gave_up: 0, or the error with which it left, or would have left if it had
 *	not been claimed at that moment: it must not wait again
 * @stays: on a signal it stays in the queue, without a task
 * @lost: Mutex, RWMutex: it was woken, and a newcomer was quicker
 * @starving: it has waited too long
 * @again: it goes on after a signal's handler
 * @uncounted: the wait that goes on is not counted yet
 * @timed: it has a deadline
 * @begun: tracers know that it waits
 * @among: it waits for several things
 * @shown: its thread waits for all of several things, and is counted and listed
 *	as a waiter already
 * @queued: it counts as a waiter. If its group was claimed elsewhere it may be
 *	off the queue already
 * @index: atomics: the word's index; RWMutex: &enum gosync_wants
 * @number: WaitGroup, RWMutex: its generation; Semaphore: the number of permits
 *	it wants; Cond: its place in the order of the queue
 * @expected: atomics, Value, Map: it waits until this has changed
 * @seen: atomics, Value, Map: what was found instead; Cond: the last number
 *	that was in the queue when it was signalled, 0: by a broadcast
 */
struct gosync_waiter {
	wait_queue_entry_t entry;
	struct gosync_holder *holder;
	struct gosync_group *group;
	u64 since;
	u64 waited;
	u64 wait;
	u64 put_off;
	int claim;
	enum gosync_wake wake;
	int gave_up;
	bool stays;
	bool lost;
	bool starving;
	bool again;
	bool uncounted;
	bool timed;
	bool begun;
	bool among;
	bool shown;
	bool queued;
	u32 index;
	u64 number;
	u64 expected;
	u64 seen;
};

/* What ends a wait of a file given by GOSYNC_CANCELABLE */
#define GOSYNC_CANCEL_EVENTS	(EPOLLIN | EPOLLERR | EPOLLHUP)

/**
 * struct gosync_cancel - a descriptor that ends a wait
 * @fd: the descriptor
 * @table: how it wakes the task
 */
struct gosync_cancel {
	struct fd fd;
	struct poll_wqueues *table;
};

/**
 * struct gosync_timeout - when to give up waiting
 * @when: the deadline by the kernel's own clock; KTIME_MAX: never
 * @clock: CLOCK_MONOTONIC or CLOCK_REALTIME
 * @killable: until then only a signal that kills ends the sleep
 * @cancel: what else ends gosync_wait(); NULL: nothing
 */
struct gosync_timeout {
	ktime_t when;
	clockid_t clock;
	bool killable;
	struct gosync_cancel *cancel;
};

/* Are these flags only the ones that a deadline may have? */
static inline bool gosync_is_clock(u32 flags)
{
	return !(flags & ~GOSYNC_CLOCK_REALTIME);
}

static inline enum gosync_wants gosync_wants(const struct gosync_object *obj,
					     const struct gosync_waiter *waiter)
{
	return obj->ops->wants ? obj->ops->wants(waiter) : GOSYNC_WANTS_IT;
}

/*
 * The values of a claim, see wait.c; the last two are of io_uring's commands.
 */
enum {
	GOSYNC_WAITING,
	GOSYNC_CLAIMED,
	GOSYNC_TOLD,
	GOSYNC_GONE,
	GOSYNC_TAKEN,
	GOSYNC_RECALLED,
};

/**
 * struct gosync_watchers - the pollers of an object, which are granted nothing
 * @wq: the pollers
 * @all: the waits for all among them (@obj->wq.lock)
 * @turns: the queue for a turn (wait_all.c's lock)
 * @has_turn: the wait for all that has its turn now; or NULL (wait_all.c's
 *	lock)
 */
struct gosync_watchers {
	wait_queue_head_t wq;
	struct list_head all;
	struct list_head turns;
	struct gosync_turn *has_turn;
};

/* Are there pollers? */
static inline bool gosync_watched(const struct gosync_object *obj)
{
	struct gosync_watchers *watch = READ_ONCE(obj->watch);

	/* P-A, pairs with gosync_is_ready() in poll.c. */
	return unlikely(watch) && waitqueue_active(&watch->wq);
}

/* The number of waiters that user space is shown; with 0 it needs no kernel. */
static inline u32 gosync_shown(const struct gosync_object *obj)
{
	return obj->nr_waiters + gosync_watched(obj);
}

/*
 * A waiter that gathers something piece by piece would never have all of it if
 * signals interrupt it more often than that takes. So after the first handler
 * the next is put off for a quarter of the time that it has waited (in ns).
 */
static inline u64 gosync_put_off(u64 since)
{
	return clamp_t(u64, (ktime_get_ns() - since) / 4, 2 * NSEC_PER_MSEC,
		       NSEC_PER_SEC);
}

static inline bool gosync_is_told(const int *claim)
{
	/* W-A, pairs with wake_task() and every &gosync_group.tell. */
	return smp_load_acquire(claim) == GOSYNC_TOLD;
}

/**
 * struct gosync_stats - statistics of an object's waits
 * @contended: see &struct gosync_stat
 * @acquired: see &struct gosync_stat
 * @handed_over: see &struct gosync_stat
 * @gave_up: see &struct gosync_stat
 * @wait_ns: see &struct gosync_stat
 * @wait_max_ns: see &struct gosync_stat
 * @histogram: see &struct gosync_stat
 * @starvations: see &struct gosync_stat
 * @owned_token: the token of the last acquisition by a waiter
 * @owned_since: the time of that acquisition, in ns of CLOCK_MONOTONIC
 */
struct gosync_stats {
	u64 contended;
	u64 acquired;
	u64 handed_over;
	u64 gave_up;
	u64 wait_ns;
	u64 wait_max_ns;
	u64 histogram[GOSYNC_HISTOGRAM];
	u32 starvations;
	u64 owned_token;
	u64 owned_since;
};

int gosync_try_again(void);
int gosync_timeout_init(struct gosync_timeout *timeout, u32 flags, u64 deadline);
void gosync_count_waits(struct gosync_object *obj);
void gosync_waiter_init(struct gosync_waiter *waiter,
			struct gosync_holder *holder);
void gosync_waiter_setup(struct gosync_waiter *waiter,
			 struct gosync_holder *holder);
void gosync_waiter_join(struct gosync_waiter *waiter,
			struct gosync_group *group, struct task_struct *task);
bool gosync_group_won(struct gosync_group *group, struct gosync_waiter *waiter);
bool gosync_group_leave(struct gosync_group *group);
void gosync_withdraw(struct gosync_waiter *waiter, int ret);
void gosync_unqueue(struct gosync_object *obj, struct gosync_waiter *waiter);
void gosync_never_waited(struct gosync_object *obj,
			 struct gosync_waiter *waiter);
void gosync_wait_begins(struct gosync_waiter *waiter);
void gosync_enqueue(struct gosync_object *obj, struct list_head *queue,
		    struct gosync_waiter *waiter);
bool gosync_is_first(const struct list_head *queue,
		     const struct gosync_waiter *waiter);
struct gosync_waiter *gosync_first_live(struct gosync_object *obj,
					struct list_head *queue);
struct gosync_waiter *gosync_claim_first(struct gosync_object *obj,
					 struct list_head *queue);
bool gosync_claim(struct gosync_object *obj, struct gosync_waiter *waiter);
int gosync_wait(struct gosync_object *obj, struct gosync_waiter *waiter,
		const struct gosync_timeout *timeout);
bool gosync_replace(struct gosync_waiter *old, struct gosync_waiter *new);
int gosync_sleep(const int *claim, const struct poll_wqueues *table,
		 const struct gosync_timeout *timeout);
void gosync_await_told(const int *claim);
void gosync_wake(struct gosync_waiter *waiter, enum gosync_wake wake);
void gosync_let_sleep(struct gosync_waiter *waiter,
		      const struct gosync_waiter *next);
void gosync_tell_sleeper(struct gosync_group *group);
unsigned int gosync_grant_all(struct gosync_object *obj,
			      struct list_head *group,
			      void (*grant)(struct gosync_object *obj,
					    struct gosync_waiter *waiter),
			      void (*tell)(struct gosync_waiter *waiter));
void gosync_account_wait(struct gosync_object *obj,
			 struct gosync_waiter *waiter, enum gosync_how how);
void gosync_wait_ends(struct gosync_object *obj, struct gosync_waiter *waiter,
		      int ret);
void gosync_wait_ends_locked(struct gosync_object *obj,
			     struct gosync_waiter *waiter, int ret);

/* --- place.c --- */

void gosync_recall(struct gosync_waiter *waiter);
struct gosync_places *gosync_places_alloc(u32 count);
void gosync_places_add(struct gosync_places *places,
		       const struct gosync_waiter *waiter);
void gosync_places_keep(struct gosync_places *places, int ret);
void gosync_remember(const struct gosync_waiter *waiter, int ret);
int gosync_places_init(void);
void gosync_places_exit(void);

/* --- wait_op.c --- */

int gosync_check_operand(const struct gosync_wait_op *op,
			 struct gosync_waiter *waiter, u32 index, u64 value);
int gosync_too_late(const struct gosync_holder *holder);
int gosync_wait_for(const struct gosync_wait_op *op,
		    struct gosync_waiter *waiter,
		    const struct gosync_timeout *timeout);

/*
 * Do the ioctl of a wait. @flags, @deadline, @index and @operand are from its
 * argument; @waiter is set up unless one of them is wrong. Inline: perf names
 * the caller of gosync_wait_for() as the place of a wait.
 */
static __always_inline int
gosync_wait_alone(const struct gosync_wait_op *op, struct gosync_holder *holder,
		  struct gosync_waiter *waiter, u32 flags, u64 deadline,
		  u32 index, u64 operand)
{
	struct gosync_timeout timeout __uninitialized;
	int ret;

	ret = gosync_timeout_init(&timeout, flags, deadline);
	if (ret)
		return ret;
	gosync_waiter_init(waiter, holder);
	if (op->check) {
		ret = op->check(waiter, index, operand);
		if (ret)
			return ret;
	}
	return gosync_wait_for(op, waiter, &timeout);
}

/* The same for a wait that has no operand */
static __always_inline int gosync_wait_plainly(const struct gosync_wait_op *op,
					       struct gosync_holder *holder,
					       const struct gosync_wait_args *args)
{
	struct gosync_waiter waiter __uninitialized;

	return gosync_wait_alone(op, holder, &waiter, args->flags,
				 args->deadline, 0, 0);
}

/* --- cancelable.c --- */

int gosync_cancelable_begin(struct gosync_cancel *cancel,
			    struct gosync_timeout *timeout, u32 flags, int fd);
void gosync_cancelable_end(const struct gosync_timeout *timeout);

/* --- poll.c --- */

struct gosync_watchers *gosync_watchers_of(struct gosync_object *obj);
bool gosync_is_ready(const struct gosync_wait_op *op,
		     const struct gosync_waiter *waiter);
void gosync_changed(struct gosync_object *obj);

/* --- wait_change.c --- */

extern const struct gosync_wait_op gosync_version_op;
void gosync_version_changed(struct gosync_object *obj);
void gosync_version_left(struct gosync_object *obj,
			 struct gosync_waiter *waiter);
bool gosync_version_watched(const struct gosync_holder *holder,
			    struct gosync_waiter *waiter);
long gosync_version_wait(struct gosync_holder *holder, void *arg);

/* --- cond.c --- */

extern const struct gosync_wait_op gosync_cond_wait_op;
int gosync_cond_check_lock(const struct gosync_holder *lock, u32 flags);
const struct gosync_lock_ops *
gosync_cond_lock_ops(const struct gosync_holder *lock, u32 flags);
int gosync_cond_begin(struct gosync_waiter *waiter, struct gosync_holder *lock,
		      u32 flags);
long gosync_cond_result(const struct gosync_holder *lock, u32 deaths,
			long result, long locked);
void gosync_cond_pass_on(struct gosync_object *obj, u64 last);

#endif /* GOSYNC_WAIT_H */
