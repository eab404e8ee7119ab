//! Bytes that must not be printed, compared in haste or left behind in memory.
//!
//! Seeds, epoch secrets and derived keys are held in a [`Secret`]: it is overwritten when dropped,
//! it prints as `Secret(..)`, and it is deliberately neither `Copy` nor `PartialEq`.

use core::fmt;

use zeroize::{Zeroize, ZeroizeOnDrop};

/// `N` secret bytes, overwritten when dropped.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Secret<const N: usize>([u8; N]);

impl<const N: usize> Secret<N> {
    /// Takes the bytes. The caller's own copy, if any, stays the caller's to overwrite.
    #[must_use]
    pub const fn new(bytes: [u8; N]) -> Self {
        Self(bytes)
    }

    /// Takes exactly `N` bytes; `None` for any other length.
    #[must_use]
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// Shows the bytes to an algorithm or to the file that keeps them.
    #[must_use]
    pub const fn expose(&self) -> &[u8; N] {
        &self.0
    }

    /// The bytes to be filled in place, so that no other copy is made.
    pub const fn expose_mut(&mut self) -> &mut [u8; N] {
        &mut self.0
    }
}

impl<const N: usize> fmt::Debug for Secret<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_does_not_print_its_bytes() {
        let secret = Secret::new([0xab; 4]);
        assert_eq!(format!("{secret:?}"), "Secret(..)");
        assert_eq!(secret.expose(), &[0xab; 4]);
        assert!(Secret::<4>::from_slice(&[1, 2, 3]).is_none());
    }
}
