// SPDX-License-Identifier: LGPL-2.1-or-later

package gosync

import (
	"context"
	"io/fs"
	"runtime"
	"sync"
	"syscall"
	"time"
	"unsafe"
)

// ioctl makes a system call that may sleep. The scheduler gives the thread's
// processor to others meanwhile.
func ioctl(fd int, op uint32, arg unsafe.Pointer) (int, syscall.Errno) {
	r, _, err := syscall.Syscall(syscall.SYS_IOCTL, uintptr(fd), uintptr(op), uintptr(arg))
	return int(r), err
}

// ioctlQuick makes a system call that never sleeps, and does not tell the
// scheduler, which is cheaper.
func ioctlQuick(fd int, op uint32, arg unsafe.Pointer) (int, syscall.Errno) {
	r, _, err := syscall.RawSyscall(syscall.SYS_IOCTL, uintptr(fd), uintptr(op), uintptr(arg))
	return int(r), err
}

// device is the process's descriptor of /dev/gosync.
var device struct {
	sync.Mutex
	fd   int
	open bool
}

// deviceFD opens the device when it is first needed.
func deviceFD() (int, syscall.Errno) {
	device.Lock()
	defer device.Unlock()
	if device.open {
		return device.fd, 0
	}
	fd, err := retryOpen(func() (int, syscall.Errno) {
		return openDevice()
	})
	if err == 0 {
		device.fd, device.open = fd, true
	}
	return fd, err
}

// openDevice opens the device. The error is ENXIO if there is none.
func openDevice() (int, syscall.Errno) {
	for {
		fd, err := syscall.Open(_GOSYNC_DEVICE, syscall.O_RDWR|syscall.O_CLOEXEC, 0)
		switch err {
		case nil:
			if _, err := ioctlQuick(fd, _GOSYNC_IOC_VERSION, nil); err == 0 {
				return fd, 0
			}
			// Something else has its name.
			syscall.Close(fd)
			return -1, syscall.ENXIO
		case syscall.EINTR:
		case syscall.ENOENT, syscall.ENODEV:
			return -1, syscall.ENXIO
		default:
			return -1, err.(syscall.Errno)
		}
	}
}

// retryOpen calls open. If there are too many descriptors or objects, some may
// belong to handles that nobody has any more. Their finalizers close them.
func retryOpen(open func() (int, syscall.Errno)) (int, syscall.Errno) {
	fd, err := open()
	if err == syscall.EMFILE || err == syscall.ENFILE || err == syscall.EDQUOT {
		collect()
		fd, err = open()
	}
	return fd, err
}

// collect returns when the finalizers of all that is unreachable have run.
// Finalizers run batch by batch. When one of the second collection has run, so
// have those that the first collection found.
func collect() {
	for i := 0; i < 2; i++ {
		done := make(chan struct{})
		runtime.SetFinalizer(new([64]byte), func(*[64]byte) { close(done) })
		runtime.GC()
		select {
		case <-done:
		case <-time.After(time.Second):
		}
	}
}

// stringPointer returns the address of the bytes of s.
func stringPointer(s string) pointer {
	if s == "" {
		return pointer{}
	}
	b := []byte(s)
	return pointer{unsafe.Pointer(&b[0])}
}

// onDevice makes an ioctl on the device.
func onDevice(op uint32, arg unsafe.Pointer) (int, syscall.Errno) {
	fd, err := deviceFD()
	if err != 0 {
		return -1, err
	}
	return ioctl(fd, op, arg)
}

// nameLength is the length of a name for the kernel, which refuses a longer one
// than it can have.
func nameLength(name string) uint32 {
	if len(name) > _GOSYNC_NAME_MAX {
		return _GOSYNC_NAME_MAX + 1
	}
	return uint32(len(name))
}

func unlink(name string, flags uint32) error {
	args := unlinkArgs{
		flags:   flags,
		name:    stringPointer(name),
		nameLen: nameLength(name),
	}
	args.size = uint32(unsafe.Sizeof(args))
	_, err := onDevice(_GOSYNC_IOC_UNLINK, unsafe.Pointer(&args))
	return newError("unlink", name, _GOSYNC_IOC_UNLINK, err)
}

// Unlink removes a name. Those that have the object open go on with it, and it
// goes away with the last of them.
func Unlink(name string) error {
	return unlink(name, 0)
}

// UnlinkUnused removes a name, unless somebody has the object open. Then the
// error is EBUSY.
func UnlinkUnused(name string) error {
	return unlink(name, _GOSYNC_IF_UNUSED)
}

func change(op, name string, args changeArgs) error {
	args.size = uint32(unsafe.Sizeof(args))
	args.name = stringPointer(name)
	args.nameLen = nameLength(name)
	_, err := onDevice(_GOSYNC_IOC_CHANGE, unsafe.Pointer(&args))
	return newError(op, name, _GOSYNC_IOC_CHANGE, err)
}

// Chmod changes the permission bits of an object, for those that open it later.
func Chmod(name string, perm fs.FileMode) error {
	return change("chmod", name, changeArgs{
		flags: _GOSYNC_CHANGE_MODE,
		mode:  uint32(perm),
	})
}

// Chown changes the owner and the group of an object. A number of -1 means that
// this one stays.
func Chown(name string, uid, gid int) error {
	var args changeArgs

	if uid != -1 {
		args.flags |= _GOSYNC_CHANGE_OWNER
		args.uid = uint32(uid)
	}
	if gid != -1 {
		args.flags |= _GOSYNC_CHANGE_GROUP
		args.gid = uint32(gid)
	}
	return change("chown", name, args)
}

// List returns what is known of each object with a name that the caller may
// read, in the order of their creation.
func List() ([]Info, error) {
	var all []Info

	entries := make([]info, 64)
	args := listArgs{
		entries:   pointer{unsafe.Pointer(&entries[0])},
		count:     uint32(len(entries)),
		entrySize: uint32(unsafe.Sizeof(entries[0])),
	}
	args.size = uint32(unsafe.Sizeof(args))
	for {
		n, err := onDevice(_GOSYNC_IOC_LIST, unsafe.Pointer(&args))
		if err == syscall.EINTR {
			continue
		}
		if err != 0 {
			return all, newError("list", "", _GOSYNC_IOC_LIST, err)
		}
		if n == 0 {
			return all, nil
		}
		for i := range entries[:n] {
			all = append(all, entries[i].export())
		}
	}
}

// A wait for a name looks at its context this often.
const awaitSlice = 50 * time.Millisecond

// Await waits until somebody has created the name. It returns a descriptor of
// the object, for MutexFromFD and its like. The flags are 0 or ReadOnly.
func Await(ctx context.Context, name string, flag Flag) (int, error) {
	args := openArgs{
		flags:   uint32(flag) | _GOSYNC_AWAIT,
		name:    stringPointer(name),
		nameLen: nameLength(name),
		abi:     _GOSYNC_ABI_VERSION,
	}
	args.size = uint32(unsafe.Sizeof(args))
	for {
		if err := ctx.Err(); err != nil {
			return -1, err
		}
		if ctx.Done() != nil {
			args.deadline = deadlineAfter(awaitSlice)
		}
		fd, err := retryOpen(func() (int, syscall.Errno) {
			return onDevice(_GOSYNC_IOC_OPEN, unsafe.Pointer(&args))
		})
		if err != syscall.ETIMEDOUT && err != syscall.EINTR {
			return fd, newError("await", name, _GOSYNC_IOC_OPEN, err)
		}
	}
}

// deadlineAfter returns a time from now, as the kernel wants it.
func deadlineAfter(d time.Duration) uint64 {
	var now syscall.Timespec

	const clockMonotonic = 1
	syscall.RawSyscall(syscall.SYS_CLOCK_GETTIME, clockMonotonic,
		uintptr(unsafe.Pointer(&now)), 0)
	return uint64(now.Nano() + int64(d))
}
