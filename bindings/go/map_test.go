// SPDX-License-Identifier: LGPL-2.1-or-later

package gosync

import (
	"bytes"
	"context"
	"errors"
	"math/rand"
	"os"
	"reflect"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
	"unsafe"
)

func init() {
	// Has values whose halves are equal, and keys that come and go; until it is killed.
	programs["churn"] = func(args []string) {
		m, err := OpenMap(args[0], Fixed[uint64](), Fixed[point](), MapLimits{}, 0, 0)
		must(err)
		say("ready")
		for i := int32(1); ; i++ {
			must(m.Store(uint64(i)%8, point{i, i}))
			must(m.Store(100+uint64(i)%50, point{i, i}))
			must(m.Delete(100 + uint64(i+25)%50))
		}
	}
	// Stores keys with its own number, each only if it is absent.
	programs["claim"] = func(args []string) {
		m, err := OpenMap(args[0], String(), String(), MapLimits{}, 0, 0)
		must(err)
		n := 0
		for i := 0; i < 500; i++ {
			_, loaded, err := m.LoadOrStore("key "+strconv.Itoa(i), args[1])
			must(err)
			if !loaded {
				n++
			}
		}
		say(strconv.Itoa(n))
		hear()
	}
	// Adds to a number in a Map, by compare-and-swap.
	programs["increment"] = func(args []string) {
		m, err := OpenMap(args[0], String(), Fixed[int64](), MapLimits{}, 0, 0)
		must(err)
		for i := 0; i < 500; {
			old, _, err := m.Load("n")
			must(err)
			ok, err := m.CompareAndSwap("n", old, old+1)
			must(err)
			if ok {
				i++
			}
		}
	}
}

func openMap[K, V any](t *testing.T, name string, keys Codec[K], values Codec[V],
	limits MapLimits, flag Flag) *Map[K, V] {
	t.Helper()
	return opened[*Map[K, V]](t, flag)(OpenMap(name, keys, values, limits, flag|Create, 0o600))
}

func TestMapHashIsThatOfTheHeader(t *testing.T) {
	key := make([]byte, 255)
	for i := range key {
		key[i] = byte(7*i + 1)
	}
	seed := [4]uint64{0x9e3779b97f4a7c15, 0xbf58476d1ce4e5b9, 0x94d049bb133111eb,
		0xd1b54a32d192ed03}
	for n, want := range map[uintptr]uint32{
		1:   0x8552789,
		7:   0x545a0505,
		8:   0x350975cb,
		9:   0xd527d673,
		16:  0x983eb373,
		17:  0x13b5e3eb,
		32:  0xc37fe559,
		33:  0x5c579b11,
		255: 0xd9f1668f,
	} {
		if hash := mapHash(&seed, 1<<32-1, unsafe.Pointer(&key[0]), n); hash != want {
			t.Errorf("%d bytes: %#x, not %#x", n, hash, want)
		}
	}
}

func TestMapReadsWhatLiesInMemory(t *testing.T) {
	for class := 0; class < 4; class++ {
		m, s := newStandInMap(Bytes(), Bytes(), class, 300)
		n := len(s.slots) / 3
		if n > 300 {
			n = 300
		}
		value := func(i int) []byte { return bytes.Repeat([]byte{byte(i)}, i%257) }
		key := func(i int) []byte { return bytes.Repeat([]byte{byte(i + 1), byte(i >> 8)}, 1+i%32) }
		for i := 0; i < n; i++ {
			s.store(key(i), value(i))
		}
		for i := 0; i < n; i++ {
			if v, ok, err := m.Load(key(i)); !ok || err != nil || !bytes.Equal(v, value(i)) {
				t.Fatal(class, i, v, ok, err)
			}
		}
		for i := n; i < 2*n; i++ {
			if _, ok, err := m.Load(key(i)); ok || err != nil {
				t.Fatal(class, i, ok, err)
			}
		}
		if m.Len() != n {
			t.Error(m.Len(), n)
		}
		// Where a record is being written, the kernel is asked; there is none here.
		m.mapped().record(1).seq = 1
		_, ok, err := m.Load(key(0))
		wantError(t, err, syscall.EBADF)
		if ok {
			t.Error("a record that is being written")
		}
	}
}

// Load copies a variable's value by itself. It does so only if the record has a whole one.
func TestMapLoadsWholeVariables(t *testing.T) {
	m, s := newStandInMap(Fixed[benchKey](), Fixed[benchValue](), 0, 2)
	whole, short, value := benchKey{1, 2}, benchKey{3, 4}, benchValue{5}
	s.store(memoryOf(&whole), value[:])
	s.store(memoryOf(&short), value[:8])
	if v, ok, err := m.Load(whole); !ok || err != nil || v != value {
		t.Error(v, ok, err)
	}
	v, _, err := m.Load(short)
	wantError(t, err, ErrFormat)
	if v != (benchValue{}) {
		t.Error(v)
	}
	// While it is written, the kernel is asked; there is none here.
	m.mapped().record(1).seq = 1
	v, ok, err := m.Load(whole)
	wantError(t, err, syscall.EBADF)
	if ok || v != (benchValue{}) {
		t.Error(v, ok)
	}
}

func TestMapLoadAllocatesNothing(t *testing.T) {
	m, s := newStandInMap(Fixed[benchKey](), Fixed[benchValue](), 0, 1)
	key, value := benchKey{1, 2}, benchValue{3}
	s.store(memoryOf(&key), value[:])
	n := testing.AllocsPerRun(100, func() {
		if v, ok, err := m.Load(benchKey{1, 2}); !ok || err != nil || v != value {
			t.Fatal(v, ok, err)
		}
	})
	if n != 0 {
		t.Error(n)
	}
}

func TestMapOperations(t *testing.T) {
	each(t, func(t *testing.T, flag Flag) {
		m := openMap(t, newName(t), String(), Fixed[point](), MapLimits{}, flag)
		is := func(what string, v point, ok bool, err error, want point, wantOK bool) {
			t.Helper()
			if v != want || ok != wantOK || err != nil {
				t.Errorf("%s: %v, %v (%v), not %v, %v", what, v, ok, err, want, wantOK)
			}
		}
		none, one, two := point{}, point{1, 1}, point{2, 2}
		v, ok, err := m.Load("a")
		is("Load of nothing", v, ok, err, none, false)
		v, ok, err = m.LoadAndDelete("a")
		is("LoadAndDelete of nothing", v, ok, err, none, false)
		noError(t, m.Delete("a"))
		v, ok, err = m.Swap("a", one)
		is("Swap of nothing", v, ok, err, none, false)
		v, ok, err = m.Load("a")
		is("Load", v, ok, err, one, true)
		v, ok, err = m.LoadOrStore("a", two)
		is("LoadOrStore loads", v, ok, err, one, true)
		v, ok, err = m.LoadOrStore("b", two)
		is("LoadOrStore stores", v, ok, err, two, false)
		v, ok, err = m.Swap("a", two)
		is("Swap", v, ok, err, one, true)
		noError(t, m.Store("a", one))
		ok, err = m.CompareAndSwap("a", two, none)
		is("CompareAndSwap of another value", none, ok, err, none, false)
		ok, err = m.CompareAndSwap("c", none, one)
		is("CompareAndSwap of nothing", none, ok, err, none, false)
		ok, err = m.CompareAndSwap("a", one, two)
		is("CompareAndSwap", none, ok, err, none, true)
		ok, err = m.CompareAndDelete("a", one)
		is("CompareAndDelete of another value", none, ok, err, none, false)
		ok, err = m.CompareAndDelete("c", none)
		is("CompareAndDelete of nothing", none, ok, err, none, false)
		ok, err = m.CompareAndDelete("a", two)
		is("CompareAndDelete", none, ok, err, none, true)
		v, ok, err = m.LoadAndDelete("b")
		is("LoadAndDelete", v, ok, err, two, true)
		if m.Len() != 0 {
			t.Error(m.Len())
		}
		noError(t, m.StoreMany(Pair[string, point]{"a", one}, Pair[string, point]{"b", two},
			Pair[string, point]{"a", two}))
		v, ok, err = m.Load("a")
		is("StoreMany's last wins", v, ok, err, two, true)
		if m.Len() != 2 {
			t.Error(m.Len())
		}
		noError(t, m.Clear())
		if m.Len() != 0 {
			t.Error(m.Len())
		}
	})
}

// Of each length, as each is hashed and compared in another way
func TestMapKeysAndValuesOfAllLengths(t *testing.T) {
	each(t, func(t *testing.T, flag Flag) {
		m := openMap(t, newName(t), String(), Bytes(),
			MapLimits{Entries: 300, KeySize: 255, ValueSize: 65536}, flag)
		value := func(n int) []byte { return bytes.Repeat([]byte{byte(n)}, n*n) }
		for n := 1; n <= 255; n++ {
			noError(t, m.Store(strings.Repeat("k", n), value(n)))
		}
		for n := 1; n <= 255; n++ {
			v, ok, err := m.Load(strings.Repeat("k", n))
			if !ok || err != nil || !bytes.Equal(v, value(n)) {
				t.Fatal(n, ok, err)
			}
			if v, ok, err := m.LoadOrStore(strings.Repeat("k", n), nil); !ok || err != nil ||
				!bytes.Equal(v, value(n)) {
				t.Fatal(n, ok, err)
			}
		}
		for _, key := range []string{"", strings.Repeat("k", 256)} {
			wantError(t, m.Store(key, nil), syscall.EINVAL)
			_, _, err := m.Load(key)
			wantError(t, err, syscall.EINVAL)
			wantError(t, m.Delete(key), syscall.EINVAL)
		}
		wantError(t, m.Store("k", make([]byte, 65537)), syscall.EMSGSIZE)
		if v, _, err := m.Load("k"); err != nil || len(v) != 1 {
			t.Error("a refused store has changed it", v, err)
		}
		noError(t, m.Store("k", nil))
		if v, ok, err := m.Load("k"); !ok || err != nil || len(v) != 0 {
			t.Error(v, ok, err)
		}
	})
}

func TestMapGrowsUpToItsLimit(t *testing.T) {
	each(t, func(t *testing.T, flag Flag) {
		const entries = 1000
		m := openMap(t, newName(t), Fixed[uint32](), Fixed[uint64](),
			MapLimits{Entries: entries}, flag)
		for i := uint32(0); i < entries; i++ {
			noError(t, m.Store(i, uint64(i)<<32))
		}
		wantError(t, m.Store(entries, 0), syscall.ENOSPC)
		wantError(t, m.StoreMany(Pair[uint32, uint64]{1, 5}, Pair[uint32, uint64]{entries, 5}),
			syscall.ENOSPC)
		_, _, err := m.LoadOrStore(entries, 0)
		wantError(t, err, syscall.ENOSPC)
		for i := uint32(0); i < 2*entries; i++ {
			v, ok, err := m.Load(i)
			if err != nil || ok != (i < entries) || ok && v != uint64(i)<<32 {
				t.Fatal(i, v, ok, err)
			}
		}
		if m.Len() != entries {
			t.Error(m.Len())
		}
	})
}

func TestMapRange(t *testing.T) {
	each(t, func(t *testing.T, flag Flag) {
		m := openMap(t, newName(t), Fixed[uint32](), String(), MapLimits{}, flag)
		const n = 2000
		for i := uint32(0); i < n; i++ {
			noError(t, m.Store(i, strconv.Itoa(int(i))))
		}
		seen := map[uint32]bool{}
		noError(t, m.Range(func(key uint32, value string) bool {
			if seen[key] || value != strconv.Itoa(int(key)) {
				t.Error(key, value, seen[key])
			}
			seen[key] = true
			// It may do anything with the Map.
			noError(t, m.Delete(key))
			noError(t, m.Store(key, "again"))
			return true
		}))
		if len(seen) != n {
			t.Error(len(seen))
		}
		calls := 0
		noError(t, m.Range(func(uint32, string) bool {
			calls++
			noError(t, m.Clear())
			return calls < 3
		}))
		if calls != 3 && calls != 1 {
			t.Error("it goes on after false", calls)
		}
		noError(t, m.Range(func(uint32, string) bool { t.Error("it is empty"); return true }))
	})
}

// Go's: a walk beside stores finds each key once, with a value that it has had.
func TestMapConcurrentRange(t *testing.T) {
	const size = 1 << 8
	m := openMap(t, newName(t), Fixed[int64](), Fixed[int64](), MapLimits{}, 0)
	for n := int64(1); n <= size; n++ {
		noError(t, m.Store(n, n))
	}
	done := make(chan struct{})
	var group sync.WaitGroup
	defer group.Wait()
	defer close(done)
	for g := int64(runtime.GOMAXPROCS(0)); g > 0; g-- {
		r := rand.New(rand.NewSource(g))
		group.Add(1)
		go func(g int64) {
			defer group.Done()
			for i := int64(0); ; i++ {
				select {
				case <-done:
					return
				default:
				}
				for n := int64(1); n < size; n++ {
					if r.Int63n(size) == 0 {
						noError(t, m.Store(n, n*i*g))
					} else if _, _, err := m.Load(n); err != nil {
						t.Error(err)
					}
				}
			}
		}(g)
	}
	for n := 0; n < 16; n++ {
		seen := make(map[int64]bool, size)
		noError(t, m.Range(func(k, v int64) bool {
			if v%k != 0 || seen[k] {
				t.Errorf("%d has the value %d; seen: %v", k, v, seen[k])
			}
			seen[k] = true
			return true
		}))
		if len(seen) != size {
			t.Fatalf("%d keys, not %d", len(seen), size)
		}
	}
}

// A Map, and Go's own with the same operations
func TestMapDoesWhatSyncMapDoes(t *testing.T) {
	each(t, func(t *testing.T, flag Flag) {
		m := openMap(t, newName(t), String(), String(), MapLimits{}, flag)
		ours := func(op int, key, a, b string) (string, bool) {
			var v string
			var ok bool
			var err error
			switch op {
			case 0:
				v, ok, err = m.Load(key)
			case 1:
				err = m.Store(key, a)
			case 2:
				v, ok, err = m.LoadOrStore(key, a)
			case 3:
				v, ok, err = m.LoadAndDelete(key)
			case 4:
				err = m.Delete(key)
			case 5:
				v, ok, err = m.Swap(key, a)
			case 6:
				ok, err = m.CompareAndSwap(key, a, b)
			case 7:
				ok, err = m.CompareAndDelete(key, a)
			case 8:
				err = m.Clear()
			}
			noError(t, err)
			return v, ok
		}
		plain := map[string]string{}
		theirs := func(op int, key, a, b string) (string, bool) {
			v, ok := plain[key]
			switch op {
			case 1:
				plain[key] = a
				return "", false
			case 2:
				if !ok {
					plain[key], v = a, a
				}
			case 3:
				delete(plain, key)
			case 4:
				delete(plain, key)
				return "", false
			case 5:
				plain[key] = a
			case 6:
				if ok = ok && v == a; ok {
					plain[key] = b
				}
				return "", ok
			case 7:
				if ok = ok && v == a; ok {
					delete(plain, key)
				}
				return "", ok
			case 8:
				plain = map[string]string{}
				return "", false
			}
			return v, ok
		}
		random := rand.New(rand.NewSource(1))
		for i := 0; i < 5000; i++ {
			op := random.Intn(80)
			if op >= 8 {
				op %= 8
			}
			key := strconv.Itoa(random.Intn(10))
			a, b := strconv.Itoa(random.Intn(4)), strconv.Itoa(random.Intn(4))
			v, ok := ours(op, key, a, b)
			w, isOK := theirs(op, key, a, b)
			if v != w || ok != isOK {
				t.Fatalf("%d: operation %d(%s, %s, %s): %q, %v, not %q, %v", i, op, key, a, b,
					v, ok, w, isOK)
			}
		}
		all := map[string]string{}
		noError(t, m.Range(func(k, v string) bool { all[k] = v; return true }))
		if !reflect.DeepEqual(all, plain) || m.Len() != len(plain) {
			t.Error(all, plain, m.Len())
		}
	})
}

func TestMapValuesThatOthersReplaceAreWhole(t *testing.T) {
	name := newName(t)
	m := openMap(t, name, Fixed[uint64](), Fixed[point](), MapLimits{}, 0)
	p, q := start(t, "churn", name), start(t, "churn", name)
	p.says("ready")
	q.says("ready")
	found := 0
	for i := 0; found < 20000; i++ {
		v, ok, err := m.Load(uint64(i % 8))
		if err != nil || v.X != v.Y {
			t.Fatal(v, ok, err)
		}
		if ok {
			found++
		}
		if v, ok, err := m.Load(100 + uint64(i%50)); err != nil || v.X != v.Y || ok != (v.X != 0) {
			t.Fatal(v, ok, err)
		}
		if i%1000 == 0 {
			noError(t, m.Clear())
		}
		if i == 10000 {
			p.kill()
		}
	}
	q.kill()
	// Nobody has left anything half done.
	noError(t, m.Store(1, point{5, 5}))
	if v, ok, err := m.Load(1); !ok || err != nil || v != (point{5, 5}) {
		t.Error(v, ok, err)
	}
}

func TestMapEachKeyIsStoredByOneProcess(t *testing.T) {
	const processes = 4
	name := newName(t)
	m := openMap(t, name, String(), String(), MapLimits{}, 0)
	var all []*process
	for i := 0; i < processes; i++ {
		all = append(all, start(t, "claim", name, strconv.Itoa(i)))
	}
	stored := map[string]int{}
	total := 0
	for i, p := range all {
		line, err := p.out.ReadString('\n')
		noError(t, err)
		n, err := strconv.Atoi(strings.TrimSpace(line))
		noError(t, err)
		stored[strconv.Itoa(i)] = n
		total += n
	}
	noError(t, m.Range(func(_, who string) bool { stored[who]--; return true }))
	for who, n := range stored {
		if n != 0 {
			t.Errorf("process %s: %d", who, n)
		}
	}
	if total != 500 || m.Len() != 500 {
		t.Error(total, m.Len())
	}
}

func TestMapCompareAndSwapBetweenProcesses(t *testing.T) {
	name := newName(t)
	m := openMap(t, name, String(), Fixed[int64](), MapLimits{}, 0)
	noError(t, m.Store("n", 0))
	var all []*process
	for i := 0; i < 4; i++ {
		all = append(all, start(t, "increment", name))
	}
	for _, p := range all {
		p.ends()
	}
	if n, ok, err := m.Load("n"); n != 2000 || !ok || err != nil {
		t.Error(n, ok, err)
	}
}

func TestMapWait(t *testing.T) {
	withThreads(t, func(t *testing.T) {
		m := openMap(t, newName(t), String(), String(), MapLimits{}, 0)
		version, err := m.Version()
		noError(t, err)
		done := background(func() error {
			now, err := m.Wait(version)
			if now == version {
				t.Error("the same version")
			}
			return err
		})
		waiters(t, m, 1)
		noError(t, m.Store("a", "b"))
		noError(t, <-done)
		// It has changed already.
		now, err := m.Wait(version)
		if now == version || err != nil {
			t.Error(now, err)
		}
		_, err = m.WaitContext(canceled(), version)
		wantError(t, err, context.Canceled)
		ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
		defer cancel()
		_, err = m.WaitContext(ctx, now)
		wantError(t, err, context.DeadlineExceeded)
		waiters(t, m, 0)
	})
}

func TestMapMisuse(t *testing.T) {
	each(t, func(t *testing.T, flag Flag) {
		name := newName(t)
		m := openMap(t, name, String(), Fixed[point](), MapLimits{}, flag)
		noError(t, m.Store("a", point{1, 2}))
		r := opened[*Map[string, point]](t, flag)(OpenMap(name, String(), Fixed[point](),
			MapLimits{}, flag|ReadOnly, 0))
		if v, ok, err := r.Load("a"); !ok || err != nil || v != (point{1, 2}) {
			t.Error(v, ok, err)
		}
		wantError(t, r.Store("a", point{}), syscall.EBADF)
		wantError(t, r.Clear(), syscall.EBADF)
		if r.Len() != 1 {
			t.Error(r.Len())
		}
		wantError(t, m.StoreMany(), syscall.EINVAL)
		wantError(t, m.StoreMany(make([]Pair[string, point], 65)...), syscall.EINVAL)

		// Others may store what they like.
		raw := opened[*Map[string, string]](t, flag)(OpenMap(name, String(), String(),
			MapLimits{}, flag, 0))
		for _, v := range []string{"", "short", "as long"} {
			noError(t, raw.Store("a", v))
			_, ok, err := m.Load("a")
			wantError(t, err, ErrFormat)
			if !ok {
				t.Error("it is there")
			}
			wantError(t, m.Range(func(string, point) bool { return true }), ErrFormat)
		}
		_, _, err := m.Swap("a", point{3, 4})
		wantError(t, err, ErrFormat)
		if v, ok, err := m.Load("a"); !ok || err != nil || v != (point{3, 4}) {
			t.Error("the operation was done", v, ok, err)
		}
		var e *Error
		noError(t, raw.Store("a", ""))
		if _, _, err := m.Load("a"); !errors.As(err, &e) || e.Op != "load" || e.Name != name {
			t.Error(err)
		}
		_, err = OpenMap(name, String(), String(), MapLimits{Entries: 7}, flag, 0)
		wantError(t, err, syscall.EPROTOTYPE)
		noError(t, m.Close())
		_, _, err = m.Load("a")
		wantError(t, err, os.ErrClosed)
		wantError(t, m.Store("a", point{}), os.ErrClosed)
		wantError(t, m.Close(), os.ErrClosed)
	})
}

func TestMapWithGob(t *testing.T) {
	type route struct {
		Hops []string
		Cost map[string]int
	}
	m := openMap(t, newName(t), Gob[point](), Gob[route](), MapLimits{KeySize: 200, ValueSize: 1000}, 0)
	want := route{[]string{"a", "b"}, map[string]int{"a": 1}}
	noError(t, m.Store(point{1, 2}, want))
	if v, ok, err := m.Load(point{1, 2}); !ok || err != nil || !reflect.DeepEqual(v, want) {
		t.Error(v, ok, err)
	}
	noError(t, m.Range(func(k point, v route) bool {
		if k != (point{1, 2}) || !reflect.DeepEqual(v, want) {
			t.Error(k, v)
		}
		return true
	}))
}
