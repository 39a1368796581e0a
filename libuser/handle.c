// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Handles: opening, mapping, closing, and what can be asked about any object.
 * fork.c keeps them, and says what becomes of them in a copy of the process.
 *
 * Nothing here is a cancellation point. open(2) and close(2) of libc are: a
 * thread that is cancelled there would leave a descriptor behind, and with it
 * the locks of its holder. So these system calls are made without libc.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "internal.h"

int __gosync_fd_ioctl(int fd, unsigned int op, void *arg)
{
	int ret = ioctl(fd, op, arg);

	return ret < 0 ? -errno : ret;
}

/* A module that does not know @abi writes 0 there. */
int __gosync_fd_info(int fd, struct gosync_info *info)
{
	int ret;

	info->size = sizeof(*info);
	info->abi = GOSYNC_ABI_VERSION;
	ret = __gosync_fd_ioctl(fd, GOSYNC_IOC_INFO, info);
	if (!ret && info->abi != GOSYNC_ABI_VERSION)
		ret = -EPROTO;
	return ret;
}

void __gosync_close_fd(int fd)
{
	syscall(SYS_close, fd);
}

/**
 * __gosync_has_fd() - whether a handle's descriptor still is the handle's
 * @base: the handle
 *
 * Return: 0 if the number belongs to something else by now, or to nothing.
 */
int __gosync_has_fd(const struct gosync_base *base)
{
	struct gosync_info info;
	int ret = __gosync_fd_info(base->fd, &info);

	/* ENOMEM comes from gosync alone: nothing else knows this ioctl. */
	return ret ? ret == -ENOMEM :
		     info.id == base->id && info.holder == base->holder;
}

int __gosync_ioctl(const void *object, unsigned int op, void *arg)
{
	return __gosync_fd_ioctl(gosync_fd_of(object), op, arg);
}

/*
 * An ioctl that may wait. After a signal it goes on, unless @flags have
 * GOSYNC_INTERRUPTIBLE.
 */
int __gosync_wait_fd(int fd, unsigned int op, void *arg, unsigned int flags)
{
	int ret;

	do {
		ret = __gosync_fd_ioctl(fd, op, arg);
	} while (ret == -EINTR && !(flags & GOSYNC_INTERRUPTIBLE));
	return ret;
}

int __gosync_wait_ioctl(const void *object, unsigned int op, void *arg,
			unsigned int flags)
{
	return __gosync_wait_fd(gosync_fd_of(object), op, arg, flags);
}

static int open_device(void)
{
	int fd = syscall(SYS_openat, AT_FDCWD, GOSYNC_DEVICE,
			 O_RDWR | O_CLOEXEC);

	if (fd < 0)
		return errno == ENOENT || errno == ENODEV ? -ENXIO : -errno;
	if (__gosync_fd_ioctl(fd, GOSYNC_IOC_VERSION, NULL) > 0)
		return fd;
	/* Something else has its name. */
	__gosync_close_fd(fd);
	return -ENXIO;
}

static int device = -1;

EXPORT int gosync_device(void)
{
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
	__gosync_close_fd(mine);
	return fd;
}

/*
 * Whether another file has the library's descriptor now, which gosync_device() has
 * returned. If so, it will return another.
 */
static int lost_device(int fd)
{
	struct gosync_info info;

	/* /dev/gosync knows the first ioctl, and not the second. */
	if (__gosync_fd_ioctl(fd, GOSYNC_IOC_VERSION, NULL) > 0 &&
	    __gosync_fd_info(fd, &info) == -ENOTTY)
		return 0;
	__atomic_compare_exchange_n(&device, &fd, -1, 0, __ATOMIC_RELAXED,
				    __ATOMIC_RELAXED);
	return 1;
}

/**
 * __gosync_device_ioctl() - an ioctl of /dev/gosync
 * @op: the ioctl
 * @arg: its argument
 * @flags: GOSYNC_INTERRUPTIBLE: do not go on after a signal
 *
 * Return: what it returns, or -errno.
 */
int __gosync_device_ioctl(unsigned int op, void *arg, unsigned int flags)
{
	int fd, ret;

	do {
		fd = gosync_device();
		if (fd < 0)
			return fd;
		ret = __gosync_wait_fd(fd, op, arg, flags);
	} while ((ret == -ENOTTY || ret == -EBADF) && lost_device(fd));
	return ret;
}

/*
 * The same for what needs no handle: a process that has none keeps no descriptor,
 * with which the module could not be unloaded.
 */
static int passing_ioctl(unsigned int op, void *arg)
{
	int fd, ret;

	if (__atomic_load_n(&device, __ATOMIC_RELAXED) >= 0)
		return __gosync_device_ioctl(op, arg, 0);
	fd = open_device();
	if (fd < 0)
		return fd;
	ret = __gosync_wait_fd(fd, op, arg, 0);
	__gosync_close_fd(fd);
	return ret;
}

/*
 * Make a handle of @fd, which belongs to the handle if it succeeds. The list is
 * locked, so no fork(2) happens until the descriptor is listed.
 */
static int make_handle(const struct gosync_kind *kind, int fd,
		       unsigned int flags, const struct gosync_info *info,
		       void **object)
{
	struct gosync_base *base = __gosync_base_alloc();

	if (!base)
		return -ENOMEM;
	if (kind->extra) {
		base->extra = calloc(1, kind->extra);
		if (!base->extra) {
			__gosync_base_free(base);
			return -ENOMEM;
		}
	}
	base->stand_in = kind->stand_in;
	base->kind = kind;
	base->fd = fd;
	base->id = info->id;
	base->holder = info->holder;
	if (!(flags & GOSYNC_IOCTL_ONLY))
		__gosync_map_base(base, info);
	*object = gosync_handle_of(base);
	kind->set_up(*object, info);
	__atomic_store_n(&base->type, info->type, __ATOMIC_RELEASE);
	return 0;
}

static int adopt(const struct gosync_kind *kind, int fd, unsigned int type,
		 unsigned int flags, void **object)
{
	struct gosync_info info;
	int ret = __gosync_fd_info(fd, &info);

	if (ret)
		return ret;
	if (info.type != type)
		return -EPROTOTYPE;
	return make_handle(kind, fd, flags, &info, object);
}

int __gosync_adopt_fd(const struct gosync_kind *kind, unsigned int abi, int fd,
		      unsigned int type, unsigned int flags, void **object)
{
	int ret;

	if (abi != GOSYNC_ABI_VERSION)
		return -EPROTO;
	if (flags & ~GOSYNC_IOCTL_ONLY)
		return -EINVAL;
	if (!__gosync_has_list())
		return -ENOMEM;
	__gosync_lock_list();
	ret = adopt(kind, fd, type, flags, object);
	__gosync_unlock_list();
	return ret;
}

static int open_fd(struct gosync_open_args *args, unsigned int flags)
{
	int fd = __gosync_device_ioctl(GOSYNC_IOC_OPEN, args, flags);

	/* In the first module the place of @abi had to be 0. */
	if (fd == -EINVAL &&
	    __gosync_device_ioctl(GOSYNC_IOC_VERSION, NULL, 0) == 1)
		fd = -EPROTO;
	return fd;
}

int __gosync_open_handle(const struct gosync_kind *kind,
			 const struct gosync_create *create, void **object)
{
	struct gosync_open_args args = {
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
	int fd, ret;

	if (create->abi != GOSYNC_ABI_VERSION)
		return -EPROTO;
	if (!__gosync_has_list())
		return -ENOMEM;
	__gosync_lock_list();
	fd = open_fd(&args, 0);
	ret = fd;
	if (fd >= 0) {
		ret = adopt(kind, fd, create->type, create->flags, object);
		if (ret)
			__gosync_close_fd(fd);
	}
	__gosync_unlock_list();
	return ret;
}

static int reopen(const struct gosync_base *base, unsigned int flags, void **object)
{
	struct gosync_reopen_args args = {
		.size = sizeof(args),
		.flags = flags & ~GOSYNC_IOCTL_ONLY,
	};
	int fd, ret;

	if (base->fd < 0)
		return base->fd;
	fd = __gosync_fd_ioctl(base->fd, GOSYNC_IOC_REOPEN, &args);
	if (fd < 0)
		return fd;
	ret = adopt(base->kind, fd, base->type, flags, object);
	if (ret)
		__gosync_close_fd(fd);
	return ret;
}

EXPORT int gosync_reopen(const void *object, unsigned int flags, void *reopened)
{
	int ret;

	__gosync_lock_list();
	ret = reopen(gosync_base_of(object), flags, reopened);
	__gosync_unlock_list();
	return ret;
}

/* The list is not locked during the wait, as other threads need it. */
EXPORT int gosync_await_name(const char *name, unsigned int type,
			     uint64_t deadline, unsigned int flags)
{
	struct gosync_open_args args = {
		.size = sizeof(args),
		.type = type,
		.flags = GOSYNC_AWAIT | (flags & GOSYNC_RDONLY),
		.name = (uintptr_t)name,
		.name_len = strnlen(name, GOSYNC_NAME_MAX + 1),
		.abi = GOSYNC_ABI_VERSION,
		.deadline = deadline,
	};

	if (flags & ~(GOSYNC_RDONLY | GOSYNC_CLOCK_REALTIME |
		      GOSYNC_INTERRUPTIBLE))
		return -EINVAL;
	if (flags & GOSYNC_CLOCK_REALTIME)
		args.flags |= GOSYNC_AWAIT_REALTIME;
	return open_fd(&args, flags);
}

EXPORT void gosync_close(void *object)
{
	struct gosync_base *base;

	if (!object)
		return;
	base = gosync_base_of(object);
	__gosync_lock_list();
	free(__gosync_unmap_base(base));
	__gosync_close_base(base);
	__gosync_base_free(base);
	__gosync_unlock_list();
}

EXPORT int gosync_fd(const void *object)
{
	return gosync_fd_of(object);
}

EXPORT int gosync_is_mapped(const void *object)
{
	gosync_notice();
	return !!gosync_base_of(object)->mapping;
}

EXPORT int gosync_info_sized(const void *object, struct gosync_info *info,
			     size_t size)
{
	info->size = size;
	if (size >= offsetof(struct gosync_info, abi) + sizeof(info->abi))
		info->abi = GOSYNC_ABI_VERSION;
	return __gosync_fd_ioctl(gosync_fd_of(object), GOSYNC_IOC_INFO, info);
}

EXPORT int gosync_stat_sized(const void *object, struct gosync_stat *stat,
			     size_t size)
{
	stat->size = size;
	return __gosync_fd_ioctl(gosync_fd_of(object), GOSYNC_IOC_STAT, stat);
}

EXPORT int gosync_waiters_sized(const void *object,
				struct gosync_party *parties,
				unsigned int count, size_t size)
{
	struct gosync_parties_args args = {
		.size = sizeof(args),
		.entries = (uintptr_t)parties,
		.count = count,
		.entry_size = size,
	};

	return __gosync_fd_ioctl(gosync_fd_of(object), GOSYNC_IOC_WAITERS, &args);
}

#define LIST_ENTRIES	64

EXPORT int gosync_holders_next_sized(const void *object, uint64_t *cursor,
				     struct gosync_party *holders,
				     unsigned int count, size_t size)
{
	struct gosync_parties_args args = {
		.size = sizeof(args),
		.cursor = *cursor,
		.entries = (uintptr_t)holders,
		.count = count,
		.entry_size = size,
	};
	int ret = __gosync_ioctl(object, GOSYNC_IOC_HOLDERS, &args);

	if (ret >= 0)
		*cursor = args.cursor;
	return ret;
}

EXPORT int gosync_holders_sized(const void *object,
				int (*fn)(const struct gosync_party *holder,
					  void *arg),
				void *arg, size_t size)
{
	char entries[LIST_ENTRIES * sizeof(struct gosync_party)]
		__attribute__((aligned(8)));
	const unsigned int count = size ? sizeof(entries) / size : 0;
	uint64_t cursor = 0;
	int got, i, ret = 0;

	do {
		got = gosync_holders_next_sized(object, &cursor, (void *)entries,
						count, size);
		for (i = 0; i < got && !ret; i++)
			ret = fn((const void *)(entries + i * size), arg);
	} while (!ret && got > 0);
	return ret ? ret : got;
}

EXPORT int gosync_break(const void *object, uint32_t holder)
{
	struct gosync_break_args args = { .size = sizeof(args), .holder = holder };

	return __gosync_fd_ioctl(gosync_fd_of(object), GOSYNC_IOC_BREAK, &args);
}

static int unlink_name(const char *name, uint32_t flags)
{
	struct gosync_unlink_args args = {
		.size = sizeof(args),
		.flags = flags,
		.name = (uintptr_t)name,
		.name_len = strnlen(name, GOSYNC_NAME_MAX + 1),
	};

	return passing_ioctl(GOSYNC_IOC_UNLINK, &args);
}

EXPORT int gosync_unlink(const char *name)
{
	return unlink_name(name, 0);
}

EXPORT int gosync_unlink_unused(const char *name)
{
	return unlink_name(name, GOSYNC_IF_UNUSED);
}

static int change_name(struct gosync_change_args args, const char *name)
{
	args.size = sizeof(args);
	args.name = (uintptr_t)name;
	args.name_len = strnlen(name, GOSYNC_NAME_MAX + 1);
	return passing_ioctl(GOSYNC_IOC_CHANGE, &args);
}

EXPORT int gosync_chmod(const char *name, unsigned int mode)
{
	return change_name((struct gosync_change_args) {
		.flags = GOSYNC_CHANGE_MODE, .mode = mode,
	}, name);
}

EXPORT int gosync_chown(const char *name, unsigned int uid, unsigned int gid)
{
	struct gosync_change_args args = {};

	if (uid != -1U) {
		args.flags |= GOSYNC_CHANGE_OWNER;
		args.uid = uid;
	}
	if (gid != -1U) {
		args.flags |= GOSYNC_CHANGE_GROUP;
		args.gid = gid;
	}
	return change_name(args, name);
}

EXPORT int gosync_list_next_sized(uint64_t *cursor, struct gosync_info *infos,
				  unsigned int count, size_t size)
{
	struct gosync_list_args args = {
		.size = sizeof(args),
		.cursor = *cursor,
		.entries = (uintptr_t)infos,
		.count = count,
		.entry_size = size,
	};
	int ret = passing_ioctl(GOSYNC_IOC_LIST, &args);

	if (ret >= 0)
		*cursor = args.cursor;
	return ret;
}

EXPORT int gosync_list_sized(int (*fn)(const struct gosync_info *info,
				       void *arg),
			     void *arg, size_t size)
{
	char *entries CLEANUP(gosync_free_it) = calloc(LIST_ENTRIES, size);
	uint64_t cursor = 0;
	int got, i, ret = 0;

	if (!entries)
		return -ENOMEM;
	do {
		got = gosync_list_next_sized(&cursor, (void *)entries,
					     LIST_ENTRIES, size);
		for (i = 0; i < got && !ret; i++)
			ret = fn((const void *)(entries + i * size), arg);
	} while (!ret && got > 0);
	return ret ? ret : got;
}
