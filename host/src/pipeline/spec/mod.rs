//! The spec: a pipeline as written. Read from TOML with every complaint at its line and column, all of them at once.

use std::path::{Path, PathBuf};

use toml::{Spanned, de::DeTable};

use super::{
    diagnostic::{self, Diagnostic},
    plan::Origin,
    policy::DeadLetters,
    source::Source,
    swap::SwapSettings,
};
use crate::words::observe::Settings;

pub mod config;
mod delivery;
mod grants;
pub mod keys;
pub mod limits;
mod literal;
mod metering;
mod on_error;
mod scope;
mod signatures;
mod stage;
mod stages;
mod swap;
mod table;
mod telemetry;
mod text;
pub mod units;
mod wiring;

pub use delivery::DeliverySettings;
pub use stage::{InputSpec, StagePlaces, StageSpec};

use scope::Scope;
use table::Table;

/// A pipeline as written: well-formed, with stages that are wired to each other, but not yet known to run.
#[derive(Clone, Debug)]
pub struct Spec {
    /// Its name.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// Folder of the file, absolute and normalised: every relative path starts there.
    pub base: PathBuf,
    /// The file, for complaints.
    pub source: Source,
    /// How it wants to be watched.
    pub telemetry: Settings,
    /// How what it loads is delivered.
    pub delivery: DeliverySettings,
    /// How new versions of its stages are tried.
    pub swap: SwapSettings,
    /// Where rows are written that stages cannot take.
    pub dead_letters: DeadLetters,
    /// Public keys of `[signatures]`, absolute: one of them must have signed every component that does not come with the host.
    pub keys: Vec<PathBuf>,
    /// Its stages in the order in which they are written.
    pub stages: Vec<StageSpec>,
}

// === impl Spec ===

impl Spec {
    /// Reads a pipeline file, with variables from the environment.
    pub fn load(path: &Path) -> Result<Self, Vec<Diagnostic>> {
        let shown = path.display().to_string();
        let unreadable = |error: std::io::Error| {
            let diagnostic = Diagnostic::error("unreadable", &shown, format!("cannot read the pipeline file: {error}"));
            vec![diagnostic.help_if(nearest_file(path).map(|name| format!("did you mean `{name}`?")))]
        };
        let text = std::fs::read_to_string(path).map_err(unreadable)?;
        let absolute = std::path::absolute(path).map_err(unreadable)?;
        let base = absolute.parent().unwrap_or(Path::new("/"));
        Spec::parse(&shown, base, &text, &|name| std::env::var(name).ok())
    }

    /// Reads the text of a pipeline file that is called `shown` in complaints and lies in the folder `base`.
    pub fn parse(shown: &str, base: &Path, text: &str, env: &dyn Fn(&str) -> Option<String>) -> Result<Self, Vec<Diagnostic>> {
        let source = Source::new(shown, text);
        let base = grants::normal(base);
        let document = toml(&source)?;
        let scope = Scope::new(&source, &base, env);
        let file = Table::new(&scope, "", document.get_ref(), keys::FILE.iter());
        let spec = Spec {
            name: name(&file, shown),
            description: file.text("description", "a string").map(|text| text.value),
            base: base.clone(),
            source: source.clone(),
            telemetry: telemetry::read(&file),
            delivery: delivery::read(&file, &base),
            swap: swap::read(&file),
            dead_letters: on_error::dead_letters(&file),
            keys: signatures::read(&file),
            stages: stages::read(&file),
        };
        wiring::check(&scope, &spec.stages, document.get_ref());
        let mut diagnostics = scope.into_diagnostics();
        diagnostic::sort(&mut diagnostics);
        if diagnostics.is_empty() { Ok(spec) } else { Err(diagnostics) }
    }

    /// Where its components are looked for. Tags are pinned in a file beside it: `flights.toml` has `flights.lock`.
    pub fn origin(&self) -> Origin {
        let lock = Path::new(self.source.name()).file_name().map(|name| self.base.join(name).with_extension("lock"));
        Origin { base: self.base.clone(), lock, keys: self.keys.clone() }
    }

    /// The stage of this name.
    pub fn stage(&self, name: &str) -> Option<&StageSpec> {
        self.stages.iter().find(|stage| stage.name == name)
    }
}

/// The tree of a file, or what is not TOML about it.
fn toml(source: &Source) -> Result<Spanned<DeTable<'_>>, Vec<Diagnostic>> {
    let (document, errors) = DeTable::parse_recoverable(source.text());
    let mut diagnostics: Vec<Diagnostic> = errors.iter().map(|error| syntax(source, error)).collect();
    diagnostic::sort(&mut diagnostics);
    // The parser goes on after a mistake and stumbles over what it left: of a line, and of a run of the same complaint,
    // the first is the one.
    diagnostics.dedup_by_key(|diagnostic| diagnostic.position.as_ref().map(|position| position.line));
    diagnostics.dedup_by(|later, earlier| later.message == earlier.message && later.code == "syntax");
    if diagnostics.is_empty() { Ok(document) } else { Err(diagnostics) }
}

fn syntax(source: &Source, error: &toml::de::Error) -> Diagnostic {
    let span = error.span().unwrap_or(source.text().len()..source.text().len());
    let (what, expected) = match error.message().split_once(", expected ") {
        Some((what, expected)) => (what, Some(format!("expected {expected}"))),
        None => (error.message(), None),
    };
    let text = source.text().get(span.clone()).unwrap_or_default();
    let at = |code, message: String| Diagnostic::at(code, source, span.into(), message);
    match what {
        "duplicate key" => at("duplicate-key", format!("duplicate key `{text}`")).label("already written above"),
        // What begins with `t` or `f` and is neither `true` nor `false` is a string whose quotes were forgotten.
        "invalid boolean" | "string values must be quoted" => {
            at("syntax", format!("this is not TOML: `{text}` has no quotes")).label(format!("expected \"{text}\""))
        }
        "missing comma between array elements" => {
            at("syntax", format!("this is not TOML: {what}")).label("expected `,`").help("perhaps the `]` of an array above is missing")
        }
        _ => {
            let diagnostic = at("syntax", format!("this is not TOML: {what}"));
            expected.into_iter().fold(diagnostic, Diagnostic::label)
        }
    }
}

fn name(file: &Table, shown: &str) -> String {
    let stem = || Path::new(shown).file_stem().map_or_else(|| "pipeline".to_owned(), |stem| stem.to_string_lossy().into_owned());
    match file.text("name", "a string") {
        Some(text) if text.value.trim().is_empty() || text.value.chars().any(char::is_control) => {
            let diagnostic = file.scope.error("bad-name", text.span, "this cannot be the name of a pipeline");
            file.scope.complain(diagnostic.label("expected a line of text"));
            stem()
        }
        Some(text) => text.value,
        None => stem(),
    }
}

/// The file beside a missing one that was probably meant.
fn nearest_file(path: &Path) -> Option<String> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let name = path.file_name()?.to_string_lossy();
    let nearest = super::plan::components::nearest_in(folder, &name).filter(|nearest| **nearest != *name);
    nearest.map(|name| match path.parent() {
        Some(parent) => parent.join(name).display().to_string(),
        None => name,
    })
}

#[cfg(test)]
mod fuzz;
#[cfg(test)]
mod tests;
