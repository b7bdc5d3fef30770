//! `${VAR}` and `${VAR:-default}` inside the strings of a pipeline file.
//!
//! Only the text of a string changes, after the file was parsed: a value can neither add a key nor end a string, and
//! positions remain those of the file. `$$` is one `$`; a `$` before anything else is itself, as patterns need it.

use std::ops::Range;

/// A string with its variables filled in, and where each part came from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Substituted {
    /// The string.
    pub text: String,
    /// Its parts in order, without gaps.
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Part {
    /// Bytes of the string as it is now.
    now: Range<usize>,
    /// Bytes of the string as it was written.
    written: Range<usize>,
    /// Whether the two are the same text, byte by byte.
    same: bool,
}

/// Why a variable could not be filled in.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SubstituteError {
    /// It is not set and has no default.
    #[error("the variable `{name}` is not set")]
    Missing {
        /// The variable.
        name: String,
        /// Where in the string as written.
        at: Range<usize>,
    },
    /// `${` without `}`, or with something else than a name in it.
    #[error("{message}")]
    Malformed {
        /// What is wrong.
        message: String,
        /// Where in the string as written.
        at: Range<usize>,
    },
}

/// Fills in the variables of a string. Values are taken as they are: a `$` in them means nothing.
pub fn substitute(written: &str, env: &dyn Fn(&str) -> Option<String>) -> Result<Substituted, SubstituteError> {
    let mut out = Substituted::default();
    let mut at = 0;
    while let Some(dollar) = written[at..].find('$').map(|found| at + found) {
        out.push(&written[at..dollar], at..dollar, true);
        let rest = &written[dollar..];
        at = if rest.starts_with("$$") {
            out.push("$", dollar..dollar + 2, false);
            dollar + 2
        } else if rest.starts_with("${") {
            let (value, length) = variable(rest, dollar, env)?;
            out.push(&value, dollar..dollar + length, false);
            dollar + length
        } else {
            out.push("$", dollar..dollar + 1, true);
            dollar + 1
        };
    }
    out.push(&written[at..], at..written.len(), true);
    Ok(out)
}

/// The value of the `${…}` that `rest` begins with, and the length of that in bytes.
fn variable(rest: &str, dollar: usize, env: &dyn Fn(&str) -> Option<String>) -> Result<(String, usize), SubstituteError> {
    let malformed = |message: String, length: usize| SubstituteError::Malformed { message, at: dollar..dollar + length };
    let Some(close) = rest.find('}') else {
        return Err(malformed("`${` is never closed by `}`".to_owned(), 2));
    };
    let length = close + 1;
    let (name, default) = match rest[2..close].split_once(":-") {
        Some((name, default)) => (name, Some(default)),
        None => (&rest[2..close], None),
    };
    let valid = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') && !name.starts_with(|c: char| c.is_ascii_digit());
    if name.is_empty() || !valid {
        return Err(malformed(format!("`{name}` cannot be the name of a variable"), length));
    }
    // As in a shell, `:-` also stands in for a variable that is set to nothing.
    let value = env(name).filter(|value| default.is_none() || !value.is_empty());
    match value.or(default.map(str::to_owned)) {
        Some(value) => Ok((value, length)),
        None => Err(SubstituteError::Missing { name: name.to_owned(), at: dollar..dollar + length }),
    }
}

// === impl Substituted ===

impl Substituted {
    fn push(&mut self, text: &str, written: Range<usize>, same: bool) {
        let start = self.text.len();
        self.text.push_str(text);
        if !written.is_empty() {
            self.parts.push(Part { now: start..self.text.len(), written, same });
        }
    }

    /// Where a byte of the string as it is now stood in the string as written: one byte, or all of a `${…}`.
    pub fn written(&self, offset: usize) -> Range<usize> {
        match self.parts.iter().find(|part| part.now.contains(&offset)) {
            Some(part) if part.same => {
                let at = part.written.start + (offset - part.now.start);
                at..at + 1
            }
            Some(part) => part.written.clone(),
            None => {
                let end = self.parts.last().map_or(0, |part| part.written.end);
                end..end
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env(name: &str) -> Option<String> {
        match name {
            "DATA" => Some("/data".to_owned()),
            "EMPTY" => Some(String::new()),
            "SLY" => Some("\"\n[load.x]${DATA}$$".to_owned()),
            _ => None,
        }
    }

    fn filled(written: &str) -> String {
        substitute(written, &env).unwrap().text
    }

    #[test]
    fn variables_defaults_and_dollars() {
        assert_eq!(filled("${DATA}/a.csv"), "/data/a.csv");
        assert_eq!(filled("${NOPE:-b}/${NOPE:-}c"), "b/c");
        assert_eq!(filled("${EMPTY:-d}|${EMPTY}"), "d|");
        assert_eq!(filled("$${DATA} costs $5 or 5$"), "${DATA} costs $5 or 5$");
        assert_eq!(filled("^[a-z]+$"), "^[a-z]+$");
        assert_eq!(filled("größe ${DATA}"), "größe /data");
    }

    #[test]
    fn a_value_is_taken_as_it_is() {
        assert_eq!(filled("${SLY}"), "\"\n[load.x]${DATA}$$");
    }

    #[test]
    fn mistakes_have_a_place() {
        let missing = SubstituteError::Missing { name: "NOPE".to_owned(), at: 2..9 };
        assert_eq!(substitute("a/${NOPE}", &env), Err(missing));
        assert!(matches!(substitute("a${b", &env), Err(SubstituteError::Malformed { at, .. }) if at == (1..3)));
        assert!(matches!(substitute("${a b}", &env), Err(SubstituteError::Malformed { at, .. }) if at == (0..6)));
        assert!(matches!(substitute("${}", &env), Err(SubstituteError::Malformed { .. })));
    }

    #[test]
    fn places_lead_back_to_what_was_written() {
        let filled = substitute("a${DATA}b$$c", &env).unwrap();
        assert_eq!(filled.text, "a/datab$c");
        assert_eq!(filled.written(0), 0..1);
        assert_eq!(filled.written(3), 1..8);
        assert_eq!(filled.written(6), 8..9);
        assert_eq!(filled.written(7), 9..11);
        assert_eq!(filled.written(8), 11..12);
        assert_eq!(filled.written(9), 12..12);
    }
}
