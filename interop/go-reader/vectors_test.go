package main

import (
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

const vectors = "../../spec/vectors/"

func readVector(t *testing.T, path string, into any) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(b, into)
	}
	if err != nil {
		t.Fatal(path, err)
	}
}

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func unhash(t *testing.T, s string) (h Hash) {
	copy(h[:], unhex(t, s))
	return h
}

func TestSignatureVectorsGetTheVerdictOfTheirFile(t *testing.T) {
	for file, verify := range map[string]func(k, m, s []byte) bool{"ed25519": edVerify, "es256": es256Verify} {
		var v struct {
			Cases []struct {
				Name, Public, Message, Signature string
				Valid                            bool
			}
		}
		readVector(t, vectors+"crypto/"+file+".json", &v)
		if len(v.Cases) < 5 {
			t.Fatal(file)
		}
		for _, c := range v.Cases {
			if verify(unhex(t, c.Public), unhex(t, c.Message), unhex(t, c.Signature)) != c.Valid {
				t.Errorf("%s %s is not %v", file, c.Name, c.Valid)
			}
		}
	}
}

func TestProofVectorsGetTheVerdictOfTheirFile(t *testing.T) {
	files, _ := filepath.Glob(vectors + "transparency/*.json")
	checked := 0
	for _, f := range files {
		var v struct {
			Kind        string
			Index, Size uint64
			LeafHash    string `json:"leaf_hash"`
			Root        string
			OldSize     uint64 `json:"old_size"`
			NewSize     uint64 `json:"new_size"`
			OldRoot     string `json:"old_root"`
			NewRoot     string `json:"new_root"`
			Path        []string
			Valid       bool
			Note        string
			Fault       any
		}
		b, err := os.ReadFile(f)
		if err != nil || json.Unmarshal(b, &v) != nil || (v.Kind != "inclusion" && v.Kind != "consistency") {
			continue
		}
		var path []Hash
		for _, p := range v.Path {
			path = append(path, unhash(t, p))
		}
		got := false
		if v.Kind == "inclusion" {
			got = v.Size <= maxLogSize && checkInclusion(unhash(t, v.LeafHash), v.Index, v.Size, path, unhash(t, v.Root))
		} else {
			if v.OldSize == 0 || v.OldSize >= v.NewSize || v.NewSize > maxLogSize {
				continue // a proof object never asks for these
			}
			got = checkConsistency(v.OldSize, v.NewSize, unhash(t, v.OldRoot), unhash(t, v.NewRoot), path)
		}
		checked++
		if got != v.Valid {
			t.Errorf("%s is not %v", filepath.Base(f), v.Valid)
		}
	}
	if checked < 20 {
		t.Fatal("only", checked, "proof vectors")
	}
}

func TestNoteVectorsParseOrNotAndVerifyOrNot(t *testing.T) {
	var k struct {
		Keys []struct{ Name, Public, Role string }
	}
	readVector(t, vectors+"transparency/keys.json", &k)
	keys := map[lineName]*lineKey{}
	for _, x := range k.Keys {
		kind, own := byte(typeML), true
		key := unhex(t, x.Public)
		if x.Role[0] != 'l' {
			own = false
		}
		if len(key) == edKeyLen {
			if kind = typeReceipt; own {
				kind = typeLog
			}
		}
		keys[lineName{x.Name, keyID(x.Name, kind, key)}] = &lineKey{kind, key, 0, own}
	}
	files, _ := filepath.Glob(vectors + "transparency/note_*.json")
	if len(files) < 20 {
		t.Fatal("only", len(files), "notes")
	}
	for _, f := range files {
		var v struct {
			Note    string
			NoteHex string `json:"note_hex"`
			Fault   *string
		}
		readVector(t, f, &v)
		b := []byte(v.Note)
		if v.NoteHex != "" {
			b = unhex(t, v.NoteHex)
		}
		n, rest, ok := nextNote(append(b, '\n'))
		got := ""
		if !ok || len(rest) > 0 {
			got = "note"
		} else {
			known := 0
			for i := range n.Lines {
				if key := keys[lineName{n.Lines[i].Name, n.Lines[i].ID}]; key != nil {
					known++
					if _, good := n.check(&n.Lines[i], key); !good || (key.own && n.Origin != n.Lines[i].Name) {
						got = "signature"
					}
				}
			}
			if got == "" && known == 0 {
				got = "unknown"
			}
		}
		want := ""
		if v.Fault != nil {
			want = *v.Fault
		}
		if got != want {
			t.Errorf("%s: %q, not %q", filepath.Base(f), got, want)
		}
	}
}
