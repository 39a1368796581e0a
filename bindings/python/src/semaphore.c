// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * gosync.Semaphore
 */
#include "gosync-py.h"

static int open_semaphore(const char *name, unsigned int flags, unsigned int mode,
			  const void *more, void **handle)
{
	return gosync_semaphore_open(name, *(const unsigned int *)more, flags,
				     mode, (gosync_semaphore_t **)handle);
}

static PyObject *new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
	static char *names[] = { "name", "value", OPTIONS_NAMES, "give_back",
				 NULL };
	struct options options = OPTIONS_INIT;
	int value = 1, give_back = 0;
	unsigned int permits;

	if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|" FIRST_FORMAT "i$"
					 OPTIONS_FORMAT "p:Semaphore", names,
					 FIRST(&options), &value,
					 OPTIONS(&options), &give_back))
		return NULL;
	if (value < 0) {
		Py_CLEAR(options.name);
		PyErr_SetString(PyExc_ValueError,
				"semaphore initial value must be >= 0");
		return NULL;
	}
	permits = value;
	return gosync_py_open(type, &options, give_back ? GOSYNC_GIVE_BACK : 0,
			      open_semaphore, &permits);
}

static int acquire_until(void *handle, uint64_t deadline, unsigned int flags,
			 void *n)
{
	return gosync_semaphore_acquire_until(handle, *(unsigned int *)n,
					      deadline, flags);
}

static void give_back(void *handle, void *n)
{
	gosync_semaphore_release(handle, *(unsigned int *)n);
}

static PyObject *get(struct object *self, struct acquire *a)
{
	void *handle = handle_of(self);
	int ret;

	if (!handle)
		return NULL;
	ret = gosync_semaphore_tryacquire(handle, a->n);
	if (ret == -EBUSY && !a->try)
		ret = gosync_py_wait(self, acquire_until, a->deadline, &a->n,
				     give_back);
	if (!ret)
		Py_RETURN_TRUE;
	if (is_no(ret))
		Py_RETURN_FALSE;
	gosync_py_raise(self, GOSYNC_IOC_SEMAPHORE_ACQUIRE, ret);
	return NULL;
}

PyDoc_STRVAR(acquire_doc,
"acquire($self, blocking=True, timeout=None, *, n=1)\n--\n\n"
"Take n permits, and return True; return False if they were not to be had in time.\n\n"
"First come, first served: who waits for many is not overtaken by one for few.\n"
"blocking, timeout: as threading.Semaphore.acquire().");

static PyObject *acquire(PyObject *obj, PyObject *args, PyObject *kwargs)
{
	struct acquire a = { .n = 1 };

	if (gosync_py_parse_acquire(args, kwargs, TIMEOUT, &a))
		return NULL;
	return get((struct object *)obj, &a);
}

static PyObject *enter(PyObject *obj, PyObject *Py_UNUSED(unused))
{
	struct acquire a = { .deadline = GOSYNC_FOREVER, .n = 1 };

	return get((struct object *)obj, &a);
}

static PyObject *give(struct object *self, unsigned int n)
{
	void *handle = handle_of(self);

	if (!handle)
		return NULL;
	return none_or_raise(self, GOSYNC_IOC_SEMAPHORE_RELEASE,
			     gosync_semaphore_release(handle, n));
}

PyDoc_STRVAR(release_doc,
"release($self, n=1)\n--\n\n"
"Add n permits.\n\n"
"With give_back, raise PermissionError if this handle has acquired fewer.");

static PyObject *release(PyObject *self, PyObject *args, PyObject *kwargs)
{
	static char *names[] = { "n", NULL };
	int n = 1;

	if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|i:release", names, &n))
		return NULL;
	if (n < 1) {
		PyErr_SetString(PyExc_ValueError, "n must be one or more");
		return NULL;
	}
	return give((struct object *)self, n);
}

static PyObject *leave(PyObject *self, PyObject *const *Py_UNUSED(args),
		       Py_ssize_t Py_UNUSED(n))
{
	return give((struct object *)self, 1);
}

static PyObject *get_value(PyObject *obj, PyObject *Py_UNUSED(unused))
{
	struct object *self = (struct object *)obj;
	void *handle = handle_of(self);
	int n = handle ? gosync_semaphore_count(handle) : RAISED;

	if (n < 0) {
		gosync_py_raise(self, GOSYNC_IOC_INFO, n);
		return NULL;
	}
	return PyLong_FromLong(n);
}

static PyObject *locked(PyObject *obj, PyObject *Py_UNUSED(unused))
{
	PyObject *value = get_value(obj, NULL);
	long n = value ? PyLong_AsLong(value) : 0;

	if (!value)
		return NULL;
	Py_DECREF(value);
	return PyBool_FromLong(!n);
}

PyDoc_STRVAR(set_limit_doc,
"set_limit($self, limit, /)\n--\n\n"
"Change how many permits there are in all.\n\n"
"Waiters get new ones at once. No holder loses any: those that are too many are\n"
"swallowed when they come back.");

static PyObject *set_limit(PyObject *obj, PyObject *arg)
{
	struct object *self = (struct object *)obj;
	long limit = PyLong_AsLong(arg);
	void *handle;

	if (limit == -1 && PyErr_Occurred())
		return NULL;
	handle = handle_of(self);
	if (!handle)
		return NULL;
	if (limit < 0 || limit > INT_MAX) {
		PyErr_SetString(PyExc_ValueError, "limit is out of its range");
		return NULL;
	}
	return none_or_raise(self, GOSYNC_IOC_SEMAPHORE_LIMIT,
			     gosync_semaphore_set_limit(handle, limit));
}

static PyMethodDef methods[] = {
	{ "acquire", METHOD(acquire), KEYWORDS, acquire_doc },
	{ "release", METHOD(release), KEYWORDS, release_doc },
	{ "__enter__", enter, METH_NOARGS,
	  "__enter__($self, /)\n--\n\nTake one permit, for as long as it takes." },
	{ "__exit__", METHOD(leave), METH_FASTCALL,
	  "__exit__($self, /, *exc_info)\n--\n\nAdd one permit." },
	{ "get_value", get_value, METH_NOARGS,
	  "get_value($self, /)\n--\n\n"
	  "Return how many permits there are, as multiprocessing.Semaphore does." },
	{ "locked", locked, METH_NOARGS,
	  "locked($self, /)\n--\n\nReturn whether there is no permit." },
	{ "set_limit", set_limit, METH_O, set_limit_doc },
	{}
};

PyDoc_STRVAR(doc,
"Semaphore(name=None, value=1, *, " OPTIONS_SIGNATURE ", give_back=False)\n--\n\n"
"A number of permits; waiters are served in their order.\n\n"
"    with gosync.Semaphore('downloads', 3, give_back=True):\n"
"        ...\n\n"
"It has the methods of threading.Semaphore and multiprocessing.Semaphore.\n"
"Permits belong to nobody, and those of a process that dies are lost, unless\n"
"it is made with give_back: then they are released when their holder ends."
OPTIONS_DOC "\n"
"value: how many permits it begins with, its limit. For a name that exists it\n"
"has to be the present limit, or 0.\n"
"give_back: permits belong to the holder that acquired them.");

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
	.name = "gosync.Semaphore",
	.basicsize = sizeof(struct object),
	.flags = OBJECT_FLAGS,
	.slots = slots,
};

int gosync_py_add_semaphore(struct state *state, PyObject *module)
{
	return gosync_py_type(state, module, &spec, GOSYNC_SEMAPHORE) ? 0 : -1;
}
