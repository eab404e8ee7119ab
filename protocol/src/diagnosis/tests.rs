use super::*;
use crate::names::{Generation, Lane, LogKey, PartyId, Run};

const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

fn ago(seconds: i64) -> Timestamp {
    NOW.after(-seconds * 1000)
}

fn is(good: bool, seconds: i64) -> Known<Since> {
    Known::Is(Since { good, since: ago(seconds) })
}

fn entry() -> EntryId {
    let generation = Generation { number: 1, run: Run([1; 8]) };
    let log = LogKey { party: PartyId([1; 32]), lane: Lane::Ordinary, generation };
    EntryId { log, index: 7 }
}

fn waiting() -> Awaited {
    Awaited {
        entry: entry(),
        written: ago(600),
        delivered: None,
        opened: None,
        acknowledged: None,
        stand_by: None,
        refused: None,
    }
}

/// A line that is up: heartbeat a moment ago, watch attended.
fn up() -> Evidence {
    Evidence {
        path: is(true, 900),
        relay: is(true, 900),
        heartbeat: Some(ago(3)),
        tests_missed: Known::Is(0),
        presence: is(true, 60),
        ..Evidence::default()
    }
}

#[test]
fn each_verdict_is_reached_from_its_evidence_and_shows_the_decisive_piece_first() {
    let delivered = Awaited { delivered: Some(ago(500)), ..waiting() };
    let opened = Awaited { opened: Some(ago(400)), ..delivered };
    let acknowledged = Awaited { acknowledged: Some(ago(300)), ..opened };
    let stand_by = Awaited { stand_by: Some(ago(200)), ..acknowledged };
    let refused = Awaited { refused: Some((ago(100), entry())), ..stand_by };
    let with = |awaited: Awaited| Evidence { awaited: Some(awaited), ..up() };
    let suspension = Suspension { by: PartyIndex(1), since: ago(86_400), entry: entry() };
    let gone = Evidence { heartbeat: Some(ago(61)), ..up() };
    let table = [
        (up(), Verdict::InContact, Shown::Heartbeat(ago(3))),
        (with(delivered), Verdict::DeliveredNotOpened, Shown::Delivered(ago(500))),
        (with(opened), Verdict::OpenedNotAcknowledged, Shown::Opened(ago(400))),
        (with(acknowledged), Verdict::Acknowledged, Shown::Acknowledged(ago(300))),
        (with(stand_by), Verdict::StandBy, Shown::StandBy(ago(200))),
        (with(refused), Verdict::Refused, Shown::Refused(entry(), ago(100))),
        (
            Evidence { presence: is(false, 40), ..with(delivered) },
            Verdict::NodeUpWatchUnattended,
            Shown::WatchUnattended(ago(40)),
        ),
        (
            Evidence { suspended: Some(suspension), ..with(delivered) },
            Verdict::Suspended,
            Shown::Suspended(PartyIndex(1), ago(86_400), entry()),
        ),
        (
            Evidence { silent_until: Some(NOW.after(1)), ..with(delivered) },
            Verdict::SilentByAgreement,
            Shown::SilentUntil(NOW.after(1)),
        ),
        (
            Evidence { path: is(false, 70), relay: is(false, 65), ..gone },
            Verdict::PathDown,
            Shown::PathDown(ago(70)),
        ),
        (
            Evidence { path: is(false, 70), relay: Known::Unknown, ..gone },
            Verdict::PathDown,
            Shown::PathDown(ago(70)),
        ),
        (Evidence { path: is(false, 70), ..gone }, Verdict::RelayUpNodeSilent, Shown::RelayUp(ago(900))),
        (
            Evidence { tests_missed: Known::Is(2), path: is(false, 70), ..up() },
            Verdict::RelayUpNodeSilent,
            Shown::RelayUp(ago(900)),
        ),
    ];
    for (evidence, verdict, first) in table {
        let diagnosis = diagnose(&evidence, NOW);
        assert_eq!((diagnosis.verdict, diagnosis.evidence[0]), (verdict, first), "{evidence:?}");
    }
}

#[test]
fn where_evidence_is_missing_nothing_is_guessed() {
    let delivered = Awaited { delivered: Some(ago(500)), ..waiting() };
    for (evidence, missing) in [
        (Evidence::default(), Shown::NoHeartbeat),
        (Evidence { presence: Known::Unknown, awaited: Some(delivered), ..up() }, Shown::WatchUnknown),
        (Evidence { awaited: Some(waiting()), ..up() }, Shown::Written(entry(), ago(600))),
        (Evidence { heartbeat: Some(ago(61)), relay: Known::Unknown, ..up() }, Shown::Heartbeat(ago(61))),
        (Evidence { path: is(false, 5), ..Evidence::default() }, Shown::NoHeartbeat),
    ] {
        let diagnosis = diagnose(&evidence, NOW);
        assert_eq!(diagnosis.verdict, Verdict::CannotBeToldApart, "{evidence:?}");
        assert_eq!(diagnosis.evidence[0], missing);
    }
}

#[test]
fn an_agreed_silence_that_is_over_explains_nothing() {
    let evidence = Evidence { silent_until: Some(ago(1)), ..up() };
    assert_eq!(diagnose(&evidence, NOW).verdict, Verdict::InContact);
}

#[test]
fn a_heartbeat_counts_for_a_minute_and_no_longer() {
    let at = |seconds| diagnose(&Evidence { heartbeat: Some(ago(seconds)), ..up() }, NOW).verdict;
    assert_eq!((at(60), at(61)), (Verdict::InContact, Verdict::RelayUpNodeSilent));
}
