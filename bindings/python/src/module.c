// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The module gosync._gosync: its types, exceptions and functions.
 */
#include "gosync-py.h"

static struct state *state_of(PyObject *module)
{
	return PyModule_GetState(module);
}

/* --- functions ------------------------------------------------------------- */

/* Raise an error about a name, of a function that has no object. */
static PyObject *raise_name(int err, PyObject *name)
{
	PyObject *args = Py_BuildValue("(isN)", -err,
				       gosync_strerror(GOSYNC_IOC_UNLINK, err),
				       PyUnicode_DecodeFSDefault(PyBytes_AsString(name)));

	if (args) {
		PyErr_SetObject(PyExc_OSError, args);
		Py_DECREF(args);
	}
	return NULL;
}

static PyObject *end_with_name(int ret, PyObject *name)
{
	PyObject *none = ret < 0 ? raise_name(ret, name) : Py_NewRef(Py_None);

	Py_DECREF(name);
	return none;
}

PyDoc_STRVAR(unlink_doc,
"unlink($module, name, /, *, unused=False)\n--\n\n"
"Remove a name. Objects that are open go on working.\n\n"
"unused: raise OSError (EBUSY) if anybody has the object open.");

static PyObject *unlink_it(PyObject *Py_UNUSED(module), PyObject *args,
			   PyObject *kwargs)
{
	static char *names[] = { "", "unused", NULL };
	PyObject *name;
	int unused = 0;
	int ret;

	if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O&|$p:unlink", names,
					 PyUnicode_FSConverter, &name, &unused))
		return NULL;
	ret = unused ? gosync_unlink_unused(PyBytes_AsString(name)) :
		       gosync_unlink(PyBytes_AsString(name));
	return end_with_name(ret, name);
}

PyDoc_STRVAR(chmod_doc,
"chmod($module, name, mode, /)\n--\n\n"
"Change the permission bits of an object, for later opens.");

static PyObject *chmod_it(PyObject *Py_UNUSED(module), PyObject *args)
{
	unsigned int mode;
	PyObject *name;

	if (!PyArg_ParseTuple(args, "O&I:chmod", PyUnicode_FSConverter, &name, &mode))
		return NULL;
	return end_with_name(gosync_chmod(PyBytes_AsString(name), mode), name);
}

PyDoc_STRVAR(chown_doc,
"chown($module, name, uid, gid, /)\n--\n\n"
"Change the owner and the group of an object; -1 leaves one of them as it is.");

static PyObject *chown_it(PyObject *Py_UNUSED(module), PyObject *args)
{
	long long uid, gid;
	PyObject *name;

	if (!PyArg_ParseTuple(args, "O&LL:chown", PyUnicode_FSConverter, &name, &uid,
			      &gid))
		return NULL;
	return end_with_name(gosync_chown(PyBytes_AsString(name), uid, gid), name);
}

static int append_name(const struct gosync_info *info, void *list)
{
	PyObject *name = PyUnicode_DecodeFSDefaultAndSize((const char *)info->name,
							  info->name_len);
	PyObject *pair = name ? Py_BuildValue("(Ns)", name,
					      gosync_type_name(info->type)) : NULL;
	int ret = pair ? PyList_Append(list, pair) : -1;

	Py_XDECREF(pair);
	return ret ? RAISED : 0;
}

PyDoc_STRVAR(names_doc,
"names($module, /)\n--\n\n"
"Return a list of tuples of each name that the caller may read, and its type.");

static PyObject *list_names(PyObject *Py_UNUSED(module),
			    PyObject *Py_UNUSED(unused))
{
	PyObject *list = PyList_New(0);
	int ret = list ? gosync_list(append_name, list) : RAISED;

	if (!ret)
		return list;
	Py_XDECREF(list);
	if (ret != RAISED) {
		PyObject *args = Py_BuildValue("(is)", -ret, gosync_strerror(0, ret));

		if (args)
			PyErr_SetObject(PyExc_OSError, args);
		Py_XDECREF(args);
	}
	return NULL;
}

PyDoc_STRVAR(type_id_doc,
"type_id($module, name, size, /)\n--\n\n"
"Return the number of a type for Values, such as ('struct config', 24) for C's\n"
"GOSYNC_TYPE_ID(struct config).");

static PyObject *type_id(PyObject *Py_UNUSED(module), PyObject *args)
{
	const char *name;
	Py_ssize_t size;

	if (!PyArg_ParseTuple(args, "sn:type_id", &name, &size))
		return NULL;
	return PyLong_FromUnsignedLongLong(gosync_type_id(name, size));
}

static PyMethodDef functions[] = {
	{ "unlink", METHOD(unlink_it), KEYWORDS, unlink_doc },
	{ "chmod", chmod_it, METH_VARARGS, chmod_doc },
	{ "chown", chown_it, METH_VARARGS, chown_doc },
	{ "names", list_names, METH_NOARGS, names_doc },
	{ "type_id", type_id, METH_VARARGS, type_id_doc },
	{}
};

/* --- the module ------------------------------------------------------------ */

PyDoc_STRVAR(owner_died_doc,
"The last owner of a lock died with it. What it protects may be half done.\n\n"
"The lock is not held by the caller. It stays poisoned until an owner calls\n"
"recover(): get it by acquire(poisoned_ok=True), or by the hook repair.");

PyDoc_STRVAR(holder_broken_doc,
"What this handle had was taken from it by break_holder(). To go on, open it anew.");

PyDoc_STRVAR(not_locked_doc,
"release() of what is not locked; with errorcheck also of another's lock.");

static PyObject *add_exception(PyObject *module, const char *name,
			       const char *doc, PyObject *bases)
{
	PyObject *made = PyErr_NewExceptionWithDoc(name, doc, bases, NULL);

	if (made && PyModule_AddObjectRef(module, name + sizeof("gosync.") - 1, made))
		Py_CLEAR(made);
	return made;
}

static int add_exceptions(struct state *state, PyObject *module)
{
	PyObject *bases = PyTuple_Pack(2, PyExc_PermissionError,
				       PyExc_RuntimeError);

	if (!bases)
		return -1;
	state->owner_died = add_exception(module, "gosync.OwnerDied",
					  owner_died_doc, PyExc_OSError);
	state->holder_broken = add_exception(module, "gosync.HolderBroken",
					     holder_broken_doc, PyExc_OSError);
	state->not_locked = add_exception(module, "gosync.NotLocked",
					  not_locked_doc, bases);
	Py_DECREF(bases);
	return state->owner_died && state->holder_broken && state->not_locked ? 0 : -1;
}

/* Whether references are counted by functions, so that Python can sum them up */
#ifdef Py_REF_DEBUG
#define COUNTS_REFERENCES	1
#else
#define COUNTS_REFERENCES	0
#endif

static int exec(PyObject *module)
{
	struct state *state = state_of(module);

	if (PyModule_AddIntConstant(module, "MAP_STORE_MAX", GOSYNC_MAP_STORE_MAX) ||
	    PyModule_AddIntConstant(module, "REOPEN", GOSYNC_IOC_REOPEN) ||
	    PyModule_AddIntConstant(module, "COUNTS_REFERENCES",
				    COUNTS_REFERENCES) ||
	    add_exceptions(state, module) ||
	    !gosync_py_type(state, module, NULL, 0) ||
	    gosync_py_add_mutex(state, module) ||
	    gosync_py_add_rwmutex(state, module) ||
	    gosync_py_add_semaphore(state, module) ||
	    gosync_py_add_waitgroup(state, module) ||
	    gosync_py_add_once(state, module) ||
	    gosync_py_add_cond(state, module) ||
	    gosync_py_add_value(state, module) ||
	    gosync_py_add_map(state, module) ||
	    gosync_py_add_words(state, module) ||
	    gosync_py_add_many(module))
		return -1;
	return 0;
}

static int traverse(PyObject *module, visitproc visit, void *arg)
{
	struct state *state = state_of(module);
	int i;

	Py_VISIT(state->base);
	Py_VISIT(state->side);
	for (i = 0; i < GOSYNC_TYPE_MAX; i++)
		Py_VISIT(state->types[i]);
	Py_VISIT(state->owner_died);
	Py_VISIT(state->holder_broken);
	Py_VISIT(state->not_locked);
	return 0;
}

static int clear(PyObject *module)
{
	struct state *state = state_of(module);
	int i;

	Py_CLEAR(state->base);
	Py_CLEAR(state->side);
	for (i = 0; i < GOSYNC_TYPE_MAX; i++)
		Py_CLEAR(state->types[i]);
	Py_CLEAR(state->owner_died);
	Py_CLEAR(state->holder_broken);
	Py_CLEAR(state->not_locked);
	return 0;
}

static void free_module(void *module)
{
	clear(module);
}

/*
 * From 3.12 on a module can say that interpreters with a GIL of their own may use
 * it, too. All its state is in struct state, and the library has locks of its
 * own. The limited API of 3.11 has no name for this slot yet, and 3.11 refuses
 * it, so it is added when a later version loads the module.
 */
#define MULTIPLE_INTERPRETERS	3
#define PER_INTERPRETER_GIL	((void *)2)

static PyModuleDef_Slot slots[] = {
	{ Py_mod_exec, exec },
	{},
	{}
};

struct PyModuleDef gosync_py_module = {
	PyModuleDef_HEAD_INIT,
	.m_name = "gosync._gosync",
	.m_doc = "The part of gosync that is written in C.",
	.m_size = sizeof(struct state),
	.m_methods = functions,
	.m_slots = slots,
	.m_traverse = traverse,
	.m_clear = clear,
	.m_free = free_module,
};

PyMODINIT_FUNC PyInit__gosync(void)
{
	if (Py_Version >= 0x030c0000) {
		slots[1].slot = MULTIPLE_INTERPRETERS;
		slots[1].value = PER_INTERPRETER_GIL;
	}
	return PyModuleDef_Init(&gosync_py_module);
}
