// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * gosync.RWMutex, and gosync.Side: what its reader() and writer() return.
 */
#include "gosync-py.h"

static int try_write(void *handle)
{
	return gosync_rwmutex_trylock(handle);
}

static int write_until(void *handle, uint64_t deadline, unsigned int flags,
		       void *Py_UNUSED(arg))
{
	return gosync_rwmutex_lock_until(handle, deadline, flags);
}

static int write_unlock(void *handle)
{
	return gosync_rwmutex_unlock(handle);
}

static int recover_it(void *handle)
{
	return gosync_rwmutex_recover(handle);
}

static int try_read(void *handle)
{
	return gosync_rwmutex_tryrlock(handle);
}

static int read_until(void *handle, uint64_t deadline, unsigned int flags,
		      void *Py_UNUSED(arg))
{
	return gosync_rwmutex_rlock_until(handle, deadline, flags);
}

static int read_unlock(void *handle)
{
	return gosync_rwmutex_runlock(handle);
}

const struct lock gosync_py_writer = {
	.try = try_write,
	.until = write_until,
	.unlock = write_unlock,
	.recover = recover_it,
	.lock_op = GOSYNC_IOC_RWMUTEX_LOCK,
	.unlock_op = GOSYNC_IOC_RWMUTEX_UNLOCK,
};

const struct lock gosync_py_reader = {
	.try = try_read,
	.until = read_until,
	.unlock = read_unlock,
	.lock_op = GOSYNC_IOC_RWMUTEX_RLOCK,
	.unlock_op = GOSYNC_IOC_RWMUTEX_RUNLOCK,
};

/* --- a side ---------------------------------------------------------------- */

/**
 * struct side - one of the two sides
 * @rwmutex: whose
 * @lock: which
 */
struct side {
	PyObject_HEAD
	struct object *rwmutex;
	const struct lock *lock;
};

const struct lock *gosync_py_side(struct state *state, PyObject *obj,
				  struct object **rwmutex)
{
	struct side *side = (struct side *)obj;

	if (!PyObject_TypeCheck(obj, state->side))
		return NULL;
	*rwmutex = side->rwmutex;
	return side->lock;
}

static PyObject *make_side(struct object *self, const struct lock *lock)
{
	PyTypeObject *type = self->state->side;
	allocfunc new = PyType_GetSlot(type, Py_tp_alloc);
	struct side *side;

	if (!handle_of(self))
		return NULL;
	side = (struct side *)new(type, 0);
	if (side) {
		Py_INCREF((PyObject *)self);
		side->rwmutex = self;
		side->lock = lock;
	}
	return (PyObject *)side;
}

PyDoc_STRVAR(acquire_doc,
"acquire" ACQUIRE_SIGNATURE "\n--\n\n"
"Lock, as Mutex.acquire() does.\n\n"
"The hook repair is called by writers only. Readers raise OwnerDied until a\n"
"writer has recovered the lock.");

static PyObject *side_acquire(PyObject *obj, PyObject *args, PyObject *kwargs)
{
	struct side *side = (struct side *)obj;

	return gosync_py_acquire(side->rwmutex, side->lock, args, kwargs);
}

static PyObject *side_release(PyObject *obj, PyObject *Py_UNUSED(unused))
{
	struct side *side = (struct side *)obj;

	return gosync_py_release(side->rwmutex, side->lock);
}

static PyObject *side_enter(PyObject *obj, PyObject *Py_UNUSED(unused))
{
	struct side *side = (struct side *)obj;

	return gosync_py_enter(side->rwmutex, side->lock);
}

static PyObject *side_leave(PyObject *obj, PyObject *const *Py_UNUSED(args),
			    Py_ssize_t Py_UNUSED(n))
{
	return side_release(obj, NULL);
}

PyDoc_STRVAR(locked_doc,
"locked($self, /)\n--\n\n"
"Return whether a writer has the lock, or for the reader's side, any reader.");

static PyObject *side_locked(PyObject *obj, PyObject *Py_UNUSED(unused))
{
	struct side *side = (struct side *)obj;
	struct object *self = side->rwmutex;
	void *handle = handle_of(self);
	struct gosync_info info;
	int ret = handle ? gosync_info(handle, &info) : RAISED;

	if (ret) {
		gosync_py_raise(self, GOSYNC_IOC_INFO, ret);
		return NULL;
	}
	return PyBool_FromLong(side->lock == &gosync_py_writer ? info.owner :
			       info.readers);
}

static PyObject *side_reduce(PyObject *obj, PyObject *Py_UNUSED(unused))
{
	PyObject *module = PyImport_ImportModule("gosync._pickle"), *made;

	if (!module)
		return NULL;
	made = PyObject_CallMethod(module, "reduce_side", "O", obj);
	Py_DECREF(module);
	return made;
}

static PyObject *get_rwmutex(PyObject *obj, void *Py_UNUSED(unused))
{
	return Py_NewRef((PyObject *)((struct side *)obj)->rwmutex);
}

static PyObject *get_write(PyObject *obj, void *Py_UNUSED(unused))
{
	return PyBool_FromLong(((struct side *)obj)->lock == &gosync_py_writer);
}

static int side_traverse(PyObject *obj, visitproc visit, void *arg)
{
	Py_VISIT(Py_TYPE(obj));
	Py_VISIT(((struct side *)obj)->rwmutex);
	return 0;
}

static int side_clear(PyObject *Py_UNUSED(obj))
{
	/* The RWMutex breaks the cycle: it gives up its hook. */
	return 0;
}

static void side_dealloc(PyObject *obj)
{
	PyTypeObject *type = Py_TYPE(obj);
	freefunc free_it = PyType_GetSlot(type, Py_tp_free);

	PyObject_GC_UnTrack(obj);
	Py_CLEAR(((struct side *)obj)->rwmutex);
	free_it(obj);
	Py_DECREF(type);
}

static PyMethodDef side_methods[] = {
	{ "acquire", METHOD(side_acquire), KEYWORDS, acquire_doc },
	{ "release", side_release, METH_NOARGS,
	  "release($self, /)\n--\n\n"
	  "Unlock. If this handle has not locked this side raise NotLocked." },
	{ "__enter__", side_enter, METH_NOARGS,
	  "__enter__($self, /)\n--\n\nLock, for as long as it takes." },
	{ "__exit__", METHOD(side_leave), METH_FASTCALL,
	  "__exit__($self, /, *exc_info)\n--\n\nUnlock." },
	{ "locked", side_locked, METH_NOARGS, locked_doc },
	{ "__reduce__", side_reduce, METH_NOARGS, NULL },
	{}
};

static PyGetSetDef side_getset[] = {
	{ "rwmutex", get_rwmutex, NULL, "The RWMutex whose side it is.", NULL },
	{ "write", get_write, NULL, "Whether it is the writer's side.", NULL },
	{}
};

static PyType_Slot side_slots[] = {
	{ Py_tp_doc, "A side of an RWMutex: what reader() and writer() return." },
	{ Py_tp_dealloc, side_dealloc },
	{ Py_tp_traverse, side_traverse },
	{ Py_tp_clear, side_clear },
	{ Py_tp_methods, side_methods },
	{ Py_tp_getset, side_getset },
	{}
};

static PyType_Spec side_spec = {
	.name = "gosync.Side",
	.basicsize = sizeof(struct side),
	.flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC |
		 Py_TPFLAGS_DISALLOW_INSTANTIATION,
	.slots = side_slots,
};

/* --- the RWMutex ----------------------------------------------------------- */

static int open_rwmutex(const char *name, unsigned int flags, unsigned int mode,
			const void *Py_UNUSED(more), void **handle)
{
	return gosync_rwmutex_open(name, flags, mode,
				   (gosync_rwmutex_t **)handle);
}

static PyObject *new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
	static char *names[] = { "name", OPTIONS_NAMES, "errorcheck", "repair",
				 NULL };
	struct options options = OPTIONS_INIT;
	PyObject *repair = NULL, *self;
	int errorcheck = 0;

	if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|" FIRST_FORMAT "$"
					 OPTIONS_FORMAT "pO:RWMutex", names,
					 FIRST(&options), OPTIONS(&options),
					 &errorcheck, &repair))
		return NULL;
	self = gosync_py_open(type, &options, errorcheck ? GOSYNC_ERRORCHECK : 0,
			      open_rwmutex, NULL);
	if (self && repair)
		((struct object *)self)->repair = Py_NewRef(repair);
	return self;
}

static PyObject *reader(PyObject *self, PyObject *Py_UNUSED(unused))
{
	return make_side((struct object *)self, &gosync_py_reader);
}

static PyObject *writer(PyObject *self, PyObject *Py_UNUSED(unused))
{
	return make_side((struct object *)self, &gosync_py_writer);
}

PyDoc_STRVAR(recover_doc,
"recover($self, /)\n--\n\n"
"Declare what the lock protects to be right again, with the lock held to write.");

static PyObject *recover(PyObject *obj, PyObject *Py_UNUSED(unused))
{
	struct object *self = (struct object *)obj;
	void *handle = handle_of(self);

	if (!handle)
		return NULL;
	return none_or_raise(self, GOSYNC_IOC_RWMUTEX_RECOVER,
			     gosync_rwmutex_recover(handle));
}

PyDoc_STRVAR(token_doc,
"token($self, /)\n--\n\n"
"Return the fencing token of the last lock for writing: see Mutex.token().");

static PyObject *token(PyObject *obj, PyObject *Py_UNUSED(unused))
{
	struct object *self = (struct object *)obj;
	void *handle = handle_of(self);
	uint64_t number;
	int ret = handle ? gosync_rwmutex_token(handle, &number) : RAISED;

	if (ret) {
		gosync_py_raise(self, GOSYNC_IOC_RWMUTEX_LOCK, ret);
		return NULL;
	}
	return PyLong_FromUnsignedLongLong(number);
}

static PyMethodDef methods[] = {
	{ "reader", reader, METH_NOARGS,
	  "reader($self, /)\n--\n\n"
	  "Return the side that locks for reading, for 'with' and acquire()." },
	{ "writer", writer, METH_NOARGS,
	  "writer($self, /)\n--\n\n"
	  "Return the side that locks for writing, for 'with' and acquire()." },
	{ "recover", recover, METH_NOARGS, recover_doc },
	{ "token", token, METH_NOARGS, token_doc },
	{}
};

static PyMemberDef members[] = {
	{ "repair", T_OBJECT, offsetof(struct object, repair), 0,
	  "Called as repair(rwmutex), locked for writing, when a writer has died:\n"
	  "see Mutex.repair." },
	{}
};

PyDoc_STRVAR(doc,
"RWMutex(name=None, *, " OPTIONS_SIGNATURE ", errorcheck=False, repair=None)\n--\n\n"
"A lock for one writer or any number of readers: Go's sync.RWMutex.\n\n"
"    table = gosync.RWMutex('table')\n"
"    with table.reader():\n"
"        ...\n"
"    with table.writer():\n"
"        ...\n\n"
"A writer that waits stops new readers, so do not ask for a second read lock\n"
"while you have one. If a writer dies, the next one to lock, for reading or\n"
"writing, is told as with a Mutex. If a reader dies nobody is told."
OPTIONS_DOC "\n"
"errorcheck: only the owner may unlock what was locked for writing.\n"
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
	.name = "gosync.RWMutex",
	.basicsize = sizeof(struct object),
	.flags = OBJECT_FLAGS,
	.slots = slots,
};

int gosync_py_add_rwmutex(struct state *state, PyObject *module)
{
	state->side = (PyTypeObject *)PyType_FromModuleAndSpec(module, &side_spec,
							       NULL);
	if (!state->side || PyModule_AddType(module, state->side))
		return -1;
	return gosync_py_type(state, module, &spec, GOSYNC_RWMUTEX) ? 0 : -1;
}
