// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * gosync.Once
 */
#include "gosync-py.h"

static int open_once(const char *name, unsigned int flags, unsigned int mode,
		     const void *Py_UNUSED(more), void **handle)
{
	return gosync_once_open(name, flags, mode, (gosync_once_t **)handle);
}

static PyObject *new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
	static char *names[] = { "name", OPTIONS_NAMES, NULL };
	struct options options = OPTIONS_INIT;

	if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|" FIRST_FORMAT "$"
					 OPTIONS_FORMAT ":Once", names,
					 FIRST(&options), OPTIONS(&options)))
		return NULL;
	return gosync_py_open(type, &options, 0, open_once, NULL);
}

static int begin_until(void *handle, uint64_t deadline, unsigned int flags,
		       void *Py_UNUSED(arg))
{
	return gosync_once_begin_until(handle, deadline, flags);
}

static int wait_until(void *handle, uint64_t deadline, unsigned int flags,
		      void *Py_UNUSED(arg))
{
	return gosync_once_wait_until(handle, deadline, flags);
}

/* A runner whose handle was closed during the wait */
static void abandon_it(void *handle, void *Py_UNUSED(arg))
{
	gosync_once_abandon(handle);
}

/*
 * Return: GOSYNC_ONCE_DONE, GOSYNC_ONCE_RUN, GOSYNC_ONCE_RUN_AGAIN, -errno, or
 * RAISED
 */
static int begin_it(struct object *self, uint64_t deadline)
{
	void *handle = handle_of(self);
	int ret = handle ? gosync_once_is_done(handle) : RAISED;

	if (ret < 0)
		return ret;
	if (ret)
		return GOSYNC_ONCE_DONE;
	return gosync_py_wait(self, begin_until, deadline, NULL, abandon_it);
}

PyDoc_STRVAR(begin_doc,
"begin($self, timeout=None)\n--\n\n"
"Return DONE when it has been done, or RUN or RUN_AGAIN: the caller is to do it.\n\n"
"Then call done(), or abandon(). RUN_AGAIN: an earlier runner ended before it had\n"
"done it. Raise TimeoutError if somebody else runs it for longer than timeout.");

static PyObject *begin(PyObject *obj, PyObject *args, PyObject *kwargs)
{
	static char *names[] = { "timeout", NULL };
	struct object *self = (struct object *)obj;
	PyObject *timeout = NULL;
	uint64_t deadline;
	int ret;

	if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|O:begin", names, &timeout) ||
	    gosync_py_deadline(timeout, TIMEOUT, &deadline))
		return NULL;
	ret = begin_it(self, deadline);
	if (ret < 0) {
		gosync_py_raise(self, GOSYNC_IOC_ONCE_BEGIN, ret);
		return NULL;
	}
	return PyLong_FromLong(ret);
}

static PyObject *finish(struct object *self)
{
	void *handle = handle_of(self);

	if (!handle)
		return NULL;
	return none_or_raise(self, GOSYNC_IOC_ONCE_DONE, gosync_once_done(handle));
}

static PyObject *done(PyObject *self, PyObject *Py_UNUSED(unused))
{
	return finish((struct object *)self);
}

static PyObject *abandon(PyObject *obj, PyObject *Py_UNUSED(unused))
{
	struct object *self = (struct object *)obj;
	void *handle = handle_of(self);

	if (!handle)
		return NULL;
	return none_or_raise(self, GOSYNC_IOC_ONCE_ABANDON,
			     gosync_once_abandon(handle));
}

/* Abandon because of the exception that is set, which stays set. */
static void abandon_raised(struct object *self)
{
	PyObject *type, *value, *traceback;

	PyErr_Fetch(&type, &value, &traceback);
	if (self->handle)
		gosync_once_abandon(self->handle);
	PyErr_Restore(type, value, traceback);
}

PyDoc_STRVAR(do_doc,
"do($self, function, /, *args, **kwargs)\n--\n\n"
"Have it done once, among all processes; return when it has been done.\n\n"
"Return True if this call has done it. Of all callers one calls the function. If\n"
"that one dies, or if its function raises, the next one calls its own.");

static PyObject *do_it(PyObject *obj, PyObject *args, PyObject *kwargs)
{
	struct object *self = (struct object *)obj;
	Py_ssize_t n = PyTuple_Size(args);
	PyObject *rest, *result;
	int ret;

	if (n < 1) {
		PyErr_SetString(PyExc_TypeError, "do() wants a function");
		return NULL;
	}
	ret = begin_it(self, GOSYNC_FOREVER);
	if (ret == GOSYNC_ONCE_DONE)
		Py_RETURN_FALSE;
	if (ret < 0) {
		gosync_py_raise(self, GOSYNC_IOC_ONCE_BEGIN, ret);
		return NULL;
	}
	rest = PyTuple_GetSlice(args, 1, n);
	result = rest ? PyObject_Call(PyTuple_GetItem(args, 0), rest, kwargs) : NULL;
	Py_XDECREF(rest);
	if (!result) {
		abandon_raised(self);
		return NULL;
	}
	Py_DECREF(result);
	result = finish(self);
	if (!result)
		return NULL;
	Py_DECREF(result);
	Py_RETURN_TRUE;
}

static PyObject *ask_done(struct object *self, long *is_done)
{
	void *handle = handle_of(self);
	int ret = handle ? gosync_once_is_done(handle) : RAISED;

	if (ret < 0) {
		gosync_py_raise(self, GOSYNC_IOC_INFO, ret);
		return NULL;
	}
	*is_done = ret;
	return PyBool_FromLong(ret);
}

static PyObject *is_done(PyObject *self, PyObject *Py_UNUSED(unused))
{
	long unused;

	return ask_done((struct object *)self, &unused);
}

PyDoc_STRVAR(wait_doc,
"wait($self, timeout=None)\n--\n\n"
"Wait until it has been done, and return True; return False if timeout came first.\n\n"
"Unlike do() and begin() it never makes the caller do it.");

static PyObject *wait(PyObject *obj, PyObject *args, PyObject *kwargs)
{
	static char *names[] = { "timeout", NULL };
	struct object *self = (struct object *)obj;
	PyObject *timeout = NULL;
	uint64_t deadline;
	int ret;

	if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|O:wait", names, &timeout) ||
	    gosync_py_deadline(timeout, TIMEOUT, &deadline))
		return NULL;
	ret = gosync_py_wait(self, wait_until, deadline, NULL, NULL);
	if (!ret)
		Py_RETURN_TRUE;
	if (is_no(ret))
		Py_RETURN_FALSE;
	gosync_py_raise(self, GOSYNC_IOC_ONCE_WAIT, ret);
	return NULL;
}

PyDoc_STRVAR(enter_doc,
"__enter__($self, /)\n--\n\n"
"Return True if the block is to do it; False: it has been done.\n\n"
"The end of the block says that it has been done, and an exception that leaves\n"
"the block abandons it.");

static PyObject *enter(PyObject *obj, PyObject *Py_UNUSED(unused))
{
	struct object *self = (struct object *)obj;
	int ret = begin_it(self, GOSYNC_FOREVER);

	if (ret < 0) {
		gosync_py_raise(self, GOSYNC_IOC_ONCE_BEGIN, ret);
		return NULL;
	}
	return PyBool_FromLong(ret != GOSYNC_ONCE_DONE);
}

/* It is done, or this block runs it: __enter__() returns for nothing else. */
static PyObject *leave(PyObject *obj, PyObject *const *args, Py_ssize_t n)
{
	struct object *self = (struct object *)obj;
	long already;
	PyObject *ret = ask_done(self, &already);

	if (!ret)
		return NULL;
	Py_DECREF(ret);
	if (already)
		Py_RETURN_NONE;
	if (n && !Py_IsNone(args[0]))
		return abandon(obj, NULL);
	return finish(self);
}

static PyMethodDef methods[] = {
	{ "do", METHOD(do_it), KEYWORDS, do_doc },
	{ "begin", METHOD(begin), KEYWORDS, begin_doc },
	{ "done", done, METH_NOARGS,
	  "done($self, /)\n--\n\nSay that it has been done. The second half of begin()." },
	{ "abandon", abandon, METH_NOARGS,
	  "abandon($self, /)\n--\n\n"
	  "Take begin() back. The next waiter is to do it, and gets RUN_AGAIN." },
	{ "is_done", is_done, METH_NOARGS,
	  "is_done($self, /)\n--\n\nReturn whether it has been done." },
	{ "wait", METHOD(wait), KEYWORDS, wait_doc },
	{ "__enter__", enter, METH_NOARGS, enter_doc },
	{ "__exit__", METHOD(leave), METH_FASTCALL,
	  "__exit__($self, /, *exc_info)\n--\n\nSay that it is done, or abandon it." },
	{}
};

PyDoc_STRVAR(doc,
"Once(name=None, *, " OPTIONS_SIGNATURE ")\n--\n\n"
"Something that is done once, among all processes: Go's sync.Once.\n\n"
"    with gosync.Once('schema', persist=True) as first:\n"
"        if first:\n"
"            create_tables()\n\n"
"The others return when it has been done, and not before. If the runner dies, the\n"
"next waiter does it. With persist it stays done when nobody has it open."
OPTIONS_DOC);

static PyType_Slot slots[] = {
	{ Py_tp_doc, (void *)doc },
	{ Py_tp_new, new },
	{ Py_tp_dealloc, gosync_py_dealloc },
	{ Py_tp_traverse, gosync_py_traverse },
	{ Py_tp_clear, gosync_py_clear },
	{ Py_tp_methods, methods },
	{}
};

static PyType_Spec spec = {
	.name = "gosync.Once",
	.basicsize = sizeof(struct object),
	.flags = OBJECT_FLAGS,
	.slots = slots,
};

int gosync_py_add_once(struct state *state, PyObject *module)
{
	return gosync_py_type(state, module, &spec, GOSYNC_ONCE) ? 0 : -1;
}
