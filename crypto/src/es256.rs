//! ES256: the signature most passkeys make.
//!
//! On the wire it is r ‖ s (64 bytes) with s at most half the group order, so that one act has one
//! proof; authenticators give DER, which the sender's own node converts by [`der_to_raw_low_s`]. A public
//! key is the compressed point 0x02 or 0x03 ‖ x (33 bytes), half of what a roster would else hold.
//! Source: FIPS 186-5; SEC 1, section 2.3; `spec/crypto.md`, section 8.

use p256::ecdsa::signature::Verifier as _;
use p256::ecdsa::{Signature, VerifyingKey};

/// Bytes of an ES256 public key: 0x02 or 0x03 (the parity of y), then x big-endian.
pub const PUBLIC_BYTES: usize = 33;
/// Bytes of an ES256 signature: r, s, each big-endian.
pub const SIGNATURE_BYTES: usize = 64;

/// Whether `public` is a compressed point of P-256. Rosters are checked with it.
#[must_use]
pub fn is_public_key(public: &[u8; PUBLIC_BYTES]) -> bool {
    read(public).is_some()
}

/// Whether `signature` (r ‖ s, low s) is one of `public` over SHA-256 of `message`.
#[must_use]
pub fn verify(public: &[u8; PUBLIC_BYTES], message: &[u8], signature: &[u8]) -> bool {
    let (Some(key), Ok(signature)) = (read(public), Signature::from_slice(signature)) else {
        return false;
    };
    signature.normalize_s() == signature && key.verify(message, &signature).is_ok()
}

/// Converts an authenticator's DER signature to r ‖ s with low s. `None` for bytes that are no such
/// signature; the sender then asks the officer to sign again.
#[must_use]
pub fn der_to_raw_low_s(der: &[u8]) -> Option<[u8; SIGNATURE_BYTES]> {
    Signature::from_der(der).ok().map(|signature| signature.normalize_s().to_bytes().into())
}

/// Compresses a public key as browsers and authenticators give it (0x04, x, y: 65 bytes). `None`
/// when it is no point of P-256.
#[must_use]
pub fn compress(uncompressed: &[u8]) -> Option<[u8; PUBLIC_BYTES]> {
    if uncompressed.first() != Some(&4) {
        return None;
    }
    let key = VerifyingKey::from_sec1_bytes(uncompressed).ok()?;
    key.to_sec1_point(true).as_bytes().try_into().ok()
}

fn read(public: &[u8; PUBLIC_BYTES]) -> Option<VerifyingKey> {
    // The library also reads the compact form 0x05, which is not ours.
    matches!(public[0], 2 | 3).then(|| VerifyingKey::from_sec1_bytes(public).ok()).flatten()
}

/// Makes ES256 signatures for tests; real ones come from an officer's authenticator.
#[cfg(feature = "testing")]
#[derive(Clone)]
pub struct TestSigner(p256::ecdsa::SigningKey);

#[cfg(feature = "testing")]
impl TestSigner {
    /// A key from 32 bytes; `None` when they are zero or not below the group order.
    #[must_use]
    pub fn from_scalar(scalar: &[u8; 32]) -> Option<Self> {
        p256::ecdsa::SigningKey::from_slice(scalar).ok().map(Self)
    }

    /// The public key, compressed.
    ///
    /// # Panics
    /// Never: a compressed point has 33 bytes.
    #[must_use]
    pub fn public(&self) -> [u8; PUBLIC_BYTES] {
        let point = self.0.verifying_key().to_sec1_point(true);
        point.as_bytes().try_into().expect("a compressed point has 33 bytes")
    }

    /// Signs SHA-256 of `message` (RFC 6979): r ‖ s with low s.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> [u8; SIGNATURE_BYTES] {
        self.signature(message).normalize_s().to_bytes().into()
    }

    /// Signs as an authenticator does: DER, s as it comes out.
    #[must_use]
    pub fn sign_der(&self, message: &[u8]) -> Vec<u8> {
        self.signature(message).to_der().as_bytes().to_vec()
    }

    fn signature(&self, message: &[u8]) -> Signature {
        p256::ecdsa::signature::Signer::sign(&self.0, message)
    }
}

#[cfg(feature = "testing")]
impl core::fmt::Debug for TestSigner {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("TestSigner(..)")
    }
}
