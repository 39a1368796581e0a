#define rand	pan_rand
#define pthread_equal(a,b)	((a)==(b))
#if defined(HAS_CODE) && defined(VERBOSE)
	#ifdef BFS_PAR
		bfs_printf("Pr: %d Tr: %d\n", II, t->forw);
	#else
		cpu_printf("Pr: %d Tr: %d\n", II, t->forw);
	#endif
#endif
	switch (t->forw) {
	default: Uerror("bad forward move");
	case 0:	/* if without executable clauses */
		continue;
	case 1: /* generic 'goto' or 'skip' */
		IfNotBlocked
		_m = 3; goto P999;
	case 2: /* generic 'else' */
		IfNotBlocked
		if (trpt->o_pm&1) continue;
		_m = 3; goto P999;

		 /* PROC :init: */
	case 3: // STATE 1 - mutex.pml:363 - [p = 0] (0:0:1 - 1)
		IfNotBlocked
		reached[1][1] = 1;
		(trpt+1)->bup.oval = ((int)((P1 *)_this)->p);
		((P1 *)_this)->p = 0;
#ifdef VAR_RANGES
		logval(":init::p", ((int)((P1 *)_this)->p));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 4: // STATE 2 - mutex.pml:363 - [((p<=(3-1)))] (7:0:2 - 1)
		IfNotBlocked
		reached[1][2] = 1;
		if (!((((int)((P1 *)_this)->p)<=(3-1))))
			continue;
		/* merge: lives[p] = 1(7, 3, 7) */
		reached[1][3] = 1;
		(trpt+1)->bup.ovals = grab_ints(2);
		(trpt+1)->bup.ovals[0] = ((int)now.lives[ Index(((int)((P1 *)_this)->p), 3) ]);
		now.lives[ Index(((P1 *)_this)->p, 3) ] = 1;
#ifdef VAR_RANGES
		logval("lives[:init::p]", ((int)now.lives[ Index(((int)((P1 *)_this)->p), 3) ]));
#endif
		;
		/* merge: p = (p+1)(7, 4, 7) */
		reached[1][4] = 1;
		(trpt+1)->bup.ovals[1] = ((int)((P1 *)_this)->p);
		((P1 *)_this)->p = (((int)((P1 *)_this)->p)+1);
#ifdef VAR_RANGES
		logval(":init::p", ((int)((P1 *)_this)->p));
#endif
		;
		/* merge: .(goto)(0, 8, 7) */
		reached[1][8] = 1;
		;
		_m = 3; goto P999; /* 3 */
	case 5: // STATE 10 - mutex.pml:366 - [p = 0] (0:16:1 - 3)
		IfNotBlocked
		reached[1][10] = 1;
		(trpt+1)->bup.oval = ((int)((P1 *)_this)->p);
		((P1 *)_this)->p = 0;
#ifdef VAR_RANGES
		logval(":init::p", ((int)((P1 *)_this)->p));
#endif
		;
		/* merge: .(goto)(0, 17, 16) */
		reached[1][17] = 1;
		;
		_m = 3; goto P999; /* 1 */
	case 6: // STATE 11 - mutex.pml:366 - [((p<=(3-1)))] (0:0:0 - 1)
		IfNotBlocked
		reached[1][11] = 1;
		if (!((((int)((P1 *)_this)->p)<=(3-1))))
			continue;
		_m = 3; goto P999; /* 0 */
	case 7: // STATE 12 - mutex.pml:367 - [(run process(p))] (0:0:0 - 1)
		IfNotBlocked
		reached[1][12] = 1;
		if (!(addproc(II, 1, 0, ((int)((P1 *)_this)->p))))
			continue;
		_m = 3; goto P999; /* 0 */
	case 8: // STATE 13 - mutex.pml:366 - [p = (p+1)] (0:0:1 - 1)
		IfNotBlocked
		reached[1][13] = 1;
		(trpt+1)->bup.oval = ((int)((P1 *)_this)->p);
		((P1 *)_this)->p = (((int)((P1 *)_this)->p)+1);
#ifdef VAR_RANGES
		logval(":init::p", ((int)((P1 *)_this)->p));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 9: // STATE 20 - mutex.pml:370 - [((_nr_pr==1))] (0:0:0 - 1)
		IfNotBlocked
		reached[1][20] = 1;
		if (!((((int)now._nr_pr)==1)))
			continue;
		_m = 3; goto P999; /* 0 */
	case 10: // STATE 21 - mutex.pml:371 - [assert((((!((word&1))&&!(queued))&&!(woken))&&!(starving)))] (0:0:0 - 1)
		IfNotBlocked
		reached[1][21] = 1;
		spin_assert(((( !((now.word&1))&& !(((int)now.queued)))&& !(((int)now.woken)))&& !(((int)now.starving))), "((( !((word&1))&& !(queued))&& !(woken))&& !(starving))", II, tt, t);
		_m = 3; goto P999; /* 0 */
	case 11: // STATE 22 - mutex.pml:372 - [-end-] (0:0:0 - 1)
		IfNotBlocked
		reached[1][22] = 1;
		if (!delproc(1, II)) continue;
		_m = 3; goto P999; /* 0 */

		 /* PROC process */
	case 12: // STATE 1 - mutex.pml:220 - [round = 1] (0:0:1 - 1)
		IfNotBlocked
		reached[0][1] = 1;
		(trpt+1)->bup.oval = ((int)((P0 *)_this)->round);
		((P0 *)_this)->round = 1;
#ifdef VAR_RANGES
		logval("process:round", ((int)((P0 *)_this)->round));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 13: // STATE 2 - mutex.pml:220 - [((round<=( ((me==0)) -> (2) : (1) )))] (0:0:0 - 1)
		IfNotBlocked
		reached[0][2] = 1;
		if (!((((int)((P0 *)_this)->round)<=( ((((int)((P0 *)_this)->me)==0)) ? (2) : (1) ))))
			continue;
		_m = 3; goto P999; /* 0 */
	case 14: // STATE 3 - mutex.pml:222 - [seen = word] (0:0:1 - 1)
		IfNotBlocked
		reached[0][3] = 1;
		(trpt+1)->bup.oval = ((P0 *)_this)->seen;
		((P0 *)_this)->seen = now.word;
#ifdef VAR_RANGES
		logval("process:seen", ((P0 *)_this)->seen);
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 15: // STATE 5 - mutex.pml:223 - [((deaths<1))] (413:0:1 - 1)
		IfNotBlocked
		reached[0][5] = 1;
		if (!((((int)now.deaths)<1)))
			continue;
		/* merge: deaths = (deaths+1)(413, 6, 413) */
		reached[0][6] = 1;
		(trpt+1)->bup.oval = ((int)now.deaths);
		now.deaths = (((int)now.deaths)+1);
#ifdef VAR_RANGES
		logval("deaths", ((int)now.deaths));
#endif
		;
		/* merge: goto dead(413, 7, 413) */
		reached[0][7] = 1;
		;
		_m = 3; goto P999; /* 2 */
	case 16: // STATE 11 - mutex.pml:225 - [(!((seen&(1|4))))] (0:0:0 - 1)
		IfNotBlocked
		reached[0][11] = 1;
		if (!( !((((P0 *)_this)->seen&(1|4)))))
			continue;
		_m = 3; goto P999; /* 0 */
	case 17: // STATE 12 - mutex.pml:228 - [((word==seen))] (258:0:1 - 1)
		IfNotBlocked
		reached[0][12] = 1;
		if (!((now.word==((P0 *)_this)->seen)))
			continue;
		/* merge: word = (seen+(1+(32*(me+1))))(258, 13, 258) */
		reached[0][13] = 1;
		(trpt+1)->bup.oval = now.word;
		now.word = (((P0 *)_this)->seen+(1+(32*(((int)((P0 *)_this)->me)+1))));
#ifdef VAR_RANGES
		logval("word", now.word);
#endif
		;
		/* merge: goto critical(258, 14, 258) */
		reached[0][14] = 1;
		;
		_m = 3; goto P999; /* 2 */
	case 18: // STATE 17 - mutex.pml:233 - [.(goto)] (0:190:5 - 1)
		IfNotBlocked
		reached[0][17] = 1;
		;
		/* merge: .(goto)(190, 21, 190) */
		reached[0][21] = 1;
		;
		/* merge: waited = 0(190, 22, 190) */
		reached[0][22] = 1;
		(trpt+1)->bup.ovals = grab_ints(5);
		(trpt+1)->bup.ovals[0] = ((int)((P0 *)_this)->waited);
		((P0 *)_this)->waited = 0;
#ifdef VAR_RANGES
		logval("process:waited", ((int)((P0 *)_this)->waited));
#endif
		;
		/* merge: awake = 0(190, 23, 190) */
		reached[0][23] = 1;
		(trpt+1)->bup.ovals[1] = ((int)((P0 *)_this)->awake);
		((P0 *)_this)->awake = 0;
#ifdef VAR_RANGES
		logval("process:awake", ((int)((P0 *)_this)->awake));
#endif
		;
		/* merge: starved = 0(190, 24, 190) */
		reached[0][24] = 1;
		(trpt+1)->bup.ovals[2] = ((int)((P0 *)_this)->starved);
		((P0 *)_this)->starved = 0;
#ifdef VAR_RANGES
		logval("process:starved", ((int)((P0 *)_this)->starved));
#endif
		;
		/* merge: expired = 0(190, 25, 190) */
		reached[0][25] = 1;
		(trpt+1)->bup.ovals[3] = ((int)((P0 *)_this)->expired);
		((P0 *)_this)->expired = 0;
#ifdef VAR_RANGES
		logval("process:expired", ((int)((P0 *)_this)->expired));
#endif
		;
		/* merge: killed = 0(190, 26, 190) */
		reached[0][26] = 1;
		(trpt+1)->bup.ovals[4] = ((int)((P0 *)_this)->killed);
		((P0 *)_this)->killed = 0;
#ifdef VAR_RANGES
		logval("process:killed", ((int)((P0 *)_this)->killed));
#endif
		;
		/* merge: .(goto)(0, 191, 190) */
		reached[0][191] = 1;
		;
		_m = 3; goto P999; /* 7 */
	case 19: // STATE 22 - mutex.pml:238 - [waited = 0] (0:190:5 - 3)
		IfNotBlocked
		reached[0][22] = 1;
		(trpt+1)->bup.ovals = grab_ints(5);
		(trpt+1)->bup.ovals[0] = ((int)((P0 *)_this)->waited);
		((P0 *)_this)->waited = 0;
#ifdef VAR_RANGES
		logval("process:waited", ((int)((P0 *)_this)->waited));
#endif
		;
		/* merge: awake = 0(190, 23, 190) */
		reached[0][23] = 1;
		(trpt+1)->bup.ovals[1] = ((int)((P0 *)_this)->awake);
		((P0 *)_this)->awake = 0;
#ifdef VAR_RANGES
		logval("process:awake", ((int)((P0 *)_this)->awake));
#endif
		;
		/* merge: starved = 0(190, 24, 190) */
		reached[0][24] = 1;
		(trpt+1)->bup.ovals[2] = ((int)((P0 *)_this)->starved);
		((P0 *)_this)->starved = 0;
#ifdef VAR_RANGES
		logval("process:starved", ((int)((P0 *)_this)->starved));
#endif
		;
		/* merge: expired = 0(190, 25, 190) */
		reached[0][25] = 1;
		(trpt+1)->bup.ovals[3] = ((int)((P0 *)_this)->expired);
		((P0 *)_this)->expired = 0;
#ifdef VAR_RANGES
		logval("process:expired", ((int)((P0 *)_this)->expired));
#endif
		;
		/* merge: killed = 0(190, 26, 190) */
		reached[0][26] = 1;
		(trpt+1)->bup.ovals[4] = ((int)((P0 *)_this)->killed);
		((P0 *)_this)->killed = 0;
#ifdef VAR_RANGES
		logval("process:killed", ((int)((P0 *)_this)->killed));
#endif
		;
		/* merge: .(goto)(0, 191, 190) */
		reached[0][191] = 1;
		;
		_m = 3; goto P999; /* 5 */
	case 20: // STATE 27 - mutex.pml:113 - [got = 0] (0:0:1 - 1)
		IfNotBlocked
		reached[0][27] = 1;
		(trpt+1)->bup.oval = ((int)((P0 *)_this)->got);
		((P0 *)_this)->got = 0;
#ifdef VAR_RANGES
		logval("process:got", ((int)((P0 *)_this)->got));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 21: // STATE 28 - mutex.pml:115 - [(waited)] (0:0:0 - 1)
		IfNotBlocked
		reached[0][28] = 1;
		if (!(((int)((P0 *)_this)->waited)))
			continue;
		_m = 3; goto P999; /* 0 */
	case 22: // STATE 29 - mutex.pml:122 - [(awake)] (36:0:1 - 1)
		IfNotBlocked
		reached[0][29] = 1;
		if (!(((int)((P0 *)_this)->awake)))
			continue;
		/* merge: woken = 0(0, 30, 36) */
		reached[0][30] = 1;
		(trpt+1)->bup.oval = ((int)now.woken);
		now.woken = 0;
#ifdef VAR_RANGES
		logval("woken", ((int)now.woken));
#endif
		;
		/* merge: .(goto)(0, 33, 36) */
		reached[0][33] = 1;
		;
		_m = 3; goto P999; /* 2 */
	case 23: // STATE 34 - mutex.pml:128 - [starved = 1] (0:0:1 - 1)
		IfNotBlocked
		reached[0][34] = 1;
		(trpt+1)->bup.oval = ((int)((P0 *)_this)->starved);
		((P0 *)_this)->starved = 1;
#ifdef VAR_RANGES
		logval("process:starved", ((int)((P0 *)_this)->starved));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 24: // STATE 41 - mutex.pml:134 - [((!((word&1))||((word&1)&&!(lives[((word/32)-1)]))))] (98:0:2 - 1)
		IfNotBlocked
		reached[0][41] = 1;
		if (!(( !((now.word&1))||((now.word&1)&& !(((int)now.lives[ Index(((now.word/32)-1), 3) ]))))))
			continue;
		/* merge: word = ((1+(32*(me+1)))+((( (woken) -> (2) : (0) )+( (starving) -> (4) : (0) ))+(queued*8)))(98, 42, 98) */
		reached[0][42] = 1;
		(trpt+1)->bup.ovals = grab_ints(2);
		(trpt+1)->bup.ovals[0] = now.word;
		now.word = ((1+(32*(((int)((P0 *)_this)->me)+1)))+((( (((int)now.woken)) ? (2) : (0) )+( (((int)now.starving)) ? (4) : (0) ))+(((int)now.queued)*8)));
#ifdef VAR_RANGES
		logval("word", now.word);
#endif
		;
		/* merge: got = 1(98, 43, 98) */
		reached[0][43] = 1;
		(trpt+1)->bup.ovals[1] = ((int)((P0 *)_this)->got);
		((P0 *)_this)->got = 1;
#ifdef VAR_RANGES
		logval("process:got", ((int)((P0 *)_this)->got));
#endif
		;
		/* merge: .(goto)(98, 92, 98) */
		reached[0][92] = 1;
		;
		_m = 3; goto P999; /* 3 */
	case 25: // STATE 92 - mutex.pml:151 - [.(goto)] (0:98:0 - 2)
		IfNotBlocked
		reached[0][92] = 1;
		;
		_m = 3; goto P999; /* 0 */
	case 26: // STATE 45 - mutex.pml:139 - [(((!(expired)&&!(killed))&&!(away)))] (84:0:1 - 1)
		IfNotBlocked
		reached[0][45] = 1;
		if (!((( !(((int)((P0 *)_this)->expired))&& !(((int)((P0 *)_this)->killed)))&& !(((int)((P0 *)_this)->away)))))
			continue;
		/* merge: starving = (starving||starved)(0, 46, 84) */
		reached[0][46] = 1;
		(trpt+1)->bup.oval = ((int)now.starving);
		now.starving = (((int)now.starving)||((int)((P0 *)_this)->starved));
#ifdef VAR_RANGES
		logval("starving", ((int)now.starving));
#endif
		;
		_m = 3; goto P999; /* 1 */
	case 27: // STATE 47 - mutex.pml:76 - [(waited)] (54:0:2 - 1)
		IfNotBlocked
		reached[0][47] = 1;
		if (!(((int)((P0 *)_this)->waited)))
			continue;
		if (TstOnly) return 1; /* TT */
		/* dead 1: waited */  (trpt+1)->bup.ovals = grab_ints(2);
		(trpt+1)->bup.ovals[0] = ((P0 *)_this)->waited;
#ifdef HAS_CODE
		if (!readtrail)
#endif
			((P0 *)_this)->waited = 0;
		/* merge: i = queued(0, 48, 54) */
		reached[0][48] = 1;
		(trpt+1)->bup.ovals[1] = ((int)((P0 *)_this)->i);
		((P0 *)_this)->i = ((int)now.queued);
#ifdef VAR_RANGES
		logval("process:i", ((int)((P0 *)_this)->i));
#endif
		;
		/* merge: .(goto)(0, 55, 54) */
		reached[0][55] = 1;
		;
		_m = 3; goto P999; /* 2 */
	case 28: // STATE 49 - mutex.pml:79 - [((i>0))] (54:0:2 - 1)
		IfNotBlocked
		reached[0][49] = 1;
		if (!((((int)((P0 *)_this)->i)>0)))
			continue;
		/* merge: queue[i] = queue[(i-1)](54, 50, 54) */
		reached[0][50] = 1;
		(trpt+1)->bup.ovals = grab_ints(2);
		(trpt+1)->bup.ovals[0] = ((int)now.queue[ Index(((int)((P0 *)_this)->i), 3) ]);
		now.queue[ Index(((P0 *)_this)->i, 3) ] = ((int)now.queue[ Index((((int)((P0 *)_this)->i)-1), 3) ]);
#ifdef VAR_RANGES
		logval("queue[process:i]", ((int)now.queue[ Index(((int)((P0 *)_this)->i), 3) ]));
#endif
		;
		/* merge: i = (i-1)(54, 51, 54) */
		reached[0][51] = 1;
		(trpt+1)->bup.ovals[1] = ((int)((P0 *)_this)->i);
		((P0 *)_this)->i = (((int)((P0 *)_this)->i)-1);
#ifdef VAR_RANGES
		logval("process:i", ((int)((P0 *)_this)->i));
#endif
		;
		/* merge: .(goto)(0, 55, 54) */
		reached[0][55] = 1;
		;
		_m = 3; goto P999; /* 3 */
	case 29: // STATE 57 - mutex.pml:82 - [queue[0] = me] (0:98:5 - 3)
		IfNotBlocked
		reached[0][57] = 1;
		(trpt+1)->bup.ovals = grab_ints(5);
		(trpt+1)->bup.ovals[0] = ((int)now.queue[0]);
		now.queue[0] = ((int)((P0 *)_this)->me);
#ifdef VAR_RANGES
		logval("queue[0]", ((int)now.queue[0]));
#endif
		;
		/* merge: .(goto)(98, 61, 98) */
		reached[0][61] = 1;
		;
		/* merge: queued = (queued+1)(98, 62, 98) */
		reached[0][62] = 1;
		(trpt+1)->bup.ovals[1] = ((int)now.queued);
		now.queued = (((int)now.queued)+1);
#ifdef VAR_RANGES
		logval("queued", ((int)now.queued));
#endif
		;
		/* merge: i = 0(98, 63, 98) */
		reached[0][63] = 1;
		(trpt+1)->bup.ovals[2] = ((int)((P0 *)_this)->i);
		((P0 *)_this)->i = 0;
#ifdef VAR_RANGES
		logval("process:i", ((int)((P0 *)_this)->i));
#endif
		;
		/* merge: .(goto)(98, 85, 98) */
		reached[0][85] = 1;
		;
		/* merge: waited = 1(98, 86, 98) */
		reached[0][86] = 1;
		(trpt+1)->bup.ovals[3] = ((int)((P0 *)_this)->waited);
		((P0 *)_this)->waited = 1;
#ifdef VAR_RANGES
		logval("process:waited", ((int)((P0 *)_this)->waited));
#endif
		;
		/* merge: .(goto)(98, 89, 98) */
		reached[0][89] = 1;
		;
		/* merge: word = (( ((word&1)) -> (((word&1)+(32*(word/32)))) : (0) )+((( (woken) -> (2) : (0) )+( (starving) -> (4) : (0) ))+(queued*8)))(98, 90, 98) */
		reached[0][90] = 1;
		(trpt+1)->bup.ovals[4] = now.word;
		now.word = (( ((now.word&1)) ? (((now.word&1)+(32*(now.word/32)))) : (0) )+((( (((int)now.woken)) ? (2) : (0) )+( (((int)now.starving)) ? (4) : (0) ))+(((int)now.queued)*8)));
#ifdef VAR_RANGES
		logval("word", now.word);
#endif
		;
		/* merge: .(goto)(98, 92, 98) */
		reached[0][92] = 1;
		;
		_m = 3; goto P999; /* 8 */
	case 30: // STATE 59 - mutex.pml:83 - [queue[queued] = me] (0:98:5 - 1)
		IfNotBlocked
		reached[0][59] = 1;
		(trpt+1)->bup.ovals = grab_ints(5);
		(trpt+1)->bup.ovals[0] = ((int)now.queue[ Index(((int)now.queued), 3) ]);
		now.queue[ Index(now.queued, 3) ] = ((int)((P0 *)_this)->me);
#ifdef VAR_RANGES
		logval("queue[queued]", ((int)now.queue[ Index(((int)now.queued), 3) ]));
#endif
		;
		/* merge: .(goto)(98, 61, 98) */
		reached[0][61] = 1;
		;
		/* merge: queued = (queued+1)(98, 62, 98) */
		reached[0][62] = 1;
		(trpt+1)->bup.ovals[1] = ((int)now.queued);
		now.queued = (((int)now.queued)+1);
#ifdef VAR_RANGES
		logval("queued", ((int)now.queued));
#endif
		;
		/* merge: i = 0(98, 63, 98) */
		reached[0][63] = 1;
		(trpt+1)->bup.ovals[2] = ((int)((P0 *)_this)->i);
		((P0 *)_this)->i = 0;
#ifdef VAR_RANGES
		logval("process:i", ((int)((P0 *)_this)->i));
#endif
		;
		/* merge: .(goto)(98, 85, 98) */
		reached[0][85] = 1;
		;
		/* merge: waited = 1(98, 86, 98) */
		reached[0][86] = 1;
		(trpt+1)->bup.ovals[3] = ((int)((P0 *)_this)->waited);
		((P0 *)_this)->waited = 1;
#ifdef VAR_RANGES
		logval("process:waited", ((int)((P0 *)_this)->waited));
#endif
		;
		/* merge: .(goto)(98, 89, 98) */
		reached[0][89] = 1;
		;
		/* merge: word = (( ((word&1)) -> (((word&1)+(32*(word/32)))) : (0) )+((( (woken) -> (2) : (0) )+( (starving) -> (4) : (0) ))+(queued*8)))(98, 90, 98) */
		reached[0][90] = 1;
		(trpt+1)->bup.ovals[4] = now.word;
		now.word = (( ((now.word&1)) ? (((now.word&1)+(32*(now.word/32)))) : (0) )+((( (((int)now.woken)) ? (2) : (0) )+( (((int)now.starving)) ? (4) : (0) ))+(((int)now.queued)*8)));
#ifdef VAR_RANGES
		logval("word", now.word);
#endif
		;
		/* merge: .(goto)(98, 92, 98) */
		reached[0][92] = 1;
		;
		_m = 3; goto P999; /* 8 */
	case 31: // STATE 62 - mutex.pml:85 - [queued = (queued+1)] (0:98:4 - 3)
		IfNotBlocked
		reached[0][62] = 1;
		(trpt+1)->bup.ovals = grab_ints(4);
		(trpt+1)->bup.ovals[0] = ((int)now.queued);
		now.queued = (((int)now.queued)+1);
#ifdef VAR_RANGES
		logval("queued", ((int)now.queued));
#endif
		;
		/* merge: i = 0(98, 63, 98) */
		reached[0][63] = 1;
		(trpt+1)->bup.ovals[1] = ((int)((P0 *)_this)->i);
		((P0 *)_this)->i = 0;
#ifdef VAR_RANGES
		logval("process:i", ((int)((P0 *)_this)->i));
#endif
		;
		/* merge: .(goto)(98, 85, 98) */
		reached[0][85] = 1;
		;
		/* merge: waited = 1(98, 86, 98) */
		reached[0][86] = 1;
		(trpt+1)->bup.ovals[2] = ((int)((P0 *)_this)->waited);
		((P0 *)_this)->waited = 1;
#ifdef VAR_RANGES
		logval("process:waited", ((int)((P0 *)_this)->waited));
#endif
		;
		/* merge: .(goto)(98, 89, 98) */
		reached[0][89] = 1;
		;
		/* merge: word = (( ((word&1)) -> (((word&1)+(32*(word/32)))) : (0) )+((( (woken) -> (2) : (0) )+( (starving) -> (4) : (0) ))+(queued*8)))(98, 90, 98) */
		reached[0][90] = 1;
		(trpt+1)->bup.ovals[3] = now.word;
		now.word = (( ((now.word&1)) ? (((now.word&1)+(32*(now.word/32)))) : (0) )+((( (((int)now.woken)) ? (2) : (0) )+( (((int)now.starving)) ? (4) : (0) ))+(((int)now.queued)*8)));
#ifdef VAR_RANGES
		logval("word", now.word);
#endif
		;
		/* merge: .(goto)(98, 92, 98) */
		reached[0][92] = 1;
		;
		_m = 3; goto P999; /* 6 */
	case 32: // STATE 65 - mutex.pml:144 - [((waited&&!(awake)))] (0:0:2 - 1)
		IfNotBlocked
		reached[0][65] = 1;
		if (!((((int)((P0 *)_this)->waited)&& !(((int)((P0 *)_this)->awake)))))
			continue;
		if (TstOnly) return 1; /* TT */
		/* dead 1: waited */  (trpt+1)->bup.ovals = grab_ints(2);
		(trpt+1)->bup.ovals[0] = ((P0 *)_this)->waited;
#ifdef HAS_CODE
		if (!readtrail)
#endif
			((P0 *)_this)->waited = 0;
		if (TstOnly) return 1; /* TT */
		/* dead 1: awake */  (trpt+1)->bup.ovals[1] = ((P0 *)_this)->awake;
#ifdef HAS_CODE
		if (!readtrail)
#endif
			((P0 *)_this)->awake = 0;
		_m = 3; goto P999; /* 0 */
	case 33: // STATE 67 - mutex.pml:77 - [i = queued] (0:0:1 - 1)
		IfNotBlocked
		reached[0][67] = 1;
		(trpt+1)->bup.oval = ((int)((P0 *)_this)->i);
		((P0 *)_this)->i = ((int)now.queued);
#ifdef VAR_RANGES
		logval("process:i", ((int)((P0 *)_this)->i));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 34: // STATE 68 - mutex.pml:79 - [((i>0))] (73:0:2 - 1)
		IfNotBlocked
		reached[0][68] = 1;
		if (!((((int)((P0 *)_this)->i)>0)))
			continue;
		/* merge: queue[i] = queue[(i-1)](73, 69, 73) */
		reached[0][69] = 1;
		(trpt+1)->bup.ovals = grab_ints(2);
		(trpt+1)->bup.ovals[0] = ((int)now.queue[ Index(((int)((P0 *)_this)->i), 3) ]);
		now.queue[ Index(((P0 *)_this)->i, 3) ] = ((int)now.queue[ Index((((int)((P0 *)_this)->i)-1), 3) ]);
#ifdef VAR_RANGES
		logval("queue[process:i]", ((int)now.queue[ Index(((int)((P0 *)_this)->i), 3) ]));
#endif
		;
		/* merge: i = (i-1)(73, 70, 73) */
		reached[0][70] = 1;
		(trpt+1)->bup.ovals[1] = ((int)((P0 *)_this)->i);
		((P0 *)_this)->i = (((int)((P0 *)_this)->i)-1);
#ifdef VAR_RANGES
		logval("process:i", ((int)((P0 *)_this)->i));
#endif
		;
		/* merge: .(goto)(0, 74, 73) */
		reached[0][74] = 1;
		;
		_m = 3; goto P999; /* 3 */
	case 35: // STATE 76 - mutex.pml:82 - [queue[0] = me] (0:98:5 - 3)
		IfNotBlocked
		reached[0][76] = 1;
		(trpt+1)->bup.ovals = grab_ints(5);
		(trpt+1)->bup.ovals[0] = ((int)now.queue[0]);
		now.queue[0] = ((int)((P0 *)_this)->me);
#ifdef VAR_RANGES
		logval("queue[0]", ((int)now.queue[0]));
#endif
		;
		/* merge: .(goto)(98, 80, 98) */
		reached[0][80] = 1;
		;
		/* merge: queued = (queued+1)(98, 81, 98) */
		reached[0][81] = 1;
		(trpt+1)->bup.ovals[1] = ((int)now.queued);
		now.queued = (((int)now.queued)+1);
#ifdef VAR_RANGES
		logval("queued", ((int)now.queued));
#endif
		;
		/* merge: i = 0(98, 82, 98) */
		reached[0][82] = 1;
		(trpt+1)->bup.ovals[2] = ((int)((P0 *)_this)->i);
		((P0 *)_this)->i = 0;
#ifdef VAR_RANGES
		logval("process:i", ((int)((P0 *)_this)->i));
#endif
		;
		/* merge: .(goto)(98, 85, 98) */
		reached[0][85] = 1;
		;
		/* merge: waited = 1(98, 86, 98) */
		reached[0][86] = 1;
		(trpt+1)->bup.ovals[3] = ((int)((P0 *)_this)->waited);
		((P0 *)_this)->waited = 1;
#ifdef VAR_RANGES
		logval("process:waited", ((int)((P0 *)_this)->waited));
#endif
		;
		/* merge: .(goto)(98, 89, 98) */
		reached[0][89] = 1;
		;
		/* merge: word = (( ((word&1)) -> (((word&1)+(32*(word/32)))) : (0) )+((( (woken) -> (2) : (0) )+( (starving) -> (4) : (0) ))+(queued*8)))(98, 90, 98) */
		reached[0][90] = 1;
		(trpt+1)->bup.ovals[4] = now.word;
		now.word = (( ((now.word&1)) ? (((now.word&1)+(32*(now.word/32)))) : (0) )+((( (((int)now.woken)) ? (2) : (0) )+( (((int)now.starving)) ? (4) : (0) ))+(((int)now.queued)*8)));
#ifdef VAR_RANGES
		logval("word", now.word);
#endif
		;
		/* merge: .(goto)(98, 92, 98) */
		reached[0][92] = 1;
		;
		_m = 3; goto P999; /* 8 */
	case 36: // STATE 78 - mutex.pml:83 - [queue[queued] = me] (0:98:5 - 1)
		IfNotBlocked
		reached[0][78] = 1;
		(trpt+1)->bup.ovals = grab_ints(5);
		(trpt+1)->bup.ovals[0] = ((int)now.queue[ Index(((int)now.queued), 3) ]);
		now.queue[ Index(now.queued, 3) ] = ((int)((P0 *)_this)->me);
#ifdef VAR_RANGES
		logval("queue[queued]", ((int)now.queue[ Index(((int)now.queued), 3) ]));
#endif
		;
		/* merge: .(goto)(98, 80, 98) */
		reached[0][80] = 1;
		;
		/* merge: queued = (queued+1)(98, 81, 98) */
		reached[0][81] = 1;
		(trpt+1)->bup.ovals[1] = ((int)now.queued);
		now.queued = (((int)now.queued)+1);
#ifdef VAR_RANGES
		logval("queued", ((int)now.queued));
#endif
		;
		/* merge: i = 0(98, 82, 98) */
		reached[0][82] = 1;
		(trpt+1)->bup.ovals[2] = ((int)((P0 *)_this)->i);
		((P0 *)_this)->i = 0;
#ifdef VAR_RANGES
		logval("process:i", ((int)((P0 *)_this)->i));
#endif
		;
		/* merge: .(goto)(98, 85, 98) */
		reached[0][85] = 1;
		;
		/* merge: waited = 1(98, 86, 98) */
		reached[0][86] = 1;
		(trpt+1)->bup.ovals[3] = ((int)((P0 *)_this)->waited);
		((P0 *)_this)->waited = 1;
#ifdef VAR_RANGES
		logval("process:waited", ((int)((P0 *)_this)->waited));
#endif
		;
		/* merge: .(goto)(98, 89, 98) */
		reached[0][89] = 1;
		;
		/* merge: word = (( ((word&1)) -> (((word&1)+(32*(word/32)))) : (0) )+((( (woken) -> (2) : (0) )+( (starving) -> (4) : (0) ))+(queued*8)))(98, 90, 98) */
		reached[0][90] = 1;
		(trpt+1)->bup.ovals[4] = now.word;
		now.word = (( ((now.word&1)) ? (((now.word&1)+(32*(now.word/32)))) : (0) )+((( (((int)now.woken)) ? (2) : (0) )+( (((int)now.starving)) ? (4) : (0) ))+(((int)now.queued)*8)));
#ifdef VAR_RANGES
		logval("word", now.word);
#endif
		;
		/* merge: .(goto)(98, 92, 98) */
		reached[0][92] = 1;
		;
		_m = 3; goto P999; /* 8 */
	case 37: // STATE 81 - mutex.pml:85 - [queued = (queued+1)] (0:98:4 - 3)
		IfNotBlocked
		reached[0][81] = 1;
		(trpt+1)->bup.ovals = grab_ints(4);
		(trpt+1)->bup.ovals[0] = ((int)now.queued);
		now.queued = (((int)now.queued)+1);
#ifdef VAR_RANGES
		logval("queued", ((int)now.queued));
#endif
		;
		/* merge: i = 0(98, 82, 98) */
		reached[0][82] = 1;
		(trpt+1)->bup.ovals[1] = ((int)((P0 *)_this)->i);
		((P0 *)_this)->i = 0;
#ifdef VAR_RANGES
		logval("process:i", ((int)((P0 *)_this)->i));
#endif
		;
		/* merge: .(goto)(98, 85, 98) */
		reached[0][85] = 1;
		;
		/* merge: waited = 1(98, 86, 98) */
		reached[0][86] = 1;
		(trpt+1)->bup.ovals[2] = ((int)((P0 *)_this)->waited);
		((P0 *)_this)->waited = 1;
#ifdef VAR_RANGES
		logval("process:waited", ((int)((P0 *)_this)->waited));
#endif
		;
		/* merge: .(goto)(98, 89, 98) */
		reached[0][89] = 1;
		;
		/* merge: word = (( ((word&1)) -> (((word&1)+(32*(word/32)))) : (0) )+((( (woken) -> (2) : (0) )+( (starving) -> (4) : (0) ))+(queued*8)))(98, 90, 98) */
		reached[0][90] = 1;
		(trpt+1)->bup.ovals[3] = now.word;
		now.word = (( ((now.word&1)) ? (((now.word&1)+(32*(now.word/32)))) : (0) )+((( (((int)now.woken)) ? (2) : (0) )+( (((int)now.starving)) ? (4) : (0) ))+(((int)now.queued)*8)));
#ifdef VAR_RANGES
		logval("word", now.word);
#endif
		;
		/* merge: .(goto)(98, 92, 98) */
		reached[0][92] = 1;
		;
		_m = 3; goto P999; /* 6 */
	case 38: // STATE 86 - mutex.pml:146 - [waited = 1] (0:98:2 - 3)
		IfNotBlocked
		reached[0][86] = 1;
		(trpt+1)->bup.ovals = grab_ints(2);
		(trpt+1)->bup.ovals[0] = ((int)((P0 *)_this)->waited);
		((P0 *)_this)->waited = 1;
#ifdef VAR_RANGES
		logval("process:waited", ((int)((P0 *)_this)->waited));
#endif
		;
		/* merge: .(goto)(98, 89, 98) */
		reached[0][89] = 1;
		;
		/* merge: word = (( ((word&1)) -> (((word&1)+(32*(word/32)))) : (0) )+((( (woken) -> (2) : (0) )+( (starving) -> (4) : (0) ))+(queued*8)))(98, 90, 98) */
		reached[0][90] = 1;
		(trpt+1)->bup.ovals[1] = now.word;
		now.word = (( ((now.word&1)) ? (((now.word&1)+(32*(now.word/32)))) : (0) )+((( (((int)now.woken)) ? (2) : (0) )+( (((int)now.starving)) ? (4) : (0) ))+(((int)now.queued)*8)));
#ifdef VAR_RANGES
		logval("word", now.word);
#endif
		;
		/* merge: .(goto)(98, 92, 98) */
		reached[0][92] = 1;
		;
		_m = 3; goto P999; /* 3 */
	case 39: // STATE 90 - mutex.pml:149 - [word = (( ((word&1)) -> (((word&1)+(32*(word/32)))) : (0) )+((( (woken) -> (2) : (0) )+( (starving) -> (4) : (0) ))+(queued*8)))] (0:98:1 - 3)
		IfNotBlocked
		reached[0][90] = 1;
		(trpt+1)->bup.oval = now.word;
		now.word = (( ((now.word&1)) ? (((now.word&1)+(32*(now.word/32)))) : (0) )+((( (((int)now.woken)) ? (2) : (0) )+( (((int)now.starving)) ? (4) : (0) ))+(((int)now.queued)*8)));
#ifdef VAR_RANGES
		logval("word", now.word);
#endif
		;
		/* merge: .(goto)(98, 92, 98) */
		reached[0][92] = 1;
		;
		_m = 3; goto P999; /* 1 */
	case 40: // STATE 95 - mutex.pml:246 - [(got)] (256:0:2 - 1)
		IfNotBlocked
		reached[0][95] = 1;
		if (!(((int)((P0 *)_this)->got)))
			continue;
		if (TstOnly) return 1; /* TT */
		/* dead 1: got */  (trpt+1)->bup.ovals = grab_ints(2);
		(trpt+1)->bup.ovals[0] = ((P0 *)_this)->got;
#ifdef HAS_CODE
		if (!readtrail)
#endif
			((P0 *)_this)->got = 0;
		/* merge: goto :b1(256, 96, 256) */
		reached[0][96] = 1;
		;
		/* merge: away = 0(256, 193, 256) */
		reached[0][193] = 1;
		(trpt+1)->bup.ovals[1] = ((int)((P0 *)_this)->away);
		((P0 *)_this)->away = 0;
#ifdef VAR_RANGES
		logval("process:away", ((int)((P0 *)_this)->away));
#endif
		;
		_m = 3; goto P999; /* 2 */
	case 41: // STATE 100 - mutex.pml:250 - [(expired)] (0:0:1 - 1)
		IfNotBlocked
		reached[0][100] = 1;
		if (!(((int)((P0 *)_this)->expired)))
			continue;
		if (TstOnly) return 1; /* TT */
		/* dead 1: expired */  (trpt+1)->bup.oval = ((P0 *)_this)->expired;
#ifdef HAS_CODE
		if (!readtrail)
#endif
			((P0 *)_this)->expired = 0;
		_m = 3; goto P999; /* 0 */
	case 42: // STATE 102 - mutex.pml:251 - [(killed)] (0:0:1 - 1)
		IfNotBlocked
		reached[0][102] = 1;
		if (!(((int)((P0 *)_this)->killed)))
			continue;
		if (TstOnly) return 1; /* TT */
		/* dead 1: killed */  (trpt+1)->bup.oval = ((P0 *)_this)->killed;
#ifdef HAS_CODE
		if (!readtrail)
#endif
			((P0 *)_this)->killed = 0;
		_m = 3; goto P999; /* 0 */
	case 43: // STATE 104 - mutex.pml:252 - [(away)] (0:0:1 - 1)
		IfNotBlocked
		reached[0][104] = 1;
		if (!(((int)((P0 *)_this)->away)))
			continue;
		if (TstOnly) return 1; /* TT */
		/* dead 1: away */  (trpt+1)->bup.oval = ((P0 *)_this)->away;
#ifdef HAS_CODE
		if (!readtrail)
#endif
			((P0 *)_this)->away = 0;
		_m = 3; goto P999; /* 0 */
	case 44: // STATE 109 - mutex.pml:257 - [((told[me]!=0))] (0:0:0 - 1)
		IfNotBlocked
		reached[0][109] = 1;
		if (!((((int)now.told[ Index(((int)((P0 *)_this)->me), 3) ])!=0)))
			continue;
		_m = 3; goto P999; /* 0 */
	case 45: // STATE 110 - mutex.pml:258 - [((timeouts<1))] (159:0:2 - 1)
		IfNotBlocked
		reached[0][110] = 1;
		if (!((((int)now.timeouts)<1)))
			continue;
		/* merge: timeouts = (timeouts+1)(159, 111, 159) */
		reached[0][111] = 1;
		(trpt+1)->bup.ovals = grab_ints(2);
		(trpt+1)->bup.ovals[0] = ((int)now.timeouts);
		now.timeouts = (((int)now.timeouts)+1);
#ifdef VAR_RANGES
		logval("timeouts", ((int)now.timeouts));
#endif
		;
		/* merge: expired = 1(159, 112, 159) */
		reached[0][112] = 1;
		(trpt+1)->bup.ovals[1] = ((int)((P0 *)_this)->expired);
		((P0 *)_this)->expired = 1;
#ifdef VAR_RANGES
		logval("process:expired", ((int)((P0 *)_this)->expired));
#endif
		;
		/* merge: .(goto)(0, 123, 159) */
		reached[0][123] = 1;
		;
		_m = 3; goto P999; /* 3 */
	case 46: // STATE 114 - mutex.pml:259 - [((signals<1))] (159:0:2 - 1)
		IfNotBlocked
		reached[0][114] = 1;
		if (!((((int)now.signals)<1)))
			continue;
		/* merge: signals = (signals+1)(159, 115, 159) */
		reached[0][115] = 1;
		(trpt+1)->bup.ovals = grab_ints(2);
		(trpt+1)->bup.ovals[0] = ((int)now.signals);
		now.signals = (((int)now.signals)+1);
#ifdef VAR_RANGES
		logval("signals", ((int)now.signals));
#endif
		;
		/* merge: away = 1(159, 116, 159) */
		reached[0][116] = 1;
		(trpt+1)->bup.ovals[1] = ((int)((P0 *)_this)->away);
		((P0 *)_this)->away = 1;
#ifdef VAR_RANGES
		logval("process:away", ((int)((P0 *)_this)->away));
#endif
		;
		/* merge: .(goto)(0, 123, 159) */
		reached[0][123] = 1;
		;
		_m = 3; goto P999; /* 3 */
	case 47: // STATE 118 - mutex.pml:260 - [((deaths<1))] (159:0:2 - 1)
		IfNotBlocked
		reached[0][118] = 1;
		if (!((((int)now.deaths)<1)))
			continue;
		/* merge: deaths = (deaths+1)(159, 119, 159) */
		reached[0][119] = 1;
		(trpt+1)->bup.ovals = grab_ints(2);
		(trpt+1)->bup.ovals[0] = ((int)now.deaths);
		now.deaths = (((int)now.deaths)+1);
#ifdef VAR_RANGES
		logval("deaths", ((int)now.deaths));
#endif
		;
		/* merge: killed = 1(159, 120, 159) */
		reached[0][120] = 1;
		(trpt+1)->bup.ovals[1] = ((int)((P0 *)_this)->killed);
		((P0 *)_this)->killed = 1;
#ifdef VAR_RANGES
		logval("process:killed", ((int)((P0 *)_this)->killed));
#endif
		;
		/* merge: .(goto)(0, 123, 159) */
		reached[0][123] = 1;
		;
		_m = 3; goto P999; /* 3 */
	case 48: // STATE 124 - mutex.pml:263 - [found = 0] (0:0:1 - 1)
		IfNotBlocked
		reached[0][124] = 1;
		(trpt+1)->bup.oval = ((int)((P0 *)_this)->found);
		((P0 *)_this)->found = 0;
#ifdef VAR_RANGES
		logval("process:found", ((int)((P0 *)_this)->found));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 49: // STATE 125 - mutex.pml:265 - [(((expired||killed)||away))] (0:0:0 - 1)
		IfNotBlocked
		reached[0][125] = 1;
		if (!(((((int)((P0 *)_this)->expired)||((int)((P0 *)_this)->killed))||((int)((P0 *)_this)->away))))
			continue;
		_m = 3; goto P999; /* 0 */
	case 50: // STATE 126 - mutex.pml:91 - [found = 0] (0:139:2 - 1)
		IfNotBlocked
		reached[0][126] = 1;
		(trpt+1)->bup.ovals = grab_ints(2);
		(trpt+1)->bup.ovals[0] = ((int)((P0 *)_this)->found);
		((P0 *)_this)->found = 0;
#ifdef VAR_RANGES
		logval("process:found", ((int)((P0 *)_this)->found));
#endif
		;
		/* merge: i = 0(139, 127, 139) */
		reached[0][127] = 1;
		(trpt+1)->bup.ovals[1] = ((int)((P0 *)_this)->i);
		((P0 *)_this)->i = 0;
#ifdef VAR_RANGES
		logval("process:i", ((int)((P0 *)_this)->i));
#endif
		;
		/* merge: .(goto)(0, 140, 139) */
		reached[0][140] = 1;
		;
		_m = 3; goto P999; /* 2 */
	case 51: // STATE 128 - mutex.pml:94 - [((i<queued))] (0:0:0 - 1)
		IfNotBlocked
		reached[0][128] = 1;
		if (!((((int)((P0 *)_this)->i)<((int)now.queued))))
			continue;
		_m = 3; goto P999; /* 0 */
	case 52: // STATE 129 - mutex.pml:96 - [(found)] (139:0:2 - 1)
		IfNotBlocked
		reached[0][129] = 1;
		if (!(((int)((P0 *)_this)->found)))
			continue;
		/* merge: queue[(i-1)] = queue[i](139, 130, 139) */
		reached[0][130] = 1;
		(trpt+1)->bup.ovals = grab_ints(2);
		(trpt+1)->bup.ovals[0] = ((int)now.queue[ Index((((int)((P0 *)_this)->i)-1), 3) ]);
		now.queue[ Index((((P0 *)_this)->i-1), 3) ] = ((int)now.queue[ Index(((int)((P0 *)_this)->i), 3) ]);
#ifdef VAR_RANGES
		logval("queue[(process:i-1)]", ((int)now.queue[ Index((((int)((P0 *)_this)->i)-1), 3) ]));
#endif
		;
		/* merge: .(goto)(139, 135, 139) */
		reached[0][135] = 1;
		;
		/* merge: i = (i+1)(139, 136, 139) */
		reached[0][136] = 1;
		(trpt+1)->bup.ovals[1] = ((int)((P0 *)_this)->i);
		((P0 *)_this)->i = (((int)((P0 *)_this)->i)+1);
#ifdef VAR_RANGES
		logval("process:i", ((int)((P0 *)_this)->i));
#endif
		;
		/* merge: .(goto)(0, 140, 139) */
		reached[0][140] = 1;
		;
		_m = 3; goto P999; /* 4 */
	case 53: // STATE 131 - mutex.pml:97 - [((!(found)&&(queue[i]==me)))] (139:0:3 - 1)
		IfNotBlocked
		reached[0][131] = 1;
		if (!(( !(((int)((P0 *)_this)->found))&&(((int)now.queue[ Index(((int)((P0 *)_this)->i), 3) ])==((int)((P0 *)_this)->me)))))
			continue;
		if (TstOnly) return 1; /* TT */
		/* dead 1: found */  (trpt+1)->bup.ovals = grab_ints(3);
		(trpt+1)->bup.ovals[0] = ((P0 *)_this)->found;
#ifdef HAS_CODE
		if (!readtrail)
#endif
			((P0 *)_this)->found = 0;
		/* merge: found = 1(139, 132, 139) */
		reached[0][132] = 1;
		(trpt+1)->bup.ovals[1] = ((int)((P0 *)_this)->found);
		((P0 *)_this)->found = 1;
#ifdef VAR_RANGES
		logval("process:found", ((int)((P0 *)_this)->found));
#endif
		;
		/* merge: .(goto)(139, 135, 139) */
		reached[0][135] = 1;
		;
		/* merge: i = (i+1)(139, 136, 139) */
		reached[0][136] = 1;
		(trpt+1)->bup.ovals[2] = ((int)((P0 *)_this)->i);
		((P0 *)_this)->i = (((int)((P0 *)_this)->i)+1);
#ifdef VAR_RANGES
		logval("process:i", ((int)((P0 *)_this)->i));
#endif
		;
		/* merge: .(goto)(0, 140, 139) */
		reached[0][140] = 1;
		;
		_m = 3; goto P999; /* 4 */
	case 54: // STATE 136 - mutex.pml:100 - [i = (i+1)] (0:139:1 - 4)
		IfNotBlocked
		reached[0][136] = 1;
		(trpt+1)->bup.oval = ((int)((P0 *)_this)->i);
		((P0 *)_this)->i = (((int)((P0 *)_this)->i)+1);
#ifdef VAR_RANGES
		logval("process:i", ((int)((P0 *)_this)->i));
#endif
		;
		/* merge: .(goto)(0, 140, 139) */
		reached[0][140] = 1;
		;
		_m = 3; goto P999; /* 1 */
	case 55: // STATE 142 - mutex.pml:104 - [(found)] (154:0:3 - 1)
		IfNotBlocked
		reached[0][142] = 1;
		if (!(((int)((P0 *)_this)->found)))
			continue;
		/* merge: queued = (queued-1)(154, 143, 154) */
		reached[0][143] = 1;
		(trpt+1)->bup.ovals = grab_ints(3);
		(trpt+1)->bup.ovals[0] = ((int)now.queued);
		now.queued = (((int)now.queued)-1);
#ifdef VAR_RANGES
		logval("queued", ((int)now.queued));
#endif
		;
		/* merge: queue[queued] = 0(154, 144, 154) */
		reached[0][144] = 1;
		(trpt+1)->bup.ovals[1] = ((int)now.queue[ Index(((int)now.queued), 3) ]);
		now.queue[ Index(now.queued, 3) ] = 0;
#ifdef VAR_RANGES
		logval("queue[queued]", ((int)now.queue[ Index(((int)now.queued), 3) ]));
#endif
		;
		/* merge: .(goto)(154, 147, 154) */
		reached[0][147] = 1;
		;
		/* merge: i = 0(154, 148, 154) */
		reached[0][148] = 1;
		(trpt+1)->bup.ovals[2] = ((int)((P0 *)_this)->i);
		((P0 *)_this)->i = 0;
#ifdef VAR_RANGES
		logval("process:i", ((int)((P0 *)_this)->i));
#endif
		;
		_m = 3; goto P999; /* 4 */
	case 56: // STATE 148 - mutex.pml:107 - [i = 0] (0:154:1 - 3)
		IfNotBlocked
		reached[0][148] = 1;
		(trpt+1)->bup.oval = ((int)((P0 *)_this)->i);
		((P0 *)_this)->i = 0;
#ifdef VAR_RANGES
		logval("process:i", ((int)((P0 *)_this)->i));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 57: // STATE 150 - mutex.pml:268 - [(found)] (167:0:2 - 1)
		IfNotBlocked
		reached[0][150] = 1;
		if (!(((int)((P0 *)_this)->found)))
			continue;
		/* merge: starving = (starving&&queued)(167, 151, 167) */
		reached[0][151] = 1;
		(trpt+1)->bup.ovals = grab_ints(2);
		(trpt+1)->bup.ovals[0] = ((int)now.starving);
		now.starving = (((int)now.starving)&&((int)now.queued));
#ifdef VAR_RANGES
		logval("starving", ((int)now.starving));
#endif
		;
		/* merge: word = (( ((word&1)) -> (((word&1)+(32*(word/32)))) : (0) )+((( (woken) -> (2) : (0) )+( (starving) -> (4) : (0) ))+(queued*8)))(167, 152, 167) */
		reached[0][152] = 1;
		(trpt+1)->bup.ovals[1] = now.word;
		now.word = (( ((now.word&1)) ? (((now.word&1)+(32*(now.word/32)))) : (0) )+((( (((int)now.woken)) ? (2) : (0) )+( (((int)now.starving)) ? (4) : (0) ))+(((int)now.queued)*8)));
#ifdef VAR_RANGES
		logval("word", now.word);
#endif
		;
		/* merge: .(goto)(167, 155, 167) */
		reached[0][155] = 1;
		;
		/* merge: .(goto)(167, 158, 167) */
		reached[0][158] = 1;
		;
		_m = 3; goto P999; /* 4 */
	case 58: // STATE 155 - mutex.pml:273 - [.(goto)] (0:167:0 - 2)
		IfNotBlocked
		reached[0][155] = 1;
		;
		/* merge: .(goto)(167, 158, 167) */
		reached[0][158] = 1;
		;
		_m = 3; goto P999; /* 1 */
	case 59: // STATE 158 - mutex.pml:281 - [.(goto)] (0:167:0 - 2)
		IfNotBlocked
		reached[0][158] = 1;
		;
		_m = 3; goto P999; /* 0 */
	case 60: // STATE 160 - mutex.pml:283 - [((found&&expired))] (0:0:2 - 1)
		IfNotBlocked
		reached[0][160] = 1;
		if (!((((int)((P0 *)_this)->found)&&((int)((P0 *)_this)->expired))))
			continue;
		if (TstOnly) return 1; /* TT */
		/* dead 1: found */  (trpt+1)->bup.ovals = grab_ints(2);
		(trpt+1)->bup.ovals[0] = ((P0 *)_this)->found;
#ifdef HAS_CODE
		if (!readtrail)
#endif
			((P0 *)_this)->found = 0;
		if (TstOnly) return 1; /* TT */
		/* dead 1: expired */  (trpt+1)->bup.ovals[1] = ((P0 *)_this)->expired;
#ifdef HAS_CODE
		if (!readtrail)
#endif
			((P0 *)_this)->expired = 0;
		_m = 3; goto P999; /* 0 */
	case 61: // STATE 162 - mutex.pml:284 - [((found&&killed))] (0:0:2 - 1)
		IfNotBlocked
		reached[0][162] = 1;
		if (!((((int)((P0 *)_this)->found)&&((int)((P0 *)_this)->killed))))
			continue;
		if (TstOnly) return 1; /* TT */
		/* dead 1: found */  (trpt+1)->bup.ovals = grab_ints(2);
		(trpt+1)->bup.ovals[0] = ((P0 *)_this)->found;
#ifdef HAS_CODE
		if (!readtrail)
#endif
			((P0 *)_this)->found = 0;
		if (TstOnly) return 1; /* TT */
		/* dead 1: killed */  (trpt+1)->bup.ovals[1] = ((P0 *)_this)->killed;
#ifdef HAS_CODE
		if (!readtrail)
#endif
			((P0 *)_this)->killed = 0;
		_m = 3; goto P999; /* 0 */
	case 62: // STATE 164 - mutex.pml:285 - [((found&&away))] (0:0:2 - 1)
		IfNotBlocked
		reached[0][164] = 1;
		if (!((((int)((P0 *)_this)->found)&&((int)((P0 *)_this)->away))))
			continue;
		if (TstOnly) return 1; /* TT */
		/* dead 1: found */  (trpt+1)->bup.ovals = grab_ints(2);
		(trpt+1)->bup.ovals[0] = ((P0 *)_this)->found;
#ifdef HAS_CODE
		if (!readtrail)
#endif
			((P0 *)_this)->found = 0;
		if (TstOnly) return 1; /* TT */
		/* dead 1: away */  (trpt+1)->bup.ovals[1] = ((P0 *)_this)->away;
#ifdef HAS_CODE
		if (!readtrail)
#endif
			((P0 *)_this)->away = 0;
		_m = 3; goto P999; /* 0 */
	case 63: // STATE 169 - mutex.pml:290 - [((told[me]!=0))] (177:0:2 - 1)
		IfNotBlocked
		reached[0][169] = 1;
		if (!((((int)now.told[ Index(((int)((P0 *)_this)->me), 3) ])!=0)))
			continue;
		/* merge: how = told[me](177, 170, 177) */
		reached[0][170] = 1;
		(trpt+1)->bup.ovals = grab_ints(2);
		(trpt+1)->bup.ovals[0] = ((int)((P0 *)_this)->how);
		((P0 *)_this)->how = ((int)now.told[ Index(((int)((P0 *)_this)->me), 3) ]);
#ifdef VAR_RANGES
		logval("process:how", ((int)((P0 *)_this)->how));
#endif
		;
		/* merge: told[me] = 0(177, 171, 177) */
		reached[0][171] = 1;
		(trpt+1)->bup.ovals[1] = ((int)now.told[ Index(((int)((P0 *)_this)->me), 3) ]);
		now.told[ Index(((P0 *)_this)->me, 3) ] = 0;
#ifdef VAR_RANGES
		logval("told[process:me]", ((int)now.told[ Index(((int)((P0 *)_this)->me), 3) ]));
#endif
		;
		_m = 3; goto P999; /* 2 */
	case 64: // STATE 173 - mutex.pml:295 - [((how==2))] (256:0:2 - 1)
		IfNotBlocked
		reached[0][173] = 1;
		if (!((((int)((P0 *)_this)->how)==2)))
			continue;
		if (TstOnly) return 1; /* TT */
		/* dead 1: how */  (trpt+1)->bup.ovals = grab_ints(2);
		(trpt+1)->bup.ovals[0] = ((P0 *)_this)->how;
#ifdef HAS_CODE
		if (!readtrail)
#endif
			((P0 *)_this)->how = 0;
		/* merge: goto :b1(256, 174, 256) */
		reached[0][174] = 1;
		;
		/* merge: away = 0(256, 193, 256) */
		reached[0][193] = 1;
		(trpt+1)->bup.ovals[1] = ((int)((P0 *)_this)->away);
		((P0 *)_this)->away = 0;
#ifdef VAR_RANGES
		logval("process:away", ((int)((P0 *)_this)->away));
#endif
		;
		_m = 3; goto P999; /* 2 */
	case 65: // STATE 176 - mutex.pml:296 - [awake = 1] (0:0:1 - 1)
		IfNotBlocked
		reached[0][176] = 1;
		(trpt+1)->bup.oval = ((int)((P0 *)_this)->awake);
		((P0 *)_this)->awake = 1;
#ifdef VAR_RANGES
		logval("process:awake", ((int)((P0 *)_this)->awake));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 66: // STATE 180 - mutex.pml:306 - [(1)] (189:0:2 - 1)
		IfNotBlocked
		reached[0][180] = 1;
		if (!(1))
			continue;
		/* merge: .(goto)(189, 186, 189) */
		reached[0][186] = 1;
		;
		/* merge: away = 0(189, 187, 189) */
		reached[0][187] = 1;
		(trpt+1)->bup.ovals = grab_ints(2);
		(trpt+1)->bup.ovals[0] = ((int)((P0 *)_this)->away);
		((P0 *)_this)->away = 0;
#ifdef VAR_RANGES
		logval("process:away", ((int)((P0 *)_this)->away));
#endif
		;
		/* merge: awake = 0(189, 188, 189) */
		reached[0][188] = 1;
		(trpt+1)->bup.ovals[1] = ((int)((P0 *)_this)->awake);
		((P0 *)_this)->awake = 0;
#ifdef VAR_RANGES
		logval("process:awake", ((int)((P0 *)_this)->awake));
#endif
		;
		_m = 3; goto P999; /* 3 */
	case 67: // STATE 181 - mutex.pml:306 - [((deaths<1))] (413:0:1 - 1)
		IfNotBlocked
		reached[0][181] = 1;
		if (!((((int)now.deaths)<1)))
			continue;
		/* merge: deaths = (deaths+1)(413, 182, 413) */
		reached[0][182] = 1;
		(trpt+1)->bup.oval = ((int)now.deaths);
		now.deaths = (((int)now.deaths)+1);
#ifdef VAR_RANGES
		logval("deaths", ((int)now.deaths));
#endif
		;
		/* merge: goto dead(413, 183, 413) */
		reached[0][183] = 1;
		;
		_m = 3; goto P999; /* 2 */
	case 68: // STATE 187 - mutex.pml:307 - [away = 0] (0:189:2 - 2)
		IfNotBlocked
		reached[0][187] = 1;
		(trpt+1)->bup.ovals = grab_ints(2);
		(trpt+1)->bup.ovals[0] = ((int)((P0 *)_this)->away);
		((P0 *)_this)->away = 0;
#ifdef VAR_RANGES
		logval("process:away", ((int)((P0 *)_this)->away));
#endif
		;
		/* merge: awake = 0(189, 188, 189) */
		reached[0][188] = 1;
		(trpt+1)->bup.ovals[1] = ((int)((P0 *)_this)->awake);
		((P0 *)_this)->awake = 0;
#ifdef VAR_RANGES
		logval("process:awake", ((int)((P0 *)_this)->awake));
#endif
		;
		_m = 3; goto P999; /* 1 */
	case 69: // STATE 193 - mutex.pml:312 - [away = 0] (0:256:1 - 5)
		IfNotBlocked
		reached[0][193] = 1;
		(trpt+1)->bup.oval = ((int)((P0 *)_this)->away);
		((P0 *)_this)->away = 0;
#ifdef VAR_RANGES
		logval("process:away", ((int)((P0 *)_this)->away));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 70: // STATE 194 - mutex.pml:314 - [(killed)] (0:0:1 - 1)
		IfNotBlocked
		reached[0][194] = 1;
		if (!(((int)((P0 *)_this)->killed)))
			continue;
		if (TstOnly) return 1; /* TT */
		/* dead 1: killed */  (trpt+1)->bup.oval = ((P0 *)_this)->killed;
#ifdef HAS_CODE
		if (!readtrail)
#endif
			((P0 *)_this)->killed = 0;
		_m = 3; goto P999; /* 0 */
	case 71: // STATE 195 - mutex.pml:156 - [next = 255] (0:242:2 - 1)
		IfNotBlocked
		reached[0][195] = 1;
		(trpt+1)->bup.ovals = grab_ints(2);
		(trpt+1)->bup.ovals[0] = ((int)((P0 *)_this)->next);
		((P0 *)_this)->next = 255;
#ifdef VAR_RANGES
		logval("process:next", ((int)((P0 *)_this)->next));
#endif
		;
		/* merge: how = 1(242, 196, 242) */
		reached[0][196] = 1;
		(trpt+1)->bup.ovals[1] = ((int)((P0 *)_this)->how);
		((P0 *)_this)->how = 1;
#ifdef VAR_RANGES
		logval("process:how", ((int)((P0 *)_this)->how));
#endif
		;
		_m = 3; goto P999; /* 1 */
	case 72: // STATE 197 - mutex.pml:159 - [(((word&1)&&(((word/32)-1)==me)))] (0:0:0 - 1)
		IfNotBlocked
		reached[0][197] = 1;
		if (!(((now.word&1)&&(((now.word/32)-1)==((int)((P0 *)_this)->me)))))
			continue;
		_m = 3; goto P999; /* 0 */
	case 73: // STATE 198 - mutex.pml:161 - [(((starving||!(woken))&&queued))] (223:0:1 - 1)
		IfNotBlocked
		reached[0][198] = 1;
		if (!(((((int)now.starving)|| !(((int)now.woken)))&&((int)now.queued))))
			continue;
		/* merge: next = queue[0](0, 199, 223) */
		reached[0][199] = 1;
		(trpt+1)->bup.oval = ((int)((P0 *)_this)->next);
		((P0 *)_this)->next = ((int)now.queue[0]);
#ifdef VAR_RANGES
		logval("process:next", ((int)((P0 *)_this)->next));
#endif
		;
		_m = 3; goto P999; /* 1 */
	case 74: // STATE 200 - mutex.pml:91 - [found = 0] (0:213:2 - 1)
		IfNotBlocked
		reached[0][200] = 1;
		(trpt+1)->bup.ovals = grab_ints(2);
		(trpt+1)->bup.ovals[0] = ((int)((P0 *)_this)->found);
		((P0 *)_this)->found = 0;
#ifdef VAR_RANGES
		logval("process:found", ((int)((P0 *)_this)->found));
#endif
		;
		/* merge: i = 0(213, 201, 213) */
		reached[0][201] = 1;
		(trpt+1)->bup.ovals[1] = ((int)((P0 *)_this)->i);
		((P0 *)_this)->i = 0;
#ifdef VAR_RANGES
		logval("process:i", ((int)((P0 *)_this)->i));
#endif
		;
		/* merge: .(goto)(0, 214, 213) */
		reached[0][214] = 1;
		;
		_m = 3; goto P999; /* 2 */
	case 75: // STATE 202 - mutex.pml:94 - [((i<queued))] (0:0:0 - 1)
		IfNotBlocked
		reached[0][202] = 1;
		if (!((((int)((P0 *)_this)->i)<((int)now.queued))))
			continue;
		_m = 3; goto P999; /* 0 */
	case 76: // STATE 203 - mutex.pml:96 - [(found)] (213:0:2 - 1)
		IfNotBlocked
		reached[0][203] = 1;
		if (!(((int)((P0 *)_this)->found)))
			continue;
		/* merge: queue[(i-1)] = queue[i](213, 204, 213) */
		reached[0][204] = 1;
		(trpt+1)->bup.ovals = grab_ints(2);
		(trpt+1)->bup.ovals[0] = ((int)now.queue[ Index((((int)((P0 *)_this)->i)-1), 3) ]);
		now.queue[ Index((((P0 *)_this)->i-1), 3) ] = ((int)now.queue[ Index(((int)((P0 *)_this)->i), 3) ]);
#ifdef VAR_RANGES
		logval("queue[(process:i-1)]", ((int)now.queue[ Index((((int)((P0 *)_this)->i)-1), 3) ]));
#endif
		;
		/* merge: .(goto)(213, 209, 213) */
		reached[0][209] = 1;
		;
		/* merge: i = (i+1)(213, 210, 213) */
		reached[0][210] = 1;
		(trpt+1)->bup.ovals[1] = ((int)((P0 *)_this)->i);
		((P0 *)_this)->i = (((int)((P0 *)_this)->i)+1);
#ifdef VAR_RANGES
		logval("process:i", ((int)((P0 *)_this)->i));
#endif
		;
		/* merge: .(goto)(0, 214, 213) */
		reached[0][214] = 1;
		;
		_m = 3; goto P999; /* 4 */
	case 77: // STATE 205 - mutex.pml:97 - [((!(found)&&(queue[i]==next)))] (213:0:3 - 1)
		IfNotBlocked
		reached[0][205] = 1;
		if (!(( !(((int)((P0 *)_this)->found))&&(((int)now.queue[ Index(((int)((P0 *)_this)->i), 3) ])==((int)((P0 *)_this)->next)))))
			continue;
		if (TstOnly) return 1; /* TT */
		/* dead 1: found */  (trpt+1)->bup.ovals = grab_ints(3);
		(trpt+1)->bup.ovals[0] = ((P0 *)_this)->found;
#ifdef HAS_CODE
		if (!readtrail)
#endif
			((P0 *)_this)->found = 0;
		/* merge: found = 1(213, 206, 213) */
		reached[0][206] = 1;
		(trpt+1)->bup.ovals[1] = ((int)((P0 *)_this)->found);
		((P0 *)_this)->found = 1;
#ifdef VAR_RANGES
		logval("process:found", ((int)((P0 *)_this)->found));
#endif
		;
		/* merge: .(goto)(213, 209, 213) */
		reached[0][209] = 1;
		;
		/* merge: i = (i+1)(213, 210, 213) */
		reached[0][210] = 1;
		(trpt+1)->bup.ovals[2] = ((int)((P0 *)_this)->i);
		((P0 *)_this)->i = (((int)((P0 *)_this)->i)+1);
#ifdef VAR_RANGES
		logval("process:i", ((int)((P0 *)_this)->i));
#endif
		;
		/* merge: .(goto)(0, 214, 213) */
		reached[0][214] = 1;
		;
		_m = 3; goto P999; /* 4 */
	case 78: // STATE 210 - mutex.pml:100 - [i = (i+1)] (0:213:1 - 4)
		IfNotBlocked
		reached[0][210] = 1;
		(trpt+1)->bup.oval = ((int)((P0 *)_this)->i);
		((P0 *)_this)->i = (((int)((P0 *)_this)->i)+1);
#ifdef VAR_RANGES
		logval("process:i", ((int)((P0 *)_this)->i));
#endif
		;
		/* merge: .(goto)(0, 214, 213) */
		reached[0][214] = 1;
		;
		_m = 3; goto P999; /* 1 */
	case 79: // STATE 216 - mutex.pml:104 - [(found)] (239:0:4 - 1)
		IfNotBlocked
		reached[0][216] = 1;
		if (!(((int)((P0 *)_this)->found)))
			continue;
		if (TstOnly) return 1; /* TT */
		/* dead 1: found */  (trpt+1)->bup.ovals = grab_ints(4);
		(trpt+1)->bup.ovals[0] = ((P0 *)_this)->found;
#ifdef HAS_CODE
		if (!readtrail)
#endif
			((P0 *)_this)->found = 0;
		/* merge: queued = (queued-1)(239, 217, 239) */
		reached[0][217] = 1;
		(trpt+1)->bup.ovals[1] = ((int)now.queued);
		now.queued = (((int)now.queued)-1);
#ifdef VAR_RANGES
		logval("queued", ((int)now.queued));
#endif
		;
		/* merge: queue[queued] = 0(239, 218, 239) */
		reached[0][218] = 1;
		(trpt+1)->bup.ovals[2] = ((int)now.queue[ Index(((int)now.queued), 3) ]);
		now.queue[ Index(now.queued, 3) ] = 0;
#ifdef VAR_RANGES
		logval("queue[queued]", ((int)now.queue[ Index(((int)now.queued), 3) ]));
#endif
		;
		/* merge: .(goto)(239, 221, 239) */
		reached[0][221] = 1;
		;
		/* merge: i = 0(239, 222, 239) */
		reached[0][222] = 1;
		(trpt+1)->bup.ovals[3] = ((int)((P0 *)_this)->i);
		((P0 *)_this)->i = 0;
#ifdef VAR_RANGES
		logval("process:i", ((int)((P0 *)_this)->i));
#endif
		;
		/* merge: .(goto)(0, 226, 239) */
		reached[0][226] = 1;
		;
		_m = 3; goto P999; /* 5 */
	case 80: // STATE 222 - mutex.pml:107 - [i = 0] (0:239:1 - 3)
		IfNotBlocked
		reached[0][222] = 1;
		(trpt+1)->bup.oval = ((int)((P0 *)_this)->i);
		((P0 *)_this)->i = 0;
#ifdef VAR_RANGES
		logval("process:i", ((int)((P0 *)_this)->i));
#endif
		;
		/* merge: .(goto)(0, 226, 239) */
		reached[0][226] = 1;
		;
		_m = 3; goto P999; /* 1 */
	case 81: // STATE 227 - mutex.pml:167 - [(((next!=255)&&starving))] (232:0:1 - 1)
		IfNotBlocked
		reached[0][227] = 1;
		if (!(((((int)((P0 *)_this)->next)!=255)&&((int)now.starving))))
			continue;
		/* merge: how = 2(0, 228, 232) */
		reached[0][228] = 1;
		(trpt+1)->bup.oval = ((int)((P0 *)_this)->how);
		((P0 *)_this)->how = 2;
#ifdef VAR_RANGES
		logval("process:how", ((int)((P0 *)_this)->how));
#endif
		;
		_m = 3; goto P999; /* 1 */
	case 82: // STATE 229 - mutex.pml:171 - [(queued)] (0:0:0 - 1)
		IfNotBlocked
		reached[0][229] = 1;
		if (!(((int)now.queued)))
			continue;
		_m = 3; goto P999; /* 0 */
	case 83: // STATE 230 - mutex.pml:171 - [(1)] (253:0:1 - 1)
		IfNotBlocked
		reached[0][230] = 1;
		if (!(1))
			continue;
		/* merge: .(goto)(253, 233, 253) */
		reached[0][233] = 1;
		;
		/* merge: word = ((1+(32*(next+1)))+((( (woken) -> (2) : (0) )+( (starving) -> (4) : (0) ))+(queued*8)))(253, 234, 253) */
		reached[0][234] = 1;
		(trpt+1)->bup.oval = now.word;
		now.word = ((1+(32*(((int)((P0 *)_this)->next)+1)))+((( (((int)now.woken)) ? (2) : (0) )+( (((int)now.starving)) ? (4) : (0) ))+(((int)now.queued)*8)));
#ifdef VAR_RANGES
		logval("word", now.word);
#endif
		;
		/* merge: .(goto)(253, 240, 253) */
		reached[0][240] = 1;
		;
		/* merge: .(goto)(253, 243, 253) */
		reached[0][243] = 1;
		;
		_m = 3; goto P999; /* 4 */
	case 84: // STATE 231 - mutex.pml:172 - [starving = 0] (0:253:2 - 1)
		IfNotBlocked
		reached[0][231] = 1;
		(trpt+1)->bup.ovals = grab_ints(2);
		(trpt+1)->bup.ovals[0] = ((int)now.starving);
		now.starving = 0;
#ifdef VAR_RANGES
		logval("starving", ((int)now.starving));
#endif
		;
		/* merge: .(goto)(253, 233, 253) */
		reached[0][233] = 1;
		;
		/* merge: word = ((1+(32*(next+1)))+((( (woken) -> (2) : (0) )+( (starving) -> (4) : (0) ))+(queued*8)))(253, 234, 253) */
		reached[0][234] = 1;
		(trpt+1)->bup.ovals[1] = now.word;
		now.word = ((1+(32*(((int)((P0 *)_this)->next)+1)))+((( (((int)now.woken)) ? (2) : (0) )+( (((int)now.starving)) ? (4) : (0) ))+(((int)now.queued)*8)));
#ifdef VAR_RANGES
		logval("word", now.word);
#endif
		;
		/* merge: .(goto)(253, 240, 253) */
		reached[0][240] = 1;
		;
		/* merge: .(goto)(253, 243, 253) */
		reached[0][243] = 1;
		;
		_m = 3; goto P999; /* 4 */
	case 85: // STATE 234 - mutex.pml:174 - [word = ((1+(32*(next+1)))+((( (woken) -> (2) : (0) )+( (starving) -> (4) : (0) ))+(queued*8)))] (0:253:1 - 3)
		IfNotBlocked
		reached[0][234] = 1;
		(trpt+1)->bup.oval = now.word;
		now.word = ((1+(32*(((int)((P0 *)_this)->next)+1)))+((( (((int)now.woken)) ? (2) : (0) )+( (((int)now.starving)) ? (4) : (0) ))+(((int)now.queued)*8)));
#ifdef VAR_RANGES
		logval("word", now.word);
#endif
		;
		/* merge: .(goto)(253, 240, 253) */
		reached[0][240] = 1;
		;
		/* merge: .(goto)(253, 243, 253) */
		reached[0][243] = 1;
		;
		_m = 3; goto P999; /* 2 */
	case 86: // STATE 240 - mutex.pml:180 - [.(goto)] (0:253:0 - 2)
		IfNotBlocked
		reached[0][240] = 1;
		;
		/* merge: .(goto)(253, 243, 253) */
		reached[0][243] = 1;
		;
		_m = 3; goto P999; /* 1 */
	case 87: // STATE 236 - mutex.pml:176 - [starving = 0] (0:253:3 - 1)
		IfNotBlocked
		reached[0][236] = 1;
		(trpt+1)->bup.ovals = grab_ints(3);
		(trpt+1)->bup.ovals[0] = ((int)now.starving);
		now.starving = 0;
#ifdef VAR_RANGES
		logval("starving", ((int)now.starving));
#endif
		;
		/* merge: woken = (woken||(next!=255))(253, 237, 253) */
		reached[0][237] = 1;
		(trpt+1)->bup.ovals[1] = ((int)now.woken);
		now.woken = (((int)now.woken)||(((int)((P0 *)_this)->next)!=255));
#ifdef VAR_RANGES
		logval("woken", ((int)now.woken));
#endif
		;
		/* merge: word = ((( (woken) -> (2) : (0) )+( (starving) -> (4) : (0) ))+(queued*8))(253, 238, 253) */
		reached[0][238] = 1;
		(trpt+1)->bup.ovals[2] = now.word;
		now.word = ((( (((int)now.woken)) ? (2) : (0) )+( (((int)now.starving)) ? (4) : (0) ))+(((int)now.queued)*8));
#ifdef VAR_RANGES
		logval("word", now.word);
#endif
		;
		/* merge: .(goto)(253, 240, 253) */
		reached[0][240] = 1;
		;
		/* merge: .(goto)(253, 243, 253) */
		reached[0][243] = 1;
		;
		_m = 3; goto P999; /* 4 */
	case 88: // STATE 243 - mutex.pml:182 - [.(goto)] (0:253:0 - 2)
		IfNotBlocked
		reached[0][243] = 1;
		;
		_m = 3; goto P999; /* 0 */
	case 89: // STATE 246 - mutex.pml:187 - [((next!=255))] (0:0:0 - 1)
		IfNotBlocked
		reached[0][246] = 1;
		if (!((((int)((P0 *)_this)->next)!=255)))
			continue;
		_m = 3; goto P999; /* 0 */
	case 90: // STATE 247 - mutex.pml:188 - [assert((told[next]==0))] (0:0:0 - 1)
		IfNotBlocked
		reached[0][247] = 1;
		spin_assert((((int)now.told[ Index(((int)((P0 *)_this)->next), 3) ])==0), "(told[next]==0)", II, tt, t);
		_m = 3; goto P999; /* 0 */
	case 91: // STATE 248 - mutex.pml:189 - [told[next] = how] (0:0:1 - 1)
		IfNotBlocked
		reached[0][248] = 1;
		(trpt+1)->bup.oval = ((int)now.told[ Index(((int)((P0 *)_this)->next), 3) ]);
		now.told[ Index(((P0 *)_this)->next, 3) ] = ((int)((P0 *)_this)->how);
#ifdef VAR_RANGES
		logval("told[process:next]", ((int)now.told[ Index(((int)((P0 *)_this)->next), 3) ]));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 92: // STATE 249 - mutex.pml:190 - [next = 255] (0:0:2 - 1)
		IfNotBlocked
		reached[0][249] = 1;
		(trpt+1)->bup.ovals = grab_ints(2);
		(trpt+1)->bup.ovals[0] = ((int)((P0 *)_this)->next);
		((P0 *)_this)->next = 255;
#ifdef VAR_RANGES
		logval("process:next", ((int)((P0 *)_this)->next));
#endif
		;
		if (TstOnly) return 1; /* TT */
		/* dead 2: next */  
#ifdef HAS_CODE
		if (!readtrail)
#endif
			((P0 *)_this)->next = 0;
		_m = 3; goto P999; /* 0 */
	case 93: // STATE 258 - mutex.pml:322 - [inside = (inside+1)] (0:0:1 - 3)
		IfNotBlocked
		reached[0][258] = 1;
		(trpt+1)->bup.oval = ((int)now.inside);
		now.inside = (((int)now.inside)+1);
#ifdef VAR_RANGES
		logval("inside", ((int)now.inside));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 94: // STATE 259 - mutex.pml:323 - [assert((inside==1))] (0:0:0 - 1)
		IfNotBlocked
		reached[0][259] = 1;
		spin_assert((((int)now.inside)==1), "(inside==1)", II, tt, t);
		_m = 3; goto P999; /* 0 */
	case 95: // STATE 260 - mutex.pml:326 - [inside = (inside-1)] (0:0:1 - 1)
		IfNotBlocked
		reached[0][260] = 1;
		(trpt+1)->bup.oval = ((int)now.inside);
		now.inside = (((int)now.inside)-1);
#ifdef VAR_RANGES
		logval("inside", ((int)now.inside));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 96: // STATE 261 - mutex.pml:327 - [((deaths<1))] (413:0:2 - 1)
		IfNotBlocked
		reached[0][261] = 1;
		if (!((((int)now.deaths)<1)))
			continue;
		/* merge: deaths = (deaths+1)(413, 262, 413) */
		reached[0][262] = 1;
		(trpt+1)->bup.ovals = grab_ints(2);
		(trpt+1)->bup.ovals[0] = ((int)now.deaths);
		now.deaths = (((int)now.deaths)+1);
#ifdef VAR_RANGES
		logval("deaths", ((int)now.deaths));
#endif
		;
		/* merge: inside = (inside-1)(413, 263, 413) */
		reached[0][263] = 1;
		(trpt+1)->bup.ovals[1] = ((int)now.inside);
		now.inside = (((int)now.inside)-1);
#ifdef VAR_RANGES
		logval("inside", ((int)now.inside));
#endif
		;
		/* merge: goto dead(413, 264, 413) */
		reached[0][264] = 1;
		;
		_m = 3; goto P999; /* 3 */
	case 97: // STATE 268 - mutex.pml:331 - [seen = word] (0:0:1 - 2)
		IfNotBlocked
		reached[0][268] = 1;
		(trpt+1)->bup.oval = ((P0 *)_this)->seen;
		((P0 *)_this)->seen = now.word;
#ifdef VAR_RANGES
		logval("process:seen", ((P0 *)_this)->seen);
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 98: // STATE 270 - mutex.pml:332 - [((deaths<1))] (413:0:1 - 1)
		IfNotBlocked
		reached[0][270] = 1;
		if (!((((int)now.deaths)<1)))
			continue;
		/* merge: deaths = (deaths+1)(413, 271, 413) */
		reached[0][271] = 1;
		(trpt+1)->bup.oval = ((int)now.deaths);
		now.deaths = (((int)now.deaths)+1);
#ifdef VAR_RANGES
		logval("deaths", ((int)now.deaths));
#endif
		;
		/* merge: goto dead(413, 272, 413) */
		reached[0][272] = 1;
		;
		_m = 3; goto P999; /* 2 */
	case 99: // STATE 276 - mutex.pml:335 - [((!((seen&4))&&(!((seen&(3*8)))||(seen&2))))] (0:0:0 - 1)
		IfNotBlocked
		reached[0][276] = 1;
		if (!(( !((((P0 *)_this)->seen&4))&&( !((((P0 *)_this)->seen&(3*8)))||(((P0 *)_this)->seen&2)))))
			continue;
		_m = 3; goto P999; /* 0 */
	case 100: // STATE 277 - mutex.pml:342 - [((word==seen))] (346:0:1 - 1)
		IfNotBlocked
		reached[0][277] = 1;
		if (!((now.word==((P0 *)_this)->seen)))
			continue;
		/* merge: word = (seen-( ((seen&1)) -> (((seen&1)+(32*(seen/32)))) : (0) ))(346, 278, 346) */
		reached[0][278] = 1;
		(trpt+1)->bup.oval = now.word;
		now.word = (((P0 *)_this)->seen-( ((((P0 *)_this)->seen&1)) ? (((((P0 *)_this)->seen&1)+(32*(((P0 *)_this)->seen/32)))) : (0) ));
#ifdef VAR_RANGES
		logval("word", now.word);
#endif
		;
		/* merge: goto next_round(346, 279, 346) */
		reached[0][279] = 1;
		;
		_m = 3; goto P999; /* 2 */
	case 101: // STATE 287 - mutex.pml:156 - [next = 255] (0:334:2 - 1)
		IfNotBlocked
		reached[0][287] = 1;
		(trpt+1)->bup.ovals = grab_ints(2);
		(trpt+1)->bup.ovals[0] = ((int)((P0 *)_this)->next);
		((P0 *)_this)->next = 255;
#ifdef VAR_RANGES
		logval("process:next", ((int)((P0 *)_this)->next));
#endif
		;
		/* merge: how = 1(334, 288, 334) */
		reached[0][288] = 1;
		(trpt+1)->bup.ovals[1] = ((int)((P0 *)_this)->how);
		((P0 *)_this)->how = 1;
#ifdef VAR_RANGES
		logval("process:how", ((int)((P0 *)_this)->how));
#endif
		;
		_m = 3; goto P999; /* 1 */
	case 102: // STATE 289 - mutex.pml:159 - [(((word&1)&&(((word/32)-1)==me)))] (0:0:0 - 1)
		IfNotBlocked
		reached[0][289] = 1;
		if (!(((now.word&1)&&(((now.word/32)-1)==((int)((P0 *)_this)->me)))))
			continue;
		_m = 3; goto P999; /* 0 */
	case 103: // STATE 290 - mutex.pml:161 - [(((starving||!(woken))&&queued))] (315:0:1 - 1)
		IfNotBlocked
		reached[0][290] = 1;
		if (!(((((int)now.starving)|| !(((int)now.woken)))&&((int)now.queued))))
			continue;
		/* merge: next = queue[0](0, 291, 315) */
		reached[0][291] = 1;
		(trpt+1)->bup.oval = ((int)((P0 *)_this)->next);
		((P0 *)_this)->next = ((int)now.queue[0]);
#ifdef VAR_RANGES
		logval("process:next", ((int)((P0 *)_this)->next));
#endif
		;
		_m = 3; goto P999; /* 1 */
	case 104: // STATE 292 - mutex.pml:91 - [found = 0] (0:305:2 - 1)
		IfNotBlocked
		reached[0][292] = 1;
		(trpt+1)->bup.ovals = grab_ints(2);
		(trpt+1)->bup.ovals[0] = ((int)((P0 *)_this)->found);
		((P0 *)_this)->found = 0;
#ifdef VAR_RANGES
		logval("process:found", ((int)((P0 *)_this)->found));
#endif
		;
		/* merge: i = 0(305, 293, 305) */
		reached[0][293] = 1;
		(trpt+1)->bup.ovals[1] = ((int)((P0 *)_this)->i);
		((P0 *)_this)->i = 0;
#ifdef VAR_RANGES
		logval("process:i", ((int)((P0 *)_this)->i));
#endif
		;
		/* merge: .(goto)(0, 306, 305) */
		reached[0][306] = 1;
		;
		_m = 3; goto P999; /* 2 */
	case 105: // STATE 294 - mutex.pml:94 - [((i<queued))] (0:0:0 - 1)
		IfNotBlocked
		reached[0][294] = 1;
		if (!((((int)((P0 *)_this)->i)<((int)now.queued))))
			continue;
		_m = 3; goto P999; /* 0 */
	case 106: // STATE 295 - mutex.pml:96 - [(found)] (305:0:2 - 1)
		IfNotBlocked
		reached[0][295] = 1;
		if (!(((int)((P0 *)_this)->found)))
			continue;
		/* merge: queue[(i-1)] = queue[i](305, 296, 305) */
		reached[0][296] = 1;
		(trpt+1)->bup.ovals = grab_ints(2);
		(trpt+1)->bup.ovals[0] = ((int)now.queue[ Index((((int)((P0 *)_this)->i)-1), 3) ]);
		now.queue[ Index((((P0 *)_this)->i-1), 3) ] = ((int)now.queue[ Index(((int)((P0 *)_this)->i), 3) ]);
#ifdef VAR_RANGES
		logval("queue[(process:i-1)]", ((int)now.queue[ Index((((int)((P0 *)_this)->i)-1), 3) ]));
#endif
		;
		/* merge: .(goto)(305, 301, 305) */
		reached[0][301] = 1;
		;
		/* merge: i = (i+1)(305, 302, 305) */
		reached[0][302] = 1;
		(trpt+1)->bup.ovals[1] = ((int)((P0 *)_this)->i);
		((P0 *)_this)->i = (((int)((P0 *)_this)->i)+1);
#ifdef VAR_RANGES
		logval("process:i", ((int)((P0 *)_this)->i));
#endif
		;
		/* merge: .(goto)(0, 306, 305) */
		reached[0][306] = 1;
		;
		_m = 3; goto P999; /* 4 */
	case 107: // STATE 297 - mutex.pml:97 - [((!(found)&&(queue[i]==next)))] (305:0:3 - 1)
		IfNotBlocked
		reached[0][297] = 1;
		if (!(( !(((int)((P0 *)_this)->found))&&(((int)now.queue[ Index(((int)((P0 *)_this)->i), 3) ])==((int)((P0 *)_this)->next)))))
			continue;
		if (TstOnly) return 1; /* TT */
		/* dead 1: found */  (trpt+1)->bup.ovals = grab_ints(3);
		(trpt+1)->bup.ovals[0] = ((P0 *)_this)->found;
#ifdef HAS_CODE
		if (!readtrail)
#endif
			((P0 *)_this)->found = 0;
		/* merge: found = 1(305, 298, 305) */
		reached[0][298] = 1;
		(trpt+1)->bup.ovals[1] = ((int)((P0 *)_this)->found);
		((P0 *)_this)->found = 1;
#ifdef VAR_RANGES
		logval("process:found", ((int)((P0 *)_this)->found));
#endif
		;
		/* merge: .(goto)(305, 301, 305) */
		reached[0][301] = 1;
		;
		/* merge: i = (i+1)(305, 302, 305) */
		reached[0][302] = 1;
		(trpt+1)->bup.ovals[2] = ((int)((P0 *)_this)->i);
		((P0 *)_this)->i = (((int)((P0 *)_this)->i)+1);
#ifdef VAR_RANGES
		logval("process:i", ((int)((P0 *)_this)->i));
#endif
		;
		/* merge: .(goto)(0, 306, 305) */
		reached[0][306] = 1;
		;
		_m = 3; goto P999; /* 4 */
	case 108: // STATE 302 - mutex.pml:100 - [i = (i+1)] (0:305:1 - 4)
		IfNotBlocked
		reached[0][302] = 1;
		(trpt+1)->bup.oval = ((int)((P0 *)_this)->i);
		((P0 *)_this)->i = (((int)((P0 *)_this)->i)+1);
#ifdef VAR_RANGES
		logval("process:i", ((int)((P0 *)_this)->i));
#endif
		;
		/* merge: .(goto)(0, 306, 305) */
		reached[0][306] = 1;
		;
		_m = 3; goto P999; /* 1 */
	case 109: // STATE 308 - mutex.pml:104 - [(found)] (331:0:4 - 1)
		IfNotBlocked
		reached[0][308] = 1;
		if (!(((int)((P0 *)_this)->found)))
			continue;
		if (TstOnly) return 1; /* TT */
		/* dead 1: found */  (trpt+1)->bup.ovals = grab_ints(4);
		(trpt+1)->bup.ovals[0] = ((P0 *)_this)->found;
#ifdef HAS_CODE
		if (!readtrail)
#endif
			((P0 *)_this)->found = 0;
		/* merge: queued = (queued-1)(331, 309, 331) */
		reached[0][309] = 1;
		(trpt+1)->bup.ovals[1] = ((int)now.queued);
		now.queued = (((int)now.queued)-1);
#ifdef VAR_RANGES
		logval("queued", ((int)now.queued));
#endif
		;
		/* merge: queue[queued] = 0(331, 310, 331) */
		reached[0][310] = 1;
		(trpt+1)->bup.ovals[2] = ((int)now.queue[ Index(((int)now.queued), 3) ]);
		now.queue[ Index(now.queued, 3) ] = 0;
#ifdef VAR_RANGES
		logval("queue[queued]", ((int)now.queue[ Index(((int)now.queued), 3) ]));
#endif
		;
		/* merge: .(goto)(331, 313, 331) */
		reached[0][313] = 1;
		;
		/* merge: i = 0(331, 314, 331) */
		reached[0][314] = 1;
		(trpt+1)->bup.ovals[3] = ((int)((P0 *)_this)->i);
		((P0 *)_this)->i = 0;
#ifdef VAR_RANGES
		logval("process:i", ((int)((P0 *)_this)->i));
#endif
		;
		/* merge: .(goto)(0, 318, 331) */
		reached[0][318] = 1;
		;
		_m = 3; goto P999; /* 5 */
	case 110: // STATE 314 - mutex.pml:107 - [i = 0] (0:331:1 - 3)
		IfNotBlocked
		reached[0][314] = 1;
		(trpt+1)->bup.oval = ((int)((P0 *)_this)->i);
		((P0 *)_this)->i = 0;
#ifdef VAR_RANGES
		logval("process:i", ((int)((P0 *)_this)->i));
#endif
		;
		/* merge: .(goto)(0, 318, 331) */
		reached[0][318] = 1;
		;
		_m = 3; goto P999; /* 1 */
	case 111: // STATE 319 - mutex.pml:167 - [(((next!=255)&&starving))] (324:0:1 - 1)
		IfNotBlocked
		reached[0][319] = 1;
		if (!(((((int)((P0 *)_this)->next)!=255)&&((int)now.starving))))
			continue;
		/* merge: how = 2(0, 320, 324) */
		reached[0][320] = 1;
		(trpt+1)->bup.oval = ((int)((P0 *)_this)->how);
		((P0 *)_this)->how = 2;
#ifdef VAR_RANGES
		logval("process:how", ((int)((P0 *)_this)->how));
#endif
		;
		_m = 3; goto P999; /* 1 */
	case 112: // STATE 321 - mutex.pml:171 - [(queued)] (0:0:0 - 1)
		IfNotBlocked
		reached[0][321] = 1;
		if (!(((int)now.queued)))
			continue;
		_m = 3; goto P999; /* 0 */
	case 113: // STATE 322 - mutex.pml:171 - [(1)] (345:0:1 - 1)
		IfNotBlocked
		reached[0][322] = 1;
		if (!(1))
			continue;
		/* merge: .(goto)(345, 325, 345) */
		reached[0][325] = 1;
		;
		/* merge: word = ((1+(32*(next+1)))+((( (woken) -> (2) : (0) )+( (starving) -> (4) : (0) ))+(queued*8)))(345, 326, 345) */
		reached[0][326] = 1;
		(trpt+1)->bup.oval = now.word;
		now.word = ((1+(32*(((int)((P0 *)_this)->next)+1)))+((( (((int)now.woken)) ? (2) : (0) )+( (((int)now.starving)) ? (4) : (0) ))+(((int)now.queued)*8)));
#ifdef VAR_RANGES
		logval("word", now.word);
#endif
		;
		/* merge: .(goto)(345, 332, 345) */
		reached[0][332] = 1;
		;
		/* merge: .(goto)(345, 335, 345) */
		reached[0][335] = 1;
		;
		_m = 3; goto P999; /* 4 */
	case 114: // STATE 323 - mutex.pml:172 - [starving = 0] (0:345:2 - 1)
		IfNotBlocked
		reached[0][323] = 1;
		(trpt+1)->bup.ovals = grab_ints(2);
		(trpt+1)->bup.ovals[0] = ((int)now.starving);
		now.starving = 0;
#ifdef VAR_RANGES
		logval("starving", ((int)now.starving));
#endif
		;
		/* merge: .(goto)(345, 325, 345) */
		reached[0][325] = 1;
		;
		/* merge: word = ((1+(32*(next+1)))+((( (woken) -> (2) : (0) )+( (starving) -> (4) : (0) ))+(queued*8)))(345, 326, 345) */
		reached[0][326] = 1;
		(trpt+1)->bup.ovals[1] = now.word;
		now.word = ((1+(32*(((int)((P0 *)_this)->next)+1)))+((( (((int)now.woken)) ? (2) : (0) )+( (((int)now.starving)) ? (4) : (0) ))+(((int)now.queued)*8)));
#ifdef VAR_RANGES
		logval("word", now.word);
#endif
		;
		/* merge: .(goto)(345, 332, 345) */
		reached[0][332] = 1;
		;
		/* merge: .(goto)(345, 335, 345) */
		reached[0][335] = 1;
		;
		_m = 3; goto P999; /* 4 */
	case 115: // STATE 326 - mutex.pml:174 - [word = ((1+(32*(next+1)))+((( (woken) -> (2) : (0) )+( (starving) -> (4) : (0) ))+(queued*8)))] (0:345:1 - 3)
		IfNotBlocked
		reached[0][326] = 1;
		(trpt+1)->bup.oval = now.word;
		now.word = ((1+(32*(((int)((P0 *)_this)->next)+1)))+((( (((int)now.woken)) ? (2) : (0) )+( (((int)now.starving)) ? (4) : (0) ))+(((int)now.queued)*8)));
#ifdef VAR_RANGES
		logval("word", now.word);
#endif
		;
		/* merge: .(goto)(345, 332, 345) */
		reached[0][332] = 1;
		;
		/* merge: .(goto)(345, 335, 345) */
		reached[0][335] = 1;
		;
		_m = 3; goto P999; /* 2 */
	case 116: // STATE 332 - mutex.pml:180 - [.(goto)] (0:345:0 - 2)
		IfNotBlocked
		reached[0][332] = 1;
		;
		/* merge: .(goto)(345, 335, 345) */
		reached[0][335] = 1;
		;
		_m = 3; goto P999; /* 1 */
	case 117: // STATE 328 - mutex.pml:176 - [starving = 0] (0:345:3 - 1)
		IfNotBlocked
		reached[0][328] = 1;
		(trpt+1)->bup.ovals = grab_ints(3);
		(trpt+1)->bup.ovals[0] = ((int)now.starving);
		now.starving = 0;
#ifdef VAR_RANGES
		logval("starving", ((int)now.starving));
#endif
		;
		/* merge: woken = (woken||(next!=255))(345, 329, 345) */
		reached[0][329] = 1;
		(trpt+1)->bup.ovals[1] = ((int)now.woken);
		now.woken = (((int)now.woken)||(((int)((P0 *)_this)->next)!=255));
#ifdef VAR_RANGES
		logval("woken", ((int)now.woken));
#endif
		;
		/* merge: word = ((( (woken) -> (2) : (0) )+( (starving) -> (4) : (0) ))+(queued*8))(345, 330, 345) */
		reached[0][330] = 1;
		(trpt+1)->bup.ovals[2] = now.word;
		now.word = ((( (((int)now.woken)) ? (2) : (0) )+( (((int)now.starving)) ? (4) : (0) ))+(((int)now.queued)*8));
#ifdef VAR_RANGES
		logval("word", now.word);
#endif
		;
		/* merge: .(goto)(345, 332, 345) */
		reached[0][332] = 1;
		;
		/* merge: .(goto)(345, 335, 345) */
		reached[0][335] = 1;
		;
		_m = 3; goto P999; /* 4 */
	case 118: // STATE 335 - mutex.pml:182 - [.(goto)] (0:345:0 - 2)
		IfNotBlocked
		reached[0][335] = 1;
		;
		_m = 3; goto P999; /* 0 */
	case 119: // STATE 338 - mutex.pml:187 - [((next!=255))] (0:0:0 - 1)
		IfNotBlocked
		reached[0][338] = 1;
		if (!((((int)((P0 *)_this)->next)!=255)))
			continue;
		_m = 3; goto P999; /* 0 */
	case 120: // STATE 339 - mutex.pml:188 - [assert((told[next]==0))] (0:0:0 - 1)
		IfNotBlocked
		reached[0][339] = 1;
		spin_assert((((int)now.told[ Index(((int)((P0 *)_this)->next), 3) ])==0), "(told[next]==0)", II, tt, t);
		_m = 3; goto P999; /* 0 */
	case 121: // STATE 340 - mutex.pml:189 - [told[next] = how] (0:0:1 - 1)
		IfNotBlocked
		reached[0][340] = 1;
		(trpt+1)->bup.oval = ((int)now.told[ Index(((int)((P0 *)_this)->next), 3) ]);
		now.told[ Index(((P0 *)_this)->next, 3) ] = ((int)((P0 *)_this)->how);
#ifdef VAR_RANGES
		logval("told[process:next]", ((int)now.told[ Index(((int)((P0 *)_this)->next), 3) ]));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 122: // STATE 341 - mutex.pml:190 - [next = 255] (0:0:2 - 1)
		IfNotBlocked
		reached[0][341] = 1;
		(trpt+1)->bup.ovals = grab_ints(2);
		(trpt+1)->bup.ovals[0] = ((int)((P0 *)_this)->next);
		((P0 *)_this)->next = 255;
#ifdef VAR_RANGES
		logval("process:next", ((int)((P0 *)_this)->next));
#endif
		;
		if (TstOnly) return 1; /* TT */
		/* dead 2: next */  
#ifdef HAS_CODE
		if (!readtrail)
#endif
			((P0 *)_this)->next = 0;
		_m = 3; goto P999; /* 0 */
	case 123: // STATE 346 - mutex.pml:353 - [(1)] (350:0:1 - 8)
		IfNotBlocked
		reached[0][346] = 1;
		if (!(1))
			continue;
		/* merge: round = (round+1)(0, 347, 350) */
		reached[0][347] = 1;
		(trpt+1)->bup.oval = ((int)((P0 *)_this)->round);
		((P0 *)_this)->round = (((int)((P0 *)_this)->round)+1);
#ifdef VAR_RANGES
		logval("process:round", ((int)((P0 *)_this)->round));
#endif
		;
		/* merge: .(goto)(0, 351, 350) */
		reached[0][351] = 1;
		;
		_m = 3; goto P999; /* 2 */
	case 124: // STATE 353 - mutex.pml:199 - [lives[me] = 0] (0:0:1 - 1)
		IfNotBlocked
		reached[0][353] = 1;
		(trpt+1)->bup.oval = ((int)now.lives[ Index(((int)((P0 *)_this)->me), 3) ]);
		now.lives[ Index(((P0 *)_this)->me, 3) ] = 0;
#ifdef VAR_RANGES
		logval("lives[process:me]", ((int)now.lives[ Index(((int)((P0 *)_this)->me), 3) ]));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 125: // STATE 354 - mutex.pml:156 - [next = 255] (0:401:2 - 1)
		IfNotBlocked
		reached[0][354] = 1;
		(trpt+1)->bup.ovals = grab_ints(2);
		(trpt+1)->bup.ovals[0] = ((int)((P0 *)_this)->next);
		((P0 *)_this)->next = 255;
#ifdef VAR_RANGES
		logval("process:next", ((int)((P0 *)_this)->next));
#endif
		;
		/* merge: how = 1(401, 355, 401) */
		reached[0][355] = 1;
		(trpt+1)->bup.ovals[1] = ((int)((P0 *)_this)->how);
		((P0 *)_this)->how = 1;
#ifdef VAR_RANGES
		logval("process:how", ((int)((P0 *)_this)->how));
#endif
		;
		_m = 3; goto P999; /* 1 */
	case 126: // STATE 356 - mutex.pml:159 - [(((word&1)&&(((word/32)-1)==me)))] (0:0:1 - 1)
		IfNotBlocked
		reached[0][356] = 1;
		if (!(((now.word&1)&&(((now.word/32)-1)==((int)((P0 *)_this)->me)))))
			continue;
		if (TstOnly) return 1; /* TT */
		/* dead 1: me */  (trpt+1)->bup.oval = ((P0 *)_this)->me;
#ifdef HAS_CODE
		if (!readtrail)
#endif
			((P0 *)_this)->me = 0;
		_m = 3; goto P999; /* 0 */
	case 127: // STATE 357 - mutex.pml:161 - [(((starving||!(woken))&&queued))] (382:0:1 - 1)
		IfNotBlocked
		reached[0][357] = 1;
		if (!(((((int)now.starving)|| !(((int)now.woken)))&&((int)now.queued))))
			continue;
		/* merge: next = queue[0](0, 358, 382) */
		reached[0][358] = 1;
		(trpt+1)->bup.oval = ((int)((P0 *)_this)->next);
		((P0 *)_this)->next = ((int)now.queue[0]);
#ifdef VAR_RANGES
		logval("process:next", ((int)((P0 *)_this)->next));
#endif
		;
		_m = 3; goto P999; /* 1 */
	case 128: // STATE 359 - mutex.pml:91 - [found = 0] (0:372:2 - 1)
		IfNotBlocked
		reached[0][359] = 1;
		(trpt+1)->bup.ovals = grab_ints(2);
		(trpt+1)->bup.ovals[0] = ((int)((P0 *)_this)->found);
		((P0 *)_this)->found = 0;
#ifdef VAR_RANGES
		logval("process:found", ((int)((P0 *)_this)->found));
#endif
		;
		/* merge: i = 0(372, 360, 372) */
		reached[0][360] = 1;
		(trpt+1)->bup.ovals[1] = ((int)((P0 *)_this)->i);
		((P0 *)_this)->i = 0;
#ifdef VAR_RANGES
		logval("process:i", ((int)((P0 *)_this)->i));
#endif
		;
		/* merge: .(goto)(0, 373, 372) */
		reached[0][373] = 1;
		;
		_m = 3; goto P999; /* 2 */
	case 129: // STATE 361 - mutex.pml:94 - [((i<queued))] (0:0:0 - 1)
		IfNotBlocked
		reached[0][361] = 1;
		if (!((((int)((P0 *)_this)->i)<((int)now.queued))))
			continue;
		_m = 3; goto P999; /* 0 */
	case 130: // STATE 362 - mutex.pml:96 - [(found)] (372:0:2 - 1)
		IfNotBlocked
		reached[0][362] = 1;
		if (!(((int)((P0 *)_this)->found)))
			continue;
		/* merge: queue[(i-1)] = queue[i](372, 363, 372) */
		reached[0][363] = 1;
		(trpt+1)->bup.ovals = grab_ints(2);
		(trpt+1)->bup.ovals[0] = ((int)now.queue[ Index((((int)((P0 *)_this)->i)-1), 3) ]);
		now.queue[ Index((((P0 *)_this)->i-1), 3) ] = ((int)now.queue[ Index(((int)((P0 *)_this)->i), 3) ]);
#ifdef VAR_RANGES
		logval("queue[(process:i-1)]", ((int)now.queue[ Index((((int)((P0 *)_this)->i)-1), 3) ]));
#endif
		;
		/* merge: .(goto)(372, 368, 372) */
		reached[0][368] = 1;
		;
		/* merge: i = (i+1)(372, 369, 372) */
		reached[0][369] = 1;
		(trpt+1)->bup.ovals[1] = ((int)((P0 *)_this)->i);
		((P0 *)_this)->i = (((int)((P0 *)_this)->i)+1);
#ifdef VAR_RANGES
		logval("process:i", ((int)((P0 *)_this)->i));
#endif
		;
		/* merge: .(goto)(0, 373, 372) */
		reached[0][373] = 1;
		;
		_m = 3; goto P999; /* 4 */
	case 131: // STATE 364 - mutex.pml:97 - [((!(found)&&(queue[i]==next)))] (372:0:3 - 1)
		IfNotBlocked
		reached[0][364] = 1;
		if (!(( !(((int)((P0 *)_this)->found))&&(((int)now.queue[ Index(((int)((P0 *)_this)->i), 3) ])==((int)((P0 *)_this)->next)))))
			continue;
		if (TstOnly) return 1; /* TT */
		/* dead 1: found */  (trpt+1)->bup.ovals = grab_ints(3);
		(trpt+1)->bup.ovals[0] = ((P0 *)_this)->found;
#ifdef HAS_CODE
		if (!readtrail)
#endif
			((P0 *)_this)->found = 0;
		/* merge: found = 1(372, 365, 372) */
		reached[0][365] = 1;
		(trpt+1)->bup.ovals[1] = ((int)((P0 *)_this)->found);
		((P0 *)_this)->found = 1;
#ifdef VAR_RANGES
		logval("process:found", ((int)((P0 *)_this)->found));
#endif
		;
		/* merge: .(goto)(372, 368, 372) */
		reached[0][368] = 1;
		;
		/* merge: i = (i+1)(372, 369, 372) */
		reached[0][369] = 1;
		(trpt+1)->bup.ovals[2] = ((int)((P0 *)_this)->i);
		((P0 *)_this)->i = (((int)((P0 *)_this)->i)+1);
#ifdef VAR_RANGES
		logval("process:i", ((int)((P0 *)_this)->i));
#endif
		;
		/* merge: .(goto)(0, 373, 372) */
		reached[0][373] = 1;
		;
		_m = 3; goto P999; /* 4 */
	case 132: // STATE 369 - mutex.pml:100 - [i = (i+1)] (0:372:1 - 4)
		IfNotBlocked
		reached[0][369] = 1;
		(trpt+1)->bup.oval = ((int)((P0 *)_this)->i);
		((P0 *)_this)->i = (((int)((P0 *)_this)->i)+1);
#ifdef VAR_RANGES
		logval("process:i", ((int)((P0 *)_this)->i));
#endif
		;
		/* merge: .(goto)(0, 373, 372) */
		reached[0][373] = 1;
		;
		_m = 3; goto P999; /* 1 */
	case 133: // STATE 375 - mutex.pml:104 - [(found)] (398:0:4 - 1)
		IfNotBlocked
		reached[0][375] = 1;
		if (!(((int)((P0 *)_this)->found)))
			continue;
		if (TstOnly) return 1; /* TT */
		/* dead 1: found */  (trpt+1)->bup.ovals = grab_ints(4);
		(trpt+1)->bup.ovals[0] = ((P0 *)_this)->found;
#ifdef HAS_CODE
		if (!readtrail)
#endif
			((P0 *)_this)->found = 0;
		/* merge: queued = (queued-1)(398, 376, 398) */
		reached[0][376] = 1;
		(trpt+1)->bup.ovals[1] = ((int)now.queued);
		now.queued = (((int)now.queued)-1);
#ifdef VAR_RANGES
		logval("queued", ((int)now.queued));
#endif
		;
		/* merge: queue[queued] = 0(398, 377, 398) */
		reached[0][377] = 1;
		(trpt+1)->bup.ovals[2] = ((int)now.queue[ Index(((int)now.queued), 3) ]);
		now.queue[ Index(now.queued, 3) ] = 0;
#ifdef VAR_RANGES
		logval("queue[queued]", ((int)now.queue[ Index(((int)now.queued), 3) ]));
#endif
		;
		/* merge: .(goto)(398, 380, 398) */
		reached[0][380] = 1;
		;
		/* merge: i = 0(398, 381, 398) */
		reached[0][381] = 1;
		(trpt+1)->bup.ovals[3] = ((int)((P0 *)_this)->i);
		((P0 *)_this)->i = 0;
#ifdef VAR_RANGES
		logval("process:i", ((int)((P0 *)_this)->i));
#endif
		;
		/* merge: .(goto)(0, 385, 398) */
		reached[0][385] = 1;
		;
		_m = 3; goto P999; /* 5 */
	case 134: // STATE 381 - mutex.pml:107 - [i = 0] (0:398:1 - 3)
		IfNotBlocked
		reached[0][381] = 1;
		(trpt+1)->bup.oval = ((int)((P0 *)_this)->i);
		((P0 *)_this)->i = 0;
#ifdef VAR_RANGES
		logval("process:i", ((int)((P0 *)_this)->i));
#endif
		;
		/* merge: .(goto)(0, 385, 398) */
		reached[0][385] = 1;
		;
		_m = 3; goto P999; /* 1 */
	case 135: // STATE 386 - mutex.pml:167 - [(((next!=255)&&starving))] (391:0:1 - 1)
		IfNotBlocked
		reached[0][386] = 1;
		if (!(((((int)((P0 *)_this)->next)!=255)&&((int)now.starving))))
			continue;
		/* merge: how = 2(0, 387, 391) */
		reached[0][387] = 1;
		(trpt+1)->bup.oval = ((int)((P0 *)_this)->how);
		((P0 *)_this)->how = 2;
#ifdef VAR_RANGES
		logval("process:how", ((int)((P0 *)_this)->how));
#endif
		;
		_m = 3; goto P999; /* 1 */
	case 136: // STATE 388 - mutex.pml:171 - [(queued)] (0:0:0 - 1)
		IfNotBlocked
		reached[0][388] = 1;
		if (!(((int)now.queued)))
			continue;
		_m = 3; goto P999; /* 0 */
	case 137: // STATE 389 - mutex.pml:171 - [(1)] (412:0:1 - 1)
		IfNotBlocked
		reached[0][389] = 1;
		if (!(1))
			continue;
		/* merge: .(goto)(412, 392, 412) */
		reached[0][392] = 1;
		;
		/* merge: word = ((1+(32*(next+1)))+((( (woken) -> (2) : (0) )+( (starving) -> (4) : (0) ))+(queued*8)))(412, 393, 412) */
		reached[0][393] = 1;
		(trpt+1)->bup.oval = now.word;
		now.word = ((1+(32*(((int)((P0 *)_this)->next)+1)))+((( (((int)now.woken)) ? (2) : (0) )+( (((int)now.starving)) ? (4) : (0) ))+(((int)now.queued)*8)));
#ifdef VAR_RANGES
		logval("word", now.word);
#endif
		;
		/* merge: .(goto)(412, 399, 412) */
		reached[0][399] = 1;
		;
		/* merge: .(goto)(412, 402, 412) */
		reached[0][402] = 1;
		;
		_m = 3; goto P999; /* 4 */
	case 138: // STATE 390 - mutex.pml:172 - [starving = 0] (0:412:2 - 1)
		IfNotBlocked
		reached[0][390] = 1;
		(trpt+1)->bup.ovals = grab_ints(2);
		(trpt+1)->bup.ovals[0] = ((int)now.starving);
		now.starving = 0;
#ifdef VAR_RANGES
		logval("starving", ((int)now.starving));
#endif
		;
		/* merge: .(goto)(412, 392, 412) */
		reached[0][392] = 1;
		;
		/* merge: word = ((1+(32*(next+1)))+((( (woken) -> (2) : (0) )+( (starving) -> (4) : (0) ))+(queued*8)))(412, 393, 412) */
		reached[0][393] = 1;
		(trpt+1)->bup.ovals[1] = now.word;
		now.word = ((1+(32*(((int)((P0 *)_this)->next)+1)))+((( (((int)now.woken)) ? (2) : (0) )+( (((int)now.starving)) ? (4) : (0) ))+(((int)now.queued)*8)));
#ifdef VAR_RANGES
		logval("word", now.word);
#endif
		;
		/* merge: .(goto)(412, 399, 412) */
		reached[0][399] = 1;
		;
		/* merge: .(goto)(412, 402, 412) */
		reached[0][402] = 1;
		;
		_m = 3; goto P999; /* 4 */
	case 139: // STATE 393 - mutex.pml:174 - [word = ((1+(32*(next+1)))+((( (woken) -> (2) : (0) )+( (starving) -> (4) : (0) ))+(queued*8)))] (0:412:1 - 3)
		IfNotBlocked
		reached[0][393] = 1;
		(trpt+1)->bup.oval = now.word;
		now.word = ((1+(32*(((int)((P0 *)_this)->next)+1)))+((( (((int)now.woken)) ? (2) : (0) )+( (((int)now.starving)) ? (4) : (0) ))+(((int)now.queued)*8)));
#ifdef VAR_RANGES
		logval("word", now.word);
#endif
		;
		/* merge: .(goto)(412, 399, 412) */
		reached[0][399] = 1;
		;
		/* merge: .(goto)(412, 402, 412) */
		reached[0][402] = 1;
		;
		_m = 3; goto P999; /* 2 */
	case 140: // STATE 399 - mutex.pml:180 - [.(goto)] (0:412:0 - 2)
		IfNotBlocked
		reached[0][399] = 1;
		;
		/* merge: .(goto)(412, 402, 412) */
		reached[0][402] = 1;
		;
		_m = 3; goto P999; /* 1 */
	case 141: // STATE 395 - mutex.pml:176 - [starving = 0] (0:412:3 - 1)
		IfNotBlocked
		reached[0][395] = 1;
		(trpt+1)->bup.ovals = grab_ints(3);
		(trpt+1)->bup.ovals[0] = ((int)now.starving);
		now.starving = 0;
#ifdef VAR_RANGES
		logval("starving", ((int)now.starving));
#endif
		;
		/* merge: woken = (woken||(next!=255))(412, 396, 412) */
		reached[0][396] = 1;
		(trpt+1)->bup.ovals[1] = ((int)now.woken);
		now.woken = (((int)now.woken)||(((int)((P0 *)_this)->next)!=255));
#ifdef VAR_RANGES
		logval("woken", ((int)now.woken));
#endif
		;
		/* merge: word = ((( (woken) -> (2) : (0) )+( (starving) -> (4) : (0) ))+(queued*8))(412, 397, 412) */
		reached[0][397] = 1;
		(trpt+1)->bup.ovals[2] = now.word;
		now.word = ((( (((int)now.woken)) ? (2) : (0) )+( (((int)now.starving)) ? (4) : (0) ))+(((int)now.queued)*8));
#ifdef VAR_RANGES
		logval("word", now.word);
#endif
		;
		/* merge: .(goto)(412, 399, 412) */
		reached[0][399] = 1;
		;
		/* merge: .(goto)(412, 402, 412) */
		reached[0][402] = 1;
		;
		_m = 3; goto P999; /* 4 */
	case 142: // STATE 402 - mutex.pml:182 - [.(goto)] (0:412:0 - 2)
		IfNotBlocked
		reached[0][402] = 1;
		;
		_m = 3; goto P999; /* 0 */
	case 143: // STATE 405 - mutex.pml:187 - [((next!=255))] (0:0:0 - 1)
		IfNotBlocked
		reached[0][405] = 1;
		if (!((((int)((P0 *)_this)->next)!=255)))
			continue;
		_m = 3; goto P999; /* 0 */
	case 144: // STATE 406 - mutex.pml:188 - [assert((told[next]==0))] (0:0:0 - 1)
		IfNotBlocked
		reached[0][406] = 1;
		spin_assert((((int)now.told[ Index(((int)((P0 *)_this)->next), 3) ])==0), "(told[next]==0)", II, tt, t);
		_m = 3; goto P999; /* 0 */
	case 145: // STATE 407 - mutex.pml:189 - [told[next] = how] (0:0:1 - 1)
		IfNotBlocked
		reached[0][407] = 1;
		(trpt+1)->bup.oval = ((int)now.told[ Index(((int)((P0 *)_this)->next), 3) ]);
		now.told[ Index(((P0 *)_this)->next, 3) ] = ((int)((P0 *)_this)->how);
#ifdef VAR_RANGES
		logval("told[process:next]", ((int)now.told[ Index(((int)((P0 *)_this)->next), 3) ]));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 146: // STATE 408 - mutex.pml:190 - [next = 255] (0:0:2 - 1)
		IfNotBlocked
		reached[0][408] = 1;
		(trpt+1)->bup.ovals = grab_ints(2);
		(trpt+1)->bup.ovals[0] = ((int)((P0 *)_this)->next);
		((P0 *)_this)->next = 255;
#ifdef VAR_RANGES
		logval("process:next", ((int)((P0 *)_this)->next));
#endif
		;
		if (TstOnly) return 1; /* TT */
		/* dead 2: next */  
#ifdef HAS_CODE
		if (!readtrail)
#endif
			((P0 *)_this)->next = 0;
		_m = 3; goto P999; /* 0 */
	case 147: // STATE 414 - mutex.pml:357 - [-end-] (0:0:0 - 3)
		IfNotBlocked
		reached[0][414] = 1;
		if (!delproc(1, II)) continue;
		_m = 3; goto P999; /* 0 */
	case  _T5:	/* np_ */
		if (!((!(trpt->o_pm&4) && !(trpt->tau&128))))
			continue;
		/* else fall through */
	case  _T2:	/* true */
		_m = 3; goto P999;
#undef rand
	}

