//! The seam to whoever finds and compiles components, and loading all of a pipeline's at once.

use std::{
    path::{Path, PathBuf},
    str::FromStr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use crate::{
    pipeline::{
        diagnostic::{Diagnostic, nearest},
        spec::{Spec, StageSpec},
    },
    words::{
        limits::Loading,
        oci::{self, BadOciName, OciName},
        stage::Component,
    },
};

/// How a pipeline file refers to a component.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ComponentRef {
    /// `std:NAME`: comes with the host.
    Std(String),
    /// A path as written: relative to the pipeline file, or absolute.
    Path(PathBuf),
    /// `oci://…`: in a registry.
    Oci(OciName),
}

/// Where the references of a pipeline file are looked for, and what it demands of what is found.
#[derive(Clone, Debug, Default)]
pub struct Origin {
    /// Folder where relative paths start.
    pub base: PathBuf,
    /// The file that says which digest a tag means; without one, whoever is asked says it.
    pub lock: Option<PathBuf>,
    /// Public keys, one of which must have signed every component that does not come with the host. None: nothing has to be signed.
    pub keys: Vec<PathBuf>,
}

impl std::fmt::Display for ComponentRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            ComponentRef::Std(name) => write!(f, "std:{name}"),
            ComponentRef::Path(path) => write!(f, "{}", path.display()),
            ComponentRef::Oci(name) => write!(f, "{name}"),
        }
    }
}

impl FromStr for ComponentRef {
    type Err = BadOciName;

    fn from_str(written: &str) -> Result<Self, BadOciName> {
        match (written.strip_prefix("std:"), written.strip_prefix(oci::SCHEME)) {
            (Some(name), _) => Ok(ComponentRef::Std(name.to_owned())),
            (None, Some(name)) => OciName::parse(name).map(ComponentRef::Oci),
            (None, None) => Ok(ComponentRef::Path(PathBuf::from(written))),
        }
    }
}

// === impl Origin ===

impl Origin {
    /// Relative paths start in this folder; nothing is pinned, nothing has to be signed.
    pub fn folder(base: impl Into<PathBuf>) -> Self {
        Origin { base: base.into(), ..Origin::default() }
    }
}

/// Finds and compiles components. Called from several threads at once, once for each distinct reference.
pub trait Components: Sync {
    /// Loads a component that a pipeline file refers to.
    fn load(&self, reference: &ComponentRef, origin: &Origin, limits: Loading) -> Result<Arc<dyn Component>, ComponentError>;
    /// The names that may stand after `std:`.
    fn std_names(&self) -> Vec<String>;
}

/// Why a component could not be loaded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ComponentError {
    /// What kind of failure.
    pub kind: ComponentErrorKind,
    /// What is wrong, in a sentence.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
}

/// What to do where there is no component.
pub const BUILD: &str = "`parshall build` makes a component of a project: build/NAME.wasm";

impl ComponentError {
    /// What to do about it: what is known where it failed, or what helps against failures of its kind.
    pub fn advice(&self, reference: &ComponentRef) -> Option<String> {
        let path = || matches!(reference, ComponentRef::Path(_));
        self.help.clone().or_else(|| match self.kind {
            ComponentErrorKind::NotAComponent if path() => Some(BUILD.to_owned()),
            ComponentErrorKind::WrongWorld => Some(format!(
                "`parshall inspect --wit {reference}` prints what it imports and exports, `parshall inspect --wit` the contract"
            )),
            _ => None,
        })
    }
}

/// The ways in which loading fails.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ComponentErrorKind {
    /// There is nothing of that name.
    NotFound {
        /// What was probably meant. Left out, the plan looks for it among the std names or the files in that folder.
        nearest: Option<String>,
    },
    /// The file is something else: a core module, text, an older format.
    NotAComponent,
    /// It is a component, but neither an extract nor a transform nor a load.
    WrongWorld,
    /// It could not be compiled.
    Compile,
    /// It could not be read, or fetched.
    Io,
    /// It exceeds this limit.
    Limit(&'static str),
    /// Nobody who was named has signed it.
    Unverified,
}

type Loaded = Result<Arc<dyn Component>, ComponentError>;

/// The component of every stage, in the order of the spec. One that cannot be loaded is reported where it is first
/// referred to.
pub(super) fn load_all(spec: &Spec, components: &dyn Components, diagnostics: &mut Vec<Diagnostic>) -> Vec<Option<Arc<dyn Component>>> {
    let mut distinct: Vec<&ComponentRef> = Vec::new();
    for stage in &spec.stages {
        if !distinct.contains(&&stage.component) {
            distinct.push(&stage.component);
        }
    }
    let limits = |reference: &ComponentRef| {
        let users = spec.stages.iter().filter(|stage| stage.component == *reference);
        users.map(|stage| stage.limits.loading()).reduce(Loading::both).unwrap_or_default()
    };
    let wanted: Vec<_> = distinct.iter().map(|reference| (*reference, limits(reference))).collect();
    let loaded = load_distinct(&wanted, components, &spec.origin());
    for (reference, result) in distinct.iter().zip(&loaded) {
        if let Err(error) = result {
            let mut users = spec.stages.iter().filter(|stage| stage.component == **reference);
            if let Some(first) = users.next() {
                let others: Vec<String> = users.map(StageSpec::title).collect();
                diagnostics.push(complaint(spec, first, &others, components, error));
            }
        }
    }
    let find = |stage: &StageSpec| distinct.iter().position(|reference| **reference == stage.component);
    spec.stages.iter().map(|stage| find(stage).and_then(|at| loaded[at].as_ref().ok().cloned())).collect()
}

/// Loads each reference once, as many at a time as there are cores: the first compilation takes its time.
fn load_distinct(references: &[(&ComponentRef, Loading)], components: &dyn Components, origin: &Origin) -> Vec<Loaded> {
    let next = AtomicUsize::new(0);
    let loaded: Mutex<Vec<(usize, Loaded)>> = Mutex::default();
    let work = || {
        while let Some((at, (reference, limits))) =
            Some(next.fetch_add(1, Ordering::Relaxed)).and_then(|at| Some((at, references.get(at)?)))
        {
            let result = components.load(reference, origin, *limits);
            loaded.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).push((at, result));
        }
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(references.len());
    std::thread::scope(|scope| (0..threads).for_each(|_| drop(scope.spawn(work))));
    let mut loaded = loaded.into_inner().unwrap_or_else(|poisoned| poisoned.into_inner());
    loaded.sort_by_key(|(at, _)| *at);
    loaded.into_iter().map(|(_, result)| result).collect()
}

fn complaint(spec: &Spec, stage: &StageSpec, others: &[String], components: &dyn Components, error: &ComponentError) -> Diagnostic {
    let (code, label) = match &error.kind {
        ComponentErrorKind::NotFound { .. } => ("component-not-found", "there is no such component"),
        ComponentErrorKind::NotAComponent => ("not-a-component", "expected a WebAssembly component"),
        ComponentErrorKind::WrongWorld => ("wrong-world", "expected a component that exports `extract`, `transform` or `load`"),
        ComponentErrorKind::Compile => ("compile", "cannot be compiled"),
        ComponentErrorKind::Io => ("unreadable", "cannot be read"),
        ComponentErrorKind::Limit(limit) => (*limit, "this component is at fault"),
        ComponentErrorKind::Unverified => ("unverified", "expected a component that is signed with a key of [signatures]"),
    };
    let mut diagnostic = Diagnostic::at(code, &spec.source, stage.places.component, &error.message).label(label);
    diagnostic = match &error.kind {
        ComponentErrorKind::Limit(limit) => diagnostic.help(format!("raise `limits.{limit}` of {}", stage.title())),
        _ => diagnostic.help_if(error.advice(&stage.component)),
    };
    if let (ComponentErrorKind::NotFound { nearest }, None) = (&error.kind, &error.help) {
        let near = nearest.clone().or_else(|| nearest_reference(&stage.component, &spec.base, &components.std_names()));
        diagnostic = diagnostic.nearest(near.as_deref());
    }
    match others {
        [] => diagnostic,
        others => diagnostic.note(format!("also used by {}", others.join(", "))),
    }
}

/// What was probably meant by a reference to nothing, as it would be written.
fn nearest_reference(reference: &ComponentRef, base: &Path, std_names: &[String]) -> Option<String> {
    match reference {
        ComponentRef::Std(name) => nearest(name, std_names.iter().map(String::as_str)).map(|name| format!("std:{name}")),
        ComponentRef::Path(path) => {
            let folder = path.parent().unwrap_or(Path::new(""));
            let near = nearest_in(&base.join(folder), &path.file_name()?.to_string_lossy())?;
            Some(folder.join(near).display().to_string())
        }
        ComponentRef::Oci(_) => None,
    }
}

/// The file in `folder` whose name is nearest to `name`.
pub(in crate::pipeline) fn nearest_in(folder: &Path, name: &str) -> Option<String> {
    let entries = std::fs::read_dir(folder).ok()?;
    let mut names: Vec<String> = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect();
    // In an order of their own: that of a folder is by chance.
    names.sort();
    nearest(name, names.iter().map(String::as_str)).map(str::to_owned)
}
