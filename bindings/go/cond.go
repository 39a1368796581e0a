// SPDX-License-Identifier: LGPL-2.1-or-later

package gosync

import (
	"context"
	"io/fs"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"unsafe"
)

// A Cond is sync.Cond between processes. A waiter takes its place in the queue
// before it unlocks L, so each later Signal finds it. Only a signal wakes it. A
// waiter that leaves by its context or its death swallows no signal.
type Cond struct {
	// L is held while the condition is looked at or changed: a *Mutex, an
	// *RWMutex, or the RLocker of one.
	L    sync.Locker
	slot *condSlot // mapped, or condStandIn; see slotOf
	object
}

// condStandIn is the state of a handle without mapped state, and of a closed one.
var condStandIn = condSlot{waiters: 1}

// OpenCond opens or creates a Cond, whose waiters use l. Without a name it is
// anonymous.
func OpenCond(name string, l sync.Locker, flag Flag, perm fs.FileMode) (*Cond, error) {
	c := &Cond{L: l}
	in, err := c.open(spec{name: name, typ: _GOSYNC_COND, flag: flag, perm: perm})
	if err != nil {
		return nil, err
	}
	c.setUp(in)
	return c, nil
}

// CondFromFD is as MutexFromFD, for a Cond whose waiters use l.
func CondFromFD(fd int, l sync.Locker, flag Flag) (*Cond, error) {
	c := &Cond{L: l}
	in, err := c.openFD(fd, _GOSYNC_COND, flag)
	if err != nil {
		return nil, err
	}
	c.setUp(in)
	return c, nil
}

func (c *Cond) setUp(in *info) {
	c.slot = &condStandIn
	if slot := (*condSlot)(c.state(in, false)); slot != nil {
		c.slot = slot
	}
}

// Close closes the handle, but not that of L.
func (c *Cond) Close() error {
	setSlot(&c.slot, &condStandIn)
	return c.closeObject()
}

// condLock is what a Cond needs of its lock.
type condLock interface {
	sync.Locker
	base() *handle
	readSide() uint32 // the flag of a wait
	acquired(died bool)
}

func (m *Mutex) base() *handle      { return m.handle }
func (rw *RWMutex) base() *handle   { return rw.handle }
func (r *rlocker) base() *handle    { return r.handle }
func (*Mutex) readSide() uint32     { return 0 }
func (*RWMutex) readSide() uint32   { return 0 }
func (r *rlocker) readSide() uint32 { return _GOSYNC_READ_SIDE }

func (m *Mutex) acquired(died bool) {
	if raceEnabled {
		raceAcquire(unsafe.Pointer(m))
	}
	if died {
		m.mend("wait", m)
	}
}

func (rw *RWMutex) acquired(died bool) {
	if raceEnabled {
		raceAcquire(unsafe.Pointer(&rw.slot))
		raceAcquire(unsafe.Pointer(&rw.line))
	}
	if died {
		rw.mend("wait", rw)
	}
}

func (r *rlocker) acquired(died bool) {
	rw := (*RWMutex)(r)
	if raceEnabled {
		raceAcquire(unsafe.Pointer(&rw.slot))
	}
	if died {
		// As a writer it can be mended, if nobody has yet.
		rw.RUnlock()
		rw.RLock()
	}
}

// Wait unlocks c.L, waits for a signal, and locks c.L again. If an owner of c.L has
// died meanwhile, it does what OnOwnerDeath of that says.
func (c *Cond) Wait() {
	if err := c.waitUntil(nil); err != nil {
		panic(err)
	}
}

// WaitContext is as Wait, but returns ctx.Err() if ctx ends before. Then c.L is
// held, too. It is not after other errors.
func (c *Cond) WaitContext(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return c.waitUntil(ctx)
}

func (c *Cond) waitUntil(ctx context.Context) error {
	lock, ok := c.L.(condLock)
	if !ok {
		panic("gosync: a Cond's L must be a lock of this package")
	}
	if raceEnabled {
		raceRelease(unsafe.Pointer(c))
	}
	h := lock.base()
	if !h.use() {
		return h.error("wait", _GOSYNC_IOC_COND_WAIT, eClosed)
	}
	defer h.unuse()
	n, err := c.waitCond(ctx, h.fd, lock.readSide())
	if err != eUnlocked && h.uses.Load() < 0 {
		h.giveBack(waiting{})
		return h.error("wait", _GOSYNC_IOC_COND_WAIT, eClosed)
	}
	switch err {
	case 0:
		lock.acquired(n == 1)
		return nil
	case eContext:
		lock.acquired(false)
		return ctx.Err()
	case eUnlocked:
		lock.Lock()
		return ctx.Err()
	}
	return c.error("wait", _GOSYNC_IOC_COND_WAIT, err)
}

// Signal wakes the longest waiter, if there is one. The caller may hold c.L, but
// need not.
func (c *Cond) Signal() {
	c.wake(_GOSYNC_IOC_COND_SIGNAL, "signal")
}

// Broadcast wakes all waiters of this moment.
func (c *Cond) Broadcast() {
	c.wake(_GOSYNC_IOC_COND_BROADCAST, "broadcast")
}

// wake makes a system call only if somebody waits. A waiter is counted before it
// unlocks. If we have locked after that, or know by another atomic operation that
// it has unlocked, we see the count, too.
func (c *Cond) wake(op uint32, verb string) {
	slot := slotOf(&c.slot)
	waiters := atomic.LoadUint32(&slot.waiters)
	runtime.KeepAlive(c)
	if waiters == 0 {
		return
	}
	if _, err := c.ioctl(op, nil); err != 0 {
		panic(c.error(verb, op, err))
	}
}

var _ = []condLock{(*Mutex)(nil), (*RWMutex)(nil), (*rlocker)(nil)}

// eUnlocked says that a wait has ended without a signal, and without the lock.
const eUnlocked = syscall.Errno(1<<20 + 3)

// waitCond waits with the lock of a descriptor. After eContext the lock is held,
// as after a signal.
func (c *Cond) waitCond(ctx context.Context, lock int, flags uint32) (int, syscall.Errno) {
	var done <-chan struct{}

	if ctx != nil {
		done = ctx.Done()
	}
	defer waits.Add(-1)
	if !mayBlock(int(waits.Add(1))) {
		n, err := c.waitRing(done, waiting{
			op: _GOSYNC_IOC_COND_WAIT, flags: flags, value: uint64(lock),
		})
		switch err {
		case eNoRing:
		case eContext:
			return n, eUnlocked
		default:
			return n, err
		}
	}
	if !c.use() {
		return -1, eClosed
	}
	defer c.unuse()
	args := condWaitArgs{flags: flags, lock: int32(lock)}
	args.size = uint32(unsafe.Sizeof(args))
	if done != nil {
		cancel, err := newCanceler(done)
		if err != 0 {
			return -1, err
		}
		defer cancel.close()
		args.flags |= _GOSYNC_CANCELABLE
		args.cancel = int32(cancel.fd)
	}
	// A wait that a signal interrupts goes on by its ticket, which is its thread's.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	for {
		n, err := ioctl(c.fd, _GOSYNC_IOC_COND_WAIT, unsafe.Pointer(&args))
		switch err {
		case syscall.EINTR:
		case syscall.ECANCELED:
			return n, eContext
		default:
			return n, err
		}
	}
}
