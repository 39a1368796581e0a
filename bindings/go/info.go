// SPDX-License-Identifier: LGPL-2.1-or-later

package gosync

import (
	"bytes"
	"io/fs"
	"syscall"
	"time"
	"unsafe"
)

// Type is what an object is.
type Type uint32

const (
	TypeInt32     Type = _GOSYNC_INT32
	TypeUint32    Type = _GOSYNC_UINT32
	TypeInt64     Type = _GOSYNC_INT64
	TypeUint64    Type = _GOSYNC_UINT64
	TypeUintptr   Type = _GOSYNC_UINTPTR
	TypePointer   Type = _GOSYNC_POINTER
	TypeBool      Type = _GOSYNC_BOOL
	TypeValue     Type = _GOSYNC_VALUE
	TypeMutex     Type = _GOSYNC_MUTEX
	TypeRWMutex   Type = _GOSYNC_RWMUTEX
	TypeWaitGroup Type = _GOSYNC_WAITGROUP
	TypeOnce      Type = _GOSYNC_ONCE
	TypeCond      Type = _GOSYNC_COND
	TypeSemaphore Type = _GOSYNC_SEMAPHORE
	TypeMap       Type = _GOSYNC_MAP
)

var typeNames = [_GOSYNC_TYPE_MAX]string{
	"unknown", "int32", "uint32", "int64", "uint64", "uintptr", "pointer", "bool",
	"value", "mutex", "rwmutex", "waitgroup", "once", "cond", "semaphore", "map",
}

// String returns the name that the command gosync has for the type.
func (t Type) String() string {
	if t < _GOSYNC_TYPE_MAX {
		return typeNames[t]
	}
	return typeNames[0]
}

// Info is what is known of an object.
type Info struct {
	Type      Type
	Name      string // "" if it is anonymous or unlinked
	ID        uint64 // never used twice
	Flags     Flag   // with which it was created, and ReadOnly
	Broken    bool   // Break has taken from this holder what it had
	Mode      fs.FileMode
	UID, GID  uint32
	Holder    uint32 // the number of this handle's holder, 0 in a List
	Holders   uint32 // how many there are
	Waiters   uint32 // how many there are in the kernel
	Owner     uint32 // the holder that has the lock or runs the Once, 0: none
	OwnerPID  uint32 // the process that opened that holder
	Readers   uint32 // RWMutex: how many read locks are held
	Word      uint64 // the mapped word; Value: its version; Map: its entries
	Token     uint64 // Mutex, RWMutex: the fencing token; Value: the type
	Capacity  uint64
	KeySize   uint32
	ValueSize uint32
	Deaths    uint32        // how many owners have died
	Owed      uint32        // Semaphore: permits in use beyond the limit
	Contended uint64        // how often somebody had to wait
	WaitMax   time.Duration // the longest wait that ended in a grant
	Idle      time.Duration // for how long nobody has had it open to operate it
}

func (in *info) export() Info {
	return Info{
		Type:      Type(in.typ),
		Name:      string(in.name[:in.nameLen]),
		ID:        in.id,
		Flags:     Flag(in.flags &^ _GOSYNC_BROKEN),
		Broken:    in.flags&_GOSYNC_BROKEN != 0,
		Mode:      fs.FileMode(in.mode),
		UID:       in.uid,
		GID:       in.gid,
		Holder:    in.holder,
		Holders:   in.holders,
		Waiters:   in.waiters,
		Owner:     in.owner,
		OwnerPID:  in.ownerPid,
		Readers:   in.readers,
		Word:      in.word,
		Token:     in.token,
		Capacity:  in.capacity,
		KeySize:   in.keySize,
		ValueSize: in.valueSize,
		Deaths:    in.deaths,
		Owed:      in.owed,
		Contended: in.contended,
		WaitMax:   time.Duration(in.waitMaxNs),
		Idle:      time.Duration(in.idleNs),
	}
}

// infoOf asks what is known of a descriptor.
func infoOf(fd int) (*info, syscall.Errno) {
	in := &info{abi: _GOSYNC_ABI_VERSION}
	in.size = uint32(unsafe.Sizeof(*in))
	_, err := ioctl(fd, _GOSYNC_IOC_INFO, unsafe.Pointer(in))
	return in, err
}

// info asks what is known of the object.
func (h *handle) info() (*info, syscall.Errno) {
	if !h.use() {
		return nil, eClosed
	}
	defer h.unuse()
	return infoOf(h.fd)
}

// Info returns what is known of the object.
func (o *object) Info() (Info, error) {
	in, err := o.info()
	if err != 0 {
		return Info{}, o.error("info", _GOSYNC_IOC_INFO, err)
	}
	return in.export(), nil
}

// Stat is how the waits for an object went since it was created.
type Stat struct {
	Starvations uint32 // waiters that lost to a newcomer after more than 1 ms
	Contended   uint64 // how often somebody had to wait
	Acquired    uint64 // how many of these waits ended in a grant
	HandedOver  uint64 // how many of those the releaser granted
	GaveUp      uint64 // how many waits ended without a grant
	Wait        time.Duration
	WaitMax     time.Duration
	Deaths      uint64

	// How many of the waits that ended in a grant took less than 1024 ns, less
	// than twice that, and so on.
	Histogram [_GOSYNC_HISTOGRAM]uint64
}

// Stat returns how the waits for the object went.
func (o *object) Stat() (Stat, error) {
	var s stat

	s.size = uint32(unsafe.Sizeof(s))
	_, err := o.ioctl(_GOSYNC_IOC_STAT, unsafe.Pointer(&s))
	return Stat{
		Starvations: s.starvations,
		Contended:   s.contended,
		Acquired:    s.acquired,
		HandedOver:  s.handedOver,
		GaveUp:      s.gaveUp,
		Wait:        time.Duration(s.waitNs),
		WaitMax:     time.Duration(s.waitMaxNs),
		Deaths:      s.deaths,
		Histogram:   s.histogram,
	}, o.error("stat", _GOSYNC_IOC_STAT, err)
}

// Party is a holder or a waiter of an object.
type Party struct {
	Holder   uint32 // the number of the holder
	PID      int    // a waiter's process; the process that opened a holder
	TID      int    // a waiter's thread, 0 if no thread sleeps for it
	Comm     string // the name of the thread or process
	Owns     bool   // a holder that has the lock or runs the Once
	Broken   bool   // a holder from which Break has taken what it had
	Position uint32 // a waiter's place in its queue, from 1 on
	Reads    bool   // a waiter that wants to read
	Count    uint32 // read locks or permits that it has, or permits that it wants
	Time     time.Duration
}

func (o *object) parties(op uint32, all bool) ([]Party, syscall.Errno) {
	var list []Party

	entries := make([]party, _GOSYNC_WAITERS_LISTED)
	args := partiesArgs{
		entries:   pointer{unsafe.Pointer(&entries[0])},
		count:     uint32(len(entries)),
		entrySize: uint32(unsafe.Sizeof(entries[0])),
	}
	args.size = uint32(unsafe.Sizeof(args))
	for {
		n, err := o.ioctl(op, unsafe.Pointer(&args))
		if err != 0 || n == 0 {
			return list, err
		}
		for _, p := range entries[:n] {
			comm := p.comm[:]
			if end := bytes.IndexByte(comm, 0); end >= 0 {
				comm = comm[:end]
			}
			list = append(list, Party{
				Holder:   p.holder,
				PID:      int(p.pid),
				TID:      int(p.tid),
				Comm:     string(comm),
				Owns:     p.flags&_GOSYNC_PARTY_OWNS != 0,
				Broken:   p.flags&_GOSYNC_PARTY_BROKEN != 0,
				Position: p.position,
				Reads:    p.wants == _GOSYNC_WANTS_TO_READ,
				Count:    p.count,
				Time:     time.Duration(p.ns),
			})
		}
		if !all {
			return list, 0
		}
	}
}

// Waiters returns the waiters of one moment, in the order in which they will be
// served, at most 1024.
func (o *object) Waiters() ([]Party, error) {
	list, err := o.parties(_GOSYNC_IOC_WAITERS, false)
	return list, o.error("waiters", _GOSYNC_IOC_WAITERS, err)
}

// Holders returns the holders by their numbers.
func (o *object) Holders() ([]Party, error) {
	list, err := o.parties(_GOSYNC_IOC_HOLDERS, true)
	return list, o.error("holders", _GOSYNC_IOC_HOLDERS, err)
}

// Break takes away what a holder has, although it lives. It is for one that
// hangs. All that the holder does afterwards fails with ESTALE, unless it only
// observes, until it opens the object anew.
func (o *object) Break(holder uint32) error {
	args := breakArgs{holder: holder}
	args.size = uint32(unsafe.Sizeof(args))
	_, err := o.ioctl(_GOSYNC_IOC_BREAK, unsafe.Pointer(&args))
	return o.error("break", _GOSYNC_IOC_BREAK, err)
}
