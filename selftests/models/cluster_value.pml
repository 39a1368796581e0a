/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A Value of several nodes, for spin: kmod/value_cluster.c, kmod/visit.c and
 * kmod/cluster/dlm.c. An int64 does the same, and has no page that user space reads.
 * How the nodes take turns is in cluster.pml and cluster_rwmutex.pml: here a node asks,
 * and lets go, whenever it may.
 *
 * The NODES nodes store up to STORES times, and a reader loads LOADS times. DEATHS nodes
 * die, at any time. One node is the DLM's master of the name. A version goes up by JUMP
 * after a death in mode EX; a payload is how many stores led to it.
 *
 * Functions: read_block(), write_block(), give(), serve(), take(), gosync_value_show(),
 * gosync_cluster_draft(), gosync_cluster_commit(), value_cluster_set().
 *
 * Checked: no load returns a version that is older than one that anybody had seen, or
 * stored, before it began, whoever dies; nor such a payload, except after the master's
 * death while the others had mode NL (cluster.md). Each BUG_ below takes something away
 * and must be found:
 *
 *	BUG_NO_SHOW	a node lets go, and its readers are not told to ask
 *	BUG_COMMITS_FIRST a store is seen before it was written
 *	BUG_NOT_WRITTEN	a store is written only when the node lets go
 *	BUG_NO_JUMP	after a death versions go on where they were
 */
#define NODES	3
#define DEATHS	1
#define LOADS	2
#ifdef LARGE
#define STORES	2
#else
#define STORES	1
#endif
#define JUMP	(STORES + 1)

#define NL	0
#define PR	1
#define EX	2

/* The DLM: what each node has, and the block at the master, which is node 0 at first */
byte has[NODES];
byte master;
byte block_version = 1, block_payload = 1;
bool lost;

/* Of each node: its copy of the block, and the Value */
byte copy_version[NODES], copy_payload[NODES];
byte version[NODES], payload[NODES];
bool away[NODES], dead[NODES];

/* The newest that anybody has seen; what was lost since it was new is not promised. */
byte seen_version = 1, seen_payload = 1;
byte losses;
byte stores;

#define in_the_way(i, what)	(i != me && has[i] + (what) > EX)

#define MAY_HAVE(what)							\
	(!in_the_way(0, what) && !in_the_way(1, what) && !in_the_way(2, what))

inline see(n)
{
	seen_version = (version[n] > seen_version -> version[n] : seen_version);
	seen_payload = (payload[n] > seen_payload -> payload[n] : seen_payload)
}

/* write_block(), and what the DLM does with it */
inline write(n)
{
	block_version = copy_version[n];
	block_payload = copy_payload[n];
	lost = false
}

proctype work(byte me)
{
	byte next_version, next_payload;
	bool died;

	{
end:		do
		:: atomic { MAY_HAVE(PR) ->
			if
			:: has[me] = PR
			:: MAY_HAVE(EX) -> has[me] = EX
			fi;
			/* The block comes with the answer. */
			copy_version[me] = block_version;
			copy_payload[me] = block_payload;
			died = lost
		};
		/* give(), read_block() */
		if
		:: atomic { died || version[me] > copy_version[me] ->
			if
			:: has[me] == PR ->
				has[me] = NL;
				goto end
			:: else
			fi;
			if
			:: version[me] > copy_version[me] ->
				copy_version[me] = version[me];
				copy_payload[me] = payload[me]
			:: else
			fi;
#ifndef BUG_NO_JUMP
			if
			:: died -> copy_version[me] = copy_version[me] + JUMP
			:: else
			fi
#endif
		   };
		   atomic { write(me) }
		:: atomic { !died && version[me] <= copy_version[me] }
		fi;
		atomic {
			version[me] = copy_version[me];
			payload[me] = copy_payload[me];
			away[me] = false
		};
		do
		:: atomic { has[me] == EX && stores < STORES ->
			/* gosync_cluster_draft() */
			stores++;
			next_version = version[me] + 1;
			next_payload = payload[me] + 1;
#if defined(BUG_COMMITS_FIRST) || defined(BUG_NOT_WRITTEN)
			version[me] = next_version;
			payload[me] = next_payload;
			see(me);
#endif
#ifndef BUG_NOT_WRITTEN
			copy_version[me] = next_version;
			copy_payload[me] = next_payload
#endif
		   };
#ifndef BUG_NOT_WRITTEN
		   atomic { write(me) };
#endif
		   atomic {
			/* gosync_cluster_commit() */
			version[me] = next_version;
			payload[me] = next_payload;
			see(me)
		   }
		:: atomic { true ->
			/* take(), gosync_value_show() */
#ifndef BUG_NO_SHOW
			away[me] = true;
#endif
			copy_version[me] = (has[me] == EX -> version[me] : copy_version[me]);
			copy_payload[me] = (has[me] == EX -> payload[me] : copy_payload[me])
		   };
		   if
		   :: atomic { has[me] == EX ->
			write(me);
			has[me] = PR
		      };
		      atomic { away[me] = false }
		   :: atomic { true ->
			if
			:: has[me] == EX -> write(me)
			:: else
			fi;
			has[me] = NL
		      };
		      break
		   fi
		od
		od
	} unless { dead[me] }
}

/* One reader is enough, as he may be at another node each time. */
proctype reader()
{
	byte i, me, low_version, low_payload, low_losses;

	for (i : 1 .. LOADS) {
		atomic {
			if
			:: me = 0
			:: me = 1
			:: me = 2
			fi;
			low_version = seen_version;
			low_payload = seen_payload;
			low_losses = losses
		};
		/* The page's type says whether it may be read. */
		if
		:: atomic { dead[me] -> me = 0 }
		:: atomic { !away[me] && !dead[me] };
		   atomic {
			assert(dead[me] || version[me] >= low_version);
			if
			:: !dead[me] && losses == low_losses ->
				assert(payload[me] >= low_payload);
				see(me)
			:: else
			fi;
			me = 0
		   }
		fi
	}
}

#define anybody_counts()	(has[0] || has[1] || has[2])
#define may_count(i)		(has[i] || !anybody_counts())

/* Another node is the master: it takes the copy that counts, or else any. */
inline master_dies()
{
	if
	:: !dead[0] && may_count(0) -> master = 0
	:: !dead[1] && may_count(1) -> master = 1
	:: !dead[2] && may_count(2) -> master = 2
	fi;
	block_version = copy_version[master];
	block_payload = copy_payload[master];
	lost = !anybody_counts();
	if
	:: lost ->
		losses++;
		seen_payload = 0
	:: else
	fi
}

proctype death()
{
	byte i, who;

	for (i : 1 .. DEATHS) {
		atomic {
			if
			:: !dead[0] -> who = 0
			:: !dead[1] -> who = 1
			:: !dead[2] -> who = 2
			fi;
			dead[who] = true;
			lost = lost || has[who] == EX;
			has[who] = NL;
			if
			:: who == master -> master_dies()
			:: else
			fi;
			who = 0
		}
	}
}

init
{
	byte n;

	atomic {
		for (n : 0 .. NODES - 1) {
			copy_version[n] = 1;
			copy_payload[n] = 1;
			version[n] = 1;
			payload[n] = 1;
			away[n] = true;
			run work(n)
		};
		run reader();
		run death()
	}
}
