// SPDX-License-Identifier: LGPL-2.1-or-later

package gosync

import (
	"context"
	"io/fs"
	"runtime"
	"sync/atomic"
	"syscall"
	"unsafe"
)

// A Semaphore is Weighted of golang.org/x/sync/semaphore, between processes.
// Permits are nobody's: the death of a process that has some gives none back,
// unless the Semaphore was created with GiveBack.
//
// This package takes and adds permits as long as nobody waits. From the first
// waiter on, the kernel does.
type Semaphore struct {
	slot *semaphoreSlot // mapped for writing, or semaphoreStandIn; see slotOf
	look *semaphoreSlot // mapped for reading, or semaphoreStandIn
	object
}

// semaphoreStandIn is the state of a handle that leaves all to the kernel. There
// seem to be waiters.
var semaphoreStandIn = semaphoreSlot{word: 1 << 63}

// OpenSemaphore opens or creates a Semaphore. One that is created has n permits, up
// to 2147483647. For one that exists, n is that number or 0. Without a name it is
// anonymous.
func OpenSemaphore(name string, n int64, flag Flag, perm fs.FileMode) (*Semaphore, error) {
	s := new(Semaphore)
	in, err := s.open(spec{
		name: name, typ: _GOSYNC_SEMAPHORE, flag: flag, perm: perm, capacity: uint64(n),
	})
	if err != nil {
		return nil, err
	}
	s.setUp(in)
	return s, nil
}

// SemaphoreFromFD is as MutexFromFD, for a Semaphore.
func SemaphoreFromFD(fd int, flag Flag) (*Semaphore, error) {
	s := new(Semaphore)
	in, err := s.openFD(fd, _GOSYNC_SEMAPHORE, flag)
	if err != nil {
		return nil, err
	}
	s.setUp(in)
	return s, nil
}

func (s *Semaphore) setUp(in *info) {
	s.slot, s.look = &semaphoreStandIn, &semaphoreStandIn
	if slot := (*semaphoreSlot)(s.state(in, false)); slot != nil {
		s.look = slot
		// With GiveBack the kernel has to know each taker.
		if s.state(in, true) != nil && in.flags&_GOSYNC_GIVE_BACK == 0 {
			s.slot = slot
		}
	}
}

// Close closes the handle. Other goroutines may still use it, as with a Mutex.
func (s *Semaphore) Close() error {
	setSlot(&s.slot, &semaphoreStandIn)
	setSlot(&s.look, &semaphoreStandIn)
	return s.closeObject()
}

// Acquire takes n permits, and waits for them in its turn. It returns ctx.Err() if
// ctx ends before. A context that is done already gets no permits.
func (s *Semaphore) Acquire(ctx context.Context, n int64) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if s.take(n) {
		return nil
	}
	err := syscall.EINVAL
	if n >= 0 && n <= _GOSYNC_SEMAPHORE_PERMITS {
		_, err = s.wait(ctx, waiting{op: _GOSYNC_IOC_SEMAPHORE_ACQUIRE, value: uint64(n)})
	}
	if err == eContext {
		return ctx.Err()
	}
	if raceEnabled && err == 0 {
		raceAcquire(unsafe.Pointer(s))
	}
	return s.error("acquire", _GOSYNC_IOC_SEMAPHORE_ACQUIRE, err)
}

// take takes n permits if they are there and nobody waits.
func (s *Semaphore) take(n int64) bool {
	slot := slotOf(&s.slot)
	for {
		word := atomic.LoadUint64(&slot.word)
		// Of a negative n this is a large number.
		if word > _GOSYNC_SEMAPHORE_PERMITS || word < uint64(n) {
			return false
		}
		if atomic.CompareAndSwapUint64(&slot.word, word, word-uint64(n)) {
			if raceEnabled {
				raceAcquire(unsafe.Pointer(s))
			}
			runtime.KeepAlive(s)
			return true
		}
	}
}

// TryAcquire takes n permits if that needs no wait, and tells whether it did.
func (s *Semaphore) TryAcquire(n int64) bool {
	if s.take(n) {
		return true
	}
	// If there are too few, the kernel would say so, too. If there are enough, the
	// waiter in the word may only be a poller.
	slot := slotOf(&s.slot)
	few := slot != &semaphoreStandIn &&
		atomic.LoadUint64(&slot.word)&_GOSYNC_SEMAPHORE_PERMITS < uint64(n)
	runtime.KeepAlive(s)
	if few && n >= 0 {
		return false
	}
	err := s.ask(_GOSYNC_IOC_SEMAPHORE_TRYACQUIRE, n)
	if err != 0 && err != syscall.EBUSY {
		panic(s.error("try to acquire", _GOSYNC_IOC_SEMAPHORE_TRYACQUIRE, err))
	}
	if raceEnabled && err == 0 {
		raceAcquire(unsafe.Pointer(s))
	}
	return err == 0
}

// Release adds n permits. Anyone may, also more than there were at the beginning;
// with GiveBack, no more than this handle has acquired. It panics if that is
// refused.
func (s *Semaphore) Release(n int64) {
	if raceEnabled {
		raceRelease(unsafe.Pointer(s))
	}
	slot := slotOf(&s.slot)
	for n >= 0 && n <= _GOSYNC_SEMAPHORE_PERMITS {
		word := atomic.LoadUint64(&slot.word)
		if word+uint64(n) > _GOSYNC_SEMAPHORE_PERMITS {
			break
		}
		if atomic.CompareAndSwapUint64(&slot.word, word, word+uint64(n)) {
			runtime.KeepAlive(s)
			return
		}
	}
	if err := s.ask(_GOSYNC_IOC_SEMAPHORE_RELEASE, n); err != 0 {
		s.misuse("release", _GOSYNC_IOC_SEMAPHORE_RELEASE, err)
	}
}

// SetLimit changes how many permits there are in all. Nobody loses any. If more are
// in use than the new limit, permits that come back are swallowed.
func (s *Semaphore) SetLimit(n int64) error {
	return s.error("set limit", _GOSYNC_IOC_SEMAPHORE_LIMIT,
		s.ask(_GOSYNC_IOC_SEMAPHORE_LIMIT, n))
}

func (s *Semaphore) ask(op uint32, n int64) syscall.Errno {
	if n < 0 || n > _GOSYNC_SEMAPHORE_PERMITS {
		return syscall.EINVAL
	}
	args := semaphoreArgs{count: uint32(n)}
	args.size = uint32(unsafe.Sizeof(args))
	_, err := s.ioctlQuick(op, unsafe.Pointer(&args))
	return err
}

// Count returns how many permits there are at this moment.
func (s *Semaphore) Count() (int, error) {
	return s.bitsOf((*uint64)(unsafe.Pointer(slotOf(&s.look))), &semaphoreStandIn.word,
		_GOSYNC_SEMAPHORE_PERMITS)
}
