//! Two parties: from empty folders to an acknowledged notification, over a restart and a suspension.
#![allow(clippy::unwrap_used)]

mod common;

use common::{CHARTER, Party, acquaint, event_kinds, propose, standing, until};
use detente_node::compose::Draft;
use detente_node::folder::FolderError;
use detente_node::folder::init::{InitOptions, init};
use detente_node::offline::Offline;
use detente_node::refusal::RefusalKind;
use detente_node::{Folder, Refusal};
use detente_protocol::entry::Kind;

const BMLN: &str = r#"{ "precedence": "priority", "notification": { "format": "US-RU.BMLN", "edition": 1,
  "fields": { "launch_date": "2099-03-15", "vehicle": "SLBM", "launch_area": {"ocean": "atlantic", "quadrant": 1},
  "impact_areas": [ {"circle": {"center": [60.5, -17.9], "radius": 40, "unit": "nm"}} ] } } }"#;
const FLASH: &str =
    r#"{ "precedence": "flash", "note": { "lang": "en", "text": "An accident has happened." } }"#;
const NOTE: &str = r#"{ "precedence": "routine", "note": { "lang": "en", "text": "Good morning." } }"#;
const SUSPEND: &str = r#"{ "precedence": "immediate", "notification": { "format": "CHN.SUSP", "edition": 1,
  "fields": { "channel": "Risk reduction", "action": "suspend", "effective": "2099-06-01T00:00:00Z",
  "scope": "data_exchange", "emergency_lane": true, "reason": "It was told to your ambassador." } } }"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_notification_is_released_delivered_opened_and_acknowledged() {
    let (altair, vega) = (Party::new("ALT"), Party::new("VEG"));
    acquaint(&[&altair, &vega]);
    let (a, v) = (altair.start(), vega.start());

    let channel = propose(&altair, &a, CHARTER).await;
    standing(&v, &channel, "proposed").await;
    vega.ratify(&v, &channel).await.unwrap();
    standing(&a, &channel, "open").await;
    standing(&v, &channel, "open").await;

    let sent = altair.send(&a, "Risk reduction", BMLN).await.unwrap();
    assert!(sent.reference.starts_with("ALT/") && !sent.repeated, "{sent:?}");
    let at_vega = until("the notification at Vega", || async { v.find(None, &sent.entry).await.ok() }).await;
    assert_eq!((at_vega.kind.as_str(), &at_vega.reference), ("notification", &sent.reference));
    v.mark_opened(&sent.reference).await.unwrap();
    let answer = vega.act(&v, &channel, Kind::Acknowledgement, &at_vega, &["a"]).await.unwrap();
    let view = until("the acknowledgement at Altair", || async {
        let view = a.message(&sent.entry, None).await.unwrap();
        view.acknowledged_at.is_some().then_some(view)
    })
    .await;
    assert!(view.delivered_at.is_some() && view.parties[0].opened_at.is_some(), "{view:?}");
    assert_eq!(view.parties[0].acknowledgement.as_ref(), Some(&answer.entry));
    let kinds = event_kinds(&a);
    for kind in ["released", "delivered", "opened", "acknowledged"] {
        assert!(kinds.iter().any(|told| told == kind), "{kind} in {kinds:?}");
    }
    let russian = detente_formats::Language::Ru;
    let text = v.message(&sent.entry, Some(russian)).await.unwrap().text.unwrap();
    assert!(text.contains(&sent.reference), "{text}");
    let status = a.status().await.unwrap();
    assert_eq!(status.channels[0].line[0].verdict, "up", "{:?}", status.channels[0].line);
    assert!(status.channels[0].clocks.is_empty());
    a.shutdown().await;
    v.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_restart_nothing_is_lost_and_a_message_sent_meanwhile_arrives() {
    let (altair, vega) = (Party::new("ALT"), Party::new("VEG"));
    acquaint(&[&altair, &vega]);
    let (a, v) = (altair.start_tcp(), vega.start_tcp());
    let channel = propose(&altair, &a, CHARTER).await;
    standing(&v, &channel, "proposed").await;
    vega.ratify(&v, &channel).await.unwrap();
    standing(&a, &channel, "open").await;
    let first = altair.send(&a, &channel, NOTE).await.unwrap();
    let told = until("the first told at Vega", || async {
        let events = v.events_since(0, 1024).unwrap();
        let event = events.iter().filter_map(|line| line.view()).find(|event| event.kind == "received");
        event.inspect(|event| assert_eq!(event.entry.as_ref(), Some(&first.entry))).map(|event| event.cursor)
    })
    .await;
    v.shutdown().await;

    let second = altair.send(&a, &channel, FLASH).await.unwrap();
    a.shutdown().await;
    let (a, v) = (altair.start_tcp(), vega.start_tcp());
    let found = until("the second at Vega", || async { v.find(None, &second.entry).await.ok() }).await;
    assert_eq!(found.lane, "emergency");
    let event = until("an event behind the cursor", || async {
        let events = v.events_since(told, 1024).unwrap();
        events.iter().filter_map(|line| line.view()).find(|event| event.kind == "received")
    })
    .await;
    assert_eq!(event.entry.as_ref(), Some(&second.entry));
    vega.act(&v, &channel, Kind::Acknowledgement, &found, &["a"]).await.unwrap();
    until("the acknowledgement", || async {
        a.message(&second.reference, None).await.unwrap().acknowledged_at
    })
    .await;
    let verdict = until("its release proof at Vega", || async {
        let release = v.message(&second.entry, None).await.unwrap().release;
        (release.verdict == "verified").then_some(release)
    })
    .await;
    assert_eq!(verdict.keys, [1, 2]);
    a.shutdown().await;
    v.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_suspension_stops_routine_and_lets_flash_through() {
    let (altair, vega) = (Party::new("ALT"), Party::new("VEG"));
    acquaint(&[&altair, &vega]);
    let (a, v) = (altair.start(), vega.start());
    let channel = propose(&altair, &a, CHARTER).await;
    standing(&v, &channel, "proposed").await;
    vega.ratify(&v, &channel).await.unwrap();
    standing(&v, &channel, "open").await;
    standing(&a, &channel, "open").await;

    let context = v.context(&channel).await.unwrap();
    let draft = Draft::channel_act(Kind::Suspend, Some(SUSPEND), &context).unwrap();
    v.submit(&channel, draft.sign(&vega.file_keys(&["a", "b"]), &context).unwrap()).await.unwrap();
    standing(&a, &channel, "suspended").await;
    let refusal = altair.send(&a, &channel, NOTE).await.unwrap_err();
    assert!(refusal.reason.contains("suspended"), "{refusal}");
    let flash = altair.send(&a, &channel, FLASH).await.unwrap();
    until("the flash at Vega", || async { v.find(None, &flash.entry).await.ok() }).await;

    let context = v.context(&channel).await.unwrap();
    let restore = SUSPEND.replace("\"suspend\"", "\"restore\"");
    let draft = Draft::channel_act(Kind::Restore, Some(&restore), &context).unwrap();
    v.submit(&channel, draft.sign(&vega.file_keys(&["a", "b"]), &context).unwrap()).await.unwrap();
    standing(&a, &channel, "open").await;
    altair.send(&a, &channel, NOTE).await.unwrap();
    a.shutdown().await;
    v.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_rule_does_not_allow_is_refused_and_named() {
    let (altair, vega) = (Party::new("ALT"), Party::new("VEG"));
    acquaint(&[&altair, &vega]);
    let (a, v) = (altair.start(), vega.start());
    let channel = propose(&altair, &a, CHARTER).await;
    standing(&v, &channel, "proposed").await;
    let early = altair.send(&a, &channel, NOTE).await.unwrap_err();
    assert!(early.reason.contains("edition"), "{early}");
    vega.ratify(&v, &channel).await.unwrap();
    standing(&a, &channel, "open").await;

    let context = a.context(&channel).await.unwrap();
    let draft = |text: &str| {
        let mut none = |citation: &str| Err(Refusal::not_found(citation.to_owned()));
        Draft::message(text, std::path::Path::new("."), &context, &mut none)
    };
    let alone = draft(NOTE).unwrap().sign(&altair.file_keys(&["a"]), &context).unwrap();
    assert!(a.submit(&channel, alone).await.unwrap_err().reason.contains("1 of 2 persons"));
    let twice = draft(NOTE).unwrap().sign(&altair.file_keys(&["a", "a"]), &context).unwrap_err();
    assert!(twice.reason.contains("signs only once"), "{twice}");
    let stranger = draft(NOTE).unwrap().sign(&vega.file_keys(&["a", "b"]), &context).unwrap_err();
    assert!(stranger.reason.contains("not in the party's roster"), "{stranger}");
    let mut expired = draft(NOTE).unwrap();
    expired.bound.statement.drafted = expired.bound.statement.drafted.after(-16 * 60_000);
    let expired = expired.sign(&altair.file_keys(&["a", "b"]), &context).unwrap();
    assert!(a.submit(&channel, expired).await.unwrap_err().reason.contains("expired"));
    // The same keys in another order than the drafter said: the drafter signs second.
    let mut second = draft(NOTE).unwrap().sign(&altair.file_keys(&["a", "b"]), &context).unwrap();
    let bytes = detente_encoding::text::from_hex(&second.proof).unwrap();
    let proof = detente_protocol::release::Proof::decode(&bytes).unwrap();
    let turned = proof.signatures().iter().rev().cloned().collect();
    let turned = detente_protocol::release::Proof::new(turned).unwrap();
    second.proof = detente_encoding::text::hex(&turned.encode());
    assert!(a.submit(&channel, second).await.unwrap_err().reason.contains("never second"));
    let late = BMLN.replace("2099-03-15", "2020-03-15");
    let refusal = altair.send(&a, &channel, &late).await.unwrap_err();
    assert!(refusal.faults.iter().any(|fault| fault.path.ends_with("launch_date")), "{refusal:?}");

    // One statement offered twice is one entry.
    let once = draft(NOTE).unwrap().sign(&altair.file_keys(&["a", "b"]), &context).unwrap();
    let first = a.submit(&channel, once.clone()).await.unwrap();
    let again = a.submit(&channel, once).await.unwrap();
    assert!(again.repeated && again.entry == first.entry && again.reference == first.reference);
    let unknown = a.find(None, "VEG/2027/9999").await.unwrap_err();
    assert_eq!(unknown.kind, RefusalKind::NotFound);
    a.shutdown().await;
    v.shutdown().await;
}

#[test]
fn wrong_words_wrong_folders_and_second_openings_are_refused() {
    let (altair, vega) = (Party::new("ALT"), Party::new("VEG"));
    let (bytes, view) = Offline::open(&vega.dir).unwrap().credential_export().unwrap();
    let offline = Offline::open(&altair.dir).unwrap();
    let (_, own) = offline.credential_export().unwrap();
    assert!(offline.peer_add(&bytes, &own.words).unwrap_err().reason.contains("not the words"));
    let numbers: Vec<String> = view.numbers.iter().map(u16::to_string).collect();
    offline.peer_add(&bytes, &numbers.join(" ")).unwrap();
    assert!(matches!(Offline::open(&altair.dir), Err(error) if error.reason.contains("open in process")));
    assert!(matches!(Folder::open(&altair.keys), Err(FolderError::LocalNotANode(_))));
    let again = InitOptions {
        code: "ALT".to_owned(),
        names: [("en".to_owned(), "Altair".to_owned())].into(),
        listen: None,
        http: None,
        test: false,
    };
    assert!(matches!(init(&altair.dir, again), Err(FolderError::LocalNotEmpty(_))));

    // After the first export a change of officers needs two releases.
    let key_file = altair.key("c");
    let roles = detente_node::officers::parse_roles("watch").unwrap();
    let new = detente_node::officers::NewOfficer { id: "c", name: "C", roles, key_file: &key_file };
    assert!(offline.officer_add(&new, &altair.file_keys(&["a"])).is_err());
    assert!(!key_file.exists());
    offline.officer_add(&new, &altair.file_keys(&["a", "b"])).unwrap();
    assert_eq!(offline.officers().unwrap().len(), 3);
}
