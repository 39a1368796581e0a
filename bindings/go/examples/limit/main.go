// SPDX-License-Identifier: LGPL-2.1-or-later

// Limit runs a command, but no more than N at a time that were given the same NAME:
//
//	limit NAME N COMMAND [ARGUMENT...]
//
// It waits for its turn. A signal ends the wait. If it is killed, the next may run.
package main

import (
	"context"
	"errors"
	"log"
	"os"
	"os/exec"
	"os/signal"
	"strconv"

	"gosync"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("limit: ")
	if len(os.Args) < 4 {
		log.Fatal("usage: limit NAME N COMMAND [ARGUMENT...]")
	}
	n, err := strconv.ParseInt(os.Args[2], 10, 32)
	if err != nil {
		log.Fatal(err)
	}
	permits, err := gosync.OpenSemaphore(os.Args[1], n, gosync.Create|gosync.GiveBack, 0o600)
	if err != nil {
		log.Fatal(err)
	}

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err = permits.Acquire(ctx, 1)
	stop()
	if err != nil {
		log.Fatal(err)
	}
	command := exec.Command(os.Args[3], os.Args[4:]...)
	command.Stdin, command.Stdout, command.Stderr = os.Stdin, os.Stdout, os.Stderr
	err = command.Run()
	permits.Release(1)
	var failed *exec.ExitError
	if errors.As(err, &failed) {
		os.Exit(failed.ExitCode())
	} else if err != nil {
		log.Fatal(err)
	}
}
