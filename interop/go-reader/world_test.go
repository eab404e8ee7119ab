package main

import (
	"bytes"
	"cmp"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/mldsa"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// A small writer of exports, for tests: channels with keys from seeds.

// enc encodes a Go value as deterministic CBOR.
func enc(v any) []byte {
	switch x := v.(type) {
	case nil:
		return []byte{0xf6}
	case bool:
		if x {
			return []byte{0xf5}
		}
		return []byte{0xf4}
	case int:
		if x < 0 {
			return putHead(nil, 1, uint64(-1-x))
		}
		return putUint(nil, uint64(x))
	case uint64:
		return putUint(nil, x)
	case string:
		return putText(nil, x)
	case []byte:
		return putBytes(nil, x)
	case Hash:
		return putBytes(nil, x[:])
	case []any:
		out := putArray(nil, len(x))
		for _, i := range x {
			out = append(out, enc(i)...)
		}
		return out
	case map[string]any:
		m := map[string][]byte{}
		for k, i := range x {
			m[string(enc(k))] = enc(i)
		}
		return encMap(m)
	case map[int]any:
		m := map[string][]byte{}
		for k, i := range x {
			m[string(enc(k))] = enc(i)
		}
		return encMap(m)
	}
	panic(fmt.Sprintf("no encoding for %T", v))
}

func encMap(m map[string][]byte) []byte {
	var keys []string
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	out := putHead(nil, 5, uint64(len(keys)))
	for _, k := range keys {
		out = append(append(out, k...), m[k]...)
	}
	return out
}

func v1(v any) []byte { return append([]byte{1}, enc(v)...) }

type list = []any

// signer is a pair of private keys made from a seed.
type signer struct {
	ed ed25519.PrivateKey
	ml *mldsa.PrivateKey
}

func newSigner(seed string) signer {
	s := sha256.Sum256([]byte(seed))
	ml, err := mldsa.NewPrivateKey(mldsa.MLDSA44(), s[:])
	if err != nil {
		panic(err)
	}
	return signer{ed25519.NewKeyFromSeed(s[:]), ml}
}

func (s signer) edPub() []byte          { return s.ed.Public().(ed25519.PublicKey) }
func (s signer) mlPub() []byte          { return s.ml.PublicKey().Bytes() }
func (s signer) edSign(m []byte) []byte { return ed25519.Sign(s.ed, m) }
func (s signer) mlSign(m []byte) []byte {
	sig, err := s.ml.Sign(rand.Reader, m, crypto.Hash(0))
	if err != nil {
		panic(err)
	}
	return sig
}

type tparty struct {
	code              string
	name              Hash
	root, log, cosign signer
	file, file2       signer            // release keys 1 (person 1, all roles) and 2 (person 2)
	passkey           *ecdsa.PrivateKey // release key 3, person 3
	credential        []byte
	roster            []byte
}

const testRP, testOrigin = "detente.example", "https://detente.example"

func newParty(code string) *tparty {
	p := &tparty{code: code, root: newSigner(code + "root"), log: newSigner(code + "log"), cosign: newSigner(code + "cosign"),
		file: newSigner(code + "file"), file2: newSigner(code + "file2")}
	d := sha256.Sum256([]byte(code + "passkey"))
	p.passkey = &ecdsa.PrivateKey{D: new(big.Int).SetBytes(d[:])}
	p.passkey.Curve = elliptic.P256()
	p.passkey.X, p.passkey.Y = elliptic.P256().ScalarBaseMult(d[:])
	p.name = partyName(KeyPair{p.root.edPub(), p.root.mlPub()})
	p.roster = v1(p.rosterMap(0, nil))
	p.credential = p.newCredential(1, nil, p.roster)
	return p
}

func (p *tparty) rosterMap(number int, previous any) map[string]any {
	point := elliptic.MarshalCompressed(elliptic.P256(), p.passkey.X, p.passkey.Y)
	return map[string]any{"asks": 2, "number": number, "party": p.name, "previous": previous, "keys": list{
		list{1, 1, 63, 0, p.file.edPub(), 0, nil, nil},
		list{2, 2, 2 | 4, 0, p.file2.edPub(), 0, nil, nil},
		list{3, 3, 2, 1, point, 1, testRP, list{testOrigin}},
	}}
}

func (p *tparty) newCredential(edition int, previous any, roster []byte) []byte {
	text := enc(map[string]any{"code": p.code, "edition": edition, "endpoints": list{"a.example:7000"}, "issued": 1_700_000_000_000,
		"kem": make([]byte, kemKeyLen), "names": map[string]any{"en": p.code}, "previous": previous, "recognised": list{},
		"node":   list{p.log.edPub(), p.log.mlPub(), p.cosign.edPub(), p.cosign.mlPub(), newSigner(p.code + "link").edPub()},
		"root":   list{p.root.edPub(), p.root.mlPub()},
		"roster": roster})
	m := message("detente/1/credential", text)
	return v1(list{text, p.root.edSign(m), p.root.mlSign(m)})
}

// es256 signs with s brought below half the group order.
func (p *tparty) es256(m []byte) []byte {
	h := sha256.Sum256(m)
	r, s, err := ecdsa.Sign(rand.Reader, p.passkey, h[:])
	if err != nil {
		panic(err)
	}
	n := elliptic.P256().Params().N
	if s.Cmp(new(big.Int).Rsh(n, 1)) > 0 {
		s.Sub(n, s)
	}
	out := make([]byte, 64)
	r.FillBytes(out[:32])
	s.FillBytes(out[32:])
	return out
}

type tnote struct {
	size  int
	lines []string
}

type tlog struct {
	w      *world
	p      *tparty
	name   LogName
	leaves [][]byte
	notes  []int // sizes with a note
	edit   func(n *tnote)
	erased map[int]bool
}

type world struct {
	parties []*tparty
	charter []byte
	channel Hash
	logs    []*tlog
	files   map[string][]byte
}

func newWorld(codes ...string) *world {
	w := &world{files: map[string][]byte{}}
	for _, c := range codes {
		w.parties = append(w.parties, newParty(c))
	}
	slices.SortFunc(w.parties, func(a, b *tparty) int { return bytes.Compare(a.name[:], b.name[:]) })
	w.charter = v1(w.charterMap(1, nil))
	w.channel = sha256.Sum256(w.charter)
	w.files["charters/1"] = w.charter
	w.files["NOTE.txt"] = []byte("for people\n")
	for _, p := range w.parties {
		w.files["credentials/"+nameText(p.name)+"-1"] = p.credential
	}
	return w
}

func (w *world) charterMap(edition int, previous any) map[string]any {
	var names, languages list
	for _, p := range w.parties {
		names, languages = append(names, p.name), append(languages, "en")
	}
	return map[string]any{"acknowledge": list{3600, 900, 120, 60}, "edition": edition, "formats": nil, "kem_keep_days": 35,
		"label": "Test", "languages": languages, "level": 7, "parties": names, "previous": previous, "proofs": list{2, 3},
		"random": make([]byte, 16), "release": list{2, 1}, "silent_after": 3600, "subjects": list{}, "test_every": 0}
}

func (w *world) log(p *tparty, lane uint8, number uint64, named ...any) *tlog {
	l := &tlog{w: w, p: p, name: LogName{w.channel, p.name, lane, number, [8]byte{byte(number), 2, 3}}, erased: map[int]bool{}}
	w.logs = append(w.logs, l)
	if named == nil {
		named = list{}
	}
	l.machine(32, nil, nil, list{0, 1, 1, named})
	return l
}

func (l *tlog) add(entry []byte) *tlog {
	salt := sha256.Sum256([]byte(fmt.Sprint(l.name.String(), len(l.leaves))))
	l.leaves = append(l.leaves, append(salt[:16:16], entry...))
	return l
}

const testTime = 1_750_000_000_000

func (l *tlog) machine(kind int, seen, check, payload any) *tlog {
	return l.add(v1(list{kind, testTime + 1000*len(l.leaves), seen, check, payload}))
}

// spoken adds an entry made of the usual elements and the changes given.
func (l *tlog) spoken(kind, edition int, change map[int]any) *tlog {
	return l.add(v1(l.elements(kind, edition, change)))
}

func (l *tlog) elements(kind, edition int, change map[int]any) list {
	a := list{kind, edition, testTime + 1000*len(l.leaves), 60, []byte{1, 2, 3, 4, 5, 6, 7, byte(len(l.leaves))}, 0, nil, nil, nil, nil, nil, nil,
		1, len(l.leaves) + 1, 0, nil, nil, Hash{}}
	if kind == 1 {
		a[9] = list{"en", "hello"}
	}
	for i, v := range change {
		a[i] = v
	}
	return a
}

func (l *tlog) desc() list {
	i := slices.Index(l.w.parties, l.p)
	return list{i, int(l.name.Lane), l.name.Number, l.name.Run[:]}
}

func (l *tlog) hash(i int) Hash { return sha256.Sum256(append([]byte{0}, l.leaves[i]...)) }

// rootAt computes the root by the definition of RFC 6962, not by the program.
func (l *tlog) rootAt(n int) Hash {
	var mth func(lo, hi int) Hash
	mth = func(lo, hi int) Hash {
		switch hi - lo {
		case 0:
			return sha256.Sum256(nil)
		case 1:
			return l.hash(lo)
		}
		k := 1
		for 2*k < hi-lo {
			k *= 2
		}
		a, b := mth(lo, lo+k), mth(lo+k, hi)
		return nodeHash(a[:], b[:])
	}
	return mth(0, n)
}

type at struct {
	log  *tlog
	size int
}

// check is the value of element `check` for a table.
func check(table ...at) []byte {
	slices.SortFunc(table, func(a, b at) int { return cmp.Compare(a.log.name.String(), b.log.name.String()) })
	var b []byte
	for _, x := range table {
		root := x.log.rootAt(x.size)
		b = append(append(b, x.log.name.String()...), 0)
		b = append(binary.BigEndian.AppendUint64(b, uint64(x.size)), root[:]...)
	}
	h := sha256.Sum256(b)
	return h[:8]
}

// line makes a signature line.
func line(s signer, kind byte, signerName, origin string, size int, root Hash, time uint64) string {
	key, sig := s.edPub(), []byte(nil)
	switch kind {
	case typeLog:
		sig = s.edSign([]byte(checkpoint(origin, uint64(size), root)))
	case typeReceipt:
		sig = binary.BigEndian.AppendUint64(nil, time)
		sig = append(sig, s.edSign(receiptMessage(time, origin, uint64(size), root))...)
	case typeML:
		key = s.mlPub()
		sig = binary.BigEndian.AppendUint64(nil, time)
		sig = append(sig, s.mlSign(cosignedMessage(signerName, time, origin, uint64(size), root))...)
	}
	id := keyID(signerName, kind, key)
	return "— " + signerName + " " + base64.StdEncoding.EncodeToString(append(id[:], sig...)) + "\n"
}

func (l *tlog) note(size int) string {
	root, name := l.rootAt(size), l.name.String()
	n := &tnote{size: size, lines: []string{line(l.p.log, typeLog, name, name, size, root, 0), line(l.p.log, typeML, name, name, size, root, 0)}}
	for _, p := range l.w.parties {
		if p != l.p {
			c := cosignerName(l.w.channel, p.name)
			n.lines = append(n.lines, line(p.cosign, typeReceipt, c, name, size, root, uint64(1_750_000_000+size)),
				line(p.cosign, typeML, c, name, size, root, uint64(1_750_000_000+size)))
		}
	}
	if l.edit != nil {
		l.edit(n)
	}
	return checkpoint(name, uint64(size), root) + "\n" + strings.Join(n.lines, "") + "\n"
}

// finish makes all files.
func (w *world) finish() map[string][]byte {
	slices.SortFunc(w.logs, func(a, b *tlog) int { return cmp.Compare(a.name.String(), b.name.String()) })
	var manifest list
	for _, l := range w.logs {
		manifest = append(manifest, list{l.name.String(), len(l.leaves)})
		folder := "logs/" + l.name.folder() + "/"
		var entries, leaves []byte
		for i, d := range l.leaves {
			h := l.hash(i)
			leaves = append(leaves, h[:]...)
			if l.erased[i] {
				d = nil
			}
			entries = append(binary.BigEndian.AppendUint16(entries, uint16(len(d))), d...)
		}
		var notes string
		for _, n := range append(slices.Clone(l.notes), len(l.leaves)) {
			notes += l.note(n)
		}
		w.files[folder+"entries"], w.files[folder+"leaves"], w.files[folder+"notes"] = entries, leaves, []byte(notes)
	}
	w.files["export"] = v1(list{w.channel, w.parties[0].name, testTime, manifest})
	return w.files
}

func (w *world) proof(signatures ...any) Hash {
	b := v1(list(signatures))
	h := sha256.Sum256(b)
	w.files["proofs/"+hex.EncodeToString(h[:])] = b
	return h
}

func writeFiles(t *testing.T, files map[string][]byte) string {
	t.Helper()
	dir := t.TempDir()
	for path, b := range files {
		full := filepath.Join(dir, filepath.FromSlash(path))
		if err := os.MkdirAll(filepath.Dir(full), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(full, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func verifyFiles(t *testing.T, files map[string][]byte, words map[string]string) *Result {
	t.Helper()
	res, err := verify(writeFiles(t, files), words)
	if err != nil {
		t.Fatal(err)
	}
	return res
}

// open is a channel of two with both ratifications seen by both: entries 0
// generation, 1 ratify, 2 test with `seen` of the other.
func open(codes ...string) (*world, []*tlog) {
	w := newWorld(codes...)
	var logs []*tlog
	for _, p := range w.parties {
		l := w.log(p, laneOrdinary, 1)
		l.spoken(kindRatify, 0, map[int]any{9: list{1, w.channel, nil}})
		logs = append(logs, l)
	}
	for i, l := range logs {
		var seen list
		var table []at
		for j, o := range logs {
			if j != i {
				seen, table = append(seen, o.desc(), 2), append(table, at{o, 2})
			}
		}
		l.machine(kindTest, seen, check(table...), make([]byte, 8))
	}
	return w, logs
}
