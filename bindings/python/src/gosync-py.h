/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the files of the extension module gosync._gosync share.
 *
 * It is compiled by the limited API of 3.11, the first that has buffers. So one
 * file serves 3.11 and all later versions.
 *
 * The rules for the GIL:
 *
 * - What makes no system call, or one that does not sleep, keeps it.
 * - What may sleep for somebody else first tries without sleeping, and keeps it
 *   for that. Only then it gives it up: see gosync_py_wait().
 * - A thread that gives it up while it uses a handle counts in @users. Another
 *   may close the object meanwhile; the last user then closes the handle.
 */
#ifndef GOSYNC_PY_H
#define GOSYNC_PY_H

#define Py_LIMITED_API		0x030b0000
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <structmember.h>

#include <errno.h>
#include <stdbool.h>

#include <gosync-user.h>

#define likely(x)	__builtin_expect(!!(x), 1)
#define unlikely(x)	__builtin_expect(!!(x), 0)

/* In place of an error number: a Python exception is set. */
#define RAISED		(-4096)

/**
 * struct state - the state of the module, one in each interpreter
 * @base: gosync.Object
 * @types: the types of objects, by &enum gosync_type
 * @side: gosync.Side, one of the two sides of an RWMutex
 * @owner_died: the exception OwnerDied
 * @holder_broken: the exception HolderBroken
 * @not_locked: the exception NotLocked
 */
struct state {
	PyTypeObject *base;
	PyTypeObject *types[GOSYNC_TYPE_MAX];
	PyTypeObject *side;
	PyObject *owner_died;
	PyObject *holder_broken;
	PyObject *not_locked;
};

/**
 * struct object - what the objects of all types begin with
 * @weakrefs: for weak references
 * @handle: the library's handle, NULL once it is closed
 * @last: a handle that is to be closed when nobody uses it any more
 * @users: how many threads use the handle without the GIL
 * @copy: in which copy of the process @users was counted
 * @state: of the module
 * @name: the name, NULL if it is anonymous
 * @repair: Mutex, RWMutex: what repairs after the death of an owner, or NULL
 * @flags: GOSYNC_RDONLY, GOSYNC_IOCTL_ONLY: as it was opened
 */
struct object {
	PyObject_HEAD
	PyObject *weakrefs;
	void *handle;
	void *last;
	unsigned int users;
	unsigned int copy;
	struct state *state;
	PyObject *name;
	PyObject *repair;
	unsigned int flags;
};

extern struct PyModuleDef gosync_py_module;

/* --- object.c: opening, closing, errors ------------------------------------ */

/**
 * struct options - how to open an object, as all types can be told
 * @name: a bytes object, or NULL
 * @create: None: unless it is to be read only
 * @exclusive: GOSYNC_EXCL
 * @mode: of an object that is created
 * @persist: GOSYNC_PERSIST
 * @readonly: GOSYNC_RDONLY
 * @own_page: GOSYNC_OWN_PAGE
 * @no_mmap: GOSYNC_NO_MMAP
 * @ioctl_only: GOSYNC_IOCTL_ONLY
 */
struct options {
	PyObject *name;
	PyObject *create;
	int exclusive;
	unsigned int mode;
	int persist;
	int readonly;
	int own_page;
	int no_mmap;
	int ioctl_only;
};

/* Stand behind a "|" with the type's own arguments between FIRST and OPTIONS. */
#define FIRST_FORMAT	"O&"
#define FIRST(o)	gosync_py_name, &(o)->name
#define OPTIONS_FORMAT	"OpIppppp"
#define OPTIONS_NAMES	"create", "exclusive", "mode", "persist", "readonly", \
			"own_page", "no_mmap", "ioctl_only"
#define OPTIONS(o)	&(o)->create, &(o)->exclusive, &(o)->mode, &(o)->persist, \
			&(o)->readonly, &(o)->own_page, &(o)->no_mmap, \
			&(o)->ioctl_only
#define OPTIONS_INIT	{ .mode = 0600 }
#define OPTIONS_SIGNATURE						\
	"create=None, exclusive=False, mode=0o600, persist=False, "	\
	"readonly=False, own_page=False, no_mmap=False, ioctl_only=False"
#define OPTIONS_DOC							\
	"\n\nname: a str, bytes or path of 1 to 255 bytes; None makes an\n" \
	"anonymous object, which other processes get by inheritance.\n"	\
	"create: make it if it is not there (the default, unless readonly).\n" \
	"exclusive: fail with FileExistsError if it is there.\n"	\
	"mode: permission bits if it is made; the umask does not apply.\n" \
	"persist: it stays when nobody has it open, until unlink(name).\n" \
	"readonly: observe only.\n"					\
	"own_page: let it share its page of memory with no other object.\n" \
	"no_mmap: nobody maps it, every operation is an ioctl.\n"	\
	"ioctl_only: this handle does not map it."

int gosync_py_name(PyObject *arg, void *bytes);

typedef int open_fn(const char *name, unsigned int flags, unsigned int mode,
		    const void *more, void **handle);

PyObject *gosync_py_open(PyTypeObject *type, struct options *options,
			 unsigned int more_flags, open_fn *open,
			 const void *more);

unsigned int gosync_py_type_of(struct state *state, PyTypeObject *class);
PyTypeObject *gosync_py_type(struct state *state, PyObject *module,
			     PyType_Spec *spec, unsigned int type);

/* The handle, or NULL with an exception if the object is closed */
static inline void *handle_of(struct object *self)
{
	if (unlikely(!self->handle))
		PyErr_SetString(PyExc_ValueError,
				"operation on a closed gosync object");
	return self->handle;
}

void *gosync_py_hold(struct object *self);
void gosync_py_drop(struct object *self);

int gosync_py_raise(struct object *self, unsigned int op, int err);

/* For functions that return None: NULL with an exception if @ret is an error */
static inline PyObject *none_or_raise(struct object *self, unsigned int op,
				      int ret)
{
	if (unlikely(ret < 0)) {
		gosync_py_raise(self, op, ret);
		return NULL;
	}
	Py_RETURN_NONE;
}

#define METHOD(f)	((PyCFunction)(void (*)(void))(f))
#define KEYWORDS	(METH_VARARGS | METH_KEYWORDS)

void gosync_py_dealloc(PyObject *self);
int gosync_py_traverse(PyObject *self, visitproc visit, void *arg);
int gosync_py_clear(PyObject *self);

#define OBJECT_FLAGS	(Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | \
			 Py_TPFLAGS_HAVE_GC)

/* --- wait.c: time, signals, the GIL ---------------------------------------- */

typedef int wait_fn(void *handle, uint64_t deadline, unsigned int flags,
		    void *arg);

/* What a time in seconds means: a lock's, as threading.Lock's, or another's */
enum timeout_kind { TIMEOUT_OF_LOCK, TIMEOUT };

int gosync_py_deadline(PyObject *timeout, enum timeout_kind kind,
		       uint64_t *deadline);
int gosync_py_wait(struct object *self, wait_fn *fn, uint64_t deadline,
		   void *arg, void (*give_back)(void *handle, void *arg));

/**
 * struct acquire - what acquire() was told
 * @deadline: until when to wait
 * @try: do not wait at all
 * @poisoned_ok: do not raise OwnerDied
 * @n: how many permits
 */
struct acquire {
	uint64_t deadline;
	int try;
	int poisoned_ok;
	unsigned int n;
};

int gosync_py_parse_acquire(PyObject *args, PyObject *kwargs,
			    enum timeout_kind kind, struct acquire *a);

/* Is the return of a wait "no"? Then it is no error. */
static inline bool is_no(int ret)
{
	return ret == -EBUSY || ret == -ETIMEDOUT;
}

/* --- lock.c: what a Mutex and both sides of an RWMutex have in common ------- */

/**
 * struct lock - how to lock
 * @try: without waiting
 * @until: until a deadline
 * @unlock: and unlock
 * @recover: say that it is repaired; NULL: this side cannot
 * @lock_op: the ioctl of @try and @until, for the words of an error
 * @unlock_op: that of @unlock
 */
struct lock {
	int (*try)(void *handle);
	wait_fn *until;
	int (*unlock)(void *handle);
	int (*recover)(void *handle);
	unsigned int lock_op;
	unsigned int unlock_op;
};

extern const struct lock gosync_py_mutex, gosync_py_reader, gosync_py_writer;

int gosync_py_lock(struct object *self, const struct lock *lock,
		   const struct acquire *a);
PyObject *gosync_py_locked(struct object *self, const struct lock *lock,
			   int ret, int poisoned_ok);
PyObject *gosync_py_acquire(struct object *self, const struct lock *lock,
			    PyObject *args, PyObject *kwargs);
PyObject *gosync_py_enter(struct object *self, const struct lock *lock);
PyObject *gosync_py_release(struct object *self, const struct lock *lock);

#define ACQUIRE_SIGNATURE "($self, blocking=True, timeout=-1, *, poisoned_ok=False)"

/* rwmutex.c: the RWMutex of a side, and how to lock it; NULL: it is no side */
const struct lock *gosync_py_side(struct state *state, PyObject *side,
				  struct object **rwmutex);

/* --- the types ------------------------------------------------------------- */

int gosync_py_add_mutex(struct state *state, PyObject *module);
int gosync_py_add_rwmutex(struct state *state, PyObject *module);
int gosync_py_add_semaphore(struct state *state, PyObject *module);
int gosync_py_add_waitgroup(struct state *state, PyObject *module);
int gosync_py_add_once(struct state *state, PyObject *module);
int gosync_py_add_cond(struct state *state, PyObject *module);
int gosync_py_add_value(struct state *state, PyObject *module);
int gosync_py_add_map(struct state *state, PyObject *module);
int gosync_py_add_words(struct state *state, PyObject *module);
int gosync_py_add_many(PyObject *module);

#endif /* GOSYNC_PY_H */
