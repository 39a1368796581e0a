// SPDX-License-Identifier: LGPL-2.1-or-later

package gosync

import (
	"context"
	"errors"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func openOnce(t *testing.T, name string, flag Flag) *Once {
	t.Helper()
	return opened[*Once](t, flag)(OpenOnce(name, flag|Create, 0o600))
}

func init() {
	programs["once"] = func(args []string) {
		o, err := OpenOnce(args[0], 0, 0)
		must(err)
		o.Do(func() {
			say("begun")
			hear()
		})
		say("done")
		hear()
	}
}

func isDone(t *testing.T, o *Once, want bool) {
	t.Helper()
	if got, err := o.IsDone(); got != want || err != nil {
		t.Errorf("done: %v (%v)", got, err)
	}
}

func TestOnceAmongProcesses(t *testing.T) {
	each(t, func(t *testing.T, flag Flag) {
		withThreads(t, func(t *testing.T) {
			name := newName(t)
			o := openOnce(t, name, flag)
			p := start(t, "once", name)
			p.says("begun")
			isDone(t, o, false)
			result := background(func() error {
				o.Do(func() { t.Error("it is done twice") })
				return nil
			})
			looker := background(func() error { return o.Wait(context.Background()) })
			waiters(t, o, 2)
			p.tell("go on")
			p.says("done")
			noError(t, <-result)
			noError(t, <-looker)
			isDone(t, o, true)
			o.Do(func() { t.Error("it is done twice") })
		})
	})
}

func TestOnceRunnerDies(t *testing.T) {
	each(t, func(t *testing.T, flag Flag) {
		withThreads(t, func(t *testing.T) {
			name := newName(t)
			o := openOnce(t, name, flag)
			p := start(t, "once", name)
			p.says("begun")
			told := false
			result := background(func() error {
				return o.DoContext(context.Background(), func(again bool) error {
					told = again
					return nil
				})
			})
			waiters(t, o, 1)
			p.kill()
			noError(t, <-result)
			if !told {
				t.Error("it is not told that somebody has begun")
			}
			isDone(t, o, true)
		})
	})
}

func TestOnceAmongGoroutinesOfOneHandle(t *testing.T) {
	each(t, func(t *testing.T, flag Flag) {
		o := openOnce(t, newName(t), flag)
		var group sync.WaitGroup
		var n, after atomic.Int32
		for i := 0; i < 50; i++ {
			group.Add(1)
			go func() {
				defer group.Done()
				o.Do(func() {
					time.Sleep(time.Millisecond)
					n.Add(1)
				})
				after.Add(n.Load())
			}()
		}
		group.Wait()
		if n.Load() != 1 || after.Load() != 50 {
			t.Errorf("done %d times, seen by %d", n.Load(), after.Load())
		}
	})
}

// The goroutine that waits may be in the thread in which the Once was begun.
func TestOnceWaitInTheProcessThatRunsIt(t *testing.T) {
	each(t, func(t *testing.T, flag Flag) {
		for i := 0; i < 20; i++ {
			o := openOnce(t, newName(t), flag)
			var results []<-chan error
			o.Do(func() {
				for j := 0; j < 4; j++ {
					results = append(results, background(func() error {
						return o.Wait(context.Background())
					}))
				}
				waiters(t, o, 4)
			})
			for _, result := range results {
				noError(t, <-result)
			}
		}
	})
}

func TestOncePanicCountsAsDone(t *testing.T) {
	each(t, func(t *testing.T, flag Flag) {
		o := openOnce(t, newName(t), flag)
		wantPanic(t, "boom", func() { o.Do(func() { panic("boom") }) })
		isDone(t, o, true)
		o.Do(func() { t.Error("it is done twice") })
	})
}

func TestOnceGivenUp(t *testing.T) {
	each(t, func(t *testing.T, flag Flag) {
		o := openOnce(t, newName(t), flag)
		failed := errors.New("not today")
		wantError(t, o.DoContext(nil, func(again bool) error { return failed }), failed)
		isDone(t, o, false)
		noError(t, o.DoContext(nil, func(again bool) error {
			if !again {
				t.Error("it is not told that somebody has begun")
			}
			return nil
		}))
		isDone(t, o, true)
	})
}

func TestOnceContext(t *testing.T) {
	each(t, func(t *testing.T, flag Flag) {
		withThreads(t, func(t *testing.T) {
			name := newName(t)
			o, other := openOnce(t, name, flag), openOnce(t, name, flag)
			twice := func(bool) error { t.Error("it is done twice"); return nil }
			wantError(t, o.DoContext(canceled(), twice), context.Canceled)
			other.Do(func() {
				ctx, cancel := context.WithCancel(context.Background())
				result := background(func() error { return o.DoContext(ctx, twice) })
				waiters(t, o, 1)
				// A second one, which waits for the first
				second := background(func() error { return o.DoContext(ctx, twice) })
				looker := background(func() error { return o.Wait(ctx) })
				waiters(t, o, 2)
				cancel()
				wantError(t, <-result, context.Canceled)
				wantError(t, <-second, context.Canceled)
				wantError(t, <-looker, context.Canceled)
				waiters(t, o, 0)
			})
			noError(t, o.DoContext(context.Background(), twice))
		})
	})
}

func TestOnceClosed(t *testing.T) {
	each(t, func(t *testing.T, flag Flag) {
		name := newName(t)
		o, other := openOnce(t, name, flag), openOnce(t, name, flag)
		noError(t, o.Close())
		wantError(t, o.DoContext(nil, func(bool) error { return nil }), os.ErrClosed)
		if panics(func() { o.Do(func() {}) }) == "" {
			t.Error("Do of a closed handle does not panic")
		}
		other.Do(func() {})
		isDone(t, other, true)
	})
}

func TestOnceFuncAndValues(t *testing.T) {
	each(t, func(t *testing.T, flag Flag) {
		name := newName(t)
		o := openOnce(t, name, flag)
		n := 0
		f := OnceFunc(o, func() { n++ })
		f()
		f()
		if n != 1 {
			t.Errorf("called %d times", n)
		}

		// Two handles, as two processes have
		open := func(name string) *Value[string] {
			return opened[*Value[string]](t, flag)(
				OpenValue(name, String(), ValueLimits{}, flag|Create, 0o600))
		}
		value := func() func() string {
			return OnceValue(openOnce(t, name+".o", flag), open(name+".v"), func() string {
				n++
				return "made once"
			})
		}
		for _, f := range []func() string{value(), value()} {
			if got := f() + f(); got != "made oncemade once" {
				t.Error(got)
			}
		}
		values := func() func() (string, string) {
			return OnceValues(openOnce(t, name+".o2", flag), open(name+".v1"), open(name+".v2"),
				func() (string, string) { n++; return "a", "b" })
		}
		for _, f := range []func() (string, string){values(), values()} {
			if a, b := f(); a+b != "ab" {
				t.Error(a, b)
			}
		}
		if n != 3 {
			t.Errorf("called %d times, not 3", n)
		}

		failing := func() func() string {
			return OnceValue(openOnce(t, name+".o3", flag), open(name+".v3"),
				func() string { panic("boom") })
		}
		wantPanic(t, "boom", func() { failing()() })
		wantPanic(t, errNoResult.Error(), func() { failing()() })
	})
}
