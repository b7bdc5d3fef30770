//! Components of the test's own that are another one with a difference.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering::Relaxed},
};

use parshall::words::{
    call::{Call, CallError},
    digest::Digest,
    stage::{Component, Description, Extract, Kind, Load, Opening, Port, Transform},
    usage::Usage,
};

/// A transform that is another one, but for what it says of itself or how often it can be opened.
pub struct Double {
    of: Arc<dyn Component>,
    digest: Digest,
    /// It has been opened, and cannot be again.
    used_up: Option<AtomicBool>,
}

impl Double {
    /// One that says that it remembers nothing.
    pub fn forgetful(of: Arc<dyn Component>) -> Self {
        Double { of, digest: Digest::of(b"forgetful"), used_up: None }
    }

    /// One that can be opened once, and says that it remembers nothing.
    pub fn once(of: Arc<dyn Component>) -> Self {
        Double { of, digest: Digest::of(b"once"), used_up: Some(AtomicBool::new(false)) }
    }
}

impl Component for Double {
    fn kind(&self) -> Kind {
        self.of.kind()
    }

    fn digest(&self) -> Digest {
        self.digest
    }

    fn description(&self) -> Result<Arc<Description>, CallError> {
        Ok(Arc::new(Description { stateful: false, ..(*self.of.description()?).clone() }))
    }

    fn imports(&self) -> Vec<String> {
        self.of.imports()
    }

    fn open_extract(&self, _: &Opening) -> Call<(Box<dyn Extract>, Vec<Port>)> {
        unreachable!("it is a transform")
    }

    fn open_transform(&self, opening: &Opening) -> Call<(Box<dyn Transform>, Vec<Port>)> {
        if self.used_up.as_ref().is_some_and(|used_up| used_up.swap(true, Relaxed)) {
            return Call { outcome: Err(CallError::Host("it opens once and never again".into())), usage: Usage::default() };
        }
        self.of.open_transform(opening)
    }

    fn open_load(&self, _: &Opening) -> Call<Box<dyn Load>> {
        unreachable!("it is a transform")
    }
}
