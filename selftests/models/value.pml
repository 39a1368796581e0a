/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The Value of kmod/value.c and libuser/value.c, for spin. A writer stores STORES
 * payloads, each of two words that are its version. A reader loads without a
 * lock, and tries again if its slot may have been written meanwhile.
 *
 * Functions: gosync_value_load() and gosync_value_version() of the library;
 * value_publish(), slot_of(), value_version().
 *
 * A step is one load or one store; they come in the order of the program, as the
 * barriers V1, V2 and V3 make them: ordering.pml is about those. Writers exclude
 * each other by a mutex, so one is enough. It may stop for good between any two
 * steps: that only makes the reader's try last. A death changes nothing: the
 * writer is the kernel, and the reader writes nothing. There are three slots
 * here, not four, so that fewer stores come round to a slot again.
 *
 * Checked: a payload that is loaded is whole and not older than the last whose
 * store was over before the load; with a type there is a payload; a try fails
 * only if SLOTS - 1 stores were made meanwhile. To be found:
 *
 *	BUG_LOOK	the reader does not look at the version again
 *	BUG_FAR		it accepts a slot that is being written anew
 *	BUG_EARLY	the version is published before the slot is written
 *	BUG_TYPE	the type is published before the first version
 *	BUG_STORING	the reader takes the type that is being stored for one
 */
#define SLOTS		3
#ifdef LARGE
#define STORES		12
#else
#define STORES		6
#endif
#define STORING		2

byte type, version;
byte first[SLOTS], second[SLOTS];
byte stored;				/* the version whose store is over */

proctype writer()
{
	byte v;

	for (v : 1 .. STORES) {
		/* value_publish() */
#ifdef BUG_EARLY
		version = v;
#endif
#ifdef BUG_TYPE
		type = 1;
#endif
		first[v % SLOTS] = v;
		second[v % SLOTS] = v;
		if
		:: type != 1 -> type = STORING
		:: else
		fi;
		version = v;
		type = 1;
		stored = v
	}
}

proctype reader()
{
	byte load, t, v, a, b, before, tries;

	for (load : 1 .. 2) {
		before = stored;
		tries = 0;
		do
		:: t = type;
		   if
#ifdef BUG_STORING
		   :: t == 0 ->
#else
		   :: t == 0 || t == STORING ->
#endif
			assert(!before);
			break
		   :: else
		   fi;
		   v = version;
		   assert(v);
		   a = first[v % SLOTS];
		   b = second[v % SLOTS];
#ifndef BUG_LOOK
#ifdef BUG_FAR
		   if
		   :: version - v >= SLOTS -> tries++; goto again
#else
		   if
		   :: version - v >= SLOTS - 1 -> tries++; goto again
#endif
		   :: else
		   fi;
#endif
		   assert(a == b && a == v && v >= before);
		   break;
again:
		   assert(tries <= STORES / (SLOTS - 1))
		od
	}
}

init {
	atomic {
		run writer();
		run reader()
	}
}
