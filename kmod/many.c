// SPDX-License-Identifier: GPL-2.0-only
/*
 * Waiting for any, or for all, of several things.
 *
 * For any: all are tried in their order; then there is a waiter on each, of one
 * group, so that one is granted at most (wait.c). What was granted to a waiter
 * that had lost by then is given back; nothing else is done with the others.
 *
 * For all: nobody waits in the queues. Those who wait are told when something
 * changes (poll.c), look whether all could be had, and only then take them, in
 * the order of the objects' numbers; if one has gone meanwhile, they give back
 * what they took. Of two that want the same, one has it first and gets on.
 * Nothing is held while something is waited for, so there is no deadlock,
 * whatever else anybody holds.
 *
 * It may be that never all are free at the same moment. So who has waited for
 * longer than a millisecond queues for what it lacks, holding nothing. When it
 * has that, it takes the others. If one can't be had, it gives all back and gets
 * in line for a turn, of which there is one at a time. In its turn it queues for
 * what it lacked last, then for the others, and keeps what it gets; if that takes
 * too long it gives everything back, lest those wait for ever who hold the rest
 * and want what it has. Its next turn is twice as long. Who lacks what nobody
 * lets go is not in the line, where others wait for theirs.
 *
 * Conditions, which take nothing, are looked at last, with the locks taken.
 */
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/hrtimer.h>
#include <linux/poll.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "many.h"
#include "trace.h"

#define TURN_AFTER_NS	NSEC_PER_MSEC
#define TURN_MIN_NS	(2 * NSEC_PER_MSEC)
#define TURN_MAX_NS	NSEC_PER_SEC

/* What the descriptor's type and the operation have to do with each other */
const struct gosync_wait_op *gosync_wait_op_of(unsigned int cmd, u32 type)
{
	switch (cmd) {
	case GOSYNC_IOC_MUTEX_LOCK:
		return type == GOSYNC_MUTEX ? &gosync_mutex_lock_op : NULL;
	case GOSYNC_IOC_RWMUTEX_LOCK:
		return type == GOSYNC_RWMUTEX ? &gosync_rwmutex_lock_op : NULL;
	case GOSYNC_IOC_RWMUTEX_RLOCK:
		return type == GOSYNC_RWMUTEX ? &gosync_rwmutex_rlock_op : NULL;
	case GOSYNC_IOC_SEMAPHORE_ACQUIRE:
		return type == GOSYNC_SEMAPHORE ? &gosync_semaphore_acquire_op :
						  NULL;
	case GOSYNC_IOC_WAITGROUP_WAIT:
		return type == GOSYNC_WAITGROUP ? &gosync_waitgroup_wait_op :
						  NULL;
	case GOSYNC_IOC_ONCE_WAIT:
		return type == GOSYNC_ONCE ? &gosync_once_wait_op : NULL;
	case GOSYNC_IOC_VALUE_WAIT:
		return type == GOSYNC_VALUE ? &gosync_version_op : NULL;
	case GOSYNC_IOC_MAP_WAIT:
		return type == GOSYNC_MAP ? &gosync_version_op : NULL;
	case GOSYNC_IOC_ATOMIC_WAIT:
		return type < GOSYNC_VALUE ? &gosync_atomic_wait_op : NULL;
	default:
		return NULL;
	}
}

/**
 * gosync_check_operand() - is this a possible operand
 * @op: of what
 * @waiter: where it is put
 * @index: &gosync_wait_entry.index
 * @value: &gosync_wait_entry.value
 *
 * Return: 0, -EBADF or -EINVAL.
 */
int gosync_check_operand(const struct gosync_wait_op *op,
			 struct gosync_waiter *waiter, u32 index, u64 value)
{
	if (op->takes && waiter->holder->read_only)
		return -EBADF;
	if (op->check)
		return op->check(waiter, index, value);
	return index || value ? -EINVAL : 0;
}

/* --- The entries ---------------------------------------------------------- */

static int get_entry(struct gosync_many_entry *entry, bool all, bool async)
{
	const struct gosync_wait_entry *args = entry->args;
	struct gosync_holder *holder;

	entry->fd = async ? CLONED_FD(fget(args->fd)) : fdget(args->fd);
	if (!fd_file(entry->fd)) {
		entry->fd = EMPTY_FD;
		return -EBADF;
	}
	if (!args->op) {
		if (all || async || !args->index ||
		    args->index > (u16)~0 || args->value)
			return -EINVAL;
		return 0;
	}
	holder = gosync_holder_of(fd_file(entry->fd));
	if (!holder)
		return -ENOTTY;
	entry->op = gosync_wait_op_of(args->op, holder->obj->type);
	if (!entry->op)
		return -ENOTTY;
	entry->waiter.holder = holder;
	entry->waiter.among = true;
	return gosync_check_operand(entry->op, &entry->waiter, args->index,
				    args->value);
}

/**
 * gosync_many_put() - done with them
 * @many: the entries; freed
 */
void gosync_many_put(struct gosync_many *many)
{
	u32 i;

	for (i = 0; i < many->count; i++)
		fdput(many->entries[i].fd);
	kfree(many);
}

/* All that user space said */
static int get_args(struct gosync_wait_entry *args,
		    struct gosync_wait_entry __user *uargs, u32 count)
{
	u32 i;

	if (should_fail_usercopy() ||
	    !user_access_begin(uargs, count * sizeof(*uargs)))
		return -EFAULT;
	for (i = 0; i < count; i++) {
		unsafe_get_user(args[i].fd, &uargs[i].fd, fault);
		unsafe_get_user(args[i].op, &uargs[i].op, fault);
		unsafe_get_user(args[i].index, &uargs[i].index, fault);
		unsafe_get_user(args[i].result, &uargs[i].result, fault);
		unsafe_get_user(args[i].value, &uargs[i].value, fault);
		/* Where a result is to go, it can: better to see that now. */
		unsafe_put_user(args[i].result, &uargs[i].result, fault);
	}
	user_access_end();
	return 0;
fault:
	user_access_end();
	return -EFAULT;
}

/**
 * gosync_many_get() - take hold of what is to be waited for
 * @args: the argument of GOSYNC_IOC_WAIT
 * @async: for longer than the system call lasts
 *
 * Return: the entries, or an error: one of them is not as it should be.
 */
struct gosync_many *gosync_many_get(const struct gosync_wait_many *args,
				    bool async)
{
	bool timed = args->deadline && args->deadline < KTIME_MAX;
	bool all = args->flags & GOSYNC_WAIT_ALL;
	struct gosync_wait_entry *said;
	struct gosync_many *many;
	int ret;
	u32 i;

	if (!args->count || args->count > GOSYNC_WAIT_MAX ||
	    args->entry_size != sizeof(struct gosync_wait_entry))
		return ERR_PTR(-EINVAL);
	many = kzalloc(struct_size(many, entries, args->count) +
		       args->count * sizeof(*said), GFP_KERNEL_ACCOUNT);
	if (!many)
		return ERR_PTR(-ENOMEM);
	many->uentries = u64_to_user_ptr(args->entries);
	said = (void *)&many->entries[args->count];
	ret = get_args(said, many->uentries, args->count);
	for (i = 0; i < args->count && !ret; i++) {
		struct gosync_many_entry *entry = &many->entries[i];

		entry->args = &said[i];
		many->count++;
		ret = get_entry(entry, all, async);
		entry->waiter.timed = timed;
	}
	if (ret) {
		gosync_many_put(many);
		return ERR_PTR(ret);
	}
	return many;
}

/* Tell user space what it got. Return: 0 or -EFAULT */
static int deliver(struct gosync_many *many, u32 i)
{
	struct gosync_many_entry *entry = &many->entries[i];
	struct gosync_wait_entry *args = entry->args;

	if (entry->op) {
		args->result = entry->op->result ?
			       entry->op->result(&entry->waiter) : 0;
		if (args->op == GOSYNC_IOC_ATOMIC_WAIT ||
		    args->op == GOSYNC_IOC_VALUE_WAIT ||
		    args->op == GOSYNC_IOC_MAP_WAIT)
			args->value = entry->waiter.seen;
	}
	return copy_to_user(&many->uentries[i], args, sizeof(*args)) ? -EFAULT :
								      0;
}

static void give_back(struct gosync_many_entry *entry)
{
	if (entry->op && entry->op->give_back)
		entry->op->give_back(&entry->waiter);
}

/* --- Any ------------------------------------------------------------------ */

static __poll_t poll_entry(struct gosync_many_entry *entry,
			   struct poll_table_struct *table)
{
	__poll_t events = demangle_poll(entry->args->index) | EPOLLERR |
			  EPOLLHUP;
	__poll_t mask;

	if (table)
		table->_key = events;
	mask = vfs_poll(fd_file(entry->fd), table) & events;
	entry->args->result = mangle_poll(mask);
	return mask;
}

/**
 * gosync_many_try() - is there one that can be had at once
 * @many: the entries
 *
 * Mostly there isn't, so who looks does not take the object's lock. If it is
 * for another reason that one can't be had, gosync_many_queue() finds that out.
 *
 * Return: the index of the first, which was granted; -EBUSY; another error.
 */
int gosync_many_try(struct gosync_many *many)
{
	u32 i;

	for (i = 0; i < many->count; i++) {
		struct gosync_many_entry *entry = &many->entries[i];
		int ret;

		if (!entry->op)
			ret = poll_entry(entry, NULL) ? 0 : -EBUSY;
		else if (entry->op->ready(&entry->waiter))
			ret = entry->op->attempt(&entry->waiter, false);
		else
			ret = -EBUSY;
		if (ret != -EBUSY)
			return ret ?: i;
	}
	return -EBUSY;
}

static struct gosync_many_entry *entry_of(struct gosync_waiter *waiter)
{
	return container_of(waiter, struct gosync_many_entry, waiter);
}

/**
 * gosync_many_queue() - wait for any of them
 * @many: the entries
 * @group: theirs; its claim is GOSYNC_WAITING, or has been
 * @task: who waits, NULL: nobody
 *
 * Return: the index of one that was granted at once; -EINPROGRESS: the group
 * will be told, or is gone; another error. Either way they are to be withdrawn.
 */
int gosync_many_queue(struct gosync_many *many, struct gosync_group *group,
		      struct task_struct *task)
{
	u32 i;

	many->group = group;
	for (i = 0; i < many->count; i++) {
		struct gosync_many_entry *entry = &many->entries[i];
		int ret;

		if (!entry->op)
			continue;
		gosync_count_waits(entry->waiter.holder->obj);
		gosync_waiter_join(&entry->waiter, group, task);
		ret = entry->op->attempt(&entry->waiter, true);
		if (ret == -EINPROGRESS) {
			gosync_wait_begins(&entry->waiter);
			continue;
		}
		if (ret)
			return gosync_group_leave(group) ? ret : -EINPROGRESS;
		if (gosync_group_won(group, &entry->waiter))
			return i;
		/* Another was granted while we looked at this one. */
		give_back(entry);
		break;
	}
	return -EINPROGRESS;
}

/**
 * gosync_many_withdraw() - wait for the others no longer
 * @many: the entries, of which one was granted or none
 * @ret: why
 */
void gosync_many_withdraw(struct gosync_many *many, int ret)
{
	u32 i;

	for (i = 0; i < many->count; i++)
		if (many->entries[i].op)
			gosync_withdraw(&many->entries[i].waiter, ret);
}

/**
 * gosync_many_deliver() - the end of a wait for any
 * @many: the entries; nobody waits any more
 * @ret: what came of it
 * @dying: there is nobody to have it
 *
 * Return: what to tell user space.
 */
long gosync_many_deliver(struct gosync_many *many, long ret, bool dying)
{
	if (ret < 0)
		return ret;
	if (dying || deliver(many, ret)) {
		give_back(&many->entries[ret]);
		return dying ? -EINTR : -EFAULT;
	}
	return ret;
}

/**
 * gosync_many_granted() - which one was it
 * @many: the entries, whose group was told
 *
 * Return: the index.
 */
int gosync_many_granted(struct gosync_many *many)
{
	struct gosync_waiter *winner = many->group->winner;

	/* What was got before it was queued was not waited for. */
	if (winner->since)
		gosync_wait_ends(winner->holder->obj, winner, 0);
	return entry_of(winner) - many->entries;
}

/**
 * gosync_many_is_orphan() - does nobody else have what was granted
 * @many: the entries, which keep their open file descriptions
 *
 * Return: whether nobody could release it.
 */
bool gosync_many_is_orphan(const struct gosync_many *many)
{
	const struct file *file = fd_file(entry_of(many->group->winner)->fd);
	u32 refs = 0, i;

	for (i = 0; i < many->count; i++)
		refs += fd_file(many->entries[i].fd) == file;
	return file_count(file) <= refs;
}

/* A group for which a task sleeps */
struct sleeper {
	struct gosync_group group;
	struct task_struct *task;
};

static void tell_sleeper(struct gosync_group *group)
{
	struct task_struct *task = container_of(group, struct sleeper,
						group)->task;

	get_task_struct(task);
	/* Pairs with the acquire in gosync_is_told(). */
	smp_store_release(&group->claim, GOSYNC_TOLD);
	wake_up_process(task);
	put_task_struct(task);
}

/* Leave the group. Return: @ret, or which one was granted already */
static int leave(struct gosync_many *many, int ret)
{
	if (gosync_group_leave(many->group))
		return ret;
	gosync_await_told(&many->group->claim);
	return gosync_many_granted(many);
}

/* Look at those that are only polled. Return: an index, or -EBUSY */
static int poll_entries(struct gosync_many *many, struct poll_wqueues *table,
			bool again)
{
	u32 i;

	for (i = 0; i < many->count; i++) {
		struct gosync_many_entry *entry = &many->entries[i];

		if (!entry->op &&
		    poll_entry(entry, again ? NULL : &table->pt))
			return i;
	}
	return table->error ?: -EBUSY;
}

static bool has_polled(const struct gosync_many *many)
{
	u32 i;

	for (i = 0; i < many->count; i++)
		if (!many->entries[i].op)
			return true;
	return false;
}

/* Return: an index or an error */
static int sleep_for_any(struct gosync_many *many, struct poll_wqueues *table,
			 const struct gosync_timeout *timeout)
{
	int ret = -EBUSY;

	if (table)
		ret = poll_entries(many, table, false);
	while (ret == -EBUSY) {
		ret = gosync_sleep(&many->group->claim, table, timeout);
		if (!ret && gosync_is_told(&many->group->claim))
			return gosync_many_granted(many);
		if (ret)
			break;
		/* Pairs with the barrier in waking. */
		smp_store_mb(table->triggered, 0);
		ret = poll_entries(many, table, true);
	}
	return leave(many, ret);
}

static int wait_for_any(struct gosync_many *many,
			const struct gosync_timeout *timeout)
{
	struct sleeper sleeper = {
		.group.tell = tell_sleeper,
		.task = current,
	};
	struct poll_wqueues *table = NULL;
	int ret;

	ret = gosync_many_try(many);
	if (ret != -EBUSY)
		return ret;
	if (has_polled(many)) {
		table = kmalloc(sizeof(*table), GFP_KERNEL_ACCOUNT);
		if (!table)
			return -ENOMEM;
		poll_initwait(table);
	}
	ret = gosync_many_queue(many, &sleeper.group, current);
	if (ret == -EINPROGRESS)
		ret = sleep_for_any(many, table, timeout);
	if (table) {
		poll_freewait(table);
		kfree(table);
	}
	gosync_many_withdraw(many, ret < 0 ? ret : -ECANCELED);
	return ret;
}

/*
 * A signal's handler is to run: a WaitGroup that becomes 0 meanwhile has been 0
 * for who comes back.
 */
static void keep_generations(struct gosync_many *many)
{
	u32 i;

	for (i = 0; i < many->count; i++) {
		struct gosync_many_entry *entry = &many->entries[i];

		/* Who can't be told begins anew. */
		if (entry->args->op == GOSYNC_IOC_WAITGROUP_WAIT &&
		    put_user(entry->waiter.number, &many->uentries[i].value))
			return;
	}
}

/* --- All ------------------------------------------------------------------ */

/* Which of two is taken first */
static bool goes_first(const struct gosync_many_entry *a,
		       const struct gosync_many_entry *b)
{
	if (a->op->takes != b->op->takes)
		return a->op->takes;
	return a->waiter.holder->obj->id < b->waiter.holder->obj->id;
}

/*
 * Find an order. What is asked for twice of a Semaphore is asked for once.
 *
 * Return: 0, -EDEADLK or -EINVAL.
 */
static int order(struct gosync_many *many)
{
	u32 i, j;

	for (i = 0; i < many->count; i++) {
		struct gosync_many_entry *entry = &many->entries[i];

		for (j = i; j; j--) {
			if (!goes_first(entry,
					&many->entries[many->order[j - 1]]))
				break;
			many->order[j] = many->order[j - 1];
		}
		many->order[j] = i;
	}
	for (i = 1; i < many->count; i++) {
		struct gosync_many_entry *a = &many->entries[many->order[i - 1]];
		struct gosync_many_entry *b = &many->entries[many->order[i]];
		u64 sum;

		if (a->waiter.holder->obj != b->waiter.holder->obj ||
		    !a->op->takes || !b->op->takes)
			continue;
		if (a->op == &gosync_semaphore_acquire_op) {
			sum = a->waiter.number + b->waiter.number;
			if (sum > GOSYNC_SEMAPHORE_PERMITS)
				return -EINVAL;
			b->waiter.number = sum;
			a->waiter.number = 0;
		} else {
			/* Also to read twice: a writer may come in between. */
			return -EDEADLK;
		}
	}
	return 0;
}

/* Give back the first @n in the order. */
static void give_back_all(struct gosync_many *many, u32 n)
{
	while (n--)
		give_back(&many->entries[many->order[n]]);
}

/* Take one without waiting, whatever is shown of it. Return: 0 or an error */
static int take_now(struct gosync_many_entry *entry)
{
	struct gosync_waiter waiter = entry->waiter;
	int ret;

	waiter.since = 0;
	ret = entry->op->attempt(&waiter, false);
	entry->waiter.seen = waiter.seen;
	return ret;
}

/*
 * Take all, or nothing.
 *
 * Return: 0; -EBUSY, *@lacking is the one that can't be had; another error
 */
static int try_all(struct gosync_many *many, u32 *lacking)
{
	u32 i;

	for (i = 0; i < many->count; i++) {
		struct gosync_many_entry *entry;

		*lacking = many->order[i];
		entry = &many->entries[*lacking];
		if (!gosync_is_ready(entry->op, &entry->waiter))
			return -EBUSY;
	}
	for (i = 0; i < many->count; i++) {
		struct gosync_many_entry *entry;
		int ret;

		*lacking = many->order[i];
		entry = &many->entries[*lacking];
		ret = take_now(entry);
		if (ret) {
			give_back_all(many, i);
			return ret;
		}
	}
	return 0;
}

/* Who is in line for a turn. The first has it. */
static DEFINE_SPINLOCK(turns_lock);
static LIST_HEAD(turns);

struct turn {
	struct list_head node;
	struct task_struct *task;
	struct poll_wqueues *table;
	u64 ns;
};

static bool has_turn(struct turn *turn)
{
	bool first;

	if (list_empty(&turn->node))
		return false;
	spin_lock(&turns_lock);
	first = list_first_entry(&turns, struct turn, node) == turn;
	spin_unlock(&turns_lock);
	return first;
}

static void get_in_line(struct turn *turn)
{
	spin_lock(&turns_lock);
	list_add_tail(&turn->node, &turns);
	spin_unlock(&turns_lock);
}

/* Leave the line, if we are in it. */
static void end_turn(struct turn *turn)
{
	struct turn *next;

	if (list_empty(&turn->node))
		return;
	spin_lock(&turns_lock);
	list_del_init(&turn->node);
	next = list_first_entry_or_null(&turns, struct turn, node);
	if (next) {
		WRITE_ONCE(next->table->triggered, 1);
		wake_up_process(next->task);
	}
	spin_unlock(&turns_lock);
}

/* Get one, waiting for it. Return: 0 or an error */
static int get_in_turn(struct gosync_many_entry *entry,
		       const struct gosync_timeout *until)
{
	struct sleeper sleeper = {
		.group.tell = tell_sleeper,
		.task = current,
	};
	struct gosync_holder *holder = entry->waiter.holder;
	struct gosync_waiter waiter;
	int ret;

	gosync_waiter_init(&waiter, holder);
	waiter.number = entry->waiter.number;
	waiter.among = true;
	waiter.timed = entry->waiter.timed;
	gosync_waiter_join(&waiter, &sleeper.group, current);
	ret = entry->op->attempt(&waiter, true);
	if (ret != -EINPROGRESS)
		return ret;
	gosync_wait_begins(&waiter);
	ret = gosync_sleep(&sleeper.group.claim, NULL, until);
	if (ret && gosync_group_leave(&sleeper.group)) {
		gosync_withdraw(&waiter, ret);
		return ret;
	}
	gosync_await_told(&sleeper.group.claim);
	gosync_wait_ends(holder->obj, &waiter, 0);
	return 0;
}

/* The deadline, or so many ns from now if that is earlier */
static struct gosync_timeout within(const struct gosync_timeout *timeout, u64 ns)
{
	bool realtime = timeout->clock == CLOCK_REALTIME;
	ktime_t now = realtime ? ktime_get_real() : ktime_get();

	return (struct gosync_timeout) {
		.when = min(timeout->when,
			    ktime_add(now, ns_to_ktime(ns))),
		.clock = timeout->clock,
	};
}

/*
 * Queue for what is lacking, then take the others; waiting for them too if it is
 * our turn, which does not last for ever.
 *
 * Return: 0: all were got; -EBUSY; another error
 */
static int take_all(struct gosync_many *many, struct turn *turn, u32 *lacking,
		    const struct gosync_timeout *timeout)
{
	bool is_turn = !list_empty(&turn->node);
	struct gosync_timeout until = is_turn ? within(timeout, turn->ns) :
						*timeout;
	struct gosync_many_entry *entry = &many->entries[*lacking];
	u32 first = *lacking, i;
	int ret = 0;

	/* Nothing that we do can help a condition. */
	for (i = 0; i < many->count; i++)
		if (!many->entries[i].op->takes &&
		    !gosync_is_ready(many->entries[i].op,
				     &many->entries[i].waiter)) {
			*lacking = i;
			return -EBUSY;
		}
	ret = get_in_turn(entry, &until);
	if (ret)
		goto out;
	for (i = 0; i < many->count; i++) {
		u32 this = many->order[i];

		if (this == first)
			continue;
		entry = &many->entries[this];
		ret = is_turn && entry->op->takes ?
		      get_in_turn(entry, &until) : take_now(entry);
		if (ret) {
			*lacking = this;
			break;
		}
	}
	if (!ret)
		return 0;
	while (i--)
		if (many->order[i] != first)
			give_back(&many->entries[many->order[i]]);
	give_back(&many->entries[first]);
out:
	if (is_turn)
		turn->ns = min_t(u64, 2 * turn->ns, TURN_MAX_NS);
	if (ret == -ETIMEDOUT && until.when != timeout->when)
		return -EBUSY;
	return ret;
}

/* Until something changes, or this is long. Return: 0 or an error */
static int sleep_shortly(struct poll_wqueues *table, u64 since,
			 const struct gosync_timeout *timeout)
{
	s64 ns = since + TURN_AFTER_NS - ktime_get_ns();
	struct gosync_timeout soon = within(timeout, max_t(s64, ns, 0));
	int ret = gosync_sleep(NULL, table, &soon);

	return ret == -ETIMEDOUT && soon.when != timeout->when ? 0 : ret;
}

static int sleep_until_all(struct gosync_many *many, struct poll_wqueues *table,
			   const struct gosync_timeout *timeout)
{
	struct turn turn = {
		.task = current,
		.table = table,
		.ns = TURN_MIN_NS,
	};
	u64 since = ktime_get_ns();
	u32 lacking, last = 0;
	int ret;

	INIT_LIST_HEAD(&turn.node);
	for (;;) {
		/* Before we look: pairs with the barrier in waking. */
		smp_store_mb(table->triggered, 0);
		ret = try_all(many, &lacking);
		if (ret != -EBUSY)
			break;
		/* What was not to be had last time comes first. */
		if (many->entries[lacking].op->takes &&
		    !gosync_is_ready(many->entries[last].op,
				     &many->entries[last].waiter))
			lacking = last;
		last = lacking;
		if (!many->entries[lacking].op->takes) {
			/* No turn helps against a condition. */
			end_turn(&turn);
			ret = gosync_sleep(NULL, table, timeout);
		} else if (ktime_get_ns() - since < TURN_AFTER_NS) {
			ret = sleep_shortly(table, since, timeout);
		} else if (list_empty(&turn.node)) {
			ret = take_all(many, &turn, &last, timeout);
			if (!ret)
				break;
			if (ret == -EBUSY && many->entries[last].op->takes)
				get_in_line(&turn);
		} else if (has_turn(&turn)) {
			ret = take_all(many, &turn, &last, timeout);
			if (!ret)
				break;
			end_turn(&turn);
		} else {
			ret = gosync_sleep(NULL, table, timeout);
		}
		/* What is given back may have woken us ourselves. */
		if (!ret || ret == -EBUSY)
			ret = gosync_try_again();
		if (ret)
			break;
	}
	end_turn(&turn);
	return ret;
}

/* They are seen as waiters of each, though nobody grants them anything. */
static int show_all(struct gosync_many *many, struct poll_wqueues *table)
{
	u32 i;

	for (i = 0; i < many->count; i++) {
		struct gosync_many_entry *entry = &many->entries[i];
		struct gosync_object *obj = entry->waiter.holder->obj;
		struct gosync_watchers *watch = gosync_watchers_of(obj);

		if (!watch)
			return -ENOMEM;
		poll_wait(fd_file(entry->fd), &watch->wq, &table->pt);
		gosync_count_waits(obj);
		entry->waiter.entry.private = current;
		scoped_guard(spinlock, &obj->wq.lock)
			gosync_enqueue(obj, &watch->all, &entry->waiter, false);
		gosync_wait_begins(&entry->waiter);
	}
	return table->error;
}

static void hide_all(struct gosync_many *many, int ret)
{
	u32 i;

	for (i = 0; i < many->count; i++) {
		struct gosync_waiter *waiter = &many->entries[i].waiter;
		struct gosync_object *obj = waiter->holder->obj;

		if (!waiter->queued)
			continue;
		scoped_guard(spinlock, &obj->wq.lock) {
			gosync_unqueue(obj, waiter);
			if (!ret)
				gosync_account_wait(obj, waiter, GOSYNC_WOKEN);
			if (obj->ops->show)
				obj->ops->show(obj);
		}
		gosync_wait_ends(obj, waiter, ret);
	}
}

static int wait_for_all(struct gosync_many *many,
			const struct gosync_timeout *timeout)
{
	struct poll_wqueues *table;
	u32 lacking;
	int ret;

	ret = order(many) ?: try_all(many, &lacking);
	if (ret != -EBUSY)
		return ret;
	table = kmalloc(sizeof(*table), GFP_KERNEL_ACCOUNT);
	if (!table)
		return -ENOMEM;
	poll_initwait(table);
	ret = show_all(many, table);
	if (!ret)
		ret = sleep_until_all(many, table, timeout);
	poll_freewait(table);
	kfree(table);
	hide_all(many, ret);
	return ret;
}

static int deliver_all(struct gosync_many *many)
{
	int ret = fatal_signal_pending(current) ? -EINTR : 0;
	u32 i;

	for (i = 0; i < many->count && !ret; i++)
		ret = deliver(many, i);
	if (ret)
		give_back_all(many, many->count);
	return ret;
}

long gosync_wait_many(struct gosync_holder *unused, void *arg)
{
	const struct gosync_wait_many *args = arg;
	bool all = args->flags & GOSYNC_WAIT_ALL;
	struct gosync_timeout timeout;
	struct gosync_many *many;
	long ret;

	ret = gosync_timeout_init(&timeout, args->flags & ~GOSYNC_WAIT_ALL,
				  args->deadline);
	if (ret)
		return ret;
	many = gosync_many_get(args, false);
	if (IS_ERR(many))
		return PTR_ERR(many);
	if (all) {
		ret = wait_for_all(many, &timeout) ?: deliver_all(many);
	} else {
		ret = wait_for_any(many, &timeout);
		if (ret == -ERESTARTSYS)
			keep_generations(many);
		ret = gosync_many_deliver(many, ret,
					  fatal_signal_pending(current));
	}
	gosync_many_put(many);
	return ret;
}
