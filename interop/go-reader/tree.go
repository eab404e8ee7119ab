package main

import (
	"crypto/sha256"
	"math/bits"
	"runtime"
	"sync"
)

// The tree of RFC 6962, section 2.1.

// Tree holds the hashes of all perfect subtrees: level k has one for each 2^k
// leaves. With them the root of any size costs one hash for each set bit.
type Tree struct {
	size   uint64
	levels [][]byte
}

func nodeHash(left, right []byte) Hash {
	var b [65]byte
	b[0] = 1
	copy(b[1:], left)
	copy(b[33:], right)
	return sha256.Sum256(b[:])
}

// newTree builds the tree over leaf hashes laid end to end.
func newTree(leaves []byte) *Tree {
	t := &Tree{size: uint64(len(leaves) / 32), levels: [][]byte{leaves}}
	for low := leaves; len(low) >= 64; {
		up := make([]byte, len(low)/64*32)
		parallel(len(up)/32, 1024, func(lo, hi int) {
			for i := lo; i < hi; i++ {
				h := nodeHash(low[64*i:64*i+32], low[64*i+32:64*i+64])
				copy(up[32*i:], h[:])
			}
		})
		t.levels = append(t.levels, up)
		low = up
	}
	return t
}

func (t *Tree) leaf(i uint64) []byte { return t.levels[0][32*i : 32*i+32] }

// root is the root of the first n leaves, n not above the size.
func (t *Tree) root(n uint64) Hash {
	if n == 0 {
		return sha256.Sum256(nil)
	}
	var acc Hash
	have := false
	for rest := n; rest > 0; {
		k := bits.TrailingZeros64(rest)
		rest &^= 1 << k
		i := rest >> k
		node := t.levels[k][32*i : 32*i+32]
		if !have {
			copy(acc[:], node)
			have = true
		} else {
			acc = nodeHash(node, acc[:])
		}
	}
	return acc
}

// checkInclusion says whether path leads from a leaf hash at index to root.
func checkInclusion(leaf Hash, index, size uint64, path []Hash, root Hash) bool {
	if index >= size {
		return false
	}
	last := size - 1
	h := leaf
	for _, p := range path {
		switch {
		case last == 0:
			return false
		case index&1 == 1 || index == last:
			h = nodeHash(p[:], h[:])
			for index&1 == 0 && index != 0 {
				index >>= 1
				last >>= 1
			}
		default:
			h = nodeHash(h[:], p[:])
		}
		index >>= 1
		last >>= 1
	}
	return last == 0 && h == root
}

// checkConsistency says whether path shows that the tree of m leaves with root
// first is the beginning of the tree of n leaves with root second, 0 < m < n.
func checkConsistency(m, n uint64, first, second Hash, path []Hash) bool {
	if m == 0 || m >= n || len(path) == 0 {
		return false
	}
	f, s := m-1, n-1
	for f&1 == 1 {
		f >>= 1
		s >>= 1
	}
	a, b := first, first
	if m&(m-1) != 0 { // otherwise the old root itself begins the proof
		a, b = path[0], path[0]
		path = path[1:]
	}
	for _, p := range path {
		switch {
		case s == 0:
			return false
		case f&1 == 1 || f == s:
			a = nodeHash(p[:], a[:])
			b = nodeHash(p[:], b[:])
			for f&1 == 0 && f != 0 {
				f >>= 1
				s >>= 1
			}
		default:
			b = nodeHash(b[:], p[:])
		}
		f >>= 1
		s >>= 1
	}
	return s == 0 && a == first && b == second
}

// parallel runs f over parts of 0..n, none smaller than least but the last, on
// a few goroutines and waits.
func parallel(n, least int, f func(lo, hi int)) {
	workers := min(runtime.GOMAXPROCS(0), 8)
	if n <= least || workers < 2 {
		f(0, n)
		return
	}
	part := max(least, (n+4*workers-1)/(4*workers))
	next := make(chan int, n/part+1)
	for lo := 0; lo < n; lo += part {
		next <- lo
	}
	close(next)
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for lo := range next {
				f(lo, min(lo+part, n))
			}
		})
	}
	wg.Wait()
}
