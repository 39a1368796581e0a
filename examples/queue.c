// SPDX-License-Identifier: GPL-2.0-only
/*
 * A queue of numbers between any processes, with room for four.
 *
 *   queue put FROM TO   put numbers in, waiting for room
 *   queue take N        take that many out, waiting for them
 *
 * The queue exists as long as a process has it open.
 */
#include <gosync-user.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROOM	4

enum { HEAD = ROOM, TAIL, WORDS };

static gosync_mutex_t *lock;
static gosync_cond_t *not_empty, *not_full;
static gosync_int64_t *ring;

static int64_t get(int i)
{
	int64_t now = 0;

	gosync_int64_load(ring, i, &now);
	return now;
}

/*
 * 1 from lock and wait (an owner died) asks for no repair here: a number is in
 * once TAIL says so, and out once HEAD does.
 */
static int put(int64_t number)
{
	int ret = gosync_mutex_lock(lock);

	while (ret >= 0 && get(TAIL) - get(HEAD) == ROOM)
		ret = gosync_cond_wait(not_full, lock);
	if (ret < 0)
		return ret;
	gosync_int64_store(ring, get(TAIL) % ROOM, number);
	gosync_int64_add(ring, TAIL, 1, NULL);
	gosync_cond_signal(not_empty);
	return gosync_mutex_unlock(lock);
}

static int take(int64_t *number)
{
	int ret = gosync_mutex_lock(lock);

	while (ret >= 0 && get(TAIL) == get(HEAD))
		ret = gosync_cond_wait(not_empty, lock);
	if (ret < 0)
		return ret;
	*number = get(get(HEAD) % ROOM);
	gosync_int64_add(ring, HEAD, 1, NULL);
	gosync_cond_signal(not_full);
	return gosync_mutex_unlock(lock);
}

int main(int argc, char **argv)
{
	int64_t i, number;
	int ret;

	ret = gosync_mutex_open("queue.lock", GOSYNC_CREATE, 0600, &lock);
	if (!ret)
		ret = gosync_cond_open("queue.not_empty", GOSYNC_CREATE, 0600,
				       &not_empty);
	if (!ret)
		ret = gosync_cond_open("queue.not_full", GOSYNC_CREATE, 0600,
				       &not_full);
	if (!ret)
		ret = gosync_int64_open("queue.ring", WORDS, GOSYNC_CREATE,
					0600, &ring);
	if (argc == 4 && !strcmp(argv[1], "put")) {
		for (i = atoll(argv[2]); !ret && i <= atoll(argv[3]); i++)
			ret = put(i);
	} else if (argc == 3 && !strcmp(argv[1], "take")) {
		for (i = 0; !ret && i < atoll(argv[2]); i++) {
			ret = take(&number);
			if (!ret)
				printf("%lld\n", (long long)number);
		}
	} else {
		fprintf(stderr, "queue put FROM TO | queue take N\n");
		return 2;
	}
	if (ret)
		fprintf(stderr, "queue: %s\n", gosync_strerror(0, ret));
	return ret != 0;
}
