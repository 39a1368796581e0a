// SPDX-License-Identifier: GPL-2.0-only
/*
 * GOSYNC_IOC_WAIT: waiting for any or all of several things.
 */
#include "wait_entry.h"

long gosync_wait_many(struct gosync_holder *unused, void *arg)
{
	const struct gosync_wait_many_args *args = arg;
	struct gosync_timeout timeout;
	struct gosync_wait_set *set;
	long ret;

	ret = gosync_timeout_init(&timeout, args->flags & ~GOSYNC_WAIT_ALL,
				  args->deadline);
	if (ret)
		return ret;
	set = gosync_wait_set_get(args, false);
	if (IS_ERR(set))
		return PTR_ERR(set);
	if (args->flags & GOSYNC_WAIT_ALL)
		ret = gosync_wait_all(set, &timeout);
	else
		ret = gosync_wait_any(set, &timeout);
	gosync_wait_set_put(set);
	return ret;
}
