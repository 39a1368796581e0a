/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The Semaphore of kmod/semaphore.c and libuser/semaphore.c, for spin. N
 * processes acquire permits and release them, the first one two permits, the
 * others one. There are two permits. One more process takes a permit from the
 * limit and puts it back. Whether the Semaphore is GOSYNC_GIVE_BACK is tried
 * both ways. Up to DEATHS processes are killed: between any two of their steps
 * with GOSYNC_GIVE_BACK, otherwise while they wait, because the permits of a
 * dead process stay taken then. Up to AWAY waits time out, or are interrupted
 * by a signal's handler and go on, with their place in the queue.
 *
 * Functions: take() and gosync_semaphore_release_slow() of the library;
 * semaphore_take(), semaphore_hand_out(), semaphore_add(), semaphore_left(),
 * semaphore_set_limit(), semaphore_give_back(), semaphore_abandon(),
 * gosync_is_first(), gosync_enqueue(), gosync_claim(), gosync_wake(),
 * gosync_wait().
 *
 * A step of user space is one compare-and-swap of the whole word. A step of the
 * kernel is one compare-and-swap under the object's lock; @busy says that the
 * lock is held between two of them. semaphore_add() hands out to one waiter for
 * each time that it takes the lock, not to 32: that adds interleavings, and
 * hides none. Left out: groups, whose dead waiters are in wait_any.pml, and
 * pollers, who only make the word show one waiter more.
 *
 * Checked: a process never takes permits while another waits in front of it;
 * permits are never lost or made; nobody is told twice; nobody sleeps for ever
 * (an invalid end state), although the owner of one permit may wait for the other
 * permit's next owner to come. With FAIR: a process that wants both permits gets
 * them, although others take and release single ones for ever. To be found:
 *
 *	BUG_BARGE	user space takes permits although there are waiters
 *	BUG_RELEASE	user space adds permits although there are waiters
 *	BUG_LEFT	who leaves does not hand out to those behind
 *	BUG_ONE_BATCH	who releases does not go on after the first batch
 *	BUG_DROP_GRANT	who is killed drops the permits that were granted
 *	BUG_END		the end of a holder does not release its permits
 *	BUG_OWED	permits that are owed count when they come back
 *	UNFAIR_BARGE	user space takes permits although there are waiters
 *	UNFAIR_SMALL	permits go to any waiter for which there are enough
 */
#ifdef LARGE
#define N		4
#define DEATHS		1
#define AWAY		2
#endif
#ifndef N
#define N		3
#define DEATHS		1
#define AWAY		1
#endif
#ifdef FAIR
#define LIMITER		0
#define MAY_DIE		false
#define MAY_LEAVE	false
#else
#define LIMITER		1
#define MAY_DIE		(deaths < DEATHS)
#define MAY_LEAVE	(away < AWAY)
#endif

#define NOBODY		255

/* The word: the permits, and whether it shows a waiter */
byte permits = 2;
bool shows;

/* What the kernel knows, under the object's lock */
bool busy;
byte owed;
byte limit = 2;
byte queue[N];
byte queued;
byte number[N];			/* of the wait; 0: it has not waited */
byte last;
byte held[N];			/* counted with GOSYNC_GIVE_BACK only */
bool told[N];

/* What is checked */
bool give_back;
byte out[N];			/* who has how many */
bool served[N];			/* or is not going to be */
byte deaths, away;

#define wants(p)	((p) == 0 -> 2 : 1)
#define shown()		(queued || owed)
#ifdef UNFAIR_BARGE
#define BUG_BARGE
#endif

inline insert(p)
{
	i = queued;
	do
	:: i > 0 && number[queue[i - 1]] > number[p] ->
		queue[i] = queue[i - 1];
		i--
	:: else -> break
	od;
	queue[i] = p;
	queued++;
	i = 0
}

inline remove(p, found)
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

/* semaphore_hand_out(): the first step */
inline add(n)
{
#ifdef BUG_OWED
	permits = permits + (n);
	owed = (owed > (n) -> owed - (n) : 0);
#else
	permits = permits + (owed > (n) -> 0 : (n) - owed);
	owed = (owed > (n) -> owed - (n) : 0);
#endif
	shows = shown()
}

/* ... and the second, for one waiter, @next, who is to be told */
inline hand_out()
{
	next = NOBODY;
	if
	:: queued && wants(queue[0]) <= permits -> next = queue[0]
#ifdef UNFAIR_SMALL
	:: queued > 1 && wants(queue[1]) <= permits -> next = queue[1]
#endif
	:: else
	fi;
	if
	:: next != NOBODY ->
		remove(next, found);
		found = false;
		permits = permits - wants(next);
		out[next] = wants(next);
		held[next] = (give_back -> wants(next) : 0);
		shows = shown()
	:: else
	fi
}

/* semaphore_add(), of permits that @p had, if it is a holder */
inline semaphore_add(p, n)
{
	atomic { !busy ->
		if
		:: p < N -> held[p] = 0
		:: else
		fi;
		add(n);
		busy = true
	};
	do
	:: atomic { hand_out(); busy = false };
	   if
	   :: next != NOBODY ->
		atomic {
			assert(!told[next]);
			told[next] = true;
			next = NOBODY
		};
#ifdef BUG_ONE_BATCH
		break;
#endif
		atomic { !busy -> busy = true }
	   :: else -> break
	   fi
	od
}

/* Being killed, at this point of user space */
#define maybe_die							\
	if								\
	:: skip								\
	:: atomic { give_back && MAY_DIE -> deaths++; goto dead }	\
	fi

proctype process(byte me)
{
	byte i, next = NOBODY;
	bool found, expired, killed, signalled, got;

again:
	/* take() of the library */
	atomic {
		if
		:: !give_back && permits >= wants(me) &&
#ifdef BUG_BARGE
		   true
#else
		   !shows
#endif
		   ->
#ifndef FAIR
			assert(!queued);
#endif
			permits = permits - wants(me);
			out[me] = wants(me);
			goto critical
		:: else
		fi
	};
acquire:
	maybe_die;
	/* semaphore_take(): first in the queue, and enough permits? */
	atomic { !busy ->
		got = permits >= wants(me) &&
		      (!queued || (number[me] && number[me] < number[queue[0]]));
		if
		:: got ->
			permits = permits - wants(me);
			out[me] = wants(me);
			held[me] = (give_back -> wants(me) : 0);
		:: else ->
			if
			:: !number[me] -> last++; number[me] = last
			:: else
			fi;
			insert(me)
		fi;
		shows = shown()
	};
	if
	:: got -> goto critical
	:: else
	fi;
	/* gosync_wait() */
	if
	:: told[me]
	:: atomic { MAY_LEAVE -> away++; expired = true }
	:: atomic { MAY_LEAVE -> away++; signalled = true }
	:: atomic { MAY_DIE -> deaths++; killed = true }
	fi;
	atomic { !busy ->
		if
		:: expired || killed || signalled -> remove(me, found)
		:: else
		fi
	};
	if
	:: found ->
		found = false;
		/* semaphore_left() */
#ifdef BUG_LEFT
		atomic { !busy -> shows = shown() };
#else
		semaphore_add(NOBODY, 0);
#endif
		if
		:: expired -> goto done
		:: killed -> goto dead
		:: signalled -> signalled = false; goto acquire
		fi
	:: else
	fi;
	atomic { told[me] -> told[me] = false };
	if
	:: killed ->
		/* semaphore_give_back() */
		out[me] = 0;
#ifndef BUG_DROP_GRANT
		semaphore_add(me, wants(me));
#endif
		goto dead
	:: else
	fi;

critical:
	atomic {
		number[me] = 0;
		signalled = false;
		expired = false
	};
	served[me] = true;
	maybe_die;
#ifndef FAIR
	/* Both of 1 and 2 can have a permit at once, once 0 wants none. */
	me == 0 || me > 2 || !served[0] || out[0] || served[3 - me];
#endif
	out[me] = 0;
	atomic {
		if
		:: !give_back &&
#ifdef BUG_RELEASE
		   true
#else
		   !shows
#endif
		   ->
			permits = permits + wants(me);
			goto done
		:: else
		fi
	};
	semaphore_add(me, wants(me));
done:
#ifdef FAIR
	goto again;
#endif
	goto out_of_it;
dead:
	/* semaphore_abandon() */
	out[me] = 0;
#ifndef BUG_END
	atomic { held[me] -> i = held[me] } unless { !held[me] };
	if
	:: i -> found = true; i = 0; semaphore_add(me, wants(me)); found = false
	:: else
	fi
#endif
out_of_it:
	served[me] = true
}

/* semaphore_set_limit(): one permit less, and one more again */
proctype limiter()
{
	byte i, next = NOBODY;
	bool found;

	atomic { !busy ->
		limit--;
		if
		:: permits -> permits--
		:: else -> owed++
		fi;
		shows = shown()
	};
	semaphore_add(NOBODY, 0);
	atomic { !busy ->
		limit++;
		if
		:: owed -> owed--
		:: else -> permits++
		fi;
		shows = shown()
	};
	semaphore_add(NOBODY, 0)
}

init {
	byte p;

	atomic {
#ifndef FAIR
		if
		:: give_back = true
		:: skip
		fi;
#endif
		for (p : 0 .. N - 1) {
			run process(p)
		}
		if
		:: LIMITER -> run limiter()
		:: else
		fi
	};
	_nr_pr == 1;
	assert(permits == 2 && !owed && !queued && !shows)
}

#ifdef FAIR
ltl served { [] ((number[0] != 0) -> <> (out[0] == 2)) }
#endif
