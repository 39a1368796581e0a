// SPDX-License-Identifier: LGPL-2.1-or-later

#include "textflag.h"

// func loadFence()
TEXT ·loadFence(SB), NOSPLIT, $0-0
	DMB	MB_ISH
	RET
