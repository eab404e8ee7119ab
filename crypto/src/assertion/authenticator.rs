//! The authenticator's part of an assertion: for which site, and what it says of the person.
//!
//! ```text
//! 0        32      33          37
//! ┌────────┬───────┬───────────┬───────────────────────┐
//! │ rpId   │ flags │ counter   │ extensions, if ED set │
//! │ SHA-256│       │ big-endian│                       │
//! └────────┴───────┴───────────┴───────────────────────┘
//! ```
//! Source: WebAuthn Level 3, section 6.1; `spec/crypto.md`, section 9.1.

use crate::hash::{HASH_BYTES, Hash, sha256};

/// The longest authenticator data, in bytes. Without extensions it has 37.
pub const AUTHENTICATOR_DATA_MAX: usize = 1024;

/// Length without extensions.
const PLAIN_BYTES: usize = HASH_BYTES + 1 + 4;

/// The flag byte of authenticator data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flags(pub u8);

impl Flags {
    /// UP: a person was there.
    #[must_use]
    pub const fn user_present(self) -> bool {
        self.0 & 0x01 != 0
    }

    /// UV: the person was verified, by PIN or body.
    #[must_use]
    pub const fn user_verified(self) -> bool {
        self.0 & 0x04 != 0
    }

    /// BE: the key may be copied to other devices.
    #[must_use]
    pub const fn backup_eligible(self) -> bool {
        self.0 & 0x08 != 0
    }

    /// BS: the key has been copied.
    #[must_use]
    pub const fn backed_up(self) -> bool {
        self.0 & 0x10 != 0
    }

    /// AT: a new key is attested, which an assertion never does.
    #[must_use]
    pub const fn attested(self) -> bool {
        self.0 & 0x40 != 0
    }

    /// ED: extensions follow.
    #[must_use]
    pub const fn extensions(self) -> bool {
        self.0 & 0x80 != 0
    }
}

/// Authenticator data taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct AuthenticatorData {
    pub(super) rp_id_hash: Hash,
    pub(super) flags: Flags,
    pub(super) counter: u32,
}

impl AuthenticatorData {
    /// Reads it; `None` when its length does not go with its flags or exceeds the limit.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let (hash, rest) = bytes.split_at_checked(HASH_BYTES)?;
        let (&flags, rest) = rest.split_first()?;
        let (counter, extensions) = rest.split_first_chunk::<4>()?;
        let flags = Flags(flags);
        if flags.extensions() == extensions.is_empty() || bytes.len() > AUTHENTICATOR_DATA_MAX {
            return None;
        }
        Some(Self { rp_id_hash: Hash::from_slice(hash)?, flags, counter: u32::from_be_bytes(*counter) })
    }
}

/// The 37 bytes a compact proof stands for.
pub(super) fn plain(rp_id: &str, flags: Flags, counter: u32) -> [u8; PLAIN_BYTES] {
    let mut out = [0; PLAIN_BYTES];
    out[..HASH_BYTES].copy_from_slice(sha256(&[rp_id.as_bytes()]).as_bytes());
    out[HASH_BYTES] = flags.0;
    out[HASH_BYTES + 1..].copy_from_slice(&counter.to_be_bytes());
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn length_and_flags_must_agree() {
        let data = plain("watch.example", Flags(0x05), 7);
        let read = AuthenticatorData::read(&data).unwrap();
        assert_eq!((read.flags, read.counter), (Flags(0x05), 7));
        assert_eq!(read.rp_id_hash, sha256(&[b"watch.example"]));

        assert_eq!(AuthenticatorData::read(&data[..36]), None);
        assert_eq!(AuthenticatorData::read(&[&data[..], &[0xa0]].concat()), None);
        let announced = plain("watch.example", Flags(0x85), 7);
        assert_eq!(AuthenticatorData::read(&announced), None);
        assert!(AuthenticatorData::read(&[&announced[..], &[0xa0]].concat()).is_some());
        assert_eq!(AuthenticatorData::read(&[&announced[..], &[0; 1024]].concat()), None);
    }
}
