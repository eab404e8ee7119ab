//! Every bad example is refused for the reason that its name gives, at the path that is expected.

mod common;

use common::{code_of, faults_of, message_files, text};
use detente_encoding::Timestamp;
use detente_formats::{Catalogue, Fault, Language, Message};

fn faults(name: &str, at: Option<Timestamp>) -> Vec<Fault> {
    match Message::from_json(&text(&format!("examples/bad/{name}.json")), Catalogue::embedded()) {
        Ok(message) => faults_of(&message, code_of(name), at),
        Err(faults) => faults,
    }
}

#[test]
fn each_bad_example_is_found_out_at_its_place() {
    let expected: toml::Table = toml::from_str(&text("examples/bad/expected.toml")).expect("TOML");
    let names = message_files("examples/bad");
    assert_eq!(names.len(), expected.len(), "a bad example without expectation, or the reverse");
    for name in names {
        let entry = &expected[&name];
        let at = entry.get("at").map(|at| Timestamp::parse(at.as_str().expect("text")).expect("a moment"));
        let path = entry["path"].as_str().expect("text");
        let (_, code) = name.split_once("--").expect("CODE--fault");
        let code = code.split('-').next().expect("split gives one");
        let found = faults(&name, at);
        let fault = found.iter().find(|fault| fault.code.name() == code && fault.path == path);
        let fault = fault.unwrap_or_else(|| panic!("{name}: found only {found:?}"));
        assert_eq!(fault.refuses(), entry.get("warning").is_none(), "{name}");
        for language in Language::ALL {
            let sentence = fault.text(language);
            assert!(sentence.starts_with(path) && sentence.len() > path.len() + 10, "{name}: {sentence}");
            assert!(!sentence.contains('{') || sentence.contains("{\""), "{name}: {sentence}");
        }
    }
}

#[test]
fn each_rule_and_limit_of_a_format_has_a_bad_example() {
    let names = message_files("examples/bad");
    for format in Catalogue::embedded().notifications() {
        let count = |codes: &[&str]| {
            let of_format = names.iter().filter(|name| code_of(name) == format.code);
            of_format.filter(|name| codes.iter().any(|code| name.contains(&format!("--{code}")))).count()
        };
        let rules = ["order", "span", "sum", "requires", "constant", "month_day", "ceiling", "not_unique"];
        // The three ceilings of one treaty differ in nothing but their figures.
        let ceilings = if format.code == "NST.SEMI" { 2 } else { 0 };
        assert!(count(&rules) + ceilings >= format.rules.len(), "{}", format.code);
        assert!(count(&["late", "overdue"]) >= format.limits.len(), "{}", format.code);
        assert!(format.references_min == 0 || count(&["reference_missing"]) == 1, "{}", format.code);
    }
}

#[test]
fn all_faults_of_a_message_are_listed_at_once() {
    let file = r#"{ "precedence": "urgent", "answer_by": "2027-03-14T11:00:00", "colour": "red", "to": "VEG",
        "notification": { "format": "HCOC.PLN", "edition": 1, "fields": {
            "class": "balloon", "window_start": "tomorrow", "direction": -3, "launch_area": {"box": []} } } }"#;
    let faults = Message::from_json(file, Catalogue::embedded()).expect_err("many faults");
    let mut paths: Vec<&str> = faults.iter().map(|fault| fault.path.as_str()).collect();
    paths.sort_unstable();
    assert_eq!(
        paths,
        [
            "answer_by",
            "colour",
            "notification.fields.class",
            "notification.fields.direction",
            "notification.fields.launch_area",
            "notification.fields.window_end",
            "notification.fields.window_start",
            "precedence",
            "to",
        ]
    );
}

#[test]
fn a_key_that_stands_twice_is_no_quiet_victory_of_the_last() {
    let file = r#"{"note": {"lang": "en", "text": "yes", "text": "no"}}"#;
    let faults = Message::from_json(file, Catalogue::embedded()).expect_err("twice");
    assert_eq!((faults[0].path.as_str(), faults[0].code.name()), ("note.text", "duplicate_key"));
}

#[test]
fn what_is_no_message_says_so_in_one_sentence() {
    for (file, code) in [
        ("", "syntax"),
        ("{", "syntax"),
        ("[]", "wrong_type"),
        ("{}", "one_content"),
        (r#"{"note": {"lang": "en", "text": "a"}, "dialogue": {}}"#, "one_content"),
        (r#"{"notification": {"format": "NO.SUCH", "fields": {}}}"#, "unknown_format"),
    ] {
        let faults = Message::from_json(file, Catalogue::embedded()).expect_err("refused");
        assert!(faults.iter().any(|fault| fault.code.name() == code), "{file}: {faults:?}");
    }
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    assert!(Message::from_json(&deep, Catalogue::embedded()).is_err());
}

#[test]
fn a_reply_to_something_else_is_refused_and_late_notice_goes_when_somebody_says_so() {
    use detente_formats::{CheckContext, ReferenceFacts, check};
    let reply = common::example("VD.UMA-R");
    let other = [ReferenceFacts { format: Some("SWN".to_owned()), received_at: None }];
    let now = common::context("VD.UMA-R").now;
    let faults = check(&reply, &CheckContext { now, references: &other, accept_late: false });
    assert_eq!(faults[0].code.name(), "reference_format");

    let launch = common::example("US-RU.BMLN");
    let late = Timestamp::parse("2027-03-14T20:00:00Z").expect("a moment");
    assert!(check(&launch, &CheckContext::at(late))[0].refuses());
    let accepted = check(&launch, &CheckContext { accept_late: true, ..CheckContext::at(late) });
    assert_eq!(accepted[0].code.name(), "late");
    assert!(!accepted[0].refuses());
}

#[test]
fn each_limit_is_kept_at_its_deadline_and_broken_a_millisecond_after() {
    let mut tried = 0;
    for name in message_files("examples") {
        let message = common::example(&name);
        let context = common::context(code_of(&name));
        let at =
            |now| detente_formats::CheckContext { now, references: &context.references, accept_late: false };
        let broken = |now| {
            let faults = detente_formats::check(&message, &at(now));
            faults.iter().filter(|fault| matches!(fault.code.name(), "late" | "overdue")).count()
        };
        for notice in detente_formats::notices(&message, &at(context.now)) {
            assert_eq!((broken(notice.deadline), broken(notice.deadline.after(1))), (0, 1), "{name}");
            tried += 1;
        }
    }
    let limits: usize = Catalogue::embedded().all().map(|format| format.limits.len()).sum();
    assert!(tried >= limits, "{tried} of {limits}");
}

#[test]
fn before_release_the_notice_given_and_asked_is_told() {
    let launch = common::example("US-RU.BMLN");
    let now = Timestamp::parse("2027-03-13T18:00:00Z").expect("a moment");
    let notices = detente_formats::notices(&launch, &detente_formats::CheckContext::at(now));
    assert_eq!(notices.len(), 1);
    assert_eq!(notices[0].given_ms, 30 * 3_600_000);
    assert_eq!(notices[0].deadline.to_string(), "2027-03-14T00:00:00Z");
    assert!(notices[0].in_time);
    let told = notices[0].text(Language::En);
    assert_eq!(told, "Gives 30 h of notice; 24 h asked. To be received by 14 March 2027, 00:00 UTC.");
    let reply = common::example("VD.UMA-R");
    let context = common::context("VD.UMA-R");
    let context = detente_formats::CheckContext {
        now: context.now,
        references: &context.references,
        accept_late: false,
    };
    let told = detente_formats::notices(&reply, &context)[0].text(Language::En);
    assert!(told.starts_with("29 h after the event; within 48 h asked."), "{told}");
    assert!(told.ends_with("not yet checked against the agreement.)"), "{told}");
}
