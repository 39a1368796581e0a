/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Waiting: a waiter, what it can wait for, and the queue that it is in.
 */
#ifndef GOSYNC_WAIT_H
#define GOSYNC_WAIT_H

#include <linux/ktime.h>
#include <linux/list.h>
#include <linux/minmax.h>
#include <linux/wait.h>

#include "gosync.h"

struct gosync_places;
struct gosync_turn;
struct poll_wqueues;
struct task_struct;

/* Bounded work under the object's lock: so many waiters are looked at in one go */
#define GOSYNC_WAKE_BATCH	32

/* Who goes back to his place passes so many at the most, from either end */
#define GOSYNC_PASSED_MAX	512

/* --- wait.c --- */

/**
 * enum gosync_wake - what a waiter that was claimed is told
 * @GOSYNC_RETRY: look again
 * @GOSYNC_GRANTED: it has what it waited for
 */
enum gosync_wake {
	GOSYNC_RETRY,
	GOSYNC_GRANTED,
};

/**
 * enum gosync_how - how something was got
 * @GOSYNC_BARGED: although others wait
 * @GOSYNC_WOKEN: by one that waited, when it looked again
 * @GOSYNC_HANDED_OVER: by who released it, to one that waited
 */
enum gosync_how {
	GOSYNC_BARGED,
	GOSYNC_WOKEN,
	GOSYNC_HANDED_OVER,
};

/**
 * struct gosync_group - who waits for any of several things, or for one without
 *	sleeping
 * @claim: as in &struct gosync_waiter, for all of them together
 * @winner: that which was granted
 * @tell: it was: must set @claim to GOSYNC_TOLD; then the group may be gone.
 *	Called without locks
 */
struct gosync_group {
	int claim;
	struct gosync_waiter *winner;
	void (*tell)(struct gosync_group *group);
};

/**
 * struct gosync_wait_op - something to wait for, in whatever way
 * @takes: something is taken by it, which needs write permission and can be
 *	given back
 * @resumes: the operand of a wait that goes on after a signal's handler is
 *	&gosync_waiter.number, of which user space is told before
 * @tells_seen: user space is told &gosync_waiter.seen after a success
 * @most: several entries of a wait for all may want it of one object, so much
 *	together of &gosync_waiter.number; 0: only one may
 * @check: is this a possible operand; sets what of @waiter is compared; NULL:
 *	it has none
 * @attempt: do it; if that isn't possible now, queue @waiter if @queue. Return:
 *	0, -EINPROGRESS if queued, -EBUSY if neither, or another error. May sleep
 * @ready: would an attempt succeed? Certain with the object's lock; if there is
 *	no need to be it may be called without
 * @result: after a success or a grant: what the ioctl returns; NULL: 0
 * @give_back: undo a success or a grant; NULL if nothing is taken
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
 * struct gosync_waiter - somebody who waits for an object
 * @entry: in the object's queue, or, once claimed, in the claimer's list of
 *	those to wake
 * @holder: on whose behalf
 * @group: it only is granted things, never told to look again, and shares the
 *	claim; NULL: it has its own
 * @since: when it began, in ns of CLOCK_MONOTONIC; 0: it has not waited yet
 * @waited: how long that was, once it has been granted
 * @wait: the wait's number; those in a queue are in the order of it
 * @put_off: what it waits for comes piece by piece, and is lost when it leaves:
 *	for so long, in ns, only a signal that kills makes it leave
 * @claim: waiting, claimed, or told (see wait.c)
 * @wake: what it is told
 * @gave_up: 0, or the error with which it left, or would have left, had it not
 *	been claimed already: it is not to wait again
 * @stays: when a signal comes it stays in the queue, without a task
 * @starving: it has waited too long
 * @again: it goes on after a signal's handler
 * @timed: it has a deadline
 * @begun: tracers know that it waits
 * @among: it waits for several things
 * @shown: its thread waits for all of several things; that is counted and listed
 *	already
 * @queued: it counts as a waiter. One whose group was claimed elsewhere may
 *	have been taken off the queue already
 * @index: atomics: which word; RWMutex: &enum gosync_wants
 * @number: WaitGroup, RWMutex: which generation it belongs to; Semaphore: how
 *	many permits it wants; Cond: in the order of the queue
 * @expected: atomics, Value, Map: what it waits to see the end of
 * @seen: and what came instead; Cond: the last number there was when it was
 *	signalled, 0: by a broadcast
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
	bool starving;
	bool again;
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

/**
 * struct gosync_timeout - when to give up waiting
 * @when: the kernel's own time, KTIME_MAX: never
 * @clock: of which clock
 * @killable: until then only a signal that kills is handled
 */
struct gosync_timeout {
	ktime_t when;
	clockid_t clock;
	bool killable;
};

/* Are these flags of a deadline, and no others? */
static inline bool gosync_is_clock(u32 flags)
{
	return !(flags & ~GOSYNC_CLOCK_REALTIME);
}

static inline enum gosync_wants gosync_wants(const struct gosync_object *obj,
					     const struct gosync_waiter *waiter)
{
	return obj->ops->wants ? obj->ops->wants(waiter) : GOSYNC_WANTS_IT;
}

/* The values of a claim, see wait.c; the last two are command.c's */
enum {
	GOSYNC_WAITING,
	GOSYNC_CLAIMED,
	GOSYNC_TOLD,
	GOSYNC_GONE,
	GOSYNC_TAKEN,
	GOSYNC_RECALLED,
};

/**
 * struct gosync_watchers - those who are told of changes, but granted nothing
 * @wq: they
 * @all: of them, those who wait for all of several things (@obj->wq.lock)
 * @turns: of these, those who are in line for their turn (wait_all.c's lock)
 * @has_turn: whose turn it is; or NULL (as @turns)
 */
struct gosync_watchers {
	wait_queue_head_t wq;
	struct list_head all;
	struct list_head turns;
	struct gosync_turn *has_turn;
};

/* Is anybody told when it can be had, besides those who wait in the queues? */
static inline bool gosync_watched(const struct gosync_object *obj)
{
	struct gosync_watchers *watch = READ_ONCE(obj->watch);

	/* P-A, pairs with gosync_is_ready() in poll.c. */
	return unlikely(watch) && waitqueue_active(&watch->wq);
}

/* How many waiters user space is shown: 0 lets it do without the kernel. */
static inline u32 gosync_shown(const struct gosync_object *obj)
{
	return obj->nr_waiters + gosync_watched(obj);
}

/*
 * Who gathers something would never have it all, if he is interrupted more often
 * than that takes. So once he has been, the next handler is put off for some of
 * the time that he has waited (in ns).
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
unsigned int gosync_grant_all(struct gosync_object *obj,
			      struct list_head *group,
			      void (*grant)(struct gosync_object *obj,
					    struct gosync_waiter *waiter));
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
void gosync_places_exit(void);

/* --- wait_op.c --- */

int gosync_check_operand(const struct gosync_wait_op *op,
			 struct gosync_waiter *waiter, u32 index, u64 value);
int gosync_too_late(const struct gosync_holder *holder);
int gosync_wait_for(const struct gosync_wait_op *op,
		    struct gosync_waiter *waiter,
		    const struct gosync_timeout *timeout);

/*
 * What the ioctl of a wait does: @flags, @deadline, @index and @operand are from
 * its argument; @waiter is set unless they are wrong. Inline: perf names the
 * caller of gosync_wait_for() as the place of a wait.
 */
static __always_inline int
gosync_wait_alone(const struct gosync_wait_op *op, struct gosync_holder *holder,
		  struct gosync_waiter *waiter, u32 flags, u64 deadline,
		  u32 index, u64 operand)
{
	struct gosync_timeout timeout;
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
	struct gosync_waiter waiter;

	return gosync_wait_alone(op, holder, &waiter, args->flags,
				 args->deadline, 0, 0);
}

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

#endif /* GOSYNC_WAIT_H */
