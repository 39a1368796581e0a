// SPDX-License-Identifier: GPL-2.0-only
/*
 * Opening an object: finding its name, or making a new object, and a holder.
 *
 * A new object is made completely, with its memory and its first holder, before
 * it is linked and counted under the namespace's lock. If the name was taken
 * meanwhile the object is freed again; nobody has ever seen it.
 */
#include <linux/fdtable.h>
#include <linux/file.h>
#include <linux/fs.h>

#include "cluster.h"
#include "names.h"
#include "page.h"
#include "trace.h"
#include "wait.h"

static int check_open(const struct gosync_open_args *args)
{
	const u32 describing = GOSYNC_PERSIST | GOSYNC_OWN_PAGE |
			       GOSYNC_NO_MMAP | GOSYNC_CLUSTER;
	const struct gosync_ops *ops = gosync_ops_of(args->type);
	const u32 awaiting = GOSYNC_AWAIT | GOSYNC_AWAIT_REALTIME;
	const u32 opening = GOSYNC_CREATE | GOSYNC_EXCL | GOSYNC_RDONLY | awaiting;

	if (args->abi && args->abi != GOSYNC_ABI_VERSION)
		return -EPROTO;
	if (args->mode & ~0777)
		return -EINVAL;
	if (args->type ? !ops : args->flags & GOSYNC_CREATE)
		return -EINVAL;
	if (args->flags & ~(opening | describing | (ops ? ops->flags : 0)))
		return -EINVAL;
	if (ops && args->capacity > ops->max_capacity)
		return -EINVAL;
	if (args->key_size > (ops ? ops->max_key_size : 0) ||
	    args->value_size > (ops ? ops->max_value_size : 0))
		return -EINVAL;
	if (!(args->flags & GOSYNC_AWAIT) &&
	    (args->flags & GOSYNC_AWAIT_REALTIME || args->deadline))
		return -EINVAL;
	if (!(args->flags & GOSYNC_CREATE))
		return args->flags & ~(GOSYNC_RDONLY | awaiting) ||
		       args->mode || !args->name_len ? -EINVAL : 0;
	if (args->flags & awaiting)
		return -EINVAL;
	if (!args->name_len && args->flags & GOSYNC_PERSIST)
		return -EINVAL;
	return gosync_cluster_check(args, ops);
}

/* Make an object that cannot be found yet, and that counts nowhere. */
static struct gosync_object *prepare_object(struct gosync_ns *ns,
					    const struct gosync_open_args *args,
					    const char *name)
{
	struct gosync_object *obj;
	int ret;

	obj = gosync_object_alloc(gosync_ops_of(args->type), args, name);
	if (!obj)
		return ERR_PTR(-ENOMEM);
	refcount_inc(&ns->refs);
	obj->ns = ns;
	seqcount_spinlock_init(&obj->access_seq, &ns->lock);
	ret = gosync_accounts_get(obj->access.uid, &obj->account, &obj->payer);
	if (!ret)
		ret = gosync_area_get(obj);
	if (!ret && obj->ops->init)
		ret = obj->ops->init(obj, args);
	if (!ret && obj->flags & GOSYNC_CLUSTER)
		ret = gosync_cluster_begin(obj);
	if (!ret)
		return obj;
	gosync_object_destroy(obj);
	return ERR_PTR(ret);
}

/*
 * Begin a holder of an object, whose reference is used up; or return its error.
 */
static struct file *open_found(struct gosync_object *obj, bool read_only)
{
	struct file *file;

	if (IS_ERR(obj))
		return ERR_CAST(obj);
	file = gosync_holder_file(obj, read_only);
	if (IS_ERR(file))
		gosync_object_put(obj);
	return file;
}

static struct file *open_object(struct gosync_ns *ns,
				const struct gosync_open_args *args,
				const char *name)
{
	struct gosync_name_key key = { .ns = ns, .name = name, .len = args->name_len };
	bool read_only = args->flags & GOSYNC_RDONLY;
	struct gosync_object *obj, *found;
	struct file *file;

	found = gosync_name_find(&key, args);
	if (found)
		return open_found(found, read_only);
	if (!(args->flags & GOSYNC_CREATE)) {
		/*
		 * Perhaps it was found while it moved: the lock waits for that.
		 */
		scoped_guard(spinlock, &ns->lock)
			found = gosync_name_find(&key, args);
		return found ? open_found(found, read_only) : ERR_PTR(-ENOENT);
	}
	obj = prepare_object(ns, args, name);
	file = open_found(obj, read_only);
	if (IS_ERR(file))
		return file;
	found = gosync_name_link(obj, &key, args);
	if (!found)
		return file;
	/* Nobody has ever seen the new one, which goes with its holder. */
	fput(file);
	return open_found(found, read_only);
}

/*
 * Return: a new descriptor, or an error; -ENOENT: it is certain that none
 * exists
 */
static int open_now(struct gosync_ns *ns, const struct gosync_open_args *args,
		    const char *name)
{
	struct gosync_holder *holder;
	struct file *file;
	int fd;

	fd = get_unused_fd_flags(O_CLOEXEC);
	if (fd < 0)
		return fd;
	file = open_object(ns, args, name);
	if (IS_ERR(file)) {
		put_unused_fd(fd);
		return PTR_ERR(file);
	}
	holder = gosync_holder_of(file);
	trace_gosync_open(holder->obj, holder->id);
	fd_install(fd, file);
	return fd;
}

static int open_awaited(struct gosync_ns *ns, const struct gosync_open_args *args,
			const char *name)
{
	const u32 clock = args->flags & GOSYNC_AWAIT_REALTIME ?
			  GOSYNC_CLOCK_REALTIME : 0;
	const struct gosync_name_key key = {
		.ns = ns, .name = name, .len = args->name_len,
	};
	struct gosync_timeout timeout;
	int ret;

	ret = gosync_timeout_init(&timeout, clock, args->deadline);
	/* The object may have gone again by now: then wait for the next. */
	while (!ret) {
		ret = open_now(ns, args, name);
		if (ret != -ENOENT)
			return ret;
		ret = gosync_try_again() ?: gosync_name_await(&key, &timeout);
	}
	return ret;
}

long gosync_names_open(struct gosync_holder *unused, void *arg)
{
	const struct gosync_open_args *args = arg;
	char name[GOSYNC_NAME_MAX];
	struct gosync_ns *ns;
	int ret;

	ret = check_open(args) ?:
	      gosync_copy_name(name, args->name, args->name_len);
	if (ret)
		return ret;
	if (args->flags & (GOSYNC_CREATE | GOSYNC_AWAIT)) {
		ns = gosync_names_here();
		if (!ns)
			return -ENOMEM;
	} else {
		ns = gosync_ns_find(current->nsproxy->ipc_ns);
		if (!ns)
			return -ENOENT;
	}
	ret = args->flags & GOSYNC_AWAIT ? open_awaited(ns, args, name) :
					   open_now(ns, args, name);
	gosync_ns_put(ns);
	return ret;
}
