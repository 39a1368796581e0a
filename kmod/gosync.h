/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The module's own header: types, objects and holders, and what each file
 * offers the others. Waiting is in wait.h, mapped state in page.h, copying in
 * copy.h.
 *
 * Layers. A file calls only functions of files in lower lines of this list,
 * which `make check` proves. (Calls upwards go through a pointer: the
 * operations of a type, of a file, or of a group of waiters.)
 *
 *	main.c				the module, its device, files of holders
 *	uring.c				operations by io_uring
 *	ioctl.c				running an ioctl; those of every object
 *	wait_many.c			the ioctl that waits for several things
 *	command.c wait_all.c		waiting commands of io_uring; wait for all
 *	wait_any.c			wait for any
 *	wait_entry.c			the entries of a wait for several things
 *	change.c open.c			owner and mode; a name and a holder of it
 *	cluster.c			objects that several machines share
 *	types.c				the list of types
 *	rwmutex.c			builds on mutex.c
 *	atomic.c value.c mutex.c waitgroup.c once.c cond.c semaphore.c map.c
 *					the primitives
 *	int64_cluster.c value_cluster.c	those of several machines
 *	map_many.c			storing many entries in a Map
 *	visit.c				operations on objects of several machines
 *	map_table.c wait_change.c	a Map's entries; waiting for Value and Map
 *	wait_op.c			waiting for one thing in an ioctl
 *	holder.c stat.c			holders; statistics, lists of waiters
 *	cancel.c orphan.c		ending commands of io_uring early
 *	gate.c				the end of a command of io_uring
 *	names.c				the table of names, the life of an object
 *	account.c await.c		limits; waiting for a name
 *	poll.c cancelable.c		pollers; descriptors that end a wait
 *	wait.c				the wait queue
 *	place.c				a waiter's place after a signal
 *	page.c				mapped state
 *	ns.c				namespaces, permission
 *	object.c			objects, whatever their type
 *	copy.c trace.c			user space's memory; the tracepoints
 *
 * Locks. One that is indented is taken inside the nearest one above it that is
 * less indented; no others are nested. Lines that begin at the left are never
 * held at the same time. All are spinlocks but the first two and ops_lock.
 *
 *	gosync_value.lock		(value.c) storing; a mutex
 *	gosync_map.lock			(map.h) changes of the keys; a mutex
 *	  area->more.xa_lock		(page.c) pages that were added
 *	a record's sequence		(map.h) one entry of a Map; inside map.lock
 *					or alone, with preemption disabled
 *	gosync_ns.lock			(names.h) names and life of its objects
 *	  accounts.xa_lock		(account.c) objects per user
 *	  named.xa_lock			(names.h) the named objects; alone to reserve
 *	  pools_lock			(page.c) free slots of shared pages; or alone
 *	  obj->wq.lock, obj->holders.xa_lock	as below, for a listing
 *	ops_lock			(cluster.c) who is the cluster; a mutex
 *	obj->wq.lock			the state of an object, and its waiters
 *	  obj->holders.xa_lock		its holders; or alone
 *	    links_lock			(orphan.c) a holder's commands; or alone
 *	  lock				(place.c) interrupted waits; or alone
 *	  node->lock			(cluster/dlm.c) an object of a cluster; or alone
 *	  lock				(mutex.c, first_token()) the first token; or alone
 *	obj->watch->wq.lock		the pollers
 *	turns_lock			(wait_all.c) turns of waits for all
 *	tree_lock			(cancel.c) commands that can be cancelled
 *	namespaces_lock			(ns.c) the namespaces
 *	awaited->wq.lock		(await.c) the waiters for a name
 *
 * The tables of names, of awaited names, of pools and of interrupted waits
 * (rhashtable) lock a bucket inside gosync_ns.lock, pools_lock or place.c's lock.
 * Two objects are never locked at the same time.
 *
 * Nothing that user space can stop (a page fault on its memory) happens under
 * any of them. Users that have nothing to do with each other share
 * gosync_ns.lock and pools_lock. So slow work (to allocate, zero or free
 * memory) is done before and after them.
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
struct gosync_cluster_type;
struct gosync_cluster;
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
 * progress; a process that makes it fail this often is scribbling.
 */
#define GOSYNC_RACES		128

#define GOSYNC_SLOT_SIZE	64

/* No type has more queues than this besides the object's own. */
#define GOSYNC_QUEUES		3

/**
 * struct gosync_ops - a type of object
 * @name: the type's name, as users read it
 * @size: the size of its structure, which begins with &struct gosync_object
 * @read_only: user space may map it for reading only
 * @grows: pages may be added to its mapped state
 * @ioctls: the type's own ioctls, in the order that gosync_ioctl_in() needs
 * @nr_ioctls: the number of @ioctls
 * @flags: creation flags that it takes besides the common ones
 * @default_capacity: the capacity if the caller gives none
 * @max_capacity: the largest capacity; 0: the type has no capacity
 * @max_key_size: largest size of a key; 0: the type has no keys
 * @max_value_size: largest size of a key's value
 * @exclusive: only one poller could succeed, so one is woken at a time
 * @area_size: the bytes of mapped state for a capacity; with more than a slot
 *	it has pages of its own. NULL: a slot is enough
 * @matches: does an existing object fit the caller's arguments, beyond its type
 *	and capacity? May be NULL
 * @init: make a new object's state; its area is there and zero. May fail, may
 *	be NULL
 * @fini: undo @init; may be NULL
 * @holder_begin: prepare a new holder; may be NULL
 * @holder_end: undo @holder_begin for a holder that has ended; may be NULL
 * @abandon: recover what a holder has, whether it has ended or not. If it is
 *	broken its user space must not be able to have it again. NULL: a holder
 *	cannot have anything
 * @owner_died: the word names an owner that does not live: release it. NULL:
 *	there are no owners
 * @flush: a process has closed a descriptor: make the wake-ups that it may owe;
 *	may be NULL
 * @left: a waiter has given up: update the mapped state, and wake waiters that
 *	can go on now
 * @handed: a waiter of a group was handed the word. Return true if its wait is
 *	complete, false if it has to wait on, in this or another queue. Then there
 *	may be another waiter to be told that it was granted the lock (*@next).
 *	NULL: it is always complete. Called with the object's lock
 * @show: write into the mapped state the number of waiters, whether there are
 *	pollers, and whether there are broken holders; may be NULL. Called with
 *	the object's lock
 * @in: the operation that makes a descriptor readable when it would succeed
 * @out: the operation that makes it writable; may be NULL
 * @watched: with the object's lock: fill in the operand of @in for which a
 *	holder watches. Return: false if it watches for nothing. NULL: there is
 *	no operand
 * @watch: begin to watch or, with @stop, end it; not for a holder that may only
 *	observe. NULL: the fields that @watched reads are set, nothing else
 * @wants: which of several things a waiter wants; NULL: GOSYNC_WANTS_IT
 * @lock: how a Cond uses the type as its L; NULL: it cannot
 * @rlock: the same with GOSYNC_READ_SIDE
 * @asks: &gosync_party.count of a waiter; may be NULL
 * @identify: the operand and index by which an interrupted wait is found again,
 *	if these are not @expected and @index of &struct gosync_waiter; may be
 *	NULL
 * @lock_flags: LCB_F_MUTEX or the like, by which perf knows the kind of lock
 *	that a waiter waits for; NULL: the type is no lock
 * @token: the fencing token of the last acquisition; NULL: it has none
 * @version: the number that GOSYNC_IOC_VALUE_WAIT and the like compare; or NULL
 * @queues: list the queues besides @wq.head; may be NULL
 * @owner: the number of the holder that owns it, 0: none does; NULL: there are
 *	no owners
 * @info: fill in what the type knows, for @holder unless it is NULL. Called
 *	with the object's lock
 * @held: how much a holder holds without owning the object; may be NULL. Called
 *	with the object's lock
 * @cluster: how several machines share it; NULL: they cannot
 */
struct gosync_ops {
	const char *name;
	size_t size;
	bool read_only;
	bool grows;
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
	bool (*handed)(struct gosync_object *obj, struct gosync_waiter *waiter,
		       struct gosync_waiter **next);
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
	const struct gosync_cluster_type *cluster;
};

/**
 * struct gosync_lock_ops - a lock, or one side of it, for a Cond
 * @lock: the ioctl that locks, which takes &struct gosync_wait_args
 * @unlock: the ioctl that unlocks, without an argument
 * @op: the operation of @lock that waits
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
	GOSYNC_OPTIONAL = BIT(2),	/* 0 stands for an argument of zeros */
	GOSYNC_RESUMES = BIT(3),	/* after a signal it says where to go on */
	GOSYNC_URING = BIT(4),		/* io_uring may call it with NULL */
	GOSYNC_ALONE = BIT(5),		/* a wait, but no entry of several */
};

/**
 * struct gosync_ioctl - an operation
 * @cmd: its number
 * @flags: &enum gosync_ioctl_flags
 * @size: the size of its argument; 0: it has none
 * @op: does it, with the argument in kernel memory
 * @fill: for io_uring: fill in a zeroed argument from an SQE. Return: 0 or
 *	-EINVAL. NULL: if io_uring calls @op at all, then with NULL
 * @wait: the operation that it waits for, for other ways to wait for the same;
 *	NULL: it does not wait, or it needs more than a waiter
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

/* The size of a struct gosync_..._args, whose first field is its size */
#define GOSYNC_ARG_SIZE(_args)						\
	(sizeof(_args) +						\
	 BUILD_BUG_ON_ZERO(sizeof(_args) > GOSYNC_ARG_MAX) +		\
	 BUILD_BUG_ON_ZERO(offsetof(_args, size)))

/*
 * Rows of the tables of ioctls: without an argument, and with one. Behind the
 * argument there may be its .fill or .wait.
 */
#define GOSYNC_IOCTL(_name, _flags, _op) {				\
	.cmd = GOSYNC_IOC_##_name,					\
	.flags = (_flags),						\
	.op = (_op),							\
}

#define GOSYNC_IOCTL_ARG(_name, _flags, _op, _arg, ...) {		\
	.cmd = GOSYNC_IOC_##_name,					\
	.flags = (_flags),						\
	.size = GOSYNC_ARG_SIZE(struct gosync_##_arg##_args),		\
	.op = (_op),							\
	__VA_ARGS__							\
}

/*
 * Find the row of an ioctl, or NULL. The table is in the order of the numbers,
 * without gaps: where a number is missing there is an empty row.
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

/* Find the row of one of the type's own ioctls, or NULL. */
static inline const struct gosync_ioctl *
gosync_own_ioctl(const struct gosync_ops *ops, unsigned int cmd)
{
	return gosync_ioctl_in(ops->ioctls, ops->nr_ioctls, cmd);
}

/**
 * struct gosync_access - the users that may open an object
 * @uid: owner
 * @gid: group
 * @mode: permission bits
 *
 * Without holes: it is part of the key by which pages are found.
 */
struct gosync_access {
	kuid_t uid;
	kgid_t gid;
	u32 mode;
};

/**
 * struct gosync_object - an object of any type
 * @ops: the operations of its type
 * @wq: its waiters; the lock protects the object's state
 * @rcu: frees it after a grace period, because names are read under RCU; by
 *	then there can be no waiters
 * @state: its mapped state, at the kernel's address
 * @area: the pages with @state
 * @ns: the namespace that it lives in
 * @account: the account of its owner
 * @payer: the account of the owner of the user namespace, if the object counts
 *	there, too; or NULL
 * @node: its entry in the table of names
 * @holders: its holders by their number
 * @id: its number
 * @stats: statistics of its waits, with @wq.lock; NULL before the first wait
 * @watch: its pollers and waits for all; NULL before the first
 * @cluster: its part in a cluster; NULL: it is of this machine alone
 * @deaths: the number of owners that died (@wq.lock)
 * @nr_waiters: the number of waiters that are queued (@wq.lock)
 * @nr_holders: the number of holders (@holders.xa_lock)
 * @nr_users: the number of holders that may do more than observe
 *	(@holders.xa_lock)
 * @nr_broken: the number of broken holders (@wq.lock)
 * @next_holder: where to look for an unused number (@holders.xa_lock)
 * @idle_since: if @nr_users is 0: since when, in ns of CLOCK_BOOTTIME
 *	(@holders.xa_lock)
 * @refs: one reference for each holder, and one while the name is
 *	GOSYNC_PERSIST; a look at the object needs none
 * @access_seq: to read all of @access as it was at one moment
 * @access: its owner, group and mode (@ns lock)
 * @capacity: as in &struct gosync_open_args; Semaphore: the limit (@wq.lock)
 * @flags: the flags that follow GOSYNC_PERSIST
 * @type: &enum gosync_type
 * @persistent: it stays until it is unlinked (@ns lock)
 * @linked: it is in the table of names (@ns lock)
 * @counted: it counts in its namespace and accounts (@ns lock)
 * @name_len: length of the name, which stands behind the structure of the type
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
	struct gosync_cluster *cluster;
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
	u16 flags;
	u8 type;
	bool persistent;
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
 * @read_only: it may only observe
 * @broken: it was broken: it may only observe from now on, and what it had was
 *	released (@obj->wq.lock)
 * @watches: it has set @watch_index and @watch_value, see
 *	&struct gosync_watch_args (@obj->wq.lock)
 * @watch_index: the index of the word that it watches (@obj->wq.lock)
 * @kept: the number of references to @file that are no descriptor's: those of
 *	the commands in @links, and short ones of the module (orphan.c's lock)
 * @watch_value: its descriptor is readable when this has changed
 *	(@obj->wq.lock; a Value's load writes it without the lock)
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

/* Read owner, group and mode as they are at one moment. */
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

/* The fencing token of the last acquisition; 0 for types without tokens */
static inline u64 gosync_object_token(const struct gosync_object *obj)
{
	return obj->ops->token ? obj->ops->token(obj) : 0;
}

/* The object's name, without a 0 at the end */
static inline const char *gosync_object_name(const struct gosync_object *obj)
{
	return (const char *)obj + obj->ops->size;
}

/* Is the holder broken? The answer is certain only with the object's lock. */
static inline bool gosync_is_broken(const struct gosync_holder *holder)
{
	return unlikely(READ_ONCE(holder->broken));
}

/* May the holder do more than observe? Return: 0 or an error */
static inline int gosync_may_operate(const struct gosync_holder *holder)
{
	if (gosync_is_broken(holder))
		return -ESTALE;
	return holder->read_only ? -EBADF : 0;
}

/* May the holder run the operation? Return: 0 or an error */
static inline int gosync_may_run(const struct gosync_ioctl *ioctl,
				 const struct gosync_holder *holder)
{
	return ioctl->flags & GOSYNC_WRITES ? gosync_may_operate(holder) : 0;
}

/*
 * Holder number N is at index N - 1. So the first holder, the only one of most
 * objects, needs no memory in the array.
 */
static inline unsigned long gosync_holder_index(u32 id)
{
	return id - 1UL;
}

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

/* The least length of a struct gosync_info, which has the object's id then */
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

extern const struct gosync_ops gosync_atomic_ops[];
extern const struct gosync_ops gosync_value_ops;
extern const struct gosync_ops gosync_mutex_ops;
extern const struct gosync_ops gosync_rwmutex_ops;
extern const struct gosync_ops gosync_waitgroup_ops;
extern const struct gosync_ops gosync_once_ops;
extern const struct gosync_ops gosync_cond_ops;
extern const struct gosync_ops gosync_semaphore_ops;
extern const struct gosync_ops gosync_map_ops;

#endif /* GOSYNC_H */
