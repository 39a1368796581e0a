/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A Mutex of several nodes, for spin: kmod/cluster.c and kmod/cluster/dlm.c.
 *
 * The first of NODES nodes has USERS processes, each other one has one. They lock and unlock
 * ROUNDS times; TIMEOUTS waits time out. DEATHS nodes lose their power, each at any
 * moment. The DLM is a queue of those who want mode EX; it
 * answers, and tells who has EX that another wants it, each at any time later, but in
 * that order.
 *
 * Functions: gosync_cluster_take(), gosync_cluster_get(), gosync_cluster_give(),
 * gosync_cluster_want(), note_answer(), dlm_blocks(), do_step(), node_wanted().
 *
 * What is done under a lock is one step. The word is simpler than it is: who unlocks hands
 * over.
 *
 * Checked: nobody is inside with somebody else, on whatever node; nobody waits for ever
 * (an invalid end state). Each BUG_ below takes something away and must be found:
 *
 *	BUG_NOT_COUNTED	who waits when the object is taken away is not counted
 *	BUG_HERE_LATE	it is counted before newcomers are told that it is away
 *	BUG_RENEWED	the answer that the block was written clears it, too
 *	BUG_NO_TURN	who has it gives it back before it has it, not in its turn
 */
#ifdef BUG_RENEWED
/* One dies, one gets it, one waits. */
#define NODES	3
#define USERS	1
#define DEATHS	1
#else
#define NODES	2
#define USERS	2
#endif
#ifdef LARGE
#define DEATHS	1
#define TIMEOUTS 1
#elif !defined(DEATHS)
#define DEATHS	0
#endif
#define ROUNDS	1
#ifndef TIMEOUTS
#define TIMEOUTS 0
#endif

#define NONE	255
#define FREE	0
#define CLUSTER	(USERS + 1)	/* users are 1 to USERS */
#define PLACES	(USERS + 1)

/* The DLM */
byte ex = NONE;			/* who has EX */
byte queue[NODES], length;	/* who wants it */
bool invalid;			/* who had it has died */
bool answer[NODES], news[NODES];

/* Of each node: what is in struct node */
bool has_ex[NODES], asked_ex[NODES], busy[NODES], wanted[NODES], blocked[NODES];
bool here[NODES], taking[NODES], leaving[NODES], renewing[NODES], renewed[NODES];
bool died_before[NODES];	/* VALNOTVALID in what was answered */
bool look[NODES];		/* the work is queued */
/* ... and of the object: its word, its queue, what who waits is told */
byte word[NODES];
byte list[NODES * PLACES];
bool told[NODES * (USERS + 2)];

bool dead[NODES];
byte deaths, timeouts, inside;

#define at(n, i)	list[(n) * PLACES + (i)]
#define is_told(n, u)	told[(n) * (USERS + 2) + (u)]

inline push(n, who)
{
	i = 0;
	do
	:: at(n, i) -> i++
	:: else -> break
	od;
	at(n, i) = who;
	i = 0
}

inline remove(n, who)
{
	i = 0;
	do
	:: i < PLACES && at(n, i) && at(n, i) != who -> i++
	:: else -> break
	od;
	do
	:: i < PLACES - 1 -> at(n, i) = at(n, i + 1); i++
	:: i == PLACES - 1 -> at(n, i) = FREE; i++
	:: else -> break
	od;
	i = 0
}

inline unlock(n)
{
	word[n] = at(n, 0);
	if
	:: word[n] != FREE ->
		is_told(n, word[n]) = true;
		if
		:: word[n] == CLUSTER -> look[n] = true
		:: else
		fi;
		remove(n, word[n])
	:: else
	fi
}

/* --- The DLM --------------------------------------------------------------- */

inline grant()
{
	if
	:: ex == NONE && length > 0 ->
		ex = queue[0];
		i = 1;
		do
		:: i < length -> queue[i - 1] = queue[i]; i++
		:: else -> break
		od;
		length--;
		queue[length] = 0;
		i = 0;
		answer[ex] = true;
		died_before[ex] = invalid;
		if
		:: length > 0 -> news[ex] = true
		:: else
		fi
	:: else
	fi
}

inline ask_ex(n)
{
	busy[n] = true;
	asked_ex[n] = true;
	renewing[n] = has_ex[n];
	if
	:: has_ex[n] -> answer[n] = true; invalid = false
	:: else ->
		queue[length] = n;
		length++;
		if
		:: ex != NONE -> news[ex] = true
		:: else
		fi;
		grant()
	fi
}

inline ask_nl(n)
{
	busy[n] = true;
	asked_ex[n] = false;
	ex = NONE;
	invalid = false;
	answer[n] = true;
	grant()
}

/* dlm_answered(), dlm_blocks() */
proctype callbacks(byte me)
{
end:	do
	:: atomic { dead[me] -> break }
	:: atomic { !dead[me] && answer[me] ->
		answer[me] = false;
		busy[me] = false;
		if
#ifndef BUG_RENEWED
		:: !has_ex[me] -> blocked[me] = false
#else
		:: blocked[me] = false
#endif
		:: else
		fi;
		has_ex[me] = asked_ex[me];
		renewed[me] = renewing[me];
		renewing[me] = false;
		look[me] = true
	   }
	:: atomic { !dead[me] && news[me] && !answer[me] ->
		news[me] = false;
		blocked[me] = true;
		look[me] = true
	   }
	od
}

/* --- The work --------------------------------------------------------------- */

proctype work(byte me)
{
	byte i;
	bool now_wanted, now_blocked, now_busy, waiters, have;

end:	do
	:: atomic { dead[me] -> break }
	:: atomic { !dead[me] && look[me] -> look[me] = false };
step:	   atomic {
		now_busy = busy[me];
		now_wanted = wanted[me];
		now_blocked = blocked[me]
	   };
	   if
	   :: dead[me] -> break
	   :: !dead[me] && now_busy
	   :: !dead[me] && !now_busy && !has_ex[me] ->
		atomic {
			leaving[me] = false;
			if
			:: now_wanted && !dead[me] -> ask_ex(me)
			:: else
			fi
		}
	   :: !dead[me] && !now_busy && has_ex[me] && here[me] && now_blocked ->
		/* take() */
		atomic {
			have = taking[me] && is_told(me, CLUSTER);
			if
			:: !taking[me] && !dead[me] ->
				taking[me] = true;
				is_told(me, CLUSTER) = false;
				if
#ifdef BUG_NO_TURN
				:: true ->
#else
				:: word[me] == FREE ->
#endif
					word[me] = CLUSTER;
					have = true
				:: else -> push(me, CLUSTER)
				fi
			:: else
			fi
		};
		if
		:: have ->
			taking[me] = false;
#ifndef BUG_HERE_LATE
			atomic { here[me] = false };
#endif
			atomic { waiters = at(me, 0) != FREE };
#ifdef BUG_HERE_LATE
			atomic { here[me] = false };
#endif
#ifndef BUG_NOT_COUNTED
			atomic { wanted[me] = wanted[me] || waiters };
#endif
			leaving[me] = true;
			goto step
		:: else
		fi
	   :: !dead[me] && !now_busy && has_ex[me] && here[me] && !now_blocked
	   :: !dead[me] && !now_busy && has_ex[me] && !here[me] && leaving[me] ->
		atomic {
			if
			:: !dead[me] -> ask_nl(me)
			:: else
			fi
		}
	   :: !dead[me] && !now_busy && has_ex[me] && !here[me] && !leaving[me] ->
		/* give() */
		atomic {
			if
			:: dead[me]
			:: !dead[me] && died_before[me] && !renewed[me] ->
				died_before[me] = false;
				ask_ex(me)
			:: else ->
				renewed[me] = false;
				here[me] = true;
				wanted[me] = false
			fi
		};
		if
		:: here[me] && !dead[me] ->
			atomic {
				if
				:: !dead[me] && word[me] == CLUSTER -> unlock(me)
				:: else
				fi
			};
			goto step
		:: else
		fi
	   fi
	od
}

/* --- Who locks -------------------------------------------------------------- */

proctype user(byte node; byte me)
{
	byte i, round;
	bool got, late;

	for (round : 1 .. ROUNDS) {
		late = false;
		atomic {
			if
			:: dead[node] -> goto gone
			:: else
			fi;
			got = word[node] == FREE;
			is_told(node, me) = false;
			if
			:: got -> word[node] = me
			:: else ->
				push(node, me);
				/* node_wanted() */
				if
				:: !here[node] && !wanted[node] ->
					wanted[node] = true;
					look[node] = true
				:: else
				fi
			fi
		};
		if
		:: !got ->
			if
			:: is_told(node, me) -> got = true
			:: atomic { dead[node] -> goto gone }
			:: atomic { timeouts < TIMEOUTS && !is_told(node, me) &&
				    !dead[node] ->
				timeouts++;
				late = true;
				remove(node, me)
			   }
			fi
		:: else
		fi;
		if
		:: late
		:: else ->
			atomic {
				if
				:: dead[node] -> goto gone
				:: else -> inside++; assert(inside == 1)
				fi
			};
			atomic {
				if
				:: dead[node] -> goto gone
				:: else -> inside--; unlock(node)
				fi
			}
		fi
	};
gone:	skip
}

/* A node loses its power. The DLM finds out, and takes back what it had. */
proctype power()
{
	byte i, j, n;

end:	do
	:: atomic { deaths < DEATHS ->
		deaths++;
		select(n : 0 .. NODES - 1);
		dead[n] = true;
		if
		:: word[n] != FREE && word[n] != CLUSTER && inside -> inside = 0
		:: else
		fi;
		/* Out of the queue */
		i = 0;
		j = 0;
		do
		:: i < length && queue[i] == n -> i++
		:: i < length && queue[i] != n -> queue[j] = queue[i]; i++; j++
		:: else -> break
		od;
		length = j;
		i = 0;
		j = 0;
		if
		:: ex == n -> ex = NONE; invalid = true; grant()
		:: else
		fi
	   }
	:: deaths == DEATHS -> break
	od
}

init
{
	byte n, u;

	atomic {
		for (n : 0 .. NODES - 1) {
			word[n] = CLUSTER;
			run callbacks(n);
			run work(n);
			for (u : 1 .. (n == 0 -> USERS : 1)) {
				run user(n, u)
			}
		};
		run power()
	}
}
