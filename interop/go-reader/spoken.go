package main

import (
	"crypto/sha256"
)

// Spoken entries: entry.md, section 2.

func (e *Entry) readSpoken(a []Value, lane uint8) bool {
	if len(a) != 18 {
		return false
	}
	drafted, ok := a[2].moment()
	delay, ok2 := a[14].integer()
	if !ok || !ok2 || drafted < 0 || delay < -1<<40 || delay > 1<<40 {
		return false
	}
	if !a[1].uintTo(max32) || !a[3].within(1, 1440) || !a[4].bytesOf(8) || !a[5].uintTo(3) ||
		!a[12].uintTo(65535) || !a[13].within(1, 1<<32-1) {
		return false
	}
	e.Edition, e.Written, e.Precedence, e.Drafter = a[1].N, drafted+delay, uint8(a[5].N), a[12].N
	e.expired = delay > int64(a[3].N)*60000
	if !a[6].null() || !a[7].null() {
		if !a[6].uintTo(max32) || !a[7].within(1, max32) {
			return false
		}
		e.HasFormat, e.Format = true, a[6].N
	}
	if !a[8].null() {
		if a[8].T != tArray || len(a[8].A) < 1 || len(a[8].A) > 16 {
			return false
		}
		for i := range a[8].A {
			if !e.readRef(&a[8].A[i]) {
				return false
			}
		}
		e.RefCount = len(e.Refs)
	}
	if !e.readBody(&a[9]) || !e.readExtras(&a[10]) || !e.readSeen(&a[15], &a[16]) {
		return false
	}
	if !a[11].null() {
		list, ok := hashes(&a[11], 16)
		if !ok || len(list) < 1 {
			return false
		}
	}
	e.Proof, ok = a[17].hash32()
	return ok
}

// noteBody is [language, text].
func noteBody(v *Value) bool {
	return v.array(2) && v.A[0].T == tText && v.A[1].T == tText
}

func (e *Entry) readBody(v *Value) bool {
	switch k := e.Kind; {
	case k == kindNotification, k == kindSuspend, k == kindRestore:
		return e.HasFormat && v.T == tArray
	case k == kindNote:
		return noteBody(v)
	case k <= kindDeclaration:
		return true
	case k <= kindStandBy:
		return v.null()
	case k <= kindCorrect:
		return v.null() || noteBody(v) || (e.HasFormat && v.T == tArray)
	case k == kindRatify:
		if !v.array(3) || !v.A[0].within(1, max32) {
			return false
		}
		h, ok := v.A[1].hash32()
		before, ok2 := optionalHash(&v.A[2])
		e.Act = &Act{Edition: v.A[0].N, Hash: h, Previous: before}
		return ok && ok2
	default:
		return v.null() || noteBody(v)
	}
}

func (e *Entry) readExtras(v *Value) bool {
	if v.null() {
		return true
	}
	if v.T != tMap || len(v.A) == 0 {
		return false
	}
	for i := 0; i < len(v.A); i += 2 {
		k, x := &v.A[i], &v.A[i+1]
		if _, ok := k.integer(); !ok && k.T != tUint {
			return false
		}
		ok := true
		switch {
		case k.T == tNeg || k.N > 6:
			e.NotYet = true
		case k.N == 0 || k.N == 3 || k.N == 4:
			ok = x.T == tText && len(x.B) > 0
		case k.N == 1:
			e.To, ok = uints(x, 1, 15)
			ok = ok && rising(e.To) && e.To[len(e.To)-1] <= 15
		case k.N == 2:
			_, ok = x.moment()
		case k.N == 5:
			ok = x.T == tTrue
		case k.N == 6:
			ok = e.readRef(x)
		}
		if !ok {
			return false
		}
	}
	return true
}

// statementHash is what officers sign: the decoded array of a spoken entry,
// with full log names in its references. name gives the name of an ordinal.
func statementHash(a []Value, n LogName, name func(ordinal uint64) string) Hash {
	b := putArray(make([]byte, 0, 512), 17)
	b = putText(b, "detente/1/release")
	b = putBytes(putBytes(b, n.Channel[:]), n.Party[:])
	b = putText(b, laneWords[n.Lane])
	for _, i := range []int{1, 0, 2, 3, 4, 5, 6, 7} {
		b = append(b, a[i].Raw...)
	}
	ref := func(v *Value) {
		b = putArray(b, 3)
		if v.A[0].T == tUint {
			b = putText(b, name(v.A[0].N))
		} else {
			b = append(b, v.A[0].Raw...)
		}
		b = append(append(b, v.A[1].Raw...), v.A[2].Raw...)
	}
	if a[8].null() {
		b = append(b, a[8].Raw...)
	} else {
		b = putArray(b, len(a[8].A))
		for i := range a[8].A {
			ref(&a[8].A[i])
		}
	}
	b = append(b, a[9].Raw...)
	if a[10].null() {
		b = append(b, a[10].Raw...)
	} else {
		b = putHead(b, 5, uint64(len(a[10].A)/2))
		for i := 0; i < len(a[10].A); i += 2 {
			b = append(b, a[10].A[i].Raw...)
			if a[10].A[i].T == tUint && a[10].A[i].N == 6 {
				ref(&a[10].A[i+1])
			} else {
				b = append(b, a[10].A[i+1].Raw...)
			}
		}
	}
	b = append(append(b, a[11].Raw...), a[12].Raw...)
	return sha256.Sum256(b)
}
