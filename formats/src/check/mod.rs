//! Whether a message makes sense: rules over several fields, references, limits of time.
//!
//! Asked before release, when mending is cheap, and again on receipt, when the date of receipt is
//! known. Every fault is listed at once. Some stop a release; others are only raised, because a
//! late report or a figure above a limit must still be told ([`Severity`](crate::Severity)).

mod limits;
mod rules;

pub use limits::{Notice, deadline, notices, valid_until};

use detente_encoding::Timestamp;

use crate::fault::{Arg, Fault, FaultCode, Faults};
use crate::message::Message;

/// What a check must know beside the message.
#[derive(Clone, Copy, Debug)]
pub struct CheckContext<'a> {
    /// The moment of receipt; before release the present, for it cannot be received earlier.
    pub now: Timestamp,
    /// What is known of the messages referred to, in the order of `refs`. Shorter when not all
    /// are held; what is not known is not judged.
    pub references: &'a [ReferenceFacts],
    /// Lets a notification go that is later than the agreement asks, as a warning: late notice is
    /// better than none, but somebody must say so.
    pub accept_late: bool,
}

impl CheckContext<'_> {
    /// A context that knows only the time.
    #[must_use]
    pub const fn at(now: Timestamp) -> Self {
        Self { now, references: &[], accept_late: false }
    }
}

/// What is known of a message referred to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReferenceFacts {
    /// Code of its format; `None` for a note.
    pub format: Option<String>,
    /// When the party that now writes received it.
    pub received_at: Option<Timestamp>,
}

/// Every fault of a message, in the order of the file.
#[must_use]
pub fn check(message: &Message, context: &CheckContext<'_>) -> Vec<Fault> {
    let mut faults = Faults::default();
    message.own_faults(&mut faults);
    if message.envelope.answer_by.is_some_and(|seconds| seconds <= context.now.seconds()) {
        faults.add(Fault::new("answer_by", FaultCode::AnswerPast).with(Arg::Moment(context.now)));
    }
    if let Some(filled) = message.filled() {
        envelope(message, context, &mut faults);
        rules::check(filled, message.fields_path(), &mut faults);
        limits::check(message, filled, context, &mut faults);
    }
    faults.into_vec()
}

/// What the format asks of the envelope.
fn envelope(message: &Message, context: &CheckContext<'_>, faults: &mut Faults) {
    let Some(filled) = message.filled() else { return };
    let format = &filled.format;
    if !format.precedence_allowed.contains(&message.envelope.precedence) {
        let names: Vec<_> = format.precedence_allowed.iter().map(|allowed| allowed.name()).collect();
        let fault = Fault::new("precedence", FaultCode::PrecedenceNotAllowed).with(Arg::text(&format.code));
        faults.add(fault.with(Arg::text(names.join(", "))));
    }
    if message.envelope.refs.len() < format.references_min {
        let fault = Fault::new("refs", FaultCode::ReferenceMissing).with(Arg::text(&format.code));
        faults.add(fault.with(Arg::Number(format.references_min as u64)));
    }
    let wanted = &format.references_formats;
    if let (Some(first), false) = (context.references.first(), wanted.is_empty())
        && !first.format.as_ref().is_some_and(|code| wanted.contains(code))
    {
        let fault = Fault::new("refs[1]", FaultCode::ReferenceFormat).with(Arg::text(&format.code));
        faults.add(fault.with(Arg::text(wanted.join(", "))));
    }
}
