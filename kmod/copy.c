// SPDX-License-Identifier: GPL-2.0-only
/*
 * Copying between user space and the kernel.
 */
#include <linux/fault-inject-usercopy.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "gosync.h"

/**
 * gosync_copy_from_user() - copy_from_user() for what is mostly short
 * @to: where to, in the kernel's memory
 * @from: from where
 * @len: how much
 *
 * As gosync_copy().
 *
 * Return: 0 or -EFAULT.
 */
int gosync_copy_from_user(void *to, u64 from, size_t len)
{
	const size_t word = sizeof(u64);
	void __user *at = u64_to_user_ptr(from);
	size_t i;

	if (!IS_ENABLED(CONFIG_HAVE_EFFICIENT_UNALIGNED_ACCESS) ||
	    len < word || len > GOSYNC_SHORT)
		return copy_from_user(to, at, len) ? -EFAULT : 0;
	if (should_fail_usercopy() || !user_read_access_begin(at, len))
		return -EFAULT;
	for (i = 0; i + word < len; i += word)
		unsafe_get_user(*(u64 *)(to + i), (u64 __user *)(at + i), fault);
	i = len - word;
	unsafe_get_user(*(u64 *)(to + i), (u64 __user *)(at + i), fault);
	user_read_access_end();
	return 0;
fault:
	user_read_access_end();
	return -EFAULT;
}

/**
 * gosync_payload_get() - a payload of user space's in the kernel's memory
 * @payload: the result
 * @from: the payload
 * @len: its length
 *
 * What it takes is charged to the caller's memory cgroup.
 *
 * Return: 0, and the caller is to call gosync_payload_put(); -EFAULT, -ENOMEM.
 */
int gosync_payload_get(struct gosync_payload *payload, u64 from, size_t len)
{
	int ret;

	payload->len = len;
	payload->data = payload->small;
	if (len > sizeof(payload->small))
		payload->data = kvmalloc(len, GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (!payload->data)
		return -ENOMEM;
	ret = gosync_copy_from_user(payload->data, from, len);
	if (ret)
		gosync_payload_put(payload);
	return ret;
}

/**
 * gosync_payload_put() - it is not needed any more
 * @payload: the payload
 */
void gosync_payload_put(struct gosync_payload *payload)
{
	if (payload->data != payload->small)
		kvfree(payload->data);
}

/**
 * gosync_copy_out() - copy to user space under a lock
 * @to: where to
 * @from: from where, in the kernel's memory
 * @len: how much
 *
 * Waits for no page that is not there, and allocates nothing.
 *
 * Return: 0, or -EAGAIN if gosync_fault_in() is to be called without the lock.
 */
int gosync_copy_out(u64 to, const void *from, size_t len)
{
	if (len && copy_to_user_nofault(u64_to_user_ptr(to), from, len))
		return -EAGAIN;
	return 0;
}

/**
 * gosync_fault_in() - make gosync_copy_out() possible
 * @ret: what came of it, in and out
 * @to: where to
 * @len: how much; zeros are written there
 *
 * Return: whether to try once more; not if *@ret was something else than
 * -EAGAIN, or is an error now.
 */
bool gosync_fault_in(int *ret, u64 to, size_t len)
{
	if (*ret != -EAGAIN)
		return false;
	*ret = 0;
	if (clear_user(u64_to_user_ptr(to), len))
		*ret = -EFAULT;
	else if (fatal_signal_pending(current))
		*ret = -EINTR;
	cond_resched();
	return !*ret;
}

/**
 * gosync_copy_arg() - an argument that begins with its size
 * @arg: where to
 * @known: the size that we know
 * @uarg: from where
 * @size: out: the size that user space knows
 *
 * Return: 0 or -E2BIG, -EFAULT, -EINVAL.
 */
int gosync_copy_arg(void *arg, size_t known, void __user *uarg, u32 *size)
{
	if (get_user(*size, (u32 __user *)uarg))
		return -EFAULT;
	if (*size < 2 * sizeof(u32) || *size > PAGE_SIZE)
		return -EINVAL;
	if (*size == known)
		return gosync_copy_from_user(arg, (uintptr_t)uarg, known);
	return copy_struct_from_user(arg, known, uarg, *size);
}

/**
 * gosync_put() - copy out a structure, as large as the caller knows it
 * @to: where to
 * @room: how large it is there
 * @data: what
 * @size: how large it is here
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
 * @uarg: where to
 * @least: as large as it has to be there
 * @size: how large it is here
 * @fill: what fills it in; it is zero
 * @holder: who asks
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
