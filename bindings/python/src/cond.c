// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * gosync.Cond: the wait itself. The rest, which is as in threading.Condition, is
 * in Python.
 */
#include <sys/ioctl.h>

#include "gosync-py.h"

static int open_cond(const char *name, unsigned int flags, unsigned int mode,
		     const void *Py_UNUSED(more), void **handle)
{
	return gosync_cond_open(name, flags, mode, (gosync_cond_t **)handle);
}

static PyObject *new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
	static char *names[] = { "name", OPTIONS_NAMES, NULL };
	struct options options = OPTIONS_INIT;

	if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|" FIRST_FORMAT "$"
					 OPTIONS_FORMAT ":Cond", names,
					 FIRST(&options), OPTIONS(&options)))
		return NULL;
	return gosync_py_open(type, &options, 0, open_cond, NULL);
}

/*
 * The wait is made here and not by the library: a handler in Python is to run while
 * the lock is not held, and the wait is to go on at its old place after it. The
 * library's interruptible wait ends with the lock, and so gives up its place.
 *
 * If the handler raises, the wait is asked to end, by a deadline that has passed. It
 * then returns with the lock. A signal that came all the same is for the next waiter.
 */
static int wait_for_signal(gosync_cond_t *cond, void *lock, uint64_t deadline,
			   unsigned int flags)
{
	struct gosync_cond_wait_args args = {
		.size = sizeof(args),
		.flags = flags,
		.deadline = deadline,
	};
	PyThreadState *thread;
	bool raised = false;
	int ret;

	do {
		args.lock = gosync_fd(lock);
		thread = PyEval_SaveThread();
		ret = ioctl(gosync_fd(cond), GOSYNC_IOC_COND_WAIT, &args);
		if (ret < 0)
			ret = -errno;
		PyEval_RestoreThread(thread);
		if (ret == -EINTR && !raised && PyErr_CheckSignals()) {
			raised = true;
			args.deadline = 1;
		}
	} while (ret == -EINTR);
	if (!raised)
		return ret;
	if (ret >= 0)
		gosync_cond_signal(cond);
	return RAISED;
}

/* What was waited with: a Mutex, or a side of an RWMutex */
static struct object *lock_of(struct state *state, PyObject *arg,
			      const struct lock **lock)
{
	struct object *object = (struct object *)arg;

	*lock = &gosync_py_mutex;
	if (PyObject_TypeCheck(arg, state->types[GOSYNC_MUTEX]))
		return object;
	*lock = gosync_py_side(state, arg, &object);
	if (*lock)
		return object;
	PyErr_SetString(PyExc_TypeError,
			"the lock of a Cond is a Mutex, or a side of an RWMutex");
	return NULL;
}

PyDoc_STRVAR(wait_doc,
"_wait($self, lock, timeout=None)\n--\n\n"
"Unlock, wait for a signal, lock again. The lock is held in any case.\n\n"
"Return 0 or 1 if signalled, 1: the lock is poisoned; 2 if timeout came first.");

static PyObject *wait(PyObject *obj, PyObject *args)
{
	struct object *self = (struct object *)obj, *other;
	PyObject *lock_arg, *timeout = NULL;
	void *lock_handle, *handle;
	const struct lock *lock;
	uint64_t deadline;
	int ret = RAISED;

	if (!PyArg_ParseTuple(args, "O|O:_wait", &lock_arg, &timeout) ||
	    gosync_py_deadline(timeout, TIMEOUT, &deadline))
		return NULL;
	other = lock_of(self->state, lock_arg, &lock);
	lock_handle = other ? gosync_py_hold(other) : NULL;
	if (!lock_handle)
		return NULL;
	handle = gosync_py_hold(self);
	if (handle) {
		ret = wait_for_signal(handle, lock_handle, deadline,
				      lock == &gosync_py_reader ?
				      GOSYNC_READ_SIDE : 0);
		gosync_py_drop(self);
	}
	gosync_py_drop(other);
	if (ret == -ETIMEDOUT)
		ret = 2;
	if (ret < 0) {
		gosync_py_raise(self, lock->unlock_op, ret);
		return NULL;
	}
	return PyLong_FromLong(ret);
}

static PyObject *wake(struct object *self, int (*how)(gosync_cond_t *cond))
{
	void *handle = handle_of(self);

	if (!handle)
		return NULL;
	return none_or_raise(self, GOSYNC_IOC_COND_SIGNAL, how(handle));
}

static PyObject *signal_one(PyObject *self, PyObject *Py_UNUSED(unused))
{
	return wake((struct object *)self, gosync_cond_signal);
}

static PyObject *broadcast(PyObject *self, PyObject *Py_UNUSED(unused))
{
	return wake((struct object *)self, gosync_cond_broadcast);
}

static PyMethodDef methods[] = {
	{ "_wait", wait, METH_VARARGS, wait_doc },
	{ "signal", signal_one, METH_NOARGS,
	  "signal($self, /)\n--\n\n"
	  "Wake the longest waiter. The caller may hold the lock, but need not." },
	{ "broadcast", broadcast, METH_NOARGS,
	  "broadcast($self, /)\n--\n\n"
	  "Wake all waiters. The caller may hold the lock, but need not." },
	{}
};

static PyType_Slot slots[] = {
	{ Py_tp_new, new },
	{ Py_tp_dealloc, gosync_py_dealloc },
	{ Py_tp_traverse, gosync_py_traverse },
	{ Py_tp_clear, gosync_py_clear },
	{ Py_tp_methods, methods },
	{}
};

static PyType_Spec spec = {
	.name = "gosync._gosync.Cond",
	.basicsize = sizeof(struct object),
	.flags = OBJECT_FLAGS,
	.slots = slots,
};

int gosync_py_add_cond(struct state *state, PyObject *module)
{
	return gosync_py_type(state, module, &spec, GOSYNC_COND) ? 0 : -1;
}
