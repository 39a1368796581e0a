#ifdef PEG
struct T_SRC {
	char *fl; int ln;
} T_SRC[NTRANS];

void
tr_2_src(int m, char *file, int ln)
{	T_SRC[m].fl = file;
	T_SRC[m].ln = ln;
}

void
putpeg(int n, int m)
{	printf("%5d	trans %4d ", m, n);
	printf("%s:%d\n",
		T_SRC[n].fl, T_SRC[n].ln);
}
#endif

void
settable(void)
{	Trans *T;
	Trans *settr(int, int, int, int, int, char *, int, int, int);

	trans = (Trans ***) emalloc(3*sizeof(Trans **));

	/* proctype 1: :init: */

	trans[1] = (Trans **) emalloc(23*sizeof(Trans *));

	T = trans[ 1][19] = settr(432,2,0,0,0,"ATOMIC", 1, 2, 0);
	T->nxt	= settr(432,2,1,0,0,"ATOMIC", 1, 2, 0);
	trans[1][1]	= settr(414,2,7,3,3,"p = 0", 1, 2, 0);
	trans[1][8]	= settr(421,2,7,1,0,".(goto)", 1, 2, 0);
	T = trans[1][7] = settr(420,2,0,0,0,"DO", 1, 2, 0);
	T = T->nxt	= settr(420,2,2,0,0,"DO", 1, 2, 0);
	    T->nxt	= settr(420,2,5,0,0,"DO", 1, 2, 0);
	trans[1][2]	= settr(415,2,7,4,4,"((p<=(3-1)))", 1, 2, 0); /* m: 3 -> 7,0 */
	reached1[3] = 1;
	trans[1][3]	= settr(0,0,0,0,0,"lives[p] = 1",0,0,0);
	trans[1][4]	= settr(0,0,0,0,0,"p = (p+1)",0,0,0);
	trans[1][5]	= settr(418,2,10,2,0,"else", 1, 2, 0);
	trans[1][6]	= settr(419,2,10,1,0,"goto :b8", 1, 2, 0); /* m: 10 -> 0,16 */
	reached1[10] = 1;
	trans[1][9]	= settr(422,2,10,1,0,"break", 1, 2, 0);
	trans[1][10]	= settr(423,2,16,5,5,"p = 0", 1, 2, 0);
	trans[1][17]	= settr(430,2,16,1,0,".(goto)", 1, 2, 0);
	T = trans[1][16] = settr(429,2,0,0,0,"DO", 1, 2, 0);
	T = T->nxt	= settr(429,2,11,0,0,"DO", 1, 2, 0);
	    T->nxt	= settr(429,2,14,0,0,"DO", 1, 2, 0);
	trans[1][11]	= settr(424,2,12,6,0,"((p<=(3-1)))", 1, 2, 0);
	trans[1][12]	= settr(425,2,13,7,7,"(run process(p))", 1, 2, 0);
	trans[1][13]	= settr(426,2,16,8,8,"p = (p+1)", 1, 2, 0);
	trans[1][14]	= settr(427,2,15,2,0,"else", 1, 2, 0);
	trans[1][15]	= settr(428,2,18,1,0,"goto :b9", 1, 2, 0);
	trans[1][18]	= settr(431,0,20,1,0,"break", 1, 2, 0);
	trans[1][20]	= settr(433,0,21,9,0,"((_nr_pr==1))", 1, 2, 0);
	trans[1][21]	= settr(434,0,22,10,0,"assert((((!((word&1))&&!(queued))&&!(woken))&&!(starving)))", 1, 2, 0);
	trans[1][22]	= settr(435,0,0,11,11,"-end-", 0, 3500, 0);

	/* proctype 0: process */

	trans[0] = (Trans **) emalloc(415*sizeof(Trans *));

	trans[0][1]	= settr(0,0,350,12,12,"round = 1", 0, 2, 0);
	trans[0][351]	= settr(350,0,350,1,0,".(goto)", 0, 2, 0);
	T = trans[0][350] = settr(349,0,0,0,0,"DO", 0, 2, 0);
	T = T->nxt	= settr(349,0,2,0,0,"DO", 0, 2, 0);
	    T->nxt	= settr(349,0,348,0,0,"DO", 0, 2, 0);
	trans[0][2]	= settr(1,0,3,13,0,"((round<=( ((me==0)) -> (2) : (1) )))", 0, 2, 0);
	trans[0][3]	= settr(2,0,9,14,14,"seen = word", 1, 2, 0);
	T = trans[0][9] = settr(8,0,0,0,0,"IF", 0, 2, 0);
	T = T->nxt	= settr(8,0,4,0,0,"IF", 0, 2, 0);
	    T->nxt	= settr(8,0,8,0,0,"IF", 0, 2, 0);
	trans[0][4]	= settr(3,0,20,1,0,"(1)", 0, 2, 0);
	trans[0][10]	= settr(9,0,20,1,0,".(goto)", 0, 2, 0);
	T = trans[ 0][8] = settr(7,2,0,0,0,"ATOMIC", 1, 2, 0);
	T->nxt	= settr(7,2,5,0,0,"ATOMIC", 1, 2, 0);
	trans[0][5]	= settr(4,4,413,15,15,"((deaths<1))", 1, 2, 0); /* m: 6 -> 413,0 */
	reached0[6] = 1;
	trans[0][6]	= settr(0,0,0,0,0,"deaths = (deaths+1)",0,0,0);
	trans[0][7]	= settr(6,0,413,1,0,"goto dead", 1, 2, 0);
	T = trans[0][20] = settr(19,0,0,0,0,"IF", 0, 2, 0);
	T = T->nxt	= settr(19,0,11,0,0,"IF", 0, 2, 0);
	    T->nxt	= settr(19,0,19,0,0,"IF", 0, 2, 0);
	trans[0][11]	= settr(10,0,18,16,0,"(!((seen&(1|4))))", 0, 2, 0);
	T = trans[ 0][18] = settr(17,2,0,0,0,"ATOMIC", 1, 2, 0);
	T->nxt	= settr(17,2,16,0,0,"ATOMIC", 1, 2, 0);
	T = trans[0][16] = settr(15,2,0,0,0,"IF", 1, 2, 0);
	T = T->nxt	= settr(15,2,12,0,0,"IF", 1, 2, 0);
	    T->nxt	= settr(15,2,15,0,0,"IF", 1, 2, 0);
	trans[0][12]	= settr(11,4,258,17,17,"((word==seen))", 1, 2, 0); /* m: 13 -> 258,0 */
	reached0[13] = 1;
	trans[0][13]	= settr(0,0,0,0,0,"word = (seen+(1+(32*(me+1))))",0,0,0);
	trans[0][14]	= settr(13,0,258,1,0,"goto critical", 1, 2, 0);
	trans[0][17]	= settr(16,0,190,18,18,".(goto)", 1, 2, 0); /* m: 22 -> 0,190 */
	reached0[22] = 1;
	trans[0][15]	= settr(14,2,17,2,0,"else", 1, 2, 0);
	trans[0][21]	= settr(20,0,22,1,0,".(goto)", 0, 2, 0); /* m: 22 -> 0,190 */
	reached0[22] = 1;
	trans[0][19]	= settr(18,0,22,2,0,"else", 0, 2, 0);
	trans[0][22]	= settr(21,0,190,19,19,"waited = 0", 0, 2, 0); /* m: 23 -> 0,190 */
	reached0[23] = 1;
	trans[0][23]	= settr(0,0,0,0,0,"awake = 0",0,0,0);
	trans[0][24]	= settr(0,0,0,0,0,"starved = 0",0,0,0);
	trans[0][25]	= settr(0,0,0,0,0,"expired = 0",0,0,0);
	trans[0][26]	= settr(0,0,0,0,0,"killed = 0",0,0,0);
	trans[0][191]	= settr(190,0,190,1,0,".(goto)", 0, 2, 0);
	T = trans[0][190] = settr(189,0,0,0,0,"DO", 0, 2, 0);
	    T->nxt	= settr(189,0,94,0,0,"DO", 0, 2, 0);
	T = trans[ 0][94] = settr(93,2,0,0,0,"ATOMIC", 1, 2, 0);
	T->nxt	= settr(93,2,93,0,0,"ATOMIC", 1, 2, 0);
	T = trans[ 0][93] = settr(92,0,0,0,0,"sub-sequence", 1, 2, 0);
	T->nxt	= settr(92,0,27,0,0,"sub-sequence", 1, 2, 0);
	trans[0][27]	= settr(26,2,39,20,20,"got = 0", 1, 2, 0);
	T = trans[0][39] = settr(38,2,0,0,0,"IF", 1, 2, 0);
	T = T->nxt	= settr(38,2,28,0,0,"IF", 1, 2, 0);
	    T->nxt	= settr(38,2,38,0,0,"IF", 1, 2, 0);
	trans[0][28]	= settr(27,2,32,21,0,"(waited)", 1, 2, 0);
	T = trans[0][32] = settr(31,2,0,0,0,"IF", 1, 2, 0);
	T = T->nxt	= settr(31,2,29,0,0,"IF", 1, 2, 0);
	    T->nxt	= settr(31,2,31,0,0,"IF", 1, 2, 0);
	trans[0][29]	= settr(28,2,36,22,22,"(awake)", 1, 2, 0); /* m: 30 -> 36,0 */
	reached0[30] = 1;
	trans[0][30]	= settr(0,0,0,0,0,"woken = 0",0,0,0);
	trans[0][33]	= settr(32,2,36,1,0,".(goto)", 1, 2, 0);
	trans[0][31]	= settr(30,2,36,2,0,"else", 1, 2, 0);
	T = trans[0][36] = settr(35,2,0,0,0,"IF", 1, 2, 0);
	T = T->nxt	= settr(35,2,34,0,0,"IF", 1, 2, 0);
	    T->nxt	= settr(35,2,35,0,0,"IF", 1, 2, 0);
	trans[0][34]	= settr(33,2,91,23,23,"starved = 1", 1, 2, 0);
	trans[0][37]	= settr(36,2,91,1,0,".(goto)", 1, 2, 0);
	trans[0][35]	= settr(34,2,91,1,0,"(1)", 1, 2, 0);
	trans[0][40]	= settr(39,2,91,1,0,".(goto)", 1, 2, 0);
	trans[0][38]	= settr(37,2,91,2,0,"else", 1, 2, 0);
	T = trans[0][91] = settr(90,2,0,0,0,"IF", 1, 2, 0);
	T = T->nxt	= settr(90,2,41,0,0,"IF", 1, 2, 0);
	    T->nxt	= settr(90,2,44,0,0,"IF", 1, 2, 0);
	trans[0][41]	= settr(40,4,98,24,24,"((!((word&1))||((word&1)&&!(lives[((word/32)-1)]))))", 1, 2, 0); /* m: 42 -> 98,0 */
	reached0[42] = 1;
	trans[0][42]	= settr(0,0,0,0,0,"word = ((1+(32*(me+1)))+((( (woken) -> (2) : (0) )+( (starving) -> (4) : (0) ))+(queued*8)))",0,0,0);
	trans[0][43]	= settr(0,0,0,0,0,"got = 1",0,0,0);
	trans[0][92]	= settr(91,0,98,25,25,".(goto)", 1, 2, 0);
	trans[0][44]	= settr(43,2,88,2,0,"else", 1, 2, 0);
	T = trans[0][88] = settr(87,2,0,0,0,"IF", 1, 2, 0);
	T = T->nxt	= settr(87,2,45,0,0,"IF", 1, 2, 0);
	    T->nxt	= settr(87,2,87,0,0,"IF", 1, 2, 0);
	trans[0][45]	= settr(44,2,84,26,26,"(((!(expired)&&!(killed))&&!(away)))", 1, 2, 0); /* m: 46 -> 84,0 */
	reached0[46] = 1;
	trans[0][46]	= settr(0,0,0,0,0,"starving = (starving||starved)",0,0,0);
	T = trans[0][84] = settr(83,2,0,0,0,"IF", 1, 2, 0);
	T = T->nxt	= settr(83,2,64,0,0,"IF", 1, 2, 0);
	    T->nxt	= settr(83,2,65,0,0,"IF", 1, 2, 0);
	T = trans[ 0][64] = settr(63,0,0,0,0,"sub-sequence", 1, 2, 0);
	T->nxt	= settr(63,0,60,0,0,"sub-sequence", 1, 2, 0);
	T = trans[0][60] = settr(59,2,0,0,0,"IF", 1, 2, 0);
	T = T->nxt	= settr(59,2,47,0,0,"IF", 1, 2, 0);
	    T->nxt	= settr(59,2,58,0,0,"IF", 1, 2, 0);
	trans[0][47]	= settr(46,2,54,27,27,"(waited)", 1, 2, 0); /* m: 48 -> 54,0 */
	reached0[48] = 1;
	trans[0][48]	= settr(0,0,0,0,0,"i = queued",0,0,0);
	trans[0][55]	= settr(54,2,54,1,0,".(goto)", 1, 2, 0);
	T = trans[0][54] = settr(53,2,0,0,0,"DO", 1, 2, 0);
	T = T->nxt	= settr(53,2,49,0,0,"DO", 1, 2, 0);
	    T->nxt	= settr(53,2,52,0,0,"DO", 1, 2, 0);
	trans[0][49]	= settr(48,2,54,28,28,"((i>0))", 1, 2, 0); /* m: 50 -> 54,0 */
	reached0[50] = 1;
	trans[0][50]	= settr(0,0,0,0,0,"queue[i] = queue[(i-1)]",0,0,0);
	trans[0][51]	= settr(0,0,0,0,0,"i = (i-1)",0,0,0);
	trans[0][52]	= settr(51,2,57,2,0,"else", 1, 2, 0);
	trans[0][53]	= settr(52,2,57,1,0,"goto :b2", 1, 2, 0); /* m: 57 -> 0,98 */
	reached0[57] = 1;
	trans[0][56]	= settr(55,2,57,1,0,"break", 1, 2, 0);
	trans[0][57]	= settr(56,4,98,29,29,"queue[0] = me", 1, 2, 0); /* m: 62 -> 0,98 */
	reached0[62] = 1;
	trans[0][61]	= settr(60,2,62,1,0,".(goto)", 1, 2, 0); /* m: 62 -> 0,98 */
	reached0[62] = 1;
	trans[0][58]	= settr(57,2,59,2,0,"else", 1, 2, 0);
	trans[0][59]	= settr(58,4,98,30,30,"queue[queued] = me", 1, 2, 0); /* m: 62 -> 0,98 */
	reached0[62] = 1;
	trans[0][62]	= settr(61,4,98,31,31,"queued = (queued+1)", 1, 2, 0); /* m: 63 -> 0,98 */
	reached0[63] = 1;
	trans[0][63]	= settr(0,0,0,0,0,"i = 0",0,0,0);
	trans[0][85]	= settr(84,2,86,1,0,".(goto)", 1, 2, 0); /* m: 86 -> 0,98 */
	reached0[86] = 1;
	trans[0][65]	= settr(64,2,83,32,32,"((waited&&!(awake)))", 1, 2, 0);
	T = trans[ 0][83] = settr(82,0,0,0,0,"sub-sequence", 1, 2, 0);
	T->nxt	= settr(82,0,79,0,0,"sub-sequence", 1, 2, 0);
	T = trans[0][79] = settr(78,2,0,0,0,"IF", 1, 2, 0);
#if 0
	/* dead link: */
	T = T->nxt	= settr(78,2,66,0,0,"IF", 1, 2, 0);
#endif
	    T->nxt	= settr(78,2,77,0,0,"IF", 1, 2, 0);
	trans[0][66]	= settr(0,0,0,0,0,"(0)",0,0,0);
	trans[0][67]	= settr(66,2,73,33,33,"i = queued", 1, 2, 0);
	trans[0][74]	= settr(73,2,73,1,0,".(goto)", 1, 2, 0);
	T = trans[0][73] = settr(72,2,0,0,0,"DO", 1, 2, 0);
	T = T->nxt	= settr(72,2,68,0,0,"DO", 1, 2, 0);
	    T->nxt	= settr(72,2,71,0,0,"DO", 1, 2, 0);
	trans[0][68]	= settr(67,2,73,34,34,"((i>0))", 1, 2, 0); /* m: 69 -> 73,0 */
	reached0[69] = 1;
	trans[0][69]	= settr(0,0,0,0,0,"queue[i] = queue[(i-1)]",0,0,0);
	trans[0][70]	= settr(0,0,0,0,0,"i = (i-1)",0,0,0);
	trans[0][71]	= settr(70,2,76,2,0,"else", 1, 2, 0);
	trans[0][72]	= settr(71,2,76,1,0,"goto :b3", 1, 2, 0); /* m: 76 -> 0,98 */
	reached0[76] = 1;
	trans[0][75]	= settr(74,2,76,1,0,"break", 1, 2, 0);
	trans[0][76]	= settr(75,4,98,35,35,"queue[0] = me", 1, 2, 0); /* m: 81 -> 0,98 */
	reached0[81] = 1;
	trans[0][80]	= settr(79,2,81,1,0,".(goto)", 1, 2, 0); /* m: 81 -> 0,98 */
	reached0[81] = 1;
	trans[0][77]	= settr(76,2,78,2,0,"else", 1, 2, 0);
	trans[0][78]	= settr(77,4,98,36,36,"queue[queued] = me", 1, 2, 0); /* m: 81 -> 0,98 */
	reached0[81] = 1;
	trans[0][81]	= settr(80,4,98,37,37,"queued = (queued+1)", 1, 2, 0); /* m: 82 -> 0,98 */
	reached0[82] = 1;
	trans[0][82]	= settr(0,0,0,0,0,"i = 0",0,0,0);
	trans[0][86]	= settr(85,4,98,38,38,"waited = 1", 1, 2, 0); /* m: 90 -> 0,98 */
	reached0[90] = 1;
	trans[0][89]	= settr(88,2,90,1,0,".(goto)", 1, 2, 0); /* m: 90 -> 0,98 */
	reached0[90] = 1;
	trans[0][87]	= settr(86,2,90,2,0,"else", 1, 2, 0);
	trans[0][90]	= settr(89,4,98,39,39,"word = (( ((word&1)) -> (((word&1)+(32*(word/32)))) : (0) )+((( (woken) -> (2) : (0) )+( (starving) -> (4) : (0) ))+(queued*8)))", 1, 2, 0); /* m: 92 -> 0,98 */
	reached0[92] = 1;
	T = trans[0][98] = settr(97,0,0,0,0,"IF", 0, 2, 0);
	T = T->nxt	= settr(97,0,95,0,0,"IF", 0, 2, 0);
	    T->nxt	= settr(97,0,97,0,0,"IF", 0, 2, 0);
	trans[0][95]	= settr(94,0,256,40,40,"(got)", 0, 2, 0); /* m: 193 -> 256,0 */
	reached0[193] = 1;
	trans[0][96]	= settr(95,0,193,1,0,"goto :b1", 0, 2, 0); /* m: 193 -> 0,256 */
	reached0[193] = 1;
	trans[0][99]	= settr(98,0,107,1,0,".(goto)", 0, 2, 0);
	trans[0][97]	= settr(96,0,107,2,0,"else", 0, 2, 0);
	T = trans[0][107] = settr(106,0,0,0,0,"IF", 0, 2, 0);
	T = T->nxt	= settr(106,0,100,0,0,"IF", 0, 2, 0);
	T = T->nxt	= settr(106,0,102,0,0,"IF", 0, 2, 0);
	T = T->nxt	= settr(106,0,104,0,0,"IF", 0, 2, 0);
	    T->nxt	= settr(106,0,106,0,0,"IF", 0, 2, 0);
	trans[0][100]	= settr(99,0,346,41,41,"(expired)", 0, 2, 0);
	trans[0][101]	= settr(100,0,346,1,0,"goto next_round", 0, 2, 0);
	trans[0][108]	= settr(107,0,122,1,0,".(goto)", 0, 2, 0);
	trans[0][102]	= settr(101,0,413,42,42,"(killed)", 0, 2, 0);
	trans[0][103]	= settr(102,0,413,1,0,"goto dead", 0, 2, 0);
	trans[0][104]	= settr(103,0,185,43,43,"(away)", 0, 2, 0);
	trans[0][105]	= settr(104,0,185,1,0,"goto handler", 0, 2, 0);
	trans[0][106]	= settr(105,0,122,2,0,"else", 0, 2, 0);
	T = trans[0][122] = settr(121,0,0,0,0,"IF", 0, 2, 0);
	T = T->nxt	= settr(121,0,109,0,0,"IF", 0, 2, 0);
	T = T->nxt	= settr(121,0,113,0,0,"IF", 0, 2, 0);
	T = T->nxt	= settr(121,0,117,0,0,"IF", 0, 2, 0);
	    T->nxt	= settr(121,0,121,0,0,"IF", 0, 2, 0);
	trans[0][109]	= settr(108,0,159,44,0,"((told[me]!=0))", 1, 2, 0);
	trans[0][123]	= settr(122,0,159,1,0,".(goto)", 0, 2, 0);
	T = trans[ 0][113] = settr(112,2,0,0,0,"ATOMIC", 1, 2, 0);
	T->nxt	= settr(112,2,110,0,0,"ATOMIC", 1, 2, 0);
	trans[0][110]	= settr(109,0,159,45,45,"((timeouts<1))", 1, 2, 0); /* m: 111 -> 159,0 */
	reached0[111] = 1;
	trans[0][111]	= settr(0,0,0,0,0,"timeouts = (timeouts+1)",0,0,0);
	trans[0][112]	= settr(0,0,0,0,0,"expired = 1",0,0,0);
	T = trans[ 0][117] = settr(116,2,0,0,0,"ATOMIC", 1, 2, 0);
	T->nxt	= settr(116,2,114,0,0,"ATOMIC", 1, 2, 0);
	trans[0][114]	= settr(113,0,159,46,46,"((signals<1))", 1, 2, 0); /* m: 115 -> 159,0 */
	reached0[115] = 1;
	trans[0][115]	= settr(0,0,0,0,0,"signals = (signals+1)",0,0,0);
	trans[0][116]	= settr(0,0,0,0,0,"away = 1",0,0,0);
	T = trans[ 0][121] = settr(120,2,0,0,0,"ATOMIC", 1, 2, 0);
	T->nxt	= settr(120,2,118,0,0,"ATOMIC", 1, 2, 0);
	trans[0][118]	= settr(117,0,159,47,47,"((deaths<1))", 1, 2, 0); /* m: 119 -> 159,0 */
	reached0[119] = 1;
	trans[0][119]	= settr(0,0,0,0,0,"deaths = (deaths+1)",0,0,0);
	trans[0][120]	= settr(0,0,0,0,0,"killed = 1",0,0,0);
	T = trans[ 0][159] = settr(158,2,0,0,0,"ATOMIC", 1, 2, 0);
	T->nxt	= settr(158,2,124,0,0,"ATOMIC", 1, 2, 0);
	trans[0][124]	= settr(123,2,157,48,48,"found = 0", 1, 2, 0);
	T = trans[0][157] = settr(156,2,0,0,0,"IF", 1, 2, 0);
	T = T->nxt	= settr(156,2,125,0,0,"IF", 1, 2, 0);
	    T->nxt	= settr(156,2,156,0,0,"IF", 1, 2, 0);
	trans[0][125]	= settr(124,2,149,49,0,"(((expired||killed)||away))", 1, 2, 0);
	T = trans[ 0][149] = settr(148,0,0,0,0,"sub-sequence", 1, 2, 0);
	T->nxt	= settr(148,0,126,0,0,"sub-sequence", 1, 2, 0);
	trans[0][126]	= settr(125,2,139,50,50,"found = 0", 1, 2, 0); /* m: 127 -> 0,139 */
	reached0[127] = 1;
	trans[0][127]	= settr(0,0,0,0,0,"i = 0",0,0,0);
	trans[0][140]	= settr(139,2,139,1,0,".(goto)", 1, 2, 0);
	T = trans[0][139] = settr(138,2,0,0,0,"DO", 1, 2, 0);
	T = T->nxt	= settr(138,2,128,0,0,"DO", 1, 2, 0);
	    T->nxt	= settr(138,2,137,0,0,"DO", 1, 2, 0);
	trans[0][128]	= settr(127,2,134,51,0,"((i<queued))", 1, 2, 0);
	T = trans[0][134] = settr(133,2,0,0,0,"IF", 1, 2, 0);
	T = T->nxt	= settr(133,2,129,0,0,"IF", 1, 2, 0);
	T = T->nxt	= settr(133,2,131,0,0,"IF", 1, 2, 0);
	    T->nxt	= settr(133,2,133,0,0,"IF", 1, 2, 0);
	trans[0][129]	= settr(128,2,139,52,52,"(found)", 1, 2, 0); /* m: 130 -> 139,0 */
	reached0[130] = 1;
	trans[0][130]	= settr(0,0,0,0,0,"queue[(i-1)] = queue[i]",0,0,0);
	trans[0][135]	= settr(134,2,136,1,0,".(goto)", 1, 2, 0); /* m: 136 -> 0,139 */
	reached0[136] = 1;
	trans[0][131]	= settr(130,2,139,53,53,"((!(found)&&(queue[i]==me)))", 1, 2, 0); /* m: 132 -> 139,0 */
	reached0[132] = 1;
	trans[0][132]	= settr(0,0,0,0,0,"found = 1",0,0,0);
	trans[0][133]	= settr(132,2,136,2,0,"else", 1, 2, 0);
	trans[0][136]	= settr(135,2,139,54,54,"i = (i+1)", 1, 2, 0);
	trans[0][137]	= settr(136,2,146,2,0,"else", 1, 2, 0);
	trans[0][138]	= settr(137,2,146,1,0,"goto :b4", 1, 2, 0);
	trans[0][141]	= settr(140,2,146,1,0,"break", 1, 2, 0);
	T = trans[0][146] = settr(145,2,0,0,0,"IF", 1, 2, 0);
	T = T->nxt	= settr(145,2,142,0,0,"IF", 1, 2, 0);
	    T->nxt	= settr(145,2,145,0,0,"IF", 1, 2, 0);
	trans[0][142]	= settr(141,2,154,55,55,"(found)", 1, 2, 0); /* m: 143 -> 154,0 */
	reached0[143] = 1;
	trans[0][143]	= settr(0,0,0,0,0,"queued = (queued-1)",0,0,0);
	trans[0][144]	= settr(0,0,0,0,0,"queue[queued] = 0",0,0,0);
	trans[0][147]	= settr(146,2,148,1,0,".(goto)", 1, 2, 0); /* m: 148 -> 0,154 */
	reached0[148] = 1;
	trans[0][145]	= settr(144,2,148,2,0,"else", 1, 2, 0);
	trans[0][148]	= settr(147,2,154,56,56,"i = 0", 1, 2, 0);
	T = trans[0][154] = settr(153,2,0,0,0,"IF", 1, 2, 0);
	T = T->nxt	= settr(153,2,150,0,0,"IF", 1, 2, 0);
	    T->nxt	= settr(153,2,153,0,0,"IF", 1, 2, 0);
	trans[0][150]	= settr(149,4,167,57,57,"(found)", 1, 2, 0); /* m: 151 -> 167,0 */
	reached0[151] = 1;
	trans[0][151]	= settr(0,0,0,0,0,"starving = (starving&&queued)",0,0,0);
	trans[0][152]	= settr(0,0,0,0,0,"word = (( ((word&1)) -> (((word&1)+(32*(word/32)))) : (0) )+((( (woken) -> (2) : (0) )+( (starving) -> (4) : (0) ))+(queued*8)))",0,0,0);
	trans[0][155]	= settr(154,4,167,58,58,".(goto)", 1, 2, 0); /* m: 158 -> 0,167 */
	reached0[158] = 1;
	trans[0][153]	= settr(152,2,155,2,0,"else", 1, 2, 0);
	trans[0][158]	= settr(157,0,167,59,59,".(goto)", 1, 2, 0);
	trans[0][156]	= settr(155,2,158,2,0,"else", 1, 2, 0);
	T = trans[0][167] = settr(166,0,0,0,0,"IF", 0, 2, 0);
	T = T->nxt	= settr(166,0,160,0,0,"IF", 0, 2, 0);
	T = T->nxt	= settr(166,0,162,0,0,"IF", 0, 2, 0);
	T = T->nxt	= settr(166,0,164,0,0,"IF", 0, 2, 0);
	    T->nxt	= settr(166,0,166,0,0,"IF", 0, 2, 0);
	trans[0][160]	= settr(159,0,346,60,60,"((found&&expired))", 0, 2, 0);
	trans[0][161]	= settr(160,0,346,1,0,"goto next_round", 0, 2, 0);
	trans[0][168]	= settr(167,0,172,1,0,".(goto)", 0, 2, 0);
	trans[0][162]	= settr(161,0,413,61,61,"((found&&killed))", 0, 2, 0);
	trans[0][163]	= settr(162,0,413,1,0,"goto dead", 0, 2, 0);
	trans[0][164]	= settr(163,0,185,62,62,"((found&&away))", 0, 2, 0);
	trans[0][165]	= settr(164,0,185,1,0,"goto handler", 0, 2, 0);
	trans[0][166]	= settr(165,0,172,2,0,"else", 0, 2, 0);
	T = trans[ 0][172] = settr(171,2,0,0,0,"ATOMIC", 1, 2, 0);
	T->nxt	= settr(171,2,169,0,0,"ATOMIC", 1, 2, 0);
	trans[0][169]	= settr(168,4,177,63,63,"((told[me]!=0))", 1, 2, 0); /* m: 170 -> 177,0 */
	reached0[170] = 1;
	trans[0][170]	= settr(0,0,0,0,0,"how = told[me]",0,0,0);
	trans[0][171]	= settr(0,0,0,0,0,"told[me] = 0",0,0,0);
	T = trans[0][177] = settr(176,0,0,0,0,"IF", 0, 2, 0);
	T = T->nxt	= settr(176,0,173,0,0,"IF", 0, 2, 0);
	    T->nxt	= settr(176,0,175,0,0,"IF", 0, 2, 0);
	trans[0][173]	= settr(172,0,256,64,64,"((how==2))", 0, 2, 0); /* m: 193 -> 256,0 */
	reached0[193] = 1;
	trans[0][174]	= settr(173,0,193,1,0,"goto :b1", 0, 2, 0); /* m: 193 -> 0,256 */
	reached0[193] = 1;
	trans[0][178]	= settr(177,0,189,1,0,".(goto)", 0, 2, 0);
	trans[0][175]	= settr(174,0,176,2,0,"else", 0, 2, 0);
	trans[0][176]	= settr(175,0,189,65,65,"awake = 1", 0, 2, 0);
	trans[0][179]	= settr(178,0,189,1,0,"goto look_again", 0, 2, 0);
	T = trans[0][185] = settr(184,0,0,0,0,"IF", 0, 2, 0);
	T = T->nxt	= settr(184,0,180,0,0,"IF", 0, 2, 0);
	    T->nxt	= settr(184,0,184,0,0,"IF", 0, 2, 0);
	trans[0][180]	= settr(179,0,189,66,66,"(1)", 0, 2, 0); /* m: 187 -> 189,0 */
	reached0[187] = 1;
	trans[0][186]	= settr(185,0,187,1,0,".(goto)", 0, 2, 0); /* m: 187 -> 0,189 */
	reached0[187] = 1;
	T = trans[ 0][184] = settr(183,2,0,0,0,"ATOMIC", 1, 2, 0);
	T->nxt	= settr(183,2,181,0,0,"ATOMIC", 1, 2, 0);
	trans[0][181]	= settr(180,4,413,67,67,"((deaths<1))", 1, 2, 0); /* m: 182 -> 413,0 */
	reached0[182] = 1;
	trans[0][182]	= settr(0,0,0,0,0,"deaths = (deaths+1)",0,0,0);
	trans[0][183]	= settr(182,0,413,1,0,"goto dead", 1, 2, 0);
	trans[0][187]	= settr(186,0,189,68,68,"away = 0", 0, 2, 0); /* m: 188 -> 0,189 */
	reached0[188] = 1;
	trans[0][188]	= settr(0,0,0,0,0,"awake = 0",0,0,0);
	trans[0][189]	= settr(188,0,190,1,0,"(1)", 0, 2, 0);
	trans[0][192]	= settr(191,0,193,1,0,"break", 0, 2, 0);
	trans[0][193]	= settr(192,0,256,69,69,"away = 0", 0, 2, 0);
	T = trans[0][256] = settr(255,0,0,0,0,"IF", 0, 2, 0);
	T = T->nxt	= settr(255,0,194,0,0,"IF", 0, 2, 0);
	    T->nxt	= settr(255,0,255,0,0,"IF", 0, 2, 0);
	trans[0][194]	= settr(193,0,245,70,70,"(killed)", 0, 2, 0);
	T = trans[ 0][245] = settr(244,2,0,0,0,"ATOMIC", 1, 2, 0);
	T->nxt	= settr(244,2,244,0,0,"ATOMIC", 1, 2, 0);
	T = trans[ 0][244] = settr(243,0,0,0,0,"sub-sequence", 1, 2, 0);
	T->nxt	= settr(243,0,195,0,0,"sub-sequence", 1, 2, 0);
	trans[0][195]	= settr(194,2,242,71,71,"next = 255", 1, 2, 0); /* m: 196 -> 0,242 */
	reached0[196] = 1;
	trans[0][196]	= settr(0,0,0,0,0,"how = 1",0,0,0);
	T = trans[0][242] = settr(241,2,0,0,0,"IF", 1, 2, 0);
	T = T->nxt	= settr(241,2,197,0,0,"IF", 1, 2, 0);
	    T->nxt	= settr(241,2,241,0,0,"IF", 1, 2, 0);
	trans[0][197]	= settr(196,2,225,72,0,"(((word&1)&&(((word/32)-1)==me)))", 1, 2, 0);
	T = trans[0][225] = settr(224,2,0,0,0,"IF", 1, 2, 0);
	T = T->nxt	= settr(224,2,198,0,0,"IF", 1, 2, 0);
	    T->nxt	= settr(224,2,224,0,0,"IF", 1, 2, 0);
	trans[0][198]	= settr(197,2,223,73,73,"(((starving||!(woken))&&queued))", 1, 2, 0); /* m: 199 -> 223,0 */
	reached0[199] = 1;
	trans[0][199]	= settr(0,0,0,0,0,"next = queue[0]",0,0,0);
	T = trans[ 0][223] = settr(222,0,0,0,0,"sub-sequence", 1, 2, 0);
	T->nxt	= settr(222,0,200,0,0,"sub-sequence", 1, 2, 0);
	trans[0][200]	= settr(199,2,213,74,74,"found = 0", 1, 2, 0); /* m: 201 -> 0,213 */
	reached0[201] = 1;
	trans[0][201]	= settr(0,0,0,0,0,"i = 0",0,0,0);
	trans[0][214]	= settr(213,2,213,1,0,".(goto)", 1, 2, 0);
	T = trans[0][213] = settr(212,2,0,0,0,"DO", 1, 2, 0);
	T = T->nxt	= settr(212,2,202,0,0,"DO", 1, 2, 0);
	    T->nxt	= settr(212,2,211,0,0,"DO", 1, 2, 0);
	trans[0][202]	= settr(201,2,208,75,0,"((i<queued))", 1, 2, 0);
	T = trans[0][208] = settr(207,2,0,0,0,"IF", 1, 2, 0);
	T = T->nxt	= settr(207,2,203,0,0,"IF", 1, 2, 0);
	T = T->nxt	= settr(207,2,205,0,0,"IF", 1, 2, 0);
	    T->nxt	= settr(207,2,207,0,0,"IF", 1, 2, 0);
	trans[0][203]	= settr(202,2,213,76,76,"(found)", 1, 2, 0); /* m: 204 -> 213,0 */
	reached0[204] = 1;
	trans[0][204]	= settr(0,0,0,0,0,"queue[(i-1)] = queue[i]",0,0,0);
	trans[0][209]	= settr(208,2,210,1,0,".(goto)", 1, 2, 0); /* m: 210 -> 0,213 */
	reached0[210] = 1;
	trans[0][205]	= settr(204,2,213,77,77,"((!(found)&&(queue[i]==next)))", 1, 2, 0); /* m: 206 -> 213,0 */
	reached0[206] = 1;
	trans[0][206]	= settr(0,0,0,0,0,"found = 1",0,0,0);
	trans[0][207]	= settr(206,2,210,2,0,"else", 1, 2, 0);
	trans[0][210]	= settr(209,2,213,78,78,"i = (i+1)", 1, 2, 0);
	trans[0][211]	= settr(210,2,220,2,0,"else", 1, 2, 0);
	trans[0][212]	= settr(211,2,220,1,0,"goto :b5", 1, 2, 0);
	trans[0][215]	= settr(214,2,220,1,0,"break", 1, 2, 0);
	T = trans[0][220] = settr(219,2,0,0,0,"IF", 1, 2, 0);
	T = T->nxt	= settr(219,2,216,0,0,"IF", 1, 2, 0);
	    T->nxt	= settr(219,2,219,0,0,"IF", 1, 2, 0);
	trans[0][216]	= settr(215,2,239,79,79,"(found)", 1, 2, 0); /* m: 217 -> 239,0 */
	reached0[217] = 1;
	trans[0][217]	= settr(0,0,0,0,0,"queued = (queued-1)",0,0,0);
	trans[0][218]	= settr(0,0,0,0,0,"queue[queued] = 0",0,0,0);
	trans[0][221]	= settr(220,2,222,1,0,".(goto)", 1, 2, 0); /* m: 222 -> 0,239 */
	reached0[222] = 1;
	trans[0][219]	= settr(218,2,222,2,0,"else", 1, 2, 0);
	trans[0][222]	= settr(221,2,239,80,80,"i = 0", 1, 2, 0);
	trans[0][226]	= settr(225,2,239,1,0,".(goto)", 1, 2, 0);
	trans[0][224]	= settr(223,2,239,2,0,"else", 1, 2, 0);
	T = trans[0][239] = settr(238,2,0,0,0,"IF", 1, 2, 0);
	T = T->nxt	= settr(238,2,227,0,0,"IF", 1, 2, 0);
	    T->nxt	= settr(238,2,235,0,0,"IF", 1, 2, 0);
	trans[0][227]	= settr(226,2,232,81,81,"(((next!=255)&&starving))", 1, 2, 0); /* m: 228 -> 232,0 */
	reached0[228] = 1;
	trans[0][228]	= settr(0,0,0,0,0,"how = 2",0,0,0);
	T = trans[0][232] = settr(231,2,0,0,0,"IF", 1, 2, 0);
	T = T->nxt	= settr(231,2,229,0,0,"IF", 1, 2, 0);
	    T->nxt	= settr(231,2,231,0,0,"IF", 1, 2, 0);
	trans[0][229]	= settr(228,2,230,82,0,"(queued)", 1, 2, 0);
	trans[0][230]	= settr(229,4,253,83,83,"(1)", 1, 2, 0); /* m: 234 -> 253,0 */
	reached0[234] = 1;
	trans[0][233]	= settr(232,2,234,1,0,".(goto)", 1, 2, 0); /* m: 234 -> 0,253 */
	reached0[234] = 1;
	trans[0][231]	= settr(230,4,253,84,84,"starving = 0", 1, 2, 0); /* m: 234 -> 0,253 */
	reached0[234] = 1;
	trans[0][234]	= settr(233,4,253,85,85,"word = ((1+(32*(next+1)))+((( (woken) -> (2) : (0) )+( (starving) -> (4) : (0) ))+(queued*8)))", 1, 2, 0); /* m: 240 -> 0,253 */
	reached0[240] = 1;
	trans[0][240]	= settr(239,4,253,86,86,".(goto)", 1, 2, 0); /* m: 243 -> 0,253 */
	reached0[243] = 1;
	trans[0][235]	= settr(234,2,236,2,0,"else", 1, 2, 0);
	trans[0][236]	= settr(235,4,253,87,87,"starving = 0", 1, 2, 0); /* m: 237 -> 0,253 */
	reached0[237] = 1;
	trans[0][237]	= settr(0,0,0,0,0,"woken = (woken||(next!=255))",0,0,0);
	trans[0][238]	= settr(0,0,0,0,0,"word = ((( (woken) -> (2) : (0) )+( (starving) -> (4) : (0) ))+(queued*8))",0,0,0);
	trans[0][243]	= settr(242,0,253,88,88,".(goto)", 1, 2, 0);
	trans[0][241]	= settr(240,2,243,2,0,"else", 1, 2, 0);
	T = trans[ 0][253] = settr(252,0,0,0,0,"sub-sequence", 0, 2, 0);
	T->nxt	= settr(252,0,251,0,0,"sub-sequence", 0, 2, 0);
	T = trans[0][251] = settr(250,0,0,0,0,"IF", 0, 2, 0);
	T = T->nxt	= settr(250,0,246,0,0,"IF", 0, 2, 0);
	    T->nxt	= settr(250,0,250,0,0,"IF", 0, 2, 0);
	trans[0][246]	= settr(245,0,247,89,0,"((next!=255))", 0, 2, 0);
	trans[0][247]	= settr(246,0,248,90,0,"assert((told[next]==0))", 1, 2, 0);
	trans[0][248]	= settr(247,0,249,91,91,"told[next] = how", 1, 2, 0);
	trans[0][249]	= settr(248,0,413,92,92,"next = 255", 0, 2, 0);
	trans[0][252]	= settr(251,0,413,1,0,".(goto)", 0, 2, 0);
	trans[0][250]	= settr(249,0,413,2,0,"else", 0, 2, 0);
	trans[0][254]	= settr(253,0,413,1,0,"goto dead", 0, 2, 0);
	trans[0][257]	= settr(256,0,258,1,0,".(goto)", 0, 2, 0);
	trans[0][255]	= settr(254,0,258,2,0,"else", 0, 2, 0);
	trans[0][258]	= settr(257,0,259,93,93,"inside = (inside+1)", 1, 2, 0);
	trans[0][259]	= settr(258,0,266,94,0,"assert((inside==1))", 1, 2, 0);
	T = trans[0][266] = settr(265,0,0,0,0,"IF", 0, 2, 0);
	T = T->nxt	= settr(265,0,260,0,0,"IF", 0, 2, 0);
	    T->nxt	= settr(265,0,265,0,0,"IF", 0, 2, 0);
	trans[0][260]	= settr(259,0,268,95,95,"inside = (inside-1)", 1, 2, 0);
	trans[0][267]	= settr(266,0,268,1,0,".(goto)", 0, 2, 0);
	T = trans[ 0][265] = settr(264,2,0,0,0,"ATOMIC", 1, 2, 0);
	T->nxt	= settr(264,2,261,0,0,"ATOMIC", 1, 2, 0);
	trans[0][261]	= settr(260,4,413,96,96,"((deaths<1))", 1, 2, 0); /* m: 262 -> 413,0 */
	reached0[262] = 1;
	trans[0][262]	= settr(0,0,0,0,0,"deaths = (deaths+1)",0,0,0);
	trans[0][263]	= settr(0,0,0,0,0,"inside = (inside-1)",0,0,0);
	trans[0][264]	= settr(263,0,413,1,0,"goto dead", 1, 2, 0);
	trans[0][268]	= settr(267,0,274,97,97,"seen = word", 1, 2, 0);
	T = trans[0][274] = settr(273,0,0,0,0,"IF", 0, 2, 0);
	T = T->nxt	= settr(273,0,269,0,0,"IF", 0, 2, 0);
	    T->nxt	= settr(273,0,273,0,0,"IF", 0, 2, 0);
	trans[0][269]	= settr(268,0,285,1,0,"(1)", 0, 2, 0);
	trans[0][275]	= settr(274,0,285,1,0,".(goto)", 0, 2, 0);
	T = trans[ 0][273] = settr(272,2,0,0,0,"ATOMIC", 1, 2, 0);
	T->nxt	= settr(272,2,270,0,0,"ATOMIC", 1, 2, 0);
	trans[0][270]	= settr(269,4,413,98,98,"((deaths<1))", 1, 2, 0); /* m: 271 -> 413,0 */
	reached0[271] = 1;
	trans[0][271]	= settr(0,0,0,0,0,"deaths = (deaths+1)",0,0,0);
	trans[0][272]	= settr(271,0,413,1,0,"goto dead", 1, 2, 0);
	T = trans[0][285] = settr(284,0,0,0,0,"IF", 0, 2, 0);
	T = T->nxt	= settr(284,0,276,0,0,"IF", 0, 2, 0);
	    T->nxt	= settr(284,0,284,0,0,"IF", 0, 2, 0);
	trans[0][276]	= settr(275,0,283,99,0,"((!((seen&4))&&(!((seen&(3*8)))||(seen&2))))", 0, 2, 0);
	T = trans[ 0][283] = settr(282,2,0,0,0,"ATOMIC", 1, 2, 0);
	T->nxt	= settr(282,2,281,0,0,"ATOMIC", 1, 2, 0);
	T = trans[0][281] = settr(280,2,0,0,0,"IF", 1, 2, 0);
	T = T->nxt	= settr(280,2,277,0,0,"IF", 1, 2, 0);
	    T->nxt	= settr(280,2,280,0,0,"IF", 1, 2, 0);
	trans[0][277]	= settr(276,4,346,100,100,"((word==seen))", 1, 2, 0); /* m: 278 -> 346,0 */
	reached0[278] = 1;
	trans[0][278]	= settr(0,0,0,0,0,"word = (seen-( ((seen&1)) -> (((seen&1)+(32*(seen/32)))) : (0) ))",0,0,0);
	trans[0][279]	= settr(278,0,346,1,0,"goto next_round", 1, 2, 0);
	trans[0][282]	= settr(281,0,337,1,0,".(goto)", 1, 2, 0);
	trans[0][280]	= settr(279,2,282,2,0,"else", 1, 2, 0);
	trans[0][286]	= settr(285,0,337,1,0,".(goto)", 0, 2, 0);
	trans[0][284]	= settr(283,0,337,2,0,"else", 0, 2, 0);
	T = trans[ 0][337] = settr(336,2,0,0,0,"ATOMIC", 1, 2, 0);
	T->nxt	= settr(336,2,336,0,0,"ATOMIC", 1, 2, 0);
	T = trans[ 0][336] = settr(335,0,0,0,0,"sub-sequence", 1, 2, 0);
	T->nxt	= settr(335,0,287,0,0,"sub-sequence", 1, 2, 0);
	trans[0][287]	= settr(286,2,334,101,101,"next = 255", 1, 2, 0); /* m: 288 -> 0,334 */
	reached0[288] = 1;
	trans[0][288]	= settr(0,0,0,0,0,"how = 1",0,0,0);
	T = trans[0][334] = settr(333,2,0,0,0,"IF", 1, 2, 0);
	T = T->nxt	= settr(333,2,289,0,0,"IF", 1, 2, 0);
	    T->nxt	= settr(333,2,333,0,0,"IF", 1, 2, 0);
	trans[0][289]	= settr(288,2,317,102,0,"(((word&1)&&(((word/32)-1)==me)))", 1, 2, 0);
	T = trans[0][317] = settr(316,2,0,0,0,"IF", 1, 2, 0);
	T = T->nxt	= settr(316,2,290,0,0,"IF", 1, 2, 0);
	    T->nxt	= settr(316,2,316,0,0,"IF", 1, 2, 0);
	trans[0][290]	= settr(289,2,315,103,103,"(((starving||!(woken))&&queued))", 1, 2, 0); /* m: 291 -> 315,0 */
	reached0[291] = 1;
	trans[0][291]	= settr(0,0,0,0,0,"next = queue[0]",0,0,0);
	T = trans[ 0][315] = settr(314,0,0,0,0,"sub-sequence", 1, 2, 0);
	T->nxt	= settr(314,0,292,0,0,"sub-sequence", 1, 2, 0);
	trans[0][292]	= settr(291,2,305,104,104,"found = 0", 1, 2, 0); /* m: 293 -> 0,305 */
	reached0[293] = 1;
	trans[0][293]	= settr(0,0,0,0,0,"i = 0",0,0,0);
	trans[0][306]	= settr(305,2,305,1,0,".(goto)", 1, 2, 0);
	T = trans[0][305] = settr(304,2,0,0,0,"DO", 1, 2, 0);
	T = T->nxt	= settr(304,2,294,0,0,"DO", 1, 2, 0);
	    T->nxt	= settr(304,2,303,0,0,"DO", 1, 2, 0);
	trans[0][294]	= settr(293,2,300,105,0,"((i<queued))", 1, 2, 0);
	T = trans[0][300] = settr(299,2,0,0,0,"IF", 1, 2, 0);
	T = T->nxt	= settr(299,2,295,0,0,"IF", 1, 2, 0);
	T = T->nxt	= settr(299,2,297,0,0,"IF", 1, 2, 0);
	    T->nxt	= settr(299,2,299,0,0,"IF", 1, 2, 0);
	trans[0][295]	= settr(294,2,305,106,106,"(found)", 1, 2, 0); /* m: 296 -> 305,0 */
	reached0[296] = 1;
	trans[0][296]	= settr(0,0,0,0,0,"queue[(i-1)] = queue[i]",0,0,0);
	trans[0][301]	= settr(300,2,302,1,0,".(goto)", 1, 2, 0); /* m: 302 -> 0,305 */
	reached0[302] = 1;
	trans[0][297]	= settr(296,2,305,107,107,"((!(found)&&(queue[i]==next)))", 1, 2, 0); /* m: 298 -> 305,0 */
	reached0[298] = 1;
	trans[0][298]	= settr(0,0,0,0,0,"found = 1",0,0,0);
	trans[0][299]	= settr(298,2,302,2,0,"else", 1, 2, 0);
	trans[0][302]	= settr(301,2,305,108,108,"i = (i+1)", 1, 2, 0);
	trans[0][303]	= settr(302,2,312,2,0,"else", 1, 2, 0);
	trans[0][304]	= settr(303,2,312,1,0,"goto :b6", 1, 2, 0);
	trans[0][307]	= settr(306,2,312,1,0,"break", 1, 2, 0);
	T = trans[0][312] = settr(311,2,0,0,0,"IF", 1, 2, 0);
	T = T->nxt	= settr(311,2,308,0,0,"IF", 1, 2, 0);
	    T->nxt	= settr(311,2,311,0,0,"IF", 1, 2, 0);
	trans[0][308]	= settr(307,2,331,109,109,"(found)", 1, 2, 0); /* m: 309 -> 331,0 */
	reached0[309] = 1;
	trans[0][309]	= settr(0,0,0,0,0,"queued = (queued-1)",0,0,0);
	trans[0][310]	= settr(0,0,0,0,0,"queue[queued] = 0",0,0,0);
	trans[0][313]	= settr(312,2,314,1,0,".(goto)", 1, 2, 0); /* m: 314 -> 0,331 */
	reached0[314] = 1;
	trans[0][311]	= settr(310,2,314,2,0,"else", 1, 2, 0);
	trans[0][314]	= settr(313,2,331,110,110,"i = 0", 1, 2, 0);
	trans[0][318]	= settr(317,2,331,1,0,".(goto)", 1, 2, 0);
	trans[0][316]	= settr(315,2,331,2,0,"else", 1, 2, 0);
	T = trans[0][331] = settr(330,2,0,0,0,"IF", 1, 2, 0);
	T = T->nxt	= settr(330,2,319,0,0,"IF", 1, 2, 0);
	    T->nxt	= settr(330,2,327,0,0,"IF", 1, 2, 0);
	trans[0][319]	= settr(318,2,324,111,111,"(((next!=255)&&starving))", 1, 2, 0); /* m: 320 -> 324,0 */
	reached0[320] = 1;
	trans[0][320]	= settr(0,0,0,0,0,"how = 2",0,0,0);
	T = trans[0][324] = settr(323,2,0,0,0,"IF", 1, 2, 0);
	T = T->nxt	= settr(323,2,321,0,0,"IF", 1, 2, 0);
	    T->nxt	= settr(323,2,323,0,0,"IF", 1, 2, 0);
	trans[0][321]	= settr(320,2,322,112,0,"(queued)", 1, 2, 0);
	trans[0][322]	= settr(321,4,345,113,113,"(1)", 1, 2, 0); /* m: 326 -> 345,0 */
	reached0[326] = 1;
	trans[0][325]	= settr(324,2,326,1,0,".(goto)", 1, 2, 0); /* m: 326 -> 0,345 */
	reached0[326] = 1;
	trans[0][323]	= settr(322,4,345,114,114,"starving = 0", 1, 2, 0); /* m: 326 -> 0,345 */
	reached0[326] = 1;
	trans[0][326]	= settr(325,4,345,115,115,"word = ((1+(32*(next+1)))+((( (woken) -> (2) : (0) )+( (starving) -> (4) : (0) ))+(queued*8)))", 1, 2, 0); /* m: 332 -> 0,345 */
	reached0[332] = 1;
	trans[0][332]	= settr(331,4,345,116,116,".(goto)", 1, 2, 0); /* m: 335 -> 0,345 */
	reached0[335] = 1;
	trans[0][327]	= settr(326,2,328,2,0,"else", 1, 2, 0);
	trans[0][328]	= settr(327,4,345,117,117,"starving = 0", 1, 2, 0); /* m: 329 -> 0,345 */
	reached0[329] = 1;
	trans[0][329]	= settr(0,0,0,0,0,"woken = (woken||(next!=255))",0,0,0);
	trans[0][330]	= settr(0,0,0,0,0,"word = ((( (woken) -> (2) : (0) )+( (starving) -> (4) : (0) ))+(queued*8))",0,0,0);
	trans[0][335]	= settr(334,0,345,118,118,".(goto)", 1, 2, 0);
	trans[0][333]	= settr(332,2,335,2,0,"else", 1, 2, 0);
	T = trans[ 0][345] = settr(344,0,0,0,0,"sub-sequence", 0, 2, 0);
	T->nxt	= settr(344,0,343,0,0,"sub-sequence", 0, 2, 0);
	T = trans[0][343] = settr(342,0,0,0,0,"IF", 0, 2, 0);
	T = T->nxt	= settr(342,0,338,0,0,"IF", 0, 2, 0);
	    T->nxt	= settr(342,0,342,0,0,"IF", 0, 2, 0);
	trans[0][338]	= settr(337,0,339,119,0,"((next!=255))", 0, 2, 0);
	trans[0][339]	= settr(338,0,340,120,0,"assert((told[next]==0))", 1, 2, 0);
	trans[0][340]	= settr(339,0,341,121,121,"told[next] = how", 1, 2, 0);
	trans[0][341]	= settr(340,0,346,122,122,"next = 255", 0, 2, 0);
	trans[0][344]	= settr(343,0,346,1,0,".(goto)", 0, 2, 0);
	trans[0][342]	= settr(341,0,346,2,0,"else", 0, 2, 0);
	trans[0][346]	= settr(345,0,350,123,123,"(1)", 0, 2, 0); /* m: 347 -> 350,0 */
	reached0[347] = 1;
	trans[0][347]	= settr(0,0,0,0,0,"round = (round+1)",0,0,0);
	trans[0][348]	= settr(347,0,413,2,0,"else", 0, 2, 0);
	trans[0][349]	= settr(348,0,413,1,0,"goto :b0", 0, 2, 0);
	trans[0][352]	= settr(351,0,413,1,0,"break", 0, 2, 0);
	T = trans[ 0][413] = settr(412,0,0,0,0,"sub-sequence", 0, 2, 0);
	T->nxt	= settr(412,0,404,0,0,"sub-sequence", 0, 2, 0);
	T = trans[ 0][404] = settr(403,2,0,0,0,"ATOMIC", 1, 2, 0);
	T->nxt	= settr(403,2,353,0,0,"ATOMIC", 1, 2, 0);
	trans[0][353]	= settr(352,2,403,124,124,"lives[me] = 0", 1, 2, 0);
	T = trans[ 0][403] = settr(402,0,0,0,0,"sub-sequence", 1, 2, 0);
	T->nxt	= settr(402,0,354,0,0,"sub-sequence", 1, 2, 0);
	trans[0][354]	= settr(353,2,401,125,125,"next = 255", 1, 2, 0); /* m: 355 -> 0,401 */
	reached0[355] = 1;
	trans[0][355]	= settr(0,0,0,0,0,"how = 1",0,0,0);
	T = trans[0][401] = settr(400,2,0,0,0,"IF", 1, 2, 0);
	T = T->nxt	= settr(400,2,356,0,0,"IF", 1, 2, 0);
	    T->nxt	= settr(400,2,400,0,0,"IF", 1, 2, 0);
	trans[0][356]	= settr(355,2,384,126,126,"(((word&1)&&(((word/32)-1)==me)))", 1, 2, 0);
	T = trans[0][384] = settr(383,2,0,0,0,"IF", 1, 2, 0);
	T = T->nxt	= settr(383,2,357,0,0,"IF", 1, 2, 0);
	    T->nxt	= settr(383,2,383,0,0,"IF", 1, 2, 0);
	trans[0][357]	= settr(356,2,382,127,127,"(((starving||!(woken))&&queued))", 1, 2, 0); /* m: 358 -> 382,0 */
	reached0[358] = 1;
	trans[0][358]	= settr(0,0,0,0,0,"next = queue[0]",0,0,0);
	T = trans[ 0][382] = settr(381,0,0,0,0,"sub-sequence", 1, 2, 0);
	T->nxt	= settr(381,0,359,0,0,"sub-sequence", 1, 2, 0);
	trans[0][359]	= settr(358,2,372,128,128,"found = 0", 1, 2, 0); /* m: 360 -> 0,372 */
	reached0[360] = 1;
	trans[0][360]	= settr(0,0,0,0,0,"i = 0",0,0,0);
	trans[0][373]	= settr(372,2,372,1,0,".(goto)", 1, 2, 0);
	T = trans[0][372] = settr(371,2,0,0,0,"DO", 1, 2, 0);
	T = T->nxt	= settr(371,2,361,0,0,"DO", 1, 2, 0);
	    T->nxt	= settr(371,2,370,0,0,"DO", 1, 2, 0);
	trans[0][361]	= settr(360,2,367,129,0,"((i<queued))", 1, 2, 0);
	T = trans[0][367] = settr(366,2,0,0,0,"IF", 1, 2, 0);
	T = T->nxt	= settr(366,2,362,0,0,"IF", 1, 2, 0);
	T = T->nxt	= settr(366,2,364,0,0,"IF", 1, 2, 0);
	    T->nxt	= settr(366,2,366,0,0,"IF", 1, 2, 0);
	trans[0][362]	= settr(361,2,372,130,130,"(found)", 1, 2, 0); /* m: 363 -> 372,0 */
	reached0[363] = 1;
	trans[0][363]	= settr(0,0,0,0,0,"queue[(i-1)] = queue[i]",0,0,0);
	trans[0][368]	= settr(367,2,369,1,0,".(goto)", 1, 2, 0); /* m: 369 -> 0,372 */
	reached0[369] = 1;
	trans[0][364]	= settr(363,2,372,131,131,"((!(found)&&(queue[i]==next)))", 1, 2, 0); /* m: 365 -> 372,0 */
	reached0[365] = 1;
	trans[0][365]	= settr(0,0,0,0,0,"found = 1",0,0,0);
	trans[0][366]	= settr(365,2,369,2,0,"else", 1, 2, 0);
	trans[0][369]	= settr(368,2,372,132,132,"i = (i+1)", 1, 2, 0);
	trans[0][370]	= settr(369,2,379,2,0,"else", 1, 2, 0);
	trans[0][371]	= settr(370,2,379,1,0,"goto :b7", 1, 2, 0);
	trans[0][374]	= settr(373,2,379,1,0,"break", 1, 2, 0);
	T = trans[0][379] = settr(378,2,0,0,0,"IF", 1, 2, 0);
	T = T->nxt	= settr(378,2,375,0,0,"IF", 1, 2, 0);
	    T->nxt	= settr(378,2,378,0,0,"IF", 1, 2, 0);
	trans[0][375]	= settr(374,2,398,133,133,"(found)", 1, 2, 0); /* m: 376 -> 398,0 */
	reached0[376] = 1;
	trans[0][376]	= settr(0,0,0,0,0,"queued = (queued-1)",0,0,0);
	trans[0][377]	= settr(0,0,0,0,0,"queue[queued] = 0",0,0,0);
	trans[0][380]	= settr(379,2,381,1,0,".(goto)", 1, 2, 0); /* m: 381 -> 0,398 */
	reached0[381] = 1;
	trans[0][378]	= settr(377,2,381,2,0,"else", 1, 2, 0);
	trans[0][381]	= settr(380,2,398,134,134,"i = 0", 1, 2, 0);
	trans[0][385]	= settr(384,2,398,1,0,".(goto)", 1, 2, 0);
	trans[0][383]	= settr(382,2,398,2,0,"else", 1, 2, 0);
	T = trans[0][398] = settr(397,2,0,0,0,"IF", 1, 2, 0);
	T = T->nxt	= settr(397,2,386,0,0,"IF", 1, 2, 0);
	    T->nxt	= settr(397,2,394,0,0,"IF", 1, 2, 0);
	trans[0][386]	= settr(385,2,391,135,135,"(((next!=255)&&starving))", 1, 2, 0); /* m: 387 -> 391,0 */
	reached0[387] = 1;
	trans[0][387]	= settr(0,0,0,0,0,"how = 2",0,0,0);
	T = trans[0][391] = settr(390,2,0,0,0,"IF", 1, 2, 0);
	T = T->nxt	= settr(390,2,388,0,0,"IF", 1, 2, 0);
	    T->nxt	= settr(390,2,390,0,0,"IF", 1, 2, 0);
	trans[0][388]	= settr(387,2,389,136,0,"(queued)", 1, 2, 0);
	trans[0][389]	= settr(388,4,412,137,137,"(1)", 1, 2, 0); /* m: 393 -> 412,0 */
	reached0[393] = 1;
	trans[0][392]	= settr(391,2,393,1,0,".(goto)", 1, 2, 0); /* m: 393 -> 0,412 */
	reached0[393] = 1;
	trans[0][390]	= settr(389,4,412,138,138,"starving = 0", 1, 2, 0); /* m: 393 -> 0,412 */
	reached0[393] = 1;
	trans[0][393]	= settr(392,4,412,139,139,"word = ((1+(32*(next+1)))+((( (woken) -> (2) : (0) )+( (starving) -> (4) : (0) ))+(queued*8)))", 1, 2, 0); /* m: 399 -> 0,412 */
	reached0[399] = 1;
	trans[0][399]	= settr(398,4,412,140,140,".(goto)", 1, 2, 0); /* m: 402 -> 0,412 */
	reached0[402] = 1;
	trans[0][394]	= settr(393,2,395,2,0,"else", 1, 2, 0);
	trans[0][395]	= settr(394,4,412,141,141,"starving = 0", 1, 2, 0); /* m: 396 -> 0,412 */
	reached0[396] = 1;
	trans[0][396]	= settr(0,0,0,0,0,"woken = (woken||(next!=255))",0,0,0);
	trans[0][397]	= settr(0,0,0,0,0,"word = ((( (woken) -> (2) : (0) )+( (starving) -> (4) : (0) ))+(queued*8))",0,0,0);
	trans[0][402]	= settr(401,0,412,142,142,".(goto)", 1, 2, 0);
	trans[0][400]	= settr(399,2,402,2,0,"else", 1, 2, 0);
	T = trans[ 0][412] = settr(411,0,0,0,0,"sub-sequence", 0, 2, 0);
	T->nxt	= settr(411,0,410,0,0,"sub-sequence", 0, 2, 0);
	T = trans[0][410] = settr(409,0,0,0,0,"IF", 0, 2, 0);
	T = T->nxt	= settr(409,0,405,0,0,"IF", 0, 2, 0);
	    T->nxt	= settr(409,0,409,0,0,"IF", 0, 2, 0);
	trans[0][405]	= settr(404,0,406,143,0,"((next!=255))", 0, 2, 0);
	trans[0][406]	= settr(405,0,407,144,0,"assert((told[next]==0))", 1, 2, 0);
	trans[0][407]	= settr(406,0,408,145,145,"told[next] = how", 1, 2, 0);
	trans[0][408]	= settr(407,0,414,146,146,"next = 255", 0, 2, 0);
	trans[0][411]	= settr(410,0,414,1,0,".(goto)", 0, 2, 0);
	trans[0][409]	= settr(408,0,414,2,0,"else", 0, 2, 0);
	trans[0][414]	= settr(413,0,0,147,147,"-end-", 0, 3500, 0);
	/* np_ demon: */
	trans[_NP_] = (Trans **) emalloc(3*sizeof(Trans *));
	T = trans[_NP_][0] = settr(9997,0,1,_T5,0,"(np_)", 1,2,0);
	    T->nxt	  = settr(9998,0,0,_T2,0,"(1)",   0,2,0);
	T = trans[_NP_][1] = settr(9999,0,1,_T5,0,"(np_)", 1,2,0);
}

Trans *
settr(	int t_id, int a, int b, int c, int d,
	char *t, int g, int tpe0, int tpe1)
{	Trans *tmp = (Trans *) emalloc(sizeof(Trans));

	tmp->atom  = a&(6|32);	/* only (2|8|32) have meaning */
	if (!g) tmp->atom |= 8;	/* no global references */
	tmp->st    = b;
	tmp->tpe[0] = tpe0;
	tmp->tpe[1] = tpe1;
	tmp->tp    = t;
	tmp->t_id  = t_id;
	tmp->forw  = c;
	tmp->back  = d;
	return tmp;
}

Trans *
cpytr(Trans *a)
{	Trans *tmp = (Trans *) emalloc(sizeof(Trans));

	int i;
	tmp->atom  = a->atom;
	tmp->st    = a->st;
#ifdef HAS_UNLESS
	tmp->e_trans = a->e_trans;
	for (i = 0; i < HAS_UNLESS; i++)
		tmp->escp[i] = a->escp[i];
#endif
	tmp->tpe[0] = a->tpe[0];
	tmp->tpe[1] = a->tpe[1];
	for (i = 0; i < 6; i++)
	{	tmp->qu[i] = a->qu[i];
		tmp->ty[i] = a->ty[i];
	}
	tmp->tp    = (char *) emalloc(strlen(a->tp)+1);
	strcpy(tmp->tp, a->tp);
	tmp->t_id  = a->t_id;
	tmp->forw  = a->forw;
	tmp->back  = a->back;
	return tmp;
}

#ifndef NOREDUCE
int
srinc_set(int n)
{	if (n <= 2) return LOCAL;
	if (n <= 2+  DELTA) return Q_FULL_F; /* 's' or nfull  */
	if (n <= 2+2*DELTA) return Q_EMPT_F; /* 'r' or nempty */
	if (n <= 2+3*DELTA) return Q_EMPT_T; /* empty */
	if (n <= 2+4*DELTA) return Q_FULL_T; /* full  */
	if (n ==   5*DELTA) return GLOBAL;
	if (n ==   6*DELTA) return TIMEOUT_F;
	if (n ==   7*DELTA) return ALPHA_F;
	Uerror("cannot happen srinc_class");
	return BAD;
}
int
srunc(int n, int m)
{	switch(m) {
	case Q_FULL_F: return n-2;
	case Q_EMPT_F: return n-2-DELTA;
	case Q_EMPT_T: return n-2-2*DELTA;
	case Q_FULL_T: return n-2-3*DELTA;
	case ALPHA_F:
	case TIMEOUT_F: return 257; /* non-zero, and > MAXQ */
	}
	Uerror("cannot happen srunc");
	return 0;
}
#endif
int cnt;
#ifdef HAS_UNLESS
int
isthere(Trans *a, int b)
{	Trans *t;
	for (t = a; t; t = t->nxt)
		if (t->t_id == b)
			return 1;
	return 0;
}
#endif
#ifndef NOREDUCE
int
mark_safety(Trans *t) /* for conditional safety */
{	int g = 0, i, j, k;

	if (!t) return 0;
	if (t->qu[0])
		return (t->qu[1])?2:1;	/* marked */

	for (i = 0; i < 2; i++)
	{	j = srinc_set(t->tpe[i]);
		if (j >= GLOBAL && j != ALPHA_F)
			return -1;
		if (j != LOCAL)
		{	k = srunc(t->tpe[i], j);
			if (g == 0
			||  t->qu[0] != k
			||  t->ty[0] != j)
			{	t->qu[g] = k;
				t->ty[g] = j;
				g++;
	}	}	}
	return g;
}
#endif
void
retrans(int n, int m, int is, short srcln[], uchar reach[], uchar lpstate[])
	/* process n, with m states, is=initial state */
{	Trans *T0, *T1, *T2, *T3;
	Trans *T4, *T5; /* t_reverse or has_unless */
	int i;
#if defined(HAS_UNLESS) || !defined(NOREDUCE)
	int k;
#endif
#ifndef NOREDUCE
	int g, h, j, aa;
#endif
#ifdef HAS_UNLESS
	int p;
#endif
	if (state_tables >= 4)
	{	printf("STEP 1 %s\n", 
			procname[n]);
		for (i = 1; i < m; i++)
		for (T0 = trans[n][i]; T0; T0 = T0->nxt)
			crack(n, i, T0, srcln);
		return;
	}
	do {
		for (i = 1, cnt = 0; i < m; i++)
		{	T2 = trans[n][i];
			T1 = T2?T2->nxt:(Trans *)0;
/* prescan: */		for (T0 = T1; T0; T0 = T0->nxt)
/* choice in choice */	{	if (T0->st && trans[n][T0->st]
				&&  trans[n][T0->st]->nxt)
					break;
			}
#if 0
		if (T0)
		printf("\tstate %d / %d: choice in choice\n",
		i, T0->st);
#endif
			if (T0)
			for (T0 = T1; T0; T0 = T0->nxt)
			{	T3 = trans[n][T0->st];
				if (!T3->nxt)
				{	T2->nxt = cpytr(T0);
					T2 = T2->nxt;
					imed(T2, T0->st, n, i);
					continue;
				}
				do {	T3 = T3->nxt;
					T2->nxt = cpytr(T3);
					T2 = T2->nxt;
					imed(T2, T0->st, n, i);
				} while (T3->nxt);
				cnt++;
			}
		}
	} while (cnt);
	if (state_tables >= 3)
	{	printf("STEP 2 %s\n", 
			procname[n]);
		for (i = 1; i < m; i++)
		for (T0 = trans[n][i]; T0; T0 = T0->nxt)
			crack(n, i, T0, srcln);
		return;
	}
	for (i = 1; i < m; i++)
	{	if (trans[n][i] && trans[n][i]->nxt) /* optimize */
		{	T1 = trans[n][i]->nxt;
#if 0
			printf("\t\tpull %d (%d) to %d\n",
			T1->st, T1->forw, i);
#endif
			srcln[i] = srcln[T1->st];	/* Oyvind Teig, 5.2.0 */

			if (!trans[n][T1->st]) continue;
			T0 = cpytr(trans[n][T1->st]);
			trans[n][i] = T0;
			reach[T1->st] = 1;
			imed(T0, T1->st, n, i);
			for (T1 = T1->nxt; T1; T1 = T1->nxt)
			{
#if 0
			printf("\t\tpull %d (%d) to %d\n",
				T1->st, T1->forw, i);
#endif
		/*		srcln[i] = srcln[T1->st];  gh: not useful */
				if (!trans[n][T1->st]) continue;
				T0->nxt = cpytr(trans[n][T1->st]);
				T0 = T0->nxt;
				reach[T1->st] = 1;
				imed(T0, T1->st, n, i);
	}	}	}
	if (state_tables >= 2)
	{	printf("STEP 3 %s\n", 
			procname[n]);
		for (i = 1; i < m; i++)
		for (T0 = trans[n][i]; T0; T0 = T0->nxt)
			crack(n, i, T0, srcln);
		return;
	}
#ifdef HAS_UNLESS
	for (i = 1; i < m; i++)
	{	if (!trans[n][i]) continue;
		/* check for each state i if an
		 * escape to some state p is defined
		 * if so, copy and mark p's transitions
		 * and prepend them to the transition-
		 * list of state i
		 */
	 if (!like_java) /* the default */
	 {	for (T0 = trans[n][i]; T0; T0 = T0->nxt)
		for (k = HAS_UNLESS-1; k >= 0; k--)
		{	if (p = T0->escp[k])
			for (T1 = trans[n][p]; T1; T1 = T1->nxt)
			{	if (isthere(trans[n][i], T1->t_id))
					continue;
				T2 = cpytr(T1);
				T2->e_trans = p;
				T2->nxt = trans[n][i];
				trans[n][i] = T2;
		}	}
	 } else /* outermost unless checked first */
	 {	T4 = T3 = (Trans *) 0;
		for (T0 = trans[n][i]; T0; T0 = T0->nxt)
		for (k = HAS_UNLESS-1; k >= 0; k--)
		{	if (p = T0->escp[k])
			for (T1 = trans[n][p]; T1; T1 = T1->nxt)
			{	if (isthere(trans[n][i], T1->t_id))
					continue;
				T2 = cpytr(T1);
				T2->nxt = (Trans *) 0;
				T2->e_trans = p;
				if (T3)	T3->nxt = T2;
				else	T4 = T2;
				T3 = T2;
		}	}
		if (T4)
		{	T3->nxt = trans[n][i];
			trans[n][i] = T4;
		}
	 }
	}
#endif
#ifndef NOREDUCE
	for (i = 1; i < m; i++)
	{	if (a_cycles)
		{ /* moves through these states are visible */
	#if PROG_LAB>0 && defined(HAS_NP)
			if (progstate[n][i])
				goto degrade;
			for (T1 = trans[n][i]; T1; T1 = T1->nxt)
				if (progstate[n][T1->st])
					goto degrade;
	#endif
			if (accpstate[n][i] || visstate[n][i])
				goto degrade;
			for (T1 = trans[n][i]; T1; T1 = T1->nxt)
				if (accpstate[n][T1->st])
					goto degrade;
		}
		T1 = trans[n][i];
		if (!T1) continue;
		g = mark_safety(T1);	/* V3.3.1 */
		if (g < 0) goto degrade; /* global */
		/* check if mixing of guards preserves reduction */
		if (T1->nxt)
		{	k = 0;
			for (T0 = T1; T0; T0 = T0->nxt)
			{	if (!(T0->atom&8))
					goto degrade;
				for (aa = 0; aa < 2; aa++)
				{	j = srinc_set(T0->tpe[aa]);
					if (j >= GLOBAL && j != ALPHA_F)
						goto degrade;
					if (T0->tpe[aa]
					&&  T0->tpe[aa]
					!=  T1->tpe[0])
						k = 1;
			}	}
			/* g = 0;	V3.3.1 */
			if (k)	/* non-uniform selection */
			for (T0 = T1; T0; T0 = T0->nxt)
			for (aa = 0; aa < 2; aa++)
			{	j = srinc_set(T0->tpe[aa]);
				if (j != LOCAL)
				{	k = srunc(T0->tpe[aa], j);
					for (h = 0; h < 6; h++)
						if (T1->qu[h] == k
						&&  T1->ty[h] == j)
							break;
					if (h >= 6)
					{	T1->qu[g%6] = k;
						T1->ty[g%6] = j;
						g++;
			}	}	}
			if (g > 6)
			{	T1->qu[0] = 0;	/* turn it off */
				printf("pan: warning, line %d, ",
					srcln[i]);
			 	printf("too many stmnt types (%d)",
					g);
			  	printf(" in selection\n");
			  goto degrade;
			}
		}
		/* mark all options global if >=1 is global */
		for (T1 = trans[n][i]; T1; T1 = T1->nxt)
			if (!(T1->atom&8)) break;
		if (T1)
degrade:	for (T1 = trans[n][i]; T1; T1 = T1->nxt)
			T1->atom &= ~8;	/* mark as unsafe */
		/* can only mix 'r's or 's's if on same chan */
		/* and not mixed with other local operations */
		T1 = trans[n][i];
		if (!T1 || T1->qu[0]) continue;
		j = T1->tpe[0];
		if (T1->nxt && T1->atom&8)
		{ if (j == 5*DELTA)
		  {	printf("warning: line %d ", srcln[i]);
			printf("mixed condition ");
			printf("(defeats reduction)\n");
			goto degrade;
		  }
		  for (T0 = T1; T0; T0 = T0->nxt)
		  for (aa = 0; aa < 2; aa++)
		  if  (T0->tpe[aa] && T0->tpe[aa] != j)
		  {	printf("warning: line %d ", srcln[i]);
			printf("[%d-%d] mixed %stion ",
				T0->tpe[aa], j, 
				(j==5*DELTA)?"condi":"selec");
			printf("(defeats reduction)\n");
			printf("	'%s' <-> '%s'\n",
				T1->tp, T0->tp);
			goto degrade;
		} }
	}
#endif
	for (i = 1; i < m; i++)
	{	T2 = trans[n][i];
		if (!T2
		||  T2->nxt
		||  strncmp(T2->tp, ".(goto)", 7)
		||  !stopstate[n][i])
			continue;
		stopstate[n][T2->st] = 1;
	}
	if (state_tables && !verbose)
	{	if (dodot)
		{	char buf[256], *q = buf, *p = procname[n];
			while (*p != '\0')
			{	if (*p != ':')
				{	*q++ = *p;
				}
				p++;
			}
			*q = '\0';
			printf("digraph ");
			switch (Btypes[n]) {
			case I_PROC:  printf("init {\n"); break;
			case N_CLAIM: printf("claim_%s {\n", buf); break;
			case E_TRACE: printf("notrace {\n"); break;
			case N_TRACE: printf("trace {\n"); break;
			default:      printf("p_%s {\n", buf); break;
			}
			printf("size=\"8,10\";\n");
			printf("  GT [shape=box,style=dotted,label=\"%s\"];\n", buf);
			printf("  GT -> S%d;\n", is);
		} else
		{	switch (Btypes[n]) {
			case I_PROC:  printf("init\n"); break;
			case N_CLAIM: printf("claim %s\n", procname[n]); break;
			case E_TRACE: printf("notrace assertion\n"); break;
			case N_TRACE: printf("trace assertion\n"); break;
			default:      printf("proctype %s\n", procname[n]); break;
		}	}
		for (i = 1; i < m; i++)
		{	reach[i] = 1;
		}
		tagtable(n, m, is, srcln, reach);
		if (dodot) printf("}\n");
	} else
	for (i = 1; i < m; i++)
	{	int nrelse;
		if (Btypes[n] != N_CLAIM)
		{	for (T0 = trans[n][i]; T0; T0 = T0->nxt)
			{	if (T0->st == i
				&& strcmp(T0->tp, "(1)") == 0)
				{	printf("error: proctype '%s' ",
						procname[n]);
		  			printf("line %d, state %d: has un",
						srcln[i], i);
					printf("conditional self-loop\n");
					pan_exit(1);
		}	}	}
		nrelse = 0;
		for (T0 = trans[n][i]; T0; T0 = T0->nxt)
		{	if (strcmp(T0->tp, "else") == 0)
				nrelse++;
		}
		if (nrelse > 1)
		{	printf("error: proctype '%s' state",
				procname[n]);
		  	printf(" %d, inherits %d", i, nrelse);
		  	printf(" 'else' stmnts\n");
			pan_exit(1);
	}	}
#if !defined(LOOPSTATE) && !defined(BFS_PAR)
	if (state_tables)
#endif
	do_dfs(n, m, is, srcln, reach, lpstate);

	if (!t_reverse)
	{	return;
	}
	/* process n, with m states, is=initial state -- reverse list */
	if (!state_tables && Btypes[n] != N_CLAIM)
	{	for (i = 1; i < m; i++)
		{	Trans *Tx = (Trans *) 0; /* list of escapes */
			Trans *Ty = (Trans *) 0; /* its tail element */
			T1 = (Trans *) 0; /* reversed list */
			T2 = (Trans *) 0; /* its tail */
			T3 = (Trans *) 0; /* remembers possible 'else' */

			/* find unless-escapes, they should go first */
			T4 = T5 = T0 = trans[n][i];
	#ifdef HAS_UNLESS
			while (T4 && T4->e_trans) /* escapes are first in orig list */
			{	T5 = T4;	  /* remember predecessor */
				T4 = T4->nxt;
			}
	#endif
			/* T4 points to first non-escape, T5 to its parent, T0 to original list */
			if (T4 != T0)		 /* there was at least one escape */
			{	T3 = T5->nxt;		 /* start of non-escapes */
				T5->nxt = (Trans *) 0;	 /* separate */
				Tx = T0;		 /* start of the escapes */
				Ty = T5;		 /* its tail */
				T0 = T3;		 /* the rest, to be reversed */
			}
			/* T0 points to first non-escape, Tx to the list of escapes, Ty to its tail */

			/* first tail-add non-escape transitions, reversed */
			T3 = (Trans *) 0;
			for (T5 = T0; T5; T5 = T4)
			{	T4 = T5->nxt;
	#ifdef HAS_UNLESS
				if (T5->e_trans)
				{	printf("error: cannot happen!\n");
					continue;
				}
	#endif
				if (strcmp(T5->tp, "else") == 0)
				{	T3 = T5;
					T5->nxt = (Trans *) 0;
				} else
				{	T5->nxt = T1;
					if (!T1) { T2 = T5; }
					T1 = T5;
			}	}
			/* T3 points to a possible else, which is removed from the list */
			/* T1 points to the reversed list so far (without escapes) */
			/* T2 points to the tail element -- where the else should go */
			if (T2 && T3)
			{	T2->nxt = T3;	/* add else */
			} else
			{	if (T3) /* there was an else, but there's no tail */
				{	if (!T1)	/* and no reversed list */
					{	T1 = T3; /* odd, but possible */
					} else		/* even stranger */
					{	T1->nxt = T3;
			}	}	}

			/* add in the escapes, to that they appear at the front */
			if (Tx && Ty) { Ty->nxt = T1; T1 = Tx; }

			trans[n][i] = T1;
			/* reversed, with escapes first and else last */
	}	}
	if (state_tables && verbose)
	{	printf("FINAL proctype %s\n", 
			procname[n]);
		for (i = 1; i < m; i++)
		for (T0 = trans[n][i]; T0; T0 = T0->nxt)
			crack(n, i, T0, srcln);
	}
}
void
imed(Trans *T, int v, int n, int j)	/* set intermediate state */
{	progstate[n][T->st] |= progstate[n][v];
	accpstate[n][T->st] |= accpstate[n][v];
	stopstate[n][T->st] |= stopstate[n][v];
	mapstate[n][j] = T->st;
}
void
tagtable(int n, int m, int is, short srcln[], uchar reach[])
{	Trans *z;

	if (is >= m || !trans[n][is]
	||  is <= 0 || reach[is] == 0)
		return;
	reach[is] = 0;
	if (state_tables)
	for (z = trans[n][is]; z; z = z->nxt)
	{	if (dodot)
			dot_crack(n, is, z);
		else
			crack(n, is, z, srcln);
	}

	for (z = trans[n][is]; z; z = z->nxt)
	{
#ifdef HAS_UNLESS
		int i, j;
#endif
		tagtable(n, m, z->st, srcln, reach);
#ifdef HAS_UNLESS
		for (i = 0; i < HAS_UNLESS; i++)
		{	j = trans[n][is]->escp[i];
			if (!j) break;
			tagtable(n, m, j, srcln, reach);
		}
#endif
	}
}

extern Trans *t_id_lkup[];

void
dfs_table(int n, int m, int is, short srcln[], uchar reach[], uchar lpstate[])
{	Trans *z;

	if (is >= m || is <= 0 || !trans[n][is])
		return;
	if ((reach[is] & (4|8|16)) != 0)
	{	if ((reach[is] & (8|16)) == 16)	/* on stack, not yet recorded */
		{	lpstate[is] = 1;
			reach[is] |= 8; /* recorded */
			if (state_tables && verbose)
			{	printf("state %d line %d is a loopstate\n", is, srcln[is]);
		}	}
		return;
	}
	reach[is] |= (4|16);	/* visited | onstack */
	for (z = trans[n][is]; z; z = z->nxt)
	{	t_id_lkup[z->t_id] = z;
#ifdef HAS_UNLESS
		int i, j;
#endif
		dfs_table(n, m, z->st, srcln, reach, lpstate);
#ifdef HAS_UNLESS
		for (i = 0; i < HAS_UNLESS; i++)
		{	j = trans[n][is]->escp[i];
			if (!j) break;
			dfs_table(n, m, j, srcln, reach, lpstate);
		}
#endif
	}
	reach[is] &= ~16; /* no longer on stack */
}
void
do_dfs(int n, int m, int is, short srcln[], uchar reach[], uchar lpstate[])
{	int i;
	dfs_table(n, m, is, srcln, reach, lpstate);
	for (i = 0; i < m; i++)
		reach[i] &= ~(4|8|16);
}
void
crack(int n, int j, Trans *z, short srcln[])
{	int i;

	if (!z) return;
	printf("	state %3d -(tr %3d)-> state %3d  ",
		j, z->forw, z->st);
	printf("[id %3d tp %3d", z->t_id, z->tpe[0]);
	if (z->tpe[1]) printf(",%d", z->tpe[1]);
#ifdef HAS_UNLESS
	if (z->e_trans)
		printf(" org %3d", z->e_trans);
	else if (state_tables >= 2)
	for (i = 0; i < HAS_UNLESS; i++)
	{	if (!z->escp[i]) break;
		printf(" esc %d", z->escp[i]);
	}
#endif
	printf("]");
	printf(" [%s%s%s%s%s] %s:%d => ",
		z->atom&6?"A":z->atom&32?"D":"-",
		accpstate[n][j]?"a" :"-",
		stopstate[n][j]?"e" : "-",
		progstate[n][j]?"p" : "-",
		z->atom & 8 ?"L":"G",
		PanSource, srcln[j]);
	for (i = 0; z->tp[i]; i++)
		if (z->tp[i] == '\n')
			printf("\\n");
		else
			putchar(z->tp[i]);
	if (verbose && z->qu[0])
	{	printf("\t[");
		for (i = 0; i < 6; i++)
			if (z->qu[i])
				printf("(%d,%d)",
				z->qu[i], z->ty[i]);
		printf("]");
	}
	printf("\n");
	fflush(stdout);
}
/* spin -a m.pml; cc -o pan pan.c; ./pan -D | dot -Tps > foo.ps; ps2pdf foo.ps */
void
dot_crack(int n, int j, Trans *z)
{	int i;

	if (!z) return;
	printf("	S%d -> S%d  [color=black", j, z->st);

	if (z->atom&6) printf(",style=dashed");
	else if (z->atom&32) printf(",style=dotted");
	else if (z->atom&8) printf(",style=solid");
	else printf(",style=bold");

	printf(",label=\"");
	for (i = 0; z->tp[i]; i++)
	{	if (z->tp[i] == '\\'
		&&  z->tp[i+1] == 'n')
		{	i++; printf(" ");
		} else
		{	putchar(z->tp[i]);
	}	}
	printf("\"];\n");
	if (accpstate[n][j]) printf("  S%d [color=red,style=bold];\n", j);
	else if (progstate[n][j]) printf("  S%d [color=green,style=bold];\n", j);
	if (stopstate[n][j]) printf("  S%d [color=blue,style=bold,shape=box];\n", j);
}

#ifdef VAR_RANGES
#define BYTESIZE	32	/* 2^8 : 2^3 = 256:8 = 32 */

typedef struct Vr_Ptr {
	char	*nm;
	uchar	vals[BYTESIZE];
	struct Vr_Ptr *nxt;
} Vr_Ptr;
Vr_Ptr *ranges = (Vr_Ptr *) 0;

void
logval(char *s, int v)
{	Vr_Ptr *tmp;

	if (v<0 || v > 255) return;
	for (tmp = ranges; tmp; tmp = tmp->nxt)
		if (!strcmp(tmp->nm, s))
			goto found;
	tmp = (Vr_Ptr *) emalloc(sizeof(Vr_Ptr));
	tmp->nxt = ranges;
	ranges = tmp;
	tmp->nm = s;
found:
	tmp->vals[(v)/8] |= 1<<((v)%8);
}

void
dumpval(uchar X[], int range)
{	int w, x, i, j = -1;

	for (w = i = 0; w < range; w++)
	for (x = 0; x < 8; x++, i++)
	{
from:		if ((X[w] & (1<<x)))
		{	printf("%d", i);
			j = i;
			goto upto;
	}	}
	return;
	for (w = 0; w < range; w++)
	for (x = 0; x < 8; x++, i++)
	{
upto:		if (!(X[w] & (1<<x)))
		{	if (i-1 == j)
				printf(", ");
			else
				printf("-%d, ", i-1);
			goto from;
	}	}
	if (j >= 0 && j != 255)
		printf("-255");
}

void
dumpranges(void)
{	Vr_Ptr *tmp;
	printf("\nValues assigned within ");
	printf("interval [0..255]:\n");
	for (tmp = ranges; tmp; tmp = tmp->nxt)
	{	printf("\t%s\t: ", tmp->nm);
		dumpval(tmp->vals, BYTESIZE);
		printf("\n");
	}
}
#endif
