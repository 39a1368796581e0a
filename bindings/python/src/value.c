// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * gosync.Value
 */
#include "gosync-py.h"

static int open_value(const char *name, unsigned int flags, unsigned int mode,
		      const void *more, void **handle)
{
	return gosync_value_open(name, *(const Py_ssize_t *)more, flags, mode,
				 (gosync_value_t **)handle);
}

static PyObject *new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
	static char *names[] = { "name", "capacity", OPTIONS_NAMES, NULL };
	struct options options = OPTIONS_INIT;
	Py_ssize_t capacity = 0;

	if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|" FIRST_FORMAT "n$"
					 OPTIONS_FORMAT ":Value", names,
					 FIRST(&options), &capacity,
					 OPTIONS(&options)))
		return NULL;
	if (capacity < 0) {
		Py_CLEAR(options.name);
		PyErr_SetString(PyExc_ValueError, "capacity is out of its range");
		return NULL;
	}
	return gosync_py_open(type, &options, 0, open_value, &capacity);
}

/* The type of a payload: of type_id(), or that of bytes */
static int parse_type(PyObject *arg, uint64_t *type)
{
	if (arg && !Py_IsNone(arg)) {
		*type = PyLong_AsUnsignedLongLong(arg);
		return *type == (uint64_t)-1 && PyErr_Occurred() ? RAISED : 0;
	}
	*type = gosync_type_id("bytes", 0);
	return 0;
}

/*
 * The present payload, as bytes. Its length may change until it is copied: then
 * the next length is tried.
 */
static int load_bytes(gosync_value_t *value, PyObject **bytes, uint64_t *type)
{
	char small[1024];
	size_t len = sizeof(small);
	int ret = gosync_value_load(value, small, &len, type);

	*bytes = NULL;
	if (!ret)
		*bytes = PyBytes_FromStringAndSize(small, len);
	while (ret == -EMSGSIZE) {
		size_t room = len;

		Py_XDECREF(*bytes);
		*bytes = PyBytes_FromStringAndSize(NULL, room);
		if (!*bytes)
			return RAISED;
		ret = gosync_value_load(value, PyBytes_AsString(*bytes), &len, type);
		/* A shorter one: copy it, as bytes cannot be made shorter. */
		if (!ret && len != room) {
			PyObject *whole = *bytes;

			*bytes = PyBytes_FromStringAndSize(PyBytes_AsString(whole),
							   len);
			Py_DECREF(whole);
		}
	}
	if (ret)
		Py_CLEAR(*bytes);
	else if (!*bytes)
		return RAISED;
	return ret;
}

PyDoc_STRVAR(load_doc,
"load($self, default=None)\n--\n\n"
"Return the payload of the most recent store, as bytes; default before the first.\n\n"
"There is no system call, and never parts of two payloads.");

static PyObject *load(PyObject *obj, PyObject *args, PyObject *kwargs)
{
	static char *names[] = { "default", NULL };
	struct object *self = (struct object *)obj;
	PyObject *none = Py_None, *bytes;
	void *handle;
	int ret;

	if ((kwargs || PyTuple_Size(args)) &&
	    !PyArg_ParseTupleAndKeywords(args, kwargs, "|O:load", names, &none))
		return NULL;
	handle = handle_of(self);
	if (!handle)
		return NULL;
	ret = load_bytes(handle, &bytes, NULL);
	if (ret == -ENODATA)
		return Py_NewRef(none);
	if (ret)
		gosync_py_raise(self, GOSYNC_IOC_VALUE_LOAD, ret);
	return bytes;
}

PyDoc_STRVAR(load_typed_doc,
"load_typed($self, /)\n--\n\n"
"Return a tuple of the payload and its type's number; (None, 0) before the first.");

static PyObject *load_typed(PyObject *obj, PyObject *Py_UNUSED(unused))
{
	struct object *self = (struct object *)obj;
	void *handle = handle_of(self);
	uint64_t type = 0;
	PyObject *bytes;
	int ret;

	if (!handle)
		return NULL;
	ret = load_bytes(handle, &bytes, &type);
	if (ret == -ENODATA)
		return Py_BuildValue("(Oi)", Py_None, 0);
	if (ret) {
		gosync_py_raise(self, GOSYNC_IOC_VALUE_LOAD, ret);
		return NULL;
	}
	return Py_BuildValue("(NK)", bytes, (unsigned long long)type);
}

PyDoc_STRVAR(load_into_doc,
"load_into($self, buffer, /)\n--\n\n"
"Copy the payload to a writable buffer, and return its length; None before the first.\n\n"
"If it is longer than the buffer raise OSError (EMSGSIZE).");

static PyObject *load_into(PyObject *obj, PyObject *arg)
{
	struct object *self = (struct object *)obj;
	void *handle = handle_of(self);
	Py_buffer buffer;
	size_t len;
	int ret;

	if (!handle || PyObject_GetBuffer(arg, &buffer, PyBUF_WRITABLE))
		return NULL;
	len = buffer.len;
	ret = gosync_value_load(handle, buffer.buf, &len, NULL);
	PyBuffer_Release(&buffer);
	if (ret == -ENODATA)
		Py_RETURN_NONE;
	if (ret) {
		gosync_py_raise(self, GOSYNC_IOC_VALUE_LOAD, ret);
		return NULL;
	}
	return PyLong_FromSize_t(len);
}

PyDoc_STRVAR(store_doc,
"store($self, payload, /, *, type=None)\n--\n\n"
"Replace the payload: bytes, or any other buffer.\n\n"
"type: a number of gosync.type_id(), the same for all stores; by default that of\n"
"bytes. With another one raise OSError (EPROTOTYPE).");

static PyObject *store(PyObject *obj, PyObject *args, PyObject *kwargs)
{
	static char *names[] = { "", "type", NULL };
	struct object *self = (struct object *)obj;
	PyObject *type_arg = NULL;
	uint64_t type;
	Py_buffer new;
	void *handle;
	int ret;

	if (!PyArg_ParseTupleAndKeywords(args, kwargs, "y*|$O:store", names, &new,
					 &type_arg))
		return NULL;
	ret = parse_type(type_arg, &type);
	handle = ret ? NULL : handle_of(self);
	ret = handle ? gosync_value_store(handle, type, new.buf, new.len) : RAISED;
	PyBuffer_Release(&new);
	return none_or_raise(self, GOSYNC_IOC_VALUE_STORE, ret);
}

PyDoc_STRVAR(swap_doc,
"swap($self, payload, /, *, type=None)\n--\n\n"
"Replace the payload, and return the old one, None if there was none.");

static PyObject *swap(PyObject *obj, PyObject *args, PyObject *kwargs)
{
	static char *names[] = { "", "type", NULL };
	struct object *self = (struct object *)obj;
	PyObject *type_arg = NULL, *old = NULL;
	struct gosync_info info;
	void *handle, *room = NULL;
	uint64_t type;
	Py_buffer new;
	size_t len;
	int ret;

	if (!PyArg_ParseTupleAndKeywords(args, kwargs, "y*|$O:swap", names, &new,
					 &type_arg))
		return NULL;
	ret = parse_type(type_arg, &type);
	handle = ret ? NULL : handle_of(self);
	ret = handle ? gosync_info(handle, &info) : RAISED;
	if (!ret) {
		len = info.capacity;
		room = PyMem_Malloc(len);
		ret = room ? gosync_value_swap(handle, type, new.buf, new.len,
					       room, &len) : -ENOMEM;
	}
	PyBuffer_Release(&new);
	if (ret < 0)
		gosync_py_raise(self, GOSYNC_IOC_VALUE_SWAP, ret);
	else
		old = ret ? PyBytes_FromStringAndSize(room, len) :
			    Py_NewRef(Py_None);
	PyMem_Free(room);
	return old;
}

PyDoc_STRVAR(cas_doc,
"compare_and_swap($self, old, new, /, *, type=None)\n--\n\n"
"Replace the payload if it is old, and return whether it was.\n\n"
"old: a buffer, or None: if there was no store yet.");

static PyObject *compare_and_swap(PyObject *obj, PyObject *args, PyObject *kwargs)
{
	static char *names[] = { "", "", "type", NULL };
	struct object *self = (struct object *)obj;
	PyObject *type_arg = NULL;
	Py_buffer old, new;
	uint64_t type;
	void *handle;
	int ret;

	if (!PyArg_ParseTupleAndKeywords(args, kwargs, "z*y*|$O:compare_and_swap",
					 names, &old, &new, &type_arg))
		return NULL;
	ret = parse_type(type_arg, &type);
	handle = ret ? NULL : handle_of(self);
	ret = handle ? gosync_value_cas(handle, old.buf ? type : 0, old.buf,
					old.len, type, new.buf, new.len) : RAISED;
	PyBuffer_Release(&old);
	PyBuffer_Release(&new);
	if (ret < 0) {
		gosync_py_raise(self, GOSYNC_IOC_VALUE_CAS, ret);
		return NULL;
	}
	return PyBool_FromLong(ret);
}

static PyObject *version(PyObject *obj, PyObject *Py_UNUSED(unused))
{
	struct object *self = (struct object *)obj;
	void *handle = handle_of(self);
	uint64_t number = 0;
	int ret = handle ? gosync_value_version(handle, &number) : RAISED;

	if (ret) {
		gosync_py_raise(self, GOSYNC_IOC_INFO, ret);
		return NULL;
	}
	return PyLong_FromUnsignedLongLong(number);
}

static int wait_until(void *handle, uint64_t deadline, unsigned int flags,
		      void *seen)
{
	return gosync_value_wait_until(handle, seen, deadline, flags);
}

PyDoc_STRVAR(wait_doc,
"wait($self, version=0, timeout=None)\n--\n\n"
"Wait until the version is another one, and return it; None if timeout came first.\n\n"
"version: how often it was stored when the caller looked; 0: until the first store.");

static PyObject *wait(PyObject *obj, PyObject *args, PyObject *kwargs)
{
	static char *names[] = { "version", "timeout", NULL };
	struct object *self = (struct object *)obj;
	unsigned long long number = 0;
	PyObject *timeout = NULL;
	uint64_t deadline, seen;
	int ret;

	if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|KO:wait", names, &number,
					 &timeout) ||
	    gosync_py_deadline(timeout, TIMEOUT, &deadline))
		return NULL;
	seen = number;
	ret = gosync_py_wait(self, wait_until, deadline, &seen, NULL);
	if (!ret)
		return PyLong_FromUnsignedLongLong(seen);
	if (is_no(ret))
		Py_RETURN_NONE;
	gosync_py_raise(self, GOSYNC_IOC_VALUE_WAIT, ret);
	return NULL;
}

static PyMethodDef methods[] = {
	{ "load", METHOD(load), KEYWORDS, load_doc },
	{ "load_typed", load_typed, METH_NOARGS, load_typed_doc },
	{ "load_into", load_into, METH_O, load_into_doc },
	{ "store", METHOD(store), KEYWORDS, store_doc },
	{ "swap", METHOD(swap), KEYWORDS, swap_doc },
	{ "compare_and_swap", METHOD(compare_and_swap), KEYWORDS, cas_doc },
	{ "version", version, METH_NOARGS,
	  "version($self, /)\n--\n\n"
	  "Return how often it was stored. Cheap: ask before each use of a copy." },
	{ "wait", METHOD(wait), KEYWORDS, wait_doc },
	{}
};

PyDoc_STRVAR(doc,
"Value(name=None, capacity=0, *, " OPTIONS_SIGNATURE ")\n--\n\n"
"One payload, replaced as a whole: Go's atomic.Value.\n\n"
"    config = gosync.Value('config')\n"
"    config.store(json.dumps(settings).encode())\n"
"    settings = json.loads(config.load())\n\n"
"A load makes no system call. Only the kernel writes, so a process that dies\n"
"leaves no half of a payload."
OPTIONS_DOC "\n"
"capacity: the longest payload in bytes, up to 4 MiB; 0: 4096, or what the\n"
"existing Value has.");

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
	.name = "gosync.Value",
	.basicsize = sizeof(struct object),
	.flags = OBJECT_FLAGS,
	.slots = slots,
};

int gosync_py_add_value(struct state *state, PyObject *module)
{
	return gosync_py_type(state, module, &spec, GOSYNC_VALUE) ? 0 : -1;
}
