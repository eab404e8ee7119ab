//! Whether a submitted statement may be entered: the party's rule, with keys prepared for speed.
//!
//! Everything that can be refused is refused here, before the core thread sees it: the proof, the
//! people, the time, the format and its fields. What depends on the logs (standing, references) is
//! the channel's to refuse. Source: `spec/release.md`.

use std::collections::{BTreeMap, BTreeSet};

use detente_crypto::assertion::{
    ReleaseKeyKind, ReleasePublic, ReleaseSignature, file_key_message, verify_release,
};
use detente_crypto::{Ed25519Verifier, SUITE_1, sha256};
use detente_encoding::Timestamp;
use detente_formats::{Catalogue, CheckContext, check};
use detente_protocol::channel::Released;
use detente_protocol::entry::Kind;
use detente_protocol::names::ChannelId;
use detente_protocol::release::{Proof, needed, proof_travels};
use detente_protocol::roster::{Roles, Roster};
use detente_protocol::statement::Bound;

use crate::channels::Known;
use crate::compose::{message_of, refuse_faults};
use crate::refusal::Refusal;

/// A statement may have been drafted by a clock this much ahead of the node's.
const CLOCK_AHEAD_MS: i64 = 120_000;

/// The roster in force, its Ed25519 keys prepared.
#[derive(Debug)]
pub struct ReleaseDesk {
    /// The roster.
    pub roster: Roster,
    verifiers: BTreeMap<u16, Ed25519Verifier>,
    /// Whether keys in files may release here.
    pub file_keys: bool,
    /// Officers' identifiers and names by key number, for sentences and views.
    pub officers: BTreeMap<u16, (String, String)>,
}

/// A statement as it is offered.
#[derive(Debug)]
pub struct Offer {
    /// The signed array.
    pub document: Vec<u8>,
    /// The release proof.
    pub proof: Vec<u8>,
    /// Lets a late notification go.
    pub accept_late: bool,
}

/// A statement that satisfies the rule.
#[derive(Debug)]
pub struct Checked {
    /// What the channel enters.
    pub released: Released,
    /// Which channel it is for.
    pub channel: ChannelId,
    /// Keys that signed, in order.
    pub keys: Vec<u16>,
}

impl ReleaseDesk {
    /// Prepares a roster.
    #[must_use]
    pub fn new(roster: Roster, file_keys: bool, officers: BTreeMap<u16, (String, String)>) -> Self {
        let prepare = |key: &detente_protocol::roster::RosterKey| match &key.key.public {
            ReleasePublic::Ed25519(public) => Some((key.key.number, SUITE_1.ed25519_verifier(public).ok()?)),
            ReleasePublic::Es256(_) => None,
        };
        let verifiers = roster.keys.iter().filter_map(prepare).collect();
        Self { roster, verifiers, file_keys, officers }
    }

    /// Checks a statement with its proof against the rule of `known`.
    ///
    /// # Errors
    /// A [`Refusal`] that says what to correct.
    pub fn check(
        &self,
        offer: Offer,
        known: &Known,
        codes: &[String],
        now: Timestamp,
    ) -> Result<Checked, Refusal> {
        let Offer { document, proof, accept_late } = offer;
        let bound = Bound::decode(&document)
            .ok_or_else(|| Refusal::refused("statement: it is not a statement of this version"))?;
        if bound.channel != known.id {
            return Err(Refusal::refused("statement: it was signed for another channel"));
        }
        if bound.party != self.roster.party {
            return Err(Refusal::refused("statement: it was signed for another party"));
        }
        in_time(&bound, now)?;
        let keys = self.judge(&document, &proof, &bound, known)?;
        content(&bound, known, codes, now, accept_late)?;
        let statement = bound.statement;
        let charter = known.edition(statement.edition);
        let travels =
            proof_travels(charter, statement.kind, statement.precedence, bound.lane, statement.format);
        let released = Released { statement, lane: bound.lane, proof, proof_travels: travels };
        Ok(Checked { released, channel: bound.channel, keys })
    }

    fn judge(
        &self,
        document: &[u8],
        proof: &[u8],
        bound: &Bound,
        known: &Known,
    ) -> Result<Vec<u16>, Refusal> {
        let proof = Proof::decode(proof).map_err(|error| Refusal::refused(format!("proof: {error}")))?;
        let hash = sha256(&[document]);
        let message = file_key_message(&hash);
        let statement = &bound.statement;
        let rule = needed(known.edition(statement.edition), statement.kind, statement.format);
        let drafter = self.roster.key(statement.drafter).map(|key| key.person);
        let mut persons = BTreeSet::new();
        for (place, (number, signature)) in proof.signatures().iter().enumerate() {
            let key = self.roster.key(*number).ok_or_else(|| {
                Refusal::refused(format!("proof: key {number} is not in the roster in force"))
            })?;
            if place > 0 && drafter == Some(key.person) {
                return Err(Refusal::refused(format!(
                    "proof: {} drafted this and may only sign first, never second",
                    self.name_of(*number)
                )));
            }
            if key.key.kind == ReleaseKeyKind::File && !self.file_keys {
                return Err(Refusal::refused(format!(
                    "proof: key {number} is a file key, and file_keys in node.toml does not let them release"
                )));
            }
            let holds = match (signature, self.verifiers.get(number), &key.key.kind) {
                (ReleaseSignature::File { signature }, Some(verifier), ReleaseKeyKind::File) => {
                    verifier.verify(&message, signature)
                }
                _ => verify_release(SUITE_1, &key.key, &hash, signature).is_ok(),
            };
            if !holds {
                return Err(Refusal::refused(format!(
                    "proof: the signature of {} does not hold for this statement",
                    self.name_of(*number)
                )));
            }
            let drafted = place == 0 && *number == statement.drafter && key.roles.has(Roles::DRAFT);
            if drafted || key.roles.has(rule.role) {
                persons.insert(key.person);
            }
        }
        if persons.len() < usize::from(rule.persons) {
            let role = if rule.role == Roles::WATCH { "watch" } else { "release" };
            return Err(Refusal::refused(format!(
                "proof: {} of {} persons with the role {role} have signed this {}",
                persons.len(),
                rule.persons,
                statement.kind.word()
            )));
        }
        Ok(proof.signatures().iter().map(|(number, _)| *number).collect())
    }

    fn name_of(&self, number: u16) -> String {
        self.officers
            .get(&number)
            .map_or_else(|| format!("key {number}"), |(id, _)| format!("{id} (key {number})"))
    }
}

fn in_time(bound: &Bound, now: Timestamp) -> Result<(), Refusal> {
    let statement = &bound.statement;
    if now > statement.valid_until() {
        return Err(Refusal::refused(format!(
            "statement: it was drafted at {} and expired at {}; draft and sign it anew",
            statement.drafted,
            statement.valid_until()
        )));
    }
    if statement.drafted.since(now) > CLOCK_AHEAD_MS {
        return Err(Refusal::refused(format!(
            "statement: it was drafted at {}, which lies ahead of this node's clock ({now}); compare the clocks",
            statement.drafted
        )));
    }
    Ok(())
}

fn content(
    bound: &Bound,
    known: &Known,
    codes: &[String],
    now: Timestamp,
    accept_late: bool,
) -> Result<(), Refusal> {
    let statement = &bound.statement;
    let charter = known.edition(statement.edition);
    let format = statement.format.filter(|format| statement.kind.is_message() && !charter.allows(*format));
    if let Some(format) = format {
        let known =
            u16::try_from(format.number).ok().and_then(|number| Catalogue::embedded().by_number(number));
        let code = known.map_or_else(|| format.number.to_string(), |known| known.code.clone());
        return Err(Refusal::refused(format!(
            "notification.format: the charter of {:?} does not have {code}/{}",
            charter.label, format.edition
        )));
    }
    let speaks = statement.kind.is_message() || matches!(statement.kind, Kind::Suspend | Kind::Restore);
    if !speaks || statement.body.is_null() && !statement.kind.is_message() {
        return Ok(());
    }
    let message = message_of(statement, bound.lane, codes, |_| String::new())
        .map_err(|error| Refusal::refused(format!("statement: {error}")))?;
    let mut faults = check(&message, &CheckContext { now, references: &[], accept_late });
    // Citations are labels, which this node has turned into references already; and the lane of a
    // channel act does not follow its precedence.
    let act = statement.kind.is_channel_act();
    faults.retain(|fault| {
        let cited = fault.path.starts_with("refs") || fault.path == "supersedes";
        let label = cited && fault.code == detente_formats::FaultCode::BadReference;
        !(label || act && fault.path == "precedence")
    });
    if faults.iter().any(detente_formats::Fault::refuses) {
        return Err(refuse_faults(&faults));
    }
    Ok(())
}
