// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Waiting: without the GIL, until a deadline, and until a handler of a signal
 * raises an exception.
 */
#include <math.h>

#include "gosync-py.h"

/**
 * gosync_py_deadline() - when a time in seconds ends
 * @timeout: a number, or None (or NULL) for ever
 * @kind: TIMEOUT_OF_LOCK: -1 means for ever, and other negative times are an
 *	error, as with threading.Lock; TIMEOUT: negative times have passed, as
 *	with threading.Condition
 * @deadline: where to put it; it is 1 if the time has passed
 *
 * Return: 0, or RAISED.
 */
int gosync_py_deadline(PyObject *timeout, enum timeout_kind kind,
		       uint64_t *deadline)
{
	double seconds;

	*deadline = GOSYNC_FOREVER;
	if (!timeout || Py_IsNone(timeout))
		return 0;
	seconds = PyFloat_AsDouble(timeout);
	if (seconds == -1 && PyErr_Occurred())
		return RAISED;
	if (isnan(seconds)) {
		PyErr_SetString(PyExc_ValueError, "Invalid value NaN (not a number)");
		return RAISED;
	}
	if (seconds < 0 && kind == TIMEOUT_OF_LOCK) {
		if (seconds == -1)
			return 0;
		PyErr_SetString(PyExc_ValueError,
				"timeout value must be a non-negative number");
		return RAISED;
	}
	/* 292 years of nanoseconds; threading.TIMEOUT_MAX */
	if (seconds >= 9223372036.0) {
		PyErr_SetString(PyExc_OverflowError, "timeout value is too large");
		return RAISED;
	}
	*deadline = seconds > 0 ? gosync_deadline((uint64_t)(seconds * 1e9)) : 1;
	return 0;
}

/**
 * gosync_py_wait() - wait without the GIL
 * @self: whose handle it is
 * @fn: what waits; it is told GOSYNC_INTERRUPTIBLE
 * @deadline: passed on to @fn
 * @arg: passed on to @fn
 * @give_back: takes a success back; NULL: there is nothing to take back
 *
 * When a signal has come, its handler in Python runs. If it raises, that ends
 * the wait. Otherwise the thread asks again, which goes on with the same wait, at
 * its old place in the queue. If the object was closed meanwhile, what was
 * granted is given back.
 *
 * Return: what @fn returned, or RAISED.
 */
int gosync_py_wait(struct object *self, wait_fn *fn, uint64_t deadline,
		   void *arg, void (*give_back)(void *handle, void *arg))
{
	void *handle = gosync_py_hold(self);
	PyThreadState *thread;
	int ret;

	if (!handle)
		return RAISED;
	do {
		thread = PyEval_SaveThread();
		ret = fn(handle, deadline, GOSYNC_INTERRUPTIBLE, arg);
		PyEval_RestoreThread(thread);
		if (ret == -EINTR && PyErr_CheckSignals())
			ret = RAISED;
	} while (ret == -EINTR);
	if (unlikely(self->handle != handle)) {
		if (ret >= 0 && give_back)
			give_back(handle, arg);
		if (ret != RAISED)
			PyErr_SetString(PyExc_ValueError,
					"the gosync object was closed during the wait");
		ret = RAISED;
	}
	gosync_py_drop(self);
	return ret;
}

/**
 * gosync_py_parse_acquire() - read the arguments of an acquire()
 * @args: the positional ones: blocking and timeout
 * @kwargs: by name; "block" is multiprocessing's word for blocking
 * @kind: what the timeout means
 * @a: where to put them; @a->n: 0 if there is no such argument, otherwise 1
 *
 * Return: 0, or RAISED.
 */
int gosync_py_parse_acquire(PyObject *args, PyObject *kwargs,
			    enum timeout_kind kind, struct acquire *a)
{
	static char *lock_names[] = { "blocking", "timeout", "block",
				      "poisoned_ok", NULL };
	static char *names[] = { "blocking", "timeout", "block", "n", NULL };
	PyObject *timeout = NULL, *block = NULL;
	int blocking = 1;

	if (likely(!kwargs && !PyTuple_Size(args))) {
		a->deadline = GOSYNC_FOREVER;
		return 0;
	}
	if (kind == TIMEOUT_OF_LOCK ?
	    !PyArg_ParseTupleAndKeywords(args, kwargs, "|pO$Op:acquire", lock_names,
					 &blocking, &timeout, &block,
					 &a->poisoned_ok) :
	    !PyArg_ParseTupleAndKeywords(args, kwargs, "|pO$OI:acquire", names,
					 &blocking, &timeout, &block, &a->n))
		return RAISED;
	if (block) {
		blocking = PyObject_IsTrue(block);
		if (blocking < 0)
			return RAISED;
	}
	if (gosync_py_deadline(timeout, kind, &a->deadline))
		return RAISED;
	if (!blocking && a->deadline != GOSYNC_FOREVER) {
		PyErr_SetString(PyExc_ValueError,
				"can't specify a timeout for a non-blocking call");
		return RAISED;
	}
	a->try = !blocking || a->deadline == 1;
	return 0;
}
