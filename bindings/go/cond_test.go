// SPDX-License-Identifier: LGPL-2.1-or-later

package gosync

import (
	"context"
	"errors"
	"os"
	"sync"
	"testing"
	"time"
)

func init() {
	// Makes the word 1 under the lock, and signals.
	programs["signal"] = func(args []string) {
		m, err := OpenMutex(args[0], 0, 0)
		must(err)
		c, err := OpenCond(args[1], m, 0, 0)
		must(err)
		n, err := OpenInt64(args[2], 0, 0)
		must(err)
		m.Lock()
		n.Store(1)
		c.Signal()
		m.Unlock()
	}
}

func openCond(t *testing.T, name string, l sync.Locker, flag Flag) *Cond {
	t.Helper()
	return opened[*Cond](t, flag)(OpenCond(name, l, flag|Create, 0o600))
}

// condLocks are a lock of each kind, and a function that waits for readers and
// writers to be gone.
func condLocks(t *testing.T, f func(t *testing.T, l sync.Locker, flag Flag)) {
	each(t, func(t *testing.T, flag Flag) {
		for name, l := range map[string]sync.Locker{
			"Mutex":   openMutex(t, "", flag),
			"RWMutex": openRWMutex(t, "", flag),
			"RLocker": openRWMutex(t, "", flag).RLocker(),
		} {
			l := l
			t.Run(name, func(t *testing.T) {
				withThreads(t, func(t *testing.T) { f(t, l, flag) })
			})
		}
	})
}

func TestCondSignalFromAnotherProcess(t *testing.T) {
	each(t, func(t *testing.T, flag Flag) {
		withThreads(t, func(t *testing.T) {
			name := newName(t)
			m := openMutex(t, name, flag)
			c := openCond(t, name+".c", m, flag)
			n := opened[*Int64](t, 0)(OpenInt64(name+".n", Create, 0o600))
			m.Lock()
			p := start(t, "signal", name, name+".c", name+".n")
			for n.Load() == 0 {
				c.Wait()
			}
			m.Unlock()
			p.ends()
		})
	})
}

func TestCondSignalsInOrder(t *testing.T) {
	condLocks(t, func(t *testing.T, l sync.Locker, flag Flag) {
		const n = 10
		c := openCond(t, newName(t), l, flag)
		order := make(chan int, n)
		for i := 0; i < n; i++ {
			i := i
			go func() {
				l.Lock()
				c.Wait()
				order <- i
				l.Unlock()
			}()
			waiters(t, c, i+1)
		}
		for i := 0; i < n; i++ {
			l.Lock()
			c.Signal()
			l.Unlock()
			if got := <-order; got != i {
				t.Errorf("%d comes in place of %d", got, i)
			}
			if len(order) != 0 {
				t.Error("one signal has woken two")
			}
		}
	})
}

func TestCondBroadcast(t *testing.T) {
	condLocks(t, func(t *testing.T, l sync.Locker, flag Flag) {
		const n = 10
		c := openCond(t, newName(t), l, flag)
		c.Broadcast()
		c.Signal()
		var group sync.WaitGroup
		for i := 0; i < n; i++ {
			group.Add(1)
			go func() {
				defer group.Done()
				l.Lock()
				c.Wait()
				l.Unlock()
			}()
		}
		waiters(t, c, n)
		c.Broadcast()
		group.Wait()
	})
}

func TestCondContext(t *testing.T) {
	condLocks(t, func(t *testing.T, l sync.Locker, flag Flag) {
		c := openCond(t, newName(t), l, flag)
		held := func() {
			t.Helper()
			// If it is not held, this panics.
			if text := panics(l.Unlock); text != "" {
				t.Error("the lock is not held:", text)
				return
			}
			l.Lock()
		}
		l.Lock()
		wantError(t, c.WaitContext(canceled()), context.Canceled)
		held()
		ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
		wantError(t, c.WaitContext(ctx), context.DeadlineExceeded)
		cancel()
		held()

		ctx, cancel = context.WithCancel(context.Background())
		go func() {
			for list, _ := c.Waiters(); len(list) != 1; list, _ = c.Waiters() {
				time.Sleep(time.Millisecond)
			}
			cancel()
		}()
		wantError(t, c.WaitContext(ctx), context.Canceled)
		held()
		waiters(t, c, 0)

		ctx, cancel = context.WithCancel(context.Background())
		go func() {
			for list, _ := c.Waiters(); len(list) != 1; list, _ = c.Waiters() {
				time.Sleep(time.Millisecond)
			}
			l.Lock()
			c.Signal()
			l.Unlock()
		}()
		noError(t, c.WaitContext(ctx))
		cancel()
		held()
		l.Unlock()
	})
}

// A waiter whose context ends swallows no signal.
func TestCondCancelOrSignal(t *testing.T) {
	newName(t)
	withThreads(t, func(t *testing.T) {
		m := openMutex(t, newName(t), 0)
		c := openCond(t, newName(t), m, 0)
		for i := 0; i < 100; i++ {
			ctx, cancel := context.WithCancel(context.Background())
			first := background(func() error {
				m.Lock()
				defer m.Unlock()
				return c.WaitContext(ctx)
			})
			waiters(t, c, 1)
			second := background(func() error {
				m.Lock()
				defer m.Unlock()
				return c.WaitContext(context.Background())
			})
			waiters(t, c, 2)
			go cancel()
			c.Signal()
			if err := <-first; err == nil {
				// It had the signal, so the second needs one.
				waiters(t, c, 1)
				c.Signal()
			}
			noError(t, <-second)
			cancel()
		}
	})
}

func TestCondOwnerOfTheLockDies(t *testing.T) {
	each(t, func(t *testing.T, flag Flag) {
		withThreads(t, func(t *testing.T) {
			name := newName(t)
			m := openMutex(t, name, flag)
			c := openCond(t, name+".c", m, flag)
			m.OnOwnerDeath(func() error { return nil })
			m.Lock()
			result := background(func() error { c.Wait(); return nil })
			// The wait unlocks.
			waiters(t, c, 1)
			p := start(t, "hold", name)
			p.says("locked")
			c.Signal()
			p.kill()
			noError(t, <-result)
			m.Unlock()
			m.Lock()
			m.Unlock()
		})
	})
}

func TestCondMisuse(t *testing.T) {
	each(t, func(t *testing.T, flag Flag) {
		m := openMutex(t, newName(t), flag)
		c := openCond(t, newName(t), m, flag)
		if panics(c.Wait) == "" {
			t.Error("a wait without the lock does not panic")
		}
		c.L = new(sync.Mutex)
		if panics(c.Wait) == "" {
			t.Error("a wait with a lock of the process does not panic")
		}
		c.L = m
		m.Lock()
		noError(t, c.Close())
		wantError(t, c.WaitContext(context.Background()), os.ErrClosed)
		m.Unlock()
		var e *Error
		if !errors.As(c.Close(), &e) || e.Op != "close" {
			t.Error("closed twice:", e)
		}
	})
}
