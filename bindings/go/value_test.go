// SPDX-License-Identifier: LGPL-2.1-or-later

package gosync

import (
	"bytes"
	"context"
	"math/rand"
	"os"
	"runtime"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

func init() {
	// Stores values whose halves are equal, until it is killed.
	programs["replace"] = func(args []string) {
		x, err := OpenValue(args[0], Fixed[point](), ValueLimits{}, 0, 0)
		must(err)
		say("ready")
		for i := int32(1); ; i++ {
			must(x.Store(point{i, i}))
		}
	}
	// Adds 1 by compare-and-swap.
	programs["raise"] = func(args []string) {
		x, err := OpenValue(args[0], Fixed[point](), ValueLimits{}, 0, 0)
		must(err)
		for i := 0; i < 500; {
			old, _, err := x.Load()
			must(err)
			ok, err := x.CompareAndSwap(old, point{old.X + 1, old.Y + 1})
			must(err)
			if ok {
				i++
			}
		}
	}
}

func openValue[T any](t *testing.T, name string, codec Codec[T], flag Flag) *Value[T] {
	t.Helper()
	return opened[*Value[T]](t, flag)(OpenValue(name, codec, ValueLimits{}, flag|Create, 0o600))
}

func TestValueOperations(t *testing.T) {
	each(t, func(t *testing.T, flag Flag) {
		x := openValue(t, newName(t), Fixed[point](), flag)
		is := func(what string, v point, ok bool, err error, want point, wantOK bool) {
			t.Helper()
			if v != want || ok != wantOK || err != nil {
				t.Errorf("%s: %v, %v (%v), not %v, %v", what, v, ok, err, want, wantOK)
			}
		}
		none, one, two := point{}, point{1, 1}, point{2, 2}
		v, ok, err := x.Load()
		is("Load of nothing", v, ok, err, none, false)
		ok, err = x.CompareAndSwap(none, one)
		is("CompareAndSwap of nothing", none, ok, err, none, false)
		ok, err = x.Init(one)
		is("Init", none, ok, err, none, true)
		ok, err = x.Init(two)
		is("Init of what is there", none, ok, err, none, false)
		v, ok, err = x.Load()
		is("Load", v, ok, err, one, true)
		v, ok, err = x.Swap(two)
		is("Swap", v, ok, err, one, true)
		ok, err = x.CompareAndSwap(one, none)
		is("CompareAndSwap of another value", none, ok, err, none, false)
		ok, err = x.CompareAndSwap(two, one)
		is("CompareAndSwap", none, ok, err, none, true)
		noError(t, x.Store(two))
		v, ok, err = x.Load()
		is("Load", v, ok, err, two, true)
		if version, err := x.Version(); version != 4 || err != nil {
			t.Error(version, err)
		}
		y := openValue(t, newName(t), Fixed[point](), flag)
		v, ok, err = y.Swap(one)
		is("Swap of nothing", v, ok, err, none, false)
	})
}

func TestValueOfAnySize(t *testing.T) {
	each(t, func(t *testing.T, flag Flag) {
		const most = 100000
		x := opened[*Value[[]byte]](t, flag)(OpenValue(newName(t), Bytes(),
			ValueLimits{Size: most}, flag|Create, 0o600))
		last := []byte(nil)
		for i, n := range []int{0, 1, 255, 256, 257, 5000, most, 3} {
			b := bytes.Repeat([]byte{byte(n + 1)}, n)
			old, ok, err := x.Swap(b)
			if ok != (i > 0) || err != nil || !bytes.Equal(old, last) {
				t.Fatal(n, len(old), ok, err)
			}
			if v, ok, err := x.Load(); !ok || err != nil || !bytes.Equal(v, b) {
				t.Fatal(n, len(v), ok, err)
			}
			last = b
		}
		wantError(t, x.Store(make([]byte, most+1)), syscall.EMSGSIZE)
		_, _, err := x.Swap(make([]byte, most+1))
		wantError(t, err, syscall.EMSGSIZE)
		if v, _, err := x.Load(); err != nil || len(v) != 3 {
			t.Error("a refused store has changed it", len(v), err)
		}
	})
}

// --- Go's own promises, of values of any type ---

func TestValueOfAnyType(t *testing.T) {
	each(t, func(t *testing.T, flag Flag) {
		x := openValue(t, newName(t), Gob[any](), flag)
		if v, ok, err := x.Load(); v != nil || ok || err != nil {
			t.Fatal("a new Value is not nil", v, ok, err)
		}
		for _, n := range []int{42, 84} {
			noError(t, x.Store(n))
			for i := 0; i < 2; i++ {
				if v, ok, err := x.Load(); v != n || !ok || err != nil {
					t.Error(v, ok, err)
				}
			}
		}
		const nilStore = "sync/atomic: store of nil value into Value"
		const badStore = "sync/atomic: store of inconsistently typed value into Value"
		wantPanic(t, nilStore, func() { x.Store(nil) })
		wantPanic(t, badStore, func() { x.Store("foo") })
		wantPanic(t, "sync/atomic: swap of nil value into Value", func() { x.Swap(nil) })
		wantPanic(t, "sync/atomic: swap of inconsistently typed value into Value",
			func() { x.Swap("foo") })
		wantPanic(t, "sync/atomic: compare and swap of nil value into Value",
			func() { x.CompareAndSwap(84, nil) })
		wantPanic(t, "sync/atomic: compare and swap of inconsistently typed values",
			func() { x.CompareAndSwap("foo", 84) })
		wantPanic(t, "sync/atomic: compare and swap of inconsistently typed value into Value",
			func() { x.CompareAndSwap("foo", "bar") })
		if v, _, err := x.Load(); v != 84 || err != nil {
			t.Error("a refused operation has changed it", v, err)
		}
		// An expected nil is an empty Value.
		if ok, err := x.CompareAndSwap(nil, 1); ok || err != nil {
			t.Error(ok, err)
		}
		y := openValue(t, newName(t), Gob[any](), flag)
		wantPanic(t, nilStore, func() { y.Store(nil) })
		if ok, err := y.CompareAndSwap("", "a"); ok || err != nil {
			t.Error(ok, err)
		}
		if ok, err := y.CompareAndSwap(nil, "a"); !ok || err != nil {
			t.Error(ok, err)
		}
		if v, ok, err := y.Swap("b"); v != "a" || !ok || err != nil {
			t.Error(v, ok, err)
		}
	})
}

// Who loads beside stores gets what was stored as a whole.
func TestValueConcurrentStores(t *testing.T) {
	sets := [][]any{
		{uint16(0), ^uint16(0), uint16(1 + 2<<8), uint16(3 + 4<<8)},
		{uint64(0), ^uint64(0), uint64(1 + 2<<40), uint64(3 + 4<<40)},
		{"", "a", strings.Repeat("b", 500), strings.Repeat("c", 1000)},
		{complex(0, 0), complex(1, 2), complex(3, 4), complex(5, 6)},
	}
	parallel, times := 4*runtime.GOMAXPROCS(0), 200
	for _, set := range sets {
		x := openValue(t, newName(t), Gob[any](), 0)
		done := make(chan bool, parallel)
		for i := 0; i < parallel; i++ {
			go func() {
				defer func() { done <- true }()
				r := rand.New(rand.NewSource(rand.Int63()))
			next:
				for j := 0; j < times; j++ {
					noError(t, x.Store(set[r.Intn(len(set))]))
					v, _, err := x.Load()
					noError(t, err)
					for _, s := range set {
						if v == s {
							continue next
						}
					}
					t.Errorf("%v is none of %v", v, set)
					return
				}
			}()
		}
		for i := 0; i < parallel; i++ {
			<-done
		}
	}
}

// Of stores beside each other each is in the Value once, and is swapped out once.
func TestValueConcurrentSwaps(t *testing.T) {
	x := openValue(t, newName(t), Fixed[uint64](), 0)
	const m, n = 20, 100
	var sum atomic.Uint64
	done := make(chan bool, m)
	for g := uint64(0); g < m*n; g += n {
		go func(g uint64) {
			for i := g; i < g+n; i++ {
				old, _, err := x.Swap(i)
				noError(t, err)
				sum.Add(old)
			}
			done <- true
		}(g)
	}
	for i := 0; i < m; i++ {
		<-done
	}
	last, _, err := x.Load()
	noError(t, err)
	if want := uint64(m*n-1) * (m * n) / 2; sum.Load()+last != want {
		t.Errorf("the sum was %d, not %d", sum.Load()+last, want)
	}
}

func TestValueConcurrentCompareAndSwaps(t *testing.T) {
	x := openValue(t, newName(t), Fixed[uint64](), 0)
	noError(t, x.Store(0))
	const m, n = 20, 50
	done := make(chan bool, m)
	for g := 0; g < m; g++ {
		go func() {
			for i := 0; i < n; {
				old, _, err := x.Load()
				noError(t, err)
				ok, err := x.CompareAndSwap(old, old+1)
				noError(t, err)
				if ok {
					i++
				}
				runtime.Gosched()
			}
			done <- true
		}()
	}
	for i := 0; i < m; i++ {
		<-done
	}
	if v, _, err := x.Load(); v != m*n || err != nil {
		t.Error(v, err)
	}
}

// --- Between processes ---

func TestValueThatOthersReplaceIsWhole(t *testing.T) {
	name := newName(t)
	x := openValue(t, name, Fixed[point](), 0)
	p, q := start(t, "replace", name), start(t, "replace", name)
	p.says("ready")
	q.says("ready")
	for i := 0; i < 100000; i++ {
		v, ok, err := x.Load()
		if err != nil || v.X != v.Y || ok != (v.X != 0) {
			t.Fatal(v, ok, err)
		}
		if i == 50000 {
			p.kill()
		}
	}
	q.kill()
	noError(t, x.Store(point{5, 5}))
	if v, ok, err := x.Load(); !ok || err != nil || v != (point{5, 5}) {
		t.Error(v, ok, err)
	}
}

func TestValueCompareAndSwapBetweenProcesses(t *testing.T) {
	name := newName(t)
	x := openValue(t, name, Fixed[point](), 0)
	noError(t, x.Store(point{}))
	var all []*process
	for i := 0; i < 4; i++ {
		all = append(all, start(t, "raise", name))
	}
	for _, p := range all {
		p.ends()
	}
	if v, _, err := x.Load(); v != (point{2000, 2000}) || err != nil {
		t.Error(v, err)
	}
}

func TestValueWait(t *testing.T) {
	withThreads(t, func(t *testing.T) {
		x := openValue(t, newName(t), String(), 0)
		done := background(func() error {
			version, err := x.Wait(0)
			if version != 1 {
				t.Error(version)
			}
			return err
		})
		waiters(t, x, 1)
		noError(t, x.Store("a"))
		noError(t, <-done)
		if version, err := x.Wait(0); version != 1 || err != nil {
			t.Error(version, err)
		}
		_, err := x.WaitContext(canceled(), 1)
		wantError(t, err, context.Canceled)
		ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
		defer cancel()
		_, err = x.WaitContext(ctx, 1)
		wantError(t, err, context.DeadlineExceeded)
		waiters(t, x, 0)
	})
}

func TestValueMisuse(t *testing.T) {
	each(t, func(t *testing.T, flag Flag) {
		name := newName(t)
		x := openValue(t, name, Fixed[point](), flag)
		noError(t, x.Store(point{1, 2}))
		r := opened[*Value[point]](t, flag)(OpenValue(name, Fixed[point](), ValueLimits{},
			flag|ReadOnly, 0))
		if v, ok, err := r.Load(); !ok || err != nil || v != (point{1, 2}) {
			t.Error(v, ok, err)
		}
		wantError(t, r.Store(point{}), syscall.EBADF)

		// Of another type, and of the same number but another length
		s := opened[*Value[string]](t, flag)(OpenValue(name, String(), ValueLimits{}, flag, 0))
		_, ok, err := s.Load()
		wantError(t, err, ErrFormat)
		if !ok {
			t.Error("there is a value")
		}
		wantPanic(t, "sync/atomic: store of inconsistently typed value into Value",
			func() { s.Store("a") })
		same := ValueLimits{Type: x.typ}
		u := opened[*Value[string]](t, flag)(OpenValue(name, String(), same, flag, 0))
		noError(t, u.Store("short"))
		_, _, err = x.Load()
		wantError(t, err, ErrFormat)
		_, _, err = x.Swap(point{3, 4})
		wantError(t, err, ErrFormat)
		if v, ok, err := x.Load(); !ok || err != nil || v != (point{3, 4}) {
			t.Error("the swap was done", v, ok, err)
		}
		noError(t, x.Close())
		_, _, err = x.Load()
		wantError(t, err, os.ErrClosed)
		wantError(t, x.Store(point{}), os.ErrClosed)
		wantError(t, x.Close(), os.ErrClosed)
	})
}
