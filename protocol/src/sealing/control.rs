//! Control messages: sealed under a key of the sender's run, counted so that no nonce repeats.

use super::epoch::{Epoch, EpochName};
use super::header::{Bucket, Form, Header, Kind, Sender};
use crate::names::{PartyId, Run};
use core::fmt;
use detente_crypto::AEAD_TAG_BYTES;

/// The kinds a control message can have (2 to 7).
pub type MessageKind = Kind;

const HEADER_BYTES: usize = 24;

/// Key and tag of a kind in an epoch.
type DrawnKey = (EpochName, [u8; 32], [u8; 4]);

/// Seals the control messages of one run. Its counts never repeat, for the run's 8 bytes are new
/// with each start and stand in every key.
pub struct ControlSealer {
    party: PartyId,
    run: Run,
    counts: [u64; 8],
    keys: [Option<DrawnKey>; 8],
}

impl fmt::Debug for ControlSealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ControlSealer({:?})", self.run)
    }
}

impl ControlSealer {
    /// Begins at count 0: make exactly one per channel and run.
    #[must_use]
    pub fn new(party: PartyId, run: Run) -> Self {
        Self { party, run, counts: [0; 8], keys: [const { None }; 8] }
    }

    /// Seals `content` (one value). `None` when it is longer than the largest bucket.
    pub fn seal(&mut self, epoch: &Epoch, kind: Kind, content: &[u8]) -> Option<Vec<u8>> {
        debug_assert!(kind.is_control(), "frames, wraps and introductions are sealed elsewhere");
        let slot = kind as usize;
        let cached = self.keys[slot].filter(|(name, ..)| *name == epoch.name());
        let (key, tag) = match cached {
            Some((_, key, tag)) => (key, tag),
            None => {
                let (key, tag) = epoch.control(kind as u8, self.party, self.run);
                self.keys[slot] = Some((epoch.name(), key, tag));
                (key, tag)
            }
        };
        let index = self.counts[slot];
        let sealed = seal_control(epoch, (&key, tag), kind, self.run, index, content)?;
        self.counts[slot] += 1;
        Some(sealed)
    }
}

/// Seals one control message under a key and tag drawn from `epoch`.
#[must_use]
pub fn seal_control(
    epoch: &Epoch,
    (key, tag): (&[u8; 32], [u8; 4]),
    kind: Kind,
    run: Run,
    index: u64,
    content: &[u8],
) -> Option<Vec<u8>> {
    let bucket = Bucket::for_bytes(HEADER_BYTES + content.len() + AEAD_TAG_BYTES)?;
    let form = Form { bucket, dictionary: false, explicit_salts: false, standalone: false, named: false };
    let header = Header { kind, form, count: 0, tag, index, sender: Sender::Control(run) };
    let mut out = header.to_bytes();
    let mut plaintext = content.to_vec();
    plaintext.resize(bucket.bytes() - HEADER_BYTES - AEAD_TAG_BYTES, 0);
    let sealed = epoch.suite().aead_seal(key, &header.nonce(), &out, &plaintext);
    out.extend_from_slice(&sealed);
    Some(out)
}

/// Opens a control message of `party` in `epoch`. `None` when it is not sealed so, or its padding
/// is not zero. Returns the bytes of its one value.
#[must_use]
pub fn open_control(epoch: &Epoch, party: PartyId, header: &Header, bytes: &[u8]) -> Option<Vec<u8>> {
    let Sender::Control(run) = header.sender else { return None };
    let (key, tag) = epoch.control(header.kind as u8, party, run);
    if tag != header.tag {
        return None;
    }
    let (aad, sealed) = bytes.split_at_checked(HEADER_BYTES)?;
    let mut plaintext = epoch.suite().aead_open(&key, &header.nonce(), aad, sealed).ok()?;
    let length = detente_encoding::cbor::skip(&plaintext).ok()?;
    if plaintext[length..].iter().any(|&byte| byte != 0) {
        return None;
    }
    plaintext.truncate(length);
    Some(plaintext)
}
