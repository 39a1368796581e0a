// SPDX-License-Identifier: LGPL-2.1-or-later

package gosync

import (
	"context"
	"io/fs"
	"runtime"
	"sync/atomic"
	"unsafe"
)

// A Once is sync.Once between processes: something that is done once by whichever
// process comes first, while the others wait for it.
//
// If a process dies while it does it, the next waiter does it again. To the kernel
// the handle does it, not the goroutine. So the goroutines that use one handle take
// turns, and one of them speaks to the kernel for all.
type Once struct {
	slot *onceSlot // mapped, or onceStandIn; see slotOf
	turn chan struct{}
	object
}

// onceStandIn is the state of a handle without mapped state, and of a closed one.
var onceStandIn onceSlot

// OpenOnce opens or creates a Once. Without a name it is anonymous.
func OpenOnce(name string, flag Flag, perm fs.FileMode) (*Once, error) {
	o := new(Once)
	in, err := o.open(spec{name: name, typ: _GOSYNC_ONCE, flag: flag, perm: perm})
	if err != nil {
		return nil, err
	}
	o.setUp(in)
	return o, nil
}

// OnceFromFD is as MutexFromFD, for a Once.
func OnceFromFD(fd int, flag Flag) (*Once, error) {
	o := new(Once)
	in, err := o.openFD(fd, _GOSYNC_ONCE, flag)
	if err != nil {
		return nil, err
	}
	o.setUp(in)
	return o, nil
}

func (o *Once) setUp(in *info) {
	o.turn = make(chan struct{}, 1)
	o.slot = &onceStandIn
	if slot := (*onceSlot)(o.state(in, false)); slot != nil {
		o.slot = slot
	}
}

// Close closes the handle. If it is just doing the Once, another does it again.
func (o *Once) Close() error {
	setSlot(&o.slot, &onceStandIn)
	return o.closeObject()
}

// Do calls f if nobody has done the Once, and returns when it has been done. A panic
// of f counts as done, as in Go. If f calls Do of the same handle, it waits for
// itself for ever, as in Go.
func (o *Once) Do(f func()) {
	if err := o.DoContext(nil, func(bool) error { f(); return nil }); err != nil {
		panic(err)
	}
}

// DoContext calls f if nobody has done the Once, and returns nil when it has been
// done. It waits for others no longer than ctx lasts, which may be nil.
//
// The argument of f is true if somebody has begun and died, or has given up. If f
// returns an error, the Once is given up: the next waiter does it, and DoContext
// returns the error. If f panics, it counts as done.
func (o *Once) DoContext(ctx context.Context, f func(again bool) error) error {
	if o.looksDone() {
		return nil
	}
	if ctx == nil {
		ctx = context.Background()
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case o.turn <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-o.turn }()
	// A pointer to what runs is kept for as long: else its end would end it.
	defer runtime.KeepAlive(o)
	n, err := o.wait(ctx, waiting{op: _GOSYNC_IOC_ONCE_BEGIN})
	switch {
	case err == eContext:
		return ctx.Err()
	case err != 0:
		return o.error("do", _GOSYNC_IOC_ONCE_BEGIN, err)
	case n == _GOSYNC_ONCE_DONE:
		o.acquire()
		return nil
	}
	o.acquire()
	return o.run(f, n == _GOSYNC_ONCE_RUN_AGAIN)
}

func (o *Once) run(f func(again bool) error, again bool) (err error) {
	op, verb := uint32(_GOSYNC_IOC_ONCE_DONE), "do"
	defer func() {
		if raceEnabled {
			raceRelease(unsafe.Pointer(o))
		}
		_, failed := o.ioctlQuick(op, nil)
		if err == nil {
			err = o.error(verb, op, failed)
		}
	}()
	if err = f(again); err != nil {
		op, verb = _GOSYNC_IOC_ONCE_ABANDON, "give up"
	}
	return err
}

func (o *Once) acquire() {
	if raceEnabled {
		raceAcquire(unsafe.Pointer(o))
	}
}

// Wait waits until somebody has done the Once, or ctx has ended, and never does it.
func (o *Once) Wait(ctx context.Context) error {
	if o.looksDone() {
		return nil
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	_, err := o.wait(ctx, waiting{op: _GOSYNC_IOC_ONCE_WAIT})
	if err == eContext {
		return ctx.Err()
	}
	if err == 0 {
		o.acquire()
	}
	return o.error("wait", _GOSYNC_IOC_ONCE_WAIT, err)
}

func (o *Once) looksDone() bool {
	done := atomic.LoadUint64(&slotOf(&o.slot).word)&_GOSYNC_ONCE_IS_DONE != 0
	runtime.KeepAlive(o)
	if done {
		o.acquire()
	}
	return done
}

// IsDone tells whether it has been done.
func (o *Once) IsDone() (bool, error) {
	if slotOf(&o.slot) != &onceStandIn {
		return o.looksDone(), nil
	}
	in, err := o.info()
	if err != 0 {
		return false, o.error("info", _GOSYNC_IOC_INFO, err)
	}
	return in.word&_GOSYNC_ONCE_IS_DONE != 0, nil
}
