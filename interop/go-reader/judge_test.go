package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"strings"
	"testing"
)

// judged verifies a world and gives the entry of a log.
func judged(t *testing.T, w *world, l *tlog, index int) (*Result, *Entry) {
	t.Helper()
	res := verifyFiles(t, w.finish(), nil)
	if res.FirstFault != nil {
		t.Fatal(faultText(res.FirstFault))
	}
	for _, x := range res.record.Logs {
		if x.Text == l.name.String() {
			return res, &x.Entries[index]
		}
	}
	t.Fatal("no such log")
	return nil, nil
}

func TestAnEntryIsVoidByTheFirstClauseItBreaks(t *testing.T) {
	ref := func(ordinal any, index int) list { return list{ordinal, index, Hash{}} }
	cases := map[string]struct {
		clause int
		add    func(w *world, a, b *tlog) *tlog
	}{
		"a good note": {clauseNone, func(w *world, a, b *tlog) *tlog { return a.spoken(1, 1, nil) }},
		"too long in the emergency lane": {clauseSize, func(w *world, a, b *tlog) *tlog {
			return w.log(a.p, laneEmergency, 1).spoken(1, 1, map[int]any{5: 3, 9: list{"en", strings.Repeat("x", 1100)}})
		}},
		"an integer in a longer form": {clauseCBOR, func(w *world, a, b *tlog) *tlog { return a.add([]byte{1, 0x81, 0x18, 0x01}) }},
		"another version":             {clauseCBOR, func(w *world, a, b *tlog) *tlog { return a.add([]byte{2, 0x81, 0x01}) }},
		"no entry at all":             {clauseCBOR, func(w *world, a, b *tlog) *tlog { return a.add(nil) }},
		"one element too few":         {clauseShape, func(w *world, a, b *tlog) *tlog { return a.add(v1(a.elements(1, 1, nil)[:17])) }},
		"a nonce of 7 bytes":          {clauseShape, func(w *world, a, b *tlog) *tlog { return a.spoken(1, 1, map[int]any{4: make([]byte, 7)}) }},
		"seen without check":          {clauseShape, func(w *world, a, b *tlog) *tlog { return a.spoken(1, 1, map[int]any{15: list{1, 3}}) }},
		"a second generation entry":   {clauseGeneration, func(w *world, a, b *tlog) *tlog { return a.machine(32, nil, nil, list{0, 1, 1, list{}}) }},
		"flash in the ordinary lane":  {clauseLane, func(w *world, a, b *tlog) *tlog { return a.spoken(1, 1, map[int]any{5: 3}) }},
		"an act in the exercise lane": {clauseLane, func(w *world, a, b *tlog) *tlog { return w.log(a.p, laneExercise, 1).spoken(15, 1, nil) }},
		"an unknown ordinal": {clauseSeen, func(w *world, a, b *tlog) *tlog {
			return a.spoken(1, 1, map[int]any{15: list{5, 3}, 16: make([]byte, 8)})
		}},
		"a size that does not rise": {clauseSeen, func(w *world, a, b *tlog) *tlog {
			return a.spoken(1, 1, map[int]any{15: list{1, 2}, 16: make([]byte, 8)})
		}},
		"itself": {clauseSeen, func(w *world, a, b *tlog) *tlog {
			return a.spoken(1, 1, map[int]any{15: list{a.desc(), 2}, 16: make([]byte, 8)})
		}},
		"a log listed twice": {clauseSeen, func(w *world, a, b *tlog) *tlog {
			return a.spoken(1, 1, map[int]any{15: list{b.desc(), 3}, 16: make([]byte, 8)})
		}},
		"an answer to nothing":             {clauseReference, func(w *world, a, b *tlog) *tlog { return a.spoken(4, 1, nil) }},
		"an answer to what it did not see": {clauseReference, func(w *world, a, b *tlog) *tlog { return a.spoken(4, 1, map[int]any{8: list{ref(1, 2)}}) }},
		"an answer to what it saw":         {clauseNone, func(w *world, a, b *tlog) *tlog { return a.spoken(4, 1, map[int]any{8: list{ref(1, 1)}}) }},
		"a withdrawal of another's":        {clauseReference, func(w *world, a, b *tlog) *tlog { return a.spoken(10, 1, map[int]any{8: list{ref(1, 1)}}) }},
		"a text that names this channel": {clauseReference, func(w *world, a, b *tlog) *tlog {
			return a.spoken(4, 1, map[int]any{8: list{ref(b.name.String(), 1)}})
		}},
		"addressed to all others":       {clauseTo, func(w *world, a, b *tlog) *tlog { return a.spoken(1, 1, map[int]any{10: map[int]any{1: list{0}}}) }},
		"addressed to nobody there":     {clauseTo, func(w *world, a, b *tlog) *tlog { return a.spoken(1, 1, map[int]any{10: map[int]any{1: list{9}}}) }},
		"written after its hour":        {clauseExpired, func(w *world, a, b *tlog) *tlog { return a.spoken(1, 1, map[int]any{14: 3600001}) }},
		"written in its last moment":    {clauseNone, func(w *world, a, b *tlog) *tlog { return a.spoken(1, 1, map[int]any{14: 3600000}) }},
		"under an edition not in force": {clauseEdition, func(w *world, a, b *tlog) *tlog { return a.spoken(1, 2, nil) }},
		"ratified twice": {clauseRatify, func(w *world, a, b *tlog) *tlog {
			return a.spoken(12, 1, map[int]any{9: list{1, w.channel, nil}})
		}},
		"ratified in turn": {clauseNone, func(w *world, a, b *tlog) *tlog {
			return a.spoken(12, 1, map[int]any{9: list{2, Hash{7}, w.channel}})
		}},
		"a message under a suspension": {clauseSuspended, func(w *world, a, b *tlog) *tlog {
			return a.spoken(13, 1, map[int]any{6: 40, 7: 1, 9: list{}}).spoken(1, 1, nil)
		}},
		"a restore after a suspension": {clauseNone, func(w *world, a, b *tlog) *tlog {
			a.spoken(13, 1, map[int]any{6: 40, 7: 1, 9: list{}}).spoken(14, 1, map[int]any{6: 40, 7: 1, 9: list{}})
			return a.spoken(1, 1, nil)
		}},
		"a suspension of the other, seen": {clauseSuspended, func(w *world, a, b *tlog) *tlog {
			b.spoken(13, 1, map[int]any{6: 40, 7: 1, 9: list{}})
			return a.spoken(1, 1, map[int]any{15: list{1, 4}, 16: check(at{b, 4})})
		}},
		"a suspension of the other, not seen": {clauseNone, func(w *world, a, b *tlog) *tlog {
			b.spoken(13, 1, map[int]any{6: 40, 7: 1, 9: list{}})
			return a.spoken(1, 1, map[int]any{15: list{1, 3}, 16: check(at{b, 3})})
		}},
		"a restore of nothing": {clauseRestore, func(w *world, a, b *tlog) *tlog { return a.spoken(14, 1, map[int]any{6: 40, 7: 1, 9: list{}}) }},
		"a note when closed":   {clauseClosed, func(w *world, a, b *tlog) *tlog { return a.spoken(15, 1, nil).spoken(1, 1, nil) }},
		"an acknowledgement when closed": {clauseNone, func(w *world, a, b *tlog) *tlog {
			return a.spoken(15, 1, nil).spoken(4, 1, map[int]any{8: list{ref(1, 1)}})
		}},
	}
	for name, c := range cases {
		w, logs := open("VEG", "ALT")
		l := c.add(w, logs[1], logs[0])
		res, e := judged(t, w, l, len(l.leaves)-1)
		if int(e.Clause) != c.clause || e.NotYet || e.Waiting {
			t.Errorf("%s: void by %q, not %q", name, clauseWords[e.Clause], clauseWords[c.clause])
		}
		if want := min(c.clause, 1); res.tally.Void != want {
			t.Errorf("%s: %+v", name, res.tally)
		}
	}
}

func TestKindsAndExtrasOfALaterVersionAreNotYetUnderstood(t *testing.T) {
	w, logs := open("VEG", "ALT")
	a := logs[0]
	a.machine(39, nil, nil, nil).add(v1(list{200})).spoken(1, 1, map[int]any{10: map[int]any{9: 1}})
	res, _ := judged(t, w, a, 3)
	if res.tally.NotYet != 3 || res.tally.Void != 0 {
		t.Fatalf("%+v", res.tally)
	}
}

func TestBeforeAllHaveRatifiedOnlyActsAndMachineEntriesStand(t *testing.T) {
	w := newWorld("VEG", "ALT")
	l := w.log(w.parties[0], laneOrdinary, 1).spoken(12, 0, map[int]any{9: list{1, w.channel, nil}}).spoken(1, 1, nil).machine(36, nil, nil, make([]byte, 8))
	res, e := judged(t, w, l, 2)
	if e.Clause != clauseEdition || res.tally.Void != 1 {
		t.Fatalf("%q %+v", clauseWords[e.Clause], res.tally)
	}
}

func TestAGenerationInheritsTheTableOfTheFirstLogItNames(t *testing.T) {
	w, logs := open("VEG", "ALT")
	a, b := logs[1], logs[0]
	next := w.log(a.p, laneOrdinary, 2, list{a.name.Number, a.name.Run[:], 3, a.rootAt(3)})
	b.spoken(1, 1, nil)
	next.spoken(1, 1, map[int]any{15: list{1, 4}, 16: check(at{b, 4}, at{a, 3})}) // ordinal 1 is b's, inherited
	next.spoken(4, 1, map[int]any{8: list{list{1, 3, Hash{}}}})
	next.spoken(10, 1, map[int]any{8: list{list{2, 1, Hash{}}}}) // ordinal 2 is the log it continues
	res, e := judged(t, w, next, 1)
	if e.Clause != clauseNone || res.tally.Void != 0 || res.tally.CheckWrong != 0 {
		t.Fatalf("%+v %+v", e, res.tally)
	}
}

func TestEntriesWaitWhereTheFirstNamedLogIsNotHeld(t *testing.T) {
	w, logs := open("VEG", "ALT")
	next := w.log(logs[0].p, laneOrdinary, 2, list{7, make([]byte, 8), 3, Hash{}}).spoken(1, 1, nil)
	res, e := judged(t, w, next, 1)
	if !e.Waiting || res.tally.Waiting != 2 {
		t.Fatalf("%+v", res.tally)
	}
}

func TestAWrongCheckIsMarkedAndNotVoid(t *testing.T) {
	w, logs := open("VEG", "ALT")
	logs[1].spoken(1, 1, map[int]any{15: list{1, 3}, 16: make([]byte, 8)})
	res, e := judged(t, w, logs[1], 3)
	if e.Clause != clauseNone || !e.CheckWrong || res.tally.CheckWrong != 1 {
		t.Fatalf("%+v", res.tally)
	}
}

func TestAnErasedLeafIsNotComparedAndNotVoid(t *testing.T) {
	w, logs := open("VEG", "ALT")
	logs[0].spoken(1, 1, nil)
	logs[0].erased[3] = true
	res, e := judged(t, w, logs[0], 3)
	if !e.Erased || res.tally.Erased != 1 || res.tally.Void != 0 {
		t.Fatalf("%+v", res.tally)
	}
}

// released adds a flash note released by the signatures that make gives.
func releasedBy(t *testing.T, make func(p *tparty, s Hash) []any) *Tally {
	t.Helper()
	w, logs := open("VEG", "ALT")
	a := logs[1]
	elements := a.elements(1, 1, nil)
	statement := sha256.Sum256(enc(list{"detente/1/release", a.name.Channel, a.name.Party, "ordinary", elements[1], elements[0],
		elements[2], elements[3], elements[4], elements[5], nil, nil, nil, elements[9], nil, nil, elements[12]}))
	elements[17] = w.proof(make(a.p, statement)...)
	a.add(v1(elements))
	res, e := judged(t, w, a, len(a.leaves)-1)
	if e.Clause != clauseNone {
		t.Fatal(clauseWords[e.Clause])
	}
	return res.tally
}

func fileSignature(number int, s signer, statement Hash) list {
	return list{number, 0, s.edSign(message("detente/1/release-key", statement[:]))}
}

func passkeySignature(p *tparty, statement Hash, flags byte, full bool) list {
	rp := sha256.Sum256([]byte(testRP))
	auth := binary.BigEndian.AppendUint32(append(rp[:], flags), 7)
	client := []byte(`{"type":"webauthn.get","challenge":"` + base64.RawURLEncoding.EncodeToString(statement[:]) + `","origin":"` + testOrigin + `","crossOrigin":false}`)
	if full {
		client = append([]byte(`{"other":[1,{}],`), client[1:]...)
	}
	digest := sha256.Sum256(client)
	sig := p.es256(append(bytes.Clone(auth), digest[:]...))
	if full {
		return list{3, 2, auth, client, sig}
	}
	return list{3, 1, int(flags), 7, 0, sig}
}

func TestAReleaseIsShownWhenItsRuleIsSatisfiedAndOnlyThen(t *testing.T) {
	cases := map[string]struct {
		shown bool
		make  func(p *tparty, s Hash) []any
	}{
		"drafter and second person": {true, func(p *tparty, s Hash) []any { return list{fileSignature(1, p.file, s), fileSignature(2, p.file2, s)} }},
		"file key and passkey": {true, func(p *tparty, s Hash) []any {
			return list{fileSignature(2, p.file2, s), passkeySignature(p, s, 5, false)}
		}},
		"passkey with client data": {true, func(p *tparty, s Hash) []any {
			return list{fileSignature(2, p.file2, s), passkeySignature(p, s, 5, true)}
		}},
		"user not verified": {false, func(p *tparty, s Hash) []any {
			return list{fileSignature(2, p.file2, s), passkeySignature(p, s, 1, false)}
		}},
		"backup without leave": {false, func(p *tparty, s Hash) []any {
			return list{fileSignature(2, p.file2, s), passkeySignature(p, s, 0xd, false)}
		}},
		"one person":     {false, func(p *tparty, s Hash) []any { return list{fileSignature(1, p.file, s)} }},
		"drafter second": {false, func(p *tparty, s Hash) []any { return list{fileSignature(2, p.file2, s), fileSignature(1, p.file, s)} }},
		"another statement": {false, func(p *tparty, s Hash) []any {
			return list{fileSignature(1, p.file, s), fileSignature(2, p.file2, Hash{1})}
		}},
		"a key not in the roster": {false, func(p *tparty, s Hash) []any { return list{fileSignature(1, p.file, s), fileSignature(9, p.file2, s)} }},
	}
	for name, c := range cases {
		tally := releasedBy(t, c.make)
		if (tally.Shown == 1) != c.shown || tally.NotShown != 3-tally.Shown { // two ratifications without proof
			t.Errorf("%s: %+v", name, tally)
		}
	}
}

func TestARosterComesInForceByItsProofOrByTheRootSignatures(t *testing.T) {
	w, _ := open("VEG", "ALT")
	p := w.parties[0]
	roster := v1(p.rosterMap(1, sha256.Sum256(p.roster)))
	tuple := enc(list{p.name, 1, sha256.Sum256(p.roster), sha256.Sum256(roster)})
	s := labelled("detente/1/roster", tuple)
	m := message("detente/1/roster-root", tuple)
	two := v1(list{fileSignature(1, p.file, s), fileSignature(2, p.file2, s)})
	cases := []struct {
		good bool
		blob []byte
	}{
		{true, v1(list{roster, two, nil, nil})},
		{true, v1(list{roster, nil, p.root.edSign(m), p.root.mlSign(m)})},
		{false, v1(list{roster, nil, p.root.edSign(m), nil})},
		{false, func() []byte { // signed, but it does not name the roster before
			r := v1(p.rosterMap(1, Hash{}))
			m := message("detente/1/roster-root", enc(list{p.name, 1, sha256.Sum256(p.roster), sha256.Sum256(r)}))
			return v1(list{r, nil, p.root.edSign(m), p.root.mlSign(m)})
		}()},
		{false, v1(list{roster, v1(list{fileSignature(1, p.file, s)}), nil, nil})},
		{false, v1(list{v1(p.rosterMap(2, sha256.Sum256(p.roster))), two, nil, nil})},
	}
	for i, c := range cases {
		files := w.finish()
		files["rosters/"+nameText(p.name)+"-1"] = c.blob
		if res := verifyFiles(t, files, nil); (res.FirstFault == nil) != c.good {
			t.Errorf("case %d: %+v", i, res.FirstFault)
		}
	}
}
