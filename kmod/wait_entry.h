/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Waiting for several things: the set of entries, for wait_entry.c, wait_any.c,
 * wait_all.c, and the commands of io_uring.
 */
#ifndef GOSYNC_WAIT_ENTRY_H
#define GOSYNC_WAIT_ENTRY_H

#include <linux/file.h>

#include "wait.h"

struct gosync_command;
struct gosync_turn;

/**
 * struct gosync_link - a command of io_uring and a holder that it waits for
 * @node: its node in the holder's list
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
 * struct gosync_wait_item - an entry of a set
 * @args: a copy of user space's entry; all copies are behind the entries
 * @fd: the file of its descriptor
 * @op: the operation to wait for; NULL: the file is polled
 * @waiter: the waiter
 * @link: its link with a command of io_uring, if a command waits
 * @together: wait for all: the sum of &gosync_waiter.number of this entry and
 *	those before it that want the same object
 * @turn: wait for all: the turn that is queued here (wait_all.c's lock)
 * @place: wait for all: its place in the object's queue for a turn
 *	(wait_all.c's lock)
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
 * struct gosync_wait_set - the entries of a wait for several things
 * @group: wait for any: the group of the waiters
 * @places: wait for all: the places to remember if a signal interrupts it
 * @uentries: the entries in user space
 * @count: the number of entries
 * @order: wait for all: the order in which the entries are taken
 * @entries: the entries
 */
struct gosync_wait_set {
	struct gosync_group *group;
	struct gosync_places *places;
	struct gosync_wait_entry __user *uentries;
	u32 count;
	u8 order[GOSYNC_WAIT_MAX];
	struct gosync_wait_item entries[];
};

static inline struct gosync_wait_item *
gosync_wait_item_of(struct gosync_waiter *waiter)
{
	return container_of(waiter, struct gosync_wait_item, waiter);
}

/* --- wait_entry.c --- */

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
