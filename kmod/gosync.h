/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The module's own header: types, objects and holders, and what each file offers
 * the others. Waiting is in wait.h, mapped state in page.h.
 *
 * Layers. A file calls only what is in lower lines of this list; `make check`
 * proves it. (What calls upwards does so by a pointer: operations of a type, of a
 * file, of a group of waiters.)
 *
 *	main.c				the module, its device, files of holders
 *	uring.c				operations by io_uring
 *	ioctl.c				running an ioctl; those of every object
 *	wait_many.c			waiting for several things: the ioctl
 *	command.c wait_all.c		a command of io_uring that waits; all
 *	wait_any.c			any of several
 *	wait_entry.c			what several things are
 *	change.c open.c			owner and mode; a name and a holder of it
 *	types.c				the list of types
 *	rwmutex.c			builds on mutex.c
 *	atomic.c value.c mutex.c waitgroup.c once.c cond.c semaphore.c map.c
 *					the primitives
 *	map_table.c wait_change.c	a Map's entries; waiting for Value and Map
 *	wait_op.c			waiting for one thing in an ioctl
 *	holder.c stat.c			holders; who holds, who waits, how it went
 *	cancel.c orphan.c		what ends commands of io_uring before time
 *	gate.c				the end of a command of io_uring
 *	names.c				the table of names, the life of an object
 *	account.c await.c		limits; waiting for a name
 *	poll.c				pollers
 *	wait.c				the wait queue
 *	place.c				places in it after a signal
 *	page.c				mapped state
 *	ns.c				namespaces, permission
 *	object.c			an object, what is known of it
 *	copy.c trace.c			user space's memory; the tracepoints
 *
 * Locks. One that is indented is taken inside the nearest one above it that is
 * less indented; no others are nested. Lines that begin at the left are never
 * held at the same time. All but the first two are spinlocks.
 *
 *	gosync_value.lock		(value.c) who stores; a mutex
 *	gosync_map.lock			(map.h) who changes the keys; a mutex
 *	  area->more.xa_lock		(page.c) pages that were added
 *	a record's sequence		(map.h) one entry of a Map; inside map.lock
 *					or alone, with preemption disabled
 *	gosync_ns.lock			(names.h) names and life of its objects
 *	  accounts.xa_lock		(account.c) objects per user
 *	  named.xa_lock			(names.h) the named objects; alone to reserve
 *	  pools_lock			(page.c) free slots of shared pages; or alone
 *	  obj->wq.lock, obj->holders.xa_lock	as below, for a listing
 *	obj->wq.lock			the state of an object, and its waiters
 *	  obj->holders.xa_lock		its holders; or alone
 *	    links_lock			(orphan.c) who waits for a holder; or alone
 *	  lock				(place.c) interrupted waits; or alone
 *	obj->watch->wq.lock		who polls
 *	turns_lock			(wait_all.c) turns of waits for all
 *	tree_lock			(cancel.c) commands that can be cancelled
 *	namespaces_lock			(ns.c) the namespaces
 *	awaited->wq.lock		(await.c) who waits for a name
 *	lock				(mutex.c, first_token()) the first token
 *
 * The tables of names, of awaited names and of pools (rhashtable) lock a bucket
 * inside gosync_ns.lock or pools_lock. Two objects are never locked at the same
 * time.
 *
 * Nothing that user space can stop (a page fault on its memory) happens under
 * any of them. gosync_ns.lock and pools_lock are everybody's: what may take
 * long (memory is allocated, zeroed or freed) is done before and after them.
 */
#ifndef GOSYNC_H
#define GOSYNC_H

#include <linux/cred.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/nospec.h>
#include <linux/refcount.h>
#include <linux/rhashtable-types.h>
#include <linux/seqlock.h>
#include <linux/string.h>
#include <linux/wait.h>
#include <linux/xarray.h>
#include <linux/gosync.h>

struct file;
struct gosync_account;
struct gosync_area;
struct gosync_holder;
struct gosync_ioctl;
struct gosync_ns;
struct gosync_object;
struct gosync_stats;
struct gosync_ticket;
struct gosync_wait_op;
struct gosync_waiter;
struct gosync_watchers;
struct io_uring_cmd;
struct pid_namespace;
struct poll_table_struct;
struct seq_file;

/*
 * How often a compare-and-swap on a mapped word is tried under the object's
 * lock. Among well-behaved processes a try fails only because another made
 * progress; who makes it fail this often is scribbling.
 */
#define GOSYNC_RACES		128

#define GOSYNC_SLOT_SIZE	64

/* What is not longer than this is short, see gosync_copy() */
#define GOSYNC_SHORT		256

/* No type has more queues than this besides the object's own. */
#define GOSYNC_QUEUES		3

/**
 * struct gosync_ops - a type of object
 * @name: as people know it
 * @size: of the structure that begins with &struct gosync_object
 * @read_only: user space maps it read-only, whoever it is
 * @ioctls: the ioctls that are its own, as gosync_ioctl_in() wants them
 * @nr_ioctls: how many there are
 * @flags: creation flags that it takes besides the common ones
 * @default_capacity: capacity where none is given
 * @max_capacity: and the largest (0: the type has no capacity)
 * @max_key_size: largest size of a key (0: the type has no keys)
 * @max_value_size: largest size of their values
 * @exclusive: of its pollers only one could succeed, so one is woken at a time
 * @area_size: bytes of mapped state for a capacity, more than a slot: pages
 *	of its own; NULL: a slot will do
 * @matches: is an object that exists what is asked for, beyond its type and
 *	capacity; may be NULL
 * @init: make a new object's state, its area is there and zero; may fail, may
 *	be NULL
 * @fini: undo @init; may be NULL
 * @holder_begin: give a new holder what it needs; may be NULL
 * @holder_end: undo @holder_begin, of a holder that is no longer there; may be
 *	NULL
 * @abandon: recover what a holder has, be it there or not; NULL if it can't
 *	have anything. Of one that is broken, make that user space cannot have it
 *	again
 * @owner_died: a word names an owner that does not live: release it. NULL if
 *	there are no owners
 * @flush: a process has closed a descriptor: see to what it may have owed;
 *	may be NULL
 * @left: a waiter has given up: write what changed by that into the mapped
 *	state, wake who can go on by it
 * @handed: a waiter that only is granted things was handed the word: is that
 *	all? If not it is queued elsewhere by now. NULL: it is. Called with the
 *	object's lock
 * @show: write into the mapped state who waits and whether somebody watches, and
 *	that there are broken holders; may be NULL. Called with the object's lock
 * @in: what makes its descriptors readable, once it can be had
 * @out: and what writable; may be NULL
 * @watched: with the object's lock: fill in what a holder watches for, as the
 *	operand of @in. Return: false if it watches for nothing. NULL: there is
 *	no operand
 * @watch: begin or, with @stop, end to watch; a holder that may only observe
 *	can't. NULL: what @watched looks at is set, nothing else
 * @wants: what a waiter wants of several things; NULL: GOSYNC_WANTS_IT
 * @lock: how a Cond uses it as its L; NULL: it is none
 * @rlock: the same with GOSYNC_READ_SIDE
 * @asks: how much a waiter wants, or where: &gosync_party.count; may be NULL
 * @identify: by which operand and index a waiter that comes back is known, if
 *	not by @expected and @index of &struct gosync_waiter; may be NULL
 * @lock_flags: it is a lock: LCB_F_MUTEX and so on for a waiter, by which perf
 *	knows its kind; NULL: it is none
 * @token: the fencing token of the last acquisition; NULL: it has none
 * @version: what GOSYNC_IOC_VALUE_WAIT and the like compare; or NULL
 * @queues: tell where waiters are, besides @wq.head; may be NULL
 * @owner: the number of the holder that owns it, 0: nobody; NULL if there are
 *	no owners
 * @info: fill in what the type knows, for @holder unless it is NULL. Called
 *	with the object's lock
 * @held: how much a holder holds, without owning it; may be NULL. Called with
 *	the object's lock
 */
struct gosync_ops {
	const char *name;
	size_t size;
	bool read_only;
	u8 nr_ioctls;
	u32 flags;
	const struct gosync_ioctl *ioctls;
	u64 default_capacity;
	u64 max_capacity;
	u32 max_key_size;
	u32 max_value_size;
	bool exclusive;
	size_t (*area_size)(u32 type, u64 capacity);
	bool (*matches)(const struct gosync_object *obj,
			const struct gosync_open_args *args);
	int (*init)(struct gosync_object *obj, const struct gosync_open_args *args);
	void (*fini)(struct gosync_object *obj);
	void (*holder_begin)(struct gosync_object *obj,
			     struct gosync_holder *holder);
	void (*holder_end)(struct gosync_object *obj,
			   struct gosync_holder *holder);
	void (*abandon)(struct gosync_object *obj, struct gosync_holder *holder);
	void (*owner_died)(struct gosync_object *obj, u32 id);
	void (*flush)(struct gosync_object *obj);
	void (*left)(struct gosync_object *obj, struct gosync_waiter *waiter);
	bool (*handed)(struct gosync_object *obj, struct gosync_waiter *waiter);
	void (*show)(struct gosync_object *obj);
	const struct gosync_wait_op *in;
	const struct gosync_wait_op *out;
	bool (*watched)(const struct gosync_holder *holder,
			struct gosync_waiter *waiter);
	int (*watch)(struct gosync_holder *holder, bool stop);
	enum gosync_wants (*wants)(const struct gosync_waiter *waiter);
	u32 (*asks)(const struct gosync_waiter *waiter);
	void (*identify)(const struct gosync_waiter *waiter, u64 *operand,
			 u32 *index);
	const struct gosync_lock_ops *lock;
	const struct gosync_lock_ops *rlock;
	unsigned int (*lock_flags)(const struct gosync_waiter *waiter);
	u64 (*token)(const struct gosync_object *obj);
	u64 (*version)(struct gosync_object *obj);
	void (*queues)(struct gosync_object *obj,
		       struct list_head *queues[GOSYNC_QUEUES]);
	u32 (*owner)(const struct gosync_object *obj);
	void (*info)(struct gosync_object *obj,
		     const struct gosync_holder *holder,
		     struct gosync_info *info);
	u32 (*held)(struct gosync_object *obj,
		    const struct gosync_holder *holder);
};

/**
 * struct gosync_lock_ops - a lock, or one side of it, for a Cond
 * @lock: its ioctl that waits, which takes &struct gosync_wait_args
 * @unlock: its ioctl that unlocks, without an argument
 * @op: what @lock waits for
 */
struct gosync_lock_ops {
	long (*lock)(struct gosync_holder *holder, void *arg);
	long (*unlock)(struct gosync_holder *holder, void *arg);
	const struct gosync_wait_op *op;
};

/* What an operation does with its argument, and how else it can be called */
enum gosync_ioctl_flags {
	GOSYNC_WRITES = BIT(0),		/* not through a read-only descriptor */
	GOSYNC_RESULTS = BIT(1),	/* the argument is copied out again */
	GOSYNC_OPTIONAL = BIT(2),	/* 0 is an argument full of zeros */
	GOSYNC_RESUMES = BIT(3),	/* a signal leaves in it where to go on */
	GOSYNC_URING = BIT(4),		/* io_uring calls it, too, with NULL */
	GOSYNC_ALONE = BIT(5),		/* a wait, but not for one of several */
};

/**
 * struct gosync_ioctl - an operation
 * @cmd: its number
 * @flags: &enum gosync_ioctl_flags
 * @size: the size of its argument; 0: it has none
 * @op: does it, given the argument in kernel memory
 * @fill: make the argument, full of zeros, from what an SQE says; NULL: io_uring
 *	calls @op with NULL, if it does. Return: 0 or -EINVAL
 * @wait: what it waits for, for those that wait in other ways than by this
 *	ioctl; NULL: nothing, or something that needs more than a waiter
 */
struct gosync_ioctl {
	unsigned int cmd;
	u16 flags;
	u16 size;
	long (*op)(struct gosync_holder *holder, void *arg);
	int (*fill)(void *arg, u64 operand, u32 index);
	const struct gosync_wait_op *wait;
};

/* No argument is larger than this. */
#define GOSYNC_ARG_MAX		64

/* The size of struct gosync_..._args, which begins with its size */
#define GOSYNC_ARG_SIZE(_args)						\
	(sizeof(_args) +						\
	 BUILD_BUG_ON_ZERO(sizeof(_args) > GOSYNC_ARG_MAX) +		\
	 BUILD_BUG_ON_ZERO(offsetof(_args, size)))

/*
 * Rows of the tables of ioctls: without an argument, with one, with one that
 * io_uring can fill, and a wait
 */
#define GOSYNC_IOCTL(_name, _flags, _op) {				\
	.cmd = GOSYNC_IOC_##_name,					\
	.flags = (_flags),						\
	.op = (_op),							\
}

#define GOSYNC_IOCTL_ARG(_name, _flags, _op, _arg) {			\
	.cmd = GOSYNC_IOC_##_name,					\
	.flags = (_flags),						\
	.size = GOSYNC_ARG_SIZE(struct gosync_##_arg##_args),		\
	.op = (_op),							\
}

#define GOSYNC_IOCTL_FILL(_name, _flags, _op, _arg, _fill) {		\
	.cmd = GOSYNC_IOC_##_name,					\
	.flags = (_flags),						\
	.size = GOSYNC_ARG_SIZE(struct gosync_##_arg##_args),		\
	.op = (_op),							\
	.fill = (_fill),						\
}

#define GOSYNC_IOCTL_WAIT(_name, _flags, _op, _arg, _wait) {		\
	.cmd = GOSYNC_IOC_##_name,					\
	.flags = (_flags),						\
	.size = GOSYNC_ARG_SIZE(struct gosync_##_arg##_args),		\
	.op = (_op),							\
	.wait = (_wait),						\
}

/*
 * The row of an ioctl in a table that is ordered by their numbers, with an empty
 * row where a number is missing; or NULL
 */
static inline const struct gosync_ioctl *
gosync_ioctl_in(const struct gosync_ioctl *ioctls, unsigned int nr_ioctls,
		unsigned int cmd)
{
	unsigned int nr = cmd - ioctls->cmd;

	if (nr >= nr_ioctls)
		return NULL;
	ioctls += array_index_nospec(nr, nr_ioctls);
	return ioctls->cmd == cmd ? ioctls : NULL;
}

/* The row of an ioctl that is this type's own; or NULL */
static inline const struct gosync_ioctl *
gosync_own_ioctl(const struct gosync_ops *ops, unsigned int cmd)
{
	return gosync_ioctl_in(ops->ioctls, ops->nr_ioctls, cmd);
}

/**
 * struct gosync_access - who may open an object
 * @uid: owner
 * @gid: group
 * @mode: permission bits
 *
 * Without holes, as pages are found by it.
 */
struct gosync_access {
	kuid_t uid;
	kgid_t gid;
	u32 mode;
};

/**
 * struct gosync_object - an object of any type
 * @ops: its type
 * @wq: those who wait; its lock protects the object's state
 * @state: its mapped state, as the kernel sees it
 * @area: the pages that this is in
 * @ns: the namespace it lives in
 * @account: its owner's
 * @payer: the account of who owns the owner's user namespace, if it counts there
 *	too; or NULL
 * @node: in the table of names
 * @holders: its holders by their number
 * @id: its number
 * @stats: how the waits went; NULL before the first (what is there: @wq.lock)
 * @watch: those who poll, and who wait for all of several; NULL before the
 *	first
 * @deaths: owners that died (@wq.lock)
 * @nr_waiters: how many are queued (@wq.lock)
 * @nr_holders: how many holders there are (@holders.xa_lock)
 * @nr_users: how many of them may do more than observe (@holders.xa_lock)
 * @nr_broken: how many of them were broken (@wq.lock)
 * @idle_since: if none may, since when, in ns of CLOCK_BOOTTIME (likewise)
 * @next_holder: where to look for an unused number (@holders.xa_lock)
 * @refs: one for each holder, one while the name is GOSYNC_PERSIST; who only
 *	looks has none
 * @access_seq: to read @access as one
 * @access: who may open it (@ns lock)
 * @capacity: as in &struct gosync_open_args; Semaphore: the limit (@wq.lock)
 * @type: &enum gosync_type
 * @flags: GOSYNC_PERSIST and those that follow it
 * @linked: the name leads here (@ns lock)
 * @counted: it counts in its namespace and accounts (@ns lock)
 * @name_len: length of the name, which stands behind the structure of the type
 * @rcu: once nobody can wait for it: to free it when nobody looks at its name
 *	any more
 */
struct gosync_object {
	const struct gosync_ops *ops;
	union {
		wait_queue_head_t wq;
		struct rcu_head rcu;
	};
	void *state;
	struct gosync_area *area;
	struct gosync_ns *ns;
	struct gosync_account *account;
	struct gosync_account *payer;
	struct rhash_head node;
	struct xarray holders;
	u64 id;
	struct gosync_stats *stats;
	struct gosync_watchers *watch;
	u32 deaths;
	u32 nr_waiters;
	u32 nr_holders;
	u32 nr_users;
	u32 nr_broken;
	u32 next_holder;
	u64 idle_since;
	refcount_t refs;
	seqcount_spinlock_t access_seq;
	struct gosync_access access;
	u32 capacity;
	u8 type;
	u8 flags;
	u8 linked;
	u8 counted;
	u8 name_len;
};

/**
 * struct gosync_holder - an open file description of an object
 * @obj: the object
 * @file: its file
 * @links: the commands of io_uring that wait for it (orphan.c's lock)
 * @pid: the process that opened it
 * @id: its number, unique in the object
 * @held: RWMutex: read locks that are in no line; Semaphore: permits acquired
 *	and not released (@obj->wq.lock)
 * @line: RWMutex: the number of its line, 0: none
 * @read_only: may only observe
 * @broken: so may this from now on, and what it had is others' (@obj->wq.lock)
 * @watches: it has said what it watches for, see &struct gosync_watch_args
 *	(@obj->wq.lock)
 * @watch_index: of the word (@obj->wq.lock)
 * @kept: how many references to @file the commands in @links have, and others
 *	that do not count (orphan.c's lock)
 * @watch_value: readable once it is no longer this (@obj->wq.lock; a Value's load
 *	writes it without)
 * @ticket: Cond: its place in the queue (@obj->wq.lock)
 */
struct gosync_holder {
	struct gosync_object *obj;
	struct file *file;
	struct hlist_head links;
	struct pid *pid;
	u32 id;
	u32 held;
	u8 line;
	bool read_only;
	bool broken;
	bool watches;
	u32 watch_index;
	u32 kept;
	union {
		u64 watch_value;
		struct gosync_ticket *ticket;
	};
};

/* Who may open it, as it is at one moment */
static inline struct gosync_access
gosync_access_of(const struct gosync_object *obj)
{
	struct gosync_access access;
	unsigned int seq;

	do {
		seq = read_seqcount_begin(&obj->access_seq);
		access = obj->access;
	} while (read_seqcount_retry(&obj->access_seq, seq));
	return access;
}

/* The fencing token of the last acquisition; 0 for types that have none */
static inline u64 gosync_object_token(const struct gosync_object *obj)
{
	return obj->ops->token ? obj->ops->token(obj) : 0;
}

/* Its name, without a 0 at the end */
static inline const char *gosync_object_name(const struct gosync_object *obj)
{
	return (const char *)obj + obj->ops->size;
}

/* Was it broken? Certain with the object's lock */
static inline bool gosync_is_broken(const struct gosync_holder *holder)
{
	return unlikely(READ_ONCE(holder->broken));
}

/* May it do more than observe? Return: 0 or an error */
static inline int gosync_may_operate(const struct gosync_holder *holder)
{
	if (gosync_is_broken(holder))
		return -ESTALE;
	return holder->read_only ? -EBADF : 0;
}

/*
 * memcpy() for what is mostly short: words, of which the last may overlap the
 * one before. Setting up a string instruction takes longer than that.
 */
static inline void gosync_copy(void *to, const void *from, size_t len)
{
	const size_t word = sizeof(u64);
	size_t i;

	if (len < word || len > GOSYNC_SHORT) {
		memcpy(to, from, len);
		return;
	}
	for (i = 0; i + word < len; i += word)
		memcpy(to + i, from + i, sizeof(u64));
	memcpy(to + len - word, from + len - word, sizeof(u64));
}

/*
 * Holder number N stands at index N - 1: so the first, and for most objects
 * only one, needs no memory besides the object's.
 */
static inline unsigned long gosync_holder_index(u32 id)
{
	return id - 1UL;
}

/* --- copy.c --- */

/* Payloads up to this size are copied in without allocating memory */
#define GOSYNC_SMALL		128

/**
 * struct gosync_payload - a payload in the kernel's memory
 * @data: the payload
 * @len: its length
 * @small: where it is if it fits
 */
struct gosync_payload {
	void *data;
	size_t len;
	u8 small[GOSYNC_SMALL];
};

int gosync_copy_from_user(void *to, u64 from, size_t len);
int gosync_payload_get(struct gosync_payload *payload, u64 from, size_t len);
void gosync_payload_put(struct gosync_payload *payload);
int gosync_copy_out(u64 to, const void *from, size_t len);
bool gosync_fault_in(int *ret, u64 to, size_t len);
int gosync_copy_arg(void *arg, size_t known, void __user *uarg, u32 *size);
int gosync_put(void __user *to, size_t room, const void *data, size_t size);
long gosync_give(void __user *uarg, size_t least, size_t size,
		 void (*fill)(struct gosync_holder *holder, void *data),
		 struct gosync_holder *holder);

/* --- ioctl.c --- */

const struct gosync_ioctl *gosync_ioctl_of(const struct gosync_ops *ops,
					   unsigned int cmd);
long gosync_device_ioctl(struct file *file, unsigned int cmd, unsigned long arg);
long gosync_object_ioctl(struct file *file, unsigned int cmd, unsigned long arg);

/* --- ns.c --- */

bool gosync_may(const struct gosync_ns *ns, const struct gosync_access *access,
		u16 want);
bool gosync_ns_is_callers(const struct gosync_ns *ns);
bool gosync_may_administer(const struct gosync_object *obj);

/* --- object.c --- */

struct gosync_object *gosync_object_alloc(const struct gosync_ops *ops,
					  const struct gosync_open_args *args,
					  const char *name);
void gosync_object_free(struct gosync_object *obj);
void gosync_object_info(struct gosync_object *obj,
			const struct gosync_holder *holder,
			struct gosync_info *info);
bool gosync_holder_lives(struct gosync_object *obj, u32 id);
u32 gosync_object_owner(const struct gosync_object *obj);
u32 gosync_pid_nr(struct pid *pid, struct pid_namespace *pid_ns);
u32 gosync_holder_pid(struct gosync_object *obj, u32 id,
		      struct pid_namespace *pid_ns);

/* --- holder.c --- */

/* A struct gosync_info is at least so long: it says which object it is of. */
#define GOSYNC_INFO_LEAST	offsetofend(struct gosync_info, id)

int gosync_holder_release(struct inode *inode, struct file *file);
int gosync_holder_flush(struct file *file, fl_owner_t id);
void gosync_holder_show_fdinfo(struct seq_file *seq, struct file *file);
void gosync_holders_init(const struct file_operations *fops);
struct gosync_holder *gosync_holder_of(struct file *file);
struct file *gosync_holder_file(struct gosync_object *obj, bool read_only);
long gosync_holder_reopen(struct gosync_holder *holder, void *arg);
long gosync_holder_abandon(struct gosync_holder *holder, void *arg);
long gosync_holder_break(struct gosync_holder *asker, void *arg);
long gosync_holder_info(struct gosync_holder *holder, void __user *uarg);

/* --- stat.c --- */

/**
 * struct gosync_stats - how the waits went
 * @contended: how many began
 * @acquired: as in &struct gosync_stat, like those that follow
 * @handed_over: so
 * @gave_up: so
 * @wait_ns: so
 * @wait_max_ns: so
 * @histogram: so
 * @starvations: so
 * @owned_token: the token of the last acquisition that was waited for
 * @owned_since: when that was, in ns of CLOCK_MONOTONIC
 */
struct gosync_stats {
	u64 contended;
	u64 acquired;
	u64 handed_over;
	u64 gave_up;
	u64 wait_ns;
	u64 wait_max_ns;
	u64 histogram[GOSYNC_HISTOGRAM];
	u32 starvations;
	u64 owned_token;
	u64 owned_since;
};

long gosync_stat(struct gosync_holder *holder, void __user *uarg);
long gosync_waiters(struct gosync_holder *holder, void *arg);
long gosync_holders(struct gosync_holder *holder, void *arg);

/* --- names.c, open.c, change.c --- */

long gosync_names_open(struct gosync_holder *unused, void *arg);
long gosync_names_unlink(struct gosync_holder *unused, void *arg);
long gosync_names_change(struct gosync_holder *unused, void *arg);
long gosync_names_list(struct gosync_holder *unused, void *arg);
void gosync_object_put(struct gosync_object *obj);
int gosync_names_init(void);
void gosync_names_exit(void);

/* --- poll.c --- */

__poll_t gosync_poll(struct file *file, struct poll_table_struct *table);
long gosync_watch(struct gosync_holder *holder, void *arg);

/* --- wait_many.c --- */

long gosync_wait_many(struct gosync_holder *unused, void *arg);

/* --- uring.c, command.c, orphan.c --- */

#ifdef CONFIG_IO_URING
int gosync_uring_cmd(struct io_uring_cmd *cmd, unsigned int issue_flags);
int gosync_commands_init(void);
void gosync_commands_exit(void);
void gosync_orphan_flush(struct gosync_holder *holder);
bool gosync_orphan_keep(struct gosync_holder *holder);
void gosync_orphan_let_go(struct gosync_holder *holder);
void gosync_orphan_break(struct gosync_holder *holder);
#else
#define gosync_uring_cmd	NULL
static inline int gosync_commands_init(void) { return 0; }
static inline void gosync_commands_exit(void) { }
static inline void gosync_orphan_flush(struct gosync_holder *holder) { }

static inline bool gosync_orphan_keep(struct gosync_holder *holder)
{
	return get_file_active(&holder->file);
}

static inline void gosync_orphan_let_go(struct gosync_holder *holder)
{
	fput(holder->file);
}

static inline void gosync_orphan_break(struct gosync_holder *holder) { }
#endif

/* --- types.c --- */

const struct gosync_ops *gosync_ops_of(u32 type);

/* --- The primitives --- */

extern const struct gosync_wait_op gosync_cond_wait_op;

extern const struct gosync_ops gosync_atomic_ops[];
extern const struct gosync_ops gosync_value_ops;
extern const struct gosync_ops gosync_mutex_ops;
extern const struct gosync_ops gosync_rwmutex_ops;
extern const struct gosync_ops gosync_waitgroup_ops;
extern const struct gosync_ops gosync_once_ops;
extern const struct gosync_ops gosync_cond_ops;
extern const struct gosync_ops gosync_semaphore_ops;
extern const struct gosync_ops gosync_map_ops;

int gosync_cond_check_lock(const struct gosync_holder *lock, u32 flags);
const struct gosync_lock_ops *
gosync_cond_lock_ops(const struct gosync_holder *lock, u32 flags);
int gosync_cond_begin(struct gosync_waiter *waiter, struct gosync_holder *lock,
		      u32 flags);
long gosync_cond_result(const struct gosync_holder *lock, u32 deaths,
			long result, long locked);
void gosync_cond_pass_on(struct gosync_object *obj, u64 last);

#endif /* GOSYNC_H */
