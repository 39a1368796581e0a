/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The Map of kmod/map_table.c and libuser/map.c, for spin. A process adds and
 * removes two keys, rebuilds the table and clears the map, OPS times in any
 * order. Another one stores to the key A without the map's mutex, and what Clear
 * has dropped is wiped meanwhile. A reader in user space loads A twice.
 *
 * Functions: gosync_map_load(), look() and read_record() of the library;
 * gosync_map_add(), gosync_map_remove(), gosync_map_drop_all(),
 * gosync_map_wipe(), gosync_map_find(), map_rebuild(), map_begin_table(),
 * map_promote(), vacate(), gosync_map_lock().
 *
 * A step is one load or one store, in the order of the program: ordering.pml is
 * about barriers. Each half of a pair is taken away here once more, by moving
 * what it keeps in its place. The changes hold the map's mutex, so one process
 * makes all of them. A kill is never in the middle of a change: it comes before
 * the mutex or ends a rebuild before its table is promoted. A fault on user
 * memory only unlocks a record that was not changed.
 *
 * The table has three slots. The key A has its place by the table's seed, in
 * slot 0 or 1, and B in slot 0; if both have the same, their hashes are equal.
 * Every table is the twin of the one before. A value is two words, the first together with
 * the key. Left out:
 * walks, the length, and how a table comes to be full.
 *
 * A change happens when its record is unlocked, or Clear's table is promoted.
 * Checked: a load that finds A finds a whole value of A that is not older than
 * when it began; one that finds nothing began before A was there, or A was away
 * meanwhile; no record in use is wiped. To be found:
 *
 *	BUG_LOOK	the reader does not look at the count again
 *	BUG_ODD		it reads a record that is being written
 *	BUG_ACQUIRE	R1: it reads the value before the count
 *	BUG_RMB		R2: it looks at the count again before the value
 *	BUG_RELEASE	R1: a record is unlocked before its value is written
 *	BUG_FULL	R2: a record is written before its count is odd
 *	BUG_BACK	a changed record gets back the count it had
 *	BUG_KEY		the reader does not look at the record's key
 *	BUG_SLOT	S: a slot leads to its record before that is there
 *	BUG_UNLOCK	a new record is unlocked before its slot leads to it
 *	BUG_MISS	the reader does not look at the table's word again
 *	BUG_MISS_RMB	T2: it does so before it has read the last slot
 *	BUG_WMB		T2: a table is filled before the word says that it is old
 *	BUG_TABLE	T1: a table is promoted before it is filled
 *	BUG_KILLED	a rebuild that is killed promotes what it has
 *	BUG_REACH	the reach grows after the slot was filled
 *	BUG_VACATE	a slot is emptied before others that are in use
 *	BUG_WIPE	Clear wipes records that are in use again, too
 *	BUG_WIPE_LOOK	it looks at a record before it has locked that
 */
#ifdef LARGE
#define OPS		3
#else
#define OPS		2
#endif
#define SLOTS		3
#define RECORDS		2

#define EMPTY		0
#define TOMBSTONE	1
#define entry(h, r)	(2 + 2 * (h) + (r))
#define hash_in(e)	(((e) - 2) / 2)
#define record_in(e)	(((e) - 2) % 2)

#define A		1
#define B		2
#define hash_of(k, s)	((k) == A -> (s) : 0)
#define VALUE_OF_B	200
#define DROPPED		100	/* stored to a record that Clear has dropped */
#define NONE		255

/* The page: the word of the table, and by its lowest bit the rules and slots */
byte word;
bit seed[2];
byte reach[2];
byte slots[2 * SLOTS];

/* The records */
byte seq[RECORDS], key[RECORDS], first[RECORDS], second[RECORDS];
byte born[RECORDS];
byte made = 1;			/* so many have memory */

/* What is true: whether A is there, its newest value, the records in use */
bool present, in_use[RECORDS];
byte newest, values, clears;
bool was_absent;		/* A was away during the load */

#define slot(w, i)	slots[((w) % 2) * SLOTS + (i)]

inline lock(r)
{
	atomic { seq[r] % 2 == 0 -> seq[r]++ }
}

/* The change of a record takes effect: it has the key @k and the value @v. */
inline is_changed(r, k, v)
{
	if
	:: k == A ->
		present = present || in_use[r];
		newest = (v != DROPPED && v > newest -> v : newest)
	:: !k && key_was == A && in_use[r] -> present = false; was_absent = true
	:: else
	fi;
	in_use[r] = in_use[r] && k;
	v = 0
}

/* Unlock a record that was changed. */
inline unlock(r)
{
#ifdef BUG_BACK
	seq[r]--
#else
	seq[r]++
#endif
}

/*
 * Go on with a look, to the next record whose slot has the key's hash: @r, or
 * NONE.
 */
inline next_record()
{
	do
#ifdef BUG_MISS_RMB
	:: again = word;
#else
	::
#endif
	   atomic {
		r = NONE;
		e = (left == NONE -> EMPTY : slot(w, i));
		i = (i + 1) % SLOTS;
		if
		:: e == EMPTY -> e = 0; break
		:: e >= 2 && hash_in(e) == h -> r = record_in(e); assert(r < made)
		:: else
		fi;
		e = 0;
		left = (left -> left - 1 : NONE);
		if
		:: r != NONE -> break
		:: else
		fi
	   }
	od
}

inline begin_look()
{
	w = word;
	left = reach[w % 2];
	atomic { h = hash_of(A, seed[w % 2]); i = h }
}

/* gosync_map_load() */
proctype reader()
{
	byte w, left, i, e, r, s, s2, k, a, b, before, again, began;
	bit h;

	atomic {
		was_absent = !present;
		before = (present -> newest : newest + 1);
		began = clears
	};
look:
	begin_look();
	do
	:: next_record();
	   if
	   :: r == NONE -> break
	   :: else
	   fi;
#ifdef BUG_ACQUIRE
	   atomic { k = key[r]; a = first[r] };
	   b = second[r];
#endif
	   s = seq[r];
#ifdef BUG_RMB
	   s2 = seq[r];
#endif
#ifndef BUG_ACQUIRE
	   atomic { k = key[r]; a = first[r] };
	   b = second[r];
#endif
#ifndef BUG_RMB
	   s2 = seq[r];
#endif
	   atomic {
#ifdef BUG_LOOK
		s2 = s;
#endif
#ifdef BUG_KEY
		k = A;
#endif
		if
#ifdef BUG_ODD
		:: s2 != s -> goto look
#else
		:: s2 != s || s % 2 -> goto look
#endif
		:: else
		fi;
		if
		:: k == A -> goto hit
		:: else -> s = 0; s2 = 0; k = 0; a = 0; b = 0
		fi
	   }
	od;
#ifndef BUG_MISS_RMB
	again = word;
#endif
#ifndef BUG_MISS
	if
	:: again != w -> goto look
	:: else
	fi;
#endif
	assert(was_absent);
	goto done;
hit:
	assert(a == b);
	if
	:: a == DROPPED -> assert(began < clears)
	:: else -> assert(a >= before && a <= newest)
	fi;
done:
	skip
}

/* Write a locked record. */
inline put(r, k, v)
{
	atomic { key[r] = k; first[r] = v };
	second[r] = v
}

/* The store of an existing key, perhaps once more after a fault */
proctype storer()
{
	byte w, left, i, e, r, v, again, key_was;
	bit h;
	bool fault;

look:
	atomic {
		begin_look();
		next_record();
		if
		:: r == NONE -> goto out
		:: else
		fi
	};
	lock(r);
	if
	:: key[r] != A -> seq[r]--; goto out
	:: key[r] == A && !fault -> fault = true; seq[r]--; goto look
	:: key[r] == A
	fi;
	atomic {
		if
		:: in_use[r] -> values++; v = values
		:: else -> v = DROPPED
		fi;
		first[r] = v
	};
	second[r] = v;
	atomic { is_changed(r, A, v); unlock(r) };
out:
	skip
}

/* gosync_map_wipe(), after the mutex was unlocked */
proctype wiper(byte until)
{
	byte r;
	bool dropped;

	for (r : 0 .. RECORDS - 1) {
#ifdef BUG_WIPE_LOOK
		dropped = key[r] && born[r] <= until;
		lock(r);
#else
		lock(r);
#ifdef BUG_WIPE
		dropped = key[r];
#else
		dropped = key[r] && born[r] <= until;
#endif
#endif
		if
		:: dropped ->
			assert(!in_use[r]);
			put(r, 0, 0);
			unlock(r)
		:: else -> seq[r]--
		fi
	}
}

/* gosync_map_add() */
inline add(k)
{
	/* map_take_slot() */
	h = hash_of(k, seed[mine % 2]);
	d_step {
		i = 0;
		do
		:: slot(mine, (h + i) % SLOTS) > TOMBSTONE -> i++
		:: else -> break
		od
	};
#ifndef BUG_REACH
	if
	:: i > reach[mine % 2] -> reach[mine % 2] = i
	:: else
	fi;
#endif
	/* map_take_record() */
	d_step {
		if
		:: free -> r = free - 1; free = next[r]; next[r] = 0
		:: else -> r = used; used++
		fi
	};
#ifdef BUG_SLOT
	slot(mine, (h + i) % SLOTS) = entry(h, r);
#endif
	if
	:: made < used -> made = used
	:: else
	fi;
#ifndef BUG_FULL
	lock(r);
#endif
	d_step {
		if
		:: k == A -> values++; v = values
		:: else -> v = VALUE_OF_B
		fi
	};
#ifdef BUG_RELEASE
	atomic { key[r] = k; first[r] = v; lasts = v; in_use[r] = true };
	atomic { is_changed(r, k, v); unlock(r) };
	second[r] = lasts;
	lasts = 0;
#else
	put(r, k, v);
#endif
	born[r] = births + 1;
#ifdef BUG_FULL
	lock(r);
#endif
#ifdef BUG_UNLOCK
	unlock(r);
#endif
#ifndef BUG_SLOT
	atomic {
		slot(mine, (h + i) % SLOTS) = entry(h, r);
#ifdef BUG_UNLOCK
		in_use[r] = true;
		is_changed(r, k, v)
#endif
	};
#endif
#if !defined(BUG_UNLOCK) && !defined(BUG_RELEASE)
	atomic { in_use[r] = true; is_changed(r, k, v); unlock(r) };
#endif
#ifdef BUG_REACH
	if
	:: i > reach[mine % 2] -> reach[mine % 2] = i
	:: else
	fi;
#endif
	births++;
	d_step { record[k] = r + 1; at[k] = (h + i) % SLOTS; h = 0; i = 0; r = 0 }
}

/* gosync_map_remove() and vacate() */
inline delete(k)
{
	r = record[k] - 1;
	i = at[k];
	lock(r);
	put(r, 0, 0);
	atomic { key_was = k; is_changed(r, 0, v); unlock(r) };
	d_step { next[r] = free; free = r + 1; record[k] = 0 };
	slot(mine, i) = TOMBSTONE;
	if
#ifndef BUG_VACATE
	:: slot(mine, (i + 1) % SLOTS) != EMPTY
#endif
	:: else ->
		do
		:: slot(mine, i) == TOMBSTONE ->
			slot(mine, i) = EMPTY;
			i = (i + SLOTS - 1) % SLOTS
		:: else -> break
		od
	fi;
	atomic { i = 0; r = 0; key_was = 0 }
}

/* map_begin_table() of the table @t */
inline begin_table(t)
{
	if
	:: seed[t % 2] = 0
	:: seed[t % 2] = 1
	fi;
	for (i : 0 .. SLOTS - 1) {
		slot(t, i) = EMPTY
	}
	i = 0
}

/* map_promote() */
inline promote(t)
{
#ifdef BUG_WMB
	/* The next change begins with another table. */
	for (i : 0 .. SLOTS - 1) {
		slot(t + 1, i) = EMPTY
	}
#endif
	mine = t;
	word = t
}

/* map_rebuild() */
inline rebuild()
{
	t = mine + 1;
#ifdef BUG_TABLE
	word = t;
#endif
	begin_table(t);
	v = 0;
	r = 0;
	do
	:: r < used ->
		if
		:: key[r] ->
			d_step {
				h = hash_of(key[r], seed[t % 2]);
				i = 0;
				do
				:: slot(t, (h + i) % SLOTS) -> i++
				:: else -> break
				od;
				v = (i > v -> i : v);
				to[key[r]] = (h + i) % SLOTS
			};
			slot(t, (h + i) % SLOTS) = entry(h, r)
		:: else
		fi;
		r++
	:: r == used -> killed = false; break
	:: r == 1 -> killed = true; break
	od;
	if
#ifndef BUG_KILLED
	:: killed
#endif
	:: else ->
		reach[t % 2] = v;
		promote(t);
		d_step { at[A] = to[A]; at[B] = to[B] }
	fi;
	atomic { h = 0; i = 0; r = 0; v = 0; t = 0; to[A] = 0; to[B] = 0; killed = false }
}

/* gosync_map_drop_all() */
inline clear()
{
	t = mine + 1;
	begin_table(t);
	reach[t % 2] = 0;
	atomic {
		promote(t);
		present = false;
		was_absent = true;
		in_use[0] = false;
		in_use[1] = false;
		clears++
	};
	d_step { used = 0; free = 0; next[0] = 0; next[1] = 0; t = 0;
		 record[A] = 0; record[B] = 0 };
	run wiper(births)
}

proctype changer(byte used)
{
	byte mine, t, i, r, v, lasts, key_was, op;
	byte births = used, free, next[RECORDS];
	byte at[3], to[3], record[3];	/* by key: slot, record + 1 */
	bit h;
	bool killed;

	d_step { record[B] = 1; at[A] = used - 1; record[A] = (used == 2 -> 2 : 0) };
	for (op : 1 .. OPS) {
		if
		:: rebuild()
		:: !record[A] -> add(A)
		:: record[A] -> delete(A)
		:: !record[B] -> add(B)
		:: record[B] -> delete(B)
		:: !clears -> clear()
		fi
	}
}

init {
	atomic {
		slots[0] = entry(0, 0);
		key[0] = B;
		first[0] = VALUE_OF_B;
		second[0] = VALUE_OF_B;
		born[0] = 1;
		in_use[0] = true;
		run reader();
		if
		:: run changer(1)
		:: slots[1] = entry(0, 1);
		   reach[0] = 1;
		   key[1] = A;
		   born[1] = 2;
		   in_use[1] = true;
		   present = true;
		   made = 2;
		   run changer(2)
		fi;
		run storer()
	}
}
