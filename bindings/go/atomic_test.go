// SPDX-License-Identifier: LGPL-2.1-or-later

package gosync

import (
	"context"
	"math"
	"os"
	"runtime"
	"strconv"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

func init() {
	// Adds to word 1 of an array, again and again.
	programs["count"] = func(args []string) {
		a, err := OpenUint64s(args[0], 0, 0, 0)
		must(err)
		times, err := strconv.Atoi(args[1])
		must(err)
		for i := 0; i < times; i++ {
			a.Add(1, 3)
		}
	}
	// Answers each odd number with the next one.
	programs["answer"] = func(args []string) {
		x, err := OpenInt32(args[0], 0, 0)
		must(err)
		for last := int32(0); last < 200; last += 2 {
			if now := x.Wait(last); now != last+1 {
				say("what?")
				return
			}
			x.Store(last + 2)
			x.Wake(1)
		}
	}
	// Waits for a word for ever.
	programs["doze"] = func(args []string) {
		x, err := OpenInt64(args[0], 0, 0)
		must(err)
		say("ready")
		x.Wait(0)
		say("awake")
		hear()
	}
}

// A word of any integer type
type anyWord[T integer] interface {
	closer
	Load() T
	Store(T)
	Swap(T) T
	CompareAndSwap(old, new T) bool
	Add(T) T
	And(T) T
	Or(T) T
}

// wordOfArray is the last word of an array, as a word.
type wordOfArray[T integer] struct{ *Words[T] }

func (w wordOfArray[T]) i() int     { return w.Len() - 1 }
func (w wordOfArray[T]) Load() T    { return w.Words.Load(w.i()) }
func (w wordOfArray[T]) Store(v T)  { w.Words.Store(w.i(), v) }
func (w wordOfArray[T]) Swap(v T) T { return w.Words.Swap(w.i(), v) }
func (w wordOfArray[T]) CompareAndSwap(old, new T) bool {
	return w.Words.CompareAndSwap(w.i(), old, new)
}
func (w wordOfArray[T]) Add(v T) T { return w.Words.Add(w.i(), v) }
func (w wordOfArray[T]) And(v T) T { return w.Words.And(w.i(), v) }
func (w wordOfArray[T]) Or(v T) T  { return w.Words.Or(w.i(), v) }

// checkWord makes all operations on a word that is 0.
func checkWord[T integer](t *testing.T, w anyWord[T], least, most T) {
	t.Helper()
	want := func(what string, got, want T) {
		t.Helper()
		if got != want {
			t.Errorf("%s: %d, not %d", what, got, want)
		}
	}
	want("a new word", w.Load(), 0)
	w.Store(most)
	want("after Store", w.Load(), most)
	want("Add returns the new value, and wraps around", w.Add(1), least)
	want("Swap returns the old value", w.Swap(most-1), least)
	if w.CompareAndSwap(least, 5) {
		t.Error("CompareAndSwap of what is not there")
	}
	want("after a CompareAndSwap that fails", w.Load(), most-1)
	if !w.CompareAndSwap(most-1, 5) {
		t.Error("no CompareAndSwap of what is there")
	}
	want("And returns the old value", w.And(6), 5)
	want("after And", w.Load(), 4)
	want("Or returns the old value", w.Or(most), 4)
	want("after Or", w.Load(), most)
	want("Add of what is -1, or as much", w.Add(^T(0)), most-1)
	w.Store(0)
}

func TestAtomicIntegers(t *testing.T) {
	each(t, func(t *testing.T, flag Flag) {
		create := flag | Create
		name := func() string { return newName(t) }
		checkWord[int32](t, opened[*Int32](t, flag)(OpenInt32(name(), create, 0o600)),
			math.MinInt32, math.MaxInt32)
		checkWord[uint32](t, opened[*Uint32](t, flag)(OpenUint32(name(), create, 0o600)),
			0, math.MaxUint32)
		checkWord[int64](t, opened[*Int64](t, flag)(OpenInt64(name(), create, 0o600)),
			math.MinInt64, math.MaxInt64)
		checkWord[uint64](t, opened[*Uint64](t, flag)(OpenUint64(name(), create, 0o600)),
			0, math.MaxUint64)
		checkWord[uint64](t, opened[*Uintptr](t, flag)(OpenUintptr(name(), create, 0o600)),
			0, math.MaxUint64)
	})
}

func TestAtomicArrays(t *testing.T) {
	each(t, func(t *testing.T, flag Flag) {
		create := flag | Create
		for _, count := range []int{1, 2, 160, 161, 65536} {
			a := opened[*Words[int32]](t, flag)(OpenInt32s(newName(t), count, create, 0o600))
			b := opened[*Words[uint32]](t, flag)(OpenUint32s(newName(t), count, create, 0o600))
			c := opened[*Words[int64]](t, flag)(OpenInt64s(newName(t), count, create, 0o600))
			d := opened[*Words[uint64]](t, flag)(OpenUint64s(newName(t), count, create, 0o600))
			if a.Len() != count || d.Len() != count {
				t.Fatal(a.Len(), d.Len(), count)
			}
			checkWord[int32](t, wordOfArray[int32]{a}, math.MinInt32, math.MaxInt32)
			checkWord[uint32](t, wordOfArray[uint32]{b}, 0, math.MaxUint32)
			checkWord[int64](t, wordOfArray[int64]{c}, math.MinInt64, math.MaxInt64)
			checkWord[uint64](t, wordOfArray[uint64]{d}, 0, math.MaxUint64)
			// Each word is another one.
			for i := 0; i < count; i += 1 + count/500 {
				a.Store(i, int32(i))
				d.Store(i, uint64(i))
			}
			for i := 0; i < count; i += 1 + count/500 {
				if a.Load(i) != int32(i) || d.Load(i) != uint64(i) {
					t.Fatal(i, a.Load(i), d.Load(i))
				}
			}
		}
	})
}

func TestAtomicBoolAndPointer(t *testing.T) {
	each(t, func(t *testing.T, flag Flag) {
		b := opened[*Bool](t, flag)(OpenBool(newName(t), flag|Create, 0o600))
		if b.Load() || b.Swap(true) || !b.Load() || b.CompareAndSwap(false, true) ||
			!b.CompareAndSwap(true, false) || b.Load() {
			t.Error("Bool")
		}
		b.Store(true)
		b.Wait(false)
		p := opened[*Pointer](t, flag)(OpenPointer(newName(t), flag|Create, 0o600))
		if p.Load() != 0 || p.Swap(math.MaxUint64) != 0 ||
			!p.CompareAndSwap(math.MaxUint64, 7) || p.CompareAndSwap(8, 9) || p.Wait(0) != 7 {
			t.Error("Pointer")
		}
	})
}

func TestAtomicMisusePanics(t *testing.T) {
	each(t, func(t *testing.T, flag Flag) {
		name := newName(t)
		a := opened[*Words[int64]](t, flag)(OpenInt64s(name, 3, flag|Create, 0o600))
		wantPanic(t, "gosync: index out of range [3] with length 3", func() { a.Add(3, 1) })
		wantPanic(t, "gosync: index out of range [-1] with length 3", func() { a.Load(-1) })
		wantPanic(t, "gosync: index out of range [9] with length 3", func() { a.Wake(9, 1) })
		x := opened[*Int64](t, flag)(OpenInt64(name, flag|ReadOnly, 0))
		a.Store(0, 5)
		if x.Load() != 5 || x.Wait(4) != 5 {
			t.Error("a read-only handle reads")
		}
		for what, f := range map[string]func(){
			"store":            func() { x.Store(1) },
			"add":              func() { x.Add(1) },
			"swap":             func() { x.Swap(1) },
			"compare and swap": func() { x.CompareAndSwap(5, 1) },
			"and":              func() { x.And(1) },
			"or":               func() { x.Or(1) },
			"wake":             func() { x.Wake(1) },
		} {
			wantPanic(t, "gosync: "+what+" "+name+": bad file descriptor", f)
		}
		if x.Load() != 5 {
			t.Error("a refused operation has changed the word")
		}
		noError(t, x.Close())
		wantPanic(t, "gosync: load "+name+": file already closed", func() { x.Load() })
		wantError(t, x.Close(), os.ErrClosed)
		_, err := OpenInt32(name, flag, 0)
		wantError(t, err, syscall.EPROTOTYPE)
		_, err = OpenInt64s(name, 4, flag|Create, 0o600)
		wantError(t, err, syscall.EPROTOTYPE)
	})
}

func TestAtomicBetweenProcesses(t *testing.T) {
	const processes, times = 4, 20000
	name := newName(t)
	a := opened[*Words[uint64]](t, 0)(OpenUint64s(name, 3, Create, 0o600))
	var all []*process
	for i := 0; i < processes; i++ {
		all = append(all, start(t, "count", name, strconv.Itoa(times)))
	}
	for i := 0; i < times; i++ {
		a.Add(1, 3)
	}
	for _, p := range all {
		p.ends()
	}
	if a.Load(0) != 0 || a.Load(1) != 3*times*(processes+1) || a.Load(2) != 0 {
		t.Error(a.Load(0), a.Load(1), a.Load(2))
	}
}

func TestAtomicWaitBetweenProcesses(t *testing.T) {
	each(t, func(t *testing.T, flag Flag) {
		name := newName(t)
		x := opened[*Int32](t, flag)(OpenInt32(name, flag|Create, 0o600))
		p := start(t, "answer", name)
		for i := int32(1); i < 200; i += 2 {
			x.Store(i)
			x.Wake(1)
			if now := x.Wait(i); now != i+1 {
				t.Fatal(i, now)
			}
		}
		p.ends()
	})
}

func TestAtomicWaitEndsWithItsContext(t *testing.T) {
	withThreads(t, func(t *testing.T) {
		x := opened[*Uint32](t, 0)(OpenUint32(newName(t), Create, 0o600))
		_, err := x.WaitContext(canceled(), 0)
		wantError(t, err, context.Canceled)
		ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
		defer cancel()
		_, err = x.WaitContext(ctx, 0)
		wantError(t, err, context.DeadlineExceeded)

		ctx, cancel = context.WithCancel(context.Background())
		defer cancel()
		done := background(func() error {
			now, err := x.WaitContext(ctx, 0)
			if now != math.MaxUint32 {
				t.Error(now)
			}
			return err
		})
		waiters(t, x, 1)
		x.Store(math.MaxUint32)
		if n := x.Wake(9); n != 1 {
			t.Error("woken:", n)
		}
		noError(t, <-done)
		done = background(func() error { _, err := x.WaitContext(ctx, math.MaxUint32); return err })
		waiters(t, x, 1)
		cancel()
		wantError(t, <-done, context.Canceled)
		waiters(t, x, 0)
	})
}

func TestAtomicWakeWakesAsManyAsItSays(t *testing.T) {
	x := opened[*Int64](t, 0)(OpenInt64(newName(t), Create, 0o600))
	done := make(chan error, 30)
	for i := 0; i < 30; i++ {
		go func() { x.Wait(0); done <- nil }()
	}
	waiters(t, x, 30)
	x.Store(1)
	for _, n := range []int{1, 9, 20} {
		if got := x.Wake(n); got != n {
			t.Errorf("Wake(%d) has woken %d", n, got)
		}
		for i := 0; i < n; i++ {
			<-done
		}
	}
	if x.Wake(1) != 0 {
		t.Error("nobody was left")
	}
}

func TestAtomicWaiterThatIsKilledIsGone(t *testing.T) {
	name := newName(t)
	x := opened[*Int64](t, 0)(OpenInt64(name, Create, 0o600))
	p, q := start(t, "doze", name), start(t, "doze", name)
	p.says("ready")
	q.says("ready")
	waiters(t, x, 2)
	p.kill()
	waiters(t, x, 1)
	x.Store(1)
	if n := x.Wake(10); n != 1 {
		t.Error("woken:", n)
	}
	q.says("awake")
}

func TestAtomicOpenAndCloseLeaveNothing(t *testing.T) {
	name := newName(t)
	x := opened[*Int64](t, 0)(OpenInt64(name, Create, 0o600))
	before := descriptors(t)
	for i := 0; i < 1000; i++ {
		y, err := OpenInt64(name, 0, 0)
		if err != nil {
			t.Fatal(err)
		}
		y.Add(1)
		noError(t, y.Close())
	}
	if after := descriptors(t); after != before {
		t.Errorf("%d descriptors, and before %d", after, before)
	}
	if x.Load() != 1000 {
		t.Error(x.Load())
	}
}

// Each of two goroutines stores to its word and then loads the other's. As there is one
// order of all, not both find what was there before.
func TestAtomicStoresAndLoadsHaveOneOrder(t *testing.T) {
	each(t, func(t *testing.T, flag Flag) {
		rounds := int64(20000)
		if flag != 0 {
			rounds = 1000
		}
		name := newName(t)
		first := opened[*Words[int64]](t, flag)(OpenInt64s(name, 2, flag|Create, 0o600))
		second := opened[*Words[int64]](t, flag)(OpenInt64s(name, 2, flag, 0))
		var arrived atomic.Int64
		meet := func(n int64) {
			for arrived.Add(1); arrived.Load() < 2*n; {
				runtime.Gosched()
			}
		}
		var saw [2]int64
		run := func(a *Words[int64], me int) {
			for i := int64(1); i <= rounds; i++ {
				a.Store(me, i)
				saw[me] = a.Load(1 - me)
				meet(2*i - 1)
				if saw[0] < i && saw[1] < i {
					t.Errorf("round %d: %d and %d", i, saw[0], saw[1])
				}
				meet(2 * i)
			}
		}
		done := background(func() error { run(second, 1); return nil })
		run(first, 0)
		<-done
	})
}
