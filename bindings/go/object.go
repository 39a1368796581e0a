// SPDX-License-Identifier: LGPL-2.1-or-later

package gosync

import (
	"io/fs"
	"os"
	"runtime"
	"sync/atomic"
	"syscall"
	"unsafe"
)

// Flag says how an object is opened. Those from Persist to GiveBack describe an
// object that is created, and mean nothing if the name exists.
type Flag uint32

const (
	Create     Flag = _GOSYNC_CREATE     // create it if it is not there
	Excl       Flag = _GOSYNC_EXCL       // with Create: fail if it is there
	ReadOnly   Flag = _GOSYNC_RDONLY     // observe only
	Persist    Flag = _GOSYNC_PERSIST    // it stays until it is unlinked
	OwnPage    Flag = _GOSYNC_OWN_PAGE   // it shares its page with no other object
	NoMmap     Flag = _GOSYNC_NO_MMAP    // it is never mapped: all is system calls
	ErrorCheck Flag = _GOSYNC_ERRORCHECK // only the owner may unlock
	GiveBack   Flag = _GOSYNC_GIVE_BACK  // Semaphore: what the dead had is released
	AwaitName  Flag = _GOSYNC_AWAIT      // wait until somebody has created it

	IoctlOnly  Flag = 1 << 31 // this handle does not map it: all is system calls
	SameHolder Flag = 1 << 30 // FromFD: be the same holder as the sender

	ours = IoctlOnly | SameHolder
)

// eClosed stands for os.ErrClosed where there is an errno.
const eClosed = syscall.Errno(1 << 20)

// object is what the handles of all types have in common. Each type embeds it,
// and has a Close of its own, which first leaves its fast path to the kernel.
type object struct {
	_ noCopy
	*handle
}

// A handle is a descriptor and what is mapped by it.
//
// An operation that uses the descriptor counts in uses. Close adds closed to
// them. Then no operation begins, and who makes the number closed, because
// nobody uses the descriptor any more, closes it. So no operation ever uses a
// number that has become another's.
//
// The mapping stays until the handle is unreachable. An operation without a
// system call has to keep the handle reachable until its last access.
type handle struct {
	fd      int
	uses    atomic.Int32
	inRing  atomic.Int32 // how many waits of it the ring has
	gone    atomic.Bool  // the descriptor is closed
	mapping *mapping     // nil: all is ioctls
	typ     uint32
	flags   uint32 // info.flags
	holder  uint32
	id      uint64
	name    string
}

const closed = -1 << 30

// wide says that a word of the machine has 64 bits.
const wide = unsafe.Sizeof(uintptr(0)) == 8

// spec says what to open.
type spec struct {
	name      string
	typ       uint32
	flag      Flag
	perm      fs.FileMode
	capacity  uint64
	keySize   uint32
	valueSize uint32
}

// open opens or creates what s says, for a handle that nobody has yet.
func (o *object) open(s spec) (*info, error) {
	args := openArgs{
		typ:       s.typ,
		flags:     uint32(s.flag &^ ours),
		name:      stringPointer(s.name),
		nameLen:   nameLength(s.name),
		abi:       _GOSYNC_ABI_VERSION,
		capacity:  s.capacity,
		keySize:   s.keySize,
		valueSize: s.valueSize,
	}
	args.size = uint32(unsafe.Sizeof(args))
	if s.flag&Create != 0 {
		args.mode = uint32(s.perm)
	}
	var fd int
	err := syscall.EINTR
	for err == syscall.EINTR {
		fd, err = retryOpen(func() (int, syscall.Errno) {
			return onDevice(_GOSYNC_IOC_OPEN, unsafe.Pointer(&args))
		})
	}
	if err == 0 {
		var in *info
		if in, err = o.adopt(fd, s.typ, s.flag); err == 0 {
			return in, nil
		}
		syscall.Close(fd)
	}
	return nil, newError("open", s.name, _GOSYNC_IOC_OPEN, err)
}

// openFD makes a handle of a descriptor that somebody has passed on. On success the
// descriptor belongs to the handle, or is closed, as the handle has one of its own.
// Otherwise it stays the caller's.
func (o *object) openFD(fd int, typ uint32, flag Flag) (*info, error) {
	mine := fd
	err := syscall.Errno(0)
	if flag&SameHolder == 0 {
		mine, err = retryOpen(func() (int, syscall.Errno) {
			return ioctl(fd, _GOSYNC_IOC_REOPEN, nil)
		})
	}
	if err == 0 {
		var in *info
		if in, err = o.adopt(mine, typ, flag); err == 0 {
			syscall.CloseOnExec(mine)
			if mine != fd {
				syscall.Close(fd)
			}
			return in, nil
		}
		if mine != fd {
			syscall.Close(mine)
		}
	}
	return nil, newError("open", "", _GOSYNC_IOC_OPEN, err)
}

// adopt makes a handle of fd, which belongs to it on success.
func (o *object) adopt(fd int, typ uint32, flag Flag) (*info, syscall.Errno) {
	in, err := infoOf(fd)
	if err != 0 {
		return nil, err
	}
	// A module that does not know our version writes 0 there.
	if in.abi != _GOSYNC_ABI_VERSION {
		return nil, syscall.EPROTO
	}
	if in.typ != typ {
		return nil, syscall.EPROTOTYPE
	}
	o.handle = &handle{
		fd:     fd,
		typ:    in.typ,
		flags:  in.flags,
		holder: in.holder,
		id:     in.id,
		name:   string(in.name[:in.nameLen]),
	}
	if flag&IoctlOnly == 0 {
		o.mapping = mapState(fd, in)
	}
	runtime.SetFinalizer(o.handle, (*handle).finalize)
	return in, 0
}

// finalize closes a handle that nobody can reach any more: but not while it has
// something, as a program may lock until it ends, and forget the handle.
func (h *handle) finalize() {
	if h.has() {
		runtime.SetFinalizer(h, (*handle).finalize)
		return
	}
	h.close()
	if h.mapping != nil {
		h.mapping.release()
	}
}

// has tells whether the holder has locks, permits, or a Once to run.
func (h *handle) has() bool {
	var p party

	args := partiesArgs{
		cursor:    uint64(h.holder) - 1, // it is listed behind this one
		entries:   pointer{unsafe.Pointer(&p)},
		count:     1,
		entrySize: uint32(unsafe.Sizeof(p)),
	}
	args.size = uint32(unsafe.Sizeof(args))
	n, err := h.ioctlQuick(_GOSYNC_IOC_HOLDERS, unsafe.Pointer(&args))
	return err == 0 && n == 1 && p.holder == h.holder &&
		(p.flags&_GOSYNC_PARTY_OWNS != 0 || p.count != 0)
}

// state returns the mapped state, or nil if there is none, or if it is to be
// written and may not be.
func (o *object) state(in *info, write bool) unsafe.Pointer {
	if o.mapping == nil || write && in.flags&_GOSYNC_RDONLY != 0 {
		return nil
	}
	return o.mapping.at(in.mapOffset)
}

// use begins an operation that uses the descriptor. If ok, h.unuse() ends it.
func (h *handle) use() (ok bool) {
	if h.uses.Add(1) < 0 {
		h.unuse()
		return false
	}
	return true
}

func (h *handle) unuse() {
	if h.uses.Add(-1) == closed {
		h.closeFD()
	}
}

func (h *handle) closeFD() {
	if h.gone.CompareAndSwap(false, true) {
		syscall.Close(h.fd)
	}
}

// close says that no more operations begin. The descriptor is closed when none
// is under way.
//
// Such an operation may wait for what this very holder has. So that is given up
// at once if the descriptor has to stay for a moment.
func (h *handle) close() syscall.Errno {
	if !h.use() {
		return eClosed
	}
	for {
		n := h.uses.Load()
		if n < 0 {
			h.unuse()
			return eClosed
		}
		if h.uses.CompareAndSwap(n, n+closed) {
			if n > 1 {
				ioctlQuick(h.fd, _GOSYNC_IOC_ABANDON, nil)
			}
			h.cancelAll()
			h.unuse()
			return 0
		}
	}
}

// closeObject is the Close of all types.
func (o *object) closeObject() error {
	return newError("close", o.name, 0, o.close())
}

// ioctl makes an ioctl on the object that may sleep.
func (h *handle) ioctl(op uint32, arg unsafe.Pointer) (int, syscall.Errno) {
	if !h.use() {
		return -1, eClosed
	}
	n, err := ioctl(h.fd, op, arg)
	h.unuse()
	return n, err
}

// ioctlQuick makes an ioctl on the object that never sleeps.
func (h *handle) ioctlQuick(op uint32, arg unsafe.Pointer) (int, syscall.Errno) {
	if !h.use() {
		return -1, eClosed
	}
	n, err := ioctlQuick(h.fd, op, arg)
	h.unuse()
	return n, err
}

// error makes an error of err, or nil of 0. The ioctl op was part of what is
// called verb.
func (h *handle) error(verb string, op uint32, err syscall.Errno) error {
	return newError(verb, h.name, op, err)
}

// Name returns the name by which the object was opened, or "" if it is
// anonymous.
func (o *object) Name() string {
	return o.name
}

// IsMapped tells whether the handle works on mapped state. If it does not, each
// operation is a system call.
func (o *object) IsMapped() bool {
	return o.mapping != nil
}

// File returns another descriptor of the same holder, as exec.Cmd.ExtraFiles
// needs it. The caller closes it. The object goes on working, and the holder
// ends when all its descriptors are closed.
func (o *object) File() (*os.File, error) {
	h := o.handle
	if !h.use() {
		return nil, h.error("dup", 0, eClosed)
	}
	defer h.unuse()
	fd, err := retryOpen(func() (int, syscall.Errno) {
		n, _, err := syscall.Syscall(syscall.SYS_FCNTL, uintptr(h.fd),
			syscall.F_DUPFD_CLOEXEC, 0)
		return int(n), err
	})
	if err != 0 {
		return nil, h.error("dup", 0, err)
	}
	// It is not in non-blocking mode, so this keeps it out of the runtime's
	// poller.
	return os.NewFile(uintptr(fd), h.name), nil
}

// Fd returns the descriptor. It is the object's, and valid until Close. Do not
// give it to os.NewFile in non-blocking mode: see Documentation/go.md.
func (o *object) Fd() uintptr {
	if o.uses.Load() < 0 {
		return ^uintptr(0)
	}
	return uintptr(o.fd)
}
