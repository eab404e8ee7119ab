package main

import (
	"bytes"
	"crypto/sha256"
)

// Equivocation proof objects: log.md, section 5.

const (
	maxPath         = 41
	maxEquivocation = 143_358 // bytes
)

// claim is one signed claim about a log, checked.
type claim struct {
	size uint64
	root Hash
}

// goodEquivocation checks a proof object: shape, both claims, contradiction.
func (x *Export) goodEquivocation(b []byte) bool {
	v, err := decodeV1(b)
	if err != nil || len(b) > maxEquivocation || !v.array(6) || v.A[0].T != tText {
		return false
	}
	name, ok := parseLogName(string(v.A[0].B))
	party, ok2 := v.A[1].hash32()
	if !ok || !ok2 || name.Channel != x.Channel || x.charter.index(party) < 0 || x.charter.index(name.Party) < 0 {
		return false
	}
	first, ok := x.readClaim(&v.A[2], name, party)
	if !ok {
		return false
	}
	second, ok := x.readClaim(&v.A[3], name, party)
	if !ok {
		return false
	}
	if v.A[4].null() || v.A[5].null() {
		return v.A[4].null() && v.A[5].null() && first.size == second.size && bytes.Compare(first.root[:], second.root[:]) < 0
	}
	other, ok := v.A[4].hash32()
	path, ok2 := hashes(&v.A[5], maxPath)
	return ok && ok2 && other != first.root && checkConsistency(first.size, second.size, other, second.root, path)
}

func hashes(v *Value, most int) ([]Hash, bool) {
	if v.T != tArray || len(v.A) > most {
		return nil, false
	}
	out := make([]Hash, len(v.A))
	for i := range v.A {
		h, ok := v.A[i].hash32()
		if !ok {
			return nil, false
		}
		out[i] = h
	}
	return out, true
}

func (x *Export) readClaim(v *Value, name LogName, party Hash) (c claim, ok bool) {
	if v.T != tArray || len(v.A) < 4 || !v.A[0].uintTo(4) || !v.A[1].within(1, maxLogSize) {
		return c, false
	}
	c.size = v.A[1].N
	if c.root, ok = v.A[2].hash32(); !ok {
		return c, false
	}
	what := v.A[0].N
	if what == 4 {
		return c, len(v.A) == 4 && name.Party == party && x.namingClaim(&v.A[3], name, c)
	}
	if len(v.A) != 5 || v.A[3].T != tUint || v.A[4].T != tBytes {
		return c, false
	}
	own := what < 2
	if own != (name.Party == party) || (own && v.A[3].N != 0) {
		return c, false
	}
	kind := [4]byte{typeLog, typeML, typeReceipt, typeML}[what]
	signer := name.String()
	if !own {
		signer = cosignerName(x.Channel, party)
	}
	for _, cred := range x.credentials[party] {
		pair := cred.Log
		if !own {
			pair = cred.Cosigner
		}
		key := pair.Ed
		if kind == typeML {
			key = pair.ML
		}
		if verifyLine(kind, own, key, signer, name.String(), c.size, c.root, v.A[3].N, v.A[4].B) {
			return c, true
		}
	}
	return c, false
}

// namingClaim checks a generation entry that names the log: [naming log, leaf
// data of its entry 0, size, root, inclusion path, signature (0x01)].
func (x *Export) namingClaim(v *Value, name LogName, c claim) bool {
	if !v.array(6) || v.A[0].T != tText || v.A[1].T != tBytes || !v.A[2].within(1, maxLogSize) || v.A[5].T != tBytes {
		return false
	}
	naming, ok := parseLogName(string(v.A[0].B))
	if !ok || naming.Channel != name.Channel || naming.Party != name.Party || naming.Lane != name.Lane || naming == name {
		return false
	}
	root, ok := v.A[3].hash32()
	path, ok2 := hashes(&v.A[4], maxPath)
	leaf := v.A[1].B
	if !ok || !ok2 || len(leaf) < saltLen || len(leaf) > maxLeaf ||
		!checkInclusion(sha256.Sum256(append([]byte{0}, leaf...)), 0, v.A[2].N, path, root) {
		return false
	}
	var d decoder
	e := decodeEntry(&d, leaf[saltLen:], naming.Lane)
	if e.Clause != clauseNone || e.Kind != kindGeneration {
		return false
	}
	named := false
	for _, n := range e.Act.Named {
		named = named || (n.Number == name.Number && n.Run == name.Run && n.Size == c.size && n.Root == c.root)
	}
	if !named {
		return false
	}
	for _, cred := range x.credentials[name.Party] {
		if verifyLine(typeLog, true, cred.Log.Ed, naming.String(), naming.String(), v.A[2].N, root, 0, v.A[5].B) {
			return true
		}
	}
	return false
}
