// SPDX-License-Identifier: LGPL-2.1-or-later

package gosync

import (
	"context"
	"io/fs"
	"math/bits"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"unsafe"
)

// An RWMutex is sync.RWMutex between processes. A waiting writer stops new
// readers, so who has a read lock must not ask for another.
//
// Writers use the word as the owners of a Mutex do. Each handle counts its read
// locks in a line of its own, which all goroutines of the process share. The rules
// stand in uapi/linux/gosync.h. They say why a death in between is harmless.
type RWMutex struct {
	slot   *rwmutexSlot // mapped, or rwmutexStandIn; see slotOf
	line   *uint32      // our line. Without one, look is rwmutexStandIn
	look   *rwmutexSlot // the slot as readers see it
	locked uint64       // the word while we have it and nobody waits
	object
	owner
}

// rwmutexStandIn is the state of a handle without mapped state, and of a closed
// one. It has every fast path leave the operation to the kernel.
var rwmutexStandIn = rwmutexSlot{
	word:     _GOSYNC_MUTEX_LOCKED | _GOSYNC_MUTEX_STARVING,
	draining: 1,
}

// noLine is a line that counts for nothing.
var noLine uint32

// OpenRWMutex opens or creates an RWMutex. Without a name it is anonymous.
func OpenRWMutex(name string, flag Flag, perm fs.FileMode) (*RWMutex, error) {
	rw := new(RWMutex)
	in, err := rw.open(spec{name: name, typ: _GOSYNC_RWMUTEX, flag: flag, perm: perm})
	if err != nil {
		return nil, err
	}
	rw.setUp(in)
	return rw, nil
}

// RWMutexFromFD is as MutexFromFD, for an RWMutex.
func RWMutexFromFD(fd int, flag Flag) (*RWMutex, error) {
	rw := new(RWMutex)
	in, err := rw.openFD(fd, _GOSYNC_RWMUTEX, flag)
	if err != nil {
		return nil, err
	}
	rw.setUp(in)
	return rw, nil
}

func (rw *RWMutex) setUp(in *info) {
	rw.slot, rw.look, rw.line = &rwmutexStandIn, &rwmutexStandIn, &noLine
	rw.locked = lockedBy(in)
	if slot := (*rwmutexSlot)(rw.state(in, true)); slot != nil {
		rw.slot = slot
		if in.mapData != 0 {
			rw.look, rw.line = slot, (*uint32)(rw.mapping.at(in.mapData))
		}
	}
}

// Close closes the handle. What it has locked is recovered as if its process had
// died. Other goroutines may still use it, as with a Mutex.
func (rw *RWMutex) Close() error {
	// Who counts itself in a line that may be another's by now finds the
	// stand-in after that, and takes it back.
	setSlot(&rw.look, &rwmutexStandIn)
	setSlot(&rw.slot, &rwmutexStandIn)
	rw.forget()
	return rw.closeObject()
}

// --- Readers ---

// unreadable are the bits with which a read lock takes more than a look.
const unreadable = _GOSYNC_MUTEX_LOCKED | _GOSYNC_MUTEX_STARVING | _GOSYNC_MUTEX_POISONED

// RLock locks rw for reading. If a writer has died with the lock, it does what
// OnOwnerDeath says.
//
//go:norace
func (rw *RWMutex) RLock() {
	// We count ourselves, then look at the word. A writer takes the word, then
	// looks at the lines, so at least one of us sees the other. If we die, the
	// kernel clears the line.
	atomic.AddUint32(rw.line, 1)
	if atomic.LoadUint64(&rw.look.word)&unreadable != 0 {
		rw.rlockSlow()
		return
	}
	if raceEnabled {
		raceAcquire(unsafe.Pointer(&rw.slot))
	}
}

// rlockSlow locks for reading. Our line counts us already.
func (rw *RWMutex) rlockSlow() {
	for {
		died, err := rw.rlockCounted(nil)
		if err != 0 {
			panic(rw.error("rlock", _GOSYNC_IOC_RWMUTEX_RLOCK, err))
		}
		if !died {
			return
		}
		// A reader cannot mend it. As a writer it can, if nobody has yet.
		rw.RUnlock()
		rw.Lock()
		rw.Unlock()
		atomic.AddUint32(rw.line, 1)
	}
}

// RLockErr is as RLock, and returns what that panics about. With ErrOwnerDied rw is
// locked for reading.
func (rw *RWMutex) RLockErr() error {
	return rw.rresult(rw.rlock(nil))
}

// RLockContext is as RLockErr, unless ctx ends before.
func (rw *RWMutex) RLockContext(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	died, err := rw.rlock(ctx)
	if err == eContext {
		return ctx.Err()
	}
	return rw.rresult(died, err)
}

func (rw *RWMutex) rresult(died bool, err syscall.Errno) error {
	if died {
		return &Error{Op: "rlock", Name: rw.name, Err: ErrOwnerDied}
	}
	return rw.error("rlock", _GOSYNC_IOC_RWMUTEX_RLOCK, err)
}

func (rw *RWMutex) rlock(ctx context.Context) (died bool, err syscall.Errno) {
	atomic.AddUint32(rw.line, 1)
	return rw.rlockCounted(ctx)
}

// rlockCounted looks whether the read lock that the line counts can be had; if
// not, it takes that back and waits.
func (rw *RWMutex) rlockCounted(ctx context.Context) (died bool, err syscall.Errno) {
	defer func() {
		if raceEnabled && err == 0 {
			raceAcquire(unsafe.Pointer(&rw.slot))
		}
		runtime.KeepAlive(rw)
	}()
	const taken = _GOSYNC_MUTEX_LOCKED | _GOSYNC_MUTEX_STARVING
	for round := 0; ; round++ {
		look := slotOf(&rw.look)
		word := atomic.LoadUint64(&look.word)
		if word&taken == 0 {
			return word&_GOSYNC_MUTEX_POISONED != 0, 0
		}
		rw.uncount(look)
		// A writer was there: see whether it leaves soon, and otherwise sleep.
		for ; ; round++ {
			word = atomic.LoadUint64(&look.word)
			if word&_GOSYNC_MUTEX_STARVING != 0 || !backOff(round) {
				n, err := rw.wait(ctx, waiting{op: _GOSYNC_IOC_RWMUTEX_RLOCK})
				return err == 0 && n == 1, err
			}
			if word&_GOSYNC_MUTEX_LOCKED == 0 {
				break
			}
		}
		atomic.AddUint32(rw.line, 1)
	}
}

// uncount takes a count back that the word has not allowed.
func (rw *RWMutex) uncount(look *rwmutexSlot) {
	if look == &rwmutexStandIn {
		// There is no line, or it may be another's by now.
		atomic.AddUint32(rw.line, ^uint32(0))
		return
	}
	rw.runlock()
}

// TryRLock locks rw for reading if that needs no wait, and tells whether it did. If
// a writer has died with the lock, it does what OnOwnerDeath says.
func (rw *RWMutex) TryRLock() bool {
	defer runtime.KeepAlive(rw)
	look := slotOf(&rw.look)
	const taken = _GOSYNC_MUTEX_LOCKED | _GOSYNC_MUTEX_STARVING
	word := atomic.LoadUint64(&look.word)
	if word&taken == 0 {
		atomic.AddUint32(rw.line, 1)
		look = slotOf(&rw.look)
		word = atomic.LoadUint64(&look.word)
		if word&taken != 0 {
			rw.uncount(look)
		}
	}
	ok, died := word&taken == 0, word&_GOSYNC_MUTEX_POISONED != 0
	// STARVING: it may be free, or our holder may be broken.
	if !ok && word&_GOSYNC_MUTEX_STARVING != 0 {
		n, err := rw.ioctlQuick(_GOSYNC_IOC_RWMUTEX_TRYRLOCK, nil)
		if err != 0 && err != syscall.EBUSY {
			panic(rw.error("try to rlock", _GOSYNC_IOC_RWMUTEX_TRYRLOCK, err))
		}
		ok, died = err == 0, n == 1
	}
	if ok && raceEnabled {
		raceAcquire(unsafe.Pointer(&rw.slot))
	}
	if ok && died {
		rw.RUnlock()
		if !rw.TryLock() {
			return false
		}
		rw.Unlock()
		return rw.TryRLock()
	}
	return ok
}

// RUnlock takes back one read lock. It panics if there is none.
//
//go:norace
func (rw *RWMutex) RUnlock() {
	if raceEnabled {
		raceRelease(unsafe.Pointer(&rw.line))
	}
	rw.runlock()
}

// runlock subtracts from the line, then looks whether a writer sleeps until the
// readers have left. A writer that begins to sleep after our look looks at the line
// afterwards. If we die in between, the end of the holder tells the writer.
func (rw *RWMutex) runlock() {
	look, line := rw.look, rw.line
	if atomic.LoadUint32(&look.draining) == 0 {
		// Below 0: the holder was broken, and the kernel says so.
		for n := atomic.LoadUint32(line); int32(n) > 0; n = atomic.LoadUint32(line) {
			if atomic.CompareAndSwapUint32(line, n, n-1) {
				if atomic.LoadUint32(&look.draining) != 0 {
					rw.tell()
				}
				runtime.KeepAlive(rw)
				return
			}
		}
	}
	rw.runlockSlow()
}

func (rw *RWMutex) runlockSlow() {
	if _, err := rw.ioctlQuick(_GOSYNC_IOC_RWMUTEX_RUNLOCK, nil); err != 0 {
		rw.misuse("runlock", _GOSYNC_IOC_RWMUTEX_RUNLOCK, err)
	}
}

// tell has the kernel look whether a writer can go on. If the handle was closed
// meanwhile, its end has told.
func (rw *RWMutex) tell() {
	rw.ioctlQuick(_GOSYNC_IOC_RWMUTEX_DRAINED, nil)
}

// RLocker returns a sync.Locker whose Lock and Unlock are RLock and RUnlock.
func (rw *RWMutex) RLocker() sync.Locker {
	return (*rlocker)(rw)
}

type rlocker RWMutex

func (r *rlocker) Lock()   { (*RWMutex)(r).RLock() }
func (r *rlocker) Unlock() { (*RWMutex)(r).RUnlock() }

// --- Writers ---

// Lock locks rw for writing. If an owner has died with the lock, it does what
// OnOwnerDeath says.
//
//go:norace
func (rw *RWMutex) Lock() {
	// The word goes from 0 to LOCKED with our number. Then we own it, and have
	// the lock once there are no readers.
	s := rw.slot
	if !atomic.CompareAndSwapUint64(&s.word, 0, rw.locked) {
		rw.lockSlow(false)
		return
	}
	atomic.AddUint64(&s.token, 1)
	if !noReaders(s) {
		rw.lockSlow(true)
	}
	if raceEnabled {
		raceAcquire(unsafe.Pointer(&rw.slot))
		raceAcquire(unsafe.Pointer(&rw.line))
	}
	runtime.KeepAlive(rw)
}

func (rw *RWMutex) lockSlow(owns bool) {
	died, err := rw.lock(nil, owns)
	if err != 0 {
		panic(rw.error("lock", _GOSYNC_IOC_RWMUTEX_LOCK, err))
	}
	if died {
		rw.mend("lock", rw)
	}
}

// LockErr is as Lock, and returns what that panics about. With ErrOwnerDied rw is
// locked: put right what it protects, call Recover, unlock.
func (rw *RWMutex) LockErr() error {
	return rw.result(rw.lock(nil, false))
}

// LockContext is as LockErr, unless ctx ends before.
func (rw *RWMutex) LockContext(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	died, err := rw.lock(ctx, false)
	if err == eContext {
		return ctx.Err()
	}
	return rw.result(died, err)
}

func (rw *RWMutex) result(died bool, err syscall.Errno) error {
	if died {
		return &Error{Op: "lock", Name: rw.name, Err: ErrOwnerDied}
	}
	return rw.error("lock", _GOSYNC_IOC_RWMUTEX_LOCK, err)
}

// noReaders tells whether an owner of the word has the lock. It looks at extra
// first: the kernel counts a reader in its line before it subtracts it from extra.
func noReaders(s *rwmutexSlot) bool {
	if atomic.LoadUint32(&s.extra) != 0 {
		return false
	}
	lines := atomic.LoadUint64(&s.lines) & _GOSYNC_RWMUTEX_LINES
	for ; lines != 0; lines &= lines - 1 {
		n := uintptr(bits.TrailingZeros64(lines))
		line := (*uint32)(unsafe.Add(unsafe.Pointer(s), n%16*64+n/16*4))
		if atomic.LoadUint32(line) != 0 {
			return false
		}
	}
	return true
}

// lock locks for writing. With owns we own the word, and it was not poisoned.
func (rw *RWMutex) lock(ctx context.Context, owns bool) (died bool, err syscall.Errno) {
	s := slotOf(&rw.slot)
	defer func() {
		if raceEnabled && err == 0 {
			raceAcquire(unsafe.Pointer(&rw.slot))
			raceAcquire(unsafe.Pointer(&rw.line))
		}
		runtime.KeepAlive(rw)
	}()
	for round := 0; !owns; round++ {
		if died, owns = rw.barge(s); owns {
			break
		}
		if atomic.LoadUint64(&s.word)&_GOSYNC_MUTEX_STARVING != 0 || !backOff(round) {
			n, err := rw.wait(ctx, waiting{op: _GOSYNC_IOC_RWMUTEX_LOCK})
			return err == 0 && n == 1, err
		}
	}
	for round := 0; !noReaders(s); round++ {
		if !backOff(round) {
			return rw.drain(ctx)
		}
	}
	return died, 0
}

// drain sleeps until the readers have left. We own the word.
//
// DRAIN takes a thread, and cannot be part of a wait for any. With a context, or if
// too many wait, we release the word and wait in the queue as others do.
func (rw *RWMutex) drain(ctx context.Context) (died bool, err syscall.Errno) {
	if mayBlock(int(waits.Add(1))) && (ctx == nil || ctx.Done() == nil) {
		n, err := rw.ioctl(_GOSYNC_IOC_RWMUTEX_DRAIN, nil)
		if err != syscall.EINTR {
			waits.Add(-1)
			return err == 0 && n == 1, err
		}
		// After a signal we do not own the word.
	} else {
		rw.unlock()
	}
	waits.Add(-1)
	n, err := rw.wait(ctx, waiting{op: _GOSYNC_IOC_RWMUTEX_LOCK})
	return err == 0 && n == 1, err
}

// barge takes the word, if it is unlocked and not promised, as a Mutex's.
func (rw *RWMutex) barge(s *rwmutexSlot) (died, ok bool) {
	const taken = _GOSYNC_MUTEX_LOCKED | _GOSYNC_MUTEX_STARVING
	for {
		word := atomic.LoadUint64(&s.word)
		if word&taken != 0 {
			return false, false
		}
		if atomic.CompareAndSwapUint64(&s.word, word, uint64(uint32(word))|rw.locked) {
			atomic.AddUint64(&s.token, 1)
			return word&_GOSYNC_MUTEX_POISONED != 0, true
		}
	}
}

// TryLock locks rw for writing if that needs no wait, and tells whether it did. If
// an owner has died with the lock, it does what OnOwnerDeath says.
func (rw *RWMutex) TryLock() bool {
	var died, ok bool

	defer runtime.KeepAlive(rw)
	s := slotOf(&rw.slot)
	// Do not stop readers for a try that is going to fail.
	if noReaders(s) {
		if died, ok = rw.barge(s); ok && !noReaders(s) {
			rw.unlock()
			return false
		}
	}
	if !ok && atomic.LoadUint64(&s.word)&_GOSYNC_MUTEX_STARVING != 0 {
		n, err := rw.ioctlQuick(_GOSYNC_IOC_RWMUTEX_TRYLOCK, nil)
		if err != 0 && err != syscall.EBUSY {
			panic(rw.error("try to lock", _GOSYNC_IOC_RWMUTEX_TRYLOCK, err))
		}
		died, ok = n == 1, err == 0
	}
	if ok && raceEnabled {
		raceAcquire(unsafe.Pointer(&rw.slot))
		raceAcquire(unsafe.Pointer(&rw.line))
	}
	if ok && died {
		rw.mend("try to lock", rw)
	}
	return ok
}

// Unlock unlocks rw for writing. It panics if rw is not locked for writing.
//
//go:norace
func (rw *RWMutex) Unlock() {
	if raceEnabled {
		raceRelease(unsafe.Pointer(&rw.slot))
	}
	if !atomic.CompareAndSwapUint64(&rw.slot.word, rw.locked, 0) {
		rw.unlock()
	}
}

// unlock is as with a Mutex. But readers may wait although a woken writer is on
// its way, so the kernel unlocks whenever there are waiters.
func (rw *RWMutex) unlock() {
	s := slotOf(&rw.slot)
	for {
		word := atomic.LoadUint64(&s.word)
		if word&_GOSYNC_MUTEX_LOCKED == 0 ||
			word&(_GOSYNC_MUTEX_STARVING|_GOSYNC_MUTEX_WAITERS) != 0 ||
			rw.flags&_GOSYNC_ERRORCHECK != 0 && word&mutexOwned != rw.locked {
			break
		}
		if atomic.CompareAndSwapUint64(&s.word, word, word&^mutexOwned) {
			runtime.KeepAlive(rw)
			return
		}
	}
	if _, err := rw.ioctlQuick(_GOSYNC_IOC_RWMUTEX_UNLOCK, nil); err != 0 {
		rw.misuse("unlock", _GOSYNC_IOC_RWMUTEX_UNLOCK, err)
	}
}

// Recover declares what the lock protects to be right again. Only the owner can.
func (rw *RWMutex) Recover() error {
	_, err := rw.ioctlQuick(_GOSYNC_IOC_RWMUTEX_RECOVER, nil)
	return rw.error("recover", _GOSYNC_IOC_RWMUTEX_RECOVER, err)
}

// Token returns the fencing token of the present acquisition for writing, as
// Mutex.Token does.
func (rw *RWMutex) Token() (uint64, error) {
	token, err := rw.token((*mutexSlot)(unsafe.Pointer(slotOf(&rw.slot))))
	runtime.KeepAlive(rw)
	return token, rw.error("token", _GOSYNC_IOC_INFO, err)
}
