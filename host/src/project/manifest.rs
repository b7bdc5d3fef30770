//! `stage.toml`: what a project says of itself.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::{
    language::{self, Language},
    toolchain,
};
use crate::words::shown::shown;

/// The file's name.
pub const MANIFEST: &str = "stage.toml";

/// `stage.toml`, read.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The component's file name without its ending; kebab-case.
    pub name: String,
    /// `extract`, `transform` or `load`.
    pub kind: KindWord,
    /// The language that it is written in.
    pub language: Language,
    /// The folder of the SDK, from the project.
    #[serde(default = "sdk")]
    pub sdk: PathBuf,
    /// What the stage imports besides frames. Only Python, JavaScript and TypeScript must say so: of others, what is called is imported.
    #[serde(default)]
    pub imports: Vec<Import>,
    /// What runs JavaScript and TypeScript.
    #[serde(default)]
    pub engine: Engine,
}

/// An engine of JavaScript that becomes part of the component.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Engine {
    /// QuickJS: small.
    #[default]
    QuickJs,
    /// StarlingMonkey, which is SpiderMonkey for WASM.
    StarlingMonkey,
}

/// The kinds of stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum KindWord {
    /// Brings batches in.
    Extract,
    /// Turns batches into batches.
    Transform,
    /// Takes batches out.
    Load,
}

impl KindWord {
    /// As it is written in `stage.toml`, and the name of the contract's interface.
    pub fn name(self) -> &'static str {
        match self {
            KindWord::Extract => "extract",
            KindWord::Transform => "transform",
            KindWord::Load => "load",
        }
    }

    /// Whether there is an SDK for such stages in a language, or what to do instead.
    pub fn fits(self, language: Language) -> Result<(), String> {
        if self == KindWord::Transform || language == Language::Python {
            return Ok(());
        }
        let (kind, language) = (self.name(), language.name());
        Err(format!(
            "the SDK for {language} is for transforms, not for `{kind}`\n  = help: in Python, `parshall new NAME --kind {kind} --lang python`; in Rust, \
             with the SDK in plugins/sdk of Parshall's sources; in any language, over the contract that `parshall inspect --wit` prints"
        ))
    }
}

/// What may be imported, under a grant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Import {
    /// Logs, metrics, spans.
    Telemetry,
    /// Keys and values.
    State,
    /// Readers and writers of the host.
    Tables,
}

fn sdk() -> PathBuf {
    "sdk".into()
}

// === impl Manifest ===

impl Manifest {
    /// The manifest of the project in a folder.
    pub fn load(folder: &Path) -> Result<Self, String> {
        let file = shown(&folder.join(MANIFEST));
        let text = std::fs::read_to_string(&file).map_err(|error| missing(folder, &error))?;
        let manifest: Manifest = toml::from_str(&text).map_err(|error| format!("{}: {}", file.display(), error.to_string().trim_end()))?;
        let fitting = fits(&manifest.name).and_then(|()| manifest.kind.fits(manifest.language));
        fitting.map_err(|why| format!("{}: {why}", file.display()))?;
        Ok(manifest)
    }

    /// What builds it, for a person: `tsc and componentize-qjs`.
    pub fn builders(&self) -> String {
        let engine = match self.engine {
            Engine::QuickJs => Language::JavaScript.tool().command.to_owned(),
            Engine::StarlingMonkey => format!("{} and {}", language::BUNDLER.command, language::STARLINGMONKEY.command),
        };
        match self.language {
            Language::JavaScript => engine,
            Language::TypeScript => format!("{} and {engine}", self.language.tool().command),
            Language::C if toolchain::find(self.language.tool().command).is_none() => "clang".to_owned(),
            _ => self.language.tool().command.to_owned(),
        }
    }

    /// Where the component is built, from the project.
    pub fn component(&self) -> PathBuf {
        Path::new("build").join(format!("{}.wasm", self.name))
    }
}

// === impl Import ===

impl Import {
    /// The interface's name in the contract.
    pub fn interface(self) -> &'static str {
        match self {
            Import::Telemetry => "telemetry",
            Import::State => "state",
            Import::Tables => "tables",
        }
    }
}

fn missing(folder: &Path, error: &std::io::Error) -> String {
    let place = shown(folder);
    let what = match (folder.is_dir(), error.kind()) {
        (false, std::io::ErrorKind::NotFound) => format!("there is no folder `{}`", place.display()),
        (true, std::io::ErrorKind::NotFound) => format!("there is no project in `{}`: it has no {MANIFEST}", place.display()),
        _ => format!("{}: {error}", place.join(MANIFEST).display()),
    };
    format!("{what}\n  = help: `parshall new NAME --lang LANGUAGE` makes a project; build, test and dev are run in its folder, or given it")
}

/// A name like this one that can be.
fn near(name: &str) -> String {
    let letter = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    let near: String = name.chars().take(64).map(letter).collect();
    let near = near.trim_matches(|c: char| c == '-' || c.is_ascii_digit());
    if near.is_empty() { "greet".to_owned() } else { near.to_owned() }
}

/// Whether a name can be that of a stage in every language.
pub fn fits(name: &str) -> Result<(), String> {
    let characters = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let usable =
        name.len() <= 64 && name.starts_with(|c: char| c.is_ascii_lowercase()) && name.chars().all(characters) && !name.ends_with('-');
    if usable {
        Ok(())
    } else {
        Err(format!(
            "`{name}` is no name for a stage: expected lower-case letters, digits and `-`, at most 64, beginning with a letter, such as `{}`",
            near(name)
        ))
    }
}
