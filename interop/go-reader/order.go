package main

import (
	"bytes"
	"cmp"
	"container/heap"
	"slices"
)

// The joint order of record.md, section 1.

// head is the next entry of a log that is not placed.
type head struct {
	written int64
	rank    int
	log     int
}

type heads []head

func (h heads) Len() int           { return len(h) }
func (h heads) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h heads) Less(i, j int) bool { return h[i].before(h[j]) }
func (h *heads) Push(x any)        { *h = append(*h, x.(head)) }
func (h *heads) Pop() any {
	old := *h
	x := old[len(old)-1]
	*h = old[:len(old)-1]
	return x
}

func (a head) before(b head) bool {
	return cmp.Or(cmp.Compare(a.written, b.written), cmp.Compare(a.rank, b.rank)) < 0
}

// rankLogs orders logs by (party name, lane, generation number, run).
func (r *Record) rankLogs() {
	order := make([]int, len(r.Logs))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(i, j int) int {
		a, b := &r.Logs[i].Name, &r.Logs[j].Name
		return cmp.Or(bytes.Compare(a.Party[:], b.Party[:]), cmp.Compare(a.Lane, b.Lane),
			cmp.Compare(a.Number, b.Number), bytes.Compare(a.Run[:], b.Run[:]))
	})
	for rank, i := range order {
		r.Logs[i].rank = rank
	}
}

// edges calls f for each entry that must stand before entry k of log l: the
// log and how many of its entries. A check that fails is no edge.
func (r *Record) edges(l *Log, k uint64, f func(log int, size uint64) bool) bool {
	e := &l.Entries[k]
	if k == 0 {
		for _, n := range l.named() {
			if j, ok := r.byDesc[l.sibling(n)]; ok && n.Size <= r.Logs[j].Size && !f(j, n.Size) {
				return false
			}
		}
	}
	for _, t := range e.edges {
		if t.log >= 0 && t.to <= r.Logs[t.log].Size && !f(t.log, t.to) {
			return false
		}
	}
	return true
}

// walk calls visit for every entry in joint order.
func (r *Record) walk(visit func(l *Log, k uint64)) {
	r.rankLogs()
	type waiter struct {
		head
		need uint64
	}
	var free heads
	blocked := map[int]head{}
	waiters := make([][]waiter, len(r.Logs))
	for _, l := range r.Logs {
		l.placed = 0
	}
	offer := func(h head) {
		l := r.Logs[h.log]
		if r.edges(l, l.placed, func(log int, size uint64) bool {
			if r.Logs[log].placed >= size {
				return true
			}
			waiters[log] = append(waiters[log], waiter{h, size})
			return false
		}) {
			delete(blocked, h.log)
			heap.Push(&free, h)
		} else {
			blocked[h.log] = h
		}
	}
	next := func(log int) {
		l := r.Logs[log]
		if l.placed >= l.Size {
			return
		}
		written := int64(0)
		if e := &l.Entries[l.placed]; e.Kind >= 0 && e.Clause != clauseShape && !e.later {
			written = e.Written
		}
		offer(head{written, l.rank, log})
	}
	for i := range r.Logs {
		next(i)
	}
	for {
		var h head
		switch {
		case len(free) > 0:
			h = heap.Pop(&free).(head)
		case len(blocked) > 0:
			first := true
			for _, b := range blocked {
				if first || b.before(h) {
					h, first = b, false
				}
			}
			delete(blocked, h.log)
		default:
			return
		}
		l := r.Logs[h.log]
		visit(l, l.placed)
		l.placed++
		next(h.log)
		var still []waiter
		woken := waiters[h.log]
		waiters[h.log] = nil
		for _, w := range woken {
			switch b, ok := blocked[w.log]; {
			case !ok || b != w.head: // placed already
			case l.placed >= w.need:
				offer(w.head)
			default:
				still = append(still, w)
			}
		}
		waiters[h.log] = append(waiters[h.log], still...)
	}
}
