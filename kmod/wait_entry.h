/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Several things that are waited for, for wait_entry.c, wait_all.c and uring.c.
 */
#ifndef GOSYNC_WAIT_ENTRY_H
#define GOSYNC_WAIT_ENTRY_H

#include <linux/file.h>

#include "gosync.h"

struct gosync_turn;

/**
 * struct gosync_many_entry - one of them
 * @args: what user space said, with the others' behind the entries
 * @fd: the descriptor's file
 * @op: what to do; NULL: only poll it
 * @waiter: who waits for it
 * @link: with a command of io_uring, if it is that which waits
 * @together: for all: &gosync_waiter.number by which it is seen whether there is
 *	enough for this one and those before that want the same
 * @turn: for all: who is in the object's line for a turn (wait_all.c's lock)
 * @place: for all: the place in it (so)
 */
struct gosync_many_entry {
	struct gosync_wait_entry *args;
	struct fd fd;
	const struct gosync_wait_op *op;
	struct gosync_waiter waiter;
	struct gosync_link link;
	u64 together;
	struct gosync_turn *turn;
	struct list_head place;
};

/**
 * struct gosync_many - what somebody waits for
 * @group: that of the waiters, if it is for any
 * @places: for all: of those that a signal interrupted
 * @uentries: where user space has them
 * @count: how many
 * @order: for all: the order in which they are taken
 * @entries: these
 */
struct gosync_many {
	struct gosync_group *group;
	struct gosync_places *places;
	struct gosync_wait_entry __user *uentries;
	u32 count;
	u8 order[GOSYNC_WAIT_MAX];
	struct gosync_many_entry entries[];
};

/**
 * struct gosync_sleeper - a group for which a task sleeps
 * @group: its &gosync_group.tell is gosync_tell_sleeper()
 * @task: the task
 */
struct gosync_sleeper {
	struct gosync_group group;
	struct task_struct *task;
};

static inline struct gosync_many_entry *
gosync_entry_of(struct gosync_waiter *waiter)
{
	return container_of(waiter, struct gosync_many_entry, waiter);
}

void gosync_tell_sleeper(struct gosync_group *group);
struct gosync_many *gosync_many_get(const struct gosync_wait_many_args *args,
				    bool async);
void gosync_many_put(struct gosync_many *many);
int gosync_many_try(struct gosync_many *many);
int gosync_many_queue(struct gosync_many *many, struct gosync_group *group,
		      struct task_struct *task);
int gosync_many_granted(struct gosync_many *many);
void gosync_many_withdraw(struct gosync_many *many, int ret);
int gosync_many_tell(struct gosync_many *many, u32 i);
int gosync_many_stale(const struct gosync_many_entry *entry);
void gosync_many_give_back(struct gosync_many_entry *entry);
int gosync_wait_for_all(struct gosync_many *many,
			const struct gosync_timeout *timeout);
long gosync_many_deliver(struct gosync_many *many, long ret, bool dying);

#endif /* GOSYNC_WAIT_ENTRY_H */
