// SPDX-License-Identifier: LGPL-2.1-or-later

//go:build !race

package gosync

import "unsafe"

const raceEnabled = false

func raceAcquire(unsafe.Pointer) {}
func raceRelease(unsafe.Pointer) {}
