// SPDX-License-Identifier: LGPL-2.1-or-later

package gosync

import (
	"context"
	"os"
	"sync"
	"syscall"
	"testing"
	"time"
)

func openSemaphore(t *testing.T, name string, n int64, flag Flag) *Semaphore {
	t.Helper()
	return opened[*Semaphore](t, flag)(OpenSemaphore(name, n, flag|Create, 0o600))
}

func init() {
	programs["acquire"] = func(args []string) {
		s, err := OpenSemaphore(args[0], 0, 0, 0)
		must(err)
		must(s.Acquire(context.Background(), 2))
		say("acquired")
		hear()
		s.Release(2)
		say("released")
		hear()
	}
}

func count(t *testing.T, s *Semaphore, want int) {
	t.Helper()
	if got, err := s.Count(); got != want || err != nil {
		t.Errorf("%d permits, not %d (%v)", got, want, err)
	}
}

func TestSemaphoreBetweenProcesses(t *testing.T) {
	each(t, func(t *testing.T, flag Flag) {
		withThreads(t, func(t *testing.T) {
			name := newName(t)
			s := openSemaphore(t, name, 3, flag)
			p := start(t, "acquire", name)
			p.says("acquired")
			count(t, s, 1)
			if s.TryAcquire(2) || !s.TryAcquire(1) {
				t.Error("there is one permit")
			}
			s.Release(1)
			result := background(func() error { return s.Acquire(context.Background(), 2) })
			waiters(t, s, 1)
			// Who comes later waits its turn, though there is one.
			second := background(func() error { return s.Acquire(context.Background(), 1) })
			waiters(t, s, 2)
			p.tell("go on")
			p.says("released")
			noError(t, <-result)
			noError(t, <-second)
			s.Release(3)
			count(t, s, 3)
		})
	})
}

func TestSemaphoreMisuse(t *testing.T) {
	each(t, func(t *testing.T, flag Flag) {
		s := openSemaphore(t, newName(t), 1, flag)
		ctx := context.Background()
		wantError(t, s.Acquire(ctx, -1), syscall.EINVAL)
		wantError(t, s.Acquire(ctx, 1<<40), syscall.EINVAL)
		if panics(func() { s.Release(-1) }) == "" || panics(func() { s.TryAcquire(-1) }) == "" {
			t.Error("a negative number is taken")
		}
		wantPanic(t, "semaphore: released more than held", func() { s.Release(1<<31 - 1) })
		noError(t, s.Acquire(ctx, 0))
		if !s.TryAcquire(0) {
			t.Error("nothing is not to be had")
		}
		s.Release(0)
		count(t, s, 1)
	})
}

func TestSemaphoreGiveBack(t *testing.T) {
	each(t, func(t *testing.T, flag Flag) {
		name := newName(t)
		s := openSemaphore(t, name, 2, flag|GiveBack)
		wantPanic(t, "semaphore: released more than held", func() { s.Release(1) })
		p := start(t, "acquire", name)
		p.says("acquired")
		result := background(func() error { return s.Acquire(context.Background(), 1) })
		waiters(t, s, 1)
		p.kill()
		noError(t, <-result)
		count(t, s, 1)
		s.Release(1)
	})
}

func TestSemaphoreLimit(t *testing.T) {
	each(t, func(t *testing.T, flag Flag) {
		s := openSemaphore(t, newName(t), 2, flag)
		noError(t, s.Acquire(context.Background(), 2))
		noError(t, s.SetLimit(1))
		s.Release(2)
		count(t, s, 1)
		noError(t, s.SetLimit(5))
		count(t, s, 5)
		wantError(t, s.SetLimit(-1), syscall.EINVAL)
	})
}

func TestSemaphoreContext(t *testing.T) {
	each(t, func(t *testing.T, flag Flag) {
		withThreads(t, func(t *testing.T) {
			s := openSemaphore(t, newName(t), 1, flag)
			wantError(t, s.Acquire(canceled(), 1), context.Canceled)
			ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
			wantError(t, s.Acquire(ctx, 2), context.DeadlineExceeded)
			cancel()
			ctx, cancel = context.WithCancel(context.Background())
			result := background(func() error { return s.Acquire(ctx, 2) })
			waiters(t, s, 1)
			cancel()
			wantError(t, <-result, context.Canceled)
			// It took nothing with it.
			count(t, s, 1)
			if !s.TryAcquire(1) {
				t.Error("there is one permit")
			}
		})
	})
}

func TestSemaphoreKeepsItsNumber(t *testing.T) {
	each(t, func(t *testing.T, flag Flag) {
		s := openSemaphore(t, newName(t), 3, flag)
		var group sync.WaitGroup
		for i := 0; i < 20; i++ {
			n := int64(i%3 + 1)
			group.Add(1)
			go func() {
				defer group.Done()
				for j := 0; j < 50; j++ {
					if err := s.Acquire(context.Background(), n); err != nil {
						t.Error(err)
						return
					}
					s.Release(n)
				}
			}()
		}
		group.Wait()
		count(t, s, 3)
	})
}

func TestSemaphoreClosed(t *testing.T) {
	each(t, func(t *testing.T, flag Flag) {
		s := openSemaphore(t, newName(t), 1, flag)
		noError(t, s.Close())
		wantError(t, s.Acquire(context.Background(), 1), os.ErrClosed)
		if panics(func() { s.Release(1) }) == "" || panics(func() { s.TryAcquire(1) }) == "" {
			t.Error("an operation on a closed handle does not panic")
		}
	})
}
