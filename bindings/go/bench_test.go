// SPDX-License-Identifier: LGPL-2.1-or-later

package gosync

import (
	"fmt"
	"io/fs"
	"os"
	"runtime"
	"sort"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
	"unsafe"
)

// Uncontended operations, each beside its like in Go:
//
//	go test -run - -bench .
//
// Both take turns. What is said is the median of the rounds, and the ratio of both. Where
// there is no device the objects lie on stand-in pages; that measures the same
// instructions. In a virtual machine that counts instructions (selftests/vm/run --icount)
// a nanosecond is an instruction.

const benchRounds = 25

// hasDevice tells whether there is a device.
func hasDevice() bool {
	_, err := os.Stat(_GOSYNC_DEVICE)
	return err == nil
}

// benched returns an object: what open opens, or without a device what standIn makes.
func benched[T any](b *testing.B, open func(string, Flag, fs.FileMode) (T, error), standIn func() T) T {
	b.Helper()
	if !hasDevice() {
		return standIn()
	}
	object, err := open("", Create, 0o600)
	if err != nil {
		b.Fatal(err)
	}
	return object
}

// beside measures n operations of ours beside as many of theirs.
func beside(b *testing.B, ours, theirs func(n int)) {
	var ns [2][]float64
	n := b.N/benchRounds + 1
	for round := 0; round < benchRounds; round++ {
		for i, f := range [...]func(int){ours, theirs} {
			begin := time.Now()
			f(n)
			ns[i] = append(ns[i], float64(time.Since(begin).Nanoseconds())/float64(n))
		}
	}
	for i := range ns {
		sort.Float64s(ns[i])
	}
	b.ReportMetric(ns[0][benchRounds/2], "ns/op")
	b.ReportMetric(ns[1][benchRounds/2], "ns/go")
	b.ReportMetric(ns[0][benchRounds/2]/ns[1][benchRounds/2], "ratio")
}

func BenchmarkMutex(b *testing.B) {
	m, g := benched(b, OpenMutex, standInMutex), new(sync.Mutex)
	beside(b, func(n int) {
		for i := 0; i < n; i++ {
			m.Lock()
			m.Unlock()
		}
	}, func(n int) {
		for i := 0; i < n; i++ {
			g.Lock()
			g.Unlock()
		}
	})
}

func BenchmarkRWMutexRead(b *testing.B) {
	m, g := benched(b, OpenRWMutex, standInRWMutex), new(sync.RWMutex)
	beside(b, func(n int) {
		for i := 0; i < n; i++ {
			m.RLock()
			m.RUnlock()
		}
	}, func(n int) {
		for i := 0; i < n; i++ {
			g.RLock()
			g.RUnlock()
		}
	})
}

func BenchmarkRWMutexWrite(b *testing.B) {
	m, g := benched(b, OpenRWMutex, standInRWMutex), new(sync.RWMutex)
	beside(b, func(n int) {
		for i := 0; i < n; i++ {
			m.Lock()
			m.Unlock()
		}
	}, func(n int) {
		for i := 0; i < n; i++ {
			g.Lock()
			g.Unlock()
		}
	})
}

func BenchmarkAdd(b *testing.B) {
	x, g := benched(b, OpenInt64, standInInt64), new(atomic.Int64)
	beside(b, func(n int) {
		for i := 0; i < n; i++ {
			x.Add(1)
		}
	}, func(n int) {
		for i := 0; i < n; i++ {
			g.Add(1)
		}
	})
}

func BenchmarkLoad(b *testing.B) {
	x, g := benched(b, OpenInt64, standInInt64), new(atomic.Int64)
	sum := int64(0)
	beside(b, func(n int) {
		for i := 0; i < n; i++ {
			sum += x.Load()
		}
	}, func(n int) {
		for i := 0; i < n; i++ {
			sum += g.Load()
		}
	})
	if sum != 0 {
		b.Fatal(sum)
	}
}

// As the benchmark of the C library: 10,000 keys of 16 bytes, values of 64 bytes.
const benchEntries = 10000

type benchKey [2]uint64
type benchValue [64]byte

// benchKeys makes keys that are random enough for any hash (splitmix64).
func benchKeys() []benchKey {
	keys := make([]benchKey, benchEntries)
	for i := range keys {
		for j := range keys[i] {
			x := uint64(2*i+j+1) * 0x9e3779b97f4a7c15
			x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
			x = (x ^ x>>27) * 0x94d049bb133111eb
			keys[i][j] = x ^ x>>31
		}
	}
	return keys
}

func benchMap(b *testing.B, keys []benchKey, value benchValue) *Map[benchKey, benchValue] {
	if !hasDevice() {
		m, s := newStandInMap(Fixed[benchKey](), Fixed[benchValue](), 7, benchEntries)
		for _, key := range keys {
			s.store(memoryOf(&key), value[:])
		}
		return m
	}
	m, err := OpenMap("", Fixed[benchKey](), Fixed[benchValue](),
		MapLimits{Entries: benchEntries}, Create, 0o600)
	if err != nil {
		b.Fatal(err)
	}
	for _, key := range keys {
		if err := m.Store(key, value); err != nil {
			b.Fatal(err)
		}
	}
	return m
}

func BenchmarkMapLoad(b *testing.B) {
	var g sync.Map
	keys, value := benchKeys(), benchValue{1, 2, 3}
	m := benchMap(b, keys, value)
	for _, key := range keys {
		g.Store(key, value)
	}
	beside(b, func(n int) {
		for i, k := 0, 0; i < n; i++ {
			if k++; k == benchEntries {
				k = 0
			}
			if v, ok, err := m.Load(keys[k]); !ok || err != nil || v[2] != 3 {
				b.Fatal(v, ok, err)
			}
		}
	}, func(n int) {
		for i, k := 0, 0; i < n; i++ {
			if k++; k == benchEntries {
				k = 0
			}
			if v, ok := g.Load(keys[k]); !ok || v.(benchValue)[2] != 3 {
				b.Fatal(v, ok)
			}
		}
	})
}

// --- Processes that compete ---

func init() {
	// Locks, adds 1 to a number and unlocks, for so long.
	programs["contend"] = func(args []string) {
		me, err := strconv.Atoi(args[2])
		must(err)
		m, err := OpenMutex(args[0], 0, 0)
		must(err)
		n, err := OpenInt64(args[1], 0, 0)
		must(err)
		pin(me)
		word := n.write
		say("ready")
		hear()
		ops, begin := 0, time.Now()
		for end := begin.Add(contendFor); ops%16 != 0 || time.Now().Before(end); ops++ {
			m.Lock()
			*word++
			m.Unlock()
		}
		fmt.Println(ops, begin.UnixNano(), time.Now().UnixNano())
	}
}

const contendFor = 200 * time.Millisecond

// pin binds this goroutine to a thread, and that to a processor.
func pin(i int) {
	runtime.LockOSThread()
	mask := [128]byte{}
	cpu := i % runtime.NumCPU()
	mask[cpu/8] = 1 << (cpu % 8)
	syscall.RawSyscall(syscall.SYS_SCHED_SETAFFINITY, 0, unsafe.Sizeof(mask),
		uintptr(unsafe.Pointer(&mask)))
}

// Eight processes compete for a Mutex, as in the benchmark of the C library: one
// operation is a lock and an unlock of any of them.
func BenchmarkContended8(b *testing.B) {
	if !hasDevice() {
		b.Skip("there is no /dev/gosync")
	}
	var rounds []float64
	for round := 0; round < 7; round++ {
		name := "go.contended." + strconv.Itoa(os.Getpid())
		m, err := OpenMutex(name, Create, 0o600)
		if err != nil {
			b.Fatal(err)
		}
		n, err := OpenInt64(name+".n", Create, 0o600)
		if err != nil {
			b.Fatal(err)
		}
		var all []*process
		for i := 0; i < 8; i++ {
			all = append(all, start(b, "contend", name, name+".n", strconv.Itoa(i)))
		}
		for _, p := range all {
			p.says("ready")
		}
		for _, p := range all {
			p.tell("go")
		}
		var ops, first, last int64
		for _, p := range all {
			var did, begin, end int64
			if _, err := fmt.Fscan(p.out, &did, &begin, &end); err != nil {
				b.Fatal(err)
			}
			ops += did
			if first == 0 || begin < first {
				first = begin
			}
			if end > last {
				last = end
			}
			p.kill()
		}
		if n.Load() != ops {
			b.Fatalf("%d operations have added %d", ops, n.Load())
		}
		rounds = append(rounds, float64(last-first)/float64(ops))
		m.Close()
		n.Close()
	}
	sort.Float64s(rounds)
	b.ReportMetric(rounds[len(rounds)/2], "ns/op")
}
