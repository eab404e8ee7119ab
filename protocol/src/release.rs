//! When a statement counts as released: whose signatures it needs, and whether a proof has them.
//!
//! A release is an act of persons. The charter says how many, the roster whose keys they are; the
//! drafter may be one of them, but only the first. This page judges a proof; which key signed what
//! is [`detente_crypto::assertion`]'s to say. Source: `spec/release.md`.

use core::fmt;
use std::collections::BTreeSet;

use detente_crypto::assertion::{ReleaseSignatureError, verify_release};
use detente_crypto::{Hash, Suite};

/// Signatures under one statement in the order of signing, and why bytes are none.
pub use detente_crypto::assertion::{Proof, ProofDecodeError};

use crate::charter::Charter;
use crate::entry::Kind;
use crate::names::{Lane, Precedence};
use crate::roster::{Roles, Roster};
use crate::statement::{FormatRef, Statement};

/// The format that a duty officer may release alone where the charter says so: US-SU.ACC.
pub const DUTY_FORMAT: u32 = 12;

/// Who must sign: how many persons, in which role.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    /// How many distinct persons.
    pub persons: u16,
    /// The role their keys must have.
    pub role: Roles,
}

/// The rule for a statement of this kind and format under `charter`: the edition the statement
/// stands under, or edition 1 while none is in force.
#[must_use]
pub fn needed(charter: &Charter, kind: Kind, format: Option<FormatRef>) -> Rule {
    let duty = kind == Kind::Notification && format.is_some_and(|format| format.number == DUTY_FORMAT);
    match kind {
        Kind::Acknowledgement | Kind::StandBy | Kind::Clarify => Rule { persons: 1, role: Roles::WATCH },
        _ if duty => Rule { persons: u16::from(charter.release_duty), role: Roles::RELEASE },
        _ => Rule { persons: u16::from(charter.release_default), role: Roles::RELEASE },
    }
}

/// Whether a proof must travel for a statement: it is asked for, and without it the statement is
/// not shown as released. Source: `spec/release.md`, section 4.
#[must_use]
pub fn proof_travels(
    charter: &Charter,
    kind: Kind,
    precedence: Precedence,
    lane: Lane,
    format: Option<FormatRef>,
) -> bool {
    let urgent = lane == Lane::Emergency || precedence >= Precedence::Immediate;
    kind.is_channel_act()
        || kind == Kind::Acknowledgement && urgent
        || charter.proofs.precedences.contains(&precedence)
        || format.is_some_and(|format| charter.proofs.formats.contains(&format.number))
}

/// What a proof shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The rule is satisfied, by these keys in the order of signing: people see "keys 3 and 7".
    Satisfied {
        /// Numbers of all keys that signed.
        keys: Vec<u16>,
    },
    /// It is not.
    NotSatisfied(NotSatisfied),
}

/// Why a held proof does not satisfy the rule.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotSatisfied {
    /// No key of the roster has this number.
    PeerUnknownKey(u16),
    /// The signature of this key does not hold.
    PeerSignature(u16, ReleaseSignatureError),
    /// The drafter signed at another place than the first.
    PeerDrafterNotFirst(u16),
    /// Too few persons with the role.
    PeerPersons {
        /// How many counted.
        counted: u16,
        /// How many are needed.
        needed: u16,
    },
}

impl fmt::Display for NotSatisfied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PeerUnknownKey(number) => write!(f, "key {number} is not in the roster"),
            Self::PeerSignature(number, error) => write!(f, "the signature of key {number}: {error}"),
            Self::PeerDrafterNotFirst(number) => {
                write!(f, "the drafter signed with key {number}, but may only sign first")
            }
            Self::PeerPersons { counted, needed } => {
                write!(f, "{counted} of {needed} persons with the role have signed")
            }
        }
    }
}

impl core::error::Error for NotSatisfied {}

/// Whether `proof` releases the statement with this hash under `charter` and the roster in force.
#[must_use]
pub fn satisfies<R>(
    proof: &Proof,
    hash: &Hash,
    statement: &Statement<R>,
    roster: &Roster,
    charter: &Charter,
    suite: &dyn Suite,
) -> Verdict {
    let rule = needed(charter, statement.kind, statement.format);
    match judge(proof, hash, rule, statement.drafter, roster, suite) {
        Ok(keys) => Verdict::Satisfied { keys },
        Err(reason) => Verdict::NotSatisfied(reason),
    }
}

/// Whether `proof` puts a roster change in force: as many persons with the role *release* as the
/// roster before asks for.
///
/// # Errors
/// [`NotSatisfied`] with the first reason.
pub fn roster_change_satisfied(
    proof: &Proof,
    change: &Hash,
    before: &Roster,
    suite: &dyn Suite,
) -> Result<Vec<u16>, NotSatisfied> {
    judge(proof, change, Rule { persons: before.asks, role: Roles::RELEASE }, 0, before, suite)
}

fn judge(
    proof: &Proof,
    hash: &Hash,
    rule: Rule,
    drafter: u16,
    roster: &Roster,
    suite: &dyn Suite,
) -> Result<Vec<u16>, NotSatisfied> {
    let drafter_person = roster.key(drafter).map(|key| key.person);
    let (mut persons, mut in_role) = (BTreeSet::new(), false);
    for (place, (number, signature)) in proof.signatures().iter().enumerate() {
        let key = roster.key(*number).ok_or(NotSatisfied::PeerUnknownKey(*number))?;
        if place > 0 && drafter_person == Some(key.person) {
            return Err(NotSatisfied::PeerDrafterNotFirst(*number));
        }
        verify_release(suite, &key.key, hash, signature)
            .map_err(|error| NotSatisfied::PeerSignature(*number, error))?;
        let drafted = place == 0 && *number == drafter && key.roles.has(Roles::DRAFT);
        in_role |= key.roles.has(rule.role);
        if drafted || key.roles.has(rule.role) {
            persons.insert(key.person);
        }
    }
    // A draft role helps to reach the number, but never releases alone.
    if persons.len() < usize::from(rule.persons) || !in_role {
        let counted = if in_role { persons.len() } else { 0 };
        let counted = u16::try_from(counted).expect("a proof has at most 16 signatures");
        return Err(NotSatisfied::PeerPersons { counted, needed: rule.persons });
    }
    Ok(proof.signatures().iter().map(|(number, _)| *number).collect())
}

#[cfg(test)]
mod tests;
