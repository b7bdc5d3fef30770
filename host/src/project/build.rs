//! From a project to a component: the language's own compiler (a file each), and the step from core module to component here.

mod assemblyscript;
mod c;
mod cpp;
mod d;
mod go;
mod javascript;
mod link;
mod python;
mod rust;
mod swift;
mod zig;

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use super::{language::Language, manifest::Manifest, wit};
use crate::words::shown::shown;

/// What was built.
#[derive(Clone, Debug)]
pub struct Built {
    /// The component.
    pub component: PathBuf,
    /// Its bytes.
    pub size: u64,
    /// How long it took.
    pub took: Duration,
}

/// Builds the project in a folder, into `out` or where its manifest says.
pub fn build(folder: &Path, out: Option<&Path>) -> Result<Built, String> {
    let began = Instant::now();
    let manifest = Manifest::load(folder)?;
    let folder = folder.canonicalize().map_err(|error| format!("{}: {error}", folder.display()))?;
    let sdk = folder.join(&manifest.sdk);
    if !sdk.is_dir() {
        return Err(format!(
            "the SDK is not in `{}`, where the project has it by `sdk` in stage.toml\n  = help: `parshall new` lays one down beside the stage that it makes",
            shown(&manifest.sdk).display()
        ));
    }
    let work = folder.join("build");
    fs::create_dir_all(&work).map_err(|error| format!("{}: {error}", work.display()))?;
    let made = Workshop { manifest: &manifest, folder: &folder, work: &work }.make()?;
    let stripped = componentize::without_custom(&made).map_err(|error| format!("{error:#}"))?;
    let component = out.map_or_else(|| folder.join(manifest.component()), Path::to_path_buf);
    let write = || {
        component.parent().map_or(Ok(()), fs::create_dir_all)?;
        fs::write(&component, &stripped)
    };
    write().map_err(|error| format!("{}: {error}", component.display()))?;
    Ok(Built { component, size: stripped.len() as u64, took: began.elapsed() })
}

/// Where a build happens.
struct Workshop<'a> {
    manifest: &'a Manifest,
    folder: &'a Path,
    work: &'a Path,
}

// === impl Workshop ===

impl Workshop<'_> {
    /// The component's bytes.
    fn make(&self) -> Result<Vec<u8>, String> {
        match self.manifest.language {
            Language::C => self.c(),
            Language::Cpp => self.cpp(),
            Language::Zig => self.zig(),
            Language::D => self.d(),
            Language::Swift => self.swift(),
            Language::AssemblyScript => self.assemblyscript(),
            Language::Go => self.go(),
            Language::Rust => self.rust(),
            Language::Python => self.python(),
            Language::JavaScript => self.javascript(),
            Language::TypeScript => self.typescript(),
        }
    }

    fn sdk(&self) -> PathBuf {
        self.folder.join(&self.manifest.sdk)
    }

    fn core(&self) -> PathBuf {
        self.work.join("core.wasm")
    }

    /// What the language's tool says it built.
    fn read(&self, built: &Path) -> Result<Vec<u8>, String> {
        fs::read(built).map_err(|error| format!("{} was not built: {error}", built.display()))
    }

    /// A core module as a component of the contract's world; what it imports and exports is checked on the way.
    fn component(&self, core: &Path) -> Result<Vec<u8>, String> {
        let encode = |core: Vec<u8>| {
            let (resolve, package) = componentize::wit::package(&wit::CONTRACT)?;
            componentize::encode(&core, &resolve, package, "transformer")
        };
        encode(self.read(core)?).map_err(|error| format!("what was compiled is no transform of parshall:stage@0.1.0: {error:#}\n  = help: the stage is given to the SDK as in what `parshall new` writes; {}", self.page()))
    }

    /// Where a language's way of making a stage is said.
    fn page(&self) -> String {
        format!("plugins/languages/{}/README.md in Parshall's sources says more", self.manifest.language.name())
    }

    /// Tools that make components by themselves are given the world of this project.
    fn world(&self) -> Result<PathBuf, String> {
        let folder = self.work.join("wit");
        wit::write(&folder, self.manifest.kind, &self.manifest.imports).map_err(|error| format!("{}: {error}", folder.display()))?;
        Ok(folder)
    }
}
