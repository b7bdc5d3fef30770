//! Floor 1e: a stage's own project: from nothing to a component, in any of the languages, and its tests.

mod build;
mod came;
mod case;
mod difference;
mod language;
mod manifest;
mod template;
mod toolchain;
mod trial;
mod wit;

pub use build::{Built, build};
pub use case::{Case, cases};
pub use difference::Difference;
pub use language::Language;
pub use manifest::{KindWord, MANIFEST, Manifest};
pub use template::{Project, create};
pub use trial::{Ceiling, Tried, Update, Wrong, attempt};
pub use wit::{Package, contract};
