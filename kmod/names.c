// SPDX-License-Identifier: GPL-2.0-only
/*
 * Names: which object is meant, who may open it, and how many there may be.
 *
 * Each IPC namespace has its own names, permissions are judged as ipcperms()
 * does for System V objects, and an object lives as long as somebody has it
 * open or, with GOSYNC_PERSIST, until it is unlinked.
 *
 * References. An object has one for each holder and one while it is
 * persistent. The last one is dropped under its namespace's lock, which also
 * covers looking up for creation: an object that is found under the lock is
 * alive. Opening alone looks up without the lock and takes only what is still
 * referenced.
 *
 * A namespace of ours (struct gosync_ns) has a reference for each object in it
 * and holds one to the IPC namespace. Persistent objects would so keep a dead
 * container's namespace for ever; therefore, while there are any namespaces
 * besides the first, they are looked at once a second, and one that nobody
 * else refers to loses its names.
 */
#include <linux/capability.h>
#include <linux/fs.h>
#include <linux/file.h>
#include <linux/hashtable.h>
#include <linux/jhash.h>
#include <linux/module.h>
#include <linux/rhashtable.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/workqueue.h>

#include "compat.h"
#include "trace.h"

static unsigned int max_objects_per_user = 65536;
module_param(max_objects_per_user, uint, 0644);
MODULE_PARM_DESC(max_objects_per_user,
		 "Objects that one user may have created; CAP_SYS_RESOURCE may exceed it");

static unsigned int max_objects_per_ns = 1048576;
module_param(max_objects_per_ns, uint, 0644);
MODULE_PARM_DESC(max_objects_per_ns,
		 "Objects in one IPC namespace; CAP_SYS_RESOURCE may exceed it");

/**
 * struct gosync_ns - the objects of an IPC namespace
 * @node: in the table of namespaces
 * @ipc: the IPC namespace
 * @refs: one for each object and each user of the moment
 * @lock: protects the following, and the life of the objects
 * @named: the objects that have a name, by their number
 * @nr_objects: how many there are, named or not
 * @partial: shared pages that have room
 * @rcu: to free it when nobody looks at it any more
 */
struct gosync_ns {
	struct hlist_node node;
	struct ipc_namespace *ipc;
	refcount_t refs;
	struct mutex lock; /* names and life of objects */
	struct xarray named;
	unsigned int nr_objects;
	DECLARE_HASHTABLE(partial, GOSYNC_AREA_BITS);
	struct rcu_head rcu;
};

/* The namespaces, read under RCU */
static DEFINE_HASHTABLE(namespaces, 8);
static DEFINE_SPINLOCK(namespaces_lock);

static void reap_namespaces(struct work_struct *work);
static DECLARE_DELAYED_WORK(reaper, reap_namespaces);
#define REAP_EVERY	HZ

/* How many objects each user has created, as xarray values by uid */
static DEFINE_XARRAY(users);
static DEFINE_MUTEX(users_lock);

/* --- The table of names -------------------------------------------------- */

struct name_key {
	const struct gosync_ns *ns;
	const char *name;
	u8 len;
};

static u32 hash_name(const struct gosync_ns *ns, const char *name, u8 len,
		     u32 seed)
{
	return jhash(name, len, seed ^ hash_ptr(ns, 32));
}

static u32 hash_key(const void *data, u32 len, u32 seed)
{
	const struct name_key *key = data;

	return hash_name(key->ns, key->name, key->len, seed);
}

static u32 hash_object(const void *data, u32 len, u32 seed)
{
	const struct gosync_object *obj = data;

	return hash_name(obj->ns, gosync_object_name(obj), obj->name_len, seed);
}

static int differs(struct rhashtable_compare_arg *arg, const void *data)
{
	const struct gosync_object *obj = data;
	const struct name_key *key = arg->key;

	return obj->ns != key->ns || obj->name_len != key->len ||
	       memcmp(gosync_object_name(obj), key->name, key->len);
}

static const struct rhashtable_params names_params = {
	.head_offset = offsetof(struct gosync_object, node),
	.hashfn = hash_key,
	.obj_hashfn = hash_object,
	.obj_cmpfn = differs,
	.automatic_shrinking = true,
};

static struct rhashtable names;

/* --- Namespaces ---------------------------------------------------------- */

static struct gosync_ns *ns_find(const struct ipc_namespace *ipc)
{
	struct gosync_ns *ns;

	guard(rcu)();
	hash_for_each_possible_rcu(namespaces, ns, node, (unsigned long)ipc)
		if (ns->ipc == ipc && refcount_inc_not_zero(&ns->refs))
			return ns;
	return NULL;
}

static struct gosync_ns *ns_get(struct ipc_namespace *ipc)
{
	struct gosync_ns *ns, *other;

	ns = ns_find(ipc);
	if (ns)
		return ns;
	ns = kzalloc(sizeof(*ns), GFP_KERNEL_ACCOUNT);
	if (!ns)
		return NULL;
	ns->ipc = get_ipc_ns(ipc);
	refcount_set(&ns->refs, 1);
	mutex_init(&ns->lock);
	xa_init_flags(&ns->named, XA_FLAGS_ACCOUNT);
	hash_init(ns->partial);

	spin_lock(&namespaces_lock);
	other = ns_find(ipc);
	if (!other)
		hash_add_rcu(namespaces, &ns->node, (unsigned long)ipc);
	spin_unlock(&namespaces_lock);
	if (other) {
		put_ipc_ns(ns->ipc);
		kfree(ns);
		return other;
	}
	if (ipc != &init_ipc_ns)
		schedule_delayed_work(&reaper, REAP_EVERY);
	return ns;
}

static void ns_put(struct gosync_ns *ns)
{
	if (!refcount_dec_and_test(&ns->refs))
		return;
	/* Another may stand beside it in the table already; nobody takes this. */
	spin_lock(&namespaces_lock);
	hash_del_rcu(&ns->node);
	spin_unlock(&namespaces_lock);
	put_ipc_ns(ns->ipc);
	xa_destroy(&ns->named);
	kfree_rcu(ns, rcu);
}

/**
 * gosync_may() - may the caller do this, by user, group and mode
 * @ns: where
 * @uid: owner
 * @gid: group
 * @mode: permission bits
 * @want: 4 to read, 2 to write
 *
 * Return: whether.
 */
bool gosync_may(const struct gosync_ns *ns, kuid_t uid, kgid_t gid, u16 mode,
		u16 want)
{
	if (uid_eq(current_euid(), uid))
		mode >>= 6;
	else if (in_group_p(gid))
		mode >>= 3;
	return !(want & ~mode) || ns_capable(ns->ipc->user_ns, CAP_IPC_OWNER);
}

/* --- Limits -------------------------------------------------------------- */

static int user_charge(kuid_t uid)
{
	unsigned long count;

	guard(mutex)(&users_lock);
	count = xa_to_value(xa_load(&users, __kuid_val(uid)) ?: xa_mk_value(0));
	if (count >= max_objects_per_user && !capable(CAP_SYS_RESOURCE))
		return -EDQUOT;
	return xa_err(xa_store(&users, __kuid_val(uid), xa_mk_value(count + 1),
			       GFP_KERNEL_ACCOUNT));
}

static void user_uncharge(kuid_t uid)
{
	unsigned long count;

	guard(mutex)(&users_lock);
	count = xa_to_value(xa_load(&users, __kuid_val(uid)));
	if (count > 1)
		/* Replaces an entry, so it needs no memory. */
		xa_store(&users, __kuid_val(uid), xa_mk_value(count - 1), 0);
	else
		xa_erase(&users, __kuid_val(uid));
}

/* --- The life of an object ----------------------------------------------- */

static struct gosync_object *find_object(const struct name_key *key)
{
	struct gosync_object *obj;

	guard(rcu)();
	obj = rhashtable_lookup(&names, key, names_params);
	if (obj && !refcount_inc_not_zero(&obj->refs))
		return NULL;
	return obj;
}

static void remove_name(struct gosync_object *obj)
{
	lockdep_assert_held(&obj->ns->lock);
	rhashtable_remove_fast(&names, &obj->node, names_params);
	xa_erase(&obj->ns->named, obj->id);
	WRITE_ONCE(obj->linked, false);
}

/**
 * gosync_object_put() - drop a reference
 * @obj: the object, which goes with the last
 */
void gosync_object_put(struct gosync_object *obj)
{
	struct gosync_ns *ns = obj->ns;
	bool last;

	if (!refcount_dec_and_mutex_lock(&obj->refs, &ns->lock))
		return;
	if (obj->linked)
		remove_name(obj);
	trace_gosync_destroy(obj, 0);
	if (obj->ops->fini)
		obj->ops->fini(obj);
	last = gosync_area_put(obj, ns->partial);
	ns->nr_objects--;
	mutex_unlock(&ns->lock);
	if (last)
		gosync_area_unref(obj->area);
	user_uncharge(obj->uid);
	gosync_object_free(obj);
	ns_put(ns);
}

/* Called with the namespace's lock. Takes a reference to @ns for the object. */
static struct gosync_object *create(struct gosync_ns *ns,
				    const struct gosync_open *args,
				    const char *name)
{
	struct gosync_object *obj;
	int ret;

	if (ns->nr_objects >= max_objects_per_ns && !capable(CAP_SYS_RESOURCE))
		return ERR_PTR(-ENOSPC);
	obj = gosync_object_alloc(args, name);
	if (!obj)
		return ERR_PTR(-ENOMEM);
	obj->ns = ns;
	/* Not yet: once the caller has its descriptor. */
	obj->flags &= ~GOSYNC_PERSIST;
	ret = user_charge(obj->uid);
	if (ret)
		goto err_free;
	ret = gosync_area_get(obj, ns->partial);
	if (ret)
		goto err_uncharge;
	ret = obj->ops->init ? obj->ops->init(obj, args) : 0;
	if (ret)
		goto err_area;
	if (obj->name_len) {
		ret = xa_insert(&ns->named, obj->id, obj, GFP_KERNEL_ACCOUNT);
		if (ret)
			goto err_fini;
		obj->linked = true;
		ret = rhashtable_insert_fast(&names, &obj->node, names_params);
		if (ret)
			goto err_named;
	}
	refcount_inc(&ns->refs);
	ns->nr_objects++;
	trace_gosync_create(obj, 0);
	return obj;

err_named:
	xa_erase(&ns->named, obj->id);
err_fini:
	if (obj->ops->fini)
		obj->ops->fini(obj);
err_area:
	if (gosync_area_put(obj, ns->partial))
		gosync_area_unref(obj->area);
err_uncharge:
	user_uncharge(obj->uid);
err_free:
	gosync_object_free(obj);
	return ERR_PTR(ret);
}

/* Keep the name when the last descriptor is closed, if it is still there */
static void persist(struct gosync_object *obj)
{
	guard(mutex)(&obj->ns->lock);
	if (obj->linked) {
		obj->flags |= GOSYNC_PERSIST;
		refcount_inc(&obj->refs);
	}
}

static void unlink_object(struct gosync_object *obj)
{
	bool persistent;

	scoped_guard(mutex, &obj->ns->lock) {
		if (!obj->linked)
			return;
		remove_name(obj);
		persistent = obj->flags & GOSYNC_PERSIST;
		obj->flags &= ~GOSYNC_PERSIST;
	}
	trace_gosync_unlink(obj, 0);
	if (persistent)
		gosync_object_put(obj);
}

/* The next named object from number @id on, with a reference */
static struct gosync_object *next_object(struct gosync_ns *ns, unsigned long id)
{
	struct gosync_object *obj;

	guard(mutex)(&ns->lock);
	obj = xa_find(&ns->named, &id, ULONG_MAX, XA_PRESENT);
	if (obj)
		refcount_inc(&obj->refs);
	return obj;
}

static void unlink_all(struct gosync_ns *ns)
{
	struct gosync_object *obj;

	while ((obj = next_object(ns, 0))) {
		unlink_object(obj);
		gosync_object_put(obj);
		cond_resched();
	}
}

static void reap_namespaces(struct work_struct *work)
{
	bool again = false;
	struct gosync_ns *ns, *dead;
	int bucket;

	do {
		dead = NULL;
		rcu_read_lock();
		hash_for_each_rcu(namespaces, bucket, ns, node) {
			again |= ns->ipc != &init_ipc_ns;
			if (!dead && !xa_empty(&ns->named) &&
			    gosync_ipc_ns_is_last(ns->ipc) &&
			    refcount_inc_not_zero(&ns->refs))
				dead = ns;
		}
		rcu_read_unlock();
		if (dead) {
			unlink_all(dead);
			ns_put(dead);
		}
	} while (dead);
	if (again)
		schedule_delayed_work(&reaper, REAP_EVERY);
}

/* --- The operations ------------------------------------------------------ */

static int copy_name(char *to, u64 name, u32 len)
{
	if (len > GOSYNC_NAME_MAX)
		return -ENAMETOOLONG;
	if (copy_from_user(to, u64_to_user_ptr(name), len))
		return -EFAULT;
	return memchr(to, 0, len) ? -EINVAL : 0;
}

static int check_open(const struct gosync_open *args)
{
	const u32 describing = GOSYNC_PERSIST | GOSYNC_OWN_PAGE | GOSYNC_NO_MMAP;
	const struct gosync_ops *ops = gosync_ops_of(args->type);
	const u32 opening = GOSYNC_CREATE | GOSYNC_EXCL | GOSYNC_RDONLY;

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
	if (args->type == GOSYNC_MAP ?
	    args->key_size > GOSYNC_MAP_KEY_MAX ||
	    args->value_size > GOSYNC_MAP_VALUE_MAX :
	    args->key_size || args->value_size)
		return -EINVAL;
	if (!(args->flags & GOSYNC_CREATE))
		return args->flags & ~GOSYNC_RDONLY || args->mode ||
		       !args->name_len ? -EINVAL : 0;
	return !args->name_len && args->flags & GOSYNC_PERSIST ? -EINVAL : 0;
}

/* May the caller have the object that it found? */
static int check_found(const struct gosync_object *obj,
		       const struct gosync_open *args)
{
	u16 want = args->flags & GOSYNC_RDONLY ? 4 : 6;

	if (args->flags & GOSYNC_EXCL)
		return -EEXIST;
	if (!gosync_may(obj->ns, obj->uid, obj->gid, obj->mode, want))
		return -EACCES;
	if ((args->type && args->type != obj->type) ||
	    (args->capacity && args->capacity != obj->capacity) ||
	    (obj->ops->matches && !obj->ops->matches(obj, args)))
		return -EPROTOTYPE;
	return 0;
}

static struct gosync_object *open_object(struct gosync_ns *ns,
					 const struct gosync_open *args,
					 const char *name, bool *created)
{
	struct name_key key = { .ns = ns, .name = name, .len = args->name_len };
	struct gosync_object *obj = NULL;
	int ret;

	*created = false;
	if (key.len)
		obj = find_object(&key);
	if (!obj) {
		if (!(args->flags & GOSYNC_CREATE))
			return ERR_PTR(-ENOENT);
		guard(mutex)(&ns->lock);
		if (key.len)
			obj = find_object(&key);
		if (!obj) {
			*created = true;
			return create(ns, args, name);
		}
	}
	ret = check_found(obj, args);
	if (!ret)
		return obj;
	gosync_object_put(obj);
	return ERR_PTR(ret);
}

long gosync_names_open(struct gosync_holder *unused, void *arg)
{
	const struct gosync_open *args = arg;
	struct gosync_object *obj;
	char name[GOSYNC_NAME_MAX];
	struct gosync_ns *ns;
	struct file *file;
	bool created;
	int ret, fd;

	ret = check_open(args);
	if (!ret)
		ret = copy_name(name, args->name, args->name_len);
	if (ret)
		return ret;
	if (args->flags & GOSYNC_CREATE) {
		ns = ns_get(current->nsproxy->ipc_ns);
		if (!ns)
			return -ENOMEM;
	} else {
		ns = ns_find(current->nsproxy->ipc_ns);
		if (!ns)
			return -ENOENT;
	}

	fd = get_unused_fd_flags(O_CLOEXEC);
	if (fd < 0) {
		ret = fd;
		goto out_ns;
	}
	obj = open_object(ns, args, name, &created);
	if (IS_ERR(obj)) {
		ret = PTR_ERR(obj);
		goto out_fd;
	}
	file = gosync_holder_file(obj, args->flags & GOSYNC_RDONLY);
	if (IS_ERR(file)) {
		ret = PTR_ERR(file);
		gosync_object_put(obj);
		goto out_fd;
	}
	if (created && args->flags & GOSYNC_PERSIST)
		persist(obj);
	fd_install(fd, file);
	ns_put(ns);
	return fd;

out_fd:
	put_unused_fd(fd);
out_ns:
	ns_put(ns);
	return ret;
}

long gosync_names_unlink(struct gosync_holder *unused, void *arg)
{
	const struct gosync_unlink *args = arg;
	char name[GOSYNC_NAME_MAX];
	struct gosync_object *obj;
	struct gosync_ns *ns;
	struct name_key key;
	int ret;

	if (args->flags || args->__reserved || !args->name_len)
		return -EINVAL;
	ret = copy_name(name, args->name, args->name_len);
	if (ret)
		return ret;
	ns = ns_find(current->nsproxy->ipc_ns);
	if (!ns)
		return -ENOENT;
	key = (struct name_key) { .ns = ns, .name = name, .len = args->name_len };
	obj = find_object(&key);
	ret = -ENOENT;
	if (obj) {
		ret = -EPERM;
		if (uid_eq(current_euid(), obj->uid) ||
		    ns_capable(ns->ipc->user_ns, CAP_SYS_ADMIN)) {
			unlink_object(obj);
			ret = 0;
		}
		gosync_object_put(obj);
	}
	ns_put(ns);
	return ret;
}

static int list_one(struct gosync_object *obj, void __user *to, size_t room,
		    struct gosync_info *info)
{
	if (!gosync_may(obj->ns, obj->uid, obj->gid, obj->mode, 4))
		return 0;
	memset(info, 0, sizeof(*info));
	gosync_object_info(obj, NULL, info);
	if (!info->name_len)
		return 0;
	return gosync_put(to, room, info, sizeof(*info)) ?: 1;
}

long gosync_names_list(struct gosync_holder *unused, void *arg)
{
	struct gosync_list *args = arg;
	struct gosync_object *obj;
	struct gosync_info *info;
	struct gosync_ns *ns;
	u32 done = 0;
	int ret = 0;

	if (args->flags || args->entry_size < GOSYNC_INFO_LEAST ||
	    args->entry_size > PAGE_SIZE || !args->count ||
	    args->count > INT_MAX)
		return -EINVAL;
	ns = ns_find(current->nsproxy->ipc_ns);
	if (!ns)
		return 0;
	info = kmalloc(sizeof(*info), GFP_KERNEL_ACCOUNT);
	if (!info) {
		ns_put(ns);
		return -ENOMEM;
	}
	while (done < args->count) {
		ret = -ERESTARTSYS;
		if (signal_pending(current))
			break;
		ret = 0;
		obj = next_object(ns, args->cursor);
		if (!obj)
			break;
		ret = list_one(obj, u64_to_user_ptr(args->entries +
						    (u64)done * args->entry_size),
			       args->entry_size, info);
		if (ret >= 0)
			args->cursor = obj->id + 1;
		gosync_object_put(obj);
		if (ret < 0)
			break;
		done += ret;
		cond_resched();
	}
	kfree(info);
	ns_put(ns);
	return done ?: ret;
}

int __init gosync_names_init(void)
{
	return rhashtable_init(&names, &names_params);
}

/* The module goes: nothing is open any more, but persistent objects are there */
void gosync_names_exit(void)
{
	struct gosync_ns *ns;
	int bucket;

	cancel_delayed_work_sync(&reaper);
	for (;;) {
		struct gosync_ns *found = NULL;

		rcu_read_lock();
		hash_for_each_rcu(namespaces, bucket, ns, node)
			if (!found && refcount_inc_not_zero(&ns->refs))
				found = ns;
		rcu_read_unlock();
		if (!found)
			break;
		unlink_all(found);
		ns_put(found);
	}
	rhashtable_destroy(&names);
	xa_destroy(&users);
}
