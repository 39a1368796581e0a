/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the library's files share.
 */
#ifndef GOSYNC_INTERNAL_H
#define GOSYNC_INTERNAL_H

#define EXPORT		__attribute__((visibility("default")))

#include "gosync-user.h"

#define likely(x)	__builtin_expect(!!(x), 1)
#define unlikely(x)	__builtin_expect(!!(x), 0)

/**
 * struct gosync_base - what every handle has
 * @next: in the list of all handles
 * @prev: likewise
 * @map: the mapped state, NULL if there is none
 * @map_len: its length
 * @fd: the descriptor
 * @type: &enum gosync_type
 * @holder: the number of our holder
 * @reopened: tells the primitive, in a child after fork(2), that @holder is
 *	another now; may be NULL
 *
 * It stands in front of the handle proper, which has what the fast paths need
 * in a cache line of its own.
 */
struct gosync_base {
	struct gosync_base *next;
	struct gosync_base *prev;
	char *map;
	size_t map_len;
	int fd;
	unsigned int type;
	uint32_t holder;
	void (*reopened)(void *object);
} __attribute__((aligned(64)));

static inline struct gosync_base *gosync_base_of(const void *object)
{
	return (struct gosync_base *)object - 1;
}

/**
 * struct gosync_create - what to open
 * @name: the name, NULL: anonymous
 * @type: &enum gosync_type
 * @flags: of the library
 * @mode: permission bits
 * @capacity: words or bytes
 */
struct gosync_create {
	const char *name;
	unsigned int type;
	unsigned int flags;
	unsigned int mode;
	uint64_t capacity;
};

int gosync_ioctl(const void *object, unsigned int op, void *arg);
int gosync_open_handle(const struct gosync_create *create, size_t size,
		       void **object, struct gosync_info *info);
int gosync_adopt_fd(int fd, unsigned int type, unsigned int flags, size_t size,
		    void **object, struct gosync_info *info);
int gosync_wait_ioctl(const void *object, unsigned int op, void *arg,
		      unsigned int flags);

#endif /* GOSYNC_INTERNAL_H */
