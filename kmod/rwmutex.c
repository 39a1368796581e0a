// SPDX-License-Identifier: GPL-2.0-only
/*
 * RWMutex: Go's sync.RWMutex between processes.
 *
 * The slot has a Mutex word for writers, and a line for each holder, in which
 * the holder counts its read locks. The word, the lines and what user
 * space may do with them are described in <linux/gosync.h>; mutex.c changes the
 * word. This file is about readers and writers that have to see each other.
 *
 * A grouped waiter that is handed the word moves to the drain queue. If it is
 * withdrawn there, the word is released. While an RWMutex is polled, leaving
 * readers enter the kernel as if a writer drained.
 *
 * A waiter is in one of four queues:
 *
 *	obj->wq.head	writers that want the word
 *	drain		the owner of the word, until the readers have left
 *	readers		readers that found the word LOCKED
 *	admitted	readers that an unlocking writer let in, until each of
 *			them is counted and woken
 *
 * Five pairs of barriers, by letter. Readers are in libuser/rwmutex.c,
 * <gosync-user.h> and rwmutex_read_or_queue(), writers in is_drained() and
 * barge():
 *
 *	    reader				writer
 *	RW-A:
 *	    count in its line			take the word
 *	    full barrier			full barrier
 *	    look at the word			look at the counts
 *	RW-B:
 *	    subtract in its line		say that it drains
 *	    full barrier			full barrier
 *	    look at draining			look at the counts
 *
 * In RW-A and RW-B at least one of the two sees the other. Both may.
 *
 *	    rwmutex_grant_read()		a look for readers
 *	RW-C:
 *	    count the reader in its line	look at extra
 *	    release				read barrier
 *	    subtract it from extra		look at the lines
 *
 * An admitted reader counts as extra from before the word is free
 * (rwmutex_admit()). RW-C moves it to its line, and it is found in one of the
 * two places at any moment.
 *
 *	    reader			rwmutex_abandon() of a broken holder
 *	RW-D:
 *	    count in its line			set STARVING in the word
 *	    full barrier			full barrier
 *	    look at the word			take the line from it
 *
 * So a broken holder does not take what it counted for a read lock.
 *
 *	    reader				writer
 *	RW-E:
 *	    leave by a release			look at the counts by an acquire
 *	    look at the word by an acquire	unlock by a release
 *
 * So each of the two sees what the other has done before. To leave is to
 * subtract, in the line or from extra. That a process enters or leaves the
 * kernel orders nothing.
 *
 * The readers that wait go before the next writer: rwmutex_release() admits
 * them.
 *
 * Several machines. A node that shares the lock with others has a read lock of the
 * cluster's holder (rwmutex_cluster_share()). So readers need nobody else. A writer
 * there must not keep the word while it waits for readers of other nodes, who would
 * wait for the same of theirs: it gives the word to the cluster's holder, and queues
 * (rwmutex_yield()). That holder's read lock ends when it has the word.
 *
 * Why no death leaves a sleeper behind. For the writers' queue see mutex.c.
 * While readers wait, WAITERS is not 0, so the owner of the word enters the
 * kernel to unlock, or its holder ends. While a writer drains, each reader has
 * a line that is not 0, or counts as extra. It enters the kernel to say that it
 * has left, or its holder ends, or, where another process has the same file,
 * its descriptors are closed (&gosync_ops.flush). Each of these looks at the
 * drain queue again. The releaser wakes the admitted readers, in the kernel,
 * also when it is killed.
 */
#include <linux/sched/signal.h>
#include <trace/events/lock.h>

#include "cluster.h"
#include "mutex.h"
#include "trace.h"

/**
 * struct gosync_rwmutex - an RWMutex
 * @mutex: the word; its object's lock protects the rest
 * @drain: see above
 * @readers: see above
 * @admitted: see above
 * @admissions: how often readers were admitted
 * @lines: as in the slot
 * @lost: lines of broken holders: they do not count, and are not free
 * @nr_drain: number of waiters in @drain
 * @nr_readers: number of waiters in @readers
 * @nr_admitted: number of waiters in @admitted
 * @nr_held: read locks of holders that have no line
 */
struct gosync_rwmutex {
	struct gosync_mutex mutex;
	struct list_head drain;
	struct list_head readers;
	struct list_head admitted;
	u64 admissions;
	u64 lines;
	u64 lost;
	u32 nr_drain;
	u32 nr_readers;
	u32 nr_admitted;
	u32 nr_held;
};

static struct gosync_rwmutex *to_rwmutex(struct gosync_object *obj)
{
	return container_of(obj, struct gosync_rwmutex, mutex.obj);
}

static struct gosync_rwmutex_slot *slot_of(struct gosync_rwmutex *rw)
{
	return rw->mutex.obj.state;
}

/* The count in a line, from line 1 on; user space may write anything there. */
static atomic_t *line_of(struct gosync_rwmutex *rw, unsigned int line)
{
	return rw->mutex.obj.state + gosync_rwmutex_line(line);
}

static bool is_locked(struct gosync_rwmutex *rw)
{
	/* RW-E, pairs with gosync_rwmutex_unlock() of the library. */
	return atomic64_read_acquire(gosync_mutex_word(&rw->mutex)) &
	       GOSYNC_MUTEX_LOCKED;
}

static void publish_draining(struct gosync_rwmutex *rw)
{
	WRITE_ONCE(slot_of(rw)->draining,
		   rw->nr_drain + gosync_watched(&rw->mutex.obj));
}

static void publish_extra(struct gosync_rwmutex *rw)
{
	/*
	 * RW-C, and RW-E for a reader without a line; pairs with no_readers()
	 * in libuser/rwmutex.c.
	 */
	smp_store_release(&slot_of(rw)->extra, rw->nr_held + rw->nr_admitted);
}

/* The number of read locks. Garbage in a line counts as read locks. */
static u64 count_reads(struct gosync_rwmutex *rw)
{
	u64 reads = rw->nr_held + rw->nr_admitted;
	unsigned long lines = rw->lines;
	unsigned int line;

	/* RW-E, pairs with gosync_rwmutex_runlock() in <gosync-user.h>. */
	for_each_set_bit(line, &lines, 64)
		reads += (u32)atomic_read_acquire(line_of(rw, line));
	return reads;
}

/* Does this node share the lock with other nodes? (the object's lock) */
static bool is_shared(const struct gosync_object *obj)
{
	return unlikely(obj->cluster) && obj->cluster->holder.held;
}

static bool is_the_clusters(const struct gosync_waiter *waiter)
{
	const struct gosync_cluster *cluster = waiter->holder->obj->cluster;

	return unlikely(cluster) && waiter == &cluster->waiter;
}

/* Count one read lock more (@n is 1) or less (@n is -1) for @holder. */
static int rwmutex_count(struct gosync_rwmutex *rw,
			 struct gosync_holder *holder, int n)
{
	const int most = n > 0 ? GOSYNC_RWMUTEX_READS_MAX : 0;
	atomic_t *line;
	int i, now;

	lockdep_assert_held(&rw->mutex.obj.wq.lock);
	if (gosync_is_broken(holder))
		return -ESTALE;
	if (!holder->line) {
		if (holder->held == most)
			return n > 0 ? -ERANGE : -EPERM;
		holder->held += n;
		rw->nr_held += n;
		publish_extra(rw);
		return 0;
	}
	line = line_of(rw, holder->line);
	now = atomic_read(line);
	for (i = 0; i < GOSYNC_RACES; i++) {
		if (now < 0 || now == most)
			break;
		if (atomic_try_cmpxchg(line, &now, now + n))
			return 0;
	}
	return n > 0 ? -ERANGE : -EPERM;
}

/*
 * Grant the lock to a writer that drains if no reader is left.
 *
 * Return: the writer, for which the caller has to call
 * gosync_wake(GOSYNC_GRANTED); or NULL.
 */
static struct gosync_waiter *rwmutex_grant_drained(struct gosync_rwmutex *rw)
{
	struct gosync_object *obj = &rw->mutex.obj;
	struct gosync_waiter *waiter;

	lockdep_assert_held(&obj->wq.lock);
	if (!rw->nr_drain) {
		/* Readers enter the kernel for pollers, which may have left. */
		if (unlikely(READ_ONCE(obj->watch))) {
			gosync_mutex_publish(&rw->mutex);
			publish_draining(rw);
		}
		return NULL;
	}
	/* RW-B, pairs with gosync_rwmutex_runlock() in <gosync-user.h>. */
	smp_mb();
	if (count_reads(rw))
		return NULL;
	waiter = gosync_claim_first(obj, &rw->drain);
	if (waiter) {
		rw->nr_drain--;
		publish_draining(rw);
		gosync_account_wait(obj, waiter, GOSYNC_HANDED_OVER);
	}
	return waiter;
}

static void rwmutex_look_at_drain(struct gosync_object *obj)
{
	struct gosync_rwmutex *rw = to_rwmutex(obj);
	struct gosync_waiter *waiter;

	spin_lock(&obj->wq.lock);
	waiter = rwmutex_grant_drained(rw);
	spin_unlock(&obj->wq.lock);
	gosync_wake(waiter, GOSYNC_GRANTED);
	gosync_changed(obj);
}

/*
 * Has the owner of the word no readers to wait for? If it has, it counts as a
 * writer that drains from now on.
 */
static bool is_drained(struct gosync_rwmutex *rw)
{
	/*
	 * RW-A, pairs with count_and_look() in libuser, and
	 * rwmutex_read_or_queue().
	 */
	smp_mb();
	if (!count_reads(rw))
		return true;
	rw->nr_drain++;
	publish_draining(rw);
	/* RW-B, pairs with gosync_rwmutex_runlock() in <gosync-user.h>. */
	smp_mb();
	if (count_reads(rw))
		return false;
	rw->nr_drain--;
	publish_draining(rw);
	return true;
}

/* --- Unlocking ------------------------------------------------------------ */

/* Let all waiting readers in. They count as read locks from now on. */
static void rwmutex_admit(struct gosync_rwmutex *rw)
{
	if (!rw->nr_readers)
		return;
	list_splice_tail_init(&rw->readers, &rw->admitted);
	rw->nr_admitted += rw->nr_readers;
	rw->nr_readers = 0;
	rw->admissions++;
	/* RW-C: gosync_mutex_release() frees the word by a full barrier. */
	publish_extra(rw);
}

static void rwmutex_grant_read(struct gosync_object *obj,
			       struct gosync_waiter *waiter)
{
	struct gosync_rwmutex *rw = to_rwmutex(obj);

	/*
	 * If user space scribbled on the line so that the lock cannot be
	 * counted, or if the holder is broken, the lock is not held.
	 */
	rwmutex_count(rw, waiter->holder, 1);
	rw->nr_admitted--;
	publish_extra(rw);
}

/*
 * As gosync_mutex_release(), but waiting readers go first; for the holder @by,
 * or NULL for the kernel itself
 */
static int rwmutex_release(struct gosync_rwmutex *rw,
			   const struct gosync_holder *by, u32 owner, bool died)
{
	struct gosync_object *obj = &rw->mutex.obj;
	struct gosync_waiter *next = NULL;
	enum gosync_wake wake;
	int ret = -EPERM;
	u64 word;

	scoped_guard(spinlock, &obj->wq.lock) {
		if (by && gosync_is_broken(by))
			return -ESTALE;
		word = atomic64_read(gosync_mutex_word(&rw->mutex));
		if (word & GOSYNC_MUTEX_LOCKED &&
		    (!owner || gosync_owner_of(word) == owner)) {
			rwmutex_admit(rw);
			ret = gosync_mutex_release(&rw->mutex, owner, died,
						   &next, &wake);
		}
	}
	gosync_wake(next, wake);
	if (!ret && wake != GOSYNC_GRANTED)
		gosync_changed(obj);
	if (gosync_grant_all(obj, &rw->admitted, rwmutex_grant_read, NULL)) {
		/* The word still shows them as waiters. */
		scoped_guard(spinlock, &obj->wq.lock)
			gosync_mutex_publish(&rw->mutex);
	}
	return ret;
}

static void rwmutex_owner_died(struct gosync_object *obj, u32 id)
{
	bool inside;

	/* Who owned the word of what is shared has not been inside. */
	scoped_guard(spinlock, &obj->wq.lock)
		inside = !is_shared(obj);
	rwmutex_release(to_rwmutex(obj), NULL, id, inside);
}

/* --- Writers -------------------------------------------------------------- */

/* As rwmutex_yield(), with the object's lock */
static bool rwmutex_yield_word(struct gosync_rwmutex *rw,
			       struct gosync_holder *holder,
			       struct gosync_waiter **next)
{
	struct gosync_object *obj = &rw->mutex.obj;

	*next = NULL;
	if (likely(!is_shared(obj)))
		return false;
	gosync_cluster_want(obj, GOSYNC_HERE);
	gosync_mutex_yield(&rw->mutex, holder->id, &obj->cluster->waiter, next);
	return true;
}

/*
 * A writer owns the word of what this node only shares: the cluster's holder gets
 * it instead, in order to have all of it. Return: false if nothing is to be done;
 * otherwise the writer does not own the word any more
 */
static bool rwmutex_yield(struct gosync_rwmutex *rw,
			  struct gosync_holder *holder)
{
	struct gosync_object *obj = &rw->mutex.obj;
	struct gosync_waiter *next;
	bool yields;

	if (likely(!obj->cluster))
		return false;
	scoped_guard(spinlock, &obj->wq.lock)
		yields = rwmutex_yield_word(rw, holder, &next);
	gosync_wake(next, GOSYNC_GRANTED);
	return yields;
}

/* The cluster's holder has the word: what was shared is shared no more. */
static void rwmutex_unshare(struct gosync_rwmutex *rw,
			    const struct gosync_waiter *waiter)
{
	if (is_the_clusters(waiter) && waiter->holder->held)
		rwmutex_count(rw, waiter->holder, -1);
}

/*
 * Wait until the readers have gone. The holder of @writer owns the word; after
 * an error the word is free again.
 */
static int rwmutex_drain(struct gosync_rwmutex *rw,
			 const struct gosync_waiter *writer,
			 const struct gosync_timeout *timeout)
{
	struct gosync_holder *holder = writer->holder;
	struct gosync_object *obj = &rw->mutex.obj;
	struct gosync_waiter waiter, *next;
	int ret;

	gosync_waiter_init(&waiter, holder);
	waiter.index = GOSYNC_WANTS_TO_DRAIN;
	scoped_guard(spinlock, &obj->wq.lock) {
		if (is_drained(rw))
			return 0;
		gosync_enqueue(obj, &rw->drain, &waiter);
		if (writer->again || waiter.again)
			waiter.put_off = gosync_put_off(writer->since ?:
							waiter.since);
	}
	trace_gosync_rwmutex_drain(obj, holder->id);
	ret = gosync_wait(obj, &waiter, timeout);
	if (ret)
		rwmutex_release(rw, NULL, holder->id, false);
	/*
	 * The word counts us as a waiter. And there is another writer that
	 * drains if another process has unlocked a word that it did not own.
	 */
	scoped_guard(spinlock, &obj->wq.lock) {
		gosync_mutex_publish(&rw->mutex);
		next = rwmutex_grant_drained(rw);
	}
	gosync_wake(next, GOSYNC_GRANTED);
	if (writer->since) {
		/* It waited for the word before: that is its place. */
		waiter.since = writer->since;
		waiter.wait = writer->wait;
	}
	gosync_remember(&waiter, ret);
	return ret;
}

/* &gosync_ops.handed: is the wait complete, or has it to drain? */
static bool rwmutex_handed(struct gosync_object *obj,
			   struct gosync_waiter *waiter,
			   struct gosync_waiter **next)
{
	struct gosync_rwmutex *rw = to_rwmutex(obj);

	rwmutex_unshare(rw, waiter);
	if (rwmutex_yield_word(rw, waiter->holder, next))
		return false;
	if (is_drained(rw))
		return true;
	waiter->index = GOSYNC_WANTS_TO_DRAIN;
	list_move_tail(&waiter->entry.entry, &rw->drain);
	return false;
}

static int rwmutex_take_word(struct gosync_rwmutex *rw,
			     struct gosync_waiter *writer,
			     const struct gosync_timeout *timeout)
{
	if (gosync_mutex_take_free(&rw->mutex, writer->holder))
		return 0;
	gosync_count_waits(&rw->mutex.obj);
	return gosync_mutex_acquire(&rw->mutex, writer, timeout);
}

/* Become the writer: @writer has taken the word, and may have waited for it. */
static long rwmutex_lock_taken(struct gosync_rwmutex *rw,
			       struct gosync_waiter *writer,
			       const struct gosync_timeout *timeout)
{
	struct gosync_holder *holder = writer->holder;
	int ret;

	while (rwmutex_yield(rw, holder)) {
		gosync_waiter_setup(writer, holder);
		ret = gosync_try_again() ?:
		      rwmutex_take_word(rw, writer, timeout);
		if (ret)
			return ret;
	}
	ret = rwmutex_drain(rw, writer, timeout);
	if (ret)
		return ret;
	/* A task that is being killed never enters the critical section. */
	ret = gosync_too_late(holder);
	if (ret) {
		rwmutex_release(rw, NULL, holder->id, false);
		return ret;
	}
	return READ_ONCE(rw->mutex.poisoned);
}

static long gosync_rwmutex_lock(struct gosync_holder *holder, void *arg)
{
	struct gosync_rwmutex *rw = to_rwmutex(holder->obj);
	struct gosync_wait_args *args = arg;
	struct gosync_timeout timeout __uninitialized;
	struct gosync_waiter writer __uninitialized;
	int ret;

	ret = gosync_timeout_init(&timeout, args->flags, args->deadline);
	if (ret)
		return ret;
	gosync_waiter_setup(&writer, holder);
	ret = rwmutex_take_word(rw, &writer, &timeout);
	if (ret)
		return ret;
	return rwmutex_lock_taken(rw, &writer, &timeout);
}

static long gosync_rwmutex_drain(struct gosync_holder *holder, void *arg)
{
	struct gosync_rwmutex *rw = to_rwmutex(holder->obj);
	struct gosync_waiter writer = { .holder = holder };
	struct gosync_wait_args *args = arg;
	struct gosync_timeout timeout;
	u64 word;
	long ret;

	ret = gosync_timeout_init(&timeout, args->flags, args->deadline);
	if (ret)
		return ret;
	word = atomic64_read(gosync_mutex_word(&rw->mutex));
	if (!(word & GOSYNC_MUTEX_LOCKED) || gosync_owner_of(word) != holder->id)
		return -EPERM;
	ret = rwmutex_lock_taken(rw, &writer, &timeout);
	/* The word is not owned any more, so this call can't be restarted. */
	return ret == -ERESTARTSYS ? -EINTR : ret;
}

static int rwmutex_try(struct gosync_rwmutex *rw, struct gosync_holder *holder)
{
	struct gosync_object *obj = &rw->mutex.obj;
	u64 reads;
	int ret;

	/* A try that fails does not stop readers. */
	scoped_guard(spinlock, &obj->wq.lock)
		reads = count_reads(rw);
	if (reads)
		gosync_cluster_want(obj, GOSYNC_HERE);
	ret = reads ? -EBUSY : gosync_mutex_try(&rw->mutex, holder);
	if (ret)
		return ret;
	/*
	 * RW-A, pairs with count_and_look() in libuser, and
	 * rwmutex_read_or_queue().
	 */
	smp_mb();
	scoped_guard(spinlock, &obj->wq.lock)
		reads = count_reads(rw);
	if (!reads)
		return 0;
	rwmutex_release(rw, NULL, holder->id, false);
	return -EBUSY;
}

static long gosync_rwmutex_trylock(struct gosync_holder *holder, void *arg)
{
	struct gosync_rwmutex *rw = to_rwmutex(holder->obj);

	return rwmutex_try(rw, holder) ?: READ_ONCE(rw->mutex.poisoned);
}

static int rwmutex_attempt_lock(struct gosync_waiter *waiter, bool queue)
{
	struct gosync_object *obj = waiter->holder->obj;
	struct gosync_rwmutex *rw = to_rwmutex(obj);
	int ret;

	if (!queue)
		return rwmutex_try(rw, waiter->holder);
	/* The cluster may have it from a writer that has yielded. */
	if (!is_the_clusters(waiter) ||
	    gosync_mutex_owner(obj) != waiter->holder->id) {
		ret = gosync_mutex_attempt(waiter, true);
		while (!ret && !is_the_clusters(waiter) &&
		       rwmutex_yield(rw, waiter->holder))
			ret = gosync_try_again() ?:
			      gosync_mutex_attempt(waiter, true);
		if (ret)
			return ret;
	}
	scoped_guard(spinlock, &obj->wq.lock) {
		rwmutex_unshare(rw, waiter);
		if (is_drained(rw))
			return 0;
		waiter->index = GOSYNC_WANTS_TO_DRAIN;
		/* If it has waited, that was for the word. */
		waiter->uncounted = waiter->since;
		gosync_enqueue(obj, &rw->drain, waiter);
		gosync_mutex_publish(&rw->mutex);
	}
	return -EINPROGRESS;
}

static bool rwmutex_ready_to_lock(const struct gosync_waiter *waiter)
{
	struct gosync_rwmutex *rw = to_rwmutex(waiter->holder->obj);

	return !is_locked(rw) && !count_reads(rw);
}

static void rwmutex_give_back_lock(struct gosync_waiter *waiter)
{
	struct gosync_object *obj = waiter->holder->obj;

	/*
	 * The word was taken from us while we drained: look for others that do.
	 */
	if (rwmutex_release(to_rwmutex(obj), NULL, waiter->holder->id, false))
		rwmutex_look_at_drain(obj);
}

static const struct gosync_wait_op rwmutex_lock_op = {
	.takes = true,
	.attempt = rwmutex_attempt_lock,
	.ready = rwmutex_ready_to_lock,
	.result = gosync_mutex_result,
	.give_back = rwmutex_give_back_lock,
};

static long gosync_rwmutex_unlock(struct gosync_holder *holder, void *arg)
{
	struct gosync_rwmutex *rw = to_rwmutex(holder->obj);
	bool strict = rw->mutex.obj.flags & GOSYNC_ERRORCHECK;

	if (gosync_mutex_drop_unwanted(&rw->mutex, holder))
		return 0;
	return rwmutex_release(rw, holder, strict ? holder->id : 0, false);
}

/* --- Readers -------------------------------------------------------------- */

/*
 * Take a read lock if there is no writer; otherwise queue @waiter, unless it is
 * NULL.
 *
 * Return: 0 if taken, -EINPROGRESS if queued, -EBUSY if neither, -EOWNERDEAD
 * if the word is owned by a holder (*@dead) that does not live, -EAGAIN if the
 * word kept changing, -ERANGE, -ESTALE.
 */
static int rwmutex_read_or_queue(struct gosync_rwmutex *rw,
				 struct gosync_holder *holder,
				 struct gosync_waiter *waiter, u32 *dead)
{
	struct gosync_object *obj = &rw->mutex.obj;
	int i, ret;
	u64 word;

	lockdep_assert_held(&obj->wq.lock);
	if (gosync_is_broken(holder))
		return -ESTALE;
	for (i = 0; i < GOSYNC_RACES; i++) {
		word = atomic64_read(gosync_mutex_word(&rw->mutex));
		if (!(word & GOSYNC_MUTEX_LOCKED)) {
			ret = rwmutex_count(rw, holder, 1);
			if (ret)
				return ret;
			/*
			 * RW-A, pairs with is_drained() and barge() in libuser.
			 */
			smp_mb();
			if (!is_locked(rw))
				return 0;
			/*
			 * We hold the object's lock: no writer waits for this.
			 */
			rwmutex_count(rw, holder, -1);
			continue;
		}
		*dead = gosync_owner_of(word);
		if (!gosync_holder_lives(obj, *dead))
			return -EOWNERDEAD;
		if (!waiter) {
			gosync_cluster_want(obj, GOSYNC_SHARED);
			return -EBUSY;
		}
		if (!gosync_mutex_show_waiter(&rw->mutex, word))
			continue;
		waiter->index = GOSYNC_WANTS_TO_READ;
		waiter->number = rw->admissions;
		gosync_enqueue(obj, &rw->readers, waiter);
		rw->nr_readers++;
		return -EINPROGRESS;
	}
	return -EAGAIN;
}

static int rwmutex_attempt_rlock(struct gosync_waiter *waiter, bool queue)
{
	struct gosync_holder *holder = waiter->holder;
	struct gosync_rwmutex *rw = to_rwmutex(holder->obj);
	struct gosync_object *obj = holder->obj;
	u32 dead;
	int ret;

	for (;;) {
		spin_lock(&obj->wq.lock);
		ret = rwmutex_read_or_queue(rw, holder, queue ? waiter : NULL,
					    &dead);
		spin_unlock(&obj->wq.lock);
		if (ret == -EOWNERDEAD)
			rwmutex_owner_died(obj, dead);
		else if (ret != -EAGAIN)
			return ret;
		ret = gosync_try_again();
		if (ret)
			return ret;
	}
}

static int rwmutex_check_rlock(struct gosync_waiter *waiter, u32 index,
			       u64 value)
{
	waiter->index = GOSYNC_WANTS_TO_READ;
	return index || value ? -EINVAL : 0;
}

static bool rwmutex_ready_to_read(const struct gosync_waiter *waiter)
{
	return !is_locked(to_rwmutex(waiter->holder->obj));
}

static long gosync_rwmutex_runlock(struct gosync_holder *holder, void *arg)
{
	struct gosync_rwmutex *rw = to_rwmutex(holder->obj);
	struct gosync_waiter *waiter = NULL;
	int ret;

	scoped_guard(spinlock, &rw->mutex.obj.wq.lock) {
		ret = rwmutex_count(rw, holder, -1);
		if (!ret)
			waiter = rwmutex_grant_drained(rw);
	}
	gosync_wake(waiter, GOSYNC_GRANTED);
	if (!waiter)
		gosync_changed(holder->obj);
	return ret;
}

static void rwmutex_give_back_rlock(struct gosync_waiter *waiter)
{
	/* Not counted, if the holder is broken or after scribbling. */
	if (gosync_rwmutex_runlock(waiter->holder, NULL))
		rwmutex_look_at_drain(waiter->holder->obj);
}

static const struct gosync_wait_op rwmutex_rlock_op = {
	.takes = true,
	.check = rwmutex_check_rlock,
	.attempt = rwmutex_attempt_rlock,
	.ready = rwmutex_ready_to_read,
	.result = gosync_mutex_result,
	.give_back = rwmutex_give_back_rlock,
};

static long gosync_rwmutex_rlock(struct gosync_holder *holder, void *arg)
{
	return gosync_wait_plainly(&rwmutex_rlock_op, holder, arg);
}

static long gosync_rwmutex_tryrlock(struct gosync_holder *holder, void *arg)
{
	struct gosync_waiter waiter = { .holder = holder };

	return rwmutex_attempt_rlock(&waiter, false) ?:
	       gosync_mutex_result(&waiter);
}

static long gosync_rwmutex_drained(struct gosync_holder *holder, void *arg)
{
	rwmutex_look_at_drain(holder->obj);
	return 0;
}

/* --- Holders, and the rest of the object ---------------------------------- */

static void rwmutex_left(struct gosync_object *obj,
			 struct gosync_waiter *waiter)
{
	struct gosync_rwmutex *rw = to_rwmutex(obj);
	struct gosync_waiter *next;

	spin_lock(&obj->wq.lock);
	if (waiter->index == GOSYNC_WANTS_TO_DRAIN) {
		rw->nr_drain--;
		publish_draining(rw);
	} else if (waiter->index == GOSYNC_WANTS_TO_READ) {
		if (waiter->number == rw->admissions)
			rw->nr_readers--;
		else
			rw->nr_admitted--;
		publish_extra(rw);
	}
	next = rwmutex_grant_drained(rw);
	spin_unlock(&obj->wq.lock);
	gosync_wake(next, GOSYNC_GRANTED);
	/* In a group it was handed the word; others release it themselves. */
	if (waiter->group && waiter->index == GOSYNC_WANTS_TO_DRAIN)
		rwmutex_release(rw, NULL, waiter->holder->id, false);
	gosync_mutex_left(obj, waiter);
}

static void rwmutex_show(struct gosync_object *obj)
{
	gosync_mutex_show(obj);
	publish_draining(to_rwmutex(obj));
}

static void publish_lines(struct gosync_rwmutex *rw)
{
	WRITE_ONCE(slot_of(rw)->lines, rw->lines);
}

static void rwmutex_holder_begin(struct gosync_object *obj,
				 struct gosync_holder *holder)
{
	struct gosync_rwmutex *rw = to_rwmutex(obj);

	if (holder->read_only)
		return;
	scoped_guard(spinlock, &obj->wq.lock) {
		u64 taken = rw->lines | rw->lost | ~GOSYNC_RWMUTEX_LINES;

		if (!~taken)
			return;
		holder->line = ffz(taken);
		atomic_set(line_of(rw, holder->line), 0);
		rw->lines |= BIT_ULL(holder->line);
		publish_lines(rw);
	}
}

static void rwmutex_holder_end(struct gosync_object *obj,
			       struct gosync_holder *holder)
{
	struct gosync_rwmutex *rw = to_rwmutex(obj);

	scoped_guard(spinlock, &obj->wq.lock) {
		if (holder->line) {
			atomic_set(line_of(rw, holder->line), 0);
			rw->lines &= ~BIT_ULL(holder->line);
			rw->lost &= ~BIT_ULL(holder->line);
			publish_lines(rw);
			/* From now on another holder may get it. */
			holder->line = 0;
		}
	}
}

/*
 * The line of a broken holder is set far below 0 and does not count any more.
 * What its user space still does there has no effect, and user space sees why.
 * RW-D: the word said STARVING before this; pairs with count_and_look() in
 * libuser.
 */
static void rwmutex_abandon(struct gosync_object *obj,
			    struct gosync_holder *holder)
{
	struct gosync_rwmutex *rw = to_rwmutex(obj);

	scoped_guard(spinlock, &obj->wq.lock) {
		bool broken = gosync_is_broken(holder);

		if (holder->line)
			atomic_set(line_of(rw, holder->line),
				   broken ? (int)GOSYNC_RWMUTEX_BROKEN : 0);
		if (holder->line && broken) {
			rw->lines &= ~BIT_ULL(holder->line);
			rw->lost |= BIT_ULL(holder->line);
			publish_lines(rw);
		}
		rw->nr_held -= holder->held;
		holder->held = 0;
		publish_extra(rw);
	}
	rwmutex_owner_died(obj, holder->id);
	rwmutex_look_at_drain(obj);
}

static size_t rwmutex_area_size(u32 type, u64 capacity)
{
	return GOSYNC_RWMUTEX_SIZE;
}

static int rwmutex_init(struct gosync_object *obj,
			const struct gosync_open_args *args)
{
	struct gosync_rwmutex *rw = to_rwmutex(obj);

	INIT_LIST_HEAD(&rw->drain);
	INIT_LIST_HEAD(&rw->readers);
	INIT_LIST_HEAD(&rw->admitted);
	return gosync_mutex_init(obj, args);
}

static void rwmutex_queues(struct gosync_object *obj,
			   struct list_head *queues[GOSYNC_QUEUES])
{
	struct gosync_rwmutex *rw = to_rwmutex(obj);

	queues[0] = &rw->drain;
	queues[1] = &rw->admitted;
	queues[2] = &rw->readers;
}

static u32 rwmutex_held(struct gosync_object *obj,
			const struct gosync_holder *holder)
{
	struct gosync_rwmutex *rw = to_rwmutex(obj);

	if (rw->lost & BIT_ULL(holder->line))
		return 0;
	return holder->line ? atomic_read(line_of(rw, holder->line)) :
			      holder->held;
}

static void rwmutex_info(struct gosync_object *obj,
			 const struct gosync_holder *holder,
			 struct gosync_info *info)
{
	gosync_mutex_info(obj, holder, info);
	info->readers = min_t(u64, count_reads(to_rwmutex(obj)) - is_shared(obj),
			      U32_MAX);
	if (holder && holder->line && info->map_len)
		info->map_data = info->map_offset +
				 gosync_rwmutex_line(holder->line);
}

static enum gosync_wants rwmutex_wants(const struct gosync_waiter *waiter)
{
	return waiter->index;
}

/* A wait that was interrupted in its drain begins with the word again. */
static void rwmutex_identify(const struct gosync_waiter *waiter, u64 *operand,
			     u32 *index)
{
	if (waiter->index == GOSYNC_WANTS_TO_DRAIN)
		*index = GOSYNC_WANTS_IT;
}

static unsigned int rwmutex_lock_flags(const struct gosync_waiter *waiter)
{
	return waiter->index == GOSYNC_WANTS_TO_READ ? LCB_F_READ : LCB_F_WRITE;
}

static const struct gosync_lock_ops rwmutex_writers = {
	.lock = gosync_rwmutex_lock,
	.unlock = gosync_rwmutex_unlock,
	.op = &rwmutex_lock_op,
};

static const struct gosync_lock_ops rwmutex_readers = {
	.lock = gosync_rwmutex_rlock,
	.unlock = gosync_rwmutex_runlock,
	.op = &rwmutex_rlock_op,
};

static void rwmutex_cluster_share(struct gosync_object *obj)
{
	rwmutex_count(to_rwmutex(obj), &obj->cluster->holder, 1);
}

static enum gosync_cluster_mode rwmutex_cluster_wants(struct gosync_object *obj)
{
	if (!gosync_shown(obj))
		return GOSYNC_AWAY;
	return to_rwmutex(obj)->nr_readers == gosync_shown(obj) ? GOSYNC_SHARED :
								   GOSYNC_HERE;
}

static const struct gosync_cluster_type rwmutex_in_cluster = {
	.op = &rwmutex_lock_op,
	.share = rwmutex_cluster_share,
	.wants = rwmutex_cluster_wants,
	.get = gosync_mutex_cluster_get,
	.set = gosync_mutex_cluster_set,
};

static const struct gosync_ioctl ioctls[] = {
	GOSYNC_IOCTL_ARG(RWMUTEX_LOCK, GOSYNC_WRITES | GOSYNC_OPTIONAL,
			 gosync_rwmutex_lock, wait, .wait = &rwmutex_lock_op),
	GOSYNC_IOCTL(RWMUTEX_TRYLOCK, GOSYNC_WRITES, gosync_rwmutex_trylock),
	GOSYNC_IOCTL(RWMUTEX_UNLOCK, GOSYNC_WRITES | GOSYNC_URING,
		     gosync_rwmutex_unlock),
	GOSYNC_IOCTL(RWMUTEX_RECOVER, GOSYNC_WRITES, gosync_mutex_recover),
	GOSYNC_IOCTL_ARG(RWMUTEX_DRAIN, GOSYNC_WRITES | GOSYNC_OPTIONAL,
			 gosync_rwmutex_drain, wait),
	GOSYNC_IOCTL_ARG(RWMUTEX_RLOCK, GOSYNC_WRITES | GOSYNC_OPTIONAL,
			 gosync_rwmutex_rlock, wait, .wait = &rwmutex_rlock_op),
	GOSYNC_IOCTL(RWMUTEX_TRYRLOCK, GOSYNC_WRITES, gosync_rwmutex_tryrlock),
	GOSYNC_IOCTL(RWMUTEX_RUNLOCK, GOSYNC_WRITES | GOSYNC_URING,
		     gosync_rwmutex_runlock),
	GOSYNC_IOCTL(RWMUTEX_DRAINED, GOSYNC_WRITES, gosync_rwmutex_drained),
};

const struct gosync_ops gosync_rwmutex_ops = {
	.name = "rwmutex",
	.size = sizeof(struct gosync_rwmutex),
	.ioctls = ioctls,
	.nr_ioctls = ARRAY_SIZE(ioctls),
	.flags = GOSYNC_ERRORCHECK,
	.area_size = rwmutex_area_size,
	.init = rwmutex_init,
	.holder_begin = rwmutex_holder_begin,
	.holder_end = rwmutex_holder_end,
	.abandon = rwmutex_abandon,
	.owner_died = rwmutex_owner_died,
	.flush = rwmutex_look_at_drain,
	.left = rwmutex_left,
	.handed = rwmutex_handed,
	.show = rwmutex_show,
	.exclusive = true,
	.in = &rwmutex_rlock_op,
	.out = &rwmutex_lock_op,
	.wants = rwmutex_wants,
	.identify = rwmutex_identify,
	.lock = &rwmutex_writers,
	.rlock = &rwmutex_readers,
	.lock_flags = rwmutex_lock_flags,
	.token = gosync_mutex_token,
	.queues = rwmutex_queues,
	.owner = gosync_mutex_owner,
	.info = rwmutex_info,
	.held = rwmutex_held,
	.cluster = &rwmutex_in_cluster,
};
