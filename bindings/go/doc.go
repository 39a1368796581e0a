// SPDX-License-Identifier: LGPL-2.1-or-later

// Package gosync is sync and sync/atomic between processes.
//
// Objects have names, and are opened like files:
//
//	lock, err := gosync.OpenMutex("backup", gosync.Create, 0o600)
//	if err != nil {
//		return err
//	}
//	lock.Lock()
//	defer lock.Unlock()
//
// What a process has when it dies is released, and the next owner of a lock is told:
// see ErrOwnerDied and Mutex.OnOwnerDeath. Operations that nobody has to wait for make
// no system call. Whatever waits can wait as long as a context lasts.
//
// Goroutines may use a handle at the same time. To other processes all that use one
// handle are one owner.
//
// Misuse panics with the texts of sync and sync/atomic. Unlike there, it changes
// nothing.
//
// The package needs the gosync module of the Linux kernel. Documentation/go.md says
// more about it, and uapi/linux/gosync.h is what it relies on.
package gosync
