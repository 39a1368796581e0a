/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Shared by the files about names: namespaces, accounts, and the key by which a
 * name is found.
 */
#ifndef GOSYNC_NAMES_H
#define GOSYNC_NAMES_H

#include <linux/jhash.h>
#include <linux/hash.h>

#include "compat.h"
#include "gosync.h"

struct gosync_timeout;

/**
 * struct gosync_ns - the objects of an IPC namespace
 * @node: its entry in the table of namespaces
 * @ipc: the IPC namespace
 * @number: its number, never used twice
 * @refs: one reference for each object, and short ones for calls
 * @lock: protects the fields below, and the life of the objects
 * @named: the objects that have a name, by their number
 * @nr_objects: the number of objects, with a name or without
 * @rcu: frees it after a grace period
 */
struct gosync_ns {
	struct hlist_node node;
	struct ipc_namespace *ipc;
	u64 number;
	refcount_t refs;
	spinlock_t lock; /* names and life of objects */
	struct xarray named;
	unsigned int nr_objects;
	struct rcu_head rcu;
};

/**
 * struct gosync_name_key - the key by which a name is found
 * @ns: the namespace
 * @name: the name
 * @len: its length
 */
struct gosync_name_key {
	struct gosync_ns *ns;
	const char *name;
	u8 len;
};

static inline u32 gosync_hash_name(const struct gosync_ns *ns, const char *name,
				   u8 len, u32 seed)
{
	return jhash(name, len, seed ^ hash_ptr(ns, 32));
}

/* For the table of names and the table of awaited names */
static inline u32 gosync_hash_name_key(const void *data, u32 len, u32 seed)
{
	const struct gosync_name_key *key = data;

	return gosync_hash_name(key->ns, key->name, key->len, seed);
}

/* --- ns.c --- */

struct gosync_ns *gosync_ns_find(const struct ipc_namespace *ipc);
struct gosync_ns *gosync_ns_get(struct ipc_namespace *ipc, bool *made);
void gosync_ns_put(struct gosync_ns *ns);
struct gosync_ns *gosync_ns_any(void);
struct gosync_ns *gosync_ns_dead(bool *others);

/* --- account.c --- */

int gosync_accounts_get(kuid_t uid, struct gosync_account **account,
			struct gosync_account **payer);
void gosync_account_put(struct gosync_account *account);
int gosync_count_object(struct gosync_object *obj);
void gosync_uncount_object(struct gosync_object *obj);
int gosync_accounts_change(struct gosync_object *obj,
			   struct gosync_account **account,
			   struct gosync_account **payer);
void gosync_accounts_change_back(struct gosync_object *obj,
				 struct gosync_account **account,
				 struct gosync_account **payer);
void gosync_accounts_exit(void);

/* --- await.c --- */

struct gosync_awaited *
gosync_awaited_alloc(const struct gosync_name_key *key);
void gosync_awaited_free(struct gosync_awaited *awaited);
struct gosync_awaited *gosync_awaited_join(const struct gosync_name_key *key,
					   struct gosync_awaited *new);
int gosync_awaited_sleep(struct gosync_awaited *awaited,
			 const struct gosync_timeout *timeout);
void gosync_awaited_tell(const struct gosync_object *obj);
int gosync_await_init(void);
void gosync_await_exit(void);

/* --- names.c --- */

struct gosync_ns *gosync_names_here(void);
struct gosync_object *gosync_name_look_up(const struct gosync_name_key *key);
struct gosync_object *gosync_name_find(const struct gosync_name_key *key,
				       const struct gosync_open_args *args);
struct gosync_object *gosync_name_link(struct gosync_object *obj,
				       const struct gosync_name_key *key,
				       const struct gosync_open_args *args);
int gosync_name_await(const struct gosync_name_key *key,
		      const struct gosync_timeout *timeout);
int gosync_copy_name(char *to, u64 name, u32 len);
void gosync_object_destroy(struct gosync_object *obj);
bool gosync_object_freeze(struct gosync_object *obj);
void gosync_object_thaw(struct gosync_object *obj);

#endif /* GOSYNC_NAMES_H */
