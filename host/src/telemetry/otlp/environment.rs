//! Variables of the environment, read as OpenTelemetry wants them read: an empty one counts as unset.

use std::collections::HashMap;

/// A snapshot of the variables that telemetry reads.
#[derive(Clone, Debug, Default)]
pub struct Environment(HashMap<String, String>);

/// A variable whose value makes no sense.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{variable}` is `{value}`: expected {expected}")]
pub struct WrongVariable {
    /// Its name.
    pub variable: String,
    /// What it was set to.
    pub value: String,
    /// What would make sense.
    pub expected: String,
}

// === impl Environment ===

impl Environment {
    /// That of this process.
    pub fn process() -> Self {
        let text = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
            (name.to_string_lossy().into_owned(), value.to_string_lossy().into_owned())
        };
        Environment(std::env::vars_os().map(text).collect())
    }

    /// One that has these variables and no others.
    pub fn of<const N: usize>(variables: [(&str, &str); N]) -> Self {
        Environment(variables.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
    }

    /// The same with this variable as well, or another value of it.
    pub fn with(mut self, variable: &str, value: &str) -> Self {
        self.0.insert(variable.to_owned(), value.to_owned());
        self
    }

    /// A variable that is set to something.
    pub fn get(&self, variable: &str) -> Option<&str> {
        self.0.get(variable).map(|value| value.trim()).filter(|value| !value.is_empty())
    }

    /// A variable, read; `expected` says what it can be.
    pub fn read<T>(&self, variable: &str, expected: &str, read: impl FnOnce(&str) -> Option<T>) -> Result<Option<T>, WrongVariable> {
        let Some(value) = self.get(variable) else { return Ok(None) };
        read(value).map(Some).ok_or_else(|| WrongVariable::new(variable, value, expected))
    }

    /// A whole number within a range.
    pub fn number(&self, variable: &str, default: u64, range: std::ops::RangeInclusive<u64>) -> Result<u64, WrongVariable> {
        let expected = format!("a whole number from {} to {}", range.start(), range.end());
        let read = |value: &str| value.parse().ok().filter(|number| range.contains(number));
        Ok(self.read(variable, &expected, read)?.unwrap_or(default))
    }

    /// `true` or `false`, in any case.
    pub fn flag(&self, variable: &str) -> Result<bool, WrongVariable> {
        let read = |value: &str| value.to_ascii_lowercase().parse().ok();
        Ok(self.read(variable, "`true` or `false`", read)?.unwrap_or(false))
    }

    /// Pairs as W3C baggage writes them: `key=value,key=value`, values percent-encoded.
    pub fn pairs(&self, variable: &str) -> Result<Vec<(String, String)>, WrongVariable> {
        let read = |value: &str| value.split(',').map(str::trim).filter(|pair| !pair.is_empty()).map(pair).collect();
        Ok(self.read(variable, "`KEY=VALUE` pairs with commas between them, values percent-encoded", read)?.unwrap_or_default())
    }
}

fn pair(text: &str) -> Option<(String, String)> {
    let (key, value) = text.split_once('=')?;
    let key = key.trim();
    (!key.is_empty()).then(|| percent_decoded(value.trim()).map(|value| (key.to_owned(), value))).flatten()
}

fn percent_decoded(text: &str) -> Option<String> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte != b'%' {
            decoded.push(byte);
            continue;
        }
        let digits = std::str::from_utf8(rest.get(..2)?).ok()?;
        decoded.push(u8::from_str_radix(digits, 16).ok()?);
        rest = &rest[2..];
    }
    String::from_utf8(decoded).ok()
}

// === impl WrongVariable ===

impl WrongVariable {
    /// Of a variable that holds a value.
    pub fn new(variable: &str, value: &str, expected: impl Into<String>) -> Self {
        WrongVariable { variable: variable.to_owned(), value: value.to_owned(), expected: expected.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_percent_decoded_and_a_broken_one_is_named() {
        let environment = Environment::of([("A", "key = a%2Cb , other=1,"), ("B", "key"), ("C", "key=%zz"), ("D", " ")]);
        assert_eq!(environment.pairs("A").unwrap(), [("key".into(), "a,b".into()), ("other".into(), "1".into())]);
        for wrong in ["B", "C"] {
            assert_eq!(environment.pairs(wrong).unwrap_err().variable, wrong);
        }
        assert_eq!(environment.get("D"), None);
        assert!(environment.pairs("D").unwrap().is_empty());
    }

    #[test]
    fn numbers_and_flags_say_what_they_may_be() {
        let environment = Environment::of([("A", "0"), ("B", "TRUE"), ("C", "yes")]);
        let told = environment.number("A", 5, 1..=10).unwrap_err().to_string();
        assert_eq!(told, "`A` is `0`: expected a whole number from 1 to 10");
        assert_eq!(environment.number("UNSET", 5, 1..=10), Ok(5));
        assert_eq!((environment.flag("B"), environment.flag("UNSET")), (Ok(true), Ok(false)));
        assert!(environment.flag("C").is_err());
    }
}
