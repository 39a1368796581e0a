// SPDX-License-Identifier: LGPL-2.1-or-later

package gosync

import (
	"context"
	"fmt"
	"io/fs"
	"math"
	"runtime"
	"sync/atomic"
	"syscall"
	"unsafe"
)

// integer is what the words of an array may be.
type integer interface {
	int32 | uint32 | int64 | uint64
}

// words is what the handles of atomic words have in common, single ones and arrays.
//
// All operations are sequentially consistent, on mapped words and by ioctl. Nobody
// owes anybody a wake-up for a change, so a death beside it harms nobody.
type words struct {
	slot   atomic.Pointer[atomicSlot] // nil: not mapped
	first  unsafe.Pointer             // the first word, if slot is not nil
	count  uint64
	narrow bool // a word has 32 bits
	object
}

// noCopy lets go vet complain about copies.
type noCopy struct{}

func (*noCopy) Lock()   {}
func (*noCopy) Unlock() {}

// openWords opens or creates words. If fd is not negative, they are those of this
// descriptor.
func (w *words) openWords(s spec, fd int) error {
	var in *info
	var err error
	if fd < 0 {
		in, err = w.open(s)
	} else {
		in, err = w.openFD(fd, s.typ, s.flag)
	}
	if err != nil {
		return err
	}
	w.setUpWords(in)
	return nil
}

func (w *words) setUpWords(in *info) {
	w.count = in.capacity
	switch in.typ {
	case _GOSYNC_INT32, _GOSYNC_UINT32, _GOSYNC_BOOL:
		w.narrow = true
	}
	if slot := (*atomicSlot)(w.state(in, false)); slot != nil {
		w.first = w.mapping.at(in.mapData)
		w.slot.Store(slot)
	}
}

// firstWord returns the first word if it is mapped, also for writing if write.
func (w *words) firstWord(write bool) unsafe.Pointer {
	if w.slot.Load() == nil || write && w.flags&_GOSYNC_RDONLY != 0 {
		return nil
	}
	return w.first
}

// at returns a word if it is mapped, also for writing if write.
func (w *words) at(i int, write bool) unsafe.Pointer {
	first := w.firstWord(write)
	switch {
	case uint64(i) >= w.count || first == nil:
		return nil
	case w.narrow:
		return unsafe.Add(first, i*4)
	}
	return unsafe.Add(first, i*8)
}

// do makes the operation that op is the ioctl of, on word i. Where it is not done on
// the mapped word, the kernel does it or says why not.
func (w *words) do(op uint32, i int, value, expected uint64) (result uint64, stored bool) {
	if raceEnabled {
		raceRelease(unsafe.Pointer(w))
		defer raceAcquire(unsafe.Pointer(w))
	}
	p := w.at(i, op != _GOSYNC_IOC_ATOMIC_LOAD)
	switch {
	case p == nil:
		return w.doIoctl(op, i, value, expected)
	case w.narrow:
		result, stored = do32((*uint32)(p), op, uint32(value), uint32(expected))
	default:
		result, stored = do64((*uint64)(p), op, value, expected)
	}
	runtime.KeepAlive(w)
	return result, stored
}

func do32(p *uint32, op, value, expected uint32) (result uint64, stored bool) {
	switch op {
	case _GOSYNC_IOC_ATOMIC_LOAD:
		return uint64(atomic.LoadUint32(p)), false
	case _GOSYNC_IOC_ATOMIC_STORE:
		atomic.StoreUint32(p, value)
		return 0, true
	case _GOSYNC_IOC_ATOMIC_SWAP:
		return uint64(atomic.SwapUint32(p, value)), true
	case _GOSYNC_IOC_ATOMIC_ADD:
		return uint64(atomic.AddUint32(p, value)), true
	case _GOSYNC_IOC_ATOMIC_CAS:
		return 0, atomic.CompareAndSwapUint32(p, expected, value)
	}
	for {
		old := atomic.LoadUint32(p)
		now := old & value
		if op == _GOSYNC_IOC_ATOMIC_OR {
			now = old | value
		}
		if atomic.CompareAndSwapUint32(p, old, now) {
			return uint64(old), true
		}
	}
}

func do64(p *uint64, op uint32, value, expected uint64) (result uint64, stored bool) {
	switch op {
	case _GOSYNC_IOC_ATOMIC_LOAD:
		return atomic.LoadUint64(p), false
	case _GOSYNC_IOC_ATOMIC_STORE:
		atomic.StoreUint64(p, value)
		return 0, true
	case _GOSYNC_IOC_ATOMIC_SWAP:
		return atomic.SwapUint64(p, value), true
	case _GOSYNC_IOC_ATOMIC_ADD:
		return atomic.AddUint64(p, value), true
	case _GOSYNC_IOC_ATOMIC_CAS:
		return 0, atomic.CompareAndSwapUint64(p, expected, value)
	}
	for {
		old := atomic.LoadUint64(p)
		now := old & value
		if op == _GOSYNC_IOC_ATOMIC_OR {
			now = old | value
		}
		if atomic.CompareAndSwapUint64(p, old, now) {
			return old, true
		}
	}
}

func (w *words) doIoctl(op uint32, i int, value, expected uint64) (result uint64, stored bool) {
	w.check(i)
	args := atomicArgs{index: uint32(i), value: value, expected: expected}
	args.size = uint32(unsafe.Sizeof(args))
	n, err := w.ioctlQuick(op, unsafe.Pointer(&args))
	if err != 0 {
		w.misuse(wordVerbs[op], op, err)
	}
	return args.result, n == 1
}

// check panics as Go does if there is no such word.
func (w *words) check(i int) {
	if uint64(i) >= w.count {
		panic(fmt.Sprintf("gosync: index out of range [%d] with length %d", i, w.count))
	}
}

var wordVerbs = map[uint32]string{
	_GOSYNC_IOC_ATOMIC_LOAD: "load", _GOSYNC_IOC_ATOMIC_STORE: "store",
	_GOSYNC_IOC_ATOMIC_SWAP: "swap", _GOSYNC_IOC_ATOMIC_CAS: "compare and swap",
	_GOSYNC_IOC_ATOMIC_ADD: "add", _GOSYNC_IOC_ATOMIC_AND: "and", _GOSYNC_IOC_ATOMIC_OR: "or",
}

// waitWord waits until word i is no longer old, or until the context ends, and returns
// what the word is then.
func (w *words) waitWord(ctx context.Context, i int, old uint64) (uint64, syscall.Errno) {
	w.check(i)
	for {
		now, _ := w.do(_GOSYNC_IOC_ATOMIC_LOAD, i, 0, 0)
		if w.narrow && uint32(now) != uint32(old) || !w.narrow && now != old {
			return now, 0
		}
		_, err := w.wait(ctx, waiting{
			op:    _GOSYNC_IOC_ATOMIC_WAIT,
			index: uint32(i),
			value: old,
		})
		if err != 0 {
			return now, err
		}
	}
}

// mustWait is waitWord without an end.
func (w *words) mustWait(i int, old uint64) uint64 {
	now, err := w.waitWord(nil, i, old)
	if err != 0 {
		panic(w.error("wait", _GOSYNC_IOC_ATOMIC_WAIT, err))
	}
	return now
}

// waitContext is waitWord, unless ctx has ended already.
func (w *words) waitContext(ctx context.Context, i int, old uint64) (uint64, error) {
	if err := ctx.Err(); err != nil {
		return old, err
	}
	now, err := w.waitWord(ctx, i, old)
	if err == eContext {
		return now, ctx.Err()
	}
	return now, w.error("wait", _GOSYNC_IOC_ATOMIC_WAIT, err)
}

// wake wakes up to n waiters of a word, and returns how many.
func (w *words) wake(i, n int) int {
	// A-A, pairs with atomic_attempt() in kmod/atomic.c: the caller changed the word
	// before this, and we look for waiters after.
	if slot := w.slot.Load(); slot != nil && w.at(i, true) != nil {
		waiters := atomic.LoadUint32(&slot.waiters)
		runtime.KeepAlive(w)
		if waiters == 0 {
			return 0
		}
	}
	w.check(i)
	if n > math.MaxInt32 {
		n = math.MaxInt32
	}
	args := atomicWakeArgs{index: uint32(i), count: uint32(n)}
	args.size = uint32(unsafe.Sizeof(args))
	woken, err := w.ioctlQuick(_GOSYNC_IOC_ATOMIC_WAKE, unsafe.Pointer(&args))
	if err != 0 {
		w.misuse("wake", _GOSYNC_IOC_ATOMIC_WAKE, err)
	}
	return woken
}

// Words is an array of atomic words with one name. OpenInt64s and its like open it.
// The methods are those of sync/atomic, with the index of the word. As there, an
// index that is too large panics, and so does a change through a ReadOnly handle.
type Words[T integer] struct{ words }

// Len returns how many words there are.
func (a *Words[T]) Len() int { return int(a.count) }

// Load reads word i.
func (a *Words[T]) Load(i int) T {
	now, _ := a.do(_GOSYNC_IOC_ATOMIC_LOAD, i, 0, 0)
	return T(now)
}

// Store writes word i.
func (a *Words[T]) Store(i int, new T) { a.do(_GOSYNC_IOC_ATOMIC_STORE, i, uint64(new), 0) }

// Swap writes word i, and returns what was there.
func (a *Words[T]) Swap(i int, new T) (old T) {
	was, _ := a.do(_GOSYNC_IOC_ATOMIC_SWAP, i, uint64(new), 0)
	return T(was)
}

// CompareAndSwap writes word i if it is old, and tells whether it was.
func (a *Words[T]) CompareAndSwap(i int, old, new T) (swapped bool) {
	_, swapped = a.do(_GOSYNC_IOC_ATOMIC_CAS, i, uint64(new), uint64(old))
	return swapped
}

// Add adds delta to word i, and returns what is there now.
func (a *Words[T]) Add(i int, delta T) (new T) {
	now, _ := a.do(_GOSYNC_IOC_ATOMIC_ADD, i, uint64(delta), 0)
	return T(now)
}

// And keeps those bits of word i that mask has, and returns what was there.
func (a *Words[T]) And(i int, mask T) (old T) {
	was, _ := a.do(_GOSYNC_IOC_ATOMIC_AND, i, uint64(mask), 0)
	return T(was)
}

// Or adds the bits of mask to word i, and returns what was there.
func (a *Words[T]) Or(i int, mask T) (old T) {
	was, _ := a.do(_GOSYNC_IOC_ATOMIC_OR, i, uint64(mask), 0)
	return T(was)
}

// Wait waits until word i is no longer old, and returns what it is. Who changes the
// word has to call Wake.
func (a *Words[T]) Wait(i int, old T) T { return T(a.mustWait(i, uint64(old))) }

// WaitContext is Wait that ends with ctx.
func (a *Words[T]) WaitContext(ctx context.Context, i int, old T) (T, error) {
	now, err := a.waitContext(ctx, i, uint64(old))
	return T(now), err
}

// Wake wakes up to n waiters of word i, which look at it again, and returns how many.
// It makes no system call if nobody waits.
func (a *Words[T]) Wake(i, n int) int { return a.wake(i, n) }

// Close closes the handle.
func (a *Words[T]) Close() error { return a.closeWords() }

func (w *words) closeWords() error {
	w.slot.Store(nil)
	return w.closeObject()
}

func openArray[T integer](typ uint32, name string, count int, flag Flag, perm fs.FileMode,
	fd int) (*Words[T], error) {
	a := new(Words[T])
	err := a.openWords(spec{
		name:     name,
		typ:      typ,
		flag:     flag,
		perm:     perm,
		capacity: uint64(count),
	}, fd)
	if err != nil {
		return nil, err
	}
	return a, nil
}

// OpenInt32s opens or creates an array of count words; 0 are 1 word, or as many as
// there are.
func OpenInt32s(name string, count int, flag Flag, perm fs.FileMode) (*Words[int32], error) {
	return openArray[int32](_GOSYNC_INT32, name, count, flag, perm, -1)
}

// OpenUint32s is as OpenInt32s.
func OpenUint32s(name string, count int, flag Flag, perm fs.FileMode) (*Words[uint32], error) {
	return openArray[uint32](_GOSYNC_UINT32, name, count, flag, perm, -1)
}

// OpenInt64s is as OpenInt32s.
func OpenInt64s(name string, count int, flag Flag, perm fs.FileMode) (*Words[int64], error) {
	return openArray[int64](_GOSYNC_INT64, name, count, flag, perm, -1)
}

// OpenUint64s is as OpenInt32s.
func OpenUint64s(name string, count int, flag Flag, perm fs.FileMode) (*Words[uint64], error) {
	return openArray[uint64](_GOSYNC_UINT64, name, count, flag, perm, -1)
}

// Int32sFromFD makes a handle of a descriptor that another process has passed on, as
// MutexFromFD does.
func Int32sFromFD(fd int, flag Flag) (*Words[int32], error) {
	return openArray[int32](_GOSYNC_INT32, "", 0, flag, 0, fd)
}

// Uint32sFromFD is as Int32sFromFD.
func Uint32sFromFD(fd int, flag Flag) (*Words[uint32], error) {
	return openArray[uint32](_GOSYNC_UINT32, "", 0, flag, 0, fd)
}

// Int64sFromFD is as Int32sFromFD.
func Int64sFromFD(fd int, flag Flag) (*Words[int64], error) {
	return openArray[int64](_GOSYNC_INT64, "", 0, flag, 0, fd)
}

// Uint64sFromFD is as Int32sFromFD.
func Uint64sFromFD(fd int, flag Flag) (*Words[uint64], error) {
	return openArray[uint64](_GOSYNC_UINT64, "", 0, flag, 0, fd)
}
