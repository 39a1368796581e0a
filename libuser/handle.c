// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Handles: opening, mapping, closing, and what becomes of them in fork(2).
 *
 * A child inherits its parent's descriptors, which are the same holders: if it
 * locked with them it would own the parent's locks, and keep them alive when
 * the parent dies. So in the child every handle gets a holder of its own, and
 * the inherited descriptor is closed. The mapping is the object's and stays.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "internal.h"

/* All handles, for fork(2) */
static struct gosync_base handles = { .next = &handles, .prev = &handles };
static pthread_mutex_t handles_lock = PTHREAD_MUTEX_INITIALIZER;

static void before_fork(void)
{
	pthread_mutex_lock(&handles_lock);
}

static void after_fork(void)
{
	pthread_mutex_unlock(&handles_lock);
}

static int fd_ioctl(int fd, unsigned int op, void *arg)
{
	int ret = ioctl(fd, op, arg);

	return ret < 0 ? -errno : ret;
}

/* A module that knows of no version leaves 0 there. */
static int fd_info(int fd, struct gosync_info *info)
{
	int ret;

	info->size = sizeof(*info);
	info->abi = GOSYNC_ABI_VERSION;
	ret = fd_ioctl(fd, GOSYNC_IOC_INFO, info);
	if (!ret && info->abi != GOSYNC_ABI_VERSION)
		ret = -EPROTO;
	return ret;
}

/*
 * If there is no descriptor to be had the handle is left without one: its
 * operations fail with EBADF rather than act in the parent's name.
 */
static void reopen(struct gosync_base *base)
{
	int fd = fd_ioctl(base->fd, GOSYNC_IOC_REOPEN, NULL);
	struct gosync_info info;

	if (fd >= 0 && !fd_info(fd, &info) &&
	    dup3(fd, base->fd, O_CLOEXEC) >= 0) {
		base->holder = info.holder;
	} else {
		close(base->fd);
		base->fd = -1;
		base->holder = 0;
	}
	if (fd >= 0)
		close(fd);
	if (base->reopened)
		base->reopened(base + 1);
}

static void in_child(void)
{
	struct gosync_base *base;

	for (base = handles.next; base != &handles; base = base->next)
		reopen(base);
	pthread_mutex_unlock(&handles_lock);
}

__attribute__((constructor))
static void set_up(void)
{
	pthread_atfork(before_fork, after_fork, in_child);
}

int gosync_ioctl(const void *object, unsigned int op, void *arg)
{
	return fd_ioctl(gosync_base_of(object)->fd, op, arg);
}

/* An ioctl that may wait; it goes on after a signal unless asked not to */
int gosync_wait_fd(int fd, unsigned int op, void *arg, unsigned int flags)
{
	int ret;

	do {
		ret = fd_ioctl(fd, op, arg);
	} while (ret == -EINTR && !(flags & GOSYNC_INTERRUPTIBLE));
	return ret;
}

int gosync_wait_ioctl(const void *object, unsigned int op, void *arg,
		      unsigned int flags)
{
	return gosync_wait_fd(gosync_base_of(object)->fd, op, arg, flags);
}

static int open_device(void)
{
	int fd = open(GOSYNC_DEVICE, O_RDWR | O_CLOEXEC);

	if (fd >= 0)
		return fd;
	return errno == ENOENT || errno == ENODEV ? -ENXIO : -errno;
}

EXPORT int gosync_device(void)
{
	static int device = -1;
	int fd = __atomic_load_n(&device, __ATOMIC_RELAXED);
	int mine;

	if (likely(fd >= 0))
		return fd;
	mine = open_device();
	if (mine < 0)
		return mine;
	if (__atomic_compare_exchange_n(&device, &fd, mine, 0,
					__ATOMIC_RELAXED, __ATOMIC_RELAXED))
		return mine;
	/* Another thread was faster. */
	close(mine);
	return fd;
}

static void map_state(struct gosync_base *base, const struct gosync_info *info)
{
	int prot = PROT_READ;
	void *map;

	/* A Map may be larger than what 32 bits reach. */
	if (!info->map_len || info->map_len > SIZE_MAX)
		return;
	if (info->type != GOSYNC_VALUE && info->type != GOSYNC_MAP &&
	    !(info->flags & GOSYNC_RDONLY))
		prot |= PROT_WRITE;
	/* Refused when the descriptor came from one with more rights. */
	map = mmap(NULL, info->map_len, prot, MAP_SHARED, base->fd, 0);
	if (map == MAP_FAILED)
		return;
	base->map = map;
	base->map_len = info->map_len;
}

/* Make a handle of @fd, which is the handle's if it succeeds */
static int make_handle(int fd, unsigned int flags, size_t size, void **object,
		       struct gosync_info *info)
{
	struct gosync_base *base;

	/* Both parts are whole cache lines. */
	size = sizeof(*base) + ((size + 63) & ~(size_t)63);
	base = aligned_alloc(64, size);
	if (!base)
		return -ENOMEM;
	memset(base, 0, size);
	base->fd = fd;
	base->type = info->type;
	base->holder = info->holder;
	if (!(flags & GOSYNC_IOCTL_ONLY))
		map_state(base, info);

	pthread_mutex_lock(&handles_lock);
	base->next = &handles;
	base->prev = handles.prev;
	base->prev->next = base;
	handles.prev = base;
	pthread_mutex_unlock(&handles_lock);
	*object = base + 1;
	return 0;
}

int gosync_adopt_fd(unsigned int abi, int fd, unsigned int type,
		    unsigned int flags, size_t size, void **object,
		    struct gosync_info *info)
{
	int ret;

	if (abi != GOSYNC_ABI_VERSION)
		return -EPROTO;
	if (flags & ~GOSYNC_IOCTL_ONLY)
		return -EINVAL;
	ret = fd_info(fd, info);
	if (ret)
		return ret;
	if (info->type != type)
		return -EPROTOTYPE;
	return make_handle(fd, flags, size, object, info);
}

int gosync_open_handle(const struct gosync_create *create, size_t size,
		       void **object, struct gosync_info *info)
{
	struct gosync_open args = {
		.size = sizeof(args),
		.type = create->type,
		.flags = create->flags & ~GOSYNC_IOCTL_ONLY,
		.mode = create->flags & GOSYNC_CREATE ? create->mode : 0,
		.name = (uintptr_t)create->name,
		.name_len = create->name ?
			    strnlen(create->name, GOSYNC_NAME_MAX + 1) : 0,
		.abi = GOSYNC_ABI_VERSION,
		.capacity = create->capacity,
		.key_size = create->key_size,
		.value_size = create->value_size,
	};
	int device, fd, ret;

	if (create->abi != GOSYNC_ABI_VERSION)
		return -EPROTO;
	device = open_device();
	if (device < 0)
		return device;
	fd = fd_ioctl(device, GOSYNC_IOC_OPEN, &args);
	/* The first module had something else there that must be 0. */
	if (fd == -EINVAL && fd_ioctl(device, GOSYNC_IOC_VERSION, NULL) == 1)
		fd = -EPROTO;
	close(device);
	if (fd < 0)
		return fd;
	ret = fd_info(fd, info);
	if (!ret)
		ret = make_handle(fd, create->flags, size, object, info);
	if (ret)
		close(fd);
	return ret;
}

EXPORT void gosync_close(void *object)
{
	struct gosync_base *base;

	if (!object)
		return;
	base = gosync_base_of(object);
	pthread_mutex_lock(&handles_lock);
	base->prev->next = base->next;
	base->next->prev = base->prev;
	pthread_mutex_unlock(&handles_lock);
	if (base->map)
		munmap(base->map, base->map_len);
	if (base->fd >= 0)
		close(base->fd);
	free(base);
}

EXPORT int gosync_fd(const void *object)
{
	return gosync_base_of(object)->fd;
}

EXPORT int gosync_is_mapped(const void *object)
{
	return !!gosync_base_of(object)->map;
}

EXPORT int gosync_info_sized(const void *object, struct gosync_info *info,
			     size_t size)
{
	info->size = size;
	if (size >= offsetof(struct gosync_info, abi) + sizeof(info->abi))
		info->abi = GOSYNC_ABI_VERSION;
	return fd_ioctl(gosync_fd(object), GOSYNC_IOC_INFO, info);
}

EXPORT int gosync_stat_sized(const void *object, struct gosync_stat *stat,
			     size_t size)
{
	stat->size = size;
	return fd_ioctl(gosync_fd(object), GOSYNC_IOC_STAT, stat);
}

EXPORT int gosync_waiters_sized(const void *object,
				struct gosync_party *parties,
				unsigned int count, size_t size)
{
	struct gosync_parties args = {
		.size = sizeof(args),
		.entries = (uintptr_t)parties,
		.count = count,
		.entry_size = size,
	};

	return fd_ioctl(gosync_fd(object), GOSYNC_IOC_WAITERS, &args);
}

#define LIST_ENTRIES	64

EXPORT int gosync_holders_sized(const void *object,
				int (*fn)(const struct gosync_party *holder,
					  void *arg),
				void *arg, size_t size)
{
	char entries[LIST_ENTRIES * sizeof(struct gosync_party)]
		__attribute__((aligned(8)));
	struct gosync_parties args = {
		.size = sizeof(args),
		.entries = (uintptr_t)entries,
		.count = size ? sizeof(entries) / size : 0,
		.entry_size = size,
	};
	int got, i, ret = 0;

	do {
		got = fd_ioctl(gosync_fd(object), GOSYNC_IOC_HOLDERS, &args);
		for (i = 0; i < got && !ret; i++)
			ret = fn((const void *)(entries + i * size), arg);
	} while (!ret && got > 0);
	return ret ? ret : got;
}

EXPORT int gosync_unlink(const char *name)
{
	struct gosync_unlink args = {
		.size = sizeof(args),
		.name = (uintptr_t)name,
		.name_len = strnlen(name, GOSYNC_NAME_MAX + 1),
	};
	int device, ret;

	device = open_device();
	if (device < 0)
		return device;
	ret = fd_ioctl(device, GOSYNC_IOC_UNLINK, &args);
	close(device);
	return ret;
}

static void close_it(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

EXPORT int gosync_list_sized(int (*fn)(const struct gosync_info *info,
				       void *arg),
			     void *arg, size_t size)
{
	char *entries CLEANUP(gosync_free_it) = calloc(LIST_ENTRIES, size);
	struct gosync_list args = {
		.size = sizeof(args),
		.entries = (uintptr_t)entries,
		.count = LIST_ENTRIES,
		.entry_size = size,
	};
	int device CLEANUP(close_it) = -1;
	int got, i, ret = 0;

	if (!entries)
		return -ENOMEM;
	device = open_device();
	if (device < 0)
		return device;
	do {
		got = fd_ioctl(device, GOSYNC_IOC_LIST, &args);
		for (i = 0; i < got && !ret; i++)
			ret = fn((const void *)(entries + i * size), arg);
	} while (!ret && (got > 0 || got == -EINTR));
	return ret ? ret : got;
}
