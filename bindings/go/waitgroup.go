// SPDX-License-Identifier: LGPL-2.1-or-later

package gosync

import (
	"context"
	"io/fs"
	"math"
	"runtime"
	"sync/atomic"
	"syscall"
	"unsafe"
)

// A WaitGroup is sync.WaitGroup between processes. Additions are nobody's: the
// death of a process that has added something takes nothing back.
//
// This package makes the additions that release no waiter, and the kernel makes
// the others.
type WaitGroup struct {
	slot *waitgroupSlot // mapped for writing, or waitgroupStandIn; see slotOf
	look *waitgroupSlot // mapped for reading, or waitgroupStandIn
	object
}

// waitgroupStandIn is the state of a handle without mapped state, and of a closed
// one. The counter seems to be 1, with waiters.
var waitgroupStandIn = waitgroupSlot{word: 1<<63 | 1}

// OpenWaitGroup opens or creates a WaitGroup. One that is created begins with 0.
// Without a name it is anonymous.
func OpenWaitGroup(name string, flag Flag, perm fs.FileMode) (*WaitGroup, error) {
	return OpenWaitGroupAt(name, 0, flag, perm)
}

// OpenWaitGroupAt is as OpenWaitGroup, but a WaitGroup that is created begins with
// n.
func OpenWaitGroupAt(name string, n uint32, flag Flag, perm fs.FileMode) (*WaitGroup, error) {
	wg := new(WaitGroup)
	in, err := wg.open(spec{
		name: name, typ: _GOSYNC_WAITGROUP, flag: flag, perm: perm, capacity: uint64(n),
	})
	if err != nil {
		return nil, err
	}
	wg.setUp(in)
	return wg, nil
}

// WaitGroupFromFD is as MutexFromFD, for a WaitGroup.
func WaitGroupFromFD(fd int, flag Flag) (*WaitGroup, error) {
	wg := new(WaitGroup)
	in, err := wg.openFD(fd, _GOSYNC_WAITGROUP, flag)
	if err != nil {
		return nil, err
	}
	wg.setUp(in)
	return wg, nil
}

func (wg *WaitGroup) setUp(in *info) {
	wg.slot, wg.look = &waitgroupStandIn, &waitgroupStandIn
	if slot := (*waitgroupSlot)(wg.state(in, false)); slot != nil {
		wg.look = slot
		if wg.state(in, true) != nil {
			wg.slot = slot
		}
	}
}

// Close closes the handle. Other goroutines may still use it, as with a Mutex.
func (wg *WaitGroup) Close() error {
	setSlot(&wg.slot, &waitgroupStandIn)
	setSlot(&wg.look, &waitgroupStandIn)
	return wg.closeObject()
}

// Add adds delta, which may be negative, to the counter. When it becomes 0, all
// waiters of that moment are released. Add panics if it would become negative;
// then it stays as it was.
func (wg *WaitGroup) Add(delta int) {
	if raceEnabled && delta < 0 {
		raceRelease(unsafe.Pointer(wg))
	}
	s := slotOf(&wg.slot)
	// One comparison says that nobody waits and that the counter stays in its 31
	// bits: a word with waiters is far above these, whatever is added.
	word := atomic.LoadUint64(&s.word)
	if now := word + uint64(delta); now <= _GOSYNC_WAITGROUP_COUNTER &&
		atomic.CompareAndSwapUint64(&s.word, word, now) {
		runtime.KeepAlive(wg)
		return
	}
	wg.addSlow(s, int64(delta))
}

// addSlow adds where there may be waiters. The counter may go from one number to
// another that is not 0 either: all of them go on waiting, so no wake-up is owed.
func (wg *WaitGroup) addSlow(s *waitgroupSlot, delta int64) {
	for delta >= math.MinInt32 && delta <= math.MaxInt32 {
		word := atomic.LoadUint64(&s.word)
		counter := int64(word & _GOSYNC_WAITGROUP_COUNTER)
		now := counter + delta
		waits := word>>_GOSYNC_WAITGROUP_WAITER_SHIFT != 0
		if s == &waitgroupStandIn || now < 0 || now > _GOSYNC_WAITGROUP_COUNTER ||
			waits && (now == 0 || counter == 0) {
			break
		}
		if atomic.CompareAndSwapUint64(&s.word, word, word-uint64(counter)+uint64(now)) {
			runtime.KeepAlive(wg)
			return
		}
	}
	args := waitgroupAddArgs{delta: delta}
	args.size = uint32(unsafe.Sizeof(args))
	if _, err := wg.ioctlQuick(_GOSYNC_IOC_WAITGROUP_ADD, unsafe.Pointer(&args)); err != 0 {
		wg.misuse("add", _GOSYNC_IOC_WAITGROUP_ADD, err)
	}
}

// Done subtracts 1 from the counter.
func (wg *WaitGroup) Done() {
	wg.Add(-1)
}

// Go calls f in a new goroutine and adds it to the group.
func (wg *WaitGroup) Go(f func()) {
	wg.Add(1)
	go func() {
		defer wg.Done()
		f()
	}()
}

// Wait waits until the counter is 0.
func (wg *WaitGroup) Wait() {
	if err := wg.waitFor(nil); err != 0 {
		panic(wg.error("wait", _GOSYNC_IOC_WAITGROUP_WAIT, err))
	}
}

// WaitContext waits until the counter is 0 or ctx has ended.
func (wg *WaitGroup) WaitContext(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	err := wg.waitFor(ctx)
	if err == eContext {
		return ctx.Err()
	}
	return wg.error("wait", _GOSYNC_IOC_WAITGROUP_WAIT, err)
}

func (wg *WaitGroup) waitFor(ctx context.Context) (err syscall.Errno) {
	look := slotOf(&wg.look)
	if atomic.LoadUint64(&look.word)&_GOSYNC_WAITGROUP_COUNTER != 0 {
		_, err = wg.wait(ctx, waiting{op: _GOSYNC_IOC_WAITGROUP_WAIT})
	}
	if raceEnabled && err == 0 {
		raceAcquire(unsafe.Pointer(wg))
	}
	runtime.KeepAlive(wg)
	return err
}

// Count returns the counter, as it is at this moment.
func (wg *WaitGroup) Count() (int, error) {
	return wg.bitsOf((*uint64)(unsafe.Pointer(slotOf(&wg.look))), &waitgroupStandIn.word,
		_GOSYNC_WAITGROUP_COUNTER)
}

// bitsOf returns the bits of mask of a mapped word, or asks the kernel if word is the
// stand-in.
func (o *object) bitsOf(word, standIn *uint64, mask uint64) (int, error) {
	if word != standIn {
		n := atomic.LoadUint64(word) & mask
		runtime.KeepAlive(o)
		return int(n), nil
	}
	in, err := o.info()
	if err != 0 {
		return 0, o.error("info", _GOSYNC_IOC_INFO, err)
	}
	return int(in.word & mask), nil
}
