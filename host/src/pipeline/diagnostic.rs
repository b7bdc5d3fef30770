//! A complaint about a pipeline file: what, where, what was expected, what to do. A value first, text or JSON after.

use serde::Serialize;

use super::source::{Position, Source, Span};

mod render;

/// One complaint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Diagnostic {
    /// Whether the pipeline can run all the same.
    pub severity: Severity,
    /// Stable machine-readable name of the complaint, kebab-case.
    pub code: &'static str,
    /// What is wrong, in one line.
    pub message: String,
    /// The file as it was named on the command line.
    pub file: String,
    /// Where in the file; absent when the file as a whole is meant. In JSON its fields stand beside the others.
    #[serde(flatten)]
    pub position: Option<Position>,
    /// What is said at the underlined place: mostly what was expected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
    /// What else is worth knowing.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// Whether a pipeline with this complaint can run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// It cannot.
    Error,
    /// It can, but probably does not do what was meant.
    Warning,
}

impl std::fmt::Display for Severity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Severity::Error => "error",
            Severity::Warning => "warning",
        })
    }
}

// === impl Diagnostic ===

impl Diagnostic {
    /// An error about a file as a whole.
    pub fn error(code: &'static str, file: impl Into<String>, message: impl Into<String>) -> Self {
        Diagnostic {
            severity: Severity::Error,
            code,
            message: message.into(),
            file: file.into(),
            position: None,
            label: None,
            help: None,
            notes: Vec::new(),
        }
    }

    /// An error at a place in a file.
    pub fn at(code: &'static str, source: &Source, span: Span, message: impl Into<String>) -> Self {
        Diagnostic { position: Some(source.position(span)), ..Diagnostic::error(code, source.name(), message) }
    }

    /// The same as a warning.
    pub fn warning(self) -> Self {
        Diagnostic { severity: Severity::Warning, ..self }
    }

    /// With something said at the underlined place.
    pub fn label(self, label: impl Into<String>) -> Self {
        Diagnostic { label: Some(label.into()), ..self }
    }

    /// With something to do about it.
    pub fn help(self, help: impl Into<String>) -> Self {
        Diagnostic { help: Some(help.into()), ..self }
    }

    /// With something to do about it, if there is.
    pub fn help_if(self, help: Option<impl Into<String>>) -> Self {
        match help {
            Some(help) => self.help(help),
            None => self,
        }
    }

    /// With "did you mean", if there is a name near enough.
    pub fn nearest(self, nearest: Option<&str>) -> Self {
        self.help_if(nearest.map(|name| format!("did you mean `{name}`?")))
    }

    /// With something else worth knowing.
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }

    /// As text, in the manner of rustc, ending in a line break. `colour` uses ANSI escapes.
    pub fn render(&self, colour: bool) -> String {
        render::render(self, colour)
    }
}

/// Sorts complaints by their place in the file, so that they read from top to bottom.
pub fn sort(diagnostics: &mut [Diagnostic]) {
    diagnostics.sort_by_key(|diagnostic| diagnostic.position.as_ref().map(|position| (position.line, position.column)));
}

/// All complaints as text with an empty line after each.
pub fn render_all(diagnostics: &[Diagnostic], colour: bool) -> String {
    diagnostics.iter().map(|diagnostic| diagnostic.render(colour) + "\n").collect()
}

/// The name among `names` that was probably meant by `written`, if one is near enough.
pub fn nearest<'a>(written: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let folded = written.to_lowercase();
    names
        .into_iter()
        .map(|name| (strsim::jaro_winkler(&folded, &name.to_lowercase()), name))
        .filter(|(likeness, _)| *likeness >= 0.8)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_near() {
        let keys = ["component", "config", "grants", "inputs", "limits"];
        assert_eq!(nearest("inptus", keys), Some("inputs"));
        assert_eq!(nearest("Limits", keys), Some("limits"));
        assert_eq!(nearest("banana", keys), None);
    }

    #[test]
    fn json_has_the_place_beside_the_message() {
        let source = Source::new("f.toml", "a = 1\nbb = 2\n");
        let json = serde_json::to_value(Diagnostic::at("x", &source, Span { start: 6, end: 8 }, "wrong").label("here")).unwrap();
        assert_eq!(
            json,
            serde_json::json!({
                "severity": "error", "code": "x", "message": "wrong", "file": "f.toml",
                "line": 2, "column": 1, "end_column": 3, "text": "bb = 2", "label": "here",
            })
        );
        let json = serde_json::to_value(Diagnostic::error("x", "f.toml", "gone").warning()).unwrap();
        assert_eq!(json, serde_json::json!({"severity": "warning", "code": "x", "message": "gone", "file": "f.toml"}));
    }
}
