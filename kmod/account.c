// SPDX-License-Identifier: GPL-2.0-only
/*
 * The limits for the number of objects: in an IPC namespace, and of one user.
 *
 * A user's account goes with the last object that counts there.
 */
#include <linux/capability.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/user_namespace.h>
#include <linux/xarray.h>

#include "names.h"

static unsigned int max_objects_per_user = 65536;
module_param(max_objects_per_user, uint, 0644);
MODULE_PARM_DESC(max_objects_per_user,
		 "Objects that one user may have created, with those of the users in his user namespaces; CAP_SYS_RESOURCE may exceed it");

static unsigned int max_objects_per_ns = 1048576;
module_param(max_objects_per_ns, uint, 0644);
MODULE_PARM_DESC(max_objects_per_ns,
		 "Objects in one IPC namespace; CAP_SYS_RESOURCE may exceed it");

/**
 * struct gosync_account - the number of a user's objects
 * @uid: the user
 * @refs: one reference for each object that counts here, or is going to
 * @objects: the number of objects that count (the lock of the table)
 */
struct gosync_account {
	kuid_t uid;
	refcount_t refs;
	unsigned int objects;
};

/* The accounts, by uid */
static DEFINE_XARRAY(accounts);

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
	/*
	 * It drops the lock to allocate, so another account may be there first.
	 */
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

/**
 * gosync_account_put() - an object does not count there any more
 * @account: the account, which goes with the last one; or NULL
 */
void gosync_account_put(struct gosync_account *account)
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
 * The owner of a user namespace can be as many users in it as it has sub-uids.
 * Their objects count for the owner, too; with nested namespaces for the owner
 * of the outermost. They do not count for root, which only sets containers up
 * for others.
 */
static kuid_t payer_of(const struct user_namespace *user_ns, kuid_t uid)
{
	kuid_t payer = uid;

	for (; user_ns != &init_user_ns; user_ns = user_ns->parent)
		if (!uid_eq(user_ns->owner, GLOBAL_ROOT_UID))
			payer = user_ns->owner;
	return payer;
}

/**
 * gosync_accounts_get() - get the accounts in which a new object counts
 * @uid: the object's owner
 * @account: out: the owner's account
 * @payer: out: the account of the owner of the user namespace, if it counts
 *	there, too
 *
 * The caller has to put both, even after an error.
 *
 * Return: 0 or -ENOMEM.
 */
int gosync_accounts_get(kuid_t uid, struct gosync_account **account,
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

/**
 * gosync_count_object() - one more object
 * @obj: the object
 *
 * Return: 0, -ENOSPC or -EDQUOT.
 */
int gosync_count_object(struct gosync_object *obj)
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

/**
 * gosync_uncount_object() - one object less
 * @obj: the object
 */
void gosync_uncount_object(struct gosync_object *obj)
{
	lockdep_assert_held(&obj->ns->lock);
	xa_lock(&accounts);
	count_for_accounts(obj, -1);
	xa_unlock(&accounts);
	obj->ns->nr_objects--;
	obj->counted = false;
}

static void exchange_accounts(struct gosync_object *obj,
			      struct gosync_account **account,
			      struct gosync_account **payer)
{
	lockdep_assert_held(&accounts.xa_lock);
	count_for_accounts(obj, -1);
	swap(obj->account, *account);
	swap(obj->payer, *payer);
	count_for_accounts(obj, 1);
}

/* Would an account get one more object, and have too many then? */
static bool would_overfill(const struct gosync_account *account,
			   const struct gosync_object *obj)
{
	return account != obj->account && account != obj->payer &&
	       is_full(account);
}

/**
 * gosync_accounts_change() - count an object for another owner
 * @obj: the object
 * @account: the new owner's account; out: the old owner's
 * @payer: the new payer's account; out: the old payer's
 *
 * Return: 0 or -EDQUOT.
 */
int gosync_accounts_change(struct gosync_object *obj,
			   struct gosync_account **account,
			   struct gosync_account **payer)
{
	int ret = 0;

	xa_lock(&accounts);
	if ((would_overfill(*account, obj) || would_overfill(*payer, obj)) &&
	    !capable(CAP_SYS_RESOURCE))
		ret = -EDQUOT;
	else
		exchange_accounts(obj, account, payer);
	xa_unlock(&accounts);
	return ret;
}

/**
 * gosync_accounts_change_back() - undo gosync_accounts_change()
 * @obj: the object
 * @account: as gosync_accounts_change() left it
 * @payer: as gosync_accounts_change() left it
 */
void gosync_accounts_change_back(struct gosync_object *obj,
				 struct gosync_account **account,
				 struct gosync_account **payer)
{
	xa_lock(&accounts);
	exchange_accounts(obj, account, payer);
	xa_unlock(&accounts);
}

void gosync_accounts_exit(void)
{
	xa_destroy(&accounts);
}
