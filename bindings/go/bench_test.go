// SPDX-License-Identifier: LGPL-2.1-or-later

package gosync

import (
	"sort"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// The uncontended operations, on stand-in pages, each beside its like in Go:
//
//	go test -run - -bench StandIn
//
// Both take turns. What is said is the median of the rounds, and the ratio of both.

const benchRounds = 25

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

func BenchmarkStandInMutex(b *testing.B) {
	m, g := standInMutex(), new(sync.Mutex)
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

func BenchmarkStandInRWMutexRead(b *testing.B) {
	m, g := standInRWMutex(), new(sync.RWMutex)
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

func BenchmarkStandInRWMutexWrite(b *testing.B) {
	m, g := standInRWMutex(), new(sync.RWMutex)
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

func BenchmarkStandInAdd(b *testing.B) {
	x, g := standInInt64(), new(atomic.Int64)
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

func BenchmarkStandInLoad(b *testing.B) {
	x, g := standInInt64(), new(atomic.Int64)
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

func BenchmarkStandInMapLoad(b *testing.B) {
	m, s := newStandInMap(Fixed[benchKey](), Fixed[benchValue](), 7, benchEntries)
	var g sync.Map
	keys, value := benchKeys(), benchValue{1, 2, 3}
	for i := range keys {
		key := keys[i]
		s.store(memoryOf(&key), value[:])
		g.Store(key, value)
	}
	beside(b, func(n int) {
		for i, k := 0, 0; i < n; i, k = i+1, (k+1)%benchEntries {
			if v, ok, err := m.Load(keys[k]); !ok || err != nil || v != value {
				b.Fatal(v, ok, err)
			}
		}
	}, func(n int) {
		for i, k := 0, 0; i < n; i, k = i+1, (k+1)%benchEntries {
			if v, ok := g.Load(keys[k]); !ok || v.(benchValue) != value {
				b.Fatal(v, ok)
			}
		}
	})
}
