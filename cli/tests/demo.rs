//! The demonstration tells everything it promises, and ends with 0 only then.

mod common;

use std::collections::BTreeSet;

use common::done;
use serde_json::Value;

/// Lines of a kind.
fn told<'a>(lines: &'a [Value], kind: &str) -> Vec<&'a Value> {
    lines.iter().filter(|line| line["told"] == kind).collect()
}

fn text<'a>(line: &'a Value, key: &str) -> &'a str {
    line[key].as_str().unwrap_or_else(|| panic!("{key} in {line}"))
}

#[test]
fn the_demonstration_shows_all_it_promises() {
    let answer = done(&["demo", "--once", "--json"]);
    let lines: Vec<Value> =
        answer.out.lines().map(|line| serde_json::from_str(line).expect("one object a line")).collect();

    let parties: Vec<&str> = told(&lines, "party").iter().map(|line| text(line, "party")).collect();
    assert_eq!(parties, ["ALT", "VEG", "RIG", "RADAR"]);
    let listen: BTreeSet<String> = told(&lines, "nodes")[0]["listen"]
        .as_object()
        .expect("addresses")
        .values()
        .map(Value::to_string)
        .collect();
    assert_eq!(listen.len(), 4, "each node has an address of its own");

    scenes_have_their_outline(&lines);
    three_languages_and_the_mark(&lines);
    the_station_sees_no_other_channel(&lines);
    clock_sums_and_catching_up(&lines);
    an_altered_byte_is_named(&lines);

    let begin = text(told(&lines, "begin")[0], "folder");
    assert!(!std::path::Path::new(begin).exists(), "--once leaves nothing behind");
    let end = lines.last().expect("an end");
    assert_eq!(end["told"], "end");
    assert!(end["elapsed_ms"].as_u64().expect("a number") < 60_000, "{end}");
}

/// The structure of the transcript, scene by scene: one line each, what was told in which order.
fn scenes_have_their_outline(lines: &[Value]) {
    let mut outline: Vec<String> = Vec::new();
    for line in lines {
        let what = text(line, "told");
        match what {
            "scene" => outline.push(text(line, "scene").to_owned()),
            "journal" => outline.push("proof".to_owned()),
            "journal_line" | "end" => {}
            _ if outline.is_empty() => {}
            _ => {
                let party = line["party"].as_str().map(|party| format!(" {party}")).unwrap_or_default();
                let last = outline.last_mut().expect("not empty");
                last.push_str(&format!(" · {what}{party}"));
            }
        }
    }
    assert_eq!(
        outline,
        [
            "1_sounding_rocket · released VEG · delivered ALT · delivered RIG · read ALT · read RIG · \
             acknowledged ALT · released ALT · delivered RADAR · read RADAR · refers_elsewhere RADAR · \
             receipt ALT · acknowledged RADAR",
            "2_danger_area · released RIG · delivered ALT · delivered VEG · read VEG · acknowledged VEG · \
             acknowledged ALT",
            "3_data_exchange · released ALT · delivered VEG · delivered RIG · read VEG · sum VEG · sum VEG · \
             acknowledged VEG · acknowledged RIG",
            "4_accident · released VEG · delivered ALT · clock ALT · read ALT · acknowledged ALT · clock_met ALT",
            "5_strategic_warning · away RIG · paths_down ALT · released ALT · delivered VEG · \
             not_delivered RIG · read VEG · acknowledged VEG · caught_up RIG · delivered RIG · read RIG · \
             acknowledged RIG",
            "proof · exported · verified · altered · found",
        ]
    );
}

fn three_languages_and_the_mark(lines: &[Value]) {
    let marks = [("en", "*** EXERCISE ***"), ("ru", "*** УЧЕНИЕ ***"), ("zh", "*** 演习 ***")];
    let mut languages = BTreeSet::new();
    for read in told(lines, "read") {
        let language = text(read, "language");
        let (_, mark) = marks.iter().find(|(code, _)| *code == language).expect("one of three");
        let shown: Vec<&str> = text(read, "text").lines().collect();
        assert_eq!((shown.first(), shown.last()), (Some(mark), Some(mark)), "{read}");
        languages.insert(language);
    }
    assert_eq!(languages, BTreeSet::from(["en", "ru", "zh"]));
    for released in told(lines, "released") {
        assert_eq!(released["lane"], "exercise");
        assert_eq!(released["officers"].as_array().map(Vec::len), Some(2), "{released}");
    }
    for delivered in told(lines, "delivered") {
        assert_eq!((text(delivered, "release"), &delivered["file_key"]), ("verified", &Value::Bool(true)));
        assert_eq!(delivered["keys"].as_array().map(Vec::len), Some(2), "{delivered}");
    }
    let hours =
        told(lines, "read").iter().any(|read| text(read, "text").contains("ежедневно с 02:00 до 07:00"));
    assert!(hours, "the hours of each day are read in Russian");
}

fn the_station_sees_no_other_channel(lines: &[Value]) {
    let elsewhere = told(lines, "refers_elsewhere")[0];
    assert_eq!(text(elsewhere, "shown"), "on a channel not held here");
    let receipt = told(lines, "receipt")[0];
    assert_eq!((text(receipt, "party"), text(receipt, "received_by")), ("ALT", "Radar"));
}

fn clock_sums_and_catching_up(lines: &[Value]) {
    let (clock, met) = (told(lines, "clock")[0], told(lines, "clock_met")[0]);
    assert_eq!(clock["due"], met["due"]);
    assert!((0..=120).contains(&met["spare_s"].as_i64().expect("a number")), "{met}");
    let sums: Vec<u64> = told(lines, "sum").iter().filter_map(|sum| sum["sum"].as_u64()).collect();
    assert_eq!(sums, [675, 800]);
    for sum in told(lines, "sum") {
        assert_eq!(sum["sum"], sum["told_sum"]);
    }
    let (missed, caught) = (told(lines, "not_delivered")[0], told(lines, "caught_up")[0]);
    assert_eq!(caught["references"][0], missed["reference"]);
    assert_eq!((text(missed, "party"), text(caught, "party")), ("RIG", "RIG"));
}

fn an_altered_byte_is_named(lines: &[Value]) {
    let verified = told(lines, "verified")[0];
    assert_eq!(verified["verdict"], "valid");
    assert_eq!(verified["parties"].as_array().map(Vec::len), Some(3), "words of all parties agree");
    let (altered, found) = (told(lines, "altered")[0], told(lines, "found")[0]);
    assert_eq!((text(found, "verdict"), text(found, "what")), ("forged", "leaf"));
    assert_eq!(found["reference"], altered["reference"]);
    let entry = told(lines, "released")
        .into_iter()
        .find(|line| line["reference"] == found["reference"] && line["format"] == "NST.SEMI");
    let entry = text(entry.expect("the forged message was sent"), "entry");
    assert!(entry.ends_with(&format!(".{}", found["index"])), "{entry} is {found}");
}
