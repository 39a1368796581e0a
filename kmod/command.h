/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Commands of io_uring that wait, for uring.c, which begins them, command.c,
 * which ends them, cancel.c and orphan.c, which do so before their time.
 */
#ifndef GOSYNC_COMMAND_H
#define GOSYNC_COMMAND_H

#include <linux/hrtimer.h>
#include <linux/io_uring/cmd.h>
#include <linux/rbtree.h>
#include <linux/workqueue.h>

#include "wait_entry.h"

/**
 * struct gosync_request - of the SQE, each read once: user space may write there
 * @cmd: the operation
 * @operand: as &struct gosync_uring says, like those that follow
 * @deadline: so
 * @flags: so
 * @index: so
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
 * @cond: whose waiter it was
 * @lock: what is to be locked again
 * @op: how
 * @seen: as &gosync_waiter.seen of the first half
 * @flags: GOSYNC_READ_SIDE
 * @deaths: how many owners of @lock had died when it was unlocked
 * @failed: it could not be unlocked
 * @result: of the first half
 * @began: it is the second half that is under way
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
 * @group: its claim
 * @gate: how many have still to go through
 * @error: why it ended, if it wasn't granted
 * @withdrawn: what was not granted is in no queue any more
 * @given_back: nor is what was recalled, its holder's
 * @work: sees to these two, lest others wait until its task does
 * @finish: tells the program what came of it
 * @cmd: io_uring's part of it
 * @op: what it waits for
 * @deadline: when it gives up; NULL: never
 * @set: it is a wait for any of these; NULL: it isn't
 * @relock: it is a wait for a Cond; NULL: it isn't
 * @node: in the tree of those that can be cancelled
 * @token: by this
 * @link: with the holder that is to have what it waits for, unless it is for
 *	several
 * @waiter: who waits, unless it is for several
 */
struct gosync_command {
	struct gosync_group group;
	atomic_t gate;
	int error;
	bool withdrawn;
	bool given_back;
	struct work_struct work;
	void (*finish)(struct io_uring_cmd *cmd, unsigned int issue_flags);
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
bool gosync_is_orphan(const struct gosync_holder *holder);
void gosync_orphan_check(struct gosync_command *command);

#endif /* GOSYNC_COMMAND_H */
