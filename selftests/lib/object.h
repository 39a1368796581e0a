/* SPDX-License-Identifier: GPL-2.0-only */
/* Fixtures of one object each, and how handles of one are opened */
#ifndef OBJECT_H
#define OBJECT_H

#include "gosync_test.h"

/* @open(name, flags) is a handle of an N, which is gosync_mutex or so, or NULL. */
#define OPENER(open, N, ...)						\
static inline N##_t *open(const char *name, unsigned int flags)		\
{									\
	N##_t *handle;							\
									\
	return N##_open(name, ##__VA_ARGS__, flags, 0600, &handle) ?	\
		NULL : handle;						\
}

/* The @object has a @name; children share the memory. */
#define OBJECT_FIXTURE(fixture, N, object, open)			\
FIXTURE(fixture)							\
{									\
	char *name;							\
	N##_t *object;							\
	unsigned int *shared;						\
};									\
									\
MAPPED_AND_IOCTL(fixture);						\
									\
FIXTURE_SETUP(fixture)							\
{									\
	self->name = unique_name();					\
	self->object = open(self->name, GOSYNC_CREATE | variant->how);	\
	ASSERT_NE(NULL, self->object);					\
	ASSERT_EQ(!variant->how, gosync_is_mapped(self->object));	\
	self->shared = shared_memory(4096);				\
}

/* An ioctl that a thread makes, by call_in_thread() */
struct call_in_thread {
	int fd;
	unsigned int cmd;
	const void *arg;
	int ret;
};

static inline void *call_in_thread(void *arg)
{
	struct call_in_thread *it = arg;

	it->ret = call(it->fd, it->cmd, it->arg);
	return NULL;
}

#endif /* OBJECT_H */
