//! The report card: one line a case, and whether the component may be used.

use serde::Serialize;
use serde_json::{Value, json};

use super::subject::Subject;
use crate::words::call::CallError;

/// How grave it is to fail a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Weight {
    /// A pipeline cannot rely on a component that fails it.
    Must,
    /// A good component passes; one that does not can be used by who knows it.
    Should,
}

/// What came of a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It holds; what was seen.
    Pass(String),
    /// It does not; what was seen instead.
    Fail(String),
    /// It cannot be asked of this component, and why.
    NotApplicable(String),
}

/// One case and its verdict.
#[derive(Clone, Debug)]
pub struct Line {
    /// The case's name.
    pub name: &'static str,
    /// How grave.
    pub weight: Weight,
    /// What came of it.
    pub verdict: Verdict,
    /// How long it took.
    pub seconds: f64,
}

/// All cases of one component.
#[derive(Clone, Debug)]
pub struct Card {
    /// Name and version that the component gives itself, or what is wrong with that.
    pub component: String,
    /// The role it was examined in.
    pub role: &'static str,
    /// `extract`, `transform`, `load`.
    pub kind: String,
    /// The cases, in order.
    pub lines: Vec<Line>,
}

/// Why a case does not pass.
#[derive(Debug)]
pub enum Finding {
    /// The component does not do what it must.
    Fails(String),
    /// The case cannot be asked.
    DoesNotApply(String),
}

/// What a case answers: what was seen, or why it does not pass.
pub type Asked = Result<String, Finding>;

// === impl Finding ===

impl Finding {
    /// A call that failed where it must not.
    pub fn failed(what: impl std::fmt::Display, error: &CallError) -> Self {
        Finding::Fails(format!("{what}: {} ({})", first_line(&error.to_string()), error.reason()))
    }
}

/// Traps come with a backtrace; the card has room for what happened.
fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}

/// The finding that a component does not do what it must.
pub fn fails<T>(reason: impl Into<String>) -> Result<T, Finding> {
    Err(Finding::Fails(reason.into()))
}

/// The finding that a case cannot be asked.
pub fn does_not_apply<T>(reason: impl Into<String>) -> Result<T, Finding> {
    Err(Finding::DoesNotApply(reason.into()))
}

// === impl Verdict ===

impl Verdict {
    /// What was seen, or why not.
    pub fn said(&self) -> &str {
        match self {
            Verdict::Pass(said) | Verdict::Fail(said) | Verdict::NotApplicable(said) => said,
        }
    }

    /// `pass`, `fail` or `not_applicable`.
    pub fn word(&self) -> &'static str {
        match self {
            Verdict::Pass(_) => "pass",
            Verdict::Fail(_) => "fail",
            Verdict::NotApplicable(_) => "not_applicable",
        }
    }
}

// === impl Card ===

impl Card {
    pub(super) fn new(subject: &Subject, lines: Vec<Line>) -> Self {
        let component = match subject.component().description() {
            Ok(description) => format!("{} {}", description.name, description.version),
            Err(error) => format!("a component that cannot describe itself: {}", first_line(&error.to_string())),
        };
        Card { component, role: subject.role().name(), kind: subject.component().kind().to_string(), lines }
    }

    /// How many cases came out so.
    pub fn count(&self, word: &str) -> usize {
        self.lines.iter().filter(|line| line.verdict.word() == word).count()
    }

    /// Whether every case that must pass does.
    pub fn conforms(&self) -> bool {
        !self.lines.iter().any(|line| line.weight == Weight::Must && matches!(line.verdict, Verdict::Fail(_)))
    }

    /// The card as one JSON document.
    pub fn document(&self) -> Value {
        let line = |line: &Line| {
            json!({
                "case": line.name,
                "weight": line.weight,
                "verdict": line.verdict.word(),
                "said": line.verdict.said(),
                "seconds": (line.seconds * 1e6).round() / 1e6,
            })
        };
        json!({
            "component": self.component,
            "kind": self.kind,
            "role": self.role,
            "conforms": self.conforms(),
            "passed": self.count("pass"),
            "failed": self.count("fail"),
            "not_applicable": self.count("not_applicable"),
            "cases": self.lines.iter().map(line).collect::<Vec<_>>(),
        })
    }
}
