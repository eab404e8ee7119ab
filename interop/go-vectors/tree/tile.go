package main

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
)

func tileVectors() {
	// All tiles of a tree: path and SHA-256 of the bytes.
	for _, size := range []int{1, 255, 256, 257, 70000} {
		tiles := fields{}
		level, row := 0, leaves(size)
		for len(row) > 0 {
			for first := 0; first < len(row); first += 256 {
				part := row[first:min(first+256, len(row))]
				bytes := []byte{}
				for _, h := range part {
					bytes = append(bytes, h[:]...)
				}
				sum := sha256.Sum256(bytes)
				tiles[fmt.Sprintf("tile/%d/%s", level, place(first/256, len(part)))] = hexOf(sum[:])
			}
			above := []hash{}
			for first := 0; first+256 <= len(row); first += 256 {
				above = append(above, mth(row[first:first+256]))
			}
			level, row = level+1, above
		}
		write(fmt.Sprintf("tiles_of_%d", size), fields{"kind": "tiles", "size": size, "tiles": tiles})
	}

	bundle := func(name string, valid bool, bytes []byte, count int) {
		write("bundle_"+name, fields{"kind": "bundle", "valid": valid, "bundle": hexOf(bytes), "count": count})
	}
	full := []byte{}
	for n := range 256 {
		full = append(binary.BigEndian.AppendUint16(full, 8), leafData(n)...)
	}
	bundle("full", true, full, 256)
	bundle("one_empty_leaf", true, []byte{0, 0}, 1)
	bundle("no_leaf", false, nil, 0)
	bundle("too_many_leaves", false, append(append([]byte{}, full...), 0, 0), 0)
	bundle("cut_in_a_leaf", false, full[:len(full)-1], 0)
	bundle("cut_in_a_length", false, append([]byte{0, 1, 7}, 0), 0)
}

// place writes a tile's index in groups of three digits, and its width if it is partial.
func place(index, width int) string {
	text := fmt.Sprintf("%03d", index%1000)
	for index /= 1000; index > 0; index /= 1000 {
		text = fmt.Sprintf("x%03d/%s", index%1000, text)
	}
	if width < 256 {
		text += fmt.Sprintf(".p/%d", width)
	}
	return text
}
