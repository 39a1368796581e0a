// SPDX-License-Identifier: GPL-2.0-only
/*
 * A dispatcher with one wait for several things: a job of one of three
 * priorities, or the order to stop, which is a file descriptor.
 *
 *   dispatch                      do jobs; SIGTERM: stop, when none is left
 *   dispatch --put PRIORITY N     order N jobs: urgent, normal or bulk
 *   dispatch --remove             remove the queues
 *
 * There may be several dispatchers. A job needs both the disk and the line. If
 * they took one after the other, two dispatchers could wait for each other for
 * ever.
 */
#include <errno.h>
#include <gosync-user.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>

enum { URGENT, NORMAL, BULK, QUEUES };

static const char *const names[QUEUES] = { "urgent", "normal", "bulk" };

static gosync_semaphore_t *queues[QUEUES];
static gosync_mutex_t *disk, *line;

/* 1, an owner died, asks for no repair here. */
static int do_job(const char *what)
{
	struct gosync_wait_entry both[] = {
		gosync_entry_mutex(disk), gosync_entry_mutex(line),
	};
	int ret = gosync_wait_all(both, 2, GOSYNC_FOREVER, 0);

	if (ret)
		return ret;
	printf("%s\n", what);
	fflush(stdout);
	gosync_mutex_unlock(line);
	return gosync_mutex_unlock(disk);
}

/* The first that is ready is taken, so the order here is that of importance. */
static int dispatch(int stop)
{
	struct gosync_wait_entry entries[] = {
		gosync_entry_semaphore(queues[URGENT], 1),
		gosync_entry_semaphore(queues[NORMAL], 1),
		gosync_entry_semaphore(queues[BULK], 1),
		gosync_entry_fd(stop, POLLIN),
	};
	int got, ret;

	for (;;) {
		got = gosync_wait_any(entries, 4, GOSYNC_FOREVER, 0);
		if (got == QUEUES)
			return 0;
		ret = got < 0 ? got : do_job(names[got]);
		if (ret)
			return ret;
	}
}

static int open_all(void)
{
	char name[40];
	int i, ret;

	for (i = 0; i < QUEUES; i++) {
		snprintf(name, sizeof(name), "dispatch.%s", names[i]);
		ret = gosync_semaphore_open(name, 0, GOSYNC_CREATE |
					    GOSYNC_PERSIST, 0600, &queues[i]);
		if (ret)
			return ret;
	}
	ret = gosync_mutex_open("dispatch.disk", GOSYNC_CREATE, 0600, &disk);
	return ret ? ret : gosync_mutex_open("dispatch.line", GOSYNC_CREATE,
					     0600, &line);
}

static int put(const char *priority, const char *count)
{
	int i;

	for (i = 0; i < QUEUES; i++)
		if (!strcmp(priority, names[i]))
			return gosync_semaphore_release(queues[i], atoi(count));
	return -EINVAL;
}

static int remove_all(void)
{
	char name[40];
	int i, ret = 0;

	for (i = 0; i < QUEUES && !ret; i++) {
		snprintf(name, sizeof(name), "dispatch.%s", names[i]);
		ret = gosync_unlink(name);
	}
	return ret;
}

int main(int argc, char **argv)
{
	sigset_t term;
	int ret;

	sigemptyset(&term);
	sigaddset(&term, SIGTERM);
	sigprocmask(SIG_BLOCK, &term, NULL);
	ret = open_all();
	if (!ret && argc == 4 && !strcmp(argv[1], "--put"))
		ret = put(argv[2], argv[3]);
	else if (!ret && argc == 2 && !strcmp(argv[1], "--remove"))
		ret = remove_all();
	else if (!ret)
		ret = dispatch(signalfd(-1, &term, SFD_CLOEXEC));
	if (ret)
		fprintf(stderr, "dispatch: %s\n", gosync_strerror(0, ret));
	return !!ret;
}
