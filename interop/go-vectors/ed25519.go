package main

import (
	"crypto/ed25519"
	"fmt"
	"math/big"
	"slices"
)

type signatureCase struct {
	Name      string `json:"name"`
	Public    string `json:"public"`
	Message   string `json:"message"`
	Signature string `json:"signature"`
	// Key is what spec/crypto.md, section 5 says of the public key alone.
	Key   string `json:"key"`
	Valid bool   `json:"valid"`
}

// keyVerdict is our rule on keys, which Go does not have: canonical, a point, not of small order.
func keyVerdict(public []byte) string {
	p := decode(public)
	switch {
	case p.x == nil:
		return "not_a_point"
	case string(p.encode()) != string(public):
		return "not_canonical"
	case string(p.times(big.NewInt(8)).encode()) == string(neutral.encode()):
		return "small_order"
	}
	return "good"
}

type ed25519Maker struct{ cases []signatureCase }

// add states what Go and our rule on keys say. goSays is what Go alone was meant to say.
func (m *ed25519Maker) add(name string, public, message, signature []byte, goSays bool) {
	verdict := len(signature) == ed25519.SignatureSize && ed25519.Verify(public, message, signature)
	agree(name, verdict, goSays)
	key := keyVerdict(public)
	m.cases = append(m.cases, signatureCase{
		name, hexOf(public), hexOf(message), hexOf(signature), key, verdict && key == "good",
	})
}

func ed25519Cases() file {
	m := &ed25519Maker{}
	m.ordinary()
	m.scalars()
	m.smallNonce()
	m.smallKeys()
	m.mixedOrder()
	return file{
		"Ed25519 as in spec/crypto.md, section 5. key is the verdict on the public key alone; a " +
			"signature is valid only under a good key.",
		m.cases,
	}
}

func (m *ed25519Maker) ordinary() {
	for i, length := range []int{0, 1, 31, 200, 1023} {
		private := ed25519.NewKeyFromSeed(bytesOf(fmt.Sprint("ed25519 seed ", i), 32))
		message := bytesOf("message", length)
		m.add(fmt.Sprint("valid_message_of_", length), public(private), message, ed25519.Sign(private, message), true)
	}
	private, message := key("ed25519"), []byte("detente/1/example")
	good := ed25519.Sign(private, message)
	m.add("message_bit", public(private), changed(message, 3), good, false)
	m.add("message_empty", public(private), nil, good, false)
	m.add("message_trailing_byte", public(private), append(slices.Clone(message), 0), good, false)
	m.add("r_bit", public(private), message, changed(good, 5), false)
	m.add("s_bit", public(private), message, changed(good, 40), false)
	m.add("r_sign_bit", public(private), message, withTurned(good, 31, 0x80), false)
	m.add("other_key", public(key("other")), message, good, false)
	m.add("signature_empty", public(private), message, nil, false)
	m.add("signature_truncated", public(private), message, good[:63], false)
	m.add("signature_trailing_byte", public(private), message, append(slices.Clone(good), 0), false)
	m.add("signature_zero", public(private), message, make([]byte, 64), false)
	m.add("r_and_s_exchanged", public(private), message, join(good[32:], good[:32]), false)
	m.add("key_negative", decode(public(private)).negative().encode(), message, good, false)
	noPoint := slices.Repeat([]byte{0}, 32)
	for noPoint[0] = 2; decode(noPoint).x != nil; noPoint[0]++ {
	}
	m.add("key_not_a_point", noPoint, message, good, false)
}

// scalars breaks S < L in each way that once passed somewhere.
func (m *ed25519Maker) scalars() {
	private, message := key("ed25519"), []byte("detente/1/example")
	good := ed25519.Sign(private, message)
	s := number(good[32:])
	with := func(n *big.Int) []byte { return join(good[:32], little(n)) }
	m.add("s_plus_order", public(private), message, with(new(big.Int).Add(s, order)), false)
	most := new(big.Int).Mul(order, big.NewInt(14))
	m.add("s_plus_fourteen_orders", public(private), message, with(most.Add(most, s)), false)
	m.add("s_is_order", public(private), message, with(order), false)
	m.add("s_high_bits", public(private), message, withBits(good, 63, 0xe0), false)
	m.add("s_zero", public(private), message, with(big.NewInt(0)), false)
	m.add("s_largest", public(private), message, with(sub(order, big.NewInt(1))), false)
}

// smallNonce makes signatures whose R is of small order: the owner of a key can, with r = 0.
func (m *ed25519Maker) smallNonce() {
	private, message := key("ed25519"), []byte("detente/1/example")
	a := secretScalar(private.Seed())
	sign := func(r []byte) []byte {
		s := new(big.Int).Mul(challenge(r, public(private), message), a)
		return join(r, little(s.Mod(s, order)))
	}
	one := neutral.encode()
	m.add("r_neutral", public(private), message, sign(one), true)
	m.add("r_neutral_with_sign", public(private), message, sign(withBits(one, 31, 0x80)), false)
	m.add("r_neutral_not_reduced", public(private), message, sign(little(new(big.Int).Add(prime, big.NewInt(1)))), false)
	m.add("r_of_order_two", public(private), message, sign(torsion()[4].encode()), false)
	m.add("r_of_order_eight", public(private), message, sign(torsion()[1].encode()), false)
}

// smallKeys makes signatures that Go accepts under keys that belong to nobody.
func (m *ed25519Maker) smallKeys() {
	spellings := [][]byte{}
	for _, p := range torsion() {
		spellings = append(spellings, p.encode())
	}
	for _, y := range []int64{0, 1} { // y = p, p + 1; both signs
		raw := little(new(big.Int).Add(prime, big.NewInt(y)))
		spellings = append(spellings, raw, withBits(raw, 31, 0x80))
	}
	for _, y := range []*big.Int{big.NewInt(1), sub(prime, big.NewInt(1))} { // x = 0 with its sign set
		spellings = append(spellings, withBits(little(y), 31, 0x80))
	}
	for i, spelling := range spellings {
		message, signature := universal(spelling)
		m.add(fmt.Sprint("key_of_small_order_", i), spelling, message, signature, true)
	}
	// y = p + 3 to p + 18: no private key is known for these, so any signature will do.
	for y := int64(2); y < 19; y++ {
		raw := little(new(big.Int).Add(prime, big.NewInt(y)))
		if decode(raw).x != nil {
			m.add(fmt.Sprint("key_not_reduced_", y), raw, []byte("x"), ed25519.Sign(key("ed25519"), []byte("x")), false)
		}
	}
}

// universal searches a message under which [k]A vanishes, so that R = [S]B verifies.
func universal(spelling []byte) (message, signature []byte) {
	r := big.NewInt(77)
	bigR := basePoint.times(r).encode()
	for i := 0; ; i++ {
		message = []byte(fmt.Sprint("message ", i))
		if new(big.Int).Mod(challenge(bigR, spelling, message), big.NewInt(8)).Sign() == 0 {
			return message, join(bigR, little(r))
		}
	}
}

// mixedOrder makes the cases on which verification with and without cofactor differ.
func (m *ed25519Maker) mixedOrder() {
	private := key("ed25519")
	a, clean := secretScalar(private.Seed()), decode(public(private))
	r := big.NewInt(123456789)
	bigR := basePoint.times(r)
	for i := 1; i < 8; i += 3 {
		small := torsion()[i]
		mixed := clean.add(small).encode()
		vanishes := m.search(mixed, bigR.encode(), func(k *big.Int) bool { return k.Bit(0)|k.Bit(1)|k.Bit(2) == 0 })
		m.add(fmt.Sprint("key_of_mixed_order_k_divisible_by_8_", i), mixed, vanishes, sign(mixed, bigR.encode(), vanishes, r, a), true)
		stays := m.search(mixed, bigR.encode(), func(k *big.Int) bool { return k.Bit(0) == 1 })
		m.add(fmt.Sprint("key_of_mixed_order_cofactor_only_", i), mixed, stays, sign(mixed, bigR.encode(), stays, r, a), false)
		// R = rB − [k]T: both sides carry the same small part, which passes without cofactor too.
		for j := range 8 {
			mixedR := bigR.add(torsion()[j]).encode()
			message := m.search(mixed, mixedR, func(k *big.Int) bool {
				return string(small.times(k).negative().encode()) == string(torsion()[j].encode())
			})
			if message != nil && j > 0 {
				m.add(fmt.Sprint("key_and_r_of_mixed_order_", i, "_", j), mixed, message, sign(mixed, mixedR, message, r, a), true)
				break
			}
		}
	}
	message := []byte("detente/1/example")
	for i := 1; i < 8; i += 3 {
		mixedR := bigR.add(torsion()[i]).encode()
		m.add(fmt.Sprint("r_of_mixed_order_cofactor_only_", i), public(private), message, sign(public(private), mixedR, message, r, a), false)
	}
}

// search finds a message whose challenge is wanted; nil when a thousand are not.
func (m *ed25519Maker) search(public, r []byte, wanted func(*big.Int) bool) []byte {
	for i := range 1000 {
		message := []byte(fmt.Sprint("message ", i))
		if wanted(challenge(r, public, message)) {
			return message
		}
	}
	return nil
}

func sign(public, bigR, message []byte, r, a *big.Int) []byte {
	s := new(big.Int).Mul(challenge(bigR, public, message), a)
	return join(bigR, little(s.Add(s, r).Mod(s, order)))
}

func key(name string) ed25519.PrivateKey { return ed25519.NewKeyFromSeed(bytesOf(name, 32)) }

func public(private ed25519.PrivateKey) []byte { return private.Public().(ed25519.PublicKey) }

func withBits(b []byte, at int, bits byte) []byte {
	out := slices.Clone(b)
	out[at] |= bits
	return out
}
