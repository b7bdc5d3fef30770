//! Days and times of the Gregorian calendar, which is taken to hold at all times.
//! Source of the two conversions: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms".

use std::fmt::Write;

/// A part of a date or a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    Year,
    Quarter,
    Month,
    Week,
    Day,
    Hour,
    Minute,
    Second,
    DayOfWeek,
    DayOfYear,
    Epoch,
}

pub const PARTS: [(&str, Part); 11] = [
    ("year", Part::Year),
    ("quarter", Part::Quarter),
    ("month", Part::Month),
    ("week", Part::Week),
    ("day", Part::Day),
    ("hour", Part::Hour),
    ("minute", Part::Minute),
    ("second", Part::Second),
    ("dow", Part::DayOfWeek),
    ("doy", Part::DayOfYear),
    ("epoch", Part::Epoch),
];

pub const DAY: i64 = 86_400;

/// Days since 1970 of a date.
pub fn days(year: i64, month: u32, day: u32) -> i64 {
    let year = year - i64::from(month <= 2);
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * i64::from((month + 9) % 12) + 2) / 5 + i64::from(day) - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// Year, month and day.
pub fn date(days: i64) -> (i64, u32, u32) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = (of_year - (153 * month + 2) / 5 + 1) as u32;
    let month = if month < 10 { month + 3 } else { month - 9 } as u32;
    (year + era * 400 + i64::from(month <= 2), month, day)
}

/// A moment as it is written: days since 1970, nanoseconds of the day, and seconds east of UTC if it says so.
pub struct Moment {
    pub days: i64,
    pub nanoseconds: i64,
    pub zone: Option<i64>,
}

/// `YYYY-MM-DD`.
pub fn parse_date(text: &str) -> Option<i64> {
    let mut rest = Digits(text.trim().as_bytes());
    let days = rest.date()?;
    rest.0.is_empty().then_some(days)
}

/// `YYYY-MM-DD`, then after a `T` or a space `HH:MM`, `:SS` and a fraction of up to nine digits, then `Z` or `±HH:MM`.
pub fn parse_moment(text: &str) -> Option<Moment> {
    let mut rest = Digits(text.trim().as_bytes());
    let days = rest.date()?;
    if rest.0.is_empty() {
        return Some(Moment { days, nanoseconds: 0, zone: None });
    }
    if !rest.take(b'T') && !rest.take(b't') && !rest.take(b' ') {
        return None;
    }
    let hour = rest.number(2, 0..=23)?;
    rest.take(b':').then_some(())?;
    let minute = rest.number(2, 0..=59)?;
    let second = if rest.take(b':') { rest.number(2, 0..=59)? } else { 0 };
    let fraction = if rest.take(b'.') { rest.fraction()? } else { 0 };
    rest.take(b' ');
    let zone = if rest.0.is_empty() { None } else { Some(offset_of(std::str::from_utf8(rest.0).ok()?)?) };
    Some(Moment { days, nanoseconds: ((hour * 60 + minute) * 60 + second) * 1_000_000_000 + fraction, zone })
}

/// Seconds east of UTC of a zone that needs no history: `UTC`, `Z`, `+02:00`, `-0330`.
pub fn offset_of(zone: &str) -> Option<i64> {
    if ["UTC", "Z", "z", "GMT", "Etc/UTC", "utc"].contains(&zone) {
        return Some(0);
    }
    let sign = match zone.as_bytes().first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let mut rest = Digits(&zone.as_bytes()[1..]);
    let hours = rest.number(2, 0..=23)?;
    let minutes = if rest.0.is_empty() {
        0
    } else {
        rest.take(b':');
        rest.number(2, 0..=59)?
    };
    rest.0.is_empty().then_some(sign * (hours * 3_600 + minutes * 60))
}

/// Writes `YYYY-MM-DD`.
pub fn write_date(out: &mut String, days: i64) {
    let (year, month, day) = date(days);
    let _ = write!(out, "{year:04}-{month:02}-{day:02}");
}

/// Writes ` HH:MM:SS`, with the fraction if there is one.
pub fn write_time(out: &mut String, second: i64, nanoseconds: i64) {
    let _ = write!(out, " {:02}:{:02}:{:02}", second / 3_600, second / 60 % 60, second % 60);
    if nanoseconds != 0 {
        let _ = write!(out, ".{nanoseconds:09}");
        out.truncate(out.trim_end_matches('0').len());
    }
}

/// What is left of a text that consists of numbers.
struct Digits<'a>(&'a [u8]);

// === impl Digits ===

impl Digits<'_> {
    fn take(&mut self, byte: u8) -> bool {
        let found = self.0.first() == Some(&byte);
        self.0 = &self.0[usize::from(found)..];
        found
    }

    fn number(&mut self, digits: usize, range: std::ops::RangeInclusive<i64>) -> Option<i64> {
        let (number, rest) = self.0.split_at_checked(digits)?;
        let mut value = 0;
        for digit in number {
            value = value * 10 + i64::from(digit.is_ascii_digit().then(|| digit - b'0')?);
        }
        self.0 = rest;
        range.contains(&value).then_some(value)
    }

    fn date(&mut self) -> Option<i64> {
        let year = self.number(4, 0..=9999)?;
        self.take(b'-').then_some(())?;
        let month = self.number(2, 1..=12)? as u32;
        self.take(b'-').then_some(())?;
        let day = self.number(2, 1..=31)? as u32;
        let days = days(year, month, day);
        // The 31st of April would come back as the 1st of May.
        (date(days) == (year, month, day)).then_some(days)
    }

    /// Nanoseconds; digits beyond the ninth are cut off.
    fn fraction(&mut self) -> Option<i64> {
        let digits = self.0.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (fraction, rest) = self.0.split_at(digits);
        self.0 = rest;
        let padded = fraction.iter().map(|digit| i64::from(digit - b'0')).chain(std::iter::repeat(0));
        (digits > 0).then(|| padded.take(9).fold(0, |value, digit| value * 10 + digit))
    }
}
