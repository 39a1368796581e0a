// SPDX-License-Identifier: GPL-2.0-only
/*
 * Changing the owner, the group and the mode of an object.
 *
 * Readers read the three as one, without the namespace's lock
 * (gosync_access_of()). After a change the object may have to move to another
 * page (see page.c). While it moves it has no reference, and gets none. An
 * opener that finds it so takes the namespace's lock, and so comes after the
 * move.
 */
#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/slab.h>
#include <linux/user_namespace.h>

#include "cluster.h"
#include "names.h"
#include "page.h"

/**
 * struct change - a change of owner, group or mode
 * @what: GOSYNC_CHANGE_MODE and the flags that follow it
 * @to: the new owner, group and mode, as far as @what says
 * @account: the account of the new owner; after the change, of the old one
 * @payer: as @account, for &gosync_object.payer
 * @spare: memory for a new place
 * @left: the page that it has moved away from; or NULL
 * @left_state: its old place there
 */
struct change {
	u32 what;
	struct gosync_access to;
	struct gosync_account *account;
	struct gosync_account *payer;
	struct gosync_spare spare;
	struct gosync_area *left;
	void *left_state;
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
		ret = gosync_accounts_get(change->to.uid, &change->account,
					  &change->payer);
	}
	if (change->what & GOSYNC_CHANGE_GROUP && !gid_valid(change->to.gid))
		return -EINVAL;
	return ret ?: gosync_spare_get(&change->spare);
}

static void end_change(struct change *change)
{
	gosync_account_put(change->account);
	gosync_account_put(change->payer);
	gosync_spare_put(&change->spare);
	if (change->left)
		gosync_area_put(change->left, change->left_state);
}

/*
 * As chmod(2) and chown(2): the owner may change the mode, and may change the
 * group to one of its own groups. An administrator of the namespace may change
 * the mode, too. To give an object to another user or group takes CAP_CHOWN.
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

static int change_place(struct gosync_object *obj,
			const struct gosync_access *to, struct change *change)
{
	int ret = -EBUSY;

	if (gosync_area_suits(obj, to))
		return 0;
	change->left_state = obj->state;
	/* The other nodes may want a cluster's object at any time. */
	if (!obj->cluster && gosync_object_freeze(obj)) {
		ret = gosync_area_move(obj, to, &change->spare, &change->left);
		gosync_object_thaw(obj);
	}
	return ret == -EBUSY && gosync_area_will_do(obj, to) ? 0 : ret;
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
		ret = gosync_accounts_change(obj, &change->account,
					     &change->payer);
	if (ret)
		return ret;
	ret = change_place(obj, &to, change);
	if (ret && other_owner)
		gosync_accounts_change_back(obj, &change->account,
					    &change->payer);
	if (ret)
		return ret;
	write_seqcount_begin(&obj->access_seq);
	obj->access = to;
	write_seqcount_end(&obj->access_seq);
	return 0;
}

static int change_name(const struct gosync_name_key *key, struct change *change)
{
	struct gosync_object *obj;
	int ret = -ENOENT;

	scoped_guard(spinlock, &key->ns->lock) {
		guard(rcu)();
		obj = gosync_name_look_up(key);
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

	ret = check_change(args) ?:
	      gosync_copy_name(name, args->name, args->name_len);
	if (ret)
		return ret;
	ns = gosync_ns_find(current->nsproxy->ipc_ns);
	if (!ns)
		return -ENOENT;
	ret = prepare_change(&change, args);
	if (!ret)
		ret = change_name(&(struct gosync_name_key) {
			.ns = ns, .name = name, .len = args->name_len,
		}, &change);
	end_change(&change);
	gosync_ns_put(ns);
	return ret;
}
