package main

import (
	"bytes"
	"encoding/binary"
	"errors"
	"unicode/utf8"
)

// The strict decoder of encoding.md, section 1. Whatever it takes has exactly
// one encoding, so the raw bytes of a value are also its canonical encoding:
// nothing in this program needs an encoder to hash what it read.

// Types of a Value.
const (
	tUint byte = iota
	tNeg
	tBytes
	tText
	tArray
	tMap
	tFalse
	tTrue
	tNull
)

// maxDepth is the deepest nesting: a value inside the outermost is at depth 1.
const maxDepth = 12

var errCBOR = errors.New("not deterministic CBOR")

// Value is one decoded CBOR value. A holds array items, or keys and values of
// a map in turn; B the bytes of a string; Raw the encoding of the whole value.
type Value struct {
	T   byte
	N   uint64 // tUint: the number; tNeg: -1 - the number
	B   []byte
	A   []Value
	Raw []byte
}

// decoder keeps a slab of values, so that a million entries do not make twenty
// million allocations. Values live until the next reset.
type decoder struct {
	buf  []byte
	pos  int
	slab []Value
}

func (d *decoder) alloc(n int) []Value {
	if len(d.slab)+n > cap(d.slab) {
		d.slab = make([]Value, 0, max(n, 512))
	}
	s := d.slab[len(d.slab) : len(d.slab)+n : len(d.slab)+n]
	d.slab = d.slab[:len(d.slab)+n]
	return s
}

// decode reads exactly one value that fills b.
func (d *decoder) decode(b []byte) (v Value, err error) {
	d.buf, d.pos, d.slab = b, 0, d.slab[:0]
	if err = d.value(&v, 0); err != nil {
		return v, err
	}
	if d.pos != len(b) {
		return v, errCBOR
	}
	return v, nil
}

// decodeOne reads one value that fills b, with memory of its own.
func decodeOne(b []byte) (Value, error) {
	var d decoder
	return d.decode(b)
}

// decodeV1 reads the version byte 0x01 and one value.
func decodeV1(b []byte) (Value, error) {
	if len(b) == 0 || b[0] != 1 {
		return Value{}, errCBOR
	}
	return decodeOne(b[1:])
}

// head reads the first byte and its argument, in shortest form.
func (d *decoder) head() (major byte, n uint64, err error) {
	if d.pos >= len(d.buf) {
		return 0, 0, errCBOR
	}
	first := d.buf[d.pos]
	d.pos++
	major, info := first>>5, first&31
	if info < 24 {
		return major, uint64(info), nil
	}
	if info > 27 || major == 7 {
		return 0, 0, errCBOR
	}
	width := 1 << (info - 24)
	if len(d.buf)-d.pos < width {
		return 0, 0, errCBOR
	}
	var least uint64
	rest := d.buf[d.pos:]
	switch width {
	case 1:
		n, least = uint64(rest[0]), 24
	case 2:
		n, least = uint64(binary.BigEndian.Uint16(rest)), 1<<8
	case 4:
		n, least = uint64(binary.BigEndian.Uint32(rest)), 1<<16
	case 8:
		n, least = binary.BigEndian.Uint64(rest), 1<<32
	}
	d.pos += width
	if n < least {
		return 0, 0, errCBOR
	}
	return major, n, nil
}

func (d *decoder) value(v *Value, depth int) error {
	start := d.pos
	major, n, err := d.head()
	if err != nil || depth > maxDepth {
		return errCBOR
	}
	left := uint64(len(d.buf) - d.pos)
	*v = Value{N: n}
	switch major {
	case 0:
		v.T = tUint
	case 1:
		if n > 1<<63-1 {
			return errCBOR
		}
		v.T = tNeg
	case 2, 3:
		if n > left {
			return errCBOR
		}
		v.B = d.buf[d.pos : d.pos+int(n) : d.pos+int(n)]
		d.pos += int(n)
		v.T = tBytes
		if major == 3 {
			v.T = tText
			if !utf8.Valid(v.B) {
				return errCBOR
			}
		}
	case 4:
		if n > left {
			return errCBOR
		}
		v.T = tArray
		v.A = d.alloc(int(n))
		for i := range v.A {
			if err := d.value(&v.A[i], depth+1); err != nil {
				return err
			}
		}
	case 5:
		if n > left/2 {
			return errCBOR
		}
		v.T = tMap
		v.A = d.alloc(2 * int(n))
		for i := range v.A {
			if err := d.value(&v.A[i], depth+1); err != nil {
				return err
			}
			if i%2 == 0 && i > 0 && bytes.Compare(v.A[i-2].Raw, v.A[i].Raw) >= 0 {
				return errCBOR
			}
		}
	case 7:
		switch n {
		case 20:
			v.T = tFalse
		case 21:
			v.T = tTrue
		case 22:
			v.T = tNull
		default:
			return errCBOR
		}
	default:
		return errCBOR
	}
	v.Raw = d.buf[start:d.pos:d.pos]
	return nil
}

// Small readers: each says whether the value has the type asked for.

func (v *Value) null() bool           { return v.T == tNull }
func (v *Value) array(n int) bool     { return v.T == tArray && len(v.A) == n }
func (v *Value) uintTo(m uint64) bool { return v.T == tUint && v.N <= m }
func (v *Value) within(lo, hi uint64) bool {
	return v.T == tUint && v.N >= lo && v.N <= hi
}
func (v *Value) bytesOf(n int) bool { return v.T == tBytes && len(v.B) == n }

// integer gives a value that fits in 64 signed bits.
func (v *Value) integer() (int64, bool) {
	switch {
	case v.T == tUint && v.N <= 1<<63-1:
		return int64(v.N), true
	case v.T == tNeg:
		return -1 - int64(v.N), true
	}
	return 0, false
}

// max32 is the largest edition, format, roster or generation number.
const max32 = 1<<32 - 1

// moment gives milliseconds from -2^53 to 2^53.
func (v *Value) moment() (int64, bool) {
	n, ok := v.integer()
	return n, ok && n >= -1<<53 && n <= 1<<53
}

// hash32 gives a byte string of 32 bytes.
func (v *Value) hash32() (h [32]byte, ok bool) {
	if !v.bytesOf(32) {
		return h, false
	}
	copy(h[:], v.B)
	return h, true
}

// fields gives the values of a map that has exactly these text keys, in the
// order asked for.
func (v *Value) fields(keys ...string) ([]Value, bool) {
	if v.T != tMap || len(v.A) != 2*len(keys) {
		return nil, false
	}
	out := make([]Value, len(keys))
next:
	for i, k := range keys {
		for j := 0; j < len(v.A); j += 2 {
			if v.A[j].T == tText && string(v.A[j].B) == k {
				out[i] = v.A[j+1]
				continue next
			}
		}
		return nil, false
	}
	return out, true
}

// An encoder for the few values that are hashed or signed and never travel.

func putHead(b []byte, major byte, n uint64) []byte {
	m := major << 5
	switch {
	case n < 24:
		return append(b, m|byte(n))
	case n < 1<<8:
		return append(b, m|24, byte(n))
	case n < 1<<16:
		return binary.BigEndian.AppendUint16(append(b, m|25), uint16(n))
	case n < 1<<32:
		return binary.BigEndian.AppendUint32(append(b, m|26), uint32(n))
	}
	return binary.BigEndian.AppendUint64(append(b, m|27), n)
}

func putUint(b []byte, n uint64) []byte { return putHead(b, 0, n) }
func putBytes(b, s []byte) []byte       { return append(putHead(b, 2, uint64(len(s))), s...) }
func putText(b []byte, s string) []byte { return append(putHead(b, 3, uint64(len(s))), s...) }
func putArray(b []byte, n int) []byte   { return putHead(b, 4, uint64(n)) }
