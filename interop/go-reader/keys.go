package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/mldsa"
	"crypto/sha256"
	"encoding/hex"
	"math/big"
	"slices"
)

// Signatures of keys.md, section 1.

// Sizes in bytes.
const (
	edKeyLen    = 32
	edSigLen    = 64
	mlKeyLen    = 1312
	mlSigLen    = 2420
	p256Len     = 33
	p256LongLen = 65
	kemKeyLen   = 1216
)

// The y coordinates of the eight points of small order, little-endian.
var smallOrderY = [][]byte{
	mustHex("0000000000000000000000000000000000000000000000000000000000000000"),
	mustHex("0100000000000000000000000000000000000000000000000000000000000000"),
	mustHex("ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
	mustHex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"),
	mustHex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"),
}

// fieldPrime is 2^255 - 19, little-endian.
var fieldPrime = mustHex("edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f")

func mustHex(s string) []byte {
	b, err := hex.DecodeString(s)
	if err != nil {
		panic(err)
	}
	return b
}

// edKeyGood says whether an Ed25519 key is canonical and not of small order.
func edKeyGood(key []byte) bool {
	if len(key) != edKeyLen {
		return false
	}
	y := bytes.Clone(key)
	y[31] &= 0x7f
	for _, small := range smallOrderY {
		if bytes.Equal(y, small) {
			return false
		}
	}
	p := bytes.Clone(fieldPrime)
	slices.Reverse(y)
	slices.Reverse(p)
	return bytes.Compare(y, p) < 0
}

func edVerify(key, message, signature []byte) bool {
	return edKeyGood(key) && len(signature) == edSigLen && ed25519.Verify(key, message, signature)
}

func mlVerify(key, message, signature []byte) bool {
	pk, err := mldsa.NewPublicKey(mldsa.MLDSA44(), key)
	return err == nil && len(signature) == mlSigLen && mldsa.Verify(pk, message, signature, nil) == nil
}

// es256Point reads a compressed point or, as keys.md has it, an uncompressed
// one; x is nil when it is neither.
func es256Point(key []byte) (x, y *big.Int) {
	if len(key) == p256LongLen {
		long := append([]byte{2 | key[64]&1}, key[1:33]...)
		x, y = elliptic.UnmarshalCompressed(elliptic.P256(), long)
		if x == nil || !bytes.Equal(elliptic.Marshal(elliptic.P256(), x, y), key) {
			return nil, nil
		}
		return x, y
	}
	if len(key) != p256Len {
		return nil, nil
	}
	return elliptic.UnmarshalCompressed(elliptic.P256(), key)
}

// es256Verify checks r ‖ s with s at most half the group order.
func es256Verify(key, message, signature []byte) bool {
	curve := elliptic.P256()
	x, y := es256Point(key)
	if x == nil || len(signature) != 64 {
		return false
	}
	r, s := new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:])
	if s.Cmp(new(big.Int).Rsh(curve.Params().N, 1)) > 0 {
		return false
	}
	digest := sha256.Sum256(message)
	return ecdsa.Verify(&ecdsa.PublicKey{Curve: curve, X: x, Y: y}, digest[:], r, s)
}

// message is label, a zero byte and the parts: what most signatures are over.
func message(label string, parts ...[]byte) []byte {
	return append(append([]byte(label), 0), bytes.Join(parts, nil)...)
}

// KeyPair is an Ed25519 key and an ML-DSA-44 key that serve together.
type KeyPair struct{ Ed, ML []byte }

// verifyBoth asks for both signatures of a pair.
func (k KeyPair) verifyBoth(message, ed, ml []byte) bool {
	return edVerify(k.Ed, message, ed) && mlVerify(k.ML, message, ml)
}
