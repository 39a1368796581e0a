// SPDX-License-Identifier: GPL-2.0-only
/*
 * The end of a command of io_uring: a party takes its claim and goes through
 * its gate. A deadline, a cancel and the end of a holder do this in any
 * context. command.c does what follows, in the task of the command.
 */
#include <linux/workqueue.h>

#include "command.h"

static struct workqueue_struct *workers;

/**
 * gosync_command_granted_to() - the holder that a command was granted to
 * @command: the command, which was granted
 *
 * Return: the holder, or NULL if the grant acquires nothing.
 */
struct gosync_holder *
gosync_command_granted_to(const struct gosync_command *command)
{
	if (command->set)
		return command->group.winner->holder;
	if (command->relock)
		return command->relock->began ? command->relock->lock : NULL;
	return command->waiter.holder;
}

/**
 * gosync_command_ended() - complete a command, if it was submitted by now
 * @command: the command; the caller has taken its claim, in any context
 */
void gosync_command_ended(struct gosync_command *command)
{
	struct io_uring_cmd *cmd = command->cmd;

	/* A full barrier, as in gosync_command_recall(). */
	if (!atomic_dec_and_test(&command->gate))
		return;
	if (command->set || gosync_command_claim(command) != GOSYNC_TOLD)
		queue_work(workers, &command->work);
	io_uring_cmd_complete_in_task(cmd, command->finish);
}

/**
 * gosync_command_end() - end a command without a grant
 * @command: the command; the caller makes sure that it exists
 * @error: the error with which it ends
 *
 * From any context.
 *
 * Return: false if it has already ended.
 */
bool gosync_command_end(struct gosync_command *command, int error)
{
	if (!gosync_group_leave(&command->group))
		return false;
	command->error = error;
	gosync_command_ended(command);
	return true;
}

/**
 * gosync_command_recall() - take back a grant, if the program was not told
 * @command: the command; the caller makes sure that it exists
 * @holder: only if it was granted to this holder
 */
void gosync_command_recall(struct gosync_command *command,
			   const struct gosync_holder *holder)
{
	int was = GOSYNC_TOLD;

	/*
	 * W-A, pairs with command_tell() and gosync_group_won(): we see the
	 * winner.
	 */
	if (smp_load_acquire(&command->group.claim) != GOSYNC_TOLD ||
	    gosync_command_granted_to(command) != holder ||
	    !try_cmpxchg(&command->group.claim, &was, GOSYNC_RECALLED))
		return;
	/*
	 * Otherwise the party that goes through the gate last sees the recall.
	 */
	if (!atomic_read(&command->gate))
		queue_work(workers, &command->work);
}

int __init gosync_gate_init(void)
{
	/*
	 * With a rescuer thread: waiters behind a command never wait for
	 * memory.
	 */
	workers = alloc_workqueue("gosync", WQ_UNBOUND | WQ_HIGHPRI |
				  WQ_MEM_RECLAIM, 0);
	return workers ? 0 : -ENOMEM;
}

void gosync_gate_exit(void)
{
	destroy_workqueue(workers);
}
