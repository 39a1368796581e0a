// SPDX-License-Identifier: GPL-2.0-only
/*
 * Atomic words: Go's sync/atomic between processes.
 *
 * The words are the kernel's own atomic_t and atomic64_t, mapped, and all
 * operations on them are sequentially consistent: those that return a value
 * are by the kernel's definition fully ordered, a store is an exchange, a load
 * and a failed compare-and-swap have full barriers beside them.
 *
 * Waiting for a change is as with a futex: a process that changes a word and
 * sees waiters wakes them, in the same call or by another one. A waiter counts
 * itself in the slot before it looks at the word. A process that changes the
 * word does so before it looks at the count. Both have a full barrier in
 * between, so at least one of them sees the other.
 */
#include <linux/sched/signal.h>

#include "atomic.h"
#include "page.h"
#include "visit.h"

/* Stands for the index of all */
#define ALL_WORDS	U32_MAX

/* A 32-bit result of this type, as user space gets it */
static u64 widen(u32 type, u32 word)
{
	return type == GOSYNC_INT32 ? (u64)(s64)(s32)word : word;
}

/* Can the type have this value? */
static bool fits(u32 type, u64 value)
{
	switch (type) {
	case GOSYNC_BOOL:
		return value <= 1;
	case GOSYNC_INT32:
	case GOSYNC_UINT32:
		return widen(type, value) == value;
	default:
		return true;
	}
}

static u64 atomic_load_word(const struct gosync_object *obj, u32 index)
{
	void *word = gosync_word_of(obj, index);
	u64 value;

	/* As strong as a load in C11's sequentially consistent order. */
	smp_mb();
	if (gosync_is_narrow(obj->type))
		value = widen(obj->type, atomic_read_acquire((atomic_t *)word));
	else
		value = atomic64_read_acquire((atomic64_t *)word);
	return value;
}

/* --- Waiting ------------------------------------------------------------- */

static void atomic_publish_waiters(struct gosync_object *obj)
{
	struct gosync_atomic_slot *slot = obj->state;

	lockdep_assert_held(&obj->wq.lock);
	WRITE_ONCE(slot->waiters, gosync_shown(obj));
}

/*
 * Claim up to @want waiters for the word @index, or for any, whose value has changed,
 * and put them into @batch. Look at GOSYNC_WAKE_BATCH entries of the queue at most.
 * @place is an entry of our own that marks our place in the queue while the
 * lock is dropped. @look counts down the waiters that were queued when the wake
 * began.
 */
static unsigned int atomic_claim_batch(struct gosync_object *obj, u32 index,
				       struct list_head *place, u32 *look,
				       u32 want, struct gosync_waiter **batch)
{
	struct gosync_waiter *waiter, *next;
	struct list_head *at = place;
	unsigned int n = 0, seen = 0;
	u64 now;

	lockdep_assert_held(&obj->wq.lock);
	if (list_empty(place))
		at = &obj->wq.head;
	waiter = list_entry(at, struct gosync_waiter, entry.entry);
	list_for_each_entry_safe_continue(waiter, next, &obj->wq.head,
					  entry.entry) {
		if (!*look || n == want || seen == GOSYNC_WAKE_BATCH)
			break;
		seen++;
		/* This is the place of another waker. */
		if (!waiter->entry.func)
			continue;
		(*look)--;
		if (index != ALL_WORDS && waiter->index != index)
			continue;
		now = atomic_load_word(obj, waiter->index);
		if (waiter->expected == now || !gosync_claim(obj, waiter))
			continue;
		waiter->seen = now;
		gosync_account_wait(obj, waiter, GOSYNC_HANDED_OVER);
		batch[n++] = waiter;
	}
	if (&waiter->entry.entry == &obj->wq.head)
		*look = 0;
	if (!list_empty(place))
		list_del_init(place);
	if (*look && n < want)
		list_add_tail(place, &waiter->entry.entry);
	return n;
}

static unsigned int atomic_wake(struct gosync_object *obj, u32 index, u32 want)
{
	struct gosync_waiter *batch[GOSYNC_WAKE_BATCH] __uninitialized;
	struct gosync_waiter place = {};
	unsigned int n, i, woken = 0;
	u32 look;

	/* A-A, pairs with atomic_attempt(); P-A, with gosync_is_ready(). */
	smp_mb();
	gosync_changed(obj);
	if (!READ_ONCE(obj->nr_waiters)) {
		/* The last poller may have gone: then take it off the count. */
		if (unlikely(READ_ONCE(obj->watch))) {
			scoped_guard(spinlock, &obj->wq.lock)
				atomic_publish_waiters(obj);
		}
		return 0;
	}
	INIT_LIST_HEAD(&place.entry.entry);
	look = READ_ONCE(obj->nr_waiters);
	do {
		scoped_guard(spinlock, &obj->wq.lock) {
			n = atomic_claim_batch(obj, index, &place.entry.entry,
					       &look, want - woken, batch);
			atomic_publish_waiters(obj);
		}
		for (i = 0; i < n; i++)
			gosync_wake(batch[i], GOSYNC_GRANTED);
		woken += n;
		cond_resched();
	} while (look && woken < want);
	return woken;
}

static int atomic_check(struct gosync_waiter *waiter, u32 index, u64 value)
{
	const struct gosync_object *obj = waiter->holder->obj;

	if (index >= obj->capacity || !fits(obj->type, value))
		return -EINVAL;
	waiter->index = index;
	waiter->expected = value;
	return 0;
}

/* Has the word changed? The lock is not needed. */
static bool atomic_differs(const struct gosync_waiter *waiter, u64 *seen)
{
	const struct gosync_object *obj = waiter->holder->obj;

	/* What is away may have been changed: the waiter is told when it is here. */
	if (gosync_is_away(obj))
		return false;
	*seen = atomic_load_word(obj, waiter->index);
	return *seen != waiter->expected;
}

static bool atomic_ready(const struct gosync_waiter *waiter)
{
	u64 seen;

	return atomic_differs(waiter, &seen);
}

static bool atomic_look(struct gosync_waiter *waiter)
{
	return atomic_differs(waiter, &waiter->seen);
}

static int atomic_attempt(struct gosync_waiter *waiter, bool queue)
{
	struct gosync_object *obj = waiter->holder->obj;

	if (atomic_look(waiter))
		return 0;
	if (!queue)
		return -EBUSY;
	scoped_guard(spinlock, &obj->wq.lock) {
		gosync_enqueue(obj, &obj->wq.head, waiter);
		atomic_publish_waiters(obj);
		/*
		 * A-A: the barrier in atomic_load_word() pairs with
		 * atomic_wake(), and with gosync_words_wake() in
		 * libuser/atomic.c. Either they see our count, or we see their
		 * word.
		 */
		if (!atomic_look(waiter))
			return -EINPROGRESS;
		gosync_never_waited(obj, waiter);
		atomic_publish_waiters(obj);
	}
	return 0;
}

static const struct gosync_wait_op atomic_wait_op = {
	.tells_seen = true,
	.check = atomic_check,
	.attempt = atomic_attempt,
	.ready = atomic_ready,
};

static long gosync_atomic_wait(struct gosync_holder *holder, void *arg)
{
	struct gosync_atomic_wait_args *args = arg;
	struct gosync_waiter waiter __uninitialized;
	int ret;

	if (args->__reserved)
		return -EINVAL;
	ret = gosync_wait_alone(&atomic_wait_op, holder, &waiter, args->flags,
				args->deadline, args->index, args->expected);
	if (!ret)
		args->result = waiter.seen;
	return ret;
}

static long gosync_atomic_wake(struct gosync_holder *holder, void *arg)
{
	struct gosync_object *obj = holder->obj;
	struct gosync_atomic_wake_args *args = arg;

	if (args->flags || args->index >= obj->capacity)
		return -EINVAL;
	return atomic_wake(obj, args->index, args->count);
}

static int atomic_fill_wake(void *arg, u64 operand, u32 index)
{
	struct gosync_atomic_wake_args *args = arg;

	args->index = index;
	args->count = operand;
	return operand > U32_MAX ? -EINVAL : 0;
}

/* --- Operations ---------------------------------------------------------- */

static int atomic_check_args(const struct gosync_object *obj,
			     const struct gosync_atomic_args *args, bool cas)
{
	if (args->flags & ~GOSYNC_ATOMIC_WAKE || args->__reserved ||
	    args->index >= obj->capacity || !fits(obj->type, args->value))
		return -EINVAL;
	if (cas ? !fits(obj->type, args->expected) : args->expected)
		return -EINVAL;
	return 0;
}

static void wake_if_asked(struct gosync_object *obj,
			  const struct gosync_atomic_args *args)
{
	if (args->flags & GOSYNC_ATOMIC_WAKE)
		atomic_wake(obj, args->index, U32_MAX);
}

static long gosync_atomic_load(struct gosync_holder *holder, void *arg)
{
	struct gosync_object *obj = holder->obj;
	struct gosync_atomic_args *args = arg;

	if (args->flags || args->value || atomic_check_args(obj, args, false))
		return -EINVAL;
	if (unlikely(obj->cluster))
		return gosync_int64_visit(holder, args, GOSYNC_IOC_ATOMIC_LOAD);
	args->result = atomic_load_word(obj, args->index);
	return 0;
}

/* An operation that is an atomic_ function of the word and the value */
#define DEFINE_OP(op, cmd, function)					\
static long gosync_atomic_##op(struct gosync_holder *holder, void *arg)	\
{									\
	struct gosync_object *obj = holder->obj;			\
	struct gosync_atomic_args *args = arg;				\
	void *word;							\
									\
	if (atomic_check_args(obj, args, false))			\
		return -EINVAL;						\
	if (unlikely(obj->cluster))					\
		return gosync_int64_visit(holder, args,		\
					   GOSYNC_IOC_ATOMIC_##cmd);	\
	word = gosync_word_of(obj, args->index);				\
	if (gosync_is_narrow(obj->type))					\
		args->result = widen(obj->type,				\
				     NARROW_##function(args->value, word)); \
	else								\
		args->result = WIDE_##function(args->value, word);	\
	wake_if_asked(obj, args);					\
	return 0;							\
}

#define NARROW_xchg(value, word)	atomic_xchg(word, value)
#define WIDE_xchg(value, word)		atomic64_xchg(word, value)
#define NARROW_add(value, word)		atomic_add_return(value, word)
#define WIDE_add(value, word)		atomic64_add_return(value, word)
#define NARROW_and(value, word)		atomic_fetch_and(value, word)
#define WIDE_and(value, word)		atomic64_fetch_and(value, word)
#define NARROW_or(value, word)		atomic_fetch_or(value, word)
#define WIDE_or(value, word)		atomic64_fetch_or(value, word)

DEFINE_OP(swap, SWAP, xchg)
DEFINE_OP(add, ADD, add)
DEFINE_OP(and, AND, and)
DEFINE_OP(or, OR, or)

static long gosync_atomic_store(struct gosync_holder *holder, void *arg)
{
	struct gosync_atomic_args *args = arg;
	long ret = gosync_atomic_swap(holder, arg);

	args->result = 0;
	return ret;
}

static long gosync_atomic_cas(struct gosync_holder *holder, void *arg)
{
	struct gosync_object *obj = holder->obj;
	struct gosync_atomic_args *args = arg;
	void *word;

	if (atomic_check_args(obj, args, true))
		return -EINVAL;
	if (unlikely(obj->cluster))
		return gosync_int64_visit(holder, args, GOSYNC_IOC_ATOMIC_CAS);
	word = gosync_word_of(obj, args->index);
	/* A cmpxchg that fails orders nothing, but ours is a full barrier. */
	smp_mb();
	if (gosync_is_narrow(obj->type))
		args->result = widen(obj->type,
				     atomic_cmpxchg(word, args->expected,
						    args->value));
	else
		args->result = atomic64_cmpxchg(word, args->expected,
						args->value);
	/* The second half of that barrier. */
	smp_mb();
	if (args->result != args->expected)
		return 0;
	wake_if_asked(obj, args);
	return 1;
}

static size_t atomic_area_size(u32 type, u64 capacity)
{
	size_t words = capacity * gosync_width(type);

	if (words <= sizeof_field(struct gosync_atomic_slot, words))
		return GOSYNC_SLOT_SIZE;
	return GOSYNC_SLOT_SIZE + words;
}

static void atomic_left(struct gosync_object *obj, struct gosync_waiter *waiter)
{
	scoped_guard(spinlock, &obj->wq.lock)
		atomic_publish_waiters(obj);
}

static void int64_changed(struct gosync_waiter *waiter)
{
	atomic_wake(waiter->holder->obj, ALL_WORDS, U32_MAX);
}

static const struct gosync_wait_op int64_cluster_op = {
	.attempt = gosync_visits_take,
	.give_back = int64_changed,
};

static const struct gosync_cluster_type int64_in_cluster = {
	.op = &int64_cluster_op,
	.wants = gosync_visits_want,
	.get = gosync_int64_cluster_get,
	.save = gosync_int64_cluster_save,
	.set = gosync_int64_cluster_set,
	.capacity = GOSYNC_CLUSTER_WORDS,
	.unmapped = true,
};

static bool atomic_watched(const struct gosync_holder *holder,
			   struct gosync_waiter *waiter)
{
	waiter->expected = holder->watch_value;
	waiter->index = holder->watch_index;
	return holder->watches;
}

static u32 atomic_asks(const struct gosync_waiter *waiter)
{
	return waiter->index;
}

static void atomic_info(struct gosync_object *obj,
			const struct gosync_holder *holder,
			struct gosync_info *info)
{
	info->word = atomic_load_word(obj, 0);
	if (info->map_len)
		info->map_data = info->map_offset +
				 (gosync_word_of(obj, 0) - obj->state);
}

#define NR(_name)	(GOSYNC_IOC_ATOMIC_##_name - GOSYNC_IOC_ATOMIC_LOAD)

#define IOCTLS_OF_ALL							\
	[NR(LOAD)] = GOSYNC_IOCTL_ARG(ATOMIC_LOAD,			\
				      GOSYNC_RESULTS | GOSYNC_OPTIONAL,	\
				      gosync_atomic_load, atomic),	\
	[NR(STORE)] = GOSYNC_IOCTL_ARG(ATOMIC_STORE,			\
				       GOSYNC_WRITES | GOSYNC_RESULTS,	\
				       gosync_atomic_store, atomic),	\
	[NR(SWAP)] = GOSYNC_IOCTL_ARG(ATOMIC_SWAP,			\
				      GOSYNC_WRITES | GOSYNC_RESULTS,	\
				      gosync_atomic_swap, atomic),	\
	[NR(CAS)] = GOSYNC_IOCTL_ARG(ATOMIC_CAS,			\
				     GOSYNC_WRITES | GOSYNC_RESULTS,	\
				     gosync_atomic_cas, atomic),	\
	[NR(WAIT)] = GOSYNC_IOCTL_ARG(ATOMIC_WAIT, GOSYNC_RESULTS,	\
				      gosync_atomic_wait, atomic_wait,	\
				      .wait = &atomic_wait_op),		\
	[NR(WAKE)] = GOSYNC_IOCTL_ARG(ATOMIC_WAKE, GOSYNC_WRITES,	\
				      gosync_atomic_wake, atomic_wake,	\
				      .fill = atomic_fill_wake)

static const struct gosync_ioctl integer_ioctls[] = {
	IOCTLS_OF_ALL,
	[NR(ADD)] = GOSYNC_IOCTL_ARG(ATOMIC_ADD,
				     GOSYNC_WRITES | GOSYNC_RESULTS,
				     gosync_atomic_add, atomic),
	[NR(AND)] = GOSYNC_IOCTL_ARG(ATOMIC_AND,
				     GOSYNC_WRITES | GOSYNC_RESULTS,
				     gosync_atomic_and, atomic),
	[NR(OR)] = GOSYNC_IOCTL_ARG(ATOMIC_OR,
				    GOSYNC_WRITES | GOSYNC_RESULTS,
				    gosync_atomic_or, atomic),
};

/* Pointers and booleans have no ADD, AND and OR. */
static const struct gosync_ioctl other_ioctls[] = { IOCTLS_OF_ALL };

static_assert(ARRAY_SIZE(other_ioctls) == ARRAY_SIZE(integer_ioctls));

#define DEFINE_TYPE(_type, _name, _ioctls, _cluster)			\
	[(_type) - GOSYNC_INT32] = {					\
		.name = (_name),					\
		.size = sizeof(struct gosync_object),			\
		.ioctls = (_ioctls),					\
		.nr_ioctls = ARRAY_SIZE(integer_ioctls),		\
		.default_capacity = 1,					\
		.max_capacity = 65536,					\
		.area_size = atomic_area_size,				\
		.left = atomic_left,					\
		.show = atomic_publish_waiters,				\
		.in = &atomic_wait_op,					\
		.watched = atomic_watched,				\
		.asks = atomic_asks,					\
		.queues = gosync_visits_queues,				\
		.info = atomic_info,					\
		.cluster = (_cluster),					\
	}

const struct gosync_ops gosync_atomic_ops[] = {
	DEFINE_TYPE(GOSYNC_INT32, "int32", integer_ioctls, NULL),
	DEFINE_TYPE(GOSYNC_UINT32, "uint32", integer_ioctls, NULL),
	DEFINE_TYPE(GOSYNC_INT64, "int64", integer_ioctls, &int64_in_cluster),
	DEFINE_TYPE(GOSYNC_UINT64, "uint64", integer_ioctls, NULL),
	DEFINE_TYPE(GOSYNC_UINTPTR, "uintptr", integer_ioctls, NULL),
	DEFINE_TYPE(GOSYNC_POINTER, "pointer", other_ioctls, NULL),
	DEFINE_TYPE(GOSYNC_BOOL, "bool", other_ioctls, NULL),
};
