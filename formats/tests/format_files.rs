//! Format files: complete in six languages, strict, and every refusal names file and key.

mod common;

use detente_formats::format::{Field, Kind, ReleaseBy};
use detente_formats::{Catalogue, Format, Language};

fn labels(fields: &[Field], each: &mut dyn FnMut(&str, &detente_formats::Phrase)) {
    for field in fields {
        each(&field.path, &field.label);
        if !field.hint.is_empty() {
            each(&field.path, &field.hint);
        }
        if let Some((word, phrase)) = &field.word {
            each(&format!("{}={word}", field.path), phrase);
        }
        values(&field.path, &field.kind, each);
        labels(field.kind.children(), each);
    }
}

fn values(path: &str, kind: &Kind, each: &mut dyn FnMut(&str, &detente_formats::Phrase)) {
    match kind {
        Kind::Choice(choices) => {
            for choice in choices {
                each(&format!("{path}={}", choice.name), &choice.label);
            }
        }
        Kind::List { item, .. } => values(path, &item.kind, each),
        _ => {}
    }
}

/// Whether a wording is in the script of its language; figures and names alone are in any.
fn fits(text: &str, language: Language) -> bool {
    let has = |low: char, high: char| text.chars().any(|c| (low..=high).contains(&c));
    match language {
        Language::Zh => has('\u{4E00}', '\u{9FFF}'),
        Language::Ru => has('\u{0410}', '\u{044F}'),
        Language::Ar => has('\u{0621}', '\u{064A}'),
        Language::En | Language::Fr | Language::Es => {
            !has('\u{0400}', '\u{04FF}') && !has('\u{0600}', '\u{06FF}')
        }
    }
}

#[test]
fn every_label_and_value_exists_in_every_language_in_its_script() {
    let mut count = 0;
    for format in Catalogue::embedded().all() {
        let mut each = |path: &str, phrase: &detente_formats::Phrase| {
            for language in Language::ALL {
                let text = phrase.get(language);
                assert!(!text.trim().is_empty(), "{} {path} {language:?}", format.code);
                assert!(fits(text, language), "{} {path} {language:?}: {text}", format.code);
                count += 1;
            }
        };
        each("title", &format.title);
        each("regime", &format.regime);
        each("article", &format.article);
        labels(&format.fields, &mut each);
    }
    assert!(count > 1000, "{count}");
}

#[test]
fn what_was_not_read_at_the_source_says_so() {
    let unchecked = |code: &str| !Catalogue::embedded().format(code).expect(code).source_checked;
    for code in ["HCOC.PLN", "US-SU.UFO", "VD.UMA", "VD.UMA-R", "SWN", "DLG.REQ", "CHN.SUSP"] {
        assert!(unchecked(code), "{code}");
    }
    let launch = Catalogue::embedded().format("US-RU.BMLN").expect("there");
    assert!(launch.limits[0].source_checked);
    assert!(!launch.validity.as_ref().expect("four days").source_checked);
    assert!(!Catalogue::embedded().format("VD.UMA-R").expect("there").limits[0].source_checked);
}

#[test]
fn only_the_accident_notice_may_go_by_the_rule_for_incident_templates() {
    // `spec/release.md` names it by number, so that a release is judged without any format file.
    let of_duty_officer = |format: &&std::sync::Arc<Format>| format.release == ReleaseBy::DutyOfficer;
    let numbers: Vec<u16> = Catalogue::embedded().all().filter(of_duty_officer).map(|f| f.number).collect();
    assert_eq!(numbers, [12]);
}

#[test]
fn a_format_is_found_as_charters_name_it() {
    let catalogue = Catalogue::embedded();
    let found = catalogue.by_name("US-RU.BMLN/1").expect("there");
    assert_eq!((found.number, found.name()), (1, "US-RU.BMLN/1".to_owned()));
    assert!(catalogue.by_name("US-RU.BMLN/2").is_none());
    assert!(catalogue.by_name("US-RU.BMLN").is_some_and(|format| format.edition == 1));
    assert!(catalogue.by_name("US-RU.BMLN/one").is_none());
}

fn refused(change: impl Fn(&str) -> String) -> (String, String) {
    let good = common::text("data/DCL.TEST.toml");
    let changed = change(&good);
    assert_ne!(good, changed, "the change must hit");
    let error = Format::parse("DCL.TEST.toml", &changed).expect_err("refused");
    assert_eq!(error.file, "DCL.TEST.toml");
    assert!(error.to_string().starts_with("DCL.TEST.toml: "), "{error}");
    (error.key, error.problem)
}

#[test]
fn a_wrong_format_file_is_refused_with_its_key() {
    let key = |change: &dyn Fn(&str) -> String| refused(change).0;
    let replace = |from: &'static str, to: &'static str| move |text: &str| text.replacen(from, to, 1);
    assert_eq!(key(&replace("number = 70", "number = 70\ncolour = \"red\"")), "colour");
    assert_eq!(key(&replace("release = \"rule\"\n", "")), "release");
    assert_eq!(key(&replace("name = \"text\"", "name = \"Text\"")), "field[2].name");
    assert_eq!(key(&replace("number = 3\n", "number = 5\n")), "field[3].number");
    assert_eq!(key(&replace("type = \"language\"", "type = \"tongue\"")), "field[1].type");
    assert_eq!(key(&replace("max = 60", "max = 60\nshape = 1")), "field[3].shape");
    assert_eq!(key(&replace("\"language\" = \"Langue du texte\"\n", "")), "text.fr.\"language\"");
    assert_eq!(
        key(&replace("\"text\" = \"Texto\"\n", "\"text\" = \"Texto\"\n\"extra\" = \"x\"\n")),
        "text.es.\"extra\""
    );
    assert_eq!(key(&replace("default = \"routine\"", "default = \"urgent\"")), "precedence.default");
    assert_eq!(key(&replace("source_checked = true", "source_checked = 1")), "source_checked");
    let limit = "[[limit]]\nfrom = \"nowhere\"\nreceived = \"before\"\namount = 1\nunit = \"days\"\nsource_checked = true\n\n[text.en]";
    assert_eq!(key(&replace("[text.en]", limit)), "limit[1].from");
    let reference = "[[limit]]\nfrom = \"@reference\"\nreceived = \"after\"\namount = 1\nunit = \"days\"\nsource_checked = true\n\n[text.en]";
    assert_eq!(key(&replace("[text.en]", reference)), "limit[1].from");
    let rule = "[[rule]]\nkind = \"sum\"\nof = [\"text\"]\ntotal = \"text\"\n\n[text.en]";
    assert_eq!(key(&replace("[text.en]", rule)), "rule[1]");
    assert_eq!(key(&replace("code = ", "code == ")), "");
}

#[test]
fn a_number_or_code_is_taken_once() {
    let text = common::text("data/DCL.TEST.toml");
    let other = text.replacen("DCL.TEST", "DCL.ECHO", 1);
    let error =
        Catalogue::from_files([("a.toml", text.as_str()), ("b.toml", other.as_str())]).expect_err("taken");
    assert_eq!((error.file.as_str(), error.key.as_str()), ("b.toml", "number"));
    let error =
        Catalogue::from_files([("a.toml", text.as_str()), ("b.toml", text.as_str())]).expect_err("twice");
    assert_eq!(error.key, "edition");
    let newer = text.replacen("edition = 1", "edition = 2", 1);
    let both =
        Catalogue::from_files([("a.toml", newer.as_str()), ("b.toml", text.as_str())]).expect("two editions");
    assert_eq!(both.format("DCL.TEST").map(|format| format.edition), Some(2));
    assert_eq!(both.by_number(70).map(|format| format.edition), Some(2));
    assert!(both.edition(70, 1).is_some());
}

#[test]
#[allow(clippy::disallowed_types, reason = "a measurement needs a clock")]
fn all_formats_load_within_50_ms_each_time() {
    let files: Vec<(String, String)> = Catalogue::embedded()
        .all()
        .map(|format| (format!("{}.toml", format.code), common::text(&format!("data/{}.toml", format.code))))
        .collect();
    let best = (0..5)
        .map(|_| {
            let start = std::time::Instant::now();
            let pairs = files.iter().map(|(name, text)| (name.as_str(), text.as_str()));
            Catalogue::from_files(pairs).expect("they load");
            start.elapsed()
        })
        .min();
    assert!(best.expect("five runs").as_millis() < 50, "{best:?}");
}
