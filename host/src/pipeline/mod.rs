//! Floor 2: from a pipeline file to a running graph. It sees the traits of `words` and nothing below or beside them.
//!
//! ```text
//! text ── spec ──► Spec (as written) ── plan ──► Plan (as checked) ──► run
//!           └─ diagnostics ─┴───────────────┘
//! ```

pub mod columns;
pub mod dead_letters;
pub mod diagnostic;
pub mod footing;
pub mod graph;
pub mod json_schema;
pub mod plan;
pub mod policy;
pub mod rejections;
pub mod run;
pub mod source;
pub mod spec;
pub mod substitute;
pub mod swap;
