/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The RWMutex of kmod/rwmutex.c and libuser/rwmutex.c, for spin: R readers and
 * W writers lock and unlock, all once and reader 0 ROUNDS times; up to DEATHS
 * of them are killed, each between any two of its steps, and up to TIMEOUTS
 * waits time out. Who is not killed keeps its descriptor.
 *
 * A step of user space is one load, one store or one compare-and-swap. What the
 * kernel does under the object's lock is one step as far as nobody in user
 * space can see what is in between; otherwise it is several, and @busy says that
 * the lock is held. The queue of writers is mutex.pml's: here whoever releases
 * wakes any of them to compete, or hands over, as if it had starved or not.
 *
 * Functions: barge(), no_readers(), count_and_look(), gosync_rwmutex_rlock(),
 * gosync_rwmutex_runlock() and gosync_rwmutex_unlock() of the library;
 * rwmutex_grant_drained(), rwmutex_look_at_drain(), is_drained(),
 * rwmutex_admit(), rwmutex_grant_read(), rwmutex_release(), rwmutex_drain(),
 * rwmutex_read_or_queue(), rwmutex_left(), rwmutex_abandon(),
 * gosync_grant_all(), gosync_wait().
 *
 * Left out: holders without a line, who count as extra all the time, as the
 * admitted do here; broken holders, whose barrier pair RW-D is in ordering.pml;
 * pollers, for whom leaving readers enter the kernel as for a writer that drains;
 * groups, whose claims are in wait_any.pml.
 *
 * Checked: a writer is alone; a reader that waited when a writer unlocked goes
 * before the next writer; nobody sleeps for ever (an invalid end state); nobody
 * is told twice; at the end nothing is locked. With FAIR all lock and unlock for
 * ever, and writers are handed the word: then the first reader and the last
 * writer get the lock each time. Each BUG_ below takes something away and must be
 * found:
 *
 *	BUG_UNDO	a reader that takes its 1 back does not look for a drain
 *	BUG_RUNLOCK	nor does one that unlocks, after it has subtracted
 *	BUG_END		nor does the end of a holder
 *	BUG_LEAVE	nor does an admitted reader that times out
 *	BUG_DRAIN	a writer does not look again after it has set draining
 *	BUG_EXTRA_LATE	the word is free before the admitted are counted
 *	BUG_EXTRA_GONE	the admitted are no longer extra, and not yet in a line
 *	BUG_UNLOCK	user space unlocks although somebody waits
 *	BUG_TAKE_DEAD	a writer takes a dead one's word without unlocking it first
 *	BUG_NO_ADMIT	unlocking lets no readers in while writers wait
 *	UNFAIR_ENTER	readers enter although the word is locked
 */
#define R		2
#if defined(FAIR) && !defined(LARGE)
#define W		1
#else
#define W		2
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

#define N		(R + W)		/* readers first */

#define LOCKED		1
#define WAITERS		2
#define OWNER		4

#define NOBODY		255

/* What a waiter is told */
#define NOTHING		0
#define RETRY		1
#define GRANTED		2

/* What user space sees: the slot and the lines */
byte word;
bool draining;
byte extra;
bool line[R];

/* What the kernel knows, under the object's lock; sets of processes are bits */
bool busy;
bool woken;
byte drainer = NOBODY;
byte writers, readers, admitted;	/* who is in which queue */
byte to_read, to_enter;			/* who counts as waiting, as admitted */
bool lives[N];
byte told[N];

/* What is checked */
byte reading, writing;
byte owed;
byte deaths, timeouts;

#define bit(p)		(1 << (p))
#define owner_of(w)	((w) / OWNER - 1)
#define owned_by(p)	(LOCKED + OWNER * ((p) + 1))
#define ownership(w)	((w & LOCKED) -> (w) - (w & WAITERS) : 0)
#define is_dead(w)	((w & LOCKED) && !lives[owner_of(w)])
#define flags()		((writers || readers || admitted || \
			  drainer != NOBODY) -> WAITERS : 0)
#define is_read()	(to_enter || line[0] || line[R - 1])

inline tell(what)
{
	if
	:: next != NOBODY ->
		atomic {
			assert(told[next] == NOTHING);
			told[next] = what;
			next = NOBODY
		}
	:: else
	fi
}

/* The step of rwmutex_grant_drained(); then @next is to be told */
inline drained()
{
	if
	:: drainer != NOBODY && !is_read() ->
		next = drainer;
		drainer = NOBODY;
		draining = false
	:: else
	fi
}

inline look_at_drain()
{
	atomic { !busy -> drained() };
	tell(GRANTED)
}

/* gosync_grant_all() of those who were admitted, in one batch */
inline grant_all()
{
	atomic { !busy ->
		batch = admitted;
		admitted = 0;
		busy = true;
#ifndef BUG_EXTRA_GONE
		line[0] = line[0] || (batch & bit(0));
		line[R - 1] = line[R - 1] || (batch & bit(R - 1))
#else
		to_enter = to_enter & ~batch;
		extra = to_enter
#endif
	};
	atomic {
#ifndef BUG_EXTRA_GONE
		to_enter = to_enter & ~batch;
		extra = to_enter;
#else
		line[0] = line[0] || (batch & bit(0));
		line[R - 1] = line[R - 1] || (batch & bit(R - 1));
#endif
		busy = false
	};
	atomic {
		for (i : 0 .. R - 1) {
			if
			:: batch & bit(i) ->
				assert(told[i] == NOTHING);
				told[i] = GRANTED
			:: else
			fi
		};
		i = 0;
		batch = 0
	}
}

/* rwmutex_release(), of the word if it is owned by @p */
inline release(p)
{
	atomic { !busy ->
		how = RETRY;
		if
		:: (word & LOCKED) && owner_of(word) == p ->
			owed = owed | readers;
			batch = readers;
#ifdef BUG_NO_ADMIT
			if
			:: writers -> batch = 0
			:: else ->
#endif
				admitted = admitted | readers;
				readers = 0;
				to_enter = to_enter | to_read;
				to_read = 0;
#ifdef BUG_NO_ADMIT
			fi;
#endif
#ifndef BUG_EXTRA_LATE
			extra = to_enter;
#endif
			if
			:: writers & bit(N - 1) -> next = N - 1
			:: writers & bit(R) -> next = R
			:: !writers
			fi;
			if
#ifndef FAIR
			:: next != NOBODY && !woken -> woken = true
#endif
			:: next != NOBODY -> how = GRANTED
			:: next != NOBODY && woken -> next = NOBODY
			:: next == NOBODY
			fi;
			if
			:: next != NOBODY -> writers = writers & ~bit(next)
			:: else
			fi;
			word = (how == GRANTED -> owned_by(next) : 0) + flags()
		:: else
		fi
	};
#ifdef BUG_EXTRA_LATE
	atomic { extra = to_enter };
#endif
	tell(how);
	how = NOTHING;
	if
	:: batch -> grant_all()
	:: else
	fi
}

/* Asleep in gosync_wait(), until told or for another reason */
inline sleep()
{
	if
	:: told[me] != NOTHING || expired || killed
	:: atomic { timeouts < TIMEOUTS -> timeouts++; expired = true }
	:: atomic { deaths < DEATHS -> deaths++; killed = true }
	fi
}

#define maybe_die							\
	if								\
	:: skip								\
	:: atomic { deaths < DEATHS -> deaths++; goto dead }		\
	fi

/* Read unlock in the kernel, where one is */
inline kernel_runlock()
{
	atomic { !busy -> line[me] = false; drained() };
	tell(GRANTED)
}

/* gosync_rwmutex_runlock() */
inline runlock(looks)
{
	if
	:: draining -> kernel_runlock()
	:: else ->
		line[me] = false;
		maybe_die;
		if
		:: looks && draining -> look_at_drain()
		:: else
		fi
	fi
}

#ifdef BUG_UNDO
#define UNDO_LOOKS	false
#else
#define UNDO_LOOKS	true
#endif
#ifdef BUG_RUNLOCK
#define RUNLOCK_LOOKS	false
#else
#define RUNLOCK_LOOKS	true
#endif

#ifdef BUG_TAKE_DEAD
#define TAKE_DEAD	true
#else
#define TAKE_DEAD	false
#endif

proctype reader(byte me)
{
	byte round, i, next = NOBODY, how, batch;
	bool found, expired, killed;

	for (round : 1 .. (me == 0 -> ROUNDS : 1)) {
#ifdef FAIR
again:
#endif
		/* gosync_rwmutex_rlock() */
		line[me] = true;
		maybe_die;
		if
		:: !(word & LOCKED) -> goto critical
#ifdef UNFAIR_ENTER
		:: !writing -> goto critical
#endif
		:: else
		fi;
#ifdef BUG_UNDO
		line[me] = false;
#else
		runlock(UNDO_LOOKS);
#endif

		/* rwmutex_read_or_queue() */
		do
		:: atomic { !busy && !(word & LOCKED) ->
			busy = true;
			line[me] = true };
		   atomic {
			busy = false;
			if
			:: !(word & LOCKED) -> goto critical
			:: else -> line[me] = false
			fi }
		:: atomic { !busy && is_dead(word) -> i = owner_of(word) };
		   release(i);
		   i = 0
		:: atomic { !busy && (word & LOCKED) && !is_dead(word) ->
			word = word | WAITERS;
			readers = readers | bit(me);
			to_read = to_read | bit(me) };
		   break
		od;

		sleep();
		if
		:: expired || killed ->
			atomic { !busy ->
				found = ((readers | admitted) & bit(me)) != 0;
				readers = readers & ~bit(me);
				admitted = admitted & ~bit(me);
				if
				:: found -> owed = owed & ~bit(me)
				:: else
				fi
			};
			if
			:: found ->
				/* rwmutex_left() */
				atomic { !busy ->
					to_read = to_read & ~bit(me);
					to_enter = to_enter & ~bit(me);
					extra = to_enter;
#ifndef BUG_LEAVE
					drained();
#endif
					word = ownership(word) + flags()
				};
				tell(GRANTED);
				if
				:: killed -> goto dead
				:: else -> goto next_round
				fi
			:: else
			fi
		:: else
		fi;
		atomic { told[me] == GRANTED -> told[me] = NOTHING };
		if
		:: killed ->
			owed = owed & ~bit(me);
			kernel_runlock();
			goto dead
		:: else
		fi;

critical:
		atomic {
			reading++;
			owed = owed & ~bit(me);
			assert(!writing)
		};
		if
		:: reading--
		:: atomic { deaths < DEATHS -> deaths++; reading--; goto dead }
		fi;

		/* gosync_rwmutex_runlock() */
		runlock(RUNLOCK_LOOKS);
next_round:
		atomic { found = false; expired = false };
#ifdef FAIR
		goto again
#endif
	};
	goto out;
dead:
	/* rwmutex_abandon() */
	atomic { !busy ->
		line[me] = false;
		round = 0;
		killed = false;
		expired = false;
		found = false
	};
#ifndef BUG_END
	look_at_drain();
#endif
out:
	round = 0
}

proctype writer(byte me)
{
	byte i, next = NOBODY, how, batch;
	bool got, found, waited, expired, killed;

#ifdef FAIR
again:
#endif
	/* barge() */
	atomic {
		if
		:: !(word & LOCKED) -> word = word + owned_by(me)
		:: else -> goto acquire
		fi
	};
	/* no_readers() */
	maybe_die;
	if
	:: extra -> goto drain
	:: else
	fi;
	if
	:: line[0] -> goto drain
	:: else
	fi;
	if
	:: line[R - 1] -> goto drain
	:: else -> goto critical
	fi;

acquire:
	do
	:: atomic { !busy && (!is_dead(word) || TAKE_DEAD) ->
		woken = woken && !waited;
		got = !(word & LOCKED) || is_dead(word);
		if
		:: got ->
			if
			:: is_dead(word) -> owed = owed | readers
			:: else
			fi;
			word = owned_by(me) + flags()
		:: !got && !expired && !killed ->
			writers = writers | bit(me);
			word = ownership(word) + flags()
		:: else -> word = ownership(word) + flags()
		fi
	   };
	   waited = false;
	   if
	   :: got -> break
	   :: !got && expired -> goto done
	   :: !got && killed -> goto dead
	   :: else
	   fi;
	   sleep();
	   if
	   :: expired || killed ->
		atomic { !busy ->
			found = (writers & bit(me)) != 0;
			writers = writers & ~bit(me)
		};
		if
		:: found ->
			atomic { !busy -> word = ownership(word) + flags() };
			if
			:: killed -> goto dead
			:: else -> goto done
			fi
		:: else
		fi
	   :: else
	   fi;
	   atomic {
		told[me] != NOTHING;
		got = told[me] == GRANTED;
		told[me] = NOTHING
	   };
	   if
	   :: got -> break
	   :: else -> waited = true
	   fi
	:: atomic { !busy && is_dead(word) && !TAKE_DEAD ->
		woken = woken && !waited;
		waited = false;
		i = owner_of(word)
	   };
	   release(i);
	   i = 0
	od;

drain:
	atomic { !busy ->
		if
		:: !is_read() -> goto lock_taken
		:: else -> busy = true
		fi
	};
	draining = true;
	atomic {
		busy = false;
		if
#ifndef BUG_DRAIN
		:: !is_read() -> draining = false; goto lock_taken
#endif
		:: else -> drainer = me
		fi
	};
	sleep();
	if
	:: expired || killed ->
		atomic { !busy ->
			found = drainer == me;
			if
			:: found -> drainer = NOBODY
			:: else
			fi
		};
		if
		:: found ->
			atomic { !busy ->
				draining = false;
				word = ownership(word) + flags()
			};
			release(me);
			if
			:: killed -> goto dead
			:: else -> goto done
			fi
		:: else
		fi
	:: else
	fi;
	atomic { told[me] == GRANTED && !busy ->
		told[me] = NOTHING;
		word = ownership(word) + flags()
	};
lock_taken:
	if
	:: killed -> release(me); goto dead
	:: else
	fi;

critical:
	atomic {
		writing++;
		assert(writing == 1 && !reading && !owed)
	};
	if
	:: writing--
	:: atomic { deaths < DEATHS -> deaths++; writing--; goto dead }
	fi;

	/* gosync_rwmutex_unlock() */
	atomic {
		if
#ifdef BUG_UNLOCK
		:: word & LOCKED ->
#else
		:: !(word & WAITERS) ->
#endif
			owed = owed | readers;
			word = word - ownership(word);
			goto done
		:: else
		fi
	};
	release(me);
done:
	atomic {
		got = false;
		waited = false;
		found = false;
		expired = false;
#ifdef FAIR
		goto again
#else
		goto out
#endif
	};
dead:
	/* rwmutex_abandon() */
	atomic {
		lives[me] = false;
		got = false;
		found = false;
		waited = false;
		expired = false;
		killed = false
	};
	release(me);
out:
	skip
}

init {
	byte p;

	atomic {
		for (p : 0 .. N - 1) {
			lives[p] = true
		}
		for (p : 0 .. N - 1) {
			if
			:: p < R -> run reader(p)
			:: else -> run writer(p)
			fi
		}
	};
	_nr_pr == 1;
	assert(!(word & LOCKED) && !readers && !writers && !admitted &&
	       !is_read() && !extra && !draining && !woken && !busy)
}

#ifdef FAIR
ltl served {
	([] (((readers & 1) != 0) -> <> (told[0] == GRANTED))) &&
	([] ((drainer == N - 1 || (writers & bit(N - 1)) != 0) ->
	     <> (told[N - 1] == GRANTED)))
}
#endif
