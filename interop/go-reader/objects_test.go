package main

import (
	"bytes"
	"encoding/hex"
	"io"
	"math/big"
	"os"
	"slices"
	"strings"
	"testing"
)

func logLine(l *tlog, size int, root Hash) list {
	return list{0, size, root, 0, l.p.log.edSign([]byte(checkpoint(l.name.String(), uint64(size), root)))}
}

func receiptLine(p *tparty, l *tlog, size int, root Hash) list {
	return list{2, size, root, 99, p.cosign.edSign(receiptMessage(99, l.name.String(), uint64(size), root))}
}

// path2of3 is the consistency proof from 2 to 3 leaves: the third leaf.
func path2of3(l *tlog) list { return list{l.hash(2)} }

func TestEquivocationObjectsMustContradictThemselves(t *testing.T) {
	w, logs := open("VEG", "ALT")
	l, other := logs[0], logs[1].p
	name := l.name.String()
	r2, r3, bad := l.rootAt(2), l.rootAt(3), Hash{}
	for i := range bad { // above every root: the lower claim stands first
		bad[i] = 0xff
	}
	naming := w.log(l.p, laneOrdinary, 2, list{l.name.Number, l.name.Run[:], 3, bad})
	namingClaim := func(size int) list {
		return list{4, size, bad, list{naming.name.String(), naming.leaves[0], 1, naming.rootAt(1), list{}, logLine(naming, 1, naming.rootAt(1))[4]}}
	}
	ml := list{1, 3, bad, 0, l.p.log.mlSign(cosignedMessage(name, 0, name, 3, bad))}
	cases := map[string]struct {
		good   bool
		object list
	}{
		"two roots of one size":     {true, list{name, l.p.name, logLine(l, 3, r3), logLine(l, 3, bad), nil, nil}},
		"Ed25519 against ML-DSA":    {true, list{name, l.p.name, logLine(l, 3, r3), ml, nil, nil}},
		"two receipts":              {true, list{name, other.name, receiptLine(other, l, 3, r3), receiptLine(other, l, 3, bad), nil, nil}},
		"roots that do not go on":   {true, list{name, l.p.name, logLine(l, 2, bad), logLine(l, 3, r3), r2, path2of3(l)}},
		"a naming generation":       {true, list{name, l.p.name, logLine(l, 3, r3), namingClaim(3), nil, nil}},
		"a naming of another size":  {false, list{name, l.p.name, logLine(l, 3, r3), namingClaim(2), nil, nil}},
		"one root twice":            {false, list{name, l.p.name, logLine(l, 3, r3), logLine(l, 3, r3), nil, nil}},
		"roots that do go on":       {false, list{name, l.p.name, logLine(l, 2, r2), logLine(l, 3, r3), r2, path2of3(l)}},
		"a path that leads nowhere": {false, list{name, l.p.name, logLine(l, 2, bad), logLine(l, 3, r3), r2, list{bad}}},
		"a claim of another":        {false, list{name, l.p.name, logLine(l, 3, r3), receiptLine(other, l, 3, bad), nil, nil}},
		"a claim not signed":        {false, list{name, l.p.name, logLine(l, 3, r3), list{0, 3, bad, 0, make([]byte, 64)}, nil, nil}},
		"sizes without a path":      {false, list{name, l.p.name, logLine(l, 2, bad), logLine(l, 3, r3), nil, nil}},
		"a foreign channel":         {false, list{strings.Replace(name, nameText(w.channel), nameText(Hash{}), 1), l.p.name, logLine(l, 3, r3), logLine(l, 3, bad), nil, nil}},
	}
	for what, c := range cases {
		files := w.finish()
		files["equivocations/1"] = v1(c.object)
		if res := verifyFiles(t, files, nil); (res.FirstFault == nil) != c.good {
			t.Errorf("%s: %+v", what, res.FirstFault)
		}
	}
}

func TestTheDecoderTakesOnlyDeterministicValues(t *testing.T) {
	good := []string{"00", "1818", "1bffffffffffffffff", "3b7fffffffffffffff", "80", "a0", "f4", "f5", "f6", "6161", "a2000141ff02",
		strings.Repeat("81", 12) + "00"}
	bad := []string{"", "0000", "1817", "190018", "1a0000ffff", "1b00000000ffffffff", "3b8000000000000000", "9fff", "5f4100ff", "61ff", "c000", "f7", "f800", "f93c00",
		"a2010000 00", "a200000000", "a100", "8100 00", "9bffffffffffffffff", "5bffffffffffffffff", "1c", strings.Repeat("81", 13) + "00"}
	for _, s := range good {
		b, _ := hex.DecodeString(s)
		if v, err := decodeOne(b); err != nil || !bytes.Equal(v.Raw, b) {
			t.Errorf("%s is refused", s)
		}
	}
	for _, s := range bad {
		b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := decodeOne(b); err == nil {
			t.Errorf("%s is taken", s)
		}
	}
}

func FuzzTheDecoderGivesBackWhatItTook(f *testing.F) {
	f.Add([]byte{0x82, 0xa1, 0, 1, 0x41, 5})
	f.Add([]byte(`{"type":"webauthn.get","challenge":"c","origin":"o\u0020","x":[1,{"a":null}]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		if v, err := decodeOne(b); err == nil && !bytes.Equal(v.Raw, b) {
			t.Fatal("raw bytes differ")
		}
		var d decoder
		decodeEntry(&d, b, laneOrdinary)
		nextNote(b)
		parseProof(b)
		parseCharter(b)
		readRosterChange(b)
		goodClientData(b, "c", []string{"o"})
	})
}

// The points whose y is in the list have small order: eight times each is the
// neutral element, by the addition law of RFC 8032, section 5.1.4.
func TestSmallOrderKeysAreRefused(t *testing.T) {
	p := new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 255), big.NewInt(19))
	mod := func(x *big.Int) *big.Int { return x.Mod(x, p) }
	d := mod(new(big.Int).Mul(big.NewInt(-121665), new(big.Int).ModInverse(big.NewInt(121666), p)))
	mul := func(a, b *big.Int) *big.Int { return mod(new(big.Int).Mul(a, b)) }
	for _, small := range smallOrderY {
		le := bytes.Clone(small)
		slices.Reverse(le)
		y := new(big.Int).SetBytes(le)
		yy := mul(y, y)
		num := mod(new(big.Int).Sub(yy, big.NewInt(1)))
		den := mod(new(big.Int).Add(mul(d, yy), big.NewInt(1)))
		x := new(big.Int).ModSqrt(mul(num, new(big.Int).ModInverse(den, p)), p)
		if x == nil {
			t.Fatalf("%x is no point", small)
		}
		for range 3 { // double three times
			xx, yy, xy := mul(x, x), mul(y, y), mul(x, y)
			k := mul(d, mul(xx, yy))
			x = mul(new(big.Int).Lsh(xy, 1), new(big.Int).ModInverse(mod(new(big.Int).Add(big.NewInt(1), k)), p))
			y = mul(new(big.Int).Add(yy, xx), new(big.Int).ModInverse(mod(new(big.Int).Sub(big.NewInt(1), k)), p))
		}
		if x.Sign() != 0 || y.Cmp(big.NewInt(1)) != 0 {
			t.Errorf("%x is not of small order", small)
		}
		key := bytes.Clone(small)
		key[31] |= 0x80
		if edKeyGood(small) || edKeyGood(key) {
			t.Errorf("%x is taken", small)
		}
	}
	noncanonical := bytes.Clone(fieldPrime)
	noncanonical[0] += 2 // p + 2
	if edKeyGood(noncanonical) || !edKeyGood(newSigner("x").edPub()) {
		t.Error("canonical form is not what is checked")
	}
}

func TestTheWordListIsThatOfTheSpecification(t *testing.T) {
	b, err := os.ReadFile("../../spec/words.txt")
	if err != nil {
		t.Fatal(err)
	}
	if string(b) != wordFile || len(wordList) != 2048 {
		t.Fatal("words.txt differs from spec/words.txt")
	}
}

func TestEveryConsistencyProofOfSmallTreesHoldsAndNoOther(t *testing.T) {
	l := &tlog{name: LogName{}}
	for i := range 20 {
		l.leaves = append(l.leaves, []byte{byte(i)})
	}
	var leaves []byte
	for i := range l.leaves {
		h := l.hash(i)
		leaves = append(leaves, h[:]...)
	}
	tree := newTree(leaves)
	sub := func(lo, hi int) Hash { return (&tlog{leaves: l.leaves[lo:hi]}).rootAt(hi - lo) }
	var proof func(m, lo, hi int, whole bool) []Hash // RFC 6962, section 2.1.2
	proof = func(m, lo, hi int, whole bool) []Hash {
		if m == hi-lo {
			if whole {
				return nil
			}
			return []Hash{sub(lo, hi)}
		}
		k := 1
		for 2*k < hi-lo {
			k *= 2
		}
		if m <= k {
			return append(proof(m, lo, lo+k, whole), sub(lo+k, hi))
		}
		return append(proof(m-k, lo+k, hi, false), sub(lo, lo+k))
	}
	for n := 1; n <= 20; n++ {
		if tree.root(uint64(n)) != l.rootAt(n) {
			t.Fatalf("root of %d", n)
		}
		for m := 1; m < n; m++ {
			path := proof(m, 0, n, true)
			if !checkConsistency(uint64(m), uint64(n), l.rootAt(m), l.rootAt(n), path) {
				t.Errorf("%d to %d is refused", m, n)
			}
			if checkConsistency(uint64(m), uint64(n), Hash{}, l.rootAt(n), path) || checkConsistency(uint64(m), uint64(n), l.rootAt(m), l.rootAt(n), append(path, Hash{})) {
				t.Errorf("%d to %d holds for another", m, n)
			}
		}
	}
}

func TestShownTextCannotSteerATerminal(t *testing.T) {
	w, logs := open("VEG", "ALT")
	logs[0].spoken(1, 1, map[int]any{9: list{"en", "a\x1b[2J\u202eb\u0085\u200bé"}})
	var out, errs strings.Builder
	if code := run([]string{"show", writeFiles(t, w.finish())}, &out, &errs); code != 0 {
		t.Fatal(code, errs.String())
	}
	if !strings.Contains(out.String(), `"a\u{1b}[2J\u{202e}b\u{85}\u{200b}é"`) || strings.ContainsAny(out.String(), "\x1b\u202e") {
		t.Fatal(out.String())
	}
}

func TestTheCommandAnswersWithTheRightExitCode(t *testing.T) {
	w, _ := open("VEG", "ALT")
	dir := writeFiles(t, w.finish())
	var out strings.Builder
	if code := run([]string{"verify", dir, "--json"}, &out, io.Discard); code != 0 || !strings.HasPrefix(out.String(), `{"verdict":"consistent_only","entries":6,"logs":[{"log":"detente/`) || !strings.Contains(out.String(), `"first_fault":null,"void":[],`) {
		t.Error(code, out.String())
	}
	for _, party := range []string{"XX=a b c d e f g h", "VEG=zoo"} {
		if code := run([]string{"verify", dir, "--party", party}, io.Discard, io.Discard); code != 1 {
			t.Errorf("%v: %d", party, code)
		}
	}
	if code := run([]string{"verify", dir + "/absent"}, io.Discard, io.Discard); code != 2 {
		t.Error(code)
	}
}

func TestClientDataIsReadStrictly(t *testing.T) {
	const head = `{"type":"webauthn.get","challenge":"c","origin":"o"`
	for s, want := range map[string]bool{
		head + `}`: true, head + `,"crossOrigin":false}`: true, " " + head + ` , "x" : [ {} , [ ] , 1 ] } `: true,
		`{"type":"webauthn.get","challenge":"c","or\u0069gin":"\u006f"}`: true,
		head + `,"x":[[[[[[[]]]]]]]}`:                                    true,
		head + `,"x":[[[[[[[[]]]]]]]]}`:                                  false,
		head + `,"x":{"a":1,"\u0061":2}}`:                                false,
		head + `,"x":"\ud800"}`:                                          false,
		head + `,"x":"\ud83d\ude00\ufffd"}`:                              true,
		head + `,"crossOrigin":true}`:                                    false, head + `,"crossOrigin":null}`: false,
		head + `,"topOrigin":null}`: false, head + `,"type":"webauthn.get"}`: false, head + `}{`: false, `[]`: false, ``: false,
		`{"Type":"webauthn.get","challenge":"c","origin":"o"}`: false, `{"type":"webauthn.create","challenge":"c","origin":"o"}`: false,
	} {
		if goodClientData([]byte(s), "c", []string{"o"}) != want {
			t.Errorf("%s is not %v", s, want)
		}
	}
}
