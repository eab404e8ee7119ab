package main

import (
	"crypto/sha256"
	_ "embed"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Credential is one edition of a party's credential (keys.md, section 2).
type Credential struct {
	Code     string
	Edition  uint64
	Previous *Hash
	TextHash Hash
	Root     KeyPair
	Log      KeyPair
	Cosigner KeyPair
	Roster   *Roster
}

// Roster is one roster of a party (keys.md, section 4).
type Roster struct {
	Asks     uint64
	Number   uint64
	Party    Hash
	Previous *Hash
	Hash     Hash // SHA-256 of the roster bytes
	Keys     map[uint64]*ReleaseKey
}

// ReleaseKey is one key of a roster. Kind 0 is a file key.
type ReleaseKey struct {
	Person, Roles, Algorithm, Kind uint64
	Public                         []byte
	RPID                           string
	Origins                        []string
}

// Roles of release keys that this program asks for.
const (
	roleDraft   = 1
	roleRelease = 2
	roleWatch   = 4
)

func partyName(root KeyPair) Hash { return labelled("detente/1/party", root.Ed, root.ML) }

func goodCode(s string) bool {
	if len(s) < 2 || len(s) > 8 || s[0] < 'A' || s[0] > 'Z' {
		return false
	}
	for i := range len(s) {
		if (s[i] < 'A' || s[i] > 'Z') && (s[i] < '0' || s[i] > '9') {
			return false
		}
	}
	return true
}

// parseCredential checks shape and both root signatures.
func parseCredential(b []byte) (*Credential, bool) {
	v, err := decodeV1(b)
	if err != nil || !v.array(3) || v.A[0].T != tBytes || !v.A[1].bytesOf(edSigLen) || !v.A[2].bytesOf(mlSigLen) {
		return nil, false
	}
	text := v.A[0].B
	m, err := decodeOne(text)
	if err != nil {
		return nil, false
	}
	f, ok := m.fields("code", "edition", "endpoints", "issued", "kem", "names", "node", "previous", "recognised", "root", "roster")
	if !ok {
		return nil, false
	}
	_, issued := f[3].moment()
	if f[0].T != tText || !goodCode(string(f[0].B)) || !f[1].within(1, max32) || !texts(&f[2], 0, 8) ||
		!issued || !f[4].bytesOf(kemKeyLen) || !languageNames(&f[5]) || !byteStrings(&f[6], edKeyLen, mlKeyLen, edKeyLen, mlKeyLen, edKeyLen) ||
		!recognisedList(&f[8]) || !byteStrings(&f[9], edKeyLen, mlKeyLen) || f[10].T != tBytes {
		return nil, false
	}
	c := &Credential{Code: string(f[0].B), Edition: f[1].N, TextHash: sha256.Sum256(text)}
	if c.Previous, ok = optionalHash(&f[7]); !ok || (c.Previous == nil) != (c.Edition == 1) {
		return nil, false
	}
	c.Log = KeyPair{f[6].A[0].B, f[6].A[1].B}
	c.Cosigner = KeyPair{f[6].A[2].B, f[6].A[3].B}
	c.Root = KeyPair{f[9].A[0].B, f[9].A[1].B}
	if c.Roster, ok = parseRoster(f[10].B); !ok || c.Roster.Number != 0 || c.Roster.Party != partyName(c.Root) {
		return nil, false
	}
	return c, c.Root.verifyBoth(message("detente/1/credential", text), v.A[1].B, v.A[2].B)
}

func languageNames(v *Value) bool {
	if v.T != tMap {
		return false
	}
	for i := 0; i < len(v.A); i += 2 {
		if v.A[i].T != tText || v.A[i+1].T != tText || utf8.RuneCount(v.A[i+1].B) > 80 {
			return false
		}
	}
	return true
}

func byteStrings(v *Value, sizes ...int) bool {
	if !v.array(len(sizes)) {
		return false
	}
	for i, n := range sizes {
		if !v.A[i].bytesOf(n) {
			return false
		}
	}
	return true
}

func recognisedList(v *Value) bool {
	if v.T != tArray {
		return false
	}
	for i := range v.A {
		if !byteStrings(&v.A[i], 32, 32) {
			return false
		}
	}
	return true
}

func parseRoster(b []byte) (*Roster, bool) {
	v, err := decodeV1(b)
	if err != nil {
		return nil, false
	}
	f, ok := v.fields("asks", "keys", "number", "party", "previous")
	if !ok || !f[0].within(1, 1<<64-1) || f[1].T != tArray || len(f[1].A) > 256 || !f[2].uintTo(max32) {
		return nil, false
	}
	r := &Roster{Asks: f[0].N, Number: f[2].N, Hash: sha256.Sum256(b), Keys: map[uint64]*ReleaseKey{}}
	if r.Party, ok = f[3].hash32(); !ok {
		return nil, false
	}
	if r.Previous, ok = optionalHash(&f[4]); !ok || (r.Previous == nil) != (r.Number == 0) {
		return nil, false
	}
	last := uint64(0)
	for i := range f[1].A {
		number, k, ok := parseReleaseKey(&f[1].A[i])
		if !ok || number <= last {
			return nil, false
		}
		r.Keys[number], last = k, number
	}
	return r, true
}

func parseReleaseKey(v *Value) (uint64, *ReleaseKey, bool) {
	if !v.array(8) {
		return 0, nil, false
	}
	a := v.A
	if !a[0].within(1, 65535) || !a[1].within(1, 65535) || !a[2].uintTo(63) || !a[3].uintTo(1) || a[4].T != tBytes || !a[5].uintTo(2) {
		return 0, nil, false
	}
	k := &ReleaseKey{Person: a[1].N, Roles: a[2].N, Algorithm: a[3].N, Public: a[4].B, Kind: a[5].N}
	if x, _ := es256Point(k.Public); (k.Algorithm == 0 && !edKeyGood(k.Public)) || (k.Algorithm == 1 && x == nil) {
		return 0, nil, false
	}
	if k.Kind == 0 {
		return a[0].N, k, a[6].null() && a[7].null()
	}
	if a[6].T != tText || !texts(&a[7], 1, 8) {
		return 0, nil, false
	}
	k.RPID = string(a[6].B)
	good := spelled(k.RPID, 253, func(c byte) bool { return c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '.' || c == '-' })
	for i := range a[7].A {
		k.Origins = append(k.Origins, string(a[7].A[i].B))
		good = good && spelled(k.Origins[i], 255, func(c byte) bool { return c > ' ' && c < 0x7f && c != '"' && c != '\\' })
	}
	return a[0].N, k, good
}

// spelled says whether s has 1 to most bytes, all of them allowed.
func spelled(s string, most int, allowed func(byte) bool) bool {
	for i := range len(s) {
		if !allowed(s[i]) {
			return false
		}
	}
	return s != "" && len(s) <= most
}

//go:embed words.txt
var wordFile string

var wordList = strings.Fields(wordFile)

// eightWords gives the numbers of a party's eight words.
func eightWords(root KeyPair) (w [8]int) {
	h := labelled("detente/1/words", root.Ed, root.ML)
	for bit := range 88 {
		w[bit/11] = w[bit/11]<<1 | int(h[bit/8]>>(7-bit%8)&1)
	}
	return w
}

// readWords reads eight words or numbers as people may type them.
func readWords(s string) (w [8]int, ok bool) {
	parts := strings.FieldsFunc(strings.ToLower(s), func(r rune) bool {
		return r == ' ' || r == ',' || r == '-' || r == '.' || r == '\t' || r == '\n'
	})
	if len(parts) != 8 {
		return w, false
	}
next:
	for i, p := range parts {
		if n, err := strconv.Atoi(p); err == nil && n >= 0 && n < len(wordList) {
			w[i] = n
			continue
		}
		for n, word := range wordList {
			if word == p {
				w[i] = n
				continue next
			}
		}
		return w, false
	}
	return w, true
}
