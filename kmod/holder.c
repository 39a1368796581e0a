// SPDX-License-Identifier: GPL-2.0-only
/*
 * Holders.
 *
 * A holder is an open file description: it begins with GOSYNC_IOC_OPEN or
 * GOSYNC_IOC_REOPEN and ends when its last descriptor is closed, however the
 * process ended. Each system call that uses its file keeps the file. So a
 * holder ends (gosync_holder_release()) after the last of its calls has
 * returned: no thread waits by it any more. What it still holds is in the
 * mapped words and in the object's structure; a Cond's absent and polled
 * tickets may be left, too.
 */
#include <linux/anon_inodes.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/string_helpers.h>
#include <linux/uaccess.h>

#include "copy.h"
#include "trace.h"

/*
 * Count a broken holder more or less, and show user space whether there are
 * any.
 */
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
	 * First remove the holder, so that its number in a word is that of a
	 * dead owner for everybody; then recover what it held.
	 */
	xa_lock(&obj->holders);
	__xa_erase(&obj->holders, gosync_holder_index(holder->id));
	WRITE_ONCE(obj->nr_holders, obj->nr_holders - 1);
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

int gosync_holder_release(struct inode *inode, struct file *file)
{
	struct gosync_holder *holder = file->private_data;
	struct gosync_object *obj = holder->obj;

	holder_end(holder);
	/* It may have died when it was told alone (EPOLLEXCLUSIVE). */
	if (obj->ops->exclusive)
		gosync_changed(obj);
	gosync_object_put(obj);
	return 0;
}

/* A descriptor is being closed; other descriptors may still share the file. */
int gosync_holder_flush(struct file *file, fl_owner_t id)
{
	struct gosync_holder *holder = file->private_data;

	if (holder->obj->ops->flush)
		holder->obj->ops->flush(holder->obj);
	gosync_orphan_flush(holder);
	return 0;
}

void gosync_holder_show_fdinfo(struct seq_file *seq, struct file *file)
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

/* The operations call files above this one, so main.c has them. */
static const struct file_operations *holder_fops __ro_after_init;

/**
 * gosync_holders_init() - set the operations of holders' files
 * @fops: the operations
 */
void __init gosync_holders_init(const struct file_operations *fops)
{
	holder_fops = fops;
}

/**
 * gosync_holder_of() - the holder of a file
 * @file: any file
 *
 * Return: the holder, NULL if it is no file of an object.
 */
struct gosync_holder *gosync_holder_of(struct file *file)
{
	return file->f_op == holder_fops ? file->private_data : NULL;
}

/**
 * gosync_holder_file() - begin a holder
 * @obj: the object; the caller's reference becomes the holder's
 * @read_only: the holder may only observe
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
		WRITE_ONCE(obj->nr_holders, obj->nr_holders + 1);
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

	file = anon_inode_getfile("[gosync]", holder_fops, holder,
				  (read_only ? O_RDONLY : O_RDWR) | O_CLOEXEC);
	if (IS_ERR(file)) {
		holder_end(holder);
		return file;
	}
	/*
	 * Release: get_holder() finds the holder by its number, and its file.
	 */
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

/* Find the holder of this number, and get a reference to its file; or NULL. */
static struct gosync_holder *get_holder(struct gosync_object *obj, u32 id)
{
	struct gosync_holder *holder;

	/* The lock keeps the holder, but not its file. */
	xa_lock(&obj->holders);
	holder = xa_load(&obj->holders, gosync_holder_index(id));
	if (holder && !gosync_orphan_keep(holder))
		holder = NULL;
	xa_unlock(&obj->holders);
	return holder;
}

/**
 * gosync_holder_break() - take from a holder what it has, although it lives
 * @asker: any holder of the object; the caller has to be the object's owner
 * @arg: &struct gosync_break_args, with the number of the holder to break
 *
 * From the moment when it is found to have something, the holder acquires
 * nothing any more and can release nothing. Its operations enter the kernel
 * (see mutex.c), which refuses them under the object's lock, or they have no
 * effect (see rwmutex_abandon()). So everything that it has at that moment can
 * be released as if it had died. One of its threads that waits may still be
 * granted something, and gives that back (gosync_too_late()). A command has no
 * thread for that, so it ends now.
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
		/*
		 * In this order: from now on it gets nothing that it has not.
		 */
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

static void fill_info(struct gosync_holder *holder, void *data)
{
	gosync_object_info(holder->obj, holder, data);
}

/* For a caller that gave no &gosync_info.abi: the state cannot be mapped. */
static void fill_unmapped_info(struct gosync_holder *holder, void *data)
{
	struct gosync_info *info = data;

	fill_info(holder, info);
	info->map_len = 0;
	info->map_offset = 0;
	info->map_data = 0;
	info->map_id = 0;
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
