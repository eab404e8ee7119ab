//! Why is it silent? From evidence to one verdict, never a guess.
//!
//! The complaint heard most about real hotlines is silence that cannot be read. This page looks at
//! what a node has measured and what the record says, and answers with the verdict that explains
//! the silence and the evidence for it; where evidence is missing, it says which. It is the node's
//! own measurement: two nodes may rightly differ.

use detente_encoding::Timestamp;

use crate::names::{EntryId, PartyIndex};

/// A fact that may be unknown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Known<T> {
    /// It was not measured.
    #[default]
    Unknown,
    /// It was.
    Is(T),
}

/// Since when something is as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Since {
    /// Whether it is up, answered, attended.
    pub good: bool,
    /// Since when.
    pub since: Timestamp,
}

/// What became of the oldest message that waits for this party.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Awaited {
    /// The message.
    pub entry: EntryId,
    /// When it was written.
    pub written: Timestamp,
    /// When the party came to hold it.
    pub delivered: Option<Timestamp>,
    /// When a person there opened it.
    pub opened: Option<Timestamp>,
    /// When its office took it over.
    pub acknowledged: Option<Timestamp>,
    /// When it answered to stand by.
    pub stand_by: Option<Timestamp>,
    /// When it declined, and with which entry.
    pub refused: Option<(Timestamp, EntryId)>,
}

/// A suspension in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Suspension {
    /// By whom.
    pub by: PartyIndex,
    /// Since when.
    pub since: Timestamp,
    /// The entry that states ground and scope.
    pub entry: EntryId,
}

/// All that is known about one party of a channel at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Evidence {
    /// Whether any direct path to the party's node is up.
    pub path: Known<Since>,
    /// Whether a relay between the two answers; [`Known::Unknown`] also where there is none.
    pub relay: Known<Since>,
    /// The last heartbeat of the party's node, by any path.
    pub heartbeat: Option<Timestamp>,
    /// Tests sent in a row that were not answered; unknown while none was sent.
    pub tests_missed: Known<u32>,
    /// Whether the party's watch has declared itself attended, and until or since when.
    pub presence: Known<Since>,
    /// The oldest message that waits for the party.
    pub awaited: Option<Awaited>,
    /// The suspension in force, if any.
    pub suspended: Option<Suspension>,
    /// The parties have agreed to be silent: until when.
    pub silent_until: Option<Timestamp>,
}

/// Without a heartbeat for so long a path is degraded.
pub const DEGRADED_MS: i64 = 30_000;
/// Without one on any path for so long the line is unreachable.
pub const UNREACHABLE_MS: i64 = 60_000;
/// So many tests in a row without answer make it unreachable too.
pub const TESTS_MISSED: u32 = 2;

/// Why a channel is silent towards a party.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing is waited for and the line is up.
    InContact,
    /// The parties agreed on it.
    SilentByAgreement,
    /// A party suspended the channel.
    Suspended,
    /// No path reaches the other node, nor its relay.
    PathDown,
    /// The relay answers; the node behind it does not.
    RelayUpNodeSilent,
    /// The node answers; nobody is at the watch.
    NodeUpWatchUnattended,
    /// The node holds the message; no person has opened it.
    DeliveredNotOpened,
    /// A person has opened it; the office has not taken it over.
    OpenedNotAcknowledged,
    /// The office has taken it over; an answer has not come.
    Acknowledged,
    /// The office answered that an answer will come.
    StandBy,
    /// The office declined, in its own words.
    Refused,
    /// The evidence does not decide.
    CannotBeToldApart,
}

impl Verdict {
    /// The words people read.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::InContact => "in contact",
            Self::SilentByAgreement => "channel silent by agreement",
            Self::Suspended => "suspended",
            Self::PathDown => "path down",
            Self::RelayUpNodeSilent => "relay up, node silent",
            Self::NodeUpWatchUnattended => "node up, watch unattended",
            Self::DeliveredNotOpened => "delivered, not opened",
            Self::OpenedNotAcknowledged => "opened, not acknowledged",
            Self::Acknowledged => "acknowledged, not answered",
            Self::StandBy => "stand by",
            Self::Refused => "refused",
            Self::CannotBeToldApart => "cannot be told apart",
        }
    }
}

/// One piece of evidence, as shown beside a verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    /// A path is up since then.
    PathUp(Timestamp),
    /// All paths are down since then.
    PathDown(Timestamp),
    /// It is not known whether a path is up.
    PathUnknown,
    /// The relay answers since then.
    RelayUp(Timestamp),
    /// The relay does not answer since then.
    RelayDown(Timestamp),
    /// There is no relay, or it was not asked.
    RelayUnknown,
    /// The last heartbeat came then.
    Heartbeat(Timestamp),
    /// No heartbeat ever came.
    NoHeartbeat,
    /// So many tests in a row were not answered.
    TestsMissed(u32),
    /// The watch is attended since then.
    WatchAttended(Timestamp),
    /// The watch is not attended since then.
    WatchUnattended(Timestamp),
    /// The party has not said whether its watch is attended.
    WatchUnknown,
    /// The message waits since then.
    Written(EntryId, Timestamp),
    /// It is held there since then.
    Delivered(Timestamp),
    /// A person opened it then.
    Opened(Timestamp),
    /// The office took it over then.
    Acknowledged(Timestamp),
    /// The office answered to stand by then.
    StandBy(Timestamp),
    /// The office declined then; the entry has its words and, where given, the earliest next time.
    Refused(EntryId, Timestamp),
    /// By whom, since when; the entry states ground and scope.
    Suspended(PartyIndex, Timestamp, EntryId),
    /// Until then the parties agreed to be silent.
    SilentUntil(Timestamp),
}

/// A verdict and what it rests on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnosis {
    /// Why it is silent.
    pub verdict: Verdict,
    /// The evidence, the decisive piece first.
    pub evidence: Vec<Shown>,
}

/// Whether the other node is known to be alive at `now`.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Node {
    Alive,
    Gone,
    Unknown,
}

fn node(evidence: &Evidence, now: Timestamp) -> Node {
    let missed = matches!(evidence.tests_missed, Known::Is(missed) if missed >= TESTS_MISSED);
    match evidence.heartbeat {
        _ if missed => Node::Gone,
        Some(at) if now.since(at) <= UNREACHABLE_MS => Node::Alive,
        Some(_) => Node::Gone,
        None => Node::Unknown,
    }
}

/// Reads the evidence. What people declared outweighs what was measured; what the record proves
/// (they opened it, they declined) outweighs what the line suggests.
#[must_use]
pub fn diagnose(evidence: &Evidence, now: Timestamp) -> Diagnosis {
    let (verdict, first) = decide(evidence, now);
    let mut shown: Vec<Shown> = first.into_iter().collect();
    for piece in all(evidence) {
        if !shown.contains(&piece) {
            shown.push(piece);
        }
    }
    Diagnosis { verdict, evidence: shown }
}

fn decide(evidence: &Evidence, now: Timestamp) -> (Verdict, Option<Shown>) {
    if let Some(until) = evidence.silent_until.filter(|until| *until >= now) {
        return (Verdict::SilentByAgreement, Some(Shown::SilentUntil(until)));
    }
    if let Some(by) = evidence.suspended {
        return (Verdict::Suspended, Some(Shown::Suspended(by.by, by.since, by.entry)));
    }
    if let Some(decided) = evidence.awaited.and_then(by_record) {
        return decided;
    }
    match node(evidence, now) {
        Node::Alive => alive(evidence),
        Node::Gone => gone(evidence),
        Node::Unknown => match (evidence.path, evidence.relay) {
            (Known::Is(path), Known::Is(relay)) if !path.good && !relay.good => {
                (Verdict::PathDown, Some(Shown::PathDown(path.since)))
            }
            _ => (Verdict::CannotBeToldApart, Some(Shown::NoHeartbeat)),
        },
    }
}

/// What the record alone proves about people there.
fn by_record(awaited: Awaited) -> Option<(Verdict, Option<Shown>)> {
    let (verdict, shown) = if let Some((at, entry)) = awaited.refused {
        (Verdict::Refused, Shown::Refused(entry, at))
    } else if let Some(at) = awaited.stand_by {
        (Verdict::StandBy, Shown::StandBy(at))
    } else if let Some(at) = awaited.acknowledged {
        (Verdict::Acknowledged, Shown::Acknowledged(at))
    } else {
        (Verdict::OpenedNotAcknowledged, Shown::Opened(awaited.opened?))
    };
    Some((verdict, Some(shown)))
}

fn alive(evidence: &Evidence) -> (Verdict, Option<Shown>) {
    match (evidence.presence, evidence.awaited) {
        (Known::Is(watch), _) if !watch.good => {
            (Verdict::NodeUpWatchUnattended, Some(Shown::WatchUnattended(watch.since)))
        }
        (Known::Is(_), Some(Awaited { delivered: Some(at), .. })) => {
            (Verdict::DeliveredNotOpened, Some(Shown::Delivered(at)))
        }
        // Delivered and not opened, and it is not known whether anybody is there to open it.
        (Known::Unknown, Some(Awaited { delivered: Some(_), .. })) => {
            (Verdict::CannotBeToldApart, Some(Shown::WatchUnknown))
        }
        // Alive and yet not delivered: it is on its way, or held up where nothing is measured.
        (_, Some(waiting)) => {
            (Verdict::CannotBeToldApart, Some(Shown::Written(waiting.entry, waiting.written)))
        }
        (_, None) => (Verdict::InContact, evidence.heartbeat.map(Shown::Heartbeat)),
    }
}

fn gone(evidence: &Evidence) -> (Verdict, Option<Shown>) {
    match (evidence.path, evidence.relay) {
        (Known::Is(path), Known::Is(relay)) if !path.good && !relay.good => {
            (Verdict::PathDown, Some(Shown::PathDown(path.since)))
        }
        (_, Known::Is(relay)) if relay.good => {
            (Verdict::RelayUpNodeSilent, Some(Shown::RelayUp(relay.since)))
        }
        // A path that is down and no relay to ask: the node behind it may be well.
        (Known::Is(path), Known::Unknown) if !path.good => {
            (Verdict::PathDown, Some(Shown::PathDown(path.since)))
        }
        _ => (Verdict::CannotBeToldApart, evidence.heartbeat.map(Shown::Heartbeat)),
    }
}

/// Every piece of evidence, missing ones by name.
fn all(evidence: &Evidence) -> Vec<Shown> {
    let mut shown = Vec::new();
    let pick =
        |known: Known<Since>, good: fn(Timestamp) -> Shown, bad: fn(Timestamp) -> Shown, missing| match known
        {
            Known::Unknown => missing,
            Known::Is(state) if state.good => good(state.since),
            Known::Is(state) => bad(state.since),
        };
    shown.push(pick(evidence.path, Shown::PathUp, Shown::PathDown, Shown::PathUnknown));
    shown.push(pick(evidence.relay, Shown::RelayUp, Shown::RelayDown, Shown::RelayUnknown));
    shown.push(evidence.heartbeat.map_or(Shown::NoHeartbeat, Shown::Heartbeat));
    if let Known::Is(missed) = evidence.tests_missed {
        shown.push(Shown::TestsMissed(missed));
    }
    shown.push(pick(evidence.presence, Shown::WatchAttended, Shown::WatchUnattended, Shown::WatchUnknown));
    if let Some(awaited) = evidence.awaited {
        shown.push(Shown::Written(awaited.entry, awaited.written));
        shown.extend(awaited.delivered.map(Shown::Delivered));
        shown.extend(awaited.opened.map(Shown::Opened));
        shown.extend(awaited.acknowledged.map(Shown::Acknowledged));
        shown.extend(awaited.stand_by.map(Shown::StandBy));
        shown.extend(awaited.refused.map(|(at, entry)| Shown::Refused(entry, at)));
    }
    shown.extend(evidence.suspended.map(|by| Shown::Suspended(by.by, by.since, by.entry)));
    shown.extend(evidence.silent_until.map(Shown::SilentUntil));
    shown
}

#[cfg(test)]
mod tests;
