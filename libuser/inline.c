// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The inline functions of the headers once more, as functions of the library.
 */
#define GOSYNC_INLINE	EXPORT
#define GOSYNC_CALLER	EXPORT
#include "internal.h"
