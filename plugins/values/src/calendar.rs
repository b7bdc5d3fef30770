//! Dates and times in the proleptic Gregorian calendar, UTC.
//!
//! The conversions between days and civil dates are Howard Hinnant's
//! (<https://howardhinnant.github.io/date_algorithms.html>, `days_from_civil` and `civil_from_days`).

/// Microseconds in a second.
pub const SECOND: i64 = 1_000_000;
/// Microseconds in a day.
pub const DAY: i64 = 86_400 * SECOND;

/// Days since 1970-01-01.
pub fn days(year: i64, month: u32, day: u32) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let month = i64::from(month);
    let of_year = (153 * (if month > 2 { month - 3 } else { month + 9 }) + 2) / 5 + i64::from(day) - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// Year, month and day.
pub fn date(days: i64) -> (i64, u32, u32) {
    // Beyond this no date has a year that fits; nothing real is there.
    let shifted = days.clamp(-1 << 60, 1 << 60) + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = (of_year - (153 * month + 2) / 5 + 1) as u32;
    let month = if month < 10 { month + 3 } else { month - 9 } as u32;
    (year + era * 400 + i64::from(month <= 2), month, day)
}

/// Days in a month.
pub fn length_of_month(year: i64, month: u32) -> u32 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// `YYYY-MM-DD`.
pub fn parse_date(text: &str) -> Option<i64> {
    let mut rest = Rest(text.trim().as_bytes());
    let date = rest.date()?;
    rest.0.is_empty().then_some(date)
}

/// `YYYY-MM-DD`, then maybe `T` or a blank and `HH:MM[:SS[.fraction]]`, then maybe `Z` or an offset such as `+02:00`.
/// Without an offset it is taken as UTC. Microseconds; what is finer is cut off.
pub fn parse_time(text: &str) -> Option<i64> {
    let mut rest = Rest(text.trim().as_bytes());
    let mut time = rest.date()?.checked_mul(DAY)?;
    if rest.take(b"Tt ") {
        time = time.checked_add(rest.clock()?)?;
        time = time.checked_sub(rest.offset()?)?;
    }
    rest.0.is_empty().then_some(time)
}

/// What is left to read.
struct Rest<'a>(&'a [u8]);

// === impl Rest ===

impl Rest<'_> {
    fn date(&mut self) -> Option<i64> {
        let year = self.digits(4)?;
        self.need(b'-')?;
        let month = self.digits(2)?;
        self.need(b'-')?;
        let day = self.digits(2)?;
        let valid = (1..=12).contains(&month) && day >= 1 && day <= length_of_month(year.into(), month);
        valid.then(|| days(year.into(), month, day))
    }

    fn clock(&mut self) -> Option<i64> {
        let hour = self.digits(2)?;
        self.need(b':')?;
        let minute = self.digits(2)?;
        let second = if self.take(b":") { self.digits(2)? } else { 0 };
        if hour > 23 || minute > 59 || second > 59 {
            return None;
        }
        let mut micros = 0;
        if self.take(b".,") {
            let digits = self.0.iter().take_while(|byte| byte.is_ascii_digit()).count();
            if digits == 0 {
                return None;
            }
            for place in 0..6 {
                micros = micros * 10 + if place < digits { i64::from(self.0[place] - b'0') } else { 0 };
            }
            self.0 = &self.0[digits..];
        }
        Some(i64::from(hour * 3600 + minute * 60 + second) * SECOND + micros)
    }

    fn offset(&mut self) -> Option<i64> {
        self.take(b" ");
        if self.take(b"Zz") || self.0.is_empty() {
            return Some(0);
        }
        let sign = if self.take(b"+") { 1 } else { self.need(b'-').map(|()| -1)? };
        let hours = self.digits(2)?;
        self.take(b":");
        let minutes = if self.0.is_empty() { 0 } else { self.digits(2)? };
        (hours <= 23 && minutes <= 59).then(|| sign * i64::from(hours * 3600 + minutes * 60) * SECOND)
    }

    fn digits(&mut self, count: usize) -> Option<u32> {
        let (digits, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        digits.iter().try_fold(0, |number, byte| byte.is_ascii_digit().then(|| number * 10 + u32::from(byte - b'0')))
    }

    fn need(&mut self, byte: u8) -> Option<()> {
        self.take(&[byte]).then_some(())
    }

    fn take(&mut self, any: &[u8]) -> bool {
        let found = self.0.first().is_some_and(|byte| any.contains(byte));
        self.0 = &self.0[usize::from(found)..];
        found
    }
}

/// `YYYY-MM-DD`.
pub fn show_date(days: i64) -> String {
    let (year, month, day) = date(days);
    format!("{year:04}-{month:02}-{day:02}")
}

/// `YYYY-MM-DDTHH:MM:SS[.ffffff]`, with a `Z` if the column has a zone.
pub fn show_time(micros: i64, zoned: bool) -> String {
    let (seconds, fraction) = (micros.rem_euclid(DAY) / SECOND, micros.rem_euclid(SECOND));
    let mut text = format!("{}T{:02}:{:02}:{:02}", show_date(micros.div_euclid(DAY)), seconds / 3600, seconds / 60 % 60, seconds % 60);
    if fraction != 0 {
        text.push_str(&format!(".{fraction:06}"));
    }
    if zoned {
        text.push('Z');
    }
    text
}
