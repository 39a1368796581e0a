// SPDX-License-Identifier: LGPL-2.1-or-later

package gosync

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"sort"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

const (
	poolLocks = 1000
	poolEach  = 10
)

func init() {
	// Has ten goroutines wait for each of 1,000 locks, and says how many threads
	// there are then.
	programs["pool"] = func(args []string) {
		var all []*Mutex
		for i := 0; i < poolLocks; i++ {
			m, err := OpenMutex(fmt.Sprint(args[0], ".", i), Create, 0o600)
			must(err)
			m.Lock()
			all = append(all, m)
		}
		order := make([][]int, poolLocks)
		var group sync.WaitGroup
		for j := 0; j < poolEach; j++ {
			for i, m := range all {
				i, j, m := i, j, m
				group.Add(1)
				go func() {
					defer group.Done()
					m.Lock()
					order[i] = append(order[i], j)
					m.Unlock()
				}()
			}
			for _, m := range all {
				for in, _ := m.Info(); int(in.Waiters) != j+1; in, _ = m.Info() {
					time.Sleep(time.Millisecond)
				}
			}
		}
		list, err := os.ReadDir("/proc/self/task")
		must(err)
		say(strconv.Itoa(len(list)))
		for _, m := range all {
			m.Unlock()
		}
		group.Wait()
		for _, came := range order {
			if len(came) != poolEach || !sort.IntsAreSorted(came) {
				must(fmt.Errorf("they were served in this order: %d", came))
			}
		}
		say("in order")
	}
}

// The goroutines take few threads, and each lock serves its own in the order in
// which they came. (A process of its own, as threads of other tests would count.)
func TestPoolTenThousandGoroutines(t *testing.T) {
	name := newName(t)
	allowMany(t)
	p := start(t, "pool", name)
	line, err := p.out.ReadString('\n')
	noError(t, err)
	n, err := strconv.Atoi(strings.TrimSpace(line))
	if err != nil {
		t.Fatal(line, err)
	}
	t.Logf("%d threads while %d goroutines wait, %d processors", n, poolLocks*poolEach,
		runtime.NumCPU())
	if n > 20 {
		t.Errorf("there are %d threads", n)
	}
	p.says("in order")
	p.ends()
}

func TestPoolManyContexts(t *testing.T) {
	name := newName(t)
	m := openMutex(t, name, 0)
	m.Lock()
	const n = 500
	before := descriptorList(t)
	ctx, cancel := context.WithCancel(context.Background())
	results := make(chan error, n)
	for i := 0; i < n; i++ {
		go func() { results <- m.LockContext(ctx) }()
	}
	waiters(t, m, n)
	cancel()
	for i := 0; i < n; i++ {
		wantError(t, <-results, context.Canceled)
	}
	waiters(t, m, 0)
	// The ring itself may be new: it, and its bell.
	if after := descriptorList(t); len(after) > len(before)+2 {
		t.Errorf("%q, and before %q", after, before)
	}
	m.Unlock()
}

// Without io_uring each waiter takes a thread, and all else is the same.
func TestPoolWithoutARing(t *testing.T) {
	name := newName(t)
	ring.once.Do(startRing)
	absent := ring.absent.Swap(true)
	defer ring.absent.Store(absent)
	m := openMutex(t, name, 0)
	m.Lock()
	const n = 30
	ctx, cancel := context.WithCancel(context.Background())
	canceled, locked := make(chan error, n), make(chan error, n)
	for i := 0; i < n; i++ {
		go func() { canceled <- m.LockContext(ctx) }()
		go func() {
			err := m.LockErr()
			if err == nil {
				m.Unlock()
			}
			locked <- err
		}()
	}
	waiters(t, m, 2*n)
	cancel()
	// The number of waiters does not tell that all have given up: one that a signal
	// interrupts is not in the queue for a moment.
	for i := 0; i < n; i++ {
		wantError(t, <-canceled, context.Canceled)
	}
	m.Unlock()
	for i := 0; i < n; i++ {
		if err := <-locked; err != nil {
			t.Error(err)
		}
	}
}
