/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The figures of barriers in Documentation/design.md, for spin. Here memory is
 * weak: a store waits in a buffer of its processor, for its variable alone, and
 * gets to memory at any later moment; two loads without a barrier between them
 * are done in either order. A full barrier waits until the buffer is empty. A
 * release waits for the stores before it. That is weaker than x86-64. Dependent
 * loads and stores that pass earlier loads are left out: in no figure does a
 * store that matters come after a load without a release.
 *
 * Both write, then look (RW-A, RW-B, RW-D, A-A, C-A, P-A, W-B, O-A, O-B, MV), as
 * in gosync_rwmutex_rlock() and is_drained(): at least one sees the other.
 *
 * Write data, then say so (W-A, G-A, RW-C, RW-E, V1, V3, R1, S, T1, U, B, C), as
 * in value_publish() and gosync_value_load(): who is told sees the data.
 *
 * Look again (V2, R2, T2, M-A), as in gosync_map_lock(), map_begin_table() and
 * value_publish(): who sees anything new sees that it is obsolete.
 *
 * Each barrier is taken away once, and that must be found:
 *
 *	BUG_FULL_A	the first writer's full barrier is a release
 *	BUG_FULL_B	the second writer's is
 *	BUG_RELEASE	what says so is no release
 *	BUG_ACQUIRE	the look at it is no acquire
 *	BUG_WMB		no barrier stands before what is written anew
 *	BUG_RMB		no barrier stands before the second look
 */
#define X		0
#define Y		1
#define DATA		2
#define FLAG		3
#define VERSION		4
#define SLOT		5
#define VARS		6

bit memory[VARS];
/* The buffers: of processor p, variable v, plus 1; 0: empty */
byte buffer[4 * VARS];

#define buffered(p, v)	buffer[(p) * VARS + (v)]
#define store(p, v)	buffered(p, v) = 2
#define is_empty(p)	(!buffered(p, X) && !buffered(p, Y) && \
			 !buffered(p, DATA) && !buffered(p, FLAG) && \
			 !buffered(p, VERSION) && !buffered(p, SLOT))
#define load(p, v)	(buffered(p, v) -> buffered(p, v) - 1 : memory[v])
#define flush(p, v)							\
	:: atomic { buffered(p, v) ->					\
		memory[v] = buffered(p, v) - 1; buffered(p, v) = 0 }

/* The buffers of the processors that store: in any order of variables */
active proctype drain()
{
end:
	do
	flush(0, X)
	flush(1, Y)
	flush(2, DATA)
	flush(2, FLAG)
	flush(3, VERSION)
	flush(3, SLOT)
	od
}

/* Both write, then look */
bit saw[2];
byte looked;

active proctype reader_enters()
{
	store(0, X);
#ifndef BUG_FULL_A
	is_empty(0);
#endif
	saw[0] = load(0, Y);
	looked++
}

active proctype writer_enters()
{
	store(1, Y);
#ifndef BUG_FULL_B
	is_empty(1);
#endif
	saw[1] = load(1, X);
	looked++;
	looked == 2;
	assert(saw[0] || saw[1])
}

/* Write data, then say so */
active proctype says()
{
	store(2, DATA);
#ifndef BUG_RELEASE
	is_empty(2);
#endif
	store(2, FLAG)
}

active proctype is_told()
{
	bit data, flag;

	if
	:: flag = memory[FLAG]; data = memory[DATA]
#ifdef BUG_ACQUIRE
	:: data = memory[DATA]; flag = memory[FLAG]
#endif
	fi;
	assert(!flag || data)
}

/* Look again */
active proctype writes_anew()
{
	store(3, VERSION);
#ifndef BUG_WMB
	is_empty(3);
#endif
	store(3, SLOT)
}

active proctype looks_again()
{
	bit slot, version;

	if
	:: slot = memory[SLOT]; version = memory[VERSION]
#ifdef BUG_RMB
	:: version = memory[VERSION]; slot = memory[SLOT]
#endif
	fi;
	assert(!slot || version)
}
