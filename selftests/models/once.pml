/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The Once of kmod/once.c and libuser/once.c, for spin. N processes begin, run
 * the function if they are told to, and say that it is done. The last of them
 * only waits until it is done. Up to EVENTS times a process but the first is
 * killed, times out, or abandons what it runs and begins again. One more waiter
 * is of a group, which may be claimed elsewhere at any moment.
 *
 * Functions: gosync_once_begin(), gosync_once_done() and gosync_once_wait() of
 * the library; once_begin(), once_attempt_to_see(), once_pass_on(),
 * once_give_up(), once_give_back(), once_left(), once_abandon(),
 * gosync_claim_first(), gosync_grant_all(), gosync_withdraw(), gosync_wait().
 *
 * What the kernel does under the object's lock is one step. Between claiming a
 * waiter and telling it the lock is dropped. gosync_claim_first() may give up
 * after any dead waiter, not only after 32. Left out: -EDEADLK for a thread that
 * would wait for itself, since a process has one thread here.
 *
 * Checked: one process runs it at a time, and none after it is done; nobody
 * sleeps for ever (an invalid end state), as the first process never leaves;
 * nobody is told twice. To be found:
 *
 *	BUG_KEEP	who is killed keeps what it was granted
 *	BUG_END		the end of a holder does not pass it on
 *	BUG_DROP_GRANT	who times out ignores that it was claimed
 *	BUG_LEFT	a withdrawn waiter does not look for those behind it
 *	BUG_DONE_LATE	it is done only after the waiters were granted
 */
#ifdef LARGE
#define N		5
#define EVENTS		3
#else
#define N		4
#define EVENTS		2
#endif
#define OBSERVER	(N - 1)
#define GROUP		N
#define NOBODY		255

bool done;
byte runner = NOBODY;
byte queue[N + 1];
byte queued;
bool observes;				/* the observer is queued */
bool told[N];
bool dead;				/* the group was claimed elsewhere */

byte running, events;

#define event		me > 0 && events < EVENTS -> events++

inline take_off(p, found)
{
	found = false;
	i = 0;
	do
	:: i < queued ->
		if
		:: found -> queue[i - 1] = queue[i]
		:: !found && queue[i] == p -> found = true
		:: else
		fi;
		i++
	:: else -> break
	od;
	if
	:: found -> queued--; queue[queued] = 0
	:: else
	fi;
	i = 0
}

/* gosync_claim_first(), to @next; the group is dead where it matters */
inline claim_first()
{
	next = NOBODY;
	do
	:: !queued -> break
	:: queued && queue[0] == GROUP && dead ->
		take_off(GROUP, off);
		if
		:: break
		:: skip
		fi
	:: queued && queue[0] == GROUP && !dead ->
		/* It is granted, and gives it back: as if it were dead. */
		dead = true
	:: else ->
		next = queue[0];
		take_off(next, off);
		break
	od;
	off = false
}

inline tell()
{
	if
	:: next != NOBODY ->
		atomic {
			assert(!told[next]);
			told[next] = true;
			next = NOBODY
		}
	:: else
	fi
}

/* once_give_up(), by the runner @p */
inline give_up(p)
{
	atomic {
		if
		:: runner == p -> claim_first(); runner = next
		:: else
		fi
	};
	tell()
}

proctype process(byte me)
{
	byte i, next = NOBODY;
	bool off, left, expired, killed, again;

begin:
	if
	:: done -> goto out
	:: else
	fi;
	/* once_begin(), or once_attempt_to_see() */
	atomic {
		if
		:: done -> goto out
		:: !done && me == OBSERVER -> observes = true
		:: !done && me != OBSERVER && runner == NOBODY ->
			runner = me;
			goto runs
		:: else -> queue[queued] = me; queued++
		fi
	};
	/* gosync_wait() */
	if
	:: told[me]
	:: atomic { event; expired = true }
	:: atomic { event; killed = true }
	fi;
	atomic {
		if
		:: (expired || killed) && me == OBSERVER ->
			left = observes;
			observes = false
		:: (expired || killed) && me != OBSERVER -> take_off(me, left)
		:: else
		fi;
#ifdef BUG_DROP_GRANT
		left = left || expired;
#endif
	};
	if
	:: left -> goto out
	:: else
	fi;
	atomic { told[me] -> told[me] = false };
	if
	:: killed ->
		/* once_give_back() */
#ifndef BUG_KEEP
		give_up(me);
#endif
		goto out
	:: !killed && done -> goto out
	:: else
	fi;
	assert(me != OBSERVER);
runs:
	atomic {
		running++;
		assert(running == 1 && runner == me && !done)
	};
	if
	:: running--
	:: atomic { event; running--; goto dies }
	:: atomic { event; running--; again = true }
	fi;
	if
	:: again ->
		again = false;
		expired = false;
		give_up(me);
		goto begin
	:: else
	fi;
	/* gosync_once_done() */
	atomic {
#ifndef BUG_DONE_LATE
		done = true;
#endif
		runner = NOBODY
	};
	do
	:: atomic { claim_first() };
	   if
	   :: next != NOBODY -> tell()
	   :: next == NOBODY && queued
	   :: else -> break
	   fi
	od;
	atomic {
		if
		:: observes -> observes = false; next = OBSERVER
		:: else
		fi
	};
	tell();
#ifdef BUG_DONE_LATE
	done = true;
#endif
	goto out;
dies:
	/* once_abandon(), at the end of the holder */
#ifndef BUG_END
	give_up(me);
#endif
out:
	skip
}

proctype group()
{
	byte i, next = NOBODY;
	bool off;

	atomic {
		if
		:: !done && runner != NOBODY -> queue[queued] = GROUP; queued++
		:: else -> dead = true
		fi
	};
	dead = true;
	/* gosync_withdraw(), and once_left() */
	atomic {
		take_off(GROUP, off);
#ifndef BUG_LEFT
		if
		:: !done && runner == NOBODY -> claim_first(); runner = next
		:: else
		fi
#endif
	};
	tell()
}

init {
	byte p;

	atomic {
		for (p : 0 .. N - 1) {
			run process(p)
		}
		run group()
	};
	_nr_pr == 1;
	assert(done && !queued && !observes && runner == NOBODY)
}
