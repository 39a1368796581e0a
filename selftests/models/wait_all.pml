/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Waiting for all of two Mutexes, for spin: kmod/wait_all.c, with its turns. Two
 * waits want both Mutexes, one lacking each first. A third process takes the
 * second, keeps it while it waits for the first, and unlocks both. Up to DEATHS
 * of the two waits are killed or time out.
 *
 * Functions: try_all(), take_all(), get_in_turn(), has_turn(), end_turn(),
 * join_turn_queues(), sleep_until_all(), gosync_changed().
 *
 * A Mutex is a word and a queue that it is handed to, in order; mutex.pml has
 * the rest. What is done under turns_lock is one step. The queues for turns of
 * both Mutexes have the same order, as both waits want both, so one is enough. A
 * millisecond passes, and a turn ends, at any moment. Left out: conditions, and
 * the place in the queues after a signal.
 *
 * Checked: nobody sleeps for ever (an invalid end state); one wait at a time has
 * its turn; at the end nothing is locked. To be found:
 *
 *	BUG_NO_END	a turn goes on until it has everything
 *	BUG_KEEP	a wait that cannot have everything keeps what it got
 *	BUG_TWO_TURNS	nobody looks whether another wait has its turn
 */
#ifdef LARGE
#define DEATHS		2
#else
#define DEATHS		1
#endif
#define N		3
#define HOLDER		2
#define NOBODY		255

byte word[2] = NOBODY;
byte waits[2];				/* in the queue: processes, as bits */
byte news;				/* poll_wqueues.triggered, as bits */
byte line[2] = NOBODY;			/* the queue for turns */
byte turn = NOBODY;
byte deaths;

#define bit(p)		(1 << (p))

/* Unlock, hand over to any in the queue, or tell the pollers */
inline unlock(o)
{
	atomic {
		assert(word[o] == me);
		if
		:: waits[o] & bit(0) -> word[o] = 0
		:: waits[o] & bit(1) -> word[o] = 1
		:: waits[o] & bit(2) -> word[o] = 2
		:: !waits[o] ->
			/* gosync_changed() */
			word[o] = NOBODY;
			news = news | bit(0) | bit(1)
		fi;
		if
		:: word[o] != NOBODY -> waits[o] = waits[o] & ~bit(word[o])
		:: else
		fi
	}
}

/* Take it, or queue */
inline attempt(o)
{
	atomic {
		if
		:: word[o] == NOBODY -> word[o] = me
		:: else -> waits[o] = waits[o] | bit(me)
		fi
	}
}

inline end_turn()
{
	atomic {
		if
		:: line[0] == me -> line[0] = line[1]; line[1] = NOBODY
		:: line[1] == me -> line[1] = NOBODY
		:: else
		fi;
		if
		:: turn == me -> turn = NOBODY
		:: else
		fi;
		in_line = false;
		if
		:: line[0] != NOBODY -> news = news | bit(line[0])
		:: else
		fi
	}
}

/* get_in_turn(), of @o */
inline get(o)
{
	got = true;
	attempt(o);
	if
	:: word[o] == me
#ifdef BUG_NO_END
	:: atomic { deaths < DEATHS -> deaths++; gone = true }
#else
	:: in_turn
	:: atomic { deaths < DEATHS -> deaths++; gone = true }
#endif
	fi;
	atomic {
		if
		:: waits[o] & bit(me) -> waits[o] = waits[o] & ~bit(me); got = false
		:: else
		fi
	}
}

proctype all(byte me; byte lacks)
{
	bool in_line, in_turn, got, gone;

	do
	:: atomic { news = news & ~bit(me) };
	   /* try_all(): both, or none */
	   atomic {
		got = word[0] == NOBODY;
		if
		:: got -> word[0] = me
		:: else
		fi
	   };
	   if
	   :: got ->
		atomic {
			got = word[1] == NOBODY;
			if
			:: got -> word[1] = me
			:: else
			fi
		};
		if
		:: got -> break
		:: else -> unlock(0)
		fi
	   :: else
	   fi;
	   /* has_turn() */
	   atomic {
		in_turn = false;
		if
#ifdef BUG_TWO_TURNS
		:: in_line ->
#else
		:: in_line && line[0] == me && turn == NOBODY ->
#endif
			assert(turn == NOBODY);
			in_turn = true;
			turn = me
		:: else
		fi
	   };
	   if
	   :: in_line && !in_turn ->
		if
		:: news & bit(me)
		:: atomic { deaths < DEATHS -> deaths++; gone = true }
		fi
	   :: !in_line && !in_turn ->
		/* sleep_shortly(), or a millisecond has passed */
		if
		:: news & bit(me)
		:: goto queue
		:: atomic { deaths < DEATHS -> deaths++; gone = true }
		fi
	   :: else ->
queue:
		/* take_all() */
		get(lacks);
		if
		:: got ->
			if
			:: in_turn && !gone -> get(1 - lacks)
			:: else ->
				atomic {
					got = word[1 - lacks] == NOBODY && !gone;
					if
					:: got -> word[1 - lacks] = me
					:: else
					fi
				}
			fi;
			if
			:: got && !gone -> break
			:: got && gone -> unlock(1 - lacks); unlock(lacks)
			:: !got ->
#ifdef BUG_KEEP
				if
				:: gone -> unlock(lacks)
				:: else -> attempt(1 - lacks); word[1 - lacks] == me; break
				fi
#else
				unlock(lacks)
#endif
			fi
		:: else
		fi;
		if
		:: in_turn -> end_turn()
		:: !in_turn && !gone ->
			atomic {
				/* join_turn_queues() */
				in_line = true;
				if
				:: line[0] == NOBODY -> line[0] = me
				:: else -> line[1] = me
				fi
			}
		:: else
		fi
	   fi;
	   if
	   :: gone -> goto out
	   :: else
	   fi
	od;
	assert(word[0] == me && word[1] == me);
	unlock(1);
	unlock(0);
out:
	end_turn()
}

proctype holder(byte me)
{
	attempt(1);
	word[1] == me;
	attempt(0);
	word[0] == me;
	unlock(0);
	unlock(1)
}

init {
	atomic {
		run all(0, 0);
		run all(1, 1);
		run holder(HOLDER)
	};
	_nr_pr == 1;
	assert(word[0] == NOBODY && word[1] == NOBODY && line[0] == NOBODY &&
	       turn == NOBODY)
}
