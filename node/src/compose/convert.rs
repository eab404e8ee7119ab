//! Between a message and the envelope of its statement, both ways.

use detente_encoding::Timestamp;
use detente_formats::{Catalogue, DecodeError, Encoded, Envelope, Language, Message, MessageKind};
use detente_protocol::entry::{Extras, Kind, Reference};
use detente_protocol::names::{Lane, PartyIndex};
use detente_protocol::statement::Statement;

use super::{Lookup, reference_to};
use crate::api::ChannelContext;
use crate::refusal::Refusal;

/// The envelope of a message, addressees as places in the charter.
pub(super) fn extras_of(
    message: &Message,
    context: &ChannelContext,
    lookup: &mut Lookup<'_>,
) -> Result<Extras<Reference>, Refusal> {
    let mut to = Vec::new();
    for code in &message.envelope.to {
        let place = context.parties.iter().position(|party| party.code == *code && !party.own);
        let place = place.and_then(|place| u8::try_from(place).ok()).ok_or_else(|| {
            Refusal::refused(format!("to: {code} is not another party of channel {:?}", context.label))
        })?;
        to.push(PartyIndex(place));
    }
    to.sort_unstable();
    to.dedup();
    // All others is the default, and no default is written.
    if to.len() + 1 == context.parties.len() {
        to.clear();
    }
    let supersedes = match &message.envelope.supersedes {
        Some(citation) => Some(reference_to(&lookup(citation)?)?),
        None => None,
    };
    Ok(Extras {
        subject: message.envelope.subject.clone(),
        to,
        answer_by: message
            .envelope
            .answer_by
            .map(|seconds| Timestamp::from_millis(seconds.saturating_mul(1000))),
        language: message.envelope.language.map(|language| language.code().to_owned()),
        remarks: message.envelope.remarks.clone(),
        confidential: message.envelope.confidential,
        supersedes,
    })
}

/// The message that a statement holds. `codes` are those of the parties in the charter's order,
/// `cite` names the entries it refers to.
///
/// # Errors
/// [`DecodeError`]; an unknown format says nothing against the writer.
pub fn message_of<R>(
    statement: &Statement<R>,
    lane: Lane,
    codes: &[String],
    cite: impl Fn(&R) -> String,
) -> Result<Message, DecodeError> {
    let small = |number: u32| u16::try_from(number).unwrap_or(u16::MAX);
    let extras = &statement.extras;
    let precedence = detente_formats::Precedence::from_number(statement.precedence as u64);
    let code = |to: &PartyIndex| codes.get(usize::from(to.0)).cloned();
    let envelope = Envelope {
        exercise: lane == Lane::Exercise,
        subject: extras.subject.clone(),
        to: extras.to.iter().filter_map(code).collect(),
        refs: statement.references.iter().map(&cite).collect(),
        answer_by: extras.answer_by.map(Timestamp::seconds),
        language: extras.language.as_deref().and_then(Language::from_code),
        remarks: extras.remarks.clone(),
        confidential: extras.confidential,
        supersedes: extras.supersedes.as_ref().map(&cite),
        ..Envelope::new(precedence.expect("the same four words"))
    };
    let format = statement.format.map(|format| (small(format.number), small(format.edition)));
    let kind = match (statement.kind, format) {
        (_, Some(_)) => MessageKind::Notification,
        (Kind::Dialogue, None) => MessageKind::Dialogue,
        (Kind::Declaration, None) => MessageKind::Declaration,
        _ => MessageKind::Note,
    };
    let encoded = Encoded { kind, format, body: statement.body.clone() };
    Message::decode(envelope, &encoded, Catalogue::embedded())
}
