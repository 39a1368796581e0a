// SPDX-License-Identifier: LGPL-2.1-or-later

package gosync

import (
	"math"
	"sync"
	"syscall"
	"unsafe"
)

// A mapping is a piece of memory that the process shares with the kernel. Objects
// share pages, so a process has one mapping for all that are on a page.
//
// A mapping stays until the garbage collector has found that nobody can reach a
// handle that uses it, closed or not. So an operation without a system call that
// runs beside Close finds its memory, although it takes no reference.
type mapping struct {
	id      uint64 // info.mapId
	prot    int
	handles int
	memory  []byte
}

type mappingKey struct {
	id   uint64
	prot int
}

var mappings = struct {
	sync.Mutex
	of map[mappingKey]*mapping
}{of: make(map[mappingKey]*mapping)}

// mapState returns the mapping of what fd and in describe. It is nil if this
// cannot be mapped; then all is done by ioctls.
func mapState(fd int, in *info) *mapping {
	// A Map may be larger than the address space of a 32-bit process.
	if in.mapLen == 0 || in.mapLen > math.MaxInt {
		return nil
	}
	key := mappingKey{in.mapId, syscall.PROT_READ}
	if in.typ != _GOSYNC_VALUE && in.typ != _GOSYNC_MAP && in.flags&_GOSYNC_RDONLY == 0 {
		key.prot |= syscall.PROT_WRITE
	}
	mappings.Lock()
	defer mappings.Unlock()
	m := mappings.of[key]
	if m == nil {
		memory, err := syscall.Mmap(fd, 0, int(in.mapLen), key.prot, syscall.MAP_SHARED)
		if err != nil {
			// Refused if the sender of the descriptor had more rights.
			return nil
		}
		m = &mapping{id: in.mapId, prot: key.prot, memory: memory}
		mappings.of[key] = m
	}
	m.handles++
	return m
}

// at returns the address of what is offset bytes behind the beginning.
func (m *mapping) at(offset uint32) unsafe.Pointer {
	return unsafe.Pointer(&m.memory[offset])
}

// release takes a handle from the mapping.
func (m *mapping) release() {
	mappings.Lock()
	defer mappings.Unlock()
	m.handles--
	if m.handles == 0 {
		delete(mappings.of, mappingKey{m.id, m.prot})
		syscall.Munmap(m.memory)
	}
}
