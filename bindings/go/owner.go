// SPDX-License-Identifier: LGPL-2.1-or-later

package gosync

import (
	"sync"
	"sync/atomic"
)

// owner is what a lock does that an owner has died with, where an operation cannot
// return that.
type owner struct {
	hook atomic.Pointer[func() error]
}

// OnOwnerDeath says what Lock and its like do if an owner has died with the lock.
// They call mend with the lock held. If it has put right what the lock protects,
// and returns nil, the lock counts as recovered, and the caller goes on. If it
// returns an error, the lock is released as it is, and the caller panics with the
// error.
//
// Without a hook the caller panics with ErrOwnerDied. It does not have the lock
// then, and whoever locks next is told of the death, too.
func (o *owner) OnOwnerDeath(mend func() error) {
	o.hook.Store(&mend)
}

func (o *owner) forget() {
	o.hook.Store(nil)
}

// recoverable is a lock that may be recovered by who has it.
type recoverable interface {
	sync.Locker
	Name() string
	Recover() error
}

// mend calls the hook with the lock held.
func (o *owner) mend(verb string, lock recoverable) {
	mended := false
	defer func() {
		if !mended {
			lock.Unlock()
		}
	}()
	var err error = &Error{Op: verb, Name: lock.Name(), Err: ErrOwnerDied}
	if hook := o.hook.Load(); hook != nil && *hook != nil {
		err = (*hook)()
	}
	if err == nil {
		err = lock.Recover()
	}
	if err != nil {
		panic(err)
	}
	mended = true
}
