// SPDX-License-Identifier: LGPL-2.1-or-later

// Run this several times at once: one at a time says hello.
package main

import (
	"errors"
	"fmt"
	"log"
	"os"
	"time"

	"gosync"
)

func main() {
	lock, err := gosync.OpenMutex("hello.lock", gosync.Create, 0o600)
	if err != nil {
		log.Fatal(err)
	}
	visits, err := gosync.OpenInt64("hello.visits", gosync.Create, 0o600)
	if err != nil {
		log.Fatal(err)
	}

	err = lock.LockErr()
	if errors.Is(err, gosync.ErrOwnerDied) {
		fmt.Println(os.Getpid(), "the one before me died in here")
		// Put right what the lock protects, and then:
		err = lock.Recover()
	}
	if err != nil {
		log.Fatal(err)
	}
	defer lock.Unlock()
	fmt.Println(os.Getpid(), "hello, this is visit", visits.Add(1))
	time.Sleep(time.Second)
}
