package main

import (
	"bytes"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
)

func allWords(w *world) map[string]string {
	out := map[string]string{}
	for _, p := range w.parties {
		var said []string
		for i, n := range eightWords(KeyPair{p.root.edPub(), p.root.mlPub()}) {
			if i%2 == 0 {
				said = append(said, wordList[n])
			} else {
				said = append(said, strconv.Itoa(n))
			}
		}
		out[p.code] = strings.Join(said, " ")
	}
	return out
}

// busy is a channel with notes at several sizes, so that faults differ.
func busy() (*world, []*tlog) {
	w, logs := open("VEG", "ALT")
	for i := range 9 {
		logs[i%2].spoken(kindNote, 1, nil)
	}
	logs[0].notes = []int{1, 3, 5}
	logs[1].notes = []int{2, 4}
	return w, logs
}

func TestAGoodExportIsValidWithAllWordsAndConsistentOnlyWithout(t *testing.T) {
	w, _ := busy()
	files := w.finish()
	words := allWords(w)
	if res := verifyFiles(t, files, words); res.Verdict != "valid" || res.tally.Void != 0 || res.Entries != 15 {
		t.Fatalf("%+v %+v %+v", res, res.FirstFault, res.tally)
	}
	delete(words, "ALT")
	res := verifyFiles(t, files, words)
	if res.Verdict != "consistent_only" {
		t.Fatal(res.Verdict)
	}
	for _, l := range res.Logs {
		if len(l.Cosigned) != 1 || l.Signed != l.PostQuantum || l.Signed < 7 {
			t.Errorf("%+v", l)
		}
		for _, n := range l.Cosigned {
			if n != l.Signed {
				t.Errorf("%+v", l)
			}
		}
	}
}

func TestWrongWordsAreForged(t *testing.T) {
	w, _ := busy()
	words := allWords(w)
	words["VEG"] = words["ALT"]
	res := verifyFiles(t, w.finish(), words)
	if res.Verdict != "forged" || res.FirstFault.What != "words" || res.FirstFault.Log != nil {
		t.Fatal(res.FirstFault)
	}
}

func TestEachMutationIsNamedByItsFirstFault(t *testing.T) {
	w, logs := busy()
	good := maps.Clone(w.finish())
	l := logs[0]
	name, folder := l.name.String(), "logs/"+l.name.folder()+"/"
	credential := "credentials/" + nameText(w.parties[1].name) + "-1"
	flip := func(path string, at int) func(map[string][]byte) {
		return func(f map[string][]byte) {
			b := bytes.Clone(f[path])
			b[(at+len(b))%len(b)] ^= 1
			f[path] = b
		}
	}
	recompute := func(f map[string][]byte, change func()) {
		saved := l.leaves
		l.leaves = slices.Clone(saved)
		change()
		signed := f[folder+"notes"]
		w.files = maps.Clone(f)
		out := w.finish()
		f[folder+"entries"], f[folder+"leaves"], f["export"] = out[folder+"entries"], out[folder+"leaves"], out["export"]
		f[folder+"notes"] = signed
		l.leaves = saved
	}
	replace := func(from, to string) func(map[string][]byte) {
		return func(f map[string][]byte) {
			f[folder+"notes"] = []byte(strings.Replace(string(f[folder+"notes"]), from, to, 1))
		}
	}
	none := -1
	cases := []struct {
		what  string
		log   string
		index int
		do    func(map[string][]byte)
	}{
		{"export", "export", none, flip("export", 0)},
		{"export", "export", none, func(f map[string][]byte) { delete(f, "export") }},
		{"charter", "charters/1", none, flip("charters/1", -1)},
		{"missing", "charters/1", none, func(f map[string][]byte) { delete(f, "charters/1") }},
		{"missing", credential, none, func(f map[string][]byte) { delete(f, credential) }},
		{"missing", folder + "notes", none, func(f map[string][]byte) { delete(f, folder+"notes") }},
		{"unexpected", "blobs/x", none, func(f map[string][]byte) { f["blobs/x"] = nil }},
		{"unexpected", "charters/01", none, func(f map[string][]byte) { f["charters/01"] = nil }},
		{"charter", "charters/2", none, func(f map[string][]byte) { f["charters/2"] = f["charters/1"] }},
		{"credential", credential, none, flip(credential, -1)},
		{"credential", credential, none, flip(credential, 100)},
		{"credential", credential[:len(credential)-1] + "3", none, func(f map[string][]byte) {
			f[credential[:len(credential)-1]+"3"] = w.parties[1].newCredential(3, Hash{}, w.parties[1].roster)
		}},
		{"roster", "rosters/" + nameText(w.parties[0].name) + "-1", none, func(f map[string][]byte) {
			f["rosters/"+nameText(w.parties[0].name)+"-1"] = v1(list{w.parties[0].roster, nil, nil, nil})
		}},
		{"length", name, none, func(f map[string][]byte) { f[folder+"entries"] = append(bytes.Clone(f[folder+"entries"]), 0) }},
		{"length", name, none, func(f map[string][]byte) { f[folder+"leaves"] = f[folder+"leaves"][32:] }},
		{"leaf", name, 0, flip(folder+"entries", 2)},
		{"leaf", name, 7, flip(folder+"leaves", -1)},
		{"root", name, 4, func(f map[string][]byte) {
			recompute(f, func() { l.leaves[3], l.leaves[4] = l.leaves[4], l.leaves[3] })
		}},
		{"note", name, none, func(f map[string][]byte) { recompute(f, func() { l.leaves = l.leaves[:len(l.leaves)-1] }) }},
		{"root", name, 4, func(f map[string][]byte) {
			recompute(f, func() { l.leaves = append(slices.Delete(l.leaves, 3, 4), l.leaves[3]) })
		}},
		{"unsigned", name, 8, func(f map[string][]byte) { recompute(f, func() { l.add([]byte{1}) }) }},
		{"unsigned", name, 0, func(f map[string][]byte) { f[folder+"notes"] = nil }},
		{"note", name, none, replace("\n3\n", "\n03\n")},
		{"note", name, none, replace("—", "-")},
		{"note", name, none, replace("\n\n—", "\n—")},
		{"note", name, none, flip(folder+"notes", -1)},
		{"proof", "proofs/" + strings.Repeat("00", 32), none, func(f map[string][]byte) { f["proofs/"+strings.Repeat("00", 32)] = v1(list{}) }},
		{"blob", "blobs/" + strings.Repeat("00", 32), none, func(f map[string][]byte) { f["blobs/"+strings.Repeat("00", 32)] = []byte("x") }},
		{"equivocation", "equivocations/1", none, func(f map[string][]byte) { f["equivocations/1"] = v1(list{}) }},
	}
	for i, c := range cases {
		files := maps.Clone(good)
		c.do(files)
		res := verifyFiles(t, files, nil)
		f := res.FirstFault
		if f == nil || f.What != c.what || f.Log == nil || *f.Log != c.log || (f.Index == nil) != (c.index < 0) || (f.Index != nil && *f.Index != uint64(c.index)) {
			got := "none"
			if f != nil {
				got = faultText(f)
			}
			t.Errorf("case %d: want %s at %s %d, got %s", i, c.what, c.log, c.index, got)
		}
	}
}

func TestASignatureOfAnotherKeyIsAFaultAtItsSize(t *testing.T) {
	for kind := range 4 {
		w, logs := busy()
		logs[1].edit = func(n *tnote) {
			if n.size == 4 {
				other, name := logs[1].w.parties[0], logs[1].name.String()
				root := logs[1].rootAt(5)
				c := cosignerName(w.channel, other.name)
				n.lines[kind] = []string{
					line(logs[1].p.log, typeLog, name, name, 4, root, 0), line(logs[1].p.log, typeML, name, name, 4, logs[1].rootAt(4), 5),
					line(other.cosign, typeReceipt, c, name, 4, root, 9), line(other.cosign, typeML, c, name, 4, root, 9)}[kind]
			}
		}
		res := verifyFiles(t, w.finish(), nil)
		if f := res.FirstFault; f == nil || f.What != "signature" || *f.Index != 3 {
			t.Errorf("line %d: %+v", kind, f)
		}
	}
}

func TestLinesOfUnknownKeysAreIgnored(t *testing.T) {
	w, logs := busy()
	logs[0].edit = func(n *tnote) {
		name := logs[0].name.String()
		n.lines = append(n.lines, line(newSigner("stranger"), typeLog, name, name, n.size, Hash{}, 0))
	}
	if res := verifyFiles(t, w.finish(), nil); res.Verdict != "consistent_only" {
		t.Fatal(faultText(res.FirstFault))
	}
}

// Whatever single byte changes, the reader ends without panic; a change in a
// file whose every byte is bound by hashes or signatures is forged.
func TestAnyByteFlipInBoundFilesIsForged(t *testing.T) {
	w, _ := busy()
	good := w.finish()
	random := rand.New(rand.NewPCG(1, 2))
	for path, b := range good {
		if path == "NOTE.txt" {
			continue
		}
		for range 12 {
			files := maps.Clone(good)
			c := bytes.Clone(b)
			c[random.IntN(len(c))] ^= byte(1 << random.IntN(8))
			files[path] = c
			res := verifyFiles(t, files, nil)
			bound := path != "export" && !strings.HasSuffix(path, "/notes")
			if bound && res.Verdict != "forged" {
				t.Errorf("a flip in %s is %s", path, res.Verdict)
			}
		}
	}
}
