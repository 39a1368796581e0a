// SPDX-License-Identifier: GPL-2.0-only
/*
 * The life of a command of io_uring that waits.
 *
 * A command is a group (wait.c), of one waiter or of several. It ends once:
 * with a grant, at its deadline, or by a cancel; the party that takes the
 * group's claim ends it. That party does no more, in whatever context.
 * command_finish() tells the program, in the task that submitted the command,
 * or in the ring's own worker when that task is gone.
 *
 * That task may be stopped, or not look at its ring for long. Nobody else must
 * wait for it. So a worker withdraws the waiters that were not granted, as soon
 * as the command has ended; or command_finish() does, if that comes first. So
 * the withdrawal that wait.c demands of each group is done whatever becomes of
 * the task.
 *
 * A command may end in another thread while it is still being submitted. Both
 * the submitter and the party that ends it have to go through its gate, and the
 * second of them completes it.
 *
 * A grant is the program's once command_finish() takes it (GOSYNC_TAKEN). Until
 * then it may be recalled, when its holder has no descriptor any more
 * (orphan.c); then the worker gives it back. command_finish() itself gives a
 * grant back if the ring or the task is going, so that the program cannot have
 * it any more. io_uring makes sure that command_finish() runs: before a ring
 * goes it cancels the requests that are marked as ours are, and waits for all
 * of them.
 */
#include <linux/fs.h>
#include <linux/hrtimer.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "command.h"
#include "compat.h"

static struct kmem_cache *commands;

/* --- Ends ----------------------------------------------------------------- */

static void command_tell(struct gosync_group *group)
{
	struct gosync_command *command = container_of(group,
						      struct gosync_command,
						      group);
	struct gosync_holder *holder = gosync_command_granted_to(command);

	/*
	 * W-A, pairs with gosync_command_recall(); O-A, with orphan_closed().
	 */
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
 * The command has ended: withdraw and give back what it has no use for, so that
 * no other waiter waits for it. Called by the worker, or by command_finish() in
 * its place.
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

/* A task that is being killed does its work before it exits. */
static bool is_being_killed(void)
{
	return fatal_signal_pending(current) ||
	       current->signal->flags & SIGNAL_GROUP_EXIT;
}

/*
 * Take the grant for the program, unless it was recalled; then it is given
 * back.
 */
static void command_take(struct gosync_command *command)
{
	gosync_orphan_take(command);
	if (cancel_work_sync(&command->work) || !command->withdrawn)
		command_settle(command);
}

/* The result of a command that has ended */
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
		/* Without @since it succeeded at once and has not waited. */
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
 * Finish a wait for a Cond. Its first half has ended, or its second half, too.
 *
 * Return: false if the second half begins now.
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
	/* The wait has failed: pass its signal on. */
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

/* Tell the program what came of it. */
static void command_finish(struct io_uring_cmd *cmd, unsigned int issue_flags,
			   bool dying)
{
	struct gosync_command *command = *gosync_command_of(cmd);
	long ret;

	dying |= is_being_killed();
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
	/* A recall while it was linked has queued the worker. */
	cancel_work_sync(&command->work);
	/* Until then a cancel may look at the command. */
	gosync_uring_done(cmd, ret, issue_flags);
	free_command(command);
}

GOSYNC_DEFINE_TASK_WORK(command_finish_in_task, command_finish)

/* --- Beginnings ----------------------------------------------------------- */

/*
 * Go through the gate as the submitter. Return: true if the command has ended
 * by now, so that the caller has to complete it.
 */
static bool command_submitted(struct gosync_command *command)
{
	return atomic_dec_and_test(&command->gate);
}

/* Try the operation, or queue. */
static void command_attempt(struct gosync_command *command)
{
	struct gosync_relock *relock = command->relock;
	struct gosync_waiter *waiter = &command->waiter;
	struct gosync_group *group = &command->group;
	int ret;

	if (command->set) {
		ret = gosync_wait_any_queue(command->set, group, NULL);
		if (ret != -EINPROGRESS) {
			/* gosync_wait_any_queue() has taken the claim. */
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

/* Begin the second half of a wait for a Cond. Return: true if it has ended */
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
 * gosync_command_new() - make a command
 * @cmd: io_uring's part of it
 * @timeout: when it is to give up
 *
 * Return: a command, in which the caller sets the operation; or NULL.
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
		hrtimer_setup(&deadline->timer, command_expired,
			      timeout->clock, HRTIMER_MODE_ABS);
		deadline->command = command;
	}
	command->deadline = deadline;
	command->group.tell = command_tell;
	atomic_set(&command->gate, 2);
	INIT_WORK(&command->work, command_work);
	command->finish = command_finish_in_task;
	command->cmd = cmd;
	command->token = READ_ONCE(cmd->sqe->user_data);
	return command;
}

/**
 * gosync_command_begin() - begin to wait
 * @command: the command, with its operation set
 * @timeout: when it is to give up
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
		command_finish(cmd, issue_flags, false);
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
