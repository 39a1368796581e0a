/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Waiting for several things: the set of them, for wait_entry.c, wait_any.c,
 * wait_all.c, and the commands of io_uring.
 */
#ifndef GOSYNC_WAIT_ENTRY_H
#define GOSYNC_WAIT_ENTRY_H

#include <linux/file.h>

#include "wait.h"

struct gosync_command;
struct gosync_turn;

/**
 * struct gosync_link - a command of io_uring and a holder for which it waits
 * @node: in the holder's list
 * @holder: the holder
 * @command: the command
 * @keeps: it has a reference to the holder's file
 */
struct gosync_link {
	struct hlist_node node;
	struct gosync_holder *holder;
	struct gosync_command *command;
	bool keeps;
};

/**
 * struct gosync_wait_item - one thing of a set
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
struct gosync_wait_item {
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
 * struct gosync_wait_set - several things for which somebody waits
 * @group: that of the waiters, if it is for any
 * @places: for all: of those that a signal interrupted
 * @uentries: where user space has them
 * @count: how many
 * @order: for all: the order in which they are taken
 * @entries: these
 */
struct gosync_wait_set {
	struct gosync_group *group;
	struct gosync_places *places;
	struct gosync_wait_entry __user *uentries;
	u32 count;
	u8 order[GOSYNC_WAIT_MAX];
	struct gosync_wait_item entries[];
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

static inline struct gosync_wait_item *
gosync_wait_item_of(struct gosync_waiter *waiter)
{
	return container_of(waiter, struct gosync_wait_item, waiter);
}

/* --- wait_entry.c --- */

void gosync_tell_sleeper(struct gosync_group *group);
struct gosync_wait_set *
gosync_wait_set_get(const struct gosync_wait_many_args *args, bool async);
void gosync_wait_set_put(struct gosync_wait_set *set);
int gosync_wait_item_tell(struct gosync_wait_set *set, u32 i);
int gosync_wait_item_stale(const struct gosync_wait_item *entry);
void gosync_wait_item_give_back(struct gosync_wait_item *entry);

/* --- wait_any.c --- */

int gosync_wait_any_try(struct gosync_wait_set *set);
int gosync_wait_any_queue(struct gosync_wait_set *set,
			  struct gosync_group *group, struct task_struct *task);
int gosync_wait_any_granted(struct gosync_wait_set *set);
void gosync_wait_any_withdraw(struct gosync_wait_set *set, int ret);
long gosync_wait_any_deliver(struct gosync_wait_set *set, long ret, bool dying);
long gosync_wait_any(struct gosync_wait_set *set,
		     const struct gosync_timeout *timeout);

/* --- wait_all.c --- */

int gosync_wait_all(struct gosync_wait_set *set,
		    const struct gosync_timeout *timeout);

#endif /* GOSYNC_WAIT_ENTRY_H */
