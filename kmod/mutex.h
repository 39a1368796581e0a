/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The operations on a Mutex word, for Mutex and RWMutex.
 */
#ifndef GOSYNC_MUTEX_H
#define GOSYNC_MUTEX_H

#include "wait.h"

struct gosync_cluster_state;

/**
 * struct gosync_mutex - a Mutex
 * @obj: the object; its lock protects the rest
 * @token: the last token while there are broken holders; otherwise 0
 * @woken: a waiter was woken and is on its way
 * @starving: the lock is handed off, newcomers queue
 * @poisoned: an owner has died
 */
struct gosync_mutex {
	struct gosync_object obj;
	u64 token;
	bool woken;
	bool starving;
	bool poisoned;
};

static inline struct gosync_mutex *gosync_to_mutex(struct gosync_object *obj)
{
	return container_of(obj, struct gosync_mutex, obj);
}

/* All types with such a word have it at the start of their slot. */
static inline atomic64_t *gosync_mutex_word(struct gosync_mutex *mutex)
{
	return mutex->obj.state;
}

static inline u64 gosync_owned_by(u32 id)
{
	return GOSYNC_MUTEX_LOCKED | (u64)id << GOSYNC_MUTEX_OWNER_SHIFT;
}

static inline u32 gosync_owner_of(u64 word)
{
	return word >> GOSYNC_MUTEX_OWNER_SHIFT;
}

int gosync_mutex_init(struct gosync_object *obj, const struct gosync_open_args *args);
int gosync_mutex_acquire(struct gosync_mutex *mutex, struct gosync_waiter *waiter,
			 const struct gosync_timeout *timeout);
int gosync_mutex_try(struct gosync_mutex *mutex, struct gosync_holder *holder);
int gosync_mutex_release(struct gosync_mutex *mutex, u32 owner, bool died,
			 struct gosync_waiter **next, enum gosync_wake *wake);
int gosync_mutex_yield(struct gosync_mutex *mutex, u32 owner,
		       struct gosync_waiter *to, struct gosync_waiter **next);
bool gosync_mutex_show_waiter(struct gosync_mutex *mutex, u64 old);
bool gosync_mutex_take_free(struct gosync_mutex *mutex,
			    struct gosync_holder *holder);
bool gosync_mutex_drop_unwanted(struct gosync_mutex *mutex,
				struct gosync_holder *holder);
long gosync_mutex_recover(struct gosync_holder *holder, void *arg);
int gosync_mutex_attempt(struct gosync_waiter *waiter, bool queue);
int gosync_mutex_result(struct gosync_waiter *waiter);
void gosync_mutex_publish(struct gosync_mutex *mutex);
void gosync_mutex_show(struct gosync_object *obj);
void gosync_mutex_left(struct gosync_object *obj, struct gosync_waiter *waiter);
u32 gosync_mutex_owner(const struct gosync_object *obj);
u64 gosync_mutex_token(const struct gosync_object *obj);
void gosync_mutex_info(struct gosync_object *obj,
		       const struct gosync_holder *holder,
		       struct gosync_info *info);
void gosync_mutex_cluster_get(struct gosync_object *obj,
			      struct gosync_cluster_state *state);
void gosync_mutex_cluster_set(struct gosync_object *obj,
			      const struct gosync_cluster_state *state);

#endif /* GOSYNC_MUTEX_H */
