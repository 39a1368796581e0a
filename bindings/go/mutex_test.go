// SPDX-License-Identifier: LGPL-2.1-or-later

package gosync

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"runtime"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"
)

func openMutex(t *testing.T, name string, flag Flag) *Mutex {
	t.Helper()
	return opened[*Mutex](t, flag)(OpenMutex(name, flag|Create, 0o600))
}

func init() {
	// Locks, says so, and hangs.
	programs["hold"] = func(args []string) {
		m, err := OpenMutex(args[0], 0, 0)
		must(err)
		m.Lock()
		say("locked")
		hear()
		m.Unlock()
		say("unlocked")
		hear()
	}
	// Adds to a number that is in no way atomic, under the lock.
	programs["add"] = func(args []string) {
		m, err := OpenMutex(args[0], 0, 0)
		must(err)
		n, err := OpenInt64(args[1], 0, 0)
		must(err)
		times, err := strconv.Atoi(args[2])
		must(err)
		for i := 0; i < times; i++ {
			m.Lock()
			n.Store(n.Load() + 1)
			m.Unlock()
		}
	}
}

func TestMutexExcludesProcesses(t *testing.T) {
	each(t, func(t *testing.T, flag Flag) {
		const processes, times = 4, 2000
		name := newName(t)
		m := openMutex(t, name, flag)
		n := opened[*Int64](t, 0)(OpenInt64(name+".n", Create, 0o600))
		var all []*process
		for i := 0; i < processes; i++ {
			all = append(all, start(t, "add", name, name+".n", strconv.Itoa(times)))
		}
		for i := 0; i < times; i++ {
			m.Lock()
			n.Store(n.Load() + 1)
			m.Unlock()
		}
		for _, p := range all {
			p.ends()
		}
		if got := n.Load(); got != (processes+1)*times {
			t.Errorf("%d additions, not %d", got, (processes+1)*times)
		}
	})
}

func TestMutexExcludesGoroutinesOfOneHandle(t *testing.T) {
	each(t, func(t *testing.T, flag Flag) {
		m := openMutex(t, newName(t), flag)
		var group sync.WaitGroup
		n := 0
		for i := 0; i < 50; i++ {
			group.Add(1)
			go func() {
				defer group.Done()
				for i := 0; i < 100; i++ {
					m.Lock()
					n++
					if i%10 == 0 {
						runtime.Gosched()
					}
					m.Unlock()
				}
			}()
		}
		group.Wait()
		if n != 5000 {
			t.Errorf("%d additions, not 5000", n)
		}
	})
}

func TestMutexTryLock(t *testing.T) {
	each(t, func(t *testing.T, flag Flag) {
		name := newName(t)
		m, other := openMutex(t, name, flag), openMutex(t, name, flag)
		if !m.TryLock() {
			t.Fatal("it is free")
		}
		if m.TryLock() || other.TryLock() {
			t.Fatal("it is locked")
		}
		// Anyone may unlock.
		other.Unlock()
		if !other.TryLock() {
			t.Fatal("it is free again")
		}
		other.Unlock()
	})
}

func TestMutexMisusePanicsWithGosText(t *testing.T) {
	each(t, func(t *testing.T, flag Flag) {
		name := newName(t)
		m := openMutex(t, name, flag)
		wantPanic(t, "sync: unlock of unlocked mutex", m.Unlock)
		// Unlike Go's, it is as it was.
		m.Lock()
		m.Unlock()
	})
}

func TestMutexErrorCheckKnowsItsOwner(t *testing.T) {
	each(t, func(t *testing.T, flag Flag) {
		name := newName(t)
		m, other := openMutex(t, name, flag|ErrorCheck), openMutex(t, name, flag)
		m.Lock()
		wantPanic(t, "sync: unlock of unlocked mutex", other.Unlock)
		m.Unlock()
	})
}

func TestMutexReadOnlyHandleCannotLock(t *testing.T) {
	name := newName(t)
	openMutex(t, name, 0)
	m, err := OpenMutex(name, ReadOnly, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	wantError(t, m.LockErr(), syscall.EBADF)
	if panics(m.Lock) == "" {
		t.Error("Lock does not panic")
	}
}

func TestMutexDeadOwner(t *testing.T) {
	each(t, func(t *testing.T, flag Flag) {
		name := newName(t)
		m := openMutex(t, name, flag)
		poison := func() {
			t.Helper()
			p := start(t, "hold", name)
			p.says("locked")
			p.kill()
		}

		poison()
		wantError(t, m.LockErr(), ErrOwnerDied)
		if m.TryLock() {
			t.Error("it was not held")
		}
		m.Unlock()
		// Nobody has recovered it, so the next is told, too.
		wantError(t, m.LockContext(context.Background()), ErrOwnerDied)
		noError(t, m.Recover())
		m.Unlock()
		m.Lock()
		m.Unlock()

		// Without a hook Lock panics, and does not have the lock.
		poison()
		for _, lock := range []func(){m.Lock, func() { m.TryLock() }} {
			func() {
				defer func() {
					err, _ := recover().(error)
					wantError(t, err, ErrOwnerDied)
				}()
				lock()
			}()
			in, err := m.Info()
			noError(t, err)
			if in.Owner != 0 || in.Word&_GOSYNC_MUTEX_POISONED == 0 {
				t.Errorf("owner %d, word %#x", in.Owner, in.Word)
			}
		}

		// A hook that cannot mend it
		failed := errors.New("beyond repair")
		m.OnOwnerDeath(func() error { return failed })
		wantPanic(t, failed.Error(), m.Lock)
		// A hook that panics
		m.OnOwnerDeath(func() error { panic("at a loss") })
		wantPanic(t, "at a loss", m.Lock)
		// One that can
		mended := 0
		m.OnOwnerDeath(func() error {
			if m.TryLock() {
				t.Error("the hook runs without the lock")
			}
			mended++
			return nil
		})
		m.Lock()
		m.Unlock()
		m.Lock()
		m.Unlock()
		if mended != 1 {
			t.Errorf("mended %d times", mended)
		}
	})
}

func TestMutexWaiterIsToldOfAMurder(t *testing.T) {
	each(t, func(t *testing.T, flag Flag) {
		withThreads(t, func(t *testing.T) {
			name := newName(t)
			m := openMutex(t, name, flag)
			p := start(t, "hold", name)
			p.says("locked")
			result := background(m.LockErr)
			waiters(t, m, 1)
			p.kill()
			wantError(t, <-result, ErrOwnerDied)
			noError(t, m.Recover())
			m.Unlock()
		})
	})
}

func TestMutexWaitsForAnotherProcess(t *testing.T) {
	each(t, func(t *testing.T, flag Flag) {
		withThreads(t, func(t *testing.T) {
			name := newName(t)
			m := openMutex(t, name, flag)
			p := start(t, "hold", name)
			p.says("locked")
			result := background(m.LockErr)
			waiters(t, m, 1)
			p.tell("go on")
			p.says("unlocked")
			noError(t, <-result)
			m.Unlock()
		})
	})
}

func TestMutexContext(t *testing.T) {
	each(t, func(t *testing.T, flag Flag) {
		withThreads(t, func(t *testing.T) {
			m := openMutex(t, newName(t), flag)
			// A context that has ended gets nothing, though it is free.
			wantError(t, m.LockContext(canceled()), context.Canceled)
			m.Lock()

			ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
			wantError(t, m.LockContext(ctx), context.DeadlineExceeded)
			cancel()
			waiters(t, m, 0)

			ctx, cancel = context.WithCancel(context.Background())
			result := background(func() error { return m.LockContext(ctx) })
			waiters(t, m, 1)
			cancel()
			wantError(t, <-result, context.Canceled)
			waiters(t, m, 0)

			// The context lasts, and the lock comes.
			ctx, cancel = context.WithCancel(context.Background())
			result = background(func() error { return m.LockContext(ctx) })
			waiters(t, m, 1)
			m.Unlock()
			noError(t, <-result)
			cancel()
			if m.TryLock() {
				t.Error("it was not locked")
			}
			m.Unlock()
		})
	})
}

// A cancellation and a grant at about the same time: one of them happens.
func TestMutexCancelOrGrant(t *testing.T) {
	newName(t)
	withThreads(t, func(t *testing.T) {
		m := openMutex(t, newName(t), 0)
		granted := 0
		for i := 0; i < 300; i++ {
			m.Lock()
			ctx, cancel := context.WithCancel(context.Background())
			result := background(func() error { return m.LockContext(ctx) })
			if i%3 != 0 {
				waiters(t, m, 1)
			}
			if i%3 == 1 {
				cancel()
			} else {
				go cancel()
			}
			m.Unlock()
			if err := <-result; err == nil {
				granted++
				m.Unlock()
			} else {
				wantError(t, err, context.Canceled)
			}
			cancel()
		}
		t.Logf("%d of 300 were granted", granted)
		waiters(t, m, 0)
		if !m.TryLock() {
			t.Error("it is free at the end")
		}
		m.Unlock()
	})
}

func TestMutexServesInOrder(t *testing.T) {
	newName(t)
	withThreads(t, func(t *testing.T) {
		const n = 20
		m := openMutex(t, newName(t), 0)
		m.Lock()
		order := make(chan int, n)
		for i := 0; i < n; i++ {
			i := i
			go func() {
				m.Lock()
				order <- i
				m.Unlock()
			}()
			waiters(t, m, i+1)
		}
		m.Unlock()
		for i := 0; i < n; i++ {
			if got := <-order; got != i {
				t.Errorf("%d comes in place of %d", got, i)
			}
		}
	})
}

func TestMutexTokensGrow(t *testing.T) {
	each(t, func(t *testing.T, flag Flag) {
		name := newName(t)
		m, other := openMutex(t, name, flag), openMutex(t, name, flag)
		last := uint64(0)
		for i := 0; i < 10; i++ {
			for _, m := range []*Mutex{m, other} {
				m.Lock()
				token, err := m.Token()
				noError(t, err)
				if token <= last {
					t.Errorf("%d comes after %d", token, last)
				}
				last = token
				m.Unlock()
			}
		}
	})
}

func TestMutexBreak(t *testing.T) {
	each(t, func(t *testing.T, flag Flag) {
		name := newName(t)
		m, other := openMutex(t, name, flag), openMutex(t, name, flag)
		m.Lock()
		in, err := other.Info()
		noError(t, err)
		noError(t, other.Break(in.Owner))
		_, err = m.Token()
		wantError(t, err, syscall.ESTALE)
		if text := panics(m.Unlock); text == "" {
			t.Error("the unlock of a broken holder does not panic")
		}
		wantError(t, m.LockErr(), syscall.ESTALE)
		wantError(t, other.LockErr(), ErrOwnerDied)
		noError(t, other.Recover())
		other.Unlock()
		wantError(t, other.Break(in.Owner), syscall.ESRCH)
	})
}

func TestMutexClosed(t *testing.T) {
	each(t, func(t *testing.T, flag Flag) {
		name := newName(t)
		m, other := openMutex(t, name, flag), openMutex(t, name, flag)
		m.Lock()
		noError(t, m.Close())
		wantError(t, m.Close(), os.ErrClosed)
		wantError(t, m.LockErr(), os.ErrClosed)
		if panics(m.Lock) == "" || panics(m.Unlock) == "" || panics(func() { m.TryLock() }) == "" {
			t.Error("an operation on a closed handle does not panic")
		}
		_, err := m.Info()
		wantError(t, err, os.ErrClosed)
		_, err = m.Token()
		wantError(t, err, os.ErrClosed)
		wantError(t, other.LockErr(), ErrOwnerDied)
		noError(t, other.Recover())
		other.Unlock()
	})
}

// Those that wait when the handle is closed end, although it was this handle that
// had the lock.
func TestMutexCloseEndsWaits(t *testing.T) {
	each(t, func(t *testing.T, flag Flag) {
		withThreads(t, func(t *testing.T) {
			name := newName(t)
			m, other := openMutex(t, name, flag), openMutex(t, name, flag)
			m.Lock()
			const n = 5
			results := make(chan error, n)
			for i := 0; i < n; i++ {
				go func() { results <- m.LockErr() }()
			}
			waiters(t, other, n)
			noError(t, m.Close())
			for i := 0; i < n; i++ {
				if err := <-results; err == nil || errors.Is(err, ErrOwnerDied) {
					// It was served, the last time that the handle was open.
				} else {
					wantError(t, err, os.ErrClosed)
				}
				if panics(m.Unlock) == "" {
					t.Error("an unlock on a closed handle does not panic")
				}
			}
			wantError(t, other.LockErr(), ErrOwnerDied)
			noError(t, other.Recover())
			other.Unlock()
		})
	})
}

// A wait ends with the handle, also if its descriptor was passed on.
func TestMutexCloseEndsWaitsOfAPassedHandle(t *testing.T) {
	newName(t)
	withThreads(t, func(t *testing.T) {
		name := newName(t)
		m, other := openMutex(t, name, 0), openMutex(t, name, 0)
		file, err := m.File()
		noError(t, err)
		defer file.Close()
		other.Lock()
		result := background(m.LockErr)
		waiters(t, other, 1)
		noError(t, m.Close())
		if mayBlock(0) {
			// By an ioctl it ends when it is served.
			other.Unlock()
			wantError(t, <-result, os.ErrClosed)
			wantError(t, other.LockErr(), ErrOwnerDied)
			noError(t, other.Recover())
		} else {
			wantError(t, <-result, os.ErrClosed)
		}
		other.Unlock()
	})
}

// Close beside everything else: no fault, no foreign descriptor, nobody hangs.
func TestMutexCloseBesideOperations(t *testing.T) {
	each(t, func(t *testing.T, flag Flag) {
		name := newName(t)
		other := openMutex(t, name, flag)
		other.OnOwnerDeath(func() error { return nil })
		for i := 0; i < 50; i++ {
			m, err := OpenMutex(name, flag, 0)
			if err != nil {
				t.Fatal(err)
			}
			m.OnOwnerDeath(func() error { return nil })
			var group sync.WaitGroup
			for j := 0; j < 4; j++ {
				group.Add(1)
				go func() {
					defer group.Done()
					for panics(func() { m.Lock(); m.Unlock() }) == "" {
					}
				}()
			}
			for j := 0; j < 10; j++ {
				other.Lock()
				other.Unlock()
			}
			noError(t, m.Close())
			group.Wait()
			other.Lock()
			other.Unlock()
		}
	})
}

func TestMutexUnderAStormOfSignals(t *testing.T) {
	each(t, func(t *testing.T, flag Flag) {
		name := newName(t)
		m := openMutex(t, name, flag)
		stop := make(chan bool)
		go func() {
			for {
				select {
				case <-stop:
					return
				default:
					// The runtime handles it in whatever thread gets it.
					syscall.Kill(os.Getpid(), syscall.SIGURG)
					time.Sleep(100 * time.Microsecond)
				}
			}
		}()
		p := start(t, "add", name, mustInt64(t, name), "500")
		var group sync.WaitGroup
		n := 0
		for i := 0; i < 10; i++ {
			group.Add(1)
			go func() {
				defer group.Done()
				for i := 0; i < 50; i++ {
					m.Lock()
					n++
					m.Unlock()
				}
			}()
		}
		group.Wait()
		p.ends()
		close(stop)
		if n != 500 {
			t.Errorf("%d additions, not 500", n)
		}
	})
}

func mustInt64(t *testing.T, name string) string {
	opened[*Int64](t, 0)(OpenInt64(name+".n", Create, 0o600))
	return name + ".n"
}

func TestMutexOpenFlags(t *testing.T) {
	name := newName(t)
	_, err := OpenMutex(name, 0, 0)
	wantError(t, err, fs.ErrNotExist)
	m := openMutex(t, name, Excl|NoMmap)
	_, err = OpenMutex(name, Create|Excl, 0o600)
	wantError(t, err, fs.ErrExist)
	_, err = OpenRWMutex(name, 0, 0)
	wantError(t, err, syscall.EPROTOTYPE)
	in, err := m.Info()
	noError(t, err)
	if in.Type != TypeMutex || in.Name != name || in.Flags != NoMmap || in.Mode != 0o600 ||
		in.Holders != 1 {
		t.Errorf("%+v", in)
	}
	anonymous := openMutex(t, "", 0)
	anonymous.Lock()
	anonymous.Unlock()
	_, err = OpenMutex(string(make([]byte, 300)), Create, 0o600)
	wantError(t, err, syscall.ENAMETOOLONG)
}
