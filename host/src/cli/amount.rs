//! Numbers as people read them.

/// With thousands separated: `27,004`.
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut shown = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            shown.push(',');
        }
        shown.push(digit);
    }
    shown
}

/// With the word for it: `1 swap`, `2 swaps`.
pub fn of(number: u64, word: &str) -> String {
    format!("{} {word}{}", count(number), if number == 1 { "" } else { "s" })
}

/// To three digits with a decimal prefix: `1.23 M`, for fuel.
pub fn short(number: u64) -> String {
    scaled(number as f64, 1000.0, &["", " k", " M", " G", " T", " P", " E"])
}

/// Bytes with binary prefixes: `1.5 MiB`.
pub fn bytes(number: u64) -> String {
    scaled(number as f64, 1024.0, &[" B", " KiB", " MiB", " GiB", " TiB", " PiB", " EiB"])
}

/// Seconds with the prefix that suits: `1.2 ms`.
pub fn seconds(number: f64) -> String {
    let (value, unit) = match number {
        n if n < 1e-6 => (n * 1e9, "ns"),
        n if n < 1e-3 => (n * 1e6, "µs"),
        n if n < 1.0 => (n * 1e3, "ms"),
        n => (n, "s"),
    };
    format!("{} {unit}", digits(value))
}

/// Seconds as people say how long something has been going on: `3 min 4 s`.
pub fn lasting(seconds: f64) -> String {
    let whole = seconds.max(0.0) as u64;
    let (days, hours, minutes) = (whole / 86_400, whole / 3_600 % 24, whole / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{whole} s"),
        (0, 0, _) => format!("{minutes} min {} s", whole % 60),
        (0, ..) => format!("{hours} h {minutes} min"),
        _ => format!("{days} d {hours} h"),
    }
}

fn scaled(mut value: f64, step: f64, units: &[&str]) -> String {
    let mut unit = 0;
    while value >= step && unit + 1 < units.len() {
        value /= step;
        unit += 1;
    }
    let shown = if unit == 0 { format!("{value:.0}") } else { digits(value) };
    format!("{shown}{}", units[unit])
}

fn digits(value: f64) -> String {
    match value {
        v if v >= 99.95 => format!("{v:.0}"),
        v if v >= 9.995 => format!("{v:.1}"),
        v => format!("{v:.2}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well_at_their_edges() {
        assert_eq!((count(0), count(999), count(1000), count(27_004)), ("0".into(), "999".into(), "1,000".into(), "27,004".into()));
        assert_eq!((bytes(1023), bytes(1024), bytes(10 << 20)), ("1023 B".into(), "1.00 KiB".into(), "10.0 MiB".into()));
        assert_eq!(
            (seconds(0.0), seconds(0.0000012), seconds(0.5), seconds(12.34)),
            ("0.00 ns".into(), "1.20 µs".into(), "500 ms".into(), "12.3 s".into())
        );
        assert_eq!(short(1_234_567), "1.23 M");
        let lasted = [0.9, 61.0, 3_725.0, 90_000.0].map(lasting);
        assert_eq!(lasted, ["0 s", "1 min 1 s", "1 h 2 min", "1 d 1 h"]);
    }
}
