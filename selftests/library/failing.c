// SPDX-License-Identifier: GPL-2.0-only
/*
 * Each allocation and each system call of the library fails once. The function
 * says so, or does its work all the same. It leaves no descriptor and no memory
 * behind, and the next call of it succeeds.
 *
 * The functions of libc that the library calls are replaced by those here. What
 * gives something back is not made to fail: free(), munmap() and close().
 */
#include <dlfcn.h>
#include <stdarg.h>
#include "functions.h"

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t n, size_t size);
extern void __libc_free(void *memory);

/* The call that is to fail, 0: none; and how many there were so far */
static unsigned int nth, calls;
/* How many allocations there are */
static int allocated;

static bool fails(void)
{
	if (!nth || ++calls != nth)
		return false;
	errno = ENOMEM;
	return true;
}

void *malloc(size_t size)
{
	void *memory = fails() ? NULL : __libc_malloc(size);

	add(&allocated, !!memory);
	return memory;
}

void *calloc(size_t n, size_t size)
{
	void *memory = fails() ? NULL : __libc_calloc(n, size);

	add(&allocated, !!memory);
	return memory;
}

void free(void *memory)
{
	add(&allocated, -!!memory);
	__libc_free(memory);
}

void *mmap(void *at, size_t len, int prot, int flags, int fd, off_t offset)
{
	static void *(*next)(void *at, size_t len, int prot, int flags, int fd,
			     off_t offset);

	next = next ?: dlsym(RTLD_NEXT, "mmap");
	return fails() ? MAP_FAILED : next(at, len, prot, flags, fd, offset);
}

/* Up to three arguments, as the library has them */
long syscall(long number, ...)
{
	static long (*next)(long number, ...);
	long a, b, c;
	va_list args;

	next = next ?: dlsym(RTLD_NEXT, "syscall");
	va_start(args, number);
	a = va_arg(args, long);
	b = va_arg(args, long);
	c = va_arg(args, long);
	va_end(args);
	if (number != SYS_close && fails())
		return -1;
	return next(number, a, b, c);
}

int ioctl(int fd, unsigned long op, ...)
{
	static int (*next)(int fd, unsigned long op, ...);
	va_list args;
	void *arg;

	next = next ?: dlsym(RTLD_NEXT, "ioctl");
	va_start(args, op);
	arg = va_arg(args, void *);
	va_end(args);
	return fails() ? -1 : next(fd, op, arg);
}

int fcntl(int fd, int op, ...)
{
	static int (*next)(int fd, int op, ...);
	va_list args;
	long arg;

	next = next ?: dlsym(RTLD_NEXT, "fcntl");
	va_start(args, op);
	arg = va_arg(args, long);
	va_end(args);
	return fails() ? -1 : next(fd, op, arg);
}

FIXTURE(failing)
{
	unsigned int *fewer;		/* in a child: the call has fewer calls */
};

MAPPED_AND_IOCTL(failing);

FIXTURE_SETUP(failing)
{
	self->fewer = shared_memory(4096);
}

/* No memory; and what follows from that for a part of the call */
static bool is_told(int err)
{
	switch (-err) {
	case 0:
	case ENOMEM:
	case EBADF:	/* a descriptor that could not be had */
	case EPERM:	/* a lock that could not be had */
	case EAGAIN:	/* no thread, as pthread_create(3) says it */
	case ENXIO:	/* it did not answer, so it is no device of gosync's */
		return true;
	}
	return false;
}

/* In a child. Return: 0, or what is wrong */
static int fail_one(const struct row *row, unsigned int how, unsigned int which,
		    unsigned int *fewer)
{
	int fds, memory;

	/* libc keeps some of what it needs for the first thread. */
	open_all(how);
	row->call();
	open_all(how);
	fds = descriptors();
	memory = load(&allocated);
	failed = calls = 0;
	nth = which;
	row->call();
	nth = 0;
	store(fewer, calls < which);
	if (!is_told(failed))
		return 1;
	if (failed && calls < which)
		return 2;
	if (descriptors() != fds)
		return 3;
	/* The thread of gosync_waitgroup_go() may end a moment later. */
	if (!eventually(load(&allocated) <= memory))
		return 4;
	open_all(how);
	failed = 0;
	row->call();
	return failed ? 5 : 0;
}

TEST_F(failing, each_function_says_so_and_leaves_nothing_behind)
{
	unsigned int i, n, all = 0;
	int status;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		for (n = 1, store(self->fewer, 0); !load(self->fewer); n++) {
			status = reap_soon(CHILD(fail_one(&rows[i], variant->how,
							  n, self->fewer)));
			ASSERT_LE(0, status);
			EXPECT_EQ(0, status)
				TH_LOG("%s, call %u", rows[i].name, n);
		}
		all += n - 2;
	}
	TH_LOG("%u functions, %u failures", i, all);
	EXPECT_LT(0, all);
}

TEST_HARNESS_MAIN
