	switch (t->back) {
	default: Uerror("bad return move");
	case  0: goto R999; /* nothing to undo */

		 /* PROC :init: */

	case 3: // STATE 1
		;
		((P1 *)_this)->p = trpt->bup.oval;
		;
		goto R999;

	case 4: // STATE 4
		;
		((P1 *)_this)->p = trpt->bup.ovals[1];
		now.lives[ Index(((P1 *)_this)->p, 3) ] = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 2);
		goto R999;

	case 5: // STATE 10
		;
		((P1 *)_this)->p = trpt->bup.oval;
		;
		goto R999;
;
		;
		
	case 7: // STATE 12
		;
		;
		delproc(0, now._nr_pr-1);
		;
		goto R999;

	case 8: // STATE 13
		;
		((P1 *)_this)->p = trpt->bup.oval;
		;
		goto R999;
;
		;
		;
		;
		
	case 11: // STATE 22
		;
		p_restor(II);
		;
		;
		goto R999;

		 /* PROC process */

	case 12: // STATE 1
		;
		((P0 *)_this)->round = trpt->bup.oval;
		;
		goto R999;
;
		;
		
	case 14: // STATE 3
		;
		((P0 *)_this)->seen = trpt->bup.oval;
		;
		goto R999;

	case 15: // STATE 6
		;
		now.deaths = trpt->bup.oval;
		;
		goto R999;
;
		;
		
	case 17: // STATE 13
		;
		now.word = trpt->bup.oval;
		;
		goto R999;

	case 18: // STATE 26
		;
		((P0 *)_this)->killed = trpt->bup.ovals[4];
		((P0 *)_this)->expired = trpt->bup.ovals[3];
		((P0 *)_this)->starved = trpt->bup.ovals[2];
		((P0 *)_this)->awake = trpt->bup.ovals[1];
		((P0 *)_this)->waited = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 5);
		goto R999;

	case 19: // STATE 26
		;
		((P0 *)_this)->killed = trpt->bup.ovals[4];
		((P0 *)_this)->expired = trpt->bup.ovals[3];
		((P0 *)_this)->starved = trpt->bup.ovals[2];
		((P0 *)_this)->awake = trpt->bup.ovals[1];
		((P0 *)_this)->waited = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 5);
		goto R999;

	case 20: // STATE 27
		;
		((P0 *)_this)->got = trpt->bup.oval;
		;
		goto R999;
;
		;
		
	case 22: // STATE 30
		;
		now.woken = trpt->bup.oval;
		;
		goto R999;

	case 23: // STATE 34
		;
		((P0 *)_this)->starved = trpt->bup.oval;
		;
		goto R999;

	case 24: // STATE 43
		;
		((P0 *)_this)->got = trpt->bup.ovals[1];
		now.word = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 2);
		goto R999;
;
		
	case 25: // STATE 92
		goto R999;

	case 26: // STATE 46
		;
		now.starving = trpt->bup.oval;
		;
		goto R999;

	case 27: // STATE 48
		;
		((P0 *)_this)->i = trpt->bup.ovals[1];
	/* 0 */	((P0 *)_this)->waited = trpt->bup.ovals[0];
		;
		;
		ungrab_ints(trpt->bup.ovals, 2);
		goto R999;

	case 28: // STATE 51
		;
		((P0 *)_this)->i = trpt->bup.ovals[1];
		now.queue[ Index(((P0 *)_this)->i, 3) ] = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 2);
		goto R999;

	case 29: // STATE 90
		;
		now.word = trpt->bup.ovals[4];
		((P0 *)_this)->waited = trpt->bup.ovals[3];
		((P0 *)_this)->i = trpt->bup.ovals[2];
		now.queued = trpt->bup.ovals[1];
		now.queue[0] = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 5);
		goto R999;

	case 30: // STATE 90
		;
		now.word = trpt->bup.ovals[4];
		((P0 *)_this)->waited = trpt->bup.ovals[3];
		((P0 *)_this)->i = trpt->bup.ovals[2];
		now.queued = trpt->bup.ovals[1];
		now.queue[ Index(now.queued, 3) ] = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 5);
		goto R999;

	case 31: // STATE 90
		;
		now.word = trpt->bup.ovals[3];
		((P0 *)_this)->waited = trpt->bup.ovals[2];
		((P0 *)_this)->i = trpt->bup.ovals[1];
		now.queued = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 4);
		goto R999;

	case 32: // STATE 65
		;
	/* 1 */	((P0 *)_this)->awake = trpt->bup.ovals[1];
	/* 0 */	((P0 *)_this)->waited = trpt->bup.ovals[0];
		;
		;
		ungrab_ints(trpt->bup.ovals, 2);
		goto R999;

	case 33: // STATE 67
		;
		((P0 *)_this)->i = trpt->bup.oval;
		;
		goto R999;

	case 34: // STATE 70
		;
		((P0 *)_this)->i = trpt->bup.ovals[1];
		now.queue[ Index(((P0 *)_this)->i, 3) ] = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 2);
		goto R999;

	case 35: // STATE 90
		;
		now.word = trpt->bup.ovals[4];
		((P0 *)_this)->waited = trpt->bup.ovals[3];
		((P0 *)_this)->i = trpt->bup.ovals[2];
		now.queued = trpt->bup.ovals[1];
		now.queue[0] = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 5);
		goto R999;

	case 36: // STATE 90
		;
		now.word = trpt->bup.ovals[4];
		((P0 *)_this)->waited = trpt->bup.ovals[3];
		((P0 *)_this)->i = trpt->bup.ovals[2];
		now.queued = trpt->bup.ovals[1];
		now.queue[ Index(now.queued, 3) ] = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 5);
		goto R999;

	case 37: // STATE 90
		;
		now.word = trpt->bup.ovals[3];
		((P0 *)_this)->waited = trpt->bup.ovals[2];
		((P0 *)_this)->i = trpt->bup.ovals[1];
		now.queued = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 4);
		goto R999;

	case 38: // STATE 90
		;
		now.word = trpt->bup.ovals[1];
		((P0 *)_this)->waited = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 2);
		goto R999;

	case 39: // STATE 90
		;
		now.word = trpt->bup.oval;
		;
		goto R999;

	case 40: // STATE 193
		;
		((P0 *)_this)->away = trpt->bup.ovals[1];
	/* 0 */	((P0 *)_this)->got = trpt->bup.ovals[0];
		;
		;
		ungrab_ints(trpt->bup.ovals, 2);
		goto R999;

	case 41: // STATE 100
		;
	/* 0 */	((P0 *)_this)->expired = trpt->bup.oval;
		;
		;
		goto R999;

	case 42: // STATE 102
		;
	/* 0 */	((P0 *)_this)->killed = trpt->bup.oval;
		;
		;
		goto R999;

	case 43: // STATE 104
		;
	/* 0 */	((P0 *)_this)->away = trpt->bup.oval;
		;
		;
		goto R999;
;
		;
		
	case 45: // STATE 112
		;
		((P0 *)_this)->expired = trpt->bup.ovals[1];
		now.timeouts = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 2);
		goto R999;

	case 46: // STATE 116
		;
		((P0 *)_this)->away = trpt->bup.ovals[1];
		now.signals = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 2);
		goto R999;

	case 47: // STATE 120
		;
		((P0 *)_this)->killed = trpt->bup.ovals[1];
		now.deaths = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 2);
		goto R999;

	case 48: // STATE 124
		;
		((P0 *)_this)->found = trpt->bup.oval;
		;
		goto R999;
;
		;
		
	case 50: // STATE 127
		;
		((P0 *)_this)->i = trpt->bup.ovals[1];
		((P0 *)_this)->found = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 2);
		goto R999;
;
		;
		
	case 52: // STATE 136
		;
		((P0 *)_this)->i = trpt->bup.ovals[1];
		now.queue[ Index((((P0 *)_this)->i-1), 3) ] = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 2);
		goto R999;

	case 53: // STATE 136
		;
		((P0 *)_this)->i = trpt->bup.ovals[2];
		((P0 *)_this)->found = trpt->bup.ovals[1];
	/* 0 */	((P0 *)_this)->found = trpt->bup.ovals[0];
		;
		;
		ungrab_ints(trpt->bup.ovals, 3);
		goto R999;

	case 54: // STATE 136
		;
		((P0 *)_this)->i = trpt->bup.oval;
		;
		goto R999;

	case 55: // STATE 148
		;
		((P0 *)_this)->i = trpt->bup.ovals[2];
		now.queue[ Index(now.queued, 3) ] = trpt->bup.ovals[1];
		now.queued = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 3);
		goto R999;

	case 56: // STATE 148
		;
		((P0 *)_this)->i = trpt->bup.oval;
		;
		goto R999;

	case 57: // STATE 152
		;
		now.word = trpt->bup.ovals[1];
		now.starving = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 2);
		goto R999;
;
		
	case 58: // STATE 155
		goto R999;
;
		
	case 59: // STATE 158
		goto R999;

	case 60: // STATE 160
		;
	/* 1 */	((P0 *)_this)->expired = trpt->bup.ovals[1];
	/* 0 */	((P0 *)_this)->found = trpt->bup.ovals[0];
		;
		;
		ungrab_ints(trpt->bup.ovals, 2);
		goto R999;

	case 61: // STATE 162
		;
	/* 1 */	((P0 *)_this)->killed = trpt->bup.ovals[1];
	/* 0 */	((P0 *)_this)->found = trpt->bup.ovals[0];
		;
		;
		ungrab_ints(trpt->bup.ovals, 2);
		goto R999;

	case 62: // STATE 164
		;
	/* 1 */	((P0 *)_this)->away = trpt->bup.ovals[1];
	/* 0 */	((P0 *)_this)->found = trpt->bup.ovals[0];
		;
		;
		ungrab_ints(trpt->bup.ovals, 2);
		goto R999;

	case 63: // STATE 171
		;
		now.told[ Index(((P0 *)_this)->me, 3) ] = trpt->bup.ovals[1];
		((P0 *)_this)->how = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 2);
		goto R999;

	case 64: // STATE 193
		;
		((P0 *)_this)->away = trpt->bup.ovals[1];
	/* 0 */	((P0 *)_this)->how = trpt->bup.ovals[0];
		;
		;
		ungrab_ints(trpt->bup.ovals, 2);
		goto R999;

	case 65: // STATE 176
		;
		((P0 *)_this)->awake = trpt->bup.oval;
		;
		goto R999;

	case 66: // STATE 188
		;
		((P0 *)_this)->awake = trpt->bup.ovals[1];
		((P0 *)_this)->away = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 2);
		goto R999;

	case 67: // STATE 182
		;
		now.deaths = trpt->bup.oval;
		;
		goto R999;

	case 68: // STATE 188
		;
		((P0 *)_this)->awake = trpt->bup.ovals[1];
		((P0 *)_this)->away = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 2);
		goto R999;

	case 69: // STATE 193
		;
		((P0 *)_this)->away = trpt->bup.oval;
		;
		goto R999;

	case 70: // STATE 194
		;
	/* 0 */	((P0 *)_this)->killed = trpt->bup.oval;
		;
		;
		goto R999;

	case 71: // STATE 196
		;
		((P0 *)_this)->how = trpt->bup.ovals[1];
		((P0 *)_this)->next = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 2);
		goto R999;
;
		;
		
	case 73: // STATE 199
		;
		((P0 *)_this)->next = trpt->bup.oval;
		;
		goto R999;

	case 74: // STATE 201
		;
		((P0 *)_this)->i = trpt->bup.ovals[1];
		((P0 *)_this)->found = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 2);
		goto R999;
;
		;
		
	case 76: // STATE 210
		;
		((P0 *)_this)->i = trpt->bup.ovals[1];
		now.queue[ Index((((P0 *)_this)->i-1), 3) ] = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 2);
		goto R999;

	case 77: // STATE 210
		;
		((P0 *)_this)->i = trpt->bup.ovals[2];
		((P0 *)_this)->found = trpt->bup.ovals[1];
	/* 0 */	((P0 *)_this)->found = trpt->bup.ovals[0];
		;
		;
		ungrab_ints(trpt->bup.ovals, 3);
		goto R999;

	case 78: // STATE 210
		;
		((P0 *)_this)->i = trpt->bup.oval;
		;
		goto R999;

	case 79: // STATE 222
		;
		((P0 *)_this)->i = trpt->bup.ovals[3];
		now.queue[ Index(now.queued, 3) ] = trpt->bup.ovals[2];
		now.queued = trpt->bup.ovals[1];
	/* 0 */	((P0 *)_this)->found = trpt->bup.ovals[0];
		;
		;
		ungrab_ints(trpt->bup.ovals, 4);
		goto R999;

	case 80: // STATE 222
		;
		((P0 *)_this)->i = trpt->bup.oval;
		;
		goto R999;

	case 81: // STATE 228
		;
		((P0 *)_this)->how = trpt->bup.oval;
		;
		goto R999;
;
		;
		
	case 83: // STATE 234
		;
		now.word = trpt->bup.oval;
		;
		goto R999;

	case 84: // STATE 234
		;
		now.word = trpt->bup.ovals[1];
		now.starving = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 2);
		goto R999;

	case 85: // STATE 234
		;
		now.word = trpt->bup.oval;
		;
		goto R999;
;
		
	case 86: // STATE 240
		goto R999;

	case 87: // STATE 238
		;
		now.word = trpt->bup.ovals[2];
		now.woken = trpt->bup.ovals[1];
		now.starving = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 3);
		goto R999;
;
		
	case 88: // STATE 243
		goto R999;
;
		;
		;
		;
		
	case 91: // STATE 248
		;
		now.told[ Index(((P0 *)_this)->next, 3) ] = trpt->bup.oval;
		;
		goto R999;

	case 92: // STATE 249
		;
		((P0 *)_this)->next = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 2);
		goto R999;

	case 93: // STATE 258
		;
		now.inside = trpt->bup.oval;
		;
		goto R999;
;
		;
		
	case 95: // STATE 260
		;
		now.inside = trpt->bup.oval;
		;
		goto R999;

	case 96: // STATE 263
		;
		now.inside = trpt->bup.ovals[1];
		now.deaths = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 2);
		goto R999;

	case 97: // STATE 268
		;
		((P0 *)_this)->seen = trpt->bup.oval;
		;
		goto R999;

	case 98: // STATE 271
		;
		now.deaths = trpt->bup.oval;
		;
		goto R999;
;
		;
		
	case 100: // STATE 278
		;
		now.word = trpt->bup.oval;
		;
		goto R999;

	case 101: // STATE 288
		;
		((P0 *)_this)->how = trpt->bup.ovals[1];
		((P0 *)_this)->next = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 2);
		goto R999;
;
		;
		
	case 103: // STATE 291
		;
		((P0 *)_this)->next = trpt->bup.oval;
		;
		goto R999;

	case 104: // STATE 293
		;
		((P0 *)_this)->i = trpt->bup.ovals[1];
		((P0 *)_this)->found = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 2);
		goto R999;
;
		;
		
	case 106: // STATE 302
		;
		((P0 *)_this)->i = trpt->bup.ovals[1];
		now.queue[ Index((((P0 *)_this)->i-1), 3) ] = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 2);
		goto R999;

	case 107: // STATE 302
		;
		((P0 *)_this)->i = trpt->bup.ovals[2];
		((P0 *)_this)->found = trpt->bup.ovals[1];
	/* 0 */	((P0 *)_this)->found = trpt->bup.ovals[0];
		;
		;
		ungrab_ints(trpt->bup.ovals, 3);
		goto R999;

	case 108: // STATE 302
		;
		((P0 *)_this)->i = trpt->bup.oval;
		;
		goto R999;

	case 109: // STATE 314
		;
		((P0 *)_this)->i = trpt->bup.ovals[3];
		now.queue[ Index(now.queued, 3) ] = trpt->bup.ovals[2];
		now.queued = trpt->bup.ovals[1];
	/* 0 */	((P0 *)_this)->found = trpt->bup.ovals[0];
		;
		;
		ungrab_ints(trpt->bup.ovals, 4);
		goto R999;

	case 110: // STATE 314
		;
		((P0 *)_this)->i = trpt->bup.oval;
		;
		goto R999;

	case 111: // STATE 320
		;
		((P0 *)_this)->how = trpt->bup.oval;
		;
		goto R999;
;
		;
		
	case 113: // STATE 326
		;
		now.word = trpt->bup.oval;
		;
		goto R999;

	case 114: // STATE 326
		;
		now.word = trpt->bup.ovals[1];
		now.starving = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 2);
		goto R999;

	case 115: // STATE 326
		;
		now.word = trpt->bup.oval;
		;
		goto R999;
;
		
	case 116: // STATE 332
		goto R999;

	case 117: // STATE 330
		;
		now.word = trpt->bup.ovals[2];
		now.woken = trpt->bup.ovals[1];
		now.starving = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 3);
		goto R999;
;
		
	case 118: // STATE 335
		goto R999;
;
		;
		;
		;
		
	case 121: // STATE 340
		;
		now.told[ Index(((P0 *)_this)->next, 3) ] = trpt->bup.oval;
		;
		goto R999;

	case 122: // STATE 341
		;
		((P0 *)_this)->next = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 2);
		goto R999;

	case 123: // STATE 347
		;
		((P0 *)_this)->round = trpt->bup.oval;
		;
		goto R999;

	case 124: // STATE 353
		;
		now.lives[ Index(((P0 *)_this)->me, 3) ] = trpt->bup.oval;
		;
		goto R999;

	case 125: // STATE 355
		;
		((P0 *)_this)->how = trpt->bup.ovals[1];
		((P0 *)_this)->next = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 2);
		goto R999;

	case 126: // STATE 356
		;
	/* 0 */	((P0 *)_this)->me = trpt->bup.oval;
		;
		;
		goto R999;

	case 127: // STATE 358
		;
		((P0 *)_this)->next = trpt->bup.oval;
		;
		goto R999;

	case 128: // STATE 360
		;
		((P0 *)_this)->i = trpt->bup.ovals[1];
		((P0 *)_this)->found = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 2);
		goto R999;
;
		;
		
	case 130: // STATE 369
		;
		((P0 *)_this)->i = trpt->bup.ovals[1];
		now.queue[ Index((((P0 *)_this)->i-1), 3) ] = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 2);
		goto R999;

	case 131: // STATE 369
		;
		((P0 *)_this)->i = trpt->bup.ovals[2];
		((P0 *)_this)->found = trpt->bup.ovals[1];
	/* 0 */	((P0 *)_this)->found = trpt->bup.ovals[0];
		;
		;
		ungrab_ints(trpt->bup.ovals, 3);
		goto R999;

	case 132: // STATE 369
		;
		((P0 *)_this)->i = trpt->bup.oval;
		;
		goto R999;

	case 133: // STATE 381
		;
		((P0 *)_this)->i = trpt->bup.ovals[3];
		now.queue[ Index(now.queued, 3) ] = trpt->bup.ovals[2];
		now.queued = trpt->bup.ovals[1];
	/* 0 */	((P0 *)_this)->found = trpt->bup.ovals[0];
		;
		;
		ungrab_ints(trpt->bup.ovals, 4);
		goto R999;

	case 134: // STATE 381
		;
		((P0 *)_this)->i = trpt->bup.oval;
		;
		goto R999;

	case 135: // STATE 387
		;
		((P0 *)_this)->how = trpt->bup.oval;
		;
		goto R999;
;
		;
		
	case 137: // STATE 393
		;
		now.word = trpt->bup.oval;
		;
		goto R999;

	case 138: // STATE 393
		;
		now.word = trpt->bup.ovals[1];
		now.starving = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 2);
		goto R999;

	case 139: // STATE 393
		;
		now.word = trpt->bup.oval;
		;
		goto R999;
;
		
	case 140: // STATE 399
		goto R999;

	case 141: // STATE 397
		;
		now.word = trpt->bup.ovals[2];
		now.woken = trpt->bup.ovals[1];
		now.starving = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 3);
		goto R999;
;
		
	case 142: // STATE 402
		goto R999;
;
		;
		;
		;
		
	case 145: // STATE 407
		;
		now.told[ Index(((P0 *)_this)->next, 3) ] = trpt->bup.oval;
		;
		goto R999;

	case 146: // STATE 408
		;
		((P0 *)_this)->next = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 2);
		goto R999;

	case 147: // STATE 414
		;
		p_restor(II);
		;
		;
		goto R999;
	}

