package main

import (
	"crypto/hpke"
	"encoding/hex"
	"fmt"
	"slices"
)

type openCase struct {
	Name string `json:"name"`
	Seed string `json:"seed"`
	Info string `json:"info"`
	AAD  string `json:"aad"`
	// Sealed is the encapsulation (1,120 bytes), then ciphertext and tag.
	Sealed string `json:"sealed"`
	// Plaintext is absent when the bytes must not open.
	Plaintext *string `json:"plaintext"`
}

type publicCase struct {
	Name   string `json:"name"`
	Seed   string `json:"seed,omitempty"`
	Public string `json:"public"`
	Usable bool   `json:"usable"`
}

const encapsulation = 1120

var kem, kdf, aead = hpke.MLKEM768X25519(), hpke.HKDFSHA256(), hpke.ChaCha20Poly1305()

func recipient(name string) (seed []byte, private hpke.PrivateKey) {
	seed = bytesOf(name, 32)
	private, err := kem.NewPrivateKey(seed)
	must(err)
	return seed, private
}

func seal(public hpke.PublicKey, info, aad, plaintext []byte) []byte {
	enc, sender, err := hpke.NewSender(public, kdf, aead, info)
	must(err)
	text, err := sender.Seal(aad, plaintext)
	must(err)
	return join(enc, text)
}

func open(private hpke.PrivateKey, info, aad, sealed []byte) ([]byte, bool) {
	if len(sealed) < encapsulation {
		return nil, false
	}
	r, err := hpke.NewRecipient(sealed[:encapsulation], private, kdf, aeadOf(), info)
	if err != nil {
		return nil, false
	}
	plaintext, err := r.Open(aad, sealed[encapsulation:])
	return plaintext, err == nil
}

func aeadOf() hpke.AEAD { return aead }

func hpkeOpenCases() file {
	seed, private := recipient("hpke")
	otherSeed, other := recipient("hpke other")
	info, aad, plaintext := []byte("detente/1/wrap"), []byte("header"), bytesOf("epoch secret", 32)
	var cases []openCase
	add := func(name string, seed []byte, key hpke.PrivateKey, info, aad, sealed []byte, intended bool) {
		opened, verdict := open(key, info, aad, sealed)
		agree(name, verdict, intended)
		c := openCase{name, hexOf(seed), hexOf(info), hexOf(aad), hexOf(sealed), nil}
		if verdict {
			text := hexOf(opened)
			c.Plaintext = &text
		}
		cases = append(cases, c)
	}
	good := seal(private.PublicKey(), info, aad, plaintext)
	tail := len(plaintext) + 16
	add("valid", seed, private, info, aad, good, true)
	add("valid_everything_empty", seed, private, nil, nil, seal(private.PublicKey(), nil, nil, nil), true)
	add("valid_other_key", otherSeed, other, info, aad, seal(other.PublicKey(), info, aad, []byte("x")), true)
	add("other_key", otherSeed, other, info, aad, good, false)
	add("info_bit", seed, private, changed(info, 0), aad, good, false)
	add("info_missing", seed, private, nil, aad, good, false)
	add("aad_bit", seed, private, info, changed(aad, 0), good, false)
	add("mlkem_part_bit", seed, private, info, aad, changed(good, 100), false)
	add("x25519_part_bit", seed, private, info, aad, changed(good, encapsulation-32), false)
	add("x25519_part_ignored_bit", seed, private, info, aad, withTurned(good, encapsulation-1, 0x80), false)
	add("ciphertext_bit", seed, private, info, aad, changed(good, -tail), false)
	add("tag_bit", seed, private, info, aad, changed(good, -1), false)
	add("truncated", seed, private, info, aad, good[:len(good)-1], false)
	add("trailing_byte", seed, private, info, aad, append(slices.Clone(good), 0), false)
	add("tag_missing", seed, private, info, aad, good[:encapsulation+15], false)
	add("encapsulation_truncated", seed, private, info, aad, good[:encapsulation-1], false)
	add("empty", seed, private, info, aad, nil, false)
	return file{
		"HPKE base mode, X-Wing (0x647a), HKDF-SHA-256, ChaCha20-Poly1305: spec/crypto.md, section 7.",
		cases,
	}
}

// smallOrderX25519 are the values whose shared secret is zero (RFC 7748, section 7).
var smallOrderX25519 = []string{
	"0000000000000000000000000000000000000000000000000000000000000000",
	"0100000000000000000000000000000000000000000000000000000000000000",
	"e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
	"5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
	"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
}

func hpkePublicCases() file {
	seed, private := recipient("hpke")
	public := private.PublicKey().Bytes()
	var cases []publicCase
	add := func(name string, seed, public []byte, intended bool) {
		key, err := kem.NewPublicKey(public)
		if err == nil {
			_, _, err = hpke.NewSender(key, kdf, aead, nil)
		}
		agree(name, err == nil, intended)
		cases = append(cases, publicCase{name, hexOf(seed), hexOf(public), err == nil})
	}
	add("good", seed, public, true)
	otherSeed, other := recipient("hpke other")
	add("good_other", otherSeed, other.PublicKey().Bytes(), true)
	add("mlkem_coefficient_not_reduced", nil, join([]byte{0xff, 0xff}, public[2:]), false)
	add("mlkem_coefficient_is_q", nil, join([]byte{0x01, 0x0d | public[1]&0xf0}, public[2:]), false)
	add("x25519_part_ignored_bit", nil, withTurned(public, 1215, 0x80), true)
	for i, text := range smallOrderX25519 {
		value, err := hex.DecodeString(text)
		must(err)
		add(fmt.Sprint("x25519_part_of_small_order_", i), nil, join(public[:1184], value), false)
	}
	return file{"X-Wing public keys that can be sealed to, and others: spec/crypto.md, section 7.", cases}
}

func withTurned(b []byte, at int, bits byte) []byte {
	out := slices.Clone(b)
	out[at] ^= bits
	return out
}
