package main

import (
	"crypto/sha256"
	"encoding/binary"
)

type hash = [32]byte

// leafData is the data of leaf n in every tree here: n in eight bytes, big-endian.
func leafData(n int) []byte { return binary.BigEndian.AppendUint64(nil, uint64(n)) }

func leafHash(data []byte) hash { return sha256.Sum256(append([]byte{0}, data...)) }

func nodeHash(left, right hash) hash {
	return sha256.Sum256(append(append([]byte{1}, left[:]...), right[:]...))
}

func leaves(count int) []hash {
	all := make([]hash, count)
	for n := range all {
		all[n] = leafHash(leafData(n))
	}
	return all
}

// split is the largest power of two below n.
func split(n int) int {
	k := 1
	for k*2 < n {
		k *= 2
	}
	return k
}

// mth is MTH of RFC 6962, section 2.1.
func mth(d []hash) hash {
	switch len(d) {
	case 0:
		return sha256.Sum256(nil)
	case 1:
		return d[0]
	}
	k := split(len(d))
	return nodeHash(mth(d[:k]), mth(d[k:]))
}

// path is PATH of RFC 6962, section 2.1.1.
func path(m int, d []hash) []hash {
	if len(d) == 1 {
		return nil
	}
	k := split(len(d))
	if m < k {
		return append(path(m, d[:k]), mth(d[k:]))
	}
	return append(path(m-k, d[k:]), mth(d[:k]))
}

// subproof is SUBPROOF of RFC 6962, section 2.1.2; known says whether the verifier has the old root.
func subproof(m int, d []hash, known bool) []hash {
	if m == len(d) {
		if known {
			return nil
		}
		return []hash{mth(d)}
	}
	k := split(len(d))
	if m <= k {
		return append(subproof(m, d[:k], known), mth(d[k:]))
	}
	return append(subproof(m-k, d[k:], false), mth(d[:k]))
}

func treeVectors() {
	sizes := []int{}
	for n := 0; n <= 66; n++ {
		sizes = append(sizes, n)
	}
	sizes = append(sizes, 127, 128, 129, 255, 256, 257, 1000, 70000)
	roots := []hash{}
	for _, n := range sizes {
		roots = append(roots, mth(leaves(n)))
	}
	write("tree_roots", fields{"kind": "roots", "sizes": sizes, "roots": hexAll(roots)})

	for _, c := range []struct {
		name     string
		m, n     int
		valid    bool
		mutation func(*inclusion)
	}{
		{"single_leaf", 0, 1, true, nil},
		{"first_of_seven", 0, 7, true, nil},
		{"last_of_seven", 6, 7, true, nil},
		{"last_alone_on_its_level", 64, 65, true, nil},
		{"middle_of_thousand", 517, 1000, true, nil},
		{"path_too_long", 3, 7, false, func(c *inclusion) { c.path = append(c.path, c.root) }},
		{"path_too_short", 3, 7, false, func(c *inclusion) { c.path = c.path[:len(c.path)-1] }},
		{"path_for_single_leaf", 0, 1, false, func(c *inclusion) { c.path = append(c.path, c.root) }},
		{"path_reversed", 3, 7, false, func(c *inclusion) { c.path[0], c.path[2] = c.path[2], c.path[0] }},
		{"other_leaf", 3, 7, false, func(c *inclusion) { c.leaf = leafHash([]byte("other")) }},
		{"other_index", 3, 7, false, func(c *inclusion) { c.index = 2 }},
		{"index_is_size", 6, 7, false, func(c *inclusion) { c.index = 7 }},
		{"size_zero", 0, 1, false, func(c *inclusion) { c.size = 0 }},
		{"size_above_limit", 0, 1, false, func(c *inclusion) { c.size = 1<<40 + 1 }},
		{"node_shown_as_leaf", 0, 2, false, func(c *inclusion) {
			c.size, c.path, c.leaf = 1, nil, leafHash(append(append([]byte{1}, leafData(0)...), leafData(1)...))
		}},
		{"other_root", 3, 7, false, func(c *inclusion) { c.root = mth(leaves(8)) }},
	} {
		d := leaves(c.n)
		v := inclusion{uint64(c.m), uint64(c.n), d[c.m], mth(d), path(c.m, d)}
		if c.mutation != nil {
			c.mutation(&v)
		}
		write("inclusion_"+c.name, fields{
			"kind": "inclusion", "valid": c.valid, "index": v.index, "size": v.size,
			"leaf_hash": hexOf(v.leaf[:]), "root": hexOf(v.root[:]), "path": hexAll(v.path),
		})
	}

	for _, c := range []struct {
		name     string
		m, n     int
		valid    bool
		mutation func(*consistency)
	}{
		{"from_empty", 0, 5, true, nil},
		{"empty_to_empty", 0, 0, true, nil},
		{"same_size", 5, 5, true, nil},
		{"from_power_of_two", 4, 7, true, nil},
		{"from_odd_size", 3, 7, true, nil},
		{"one_leaf_more", 1000, 1001, true, nil},
		{"far", 517, 70000, true, nil},
		{"path_too_long", 3, 7, false, func(c *consistency) { c.path = append(c.path, c.newRoot) }},
		{"path_too_short", 3, 7, false, func(c *consistency) { c.path = c.path[:len(c.path)-1] }},
		{"path_empty", 3, 7, false, func(c *consistency) { c.path = nil }},
		{"old_root_prepended", 4, 7, false, func(c *consistency) { c.path = append([]hash{c.oldRoot}, c.path...) }},
		{"path_for_same_size", 5, 5, false, func(c *consistency) { c.path = []hash{c.oldRoot} }},
		{"same_size_other_root", 5, 5, false, func(c *consistency) { c.newRoot = mth(leaves(6)) }},
		{"path_from_empty", 0, 5, false, func(c *consistency) { c.path = []hash{c.newRoot} }},
		{"empty_with_other_root", 0, 5, false, func(c *consistency) { c.oldRoot = c.newRoot }},
		{"shrinking", 7, 7, false, func(c *consistency) { c.newSize = 6 }},
		{"forked_old", 5, 7, false, func(c *consistency) { d := leaves(5); d[2] = leafHash([]byte("forked")); c.oldRoot = mth(d) }},
		{"forked_new", 5, 7, false, func(c *consistency) { d := leaves(7); d[2] = leafHash([]byte("forked")); c.newRoot = mth(d) }},
		{"size_above_limit", 5, 7, false, func(c *consistency) { c.newSize = 1<<40 + 1 }},
	} {
		d := leaves(c.n)
		v := consistency{uint64(c.m), uint64(c.n), mth(d[:c.m]), mth(d), nil}
		if c.m > 0 {
			v.path = subproof(c.m, d, true)
		}
		if c.mutation != nil {
			c.mutation(&v)
		}
		write("consistency_"+c.name, fields{
			"kind": "consistency", "valid": c.valid, "old_size": v.oldSize, "new_size": v.newSize,
			"old_root": hexOf(v.oldRoot[:]), "new_root": hexOf(v.newRoot[:]), "path": hexAll(v.path),
		})
	}
}

type inclusion struct {
	index, size uint64
	leaf, root  hash
	path        []hash
}

type consistency struct {
	oldSize, newSize uint64
	oldRoot, newRoot hash
	path             []hash
}
