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

// A Mutex is sync.Mutex between processes. It is not recursive, and anyone may
// unlock it, unless it was created with ErrorCheck. All goroutines of a process
// that use one handle are one owner to other processes; the lock excludes them
// from each other as well.
//
// This package makes the changes of the word after which no wake-up is owed. The
// kernel makes all others. The rules stand in uapi/linux/gosync.h, beside the
// word's bits. They say why a death after any of these instructions is harmless.
type Mutex struct {
	slot   *mutexSlot // mapped, or mutexStandIn; see slotOf
	locked uint64     // the word while we have it and nobody waits
	object
	owner
}

// mutexStandIn is the state of a handle without mapped state, and of a closed
// one. Its word has every fast path leave the operation to the kernel.
var mutexStandIn = mutexSlot{word: _GOSYNC_MUTEX_LOCKED | _GOSYNC_MUTEX_STARVING}

// mutexOwned are the bits that say who owns the lock.
const mutexOwned = _GOSYNC_MUTEX_LOCKED | 0xffffffff<<_GOSYNC_MUTEX_OWNER_SHIFT

// OpenMutex opens or creates a Mutex. Without a name it is anonymous.
func OpenMutex(name string, flag Flag, perm fs.FileMode) (*Mutex, error) {
	m := new(Mutex)
	in, err := m.open(spec{name: name, typ: _GOSYNC_MUTEX, flag: flag, perm: perm})
	if err != nil {
		return nil, err
	}
	m.setUp(in)
	return m, nil
}

// MutexFromFD makes a handle of a descriptor that another process has passed on.
// On success the descriptor belongs to the handle. The flags may be IoctlOnly and
// SameHolder.
func MutexFromFD(fd int, flag Flag) (*Mutex, error) {
	m := new(Mutex)
	in, err := m.openFD(fd, _GOSYNC_MUTEX, flag)
	if err != nil {
		return nil, err
	}
	m.setUp(in)
	return m, nil
}

func (m *Mutex) setUp(in *info) {
	slot := (*mutexSlot)(m.state(in, true))
	if slot == nil {
		slot = &mutexStandIn
	}
	m.locked = lockedBy(in)
	m.slot = slot
}

// slotOf reads a pointer to the state, which Close may change at any moment. The
// fast paths read it without more ado, to be short enough to be inlined, and
// therefore say go:norace. They find either state.
func slotOf[T any](p **T) *T {
	return (*T)(atomic.LoadPointer((*unsafe.Pointer)(unsafe.Pointer(p))))
}

func setSlot[T any](p **T, slot *T) {
	atomic.StorePointer((*unsafe.Pointer)(unsafe.Pointer(p)), unsafe.Pointer(slot))
}

// lockedBy is the word of a lock that in's holder has, and nobody waits for.
func lockedBy(in *info) uint64 {
	return _GOSYNC_MUTEX_LOCKED | uint64(in.holder)<<_GOSYNC_MUTEX_OWNER_SHIFT
}

// Close closes the handle. If it has the lock, the next owner is told that its
// owner died. Other goroutines may still use the handle: an operation that is
// under way ends, and later ones fail with os.ErrClosed.
func (m *Mutex) Close() error {
	setSlot(&m.slot, &mutexStandIn)
	m.forget()
	return m.closeObject()
}

// Lock locks m, for as long as it takes. If an owner has died with the lock, it
// does what OnOwnerDeath says.
//
//go:norace
func (m *Mutex) Lock() {
	// The word goes from 0 to LOCKED with our number. Nobody waits, so no wake-up
	// is owed. If we die, the word names us, and the kernel unlocks.
	if !atomic.CompareAndSwapUint64(&m.slot.word, 0, m.locked) {
		m.lockSlow()
		return
	}
	// Only the owner counts, so load and store need not be one. On 32 bits the
	// store alone is two.
	if wide {
		m.slot.token++
	} else {
		atomic.AddUint64(&m.slot.token, 1)
	}
	if raceEnabled {
		raceAcquire(unsafe.Pointer(m))
	}
}

// Unlock unlocks m. It panics if m is not locked.
//
//go:norace
func (m *Mutex) Unlock() {
	if raceEnabled {
		raceRelease(unsafe.Pointer(m))
	}
	// The word goes from LOCKED with our number to 0. Nobody waits, so no wake-up
	// is owed.
	if !atomic.CompareAndSwapUint64(&m.slot.word, m.locked, 0) {
		m.unlockSlow()
	}
}

func (m *Mutex) lockSlow() {
	died, err := m.lock(nil)
	if err != 0 {
		panic(m.error("lock", _GOSYNC_IOC_MUTEX_LOCK, err))
	}
	if died {
		m.mend("lock", m)
	}
}

// LockErr locks m as Lock does, and returns what Lock panics about. With
// ErrOwnerDied m is locked: put right what it protects, call Recover, unlock.
func (m *Mutex) LockErr() error {
	return m.result(m.lock(nil))
}

// LockContext locks m as LockErr does, unless ctx ends before. A context that is
// done already gets no lock.
func (m *Mutex) LockContext(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	died, err := m.lock(ctx)
	if err == eContext {
		return ctx.Err()
	}
	return m.result(died, err)
}

func (m *Mutex) result(died bool, err syscall.Errno) error {
	if died {
		return &Error{Op: "lock", Name: m.name, Err: ErrOwnerDied}
	}
	return m.error("lock", _GOSYNC_IOC_MUTEX_LOCK, err)
}

// lock locks m. If ctx ends before, the error is eContext.
func (m *Mutex) lock(ctx context.Context) (died bool, err syscall.Errno) {
	s := slotOf(&m.slot)
	for round := 0; ; round++ {
		if died, ok := m.barge(s); ok {
			return died, 0
		}
		if atomic.LoadUint64(&s.word)&_GOSYNC_MUTEX_STARVING != 0 || !backOff(round) {
			break
		}
	}
	n, err := m.wait(ctx, waiting{op: _GOSYNC_IOC_MUTEX_LOCK})
	if raceEnabled && err == 0 {
		raceAcquire(unsafe.Pointer(m))
	}
	return n == 1 && err == 0, err
}

// barge takes a lock that is free and not promised, even if there are waiters.
// They stay in the kernel's queue, and the next unlock owes them a wake-up, as
// before.
func (m *Mutex) barge(s *mutexSlot) (died, ok bool) {
	const taken = _GOSYNC_MUTEX_LOCKED | _GOSYNC_MUTEX_STARVING
	for {
		word := atomic.LoadUint64(&s.word)
		if word&taken != 0 {
			return false, false
		}
		if atomic.CompareAndSwapUint64(&s.word, word, uint64(uint32(word))|m.locked) {
			atomic.AddUint64(&s.token, 1)
			if raceEnabled {
				raceAcquire(unsafe.Pointer(m))
			}
			runtime.KeepAlive(m)
			return word&_GOSYNC_MUTEX_POISONED != 0, true
		}
	}
}

// TryLock locks m if that needs no wait, and tells whether it did. If an owner has
// died with the lock, it does what OnOwnerDeath says.
func (m *Mutex) TryLock() bool {
	s := slotOf(&m.slot)
	died, ok := m.barge(s)
	// STARVING: it may be free, or our holder may be broken.
	if !ok && atomic.LoadUint64(&s.word)&_GOSYNC_MUTEX_STARVING != 0 {
		n, err := m.ioctlQuick(_GOSYNC_IOC_MUTEX_TRYLOCK, nil)
		if err != 0 && err != syscall.EBUSY {
			panic(m.error("try to lock", _GOSYNC_IOC_MUTEX_TRYLOCK, err))
		}
		died, ok = n == 1, err == 0
		if raceEnabled && ok {
			raceAcquire(unsafe.Pointer(m))
		}
	}
	runtime.KeepAlive(m)
	if ok && died {
		m.mend("try to lock", m)
	}
	return ok
}

// unlockSlow unlocks where the fast path could not: there are waiters, or the
// Mutex is poisoned, or another holder has locked it.
//
// With WOKEN and not STARVING, a woken waiter is on its way and the kernel
// answers for it, so no wake-up is owed. All other cases, and all errors, are
// left to the kernel.
func (m *Mutex) unlockSlow() {
	s := slotOf(&m.slot)
	for {
		word := atomic.LoadUint64(&s.word)
		if word&_GOSYNC_MUTEX_LOCKED == 0 || word&_GOSYNC_MUTEX_STARVING != 0 ||
			word&_GOSYNC_MUTEX_WOKEN == 0 && word&_GOSYNC_MUTEX_WAITERS != 0 ||
			m.flags&_GOSYNC_ERRORCHECK != 0 && word&mutexOwned != m.locked {
			break
		}
		if atomic.CompareAndSwapUint64(&s.word, word, word&^mutexOwned) {
			runtime.KeepAlive(m)
			return
		}
	}
	if _, err := m.ioctlQuick(_GOSYNC_IOC_MUTEX_UNLOCK, nil); err != 0 {
		m.misuse("unlock", _GOSYNC_IOC_MUTEX_UNLOCK, err)
	}
}

// Recover declares what the lock protects to be right again. Only the owner can.
func (m *Mutex) Recover() error {
	_, err := m.ioctlQuick(_GOSYNC_IOC_MUTEX_RECOVER, nil)
	return m.error("recover", _GOSYNC_IOC_MUTEX_RECOVER, err)
}

// Token returns the fencing token of the present acquisition. Each later one has
// a larger token, by whichever process. So a store that remembers the largest
// token it has seen can refuse an owner that was thought dead.
func (m *Mutex) Token() (uint64, error) {
	token, err := m.token(slotOf(&m.slot))
	runtime.KeepAlive(m)
	return token, m.error("token", _GOSYNC_IOC_INFO, err)
}

// token reads the token of a lock that we have. The kernel sets STARVING before it
// breaks a holder, and has the token as long as STARVING is set. So STARVING is
// looked for on both sides.
func (h *handle) token(s *mutexSlot) (uint64, syscall.Errno) {
	if atomic.LoadUint64(&s.word)&_GOSYNC_MUTEX_STARVING == 0 {
		token := atomic.LoadUint64(&s.token)
		if atomic.LoadUint64(&s.word)&_GOSYNC_MUTEX_STARVING == 0 {
			return token, 0
		}
	}
	in, err := h.info()
	switch {
	case err != 0:
		return 0, err
	case in.flags&_GOSYNC_BROKEN != 0:
		return 0, syscall.ESTALE
	}
	return in.token, 0
}
