// SPDX-License-Identifier: LGPL-2.1-or-later

package gosync

import (
	"context"
	"runtime"
	"sync/atomic"
	"syscall"
	"unsafe"
)

// A wait in the kernel by an ioctl takes a thread, and until the runtime notices it
// takes one of the runtime's processors, too. But it is the fastest way: who is woken
// competes for the lock, and is the thread that wanted it. So the first that wait do
// that, unless there is but one processor, which other goroutines may need. All others
// wait by commands of io_uring, for which one thread is enough: see ring.go. Either
// way a waiter has its place in the object's queue and is served in its turn.

// waiting says what to wait for.
type waiting struct {
	op    uint32 // the ioctl
	flags uint32
	index uint32 // atomics: which word
	value uint64 // permits; what a word or a version is no longer to be
}

// lastDeadline never comes. Without a deadline the kernel refuses to wait for a Once
// that the same thread does. But the goroutine that does it may move to another.
const lastDeadline = 1 << 62

// eContext says that the context of a wait has ended.
const eContext = syscall.Errno(1<<20 + 1)

// waits is the number of goroutines that wait.
var waits atomic.Int32

// More do not wait by an ioctl at a time, where there is io_uring.
const threadsMax = 8

// mayBlock tells whether one of n goroutines that wait may take a thread.
var mayBlock = func(n int) bool {
	return n <= threadsMax && (runtime.GOMAXPROCS(0) > 1 || runtime.NumGoroutine() == 1)
}

// wait makes the operation w, and waits for it as long as ctx lasts. A context of
// nil lasts for ever. The caller has looked whether ctx has ended already.
//
// It returns what the ioctl returns, or eContext or eClosed.
func (h *handle) wait(ctx context.Context, w waiting) (n int, err syscall.Errno) {
	var done <-chan struct{}

	if ctx != nil {
		done = ctx.Done()
	}
	defer waits.Add(-1)
	if !mayBlock(int(waits.Add(1))) {
		// Without mapped state it may be free.
		if n, err = h.try(w); err != syscall.EBUSY {
			return n, err
		}
		if n, err = h.waitRing(done, w); err != eNoRing {
			return n, err
		}
	}
	if !h.use() {
		return -1, eClosed
	}
	defer h.unuse()
	switch {
	case done == nil:
		err = syscall.EINTR
		for err == syscall.EINTR {
			n, err = h.waitIoctl(w)
		}
	case w.op == _GOSYNC_IOC_ONCE_BEGIN:
		n, err = h.waitBegin(done)
	default:
		n, err = h.waitAny(done, w)
	}
	if err == 0 && h.uses.Load() < 0 {
		h.giveBack(w)
		return -1, eClosed
	}
	return n, err
}

// try makes the operation if that needs no wait. Otherwise the error is EBUSY.
func (h *handle) try(w waiting) (int, syscall.Errno) {
	switch w.op {
	case _GOSYNC_IOC_MUTEX_LOCK:
		return h.ioctlQuick(_GOSYNC_IOC_MUTEX_TRYLOCK, nil)
	case _GOSYNC_IOC_RWMUTEX_LOCK:
		return h.ioctlQuick(_GOSYNC_IOC_RWMUTEX_TRYLOCK, nil)
	case _GOSYNC_IOC_RWMUTEX_RLOCK:
		return h.ioctlQuick(_GOSYNC_IOC_RWMUTEX_TRYRLOCK, nil)
	case _GOSYNC_IOC_SEMAPHORE_ACQUIRE:
		args := semaphoreArgs{count: uint32(w.value)}
		args.size = uint32(unsafe.Sizeof(args))
		return h.ioctlQuick(_GOSYNC_IOC_SEMAPHORE_TRYACQUIRE, unsafe.Pointer(&args))
	}
	return -1, syscall.EBUSY
}

// giveBack gives back what was granted to a handle that was closed meanwhile. Others
// may wait for it by the same handle.
func (h *handle) giveBack(w waiting) {
	if w.op == _GOSYNC_IOC_SEMAPHORE_ACQUIRE {
		args := semaphoreArgs{count: uint32(w.value)}
		args.size = uint32(unsafe.Sizeof(args))
		ioctlQuick(h.fd, _GOSYNC_IOC_SEMAPHORE_RELEASE, unsafe.Pointer(&args))
		return
	}
	ioctlQuick(h.fd, _GOSYNC_IOC_ABANDON, nil)
}

// waitIoctl waits by the operation's own ioctl. The caller uses the descriptor.
func (h *handle) waitIoctl(w waiting) (int, syscall.Errno) {
	switch w.op {
	case _GOSYNC_IOC_SEMAPHORE_ACQUIRE:
		args := semaphoreArgs{count: uint32(w.value)}
		args.size = uint32(unsafe.Sizeof(args))
		return ioctl(h.fd, w.op, unsafe.Pointer(&args))
	case _GOSYNC_IOC_ATOMIC_WAIT:
		args := atomicWaitArgs{index: w.index, expected: w.value}
		args.size = uint32(unsafe.Sizeof(args))
		return ioctl(h.fd, w.op, unsafe.Pointer(&args))
	case _GOSYNC_IOC_VALUE_WAIT, _GOSYNC_IOC_MAP_WAIT:
		args := versionWaitArgs{version: w.value}
		args.size = uint32(unsafe.Sizeof(args))
		return ioctl(h.fd, w.op, unsafe.Pointer(&args))
	case _GOSYNC_IOC_ONCE_BEGIN, _GOSYNC_IOC_ONCE_WAIT:
		args := waitArgs{deadline: lastDeadline}
		args.size = uint32(unsafe.Sizeof(args))
		return ioctl(h.fd, w.op, unsafe.Pointer(&args))
	case _GOSYNC_IOC_WAITGROUP_WAIT:
		// After a signal it returns if the counter has become 0 since.
		var args waitgroupWaitArgs
		args.size = uint32(unsafe.Sizeof(args))
		for {
			n, err := ioctl(h.fd, w.op, unsafe.Pointer(&args))
			if err != syscall.EINTR {
				return n, err
			}
		}
	}
	return ioctl(h.fd, w.op, nil)
}

// waitAny waits for the operation or for done: for the object and an eventfd, by
// one system call, whichever comes first. The caller uses the descriptor.
func (h *handle) waitAny(done <-chan struct{}, w waiting) (int, syscall.Errno) {
	device, err := deviceFD()
	if err != 0 {
		return -1, err
	}
	c, err := newCanceler(done)
	if err != 0 {
		return -1, err
	}
	defer c.close()

	const pollIn = 1
	entries := [2]waitEntry{
		{fd: int32(h.fd), op: w.op, index: w.index, value: w.value},
		{fd: int32(c.fd), index: pollIn},
	}
	args := waitManyArgs{
		entries:   pointer{unsafe.Pointer(&entries)},
		count:     uint32(len(entries)),
		entrySize: uint32(unsafe.Sizeof(entries[0])),
	}
	args.size = uint32(unsafe.Sizeof(args))
	if w.op == _GOSYNC_IOC_ONCE_WAIT {
		args.deadline = lastDeadline
	}
	for {
		n, err := ioctl(device, _GOSYNC_IOC_WAIT, unsafe.Pointer(&args))
		switch {
		case err == syscall.EINTR:
		case err != 0:
			return -1, err
		case n == 0:
			return int(entries[0].result), 0
		default:
			return -1, eContext
		}
	}
}

// waitBegin begins a Once, or waits for that or for done.
func (h *handle) waitBegin(done <-chan struct{}) (int, syscall.Errno) {
	c, err := newCanceler(done)
	if err != 0 {
		return -1, err
	}
	defer c.close()
	args := onceBeginArgs{
		flags:    _GOSYNC_CANCELABLE,
		deadline: lastDeadline,
		cancel:   int32(c.fd),
	}
	args.size = uint32(unsafe.Sizeof(args))
	for {
		n, err := ioctl(h.fd, _GOSYNC_IOC_ONCE_BEGIN, unsafe.Pointer(&args))
		switch err {
		case syscall.EINTR:
		case syscall.ECANCELED:
			return -1, eContext
		default:
			return n, err
		}
	}
}

// A canceler is an eventfd that is readable when a context has ended.
type canceler struct {
	fd   int
	stop chan struct{}
	end  chan struct{}
}

func newCanceler(done <-chan struct{}) (*canceler, syscall.Errno) {
	fd, err := retryOpen(func() (int, syscall.Errno) { return eventFD(0) })
	if err != 0 {
		return nil, err
	}
	c := &canceler{fd, make(chan struct{}), make(chan struct{})}
	go func() {
		defer close(c.end)
		select {
		case <-done:
			ringBell(c.fd)
		case <-c.stop:
		}
	}()
	return c, 0
}

func (c *canceler) close() {
	close(c.stop)
	<-c.end
	syscall.Close(c.fd)
}

func eventFD(flags int) (int, syscall.Errno) {
	fd, _, err := syscall.RawSyscall(syscall.SYS_EVENTFD2, 0,
		uintptr(syscall.O_CLOEXEC|flags), 0)
	return int(fd), err
}

// ringBell makes an eventfd readable.
func ringBell(fd int) {
	one := uint64(1)
	syscall.RawSyscall(syscall.SYS_WRITE, uintptr(fd), uintptr(unsafe.Pointer(&one)),
		unsafe.Sizeof(one))
}
