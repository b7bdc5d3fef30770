//! Whose fault an error is.

use serde::Serialize;

/// Whose fault an error is, so that the right person is woken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Blame {
    /// The component: it trapped, lied, exceeded a limit, or reported a defect of its own.
    Guest,
    /// Parshall itself or the machine it runs on.
    Host,
    /// The author of the pipeline file: configuration, schema, grants.
    Pipeline,
    /// The data that came in.
    Data,
    /// Something outside that did not answer.
    Outside,
}

impl std::fmt::Display for Blame {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Blame::Guest => "guest",
            Blame::Host => "host",
            Blame::Pipeline => "pipeline",
            Blame::Data => "data",
            Blame::Outside => "outside",
        })
    }
}
