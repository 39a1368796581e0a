/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The Cond of kmod/cond.c and libuser/cond.c, for spin. N consumers lock L, wait
 * for an item by tickets, take one, and unlock. A producer makes an item for
 * each of them, and signals each, or broadcasts the last two. Up to EVENTS times
 * a consumer is killed, times out, or handles a signal, each while it sleeps,
 * while it locks L again, or in the handler. From a handler it comes back to its
 * wait, or jumps out and waits anew, or its thread ends.
 *
 * Functions: gosync_cond_signal() and wake() of the library; ticket_begin(),
 * ticket_wait(), ticket_put_aside(), ticket_take_up(), ticket_cancel(),
 * ticket_withdraw(), ticket_drop(), cond_signal_one(), gosync_cond_broadcast(),
 * cond_cancel_older(), cond_look_for_gone(), cond_holder_end(), gosync_replace(),
 * ticket_move(), ticket_await_lock(), ticket_end_move(), gosync_let_sleep().
 *
 * What the kernel does under the Cond's lock is one step. Between claiming a
 * ticket and telling it the lock is dropped, so that is two. A broadcast grants
 * one ticket for each time that it takes the lock. L is a bit and a queue of the
 * tickets that were moved to it: the Mutex has a model of its own, and its lock is
 * never held together with the Cond's. Who signals moves a ticket or wakes its
 * task to lock L itself. A task sleeps until it is woken, looks, and sleeps again.
 * Left out: groups, for which see wait_any.pml, and pollers' tickets, which are
 * cancelled as those of an absent thread are.
 *
 * Checked: a signal is not lost with a ticket that leaves, so nobody sleeps
 * while there is an item (an invalid end state); it never goes to a ticket that
 * was taken after it was sent; nobody is told twice; at the end no ticket is
 * left. To be found:
 *
 *	BUG_KILLED	who is killed does not pass its signal on
 *	BUG_CANCEL	a ticket that is cancelled takes its signal with it
 *	BUG_LATER	a signal is passed on to tickets that came later
 *	BUG_GONE	nobody looks whether the thread of a ticket has ended
 *	BUG_UNLOCK	L is unlocked before the ticket is in the queue
 *	BUG_AWAY	a ticket leaves the queue while its thread is in a handler
 *	BUG_OLDER	a new wait leaves the older ticket of its thread alone
 *	BUG_SLEEP	who was moved and has L by now is let sleep on
 *	BUG_STAY	who is killed in L's queue stays there
 *	BUG_KEEP	who is killed when it has L keeps it
 */
#ifdef LARGE
#define N		3
#define EVENTS		3
#else
#define N		2
#define EVENTS		3
#endif
#define TICKETS		(2 * N)		/* of consumer p: p and p + N */
#define NOBODY		255

/* Claims */
#define NOTHING		0
#define WAITING		1
#define CLAIMED		2
#define TOLD		3

bool locked;				/* L, and its queue below */
byte items;

/* What the kernel knows, under the Cond's lock */
byte queue[TICKETS];
byte queued;
byte reached;				/* the first are those of a broadcast */
byte last;
byte number[TICKETS];
byte claim[TICKETS];
byte seen[TICKETS];
bool absent[TICKETS];
bool awake[TICKETS];			/* its task was woken */
bool moved[TICKETS];
byte lclaim[TICKETS];			/* of the waiter for L */
byte lqueue[TICKETS];
byte lqueued;
bool gone[TICKETS];			/* its thread has ended */

byte events;
bool produced;
byte ended;

#define event		events < EVENTS -> events++

inline push(t)
{
	last++;
	number[t] = last;
	claim[t] = WAITING;
	queue[queued] = t;
	queued++
}

inline remove(t)
{
	i = 0;
	do
	:: queue[i] != t -> i++
	:: else -> break
	od;
	if
	:: i < reached -> reached--
	:: else
	fi;
	queued--;
	do
	:: i < queued -> queue[i] = queue[i + 1]; i++
	:: else -> break
	od;
	queue[queued] = 0;
	i = 0
}

/* L's queue */
inline lremove(t)
{
	i = 0;
	do
	:: lqueue[i] != t -> i++
	:: else -> break
	od;
	lqueued--;
	do
	:: i < lqueued -> lqueue[i] = lqueue[i + 1]; i++
	:: else -> break
	od;
	lqueue[lqueued] = 0;
	i = 0
}

inline unlock()
{
	atomic {
		if
		:: lqueued ->
			heir = lqueue[0];
			lremove(heir);
			lclaim[heir] = CLAIMED
		:: else -> locked = false
		fi
	};
	if
	:: heir != NOBODY ->
		atomic { lclaim[heir] = TOLD; awake[heir] = true; heir = NOBODY }
	:: else
	fi
}

inline tell()
{
	if
	:: next != NOBODY && !absent[next] ->
		/* ticket_move() */
		atomic {
			assert(claim[next] == CLAIMED);
			if
			:: !locked ->
				locked = true;
				moved[next] = true;
				lclaim[next] = TOLD
			:: locked ->
				lqueue[lqueued] = next;
				lqueued++;
				moved[next] = true;
				lclaim[next] = WAITING
			:: skip
			fi
		};
		/* gosync_let_sleep(), with L's lock */
		atomic {
			claim[next] = TOLD;
			if
#ifdef BUG_SLEEP
			:: moved[next] -> skip
#else
			:: moved[next] && lclaim[next] == WAITING
#endif
			:: else -> awake[next] = true
			fi;
			next = NOBODY
		}
	:: next != NOBODY && absent[next] ->
		atomic {
			assert(claim[next] == CLAIMED);
			claim[next] = TOLD;
			next = NOBODY
		}
	:: else
	fi
}

/* cond_signal_one(), to a ticket with a number up to @most */
inline signal_one(most)
{
	do
	:: atomic {
		bound = (most < last -> most : last);
#ifdef BUG_LATER
#define UP_TO	last
#else
#define UP_TO	bound
#endif
		if
		:: queued == reached || number[queue[reached]] > UP_TO -> break
		:: else -> next = queue[reached]
		fi;
		remove(next);
		if
#ifndef BUG_GONE
		:: gone[next] ->
			gone[next] = false;
			absent[next] = false;
			claim[next] = NOTHING;
			next = NOBODY
#endif
		:: else ->
			assert(number[next] <= bound);
			claim[next] = CLAIMED;
			seen[next] = bound;
			break
		fi
	   }
	od;
	tell();
	bound = 0
}

/* ticket_cancel(), of an absent one, which is not being signalled */
inline cancel(t)
{
	atomic { !absent[t] || claim[t] != CLAIMED ->
		if
		:: absent[t] && claim[t] == WAITING -> remove(t)
		:: absent[t] && claim[t] == TOLD -> pass = seen[t]
		:: else
		fi;
		absent[t] = false;
		gone[t] = false;
		claim[t] = NOTHING
	};
#ifdef BUG_CANCEL
	pass = 0;
#endif
	if
	:: pass -> signal_one(pass); pass = 0
	:: else
	fi
}

proctype consumer(byte me)
{
	byte i, t = me, old = NOBODY, next = NOBODY, heir = NOBODY, bound, pass;
	bool expired, killed, away;

top:
	atomic { !locked -> locked = true };
check:
	atomic {
		claim[t] = NOTHING;
		seen[t] = 0;
		expired = false;
		awake[t] = false;
		moved[t] = false;
		lclaim[t] = NOTHING
	};
	if
	:: atomic { items -> items-- }; unlock(); goto out
	:: else
	fi;
	/* ticket_begin() */
#ifdef BUG_UNLOCK
	unlock();
	atomic { push(t) };
#else
	atomic { push(t) };
	unlock();
#endif
	if
	:: old != NOBODY ->
#ifndef BUG_OLDER
		cancel(old);
#endif
		old = NOBODY
	:: else
	fi;
sleep:
	/* It looks, and sleeps until it is woken. */
	atomic {
		awake[t] = false;
		if
		:: claim[t] == TOLD -> goto told
		:: else
		fi
	};
	if
	:: awake[t] -> goto sleep
	:: atomic { event; expired = true }
	:: atomic { event; killed = true }
	:: atomic { event; away = true }
	fi;
	/* Withdrawn, put aside, or told in the meantime */
	atomic {
		if
		:: (expired || killed) && claim[t] == WAITING ->
			remove(t);
			claim[t] = NOTHING;
			goto ended_alone
#ifdef BUG_AWAY
		:: away && claim[t] == WAITING ->
			remove(t);
			claim[t] = NOTHING;
			absent[t] = true;
			away = false;
			goto handler
#endif
		:: away && (claim[t] == WAITING ||
			    (claim[t] == TOLD && !moved[t])) ->
			absent[t] = true;
			away = false;
			goto handler
		:: else
		fi
	};
	/* gosync_await_told() looks again and again. */
	atomic { claim[t] == TOLD };
told:
	if
	:: moved[t] -> goto await_lock
	:: else
	fi;
	if
	:: away -> away = false; absent[t] = true; goto handler
	:: else
	fi;
ended_alone:
	if
	:: killed -> goto killed_with_it
	:: else
	fi;
	goto relock;

await_lock:
	/* ticket_await_lock(): asleep */
	atomic {
		awake[t] = false;
		if
		:: lclaim[t] == TOLD -> goto has_lock
		:: else
		fi
	};
	if
	:: awake[t] -> goto await_lock
	:: killed || away
	:: atomic { event; killed = true }
	:: atomic { event; away = true }
	fi;
	/* ticket_end_move() */
	atomic {
		if
		:: lclaim[t] == WAITING ->
#ifdef BUG_STAY
			if
			:: killed
			:: else -> lremove(t)
			fi;
#else
			lremove(t);
#endif
			moved[t] = false;
			lclaim[t] = NOTHING;
			if
			:: killed -> goto killed_with_it
			:: else -> away = false; absent[t] = true; goto handler
			fi
		:: else
		fi
	};
	atomic { lclaim[t] == TOLD };
has_lock:
	away = false;
	moved[t] = false;
	if
	:: killed ->
#ifndef BUG_KEEP
		unlock();
#endif
		goto killed_with_it
	:: else -> goto check
	fi;

relock:
	if
	:: atomic { !locked -> locked = true; goto check }
	:: atomic { event; killed = true }
	:: atomic { event; absent[t] = true; goto handler }
	fi;
killed_with_it:
	/* ticket_drop() */
#ifndef BUG_KILLED
	if
	:: claim[t] == TOLD && seen[t] ->
		signal_one(seen[t])
	:: else
	fi;
#endif
	goto dead;

handler:
	if
	:: atomic { absent[t] && claim[t] != CLAIMED ->
		/* ticket_take_up() */
		absent[t] = false;
		if
#ifdef BUG_AWAY
		:: !expired && claim[t] == NOTHING -> push(t); goto sleep
#endif
		:: claim[t] == WAITING -> goto sleep
		:: else -> goto relock
		fi }
	:: atomic { event; goto dead }
	:: atomic { event; gone[t] = true; goto out }
	:: atomic { event; old == NOBODY && t == me -> old = t; t = me + N; goto top }
	fi;
dead:
	/* cond_holder_end() */
	cancel(me);
	cancel(me + N);
	goto out;
out:
	/* An older ticket may be left: that of a thread that has ended. */
	atomic {
		if
		:: old != NOBODY && absent[old] -> gone[old] = true
		:: else
		fi
	};
	ended++
}

#define is_gone(t)	((t) < TICKETS && gone[(t) % TICKETS])
#define any_gone	(is_gone(0) || is_gone(1) || is_gone(2) || is_gone(3) || \
			 is_gone(4) || is_gone(5))

/* cond_look_for_gone() */
proctype worker()
{
	byte i, t, next = NOBODY, bound, pass;

#ifndef BUG_GONE
end:
	do
	:: atomic {
		if
		:: is_gone(0) -> t = 0
		:: is_gone(1) -> t = 1
		:: is_gone(2) -> t = 2
		:: is_gone(3) -> t = 3
		:: is_gone(4) -> t = 4
		:: is_gone(5) -> t = 5
		fi
	   };
	   cancel(t)
	:: ended == N && produced && !any_gone -> break
	od
#endif
}

proctype producer()
{
	byte i, n, next = NOBODY, heir = NOBODY, bound;
	bool all, owns;

	do
	:: n < N ->
		/* It may wait until somebody has taken the last one. */
		!items || ended == N;
		atomic { !locked -> locked = true };
		atomic {
			n++;
			items++;
			if
			:: n == N - 1 -> n++; items++; all = true
			:: skip
			fi
		};
		/* It signals with L locked, or not. */
		if
		:: unlock()
		:: owns = true
		fi;
		/* wake(): is a waiter shown? */
		if
		:: !queued
		:: queued && !all -> signal_one(last)
		:: queued && all ->
			atomic { reached = queued };
			do
			:: atomic { reached ->
				next = queue[0];
				remove(next);
				claim[next] = CLAIMED;
				seen[next] = 0
			   };
			   tell()
			:: atomic { !reached -> break }
			od
		fi;
		if
		:: owns -> owns = false; unlock()
		:: else
		fi
	:: else -> break
	od;
	produced = true
}

init {
	byte p;

	atomic {
		for (p : 0 .. N - 1) {
			run consumer(p)
		}
		run producer();
		run worker()
	};
	atomic {
		ended == N && produced && !any_gone;
		assert(!queued && !locked && !lqueued);
		for (p : 0 .. TICKETS - 1) {
			assert(!absent[p])
		}
	}
}
