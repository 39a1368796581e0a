// SPDX-License-Identifier: GPL-2.0-only
/*
 * Give parts of a sum to several processes, and wait until all are done.
 *
 *   fanout WORKERS N   the sum of the squares of 1 to N
 */
#include <gosync-user.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static gosync_waitgroup_t *wg;
static gosync_int64_t *sum;

static void work(int me, int workers, int n)
{
	int64_t part = 0;

	for (int64_t i = 1 + me; i <= n; i += workers)
		part += i * i;
	gosync_int64_add(sum, 0, part, NULL);
	gosync_waitgroup_done(wg);
}

static int fan_out(int workers, int n)
{
	int ret;

	/* Add first: the counter must not be 0 before the last worker is done. */
	ret = gosync_waitgroup_add(wg, workers);
	if (ret)
		return ret;
	for (int i = 0; i < workers; i++) {
		switch (fork()) {
		case 0:
			work(i, workers, n);
			_exit(0);
		case -1:
			/* No worker does this part. */
			gosync_waitgroup_done(wg);
		}
	}
	/* A dead worker is never done: do not wait for ever. */
	return gosync_waitgroup_wait_until(wg, gosync_deadline(60000000000), 0);
}

int main(int argc, char **argv)
{
	int workers = argc > 1 ? atoi(argv[1]) : 4;
	int n = argc > 2 ? atoi(argv[2]) : 1000;
	int64_t all = 0;
	int ret;

	/* Anonymous objects are enough: the children inherit them. */
	ret = gosync_waitgroup_open(NULL, GOSYNC_CREATE, 0600, &wg);
	if (!ret)
		ret = gosync_int64_open(NULL, 1, GOSYNC_CREATE, 0600, &sum);
	if (!ret)
		ret = fan_out(workers, n);
	if (ret) {
		fprintf(stderr, "fanout: %s\n", gosync_strerror(0, ret));
		return 1;
	}
	gosync_int64_load(sum, 0, &all);
	printf("%d workers: %lld\n", workers, (long long)all);
	return 0;
}
