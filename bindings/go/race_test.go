// SPDX-License-Identifier: LGPL-2.1-or-later

package gosync

import (
	"runtime"
	"sync"
	"testing"
)

// With go test -race: the race detector knows what locks order, though it does not
// see the words.
func TestStandInLocksOrderWhatTheyProtect(t *testing.T) {
	m, rw := standInMutex(), standInRWMutex()
	read := func() bool { return rw.TryRLock() }
	for name, lock := range map[string]struct {
		try           func() bool
		unlock        func()
		look          func() bool
		unlockLooking func()
	}{
		"Mutex":   {m.TryLock, m.Unlock, m.TryLock, m.Unlock},
		"RWMutex": {rw.TryLock, rw.Unlock, read, rw.RUnlock},
	} {
		lock := lock
		t.Run(name, func(t *testing.T) {
			var group sync.WaitGroup
			n, seen := 0, make([]int, 4)
			for i := range seen {
				i := i
				group.Add(1)
				go func() {
					defer group.Done()
					for j := 0; j < 100; j++ {
						for !lock.try() {
							runtime.Gosched()
						}
						n++
						lock.unlock()
						for !lock.look() {
							runtime.Gosched()
						}
						seen[i] = n
						lock.unlockLooking()
					}
				}()
			}
			group.Wait()
			if n != 400 {
				t.Errorf("%d additions, not 400", n)
			}
		})
	}
}
