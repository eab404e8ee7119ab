package main

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"math"
	"slices"
	"strings"
)

// Tables of the logs a writer has seen, and the clauses `seen` and
// `reference`: entry.md, sections 4 and 5.

// row is one ordinal of a table. Log is -1 for a log that is not held.
type row struct {
	log  int
	desc Desc
	name string
	size uint64
}

// target says that an entry has seen a log up to a size.
type target struct {
	log      int
	from, to uint64
}

// judgeState is what judging keeps for a log.
type judgeState struct {
	resolved, resolving bool
	waiting             bool // the table cannot be known
	unsure              bool // an erased leaf stands before, and no check has agreed since
	snapshots           map[uint64][]row
	inherited           []target // what the table of entry 0 begins with
	acts                []actAt
	pending             []target // seen, but not judged yet
	placed              uint64
	rank                int
	view                view
}

// Record is an export whose entries are judged together.
type Record struct {
	*Export
	byDesc map[Desc]int
}

func newRecord(x *Export) *Record {
	r := &Record{Export: x, byDesc: map[Desc]int{}}
	for i, l := range x.Logs {
		r.byDesc[l.desc()] = i
		l.Entries = make([]Entry, l.Size)
		parallel(int(l.Size), 256, func(lo, hi int) {
			var d decoder
			for i := lo; i < hi; i++ {
				if len(l.leafData(uint64(i))) == 0 {
					l.Entries[i] = Entry{Kind: -1, Erased: true}
					continue
				}
				e := decodeEntry(&d, l.entry(uint64(i)), l.Name.Lane)
				early := e.Clause == clauseNone || e.Clause > clauseGeneration
				if early && !e.NotYet && (i == 0) != (e.Kind == kindGeneration) {
					e.Clause = clauseGeneration
				}
				l.Entries[i] = e
			}
		})
	}
	for _, l := range x.Logs {
		l.snapshots = map[uint64][]row{}
	}
	for _, l := range x.Logs {
		if n := l.named(); len(n) > 0 {
			if j, ok := r.byDesc[l.sibling(n[0])]; ok {
				x.Logs[j].snapshots[n[0].Size] = nil
			}
		}
	}
	for i := range x.Logs {
		r.resolve(i)
	}
	return r
}

func (l *Log) desc() Desc {
	return Desc{uint64(l.Party), uint64(l.Name.Lane), l.Name.Number, l.Name.Run}
}

// named gives the logs that a valid generation entry of this log names.
func (l *Log) named() []Named {
	if len(l.Entries) == 0 || l.Entries[0].Clause != clauseNone || l.Entries[0].Kind != kindGeneration {
		return nil
	}
	return l.Entries[0].Act.Named
}

// sibling describes a log of the same party and lane.
func (l *Log) sibling(n Named) Desc {
	return Desc{uint64(l.Party), uint64(l.Name.Lane), n.Number, n.Run}
}

func (r *Record) newRow(d Desc, size uint64) row {
	out := row{log: -1, desc: d, size: size}
	if i, ok := r.byDesc[d]; ok {
		out.log = i
	}
	if d.Party < uint64(len(r.charter.Parties)) {
		out.name = LogName{r.Channel, r.charter.Parties[d.Party], uint8(d.Lane), d.Number, d.Run}.String()
	}
	return out
}

// held says whether the export has the row's log up to the row's size.
func (r *Record) held(w row) bool { return w.log >= 0 && w.size <= r.Logs[w.log].Size }

// resolve walks one log, keeping its table; it judges `seen` and `reference`.
func (r *Record) resolve(i int) {
	l := r.Logs[i]
	if l.resolved {
		return
	}
	l.resolving = true
	defer func() { l.resolving, l.resolved = false, true }()
	table, ok := r.inherit(i)
	if !ok {
		l.waiting = true
		for k := range l.Entries {
			if e := &l.Entries[k]; !e.Erased {
				e.later = e.later || e.NotYet
				e.Clause, e.NotYet, e.Waiting = clauseNone, false, true
			}
		}
		return
	}
	for w := range table {
		if w > 0 && r.held(table[w]) {
			l.inherited = append(l.inherited, target{table[w].log, 0, table[w].size})
		}
	}
	for k := range l.Entries {
		l.snap(uint64(k), table)
		table = r.resolveEntry(l, uint64(k), table)
	}
	l.snap(l.Size, table)
}

// snap keeps the table at a size that a generation entry names. An unsure one
// is not known.
func (l *Log) snap(size uint64, table []row) {
	if held, wanted := l.snapshots[size]; wanted && held == nil && !l.unsure {
		l.snapshots[size] = slices.Clone(table)
	}
}

// resolveEntry judges `seen` and `reference` of one entry, and gives the table
// after it.
func (r *Record) resolveEntry(l *Log, k uint64, table []row) []row {
	e := &l.Entries[k]
	l.unsure = l.unsure || e.Erased
	if e.Erased || e.Kind < 0 && !e.NotYet || e.Clause == clauseCBOR || e.Clause == clauseShape {
		return table
	}
	if k == 0 && slices.ContainsFunc(l.named(), func(n Named) bool { return l.sibling(n) == l.desc() }) {
		e.Clause = clauseSeen
		return table
	}
	next, targets, check, ok := r.apply(e, table)
	if !e.NotYet && ok {
		if e.CheckWrong = check == checkDiffers && !l.unsure; !e.CheckWrong && (!l.unsure || check == checkAgrees) {
			e.edges = targets
		}
	}
	switch {
	case e.Clause != clauseNone: // void already: its `seen` is not applied
		return table
	case e.NotYet:
		if ok {
			e.targets = targets
			return next
		}
		return table
	case l.unsure && check != checkAgrees:
		if e.Waiting = true; ok {
			e.targets = targets
			return next
		}
		return table
	case !ok:
		e.Clause = clauseSeen
		return table
	}
	l.unsure = false
	e.targets = targets
	if !r.references(l, e, k, next) {
		e.Clause = clauseReference
	} else if e.Kind <= kindClose && (e.Kind >= kindRatify || r.present[proofPath(e.Proof)]) {
		r.hashStatement(l, e, k, next)
	}
	return next
}

// inherit gives the table that entry 0 begins with; row 0 is the log itself.
func (r *Record) inherit(i int) ([]row, bool) {
	l := r.Logs[i]
	table := []row{r.newRow(l.desc(), 0)}
	named := l.named()
	if len(named) == 0 || slices.ContainsFunc(named, func(n Named) bool { return l.sibling(n) == l.desc() }) {
		return table, true
	}
	first, ok := r.byDesc[l.sibling(named[0])]
	if !ok || first == i || r.Logs[first].resolving || r.Logs[first].Size < named[0].Size {
		return nil, false
	}
	r.resolve(first)
	if r.Logs[first].waiting {
		return nil, false
	}
	before := r.Logs[first].snapshots[named[0].Size]
	if before == nil {
		return nil, false
	}
	table = append(table, before[1:]...)
next:
	for _, n := range named {
		d := l.sibling(n)
		for w := 1; w < len(table); w++ {
			if table[w].desc == d {
				table[w].size = n.Size
				continue next
			}
		}
		table = append(table, r.newRow(d, n.Size))
	}
	return table, true
}

// What an entry's check says of the table.
const (
	checkSilent = iota // there is none, or a log is not held
	checkAgrees
	checkDiffers
)

// apply gives the table after an entry's `seen`, what it lists, and what the
// check says of it.
func (r *Record) apply(e *Entry, table []row) ([]row, []target, int, bool) {
	if e.Seen == nil {
		return table, nil, checkSilent, true
	}
	out := slices.Clone(table)
	lastOrdinal, known := uint64(0), uint64(len(table))
	var last *Desc
	for i := range e.Seen {
		s := &e.Seen[i]
		if !s.New {
			if last != nil || s.Ordinal <= lastOrdinal || s.Ordinal >= known || s.Size <= table[s.Ordinal].size {
				return nil, nil, checkSilent, false
			}
			lastOrdinal = s.Ordinal
			continue
		}
		if s.Desc.Party >= uint64(len(r.charter.Parties)) || s.Size == 0 || (last != nil && !descBefore(last, &s.Desc)) {
			return nil, nil, checkSilent, false
		}
		for w := range table {
			if table[w].desc == s.Desc {
				return nil, nil, checkSilent, false
			}
		}
		last = &s.Desc
	}
	targets := make([]target, len(e.Seen))
	for i := range e.Seen {
		s := &e.Seen[i]
		if s.New {
			out = append(out, r.newRow(s.Desc, s.Size))
			targets[i] = target{out[len(out)-1].log, 0, s.Size}
		} else {
			targets[i] = target{out[s.Ordinal].log, out[s.Ordinal].size, s.Size}
			out[s.Ordinal].size = s.Size
		}
	}
	return out, targets, r.checkOf(out, e.Check), true
}

func descBefore(a, b *Desc) bool {
	return cmp.Or(cmp.Compare(a.Party, b.Party), cmp.Compare(a.Lane, b.Lane), cmp.Compare(a.Number, b.Number),
		bytes.Compare(a.Run[:], b.Run[:])) < 0
}

// checkOf compares a check with the logs of the table. The log itself, ordinal
// 0, is not in it.
func (r *Record) checkOf(table []row, check [8]byte) int {
	order := make([]*row, 0, len(table))
	for w := 1; w < len(table); w++ {
		if table[w].size == 0 {
			continue
		}
		if !r.held(table[w]) {
			return checkSilent
		}
		order = append(order, &table[w])
	}
	if len(order) > 1 {
		slices.SortFunc(order, func(a, b *row) int { return strings.Compare(a.name, b.name) })
	}
	b := make([]byte, 0, 256*len(order))
	for _, w := range order {
		root := r.Logs[w.log].tree.root(w.size)
		b = append(append(b, w.name...), 0)
		b = append(binary.BigEndian.AppendUint64(b, w.size), root[:]...)
	}
	h := sha256.Sum256(b)
	if bytes.Equal(h[:8], check[:]) {
		return checkAgrees
	}
	return checkDiffers
}

// references judges the clause `reference`.
func (r *Record) references(l *Log, e *Entry, index uint64, table []row) bool {
	one := (e.Kind >= kindAcknowledge && e.Kind <= kindCorrect) || e.Kind == kindOpened || e.Kind == kindTestAnswer
	none := e.Kind >= kindRatify && e.Kind <= kindClose
	if (one && e.RefCount != 1) || (none && e.RefCount != 0) {
		return false
	}
	for i, ref := range e.Refs {
		own := (e.Kind == kindWithdraw || e.Kind == kindCorrect) && i < e.RefCount
		if f := ref.Foreign; f != nil {
			if f.Channel == r.Channel || (f.Lane == laneExercise) != (l.Name.Lane == laneExercise) || (own && f.Party != l.Name.Party) {
				return false
			}
			continue
		}
		size := index
		if ref.Ordinal > 0 {
			if ref.Ordinal >= uint64(len(table)) {
				return false
			}
			size = table[ref.Ordinal].size
		}
		d := &table[min(ref.Ordinal, math.MaxInt32)].desc
		if ref.Index >= size || d.Lane != uint64(l.Name.Lane) || (own && d.Party != uint64(l.Party)) {
			return false
		}
	}
	return true
}

// hashStatement keeps the statement hash where something hangs on it.
func (r *Record) hashStatement(l *Log, e *Entry, index uint64, table []row) {
	v, err := decodeV1(l.entry(index))
	if err != nil {
		return
	}
	if e.Act == nil {
		e.Act = &Act{}
	}
	e.Act.Statement = statementHash(v.A, l.Name, func(o uint64) string { return table[o].name })
}
