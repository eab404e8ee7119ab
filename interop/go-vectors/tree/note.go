package main

import (
	"crypto/ed25519"
	"crypto/mldsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"log"
	"strings"
)

const (
	origin   = "detente/exampleexample/altair/ordinary/1-00112233aabbccdd"
	cosigner = "detente/exampleexample/vega/cosigner"
)

// signer is a key under a name. what is 0 log Ed25519, 1 log ML-DSA-44, 2 and 3 the cosigner's.
type signer struct {
	name string
	what int
	ed   ed25519.PrivateKey
	ml   *mldsa.PrivateKey
}

func newSigner(name string, what int, seed byte) signer {
	bytes := make([]byte, 32)
	for i := range bytes {
		bytes[i] = seed
	}
	s := signer{name: name, what: what}
	if what%2 == 0 {
		s.ed = ed25519.NewKeyFromSeed(bytes)
		return s
	}
	ml, err := mldsa.NewPrivateKey(mldsa.MLDSA44(), bytes)
	if err != nil {
		log.Fatal(err)
	}
	s.ml = ml
	return s
}

func (s signer) public() []byte {
	if s.ml != nil {
		return s.ml.PublicKey().Bytes()
	}
	return s.ed.Public().(ed25519.PublicKey)
}

func (s signer) role() string {
	if s.what < 2 {
		return "log"
	}
	return "cosigner"
}

func (s signer) keyID() []byte {
	kind := []byte{1, 6, 4, 6}[s.what]
	sum := sha256.Sum256(append([]byte(s.name+"\n"+string(kind)), s.public()...))
	return sum[:4]
}

// sign makes the bare signature over a checkpoint.
func (s signer) sign(c checkpoint, time uint64) []byte {
	switch s.what {
	case 0:
		return ed25519.Sign(s.ed, []byte(c.body()))
	case 2:
		return ed25519.Sign(s.ed, []byte(fmt.Sprintf("cosignature/v1\ntime %d\n%s", time, c.body())))
	}
	message := []byte("subtree/v1\n\x00")
	message = append(append(message, byte(len(s.name))), s.name...)
	message = binary.BigEndian.AppendUint64(message, time)
	message = append(append(message, byte(len(c.origin))), c.origin...)
	message = binary.BigEndian.AppendUint64(message, 0)
	message = binary.BigEndian.AppendUint64(message, c.size)
	message = append(message, c.root[:]...)
	signature, err := s.ml.SignDeterministic(message, nil)
	if err != nil {
		log.Fatal(err)
	}
	return signature
}

// blob is what a line carries: key id, time unless type 0x01, signature.
func (s signer) blob(c checkpoint, time uint64) []byte {
	bytes := s.keyID()
	if s.what != 0 {
		bytes = binary.BigEndian.AppendUint64(bytes, time)
	}
	return append(bytes, s.sign(c, time)...)
}

func (s signer) line(c checkpoint, time uint64) string { return lineOf(s.name, s.blob(c, time)) }

func lineOf(name string, blob []byte) string {
	return "— " + name + " " + base64.StdEncoding.EncodeToString(blob) + "\n"
}

type checkpoint struct {
	origin string
	size   uint64
	root   hash
}

func (c checkpoint) body() string {
	return fmt.Sprintf("%s\n%d\n%s\n", c.origin, c.size, base64.StdEncoding.EncodeToString(c.root[:]))
}

func noteVectors() {
	c := checkpoint{origin, 7, mth(leaves(7))}
	logKey, logPQ := newSigner(origin, 0, 1), newSigner(origin, 1, 2)
	receipt, receiptPQ := newSigner(cosigner, 2, 3), newSigner(cosigner, 3, 4)
	stranger := newSigner("example.com/stranger", 0, 5)
	keys := []signer{logKey, logPQ, receipt, receiptPQ}
	write("keys", fields{"kind": "keys", "keys": keyList(keys)})
	const time = 1_800_000_000

	one := logKey.line(c, 0)
	good := c.body() + "\n" + one
	damaged := func(blob []byte) []byte { blob[len(blob)-1] ^= 1; return blob }
	sixteen := strings.Repeat(stranger.line(c, 0), 15) + one
	longName := strings.Repeat("n", 255)

	type signed struct {
		Name string `json:"name"`
		Type int    `json:"type"`
		Time uint64 `json:"time"`
	}
	logSigned := []signed{{origin, 1, 0}}
	for _, v := range []struct {
		name, note string
		signed     []signed
	}{
		{"log_line", good, logSigned},
		{"all_four_kinds", good + logPQ.line(c, 0) + receipt.line(c, time) + receiptPQ.line(c, time),
			[]signed{{origin, 1, 0}, {origin, 6, 0}, {cosigner, 4, time}, {cosigner, 6, time}}},
		{"two_receipts_of_one_cosigner", good + receipt.line(c, time) + receipt.line(c, time+60),
			[]signed{{origin, 1, 0}, {cosigner, 4, time}, {cosigner, 4, time + 60}}},
		{"unknown_line", c.body() + "\n" + stranger.line(c, 0) + one, logSigned},
		{"unknown_line_of_known_name", good + lineOf(origin, append([]byte{0, 0, 0, 0}, make([]byte, 64)...)), logSigned},
		{"unknown_line_of_known_id", good + lineOf("example.com/other", logKey.blob(c, 0)), logSigned},
		{"unknown_name_beyond_ascii", good + lineOf("пример.example/日志", []byte{1, 2, 3, 4, 5}), logSigned},
		{"unknown_name_of_255_bytes", good + lineOf(longName, []byte{1, 2, 3, 4, 5}), logSigned},
		{"unknown_signature_of_4900_bytes", good + lineOf("example.com/long", make([]byte, 4904)), logSigned},
		{"sixteen_lines", c.body() + "\n" + sixteen, logSigned},
	} {
		write("note_"+v.name, fields{
			"kind": "note", "note": v.note, "fault": nil, "signed": v.signed,
			"origin": c.origin, "size": c.size, "root": hexOf(c.root[:]),
		})
	}

	other := checkpoint{origin, 7, mth(leaves(8))}
	foreign := checkpoint{"detente/exampleexample/altair/ordinary/2-00112233aabbccdd", 7, c.root}
	empty := checkpoint{origin, 0, c.root}
	huge := checkpoint{origin, 1<<40 + 1, c.root}
	spaced := checkpoint{"a log", 7, c.root}
	long := checkpoint{longName + "n", 7, c.root}
	loose := strings.Replace(good, base64.StdEncoding.EncodeToString(c.root[:]), looseEnd(base64.StdEncoding.EncodeToString(c.root[:])), 1)
	resign := func(body string) string {
		return body + "\n" + lineOf(origin, append(logKey.keyID(), ed25519.Sign(logKey.ed, []byte(body))...))
	}

	// Fault "note": the bytes are no note. "signature": a line of a known key does not hold.
	// "unknown": no line is of a known key.
	for _, v := range []struct{ name, fault, note string }{
		{"line_with_trailing_space", "note", strings.TrimSuffix(good, "\n") + " \n"},
		{"line_with_two_spaces", "note", strings.Replace(good, "— "+origin+" ", "— "+origin+"  ", 1)},
		{"hyphen_for_dash", "note", strings.Replace(good, "— ", "- ", 1)},
		{"line_base64_leftover_bits", "note", c.body() + "\n" + one + looseLine(lineOf("example.com/x", make([]byte, 8)))},
		{"line_base64_without_padding", "note", c.body() + "\n" + one + strings.Replace(lineOf("example.com/x", make([]byte, 5)), "=", "", 1)},
		{"line_base64_of_the_url_alphabet", "note", good + "— example.com/x _-_-_-_-\n"},
		{"line_base64_broken_over_lines", "note", good[:len(good)-9] + "\n" + good[len(good)-9:]},
		{"line_with_key_id_alone", "note", good + lineOf("example.com/x", []byte{1, 2, 3, 4})},
		{"line_without_signature", "note", good + "— example.com/x\n"},
		{"line_signature_of_4901_bytes", "note", good + lineOf("example.com/long", make([]byte, 4905))},
		{"line_name_with_plus", "note", good + lineOf("example.com+x", make([]byte, 8))},
		{"line_name_with_no_break_space", "note", good + lineOf("example.com\u00a0x", make([]byte, 8))},
		{"line_name_empty", "note", good + lineOf("", make([]byte, 8))},
		{"line_name_of_256_bytes", "note", good + lineOf(longName+"n", make([]byte, 8))},
		{"seventeen_lines", "note", c.body() + "\n" + stranger.line(c, 0) + sixteen},
		{"no_lines", "note", c.body() + "\n"},
		{"checkpoint_alone", "note", c.body()},
		{"missing_final_newline", "note", strings.TrimSuffix(good, "\n")},
		{"missing_empty_line", "note", c.body() + one},
		{"two_empty_lines", "note", c.body() + "\n\n" + one},
		{"trailing_empty_line", "note", good + "\n"},
		{"empty_line_between_lines", "note", good + "\n" + stranger.line(c, 0)},
		{"line_feeds_with_carriage_returns", "note", strings.ReplaceAll(good, "\n", "\r\n")},
		{"control_character_in_line", "note", good + "— example.com/\u0001x AQIDBAU=\n"},
		{"empty", "note", ""},
		{"size_with_leading_zero", "note", resign(strings.Replace(c.body(), "\n7\n", "\n07\n", 1))},
		{"size_with_plus", "note", resign(strings.Replace(c.body(), "\n7\n", "\n+7\n", 1))},
		{"size_with_trailing_space", "note", resign(strings.Replace(c.body(), "\n7\n", "\n7 \n", 1))},
		{"size_empty", "note", resign(strings.Replace(c.body(), "\n7\n", "\n\n", 1))},
		{"size_negative", "note", resign(strings.Replace(c.body(), "\n7\n", "\n-7\n", 1))},
		{"size_above_limit", "note", resign(huge.body())},
		{"size_zero_with_other_root", "note", resign(empty.body())},
		{"root_base64_leftover_bits", "note", loose},
		{"root_of_31_bytes", "note", resign(fmt.Sprintf("%s\n7\n%s\n", origin, base64.StdEncoding.EncodeToString(c.root[:31])))},
		{"root_of_33_bytes", "note", resign(fmt.Sprintf("%s\n7\n%s\n", origin, base64.StdEncoding.EncodeToString(append(c.root[:], 0))))},
		{"extension_line", "note", resign(c.body() + "extension\n")},
		{"origin_with_space", "note", resign(spaced.body())},
		{"origin_of_256_bytes", "note", resign(long.body())},
		{"origin_empty", "note", resign("\n7\n" + base64.StdEncoding.EncodeToString(c.root[:]) + "\n")},

		{"log_signature_bad", "signature", c.body() + "\n" + lineOf(origin, damaged(logKey.blob(c, 0)))},
		{"log_signature_bad_beside_good", "signature", good + lineOf(origin, damaged(logKey.blob(c, 0)))},
		{"log_signature_over_other_root", "signature", c.body() + "\n" + logKey.line(other, 0)},
		{"byte_order_mark", "signature", "\ufeff" + good},
		{"log_key_under_other_log", "signature", foreign.body() + "\n" + lineOf(origin, logKey.blob(foreign, 0))},
		{"log_mldsa_bad", "signature", good + lineOf(origin, damaged(logPQ.blob(c, 0)))},
		{"log_mldsa_over_other_root", "signature", good + logPQ.line(other, 0)},
		{"log_mldsa_with_time", "signature", good + logPQ.line(c, time)},
		{"receipt_bad", "signature", good + lineOf(cosigner, damaged(receipt.blob(c, time)))},
		{"receipt_with_altered_time", "signature", good + lineOf(cosigner, altered(receipt.blob(c, time), 11))},
		{"receipt_with_time_zero", "signature", good + receipt.line(c, 0)},
		{"receipt_with_time_beyond_63_bits", "signature", good + receipt.line(c, 1<<63)},
		{"receipt_of_another_size", "signature", good + receipt.line(checkpoint{origin, 6, mth(leaves(6))}, time)},
		{"receipt_mldsa_with_time_zero", "signature", good + receiptPQ.line(c, 0)},
		{"receipt_mldsa_under_other_name", "signature", good + lineOf(cosigner, append(receiptPQ.keyID(), newSigner("detente/exampleexample/rigel/cosigner", 3, 4).blob(c, time)[4:]...))},
		{"signature_trailing_byte", "signature", c.body() + "\n" + lineOf(origin, append(logKey.blob(c, 0), 0))},
		{"signature_too_short", "signature", c.body() + "\n" + lineOf(origin, logKey.blob(c, 0)[:67])},
		{"receipt_without_time", "signature", good + lineOf(cosigner, append(receipt.keyID(), receipt.sign(c, time)...))},
		{"only_unknown_lines", "unknown", c.body() + "\n" + stranger.line(c, 0)},
	} {
		write("note_"+v.name, fields{"kind": "note", "note": v.note, "fault": v.fault})
	}
	notUTF8 := append([]byte(good), "— example.com/\xff AQIDBAU=\n"...)
	write("note_not_utf8", fields{"kind": "note", "note_hex": hexOf(notUTF8), "fault": "note"})
}

func keyList(keys []signer) []fields {
	list := []fields{}
	for _, k := range keys {
		list = append(list, fields{"name": k.name, "role": k.role(), "public": hexOf(k.public()), "key_id": hexOf(k.keyID())})
	}
	return list
}

func altered(bytes []byte, at int) []byte {
	bytes[at] ^= 1
	return bytes
}

// looseEnd sets a bit that no byte takes in base64 that ends with padding.
func looseEnd(text string) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	end := strings.IndexByte(text, '=')
	if end < 0 {
		log.Fatal("no padding to loosen")
	}
	letter := alphabet[strings.IndexByte(alphabet, text[end-1])|1]
	return text[:end-1] + string(letter) + text[end:]
}

func looseLine(line string) string { return looseEnd(strings.TrimSuffix(line, "\n")) + "\n" }
