//! YAML, as little of it as these files need: mappings, sequences, numbers, flags and quoted text. No library that writes YAML is
//! among the dependencies, and those that exist are either no longer maintained or more than the rest of the dashboards.

use serde_json::Value;

/// A document under a comment.
pub fn document(comment: &str, value: &Value) -> String {
    let mut text = format!("# {comment}\n");
    block(value, 0, &mut text);
    text
}

/// A mapping or a sequence, each entry on lines of its own.
fn block(value: &Value, depth: usize, into: &mut String) {
    match value {
        Value::Object(entries) => {
            for (key, value) in entries {
                indent(depth, into);
                into.push_str(&(scalar_text(key) + ":"));
                after(value, depth + 1, into);
            }
        }
        Value::Array(items) => {
            for item in items {
                indent(depth, into);
                into.push('-');
                match item {
                    // The first key stands beside the dash.
                    Value::Object(entries) if !entries.is_empty() => {
                        let mut inner = String::new();
                        block(item, depth + 1, &mut inner);
                        into.push_str(&format!(" {}", inner.trim_start()));
                    }
                    other => after(other, depth + 1, into),
                }
            }
        }
        scalar => unreachable!("a document is no {scalar}"),
    }
}

/// What follows a key or a dash.
fn after(value: &Value, depth: usize, into: &mut String) {
    match value {
        Value::Object(entries) if !entries.is_empty() => {
            into.push('\n');
            block(value, depth, into);
        }
        Value::Array(items) if !items.is_empty() => {
            into.push('\n');
            block(value, depth, into);
        }
        Value::String(text) => into.push_str(&format!(" {}\n", scalar_text(text))),
        // Numbers, flags, null and what is empty are written as in JSON.
        other => into.push_str(&format!(" {other}\n")),
    }
}

fn indent(depth: usize, into: &mut String) {
    into.push_str(&"  ".repeat(depth));
}

/// Text that nobody takes for anything else: plain where only a word can be meant, quoted otherwise.
fn scalar_text(text: &str) -> String {
    let plain = text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.chars().all(|character| character.is_ascii_alphanumeric() || "_.".contains(character))
        && !["true", "false", "yes", "no", "on", "off", "null", "y", "n"].contains(&text.to_ascii_lowercase().as_str());
    if plain {
        return text.to_owned();
    }
    // Single quotes leave everything as it is but themselves; what they cannot hold on one line, JSON's can.
    if text.chars().any(char::is_control) { Value::from(text).to_string() } else { format!("'{}'", text.replace('\'', "''")) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Protects against text that a reader takes for a flag, a number, a comment or a mapping.
    #[test]
    fn what_is_written_is_what_is_meant() {
        let value = json!({
            "a": [{"b": 1, "c": ["x", 2.5, true, {}, []]}, "it's # a: b", "no", "5m", "two\nlines", [1]],
            "- d": {"e": {"f": null}},
        });
        let expected = "# Why\na:\n  - b: 1\n    c:\n      - x\n      - 2.5\n      - true\n      - {}\n      - []\n  - 'it''s # a: b'\n  \
                        - 'no'\n  - '5m'\n  - \"two\\nlines\"\n  -\n    - 1\n'- d':\n  e:\n    f: null\n";
        assert_eq!(document("Why", &value), expected);
    }
}
