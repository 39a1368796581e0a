/* SPDX-License-Identifier: GPL-2.0-only */
/* Children that their parent runs instruction by instruction */
#ifndef STEP_H
#define STEP_H

#include <sys/ptrace.h>
#include "gosync_test.h"

/* The child stops here, until its parent steps it on. */
static inline void begin_to_step(void)
{
	ptrace(PTRACE_TRACEME);
	kill(getpid(), SIGSTOP);
}

/* Whether it is stopped; its status otherwise */
static inline bool has_stopped(pid_t pid, int *status)
{
	return waitpid(pid, status, 0) == pid && WIFSTOPPED(*status);
}

/* One instruction more of a child that is stopped. Return: as has_stopped() */
static inline bool step(pid_t pid, int *status)
{
	ptrace(PTRACE_SINGLESTEP, pid, NULL, NULL);
	return has_stopped(pid, status);
}

static inline void end_of_steps(pid_t pid)
{
	ptrace(PTRACE_DETACH, pid, NULL, NULL);
}

#endif /* STEP_H */
