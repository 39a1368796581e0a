/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Waiting commands of io_uring: uring.c begins them, command.c ends them,
 * cancel.c and orphan.c end them early.
 */
#ifndef GOSYNC_COMMAND_H
#define GOSYNC_COMMAND_H

#include <linux/hrtimer.h>
#include <linux/rbtree.h>
#include <linux/workqueue.h>

#include "compat_uring.h"
#include "wait_entry.h"

/**
 * struct gosync_request - a copy of the SQE, which user space may change
 * @cmd: the operation
 * @operand: see &struct gosync_uring
 * @deadline: see &struct gosync_uring
 * @flags: see &struct gosync_uring
 * @index: see &struct gosync_uring
 */
struct gosync_request {
	unsigned int cmd;
	u64 operand;
	u64 deadline;
	u32 flags;
	u32 index;
};

/**
 * struct gosync_relock - the second half of a wait for a Cond
 * @cond: the holder of the Cond
 * @lock: the holder that locks L again
 * @op: the operation that locks
 * @seen: &gosync_waiter.seen of the first half
 * @flags: GOSYNC_READ_SIDE
 * @deaths: the number of L's owners that had died when it was unlocked
 * @failed: the error if L could not be unlocked, or 0
 * @result: the result of the first half
 * @began: the second half has begun
 */
struct gosync_relock {
	struct gosync_holder *cond;
	struct gosync_holder *lock;
	const struct gosync_wait_op *op;
	u64 seen;
	u32 flags;
	u32 deaths;
	int failed;
	int result;
	bool began;
};

struct gosync_deadline {
	struct hrtimer timer;
	struct gosync_command *command;
};

/**
 * struct gosync_command - a command that waits
 * @group: the group with its claim
 * @gate: the number of parties that have still to go through
 * @error: the error with which it ended, if it was not granted
 * @withdrawn: the waiters that were not granted were withdrawn
 * @given_back: the recalled grant was given back
 * @work: the worker's part, which does these two without the command's task
 * @finish: command_finish()
 * @cmd: io_uring's part of it
 * @op: the operation that it waits for
 * @deadline: the timer that ends it; NULL: it has no deadline
 * @set: the entries if it is a wait for any; or NULL
 * @relock: the second half if it is a wait for a Cond; or NULL
 * @node: its node in the tree of commands that can be cancelled
 * @token: the SQE's user_data, by which it is cancelled
 * @link: its link with the holder that may be granted something; in a wait for
 *	any each entry has its own
 * @waiter: its waiter; in a wait for any each entry has its own
 */
struct gosync_command {
	struct gosync_group group;
	atomic_t gate;
	int error;
	bool withdrawn;
	bool given_back;
	struct work_struct work;
	gosync_task_work_t finish;
	struct io_uring_cmd *cmd;
	const struct gosync_wait_op *op;
	struct gosync_deadline *deadline;
	struct gosync_wait_set *set;
	struct gosync_relock *relock;
	struct rb_node node;
	u64 token;
	struct gosync_link link;
	struct gosync_waiter waiter;
};

static inline struct gosync_command **gosync_command_of(struct io_uring_cmd *cmd)
{
	return io_uring_cmd_to_pdu(cmd, struct gosync_command *);
}

static inline int gosync_command_claim(const struct gosync_command *command)
{
	return READ_ONCE(command->group.claim);
}

static inline bool
gosync_command_was_granted(const struct gosync_command *command)
{
	return gosync_command_claim(command) != GOSYNC_GONE;
}

/* --- gate.c --- */

struct gosync_holder *
gosync_command_granted_to(const struct gosync_command *command);
void gosync_command_ended(struct gosync_command *command);
bool gosync_command_end(struct gosync_command *command, int error);
void gosync_command_recall(struct gosync_command *command,
			   const struct gosync_holder *holder);
int gosync_gate_init(void);
void gosync_gate_exit(void);

/* --- command.c --- */

struct gosync_command *gosync_command_new(struct io_uring_cmd *cmd,
					  const struct gosync_timeout *timeout);
int gosync_command_begin(struct gosync_command *command,
			 const struct gosync_timeout *timeout,
			 unsigned int issue_flags);

/* --- cancel.c --- */

void gosync_cancel_list(struct gosync_command *command);
void gosync_cancel_forget(struct gosync_command *command);
int gosync_cancel(struct io_uring_cmd *cmd,
		  const struct gosync_request *request);

/* --- orphan.c --- */

void gosync_orphan_link(struct gosync_command *command);
void gosync_orphan_unlink(struct gosync_command *command);
void gosync_orphan_take(struct gosync_command *command);
bool gosync_is_orphan(const struct gosync_holder *holder);
void gosync_orphan_check(struct gosync_command *command);

#endif /* GOSYNC_COMMAND_H */
