/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The WaitGroup of kmod/waitgroup.c and libuser/waitgroup.c, for spin. The
 * counter is 2. Two workers subtract 1 each; N processes wait for 0. The first
 * of them then uses the WaitGroup again: it adds 1, waits until those who waited
 * with it have returned, and only then subtracts 1 and waits once more. Up to EVENTS times a
 * waiter (not the first) is killed, times out, or handles a signal and comes
 * back with the number of its generation.
 *
 * Functions: gosync_waitgroup_add(), gosync_waitgroup_add_slow() and
 * gosync_waitgroup_wait() of the library; waitgroup_add(), waitgroup_left(),
 * waitgroup_wait_for_zero(), gosync_grant_all(), gosync_claim(), gosync_wait().
 *
 * A step of user space is one load or one compare-and-swap of the whole word. A
 * step of the kernel is what it does under the object's lock; the released are
 * granted one for each time that it takes the lock. Left out: groups and
 * pollers, who are told after the same change to 0.
 *
 * Checked: no wait returns before the counter was 0; nobody sleeps for ever (an
 * invalid end state), so no wait waits for the next generation; the kernel's
 * count of waiters is right. To be found:
 *
 *	BUG_ZERO	user space makes the counter 0 although there are waiters
 *	BUG_AWAITED	the word shows no waiter while an interrupted one is away
 *	BUG_JOIN	a waiter that comes back waits for the present generation
 *	BUG_LEFT	one that leaves late is taken from the next generation
 *	BUG_SPLICE	the released stay in the queue until they are granted
 */
#ifdef LARGE
#define N		3
#define EVENTS		3
#else
#define N		3
#define EVENTS		2
#endif
#define NOBODY		255

/* The word */
byte counter = 2;
bool shows;

/* What the kernel knows, under the object's lock; sets of processes are bits */
byte waiting, released;
byte nr_waiting;
bool awaited;
byte generation = 1;
byte mine[N];				/* generation; 0: none */
bool told[N];

byte events;
byte of_first;				/* who still waits for the first 0 */
byte zeros;				/* how often the counter became 0 */

#define bit(p)		(1 << (p))
#define shown()		(nr_waiting || awaited)
#define event		me > 0 && events < EVENTS -> events++

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

/* One of the released, in whatever order */
inline claim_one()
{
	if
	:: released & bit(0) -> next = 0
	:: released & bit(1) -> next = 1
	:: released & bit(N - 1) -> next = N - 1
	:: !released
	fi;
	if
	:: next != NOBODY -> released = released & ~bit(next)
	:: else
	fi
}

inline subtract()
{
	atomic {
		if
#ifdef BUG_ZERO
		:: true ->
#else
		:: !shows || counter > 1 ->
#endif
			counter--;
			zeros = zeros + (counter == 0);
			user = true
		:: else -> user = false
		fi
	};
	if
	:: !user ->
		/* waitgroup_add() */
		atomic {
			counter--;
			zeros = zeros + (counter == 0);
			if
			:: !counter && shown() ->
#ifndef BUG_SPLICE
				released = released | waiting;
				waiting = 0;
#endif
				nr_waiting = 0;
				awaited = false;
				generation++;
				shows = false;
				all = true
			:: else -> shows = shown()
			fi
		};
		do
		:: all ->
			atomic {
#ifdef BUG_SPLICE
				released = waiting;
				waiting = 0;
#endif
				claim_one();
#ifdef BUG_SPLICE
				waiting = released;
				released = 0
#endif
			};
			if
			:: next != NOBODY -> tell()
			:: else -> all = false
			fi
		:: else -> break
		od
	:: else
	fi
}

proctype worker()
{
	byte next = NOBODY;
	bool user, all;

	subtract()
}

proctype waiter(byte me)
{
	byte next = NOBODY, need;
	bool again, user, all, expired, killed, away, left;

once_more:
	/* gosync_waitgroup_wait() */
	if
	:: !counter -> goto is_over
	:: else
	fi;
wait:
	/* waitgroup_wait_for_zero() */
	atomic {
		left = false;
		if
		:: mine[me] && mine[me] != generation -> goto is_over
		:: else
		fi;
		if
		:: !counter -> goto is_over
		:: else
		fi;
		nr_waiting++;
		need = (mine[me] -> need : zeros + 1);
		mine[me] = generation;
		waiting = waiting | bit(me);
		of_first = of_first | (zeros == 0 -> bit(me) : 0);
		shows = true
	};
	/* gosync_wait() */
	if
	:: told[me]
	:: atomic { event; expired = true }
	:: atomic { event; killed = true }
	:: atomic { event; away = true }
	fi;
	atomic {
		left = (expired || killed || away) &&
		       ((waiting | released) & bit(me));
		if
		:: left ->
			waiting = waiting & ~bit(me);
			released = released & ~bit(me)
		:: else
		fi
	};
	if
	:: left ->
		/* waitgroup_left() */
		atomic {
			if
#ifdef BUG_LEFT
			:: nr_waiting ->
#else
			:: mine[me] == generation ->
#endif
				nr_waiting--;
#ifndef BUG_AWAITED
				awaited = awaited || away;
#endif
				shows = shown()
			:: else
			fi
		};
		if
		:: killed -> goto out
		:: else
		fi;
		/* Its generation may be over, although it was not woken. */
		if
		:: mine[me] != generation -> goto is_over
		:: else
		fi;
		if
		:: expired -> goto out
		:: else
		fi;
		away = false;
#ifdef BUG_JOIN
		mine[me] = 0;
#endif
		goto wait
	:: else
	fi;
	atomic { told[me] -> told[me] = false };
	if
	:: killed -> goto out
	:: else
	fi;
is_over:
	assert(zeros >= need);
	atomic {
		mine[me] = 0;
		of_first = of_first & ~bit(me);
		if
		:: me == 0 && !again -> again = true
		:: else -> goto out
		fi
	};
	/* Nobody shows a waiter who would wait for this generation. */
	counter++;
	!of_first;
	subtract();
	goto once_more;
out:
	of_first = of_first & ~bit(me)
}

init {
	byte p;

	atomic {
		run worker();
		run worker();
		for (p : 0 .. N - 1) {
			run waiter(p)
		}
	};
	_nr_pr == 1;
	assert(!counter && !nr_waiting && !waiting && !released)
}
