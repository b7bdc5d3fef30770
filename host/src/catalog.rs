//! Where components come from: those embedded as `std:NAME`, files, and registries. And whether they are signed.

use std::{
    borrow::Cow,
    io::Read as _,
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::{
    pipeline::plan::{ComponentError, ComponentErrorKind, ComponentRef, Components, Origin},
    registry::{self, Fetched, Keys, Registry, RegistryError, Store},
    wasm::{LoadError, Runtime, WasmComponent},
    words::{limits::Loading, oci::OciName, shown::shown, stage::Component},
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
    registry: Registry,
    runtime: Runtime,
    /// A folder whose files stand in for the embedded components; for those who work on them.
    dist: Option<PathBuf>,
}

impl Catalog {
    /// A catalog over this runtime. `$PARSHALL_DIST` names a folder of components to use instead of the embedded ones.
    pub fn new(runtime: Runtime) -> Self {
        let registry = Registry::new(Store::from_env());
        Catalog { registry, runtime, dist: std::env::var_os("PARSHALL_DIST").map(PathBuf::from) }
    }

    /// The same, with another way to registries.
    pub fn with_registry(self, registry: Registry) -> Self {
        Catalog { registry, ..self }
    }

    /// The names of the standard stages.
    pub fn names() -> impl Iterator<Item = &'static str> {
        EMBEDDED.iter().map(|(name, _)| *name)
    }

    /// The bytes of a component; the embedded ones where they lie in the binary.
    pub fn bytes(&self, reference: &ComponentRef, origin: &Origin, limits: Loading) -> Result<Cow<'static, [u8]>, ComponentError> {
        match reference {
            ComponentRef::Path(path) => {
                let path = origin.base.join(path);
                let bytes = read(reference, &path, limits)?;
                signed(reference, &path, &bytes, &keys(origin)?)?;
                Ok(Cow::Owned(bytes))
            }
            ComponentRef::Oci(name) => {
                let bytes = self.fetch(name, origin)?.bytes;
                Ok(Cow::Owned(bytes))
            }
            ComponentRef::Std(name) => {
                let known = EMBEDDED.iter().find(|(known, _)| known == name).ok_or_else(|| unknown(name))?;
                let Some(dist) = &self.dist else { return Ok(Cow::Borrowed(known.1)) };
                // What stands in for a part of this program is none, and is signed as any file is.
                let path = dist.join(format!("{name}.wasm"));
                let bytes = read(reference, &path, limits)?;
                signed(reference, &path, &bytes, &keys(origin)?)?;
                Ok(Cow::Owned(bytes))
            }
        }
    }

    /// A component of a registry.
    pub fn fetch(&self, name: &OciName, origin: &Origin) -> Result<Fetched, ComponentError> {
        self.registry.fetch(name, origin.lock.as_deref(), &keys(origin)?).map_err(|error| unfetched(&error))
    }

    /// Loads a component, with what only a component on wasmtime can tell (its size, whether it was cached).
    pub fn component(&self, reference: &ComponentRef, origin: &Origin, limits: Loading) -> Result<WasmComponent, ComponentError> {
        self.compile(reference, &self.bytes(reference, origin, limits)?, limits)
    }

    /// The component that these bytes of a reference are.
    pub fn compile(&self, reference: &ComponentRef, bytes: &[u8], limits: Loading) -> Result<WasmComponent, ComponentError> {
        self.runtime.load_within(bytes, limits).map_err(|error| unloadable(reference, &error))
    }
}

impl Components for Catalog {
    fn load(&self, reference: &ComponentRef, origin: &Origin, limits: Loading) -> Result<Arc<dyn Component>, ComponentError> {
        Ok(Arc::new(self.component(reference, origin, limits)?))
    }

    fn std_names(&self) -> Vec<String> {
        Catalog::names().map(str::to_owned).collect()
    }
}

fn unknown(name: &str) -> ComponentError {
    let message = format!("there is no standard stage `{name}`");
    ComponentError { kind: ComponentErrorKind::NotFound { nearest: None }, message, help: None }
}

/// What is larger than it may be is not read at all, and what grows meanwhile no further than that.
fn read(reference: &ComponentRef, path: &Path, limits: Loading) -> Result<Vec<u8>, ComponentError> {
    let too_large = |bytes| LoadError::sized(bytes, limits).map_err(|error| unloadable(reference, &error));
    let open = || -> std::io::Result<_> {
        let file = std::fs::File::open(path)?;
        let size = file.metadata()?.len();
        Ok((file, size))
    };
    let (file, size) = open().map_err(|error| unreadable(reference, path, &error))?;
    too_large(size)?;
    let mut bytes = Vec::with_capacity(size as usize);
    let taken = file.take(limits.bytes.saturating_add(1)).read_to_end(&mut bytes);
    taken.map_err(|error| unreadable(reference, path, &error))?;
    too_large(bytes.len() as u64)?;
    Ok(bytes)
}

fn unreadable(reference: &ComponentRef, path: &Path, error: &std::io::Error) -> ComponentError {
    match error.kind() {
        std::io::ErrorKind::NotFound => {
            let (reference, place) = (shown(Path::new(&reference.to_string())), shown(path));
            let place = if place == reference { String::new() } else { format!(": nothing is at {}", place.display()) };
            let message = format!("there is no component `{}`{place}", reference.display());
            ComponentError { kind: ComponentErrorKind::NotFound { nearest: None }, message, help: None }
        }
        _ => {
            let message = format!("cannot read the component `{reference}` at {}: {error}", shown(path).display());
            let project = path.join("build").is_dir() || path.join("stage.toml").is_file();
            let help = project.then(|| "this is a project: its component is build/NAME.wasm in there, made by `parshall build`".to_owned());
            ComponentError { kind: ComponentErrorKind::Io, message, help }
        }
    }
}

fn keys(origin: &Origin) -> Result<Keys, ComponentError> {
    Keys::read(&origin.keys).map_err(|error| unfetched(&error))
}

/// A file is signed by a file beside it.
fn signed(reference: &ComponentRef, path: &Path, bytes: &[u8], keys: &Keys) -> Result<(), ComponentError> {
    if keys.is_empty() {
        return Ok(());
    }
    let place = registry::signature_beside(path);
    let signature = std::fs::read_to_string(&place);
    if signature.as_ref().is_ok_and(|signature| keys.verify(bytes, signature)) {
        return Ok(());
    }
    let (shown, why) = (place.display(), signature.err().map(|error| error.to_string()));
    let message = match why {
        Some(why) => format!("`{reference}` is not signed, and the pipeline file has [signatures]: {shown}: {why}"),
        None => format!("the signature of `{reference}` in {shown} was not made over it with a key of [signatures]"),
    };
    let help = Some("`cosign sign-blob --key KEY` or `parshall sign --key KEY` makes one".to_owned());
    Err(ComponentError { kind: ComponentErrorKind::Unverified, message, help })
}

fn unfetched(error: &RegistryError) -> ComponentError {
    let kind = match error {
        RegistryError::NotFound(_) => ComponentErrorKind::NotFound { nearest: None },
        RegistryError::NoComponent { .. } => ComponentErrorKind::NotAComponent,
        RegistryError::Unsigned(_) | RegistryError::Unverified { .. } => ComponentErrorKind::Unverified,
        _ => ComponentErrorKind::Io,
    };
    ComponentError { kind, message: error.to_string(), help: error.help() }
}

fn unloadable(reference: &ComponentRef, error: &LoadError) -> ComponentError {
    let kind = match error {
        LoadError::CoreModule | LoadError::NotWasm => ComponentErrorKind::NotAComponent,
        LoadError::NoStage { .. } | LoadError::OtherVersion { .. } | LoadError::Half { .. } | LoadError::SeveralKinds => {
            ComponentErrorKind::WrongWorld
        }
        LoadError::Invalid(_) | LoadError::Busy(_) => ComponentErrorKind::Compile,
        LoadError::Limit { limit, .. } => ComponentErrorKind::Limit(limit),
    };
    ComponentError { kind, message: format!("cannot load `{reference}`: {error}"), help: None }
}
