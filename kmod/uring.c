// SPDX-License-Identifier: GPL-2.0-only
/*
 * Operations by io_uring: all that may wait, without a thread that waits, and
 * the operations that go with them.
 *
 * An operation that can succeed at once does so when it is submitted. Otherwise
 * a command waits, see command.c.
 */
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "command.h"
#include "copy.h"

/* --- Waiting -------------------------------------------------------------- */

static int uring_wait_for(struct io_uring_cmd *cmd,
			  const struct gosync_request *request,
			  const struct gosync_wait_op *op,
			  unsigned int issue_flags)
{
	struct gosync_holder *holder = cmd->file->private_data;
	struct gosync_command *command;
	struct gosync_timeout timeout;
	struct gosync_waiter waiter;
	int ret;

	/* A signal's handler does not interrupt a command. */
	if (op->resumes && request->operand)
		return -EINVAL;
	gosync_waiter_setup(&waiter, holder);
	/* No thread waits, or runs a Once. */
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
	command = gosync_command_new(cmd, &timeout);
	if (!command)
		return -ENOMEM;
	command->op = op;
	command->waiter = waiter;
	INIT_LIST_HEAD(&command->waiter.entry.entry);
	return gosync_command_begin(command, &timeout, issue_flags);
}

static int uring_wait_for_any(struct io_uring_cmd *cmd,
			      const struct gosync_request *request,
			      unsigned int issue_flags)
{
	struct gosync_command *command;
	struct gosync_wait_many_args args;
	struct gosync_timeout timeout;
	struct gosync_wait_set *set;
	u32 size;
	int ret;

	if (request->deadline || request->flags || request->index)
		return -EINVAL;
	ret = gosync_copy_arg(&args, sizeof(args),
			      u64_to_user_ptr(request->operand), &size) ?:
	      gosync_timeout_init(&timeout, args.flags, args.deadline);
	if (ret)
		return ret;
	set = gosync_wait_set_get(&args, true);
	if (IS_ERR(set))
		return PTR_ERR(set);
	ret = gosync_wait_any_try(set);
	if (ret == -EBUSY) {
		command = gosync_command_new(cmd, &timeout);
		if (command) {
			command->set = set;
			return gosync_command_begin(command, &timeout,
						    issue_flags);
		}
		ret = -ENOMEM;
	}
	ret = gosync_wait_any_deliver(set, ret, false);
	gosync_wait_set_put(set);
	return ret;
}

static int uring_wait_for_cond(struct io_uring_cmd *cmd,
			       const struct gosync_request *request,
			       unsigned int issue_flags)
{
	struct gosync_holder *holder = cmd->file->private_data;
	u32 flags = request->flags & ~GOSYNC_READ_SIDE;
	struct gosync_command *command;
	struct gosync_timeout timeout;
	struct gosync_relock *relock;
	struct file *file;
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
	file = fget(request->operand);
	ret = -EBADF;
	if (!file)
		goto err_free;
	relock->lock = gosync_holder_of(file);
	ret = gosync_cond_check_lock(relock->lock, request->flags);
	if (ret)
		goto err_put;
	relock->op = gosync_cond_lock_ops(relock->lock, request->flags)->op;
	relock->deaths = READ_ONCE(relock->lock->obj->deaths);
	command = gosync_command_new(cmd, &timeout);
	ret = -ENOMEM;
	if (!command)
		goto err_put;
	command->op = &gosync_cond_wait_op;
	command->relock = relock;
	gosync_waiter_setup(&command->waiter, holder);
	return gosync_command_begin(command, &timeout, issue_flags);
err_put:
	fput(file);
err_free:
	kfree(relock);
	return ret;
}

/* --- The command ---------------------------------------------------------- */

/*
 * Run an operation that doesn't wait. Return: -ENOTTY if io_uring can't do it
 */
static long run_at_once(const struct gosync_ioctl *ioctl,
			struct gosync_holder *holder,
			const struct gosync_request *request)
{
	u64 arg[GOSYNC_ARG_MAX / sizeof(u64)] = {};

	if (request->deadline || request->flags)
		return -EINVAL;
	if (ioctl->fill)
		return ioctl->fill(arg, request->operand, request->index) ?:
		       ioctl->op(holder, arg);
	if (request->index || request->operand)
		return -EINVAL;
	return ioctl->flags & GOSYNC_URING ? ioctl->op(holder, NULL) : -ENOTTY;
}

static long run_request(struct io_uring_cmd *cmd,
			const struct gosync_request *request,
			unsigned int issue_flags)
{
	struct gosync_holder *holder = gosync_holder_of(cmd->file);
	const struct gosync_ioctl *ioctl;
	int ret;

	if (request->cmd == GOSYNC_IOC_CANCEL)
		return gosync_cancel(cmd, request);
	if (!holder)
		return request->cmd == GOSYNC_IOC_WAIT ?
		       uring_wait_for_any(cmd, request, issue_flags) : -ENOTTY;
	ioctl = gosync_ioctl_of(holder->obj->ops, request->cmd);
	if (!ioctl)
		return -ENOTTY;
	ret = gosync_may_run(ioctl, holder);
	if (ret)
		return ret;
	if (request->cmd == GOSYNC_IOC_COND_WAIT)
		return uring_wait_for_cond(cmd, request, issue_flags);
	if (ioctl->wait)
		return uring_wait_for(cmd, request, ioctl->wait, issue_flags);
	return run_at_once(ioctl, holder, request);
}

int gosync_uring_cmd(struct io_uring_cmd *cmd, unsigned int issue_flags)
{
	const struct io_uring_sqe *sqe = cmd->sqe;
	const struct gosync_uring *args;
	struct gosync_request request;
	long ret;

	if (issue_flags & IO_URING_F_CANCEL) {
		/*
		 * The command was set before this could come. It may have
		 * ended.
		 */
		gosync_command_end(*gosync_command_of(cmd), -ECANCELED);
		return 0;
	}
	/* Older kernels refuse these themselves. Nothing here can be polled. */
	if (cmd_to_io_kiocb(cmd)->ctx->flags & IORING_SETUP_IOPOLL)
		return -EOPNOTSUPP;
	args = gosync_uring_args(sqe);
	request = (struct gosync_request) {
		.cmd = cmd->cmd_op,
		.operand = READ_ONCE(sqe->addr),
		.deadline = READ_ONCE(args->deadline),
		.flags = READ_ONCE(args->flags),
		.index = READ_ONCE(args->index),
	};
	if (READ_ONCE(sqe->len) || READ_ONCE(sqe->buf_index) ||
	    READ_ONCE(sqe->file_index) || cmd->flags & IORING_URING_CMD_MASK)
		return -EINVAL;
	ret = run_request(cmd, &request, issue_flags);
	/* io_uring would try again in a worker, which gets no signals. */
	return ret == -ERESTARTSYS || ret == -EAGAIN ? -EINTR : ret;
}
