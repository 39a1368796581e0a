// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * gosync.Mutex
 */
#include "gosync-py.h"

static int try_lock(void *handle)
{
	return gosync_mutex_trylock(handle);
}

static int lock_until(void *handle, uint64_t deadline, unsigned int flags,
		      void *Py_UNUSED(arg))
{
	return gosync_mutex_lock_until(handle, deadline, flags);
}

static int unlock(void *handle)
{
	return gosync_mutex_unlock(handle);
}

static int recover_it(void *handle)
{
	return gosync_mutex_recover(handle);
}

const struct lock gosync_py_mutex = {
	.try = try_lock,
	.until = lock_until,
	.unlock = unlock,
	.recover = recover_it,
	.lock_op = GOSYNC_IOC_MUTEX_LOCK,
	.unlock_op = GOSYNC_IOC_MUTEX_UNLOCK,
};

static int open_mutex(const char *name, unsigned int flags, unsigned int mode,
		      const void *Py_UNUSED(more), void **handle)
{
	return gosync_mutex_open(name, flags, mode, (gosync_mutex_t **)handle);
}

static PyObject *new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
	static char *names[] = { "name", OPTIONS_NAMES, "errorcheck", "repair",
				 NULL };
	struct options options = OPTIONS_INIT;
	PyObject *repair = NULL, *self;
	int errorcheck = 0;

	if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|" FIRST_FORMAT "$"
					 OPTIONS_FORMAT "pO:Mutex", names,
					 FIRST(&options), OPTIONS(&options),
					 &errorcheck, &repair))
		return NULL;
	self = gosync_py_open(type, &options, errorcheck ? GOSYNC_ERRORCHECK : 0,
			      open_mutex, NULL);
	if (self && repair)
		((struct object *)self)->repair = Py_NewRef(repair);
	return self;
}

PyDoc_STRVAR(acquire_doc,
"acquire" ACQUIRE_SIGNATURE "\n--\n\n"
"Lock, and return True; return False if it was not to be had in time.\n\n"
"blocking, timeout: as threading.Lock.acquire(). timeout may be None, too.\n"
"poisoned_ok: if an owner died with the lock, return POISONED, which is true,\n"
"with the lock held. Otherwise call the hook repair, or raise OwnerDied\n"
"without the lock.");

static PyObject *acquire(PyObject *self, PyObject *args, PyObject *kwargs)
{
	return gosync_py_acquire((struct object *)self, &gosync_py_mutex, args,
				 kwargs);
}

PyDoc_STRVAR(release_doc,
"release($self, /)\n--\n\n"
"Unlock. If it is not locked raise NotLocked, which is a RuntimeError, too.\n\n"
"As with threading.Lock, anyone may unlock, unless it is errorcheck.");

static PyObject *release(PyObject *self, PyObject *Py_UNUSED(unused))
{
	return gosync_py_release((struct object *)self, &gosync_py_mutex);
}

/* "with" is what people write most, so it goes without struct lock. */
static PyObject *enter(PyObject *obj, PyObject *Py_UNUSED(unused))
{
	struct object *self = (struct object *)obj;

	int ret = likely(self->handle) ? gosync_mutex_trylock(self->handle) : -EBUSY;

	if (unlikely(ret == -EBUSY))
		return gosync_py_enter(self, &gosync_py_mutex);
	return gosync_py_locked(self, &gosync_py_mutex, ret, 0);
}

static PyObject *leave(PyObject *obj, PyObject *const *Py_UNUSED(args),
		       Py_ssize_t Py_UNUSED(n))
{
	struct object *self = (struct object *)obj;

	if (unlikely(!handle_of(self)))
		return NULL;
	return none_or_raise(self, GOSYNC_IOC_MUTEX_UNLOCK,
			     gosync_mutex_unlock(self->handle));
}

PyDoc_STRVAR(locked_doc,
"locked($self, /)\n--\n\n"
"Return whether anybody has the lock.");

static PyObject *locked(PyObject *obj, PyObject *Py_UNUSED(unused))
{
	struct object *self = (struct object *)obj;
	void *handle = handle_of(self);
	struct gosync_info info;
	int ret = handle ? gosync_info(handle, &info) : RAISED;

	if (ret) {
		gosync_py_raise(self, GOSYNC_IOC_INFO, ret);
		return NULL;
	}
	return PyBool_FromLong(info.word & GOSYNC_MUTEX_LOCKED);
}

PyDoc_STRVAR(recover_doc,
"recover($self, /)\n--\n\n"
"Declare what the lock protects to be right again, with the lock held.\n\n"
"Until then each acquire() after the death of an owner raises OwnerDied.");

static PyObject *recover(PyObject *obj, PyObject *Py_UNUSED(unused))
{
	struct object *self = (struct object *)obj;
	void *handle = handle_of(self);

	if (!handle)
		return NULL;
	return none_or_raise(self, GOSYNC_IOC_MUTEX_RECOVER,
			     gosync_mutex_recover(handle));
}

PyDoc_STRVAR(token_doc,
"token($self, /)\n--\n\n"
"Return the fencing token, a number that grows with each acquisition.\n\n"
"A store that remembers the largest token it has seen can refuse a writer that\n"
"was stopped, presumed dead and replaced.");

static PyObject *token(PyObject *obj, PyObject *Py_UNUSED(unused))
{
	struct object *self = (struct object *)obj;
	void *handle = handle_of(self);
	uint64_t number;
	int ret = handle ? gosync_mutex_token(handle, &number) : RAISED;

	if (ret) {
		gosync_py_raise(self, GOSYNC_IOC_MUTEX_LOCK, ret);
		return NULL;
	}
	return PyLong_FromUnsignedLongLong(number);
}

static PyMethodDef methods[] = {
	{ "acquire", METHOD(acquire), KEYWORDS, acquire_doc },
	{ "release", release, METH_NOARGS, release_doc },
	{ "__enter__", enter, METH_NOARGS,
	  "__enter__($self, /)\n--\n\nLock, for as long as it takes." },
	{ "__exit__", METHOD(leave), METH_FASTCALL,
	  "__exit__($self, /, *exc_info)\n--\n\nUnlock." },
	{ "locked", locked, METH_NOARGS, locked_doc },
	{ "recover", recover, METH_NOARGS, recover_doc },
	{ "token", token, METH_NOARGS, token_doc },
	{}
};

static PyMemberDef members[] = {
	{ "repair", T_OBJECT, offsetof(struct object, repair), 0,
	  "Called as repair(lock), with the lock held, when an owner has died.\n\n"
	  "If it returns, the lock is recovered. If it raises, the lock is released,\n"
	  "and the next owner is told. None: OwnerDied is raised." },
	{}
};

PyDoc_STRVAR(doc,
"Mutex(name=None, *, " OPTIONS_SIGNATURE ", errorcheck=False, repair=None)\n--\n\n"
"A lock with one owner, between processes: Go's sync.Mutex.\n\n"
"    lock = gosync.Mutex('accounts')\n"
"    with lock:\n"
"        ...\n\n"
"It has the methods of threading.Lock and multiprocessing.Lock. If its owner\n"
"dies the kernel unlocks it, and the next owner is told: 'with' and acquire()\n"
"raise OwnerDied, without the lock, until somebody has called recover(). For\n"
"that, acquire(poisoned_ok=True), repair what the lock protects, and recover();\n"
"or give a hook that does the repair.\n\n"
"It is not recursive. All threads that use this object are one owner, and it\n"
"excludes them from each other."
OPTIONS_DOC "\n"
"errorcheck: only the owner may unlock.\n"
"repair: the hook, see the attribute.");

static PyType_Slot slots[] = {
	{ Py_tp_doc, (void *)doc },
	{ Py_tp_new, new },
	{ Py_tp_dealloc, gosync_py_dealloc },
	{ Py_tp_traverse, gosync_py_traverse },
	{ Py_tp_clear, gosync_py_clear },
	{ Py_tp_methods, methods },
	{ Py_tp_members, members },
	{}
};

static PyType_Spec spec = {
	.name = "gosync.Mutex",
	.basicsize = sizeof(struct object),
	.flags = OBJECT_FLAGS,
	.slots = slots,
};

int gosync_py_add_mutex(struct state *state, PyObject *module)
{
	return gosync_py_type(state, module, &spec, GOSYNC_MUTEX) ? 0 : -1;
}
