package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// The files of an export and checks 1 to 5, 7 and 8 of export.md, section 2.

// Fault is the first thing wrong. Index is nil where there is none.
type Fault struct {
	Log   *string `json:"log"`
	Index *uint64 `json:"index"`
	What  string  `json:"what"`
}

func faultAt(what, log string) *Fault { return &Fault{Log: &log, What: what} }

func faultIndex(what, log string, index uint64) *Fault {
	return &Fault{Log: &log, Index: &index, What: what}
}

// Export is a folder read into memory, and what the checks learn of it.
type Export struct {
	dir         string
	files       []string // slash paths below dir, sorted by bytes
	present     map[string]bool
	Channel     Hash
	Logs        []*Log
	charter     *Charter // edition 1
	charters    map[uint64]*Charter
	credentials map[Hash]map[uint64]*Credential
	rosters     map[Hash]*Roster // by the hash of their bytes, all parties
	fallen      []fallenTime     // receipts whose times fall
}

// readFile reads a file of the export; absent and unreadable files are empty.
func (x *Export) readFile(path string) []byte {
	b, err := os.ReadFile(filepath.Join(x.dir, filepath.FromSlash(path)))
	if err != nil {
		return nil
	}
	return b
}

// list finds every file below the folder. What is not a regular file counts as
// a file nobody asked for.
func (x *Export) list() (strange []string, err error) {
	x.present = map[string]bool{}
	err = filepath.WalkDir(x.dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(x.dir, p)
		if err != nil {
			return err
		}
		rel = filepath.ToSlash(rel)
		if !d.Type().IsRegular() {
			strange = append(strange, rel)
			return nil
		}
		x.files = append(x.files, rel)
		x.present[rel] = true
		return nil
	})
	slices.Sort(x.files)
	return strange, err
}

// openExport runs checks 1 to 5. An error means the folder cannot be read.
func openExport(dir string) (x *Export, fault *Fault, err error) {
	x = &Export{dir: dir, charters: map[uint64]*Charter{}, credentials: map[Hash]map[uint64]*Credential{}, rosters: map[Hash]*Roster{}}
	strange, err := x.list()
	if err != nil {
		return x, nil, err
	}
	checks := []func() *Fault{
		x.checkManifest,
		func() *Fault { return x.checkFiles(strange) },
		x.checkCharters, x.checkCredentials, x.checkRosters,
	}
	for _, check := range checks {
		if fault = check(); fault != nil {
			return x, fault, nil
		}
	}
	return x, nil, nil
}

func (x *Export) checkManifest() *Fault {
	v, err := decodeV1(x.readFile("export"))
	fault := faultAt("export", "export")
	if err != nil || !v.array(4) || !v.A[0].bytesOf(32) || !v.A[1].bytesOf(32) || v.A[3].T != tArray {
		return fault
	}
	if _, ok := v.A[2].moment(); !ok {
		return fault
	}
	x.Channel, _ = v.A[0].hash32()
	var logs []*Log
	last := ""
	for i := range v.A[3].A {
		item := &v.A[3].A[i]
		if !item.array(2) || item.A[0].T != tText || !item.A[1].within(1, maxLogSize) {
			return fault
		}
		text := string(item.A[0].B)
		name, ok := parseLogName(text)
		if !ok || name.Channel != x.Channel || text <= last {
			return fault
		}
		last = text
		logs = append(logs, &Log{Name: name, Text: text, Size: item.A[1].N})
	}
	if x.present["charters/1"] && sha256.Sum256(x.readFile("charters/1")) != x.Channel {
		return faultAt("charter", "charters/1")
	}
	x.Logs = logs
	return nil
}

var logFiles = [3]string{"entries", "leaves", "notes"}

func (x *Export) checkFiles(strange []string) *Fault {
	var missing []string
	need := func(path string) {
		if !x.present[path] {
			missing = append(missing, path)
		}
	}
	need("charters/1")
	allowed := map[string]bool{"NOTE.txt": true, "export": true}
	for _, l := range x.Logs {
		for _, f := range logFiles {
			path := "logs/" + l.Name.folder() + "/" + f
			need(path)
			allowed[path] = true
		}
	}
	if c, ok := parseCharter(x.readFile("charters/1")); ok {
		for _, p := range c.Parties {
			prefix := "credentials/" + nameText(p) + "-"
			if !slices.ContainsFunc(x.files, func(f string) bool { return strings.HasPrefix(f, prefix) }) {
				missing = append(missing, prefix+"1")
			}
		}
	}
	if len(missing) > 0 {
		return faultAt("missing", slices.Min(missing))
	}
	for _, f := range x.files {
		if !allowed[f] && !knownPath(f) {
			strange = append(strange, f)
		}
	}
	if len(strange) > 0 {
		return faultAt("unexpected", slices.Min(strange))
	}
	return nil
}

// knownPath says whether a path outside logs has the form of one of the table.
func knownPath(path string) bool {
	folder, name, _ := strings.Cut(path, "/")
	switch folder {
	case "charters", "equivocations":
		_, ok := decimal(name, 1, 1<<64-1)
		return ok
	case "credentials", "rosters":
		_, _, ok := partyFile(path)
		return ok
	case "proofs", "blobs":
		b, err := hex.DecodeString(name)
		return err == nil && len(b) == 32 && strings.ToLower(name) == name
	}
	return false
}

// partyFile takes `<folder>/<party>-<number>` apart, number from 1.
func partyFile(path string) (p Hash, n uint64, ok bool) {
	_, name, _ := strings.Cut(path, "/")
	party, number, _ := strings.Cut(name, "-")
	if p, ok = parseName(party); !ok {
		return p, 0, false
	}
	n, ok = decimal(number, 1, 1<<64-1)
	return p, n, ok
}

// below calls f for each file of a folder, by path, until a fault is found.
func (x *Export) below(folder string, f func(path string, b []byte) *Fault) *Fault {
	for _, path := range x.files {
		if strings.HasPrefix(path, folder+"/") {
			if fault := f(path, x.readFile(path)); fault != nil {
				return fault
			}
		}
	}
	return nil
}

func (x *Export) checkCharters() *Fault {
	first, ok := parseCharter(x.readFile("charters/1"))
	editions := map[Hash]uint64{} // by the hash of their bytes
	for _, path := range x.files {
		if n, isNumber := decimal(strings.TrimPrefix(path, "charters/"), 1, 1<<64-1); isNumber {
			editions[sha256.Sum256(x.readFile(path))] = n
		}
	}
	return x.below("charters", func(path string, b []byte) *Fault {
		edition, _ := decimal(strings.TrimPrefix(path, "charters/"), 1, 1<<64-1)
		c, good := parseCharter(b)
		if !ok || !good || c.Edition != edition || !slices.Equal(c.Parties, first.Parties) || !bytes.Equal(c.Random, first.Random) {
			return faultAt("charter", path)
		}
		if edition > 1 {
			if before, held := editions[*c.Previous]; !held || before >= edition {
				return faultAt("charter", path)
			}
		}
		x.charters[edition] = c
		if edition == 1 {
			x.charter = c
		}
		return nil
	})
}

func (x *Export) checkCredentials() *Fault {
	type file struct {
		path  string
		party Hash
		c     *Credential
	}
	var all []file
	fault := x.below("credentials", func(path string, b []byte) *Fault {
		party, edition, _ := partyFile(path)
		c, ok := parseCredential(b)
		if ok = ok && c.Edition == edition && c.Roster.Party == party && x.charter.index(party) >= 0; !ok {
			c = nil
		}
		all = append(all, file{path, party, c})
		if c != nil {
			if x.credentials[party] == nil {
				x.credentials[party] = map[uint64]*Credential{}
			}
			x.credentials[party][edition] = c
		}
		return nil
	})
	for _, f := range all {
		if f.c == nil {
			return faultAt("credential", f.path)
		}
		if f.c.Edition == 1 {
			continue
		}
		if before := x.credentials[f.party][f.c.Edition-1]; before == nil {
			_, n, _ := partyFile(f.path)
			previous := "credentials/" + nameText(f.party) + "-" + strconv.FormatUint(n-1, 10)
			if !x.present[previous] { // a gap; a faulty one is named itself, in its place
				return faultAt("credential", f.path)
			}
		} else if before.TextHash != *f.c.Previous {
			return faultAt("credential", f.path)
		}
	}
	return fault
}

// newestCredential is the highest edition of a party in the export.
func (x *Export) newestCredential(p Hash) *Credential {
	var newest *Credential
	for _, c := range x.credentials[p] {
		if newest == nil || c.Edition > newest.Edition {
			newest = c
		}
	}
	return newest
}

func (x *Export) checkRosters() *Fault {
	for _, editions := range x.credentials {
		for _, c := range editions {
			x.rosters[c.Roster.Hash] = c.Roster
		}
	}
	return x.below("rosters", func(path string, b []byte) *Fault {
		party, number, _ := partyFile(path)
		fault := faultAt("roster", path)
		change, r, ok := readRosterChange(b)
		cred := x.newestCredential(party)
		if !ok || cred == nil || r.Party != party || r.Number != number {
			return fault
		}
		before := cred.Roster
		if number > 1 {
			previous := "rosters/" + nameText(party) + "-" + strconv.FormatUint(number-1, 10)
			if _, before, ok = readRosterChange(x.readFile(previous)); !ok {
				return fault
			}
		}
		if *r.Previous != before.Hash || !inForce(&change, before, r, cred.Root) {
			return fault
		}
		x.rosters[r.Hash] = r
		return nil
	})
}

func readRosterChange(b []byte) (v Value, r *Roster, ok bool) {
	v, err := decodeV1(b)
	if err != nil || !v.array(4) || v.A[0].T != tBytes ||
		(!v.A[1].null() && v.A[1].T != tBytes) ||
		(!v.A[2].null() && !v.A[2].bytesOf(edSigLen)) || (!v.A[3].null() && !v.A[3].bytesOf(mlSigLen)) {
		return v, nil, false
	}
	r, ok = parseRoster(v.A[0].B)
	return v, r, ok && r.Number > 0
}

// inForce checks a roster change by its proof or by the root signatures.
func inForce(change *Value, before, r *Roster, root KeyPair) bool {
	b := putArray(nil, 4)
	b = putBytes(b, r.Party[:])
	b = putUint(b, r.Number)
	b = putBytes(putBytes(b, before.Hash[:]), r.Hash[:])
	if !change.A[1].null() {
		proof, ok := parseProof(change.A[1].B)
		if ok && satisfied(proof, before, labelled("detente/1/roster", b), roleRelease, before.Asks, 0) {
			return true
		}
	}
	return !change.A[2].null() && !change.A[3].null() &&
		root.verifyBoth(message("detente/1/roster-root", b), change.A[2].B, change.A[3].B)
}

// checkAttached runs checks 7 and 8.
func (x *Export) checkAttached() *Fault {
	named := func(path string, b []byte) bool {
		h := sha256.Sum256(b)
		return strings.HasSuffix(path, "/"+hex.EncodeToString(h[:]))
	}
	if f := x.below("proofs", func(path string, b []byte) *Fault {
		if _, ok := parseProof(b); !ok || !named(path, b) {
			return faultAt("proof", path)
		}
		return nil
	}); f != nil {
		return f
	}
	if f := x.below("blobs", func(path string, b []byte) *Fault {
		if !named(path, b) {
			return faultAt("blob", path)
		}
		return nil
	}); f != nil {
		return f
	}
	return x.below("equivocations", func(path string, b []byte) *Fault {
		if !x.goodEquivocation(b) {
			return faultAt("equivocation", path)
		}
		return nil
	})
}
