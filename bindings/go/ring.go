// SPDX-License-Identifier: LGPL-2.1-or-later

package gosync

import (
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"unsafe"
)

// The ring is an io_uring, in which any number of goroutines wait. One thread
// submits their commands and passes on what the kernel has completed. It is not left
// to the threads of the goroutines: the kernel completes a command in the thread that
// has submitted it, and that might be asleep in something else.
//
// The thread sleeps until somebody rings the bell, an eventfd: the kernel, when it
// has completed a command; or a goroutine that has put a request into the queue. It
// sleeps in the runtime's poller, and so takes no processor from the goroutines. (No
// object is in that poller: it would make each unlock a system call.)

// A request is a command of io_uring, or what is asked of the ring's thread.
type request struct {
	h      *handle
	w      waiting
	result chan int32 // nil: nobody wants to know
	id     uint64     // the command's user_data; written by the ring's thread
	cancel *request   // cancel this one
}

// eNoRing says that there is no ring.
const eNoRing = syscall.Errno(1<<20 + 2)

var ring struct {
	once   sync.Once
	absent atomic.Bool

	sync.Mutex
	queue  []*request
	awake  bool     // the thread is going to look at queue
	bell   *os.File // an eventfd
	bellFD int
}

// submit hands r to the ring's thread. The caller uses r's descriptor; the ring's
// thread ends that when the kernel has the command.
func submit(r *request) {
	ring.Lock()
	ring.queue = append(ring.queue, r)
	sleeps := !ring.awake
	ring.awake = true
	ring.Unlock()
	if sleeps {
		ringBell(ring.bellFD)
	}
}

// waitRing waits by a command of io_uring, or returns eNoRing.
func (h *handle) waitRing(done <-chan struct{}, w waiting) (int, syscall.Errno) {
	ring.once.Do(startRing)
	if ring.absent.Load() {
		return -1, eNoRing
	}
	// The command ends when the object is closed: it needs no descriptor any
	// more once the kernel has it.
	for {
		if !h.use() {
			return -1, eClosed
		}
		r := &request{h: h, w: w, result: make(chan int32, 1)}
		h.inRing.Add(1)
		submit(r)
		n, canceled := r.wait(done)
		h.inRing.Add(-1)
		switch err := syscall.Errno(-n); {
		case n >= 0:
			return int(n), 0
		case err == syscall.EOPNOTSUPP:
			ring.absent.Store(true)
			return -1, eNoRing
		case err == syscall.ECANCELED && h.uses.Load() < 0:
			return -1, eClosed
		case err == syscall.ECANCELED && canceled:
			return -1, eContext
		case w.op == _GOSYNC_IOC_COND_WAIT:
			// It cannot begin again without the lock.
			if err == syscall.ECANCELED || err == syscall.EINTR {
				return -1, eUnlocked
			}
			return -1, err
		case err == syscall.ECANCELED || err == syscall.EINTR:
			// Another handle of this holder was closed, or the command was
			// just being tried. Begin again.
		default:
			return -1, err
		}
	}
}

// wait returns the result of a request, which it cancels when done is closed.
// A grant that happens nevertheless wins.
func (r *request) wait(done <-chan struct{}) (n int32, canceled bool) {
	select {
	case n = <-r.result:
		return n, false
	case <-done:
	}
	if r.h.use() {
		submit(&request{h: r.h, cancel: r})
	}
	return <-r.result, true
}

// cancelAll ends the waits of the object by the ring: they would go on if somebody
// else had its descriptor, too. The caller uses it.
func (h *handle) cancelAll() {
	if h.inRing.Load() > 0 {
		h.uses.Add(1)
		submit(&request{h: h})
	}
}

// Of linux/io_uring.h
const (
	sysIOUringSetup    = 425
	sysIOUringEnter    = 426
	sysIOUringRegister = 427

	ringCQSize       = 1 << 3  // IORING_SETUP_CQSIZE
	ringClamp        = 1 << 4  // IORING_SETUP_CLAMP
	ringSingleIssuer = 1 << 12 // IORING_SETUP_SINGLE_ISSUER
	ringDeferTaskrun = 1 << 13 // IORING_SETUP_DEFER_TASKRUN
	ringOneMapping   = 1 << 0  // IORING_FEAT_SINGLE_MMAP
	ringGetEvents    = 1 << 0  // IORING_ENTER_GETEVENTS
	ringRegisterBell = 4       // IORING_REGISTER_EVENTFD
	ringOpCommand    = 46      // IORING_OP_URING_CMD
	ringOffSQEs      = 0x10000000

	ringEntries     = 256
	ringCompletions = 4096
)

type ringOffsets struct {
	head, tail, mask, entries, flags, dropped, array, resv uint32
	userAddr                                               uint64
}

type completionOffsets struct {
	head, tail, mask, entries, overflow, cqes, flags, resv uint32
	userAddr                                               uint64
}

type ringParams struct {
	sqEntries, cqEntries, flags, cpu, idle, features, wqFD uint32
	resv                                                   [3]uint32
	sq                                                     ringOffsets
	cq                                                     completionOffsets
}

// A submission is a struct io_uring_sqe.
type submission struct {
	opcode, flags uint8
	ioprio        uint16
	fd            int32
	op            uint64 // of a command the low half
	addr          uint64
	len           uint32
	opFlags       uint32
	userData      uint64
	rest          uint64
	command       uring
}

// The compiler says so if its size is another.
var _ [64]byte = [unsafe.Sizeof(submission{})]byte{}

// A completion is a struct io_uring_cqe.
type completion struct {
	userData uint64
	result   int32
	flags    uint32
}

// A ringThread is what the ring's thread works with.
type ringThread struct {
	fd          int
	sqHead      *uint32
	sqTail      *uint32
	cqHead      *uint32
	cqTail      *uint32
	submissions []submission
	completions []completion
	unsubmitted []*request          // in submissions, in this order
	underWay    map[uint64]*request // by user_data
	last        uint64              // the last user_data
}

// startRing starts the thread, which makes the ring: only the thread that has made
// it may submit.
func startRing() {
	ready := make(chan bool)
	go func() {
		runtime.LockOSThread()
		t := &ringThread{underWay: make(map[uint64]*request)}
		if !t.setUp() {
			runtime.UnlockOSThread()
			ready <- false
			return
		}
		ready <- true
		rung := make([]byte, 8)
		for {
			for t.turn() {
			}
			if _, err := ring.bell.Read(rung); err != nil {
				panic(err)
			}
		}
	}()
	if !<-ready {
		ring.absent.Store(true)
	}
}

// setUp makes the ring, and tells whether that was possible.
func (t *ringThread) setUp() bool {
	p := ringParams{
		flags:     ringCQSize | ringClamp | ringSingleIssuer | ringDeferTaskrun,
		cqEntries: ringCompletions,
	}
	fd, err := retryOpen(func() (int, syscall.Errno) {
		fd, _, err := syscall.Syscall(sysIOUringSetup, ringEntries,
			uintptr(unsafe.Pointer(&p)), 0)
		return int(fd), err
	})
	if err != 0 {
		return false
	}
	t.fd = fd
	size := p.cq.cqes + p.cqEntries*uint32(unsafe.Sizeof(completion{}))
	if end := p.sq.array + p.sqEntries*4; size < end {
		size = end
	}
	memory, failed := syscall.Mmap(fd, 0, int(size),
		syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED|syscall.MAP_POPULATE)
	if failed == nil && p.features&ringOneMapping != 0 {
		var sqes []byte
		sqes, failed = syscall.Mmap(fd, ringOffSQEs,
			int(p.sqEntries)*int(unsafe.Sizeof(submission{})),
			syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED|syscall.MAP_POPULATE)
		if failed == nil {
			t.submissions = unsafe.Slice((*submission)(unsafe.Pointer(&sqes[0])), p.sqEntries)
			err = t.hangBell()
		}
	}
	if t.submissions == nil || err != 0 {
		syscall.Close(fd)
		return false
	}
	at := func(offset uint32) *uint32 { return (*uint32)(unsafe.Pointer(&memory[offset])) }
	t.sqHead, t.sqTail = at(p.sq.head), at(p.sq.tail)
	t.cqHead, t.cqTail = at(p.cq.head), at(p.cq.tail)
	t.completions = unsafe.Slice((*completion)(unsafe.Pointer(&memory[p.cq.cqes])), p.cqEntries)
	for i := uint32(0); i < p.sqEntries; i++ {
		*at(p.sq.array + 4*i) = i
	}
	return true
}

// hangBell makes the bell, which the kernel rings, too.
func (t *ringThread) hangBell() syscall.Errno {
	bell, err := retryOpen(func() (int, syscall.Errno) {
		return eventFD(syscall.O_NONBLOCK)
	})
	if err != 0 {
		return err
	}
	fd := int32(bell)
	_, _, err = syscall.Syscall6(sysIOUringRegister, uintptr(t.fd), ringRegisterBell,
		uintptr(unsafe.Pointer(&fd)), 1, 0, 0)
	if err != 0 {
		syscall.Close(bell)
		return err
	}
	ring.bell, ring.bellFD = os.NewFile(uintptr(bell), "bell"), bell
	return 0
}

// turn submits what there is to submit, and passes on what has been completed. It
// tells whether there may be more to do.
func (t *ringThread) turn() (again bool) {
	ring.Lock()
	n := len(ring.queue)
	if room := len(t.submissions) - len(t.unsubmitted); n > room {
		n = room
	}
	now := ring.queue[:n:n]
	ring.queue = ring.queue[n:]
	again = len(ring.queue) > 0
	if !again {
		ring.queue = nil
	}
	ring.Unlock()

	for _, r := range now {
		t.putRequest(r)
	}
	t.enter()
	if t.reap() || again || len(t.unsubmitted) > 0 {
		return true
	}
	// From now on, who puts something there rings the bell.
	ring.Lock()
	defer ring.Unlock()
	ring.awake = len(ring.queue) > 0
	return ring.awake
}

// putRequest makes a submission of a request.
func (t *ringThread) putRequest(r *request) {
	t.last++
	r.id = t.last
	s := submission{
		opcode:   ringOpCommand,
		fd:       int32(r.h.fd),
		op:       uint64(r.w.op),
		addr:     r.w.value,
		userData: r.id,
		command:  uring{flags: r.w.flags, index: r.w.index},
	}
	switch {
	case r.result != nil:
		t.underWay[r.id] = r
	case r.cancel != nil:
		s.op, s.addr = _GOSYNC_IOC_CANCEL, r.cancel.id
	default:
		s.op, s.command.flags = _GOSYNC_IOC_CANCEL, _GOSYNC_CANCEL_ALL
	}
	t.put(r, s)
}

func (t *ringThread) put(r *request, s submission) {
	tail := *t.sqTail
	t.submissions[int(tail)%len(t.submissions)] = s
	atomic.StoreUint32(t.sqTail, tail+1)
	t.unsubmitted = append(t.unsubmitted, r)
}

// enter gives the kernel the submissions, and lets it complete what it can. It does
// not wait.
func (t *ringThread) enter() {
	n, _, err := syscall.RawSyscall6(sysIOUringEnter, uintptr(t.fd),
		uintptr(len(t.unsubmitted)), 0, ringGetEvents, 0, 0)
	if err != 0 {
		// EINTR, or EAGAIN and EBUSY, for lack of memory: the next turn tries
		// again.
		return
	}
	// The kernel has its own reference to each descriptor now.
	for _, r := range t.unsubmitted[:n] {
		r.h.unuse()
	}
	t.unsubmitted = append(t.unsubmitted[:0], t.unsubmitted[n:]...)
}

// reap passes completions on, and tells whether there were any.
func (t *ringThread) reap() bool {
	head, tail := *t.cqHead, atomic.LoadUint32(t.cqTail)
	some := head != tail
	for ; head != tail; head++ {
		c := t.completions[int(head)%len(t.completions)]
		if r := t.underWay[c.userData]; r != nil {
			delete(t.underWay, c.userData)
			r.result <- c.result
		}
	}
	atomic.StoreUint32(t.cqHead, head)
	return some
}
