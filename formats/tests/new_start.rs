//! The published aggregate numbers and the breakdown of 1 September 2020 against the format.

mod common;

use detente_encoding::Timestamp;
use detente_formats::{Catalogue, CheckContext, FaultCode, Message, check};
use serde_json::{Value, json};

struct Row {
    as_of: String,
    party: String,
    figures: [String; 3],
}

fn rows() -> Vec<Row> {
    let table = common::text("../facts/new_start.csv");
    let data = table.lines().filter(|line| !line.starts_with('#') && !line.starts_with("as_of"));
    data.map(|line| {
        let cells: Vec<&str> = line.split(',').collect();
        Row {
            as_of: cells[0].to_owned(),
            party: cells[1].to_owned(),
            figures: [cells[2].to_owned(), cells[3].to_owned(), cells[4].to_owned()],
        }
    })
    .collect()
}

fn message(as_of: &str, figures: [Value; 3]) -> Message {
    let [deployed, warheads, launchers] = figures;
    let file = json!({"notification": {"format": "NST.SEMI", "edition": 1, "fields": {
        "as_of": as_of,
        "totals": {"deployed_vehicles": deployed, "warheads": warheads, "launchers": launchers},
    }}});
    Message::from_json(&file.to_string(), Catalogue::embedded()).expect("the row is well formed")
}

fn codes(message: &Message, as_of: &str) -> Vec<FaultCode> {
    let now = Timestamp::parse_date(as_of).expect("a date").after(20 * 86_400_000);
    check(message, &CheckContext::at(now)).into_iter().map(|fault| fault.code).collect()
}

fn figure(text: &str) -> Value {
    text.parse::<u64>().map_or_else(|_| json!(text), |figure| json!(figure))
}

#[test]
fn every_published_row_is_a_message_without_fault() {
    let rows = rows();
    assert_eq!(rows.len(), 50);
    for row in rows {
        let message = message(&row.as_of, row.figures.each_ref().map(|text| figure(text)));
        // Above the later limits until 2017, and none of it a fault: limits apply from 2018-02-05.
        assert_eq!(codes(&message, &row.as_of), [], "{} {}", row.as_of, row.party);
    }
}

#[test]
fn limits_apply_from_their_first_day_and_not_before() {
    let figures = || [json!(701), json!(1551), json!(801)];
    assert_eq!(codes(&message("2017-09-01", figures()), "2017-09-01"), []);
    assert_eq!(codes(&message("2018-02-05", figures()), "2018-02-05"), [FaultCode::Ceiling; 3]);
    assert_eq!(codes(&message("2022-09-01", [json!(700), json!(1550), json!(800)]), "2022-09-01"), []);
}

#[test]
fn not_provided_is_a_value_and_not_zero() {
    let none = || json!("not_provided");
    let given = message("2023-03-01", [none(), none(), none()]);
    assert_eq!(codes(&given, "2023-03-01"), []);
    assert_ne!(given, message("2023-03-01", [json!(0), json!(0), json!(0)]));
    assert_eq!(Message::decode(given.envelope.clone(), &given.encode(), Catalogue::embedded()), Ok(given));
}

#[test]
fn the_breakdown_of_september_2020_adds_up_and_a_single_wrong_count_is_named() {
    let mut file: Value = serde_json::from_str(&common::text("examples/NST.SEMI.json")).expect("JSON");
    let read =
        |file: &Value| Message::from_json(&file.to_string(), Catalogue::embedded()).expect("well formed");
    assert_eq!(codes(&read(&file), "2020-09-01"), []);
    for (index, key) in [(0, "deployed"), (1, "deployed"), (2, "deployed"), (3, "deployed")] {
        let place = &mut file["notification"]["fields"]["per_type"][index][key];
        let true_count = place.as_u64().expect("a count");
        *place = json!(true_count + 1);
        let message = read(&file);
        let faults = check(&message, &CheckContext::at(Timestamp::parse_date("2020-09-20").expect("a date")));
        assert_eq!(faults.len(), 1);
        assert_eq!(faults[0].path, "notification.fields.totals.deployed_vehicles");
        assert_eq!(faults[0].code, FaultCode::Sum);
        file["notification"]["fields"]["per_type"][index][key] = json!(true_count);
    }
}
