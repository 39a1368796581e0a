// SPDX-License-Identifier: LGPL-2.1-or-later

package gosync

import (
	"context"
	"errors"
	"os"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"
)

func openRWMutex(t *testing.T, name string, flag Flag) *RWMutex {
	t.Helper()
	return opened[*RWMutex](t, flag)(OpenRWMutex(name, flag|Create, 0o600))
}

func init() {
	// Locks for reading or writing, says so, and hangs.
	programs["rwhold"] = func(args []string) {
		rw, err := OpenRWMutex(args[0], 0, 0)
		must(err)
		if args[1] == "read" {
			rw.RLock()
			say("locked")
			hear()
			rw.RUnlock()
		} else {
			rw.Lock()
			say("locked")
			hear()
			rw.Unlock()
		}
		say("unlocked")
		hear()
	}
	// Writes two words under the lock, and sees that readers find them equal.
	programs["rwpair"] = func(args []string) {
		rw, err := OpenRWMutex(args[0], 0, 0)
		must(err)
		a, err := OpenInt64(args[1], 0, 0)
		must(err)
		b, err := OpenInt64(args[2], 0, 0)
		must(err)
		times, err := strconv.Atoi(args[3])
		must(err)
		for i := 0; i < times; i++ {
			if i%4 == 0 {
				rw.Lock()
				a.Store(a.Load() + 1)
				b.Store(b.Load() + 1)
				rw.Unlock()
				continue
			}
			rw.RLock()
			if a.Load() != b.Load() {
				must(errors.New("half a write was seen"))
			}
			rw.RUnlock()
		}
	}
}

func TestRWMutexExcludesProcesses(t *testing.T) {
	each(t, func(t *testing.T, flag Flag) {
		const processes, times = 4, 1000
		name := newName(t)
		openRWMutex(t, name, flag)
		a := opened[*Int64](t, 0)(OpenInt64(name+".a", Create, 0o600))
		opened[*Int64](t, 0)(OpenInt64(name+".b", Create, 0o600))
		var all []*process
		for i := 0; i < processes; i++ {
			all = append(all, start(t, "rwpair", name, name+".a", name+".b",
				strconv.Itoa(times)))
		}
		for _, p := range all {
			p.ends()
		}
		if got := a.Load(); got != processes*times/4 {
			t.Errorf("%d writes, not %d", got, processes*times/4)
		}
	})
}

func TestRWMutexReadersShareWritersExclude(t *testing.T) {
	each(t, func(t *testing.T, flag Flag) {
		name := newName(t)
		rw, other := openRWMutex(t, name, flag), openRWMutex(t, name, flag)
		rw.RLock()
		rw.RLock()
		other.RLock()
		if !other.TryRLock() {
			t.Error("readers do not share")
		}
		if rw.TryLock() {
			t.Error("a writer comes among readers")
		}
		in, err := rw.Info()
		noError(t, err)
		if in.Readers != 4 {
			t.Errorf("%d readers, not 4", in.Readers)
		}
		rw.RUnlock()
		rw.RUnlock()
		other.RUnlock()
		other.RUnlock()
		if !other.TryLock() {
			t.Error("it is free")
		}
		if rw.TryLock() || rw.TryRLock() || other.TryRLock() {
			t.Error("a writer has it")
		}
		// Anyone may unlock.
		rw.Unlock()
		r := rw.RLocker()
		r.Lock()
		if other.TryLock() {
			t.Error("RLocker has not locked")
		}
		r.Unlock()
		other.Lock()
		other.Unlock()
	})
}

func TestRWMutexMisusePanicsWithGosText(t *testing.T) {
	each(t, func(t *testing.T, flag Flag) {
		name := newName(t)
		rw, other := openRWMutex(t, name, flag), openRWMutex(t, name, flag)
		wantPanic(t, "sync: Unlock of unlocked RWMutex", rw.Unlock)
		wantPanic(t, "sync: RUnlock of unlocked RWMutex", rw.RUnlock)
		// The read lock of one handle is not another's.
		rw.RLock()
		wantPanic(t, "sync: RUnlock of unlocked RWMutex", other.RUnlock)
		rw.RUnlock()
		rw.Lock()
		wantPanic(t, "sync: RUnlock of unlocked RWMutex", rw.RUnlock)
		rw.Unlock()
	})
}

func TestRWMutexWaitingWriterStopsReaders(t *testing.T) {
	each(t, func(t *testing.T, flag Flag) {
		withThreads(t, func(t *testing.T) {
			name := newName(t)
			rw, other := openRWMutex(t, name, flag), openRWMutex(t, name, flag)
			rw.RLock()
			writer := background(other.LockErr)
			waiters(t, rw, 1)
			if rw.TryRLock() {
				t.Error("a reader comes before a waiting writer")
			}
			reader := background(rw.RLockErr)
			waiters(t, rw, 2)
			rw.RUnlock()
			noError(t, <-writer)
			other.Unlock()
			noError(t, <-reader)
			rw.RUnlock()
			other.Lock()
			other.Unlock()
		})
	})
}

func TestRWMutexDeadReader(t *testing.T) {
	each(t, func(t *testing.T, flag Flag) {
		withThreads(t, func(t *testing.T) {
			name := newName(t)
			rw := openRWMutex(t, name, flag)
			p := start(t, "rwhold", name, "read")
			p.says("locked")
			writer := background(rw.LockErr)
			waiters(t, rw, 1)
			p.kill()
			// A reader cannot have spoilt anything.
			noError(t, <-writer)
			rw.Unlock()
		})
	})
}

func TestRWMutexDeadWriter(t *testing.T) {
	each(t, func(t *testing.T, flag Flag) {
		name := newName(t)
		rw := openRWMutex(t, name, flag)
		poison := func() {
			t.Helper()
			p := start(t, "rwhold", name, "write")
			p.says("locked")
			p.kill()
		}
		poison()
		wantError(t, rw.RLockErr(), ErrOwnerDied)
		if rw.TryLock() {
			t.Error("it was not held")
		}
		wantError(t, rw.Recover(), syscall.EPERM)
		rw.RUnlock()
		for name, lock := range map[string]func(){
			"Lock": rw.Lock, "TryLock": func() { rw.TryLock() },
			"RLock": rw.RLock, "TryRLock": func() { rw.TryRLock() },
		} {
			func() {
				defer func() {
					if err, _ := recover().(error); !errors.Is(err, ErrOwnerDied) {
						t.Errorf("%s: %v", name, err)
					}
				}()
				lock()
			}()
			in, err := rw.Info()
			noError(t, err)
			if in.Owner != 0 || in.Readers != 0 {
				t.Errorf("%s: owner %d, %d readers", name, in.Owner, in.Readers)
			}
		}
		mended := 0
		rw.OnOwnerDeath(func() error { mended++; return nil })
		for i, lock := range []func(){rw.Lock, func() { rw.TryLock() }} {
			if i > 0 {
				poison()
			}
			lock()
			rw.Unlock()
		}
		for _, lock := range []func(){rw.RLock, func() { rw.TryRLock() }} {
			poison()
			lock()
			if rw.TryLock() {
				t.Error("it was not locked for reading")
			}
			rw.RUnlock()
		}
		if mended != 4 {
			t.Errorf("mended %d times, not 4", mended)
		}
	})
}

func TestRWMutexContext(t *testing.T) {
	each(t, func(t *testing.T, flag Flag) {
		withThreads(t, func(t *testing.T) {
			rw := openRWMutex(t, newName(t), flag)
			wantError(t, rw.LockContext(canceled()), context.Canceled)
			wantError(t, rw.RLockContext(canceled()), context.Canceled)

			rw.Lock()
			ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
			wantError(t, rw.RLockContext(ctx), context.DeadlineExceeded)
			wantError(t, rw.LockContext(ctx), context.DeadlineExceeded)
			cancel()
			rw.Unlock()

			// A writer that gives up waiting for readers lets others read.
			rw.RLock()
			ctx, cancel = context.WithCancel(context.Background())
			result := background(func() error { return rw.LockContext(ctx) })
			waiters(t, rw, 1)
			if rw.TryRLock() {
				t.Error("a reader comes before a waiting writer")
			}
			cancel()
			wantError(t, <-result, context.Canceled)
			if !rw.TryRLock() {
				t.Error("nobody waits to write any more")
			}
			rw.RUnlock()

			ctx, cancel = context.WithCancel(context.Background())
			result = background(func() error { return rw.LockContext(ctx) })
			waiters(t, rw, 1)
			rw.RUnlock()
			noError(t, <-result)
			result = background(func() error { return rw.RLockContext(ctx) })
			waiters(t, rw, 1)
			rw.Unlock()
			noError(t, <-result)
			rw.RUnlock()
			cancel()
			waiters(t, rw, 0)
		})
	})
}

func TestRWMutexGoroutinesShareALine(t *testing.T) {
	each(t, func(t *testing.T, flag Flag) {
		rw := openRWMutex(t, newName(t), flag)
		var group sync.WaitGroup
		n := 0
		for i := 0; i < 20; i++ {
			group.Add(1)
			go func() {
				defer group.Done()
				for i := 0; i < 100; i++ {
					if i%5 == 0 {
						rw.Lock()
						n++
						rw.Unlock()
						continue
					}
					rw.RLock()
					_ = n
					rw.RUnlock()
				}
			}()
		}
		group.Wait()
		if n != 400 {
			t.Errorf("%d writes, not 400", n)
		}
		in, err := rw.Info()
		noError(t, err)
		if in.Readers != 0 || in.Owner != 0 {
			t.Errorf("owner %d, %d readers", in.Owner, in.Readers)
		}
	})
}

// With more handles than there are lines.
func TestRWMutexWithoutALine(t *testing.T) {
	name := newName(t)
	var all []*RWMutex
	for i := 0; i < 100; i++ {
		all = append(all, openRWMutex(t, name, 0))
	}
	for _, rw := range all {
		rw.RLock()
	}
	if all[0].TryLock() {
		t.Error("it is locked for reading")
	}
	if noLine != 0 {
		t.Errorf("%d counted nowhere", noLine)
	}
	for _, rw := range all {
		rw.RUnlock()
	}
	all[99].Lock()
	if all[99].TryRLock() || all[0].TryRLock() {
		t.Error("it is locked for writing")
	}
	all[99].Unlock()
	if noLine != 0 {
		t.Errorf("%d counted nowhere", noLine)
	}
}

func TestRWMutexClosed(t *testing.T) {
	each(t, func(t *testing.T, flag Flag) {
		name := newName(t)
		rw, other := openRWMutex(t, name, flag), openRWMutex(t, name, flag)
		rw.RLock()
		noError(t, rw.Close())
		wantError(t, rw.LockErr(), os.ErrClosed)
		wantError(t, rw.RLockErr(), os.ErrClosed)
		if panics(rw.RLock) == "" || panics(rw.RUnlock) == "" || panics(rw.Lock) == "" {
			t.Error("an operation on a closed handle does not panic")
		}
		other.Lock()
		other.Unlock()
	})
}

func TestRWMutexCloseBesideOperations(t *testing.T) {
	each(t, func(t *testing.T, flag Flag) {
		name := newName(t)
		other := openRWMutex(t, name, flag)
		other.OnOwnerDeath(func() error { return nil })
		for i := 0; i < 30; i++ {
			rw, err := OpenRWMutex(name, flag, 0)
			if err != nil {
				t.Fatal(err)
			}
			rw.OnOwnerDeath(func() error { return nil })
			var group sync.WaitGroup
			for j := 0; j < 4; j++ {
				group.Add(1)
				lock, unlock := rw.RLock, rw.RUnlock
				if j == 0 {
					lock, unlock = rw.Lock, rw.Unlock
				}
				go func() {
					defer group.Done()
					for panics(func() { lock(); unlock() }) == "" {
					}
				}()
			}
			other.Lock()
			other.Unlock()
			noError(t, rw.Close())
			group.Wait()
			other.Lock()
			other.Unlock()
		}
		in, err := other.Info()
		noError(t, err)
		if in.Readers != 0 {
			t.Errorf("%d readers are left", in.Readers)
		}
	})
}
