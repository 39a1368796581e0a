// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * gosync.Map: the operations on bytes. What makes it a MutableMapping, with keys
 * and values of other types, is in Python.
 */
#include "gosync-py.h"

/**
 * struct map - a Map
 * @object: what all have
 * @value_size: the longest value; 0: not asked yet
 */
struct map {
	struct object object;
	size_t value_size;
};

static int open_map(const char *name, unsigned int flags, unsigned int mode,
		    const void *more, void **handle)
{
	return gosync_map_open(name, more, flags, mode, (gosync_map_t **)handle);
}

static PyObject *new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
	static char *names[] = { "name", "entries", "key_size", "value_size",
				 OPTIONS_NAMES, NULL };
	struct options options = OPTIONS_INIT;
	struct gosync_map_limits limits = {};

	if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|" FIRST_FORMAT "III$"
					 OPTIONS_FORMAT ":Map", names,
					 FIRST(&options), &limits.entries,
					 &limits.key_size, &limits.value_size,
					 OPTIONS(&options)))
		return NULL;
	return gosync_py_open(type, &options, 0, open_map, &limits);
}

/* Room for any value: @small if that is enough; NULL with an exception */
static void *room_for_value(struct map *map, char *small, size_t *len)
{
	struct gosync_info info;
	void *room;
	int ret;

	if (!map->value_size) {
		ret = gosync_info(map->object.handle, &info);
		if (ret) {
			gosync_py_raise(&map->object, GOSYNC_IOC_INFO, ret);
			return NULL;
		}
		map->value_size = info.value_size;
	}
	if (map->value_size <= *len)
		return small;
	*len = map->value_size;
	room = PyMem_Malloc(*len);
	if (!room)
		PyErr_NoMemory();
	return room;
}

#define SMALL	1024

/**
 * struct call - an operation on one key that gives back a value
 * @handle: the handle
 * @key: the key
 * @key_len: its length
 * @value: the new value, if the operation has one
 * @len: its length
 */
struct call {
	void *handle;
	const void *key;
	size_t key_len;
	const void *value;
	size_t len;
};

typedef int call_fn(const struct call *call, void *old, size_t *len);

static int call_load(const struct call *c, void *old, size_t *len)
{
	return gosync_map_load(c->handle, c->key, c->key_len, old, len);
}

static int call_load_and_delete(const struct call *c, void *old, size_t *len)
{
	return gosync_map_load_and_delete(c->handle, c->key, c->key_len, old, len);
}

static int call_load_or_store(const struct call *c, void *old, size_t *len)
{
	return gosync_map_load_or_store(c->handle, c->key, c->key_len, c->value,
					c->len, old, len);
}

static int call_swap(const struct call *c, void *old, size_t *len)
{
	return gosync_map_swap(c->handle, c->key, c->key_len, c->value, c->len,
			       old, len);
}

/* Return: as @fn, with the value in @old if it succeeds; or RAISED */
static int call_it(struct map *map, call_fn *fn, struct call *call,
		   PyObject **old)
{
	char small[SMALL];
	size_t len = sizeof(small);
	void *room;
	int ret;

	*old = NULL;
	call->handle = handle_of(&map->object);
	if (!call->handle)
		return RAISED;
	room = room_for_value(map, small, &len);
	if (!room)
		return RAISED;
	ret = fn(call, room, &len);
	if (ret >= 0)
		*old = PyBytes_FromStringAndSize(room, len);
	if (room != small)
		PyMem_Free(room);
	return ret >= 0 && !*old ? RAISED : ret;
}

/* load(), load_and_delete(): the value, or None */
static PyObject *one_key(struct map *map, PyObject *arg, call_fn *fn,
			 unsigned int op)
{
	struct call call = {};
	PyObject *value;
	Py_buffer key;
	int ret;

	if (PyObject_GetBuffer(arg, &key, PyBUF_SIMPLE))
		return NULL;
	call.key = key.buf;
	call.key_len = key.len;
	ret = call_it(map, fn, &call, &value);
	PyBuffer_Release(&key);
	if (ret == -ENODATA)
		Py_RETURN_NONE;
	if (ret < 0)
		gosync_py_raise(&map->object, op, ret);
	return value;
}

static PyObject *load(PyObject *self, PyObject *arg)
{
	return one_key((struct map *)self, arg, call_load, GOSYNC_IOC_MAP_LOAD);
}

static PyObject *load_and_delete(PyObject *self, PyObject *arg)
{
	return one_key((struct map *)self, arg, call_load_and_delete,
		       GOSYNC_IOC_MAP_LOAD_AND_DELETE);
}

static PyObject *store(PyObject *obj, PyObject *args)
{
	struct object *self = (struct object *)obj;
	Py_buffer key, value;
	void *handle;
	int ret;

	if (!PyArg_ParseTuple(args, "y*y*:store", &key, &value))
		return NULL;
	handle = handle_of(self);
	ret = handle ? gosync_map_store(handle, key.buf, key.len, value.buf,
					value.len) : RAISED;
	PyBuffer_Release(&key);
	PyBuffer_Release(&value);
	return none_or_raise(self, GOSYNC_IOC_MAP_STORE, ret);
}

/* load_or_store(), swap(): a tuple of 0 or 1, and the old value or None */
static PyObject *key_and_value(struct map *map, PyObject *args, call_fn *fn,
			       unsigned int op)
{
	Py_buffer key, value;
	struct call call;
	PyObject *old;
	int ret;

	if (!PyArg_ParseTuple(args, "y*y*", &key, &value))
		return NULL;
	call.key = key.buf;
	call.key_len = key.len;
	call.value = value.buf;
	call.len = value.len;
	ret = call_it(map, fn, &call, &old);
	PyBuffer_Release(&key);
	PyBuffer_Release(&value);
	if (ret < 0) {
		gosync_py_raise(&map->object, op, ret);
		return NULL;
	}
	if (!ret) {
		Py_DECREF(old);
		Py_RETURN_NONE;
	}
	return old;
}

static PyObject *load_or_store(PyObject *self, PyObject *args)
{
	return key_and_value((struct map *)self, args, call_load_or_store,
			     GOSYNC_IOC_MAP_LOAD_OR_STORE);
}

static PyObject *swap(PyObject *self, PyObject *args)
{
	return key_and_value((struct map *)self, args, call_swap,
			     GOSYNC_IOC_MAP_SWAP);
}

/* The end of those that say whether they did it */
static PyObject *yes_or_no(struct object *self, unsigned int op, int ret)
{
	if (ret < 0) {
		gosync_py_raise(self, op, ret);
		return NULL;
	}
	return PyBool_FromLong(ret);
}

static PyObject *delete(PyObject *obj, PyObject *arg)
{
	struct object *self = (struct object *)obj;
	void *handle = handle_of(self);
	Py_buffer key;
	int ret;

	if (!handle || PyObject_GetBuffer(arg, &key, PyBUF_SIMPLE))
		return NULL;
	ret = gosync_map_delete(handle, key.buf, key.len);
	PyBuffer_Release(&key);
	return yes_or_no(self, GOSYNC_IOC_MAP_DELETE, ret);
}

static PyObject *compare_and_swap(PyObject *obj, PyObject *args)
{
	struct object *self = (struct object *)obj;
	Py_buffer key, old, value;
	void *handle;
	int ret;

	if (!PyArg_ParseTuple(args, "y*y*y*:_compare_and_swap", &key, &old, &value))
		return NULL;
	handle = handle_of(self);
	ret = handle ? gosync_map_cas(handle, key.buf, key.len, old.buf, old.len,
				      value.buf, value.len) : RAISED;
	PyBuffer_Release(&key);
	PyBuffer_Release(&old);
	PyBuffer_Release(&value);
	return yes_or_no(self, GOSYNC_IOC_MAP_CAS, ret);
}

static PyObject *compare_and_delete(PyObject *obj, PyObject *args)
{
	struct object *self = (struct object *)obj;
	Py_buffer key, old;
	void *handle;
	int ret;

	if (!PyArg_ParseTuple(args, "y*y*:_compare_and_delete", &key, &old))
		return NULL;
	handle = handle_of(self);
	ret = handle ? gosync_map_compare_and_delete(handle, key.buf, key.len,
						     old.buf, old.len) : RAISED;
	PyBuffer_Release(&key);
	PyBuffer_Release(&old);
	return yes_or_no(self, GOSYNC_IOC_MAP_COMPARE_AND_DELETE, ret);
}

PyDoc_STRVAR(store_many_doc,
"_store_many($self, pairs, /)\n--\n\n"
"Store the pairs of a sequence of tuples (key, value) of bytes: all, or none.");

static PyObject *store_many(PyObject *obj, PyObject *arg)
{
	struct object *self = (struct object *)obj;
	PyObject *pairs = PySequence_Tuple(arg);
	Py_ssize_t n = pairs ? PyTuple_Size(pairs) : 0, i;
	struct gosync_map_pair *list = NULL;
	int ret = RAISED;
	void *handle;

	if (!pairs)
		return NULL;
	handle = handle_of(self);
	list = handle ? PyMem_Calloc(n + 1, sizeof(*list)) : NULL;
	if (handle && !list)
		PyErr_NoMemory();
	for (i = 0; list && i < n; i++) {
		Py_ssize_t key_len, len;
		char *key, *value;
		PyObject *pair = PyTuple_GetItem(pairs, i);

		if (!PyTuple_Check(pair) || PyTuple_Size(pair) != 2) {
			PyErr_SetString(PyExc_TypeError, "a pair has a key and a value");
			break;
		}
		if (PyBytes_AsStringAndSize(PyTuple_GetItem(pair, 0), &key, &key_len) ||
		    PyBytes_AsStringAndSize(PyTuple_GetItem(pair, 1), &value, &len))
			break;
		list[i].key = key;
		list[i].key_len = key_len;
		list[i].buf = value;
		list[i].len = len;
	}
	if (list && i == n)
		ret = gosync_map_store_many(handle, list, n);
	PyMem_Free(list);
	Py_DECREF(pairs);
	return none_or_raise(self, GOSYNC_IOC_MAP_STORE, ret);
}

/* --- walking --------------------------------------------------------------- */

/**
 * struct walk - a walk through a Map
 * @list: what was found
 * @what: 'k', 'v', or 'i' for both
 */
struct walk {
	PyObject *list;
	int what;
};

static int append(const void *key, size_t key_len, const void *value, size_t len,
		  void *arg)
{
	struct walk *walk = arg;
	PyObject *item;
	int ret;

	if (walk->what == 'k')
		item = PyBytes_FromStringAndSize(key, key_len);
	else if (walk->what == 'v')
		item = PyBytes_FromStringAndSize(value, len);
	else
		item = Py_BuildValue("(y#y#)", key, (Py_ssize_t)key_len, value,
				     (Py_ssize_t)len);
	if (!item)
		return RAISED;
	ret = PyList_Append(walk->list, item);
	Py_DECREF(item);
	return ret ? RAISED : 0;
}

PyDoc_STRVAR(walk_doc,
"_walk($self, what, /)\n--\n\n"
"Return a list of keys ('k'), values ('v') or pairs ('i').");

static PyObject *walk_it(PyObject *obj, PyObject *args)
{
	struct object *self = (struct object *)obj;
	struct walk walk = {};
	void *handle;
	int ret;

	if (!PyArg_ParseTuple(args, "C:_walk", &walk.what))
		return NULL;
	handle = handle_of(self);
	walk.list = handle ? PyList_New(0) : NULL;
	if (!walk.list)
		return NULL;
	ret = gosync_map_range(handle, append, &walk);
	if (ret) {
		Py_DECREF(walk.list);
		gosync_py_raise(self, GOSYNC_IOC_MAP_LOAD, ret);
		return NULL;
	}
	return walk.list;
}

static Py_ssize_t length(PyObject *obj)
{
	struct object *self = (struct object *)obj;
	void *handle = handle_of(self);
	long n = handle ? gosync_map_len(handle) : RAISED;

	if (n < 0) {
		gosync_py_raise(self, GOSYNC_IOC_INFO, n);
		return -1;
	}
	return n;
}

static PyObject *clear(PyObject *obj, PyObject *Py_UNUSED(unused))
{
	struct object *self = (struct object *)obj;
	void *handle = handle_of(self);

	if (!handle)
		return NULL;
	return none_or_raise(self, GOSYNC_IOC_MAP_CLEAR, gosync_map_clear(handle));
}

static int wait_until(void *handle, uint64_t deadline, unsigned int flags,
		      void *seen)
{
	return gosync_map_wait_until(handle, seen, deadline, flags);
}

PyDoc_STRVAR(wait_doc,
"wait($self, version=0, timeout=None)\n--\n\n"
"Wait until anything is changed, and return the version; None if timeout came first.\n\n"
"version: what an earlier wait() returned; 0: return at once. Who gets the\n"
"version, then looks, then waits, misses no change.");

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
	gosync_py_raise(self, GOSYNC_IOC_MAP_WAIT, ret);
	return NULL;
}

static PyMethodDef methods[] = {
	{ "_load", load, METH_O, "_load($self, key, /)\n--\n\n" },
	{ "_store", store, METH_VARARGS, "_store($self, key, value, /)\n--\n\n" },
	{ "_load_or_store", load_or_store, METH_VARARGS,
	  "_load_or_store($self, key, value, /)\n--\n\n" },
	{ "_load_and_delete", load_and_delete, METH_O,
	  "_load_and_delete($self, key, /)\n--\n\n" },
	{ "_delete", delete, METH_O, "_delete($self, key, /)\n--\n\n" },
	{ "_swap", swap, METH_VARARGS, "_swap($self, key, value, /)\n--\n\n" },
	{ "_compare_and_swap", compare_and_swap, METH_VARARGS,
	  "_compare_and_swap($self, key, old, new, /)\n--\n\n" },
	{ "_compare_and_delete", compare_and_delete, METH_VARARGS,
	  "_compare_and_delete($self, key, old, /)\n--\n\n" },
	{ "_store_many", store_many, METH_O, store_many_doc },
	{ "_walk", walk_it, METH_VARARGS, walk_doc },
	{ "clear", clear, METH_NOARGS,
	  "clear($self, /)\n--\n\nRemove all keys, at one moment." },
	{ "wait", METHOD(wait), KEYWORDS, wait_doc },
	{}
};

static PyType_Slot slots[] = {
	{ Py_tp_new, new },
	{ Py_tp_dealloc, gosync_py_dealloc },
	{ Py_tp_traverse, gosync_py_traverse },
	{ Py_tp_clear, gosync_py_clear },
	{ Py_tp_methods, methods },
	{ Py_mp_length, length },
	{}
};

static PyType_Spec spec = {
	.name = "gosync._gosync.Map",
	.basicsize = sizeof(struct map),
	.flags = OBJECT_FLAGS,
	.slots = slots,
};

int gosync_py_add_map(struct state *state, PyObject *module)
{
	return gosync_py_type(state, module, &spec, GOSYNC_MAP) ? 0 : -1;
}
