package main

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
)

// proofHolds takes a release proof apart (spec/release.md, sections 1 and 2) and judges each signature.
// Key 9 is the file key, all others the passkey.
func proofHolds(v vector) bool {
	r := reader{rest: v.Proof}
	if version := r.take(1); !r.ok() || version[0] != 1 {
		return false
	}
	for count := r.head(4); count > 0 && r.ok(); count-- {
		items := r.head(4)
		number, kind := r.head(0), r.head(0)
		var holds bool
		switch {
		case kind == 0 && items == 3 && number == 9:
			holds = ed25519Holds(v.FileKey, join([]byte("detente/1/release-key\x00"), v.Statement), r.bytes())
		case kind == 1 && items == 6:
			flags, counter, origin := r.head(0), r.head(0), r.head(0)
			holds = origin == 0 && assertionHolds(v, plain(v.RPID, flags, counter), template(v), r.bytes())
		case kind == 2 && items == 5:
			data, client := r.bytes(), r.bytes()
			holds = clientDataHolds(v, client) && assertionHolds(v, data, client, r.bytes())
		}
		if !holds {
			return false
		}
	}
	return r.ok() && len(r.rest) == 0
}

func plain(rpID string, flags, counter uint64) []byte {
	hash := sha256.Sum256([]byte(rpID))
	return binary.BigEndian.AppendUint32(append(hash[:], byte(flags)), uint32(counter))
}

func template(v vector) []byte {
	return []byte(`{"type":"webauthn.get","challenge":"` + challenge(v) + `","origin":"` + v.Origin +
		`","crossOrigin":false}`)
}

func challenge(v vector) string { return base64.RawURLEncoding.EncodeToString(v.Statement) }

// clientDataHolds is enough for what the Rust example writes; the strict rules are in spec/crypto.md, section 9.
func clientDataHolds(v vector, client []byte) bool {
	var data struct {
		Type, Challenge, Origin string
		CrossOrigin             bool
	}
	return json.Unmarshal(client, &data) == nil && data.Type == "webauthn.get" &&
		data.Challenge == challenge(v) && data.Origin == v.Origin && !data.CrossOrigin
}

func assertionHolds(v vector, data, client, signature []byte) bool {
	rpHash, clientHash := sha256.Sum256([]byte(v.RPID)), sha256.Sum256(client)
	const presentAndVerified, eligible = 0x05, 0x08
	return len(data) == 37 && string(data[:32]) == string(rpHash[:]) &&
		data[32]&presentAndVerified == presentAndVerified && data[32]&eligible == 0 &&
		es256Holds(v.Passkey, join(data, clientHash[:]), signature)
}

// reader takes deterministic CBOR apart; after a fault everything is empty and ok is false.
type reader struct {
	rest   []byte
	broken bool
}

func (r *reader) ok() bool { return !r.broken }

func (r *reader) take(n uint64) []byte {
	if uint64(len(r.rest)) < n {
		r.broken, r.rest, n = true, nil, 0
	}
	taken := r.rest[:n]
	r.rest = r.rest[n:]
	return taken
}

// head reads a head of the wanted major type and gives its number.
func (r *reader) head(major byte) uint64 {
	first := r.take(1)
	if r.broken || first[0]>>5 != major {
		r.broken = true
		return 0
	}
	info := first[0] & 31
	if info < 24 {
		return uint64(info)
	}
	if info > 27 {
		r.broken = true
		return 0
	}
	width := uint64(1) << (info - 24)
	var number uint64
	for _, b := range r.take(width) {
		number = number<<8 | uint64(b)
	}
	if number < []uint64{24, 1 << 8, 1 << 16, 1 << 32}[info-24] {
		r.broken = true // not the shortest form
	}
	return number
}

func (r *reader) bytes() []byte { return r.take(r.head(2)) }
