// SPDX-License-Identifier: LGPL-2.1-or-later

package gosync

import (
	"bytes"
	"encoding/gob"
	"errors"
	"fmt"
	"reflect"
	"unsafe"
)

// ErrFormat says that the bytes in an object are not those of a value of the type that
// they were to be decoded as.
var ErrFormat = errors.New("bytes of another type")

// A Codec makes values of type T into bytes, in which other processes see them,
// and bytes into values. Map and Value use codecs.
//
// Values are equal if their bytes are. So CompareAndSwap and the keys of a Map
// want a codec that makes equal values into equal bytes.
//
// String, Bytes, Fixed and Gob return codecs. Programs may have others. They may
// be used by several goroutines at once.
type Codec[T any] interface {
	// Encode returns v as bytes. They may be v's own memory: nobody changes
	// them.
	Encode(v T) ([]byte, error)

	// Decode returns the value that the bytes stand for. They may come from any
	// process that can write to the object, and are valid until Decode returns.
	Decode(b []byte) (T, error)
}

// String is the codec of strings: the bytes of a string.
func String() Codec[string] { return stringCodec{} }

// Bytes is the codec of slices of bytes. A value that was loaded has memory of its
// own.
func Bytes() Codec[[]byte] { return bytesCodec{} }

// Fixed is the codec of a type that is a piece of memory of one size: numbers,
// booleans, and arrays and structures of such. The bytes are this memory, in the
// machine's order, so programs in C can share a structure. Padding is zero in what
// is stored. An int or a uintptr has another size in a program of 32 bits.
//
// Bytes that have another length, or a boolean that is neither 0 nor 1, are an
// error.
//
// Fixed panics if T is not such a type.
func Fixed[T any]() Codec[T] {
	var v T
	c := fixedCodec[T]{}
	if t := reflect.TypeOf(&v).Elem(); !c.layout.add(t, 0) {
		panic(fmt.Sprintf("gosync: %v has no fixed size", t))
	}
	return &c
}

// Gob is the codec of any type that encoding/gob can encode. Values of interface
// types have to be registered with gob.Register. It is slow, as each value brings
// its type's description. A map has no order there, so values with maps in them
// cannot be compared.
func Gob[T any]() Codec[T] { return gobCodec[T]{} }

type stringCodec struct{}

func (stringCodec) Encode(v string) ([]byte, error) { return []byte(v), nil }
func (stringCodec) Decode(b []byte) (string, error) { return string(b), nil }

type bytesCodec struct{}

func (bytesCodec) Encode(v []byte) ([]byte, error) { return v, nil }
func (bytesCodec) Decode(b []byte) ([]byte, error) { return append([]byte{}, b...), nil }

type gobCodec[T any] struct{}

func (gobCodec[T]) Encode(v T) ([]byte, error) {
	var b bytes.Buffer
	// The pointer keeps an interface one.
	err := gob.NewEncoder(&b).Encode(&v)
	return b.Bytes(), err
}

func (gobCodec[T]) Decode(b []byte) (v T, err error) {
	err = gob.NewDecoder(bytes.NewReader(b)).Decode(&v)
	return v, err
}

// A span is a part of a value's memory.
type span struct{ at, len uintptr }

// A layout says where in a value's memory not every content is right.
type layout struct {
	end     uintptr
	bools   []uintptr
	padding []span
}

// add adds a value of type t at this place, and returns false if the type's memory
// is not all of it.
func (l *layout) add(t reflect.Type, at uintptr) bool {
	if at > l.end {
		l.padding = append(l.padding, span{l.end, at - l.end})
		l.end = at
	}
	switch t.Kind() {
	case reflect.Bool:
		l.bools = append(l.bools, at)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64,
		reflect.Uintptr, reflect.Float32, reflect.Float64,
		reflect.Complex64, reflect.Complex128:
	case reflect.Array:
		// Of elements in which any content is right, one stands for all.
		if e := t.Elem(); t.Len() > 0 {
			var one layout
			if !one.add(e, 0) {
				return false
			}
			if one.bools != nil || one.padding != nil {
				for i := 0; i < t.Len(); i++ {
					l.add(e, at+uintptr(i)*e.Size())
				}
			}
		}
	case reflect.Struct:
		for i := 0; i < t.NumField(); i++ {
			if f := t.Field(i); !l.add(f.Type, at+f.Offset) {
				return false
			}
		}
		if end := at + t.Size(); end > l.end {
			l.padding = append(l.padding, span{l.end, end - l.end})
		}
	default:
		return false
	}
	l.end = at + t.Size()
	return true
}

type fixedCodec[T any] struct{ layout layout }

func (c *fixedCodec[T]) Encode(v T) ([]byte, error) {
	return append([]byte{}, c.bytes(&v)...), nil
}

func (c *fixedCodec[T]) Decode(b []byte) (v T, err error) {
	if uintptr(len(b)) != c.layout.end {
		return v, c.wrongLength(len(b))
	}
	copy(memoryOf(&v), b)
	return v, c.check(&v)
}

// bytes returns the value's own memory, with zeros in the padding.
func (c *fixedCodec[T]) bytes(v *T) []byte {
	b := memoryOf(v)
	for _, s := range c.layout.padding {
		for i := range b[s.at : s.at+s.len] {
			b[s.at:][i] = 0
		}
	}
	return b
}

// check returns an error if the memory is not that of a value, and makes it one.
func (c *fixedCodec[T]) check(v *T) error {
	for _, at := range c.layout.bools {
		if memoryOf(v)[at] > 1 {
			*v = *new(T)
			return fmt.Errorf("%w: a boolean of %T is neither 0 nor 1", ErrFormat, *v)
		}
	}
	return nil
}

func (c *fixedCodec[T]) wrongLength(n int) error {
	return fmt.Errorf("%w: %d bytes are no %T, which has %d", ErrFormat, n,
		*new(T), unsafe.Sizeof(*new(T)))
}

// memoryOf returns the memory of a variable.
func memoryOf[T any](v *T) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(v)), unsafe.Sizeof(*v))
}

// A coder encodes and decodes by a codec. For the codecs of this package it does it
// without memory from the heap.
type coder[T any] struct {
	codec Codec[T]
	fixed *fixedCodec[T]
	kind  coderKind
}

type coderKind uint8

const (
	byCodec  coderKind = iota
	asString           // a string's bytes
	asBytes            // those of a slice
	asMemory           // a variable's own memory, of which all contents are right
	asFixed            // ... or of which not all are
)

func newCoder[T any](codec Codec[T]) coder[T] {
	c := coder[T]{codec: codec}
	switch codec := any(codec).(type) {
	case stringCodec:
		c.kind = asString
	case bytesCodec:
		c.kind = asBytes
	case *fixedCodec[T]:
		c.kind, c.fixed = asMemory, codec
		if codec.layout.bools != nil || codec.layout.padding != nil {
			c.kind = asFixed
		}
	}
	return c
}

// encode returns a value as bytes, which may be its own memory. Padding in it becomes
// zero.
func (c *coder[T]) encode(v *T) ([]byte, error) {
	switch c.kind {
	case asMemory:
		return memoryOf(v), nil
	case asFixed:
		return c.fixed.bytes(v), nil
	case asString:
		s := (*string)(unsafe.Pointer(v))
		return unsafe.Slice(*(**byte)(unsafe.Pointer(s)), len(*s)), nil
	case asBytes:
		return *(*[]byte)(unsafe.Pointer(v)), nil
	}
	return c.codec.Encode(*v)
}

// check returns an error if the variable's memory is not that of a value.
func (c *coder[T]) check(v *T) error {
	if c.kind == asFixed {
		return c.fixed.check(v)
	}
	return nil
}

// size returns how many bytes each value has, or 0 if not all have as many.
func (c *coder[T]) size() int {
	if c.fixed == nil {
		return 0
	}
	return int(c.fixed.layout.end)
}
