//! From a message file to a signed statement: what a drafter's program does, away from the node.
//!
//! Nothing here opens the record: the channel's context and the entries that citations mean are
//! given, as the node's interface answers them. Keys never leave the process that signs.

mod convert;

use std::path::Path;

use detente_crypto::assertion::{ReleaseSignature, file_key_message};
use detente_crypto::{Ed25519Signer, Hash, SUITE_1, sha256};
use detente_encoding::Timestamp;
use detente_encoding::cbor::Value;
use detente_encoding::text::{from_hex, hex};
use detente_formats::{Catalogue, Content, Message};
use detente_protocol::entry::{Extras, Kind, Reference};
use detente_protocol::limits::{ATTACHMENTS_MAX, BLOB_MAX};
use detente_protocol::names::{ChannelId, EntryId, Lane, LogKey, PartyId, Precedence};
use detente_protocol::release::Proof;
use detente_protocol::roster::Roster;
use detente_protocol::statement::{Bound, FormatRef, Statement};

pub use convert::message_of;

use crate::api::{ChannelContext, Found, SubmitRequest};
use crate::folder::secrets::{random, read_seed};
use crate::refusal::{FaultLine, Refusal};

/// For how long a drafted statement may be entered.
pub const VALID_MINUTES: u16 = 15;

/// A release key in a file.
pub struct FileKey {
    signer: Ed25519Signer,
    /// Its file, for sentences.
    pub name: String,
}

impl std::fmt::Debug for FileKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "FileKey({})", self.name)
    }
}

impl FileKey {
    /// Reads a key file of 32 bytes.
    ///
    /// # Errors
    /// A [`Refusal`] that names the file.
    pub fn read(path: &Path) -> Result<Self, Refusal> {
        let seed = read_seed(path).map_err(|error| Refusal::refused(format!("--release {error}")))?;
        Ok(Self { signer: SUITE_1.ed25519_signer(seed.expose()), name: path.display().to_string() })
    }

    /// Its public key.
    #[must_use]
    pub fn public(&self) -> String {
        hex(self.signer.public())
    }

    fn sign(&self, hash: &Hash) -> ReleaseSignature {
        ReleaseSignature::File { signature: self.signer.sign(&file_key_message(hash)) }
    }
}

/// Signs `hash` with a key that stands in `roster`.
///
/// # Errors
/// A [`Refusal`] when it does not.
pub(crate) fn sign_hash(
    roster: &Roster,
    key: &FileKey,
    hash: &Hash,
) -> Result<(u16, ReleaseSignature), Refusal> {
    let public = key.signer.public();
    let found = roster.keys.iter().find(|known| known.key.public.as_bytes() == public);
    let found = found.ok_or_else(|| unknown_key(key))?;
    Ok((found.key.number, key.sign(hash)))
}

fn unknown_key(key: &FileKey) -> Refusal {
    Refusal::refused(format!("--release {}: this key is not in the party's roster", key.name))
}

/// A statement drafted and not yet signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// The statement with what it is bound to.
    pub bound: Bound,
    /// Bytes of its attachments.
    pub attachments: Vec<Vec<u8>>,
    /// Lets a late notification go.
    pub accept_late: bool,
}

/// Finds the one entry that a citation means.
pub type Lookup<'a> = dyn FnMut(&str) -> Result<Found, Refusal> + 'a;

/// Reads a message file.
///
/// # Errors
/// A [`Refusal`] that lists every fault at once.
pub fn read_message(text: &str) -> Result<Message, Refusal> {
    Message::from_json(text, Catalogue::embedded()).map_err(|faults| refuse_faults(&faults))
}

/// A refusal that lists all faults, the first in its sentence.
#[must_use]
pub fn refuse_faults(faults: &[detente_formats::Fault]) -> Refusal {
    let line = |fault: &detente_formats::Fault| FaultLine {
        path: fault.path.clone(),
        code: fault.code.name().to_owned(),
        text: fault.text(detente_formats::Language::En),
        refuses: fault.refuses(),
    };
    let faults: Vec<_> = faults.iter().map(line).collect();
    let sentences: Vec<_> = faults.iter().filter(|f| f.refuses).map(|f| f.text.as_str()).collect();
    Refusal { faults: faults.clone(), ..Refusal::refused(sentences.join(" · ")) }
}

impl Draft {
    /// Drafts a message. `folder` is where attachments are looked for.
    ///
    /// # Errors
    /// A [`Refusal`] that names the field.
    pub fn message(
        text: &str,
        folder: &Path,
        context: &ChannelContext,
        lookup: &mut Lookup<'_>,
    ) -> Result<Self, Refusal> {
        let message = read_message(text)?;
        let kind = match message.content {
            Content::Notification(_) => Kind::Notification,
            Content::Note(_) => Kind::Note,
            Content::Dialogue(_) => Kind::Dialogue,
            Content::Declaration(_) => Kind::Declaration,
        };
        let mut references = Vec::new();
        for citation in &message.envelope.refs {
            references.push(reference_to(&lookup(citation)?)?);
        }
        let lane = if message.envelope.exercise { Lane::Exercise } else { precedence_of(&message).lane() };
        Self::of_message(kind, &message, references, lane, folder, context, lookup)
    }

    /// Drafts an officers' act on an entry: acknowledgement, stand-by, accept, … correct. `text` is a
    /// message file whose content goes with it, where the act takes one.
    ///
    /// # Errors
    /// A [`Refusal`].
    pub fn act(
        kind: Kind,
        target: &Found,
        text: Option<&str>,
        folder: &Path,
        context: &ChannelContext,
    ) -> Result<Self, Refusal> {
        let reference = reference_to(target)?;
        let lane = Lane::from_word(&target.lane).ok_or_else(|| broken("lane"))?;
        let none = |_: &str| -> Result<Found, Refusal> {
            Err(Refusal::refused("refs: an act refers to its one entry and cites no other"))
        };
        match text {
            Some(_) if matches!(kind, Kind::Acknowledgement | Kind::StandBy) => {
                Err(Refusal::refused(format!("--message: {} carries no message", kind.word())))
            }
            Some(text) => {
                let message = read_message(text)?;
                if !message.envelope.refs.is_empty() {
                    return Err(Refusal::refused("refs: an act refers to its one entry and cites no other"));
                }
                Self::of_message(kind, &message, vec![reference], lane, folder, context, &mut { none })
            }
            None => {
                let precedence = target.precedence.as_deref().and_then(Precedence::from_word);
                let mut draft = Self::empty(kind, lane, context)?;
                draft.bound.statement.precedence = precedence.unwrap_or(Precedence::Routine);
                draft.bound.statement.references = vec![reference];
                Ok(draft)
            }
        }
    }

    /// Drafts the ratification of the charter in the context.
    ///
    /// # Errors
    /// A [`Refusal`].
    pub fn ratify(context: &ChannelContext) -> Result<Self, Refusal> {
        let mut draft = Self::empty(Kind::Ratify, Lane::Ordinary, context)?;
        let charter = from_hex(&context.charter).ok_or_else(|| broken("charter"))?;
        let edition = context.edition + 1;
        draft.bound.statement.body =
            Value::Array(vec![Value::from(u64::from(edition)), Value::bytes(&charter), Value::Null]);
        Ok(draft)
    }

    /// Drafts a suspension, restoration or closing. `text` is a message file: CHN.SUSP for the first
    /// two, a note or nothing for the last.
    ///
    /// # Errors
    /// A [`Refusal`].
    pub fn channel_act(kind: Kind, text: Option<&str>, context: &ChannelContext) -> Result<Self, Refusal> {
        let mut draft = Self::empty(kind, Lane::Ordinary, context)?;
        let Some(text) = text else { return Ok(draft) };
        let message = read_message(text)?;
        let (format, body) = body_of(&message);
        draft.bound.statement.format = format;
        draft.bound.statement.body = body;
        Ok(draft)
    }

    fn empty(kind: Kind, lane: Lane, context: &ChannelContext) -> Result<Self, Refusal> {
        let channel = ChannelId::parse(&context.channel).ok_or_else(|| broken("channel"))?;
        let party = PartyId::parse(&context.party).ok_or_else(|| broken("party"))?;
        let statement = Statement {
            kind,
            edition: context.edition,
            drafted: Timestamp::parse(&context.now).map_err(|_| broken("now"))?,
            valid_minutes: VALID_MINUTES,
            nonce: random()?,
            precedence: Precedence::Routine,
            format: None,
            references: Vec::new(),
            body: Value::Null,
            extras: Extras::default(),
            attachments: Vec::new(),
            drafter: 0,
        };
        let bound = Bound { channel, party, lane, statement };
        Ok(Self { bound, attachments: Vec::new(), accept_late: false })
    }

    fn of_message(
        kind: Kind,
        message: &Message,
        references: Vec<Reference>,
        lane: Lane,
        folder: &Path,
        context: &ChannelContext,
        lookup: &mut Lookup<'_>,
    ) -> Result<Self, Refusal> {
        let mut draft = Self::empty(kind, lane, context)?;
        for path in &message.envelope.attachments {
            draft.attachments.push(read_attachment(&folder.join(path))?);
        }
        if draft.attachments.len() > ATTACHMENTS_MAX {
            return Err(Refusal::refused(format!("attachments: at most {ATTACHMENTS_MAX} files")));
        }
        let (format, body) = body_of(message);
        let statement = &mut draft.bound.statement;
        statement.precedence = precedence_of(message);
        statement.format = format;
        statement.body = body;
        statement.references = references;
        statement.extras = convert::extras_of(message, context, lookup)?;
        statement.attachments = draft.attachments.iter().map(|bytes| sha256(&[bytes])).collect();
        Ok(draft)
    }

    /// Signs the draft; the first key is the drafter's.
    ///
    /// # Errors
    /// A [`Refusal`] when a key is unknown, given twice, or none is given.
    pub fn sign(mut self, keys: &[FileKey], context: &ChannelContext) -> Result<SubmitRequest, Refusal> {
        let number = |key: &FileKey| {
            let public = key.public();
            let found = context.keys.iter().find(|known| known.public == public);
            found.map(|known| known.number).ok_or_else(|| unknown_key(key))
        };
        let first = keys.first().ok_or_else(|| Refusal::refused("--release is missing; name a key file"))?;
        self.bound.statement.drafter = number(first)?;
        let document = self.bound.encode();
        let hash = sha256(&[&document]);
        let mut signatures: Vec<(u16, ReleaseSignature)> = Vec::new();
        for key in keys {
            let number = number(key)?;
            if signatures.iter().any(|(signed, _)| *signed == number) {
                return Err(Refusal::refused(format!("--release {}: one key signs only once", key.name)));
            }
            signatures.push((number, key.sign(&hash)));
        }
        let proof = Proof::new(signatures).ok_or_else(|| Refusal::refused("--release: at most 16 keys"))?;
        Ok(SubmitRequest {
            statement: hex(&document),
            proof: hex(&proof.encode()),
            attachments: self.attachments.iter().map(|bytes| hex(bytes)).collect(),
            accept_late: self.accept_late,
        })
    }
}

fn read_attachment(path: &Path) -> Result<Vec<u8>, Refusal> {
    let refuse = |what: String| Refusal::refused(format!("attachments: {}: {what}", path.display()));
    let length = std::fs::metadata(path).map_err(|error| refuse(error.to_string()))?.len();
    if length == 0 || length > BLOB_MAX as u64 {
        return Err(refuse(format!("it has {length} bytes, and 1 to {BLOB_MAX} can be attached")));
    }
    std::fs::read(path).map_err(|error| refuse(error.to_string()))
}

fn broken(field: &str) -> Refusal {
    Refusal::refused(format!(
        "the node answered a context whose {field} cannot be read; is it of this version?"
    ))
}

fn precedence_of(message: &Message) -> Precedence {
    Precedence::from_number(u64::from(message.envelope.precedence.number())).expect("the same four words")
}

/// Format and body as a statement holds them.
fn body_of(message: &Message) -> (Option<FormatRef>, Value) {
    let encoded = message.encode();
    let format = encoded
        .format
        .map(|(number, edition)| FormatRef { number: u32::from(number), edition: u32::from(edition) });
    (format, encoded.body)
}

/// The reference to an entry that the node has found.
///
/// # Errors
/// A [`Refusal`] when the answer cannot be read.
pub fn reference_to(found: &Found) -> Result<Reference, Refusal> {
    let (channel, log) = LogKey::parse(&found.log).ok_or_else(|| broken("log"))?;
    let leaf =
        from_hex(&found.leaf).and_then(|leaf| Hash::from_slice(&leaf)).ok_or_else(|| broken("leaf"))?;
    Ok(Reference { channel, entry: EntryId { log, index: found.index }, leaf })
}
