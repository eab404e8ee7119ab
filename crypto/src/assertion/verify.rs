//! Whether a release key signed a statement: the rules, in the order they are judged.
//!
//! Source: `spec/release.md`, sections 1 and 2; `spec/crypto.md`, section 9.

use core::fmt;

use super::authenticator::{self, AuthenticatorData, Flags};
use super::client_data::{self, ClientDataError};
use super::release_key::{Passkey, ReleaseKey, ReleaseKeyKind};
use crate::hash::{Hash, sha256};
use crate::suite::Suite;

/// What a file key's signature starts with, before the 32 bytes of the statement's hash.
const FILE_KEY_LABEL: &[u8] = b"detente/1/release-key\0";

const KIND: &str = "webauthn.get";

/// The bytes a file key signs: `"detente/1/release-key\0" ‖ statement hash (32)`.
#[must_use]
pub fn file_key_message(statement: &Hash) -> Vec<u8> {
    [FILE_KEY_LABEL, statement.as_bytes()].concat()
}

/// One key's signature in a release proof. ES256 is r ‖ s with low s, Ed25519 R ‖ S: 64 bytes both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReleaseSignature {
    /// Kind 0: a file key signed [`file_key_message`].
    File {
        /// The signature.
        signature: [u8; 64],
    },
    /// Kind 1: a passkey's assertion of which all but this can be made again by the reader.
    Compact {
        /// The authenticator's flags.
        flags: Flags,
        /// The authenticator's signature counter; 0 when it keeps none.
        counter: u32,
        /// Which of the key's origins, counted from 0.
        origin_index: u8,
        /// The signature.
        signature: [u8; 64],
    },
    /// Kind 2: a passkey's assertion in full.
    Full {
        /// The authenticator data as signed, at most 1,024 bytes.
        authenticator_data: Vec<u8>,
        /// The client data as signed, at most 1,024 bytes.
        client_data: Vec<u8>,
        /// The signature.
        signature: [u8; 64],
    },
}

impl ReleaseSignature {
    /// Packs an assertion as it came from the browser: compact if the reader can make the same
    /// bytes again, else in full. `signature` must be raw already
    /// ([`der_to_raw_low_s`](crate::es256::der_to_raw_low_s)). Nothing is verified.
    #[must_use]
    pub fn from_assertion(
        passkey: &Passkey,
        statement: &Hash,
        authenticator_data: &[u8],
        client_data: &[u8],
        signature: [u8; 64],
    ) -> Self {
        compact(passkey, statement, authenticator_data, client_data, signature).unwrap_or_else(|| {
            Self::Full {
                authenticator_data: authenticator_data.to_vec(),
                client_data: client_data.to_vec(),
                signature,
            }
        })
    }
}

fn compact(
    passkey: &Passkey,
    statement: &Hash,
    authenticator_data: &[u8],
    client_data: &[u8],
    signature: [u8; 64],
) -> Option<ReleaseSignature> {
    let AuthenticatorData { flags, counter, .. } = AuthenticatorData::read(authenticator_data)?;
    if authenticator::plain(&passkey.rp_id, flags, counter) != *authenticator_data {
        return None;
    }
    let challenge = client_data::base64url(statement.as_bytes());
    let written = |origin: &String| client_data::template(&challenge, origin).as_bytes() == client_data;
    let origin_index = u8::try_from(passkey.origins.iter().position(written)?).ok()?;
    Some(ReleaseSignature::Compact { flags, counter, origin_index, signature })
}

/// What a verified signature shows beside the fact that this key signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReleaseEvidence {
    /// A passkey's flags: a person was there and was verified. `None` for a file key.
    pub flags: Option<Flags>,
    /// A passkey's counter, recorded and never a ground to refuse; 0 when it keeps none.
    pub counter: u32,
}

/// Why a signature of a release proof does not count. The statement stands without it.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReleaseSignatureError {
    /// A file key's signature for a passkey, or the reverse.
    PeerKind,
    /// A compact proof names an origin the roster does not have.
    PeerOriginIndex,
    /// The authenticator data's length does not go with its flags, or exceeds the limit.
    PeerAuthenticatorData,
    /// The client data cannot be read.
    PeerClientData(ClientDataError),
    /// Not the signing of a challenge: the type is not `webauthn.get`.
    PeerType,
    /// Another statement was signed.
    PeerChallenge,
    /// Signed at an origin the roster does not name.
    PeerOrigin,
    /// Signed inside another site's page.
    PeerCrossOrigin,
    /// Signed for another relying party.
    PeerRpId,
    /// The authenticator does not say that a person was there.
    PeerUserPresence,
    /// The authenticator did not verify the person.
    PeerUserVerification,
    /// The key may be copied to other devices, which the roster does not say of it.
    PeerBackupEligible,
    /// The flags contradict themselves: backed up without being eligible, or attesting a new key.
    PeerFlags,
    /// The signature does not verify.
    PeerSignature,
}

impl fmt::Display for ReleaseSignatureError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::PeerKind => "the proof is of another kind than the key",
            Self::PeerOriginIndex => "the proof names an origin the roster does not have",
            Self::PeerAuthenticatorData => "the authenticator data is malformed",
            Self::PeerClientData(error) => return error.fmt(f),
            Self::PeerType => "the client data is not of type webauthn.get",
            Self::PeerChallenge => "another statement was signed",
            Self::PeerOrigin => "it was signed at an origin the roster does not name",
            Self::PeerCrossOrigin => "it was signed inside another site's page",
            Self::PeerRpId => "it was signed for another relying party",
            Self::PeerUserPresence => "the authenticator does not say that a person was there",
            Self::PeerUserVerification => "the authenticator did not verify the person",
            Self::PeerBackupEligible => {
                "the key may be copied to other devices, which the roster does not say of it"
            }
            Self::PeerFlags => "the authenticator's flags contradict themselves",
            Self::PeerSignature => "the signature does not verify",
        })
    }
}

impl core::error::Error for ReleaseSignatureError {}

/// Judges whether `key` signed the statement whose hash is given.
///
/// # Errors
/// The first rule that `signature` breaks, in the order of [`ReleaseSignatureError`]'s variants.
pub fn verify_release(
    suite: &dyn Suite,
    key: &ReleaseKey,
    statement: &Hash,
    signature: &ReleaseSignature,
) -> Result<ReleaseEvidence, ReleaseSignatureError> {
    match (&key.kind, signature) {
        (ReleaseKeyKind::File, ReleaseSignature::File { signature }) => {
            signed(suite, key, &file_key_message(statement), signature)?;
            Ok(ReleaseEvidence { flags: None, counter: 0 })
        }
        (
            ReleaseKeyKind::Passkey(passkey),
            ReleaseSignature::Compact { flags, counter, origin_index, signature },
        ) => {
            let origin = passkey.origins.get(usize::from(*origin_index));
            let origin = origin.ok_or(ReleaseSignatureError::PeerOriginIndex)?;
            let client_data = client_data::template(&client_data::base64url(statement.as_bytes()), origin);
            let authenticator_data = authenticator::plain(&passkey.rp_id, *flags, *counter);
            let assertion =
                Assertion { authenticator_data: &authenticator_data, client_data: client_data.as_bytes() };
            assertion.verify(suite, key, passkey, statement, signature)
        }
        (
            ReleaseKeyKind::Passkey(passkey),
            ReleaseSignature::Full { authenticator_data, client_data, signature },
        ) => Assertion { authenticator_data, client_data }.verify(suite, key, passkey, statement, signature),
        _ => Err(ReleaseSignatureError::PeerKind),
    }
}

/// The two byte strings a passkey signs.
struct Assertion<'a> {
    authenticator_data: &'a [u8],
    client_data: &'a [u8],
}

impl Assertion<'_> {
    fn verify(
        &self,
        suite: &dyn Suite,
        key: &ReleaseKey,
        passkey: &Passkey,
        statement: &Hash,
        signature: &[u8; 64],
    ) -> Result<ReleaseEvidence, ReleaseSignatureError> {
        let data = AuthenticatorData::read(self.authenticator_data)
            .ok_or(ReleaseSignatureError::PeerAuthenticatorData)?;
        check_client_data(self.client_data, passkey, statement)?;
        check_authenticator_data(&data, passkey)?;
        let message = [self.authenticator_data, sha256(&[self.client_data]).as_bytes()].concat();
        signed(suite, key, &message, signature)?;
        Ok(ReleaseEvidence { flags: Some(data.flags), counter: data.counter })
    }
}

fn check_client_data(bytes: &[u8], passkey: &Passkey, statement: &Hash) -> Result<(), ReleaseSignatureError> {
    let data = client_data::read(bytes).map_err(ReleaseSignatureError::PeerClientData)?;
    if data.kind != KIND {
        return Err(ReleaseSignatureError::PeerType);
    }
    if data.challenge != client_data::base64url(statement.as_bytes()) {
        return Err(ReleaseSignatureError::PeerChallenge);
    }
    if !passkey.origins.contains(&data.origin) {
        return Err(ReleaseSignatureError::PeerOrigin);
    }
    if data.cross_origin || data.has_top_origin {
        return Err(ReleaseSignatureError::PeerCrossOrigin);
    }
    Ok(())
}

fn check_authenticator_data(
    data: &AuthenticatorData,
    passkey: &Passkey,
) -> Result<(), ReleaseSignatureError> {
    let flags = data.flags;
    if data.rp_id_hash != sha256(&[passkey.rp_id.as_bytes()]) {
        return Err(ReleaseSignatureError::PeerRpId);
    }
    if !flags.user_present() {
        return Err(ReleaseSignatureError::PeerUserPresence);
    }
    if !flags.user_verified() {
        return Err(ReleaseSignatureError::PeerUserVerification);
    }
    if flags.backup_eligible() && !passkey.backup_eligible_allowed {
        return Err(ReleaseSignatureError::PeerBackupEligible);
    }
    if (flags.backed_up() && !flags.backup_eligible()) || flags.attested() {
        return Err(ReleaseSignatureError::PeerFlags);
    }
    Ok(())
}

fn signed(
    suite: &dyn Suite,
    key: &ReleaseKey,
    message: &[u8],
    signature: &[u8; 64],
) -> Result<(), ReleaseSignatureError> {
    key.public.verify(suite, message, signature).then_some(()).ok_or(ReleaseSignatureError::PeerSignature)
}
