//! Values as text, and text as values.

use crate::calendar;

/// A float as the shortest text that reads back the same, always with a point or an exponent: `1.0`, `1e300`.
pub fn float(value: f64) -> String {
    format!("{value:?}")
}

/// A whole number, blanks around it allowed.
pub fn parse_int(text: &str) -> Option<i64> {
    text.trim().parse().ok()
}

/// A float, blanks around it allowed.
pub fn parse_float(text: &str) -> Option<f64> {
    text.trim().parse().ok()
}

/// `true`, `t`, `yes`, `1` and their opposites, capitals aside.
pub fn parse_bool(text: &str) -> Option<bool> {
    match text.trim().to_ascii_lowercase().as_str() {
        "true" | "t" | "yes" | "y" | "1" => Some(true),
        "false" | "f" | "no" | "n" | "0" => Some(false),
        _ => None,
    }
}

/// Days.
pub fn parse_date(text: &str) -> Option<i64> {
    calendar::parse_date(text)
}

/// Microseconds.
pub fn parse_time(text: &str) -> Option<i64> {
    calendar::parse_time(text)
}
