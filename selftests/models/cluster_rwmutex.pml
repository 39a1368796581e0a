/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An RWMutex of several nodes, for spin: kmod/rwmutex.c, kmod/cluster.c and
 * kmod/cluster/dlm.c. What a Mutex has, too, is in cluster.pml.
 *
 * Each of NODES nodes has a writer and a reader, who lock and unlock ROUNDS times. The DLM
 * grants in the order in which it was asked. It tells who stands in the way of a request,
 * any time later, and only once for each grant.
 *
 * Functions: rwmutex_yield(), rwmutex_cluster_share(), rwmutex_handed(), is_drained(),
 * rwmutex_release(), gosync_cluster_take(), gosync_cluster_get(), gosync_cluster_give(),
 * gosync_cluster_want(), note_answer(), dlm_blocks(), do_step(), node_wanted().
 *
 * What is done under a lock is one step; but a writer takes the word in user space, and
 * enters the kernel later.
 *
 * Checked: a writer is inside with nobody else, on whatever node; nobody waits for ever
 * (an invalid end state). Each BUG_ below takes something away and must be found:
 *
 *	BUG_NO_READ	a node that shares the lock has no read lock of the cluster's
 *	BUG_NO_YIELD	a writer there waits for the other nodes with the word in its hands
 *	BUG_STAYS_QUEUED who yields the word does not see that the cluster waits for it
 *	BUG_READERS_IN	a node lets go although readers are inside
 *	BUG_FORGETS	who is left waiting when the lock goes is forgotten
 */
#define NODES	2
#ifdef LARGE
#define ROUNDS	2
#else
#define ROUNDS	1
#endif

#define FREE	0
#define WRITER	1
#define CLUSTER	2

#define NL	0
#define PR	1
#define EX	2

/* The DLM: what each node has, who asks for what, what it has been told */
byte has[NODES], told_of[NODES];
byte queue[NODES], asks[NODES], length;
bool answer[NODES];
byte news[NODES];

/* Of each node: what is in struct node */
byte mode[NODES], asked[NODES], wanted[NODES], blocked[NODES], down[NODES];
bool busy[NODES], here[NODES], taking[NODES], leaving[NODES];
bool look[NODES];

/* ... and of the object: the word, its queue, who waits to read, who drains */
byte word[NODES], first[NODES], second[NODES];
byte reads[NODES], drains[NODES];
bool shared[NODES], reader_waits[NODES];
bool writer_told[NODES], reader_told[NODES], cluster_told[NODES];

byte writers, readers;

/* --- The object -------------------------------------------------------------- */

inline node_wanted(n, what)
{
	if
	:: (!here[n] || mode[n] < what) && wanted[n] < what ->
		wanted[n] = what;
		look[n] = true
	:: else
	fi
}

inline enqueue(n, who)
{
	if
	:: first[n] == FREE -> first[n] = who
	:: else -> second[n] = who
	fi
}

inline tell(n, who)
{
	if
	:: who == WRITER -> writer_told[n] = true
	:: who == CLUSTER -> cluster_told[n] = true; look[n] = true
	fi
}

/* is_drained() by the cluster, which has the word: its own read lock ends. */
inline cluster_drains(n)
{
	shared[n] = false;
	if
#ifndef BUG_READERS_IN
	:: reads[n] > 0 -> drains[n] = CLUSTER
#endif
	:: else -> tell(n, CLUSTER)
	fi
}

inline release(n)
{
	if
	:: reader_waits[n] ->
		reader_waits[n] = false;
		reads[n]++;
		reader_told[n] = true
	:: else
	fi;
	word[n] = first[n];
	first[n] = second[n];
	second[n] = FREE;
	if
	:: word[n] == WRITER -> tell(n, WRITER)
	:: word[n] == CLUSTER -> cluster_drains(n)
	:: else
	fi
}

/* rwmutex_yield(): the cluster gets the word, and the writer queues. */
inline yield_word(n)
{
	word[n] = CLUSTER;
	if
#ifndef BUG_STAYS_QUEUED
	:: first[n] == CLUSTER ->
		first[n] = second[n];
		second[n] = FREE;
		cluster_drains(n)
	:: second[n] == CLUSTER ->
		second[n] = FREE;
		cluster_drains(n)
#endif
	:: else
	fi;
	enqueue(n, WRITER);
	node_wanted(n, EX)
}

/* --- The DLM ----------------------------------------------------------------- */

#define in_the_way(n, what)	(has[n] + (what) > 2)

inline send_news()
{
	i = 0;
	do
	:: i < length ->
		j = 0;
		do
		:: j < NODES ->
			if
			:: j != queue[i] && in_the_way(j, asks[i]) &&
			   told_of[j] < asks[i] ->
				told_of[j] = asks[i];
				news[j] = asks[i]
			:: else
			fi;
			j++
		:: else -> break
		od;
		i++
	:: else -> break
	od;
	i = 0;
	j = 0
}

inline grant(n, what)
{
	has[n] = what;
	told_of[n] = 0;
	answer[n] = true
}

inline look_at_queue()
{
	do
	:: length > 0 ->
		i = 0;
		j = 0;
		do
		:: i < NODES ->
			if
			:: i != queue[0] && in_the_way(i, asks[0]) -> j = 1
			:: else
			fi;
			i++
		:: else -> break
		od;
		if
		:: j -> break
		:: else ->
			grant(queue[0], asks[0]);
			i = 1;
			do
			:: i < length ->
				queue[i - 1] = queue[i];
				asks[i - 1] = asks[i];
				i++
			:: else -> break
			od;
			length--;
			queue[length] = 0;
			asks[length] = 0
		fi
	:: else -> break
	od;
	i = 0;
	j = 0;
	send_news()
}

inline ask(n, what)
{
	busy[n] = true;
	asked[n] = what;
	if
	:: what < has[n] -> grant(n, what)
	:: else ->
		queue[length] = n;
		asks[length] = what;
		length++
	fi;
	look_at_queue()
}

/* dlm_answered(), dlm_blocks() */
proctype callbacks(byte me)
{
end:	do
	:: atomic { answer[me] ->
		answer[me] = false;
		busy[me] = false;
		blocked[me] = NL;
		mode[me] = asked[me];
		look[me] = true
	   }
	:: atomic { news[me] && !answer[me] ->
		blocked[me] = (news[me] > blocked[me] -> news[me] : blocked[me]);
		news[me] = NL;
		look[me] = true
	   }
	od
}

/* --- The work ---------------------------------------------------------------- */

proctype work(byte me)
{
	byte i, j;
	byte now_wanted, now_blocked;
	bool have;

end:	do
	:: atomic { look[me] -> look[me] = false };
step:	   atomic {
		have = busy[me];
		now_wanted = wanted[me];
		now_blocked = blocked[me]
	   };
	   if
	   :: have
	   :: !have && mode[me] == NL ->
		atomic {
			leaving[me] = false;
			if
			:: now_wanted -> ask(me, now_wanted)
			:: else
			fi
		}
	   :: !have && mode[me] != NL && here[me] &&
	      (now_blocked || now_wanted > mode[me]) ->
		/* take() */
		atomic {
			have = cluster_told[me];
			if
			:: !taking[me] ->
				taking[me] = true;
				cluster_told[me] = false;
				if
				:: word[me] == FREE || word[me] == CLUSTER ->
					word[me] = CLUSTER;
					cluster_drains(me);
					have = cluster_told[me]
				:: else -> enqueue(me, CLUSTER); have = false
				fi
			:: else
			fi
		};
		if
		:: have ->
			atomic {
				taking[me] = false;
				here[me] = false
			};
			atomic {
#ifndef BUG_FORGETS
				i = (first[me] != FREE -> EX :
				     (reader_waits[me] -> PR : NL));
				wanted[me] = (i > wanted[me] -> i : wanted[me]);
#endif
				down[me] = (mode[me] == EX && now_blocked == PR -> PR : NL);
				i = 0;
				leaving[me] = true
			};
			goto step
		:: else
		fi
	   :: !have && mode[me] != NL && here[me] &&
	      !(now_blocked || now_wanted > mode[me])
	   :: !have && mode[me] != NL && !here[me] && leaving[me] ->
		atomic {
			leaving[me] = false;
			ask(me, down[me])
		}
	   :: !have && mode[me] != NL && !here[me] && !leaving[me] ->
		/* give() */
		atomic {
			here[me] = true;
			wanted[me] = (wanted[me] > mode[me] -> wanted[me] : NL)
		};
		atomic {
			/* rwmutex_cluster_share() */
#ifndef BUG_NO_READ
			shared[me] = (mode[me] == PR);
#endif
			if
			:: word[me] == CLUSTER -> release(me)
			:: else
			fi
		};
		goto step
	   fi
	od
}

/* --- Who locks --------------------------------------------------------------- */

proctype writer(byte node)
{
	byte round;

	for (round : 1 .. ROUNDS) {
		/* Once more after it has waited for the word */
again:		if
		:: atomic { word[node] == FREE -> word[node] = WRITER }
		:: atomic { word[node] != FREE ->
			writer_told[node] = false;
			enqueue(node, WRITER);
			node_wanted(node, EX)
		   };
		   atomic { writer_told[node] -> writer_told[node] = false }
		fi;
		if
		:: atomic { !shared[node] && !reads[node] }
#ifndef BUG_NO_YIELD
		:: atomic { shared[node] ->
			writer_told[node] = false;
			yield_word(node)
		   };
		   atomic { writer_told[node] -> writer_told[node] = false };
		   goto drain
		:: atomic { !shared[node] && reads[node] -> drains[node] = WRITER };
#else
		:: atomic { shared[node] || reads[node] ->
			drains[node] = WRITER;
			node_wanted(node, EX)
		   };
#endif
		   atomic { writer_told[node] -> writer_told[node] = false }
		fi;
		goto inside;
drain:		if
		:: atomic { shared[node] ->
			yield_word(node)
		   };
		   atomic { writer_told[node] -> writer_told[node] = false };
		   goto drain
		:: atomic { !shared[node] && !reads[node] }
		:: atomic { !shared[node] && reads[node] -> drains[node] = WRITER };
		   atomic { writer_told[node] -> writer_told[node] = false }
		fi;
inside:		atomic {
			writers++;
			assert(writers == 1 && !readers)
		};
		atomic {
			writers--;
			release(node)
		}
	}
}

proctype reader(byte node)
{
	byte round;

	for (round : 1 .. ROUNDS) {
		if
		:: atomic { word[node] == FREE -> reads[node]++ }
		:: atomic { word[node] != FREE ->
			reader_told[node] = false;
			reader_waits[node] = true;
			node_wanted(node, PR)
		   };
		   atomic { reader_told[node] -> reader_told[node] = false }
		fi;
		atomic {
			readers++;
			assert(!writers)
		};
		atomic {
			readers--;
			reads[node]--;
			if
			:: !reads[node] && !shared[node] && drains[node] ->
				tell(node, drains[node]);
				drains[node] = FREE
			:: else
			fi
		}
	}
}

init
{
	byte n;

	atomic {
		for (n : 0 .. NODES - 1) {
			word[n] = CLUSTER;
			run callbacks(n);
			run work(n);
			run writer(n);
			run reader(n)
		}
	}
}
