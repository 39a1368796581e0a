/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Differences between the kernels that the module runs on.
 */
#ifndef GOSYNC_COMPAT_H
#define GOSYNC_COMPAT_H

#include <linux/hrtimer.h>
#include <linux/ipc_namespace.h>
#include <linux/nsproxy.h>
#include <linux/sched.h>
#include <linux/time_namespace.h>
#include <linux/version.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 12, 0)
#error "gosync needs Linux 6.12 or newer"
#endif

#ifndef CONFIG_64BIT
#error "gosync shares 64-bit atomic words with user space: it needs a 64-bit kernel"
#endif

/* Has nobody but the caller a reference to the namespace? */
static inline bool gosync_ipc_ns_is_last(const struct ipc_namespace *ipc)
{
#ifdef CONFIG_IPC_NS
#ifdef ns_ref_read
	return ipc != &init_ipc_ns && ns_ref_read(ipc) == 1;
#else
	return ipc != &init_ipc_ns && refcount_read(&ipc->ns.count) == 1;
#endif
#else
	return false;
#endif
}

/*
 * Convert a CLOCK_MONOTONIC time of the caller's time namespace to the kernel's
 * own. timens_ktime_to_host() does this for built-in code.
 */
static inline ktime_t gosync_monotonic_to_host(ktime_t when)
{
#ifdef CONFIG_TIME_NS
	const struct timens_offsets *offsets = &current->nsproxy->time_ns->offsets;
	ktime_t offset = timespec64_to_ktime(offsets->monotonic);

	/*
	 * Saturate: a time before the kernel's 0 is 0, past its end is never.
	 */
	if (offset > 0)
		return when < offset ? 0 : when - offset;
	return when > KTIME_MAX + offset ? KTIME_MAX : when - offset;
#else
	return when;
#endif
}

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 13, 0)
static inline void
hrtimer_setup(struct hrtimer *timer,
	      enum hrtimer_restart (*function)(struct hrtimer *timer),
	      clockid_t clock, enum hrtimer_mode mode)
{
	hrtimer_init(timer, clock, mode);
	timer->function = function;
}
#endif

#endif /* GOSYNC_COMPAT_H */
