//! Reading limits and rules of a format file, and making sure that they speak of fields that exist.

use detente_encoding::Timestamp;

use super::section::{Fault, Section};
use super::{Format, Kind, Limit, LimitFrom, LimitUnit, Rule, Side, Validity};

pub(super) fn limits(root: &mut Section) -> Result<Vec<Limit>, Fault> {
    root.sections("limit")?.into_iter().map(limit).collect()
}

fn limit(mut section: Section) -> Result<Limit, Fault> {
    let from = match section.text("from")?.as_str() {
        "@reference" => LimitFrom::ReferenceReceived,
        path => LimitFrom::Field(path.to_owned()),
    };
    let side = match section.text("received")?.as_str() {
        "before" => Side::Before,
        "after" => Side::After,
        _ => return Err(section.fault("received", "must be before or after")),
    };
    let unit = match section.text("unit")?.as_str() {
        "hours" => LimitUnit::Hours,
        "days" => LimitUnit::Days,
        "working_days" => LimitUnit::WorkingDays,
        _ => return Err(section.fault("unit", "must be hours, days or working_days")),
    };
    let amount = section.uint("amount")?;
    if amount > 3660 {
        return Err(section.fault("amount", "must be at most 3660"));
    }
    let advisory = section.flag("advisory")?;
    let source_checked = section.checked()?;
    section.finish()?;
    Ok(Limit { from, side, amount, unit, advisory, source_checked })
}

pub(super) fn validity(root: &mut Section) -> Result<Option<Validity>, Fault> {
    let Some(mut section) = root.section_if_given("validity")? else { return Ok(None) };
    let validity = Validity {
        from: section.text("from")?,
        days: section.uint("days")?,
        source_checked: section.checked()?,
    };
    section.finish()?;
    Ok(Some(validity))
}

pub(super) fn rules(root: &mut Section) -> Result<Vec<Rule>, Fault> {
    root.sections("rule")?.into_iter().map(rule).collect()
}

fn rule(mut section: Section) -> Result<Rule, Fault> {
    let rule = match section.text("kind")?.as_str() {
        "order" => Rule::Order {
            first: section.text("first")?,
            then: section.text("then")?,
            or_equal: section.flag("or_equal")?,
        },
        "span" => Rule::Span {
            first: section.text("first")?,
            then: section.text("then")?,
            days_min: section.uint("days_min")?,
            days_max: section.uint("days_max")?,
            source_checked: section.checked()?,
        },
        "sum" => Rule::Sum { of: section.texts("of")?, total: section.text("total")? },
        "requires" => Rule::Requires {
            when: section.text("when")?,
            is: section.texts("is")?,
            field: section.text("field")?,
            among: section.texts("among")?,
        },
        "constant" => Rule::Constant {
            field: section.text("field")?,
            value: section.flag_if_given("value")?.ok_or_else(|| section.fault("value", "is missing"))?,
        },
        "month_day" => month_day(&mut section)?,
        "ceiling" => Rule::Ceiling {
            field: section.text("field")?,
            max: section.uint("max")?,
            as_of: section.text("as_of")?,
            since: date(&mut section, "since")?,
            source_checked: section.checked()?,
        },
        "unique" => Rule::Unique { field: section.text("field")? },
        _ => return Err(section.fault("kind", "is not a known rule; see `Rule` in `format/mod.rs`")),
    };
    section.finish()?;
    Ok(rule)
}

fn month_day(section: &mut Section) -> Result<Rule, Fault> {
    let problem = "must be written as month and day, such as \"03-01\"";
    let mut days = Vec::new();
    for text in section.texts("days")? {
        // 2000 is a leap year, so that 02-29 may stand in the list.
        let day =
            Timestamp::parse_date(&format!("2000-{text}")).map_err(|_| section.fault("days", problem))?;
        let (_, month, day) = day.date();
        days.push((month, day));
    }
    let mut also = Vec::new();
    for text in section.texts("also")? {
        also.push(Timestamp::parse_date(&text).map_err(|_| section.fault("also", "must be dates"))?);
    }
    Ok(Rule::MonthDay { field: section.text("field")?, days, also })
}

fn date(section: &mut Section, name: &str) -> Result<Timestamp, Fault> {
    let text = section.text(name)?;
    Timestamp::parse_date(&text).map_err(|_| section.fault(name, "must be a date such as \"2018-02-05\""))
}

/// Every limit, validity and rule speaks of a field that exists and has a fitting type.
pub(super) fn verify(format: &Format) -> Result<(), Fault> {
    for (index, limit) in format.limits.iter().enumerate() {
        let key = format!("limit[{}].from", index + 1);
        match &limit.from {
            LimitFrom::Field(path) => expect(format, &key, path, is_moment)?,
            LimitFrom::ReferenceReceived if format.references_min == 0 => {
                let problem = "counts from a reference, but references.min is 0; ask for one".to_owned();
                return Err(Fault { key, problem });
            }
            LimitFrom::ReferenceReceived => {}
        }
    }
    if let Some(validity) = &format.validity {
        expect(format, "validity.from", &validity.from, is_moment)?;
    }
    for (index, rule) in format.rules.iter().enumerate() {
        let key = format!("rule[{}]", index + 1);
        match rule {
            Rule::Order { first, then, .. } | Rule::Span { first, then, .. } => {
                expect(format, &key, first, is_moment)?;
                expect(format, &key, then, is_moment)?;
            }
            Rule::Sum { of, total } => {
                if of.is_empty() {
                    return Err(Fault { key, problem: "needs the paths of its parts in `of`".into() });
                }
                for part in of {
                    expect(format, &key, part, is_count)?;
                }
                expect(format, &key, total, is_count)?;
            }
            Rule::Ceiling { field, as_of, .. } => {
                expect(format, &key, field, is_count)?;
                expect(format, &key, as_of, is_moment)?;
            }
            Rule::Requires { when, is, field, among } => {
                named(format, &key, when, is)?;
                named(format, &key, field, among)?;
            }
            Rule::Constant { field, .. } => expect(format, &key, field, |kind| matches!(kind, Kind::Bool))?,
            Rule::MonthDay { field, .. } => expect(format, &key, field, is_moment)?,
            Rule::Unique { field } => expect(format, &key, field, |_| true)?,
        }
    }
    Ok(())
}

fn is_moment(kind: &Kind) -> bool {
    matches!(kind, Kind::Date | Kind::DateTime)
}

fn is_count(kind: &Kind) -> bool {
    matches!(kind, Kind::Uint { .. })
}

fn expect(format: &Format, key: &str, path: &str, fits: fn(&Kind) -> bool) -> Result<(), Fault> {
    let problem = match format.field(path) {
        None => format!("names `{path}`, which is no field of this format"),
        Some(field) if !fits(&field.kind) => format!("names `{path}`, whose type does not fit this rule"),
        Some(_) => return Ok(()),
    };
    Err(Fault { key: key.to_owned(), problem })
}

/// The names are values or variants of the field.
fn named(format: &Format, key: &str, path: &str, names: &[String]) -> Result<(), Fault> {
    expect(format, key, path, |_| true)?;
    let kind = &format.field(path).expect("just found").kind;
    let known = |name: &String| match kind {
        Kind::Choice(choices) => choices.iter().any(|choice| choice.name == *name),
        Kind::OneOf(variants) => variants.iter().any(|variant| variant.name == *name),
        Kind::Bool => name == "true" || name == "false",
        _ => false,
    };
    match names.iter().find(|name| !known(name)) {
        None => Ok(()),
        Some(name) => {
            let problem = format!("names `{name}`, which is no value of `{path}`");
            Err(Fault { key: key.to_owned(), problem })
        }
    }
}
