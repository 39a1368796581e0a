// SPDX-License-Identifier: LGPL-2.1-or-later

package gosync

import (
	"context"
	"io/fs"
	"runtime"
	"sync/atomic"
)

// Single atomic words, whose methods are those of sync/atomic. They panic with an *Error
// if the handle is closed, or ReadOnly and to be written to.
//
// Those that are one instruction are inlined. So they read the field that says where
// the word is as it is, without a load of package atomic, which would cost too much of
// what the compiler inlines. Close may clear it meanwhile: the field has one word, so
// they see the old content or the new one. With the race detector they all take the
// slow path.

// openWord opens or creates a word, or makes a handle of fd if it is not negative.
func (w *words) openWord(typ uint32, name string, flag Flag, perm fs.FileMode, fd int) error {
	return w.openWords(spec{name: name, typ: typ, flag: flag, perm: perm}, fd)
}

// Int32 is atomic.Int32 between processes.
type Int32 struct {
	read, write *int32 // the word, where it is mapped
	words
}

// OpenInt32 opens or creates a word. The name may also be that of an array, whose first
// word it is.
func OpenInt32(name string, flag Flag, perm fs.FileMode) (*Int32, error) {
	return openInt32(name, flag, perm, -1)
}

// Int32FromFD makes a handle of a descriptor that another process has passed on, as
// MutexFromFD does.
func Int32FromFD(fd int, flag Flag) (*Int32, error) {
	return openInt32("", flag, 0, fd)
}

func openInt32(name string, flag Flag, perm fs.FileMode, fd int) (*Int32, error) {
	x := new(Int32)
	if err := x.openWord(_GOSYNC_INT32, name, flag, perm, fd); err != nil {
		return nil, err
	}
	x.read, x.write = (*int32)(x.firstWord(false)), (*int32)(x.firstWord(true))
	return x, nil
}

// Close closes the handle.
func (x *Int32) Close() error {
	x.read, x.write = nil, nil
	return x.closeWords()
}

// Load reads the word.
func (x *Int32) Load() (now int32) {
	if raceEnabled || x.read == nil {
		return x.slow(_GOSYNC_IOC_ATOMIC_LOAD, 0)
	}
	now = atomic.LoadInt32(x.read)
	runtime.KeepAlive(x)
	return
}

// Store writes the word.
func (x *Int32) Store(new int32) {
	if raceEnabled || x.write == nil {
		x.slow(_GOSYNC_IOC_ATOMIC_STORE, new)
		return
	}
	atomic.StoreInt32(x.write, new)
	runtime.KeepAlive(x)
}

// Swap writes the word, and returns what was there.
func (x *Int32) Swap(new int32) (old int32) {
	if raceEnabled || x.write == nil {
		return x.slow(_GOSYNC_IOC_ATOMIC_SWAP, new)
	}
	old = atomic.SwapInt32(x.write, new)
	runtime.KeepAlive(x)
	return
}

// CompareAndSwap writes the word if it is old, and tells whether it was.
func (x *Int32) CompareAndSwap(old, new int32) (swapped bool) {
	if raceEnabled || x.write == nil {
		_, swapped = x.do(_GOSYNC_IOC_ATOMIC_CAS, 0, uint64(new), uint64(old))
		return swapped
	}
	swapped = atomic.CompareAndSwapInt32(x.write, old, new)
	runtime.KeepAlive(x)
	return
}

// Add adds delta to the word, and returns what is there now.
func (x *Int32) Add(delta int32) (new int32) {
	if raceEnabled || x.write == nil {
		return x.slow(_GOSYNC_IOC_ATOMIC_ADD, delta)
	}
	new = atomic.AddInt32(x.write, delta)
	runtime.KeepAlive(x)
	return
}

// And keeps those bits that mask has, and returns what was there.
func (x *Int32) And(mask int32) (old int32) { return x.slow(_GOSYNC_IOC_ATOMIC_AND, mask) }

// Or adds the bits of mask, and returns what was there.
func (x *Int32) Or(mask int32) (old int32) { return x.slow(_GOSYNC_IOC_ATOMIC_OR, mask) }

//go:noinline
func (x *Int32) slow(op uint32, value int32) int32 {
	result, _ := x.do(op, 0, uint64(value), 0)
	return int32(result)
}

// Wait waits until the word is no longer old, and returns what it is. Who changes the
// word has to call Wake.
func (x *Int32) Wait(old int32) int32 { return int32(x.mustWait(0, uint64(old))) }

// WaitContext is Wait that ends with ctx.
func (x *Int32) WaitContext(ctx context.Context, old int32) (int32, error) {
	now, err := x.waitContext(ctx, 0, uint64(old))
	return int32(now), err
}

// Wake wakes up to n waiters, which look at the word again, and returns how many. It
// makes no system call if nobody waits.
func (x *Int32) Wake(n int) int { return x.wake(0, n) }

// Uint32 is atomic.Uint32 between processes.
type Uint32 struct {
	read, write *uint32 // the word, where it is mapped
	words
}

// OpenUint32 opens or creates a word. The name may also be that of an array, whose first
// word it is.
func OpenUint32(name string, flag Flag, perm fs.FileMode) (*Uint32, error) {
	return openUint32(name, flag, perm, -1)
}

// Uint32FromFD makes a handle of a descriptor that another process has passed on, as
// MutexFromFD does.
func Uint32FromFD(fd int, flag Flag) (*Uint32, error) {
	return openUint32("", flag, 0, fd)
}

func openUint32(name string, flag Flag, perm fs.FileMode, fd int) (*Uint32, error) {
	x := new(Uint32)
	if err := x.openWord(_GOSYNC_UINT32, name, flag, perm, fd); err != nil {
		return nil, err
	}
	x.read, x.write = (*uint32)(x.firstWord(false)), (*uint32)(x.firstWord(true))
	return x, nil
}

// Close closes the handle.
func (x *Uint32) Close() error {
	x.read, x.write = nil, nil
	return x.closeWords()
}

// Load reads the word.
func (x *Uint32) Load() (now uint32) {
	if raceEnabled || x.read == nil {
		return x.slow(_GOSYNC_IOC_ATOMIC_LOAD, 0)
	}
	now = atomic.LoadUint32(x.read)
	runtime.KeepAlive(x)
	return
}

// Store writes the word.
func (x *Uint32) Store(new uint32) {
	if raceEnabled || x.write == nil {
		x.slow(_GOSYNC_IOC_ATOMIC_STORE, new)
		return
	}
	atomic.StoreUint32(x.write, new)
	runtime.KeepAlive(x)
}

// Swap writes the word, and returns what was there.
func (x *Uint32) Swap(new uint32) (old uint32) {
	if raceEnabled || x.write == nil {
		return x.slow(_GOSYNC_IOC_ATOMIC_SWAP, new)
	}
	old = atomic.SwapUint32(x.write, new)
	runtime.KeepAlive(x)
	return
}

// CompareAndSwap writes the word if it is old, and tells whether it was.
func (x *Uint32) CompareAndSwap(old, new uint32) (swapped bool) {
	if raceEnabled || x.write == nil {
		_, swapped = x.do(_GOSYNC_IOC_ATOMIC_CAS, 0, uint64(new), uint64(old))
		return swapped
	}
	swapped = atomic.CompareAndSwapUint32(x.write, old, new)
	runtime.KeepAlive(x)
	return
}

// Add adds delta to the word, and returns what is there now.
func (x *Uint32) Add(delta uint32) (new uint32) {
	if raceEnabled || x.write == nil {
		return x.slow(_GOSYNC_IOC_ATOMIC_ADD, delta)
	}
	new = atomic.AddUint32(x.write, delta)
	runtime.KeepAlive(x)
	return
}

// And keeps those bits that mask has, and returns what was there.
func (x *Uint32) And(mask uint32) (old uint32) { return x.slow(_GOSYNC_IOC_ATOMIC_AND, mask) }

// Or adds the bits of mask, and returns what was there.
func (x *Uint32) Or(mask uint32) (old uint32) { return x.slow(_GOSYNC_IOC_ATOMIC_OR, mask) }

//go:noinline
func (x *Uint32) slow(op uint32, value uint32) uint32 {
	result, _ := x.do(op, 0, uint64(value), 0)
	return uint32(result)
}

// Wait waits until the word is no longer old, and returns what it is. Who changes the
// word has to call Wake.
func (x *Uint32) Wait(old uint32) uint32 { return uint32(x.mustWait(0, uint64(old))) }

// WaitContext is Wait that ends with ctx.
func (x *Uint32) WaitContext(ctx context.Context, old uint32) (uint32, error) {
	now, err := x.waitContext(ctx, 0, uint64(old))
	return uint32(now), err
}

// Wake wakes up to n waiters, which look at the word again, and returns how many. It
// makes no system call if nobody waits.
func (x *Uint32) Wake(n int) int { return x.wake(0, n) }

// Int64 is atomic.Int64 between processes.
type Int64 struct {
	read, write *int64 // the word, where it is mapped
	words
}

// OpenInt64 opens or creates a word. The name may also be that of an array, whose first
// word it is.
func OpenInt64(name string, flag Flag, perm fs.FileMode) (*Int64, error) {
	return openInt64(name, flag, perm, -1)
}

// Int64FromFD makes a handle of a descriptor that another process has passed on, as
// MutexFromFD does.
func Int64FromFD(fd int, flag Flag) (*Int64, error) {
	return openInt64("", flag, 0, fd)
}

func openInt64(name string, flag Flag, perm fs.FileMode, fd int) (*Int64, error) {
	x := new(Int64)
	if err := x.openWord(_GOSYNC_INT64, name, flag, perm, fd); err != nil {
		return nil, err
	}
	x.read, x.write = (*int64)(x.firstWord(false)), (*int64)(x.firstWord(true))
	return x, nil
}

// Close closes the handle.
func (x *Int64) Close() error {
	x.read, x.write = nil, nil
	return x.closeWords()
}

// Load reads the word.
func (x *Int64) Load() (now int64) {
	if raceEnabled || x.read == nil {
		return x.slow(_GOSYNC_IOC_ATOMIC_LOAD, 0)
	}
	now = atomic.LoadInt64(x.read)
	runtime.KeepAlive(x)
	return
}

// Store writes the word.
func (x *Int64) Store(new int64) {
	if raceEnabled || x.write == nil {
		x.slow(_GOSYNC_IOC_ATOMIC_STORE, new)
		return
	}
	atomic.StoreInt64(x.write, new)
	runtime.KeepAlive(x)
}

// Swap writes the word, and returns what was there.
func (x *Int64) Swap(new int64) (old int64) {
	if raceEnabled || x.write == nil {
		return x.slow(_GOSYNC_IOC_ATOMIC_SWAP, new)
	}
	old = atomic.SwapInt64(x.write, new)
	runtime.KeepAlive(x)
	return
}

// CompareAndSwap writes the word if it is old, and tells whether it was.
func (x *Int64) CompareAndSwap(old, new int64) (swapped bool) {
	if raceEnabled || x.write == nil {
		_, swapped = x.do(_GOSYNC_IOC_ATOMIC_CAS, 0, uint64(new), uint64(old))
		return swapped
	}
	swapped = atomic.CompareAndSwapInt64(x.write, old, new)
	runtime.KeepAlive(x)
	return
}

// Add adds delta to the word, and returns what is there now.
func (x *Int64) Add(delta int64) (new int64) {
	if raceEnabled || x.write == nil {
		return x.slow(_GOSYNC_IOC_ATOMIC_ADD, delta)
	}
	new = atomic.AddInt64(x.write, delta)
	runtime.KeepAlive(x)
	return
}

// And keeps those bits that mask has, and returns what was there.
func (x *Int64) And(mask int64) (old int64) { return x.slow(_GOSYNC_IOC_ATOMIC_AND, mask) }

// Or adds the bits of mask, and returns what was there.
func (x *Int64) Or(mask int64) (old int64) { return x.slow(_GOSYNC_IOC_ATOMIC_OR, mask) }

//go:noinline
func (x *Int64) slow(op uint32, value int64) int64 {
	result, _ := x.do(op, 0, uint64(value), 0)
	return int64(result)
}

// Wait waits until the word is no longer old, and returns what it is. Who changes the
// word has to call Wake.
func (x *Int64) Wait(old int64) int64 { return int64(x.mustWait(0, uint64(old))) }

// WaitContext is Wait that ends with ctx.
func (x *Int64) WaitContext(ctx context.Context, old int64) (int64, error) {
	now, err := x.waitContext(ctx, 0, uint64(old))
	return int64(now), err
}

// Wake wakes up to n waiters, which look at the word again, and returns how many. It
// makes no system call if nobody waits.
func (x *Int64) Wake(n int) int { return x.wake(0, n) }

// Uint64 is atomic.Uint64 between processes.
type Uint64 struct {
	read, write *uint64 // the word, where it is mapped
	words
}

// OpenUint64 opens or creates a word. The name may also be that of an array, whose first
// word it is.
func OpenUint64(name string, flag Flag, perm fs.FileMode) (*Uint64, error) {
	return openUint64(name, flag, perm, -1)
}

// Uint64FromFD makes a handle of a descriptor that another process has passed on, as
// MutexFromFD does.
func Uint64FromFD(fd int, flag Flag) (*Uint64, error) {
	return openUint64("", flag, 0, fd)
}

func openUint64(name string, flag Flag, perm fs.FileMode, fd int) (*Uint64, error) {
	x := new(Uint64)
	if err := x.openWord(_GOSYNC_UINT64, name, flag, perm, fd); err != nil {
		return nil, err
	}
	x.read, x.write = (*uint64)(x.firstWord(false)), (*uint64)(x.firstWord(true))
	return x, nil
}

// Close closes the handle.
func (x *Uint64) Close() error {
	x.read, x.write = nil, nil
	return x.closeWords()
}

// Load reads the word.
func (x *Uint64) Load() (now uint64) {
	if raceEnabled || x.read == nil {
		return x.slow(_GOSYNC_IOC_ATOMIC_LOAD, 0)
	}
	now = atomic.LoadUint64(x.read)
	runtime.KeepAlive(x)
	return
}

// Store writes the word.
func (x *Uint64) Store(new uint64) {
	if raceEnabled || x.write == nil {
		x.slow(_GOSYNC_IOC_ATOMIC_STORE, new)
		return
	}
	atomic.StoreUint64(x.write, new)
	runtime.KeepAlive(x)
}

// Swap writes the word, and returns what was there.
func (x *Uint64) Swap(new uint64) (old uint64) {
	if raceEnabled || x.write == nil {
		return x.slow(_GOSYNC_IOC_ATOMIC_SWAP, new)
	}
	old = atomic.SwapUint64(x.write, new)
	runtime.KeepAlive(x)
	return
}

// CompareAndSwap writes the word if it is old, and tells whether it was.
func (x *Uint64) CompareAndSwap(old, new uint64) (swapped bool) {
	if raceEnabled || x.write == nil {
		_, swapped = x.do(_GOSYNC_IOC_ATOMIC_CAS, 0, uint64(new), uint64(old))
		return swapped
	}
	swapped = atomic.CompareAndSwapUint64(x.write, old, new)
	runtime.KeepAlive(x)
	return
}

// Add adds delta to the word, and returns what is there now.
func (x *Uint64) Add(delta uint64) (new uint64) {
	if raceEnabled || x.write == nil {
		return x.slow(_GOSYNC_IOC_ATOMIC_ADD, delta)
	}
	new = atomic.AddUint64(x.write, delta)
	runtime.KeepAlive(x)
	return
}

// And keeps those bits that mask has, and returns what was there.
func (x *Uint64) And(mask uint64) (old uint64) { return x.slow(_GOSYNC_IOC_ATOMIC_AND, mask) }

// Or adds the bits of mask, and returns what was there.
func (x *Uint64) Or(mask uint64) (old uint64) { return x.slow(_GOSYNC_IOC_ATOMIC_OR, mask) }

//go:noinline
func (x *Uint64) slow(op uint32, value uint64) uint64 {
	result, _ := x.do(op, 0, uint64(value), 0)
	return uint64(result)
}

// Wait waits until the word is no longer old, and returns what it is. Who changes the
// word has to call Wake.
func (x *Uint64) Wait(old uint64) uint64 { return uint64(x.mustWait(0, uint64(old))) }

// WaitContext is Wait that ends with ctx.
func (x *Uint64) WaitContext(ctx context.Context, old uint64) (uint64, error) {
	now, err := x.waitContext(ctx, 0, uint64(old))
	return uint64(now), err
}

// Wake wakes up to n waiters, which look at the word again, and returns how many. It
// makes no system call if nobody waits.
func (x *Uint64) Wake(n int) int { return x.wake(0, n) }

// Uintptr is atomic.Uintptr between processes. It has 64 bits in
// programs of 32 bits, too, so its values are uint64.
type Uintptr struct {
	read, write *uint64 // the word, where it is mapped
	words
}

// OpenUintptr opens or creates a word. The name may also be that of an array, whose first
// word it is.
func OpenUintptr(name string, flag Flag, perm fs.FileMode) (*Uintptr, error) {
	return openUintptr(name, flag, perm, -1)
}

// UintptrFromFD makes a handle of a descriptor that another process has passed on, as
// MutexFromFD does.
func UintptrFromFD(fd int, flag Flag) (*Uintptr, error) {
	return openUintptr("", flag, 0, fd)
}

func openUintptr(name string, flag Flag, perm fs.FileMode, fd int) (*Uintptr, error) {
	x := new(Uintptr)
	if err := x.openWord(_GOSYNC_UINTPTR, name, flag, perm, fd); err != nil {
		return nil, err
	}
	x.read, x.write = (*uint64)(x.firstWord(false)), (*uint64)(x.firstWord(true))
	return x, nil
}

// Close closes the handle.
func (x *Uintptr) Close() error {
	x.read, x.write = nil, nil
	return x.closeWords()
}

// Load reads the word.
func (x *Uintptr) Load() (now uint64) {
	if raceEnabled || x.read == nil {
		return x.slow(_GOSYNC_IOC_ATOMIC_LOAD, 0)
	}
	now = atomic.LoadUint64(x.read)
	runtime.KeepAlive(x)
	return
}

// Store writes the word.
func (x *Uintptr) Store(new uint64) {
	if raceEnabled || x.write == nil {
		x.slow(_GOSYNC_IOC_ATOMIC_STORE, new)
		return
	}
	atomic.StoreUint64(x.write, new)
	runtime.KeepAlive(x)
}

// Swap writes the word, and returns what was there.
func (x *Uintptr) Swap(new uint64) (old uint64) {
	if raceEnabled || x.write == nil {
		return x.slow(_GOSYNC_IOC_ATOMIC_SWAP, new)
	}
	old = atomic.SwapUint64(x.write, new)
	runtime.KeepAlive(x)
	return
}

// CompareAndSwap writes the word if it is old, and tells whether it was.
func (x *Uintptr) CompareAndSwap(old, new uint64) (swapped bool) {
	if raceEnabled || x.write == nil {
		_, swapped = x.do(_GOSYNC_IOC_ATOMIC_CAS, 0, uint64(new), uint64(old))
		return swapped
	}
	swapped = atomic.CompareAndSwapUint64(x.write, old, new)
	runtime.KeepAlive(x)
	return
}

// Add adds delta to the word, and returns what is there now.
func (x *Uintptr) Add(delta uint64) (new uint64) {
	if raceEnabled || x.write == nil {
		return x.slow(_GOSYNC_IOC_ATOMIC_ADD, delta)
	}
	new = atomic.AddUint64(x.write, delta)
	runtime.KeepAlive(x)
	return
}

// And keeps those bits that mask has, and returns what was there.
func (x *Uintptr) And(mask uint64) (old uint64) { return x.slow(_GOSYNC_IOC_ATOMIC_AND, mask) }

// Or adds the bits of mask, and returns what was there.
func (x *Uintptr) Or(mask uint64) (old uint64) { return x.slow(_GOSYNC_IOC_ATOMIC_OR, mask) }

//go:noinline
func (x *Uintptr) slow(op uint32, value uint64) uint64 {
	result, _ := x.do(op, 0, uint64(value), 0)
	return uint64(result)
}

// Wait waits until the word is no longer old, and returns what it is. Who changes the
// word has to call Wake.
func (x *Uintptr) Wait(old uint64) uint64 { return uint64(x.mustWait(0, uint64(old))) }

// WaitContext is Wait that ends with ctx.
func (x *Uintptr) WaitContext(ctx context.Context, old uint64) (uint64, error) {
	now, err := x.waitContext(ctx, 0, uint64(old))
	return uint64(now), err
}

// Wake wakes up to n waiters, which look at the word again, and returns how many. It
// makes no system call if nobody waits.
func (x *Uintptr) Wake(n int) int { return x.wake(0, n) }

// Bool is atomic.Bool between processes.
type Bool struct{ words }

// OpenBool is as OpenInt32.
func OpenBool(name string, flag Flag, perm fs.FileMode) (*Bool, error) {
	return openBool(name, flag, perm, -1)
}

// BoolFromFD is as Int32FromFD.
func BoolFromFD(fd int, flag Flag) (*Bool, error) { return openBool("", flag, 0, fd) }

func openBool(name string, flag Flag, perm fs.FileMode, fd int) (*Bool, error) {
	x := new(Bool)
	if err := x.openWord(_GOSYNC_BOOL, name, flag, perm, fd); err != nil {
		return nil, err
	}
	return x, nil
}

func wordOf(b bool) uint64 {
	if b {
		return 1
	}
	return 0
}

// Close closes the handle.
func (x *Bool) Close() error { return x.closeWords() }

// Load reads the word.
func (x *Bool) Load() bool {
	now, _ := x.do(_GOSYNC_IOC_ATOMIC_LOAD, 0, 0, 0)
	return now != 0
}

// Store writes the word.
func (x *Bool) Store(new bool) { x.do(_GOSYNC_IOC_ATOMIC_STORE, 0, wordOf(new), 0) }

// Swap writes the word, and returns what was there.
func (x *Bool) Swap(new bool) (old bool) {
	was, _ := x.do(_GOSYNC_IOC_ATOMIC_SWAP, 0, wordOf(new), 0)
	return was != 0
}

// CompareAndSwap writes the word if it is old, and tells whether it was.
func (x *Bool) CompareAndSwap(old, new bool) (swapped bool) {
	_, swapped = x.do(_GOSYNC_IOC_ATOMIC_CAS, 0, wordOf(new), wordOf(old))
	return swapped
}

// Wait waits until the word is no longer old. Who changes the word has to call Wake.
func (x *Bool) Wait(old bool) { x.mustWait(0, wordOf(old)) }

// WaitContext is Wait that ends with ctx.
func (x *Bool) WaitContext(ctx context.Context, old bool) error {
	_, err := x.waitContext(ctx, 0, wordOf(old))
	return err
}

// Wake is as that of Int32.
func (x *Bool) Wake(n int) int { return x.wake(0, n) }

// Pointer is a word of 64 bits without arithmetic. What it points to, if anything, is
// for the processes to agree on: memory has another address in each of them.
type Pointer struct{ words }

// OpenPointer is as OpenInt32.
func OpenPointer(name string, flag Flag, perm fs.FileMode) (*Pointer, error) {
	return openPointer(name, flag, perm, -1)
}

// PointerFromFD is as Int32FromFD.
func PointerFromFD(fd int, flag Flag) (*Pointer, error) { return openPointer("", flag, 0, fd) }

func openPointer(name string, flag Flag, perm fs.FileMode, fd int) (*Pointer, error) {
	x := new(Pointer)
	if err := x.openWord(_GOSYNC_POINTER, name, flag, perm, fd); err != nil {
		return nil, err
	}
	return x, nil
}

// Close closes the handle.
func (x *Pointer) Close() error { return x.closeWords() }

// Load reads the word.
func (x *Pointer) Load() uint64 {
	now, _ := x.do(_GOSYNC_IOC_ATOMIC_LOAD, 0, 0, 0)
	return now
}

// Store writes the word.
func (x *Pointer) Store(new uint64) { x.do(_GOSYNC_IOC_ATOMIC_STORE, 0, new, 0) }

// Swap writes the word, and returns what was there.
func (x *Pointer) Swap(new uint64) (old uint64) {
	old, _ = x.do(_GOSYNC_IOC_ATOMIC_SWAP, 0, new, 0)
	return old
}

// CompareAndSwap writes the word if it is old, and tells whether it was.
func (x *Pointer) CompareAndSwap(old, new uint64) (swapped bool) {
	_, swapped = x.do(_GOSYNC_IOC_ATOMIC_CAS, 0, new, old)
	return swapped
}

// Wait waits until the word is no longer old, and returns what it is. Who changes the
// word has to call Wake.
func (x *Pointer) Wait(old uint64) uint64 { return x.mustWait(0, old) }

// WaitContext is Wait that ends with ctx.
func (x *Pointer) WaitContext(ctx context.Context, old uint64) (uint64, error) {
	return x.waitContext(ctx, 0, old)
}

// Wake is as that of Int32.
func (x *Pointer) Wake(n int) int { return x.wake(0, n) }
