package main

import (
	"crypto/mldsa"
	"slices"
)

type mldsaCase struct {
	Name string `json:"name"`
	// Seed is of the key that verifies; its public key is in the same case.
	Seed      string `json:"seed"`
	Public    string `json:"public,omitempty"`
	Message   string `json:"message"`
	Signature string `json:"signature"`
	Valid     bool   `json:"valid"`
}

// Offsets in an ML-DSA-44 signature: c̃ (32), z (4 × 576), hint (84).
const zAt, hintAt = 32, 32 + 4*576

func mldsaCases() file {
	seed := bytesOf("mldsa", 32)
	private, err := mldsa.NewPrivateKey(mldsa.MLDSA44(), seed)
	must(err)
	other, err := mldsa.NewPrivateKey(mldsa.MLDSA44(), bytesOf("mldsa other", 32))
	must(err)
	message := []byte("detente/1/example")
	sign := func(key *mldsa.PrivateKey, message []byte, context string) []byte {
		signature, err := key.SignDeterministic(message, &mldsa.Options{Context: context})
		must(err)
		return signature
	}
	var cases []mldsaCase
	add := func(name string, message, signature []byte, intended bool) {
		verdict := mldsa.Verify(private.PublicKey(), message, signature, nil) == nil
		agree(name, verdict, intended)
		c := mldsaCase{name, hexOf(seed), "", hexOf(message), hexOf(signature), verdict}
		if len(cases) == 0 {
			c.Public = hexOf(private.PublicKey().Bytes())
		}
		cases = append(cases, c)
	}
	good := sign(private, message, "")
	add("valid", message, good, true)
	add("valid_empty_message", nil, sign(private, nil, ""), true)
	add("message_bit", changed(message, 0), good, false)
	add("challenge_bit", message, changed(good, 0), false)
	add("response_bit", message, changed(good, zAt+700), false)
	add("hint_bit", message, changed(good, hintAt), false)
	add("hint_count_beyond_maximum", message, set(good, len(good)-1, 81), false)
	add("hint_not_rising", message, set(good, hintAt+1, good[hintAt]), false)
	add("hint_padding_not_zero", message, paddingChanged(good), false)
	add("response_out_of_range", message, join(good[:zAt], make([]byte, 18), good[zAt+18:]), false)
	add("context_not_empty", message, sign(private, message, "detente"), false)
	add("other_key", message, sign(other, message, ""), false)
	add("signature_truncated", message, good[:len(good)-1], false)
	add("signature_trailing_byte", message, append(slices.Clone(good), 0), false)
	add("signature_empty", message, nil, false)
	return file{
		"ML-DSA-44, external interface, empty context, deterministic: spec/crypto.md, section 6. " +
			"valid signatures must come out byte for byte; the public key stands in the first case.",
		cases,
	}
}

func set(b []byte, at int, value byte) []byte {
	out := slices.Clone(b)
	out[at] = value
	return out
}

// paddingChanged sets the last unused hint position, which must be zero.
func paddingChanged(signature []byte) []byte {
	used := int(signature[len(signature)-1])
	if used >= 80 {
		panic("no padding in this signature: choose another message")
	}
	return set(signature, hintAt+79, 1)
}
