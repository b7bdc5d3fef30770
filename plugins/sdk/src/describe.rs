//! What a component says of itself.

use crate::abi::{self, Text};

/// The contract's `description`. Most stages write [`describe!`](crate::describe).
#[derive(Clone, Copy)]
pub struct Description {
    /// Short name, kebab-case.
    pub name: &'static str,
    /// Version of the component.
    pub version: &'static str,
    /// One line for a person.
    pub summary: &'static str,
    /// Markdown.
    pub documentation: &'static str,
    /// JSON Schema (2020-12) of the configuration.
    pub config_schema: &'static str,
    /// Whether an instance remembers anything from one call to the next.
    pub stateful: bool,
}

// === impl Description ===

impl Description {
    /// The same for a stage that remembers.
    pub const fn stateful(mut self) -> Self {
        self.stateful = true;
        self
    }

    pub(crate) fn abi(&self) -> abi::Description {
        abi::Description {
            name: Text::of(self.name),
            version: Text::of(self.version),
            summary: Text::of(self.summary),
            documentation: Text::of(self.documentation),
            config_schema: Text::of(self.config_schema),
            stateful: self.stateful,
        }
    }
}

/// A [`Description`] from the crate's own `Cargo.toml`, `README.md` and `config.schema.json`.
#[macro_export]
macro_rules! describe {
    ($summary:literal) => {
        $crate::Description {
            name: env!("CARGO_PKG_NAME"),
            version: env!("CARGO_PKG_VERSION"),
            summary: $summary,
            documentation: include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")),
            config_schema: include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/config.schema.json")),
            stateful: false,
        }
    };
}
