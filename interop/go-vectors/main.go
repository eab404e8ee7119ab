// Command go-vectors writes the test vectors of spec/crypto.md with the Go standard library alone,
// so that our implementation is held against one that shares no line with it.
//
//	cd interop/go-vectors
//	GOPROXY=off GOTOOLCHAIN=local go run . ../../spec/vectors/crypto
//
// Go 1.27 or newer (crypto/mldsa, crypto/hpke). Every verdict in the files is Go's own, after the
// stricter rules of spec/crypto.md on keys and spellings; each case also states what it was made
// to show, and the program stops when Go disagrees. Everything repeats byte for byte but the HPKE
// encapsulations, for which the library draws its own randomness.
package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

// file is what each vector file holds; the cases differ by primitive.
type file struct {
	About string `json:"about"`
	Cases any    `json:"cases"`
}

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: go run . FOLDER")
		os.Exit(2)
	}
	folder := os.Args[1]
	write(folder, "ed25519.json", ed25519Cases())
	write(folder, "mldsa44.json", mldsaCases())
	write(folder, "es256.json", es256Cases())
	write(folder, "es256_der.json", derCases())
	write(folder, "hkdf.json", hkdfCases())
	write(folder, "hpke_open.json", hpkeOpenCases())
	write(folder, "hpke_public.json", hpkePublicCases())
}

func write(folder, name string, content file) {
	text, err := json.MarshalIndent(content, "", " ")
	must(err)
	must(os.WriteFile(filepath.Join(folder, name), append(text, '\n'), 0o644))
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

// agree stops the program when Go's verdict is not what the case was made to show.
func agree(name string, verdict, intended bool) {
	if verdict != intended {
		panic(fmt.Sprintf("%s: Go says %v", name, verdict))
	}
}

// bytesOf gives n bytes that depend on a name and on nothing else.
func bytesOf(name string, n int) []byte {
	var out []byte
	for i := byte(0); len(out) < n; i++ {
		block := sha256.Sum256(append([]byte("detente vectors "+name), i))
		out = append(out, block[:]...)
	}
	return out[:n]
}

// changed returns a copy with the lowest bit of one byte turned; at -1 is the last byte.
func changed(b []byte, at int) []byte {
	out := append([]byte{}, b...)
	if at < 0 {
		at += len(out)
	}
	out[at] ^= 1
	return out
}

func join(parts ...[]byte) []byte {
	var out []byte
	for _, part := range parts {
		out = append(out, part...)
	}
	return out
}

func hexOf(b []byte) string { return hex.EncodeToString(b) }
