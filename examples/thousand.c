// SPDX-License-Identifier: GPL-2.0-only
/*
 * One thread asks for a thousand named locks at once, with io_uring.
 *
 *   thousand [N]
 *
 * Another process has every tenth of them. The thread gets the others at once,
 * and these when they are released. Meanwhile it could do other work, and no
 * thread of the kernel sleeps for it.
 */
#include <errno.h>
#include <gosync-uring.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define EVERY	10

static gosync_mutex_t **locks;
static int count = 1000;

static int failed(const char *what, int ret)
{
	fprintf(stderr, "thousand: %s: %s\n", what, gosync_strerror(0, ret));
	return 1;
}

static int open_locks(void)
{
	char name[40];
	int i, ret = 0;

	locks = calloc(count, sizeof(*locks));
	for (i = 0; locks && i < count && !ret; i++) {
		snprintf(name, sizeof(name), "thousand.%d", i);
		ret = gosync_mutex_open(name, GOSYNC_CREATE, 0600, &locks[i]);
	}
	return locks ? ret : -ENOMEM;
}

/* The other process: hold some, until told to release them, the last one first */
static int have_some(int ready, int go)
{
	char byte = 0;
	int i;

	for (i = 0; i < count; i += EVERY)
		if (gosync_mutex_lock(locks[i]))
			return 1;
	if (write(ready, &byte, 1) != 1 || read(go, &byte, 1) != 1)
		return 1;
	for (i -= EVERY; i >= 0; i -= EVERY)
		gosync_mutex_unlock(locks[i]);
	return 0;
}

static int ask_for_all(struct io_uring *ring)
{
	int i, ret;

	for (i = 0; i < count; i++) {
		struct io_uring_sqe *sqe = io_uring_get_sqe(ring);

		if (!sqe)
			return -EBUSY;
		gosync_prep_mutex_lock(sqe, locks[i], GOSYNC_FOREVER, 0);
		io_uring_sqe_set_data64(sqe, i);
	}
	ret = io_uring_submit(ring);
	return ret == count ? 0 : ret < 0 ? ret : -EIO;
}

/* Return: the next lock that we have, or -errno */
static int next(struct io_uring *ring)
{
	struct io_uring_cqe *cqe;
	int ret;

	do {
		ret = io_uring_wait_cqe(ring, &cqe);
	} while (ret == -EINTR);
	if (ret)
		return ret;
	ret = cqe->res < 0 ? cqe->res : (int)cqe->user_data;
	io_uring_cqe_seen(ring, cqe);
	return ret;
}

static int take_all(struct io_uring *ring, int go)
{
	const int theirs = (count + EVERY - 1) / EVERY;
	int i, got, in_order = 0, held = 0;
	char byte = 0;

	for (i = 0; i < count - theirs; i++) {
		got = next(ring);
		if (got < 0)
			return got;
	}
	printf("%d at once\n", i);
	if (write(go, &byte, 1) != 1)
		return -errno;
	for (i = theirs - 1; i >= 0; i--) {
		got = next(ring);
		if (got < 0)
			return got;
		in_order += got == i * EVERY;
	}
	printf("%d as they were let go, %d of them in that order\n", theirs,
	       in_order);
	for (i = 0; i < count; i++)
		held += gosync_mutex_trylock(locks[i]) == -EBUSY;
	for (i = 0; i < count; i++)
		gosync_mutex_unlock(locks[i]);
	printf("%d held by one thread\n", held);
	return 0;
}

int main(int argc, char **argv)
{
	int ready[2], go[2], ret, status;
	struct io_uring ring;
	char byte;
	pid_t pid;

	if (argc > 1)
		count = atoi(argv[1]);
	ret = io_uring_queue_init(count, &ring, 0);
	if (ret == -ENOSYS || ret == -EPERM) {
		fputs("thousand: io_uring is forbidden here\n", stderr);
		return 1;
	}
	if (ret)
		return failed("io_uring", ret);
	ret = open_locks();
	if (ret)
		return failed("open", ret);
	if (pipe(ready) || pipe(go))
		return failed("pipe", -errno);
	pid = fork();
	if (!pid) {
		/* Or we'd not see it closed. */
		close(go[1]);
		_exit(have_some(ready[1], go[0]));
	}
	close(ready[1]);
	if (read(ready[0], &byte, 1) != 1)
		return failed("the other process", -ECHILD);
	ret = ask_for_all(&ring);
	if (!ret)
		ret = take_all(&ring, go[1]);
	if (ret)
		failed("lock", ret);
	close(go[1]);
	waitpid(pid, &status, 0);
	return ret || status;
}
