// SPDX-License-Identifier: LGPL-2.1-or-later

package gosync

import (
	"context"
	"io/fs"
	"runtime"
	"sync/atomic"
	"syscall"
	"unsafe"
)

// A Map is sync.Map between processes: values by key. Any number of processes load them
// without a system call, and without disturbing each other, while others change the Map.
//
// An error that wraps ErrFormat says that the operation was done, and that the value
// that it was to return is not of type V. After all other errors nothing has changed.
type Map[K, V any] struct {
	mapReader
	quick  bool // key and value lie in a variable as they do in the Map
	keys   coder[K]
	values coder[V]
}

func newMap[K, V any](keys Codec[K], values Codec[V]) *Map[K, V] {
	m := &Map[K, V]{keys: newCoder(keys), values: newCoder(values)}
	m.quick = m.values.kind == asMemory && (m.keys.kind == asMemory || m.keys.kind == asString)
	return m
}

// MapLimits says how a Map is created. Its zero value will mostly do.
type MapLimits struct {
	// Entries is the largest number of entries, up to 4,194,304. With 0 it is
	// 4096. A Map takes memory for the entries that it has.
	Entries int

	// KeySize and ValueSize are the largest numbers of bytes, up to 255 and 65,536.
	// With 0 they are 64 and 256, or the size of the type with the codec Fixed.
	KeySize, ValueSize int
}

// OpenMap opens or creates a Map, of which every user has to have the same codecs. Flags
// and perm are as those of OpenMutex.
func OpenMap[K, V any](name string, keys Codec[K], values Codec[V], limits MapLimits,
	flag Flag, perm fs.FileMode) (*Map[K, V], error) {
	m := newMap(keys, values)
	if limits.KeySize == 0 && flag&Create != 0 {
		limits.KeySize = m.keys.size()
	}
	if limits.ValueSize == 0 && flag&Create != 0 {
		limits.ValueSize = m.values.size()
	}
	in, err := m.open(spec{
		name:      name,
		typ:       _GOSYNC_MAP,
		flag:      flag,
		perm:      perm,
		capacity:  uint64(limits.Entries),
		keySize:   uint32(limits.KeySize),
		valueSize: uint32(limits.ValueSize),
	})
	if err != nil {
		return nil, err
	}
	m.setUp(in)
	return m, nil
}

// MapFromFD makes a handle of a descriptor that another process has passed on, as
// MutexFromFD does.
func MapFromFD[K, V any](fd int, keys Codec[K], values Codec[V], flag Flag) (*Map[K, V], error) {
	m := newMap(keys, values)
	in, err := m.openFD(fd, _GOSYNC_MAP, flag)
	if err != nil {
		return nil, err
	}
	m.setUp(in)
	return m, nil
}

// Load returns the value of a key. If ok is false, there is none.
func (m *Map[K, V]) Load(key K) (value V, ok bool, err error) {
	view := m.mapped()
	if view == nil || !m.quick {
		return m.loadSlow(key)
	}
	k, n := unsafe.Pointer(&key), unsafe.Sizeof(key)
	if m.keys.kind == asString {
		k, n = *(*unsafe.Pointer)(k), uintptr(len(*(*string)(k)))
	}
	if n-1 >= uintptr(m.keySize) {
		return m.loadSlow(key)
	}
	if raceEnabled {
		raceAcquire(unsafe.Pointer(&m.mapReader))
	}
	record, seq, result := view.find(k, n)
	if result == mapFound {
		if record.size() == unsafe.Sizeof(value) {
			found := *(*V)(view.valueOf(record))
			if record.isWhole(seq) {
				runtime.KeepAlive(m)
				return found, true, nil
			}
		}
	} else if result == mapAbsent {
		runtime.KeepAlive(m)
		return value, false, nil
	}
	return m.loadSlow(key)
}

func (m *Map[K, V]) loadSlow(key K) (value V, ok bool, err error) {
	k, err := m.keys.encode(&key)
	if err != nil {
		return value, false, m.wrong("load", err)
	}
	room := make([]byte, smallRoom)
	for {
		n, errno := m.load(k, room)
		switch errno {
		case 0:
			value, err = m.values.codec.Decode(room[:n])
			return value, true, m.wrong("load", err)
		case syscall.ENODATA:
			return value, false, nil
		case syscall.EMSGSIZE:
			room = make([]byte, n)
		default:
			return value, false, m.error("load", _GOSYNC_IOC_MAP_LOAD, errno)
		}
	}
}

// args encodes a key, and the new and the old value of an operation, which may be nil.
func (m *Map[K, V]) args(verb string, key *K, new, old *V) (args mapArgs, err error) {
	k, err := m.keys.encode(key)
	args.size = uint32(unsafe.Sizeof(args))
	args.key, args.keyLen = addressOf(k), keyLength(k)
	if new != nil && err == nil {
		var b []byte
		b, err = m.values.encode(new)
		args.buf, args.len = addressOf(b), uint64(len(b))
	}
	if old != nil && err == nil {
		var b []byte
		b, err = m.values.encode(old)
		args.oldBuf, args.oldLen = addressOf(b), uint64(len(b))
	}
	return args, m.wrong(verb, err)
}

// do makes an operation that returns no value.
func (m *Map[K, V]) do(verb string, op uint32, key *K, new, old *V) (done bool, err error) {
	args, err := m.args(verb, key, new, old)
	if err != nil {
		return false, err
	}
	n, errno := m.change(op, unsafe.Pointer(&args))
	return n == 1, m.error(verb, op, errno)
}

// exchange makes an operation that returns the value that was there.
func (m *Map[K, V]) exchange(verb string, op uint32, key *K, new *V) (old V, ok bool, err error) {
	args, err := m.args(verb, key, new, nil)
	if err != nil {
		return old, false, err
	}
	room := make([]byte, smallRoom)
	for {
		args.oldBuf, args.oldLen = addressOf(room), uint64(len(room))
		n, errno := m.change(op, unsafe.Pointer(&args))
		switch {
		case errno == syscall.EMSGSIZE && args.oldLen > uint64(len(room)):
			// Nothing has changed.
			room = make([]byte, args.oldLen)
			continue
		case errno == syscall.ENODATA:
			return old, false, nil
		case errno != 0:
			return old, false, m.error(verb, op, errno)
		case n == 0 && op != _GOSYNC_IOC_MAP_LOAD_AND_DELETE:
			return old, false, nil
		}
		old, err = m.values.codec.Decode(room[:args.oldLen])
		return old, true, m.wrong(verb, err)
	}
}

// Store sets the value of a key. The error wraps ENOSPC if the key is new and the Map is
// full.
func (m *Map[K, V]) Store(key K, value V) error {
	_, err := m.do("store", _GOSYNC_IOC_MAP_STORE, &key, &value, nil)
	return err
}

// LoadOrStore returns the value of a key, and loaded as true. If there is none, it stores
// value and returns this.
func (m *Map[K, V]) LoadOrStore(key K, value V) (actual V, loaded bool, err error) {
	actual, loaded, err = m.exchange("load or store", _GOSYNC_IOC_MAP_LOAD_OR_STORE, &key, &value)
	if !loaded && err == nil {
		actual = value
	}
	return actual, loaded, err
}

// LoadAndDelete deletes a key, and returns the value that it had.
func (m *Map[K, V]) LoadAndDelete(key K) (value V, loaded bool, err error) {
	return m.exchange("load and delete", _GOSYNC_IOC_MAP_LOAD_AND_DELETE, &key, nil)
}

// Delete deletes a key.
func (m *Map[K, V]) Delete(key K) error {
	_, err := m.do("delete", _GOSYNC_IOC_MAP_DELETE, &key, nil, nil)
	return err
}

// Swap sets the value of a key, and returns the one that it had. If loaded is false, it
// had none.
func (m *Map[K, V]) Swap(key K, value V) (previous V, loaded bool, err error) {
	return m.exchange("swap", _GOSYNC_IOC_MAP_SWAP, &key, &value)
}

// CompareAndSwap sets the value of a key if it is old, and tells whether it was. Values
// are equal if their bytes are.
func (m *Map[K, V]) CompareAndSwap(key K, old, new V) (swapped bool, err error) {
	return m.do("compare and swap", _GOSYNC_IOC_MAP_CAS, &key, &new, &old)
}

// CompareAndDelete deletes a key if its value is old, and tells whether it was.
func (m *Map[K, V]) CompareAndDelete(key K, old V) (deleted bool, err error) {
	return m.do("compare and delete", _GOSYNC_IOC_MAP_COMPARE_AND_DELETE, &key, nil, &old)
}

// Clear deletes all keys at one moment.
func (m *Map[K, V]) Clear() error {
	_, err := m.change(_GOSYNC_IOC_MAP_CLEAR, nil)
	return m.error("clear", _GOSYNC_IOC_MAP_CLEAR, err)
}

// A Pair is a key and its value.
type Pair[K, V any] struct {
	Key   K
	Value V
}

// StoreMany stores up to 64 pairs by one system call: all of them, or after an error none.
// Others may see the first and not yet the last, but no key comes or goes in between.
func (m *Map[K, V]) StoreMany(pairs ...Pair[K, V]) error {
	const verb, op = "store many", _GOSYNC_IOC_MAP_STORE_MANY
	if len(pairs) > _GOSYNC_MAP_STORE_MAX {
		return m.error(verb, op, syscall.EINVAL)
	}
	items := make([]mapStoreItem, len(pairs))
	for i := range pairs {
		// What is encoded may be in the pair itself, which is the caller's.
		p := pairs[i]
		args, err := m.args(verb, &p.Key, &p.Value, nil)
		if err != nil {
			return err
		}
		items[i] = mapStoreItem{args.key, uint64(args.keyLen), args.buf, args.len}
	}
	args := mapStoreManyArgs{
		count:    uint32(len(items)),
		itemSize: uint32(unsafe.Sizeof(mapStoreItem{})),
	}
	if len(items) > 0 {
		args.items = pointer{unsafe.Pointer(&items[0])}
	}
	args.size = uint32(unsafe.Sizeof(args))
	_, err := m.change(op, unsafe.Pointer(&args))
	return m.error(verb, op, err)
}

// Room for entries in a walk, besides the longest one
const walkRoom = 65536

// Range calls f for the keys and values, until f returns false. It calls it for no key
// twice, and for each key that is there from the beginning to the end. It is no snapshot.
// No lock is held while f runs, which may do anything with the Map.
func (m *Map[K, V]) Range(f func(key K, value V) bool) error {
	const verb, op = "range", _GOSYNC_IOC_MAP_RANGE
	room := make([]byte, walkRoom+aligned(m.keySize)+aligned(m.valueSize))
	args := mapRangeArgs{buf: addressOf(room), len: uint64(len(room))}
	args.size = uint32(unsafe.Sizeof(args))
	for {
		n, errno := m.change(op, unsafe.Pointer(&args))
		if errno != 0 || n == 0 {
			return m.error(verb, op, errno)
		}
		for rest := room; n > 0; n-- {
			item := *(*mapItem)(unsafe.Pointer(&rest[0]))
			rest = rest[unsafe.Sizeof(item):]
			k := rest[:item.keyLen]
			rest = rest[aligned(item.keyLen):]
			v := rest[:item.valueLen]
			rest = rest[aligned(item.valueLen):]
			key, err := m.keys.codec.Decode(k)
			if err != nil {
				return m.wrong(verb, err)
			}
			value, err := m.values.codec.Decode(v)
			if err != nil {
				return m.wrong(verb, err)
			}
			if !f(key, value) {
				return nil
			}
		}
	}
}

// aligned is the next multiple of 8.
func aligned(size uint32) uint32 { return (size + 7) &^ 7 }

// Close closes the handle.
func (m *Map[K, V]) Close() error {
	atomic.StorePointer(&m.view, nil)
	return m.closeObject()
}

// A mapReader is what handles of Maps have in common.
type mapReader struct {
	view      unsafe.Pointer // to a mapView; nil: not mapped
	keySize   uint32
	valueSize uint32
	object
}

func (r *mapReader) setUp(in *info) {
	r.keySize, r.valueSize = in.keySize, in.valueSize
	if r.state(in, false) != nil {
		atomic.StorePointer(&r.view, unsafe.Pointer(newMapView(r.mapping.at(0), in.mapOffset)))
	}
}

// mapped returns the mapped state, or nil.
func (r *mapReader) mapped() *mapView { return (*mapView)(atomic.LoadPointer(&r.view)) }

// load copies the value of a key, and returns its length. With EMSGSIZE it is longer
// than the room, which is not empty; with ENODATA there is none.
func (r *mapReader) load(key, room []byte) (int, syscall.Errno) {
	if raceEnabled {
		raceAcquire(unsafe.Pointer(r))
	}
	view := r.mapped()
	if view == nil || uint(len(key)-1) >= uint(r.keySize) {
		return r.loadIoctl(key, room)
	}
	for i := 0; i < mapTries; i++ {
		n, result := view.look(unsafe.Pointer(&key[0]), uintptr(len(key)), room)
		runtime.KeepAlive(r)
		switch result {
		case mapFound:
			return int(n), 0
		case mapAbsent:
			return 0, syscall.ENODATA
		case mapLong:
			return int(n), syscall.EMSGSIZE
		}
	}
	return r.loadIoctl(key, room)
}

func (r *mapReader) loadIoctl(key, room []byte) (int, syscall.Errno) {
	args := mapArgs{
		key:    addressOf(key),
		keyLen: keyLength(key),
		buf:    addressOf(room),
		len:    uint64(len(room)),
	}
	args.size = uint32(unsafe.Sizeof(args))
	_, err := r.ioctlAgain(_GOSYNC_IOC_MAP_LOAD, unsafe.Pointer(&args))
	return int(args.len), err
}

// keyLength is the length of a key for the kernel, which refuses a longer one than a Map
// can have.
func keyLength(key []byte) uint32 {
	if len(key) > _GOSYNC_MAP_KEY_MAX {
		return _GOSYNC_MAP_KEY_MAX + 1
	}
	return uint32(len(key))
}

// change makes an ioctl that may change the Map.
func (r *mapReader) change(op uint32, arg unsafe.Pointer) (int, syscall.Errno) {
	if raceEnabled {
		raceRelease(unsafe.Pointer(r))
		raceAcquire(unsafe.Pointer(r))
	}
	return r.ioctlAgain(op, arg)
}

// Len returns how many entries there are, or 0 if the handle is closed.
func (r *mapReader) Len() int {
	// C: pairs with map_count() in kmod/map_table.c.
	if view := r.mapped(); view != nil {
		n := atomic.LoadUint64(&view.page.count)
		runtime.KeepAlive(r)
		return int(n)
	}
	in, err := r.info()
	if err != 0 {
		return 0
	}
	return int(in.word)
}

// Version returns a number that is another one after each change of any key.
func (r *mapReader) Version() (uint64, error) {
	var args versionWaitArgs
	args.size = uint32(unsafe.Sizeof(args))
	// It is never 0, so this does not wait.
	_, err := r.ioctlAgain(_GOSYNC_IOC_MAP_WAIT, unsafe.Pointer(&args))
	return args.version, r.error("version", _GOSYNC_IOC_MAP_WAIT, err)
}

// Wait waits until the version is another than this one, and returns it. Ask for the
// version first, then look at the Map, then wait: so no change is missed.
func (r *mapReader) Wait(version uint64) (uint64, error) {
	return r.WaitContext(context.Background(), version)
}

// WaitContext is Wait that ends with ctx.
func (r *mapReader) WaitContext(ctx context.Context, version uint64) (uint64, error) {
	if err := r.waitVersion(ctx, _GOSYNC_IOC_MAP_WAIT, version); err != nil {
		return version, err
	}
	return r.Version()
}
