package main

import (
	"encoding/hex"
	"slices"
	"sync/atomic"
)

// What an entry has seen of the acts that bind it, and the clauses that hang
// on them: entry.md, section 5, from `to` on, and record.md, sections 2 and 3.

// actAt is a valid act and its place.
type actAt struct {
	index uint64
	kind  int
	party int
	lane  uint8
	act   *Act
	log   string
}

// place is where an act stands.
type place struct {
	log   string
	index uint64
}

type ratification struct {
	party int
	hash  Hash
}

// view is what a log has seen up to its entry being judged.
type view struct {
	ratified   map[uint64][]ratification
	edition    uint64        // in force, 0 for none
	charter    *Hash         // its hash
	suspended  map[place]int // who suspended
	lifted     map[place]bool
	closed     bool
	roster     *Act // newest `credential` entry of the log's party
	rosterHash Hash
}

// see adds the acts of a log from one size to another. What was not judged yet
// counts for later entries, once it is.
func (r *Record) see(l *Log, t target) {
	if t.log < 0 {
		return
	}
	if done := max(r.Logs[t.log].placed, t.from); done < t.to {
		l.pending = append(l.pending, target{t.log, done, t.to})
		t.to = done
	}
	acts := r.Logs[t.log].acts
	i, _ := slices.BinarySearchFunc(acts, t.from, func(a actAt, n uint64) int {
		if a.index < n {
			return -1
		}
		return 1
	})
	for ; i < len(acts) && acts[i].index < t.to; i++ {
		l.view.add(&acts[i], l.Party, len(r.charter.Parties))
	}
}

func (v *view) add(a *actAt, self, parties int) {
	switch a.kind {
	case kindRatify:
		if v.ratified == nil {
			v.ratified = map[uint64][]ratification{}
		}
		n := a.act.Edition
		v.ratified[n] = append(v.ratified[n], ratification{a.party, a.act.Hash})
		if n > v.edition && v.complete(n, a.act.Hash, parties) {
			v.edition, v.charter = n, &a.act.Hash
		}
	case kindSuspend:
		if v.suspended == nil {
			v.suspended = map[place]int{}
		}
		v.suspended[place{a.log, a.index}] = a.party
	case kindRestore:
		if v.lifted == nil {
			v.lifted = map[place]bool{}
		}
		for _, s := range a.act.lifts {
			v.lifted[s] = true
		}
	case kindClose:
		v.closed = true
	case kindCredential:
		old := v.roster
		if a.party == self && a.act.Party == uint64(self) &&
			(old == nil || a.act.Edition > old.Edition || (a.act.Edition == old.Edition && a.act.Roster >= old.Roster)) {
			v.roster = a.act
		}
	}
}

// complete says whether all parties ratified this text of edition n.
func (v *view) complete(n uint64, text Hash, parties int) bool {
	seen := map[int]bool{}
	for _, x := range v.ratified[n] {
		if x.hash == text {
			seen[x.party] = true
		}
	}
	return len(seen) == parties
}

// nextEdition is the number after the edition in force that is not spent.
func (v *view) nextEdition() uint64 {
	for n := v.edition + 1; ; n++ {
		spent := false
		for _, x := range v.ratified[n] {
			spent = spent || x.hash != v.ratified[n][0].hash
		}
		if !spent {
			return n
		}
	}
}

// inForce lists the suspensions of a party that are not lifted; of all
// parties with -1.
func (v *view) inForce(party int) (out []place) {
	for s, p := range v.suspended {
		if !v.lifted[s] && (party < 0 || p == party) {
			out = append(out, s)
		}
	}
	return out
}

// releaseJob is a spoken entry whose release is to be shown.
type releaseJob struct {
	e      *Entry
	lane   uint8
	roster *Roster
	rules  *Charter
}

// Tally counts what judging found.
type Tally struct {
	Entries, Void, NotYet, Waiting, Erased, CheckWrong int
	ByClause                                           [len(clauseWords)]int
	Shown, NotAsked, NotShown                          int
	Noted                                              []fallenTime
}

// judge judges all entries in joint order and counts them.
func (r *Record) judge() *Tally { return r.judgeIn(r.walk) }

// judgeIn does so in the order of walk, which counts what is placed.
func (r *Record) judgeIn(walk func(visit func(l *Log, k uint64))) *Tally {
	var jobs []releaseJob
	clocks := map[int]bool{}
	walk(func(l *Log, k uint64) {
		e := &l.Entries[k]
		if k == 0 {
			for _, t := range l.inherited {
				r.see(l, t)
			}
		}
		again := l.pending
		l.pending = nil
		for _, t := range append(again, e.targets...) {
			r.see(l, t)
		}
		if !e.valid() {
			return
		}
		if e.Clause = uint8(r.clause(l, e)); e.Clause != clauseNone {
			return
		}
		if e.Kind == kindClock {
			clocks[l.Party] = true
		}
		if e.spoken() {
			jobs = append(jobs, releaseJob{e, l.Name.Lane, r.rosterOf(l), r.rules(&l.view)})
		}
		if (e.Kind >= kindRatify && e.Kind <= kindClose) || e.Kind == kindCredential {
			a := actAt{k, e.Kind, l.Party, l.Name.Lane, e.Act, l.Text}
			l.acts = append(l.acts, a)
			l.view.add(&a, l.Party, len(r.charter.Parties))
		}
	})
	t := r.count()
	r.countReleases(t, jobs)
	for _, f := range r.fallen {
		if !clocks[f.party] {
			t.Noted = append(t.Noted, f)
		}
	}
	return t
}

// clause gives the first clause from `to` on that an entry breaks.
func (r *Record) clause(l *Log, e *Entry) int {
	v := &l.view
	act := e.Kind >= kindRatify && e.Kind <= kindClose
	if e.spoken() {
		for _, p := range e.To {
			if p >= uint64(len(r.charter.Parties)) || p == uint64(l.Party) {
				return clauseTo
			}
		}
		switch {
		case len(e.To) > 0 && len(e.To) == len(r.charter.Parties)-1:
			return clauseTo
		case e.expired:
			return clauseExpired
		case e.Edition != v.edition || (v.edition == 0 && !act):
			return clauseEdition
		}
	}
	message := e.Kind <= kindDeclaration || e.Kind == kindCorrect
	switch {
	case e.Kind == kindRatify && !v.mayRatify(l, e.Act):
		return clauseRatify
	case message && l.Name.Lane != laneEmergency && len(v.inForce(-1)) > 0:
		return clauseSuspended
	}
	if e.Kind == kindRestore {
		if e.Act.lifts = v.inForce(l.Party); len(e.Act.lifts) == 0 {
			return clauseRestore
		}
	}
	if v.closed && e.Kind != kindAcknowledge && e.Kind != kindOpened && e.Kind != kindGeneration {
		return clauseClosed
	}
	return clauseNone
}

func (v *view) mayRatify(l *Log, a *Act) bool {
	if a.Edition == 1 && a.Hash != l.Name.Channel {
		return false
	}
	if a.Edition != v.nextEdition() || (a.Previous == nil) != (v.charter == nil) ||
		(a.Previous != nil && *a.Previous != *v.charter) {
		return false
	}
	return !slices.ContainsFunc(v.ratified[a.Edition], func(x ratification) bool { return x.party == l.Party })
}

// rosterOf is the roster in force for the entry being judged, or nil.
func (r *Record) rosterOf(l *Log) *Roster {
	if a := l.view.roster; a != nil {
		return r.rosters[a.Hash]
	}
	if g := &l.Entries[0]; g.Kind == kindGeneration && g.Act != nil {
		if c := r.credentials[l.Name.Party][g.Act.Edition]; c != nil {
			return c.Roster
		}
	}
	return nil
}

// rules is the charter an entry stands under; edition 1 before any.
func (r *Record) rules(v *view) *Charter {
	if c := r.charters[v.edition]; c != nil {
		return c
	}
	return r.charter
}

func (r *Record) count() *Tally {
	t := &Tally{}
	for _, l := range r.Logs {
		t.Entries += len(l.Entries)
		for k := range l.Entries {
			e := &l.Entries[k]
			switch {
			case e.Erased:
				t.Erased++
			case e.Clause != clauseNone:
				t.Void++
				t.ByClause[e.Clause]++
			case e.Waiting:
				t.Waiting++
			case e.NotYet:
				t.NotYet++
			}
			if e.CheckWrong {
				t.CheckWrong++
			}
		}
	}
	return t
}

func proofPath(h Hash) string { return "proofs/" + hex.EncodeToString(h[:]) }

// mustTravel says whether a release proof is asked for (release.md, section 4).
func mustTravel(e *Entry, lane uint8, c *Charter) bool {
	switch {
	case e.Kind >= kindRatify:
		return true
	case e.Kind == kindAcknowledge && (e.Precedence >= 2 || lane == laneEmergency):
		return true
	}
	return c.proofs[uint64(e.Precedence)] || (e.HasFormat && e.Format <= 1<<62 && c.proofs[e.Format+4])
}

// countReleases checks the proofs held and counts releases shown and not.
func (r *Record) countReleases(t *Tally, jobs []releaseJob) {
	var shown, notAsked, notShown atomic.Int64
	parallel(len(jobs), 16, func(lo, hi int) {
		for _, j := range jobs[lo:hi] {
			switch {
			case r.present[proofPath(j.e.Proof)]:
				if r.released(&j) {
					shown.Add(1)
				} else {
					notShown.Add(1)
				}
			case mustTravel(j.e, j.lane, j.rules):
				notShown.Add(1)
			default:
				notAsked.Add(1)
			}
		}
	})
	t.Shown, t.NotAsked, t.NotShown = int(shown.Load()), int(notAsked.Load()), int(notShown.Load())
}

// released says whether the proof held satisfies the rule.
func (r *Record) released(j *releaseJob) bool {
	proof, ok := parseProof(r.readFile(proofPath(j.e.Proof)))
	if !ok || j.roster == nil || j.e.Act == nil {
		return false
	}
	role, persons := uint64(roleRelease), j.rules.Release[0]
	switch {
	case j.e.Kind == kindAcknowledge || j.e.Kind == kindStandBy || j.e.Kind == kindClarify:
		role, persons = roleWatch, 1
	case j.e.Kind == kindNotification && j.e.HasFormat && j.e.Format == dutyFormat:
		persons = j.rules.Release[1]
	}
	return satisfied(proof, j.roster, j.e.Act.Statement, role, persons, j.e.Drafter)
}
