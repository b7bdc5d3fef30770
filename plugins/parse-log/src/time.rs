//! `[10/Oct/2000:13:55:36 -0700]`, to microseconds since 1970 in UTC.

use crate::cursor::{Cursor, Mistake};

const MONTHS: [&[u8; 3]; 12] = [b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec"];

/// Reads a time with its brackets.
pub fn read(cursor: &mut Cursor) -> Result<i64, Mistake> {
    cursor.expect(b'[', "`[`")?;
    let day_at = *cursor;
    let day = digits::<2>(cursor, 1, 31, "a day of two digits")?;
    cursor.expect(b'/', "`/`")?;
    let month = month(cursor)?;
    cursor.expect(b'/', "`/`")?;
    let year = digits::<4>(cursor, 0, 9999, "a year of four digits")?;
    if day > days_of(month, year) {
        return day_at.mistake("a day that the month has");
    }
    cursor.expect(b':', "`:`")?;
    let hour = digits::<2>(cursor, 0, 23, "an hour from 00 to 23")?;
    cursor.expect(b':', "`:`")?;
    let minute = digits::<2>(cursor, 0, 59, "a minute from 00 to 59")?;
    cursor.expect(b':', "`:`")?;
    let second = digits::<2>(cursor, 0, 59, "a second from 00 to 59")?;
    cursor.blank()?;
    let east = match cursor.peek() {
        Some(b'+') => 1,
        Some(b'-') => -1,
        _ => return cursor.mistake("`+` or `-`"),
    };
    cursor.at += 1;
    let hours = digits::<2>(cursor, 0, 23, "hours from UTC, from 00 to 23")?;
    let minutes = digits::<2>(cursor, 0, 59, "minutes from UTC, from 00 to 59")?;
    cursor.expect(b']', "`]`")?;
    let seconds = ((days(year, month, day) * 24 + hour) * 60 + minute) * 60 + second;
    Ok((seconds - east * (hours * 60 + minutes) * 60) * 1_000_000)
}

fn digits<const COUNT: usize>(cursor: &mut Cursor, least: i64, greatest: i64, expected: &'static str) -> Result<i64, Mistake> {
    let bytes = cursor.line.as_bytes().get(cursor.at..cursor.at + COUNT);
    let Some(bytes) = bytes.filter(|bytes| bytes.iter().all(u8::is_ascii_digit)) else {
        return cursor.mistake(expected);
    };
    let value = bytes.iter().fold(0, |value, digit| value * 10 + i64::from(digit - b'0'));
    if !(least..=greatest).contains(&value) {
        return cursor.mistake(expected);
    }
    cursor.at += COUNT;
    Ok(value)
}

fn month(cursor: &mut Cursor) -> Result<i64, Mistake> {
    let bytes = cursor.line.as_bytes().get(cursor.at..cursor.at + 3);
    let month = bytes.and_then(|bytes| MONTHS.iter().position(|month| *month == bytes));
    let Some(month) = month else {
        return cursor.mistake("a month such as `Oct`");
    };
    cursor.at += 3;
    Ok(month as i64 + 1)
}

fn days_of(month: i64, year: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970-01-01 in the proleptic Gregorian calendar: `days_from_civil` of Howard Hinnant, "chrono-Compatible
/// Low-Level Date Algorithms". Years begin in March there, so that the leap day is the last.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(text: &str) -> Result<i64, Mistake> {
        let mut cursor = Cursor { line: text, at: 0 };
        let time = read(&mut cursor)?;
        assert_eq!(cursor.at, text.len());
        Ok(time / 1_000_000)
    }

    /// Protects against times that are off by a zone, a leap day or a century. Values by `date -d … +%s`.
    #[test]
    fn times_are_utc() {
        assert_eq!(time("[10/Oct/2000:13:55:36 -0700]"), Ok(971_211_336));
        assert_eq!(time("[01/Jan/1970:00:00:00 +0000]"), Ok(0));
        assert_eq!(time("[31/Dec/1969:23:59:59 +0000]"), Ok(-1));
        assert_eq!(time("[29/Feb/2024:23:59:59 +0530]"), Ok(1_709_231_399));
        assert_eq!(time("[01/Mar/1900:00:00:00 +0000]"), Ok(-2_203_891_200));
        assert_eq!(time("[31/Dec/9999:23:59:59 +0000]"), Ok(253_402_300_799));
    }

    /// Protects against dates that do not exist being taken for others.
    #[test]
    fn what_is_no_time_is_refused_at_its_byte() {
        for (text, at, expected) in [
            ("10/Oct/2000", 0, "`[`"),
            ("[1/Oct/2000:13:55:36 -0700]", 1, "a day of two digits"),
            ("[00/Oct/2000:13:55:36 -0700]", 1, "a day of two digits"),
            ("[31/Sep/2000:13:55:36 -0700]", 1, "a day that the month has"),
            ("[29/Feb/1900:13:55:36 -0700]", 1, "a day that the month has"),
            ("[10/oct/2000:13:55:36 -0700]", 4, "a month such as `Oct`"),
            ("[10/Oct/2000:24:55:36 -0700]", 13, "an hour from 00 to 23"),
            ("[10/Oct/2000:13:55:60 -0700]", 19, "a second from 00 to 59"),
            ("[10/Oct/2000:13:55:36 0700]", 22, "`+` or `-`"),
            ("[10/Oct/2000:13:55:36 -0760]", 25, "minutes from UTC, from 00 to 59"),
            ("[10/Oct/2000:13:55:36 -0700", 27, "`]`"),
            ("[10/O", 4, "a month such as `Oct`"),
        ] {
            assert_eq!(time(text), Err(Mistake { at, expected }), "{text}");
        }
    }
}
