// SPDX-License-Identifier: GPL-2.0-only
/*
 * A table that many processes read and one process changes: prices, and their
 * total, which must be right for every reader.
 *
 *   prices READERS CHANGES
 */
#include <gosync-user.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TOTAL, FIRST, LAST = 8, DONE, WORDS };

static gosync_rwmutex_t *lock;
static gosync_int64_t *table;

static int64_t get(int i)
{
	int64_t now = 0;

	gosync_int64_load(table, i, &now);
	return now;
}

static int64_t sum(void)
{
	int64_t all = 0;

	for (int i = FIRST; i <= LAST; i++)
		all += get(i);
	return all;
}

static int change(int item, int64_t price)
{
	int ret = gosync_rwmutex_lock(lock);

	if (ret < 0)
		return ret;
	if (ret == 1) {
		/* A writer died before me: the table may be half changed. */
		gosync_int64_store(table, TOTAL, sum());
		gosync_rwmutex_recover(lock);
	}
	gosync_int64_store(table, item, price);
	gosync_int64_store(table, TOTAL, sum());
	return gosync_rwmutex_unlock(lock);
}

static int total_is_right(void)
{
	int right;

	if (gosync_rwmutex_rlock(lock) < 0)
		return 0;
	right = sum() == get(TOTAL);
	gosync_rwmutex_runlock(lock);
	return right;
}

static int open_by_name(unsigned int flags)
{
	unsigned int mode = flags ? 0600 : 0;
	int ret;

	ret = gosync_rwmutex_open("prices.lock", flags, mode, &lock);
	if (!ret)
		ret = gosync_int64_open("prices.table", flags ? WORDS : 0,
					flags, mode, &table);
	if (ret)
		fprintf(stderr, "prices: %s\n", gosync_strerror(0, ret));
	return ret;
}

static int read_prices(void)
{
	int looks = 0, wrong = 0;

	if (open_by_name(0))
		return 1;
	while (!looks || !get(DONE)) {
		wrong += !total_is_right();
		looks++;
	}
	return wrong != 0;
}

int main(int argc, char **argv)
{
	int readers = argc > 1 ? atoi(argv[1]) : 3;
	int changes = argc > 2 ? atoi(argv[2]) : 1000;
	int status, bad = 0;

	if (open_by_name(GOSYNC_CREATE))
		return 1;
	for (int i = 0; i < readers; i++)
		if (!fork())
			_exit(read_prices());
	for (int i = 0; i < changes; i++)
		bad += change(FIRST + i % LAST, i) != 0;
	gosync_int64_store(table, DONE, 1);
	while (wait(&status) > 0)
		bad += status != 0;
	printf("%d changes, %d readers, %d of them saw a wrong total\n",
	       changes, readers, bad);
	return bad != 0;
}
