// SPDX-License-Identifier: LGPL-2.1-or-later

package gosync

import (
	"math/bits"
	"syscall"
	"unsafe"
)

// Objects on a stand-in page: an ordinary anonymous mapping with the state in it. They
// have no descriptor, so what is not done on the page fails. That measures and tests the
// fast paths where there is no device.

// standIn returns an object on a page of its own, and what describes it.
func standIn(typ uint32, size int) (object, *info) {
	memory, err := syscall.Mmap(-1, 0, size, syscall.PROT_READ|syscall.PROT_WRITE,
		syscall.MAP_SHARED|syscall.MAP_ANON)
	if err != nil {
		panic(err)
	}
	in := &info{typ: typ, holder: 77, capacity: 1, mapLen: uint64(size)}
	return object{handle: &handle{
		fd:      -1,
		mapping: &mapping{memory: memory},
		typ:     typ,
		holder:  in.holder,
	}}, in
}

func standInInt64() *Int64 {
	x := new(Int64)
	in := (*info)(nil)
	x.object, in = standIn(_GOSYNC_INT64, 4096)
	x.setUpWords(in)
	x.read, x.write = (*int64)(x.firstWord(false)), (*int64)(x.firstWord(true))
	return x
}

func standInMutex() *Mutex {
	m := new(Mutex)
	in := (*info)(nil)
	m.object, in = standIn(_GOSYNC_MUTEX, 4096)
	m.setUp(in)
	return m
}

func standInRWMutex() *RWMutex {
	m := new(RWMutex)
	in := (*info)(nil)
	m.object, in = standIn(_GOSYNC_RWMUTEX, 4096)
	slot := (*rwmutexSlot)(m.mapping.at(0))
	slot.lines, in.mapData = 1<<1, 64
	m.setUp(in)
	return m
}

// A standInMap is a Map that is filled as the kernel fills one, in a table of class 0 or
// of the first larger class.
type standInMap struct {
	base  []byte
	page  *mapPage
	slots []uint64
	used  uint32
}

const standInPage = 4096

func newStandInMap[K, V any](keys Codec[K], values Codec[V], class int, entries int) (*Map[K, V], *standInMap) {
	m := newMap(keys, values)
	in := (*info)(nil)
	const keyRoom, valueRoom = 64, 256
	stride := (24 + keyRoom + valueRoom + 63) / 64 * 64
	records := standInPage * (1<<(class+1) - 1)
	m.object, in = standIn(_GOSYNC_MAP, records+(entries+1)*stride)
	in.keySize, in.valueSize = keyRoom, valueRoom
	s := &standInMap{base: m.mapping.memory}
	s.page = (*mapPage)(unsafe.Pointer(&s.base[0]))
	*s.page = mapPage{
		table:    uint64(class) << 1,
		hashMask: 1<<32 - 1,
		stride:   uint32(stride),
		value:    24 + keyRoom,
		pageSize: standInPage,
		records:  uint64(records),
	}
	rules := &s.page.rules[0]
	rules.seed = [4]uint64{0x9e3779b97f4a7c15, 0xbf58476d1ce4e5b9, 0x94d049bb133111eb, 0xd1b54a32d192ed03}
	rules.reach = 128
	s.slots = s.page.small[0][:]
	if class > 0 {
		at := &s.base[standInPage*(1<<class-1)]
		s.slots = unsafe.Slice((*uint64)(unsafe.Pointer(at)), standInPage<<(class-1)/8)
	}
	m.setUp(in)
	return m, s
}

// store stores a key that is not there yet.
func (s *standInMap) store(key, value []byte) {
	s.used++
	at := int(s.page.records) + int(s.used)*int(s.page.stride)
	record := (*mapRecord)(unsafe.Pointer(&s.base[at]))
	record.keyLen, record.valueLen = uint32(len(key)), uint32(len(value))
	copy(s.base[at+int(unsafe.Sizeof(*record)):], key)
	copy(s.base[at+int(s.page.value):], value)
	hash := mapHash(&s.page.rules[0].seed, s.page.hashMask, unsafe.Pointer(&key[0]), uintptr(len(key)))
	i := int(hash >> (32 - bits.TrailingZeros(uint(len(s.slots)))))
	for s.slots[i] != 0 {
		i = (i + 1) % len(s.slots)
	}
	s.slots[i] = uint64(hash)<<32 | uint64(s.used)
	s.page.count++
}
