// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * gosync.WaitGroup, without go(), which is in Python
 */
#include "gosync-py.h"

static int open_waitgroup(const char *name, unsigned int flags, unsigned int mode,
			  const void *Py_UNUSED(more), void **handle)
{
	return gosync_waitgroup_open(name, flags, mode,
				     (gosync_waitgroup_t **)handle);
}

static PyObject *new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
	static char *names[] = { "name", OPTIONS_NAMES, NULL };
	struct options options = OPTIONS_INIT;

	if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|" FIRST_FORMAT "$"
					 OPTIONS_FORMAT ":WaitGroup", names,
					 FIRST(&options), OPTIONS(&options)))
		return NULL;
	return gosync_py_open(type, &options, 0, open_waitgroup, NULL);
}

static PyObject *change(struct object *self, int delta)
{
	void *handle = handle_of(self);

	if (!handle)
		return NULL;
	return none_or_raise(self, GOSYNC_IOC_WAITGROUP_ADD,
			     gosync_waitgroup_add(handle, delta));
}

static PyObject *add(PyObject *self, PyObject *args, PyObject *kwargs)
{
	static char *names[] = { "delta", NULL };
	int delta = 1;

	if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|i:add", names, &delta))
		return NULL;
	return change((struct object *)self, delta);
}

static PyObject *done(PyObject *self, PyObject *Py_UNUSED(unused))
{
	return change((struct object *)self, -1);
}

static int wait_until(void *handle, uint64_t deadline, unsigned int flags,
		      void *Py_UNUSED(arg))
{
	return gosync_waitgroup_wait_until(handle, deadline, flags);
}

PyDoc_STRVAR(wait_doc,
"wait($self, timeout=None)\n--\n\n"
"Wait until the counter is 0, and return True; return False if timeout came first.");

static PyObject *wait(PyObject *obj, PyObject *args, PyObject *kwargs)
{
	static char *names[] = { "timeout", NULL };
	struct object *self = (struct object *)obj;
	PyObject *timeout = NULL;
	uint64_t deadline;
	void *handle;
	int ret;

	if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|O:wait", names, &timeout) ||
	    gosync_py_deadline(timeout, TIMEOUT, &deadline))
		return NULL;
	handle = handle_of(self);
	if (!handle)
		return NULL;
	ret = gosync_waitgroup_count(handle);
	if (ret)
		ret = gosync_py_wait(self, wait_until, deadline, NULL, NULL);
	if (!ret)
		Py_RETURN_TRUE;
	if (is_no(ret))
		Py_RETURN_FALSE;
	gosync_py_raise(self, GOSYNC_IOC_WAITGROUP_WAIT, ret);
	return NULL;
}

static PyObject *count(PyObject *obj, PyObject *Py_UNUSED(unused))
{
	struct object *self = (struct object *)obj;
	void *handle = handle_of(self);
	int n = handle ? gosync_waitgroup_count(handle) : RAISED;

	if (n < 0) {
		gosync_py_raise(self, GOSYNC_IOC_INFO, n);
		return NULL;
	}
	return PyLong_FromLong(n);
}

static PyMethodDef methods[] = {
	{ "add", METHOD(add), KEYWORDS,
	  "add($self, delta=1)\n--\n\n"
	  "Change the counter. If it becomes 0, all who wait at this moment go on." },
	{ "done", done, METH_NOARGS, "done($self, /)\n--\n\nSubtract 1." },
	{ "wait", METHOD(wait), KEYWORDS, wait_doc },
	{ "count", count, METH_NOARGS, "count($self, /)\n--\n\nReturn the counter." },
	{}
};

PyDoc_STRVAR(doc,
"WaitGroup(name=None, *, " OPTIONS_SIGNATURE ")\n--\n\n"
"A counter, and waiting until it is 0: Go's sync.WaitGroup.\n\n"
"It counts the parts of a job that are not done yet. The counter belongs to\n"
"nobody: a process that dies takes nothing back."
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
	.name = "gosync._gosync.WaitGroup",
	.basicsize = sizeof(struct object),
	.flags = OBJECT_FLAGS,
	.slots = slots,
};

int gosync_py_add_waitgroup(struct state *state, PyObject *module)
{
	return gosync_py_type(state, module, &spec, GOSYNC_WAITGROUP) ? 0 : -1;
}
