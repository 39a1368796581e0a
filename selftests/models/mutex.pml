/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The Mutex of kmod/mutex.c and libuser/mutex.c, for spin: N processes lock and
 * unlock, all once and process 0 ROUNDS times; up to DEATHS of them are killed,
 * each between any two of its steps, and up to TIMEOUTS waits time out, or are
 * interrupted by a signal's handler and go on afterwards, where they were in the
 * queue.
 *
 * A step of user space is one load or one compare-and-swap of the word. What
 * the kernel does under the object's lock is one step: it ends with one
 * compare-and-swap that is tried again when the word has changed. Between
 * claiming a waiter and telling it the lock is dropped, so that is two.
 *
 * Functions: barge() and gosync_mutex_unlock() of the library; mutex_take(),
 * gosync_mutex_acquire(), gosync_mutex_release(), mutex_wake_another(),
 * gosync_mutex_left(), gosync_wait(), gosync_wake().
 *
 * Checked: nobody is in the critical section with somebody else; nobody sleeps
 * for ever (an invalid end state); nobody is told twice; who was woken in vain is
 * not woken in vain again; at the end the word is free. With FAIR, all lock and
 * unlock for ever: then each waiter gets the lock, however short its waits are.
 * Each BUG_ below takes something away and must be found:
 *
 *	BUG_KEEP_WOKEN	a woken waiter that loses leaves WOKEN set
 *	BUG_NO_PASS	a woken waiter that is killed just leaves
 *	BUG_NO_END	the end of a holder does not unlock
 *	BUG_UNLOCK	user space unlocks although there are waiters
 *	BUG_DROP_GRANT	a waiter that times out ignores that it was claimed
 *	BUG_STAY	who runs a handler is still in the queue
 *	BUG_AGAIN	who was woken in vain is woken again to compete
 *	UNFAIR_NEVER	the same, and no waiter is ever starving
 */
#if !defined(FAIR) || defined(LARGE)
#define N		3
#else
#define N		2
#endif
#ifdef LARGE
#define ROUNDS		2
#else
#define ROUNDS		1
#endif
#ifdef FAIR
#define DEATHS		0
#define TIMEOUTS	0
#else
#define DEATHS		1
#define TIMEOUTS	1
#endif

#define LOCKED		1
#define WOKEN		2
#define STARVING	4
#define WAITER		8
#define WAITERS		(3 * WAITER)
#define OWNER		32

#define NOBODY		255

/* What a waiter is told */
#define NOTHING		0
#define RETRY		1
#define GRANTED		2

#if defined(BUG_AGAIN) || defined(UNFAIR_NEVER)
#define HANDED_NEXT	false
#else
#define HANDED_NEXT	lost[next]
#endif

short word;
byte inside;
byte deaths, timeouts;

/* What the kernel knows, under the object's lock */
bool woken, starving;
byte queue[N];
byte queued;
bool lives[N];
bool lost[N];		/* it was woken in vain */
bool starved[N];	/* and has waited for too long */
byte told[N];

#define owner_of(w)	((w) / OWNER - 1)
#define owned_by(p)	(LOCKED + OWNER * ((p) + 1))
#define ownership(w)	((w & LOCKED) -> (w & LOCKED) + OWNER * ((w) / OWNER) : 0)
#define is_dead(w)	((w & LOCKED) && !lives[owner_of(w)])
#define flags()		((woken -> WOKEN : 0) + (starving -> STARVING : 0) + \
			 queued * WAITER)

inline push(p, first)
{
	if
	:: first ->
		i = queued;
		do
		:: i > 0 -> queue[i] = queue[i - 1]; i--
		:: else -> break
		od;
		queue[0] = p
	:: else -> queue[queued] = p
	fi;
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

/* The step of mutex_take(): sets @got, or queues if @queues */
inline take(queues)
{
	got = false;
	if
	:: waited ->
		if
#ifdef BUG_KEEP_WOKEN
		:: skip
#else
		:: awake -> woken = false
		:: else
#endif
		fi;
		lost[me] = awake;
		/* It may have waited for too long, or not. */
		if
#ifndef FAIR
		:: starved[me] = true
#endif
		:: skip
		fi
	:: else
	fi;
	if
	:: !(word & LOCKED) || is_dead(word) ->
		word = owned_by(me) + flags();
		got = true
	:: else ->
		if
		:: queues ->
			starving = starving || starved[me];
			push(me, waited);
			waited = true
		:: else
		fi;
		word = ownership(word) + flags()
	fi
}

/*
 * The step of gosync_mutex_release(), of the lock owned by @p; then @next is to
 * be told
 */
inline release(p)
{
	next = NOBODY;
	how = RETRY;
	if
	:: (word & LOCKED) && owner_of(word) == p ->
		if
		:: (starving || !woken) && queued ->
			next = queue[0];
			remove(next, found)
		:: else
		fi;
		if
		:: next != NOBODY && (starving || HANDED_NEXT) ->
			how = GRANTED;
			/* The mode ends unless the next one starves, too. */
			starving = starving && queued && starved[queue[0]];
			word = owned_by(next) + flags()
		:: else ->
			starving = false;
			woken = woken || next != NOBODY;
			word = flags()
		fi
	:: else
	fi
}

inline tell()
{
	if
	:: next != NOBODY ->
		assert(told[next] == NOTHING);
#ifndef FAIR
		assert(how == GRANTED || !lost[next]);
#endif
		told[next] = how;
		next = NOBODY
	:: else
	fi
}

/* The last descriptor is closed */
inline end_of_holder()
{
	atomic {
		lives[me] = false;
#ifndef BUG_NO_END
		release(me)
#endif
	};
	tell()
}

/* Being killed, at this point of user space */
#define maybe_die							\
	if								\
	:: skip								\
	:: atomic { deaths < DEATHS -> deaths++; goto dead }		\
	fi

proctype process(byte me)
{
	byte round, i, next = NOBODY, how;
	bool got, found, waited, awake, expired, killed, away;
	short seen;

	for (round : 1 .. (me == 0 -> ROUNDS : 1)) {
#ifdef FAIR
again:
#endif
		/* barge() */
		seen = word;
		maybe_die;
		if
		:: !(seen & (LOCKED | STARVING)) ->
			atomic {
				if
				:: word == seen ->
					word = seen + owned_by(me);
					goto critical
				:: else
				fi
			}
		:: else
		fi;

		/* acquire() */
		waited = false;
		awake = false;
		lost[me] = false;
		starved[me] = false;
		expired = false;
		killed = false;
		do
		:: atomic { take(!expired && !killed && !away) };
			if
			:: got -> break
			:: else
			fi;
			if
			:: expired -> goto next_round
			:: killed -> goto dead
			:: away -> goto handler
			:: else
			fi;
			/* gosync_wait(): asleep */
			if
			:: told[me] != NOTHING
			:: atomic { timeouts < TIMEOUTS -> timeouts++; expired = true }
			:: atomic { timeouts < TIMEOUTS -> timeouts++; away = true }
			:: atomic { deaths < DEATHS -> deaths++; killed = true }
			fi;
			atomic {
				found = false;
				if
#ifdef BUG_STAY
				:: away -> found = true
#endif
				:: expired || killed || away ->
					remove(me, found);
					if
					:: found ->
						starving = starving && queued;
						word = ownership(word) + flags()
					:: else
					fi
				:: else
				fi;
#ifdef BUG_DROP_GRANT
				if
				:: expired || killed -> found = true
				:: else
				fi
#endif
			};
			if
			:: found && expired -> goto next_round
			:: found && killed -> goto dead
			:: found && away -> goto handler
			:: else
			fi;
			/* gosync_wait(): told */
			atomic {
				told[me] != NOTHING;
				how = told[me];
				told[me] = NOTHING
			};
			if
			:: how == GRANTED -> break
			:: else -> awake = true
			fi;
#ifdef BUG_NO_PASS
			if
			:: killed -> goto dead
			:: else
			fi;
#endif
			goto look_again;
handler:
			maybe_die;
			lost[me] = false;
			away = false;
			awake = false;
look_again:
			skip
		od;
		if
		:: killed ->
			atomic { release(me) };
			tell();
			goto dead
		:: else
		fi;

critical:
		inside++;
		assert(inside == 1);
		/* A dying owner leaves the section when it is buried. */
		if
		:: inside--
		:: atomic { deaths < DEATHS -> deaths++; inside--; goto dead }
		fi;

		/* gosync_mutex_unlock() */
		seen = word;
		maybe_die;
		if
		:: !(seen & STARVING) &&
		   (!(seen & WAITERS) || (seen & WOKEN)
#ifdef BUG_UNLOCK
		    || true
#endif
		   ) ->
			atomic {
				if
				:: word == seen ->
					word = seen - ownership(seen);
					goto next_round
				:: else
				fi
			}
		:: else
		fi;
		atomic { release(me) };
		tell();
next_round:
#ifdef FAIR
		goto again;
#endif
		skip
	}
dead:
	end_of_holder()
}

init {
	byte p;

	atomic {
		for (p : 0 .. N - 1) {
			lives[p] = true
		}
		for (p : 0 .. N - 1) {
			run process(p)
		}
	};
	_nr_pr == 1;
	assert(!(word & LOCKED) && !queued && !woken && !starving)
}

#ifdef FAIR
#define waits(p)	(queued && (queue[0] == (p) || \
				    (queued > 1 && queue[1] == (p))))
ltl served { [] (waits(1) -> <> ((word & LOCKED) && owner_of(word) == 1)) }
#endif
