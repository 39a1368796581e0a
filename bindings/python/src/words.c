// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The atomic words: gosync.Int32, Uint32, Int64, Uint64, Uintptr, Pointer, Bool.
 *
 * The functions of each type are brought to one form, in which a word is a
 * uint64_t, with the sign extended.
 */
#include "gosync-py.h"

/**
 * struct kind - a type of words
 * @type: &enum gosync_type
 * @bits: how many a word has
 * @is_signed: whether a word has a sign
 * @open: opens an array
 * @load: reads a word
 * @store: writes it
 * @swap: writes it, and gets the old one
 * @cas: writes it if it is the old one
 * @wait: waits until it is not the old one
 * @wake: wakes those
 * @add: adds, and gets the new one; NULL: not for this type
 * @and: keeps bits, and gets the old one; NULL: not for this type
 * @or: sets bits, and gets the old one; NULL: not for this type
 */
struct kind {
	unsigned int type;
	unsigned int bits;
	bool is_signed;
	int (*open)(const char *name, size_t count, unsigned int flags,
		    unsigned int mode, void **handle);
	int (*load)(void *handle, size_t i, uint64_t *now);
	int (*store)(void *handle, size_t i, uint64_t value);
	int (*swap)(void *handle, size_t i, uint64_t value, uint64_t *old);
	int (*cas)(void *handle, size_t i, uint64_t old, uint64_t value);
	int (*wait)(void *handle, size_t i, uint64_t old, uint64_t deadline,
		    unsigned int flags, uint64_t *now);
	int (*wake)(void *handle, size_t i, unsigned int count);
	int (*add)(void *handle, size_t i, uint64_t delta, uint64_t *now);
	int (*and)(void *handle, size_t i, uint64_t mask, uint64_t *old);
	int (*or)(void *handle, size_t i, uint64_t mask, uint64_t *old);
};

#define DEFINE_OP(N, T, op)						\
static int N##_##op(void *handle, size_t i, uint64_t v, uint64_t *out)	\
{									\
	T got = 0;							\
	int ret = gosync_##N##_##op(handle, i, (T)v, &got);		\
									\
	*out = (uint64_t)got;						\
	return ret;							\
}

#define DEFINE_WORDS(N, T)						\
static int N##_open(const char *name, size_t count, unsigned int flags,	\
		    unsigned int mode, void **handle)			\
{									\
	return gosync_##N##_open(name, count, flags, mode,		\
				 (gosync_##N##_t **)handle);		\
}									\
static int N##_load(void *handle, size_t i, uint64_t *out)		\
{									\
	T got = 0;							\
	int ret = gosync_##N##_load(handle, i, &got);			\
									\
	*out = (uint64_t)got;						\
	return ret;							\
}									\
static int N##_store(void *handle, size_t i, uint64_t v)		\
{									\
	return gosync_##N##_store(handle, i, (T)v);			\
}									\
static int N##_cas(void *handle, size_t i, uint64_t old, uint64_t v)	\
{									\
	return gosync_##N##_cas(handle, i, (T)old, (T)v);		\
}									\
static int N##_wait(void *handle, size_t i, uint64_t old,		\
		    uint64_t deadline, unsigned int flags, uint64_t *out) \
{									\
	T got = 0;							\
	int ret = gosync_##N##_wait(handle, i, (T)old, deadline, flags,	\
				    &got);				\
									\
	*out = (uint64_t)got;						\
	return ret;							\
}									\
static int N##_wake(void *handle, size_t i, unsigned int count)		\
{									\
	return gosync_##N##_wake(handle, i, count);			\
}

#define DEFINE_ARITHMETIC(N, T)						\
DEFINE_OP(N, T, add)							\
DEFINE_OP(N, T, and)							\
DEFINE_OP(N, T, or)

#define KIND(N, TYPE, BITS, SIGNED)					\
	.type = (TYPE), .bits = (BITS), .is_signed = (SIGNED),		\
	.open = N##_open, .load = N##_load, .store = N##_store,		\
	.swap = N##_swap, .cas = N##_cas, .wait = N##_wait, .wake = N##_wake

#define ARITHMETIC(N)	.add = N##_add, .and = N##_and, .or = N##_or

DEFINE_WORDS(int32, int32_t)
DEFINE_OP(int32, int32_t, swap)
DEFINE_WORDS(uint32, uint32_t)
DEFINE_OP(uint32, uint32_t, swap)
DEFINE_WORDS(int64, int64_t)
DEFINE_OP(int64, int64_t, swap)
DEFINE_WORDS(uint64, uint64_t)
DEFINE_OP(uint64, uint64_t, swap)
DEFINE_WORDS(uintptr, uint64_t)
DEFINE_OP(uintptr, uint64_t, swap)
DEFINE_WORDS(pointer, uint64_t)
DEFINE_OP(pointer, uint64_t, swap)
DEFINE_WORDS(bool, uint32_t)
DEFINE_OP(bool, uint32_t, swap)
DEFINE_ARITHMETIC(int32, int32_t)
DEFINE_ARITHMETIC(uint32, uint32_t)
DEFINE_ARITHMETIC(int64, int64_t)
DEFINE_ARITHMETIC(uint64, uint64_t)
DEFINE_ARITHMETIC(uintptr, uint64_t)

static const struct kind kinds[] = {
	{ KIND(int32, GOSYNC_INT32, 32, true), ARITHMETIC(int32) },
	{ KIND(uint32, GOSYNC_UINT32, 32, false), ARITHMETIC(uint32) },
	{ KIND(int64, GOSYNC_INT64, 64, true), ARITHMETIC(int64) },
	{ KIND(uint64, GOSYNC_UINT64, 64, false), ARITHMETIC(uint64) },
	{ KIND(uintptr, GOSYNC_UINTPTR, 64, false), ARITHMETIC(uintptr) },
	{ KIND(pointer, GOSYNC_POINTER, 64, false) },
	{ KIND(bool, GOSYNC_BOOL, 1, false) },
};

/**
 * struct words - an array of atomic words
 * @object: what all have
 * @kind: which type of words; NULL: not looked for yet
 * @count: how many; 0: not asked yet
 */
struct words {
	struct object object;
	const struct kind *kind;
	Py_ssize_t count;
};

static const struct kind *kind_of(struct state *state, PyTypeObject *type)
{
	const struct kind *kind = kinds;

	while (!PyType_IsSubtype(type, state->types[kind->type]))
		kind++;
	return kind;
}

/* --- opening --------------------------------------------------------------- */

/**
 * struct creation - how many words of which type
 * @kind: which
 * @count: how many
 */
struct creation {
	const struct kind *kind;
	Py_ssize_t count;
};

static int open_words(const char *name, unsigned int flags, unsigned int mode,
		      const void *more, void **handle)
{
	const struct creation *c = more;

	return c->kind->open(name, c->count, flags, mode, handle);
}

static PyObject *make(PyTypeObject *type, PyObject *args, PyObject *kwargs,
		      const struct kind *kind)
{
	static char *names[] = { "name", "count", OPTIONS_NAMES, NULL };
	struct options options = OPTIONS_INIT;
	struct creation c = { .kind = kind };

	if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|" FIRST_FORMAT "n$"
					 OPTIONS_FORMAT, names, FIRST(&options),
					 &c.count, OPTIONS(&options)))
		return NULL;
	if (c.count < 0) {
		Py_CLEAR(options.name);
		PyErr_SetString(PyExc_ValueError, "count is out of its range");
		return NULL;
	}
	return gosync_py_open(type, &options, 0, open_words, &c);
}

#define DEFINE_NEW(n)							\
static PyObject *new_##n(PyTypeObject *type, PyObject *args,		\
			 PyObject *kwargs)				\
{									\
	return make(type, args, kwargs, &kinds[n]);			\
}

DEFINE_NEW(0)
DEFINE_NEW(1)
DEFINE_NEW(2)
DEFINE_NEW(3)
DEFINE_NEW(4)
DEFINE_NEW(5)
DEFINE_NEW(6)

/* --- arguments ------------------------------------------------------------- */

/* Make sure that the handle is open, and that @kind and @count are known. */
static int ready(struct words *words)
{
	struct gosync_info info;
	int ret;

	if (!handle_of(&words->object))
		return RAISED;
	if (likely(words->count))
		return 0;
	words->kind = kind_of(words->object.state, Py_TYPE((PyObject *)words));
	ret = gosync_info(words->object.handle, &info);
	if (ret)
		return gosync_py_raise(&words->object, GOSYNC_IOC_INFO, ret);
	words->count = info.capacity;
	return 0;
}

static int check_index(const struct words *words, Py_ssize_t *i)
{
	if (*i < 0)
		*i += words->count;
	if (*i >= 0 && *i < words->count)
		return 0;
	PyErr_SetString(PyExc_IndexError, "index out of range");
	return RAISED;
}

static PyObject *to_python(const struct kind *kind, uint64_t value)
{
	if (kind->bits == 1)
		return PyBool_FromLong(!!value);
	if (kind->is_signed)
		return PyLong_FromLongLong((long long)value);
	return PyLong_FromUnsignedLongLong(value);
}

static int too_large(const struct kind *kind)
{
	PyErr_Format(PyExc_OverflowError, "does not fit in %s%d bits",
		     kind->is_signed ? "a signed number of " : "", kind->bits);
	return RAISED;
}

/* @wraps: for what is added to unsigned words: -1 is their largest number */
static int of_python(const struct kind *kind, PyObject *arg, bool wraps,
		     uint64_t *value)
{
	const uint64_t most = ~(uint64_t)0 >> (64 - kind->bits);
	PyObject *number;
	long long v;
	int overflow;

	if (kind->bits == 1) {
		int truth = PyObject_IsTrue(arg);

		*value = truth;
		return truth < 0 ? RAISED : 0;
	}
	number = PyNumber_Index(arg);
	if (!number)
		return RAISED;
	v = PyLong_AsLongLongAndOverflow(number, &overflow);
	*value = v;
	if (overflow > 0 && !kind->is_signed) {
		*value = PyLong_AsUnsignedLongLong(number);
		overflow = *value == (uint64_t)-1 && PyErr_Occurred();
		PyErr_Clear();
		v = 0;
	}
	Py_DECREF(number);
	if (overflow)
		return too_large(kind);
	if (kind->is_signed)
		return kind->bits == 32 && v != (int32_t)v ? too_large(kind) : 0;
	if (v < 0)
		return wraps && -(uint64_t)v <= most ? 0 : too_large(kind);
	return *value <= most ? 0 : too_large(kind);
}

/* --- operations ------------------------------------------------------------ */

static PyObject *result(struct words *words, unsigned int op, int ret,
			uint64_t value)
{
	if (likely(ret >= 0))
		return to_python(words->kind, value);
	gosync_py_raise(&words->object, op, ret);
	return NULL;
}

static PyObject *load_at(struct words *words, Py_ssize_t i)
{
	uint64_t value = 0;
	int ret;

	if (ready(words) || check_index(words, &i))
		return NULL;
	ret = words->kind->load(words->object.handle, i, &value);
	return result(words, GOSYNC_IOC_ATOMIC_LOAD, ret, value);
}

static PyObject *load(PyObject *self, PyObject *args, PyObject *kwargs)
{
	static char *names[] = { "index", NULL };
	Py_ssize_t i = 0;

	if ((kwargs || PyTuple_Size(args)) &&
	    !PyArg_ParseTupleAndKeywords(args, kwargs, "|n:load", names, &i))
		return NULL;
	return load_at((struct words *)self, i);
}

static int store_at(struct words *words, Py_ssize_t i, PyObject *arg)
{
	uint64_t value;
	int ret;

	if (ready(words) || check_index(words, &i) ||
	    of_python(words->kind, arg, false, &value))
		return RAISED;
	ret = words->kind->store(words->object.handle, i, value);
	return ret < 0 ? gosync_py_raise(&words->object, GOSYNC_IOC_ATOMIC_STORE,
					 ret) : 0;
}

/* The arguments of most operations: a value and an index */
static int parse(struct words *words, PyObject *args, PyObject *kwargs,
		 bool wraps, uint64_t *value, Py_ssize_t *i)
{
	static char *names[] = { "", "index", NULL };
	PyObject *arg;

	*i = 0;
	if (likely(!kwargs && PyTuple_Size(args) == 1))
		arg = PyTuple_GetItem(args, 0);
	else if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O|n", names, &arg, i))
		return RAISED;
	if (ready(words) || check_index(words, i))
		return RAISED;
	return of_python(words->kind, arg, wraps, value);
}

static PyObject *store(PyObject *obj, PyObject *args, PyObject *kwargs)
{
	struct words *words = (struct words *)obj;
	uint64_t value;
	Py_ssize_t i;

	if (parse(words, args, kwargs, false, &value, &i))
		return NULL;
	return none_or_raise(&words->object, GOSYNC_IOC_ATOMIC_STORE,
			     words->kind->store(words->object.handle, i, value));
}

static PyObject *swap(PyObject *obj, PyObject *args, PyObject *kwargs)
{
	struct words *words = (struct words *)obj;
	uint64_t value, old = 0;
	Py_ssize_t i;
	int ret;

	if (parse(words, args, kwargs, false, &value, &i))
		return NULL;
	ret = words->kind->swap(words->object.handle, i, value, &old);
	return result(words, GOSYNC_IOC_ATOMIC_SWAP, ret, old);
}

static PyObject *compare_and_swap(PyObject *obj, PyObject *args, PyObject *kwargs)
{
	static char *names[] = { "", "", "index", NULL };
	struct words *words = (struct words *)obj;
	PyObject *old_arg, *new_arg;
	uint64_t old, value;
	Py_ssize_t i = 0;
	int ret;

	if (!PyArg_ParseTupleAndKeywords(args, kwargs, "OO|n:compare_and_swap", names,
					 &old_arg, &new_arg, &i) ||
	    ready(words) || check_index(words, &i) ||
	    of_python(words->kind, old_arg, false, &old) ||
	    of_python(words->kind, new_arg, false, &value))
		return NULL;
	ret = words->kind->cas(words->object.handle, i, old, value);
	if (ret < 0) {
		gosync_py_raise(&words->object, GOSYNC_IOC_ATOMIC_CAS, ret);
		return NULL;
	}
	return PyBool_FromLong(ret);
}

static PyObject *add(PyObject *obj, PyObject *args, PyObject *kwargs)
{
	struct words *words = (struct words *)obj;
	uint64_t delta, now = 0;
	Py_ssize_t i;
	int ret;

	if (parse(words, args, kwargs, true, &delta, &i))
		return NULL;
	ret = words->kind->add(words->object.handle, i, delta, &now);
	return result(words, GOSYNC_IOC_ATOMIC_ADD, ret, now);
}

static PyObject *and(PyObject *obj, PyObject *args, PyObject *kwargs)
{
	struct words *words = (struct words *)obj;
	uint64_t mask, old = 0;
	Py_ssize_t i;
	int ret;

	if (parse(words, args, kwargs, true, &mask, &i))
		return NULL;
	ret = words->kind->and(words->object.handle, i, mask, &old);
	return result(words, GOSYNC_IOC_ATOMIC_AND, ret, old);
}

static PyObject *or(PyObject *obj, PyObject *args, PyObject *kwargs)
{
	struct words *words = (struct words *)obj;
	uint64_t mask, old = 0;
	Py_ssize_t i;
	int ret;

	if (parse(words, args, kwargs, true, &mask, &i))
		return NULL;
	ret = words->kind->or(words->object.handle, i, mask, &old);
	return result(words, GOSYNC_IOC_ATOMIC_OR, ret, old);
}

/* --- waiting --------------------------------------------------------------- */

/**
 * struct wait - a wait for a word
 * @kind: of which type it is
 * @i: which word
 * @old: what it is no longer to be
 * @now: out: what it is
 */
struct wait {
	const struct kind *kind;
	size_t i;
	uint64_t old;
	uint64_t now;
};

static int wait_until(void *handle, uint64_t deadline, unsigned int flags,
		      void *arg)
{
	struct wait *wait = arg;

	return wait->kind->wait(handle, wait->i, wait->old, deadline, flags,
				&wait->now);
}

PyDoc_STRVAR(wait_doc,
"wait($self, old, /, index=0, timeout=None)\n--\n\n"
"Wait until the word is not old, and return what it is; None if timeout came first.\n\n"
"Who changes the word has to wake() the waiters.");

static PyObject *wait(PyObject *obj, PyObject *args, PyObject *kwargs)
{
	static char *names[] = { "", "index", "timeout", NULL };
	struct words *words = (struct words *)obj;
	PyObject *old, *timeout = NULL;
	struct wait wait = {};
	uint64_t deadline;
	Py_ssize_t i = 0;
	int ret;

	if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O|nO:wait", names, &old, &i,
					 &timeout) ||
	    gosync_py_deadline(timeout, TIMEOUT, &deadline) || ready(words) ||
	    check_index(words, &i) ||
	    of_python(words->kind, old, false, &wait.old))
		return NULL;
	wait.kind = words->kind;
	wait.i = i;
	ret = gosync_py_wait(&words->object, wait_until, deadline, &wait, NULL);
	if (is_no(ret))
		Py_RETURN_NONE;
	return result(words, GOSYNC_IOC_ATOMIC_WAIT, ret, wait.now);
}

PyDoc_STRVAR(wake_doc,
"wake($self, index=0, count=None)\n--\n\n"
"Let up to count waiters of the word look at it again; return how many.\n\n"
"count: None for all. There is no system call when nobody waits.");

static PyObject *wake(PyObject *obj, PyObject *args, PyObject *kwargs)
{
	static char *names[] = { "index", "count", NULL };
	struct words *words = (struct words *)obj;
	PyObject *count_arg = NULL;
	unsigned long count = INT_MAX;
	Py_ssize_t i = 0;
	int ret;

	if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|nO:wake", names, &i,
					 &count_arg) ||
	    ready(words) || check_index(words, &i))
		return NULL;
	if (count_arg && !Py_IsNone(count_arg)) {
		count = PyLong_AsUnsignedLong(count_arg);
		if (count == (unsigned long)-1 && PyErr_Occurred())
			return NULL;
		if (count > INT_MAX)
			count = INT_MAX;
	}
	ret = words->kind->wake(words->object.handle, i, count);
	if (ret < 0) {
		gosync_py_raise(&words->object, GOSYNC_IOC_ATOMIC_WAKE, ret);
		return NULL;
	}
	return PyLong_FromLong(ret);
}

/* --- the types ------------------------------------------------------------- */

static Py_ssize_t length(PyObject *obj)
{
	struct words *words = (struct words *)obj;

	return ready(words) ? -1 : words->count;
}

static PyObject *get_item(PyObject *obj, Py_ssize_t i)
{
	return load_at((struct words *)obj, i);
}

static int set_item(PyObject *obj, Py_ssize_t i, PyObject *value)
{
	if (!value) {
		PyErr_SetString(PyExc_TypeError, "words cannot be deleted");
		return -1;
	}
	return store_at((struct words *)obj, i, value) ? -1 : 0;
}

#define BASE_METHODS							\
	{ "load", METHOD(load), KEYWORDS,				\
	  "load($self, index=0)\n--\n\nRead the word." },		\
	{ "store", METHOD(store), KEYWORDS,				\
	  "store($self, value, /, index=0)\n--\n\nWrite the word." },	\
	{ "swap", METHOD(swap), KEYWORDS,				\
	  "swap($self, value, /, index=0)\n--\n\n"			\
	  "Write the word, and return what was there." },		\
	{ "compare_and_swap", METHOD(compare_and_swap), KEYWORDS,	\
	  "compare_and_swap($self, old, new, /, index=0)\n--\n\n"	\
	  "Write the word if it is old, and return whether it was." },	\
	{ "wait", METHOD(wait), KEYWORDS, wait_doc },			\
	{ "wake", METHOD(wake), KEYWORDS, wake_doc }

static PyMethodDef base_methods[] = {
	BASE_METHODS,
	{}
};

static PyMethodDef arithmetic_methods[] = {
	BASE_METHODS,
	{ "add", METHOD(add), KEYWORDS,
	  "add($self, delta, /, index=0)\n--\n\n"
	  "Add to the word, and return the new value. It wraps around." },
	{ "and_", METHOD(and), KEYWORDS,
	  "and_($self, mask, /, index=0)\n--\n\n"
	  "Keep the bits of mask, and return the old value." },
	{ "or_", METHOD(or), KEYWORDS,
	  "or_($self, mask, /, index=0)\n--\n\n"
	  "Set the bits of mask, and return the old value." },
	{}
};

#define WORDS_DOC(name, what)						\
	name "(name=None, count=0, *, " OPTIONS_SIGNATURE ")\n--\n\n"	\
	"Atomic words: an array of " what ", of one word by default.\n\n" \
	"Each operation is sequentially consistent, as in Go's sync/atomic, and\n" \
	"makes no system call. words[i] reads and writes a word, too." \
	OPTIONS_DOC "\n"						\
	"count: how many words; 0: 1, or as many as the existing array has."

#define ADD(n, N, what, some_methods)					\
do {									\
	static PyType_Slot slots[] = {					\
		{ Py_tp_doc, (void *)(WORDS_DOC(N, what)) },		\
		{ Py_tp_new, new_##n },					\
		{ Py_tp_dealloc, gosync_py_dealloc },			\
		{ Py_tp_traverse, gosync_py_traverse },			\
		{ Py_tp_clear, gosync_py_clear },			\
		{ Py_tp_methods, some_methods },			\
		{ Py_sq_length, length },				\
		{ Py_sq_item, get_item },				\
		{ Py_sq_ass_item, set_item },				\
		{}							\
	};								\
	static PyType_Spec spec = {					\
		.name = "gosync." N,					\
		.basicsize = sizeof(struct words),			\
		.flags = OBJECT_FLAGS,					\
		.slots = slots,						\
	};								\
									\
	if (!gosync_py_type(state, module, &spec, kinds[n].type))	\
		return -1;						\
} while (0)

int gosync_py_add_words(struct state *state, PyObject *module)
{
	ADD(0, "Int32", "signed numbers of 32 bits", arithmetic_methods);
	ADD(1, "Uint32", "unsigned numbers of 32 bits", arithmetic_methods);
	ADD(2, "Int64", "signed numbers of 64 bits", arithmetic_methods);
	ADD(3, "Uint64", "unsigned numbers of 64 bits", arithmetic_methods);
	ADD(4, "Uintptr", "unsigned numbers of 64 bits, Go's uintptr",
	    arithmetic_methods);
	ADD(5, "Pointer", "opaque words of 64 bits, without arithmetic", base_methods);
	ADD(6, "Bool", "True or False", base_methods);
	return 0;
}
