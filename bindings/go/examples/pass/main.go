// SPDX-License-Identifier: LGPL-2.1-or-later

// Pass shares objects without a name with its children: it passes descriptors on.
package main

import (
	"fmt"
	"log"
	"os"
	"os/exec"

	"gosync"
)

const children = 4

func main() {
	log.SetFlags(0)
	log.SetPrefix("pass: ")
	if len(os.Args) > 1 {
		child(os.Args[1])
		return
	}
	lock, err := gosync.OpenMutex("", gosync.Create, 0o600)
	if err != nil {
		log.Fatal(err)
	}
	done, err := gosync.OpenWaitGroup("", gosync.Create, 0o600)
	if err != nil {
		log.Fatal(err)
	}

	lock.Lock() // so that all begin together
	for i := 1; i <= children; i++ {
		if err := start(fmt.Sprint("child ", i), lock, done); err != nil {
			log.Fatal(err)
		}
	}
	lock.Unlock()
	done.Wait()
	fmt.Println("all are done")
}

// start starts a child, which has the lock as descriptor 3 and the group as 4.
func start(name string, lock *gosync.Mutex, done *gosync.WaitGroup) error {
	command := exec.Command("/proc/self/exe", name)
	command.Stdout, command.Stderr = os.Stdout, os.Stderr
	for _, object := range []interface{ File() (*os.File, error) }{lock, done} {
		file, err := object.File()
		if err != nil {
			return err
		}
		defer file.Close() // the child has its own
		command.ExtraFiles = append(command.ExtraFiles, file)
	}
	done.Add(1)
	return command.Start()
}

func child(name string) {
	lock, err := gosync.MutexFromFD(3, 0)
	if err != nil {
		log.Fatal(err)
	}
	done, err := gosync.WaitGroupFromFD(4, 0)
	if err != nil {
		log.Fatal(err)
	}
	lock.Lock()
	fmt.Println(name, "has the lock")
	lock.Unlock()
	done.Done()
}
