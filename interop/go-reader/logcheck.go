package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"math"
	"sync/atomic"
)

// Check 6 of export.md, section 2: one log, its leaves and its notes.

const (
	saltLen = 16
	maxLeaf = 65535
)

// Log is one log of the export.
type Log struct {
	Name      LogName
	Text      string
	Size      uint64
	Party     int // party index
	data      []byte
	offsets   []int // where the leaf data of each leaf begins in data
	tree      *Tree
	Signed    uint64
	PostQuant uint64
	Cosigned  []uint64 // by party index
	// Cosigned with ML-DSA, by party index.
	CosignedPQ []uint64
	Entries    []Entry
	judgeState
}

// leafData is the leaf data at an index; empty when erased.
func (l *Log) leafData(i uint64) []byte {
	at := l.offsets[i]
	n := int(binary.BigEndian.Uint16(l.data[at-2:]))
	return l.data[at : at+n]
}

// entry is the entry bytes at an index; nil for what is no salt and entry.
func (l *Log) entry(i uint64) []byte {
	b := l.leafData(i)
	if len(b) < saltLen {
		return nil
	}
	return b[saltLen:]
}

// fallenTime is a receipt older than one for a smaller size.
type fallenTime struct {
	log      string
	party    int
	size     uint64
	from, to uint64
}

// checkLog runs check 6 on one log.
func (x *Export) checkLog(l *Log) *Fault {
	l.Party = x.charter.index(l.Name.Party)
	if l.Party < 0 {
		return faultAt("export", l.Text)
	}
	folder := "logs/" + l.Name.folder() + "/"
	l.data = x.readFile(folder + "entries")
	leaves := x.readFile(folder + "leaves")
	if !l.split() || uint64(len(leaves)) != 32*l.Size {
		return faultAt("length", l.Text)
	}
	var wrong atomic.Uint64
	wrong.Store(math.MaxUint64)
	parallel(int(l.Size), 256, func(lo, hi int) {
		buf := make([]byte, 0, 1024)
		for i := lo; i < hi; i++ {
			data := l.leafData(uint64(i))
			if len(data) == 0 {
				continue
			}
			buf = append(append(buf[:0], 0), data...)
			if h := sha256.Sum256(buf); !bytes.Equal(h[:], leaves[32*i:32*i+32]) {
				lower(&wrong, uint64(i))
				return
			}
		}
	})
	if i := wrong.Load(); i != math.MaxUint64 {
		return faultIndex("leaf", l.Text, i)
	}
	l.tree = newTree(leaves)
	if f := x.checkNotes(l, x.readFile(folder+"notes")); f != nil {
		return f
	}
	if l.Signed < l.Size {
		return faultIndex("unsigned", l.Text, l.Signed)
	}
	return nil
}

// lower keeps the least index found by several goroutines.
func lower(a *atomic.Uint64, i uint64) {
	for {
		old := a.Load()
		if i >= old || a.CompareAndSwap(old, i) {
			return
		}
	}
}

// split finds the leaves in `entries`: as many as named, to the last byte.
func (l *Log) split() bool {
	if l.Size > uint64(len(l.data)/2) {
		return false
	}
	l.offsets = make([]int, l.Size)
	at := 0
	for i := range l.offsets {
		if len(l.data)-at < 2 {
			return false
		}
		n := int(binary.BigEndian.Uint16(l.data[at:]))
		l.offsets[i] = at + 2
		at += 2 + n
		if at > len(l.data) {
			return false
		}
	}
	return at == len(l.data)
}

// lineKeys are the keys that may sign notes of a log: those of every edition.
func (x *Export) lineKeys(l *Log) map[lineName]*lineKey {
	keys := map[lineName]*lineKey{}
	for i, p := range x.charter.Parties {
		own := i == l.Party
		name := l.Text
		if !own {
			name = cosignerName(x.Channel, p)
		}
		for _, c := range x.credentials[p] {
			pair, kind := c.Cosigner, byte(typeReceipt)
			if own {
				pair, kind = c.Log, typeLog
			}
			for _, k := range []lineKey{{kind, pair.Ed, i, own}, {typeML, pair.ML, i, own}} {
				keys[lineName{name, keyID(name, k.kind, k.key)}] = &k
			}
		}
	}
	return keys
}

// checkNotes checks note after note; each by all checks before the next.
func (x *Export) checkNotes(l *Log, b []byte) *Fault {
	var notes []Note
	malformed := false
	last := uint64(0)
	for len(b) > 0 {
		n, rest, ok := nextNote(b)
		if !ok || n.Origin != l.Text || n.Size <= last || n.Size > l.Size {
			malformed = true
			break
		}
		notes, last, b = append(notes, n), n.Size, rest
	}
	keys := x.lineKeys(l)
	const rootWrong, signatureWrong = 1, 2
	verdicts := make([]byte, len(notes))
	times := make([][]uint64, len(notes))
	parallel(len(notes), 4, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			n := &notes[i]
			if l.tree.root(n.Size) != n.Root {
				verdicts[i] = rootWrong
				continue
			}
			times[i] = make([]uint64, len(n.Lines))
			for j := range n.Lines {
				k := keys[lineName{n.Lines[j].Name, n.Lines[j].ID}]
				if k == nil {
					continue
				}
				t, ok := n.check(&n.Lines[j], k)
				if !ok {
					verdicts[i] = signatureWrong
					break
				}
				times[i][j] = t
			}
		}
	})
	l.Cosigned = make([]uint64, len(x.charter.Parties))
	l.CosignedPQ = make([]uint64, len(x.charter.Parties))
	newest := make([]uint64, len(x.charter.Parties)) // latest time at the size before
	for i := range notes {
		switch verdicts[i] {
		case rootWrong:
			return faultIndex("root", l.Text, notes[i].Size-1)
		case signatureWrong:
			return faultIndex("signature", l.Text, notes[i].Size-1)
		}
		least, most := map[int]uint64{}, map[int]uint64{}
		for j := range notes[i].Lines {
			k := keys[lineName{notes[i].Lines[j].Name, notes[i].Lines[j].ID}]
			switch {
			case k == nil:
			case k.own && k.kind == typeLog:
				l.Signed = notes[i].Size
			case k.own:
				l.PostQuant = notes[i].Size
			case k.kind == typeML:
				l.CosignedPQ[k.party] = notes[i].Size
			default:
				l.Cosigned[k.party] = notes[i].Size
				t := times[i][j]
				if old, ok := least[k.party]; !ok || t < old {
					least[k.party] = t
				}
				most[k.party] = max(most[k.party], t)
			}
		}
		for p := range x.charter.Parties {
			if to, ok := least[p]; ok {
				if to < newest[p] {
					x.fallen = append(x.fallen, fallenTime{l.Text, p, notes[i].Size, newest[p], to})
				}
				newest[p] = most[p]
			}
		}
	}
	if malformed {
		return faultAt("note", l.Text)
	}
	return nil
}
