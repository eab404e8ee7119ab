//! What the node's handle takes and answers, as JSON: the same types serve HTTP, commands and tests.
//!
//! Moments are RFC 3339 in UTC; identities are base32, hashes and keys hexadecimal, in lower case.
//! An *entry* is named in full: `CHANNEL/ALT/emergency/<number>-<16 hex>.<index>`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A key of this party's roster, as the one who signs must know it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RosterKeyView {
    /// Its number.
    pub number: u16,
    /// The person's number: keys of one person never count as two.
    pub person: u16,
    /// The officer's identifier, such as `petrov`.
    pub officer: String,
    /// The officer's name.
    pub name: String,
    /// Roles, as words.
    pub roles: Vec<String>,
    /// `file` or `passkey`.
    pub kind: String,
    /// Public key.
    pub public: String,
}

/// A party of a channel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartyView {
    /// Identity: base32 of the hash of its root keys.
    pub id: String,
    /// Its code, a label.
    pub code: String,
    /// Its names by language.
    pub names: BTreeMap<String, String>,
    /// Its language on the channel.
    pub language: String,
    /// Whether it is this node's party.
    pub own: bool,
}

/// Everything a drafter needs to compose and sign a statement away from the node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChannelContext {
    /// The channel's identity, base32.
    pub channel: String,
    /// Its label.
    pub label: String,
    /// This party's identity.
    pub party: String,
    /// The charter edition in force; 0 while none is.
    pub edition: u32,
    /// Hash of the newest charter held; of edition 1 that is the channel.
    pub charter: String,
    /// The parties in the charter's order.
    pub parties: Vec<PartyView>,
    /// Formats agreed as `CODE/edition`; `null` for all.
    pub formats: Option<Vec<String>>,
    /// Persons that must release by default.
    pub release_default: u8,
    /// Keys of this party.
    pub keys: Vec<RosterKeyView>,
    /// Whether keys in files may release here.
    pub file_keys: bool,
    /// The node's clock.
    pub now: String,
}

/// One channel in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChannelView {
    /// Identity, base32.
    pub channel: String,
    /// Label.
    pub label: String,
    /// Level.
    pub level: String,
    /// Codes of the parties (or the beginning of their identities, where the credential is missing).
    pub parties: Vec<String>,
    /// `proposed`, `open`, `suspended` or `closed`.
    pub standing: String,
    /// Codes of those that have ratified, while it is proposed.
    pub ratified: Vec<String>,
    /// Who suspended or closed it.
    pub by: Vec<String>,
    /// What keeps it from being opened here, such as a credential that is missing.
    pub problem: Option<String>,
}

/// An entry of the record, found by a citation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found {
    /// Full name.
    pub entry: String,
    /// `ALT/2027/0212`; `-` for machine entries.
    pub reference: String,
    /// Name of its log, as references bear it.
    pub log: String,
    /// Position in the log.
    pub index: u64,
    /// Its leaf hash.
    pub leaf: String,
    /// What it does, such as `notification`.
    pub kind: String,
    /// Its lane.
    pub lane: String,
    /// Its precedence, for spoken entries.
    pub precedence: Option<String>,
    /// Code of its format.
    pub format: Option<String>,
    /// When it was written.
    pub written_at: String,
}

/// A statement with the signatures that release it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubmitRequest {
    /// The signed array (`spec/entry.md`, section 2), hexadecimal.
    pub statement: String,
    /// The release proof, hexadecimal.
    pub proof: String,
    /// Bytes of attachments, hexadecimal, in the statement's order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attachments: Vec<String>,
    /// Lets a notification go that is later than the agreement asks.
    #[serde(default)]
    pub accept_late: bool,
}

/// Where a statement stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Submitted {
    /// Full name of the entry.
    pub entry: String,
    /// `ALT/2027/0212`.
    pub reference: String,
    /// It had been entered before; nothing new was written.
    pub repeated: bool,
}

/// What one party has done with a message.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartyState {
    /// Code.
    pub party: String,
    /// When its node held it, by its receipt.
    pub delivered_at: Option<String>,
    /// When a person there opened it.
    pub opened_at: Option<String>,
    /// When a person there took it over.
    pub acknowledged_at: Option<String>,
    /// The acknowledgement.
    pub acknowledgement: Option<String>,
    /// By when it must be acknowledged.
    pub deadline: Option<String>,
    /// Whether that moment has passed without it.
    pub overdue: bool,
}

/// Another entry that refers to this one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnswerView {
    /// Full name.
    pub entry: String,
    /// Its number.
    pub reference: String,
    /// What it does, such as `accept`.
    pub kind: String,
    /// Code of the party.
    pub party: String,
    /// When it was written.
    pub at: String,
}

/// Whether a message is shown to be released.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReleaseView {
    /// `verified`, `not_yet_shown`, `not_released`, `not_asked_for` or `own`.
    pub verdict: String,
    /// Numbers of the keys that signed.
    pub keys: Vec<u16>,
    /// Whether one of them is a file key.
    pub file_key: bool,
    /// Why not, in one sentence.
    pub reason: Option<String>,
}

/// A message with what became of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageView {
    /// What and where it is.
    #[serde(flatten)]
    pub found: Found,
    /// Identity of the channel.
    pub channel: String,
    /// Code of the party that wrote it.
    pub from: String,
    /// Codes of the addressees.
    pub to: Vec<String>,
    /// `valid`, `void:<clause>`, `not-yet-understood` or `waiting`.
    pub judged: String,
    /// Moment of delivery to the last addressee.
    pub delivered_at: Option<String>,
    /// Moment of the last addressee's acknowledgement.
    pub acknowledged_at: Option<String>,
    /// Each addressee's state.
    pub parties: Vec<PartyState>,
    /// Answers, withdrawals and corrections.
    pub answers: Vec<AnswerView>,
    /// The release.
    pub release: ReleaseView,
    /// The message file, where it is a message that this node understands.
    pub message: Option<Value>,
    /// The text in the language asked for.
    pub text: Option<String>,
    /// Attachments: hash and whether it is held.
    pub attachments: Vec<(String, bool)>,
}

/// Something that happened, for streams that can be resumed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventView {
    /// Rises; a stream goes on behind it. After a crash an event may be told again, never left out.
    pub cursor: u64,
    /// `released`, `delivered`, `received`, `opened`, `acknowledged`, `answered`, `refused`, `overdue`,
    /// `release_proof`, `line`, `standing`, `equivocation`, `presence`, `alarm` or `proposed`.
    pub kind: String,
    /// Identity of the channel.
    pub channel: String,
    /// Full name of the entry it is about: the message, also for what happened to it.
    pub entry: Option<String>,
    /// When: by the writer's or cosigner's clock where one is known, else this node's.
    pub at: String,
    /// Code of the party that did it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// The message's number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// What the entry is, such as `notification`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub what: Option<String>,
    /// Its precedence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub precedence: Option<String>,
    /// Leaf hash of the entry, as an answer cites it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub leaf: Option<String>,
    /// The answer, for `acknowledged`, `answered` and `opened`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answer: Option<String>,
    /// A sentence, for what has no entry.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// One path to a party.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PathView {
    /// `quic` or `tcp`.
    pub kind: String,
    /// Whether it is up.
    pub up: bool,
    /// For how many seconds.
    pub since_s: u64,
    /// How many seconds ago the last byte came; `null` for never.
    pub heard_s: Option<u64>,
    /// Why it is down.
    pub why: Option<String>,
}

/// How the line to one party is, with what shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineView {
    /// Code of the party.
    pub party: String,
    /// `up`, `degraded`, `path_down`, `node_silent`, `not_yet_heard` or `unreachable`.
    pub verdict: String,
    /// One sentence.
    pub evidence: String,
    /// The paths.
    pub paths: Vec<PathView>,
    /// How many seconds ago something authentic last came; `null` for never in this run.
    pub heard_s: Option<u64>,
    /// Until when a person has confirmed that the watch is attended there.
    pub watch_until: Option<String>,
    /// Tests of ours that wait for an answer.
    pub tests_unanswered: u32,
    /// When a test was last answered.
    pub test_answered_at: Option<String>,
}

/// Something that must be done by a moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockView {
    /// The message.
    pub entry: String,
    /// Its number.
    pub reference: String,
    /// Who must act.
    pub party: String,
    /// `acknowledge` or `answer`.
    pub what: String,
    /// By when.
    pub due: String,
    /// Whether it has passed.
    pub overdue: bool,
}

/// One channel's state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChannelStatus {
    /// What it is and how it stands.
    #[serde(flatten)]
    pub channel: ChannelView,
    /// The line to each other party.
    pub line: Vec<LineView>,
    /// When each party last spoke, by code.
    pub contact: BTreeMap<String, Option<String>>,
    /// What is due, soonest first; at most 256.
    pub clocks: Vec<ClockView>,
    /// Things dropped or refused since the start, by reason.
    pub counters: BTreeMap<String, u64>,
}

/// The node's state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// Code of this party.
    pub party: String,
    /// Its identity.
    pub id: String,
    /// The node's clock.
    pub now: String,
    /// Seconds since it started.
    pub running_s: u64,
    /// Address of its links.
    pub listen: String,
    /// Bytes the disk has free, bytes of them kept for receipts, bytes of the record.
    pub disk: DiskView,
    /// Batches made durable, and syncs for them.
    pub commits: u64,
    /// Syncs.
    pub syncs: u64,
    /// Bytes of frames handed to paths since the start.
    #[serde(default)]
    pub sent_bytes: u64,
    /// Entries handled since the start.
    pub entries: u64,
    /// Alarms that stand.
    pub alarms: Vec<String>,
    /// Each channel.
    pub channels: Vec<ChannelStatus>,
}

/// How full the disk is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DiskView {
    /// Bytes free.
    pub free_bytes: u64,
    /// Bytes of them kept for receipts and alarms.
    pub reserve_bytes: u64,
    /// Bytes of the record.
    pub used_bytes: u64,
    /// Whether new messages are accepted.
    pub accepts: bool,
}

/// A line of the joint journal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JournalLine {
    /// What and where it is.
    #[serde(flatten)]
    pub found: Found,
    /// Code of the party that wrote it.
    pub from: String,
    /// `valid`, `void:<clause>`, `not-yet-understood` or `waiting`.
    pub judged: String,
}

/// An officer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OfficerView {
    /// Identifier.
    pub id: String,
    /// Name.
    pub name: String,
    /// Roles as words.
    pub roles: Vec<String>,
    /// Number of the key in the roster.
    pub key: u16,
    /// `file` or `passkey`.
    pub kind: String,
}

/// Another party whose credential is held.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PeerView {
    /// Identity.
    pub id: String,
    /// Code.
    pub code: String,
    /// Names by language.
    pub names: BTreeMap<String, String>,
    /// The eight words that were compared.
    pub words: String,
    /// Edition held.
    pub edition: u32,
    /// Where its node is reached.
    pub endpoints: Vec<String>,
}

/// What `credential export` answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CredentialView {
    /// Identity of the party.
    pub id: String,
    /// Code.
    pub code: String,
    /// Edition.
    pub edition: u32,
    /// Eight words to be compared face to face.
    pub words: String,
    /// The same as numbers.
    pub numbers: Vec<u16>,
}
