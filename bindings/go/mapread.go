// SPDX-License-Identifier: LGPL-2.1-or-later

package gosync

import (
	"math/bits"
	"sync/atomic"
	"unsafe"
)

// A Map's state is mapped read-only: the kernel alone writes. What is here reads it, as
// <linux/gosync.h> says. kmod/map_table.c describes the barriers, by the same letters.

// Tries before a load asks the kernel, which always succeeds
const mapTries = 16

// The result of a look
type mapResult int

const (
	mapFound  mapResult = iota
	mapLong             // found, and the value is longer than the room for it
	mapAbsent           // the key is not there
	mapAgain            // a writer came in between
)

// A mapTable is one of a Map's tables.
type mapTable struct {
	slots unsafe.Pointer
	mask  uint32 // the number of its slots - 1
	shift uint32 // shifts a hash to the right, to the slot to begin with
}

// A mapView is a Map as it lies in memory.
type mapView struct {
	page    *mapPage
	records unsafe.Pointer
	stride  uintptr // from one record to the next
	value   uintptr // where in a record the value is
	tables  [_GOSYNC_MAP_TABLE_MASK + 1]mapTable
}

func newMapTable(slots unsafe.Pointer, count uintptr) mapTable {
	return mapTable{slots, uint32(count - 1), uint32(32 - bits.TrailingZeros(uint(count)))}
}

// newMapView returns the view of a Map whose mapping begins at base, and whose state
// is at offset in it.
func newMapView(base unsafe.Pointer, offset uint32) *mapView {
	page := (*mapPage)(unsafe.Add(base, offset))
	v := &mapView{
		page:    page,
		records: unsafe.Add(base, page.records),
		stride:  uintptr(page.stride),
		value:   uintptr(page.value),
	}
	n := 0
	for ; n < len(page.small); n++ {
		v.tables[n] = newMapTable(unsafe.Pointer(&page.small[n]), _GOSYNC_MAP_SMALL)
	}
	for at := uintptr(page.pageSize); n < len(v.tables) && at < uintptr(page.records); n++ {
		size := uintptr(page.pageSize) << (n/2 - 1)
		v.tables[n] = newMapTable(unsafe.Add(base, at), size/8)
		at += size
	}
	return v
}

func mapMix(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a, b)
	return hi ^ lo
}

func word(at unsafe.Pointer) uint64 { return *(*uint64)(at) }

// mapHash is gosync_map_hash() of the header.
func mapHash(seed *[4]uint64, mask uint32, at unsafe.Pointer, n uintptr) uint32 {
	hash := seed[0]
	var first, last uint64
	if n < 8 {
		for _, b := range unsafe.Slice((*byte)(at), n) {
			first = first<<8 | uint64(b)
		}
	} else {
		last = word(unsafe.Add(at, n-8))
		end := unsafe.Add(at, n)
		for left := n; left > 16; left -= 16 {
			hash = mapMix(word(at)^seed[1], word(unsafe.Add(at, 8))^hash)
			at = unsafe.Add(at, 16)
		}
		if n > 16 {
			at = unsafe.Add(end, -16)
		}
		first = word(at)
	}
	hash = mapMix(first^seed[1], last^hash)
	hash = mapMix(hash^seed[2], seed[3]^uint64(n))
	return uint32(hash>>32)&mask | 1
}

// isMiddling tells whether a key is its first and its last 8 bytes. Such keys are hashed
// and compared without a call.
func isMiddling(n uintptr) bool { return n-8 <= 8 }

// find looks for a key of n bytes once. It returns the record that has it, and the sequence
// with which the record had it: what the caller then reads of the value is whole if
// isWhole says so. It takes an address, as a slice would cost more.
func (v *mapView) find(key unsafe.Pointer, n uintptr) (record *mapRecord, seq uint64, result mapResult) {
	// T1: pairs with map_promote() in kmod/map_table.c.
	table := atomic.LoadUint64(&v.page.table)
	t := &v.tables[table&_GOSYNC_MAP_TABLE_MASK]
	rules := &v.page.rules[table>>_GOSYNC_MAP_VERSION_SHIFT&1]
	var hash uint32
	if isMiddling(n) {
		mixed := mapMix(word(key)^rules.seed[1], word(unsafe.Add(key, n-8))^rules.seed[0])
		mixed = mapMix(mixed^rules.seed[2], rules.seed[3]^uint64(n))
		hash = uint32(mixed>>32)&v.page.hashMask | 1
	} else {
		hash = mapHash(&rules.seed, v.page.hashMask, key, n)
	}
	for i, left := hash>>(t.shift&31), atomic.LoadUint32(&rules.reach); ; left-- {
		// S: pairs with set_slot() in kmod/map_table.c.
		slot := atomic.LoadUint64((*uint64)(unsafe.Add(t.slots, uintptr(i)*8)))
		if uint32(slot>>32) == hash {
			record = v.record(uint32(slot))
			// R1: pairs with gosync_map_unlock() in kmod/map.h.
			seq = atomic.LoadUint64(&record.seq)
			if record.hasKey(key, n) {
				return record, seq, mapFound
			}
			if !record.isWhole(seq) {
				return nil, 0, mapAgain
			}
		} else if slot == _GOSYNC_MAP_EMPTY {
			break
		}
		if left == 0 {
			break
		}
		i = (i + 1) & t.mask
	}
	// T2: pairs with map_begin_table() in kmod/map_table.c.
	loadFence()
	if atomic.LoadUint64(&v.page.table) == table {
		return nil, 0, mapAbsent
	}
	return nil, 0, mapAgain
}

// look is find, and copies the value if there is room for it. It returns the value's
// length.
func (v *mapView) look(key unsafe.Pointer, n uintptr, to []byte) (uintptr, mapResult) {
	record, seq, result := v.find(key, n)
	if result != mapFound {
		return 0, result
	}
	size := record.size()
	if size <= uintptr(len(to)) {
		copy(to, unsafe.Slice((*byte)(v.valueOf(record)), size))
	} else {
		result = mapLong
	}
	if !record.isWhole(seq) {
		return 0, mapAgain
	}
	return size, result
}

func (v *mapView) record(number uint32) *mapRecord {
	return (*mapRecord)(unsafe.Add(v.records, uintptr(number)*v.stride))
}

func (v *mapView) valueOf(record *mapRecord) unsafe.Pointer {
	return unsafe.Add(unsafe.Pointer(record), v.value)
}

// hasKey tells whether the record's key is this one. At any time its lengths are those of
// some entry. So what is read of it is within the record, also while it is written.
func (r *mapRecord) hasKey(key unsafe.Pointer, n uintptr) bool {
	its := unsafe.Add(unsafe.Pointer(r), unsafe.Sizeof(*r))
	if uintptr(atomic.LoadUint32(&r.keyLen)) != n {
		return false
	}
	if isMiddling(n) {
		return word(its) == word(key) &&
			word(unsafe.Add(its, n-8)) == word(unsafe.Add(key, n-8))
	}
	return string(unsafe.Slice((*byte)(its), n)) == string(unsafe.Slice((*byte)(key), n))
}

func (r *mapRecord) size() uintptr { return uintptr(atomic.LoadUint32(&r.valueLen)) }

// isWhole tells whether what was read of a record since it had this sequence is of one
// entry.
func (r *mapRecord) isWhole(seq uint64) bool {
	// R2: pairs with gosync_map_lock() in kmod/map.h.
	loadFence()
	return seq&1 == 0 && atomic.LoadUint64(&r.seq) == seq
}
