/* SPDX-License-Identifier: GPL-2.0-only */
/* The ways in which a process, or its holder alone, comes to its end */
#ifndef ENDS_H
#define ENDS_H

#include "gosync_test.h"

static inline void end_by_exit(void *handle)
{
	_exit(0);
}

static inline void end_by_close(void *handle)
{
	gosync_close(handle);
	pause();
}

static inline void end_by_exec(void *handle)
{
	execlp("sleep", "sleep", "1000", NULL);
}

static inline void end_by_fault(void *handle)
{
	raise(SIGSEGV);
}

static inline void *sleep_for_ever(void *unused)
{
	for (;;)
		pause();
	return NULL;
}

static inline void end_with_threads(void *handle)
{
	pthread_t thread;

	pthread_create(&thread, NULL, sleep_for_ever, NULL);
	pthread_create(&thread, NULL, sleep_for_ever, NULL);
	_exit(0);
}

static void (*const ends[])(void *handle) = {
	end_by_exit, end_by_close, end_by_exec, end_by_fault, end_with_threads,
};

#endif /* ENDS_H */
