//! Dates, times and numbers as each language writes them.
//!
//! Always Western digits and UTC, so that what is read aloud on one side is found on the other.
//! Our own tables instead of a library of locales: six languages, one calendar, one zone
//! (`docs/decisions/rendering-from-own-tables.md`).

use detente_encoding::{Timestamp, text};

use crate::language::Language;
use crate::words::words;

/// Names of the months in the case that a date needs.
const MONTHS: [[&str; 12]; 6] = [
    [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ],
    ["1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12"],
    [
        "января",
        "февраля",
        "марта",
        "апреля",
        "мая",
        "июня",
        "июля",
        "августа",
        "сентября",
        "октября",
        "ноября",
        "декабря",
    ],
    [
        "janvier",
        "février",
        "mars",
        "avril",
        "mai",
        "juin",
        "juillet",
        "août",
        "septembre",
        "octobre",
        "novembre",
        "décembre",
    ],
    [
        "كانون الثاني/يناير",
        "شباط/فبراير",
        "آذار/مارس",
        "نيسان/أبريل",
        "أيار/مايو",
        "حزيران/يونيه",
        "تموز/يوليه",
        "آب/أغسطس",
        "أيلول/سبتمبر",
        "تشرين الأول/أكتوبر",
        "تشرين الثاني/نوفمبر",
        "كانون الأول/ديسمبر",
    ],
    [
        "enero",
        "febrero",
        "marzo",
        "abril",
        "mayo",
        "junio",
        "julio",
        "agosto",
        "septiembre",
        "octubre",
        "noviembre",
        "diciembre",
    ],
];

/// A day: `15 March 2027`.
pub(crate) fn date(days: i64, language: Language) -> String {
    let (year, month, day) = Timestamp::from_millis(days.saturating_mul(86_400_000)).date();
    let month = MONTHS[language.index()][month as usize - 1];
    match language {
        Language::En | Language::Ar => format!("{day} {month} {year}"),
        Language::Zh => format!("{year}年{month}月{day}日"),
        Language::Ru => format!("{day} {month} {year} года"),
        Language::Fr if day == 1 => format!("1er {month} {year}"),
        Language::Fr => format!("{day} {month} {year}"),
        Language::Es => format!("{day} de {month} de {year}"),
    }
}

/// A moment to the minute, or to the second when it has some: `15 March 2027, 11:00 UTC`.
pub(crate) fn moment(moment: Timestamp, language: Language) -> String {
    let (hour, minute, second, _) = moment.time_of_day();
    let date = date(moment.days(), language);
    let mut time = format!("{hour:02}:{minute:02}");
    if second != 0 {
        time.push_str(&format!(":{second:02}"));
    }
    words(language).fill("value.moment", &[date, time])
}

pub(crate) fn moment_seconds(seconds: i64, language: Language) -> String {
    moment(Timestamp::from_millis(seconds.saturating_mul(1000)), language)
}

/// `02:00`.
pub(crate) fn time(minutes: u16) -> String {
    format!("{:02}:{:02}", minutes / 60, minutes % 60)
}

/// A count; from five digits on in groups of three, with the mark of the language.
pub(crate) fn count(count: u64, language: Language) -> String {
    let digits = count.to_string();
    if digits.len() < 5 {
        return digits;
    }
    // A narrow no-break space would be lost in a telex; a plain no-break space is the UN's usage.
    let mark = match language {
        Language::En | Language::Zh | Language::Ar => ",",
        Language::Ru | Language::Fr | Language::Es => "\u{A0}",
    };
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push_str(mark);
        }
        text.push(digit);
    }
    text
}

/// A number times ten to `scale`, without zeros at its end.
pub(crate) fn decimal(number: i64, scale: u8, language: Language) -> String {
    let sign = if number < 0 { "-" } else { "" };
    let power = 10_u64.pow(u32::from(scale));
    let (whole, part) = (number.unsigned_abs() / power, number.unsigned_abs() % power);
    let part = format!("{part:0width$}", width = usize::from(scale));
    let part = part.trim_end_matches('0');
    let mark = match language {
        Language::En | Language::Zh | Language::Ar => ".",
        Language::Ru | Language::Fr | Language::Es => ",",
    };
    if part.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}{mark}{part}") }
}

/// A length of time: in whole days from four days on, else in hours, with minutes under two hours.
pub(crate) fn duration(millis: i64, language: Language) -> String {
    let minutes = millis.abs() / 60_000;
    let (key, amount) = match minutes {
        0..120 => ("value.minutes", minutes),
        120..5760 => ("value.hours", minutes / 60),
        _ => ("value.days", minutes / 1440),
    };
    let sign = if millis < 0 { "-" } else { "" };
    words(language).fill(key, &[format!("{sign}{amount}")])
}

/// Bytes in groups of four hexadecimal digits, as they are read aloud.
pub(crate) fn hex_groups(bytes: &[u8]) -> String {
    let digits = text::hex(bytes);
    let groups: Vec<&str> =
        (0..digits.len()).step_by(4).map(|at| &digits[at..(at + 4).min(digits.len())]).collect();
    groups.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_language_writes_the_first_of_a_month_its_own_way() {
        let day = Timestamp::parse_date("2027-03-01").expect("a date").days();
        let written: Vec<String> = Language::ALL.into_iter().map(|language| date(day, language)).collect();
        assert_eq!(
            written,
            [
                "1 March 2027",
                "2027年3月1日",
                "1 марта 2027 года",
                "1er mars 2027",
                "1 آذار/مارس 2027",
                "1 de marzo de 2027"
            ]
        );
    }

    #[test]
    fn numbers_keep_every_digit_and_drop_idle_zeros() {
        assert_eq!(decimal(-179_000, 4, Language::En), "-17.9");
        assert_eq!(decimal(605_000, 4, Language::Ru), "60,5");
        assert_eq!(decimal(400, 1, Language::Fr), "40");
        assert_eq!(decimal(5, 4, Language::En), "0.0005");
        assert_eq!(count(1550, Language::En), "1550");
        assert_eq!(count(12_241, Language::En), "12,241");
        assert_eq!(count(1_000_000, Language::Fr), "1\u{A0}000\u{A0}000");
        assert_eq!(hex_groups(&[0xab, 0xcd, 0xef]), "abcd ef");
    }
}
