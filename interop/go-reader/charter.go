package main

import (
	"bytes"
	"unicode/utf8"
)

// Charter is what this program needs of a charter (charter.md).
type Charter struct {
	Edition  uint64
	Parties  []Hash
	Previous *Hash
	Random   []byte
	Release  [2]uint64
	proofs   map[uint64]bool // precedences, and format numbers + 4
}

func uints(v *Value, least, most int) ([]uint64, bool) {
	if v.T != tArray || len(v.A) < least || len(v.A) > most {
		return nil, false
	}
	out := make([]uint64, len(v.A))
	for i := range v.A {
		if !v.A[i].uintTo(max32) {
			return nil, false
		}
		out[i] = v.A[i].N
	}
	return out, true
}

func rising(n []uint64) bool {
	for i := 1; i < len(n); i++ {
		if n[i-1] >= n[i] {
			return false
		}
	}
	return true
}

func texts(v *Value, least, most int) bool {
	if v.T != tArray || len(v.A) < least || len(v.A) > most {
		return false
	}
	for i := range v.A {
		if v.A[i].T != tText {
			return false
		}
	}
	return true
}

// lengths says whether all texts of an array have 1 to most characters.
func lengths(v *Value, most int) bool {
	for i := range v.A {
		if n := utf8.RuneCount(v.A[i].B); n < 1 || n > most {
			return false
		}
	}
	return true
}

// optionalHash reads null or 32 bytes.
func optionalHash(v *Value) (*Hash, bool) {
	if v.null() {
		return nil, true
	}
	h, ok := v.hash32()
	return &h, ok
}

func parseCharter(b []byte) (*Charter, bool) {
	v, err := decodeV1(b)
	if err != nil {
		return nil, false
	}
	f, ok := v.fields("acknowledge", "edition", "formats", "kem_keep_days", "label", "languages", "level",
		"parties", "previous", "proofs", "random", "release", "silent_after", "subjects", "test_every")
	if !ok {
		return nil, false
	}
	c := &Charter{Edition: f[1].N, Random: f[10].B, proofs: map[uint64]bool{}}
	label := utf8.RuneCount(f[4].B)
	if _, ok = uints(&f[0], 4, 4); !ok || !f[1].within(1, max32) || !formatList(&f[2]) ||
		!f[3].uintTo(max32) || f[4].T != tText || label < 1 || label > 80 || !f[6].uintTo(10) ||
		!f[10].bytesOf(16) || !f[12].uintTo(max32) || !texts(&f[13], 0, 32) || !lengths(&f[13], 80) || !f[14].uintTo(max32) {
		return nil, false
	}
	if f[7].T != tArray || len(f[7].A) < 2 || len(f[7].A) > 16 || !texts(&f[5], len(f[7].A), len(f[7].A)) || !lengths(&f[5], 16) {
		return nil, false
	}
	for i := range f[7].A {
		p, ok := f[7].A[i].hash32()
		if !ok || (i > 0 && bytes.Compare(c.Parties[i-1][:], p[:]) >= 0) {
			return nil, false
		}
		c.Parties = append(c.Parties, p)
	}
	if c.Previous, ok = optionalHash(&f[8]); !ok || (c.Previous == nil) != (c.Edition == 1) {
		return nil, false
	}
	proofs, ok := uints(&f[9], 0, 1<<16)
	if !ok || !rising(proofs) {
		return nil, false
	}
	for _, p := range proofs {
		c.proofs[p] = true
	}
	release, ok := uints(&f[11], 2, 2)
	if !ok || release[0] < 1 || release[0] > 16 || release[1] < 1 || release[1] > 16 {
		return nil, false
	}
	c.Release = [2]uint64{release[0], release[1]}
	return c, true
}

// formatList reads null or an array of [number, edition], rising.
func formatList(v *Value) bool {
	if v.null() {
		return true
	}
	if v.T != tArray {
		return false
	}
	var last []uint64
	for i := range v.A {
		pair, ok := uints(&v.A[i], 2, 2)
		if !ok || (i > 0 && (last[0] > pair[0] || (last[0] == pair[0] && last[1] >= pair[1]))) {
			return false
		}
		last = pair
	}
	return true
}

func (c *Charter) index(p Hash) int {
	for i := range c.Parties {
		if c.Parties[i] == p {
			return i
		}
	}
	return -1
}
