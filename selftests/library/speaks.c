// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a program is told that opens objects of every type, by name and by
 * descriptor: one line, the error and what gosync_strerror() says of it. It is
 * compiled and linked for each of two layouts of the mapped state.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <gosync-user.h>

#define NAME	"speaks"

static int answer;

/* All of them are told the same. */
static void note(int ret)
{
	static int told;

	if (told++ && answer != ret)
		answer = -EILSEQ;
	else
		answer = ret;
}

/* A descriptor of a new object, which is not to be mapped */
static int new_fd(unsigned int type)
{
	struct gosync_open_args args = {
		.size = sizeof(args), .type = type, .flags = GOSYNC_CREATE,
		.mode = 0600,
	};
	int device = open(GOSYNC_DEVICE, O_RDWR | O_CLOEXEC);
	int fd = ioctl(device, GOSYNC_IOC_OPEN, &args);

	close(device);
	return fd;
}

#define FLAGS	(GOSYNC_CREATE | GOSYNC_PERSIST)

#define TRY(N, TYPE, open_it)						\
do {									\
	gosync_##N##_t *handle = NULL;					\
	int fd = new_fd(TYPE);						\
									\
	note(open_it);							\
	gosync_close(handle);						\
	handle = NULL;							\
	gosync_unlink(NAME);						\
	note(gosync_##N##_from_fd(fd, 0, &handle));			\
	if (handle)							\
		gosync_close(handle);					\
	else								\
		close(fd);						\
} while (0)

#define TRY_PLAIN(N, TYPE)						\
	TRY(N, TYPE, gosync_##N##_open(NAME, FLAGS, 0600, &handle))
#define TRY_SIZED(N, TYPE)						\
	TRY(N, TYPE, gosync_##N##_open(NAME, 0, FLAGS, 0600, &handle))

/* What refuses does so before anything is made. */
static int left_a_name(void)
{
	gosync_mutex_t *mutex = NULL;
	struct gosync_open_args args = {
		.size = sizeof(args), .name = (uintptr_t)NAME,
		.name_len = sizeof(NAME) - 1,
	};
	int device = open(GOSYNC_DEVICE, O_RDWR | O_CLOEXEC);
	int ret = gosync_mutex_open(NAME, FLAGS, 0600, &mutex);
	int fd = ioctl(device, GOSYNC_IOC_OPEN, &args);

	gosync_close(mutex);
	gosync_unlink(NAME);
	return ret && fd >= 0;
}

static int works(void)
{
	gosync_mutex_t *mutex;
	gosync_once_t *once;

	return !gosync_mutex_open(NULL, GOSYNC_CREATE, 0600, &mutex) &&
	       gosync_is_mapped(mutex) && !gosync_mutex_lock(mutex) &&
	       gosync_mutex_trylock(mutex) == -EBUSY &&
	       !gosync_mutex_unlock(mutex) && !gosync_mutex_trylock(mutex) &&
	       !gosync_once_open(NULL, GOSYNC_CREATE, 0600, &once) &&
	       gosync_once_begin(once) == GOSYNC_ONCE_RUN;
}

int main(void)
{
	TRY_PLAIN(mutex, GOSYNC_MUTEX);
	TRY_PLAIN(rwmutex, GOSYNC_RWMUTEX);
	TRY_PLAIN(waitgroup, GOSYNC_WAITGROUP);
	TRY_PLAIN(once, GOSYNC_ONCE);
	TRY_PLAIN(cond, GOSYNC_COND);
	TRY_SIZED(value, GOSYNC_VALUE);
	TRY_SIZED(semaphore, GOSYNC_SEMAPHORE);
	TRY_SIZED(map, GOSYNC_MAP);
	TRY_SIZED(int32, GOSYNC_INT32);
	TRY_SIZED(pointer, GOSYNC_POINTER);
	TRY_SIZED(bool, GOSYNC_BOOL);
	if (left_a_name())
		printf("a name was left\n");
	else if (answer)
		printf("%s\n", answer == -EPROTO ?
		       gosync_strerror(GOSYNC_IOC_OPEN, answer) :
		       "another error");
	else
		printf("%s\n", works() ? "works" : "does not work");
	return 0;
}
