// Command go-check judges what the Rust side signed, sealed and packed, with the Go standard
// library and spec/ alone.
//
//	cargo run -p detente-crypto --features testing --example write_vectors > vectors.json
//	cd interop/go-check
//	GOPROXY=off GOTOOLCHAIN=local go run . < ../../vectors.json
//
// Go 1.27 or newer. Ends with 0 when every case is accepted or refused as it says it must be, else
// with 1 and the first that is not.
package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/hpke"
	"crypto/mldsa"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/big"
	"os"
	"sort"
)

// vector holds the members of every kind; each kind uses its own.
type vector struct {
	Kind, Label, Origin                string
	Accept                             bool
	Public, Message, Signature         text
	Seed, Info, AAD, Sealed, Plaintext text
	Ed25519, Mldsa                     text
	Party, Words                       text
	Ed25519Signature                   text `json:"ed25519_signature"`
	MldsaSignature                     text `json:"mldsa_signature"`
	Statement, Proof                   text
	FileKey                            text `json:"file_key"`
	Passkey                            text
	RPID                               string `json:"rp_id"`
}

// text is bytes written as hexadecimal.
type text []byte

func (t *text) UnmarshalJSON(b []byte) error {
	var s string
	if err := json.Unmarshal(b, &s); err != nil {
		return err
	}
	decoded, err := hex.DecodeString(s)
	*t = decoded
	return err
}

func main() {
	var input struct{ Cases []vector }
	if err := json.NewDecoder(os.Stdin).Decode(&input); err != nil {
		fail("standard input holds no vectors: %v", err)
	}
	counts := map[string]int{}
	for i, v := range input.Cases {
		if verdict := judge(v); verdict != v.Accept {
			fail("case %d (%s): Go says %v", i, v.Kind, verdict)
		}
		counts[fmt.Sprintf("%s %v", v.Kind, map[bool]string{true: "accepted", false: "refused"}[v.Accept])]++
	}
	var names []string
	for name := range counts {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		fmt.Printf("%-20s %d\n", name, counts[name])
	}
	if len(names) < 10 {
		fail("a kind of case is missing: %d kinds and verdicts", len(names))
	}
}

func fail(format string, values ...any) {
	fmt.Fprintf(os.Stderr, format+"\n", values...)
	os.Exit(1)
}

func judge(v vector) bool {
	switch v.Kind {
	case "ed25519":
		return ed25519Holds(v.Public, v.Message, v.Signature)
	case "mldsa44":
		return mldsaHolds(v.Public, v.Message, v.Signature)
	case "es256":
		return es256Holds(v.Public, v.Message, v.Signature)
	case "hpke":
		return hpkeHolds(v)
	case "root":
		return rootHolds(v)
	case "proof":
		return proofHolds(v)
	}
	fail("unknown kind %q", v.Kind)
	return false
}

func ed25519Holds(public, message, signature []byte) bool {
	return len(public) == ed25519.PublicKeySize && ed25519.Verify(public, message, signature)
}

func mldsaHolds(public, message, signature []byte) bool {
	key, err := mldsa.NewPublicKey(mldsa.MLDSA44(), public)
	return err == nil && mldsa.Verify(key, message, signature, nil) == nil
}

func es256Holds(public, message, signature []byte) bool {
	x, y := elliptic.UnmarshalCompressed(elliptic.P256(), public)
	if x == nil || len(signature) != 64 {
		return false
	}
	key := &ecdsa.PublicKey{Curve: elliptic.P256(), X: x, Y: y}
	r, s := new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:])
	half := new(big.Int).Rsh(elliptic.P256().Params().N, 1)
	digest := sha256.Sum256(message)
	return s.Cmp(half) <= 0 && ecdsa.Verify(key, digest[:], r, s)
}

func hpkeHolds(v vector) bool {
	kem := hpke.MLKEM768X25519()
	private, err := kem.NewPrivateKey(v.Seed)
	if err != nil || !bytes.Equal(private.PublicKey().Bytes(), v.Public) || len(v.Sealed) < 1120 {
		return false
	}
	recipient, err := hpke.NewRecipient(v.Sealed[:1120], private, hpke.HKDFSHA256(), hpke.ChaCha20Poly1305(), v.Info)
	if err != nil {
		return false
	}
	plaintext, err := recipient.Open(v.AAD, v.Sealed[1120:])
	return err == nil && bytes.Equal(plaintext, v.Plaintext)
}

// rootHolds is spec/keys.md, sections 2 and 3: both signatures over label, zero byte, message.
func rootHolds(v vector) bool {
	party := sha256.Sum256(join([]byte("detente/1/party\x00"), v.Ed25519, v.Mldsa))
	words := sha256.Sum256(join([]byte("detente/1/words\x00"), v.Ed25519, v.Mldsa))
	signed := join([]byte(v.Label), []byte{0}, v.Message)
	return bytes.Equal(party[:], v.Party) && bytes.Equal(words[:], v.Words) &&
		ed25519Holds(v.Ed25519, signed, v.Ed25519Signature) && mldsaHolds(v.Mldsa, signed, v.MldsaSignature)
}

func join(parts ...[]byte) []byte { return bytes.Join(parts, nil) }
