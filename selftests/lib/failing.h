/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The functions of libc that the library calls, in place of libc's: one of them
 * is made to fail. What gives something back does not fail: free(), munmap() and
 * close().
 */
#ifndef FAILING_H
#define FAILING_H

#include <dlfcn.h>
#include <stdarg.h>
#include "gosync_test.h"

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void __libc_free(void *memory);

/*
 * The call of this thread that is to fail, 0: none; and how many there were so far.
 * A thread of gosync_waitgroup_go() runs when it likes, and its calls do not count.
 */
static __thread unsigned int nth, calls;
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

#endif /* FAILING_H */
