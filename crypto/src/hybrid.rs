//! HPKE with X-Wing: what one party seals so that another can open it, today and after quantum computers.
//!
//! RFC 9180, base mode, one message: KEM X-Wing (0x647a), KDF HKDF-SHA-256 (0x0001), AEAD
//! ChaCha20-Poly1305 (0x0003). Sender and receiver both refuse X25519 values of small order, as
//! Go's `crypto/ecdh` does; X-Wing itself stays secure with them, but one verdict everywhere is
//! worth more. Source: RFC 9180; draft-ietf-hpke-pq; `spec/crypto.md`, section 7.

use core::convert::Infallible;

use hpke::aead::ChaCha20Poly1305;
use hpke::kdf::HkdfSha256;
use hpke::kem::{Kem as KemTrait, XWing};
use hpke::rand_core::{TryCryptoRng, TryRng};
use hpke::{Deserializable, OpModeR, OpModeS, Serializable, single_shot_open, single_shot_seal_with_rng};
use zeroize::Zeroize;

use crate::suite::{
    HPKE_OVERHEAD_BYTES, KEM_ENCAPSULATION_BYTES, KEM_PUBLIC_BYTES, KEM_RANDOM_BYTES, OpenError, SEED_BYTES,
    SealError,
};

pub(crate) fn public(seed: &[u8; SEED_BYTES]) -> [u8; KEM_PUBLIC_BYTES] {
    let mut out = [0; KEM_PUBLIC_BYTES];
    XWing::sk_to_pk(&private_key(seed)).write_exact(&mut out);
    out
}

pub(crate) fn seal(
    public: &[u8; KEM_PUBLIC_BYTES],
    info: &[u8],
    aad: &[u8],
    plaintext: &[u8],
    randomness: &[u8; KEM_RANDOM_BYTES],
) -> Result<Vec<u8>, SealError> {
    if ends_in_small_order(public) {
        return Err(SealError::PeerPublicKey);
    }
    let key = <XWing as KemTrait>::PublicKey::from_bytes(public).map_err(|_| SealError::PeerPublicKey)?;
    let mut source = Given { bytes: *randomness, used: 0 };
    let (encapsulation, ciphertext) = single_shot_seal_with_rng::<ChaCha20Poly1305, HkdfSha256, XWing>(
        &OpModeS::Base,
        &key,
        info,
        plaintext,
        aad,
        &mut source,
    )
    .map_err(|_| SealError::PeerPublicKey)?;
    let mut out = encapsulation.to_bytes().to_vec();
    out.extend_from_slice(&ciphertext);
    Ok(out)
}

pub(crate) fn open(
    seed: &[u8; SEED_BYTES],
    info: &[u8],
    aad: &[u8],
    sealed: &[u8],
) -> Result<Vec<u8>, OpenError> {
    if sealed.len() < HPKE_OVERHEAD_BYTES {
        return Err(OpenError::PeerTooShort);
    }
    let (encapsulation, ciphertext) = sealed.split_at(KEM_ENCAPSULATION_BYTES);
    if ends_in_small_order(encapsulation) {
        return Err(OpenError::PeerNotAuthentic);
    }
    let encapsulation = <XWing as KemTrait>::EncappedKey::from_bytes(encapsulation)
        .map_err(|_| OpenError::PeerNotAuthentic)?;
    single_shot_open::<ChaCha20Poly1305, HkdfSha256, XWing>(
        &OpModeR::Base,
        &private_key(seed),
        &encapsulation,
        info,
        ciphertext,
        aad,
    )
    .map_err(|_| OpenError::PeerNotAuthentic)
}

fn private_key(seed: &[u8; SEED_BYTES]) -> <XWing as KemTrait>::PrivateKey {
    <XWing as KemTrait>::PrivateKey::from_bytes(seed).expect("any 32 bytes are an X-Wing seed")
}

/// Hands the caller's bytes to the library as if they were drawn.
struct Given {
    bytes: [u8; KEM_RANDOM_BYTES],
    used: usize,
}

impl TryRng for Given {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut word = [0; 4];
        self.try_fill_bytes(&mut word)?;
        Ok(u32::from_le_bytes(word))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut word = [0; 8];
        self.try_fill_bytes(&mut word)?;
        Ok(u64::from_le_bytes(word))
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Infallible> {
        let end = self.used + out.len();
        let given = self.bytes.get(self.used..end);
        out.copy_from_slice(given.expect("an X-Wing encapsulation draws 64 bytes, once"));
        self.used = end;
        Ok(())
    }
}

impl TryCryptoRng for Given {}

impl Drop for Given {
    fn drop(&mut self) {
        self.bytes.zeroize();
    }
}

/// Whether the last 32 bytes, an X25519 value, give a shared secret of zero with every private key.
fn ends_in_small_order(bytes: &[u8]) -> bool {
    let Some(value) = bytes.last_chunk::<32>() else { return true };
    let mut value = *value;
    value[31] &= 0x7f; // X25519 does not look at the highest bit (RFC 7748, section 5).
    SMALL_ORDER.contains(&value)
}

/// 0, 1, the two u of order 8, and p − 1, p, p + 1, each little-endian (RFC 7748, section 7).
const SMALL_ORDER: [[u8; 32]; 7] = [
    [0; 32],
    near_zero(1),
    [
        0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3, 0xfa, 0xf1, 0x9f, 0xc4, 0x6a, 0xda,
        0x09, 0x8d, 0xeb, 0x9c, 0x32, 0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16, 0x5f, 0x49, 0xb8, 0x00,
    ],
    [
        0x5f, 0x9c, 0x95, 0xbc, 0xa3, 0x50, 0x8c, 0x24, 0xb1, 0xd0, 0xb1, 0x55, 0x9c, 0x83, 0xef, 0x5b, 0x04,
        0x44, 0x5c, 0xc4, 0x58, 0x1c, 0x8e, 0x86, 0xd8, 0x22, 0x4e, 0xdd, 0xd0, 0x9f, 0x11, 0x57,
    ],
    near_prime(0xec),
    near_prime(0xed),
    near_prime(0xee),
];

const fn near_zero(low: u8) -> [u8; 32] {
    let mut value = [0; 32];
    value[0] = low;
    value
}

const fn near_prime(low: u8) -> [u8; 32] {
    let mut value = [0xff; 32];
    value[0] = low;
    value[31] = 0x7f;
    value
}
