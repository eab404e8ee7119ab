package main

import (
	"crypto/sha512"
	"math/big"
	"slices"
)

// The Edwards curve of RFC 8032 in plain affine arithmetic: slow, short, and only used to make
// signatures that no honest signer makes.

var (
	prime     = sub(new(big.Int).Lsh(big.NewInt(1), 255), big.NewInt(19))
	order, _  = new(big.Int).SetString("7237005577332262213973186563042994240857116359379907606001950938285454250989", 10)
	curveD    = mulMod(big.NewInt(-121665), inverse(big.NewInt(121666)))
	basePoint = decode(join([]byte{0x58}, slices.Repeat([]byte{0x66}, 31)))
	neutral   = point{big.NewInt(0), big.NewInt(1)}
)

type point struct{ x, y *big.Int }

func sub(a, b *big.Int) *big.Int { return new(big.Int).Sub(a, b) }
func reduce(a *big.Int) *big.Int { return new(big.Int).Mod(a, prime) }
func mulMod(a, b *big.Int) *big.Int {
	return reduce(new(big.Int).Mul(a, b))
}
func inverse(a *big.Int) *big.Int { return new(big.Int).ModInverse(reduce(a), prime) }

func (a point) add(b point) point {
	one := big.NewInt(1)
	xy := mulMod(mulMod(a.x, b.y), big.NewInt(1))
	yx := mulMod(a.y, b.x)
	product := mulMod(curveD, mulMod(xy, yx))
	x := mulMod(new(big.Int).Add(xy, yx), inverse(new(big.Int).Add(one, product)))
	yyxx := new(big.Int).Add(mulMod(a.y, b.y), mulMod(a.x, b.x))
	return point{x, mulMod(yyxx, inverse(sub(one, product)))}
}

func (a point) times(n *big.Int) point {
	out := neutral
	for i := n.BitLen() - 1; i >= 0; i-- {
		out = out.add(out)
		if n.Bit(i) == 1 {
			out = out.add(a)
		}
	}
	return out
}

func (a point) negative() point { return point{reduce(new(big.Int).Neg(a.x)), a.y} }

func (a point) encode() []byte {
	out := little(a.y)
	out[31] |= byte(a.x.Bit(0)) << 7
	return out
}

// decode reads a point as RFC 8032 does, but takes y ≥ p and "minus zero" too; nil x if there is none.
func decode(b []byte) point {
	sign := uint(b[31] >> 7)
	raw := slices.Clone(b)
	raw[31] &= 0x7f
	y := reduce(number(raw))
	yy := mulMod(y, y)
	xx := mulMod(sub(yy, big.NewInt(1)), inverse(new(big.Int).Add(mulMod(curveD, yy), big.NewInt(1))))
	x := new(big.Int).ModSqrt(xx, prime)
	if x == nil {
		return point{nil, y}
	}
	if x.Bit(0) != sign {
		x = reduce(new(big.Int).Neg(x))
	}
	return point{x, y}
}

// number reads little-endian bytes, little writes 32 of them.
func number(b []byte) *big.Int {
	b = slices.Clone(b)
	slices.Reverse(b)
	return new(big.Int).SetBytes(b)
}

func little(n *big.Int) []byte {
	out := n.FillBytes(make([]byte, 32))
	slices.Reverse(out)
	return out
}

// secretScalar is the scalar of a seed (RFC 8032, section 5.1.5).
func secretScalar(seed []byte) *big.Int {
	digest := sha512.Sum512(seed)
	digest[0] &= 248
	digest[31] = digest[31]&63 | 64
	return number(digest[:32])
}

// challenge is k of RFC 8032, section 5.1.7, reduced modulo the order.
func challenge(r, public, message []byte) *big.Int {
	digest := sha512.Sum512(join(r, public, message))
	return new(big.Int).Mod(number(digest[:]), order)
}

// torsion lists the eight points whose order divides eight, as multiples of one of order eight.
func torsion() []point {
	for y := byte(2); ; y++ {
		candidate := decode(append([]byte{y}, make([]byte, 31)...))
		if candidate.x == nil {
			continue
		}
		generator := candidate.times(order)
		four := generator.times(big.NewInt(4))
		if string(four.encode()) == string(neutral.encode()) {
			continue
		}
		points := []point{neutral}
		for len(points) < 8 {
			points = append(points, points[len(points)-1].add(generator))
		}
		return points
	}
}
