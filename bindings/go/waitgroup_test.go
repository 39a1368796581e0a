// SPDX-License-Identifier: LGPL-2.1-or-later

package gosync

import (
	"context"
	"os"
	"sync/atomic"
	"testing"
	"time"
)

func openWaitGroup(t *testing.T, name string, flag Flag) *WaitGroup {
	t.Helper()
	return opened[*WaitGroup](t, flag)(OpenWaitGroup(name, flag|Create, 0o600))
}

func init() {
	programs["done"] = func(args []string) {
		wg, err := OpenWaitGroup(args[0], 0, 0)
		must(err)
		say("ready")
		hear()
		wg.Done()
		say("done")
		hear()
	}
}

func TestWaitGroupWaitsForProcesses(t *testing.T) {
	each(t, func(t *testing.T, flag Flag) {
		withThreads(t, func(t *testing.T) {
			const n = 3
			name := newName(t)
			wg := openWaitGroup(t, name, flag)
			wg.Wait()
			wg.Add(n)
			var all []*process
			for i := 0; i < n; i++ {
				all = append(all, start(t, "done", name))
			}
			waited := background(func() error { wg.Wait(); return nil })
			waiters(t, wg, 1)
			for i, p := range all {
				p.says("ready")
				if got, err := wg.Count(); got != n-i || err != nil {
					t.Errorf("%d, not %d (%v)", got, n-i, err)
				}
				select {
				case <-waited:
					t.Error("the wait ends too early")
				default:
				}
				p.tell("go on")
				p.says("done")
			}
			noError(t, <-waited)
			// It can be used again.
			wg.Add(1)
			wg.Done()
			wg.Wait()
		})
	})
}

func TestWaitGroupGo(t *testing.T) {
	each(t, func(t *testing.T, flag Flag) {
		wg := openWaitGroup(t, newName(t), flag)
		var n atomic.Int32
		for i := 0; i < 100; i++ {
			wg.Go(func() { n.Add(1) })
		}
		wg.Wait()
		if n.Load() != 100 {
			t.Errorf("%d have run, not 100", n.Load())
		}
	})
}

func TestWaitGroupMisusePanicsWithGosText(t *testing.T) {
	each(t, func(t *testing.T, flag Flag) {
		wg := openWaitGroup(t, newName(t), flag)
		wantPanic(t, "sync: negative WaitGroup counter", wg.Done)
		wg.Add(1)
		wantPanic(t, "sync: negative WaitGroup counter", func() { wg.Add(-2) })
		wantPanic(t, "sync: negative WaitGroup counter", func() { wg.Add(-1 << 31) })
		// Unlike Go's, it is as it was.
		if n, err := wg.Count(); n != 1 || err != nil {
			t.Errorf("%d, not 1 (%v)", n, err)
		}
		wg.Add(1<<31 - 2)
		if panics(func() { wg.Add(1) }) == "" {
			t.Error("more than there can be")
		}
		wg.Add(-(1<<31 - 1))
		wg.Wait()
	})
}

func TestWaitGroupBeginsWithANumber(t *testing.T) {
	name := newName(t)
	wg := opened[*WaitGroup](t, 0)(OpenWaitGroupAt(name, 2, Create, 0o600))
	wg.Done()
	wg.Done()
	wg.Wait()
}

func TestWaitGroupContext(t *testing.T) {
	each(t, func(t *testing.T, flag Flag) {
		withThreads(t, func(t *testing.T) {
			wg := openWaitGroup(t, newName(t), flag)
			wg.Add(1)
			wantError(t, wg.WaitContext(canceled()), context.Canceled)
			ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
			wantError(t, wg.WaitContext(ctx), context.DeadlineExceeded)
			cancel()
			ctx, cancel = context.WithCancel(context.Background())
			result := background(func() error { return wg.WaitContext(ctx) })
			waiters(t, wg, 1)
			cancel()
			wantError(t, <-result, context.Canceled)
			ctx, cancel = context.WithCancel(context.Background())
			result = background(func() error { return wg.WaitContext(ctx) })
			waiters(t, wg, 1)
			wg.Done()
			noError(t, <-result)
			cancel()
		})
	})
}

func TestWaitGroupClosed(t *testing.T) {
	each(t, func(t *testing.T, flag Flag) {
		wg := openWaitGroup(t, newName(t), flag)
		wg.Add(1)
		noError(t, wg.Close())
		wantError(t, wg.WaitContext(context.Background()), os.ErrClosed)
		if panics(wg.Wait) == "" || panics(wg.Done) == "" {
			t.Error("an operation on a closed handle does not panic")
		}
	})
}
