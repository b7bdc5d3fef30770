//! Where components come from: those embedded as `std:NAME`, and files.

use std::{
    borrow::Cow,
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::{
    pipeline::plan::{ComponentError, ComponentErrorKind, ComponentRef, Components},
    wasm::{LoadError, Runtime, WasmComponent},
    words::stage::Component,
};

macro_rules! embedded {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/../plugins/dist/", $name, ".wasm")))),*]
    };
}

/// The standard stages, built by `plugins/build` and part of the binary.
const EMBEDDED: &[(&str, &[u8])] =
    embedded!["aggregate", "derive", "filter", "generate", "parse-log", "read", "select", "validate", "write"];

/// Finds components and loads them into one runtime.
pub struct Catalog {
    runtime: Runtime,
    /// A folder whose files stand in for the embedded components; for those who work on them.
    dist: Option<PathBuf>,
}

impl Catalog {
    /// A catalog over this runtime. `$PARSHALL_DIST` names a folder of components to use instead of the embedded ones.
    pub fn new(runtime: Runtime) -> Self {
        Catalog { runtime, dist: std::env::var_os("PARSHALL_DIST").map(PathBuf::from) }
    }

    /// The names of the standard stages.
    pub fn names() -> impl Iterator<Item = &'static str> {
        EMBEDDED.iter().map(|(name, _)| *name)
    }

    /// The bytes of a component; the embedded ones where they lie in the binary.
    pub fn bytes(&self, reference: &ComponentRef, base: &Path) -> Result<Cow<'static, [u8]>, ComponentError> {
        match reference {
            ComponentRef::Path(path) => read(reference, &base.join(path)).map(Cow::Owned),
            ComponentRef::Std(name) => {
                let known = EMBEDDED.iter().find(|(known, _)| known == name).ok_or_else(|| unknown(name))?;
                match &self.dist {
                    Some(dist) => read(reference, &dist.join(format!("{name}.wasm"))).map(Cow::Owned),
                    None => Ok(Cow::Borrowed(known.1)),
                }
            }
        }
    }

    /// Loads a component, with what only a component on wasmtime can tell (its size, whether it was cached).
    pub fn component(&self, reference: &ComponentRef, base: &Path) -> Result<WasmComponent, ComponentError> {
        let bytes = self.bytes(reference, base)?;
        self.runtime.load(&bytes).map_err(|error| unloadable(reference, &error))
    }
}

impl Components for Catalog {
    fn load(&self, reference: &ComponentRef, base: &Path) -> Result<Arc<dyn Component>, ComponentError> {
        Ok(Arc::new(self.component(reference, base)?))
    }

    fn std_names(&self) -> Vec<String> {
        Catalog::names().map(str::to_owned).collect()
    }
}

fn unknown(name: &str) -> ComponentError {
    let message = format!("there is no standard stage `{name}`");
    ComponentError { kind: ComponentErrorKind::NotFound { nearest: None }, message, help: None }
}

fn read(reference: &ComponentRef, path: &Path) -> Result<Vec<u8>, ComponentError> {
    std::fs::read(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => {
            let message = format!("there is no component `{reference}`: nothing is at {}", path.display());
            ComponentError { kind: ComponentErrorKind::NotFound { nearest: None }, message, help: None }
        }
        _ => {
            let message = format!("cannot read the component `{reference}` at {}: {error}", path.display());
            ComponentError { kind: ComponentErrorKind::Io, message, help: None }
        }
    })
}

fn unloadable(reference: &ComponentRef, error: &LoadError) -> ComponentError {
    let kind = match error {
        LoadError::CoreModule | LoadError::NotWasm => ComponentErrorKind::NotAComponent,
        LoadError::NoStage { .. } | LoadError::SeveralKinds => ComponentErrorKind::WrongWorld,
        LoadError::Invalid(_) => ComponentErrorKind::Compile,
    };
    ComponentError { kind, message: format!("cannot load `{reference}`: {error}"), help: None }
}
