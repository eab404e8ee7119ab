//! HKDF-SHA-256 and ChaCha20-Poly1305, the same in every suite.
//!
//! Source: RFC 5869, RFC 8439; `spec/crypto.md`, sections 3 and 4.

use chacha20poly1305::ChaCha20Poly1305;
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use hkdf::Hkdf;
use sha2::Sha256;

use crate::suite::{AEAD_KEY_BYTES, AEAD_NONCE_BYTES, AEAD_TAG_BYTES, OpenError};

pub(crate) fn hkdf(secret: &[u8], salt: &[u8], info: &[u8], out: &mut [u8]) {
    Hkdf::<Sha256>::new(Some(salt), secret)
        .expand(info, out)
        .expect("callers ask for keys, salts and nonces, far below 8,160 bytes");
}

pub(crate) fn aead_seal(
    key: &[u8; AEAD_KEY_BYTES],
    nonce: &[u8; AEAD_NONCE_BYTES],
    aad: &[u8],
    plaintext: &[u8],
) -> Vec<u8> {
    ChaCha20Poly1305::new(key.into())
        .encrypt(nonce.into(), Payload { msg: plaintext, aad })
        .expect("only a plaintext of 256 GiB fails, which no memory of ours holds")
}

pub(crate) fn aead_open(
    key: &[u8; AEAD_KEY_BYTES],
    nonce: &[u8; AEAD_NONCE_BYTES],
    aad: &[u8],
    sealed: &[u8],
) -> Result<Vec<u8>, OpenError> {
    if sealed.len() < AEAD_TAG_BYTES {
        return Err(OpenError::PeerTooShort);
    }
    ChaCha20Poly1305::new(key.into())
        .decrypt(nonce.into(), Payload { msg: sealed, aad })
        .map_err(|_| OpenError::PeerNotAuthentic)
}
