package main

// Entries, and the clauses of entry.md, section 5, that need nothing but the
// entry and its place: size, cbor, shape, generation, lane.

// Clauses in the order of the page.
const (
	clauseNone = iota
	clauseSize
	clauseCBOR
	clauseShape
	clauseGeneration
	clauseLane
	clauseSeen
	clauseReference
	clauseTo
	clauseExpired
	clauseEdition
	clauseRatify
	clauseSuspended
	clauseRestore
	clauseClosed
)

var clauseWords = [...]string{"", "size", "cbor", "shape", "generation", "lane", "seen", "reference", "to",
	"expired", "edition", "ratify", "suspended", "restore", "closed"}

// Kinds that this program treats apart.
const (
	kindNotification = 0
	kindNote         = 1
	kindDeclaration  = 3
	kindAcknowledge  = 4
	kindStandBy      = 5
	kindClarify      = 9
	kindWithdraw     = 10
	kindCorrect      = 11
	kindRatify       = 12
	kindSuspend      = 13
	kindRestore      = 14
	kindClose        = 15
	kindGeneration   = 32
	kindKey          = 33
	kindCredential   = 34
	kindOpened       = 35
	kindTest         = 36
	kindTestAnswer   = 37
	kindClock        = 38
)

var kindWords = map[int]string{0: "notification", 1: "note", 2: "dialogue", 3: "declaration", 4: "acknowledgement",
	5: "stand-by", 6: "accept", 7: "counter-propose", 8: "decline", 9: "clarify", 10: "withdraw", 11: "correct",
	12: "ratify", 13: "suspend", 14: "restore", 15: "close", 32: "generation", 33: "key", 34: "credential",
	35: "opened", 36: "test", 37: "test answer", 38: "clock"}

const maxEmergency = 1024

// dutyFormat is US-SU.ACC, which a duty officer may release.
const dutyFormat = 12

// Ref is a reference. Ordinal counts unless Foreign is a log of another channel.
type Ref struct {
	Ordinal, Index uint64
	Foreign        *LogName
}

// Desc names a log of this channel within `seen`.
type Desc struct {
	Party, Lane, Number uint64
	Run                 [8]byte
}

// SeenItem is one log of a `seen`: an ordinal, or a log listed first.
type SeenItem struct {
	New     bool
	Ordinal uint64
	Desc    Desc
	Size    uint64
}

// Named is a log that a generation entry closes.
type Named struct {
	Number uint64
	Run    [8]byte
	Size   uint64
	Root   Hash
}

// Act holds the payload of the few kinds that change what follows.
type Act struct {
	Edition   uint64 // ratify: of the charter; generation, credential: of the credential
	Hash      Hash   // ratify: of the charter; credential: of the roster
	Previous  *Hash
	Party     uint64 // credential
	Roster    uint64 // credential: its number
	Named     []Named
	Statement Hash // spoken entries whose proof is held, and channel acts
	lifts     []place
}

// Entry is what judging needs of an entry.
type Entry struct {
	Kind       int // -1 when unknown
	Clause     uint8
	NotYet     bool // kind or extras of a later version
	later      bool // not yet understood, whatever becomes of it
	Erased     bool
	Waiting    bool // ordinals cannot be known
	CheckWrong bool
	expired    bool
	Precedence uint8
	Written    int64
	Edition    uint64
	Format     uint64
	HasFormat  bool
	Drafter    uint64
	Seen       []SeenItem
	Check      [8]byte
	Refs       []Ref // the last may be `supersedes`; RefCount counts those of element 8
	RefCount   int
	To         []uint64
	Proof      Hash
	Act        *Act
	targets    []target // `seen` as applied, with ordinals resolved
	edges      []target // what it shows to stand before it
}

func (e *Entry) valid() bool {
	return e.Clause == clauseNone && !e.NotYet && !e.Erased && !e.Waiting
}

func (e *Entry) spoken() bool { return e.Kind >= 0 && e.Kind < 32 }

// decodeEntry reads an entry and judges size, cbor, shape and lane.
func decodeEntry(d *decoder, b []byte, lane uint8) Entry {
	e := decodeAny(d, b, lane)
	if lane == laneEmergency && len(b) > maxEmergency {
		if e.Clause == clauseCBOR || e.Clause == clauseShape || e.NotYet {
			e = Entry{Kind: -1}
		}
		e.Clause = clauseSize
	}
	return e
}

func decodeAny(d *decoder, b []byte, lane uint8) Entry {
	e := Entry{Kind: -1}
	if len(b) == 0 || b[0] != 1 {
		e.Clause = clauseCBOR
		return e
	}
	v, err := d.decode(b[1:])
	if err != nil || v.T != tArray || len(v.A) == 0 || (v.A[0].T != tUint && v.A[0].T != tNeg) {
		e.Clause = clauseCBOR
		return e
	}
	if v.A[0].T != tUint || v.A[0].N > kindClock || kindWords[int(v.A[0].N)] == "" {
		e.NotYet, e.later = true, true
		e.laterSeen(&v)
		return e
	}
	e.Kind = int(v.A[0].N)
	ok := false
	if e.spoken() {
		ok = e.readSpoken(v.A, lane)
	} else {
		ok = e.readMachine(v.A)
	}
	switch {
	case !ok:
		e.Clause = clauseShape
	case e.NotYet:
		e.later = true
	case !laneAllows(&e, lane):
		e.Clause = clauseLane
	}
	return e
}

// laterSeen keeps the `seen` of a kind of a later version, where it stands at
// the place it has today.
func (e *Entry) laterSeen(v *Value) {
	k, n := &v.A[0], len(v.A)
	at := 0
	switch {
	case k.uintTo(31) && n == 18:
		at = 15
	case k.within(32, 63) && n == 5:
		at = 2
	default:
		return
	}
	if !e.readSeen(&v.A[at], &v.A[at+1]) {
		e.Seen = nil
	}
}

// laneAllows is the column "Lane" of the kinds, so far as the entry alone says.
func laneAllows(e *Entry, lane uint8) bool {
	switch k := e.Kind; {
	case k <= kindDeclaration || k == kindCorrect:
		return lane == laneExercise || (e.Precedence >= 2) == (lane == laneEmergency)
	case k <= kindWithdraw || k == kindOpened || k == kindGeneration:
		return true
	default:
		return lane == laneOrdinary
	}
}

func (e *Entry) readMachine(a []Value) bool {
	if len(a) != 5 {
		return false
	}
	var ok bool
	if e.Written, ok = a[1].moment(); !ok || !e.readSeen(&a[2], &a[3]) {
		return false
	}
	return e.readPayload(&a[4])
}

func (e *Entry) readPayload(p *Value) bool {
	switch e.Kind {
	case kindGeneration:
		return e.readGeneration(p)
	case kindKey:
		return p.array(2) && p.A[0].bytesOf(kemKeyLen) && (p.A[1].null() || p.A[1].bytesOf(32))
	case kindCredential:
		if !p.array(5) || !p.A[0].uintTo(15) || !p.A[1].within(1, max32) || !p.A[2].bytesOf(32) || !p.A[3].uintTo(max32) {
			return false
		}
		h, ok := p.A[4].hash32()
		e.Act = &Act{Party: p.A[0].N, Edition: p.A[1].N, Roster: p.A[3].N, Hash: h}
		return ok
	case kindOpened, kindTestAnswer:
		e.RefCount = 1
		return e.readRef(p)
	case kindTest:
		return p.bytesOf(8)
	case kindClock:
		if !p.array(2) {
			return false
		}
		_, ok := p.A[0].moment()
		_, ok2 := p.A[1].moment()
		return ok && ok2
	}
	return false
}

func (e *Entry) readGeneration(p *Value) bool {
	if !p.array(4) || !p.A[0].uintTo(3) || !p.A[1].within(1, 1) || !p.A[2].within(1, max32) || p.A[3].T != tArray || len(p.A[3].A) > 64 {
		return false
	}
	e.Act = &Act{Edition: p.A[2].N}
	for i := range p.A[3].A {
		n := &p.A[3].A[i]
		if !n.array(4) || !n.A[0].within(1, max32) || !n.A[1].bytesOf(8) || !n.A[2].within(1, maxLogSize) {
			return false
		}
		root, ok := n.A[3].hash32()
		named := Named{Number: n.A[0].N, Run: [8]byte(n.A[1].B), Size: n.A[2].N, Root: root}
		if !ok || (i > 0 && !namedBefore(&e.Act.Named[i-1], &named)) {
			return false
		}
		e.Act.Named = append(e.Act.Named, named)
	}
	return true
}

func namedBefore(a, b *Named) bool {
	return a.Number < b.Number || (a.Number == b.Number && string(a.Run[:]) < string(b.Run[:]))
}

// readRef reads [log, index, leaf hash].
func (e *Entry) readRef(v *Value) bool {
	if !v.array(3) || v.A[1].T != tUint || !v.A[2].bytesOf(32) {
		return false
	}
	r := Ref{Ordinal: v.A[0].N, Index: v.A[1].N}
	switch v.A[0].T {
	case tUint:
	case tText:
		n, ok := parseLogName(string(v.A[0].B))
		if !ok {
			return false
		}
		r.Foreign = &n
	default:
		return false
	}
	e.Refs = append(e.Refs, r)
	return true
}

const maxSeen = 48

func (e *Entry) readSeen(seen, check *Value) bool {
	if seen.null() || check.null() {
		return seen.null() && check.null()
	}
	if seen.T != tArray || len(seen.A) == 0 || len(seen.A)%2 != 0 || len(seen.A) > 2*maxSeen || !check.bytesOf(8) {
		return false
	}
	copy(e.Check[:], check.B)
	e.Seen = make([]SeenItem, len(seen.A)/2)
	for i := range e.Seen {
		item, log, size := &e.Seen[i], &seen.A[2*i], &seen.A[2*i+1]
		if !size.within(1, maxLogSize) {
			return false
		}
		item.Size = size.N
		switch {
		case log.T == tUint:
			item.Ordinal = log.N
		case log.array(4):
			item.New = true
			a := log.A
			if !a[0].uintTo(15) || !a[1].uintTo(2) || !a[2].within(1, max32) || !a[3].bytesOf(8) {
				return false
			}
			item.Desc = Desc{a[0].N, a[1].N, a[2].N, [8]byte(a[3].B)}
		default:
			return false
		}
	}
	return true
}
