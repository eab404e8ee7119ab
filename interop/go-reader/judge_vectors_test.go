package main

import (
	"crypto/sha256"
	"path/filepath"
	"slices"
	"testing"
)

// said is the verdict of an entry in the words of the vectors.
func said(e *Entry) string {
	switch {
	case e.Waiting:
		return "waiting"
	case e.Clause != clauseNone:
		return "void:" + clauseWords[e.Clause]
	case e.NotYet:
		return "not-yet-understood"
	}
	return "valid"
}

// Each prefix of a vector is a record of its own: what a file says of its last
// entry holds when only the entries before it are held. A log that waits may
// be told again later, so an entry counts at the place where it was last told.
func TestEntryVectorsAreJudgedAsTheySay(t *testing.T) {
	files, _ := filepath.Glob(vectors + "entry/*.json")
	if len(files) < 15 {
		t.Fatal("only", len(files), "vectors")
	}
	seen := map[string]bool{}
	for _, f := range files {
		var v struct {
			Channel string
			Parties []string
			Judged  []struct{ Log, Verdict, Entry string } `json:"judged_in_this_order"`
		}
		readVector(t, f, &v)
		c := &Charter{}
		for _, p := range v.Parties {
			name, ok := parseName(p)
			if !ok {
				t.Fatal(f, p)
			}
			c.Parties = append(c.Parties, name)
		}
		channel, _ := parseName(v.Channel)
		x := &Export{Channel: channel, charter: c, present: map[string]bool{}}
		logs := map[string]*Log{}
		var order []*Log
		leaves := map[string][]byte{}
		for _, step := range v.Judged {
			l := logs[step.Log]
			if l == nil {
				n, ok := parseLogName(step.Log)
				if !ok {
					t.Fatal(f, step.Log)
				}
				l = &Log{Name: n, Text: step.Log, Party: c.index(n.Party)}
				logs[step.Log], x.Logs = l, append(x.Logs, l)
			}
			// The entry's leaf data: 16 bytes of salt, which judging never looks at.
			data := append(make([]byte, saltLen), unhex(t, step.Entry)...)
			l.offsets = append(l.offsets, len(l.data)+2)
			l.data = append(append(l.data, byte(len(data)>>8), byte(len(data))), data...)
			h := sha256.Sum256(append([]byte{0}, data...))
			leaves[step.Log] = append(leaves[step.Log], h[:]...)
			l.Size++
			l.tree = newTree(leaves[step.Log])
			for _, each := range x.Logs {
				each.judgeState, each.Entries = judgeState{}, nil
			}
			r := newRecord(x)
			order = append(order, l)
			r.judgeIn(func(visit func(l *Log, k uint64)) {
				for _, l := range order {
					visit(l, l.placed)
					l.placed++
				}
			})
			got := said(&l.Entries[l.Size-1])
			seen[got] = true
			if got != step.Verdict {
				t.Errorf("%s: %s index %d is %s, not %s", filepath.Base(f), step.Log, l.Size-1, got, step.Verdict)
			}
			if step.Verdict == "waiting" { // it is told again when it can be judged
				l.Size--
				order = order[:len(order)-1]
				l.offsets = l.offsets[:l.Size]
				l.data = l.data[:len(l.data)-2-len(data)]
				leaves[step.Log] = leaves[step.Log][:32*l.Size]
			}
		}
	}
	for _, word := range slices.Concat(clauseWords[1:], nil) {
		if !seen["void:"+word] {
			t.Error("no vector breaks", word)
		}
	}
}
