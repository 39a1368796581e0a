// SPDX-License-Identifier: LGPL-2.1-or-later

package gosync

import (
	"context"
	"math/rand"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// What the tests of Go's own packages promise of Mutex, RWMutex, WaitGroup, Once, Cond and
// of x/sync's Semaphore, asked of ours. Those of sync.Map, atomic.Value and the atomics
// are in map_test.go, value_test.go and atomic_test.go.

// together runs f in n goroutines, and returns when all have ended.
func together(n int, f func(i int)) {
	var group sync.WaitGroup
	for i := 0; i < n; i++ {
		group.Add(1)
		go func(i int) {
			defer group.Done()
			f(i)
		}(i)
	}
	group.Wait()
}

// spawn runs f in a goroutine. The test ends after it, and closes its objects then.
func spawn(t *testing.T, f func()) {
	done := make(chan struct{})
	t.Cleanup(func() { <-done })
	go func() {
		defer close(done)
		f()
	}()
}

// A try on a free lock succeeds, on a taken one fails, and many who try and lock at once
// all come to an end.
func TestSuiteMutex(t *testing.T) {
	each(t, func(t *testing.T, flag Flag) {
		m := openMutex(t, newName(t), flag)
		m.Lock()
		if m.TryLock() {
			t.Fatal("TryLock of a locked Mutex")
		}
		m.Unlock()
		if !m.TryLock() {
			t.Fatal("TryLock of a free Mutex")
		}
		m.Unlock()
		inside := 0
		together(10, func(int) {
			for i := 0; i < 200; i++ {
				if i%3 == 0 {
					if m.TryLock() {
						inside++
						m.Unlock()
					}
					continue
				}
				m.Lock()
				if inside++; inside < 1 {
					t.Error(inside)
				}
				m.Unlock()
			}
		})
	})
}

// One who keeps the lock for long and takes it again at once does not keep out one who
// takes it for short.
func TestSuiteMutexFairness(t *testing.T) {
	each(t, func(t *testing.T, flag Flag) {
		name := newName(t)
		m, hog := openMutex(t, name, flag), openMutex(t, name, flag)
		var stop atomic.Bool
		done := background(func() error {
			for !stop.Load() {
				hog.Lock()
				time.Sleep(100 * time.Microsecond)
				hog.Unlock()
			}
			return nil
		})
		for i := 0; i < 10; i++ {
			time.Sleep(100 * time.Microsecond)
			m.Lock()
			m.Unlock()
		}
		stop.Store(true)
		<-done
	})
}

func TestSuiteParallelReaders(t *testing.T) {
	each(t, func(t *testing.T, flag Flag) {
		m := openRWMutex(t, newName(t), flag)
		for _, n := range []int{1, 3, 10} {
			// None of them goes on before all have the lock.
			in, out := make(chan bool), make(chan bool)
			for i := 0; i < n; i++ {
				spawn(t, func() {
					m.RLock()
					in <- true
					<-out
					m.RUnlock()
					in <- true
				})
			}
			for i := 0; i < n; i++ {
				<-in
			}
			for i := 0; i < n; i++ {
				out <- true
			}
			for i := 0; i < n; i++ {
				<-in
			}
		}
	})
}

// Writers are alone, and readers are without writers; each reader has a handle of its
// own, or all have the same.
func TestSuiteRWMutex(t *testing.T) {
	each(t, func(t *testing.T, flag Flag) {
		name := newName(t)
		for _, readers := range []int{1, 3, 10} {
			for _, own := range []bool{false, true} {
				var active atomic.Int32
				m := openRWMutex(t, name, flag)
				together(readers+2, func(me int) {
					m := m
					if own {
						m = openRWMutex(t, name, flag)
						defer m.Close()
					}
					for i := 0; i < 50; i++ {
						if me >= 2 {
							m.RLock()
							if n := active.Add(1); n < 1 || n >= 10000 {
								t.Errorf("a reader among %d", n)
							}
							runtime.Gosched()
							active.Add(-1)
							m.RUnlock()
							continue
						}
						m.Lock()
						if n := active.Add(10000); n != 10000 {
							t.Errorf("a writer among %d", n)
						}
						runtime.Gosched()
						active.Add(-10000)
						m.Unlock()
					}
				})
			}
		}
	})
}

func TestSuiteRLocker(t *testing.T) {
	each(t, func(t *testing.T, flag Flag) {
		m := openRWMutex(t, newName(t), flag)
		r := m.RLocker()
		readLocked, written := make(chan bool, 1), make(chan bool, 1)
		const n = 10
		spawn(t, func() {
			for i := 0; i < n; i++ {
				r.Lock()
				r.Lock()
				readLocked <- true
				m.Lock()
				written <- true
			}
		})
		for i := 0; i < n; i++ {
			<-readLocked
			r.Unlock()
			select {
			case <-written:
				t.Fatal("RLocker has not locked for reading")
			default:
			}
			r.Unlock()
			<-written
			select {
			case <-readLocked:
				t.Fatal("RLocker has locked beside a writer")
			default:
			}
			m.Unlock()
		}
	})
}

// A WaitGroup is used again at once, and each Wait waits for its own generation.
func TestSuiteWaitGroup(t *testing.T) {
	each(t, func(t *testing.T, flag Flag) {
		create := flag | Create
		a := opened[*WaitGroup](t, flag)(OpenWaitGroup(newName(t), create, 0o600))
		b := opened[*WaitGroup](t, flag)(OpenWaitGroup(newName(t), create, 0o600))
		const n = 16
		for round := 0; round < 8; round++ {
			a.Add(n)
			b.Add(n)
			exited := make(chan bool, n)
			for i := 0; i < n; i++ {
				spawn(t, func() {
					a.Done()
					b.Wait()
					exited <- true
				})
			}
			a.Wait()
			for i := 0; i < n; i++ {
				select {
				case <-exited:
					t.Fatal("a WaitGroup released a waiter too soon")
				default:
				}
				b.Done()
			}
			for i := 0; i < n; i++ {
				<-exited
			}
		}
	})
}

func TestSuiteWaitGroupRace(t *testing.T) {
	each(t, func(t *testing.T, flag Flag) {
		wg := opened[*WaitGroup](t, flag)(OpenWaitGroup(newName(t), flag|Create, 0o600))
		for i := 0; i < 300; i++ {
			var n atomic.Int32
			wg.Add(1)
			spawn(t, func() {
				n.Add(1)
				wg.Done()
			})
			wg.Add(1)
			spawn(t, func() {
				n.Add(1)
				wg.Done()
			})
			wg.Wait()
			if n.Load() != 2 {
				t.Fatal("Wait was released too soon")
			}
		}
	})
}

func TestSuiteOnce(t *testing.T) {
	each(t, func(t *testing.T, flag Flag) {
		o := opened[*Once](t, flag)(OpenOnce(newName(t), flag|Create, 0o600))
		n := 0
		together(10, func(int) {
			o.Do(func() { n++ })
			if n != 1 {
				t.Errorf("Do returned, and it was done %d times", n)
			}
		})
		o.Do(func() { t.Error("it was done") })

		p := opened[*Once](t, flag)(OpenOnce(newName(t), flag|Create, 0o600))
		wantPanic(t, "failed", func() { p.Do(func() { panic("failed") }) })
		p.Do(func() { t.Error("it was done, though it has panicked") })
	})
}

func mutexAndCond(t *testing.T, flag Flag) (*Mutex, *Cond) {
	t.Helper()
	m := openMutex(t, newName(t), flag)
	return m, opened[*Cond](t, flag)(OpenCond(newName(t), m, flag|Create, 0o600))
}

// A signal wakes one, and it has the lock then.
func TestSuiteCondSignal(t *testing.T) {
	each(t, func(t *testing.T, flag Flag) {
		m, c := mutexAndCond(t, flag)
		const n = 5
		running, awake := make(chan bool, n), make(chan bool, n)
		for i := 0; i < n; i++ {
			spawn(t, func() {
				m.Lock()
				running <- true
				c.Wait()
				awake <- true
				m.Unlock()
			})
		}
		for i := 0; i < n; i++ {
			<-running
		}
		for left := n; left > 0; left-- {
			select {
			case <-awake:
				t.Fatal("not asleep")
			default:
			}
			m.Lock()
			c.Signal()
			m.Unlock()
			<-awake
			select {
			case <-awake:
				t.Fatal("too many awake")
			default:
			}
		}
		c.Signal()
	})
}

// Who waited first is awake first.
func TestSuiteCondSignalGenerations(t *testing.T) {
	each(t, func(t *testing.T, flag Flag) {
		m, c := mutexAndCond(t, flag)
		const n = 50
		running, awake := make(chan bool, n), make(chan int, n)
		for i := 0; i < n; i++ {
			i := i
			spawn(t, func() {
				m.Lock()
				running <- true
				c.Wait()
				awake <- i
				m.Unlock()
			})
			if i > 0 {
				if a := <-awake; a != i-1 {
					t.Fatalf("%d is awake, not %d", a, i-1)
				}
			}
			<-running
			m.Lock()
			c.Signal()
			m.Unlock()
		}
	})
}

func TestSuiteCondBroadcast(t *testing.T) {
	each(t, func(t *testing.T, flag Flag) {
		m, c := mutexAndCond(t, flag)
		const n = 30
		running, awake := make(chan int, n), make(chan int, n)
		exit := false
		for i := 0; i < n; i++ {
			g := i
			spawn(t, func() {
				m.Lock()
				for !exit {
					running <- g
					c.Wait()
					awake <- g
				}
				m.Unlock()
			})
		}
		for i := 0; i < n; i++ {
			for i := 0; i < n; i++ {
				<-running
			}
			if i == n-1 {
				m.Lock()
				exit = true
				m.Unlock()
			}
			select {
			case <-awake:
				t.Fatal("not asleep")
			default:
			}
			m.Lock()
			c.Broadcast()
			m.Unlock()
			seen := make([]bool, n)
			for i := 0; i < n; i++ {
				g := <-awake
				if seen[g] {
					t.Fatal("awake twice")
				}
				seen[g] = true
			}
		}
		select {
		case <-running:
			t.Fatal("nobody is left")
		default:
		}
		c.Broadcast()
	})
}

// A goroutine that waits anew does not take a signal from one that waited before.
func TestSuiteCondSignalStealing(t *testing.T) {
	each(t, func(t *testing.T, flag Flag) {
		m, c := mutexAndCond(t, flag)
		for i := 0; i < 50; i++ {
			// A waiter, and then a signal and a second waiter
			first := make(chan struct{})
			spawn(t, func() {
				m.Lock()
				first <- struct{}{}
				c.Wait()
				m.Unlock()
				first <- struct{}{}
			})
			<-first
			m.Lock()
			m.Unlock()
			done := false
			spawn(t, func() { c.Broadcast() })
			second := make(chan struct{})
			spawn(t, func() {
				m.Lock()
				for !done {
					c.Wait()
				}
				m.Unlock()
				close(second)
			})
			<-first
			m.Lock()
			done = true
			m.Unlock()
			c.Broadcast()
			<-second
		}
	})
}

// Two who take turns by one Cond and one variable
func TestSuiteCondRace(t *testing.T) {
	each(t, func(t *testing.T, flag Flag) {
		m, c := mutexAndCond(t, flag)
		x := 0
		step := func(from, to int) {
			m.Lock()
			for x != from {
				c.Wait()
			}
			x = to
			c.Broadcast()
			m.Unlock()
		}
		for i := 0; i < 50; i++ {
			x = 0
			together(3, func(me int) { step(me, me+1) })
			if x != 3 {
				t.Fatal(x)
			}
		}
	})
}

// --- golang.org/x/sync/semaphore ---

func TestSuiteSemaphore(t *testing.T) {
	each(t, func(t *testing.T, flag Flag) {
		const permits = 4
		s := opened[*Semaphore](t, flag)(OpenSemaphore(newName(t), permits, flag|Create, 0o600))
		var taken atomic.Int64
		together(permits+4, func(me int) {
			n := int64(1 + me%permits)
			for i := 0; i < 50; i++ {
				noError(t, s.Acquire(context.Background(), n))
				if now := taken.Add(n); now > permits {
					t.Error("taken:", now)
				}
				if rand.Intn(4) == 0 {
					runtime.Gosched()
				}
				taken.Add(-n)
				s.Release(n)
			}
		})
		for _, want := range []struct {
			n  int64
			ok bool
		}{{1, true}, {3, true}, {1, false}} {
			if ok := s.TryAcquire(want.n); ok != want.ok {
				t.Error(want, ok)
			}
		}
		s.Release(4)
	})
}

// One who wants all is served, though others come and go without a pause.
func TestSuiteSemaphoreLargeAcquireDoesNotStarve(t *testing.T) {
	each(t, func(t *testing.T, flag Flag) {
		const n = 4
		s := opened[*Semaphore](t, flag)(OpenSemaphore(newName(t), n, flag|Create, 0o600))
		var running atomic.Bool
		running.Store(true)
		done := make(chan bool, n)
		for i := 0; i < n; i++ {
			noError(t, s.Acquire(context.Background(), 1))
			spawn(t, func() {
				for running.Load() {
					time.Sleep(time.Millisecond)
					s.Release(1)
					noError(t, s.Acquire(context.Background(), 1))
				}
				s.Release(1)
				done <- true
			})
		}
		noError(t, s.Acquire(context.Background(), n))
		running.Store(false)
		s.Release(n)
		for i := 0; i < n; i++ {
			<-done
		}
	})
}

// A wait that its context has ended is in nobody's way.
func TestSuiteSemaphoreCanceledWaiterIsGone(t *testing.T) {
	withThreads(t, func(t *testing.T) {
		s := opened[*Semaphore](t, 0)(OpenSemaphore(newName(t), 2, Create, 0o600))
		noError(t, s.Acquire(context.Background(), 1))
		ctx, cancel := context.WithCancel(context.Background())
		large := background(func() error { return s.Acquire(ctx, 2) })
		waiters(t, s, 1)
		small := background(func() error { return s.Acquire(context.Background(), 1) })
		waiters(t, s, 2)
		cancel()
		wantError(t, <-large, context.Canceled)
		// Now there is a permit for the other.
		noError(t, <-small)
		s.Release(2)
	})
}
