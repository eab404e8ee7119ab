//! Stand-in until the crypto crate compiles.
/// Signature checks.
pub trait Suite {
    /// Ed25519.
    fn ed25519_verify(&self, public: &[u8], message: &[u8], signature: &[u8]) -> bool;
    /// ML-DSA-44.
    fn mldsa_verify(&self, public: &[u8], message: &[u8], signature: &[u8]) -> bool;
}
