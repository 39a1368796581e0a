// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Waiting for several things at once, and for a name. What is a thing, and what a
 * result means, is in Python.
 */
#include "gosync-py.h"

/* What was granted in a wait that nobody is told of: give it back. */
static void give_back(const struct gosync_wait_entry *entry, void *handle)
{
	switch (entry->op) {
	case GOSYNC_IOC_MUTEX_LOCK:
		gosync_mutex_unlock(handle);
		break;
	case GOSYNC_IOC_RWMUTEX_LOCK:
		gosync_rwmutex_unlock(handle);
		break;
	case GOSYNC_IOC_RWMUTEX_RLOCK:
		gosync_rwmutex_runlock(handle);
		break;
	case GOSYNC_IOC_SEMAPHORE_ACQUIRE:
		gosync_semaphore_release(handle, entry->value);
		break;
	}
}

/**
 * struct many - a wait for several things
 * @objects: whose entry it is; NULL: a descriptor's
 * @handles: their handles, also when the object was closed meanwhile
 * @entries: the entries
 * @count: how many
 * @held: for how many gosync_py_hold() was called
 */
struct many {
	struct object *objects[GOSYNC_WAIT_MAX];
	void *handles[GOSYNC_WAIT_MAX];
	struct gosync_wait_entry entries[GOSYNC_WAIT_MAX];
	unsigned int count;
	unsigned int held;
};

/* Make an entry of a tuple (object or descriptor, ioctl, index, value). */
static int add_entry(struct many *many, struct state *state, PyObject *tuple)
{
	struct gosync_wait_entry *entry = &many->entries[many->held];
	unsigned long long value;
	struct object *object;
	unsigned int op, index;
	PyObject *thing;
	void *handle;

	if (!PyArg_ParseTuple(tuple, "OIIK", &thing, &op, &index, &value))
		return RAISED;
	if (!PyObject_TypeCheck(thing, state->base)) {
		int fd = PyObject_AsFileDescriptor(thing);

		if (fd < 0)
			return RAISED;
		*entry = gosync_entry_fd(fd, index);
		many->objects[many->held++] = NULL;
		return 0;
	}
	object = (struct object *)thing;
	handle = gosync_py_hold(object);
	if (!handle)
		return RAISED;
	*entry = gosync_entry(gosync_fd(handle), op, index, value);
	many->handles[many->held] = handle;
	many->objects[many->held++] = object;
	return 0;
}

static void drop_all(struct many *many)
{
	while (many->held--)
		if (many->objects[many->held])
			gosync_py_drop(many->objects[many->held]);
}

/* Whether an object was closed during the wait */
static bool any_closed(const struct many *many)
{
	unsigned int i;

	for (i = 0; i < many->count; i++)
		if (many->objects[i] && many->objects[i]->handle != many->handles[i])
			return true;
	return false;
}

static int wait_many(struct many *many, int all, uint64_t deadline)
{
	PyThreadState *thread;
	int ret;

	do {
		thread = PyEval_SaveThread();
		ret = (all ? gosync_wait_all : gosync_wait_any)
			(many->entries, many->count, deadline,
			 GOSYNC_INTERRUPTIBLE);
		PyEval_RestoreThread(thread);
		if (ret == -EINTR && PyErr_CheckSignals())
			ret = RAISED;
	} while (ret == -EINTR);
	return ret;
}

static int raise_errno(unsigned int op, int err)
{
	PyObject *args = Py_BuildValue("(is)", -err, gosync_strerror(op, err));

	if (args)
		PyErr_SetObject(PyExc_OSError, args);
	Py_XDECREF(args);
	return RAISED;
}

/* The results: a tuple (index, result, value), or a list of (result, value) */
static PyObject *results(const struct many *many, int all, int ret)
{
	PyObject *list, *item;
	unsigned int i;

	if (!all)
		return Py_BuildValue("(iiK)", ret, many->entries[ret].result,
				     (unsigned long long)many->entries[ret].value);
	list = PyList_New(0);
	for (i = 0; list && i < many->count; i++) {
		item = Py_BuildValue("(iK)", many->entries[i].result,
				     (unsigned long long)many->entries[i].value);
		if (!item || PyList_Append(list, item))
			Py_CLEAR(list);
		Py_XDECREF(item);
	}
	return list;
}

PyDoc_STRVAR(wait_doc,
"_wait_many($module, entries, all, timeout, /)\n--\n\n"
"Wait for one or for all of some entries; return None if timeout came first.");

static PyObject *wait_many_of(PyObject *module, PyObject *args)
{
	struct many many = {};
	PyObject *list, *timeout, *result = NULL;
	uint64_t deadline;
	Py_ssize_t n, i;
	int all, ret;

	if (!PyArg_ParseTuple(args, "O!pO:_wait_many", &PyList_Type, &list, &all,
			      &timeout) ||
	    gosync_py_deadline(timeout, TIMEOUT, &deadline))
		return NULL;
	n = PyList_Size(list);
	if (n < 1 || n > GOSYNC_WAIT_MAX) {
		PyErr_Format(PyExc_ValueError, "a wait is for 1 to %d things",
			     GOSYNC_WAIT_MAX);
		return NULL;
	}
	for (i = 0; i < n; i++)
		if (add_entry(&many, PyModule_GetState(module),
			      PyList_GetItem(list, i)))
			goto out;
	many.count = n;
	ret = wait_many(&many, all, deadline);
	if (ret >= 0 && any_closed(&many)) {
		for (i = 0; i < n; i++)
			if (all || i == ret)
				give_back(&many.entries[i], many.handles[i]);
		PyErr_SetString(PyExc_ValueError,
				"a gosync object was closed during the wait");
	} else if (ret >= 0) {
		result = results(&many, all, ret);
	} else if (is_no(ret)) {
		result = Py_NewRef(Py_None);
	} else if (ret != RAISED) {
		raise_errno(GOSYNC_IOC_WAIT, ret);
	}
out:
	drop_all(&many);
	return result;
}

PyDoc_STRVAR(await_doc,
"_await_name($module, name, type, readonly, timeout, /)\n--\n\n"
"Wait for a name, and return a descriptor; None if timeout came first.");

static PyObject *await_name(PyObject *Py_UNUSED(module), PyObject *args)
{
	PyObject *name, *timeout, *result = NULL;
	PyThreadState *thread;
	uint64_t deadline;
	int readonly, ret;
	unsigned int type;
	bool again;

	if (!PyArg_ParseTuple(args, "O&IpO:_await_name", PyUnicode_FSConverter, &name,
			      &type, &readonly, &timeout))
		return NULL;
	ret = gosync_py_deadline(timeout, TIMEOUT, &deadline);
	again = !ret;
	while (again) {
		thread = PyEval_SaveThread();
		ret = gosync_await_name(PyBytes_AsString(name), type, deadline,
					GOSYNC_INTERRUPTIBLE |
					(readonly ? GOSYNC_RDONLY : 0));
		PyEval_RestoreThread(thread);
		again = ret == -EINTR && !PyErr_CheckSignals();
		if (ret == -EINTR && !again)
			ret = RAISED;
	}
	if (ret >= 0)
		result = PyLong_FromLong(ret);
	else if (is_no(ret))
		result = Py_NewRef(Py_None);
	else if (ret != RAISED)
		raise_errno(GOSYNC_IOC_OPEN, ret);
	Py_DECREF(name);
	return result;
}

PyDoc_STRVAR(type_of_doc,
"_type_of($module, kind, /)\n--\n\n"
"Return the number of a type of objects.");

static PyObject *type_of(PyObject *module, PyObject *kind)
{
	unsigned int type = PyType_Check(kind) ?
			    gosync_py_type_of(PyModule_GetState(module),
					      (PyTypeObject *)kind) :
			    GOSYNC_TYPE_MAX;

	if (type < GOSYNC_TYPE_MAX)
		return PyLong_FromUnsignedLong(type);
	PyErr_SetString(PyExc_TypeError, "no type of gosync's objects");
	return NULL;
}

static PyMethodDef functions[] = {
	{ "_type_of", type_of, METH_O, type_of_doc },
	{ "_wait_many", wait_many_of, METH_VARARGS, wait_doc },
	{ "_await_name", await_name, METH_VARARGS, await_doc },
	{}
};

/* The ioctls that an entry is for, by the names that Python knows them by */
static const struct {
	const char *name;
	unsigned int op;
} ops[] = {
	{ "MUTEX_LOCK", GOSYNC_IOC_MUTEX_LOCK },
	{ "RWMUTEX_LOCK", GOSYNC_IOC_RWMUTEX_LOCK },
	{ "RWMUTEX_RLOCK", GOSYNC_IOC_RWMUTEX_RLOCK },
	{ "SEMAPHORE_ACQUIRE", GOSYNC_IOC_SEMAPHORE_ACQUIRE },
	{ "WAITGROUP_WAIT", GOSYNC_IOC_WAITGROUP_WAIT },
	{ "ONCE_WAIT", GOSYNC_IOC_ONCE_WAIT },
	{ "ATOMIC_WAIT", GOSYNC_IOC_ATOMIC_WAIT },
	{ "VALUE_WAIT", GOSYNC_IOC_VALUE_WAIT },
	{ "MAP_WAIT", GOSYNC_IOC_MAP_WAIT },
};

int gosync_py_add_many(PyObject *module)
{
	size_t i;

	for (i = 0; i < sizeof(ops) / sizeof(*ops); i++)
		if (PyModule_AddIntConstant(module, ops[i].name, ops[i].op))
			return -1;
	return PyModule_AddFunctions(module, functions);
}
