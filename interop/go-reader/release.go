package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
)

// Release proofs: release.md.

// ReleaseSignature is one signature of a proof.
type ReleaseSignature struct {
	Key        uint64
	Kind       uint64
	Flags      byte
	Counter    uint32
	Origin     uint64
	AuthData   []byte
	ClientData []byte
	Sig        []byte
}

func parseProof(b []byte) ([]ReleaseSignature, bool) {
	v, err := decodeV1(b)
	if err != nil || v.T != tArray || len(v.A) < 1 || len(v.A) > 16 {
		return nil, false
	}
	out := make([]ReleaseSignature, len(v.A))
	seen := map[uint64]bool{}
	for i := range v.A {
		a := v.A[i].A
		if v.A[i].T != tArray || len(a) < 3 || !a[0].within(1, 65535) || a[1].T != tUint || seen[a[0].N] {
			return nil, false
		}
		seen[a[0].N] = true
		s := &out[i]
		s.Key, s.Kind = a[0].N, a[1].N
		switch {
		case s.Kind == 0 && len(a) == 3:
		case s.Kind == 1 && len(a) == 6 && a[2].uintTo(255) && a[3].uintTo(1<<32-1) && a[4].T == tUint:
			s.Flags, s.Counter, s.Origin = byte(a[2].N), uint32(a[3].N), a[4].N
		case s.Kind == 2 && len(a) == 5 && a[2].T == tBytes && a[3].T == tBytes:
			s.AuthData, s.ClientData = a[2].B, a[3].B
		default:
			return nil, false
		}
		last := &a[len(a)-1]
		if !last.bytesOf(64) {
			return nil, false
		}
		s.Sig = last.B
	}
	return out, true
}

func (k *ReleaseKey) verify(message, sig []byte) bool {
	if k.Algorithm == 0 {
		return edVerify(k.Public, message, sig)
	}
	return es256Verify(k.Public, message, sig)
}

// holds says whether the signature of this key over statement hash s verifies.
func (s *ReleaseSignature) holds(k *ReleaseKey, statement Hash) bool {
	if s.Kind == 0 {
		return k.Kind == 0 && k.verify(message("detente/1/release-key", statement[:]), s.Sig)
	}
	if k.Kind == 0 {
		return false
	}
	challenge := base64.RawURLEncoding.EncodeToString(statement[:])
	rp := sha256.Sum256([]byte(k.RPID))
	auth, client := s.AuthData, s.ClientData
	if s.Kind == 1 {
		if s.Origin >= uint64(len(k.Origins)) {
			return false
		}
		auth = binary.BigEndian.AppendUint32(append(rp[:], s.Flags), s.Counter)
		client = []byte(`{"type":"webauthn.get","challenge":"` + challenge + `","origin":"` + k.Origins[s.Origin] + `","crossOrigin":false}`)
	} else if !goodClientData(client, challenge, k.Origins) {
		return false
	}
	if len(auth) < 37 || len(auth) > 1024 || !bytes.Equal(auth[:32], rp[:]) {
		return false
	}
	flags := auth[32]
	if flags&0x40 != 0 || (flags&0x80 != 0) != (len(auth) > 37) {
		return false
	}
	eligible, backed := flags&0x08 != 0, flags&0x10 != 0
	if flags&0x05 != 0x05 || (eligible && k.Kind != 2) || (backed && !eligible) {
		return false
	}
	digest := sha256.Sum256(client)
	return k.verify(append(bytes.Clone(auth), digest[:]...), s.Sig)
}

// satisfied says whether a proof releases a statement: every signature holds
// under the roster, and those that count come from enough persons.
func satisfied(proof []ReleaseSignature, r *Roster, statement Hash, role, persons uint64, drafter uint64) bool {
	drafterPerson := uint64(0)
	if k := r.Keys[drafter]; k != nil {
		drafterPerson = k.Person
	}
	counted, inRole := map[uint64]bool{}, false
	for i := range proof {
		k := r.Keys[proof[i].Key]
		if k == nil || !proof[i].holds(k, statement) {
			return false
		}
		if i > 0 && drafterPerson != 0 && k.Person == drafterPerson {
			return false
		}
		draft := i == 0 && proof[i].Key == drafter && k.Roles&roleDraft != 0
		inRole = inRole || k.Roles&role != 0
		if k.Roles&role != 0 || draft {
			counted[k.Person] = true
		}
	}
	return inRole && uint64(len(counted)) >= persons
}
