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
 * gosync_copy_from_user() - copy_from_user() for data that is mostly short
 * @to: the destination, in the kernel's memory
 * @from: the address in user space
 * @len: the number of bytes
 *
 * Copies in words, as gosync_copy() does.
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
 * gosync_payload_put() - free a payload
 * @payload: the payload
 */
void gosync_payload_put(struct gosync_payload *payload)
{
	if (payload->data != payload->small)
		kvfree(payload->data);
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
 * gosync_fault_in() - make gosync_copy_out() possible
 * @ret: in: the result of gosync_copy_out(); out: 0 or another error
 * @to: the address in user space
 * @len: the number of bytes; zeros are written there
 *
 * Return: true if the caller is to try once more: *@ret was -EAGAIN, and the
 * page is there now.
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
	if (get_user(*size, (u32 __user *)uarg))
		return -EFAULT;
	if (*size < 2 * sizeof(u32) || *size > PAGE_SIZE)
		return -EINVAL;
	if (*size == known)
		return gosync_copy_from_user(arg, (uintptr_t)uarg, known);
	return copy_struct_from_user(arg, known, uarg, *size);
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
