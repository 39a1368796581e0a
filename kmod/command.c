// SPDX-License-Identifier: GPL-2.0-only
/*
 * The life of a command of io_uring that waits.
 *
 * A command is a group (wait.c), of one waiter or of several, and ends once:
 * granted, at its deadline, or cancelled, whatever takes the group's claim. Who
 * ends it does no more than that, in whatever context; what the program is told
 * is seen to by command_finish(), in the task that submitted it, or in the ring's
 * own worker when that task is gone.
 *
 * That task may be stopped, or not look at its ring for long. Nobody else is to
 * wait for it: what stands in a queue and was not granted is withdrawn by a
 * worker, as soon as the command has ended, or by command_finish() if that comes
 * first.
 * So what wait.c asks of who has a group, to withdraw it, is done whatever
 * becomes of the task.
 *
 * A command may end while it is still being submitted, in another thread. Two
 * have to go through its gate, who submits it and who ends it, and the second
 * completes it.
 *
 * What was granted is there for the program to have until command_finish() takes
 * it (GOSYNC_TAKEN). Until then it may be recalled, when nobody has a descriptor of
 * it any more (orphan.c); then it is given back by the worker. And command_finish()
 * gives back itself what was granted to somebody who cannot have it any more,
 * because the ring or the task is going. io_uring sees to it that
 * command_finish() runs:
 * a ring goes when all its requests have, after cancelling those that are marked
 * as ours are.
 */
#include <linux/fs.h>
#include <linux/hrtimer.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "command.h"

static struct kmem_cache *commands;

static void command_finish(struct io_uring_cmd *cmd, unsigned int issue_flags);

/* --- Ends ----------------------------------------------------------------- */

static void command_tell(struct gosync_group *group)
{
	struct gosync_command *command = container_of(group,
						      struct gosync_command,
						      group);
	struct gosync_holder *holder = gosync_command_granted_to(command);

	/* W-A, pairs with gosync_command_recall(); O-A, with orphan_closed(). */
	smp_store_release(&group->claim, GOSYNC_TOLD);
	if (holder && gosync_is_orphan(holder))
		gosync_command_recall(command, holder);
	gosync_command_ended(command);
}

static enum hrtimer_restart command_expired(struct hrtimer *timer)
{
	struct gosync_deadline *deadline;

	deadline = container_of(timer, struct gosync_deadline, timer);
	gosync_command_end(deadline->command, -ETIMEDOUT);
	return HRTIMER_NORESTART;
}

static void command_give_back(struct gosync_command *command)
{
	if (command->set)
		gosync_wait_item_give_back(gosync_wait_item_of(command->group.winner));
	else if (command->op->give_back)
		command->op->give_back(&command->waiter);
}

/*
 * The command has ended: others do not wait for what it has no use for. By the
 * worker, or by command_finish() without it.
 */
static void command_settle(struct gosync_command *command)
{
	bool granted = gosync_command_was_granted(command);

	if (!command->withdrawn) {
		command->withdrawn = true;
		if (command->set)
			gosync_wait_any_withdraw(command->set, granted ?
					     -ECANCELED : command->error);
		else if (!granted)
			gosync_withdraw(&command->waiter, command->error);
	}
	if (gosync_command_claim(command) == GOSYNC_RECALLED && !command->given_back) {
		command->given_back = true;
		command_give_back(command);
	}
}

static void command_work(struct work_struct *work)
{
	command_settle(container_of(work, struct gosync_command, work));
}

static bool is_dying(const struct gosync_command *command,
		     unsigned int issue_flags)
{
	/* A task that is being killed does its work before it exits. */
	return issue_flags & IO_URING_F_TASK_DEAD ||
	       fatal_signal_pending(current) ||
	       current->signal->flags & SIGNAL_GROUP_EXIT;
}

/* The program has it now, or it will be given back. */
static void command_take(struct gosync_command *command)
{
	int was = GOSYNC_TOLD;

	try_cmpxchg(&command->group.claim, &was, GOSYNC_TAKEN);
	if (cancel_work_sync(&command->work) || !command->withdrawn)
		command_settle(command);
}

/* What came of it; it waits no longer. */
static long command_outcome(struct gosync_command *command, bool dying)
{
	struct gosync_waiter *waiter = &command->waiter;
	int claim = gosync_command_claim(command);
	struct gosync_holder *holder;
	int i = 0;

	if (claim == GOSYNC_GONE)
		return command->error;
	if (command->set)
		i = gosync_wait_any_granted(command->set);
	else if (waiter->since)
		/* What was got while it was submitted was not waited for. */
		gosync_wait_ends(waiter->holder->obj, waiter, 0);
	holder = gosync_command_granted_to(command);
	if (claim == GOSYNC_RECALLED)
		return holder && gosync_is_broken(holder) ? -ESTALE :
							    -ECANCELED;
	if (dying || (holder && gosync_is_orphan(holder))) {
		command_give_back(command);
		return -ECANCELED;
	}
	if (command->set)
		return gosync_wait_any_deliver(command->set, i, false);
	if (command->op->give_back && gosync_is_broken(waiter->holder)) {
		command_give_back(command);
		return -ESTALE;
	}
	return command->op->result ? command->op->result(waiter) : 0;
}

static bool command_queue_again(struct gosync_command *command);

/*
 * A wait for a Cond: the first half has ended, or both have.
 *
 * Return: false if the second half is under way now.
 */
static bool command_finish_relock(struct gosync_command *command, bool dying,
				  long *ret)
{
	struct gosync_relock *relock = command->relock;

	if (!relock->began) {
		*ret = command_outcome(command, false);
		relock->seen = gosync_command_was_granted(command) ? command->waiter.seen : 0;
		relock->result = *ret;
		if (relock->failed) {
			*ret = relock->failed;
		} else if (dying || (*ret && *ret != -ETIMEDOUT &&
				     *ret != -ESTALE)) {
			*ret = -ECANCELED;
		} else if (*ret != -ESTALE) {
			if (!command_queue_again(command))
				return false;
			command_take(command);
		}
	}
	if (relock->began) {
		*ret = command_outcome(command, dying);
		if (*ret >= 0)
			*ret = gosync_cond_result(relock->lock, relock->deaths,
						  relock->result, *ret);
	}
	/* A signal that comes to nothing is the next one's. */
	if (*ret < 0 && *ret != -ETIMEDOUT && relock->seen)
		gosync_cond_pass_on(relock->cond->obj, relock->seen);
	return true;
}

static void free_command(struct gosync_command *command)
{
	if (command->set)
		gosync_wait_set_put(command->set);
	if (command->relock) {
		fput(command->relock->lock->file);
		kfree(command->relock);
	}
	kfree(command->deadline);
	kmem_cache_free(commands, command);
}

static void command_finish(struct io_uring_cmd *cmd, unsigned int issue_flags)
{
	struct gosync_command *command = *gosync_command_of(cmd);
	bool dying = is_dying(command, issue_flags);
	long ret;

	if (command->deadline)
		hrtimer_cancel(&command->deadline->timer);
	command_take(command);
	if (!command->relock)
		ret = command_outcome(command, dying);
	else if (!command_finish_relock(command, dying, &ret))
		return;
	if (ret == -ERESTARTSYS)
		ret = -EINTR;
	gosync_cancel_forget(command);
	gosync_orphan_unlink(command);
	/* Who recalled it while it was linked has the worker look. */
	cancel_work_sync(&command->work);
	/* Until then it may be looked at to cancel it. */
	io_uring_cmd_done(cmd, ret, 0, issue_flags);
	free_command(command);
}

/* --- Beginnings ----------------------------------------------------------- */

/*
 * The gate is the submitter's. Return: whether the command has ended by now, and
 * is to be completed by the caller.
 */
static bool command_submitted(struct gosync_command *command)
{
	return atomic_dec_and_test(&command->gate);
}

/* Get it or queue. */
static void command_attempt(struct gosync_command *command)
{
	struct gosync_relock *relock = command->relock;
	struct gosync_waiter *waiter = &command->waiter;
	struct gosync_group *group = &command->group;
	int ret;

	if (command->set) {
		ret = gosync_wait_any_queue(command->set, group, NULL);
		if (ret != -EINPROGRESS) {
			/* Its claim was taken for that. */
			command->error = ret;
			gosync_command_ended(command);
		}
		return;
	}
	gosync_count_waits(waiter->holder->obj);
	gosync_waiter_join(waiter, group, NULL);
	if (relock && !relock->began) {
		ret = gosync_cond_begin(waiter, relock->lock, relock->flags);
		relock->failed = ret;
	} else {
		ret = command->op->attempt(waiter, true);
		if (!ret && gosync_group_won(group, waiter))
			gosync_command_ended(command);
		else if (!ret)
			command_give_back(command);
		else if (ret == -EINPROGRESS)
			gosync_wait_begins(waiter);
	}
	if (ret && ret != -EINPROGRESS)
		gosync_command_end(command, ret);
}

/* Return: as command_submitted() */
static bool command_attempt_and_submit(struct gosync_command *command)
{
	command_attempt(command);
	gosync_orphan_check(command);
	return command_submitted(command);
}

/* The second half of a wait for a Cond. Return: whether it has ended */
static bool command_queue_again(struct gosync_command *command)
{
	struct gosync_relock *relock = command->relock;

	gosync_waiter_setup(&command->waiter, relock->lock);
	command->op = relock->op;
	command->error = 0;
	command->withdrawn = false;
	atomic_set(&command->gate, 2);
	WRITE_ONCE(relock->began, true);
	/* From now on it may be cancelled again. */
	smp_store_release(&command->group.claim, GOSYNC_WAITING);
	return command_attempt_and_submit(command);
}

/**
 * gosync_command_new() - make one
 * @cmd: io_uring's part of it
 * @timeout: until when it is to wait
 *
 * Return: a command that has still to be told what to wait for, or NULL.
 */
struct gosync_command *gosync_command_new(struct io_uring_cmd *cmd,
					  const struct gosync_timeout *timeout)
{
	struct gosync_deadline *deadline = NULL;
	struct gosync_command *command;

	command = kmem_cache_zalloc(commands, GFP_KERNEL_ACCOUNT);
	if (!command)
		return NULL;
	if (timeout->when != KTIME_MAX) {
		deadline = kmalloc(sizeof(*deadline), GFP_KERNEL_ACCOUNT);
		if (!deadline) {
			kmem_cache_free(commands, command);
			return NULL;
		}
		hrtimer_init(&deadline->timer, timeout->clock,
			     HRTIMER_MODE_ABS);
		deadline->timer.function = command_expired;
		deadline->command = command;
	}
	command->deadline = deadline;
	command->group.tell = command_tell;
	atomic_set(&command->gate, 2);
	INIT_WORK(&command->work, command_work);
	command->finish = command_finish;
	command->cmd = cmd;
	command->token = READ_ONCE(cmd->sqe->user_data);
	return command;
}

/**
 * gosync_command_begin() - wait for it
 * @command: what the caller made of it
 * @timeout: until when
 * @issue_flags: io_uring's
 *
 * Return: -EIOCBQUEUED: it will be completed, or was.
 */
int gosync_command_begin(struct gosync_command *command,
			 const struct gosync_timeout *timeout,
			 unsigned int issue_flags)
{
	struct io_uring_cmd *cmd = command->cmd;

	command->waiter.timed = command->deadline;
	gosync_orphan_link(command);
	gosync_cancel_list(command);
	*gosync_command_of(cmd) = command;
	/* From here on it may be cancelled. */
	io_uring_cmd_mark_cancelable(cmd, issue_flags);
	if (command->deadline)
		hrtimer_start(&command->deadline->timer, timeout->when,
			      HRTIMER_MODE_ABS);
	if (command_attempt_and_submit(command))
		command_finish(cmd, issue_flags);
	return -EIOCBQUEUED;
}

int __init gosync_commands_init(void)
{
	commands = KMEM_CACHE(gosync_command, SLAB_ACCOUNT);
	if (!commands)
		return -ENOMEM;
	if (!gosync_gate_init())
		return 0;
	kmem_cache_destroy(commands);
	return -ENOMEM;
}

void gosync_commands_exit(void)
{
	gosync_gate_exit();
	kmem_cache_destroy(commands);
}
