// SPDX-License-Identifier: GPL-2.0-only
/*
 * Copying between user space and the kernel.
 */
#include <linux/fault-inject-usercopy.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "copy.h"
#include "gosync.h"

/* Does it pay to copy so much in words? */
static __always_inline bool is_short(size_t len)
{
	return IS_ENABLED(CONFIG_HAVE_EFFICIENT_UNALIGNED_ACCESS) &&
	       len >= sizeof(u64) && len <= GOSYNC_SHORT;
}

#define WORD		sizeof(u64)

/*
 * Copy in words, as gosync_copy() does: to user space with @put, which is known
 * when this is compiled, or else from there. The caller has begun the access to
 * user space, and ends it. Return: 0 or -EFAULT.
 */
static __always_inline int copy_words(void *ours, void __user *theirs,
				      size_t len, bool put)
{
	size_t i;

#define COPY_WORD(_at)							\
do {									\
	size_t __at = (_at);						\
									\
	if (put)							\
		unsafe_put_user(*(u64 *)(ours + __at),			\
				(u64 __user *)(theirs + __at), fault);	\
	else								\
		unsafe_get_user(*(u64 *)(ours + __at),			\
				(u64 __user *)(theirs + __at), fault);	\
} while (0)

	if (len <= 2 * WORD) {
		COPY_WORD(0);
		COPY_WORD(len - WORD);
		return 0;
	}
	if (len <= 4 * WORD) {
		i = len - 2 * WORD;
		COPY_WORD(0);
		COPY_WORD(WORD);
		COPY_WORD(i);
		COPY_WORD(i + WORD);
		return 0;
	}
	for (i = 0; i + 4 * WORD < len; i += 4 * WORD) {
		COPY_WORD(i);
		COPY_WORD(i + WORD);
		COPY_WORD(i + 2 * WORD);
		COPY_WORD(i + 3 * WORD);
	}
	i = len - 4 * WORD;
	COPY_WORD(i);
	COPY_WORD(i + WORD);
	COPY_WORD(i + 2 * WORD);
	COPY_WORD(i + 3 * WORD);
	return 0;
fault:
	return -EFAULT;
}

static noinline int get_any(void *to, const void __user *from, size_t len)
{
	return copy_from_user(to, from, len) ? -EFAULT : 0;
}

static noinline int put_any(void __user *to, const void *from, size_t len)
{
	return copy_to_user(to, from, len) ? -EFAULT : 0;
}

/**
 * gosync_copy_from_user() - copy_from_user() for data that is mostly short
 * @to: the destination, in the kernel's memory
 * @from: the address in user space
 * @len: the number of bytes
 *
 * Return: 0 or -EFAULT.
 */
int gosync_copy_from_user(void *to, u64 from, size_t len)
{
	void __user *at = u64_to_user_ptr(from);
	int ret;

	if (!is_short(len))
		return get_any(to, at, len);
	if (should_fail_usercopy() || !user_read_access_begin(at, len))
		return -EFAULT;
	ret = copy_words(to, at, len, false);
	user_read_access_end();
	return ret;
}

static noinline int get_large(struct gosync_payload *payload, u64 from)
{
	int ret;

	payload->data = kvmalloc(payload->len, GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (!payload->data)
		return -ENOMEM;
	ret = gosync_copy_from_user(payload->data, from, payload->len);
	if (ret)
		gosync_payload_put(payload);
	return ret;
}

/**
 * gosync_payload_get() - copy a payload into the kernel's memory
 * @payload: out: the payload
 * @from: its address in user space
 * @len: its length
 *
 * The memory is charged to the caller's memory cgroup.
 *
 * Return: 0: the caller has to call gosync_payload_put(); -EFAULT, -ENOMEM.
 */
int gosync_payload_get(struct gosync_payload *payload, u64 from, size_t len)
{
	payload->len = len;
	if (len > sizeof(payload->small))
		return get_large(payload, from);
	payload->data = payload->small;
	return gosync_copy_from_user(payload->small, from, len);
}

/**
 * gosync_copy_out() - copy to user space under a lock
 * @to: the address in user space
 * @from: the source, in the kernel's memory
 * @len: the number of bytes
 *
 * It does not wait for a missing page, and allocates nothing.
 *
 * Return: 0, or -EAGAIN: the caller has to call gosync_fault_in() without the
 * lock.
 */
int gosync_copy_out(u64 to, const void *from, size_t len)
{
	if (len && copy_to_user_nofault(u64_to_user_ptr(to), from, len))
		return -EAGAIN;
	return 0;
}

/**
 * gosync_touch() - what gosync_fault_in() does if there is something to do
 * @ret: as there
 * @to: as there
 * @len: as there
 *
 * Return: as there.
 */
bool gosync_touch(int *ret, u64 to, size_t len)
{
	*ret = 0;
	if (clear_user(u64_to_user_ptr(to), len))
		*ret = -EFAULT;
	else if (fatal_signal_pending(current))
		*ret = -EINTR;
	cond_resched();
	return !*ret;
}

/* An argument of another size than the kernel's */
static noinline int copy_other_arg(void *arg, size_t known,
				   const void __user *uarg, u32 size)
{
	if (size < 2 * sizeof(u32) || size > PAGE_SIZE)
		return -EINVAL;
	return copy_struct_from_user(arg, known, uarg, size);
}

/**
 * gosync_copy_arg() - copy in an argument that begins with its size
 * @arg: the destination
 * @known: the size that the kernel knows
 * @uarg: the address in user space
 * @size: out: the size that user space knows
 *
 * Return: 0 or -E2BIG, -EFAULT, -EINVAL.
 */
int gosync_copy_arg(void *arg, size_t known, void __user *uarg, u32 *size)
{
	int ret = -EFAULT;

	if (should_fail_usercopy() || !user_read_access_begin(uarg, known))
		return -EFAULT;
	unsafe_get_user(*size, (u32 __user *)uarg, fault);
	if (unlikely(*size != known || !is_short(known))) {
		user_read_access_end();
		return copy_other_arg(arg, known, uarg, *size);
	}
	ret = copy_words(arg, uarg, known, false);
fault:
	user_read_access_end();
	return ret;
}

/**
 * gosync_return_arg() - copy an argument out again
 * @uarg: the address in user space
 * @arg: the argument
 * @len: the smaller one of the sizes that the kernel and user space know
 *
 * Return: 0 or -EFAULT.
 */
int gosync_return_arg(void __user *uarg, void *arg, size_t len)
{
	int ret;

	if (!is_short(len))
		return put_any(uarg, arg, len);
	if (should_fail_usercopy() || !user_write_access_begin(uarg, len))
		return -EFAULT;
	ret = copy_words(arg, uarg, len, true);
	user_write_access_end();
	return ret;
}

/**
 * gosync_put() - copy out a structure in the size that user space knows
 * @to: the address in user space
 * @room: the size that user space knows
 * @data: the structure
 * @size: the size that the kernel knows
 *
 * Return: 0 or -EFAULT.
 */
int gosync_put(void __user *to, size_t room, const void *data, size_t size)
{
	if (copy_to_user(to, data, min(room, size)) ||
	    (room > size && clear_user(to + size, room - size)))
		return -EFAULT;
	return 0;
}

/**
 * gosync_give() - answer with a structure of which only the size is read
 * @uarg: the address in user space
 * @least: the least size that user space may know
 * @size: the size that the kernel knows
 * @fill: fills in the structure, which is zeroed
 * @holder: the holder that asks
 *
 * Return: 0 or an error.
 */
long gosync_give(void __user *uarg, size_t least, size_t size,
		 void (*fill)(struct gosync_holder *holder, void *data),
		 struct gosync_holder *holder)
{
	u32 room;
	void *data;
	int ret;

	if (get_user(room, (u32 __user *)uarg))
		return -EFAULT;
	if (room < least || room > PAGE_SIZE)
		return -EINVAL;
	data = kzalloc(size, GFP_KERNEL_ACCOUNT);
	if (!data)
		return -ENOMEM;
	fill(holder, data);
	ret = gosync_put(uarg, room, data, size);
	kfree(data);
	return ret;
}
