package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/asn1"
	"fmt"
	"math/big"
	"slices"
)

type derCase struct {
	Name string `json:"name"`
	DER  string `json:"der"`
	// Raw is r ‖ s with low s, or empty when the bytes are no signature.
	Raw string `json:"raw"`
}

var p256Order = elliptic.P256().Params().N

func es256Key() *ecdsa.PrivateKey {
	private, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), bytesOf("es256", 32))
	must(err)
	return private
}

// compressed reads a public key of 33 bytes; nil if it is none.
func compressed(public []byte) *ecdsa.PublicKey {
	x, y := elliptic.UnmarshalCompressed(elliptic.P256(), public)
	if x == nil {
		return nil
	}
	return &ecdsa.PublicKey{Curve: elliptic.P256(), X: x, Y: y}
}

// es256Verdict is spec/crypto.md, section 8: compressed key, 64 bytes, low s, then Go's verdict.
func es256Verdict(public, message, signature []byte) bool {
	key := compressed(public)
	if key == nil || len(signature) != 64 {
		return false
	}
	r, s := new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:])
	if s.Cmp(new(big.Int).Rsh(p256Order, 1)) > 0 {
		return false
	}
	digest := sha256.Sum256(message)
	return ecdsa.Verify(key, digest[:], r, s)
}

func es256Cases() file {
	private := es256Key()
	whole, err := private.PublicKey.Bytes()
	must(err)
	public := join([]byte{2 | whole[64]&1}, whole[1:33])
	message := []byte("detente/1/example")
	r, s := es256Sign(private, message)
	low, high := lowAndHigh(s)
	var cases []signatureCase
	add := func(name string, public, message, signature []byte, intended bool) {
		verdict := es256Verdict(public, message, signature)
		agree(name, verdict, intended)
		key := map[bool]string{true: "good", false: "not_a_point"}[compressed(public) != nil]
		cases = append(cases, signatureCase{name, hexOf(public), hexOf(message), hexOf(signature), key, verdict})
	}
	good, zero, n := raw(r, low), big.NewInt(0), p256Order
	add("valid", public, message, good, true)
	r2, s2 := es256Sign(private, nil)
	low2, _ := lowAndHigh(s2)
	add("valid_empty_message", public, nil, raw(r2, low2), true)
	add("s_high", public, message, raw(r, high), false)
	add("message_bit", public, changed(message, 0), good, false)
	add("r_bit", public, message, changed(good, 9), false)
	add("s_bit", public, message, changed(good, 50), false)
	add("r_zero", public, message, raw(zero, low), false)
	add("s_zero", public, message, raw(r, zero), false)
	add("both_zero", public, message, raw(zero, zero), false)
	add("r_is_order", public, message, raw(n, low), false)
	add("s_is_order", public, message, raw(r, n), false)
	add("r_largest", public, message, raw(new(big.Int).Sub(n, big.NewInt(1)), low), false)
	add("r_all_ones", public, message, join(slices.Repeat([]byte{0xff}, 32), good[32:]), false)
	add("s_is_half_order", public, message, raw(r, new(big.Int).Rsh(n, 1)), false)
	add("r_and_s_exchanged", public, message, join(good[32:], good[:32]), false)
	add("signature_truncated", public, message, good[:63], false)
	add("signature_trailing_byte", public, message, append(slices.Clone(good), 0), false)
	add("signature_empty", public, message, nil, false)
	add("signature_der", public, message, der(r, low), false)
	add("key_negative", changed(public, 0), message, good, false)
	noPoint := public
	for compressed(noPoint) != nil {
		noPoint = set(noPoint, 32, noPoint[32]+1)
	}
	add("key_not_on_curve", noPoint, message, good, false)
	for _, prefix := range []byte{0, 1, 4, 5, 6, 7, 0xff} {
		add(fmt.Sprintf("key_prefix_%02x", prefix), set(public, 0, prefix), message, good, false)
	}
	add("key_zero", make([]byte, 33), message, good, false)
	add("key_x_is_prime", join(public[:1], elliptic.P256().Params().P.Bytes()), message, good, false)
	add("key_x_all_ones", join(public[:1], slices.Repeat([]byte{0xff}, 32)), message, good, false)
	return file{
		"ES256 as r and s over SHA-256 of the message, low s, key compressed: spec/crypto.md, section 8.",
		cases,
	}
}

func derCases() file {
	private, message := es256Key(), []byte("detente/1/example")
	public := &private.PublicKey
	r, s := es256Sign(private, message)
	low, high := lowAndHigh(s)
	digest := sha256.Sum256(message)
	var cases []derCase
	add := func(name string, text []byte, intended bool) {
		verdict := ecdsa.VerifyASN1(public, digest[:], text)
		agree(name, verdict, intended)
		c := derCase{name, hexOf(text), ""}
		if verdict {
			c.Raw = hexOf(raw(r, low))
		}
		cases = append(cases, c)
	}
	good := der(r, low)
	body := good[2:]
	add("low_s", good, true)
	add("high_s_is_turned", der(r, high), true)
	add("trailing_byte", append(slices.Clone(good), 0), false)
	add("truncated", good[:len(good)-1], false)
	add("empty", nil, false)
	add("length_not_shortest", join([]byte{0x30, 0x81, byte(len(body))}, body), false)
	add("length_too_small", set(good, 1, good[1]-1), false)
	add("length_too_large", set(good, 1, good[1]+1), false)
	add("not_a_sequence", set(good, 0, 0x31), false)
	add("r_not_an_integer", set(good, 2, 0x03), false)
	padded := join([]byte{0x02, good[3] + 1, 0}, body[2:])
	add("r_with_needless_zero", join([]byte{0x30, good[1] + 1}, padded), false)
	add("r_negative", der(new(big.Int).Neg(r), low), false)
	add("s_negative", der(r, new(big.Int).Neg(low)), false)
	add("r_zero", der(big.NewInt(0), low), false)
	add("s_zero", der(r, big.NewInt(0)), false)
	add("r_is_order", der(p256Order, low), false)
	add("s_is_order", der(r, p256Order), false)
	add("s_plus_order", der(r, new(big.Int).Add(low, p256Order)), false)
	return file{"DER signatures of authenticators and what they become: spec/crypto.md, section 8.", cases}
}

// es256Sign is deterministic (RFC 6979), because no source of randomness is given.
func es256Sign(private *ecdsa.PrivateKey, message []byte) (r, s *big.Int) {
	digest := sha256.Sum256(message)
	text, err := private.Sign(nil, digest[:], crypto.SHA256)
	must(err)
	var parts struct{ R, S *big.Int }
	_, err = asn1.Unmarshal(text, &parts)
	must(err)
	return parts.R, parts.S
}

func lowAndHigh(s *big.Int) (low, high *big.Int) {
	other := new(big.Int).Sub(p256Order, s)
	if s.Cmp(other) < 0 {
		return s, other
	}
	return other, s
}

func raw(r, s *big.Int) []byte {
	return join(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32)))
}

func der(r, s *big.Int) []byte {
	text, err := asn1.Marshal(struct{ R, S *big.Int }{r, s})
	must(err)
	return text
}
