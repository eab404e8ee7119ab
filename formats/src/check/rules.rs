//! Rules over several fields, as the format file states them.

use std::collections::BTreeSet;

use detente_encoding::Timestamp;

use super::limits::moment;
use crate::fault::{Arg, Fault, FaultCode, Faults};
use crate::format::{Field, Kind, Rule};
use crate::message::Filled;
use crate::value::FieldValue;

/// Adds a fault for each rule that does not hold. `base` is the path of the fields in the file.
pub(super) fn check(filled: &Filled, base: &str, faults: &mut Faults) {
    for rule in &filled.format.rules {
        if let Some(fault) = fault_of(rule, filled, base) {
            faults.add(fault);
        }
    }
}

fn fault_of(rule: &Rule, filled: &Filled, base: &str) -> Option<Fault> {
    let at = |path: &str, code| Fault::new(format!("{base}.{path}"), code);
    match rule {
        Rule::Order { first, then, or_equal } => out_of_order(filled, first, then, *or_equal)
            .map(|earlier| at(then, FaultCode::Order).with(Arg::text(first)).with(Arg::Moment(earlier))),
        Rule::Span { first, then, days_min, days_max, .. } => {
            let (from, to) = (first_moment(filled, first)?, first_moment(filled, then)?);
            let days = to.since(from).div_euclid(86_400_000);
            let outside = days < i64::from(*days_min) || days > i64::from(*days_max);
            let fault = at(then, FaultCode::Span).with(Arg::text(first));
            let (min, max) = (Arg::Number(u64::from(*days_min)), Arg::Number(u64::from(*days_max)));
            outside.then(|| fault.with(min).with(max))
        }
        Rule::Sum { of, total } => {
            let (sum, stated) = (sum(filled, of)?, count(filled, total)?);
            let fault = at(total, FaultCode::Sum).with(Arg::Number(stated)).with(Arg::text(of.join(" + ")));
            (sum != stated).then(|| fault.with(Arg::Number(sum)))
        }
        Rule::Requires { when, is, field, among } => {
            let cause = filled.at(when).into_iter().map(|(field, value)| name_of(field, value));
            let cause = cause.into_iter().find(|name| is.is_empty() || is.contains(name))?;
            let found = filled.at(field);
            let fits = |(field, value): &(&Field, &FieldValue)| among.contains(&name_of(field, value));
            let holds = !found.is_empty() && (among.is_empty() || found.iter().all(fits));
            let fault = at(field, FaultCode::Requires).with(Arg::text(when)).with(Arg::text(cause));
            (!holds).then(|| fault.with(Arg::text(among.join(", "))))
        }
        Rule::Constant { field, value } => {
            let other = filled.at(field).into_iter().any(|(_, found)| *found != FieldValue::Bool(*value));
            other.then(|| at(field, FaultCode::Constant).with(Arg::text(value.to_string())))
        }
        Rule::MonthDay { field, days, also } => {
            let found = first_moment(filled, field)?;
            let (_, month, day) = found.date();
            let known = days.contains(&(month, day)) || also.contains(&found);
            let names: Vec<_> = days.iter().map(|(month, day)| format!("{month:02}-{day:02}")).collect();
            (!known).then(|| at(field, FaultCode::MonthDay).with(Arg::text(names.join(", "))))
        }
        Rule::Ceiling { field, max, as_of, since, .. } => {
            let (figure, date) = (count(filled, field)?, first_moment(filled, as_of)?);
            let fault = at(field, FaultCode::Ceiling).with(Arg::Number(figure)).with(Arg::Number(*max));
            (date >= *since && figure > *max).then(|| fault.with(Arg::Moment(*since)).warning())
        }
        Rule::Unique { field } => {
            let mut seen = BTreeSet::new();
            let twice = filled.at(field).into_iter().find(|(_, value)| !seen.insert(*value));
            twice.map(|(known, value)| at(field, FaultCode::NotUnique).with(Arg::text(name_of(known, value))))
        }
    }
}

/// The earlier moment, if a later field lies before it. Fields in one list are compared pairwise.
fn out_of_order(filled: &Filled, first: &str, then: &str, or_equal: bool) -> Option<Timestamp> {
    let moments = |path: &str| {
        let found = filled.at(path).into_iter().map(|(_, value)| moment(value));
        found.collect::<Vec<_>>()
    };
    let pairs = moments(first).into_iter().zip(moments(then));
    pairs.filter_map(|(first, then)| Some((first?, then?))).find_map(|(first, then)| {
        let holds = if or_equal { first <= then } else { first < then };
        (!holds).then_some(first)
    })
}

fn first_moment(filled: &Filled, path: &str) -> Option<Timestamp> {
    filled.at(path).first().and_then(|(_, value)| moment(value))
}

fn count(filled: &Filled, path: &str) -> Option<u64> {
    match filled.at(path).first() {
        Some((_, FieldValue::Uint(count))) => Some(*count),
        _ => None,
    }
}

/// The sum of all parts; `None` if there are none or one is not a figure.
fn sum(filled: &Filled, paths: &[String]) -> Option<u64> {
    let parts: Vec<_> = paths.iter().flat_map(|path| filled.at(path)).collect();
    if parts.is_empty() {
        return None;
    }
    parts.into_iter().try_fold(0_u64, |sum, (_, value)| match value {
        FieldValue::Uint(count) => sum.checked_add(*count),
        _ => None,
    })
}

/// The name by which files and rules know a value.
fn name_of(field: &Field, value: &FieldValue) -> String {
    match (&field.kind, value) {
        (Kind::Choice(choices), FieldValue::Choice(number)) => {
            let choice = choices.iter().find(|choice| choice.number == *number);
            choice.map_or_else(String::new, |choice| choice.name.clone())
        }
        (Kind::OneOf(variants), FieldValue::OneOf(number, _)) => {
            let variant = variants.iter().find(|variant| variant.number == *number);
            variant.map_or_else(String::new, |variant| variant.name.clone())
        }
        (_, FieldValue::Bool(flag)) => flag.to_string(),
        (_, FieldValue::Text(text)) => text.clone(),
        (_, FieldValue::Uint(count)) => count.to_string(),
        _ => String::new(),
    }
}
