// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * gosync.Object: what the objects of all types can do. They are opened and
 * closed here, and errors become exceptions here.
 */
#include <pthread.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "gosync-py.h"

/*
 * The number of this copy of the process. In a child after fork(2) the threads
 * are gone that used handles, and count no more.
 */
static unsigned int copy;

static void count_copy(void)
{
	copy++;
}

static void watch_forks(void)
{
	pthread_atfork(NULL, NULL, count_copy);
}

/* --- errors ---------------------------------------------------------------- */

/**
 * gosync_py_raise() - make an exception of an error
 * @self: the object
 * @op: the ioctl, as of gosync_strerror()
 * @err: the negative error, or RAISED: there is an exception already
 *
 * Return: RAISED.
 */
int gosync_py_raise(struct object *self, unsigned int op, int err)
{
	PyObject *class = PyExc_OSError, *args;

	if (err == RAISED)
		return RAISED;
	if (err == -EINTR && PyErr_CheckSignals())
		return RAISED;
	if (err == -ESTALE)
		class = self->state->holder_broken;
	else if (err == -EPERM && (op == GOSYNC_IOC_MUTEX_UNLOCK ||
				   op == GOSYNC_IOC_RWMUTEX_UNLOCK ||
				   op == GOSYNC_IOC_RWMUTEX_RUNLOCK))
		class = self->state->not_locked;
	args = self->name ?
	       Py_BuildValue("(isO)", -err, gosync_strerror(op, err), self->name) :
	       Py_BuildValue("(is)", -err, gosync_strerror(op, err));
	if (args) {
		PyErr_SetObject(class, args);
		Py_DECREF(args);
	}
	return RAISED;
}

/* --- opening --------------------------------------------------------------- */

/* A converter: None, or what os.fsencode() takes, to bytes or NULL */
int gosync_py_name(PyObject *arg, void *bytes)
{
	PyObject **name = bytes;

	if (!arg) {
		Py_CLEAR(*name);
		return 1;
	}
	if (Py_IsNone(arg))
		return 1;
	if (!PyUnicode_FSConverter(arg, name))
		return 0;
	if (PyBytes_Size(*name))
		return Py_CLEANUP_SUPPORTED;
	PyErr_SetString(PyExc_ValueError,
			"a name has at least one byte; None makes an anonymous object");
	Py_CLEAR(*name);
	return 0;
}

/* The state of the module that made @type, or one of its bases */
static struct state *state_of_type(PyTypeObject *type)
{
	PyObject *module;

	for (; type; type = PyType_GetSlot(type, Py_tp_base)) {
		module = PyType_GetModule(type);
		if (module && PyModule_GetDef(module) == &gosync_py_module)
			return PyModule_GetState(module);
		PyErr_Clear();
	}
	PyErr_SetString(PyExc_TypeError, "no type of gosync");
	return NULL;
}

static struct object *alloc(PyTypeObject *type)
{
	allocfunc new = PyType_GetSlot(type, Py_tp_alloc);
	struct state *state = state_of_type(type);
	struct object *self;

	if (!state)
		return NULL;
	self = (struct object *)new(type, 0);
	if (self) {
		self->state = state;
		self->copy = copy;
	}
	return self;
}

/**
 * gosync_py_open() - make an object and open it
 * @type: its type
 * @options: as OPTIONS() has filled them in; the name is used up
 * @more_flags: further flags for a new object
 * @open: opens the handle, without the GIL
 * @more: passed on to @open
 *
 * Return: the object, or NULL with an exception.
 */
PyObject *gosync_py_open(PyTypeObject *type, struct options *options,
			 unsigned int more_flags, open_fn *open,
			 const void *more)
{
	int create = options->create && !Py_IsNone(options->create) ?
		     PyObject_IsTrue(options->create) : !options->readonly;
	struct object *self = create < 0 ? NULL : alloc(type);
	const char *name = options->name ? PyBytes_AsString(options->name) : NULL;
	unsigned int flags = 0;
	void *handle = NULL;
	PyThreadState *thread;
	int ret;

	if (!self)
		goto out;
	if (options->readonly)
		self->flags |= GOSYNC_RDONLY;
	if (options->ioctl_only)
		self->flags |= GOSYNC_IOCTL_ONLY;
	if (create)
		flags |= GOSYNC_CREATE | more_flags |
			 (options->exclusive ? GOSYNC_EXCL : 0) |
			 (options->persist ? GOSYNC_PERSIST : 0) |
			 (options->own_page ? GOSYNC_OWN_PAGE : 0) |
			 (options->no_mmap ? GOSYNC_NO_MMAP : 0);
	else if (!name || options->exclusive || options->persist) {
		PyErr_SetString(PyExc_ValueError,
				name ? "exclusive and persist are for an object that is created" :
				       "an anonymous object has to be created");
		goto fail;
	}
	if (name) {
		self->name = PyUnicode_DecodeFSDefault(name);
		if (!self->name)
			goto fail;
	}
	thread = PyEval_SaveThread();
	ret = open(name, flags | self->flags, options->mode, more, &handle);
	PyEval_RestoreThread(thread);
	if (ret) {
		gosync_py_raise(self, GOSYNC_IOC_OPEN, ret);
		goto fail;
	}
	self->handle = handle;
	goto out;
fail:
	Py_CLEAR(self);
out:
	Py_CLEAR(options->name);
	return (PyObject *)self;
}

/* The functions that make a handle of a descriptor have this form. */
#define DEFINE_FROM_FD(N, T)						\
static int N##_from_fd(int fd, unsigned int flags, void **handle)	\
{									\
	return gosync_##N##_from_fd(fd, flags, (T **)handle);		\
}

DEFINE_FROM_FD(int32, gosync_int32_t)
DEFINE_FROM_FD(uint32, gosync_uint32_t)
DEFINE_FROM_FD(int64, gosync_int64_t)
DEFINE_FROM_FD(uint64, gosync_uint64_t)
DEFINE_FROM_FD(uintptr, gosync_uintptr_t)
DEFINE_FROM_FD(pointer, gosync_pointer_t)
DEFINE_FROM_FD(bool, gosync_bool_t)
DEFINE_FROM_FD(value, gosync_value_t)
DEFINE_FROM_FD(mutex, gosync_mutex_t)
DEFINE_FROM_FD(rwmutex, gosync_rwmutex_t)
DEFINE_FROM_FD(waitgroup, gosync_waitgroup_t)
DEFINE_FROM_FD(once, gosync_once_t)
DEFINE_FROM_FD(cond, gosync_cond_t)
DEFINE_FROM_FD(semaphore, gosync_semaphore_t)
DEFINE_FROM_FD(map, gosync_map_t)

static int (*const from_fd_of[GOSYNC_TYPE_MAX])(int fd, unsigned int flags,
						void **handle) = {
	[GOSYNC_INT32] = int32_from_fd,
	[GOSYNC_UINT32] = uint32_from_fd,
	[GOSYNC_INT64] = int64_from_fd,
	[GOSYNC_UINT64] = uint64_from_fd,
	[GOSYNC_UINTPTR] = uintptr_from_fd,
	[GOSYNC_POINTER] = pointer_from_fd,
	[GOSYNC_BOOL] = bool_from_fd,
	[GOSYNC_VALUE] = value_from_fd,
	[GOSYNC_MUTEX] = mutex_from_fd,
	[GOSYNC_RWMUTEX] = rwmutex_from_fd,
	[GOSYNC_WAITGROUP] = waitgroup_from_fd,
	[GOSYNC_ONCE] = once_from_fd,
	[GOSYNC_COND] = cond_from_fd,
	[GOSYNC_SEMAPHORE] = semaphore_from_fd,
	[GOSYNC_MAP] = map_from_fd,
};

/* &enum gosync_type of a class; GOSYNC_TYPE_MAX: its objects have none */
unsigned int gosync_py_type_of(struct state *state, PyTypeObject *class)
{
	unsigned int type = 1;

	while (type < GOSYNC_TYPE_MAX &&
	       !PyType_IsSubtype(class, state->types[type]))
		type++;
	return type;
}

static int adopt(struct object *self, PyTypeObject *class, int fd)
{
	const unsigned int flags = self->flags & GOSYNC_IOCTL_ONLY;
	struct gosync_info info;
	unsigned int type = gosync_py_type_of(self->state, class);
	PyThreadState *thread;
	int ret;

	if (type == GOSYNC_TYPE_MAX) {
		PyErr_SetString(PyExc_TypeError, "gosync.Object has no objects");
		return RAISED;
	}
	thread = PyEval_SaveThread();
	ret = from_fd_of[type](fd, flags, &self->handle);
	PyEval_RestoreThread(thread);
	if (!ret)
		ret = gosync_info(self->handle, &info);
	if (ret)
		return gosync_py_raise(self, GOSYNC_IOC_OPEN, ret);
	self->flags |= info.flags & GOSYNC_RDONLY;
	if (info.name_len) {
		self->name = PyUnicode_DecodeFSDefaultAndSize((char *)info.name,
							      info.name_len);
		if (!self->name)
			return RAISED;
	}
	return 0;
}

static PyObject *make_of_fd(PyTypeObject *class, int fd, unsigned int flags)
{
	struct object *self = alloc(class);

	if (!self)
		return NULL;
	self->flags = flags;
	if (adopt(self, class, fd))
		Py_CLEAR(self);
	return (PyObject *)self;
}

PyDoc_STRVAR(from_fd_doc,
"from_fd($type, fd, *, ioctl_only=False)\n--\n\n"
"Make an object of a descriptor, such as one received by SCM_RIGHTS.\n\n"
"The descriptor belongs to the object then. The object is the same holder as\n"
"the sender of the descriptor; reopen() makes another one.");

static PyObject *from_fd(PyObject *class, PyObject *args, PyObject *kwargs)
{
	static char *names[] = { "fd", "ioctl_only", NULL };
	int fd, ioctl_only = 0;

	if (!PyArg_ParseTupleAndKeywords(args, kwargs, "i|$p:from_fd", names,
					 &fd, &ioctl_only))
		return NULL;
	return make_of_fd((PyTypeObject *)class, fd,
			  ioctl_only ? GOSYNC_IOCTL_ONLY : 0);
}

PyDoc_STRVAR(reopen_doc,
"reopen($self, /)\n--\n\n"
"Return another handle of the same object, which is a holder of its own.\n\n"
"For a second party in this process: what one of the two holds is not the\n"
"other's, and when one is closed the other is told as of any dead owner.");

static PyObject *reopen(PyObject *obj, PyObject *Py_UNUSED(unused))
{
	struct object *self = (struct object *)obj, *other;
	void *handle = handle_of(self);
	int fd;

	if (!handle)
		return NULL;
	fd = gosync_fd(handle);
	if (fd >= 0) {
		fd = ioctl(fd, GOSYNC_IOC_REOPEN, 0);
		if (fd < 0)
			fd = -errno;
	}
	if (fd < 0) {
		gosync_py_raise(self, GOSYNC_IOC_OPEN, fd);
		return NULL;
	}
	other = (struct object *)make_of_fd(Py_TYPE(obj), fd,
					    self->flags & GOSYNC_IOCTL_ONLY);
	if (!other)
		close(fd);
	else
		other->repair = Py_XNewRef(self->repair);
	return (PyObject *)other;
}

/* --- using and closing ----------------------------------------------------- */

/**
 * gosync_py_hold() - keep the handle open without the GIL
 * @self: the object
 *
 * Return: the handle; NULL with an exception if it is closed.
 */
void *gosync_py_hold(struct object *self)
{
	void *handle = handle_of(self);

	if (!handle)
		return NULL;
	if (self->copy != copy) {
		self->copy = copy;
		self->users = 0;
	}
	self->users++;
	return handle;
}

static void close_handle(void *handle)
{
	PyThreadState *thread = PyEval_SaveThread();

	gosync_close(handle);
	PyEval_RestoreThread(thread);
}

/* Take gosync_py_hold() back, with the GIL again. */
void gosync_py_drop(struct object *self)
{
	void *last = self->last;

	if (--self->users || !last)
		return;
	self->last = NULL;
	close_handle(last);
}

PyDoc_STRVAR(close_doc,
"close($self, /)\n--\n\n"
"Close the handle. Later operations raise ValueError; closing again does nothing.\n\n"
"Unlock first: what the handle still holds is recovered as if its process had\n"
"died. Other threads may be using the object. Those that wait go on waiting,\n"
"give back what they get, and raise ValueError; the handle is closed after that.");

static PyObject *close_object(PyObject *obj, PyObject *Py_UNUSED(unused))
{
	struct object *self = (struct object *)obj;
	void *handle = self->handle;

	self->handle = NULL;
	if (handle && self->users && self->copy == copy)
		self->last = handle;
	else if (handle)
		close_handle(handle);
	Py_RETURN_NONE;
}

int gosync_py_traverse(PyObject *obj, visitproc visit, void *arg)
{
	Py_VISIT(Py_TYPE(obj));
	Py_VISIT(((struct object *)obj)->repair);
	return 0;
}

int gosync_py_clear(PyObject *obj)
{
	Py_CLEAR(((struct object *)obj)->repair);
	return 0;
}

void gosync_py_dealloc(PyObject *obj)
{
	struct object *self = (struct object *)obj;
	PyTypeObject *type = Py_TYPE(obj);
	freefunc free_it = PyType_GetSlot(type, Py_tp_free);

	PyObject_GC_UnTrack(obj);
	if (self->weakrefs)
		PyObject_ClearWeakRefs(obj);
	gosync_close(self->handle);
	gosync_close(self->last);
	Py_CLEAR(self->repair);
	Py_CLEAR(self->name);
	free_it(obj);
	Py_DECREF(type);
}

/* --- what can be asked ----------------------------------------------------- */

PyDoc_STRVAR(fileno_doc,
"fileno($self, /)\n--\n\n"
"Return the descriptor behind the object, for select, poll and epoll.\n\n"
"Documentation/async.md says when it is readable. While somebody polls an\n"
"object, releasing it is a system call for everybody.");

static PyObject *fileno_of(PyObject *obj, PyObject *Py_UNUSED(unused))
{
	struct object *self = (struct object *)obj;
	void *handle = handle_of(self);
	int fd = handle ? gosync_fd(handle) : RAISED;

	if (fd < 0) {
		gosync_py_raise(self, 0, fd);
		return NULL;
	}
	return PyLong_FromLong(fd);
}

PyDoc_STRVAR(watch_doc,
"watch($self, index=0, value=0)\n--\n\n"
"Say what makes the descriptor readable, where the type does not say it.\n\n"
"index: of atomics, which word.\n"
"value: atomics: readable once the word is no longer this; Value and Map: once\n"
"the version is no longer this; Semaphore: once so many permits can be had.");

static PyObject *watch(PyObject *obj, PyObject *args, PyObject *kwargs)
{
	static char *names[] = { "index", "value", NULL };
	struct object *self = (struct object *)obj;
	unsigned long long value = 0;
	Py_ssize_t index = 0;
	void *handle;

	if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|nK:watch", names, &index,
					 &value))
		return NULL;
	handle = handle_of(self);
	if (!handle)
		return NULL;
	return none_or_raise(self, GOSYNC_IOC_WATCH,
			     gosync_watch(handle, index, value));
}

PyDoc_STRVAR(unwatch_doc,
"unwatch($self, /)\n--\n\n"
"Take watch() back.");

static PyObject *unwatch(PyObject *obj, PyObject *Py_UNUSED(unused))
{
	struct object *self = (struct object *)obj;
	void *handle = handle_of(self);

	if (!handle)
		return NULL;
	return none_or_raise(self, GOSYNC_IOC_WATCH, gosync_unwatch(handle));
}

PyDoc_STRVAR(info_doc,
"info($self, /)\n--\n\n"
"Return a dict of what is known of the object.\n\n"
"struct gosync_info in <linux/gosync.h> says what each entry means.");

static PyObject *info_of(PyObject *obj, PyObject *Py_UNUSED(unused))
{
	struct object *self = (struct object *)obj;
	void *handle = handle_of(self);
	struct gosync_info i;
	int ret = handle ? gosync_info(handle, &i) : RAISED;

	if (ret) {
		gosync_py_raise(self, GOSYNC_IOC_INFO, ret);
		return NULL;
	}
#define U(field)	#field, (unsigned int)i.field
#define K(field)	#field, (unsigned long long)i.field
	return Py_BuildValue("{sssKsIsIsIsIsIsIsIsIsIsKsKsKsKsKsIsIsIsIsIsK}",
			     "type", gosync_type_name(i.type), K(id), U(flags),
			     U(mode), U(uid), U(gid), U(holder), U(holders),
			     U(waiters), U(owner), U(owner_pid), K(word),
			     K(token), K(capacity), K(contended), K(wait_max_ns),
			     U(deaths), U(readers), U(key_size), U(value_size),
			     U(owed), K(idle_ns));
#undef U
#undef K
}

PyDoc_STRVAR(break_doc,
"break_holder($self, holder, /)\n--\n\n"
"Take away what a holder has, although it lives.\n\n"
"holder: its number, such as info()['owner']. For a holder that hangs. Its next\n"
"operation raises HolderBroken, and so do those that follow.");

static PyObject *break_holder(PyObject *obj, PyObject *arg)
{
	struct object *self = (struct object *)obj;
	unsigned long holder = PyLong_AsUnsignedLong(arg);
	void *handle;

	if (holder == (unsigned long)-1 && PyErr_Occurred())
		return NULL;
	handle = handle_of(self);
	if (!handle)
		return NULL;
	if (holder > UINT32_MAX)
		holder = 0;
	return none_or_raise(self, GOSYNC_IOC_BREAK, gosync_break(handle, holder));
}

static PyObject *repr(PyObject *obj)
{
	struct object *self = (struct object *)obj;
	PyObject *name = PyType_GetQualName(Py_TYPE(obj)), *text = NULL;
	const char *end = self->handle ? "" : " closed";

	if (name && self->name)
		text = PyUnicode_FromFormat("<gosync.%U %R%s>", name, self->name,
					    end);
	else if (name)
		text = PyUnicode_FromFormat("<gosync.%U anonymous at %p%s>", name,
					    obj, end);
	Py_XDECREF(name);
	return text;
}

PyDoc_STRVAR(reduce_doc,
"__reduce__($self, /)\n--\n\n"
"Objects are pickled by name, and anonymous ones by descriptor.");

static PyObject *reduce(PyObject *obj, PyObject *Py_UNUSED(unused))
{
	PyObject *module = PyImport_ImportModule("gosync._pickle"), *made;

	if (!module)
		return NULL;
	made = PyObject_CallMethod(module, "reduce", "O", obj);
	Py_DECREF(module);
	return made;
}

static PyObject *get_closed(PyObject *obj, void *Py_UNUSED(unused))
{
	return PyBool_FromLong(!((struct object *)obj)->handle);
}

static PyObject *get_readonly(PyObject *obj, void *Py_UNUSED(unused))
{
	return PyBool_FromLong(((struct object *)obj)->flags & GOSYNC_RDONLY);
}

static PyObject *get_ioctl_only(PyObject *obj, void *Py_UNUSED(unused))
{
	return PyBool_FromLong(!!(((struct object *)obj)->flags &
				  GOSYNC_IOCTL_ONLY));
}

static PyGetSetDef getset[] = {
	{ "closed", get_closed, NULL, "Whether close() was called.", NULL },
	{ "readonly", get_readonly, NULL, "Whether it can only observe.", NULL },
	{ "ioctl_only", get_ioctl_only, NULL,
	  "Whether it was opened with ioctl_only=True.", NULL },
	{}
};

static PyMemberDef members[] = {
	{ "name", T_OBJECT, offsetof(struct object, name), READONLY,
	  "The name, None if the object is anonymous." },
	{ "__weaklistoffset__", T_PYSSIZET, offsetof(struct object, weakrefs),
	  READONLY, NULL },
	{}
};

static PyMethodDef methods[] = {
	{ "from_fd", METHOD(from_fd), KEYWORDS | METH_CLASS, from_fd_doc },
	{ "reopen", reopen, METH_NOARGS, reopen_doc },
	{ "close", close_object, METH_NOARGS, close_doc },
	{ "fileno", fileno_of, METH_NOARGS, fileno_doc },
	{ "watch", METHOD(watch), KEYWORDS, watch_doc },
	{ "unwatch", unwatch, METH_NOARGS, unwatch_doc },
	{ "info", info_of, METH_NOARGS, info_doc },
	{ "break_holder", break_holder, METH_O, break_doc },
	{ "__reduce__", reduce, METH_NOARGS, reduce_doc },
	{}
};

PyDoc_STRVAR(object_doc,
"What all types have in common: a name, a descriptor, close().\n\n"
"An object is closed when it is garbage, too. In a child of os.fork() it is a\n"
"holder of its own, so the child does not own its parent's locks.");

static PyType_Slot slots[] = {
	{ Py_tp_doc, (void *)object_doc },
	{ Py_tp_dealloc, gosync_py_dealloc },
	{ Py_tp_traverse, gosync_py_traverse },
	{ Py_tp_clear, gosync_py_clear },
	{ Py_tp_repr, repr },
	{ Py_tp_members, members },
	{ Py_tp_getset, getset },
	{ Py_tp_methods, methods },
	{}
};

static PyType_Spec spec = {
	.name = "gosync.Object",
	.basicsize = sizeof(struct object),
	.flags = OBJECT_FLAGS | Py_TPFLAGS_DISALLOW_INSTANTIATION,
	.slots = slots,
};

/**
 * gosync_py_type() - make a type and add it to the module
 * @state: the state, which gets a reference to it
 * @module: the module
 * @type_spec: what it is; NULL: gosync.Object
 * @type: &enum gosync_type; 0: gosync.Object
 *
 * Return: the type, or NULL with an exception.
 */
PyTypeObject *gosync_py_type(struct state *state, PyObject *module,
			     PyType_Spec *type_spec, unsigned int type)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	PyTypeObject *made;

	pthread_once(&once, watch_forks);
	if (!type_spec)
		type_spec = &spec;
	made = (PyTypeObject *)PyType_FromModuleAndSpec(module, type_spec,
							(PyObject *)state->base);
	if (!made)
		return NULL;
	if (type)
		state->types[type] = made;
	else
		state->base = made;
	return PyModule_AddType(module, made) ? NULL : made;
}
