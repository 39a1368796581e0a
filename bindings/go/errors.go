// SPDX-License-Identifier: LGPL-2.1-or-later

package gosync

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// ErrOwnerDied says that an owner has died with the lock, and that nobody has
// called Recover since. The lock is held: put right what it protects, call
// Recover, then unlock.
var ErrOwnerDied = errors.New("an owner died with the lock")

// Error is what a refused operation returns. Errors.Is() finds the errno that it
// wraps, os.ErrNotExist and its like, and os.ErrClosed.
type Error struct {
	Op   string // as in "open"
	Name string // the object's, "" if it is anonymous
	Err  error  // a syscall.Errno, os.ErrClosed or ErrOwnerDied

	text string
}

func (e *Error) Error() string {
	text := e.text
	if text == "" {
		text = e.Err.Error()
	}
	if e.Name == "" {
		return "gosync: " + e.Op + ": " + text
	}
	return "gosync: " + e.Op + " " + e.Name + ": " + text
}

// Unwrap returns what the error wraps.
func (e *Error) Unwrap() error {
	return e.Err
}

// newError makes an error of an errno that the ioctl op returned, or nil of 0.
func newError(verb, name string, op uint32, err syscall.Errno) error {
	switch err {
	case 0:
		return nil
	case eClosed:
		return &Error{Op: verb, Name: name, Err: os.ErrClosed}
	}
	return &Error{Op: verb, Name: name, Err: err, text: text(op, err)}
}

// sentence is what Go says of a misuse.
func sentence(op uint32, err syscall.Errno) string {
	switch {
	case op == _GOSYNC_IOC_MUTEX_UNLOCK && err == syscall.EPERM:
		return "sync: unlock of unlocked mutex"
	case op == _GOSYNC_IOC_RWMUTEX_UNLOCK && err == syscall.EPERM:
		return "sync: Unlock of unlocked RWMutex"
	case op == _GOSYNC_IOC_RWMUTEX_RUNLOCK && err == syscall.EPERM:
		return "sync: RUnlock of unlocked RWMutex"
	case op == _GOSYNC_IOC_WAITGROUP_ADD && err == syscall.ERANGE:
		return "sync: negative WaitGroup counter"
	case op == _GOSYNC_IOC_WAITGROUP_ADD && err == syscall.EBUSY:
		return "sync: WaitGroup misuse: Add called concurrently with Wait"
	case op == _GOSYNC_IOC_SEMAPHORE_RELEASE && err == syscall.ERANGE:
		return "semaphore: released more than held"
	case op == _GOSYNC_IOC_SEMAPHORE_RELEASE && err == syscall.EPERM:
		return "semaphore: released more than held"
	case op == _GOSYNC_IOC_VALUE_STORE && err == syscall.EINVAL:
		return "sync/atomic: store of nil value into Value"
	case op == _GOSYNC_IOC_VALUE_STORE && err == syscall.EPROTOTYPE:
		return "sync/atomic: store of inconsistently typed value into Value"
	case op == _GOSYNC_IOC_VALUE_SWAP && err == syscall.EINVAL:
		return "sync/atomic: swap of nil value into Value"
	case op == _GOSYNC_IOC_VALUE_SWAP && err == syscall.EPROTOTYPE:
		return "sync/atomic: swap of inconsistently typed value into Value"
	case op == _GOSYNC_IOC_VALUE_CAS && err == syscall.EINVAL:
		return "sync/atomic: compare and swap of nil value into Value"
	case op == _GOSYNC_IOC_VALUE_CAS && err == syscall.EPROTOTYPE:
		return "sync/atomic: compare and swap of inconsistently typed values"
	}
	return ""
}

// misuse panics because op failed with err: with Go's own text if Go has one.
func (h *handle) misuse(verb string, op uint32, err syscall.Errno) {
	if s := sentence(op, err); s != "" {
		panic(s)
	}
	panic(h.error(verb, op, err))
}

// text says what err means, where it has a meaning of its own; otherwise "".
func text(op uint32, err syscall.Errno) string {
	// These two are the device's, if no object was there yet.
	early := op == _GOSYNC_IOC_OPEN || op == _GOSYNC_IOC_UNLINK ||
		op == _GOSYNC_IOC_CHANGE || op == _GOSYNC_IOC_LIST
	if err == syscall.ENXIO ||
		early && (err == syscall.EPERM || err == syscall.EACCES) {
		if s := whyNoDevice(); s != "" {
			return s
		}
	}
	switch {
	case err == syscall.ESTALE:
		return "what this holder had was taken from it (broken)"
	case err == syscall.ESRCH && op == _GOSYNC_IOC_BREAK:
		return "no such holder, or it holds nothing"
	case err == syscall.EPROTO:
		return whichIsOlder()
	}
	return sentence(op, err)
}

// whichIsOlder says which of this package and the module is older.
func whichIsOlder() string {
	module := 0
	if fd, err := deviceFD(); err == 0 {
		module, _ = ioctlQuick(fd, _GOSYNC_IOC_VERSION, nil)
	}
	switch {
	case module > _GOSYNC_ABI_VERSION:
		return "the program is older than the gosync module: " +
			"compile it anew with a newer package gosync"
	case module > 0 && module < _GOSYNC_ABI_VERSION:
		return "the gosync module is older than the program"
	}
	return fmt.Sprintf("program (version %d) and gosync module are of different versions",
		_GOSYNC_ABI_VERSION)
}

// whyNoDevice says why there is no device for the caller, and what to do; "" if
// there is one.
func whyNoDevice() string {
	fd, err := syscall.Open(_GOSYNC_DEVICE, syscall.O_RDWR|syscall.O_CLOEXEC, 0)
	switch err {
	case nil:
		_, failed := ioctlQuick(fd, _GOSYNC_IOC_VERSION, nil)
		syscall.Close(fd)
		if failed != 0 {
			return "another file has the name /dev/gosync; " +
				"as root: rm it, then load the gosync module anew"
		}
	case syscall.ENOENT, syscall.ENODEV, syscall.ENXIO:
		if _, err := os.Stat("/sys/module/gosync"); err != nil {
			return "the gosync module is not loaded; as root: modprobe gosync"
		}
		return "the gosync module is loaded, but /dev/gosync is not visible here: " +
			"give it to the container (--device /dev/gosync) or unit (PrivateDevices=no)"
	case syscall.EPERM:
		return "a device policy forbids /dev/gosync: " +
			"allow it for the container (--device /dev/gosync) or unit (DeviceAllow=/dev/gosync rw)"
	case syscall.EACCES:
		return "no permission for /dev/gosync: see its mode and group (ls -l /dev/gosync)"
	}
	return ""
}
