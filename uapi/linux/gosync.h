/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * gosync: named synchronization objects between processes.
 *
 * This header is the whole contract between the module and user space: the
 * ioctls, the error numbers, and the words that both sides operate on.
 */
#ifndef _UAPI_LINUX_GOSYNC_H
#define _UAPI_LINUX_GOSYNC_H

/* A C library other than glibc may be there without the kernel's headers. */
#ifdef __has_include
#if !__has_include("linux/types.h")
#define _GOSYNC_ALONE
#endif
#endif

#ifndef _GOSYNC_ALONE
#include <linux/ioctl.h>
#include <linux/types.h>
#else
#include <sys/ioctl.h>

typedef unsigned char __u8;
typedef signed int __s32;
typedef unsigned int __u32;
__extension__ typedef signed long long __s64;
__extension__ typedef unsigned long long __u64;
#define __aligned_u64 __u64 __attribute__((aligned(8)))
#endif

/* Headers of kernels before 6.1.10 lack it. */
#ifndef __aligned_s64
#define __aligned_s64 __s64 __attribute__((aligned(8)))
#endif

/**
 * DOC: General rules
 *
 * Processes open /dev/gosync and create or open objects on it by name with
 * GOSYNC_IOC_OPEN, which returns a file descriptor for the object. Every
 * operation is an ioctl on that descriptor. Operations that need no wait can
 * also be done by user space alone, on the mapped state (see &struct
 * gosync_info).
 *
 * An object's descriptor is a *holder*: the open file description, like the
 * owner of an flock(2) lock. dup(2) and fork(2) share a holder,
 * GOSYNC_IOC_REOPEN makes a new one. When the last descriptor of a holder is
 * closed, in any way, what it held is recovered.
 *
 * Every argument is a structure that begins with its size, as user space was
 * compiled with it. The kernel extends a shorter structure with zeros. It
 * accepts a longer one if the part that it does not know is zero. The entries
 * of a list work in the same way; their size is given beside their number. The
 * kernel writes as much of each entry as fits, and zeros for what it does not
 * know. Where the description of an ioctl says so, an argument of 0 in place of
 * a pointer means a structure full of zeros.
 *
 * Time-outs are absolute, in nanoseconds of CLOCK_MONOTONIC as the caller's
 * time namespace shows it, or of CLOCK_REALTIME with GOSYNC_CLOCK_REALTIME.
 * Both 0 and GOSYNC_FOREVER mean that there is none. A wait ends early when a
 * signal is to be handled. It is restarted afterwards if the handler has
 * SA_RESTART. A grant that has happened wins over a signal and over the
 * time-out.
 *
 * A wait that a signal's handler interrupts can go on as the same wait. For
 * that the thread makes the same call again; with SA_RESTART the kernel does
 * it, after EINTR the program. The descriptor and the thing asked for must be
 * the same; the deadline may differ. The waiter then has its old place in the
 * queue, and has waited since it began. While the handler runs, the waiter
 * delays nobody.
 *
 * This holds for the last interrupted wait of a thread, and for 10 seconds;
 * after that the place is given up. With more than 1,000 waiters it may be a
 * later place. Some waits gather what they want piece by piece, and an
 * interruption loses the pieces: waiting for readers to leave, for more than
 * one permit, or for all of several things. After the first interruption of
 * such a wait, the next signal that does not kill is delivered only after a
 * quarter of the time waited so far, at most a second.
 *
 * A wait that another thread may have to end waits for any of two things: its own,
 * and a descriptor that the other thread makes readable, such as an eventfd(2).
 * See &struct gosync_wait_many_args. COND_WAIT and ONCE_BEGIN cannot be part of
 * that. They take the descriptor themselves, with GOSYNC_CANCELABLE.
 *
 * Any ioctl may be called from any thread; those that wait say so.
 *
 * GOSYNC_ABI_VERSION stands for the layout of the mapped state and for what
 * user space may do with it. A caller that opens an object, or asks where its
 * state is, gives the version that it was compiled with. If the kernel's is
 * another one, the call fails with EPROTO. A caller that only uses ioctls may
 * give 0: ioctls stay the same from version to version.
 */

/**
 * DOC: Errors
 *
 * One vocabulary for all ioctls. After an error the state is unchanged, except
 * where the description of the ioctl says otherwise (DRAIN, COND_WAIT). Any
 * may fail with EBADF, EFAULT, EINVAL, E2BIG or ENOTTY, if there is something
 * wrong with the descriptor or the argument as such; which others an ioctl can
 * fail with its description lists.
 *
 * =============  ===========================================================
 * EACCES         the object's mode does not allow this to the caller, or the
 *                object is not to be mapped by the caller
 * EBADF          the descriptor was opened read-only; Cond: so was the lock's,
 *                or it is no descriptor
 * EBUSY          a try found it taken; WaitGroup: Add from 0 while somebody
 *                waits; unlink with GOSYNC_IF_UNUSED: somebody has it open;
 *                change: somebody has it open, and it would have to move
 * ECANCELED      a descriptor ended the wait (GOSYNC_CANCELABLE); io_uring: the
 *                command was cancelled, and nothing was granted
 * EDEADLK        Once: the thread that runs it would wait for itself, without
 *                a deadline; wait for all: a Mutex or RWMutex is asked for
 *                twice
 * EDQUOT         the user, or the owner of the user namespace, has reached the
 *                limit of objects per user
 * E2BIG          the structure has bits set that this kernel does not know
 * EEXIST         the name exists and GOSYNC_EXCL was given
 * EFAULT         a pointer is bad
 * EINTR          a signal ended the wait, or the listing
 * EINVAL         an argument is out of its range, or a reserved field or flag
 *                is set; a Value is stored with type 0 (Go's nil)
 * EMFILE         the process has as many descriptors as it may have
 * EMSGSIZE       the payload is longer than the Value's or the Map's limit, or
 *                the caller's buffer shorter than the payload
 * ENAMETOOLONG   the name is longer than 255 bytes
 * ENFILE         the system has as many open files as it may have
 * ENODATA        Load of a Value before any Store; Map: the key is absent
 * ENOENT         the name does not exist and GOSYNC_CREATE was not given;
 *                io_uring: there was nothing to cancel
 * ENOMEM         no memory, or the memory cgroup's limit is reached
 * ENOSPC         the limit of objects per namespace, or of a Map's entries, is
 *                reached
 * ENOTCONN       GOSYNC_CLUSTER: this machine is in no cluster
 * ENOTTY         not an ioctl of this type of object; Cond: the lock is no
 *                Mutex and no RWMutex; io_uring: not a command of it
 * ENXIO          the library: there is no device; gosync_strerror() tells why
 * EOPNOTSUPP     io_uring: this kernel has none, or no commands of it, or the
 *                ring is for polling (IORING_SETUP_IOPOLL); GOSYNC_CLUSTER: the
 *                object cannot be one, or the module gosync_dlm is not loaded
 * EPERM          unlock of what is not locked, or with GOSYNC_ERRORCHECK by
 *                another than its owner; Once: done or abandoned by another
 *                than its runner; Semaphore with GOSYNC_GIVE_BACK: release of
 *                permits that were not acquired; unlink, change or break by
 *                another than the object's owner; change of the owner, or of
 *                the group to one that the caller is not in, without CAP_CHOWN
 * EPROTO         the caller was compiled with another GOSYNC_ABI_VERSION than
 *                the kernel
 * EPROTOTYPE     the name exists with another type or capacity, or is not the
 *                cluster's (GOSYNC_CLUSTER); a Value holds
 *                values of another type
 * ESRCH          break: there is no such holder, or it holds nothing
 * ESTALE         the holder was broken: what it held was taken from it, and it
 *                can only observe
 * ERANGE         WaitGroup, Semaphore: the counter would leave its range;
 *                RWMutex: the holder has as many read locks as it may have
 * ETIMEDOUT      the deadline has passed
 * =============  ===========================================================
 */

#define GOSYNC_DEVICE		"/dev/gosync"
#define GOSYNC_ABI_VERSION	2

#define GOSYNC_NAME_MAX		255
#define GOSYNC_FOREVER		(~(__u64)0)

/* --- Types and flags ----------------------------------------------------- */

/**
 * enum gosync_type - what an object is
 * @GOSYNC_INT32: atomic words, 32 bits, signed
 * @GOSYNC_UINT32: atomic words, 32 bits
 * @GOSYNC_INT64: atomic words, 64 bits, signed
 * @GOSYNC_UINT64: atomic words, 64 bits
 * @GOSYNC_UINTPTR: atomic words, 64 bits also for 32-bit callers
 * @GOSYNC_POINTER: opaque atomic words of 64 bits, without arithmetic
 * @GOSYNC_BOOL: atomic words of 32 bits that are 0 or 1, without arithmetic
 * @GOSYNC_VALUE: one consistently typed payload, replaced as a whole
 * @GOSYNC_MUTEX: mutual exclusion
 * @GOSYNC_RWMUTEX: one writer or any number of readers
 * @GOSYNC_WAITGROUP: a counter, and waiting until it is 0
 * @GOSYNC_ONCE: something that is done once
 * @GOSYNC_COND: waiting for an event under a Mutex or RWMutex
 * @GOSYNC_SEMAPHORE: a number of permits
 * @GOSYNC_MAP: values by key
 * @GOSYNC_TYPE_MAX: one more than the last type
 *
 * 0 is no type. User space may open an object with type 0 to accept any type.
 */
enum gosync_type {
	GOSYNC_INT32 = 1,
	GOSYNC_UINT32,
	GOSYNC_INT64,
	GOSYNC_UINT64,
	GOSYNC_UINTPTR,
	GOSYNC_POINTER,
	GOSYNC_BOOL,
	GOSYNC_VALUE,
	GOSYNC_MUTEX,
	GOSYNC_RWMUTEX,
	GOSYNC_WAITGROUP,
	GOSYNC_ONCE,
	GOSYNC_COND,
	GOSYNC_SEMAPHORE,
	GOSYNC_MAP,
	GOSYNC_TYPE_MAX,
};

/*
 * Flags of GOSYNC_IOC_OPEN. Those from GOSYNC_PERSIST to
 * GOSYNC_GIVE_BACK describe an object to be created, need GOSYNC_CREATE, and, like
 * the mode, mean nothing when the name exists already.
 */
#define GOSYNC_CREATE		(1U << 0)	/* create it if it isn't there */
#define GOSYNC_EXCL		(1U << 1)	/* ... and fail if it is */
#define GOSYNC_RDONLY		(1U << 2)	/* observe only */
#define GOSYNC_PERSIST		(1U << 3)	/* stays until unlinked */
#define GOSYNC_OWN_PAGE		(1U << 4)	/* shares its page with no other object */
#define GOSYNC_NO_MMAP		(1U << 5)	/* never mapped: every operation is an ioctl */
#define GOSYNC_ERRORCHECK	(1U << 6)	/* Mutex, RWMutex: only the owner may unlock */
#define GOSYNC_GIVE_BACK	(1U << 7)	/* Semaphore: what a dead holder took is released */
#define GOSYNC_AWAIT		(1U << 8)	/* not there yet: wait; excludes GOSYNC_CREATE */
#define GOSYNC_AWAIT_REALTIME	(1U << 9)	/* ... until @deadline of CLOCK_REALTIME */
#define GOSYNC_CLUSTER		(1U << 10)	/* one for all nodes of the cluster */

/* With GOSYNC_CLUSTER: the holder that has what is at another node */
#define GOSYNC_CLUSTER_HOLDER	1

/* With GOSYNC_CLUSTER: the capacity of each Value, in bytes */
#define GOSYNC_CLUSTER_VALUE	3040

/* The same of each int64, in words */
#define GOSYNC_CLUSTER_WORDS	382

/* One more flag that GOSYNC_IOC_INFO tells */
#define GOSYNC_BROKEN		(1U << 8)	/* this descriptor's holder was broken */

/* Flag of GOSYNC_IOC_UNLINK */
#define GOSYNC_IF_UNUSED	(1U << 0)	/* only if nobody has it open */

/* Flags of GOSYNC_IOC_CHANGE: what to change */
#define GOSYNC_CHANGE_MODE	(1U << 0)
#define GOSYNC_CHANGE_OWNER	(1U << 1)
#define GOSYNC_CHANGE_GROUP	(1U << 2)

/* Flags of the ioctls that wait */
#define GOSYNC_CLOCK_REALTIME	(1U << 0)	/* the deadline is CLOCK_REALTIME's */
#define GOSYNC_READ_SIDE	(1U << 1)	/* Cond: the lock is the RWMutex's read lock */
#define GOSYNC_WAIT_ALL		(1U << 2)	/* GOSYNC_IOC_WAIT: for all, not for any */
#define GOSYNC_CANCELABLE	(1U << 3)	/* COND_WAIT, ONCE_BEGIN: @cancel ends the wait */

/* Flag of GOSYNC_IOC_WATCH */
#define GOSYNC_WATCH_STOP	(1U << 0)	/* watch no longer */

/* Flag of GOSYNC_IOC_CANCEL */
#define GOSYNC_CANCEL_ALL	(1U << 3)	/* all commands on the descriptor */

/* Flag of the atomic operations that write */
#define GOSYNC_ATOMIC_WAKE	(1U << 0)	/* and wake all waiters of the word */

/* --- The device and objects of any type ---------------------------------- */

/*
 * The ioctls' numbers. Each #define stands below the structure that the ioctl
 * takes, or below the description of its type if it takes none.
 *
 * ============  ==========================================================
 * 0x80 to 0x8f  /dev/gosync, and objects of any type
 * 0x90 to 0x9f  atomics
 * 0xa0 to 0xa7  Value
 * 0xa8 to 0xaf  Mutex
 * 0xb0 to 0xbf  RWMutex
 * 0xc0 to 0xc3  WaitGroup
 * 0xc4 to 0xc7  Once
 * 0xc8 to 0xcf  Cond
 * 0xd0 to 0xd7  Semaphore
 * 0xd8 to 0xef  Map
 * ============  ==========================================================
 */
#define GOSYNC_IOC_TYPE		'g'

/**
 * DOC: GOSYNC_IOC_VERSION: which version the kernel has
 *
 * It takes no argument (0).
 *
 * Return: the kernel's GOSYNC_ABI_VERSION.
 */
#define GOSYNC_IOC_VERSION	_IO(GOSYNC_IOC_TYPE, 0x83)	/* on /dev/gosync and any object */

/**
 * struct gosync_open_args - argument of GOSYNC_IOC_OPEN
 * @size: sizeof(struct gosync_open_args)
 * @type: &enum gosync_type, or 0 to open a name of any type
 * @flags: GOSYNC_CREATE and those that follow it
 * @mode: permission bits (up to 0777) of an object that is created, taken as
 *	they are; the umask does not apply. Read lets observe (Load, Wait,
 *	listing), write lets operate. Must be 0 without GOSYNC_CREATE
 * @name: pointer to the name, any bytes but 0
 * @name_len: its length, 1 to GOSYNC_NAME_MAX; 0 makes an anonymous object
 *	(needs GOSYNC_CREATE, cannot be GOSYNC_PERSIST)
 * @abi: GOSYNC_ABI_VERSION, or 0 if the caller will not map the state
 * @capacity: atomics: the number of words (0: 1; at most 65536); Value: the
 *	longest payload in bytes (0: 4096; at most 4 MiB); Semaphore: the
 *	permits that it begins with, its limit (at most 2147483647); Map: the
 *	largest number of entries (0: 4096; at most 4194304); WaitGroup: the
 *	counter that it begins with (at most 2147483647); otherwise 0. For a name
 *	that exists, 0 or the capacity that it has
 * @key_size: Map: the longest key in bytes (0: 64; at most 255); as @capacity
 * @value_size: Map: the longest value in bytes (0: 256; at most 65536); as
 *	@capacity
 * @deadline: with GOSYNC_AWAIT: until when to wait for the name; otherwise 0
 *
 * All types share one name space; each IPC namespace has its own. The object
 * and its name go when the last descriptor is closed, unless the object is
 * GOSYNC_PERSIST. A listing, or an open that fails, keeps neither.
 *
 * The memory of an object is charged to the memory cgroup of its creator for as
 * long as the object exists, even if only others have it open. The memory of a
 * descriptor is charged to the cgroup of its opener. The object counts for its
 * owner. If it is created in a user namespace it counts for the owner of that,
 * too; in nested ones, for the owner of the outermost that root does not own.
 * To create an object waits for nobody else, but may take long where the cgroup
 * has no memory.
 *
 * With GOSYNC_CLUSTER a named Mutex, RWMutex, Once, Value or int64 in the initial
 * IPC namespace is one for all nodes of the cluster that create it so. Each node
 * has its own mode and owner for it. Only its owner can unlock it, as with
 * GOSYNC_ERRORCHECK. A Value has the capacity GOSYNC_CLUSTER_VALUE, and int64 has
 * GOSYNC_CLUSTER_WORDS words, of which none is mapped, if no more is asked for.
 * Whether another node has the name cannot be told, so GOSYNC_EXCL is refused. The
 * first open may wait until this node has joined the cluster; only a signal that
 * kills ends that.
 *
 * With GOSYNC_AWAIT the call waits until the name exists in the caller's IPC
 * namespace, and then opens it. A name that exists, but that the caller may not
 * open or that has another type, is not waited for: the call fails at once. A
 * name that is unlinked again immediately may be missed; a name that stays is
 * not. Each waiter gets its own descriptor, in no particular order. The memory
 * for the wait is charged to the waiter's memory cgroup, and waiters do not
 * slow a creator down.
 *
 * Return: a new descriptor, close-on-exec, or -1 with errno EACCES, EDQUOT,
 * EEXIST, EFAULT, EINTR (GOSYNC_AWAIT), EINVAL, EMFILE, ENAMETOOLONG, ENFILE,
 * ENOENT, ENOMEM, ENOSPC, ENOTCONN (GOSYNC_CLUSTER: there is no cluster),
 * EOPNOTSUPP (GOSYNC_CLUSTER: not for this object, or gosync_dlm is not loaded),
 * EPROTO, EPROTOTYPE, ETIMEDOUT (GOSYNC_AWAIT).
 */
struct gosync_open_args {
	__u32 size;
	__u32 type;
	__u32 flags;
	__u32 mode;
	__aligned_u64 name;
	__u32 name_len;
	__u32 abi;
	__aligned_u64 capacity;
	__u32 key_size;
	__u32 value_size;
	__aligned_u64 deadline;
};

#define GOSYNC_IOC_OPEN	_IO(GOSYNC_IOC_TYPE, 0x80)	/* on /dev/gosync */

/**
 * struct gosync_unlink_args - argument of GOSYNC_IOC_UNLINK
 * @size: sizeof(struct gosync_unlink_args)
 * @flags: 0 or GOSYNC_IF_UNUSED
 * @name: pointer to the name
 * @name_len: its length, 1 to GOSYNC_NAME_MAX
 * @__reserved: must be 0
 *
 * Takes the name away at once; descriptors go on working. The caller must own
 * the object or have CAP_SYS_ADMIN over the IPC namespace. When several callers
 * unlink one name, one of them succeeds and the others find no name.
 *
 * Return: 0, or -1 with errno EBUSY (GOSYNC_IF_UNUSED: somebody has it open, be
 * it only to observe), EFAULT, EINVAL, ENAMETOOLONG, ENOENT, EPERM.
 */
struct gosync_unlink_args {
	__u32 size;
	__u32 flags;
	__aligned_u64 name;
	__u32 name_len;
	__u32 __reserved;
};

#define GOSYNC_IOC_UNLINK	_IO(GOSYNC_IOC_TYPE, 0x81)	/* on /dev/gosync */

/**
 * struct gosync_change_args - argument of GOSYNC_IOC_CHANGE
 * @size: sizeof(struct gosync_change_args)
 * @flags: what to change: GOSYNC_CHANGE_MODE, GOSYNC_CHANGE_OWNER,
 *	GOSYNC_CHANGE_GROUP, at least one
 * @name: pointer to the name
 * @name_len: its length, 1 to GOSYNC_NAME_MAX
 * @mode: the new permission bits, up to 0777
 * @uid: the new owner, in the caller's user namespace
 * @gid: the new group, in the caller's user namespace
 *
 * Fields that are not to be changed must be 0. All changes happen at once.
 *
 * The rights are those of chmod(2) and chown(2). The mode may be changed by the
 * object's owner, and with CAP_SYS_ADMIN over the IPC namespace. The group may
 * be changed by the owner to one that the owner is in. Another group, or
 * another owner, needs CAP_CHOWN over the IPC namespace. The object then counts
 * for its new owner as if the caller had created it there, within the limit of
 * objects per user. Its memory stays charged to the same cgroup. If the object
 * moves and a page is needed for that, the page is charged to the caller.
 *
 * The change is for later opens. Descriptors and mappings that exist keep what
 * they have, as with a file. State, flags and name stay as they were.
 *
 * A process that maps a shared page sees all objects on it (see &struct
 * gosync_info). So an object on such a page has to move to another page when
 * its owner or group changes, or when its mode loses bits. It can move only
 * while nobody has it open, which means that it must be GOSYNC_PERSIST. A mode
 * that only gains bits can be set at any time. A caller that may open the
 * object only by the new bits cannot map it (EACCES) until it has moved. An
 * object that shares its page with no other, or is GOSYNC_NO_MMAP, can be
 * changed at any time.
 *
 * Return: 0, or -1 with errno EBUSY (it would have to be moved, and somebody has
 * it open, or has a Map mapped), EDQUOT, EFAULT, EINVAL, ENAMETOOLONG, ENOENT,
 * ENOMEM, EPERM.
 */
struct gosync_change_args {
	__u32 size;
	__u32 flags;
	__aligned_u64 name;
	__u32 name_len;
	__u32 mode;
	__u32 uid;
	__u32 gid;
};

#define GOSYNC_IOC_CHANGE	_IO(GOSYNC_IOC_TYPE, 0x8c)	/* on /dev/gosync */

/**
 * struct gosync_info - argument of GOSYNC_IOC_INFO, entry of GOSYNC_IOC_LIST
 * @size: sizeof(struct gosync_info)
 * @type: &enum gosync_type
 * @id: the object's number, never used twice
 * @flags: the flags it was created with, GOSYNC_RDONLY if this descriptor is
 *	read-only, GOSYNC_BROKEN if its holder was broken
 * @mode: permission bits
 * @uid: its owner, in the caller's user namespace
 * @gid: its group, in the caller's user namespace
 * @holder: the number of this descriptor's holder (0 in a listing)
 * @holders: how many holders there are
 * @waiters: how many waiters there are in the kernel
 * @owner: Mutex, RWMutex: the holder that owns it, 0 if none; Once: the one
 *	that runs it
 * @owner_pid: the process that opened that holder, in the caller's pid
 *	namespace; 0 if it isn't visible there or has ended. Other processes
 *	may have the descriptor, too, or may be the only ones left that have it
 * @name_len: length of @name; 0 for an anonymous or unlinked object
 * @word: the mapped word, in atomics the first; Value: the version (how often
 *	it was stored); Map: the number of entries
 * @token: Mutex, RWMutex: the fencing token of the last acquisition (for
 *	writing); Value: the type of what is stored, 0 if nothing is
 * @capacity: as in &struct gosync_open_args
 * @map_len: bytes that mmap() of this descriptor takes, at offset 0 and with
 *	MAP_SHARED; 0 if it cannot be mapped, or @abi was 0. See below
 * @map_offset: where in the mapping the object's state begins
 * @map_data: atomics: where in the mapping the words begin; Value: the first
 *	payload slot; RWMutex: this holder's &struct gosync_rwmutex_reader, 0 if
 *	it has none; Map: the first record
 * @contended: how often somebody had to wait
 * @wait_max_ns: the longest wait that ended in a grant, in nanoseconds
 * @deaths: how many owners have died
 * @readers: RWMutex: how many read locks are held
 * @key_size: as in &struct gosync_open_args
 * @value_size: as in &struct gosync_open_args
 * @name: the name, filled up with zeros
 * @abi: in: GOSYNC_ABI_VERSION, or 0 if the caller will not map the state; out:
 *	the kernel's
 * @owed: Semaphore: how many permits are in use beyond the limit
 * @idle_ns: for how long nobody has had the object open to operate it; 0 while
 *	somebody has
 * @map_id: the number of what mmap() of this descriptor maps; 0 if it cannot be
 *	mapped, or @abi was 0. Never used twice as long as the module is loaded.
 *	Descriptors with the same number show the same pages, so a process needs
 *	one mapping for them
 *
 * Only @size and @abi are read. A shorter structure gets as much as fits.
 *
 * Objects with a name and without GOSYNC_OWN_PAGE share pages: all but Values,
 * and arrays of words of more than 1280 bytes. A Map shares its first page,
 * which has no key and no value. A process may map such a page if it could open
 * all objects on it by name. It has to be in their IPC namespace, and their
 * owner, group and mode must allow it to read, and to write if it maps for
 * writing. Otherwise mmap() fails with EACCES, and the process uses ioctls.
 * Nothing else is checked.
 *
 * A sandbox of the same user, in the same namespace, may therefore map the page
 * of a descriptor that it was passed, although it cannot reach the device. To
 * prevent that, give the object GOSYNC_OWN_PAGE or GOSYNC_NO_MMAP, or make it
 * anonymous. An object that shares its page with no other can be mapped by
 * every process that has a descriptor.
 *
 * Return: 0, or -1 with errno EFAULT, EINVAL, ENOMEM, EPROTO.
 */
struct gosync_info {
	__u32 size;
	__u32 type;
	__aligned_u64 id;
	__u32 flags;
	__u32 mode;
	__u32 uid;
	__u32 gid;
	__u32 holder;
	__u32 holders;
	__u32 waiters;
	__u32 owner;
	__u32 owner_pid;
	__u32 name_len;
	__aligned_u64 word;
	__aligned_u64 token;
	__aligned_u64 capacity;
	__aligned_u64 map_len;
	__u32 map_offset;
	__u32 map_data;
	__aligned_u64 contended;
	__aligned_u64 wait_max_ns;
	__u32 deaths;
	__u32 readers;
	__u32 key_size;
	__u32 value_size;
	__u8 name[GOSYNC_NAME_MAX + 1];
	__u32 abi;
	__u32 owed;
	__aligned_u64 idle_ns;
	__aligned_u64 map_id;
};

#define GOSYNC_IOC_INFO	_IO(GOSYNC_IOC_TYPE, 0x85)	/* on any object */

/**
 * struct gosync_list_args - argument of GOSYNC_IOC_LIST
 * @size: sizeof(struct gosync_list_args)
 * @flags: must be 0
 * @cursor: 0 to begin; the call moves it behind what it has looked at
 * @entries: pointer to an array of &struct gosync_info
 * @count: how many entries fit there
 * @entry_size: sizeof(struct gosync_info)
 *
 * Lists the names of the caller's IPC namespace that the caller may read, in
 * the order of their creation. A name that is created or unlinked meanwhile may
 * be missed; a name that stays is listed once.
 *
 * A signal ends the call, which returns the entries that it has found so far.
 * If it has found none, it goes on after a handler with SA_RESTART, and
 * otherwise fails with EINTR. The cursor has moved, so a repeated call goes on
 * from there.
 *
 * Return: the number of entries filled, 0 at the end, or -1 with
 * errno EFAULT, EINTR, EINVAL, ENOMEM.
 */
struct gosync_list_args {
	__u32 size;
	__u32 flags;
	__aligned_u64 cursor;
	__aligned_u64 entries;
	__u32 count;
	__u32 entry_size;
};

#define GOSYNC_IOC_LIST	_IO(GOSYNC_IOC_TYPE, 0x82)	/* on /dev/gosync */

/* The number of ranges of a histogram; the first ends at 2^10 ns. */
#define GOSYNC_HISTOGRAM	32
#define GOSYNC_HISTOGRAM_SHIFT	10

/**
 * struct gosync_stat - argument of GOSYNC_IOC_STAT
 * @size: sizeof(struct gosync_stat)
 * @starvations: Mutex, RWMutex: how often a waiter that was woken had waited for
 *	1 ms and lost to a newcomer
 * @contended: how often somebody had to wait
 * @acquired: how many of these waits ended in a grant
 * @handed_over: how many of those the releaser granted; the other waiters were
 *	woken, and took it themselves
 * @gave_up: how many waits ended without a grant: by a deadline, a signal or a
 *	cancellation, or because another entry of the same wait for any was
 *	granted
 * @wait_ns: the total length of the waits that ended in a grant
 * @wait_max_ns: the longest of them
 * @deaths: how many owners have died
 * @histogram: how many of the waits that ended in a grant took less than 1024
 *	ns; from 1024 to 2047 ns; and so on. Each range is twice as long as the
 *	one before; the last has no end
 *
 * Counts the waits for the object since it was created. An operation that did
 * not have to wait is not counted. A wait that has not ended is in @contended
 * alone. A wait for which there was no memory to count in is in none of them. A
 * wait that a signal's handler interrupts counts as one that gave up, and
 * counts again when it goes on.
 *
 * Only @size is read. A shorter structure gets as much as fits. Any descriptor
 * may ask, also a read-only one.
 *
 * Return: 0, or -1 with errno EFAULT, EINVAL, ENOMEM.
 */
struct gosync_stat {
	__u32 size;
	__u32 starvations;
	__aligned_u64 contended;
	__aligned_u64 acquired;
	__aligned_u64 handed_over;
	__aligned_u64 gave_up;
	__aligned_u64 wait_ns;
	__aligned_u64 wait_max_ns;
	__aligned_u64 deaths;
	__aligned_u64 histogram[GOSYNC_HISTOGRAM];
};

#define GOSYNC_IOC_STAT	_IO(GOSYNC_IOC_TYPE, 0x86)	/* on any object */

/**
 * enum gosync_wants - what a waiter waits for
 * @GOSYNC_WANTS_IT: what there is only one kind of; RWMutex: to write
 * @GOSYNC_WANTS_TO_DRAIN: RWMutex: owns the word, and waits for the readers to
 *	leave
 * @GOSYNC_WANTS_TO_READ: RWMutex: to read
 */
enum gosync_wants {
	GOSYNC_WANTS_IT,
	GOSYNC_WANTS_TO_DRAIN,
	GOSYNC_WANTS_TO_READ,
};

/* Flags of &struct gosync_party */
#define GOSYNC_PARTY_OWNS	(1U << 0)	/* holder: owns it, or runs it */
#define GOSYNC_PARTY_SINCE	(1U << 1)	/* holder: @ns is exact, not a lower bound */
#define GOSYNC_PARTY_STARVING	(1U << 2)	/* waiter: it lost after more than 1 ms */
#define GOSYNC_PARTY_TIMED	(1U << 3)	/* waiter: has a deadline */
#define GOSYNC_PARTY_ASYNC	(1U << 4)	/* waiter: no thread sleeps for it */
#define GOSYNC_PARTY_AMONG	(1U << 5)	/* waiter: for one of several things */
#define GOSYNC_PARTY_BROKEN	(1U << 6)	/* holder: was broken, and holds nothing */

/* No more waiters than this are listed, those that waited longest. */
#define GOSYNC_WAITERS_LISTED	1024

/**
 * struct gosync_party - a waiter or a holder of an object
 * @holder: the number of the holder
 * @pid: waiter: its process; holder: the process that opened it
 * @tid: waiter: its thread; 0 while it runs a signal handler, and if it is
 *	asynchronous. Holder: 0
 * @flags: GOSYNC_PARTY_...
 * @position: waiter: its place in the queue, from 1 on; an RWMutex has a queue
 *	for each kind of @wants
 * @wants: waiter: &enum gosync_wants
 * @count: waiter: Semaphore: how many permits it wants; atomics: the index of
 *	its word. Holder: RWMutex: its read locks; Semaphore with
 *	GOSYNC_GIVE_BACK: its permits; 0 if it holds nothing
 * @__reserved: 0
 * @wait: waiter: the number of the wait, counted for the object; 0 if there was
 *	no memory to count in. A wait that a signal's handler interrupts keeps
 *	its number
 * @ns: waiter: how long it has waited, handlers included; holder that owns the
 *	object: for how long, at least; otherwise 0
 * @comm: the name of the thread, or of the process, filled up with zeros
 *
 * Numbers of processes are those of the caller's pid namespace, 0 for a process
 * that can't be seen there or has ended.
 */
struct gosync_party {
	__u32 holder;
	__u32 pid;
	__u32 tid;
	__u32 flags;
	__u32 position;
	__u32 wants;
	__u32 count;
	__u32 __reserved;
	__aligned_u64 wait;
	__aligned_u64 ns;
	__u8 comm[16];
};

/**
 * struct gosync_parties_args - argument of GOSYNC_IOC_WAITERS, GOSYNC_IOC_HOLDERS
 * @size: sizeof(struct gosync_parties_args)
 * @flags: must be 0
 * @cursor: HOLDERS: 0 to begin; the call moves it behind the last entry it
 *	returned. WAITERS: must be 0
 * @entries: pointer to an array of &struct gosync_party
 * @count: how many entries fit there
 * @entry_size: sizeof(struct gosync_party)
 *
 * WAITERS lists the waiters of one moment, queue by queue, in the order in
 * which they will be served. HOLDERS lists the holders by their numbers, this
 * descriptor's included; holders that come and go meanwhile may be missed. Any
 * descriptor may ask, also a read-only one.
 *
 * Return: the number of entries filled, or -1 with errno EFAULT, EINVAL,
 * ENOMEM.
 */
struct gosync_parties_args {
	__u32 size;
	__u32 flags;
	__aligned_u64 cursor;
	__aligned_u64 entries;
	__u32 count;
	__u32 entry_size;
};

#define GOSYNC_IOC_WAITERS	_IO(GOSYNC_IOC_TYPE, 0x87)	/* on any object */
#define GOSYNC_IOC_HOLDERS	_IO(GOSYNC_IOC_TYPE, 0x88)	/* on any object */

/**
 * struct gosync_reopen_args - argument of GOSYNC_IOC_REOPEN, may be 0
 * @size: sizeof(struct gosync_reopen_args)
 * @flags: 0 or GOSYNC_RDONLY
 *
 * Makes a new holder of the same object, with no more rights than this one:
 * for a child after fork(2), or for a second party within one process.
 *
 * Return: a new descriptor, close-on-exec, or -1 with errno EFAULT, EINVAL,
 * EMFILE, ENFILE, ENOMEM.
 */
struct gosync_reopen_args {
	__u32 size;
	__u32 flags;
};

#define GOSYNC_IOC_REOPEN	_IO(GOSYNC_IOC_TYPE, 0x84)	/* on any object */

/**
 * DOC: GOSYNC_IOC_ABANDON: giving up
 *
 * It takes no argument (0), and does at once what the end of the holder would
 * do. A Mutex or RWMutex that the holder owns is unlocked and poisoned, and its
 * read locks are taken back. A Once that it runs passes to the next waiter,
 * which is told. Permits that it took of a Semaphore with GOSYNC_GIVE_BACK are
 * released. The holder lives on, and can be used again.
 *
 * Use it when the user of this descriptor has ended, while others that do not
 * matter still have it open. A thread that goes on in the holder's name is like
 * an owner whose lock another has unlocked. That is so, too, for one that is just
 * locking for reading by the holder's line: it may have the lock uncounted.
 *
 * Return: 0, also if it holds nothing; or -1 with errno EBADF, ESTALE.
 */
#define GOSYNC_IOC_ABANDON	_IO(GOSYNC_IOC_TYPE, 0x8f)

/**
 * struct gosync_break_args - argument of GOSYNC_IOC_BREAK
 * @size: sizeof(struct gosync_break_args)
 * @flags: must be 0
 * @holder: the number of a holder, as GOSYNC_IOC_HOLDERS tells it
 * @__reserved: must be 0
 *
 * For a holder that hangs. It takes away what the holder has, as if that had
 * died (see "Giving up"), although it lives. The caller must own the object or
 * have CAP_SYS_ADMIN over the IPC namespace; a read-only descriptor is enough.
 *
 * The holder is not asked, and goes on with what it does. Its next operation
 * tells it: from now on every operation on its descriptor that does more than
 * observe fails with ESTALE and changes nothing, above all an unlock. Its waits
 * fail, too: commands of io_uring at once, others when it would be their turn.
 * To go on the holder needs a new descriptor; GOSYNC_IOC_REOPEN of the old one
 * makes one.
 *
 * Until the holder's last descriptor is closed, the word of a Mutex or RWMutex
 * says GOSYNC_MUTEX_STARVING, so that everybody locks and unlocks by ioctl. For
 * as long, the holder's line (&struct gosync_rwmutex_reader) is below 0. A
 * compare-and-swap of the holder that comes late therefore cannot take what
 * belongs to others. Only the fencing token keeps out what the holder writes
 * elsewhere, in the belief that it has the lock.
 *
 * Return: 0, or -1 with errno EFAULT, EINVAL, EPERM, ESRCH.
 */
struct gosync_break_args {
	__u32 size;
	__u32 flags;
	__u32 holder;
	__u32 __reserved;
};

/* On Mutexes, RWMutexes, Onces and Semaphores, as GOSYNC_IOC_ABANDON */
#define GOSYNC_IOC_BREAK	_IO(GOSYNC_IOC_TYPE, 0x8d)

/* --- Atomic words -------------------------------------------------------- */

/**
 * struct gosync_atomic_args - argument of the GOSYNC_IOC_ATOMIC operations
 * @size: sizeof(struct gosync_atomic_args)
 * @flags: 0 or GOSYNC_ATOMIC_WAKE (not for LOAD)
 * @index: which word, below the capacity
 * @__reserved: must be 0
 * @value: what to store, swap in, add, and, or; must fit the type (signed
 *	32-bit values are extended to 64 bits, BOOL is 0 or 1)
 * @expected: CAS: stored over only if this is there; otherwise 0
 * @result: out: LOAD what is there; STORE nothing; SWAP, AND, OR what was
 *	there; ADD what is there now; CAS what was found
 *
 * All are sequentially consistent, with each other and with those that user
 * space does on the mapped words. The argument may be 0 for LOAD alone, which
 * then tells only that the word is readable.
 *
 * With GOSYNC_CLUSTER each may wait for other nodes, and LOAD only if one of them
 * has changed a word since the last. A signal ends that, as long as the operation
 * was not begun; a signal that kills, always. Whoever waits for a change is woken,
 * on all nodes.
 *
 * Return: 0; CAS: 1 if it stored, 0 if something else was there; or -1 with
 * errno EBADF (read-only, not LOAD), EFAULT, EINTR (GOSYNC_CLUSTER), EINVAL,
 * ENOMEM (GOSYNC_CLUSTER), ENOTTY (also ADD, AND, OR of POINTER and BOOL).
 */
struct gosync_atomic_args {
	__u32 size;
	__u32 flags;
	__u32 index;
	__u32 __reserved;
	__aligned_u64 value;
	__aligned_u64 expected;
	__aligned_u64 result;
};

#define GOSYNC_IOC_ATOMIC_LOAD	_IO(GOSYNC_IOC_TYPE, 0x90)
#define GOSYNC_IOC_ATOMIC_STORE	_IO(GOSYNC_IOC_TYPE, 0x91)
#define GOSYNC_IOC_ATOMIC_SWAP	_IO(GOSYNC_IOC_TYPE, 0x92)
#define GOSYNC_IOC_ATOMIC_ADD	_IO(GOSYNC_IOC_TYPE, 0x93)
#define GOSYNC_IOC_ATOMIC_CAS	_IO(GOSYNC_IOC_TYPE, 0x94)
#define GOSYNC_IOC_ATOMIC_AND	_IO(GOSYNC_IOC_TYPE, 0x95)
#define GOSYNC_IOC_ATOMIC_OR	_IO(GOSYNC_IOC_TYPE, 0x96)

/**
 * struct gosync_atomic_wait_args - argument of GOSYNC_IOC_ATOMIC_WAIT
 * @size: sizeof(struct gosync_atomic_wait_args)
 * @flags: 0 or GOSYNC_CLOCK_REALTIME
 * @index: which word
 * @__reserved: must be 0
 * @expected: wait until the word is no longer this
 * @deadline: when to give up
 * @result: out: what the word is now
 *
 * A thread that changes the word has to wake the waiters, with
 * GOSYNC_IOC_ATOMIC_WAKE or with GOSYNC_ATOMIC_WAKE in the operation. A woken
 * waiter looks at the word again. Read permission is enough. May sleep.
 *
 * Return: 0 if the word differs, or -1 with errno EFAULT, EINTR, EINVAL,
 * ETIMEDOUT.
 */
struct gosync_atomic_wait_args {
	__u32 size;
	__u32 flags;
	__u32 index;
	__u32 __reserved;
	__aligned_u64 expected;
	__aligned_u64 deadline;
	__aligned_u64 result;
};

#define GOSYNC_IOC_ATOMIC_WAIT	_IO(GOSYNC_IOC_TYPE, 0x97)

/**
 * struct gosync_atomic_wake_args - argument of GOSYNC_IOC_ATOMIC_WAKE
 * @size: sizeof(struct gosync_atomic_wake_args)
 * @flags: must be 0
 * @index: which word
 * @count: how many waiters to wake at the most, the longest waiting before others
 *
 * Return: how many were woken, or -1 with errno EBADF, EFAULT, EINVAL.
 */
struct gosync_atomic_wake_args {
	__u32 size;
	__u32 flags;
	__u32 index;
	__u32 count;
};

#define GOSYNC_IOC_ATOMIC_WAKE	_IO(GOSYNC_IOC_TYPE, 0x98)

/**
 * struct gosync_atomic_slot - an atomic object's mapped state
 * @words: the words, where they fit (otherwise they follow the slot)
 * @waiters: how many waiters there are in the kernel, and one more while
 *	anybody watches. Written by the kernel: user space wakes only if it
 *	isn't 0
 * @__reserved: 0
 *
 * The words are at &gosync_info.map_data, not necessarily in @words.
 */
struct gosync_atomic_slot {
	__aligned_u64 words[6];
	__u32 waiters;
	__u32 __reserved[3];
};

/* --- Value --------------------------------------------------------------- */

/**
 * struct gosync_value_args - argument of the GOSYNC_IOC_VALUE operations
 * @size: sizeof(struct gosync_value_args)
 * @flags: must be 0
 * @type: LOAD out: the type stored; otherwise the type of the new payload,
 *	chosen by user space, neither 0 nor all ones
 * @buf: LOAD: where to put the payload; otherwise the new payload
 * @len: its length; LOAD in: the room at @buf, out: the payload's length (also
 *	with EMSGSIZE)
 * @old_type: CAS: the type of the payload that is expected, 0 if none is
 * @old_buf: CAS: the payload that is expected; SWAP: where to put the payload
 *	that was there, or 0 if it isn't wanted
 * @old_len: CAS: its length; SWAP in: the room, out: the payload's length
 *	(also with EMSGSIZE)
 * @version: out: how often the Value had been stored, this store included
 *
 * LOAD copies the payload. STORE replaces it, SWAP replaces it and returns the
 * one that was there, and CAS replaces it only if it is the expected one.
 *
 * Fields that an operation does not use must be 0. Payloads may have length 0.
 * When no payload was got, anything may be in the room for it.
 *
 * With GOSYNC_CLUSTER each may wait for other nodes, and LOAD only if one of them
 * has stored since the last. A signal ends that, as long as the operation was not
 * begun; a signal that kills, always.
 *
 * Return: 0; SWAP: 1 if something was there before; CAS: 1 if it stored, 0 if
 * something else was there; or -1 with errno EBADF (read-only, not LOAD),
 * EFAULT, EINTR, EINVAL, EMSGSIZE, ENODATA (LOAD), ENOMEM, EPROTOTYPE.
 */
struct gosync_value_args {
	__u32 size;
	__u32 flags;
	__aligned_u64 type;
	__aligned_u64 buf;
	__aligned_u64 len;
	__aligned_u64 old_type;
	__aligned_u64 old_buf;
	__aligned_u64 old_len;
	__aligned_u64 version;
};

#define GOSYNC_IOC_VALUE_LOAD	_IO(GOSYNC_IOC_TYPE, 0xa0)
#define GOSYNC_IOC_VALUE_STORE	_IO(GOSYNC_IOC_TYPE, 0xa1)
#define GOSYNC_IOC_VALUE_SWAP	_IO(GOSYNC_IOC_TYPE, 0xa2)
#define GOSYNC_IOC_VALUE_CAS	_IO(GOSYNC_IOC_TYPE, 0xa3)

/**
 * struct gosync_value_page - a Value's mapped state, always read-only
 * @type: 0 nothing stored; all ones while the first store is in progress (the
 *	kernel does it with preemption disabled: one may spin on it), and, with
 *	GOSYNC_CLUSTER, while another node may store (GOSYNC_IOC_VALUE_LOAD gets
 *	it back); otherwise the type, which never changes
 * @version: how often it was stored: the payload is in slot
 *	@version % GOSYNC_VALUE_SLOTS
 * @stride: distance in bytes from one slot to the next
 * @__reserved: 0
 *
 * Reading without a system call: read @version (acquire), copy the slot's
 * payload, then (read barrier) read @version again. The kernel begins to
 * overwrite the slot of version v only after it published version v +
 * GOSYNC_VALUE_SLOTS - 1. So the copy is whole if the second reading is less
 * than that.
 */
struct gosync_value_page {
	__aligned_u64 type;
	__aligned_u64 version;
	__aligned_u64 stride;
	__aligned_u64 __reserved[5];
};

/**
 * struct gosync_value_slot - one payload of a Value, at &gosync_info.map_data
 *	plus a multiple of &gosync_value_page.stride
 * @len: bytes of payload, which follow
 */
struct gosync_value_slot {
	__aligned_u64 len;
};

#define GOSYNC_VALUE_SLOTS	4
#define GOSYNC_VALUE_STORING	(~(__u64)0)

/* --- Mutex --------------------------------------------------------------- */

/**
 * struct gosync_wait_args - argument of GOSYNC_IOC_MUTEX_LOCK, of the LOCK, RLOCK
 *	and DRAIN of RWMutexes, of GOSYNC_IOC_ONCE_WAIT, may be 0
 * @size: sizeof(struct gosync_wait_args)
 * @flags: 0 or GOSYNC_CLOCK_REALTIME
 * @deadline: when to give up
 */
struct gosync_wait_args {
	__u32 size;
	__u32 flags;
	__aligned_u64 deadline;
};

/**
 * DOC: Mutex
 *
 * GOSYNC_IOC_MUTEX_TRYLOCK, GOSYNC_IOC_MUTEX_UNLOCK and
 * GOSYNC_IOC_MUTEX_RECOVER take no argument (0). RECOVER takes the poisoned
 * flag away; the owner calls it after putting right what the lock protects.
 * LOCK may sleep.
 *
 * Return: LOCK, TRYLOCK: 0, or 1 if the lock is held and poisoned (an owner
 * has died with it and nobody has called RECOVER since); UNLOCK, RECOVER: 0;
 * or -1 with errno EBADF, EBUSY (TRYLOCK), EFAULT, EINTR, EINVAL, EPERM
 * (UNLOCK; RECOVER by another than the owner), ESTALE, ETIMEDOUT.
 */
#define GOSYNC_IOC_MUTEX_LOCK		_IO(GOSYNC_IOC_TYPE, 0xa8)
#define GOSYNC_IOC_MUTEX_TRYLOCK	_IO(GOSYNC_IOC_TYPE, 0xa9)
#define GOSYNC_IOC_MUTEX_UNLOCK		_IO(GOSYNC_IOC_TYPE, 0xaa)
#define GOSYNC_IOC_MUTEX_RECOVER	_IO(GOSYNC_IOC_TYPE, 0xab)

/**
 * DOC: The mutex word
 *
 * =========  ========  ====================================================
 * bits       name      meaning, and who sets it
 * =========  ========  ====================================================
 * 0          LOCKED    owned by the holder in bits 32 to 63. Anyone, with
 *                      the owner; cleared by anyone, with the owner, if
 *                      no waiter has to be woken for it
 * 1          WOKEN     a woken waiter is on its way: unlocking need not wake
 *                      another. Kernel only
 * 2          STARVING  the lock will be handed to a waiter: newcomers
 *                      queue, unlocking is an ioctl; or there is a broken
 *                      holder: both are ioctls, see &struct gosync_break_args.
 *                      Kernel only
 * 3          POISONED  an owner died. Kernel only
 * 4 to 31    WAITERS   how many waiters there are in the kernel, and one more
 *                      if an unlock has to be told (poll, wait for all).
 *                      Kernel only
 * 32 to 63   OWNER     the owner's holder number while LOCKED, else 0
 * =========  ========  ====================================================
 *
 * User space may, by compare-and-swap of the whole word:
 *
 * - lock: if neither LOCKED nor STARVING is set, set LOCKED and OWNER to its
 *   own holder number, leave the rest. No wake-up is owed to anybody. If the
 *   process dies, the word names its holder and the kernel unlocks.
 * - unlock: if WAITERS is 0, or WOKEN is set and STARVING is not, clear LOCKED
 *   and OWNER, leave the rest. Either nobody sleeps, or a waiter is awake
 *   already and the kernel answers for it; so no wake-up is owed. Pollers miss
 *   nothing: the awake waiter takes the lock and clears WOKEN by that, so the
 *   kernel unlocks it before it is left alone.
 *
 * Everything else is the kernel's.
 */
#define GOSYNC_MUTEX_LOCKED	((__u64)1 << 0)
#define GOSYNC_MUTEX_WOKEN	((__u64)1 << 1)
#define GOSYNC_MUTEX_STARVING	((__u64)1 << 2)
#define GOSYNC_MUTEX_POISONED	((__u64)1 << 3)
#define GOSYNC_MUTEX_WAITER	((__u64)1 << 4)
#define GOSYNC_MUTEX_WAITERS	((__u64)0xfffffff0)
#define GOSYNC_MUTEX_OWNER_SHIFT	32

/**
 * struct gosync_mutex_slot - a Mutex's mapped state
 * @word: see above
 * @token: the fencing token: each acquisition adds 1 to it while it holds the
 *	lock, so no two have the same and a later one has the larger. The value
 *	is the owner's if the word, looked at after it, isn't STARVING;
 *	otherwise &gosync_info.token is. It begins with the time, in
 *	nanoseconds since 1970. So tokens of a later object of the same name
 *	are larger, also after a reboot, unless the clock was set back
 */
struct gosync_mutex_slot {
	__aligned_u64 word;
	__aligned_u64 token;
};

/* --- RWMutex ------------------------------------------------------------- */

/**
 * DOC: RWMutex
 *
 * The word is a Mutex word, and writers use it as the owners of a Mutex do.
 * Each holder counts its read locks in a line of its own (&struct
 * gosync_rwmutex_reader). So readers do not disturb each other, and the kernel
 * knows what a dead holder held. The owner of the word has the lock once no
 * reader is left; while the word is LOCKED no new reader is admitted.
 *
 * The state is GOSYNC_RWMUTEX_SIZE bytes: 16 cache lines. The first has the
 * word. The lines of the first 15 holders are in one each of the others; those
 * of later holders join them there, up to four in each.
 *
 * If no line was left for a holder, its &gosync_info.map_data is 0, and its
 * read locks are ioctls.
 *
 * User space may:
 *
 * - read lock: add 1 to its line, then (full barrier) look at the word. If it
 *   is neither LOCKED nor STARVING the lock is held; otherwise take the 1 back as
 *   in read unlock. If it dies, the kernel clears the line.
 * - read unlock: if @draining is 0, and its line more than 0 (signed), subtract
 *   1, then (full barrier) look at @draining again; if it is not 0 now, tell by
 *   GOSYNC_IOC_RWMUTEX_DRAINED. A death before that is as good as telling.
 *   Otherwise GOSYNC_IOC_RWMUTEX_RUNLOCK.
 * - lock: as a Mutex, then (full barrier) look at @extra and at the lines in
 *   @lines. If all are 0 the lock is held. User space may look at them for a
 *   while, and then calls GOSYNC_IOC_RWMUTEX_DRAIN.
 * - unlock: if WAITERS is 0, clear LOCKED and OWNER, leave the rest. Waiting
 *   readers are counted in WAITERS, and go before the next writer.
 *
 * LOCK, RLOCK and DRAIN take &struct gosync_wait_args or 0, the others no
 * argument. DRAIN waits for the readers to leave; the caller must own the word
 * and must not have waited yet. After an error from DRAIN the caller does not
 * own the word any more; after EINTR it begins again with LOCK. DRAINED looks
 * whether a writer can go on.
 *
 * Return: LOCK, TRYLOCK, DRAIN, RLOCK, TRYRLOCK: 0, or 1 if the lock is held
 * and poisoned (a writer has died with it and nobody has called RECOVER
 * since); the others: 0; or -1 with errno EBADF, EBUSY (TRYLOCK, TRYRLOCK),
 * EFAULT, EINTR, EINVAL, EPERM (UNLOCK, DRAIN: it is not locked; RUNLOCK: this
 * holder has no read lock; RECOVER: by another than the owner), ERANGE (RLOCK,
 * TRYRLOCK: GOSYNC_RWMUTEX_READS_MAX by this holder), ESTALE, ETIMEDOUT.
 */
#define GOSYNC_IOC_RWMUTEX_LOCK		_IO(GOSYNC_IOC_TYPE, 0xb0)
#define GOSYNC_IOC_RWMUTEX_TRYLOCK	_IO(GOSYNC_IOC_TYPE, 0xb1)
#define GOSYNC_IOC_RWMUTEX_UNLOCK	_IO(GOSYNC_IOC_TYPE, 0xb2)
#define GOSYNC_IOC_RWMUTEX_RECOVER	_IO(GOSYNC_IOC_TYPE, 0xb3)
#define GOSYNC_IOC_RWMUTEX_DRAIN	_IO(GOSYNC_IOC_TYPE, 0xb4)
#define GOSYNC_IOC_RWMUTEX_RLOCK	_IO(GOSYNC_IOC_TYPE, 0xb5)
#define GOSYNC_IOC_RWMUTEX_TRYRLOCK	_IO(GOSYNC_IOC_TYPE, 0xb6)
#define GOSYNC_IOC_RWMUTEX_RUNLOCK	_IO(GOSYNC_IOC_TYPE, 0xb7)
#define GOSYNC_IOC_RWMUTEX_DRAINED	_IO(GOSYNC_IOC_TYPE, 0xb8)

/**
 * struct gosync_rwmutex_slot - an RWMutex's mapped state
 * @word: as in &struct gosync_mutex_slot
 * @token: as in &struct gosync_mutex_slot
 * @lines: a bit for each line in use, of those in GOSYNC_RWMUTEX_LINES; line N
 *	is gosync_rwmutex_line(N) bytes behind this slot. Kernel only
 * @draining: how many owners of the word wait for the readers to leave, and one
 *	more while anybody watches. Kernel only
 * @extra: how many read locks are in no line. Kernel only
 * @__reserved: 0
 */
struct gosync_rwmutex_slot {
	__aligned_u64 word;
	__aligned_u64 token;
	__aligned_u64 lines;
	__u32 draining;
	__u32 extra;
	__u32 __reserved[8];
};

#define GOSYNC_RWMUTEX_SIZE		1024
#define GOSYNC_RWMUTEX_LINES		0xfffefffefffefffeULL
#define GOSYNC_RWMUTEX_READS_MAX	0x7fffffff
/* In a broken holder's line: far below 0, whatever it adds */
#define GOSYNC_RWMUTEX_BROKEN		0xc0000000

/**
 * struct gosync_rwmutex_reader - what a holder has locked for reading
 * @reads: how many read locks it has
 */
struct gosync_rwmutex_reader {
	__u32 reads;
};

static __inline__ __u32 gosync_rwmutex_line(__u32 n)
{
	return n % 16 * 64 + n / 16 * 4;
}

/* --- WaitGroup ----------------------------------------------------------- */

/**
 * struct gosync_waitgroup_add_args - argument of GOSYNC_IOC_WAITGROUP_ADD
 * @size: sizeof(struct gosync_waitgroup_add_args)
 * @flags: must be 0
 * @delta: what to add
 * @counter: out: the counter afterwards
 *
 * When the counter becomes 0, all waiters of that moment are released.
 *
 * Return: 0, or -1 with errno EBADF, EBUSY (the counter is 0 and somebody
 * waits nevertheless: the word was written to), EFAULT, EINVAL, ERANGE (the
 * counter would be negative or more than 2147483647).
 */
struct gosync_waitgroup_add_args {
	__u32 size;
	__u32 flags;
	__aligned_s64 delta;
	__aligned_u64 counter;
};

#define GOSYNC_IOC_WAITGROUP_ADD	_IO(GOSYNC_IOC_TYPE, 0xc0)

/**
 * struct gosync_waitgroup_wait_args - argument of GOSYNC_IOC_WAITGROUP_WAIT, may be 0
 * @size: sizeof(struct gosync_waitgroup_wait_args)
 * @flags: 0 or GOSYNC_CLOCK_REALTIME
 * @deadline: when to give up
 * @generation: 0 for a new wait. When a signal interrupts the call, it stores
 *	here how often the counter had become 0. A call with that returns at
 *	once if the counter has become 0 since
 *
 * Read permission is enough. May sleep.
 *
 * Return: 0, or -1 with errno EFAULT, EINTR, EINVAL, ETIMEDOUT.
 */
struct gosync_waitgroup_wait_args {
	__u32 size;
	__u32 flags;
	__aligned_u64 deadline;
	__aligned_u64 generation;
};

#define GOSYNC_IOC_WAITGROUP_WAIT	_IO(GOSYNC_IOC_TYPE, 0xc1)

/**
 * struct gosync_waitgroup_slot - a WaitGroup's mapped state
 * @word: the counter in bits 0 to 30; in bits 32 to 63 how many waiters there
 *	are, and one more while anybody watches
 *
 * User space may add, by compare-and-swap of the whole word, if the counter
 * stays in its range. While bits 32 to 63 are not 0, the counter must not be 0
 * nor become 0. Such an addition releases no waiter, so no wake-up is owed.
 * Bits 32 to 63 are the kernel's.
 */
struct gosync_waitgroup_slot {
	__aligned_u64 word;
};

#define GOSYNC_WAITGROUP_COUNTER	((__u64)0x7fffffff)
#define GOSYNC_WAITGROUP_WAITER_SHIFT	32

/* --- Once ---------------------------------------------------------------- */

/**
 * struct gosync_once_begin_args - argument of GOSYNC_IOC_ONCE_BEGIN, may be 0
 * @size: sizeof(struct gosync_once_begin_args)
 * @flags: 0, GOSYNC_CLOCK_REALTIME, GOSYNC_CANCELABLE
 * @deadline: when to give up
 * @cancel: with GOSYNC_CANCELABLE: as in &struct gosync_cond_wait_args;
 *	otherwise 0
 * @__reserved: must be 0
 *
 * It begins as &struct gosync_wait_args, which may be given in its place.
 */
struct gosync_once_begin_args {
	__u32 size;
	__u32 flags;
	__aligned_u64 deadline;
	__s32 cancel;
	__u32 __reserved;
};

/**
 * DOC: Once
 *
 * GOSYNC_IOC_ONCE_BEGIN (argument: &struct gosync_once_begin_args or 0) returns
 * GOSYNC_ONCE_DONE if the Once has been done. It returns GOSYNC_ONCE_RUN or
 * GOSYNC_ONCE_RUN_AGAIN if the caller is to do it now and then call
 * GOSYNC_IOC_ONCE_DONE (no argument). Otherwise it waits for one of these. If
 * the holder that runs it ends before it is done, or gives it up by
 * GOSYNC_IOC_ONCE_ABANDON (no argument), the first waiter is to run it.
 * GOSYNC_IOC_ONCE_WAIT (argument: &struct gosync_wait_args or 0) waits until the
 * Once has been done, and never has the caller run it; read permission is
 * enough.
 *
 * A wait that can never end is refused: one without a deadline, by BEGIN or
 * WAIT, in the thread that runs the Once and by the same holder. A wait by
 * another holder may end, where tasks are moved from thread to thread.
 *
 * The runner is the holder, not the thread. A thread that ends before it is
 * done, while others of its process live on, has to abandon the Once or to
 * leave it to one of them.
 *
 * Return: BEGIN: as above; DONE, ABANDON, WAIT: 0; or -1 with errno EBADF (not
 * if it is done; BEGIN: also if @cancel is no descriptor), ECANCELED (BEGIN),
 * EDEADLK (BEGIN, WAIT: see above), EFAULT, EINTR, EINVAL, ENOMEM (BEGIN),
 * EPERM (DONE, ABANDON: not run by this holder), ESTALE (not if it is done, nor
 * WAIT), ETIMEDOUT.
 */
#define GOSYNC_IOC_ONCE_BEGIN	_IO(GOSYNC_IOC_TYPE, 0xc4)
#define GOSYNC_IOC_ONCE_DONE	_IO(GOSYNC_IOC_TYPE, 0xc5)
#define GOSYNC_IOC_ONCE_WAIT	_IO(GOSYNC_IOC_TYPE, 0xc6)
#define GOSYNC_IOC_ONCE_ABANDON	_IO(GOSYNC_IOC_TYPE, 0xc7)

/* What GOSYNC_IOC_ONCE_BEGIN returns */
#define GOSYNC_ONCE_DONE	0	/* it has been done */
#define GOSYNC_ONCE_RUN		1	/* do it */
#define GOSYNC_ONCE_RUN_AGAIN	2	/* do it: a runner began, and is gone */

/**
 * struct gosync_once_slot - a Once's mapped state
 * @word: the following bits, and the holder that runs it in bits 32 to 63.
 *	Kernel only
 *
 * User space may look at it: GOSYNC_ONCE_IS_DONE never goes away.
 */
struct gosync_once_slot {
	__aligned_u64 word;
};

#define GOSYNC_ONCE_IS_DONE	((__u64)1 << 0)
#define GOSYNC_ONCE_RUNS	((__u64)1 << 1)
#define GOSYNC_ONCE_DIED	((__u64)1 << 2)
#define GOSYNC_ONCE_OWNER_SHIFT	32

/* --- Cond ---------------------------------------------------------------- */

/**
 * struct gosync_cond_wait_args - argument of GOSYNC_IOC_COND_WAIT
 * @size: sizeof(struct gosync_cond_wait_args)
 * @flags: 0, GOSYNC_CLOCK_REALTIME, GOSYNC_READ_SIDE, GOSYNC_CANCELABLE
 * @deadline: when to give up
 * @ticket: 0 for a new wait. When a signal interrupts the call, it stores here
 *	its place in the queue. A call with that goes on at the same place, and
 *	has lost no signal
 * @lock: descriptor of the Mutex or RWMutex that is held
 * @cancel: with GOSYNC_CANCELABLE: a descriptor that ends the wait, with
 *	ECANCELED, when poll(2) would tell POLLIN, POLLERR or POLLHUP of it;
 *	otherwise 0
 *
 * Takes a place in the queue, unlocks, waits for a signal, and locks again,
 * with the holder of @lock. A signaller that comes after the unlock finds it
 * waiting. Nothing but a signal wakes it. A waiter that leaves by its deadline
 * or its death swallows no signal.
 *
 * The deadline and @cancel end the wait, not the locking: after ETIMEDOUT and
 * ECANCELED the lock is held. If an owner of the lock died during the wait, and
 * nobody has called RECOVER since, the call returns 1 in place of these. The
 * caller then looks at its condition. Its next wait with a deadline that has
 * passed returns ETIMEDOUT.
 *
 * After EINTR, and in a signal's handler, the lock is not held. It is held
 * again when the call was repeated with @ticket and has returned something
 * else. A caller that does not want to wait any longer repeats the call with a
 * deadline that has passed.
 *
 * A ticket belongs to its thread. It ends when the thread begins a new wait for
 * this Cond, by any descriptor, or ends. If it had been signalled, the signal
 * goes to the next waiter of that moment. When the thread ends, this may take a
 * second or two. So a handler may jump out of the call (siglongjmp(3)) and not
 * come back.
 *
 * Return: 0, or 1 if the lock is poisoned; or -1 with errno EBADF (also: @lock
 * or @cancel is no descriptor, or @lock is read-only), ECANCELED, EFAULT, EINTR,
 * EINVAL (also: no such @ticket), ENOMEM, ENOTTY (@lock is no Mutex and no
 * RWMutex), EPERM (it is not locked), ESTALE (the lock's holder was broken: it
 * is not held), ETIMEDOUT.
 */
struct gosync_cond_wait_args {
	__u32 size;
	__u32 flags;
	__aligned_u64 deadline;
	__aligned_u64 ticket;
	__s32 lock;
	__s32 cancel;
};

#define GOSYNC_IOC_COND_WAIT	_IO(GOSYNC_IOC_TYPE, 0xc8)

/**
 * struct gosync_cond_slot - a Cond's mapped state
 * @waiters: how many waiters there are. Kernel only
 * @__reserved: 0
 *
 * GOSYNC_IOC_COND_SIGNAL wakes the longest waiter, GOSYNC_IOC_COND_BROADCAST
 * all waiters of that moment. Neither takes an argument; both return how many
 * they woke. User space need not call them if, after a full barrier, @waiters
 * is 0.
 */
struct gosync_cond_slot {
	__u32 waiters;
	__u32 __reserved;
};

#define GOSYNC_IOC_COND_SIGNAL		_IO(GOSYNC_IOC_TYPE, 0xc9)
#define GOSYNC_IOC_COND_BROADCAST	_IO(GOSYNC_IOC_TYPE, 0xca)

/* --- Semaphore ----------------------------------------------------------- */

/**
 * struct gosync_semaphore_args - argument of the GOSYNC_IOC_SEMAPHORE operations
 * @size: sizeof(struct gosync_semaphore_args)
 * @flags: ACQUIRE: 0 or GOSYNC_CLOCK_REALTIME; otherwise 0
 * @deadline: ACQUIRE: when to give up; otherwise 0
 * @count: how many permits, 0 to 2147483647; LIMIT: the new limit
 * @__reserved: must be 0
 *
 * ACQUIRE waits for its turn and until @count permits are there, and takes
 * them. TRYACQUIRE takes them if that needs no wait. RELEASE adds permits, by
 * any holder.
 *
 * With GOSYNC_GIVE_BACK the permits that a holder has acquired and not released
 * are released when it ends, and no holder can release more than that. Then all
 * operations are ioctls.
 *
 * LIMIT changes the limit, which is &gosync_info.capacity, and the permits by
 * the same difference. Waiters get the permits that this adds. If more permits
 * are in use than the new limit, nobody loses any. Permits that come back are
 * swallowed until no more are in use than the limit says (&gosync_info.owed).
 *
 * Return: 0, or -1 with errno EBADF, EBUSY (TRYACQUIRE), EFAULT, EINTR,
 * EINVAL, EPERM (RELEASE with GOSYNC_GIVE_BACK: this holder has not acquired so
 * many), ERANGE (RELEASE, LIMIT: there would be more than 2147483647), ESTALE,
 * ETIMEDOUT.
 */
struct gosync_semaphore_args {
	__u32 size;
	__u32 flags;
	__aligned_u64 deadline;
	__u32 count;
	__u32 __reserved;
};

#define GOSYNC_IOC_SEMAPHORE_ACQUIRE	_IO(GOSYNC_IOC_TYPE, 0xd0)
#define GOSYNC_IOC_SEMAPHORE_TRYACQUIRE	_IO(GOSYNC_IOC_TYPE, 0xd1)
#define GOSYNC_IOC_SEMAPHORE_RELEASE	_IO(GOSYNC_IOC_TYPE, 0xd2)
#define GOSYNC_IOC_SEMAPHORE_LIMIT	_IO(GOSYNC_IOC_TYPE, 0xd3)

/**
 * struct gosync_semaphore_slot - a Semaphore's mapped state
 * @word: the permits in bits 0 to 30; in bits 32 to 63 how many waiters there
 *	are, one more while anybody watches, and one more while permits are in
 *	use beyond the limit
 *
 * Unless the Semaphore is GOSYNC_GIVE_BACK, user space may change the word
 * while bits 32 to 63 are 0. By compare-and-swap of the whole word it may
 * subtract permits that are there, and add permits. There is no waiter, so no
 * wake-up is owed. Bits 32 to 63 are the kernel's.
 */
struct gosync_semaphore_slot {
	__aligned_u64 word;
};

#define GOSYNC_SEMAPHORE_PERMITS	((__u64)0x7fffffff)
#define GOSYNC_SEMAPHORE_WAITER_SHIFT	32

/* --- Map ----------------------------------------------------------------- */

/**
 * struct gosync_map_args - argument of the GOSYNC_IOC_MAP operations, but for
 *	STORE_MANY, RANGE and CLEAR
 * @size: sizeof(struct gosync_map_args)
 * @flags: must be 0
 * @key: the key, any bytes
 * @key_len: its length, 1 to the Map's key_size
 * @__reserved: must be 0
 * @buf: LOAD: where to put the value; STORE, LOAD_OR_STORE, SWAP, CAS: the new
 *	value
 * @len: its length; LOAD in: the room at @buf, out: the value's length (also
 *	with EMSGSIZE)
 * @old_buf: CAS, COMPARE_AND_DELETE: the value that is expected; SWAP,
 *	LOAD_OR_STORE, LOAD_AND_DELETE: where to put the value that was there,
 *	or 0 if it isn't wanted
 * @old_len: its length; where it is put somewhere in: the room, out: its
 *	length, 0 if there was none (also with EMSGSIZE)
 *
 * When no value was got, anything may be in the room for it. Fields that an
 * operation does not use must be 0. Values may have length 0, and are equal
 * when their lengths and all their bytes are. GOSYNC_IOC_MAP_CLEAR takes no
 * argument and removes all keys at one moment.
 *
 * Return: 0; LOAD_OR_STORE: 1 if the key was there and nothing is stored;
 * DELETE: 1 if it was there; SWAP: 1 if it was there; CAS and
 * COMPARE_AND_DELETE: 1 if it was there with the value expected, otherwise 0
 * and nothing is changed; or -1 with errno EBADF (read-only, not LOAD),
 * EFAULT, EINTR, EINVAL (also: a key's length), EMSGSIZE, ENODATA (LOAD,
 * LOAD_AND_DELETE), ENOMEM, ENOSPC (a new key, and there are as many entries as
 * the capacity allows).
 */
struct gosync_map_args {
	__u32 size;
	__u32 flags;
	__aligned_u64 key;
	__u32 key_len;
	__u32 __reserved;
	__aligned_u64 buf;
	__aligned_u64 len;
	__aligned_u64 old_buf;
	__aligned_u64 old_len;
};

#define GOSYNC_IOC_MAP_LOAD			_IO(GOSYNC_IOC_TYPE, 0xd8)
#define GOSYNC_IOC_MAP_STORE			_IO(GOSYNC_IOC_TYPE, 0xd9)
#define GOSYNC_IOC_MAP_LOAD_OR_STORE		_IO(GOSYNC_IOC_TYPE, 0xda)
#define GOSYNC_IOC_MAP_LOAD_AND_DELETE		_IO(GOSYNC_IOC_TYPE, 0xdb)
#define GOSYNC_IOC_MAP_DELETE			_IO(GOSYNC_IOC_TYPE, 0xdc)
#define GOSYNC_IOC_MAP_SWAP			_IO(GOSYNC_IOC_TYPE, 0xdd)
#define GOSYNC_IOC_MAP_CAS			_IO(GOSYNC_IOC_TYPE, 0xde)
#define GOSYNC_IOC_MAP_COMPARE_AND_DELETE	_IO(GOSYNC_IOC_TYPE, 0xdf)
#define GOSYNC_IOC_MAP_CLEAR			_IO(GOSYNC_IOC_TYPE, 0xe1)

/* The most items that one call can store */
#define GOSYNC_MAP_STORE_MAX	64

/**
 * struct gosync_map_store_item - a key and the value that it is to have
 * @key: the key, any bytes
 * @key_len: its length in bytes, 1 to the Map's key_size
 * @buf: the value
 * @len: its length in bytes, 0 to the Map's value_size
 */
struct gosync_map_store_item {
	__aligned_u64 key;
	__aligned_u64 key_len;
	__aligned_u64 buf;
	__aligned_u64 len;
};

/**
 * struct gosync_map_store_many_args - argument of GOSYNC_IOC_MAP_STORE_MANY
 * @size: sizeof(struct gosync_map_store_many_args)
 * @flags: must be 0
 * @items: pointer to an array of &struct gosync_map_store_item
 * @count: how many, 1 to GOSYNC_MAP_STORE_MAX
 * @item_size: sizeof(struct gosync_map_store_item)
 *
 * Stores each item, as GOSYNC_IOC_MAP_STORE does, or none of them: after an
 * error, and after a death before the first store, no key has changed. A death
 * does not end the stores once they have begun.
 *
 * The stores are in the order of the array; if a key is there twice, its last
 * item wins. Each happens at a moment of its own, so that others may see the
 * first and not yet the last. Who sees one of them sees those before it. No key
 * is added, removed or cleared in between, but a value may be stored over. The
 * version of GOSYNC_IOC_MAP_WAIT changes after the last one, and only once.
 *
 * May sleep, for memory and while others add or remove keys.
 *
 * Return: 0, or -1 with errno EBADF (read-only), EFAULT, EINTR, EINVAL (also: a
 * key's length), EMSGSIZE, ENOMEM, ENOSPC (with the keys that are new there
 * would be more entries than the capacity allows).
 */
struct gosync_map_store_many_args {
	__u32 size;
	__u32 flags;
	__aligned_u64 items;
	__u32 count;
	__u32 item_size;
};

#define GOSYNC_IOC_MAP_STORE_MANY	_IO(GOSYNC_IOC_TYPE, 0xe3)

/**
 * struct gosync_map_range_args - argument of GOSYNC_IOC_MAP_RANGE
 * @size: sizeof(struct gosync_map_range_args)
 * @flags: must be 0
 * @cursor: 0 to begin; the call moves it behind the last entry it returned
 * @after: out when @cursor is 0, then in: the walk is of entries that were
 *	created after the one of this number
 * @until: out when @cursor is 0, then in: the walk is of entries that were
 *	created no later than the one of this number
 * @buf: where to put entries, each a &struct gosync_map_item; aligned to 8
 *	bytes if these are to be
 * @len: the room there; with EMSGSIZE out: what the next entry needs
 *
 * A walk returns no key twice. It returns each key that is there from its
 * beginning to its end; it is no snapshot.
 *
 * Return: how many entries were put there, 0 at the end; or -1 with errno
 * EFAULT, EINTR, EINVAL, EMSGSIZE (not even one fits), ENOMEM.
 */
struct gosync_map_range_args {
	__u32 size;
	__u32 flags;
	__aligned_u64 cursor;
	__aligned_u64 after;
	__aligned_u64 until;
	__aligned_u64 buf;
	__aligned_u64 len;
};

#define GOSYNC_IOC_MAP_RANGE	_IO(GOSYNC_IOC_TYPE, 0xe0)

/**
 * struct gosync_map_item - an entry, as GOSYNC_IOC_MAP_RANGE returns it
 * @key_len: bytes of key, which follow
 * @value_len: bytes of value, which follow the key at the next multiple of 8;
 *	the next item follows at the next multiple of 8, too
 */
struct gosync_map_item {
	__u32 key_len;
	__u32 value_len;
};

#define GOSYNC_MAP_KEY_MAX	255
#define GOSYNC_MAP_VALUE_MAX	65536

/**
 * struct gosync_map_record - a key and its value, always read-only
 * @seq: odd while the kernel writes the record (for a few instructions, with
 *	preemption disabled: one may spin on it); another number after
 * @born: which one in the order of creation, from 1; means nothing while
 *	@key_len is 0
 * @key_len: length of the key, which follows; 0: the record is not in use
 * @value_len: length of the value, which is at &gosync_map_page.value
 *
 * The memory of a record stays one for as long as the mapping lasts. A late
 * reader finds another key in it at worst. Reading: read @seq (acquire). If it
 * is even, copy what is wanted, then (read barrier) read @seq again. The copy
 * is whole if @seq is the same.
 */
struct gosync_map_record {
	__aligned_u64 seq;
	__aligned_u64 born;
	__u32 key_len;
	__u32 value_len;
};

/* The table of the smallest class, and the bits of &gosync_map_page.table */
#define GOSYNC_MAP_SMALL		64
#define GOSYNC_MAP_VERSION_SHIFT	6
#define GOSYNC_MAP_TABLE_MASK		63

/*
 * What may be in a table besides entries (the hash << 32 | record's number). The
 * kernel may also keep a slot for an entry to come, which has the hash 0 until
 * then: to readers that is a tombstone, as no key has this hash.
 */
#define GOSYNC_MAP_EMPTY	((__u64)0)
#define GOSYNC_MAP_TOMBSTONE	((__u64)1)

/**
 * struct gosync_map_rules - how keys are found in a table
 * @seed: random bits, of the hash
 * @reach: no key is further than this number of slots from its place
 * @__reserved: 0
 * @cleared: entries up to this &gosync_map_record.born are gone, whatever
 *	their record says
 * @__reserved2: 0
 */
struct gosync_map_rules {
	__aligned_u64 seed[4];
	__u32 reach;
	__u32 __reserved;
	__aligned_u64 cleared;
	__aligned_u64 __reserved2[2];
};

/**
 * struct gosync_map_page - a Map's mapped state, always read-only
 * @table: the present table: its version << GOSYNC_MAP_VERSION_SHIFT, its
 *	class << 1, which of the two of its class
 * @hash_mask: the bits of the hash that are used
 * @stride: distance in bytes from one record to the next
 * @value: where in a record the value begins
 * @page_size: the unit of tables, see below
 * @records: where in the mapping the records begin
 * @__reserved: 0
 * @rules: of the table, by the lowest bit of its version
 * @count: how many entries there are
 * @born: &gosync_map_record.born of the newest entry
 * @used: records from this number on are not in use
 * @__reserved2: 0
 * @small: the tables of class 0
 *
 * A table of class 0 has GOSYNC_MAP_SMALL slots and is in @small. One of class
 * c > 0 fills @page_size << (c - 1) bytes; the first of the two is at
 * @page_size * ((1 << c) - 1), the second follows it. A slot is 0 (empty), a
 * tombstone, or the hash << 32 | the number of a record. Probing is linear:
 * start at the slot given by the upper bits of the hash and go on, wrapping
 * around. Stop at the key, at an empty slot, or after as many slots as @reach
 * says.
 *
 * Reading without a system call: read @table (acquire), take its rules, look
 * through the slots (acquire) from where the key's hash says, and look at each
 * record whose slot has that hash. If one has the key, its value may be used,
 * whatever happened to the table since. If none has, (read barrier) read @table
 * again: the key is absent if it is the same; otherwise begin anew. The kernel
 * writes to a table that is no longer the present one, and to its rules, but
 * never anything else than slots.
 *
 * Walking the entries: read @table (acquire), then @cleared of its rules, @born
 * (acquire), and (read barrier) @table again; begin anew if it has changed.
 * Then look at each record below @used (acquire): those with a key and born
 * after @cleared and not after @born were there.
 */
struct gosync_map_page {
	__aligned_u64 table;
	__u32 hash_mask;
	__u32 stride;
	__u32 value;
	__u32 page_size;
	__aligned_u64 records;
	__aligned_u64 __reserved[4];
	struct gosync_map_rules rules[2];
	__aligned_u64 count;
	__aligned_u64 born;
	__aligned_u64 used;
	__aligned_u64 __reserved2[5];
	__aligned_u64 small[2][GOSYNC_MAP_SMALL];
};

static __inline__ const struct gosync_map_rules *
gosync_map_rules_of(const struct gosync_map_page *page, __u64 table)
{
	return &page->rules[table >> GOSYNC_MAP_VERSION_SHIFT & 1];
}

#ifdef __SIZEOF_INT128__
__extension__ typedef unsigned __int128 __gosync_u128;
#endif

/* Both halves of the product, together */
static __inline__ __u64 __gosync_mix(__u64 a, __u64 b)
{
#ifdef __SIZEOF_INT128__
	__gosync_u128 product = (__gosync_u128)a * b;

	return (__u64)product ^ (__u64)(product >> 64);
#else
	__u64 a1 = a >> 32, a0 = (__u32)a, b1 = b >> 32, b0 = (__u32)b;
	__u64 low = a0 * b0, mid = a1 * b0 + (low >> 32);
	__u64 mid2 = a0 * b1 + (__u32)mid;

	return (mid2 << 32 | (__u32)low) ^
	       (a1 * b1 + (mid >> 32) + (mid2 >> 32));
#endif
}

/**
 * gosync_map_hash() - the hash by which a Map finds a key
 * @page: the Map's state, of which @hash_mask and the rules' @seed are used
 * @table: the table that it is to be found in, as in @page->table
 * @key: the key
 * @len: its length, at least 1
 *
 * A keyed hash of the kind that Go's maps use: 16 bytes at a time, as two words
 * masked by secrets, go into a product of 128 bits, whose halves are taken
 * together. The last 16 bytes may be some of those before; of a shorter key the
 * words are its first and its last 8 bytes, or all of it and 0. What comes of
 * that is multiplied by two more secrets, of which one has the length in it.
 *
 * Without the seed nobody can tell which keys have the same hash. A process
 * that can read the seed can make such keys, but not more than @reach of them
 * for one table: see kmod/map_table.c.
 *
 * Return: the hash, never 0, as its lowest bit is 1.
 */
static __inline__ __u32 gosync_map_hash(const struct gosync_map_page *page,
					__u64 table, const void *key, __u32 len)
{
	/* A table that isn't the present one any more may get another seed. */
	const volatile __u64 *seed = gosync_map_rules_of(page, table)->seed;
	const __u8 *at = (const __u8 *)key;
	__u64 hash = seed[0], first = 0, last = 0;
	__u32 left = len;

	if (len < sizeof(first)) {
		while (left--)
			first = first << 8 | *at++;
	} else {
		for (; left > 16; left -= 16) {
			__builtin_memcpy(&first, at, sizeof(first));
			__builtin_memcpy(&last, at + sizeof(first), sizeof(last));
			hash = __gosync_mix(first ^ seed[1], last ^ hash);
			at += 2 * sizeof(first);
		}
		__builtin_memcpy(&last, at + left - sizeof(last), sizeof(last));
		if (len > 16)
			at -= 16 - left;
		__builtin_memcpy(&first, at, sizeof(first));
	}
	hash = __gosync_mix(first ^ seed[1], last ^ hash);
	hash = __gosync_mix(hash ^ seed[2], seed[3] ^ len);
	return ((__u32)(hash >> 32) & page->hash_mask) | 1;
}

/* --- Waiting in other ways ----------------------------------------------- */

/**
 * struct gosync_version_wait_args - argument of GOSYNC_IOC_VALUE_WAIT and
 *	GOSYNC_IOC_MAP_WAIT
 * @size: sizeof(struct gosync_version_wait_args)
 * @flags: 0 or GOSYNC_CLOCK_REALTIME
 * @version: wait until the version is no longer this; out: what it is
 * @deadline: when to give up
 *
 * A Value's version is how often it was stored. A Map's is a number that is
 * never 0, and is another one after each change of any key. A caller that has
 * no version of a Map yet gives 0, which returns at once.
 *
 * Read permission is enough. May sleep.
 *
 * Return: 0, or -1 with errno EFAULT, EINTR, EINVAL, ENOMEM, ETIMEDOUT.
 */
struct gosync_version_wait_args {
	__u32 size;
	__u32 flags;
	__aligned_u64 version;
	__aligned_u64 deadline;
};

#define GOSYNC_IOC_VALUE_WAIT	_IO(GOSYNC_IOC_TYPE, 0xa4)
#define GOSYNC_IOC_MAP_WAIT	_IO(GOSYNC_IOC_TYPE, 0xe2)

/**
 * struct gosync_watch_args - argument of GOSYNC_IOC_WATCH
 * @size: sizeof(struct gosync_watch_args)
 * @flags: 0, or GOSYNC_WATCH_STOP to end it; then the rest is 0
 * @index: atomics: which word; otherwise 0
 * @__reserved: must be 0
 * @value: atomics: readable once the word is no longer this; Value and Map:
 *	once the version is no longer this; Semaphore: once this many permits
 *	can be acquired; otherwise 0
 *
 * Says what makes the descriptor readable for poll(2), select(2) and epoll(7),
 * where that is not clear from the type:
 *
 * ===========  ============================================================
 * type         readable (POLLIN)
 * ===========  ============================================================
 * Mutex        while nobody has it
 * RWMutex      while a read lock can be got; POLLOUT: while nobody has it
 * Semaphore    while there are as many permits as WATCH said (or 1)
 * WaitGroup    while the counter is 0
 * Once         when it has been done
 * Value        while its version is not the one that WATCH said, or that this
 *              descriptor's last GOSYNC_IOC_VALUE_LOAD returned (or 0)
 * Map          while its version is not the one that WATCH said (or 0)
 * atomics      while the word is not what WATCH said; never before WATCH. A
 *              thread that changes the word has to wake the waiters, as for
 *              GOSYNC_IOC_ATOMIC_WAIT
 * Cond         when signalled; never without WATCH. WATCH takes a place in the
 *              queue, as a wait does; WATCH again takes a new one. If the
 *              watch is stopped or closed before poll(2) has told of a signal,
 *              the signal goes to the next waiter of that moment
 * ===========  ============================================================
 *
 * The setting belongs to the open file description, whose last WATCH counts.
 * While anybody polls an object, its operations are ioctls where they may make
 * a waiter go on. Read permission is enough, except for a Cond.
 *
 * Return: 0, or -1 with errno EBADF (Cond), EFAULT, EINVAL, ENOMEM, ENOTTY (of
 * a type that it means nothing to).
 */
struct gosync_watch_args {
	__u32 size;
	__u32 flags;
	__u32 index;
	__u32 __reserved;
	__aligned_u64 value;
};

#define GOSYNC_IOC_WATCH	_IO(GOSYNC_IOC_TYPE, 0x89)	/* on any object */

/* The most entries that one call can wait for */
#define GOSYNC_WAIT_MAX		64

/**
 * struct gosync_wait_entry - one of several things to wait for
 * @fd: a descriptor
 * @op: what to do with it: GOSYNC_IOC_MUTEX_LOCK, _RWMUTEX_LOCK,
 *	_RWMUTEX_RLOCK, _SEMAPHORE_ACQUIRE, _WAITGROUP_WAIT, _ONCE_WAIT,
 *	_ATOMIC_WAIT, _VALUE_WAIT, _MAP_WAIT. 0: wait until poll(2) says
 *	one of the events in @index (not for all, not in io_uring)
 * @index: ATOMIC_WAIT: which word; 0: events, as in &struct pollfd; otherwise 0
 * @result: out: of a granted entry, what its ioctl would return; if @op is 0,
 *	the events that there are. Untouched if the entry was not granted
 * @value: SEMAPHORE_ACQUIRE: how many permits; ATOMIC_WAIT: what the word is no
 *	longer to be, out: what it is; VALUE_WAIT, MAP_WAIT: what the version
 *	is no longer to be, out: what it is; WAITGROUP_WAIT: as
 *	&gosync_waitgroup_wait_args.generation; otherwise 0
 */
struct gosync_wait_entry {
	__s32 fd;
	__u32 op;
	__u32 index;
	__s32 result;
	__aligned_u64 value;
};

/**
 * struct gosync_wait_many_args - argument of GOSYNC_IOC_WAIT, on /dev/gosync
 * @size: sizeof(struct gosync_wait_many_args)
 * @flags: 0, GOSYNC_CLOCK_REALTIME, GOSYNC_WAIT_ALL
 * @deadline: when to give up
 * @entries: pointer to an array of &struct gosync_wait_entry
 * @count: how many, 1 to GOSYNC_WAIT_MAX
 * @entry_size: sizeof(struct gosync_wait_entry)
 *
 * Wait for any: exactly one entry is granted, the first that can be, and
 * nothing is done with the others.
 *
 * Wait for all: all entries are granted together or none is. Locks are taken
 * all at once or not at all. A waiter that has failed for 1 ms may, one waiter
 * at a time, keep the locks that it gets while it waits for the rest. If that
 * takes too long it releases them and tries again. So waits for all cannot
 * deadlock, with each other or with anyone, and none is overtaken for ever.
 *
 * Of a wait for all, each condition (all but locks and permits) was true when
 * looked at, while the locks were held.
 *
 * May sleep.
 *
 * Return: any: the index of what was granted; all: 0; or -1 with errno EBADF
 * (an entry's descriptor is none, or is read-only and @op is not a wait),
 * EDEADLK (all: a Mutex or an RWMutex is asked for twice), EFAULT, EINTR,
 * EINVAL, ENOMEM, ENOTTY (@op does not suit @fd), ERANGE (as
 * GOSYNC_IOC_RWMUTEX_RLOCK), ESTALE (an entry's holder was broken), ETIMEDOUT.
 */
struct gosync_wait_many_args {
	__u32 size;
	__u32 flags;
	__aligned_u64 deadline;
	__aligned_u64 entries;
	__u32 count;
	__u32 entry_size;
};

#define GOSYNC_IOC_WAIT	_IO(GOSYNC_IOC_TYPE, 0x8a)	/* on /dev/gosync */

/* --- io_uring ------------------------------------------------------------ */

/**
 * struct gosync_uring - the 16 bytes of command in an IORING_OP_URING_CMD
 * @deadline: when to give up, of what waits; otherwise 0
 * @flags: as the ioctl's, or GOSYNC_CANCEL_ALL
 * @index: ATOMIC_WAIT, ATOMIC_WAKE: which word; otherwise 0
 *
 * The SQE's fd is the object's, its cmd_op the number of the ioctl, and its
 * addr what that needs besides:
 *
 * =====================================  ====================================
 * cmd_op GOSYNC_IOC_...                  addr
 * =====================================  ====================================
 * MUTEX_LOCK, _UNLOCK, RWMUTEX_LOCK,     0
 * _UNLOCK, _RLOCK, _RUNLOCK, ONCE_BEGIN,
 * _DONE, _WAIT, WAITGROUP_WAIT,
 * COND_SIGNAL, _BROADCAST
 * SEMAPHORE_ACQUIRE, _RELEASE            how many permits
 * WAITGROUP_ADD                          what to add, signed
 * ATOMIC_WAIT                            what the word is no longer to be
 * ATOMIC_WAKE                            how many to wake at the most
 * VALUE_WAIT, MAP_WAIT                   what the version is no longer to be
 * COND_WAIT                              descriptor of the lock
 * WAIT (on /dev/gosync)                  pointer to &struct gosync_wait_many_args,
 *                                        of which size and deadline are used as
 *                                        there (this @deadline and @flags: 0);
 *                                        for any only
 * CANCEL                                 user_data of the command to cancel, or
 *                                        0 with GOSYNC_CANCEL_ALL
 * =====================================  ====================================
 *
 * len and all other fields of an SQE of this opcode must be 0. The CQE's res is
 * what the ioctl returns, or the negative errno. No thread waits for the grant.
 * A lock that is asked for in this way is handed over in its turn; the command
 * never competes for it.
 *
 * CANCEL is for commands of the same ring on the same open file description. It
 * returns how many commands it ended, each with ECANCELED. It fails with ENOENT
 * if there was none; the command may just have been granted. io_uring's own
 * cancellation and time-outs do not reach these commands.
 *
 * A command ends with ECANCELED when nobody has a descriptor any more of its
 * object, of one of its entries, or of a Cond's lock. A file registered with a
 * ring counts as a descriptor. The command ends before close(2) has returned.
 * A grant that nobody was told of is released at once, not poisoned. So is a
 * grant to a ring that is being torn down.
 *
 * A worker of the kernel's tears a ring down, some time after close(2), or after
 * its process was waited for. Until then its commands wait, and have what they
 * were granted.
 *
 * COND_WAIT: as with the ioctl, the lock is held when the command ends, also by
 * @deadline, but not after ECANCELED.
 */
struct gosync_uring {
	__aligned_u64 deadline;
	__u32 flags;
	__u32 index;
};

/* On the descriptor that the commands are under way on; only by io_uring */
#define GOSYNC_IOC_CANCEL	_IO(GOSYNC_IOC_TYPE, 0x8b)

#endif /* _UAPI_LINUX_GOSYNC_H */
