//! Where a thread works: the pipeline and the stage to which everything belongs that is said on it.

use std::{cell::RefCell, sync::Arc};

/// A stage of a pipeline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    /// The pipeline's name.
    pub pipeline: Arc<str>,
    /// The stage's.
    pub stage: Arc<str>,
}

thread_local! {
    static CURRENT: RefCell<Option<Scope>> = const { RefCell::new(None) };
}

/// The stage that this thread works for.
pub fn current() -> Option<Scope> {
    CURRENT.with_borrow(Clone::clone)
}

/// This thread works for a stage until the guard is dropped.
#[must_use = "the thread works for the stage only as long as this lives"]
pub fn within(pipeline: &str, stage: &str) -> Within {
    let scope = Scope { pipeline: pipeline.into(), stage: stage.into() };
    Within { before: CURRENT.replace(Some(scope)) }
}

/// Restores what was before.
pub struct Within {
    before: Option<Scope>,
}

impl Drop for Within {
    fn drop(&mut self) {
        CURRENT.set(self.before.take());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Protects against records that name the stage which the thread worked for before.
    #[test]
    fn the_stage_before_is_current_again_when_the_guard_goes() {
        let stage = || current().map(|scope| scope.stage.to_string());
        {
            let _outer = within("p", "outer");
            drop(within("p", "inner"));
            assert_eq!(stage().as_deref(), Some("outer"));
        }
        assert_eq!(stage(), None);
    }
}
