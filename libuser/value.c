// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Value: loads from the mapped pages, which only the kernel writes; stores are
 * ioctls. A reader writes nothing that is shared, so its death harms nobody.
 * kmod/value.c describes the barriers, by the same letters.
 */
#include <errno.h>
#include <string.h>

#include "internal.h"

/* Tries before a load asks the kernel, which always succeeds */
#define LOAD_TRIES	16

/* The result of a try that has to be repeated */
#define AGAIN		1

static void set_up(struct gosync_value *value,
		   const struct gosync_info *info)
{
	struct gosync_base *base = gosync_base_of(value);
	const struct gosync_value_page *page;

	if (!base->mapping)
		return;
	page = (void *)(base->mapping->addr + info->map_offset);
	value->slots = base->mapping->addr + info->map_data;
	value->stride = page->stride;
	/* Pairs with page_of(). */
	__atomic_store_n(&value->page, page, __ATOMIC_RELEASE);
}

DEFINE_KIND(value, struct gosync_value, 0, 0, set_up);

static inline const struct gosync_value_page *page_of(const gosync_value_t *value)
{
	return __atomic_load_n(&value->page, __ATOMIC_ACQUIRE);
}

EXPORT int gosync_value_open_abi(unsigned int abi, const char *name,
				 size_t capacity, unsigned int flags,
				 unsigned int mode, gosync_value_t **value)
{
	return gosync_open_sized(&value_kind, abi, name, GOSYNC_VALUE, capacity,
				 flags, mode, (void **)value);
}

DEFINE_FROM_FD(value, GOSYNC_VALUE)

/* FNV-1a over the name and the size */
EXPORT uint64_t gosync_type_id(const char *name, size_t size)
{
	uint64_t id = 0xcbf29ce484222325;
	uint64_t n = size;
	int i;

	for (; *name; name++)
		id = (id ^ (unsigned char)*name) * 0x100000001b3;
	for (i = 0; i < 8; i++, n >>= 8)
		id = (id ^ (n & 0xff)) * 0x100000001b3;
	return id == 0 || id == GOSYNC_VALUE_STORING ? 1 : id;
}

static int load_ioctl(struct gosync_value *value, void *buf, size_t *len,
		      uint64_t *type, uint64_t *version)
{
	struct gosync_value_args args = {
		.size = sizeof(args),
		.buf = (uintptr_t)buf,
		.len = *len,
	};
	int ret = __gosync_wait_ioctl(value, GOSYNC_IOC_VALUE_LOAD, &args, 0);

	if (ret && ret != -EMSGSIZE)
		return ret;
	*len = args.len;
	if (type)
		*type = args.type;
	if (version)
		*version = args.version;
	return ret;
}

/*
 * Load once. Return: AGAIN if what was copied may have been overwritten meanwhile, or if
 * it is not here: another node of the cluster may store, or the first store is not over.
 */
static inline __attribute__((always_inline))
int load_once(const struct gosync_value *value,
	      const struct gosync_value_page *page, void *buf, size_t *len,
	      uint64_t *type)
{
	const struct gosync_value_slot *slot;
	uint64_t stored, version;
	size_t n;

	/* V3 */
	stored = __atomic_load_n(&page->type, __ATOMIC_ACQUIRE);
	if (unlikely(!stored || stored == GOSYNC_VALUE_STORING))
		return stored ? AGAIN : -ENODATA;
	/* V1 */
	version = __atomic_load_n(&page->version, __ATOMIC_ACQUIRE);
	slot = (void *)(value->slots + version % GOSYNC_VALUE_SLOTS *
			value->stride);
	n = __atomic_load_n(&slot->len, __ATOMIC_RELAXED);
	if (likely(n <= *len))
		memcpy(buf, slot + 1, n);
	/* V2 */
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	if (unlikely(__atomic_load_n(&page->version, __ATOMIC_RELAXED) -
		     version >= GOSYNC_VALUE_SLOTS - 1))
		return AGAIN;
	if (type)
		*type = stored;
	if (unlikely(n > *len)) {
		*len = n;
		return -EMSGSIZE;
	}
	*len = n;
	return 0;
}

static int __attribute__((noinline))
load_slow(gosync_value_t *value, void *buf, size_t *len, uint64_t *type)
{
	const struct gosync_value_page *page = page_of(value);
	int tries, ret;

	for (tries = 1; page && tries < LOAD_TRIES; tries++) {
		ret = load_once(value, page, buf, len, type);
		if (ret != AGAIN)
			return ret;
	}
	return load_ioctl(value, buf, len, type, NULL);
}

EXPORT int gosync_value_load(gosync_value_t *value, void *buf, size_t *len,
			     uint64_t *type)
{
	const struct gosync_value_page *page = page_of(value);
	int ret;

	if (likely(page)) {
		ret = load_once(value, page, buf, len, type);
		if (likely(ret != AGAIN))
			return ret;
	}
	return load_slow(value, buf, len, type);
}

EXPORT int gosync_value_peek_slow(gosync_value_t *value,
				  struct gosync_peek *peek)
{
	/* This notices a copy of the process, which gets the mapped state back. */
	int fd = gosync_fd(value);
	const struct gosync_value_page *page = page_of(value);
	uint64_t stored;
	int tries, ret;
	size_t none;

	if (fd < 0)
		return fd;
	for (tries = 0; page && tries < LOAD_TRIES; tries++) {
		/* V3 */
		stored = __atomic_load_n(&page->type, __ATOMIC_ACQUIRE);
		if (!stored)
			return -ENODATA;
		if (stored != GOSYNC_VALUE_STORING)
			return gosync_value_peek(value, peek);
		/* This brings it here. */
		none = 0;
		ret = load_ioctl(value, NULL, &none, NULL, NULL);
		if (ret && ret != -EMSGSIZE)
			return ret;
	}
	return -EOPNOTSUPP;
}

EXPORT int gosync_value_version(gosync_value_t *value, uint64_t *version)
{
	const struct gosync_value_page *page = page_of(value);
	struct gosync_info info;
	size_t none = 0;
	uint64_t stored;
	int ret;

	if (page && __atomic_load_n(&page->type, __ATOMIC_ACQUIRE) !=
		    GOSYNC_VALUE_STORING) {
		*version = __atomic_load_n(&page->version, __ATOMIC_ACQUIRE);
		return 0;
	}
	ret = gosync_info(value, &info);
	if (ret)
		return ret;
	stored = info.word;
	if (info.flags & GOSYNC_CLUSTER) {
		/* Another node may have stored since. */
		ret = load_ioctl(value, NULL, &none, NULL, &stored);
		if (ret && ret != -EMSGSIZE && ret != -ENODATA)
			return ret;
	}
	*version = stored;
	return 0;
}

EXPORT int gosync_value_wait_until(gosync_value_t *value, uint64_t *version,
				   uint64_t deadline, unsigned int flags)
{
	const struct gosync_value_page *page = page_of(value);
	uint64_t stored, now;

	if (flags & ~WAIT_FLAGS)
		return -EINVAL;
	stored = page ? __atomic_load_n(&page->type, __ATOMIC_ACQUIRE) : 0;
	/* Before the first store is over, a load would find nothing. */
	if (stored && stored != GOSYNC_VALUE_STORING) {
		now = __atomic_load_n(&page->version, __ATOMIC_ACQUIRE);
		if (now != *version) {
			*version = now;
			return 0;
		}
	}
	return __gosync_wait_version(value, GOSYNC_IOC_VALUE_WAIT, version,
				     deadline, flags);
}

EXPORT int gosync_value_wait(gosync_value_t *value, uint64_t *version)
{
	return gosync_value_wait_until(value, version, GOSYNC_FOREVER, 0);
}

EXPORT int gosync_value_capacity(gosync_value_t *value, size_t *capacity)
{
	struct gosync_info info;
	int ret = gosync_info(value, &info);

	if (!ret)
		*capacity = info.capacity;
	return ret;
}

static struct gosync_value_args store_args(uint64_t type, const void *buf,
					   size_t len)
{
	return (struct gosync_value_args) {
		.size = sizeof(struct gosync_value_args),
		.type = type,
		.buf = (uintptr_t)buf,
		.len = len,
	};
}

EXPORT int gosync_value_store(gosync_value_t *value, uint64_t type,
			      const void *buf, size_t len)
{
	struct gosync_value_args args = store_args(type, buf, len);

	return __gosync_wait_ioctl(value, GOSYNC_IOC_VALUE_STORE, &args, 0);
}

EXPORT int gosync_value_swap(gosync_value_t *value, uint64_t type,
			     const void *buf, size_t len, void *old,
			     size_t *old_len)
{
	struct gosync_value_args args = store_args(type, buf, len);
	int ret;

	args.old_buf = (uintptr_t)old;
	args.old_len = old ? *old_len : 0;
	ret = __gosync_wait_ioctl(value, GOSYNC_IOC_VALUE_SWAP, &args, 0);
	if (old_len && (ret >= 0 || ret == -EMSGSIZE))
		*old_len = args.old_len;
	return ret;
}

EXPORT int gosync_value_cas(gosync_value_t *value, uint64_t old_type,
			    const void *old, size_t old_len, uint64_t type,
			    const void *buf, size_t len)
{
	struct gosync_value_args args = store_args(type, buf, len);

	args.old_type = old_type;
	args.old_buf = (uintptr_t)old;
	args.old_len = old_len;
	return __gosync_wait_ioctl(value, GOSYNC_IOC_VALUE_CAS, &args, 0);
}
