package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Checkpoints, signed notes and cosignatures: log.md, section 2, and the C2SP
// documents it names.

// Signature types of lines.
const (
	typeLog     = 0x01 // Ed25519 over the note text
	typeReceipt = 0x04 // timestamped Ed25519 cosignature
	typeML      = 0x06 // timestamped ML-DSA-44 cosignature
)

const (
	maxLines     = 16
	maxLogSize   = 1 << 40
	maxSignature = 4900 // bytes behind the key id
)

// Line is one signature line of a note.
type Line struct {
	Name string
	ID   [4]byte
	Sig  []byte
}

// Note is a checkpoint with its lines.
type Note struct {
	Origin string
	Size   uint64
	Root   Hash
	Lines  []Line
}

func checkpoint(origin string, size uint64, root Hash) string {
	return origin + "\n" + strconv.FormatUint(size, 10) + "\n" + base64.StdEncoding.EncodeToString(root[:]) + "\n"
}

// nextNote takes one note and the blank line after it from the front of b.
func nextNote(b []byte) (n Note, rest []byte, ok bool) {
	var text [4]string
	for i := range text {
		if text[i], b, ok = nextLine(b); !ok {
			return n, nil, false
		}
	}
	if !goodKeyName(text[0]) || text[3] != "" {
		return n, nil, false
	}
	n.Origin = text[0]
	if n.Size, ok = decimal(text[1], 0, maxLogSize); !ok {
		return n, nil, false
	}
	root, err := base64.StdEncoding.Strict().DecodeString(text[2])
	if err != nil || len(root) != 32 {
		return n, nil, false
	}
	copy(n.Root[:], root)
	if n.Size == 0 && n.Root != sha256.Sum256(nil) {
		return n, nil, false
	}
	for {
		var s string
		if s, b, ok = nextLine(b); !ok {
			return n, nil, false
		}
		if s == "" {
			return n, b, len(n.Lines) > 0
		}
		l, good := parseLine(s)
		if !good || len(n.Lines) == maxLines {
			return n, nil, false
		}
		n.Lines = append(n.Lines, l)
	}
}

// nextLine takes a line that LF ends: UTF-8 without ASCII control characters.
func nextLine(b []byte) (string, []byte, bool) {
	i := bytes.IndexByte(b, '\n')
	if i < 0 || !utf8.Valid(b[:i]) {
		return "", nil, false
	}
	for _, c := range b[:i] {
		if c < 0x20 {
			return "", nil, false
		}
	}
	return string(b[:i]), b[i+1:], true
}

// goodKeyName says whether a log or key may be so called: 1 to 255 bytes
// without space, control character or plus.
func goodKeyName(s string) bool {
	return s != "" && len(s) <= 255 && !strings.ContainsFunc(s, func(r rune) bool {
		return unicode.IsSpace(r) || unicode.IsControl(r) || r == '+'
	})
}

func parseLine(s string) (l Line, ok bool) {
	s, ok = strings.CutPrefix(s, "— ")
	if !ok {
		return l, false
	}
	name, sig, ok := strings.Cut(s, " ")
	if !ok || !goodKeyName(name) {
		return l, false
	}
	raw, err := base64.StdEncoding.Strict().DecodeString(sig)
	if err != nil || len(raw) < 5 || len(raw) > 4+maxSignature {
		return l, false
	}
	l.Name, l.Sig = name, raw[4:]
	copy(l.ID[:], raw)
	return l, true
}

func keyID(name string, kind byte, key []byte) (id [4]byte) {
	s := sha256.New()
	s.Write([]byte(name))
	s.Write([]byte{'\n', kind})
	s.Write(key)
	copy(id[:], s.Sum(nil))
	return id
}

// lineKey is a key that may stand in the notes of a log.
type lineKey struct {
	kind  byte
	key   []byte
	party int  // index of the party whose key it is
	own   bool // a log key, not a cosigner's
}

type lineName struct {
	name string
	id   [4]byte
}

func cosignerName(channel, party Hash) string {
	return "detente/" + nameText(channel) + "/" + nameText(party) + "/cosigner"
}

// cosignedMessage is what a 0x06 line signs.
func cosignedMessage(cosigner string, time uint64, origin string, size uint64, root Hash) []byte {
	b := append([]byte("subtree/v1\n\x00"), byte(len(cosigner)))
	b = append(b, cosigner...)
	b = binary.BigEndian.AppendUint64(b, time)
	b = append(append(b, byte(len(origin))), origin...)
	b = binary.BigEndian.AppendUint64(b, 0)
	b = binary.BigEndian.AppendUint64(b, size)
	return append(b, root[:]...)
}

func receiptMessage(time uint64, origin string, size uint64, root Hash) []byte {
	return []byte("cosignature/v1\ntime " + strconv.FormatUint(time, 10) + "\n" + checkpoint(origin, size, root))
}

// verifyLine checks the signature of one line by a known key. signer is the
// key name of the line; time is 0 where the line bears none.
func verifyLine(kind byte, own bool, key []byte, signer, origin string, size uint64, root Hash, time uint64, sig []byte) bool {
	if time > 1<<63-1 || own != (time == 0) || len(signer) > 255 || len(origin) > 255 {
		return false
	}
	switch kind {
	case typeLog:
		return edVerify(key, []byte(checkpoint(origin, size, root)), sig)
	case typeReceipt:
		return edVerify(key, receiptMessage(time, origin, size, root), sig)
	case typeML:
		return mlVerify(key, cosignedMessage(signer, time, origin, size, root), sig)
	}
	return false
}

// check verifies one line of the note by a key with its name and id.
func (n *Note) check(l *Line, k *lineKey) (time uint64, ok bool) {
	sig := l.Sig
	if k.kind != typeLog {
		if len(sig) < 8 {
			return 0, false
		}
		time, sig = binary.BigEndian.Uint64(sig), sig[8:]
	}
	return time, verifyLine(k.kind, k.own, k.key, l.Name, n.Origin, n.Size, n.Root, time, sig)
}
