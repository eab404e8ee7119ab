//! Link keys: the Ed25519 keys by which two nodes know each other on a link.
//!
//! A link key is never used for anything else: logs, cosignatures and releases have keys of their
//! own (`spec/`, keys). It travels as a raw public key (RFC 7250), so there is no certificate, no
//! name to check and no date to run out: a key is in the list of peers or it is refused.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::hmac;
use rustls::crypto::aws_lc_rs::sign::any_eddsa_type;
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use rustls::sign::{CertifiedKey, SigningKey};
use sha2::{Digest, Sha256};

/// `SEQUENCE { SEQUENCE { OID 1.3.101.112 } BIT STRING }` up to the 32 key bytes (RFC 8410, section 4).
const SPKI_PREFIX: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

/// PKCS #8 version 1 of an Ed25519 key up to the 32 seed bytes (RFC 8410, section 7).
const PKCS8_PREFIX: [u8; 16] =
    [0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];

/// The public link key of a node: 32 bytes, Ed25519 (RFC 8032).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LinkKey(pub [u8; 32]);

impl LinkKey {
    /// Reads a raw public key as TLS hands it over; `None` for everything that is not exactly
    /// an Ed25519 key in its one DER form.
    pub(crate) fn from_spki(spki: &[u8]) -> Option<Self> {
        let key = spki.strip_prefix(SPKI_PREFIX.as_slice())?;
        key.try_into().ok().map(Self)
    }

    fn to_spki(self) -> Vec<u8> {
        [SPKI_PREFIX.as_slice(), &self.0].concat()
    }

    /// The server name a dialler asks for: the hash of the key it expects.
    ///
    /// A node that is asked for another name answers nothing and does no arithmetic, so who does
    /// not know the key learns neither it nor that it is there.
    pub(crate) fn server_name(&self) -> String {
        let mut hash = Sha256::new();
        hash.update(b"detente/1/link-name");
        hash.update(self.0);
        format!("{}.link", hex(&hash.finalize()[..16]))
    }
}

impl fmt::Debug for LinkKey {
    /// The first four bytes: enough to tell links apart in a trace.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LinkKey({}…)", hex(&self.0[..4]))
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The private link key of this node, with the two secrets that QUIC needs to be the same after
/// a restart. Where the seed is kept is the node's matter; it is not kept here.
#[derive(Clone)]
pub struct LinkSecret {
    key: LinkKey,
    certified: Arc<CertifiedKey>,
    pub(crate) reset_key: Arc<hmac::Key>,
    pub(crate) connection_id_key: u64,
}

impl LinkSecret {
    /// Makes the key pair of a 32-byte seed (RFC 8032, section 5.1.5).
    ///
    /// # Panics
    /// Never on account of the seed: each 32 bytes are an Ed25519 private key.
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        let der = PrivatePkcs8KeyDer::from([PKCS8_PREFIX.as_slice(), seed].concat());
        let signer: Arc<dyn SigningKey> =
            any_eddsa_type(&der).expect("the prefix and any 32 bytes are an Ed25519 private key");
        let spki = signer.public_key().expect("an Ed25519 private key has a public key");
        let key = LinkKey::from_spki(&spki).expect("rustls writes the one DER form of the key");
        let certified = CertifiedKey::new(vec![CertificateDer::from(key.to_spki())], signer);
        let (reset, connection_id) = quic_secrets(seed);
        Self {
            key,
            certified: Arc::new(certified),
            reset_key: Arc::new(hmac::Key::new(hmac::HMAC_SHA256, &reset)),
            connection_id_key: connection_id,
        }
    }

    /// The public half.
    pub fn public(&self) -> LinkKey {
        self.key
    }

    pub(crate) fn certified(&self) -> Arc<CertifiedKey> {
        self.certified.clone()
    }
}

impl fmt::Debug for LinkSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LinkSecret({:?})", self.key)
    }
}

/// The key of stateless resets and that of connection identifiers (RFC 9000, section 10.3).
///
/// They come from the seed, so that a node that was killed and started again can tell its peers at
/// once that their connections are gone, instead of leaving them to wait for silence.
fn quic_secrets(seed: &[u8; 32]) -> ([u8; 32], u64) {
    let seed = hmac::Key::new(hmac::HMAC_SHA256, seed);
    let derive = |label: &[u8]| -> [u8; 32] {
        hmac::sign(&seed, label).as_ref().try_into().expect("HMAC-SHA-256 has 32 bytes")
    };
    let connection_id = derive(b"detente/1/quic-connection-id");
    let eight = connection_id[..8].try_into().expect("8 of 32 bytes");
    (derive(b"detente/1/quic-reset"), u64::from_be_bytes(eight))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_of_a_seed_is_that_of_rfc_8032() {
        // RFC 8032, section 7.1, test 1.
        let seed = [
            0x9d, 0x61, 0xb1, 0x9d, 0xef, 0xfd, 0x5a, 0x60, 0xba, 0x84, 0x4a, 0xf4, 0x92, 0xec, 0x2c, 0xc4,
            0x44, 0x49, 0xc5, 0x69, 0x7b, 0x32, 0x69, 0x19, 0x70, 0x3b, 0xac, 0x03, 0x1c, 0xae, 0x7f, 0x60,
        ];
        let expected = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
        assert_eq!(hex(&LinkSecret::from_seed(&seed).public().0), expected);
    }

    #[test]
    fn only_the_one_der_form_is_a_link_key() {
        let key = LinkSecret::from_seed(&[7; 32]).public();
        let spki = key.to_spki();
        assert_eq!(LinkKey::from_spki(&spki), Some(key));
        assert_eq!(LinkKey::from_spki(&spki[..43]), None);
        assert_eq!(LinkKey::from_spki(&[spki.as_slice(), &[0]].concat()), None);
        assert_eq!(LinkKey::from_spki(&[]), None);
    }

    #[test]
    fn debug_shows_no_secret_and_only_the_start_of_a_key() {
        let secret = LinkSecret::from_seed(&[7; 32]);
        assert!(format!("{secret:?}").len() < 40);
    }
}
