//! Quantities with units, as people write them: `64MiB`, `1.5GB`, `250ms`.

use std::time::Duration;

use crate::pipeline::diagnostic::nearest;

/// Units of bytes. A `K` without `i` is a thousand.
const BYTES: [(&str, u64); 9] = [
    ("B", 1),
    ("KB", 1_000),
    ("KiB", 1 << 10),
    ("MB", 1_000_000),
    ("MiB", 1 << 20),
    ("GB", 1_000_000_000),
    ("GiB", 1 << 30),
    ("TB", 1_000_000_000_000),
    ("TiB", 1 << 40),
];

/// Units of time, in nanoseconds.
const TIME: [(&str, u64); 6] =
    [("us", 1_000), ("µs", 1_000), ("ms", 1_000_000), ("s", 1_000_000_000), ("m", 60 * 1_000_000_000), ("h", 3_600 * 1_000_000_000)];

/// Why a text is not a quantity.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnitError {
    /// There is no number at its beginning.
    #[error("`{0}` does not begin with a number")]
    NoNumber(String),
    /// There is nothing after the number.
    #[error("`{number}` has no unit")]
    NoUnit {
        /// The number.
        number: String,
        /// With the commonest unit.
        example: String,
    },
    /// What stands after the number is not a unit.
    #[error("`{unit}` is not a unit of {of}")]
    UnknownUnit {
        /// As written.
        unit: String,
        /// Of what.
        of: &'static str,
        /// The units there are.
        known: String,
        /// The one that was probably meant.
        nearest: Option<&'static str>,
    },
    /// It does not fit into 64 bits.
    #[error("`{0}` is too large")]
    TooLarge(String),
}

/// Bytes.
pub fn bytes(text: &str) -> Result<u64, UnitError> {
    quantity(text, &BYTES, "size", "MiB")
}

/// A length of time.
pub fn time(text: &str) -> Result<Duration, UnitError> {
    quantity(text, &TIME, "time", "s").map(Duration::from_nanos)
}

fn quantity(text: &str, units: &'static [(&str, u64)], of: &'static str, common: &str) -> Result<u64, UnitError> {
    let text = text.trim();
    let split = text.find(|c: char| !c.is_ascii_digit() && c != '.' && c != '_').unwrap_or(text.len());
    let (number, unit) = (&text[..split], text[split..].trim());
    if !number.starts_with(|c: char| c.is_ascii_digit()) {
        return Err(UnitError::NoNumber(text.to_owned()));
    }
    if unit.is_empty() {
        return Err(UnitError::NoUnit { number: number.to_owned(), example: format!("{number}{common}") });
    }
    let Some((_, factor)) = units.iter().find(|(name, _)| *name == unit) else {
        return Err(unknown(unit, units, of));
    };
    multiply(&number.replace('_', ""), *factor)
        .ok_or_else(|| UnitError::TooLarge(text.to_owned()))?
        .map_err(|()| UnitError::NoNumber(text.to_owned()))
}

/// `number × factor`; nothing when it is too large, an error when it is no number.
fn multiply(number: &str, factor: u64) -> Option<Result<u64, ()>> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    let Ok(fraction) = format!("0.{fraction}").parse::<f64>() else {
        return Some(Err(()));
    };
    let whole = whole.parse::<u64>().ok()?.checked_mul(factor)?;
    whole.checked_add((fraction * factor as f64).round() as u64).map(Ok)
}

fn unknown(unit: &str, units: &'static [(&str, u64)], of: &'static str) -> UnitError {
    let names = || units.iter().map(|(name, _)| *name);
    // In a hurry people write `64M`, `64mb` or `5sec`.
    let begun = names().filter(|name| name.to_lowercase().starts_with(&unit.to_lowercase())).max_by_key(|name| name.len());
    let spelled = [("sec", "s"), ("min", "m"), ("hour", "h"), ("milli", "ms"), ("micro", "us")];
    let spelled = spelled.into_iter().find(|(long, name)| unit.starts_with(long) && names().any(|known| known == *name));
    UnitError::UnknownUnit {
        unit: unit.to_owned(),
        of,
        known: names().collect::<Vec<_>>().join(", "),
        nearest: spelled.map(|(_, name)| name).or(begun).or_else(|| nearest(unit, names())),
    }
}

/// The units of bytes, by name.
pub fn byte_units() -> Vec<&'static str> {
    BYTES.map(|(name, _)| name).to_vec()
}

/// The units of time, by name.
pub fn time_units() -> Vec<&'static str> {
    TIME.map(|(name, _)| name).to_vec()
}

/// Bytes as they would be written, with the largest unit that divides them.
pub fn write_bytes(bytes: u64) -> String {
    let mut units = BYTES.iter().filter(|(name, _)| *name == "B" || name.contains('i'));
    let (name, factor) = units.rfind(|(_, factor)| bytes.is_multiple_of(*factor) && bytes >= *factor).unwrap_or(&BYTES[0]);
    format!("{}{name}", bytes / factor)
}

/// A length of time as it would be written.
pub fn write_time(time: Duration) -> String {
    let nanos = time.as_nanos();
    let fits = |factor: u64| nanos.is_multiple_of(u128::from(factor)) && nanos >= u128::from(factor);
    let (name, factor) =
        TIME.iter().filter(|(name, _)| ["us", "ms", "s"].contains(name)).rfind(|(_, factor)| fits(*factor)).unwrap_or(&TIME[0]);
    format!("{}{name}", nanos / u128::from(*factor))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        assert_eq!(bytes("64MiB"), Ok(64 << 20));
        assert_eq!(bytes(" 1.5 GB "), Ok(1_500_000_000));
        assert_eq!(bytes("1_024B"), Ok(1024));
        assert_eq!(bytes("0KiB"), Ok(0));
        assert_eq!(bytes("17179869184GiB"), Err(UnitError::TooLarge("17179869184GiB".to_owned())));
        assert_eq!(bytes("99999999999999999999B"), Err(UnitError::TooLarge("99999999999999999999B".to_owned())));
        assert_eq!(bytes("MiB"), Err(UnitError::NoNumber("MiB".to_owned())));
        assert_eq!(bytes("-1MiB"), Err(UnitError::NoNumber("-1MiB".to_owned())));
        assert_eq!(bytes("1.2.3MiB"), Err(UnitError::NoNumber("1.2.3MiB".to_owned())));
        assert!(matches!(bytes("64"), Err(UnitError::NoUnit { example, .. }) if example == "64MiB"));
    }

    #[test]
    fn times() {
        assert_eq!(time("5s"), Ok(Duration::from_secs(5)));
        assert_eq!(time("250ms"), Ok(Duration::from_millis(250)));
        assert_eq!(time("1.5m"), Ok(Duration::from_secs(90)));
        assert_eq!(time("10µs"), Ok(Duration::from_micros(10)));
    }

    #[test]
    fn the_nearest_unit() {
        let nearest = |result: Result<u64, UnitError>| match result {
            Err(UnitError::UnknownUnit { nearest, .. }) => nearest,
            other => panic!("{other:?}"),
        };
        assert_eq!(nearest(bytes("64mib")), Some("MiB"));
        assert_eq!(nearest(bytes("64M")), Some("MiB"));
        assert_eq!(nearest(bytes("64mb")), Some("MB"));
        assert_eq!(nearest(time("5sec").map(|_| 0)), Some("s"));
        assert_eq!(nearest(time("5minutes").map(|_| 0)), Some("m"));
        assert_eq!(nearest(bytes("5parsec")), None);
    }

    #[test]
    fn written_again_they_are_the_same() {
        for text in ["64MiB", "512B", "4KiB", "3GiB"] {
            assert_eq!(write_bytes(bytes(text).unwrap()), text);
        }
        for text in ["30s", "250ms", "10us", "90s"] {
            assert_eq!(write_time(time(text).unwrap()), text);
        }
        assert_eq!((write_bytes(0), write_time(Duration::ZERO)), ("0B".to_owned(), "0us".to_owned()));
    }
}
