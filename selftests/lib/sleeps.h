/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How often a thread sleeps, for tests that prove it by a count.
 */
#ifndef SLEEPS_H
#define SLEEPS_H

#include <sys/resource.h>
#include <sys/utsname.h>

#include "gosync_test.h"

/* Of the calling thread, from its beginning */
static inline long sleeps_of_thread(void)
{
	struct rusage usage;

	MUST(!getrusage(RUSAGE_THREAD, &usage));
	return usage.ru_nvcsw;
}

/* The kernel's spinlocks sleep, too: then the count is too high. */
static inline bool is_rt_kernel(void)
{
	struct utsname uts;

	MUST(!uname(&uts));
	return strstr(uts.version, "PREEMPT_RT");
}

#endif /* SLEEPS_H */
