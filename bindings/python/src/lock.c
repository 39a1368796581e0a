// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What a Mutex and both sides of an RWMutex have in common: acquire(), release(),
 * "with", and what happens after the death of an owner.
 */
#include "gosync-py.h"

/* Drop a lock that the caller of a wait has no use for. */
static void unlock(void *handle, void *lock)
{
	((const struct lock *)lock)->unlock(handle);
}

/**
 * gosync_py_lock() - lock
 * @self: the Mutex or RWMutex
 * @lock: how
 * @a: until when
 *
 * A lock that is free is taken with the GIL held.
 *
 * Return: 0 or 1: it is held; -errno, of which is_no() is none; RAISED.
 */
int gosync_py_lock(struct object *self, const struct lock *lock,
		   const struct acquire *a)
{
	void *handle = handle_of(self);
	int ret;

	if (unlikely(!handle))
		return RAISED;
	ret = lock->try(handle);
	if (likely(ret != -EBUSY) || a->try)
		return ret;
	return gosync_py_wait(self, lock->until, a->deadline, (void *)lock, unlock);
}

static PyObject *raise_owner_died(struct object *self)
{
	const char *text = "the last owner died with the lock";
	PyObject *args = self->name ?
			 Py_BuildValue("(isO)", EOWNERDEAD, text, self->name) :
			 Py_BuildValue("(is)", EOWNERDEAD, text);

	if (args) {
		PyErr_SetObject(self->state->owner_died, args);
		Py_DECREF(args);
	}
	return NULL;
}

/* Call repair(lock) with the lock held, then recover. */
static PyObject *repair(struct object *self, const struct lock *lock)
{
	PyObject *done = PyObject_CallFunctionObjArgs(self->repair, self, NULL);
	PyObject *type, *value, *traceback;
	int ret;

	if (done) {
		Py_DECREF(done);
		if (!handle_of(self))
			return NULL;
		ret = lock->recover(self->handle);
		if (!ret)
			Py_RETURN_TRUE;
		gosync_py_raise(self, lock->lock_op, ret);
	}
	PyErr_Fetch(&type, &value, &traceback);
	if (self->handle)
		lock->unlock(self->handle);
	PyErr_Restore(type, value, traceback);
	return NULL;
}

/**
 * gosync_py_locked() - what acquire() returns
 * @self: the Mutex or RWMutex
 * @lock: how it was locked
 * @ret: what gosync_py_lock() returned
 * @poisoned_ok: return POISONED, and raise nothing
 *
 * Return: True; 2 (POISONED); False; NULL with an exception: it is not held.
 */
PyObject *gosync_py_locked(struct object *self, const struct lock *lock,
			   int ret, int poisoned_ok)
{
	if (likely(!ret))
		Py_RETURN_TRUE;
	if (is_no(ret))
		Py_RETURN_FALSE;
	if (ret < 0) {
		gosync_py_raise(self, lock->lock_op, ret);
		return NULL;
	}
	if (poisoned_ok)
		return PyLong_FromLong(2);
	if (self->repair && !Py_IsNone(self->repair) && lock->recover)
		return repair(self, lock);
	lock->unlock(self->handle);
	return raise_owner_died(self);
}

PyObject *gosync_py_acquire(struct object *self, const struct lock *lock,
			    PyObject *args, PyObject *kwargs)
{
	struct acquire a = {};

	if (gosync_py_parse_acquire(args, kwargs, TIMEOUT_OF_LOCK, &a))
		return NULL;
	return gosync_py_locked(self, lock, gosync_py_lock(self, lock, &a),
				a.poisoned_ok);
}

PyObject *gosync_py_enter(struct object *self, const struct lock *lock)
{
	static const struct acquire forever = { .deadline = GOSYNC_FOREVER };

	return gosync_py_locked(self, lock, gosync_py_lock(self, lock, &forever), 0);
}

PyObject *gosync_py_release(struct object *self, const struct lock *lock)
{
	void *handle = handle_of(self);

	if (unlikely(!handle))
		return NULL;
	return none_or_raise(self, lock->unlock_op, lock->unlock(handle));
}
