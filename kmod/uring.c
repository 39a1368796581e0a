// SPDX-License-Identifier: GPL-2.0-only
/*
 * Commands of io_uring: every operation that may wait, without a thread that
 * does, and those that go with them.
 *
 * What can be had at once is done where it is submitted. Otherwise a command is
 * a group (wait.c), of one waiter or of several, and ends once: granted, at its
 * deadline, or cancelled, whatever takes the group's claim. Who ends it does no
 * more than that, in whatever context; the rest, finish(), runs in the task
 * that submitted it, or in the ring's own worker when that task is gone.
 *
 * A command may end while it is still being submitted, in another thread. Two
 * have to go through its gate, who submits it and who ends it, and the second
 * completes it.
 *
 * What was granted to somebody who cannot have it any more, because the ring or
 * the task is going or no descriptor is left by which it could be released, is
 * given back in finish(). io_uring sees to it that finish() runs: a ring goes
 * when all its requests have, after cancelling those that are marked as ours are.
 */
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/hrtimer.h>
#include <linux/io_uring/cmd.h>
#include <linux/rbtree.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "many.h"

/* Of the SQE, each read once: user space may write there. */
struct request {
	unsigned int cmd;
	u64 operand;
	u64 deadline;
	u32 flags;
	u32 index;
};

/**
 * struct relock - the second half of a wait for a Cond
 * @cond: whose waiter it was
 * @lock: what is to be locked again
 * @op: how
 * @file: the lock's
 * @seen: as &gosync_waiter.seen of the first half
 * @flags: GOSYNC_READ_SIDE
 * @deaths: how many owners of @lock had died when it was unlocked
 * @failed: it could not be unlocked
 * @result: of the first half
 * @began: it is the second half that is under way
 */
struct relock {
	struct gosync_holder *cond;
	struct gosync_holder *lock;
	const struct gosync_wait_op *op;
	struct file *file;
	u64 seen;
	u32 flags;
	u32 deaths;
	int failed;
	int result;
	bool began;
};

struct deadline {
	struct hrtimer timer;
	struct command *command;
};

/**
 * struct command - a command that waits
 * @group: its claim
 * @gate: how many have still to go through
 * @error: why it ended, if it wasn't granted
 * @cmd: io_uring's part of it
 * @op: what it waits for
 * @deadline: when it gives up; NULL: never
 * @many: it is a wait for any of these; NULL: it isn't
 * @relock: it is a wait for a Cond; NULL: it isn't
 * @node: in the tree of those that can be cancelled
 * @token: by this
 * @waiter: who waits, unless it is for several
 */
struct command {
	struct gosync_group group;
	atomic_t gate;
	int error;
	struct io_uring_cmd *cmd;
	const struct gosync_wait_op *op;
	struct deadline *deadline;
	struct gosync_many *many;
	struct relock *relock;
	struct rb_node node;
	u64 token;
	struct gosync_waiter waiter;
};

static struct kmem_cache *commands;

static void finish(struct io_uring_cmd *cmd, unsigned int issue_flags);

static struct command **command_of(struct io_uring_cmd *cmd)
{
	return io_uring_cmd_to_pdu(cmd, struct command *);
}

/* --- Those that can be cancelled ------------------------------------------ */

static DEFINE_SPINLOCK(tree_lock);
static struct rb_root tree = RB_ROOT;

/* By file, ring, token, and their address */
struct place {
	const struct file *file;
	const void *ring;
	u64 token;
	const struct command *command;
};

static struct place place_of(const struct command *command)
{
	return (struct place) {
		.file = command->cmd->file,
		.ring = cmd_to_io_kiocb(command->cmd)->ctx,
		.token = command->token,
		.command = command,
	};
}

static bool is_before(const struct place *a, const struct place *b)
{
	if (a->file != b->file)
		return a->file < b->file;
	if (a->ring != b->ring)
		return a->ring < b->ring;
	if (a->token != b->token)
		return a->token < b->token;
	return a->command < b->command;
}

static bool before(struct rb_node *a, const struct rb_node *b)
{
	struct place left = place_of(rb_entry(a, struct command, node));
	struct place right = place_of(rb_entry(b, struct command, node));

	return is_before(&left, &right);
}

/* The first that is not before @place, or NULL */
static struct command *find(const struct place *place)
{
	struct rb_node *node = tree.rb_node;
	struct command *found = NULL;

	lockdep_assert_held(&tree_lock);
	while (node) {
		struct command *command = rb_entry(node, struct command, node);
		struct place its = place_of(command);

		if (is_before(&its, place)) {
			node = node->rb_right;
		} else {
			found = command;
			node = node->rb_left;
		}
	}
	return found;
}

/* --- Ends ----------------------------------------------------------------- */

/* The caller has taken the claim, in any context. */
static void ended(struct command *command)
{
	struct io_uring_cmd *cmd = command->cmd;

	if (atomic_dec_and_test(&command->gate))
		io_uring_cmd_complete_in_task(cmd, finish);
}

static void tell(struct gosync_group *group)
{
	/* Pairs with the gate. */
	smp_store_release(&group->claim, GOSYNC_TOLD);
	ended(container_of(group, struct command, group));
}

/* Return: false if it has ended otherwise */
static bool end_with(struct command *command, int error)
{
	if (!gosync_group_leave(&command->group))
		return false;
	command->error = error;
	ended(command);
	return true;
}

static enum hrtimer_restart expired(struct hrtimer *timer)
{
	struct deadline *deadline = container_of(timer, struct deadline, timer);

	end_with(deadline->command, -ETIMEDOUT);
	return HRTIMER_NORESTART;
}

static bool was_granted(const struct command *command)
{
	return READ_ONCE(command->group.claim) == GOSYNC_TOLD;
}

/*
 * A command keeps its open file description. If nothing else does, nobody can
 * release what was granted.
 */
static bool is_orphan(const struct command *command)
{
	const struct io_uring_cmd *cmd = command->cmd;
	const struct gosync_holder *holder;

	if (command->many)
		return gosync_many_is_orphan(command->many);
	if (command->relock)
		return command->relock->began &&
		       file_count(command->relock->file) == 1;
	holder = command->waiter.holder;
	return !(cmd_to_io_kiocb((void *)cmd)->flags & REQ_F_FIXED_FILE) &&
	       file_count(cmd->file) <= atomic_read(&holder->commands);
}

static bool is_dying(const struct command *command, unsigned int issue_flags)
{
	/* A task that is being killed does its work before it exits. */
	return issue_flags & IO_URING_F_TASK_DEAD ||
	       fatal_signal_pending(current) ||
	       current->signal->flags & SIGNAL_GROUP_EXIT ||
	       (was_granted(command) && is_orphan(command));
}

static long give_back(struct command *command)
{
	if (command->op->give_back)
		command->op->give_back(&command->waiter);
	return -ECANCELED;
}

/* What came of it; it waits no longer. */
static long outcome(struct command *command, bool dying)
{
	struct gosync_waiter *waiter = &command->waiter;
	long ret = was_granted(command) ? 0 : command->error;

	if (command->many) {
		if (!ret)
			ret = gosync_many_granted(command->many);
		gosync_many_withdraw(command->many, ret < 0 ? ret : -ECANCELED);
		ret = gosync_many_deliver(command->many, ret, dying);
		return ret == -EINTR ? -ECANCELED : ret;
	}
	if (ret) {
		gosync_withdraw(waiter, ret);
		return ret;
	}
	/* What was got while it was submitted was not waited for. */
	if (waiter->since)
		gosync_wait_ends(waiter->holder->obj, waiter, 0);
	if (dying)
		return give_back(command);
	return command->op->result ? command->op->result(waiter) : 0;
}

static bool queue_again(struct command *command);

/*
 * A wait for a Cond: the first half has ended, or both have.
 *
 * Return: false if the second half is under way now.
 */
static bool finish_relock(struct command *command, bool dying, long *ret)
{
	struct relock *relock = command->relock;
	struct gosync_waiter *waiter = &command->waiter;

	if (!relock->began) {
		*ret = outcome(command, false);
		relock->seen = was_granted(command) ? waiter->seen : 0;
		relock->result = *ret;
		if (relock->failed) {
			*ret = relock->failed;
		} else if ((*ret && *ret != -ETIMEDOUT) || dying) {
			*ret = -ECANCELED;
		} else {
			relock->began = true;
			if (!queue_again(command))
				return false;
		}
	}
	if (relock->began) {
		*ret = outcome(command, dying);
		if (*ret >= 0)
			*ret = gosync_cond_result(relock->lock, relock->deaths,
						  relock->result, *ret);
	}
	/* A signal that comes to nothing is the next one's. */
	if (*ret < 0 && *ret != -ETIMEDOUT && relock->seen)
		gosync_cond_pass_on(relock->cond->obj, relock->seen);
	return true;
}

static void forget(struct command *command)
{
	spin_lock(&tree_lock);
	rb_erase(&command->node, &tree);
	spin_unlock(&tree_lock);
}

static void free_command(struct command *command)
{
	if (command->many)
		gosync_many_put(command->many);
	if (command->relock) {
		fput(command->relock->file);
		kfree(command->relock);
	}
	kfree(command->deadline);
	kmem_cache_free(commands, command);
}

static void finish(struct io_uring_cmd *cmd, unsigned int issue_flags)
{
	struct command *command = *command_of(cmd);
	struct gosync_holder *holder = NULL;
	bool dying;
	long ret;

	if (command->deadline)
		hrtimer_cancel(&command->deadline->timer);
	dying = is_dying(command, issue_flags);
	if (command->relock) {
		if (!finish_relock(command, dying, &ret))
			return;
	} else {
		ret = outcome(command, dying);
	}
	if (ret == -ERESTARTSYS)
		ret = -EINTR;
	if (!command->many)
		holder = cmd->file->private_data;
	forget(command);
	if (holder)
		atomic_dec(&holder->commands);
	/* Until then it may be looked at to cancel it. */
	io_uring_cmd_done(cmd, ret, 0, issue_flags);
	free_command(command);
}

/* --- Beginnings ----------------------------------------------------------- */

/*
 * The gate is the submitter's. Return: whether the command has ended by now, and
 * is to be completed by the caller.
 */
static bool submitted(struct command *command)
{
	return atomic_dec_and_test(&command->gate);
}

/* Get it or queue. Return: as submitted() */
static bool attempt_and_submit(struct command *command)
{
	struct gosync_group *group = &command->group;
	struct gosync_waiter *waiter = &command->waiter;
	struct relock *relock = command->relock;
	int ret;

	if (command->many) {
		ret = gosync_many_queue(command->many, group, NULL);
		if (ret != -EINPROGRESS) {
			/* Its claim was taken for that. */
			command->error = ret;
			ended(command);
		}
		return submitted(command);
	}
	gosync_count_waits(waiter->holder->obj);
	gosync_waiter_join(waiter, group, NULL);
	if (relock && !relock->began) {
		ret = gosync_cond_begin(waiter, relock->lock, relock->flags);
		relock->failed = ret;
	} else {
		ret = command->op->attempt(waiter, true);
		if (!ret && gosync_group_won(group, waiter))
			ended(command);
		else if (!ret)
			give_back(command);
		else if (ret == -EINPROGRESS)
			gosync_wait_begins(waiter);
	}
	if (ret && ret != -EINPROGRESS)
		end_with(command, ret);
	return submitted(command);
}

/* The second half of a wait for a Cond. Return: whether it has ended */
static bool queue_again(struct command *command)
{
	struct relock *relock = command->relock;

	gosync_waiter_setup(&command->waiter, relock->lock);
	command->op = relock->op;
	command->error = 0;
	atomic_set(&command->gate, 2);
	/* From now on it may be cancelled again. */
	smp_store_release(&command->group.claim, GOSYNC_WAITING);
	return attempt_and_submit(command);
}

static struct command *new_command(struct io_uring_cmd *cmd,
				   const struct gosync_timeout *timeout)
{
	struct deadline *deadline = NULL;
	struct command *command;

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
		deadline->timer.function = expired;
		deadline->command = command;
	}
	command->deadline = deadline;
	command->group.tell = tell;
	atomic_set(&command->gate, 2);
	command->cmd = cmd;
	command->token = READ_ONCE(cmd->sqe->user_data);
	return command;
}

/* Wait for it. The command is what the caller made of it but for that. */
static int begin(struct command *command, const struct gosync_timeout *timeout,
		 unsigned int issue_flags)
{
	struct io_uring_cmd *cmd = command->cmd;

	if (!command->many) {
		struct gosync_holder *holder = cmd->file->private_data;

		atomic_inc(&holder->commands);
		command->waiter.timed = command->deadline;
	}
	spin_lock(&tree_lock);
	rb_add(&command->node, &tree, before);
	spin_unlock(&tree_lock);
	*command_of(cmd) = command;
	/* From here on it may be cancelled. */
	io_uring_cmd_mark_cancelable(cmd, issue_flags);
	if (command->deadline)
		hrtimer_start(&command->deadline->timer, timeout->when,
			      HRTIMER_MODE_ABS);
	if (attempt_and_submit(command))
		finish(cmd, issue_flags);
	return -EIOCBQUEUED;
}

static int wait_for(struct io_uring_cmd *cmd, const struct request *request,
		    const struct gosync_wait_op *op, unsigned int issue_flags)
{
	struct gosync_holder *holder = cmd->file->private_data;
	struct gosync_timeout timeout;
	struct gosync_waiter waiter;
	struct command *command;
	int ret;

	/* A signal's handler does not come in between. */
	if (request->cmd == GOSYNC_IOC_WAITGROUP_WAIT && request->operand)
		return -EINVAL;
	gosync_waiter_setup(&waiter, holder);
	/* No thread is the one that waits, or that runs a Once. */
	waiter.entry.private = NULL;
	ret = gosync_timeout_init(&timeout, request->flags,
				  request->deadline) ?:
	      gosync_check_operand(op, &waiter, request->index,
				   request->operand) ?:
	      op->attempt(&waiter, false);
	if (!ret)
		return op->result ? op->result(&waiter) : 0;
	if (ret != -EBUSY)
		return ret;
	command = new_command(cmd, &timeout);
	if (!command)
		return -ENOMEM;
	command->op = op;
	command->waiter = waiter;
	INIT_LIST_HEAD(&command->waiter.entry.entry);
	return begin(command, &timeout, issue_flags);
}

static int wait_for_any(struct io_uring_cmd *cmd,
			const struct request *request, unsigned int issue_flags)
{
	struct gosync_wait_many args;
	struct gosync_timeout timeout;
	struct command *command;
	struct gosync_many *many;
	u32 size;
	int ret;

	if (request->deadline || request->flags || request->index)
		return -EINVAL;
	ret = gosync_copy_arg(&args, sizeof(args),
			      u64_to_user_ptr(request->operand), &size) ?:
	      gosync_timeout_init(&timeout, args.flags, args.deadline);
	if (ret)
		return ret;
	many = gosync_many_get(&args, true);
	if (IS_ERR(many))
		return PTR_ERR(many);
	ret = gosync_many_try(many);
	if (ret == -EBUSY) {
		command = new_command(cmd, &timeout);
		if (command) {
			command->many = many;
			return begin(command, &timeout, issue_flags);
		}
		ret = -ENOMEM;
	}
	ret = gosync_many_deliver(many, ret, false);
	gosync_many_put(many);
	return ret;
}

static int wait_for_cond(struct io_uring_cmd *cmd,
			 const struct request *request,
			 unsigned int issue_flags)
{
	struct gosync_holder *holder = cmd->file->private_data;
	u32 flags = request->flags & ~GOSYNC_READ_SIDE;
	struct gosync_timeout timeout;
	struct command *command;
	struct relock *relock;
	int ret;

	if (request->index || request->operand > INT_MAX)
		return -EINVAL;
	ret = gosync_timeout_init(&timeout, flags, request->deadline);
	if (ret)
		return ret;
	relock = kzalloc(sizeof(*relock), GFP_KERNEL_ACCOUNT);
	if (!relock)
		return -ENOMEM;
	relock->cond = holder;
	relock->flags = request->flags;
	relock->file = fget(request->operand);
	ret = -EBADF;
	if (!relock->file)
		goto err_free;
	relock->lock = gosync_holder_of(relock->file);
	ret = gosync_cond_check_lock(relock->lock, request->flags);
	if (ret)
		goto err_put;
	relock->op = gosync_cond_lock_op(relock->lock, request->flags);
	relock->deaths = READ_ONCE(relock->lock->obj->deaths);
	command = new_command(cmd, &timeout);
	ret = -ENOMEM;
	if (!command)
		goto err_put;
	command->op = &gosync_cond_wait_op;
	command->relock = relock;
	gosync_waiter_setup(&command->waiter, holder);
	return begin(command, &timeout, issue_flags);
err_put:
	fput(relock->file);
err_free:
	kfree(relock);
	return ret;
}

/* --- Cancelling ----------------------------------------------------------- */

static int cancel(struct io_uring_cmd *cmd, const struct request *request)
{
	bool all = request->flags & GOSYNC_CANCEL_ALL;
	struct place place = {
		.file = cmd->file,
		.ring = cmd_to_io_kiocb(cmd)->ctx,
		.token = request->operand,
	};
	int n = 0;

	if (request->flags & ~GOSYNC_CANCEL_ALL || request->index ||
	    request->deadline || (all && request->operand))
		return -EINVAL;
	for (;;) {
		struct command *command;
		struct place its;
		bool ours;

		spin_lock(&tree_lock);
		command = find(&place);
		if (command)
			its = place_of(command);
		if (!command || its.file != place.file || its.ring != place.ring ||
		    (!all && its.token != request->operand)) {
			spin_unlock(&tree_lock);
			break;
		}
		ours = gosync_group_leave(&command->group);
		/* The next one, even if this one goes. */
		place.token = its.token;
		place.command = (void *)command + 1;
		spin_unlock(&tree_lock);
		if (ours) {
			command->error = -ECANCELED;
			ended(command);
			n++;
		}
		cond_resched();
	}
	return n ?: -ENOENT;
}

/* --- The command ---------------------------------------------------------- */

/* Operations that don't wait. Return: -ENOTTY if it is none of these */
static long run_at_once(struct gosync_holder *holder,
			const struct request *request)
{
	struct gosync_semaphore semaphore = { .count = request->operand };
	struct gosync_waitgroup_add add = { .delta = request->operand };
	struct gosync_atomic_wake wake = {
		.index = request->index,
		.count = request->operand,
	};

	if (request->deadline || request->flags)
		return -EINVAL;
	switch (request->cmd) {
	case GOSYNC_IOC_ATOMIC_WAKE:
		if (request->operand > U32_MAX)
			return -EINVAL;
		return gosync_atomic_wake(holder, &wake);
	case GOSYNC_IOC_SEMAPHORE_RELEASE:
		if (request->index || request->operand > U32_MAX)
			return -EINVAL;
		return gosync_semaphore_release(holder, &semaphore);
	case GOSYNC_IOC_WAITGROUP_ADD:
		if (request->index)
			return -EINVAL;
		return gosync_waitgroup_add(holder, &add);
	}
	if (request->index || request->operand)
		return -EINVAL;
	switch (request->cmd) {
	case GOSYNC_IOC_MUTEX_UNLOCK:
		return gosync_mutex_unlock(holder, NULL);
	case GOSYNC_IOC_RWMUTEX_UNLOCK:
		return gosync_rwmutex_unlock(holder, NULL);
	case GOSYNC_IOC_RWMUTEX_RUNLOCK:
		return gosync_rwmutex_runlock(holder, NULL);
	case GOSYNC_IOC_ONCE_DONE:
		return gosync_once_done(holder, NULL);
	case GOSYNC_IOC_COND_SIGNAL:
		return gosync_cond_signal(holder, NULL);
	case GOSYNC_IOC_COND_BROADCAST:
		return gosync_cond_broadcast(holder, NULL);
	default:
		return -ENOTTY;
	}
}

static long run(struct io_uring_cmd *cmd, const struct request *request,
		unsigned int issue_flags)
{
	struct gosync_holder *holder = gosync_holder_of(cmd->file);
	const struct gosync_wait_op *op;
	long ret;

	if (request->cmd == GOSYNC_IOC_CANCEL)
		return cancel(cmd, request);
	if (!holder)
		return request->cmd == GOSYNC_IOC_WAIT ?
		       wait_for_any(cmd, request, issue_flags) : -ENOTTY;
	ret = gosync_ioctl_allowed(holder, request->cmd);
	if (ret)
		return ret;
	if (request->cmd == GOSYNC_IOC_COND_WAIT)
		return wait_for_cond(cmd, request, issue_flags);
	if (request->cmd == GOSYNC_IOC_ONCE_BEGIN)
		op = &gosync_once_begin_op;
	else
		op = gosync_wait_op_of(request->cmd, holder->obj->type);
	if (op)
		return wait_for(cmd, request, op, issue_flags);
	return run_at_once(holder, request);
}

int gosync_uring_cmd(struct io_uring_cmd *cmd, unsigned int issue_flags)
{
	const struct io_uring_sqe *sqe = cmd->sqe;
	const struct gosync_uring *args;
	struct request request;
	long ret;

	if (issue_flags & IO_URING_F_CANCEL) {
		/* Marked once it could be found here; it may have ended. */
		end_with(*command_of(cmd), -ECANCELED);
		return 0;
	}
	args = io_uring_sqe_cmd(sqe);
	request = (struct request) {
		.cmd = cmd->cmd_op,
		.operand = READ_ONCE(sqe->addr),
		.deadline = READ_ONCE(args->deadline),
		.flags = READ_ONCE(args->flags),
		.index = READ_ONCE(args->index),
	};
	if (READ_ONCE(sqe->len) || READ_ONCE(sqe->buf_index) ||
	    READ_ONCE(sqe->file_index) || cmd->flags & IORING_URING_CMD_MASK)
		return -EINVAL;
	ret = run(cmd, &request, issue_flags);
	/* A second go would be in a worker, which has no signals. */
	return ret == -ERESTARTSYS || ret == -EAGAIN ? -EINTR : ret;
}

int __init gosync_uring_init(void)
{
	commands = KMEM_CACHE(command, SLAB_ACCOUNT);
	return commands ? 0 : -ENOMEM;
}

void gosync_uring_exit(void)
{
	kmem_cache_destroy(commands);
}
