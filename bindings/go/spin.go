// SPDX-License-Identifier: LGPL-2.1-or-later

package gosync

import (
	"runtime"
	"sync/atomic"
)

// Go spins for 4 rounds before it sleeps, on more than one processor.
var spinRounds = func() int {
	if runtime.NumCPU() > 1 {
		return 4
	}
	return 0
}()

var spun atomic.Int32

// spin takes about as long as the 30 pauses of a round of Go's.
func spin() {
	for i := 0; i < 1000; i++ {
		spun.Load()
	}
}

// backOff waits a little before the next look at a lock that is not to be had. It
// tells when it is time to sleep.
//
// Before that, other goroutines run once. Who sleeps in a system call keeps its
// processor from them until the runtime notices, and one of them may have the lock.
func backOff(round int) bool {
	switch {
	case round < spinRounds:
		spin()
	case round == spinRounds:
		runtime.Gosched()
	default:
		return false
	}
	return true
}
