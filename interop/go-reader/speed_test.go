package main

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

// Set GO_READER_ENTRIES to a number to write an export of so many entries and
// print how long the reader takes.
func TestALargeExportIsReadInSeconds(t *testing.T) {
	total, err := strconv.Atoi(os.Getenv("GO_READER_ENTRIES"))
	if err != nil {
		total = 20_000
	}
	w, logs := open("VEG", "ALT")
	dir := t.TempDir()
	var manifest list
	body := list{"en", "A sentence of the length that people write in a note, with its subject and its reference, once more and again."}
	for i, l := range w.logs {
		other := logs[1-i]
		entries := []byte{}
		var leaves []byte
		put := func(data []byte) {
			entries = append(binary.BigEndian.AppendUint16(entries, uint16(len(data))), data...)
			l.leaves = append(l.leaves, data)
		}
		first := l.leaves
		l.leaves = nil
		for _, d := range first {
			put(d)
		}
		for k := len(l.leaves); k < total/2; k++ {
			change := map[int]any{9: body}
			if k == 3 {
				change[15], change[16] = list{1, 3}, check(at{other, 3})
			}
			put(append(make([]byte, 16), v1(l.elements(1, 1, change))...))
		}
		for k := range l.leaves {
			h := l.hash(k)
			leaves = append(leaves, h[:]...)
		}
		folder := "logs/" + l.name.folder() + "/"
		w.files[folder+"entries"], w.files[folder+"leaves"] = entries, leaves
		tree := newTree(leaves)
		var notes string
		for n := 1000; n <= total/2; n += 1000 {
			name, root := l.name.String(), tree.root(uint64(n))
			notes += checkpoint(name, uint64(n), root) + "\n" + line(l.p.log, typeLog, name, name, n, root, 0) + "\n"
		}
		w.files[folder+"notes"] = []byte(notes)
		manifest = append(manifest, list{l.name.String(), total / 2})
	}
	if manifest[0].(list)[0].(string) > manifest[1].(list)[0].(string) {
		manifest[0], manifest[1] = manifest[1], manifest[0]
	}
	w.files["export"] = v1(list{w.channel, w.parties[0].name, testTime, manifest})
	for path, b := range w.files {
		full := filepath.Join(dir, path)
		if os.MkdirAll(filepath.Dir(full), 0o700) != nil || os.WriteFile(full, b, 0o600) != nil {
			t.Fatal("cannot write")
		}
	}
	begin := time.Now()
	res, err := verify(dir, nil)
	if err != nil || res.FirstFault != nil {
		t.Fatal(err, faultText(res.FirstFault))
	}
	t.Logf("%d entries in %v: %+v", total, time.Since(begin), res.tally)
	if res.tally.Void != 0 || res.tally.Entries != total || time.Since(begin) > time.Minute {
		t.Fatalf("%+v", res.tally)
	}
}
