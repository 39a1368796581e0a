/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Waiting for any of two Mutexes, for spin: the groups of kmod/wait.c, and what
 * gosync_mutex_release(), gosync_mutex_left() and mutex_wake_another() do with them.
 *
 * Two Mutexes are owned, each by a process that unlocks it. GROUPS processes
 * wait for any of both, one the first before the second, the other not; and one
 * waits for the second alone. Up to DEATHS of those who wait are killed, each
 * between any two of its steps in the kernel, and up to TIMEOUTS waits time out.
 * With COMMAND the first group has no task, see command.pml.
 *
 * Functions: gosync_group_won(), gosync_group_leave(), gosync_withdraw(),
 * gosync_first_live(), gosync_claim(), mutex_grant_word() and those above.
 *
 * What is done under an object's lock is one step, but for a group's claim,
 * which others take under the other object's lock; @busy says that the lock is
 * held. STARVING is left out: it only hands over more often.
 *
 * Checked: nobody is in a critical section with somebody else; a group is told
 * once, and has one lock at the most; nobody sleeps for ever (an invalid end
 * state); at the end nothing is locked and nobody is queued. Each BUG_ below
 * takes something away and must be found:
 *
 *	BUG_TWICE	each waiter of a group has a claim of its own
 *	BUG_KEEP	a lock that a dead waiter was to get goes to nobody
 *	BUG_NO_LOOK	who withdraws does not look whether the lock is free
 *	BUG_DROP_GRANT	a group that times out ignores that it was claimed
 *	BUG_NO_PASS	a group that is killed keeps what it was granted
 *	BUG_WON_TOO	a lock that is free while queueing is kept beside a grant
 *	BUG_NO_WITHDRAW	who was granted one thing stays queued for the other
 */
#ifndef GROUPS
#define GROUPS		2
#define DEATHS		1
#ifdef LARGE
#define TIMEOUTS	1
#else
#define TIMEOUTS	(1 - deaths)
#endif
#endif

/* Processes: the two owners, who waits for the second alone, the groups */
#define PLAIN		2
#define FIRST		3
#define N		(FIRST + GROUPS)
#define NOBODY		255

/* Claims of groups */
#define WAITING		0
#define CLAIMED		1
#define TOLD		2
#define GONE		3
#define TAKEN		4
#define RECALLED	5

/* Of each Mutex: who has it, its lock, WOKEN, how many are counted as waiting */
byte word[2];
bool busy[2], woken[2];
byte nr[2];
/* ... and who is in its list, from the head on, plus 1 */
byte list[8];

byte claim[N], winner[N];
bool queued[2 * N];		/* is this one counted there */
bool told;			/* PLAIN is to look again */
bool submitted;			/* the first group is through with queueing */
bool closed;			/* nobody has a descriptor for the first group */
bool plain_ended;

byte inside[2];
byte deaths, timeouts;

#define at(o, i)	list[4 * (o) + (i)]
#ifdef COMMAND
#define is_command(p)	((p) == FIRST)
#else
#define is_command(p)	false
#endif
#define is_group(p)	((p) >= FIRST && (p) != NOBODY)

inline push(o, p, first)
{
	if
	:: first ->
		at(o, 3) = at(o, 2);
		at(o, 2) = at(o, 1);
		at(o, 1) = at(o, 0);
		at(o, 0) = p + 1
	:: else ->
		i = 0;
		do
		:: at(o, i) -> i++
		:: else -> break
		od;
		at(o, i) = p + 1;
		i = 0
	fi
}

/* Also one that is not there */
inline remove(o, p)
{
	i = 0;
	do
	:: i < 4 && at(o, i) && at(o, i) != p + 1 -> i++
	:: else -> break
	od;
	do
	:: i < 3 -> at(o, i) = at(o, i + 1); i++
	:: i == 3 -> at(o, 3) = 0; i++
	:: else -> break
	od;
	i = 0
}

inline enqueue(o, p, first)
{
	push(o, p, first);
	queued[2 * p + o] = true;
	nr[o]++
}

inline unqueue(o, p)
{
	remove(o, p);
	queued[2 * p + o] = false;
	nr[o]--
}

/* The first in the list that can still be claimed, to @next */
inline first_live(o)
{
	next = NOBODY;
	do
	:: !at(o, 0) -> break
	:: at(o, 0) && is_group(at(o, 0) - 1) &&
	   claim[at(o, 0) - 1] != WAITING ->
		remove(o, at(o, 0) - 1);
		/* So many are enough: who withdraws it looks again. */
		if
		:: break
		:: skip
		fi
	:: else -> next = at(o, 0) - 1; break
	od
}

/*
 * With the lock: @from has it, or nobody and @from is NOBODY. Goes on until
 * somebody has it, somebody will look, or it is free; then @next is to be told.
 */
inline hand_on(o, from)
{
	who = from;
	do
	:: atomic {
		next = NOBODY;
		if
		:: !woken[o] -> first_live(o)
		:: else
		fi;
		if
		:: word[o] != who && who != NOBODY -> next = NOBODY; break
		:: next != NOBODY && who == NOBODY && word[o] != NOBODY ->
			/* Who unlocks looks for a waiter. */
			next = NOBODY;
			break
		:: next == NOBODY ||
		   (!is_group(next) && (who != NOBODY || word[o] == NOBODY)) ->
			if
			:: next != NOBODY ->
				unqueue(o, next);
				woken[o] = true
			:: else
			fi;
			if
			:: who != NOBODY -> word[o] = NOBODY
			:: else
			fi;
			break
		:: else -> word[o] = next
		fi
	   };
	   atomic {
		if
#ifdef BUG_TWICE
		:: queued[2 * next + o] ->
#else
		:: claim[next] == WAITING ->
#endif
			claim[next] = CLAIMED;
			winner[next] = o;
			unqueue(o, next);
			break
		:: else ->
			remove(o, next);
#ifdef BUG_KEEP
			next = NOBODY;
			break;
#endif
			who = next
		fi
	   }
	od
}

inline tell()
{
	atomic {
		if
		:: is_group(next) ->
			assert(claim[next] == CLAIMED);
			claim[next] = TOLD
		:: next == PLAIN ->
			assert(!told);
			told = true
		:: else
		fi;
		next = NOBODY;
		who = NOBODY
	}
}

/* gosync_mutex_unlock() in the kernel, or the end of a holder */
inline release(o, p)
{
	atomic { !busy[o] -> busy[o] = true };
	if
	:: word[o] == p -> hand_on(o, p)
	:: else
	fi;
	busy[o] = false;
	tell()
}

/* mutex_wake_another() */
inline look(o)
{
	atomic { !busy[o] -> busy[o] = true };
	if
	:: !woken[o] -> hand_on(o, NOBODY)
	:: else
	fi;
	busy[o] = false;
	tell()
}

/* Either in user space or in the kernel */
inline unlock(o, p)
{
	atomic {
		user = (!nr[o] || woken[o]) && word[o] == p;
		if
		:: user -> word[o] = NOBODY
		:: else
		fi
	};
	if
	:: !user -> release(o, p)
	:: else
	fi;
	user = false
}

inline critical(o)
{
	inside[o]++;
	assert(inside[o] == 1);
	inside[o]--
}

proctype owner(byte me)
{
	byte i, next = NOBODY, who = NOBODY;
	bool user;

	unlock(me, me)
}

/* gosync_mutex_acquire() of the second */
proctype plain()
{
	byte i, next = NOBODY, who = NOBODY;
	bool user, waited, got, left, expired;

	do
	:: atomic { !busy[1] ->
		if
		:: waited -> woken[1] = false
		:: else
		fi;
		got = word[1] == NOBODY;
		if
		:: got -> word[1] = PLAIN
		:: !got && !expired -> enqueue(1, PLAIN, waited)
		:: else
		fi
	   };
	   if
	   :: got -> critical(1); unlock(1, PLAIN); break
	   :: !got && expired -> break
	   :: else
	   fi;
	   if
	   :: told
	   :: atomic { timeouts < TIMEOUTS -> timeouts++; expired = true }
	   :: atomic { deaths < DEATHS -> deaths++; expired = true }
	   fi;
	   atomic { !busy[1] ->
		left = expired && queued[2 * PLAIN + 1];
		if
		:: left -> unqueue(1, PLAIN)
		:: else
		fi
	   };
	   if
	   :: left -> break
	   :: else
	   fi;
	   atomic { told -> told = false; waited = true }
	od;
	plain_ended = true
}

/* gosync_withdraw() of what was not granted */
inline withdraw(p)
{
	for (o : 0 .. 1) {
		atomic { !busy[o] ->
			got = queued[2 * p + o];
#ifdef BUG_NO_WITHDRAW
			got = got && claim[p] == GONE;
#endif
			if
			:: got -> unqueue(o, p)
			:: else
			fi
		};
#ifndef BUG_NO_LOOK
		if
		:: got -> look(o)
		:: else
		fi
#endif
	}
	got = false
}

proctype group(byte me; byte first)
{
	byte i, o, next = NOBODY, who = NOBODY;
	bool user, got, left, killed;

	/* Each in turn: got, or queued */
	for (o : 0 .. 1) {
		atomic { !busy[o ^ first] ->
			got = word[o ^ first] == NOBODY;
			if
			:: got -> word[o ^ first] = me
			:: else -> enqueue(o ^ first, me, false)
			fi
		};
		if
		:: got -> break
		:: else
		fi
	}
	if
	:: got ->
		o = o ^ first;
		/* gosync_group_won() */
		atomic {
			left = claim[me] == WAITING;
			if
			:: left -> claim[me] = TOLD; winner[me] = o
			:: else
			fi
		};
		if
		:: !left ->
#ifndef BUG_WON_TOO
			release(o, me)
#endif
		:: else
		fi
	:: else
	fi;
	atomic {
		left = false;
		got = false;
		if
		:: is_command(me) -> submitted = true
		:: else
		fi
	};

	/* Until something happens to it */
	if
	:: claim[me] >= TOLD
	:: atomic { timeouts < TIMEOUTS -> timeouts++; left = true }
	:: atomic { deaths < DEATHS -> deaths++; left = true; killed = true }
	fi;
	atomic {
		if
		:: left && claim[me] == WAITING -> claim[me] = GONE
#ifdef BUG_DROP_GRANT
		:: left && claim[me] != WAITING
#endif
		:: else
		fi
	};
	atomic {
		/* Its task may be stopped, and will not take it. */
		claim[me] >= TOLD &&
		!(is_command(me) && closed && claim[me] == TOLD);
#ifdef BUG_DROP_GRANT
		left = left || claim[me] != TOLD;
#else
		left = claim[me] != TOLD;
#endif
		if
		:: !left -> claim[me] = TAKEN
		:: else
		fi
	};

	if
	:: !is_command(me) -> withdraw(me)
	:: else
	fi;

	if
	:: left
	:: !left ->
		o = winner[me];
		assert(word[o] == me);
		if
		:: killed || (is_command(me) && closed) ->
#ifndef BUG_NO_PASS
			release(o, me)
#endif
		:: else -> critical(o); unlock(o, me)
		fi
	fi
}

#ifdef COMMAND
proctype worker()
{
	byte i, o, next = NOBODY, who = NOBODY;
	bool got;

	submitted && claim[FIRST] >= TOLD;
#ifdef BUG_STOPPED
	plain_ended;
#endif
	withdraw(FIRST)
}

/* The last descriptor of what it wants is closed, if it ever is. */
proctype closer()
{
	byte i, o, next = NOBODY, who = NOBODY;
	bool recalled;

	if
	:: true
	:: atomic {
		claim[FIRST] != CLAIMED;
		closed = true;
		if
		:: claim[FIRST] == WAITING -> claim[FIRST] = GONE
#ifndef BUG_NO_RECALL
#ifdef BUG_RECALL
		:: claim[FIRST] == TOLD || claim[FIRST] == TAKEN ->
#else
		:: claim[FIRST] == TOLD ->
#endif
			claim[FIRST] = RECALLED;
			recalled = true
#endif
		:: else
		fi
	   }
	fi;
	if
	:: recalled ->
		submitted;
		o = winner[FIRST];
		release(o, FIRST)
	:: else
	fi
}

#endif

init {
	byte p;

	atomic {
		winner[0] = 0;
		word[0] = 0;
		word[1] = 1;
		run owner(0);
		run owner(1);
		run plain();
#ifdef COMMAND
		run worker();
		run closer();
#endif
		for (p : 0 .. GROUPS - 1) {
			run group(FIRST + p, p % 2)
		}
	};
	_nr_pr == 1;
	assert(word[0] == NOBODY && word[1] == NOBODY && !nr[0] && !nr[1] &&
	       !list[0] && !list[4] && !woken[0] && !woken[1])
}
