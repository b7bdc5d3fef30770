//! What was expected beside what came, line by line.

/// A line that differs: its number from 1, what was expected there and what came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The line.
    pub line: usize,
    /// Nothing where more came than was expected.
    pub expected: Option<String>,
    /// Nothing where less came.
    pub came: Option<String>,
}

/// The lines of two texts that are not the same.
pub fn differences(expected: &str, came: &str) -> Vec<Difference> {
    let (expected, came): (Vec<_>, Vec<_>) = (expected.lines().collect(), came.lines().collect());
    let differs = |index: usize| {
        let (wanted, found) = (expected.get(index), came.get(index));
        let owned = |text: Option<&&str>| text.map(|text| (*text).to_owned());
        (wanted != found).then(|| Difference { line: index + 1, expected: owned(wanted), came: owned(found) })
    };
    (0..expected.len().max(came.len())).filter_map(differs).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Protects against a table of differences that says the wrong line or hides one.
    #[test]
    fn lines_that_differ_are_told() {
        assert_eq!(differences("n\n1\n", "n\n1\n"), []);
        let found = differences("n\n1\n2\n", "n\n3\n");
        let line = |line, expected: Option<&str>, came: Option<&str>| Difference {
            line,
            expected: expected.map(str::to_owned),
            came: came.map(str::to_owned),
        };
        assert_eq!(found, [line(2, Some("1"), Some("3")), line(3, Some("2"), None)]);
    }
}
