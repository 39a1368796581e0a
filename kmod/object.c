// SPDX-License-Identifier: GPL-2.0-only
/*
 * Objects, whatever their type, their name and their holders are.
 */
#include <linux/module.h>
#include <linux/pid_namespace.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/user_namespace.h>

#include "cluster.h"
#include "page.h"
#include "wait.h"

/**
 * gosync_object_alloc() - make an object, without state and namespace yet
 * @ops: the operations of its type
 * @args: the arguments of the open, which were checked
 * @name: its name
 *
 * Return: the object or NULL.
 */
struct gosync_object *gosync_object_alloc(const struct gosync_ops *ops,
					  const struct gosync_open_args *args,
					  const char *name)
{
	static atomic64_t ids = ATOMIC64_INIT(0);
	struct gosync_object *obj;

	obj = kzalloc(ops->size + args->name_len, GFP_KERNEL_ACCOUNT);
	if (!obj)
		return NULL;
	obj->ops = ops;
	init_waitqueue_head(&obj->wq);
	xa_init_flags(&obj->holders, XA_FLAGS_ALLOC | XA_FLAGS_ACCOUNT);
	obj->id = atomic64_inc_return(&ids);
	refcount_set(&obj->refs, 1);
	obj->idle_since = ktime_get_boottime_ns();
	current_euid_egid(&obj->access.uid, &obj->access.gid);
	obj->access.mode = args->mode;
	obj->capacity = args->capacity ?: ops->default_capacity;
	obj->type = args->type;
	obj->flags = args->flags & ~(GOSYNC_CREATE | GOSYNC_EXCL | GOSYNC_RDONLY |
				     GOSYNC_PERSIST);
	if (obj->flags & GOSYNC_CLUSTER) {
		obj->capacity = ops->cluster->capacity;
		obj->flags |= ops->cluster->unmapped ? GOSYNC_NO_MMAP : 0;
	}
	obj->persistent = args->flags & GOSYNC_PERSIST;
	obj->name_len = args->name_len;
	memcpy((char *)obj + ops->size, name, args->name_len);
	return obj;
}

void gosync_object_free(struct gosync_object *obj)
{
	kfree(obj->stats);
	kfree(obj->watch);
	kfree_rcu(obj, rcu);
}

/**
 * gosync_holder_lives() - is there a holder of this number
 * @obj: the object
 * @id: the number, as found in a word
 *
 * Return: true if there is.
 */
bool gosync_holder_lives(struct gosync_object *obj, u32 id)
{
	bool lives;

	rcu_read_lock();
	lives = xa_load(&obj->holders, gosync_holder_index(id));
	rcu_read_unlock();
	return lives;
}

/**
 * gosync_object_owner() - the holder that owns or runs an object
 * @obj: the object
 *
 * Return: the number of a holder, or 0.
 */
u32 gosync_object_owner(const struct gosync_object *obj)
{
	return obj->ops->owner ? obj->ops->owner(obj) : 0;
}

/**
 * gosync_pid_nr() - the number of a process that lives
 * @pid: the process
 * @pid_ns: the namespace in which it has that number
 *
 * A process that has ended still has a number, which may belong to another by
 * now.
 *
 * Return: the number, 0 if it can't be seen or has ended.
 */
u32 gosync_pid_nr(struct pid *pid, struct pid_namespace *pid_ns)
{
	const struct task_struct *task;

	guard(rcu)();
	task = pid_task(pid, PIDTYPE_TGID);
	return task && atomic_read(&task->signal->live) ?
	       pid_nr_ns(pid, pid_ns) : 0;
}

/**
 * gosync_holder_pid() - the process that opened a holder
 * @obj: the object
 * @id: the holder's number
 * @pid_ns: the namespace in which it has that number
 *
 * Return: its number, 0 if it can't be seen or has ended.
 */
u32 gosync_holder_pid(struct gosync_object *obj, u32 id,
		      struct pid_namespace *pid_ns)
{
	struct gosync_holder *holder;
	u32 pid = 0;

	if (!id)
		return 0;
	/* The lock keeps the holder, and its reference to the pid. */
	xa_lock(&obj->holders);
	holder = xa_load(&obj->holders, gosync_holder_index(id));
	if (holder)
		pid = gosync_pid_nr(holder->pid, pid_ns);
	xa_unlock(&obj->holders);
	return pid;
}

/**
 * gosync_object_info() - fill in GOSYNC_IOC_INFO
 * @obj: the object
 * @holder: the holder that asks, or NULL: then called with the namespace's lock
 * @info: out: zeroed by the caller
 */
void gosync_object_info(struct gosync_object *obj,
			const struct gosync_holder *holder,
			struct gosync_info *info)
{
	const struct gosync_stats *stats = READ_ONCE(obj->stats);
	const struct gosync_access access = gosync_access_of(obj);
	struct gosync_area *area = obj->area;

	info->size = sizeof(*info);
	info->abi = GOSYNC_ABI_VERSION;
	info->type = obj->type;
	info->id = obj->id;
	info->flags = obj->flags;
	info->flags |= READ_ONCE(obj->persistent) ? GOSYNC_PERSIST : 0;
	info->mode = access.mode;
	info->uid = from_kuid_munged(current_user_ns(), access.uid);
	info->gid = from_kgid_munged(current_user_ns(), access.gid);
	info->holders = READ_ONCE(obj->nr_holders);
	info->capacity = READ_ONCE(obj->capacity);
	if (!area->no_mmap) {
		info->map_len = (u64)area->max_pages << PAGE_SHIFT;
		info->map_offset = offset_in_page(obj->state);
		info->map_id = area->id;
	}
	scoped_guard(spinlock, &obj->wq.lock) {
		info->waiters = obj->nr_waiters + gosync_visitors(obj);
		info->contended = stats ? stats->contended : 0;
		info->wait_max_ns = stats ? stats->wait_max_ns : 0;
		info->deaths = obj->deaths;
		obj->ops->info(obj, holder, info);
	}
	xa_lock(&obj->holders);
	if (!obj->nr_users)
		info->idle_ns = ktime_get_boottime_ns() - obj->idle_since + 1;
	xa_unlock(&obj->holders);
	info->owner_pid = gosync_holder_pid(obj, info->owner,
					    task_active_pid_ns(current));
	if (holder) {
		info->holder = holder->id;
		info->flags |= holder->read_only ? GOSYNC_RDONLY : 0;
		info->flags |= gosync_is_broken(holder) ? GOSYNC_BROKEN : 0;
	}
	if (READ_ONCE(obj->linked)) {
		info->name_len = obj->name_len;
		memcpy(info->name, gosync_object_name(obj), obj->name_len);
	}
}
