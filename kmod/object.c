// SPDX-License-Identifier: GPL-2.0-only
/*
 * Objects and their holders.
 *
 * A holder is an open file description: it begins with GOSYNC_IOC_OPEN or
 * GOSYNC_IOC_REOPEN and ends when its last descriptor is closed, however the
 * process ended. Its file is pinned by every system call that uses it, so the
 * end of a holder (holder_release()) comes when no call of its own is under
 * way: nobody waits on its behalf any more, and what it holds is only what the
 * mapped words say.
 */
#include <linux/anon_inodes.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/pid_namespace.h>
#include <linux/sched/signal.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/string_helpers.h>
#include <linux/user_namespace.h>

#include "trace.h"

const struct gosync_ops *gosync_ops_of(u32 type)
{
	switch (type) {
	case GOSYNC_INT32 ... GOSYNC_BOOL:
		return &gosync_atomic_ops[type - GOSYNC_INT32];
	case GOSYNC_VALUE:
		return &gosync_value_ops;
	case GOSYNC_MUTEX:
		return &gosync_mutex_ops;
	case GOSYNC_RWMUTEX:
		return &gosync_rwmutex_ops;
	case GOSYNC_WAITGROUP:
		return &gosync_waitgroup_ops;
	case GOSYNC_ONCE:
		return &gosync_once_ops;
	case GOSYNC_COND:
		return &gosync_cond_ops;
	case GOSYNC_SEMAPHORE:
		return &gosync_semaphore_ops;
	case GOSYNC_MAP:
		return &gosync_map_ops;
	default:
		return NULL;
	}
}

const char *gosync_object_name(const struct gosync_object *obj)
{
	return (const char *)obj + obj->ops->size;
}

/**
 * gosync_object_alloc() - make an object, without state or name space yet
 * @args: checked arguments
 * @name: its name
 *
 * Return: the object or NULL.
 */
struct gosync_object *gosync_object_alloc(const struct gosync_open_args *args,
					  const char *name)
{
	const struct gosync_ops *ops = gosync_ops_of(args->type);
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
	obj->flags = args->flags & ~(GOSYNC_CREATE | GOSYNC_EXCL | GOSYNC_RDONLY);
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

/*
 * Holder number N stands at index N - 1: so the first, and for most objects
 * only one, needs no memory besides the object's.
 */
static unsigned long index_of(u32 id)
{
	return id - 1UL;
}

/**
 * gosync_holder_lives() - is there a holder of this number
 * @obj: the object
 * @id: the number, as found in a word
 *
 * Return: whether.
 */
bool gosync_holder_lives(struct gosync_object *obj, u32 id)
{
	bool lives;

	rcu_read_lock();
	lives = xa_load(&obj->holders, index_of(id));
	rcu_read_unlock();
	return lives;
}

/**
 * gosync_object_owner() - who owns it, or runs it
 * @obj: the object
 *
 * Return: the number of a holder, or 0.
 */
u32 gosync_object_owner(const struct gosync_object *obj)
{
	return obj->ops->owner ? obj->ops->owner(obj) : 0;
}

/**
 * gosync_pid_nr() - the number of a process, while it is its
 * @pid: the process
 * @pid_ns: as it is seen from here
 *
 * What is left of one that has ended keeps a number that may be another's by now.
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
 * @pid_ns: as it is seen from here
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
	holder = xa_load(&obj->holders, index_of(id));
	if (holder)
		pid = gosync_pid_nr(holder->pid, pid_ns);
	xa_unlock(&obj->holders);
	return pid;
}

/**
 * gosync_object_info() - what is known of an object
 * @obj: the object
 * @holder: to whom, or NULL: then called with the namespace's lock
 * @info: zeroed
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
	info->mode = access.mode;
	info->uid = from_kuid_munged(current_user_ns(), access.uid);
	info->gid = from_kgid_munged(current_user_ns(), access.gid);
	info->holders = READ_ONCE(obj->nr_holders);
	info->capacity = READ_ONCE(obj->capacity);
	if (!area->no_mmap) {
		info->map_len = (u64)area->max_pages << PAGE_SHIFT;
		info->map_offset = obj->state - area->addr;
	}
	scoped_guard(spinlock, &obj->wq.lock) {
		info->waiters = obj->nr_waiters;
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

/* One broken holder more or less: user space is to see whether there are any. */
static void count_broken(struct gosync_object *obj, int n)
{
	lockdep_assert_held(&obj->wq.lock);
	obj->nr_broken += n;
	if (obj->ops->show)
		obj->ops->show(obj);
}

static bool holds(const struct gosync_holder *holder)
{
	struct gosync_object *obj = holder->obj;

	return gosync_object_owner(obj) == holder->id ||
	       (obj->ops->held && obj->ops->held(obj, holder));
}

static void holder_end(struct gosync_holder *holder)
{
	struct gosync_object *obj = holder->obj;

	/*
	 * First the holder is no more, so that whoever finds its number in a
	 * word knows that its owner is dead; then what it held is recovered.
	 */
	xa_lock(&obj->holders);
	__xa_erase(&obj->holders, index_of(holder->id));
	obj->nr_holders--;
	if (!holder->read_only && !--obj->nr_users)
		obj->idle_since = ktime_get_boottime_ns();
	xa_unlock(&obj->holders);
	if (obj->ops->holder_end)
		obj->ops->holder_end(obj, holder);
	if (obj->ops->abandon)
		obj->ops->abandon(obj, holder);
	if (holder->broken) {
		scoped_guard(spinlock, &obj->wq.lock)
			count_broken(obj, -1);
	}
	put_pid(holder->pid);
	kfree(holder);
}

static int holder_release(struct inode *inode, struct file *file)
{
	struct gosync_holder *holder = file->private_data;
	struct gosync_object *obj = holder->obj;

	holder_end(holder);
	gosync_object_put(obj);
	return 0;
}

/* A descriptor is closed; others may still share the file. */
static int holder_flush(struct file *file, fl_owner_t id)
{
	struct gosync_holder *holder = file->private_data;

	if (holder->obj->ops->flush)
		holder->obj->ops->flush(holder->obj);
	gosync_orphan_flush(holder);
	return 0;
}

static void holder_show_fdinfo(struct seq_file *seq, struct file *file)
{
	struct gosync_holder *holder = file->private_data;
	struct gosync_object *obj = holder->obj;
	struct gosync_info *info;

	info = kzalloc(sizeof(*info), GFP_KERNEL_ACCOUNT);
	if (!info)
		return;
	gosync_object_info(obj, holder, info);
	seq_printf(seq, "gosync-type:\t%s\n", obj->ops->name);
	seq_puts(seq, "gosync-name:\t");
	seq_escape_mem(seq, info->name, info->name_len,
		       ESCAPE_OCTAL | ESCAPE_NP | ESCAPE_APPEND, "\\");
	seq_printf(seq, "\ngosync-id:\t%llu\n", info->id);
	seq_printf(seq, "gosync-state:\t%#llx\n", info->word);
	seq_printf(seq, "gosync-owner:\t%u\n", info->owner);
	seq_printf(seq, "gosync-waiters:\t%u\n", info->waiters);
	seq_printf(seq, "gosync-holder:\t%u\n", holder->id);
	kfree(info);
}

static const struct file_operations holder_fops = {
	.owner = THIS_MODULE,
	.flush = holder_flush,
	.release = holder_release,
	.unlocked_ioctl = gosync_object_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.mmap = gosync_mmap,
	.poll = gosync_poll,
	.uring_cmd = gosync_uring_cmd,
	.show_fdinfo = holder_show_fdinfo,
	.llseek = noop_llseek,
};

/**
 * gosync_holder_of() - the holder that a file stands for
 * @file: any file
 *
 * Return: the holder, NULL if the file is nothing of ours.
 */
struct gosync_holder *gosync_holder_of(struct file *file)
{
	return file->f_op == &holder_fops ? file->private_data : NULL;
}

/**
 * gosync_holder_file() - begin a holder
 * @obj: of this object; the caller's reference becomes the holder's
 * @read_only: it may only observe
 *
 * Return: its file, or an error; then the reference is still the caller's.
 */
struct file *gosync_holder_file(struct gosync_object *obj, bool read_only)
{
	struct gosync_holder *holder;
	struct file *file;
	int ret;

	holder = kzalloc(sizeof(*holder), GFP_KERNEL_ACCOUNT);
	if (!holder)
		return ERR_PTR(-ENOMEM);
	holder->obj = obj;
	holder->read_only = read_only;
	holder->pid = get_task_pid(current, PIDTYPE_TGID);

	xa_lock(&obj->holders);
	ret = __xa_alloc_cyclic(&obj->holders, &holder->id, holder,
				XA_LIMIT(0, U32_MAX - 1), &obj->next_holder,
				GFP_KERNEL_ACCOUNT);
	holder->id++;
	if (ret >= 0)
		obj->nr_holders++;
	if (ret >= 0 && !read_only)
		obj->nr_users++;
	xa_unlock(&obj->holders);
	if (ret < 0) {
		put_pid(holder->pid);
		kfree(holder);
		return ERR_PTR(ret);
	}
	if (obj->ops->holder_begin)
		obj->ops->holder_begin(obj, holder);

	file = anon_inode_getfile("[gosync]", &holder_fops, holder,
				  (read_only ? O_RDONLY : O_RDWR) | O_CLOEXEC);
	if (IS_ERR(file)) {
		holder_end(holder);
		return file;
	}
	/* Pairs with who finds the holder by its number, get_holder(). */
	smp_store_release(&holder->file, file);
	return file;
}

long gosync_holder_reopen(struct gosync_holder *holder, void *arg)
{
	struct gosync_object *obj = holder->obj;
	struct gosync_reopen_args *args = arg;
	struct file *file;
	int fd;

	if (args->flags & ~GOSYNC_RDONLY)
		return -EINVAL;
	fd = get_unused_fd_flags(O_CLOEXEC);
	if (fd < 0)
		return fd;
	refcount_inc(&obj->refs);
	file = gosync_holder_file(obj, holder->read_only ||
				  args->flags & GOSYNC_RDONLY);
	if (IS_ERR(file)) {
		gosync_object_put(obj);
		put_unused_fd(fd);
		return PTR_ERR(file);
	}
	trace_gosync_open(obj, gosync_holder_of(file)->id);
	fd_install(fd, file);
	return fd;
}

long gosync_holder_abandon(struct gosync_holder *holder, void *arg)
{
	holder->obj->ops->abandon(holder->obj, holder);
	return 0;
}

/* The holder of this number, with a reference to its file; or NULL */
static struct gosync_holder *get_holder(struct gosync_object *obj, u32 id)
{
	struct gosync_holder *holder;

	/* The lock keeps it, if not its file. */
	xa_lock(&obj->holders);
	holder = xa_load(&obj->holders, index_of(id));
	if (holder && !gosync_orphan_keep(holder))
		holder = NULL;
	xa_unlock(&obj->holders);
	return holder;
}

/**
 * gosync_holder_break() - take from a holder what it has, although it lives
 * @asker: any holder of the object, whose owner the caller has to be
 * @arg: which one
 *
 * From the moment that it is found to have something it gets nothing any more and
 * can release nothing: all that it does comes here (see mutex.c), or counts for
 * nothing (see abandon() in rwmutex.c), and here that is looked at with the
 * object's lock. So what it has then can be taken from it as if it had died. What a thread of it
 * waits for it may still be granted, and gives back (gosync_too_late()); a
 * command, which has no thread for that, ends now.
 *
 * Return: 0 or an error.
 */
long gosync_holder_break(struct gosync_holder *asker, void *arg)
{
	const struct gosync_break_args *args = arg;
	struct gosync_object *obj = asker->obj;
	struct gosync_holder *holder;
	bool has;

	if (args->flags || args->__reserved || !args->holder)
		return -EINVAL;
	if (!gosync_may_administer(obj))
		return -EPERM;
	holder = get_holder(obj, args->holder);
	if (!holder)
		return -ESRCH;
	scoped_guard(spinlock, &obj->wq.lock) {
		/* First this, then the look: it can't get what it has not then. */
		count_broken(obj, 1);
		has = holds(holder);
		if (holder->broken || !has)
			count_broken(obj, -1);
		else
			WRITE_ONCE(holder->broken, true);
	}
	if (has) {
		gosync_orphan_break(holder);
		obj->ops->abandon(obj, holder);
	}
	gosync_orphan_let_go(holder);
	return has ? 0 : -ESRCH;
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

static void fill_info(struct gosync_holder *holder, void *data)
{
	gosync_object_info(holder->obj, holder, data);
}

/* To who does not say how it takes the state to be, it is not there. */
static void fill_unmapped_info(struct gosync_holder *holder, void *data)
{
	struct gosync_info *info = data;

	fill_info(holder, info);
	info->map_len = 0;
	info->map_offset = 0;
	info->map_data = 0;
}

long gosync_holder_info(struct gosync_holder *holder, void __user *uarg)
{
	const struct gosync_info __user *info = uarg;
	u32 size, abi = 0;

	if (get_user(size, &info->size))
		return -EFAULT;
	if (size >= offsetofend(struct gosync_info, abi) &&
	    get_user(abi, &info->abi))
		return -EFAULT;
	if (abi && abi != GOSYNC_ABI_VERSION)
		return -EPROTO;
	return gosync_give(uarg, GOSYNC_INFO_LEAST, sizeof(struct gosync_info),
			   abi ? fill_info : fill_unmapped_info, holder);
}
