// SPDX-License-Identifier: LGPL-2.1-or-later

package gosync

import (
	"context"
	"fmt"
	"io/fs"
	"reflect"
	"runtime"
	"sync/atomic"
	"syscall"
	"unsafe"
)

// A Value is atomic.Value between processes: one value of type T, which is replaced as
// a whole. Any number of processes load it without a system call, and without disturbing
// each other or who stores.
//
// The first store decides of which type the value is, for ever. A store of another type,
// or of a nil interface, panics, as Go's does.
//
// If T is an interface type, such as any, the type is that of the value in it. Otherwise
// it is T.
type Value[T any] struct {
	valueReader
	coder   coder[T]
	typ     uint64 // T's; 0 if T is an interface
	dynamic bool   // T is an interface
}

// ValueLimits says how a Value is created. Its zero value will mostly do.
type ValueLimits struct {
	// Size is the largest number of bytes that a value can have, up to 4 MiB. With
	// 0 it is 4096, or T's size with the codec Fixed.
	Size int

	// Type is the number of the values' type. With 0 it is made from the name of
	// T and its size. Programs that know the type by another name, or are in another
	// language, have to agree on a number: see TypeID.
	Type uint64
}

// TypeID makes a number for a type, as gosync_type_id() of the C library does: for
// struct config of C, say TypeID("struct config", unsafe.Sizeof(config{})).
func TypeID(name string, size uintptr) uint64 {
	// FNV-1a over the name and the size
	id := uint64(0xcbf29ce484222325)
	for i := 0; i < len(name); i++ {
		id = (id ^ uint64(name[i])) * 0x100000001b3
	}
	for i, n := 0, uint64(size); i < 8; i, n = i+1, n>>8 {
		id = (id ^ n&0xff) * 0x100000001b3
	}
	if id == 0 || id == _GOSYNC_VALUE_STORING {
		return 1
	}
	return id
}

func typeIDOf(t reflect.Type) uint64 { return TypeID(t.String(), t.Size()) }

// OpenValue opens or creates a Value. Flags and perm are as those of OpenMutex.
func OpenValue[T any](name string, codec Codec[T], limits ValueLimits, flag Flag,
	perm fs.FileMode) (*Value[T], error) {
	x := newValue(codec, limits.Type)
	if size := x.coder.size(); limits.Size == 0 && flag&Create != 0 {
		limits.Size = size
	}
	in, err := x.open(spec{
		name:     name,
		typ:      _GOSYNC_VALUE,
		flag:     flag,
		perm:     perm,
		capacity: uint64(limits.Size),
	})
	if err != nil {
		return nil, err
	}
	x.setUp(in)
	return x, nil
}

// ValueFromFD makes a handle of a descriptor that another process has passed on, as
// MutexFromFD does. Of the limits it takes the type.
func ValueFromFD[T any](fd int, codec Codec[T], limits ValueLimits, flag Flag) (*Value[T], error) {
	x := newValue(codec, limits.Type)
	in, err := x.openFD(fd, _GOSYNC_VALUE, flag)
	if err != nil {
		return nil, err
	}
	x.setUp(in)
	return x, nil
}

func newValue[T any](codec Codec[T], typ uint64) *Value[T] {
	x := &Value[T]{coder: newCoder(codec), typ: typ}
	t := reflect.TypeOf((*T)(nil)).Elem()
	if x.dynamic = t.Kind() == reflect.Interface && typ == 0; !x.dynamic && typ == 0 {
		x.typ = typeIDOf(t)
	}
	return x
}

// typeOf returns the number of a value's type, and 0 for nil.
func (x *Value[T]) typeOf(v *T) uint64 {
	if x.dynamic {
		if t := reflect.TypeOf(*v); t != nil {
			return typeIDOf(t)
		}
		return 0
	}
	return x.typ
}

// Load returns the value that was stored last. If ok is false, nothing has been stored.
// An error says that it is not of type T, or cannot be decoded.
func (x *Value[T]) Load() (v T, ok bool, err error) {
	if raceEnabled {
		raceAcquire(unsafe.Pointer(x))
	}
	if x.coder.fixed != nil {
		n, typ, err := x.load(memoryOf(&v))
		if err == 0 && typ == x.typ && n == len(memoryOf(&v)) {
			return v, true, x.wrong("load", x.coder.check(&v))
		}
	}
	return x.loadSlow()
}

func (x *Value[T]) loadSlow() (v T, ok bool, err error) {
	room := make([]byte, smallRoom)
	for {
		n, typ, errno := x.load(room)
		switch {
		case errno == syscall.EMSGSIZE:
			room = make([]byte, n)
			continue
		case errno == syscall.ENODATA:
			return v, false, nil
		case errno != 0:
			return v, false, x.error("load", _GOSYNC_IOC_VALUE_LOAD, errno)
		case !x.dynamic && typ != x.typ:
			return v, true, x.wrong("load", fmt.Errorf("%w than %T", ErrFormat, v))
		}
		v, err = x.coder.codec.Decode(room[:n])
		return v, true, x.wrong("load", err)
	}
}

// storeArgs encodes a value to be stored. It panics if that is nil.
func (x *Value[T]) storeArgs(verb string, op uint32, v *T) (args valueArgs, err error) {
	args.size = uint32(unsafe.Sizeof(args))
	if args.typ = x.typeOf(v); args.typ == 0 {
		x.misuse(verb, op, syscall.EINVAL)
	}
	b, err := x.coder.encode(v)
	args.buf, args.len = addressOf(b), uint64(len(b))
	return args, x.wrong(verb, err)
}

// Store replaces the value.
func (x *Value[T]) Store(v T) error {
	args, err := x.storeArgs("store", _GOSYNC_IOC_VALUE_STORE, &v)
	if err != nil {
		return err
	}
	_, err = x.change("store", _GOSYNC_IOC_VALUE_STORE, &args)
	return err
}

// Swap replaces the value, and returns the one that was there. If ok is false, there was
// none. With ErrFormat the value was replaced, and what was there is not of type T.
func (x *Value[T]) Swap(v T) (old T, ok bool, err error) {
	args, err := x.storeArgs("swap", _GOSYNC_IOC_VALUE_SWAP, &v)
	if err != nil {
		return old, false, err
	}
	room := make([]byte, smallRoom)
	for {
		args.oldBuf, args.oldLen = addressOf(room), uint64(len(room))
		n, err := x.change("swap", _GOSYNC_IOC_VALUE_SWAP, &args)
		if isTooLong(err) && args.oldLen > uint64(len(room)) {
			// Nothing has changed.
			room = make([]byte, args.oldLen)
			continue
		}
		if err != nil || n == 0 {
			return old, false, err
		}
		old, err = x.coder.codec.Decode(room[:args.oldLen])
		return old, true, x.wrong("swap", err)
	}
}

// CompareAndSwap replaces the value if it is old, and tells whether it was. Values are
// equal if their bytes are. An old nil of an interface type stands for no value at all.
func (x *Value[T]) CompareAndSwap(old, new T) (swapped bool, err error) {
	return x.compareAndSwap(&old, &new)
}

// Init stores the first value, and tells whether it did: false says that there was one.
func (x *Value[T]) Init(v T) (stored bool, err error) {
	return x.compareAndSwap(nil, &v)
}

func (x *Value[T]) compareAndSwap(old, new *T) (swapped bool, err error) {
	const verb = "compare and swap"
	args, err := x.storeArgs(verb, _GOSYNC_IOC_VALUE_CAS, new)
	if err != nil {
		return false, err
	}
	if old != nil {
		args.oldType = x.typeOf(old)
	}
	if args.oldType != 0 {
		if args.oldType != args.typ {
			panic("sync/atomic: compare and swap of inconsistently typed values")
		}
		b, err := x.coder.encode(old)
		if err != nil {
			return false, x.wrong(verb, err)
		}
		args.oldBuf, args.oldLen = addressOf(b), uint64(len(b))
	}
	n, err := x.change(verb, _GOSYNC_IOC_VALUE_CAS, &args)
	return n == 1, err
}

// Close closes the handle.
func (x *Value[T]) Close() error {
	x.page.Store(nil)
	return x.closeObject()
}

// Room for values whose size is not known, before it has to be more
const smallRoom = 256

// Tries before a load asks the kernel, which always succeeds
const valueTries = 16

// A valueReader is what handles of Values have in common. The state is mapped read-only:
// the kernel alone writes. A reader writes nothing, so its death harms nobody.
// kmod/value.c describes the barriers, by the same letters.
type valueReader struct {
	page   atomic.Pointer[valuePage] // nil: not mapped
	slots  unsafe.Pointer
	stride uint64
	object
}

func (r *valueReader) setUp(in *info) {
	if page := (*valuePage)(r.state(in, false)); page != nil {
		r.slots, r.stride = r.mapping.at(in.mapData), page.stride
		r.page.Store(page)
	}
}

// load copies the payload, and returns its length and type. With EMSGSIZE it is longer
// than the room; with ENODATA there is none.
func (r *valueReader) load(room []byte) (n int, typ uint64, err syscall.Errno) {
	if page := r.page.Load(); page != nil {
		for i := 0; i < valueTries; i++ {
			var ok bool
			if n, typ, ok = r.try(page, room); ok {
				runtime.KeepAlive(r)
				switch {
				case typ == 0:
					err = syscall.ENODATA
				case n > len(room):
					err = syscall.EMSGSIZE
				}
				return n, typ, err
			}
		}
		runtime.KeepAlive(r)
	}
	args := valueArgs{buf: addressOf(room), len: uint64(len(room))}
	args.size = uint32(unsafe.Sizeof(args))
	_, err = r.ioctlAgain(_GOSYNC_IOC_VALUE_LOAD, unsafe.Pointer(&args))
	return int(args.len), args.typ, err
}

// try loads once. It is not ok if what it has copied may have been overwritten.
func (r *valueReader) try(page *valuePage, room []byte) (n int, typ uint64, ok bool) {
	// V3
	typ = atomic.LoadUint64(&page.typ)
	if typ == 0 || typ == _GOSYNC_VALUE_STORING {
		return 0, 0, true
	}
	// V1
	version := atomic.LoadUint64(&page.version)
	slot := unsafe.Add(r.slots, version%_GOSYNC_VALUE_SLOTS*r.stride)
	n = int(atomic.LoadUint64(&(*valueSlot)(slot).len))
	if n <= len(room) {
		copy(room, unsafe.Slice((*byte)(unsafe.Add(slot, unsafe.Sizeof(valueSlot{}))), n))
	}
	// V2
	loadFence()
	return n, typ, atomic.LoadUint64(&page.version)-version < _GOSYNC_VALUE_SLOTS-1
}

// change makes an ioctl that may change the Value. It panics where Go does.
func (r *valueReader) change(verb string, op uint32, args *valueArgs) (int, error) {
	if raceEnabled {
		raceRelease(unsafe.Pointer(r))
		raceAcquire(unsafe.Pointer(r))
	}
	n, err := r.ioctlAgain(op, unsafe.Pointer(args))
	if err == syscall.EPROTOTYPE {
		if op == _GOSYNC_IOC_VALUE_CAS {
			panic("sync/atomic: compare and swap of inconsistently typed value into Value")
		}
		r.misuse(verb, op, err)
	}
	return n, r.error(verb, op, err)
}

// Version returns how often the Value has been stored.
func (r *valueReader) Version() (uint64, error) {
	if page := r.page.Load(); page != nil {
		version := atomic.LoadUint64(&page.version)
		runtime.KeepAlive(r)
		return version, nil
	}
	in, err := r.info()
	if err != 0 {
		return 0, r.error("version", _GOSYNC_IOC_INFO, err)
	}
	return in.word, nil
}

// Wait waits until the version is another than this one, and returns it.
func (r *valueReader) Wait(version uint64) (uint64, error) {
	return r.WaitContext(context.Background(), version)
}

// WaitContext is Wait that ends with ctx.
func (r *valueReader) WaitContext(ctx context.Context, version uint64) (uint64, error) {
	if err := r.waitVersion(ctx, _GOSYNC_IOC_VALUE_WAIT, version); err != nil {
		return version, err
	}
	return r.Version()
}

// waitVersion waits until a version is another than this one.
func (h *handle) waitVersion(ctx context.Context, op uint32, version uint64) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	_, err := h.wait(ctx, waiting{op: op, value: version})
	if err == eContext {
		return ctx.Err()
	}
	return h.error("wait", op, err)
}

// ioctlAgain makes an ioctl that does nothing if a signal comes in between, until none
// comes.
func (h *handle) ioctlAgain(op uint32, arg unsafe.Pointer) (int, syscall.Errno) {
	for {
		if n, err := h.ioctl(op, arg); err != syscall.EINTR {
			return n, err
		}
	}
}

// wrong makes an error of what a codec returned.
func (h *handle) wrong(verb string, err error) error {
	if err == nil {
		return nil
	}
	return &Error{Op: verb, Name: h.name, Err: err}
}

func isTooLong(err error) bool {
	e, ok := err.(*Error)
	return ok && e.Err == syscall.EMSGSIZE
}

// addressOf returns where bytes are, for the kernel.
func addressOf(b []byte) pointer {
	if len(b) == 0 {
		return pointer{}
	}
	return pointer{unsafe.Pointer(&b[0])}
}
