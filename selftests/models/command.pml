/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A command of io_uring that waits for any of two Mutexes, for spin: as in
 * wait_any.pml, but that the group has no task.
 *
 * What it was not granted is withdrawn by a worker from when its fate is known,
 * whatever else becomes of it meanwhile (kmod/command.c). It may also end because
 * the last descriptor of what it wants is closed, at any moment: then nothing is
 * granted to it any more, and what was granted and not taken yet is given back
 * (kmod/orphan.c). From then on its task may be stopped for good.
 *
 * Functions: command_tell(), command_take(), gosync_command_recall(),
 * orphan_closed(), gosync_withdraw(), gosync_group_leave(). A cancel and the end
 * of the ring are the time-out and the death of the group here: each of them
 * calls gosync_group_leave() once, at any moment, and whatever was granted first
 * is given back by the completion. To be found:
 *
 *	BUG_STOPPED	what it was not granted waits for its task, until the end
 *	BUG_RECALL	what it has taken already is recalled, too
 *	BUG_NO_RECALL	what it was granted and has not taken is not
 */
#define COMMAND
#define GROUPS		1
/* One or the other: somebody has to be left who hangs. */
#define TIMEOUTS	(1 - deaths)
#define DEATHS		(1 - timeouts)
#include "wait_any.pml"
