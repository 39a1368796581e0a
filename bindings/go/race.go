// SPDX-License-Identifier: LGPL-2.1-or-later

//go:build race

package gosync

import (
	"runtime"
	"unsafe"
)

// The race detector does not see what happens in mapped memory. So it is told who
// has synchronized with whom, by the address of the handle.
const raceEnabled = true

// raceAcquire says that the caller comes after all that have released p.
func raceAcquire(p unsafe.Pointer) { runtime.RaceAcquire(p) }

// raceRelease says that those that acquire p later come after the caller.
func raceRelease(p unsafe.Pointer) { runtime.RaceReleaseMerge(p) }
