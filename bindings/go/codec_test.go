// SPDX-License-Identifier: LGPL-2.1-or-later

package gosync

import (
	"bytes"
	"errors"
	"math"
	"reflect"
	"testing"
	"unsafe"
)

type point struct{ X, Y int32 }

type padded struct {
	A uint8
	B uint32
	C [2]struct {
		D bool
		E uint16
	}
	F float64
	G uint8
}

func roundTrip[T any](t *testing.T, c Codec[T], v T) []byte {
	t.Helper()
	b, err := c.Encode(v)
	if err != nil {
		t.Fatal(err)
	}
	got, err := c.Decode(b)
	if err != nil || !reflect.DeepEqual(got, v) {
		t.Errorf("%v has become %v (%v)", v, got, err)
	}
	// What package gosync does without memory from the heap is the same.
	coder := newCoder(c)
	own, err := coder.encode(&v)
	if coder.kind != byCodec && (err != nil || !bytes.Equal(own, b)) {
		t.Errorf("%v is encoded as %v and as %v (%v)", v, b, own, err)
	}
	return b
}

func TestCodecs(t *testing.T) {
	roundTrip(t, String(), "")
	roundTrip(t, String(), "a\x00\xff")
	roundTrip(t, Bytes(), []byte{})
	roundTrip(t, Bytes(), []byte{1, 0})
	roundTrip(t, Fixed[bool](), true)
	roundTrip(t, Fixed[struct{}](), struct{}{})
	roundTrip(t, Fixed[complex64](), complex(1, 2))
	roundTrip(t, Fixed[[3]point](), [3]point{{1, 2}, {}, {3, 4}})
	roundTrip(t, Gob[map[string]int](), map[string]int{"a": 1})
	roundTrip(t, Gob[any](), any("text"))
	roundTrip(t, Gob[*point](), &point{1, 2})
	if b := roundTrip(t, Fixed[uint32](), 0x01020304); !bytes.Equal(b, []byte{4, 3, 2, 1}) {
		t.Error(b)
	}
	if b := roundTrip(t, Fixed[float64](), math.Copysign(0, -1)); b[7] != 0x80 {
		t.Error(b)
	}
}

// What is in the padding is not part of the value.
func TestFixedClearsPadding(t *testing.T) {
	var v padded
	for i := range memoryOf(&v) {
		memoryOf(&v)[i] = 0xff
	}
	v.A, v.B, v.F, v.G = 1, 2, 3, 4
	v.C[0].D, v.C[1].D = true, false
	v.C[0].E, v.C[1].E = 5, 6
	clean := padded{A: 1, B: 2, F: 3, G: 4}
	clean.C[0].D, clean.C[0].E, clean.C[1].E = true, 5, 6
	a, b := roundTrip(t, Fixed[padded](), v), roundTrip(t, Fixed[padded](), clean)
	if !bytes.Equal(a, b) || len(a) != int(unsafe.Sizeof(v)) {
		t.Errorf("%v\n%v", a, b)
	}
}

// A bool in memory that is neither 0 nor 1 would be true and false at once.
func TestFixedRefusesWhatIsNoValue(t *testing.T) {
	c := Fixed[padded]()
	b, err := c.Encode(padded{})
	noError(t, err)
	at := unsafe.Offsetof(padded{}.C) + unsafe.Sizeof(padded{}.C[0])
	b[at] = 1
	if v, err := c.Decode(b); err != nil || !v.C[1].D {
		t.Error(v, err)
	}
	b[at] = 2
	if v, err := c.Decode(b); !errors.Is(err, ErrFormat) || v != (padded{}) {
		t.Error(v, err)
	}
	for _, n := range []int{0, len(b) - 1, len(b) + 1} {
		_, err := c.Decode(make([]byte, n))
		wantError(t, err, ErrFormat)
	}
}

func TestFixedRefusesTypesThatAreNoMemory(t *testing.T) {
	wantPanic(t, "gosync: string has no fixed size", func() { Fixed[string]() })
	wantPanic(t, "gosync: []uint8 has no fixed size", func() { Fixed[[]byte]() })
	wantPanic(t, "gosync: *int has no fixed size", func() { Fixed[*int]() })
	wantPanic(t, "gosync: interface {} has no fixed size", func() { Fixed[any]() })
	wantPanic(t, "gosync: struct { A [2]func() } has no fixed size",
		func() { Fixed[struct{ A [2]func() }]() })
}

// The number is that of the C library, and of all versions of this package.
func TestTypeID(t *testing.T) {
	if id := TypeID("struct config", 24); id != 0xef7102f51d6b77b6 {
		t.Errorf("%#x", id)
	}
	if typeIDOf(reflect.TypeOf(point{})) != TypeID("gosync.point", 8) {
		t.Error("point")
	}
}
