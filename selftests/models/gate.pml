/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The end of a command of io_uring, for spin: kmod/gate.c, kmod/orphan.c and
 * command_finish(). A command is submitted while its holder's DESCRIPTORS are
 * closed by as many threads, its object may be granted to it, and it may be
 * cancelled. Its task may be stopped for good before it finishes the command, or
 * the ring may be going by then. command.pml has the queue behind it.
 *
 * Functions: gosync_command_ended(), gosync_command_recall(), command_tell(),
 * command_settle(), command_take(), command_outcome(), gosync_orphan_flush(),
 * orphan_closed(), orphan_end_batch(), gosync_is_orphan(), gosync_orphan_check().
 *
 * What is done under links_lock is one step, but for the end of the commands.
 * Left out: waits for any, the second half of a wait for a Cond, registered
 * files and broken holders.
 *
 * Checked: a grant is delivered or given back, never both, and never neither. If
 * the task is stopped, a command that was not granted is withdrawn, and a grant
 * is given back if there is no descriptor. Nobody uses a command that is freed.
 * To be found:
 *
 *	BUG_GATE	the first party through the gate completes the command
 *	BUG_ENDED	the last one does not look for a recall
 *	BUG_ENDED_FIRST	it looks before it goes through
 *	BUG_RECALL	a recall does not look at the gate
 *	BUG_RECALL_FIRST it looks before it takes the claim
 *	BUG_NO_RECALL	a close only ends what was not granted
 *	BUG_TELL	O-A: who grants does not look for an orphan
 *	BUG_CHECK	who submits does not
 *	BUG_FLUSH	O-B: a close looks while the descriptor still leads to it
 *	BUG_CLOSED	it does not look again when its reference has gone
 *	BUG_KEPT	the reference of a close counts as a descriptor's
 *	BUG_TAKE	what was recalled is taken
 *	BUG_TAKE_LOCK	it is taken while a recall has not queued the worker yet
 *	BUG_SYNC	who finishes does not wait for the worker
 *	BUG_GIVEN	what the worker has given back is given back again
 *	BUG_DYING	a grant is delivered although the ring is going
 *	BUG_UNLINK	a command is freed before it is unlinked
 */
#ifdef LARGE
#define DESCRIPTORS	3
#else
#define DESCRIPTORS	2
#endif

mtype = { WAITING, CLAIMED, TOLD, GONE, TAKEN, RECALLED };

/* The command */
mtype claim = WAITING;
byte gate = 2;
bool queued, linked, pending, working, withdrawn, given_back;
bool completed, freed;
bool links_lock;

/* The holder: references to its file, those of commands, its descriptors */
byte count = DESCRIPTORS, kept, descriptors = DESCRIPTORS;

/* What is true */
byte granted, delivered, returned;
bool over;			/* it was not submitted */
bool deaf;			/* its task is stopped */

#define is_orphan	(count <= kept)

inline leave()
{
	assert(!freed);
	won = claim == WAITING;
	if
	:: won -> claim = GONE
	:: else
	fi
}

/* gosync_command_ended(), or command_submitted() with @last for the submitter */
inline go_through()
{
#ifdef BUG_ENDED_FIRST
	was = claim;
#endif
	atomic {
		assert(!freed);
		gate--;
#ifdef BUG_GATE
		last = gate == 1
#else
		last = gate == 0
#endif
	}
}

inline ended()
{
	go_through();
	if
	:: last ->
#ifndef BUG_ENDED_FIRST
		was = claim;
#endif
#ifndef BUG_ENDED
		if
		:: was != TOLD -> pending = true
		:: else
		fi;
#endif
		assert(!completed);
		completed = true
	:: else
	fi
}

/* gosync_command_recall(): first the claim, then the gate */
inline recall()
{
	assert(!freed);
#ifdef BUG_RECALL_FIRST
	closed_gate = gate == 0;
#endif
	atomic {
		won = claim == TOLD;
		if
		:: won -> claim = RECALLED
		:: else
		fi
	};
#ifndef BUG_RECALL_FIRST
	closed_gate = gate == 0;
#endif
#ifndef BUG_RECALL
	if
	:: won && closed_gate -> pending = true
	:: else
	fi
#endif
}

/* command_settle() */
inline settle()
{
	assert(!freed);
	if
	:: !withdrawn -> withdrawn = true; queued = false
	:: else
	fi;
	if
#ifdef BUG_GIVEN
	:: claim == RECALLED ->
#else
	:: claim == RECALLED && !given_back ->
#endif
		given_back = true;
		returned++
	:: else
	fi
}

inline cancel_work()
{
#ifndef BUG_SYNC
	atomic { !working -> was_pending = pending; pending = false }
#else
	atomic { was_pending = pending; pending = false }
#endif
}

active proctype worker()
{
end:	do
	:: atomic { pending && !working -> pending = false; working = true };
	   settle();
	   working = false
	od
}

/* command_finish(), in the submitter or later in its task */
inline finish()
{
	if
	:: dying = true
	:: true
	fi;
	/* command_take() */
#ifdef BUG_TAKE
	atomic { if :: claim != GONE -> claim = TAKEN :: else fi };
#else
	atomic {
#ifndef BUG_TAKE_LOCK
		!links_lock;
#endif
		if
		:: claim == TOLD -> claim = TAKEN
		:: else
		fi
	};
#endif
	cancel_work();
	if
	:: was_pending || !withdrawn -> settle()
	:: else
	fi;
	/* command_outcome() */
	atomic {
		if
		:: claim == TAKEN ->
			if
#ifdef BUG_DYING
			:: is_orphan -> returned++
#else
			:: dying || is_orphan -> returned++
#endif
			:: else ->
				/* The holder's end releases it, if it comes. */
				delivered++;
				assert(!dying)
			fi
		:: else
		fi
	};
#ifdef BUG_UNLINK
	freed = true;
#endif
	atomic { !links_lock -> linked = false; kept-- };
	cancel_work();
	freed = true;
	count--
}

proctype submitter()
{
	bool last, won, closed_gate, was_pending, dying;
	mtype was;

	/* As in the kernel: a reference, then a look at the descriptor */
	atomic {
		if
		:: count -> count++
		:: else -> over = true; goto out
		fi
	};
	if
	:: !descriptors -> atomic { count--; over = true }; goto out
	:: else
	fi;
	atomic { linked = true; kept++ };
	/* command_attempt() */
	if
	:: queued = true
	:: atomic {
		/* It gets it at once, if it has not ended: gosync_group_won() */
		granted++;
		if
		:: claim == WAITING -> claim = TOLD
		:: else -> returned++; goto tried
		fi
	   };
	   ended()
	fi;
tried:
#ifndef BUG_CHECK
	/* gosync_orphan_check() */
	if
	:: is_orphan ->
		atomic { leave() };
		if
		:: won -> ended()
		:: else -> recall()
		fi
	:: else
	fi;
#endif
	go_through();
	if
	:: last
	:: !last && completed
	:: !last -> deaf = true; goto out
	fi;
	finish();
out:
	skip
}

/* command_tell(); the object may stay locked for good, too */
proctype granter()
{
	bool last, won, closed_gate;
	mtype was;

	if
	:: atomic { queued && claim == WAITING -> claim = CLAIMED; granted++ };
	   claim = TOLD;
#ifndef BUG_TELL
	   if
	   :: is_orphan -> recall()
	   :: else
	   fi;
#endif
	   ended()
	:: true
	fi
}

proctype canceller()
{
	bool last, won;
	mtype was;

	if
	:: atomic { linked && !freed -> leave() };
	   if
	   :: won -> ended()
	   :: else
	   fi
	:: true
	fi
}

/* A close: gosync_orphan_flush(), and later orphan_closed() */
proctype closer()
{
	bool last, won, closed_gate, alone;
	mtype was;

#ifdef BUG_FLUSH
	alone = count == 1;
	descriptors--;
#else
	descriptors--;
	alone = count == 1;
#endif
	if
	:: alone -> count--; goto out
	:: else
	fi;
#ifdef BUG_KEPT
	count++;
#else
	atomic { count++; kept++ };
#endif
#ifndef BUG_CLOSED
	count--;
#endif
	/* orphan_end_batch(): all of it under the lock, but for the gate */
	atomic { !links_lock -> links_lock = true; won = false };
	if
	:: is_orphan && linked ->
		atomic { leave() };
		if
#ifndef BUG_NO_RECALL
		:: !won -> recall(); won = false
#endif
		:: else
		fi
	:: else
	fi;
	links_lock = false;
	if
	:: won -> ended()
	:: else
	fi;
#ifdef BUG_CLOSED
	count--;
#endif
#ifdef BUG_KEPT
	count--;
#else
	atomic { kept--; count-- };
#endif
out:
	skip
}

init {
	byte p;

	atomic {
		run submitter();
		run granter();
		run canceller();
		for (p : 1 .. DESCRIPTORS) {
			run closer()
		}
	};
	_nr_pr == 2 && !pending && !working;
	assert(deaf || !count && !kept);
	assert(delivered + returned <= granted);
	assert(over || deaf || (freed && delivered + returned == granted));
	if
	:: deaf && !over ->
		/* All descriptors are closed by now. */
		assert(claim == GONE || claim == RECALLED);
		assert(withdrawn && returned == granted)
	:: else
	fi
}
