// SPDX-License-Identifier: GPL-2.0-only
/*
 * An int64 of several machines.
 *
 * Its words are not mapped: a word that another node has changed could not be kept from
 * those who look at it. So each operation is a call, and waits for this node to have
 * the words (visit.c); to load them it is enough that nobody else changes them.
 */
#include <linux/slab.h>

#include "atomic.h"
#include "visit.h"

static_assert(GOSYNC_CLUSTER_WORDS * sizeof(u64) == GOSYNC_CLUSTER_DATA);

/**
 * struct atomic_visit - an operation
 * @visit: how it waits
 * @cmd: which it is
 * @args: its argument and result
 */
struct atomic_visit {
	struct gosync_visit visit;
	unsigned int cmd;
	struct gosync_atomic_args args;
};

/* Return: what the word becomes. The result is in @args. */
static u64 operate(unsigned int cmd, struct gosync_atomic_args *args, u64 old)
{
	args->result = old;
	switch (cmd) {
	case GOSYNC_IOC_ATOMIC_SWAP:
		return args->value;
	case GOSYNC_IOC_ATOMIC_ADD:
		args->result = old + args->value;
		return args->result;
	case GOSYNC_IOC_ATOMIC_CAS:
		return old == args->expected ? args->value : old;
	case GOSYNC_IOC_ATOMIC_AND:
		return old & args->value;
	case GOSYNC_IOC_ATOMIC_OR:
		return old | args->value;
	}
	return old;
}

static bool atomic_run(struct gosync_visit *base,
		       struct gosync_cluster_state *state)
{
	struct atomic_visit *visit = container_of(base, struct atomic_visit,
						  visit);
	struct gosync_atomic_args *args = &visit->args;
	__le64 *word = (__le64 *)state->data + args->index;
	u64 old = le64_to_cpu(*word);
	u64 new = operate(visit->cmd, args, old);

	if (visit->cmd == GOSYNC_IOC_ATOMIC_CAS)
		base->ret = old == args->expected;
	if (new == old)
		return false;
	*word = cpu_to_le64(new);
	state->token++;
	return true;
}

static void atomic_visit_free(struct gosync_visit *base)
{
	kfree(container_of(base, struct atomic_visit, visit));
}

/* Return: false if the words are away */
static bool load_here(struct gosync_object *obj, struct gosync_atomic_args *args)
{
	bool here;

	spin_lock(&obj->wq.lock);
	here = !gosync_is_away(obj);
	if (here)
		args->result = atomic64_read(gosync_word_of(obj, args->index));
	spin_unlock(&obj->wq.lock);
	return here;
}

/**
 * gosync_int64_visit() - an operation on an int64 of several machines
 * @holder: who does it
 * @args: its argument, which was checked
 * @cmd: the number of the ioctl
 *
 * Return: what the ioctl returns.
 */
long gosync_int64_visit(struct gosync_holder *holder,
			struct gosync_atomic_args *args, unsigned int cmd)
{
	const bool loads = cmd == GOSYNC_IOC_ATOMIC_LOAD;
	struct atomic_visit *visit;
	long ret;

	if (loads && load_here(holder->obj, args))
		return 0;
	visit = kzalloc(sizeof(*visit), GFP_KERNEL_ACCOUNT);
	if (!visit)
		return -ENOMEM;
	gosync_visit_init(&visit->visit);
	visit->visit.run = atomic_run;
	visit->visit.free = atomic_visit_free;
	visit->visit.changes = !loads;
	visit->cmd = cmd;
	visit->args = *args;
	visit->visit.waiter.index = args->index;
	ret = gosync_visit(holder, &visit->visit);
	if (ret >= 0)
		args->result = visit->args.result;
	gosync_visit_put(&visit->visit);
	return ret;
}

/* --- What the nodes agree upon --------------------------------------------- */

void gosync_int64_cluster_get(struct gosync_object *obj,
			      struct gosync_cluster_state *state)
{
	state->token = obj->cluster->visits->version;
	state->poisoned = false;
	state->final = false;
}

void gosync_int64_cluster_save(struct gosync_object *obj, void *data)
{
	__le64 *words = data;
	u32 i;

	for (i = 0; i < obj->capacity; i++)
		words[i] = cpu_to_le64(atomic64_read(gosync_word_of(obj, i)));
}

void gosync_int64_cluster_set(struct gosync_object *obj,
			      const struct gosync_cluster_state *state)
{
	struct gosync_visits *visits = obj->cluster->visits;
	const __le64 *words = state->data;
	u32 i;

	WRITE_ONCE(obj->deaths, obj->deaths + state->died);
	if (state->token <= visits->version)
		return;
	visits->version = state->token;
	for (i = 0; i < obj->capacity; i++)
		atomic64_set(gosync_word_of(obj, i), le64_to_cpu(words[i]));
}
