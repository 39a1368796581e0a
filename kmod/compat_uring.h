/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What differs in io_uring between the kernels that the module runs on.
 */
#ifndef GOSYNC_COMPAT_URING_H
#define GOSYNC_COMPAT_URING_H

#include <linux/gosync.h>
#include <linux/io_uring/cmd.h>
#include <linux/version.h>
#include <linux/version.h>

/*
 * Define a function for io_uring_cmd_complete_in_task() that calls
 *	void _function(struct io_uring_cmd *cmd, unsigned int issue_flags,
 *		       bool dying)
 * Its task is @dying if io_uring itself runs what the task has left.
 */
#ifdef IO_URING_CMD_TASK_WORK_ISSUE_FLAGS
#define gosync_task_work_t	io_req_tw_func_t

#define GOSYNC_DEFINE_TASK_WORK(_name, _function)			\
static void _name(struct io_tw_req request, io_tw_token_t token)	\
{									\
	_function(io_uring_cmd_from_tw(request),			\
		  IO_URING_CMD_TASK_WORK_ISSUE_FLAGS, token.cancel);	\
}
#else
typedef void (*gosync_task_work_t)(struct io_uring_cmd *cmd,
				   unsigned int issue_flags);

#define GOSYNC_DEFINE_TASK_WORK(_name, _function)			\
static void _name(struct io_uring_cmd *cmd, unsigned int issue_flags)	\
{									\
	_function(cmd, issue_flags,					\
		  issue_flags & IO_URING_F_TASK_DEAD);			\
}
#endif

static inline void gosync_uring_done(struct io_uring_cmd *cmd, long result,
				     unsigned int issue_flags)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 18, 0)
	io_uring_cmd_done(cmd, result, 0, issue_flags);
#else
	io_uring_cmd_done(cmd, result, issue_flags);
#endif
}

static inline const struct gosync_uring *
gosync_uring_args(const struct io_uring_sqe *sqe)
{
#ifdef io_uring_sqe128_cmd	/* it came with the second argument */
	return io_uring_sqe_cmd(sqe, struct gosync_uring);
#else
	return io_uring_sqe_cmd(sqe);
#endif
}

#endif /* GOSYNC_COMPAT_URING_H */
