// SPDX-License-Identifier: GPL-2.0-only
/*
 * Names: which object is meant, who may open it, and how many there may be.
 *
 * Each IPC namespace has its own names, permissions are judged as ipcperms()
 * does for System V objects, and an object lives as long as somebody has it
 * open or, with GOSYNC_PERSIST, until it is unlinked.
 *
 * References. An object has one for each holder and one while it is
 * persistent. The last one is dropped under its namespace's lock, and the name
 * goes with it, so what is found under the lock is alive. To look is not to
 * hold: whoever fails to open it, unlinks it or lists it takes no reference, but
 * looks under RCU or under the lock.
 *
 * Strangers share the namespace's lock. So an object is made completely, with
 * its memory and first holder, before it is linked and counted under the lock;
 * and what is left of it is freed after it was unlinked there. Under it only
 * constant time is spent, and nothing sleeps.
 *
 * Who may open an object may change, and is judged without the lock: owner,
 * group and mode are read as one. While its state moves to another page nobody
 * has a reference, so that nobody gets one; who wants one takes the lock, and
 * waits.
 *
 * A namespace of ours (struct gosync_ns) has a reference for each object in it
 * and holds one to the IPC namespace. Persistent objects would so keep a dead
 * container's namespace for ever; therefore, while there are any namespaces
 * besides the first, they are looked at once a second, and one that nobody
 * else refers to loses its names.
 *
 * Who waits for a name waits on an entry of its own in a table beside that of
 * the names, which all who wait for the same name share. Whoever creates the
 * name finds that entry, takes it out of the table, and leaves the waking to a
 * worker: a create takes no longer for those who wait, however many they are.
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
#include <linux/user_namespace.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include "compat.h"
#include "trace.h"

static unsigned int max_objects_per_user = 65536;
module_param(max_objects_per_user, uint, 0644);
MODULE_PARM_DESC(max_objects_per_user,
		 "Objects that one user may have created, with those of the users in his user namespaces; CAP_SYS_RESOURCE may exceed it");

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
 * @rcu: to free it when nobody looks at it any more
 */
struct gosync_ns {
	struct hlist_node node;
	struct ipc_namespace *ipc;
	refcount_t refs;
	spinlock_t lock; /* names and life of objects */
	struct xarray named;
	unsigned int nr_objects;
	struct rcu_head rcu;
};

/* The namespaces, read under RCU */
static DEFINE_HASHTABLE(namespaces, 8);
static DEFINE_SPINLOCK(namespaces_lock);

static void reap_namespaces(struct work_struct *work);
static DECLARE_DELAYED_WORK(reaper, reap_namespaces);
#define REAP_EVERY	HZ

/**
 * struct gosync_account - how many objects a user has
 * @uid: the user
 * @refs: one for each object that counts here, or is going to
 * @objects: how many count (the lock of the table)
 */
struct gosync_account {
	kuid_t uid;
	refcount_t refs;
	unsigned int objects;
};

/* By uid */
static DEFINE_XARRAY(accounts);

/* --- The table of names -------------------------------------------------- */

struct name_key {
	struct gosync_ns *ns;
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

/**
 * struct gosync_awaited - a name that somebody waits for
 * @node: in the table of those, until it appears
 * @ns: where; has a reference to it
 * @users: who waits, and the worker that is to wake them (the namespace's lock)
 * @told: GOSYNC_TOLD: it has appeared
 * @wq: who waits
 * @work: wakes them
 * @rcu: to free it when nobody looks at it any more
 * @len: the name's length
 * @name: the name
 */
struct gosync_awaited {
	struct rhash_head node;
	struct gosync_ns *ns;
	unsigned int users;
	int told;
	wait_queue_head_t wq;
	struct work_struct work;
	struct rcu_head rcu;
	u8 len;
	char name[] __counted_by(len);
};

static u32 hash_awaited(const void *data, u32 len, u32 seed)
{
	const struct gosync_awaited *awaited = data;

	return hash_name(awaited->ns, awaited->name, awaited->len, seed);
}

static int differs_awaited(struct rhashtable_compare_arg *arg, const void *data)
{
	const struct gosync_awaited *awaited = data;
	const struct name_key *key = arg->key;

	return awaited->ns != key->ns || awaited->len != key->len ||
	       memcmp(awaited->name, key->name, key->len);
}

static const struct rhashtable_params awaited_params = {
	.head_offset = offsetof(struct gosync_awaited, node),
	.hashfn = hash_key,
	.obj_hashfn = hash_awaited,
	.obj_cmpfn = differs_awaited,
	.automatic_shrinking = true,
};

static struct rhashtable awaited_names;
static struct workqueue_struct *wakers;

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
	spin_lock_init(&ns->lock);
	xa_init_flags(&ns->named, XA_FLAGS_ACCOUNT);

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
 * @access: user, group and mode
 * @want: 4 to read, 2 to write
 *
 * Return: whether.
 */
bool gosync_may(const struct gosync_ns *ns, const struct gosync_access *access,
		u16 want)
{
	u32 mode = access->mode;

	if (uid_eq(current_euid(), access->uid))
		mode >>= 6;
	else if (in_group_p(access->gid))
		mode >>= 3;
	return !(want & ~mode) || ns_capable(ns->ipc->user_ns, CAP_IPC_OWNER);
}

/**
 * gosync_ns_is_callers() - is this where the caller's names are
 * @ns: the namespace
 *
 * Return: whether.
 */
bool gosync_ns_is_callers(const struct gosync_ns *ns)
{
	return ns->ipc == current->nsproxy->ipc_ns;
}

/**
 * gosync_may_administer() - may the caller decide over it
 * @obj: the object
 *
 * Return: whether it is the caller's, or the caller has CAP_SYS_ADMIN over its
 * IPC namespace.
 */
bool gosync_may_administer(const struct gosync_object *obj)
{
	return uid_eq(current_euid(), gosync_access_of(obj).uid) ||
	       ns_capable(obj->ns->ipc->user_ns, CAP_SYS_ADMIN);
}

/* --- Limits -------------------------------------------------------------- */

static struct gosync_account *account_get(kuid_t uid)
{
	struct gosync_account *account, *new;

	xa_lock(&accounts);
	account = xa_load(&accounts, __kuid_val(uid));
	if (account)
		refcount_inc(&account->refs);
	xa_unlock(&accounts);
	if (account)
		return account;

	new = kzalloc(sizeof(*new), GFP_KERNEL_ACCOUNT);
	if (!new)
		return NULL;
	new->uid = uid;
	refcount_set(&new->refs, 1);
	/* Another may come first: it drops the lock to allocate. */
	xa_lock(&accounts);
	account = __xa_cmpxchg(&accounts, __kuid_val(uid), NULL, new,
			       GFP_KERNEL_ACCOUNT);
	if (account && !xa_is_err(account))
		refcount_inc(&account->refs);
	xa_unlock(&accounts);
	if (!account)
		return new;
	kfree(new);
	return xa_is_err(account) ? NULL : account;
}

static void account_put(struct gosync_account *account)
{
	if (!account || refcount_dec_not_one(&account->refs))
		return;
	xa_lock(&accounts);
	if (refcount_dec_and_test(&account->refs))
		__xa_erase(&accounts, __kuid_val(account->uid));
	else
		account = NULL;
	xa_unlock(&accounts);
	kfree(account);
}

/*
 * Who owns a user namespace is as many users in it as it has sub-uids. What these
 * create counts for the owner, too; with namespaces in namespaces for that of the
 * outermost. Not for root: that is who vouches for containers, not who is in them.
 */
static kuid_t payer_of(const struct user_namespace *user_ns, kuid_t uid)
{
	kuid_t payer = uid;

	for (; user_ns != &init_user_ns; user_ns = user_ns->parent)
		if (!uid_eq(user_ns->owner, GLOBAL_ROOT_UID))
			payer = user_ns->owner;
	return payer;
}

/* What @uid creates here counts for these; put them even after an error. */
static int get_accounts(kuid_t uid, struct gosync_account **account,
			struct gosync_account **payer)
{
	kuid_t who_pays = payer_of(current_user_ns(), uid);

	*account = account_get(uid);
	if (!*account)
		return -ENOMEM;
	if (uid_eq(who_pays, uid))
		return 0;
	*payer = account_get(who_pays);
	return *payer ? 0 : -ENOMEM;
}

static bool is_full(const struct gosync_account *account)
{
	return account && account->objects >= READ_ONCE(max_objects_per_user);
}

static void count_for_accounts(struct gosync_object *obj, int n)
{
	lockdep_assert_held(&accounts.xa_lock);
	obj->account->objects += n;
	if (obj->payer)
		obj->payer->objects += n;
}

static int count_object(struct gosync_object *obj)
{
	struct gosync_ns *ns = obj->ns;

	lockdep_assert_held(&ns->lock);
	if (ns->nr_objects >= READ_ONCE(max_objects_per_ns) &&
	    !capable(CAP_SYS_RESOURCE))
		return -ENOSPC;
	xa_lock(&accounts);
	if ((is_full(obj->account) || is_full(obj->payer)) &&
	    !capable(CAP_SYS_RESOURCE)) {
		xa_unlock(&accounts);
		return -EDQUOT;
	}
	count_for_accounts(obj, 1);
	xa_unlock(&accounts);
	ns->nr_objects++;
	obj->counted = true;
	return 0;
}

static void uncount_object(struct gosync_object *obj)
{
	lockdep_assert_held(&obj->ns->lock);
	xa_lock(&accounts);
	count_for_accounts(obj, -1);
	xa_unlock(&accounts);
	obj->ns->nr_objects--;
	obj->counted = false;
}

/* --- The life of an object ----------------------------------------------- */

/* Alive for sure only with the namespace's lock; may be looked at under RCU */
static struct gosync_object *look_up(const struct name_key *key)
{
	return rhashtable_lookup(&names, key, names_params);
}

static void free_object(struct gosync_object *obj)
{
	struct gosync_ns *ns = obj->ns;

	if (obj->ops->fini)
		obj->ops->fini(obj);
	if (obj->area)
		gosync_area_put(obj->area, obj->state);
	account_put(obj->account);
	account_put(obj->payer);
	gosync_object_free(obj);
	ns_put(ns);
}

static void remove_name(struct gosync_object *obj)
{
	lockdep_assert_held(&obj->ns->lock);
	rhashtable_remove_fast(&names, &obj->node, names_params);
	xa_erase(&obj->ns->named, obj->id);
	WRITE_ONCE(obj->linked, false);
}

/* The last reference is gone. */
static void end_object(struct gosync_object *obj)
{
	lockdep_assert_held(&obj->ns->lock);
	if (obj->linked)
		remove_name(obj);
	if (obj->counted) {
		uncount_object(obj);
		trace_gosync_destroy(obj, 0);
	}
}

/**
 * gosync_object_put() - drop a reference
 * @obj: the object, which goes with the last
 */
void gosync_object_put(struct gosync_object *obj)
{
	struct gosync_ns *ns = obj->ns;

	if (refcount_dec_not_one(&obj->refs))
		return;
	scoped_guard(spinlock, &ns->lock) {
		if (!refcount_dec_and_test(&obj->refs))
			return;
		end_object(obj);
	}
	free_object(obj);
}

/* Make an object that nobody can find, and that counts nowhere yet */
static struct gosync_object *prepare(struct gosync_ns *ns,
				     const struct gosync_open_args *args,
				     const char *name)
{
	struct gosync_object *obj;
	int ret;

	obj = gosync_object_alloc(args, name);
	if (!obj)
		return ERR_PTR(-ENOMEM);
	refcount_inc(&ns->refs);
	obj->ns = ns;
	seqcount_spinlock_init(&obj->access_seq, &ns->lock);
	ret = get_accounts(obj->access.uid, &obj->account, &obj->payer);
	if (!ret)
		ret = gosync_area_get(obj);
	if (!ret && obj->ops->init)
		ret = obj->ops->init(obj, args);
	if (!ret)
		return obj;
	free_object(obj);
	return ERR_PTR(ret);
}

/* --- Waiting for a name -------------------------------------------------- */

static void awaited_put(struct gosync_awaited *awaited)
{
	struct gosync_ns *ns = awaited->ns;

	scoped_guard(spinlock, &ns->lock) {
		if (--awaited->users)
			return;
		if (awaited->told != GOSYNC_TOLD)
			rhashtable_remove_fast(&awaited_names, &awaited->node,
					       awaited_params);
	}
	kfree_rcu(awaited, rcu);
	ns_put(ns);
}

static void wake_all(struct work_struct *work)
{
	struct gosync_awaited *awaited =
		container_of(work, struct gosync_awaited, work);

	/* Its barrier pairs with that of who sleeps: it queues, then looks. */
	while (wq_has_sleeper(&awaited->wq)) {
		wake_up_nr(&awaited->wq, GOSYNC_WAKE_BATCH);
		cond_resched();
	}
	awaited_put(awaited);
}

/* As autoremove_wake_function(), but who is awake already goes, too */
static int wake_and_remove(wait_queue_entry_t *entry, unsigned int mode,
			   int flags, void *key)
{
	default_wake_function(entry, mode, flags, key);
	/* Pairs with finish_wait(), after which the entry is gone. */
	list_del_init_careful(&entry->entry);
	return 1;
}

static struct gosync_awaited *awaited_alloc(const struct name_key *key)
{
	struct gosync_awaited *awaited;

	awaited = kzalloc(struct_size(awaited, name, key->len),
			  GFP_KERNEL_ACCOUNT);
	if (!awaited)
		return NULL;
	refcount_inc(&key->ns->refs);
	awaited->ns = key->ns;
	init_waitqueue_head(&awaited->wq);
	INIT_WORK(&awaited->work, wake_all);
	awaited->len = key->len;
	memcpy(awaited->name, key->name, key->len);
	return awaited;
}

/* Returns what to wait on, @new or that of others; NULL if the name is there */
static struct gosync_awaited *join(const struct name_key *key,
				   struct gosync_awaited *new)
{
	struct gosync_awaited *awaited;

	lockdep_assert_held(&key->ns->lock);
	guard(rcu)();
	/* Whoever creates it from now on finds the entry. */
	if (look_up(key))
		return NULL;
	awaited = rhashtable_lookup(&awaited_names, key, awaited_params);
	if (!awaited) {
		awaited = new;
		if (rhashtable_insert_fast(&awaited_names, &new->node,
					   awaited_params))
			return ERR_PTR(-ENOMEM);
	}
	awaited->users++;
	return awaited;
}

/* Return: 0 if the name is or was there, -ENOMEM, or as gosync_sleep() */
static int await_name(const struct name_key *key,
		      const struct gosync_timeout *timeout)
{
	struct gosync_awaited *new, *awaited;
	wait_queue_entry_t entry;
	int ret;

	new = awaited_alloc(key);
	if (!new)
		return -ENOMEM;
	scoped_guard(spinlock, &key->ns->lock)
		awaited = join(key, new);
	if (awaited != new) {
		kfree(new);
		ns_put(key->ns);
	}
	if (IS_ERR_OR_NULL(awaited))
		return PTR_ERR_OR_ZERO(awaited);

	init_waitqueue_func_entry(&entry, wake_and_remove);
	entry.private = current;
	add_wait_queue_exclusive(&awaited->wq, &entry);
	ret = gosync_sleep(&awaited->told, NULL, timeout);
	finish_wait(&awaited->wq, &entry);
	awaited_put(awaited);
	return ret;
}

/* A name has been linked. */
static void tell_awaiting(const struct gosync_object *obj)
{
	const struct name_key key = {
		.ns = obj->ns,
		.name = gosync_object_name(obj),
		.len = obj->name_len,
	};
	struct gosync_awaited *awaited;

	lockdep_assert_held(&obj->ns->lock);
	guard(rcu)();
	awaited = rhashtable_lookup(&awaited_names, &key, awaited_params);
	if (!awaited)
		return;
	rhashtable_remove_fast(&awaited_names, &awaited->node, awaited_params);
	awaited->users++;
	/* Pairs with gosync_is_told() */
	smp_store_release(&awaited->told, GOSYNC_TOLD);
	queue_work(wakers, &awaited->work);
}

/* The place in @ns->named is reserved, so only the table may want memory. */
static int link_object(struct gosync_object *obj)
{
	struct gosync_ns *ns = obj->ns;
	int ret;

	lockdep_assert_held(&ns->lock);
	ret = count_object(obj);
	if (ret)
		return ret;
	if (obj->name_len) {
		if (rhashtable_insert_fast(&names, &obj->node, names_params)) {
			uncount_object(obj);
			return -ENOMEM;
		}
		xa_store(&ns->named, obj->id, obj, 0);
		WRITE_ONCE(obj->linked, true);
		tell_awaiting(obj);
	}
	if (obj->flags & GOSYNC_PERSIST)
		refcount_inc(&obj->refs);
	trace_gosync_create(obj, 0);
	return 0;
}

/* Returns whether the name had a reference, which is now the caller's to drop */
static bool unlink_object(struct gosync_object *obj)
{
	bool persistent = obj->flags & GOSYNC_PERSIST;

	lockdep_assert_held(&obj->ns->lock);
	remove_name(obj);
	obj->flags &= ~GOSYNC_PERSIST;
	trace_gosync_unlink(obj, 0);
	return persistent;
}

/* The next named object from number @id on */
static struct gosync_object *next_object(struct gosync_ns *ns, unsigned long id)
{
	lockdep_assert_held(&ns->lock);
	return xa_find(&ns->named, &id, ULONG_MAX, XA_PRESENT);
}

static void unlink_all(struct gosync_ns *ns)
{
	struct gosync_object *obj;
	bool put = false;

	do {
		scoped_guard(spinlock, &ns->lock) {
			obj = next_object(ns, 0);
			if (obj)
				put = unlink_object(obj);
		}
		if (obj && put)
			gosync_object_put(obj);
		cond_resched();
	} while (obj);
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

static int check_open(const struct gosync_open_args *args)
{
	const u32 describing = GOSYNC_PERSIST | GOSYNC_OWN_PAGE | GOSYNC_NO_MMAP;
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
	if (args->type == GOSYNC_MAP ?
	    args->key_size > GOSYNC_MAP_KEY_MAX ||
	    args->value_size > GOSYNC_MAP_VALUE_MAX :
	    args->key_size || args->value_size)
		return -EINVAL;
	if (!(args->flags & GOSYNC_AWAIT) &&
	    (args->flags & GOSYNC_AWAIT_REALTIME || args->deadline))
		return -EINVAL;
	if (!(args->flags & GOSYNC_CREATE))
		return args->flags & ~(GOSYNC_RDONLY | awaiting) ||
		       args->mode || !args->name_len ? -EINVAL : 0;
	if (args->flags & awaiting)
		return -EINVAL;
	return !args->name_len && args->flags & GOSYNC_PERSIST ? -EINVAL : 0;
}

/* May the caller have the object that it found? */
static int check_found(const struct gosync_object *obj,
		       const struct gosync_open_args *args)
{
	const struct gosync_access access = gosync_access_of(obj);
	u16 want = args->flags & GOSYNC_RDONLY ? 4 : 6;

	if (args->flags & GOSYNC_EXCL)
		return -EEXIST;
	if (!gosync_may(obj->ns, &access, want))
		return -EACCES;
	if ((args->type && args->type != obj->type) ||
	    (args->capacity && args->capacity != READ_ONCE(obj->capacity)) ||
	    (obj->ops->matches && !obj->ops->matches(obj, args)))
		return -EPROTOTYPE;
	return 0;
}

/*
 * What has the name, with a reference, if the caller may have it; an error if
 * not; NULL if there is nothing, which is certain with the namespace's lock.
 */
static struct gosync_object *find_object(const struct name_key *key,
					 const struct gosync_open_args *args)
{
	struct gosync_object *obj;
	int ret;

	if (!key->len)
		return NULL;
	guard(rcu)();
	obj = look_up(key);
	if (!obj || !refcount_read(&obj->refs))
		return NULL;
	ret = check_found(obj, args);
	if (ret)
		return ERR_PTR(ret);
	if (!refcount_inc_not_zero(&obj->refs))
		return NULL;
	/* Pairs with the barrier in thaw(): its state is where it was moved to. */
	smp_acquire__after_ctrl_dep();
	return obj;
}

/* Link a new object; or return what has the name already, as find_object() */
static struct gosync_object *link_or_find(struct gosync_object *obj,
					  const struct name_key *key,
					  const struct gosync_open_args *args)
{
	struct gosync_object *found;
	int ret = 0;

	if (key->len)
		ret = xa_reserve(&obj->ns->named, obj->id, GFP_KERNEL_ACCOUNT);
	if (ret)
		return ERR_PTR(ret);
	scoped_guard(spinlock, &obj->ns->lock) {
		found = find_object(key, args);
		if (!found)
			ret = link_object(obj);
	}
	if (found || ret)
		xa_release(&obj->ns->named, obj->id);
	return ret ? ERR_PTR(ret) : found;
}

/* Begins a holder of what was found */
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
	struct name_key key = { .ns = ns, .name = name, .len = args->name_len };
	bool read_only = args->flags & GOSYNC_RDONLY;
	struct gosync_object *obj, *found;
	struct file *file;

	found = find_object(&key, args);
	if (found)
		return open_found(found, read_only);
	if (!(args->flags & GOSYNC_CREATE)) {
		/* Or it was there, and moving. */
		scoped_guard(spinlock, &ns->lock)
			found = find_object(&key, args);
		return found ? open_found(found, read_only) : ERR_PTR(-ENOENT);
	}
	obj = prepare(ns, args, name);
	file = open_found(obj, read_only);
	if (IS_ERR(file))
		return file;
	found = link_or_find(obj, &key, args);
	if (!found)
		return file;
	/* Nobody has ever seen the new one, which goes with its holder. */
	fput(file);
	return open_found(found, read_only);
}

/* Returns a new descriptor, or an error: -ENOENT for sure if it isn't there */
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
	const struct name_key key = {
		.ns = ns, .name = name, .len = args->name_len,
	};
	struct gosync_timeout timeout;
	int ret;

	ret = gosync_timeout_init(&timeout, clock, args->deadline);
	/* What appeared may be gone again; then the next is waited for. */
	while (!ret) {
		ret = open_now(ns, args, name);
		if (ret != -ENOENT)
			return ret;
		ret = gosync_try_again() ?: await_name(&key, &timeout);
	}
	return ret;
}

long gosync_names_open(struct gosync_holder *unused, void *arg)
{
	const struct gosync_open_args *args = arg;
	char name[GOSYNC_NAME_MAX];
	struct gosync_ns *ns;
	int ret;

	ret = check_open(args);
	if (!ret)
		ret = copy_name(name, args->name, args->name_len);
	if (ret)
		return ret;
	if (args->flags & (GOSYNC_CREATE | GOSYNC_AWAIT)) {
		ns = ns_get(current->nsproxy->ipc_ns);
		if (!ns)
			return -ENOMEM;
	} else {
		ns = ns_find(current->nsproxy->ipc_ns);
		if (!ns)
			return -ENOENT;
	}
	ret = args->flags & GOSYNC_AWAIT ? open_awaited(ns, args, name) :
					   open_now(ns, args, name);
	ns_put(ns);
	return ret;
}

/*
 * Is the name's own reference the last? Then it is dropped, and nobody gets
 * another: find_object() takes none where there is none.
 */
static bool freeze(struct gosync_object *obj)
{
	lockdep_assert_held(&obj->ns->lock);
	if (!(obj->flags & GOSYNC_PERSIST) || !refcount_dec_if_one(&obj->refs))
		return false;
	/* Pairs with the release in refcount_dec_not_one(), by the last holder. */
	smp_acquire__after_ctrl_dep();
	return true;
}

/* It is the name's again, and who finds it may have one, too. */
static void thaw(struct gosync_object *obj)
{
	lockdep_assert_held(&obj->ns->lock);
	/* Pairs with the acquire in find_object(). */
	smp_wmb();
	refcount_set(&obj->refs, 1);
}

/* Otherwise -EBUSY, or -ENOENT if it is about to go. */
static int end_unused(struct gosync_object *obj)
{
	if (freeze(obj))
		return 0;
	return refcount_read(&obj->refs) ? -EBUSY : -ENOENT;
}

/* @unused: only if nobody has it open */
static int unlink_name(const struct name_key *key, bool unused)
{
	struct gosync_object *obj;
	int ret = 0;
	bool put;

	scoped_guard(spinlock, &key->ns->lock) {
		guard(rcu)();
		obj = look_up(key);
		if (!obj)
			return -ENOENT;
		if (!gosync_may_administer(obj))
			return -EPERM;
		if (unused)
			ret = end_unused(obj);
		if (ret)
			return ret;
		put = unlink_object(obj);
		if (unused)
			end_object(obj);
	}
	if (unused)
		free_object(obj);
	else if (put)
		gosync_object_put(obj);
	return 0;
}

long gosync_names_unlink(struct gosync_holder *unused, void *arg)
{
	const struct gosync_unlink_args *args = arg;
	char name[GOSYNC_NAME_MAX];
	struct gosync_ns *ns;
	int ret;

	if (args->flags & ~GOSYNC_IF_UNUSED || args->__reserved ||
	    !args->name_len)
		return -EINVAL;
	ret = copy_name(name, args->name, args->name_len);
	if (ret)
		return ret;
	ns = ns_find(current->nsproxy->ipc_ns);
	if (!ns)
		return -ENOENT;
	ret = unlink_name(&(struct name_key) {
		.ns = ns, .name = name, .len = args->name_len,
	}, args->flags & GOSYNC_IF_UNUSED);
	ns_put(ns);
	return ret;
}

/**
 * struct change - a change of who may open an object
 * @what: GOSYNC_CHANGE_MODE and those that follow it
 * @to: of which this counts
 * @account: of the new owner; once it is done, of the old one
 * @payer: likewise
 * @spare: for a new place
 * @left: the place where it was, if it has moved; or NULL
 * @left_state: likewise
 */
struct change {
	u32 what;
	struct gosync_access to;
	struct gosync_account *account;
	struct gosync_account *payer;
	struct gosync_spare spare;
	struct gosync_area *left;
	const void *left_state;
};

static int check_change(const struct gosync_change_args *args)
{
	const u32 known = GOSYNC_CHANGE_MODE | GOSYNC_CHANGE_OWNER |
			  GOSYNC_CHANGE_GROUP;

	if (!args->flags || args->flags & ~known || !args->name_len)
		return -EINVAL;
	if ((args->mode && !(args->flags & GOSYNC_CHANGE_MODE)) ||
	    (args->uid && !(args->flags & GOSYNC_CHANGE_OWNER)) ||
	    (args->gid && !(args->flags & GOSYNC_CHANGE_GROUP)))
		return -EINVAL;
	return args->mode & ~0777 ? -EINVAL : 0;
}

static int prepare_change(struct change *change,
			  const struct gosync_change_args *args)
{
	int ret = 0;

	change->what = args->flags;
	change->to.mode = args->mode;
	change->to.uid = make_kuid(current_user_ns(), args->uid);
	change->to.gid = make_kgid(current_user_ns(), args->gid);
	if (change->what & GOSYNC_CHANGE_OWNER) {
		if (!uid_valid(change->to.uid))
			return -EINVAL;
		ret = get_accounts(change->to.uid, &change->account,
				   &change->payer);
	}
	if (change->what & GOSYNC_CHANGE_GROUP && !gid_valid(change->to.gid))
		return -EINVAL;
	return ret ?: gosync_spare_get(&change->spare);
}

static void end_change(struct change *change)
{
	account_put(change->account);
	account_put(change->payer);
	gosync_spare_put(&change->spare);
	if (change->left)
		gosync_area_put(change->left, change->left_state);
}

/*
 * As chmod(2) and chown(2): the owner may change the mode, and make the group
 * one that he is in. Who administers the namespace may do what he may with other
 * objects; to give one to another user is a right of its own.
 */
static bool may_change(const struct gosync_object *obj,
		       const struct change *change)
{
	struct user_namespace *user_ns = obj->ns->ipc->user_ns;
	const struct gosync_access *from = &obj->access;
	const struct gosync_access *to = &change->to;
	bool owns = uid_eq(current_euid(), from->uid);

	if (change->what & GOSYNC_CHANGE_MODE && !gosync_may_administer(obj))
		return false;
	if (change->what & GOSYNC_CHANGE_OWNER &&
	    !(owns && uid_eq(to->uid, from->uid)) &&
	    !ns_capable(user_ns, CAP_CHOWN))
		return false;
	return !(change->what & GOSYNC_CHANGE_GROUP) ||
	       (owns && (gid_eq(to->gid, from->gid) || in_group_p(to->gid))) ||
	       ns_capable(user_ns, CAP_CHOWN);
}

static void exchange_accounts(struct gosync_object *obj, struct change *change)
{
	lockdep_assert_held(&accounts.xa_lock);
	count_for_accounts(obj, -1);
	swap(obj->account, change->account);
	swap(obj->payer, change->payer);
	count_for_accounts(obj, 1);
}

/* Would one more count there than before, and too many? */
static bool would_overfill(const struct gosync_account *account,
			   const struct gosync_object *obj)
{
	return account != obj->account && account != obj->payer &&
	       is_full(account);
}

static int change_accounts(struct gosync_object *obj, struct change *change)
{
	int ret = 0;

	xa_lock(&accounts);
	if ((would_overfill(change->account, obj) ||
	     would_overfill(change->payer, obj)) &&
	    !capable(CAP_SYS_RESOURCE))
		ret = -EDQUOT;
	else
		exchange_accounts(obj, change);
	xa_unlock(&accounts);
	return ret;
}

static int change_place(struct gosync_object *obj,
			const struct gosync_access *to, struct change *change)
{
	struct gosync_area *area = obj->area;
	const void *state = obj->state;
	int ret;

	if (gosync_area_suits(obj, to))
		return 0;
	if (!freeze(obj))
		return gosync_area_will_do(obj, to) ? 0 : -EBUSY;
	ret = gosync_area_move(obj, to, &change->spare);
	thaw(obj);
	if (!ret) {
		change->left = area;
		change->left_state = state;
	}
	return ret;
}

static int change_object(struct gosync_object *obj, struct change *change)
{
	struct gosync_access to = obj->access;
	bool other_owner;
	int ret = 0;

	lockdep_assert_held(&obj->ns->lock);
	if (!may_change(obj, change))
		return -EPERM;
	if (change->what & GOSYNC_CHANGE_MODE)
		to.mode = change->to.mode;
	if (change->what & GOSYNC_CHANGE_OWNER)
		to.uid = change->to.uid;
	if (change->what & GOSYNC_CHANGE_GROUP)
		to.gid = change->to.gid;
	other_owner = !uid_eq(to.uid, obj->access.uid);
	if (other_owner)
		ret = change_accounts(obj, change);
	if (ret)
		return ret;
	ret = change_place(obj, &to, change);
	if (ret && other_owner) {
		xa_lock(&accounts);
		exchange_accounts(obj, change);
		xa_unlock(&accounts);
	}
	if (ret)
		return ret;
	write_seqcount_begin(&obj->access_seq);
	obj->access = to;
	write_seqcount_end(&obj->access_seq);
	return 0;
}

static int change_name(const struct name_key *key, struct change *change)
{
	struct gosync_object *obj;
	int ret = -ENOENT;

	scoped_guard(spinlock, &key->ns->lock) {
		guard(rcu)();
		obj = look_up(key);
		if (obj)
			ret = change_object(obj, change);
	}
	return ret;
}

long gosync_names_change(struct gosync_holder *unused, void *arg)
{
	const struct gosync_change_args *args = arg;
	struct change change = {};
	char name[GOSYNC_NAME_MAX];
	struct gosync_ns *ns;
	int ret;

	ret = check_change(args);
	if (!ret)
		ret = copy_name(name, args->name, args->name_len);
	if (ret)
		return ret;
	ns = ns_find(current->nsproxy->ipc_ns);
	if (!ns)
		return -ENOENT;
	ret = prepare_change(&change, args);
	if (!ret)
		ret = change_name(&(struct name_key) {
			.ns = ns, .name = name, .len = args->name_len,
		}, &change);
	end_change(&change);
	ns_put(ns);
	return ret;
}

/*
 * The next name from number @from on, as far as the caller may see it. Returns
 * the object's number, 0 at the end.
 */
static u64 describe_next(struct gosync_ns *ns, u64 from,
			 struct gosync_info *info)
{
	struct gosync_object *obj;
	u64 id = 0;

	memset(info, 0, sizeof(*info));
	scoped_guard(spinlock, &ns->lock) {
		obj = next_object(ns, from);
		if (obj) {
			id = obj->id;
			if (gosync_may(ns, &obj->access, 4))
				gosync_object_info(obj, NULL, info);
		}
	}
	return id;
}

static long list(struct gosync_ns *ns, struct gosync_list_args *args,
		 struct gosync_info *info)
{
	long done = 0;
	void __user *to;
	u64 id;

	while (done < args->count) {
		/* Where to go on is in the argument: see RESUMES in ioctl.c. */
		if (signal_pending(current))
			return done ?: -ERESTARTSYS;
		id = describe_next(ns, args->cursor, info);
		if (!id)
			break;
		if (info->id) {
			to = u64_to_user_ptr(args->entries +
					     (u64)done * args->entry_size);
			if (gosync_put(to, args->entry_size, info, sizeof(*info)))
				return done ?: -EFAULT;
			done++;
		}
		args->cursor = id + 1;
		cond_resched();
	}
	return done;
}

long gosync_names_list(struct gosync_holder *unused, void *arg)
{
	struct gosync_list_args *args = arg;
	struct gosync_info *info;
	struct gosync_ns *ns;
	long ret;

	if (args->flags || args->entry_size < GOSYNC_INFO_LEAST ||
	    args->entry_size > PAGE_SIZE || !args->count ||
	    args->count > INT_MAX)
		return -EINVAL;
	ns = ns_find(current->nsproxy->ipc_ns);
	if (!ns)
		return 0;
	ret = -ENOMEM;
	info = kmalloc(sizeof(*info), GFP_KERNEL_ACCOUNT);
	if (info)
		ret = list(ns, args, info);
	kfree(info);
	ns_put(ns);
	return ret;
}

int __init gosync_names_init(void)
{
	int ret = rhashtable_init(&names, &names_params);

	if (ret)
		return ret;
	ret = rhashtable_init(&awaited_names, &awaited_params);
	if (ret)
		goto out_names;
	ret = -ENOMEM;
	wakers = alloc_workqueue("gosync", WQ_UNBOUND, 0);
	if (wakers)
		return 0;
	rhashtable_destroy(&awaited_names);
out_names:
	rhashtable_destroy(&names);
	return ret;
}

/* The module goes: nothing is open any more, but persistent objects are there */
void gosync_names_exit(void)
{
	struct gosync_ns *ns;
	int bucket;

	/* The last who waited may have left before the worker came. */
	destroy_workqueue(wakers);
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
	rhashtable_destroy(&awaited_names);
	rhashtable_destroy(&names);
	xa_destroy(&accounts);
}
