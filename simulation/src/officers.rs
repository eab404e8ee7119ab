//! People: they draft, release and acknowledge, and do not always look at the screen.

use detente_encoding::cbor::Value;
use detente_protocol::entry::{Extras, Kind, Reference};
use detente_protocol::names::{Lane, Precedence};
use detente_protocol::statement::Statement;

use crate::Random;
use crate::party::Party;

/// What an officer decided to send.
pub(crate) struct Decision {
    pub(crate) statement: Statement,
    pub(crate) lane: Lane,
}

/// A note in some lane, drafted now.
pub(crate) fn note(party: &Party, true_ms: u64, random: &mut Random, long: bool) -> Decision {
    let (lane, precedence) = match random.below(10) {
        0 => (Lane::Emergency, Precedence::Flash),
        1 => (Lane::Emergency, Precedence::Immediate),
        2 | 3 => (Lane::Exercise, Precedence::ALL[usize::try_from(random.below(4)).expect("below 4")]),
        4 => (Lane::Ordinary, Precedence::Priority),
        _ => (Lane::Ordinary, Precedence::Routine),
    };
    let most = if long { 100 } else { 8 };
    let text =
        "All quiet at the northern range. ".repeat(usize::try_from(random.between(1, most)).expect("small"));
    let body = Value::Array(vec![Value::text("en"), Value::text(&text)]);
    Decision { statement: statement(party, true_ms, random, Kind::Note, precedence, body, Vec::new()), lane }
}

pub(crate) fn statement(
    party: &Party,
    true_ms: u64,
    random: &mut Random,
    kind: Kind,
    precedence: Precedence,
    body: Value,
    references: Vec<Reference>,
) -> Statement {
    Statement {
        kind,
        edition: u32::from(kind != Kind::Ratify),
        drafted: party.now(true_ms).wall,
        valid_minutes: 15,
        nonce: random.bytes(),
        precedence,
        format: None,
        references,
        body,
        extras: Extras::default(),
        attachments: Vec::new(),
        drafter: 1,
    }
}
