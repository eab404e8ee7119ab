package main

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/hex"
	"strconv"
	"strings"
)

// Names and labelled hashes of encoding.md, sections 2 and 3.

// Hash is a SHA-256 value: a party, a channel, a leaf, a root.
type Hash = [32]byte

// labelled is H(label, parts…): SHA-256 over label, a zero byte and the parts.
func labelled(label string, parts ...[]byte) (h Hash) {
	s := sha256.New()
	s.Write([]byte(label))
	s.Write([]byte{0})
	for _, p := range parts {
		s.Write(p)
	}
	s.Sum(h[:0])
	return h
}

var base32Lower = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

func nameText(h Hash) string { return base32Lower.EncodeToString(h[:]) }

// parseName reads 52 characters of base32, and only the form nameText writes.
func parseName(s string) (h Hash, ok bool) {
	if len(s) != 52 {
		return h, false
	}
	b, err := base32Lower.DecodeString(s)
	if err != nil || len(b) != 32 {
		return h, false
	}
	copy(h[:], b)
	return h, nameText(h) == s
}

// Lanes.
const (
	laneOrdinary  = 0
	laneEmergency = 1
	laneExercise  = 2
)

var laneWords = [3]string{"ordinary", "emergency", "exercise"}

// LogName is a log name taken apart. Number is the generation's number.
type LogName struct {
	Channel, Party Hash
	Lane           uint8
	Number         uint64
	Run            [8]byte
}

func (n LogName) String() string {
	return "detente/" + nameText(n.Channel) + "/" + n.folder()
}

// folder is the path of the log below `logs/`.
func (n LogName) folder() string {
	return nameText(n.Party) + "/" + laneWords[n.Lane] + "/" + strconv.FormatUint(n.Number, 10) + "-" + hex.EncodeToString(n.Run[:])
}

// decimal reads a number without leading zeros, not above most.
func decimal(s string, least, most uint64) (uint64, bool) {
	if s == "" || len(s) > 20 || (len(s) > 1 && s[0] == '0') {
		return 0, false
	}
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
	}
	n, err := strconv.ParseUint(s, 10, 64)
	return n, err == nil && n >= least && n <= most
}

// parseLogName reads a log name; only the one form String writes is taken.
func parseLogName(s string) (n LogName, ok bool) {
	p := strings.Split(s, "/")
	if len(p) != 5 || p[0] != "detente" {
		return n, false
	}
	if n.Channel, ok = parseName(p[1]); !ok {
		return n, false
	}
	if n.Party, ok = parseName(p[2]); !ok {
		return n, false
	}
	lane := -1
	for i, w := range laneWords {
		if p[3] == w {
			lane = i
		}
	}
	number, run, found := strings.Cut(p[4], "-")
	if lane < 0 || !found || len(run) != 16 || strings.ToLower(run) != run {
		return n, false
	}
	n.Lane = uint8(lane)
	if n.Number, ok = decimal(number, 1, max32); !ok {
		return n, false
	}
	if _, err := hex.Decode(n.Run[:], []byte(run)); err != nil {
		return n, false
	}
	return n, true
}
