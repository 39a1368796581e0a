/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Handles in a copy of the process, for spin: libuser/fork.c. A thread of the
 * parent locks a Mutex, opens another handle and closes it. Meanwhile another
 * thread makes a copy, by fork(2) or without our handlers. Two threads of the
 * child lock by the first handle. The child may have closed that, and have
 * something else under its number. Any reopen may fail. Parent and child are
 * killed at any step.
 *
 * Functions: before_fork(), in_parent(), in_child(), renew_all(), renew(),
 * reopen(), gosync_notice(), make_handle(), gosync_close(), __gosync_close_base().
 *
 * A descriptor is a place in the table of its process and leads to a holder. A
 * holder ends when no descriptor leads to it, and what it has is free. Holder 1
 * is the first handle's, holder 2 the second's; each reopen makes another one. A
 * Mutex is the number of its holder: mutex.pml has the rest. A fork copies
 * descriptors and memory at one moment.
 *
 * Checked: the child never works by a holder of the parent; it gets EBADF if it
 * has none; when one has died, what it had is free, and what the other one has
 * is not; a child that was made by fork(2) keeps no descriptor that it does not
 * know of. To be found:
 *
 *	BUG_RENEW	the handlers do not renew, and the child does not notice
 *	BUG_NOTICE	a call does not notice a copy without handlers
 *	BUG_WIPE	the child finds the handle as it was in the parent
 *	BUG_KEEP	a handle whose reopen failed keeps the parent's descriptor
 *	BUG_KNOWN	the child counts as known before its handles are renewed
 *	BUG_NO_LOCK	a fork does not wait for an open or a close
 *	BUG_OPEN	an open is unlocked before its handle is listed
 *	BUG_CLOSE	a close is unlocked before the descriptor is closed
 *	BUG_STALE	a closed descriptor's number is closed once more
 */
#define PARENT		0
#define CHILD		1
#define OTHER		9	/* something else has the number */

/* Of each process: where its descriptors lead, which handles are listed */
byte fd[4];
bool listed[4];
bool locked[2], known[2], dead[2];
byte word;			/* of the Mutex: who has it */
bool by_fork, failed;

#define at(p, n)	[2 * (p) + (n)]
#define leads(h)	(fd[0] == h || fd[1] == h || fd[2] == h || fd[3] == h)
#define lock_list(p)	atomic { !locked[p] -> locked[p] = true }
#define unlock_list(p)	locked[p] = false

/* The kernel puts @to under a number; a holder without a descriptor ends. */
inline put_fd(p, n, to)
{
	atomic {
		was = fd at(p, n);
		fd at(p, n) = to;
		if
		:: was && word == was && !leads(was) -> word = 0
		:: else
		fi;
		was = 0
	}
}

inline die(p)
{
	atomic {
		put_fd(p, 0, 0);
		put_fd(p, 1, 0);
		dead[p] = true
	}
}

proctype killer(byte p)
{
	byte was;

	die(p)
}

/* Lock the Mutex by the holder @h, and unlock it */
inline use(h)
{
	if
	:: atomic { !word -> word = h };
	   atomic { assert(word == h); word = 0 }
	:: true
	fi
}

/* The first handle's user in the parent */
proctype owner()
{
	{ use(1) } unless { dead[PARENT] }
}

/* make_handle(), and gosync_close() of it */
proctype opener()
{
	byte was;

	{
		lock_list(PARENT);
		fd[1] = 2;
#ifdef BUG_OPEN
		unlock_list(PARENT);
		listed[1] = true;
#else
		listed[1] = true;
		unlock_list(PARENT);
#endif
		lock_list(PARENT);
#ifdef BUG_CLOSE
		listed[1] = false;
		unlock_list(PARENT);
		put_fd(PARENT, 1, 0)
#else
		put_fd(PARENT, 1, 0);
		listed[1] = false;
		unlock_list(PARENT)
#endif
	} unless { dead[PARENT] }
}

/* renew_all() */
inline renew_all()
{
#ifdef BUG_KNOWN
	known[CHILD] = true;
#endif
	for (n : 0 .. 1) {
		if
		:: listed at(CHILD, n) ->
			if
			:: fd at(CHILD, n) == 1 + n -> put_fd(CHILD, n, 3 + n)
			:: fd at(CHILD, n) == 1 + n ->
				/* Its reopen fails. */
				failed = true;
#ifndef BUG_KEEP
				put_fd(CHILD, n, 0)
#endif
			:: else ->
#ifdef BUG_STALE
				put_fd(CHILD, n, 0)
#endif
			fi
		:: else
		fi
	}
	n = 0;
	known[CHILD] = true
}

/* A call of the library in the child, by the first handle */
proctype caller()
{
	byte n, h, was;

	{
#ifdef BUG_WIPE
		h = 1;
#else
		/* gosync_notice() */
#ifndef BUG_NOTICE
		if
		:: !known[CHILD] ->
			lock_list(CHILD);
			if
			:: !known[CHILD] -> renew_all()
			:: else
			fi;
			unlock_list(CHILD)
		:: else
		fi;
#endif
		h = fd at(CHILD, 0);
#endif
		if
		:: !h || h == OTHER -> assert(failed || h)	/* EBADF */
		:: else ->
			assert(h == 3);
			use(h)
		fi
	} unless { dead[CHILD] }
}

/* The child: it may close what it knows nothing of, and open something else. */
proctype child()
{
	byte n, was;
	bool stolen;

	{
#ifndef BUG_RENEW
		if
		:: by_fork -> renew_all()
		:: else
		fi;
#endif
		if
		:: !by_fork -> put_fd(CHILD, 0, OTHER); stolen = true
		:: true
		fi;
		run killer(CHILD);
		run caller();
		run caller();
		if
		:: by_fork ->
			/* Whoever dies, nothing of the parent's is kept here. */
			assert(fd at(CHILD, 0) != 1 && fd at(CHILD, 1) != 2)
		:: else
		fi;
		_nr_pr <= 3 || known[CHILD];
		assert(!stolen || fd at(CHILD, 0) == OTHER || dead[CHILD])
	} unless { dead[CHILD] }
}

/* before_fork(), the kernel's fork, and in_parent(); or the kernel's alone */
proctype forker()
{
	{
		if
		:: by_fork = true
		:: true
		fi;
#ifndef BUG_NO_LOCK
		if
		:: by_fork -> lock_list(PARENT)
		:: else
		fi;
#endif
		atomic {
			fd at(CHILD, 0) = fd[0];
			fd at(CHILD, 1) = fd[1];
			listed at(CHILD, 0) = listed[0];
			listed at(CHILD, 1) = listed[1];
			run child()
		};
#ifndef BUG_NO_LOCK
		if
		:: by_fork -> unlock_list(PARENT)
		:: else
		fi
#endif
	} unless { dead[PARENT] }
}

init {
	byte was;

	atomic {
		fd[0] = 1;
		listed[0] = true;
		known[PARENT] = true;
		run killer(PARENT);
		run owner();
		run opener();
		run forker()
	};
	_nr_pr == 1;
	assert(word != 1 && word != 2);
	die(CHILD);
	assert(!word)
}
