#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Expected: Go's race detector knows what orders two goroutines. An atomic store that
# another goroutine loads does, wherever the word lies.
#
# What happens (Go 1.19): it follows atomic operations on Go's own memory only. Of those
# on memory from mmap(2) it does them, and forgets them. A program that hands data over by
# a flag in shared memory is right, and is reported as a data race.
#
# Why one meets it: a lock between processes has its word in shared memory. Everything
# that it protects is reported, although the lock works. Such a package has to tell the
# detector of each acquisition and release by an address of Go's memory. A test with -race
# then shows that it tells, and not that the lock excludes anybody.

set -u
# shellcheck source=findings/packages.bash
. "$(dirname "$0")/packages.bash"
get golang-1.19-go=1.19.8-2 golang-1.19-src=1.19.8-2

cd "$tmp" || exit
mkdir flag
cat >flag/main.go <<'EOF'
package main

import (
	"os"
	"sync/atomic"
	"syscall"
	"unsafe"
)

func main() {
	flag := new(uint32)
	if os.Args[1] == "mmap" {
		memory, err := syscall.Mmap(-1, 0, 4096, syscall.PROT_READ|syscall.PROT_WRITE,
			syscall.MAP_SHARED|syscall.MAP_ANON)
		if err != nil {
			panic(err)
		}
		flag = (*uint32)(unsafe.Pointer(&memory[0]))
	}
	data := 0
	seen := make(chan int)
	go func() {
		for atomic.LoadUint32(flag) == 0 {
		}
		seen <- data
	}()
	data = 42
	atomic.StoreUint32(flag, 1)
	println(<-seen)
}
EOF

export GOROOT=$tmp/root/usr/lib/go-1.19 GOCACHE=$tmp/cache GOPATH=$tmp/go
export GO111MODULE=off CGO_ENABLED=1
(cd flag && "$GOROOT/bin/go" build -race -o ../handed-over .) || exit 2

races()
{
	./handed-over "$1" 2>&1 | grep -c 'WARNING: DATA RACE'
}

"$GOROOT/bin/go" version | cut -d' ' -f3
expect "the data that arrived, by a flag in shared memory" \
	"$(./handed-over mmap 2>&1 | grep -x 42)" 42
expect "races that are reported, by a flag of Go's memory" "$(races heap)" 0
expect "races that are reported, by a flag in shared memory" "$(races mmap)" 1
exit $changed
